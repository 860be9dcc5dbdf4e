/* tests/unit/exec/test_session.c: session windows against a model that takes one row at a time. */
#include "tests/unit/exec/harness.c"
#include "common/calendar.h"
#include "exec/operators.h"

typedef struct ModelSession { int64_t key, start, last, rows, values, sum; uint64_t order; } ModelSession;
typedef struct Model {
    int64_t gap, grace;
    ModelSession sessions[256];
    int count;
    uint64_t next_order, key_order[64]; /* when the key last got a first session */
    int64_t wm;
    Text output;
    uint64_t late_rows;
} Model;

static void model_advance(Model *model, int64_t wm)
{
    for (;;) {
        int first = -1;
        for (int i = 0; i < model->count; i++) {
            const ModelSession *a = &model->sessions[i], *b = first < 0 ? NULL : &model->sessions[first];
            if (!b || a->last < b->last || (a->last == b->last && model->key_order[a->key] < model->key_order[b->key]))
                first = i;
        }
        if (first < 0 || model->sessions[first].last + model->gap + model->grace >= wm)
            break;
        ModelSession *s = &model->sessions[first];
        text_printf(&model->output, "+I %lld %lld %lld %lld %lld ", (long long)s->key, (long long)s->start,
                    (long long)(s->last + model->gap), (long long)(s->last + model->gap - 1000), (long long)s->rows);
        if (s->values)
            text_printf(&model->output, "%lld", (long long)s->sum);
        else
            text_add_c(&model->output, "NULL");
        text_printf(&model->output, " @%lld\n", (long long)model->wm);
        memmove(s, s + 1, sizeof(*s) * (size_t)(model->count - first - 1));
        model->count--;
    }
    model->wm = wm > model->wm ? wm : model->wm;
}

static void model_row(Model *model, const TestRow *row, int64_t wm)
{
    model_advance(model, wm);
    ModelSession merged = { .key = row->key, .start = row->time_us, .last = row->time_us, .rows = 1,
                            .values = !row->value_null, .sum = row->value_null ? 0 : row->value };
    bool has_key = false, joined = false;
    for (int i = 0; i < model->count; i++) {
        ModelSession *s = &model->sessions[i];
        if (s->key != row->key)
            continue;
        has_key = true;
        if (row->time_us - model->gap > s->last || row->time_us + model->gap < s->start)
            continue;
        joined = true;
        merged.start = s->start < merged.start ? s->start : merged.start;
        merged.last = s->last > merged.last ? s->last : merged.last;
        merged.rows += s->rows;
        merged.values += s->values;
        merged.sum += s->sum;
        memmove(s, s + 1, sizeof(*s) * (size_t)(model->count - i - 1));
        model->count--;
        i--;
    }
    if (!joined && row->time_us + model->gap + model->grace < wm) {
        model->late_rows++;
        return;
    }
    if (!has_key)
        model->key_order[row->key] = model->next_order++;
    model->sessions[model->count++] = merged;
}

static void random_rows(uint64_t *seed, TestRow *rows, uint32_t count, int64_t gap)
{
    int64_t now = 0, wm = TIME_MIN, disorder = 1 + (int64_t)(test_random(seed) % 6), keys = 1 + (int64_t)(test_random(seed) % 8);
    int64_t slack = (int64_t)(test_random(seed) % 4) * gap / 2;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t dice = test_random(seed) % 100;
        now += dice < 80 ? (int64_t)(test_random(seed) % (uint64_t)(gap / 2)) : dice < 98 ? gap : 50 * gap;
        rows[i] = (TestRow){ .key = (int64_t)(test_random(seed) % (uint64_t)keys), .value = (int64_t)(test_random(seed) % 9) };
        rows[i].time_us = (now - (int64_t)(test_random(seed) % (uint64_t)(disorder * gap / 2))) / 1000 * 1000; /* ties */
        rows[i].value_null = test_random(seed) % 5 == 0;
        snprintf(rows[i].text, sizeof(rows[i].text), "a text of some length %d", (int)rows[i].value);
        if (rows[i].time_us - slack > wm)
            wm = rows[i].time_us - slack;
        rows[i].wm_after_us = wm;
    }
}

static const uint32_t sizes[] = { 1, 2, 3, 7, 2048 };

static void open_session_harness(Harness *harness, uint32_t batch_rows, int64_t gap, int64_t grace, Trigger trigger)
{
    static const int keys[] = { COLUMN_K };
    harness_init(harness, &session_operator, batch_rows);
    harness_aggregate(harness, keys, 1, true);
    harness->node.aggregate.window.kind = WINDOW_SESSION;
    harness->node.aggregate.window.size_us = gap;
    harness->node.aggregate.window.grace_us = grace;
    harness->node.aggregate.window.session_end_with_gap = true;
    harness->node.aggregate.trigger = trigger;
}

static void sessions_equal_the_model(void **unused)
{
    (void)unused;
    enum { ROWS = 150 };
    static TestRow rows[ROWS];
    static Model model;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t state = seed;
        const int64_t gap = 100000;
        memset(&model, 0, sizeof(model));
        model.gap = gap;
        model.grace = (int64_t)(test_random(&state) % 3) * gap;
        model.wm = TIME_MIN;
        random_rows(&state, rows, ROWS, gap);
        int64_t wm = TIME_MIN;
        for (uint32_t i = 0; i < ROWS; i++) {
            model_row(&model, &rows[i], wm);
            wm = rows[i].wm_after_us;
        }
        model_advance(&model, wm);
        model_advance(&model, TIME_MAX);
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            for (int restore = 0; restore <= (seed % 4 == 0); restore++) {
                Harness harness;
                open_session_harness(&harness, sizes[s], gap, model.grace, TRIGGER_FINAL);
                harness_call(&harness, "count", -1, -1, false);
                harness_call(&harness, "sum", COLUMN_V, -1, false);
                harness.show_wm = true;
                harness_open(&harness);
                harness_feed(&harness, rows, ROWS, sizes[s], TIME_MIN, restore);
                harness_end(&harness);
                if (strcmp(text_c(&harness.output), text_c(&model.output)))
                    print_message("seed %llu batch %u restore %d\n", (unsigned long long)seed, sizes[s], restore);
                assert_string_equal(text_c(&harness.output), text_c(&model.output));
                assert_int_equal(harness.late_rows, model.late_rows);
                harness_release(&harness);
            }
        text_release(&model.output);
    }
}

/* Applying -D and +I gives the table that FINAL gives, for every batch size. */
static void net_lines(const char *at, Text *table)
{
    static char lines[4096][160];
    int count = 0;
    while (*at) {
        const char *end = strchr(at, '\n');
        size_t length = (size_t)(end - at) - 3;
        assert_true(length < sizeof(lines[0]));
        if (at[0] == '-') {
            int i = count - 1;
            while (i >= 0 && (strlen(lines[i]) != length || memcmp(lines[i], at + 3, length)))
                i--;
            assert_true(i >= 0);
            memmove(lines[i], lines[count - 1], sizeof(lines[0]));
            count--;
        } else {
            memcpy(lines[count], at + 3, length);
            lines[count++][length] = 0;
        }
        at = end + 1;
    }
    qsort(lines, (size_t)count, sizeof(lines[0]), (int (*)(const void *, const void *))strcmp);
    for (int i = 0; i < count; i++)
        text_printf(table, "%s\n", lines[i]);
}

static void session_updates_converge(void **unused)
{
    (void)unused;
    enum { ROWS = 150 };
    static TestRow rows[ROWS];
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t state = seed;
        const int64_t gap = 100000;
        random_rows(&state, rows, ROWS, gap);
        Text expected = { 0 };
        static const Trigger triggers[] = { TRIGGER_FINAL, TRIGGER_CHANGES, TRIGGER_AFTER_WATERMARK };
        for (int t = 0; t < 3; t++)
            for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                Harness harness;
                Text table = { 0 };
                open_session_harness(&harness, sizes[s], gap, 2 * gap, triggers[t]);
                harness_call(&harness, "count", -1, -1, false);
                harness_call(&harness, "max", COLUMN_S, -1, false);
                harness_open(&harness);
                harness_feed(&harness, rows, ROWS, sizes[s], TIME_MIN, seed % 6 == 0);
                harness_end(&harness);
                net_lines(text_c(&harness.output), &table);
                if (t == 0 && s == 0)
                    text_add(&expected, text_c(&table), table.length);
                if (strcmp(text_c(&table), text_c(&expected)))
                    print_message("seed %llu trigger %d batch %u\n%s", (unsigned long long)seed, t, sizes[s], text_c(&harness.output));
                assert_string_equal(text_c(&table), text_c(&expected));
                text_release(&table);
                harness_release(&harness);
            }
        text_release(&expected);
    }
}

static void maximum_duration_ends_a_session(void **unused)
{
    (void)unused;
    Harness harness;
    TestRow rows[8];
    for (int i = 0; i < 8; i++)
        rows[i] = (TestRow){ .key = 1, .time_us = i * 5, .wm_after_us = i * 5 };
    open_session_harness(&harness, 3, 10, 0, TRIGGER_FINAL);
    harness.node.aggregate.window.max_session_us = 12;
    harness_call(&harness, "count", -1, -1, false);
    harness_open(&harness);
    harness_feed(&harness, rows, 8, 3, TIME_MIN, true);
    harness_end(&harness);
    assert_string_equal(text_c(&harness.output), "+I 1 0 20 -980 3\n+I 1 15 35 -965 3\n+I 1 30 45 -955 2\n");
    harness_release(&harness);
}

static void many_keys_come_and_go(void **unused)
{
    (void)unused;
    enum { ROWS = 2000 };
    static TestRow rows[ROWS];
    Text outputs[2] = { { 0 }, { 0 } };
    int64_t half = 0;
    for (int size = 0; size < 2; size++) {
        Harness harness;
        open_session_harness(&harness, size ? 2048 : 77, 1000, 0, TRIGGER_FINAL);
        harness_call(&harness, "count", -1, -1, false);
        harness_open(&harness);
        int64_t time = 0, wm = TIME_MIN, key = 0;
        uint64_t state = 3;
        for (int batch = 0; batch < 60; batch++) {
            for (int i = 0; i < ROWS; i++) {
                time += (int64_t)(test_random(&state) % 3);
                rows[i] = (TestRow){ .key = test_random(&state) % 3 ? key++ : key - (int64_t)(test_random(&state) % 6000), .time_us = time,
                                     .wm_after_us = time - 5 };
            }
            wm = harness_feed(&harness, rows, ROWS, size ? 2048 : 77, wm, false);
            text_add(&outputs[size], text_c(&harness.output), harness.output.length);
            harness.output.length = 0;
            if (batch == 30)
                half = harness.op->pool.peak_bytes;
        }
        assert_true(harness.op->pool.peak_bytes <= half + half / 5);
        harness_release(&harness);
    }
    assert_string_equal(text_c(&outputs[0]), text_c(&outputs[1]));
    text_release(&outputs[0]);
    text_release(&outputs[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_equal_the_model),
        cmocka_unit_test(session_updates_converge),
        cmocka_unit_test(maximum_duration_ends_a_session),
        cmocka_unit_test(many_keys_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

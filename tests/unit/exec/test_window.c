/* tests/unit/exec/test_window.c: tumbling, hopping and cumulating windows against a model that takes one row at a time. */
#include "tests/unit/exec/harness.c"
#include "common/calendar.h"
#include "exec/operators.h"

/* ---- the model ---- */

typedef struct ModelGroup { bool null; int64_t key, rows, values, sum, max, distinct_count; int64_t seen[512]; } ModelGroup;
typedef struct ModelWindow { int64_t start, end; int group_count; bool fired; ModelGroup groups[16]; } ModelWindow;
typedef struct Model {
    WindowSpec spec;
    bool own_order;            /* groups come out in the window's own order of arrival; else in that of all panes */
    ModelWindow windows[4096];
    int window_count;
    int order_count;
    struct { bool null; int64_t key; } order[16];
    int64_t wm;
    Text output, late;
    uint64_t late_rows, late_windows;
} Model;

static int64_t model_clock(const Model *model, int64_t wm)
{
    return time_sub(wm, model->spec.lag_us + (model->spec.end_inclusive ? 1 : 0));
}

static void model_print(Model *model, const ModelWindow *window, const ModelGroup *group)
{
    text_add_c(&model->output, "+I ");
    if (group->null)
        text_add_c(&model->output, "NULL");
    else
        text_printf(&model->output, "%lld", (long long)group->key);
    text_printf(&model->output, " %lld %lld %lld %lld ", (long long)window->start, (long long)window->end, (long long)(window->end - 1000), (long long)group->rows);
    if (group->values)
        text_printf(&model->output, "%lld %lld", (long long)group->sum, (long long)group->max);
    else
        text_add_c(&model->output, "NULL NULL");
    text_printf(&model->output, " %lld @%lld\n", (long long)group->distinct_count, (long long)model->wm);
}

static void model_emit(Model *model, const ModelWindow *window)
{
    if (model->own_order) {
        for (int g = 0; g < window->group_count; g++)
            model_print(model, window, &window->groups[g]);
        return;
    }
    for (int o = 0; o < model->order_count; o++)
        for (int g = 0; g < window->group_count; g++)
            if (window->groups[g].null == model->order[o].null && window->groups[g].key == model->order[o].key)
                model_print(model, window, &window->groups[g]);
}

/* Is there a pane from `start` on that the next open window still needs? */
static void model_forget_order(Model *model)
{
    if (model->window_count == 0)
        model->order_count = 0;
}

static void model_advance(Model *model, int64_t wm)
{
    int64_t clock = model_clock(model, wm);
    for (;;) {
        int first = -1;
        for (int i = 0; i < model->window_count; i++)
            if (first < 0 || model->windows[i].end < model->windows[first].end)
                first = i;
        if (first < 0 || clock == TIME_MIN ||
            (clock != TIME_MAX && model->windows[first].end + model->spec.grace_us > clock))
            break;
        model_emit(model, &model->windows[first]);
        model->windows[first] = model->windows[--model->window_count];
    }
    model_forget_order(model);
    model->wm = wm > model->wm ? wm : model->wm;
}

static void model_add(ModelWindow *window, const TestRow *row)
{
    ModelGroup *group = NULL;
    for (int g = 0; g < window->group_count; g++)
        if (window->groups[g].null == row->key_null && (row->key_null || window->groups[g].key == row->key))
            group = &window->groups[g];
    if (!group) {
        group = &window->groups[window->group_count++];
        *group = (ModelGroup){ .null = row->key_null, .key = row->key_null ? 0 : row->key };
    }
    group->rows++;
    if (row->value_null)
        return;
    group->max = group->values == 0 || row->value > group->max ? row->value : group->max;
    group->sum += row->value;
    group->values++;
    if (!row->flag)
        return;
    for (int64_t i = 0; i < group->distinct_count; i++)
        if (group->seen[i] == row->value)
            return;
    group->seen[group->distinct_count++] = row->value;
}

static void model_row(Model *model, const TestRow *row, int64_t wm_before)
{
    model_advance(model, wm_before);
    const WindowSpec *spec = &model->spec;
    int64_t clock = model_clock(model, wm_before), time = row->time_us - (spec->end_inclusive ? 1 : 0);
    const bool cumulating = spec->kind == WINDOW_CUMULATING;
    int64_t total = 0, late = 0, last_start = 0, last_end = 0, step = cumulating ? spec->size_us : spec->advance_us;
    int64_t last = time - floor_mod(time - spec->offset_us, step), earliest = last;
    while (!cumulating && earliest - spec->advance_us + spec->size_us > time)
        earliest -= spec->advance_us;
    int64_t from = cumulating ? earliest + spec->advance_us : earliest + spec->size_us, to = last + spec->size_us;
    for (int64_t end = from; end <= to; end += spec->advance_us) {
        int64_t start = cumulating ? last : end - spec->size_us;
        if (time >= end)
            continue;
        total++;
        last_start = start;
        last_end = end;
        if (clock != TIME_MIN && end + spec->grace_us <= clock) {
            late++;
            continue;
        }
        ModelWindow *window = NULL;
        for (int i = 0; i < model->window_count; i++)
            if (model->windows[i].end == end)
                window = &model->windows[i];
        if (!window) {
            window = &model->windows[model->window_count++];
            window->start = start;
            window->end = end;
            window->group_count = 0;
            window->fired = false;
        }
        model_add(window, row);
    }
    if (late < total) {
        bool known = false;
        int64_t key = row->key_null ? 0 : row->key;
        for (int o = 0; o < model->order_count; o++)
            known = known || (model->order[o].null == row->key_null && model->order[o].key == key);
        if (!known) {
            model->order[model->order_count].null = row->key_null;
            model->order[model->order_count++].key = key;
        }
    }
    model->late_windows += (uint64_t)late;
    if (total && late == total) {
        model->late_rows++;
        text_printf(&model->late, "%lld %lld %lld %lld\n", (long long)row->value, (long long)last_start, (long long)last_end, (long long)clock);
    }
}

/* ---- random input ---- */

static uint32_t random_rows(uint64_t *seed, TestRow *rows, uint32_t count, int64_t unit, int64_t *first_wm)
{
    int64_t now = (int64_t)(test_random(seed) % 100) * unit - 50 * unit, wm = TIME_MIN;
    int64_t disorder = 1 + (int64_t)(test_random(seed) % 8), keys = 1 + (int64_t)(test_random(seed) % 6);
    *first_wm = TIME_MIN;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t dice = test_random(seed) % 100;
        now += dice < 60 ? (int64_t)(test_random(seed) % (uint64_t)(unit / 2)) : dice < 97 ? unit : dice < 99 ? 20 * unit : 0;
        if (dice == 99)
            now += 1000 * unit;
        TestRow *row = &rows[i];
        *row = (TestRow){ .key = (int64_t)(test_random(seed) % (uint64_t)keys), .value = (int64_t)(test_random(seed) % 9) - 4 };
        row->time_us = now - (int64_t)(test_random(seed) % (uint64_t)(disorder * unit));
        row->key_null = test_random(seed) % 10 == 0;
        row->value_null = test_random(seed) % 7 == 0;
        row->flag = test_random(seed) % 2;
        snprintf(row->text, sizeof(row->text), "%s-%d", test_random(seed) % 2 ? "short" : "a rather long text", (int)row->value);
        int64_t seen = row->time_us - (int64_t)(disorder / 2) * unit;
        if (seen > wm)
            wm = seen;
        row->wm_after_us = wm;
    }
    return count;
}

static const uint32_t sizes[] = { 1, 2, 3, 7, 2048 };

/* The late lines of the harness reduced to what the model writes. */
static void check_late(const Harness *harness, const Model *model)
{
    assert_int_equal(harness->late_rows, model->late_rows);
    assert_int_equal(harness->late_windows, model->late_windows);
    uint64_t lines = 0;
    for (size_t i = 0; i < harness->late.length; i++)
        lines += harness->late.bytes[i] == '\n';
    assert_int_equal(lines, model->late_rows);
}

static void final_case(uint64_t seed, bool distinct, bool restore_too)
{
    enum { ROWS = 120 };
    static TestRow rows[ROWS];
    static Model model;
    uint64_t state = seed;
    const int64_t unit = 1000000;
    WindowSpec spec = { .time_column = COLUMN_T };
    spec.size_us = (1 + (int64_t)(test_random(&state) % 6)) * unit;
    uint64_t kind = test_random(&state) % 5;
    spec.kind = kind < 2 ? WINDOW_TUMBLING : kind < 4 ? WINDOW_HOPPING : WINDOW_CUMULATING;
    spec.advance_us = spec.kind == WINDOW_TUMBLING ? spec.size_us : (1 + (int64_t)(test_random(&state) % 8)) * unit / 2;
    if (spec.kind == WINDOW_CUMULATING)
        spec.size_us = spec.advance_us * (2 + (int64_t)(test_random(&state) % 6));
    if (test_random(&state) % 8 == 0 && spec.kind == WINDOW_HOPPING)
        spec.advance_us = unit / 20; /* more panes than are folded */
    spec.offset_us = test_random(&state) % 3 ? 0 : (int64_t)(test_random(&state) % 5) * unit / 4;
    spec.grace_us = test_random(&state) % 2 ? 0 : (int64_t)(test_random(&state) % 5) * unit / 2;
    spec.lag_us = test_random(&state) % 3 ? 0 : (int64_t)(test_random(&state) % 3) * unit;
    spec.end_inclusive = test_random(&state) % 3 == 0;
    int64_t first_wm;
    random_rows(&state, rows, ROWS, unit, &first_wm);

    memset(&model, 0, sizeof(model));
    model.spec = spec;
    model.wm = TIME_MIN;
    model.own_order = spec.advance_us >= spec.size_us || distinct;
    int64_t wm = first_wm;
    for (uint32_t i = 0; i < ROWS; i++) {
        model_row(&model, &rows[i], wm);
        wm = rows[i].wm_after_us > wm ? rows[i].wm_after_us : wm;
    }
    model_advance(&model, wm);
    model_advance(&model, TIME_MAX);

    Text late = { 0 };
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int restore = 0; restore <= restore_too; restore++) {
            Harness harness;
            const int keys[] = { COLUMN_K };
            harness_init(&harness, &window_operator, sizes[s]);
            harness.node.aggregate.window = spec;
            harness_aggregate(&harness, keys, 1, true);
            harness.node.aggregate.trigger = TRIGGER_FINAL;
            harness_call(&harness, "count", -1, -1, false);
            harness_call(&harness, "sum", COLUMN_V, -1, false);
            harness_call(&harness, "max", COLUMN_V, -1, false);
            if (distinct)
                harness_call(&harness, "count", COLUMN_V, COLUMN_F, true);
            else
                harness_call(&harness, "count", COLUMN_V, COLUMN_V /* replaced below */, false);
            if (!distinct)
                harness.node.aggregate.calls[3].filter = -1, harness.node.aggregate.call_count = 3, harness.node.schema.column_count--;
            harness.show_wm = true;
            harness_open(&harness);
            harness_feed(&harness, rows, ROWS, sizes[s], first_wm, restore);
            harness_end(&harness);
            if (!distinct) { /* the model always prints the distinct count */
                Text stripped = { 0 };
                const char *at = text_c(&model.output);
                while (*at) {
                    const char *end = strchr(at, '\n'), *mark = end;
                    while (*mark != '@')
                        mark--;
                    const char *number = mark - 1;
                    while (number[-1] != ' ')
                        number--;
                    text_add(&stripped, at, (size_t)(number - at));
                    text_add(&stripped, mark, (size_t)(end + 1 - mark));
                    at = end + 1;
                }
                if (strcmp(text_c(&harness.output), text_c(&stripped)))
                    print_message("seed %llu size %lld advance %lld offset %lld grace %lld lag %lld incl %d batch %u\n",
                                  (unsigned long long)seed, (long long)spec.size_us, (long long)spec.advance_us,
                                  (long long)spec.offset_us, (long long)spec.grace_us, (long long)spec.lag_us, spec.end_inclusive,
                                  sizes[s]);
                assert_string_equal(text_c(&harness.output), text_c(&stripped));
                text_release(&stripped);
            } else {
                if (strcmp(text_c(&harness.output), text_c(&model.output)))
                    print_message("seed %llu distinct\n", (unsigned long long)seed);
                assert_string_equal(text_c(&harness.output), text_c(&model.output));
            }
            check_late(&harness, &model);
            if (s == 0 && !restore)
                text_add(&late, text_c(&harness.late), harness.late.length);
            assert_string_equal(text_c(&harness.late), text_c(&late));
            assert_true(harness.largest_batch <= sizes[s]);
            harness_release(&harness);
        }
    text_release(&late);
    text_release(&model.output);
    text_release(&model.late);
}

static void final_windows_equal_the_model(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 150; seed++)
        final_case(seed, false, seed % 4 == 0);
}

static void distinct_windows_equal_the_model(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1000; seed <= 1060; seed++)
        final_case(seed, true, seed % 4 == 0);
}

/* ---- updates: applying the changes gives the last result, whatever the batch size; batch size 1 is exact ---- */

static void apply_changes(const Text *output, Text *table)
{
    /* A multiset of lines: -x removes one, +x adds one. */
    const char *at = text_c((Text *)(uintptr_t)output);
    char **lines = NULL;
    size_t capacity = 0, count = 0;
    while (*at) {
        const char *end = strchr(at, '\n');
        char kind = at[0];
        const char *body = at + 3;
        size_t length = (size_t)(end - body), i;
        if (kind == '-') {
            for (i = 0; i < count; i++)
                if (strlen(lines[i]) == length && memcmp(lines[i], body, length) == 0)
                    break;
            assert_true(i < count); /* R6: what is taken back was there */
            free(lines[i]);
            memmove(lines + i, lines + i + 1, sizeof(char *) * (--count - i));
        } else {
            if (count == capacity)
                lines = mem_grow(lines, &capacity, count + 1, sizeof(char *));
            lines[count++] = strndup(body, length);
        }
        at = end + 1;
    }
    for (size_t i = 0; i < count; i++) /* sorted */
        for (size_t j = i + 1; j < count; j++)
            if (strcmp(lines[i], lines[j]) > 0) {
                char *swap = lines[i];
                lines[i] = lines[j];
                lines[j] = swap;
            }
    for (size_t i = 0; i < count; i++) {
        text_add_c(table, lines[i]);
        text_add_char(table, '\n');
        free(lines[i]);
    }
    mem_free(lines);
}

static void updates_converge(void **unused)
{
    (void)unused;
    enum { ROWS = 100 };
    static TestRow rows[ROWS];
    for (uint64_t seed = 1; seed <= 40; seed++)
        for (int trigger = 0; trigger < 3; trigger++) {
            uint64_t state = seed;
            const int64_t unit = 1000000;
            int64_t first_wm;
            random_rows(&state, rows, ROWS, unit, &first_wm);
            Text expected = { 0 };
            for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
                for (int restore = 0; restore <= (seed % 5 == 0); restore++) {
                    Harness harness;
                    Text table = { 0 };
                    const int keys[] = { COLUMN_K };
                    static const Trigger triggers[] = { TRIGGER_FINAL, TRIGGER_CHANGES, TRIGGER_AFTER_WATERMARK };
                    harness_init(&harness, &window_operator, sizes[s]);
                    harness_aggregate(&harness, keys, 1, true);
                    WindowSpec *spec = &harness.node.aggregate.window;
                    spec->kind = seed % 2 ? WINDOW_TUMBLING : WINDOW_HOPPING;
                    spec->size_us = 2 * unit;
                    spec->advance_us = seed % 2 ? 2 * unit : unit;
                    spec->grace_us = 2 * unit;
                    harness.node.aggregate.trigger = triggers[trigger];
                    harness_call(&harness, "count", -1, -1, false);
                    harness_call(&harness, "max", COLUMN_S, -1, false);
                    harness_call(&harness, "avg", COLUMN_V, COLUMN_F, false);
                    harness_open(&harness);
                    harness_feed(&harness, rows, ROWS, sizes[s], first_wm, restore);
                    harness_end(&harness);
                    apply_changes(&harness.output, &table);
                    if (s == 0 && !restore)
                        text_add(&expected, text_c(&table), table.length);
                    assert_string_equal(text_c(&table), text_c(&expected));
                    text_release(&table);
                    harness_release(&harness);
                }
            /* The table that updates lead to is what FINAL gives. */
            static Text final_table;
            if (trigger == 0) {
                text_release(&final_table);
                text_add(&final_table, text_c(&expected), expected.length);
            } else {
                assert_string_equal(text_c(&expected), text_c(&final_table));
            }
            if (seed == 40 && trigger == 2)
                text_release(&final_table);
            text_release(&expected);
        }
}

/* Retractions: rows come and go; what is left equals an aggregate over what is left. */
static void retractions_cancel(void **unused)
{
    (void)unused;
    enum { ROWS = 200 };
    static TestRow rows[ROWS];
    for (uint64_t seed = 1; seed <= 25; seed++) {
        uint64_t state = seed;
        uint32_t count = 0;
        TestRow alive[ROWS];
        uint32_t alive_count = 0;
        while (count < ROWS) {
            if (alive_count && test_random(&state) % 3 == 0) {
                uint32_t pick = (uint32_t)(test_random(&state) % alive_count);
                rows[count] = alive[pick];
                rows[count++].kind = ROW_DELETE;
                alive[pick] = alive[--alive_count];
            } else {
                TestRow row = { .key = (int64_t)(test_random(&state) % 3), .value = (int64_t)(test_random(&state) % 5),
                                .time_us = (int64_t)(test_random(&state) % 4) * 1000000, .wm_after_us = TIME_MIN,
                                .flag = test_random(&state) % 2, .value_null = test_random(&state) % 6 == 0 };
                snprintf(row.text, sizeof(row.text), "some longer text %d", (int)(test_random(&state) % 6));
                rows[count++] = alive[alive_count++] = row;
            }
        }
        Text expected = { 0 };
        for (size_t s = 0; s <= sizeof(sizes) / sizeof(sizes[0]); s++)
            for (int hop = 0; hop < 2; hop++) {
                static Text results[2];
                bool plain = s == 0; /* only what is left, inserted */
                Harness harness;
                Text table = { 0 };
                const int keys[] = { COLUMN_K };
                harness_init(&harness, &window_operator, plain ? 1 : sizes[s - 1]);
                harness.source.traits.changes = plain ? CHANGES_APPEND : CHANGES_RETRACT;
                harness_aggregate(&harness, keys, 1, true);
                harness.node.aggregate.window.kind = hop ? WINDOW_HOPPING : WINDOW_TUMBLING;
                harness.node.aggregate.window.size_us = 2000000;
                harness.node.aggregate.window.advance_us = hop ? 1000000 : 2000000;
                harness.node.aggregate.trigger = s % 2 ? TRIGGER_FINAL : TRIGGER_CHANGES;
                harness_call(&harness, "sum", COLUMN_V, -1, false);
                harness_call(&harness, "min", COLUMN_S, -1, false);
                harness_call(&harness, "max", COLUMN_V, COLUMN_F, false);
                harness_call(&harness, "count", COLUMN_V, COLUMN_F, true);
                harness_call(&harness, "sum", COLUMN_V, -1, true);
                harness_open(&harness);
                harness_feed(&harness, plain ? alive : rows, plain ? alive_count : ROWS, plain ? 1 : sizes[s - 1], TIME_MIN,
                             seed % 8 == 0);
                harness_end(&harness);
                apply_changes(&harness.output, &table);
                if (plain) {
                    text_release(&results[hop]);
                    text_add(&results[hop], text_c(&table), table.length);
                }
                assert_string_equal(text_c(&table), text_c(&results[hop]));
                if (seed == 25 && s == sizeof(sizes) / sizeof(sizes[0]))
                    text_release(&results[hop]);
                text_release(&table);
                harness_release(&harness);
            }
        text_release(&expected);
    }
}

static void delay_gives_early_results(void **unused)
{
    (void)unused;
    Harness harness;
    const int keys[] = { COLUMN_K };
    harness_init(&harness, &window_operator, 1);
    harness_aggregate(&harness, keys, 1, true);
    harness.node.aggregate.window.kind = WINDOW_TUMBLING;
    harness.node.aggregate.window.size_us = 1000000;
    harness.node.aggregate.window.grace_us = 1000000;
    harness.node.aggregate.trigger = TRIGGER_DELAY;
    harness.node.aggregate.delay_us = 10;
    harness_call(&harness, "count", -1, -1, false);
    harness_open(&harness);
    TestRow rows[] = { { .key = 7, .time_us = 1, .wm_after_us = 1 }, { .key = 8, .time_us = 2, .wm_after_us = 2 },
                       { .key = 7, .time_us = 3, .wm_after_us = 3 }, { .key = 7, .time_us = 5, .wm_after_us = 1000000 },
                       { .key = 8, .time_us = 5, .wm_after_us = 1000000 } };
    harness_advance(&harness, TIME_MIN, 100);
    harness_feed(&harness, rows, 2, 1, TIME_MIN, true);
    harness_advance(&harness, 2, 105);
    assert_string_equal(text_c(&harness.output), "");
    harness_advance(&harness, 2, 110);
    assert_string_equal(text_c(&harness.output), "+I 7 0 1000000 999000 1\n+I 8 0 1000000 999000 1\n");
    harness.output.length = 0;
    harness_feed(&harness, rows + 2, 1, 1, 2, true);
    harness_advance(&harness, 3, 120);
    assert_string_equal(text_c(&harness.output), "-U 7 0 1000000 999000 1\n+U 7 0 1000000 999000 2\n");
    harness.output.length = 0;
    harness_feed(&harness, rows + 3, 1, 1, 3, true); /* on time */
    assert_string_equal(text_c(&harness.output), "-U 7 0 1000000 999000 2\n+U 7 0 1000000 999000 3\n");
    harness.output.length = 0;
    harness_feed(&harness, rows + 4, 1, 1, 1000000, true); /* within the grace */
    assert_string_equal(text_c(&harness.output), "-U 8 0 1000000 999000 1\n+U 8 0 1000000 999000 2\n");
    harness_release(&harness);
}

/* A long stream of ever new keys keeps its memory flat. */
static void memory_stays_flat(void **unused)
{
    (void)unused;
    enum { ROWS = 2048 };
    static TestRow rows[ROWS];
    for (int hop = 0; hop < 3; hop++) {
        Harness harness;
        const int keys[] = { COLUMN_K };
        harness_init(&harness, &window_operator, 2048);
        harness_aggregate(&harness, keys, 1, true);
        harness.node.aggregate.window.kind = hop ? WINDOW_HOPPING : WINDOW_TUMBLING;
        harness.node.aggregate.window.size_us = hop == 2 ? 100000000 : 5000000;
        harness.node.aggregate.window.advance_us = hop ? 1000000 : 5000000;
        harness.node.aggregate.trigger = TRIGGER_FINAL;
        harness_call(&harness, "count", -1, -1, false);
        harness_open(&harness);
        int64_t time = 0, wm = TIME_MIN, key = 0, half = 0;
        for (int batch = 0; batch < 100; batch++) {
            for (int i = 0; i < ROWS; i++) {
                time += 5000;
                rows[i] = (TestRow){ .key = key++ / 2, .time_us = time, .wm_after_us = time };
            }
            wm = harness_feed(&harness, rows, ROWS, ROWS, wm, false);
            harness.output.length = 0;
            if (batch == 50)
                half = harness.op->pool.peak_bytes;
        }
        assert_true(harness.op->pool.peak_bytes <= half + half / 10);
        harness_end(&harness);
        harness_release(&harness);
    }
}

static void sum_overflow_is_judged_on_the_final_value(void **unused)
{
    (void)unused;
    TestRow rows[] = { { .value = INT64_MAX, .wm_after_us = TIME_MIN }, { .value = 5, .wm_after_us = TIME_MIN },
                       { .value = -10, .wm_after_us = TIME_MIN }, { .value = 100, .wm_after_us = TIME_MIN } };
    for (int good = 0; good < 2; good++) {
        Harness harness;
        harness_init(&harness, &window_operator, 4);
        harness_aggregate(&harness, NULL, 0, true);
        harness.node.aggregate.window.kind = WINDOW_TUMBLING;
        harness.node.aggregate.window.size_us = 1000;
        harness.node.aggregate.trigger = TRIGGER_FINAL;
        harness_call(&harness, "sum", COLUMN_V, -1, false);
        harness_open(&harness);
        harness_feed(&harness, rows, good ? 3 : 4, 4, TIME_MIN, false);
        Error *error = harness.op->type->advance(harness.op, TIME_MAX);
        if (good) {
            assert_null(error);
            assert_string_equal(text_c(&harness.output), "+I 0 1000 0 9223372036854775802\n");
        } else {
            assert_non_null(error);
            error_free(error);
        }
        harness_release(&harness);
    }
}

static void damaged_snapshots_are_refused(void **unused)
{
    (void)unused;
    enum { ROWS = 60 };
    static TestRow rows[ROWS];
    uint64_t state = 5;
    int64_t first_wm;
    random_rows(&state, rows, ROWS, 1000000, &first_wm);
    Harness harness;
    const int keys[] = { COLUMN_K, COLUMN_S };
    harness_init(&harness, &window_operator, 7);
    harness_aggregate(&harness, keys, 2, true);
    harness.node.aggregate.window.kind = WINDOW_TUMBLING;
    harness.node.aggregate.window.size_us = 50000000;
    harness.node.aggregate.trigger = TRIGGER_FINAL;
    harness_call(&harness, "max", COLUMN_S, -1, false);
    harness_call(&harness, "count", COLUMN_V, -1, true);
    harness_open(&harness);
    harness_feed(&harness, rows, ROWS, 7, first_wm, false);
    Text snapshot = { 0 };
    harness_snapshot(&harness, &snapshot);
    for (size_t i = 0; i < snapshot.length; i += 1 + snapshot.length / 300) {
        char *copy = malloc(snapshot.length);
        memcpy(copy, snapshot.bytes, snapshot.length);
        copy[i] ^= 0x41;
        Error *error = harness_try_restore(&harness, copy, snapshot.length);
        assert_non_null(error);
        error_free(error);
        error = harness_try_restore(&harness, snapshot.bytes, i); /* cut off */
        assert_non_null(error);
        error_free(error);
        free(copy);
    }
    no_error(harness_try_restore(&harness, snapshot.bytes, snapshot.length));
    text_release(&snapshot);
    harness_release(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(final_windows_equal_the_model),
        cmocka_unit_test(distinct_windows_equal_the_model),
        cmocka_unit_test(updates_converge),
        cmocka_unit_test(retractions_cancel),
        cmocka_unit_test(delay_gives_early_results),
        cmocka_unit_test(memory_stays_flat),
        cmocka_unit_test(sum_overflow_is_judged_on_the_final_value),
        cmocka_unit_test(damaged_snapshots_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

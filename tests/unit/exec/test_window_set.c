/* Open windows and the groups in them: order of time, reuse of memory, aggregates against a model, snapshots, failing memory. */
#include "tests/unit/common/unit.h"

#include "exec/window_set.h"

enum { COLUMN_KEY, COLUMN_NUMBER, COLUMN_TEXT, COLUMN_FLAG, COLUMNS };
enum { CALL_ROWS, CALL_SUM, CALL_MIN_TEXT, CALL_FLAGGED, CALL_DISTINCT, CALL_DISTINCT_FLAGGED, CALLS };
enum { KEYS = 40, NUMBERS = 25, ROWS = 900 };

typedef struct Fixture {
    Arena arena;
    MemoryPool pool;
    PlanNode source, node;
    PlanInput input;
    Column columns[COLUMNS];
    AggregateCall calls[CALLS];
    Aggregates aggregates;
    KeyLayout layout;
    KeyBatch keys;
} Fixture;

static void add_call(Fixture *f, const char *name, int column, int filter, bool distinct)
{
    AggregateCall *call = &f->calls[f->node.aggregate.call_count++];
    const Type *type = column >= 0 ? f->columns[column].type : NULL, *casts[FUNCTION_MAX_ARGS], *result;
    call->function = aggregate_resolve(&f->arena, name, &type, column >= 0, &result, casts, NULL);
    assert_non_null(call->function);
    call->arg_count = column >= 0;
    call->args[0] = column;
    call->filter = filter;
    call->distinct = distinct;
    call->type = result;
    call->name = name;
}

static int start(void **state)
{
    Fixture *f = *state = calloc(1, sizeof *f);
    static const TypeKind kinds[] = { TYPE_BIGINT, TYPE_BIGINT, TYPE_VARCHAR, TYPE_BOOLEAN };
    arena_init(&f->arena, NULL);
    pool_init(&f->pool, NULL, "windows", 0);
    for (int i = 0; i < COLUMNS; i++)
        f->columns[i] = (Column){ .name = "column", .type = type_scalar(kinds[i]) };
    f->source.schema = (Schema){ COLUMNS, f->columns };
    f->input.node = &f->source;
    f->node.inputs = &f->input;
    f->node.input_count = 1;
    f->node.aggregate.calls = f->calls;
    add_call(f, "count", -1, -1, false);
    add_call(f, "sum", COLUMN_NUMBER, -1, false);
    add_call(f, "min", COLUMN_TEXT, -1, false);
    add_call(f, "count", -1, COLUMN_FLAG, false);
    add_call(f, "count", COLUMN_NUMBER, -1, true);
    add_call(f, "count", COLUMN_NUMBER, COLUMN_FLAG, true);
    assert_fine(aggregates_open(&f->aggregates, &f->arena, &f->node, "", true, false));
    key_layout_init(&f->layout, &f->arena, &f->columns[COLUMN_KEY].type, 1);
    key_batch_init(&f->keys, &f->layout);
    return 0;
}
static int stop(void **state)
{
    Fixture *f = *state;
    aggregates_close(&f->aggregates);
    key_batch_release(&f->keys);
    bool left = f->pool.used_bytes != 0;
    arena_release(&f->arena);
    free(f);
    return left;
}

/* ---- what windows must hold ---- */

typedef struct Group {
    int64_t rows, sum, numbers, flagged;
    int least; /* the smallest text's number; -1 none */
    bool seen[NUMBERS], seen_flagged[NUMBERS];
} Group;
typedef struct ModelWindow {
    int64_t end_us;
    uint32_t key_count;
    int64_t keys[KEYS + 1]; /* in order of arrival; KEYS stands for NULL */
    Group groups[KEYS + 1];
} ModelWindow;

static Batch *random_batch(Fixture *f, uint32_t rows)
{
    Batch *batch = batch_for_schema(NULL, &f->source.schema, rows);
    for (uint32_t row = 0; row < rows; row++) {
        char text[40];
        Value key = { .type = f->columns[0].type, .integer = (int64_t)random_upto(KEYS - 1) }, number = { .type = f->columns[1].type, .integer = (int64_t)random_upto(NUMBERS - 1) };
        Value words = { .type = f->columns[2].type, .text = str_view(text, (size_t)sprintf(text, "%04d%s", (int)random_upto(99), random_upto(1) ? "" : " and a long tail")) };
        Value flag = { .type = f->columns[3].type, .integer = (int64_t)random_upto(1) };
        key.is_null = random_upto(30) == 0;
        number.is_null = random_upto(10) == 0;
        words.is_null = random_upto(10) == 0;
        flag.is_null = random_upto(10) == 0;
        const Value *values[] = { &key, &number, &words, &flag };
        for (int c = 0; c < COLUMNS; c++)
            vector_set(&batch->arena, batch->columns[c], row, values[c]);
    }
    batch->row_count = batch->selection.count = rows;
    return batch;
}

static void model_add(ModelWindow *model, const Batch *batch, uint32_t row, Arena *arena)
{
    Value key = vector_get(arena, batch->columns[0], row), number = vector_get(arena, batch->columns[1], row), text = vector_get(arena, batch->columns[2], row),
          flag = vector_get(arena, batch->columns[3], row);
    int64_t wanted = key.is_null ? KEYS : key.integer;
    uint32_t slot = 0;
    while (slot < model->key_count && model->keys[slot] != wanted)
        slot++;
    Group *group = &model->groups[slot];
    if (slot == model->key_count) {
        model->keys[model->key_count++] = wanted;
        *group = (Group){ .least = -1 };
    }
    bool flagged = !flag.is_null && flag.integer;
    group->rows++;
    group->flagged += flagged;
    if (!number.is_null) {
        group->numbers++;
        group->sum += number.integer;
        group->seen[number.integer] = true;
        group->seen_flagged[number.integer] |= flagged;
    }
    if (!text.is_null) {
        char copy[64] = "";
        memcpy(copy, str_bytes(&text.text), text.text.length);
        int least = atoi(copy) * 2 + (text.text.length > 4); /* the tail comes behind the bare number */
        if (group->least < 0 || least < group->least)
            group->least = least;
    }
}

static void feed(Fixture *f, KeyTable *keys, Groups *groups, const Batch *batch)
{
    static uint32_t rows[ROWS], slots[ROWS];
    Arena arena;
    arena_init(&arena, NULL);
    Evaluation evaluation = { .arena = &arena };
    for (uint32_t i = 0; i < batch->row_count; i++)
        rows[i] = i;
    key_batch_prepare(&f->keys, (const Vector *const *)batch->columns, batch->row_count, rows, batch->row_count);
    key_table_resolve(keys, &f->keys, rows, batch->row_count, slots);
    state_cover(&groups->state, keys->count);
    groups_update(&f->aggregates, groups, batch, rows, slots, batch->row_count, &evaluation);
    arena_release(&arena);
}

static int64_t count_of(const bool *seen)
{
    int64_t count = 0;
    for (int i = 0; i < NUMBERS; i++)
        count += seen[i];
    return count;
}

/* The groups with these keys hold what the model's window holds; the others nothing. */
static void assert_groups(Fixture *f, const KeyTable *keys, const Groups *groups, const ModelWindow *model)
{
    Arena arena;
    arena_init(&arena, NULL);
    Evaluation evaluation = { .arena = &arena };
    uint32_t found = 0;
    for (uint32_t slot = 0; slot < keys->count; slot++) {
        Vector *key = vector_new(&arena, f->columns[0].type, 1), *results[CALLS];
        key_table_gather(keys, &slot, 1, &key, 0, &arena);
        int64_t wanted = vector_is_null(key, 0) ? KEYS : *(int64_t *)key->values;
        uint32_t place = 0;
        while (place < model->key_count && model->keys[place] != wanted)
            place++;
        bool here = slot < groups->state.slot_count && state_has_chunk(&groups->state, slot >> STATE_CHUNK_BITS);
        if (place == model->key_count) {
            assert_true(!here || group_rows(&f->aggregates, state_entry(&groups->state, slot)) == 0);
            continue;
        }
        found++;
        assert_true(here);
        char *entry = state_entry(&groups->state, slot);
        const Group *group = &model->groups[place];
        for (int call = 0; call < CALLS; call++)
            results[call] = vector_new(&arena, f->calls[call].type, 3);
        assert_fine(groups_result(&f->aggregates, groups, &entry, &slot, 1, results, 2, NULL, NULL, &evaluation));
        const int64_t expected[CALLS] = { group->rows, group->sum, 0, group->flagged, count_of(group->seen), count_of(group->seen_flagged) };
        for (int call = 0; call < CALLS; call++) {
            Value value = vector_get(&arena, results[call], 2);
            if (call == CALL_MIN_TEXT) {
                char text[64] = "";
                if (group->least >= 0)
                    sprintf(text, "%04d%s", group->least / 2, group->least % 2 ? " and a long tail" : "");
                assert_int_equal(value.is_null, group->least < 0);
                if (!value.is_null)
                    assert_str(&value.text, text);
            } else if (call == CALL_SUM && !group->numbers) {
                assert_true(value.is_null);
            } else {
                int64_t got = type_physical(value.type) == PHYSICAL_INT128 ? (int64_t)value.decimal : value.integer;
                assert_false(value.is_null);
                if (got != expected[call])
                    fail_msg("call %d of key %lld: %lld instead of %lld", call, (long long)wanted, (long long)got, (long long)expected[call]);
            }
        }
        assert_int_equal(group_rows(&f->aggregates, entry), group->rows);
    }
    assert_int_equal(found, model->key_count);
    arena_release(&arena);
}

/* ---- the tests ---- */

static Error *restore(const WindowSet *from, WindowSet *to)
{
    Text snapshot = { 0 };
    container_write(&from->container, &snapshot);
    SnapshotReader reader = { snapshot.bytes, snapshot.length, 0 };
    Error *error = container_read(&to->container, &reader);
    text_release(&snapshot);
    return error;
}

static void windows_agree_with_the_model(void **state)
{
    Fixture *f = *state;
    enum { OPEN = 12 };
    ModelWindow *models = calloc(OPEN + 1, sizeof *models);
    for (int round = 0; round < 8; round++) {
        bool shared = round & 1;
        WindowSet set;
        int open = 0;
        window_set_init(&set, &f->pool, &f->layout, &f->aggregates, shared, round & 2);
        for (int step = 0; step < 150; step++) {
            int64_t end_us = random_between(-5, 5) * 10 + step * 3 / 10 * 10;
            int place = 0;
            while (place < open && models[place].end_us < end_us)
                place++;
            bool there = place < open && models[place].end_us == end_us;
            assert_int_equal(window_set_find(&set, end_us) != NULL, there);
            if (!there && open < OPEN) {
                memmove(models + place + 1, models + place, sizeof *models * (size_t)(open - place));
                memset(&models[place], 0, sizeof *models);
                models[place].end_us = end_us;
                open++;
                there = true;
            }
            if (there) {
                Window *window = window_set_open(&set, end_us);
                assert_true(window->end_us == end_us);
                assert_ptr_equal(window_set_find(&set, end_us), window);
                Batch *batch = random_batch(f, (uint32_t)random_between(1, step % 10 ? 30 : ROWS));
                Arena arena;
                arena_init(&arena, NULL);
                for (uint32_t row = 0; row < batch->row_count; row++)
                    model_add(&models[place], batch, row, &arena);
                arena_release(&arena);
                feed(f, shared ? &set.keys : &window->keys, &window->groups, batch);
                batch_release(batch);
            }
            if (open && random_upto(4) == 0) {
                window_set_drop_first(&set);
                memmove(models, models + 1, sizeof *models * (size_t)--open);
            }
            if (random_upto(9) == 0) {
                WindowSet fresh;
                window_set_init(&fresh, &f->pool, &f->layout, &f->aggregates, shared, round & 2);
                if (open)
                    set.windows[open - 1]->fired = true;
                assert_fine(restore(&set, &fresh));
                if (open)
                    assert_true(fresh.windows[open - 1]->fired);
                window_set_release(&set);
                set = fresh;
            }
            assert_int_equal(set.count, open);
            for (int i = 0; i < open; i++) {
                assert_true(set.windows[i]->end_us == models[i].end_us); /* in order of time */
                if (step % 5 == 0)
                    assert_groups(f, shared ? &set.keys : &set.windows[i]->keys, &set.windows[i]->groups, &models[i]);
            }
        }
        window_set_release(&set);
        assert_int_equal(f->pool.used_bytes, 0);
    }
    free(models);
}

static void memory_of_closed_windows_is_used_again(void **state)
{
    Fixture *f = *state;
    WindowSet set;
    int64_t after_two = 0;
    window_set_init(&set, &f->pool, &f->layout, &f->aggregates, false, false);
    for (int i = 0; i < 50; i++) {
        Window *window = window_set_open(&set, i * 10);
        assert_int_equal(window->keys.count, 0);
        assert_int_equal(window->groups.state.slot_count, 0);
        assert_false(window->fired);
        window->fired = true;
        Batch *batch = random_batch(f, ROWS);
        feed(f, &window->keys, &window->groups, batch);
        batch_release(batch);
        window_set_drop_first(&set);
        assert_int_equal(set.count, 0);
        if (i == 1)
            after_two = f->pool.used_bytes;
    }
    assert_true(f->pool.used_bytes <= after_two * 2);
    window_set_release(&set);
}

static void snapshots_of_another_kind_are_refused(void **state)
{
    Fixture *f = *state;
    WindowSet own, shared;
    window_set_init(&own, &f->pool, &f->layout, &f->aggregates, false, false);
    window_set_init(&shared, &f->pool, &f->layout, &f->aggregates, true, false);
    Window *window = window_set_open(&own, 0);
    Batch *batch = random_batch(f, 50);
    feed(f, &window->keys, &window->groups, batch);
    batch_release(batch);
    assert_error(restore(&own, &shared), "layout differs");
    state_cover(&window->groups.state, window->keys.count + 1); /* a group too many */
    WindowSet fresh;
    window_set_init(&fresh, &f->pool, &f->layout, &f->aggregates, false, false);
    assert_error(restore(&own, &fresh), "groups without keys");
    window_set_release(&fresh);
    window_set_release(&own);
    window_set_release(&shared);
}

/* ---- groups by themselves ---- */

static void groups_merge_and_move(void **state)
{
    Fixture *f = *state;
    f->node.aggregate.call_count = 3; /* those that merge by themselves */
    aggregates_close(&f->aggregates);
    assert_fine(aggregates_open(&f->aggregates, &f->arena, &f->node, "", true, false));
    KeyTable keys;
    Groups a, b;
    ModelWindow *model = calloc(1, sizeof *model);
    Arena arena;
    arena_init(&arena, NULL);
    key_table_init(&keys, &f->pool, &f->layout);
    groups_init(&a, &f->pool, &f->aggregates, false);
    groups_init(&b, &f->pool, &f->aggregates, false);
    for (int i = 0; i < 2; i++) {
        Batch *batch = random_batch(f, 400);
        for (uint32_t row = 0; row < batch->row_count; row++)
            model_add(model, batch, row, &arena);
        feed(f, &keys, i ? &b : &a, batch);
        batch_release(batch);
    }
    state_cover(&a.state, keys.count);
    state_cover(&b.state, keys.count);
    groups_merge(&f->aggregates, &a, 0, &b, 0, keys.count);
    Evaluation evaluation = { .arena = &arena };
    for (uint32_t slot = 0; slot < keys.count; slot++) { /* keys came in the model's order */
        Vector *results[3];
        char *entry = state_entry(&a.state, slot), text[64];
        for (int call = 0; call < 3; call++)
            results[call] = vector_new(&arena, f->calls[call].type, 1);
        assert_fine(groups_result(&f->aggregates, &a, &entry, &slot, 1, results, 0, NULL, NULL, &evaluation));
        Value rows = vector_get(&arena, results[0], 0), least = vector_get(&arena, results[2], 0);
        assert_int_equal(rows.integer, model->groups[slot].rows);
        sprintf(text, "%04d%s", model->groups[slot].least / 2, model->groups[slot].least % 2 ? " and a long tail" : "");
        assert_str(&least.text, text);
    }
    groups_forget(&a, 0);
    assert_int_equal(group_rows(&f->aggregates, state_entry(&a.state, 0)), 0);
    uint64_t live[] = { 0xAAAAAAAAAAAAAAAA, 0 };
    uint32_t remap[64], kept = 0, count = keys.count;
    for (uint32_t slot = 0; slot < count; slot++)
        if (slot & 1)
            remap[slot] = kept++;
    groups_keep(&f->aggregates, &a, live, remap, kept);
    for (uint32_t slot = 1; slot < count; slot += 2)
        assert_int_equal(group_rows(&f->aggregates, state_entry(&a.state, slot / 2)), model->groups[slot].rows);
    groups_clear(&a);
    assert_int_equal(a.state.slot_count, 0);
    groups_release(&a);
    groups_release(&b);
    key_table_release(&keys);
    arena_release(&arena);
    free(model);
}

typedef struct Attempt { Fixture *f; WindowSet *set; const Batch *batch; } Attempt;
static Error *open_and_feed(const Attempt *attempt)
{
    Window *window = window_set_open(attempt->set, 10);
    feed(attempt->f, &window->keys, &window->groups, attempt->batch);
    return NULL;
}

/* Whatever allocation fails, all that the set holds can be given back. */
static void sets_survive_failing_memory(void **state)
{
    Fixture *f = *state;
    Batch *batch = random_batch(f, 400);
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        WindowSet set;
        Error *error;
        window_set_init(&set, &f->pool, &f->layout, &f->aggregates, false, true);
        Attempt attempt = { f, &set, batch };
        memory_fail_at(n);
        MEMORY_GUARDED(error, open_and_feed(&attempt));
        memory_fail_at(0);
        failed = error != NULL;
        error_free(error);
        window_set_release(&set);
        assert_int_equal(f->pool.used_bytes, 0);
        assert_in_range(n, 1, 1000);
    }
    batch_release(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(windows_agree_with_the_model, start, stop),
        cmocka_unit_test_setup_teardown(memory_of_closed_windows_is_used_again, start, stop),
        cmocka_unit_test_setup_teardown(snapshots_of_another_kind_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(groups_merge_and_move, start, stop),
        cmocka_unit_test_setup_teardown(sets_survive_failing_memory, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

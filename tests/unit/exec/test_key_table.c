/* Key tables against a model that knows keys by their text: growth, collisions, NULLs, dropping keys, snapshots, failing memory. */
#include "tests/unit/common/unit.h"

#include <math.h>

#include "common/hash.h"
#include "exec/key_table.h"
#include "exec/value_bytes.h"

enum { MAX_COLUMNS = 4, ROWS = 300, MODEL_KEYS = 40000, MODEL_INDEX = 1 << 17 };

/* ---- the model: texts in order of arrival ---- */

typedef struct Model {
    char *keys[MODEL_KEYS];
    uint32_t count;
    uint32_t index[MODEL_INDEX]; /* slot + 1 */
} Model;

static uint32_t model_slot(Model *model, const char *key)
{
    uint32_t hash = 2166136261u;
    for (const char *p = key; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    uint32_t at = hash % MODEL_INDEX;
    for (; model->index[at]; at = (at + 1) % MODEL_INDEX)
        if (strcmp(model->keys[model->index[at] - 1], key) == 0)
            return model->index[at] - 1;
    assert_in_range(model->count, 0, MODEL_KEYS - 1);
    model->keys[model->count] = strdup(key);
    model->index[at] = ++model->count;
    return model->count - 1;
}
static void model_clear(Model *model)
{
    for (uint32_t i = 0; i < model->count; i++)
        free(model->keys[i]);
    memset(model, 0, sizeof *model);
}

/* The keys whose bit is set, in their order. */
static void model_keep(Model *model, const uint64_t *live)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->count; i++)
        if (bit_get(live, i))
            model->keys[kept++] = model->keys[i];
        else
            free(model->keys[i]);
    uint32_t count = kept;
    char **keys = malloc(sizeof *keys * (count + 1));
    memcpy(keys, model->keys, sizeof *keys * count);
    memset(model, 0, sizeof *model);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(model_slot(model, keys[i]), i);
        free(keys[i]);
    }
    free(keys);
}

/* ---- keys of all kinds ---- */

typedef struct Case {
    const char *name;
    int count;
    const Type *types[MAX_COLUMNS];
    KeyForm form;
} Case;

static Arena arena;
static Case cases[16];
static size_t case_count;

static void add_case(const char *name, KeyForm form, int count, const Type *a, const Type *b, const Type *c)
{
    cases[case_count++] = (Case){ name, count, { a, b, c }, form };
}

static void make_cases(void)
{
    static const char *const names[] = { "x", "y" };
    const Type *bigint = type_scalar(TYPE_BIGINT), *varchar = type_scalar(TYPE_VARCHAR), *number = type_scalar(TYPE_DOUBLE), *flag = type_scalar(TYPE_BOOLEAN);
    const Type *fields[] = { varchar, number };
    case_count = 0;
    add_case("none", KEY_GLOBAL, 0, NULL, NULL, NULL);
    add_case("BIGINT", KEY_WORD, 1, bigint, NULL, NULL);
    add_case("DOUBLE", KEY_WORD, 1, number, NULL, NULL);
    add_case("BOOLEAN", KEY_WORD, 1, flag, NULL, NULL);
    add_case("DECIMAL(10,2)", KEY_WORD, 1, type_decimal(&arena, 10, 2), NULL, NULL);
    add_case("DECIMAL(30,2)", KEY_WORDS, 1, type_decimal(&arena, 30, 2), NULL, NULL);
    add_case("INTERVAL", KEY_WORDS, 1, type_scalar(TYPE_INTERVAL), NULL, NULL);
    add_case("BIGINT, DOUBLE, BOOLEAN", KEY_WORDS, 3, bigint, number, flag);
    add_case("TIMESTAMP, INTERVAL, DECIMAL(38)", KEY_WORDS, 3, type_scalar(TYPE_TIMESTAMP), type_scalar(TYPE_INTERVAL), type_scalar(TYPE_DECIMAL));
    add_case("VARCHAR", KEY_TEXT, 1, varchar, NULL, NULL);
    add_case("BYTES", KEY_TEXT, 1, type_scalar(TYPE_BYTES), NULL, NULL);
    add_case("VARCHAR, VARCHAR", KEY_TEXT, 2, varchar, varchar, NULL);
    add_case("BIGINT, VARCHAR, DOUBLE", KEY_TEXT, 3, bigint, varchar, number);
    add_case("ARRAY<VARCHAR>", KEY_TEXT, 1, type_array(&arena, varchar), NULL, NULL);
    add_case("STRUCT<x VARCHAR, y DOUBLE>", KEY_TEXT, 1, type_struct(&arena, 2, names, fields), NULL, NULL);
}

static Value random_key(const Type *type, uint64_t variety)
{
    static const double numbers[] = { 0, -0.0, NAN, INFINITY, -INFINITY, 1.5 };
    Value value = { .type = type };
    uint64_t n = random_upto(variety);
    if (random_upto(20) == 0)
        return value_null(type);
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: value.integer = (int64_t)(n & 1); break;
    case PHYSICAL_INT64: value.integer = n % 3 == 0 ? (int64_t)n : n % 3 == 1 ? (int64_t)(n << 40) : -(int64_t)n; break;
    case PHYSICAL_DOUBLE: value.number = n < COUNT(numbers) ? numbers[n] : (double)n / 8; break;
    case PHYSICAL_INT128: value.decimal = (Int128)n << (n % 3 * 40); break;
    case PHYSICAL_INTERVAL: value.interval = (Interval){ (int64_t)(n % 7), (int64_t)n }; break;
    case PHYSICAL_STR: {
        const char *text = arena_printf(&arena, "%.*s%llu", (int)(n % 4 * 6), "some text that comes before", (unsigned long long)n);
        value.text = n == 0 ? str_c("") : str_c(text);
        break;
    }
    case PHYSICAL_ARRAY:
        value.nested.count = (uint32_t)(n % 3);
        value.nested.items = ARENA_ARRAY(&arena, Value, 3);
        for (uint32_t i = 0; i < value.nested.count; i++)
            value.nested.items[i] = random_key(type->children[0], variety / 2);
        break;
    case PHYSICAL_STRUCT:
        value.nested.count = (uint32_t)type->child_count;
        value.nested.items = ARENA_ARRAY(&arena, Value, (size_t)type->child_count);
        for (int i = 0; i < type->child_count; i++)
            value.nested.items[i] = random_key(type->children[i], 3);
        break;
    }
    return value;
}

/* -0.0 is 0.0 as a key. */
static void normalise(Value *value)
{
    if (value->is_null)
        return;
    if (value->type->kind == TYPE_DOUBLE && value->number == 0)
        value->number = 0;
    if (type_is_nested(value->type))
        for (uint32_t i = 0; i < value->nested.count; i++)
            normalise(&value->nested.items[i]);
}

static const char *key_text(const Vector *const columns[], int count, uint32_t row)
{
    Text text = { 0 };
    for (int i = 0; i < count; i++) {
        Value value = vector_get(&arena, columns[i], row);
        normalise(&value);
        value_print(&value, &text);
        text_add_c(&text, " | ");
    }
    const char *copy = arena_strdup(&arena, text_c(&text));
    text_release(&text);
    return copy;
}

/* ---- the machine under test ---- */

typedef struct Fixture {
    MemoryPool pool;
    KeyLayout layout;
    KeyBatch batch;
    KeyTable table;
    Model *model;
    const Case *keys;
} Fixture;

static void fixture_start(Fixture *f, const Case *keys)
{
    pool_init(&f->pool, NULL, "table", 0);
    key_layout_init(&f->layout, &arena, keys->types, keys->count);
    key_batch_init(&f->batch, &f->layout);
    key_table_init(&f->table, &f->pool, &f->layout);
    f->model = calloc(1, sizeof *f->model);
    f->keys = keys;
    assert_int_equal(f->layout.form, keys->form);
}
static void fixture_stop(Fixture *f)
{
    key_batch_release(&f->batch);
    key_table_release(&f->table);
    assert_int_equal(f->pool.used_bytes, 0);
    model_clear(f->model);
    free(f->model);
}

/* Vectors of random keys; some of them constant. */
static uint32_t random_columns(const Case *keys, uint64_t variety, const Vector *columns[])
{
    uint32_t rows = (uint32_t)random_between(1, ROWS);
    for (int i = 0; i < keys->count; i++) {
        if (random_upto(9) == 0) {
            Value value = random_key(keys->types[i], variety);
            columns[i] = vector_constant(&arena, &value);
            continue;
        }
        Vector *vector = vector_new(&arena, keys->types[i], rows);
        for (uint32_t row = 0; row < rows; row++) {
            Value value = random_key(keys->types[i], variety);
            vector_set(&arena, vector, row, &value);
        }
        columns[i] = vector;
    }
    return rows;
}

static uint32_t random_rows(uint32_t row_count, uint32_t *rows)
{
    uint32_t count = 0, skip = (uint32_t)random_upto(3);
    for (uint32_t row = 0; row < row_count; row++)
        if (skip == 0 || random_upto(skip) != 0)
            rows[count++] = row;
    return count;
}

static void assert_slots(Fixture *f, const Vector *const columns[], const uint32_t *rows, uint32_t count, const uint32_t *slots)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *key = f->keys->count ? key_text(columns, f->keys->count, rows[i]) : "";
        uint32_t expected = model_slot(f->model, key);
        if (slots[i] != expected)
            fail_msg("%s: key %s has slot %u instead of %u", f->keys->name, key, slots[i], expected);
    }
    assert_int_equal(f->table.count, f->model->count);
}

/* Every slot gives its key back. */
static void assert_keys(Fixture *f)
{
    uint32_t slots[ROWS];
    for (uint32_t first = 0; first < f->table.count; first += ROWS) {
        uint32_t count = f->table.count - first < ROWS ? f->table.count - first : ROWS;
        Vector *columns[MAX_COLUMNS];
        for (uint32_t i = 0; i < count; i++)
            slots[i] = first + (i * 7 + 3) % count; /* some order, repetitions allowed */
        for (int i = 0; i < f->keys->count; i++)
            columns[i] = vector_new(&arena, f->keys->types[i], count + 1);
        for (int i = 0; i < f->keys->count; i++) { /* row 0 is somebody else's */
            Value null = value_null(f->keys->types[i]);
            vector_set(&arena, columns[i], 0, &null);
        }
        key_table_gather(&f->table, slots, count, columns, 1, &arena);
        for (uint32_t i = 0; i < count && f->keys->count; i++)
            assert_string_equal(key_text((const Vector *const *)columns, f->keys->count, i + 1), f->model->keys[slots[i]]);
    }
}

static void feed(Fixture *f, uint64_t variety)
{
    const Vector *columns[MAX_COLUMNS];
    uint32_t rows[ROWS], slots[ROWS], row_count = random_columns(f->keys, variety, columns), count = random_rows(row_count, rows);
    key_batch_prepare(&f->batch, columns, row_count, rows, count);
    key_table_resolve(&f->table, &f->batch, rows, count, slots);
    assert_slots(f, columns, rows, count, slots);
}

static void restore_into_another(Fixture *f)
{
    Text snapshot = { 0 };
    container_write(&f->table.container, &snapshot);
    KeyTable fresh;
    key_table_init(&fresh, &f->pool, &f->layout);
    hash_seed += 0x1234567; /* the next process has another one */
    SnapshotReader reader = { snapshot.bytes, snapshot.length, 0 };
    assert_fine(container_read(&fresh.container, &reader));
    assert_int_equal(reader.offset, snapshot.length);
    key_table_release(&f->table);
    f->table = fresh;
    Text again = { 0 };
    container_write(&f->table.container, &again);
    assert_int_equal(again.length, snapshot.length);
    assert_memory_equal(again.bytes, snapshot.bytes, again.length);
    text_release(&snapshot);
    text_release(&again);
}

static void drop_some(Fixture *f)
{
    uint32_t count = f->table.count, *remap = malloc(sizeof *remap * (count + 1)), expected = 0;
    uint64_t *live = calloc(bitmap_words(count) + 1, 8);
    uint64_t share = random_upto(3); /* none to most of them stay */
    for (uint32_t slot = 0; slot < count; slot++)
        if (random_upto(3) < share)
            bit_set(live, slot);
    key_table_keep(&f->table, live, remap);
    for (uint32_t slot = 0; slot < count; slot++)
        if (bit_get(live, slot))
            assert_int_equal(remap[slot], expected++);
    model_keep(f->model, live);
    assert_int_equal(f->table.count, f->model->count);
    free(remap);
    free(live);
}

static void tables_agree_with_the_model(void **state)
{
    (void)state;
    for (size_t c = 0; c < case_count; c++)
        for (uint64_t variety = 3; variety < 100000; variety = variety * 30) {
            Fixture f;
            fixture_start(&f, &cases[c]);
            for (int step = 0; step < 40; step++) {
                feed(&f, variety);
                uint64_t what = random_upto(19);
                if (what == 0) {
                    key_table_clear(&f.table);
                    model_clear(f.model);
                } else if (what == 1) {
                    restore_into_another(&f);
                } else if (what == 2) {
                    drop_some(&f);
                }
                if (step % 10 == 9)
                    assert_keys(&f);
            }
            fixture_stop(&f);
        }
}

/* All keys on one place of the index, and with one tag. */
static void keys_with_one_hash_are_told_apart(void **state)
{
    (void)state;
    for (size_t c = 1; c < case_count; c++) {
        if (cases[c].form == KEY_WORD)
            continue;
        Fixture f;
        fixture_start(&f, &cases[c]);
        for (int step = 0; step < 8; step++) {
            const Vector *columns[MAX_COLUMNS];
            uint32_t rows[ROWS], slots[ROWS], row_count = random_columns(&cases[c], 2000, columns), count = random_rows(row_count, rows);
            key_batch_prepare(&f.batch, columns, row_count, rows, count);
            for (uint32_t i = 0; i < count; i++)
                f.batch.hashes[rows[i]] = ~0ull << 20; /* the last place of every index */
            key_table_resolve(&f.table, &f.batch, rows, count, slots);
            assert_slots(&f, columns, rows, count, slots);
        }
        assert_keys(&f);
        fixture_stop(&f);
    }
    /* Words are hashed by the table itself: take those whose hash ends alike. */
    Fixture f;
    fixture_start(&f, &cases[1]);
    Vector *vector = vector_new(&arena, cases[1].types[0], ROWS);
    const Vector *columns[] = { vector };
    uint32_t rows[ROWS], slots[ROWS], count = 0;
    for (uint64_t word = 0; count < ROWS; word++)
        if ((hash_u64(word) & 0xFFF) == 0xFFF)
            ((int64_t *)vector->values)[count] = (int64_t)word, rows[count] = count, count++;
    for (int round = 0; round < 2; round++) {
        key_batch_prepare(&f.batch, columns, ROWS, rows, count);
        key_table_resolve(&f.table, &f.batch, rows, count, slots);
        assert_slots(&f, columns, rows, count, slots);
    }
    assert_keys(&f);
    fixture_stop(&f);
}

/* A key's hash is the same whichever rows are prepared with it. */
static void hashes_do_not_depend_on_the_other_rows(void **state)
{
    (void)state;
    for (size_t c = 1; c < case_count; c++) {
        Fixture f;
        fixture_start(&f, &cases[c]);
        const Vector *columns[MAX_COLUMNS];
        uint32_t rows[ROWS], row_count = random_columns(&cases[c], 50, columns);
        uint64_t hashes[ROWS];
        for (uint32_t i = 0; i < row_count; i++)
            rows[i] = i;
        key_batch_prepare(&f.batch, columns, row_count, rows, row_count);
        memcpy(hashes, f.batch.hashes, sizeof *hashes * row_count);
        for (uint32_t i = 0; i < row_count; i++) {
            key_batch_prepare(&f.batch, columns, row_count, &i, 1);
            assert_true(f.batch.hashes[i] == hashes[i]);
        }
        fixture_stop(&f);
    }
}

static void tables_grow_to_many_keys(void **state)
{
    (void)state;
    enum { KEYS = 3000000, STEP = 2000 };
    static const TypeKind kinds[] = { TYPE_BIGINT, TYPE_VARCHAR };
    for (size_t k = 0; k < COUNT(kinds); k++) {
        Case one = { "many", 1, { type_scalar(kinds[k]) }, k ? KEY_TEXT : KEY_WORD };
        Fixture f;
        Arena texts;
        arena_init(&texts, NULL);
        fixture_start(&f, &one);
        Vector *vector = vector_new(&arena, one.types[0], STEP);
        const Vector *columns[] = { vector };
        static uint32_t rows[STEP], slots[STEP];
        uint32_t keys = k ? KEYS / 10 : KEYS;
        for (uint32_t round = 0; round < 2; round++) /* the second time all are known */
            for (uint32_t first = 0; first < keys; first += STEP) {
                for (uint32_t i = 0; i < STEP; i++) {
                    uint64_t key = (uint64_t)(first + i) * 0x9E3779B9u; /* no two alike */
                    rows[i] = i;
                    if (k == 0) {
                        ((int64_t *)vector->values)[i] = (int64_t)key;
                    } else {
                        char text[40];
                        int length = sprintf(text, "key %llu of many", (unsigned long long)key);
                        ((Str *)vector->values)[i] = str_view(arena_strndup(&texts, text, (size_t)length), (size_t)length);
                    }
                }
                key_batch_prepare(&f.batch, columns, STEP, rows, STEP);
                key_table_resolve(&f.table, &f.batch, rows, STEP, slots);
                for (uint32_t i = 0; i < STEP; i++)
                    if (slots[i] != first + i)
                        fail_msg("key %u has slot %u", first + i, slots[i]);
                arena_reset(&texts); /* the table has its own copies */
            }
        assert_int_equal(f.table.count, keys);
        assert_true(f.pool.used_bytes >= (int64_t)key_table_bytes(&f.table));
        assert_true(key_table_bytes(&f.table) < (size_t)keys * 8 * 16); /* bounded by a few words a key */
        fixture_stop(&f);
        arena_release(&texts);
    }
}

/* State is divided anew by keys alone: not by slots, seeds, or who else is in the table. */
static void partitions_follow_the_key_alone(void **state)
{
    (void)state;
    enum { PARTITIONS = 16 };
    Text scratch = { 0 };
    for (size_t c = 0; c < case_count; c++) {
        Fixture f, other;
        fixture_start(&f, &cases[c]);
        fixture_start(&other, &cases[c]);
        for (int i = 0; i < 20; i++)
            feed(&f, 300);
        /* The same keys, backwards, in another table. */
        Vector *columns[4];
        for (int k = 0; k < cases[c].count; k++)
            columns[k] = vector_new(&arena, cases[c].types[k], f.table.count);
        uint32_t *slots = arena_alloc(&arena, sizeof *slots * (f.table.count + 1)), *rows = arena_alloc(&arena, sizeof *rows * (f.table.count + 1));
        for (uint32_t i = 0; i < f.table.count; i++) {
            slots[i] = f.table.count - 1 - i;
            rows[i] = i;
        }
        key_table_gather(&f.table, slots, f.table.count, columns, 0, &arena);
        key_batch_prepare(&other.batch, (const Vector *const *)columns, f.table.count, rows, f.table.count);
        uint32_t *found = arena_alloc(&arena, sizeof *found * (f.table.count + 1)), counts[PARTITIONS] = { 0 };
        key_table_resolve(&other.table, &other.batch, rows, f.table.count, found);
        restore_into_another(&f);
        for (uint32_t i = 0; i < f.table.count; i++) {
            uint32_t partition = key_table_partition(&f.table, slots[i], PARTITIONS, &scratch);
            assert_true(partition < PARTITIONS);
            assert_int_equal(partition, key_table_partition(&other.table, found[i], PARTITIONS, &scratch));
            counts[partition]++;
        }
        for (int p = 0; p < PARTITIONS && f.table.count >= 200; p++)
            assert_true(counts[p] > 0 && counts[p] < f.table.count / 4);
        fixture_stop(&f);
        fixture_stop(&other);
    }
    text_release(&scratch);
}

/* ---- what may go wrong ---- */

static void damaged_snapshots_are_refused(void **state)
{
    (void)state;
    for (size_t c = 0; c < case_count; c++) {
        Fixture f;
        Text snapshot = { 0 };
        fixture_start(&f, &cases[c]);
        for (int i = 0; i < 5; i++)
            feed(&f, 100);
        container_write(&f.table.container, &snapshot);
        for (int round = 0; round < 300; round++) {
            char *bytes = malloc(snapshot.length);
            memcpy(bytes, snapshot.bytes, snapshot.length);
            size_t length = round & 1 ? random_upto(snapshot.length - 1) : snapshot.length;
            if (!(round & 1))
                bytes[random_upto(length - 1)] ^= (char)(1 << random_upto(7));
            KeyTable table;
            key_table_init(&table, &f.pool, &f.layout);
            SnapshotReader reader = { bytes, length, 0 };
            Error *error = container_read(&table.container, &reader);
            assert_non_null(error);
            assert_int_equal(error->code, ERR_IO);
            error_free(error);
            key_table_release(&table);
            free(bytes);
        }
        const Case *other = &cases[(c + 1) % case_count]; /* of other keys, though whole */
        KeyLayout layout;
        KeyTable table;
        key_layout_init(&layout, &arena, other->types, other->count);
        key_table_init(&table, &f.pool, &layout);
        SnapshotReader reader = { snapshot.bytes, snapshot.length, 0 };
        assert_error(container_read(&table.container, &reader), "another plan");
        key_table_release(&table);
        text_release(&snapshot);
        fixture_stop(&f);
    }
}

typedef struct Job { Fixture *f; const Vector *const *columns; const uint32_t *rows; uint32_t row_count, count, *slots; } Job;
static Error *resolve_job(const Job *job)
{
    key_batch_prepare(&job->f->batch, job->columns, job->row_count, job->rows, job->count);
    key_table_resolve(&job->f->table, &job->f->batch, job->rows, job->count, job->slots);
    return NULL;
}

/* Without memory the table stays one that can be used and released. */
static void tables_survive_failing_memory(void **state)
{
    (void)state;
    for (size_t c = 0; c < case_count; c++) {
        const Vector *columns[MAX_COLUMNS];
        uint32_t rows[ROWS], slots[ROWS], row_count = random_columns(&cases[c], 100000, columns), count = random_rows(row_count, rows);
        bool failed = true;
        for (int64_t n = 1; failed; n++) {
            Fixture f;
            Error *error;
            fixture_start(&f, &cases[c]);
            Job job = { &f, columns, rows, row_count, count, slots };
            memory_fail_at(n);
            MEMORY_GUARDED(error, resolve_job(&job));
            memory_fail_at(0);
            failed = error != NULL;
            error_free(error);
            assert_fine(resolve_job(&job));
            assert_slots(&f, columns, rows, count, slots);
            assert_keys(&f);
            fixture_stop(&f);
            assert_in_range(n, 1, 1000);
        }
    }
}

static int start(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    make_cases();
    return 0;
}
static int stop(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables_agree_with_the_model, start, stop),
        cmocka_unit_test_setup_teardown(keys_with_one_hash_are_told_apart, start, stop),
        cmocka_unit_test_setup_teardown(hashes_do_not_depend_on_the_other_rows, start, stop),
        cmocka_unit_test_setup_teardown(tables_grow_to_many_keys, start, stop),
        cmocka_unit_test_setup_teardown(partitions_follow_the_key_alone, start, stop),
        cmocka_unit_test_setup_teardown(damaged_snapshots_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(tables_survive_failing_memory, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

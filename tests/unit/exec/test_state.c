/* State containers against models: columns of slots, heaps of strings, DISTINCT pairs, shrinking MIN and MAX, stored rows. */
#include "tests/unit/common/unit.h"

#include <math.h>

#include "exec/ordered_sets.h"
#include "exec/pair_set.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/state_columns.h"

static Arena arena;
static MemoryPool pool;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    pool_init(&pool, NULL, "state", 0);
    return 0;
}
static int stop(void **state)
{
    (void)state;
    arena_release(&arena);
    return pool.used_bytes != 0; /* whatever a test did, all of it was given back */
}

static Error *write_and_read(const Container *from, Container *to)
{
    Text snapshot = { 0 };
    container_write(from, &snapshot);
    SnapshotReader reader = { snapshot.bytes, snapshot.length, 0 };
    Error *error = container_read(to, &reader);
    if (!error)
        assert_int_equal(reader.offset, snapshot.length);
    Text again = { 0 };
    container_write(to, &again);
    if (!error) {
        assert_int_equal(again.length, snapshot.length);
        assert_memory_equal(again.bytes, snapshot.bytes, snapshot.length);
    }
    text_release(&snapshot);
    text_release(&again);
    return error;
}

static const char *random_text(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    char text[400];
    size_t length = random_upto(random_upto(3) ? 20 : 300);
    for (size_t i = 0; i < length; i++)
        text[i] = letters[random_upto(25)];
    return arena_strndup(&arena, text, length);
}

/* ---- columns of slots ---- */

typedef struct Entry { int64_t number; double fraction; const char *text; Int128 big; } Entry; /* layout "ldsx" */
enum { MAX_SLOTS = 3 * STATE_CHUNK };

static void write_entry(StateColumns *columns, uint32_t slot, Entry *model)
{
    char *at = state_touch_one(columns, slot);
    model->number = (int64_t)random_bits();
    model->fraction = (double)random_upto(1000) / 8;
    model->big = (Int128)random_bits() << 40;
    model->text = random_text();
    memcpy(at, &model->number, 8);
    memcpy(at + 8, &model->fraction, 8);
    Str previous, next = str_c(model->text), stored;
    memcpy(&previous, at + 16, 16);
    stored = state_heap_store(&columns->heap, &next, &previous);
    memcpy(at + 16, &stored, 16);
    memcpy(at + 32, &model->big, 16);
}

static void assert_entry(const StateColumns *columns, uint32_t slot, const Entry *model)
{
    Entry zero = { .text = "" };
    if (!state_has_chunk(columns, slot >> STATE_CHUNK_BITS)) { /* only SPARSE ones may be absent */
        assert_true(columns->sparse);
        assert_memory_equal(&model->number, &zero.number, 8);
        return;
    }
    const char *at = state_entry(columns, slot);
    Str text;
    memcpy(&text, at + 16, 16);
    assert_memory_equal(at, &model->number, 8);
    assert_memory_equal(at + 8, &model->fraction, 8);
    assert_str(&text, model->text);
    assert_memory_equal(at + 32, &model->big, 16);
}

static void slots_keep_their_entries(void **state)
{
    (void)state;
    assert_int_equal(state_layout_width("ldsx"), 48);
    assert_int_equal(state_layout_width(""), 0);
    Entry *model = calloc(MAX_SLOTS, sizeof *model);
    uint32_t *remap = malloc(sizeof *remap * MAX_SLOTS);
    for (int round = 0; round < 12; round++) {
        StateColumns columns;
        uint32_t count = 0;
        state_init(&columns, &pool, "ldsx", round & 1);
        for (int step = 0; step < 60; step++) {
            uint64_t what = random_upto(19);
            if (count < MAX_SLOTS - 2000 && what < 6) {
                uint32_t more = (uint32_t)random_upto(random_upto(1) ? 30 : 2000);
                for (uint32_t slot = count; slot < count + more; slot++)
                    model[slot] = (Entry){ .text = "" };
                count += more;
                state_cover(&columns, count);
                state_cover(&columns, count / 2); /* never fewer */
            }
            for (int i = 0; i < 200 && count; i++) {
                uint32_t slot = (uint32_t)random_upto(count - 1);
                if (random_upto(3)) {
                    write_entry(&columns, slot, &model[slot]);
                } else {
                    state_zero(&columns, slot);
                    model[slot] = (Entry){ .text = "" };
                }
            }
            if (what == 10) { /* all slots go */
                state_clear(&columns);
                count = 0;
            } else if (what == 11) {
                uint64_t *live = calloc(bitmap_words(MAX_SLOTS), 8);
                uint32_t kept = 0, share = (uint32_t)random_upto(3);
                for (uint32_t slot = 0; slot < count; slot++)
                    if (random_upto(3) < share) {
                        bit_set(live, slot);
                        remap[slot] = kept;
                        model[kept++] = model[slot];
                    }
                state_keep(&columns, live, remap, kept);
                count = kept;
                free(live);
            } else if (what == 12) {
                StateColumns fresh;
                state_init(&fresh, &pool, "ldsx", round & 1);
                assert_fine(write_and_read(&columns.container, &fresh.container));
                state_release(&columns);
                columns = fresh;
            }
            assert_int_equal(columns.slot_count, count);
            for (uint32_t slot = 0; slot < count; slot++)
                assert_entry(&columns, slot, &model[slot]);
            assert_true(pool.used_bytes >= (int64_t)state_bytes(&columns));
        }
        state_release(&columns);
        assert_int_equal(pool.used_bytes, 0);
    }
    free(model);
    free(remap);
}

static void sparse_chunks_cost_nothing_until_touched(void **state)
{
    (void)state;
    StateColumns columns;
    state_init(&columns, &pool, "l", true);
    state_cover(&columns, 100 * STATE_CHUNK);
    size_t before = state_bytes(&columns);
    assert_true(before <= STATE_CHUNK * 8);
    *(int64_t *)state_touch_one(&columns, 50 * STATE_CHUNK + 7) = 5;
    assert_int_equal(state_bytes(&columns), before + STATE_CHUNK * 8);
    assert_true(state_has_chunk(&columns, 50) && !state_has_chunk(&columns, 49));
    assert_int_equal(*(int64_t *)state_entry(&columns, 50 * STATE_CHUNK + 6), 0);
    StateColumns fresh;
    state_init(&fresh, &pool, "l", true);
    assert_fine(write_and_read(&columns.container, &fresh.container));
    assert_int_equal(*(int64_t *)state_entry(&fresh, 50 * STATE_CHUNK + 7), 5);
    assert_false(state_has_chunk(&fresh, 49));
    StateColumns dense;
    state_init(&dense, &pool, "l", false);
    assert_error(write_and_read(&columns.container, &dense.container), "chunk is missing");
    state_release(&dense);
    state_init(&dense, &pool, "ll", true);
    assert_error(write_and_read(&columns.container, &dense.container), "layout differs");
    state_release(&dense);
    state_release(&fresh);
    state_release(&columns);
}

/* ---- heaps ---- */

static void heaps_hold_strings_and_reuse_rooms(void **state)
{
    (void)state;
    enum { STRINGS = 300 };
    StateHeap heap;
    Str stored[STRINGS] = { { 0 } };
    const char *model[STRINGS];
    for (int i = 0; i < STRINGS; i++)
        model[i] = "";
    state_heap_init(&heap, &pool);
    int64_t after_warm_up = 0;
    for (int step = 0; step < 60000; step++) {
        int i = (int)random_upto(STRINGS - 1);
        if (random_upto(9) == 0) {
            state_heap_drop(&heap, &stored[i]);
            stored[i] = str_c("");
            model[i] = "";
        } else {
            model[i] = random_text();
            Str value = str_c(model[i]);
            stored[i] = state_heap_store(&heap, &value, random_upto(1) || stored[i].length ? &stored[i] : NULL);
        }
        if (step % 1000 == 0) {
            for (int j = 0; j < STRINGS; j++) {
                assert_str(&stored[j], model[j]);
                model[j] = strdup(model[j]);
            }
            arena_reset(&arena); /* the heap has its own bytes */
            for (int j = 0; j < STRINGS; j++) {
                char *copy = (char *)(uintptr_t)model[j];
                model[j] = arena_strdup(&arena, copy);
                free(copy);
            }
        }
        if (step == 20000)
            after_warm_up = pool.used_bytes;
    }
    assert_true(pool.used_bytes <= after_warm_up * 2); /* rooms that were given back are used again */
    state_heap_clear(&heap);
    assert_true(pool.used_bytes <= 256 << 10); /* one block stays */
    Str copy = state_heap_copy(&heap, "a string of more than twelve bytes", 34), small = state_heap_copy(&heap, "short", 5);
    assert_str(&copy, "a string of more than twelve bytes");
    assert_str(&small, "short");
    char *huge = malloc(1 << 20);
    memset(huge, 'h', 1 << 20);
    copy = state_heap_copy(&heap, huge, 1 << 20);
    assert_memory_equal(copy.pointer, huge, 1 << 20);
    free(huge);
    state_heap_release(&heap);
}

/* ---- DISTINCT ---- */

enum { GROUPS = 20, VALUES = 40, BITS = 3 };

static void pairs_are_counted_once(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; variant++) { /* counted or not, chained or not */
        bool counted = variant & 1, chained = variant & 2;
        const Type *types[] = { variant == 1 ? type_scalar(TYPE_BIGINT) : type_scalar(TYPE_VARCHAR) };
        PairLayout layout;
        PairSet set;
        PairScratch scratch;
        pair_layout_init(&layout, &arena, types, 1, BITS, counted, chained);
        pair_set_init(&set, &pool, &layout);
        pair_scratch_init(&scratch, &layout);
        static int64_t model[GROUPS][VALUES][BITS];
        memset(model, 0, sizeof model);
        uint32_t groups = GROUPS;
        for (int step = 0; step < 400; step++) {
            enum { ROWS = 60 };
            Vector *vector = vector_new(&arena, types[0], ROWS);
            const Vector *columns[] = { vector };
            uint32_t rows[ROWS], slots[ROWS], count = 0, values[ROWS];
            uint64_t masks[ROWS], changed[ROWS];
            uint8_t kinds[ROWS];
            for (uint32_t row = 0; row < ROWS; row++) {
                uint32_t value = (uint32_t)random_upto(VALUES - 1), group = (uint32_t)random_upto(groups - 1);
                Value as = { .type = types[0] };
                if (types[0]->kind == TYPE_BIGINT)
                    as.integer = (int64_t)value << 33;
                else
                    as.text = str_c(arena_printf(&arena, "the distinct value %u", value));
                vector_set(&arena, vector, row, &as);
                kinds[row] = ROW_INSERT;
                uint64_t mask = random_upto((1 << BITS) - 1);
                if (!mask || random_upto(3) == 0)
                    continue;
                if (counted && !chained && random_upto(2) == 0) { /* take back what is there */
                    bool there = true;
                    for (int bit = 0; bit < BITS; bit++) {
                        int64_t taken = 0;
                        for (uint32_t i = 0; i < count; i++)
                            taken += slots[i] == group && values[rows[i]] == value && (masks[i] >> bit & 1) && kinds[rows[i]] == ROW_DELETE;
                        there = there && (!(mask >> bit & 1) || model[group][value][bit] > taken);
                    }
                    if (there)
                        kinds[row] = ROW_DELETE;
                }
                rows[count] = row;
                slots[count] = group;
                values[row] = value;
                masks[count++] = mask;
            }
            if (!count)
                continue;
            pair_set_add(&set, &scratch, columns, ROWS, rows, slots, count, masks, kinds, changed);
            for (uint32_t i = 0; i < count; i++) {
                int64_t *counts = model[slots[i]][values[rows[i]]];
                uint64_t expected = 0;
                for (int bit = 0; bit < BITS; bit++) {
                    if (!(masks[i] >> bit & 1))
                        continue;
                    if (kinds[rows[i]] == ROW_DELETE)
                        expected |= (uint64_t)(--counts[bit] == 0) << bit;
                    else
                        expected |= (uint64_t)(counts[bit]++ == 0) << bit;
                }
                if (changed[i] != expected)
                    fail_msg("variant %d: changed %llx instead of %llx", variant, (unsigned long long)changed[i], (unsigned long long)expected);
            }
            uint64_t what = random_upto(19);
            if (what == 0) {
                PairSet fresh;
                pair_set_init(&fresh, &pool, &layout);
                assert_fine(write_and_read(&set.container, &fresh.container));
                pair_set_release(&set);
                set = fresh;
            } else if (what == 1 && !chained) { /* every other group goes, the others move down */
                uint64_t live = 0;
                uint32_t remap[GROUPS], kept = 0;
                for (uint32_t group = 0; group < GROUPS; group++)
                    if (random_upto(1)) {
                        bit_set(&live, group);
                        remap[group] = kept;
                        memmove(model[kept++], model[group], sizeof model[0]);
                    }
                memset(model[kept], 0, sizeof model[0] * (GROUPS - kept));
                pair_set_renumber(&set, &scratch, &live, remap);
            } else if (what <= 4 && chained) {
                uint32_t group = (uint32_t)random_upto(GROUPS - 1);
                pair_set_drop(&set, group);
                memset(model[group], 0, sizeof model[group]);
                if (what == 3)
                    pair_set_renumber(&set, &scratch, NULL, NULL);
                pair_set_compact(&set, &scratch);
            }
            for (uint32_t group = 0; chained && group < GROUPS; group++) { /* the list of a group is what the model has */
                uint32_t pairs, expected = 0, *numbers = pair_set_of_slot(&set, group, &arena, &pairs);
                for (uint32_t value = 0; value < VALUES; value++)
                    for (int bit = 0, seen = 0; bit < BITS; bit++)
                        if (model[group][value][bit] && !seen)
                            expected++, seen = 1;
                assert_int_equal(pairs, expected);
                for (uint32_t i = 0; i < pairs; i++)
                    assert_true(pair_set_bits(&set, numbers[i]) != 0);
            }
            if (step % 50 == 49)
                arena_reset(&arena), pair_layout_init(&layout, &arena, types, 1, BITS, counted, chained);
        }
        pair_set_clear(&set);
        pair_set_release(&set);
        pair_scratch_release(&scratch);
        assert_int_equal(pool.used_bytes, 0);
    }
}

typedef struct Renumbering { PairSet *set; PairScratch *scratch; } Renumbering;
static Error *renumber(const Renumbering *work)
{
    pair_set_renumber(work->set, work->scratch, NULL, NULL);
    return NULL;
}

/* A set is rebuilt beside the old one; without memory neither is lost. */
static void pairs_survive_failing_memory(void **state)
{
    (void)state;
    enum { PAIRS = 3000 };
    const Type *types[] = { type_scalar(TYPE_VARCHAR) };
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        PairLayout layout;
        PairSet set;
        PairScratch scratch;
        Error *error;
        static uint32_t rows[PAIRS], slots[PAIRS];
        static uint64_t masks[PAIRS], changed[PAIRS];
        pair_layout_init(&layout, &arena, types, 1, 1, false, true);
        pair_set_init(&set, &pool, &layout);
        pair_scratch_init(&scratch, &layout);
        Vector *vector = vector_new(&arena, types[0], PAIRS);
        for (uint32_t i = 0; i < PAIRS; i++) {
            Value value = { .type = types[0], .text = str_c(arena_printf(&arena, "the distinct value %u", i)) };
            vector_set(&arena, vector, i, &value);
            rows[i] = i;
            slots[i] = i % 10;
            masks[i] = 1;
        }
        pair_set_add(&set, &scratch, (const Vector *const[]){ vector }, PAIRS, rows, slots, PAIRS, masks, NULL, changed);
        pair_set_drop(&set, 3);
        Renumbering work = { &set, &scratch };
        memory_fail_at(n);
        MEMORY_GUARDED(error, renumber(&work));
        memory_fail_at(0);
        failed = error != NULL;
        error_free(error);
        for (uint32_t slot = 0; slot < 10; slot++) {
            uint32_t count;
            pair_set_of_slot(&set, slot, &arena, &count);
            assert_int_equal(count, slot == 3 ? 0 : PAIRS / 10);
        }
        assert_int_equal(set.keys.count, failed ? PAIRS : PAIRS / 10 * 9);
        pair_set_release(&set);
        pair_scratch_release(&scratch);
        assert_int_equal(pool.used_bytes, 0);
        arena_reset(&arena);
    }
}

/* ---- MIN and MAX that shrink ---- */

static int64_t rank_of(const Value *value) { return value->type->kind == TYPE_VARCHAR ? strtol(str_bytes(&value->text) + 6, NULL, 10) : value->type->kind == TYPE_DOUBLE ? (isnan(value->number) ? 1000 : (int64_t)value->number) : value->integer; }

static void ordered_sets_know_their_ends(void **state)
{
    (void)state;
    static const TypeKind kinds[] = { TYPE_BIGINT, TYPE_DOUBLE, TYPE_VARCHAR };
    enum { SLOTS = 12, RANGE = 30 };
    for (size_t k = 0; k < COUNT(kinds); k++) {
        const Type *type = type_scalar(kinds[k]);
        OrderedSets sets;
        static int64_t model[SLOTS][RANGE];
        memset(model, 0, sizeof model);
        ordered_sets_init(&sets, &pool, type);
        for (int step = 0; step < 20000; step++) {
            uint32_t slot = (uint32_t)random_upto(SLOTS - 1);
            int64_t which = (int64_t)random_upto(RANGE - 1);
            Value value = { .type = type };
            if (type->kind == TYPE_BIGINT)
                value.integer = which;
            else if (type->kind == TYPE_DOUBLE)
                value.number = (double)which;
            else
                value.text = str_c(arena_printf(&arena, "value %03d that has a tail", (int)which));
            bool away = model[slot][which] && random_upto(1);
            ordered_sets_add(&sets, slot, vector_constant(&arena, &value), 17, away ? -1 : 1);
            model[slot][which] += away ? -1 : 1;
            Value null = value_null(type);
            ordered_sets_add(&sets, slot, vector_constant(&arena, &null), 0, 1); /* NULL counts for nothing */
            if (step % 100 == 0) {
                uint64_t what = random_upto(9);
                if (what == 0) {
                    OrderedSets fresh;
                    ordered_sets_init(&fresh, &pool, type);
                    assert_fine(write_and_read(&sets.container, &fresh.container));
                    ordered_sets_release(&sets);
                    sets = fresh;
                } else if (what == 1) {
                    uint64_t live = 0;
                    uint32_t remap[SLOTS], kept = 0;
                    for (uint32_t s = 0; s < SLOTS; s++)
                        if (random_upto(2)) {
                            bit_set(&live, s);
                            remap[s] = kept;
                            memmove(model[kept++], model[s], sizeof model[0]);
                        }
                    memset(model[kept], 0, sizeof model[0] * (SLOTS - kept));
                    ordered_sets_keep(&sets, &live, remap, kept);
                }
                arena_reset(&arena);
            }
            for (uint32_t s = 0; s < SLOTS; s++) {
                int64_t low = -1, high = -1;
                for (int64_t v = 0; v < RANGE; v++)
                    if (model[s][v]) {
                        low = low < 0 ? v : low;
                        high = v;
                    }
                for (int largest = 0; largest < 2; largest++) {
                    const OrderedNode *node = ordered_sets_end(&sets, s, largest);
                    assert_int_equal(node != NULL, low >= 0);
                    if (!node)
                        continue;
                    Vector *out = vector_new(&arena, type, 3);
                    ordered_sets_put(&sets, node, out, 2, &arena);
                    Value got = vector_get(&arena, out, 2);
                    assert_int_equal(rank_of(&got), largest ? high : low);
                    assert_int_equal(node->count, model[s][largest ? high : low]);
                }
            }
        }
        ordered_sets_release(&sets);
        assert_int_equal(pool.used_bytes, 0);
    }
}

/* ---- rows ---- */

static void rows_are_stored_and_given_back(void **state)
{
    (void)state;
    enum { ROWS = 500 };
    static const char *const names[] = { "x" };
    Arena rows_arena; /* of the batches, while `arena` holds the store's layout */
    const Type *field[] = { type_scalar(TYPE_DOUBLE) };
    Column columns[] = { { .name = "a", .type = type_scalar(TYPE_BIGINT) }, { .name = "b", .type = type_scalar(TYPE_VARCHAR) }, { .name = "c", .type = type_scalar(TYPE_BOOLEAN) },
                         { .name = "d", .type = type_decimal(&arena, 30, 2) }, { .name = "e", .type = type_array(&arena, type_struct(&arena, 1, names, field)) } };
    Schema schema = { COUNT(columns), columns };
    RowStore store;
    struct { bool used; uint64_t seed; int64_t own; char key[48]; } model[ROWS] = { { 0 } };
    row_store_init(&store, &arena, &pool, &schema, 1);
    arena_init(&rows_arena, NULL);
    uint32_t live = 0;
    for (int step = 0; step < 5000; step++) {
        uint32_t number = (uint32_t)random_upto(ROWS - 1);
        if (model[number].used && random_upto(1)) {
            row_store_free(&store, number);
            model[number].used = false;
            live--;
        } else if (live < ROWS - 1) {
            uint64_t seed = random_bits();
            Batch *batch = batch_for_schema(NULL, &schema, 4);
            Value inner[] = { { .type = field[0], .number = (double)(seed % 100) } };
            Value item[] = { { .type = columns[4].type->children[0], .nested = { inner, 1 } }, value_null(columns[4].type->children[0]) };
            Value values[] = { { .type = columns[0].type, .integer = (int64_t)seed }, { .type = columns[1].type, .text = str_c(arena_printf(&batch->arena, "text with number %d", (int)(seed % 1000))) },
                               { .type = columns[2].type, .integer = seed & 1 }, { .type = columns[3].type, .decimal = (Int128)seed * 1000 }, { .type = columns[4].type, .nested = { item, 2 } } };
            for (int c = 0; c < 5; c++) {
                Value null = value_null(columns[c].type);
                vector_set(&batch->arena, batch->columns[c], 0, &null);
                vector_set(&batch->arena, batch->columns[c], 1, seed % 7 == (uint64_t)c ? &null : &values[c]);
            }
            batch->row_count = batch->selection.count = 2;
            char text[48];
            snprintf(text, sizeof text, "sort key %0*d", (int)(seed % 20), (int)(seed % 50));
            Str key = str_c(text);
            uint32_t made = row_store_add(&store, batch, 1, &key);
            batch_release(batch);
            assert_in_range(made, 0, ROWS - 1);
            assert_false(model[made].used);
            model[made].used = true;
            model[made].seed = seed;
            model[made].own = *row_store_own(&store, made) = (int64_t)(seed >> 3);
            strcpy(model[made].key, text);
            live++;
        }
        if (step % 500 == 250) {
            RowStore fresh;
            row_store_init_like(&fresh, &store);
            assert_fine(write_and_read(&store.container, &fresh.container));
            row_store_release(&store);
            store = fresh;
        }
        if (step % 100)
            continue;
        uint32_t numbers[ROWS], count = 0;
        for (uint32_t i = 0; i < ROWS; i++)
            if (model[i].used)
                numbers[count++] = i;
        Vector *out[5];
        for (int c = 0; c < 5; c++)
            out[c] = vector_new(&rows_arena, columns[c].type, count + 1);
        for (int c = 0; c < 5; c++) {
            Value null = value_null(columns[c].type);
            vector_set(&rows_arena, out[c], 0, &null);
        }
        assert_fine(row_store_gather(&store, numbers, count, out, 1, &rows_arena));
        for (uint32_t i = 0; i < count; i++) {
            uint64_t seed = model[numbers[i]].seed;
            assert_int_equal(*row_store_own(&store, numbers[i]), model[numbers[i]].own);
            assert_str(row_store_key(&store, numbers[i]), model[numbers[i]].key);
            for (int c = 0; c < 5; c++)
                assert_int_equal(vector_is_null(out[c], i + 1), seed % 7 == (uint64_t)c);
            if (seed % 7 != 0)
                assert_true(((int64_t *)out[0]->values)[i + 1] == (int64_t)seed);
            if (seed % 7 != 1) {
                char text[48];
                snprintf(text, sizeof text, "text with number %d", (int)(seed % 1000));
                assert_str(&((Str *)out[1]->values)[i + 1], text);
            }
            if (seed % 7 != 2)
                assert_int_equal(((uint8_t *)out[2]->values)[i + 1], seed & 1);
            if (seed % 7 != 3)
                assert_true(((Int128 *)out[3]->values)[i + 1] == (Int128)seed * 1000);
            if (seed % 7 != 4) {
                Value list = vector_get(&rows_arena, out[4], i + 1);
                assert_int_equal(list.nested.count, 2);
                assert_true(list.nested.items[1].is_null);
                assert_true(list.nested.items[0].nested.items[0].number == (double)(seed % 100));
            }
        }
        arena_reset(&rows_arena);
    }
    row_store_clear(&store);
    assert_int_equal(store.count, 0);
    row_store_release(&store);
    arena_release(&rows_arena);
}

static void scalars_are_written_and_read(void **state)
{
    (void)state;
    int64_t values[] = { 1, INT64_MIN, -7 }, others[3] = { 0 };
    Scalars from, to, fewer;
    scalars_init(&from, &pool, values, 3);
    scalars_init(&to, &pool, others, 3);
    assert_fine(write_and_read(&from.container, &to.container));
    assert_memory_equal(values, others, sizeof values);
    scalars_init(&fewer, &pool, others, 2);
    Error *error = write_and_read(&from.container, &fewer.container);
    assert_non_null(error);
    error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slots_keep_their_entries, start, stop),
        cmocka_unit_test_setup_teardown(sparse_chunks_cost_nothing_until_touched, start, stop),
        cmocka_unit_test_setup_teardown(heaps_hold_strings_and_reuse_rooms, start, stop),
        cmocka_unit_test_setup_teardown(pairs_are_counted_once, start, stop),
        cmocka_unit_test_setup_teardown(pairs_survive_failing_memory, start, stop),
        cmocka_unit_test_setup_teardown(ordered_sets_know_their_ends, start, stop),
        cmocka_unit_test_setup_teardown(rows_are_stored_and_given_back, start, stop),
        cmocka_unit_test_setup_teardown(scalars_are_written_and_read, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

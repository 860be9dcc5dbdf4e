/* exec/key_table.c: see key_table.h. */
#include "exec/key_table.h"
#include "common/hash.h"
#include "exec/value_bytes.h"
#include <string.h>

enum { PREFETCH_DISTANCE = 16, PREFETCH_FROM_BYTES = 256 << 10 };

/* ---- layout ---- */

static bool is_word(PhysicalType physical)
{
    return physical == PHYSICAL_INT64 || physical == PHYSICAL_DOUBLE || physical == PHYSICAL_BOOL;
}

static bool is_fixed(PhysicalType physical)
{
    return is_word(physical) || physical == PHYSICAL_INT128 || physical == PHYSICAL_INTERVAL;
}

void key_layout_init(KeyLayout *layout, Arena *arena, const Type *const types[], int count)
{
    *layout = (KeyLayout){ .column_count = count, .types = arena_alloc(arena, sizeof(*types) * (size_t)(count + 1)) };
    bool fixed = count <= 64;
    uint32_t words = 1;
    Text signature = { 0 };
    MEMORY_HOLD(text_unwind, &signature);
    for (int i = 0; i < count; i++) {
        layout->types[i] = types[i];
        PhysicalType physical = type_physical(types[i]);
        fixed = fixed && is_fixed(physical);
        words += is_word(physical) ? 1 : 2;
        type_print(types[i], &signature);
        text_add_char(&signature, ';');
    }
    if (count == 0)
        layout->form = KEY_GLOBAL;
    else if (count == 1 && is_word(type_physical(types[0])))
        layout->form = KEY_WORD;
    else if (fixed)
        layout->form = KEY_WORDS;
    else
        layout->form = KEY_TEXT;
    layout->width = words * 8;
    layout->encoded = count != 1 || type_physical(types[0]) != PHYSICAL_STR;
    layout->fingerprint = checksum_bytes(text_c(&signature), signature.length);
    text_release(&signature);
}

/* ---- the keys of a batch ---- */

void key_batch_init(KeyBatch *batch, const KeyLayout *layout) { *batch = (KeyBatch){ .layout = layout }; }

void key_batch_release(KeyBatch *batch)
{
    mem_free(batch->hashes);
    mem_free(batch->own_words);
    mem_free(batch->own_texts);
    mem_free(batch->rows);
    mem_free(batch->own_nulls);
    text_release(&batch->encoded);
    key_batch_init(batch, batch->layout);
}

static void key_batch_grow(KeyBatch *batch, uint32_t row_count)
{
    uint32_t capacity = batch->capacity ? batch->capacity : 64;
    while (capacity < row_count)
        capacity *= 2;
    batch->capacity = 0; /* until all of it is there */
    batch->hashes = mem_realloc(batch->hashes, sizeof(uint64_t) * capacity);
    batch->own_nulls = mem_realloc(batch->own_nulls, sizeof(uint64_t) * bitmap_words(capacity));
    switch (batch->layout->form) {
    case KEY_GLOBAL: break;
    case KEY_WORD: batch->own_words = mem_realloc(batch->own_words, sizeof(uint64_t) * capacity); break;
    case KEY_WORDS: batch->rows = mem_realloc(batch->rows, (size_t)batch->layout->width * capacity); break;
    case KEY_TEXT: batch->own_texts = mem_realloc(batch->own_texts, sizeof(Str) * capacity); break;
    }
    batch->capacity = capacity;
}

/* The 64 bits that stand for a value of a word type. */
static inline uint64_t word_at(const Vector *vector, PhysicalType physical, uint32_t row)
{
    if (physical == PHYSICAL_INT64)
        return ((const uint64_t *)vector->values)[row];
    if (physical == PHYSICAL_DOUBLE)
        return double_key_bits(((const double *)vector->values)[row]);
    return ((const uint8_t *)vector->values)[row] != 0;
}

/* Marks the NULL rows of a single key column. */
static void mark_nulls(KeyBatch *batch, const Vector *vector, uint32_t row_count, const uint32_t *rows, uint32_t count)
{
    batch->null_rows = NULL;
    if (!vector->validity)
        return;
    memset(batch->own_nulls, 0, sizeof(uint64_t) * bitmap_words(row_count));
    for (uint32_t i = 0; i < count; i++)
        if (vector_is_null(vector, rows[i])) {
            bit_set(batch->own_nulls, rows[i]);
            batch->null_rows = batch->own_nulls;
        }
}

static void prepare_word(KeyBatch *batch, const Vector *vector, uint32_t row_count, const uint32_t *rows, uint32_t count)
{
    PhysicalType physical = type_physical(vector->type);
    mark_nulls(batch, vector, row_count, rows, count);
    if (vector->encoding == VECTOR_FLAT && physical == PHYSICAL_INT64) {
        batch->words = vector->values;
    } else {
        uint32_t mask = vector_mask(vector);
        for (uint32_t i = 0; i < count; i++)
            batch->own_words[rows[i]] = word_at(vector, physical, rows[i] & mask);
        batch->words = batch->own_words;
    }
    const uint64_t *words = batch->words;
    uint64_t *hashes = batch->hashes;
    for (uint32_t i = 0; i < count; i++)
        hashes[rows[i]] = hash_u64(words[rows[i]]);
}

static void prepare_words(KeyBatch *batch, const Vector *const columns[], const uint32_t *rows, uint32_t count)
{
    const KeyLayout *layout = batch->layout;
    size_t width = layout->width;
    for (uint32_t i = 0; i < count; i++)
        memset(batch->rows + rows[i] * width, 0, 8);
    size_t offset = 8;
    for (int column = 0; column < layout->column_count; column++) {
        const Vector *vector = columns[column];
        PhysicalType physical = type_physical(layout->types[column]);
        uint32_t mask = vector_mask(vector);
        char *to = batch->rows + offset;
        if (physical == PHYSICAL_INT64 && !vector->validity)
            for (uint32_t i = 0; i < count; i++)
                memcpy(to + rows[i] * width, (const char *)vector->values + 8 * (size_t)(rows[i] & mask), 8);
        else
            for (uint32_t i = 0; i < count; i++) {
                size_t at = rows[i] * width, words = is_word(physical) ? 8 : 16;
                if (vector_is_null(vector, rows[i])) {
                    uint64_t nulls;
                    memcpy(&nulls, batch->rows + at, 8);
                    nulls |= 1ull << column;
                    memcpy(batch->rows + at, &nulls, 8);
                    memset(to + at, 0, words);
                } else if (words == 8) {
                    uint64_t word = word_at(vector, physical, rows[i] & mask);
                    memcpy(to + at, &word, 8);
                } else {
                    memcpy(to + at, (const char *)vector->values + 16 * (size_t)(rows[i] & mask), 16);
                }
            }
        offset += is_word(physical) ? 8 : 16;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *key = batch->rows + rows[i] * width;
        uint64_t hash = 0, word;
        for (size_t at = 0; at < width; at += 8) {
            memcpy(&word, key + at, 8);
            hash = hash_combine(hash, hash_u64(word));
        }
        batch->hashes[rows[i]] = hash ^ hash >> 32;
    }
}

static void prepare_text(KeyBatch *batch, const Vector *const columns[], uint32_t row_count, const uint32_t *rows, uint32_t count)
{
    batch->null_rows = NULL;
    if (!batch->layout->encoded) {
        mark_nulls(batch, columns[0], row_count, rows, count);
        if (columns[0]->encoding == VECTOR_FLAT) {
            batch->texts = columns[0]->values;
        } else {
            for (uint32_t i = 0; i < count; i++)
                batch->own_texts[rows[i]] = *(const Str *)columns[0]->values;
            batch->texts = batch->own_texts;
        }
    } else {
        Text *bytes = &batch->encoded;
        bytes->length = 0;
        for (uint32_t i = 0; i < count; i++) { /* offsets first: the text moves while it grows */
            size_t start = bytes->length;
            for (int column = 0; column < batch->layout->column_count; column++)
                bytes_put(bytes, columns[column], rows[i], true);
            batch->hashes[rows[i]] = start;
            batch->own_texts[rows[i]].length = (uint32_t)(bytes->length - start);
        }
        for (uint32_t i = 0; i < count; i++)
            batch->own_texts[rows[i]] = str_view(bytes->bytes + batch->hashes[rows[i]], batch->own_texts[rows[i]].length);
        batch->texts = batch->own_texts;
    }
    for (uint32_t i = 0; i < count; i++)
        batch->hashes[rows[i]] = hash_str(&batch->texts[rows[i]]);
}

void key_batch_prepare(KeyBatch *batch, const Vector *const columns[], uint32_t row_count, const uint32_t *rows, uint32_t count)
{
    if (batch->capacity < row_count)
        key_batch_grow(batch, row_count);
    switch (batch->layout->form) {
    case KEY_GLOBAL: break;
    case KEY_WORD: prepare_word(batch, columns[0], row_count, rows, count); break;
    case KEY_WORDS: prepare_words(batch, columns, rows, count); break;
    case KEY_TEXT: prepare_text(batch, columns, row_count, rows, count); break;
    }
}

/* ---- the table ---- */

static const ContainerType key_table_type;

void key_table_init(KeyTable *table, MemoryPool *pool, const KeyLayout *layout)
{
    *table = (KeyTable){ .container = { &key_table_type, pool }, .layout = layout };
    state_heap_init(&table->heap, pool);
    state_heap_init(&table->leaving, pool);
}

void key_table_release(KeyTable *table)
{
    MemoryPool *pool = table->container.pool;
    state_block_free(pool, table->index, table->index_bytes);
    state_block_free(pool, table->keys, table->keys_bytes);
    state_block_free(pool, table->hashes, table->hashes_bytes);
    state_heap_release(&table->heap);
    state_heap_release(&table->leaving);
    key_table_init(table, pool, table->layout);
}

void key_table_clear(KeyTable *table)
{
    if (table->index)
        memset(table->index, 0, table->index_bytes);
    state_heap_clear(&table->heap);
    table->count = 0;
    table->null_slot = 0;
}

size_t key_table_bytes(const KeyTable *table) { return table->index_bytes + table->keys_bytes + table->hashes_bytes; }

static size_t key_width(const KeyTable *table)
{
    switch (table->layout->form) {
    case KEY_GLOBAL: return 0;
    case KEY_WORD: return 8;
    case KEY_WORDS: return table->layout->width;
    case KEY_TEXT: return sizeof(Str);
    }
    return 0;
}

#define INDEX_ENTRY(hash, slot) (((hash) >> 32 << 32) | ((slot) + 1u))

static inline size_t entry_bytes(const KeyTable *table) { return table->layout->form == KEY_WORD ? sizeof(WordEntry) : 8; }

/* Puts a slot into an index where its key is not yet. */
static inline void index_put(uint64_t *index, size_t mask, uint64_t hash, uint32_t slot)
{
    size_t at = hash & mask;
    while (index[at])
        at = (at + 1) & mask;
    index[at] = INDEX_ENTRY(hash, slot);
}

static void fill_words(KeyTable *table)
{
    const uint64_t *keys = table->keys;
    const size_t mask = table->index_mask;
    for (uint32_t slot = 0; slot < table->count; slot++) {
        if (slot + PREFETCH_DISTANCE < table->count)
            __builtin_prefetch(&table->words[hash_u64(keys[slot + PREFETCH_DISTANCE]) & mask], 1);
        if (slot + 1 == table->null_slot)
            continue;
        size_t at = hash_u64(keys[slot]) & mask;
        while (table->words[at].slot)
            at = (at + 1) & mask;
        table->words[at] = (WordEntry){ keys[slot], slot + 1 };
    }
}

static void fill_index(KeyTable *table)
{
    for (uint32_t slot = 0; slot < table->count; slot++) {
        if (slot + PREFETCH_DISTANCE < table->count)
            __builtin_prefetch(&table->index[table->hashes[slot + PREFETCH_DISTANCE] & table->index_mask], 1);
        if (slot + 1 != table->null_slot)
            index_put(table->index, table->index_mask, table->hashes[slot], slot);
    }
}

static void index_rebuild(KeyTable *table, size_t entries)
{
    MemoryPool *pool = table->container.pool;
    size_t bytes = entries * entry_bytes(table);
    if (table->index_bytes != bytes) {
        uint64_t *index = state_block_new(pool, bytes);
        state_block_free(pool, table->index, table->index_bytes);
        table->index = index;
        table->index_bytes = bytes;
        table->index_mask = entries - 1;
    }
    memset(table->index, 0, table->index_bytes);
    if (table->layout->form == KEY_WORD)
        fill_words(table);
    else
        fill_index(table);
}

static inline bool has_hashes(const KeyTable *table) { return table->layout->form != KEY_WORD; }

/* Room for one more key. */
static void table_grow(KeyTable *table)
{
    MemoryPool *pool = table->container.pool;
    size_t width = key_width(table), needed = (size_t)table->count + 1;
    if (table->keys_bytes < needed * width)
        table->keys = state_block_grow(pool, table->keys, &table->keys_bytes, table->count * width, needed * width);
    if (has_hashes(table) && table->hashes_bytes < needed * 8)
        table->hashes = state_block_grow(pool, table->hashes, &table->hashes_bytes, (size_t)table->count * 8, needed * 8);
    size_t entries = table->index ? table->index_mask + 1 : 0;
    if (needed * 2 >= entries)
        index_rebuild(table, entries ? entries * 2 : 64);
}

/* Where the keys have no room for one more, a call makes it; `at` is then found again. */
static inline bool table_full(const KeyTable *table, size_t width)
{
    size_t needed = (size_t)table->count + 1;
    return needed * 2 > table->index_mask || needed * width > table->keys_bytes ||
           (has_hashes(table) && needed * 8 > table->hashes_bytes);
}

static uint32_t add_null(KeyTable *table)
{
    if (!table->null_slot) {
        if (table_full(table, key_width(table)))
            table_grow(table);
        if (table->layout->form == KEY_WORD)
            ((uint64_t *)table->keys)[table->count] = 0;
        else
            ((Str *)table->keys)[table->count] = str_view("", 0);
        if (table->hashes)
            table->hashes[table->count] = 0;
        table->null_slot = ++table->count;
    }
    return table->null_slot - 1;
}

/* The probing loop, once a form: `same` compares the key at `slot` with the row's, `add` stores the row's key there. */
#define RESOLVE_LOOP(width, is_null, same, add)                                                        \
    bool far = table->index_bytes > PREFETCH_FROM_BYTES;                                              \
    for (uint32_t i = 0; i < count; i++) {                                                            \
        uint32_t row = rows[i];                                                                       \
        if (far && i + PREFETCH_DISTANCE < count)                                                     \
            __builtin_prefetch(&table->index[hashes[rows[i + PREFETCH_DISTANCE]] & table->index_mask], 1); \
        if (is_null) {                                                                                \
            slots[i] = add_null(table);                                                               \
            continue;                                                                                 \
        }                                                                                             \
        uint64_t hash = hashes[row];                                                                  \
        size_t at = hash & table->index_mask;                                                         \
        uint32_t tag = (uint32_t)(hash >> 32), slot;                                                  \
        for (;;) {                                                                                    \
            uint64_t entry = table->index[at];                                                        \
            slot = (uint32_t)entry - 1;                                                               \
            if (__builtin_expect(entry == 0, 0)) {                                                    \
                if (table_full(table, width)) {                                                       \
                    table_grow(table);                                                                \
                    at = hash & table->index_mask;                                                    \
                    while (table->index[at])                                                          \
                        at = (at + 1) & table->index_mask;                                            \
                    far = table->index_bytes > PREFETCH_FROM_BYTES;                                   \
                }                                                                                     \
                slot = table->count;                                                                  \
                add;                                                                                  \
                table->hashes[slot] = hash;                                                           \
                table->index[at] = INDEX_ENTRY(hash, slot);                                           \
                table->count++;                                                                       \
                break;                                                                                \
            }                                                                                         \
            if (entry >> 32 == tag && (same))                                                         \
                break;                                                                                \
            at = (at + 1) & table->index_mask;                                                        \
        }                                                                                             \
        slots[i] = slot;                                                                              \
    }

/* A key that is new to a WORD table. */
static __attribute__((noinline)) uint32_t add_word(KeyTable *table, uint64_t word, uint64_t hash)
{
    if (table_full(table, 8))
        table_grow(table);
    size_t at = hash & table->index_mask;
    while (table->words[at].slot)
        at = (at + 1) & table->index_mask;
    uint32_t slot = table->count++;
    ((uint64_t *)table->keys)[slot] = word;
    table->words[at] = (WordEntry){ word, slot + 1 };
    return slot;
}

static void resolve_word(KeyTable *table, const KeyBatch *batch, const uint32_t *rows, uint32_t count, uint32_t slots[])
{
    const uint64_t *words = batch->words, *hashes = batch->hashes, *nulls = batch->null_rows;
    for (uint32_t i = 0; i < count; i++) {
        const WordEntry *entries = table->words; /* both change when a key is added */
        const size_t mask = table->index_mask;
        const uint32_t row = rows[i];
        if (i + PREFETCH_DISTANCE < count)
            __builtin_prefetch(&entries[hashes[rows[i + PREFETCH_DISTANCE]] & mask], 1);
        if (nulls && bit_get(nulls, row)) {
            slots[i] = add_null(table);
            continue;
        }
        const uint64_t word = words[row], hash = hashes[row];
        size_t at = hash & mask;
        while (entries[at].key != word && entries[at].slot)
            at = (at + 1) & mask;
        /* An empty entry has key 0: the slot decides. */
        slots[i] = __builtin_expect(entries[at].slot != 0, 1) ? (uint32_t)entries[at].slot - 1 : add_word(table, word, hash);
    }
}

static inline bool words_equal(const char *a, const char *b, size_t width)
{
    uint64_t difference = 0, x, y;
    for (size_t at = 0; at < width; at += 8) {
        memcpy(&x, a + at, 8);
        memcpy(&y, b + at, 8);
        difference |= x ^ y;
    }
    return difference == 0;
}

static void resolve_words(KeyTable *table, const KeyBatch *batch, const uint32_t *rows, uint32_t count, uint32_t slots[])
{
    const uint64_t *hashes = batch->hashes;
    const size_t width = table->layout->width;
    RESOLVE_LOOP(width, false, words_equal((const char *)table->keys + slot * width, batch->rows + row * width, width),
                 memcpy((char *)table->keys + slot * width, batch->rows + row * width, width))
}

static void resolve_text(KeyTable *table, const KeyBatch *batch, const uint32_t *rows, uint32_t count, uint32_t slots[])
{
    const uint64_t *hashes = batch->hashes, *nulls = batch->null_rows;
    const Str *texts = batch->texts;
    RESOLVE_LOOP(sizeof(Str), nulls && bit_get(nulls, row), str_equal((const Str *)table->keys + slot, &texts[row]),
                 ((Str *)table->keys)[slot] = state_heap_copy(&table->heap, str_bytes(&texts[row]), texts[row].length))
}

void key_table_resolve(KeyTable *table, const KeyBatch *batch, const uint32_t *rows, uint32_t count, uint32_t slots[])
{
    if (count == 0)
        return;
    if (!table->index && table->layout->form != KEY_GLOBAL)
        table_grow(table);
    switch (table->layout->form) {
    case KEY_GLOBAL:
        memset(slots, 0, sizeof(*slots) * count);
        table->count = 1;
        break;
    case KEY_WORD: resolve_word(table, batch, rows, count, slots); break;
    case KEY_WORDS: resolve_words(table, batch, rows, count, slots); break;
    case KEY_TEXT: resolve_text(table, batch, rows, count, slots); break;
    }
}

/* ---- reading keys back ---- */

static Str copy_to_arena(Arena *arena, const Str *str)
{
    return str->length <= STR_INLINE ? *str : str_view(arena_copy(arena, str->pointer, str->length), str->length);
}

static void put_word(Vector *vector, PhysicalType physical, uint32_t row, uint64_t word)
{
    if (physical == PHYSICAL_BOOL)
        ((uint8_t *)vector->values)[row] = (uint8_t)word;
    else
        ((uint64_t *)vector->values)[row] = word;
}

static void gather_words(const KeyTable *table, const uint32_t *slots, uint32_t count, Vector *const columns[], uint32_t first,
                         Arena *arena)
{
    size_t offset = 8;
    for (int column = 0; column < table->layout->column_count; column++) {
        PhysicalType physical = type_physical(table->layout->types[column]);
        for (uint32_t i = 0; i < count; i++) {
            const char *key = (const char *)table->keys + (size_t)slots[i] * table->layout->width;
            uint64_t nulls, word;
            memcpy(&nulls, key, 8);
            if (nulls >> column & 1) {
                vector_set_null(arena, columns[column], first + i);
            } else if (is_word(physical)) {
                memcpy(&word, key + offset, 8);
                put_word(columns[column], physical, first + i, word);
            } else {
                memcpy((char *)columns[column]->values + 16 * (size_t)(first + i), key + offset, 16);
            }
        }
        offset += is_word(physical) ? 8 : 16;
    }
}

void key_table_gather(const KeyTable *table, const uint32_t *slots, uint32_t count, Vector *const columns[], uint32_t first,
                      Arena *arena)
{
    switch (table->layout->form) {
    case KEY_GLOBAL: return;
    case KEY_WORD: {
        PhysicalType physical = type_physical(table->layout->types[0]);
        const uint64_t *words = table->keys;
        if (physical == PHYSICAL_BOOL)
            for (uint32_t i = 0; i < count; i++)
                put_word(columns[0], physical, first + i, words[slots[i]]);
        else
            for (uint32_t i = 0; i < count; i++)
                ((uint64_t *)columns[0]->values)[first + i] = words[slots[i]];
        break;
    }
    case KEY_WORDS: gather_words(table, slots, count, columns, first, arena); return;
    case KEY_TEXT:
        for (uint32_t i = 0; i < count; i++) {
            const Str *key = (const Str *)table->keys + slots[i];
            if (!table->layout->encoded) {
                ((Str *)columns[0]->values)[first + i] = copy_to_arena(arena, key);
                continue;
            }
            const char *next = str_bytes(key), *end = next + key->length;
            for (int column = 0; column < table->layout->column_count; column++) {
                Value value;
                Error *error = bytes_get(arena, table->layout->types[column], &next, end, &value);
                if (error) { /* a snapshot with a valid checksum and nonsense in a key */
                    error_free(error);
                    value = value_null(table->layout->types[column]);
                }
                vector_put_value(arena, columns[column], first + i, &value);
            }
        }
        if (table->layout->encoded)
            return;
        break;
    }
    if (table->null_slot)
        for (uint32_t i = 0; i < count; i++)
            if (slots[i] + 1 == table->null_slot)
                vector_set_null(arena, columns[0], first + i);
}

/* ---- dropping keys ---- */

void key_table_keep(KeyTable *table, const uint64_t *live, uint32_t *remap)
{
    size_t width = key_width(table);
    uint32_t kept = 0, null_slot = 0;
    bool texts = table->layout->form == KEY_TEXT;
    if (texts) { /* strings move to a new heap */
        state_heap_release(&table->leaving);
        table->leaving = table->heap;
        state_heap_init(&table->heap, table->container.pool);
    }
    for (uint32_t slot = 0; slot < table->count; slot++) {
        if (!bit_get(live, slot))
            continue;
        if (texts) {
            const Str *key = (const Str *)table->keys + slot;
            ((Str *)table->keys)[kept] = state_heap_copy(&table->heap, str_bytes(key), key->length);
        } else if (width) {
            memmove((char *)table->keys + kept * width, (const char *)table->keys + slot * width, width);
        }
        if (table->hashes)
            table->hashes[kept] = table->hashes[slot];
        if (slot + 1 == table->null_slot)
            null_slot = kept + 1;
        remap[slot] = kept++;
    }
    state_heap_release(&table->leaving);
    table->count = kept;
    table->null_slot = null_slot;
    size_t entries = 64;
    while (entries < ((size_t)kept + 1) * 2 + 1)
        entries *= 2;
    if (table->index)
        index_rebuild(table, entries);
}

/* ---- snapshot ---- */

static void key_table_write(const Container *container, Text *snapshot)
{
    const KeyTable *table = (const KeyTable *)container;
    PageWriter page = page_begin(snapshot, PAGE_KEYS, 1, table->layout->fingerprint, table->count);
    page_put_u64(&page, table->null_slot);
    if (table->layout->form == KEY_TEXT)
        page_put_strings(&page, table->keys, sizeof(Str), table->count);
    else
        page_put_column(&page, table->keys, key_width(table), (uint32_t)key_width(table), table->count);
    page_end(&page);
}

static Error *key_table_read(Container *container, SnapshotReader *reader)
{
    KeyTable *table = (KeyTable *)container;
    size_t width = key_width(table);
    PageReader page;
    PageStrings strings;
    uint64_t null_slot;
    const char *values = NULL;
    TRY(page_open(reader, PAGE_KEYS, 1, table->layout->fingerprint, &page));
    TRY(page_get_u64(&page, &null_slot));
    if (page.rows >= UINT32_MAX || null_slot > page.rows || (width == 0 && page.rows > 1))
        return page_damaged("keys out of range");
    if (table->layout->form == KEY_TEXT)
        TRY(page_get_strings(&page, page.rows, &strings));
    else
        TRY(page_get_column(&page, (uint32_t)width, page.rows, &values));
    TRY(page_close(&page));
    key_table_clear(table);
    uint32_t count = (uint32_t)page.rows;
    if (width == 0 || count == 0) {
        table->count = count;
        return NULL;
    }
    MemoryPool *pool = table->container.pool;
    if (table->keys_bytes < count * width)
        table->keys = state_block_grow(pool, table->keys, &table->keys_bytes, 0, count * width);
    if (has_hashes(table) && table->hashes_bytes < (size_t)count * 8)
        table->hashes = state_block_grow(pool, table->hashes, &table->hashes_bytes, 0, (size_t)count * 8);
    if (values)
        memcpy(table->keys, values, count * width);
    for (uint32_t slot = 0; slot < count && has_hashes(table); slot++) {
        uint64_t word, hash = 0;
        if (table->layout->form == KEY_TEXT) {
            Str view = page_next_string(&strings);
            ((Str *)table->keys)[slot] = state_heap_copy(&table->heap, str_bytes(&view), view.length);
            hash = hash_str(&view);
        } else {
            for (size_t at = 0; at < width; at += 8) {
                memcpy(&word, (const char *)table->keys + slot * width + at, 8);
                hash = hash_combine(hash, hash_u64(word));
            }
            hash ^= hash >> 32;
        }
        table->hashes[slot] = hash;
    }
    table->count = count;
    table->null_slot = (uint32_t)null_slot;
    size_t entries = 64;
    while (entries < ((size_t)count + 1) * 2 + 1)
        entries *= 2;
    if (entries < table->index_mask + 1 && table->index)
        entries = table->index_mask + 1;
    index_rebuild(table, entries);
    return NULL;
}

static uint64_t key_table_rows(const Container *container) { return ((const KeyTable *)container)->count; }

static const ContainerType key_table_type = { "keys", key_table_write, key_table_read, key_table_rows };

uint32_t key_table_partition(const KeyTable *table, uint32_t slot, uint32_t count, Text *scratch)
{
    const KeyLayout *layout = table->layout;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Vector **columns = ARENA_ARRAY(&arena, Vector *, (size_t)layout->column_count + 1);
    for (int c = 0; c < layout->column_count; c++)
        columns[c] = vector_new(&arena, layout->types[c], 1);
    key_table_gather(table, &slot, 1, columns, 0, &arena);
    scratch->length = 0;
    for (int c = 0; c < layout->column_count; c++)
        bytes_put(scratch, columns[c], 0, true);
    arena_release(&arena);
    return (murmur2(text_c(scratch), scratch->length) & 0x7fffffff) % count; /* as Kafka's client: the sign goes */
}

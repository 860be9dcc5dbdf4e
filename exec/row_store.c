/* exec/row_store.c: see row_store.h. */
#include "exec/row_store.h"
#include <string.h>
#include "exec/value_bytes.h"

static const ContainerType row_store_type;

static char field_of(const Type *type)
{
    switch (type_physical(type)) {
    case PHYSICAL_BOOL:
    case PHYSICAL_INT64: return 'l';
    case PHYSICAL_DOUBLE: return 'd';
    case PHYSICAL_INT128:
    case PHYSICAL_INTERVAL: return 'x';
    case PHYSICAL_STR:
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: return 's';
    }
    return 'l';
}

static size_t nulls_offset(const RowStore *store) { return 8 * (size_t)store->own_count + sizeof(Str); }

void row_store_init(RowStore *store, Arena *arena, MemoryPool *pool, const Schema *schema, int own_count)
{
    *store = (RowStore){ .container = { &row_store_type, pool }, .schema = schema, .own_count = own_count };
    int null_words = (schema->column_count + 63) / 64, length = 0;
    char *layout = arena_alloc(arena, (size_t)(own_count + 1 + null_words + schema->column_count + 1));
    while (length < own_count)
        layout[length++] = 'l';
    layout[length++] = 's';
    for (int i = 0; i < null_words; i++)
        layout[length++] = 'l';
    store->offsets = ARENA_ARRAY(arena, size_t, schema->column_count + 1);
    size_t offset = nulls_offset(store) + 8 * (size_t)null_words;
    for (int i = 0; i < schema->column_count; i++) {
        char field = field_of(schema->columns[i].type);
        store->offsets[i] = offset;
        offset += field == 'l' || field == 'd' ? 8 : 16;
        layout[length++] = field;
    }
    layout[length] = 0;
    store->layout = layout;
    state_init(&store->rows, pool, layout, false);
}

void row_store_init_like(RowStore *store, const RowStore *other)
{
    *store = (RowStore){ .container = other->container, .schema = other->schema, .own_count = other->own_count,
                         .layout = other->layout, .offsets = other->offsets };
    state_init(&store->rows, other->container.pool, other->layout, false);
}

void row_store_release(RowStore *store)
{
    if (!store->layout)
        return;
    state_release(&store->rows);
    pool_charge(store->container.pool, -(int64_t)(store->free_capacity * sizeof(uint32_t)));
    mem_free(store->free_rows);
    text_release(&store->scratch);
    *store = (RowStore){ 0 };
}

void row_store_clear(RowStore *store)
{
    state_clear(&store->rows);
    store->count = store->free_count = 0;
}

static uint32_t next_number(RowStore *store)
{
    if (store->free_count)
        return store->free_rows[--store->free_count];
    state_cover(&store->rows, store->count + 1);
    return store->count++;
}

/* Stores a text in a field, in the room of what was there. */
static void put_text(RowStore *store, char *field, const char *bytes, size_t length)
{
    Str before, view = str_view(bytes, length);
    memcpy(&before, field, sizeof(before));
    Str stored = state_heap_store(&store->rows.heap, &view, &before);
    memcpy(field, &stored, sizeof(stored));
}

uint32_t row_store_add(RowStore *store, const Batch *batch, uint32_t row, const Str *key)
{
    uint32_t number = next_number(store);
    char *entry = state_touch_one(&store->rows, number);
    put_text(store, entry + 8 * (size_t)store->own_count, str_bytes(key), key->length);
    uint64_t *nulls = (uint64_t *)(entry + nulls_offset(store));
    memset(nulls, 0, 8 * (size_t)((store->schema->column_count + 63) / 64));
    for (int i = 0; i < store->schema->column_count; i++) {
        const Vector *vector = batch->columns[i];
        char *field = entry + store->offsets[i];
        size_t at = row & vector_mask(vector);
        bool null = vector_is_null(vector, row);
        if (null)
            bit_set(nulls, (uint32_t)i);
        switch (type_physical(vector->type)) {
        case PHYSICAL_BOOL: *(int64_t *)field = null ? 0 : ((const uint8_t *)vector->values)[at]; break;
        case PHYSICAL_INT64:
        case PHYSICAL_DOUBLE: *(int64_t *)field = null ? 0 : ((const int64_t *)vector->values)[at]; break;
        case PHYSICAL_INT128:
        case PHYSICAL_INTERVAL:
            if (null)
                memset(field, 0, 16);
            else
                memcpy(field, (const char *)vector->values + 16 * at, 16);
            break;
        case PHYSICAL_STR: {
            const Str *str = (const Str *)vector->values + at;
            put_text(store, field, str_bytes(str), null ? 0 : str->length);
            break;
        }
        case PHYSICAL_ARRAY:
        case PHYSICAL_STRUCT:
            store->scratch.length = 0;
            if (!null)
                bytes_put(&store->scratch, vector, row, false);
            put_text(store, field, text_c(&store->scratch), store->scratch.length);
            break;
        }
    }
    return number;
}

void row_store_free(RowStore *store, uint32_t number)
{
    if (store->free_count == store->free_capacity) {
        size_t before = store->free_capacity;
        store->free_rows = mem_grow(store->free_rows, &store->free_capacity, (size_t)store->free_count + 1, sizeof(uint32_t));
        pool_charge(store->container.pool, (int64_t)((store->free_capacity - before) * sizeof(uint32_t)));
    }
    store->free_rows[store->free_count++] = number;
}

Error *row_store_gather_column(const RowStore *store, int column, const uint32_t *numbers, uint32_t count, Vector *vector, uint32_t first,
                               Arena *arena)
{
    const PhysicalType physical = type_physical(vector->type);
    for (uint32_t r = 0; r < count; r++) {
        const uint32_t row = first + r;
        if (numbers[r] == ROW_NONE) {
            Value none = value_null(vector->type);
            vector_put_value(arena, vector, row, &none);
            continue;
        }
        const char *entry = state_entry(&store->rows, numbers[r]), *field = entry + store->offsets[column];
        const bool null = bit_get((const uint64_t *)(entry + nulls_offset(store)), (uint32_t)column);
        if (null && physical != PHYSICAL_ARRAY && physical != PHYSICAL_STRUCT) {
            vector_set_null(arena, vector, row);
            continue;
        }
        switch (physical) {
        case PHYSICAL_BOOL: ((uint8_t *)vector->values)[row] = (uint8_t)*(const int64_t *)field; break;
        case PHYSICAL_INT64:
        case PHYSICAL_DOUBLE: ((int64_t *)vector->values)[row] = *(const int64_t *)field; break;
        case PHYSICAL_INT128:
        case PHYSICAL_INTERVAL: memcpy((char *)vector->values + 16 * (size_t)row, field, 16); break;
        case PHYSICAL_STR: {
            Str text;
            memcpy(&text, field, sizeof(text));
            if (text.length > STR_INLINE)
                text = str_view(arena_copy(arena, text.pointer, text.length), text.length);
            ((Str *)vector->values)[row] = text;
            break;
        }
        case PHYSICAL_ARRAY:
        case PHYSICAL_STRUCT: {
            Value value = value_null(vector->type);
            const Str *text = (const Str *)field;
            const char *next = str_bytes(text), *end = next + text->length;
            if (!null)
                TRY(bytes_get(arena, vector->type, &next, end, &value));
            vector_put_value(arena, vector, row, &value);
            break;
        }
        }
    }
    return NULL;
}

Error *row_store_gather(const RowStore *store, const uint32_t *numbers, uint32_t count, Vector *const columns[], uint32_t first,
                        Arena *arena)
{
    for (int i = 0; i < store->schema->column_count; i++)
        TRY(row_store_gather_column(store, i, numbers, count, columns[i], first, arena));
    return NULL;
}

bool row_store_is_null(const RowStore *store, uint32_t number, int column)
{
    return bit_get((const uint64_t *)(state_entry(&store->rows, number) + nulls_offset(store)), (uint32_t)column);
}

int64_t row_store_bits(const RowStore *store, uint32_t number, int column)
{
    return *(const int64_t *)(state_entry(&store->rows, number) + store->offsets[column]);
}

bool row_store_is_true(const RowStore *store, uint32_t number, int column)
{
    return !row_store_is_null(store, number, column) && row_store_bits(store, number, column);
}

static void row_store_write(const Container *container, Text *snapshot)
{
    const RowStore *store = (const RowStore *)container;
    PageWriter page = page_begin(snapshot, PAGE_ROWS, 1, store->rows.fingerprint, store->free_count);
    page_put_column(&page, store->free_rows, 4, 4, store->free_count);
    page_end(&page);
    container_write(&store->rows.container, snapshot);
}

static Error *row_store_read(Container *container, SnapshotReader *reader)
{
    RowStore *store = (RowStore *)container;
    PageReader page;
    const char *numbers;
    TRY(page_open(reader, PAGE_ROWS, 1, store->rows.fingerprint, &page));
    TRY(page_get_column(&page, 4, page.rows, &numbers));
    TRY(page_close(&page));
    row_store_clear(store);
    TRY(container_read(&store->rows.container, reader));
    store->count = store->rows.slot_count;
    if (page.rows > store->count)
        return page_damaged("more free rows than rows");
    for (uint64_t i = 0; i < page.rows; i++) {
        uint32_t number;
        memcpy(&number, numbers + 4 * i, 4);
        if (number >= store->count)
            return page_damaged("a free row does not exist");
        row_store_free(store, number);
    }
    return NULL;
}

static uint64_t row_store_rows(const Container *container) { return ((const RowStore *)container)->count - ((const RowStore *)container)->free_count; }

static const ContainerType row_store_type = { "rows", row_store_write, row_store_read, row_store_rows };

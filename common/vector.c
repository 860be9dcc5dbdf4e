/* common/vector.c: one column of a batch. */
#include "common/vector.h"

static int child_count_of(const Type *type) { return type->kind == TYPE_STRUCT ? type->child_count : type->kind == TYPE_ARRAY || type->kind == TYPE_MAP ? 1 : 0; }

/* The element type of an ARRAY; the STRUCT<key, value> of a MAP. */
static const Type *element_type(Arena *arena, const Type *type)
{
    static const char *const names[] = { "key", "value" };
    return type->kind == TYPE_MAP ? type_struct(arena, 2, names, type->children) : type->children[0];
}

Vector *vector_new(Arena *arena, const Type *type, uint32_t capacity)
{
    Vector *vector = ARENA_NEW(arena, Vector);
    vector->type = type;
    vector->capacity = capacity;
    size_t width = type_width(type);
    if (width) {
        vector->values = arena_calloc(arena, capacity ? capacity : 1, width);
        return vector;
    }
    int count = child_count_of(type);
    vector->children = ARENA_ARRAY(arena, Vector *, (size_t)count + 1);
    if (type->kind == TYPE_STRUCT) {
        for (int i = 0; i < count; i++)
            vector->children[i] = vector_new(arena, type->children[i], capacity);
    } else {
        vector->offsets = arena_calloc(arena, (size_t)capacity + 1, sizeof *vector->offsets);
        vector->children[0] = vector_new(arena, element_type(arena, type), capacity);
    }
    return vector;
}

Vector *vector_constant(Arena *arena, const Value *value)
{
    Vector *vector = vector_new(arena, value->type, 1);
    vector_set(arena, vector, 0, value);
    vector->encoding = VECTOR_CONSTANT;
    return vector;
}

void vector_set_null(Arena *arena, Vector *vector, uint32_t row)
{
    if (!vector->validity) {
        size_t words = bitmap_words(vector->capacity ? vector->capacity : 1);
        vector->validity = arena_alloc(arena, words * 8);
        memset(vector->validity, 0xFF, words * 8);
    }
    bit_clear(vector->validity, row);
}

/* Room for `needed` rows; nested children of STRUCTs grow along. */
static void grow(Arena *arena, Vector *vector, uint32_t needed)
{
    if (needed <= vector->capacity)
        return;
    uint32_t capacity = vector->capacity ? vector->capacity * 2 : 16, used = vector->capacity;
    if (capacity < needed)
        capacity = needed;
    size_t width = type_width(vector->type);
    if (width) {
        void *values = arena_calloc(arena, capacity, width);
        memcpy(values, vector->values, used * width);
        vector->values = values;
    } else if (vector->type->kind == TYPE_STRUCT) {
        for (int i = 0; i < vector->type->child_count; i++)
            grow(arena, vector->children[i], capacity);
    } else {
        uint32_t *offsets = arena_calloc(arena, (size_t)capacity + 1, sizeof *offsets);
        memcpy(offsets, vector->offsets, ((size_t)used + 1) * sizeof *offsets);
        vector->offsets = offsets;
    }
    if (vector->validity) {
        uint64_t *validity = arena_alloc(arena, bitmap_words(capacity) * 8);
        memset(validity, 0xFF, bitmap_words(capacity) * 8);
        memcpy(validity, vector->validity, bitmap_words(used ? used : 1) * 8);
        vector->validity = validity;
    }
    vector->capacity = capacity;
}

/* Gives back what lists hold of rows from `rows` on. */
static void truncate_lists(Vector *vector, uint32_t rows)
{
    if (vector->type->kind == TYPE_STRUCT) {
        for (int i = 0; i < vector->type->child_count; i++)
            truncate_lists(vector->children[i], rows);
    } else if (vector->offsets) {
        vector->child_rows = vector->offsets[rows];
        truncate_lists(vector->children[0], vector->child_rows);
    }
}

static void set_list(Arena *arena, Vector *vector, uint32_t row, const Value *value)
{
    Vector *child = vector->children[0];
    if (vector->child_rows && vector->offsets[row + 1] == vector->child_rows) /* the last row again: its start is the end of the row before */
        truncate_lists(vector, row);
    uint32_t start = vector->child_rows, step = vector->type->kind == TYPE_MAP ? 2 : 1;
    uint32_t count = value->is_null ? 0 : value->nested.count / step;
    grow(arena, child, start + count);
    for (uint32_t i = 0; i < count; i++) {
        if (step == 2) {
            Value pair = { .type = child->type, .nested = { &value->nested.items[i * 2], 2 } };
            vector_set(arena, child, start + i, &pair);
        } else {
            vector_set(arena, child, start + i, &value->nested.items[i]);
        }
    }
    vector->offsets[row] = start;
    vector->offsets[row + 1] = start + count;
    vector->child_rows = start + count;
}

static void set_struct(Arena *arena, Vector *vector, uint32_t row, const Value *value)
{
    for (int i = 0; i < vector->type->child_count; i++) {
        Value null = value_null(vector->type->children[i]);
        vector_set(arena, vector->children[i], row, value->is_null ? &null : &value->nested.items[i]);
    }
}

void vector_set(Arena *arena, Vector *vector, uint32_t row, const Value *value)
{
    grow(arena, vector, row + 1);
    if (value->is_null)
        vector_set_null(arena, vector, row);
    else if (vector->validity)
        bit_set(vector->validity, row);
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: ((uint8_t *)vector->values)[row] = value->is_null ? 0 : value->integer != 0; break;
    case PHYSICAL_INT64: ((int64_t *)vector->values)[row] = value->is_null ? 0 : value->integer; break;
    case PHYSICAL_DOUBLE: ((double *)vector->values)[row] = value->is_null ? 0 : value->number; break;
    case PHYSICAL_INT128: ((Int128 *)vector->values)[row] = value->is_null ? 0 : value->decimal; break;
    case PHYSICAL_INTERVAL: ((Interval *)vector->values)[row] = value->is_null ? (Interval){ 0 } : value->interval; break;
    case PHYSICAL_STR: {
        Str text = value->is_null ? (Str){ 0 } : value->text;
        if (text.length > STR_INLINE)
            text = str_view(arena_copy(arena, text.pointer, text.length), text.length);
        ((Str *)vector->values)[row] = text;
        break;
    }
    case PHYSICAL_ARRAY: set_list(arena, vector, row, value); break;
    case PHYSICAL_STRUCT: set_struct(arena, vector, row, value); break;
    }
}

static Value get_list(Arena *arena, const Vector *vector, uint32_t row, Value value)
{
    uint32_t start = vector->offsets[row], count = vector->offsets[row + 1] - start;
    const Vector *child = vector->children[0];
    uint32_t step = vector->type->kind == TYPE_MAP ? 2 : 1;
    value.nested.count = count * step;
    value.nested.items = ARENA_ARRAY(arena, Value, (size_t)count * step + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (step == 2) {
            value.nested.items[i * 2] = vector_get(arena, child->children[0], start + i);
            value.nested.items[i * 2 + 1] = vector_get(arena, child->children[1], start + i);
        } else {
            value.nested.items[i] = vector_get(arena, child, start + i);
        }
    }
    return value;
}

Value vector_get(Arena *arena, const Vector *vector, uint32_t row)
{
    row &= vector_mask(vector);
    Value value = { .type = vector->type };
    if (vector_is_null(vector, row))
        return value_null(vector->type);
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: value.integer = ((uint8_t *)vector->values)[row]; break;
    case PHYSICAL_INT64: value.integer = ((int64_t *)vector->values)[row]; break;
    case PHYSICAL_DOUBLE: value.number = ((double *)vector->values)[row]; break;
    case PHYSICAL_INT128: value.decimal = ((Int128 *)vector->values)[row]; break;
    case PHYSICAL_INTERVAL: value.interval = ((Interval *)vector->values)[row]; break;
    case PHYSICAL_STR: value.text = ((Str *)vector->values)[row]; break;
    case PHYSICAL_ARRAY: return get_list(arena, vector, row, value);
    case PHYSICAL_STRUCT:
        value.nested.count = (uint32_t)vector->type->child_count;
        value.nested.items = ARENA_ARRAY(arena, Value, (size_t)value.nested.count + 1);
        for (uint32_t i = 0; i < value.nested.count; i++)
            value.nested.items[i] = vector_get(arena, vector->children[i], row);
        break;
    }
    return value;
}

/* ---- gather ---- */

static void gather_validity(Arena *arena, const Vector *vector, Vector *out, const uint32_t *rows, uint32_t count)
{
    if (!vector->validity)
        return;
    uint32_t mask = vector_mask(vector);
    for (uint32_t i = 0; i < count; i++)
        if (!bit_get(vector->validity, (rows ? rows[i] : i) & mask))
            vector_set_null(arena, out, i);
}

static void gather_list(Arena *arena, const Vector *vector, Vector *out, const uint32_t *rows, uint32_t count)
{
    uint32_t mask = vector_mask(vector), total = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = (rows ? rows[i] : i) & mask;
        total += vector->offsets[row + 1] - vector->offsets[row];
    }
    uint32_t *places = arena_alloc(arena, sizeof *places * ((size_t)total + 1)), used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = (rows ? rows[i] : i) & mask;
        out->offsets[i] = used;
        for (uint32_t at = vector->offsets[row]; at < vector->offsets[row + 1]; at++)
            places[used++] = at;
    }
    out->offsets[count] = used;
    out->child_rows = used;
    out->children[0] = vector_gather(arena, vector->children[0], places, used);
}

#define GATHER(CType)                                                              \
    do {                                                                           \
        const CType *from = vector->values;                                        \
        CType *to = out->values;                                                   \
        for (uint32_t i = 0; i < count; i++)                                       \
            to[i] = from[(rows ? rows[i] : i) & mask];                             \
    } while (0)

Vector *vector_gather(Arena *arena, const Vector *vector, const uint32_t *rows, uint32_t count)
{
    Vector *out = vector_new(arena, vector->type, count);
    uint32_t mask = vector_mask(vector);
    gather_validity(arena, vector, out, rows, count);
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: GATHER(uint8_t); break;
    case PHYSICAL_INT64: GATHER(int64_t); break;
    case PHYSICAL_DOUBLE: GATHER(double); break;
    case PHYSICAL_INT128: GATHER(Int128); break;
    case PHYSICAL_INTERVAL: GATHER(Interval); break;
    case PHYSICAL_STR: GATHER(Str); break;
    case PHYSICAL_ARRAY: gather_list(arena, vector, out, rows, count); break;
    case PHYSICAL_STRUCT: {
        uint32_t *places = NULL;
        if (mask == 0) { /* a constant: every row is its row 0 */
            places = arena_calloc(arena, (size_t)count + 1, sizeof *places);
        }
        for (int i = 0; i < vector->type->child_count; i++)
            out->children[i] = vector_gather(arena, vector->children[i], places ? places : rows, count);
        break;
    }
    }
    return out;
}

/* Strings of a gathered vector get bytes of their own. */
static void own_strings(Arena *arena, Vector *vector, uint32_t count)
{
    Str *texts = vector->values;
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += texts[i].length > STR_INLINE ? texts[i].length : 0;
    char *bytes = total ? arena_alloc(arena, total) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i].length <= STR_INLINE)
            continue;
        memcpy(bytes, texts[i].pointer, texts[i].length);
        texts[i] = str_view(bytes, texts[i].length);
        bytes += texts[i].length;
    }
}

static void own_contents(Arena *arena, const Type *type, Vector *vector, uint32_t count)
{
    vector->type = type;
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: case PHYSICAL_INT64: case PHYSICAL_DOUBLE: case PHYSICAL_INT128: case PHYSICAL_INTERVAL: break;
    case PHYSICAL_STR: own_strings(arena, vector, count); break;
    case PHYSICAL_ARRAY: own_contents(arena, element_type(arena, type), vector->children[0], vector->child_rows); break;
    case PHYSICAL_STRUCT:
        for (int i = 0; i < type->child_count; i++)
            own_contents(arena, type->children[i], vector->children[i], count);
        break;
    }
}

Vector *vector_detach(Arena *arena, const Type *type, const Vector *vector, const uint32_t *rows, uint32_t count)
{
    Vector *out = vector_gather(arena, vector, rows, count);
    own_contents(arena, type, out, count);
    return out;
}

static void pad_list(Arena *arena, const Vector *vector, Vector *out, const uint32_t *places, uint32_t count)
{
    uint32_t mask = vector_mask(vector), total = 0, used = 0;
    for (uint32_t i = 0; i < count; i++)
        total += places[i] == VECTOR_NO_ROW ? 0 : vector->offsets[(places[i] & mask) + 1] - vector->offsets[places[i] & mask];
    uint32_t *elements = arena_alloc(arena, sizeof *elements * ((size_t)total + 1));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = places[i] & mask;
        for (uint32_t at = places[i] == VECTOR_NO_ROW ? 0 : vector->offsets[row]; places[i] != VECTOR_NO_ROW && at < vector->offsets[row + 1]; at++)
            elements[used++] = at;
        out->offsets[i + 1] = used;
    }
    out->child_rows = used;
    if (used)
        out->children[0] = vector_gather(arena, vector->children[0], elements, used);
}

Vector *vector_gather_padded(Arena *arena, const Vector *vector, const Type *type, const uint32_t *places, uint32_t count)
{
    Vector *out = vector_new(arena, type, count);
    uint32_t mask = vector ? vector_mask(vector) : 0;
    size_t width = type_width(type);
    for (uint32_t i = 0; i < count; i++) {
        if (!vector || places[i] == VECTOR_NO_ROW || vector_is_null(vector, places[i]))
            vector_set_null(arena, out, i);
        else if (width)
            memcpy((char *)out->values + i * width, (const char *)vector->values + (places[i] & mask) * width, width);
    }
    if (vector && type->kind == TYPE_STRUCT)
        for (int f = 0; f < type->child_count; f++) {
            const Vector *field = vector->children[f];
            Vector whole = *field;
            if (mask == 0)
                whole.encoding = VECTOR_CONSTANT;
            out->children[f] = vector_gather_padded(arena, &whole, type->children[f], places, count);
        }
    else if (vector && !width)
        pad_list(arena, vector, out, places, count);
    return out;
}

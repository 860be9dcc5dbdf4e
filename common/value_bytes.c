/* common/value_bytes.c: see value_bytes.h. */
#include "common/value_bytes.h"
#include <string.h>

void value_bytes_put(Text *bytes, const Vector *vector, uint32_t row, bool as_key)
{
    if (vector_is_null(vector, row)) {
        text_add_char(bytes, 0);
        return;
    }
    text_add_char(bytes, 1);
    row &= vector_mask(vector);
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL:
        text_add(bytes, (const char *)vector->values + row, 1);
        break;
    case PHYSICAL_INT64:
        text_add(bytes, (const char *)vector->values + 8 * (size_t)row, 8);
        break;
    case PHYSICAL_DOUBLE: {
        double number = ((const double *)vector->values)[row];
        uint64_t bits = double_key_bits(number);
        text_add(bytes, as_key ? (const char *)&bits : (const char *)&number, 8);
        break;
    }
    case PHYSICAL_INT128:
    case PHYSICAL_INTERVAL:
        text_add(bytes, (const char *)vector->values + 16 * (size_t)row, 16);
        break;
    case PHYSICAL_STR: {
        const Str *str = (const Str *)vector->values + row;
        text_add(bytes, (const char *)&str->length, 4);
        text_add(bytes, str_bytes(str), str->length);
        break;
    }
    case PHYSICAL_ARRAY: {
        uint32_t count = vector->offsets[row + 1] - vector->offsets[row];
        text_add(bytes, (const char *)&count, 4);
        for (uint32_t i = 0; i < count; i++) {
            const Vector *child = vector->children[0];
            uint32_t at = vector->offsets[row] + i;
            if (vector->type->kind == TYPE_MAP) {
                value_bytes_put(bytes, child->children[0], at, as_key);
                value_bytes_put(bytes, child->children[1], at, as_key);
            } else {
                value_bytes_put(bytes, child, at, as_key);
            }
        }
        break;
    }
    case PHYSICAL_STRUCT:
        for (int field = 0; field < vector->type->child_count; field++)
            value_bytes_put(bytes, vector->children[field], row, as_key);
        break;
    }
}

static bool take(const char **next, const char *end, void *to, size_t size)
{
    if ((size_t)(end - *next) < size)
        return false;
    memcpy(to, *next, size);
    *next += size;
    return true;
}

bool value_bytes_get(Arena *arena, const Type *type, const char **next, const char *end, Value *value)
{
    uint8_t present = 0;
    if (!take(next, end, &present, 1))
        return false;
    *value = value_null(type);
    if (!present)
        return true;
    value->is_null = false;
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: {
        uint8_t flag = 0;
        if (!take(next, end, &flag, 1))
            return false;
        value->integer = flag != 0;
        return true;
    }
    case PHYSICAL_INT64: return take(next, end, &value->integer, 8);
    case PHYSICAL_DOUBLE: return take(next, end, &value->number, 8);
    case PHYSICAL_INT128: return take(next, end, &value->decimal, 16);
    case PHYSICAL_INTERVAL: return take(next, end, &value->interval, 16);
    case PHYSICAL_STR: {
        uint32_t length = 0;
        if (!take(next, end, &length, 4) || (size_t)(end - *next) < length)
            return false;
        value->text = str_view(*next, length);
        *next += length;
        return true;
    }
    case PHYSICAL_ARRAY: {
        uint32_t count = 0;
        if (!take(next, end, &count, 4) || count > (size_t)(end - *next))
            return false;
        uint32_t per_item = type->kind == TYPE_MAP ? 2 : 1;
        value->nested.items = ARENA_ARRAY(arena, Value, (size_t)count * per_item);
        value->nested.count = count * per_item;
        for (uint32_t i = 0; i < value->nested.count; i++)
            if (!value_bytes_get(arena, type->children[per_item == 2 ? i & 1 : 0], next, end, &value->nested.items[i]))
                return false;
        return true;
    }
    case PHYSICAL_STRUCT:
        value->nested.items = ARENA_ARRAY(arena, Value, (size_t)type->child_count);
        value->nested.count = (uint32_t)type->child_count;
        for (int i = 0; i < type->child_count; i++)
            if (!value_bytes_get(arena, type->children[i], next, end, &value->nested.items[i]))
                return false;
        return true;
    }
    return true;
}

/* functions/lua_value.c: SQL's values as Lua's and back.
 *
 * NULL is nil; integers, dates (days), times and timestamps (microseconds) are integers; a DECIMAL is its text, which Lua calculates with as a
 * number; arrays, maps and structs are tables. Pushing may raise Lua's errors and allocates nothing of ours; taking the other way round. */
#include <stdlib.h>
#include "common/decimal.h"
#include "functions/lua_internal.h"

#define DEPTH_MAX 100 /* of tables that a script gives: they may hold themselves */

bool lua_type_passes(const Type *type)
{
    if (type->kind == TYPE_INTERVAL || type->kind == TYPE_NULL)
        return false;
    if (type->kind == TYPE_MAP && (type_is_nested(type->children[0]) || type_physical(type->children[0]) == PHYSICAL_DOUBLE))
        return false;
    for (int i = 0; i < type->child_count; i++)
        if (!lua_type_passes(type->children[i]))
            return false;
    return true;
}

/* ---- SQL -> Lua ---- */

static void push_decimal(lua_State *L, Int128 value, int scale)
{
    char text[64];
    lua_pushlstring(L, text, decimal_format(value, scale, text));
}

static void push_list(lua_State *L, const Vector *vector, uint32_t row)
{
    uint32_t start = vector->offsets[row], end = vector->offsets[row + 1];
    const Vector *child = vector->children[0];
    bool is_map = vector->type->kind == TYPE_MAP;
    lua_createtable(L, is_map ? 0 : (int)(end - start), is_map ? (int)(end - start) : 0);
    for (uint32_t at = start; at < end; at++) {
        if (is_map) {
            lua_push_row(L, child->children[0], at);
            lua_push_row(L, child->children[1], at);
            lua_rawset(L, -3);
        } else {
            lua_push_row(L, child, at);
            lua_rawseti(L, -2, (lua_Integer)(at - start) + 1);
        }
    }
}

void lua_push_row(lua_State *L, const Vector *vector, uint32_t row)
{
    const Type *type = vector->type;
    row &= vector_mask(vector);
    luaL_checkstack(L, 8, "nested values");
    if (vector_is_null(vector, row)) {
        lua_pushnil(L);
        return;
    }
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: lua_pushboolean(L, ((const uint8_t *)vector->values)[row]); break;
    case PHYSICAL_INT64:
        if (type->kind == TYPE_DECIMAL)
            push_decimal(L, ((const int64_t *)vector->values)[row], type->scale);
        else
            lua_pushinteger(L, ((const int64_t *)vector->values)[row]);
        break;
    case PHYSICAL_DOUBLE: lua_pushnumber(L, ((const double *)vector->values)[row]); break;
    case PHYSICAL_INT128: push_decimal(L, ((const Int128 *)vector->values)[row], type->scale); break;
    case PHYSICAL_STR: {
        const Str *text = &((const Str *)vector->values)[row];
        lua_pushlstring(L, str_bytes(text), text->length);
        break;
    }
    case PHYSICAL_INTERVAL: lua_pushnil(L); break; /* refused by lua_type_passes */
    case PHYSICAL_ARRAY: push_list(L, vector, row); break;
    case PHYSICAL_STRUCT:
        lua_createtable(L, 0, type->child_count);
        for (int i = 0; i < type->child_count; i++) {
            lua_push_row(L, vector->children[i], row);
            lua_setfield(L, -2, type->names[i]);
        }
        break;
    }
}

/* ---- Lua -> SQL ---- */

typedef struct Taker {
    lua_State *L;
    Arena *arena;
    int depth;
} Taker;

static const char *take(Taker *taker, const Type *type, Value *value);

static const char *wrong(Taker *taker, const Type *type)
{
    const char *given = luaL_typename(taker->L, -1);
    return arena_printf(taker->arena, "it gives a %s, not %s", given, type_text(taker->arena, type));
}

static const char *take_integer(Taker *taker, const Type *type, Value *value)
{
    int whole;
    lua_Integer number = lua_type(taker->L, -1) == LUA_TNUMBER ? lua_tointegerx(taker->L, -1, &whole) : (whole = false);
    if (lua_type(taker->L, -1) != LUA_TNUMBER)
        return wrong(taker, type);
    if (!whole)
        return arena_printf(taker->arena, "it gives %.17g, which is no %s", lua_tonumber(taker->L, -1), type_text(taker->arena, type));
    const char *reason = NULL;
    Value given = { .type = type_scalar(TYPE_BIGINT), .integer = number };
    *value = given;
    value->type = type;
    return type_is_integer(type) && type->kind != TYPE_BIGINT && !value_cast(taker->arena, &given, type, value, &reason) ? reason : NULL;
}

/* Texts and numbers; a number that is a float by the digits that it needs. */
static const char *take_decimal(Taker *taker, const Type *type, Value *value)
{
    const char *reason = NULL;
    Value given = { .type = type_scalar(TYPE_VARCHAR) };
    if (lua_type(taker->L, -1) == LUA_TSTRING) {
        size_t length;
        const char *text = lua_tolstring(taker->L, -1, &length);
        given.text = str_view(text, length);
    } else if (lua_isinteger(taker->L, -1)) {
        given = (Value){ .type = type_scalar(TYPE_BIGINT), .integer = lua_tointeger(taker->L, -1) };
    } else if (lua_type(taker->L, -1) == LUA_TNUMBER) {
        given = (Value){ .type = type_scalar(TYPE_DOUBLE), .number = lua_tonumber(taker->L, -1) };
    } else {
        return wrong(taker, type);
    }
    return value_cast(taker->arena, &given, type, value, &reason) ? NULL : reason;
}

static const char *take_text(Taker *taker, const Type *type, Value *value)
{
    size_t length;
    if (lua_type(taker->L, -1) != LUA_TSTRING)
        return wrong(taker, type);
    const char *text = lua_tolstring(taker->L, -1, &length);
    if (type->kind == TYPE_VARCHAR && utf8_valid_prefix(text, length) != length)
        return "it gives a text that is not UTF-8";
    *value = (Value){ .type = type_scalar(type->kind), .text = str_view(arena_copy(taker->arena, text, length + 1), length) };
    const char *reason = NULL;
    return type->length && !value_cast(taker->arena, value, type, value, &reason) ? reason : NULL;
}

static const char *take_array(Taker *taker, const Type *type, Value *value)
{
    size_t count = lua_rawlen(taker->L, -1);
    value->nested.count = (uint32_t)count;
    value->nested.items = ARENA_ARRAY(taker->arena, Value, count + 1);
    const char *reason = NULL;
    for (size_t i = 0; i < count && !reason; i++) {
        lua_rawgeti(taker->L, -1, (lua_Integer)i + 1);
        reason = take(taker, type->children[0], &value->nested.items[i]);
        lua_pop(taker->L, 1);
    }
    return reason;
}

/* Keys in order: that of a Lua table is nobody's. */
static int by_key(const void *a, const void *b)
{
    const Value *left = a, *right = b;
    return value_compare(left, right);
}

static const char *take_map(Taker *taker, const Type *type, Value *value)
{
    struct { Value *items; int count, capacity; } pairs = { 0 };
    const char *reason = NULL;
    lua_pushnil(taker->L);
    while (!reason && lua_next(taker->L, -2)) {
        Value key, one;
        reason = take(taker, type->children[1], &one);
        lua_pop(taker->L, 1);
        if (!reason)
            reason = take(taker, type->children[0], &key);
        if (reason) {
            lua_pop(taker->L, 1);
            break;
        }
        LIST_ADD(taker->arena, &pairs, key);
        LIST_ADD(taker->arena, &pairs, one);
    }
    if (reason)
        return reason;
    qsort(pairs.items, (size_t)pairs.count / 2, 2 * sizeof(Value), by_key);
    value->nested.items = pairs.items;
    value->nested.count = (uint32_t)pairs.count;
    return NULL;
}

static const char *take_struct(Taker *taker, const Type *type, Value *value)
{
    const char *reason = NULL;
    value->nested.count = (uint32_t)type->child_count;
    value->nested.items = ARENA_ARRAY(taker->arena, Value, (size_t)type->child_count + 1);
    for (int i = 0; i < type->child_count; i++)
        value->nested.items[i] = value_null(type->children[i]);
    lua_pushnil(taker->L);
    while (!reason && lua_next(taker->L, -2)) {
        int field = lua_type(taker->L, -2) == LUA_TSTRING ? type_field(type, lua_tostring(taker->L, -2)) : -1;
        if (field < 0)
            reason = lua_type(taker->L, -2) == LUA_TSTRING ? arena_printf(taker->arena, "no field '%s' in %s", lua_tostring(taker->L, -2), type_text(taker->arena, type))
                                                          : arena_printf(taker->arena, "it gives a list, not %s", type_text(taker->arena, type));
        else
            reason = take(taker, type->children[field], &value->nested.items[field]);
        lua_pop(taker->L, reason ? 2 : 1);
    }
    return reason;
}

static const char *take_nested(Taker *taker, const Type *type, Value *value)
{
    if (lua_type(taker->L, -1) != LUA_TTABLE)
        return wrong(taker, type);
    if (taker->depth == DEPTH_MAX || !lua_checkstack(taker->L, 8))
        return "it gives tables that are too deep";
    taker->depth++;
    const char *reason = type->kind == TYPE_ARRAY ? take_array(taker, type, value) : type->kind == TYPE_MAP ? take_map(taker, type, value) : take_struct(taker, type, value);
    taker->depth--;
    return reason;
}

static const char *take(Taker *taker, const Type *type, Value *value)
{
    lua_State *L = taker->L;
    *value = value_null(type);
    if (lua_isnil(L, -1))
        return NULL;
    value->is_null = false;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        if (!lua_isboolean(L, -1))
            return wrong(taker, type);
        value->integer = lua_toboolean(L, -1);
        return NULL;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: case TYPE_DATE: case TYPE_TIME: case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ:
        return take_integer(taker, type, value);
    case TYPE_FLOAT: case TYPE_DOUBLE:
        if (lua_type(L, -1) != LUA_TNUMBER)
            return wrong(taker, type);
        value->number = type->kind == TYPE_FLOAT ? (double)(float)lua_tonumber(L, -1) : lua_tonumber(L, -1);
        return NULL;
    case TYPE_DECIMAL: return take_decimal(taker, type, value);
    case TYPE_VARCHAR: case TYPE_BYTES: return take_text(taker, type, value);
    case TYPE_ARRAY: case TYPE_MAP: case TYPE_STRUCT: return take_nested(taker, type, value);
    case TYPE_NONE: case TYPE_NULL: case TYPE_INTERVAL: case TYPE_LAMBDA: case TYPE_ANY: break;
    }
    return wrong(taker, type);
}

const char *lua_take_value(lua_State *L, Arena *arena, const Type *type, Value *value)
{
    Taker taker = { L, arena, 0 };
    return lua_checkstack(L, 8) ? take(&taker, type, value) : "no room on the stack";
}

/* functions/lua_state.c: Lua values as bytes and back: the state of aggregates between two batches, and in snapshots.
 *
 * The same value gives the same bytes: a table's keys come in order. A table may stand in a state once only: read back it would be two. */
#include <stdlib.h>
#include "functions/lua_internal.h"

#define DEPTH_MAX 50
enum { TAG_NIL, TAG_FALSE, TAG_TRUE, TAG_INTEGER, TAG_NUMBER, TAG_TEXT, TAG_TABLE };

/* ---- bytes ---- */

static void add_bytes(lua_State *L, LuaBytes *bytes, const void *what, size_t length)
{
    if (bytes->length + length > (size_t)lua_sandbox_of(L)->max_memory)
        luaL_error(L, "the state is larger than the memory");
    if (bytes->length + length > bytes->capacity) {
        size_t capacity = bytes->capacity * 2 + length + 64;
        char *grown = realloc(bytes->bytes, capacity); /* an error is Lua's: mem_alloc would jump over its frames */
        if (!grown)
            luaL_error(L, "no memory for the state");
        bytes->bytes = grown;
        bytes->capacity = capacity;
    }
    memcpy(bytes->bytes + bytes->length, what, length);
    bytes->length += length;
}

static void add_tag(lua_State *L, LuaBytes *bytes, uint8_t tag) { add_bytes(L, bytes, &tag, 1); }

void lua_bytes_release(LuaBytes *bytes)
{
    free(bytes->bytes);
    *bytes = (LuaBytes){ 0 };
}

/* ---- writing ---- */

static void write_value(lua_State *L, LuaBytes *bytes, int seen, int depth);

static void write_table(lua_State *L, LuaBytes *bytes, int seen, int depth)
{
    int table = lua_gettop(L);
    luaL_checkstack(L, 12, "the state is too deep");
    if (depth == DEPTH_MAX)
        luaL_error(L, "the state is too deep");
    lua_pushvalue(L, table);
    if (lua_rawget(L, seen) != LUA_TNIL)
        luaL_error(L, "a table stands twice in the state");
    lua_pop(L, 1);
    lua_pushvalue(L, table);
    lua_pushboolean(L, true);
    lua_rawset(L, seen);
    lua_Integer count = lua_push_sorted_keys(L, table);
    uint32_t pairs = (uint32_t)count;
    add_bytes(L, bytes, &pairs, sizeof pairs);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, table + 1, i);
        write_value(L, bytes, seen, depth + 1);
        lua_rawget(L, table);
        write_value(L, bytes, seen, depth + 1);
        lua_pop(L, 1);
    }
    lua_settop(L, table);
}

/* The value on top of the stack, which stays. */
static void write_value(lua_State *L, LuaBytes *bytes, int seen, int depth)
{
    size_t length;
    switch (lua_type(L, -1)) {
    case LUA_TNIL: add_tag(L, bytes, TAG_NIL); break;
    case LUA_TBOOLEAN: add_tag(L, bytes, lua_toboolean(L, -1) ? TAG_TRUE : TAG_FALSE); break;
    case LUA_TNUMBER: {
        lua_Integer integer = lua_tointeger(L, -1);
        lua_Number number = lua_tonumber(L, -1);
        bool whole = lua_isinteger(L, -1);
        add_tag(L, bytes, whole ? TAG_INTEGER : TAG_NUMBER);
        add_bytes(L, bytes, whole ? (void *)&integer : (void *)&number, 8);
        break;
    }
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, -1, &length);
        uint32_t size = (uint32_t)length;
        add_tag(L, bytes, TAG_TEXT);
        add_bytes(L, bytes, &size, sizeof size);
        add_bytes(L, bytes, text, length);
        break;
    }
    case LUA_TTABLE:
        add_tag(L, bytes, TAG_TABLE);
        write_table(L, bytes, seen, depth);
        break;
    default: luaL_error(L, "the state holds a %s", luaL_typename(L, -1));
    }
}

void lua_write_state(lua_State *L, LuaBytes *bytes)
{
    bytes->length = 0;
    luaL_checkstack(L, 12, "the state");
    lua_newtable(L);
    lua_insert(L, -2);
    write_value(L, bytes, lua_gettop(L) - 1, 0);
    lua_remove(L, -2);
}

/* ---- reading ---- */

static const char *read_value(lua_State *L, const char *at);

static const char *read_table(lua_State *L, const char *at)
{
    uint32_t count;
    memcpy(&count, at, sizeof count);
    at += sizeof count;
    luaL_checkstack(L, 8, "the state is too deep");
    lua_createtable(L, 0, 0);
    for (uint32_t i = 0; i < count; i++) {
        at = read_value(L, at);
        at = read_value(L, at);
        lua_rawset(L, -3);
    }
    return at;
}

static const char *read_value(lua_State *L, const char *at)
{
    lua_Integer integer;
    lua_Number number;
    uint32_t length;
    switch (*at++) {
    case TAG_NIL: lua_pushnil(L); break;
    case TAG_FALSE: lua_pushboolean(L, false); break;
    case TAG_TRUE: lua_pushboolean(L, true); break;
    case TAG_INTEGER:
        memcpy(&integer, at, 8);
        at += 8;
        lua_pushinteger(L, integer);
        break;
    case TAG_NUMBER:
        memcpy(&number, at, 8);
        at += 8;
        lua_pushnumber(L, number);
        break;
    case TAG_TEXT:
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        lua_pushlstring(L, at, length);
        at += length;
        break;
    case TAG_TABLE: return read_table(L, at);
    default: luaL_error(L, "the state is damaged");
    }
    return at;
}

void lua_read_state(lua_State *L, const char *bytes) { read_value(L, bytes); }

/* functions/lua_library.c: what a script may use.
 *
 * Of Lua's own libraries what calculates: no files, no clock, no random numbers, nothing that loads code, no metatables (a finalizer runs
 * without limits). What would differ from run to run is made anew: the order of pairs (Lua's is that of a hash with a random seed), equal elements
 * in table.sort, tables printed as addresses. What would take long without being counted is limited. Tables of functions are read only. */
#include <lua5.4/lualib.h>
#include "functions/lua_internal.h"

/* ---- order ---- */

static int rank_of(lua_State *L, int at)
{
    switch (lua_type(L, at)) {
    case LUA_TNUMBER: return 0;
    case LUA_TSTRING: return 1;
    case LUA_TBOOLEAN: return 2;
    default: return luaL_error(L, "pairs: a key is a %s; only numbers, texts and booleans have an order", luaL_typename(L, at));
    }
}

static bool text_less(lua_State *L, int a, int b)
{
    size_t a_length, b_length;
    const char *left = lua_tolstring(L, a, &a_length), *right = lua_tolstring(L, b, &b_length);
    int order = memcmp(left, right, a_length < b_length ? a_length : b_length);
    return order ? order < 0 : a_length < b_length;
}

static bool key_less(lua_State *L, int a, int b)
{
    int a_rank = rank_of(L, a), b_rank = rank_of(L, b);
    if (a_rank != b_rank || a_rank == 2)
        return a_rank != b_rank ? a_rank < b_rank : lua_toboolean(L, a) < lua_toboolean(L, b);
    return a_rank == 1 ? text_less(L, a, b) : lua_compare(L, a, b, LUA_OPLT);
}

/* Of two values on top of the stack: is the first one less, by the function at 2 or by <? */
static bool value_less(lua_State *L, int a, int b)
{
    if (lua_isnoneornil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a < 0 ? a - 1 : a);
    lua_pushvalue(L, b < 0 ? b - 2 : b);
    lua_call(L, 2, 1);
    bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

/* Merges [low, middle) and [middle, high) of the list at `list` into the list at `to`; equals keep their order. */
static void merge(lua_State *L, int list, int to, lua_Integer low, lua_Integer middle, lua_Integer high, bool (*less)(lua_State *L, int a, int b))
{
    lua_Integer left = low, right = middle;
    for (lua_Integer at = low; at < high; at++) {
        bool from_right = left == middle;
        if (left < middle && right < high) {
            lua_rawgeti(L, list, right);
            lua_rawgeti(L, list, left);
            from_right = less(L, -2, -1);
            lua_pop(L, 2);
        }
        lua_rawgeti(L, list, from_right ? right++ : left++);
        lua_rawseti(L, to, at);
    }
    lua_sandbox_count(L, high - low);
}

/* Sorts elements 1..count of the list at stack place `list`. */
static void sort_list(lua_State *L, int list, lua_Integer count, bool (*less)(lua_State *L, int a, int b))
{
    lua_createtable(L, (int)count, 0);
    int spare = lua_gettop(L);
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer low = 1; low <= count; low += 2 * width) {
            lua_Integer middle = low + width, high = low + 2 * width;
            middle = middle > count + 1 ? count + 1 : middle;
            high = high > count + 1 ? count + 1 : high;
            merge(L, list, spare, low, middle, high, less);
        }
        for (lua_Integer at = 1; at <= count; at++) {
            lua_rawgeti(L, spare, at);
            lua_rawseti(L, list, at);
        }
    }
    lua_pop(L, 1);
}

static int table_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    sort_list(L, 1, (lua_Integer)lua_rawlen(L, 1), value_less);
    return 0;
}

/* ---- pairs ---- */

/* Upvalues: the table, its keys in order, how many are done. Keys that have gone meanwhile are left out. */
static int next_pair(lua_State *L)
{
    for (;;) {
        lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)) + 1;
        lua_pushinteger(L, at);
        lua_replace(L, lua_upvalueindex(3));
        if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL)
            return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            return 2;
        lua_pop(L, 2);
    }
}

lua_Integer lua_push_sorted_keys(lua_State *L, int table)
{
    lua_Integer count = 0;
    bool sorted = true;
    lua_newtable(L);
    int list = lua_gettop(L);
    lua_pushnil(L); /* the key before */
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        rank_of(L, -1);
        sorted = sorted && (count == 0 || key_less(L, list + 1, -1));
        lua_pushvalue(L, -1);
        lua_replace(L, list + 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, ++count);
    }
    lua_sandbox_count(L, count);
    lua_settop(L, list);
    if (!sorted)
        sort_list(L, list, count, key_less);
    return count;
}

static int sorted_pairs(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_push_sorted_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_pair, 3);
    return 1;
}

/* ---- texts ---- */

static bool has_address(lua_State *L, int at)
{
    int type = lua_type(L, at);
    return type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TLIGHTUSERDATA || type == LUA_TUSERDATA || type == LUA_TTHREAD;
}

static int to_text(lua_State *L)
{
    luaL_checkany(L, 1);
    if (has_address(L, 1))
        lua_pushstring(L, luaL_typename(L, 1));
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Lua's own function is the upvalue. */
static int call_original(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

static int format(lua_State *L)
{
    const char *pattern = luaL_checkstring(L, 1);
    for (const char *at = strchr(pattern, '%'); at; at = strchr(at, '%')) {
        at += 1 + strspn(at + 1, "-+ #0123456789.");
        if (*at == 'p')
            return luaL_error(L, "string.format: addresses are not shown");
        at += *at == '%';
    }
    for (int i = 2; i <= lua_gettop(L); i++)
        if (has_address(L, i))
            return luaL_error(L, "string.format: argument %d is a %s", i, luaL_typename(L, i));
    return call_original(L);
}

static int repeat_text(lua_State *L)
{
    size_t length, separator = 0;
    luaL_checklstring(L, 1, &length);
    lua_Integer times = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separator);
    if (times > 0 && length + separator == 0) { /* it would count them all */
        lua_pushliteral(L, "");
        return 1;
    }
    return call_original(L);
}

static int move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);
    if (to >= from)
        lua_sandbox_count(L, to - from < 0 || to - from > INT32_MAX ? INT64_MAX / 2 : to - from);
    return call_original(L);
}

/* ---- the table ---- */

static int refuse_change(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TSTRING)
        return luaL_error(L, "'%s' cannot be set: declare it, local %s = ..", lua_tostring(L, 2), lua_tostring(L, 2));
    return luaL_error(L, "this table cannot be changed");
}

void lua_push_read_only(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_change);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

typedef struct Own { const char *name; lua_CFunction function; } Own;

/* A new table with the named functions of the library at `from`; then our own, which find Lua's of that name as their upvalue. */
static void pick(lua_State *L, int from, const char *const names[], const Own own[])
{
    lua_newtable(L);
    for (int i = 0; names[i]; i++) {
        lua_getfield(L, from, names[i]);
        lua_setfield(L, -2, names[i]);
    }
    for (int i = 0; own[i].name; i++) {
        lua_getfield(L, from, own[i].name);
        lua_pushcclosure(L, own[i].function, 1);
        lua_setfield(L, -2, own[i].name);
    }
}

static const char *const base_names[] = { "assert", "error", "ipairs", "pcall", "select", "tonumber", "type", NULL };
static const Own base_own[] = { { "pairs", sorted_pairs }, { "tostring", to_text }, { NULL, NULL } };
static const char *const string_names[] = { "byte", "char", "len", "lower", "reverse", "sub", "upper", NULL };
static const Own string_own[] = { { "format", format }, { "rep", repeat_text }, { NULL, NULL } };
static const char *const table_names[] = { "concat", "insert", "pack", "remove", "unpack", NULL };
static const Own table_own[] = { { "move", move }, { "sort", table_sort }, { NULL, NULL } };
static const char *const math_names[] = { "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger", "min", "mininteger",
                                          "modf", "pi", "rad", "sin", "sqrt", "tan", "tointeger", "type", "ult", NULL };
static const char *const utf8_names[] = { "char", "charpattern", "codepoint", "codes", "len", "offset", NULL };
static const Own none[] = { { NULL, NULL } };

/* Adds a library to the table on top of the stack. */
static void add_library(lua_State *L, const char *name, lua_CFunction open, const char *const names[], const Own own[], const luaL_Reg *more)
{
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    pick(L, lua_gettop(L), names, own);
    if (more)
        luaL_setfuncs(L, more, 0);
    if (strcmp(name, "string") == 0) { /* text:upper() */
        lua_pushliteral(L, "");
        lua_getmetatable(L, -1);
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, "__index");
        lua_pop(L, 2);
    }
    lua_push_read_only(L);
    lua_setfield(L, -3, name);
    lua_pop(L, 1);
}

void lua_library_push(lua_State *L)
{
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    pick(L, lua_gettop(L), base_names, base_own);
    lua_remove(L, -2);
    add_library(L, "string", luaopen_string, string_names, string_own, lua_pattern_functions);
    add_library(L, "table", luaopen_table, table_names, table_own, NULL);
    add_library(L, "math", luaopen_math, math_names, none, NULL);
    add_library(L, "utf8", luaopen_utf8, utf8_names, none, NULL);
    lua_push_read_only(L);
}

/* functions/lua_internal.h: Lua for functions that users define: a state with nothing in it that reaches out, that remembers, or that
 * differs from run to run. Only the files lua*.c know the library. */
#pragma once
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include "functions/functions_internal.h"

typedef struct LuaSandbox {
    lua_State *state;
    const char *name;      /* of the function, for messages */
    int64_t max_steps, max_memory;
    size_t used;           /* bytes */
    int64_t charged;       /* of them, to the pool */
    MemoryPool *pool;
    int64_t steps;         /* left to the call */
} LuaSandbox;

/* ---- lua_sandbox.c ---- */

/* A state that is closed with the arena. */
Error *lua_sandbox_open(Arena *arena, const char *name, int64_t max_steps, int64_t max_memory, LuaSandbox **sandbox);
LuaSandbox *lua_sandbox_of(lua_State *L);
/* Compiles a chunk: *function is its place in the registry. ERR_BIND with Lua's message. */
Error *lua_sandbox_load(LuaSandbox *sandbox, const Str *chunk, int *function);
/* Calls run(state) with `job` as its only argument, protected and counted. It leaves one value on the stack, where the caller finds it and pops
 * it. NULL, or what went wrong, in the arena; then nothing is on the stack. */
const char *lua_sandbox_run(LuaSandbox *sandbox, Arena *arena, lua_CFunction run, void *job);
/* Tells the pool what the state holds by now. */
void lua_sandbox_charge(LuaSandbox *sandbox);
/* Takes steps away; raises Lua's error when none are left. */
void lua_sandbox_count(lua_State *L, int64_t steps);

/* ---- lua_pattern.c: string.find, match, gmatch, gsub, which count their steps ---- */
extern const luaL_Reg lua_pattern_functions[];

/* ---- lua_library.c: what Lua's own libraries do otherwise ---- */

/* Puts the table of everything that a script may use on the stack. */
void lua_library_push(lua_State *L);

/* The table on top of the stack becomes one that shows it and cannot be changed. */
void lua_push_read_only(lua_State *L);
/* Pushes a list of the keys of the table at a place of the stack, in order; how many. */
lua_Integer lua_push_sorted_keys(lua_State *L, int table);

/* ---- lua_state.c: values as bytes ---- */
typedef struct LuaBytes { char *bytes; size_t length, capacity; } LuaBytes;
/* The value on top of the stack, which stays. Raises Lua's errors, as lua_read_state, which pushes it again. */
void lua_write_state(lua_State *L, LuaBytes *bytes);
void lua_read_state(lua_State *L, const char *bytes);
void lua_bytes_release(LuaBytes *bytes);

/* ---- lua_value.c ---- */

/* Pushes the value at a row. May raise Lua's errors. */
void lua_push_row(lua_State *L, const Vector *vector, uint32_t row);
void lua_push_value(lua_State *L, const Value *value);
/* The value on top of the stack, which it leaves there, as one of the type, in the arena. Raises nothing. NULL, or why it does not fit. */
const char *lua_take_value(lua_State *L, Arena *arena, const Type *type, Value *value);

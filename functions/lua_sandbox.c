/* functions/lua_sandbox.c: a Lua state with limits on memory and time.
 *
 * Its memory is not mem_alloc's: Lua must be told NULL when there is no more, where mem_alloc would jump over its frames. Time is counted in
 * instructions, so that a limit strikes at the same place in every run. */
#include <stdlib.h>
#include "functions/lua_internal.h"

#define STEPS_AT_ONCE 1000 /* between two looks at the limit */

/* ---- memory ---- */

static void *allocate(void *owner, void *old, size_t old_size, size_t size)
{
    LuaSandbox *sandbox = owner;
    size_t before = old ? old_size : 0; /* else it says what kind of object it is for */
    if (size == 0) {
        free(old);
        sandbox->used -= before;
        return NULL;
    }
    if (size > before && sandbox->used + (size - before) > (size_t)sandbox->max_memory)
        return NULL;
    void *memory = realloc(old, size);
    if (memory)
        sandbox->used += size - before;
    return memory;
}

void lua_sandbox_charge(LuaSandbox *sandbox)
{
    if (sandbox->pool)
        pool_charge(sandbox->pool, (int64_t)sandbox->used - sandbox->charged);
    sandbox->charged = (int64_t)sandbox->used;
}

static void close_sandbox(void *what)
{
    LuaSandbox *sandbox = what;
    if (sandbox->state)
        lua_close(sandbox->state);
    sandbox->state = NULL;
    lua_sandbox_charge(sandbox);
}

/* ---- time ---- */

LuaSandbox *lua_sandbox_of(lua_State *L) { return *(LuaSandbox **)lua_getextraspace(L); }

static void count_steps(lua_State *L, lua_Debug *where)
{
    (void)where;
    lua_sandbox_count(L, STEPS_AT_ONCE);
}

void lua_sandbox_count(lua_State *L, int64_t steps)
{
    LuaSandbox *sandbox = lua_sandbox_of(L);
    sandbox->steps -= steps;
    if (sandbox->steps >= 0)
        return;
    lua_sethook(L, count_steps, LUA_MASKCOUNT, 1); /* a pcall may catch this error, and gets the next one at once */
    luaL_error(L, "%s: more than %I steps", sandbox->name, (LUAI_UACINT)sandbox->max_steps);
}

/* ---- calls ---- */

static const char *message_of(LuaSandbox *sandbox, Arena *arena, int status)
{
    lua_State *L = sandbox->state;
    const char *message = "an error that is no text";
    if (status == LUA_ERRMEM)
        message = arena_printf(arena, "%s: more than %lld KiB of memory", sandbox->name, (long long)sandbox->max_memory >> 10);
    else if (lua_type(L, -1) == LUA_TSTRING)
        message = arena_strdup(arena, lua_tostring(L, -1));
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    return message;
}

const char *lua_sandbox_run(LuaSandbox *sandbox, Arena *arena, lua_CFunction run, void *job)
{
    lua_State *L = sandbox->state;
    sandbox->steps = sandbox->max_steps;
    lua_sethook(L, count_steps, LUA_MASKCOUNT, STEPS_AT_ONCE);
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, job);
    int status = lua_pcall(L, 1, 1, 0);
    return status == LUA_OK ? NULL : message_of(sandbox, arena, status);
}

/* ---- opening ---- */

static int open_libraries(lua_State *L)
{
    lua_library_push(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, lua_sandbox_of(L));
    lua_pushnil(L);
    return 1;
}

Error *lua_sandbox_open(Arena *arena, const char *name, int64_t max_steps, int64_t max_memory, LuaSandbox **result)
{
    LuaSandbox *sandbox = *result = ARENA_NEW(arena, LuaSandbox);
    sandbox->name = arena_strdup(arena, name);
    sandbox->max_steps = max_steps;
    sandbox->max_memory = max_memory;
    sandbox->pool = arena->pool;
    arena_defer(arena, close_sandbox, sandbox);
    sandbox->state = lua_newstate(allocate, sandbox);
    if (!sandbox->state)
        memory_raise();
    *(LuaSandbox **)lua_getextraspace(sandbox->state) = sandbox;
    const char *reason = lua_sandbox_run(sandbox, arena, open_libraries, NULL);
    if (reason)
        return error_new(ERR_INTERNAL, "Lua: %s", reason);
    lua_pop(sandbox->state, 1);
    lua_sandbox_charge(sandbox);
    return NULL;
}

typedef struct Chunk {
    const Str *text;
    const char *name;
    int *function;
} Chunk;

/* The chunk's globals are the library's table, which cannot be changed: what a script remembers ends with the call. */
static int load_chunk(lua_State *L)
{
    const Chunk *chunk = lua_touserdata(L, 1);
    if (luaL_loadbufferx(L, str_bytes(chunk->text), chunk->text->length, lua_pushfstring(L, "=%s", chunk->name), "t") != LUA_OK)
        return lua_error(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, lua_sandbox_of(L));
    lua_setupvalue(L, -2, 1);
    *chunk->function = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushnil(L);
    return 1;
}

Error *lua_sandbox_load(LuaSandbox *sandbox, const Str *text, int *function)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Chunk chunk = { text, sandbox->name, function };
    const char *reason = lua_sandbox_run(sandbox, &arena, load_chunk, &chunk);
    Error *error = reason ? error_new(ERR_BIND, "%s", reason) : NULL;
    if (!reason)
        lua_pop(sandbox->state, 1);
    arena_release(&arena);
    return error;
}

/* functions/lua.c: calls of functions that users wrote in Lua.
 *
 * A body is a chunk whose locals are the parameters, so each call begins afresh: a script cannot remember one row when it sees the next, and rows
 * give the same whatever worker sees them in whatever order. An expression has a state of its own for every such call in it. */
#include "functions/lua_internal.h"

typedef struct LuaCall {
    LuaSandbox *sandbox;
    int function;
    const Args *args; /* of the row at hand */
    uint32_t row;
} LuaCall;

static Error *prepare(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    for (int i = 0; i < LUA_CONSTANTS; i++)
        if (i >= count || !constants[i])
            return NULL;
    LuaCall *call = ARENA_NEW(arena, LuaCall);
    const Str *name = &constants[LUA_NAME]->text;
    TRY(lua_sandbox_open(arena, arena_strndup(arena, str_bytes(name), name->length), constants[LUA_STEPS]->integer, constants[LUA_MEMORY]->integer, &call->sandbox));
    TRY(lua_sandbox_load(call->sandbox, &constants[LUA_CHUNK]->text, &call->function));
    *prepared = call;
    return NULL;
}

static int call_row(lua_State *L)
{
    const LuaCall *call = lua_touserdata(L, 1);
    const Args *args = call->args;
    luaL_checkstack(L, args->arg_count + 2, "arguments");
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->function);
    for (int i = LUA_CONSTANTS; i < args->arg_count; i++)
        lua_push_row(L, args->arg[i], call->row);
    lua_call(L, args->arg_count - LUA_CONSTANTS, 1);
    return 1;
}

static Error *call_rows(const Args *args, Vector *out)
{
    LuaCall *call = (LuaCall *)args->prepared;
    LuaSandbox *sandbox = call->sandbox;
    Arena *arena = args->evaluation->arena;
    Value null = value_null(out->type);
    uint32_t done = 0;
    for (ARGS_EACH(args, row)) {
        Value value = null;
        call->args = args;
        call->row = row;
        const char *reason = lua_sandbox_run(sandbox, arena, call_row, call);
        if (!reason) {
            reason = lua_take_value(sandbox->state, arena, args->result_type, &value);
            reason = reason ? arena_printf(arena, "%s: %s", sandbox->name, reason) : NULL;
            lua_settop(sandbox->state, 0);
        }
        for (; done < row; done++) /* lists are set in order */
            if (type_width(out->type) == 0)
                vector_set(arena, out, done, &null);
        vector_set(arena, out, row, reason ? &null : &value);
        done = row + 1;
        if (reason)
            args_fail(args, out, row, "%s", reason);
    }
    for (; done < args->row_count && type_width(out->type) == 0; done++)
        vector_set(arena, out, done, &null);
    lua_sandbox_charge(sandbox);
    return NULL;
}

static const Type *unresolved(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)types, (void)count;
    return NULL; /* made by the binder alone */
}

const ScalarFunction lua_functions[] = {
    { LUA_CALL, { TYPE_VARCHAR, TYPE_VARCHAR, TYPE_BIGINT, TYPE_BIGINT, TYPE_ANY }, TYPE_ANY, call_rows, unresolved, .prepare = prepare, .variadic = true, .can_fail = true, .sees_nulls = true,
      .hidden = true, .category = "operator" },
    { .name = NULL },
};

const ScalarFunction *function_lua(void) { return &lua_functions[0]; }

Error *lua_check(Arena *arena, const char *name, const char *chunk)
{
    LuaSandbox *sandbox;
    Str text = str_view(chunk, strlen(chunk));
    int function;
    TRY(lua_sandbox_open(arena, name, LUA_STEPS_DEFAULT, LUA_MEMORY_DEFAULT, &sandbox));
    return lua_sandbox_load(sandbox, &text, &function);
}

/* functions/lua_aggregate.c: aggregates that users wrote in Lua: init() -> state, update(state, ..) -> state, merge(state, other) -> state,
 * result(state) -> value, and perhaps retract(state, ..) -> state.
 *
 * A group's state is a string in the container's heap: a byte that says what it is, then the Lua value (lua_state.c) or why the group has failed,
 * which its result tells. The rows of a batch are taken group by group, so that each state is read and written once a batch. */
#include <stdlib.h>
#include "functions/lua_internal.h"

enum { STATE_VALUE = 1, STATE_FAILED = 2 };
typedef enum Step { STEP_INIT, STEP_UPDATE, STEP_MERGE, STEP_RESULT, STEP_RETRACT, STEP_COUNT } Step;

static const char *const step_names[STEP_COUNT] = { "init", "update", "merge", "result", "retract" };

typedef struct LuaAggregate {
    LuaSandbox *sandbox;
    int steps[STEP_COUNT];  /* in the registry; LUA_NOREF: the script has none */
    LuaBytes bytes;         /* starts with the byte that says what the state is */
} LuaAggregate;

/* ---- the script ---- */

static void release_aggregate(void *what) { lua_bytes_release(&((LuaAggregate *)what)->bytes); }

/* Runs the chunk, whose globals are a table of its own, and takes its functions; then they see globals that cannot be changed. */
static int take_functions(lua_State *L)
{
    LuaAggregate *aggregate = lua_touserdata(L, 1);
    int chunk = aggregate->steps[STEP_INIT];
    lua_rawgeti(L, LUA_REGISTRYINDEX, chunk); /* 2 */
    luaL_unref(L, LUA_REGISTRYINDEX, chunk);
    lua_getupvalue(L, 2, 1);                  /* 3: the library */
    lua_newtable(L);                          /* 4: the script's globals */
    lua_newtable(L);
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, 4);
    lua_pushvalue(L, 4);
    lua_setupvalue(L, 2, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 0, 0);
    for (int i = 0; i < STEP_COUNT; i++) {
        lua_pushstring(L, step_names[i]);
        aggregate->steps[i] = LUA_NOREF;
        int type = lua_rawget(L, 4);
        if (type == LUA_TFUNCTION)
            aggregate->steps[i] = luaL_ref(L, LUA_REGISTRYINDEX);
        else if (i == STEP_UPDATE || i == STEP_MERGE || i == STEP_RESULT)
            return luaL_error(L, "the script defines no function '%s'", step_names[i]);
    }
    lua_pushvalue(L, 4);
    lua_push_read_only(L);
    lua_setupvalue(L, 2, 1);
    lua_pushnil(L);
    return 1;
}

static Error *open_aggregate(Arena *arena, const char *name, const Str *chunk, int64_t max_steps, int64_t max_memory, LuaAggregate **result)
{
    LuaAggregate *aggregate = *result = ARENA_NEW(arena, LuaAggregate);
    arena_defer(arena, release_aggregate, aggregate);
    TRY(lua_sandbox_open(arena, name, max_steps, max_memory, &aggregate->sandbox));
    TRY(lua_sandbox_load(aggregate->sandbox, chunk, &aggregate->steps[STEP_INIT]));
    const char *reason = lua_sandbox_run(aggregate->sandbox, arena, take_functions, aggregate);
    if (reason)
        return error_new(ERR_BIND, "%s", reason);
    lua_settop(aggregate->sandbox->state, 0);
    return NULL;
}

Error *lua_check_aggregate(Arena *arena, const char *name, const char *script, bool *retracts)
{
    LuaAggregate *aggregate;
    Str text = str_view(script, strlen(script));
    TRY(open_aggregate(arena, name, &text, LUA_STEPS_DEFAULT, LUA_MEMORY_DEFAULT, &aggregate));
    *retracts = aggregate->steps[STEP_RETRACT] != LUA_NOREF;
    return NULL;
}

static Error *prepare(Arena *arena, const AggregateShape *shape, void **prepared)
{
    const Value *constants = shape->constants;
    const Str *name = &constants[LUA_NAME].text;
    LuaAggregate *aggregate;
    TRY(open_aggregate(arena, arena_strndup(arena, str_bytes(name), name->length), &constants[LUA_CHUNK].text, constants[LUA_STEPS].integer, constants[LUA_MEMORY].integer,
                       &aggregate));
    *prepared = aggregate;
    return NULL;
}

/* ---- one group ---- */

typedef struct GroupJob {
    LuaAggregate *aggregate;
    const Str *state, *other;     /* `other`: what is merged in */
    const AggregateArgs *args;    /* rows to add.. */
    const uint32_t *rows;         /* ..places in args->rows */
    uint32_t row_count;
} GroupJob;

static char kind_of(const Str *state) { return state->length ? *str_bytes(state) : 0; }

static void push_state(lua_State *L, const LuaAggregate *aggregate, const Str *state)
{
    if (state->length) {
        lua_read_state(L, str_bytes(state) + 1);
    } else if (aggregate->steps[STEP_INIT] != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, aggregate->steps[STEP_INIT]);
        lua_call(L, 0, 1);
    } else {
        lua_pushnil(L);
    }
}

/* Calls a step with the state on the stack below its `extra` arguments; what it gives is the state, nothing: it changed the one it had. */
static void call_step(lua_State *L, const LuaAggregate *aggregate, Step step, int state, int extra)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, aggregate->steps[step]);
    lua_pushvalue(L, state);
    lua_rotate(L, -(extra + 2), 2);
    lua_call(L, extra + 1, 1);
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        lua_replace(L, state);
}

static int update_group(lua_State *L)
{
    const GroupJob *job = lua_touserdata(L, 1);
    const AggregateArgs *args = job->args;
    int arg_count = args->shape->arg_count;
    push_state(L, job->aggregate, job->state); /* 2 */
    luaL_checkstack(L, arg_count + 8, "arguments");
    for (uint32_t i = 0; i < job->row_count; i++) {
        uint32_t row = selection_row(args->rows, job->rows[i]);
        bool gone = args->kinds && row_kind_retracts(args->kinds[row]);
        job->aggregate->sandbox->steps = job->aggregate->sandbox->max_steps;
        for (int a = 0; a < arg_count; a++)
            lua_push_row(L, args->arg[a], row);
        call_step(L, job->aggregate, gone ? STEP_RETRACT : STEP_UPDATE, 2, arg_count);
    }
    lua_write_state(L, &job->aggregate->bytes);
    return 1;
}

static int merge_group(lua_State *L)
{
    const GroupJob *job = lua_touserdata(L, 1);
    push_state(L, job->aggregate, job->state); /* 2 */
    push_state(L, job->aggregate, job->other);
    call_step(L, job->aggregate, STEP_MERGE, 2, 1);
    lua_write_state(L, &job->aggregate->bytes);
    return 1;
}

static int group_result(lua_State *L)
{
    const GroupJob *job = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->aggregate->steps[STEP_RESULT]);
    push_state(L, job->aggregate, job->state);
    lua_call(L, 1, 1);
    return 1;
}

/* Runs a step that leaves the new state's bytes, and stores them, or why it failed. */
static void change_state(GroupJob *job, lua_CFunction step, char *place, StateHeap *heap)
{
    LuaAggregate *aggregate = job->aggregate;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Str previous, fresh;
    memcpy(&previous, place, sizeof previous);
    const char *reason = lua_sandbox_run(aggregate->sandbox, &arena, step, job);
    size_t length = reason ? strlen(reason) : aggregate->bytes.length;
    char *bytes = arena_alloc(&arena, length + 1);
    bytes[0] = reason ? STATE_FAILED : STATE_VALUE;
    memcpy(bytes + 1, reason ? reason : aggregate->bytes.bytes, length);
    fresh = str_view(bytes, length + 1);
    fresh = state_heap_store(heap, &fresh, &previous);
    memcpy(place, &fresh, sizeof fresh);
    lua_settop(aggregate->sandbox->state, 0);
    arena_release(&arena);
}

/* ---- kernels ---- */

typedef struct RowOfState { char *state; uint32_t row; } RowOfState;

static int by_state(const void *a, const void *b)
{
    const RowOfState *x = a, *y = b;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void update(const AggregateArgs *args)
{
    LuaAggregate *aggregate = args->shape->prepared;
    uint32_t count = args->rows->count;
    RowOfState *order = arena_alloc(args->evaluation->arena, sizeof *order * ((size_t)count + 1));
    uint32_t *rows = arena_alloc(args->evaluation->arena, sizeof *rows * ((size_t)count + 1));
    for (uint32_t i = 0; i < count; i++)
        order[i] = (RowOfState){ args->states[i] + args->offset, i };
    qsort(order, count, sizeof *order, by_state);
    for (uint32_t first = 0, end; first < count; first = end) {
        Str state;
        memcpy(&state, order[first].state, sizeof state);
        for (end = first; end < count && order[end].state == order[first].state; end++)
            rows[end] = order[end].row;
        GroupJob job = { .aggregate = aggregate, .state = &state, .args = args, .rows = rows + first, .row_count = end - first };
        if (kind_of(&state) != STATE_FAILED)
            change_state(&job, update_group, order[first].state, args->heap);
    }
    lua_sandbox_charge(aggregate->sandbox);
}

static void merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    LuaAggregate *aggregate = shape->prepared;
    for (uint32_t i = 0; i < count; i++) {
        Str state, other;
        memcpy(&state, into + i * stride, sizeof state);
        memcpy(&other, from + i * stride, sizeof other);
        if (other.length == 0 || kind_of(&state) == STATE_FAILED)
            continue;
        if (state.length == 0 || kind_of(&other) == STATE_FAILED) {
            Str copy = state_heap_store(heap, &other, &state);
            memcpy(into + i * stride, &copy, sizeof copy);
            continue;
        }
        GroupJob job = { .aggregate = aggregate, .state = &state, .other = &other };
        change_state(&job, merge_group, into + i * stride, heap);
    }
    lua_sandbox_charge(aggregate->sandbox);
}

static void result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const AggregateShape *shape = args->prepared;
    LuaAggregate *aggregate = shape->prepared;
    LuaSandbox *sandbox = aggregate->sandbox;
    Arena *arena = args->evaluation->arena;
    for (uint32_t i = 0; i < count; i++) {
        Str state;
        Value value = value_null(out->type);
        memcpy(&state, states[i] + offset, sizeof state);
        GroupJob job = { .aggregate = aggregate, .state = &state };
        bool failed = kind_of(&state) == STATE_FAILED;
        const char *reason = failed ? arena_strndup(arena, str_bytes(&state) + 1, state.length - 1) : lua_sandbox_run(sandbox, arena, group_result, &job);
        if (!reason) {
            reason = lua_take_value(sandbox->state, arena, out->type, &value);
            reason = reason ? arena_printf(arena, "%s: %s", sandbox->name, reason) : NULL;
            lua_settop(sandbox->state, 0);
        }
        if (reason)
            value = value_null(out->type);
        vector_set(arena, out, first + i, &value);
        if (reason)
            args_fail(args, out, first + i, "%s", reason);
    }
    lua_sandbox_charge(sandbox);
}

#define LUA_AGGREGATE(how)                                                                                                                              \
    { .name = "lua aggregate", .returns = TYPE_ANY, .layout = "s", .prepare = prepare, .update = update, .merge = merge, .result = result, .retract = how, \
      .order_sensitive = true, .constants = LUA_CONSTANTS }

static const AggregateFunction growing = LUA_AGGREGATE(RETRACT_REFUSE), retracting = LUA_AGGREGATE(RETRACT_INVERT);

const AggregateFunction *aggregate_lua(bool retracts) { return retracts ? &retracting : &growing; }

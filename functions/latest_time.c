/* functions/latest_time.c: the newest time that a group has ever seen: what ksqlDB gives a result as its timestamp. Rows that are taken back
 * do not make a group older. Not in the registry: no SQL names it. */
#include "functions/functions.h"

#include <string.h>

typedef struct LatestTime { int64_t any, time_us; } LatestTime;

static void take(LatestTime *state, int64_t time_us)
{
    if (!state->any || time_us > state->time_us)
        *state = (LatestTime){ 1, time_us };
}

static void latest_update(const AggregateArgs *args)
{
    const Vector *times = args->arg[0];
    for (uint32_t i = 0; i < args->rows->count; i++) {
        uint32_t row = selection_row(args->rows, i);
        if (!vector_is_null(times, row))
            take((LatestTime *)(args->states[i] + args->offset), ((const int64_t *)times->values)[row & vector_mask(times)]);
    }
}

static void latest_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride)
        if (((const LatestTime *)from)->any)
            take((LatestTime *)into, ((const LatestTime *)from)->time_us);
}

static void latest_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    for (uint32_t i = 0; i < count; i++) {
        const LatestTime *state = (const LatestTime *)(states[i] + offset);
        if (state->any)
            ((int64_t *)out->values)[first + i] = state->time_us;
        else
            args_null(args, out, first + i);
    }
}

static const Type *same_type(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

const AggregateFunction latest_time_aggregate = {
    .name = "$latest_time", .args = { TYPE_TIMESTAMP }, .returns = TYPE_ANY, .resolve = same_type, .layout = "ll", .update = latest_update,
    .merge = latest_merge, .result = latest_result, .retract = RETRACT_INVERT, .merge_exact = true, .distinct_is_same = true,
};

/* functions/aggregate_registry.c: finding the aggregate for a call. */
#include <stdlib.h>
#include <string.h>
#include "functions/aggregate.h"

size_t aggregate_state_size(const AggregateFunction *function)
{
    size_t size = 0;
    for (const char *field = function->layout; *field; field++)
        size += *field == 's' || *field == 'x' ? 16 : 8;
    return size;
}

static int arg_count_of(const AggregateFunction *function)
{
    int count = 0;
    while (count < FUNCTION_MAX_ARGS && function->args[count] != TYPE_NONE)
        count++;
    return count;
}

/* What it costs to pass these types; -1: impossible. */
static int fit_cost(const AggregateFunction *function, const Type *const types[], int count)
{
    int cost = 0;
    for (int i = 0; i < count; i++) {
        TypeKind wanted = function->args[i];
        if (wanted == TYPE_ANY || wanted == types[i]->kind)
            continue;
        int one = type_convertible(types[i], type_scalar(wanted));
        if (one < 0)
            return -1;
        cost += one + 1;
    }
    return cost;
}

const AggregateFunction *aggregate_resolve(Arena *arena, const char *name, const Type *const types[], int count,
                                           const Type **result_type, const Type *casts[], bool *name_exists)
{
    const AggregateFunction *best = NULL;
    int best_cost = -1;
    bool known = false;
    for (const AggregateFunction *function = aggregate_functions; function->name; function++) {
        if (!name_equal(function->name, name))
            continue;
        known = true;
        if (arg_count_of(function) != count)
            continue;
        int cost = fit_cost(function, types, count);
        if (cost >= 0 && (!best || cost < best_cost)) {
            best = function;
            best_cost = cost;
        }
    }
    if (name_exists)
        *name_exists = known;
    if (!best)
        return NULL;
    const Type *actual[FUNCTION_MAX_ARGS];
    for (int i = 0; i < count; i++) {
        bool as_is = best->args[i] == TYPE_ANY || best->args[i] == types[i]->kind;
        casts[i] = as_is ? NULL : type_scalar(best->args[i]);
        actual[i] = as_is ? types[i] : casts[i];
    }
    *result_type = best->returns == TYPE_ANY ? best->resolve(arena, actual, count) : type_scalar(best->returns);
    return *result_type ? best : NULL;
}

static int by_name(const void *a, const void *b)
{
    const AggregateFunction *x = *(const AggregateFunction *const *)a, *y = *(const AggregateFunction *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

const AggregateFunction *const *aggregates_all(int *count)
{
    enum { CAPACITY = 256 };
    static const AggregateFunction *sorted[CAPACITY];
    static int sorted_count; /* filled once; the same values whoever does it */
    int found = 0;
    if (sorted_count == 0) {
        for (const AggregateFunction *function = aggregate_functions; function->name && found < CAPACITY; function++)
            sorted[found++] = function;
        qsort(sorted, (size_t)found, sizeof(sorted[0]), by_name);
        sorted_count = found;
    }
    *count = sorted_count;
    return sorted;
}

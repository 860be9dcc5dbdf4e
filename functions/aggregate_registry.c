/* functions/aggregate_registry.c: finding the aggregate for a call. */
#include <string.h>
#include "functions/aggregate.h"

static const AggregateFunction *const tables[] = {
    aggregate_functions, list_aggregates,     bag_aggregates,      ranked_aggregates, statistics_aggregates,
    bits_aggregates,     quantile_aggregates, distinct_aggregates,
};

size_t aggregate_state_size(const AggregateFunction *function)
{
    size_t size = 0;
    for (const char *field = function->layout; *field; field++)
        size += *field == 's' || *field == 't' || *field == 'x' ? 16 : 8;
    return size;
}

static int arg_count_of(const AggregateFunction *function)
{
    int count = 0;
    while (count < FUNCTION_MAX_ARGS && function->args[count] != TYPE_NONE)
        count++;
    return count;
}

/* Of argument i of `count`. The repeated one stands before the literals. */
static TypeKind wanted_kind(const AggregateFunction *function, int i, int count)
{
    int declared = arg_count_of(function), columns = declared - function->constants, more = count - declared;
    return function->args[i < columns ? i : i < columns + more ? columns - 1 : i - more];
}

static bool takes_as_is(TypeKind wanted, const Type *type) { return wanted == TYPE_ANY || wanted == type->kind; }

/* What it costs to pass these types; -1: impossible. */
static int fit_cost(const AggregateFunction *function, const Type *const types[], int count)
{
    int cost = 0, declared = arg_count_of(function);
    if (function->variadic ? count < declared : count != declared)
        return -1;
    for (int i = 0; i < count; i++) {
        TypeKind wanted = wanted_kind(function, i, count);
        if (wanted == TYPE_ANY)
            cost += 30; /* a row that names the type is better */
        if (takes_as_is(wanted, types[i]))
            continue;
        int one = type_is_nested(type_scalar(wanted)) ? -1 : type_convertible(types[i], type_scalar(wanted));
        if (one < 0)
            return -1;
        cost += one + 1;
    }
    return cost;
}

static bool is_named(const AggregateFunction *function, const char *name)
{
    bool named = name_equal(function->name, name);
    for (const char *const *alias = function->aliases; !named && alias && *alias; alias++)
        named = name_equal(*alias, name);
    return named;
}

/* Fills casts and *result_type; false if the function refuses after all. */
static bool settle(Arena *arena, const AggregateFunction *function, const Type *const types[], int count, const Type **result_type, const Type *casts[])
{
    const Type *actual[FUNCTION_MAX_ARGS];
    for (int i = 0; i < count; i++) {
        TypeKind wanted = wanted_kind(function, i, count);
        casts[i] = takes_as_is(wanted, types[i]) ? NULL : wanted == TYPE_DECIMAL ? type_decimal_of(arena, types[i]) : type_scalar(wanted);
        actual[i] = casts[i] ? casts[i] : types[i];
    }
    *result_type = function->returns == TYPE_ANY ? function->resolve(arena, actual, count - function->constants) : type_scalar(function->returns);
    return *result_type != NULL;
}

bool aggregate_exists(const char *name)
{
    int count;
    const AggregateFunction *const *all = aggregates_all(&count);
    for (int i = 0; i < count; i++)
        if (is_named(all[i], name))
            return true;
    return false;
}

const AggregateFunction *aggregate_resolve(Arena *arena, const char *name, const Type *const types[], int count,
                                           const Type **result_type, const Type *casts[], bool *name_exists)
{
    int total;
    const AggregateFunction *const *all = aggregates_all(&total), *candidates[64];
    int candidate_count = 0;
    for (int i = 0; i < total && candidate_count < 64; i++)
        if (is_named(all[i], name))
            candidates[candidate_count++] = all[i];
    if (name_exists)
        *name_exists = candidate_count > 0;
    for (int least = 0;;) { /* cheapest first; the next cheapest if a row refuses the exact types */
        int best_cost = -1;
        for (int i = 0; i < candidate_count; i++) {
            int cost = fit_cost(candidates[i], types, count);
            if (cost >= least && (best_cost < 0 || cost < best_cost))
                best_cost = cost;
        }
        if (best_cost < 0)
            return NULL;
        for (int i = 0; i < candidate_count; i++)
            if (fit_cost(candidates[i], types, count) == best_cost && settle(arena, candidates[i], types, count, result_type, casts))
                return candidates[i];
        least = best_cost + 1;
    }
}

const AggregateFunction *const *aggregates_all(int *count)
{
    enum { CAPACITY = 256 };
    static const AggregateFunction *sorted[CAPACITY];
    static int sorted_count; /* filled once; the same values whoever does it */
    if (sorted_count == 0) {
        const AggregateFunction *fresh[CAPACITY];
        int found = 0;
        for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
            for (const AggregateFunction *function = tables[t]; function->name && found < CAPACITY; function++) {
                int at = found++; /* among equals the first one stays first */
                for (; at > 0 && strcmp(fresh[at - 1]->name, function->name) > 0; at--)
                    fresh[at] = fresh[at - 1];
                fresh[at] = function;
            }
        memcpy(sorted, fresh, (size_t)found * sizeof fresh[0]);
        sorted_count = found;
    }
    *count = sorted_count;
    return sorted;
}

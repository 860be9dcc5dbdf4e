/* functions/registry.c: finding the function for a call.
 *
 * A file of functions is one line in `tables`. Names, aliases included, are put in order once. */
#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include "functions/functions_internal.h"

static const ScalarFunction *const tables[] = {
    arithmetic_functions, compare_functions, logic_functions, like_functions, constructor_functions,
    string_functions,     math_functions,    time_functions,  array_functions, map_functions,
    json_functions,       json_path_functions, regexp_functions,  url_functions,   ordering_functions, text_functions, edit_functions,  bytes_functions,
    date_functions,       lambda_functions,  table_functions, timezone_functions, geo_functions,
    value_functions,      lua_functions, interval_functions,     digest_functions,
};

typedef struct Entry {
    const char *name;
    const ScalarFunction *function;
    int place; /* in the tables: among equals the first one wins */
} Entry;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Entry *entries;
static int entry_count;
static const ScalarFunction **sorted;
static int sorted_count;
static const char **names;
static int name_count;

static int arg_count_of(const ScalarFunction *function)
{
    int count = 0;
    while (count < FUNCTION_MAX_ARGS && function->args[count] != TYPE_NONE)
        count++;
    return count;
}

static int by_name(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_signature(const void *a, const void *b)
{
    const ScalarFunction *x = *(const ScalarFunction *const *)a, *y = *(const ScalarFunction *const *)b;
    int order = strcmp(x->name, y->name);
    for (int i = 0; !order && i < FUNCTION_MAX_ARGS; i++)
        order = (int)x->args[i] - (int)y->args[i];
    return order ? order : (x > y) - (x < y);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void collect_names(void)
{
    int aggregate_count = 0;
    const AggregateFunction *const *aggregates = aggregates_all(&aggregate_count);
    names = calloc((size_t)entry_count + (size_t)aggregate_count + 1, sizeof *names);
    for (int i = 0; names && i < entry_count; i++)
        if (!entries[i].function->hidden)
            names[name_count++] = entries[i].name;
    for (int i = 0; names && i < aggregate_count; i++)
        names[name_count++] = aggregates[i]->name;
    if (!names)
        return;
    qsort(names, (size_t)name_count, sizeof *names, by_text);
    int kept = 0;
    for (int i = 0; i < name_count; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    name_count = kept;
}

/* Lives as long as the process; plain malloc, because no guard of a statement may jump out of pthread_once. */
static void collect(void)
{
    size_t rows = 0, spellings = 0;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const ScalarFunction *function = tables[t]; function->name; function++) {
            rows++;
            spellings++;
            for (const char *const *alias = function->aliases; alias && *alias; alias++)
                spellings++;
        }
    entries = calloc(spellings + 1, sizeof *entries);
    sorted = calloc(rows + 1, sizeof *sorted);
    if (!entries || !sorted)
        abort();
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const ScalarFunction *function = tables[t]; function->name; function++) {
            sorted[sorted_count++] = function;
            entries[entry_count] = (Entry){ function->name, function, entry_count };
            entry_count++;
            for (const char *const *alias = function->aliases; alias && *alias; alias++) {
                entries[entry_count] = (Entry){ *alias, function, entry_count };
                entry_count++;
            }
        }
    qsort(entries, (size_t)entry_count, sizeof *entries, by_name);
    qsort(sorted, (size_t)sorted_count, sizeof *sorted, by_signature);
    collect_names();
}

const ScalarFunction *const *functions_all(int *count)
{
    pthread_once(&once, collect);
    *count = sorted_count;
    return sorted;
}

const char *const *function_names(int *count)
{
    pthread_once(&once, collect);
    *count = name_count;
    return names;
}

/* First entry of the name; *count of them. */
static const Entry *find(const char *name, int *count)
{
    char lower[128];
    size_t length = strlen(name);
    *count = 0;
    if (length >= sizeof lower)
        return NULL;
    for (size_t i = 0; i <= length; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    int low = 0, high = entry_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (strcmp(entries[middle].name, lower) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + *count < entry_count && strcmp(entries[low + *count].name, lower) == 0)
        ++*count;
    return &entries[low];
}

bool function_takes_lambdas(const char *name)
{
    int count;
    pthread_once(&once, collect);
    const Entry *entry = find(name, &count);
    return count && entry->function->lambda != LAMBDA_NONE;
}

bool function_is_table(const char *name)
{
    pthread_once(&once, collect);
    int count;
    const Entry *found = find(name, &count);
    return count && found->function->table;
}

static TypeKind wanted_kind(const ScalarFunction *function, int arg_count, int i)
{
    return function->args[i < arg_count ? i : arg_count - 1];
}

static bool is_nested_kind(TypeKind kind) { return kind == TYPE_ARRAY || kind == TYPE_MAP || kind == TYPE_STRUCT; }

/* The common type of the TYPE_ANY and nested arguments, or of TYPE_ANY arguments and elements of ARRAYs; NULL if there is none. */
static const Type *unified(Arena *arena, const ScalarFunction *function, int arg_count, const Type *const types[], int count)
{
    const Type *common = type_scalar(TYPE_NULL);
    for (int i = 0; i < count && common; i++) {
        TypeKind wanted = wanted_kind(function, arg_count, i);
        bool list = function->unify_elements && wanted == TYPE_ARRAY;
        if (list && types[i]->kind == TYPE_ARRAY)
            common = type_common(arena, common, types[i]->children[0]);
        else if (wanted == TYPE_ANY || (is_nested_kind(wanted) && !list))
            common = type_common(arena, common, types[i]);
    }
    return common;
}

/* What a unified argument becomes; NULL: it is none, or fits as it is. */
static const Type *unified_cast(Arena *arena, const ScalarFunction *function, TypeKind wanted, const Type *common, const Type *type)
{
    if (!common || (wanted != TYPE_ANY && !is_nested_kind(wanted)))
        return NULL;
    const Type *target = function->unify_elements && wanted == TYPE_ARRAY ? type_array(arena, common) : common;
    return type_equal(target, type) ? NULL : target;
}

/* What passing these types costs; -1: impossible. */
static int fit(const ScalarFunction *function, const Type *const types[], int count)
{
    int arg_count = arg_count_of(function), cost = 0;
    if (function->variadic ? count < arg_count : count != arg_count)
        return -1;
    for (int i = 0; i < count; i++) {
        TypeKind wanted = wanted_kind(function, arg_count, i);
        if (is_nested_kind(wanted)) { /* of what? a NULL does not say, unless another argument does */
            if (types[i]->kind != wanted && !(function->unify && types[i]->kind == TYPE_NULL))
                return -1;
            continue;
        }
        if (wanted == types[i]->kind || types[i]->kind == TYPE_NULL)
            continue;
        if (wanted == TYPE_ANY) {
            cost += 30; /* a row that names the type is better */
            continue;
        }
        int one = type_convertible(types[i], type_scalar(wanted));
        if (one < 0)
            return -1;
        cost += one + 1;
    }
    return cost + (function->variadic ? 1 : 0);
}

/* Fills casts and *result_type; false if the function refuses after all. */
static bool settle(Arena *arena, const ScalarFunction *function, const Type *const types[], int count, const Type **result_type, const Type *casts[])
{
    int arg_count = arg_count_of(function);
    const Type *common = function->unify ? unified(arena, function, arg_count, types, count) : NULL;
    if (function->unify && !common)
        return false;
    const Type **actual = ARENA_ARRAY(arena, const Type *, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        TypeKind wanted = wanted_kind(function, arg_count, i);
        casts[i] = NULL;
        if (wanted == TYPE_ANY || is_nested_kind(wanted)) {
            casts[i] = unified_cast(arena, function, wanted, common, types[i]);
            if (wanted != TYPE_ANY && (casts[i] ? casts[i] : types[i])->kind != wanted)
                return false;
        } else if (wanted != types[i]->kind)
            casts[i] = wanted != TYPE_DECIMAL ? type_scalar(wanted) : type_decimal_of(arena, types[i]);
        actual[i] = casts[i] ? casts[i] : types[i];
    }
    *result_type = function->resolve ? function->resolve(arena, actual, count) : type_scalar(function->returns);
    return *result_type != NULL;
}

const ScalarFunction *function_resolve(Arena *arena, const char *name, const Type *const types[], int count,
                                       const Type **result_type, const Type *casts[], bool *name_exists)
{
    pthread_once(&once, collect);
    int candidate_count;
    const Entry *candidates = find(name, &candidate_count);
    if (name_exists)
        *name_exists = candidate_count > 0;
    for (int least = 0;;) { /* cheapest first; the next cheapest if a row refuses the exact types */
        int best_cost = -1;
        for (int i = 0; i < candidate_count; i++) {
            int cost = fit(candidates[i].function, types, count);
            if (cost >= least && (best_cost < 0 || cost < best_cost))
                best_cost = cost;
        }
        if (best_cost < 0)
            return NULL;
        for (int i = 0; i < candidate_count; i++)
            if (fit(candidates[i].function, types, count) == best_cost && settle(arena, candidates[i].function, types, count, result_type, casts))
                return candidates[i].function;
        least = best_cost + 1;
    }
}

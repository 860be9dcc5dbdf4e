/* functions/logic.c: NOT, IS .., IN, and the functions that choose among their arguments.
 *
 * AND, OR, CASE and COALESCE are not functions: they decide what is evaluated (exec/expression.c). The rows of if, coalesce.. here
 * are their documentation and their types; the binder makes CASE and COALESCE of them. */
#include <math.h>
#include <stdlib.h>
#include "common/hash.h"
#include "functions/functions_internal.h"

static Error *not(const Args *args, Vector *out)
{
    const uint8_t *values = args->arg[0]->values;
    uint8_t *result = out->values;
    uint32_t mask = vector_mask(args->arg[0]);
    for (uint32_t row = 0; row < args->row_count; row++)
        result[row] = values[row & mask] ^ 1;
    return NULL;
}

static void nulls(const Args *args, Vector *out, uint8_t if_null)
{
    const Vector *vector = args->arg[0];
    uint8_t *result = out->values;
    memset(result, !if_null, args->row_count);
    if (vector->validity)
        for (uint32_t row = 0; row < args->row_count; row++)
            result[row] = vector_is_null(vector, row) ? if_null : !if_null;
}

static Error *is_null(const Args *args, Vector *out) { return nulls(args, out, 1), NULL; }
static Error *is_not_null(const Args *args, Vector *out) { return nulls(args, out, 0), NULL; }

static Error *is_true(const Args *args, Vector *out)
{
    uint8_t *result = out->values;
    for (uint32_t row = 0; row < args->row_count; row++)
        result[row] = !vector_is_null(args->arg[0], row) && ARG(args, 0, uint8_t, row);
    return NULL;
}

static Error *is_false(const Args *args, Vector *out)
{
    uint8_t *result = out->values;
    for (uint32_t row = 0; row < args->row_count; row++)
        result[row] = !vector_is_null(args->arg[0], row) && !ARG(args, 0, uint8_t, row);
    return NULL;
}

/* ---- IN (constants) ---- */

enum { FEW = 8 }; /* up to here comparing with each one is quicker than hashing */

typedef struct InSet {
    bool has_null;
    uint32_t count;       /* without NULL */
    uint32_t mask;        /* slots - 1 of the hash table; 0: none */
    int64_t *integers;    /* PHYSICAL_INT64, BOOL: the items, or slots */
    Str *strings;         /* PHYSICAL_STR */
    uint8_t *taken;       /* per slot */
    const Vector **items; /* every other form: constant vectors */
} InSet;

static uint32_t table_size(uint32_t count)
{
    uint32_t size = 16;
    while (size < count * 2)
        size *= 2;
    return size;
}

static void insert_integer(InSet *set, int64_t value)
{
    uint32_t slot = (uint32_t)hash_u64((uint64_t)value) & set->mask;
    while (set->taken[slot] && set->integers[slot] != value)
        slot = (slot + 1) & set->mask;
    set->taken[slot] = 1;
    set->integers[slot] = value;
}

static void insert_string(InSet *set, const Str *value)
{
    uint32_t slot = (uint32_t)hash_str(value) & set->mask;
    while (set->taken[slot] && !str_equal(&set->strings[slot], value))
        slot = (slot + 1) & set->mask;
    set->taken[slot] = 1;
    set->strings[slot] = *value;
}

static Error *prepare_in(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    InSet *set = ARENA_NEW(arena, InSet);
    for (int i = 1; i < count; i++) {
        if (!constants[i])
            return error_new(ERR_INTERNAL, "IN needs constants"); /* the binder makes a chain of = otherwise */
        set->has_null |= constants[i]->is_null;
        set->count += !constants[i]->is_null;
    }
    PhysicalType form = type_physical(constants[1]->type);
    bool integers = form == PHYSICAL_INT64 || form == PHYSICAL_BOOL;
    size_t slots = set->count;
    if ((integers || form == PHYSICAL_STR) && set->count > FEW) {
        slots = table_size(set->count);
        set->mask = (uint32_t)slots - 1;
        set->taken = arena_calloc(arena, slots, 1);
    }
    if (integers)
        set->integers = ARENA_ARRAY(arena, int64_t, slots + 1);
    else if (form == PHYSICAL_STR)
        set->strings = ARENA_ARRAY(arena, Str, slots + 1);
    else
        set->items = ARENA_ARRAY(arena, const Vector *, slots + 1);
    uint32_t next = 0;
    for (int i = 1; i < count; i++) {
        const Value *value = constants[i];
        if (value->is_null)
            continue;
        Value own = value_copy(arena, value);
        if (integers && set->mask)
            insert_integer(set, own.integer);
        else if (integers)
            set->integers[next++] = own.integer;
        else if (set->strings && set->mask)
            insert_string(set, &own.text);
        else if (set->strings)
            set->strings[next++] = own.text;
        else
            set->items[next++] = vector_constant(arena, &own);
    }
    *prepared = set;
    return NULL;
}

static bool has_integer(const InSet *set, int64_t value)
{
    uint32_t slot = (uint32_t)hash_u64((uint64_t)value) & set->mask;
    for (; set->taken[slot]; slot = (slot + 1) & set->mask)
        if (set->integers[slot] == value)
            return true;
    return false;
}

static bool has_string(const InSet *set, const Str *value)
{
    if (!set->mask) {
        bool found = false;
        for (uint32_t i = 0; i < set->count && !found; i++)
            found = str_equal(&set->strings[i], value);
        return found;
    }
    uint32_t slot = (uint32_t)hash_str(value) & set->mask;
    for (; set->taken[slot]; slot = (slot + 1) & set->mask)
        if (str_equal(&set->strings[slot], value))
            return true;
    return false;
}

CLONES static void in_few_integers(const InSet *set, const int64_t *restrict values, uint8_t *restrict result, uint32_t count)
{
    memset(result, 0, count);
    for (uint32_t i = 0; i < set->count; i++) {
        const int64_t item = set->integers[i];
        for (uint32_t row = 0; row < count; row++)
            result[row] |= values[row] == item;
    }
}

static bool has_item(const InSet *set, const Vector *vector, uint32_t row)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (vector_compare_rows(vector, row, set->items[i], 0) == 0)
            return true;
    return false;
}

static Error *in(const Args *args, Vector *out)
{
    const InSet *set = args->prepared;
    const Vector *vector = args->arg[0];
    uint8_t *result = out->values;
    uint32_t mask = vector_mask(vector);
    PhysicalType form = type_physical(vector->type);
    if (form == PHYSICAL_INT64 && !set->mask && vector->encoding == VECTOR_FLAT)
        in_few_integers(set, vector->values, result, args->row_count);
    else if (form == PHYSICAL_INT64 || form == PHYSICAL_BOOL) {
        for (uint32_t row = 0; row < args->row_count; row++) {
            int64_t value = form == PHYSICAL_BOOL ? ((const uint8_t *)vector->values)[row & mask] : ((const int64_t *)vector->values)[row & mask];
            if (set->mask) {
                result[row] = has_integer(set, value);
                continue;
            }
            result[row] = 0;
            for (uint32_t i = 0; i < set->count; i++)
                result[row] |= set->integers[i] == value;
        }
    } else {
        for (uint32_t row = 0; row < args->row_count; row++)
            result[row] = form == PHYSICAL_STR ? has_string(set, &((const Str *)vector->values)[row & mask]) : has_item(set, vector, row);
    }
    if (set->has_null || vector->validity)
        for (uint32_t row = 0; row < args->row_count; row++)
            if (vector_is_null(vector, row) || (set->has_null && !result[row]))
                args_null(args, out, row);
    return NULL;
}

/* ---- choosing ---- */

static uint16_t *new_choice(const Args *args) { return arena_alloc(args->evaluation->arena, sizeof(uint16_t) * ((size_t)args->row_count + 1)); }

static Error *choose(const Args *args, Vector *out, const Vector *const sources[], const uint16_t *which)
{
    vector_choose(args->evaluation->arena, out, sources, which, args->row_count);
    return NULL;
}

static Error *coalesce(const Args *args, Vector *out)
{
    uint16_t *which = new_choice(args);
    for (uint32_t row = 0; row < args->row_count; row++) {
        which[row] = CHOOSE_NONE;
        for (int i = 0; i < args->arg_count && which[row] == CHOOSE_NONE; i++)
            if (!vector_is_null(args->arg[i], row))
                which[row] = (uint16_t)i;
    }
    return choose(args, out, args->arg, which);
}

static Error *if_else(const Args *args, Vector *out)
{
    uint16_t *which = new_choice(args);
    for (uint32_t row = 0; row < args->row_count; row++)
        which[row] = !vector_is_null(args->arg[0], row) && ARG(args, 0, uint8_t, row) ? 1 : args->arg_count > 2 ? 2 : CHOOSE_NONE;
    return choose(args, out, args->arg, which);
}

static Error *nullif(const Args *args, Vector *out)
{
    uint16_t *which = new_choice(args);
    for (uint32_t row = 0; row < args->row_count; row++) {
        bool equal = !vector_is_null(args->arg[0], row) && vector_compare_rows(args->arg[0], row, args->arg[1], row) == 0;
        which[row] = equal ? CHOOSE_NONE : 0;
    }
    return choose(args, out, args->arg, which);
}

/* A NULL argument makes the result NULL, as in Flink; the other systems that have it leave NULLs out only in aggregates. */
static Error *extreme(const Args *args, Vector *out, int sign)
{
    uint16_t *which = new_choice(args);
    for (uint32_t row = 0; row < args->row_count; row++) {
        int best = 0;
        for (int i = 1; i < args->arg_count; i++)
            if (sign * vector_compare_rows(args->arg[i], row, args->arg[best], row) > 0)
                best = i;
        which[row] = (uint16_t)best;
    }
    return choose(args, out, args->arg, which);
}

static Error *greatest(const Args *args, Vector *out) { return extreme(args, out, 1); }
static Error *least(const Args *args, Vector *out) { return extreme(args, out, -1); }

static const Type *type_of_first(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

static const Type *type_of_second(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[1];
}

#define OPERATOR .hidden = true, .category = "operator"
#define CONDITIONAL .category = "conditional"

static const char *const coalesce_aliases[] = { "ifnull", "nvl", NULL };
static const char *const if_aliases[] = { "iif", NULL };

const ScalarFunction logic_functions[] = {
    { "not", { TYPE_BOOLEAN }, TYPE_BOOLEAN, not, .dense = true, OPERATOR },
    { "is null", { TYPE_ANY }, TYPE_BOOLEAN, is_null, .dense = true, .sees_nulls = true, OPERATOR },
    { "is not null", { TYPE_ANY }, TYPE_BOOLEAN, is_not_null, .dense = true, .sees_nulls = true, OPERATOR },
    { "is true", { TYPE_BOOLEAN }, TYPE_BOOLEAN, is_true, .dense = true, .sees_nulls = true, OPERATOR },
    { "is false", { TYPE_BOOLEAN }, TYPE_BOOLEAN, is_false, .dense = true, .sees_nulls = true, OPERATOR },
    { "in", { TYPE_ANY, TYPE_ANY }, TYPE_BOOLEAN, in, .prepare = prepare_in, .variadic = true, .unify = true, .sees_nulls = true, OPERATOR },
    { "coalesce", { TYPE_ANY }, TYPE_ANY, coalesce, .resolve = type_of_first, .variadic = true, .unify = true, .sees_nulls = true,
      .aliases = coalesce_aliases, CONDITIONAL, .doc = "The first argument that is not NULL.", .example = "coalesce(NULL, 'a', 'b')", .yields = "a" },
    { "if", { TYPE_BOOLEAN, TYPE_ANY, TYPE_ANY }, TYPE_ANY, if_else, .resolve = type_of_second, .unify = true, .sees_nulls = true,
      .aliases = if_aliases, CONDITIONAL, .doc = "The second argument if the first is true, else the third.", .example = "if(1 > 2, 'yes', 'no')", .yields = "no" },
    { "nullif", { TYPE_ANY, TYPE_ANY }, TYPE_ANY, nullif, .resolve = type_of_first, .unify = true, .sees_nulls = true, CONDITIONAL,
      .doc = "NULL if both arguments are equal, else the first.", .example = "nullif('n/a', 'n/a')", .yields = "NULL" },
    { "greatest", { TYPE_ANY }, TYPE_ANY, greatest, .resolve = type_of_first, .variadic = true, .unify = true, CONDITIONAL,
      .doc = "The largest of the arguments; NULL if one is NULL.", .example = "greatest(3, 1, 2)", .yields = "3" },
    { "least", { TYPE_ANY }, TYPE_ANY, least, .resolve = type_of_first, .variadic = true, .unify = true, CONDITIONAL,
      .doc = "The smallest of the arguments; NULL if one is NULL.", .example = "least(3, 1, 2)", .yields = "1" },
    { .name = NULL },
};

/* functions/lambda.c: functions that take lambdas: what they are called and what they take. The binder types their bodies, exec evaluates
 * them (exec/lambda.c): a body runs over the elements of a whole batch at once. */
#include "functions/functions_internal.h"

/* ksqlDB's lambdas cannot calculate with NULL. */
static Error *required(const Args *args, Vector *out)
{
    Vector *copy = arena_copy(args->evaluation->arena, args->arg[0], sizeof *copy);
    if (copy->validity)
        copy->validity = arena_copy(args->evaluation->arena, copy->validity, bitmap_words(args->row_count) * 8);
    copy->encoding = VECTOR_FLAT; /* a constant has one row */
    *out = *copy;
    for (ARGS_EACH(args, row))
        if (vector_is_null(out, row))
            args_fail(args, out, row, "arithmetic with NULL in a lambda");
    return NULL;
}

static const Type *type_of_first(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

#define A TYPE_ARRAY
#define M TYPE_MAP
#define L TYPE_LAMBDA
#define FORM(form) .lambda = form, .sees_nulls = true, .category = "lambda"

const ScalarFunction lambda_functions[] = {
    { "not null value", { TYPE_ANY }, TYPE_ANY, required, type_of_first, .can_fail = true, .sees_nulls = true, .hidden = true, .category = "operator" },
    { "transform", { A, L }, A, FORM(LAMBDA_TRANSFORM), .doc = "Each element replaced by what the lambda makes of it.",
      .example = "transform(ARRAY[1, 2, NULL], x => x * 10)", .yields = "[10,20,null]" },
    { "transform", { M, L, L }, M, FORM(LAMBDA_TRANSFORM), .can_fail = true,
      .doc = "A map of new keys, which the first lambda makes of key and value, to new values, which the second one makes. Keys must differ and not be NULL.",
      .example = "transform(MAP('a' := 1, 'b' := 2), (k, v) => upper(k), (k, v) => v * 10)", .yields = "{\"A\":10,\"B\":20}" },
    { "filter", { A, L }, A, FORM(LAMBDA_FILTER), .doc = "The elements for which the lambda is true.",
      .example = "filter(ARRAY[3, 6, NULL, 10], x => x > 5)", .yields = "[6,10]" },
    { "filter", { M, L }, M, FORM(LAMBDA_FILTER), .doc = "The keys and values for which the lambda is true.",
      .example = "filter(MAP('a' := 1, 'b' := 2), (k, v) => v > 1 AND k <> 'c')", .yields = "{\"b\":2}" },
    { "reduce", { A, TYPE_ANY, L }, TYPE_ANY, FORM(LAMBDA_REDUCE),
      .doc = "The second argument folded with each element in turn: the lambda makes a new state of the state and the element. A NULL array leaves the state as it is.",
      .example = "reduce(ARRAY[1, 2, 3], 0, (s, x) => s + x)", .yields = "6" },
    { "reduce", { M, TYPE_ANY, L }, TYPE_ANY, FORM(LAMBDA_REDUCE),
      .doc = "The second argument folded with each key and value in turn. A NULL map leaves the state as it is.",
      .example = "reduce(MAP('a' := 1, 'b' := 2), '', (s, k, v) => s || k || CAST(v AS STRING))", .yields = "a1b2" },
    { "any_match", { A, L }, TYPE_BOOLEAN, FORM(LAMBDA_ANY), .doc = "Is the lambda true for one of the elements? NULL if that is not known.",
      .example = "any_match(ARRAY[1, 7], x => x > 5)", .yields = "true" },
    { "any_match", { M, L }, TYPE_BOOLEAN, FORM(LAMBDA_ANY), .doc = "Is the lambda true for one of the keys and values? NULL if that is not known.",
      .example = "any_match(MAP('a' := 1), (k, v) => v > 5)", .yields = "false" },
    { "all_match", { A, L }, TYPE_BOOLEAN, FORM(LAMBDA_ALL), .doc = "Is the lambda true for all elements? NULL if that is not known; an empty array: true.",
      .example = "all_match(ARRAY[1, 7], x => x > 5)", .yields = "false" },
    { "all_match", { M, L }, TYPE_BOOLEAN, FORM(LAMBDA_ALL), .doc = "Is the lambda true for all keys and values? NULL if that is not known; an empty map: true.",
      .example = "all_match(MAP('a' := 7), (k, v) => v > 5)", .yields = "true" },
    { .name = NULL },
};

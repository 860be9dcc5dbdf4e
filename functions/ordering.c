/* functions/ordering.c: what the planner makes of TopOne() and CollectTop(n) OVER (ORDER BY ..): an order of several columns as one value, and places
 * for the values of a list. Not in SHOW FUNCTIONS. */
#include "common/order_bytes.h"
#include "functions/functions_internal.h"

/* $order_key('aD', x, y): a letter a value: a ascending, d descending; a capital: NULL first. */
static Error *order_key(const Args *args, Vector *out)
{
    Text bytes = { 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    Str *result = out->values;
    for (ARGS_EACH(args, row)) {
        const Str flags = ARG(args, 0, Str, row);
        bytes.length = 0;
        for (int i = 1; i < args->arg_count && i <= (int)flags.length; i++) {
            const char flag = str_bytes(&flags)[i - 1];
            order_bytes_put(&bytes, args->arg[i], row, (flag | 32) == 'd', flag < 'a');
        }
        result[row] = str_view(arena_copy(args->evaluation->arena, text_c(&bytes), bytes.length), bytes.length);
    }
    text_release(&bytes);
    return NULL;
}

static const Type *ranked_type(Arena *arena, const Type *const types[], int count)
{
    static const char *const names[] = { "rank", "value" };
    if (count != 1 || types[0]->kind != TYPE_ARRAY || types[0]->children[0]->kind != TYPE_STRUCT || types[0]->children[0]->child_count != 2)
        return NULL;
    return type_array(arena, type_struct(arena, 2, names, (const Type *const[]){ type_scalar(TYPE_BIGINT), types[0]->children[0]->children[1] }));
}

/* $ranked(list of (key, value)): list of (place, value). */
static Error *ranked(const Args *args, Vector *out)
{
    Arena *arena = args->evaluation->arena;
    const Type *pair = args->result_type->children[0];
    for (uint32_t row = 0; row < args->row_count; row++) { /* rows of nested vectors are set in order */
        Value list = vector_get(arena, args->arg[0], row);
        for (uint32_t i = 0; !list.is_null && i < list.nested.count; i++) {
            Value *items = ARENA_ARRAY(arena, Value, 2);
            items[0] = (Value){ .type = pair->children[0], .integer = i + 1 };
            items[1] = list.nested.items[i].nested.items[1];
            list.nested.items[i] = (Value){ .type = pair, .nested = { items, 2 } };
        }
        list.type = args->result_type;
        vector_set(arena, out, row, &list);
    }
    return NULL;
}

const ScalarFunction ordering_functions[] = {
    { "$order_key", { TYPE_VARCHAR, TYPE_ANY }, TYPE_BYTES, order_key, .variadic = true, .sees_nulls = true, .hidden = true, .category = "operator" },
    { "$ranked", { TYPE_ANY }, TYPE_ANY, ranked, .resolve = ranked_type, .sees_nulls = true, .hidden = true, .category = "operator" },
    { .name = NULL },
};

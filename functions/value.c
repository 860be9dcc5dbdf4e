/* functions/value.c: functions of values of any type. */
#include "functions/functions_internal.h"

/* Azure Stream Analytics' name of a type. */
static const char *asa_name(const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: return "bit";
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT: return "bigint";
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DECIMAL: return "float";
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ: return "datetime";
    case TYPE_ARRAY: return "array";
    case TYPE_MAP:
    case TYPE_STRUCT: return "record";
    case TYPE_VARCHAR:
    case TYPE_BYTES:
    case TYPE_INTERVAL:
    case TYPE_NONE:
    case TYPE_NULL:
    case TYPE_ANY:
    case TYPE_LAMBDA: break;
    }
    return "nvarchar(max)";
}

static Error *get_type(const Args *args, Vector *out)
{
    Str name = str_c(asa_name(args->arg[0]->type)); /* a view of a literal */
    for (ARGS_EACH(args, row))
        ((Str *)out->values)[row] = name;
    return NULL;
}

static Error *as_value(const Args *args, Vector *out)
{
    (void)args, (void)out;
    return NULL; /* never called: the values are the argument's */
}

static const Type *type_of_first(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

const ScalarFunction value_functions[] = {
    { "as_value", { TYPE_ANY }, TYPE_ANY, as_value, type_of_first, .retypes = true, .category = "value", .doc = "The value itself; in ksqlDB a copy of a key column that is not a key.",
      .example = "as_value('a')", .yields = "a" },
    { "gettype", { TYPE_ANY }, TYPE_VARCHAR, get_type, .category = "value", .doc = "The name of the value's type as in Azure Stream Analytics.", .example = "gettype(ARRAY[1])", .yields = "array" },
    { .name = NULL },
};

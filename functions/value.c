/* functions/value.c: functions of values of any type. */
#include "common/value_text.h"
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

static Error *type_of_value(const Args *args, Vector *out)
{
    Str name = str_c(type_text(args->evaluation->arena, args->arg[0]->type));
    for (ARGS_EACH(args, row))
        ((Str *)out->values)[row] = name;
    return NULL;
}

static Error *as_value(const Args *args, Vector *out)
{
    (void)args, (void)out;
    return NULL; /* never called: the values are the argument's */
}

/* ---- nested values as ksqlDB writes them ---- */

static void add_java(Text *text, const Vector *vector, uint32_t row)
{
    row &= vector_mask(vector);
    const Type *type = vector->type;
    if (vector_is_null(vector, row)) {
        text_add_c(text, "null");
        return;
    }
    if (!type_is_nested(type)) {
        text_add_value_plain(text, vector, row);
        return;
    }
    if (type->kind == TYPE_STRUCT) {
        text_add_c(text, "Struct{");
        for (int i = 0, shown = 0; i < type->child_count; i++) {
            if (vector_is_null(vector->children[i], row))
                continue;
            text_printf(text, "%s%s=", shown++ ? "," : "", type->names[i]);
            add_java(text, vector->children[i], row);
        }
        text_add_char(text, '}');
        return;
    }
    bool is_map = type->kind == TYPE_MAP;
    const Vector *child = vector->children[0];
    text_add_char(text, is_map ? '{' : '[');
    for (uint32_t at = vector->offsets[row]; at < vector->offsets[row + 1]; at++) {
        text_add_c(text, at > vector->offsets[row] ? ", " : "");
        if (is_map) {
            add_java(text, child->children[0], at);
            text_add_char(text, '=');
        }
        add_java(text, is_map ? child->children[1] : child, at);
    }
    text_add_char(text, is_map ? '}' : ']');
}

static Error *java_text(const Args *args, Vector *out)
{
    Arena *arena = args->evaluation->arena;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        text.length = 0;
        add_java(&text, args->arg[0], row);
        ((Str *)out->values)[row] = str_view(text.length > STR_INLINE ? arena_copy(arena, text.bytes, text.length) : text_c(&text), text.length);
    }
    text_release(&text);
    return NULL;
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
    { "typeof", { TYPE_ANY }, TYPE_VARCHAR, type_of_value, .sees_nulls = true, .category = "value", .doc = "The type of the value.", .example = "typeof(ARRAY[1.5])", .yields = "ARRAY<DECIMAL(2,1)>" },
    { "java text", { TYPE_ANY }, TYPE_VARCHAR, java_text, .hidden = true, .category = "operator" },
    { .name = NULL },
};

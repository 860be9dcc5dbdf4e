/* planner/bind_type.c: types as written -> types. */
#include "planner/bind_expression.h"

typedef struct TypeName { const char *name; TypeKind kind; } TypeName;

static const TypeName type_names[] = {
    { "BOOLEAN", TYPE_BOOLEAN }, { "BOOL", TYPE_BOOLEAN }, { "BIT", TYPE_BOOLEAN }, { "TINYINT", TYPE_TINYINT }, { "SMALLINT", TYPE_SMALLINT },
    { "INT", TYPE_INT }, { "INTEGER", TYPE_INT }, { "BIGINT", TYPE_BIGINT }, { "FLOAT", TYPE_FLOAT }, { "REAL", TYPE_FLOAT }, { "DOUBLE", TYPE_DOUBLE },
    { "DECIMAL", TYPE_DECIMAL }, { "NUMERIC", TYPE_DECIMAL }, { "DEC", TYPE_DECIMAL }, { "STRING", TYPE_VARCHAR }, { "VARCHAR", TYPE_VARCHAR },
    { "CHAR", TYPE_VARCHAR }, { "NVARCHAR", TYPE_VARCHAR }, { "TEXT", TYPE_VARCHAR }, { "BYTES", TYPE_BYTES }, { "VARBINARY", TYPE_BYTES }, { "BINARY", TYPE_BYTES },
    { "DATE", TYPE_DATE }, { "TIME", TYPE_TIME }, { "TIMESTAMP", TYPE_TIMESTAMP }, { "DATETIME", TYPE_TIMESTAMP }, { "TIMESTAMP_LTZ", TYPE_TIMESTAMP_TZ },
    { "TIMESTAMPTZ", TYPE_TIMESTAMP_TZ }, { "TIMESTAMP_NTZ", TYPE_TIMESTAMP }, { "INTERVAL", TYPE_INTERVAL }, { NULL, TYPE_NONE },
};

static TypeKind find_kind(const char *name)
{
    for (const TypeName *entry = type_names; entry->name; entry++)
        if (name_equal(entry->name, name))
            return entry->kind;
    return TYPE_NONE;
}

static Error *unknown_type(const AstType *ast)
{
    const char *names[sizeof type_names / sizeof type_names[0] + 3];
    int count = 0;
    for (const TypeName *entry = type_names; entry->name; entry++)
        names[count++] = entry->name;
    names[count++] = "ARRAY";
    names[count++] = "MAP";
    names[count++] = "STRUCT";
    return error_suggest(error_at(ERR_BIND, ast->name.at.length ? ast->name.at : ast->at, "no type '%s'", ast->name.text), ast->name.text, names, count);
}

static Error *bind_decimal(Arena *arena, const AstType *ast, const Type **type)
{
    int precision = ast->precision < 0 ? 10 : ast->precision, scale = ast->scale < 0 ? 0 : ast->scale;
    if (precision < 1 || precision > 38)
        return error_at(ERR_BIND, ast->at, "a DECIMAL has 1 to 38 digits, not %d", precision);
    if (scale > precision)
        return error_at(ERR_BIND, ast->at, "the scale %d is more than the precision %d", scale, precision);
    *type = type_decimal(arena, precision, scale);
    return NULL;
}

static Error *bind_timestamp(Arena *arena, const AstType *ast, TypeKind kind, const Type **type)
{
    if (ast->precision > 6)
        return error_hint(error_at(ERR_BIND, ast->at, "TIMESTAMP(%d) is finer than microseconds", ast->precision), "use TIMESTAMP(6)");
    if (ast->with_time_zone || ast->with_local_time_zone)
        kind = TYPE_TIMESTAMP_TZ;
    *type = type_timestamp(arena, kind, ast->precision < 0 ? 3 : ast->precision);
    return NULL;
}

static Error *bind_struct(BindContext *context, const AstType *ast, const Type **type)
{
    int count = ast->fields.count;
    const char **names = ARENA_ARRAY(context->arena, const char *, (size_t)count + 1);
    const Type **types = ARENA_ARRAY(context->arena, const Type *, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        const AstField *field = &ast->fields.items[i];
        names[i] = field->name.text ? dialect_name(context->rules, context->arena, field->name.text, field->name.quoted) : arena_printf(context->arena, "f%d", i);
        TRY(bind_type(context, field->type, &types[i]));
        for (int j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                return error_at(ERR_BIND, field->name.at, "a second field '%s'", names[i]);
    }
    *type = type_struct(context->arena, count, names, types);
    return NULL;
}

Error *bind_type(BindContext *context, const AstType *ast, const Type **type)
{
    const Type *key, *element;
    if (ast->is_struct)
        return bind_struct(context, ast, type);
    if (ast->is_array || ast->is_map)
        TRY(bind_type(context, ast->element, &element));
    if (ast->is_array) {
        *type = type_array(context->arena, element);
        return NULL;
    }
    if (ast->is_map) {
        TRY(bind_type(context, ast->key, &key));
        *type = type_map(context->arena, key, element);
        return NULL;
    }
    TypeKind kind = find_kind(ast->name.text);
    *type = NULL;
    if (kind == TYPE_NONE || ast->name.quoted) {
        if (context->custom_type)
            TRY(context->custom_type(context, ast, type));
        return *type ? NULL : unknown_type(ast);
    }
    if (kind == TYPE_DECIMAL)
        return bind_decimal(context->arena, ast, type);
    if (kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMP_TZ)
        return bind_timestamp(context->arena, ast, kind, type);
    if (kind == TYPE_VARCHAR) {
        if (ast->precision == 0)
            return error_at(ERR_BIND, ast->at, "a VARCHAR of no characters holds nothing");
        bool unlimited = ast->precision < 0 || ast->precision == INT32_MAX;
        *type = type_varchar(context->arena, unlimited ? 0 : (uint32_t)ast->precision);
        return NULL;
    }
    *type = type_scalar(kind);
    return NULL;
}

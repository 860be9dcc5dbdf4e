/* planner/bind_metadata.c: ASA's GetMetadataPropertyValue(input, '[EventHub].[Offset]'): what a message has beside its key and value.
 *
 * The adapter's name in the first brackets is that of an input in Azure; here it says nothing. Without brackets and a second name all
 * properties are meant, as a record. */
#include "planner/binder.h"
#include "planner/expr.h"

typedef enum PropertyKind { PROPERTY_COLUMN, PROPERTY_KEY, PROPERTY_NOW } PropertyKind;

typedef struct Property {
    const char *name;       /* as Azure Stream Analytics calls it */
    const char *aliases[4]; /* NULL-ended */
    PropertyKind kind;
    const char *column;     /* COLUMN: what a scan of messages calls it */
} Property;

static const Property properties[] = {
    { "EventEnqueuedUtcTime", { "EnqueuedTime", "IoTEnqueueTime", "Timestamp", NULL }, PROPERTY_COLUMN, "$record_time" },
    { "EventProcessedUtcTime", { NULL }, PROPERTY_NOW, NULL },
    { "PartitionId", { "Partition", NULL }, PROPERTY_COLUMN, "ROWPARTITION" },
    { "Offset", { "SequenceNumber", NULL }, PROPERTY_COLUMN, "ROWOFFSET" },
    { "PartitionKey", { "Key", NULL }, PROPERTY_KEY, NULL },
};
enum { PROPERTY_COUNT = sizeof properties / sizeof *properties };

static const Property *property_named(const char *name)
{
    for (int i = 0; i < PROPERTY_COUNT; i++) {
        if (name_equal(properties[i].name, name))
            return &properties[i];
        for (int a = 0; properties[i].aliases[a]; a++)
            if (name_equal(properties[i].aliases[a], name))
                return &properties[i];
    }
    return NULL;
}

/* *result stays NULL where the rows have no such thing. */
static Error *bind_property(BindContext *context, const Relation *relation, const char *input, const Property *property, Span at, Expr **result)
{
    const MessageColumns *message = relation->message;
    int column = -1;
    const Column *info = NULL;
    switch (property->kind) {
    case PROPERTY_NOW: return expr_call(context->arena, "proctime", at, 0, NULL, result);
    case PROPERTY_COLUMN:
        TRY(scope_find(context->arena, context->scope, input, property->column, at, &column, &info));
        if (column < 0 && relation->alias == NULL)
            TRY(scope_find(context->arena, context->scope, NULL, property->column, at, &column, &info));
        break;
    case PROPERTY_KEY:
        column = message && message->key_count == 1 ? message->key[0] : -1;
        info = column >= 0 ? &relation->schema.columns[column] : NULL;
        break;
    }
    if (column >= 0)
        *result = expr_column(context->arena, column, property->name, info->type, at);
    return NULL;
}

static Error *bind_record(BindContext *context, const Relation *relation, const char *input, Span at, Expr **result)
{
    const Type *types[PROPERTY_COUNT];
    Expr *values[PROPERTY_COUNT];
    const char **kept = ARENA_ARRAY(context->arena, const char *, PROPERTY_COUNT);
    int count = 0;
    for (int i = 0; i < PROPERTY_COUNT; i++) {
        values[count] = NULL;
        TRY(bind_property(context, relation, input, &properties[i], at, &values[count]));
        if (!values[count])
            continue;
        kept[count] = properties[i].name;
        types[count] = values[count]->type;
        count++;
    }
    TRY(expr_call(context->arena, "struct", at, count, values, result));
    (*result)->type = type_struct(context->arena, count, kept, types);
    return NULL;
}

/* '[adapter].[name]' -> name; 'adapter' -> NULL. False: it is neither. */
static bool read_path(Arena *arena, const Str *path, const char **adapter, const char **name)
{
    const char *at = str_bytes(path), *end = at + path->length;
    *name = NULL;
    if (path->length == 0)
        return false;
    if (*at != '[') {
        *adapter = arena_strndup(arena, at, path->length);
        return !memchr(at, '.', path->length);
    }
    const char *close = memchr(at, ']', (size_t)(end - at));
    if (!close || end - close < 4 || close[1] != '.' || close[2] != '[' || end[-1] != ']')
        return false;
    *adapter = arena_strndup(arena, at + 1, (size_t)(close - at - 1));
    *name = arena_strndup(arena, close + 3, (size_t)(end - 1 - close - 3));
    return true;
}

static Error *no_property(const char *name, Span at)
{
    const char *names[PROPERTY_COUNT];
    for (int i = 0; i < PROPERTY_COUNT; i++)
        names[i] = properties[i].name;
    return error_suggest(error_at(ERR_BIND, at, "no property '%s': there are EventEnqueuedUtcTime, EventProcessedUtcTime, PartitionId, Offset and PartitionKey", name), name, names, PROPERTY_COUNT);
}

Error *bind_metadata_property(BindContext *context, const Relation *relation, const AstExpr *ast, Expr **result)
{
    const AstExpr *input = ast->args.count == 2 ? ast->args.items[0] : NULL, *path = ast->args.count == 2 ? ast->args.items[1] : NULL;
    const char *adapter = NULL, *name = NULL;
    if (!input || input->kind != AST_NAME || path->kind != AST_LITERAL || path->value.type->kind != TYPE_VARCHAR || !read_path(context->arena, &path->value.text, &adapter, &name))
        return error_hint(error_at(ERR_BIND, ast->at, "GetMetadataPropertyValue takes an input and the name of a property in quotes"), "GetMetadataPropertyValue(input, '[EventHub].[Offset]')");
    const char *alias = input->path.items[input->path.count - 1].text;
    if (!name && name_equal(adapter, "EventId"))
        return expr_call(context->arena, "uuid", ast->at, 0, NULL, result);
    if (name_equal(adapter, "User"))
        return error_hint(error_at(ERR_UNSUPPORTED, path->at, "properties of the user are headers of messages, which are columns here"), "declare a column: trace BYTES HEADER('%s')", name ? name : "name");
    if (!name)
        return bind_record(context, relation, alias, ast->at, result);
    const Property *property = property_named(name);
    if (!property)
        return no_property(name, path->at);
    TRY(bind_property(context, relation, alias, property, ast->at, result));
    if (!*result)
        return error_hint(error_at(ERR_BIND, path->at, "rows of '%s' have no %s", alias, property->name), "messages of topics have it");
    return NULL;
}

/* server/ksql_entities.c: what statements give, as the entities of ksqlDB's REST API (their fields: reference pages of ksqlDB 0.29, "Execute a statement"). */
#include <string.h>

#include "common/value_text.h"
#include "server/server_internal.h"

/* ---- what stands in rows ---- */

static int column_of(const RuntimeRows *rows, const char *name)
{
    for (int i = 0; i < rows->schema.column_count; i++)
        if (name_equal(rows->schema.columns[i].name, name))
            return i;
    return -1;
}

static json_t *value_json(const Value *value)
{
    if (value->is_null || !value->type)
        return json_null();
    if (value->type->kind == TYPE_VARCHAR)
        return json_stringn(str_bytes(&value->text), value->text.length);
    if (value->type->kind == TYPE_BOOLEAN)
        return json_boolean(value->integer);
    if (type_is_integer(value->type))
        return json_integer(value->integer);
    if (value->type->kind == TYPE_DOUBLE)
        return json_real(value->number);
    return json_null();
}

/* The text in a column by its name; "" without. */
static json_t *cell(const RuntimeRows *rows, int row, const char *name)
{
    int column = column_of(rows, name);
    return column < 0 ? json_string("") : value_json(&rows->rows[row * rows->schema.column_count + column]);
}

static json_t *lines_of(const RuntimeRows *rows)
{
    Text text = { 0 };
    for (int i = 0; i < rows->row_count; i++) {
        const Value *line = &rows->rows[i * rows->schema.column_count];
        text_add(&text, str_bytes(&line->text), line->text.length);
        text_add_char(&text, '\n');
    }
    json_t *json = json_stringn(text_c(&text), text.length);
    text_release(&text);
    return json;
}

/* A statement that ksqlDB does not know: its rows as they are. */
static json_t *plain_rows(const RuntimeRows *rows)
{
    json_t *names = json_array(), *all = json_array();
    for (int i = 0; i < rows->schema.column_count; i++)
        json_array_append_new(names, json_string(rows->schema.columns[i].name));
    for (int row = 0; row < rows->row_count; row++) {
        json_t *values = json_array();
        for (int i = 0; i < rows->schema.column_count; i++)
            json_array_append_new(values, value_json(&rows->rows[row * rows->schema.column_count + i]));
        json_array_append_new(all, values);
    }
    return json_pack("{s:s,s:o,s:o}", "@type", "rows", "columns", names, "rows", all);
}

/* ---- streams, tables ---- */

typedef struct EntityList {
    json_t *list;
    const char *type;
    const json_t *only; /* rows that begin with the names of those that are asked for; NULL: all */
} EntityList;

static const char *or_empty(const char *text) { return text ? text : ""; }

static void format_name(const char *format, char *out, size_t size)
{
    size_t i = 0;
    for (; format && format[i] && i + 1 < size; i++)
        out[i] = (char)(format[i] >= 'a' && format[i] <= 'z' ? format[i] - 32 : format[i]);
    out[i] = 0;
}

static bool names_entity(const json_t *rows, const char *name)
{
    size_t i;
    const json_t *row;
    bool found = false;
    json_array_foreach(rows, i, row)
        found |= strcmp(or_empty(json_string_value(json_array_get(row, 0))), name) == 0;
    return found;
}

static void add_entity(void *caller, const EntityInfo *entity)
{
    EntityList *list = caller;
    char key[40], value[40];
    if (strcmp(entity->type, list->type) != 0 || (list->only && !names_entity(list->only, entity->name)))
        return;
    format_name(entity->key_format ? entity->key_format : "KAFKA", key, sizeof key);
    format_name(entity->value_format ? entity->value_format : "JSON", value, sizeof value);
    json_array_append_new(list->list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "type", strcmp(entity->type, "table") == 0 ? "TABLE" : "STREAM", "name", entity->name,
                                                "topic", entity->topic ? entity->topic : entity->name, "keyFormat", key, "valueFormat", value, "isWindowed", entity->windowed));
}

static json_t *entity_list(Server *server, const KsqlEntity *entity, const char *type, const char *tag)
{
    EntityList list = { json_array(), type, entity->some ? json_object_get(entity->json, "rows") : NULL };
    runtime_entities(server->runtime, NULL, add_entity, &list);
    return json_pack("{s:s,s:o}", "@type", tag, tag, list.list);
}

typedef struct Described {
    json_t *json;
    bool extended;
} Described;

typedef struct QueryPick {
    const char *id;
    json_t *list, *one;
} QueryPick;

static json_t *status_count(QueryState state) { return json_pack("{s:i}", query_state_name(state), 1); }

static json_t *query_json(const QueryInfo *query)
{
    json_t *sinks = json_array(), *topics = json_array();
    if (query->sink) {
        json_array_append_new(sinks, json_string(query->sink));
        json_array_append_new(topics, json_string(query->sink));
    }
    return json_pack("{s:s,s:o,s:o,s:s,s:o,s:s,s:s}", "queryString", or_empty(query->sql), "sinks", sinks, "sinkKafkaTopics", topics, "id", query->id,
                     "statusCount", status_count(query->state), "queryType", query->persistent ? "PERSISTENT" : "PUSH", "state", query_state_name(query->state));
}

static void pick_query(void *caller, const QueryInfo *query)
{
    QueryPick *pick = caller;
    if (pick->list)
        json_array_append_new(pick->list, query_json(query));
    else if (!pick->one && name_equal(query->id, pick->id))
        pick->one = query_json(query);
}

static json_t *texts(const char *const *items, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_string(items[i]));
    return list;
}

/* The ids that stand under a name become the queries themselves. */
static void fill_queries(Server *server, json_t *entity, const char *name)
{
    json_t *list = json_array(), *id;
    size_t i;
    json_array_foreach(json_object_get(entity, name), i, id)
    {
        QueryPick pick = { .id = json_string_value(id) };
        runtime_queries(server->runtime, pick_query, &pick);
        if (pick.one)
            json_array_append_new(list, pick.one);
    }
    json_object_set_new(entity, name, list);
}

static json_t *fields_of(const Schema *schema)
{
    json_t *fields = json_array();
    for (int i = 0; schema && i < schema->column_count; i++) {
        json_t *field = json_pack("{s:s,s:o}", "name", schema->columns[i].name, "schema", ksql_schema(schema->columns[i].type));
        if (schema->columns[i].is_key)
            json_object_set_new(field, "type", json_string("KEY"));
        json_array_append_new(fields, field);
    }
    return fields;
}

static void describe_entity(void *caller, const EntityInfo *entity)
{
    Described *described = caller;
    char key[40], value[40];
    format_name(entity->key_format ? entity->key_format : "KAFKA", key, sizeof key);
    format_name(entity->value_format ? entity->value_format : "JSON", value, sizeof value);
    json_t *one = json_object();
    json_object_set_new(one, "name", json_string(entity->name));
    json_object_set_new(one, "windowType", entity->window_type ? json_string(entity->window_type) : json_null());
    json_object_set_new(one, "readQueries", texts(entity->readers, entity->reader_count));
    json_object_set_new(one, "writeQueries", texts(entity->writers, entity->writer_count));
    json_object_set_new(one, "fields", fields_of(entity->schema));
    json_object_set_new(one, "type", json_string(strcmp(entity->type, "table") == 0 ? "TABLE" : "STREAM"));
    json_object_set_new(one, "timestamp", json_string(or_empty(entity->timestamp_column)));
    json_object_set_new(one, "statistics", json_string(""));
    json_object_set_new(one, "errorStats", json_string(""));
    json_object_set_new(one, "extended", json_boolean(described->extended));
    json_object_set_new(one, "keyFormat", json_string(key));
    json_object_set_new(one, "valueFormat", json_string(value));
    json_object_set_new(one, "topic", json_string(entity->topic ? entity->topic : entity->name));
    json_object_set_new(one, "partitions", json_integer(0));
    json_object_set_new(one, "replication", json_integer(0));
    json_object_set_new(one, "statement", json_string(or_empty(entity->sql)));
    json_object_set_new(one, "queryOffsetSummaries", json_array());
    json_object_set_new(one, "sourceConstraints", json_array());
    json_object_set_new(one, "clusterStatistics", json_array());
    json_object_set_new(one, "clusterErrorStats", json_array());
    described->json = one;
}

static json_t *description(Server *server, const char *name, bool extended)
{
    Described described = { NULL, extended };
    if (!name || !runtime_entities(server->runtime, name, describe_entity, &described) || !described.json)
        return NULL;
    fill_queries(server, described.json, "readQueries");
    fill_queries(server, described.json, "writeQueries");
    return json_pack("{s:s,s:o}", "@type", "sourceDescription", "sourceDescription", described.json);
}

/* ---- queries, functions, topics.. ---- */

static json_t *query_list(Server *server)
{
    QueryPick pick = { .list = json_array() };
    runtime_queries(server->runtime, pick_query, &pick);
    return json_pack("{s:s,s:o}", "@type", "queries", "queries", pick.list);
}

static json_t *plan_entity(Server *server, const char *id, const char *text, const char *plan)
{
    QueryPick pick = { .id = id };
    if (id)
        runtime_queries(server->runtime, pick_query, &pick);
    json_t *state = pick.one ? json_incref(json_object_get(pick.one, "state")) : json_null(), *sinks = pick.one ? json_incref(json_object_get(pick.one, "sinks")) : json_array();
    json_decref(pick.one);
    json_t *one = json_pack("{s:s,s:s,s:n,s:[],s:[],s:o,s:s,s:s,s:{},s:{},s:s,s:[],s:[],s:n,s:o}", "id", or_empty(id), "statementText", text, "windowType", "fields", "sources",
                            "sinks", sinks, "topology", "", "executionPlan", plan, "overriddenProperties", "ksqlHostQueryStatus", "queryType", id ? "PERSISTENT" : "UNKNOWN",
                            "queryErrors", "tasksMetadata", "consumerGroupId", "state", state);
    return json_pack("{s:s,s:o}", "@type", "queryDescription", "queryDescription", one);
}

static json_t *function_list(const RuntimeRows *rows)
{
    json_t *list = json_array();
    for (int row = 0; row < rows->row_count; row++) {
        json_t *signature = cell(rows, row, "function"), *category = cell(rows, row, "category");
        const char *text = json_string_value(signature) ? json_string_value(signature) : "", *words = json_string_value(category) ? json_string_value(category) : "";
        json_array_append_new(list, json_pack("{s:o,s:s,s:o}", "name", json_stringn(text, strcspn(text, "(")), "type",
                                              strstr(words, "aggregate") ? "AGGREGATE" : strcmp(words, "table") == 0 ? "TABLE" : "SCALAR", "category", category));
        json_decref(signature);
    }
    return json_pack("{s:s,s:o}", "@type", "function_names", "functions", list);
}

static json_t *function_description(const RuntimeRows *rows)
{
    json_t *forms = json_array(), *name = json_string(""), *doc = json_string("");
    const char *type = "SCALAR";
    for (int row = 0; row < rows->row_count; row++) {
        json_t *signature = cell(rows, row, "function"), *category = cell(rows, row, "category");
        const char *text = json_string_value(signature) ? json_string_value(signature) : "", *arrow = strstr(text, "-> ");
        if (strstr(json_string_value(category) ? json_string_value(category) : "", "aggregate"))
            type = "AGGREGATE";
        json_decref(name);
        json_decref(doc);
        name = json_stringn(text, strcspn(text, "("));
        doc = cell(rows, row, "what it does");
        json_t *arguments = json_array();
        for (const char *at = text + strcspn(text, "(") + (strchr(text, '(') != NULL), *end = strchr(text, ')'); end && at < end;) {
            size_t length = strcspn(at, ",)");
            bool variadic = strncmp(at, "..", 2) == 0;
            json_array_append_new(arguments, json_pack("{s:s,s:o,s:s,s:b}", "name", "", "type", json_stringn(at, length), "description", "", "isVariadic", variadic));
            at += length + 1 + (at[length] == ',' && at[length + 1] == ' ');
        }
        json_array_append_new(forms, json_pack("{s:o,s:s,s:O}", "arguments", arguments, "returnType", arrow ? arrow + 3 : "", "description", doc));
        json_decref(signature);
        json_decref(category);
    }
    return json_pack("{s:s,s:o,s:o,s:s,s:s,s:s,s:o,s:s}", "@type", "describe_function", "name", name, "description", doc, "author", "", "version", "", "path", "internal",
                     "functions", forms, "type", type);
}

static json_t *topic_list(const RuntimeRows *rows, bool extended)
{
    json_t *list = json_array();
    for (int row = 0; row < rows->row_count; row++) {
        json_t *partitions = cell(rows, row, "partitions"), *replicas = cell(rows, row, "replicas"), *info = json_array();
        int64_t count = json_is_integer(partitions) ? json_integer_value(partitions) : json_is_string(partitions) ? strtoll(json_string_value(partitions), NULL, 10) : 1;
        int64_t each = json_is_integer(replicas) ? json_integer_value(replicas) : json_is_string(replicas) ? strtoll(json_string_value(replicas), NULL, 10) : 1;
        for (int64_t i = 0; i < count && i < 10000; i++)
            json_array_append_new(info, json_integer(each ? each : 1));
        json_decref(partitions);
        json_decref(replicas);
        json_t *one = json_pack("{s:o,s:o}", "name", cell(rows, row, column_of(rows, "name") >= 0 ? "name" : "topic"), "replicaInfo", info);
        if (extended) {
            json_object_set_new(one, "consumerCount", json_integer(0));
            json_object_set_new(one, "consumerGroupCount", json_integer(0));
        }
        json_array_append_new(list, one);
    }
    return json_pack("{s:s,s:o}", "@type", extended ? "kafka_topics_extended" : "kafka_topics", "topics", list);
}

static json_t *type_list(const RuntimeRows *rows)
{
    json_t *types = json_object();
    for (int row = 0; row < rows->row_count; row++) {
        json_t *name = cell(rows, row, "name");
        if (json_string_value(name))
            json_object_set_new(types, json_string_value(name), cell(rows, row, "type"));
        json_decref(name);
    }
    return json_pack("{s:s,s:o}", "@type", "type_list", "types", types);
}

static json_t *property_list(const RuntimeRows *rows)
{
    json_t *list = json_array();
    for (int row = 0; row < rows->row_count; row++)
        json_array_append_new(list, json_pack("{s:o,s:s,s:o,s:b,s:s}", "name", cell(rows, row, "name"), "scope", "KSQL", "value", cell(rows, row, "value"), "editable", 1,
                                              "level", "SERVER"));
    return json_pack("{s:s,s:o,s:[],s:[]}", "@type", "properties", "properties", list, "overwrittenProperties", "defaultProperties");
}

static json_t *variable_list(const RuntimeRows *rows)
{
    json_t *list = json_array();
    for (int row = 0; row < rows->row_count; row++)
        json_array_append_new(list, json_pack("{s:o,s:o}", "name", cell(rows, row, "name"), "value", cell(rows, row, "value")));
    return json_pack("{s:s,s:o}", "@type", "variables", "variables", list);
}

static json_t *rows_entity(const RuntimeResult *result)
{
    switch (result->show) {
    case SHOW_FUNCTIONS: return function_list(&result->rows);
    case SHOW_FUNCTION: return function_description(&result->rows);
    case SHOW_TOPICS: return topic_list(&result->rows, result->extended);
    case SHOW_TYPES: return type_list(&result->rows);
    case SHOW_PROPERTIES: return property_list(&result->rows);
    case SHOW_VARIABLES: return variable_list(&result->rows);
    case SHOW_PLAN:
    case SHOW_QUERY: return json_pack("{s:o}", "plan", lines_of(&result->rows));
    case SHOW_STREAMS: case SHOW_TABLES: case SHOW_QUERIES: case SHOW_DESCRIPTION: case SHOW_VIEWS: case SHOW_LAG: case SHOW_OTHER: break;
    }
    return plain_rows(&result->rows);
}

/* ---- what was done ---- */

static json_t *status_entity(Server *server, const RuntimeResult *result)
{
    Arena arena;
    arena_init(&arena, NULL);
    const char *type = result->entity_type ? result->entity_type : "statement", *action = result->action ? result->action : "execute";
    const char *name = result->entity_name ? result->entity_name : result->query_id ? result->query_id : "";
    if (strcmp(type, "query") == 0)
        type = result->action && (strcmp(result->action, "terminate") == 0 || strcmp(result->action, "pause") == 0 || strcmp(result->action, "resume") == 0) ? result->action : "stream";
    if (strcmp(type, result->action ? result->action : "") == 0)
        action = "execute";
    const char *id = arena_printf(&arena, "%s/%s/%s", type, name, action);
    json_t *query = result->query_id ? json_string(result->query_id) : json_null();
    json_t *json = json_pack("{s:s,s:s,s:{s:s,s:s,s:o},s:i,s:[]}", "@type", "currentStatus", "commandId", id, "commandStatus", "status", "SUCCESS", "message",
                             or_empty(result->message), "queryId", query, "commandSequenceNumber", (int)++server->commands, "warnings");
    arena_release(&arena);
    return json;
}

static char *copy_of(const char *text) { return text ? mem_strdup(text) : NULL; }

void ksql_entity_begin(Server *server, const RuntimeResult *result, KsqlEntity *entity)
{
    bool silent = result->kind == RESULT_STATUS && result->entity_type && (strcmp(result->entity_type, "setting") == 0 || strcmp(result->entity_type, "variable") == 0);
    *entity = (KsqlEntity){ .show = SHOW_OTHER, .extended = result->extended, .some = result->some };
    if (silent)
        return;
    entity->json = result->kind == RESULT_STATUS ? status_entity(server, result) : rows_entity(result);
    entity->show = result->kind == RESULT_ROWS ? result->show : SHOW_OTHER;
    entity->name = copy_of(result->entity_name);
    entity->query_id = copy_of(result->query_id);
    json_t *text = json_stringn(result->text, result->length);
    entity->text = copy_of(json_string_value(text) ? json_string_value(text) : "");
    json_decref(text);
}

/* What only the runtime knows, once it holds no lock. */
static json_t *asked_entity(Server *server, const KsqlEntity *entity)
{
    switch (entity->show) {
    case SHOW_STREAMS: return entity_list(server, entity, "stream", "streams");
    case SHOW_TABLES: return entity_list(server, entity, "table", "tables");
    case SHOW_QUERIES: return query_list(server);
    case SHOW_DESCRIPTION: return description(server, entity->name, entity->extended);
    case SHOW_PLAN:
    case SHOW_QUERY: return plan_entity(server, entity->query_id, entity->text, or_empty(json_string_value(json_object_get(entity->json, "plan"))));
    case SHOW_FUNCTIONS: case SHOW_FUNCTION: case SHOW_TOPICS: case SHOW_TYPES: case SHOW_PROPERTIES: case SHOW_VARIABLES: case SHOW_VIEWS: case SHOW_LAG: case SHOW_OTHER: break;
    }
    return NULL;
}

json_t *ksql_entity_end(Server *server, KsqlEntity *entity)
{
    json_t *json = entity->json, *asked = json ? asked_entity(server, entity) : NULL;
    if (asked) {
        json_decref(json);
        json = asked;
    }
    if (json) {
        json_object_set_new(json, "statementText", json_string(entity->text));
        if (!json_object_get(json, "warnings"))
            json_object_set_new(json, "warnings", json_array());
    }
    mem_free(entity->name);
    mem_free(entity->query_id);
    mem_free(entity->text);
    return json;
}

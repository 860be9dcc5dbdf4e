/* server/ksql_rows.c: rows as ksqlDB's clients read them: /query's array, /query-stream's lines, a WebSocket's messages; and as events of our own API. */
#include "common/calendar.h"
#include "common/value_text.h"
#include "server/server_internal.h"

/* ---- values ---- */

/* ksqlDB writes times in ISO 8601, without a zone. */
static void add_value(Text *out, const Vector *column, uint32_t row)
{
    bool is_time = column->type->kind == TYPE_TIMESTAMP && !vector_is_null(column, row);
    if (!is_time) {
        text_add_value_json(out, column, row);
        return;
    }
    size_t start = out->length;
    text_add_value_json(out, column, row);
    for (size_t at = start; at < out->length; at++)
        if (out->bytes[at] == ' ')
            out->bytes[at] = 'T';
}

static void add_values(Text *out, const Batch *batch, uint32_t row)
{
    text_add_char(out, '[');
    for (int i = 0; i < batch->column_count; i++) {
        if (i)
            text_add_char(out, ',');
        add_value(out, batch->columns[i], row);
    }
    text_add_char(out, ']');
}

/* ---- types ---- */

static const char *scalar_name(const Type *type)
{
    switch (type->kind) {
    case TYPE_VARCHAR: return "STRING";
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: return "INTEGER";
    case TYPE_FLOAT: return "DOUBLE";
    default: return type_kind_name(type->kind);
    }
}

void ksql_type_text(const Type *type, Text *text)
{
    switch (type->kind) {
    case TYPE_DECIMAL: text_printf(text, "DECIMAL(%d, %d)", type->precision, type->scale); return;
    case TYPE_ARRAY:
        text_add_c(text, "ARRAY<");
        ksql_type_text(type->children[0], text);
        text_add_char(text, '>');
        return;
    case TYPE_MAP:
        text_add_c(text, "MAP<");
        ksql_type_text(type->children[0], text);
        text_add_c(text, ", ");
        ksql_type_text(type->children[1], text);
        text_add_char(text, '>');
        return;
    case TYPE_STRUCT:
        text_add_c(text, "STRUCT<");
        for (int i = 0; i < type->child_count; i++) {
            text_printf(text, "%s`%s` ", i ? ", " : "", type->names[i]);
            ksql_type_text(type->children[i], text);
        }
        text_add_char(text, '>');
        return;
    default: text_add_c(text, scalar_name(type)); return;
    }
}

static json_t *parameters_of(const Type *type)
{
    return json_pack("{s:i,s:i}", "precision", type->precision, "scale", type->scale);
}

json_t *ksql_schema(const Type *type)
{
    json_t *schema = json_object(), *fields = json_null(), *member = json_null();
    const char *name = scalar_name(type);
    if (type->kind == TYPE_STRUCT) {
        fields = json_array();
        for (int i = 0; i < type->child_count; i++)
            json_array_append_new(fields, json_pack("{s:s,s:o}", "name", type->names[i], "schema", ksql_schema(type->children[i])));
    }
    if (type->kind == TYPE_ARRAY || type->kind == TYPE_MAP)
        member = ksql_schema(type->children[type->kind == TYPE_MAP]);
    json_object_set_new(schema, "type", json_string(name));
    json_object_set_new(schema, "fields", fields);
    json_object_set_new(schema, "memberSchema", member);
    if (type->kind == TYPE_DECIMAL)
        json_object_set_new(schema, "parameters", parameters_of(type));
    return schema;
}

/* ---- headers ---- */

static void add_schema_text(const QueryHeader *header, Text *out)
{
    for (int i = 0; i < header->schema->column_count; i++) {
        const Column *column = &header->schema->columns[i];
        text_printf(out, "%s`%s` ", i ? ", " : "", column->name);
        ksql_type_text(column->type, out);
        if (column->is_key && !header->continuous)
            text_add_c(out, " KEY");
    }
}

static void add_quoted(Text *out, const char *text) { text_add_json_string(out, text, strlen(text)); }

static void add_ksql_header(const QueryHeader *header, Text *out)
{
    Text schema = { 0 };
    MEMORY_HOLD(text_unwind, &schema);
    add_schema_text(header, &schema);
    text_add_c(out, "[{\"header\":{\"queryId\":");
    add_quoted(out, header->id);
    text_add_c(out, ",\"schema\":");
    add_quoted(out, text_c(&schema));
    text_add_c(out, "}}");
    text_release(&schema);
}

static void add_column_header(const QueryHeader *header, Text *out)
{
    text_add_c(out, "{\"queryId\":");
    if (header->continuous)
        add_quoted(out, header->id);
    else
        text_add_c(out, "null");
    text_add_c(out, ",\"columnNames\":[");
    for (int i = 0; i < header->schema->column_count; i++) {
        text_add_c(out, i ? "," : "");
        add_quoted(out, header->schema->columns[i].name);
    }
    text_add_c(out, "],\"columnTypes\":[");
    for (int i = 0; i < header->schema->column_count; i++) {
        Text type = { 0 };
        MEMORY_HOLD(text_unwind, &type);
        ksql_type_text(header->schema->columns[i].type, &type);
        text_add_c(out, i ? "," : "");
        add_quoted(out, text_c(&type));
        text_release(&type);
    }
    text_add_c(out, "]}");
}

static void add_websocket_header(const QueryHeader *header, Text *out)
{
    json_t *fields = json_array();
    for (int i = 0; i < header->schema->column_count; i++)
        json_array_append_new(fields, json_pack("{s:s,s:o}", "name", header->schema->columns[i].name, "schema", ksql_schema(header->schema->columns[i].type)));
    char *text = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
    if (text)
        text_add_c(out, text);
    free(text);
}

void rows_header(RowsFormat format, const QueryHeader *header, Text *out)
{
    switch (format) {
    case ROWS_KSQL_JSON: add_ksql_header(header, out); return;
    case ROWS_DELIMITED:
        if (header->lines)
            return;
        add_column_header(header, out);
        text_add_char(out, '\n');
        return;
    case ROWS_JSON_ARRAY:
        text_add_char(out, '[');
        add_column_header(header, out);
        return;
    case ROWS_WEBSOCKET: add_websocket_header(header, out); return;
    case ROWS_EVENTS:
        text_add_c(out, "event: header\ndata: ");
        add_column_header(header, out);
        text_add_c(out, "\n\n");
        return;
    case ROWS_CHANGES:
        text_printf(out, "{\"updating\":%s,\"continuous\":%s,%s\"header\":", header->updating ? "true" : "false", header->continuous ? "true" : "false", header->lines ? "\"preformatted\":true," : "");
        add_column_header(header, out);
        text_add_c(out, "}\n");
        return;
    }
}

/* ---- rows ---- */

static void add_tombstone(const QueryHeader *header, const Batch *batch, uint32_t row, Text *out)
{
    text_add_c(out, ",\n{\"row\":{\"columns\":[");
    for (int i = 0; i < batch->column_count; i++) {
        if (i)
            text_add_char(out, ',');
        if (header->schema->columns[i].is_key)
            add_value(out, batch->columns[i], row);
        else
            text_add_c(out, "null");
    }
    text_add_c(out, "],\"tombstone\":true}}");
}

static void add_event(const Batch *batch, uint32_t row, Text *out)
{
    text_printf(out, "event: %s\ndata: ", batch_kind(batch, row) == ROW_DELETE ? "delete" : batch_kind(batch, row) == ROW_UPDATE_BEFORE ? "before" : "row");
    add_values(out, batch, row);
    text_add_c(out, "\n\n");
}

/* False: the form has no way to say this change. */
static bool add_row(RowsFormat format, const QueryHeader *header, const Batch *batch, uint32_t row, uint64_t count, Text *out)
{
    RowKind kind = batch_kind(batch, row);
    if (format == ROWS_EVENTS) {
        add_event(batch, row, out);
        return true;
    }
    if (format == ROWS_CHANGES) {
        text_printf(out, "{\"op\":\"%s\",\"row\":", row_kind_text(kind));
        add_values(out, batch, row);
        text_add_c(out, "}\n");
        return true;
    }
    if (kind == ROW_UPDATE_BEFORE)
        return false; /* ksqlDB knows the new value alone */
    if (kind == ROW_DELETE) {
        if (format == ROWS_KSQL_JSON)
            add_tombstone(header, batch, row, out);
        return format == ROWS_KSQL_JSON;
    }
    switch (format) {
    case ROWS_KSQL_JSON:
        text_add_c(out, ",\n{\"row\":{\"columns\":");
        add_values(out, batch, row);
        text_add_c(out, "}}");
        break;
    case ROWS_DELIMITED:
        if (header->lines)
            text_add_value_plain(out, batch->columns[0], row);
        else
            add_values(out, batch, row);
        text_add_char(out, '\n');
        break;
    case ROWS_JSON_ARRAY:
        text_add_c(out, ",\n");
        add_values(out, batch, row);
        break;
    case ROWS_WEBSOCKET:
        if (count)
            text_add_char(out, 0); /* between messages */
        text_add_c(out, "{\"row\":{\"columns\":");
        add_values(out, batch, row);
        text_add_c(out, "}}");
        break;
    case ROWS_EVENTS: case ROWS_CHANGES: break;
    }
    return true;
}

void rows_batch(RowsFormat format, const QueryHeader *header, const Batch *batch, uint64_t *count, Text *out)
{
    for (uint32_t i = 0; i < batch->selection.count; i++)
        *count += add_row(format, header, batch, selection_row(&batch->selection, i), format == ROWS_WEBSOCKET ? out->length : *count, out);
}

void rows_error(RowsFormat format, const char *message, uint64_t *count, Text *out)
{
    json_t *error = ksql_error(50000, message);
    char *text = json_dumps(error, JSON_COMPACT);
    json_decref(error);
    (void)count;
    switch (format) {
    case ROWS_KSQL_JSON: text_printf(out, ",\n{\"errorMessage\":%s}", text); break;
    case ROWS_DELIMITED: text_printf(out, "%s\n", text); break;
    case ROWS_JSON_ARRAY: text_printf(out, ",\n%s", text); break;
    case ROWS_EVENTS: text_printf(out, "event: error\ndata: %s\n\n", text); break;
    case ROWS_CHANGES: text_printf(out, "{\"error\":%s}\n", text); break;
    case ROWS_WEBSOCKET: break; /* it is the reason with which the socket closes */
    }
    free(text);
}

void rows_end(RowsFormat format, const char *final_message, uint64_t count, Text *out)
{
    (void)count;
    switch (format) {
    case ROWS_KSQL_JSON:
        if (final_message)
            text_printf(out, ",\n{\"finalMessage\":\"%s\"}", final_message);
        text_add_char(out, ']');
        break;
    case ROWS_JSON_ARRAY: text_add_char(out, ']'); break;
    case ROWS_EVENTS: text_add_c(out, "event: end\ndata: {}\n\n"); break;
    case ROWS_CHANGES: text_add_c(out, "{\"end\":true}\n"); break;
    case ROWS_DELIMITED: case ROWS_WEBSOCKET: break;
    }
}

const char *rows_content_type(RowsFormat format)
{
    switch (format) {
    case ROWS_KSQL_JSON: return "application/vnd.ksql.v1+json";
    case ROWS_DELIMITED: return "application/vnd.ksqlapi.delimited.v1";
    case ROWS_JSON_ARRAY: return "application/json";
    case ROWS_EVENTS: return "text/event-stream";
    case ROWS_CHANGES: return "application/x-ndjson";
    case ROWS_WEBSOCKET: break;
    }
    return "application/json";
}

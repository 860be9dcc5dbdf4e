/* runtime/processing_log_rows.c: entries of the processing log as rows: ours, with a column for each fact, and ksqlDB's. */
#include <string.h>

#include "common/value_text.h"
#include "runtime/processing_log.h"

const char *const processing_log_streams[2] = {
    "CREATE SOURCE STREAM " LOG_STREAM " (ts TIMESTAMP(3), level VARCHAR, query VARCHAR, stage VARCHAR, operator VARCHAR, source VARCHAR, split VARCHAR, position BIGINT, "
    "line BIGINT, column_name VARCHAR, reason VARCHAR, record VARCHAR, record_count BIGINT, WATERMARK FOR ts AS ts);",
    "CREATE SOURCE STREAM " LOG_KSQL_STREAM " (LOGGER VARCHAR, LEVEL VARCHAR, TIME BIGINT, MESSAGE STRUCT<TYPE INT, "
    "DESERIALIZATIONERROR STRUCT<TARGET VARCHAR, ERRORMESSAGE VARCHAR, RECORDB64 VARCHAR, CAUSE ARRAY<VARCHAR>, TOPIC VARCHAR>, "
    "RECORDPROCESSINGERROR STRUCT<ERRORMESSAGE VARCHAR, RECORD VARCHAR, CAUSE ARRAY<VARCHAR>>, "
    "PRODUCTIONERROR STRUCT<ERRORMESSAGE VARCHAR>, "
    "SERIALIZATIONERROR STRUCT<TARGET VARCHAR, ERRORMESSAGE VARCHAR, RECORD VARCHAR, CAUSE ARRAY<VARCHAR>, TOPIC VARCHAR>, "
    "KAFKASTREAMSTHREADERROR STRUCT<ERRORMESSAGE VARCHAR, THREADNAME VARCHAR, CAUSE ARRAY<VARCHAR>>>);",
};

/* ksqlDB's types of messages, which are also the places of their fields behind TYPE. */
enum { DESERIALIZATION_ERROR, RECORD_PROCESSING_ERROR, PRODUCTION_ERROR, SERIALIZATION_ERROR, THREAD_ERROR };

/* ---- values ---- */

static Value text_value(const char *text) { return text ? (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(text) } : value_null(type_scalar(TYPE_VARCHAR)); }

static Value number_value(const Type *type, bool known, int64_t number) { return known ? (Value){ .type = type, .integer = number } : value_null(type); }

static Value record_value(Arena *arena, const LogEntry *entry)
{
    if (!entry->record)
        return value_null(type_scalar(TYPE_VARCHAR));
    return (Value){ .type = type_scalar(TYPE_VARCHAR), .text = text_printable(arena, str_view(entry->record, entry->record_length)) };
}

static Value base64_value(Arena *arena, const LogEntry *entry)
{
    if (!entry->record)
        return value_null(type_scalar(TYPE_VARCHAR));
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_add_base64(&text, (const unsigned char *)entry->record, entry->record_length);
    Value value = text_value(arena_strdup(arena, text_c(&text)));
    text_release(&text);
    return value;
}

static Value nested_value(Arena *arena, const Type *type, uint32_t count, const Value *items)
{
    Value value = { .type = type };
    value.nested.items = arena_copy(arena, items, sizeof *items * count);
    value.nested.count = count;
    return value;
}

/* ---- ours ---- */

static uint32_t fill_facts(const Schema *channel, Arena *arena, const LogEntry *entry, Value *row)
{
    const Type *ts = channel->columns[0].type, *number = type_scalar(TYPE_BIGINT);
    const Value values[] = { number_value(ts, true, entry->time_us / 1000 * 1000), text_value(entry->level), text_value(entry->query), text_value(entry->stage), text_value(entry->operator),
        text_value(entry->source), text_value(entry->split), number_value(number, entry->has_position, (int64_t)entry->position), number_value(number, entry->line != 0, (int64_t)entry->line),
        text_value(entry->column), text_value(entry->reason), record_value(arena, entry), number_value(number, true, (int64_t)entry->count) };
    memcpy(row, values, sizeof values);
    return sizeof values / sizeof *values;
}

/* ---- ksqlDB's ---- */

static int ksql_type(const LogEntry *entry)
{
    if (strcmp(entry->stage, "decode") == 0)
        return DESERIALIZATION_ERROR;
    if (strcmp(entry->stage, "sink") == 0)
        return PRODUCTION_ERROR;
    return strcmp(entry->stage, "time") == 0 || strcmp(entry->stage, "expression") == 0 ? RECORD_PROCESSING_ERROR : THREAD_ERROR;
}

static Value ksql_detail(Arena *arena, const Type *type, int kind, const LogEntry *entry)
{
    const Value reason = text_value(entry->reason);
    const Type *causes = type->child_count ? type->children[type->child_count - 1] : NULL;
    switch (kind) {
    case DESERIALIZATION_ERROR: {
        const Value cause = nested_value(arena, type->children[3], 1, &reason);
        const Value fields[] = { text_value("value"), reason, base64_value(arena, entry), cause, text_value(entry->topic ? entry->topic : entry->source) };
        return nested_value(arena, type, 5, fields);
    }
    case RECORD_PROCESSING_ERROR: {
        const Value fields[] = { reason, record_value(arena, entry), nested_value(arena, causes, 1, &reason) };
        return nested_value(arena, type, 3, fields);
    }
    case PRODUCTION_ERROR:
        return nested_value(arena, type, 1, &reason);
    default: {
        const Value fields[] = { reason, text_value(entry->query), nested_value(arena, causes, 1, &reason) };
        return nested_value(arena, type, 3, fields);
    }
    }
}

static const char *logger_name(Arena *arena, const LogEntry *entry)
{
    if (!entry->query)
        return "processing";
    if (strcmp(entry->stage, "decode") == 0)
        return arena_printf(arena, "processing.%s.%s.deserializer", entry->query, entry->source);
    return entry->operator ? arena_printf(arena, "processing.%s.%s", entry->query, entry->operator) : arena_printf(arena, "processing.%s", entry->query);
}

static uint32_t fill_ksql(const Schema *channel, Arena *arena, const LogEntry *entry, Value *row)
{
    const Type *message = channel->columns[3].type;
    Value fields[6];
    const int kind = ksql_type(entry);
    fields[0] = number_value(message->children[0], true, kind);
    for (int i = 1; i < 6; i++)
        fields[i] = i == kind + 1 ? ksql_detail(arena, message->children[i], kind, entry) : value_null(message->children[i]);
    row[0] = text_value(logger_name(arena, entry));
    row[1] = text_value(entry->level);
    row[2] = number_value(type_scalar(TYPE_BIGINT), true, entry->time_us / 1000);
    row[3] = nested_value(arena, message, 6, fields);
    row[4] = number_value(channel->columns[4].type, true, entry->time_us); /* hidden: when the row came */
    return 5;
}

Batch *processing_log_rows(const Schema *channel, int stream, const LogEntry *const *entries, uint32_t count)
{
    Value row[16];
    Batch *batch = batch_for_schema(NULL, channel, count);
    MEMORY_HOLD(batch_unwind, &batch);
    batch->wm_us = arena_alloc(&batch->arena, sizeof *batch->wm_us * ((size_t)count + 1));
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t columns = stream == 0 ? fill_facts(channel, &batch->arena, entries[i], row) : fill_ksql(channel, &batch->arena, entries[i], row);
        for (uint32_t c = 0; c < columns; c++)
            vector_set(&batch->arena, batch->columns[c], i, &row[c]);
        batch->wm_us[i] = TIME_MIN;
    }
    batch->row_count = batch->selection.count = count;
    batch->wm_end_us = TIME_MIN;
    return batch;
}

/* exec/record_sink.c: rows -> messages of a topic: key and value encoded by their formats, time and window from columns of their own. */
#include "exec/record_sink.h"
#include "exec/sink_queue.h"

#include "common/calendar.h"
#include "connectors/schema_registries.h"

typedef struct SinkPart {
    Encoder encoder;
    bool open;
    Schema schema;
    int *places;             /* of each column in the batch */
    const Vector **columns;  /* of the batch at hand */
    Text bytes;              /* of all messages of the batch */
    size_t *ends;            /* of each message in `bytes` */
    bool *none;              /* the message goes without it */
} SinkPart;

struct RecordSink {
    const PlanNode *node;
    SinkPart key, value;
    int time, declared_time, no_value, window_start, window_end; /* columns; -1: none */
    bool with_headers;
    Record *records;
    size_t capacity;
};

static int find_part(const PlanNode *node, RecordPart part)
{
    for (int i = 0; i < node->schema.column_count; i++)
        if (node->sink.parts[i] == part)
            return i;
    return -1;
}

/* The column of that part that the target declares, or the one that the planner has added. */
static int find_hidden(const PlanNode *node, RecordPart part, bool hidden)
{
    for (int i = 0; i < node->schema.column_count; i++)
        if (node->sink.parts[i] == part && node->schema.columns[i].hidden == hidden)
            return i;
    return -1;
}

/* A key's columns stand in the order of the key. */
static void add_places(const PlanNode *node, RecordPart wanted, SinkPart *part)
{
    const SinkSpec *spec = &node->sink.spec;
    int count = wanted == RECORD_KEY ? spec->key_count : node->schema.column_count;
    for (int i = 0; i < count; i++) {
        int place = wanted == RECORD_KEY ? spec->key_columns[i] : i;
        const bool copied = wanted == RECORD_VALUE && node->sink.parts[place] == RECORD_KEY && node->sink.value_holds_key;
        if (node->sink.parts[place] != wanted && !copied)
            continue;
        Column *column = &part->schema.columns[part->schema.column_count];
        part->places[part->schema.column_count++] = place;
        *column = node->schema.columns[place];
        if (wanted == RECORD_KEY)
            column->name += node->sink.key_prefix_length;
    }
}

static Error *open_part(Arena *arena, const PlanNode *node, RecordPart wanted, const FormatType *format, const void *options, const ConnectorContext *context, SinkPart *part)
{
    int count = node->schema.column_count;
    part->schema.columns = ARENA_ARRAY(arena, Column, (size_t)count + 1);
    part->places = ARENA_ARRAY(arena, int, (size_t)count + 1);
    part->columns = ARENA_ARRAY(arena, const Vector *, (size_t)count + 1);
    add_places(node, wanted, part);
    if (!format || part->schema.column_count == 0)
        return NULL;
    SchemaRegistry *registry;
    TRY(schema_registry_find(context, registry_connection(format, options), &registry));
    part->encoder = (Encoder){ .type = format, .schema = &part->schema, .options = options, .key = wanted == RECORD_KEY,
                                 .registry = registry, .topic = connector_topic(node->sink.connector, node->sink.spec.options) };
    part->open = true; /* close is due also after a failed open */
    return format->encoder_open(&part->encoder);
}

Error *record_sink_open(Arena *arena, const PlanNode *node, const ConnectorContext *context, RecordSink **result)
{
    RecordSink *sink = *result = ARENA_NEW(arena, RecordSink);
    sink->node = node;
    sink->time = find_hidden(node, RECORD_TIMESTAMP, true);
    sink->declared_time = find_hidden(node, RECORD_TIMESTAMP, false);
    sink->no_value = find_part(node, RECORD_NO_VALUE);
    sink->window_start = find_part(node, RECORD_WINDOW_START);
    sink->window_end = find_part(node, RECORD_WINDOW_END);
    sink->with_headers = find_part(node, RECORD_HEADERS) >= 0 || find_part(node, RECORD_HEADER) >= 0;
    TRY(open_part(arena, node, RECORD_KEY, node->sink.key_format, node->sink.key_format_options, context, &sink->key));
    return open_part(arena, node, RECORD_VALUE, node->sink.format, node->sink.format_options, context, &sink->value);
}

static void close_part(SinkPart *part)
{
    if (part->open)
        part->encoder.type->encoder_close(&part->encoder);
    text_release(&part->bytes);
    mem_free(part->ends);
    mem_free(part->none);
    *part = (SinkPart){ 0 };
}

void record_sink_close(RecordSink *sink)
{
    close_part(&sink->key);
    close_part(&sink->value);
    mem_free(sink->records);
    sink->records = NULL;
}

/* ---- one batch ---- */

static void begin_part(SinkPart *part, const Batch *batch, uint32_t room, size_t old_capacity)
{
    part->bytes.length = 0;
    for (int c = 0; c < part->schema.column_count; c++)
        part->columns[c] = batch->columns[part->places[c]];
    if (room <= old_capacity)
        return;
    part->ends = mem_realloc(part->ends, sizeof *part->ends * room);
    part->none = mem_realloc(part->none, sizeof *part->none * room);
}

static Error *encode(SinkPart *part, uint32_t row, uint32_t message, bool without)
{
    part->none[message] = without || !part->open;
    if (!part->none[message])
        TRY(part->encoder.type->encode_record(&part->encoder, part->columns, row, &part->bytes, &part->none[message]));
    part->ends[message] = part->bytes.length;
    return NULL;
}

static bool all_null(const SinkPart *part, uint32_t row)
{
    for (int c = 0; c < part->schema.column_count; c++)
        if (!vector_is_null(part->columns[c], row))
            return false;
    return true;
}

static int64_t time_at(const Batch *batch, int column, uint32_t row)
{
    const Vector *vector = batch->columns[column];
    return vector_is_null(vector, row) ? 0 : ((const int64_t *)vector->values)[row & vector_mask(vector)];
}

/* A declared column of the message's time goes before the rows' own; NULL says nothing. False: the rows have a time, and this one has none. */
static bool message_time(const RecordSink *sink, const Batch *batch, uint32_t row, int64_t *time_us)
{
    *time_us = batch->now_us;
    const int columns[] = { sink->declared_time, sink->time };
    for (int i = 0; i < 2; i++)
        if (columns[i] >= 0 && !vector_is_null(batch->columns[columns[i]], row)) {
            *time_us = time_at(batch, columns[i], row);
            return true;
        }
    return sink->time < 0;
}

static void add_big_endian(Text *text, int64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        text_add_char(text, (char)((uint64_t)value >> shift));
}

/* Behind the key's bytes: see KeyWindow. */
static void add_window(RecordSink *sink, const Batch *batch, uint32_t row, uint32_t message)
{
    SinkPart *key = &sink->key;
    if (sink->node->sink.key_window == KEY_WINDOW_NONE || key->none[message])
        return;
    const size_t before = key->bytes.length;
    int64_t start_us = time_at(batch, sink->window_start, row), end_us = time_at(batch, sink->window_end, row);
    if (sink->node->sink.key_window == KEY_WINDOW_SESSION)
        add_big_endian(&key->bytes, floor_div(end_us, US_PER_MS));
    add_big_endian(&key->bytes, floor_div(start_us, US_PER_MS));
    key->ends[message] = key->bytes.length;
    sink->records[message].window_length = key->bytes.length - before;
}

static bool has_no_value(const RecordSink *sink, const Batch *batch, uint32_t row)
{
    if (sink->no_value < 0)
        return false;
    const Vector *vector = batch->columns[sink->no_value];
    return !vector_is_null(vector, row) && ((const uint8_t *)vector->values)[row & vector_mask(vector)];
}

typedef struct HeaderList { RecordHeader *items; int count, capacity; } HeaderList;

static void add_header(Arena *arena, const char *name, const Value *bytes, HeaderList *list)
{
    RecordHeader header = { name, NULL, 0 };
    if (!bytes->is_null) {
        header.value = arena_strndup(arena, str_bytes(&bytes->text), bytes->text.length);
        header.value_length = bytes->text.length;
    }
    LIST_ADD(arena, list, header);
}

/* The headers of a row, in the arena: a column of all of them, columns of one each. One that is NULL is none. */
static void add_headers(const RecordSink *sink, Arena *arena, const Batch *batch, uint32_t row, Record *record)
{
    HeaderList list = { 0 };
    for (int c = 0; c < sink->node->schema.column_count && sink->with_headers; c++) {
        const RecordPart part = sink->node->sink.parts[c];
        if (part != RECORD_HEADERS && part != RECORD_HEADER)
            continue;
        const Value value = vector_get(arena, batch->columns[c], row);
        if (part == RECORD_HEADER && !value.is_null)
            add_header(arena, sink->node->sink.headers[c], &value, &list);
        for (uint32_t i = 0; part == RECORD_HEADERS && !value.is_null && i < value.nested.count; i++) {
            const Value *name = &value.nested.items[i].nested.items[0];
            add_header(arena, arena_strndup(arena, str_bytes(&name->text), name->text.length), &value.nested.items[i].nested.items[1], &list);
        }
    }
    record->headers = list.items;
    record->header_count = list.count;
}

static void point(const SinkPart *part, uint32_t message, const char **bytes, size_t *length)
{
    size_t start = message ? part->ends[message - 1] : 0;
    *bytes = part->none[message] ? NULL : text_c((Text *)&part->bytes) + start;
    *length = part->ends[message] - start;
}

Error *record_sink_write(Operator *op, RecordSink *records, const Batch *batch)
{
    uint32_t count = batch->selection.count, used = 0;
    size_t old_capacity = records->capacity;
    if (count > records->capacity)
        records->records = mem_grow(records->records, &records->capacity, count, sizeof(Record));
    begin_part(&records->key, batch, (uint32_t)records->capacity, old_capacity);
    begin_part(&records->value, batch, (uint32_t)records->capacity, old_capacity);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        uint8_t kind = batch_kind(batch, row);
        if (kind == ROW_UPDATE_BEFORE)
            continue;
        int64_t time_us;
        if (!message_time(records, batch, row, &time_us)) {
            TRY(job_row_error(op, records->node->sink.on_error, batch, row, "time", NULL, "the message has no time", records->node->at));
            continue;
        }
        records->records[used] = (Record){ .timestamp_us = time_us };
        TRY(encode(&records->key, row, used, records->node->sink.keys_passed && all_null(&records->key, row)));
        add_window(records, batch, row, used);
        TRY(encode(&records->value, row, used, row_kind_retracts(kind) || has_no_value(records, batch, row)));
        add_headers(records, (Arena *)&batch->arena, batch, row, &records->records[used]);
        used++;
    }
    for (uint32_t m = 0; m < used; m++) {
        point(&records->key, m, &records->records[m].key, &records->records[m].key_length);
        point(&records->value, m, &records->records[m].value, &records->records[m].value_length);
    }
    return used ? sink_queue_give(op, &(SinkPiece){ .records = records->records, .record_count = used }) : NULL;
}

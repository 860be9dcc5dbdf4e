/* exec/record_scan.c: messages of a topic -> rows: key and value are decoded by their formats, the rest of a message by what it is.
 *
 * A message whose key or value does not decode is a bad row as a whole. On a table a message without value deletes its key. */
#include "exec/record_scan.h"

#include <string.h>

#include "common/calendar.h"
#include "connectors/schema_registries.h"

/* ---- what is decoded ---- */

static void part_of_spec(Arena *arena, const PlanNode *node, RecordPart part, const FormatType *format, const void *options, RecordColumns *columns)
{
    int count = node->schema.column_count;
    DecodeColumn *specs = ARENA_ARRAY(arena, DecodeColumn, (size_t)count + 1);
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)node->scan.declared_count + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)node->scan.declared_count + 1);
    *columns = (RecordColumns){ .format = format }; /* a restore opens the scan anew */
    columns->places = ARENA_ARRAY(arena, int, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        if (node->scan.columns[i].part == part) {
            columns->places[columns->count] = i;
            specs[columns->count++] = node->scan.columns[i];
        }
    int declared = 0;
    for (int i = 0; i < node->scan.declared_count; i++)
        if (node->scan.declared_parts[i] == part || (part == RECORD_VALUE && node->scan.declared_parts[i] == RECORD_KEY && node->scan.value_holds_key)) {
            types[declared] = node->scan.declared_types ? node->scan.declared_types[i] : NULL;
            names[declared++] = node->scan.declared_names[i];
        }
    columns->spec = (DecodeSpec){ .columns = specs, .column_count = columns->count, .declared_count = declared, .declared_names = names,
                                  .declared_types = node->scan.declared_types ? types : NULL, .options = options, .zone = node->scan.zone };
}

Error *record_scan_init(Arena *arena, const PlanNode *node, const ConnectorContext *context, RecordScan *scan)
{
    part_of_spec(arena, node, RECORD_KEY, node->scan.key_format, node->scan.key_format_options, &scan->key);
    part_of_spec(arena, node, RECORD_VALUE, node->scan.format, node->scan.format_options, &scan->value);
    TRY(schema_registry_find(context, registry_connection(node->scan.key_format, node->scan.key_format_options), &scan->key.spec.registry));
    return schema_registry_find(context, registry_connection(node->scan.format, node->scan.format_options), &scan->value.spec.registry);
}

Error *record_decoders_open(const RecordScan *scan, RecordDecoders *decoders)
{
    const RecordColumns *const parts[] = { &scan->key, &scan->value };
    Decoder *const each[] = { &decoders->key, &decoders->value };
    for (int i = 0; i < 2; i++) {
        if (!parts[i]->format || each[i]->type)
            continue;
        *each[i] = (Decoder){ .type = parts[i]->format, .spec = &parts[i]->spec };
        Error *error = each[i]->type->decoder_open(each[i]); /* what fails is closed with the rest */
        if (error)
            return error;
    }
    return NULL;
}

void record_decoders_close(RecordDecoders *decoders)
{
    Decoder *const each[] = { &decoders->key, &decoders->value };
    for (int i = 0; i < 2; i++) {
        if (each[i]->type)
            each[i]->type->decoder_close(each[i]);
        *each[i] = (Decoder){ 0 };
    }
}

/* ---- windowed keys ---- */

static int64_t big_endian_64(const char *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return (int64_t)value;
}

static size_t window_bytes(KeyWindow window) { return window == KEY_WINDOW_NONE ? 0 : window == KEY_WINDOW_TIME ? 8 : 16; }

/* The window behind a key's bytes. */
static bool key_window(const PlanNode *node, const Record *record, int64_t *start_us, int64_t *end_us)
{
    size_t behind = window_bytes(node->scan.key_window);
    if (!record->key || record->key_length < behind)
        return false;
    const char *at = record->key + record->key_length - behind;
    if (node->scan.key_window == KEY_WINDOW_TIME) {
        *start_us = big_endian_64(at) * US_PER_MS;
        *end_us = time_add(*start_us, node->scan.key_window_size_us);
    } else {
        *end_us = big_endian_64(at) * US_PER_MS;
        *start_us = big_endian_64(at + 8) * US_PER_MS;
    }
    return true;
}

/* ---- one batch ---- */

typedef struct Filling {
    const PlanNode *node;
    Batch *batch;
    const RecordSet *set;
    const Record *records;
    uint32_t count;
    const uint8_t *kinds;         /* of messages that are changes: what each row of them is; NULL: others */
    RecordFailures failures;
} Filling;

static void fail_row(Filling *filling, uint32_t row, const char *reason)
{
    RecordFailure failure = { row, NULL, reason };
    LIST_ADD(&filling->batch->arena, &filling->failures, failure);
}

static Error *decode_part(Filling *filling, const RecordColumns *part, Decoder *decoder, bool key)
{
    Arena *arena = &filling->batch->arena;
    if (!part->format || (part->count == 0 && part->spec.declared_count == 0))
        return NULL;
    RecordBytes *bytes = ARENA_ARRAY(arena, RecordBytes, (size_t)filling->count + 1);
    size_t behind = key ? window_bytes(filling->node->scan.key_window) : 0;
    for (uint32_t i = 0; i < filling->count; i++) {
        const Record *record = &filling->records[i];
        bytes[i] = key ? (RecordBytes){ record->key, record->key_length > behind ? record->key_length - behind : 0 }
                       : (RecordBytes){ record->value, record->value_length };
    }
    Vector **columns = ARENA_ARRAY(arena, Vector *, (size_t)part->count + 1);
    for (int c = 0; c < part->count; c++)
        columns[c] = filling->batch->columns[part->places[c]];
    decoder->record_lines = !key && filling->set->lines;
    if (decoder->record_lines)
        batch_hold_buffer(filling->batch, filling->set->lines);
    return decoder->type->decode_records(decoder, bytes, filling->count, arena, columns, &filling->failures);
}

static Value headers_value(Arena *arena, const Type *type, const Record *record)
{
    const Type *pair = type->children[0];
    Value value = { .type = type };
    value.nested.count = (uint32_t)record->header_count;
    value.nested.items = ARENA_ARRAY(arena, Value, (size_t)record->header_count + 1);
    for (int i = 0; i < record->header_count; i++) {
        const RecordHeader *header = &record->headers[i];
        Value *fields = ARENA_ARRAY(arena, Value, 2);
        fields[0] = (Value){ .type = pair->children[0], .text = str_c(header->key) };
        fields[1] = header->value ? (Value){ .type = pair->children[1], .text = str_view(header->value, header->value_length) } : value_null(pair->children[1]);
        value.nested.items[i] = (Value){ .type = pair, .nested = { fields, 2 } };
    }
    return value;
}

static Value header_value(const Type *type, const DecodeColumn *column, const Record *record)
{
    for (int i = record->header_count - 1; i >= 0; i--)
        if (strcmp(record->headers[i].key, column->path[0]) == 0)
            return record->headers[i].value ? (Value){ .type = type, .text = str_view(record->headers[i].value, record->headers[i].value_length) } : value_null(type);
    return value_null(type);
}

static void fill_fact(const Filling *filling, int c, uint32_t row)
{
    const DecodeColumn *column = &filling->node->scan.columns[c];
    const Record *record = &filling->records[row];
    Vector *vector = filling->batch->columns[c];
    Arena *arena = &filling->batch->arena;
    int64_t start_us = 0, end_us = 0;
    switch (column->part) {
    case RECORD_VALUE:
    case RECORD_KEY: break;
    case RECORD_TIMESTAMP: ((int64_t *)vector->values)[row] = record->timestamp_us; break;
    case RECORD_PARTITION: ((int64_t *)vector->values)[row] = filling->set->partition; break;
    case RECORD_OFFSET: ((int64_t *)vector->values)[row] = (int64_t)record->offset; break;
    case RECORD_TOPIC: ((Str *)vector->values)[row] = str_c(filling->set->topic); break;
    case RECORD_NO_VALUE: ((uint8_t *)vector->values)[row] = record->value == NULL; break;
    case RECORD_WINDOW_START:
    case RECORD_WINDOW_END:
        if (key_window(filling->node, record, &start_us, &end_us))
            ((int64_t *)vector->values)[row] = column->part == RECORD_WINDOW_START ? start_us : end_us;
        else
            vector_set_null(arena, vector, row);
        break;
    case RECORD_HEADERS: {
        Value value = headers_value(arena, vector->type, record);
        vector_set(arena, vector, row, &value);
        break;
    }
    case RECORD_HEADER: {
        Value value = header_value(vector->type, column, record);
        vector_set(arena, vector, row, &value);
        break;
    }
    }
}

static void fill_facts(const Filling *filling)
{
    for (int c = 0; c < filling->node->schema.column_count; c++) {
        RecordPart part = filling->node->scan.columns[c].part;
        for (uint32_t row = 0; part != RECORD_VALUE && part != RECORD_KEY && row < filling->count; row++)
            fill_fact(filling, c, row);
    }
}

/* ---- messages that are changes ---- */

typedef struct Expansion {
    Record *records;
    uint8_t *kinds;
    uint32_t count;
} Expansion;

static void add_row(Expansion *expansion, const Record *record, RecordBytes row, uint8_t kind)
{
    Record *added = &expansion->records[expansion->count];
    *added = *record;
    added->value = row.bytes;
    added->value_length = row.length;
    expansion->kinds[expansion->count++] = kind;
}

/* The rows of a change. A table replaces the row of its key, so that a change that comes twice does no harm; others take back what was before. */
static const char *add_change(Expansion *expansion, const Record *record, const RecordChange *change, bool upsert)
{
    bool takes_back = change->kind == CHANGE_DELETE || (change->kind == CHANGE_UPDATE && !upsert);
    if (takes_back && !change->before.bytes)
        return "a change that does not say what was before ('before' is null)";
    if (takes_back)
        add_row(expansion, record, change->before, change->kind == CHANGE_DELETE ? ROW_DELETE : ROW_UPDATE_BEFORE);
    if (change->kind == CHANGE_INSERT || change->kind == CHANGE_UPDATE)
        add_row(expansion, record, change->after, change->kind == CHANGE_UPDATE && !upsert ? ROW_UPDATE_AFTER : ROW_INSERT);
    return NULL;
}

/* Up to two rows a message; their bytes are parts of the message's. */
static void expand_changes(Filling *filling, const RecordScan *scan)
{
    Arena *arena = &filling->batch->arena;
    Expansion expansion = { ARENA_ARRAY(arena, Record, (size_t)filling->count * 2 + 1), ARENA_ARRAY(arena, uint8_t, (size_t)filling->count * 2 + 1), 0 };
    for (uint32_t i = 0; i < filling->count; i++) {
        const Record *record = &filling->records[i];
        RecordChange change;
        const char *reason = scan->value.format->change(scan->value.spec.options, &(RecordBytes){ record->value, record->value_length }, &change);
        if (!reason)
            reason = add_change(&expansion, record, &change, filling->node->scan.upsert);
        if (reason) {
            fail_row(filling, expansion.count, reason);
            add_row(&expansion, record, (RecordBytes){ NULL, 0 }, ROW_INSERT);
        }
    }
    filling->records = expansion.records;
    filling->count = expansion.count;
    filling->kinds = expansion.kinds;
}

/* A table's message: what it does to its key. */
static void fill_kinds(Filling *filling)
{
    Batch *batch = filling->batch;
    if (filling->kinds) {
        batch->kinds = arena_copy(&batch->arena, filling->kinds, (size_t)filling->count + 1);
        return;
    }
    batch->kinds = ARENA_ARRAY(&batch->arena, uint8_t, (size_t)filling->count + 1);
    for (uint32_t row = 0; row < filling->count; row++) {
        const Record *record = &filling->records[row];
        batch->kinds[row] = record->value ? ROW_INSERT : ROW_DELETE;
        if (!record->key)
            fail_row(filling, row, "a message of a table has no key");
    }
}

static const RecordFailure *failure_of(const Filling *filling, uint32_t row)
{
    for (int i = 0; i < filling->failures.count; i++)
        if (filling->failures.items[i].row == row)
            return &filling->failures.items[i];
    return NULL;
}

/* Without the rows that failed, which become bad rows of the new batch. */
static Batch *without_failures(Filling *filling)
{
    Batch *batch = filling->batch;
    uint32_t *rows = ARENA_ARRAY(&batch->arena, uint32_t, (size_t)filling->count + 1), good = 0;
    for (uint32_t row = 0; row < filling->count; row++)
        if (!failure_of(filling, row))
            rows[good++] = row;
    batch->row_count = filling->count;
    batch->selection = (Selection){ good, rows };
    Batch *kept = batch_compact(batch);
    good = 0;
    for (uint32_t row = 0; row < filling->count; row++) {
        const RecordFailure *failure = failure_of(filling, row);
        const Record *record = &filling->records[row];
        if (!failure) {
            good++;
            continue;
        }
        BadRow bad = { .before_row = good, .position = record->offset, .reason = failure->reason, .column = failure->column };
        bad.raw = record->value ? str_view(record->value, record->value_length) : str_c("");
        batch_add_bad_row(kept, &bad);
    }
    batch_release(batch);
    return kept;
}

Error *record_scan_decode(const RecordScan *scan, RecordDecoders *decoders, const PlanNode *node, const RecordSet *set, uint32_t first, uint32_t count,
                          bool places, Batch **result)
{
    Filling filling = { .node = node, .batch = *result, .set = set, .records = set->records + first, .count = count };
    Batch *batch = filling.batch;
    if (scan->value.format && scan->value.format->change)
        expand_changes(&filling, scan);
    count = filling.count;
    TRY(decode_part(&filling, &scan->key, &decoders->key, true));
    TRY(decode_part(&filling, &scan->value, &decoders->value, false));
    fill_facts(&filling);
    if (node->scan.upsert || filling.kinds)
        fill_kinds(&filling);
    if (places) {
        batch->positions = ARENA_ARRAY(&batch->arena, uint64_t, (size_t)count + 1);
        for (uint32_t row = 0; row < count; row++)
            batch->positions[row] = filling.records[row].offset;
    }
    batch->row_count = count;
    batch->selection = (Selection){ count, NULL };
    if (filling.failures.count)
        *result = without_failures(&filling);
    return NULL;
}

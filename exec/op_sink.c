/* exec/op_sink.c: where rows leave the job: to the caller, as bytes in a format, or as batches.
 *
 * PARTITIONED BY: rows are grouped by the values of the partition columns, one piece of bytes for each folder. Sinks are opened once a
 * job and outlive the operator, as a restore renews operators only. */
#include "common/value_text.h"
#include "connectors/topic_log.h"
#include "exec/job_internal.h"
#include "exec/operators.h"
#include "exec/record_sink.h"
#include "exec/sink_queue.h"
#include "exec/table_store.h"

typedef struct SinkState {
    Encoder encoder;
    bool encoder_open;
    Text bytes, header;
    RecordSink *records;    /* of a connector that takes messages */
    TableStore table;       /* keeps_table */
    Schema encoded;         /* the columns that are written: without the partition's */
    Arena arena;
} SinkState;

static bool is_partition_column(const PlanNode *node, int column)
{
    for (int i = 0; i < node->sink.spec.partition_count; i++)
        if (node->sink.spec.partition_columns[i] == column)
            return true;
    return false;
}

static Error *open_sink(Operator *op)
{
    Job *job = op->context->job;
    const PlanNode *node = op->node;
    if (job->sinks[node->id])
        return NULL;
    Sink *sink = ARENA_NEW(&job->arena, Sink);
    sink->spec = &node->sink.spec;
    sink->context = &job->connectors;
    job->sinks[node->id] = sink; /* close is due also after a failed open */
    return node->sink.connector->sink->open(sink);
}

static Error *open_encoder(Operator *op, SinkState *state)
{
    const PlanNode *node = op->node;
    const FormatType *format = node->sink.format;
    if (!format || !format->encoder_open)
        return error_new(ERR_BIND, "the format '%s' cannot be written", format ? format->name : "none");
    state->encoded.columns = ARENA_ARRAY(&state->arena, Column, (size_t)node->schema.column_count + 1);
    for (int i = 0; i < node->schema.column_count; i++)
        if (!is_partition_column(node, i))
            state->encoded.columns[state->encoded.column_count++] = node->schema.columns[i];
    state->encoder = (Encoder){ .type = format, .schema = &state->encoded, .options = node->sink.format_options, .file = true };
    state->encoder_open = true; /* close is due also after a failed open */
    TRY(format->encoder_open(&state->encoder));
    if (format->encode_header)
        format->encode_header(&state->encoder, &state->header);
    return NULL;
}

static Error *sink_open(Operator *op)
{
    SinkState *state = mem_calloc(1, sizeof *state);
    op->state = state;
    arena_init(&state->arena, &op->pool);
    if (op->node->sink.keeps_table)
        table_store_init(&state->table, &state->arena, &op->pool, op->node);
    if (!op->node->sink.connector)
        return NULL;
    TRY(open_sink(op));
    if (op->node->sink.connector->sink->record_sink)
        return record_sink_open(&state->arena, op->node, &op->context->job->connectors, &state->records);
    return op->node->sink.connector->sink->row_sink ? NULL : open_encoder(op, state);
}

static void sink_close(Operator *op)
{
    SinkState *state = op->state;
    if (!state)
        return;
    if (state->records)
        record_sink_close(state->records);
    if (state->encoder_open)
        state->encoder.type->encoder_close(&state->encoder);
    text_release(&state->bytes);
    text_release(&state->header);
    table_store_release(&state->table);
    arena_release(&state->arena);
    mem_free(state);
    op->state = NULL;
}

static Error *write_piece(Operator *op, const Batch *batch, const char *partition)
{
    SinkState *state = op->state;
    state->bytes.length = 0;
    TRY(state->encoder.type->encode(&state->encoder, batch, op->node->sink.with_kinds, &state->bytes));
    SinkPiece piece = { .partition = partition, .header = text_c(&state->header), .header_length = state->header.length, .bytes = text_c(&state->bytes), .length = state->bytes.length };
    return sink_queue_give(op, &piece);
}

/* Part of a folder's name: '/' and other characters that paths cannot hold become %XX, as Hive writes them. */
static void add_folder_text(Text *path, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c == '/' || c == '\\' || c == '%' || c == '=' || c == 0x7f || (c == '.' && i == 0))
            text_printf(path, "%%%02X", c);
        else
            text_add_char(path, (char)c);
    }
}

static void add_folder_value(Text *path, const Vector *vector, uint32_t row)
{
    Text value = { 0 };
    MEMORY_HOLD(text_unwind, &value);
    if (vector_is_null(vector, row))
        text_add_c(&value, "__HIVE_DEFAULT_PARTITION__");
    else
        text_add_value_plain(&value, vector, row);
    add_folder_text(path, text_c(&value), value.length);
    text_release(&value);
}

static const char *folder_of(Operator *op, const Batch *batch, uint32_t row, Text *path)
{
    const SinkSpec *spec = &op->node->sink.spec;
    path->length = 0;
    for (int i = 0; i < spec->partition_count; i++) {
        int column = spec->partition_columns[i];
        const char *name = op->node->schema.columns[column].name;
        if (i)
            text_add_char(path, '/');
        add_folder_text(path, name, strlen(name));
        text_add_char(path, '=');
        add_folder_value(path, batch->columns[column], row);
    }
    return text_c(path);
}

static Batch *without_partition_columns(const PlanNode *node, Batch *batch)
{
    Batch *out = batch_share(batch);
    int count = 0;
    for (int i = 0; i < batch->column_count; i++)
        if (!is_partition_column(node, i))
            out->columns[count++] = batch->columns[i];
    out->column_count = count;
    return out;
}

/* Rows of one folder after the other, folders in order of their first row. */
static Error *write_partitions(Operator *op, Batch *batch)
{
    Batch *out = without_partition_columns(op->node, batch);
    uint32_t count = batch->selection.count;
    const char **folders = ARENA_ARRAY(&out->arena, const char *, (size_t)count + 1);
    uint32_t *rows = ARENA_ARRAY(&out->arena, uint32_t, (size_t)count + 1);
    Text path = { 0 };
    MEMORY_HOLD(text_unwind, &path);
    for (uint32_t i = 0; i < count; i++) {
        const char *folder = folder_of(op, batch, selection_row(&batch->selection, i), &path);
        folders[i] = i && folders[i - 1] && strcmp(folders[i - 1], folder) == 0 ? folders[i - 1] : arena_strdup(&out->arena, folder);
    }
    text_release(&path);
    Error *error = NULL;
    for (uint32_t i = 0; i < count && !error; i++) {
        if (!folders[i])
            continue;
        const char *folder = folders[i];
        uint32_t used = 0;
        for (uint32_t j = i; j < count; j++)
            if (folders[j] && (folders[j] == folder || strcmp(folders[j], folder) == 0)) {
                rows[used++] = selection_row(&batch->selection, j);
                folders[j] = NULL;
            }
        out->selection = (Selection){ used, rows };
        error = write_piece(op, out, folder);
    }
    batch_release(out);
    return error;
}

static Error *sink_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Job *job = op->context->job;
    const PlanNode *node = op->node;
    Error *error;
    job->counters.rows_out += batch->selection.count;
    if (node->sink.keeps_table)
        table_store_take(&((SinkState *)op->state)->table, batch);
    if (!node->sink.connector || node->sink.connector->sink->row_sink)
        error = sink_queue_give(op, &(SinkPiece){ .batch = batch });
    else if (node->sink.connector->sink->record_sink)
        error = record_sink_write(op, ((SinkState *)op->state)->records, batch);
    else if (node->sink.spec.partition_count)
        error = write_partitions(op, batch);
    else
        error = write_piece(op, batch, NULL);
    batch_release(batch);
    return error;
}

/* ---- time, and what is kept ---- */

static Error *sink_advance(Operator *op, int64_t wm_us)
{
    const PlanNode *node = op->node;
    const SinkType *type = node->sink.connector ? node->sink.connector->sink : NULL;
    if (node->sink.keeps_table)
        table_store_advance(&((SinkState *)op->state)->table, wm_us);
    if (!type || !type->advance || !sink_queues_empty(op->context->job)) /* time does not overtake rows: the next tick brings it */
        return NULL;
    return type->advance(op->context->job->sinks[node->id], wm_us);
}

static int sink_containers(Operator *op, Container **containers, int capacity)
{
    return op->node->sink.keeps_table ? table_store_containers(&((SinkState *)op->state)->table, containers, capacity) : 0;
}

static Error *sink_restored(Operator *op)
{
    return op->node->sink.keeps_table ? table_store_restored(&((SinkState *)op->state)->table) : NULL;
}

const OperatorType sink_operator = { .name = "sink", .open = sink_open, .close = sink_close, .process = sink_process, .advance = sink_advance,
                                     .containers = sink_containers, .restored = sink_restored };

/* ---- exec.h: tables that a job keeps ---- */

static Operator *table_sink(const Job *job, int output) { return job->ordered.operators[job->plan->outputs[output].sink->id]; }
static TableStore *table_of(const Job *job, int output) { return &((SinkState *)table_sink(job, output)->state)->table; }

int job_table(const Job *job)
{
    for (int o = 0; o < job->plan->output_count; o++)
        if (job->plan->outputs[o].sink->sink.keeps_table)
            return o;
    return -1;
}

uint64_t job_table_rows(const Job *job, int output) { return table_of(job, output)->row_count; }
int64_t job_table_watermark(const Job *job, int output) { return table_sink(job, output)->wm_us; }

Error *job_table_find(Job *job, int output, const Value *key, Batch **rows)
{
    Error *error;
    MEMORY_GUARDED(error, table_store_find(table_of(job, output), key, rows));
    return error;
}

Error *job_table_find_group(Job *job, int output, const Value *key, Batch **rows)
{
    Error *error;
    MEMORY_GUARDED(error, table_store_find_group(table_of(job, output), key, rows));
    return error;
}

Error *job_table_scan(Job *job, int output, uint32_t *next, Batch **rows)
{
    Error *error;
    MEMORY_GUARDED(error, table_store_scan(table_of(job, output), next, rows));
    return error;
}

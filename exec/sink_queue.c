/* exec/sink_queue.c: what leaves the job, and waits where a connector has no room for it. */
#include "exec/sink_queue.h"

#include <string.h>

struct SinkQueue {
    Arena arena;               /* of the kept pieces; renewed when the last of them is gone */
    struct { SinkPiece *items; int count, capacity; } pieces;
    int first;                 /* the next piece to offer */
    uint64_t refused;          /* of sink->refused: what is counted */
};

/* ERR_BUSY: what was not taken is left in the piece. */
static Error *offer(Job *job, const PlanNode *node, SinkPiece *piece)
{
    Sink *sink = job->sinks[node->id];
    if (!sink)
        return job->options.on_rows ? job->options.on_rows(job->options.caller, node->sink.output, piece->batch) : NULL;
    const SinkType *type = sink->spec->connector->sink;
    if (type->row_sink)
        return type->write_batch(sink, piece->batch);
    if (!type->record_sink)
        return type->write(sink, piece->partition, piece->header, piece->header_length, piece->bytes, piece->length);
    sink->taken = 0;
    Error *error = type->write_records(sink, piece->records, piece->record_count);
    if (error && error->code == ERR_BUSY) {
        piece->records += sink->taken;
        piece->record_count -= sink->taken;
    }
    return error;
}

static const char *copy_bytes(Arena *arena, const char *bytes, size_t length)
{
    return bytes ? arena_strndup(arena, bytes, length) : NULL;
}

static const RecordHeader *copy_headers(Arena *arena, const Record *record)
{
    RecordHeader *headers = ARENA_ARRAY(arena, RecordHeader, (size_t)record->header_count + 1);
    for (int i = 0; i < record->header_count; i++)
        headers[i] = (RecordHeader){ arena_strdup(arena, record->headers[i].key),
                                     copy_bytes(arena, record->headers[i].value, record->headers[i].value_length), record->headers[i].value_length };
    return headers;
}

static const Record *copy_records(Arena *arena, const Record *records, uint32_t count)
{
    Record *copies = ARENA_ARRAY(arena, Record, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = records[i];
        copies[i].key = copy_bytes(arena, records[i].key, records[i].key_length);
        copies[i].value = copy_bytes(arena, records[i].value, records[i].value_length);
        copies[i].headers = copy_headers(arena, &records[i]);
    }
    return copies;
}

static void keep(SinkQueue *queue, const SinkPiece *piece)
{
    Arena *arena = &queue->arena;
    SinkPiece kept = *piece;
    kept.partition = piece->partition ? arena_strdup(arena, piece->partition) : NULL;
    kept.header = copy_bytes(arena, piece->header, piece->header_length);
    kept.bytes = copy_bytes(arena, piece->bytes, piece->length);
    kept.records = piece->records ? copy_records(arena, piece->records, piece->record_count) : NULL;
    LIST_ADD(arena, &queue->pieces, kept);
    if (kept.batch)
        batch_retain(kept.batch);
}

static SinkQueue *queue_of(Job *job, const PlanNode *node)
{
    SinkQueue **queue = &job->sink_queues[node->id];
    if (!*queue) {
        *queue = ARENA_NEW(&job->arena, SinkQueue);
        arena_init(&(*queue)->arena, &job->pool);
    }
    return *queue;
}

/* Messages that the target has refused meanwhile. */
static Error *count_refused(Job *job, const PlanNode *node, SinkQueue *queue)
{
    const Sink *sink = job->sinks[node->id];
    const uint64_t before = queue->refused;
    if (!sink || sink->refused == before)
        return NULL;
    queue->refused = sink->refused;
    return row_errors_refused(job, node, sink->refused - before, sink->refused_reason);
}

Error *sink_queues_count_refused(Job *job)
{
    for (int id = 0; id < job->plan->node_count; id++)
        if (job->sink_queues[id])
            TRY(count_refused(job, job->plan->nodes[id], job->sink_queues[id]));
    return NULL;
}

static void count_bytes(Job *job, const PlanNode *sink, const SinkPiece *piece)
{
    uint64_t bytes = piece->length;
    for (uint32_t i = 0; i < piece->record_count; i++)
        bytes += piece->records[i].key_length + piece->records[i].value_length;
    job->counters.bytes_out += bytes;
    if (job->node_counters)
        job->node_counters[sink->id].bytes_out += bytes;
}

Error *sink_queue_give(Operator *op, const SinkPiece *piece)
{
    Job *job = op->context->job;
    SinkQueue *queue = queue_of(job, op->node);
    SinkPiece left = *piece;
    count_bytes(job, op->node, piece);
    if (!queue->pieces.count) {
        Error *error = offer(job, op->node, &left);
        if (!error)
            return count_refused(job, op->node, queue);
        if (error->code != ERR_BUSY)
            return error;
        error_free(error);
    }
    keep(queue, &left);
    return NULL;
}

static void empty_queue(SinkQueue *queue)
{
    for (int i = queue->first; i < queue->pieces.count; i++)
        batch_release(queue->pieces.items[i].batch);
    MemoryPool *pool = queue->arena.pool;
    arena_release(&queue->arena);
    *queue = (SinkQueue){ .refused = queue->refused };
    arena_init(&queue->arena, pool);
}

static Error *drain(Job *job, const PlanNode *node, SinkQueue *queue, bool *empty)
{
    for (; queue->first < queue->pieces.count; queue->first++) {
        SinkPiece *piece = &queue->pieces.items[queue->first];
        Error *error = offer(job, node, piece);
        if (error) {
            bool busy = error->code == ERR_BUSY;
            *empty = false;
            if (busy)
                error_free(error);
            return busy ? NULL : error;
        }
        batch_release(piece->batch);
    }
    if (queue->pieces.count)
        empty_queue(queue);
    return NULL;
}

Error *sink_queues_drain(Job *job, bool *empty)
{
    *empty = true;
    for (int id = 0; id < job->plan->node_count; id++)
        if (job->sink_queues[id])
            TRY(drain(job, job->plan->nodes[id], job->sink_queues[id], empty));
    return NULL;
}

bool sink_queues_empty(const Job *job)
{
    for (int id = 0; id < job->plan->node_count; id++)
        if (job->sink_queues[id] && job->sink_queues[id]->pieces.count)
            return false;
    return true;
}

void sink_queues_release(Job *job)
{
    for (int id = 0; job->sink_queues && id < job->plan->node_count; id++)
        if (job->sink_queues[id]) {
            empty_queue(job->sink_queues[id]);
            arena_release(&job->sink_queues[id]->arena);
        }
}

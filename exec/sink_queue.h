/* exec/sink_queue.h: what leaves the job, and waits where a connector (or the caller) has no room for it.
 *
 * A piece that is refused with ERR_BUSY is kept, and so is all that the turn at hand sends behind it. The job then rests until the sink wakes it: it
 * holds at most what one turn has sent. */
#pragma once
#include "exec/job_internal.h"

/* One of: bytes, messages, rows. */
typedef struct SinkPiece {
    const char *partition, *header, *bytes; /* of a byte sink */
    size_t header_length, length;
    const Record *records;                  /* of a sink of messages */
    uint32_t record_count;
    Batch *batch;                           /* of a row sink, and of outputs without a connector */
} SinkPiece;

/* Gives the piece to where the node's rows go, or keeps a copy (a reference of its batch) for later. */
Error *sink_queue_give(Operator *op, const SinkPiece *piece);
/* Offers again what was kept. *empty: nothing is left. */
Error *sink_queues_drain(Job *job, bool *empty);
/* Counts what sinks have said to be refused; ERR_TOO_MANY_BAD. After a flush it is all of it. */
Error *sink_queues_count_refused(Job *job);
bool sink_queues_empty(const Job *job);
void sink_queues_release(Job *job);

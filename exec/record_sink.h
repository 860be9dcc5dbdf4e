/* exec/record_sink.h: rows -> messages of a topic. Private to the room. */
#pragma once
#include "exec/exec_internal.h"

typedef struct RecordSink RecordSink;

/* Lives in the arena; close is due also after a failed open (when *sink is set). */
Error *record_sink_open(Arena *arena, const PlanNode *node, const ConnectorContext *context, RecordSink **sink);
void record_sink_close(RecordSink *sink);
/* The selected rows as messages. The first half of an update is nobody's message; a row taken back is one without value. */
Error *record_sink_write(Operator *op, RecordSink *records, const Batch *batch);

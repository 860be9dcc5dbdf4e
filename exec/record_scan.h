/* exec/record_scan.h: messages of a topic -> rows. Private to the room. */
#pragma once
#include "exec/exec_internal.h"

/* The columns that come from the key, or from the value. */
typedef struct RecordColumns {
    const FormatType *format;
    int count;
    int *places;          /* of each in the scan's schema */
    DecodeSpec spec;
} RecordColumns;

typedef struct RecordScan { RecordColumns key, value; } RecordScan;

/* One pair a worker. */
typedef struct RecordDecoders { Decoder key, value; } RecordDecoders;

Error *record_scan_init(Arena *arena, const PlanNode *node, const ConnectorContext *context, RecordScan *scan);
Error *record_decoders_open(const RecordScan *scan, RecordDecoders *decoders);
void record_decoders_close(RecordDecoders *decoders); /* also after a failed open */

/* Decodes `count` messages from `first` on into *batch (made for the scan's schema, without rows), which may be replaced by a denser one. */
Error *record_scan_decode(const RecordScan *scan, RecordDecoders *decoders, const PlanNode *node, const RecordSet *set, uint32_t first, uint32_t count,
                          bool places, Batch **batch);

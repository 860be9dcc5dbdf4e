/* tests/fuzz/rows.h: what a format makes of bytes, as text to compare: whichever kernel, cut and batch size, it must be the same. */
#pragma once
#include "formats/formats.h"

/* One way to decode the same bytes. */
typedef struct RowsWay {
    const char *name;
    bool general;          /* DecodeSpec.use_general */
    bool origins;          /* want_raw and want_positions */
    bool plain_kernels;    /* as on a processor without AVX2 */
    char padding;          /* what stands behind each piece: it must not matter */
    uint32_t max_rows;
    uint32_t cut_seed;     /* 0: one piece */
} RowsWay;

typedef struct RowsText {
    Text rows;             /* values and bad rows in the order of the input */
    Text origins;          /* raw, positions and lines of the rows */
    Text encoded;          /* the rows written by the same format */
} RowsText;

/* `spec` without use_general, want_raw and want_positions, which the way decides. */
void rows_decode(const FormatType *format, const DecodeSpec *spec, const char *bytes, size_t length, const RowsWay *way, RowsText *text);
void rows_release(RowsText *text);
/* Decodes in every way and aborts where two differ from the first. lossless: what is written must, read and written again, be the same. */
void rows_check(const FormatType *format, const DecodeSpec *spec, const char *bytes, size_t length, const RowsWay ways[], int way_count, bool lossless);

/* A value as text in which every bit counts: -0 is not 0. */
void rows_add_value(Text *out, const Value *value);
/* Where a row is NULL, what lies there must be zero: others rely on it. */
void rows_check_null(const Vector *vector, uint32_t row);

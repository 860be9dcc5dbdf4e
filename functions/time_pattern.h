/* functions/time_pattern.h: patterns of times as the last argument of a function: constant, and read once, or from a column. */
#pragma once
#include "functions/functions_internal.h"

typedef struct TimestampPattern TimestampPattern;

typedef struct TimePattern {
    const Args *args;
    Vector *out;
    const TimestampPattern *current; /* of a column: that of the row before, mostly the same */
    Str text;
} TimePattern;

Error *time_pattern_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared);
/* The row's text of a time in microseconds, and the time of its first argument. False: the row has failed. */
bool time_pattern_format(TimePattern *pattern, uint32_t row, int64_t us);
bool time_pattern_parse(TimePattern *pattern, uint32_t row, int64_t *us);

/* DATEPART's, of time.c: the first argument names the part. */
Error *time_part_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared);
Error *time_date_part(const Args *args, Vector *out);

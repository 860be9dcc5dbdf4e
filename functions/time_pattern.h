/* functions/time_pattern.h: patterns of times as the last argument of a function: constant, and read once, or from a column. */
#pragma once
#include "functions/functions_internal.h"

#include "common/timezone.h"

typedef struct TimestampPattern TimestampPattern;

/* A zone as an argument: constant, and looked up once, or from a column. */
typedef struct ZoneArg {
    const TimeZone *constant, *current;
    Str text; /* of `current` */
} ZoneArg;
/* The row's zone of argument n. NULL: there is none of that name, and the row has failed. */
const TimeZone *zone_arg(ZoneArg *zone, const Args *args, Vector *out, int n, uint32_t row);

typedef struct TimePattern {
    const Args *args;
    Vector *out;
    const TimestampPattern *current; /* of a column: that of the row before, mostly the same */
    Str text;
    ZoneArg zone;
} TimePattern;

/* The pattern is the last argument; the *_zone functions have a zone behind it. */
Error *time_pattern_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared);
Error *time_pattern_zone_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared);
/* The row's text of a time in microseconds, and the time of its first argument. False: the row has failed. */
bool time_pattern_format(TimePattern *pattern, uint32_t row, int64_t us);
bool time_pattern_parse(TimePattern *pattern, uint32_t row, int64_t *us);

/* DATEPART's, of time.c: the first argument names the part. */
Error *time_part_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared);
Error *time_date_part(const Args *args, Vector *out);
/* Kernels of time.c, for the rows with a zone behind the pattern. */
Error *time_format_timestamp(const Args *args, Vector *out);
Error *time_format_epoch_ms(const Args *args, Vector *out);
Error *time_parse_timestamp(const Args *args, Vector *out);
Error *time_parse_epoch_ms(const Args *args, Vector *out);

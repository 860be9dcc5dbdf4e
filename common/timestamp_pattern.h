/* common/timestamp_pattern.h: timestamps by a Java-like pattern: yyyy-MM-dd'T'HH:mm:ss.SSS[X].
 *
 * Letters: y u year, M L month (MMM Jan, MMMM January), d day, D day of the year, H hour 0-23, k 1-24, K 0-11, h 1-12, a AM/PM, m minute,
 * s second, S fraction (1 to 9 digits), n nanoseconds, E weekday (skipped), X x Z O zone offset ('Z', +01, +0100, +01:00, UTC, GMT+1),
 * z V also a zone's name (CEST, Europe/Berlin).
 * 'text' stands for itself, '' is a quote, [..] is optional. Instead of a pattern: 'epoch_s', 'epoch_ms', 'epoch_us', 'iso'. */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef enum TimestampPatternKind { PATTERN_TEXT, PATTERN_EPOCH_S, PATTERN_EPOCH_MS, PATTERN_EPOCH_US, PATTERN_ISO } TimestampPatternKind;

typedef struct TimestampPattern TimestampPattern;
typedef struct TimeZone TimeZone;

/* Errors name the letter that is not known. The pattern lives in the arena. */
Error *timestamp_pattern_new(Arena *arena, const char *text, const TimestampPattern **pattern);
TimestampPatternKind timestamp_pattern_kind(const TimestampPattern *pattern);
/* Text -> microseconds, UTC; the whole text must fit. Missing parts: 1970, 01, 01, 00:00:00. */
bool timestamp_pattern_parse(const TimestampPattern *pattern, const char *bytes, size_t length, int64_t *timestamp_us);
/* The same where a text that names no zone is local time of `zone`. NULL: UTC. */
bool timestamp_pattern_parse_in(const TimestampPattern *pattern, const TimeZone *zone, const char *bytes, size_t length, int64_t *timestamp_us);
/* An epoch's number (any JSON number; fractions finer than microseconds are cut) -> microseconds. */
bool timestamp_epoch_parse(TimestampPatternKind kind, const char *bytes, size_t length, int64_t *timestamp_us);
/* Appends the text. Optional sections are written. */
#define TIMESTAMP_PATTERN_TEXT 256
size_t timestamp_pattern_format(const TimestampPattern *pattern, int64_t timestamp_us, char out[TIMESTAMP_PATTERN_TEXT]);
/* What a clock in the zone shows. NULL: UTC. */
size_t timestamp_pattern_format_in(const TimestampPattern *pattern, const TimeZone *zone, int64_t timestamp_us, char out[TIMESTAMP_PATTERN_TEXT]);

/* common/timezone.h: time zones by their IANA names, from the system's zoneinfo files, and fixed offsets from UTC.
 *
 * A zone is read once and lives as long as the process; any thread may look it up. After the last change that a file lists, its rule
 * for the years to come holds. Times are microseconds; local times are what a clock on the wall shows, as if it were UTC. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"

typedef struct TimeZone TimeZone;

/* A stretch of time with one offset from UTC. */
typedef struct ZoneSpan {
    int64_t from_us, to_us;   /* in UTC: [from, to); INT64_MIN, INT64_MAX: without end */
    int64_t offset_us;        /* local = UTC + offset */
    const char *abbreviation; /* CEST */
} ZoneSpan;

/* 'Europe/Berlin', 'UTC', 'GMT', 'Z', '+02', '+0200', '+02:00', 'UTC+2', 'GMT-05:30'. An unknown name is ERR_BIND with the nearest one. */
Error *timezone_find(const char *name, size_t length, const TimeZone **zone);
/* The same without a message: NULL if there is none. */
const TimeZone *timezone_lookup(const char *name, size_t length);
const char *timezone_name(const TimeZone *zone);
bool timezone_is_fixed(const TimeZone *zone, int64_t *offset_us); /* one offset for ever */

ZoneSpan timezone_span(const TimeZone *zone, int64_t utc_us);
int64_t timezone_local(const TimeZone *zone, int64_t utc_us);
/* Local -> UTC. A time that comes twice is the first one. A time that is left out, as clocks are set forward, moves on by as much
 * (java.time does so): 02:30 becomes 03:30. */
int64_t timezone_utc(const TimeZone *zone, int64_t local_us);
/* timestamp_parse of an instant: text without a zone is of this one; NULL: UTC. */
bool timezone_parse(const TimeZone *zone, const char *bytes, size_t length, int64_t *utc_us);
/* The same, but a time that is left out is the moment of the change: the start of a day whose midnight does not exist. */
int64_t timezone_utc_start(const TimeZone *zone, int64_t local_us);
/* The zone that an abbreviation commonly means: PST, CEST. NULL: none. */
const TimeZone *timezone_abbreviated(const char *text, size_t length);

/* common/posix_tz.h: the rule for daylight saving as POSIX writes it in TZ: 'CET-1CEST,M3.5.0,M10.5.0/3'. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PosixDate {       /* when a year's change is, by local time of before */
    enum { POSIX_JULIAN, POSIX_DAY, POSIX_WEEKDAY } kind; /* Jn: 1..365 without February 29th; n: 0..365; Mm.w.d */
    int day, month, week;        /* WEEKDAY: day 0 Sunday, week 5 is the last one */
    int64_t time_us;             /* of the day; may be negative or beyond it */
} PosixDate;

typedef struct PosixZone {
    const char *standard_name, *daylight_name; /* into the text */
    size_t standard_length, daylight_length;
    int64_t standard_us, daylight_us;          /* offsets east of UTC */
    bool has_daylight;
    PosixDate start, end;        /* of daylight saving */
} PosixZone;

bool posix_zone_parse(const char *text, size_t length, PosixZone *zone);
/* When daylight saving starts and ends in a year, in UTC. */
int64_t posix_zone_start(const PosixZone *zone, int year);
int64_t posix_zone_end(const PosixZone *zone, int year);

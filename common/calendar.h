/* common/calendar.h: dates, times and timestamps: civil calendar and text forms. Proleptic Gregorian, UTC. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define US_PER_MS 1000ll
#define US_PER_SECOND 1000000ll
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

typedef struct CivilTime {
    int year, month, day, hour, minute, second; /* month and day from 1 */
    int us;
} CivilTime;

/* Howard Hinnant's days_from_civil / civil_from_days. */
int64_t days_from_civil(int64_t year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);
CivilTime civil_from_us(int64_t timestamp_us);
int64_t us_from_civil(const CivilTime *civil);
int days_in_month(int64_t year, int month);
int64_t add_months(int64_t timestamp_us, int64_t months); /* clips the day to the month's length; saturates */

/* Floor division and modulus, for times before 1970. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}
static inline int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t rest = a % b;
    return rest && (rest < 0) != (b < 0) ? rest + b : rest;
}
/* Addition and subtraction that stop at INT64_MIN and INT64_MAX; TIME_MIN and TIME_MAX stay what they are. */
static inline int64_t time_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (a == INT64_MIN || a == INT64_MAX)
        return a;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}
static inline int64_t time_sub(int64_t a, int64_t b) { return b == INT64_MIN ? INT64_MAX : time_add(a, -b); }

/* Text -> value. The whole text must fit, blanks around it aside; false otherwise.
 * timestamp: 'YYYY-MM-DD', 'YYYY-MM-DD[ T]HH:MM[:SS[.f{1,9}]]' (or ',f'), then optionally 'Z', '+HH', '+HHMM', '+HH:MM'
 * (the result is UTC; *zoned says whether a zone stood there; NULL if not wanted). Years 0000..9999 with 4 digits,
 * and +/- with 4 to 6. Fractions beyond microseconds are cut. date: 'YYYY-MM-DD'. time: 'HH:MM[:SS[.f]]'. */
bool timestamp_parse(const char *bytes, size_t length, int64_t *timestamp_us, bool *zoned);
bool date_parse(const char *bytes, size_t length, int64_t *days);
/* ksqlDB's short times: '2026', '2026-1', '2026-01-05T10' written out as the others want them. Returns the length in out[room], 0 where the text is no such time. */
size_t timestamp_complete(const char *bytes, size_t length, char *out, size_t room);
bool time_parse(const char *bytes, size_t length, int64_t *time_us);

/* Value -> text; returns the length, needs up to CALENDAR_TEXT bytes, no ending 0.
 * timestamp: 'YYYY-MM-DD HH:MM:SS' plus `digits` digits of fraction (0..6; finer digits are cut). */
#define CALENDAR_TEXT 48
size_t timestamp_format(int64_t timestamp_us, int digits, char *out);
size_t timestamp_format_iso(int64_t timestamp_us, int digits, char *out); /* 'T' between, 'Z' at the end */
size_t date_format(int64_t days, char *out);
size_t time_format(int64_t time_us, int digits, char *out);

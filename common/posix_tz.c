/* common/posix_tz.c: see posix_tz.h. */
#include "common/posix_tz.h"
#include "common/calendar.h"

typedef struct Cursor { const char *at, *end; } Cursor;

static bool take(Cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

static bool take_number(Cursor *cursor, int most, int *number)
{
    const char *start = cursor->at;
    *number = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' && cursor->at - start < 4)
        *number = *number * 10 + (*cursor->at++ - '0');
    return cursor->at > start && *number <= most;
}

/* Letters, or anything between < and >. */
static bool take_name(Cursor *cursor, const char **name, size_t *length)
{
    bool quoted = take(cursor, '<');
    *name = cursor->at;
    while (cursor->at < cursor->end && (quoted ? *cursor->at != '>' : (*cursor->at | 0x20) >= 'a' && (*cursor->at | 0x20) <= 'z'))
        cursor->at++;
    *length = (size_t)(cursor->at - *name);
    return *length >= 3 && (!quoted || take(cursor, '>'));
}

/* [+-]h[h][:mm[:ss]] */
static bool take_time(Cursor *cursor, int64_t *us)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = take(cursor, '-');
    if (!negative)
        take(cursor, '+');
    if (!take_number(cursor, 167, &hours))
        return false;
    if (take(cursor, ':') && !take_number(cursor, 59, &minutes))
        return false;
    if (take(cursor, ':') && !take_number(cursor, 59, &seconds))
        return false;
    *us = (hours * US_PER_HOUR + minutes * US_PER_MINUTE + seconds * US_PER_SECOND) * (negative ? -1 : 1);
    return true;
}

static bool take_date(Cursor *cursor, PosixDate *date)
{
    if (!take(cursor, ','))
        return false;
    date->time_us = 2 * US_PER_HOUR;
    if (take(cursor, 'M')) {
        date->kind = POSIX_WEEKDAY;
        if (!take_number(cursor, 12, &date->month) || date->month == 0 || !take(cursor, '.') || !take_number(cursor, 5, &date->week) || date->week == 0 ||
            !take(cursor, '.') || !take_number(cursor, 6, &date->day))
            return false;
    } else {
        date->kind = take(cursor, 'J') ? POSIX_JULIAN : POSIX_DAY;
        if (!take_number(cursor, 365, &date->day))
            return false;
    }
    return !take(cursor, '/') || take_time(cursor, &date->time_us);
}

bool posix_zone_parse(const char *text, size_t length, PosixZone *zone)
{
    Cursor cursor = { text, text + length };
    *zone = (PosixZone){ 0 };
    if (!take_name(&cursor, &zone->standard_name, &zone->standard_length) || !take_time(&cursor, &zone->standard_us))
        return false;
    zone->standard_us = -zone->standard_us; /* POSIX counts to the west */
    if (cursor.at == cursor.end)
        return true;
    zone->has_daylight = true;
    zone->daylight_us = zone->standard_us + US_PER_HOUR;
    if (!take_name(&cursor, &zone->daylight_name, &zone->daylight_length))
        return false;
    if (cursor.at < cursor.end && *cursor.at != ',') {
        if (!take_time(&cursor, &zone->daylight_us))
            return false;
        zone->daylight_us = -zone->daylight_us;
    }
    return take_date(&cursor, &zone->start) && take_date(&cursor, &zone->end) && cursor.at == cursor.end;
}

static int64_t local_of(const PosixDate *date, int year)
{
    int64_t first = days_from_civil(year, 1, 1), day = first + date->day;
    switch (date->kind) {
    case POSIX_DAY: break;
    case POSIX_JULIAN: day = first + date->day - 1 + (date->day > 59 && days_in_month(year, 2) == 29); break;
    case POSIX_WEEKDAY: {
        int64_t month = days_from_civil(year, date->month, 1);
        int weekday = (int)floor_mod(month + 4, 7); /* 1970-01-01 was a Thursday */
        int in_month = (int)floor_mod(date->day - weekday, 7) + 7 * (date->week - 1);
        while (in_month >= days_in_month(year, date->month))
            in_month -= 7;
        day = month + in_month;
        break;
    }
    }
    return day * US_PER_DAY + date->time_us;
}

int64_t posix_zone_start(const PosixZone *zone, int year) { return local_of(&zone->start, year) - zone->standard_us; }
int64_t posix_zone_end(const PosixZone *zone, int year) { return local_of(&zone->end, year) - zone->daylight_us; }

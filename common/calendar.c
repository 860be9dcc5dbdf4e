/* common/calendar.c: civil calendar and the text forms of time. */
#include "common/calendar.h"

#include <string.h>

/* ---- calendar ---- */

int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = floor_div(days, 146097), day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

CivilTime civil_from_us(int64_t timestamp_us)
{
    CivilTime civil;
    int64_t days = floor_div(timestamp_us, US_PER_DAY), rest = floor_mod(timestamp_us, US_PER_DAY);
    civil_from_days(days, &civil.year, &civil.month, &civil.day);
    civil.hour = (int)(rest / US_PER_HOUR);
    civil.minute = (int)(rest / US_PER_MINUTE % 60);
    civil.second = (int)(rest / US_PER_SECOND % 60);
    civil.us = (int)(rest % US_PER_SECOND);
    return civil;
}

int64_t us_from_civil(const CivilTime *civil)
{
    int64_t days = days_from_civil(civil->year, civil->month, civil->day), us;
    if (__builtin_mul_overflow(days, US_PER_DAY, &us))
        return days < 0 ? INT64_MIN : INT64_MAX;
    return time_add(us, civil->hour * US_PER_HOUR + civil->minute * US_PER_MINUTE + civil->second * US_PER_SECOND + civil->us);
}

int days_in_month(int64_t year, int month)
{
    static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = floor_mod(year, 4) == 0 && (floor_mod(year, 100) != 0 || floor_mod(year, 400) == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

int64_t add_months(int64_t timestamp_us, int64_t months)
{
    if (timestamp_us == INT64_MIN || timestamp_us == INT64_MAX)
        return timestamp_us;
    CivilTime civil = civil_from_us(timestamp_us);
    if (months > 12 * 600000 || months < -12 * 600000)
        return months > 0 ? INT64_MAX : INT64_MIN;
    int64_t total = (int64_t)civil.year * 12 + civil.month - 1 + months, year = floor_div(total, 12);
    int month = (int)floor_mod(total, 12) + 1, last = days_in_month(year, month);
    civil.year = (int)year;
    civil.month = month;
    civil.day = civil.day < last ? civil.day : last;
    return us_from_civil(&civil);
}

/* ---- reading ---- */

static bool two_digits(const char *at, int *value)
{
    unsigned tens = (unsigned)(unsigned char)at[0] - '0', ones = (unsigned)(unsigned char)at[1] - '0';
    *value = (int)(tens * 10 + ones);
    return tens <= 9 && ones <= 9;
}

static void trim(const char **bytes, size_t *length)
{
    while (*length && (**bytes == ' ' || **bytes == '\t')) {
        ++*bytes;
        --*length;
    }
    while (*length && ((*bytes)[*length - 1] == ' ' || (*bytes)[*length - 1] == '\t'))
        --*length;
}

/* [+-]Y{4,6}-MM-DD at the start; returns the bytes read, 0 if it is none. */
static size_t read_date(const char *at, size_t length, int64_t *days)
{
    size_t used = 0;
    bool negative = false, is_signed = length && (at[0] == '-' || at[0] == '+');
    if (is_signed)
        negative = at[used++] == '-';
    int64_t year = 0;
    size_t first = used;
    while (used < length && used - first < 6 && at[used] >= '0' && at[used] <= '9')
        year = year * 10 + (at[used++] - '0');
    size_t digits = used - first;
    if (digits < 4 || (digits > 4 && !is_signed) || length - used < 6 || at[used] != '-' || at[used + 3] != '-')
        return 0;
    int month, day;
    if (!two_digits(at + used + 1, &month) || !two_digits(at + used + 4, &day))
        return 0;
    if (negative)
        year = -year;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return 0;
    *days = days_from_civil(year, month, day);
    return used + 6;
}

/* HH:MM[:SS[.f+]]; returns the bytes read, 0 if it is none. */
static size_t read_clock(const char *at, size_t length, int64_t *us)
{
    int hour, minute, second = 0;
    if (length < 5 || !two_digits(at, &hour) || at[2] != ':' || !two_digits(at + 3, &minute) || hour > 23 || minute > 59)
        return 0;
    size_t used = 5;
    int64_t fraction = 0;
    if (length >= 8 && at[5] == ':') {
        if (!two_digits(at + 6, &second) || second > 59)
            return 0;
        used = 8;
        if (used < length && (at[used] == '.' || at[used] == ',')) {
            size_t first = ++used;
            int64_t unit = 100000;
            while (used < length && at[used] >= '0' && at[used] <= '9' && used - first < 9) {
                fraction += unit * (at[used++] - '0');
                unit /= 10;
            }
            if (used == first)
                return 0;
        }
    }
    *us = hour * US_PER_HOUR + minute * US_PER_MINUTE + second * US_PER_SECOND + fraction;
    return used;
}

/* Z, +HH, +HHMM, +HH:MM and nothing else. */
static bool read_zone(const char *at, size_t length, int64_t *offset_us)
{
    int hours, minutes = 0;
    if (length == 1 && (*at == 'Z' || *at == 'z')) {
        *offset_us = 0;
        return true;
    }
    if (length < 3 || (*at != '+' && *at != '-') || !two_digits(at + 1, &hours) || hours > 18)
        return false;
    if (length == 5 ? !two_digits(at + 3, &minutes) : length == 6 ? at[3] != ':' || !two_digits(at + 4, &minutes) : length != 3)
        return false;
    if (minutes > 59)
        return false;
    *offset_us = (hours * US_PER_HOUR + minutes * US_PER_MINUTE) * (*at == '-' ? -1 : 1);
    return true;
}

bool timestamp_parse(const char *bytes, size_t length, int64_t *timestamp_us, bool *zoned)
{
    int64_t days, clock_us = 0, offset_us = 0;
    trim(&bytes, &length);
    size_t used = read_date(bytes, length, &days);
    if (used == 0)
        return false;
    bool has_zone = false;
    if (used < length) {
        if (bytes[used] != ' ' && bytes[used] != 'T' && bytes[used] != 't')
            return false;
        used++;
        size_t clock = read_clock(bytes + used, length - used, &clock_us);
        if (clock == 0)
            return false;
        used += clock;
        if (used < length && bytes[used] == ' ')
            used++;
        has_zone = used < length;
        if (has_zone && !read_zone(bytes + used, length - used, &offset_us))
            return false;
    }
    int64_t date_us;
    if (__builtin_mul_overflow(days, US_PER_DAY, &date_us))
        return false;
    *timestamp_us = date_us + clock_us - offset_us;
    if (zoned)
        *zoned = has_zone;
    return true;
}

bool date_parse(const char *bytes, size_t length, int64_t *days)
{
    trim(&bytes, &length);
    return length && read_date(bytes, length, days) == length;
}

bool time_parse(const char *bytes, size_t length, int64_t *time_us)
{
    trim(&bytes, &length);
    return length && read_clock(bytes, length, time_us) == length;
}

/* ---- writing ---- */

static char *put_two(char *out, int value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return out + 2;
}

size_t date_format(int64_t days, char *out)
{
    int year, month, day;
    char *at = out;
    civil_from_days(days, &year, &month, &day);
    if (year < 0 || year > 9999)
        *at++ = year < 0 ? '-' : '+';
    int positive = year < 0 ? -year : year;
    char digits[12];
    int count = 0;
    do
        digits[count++] = (char)('0' + positive % 10);
    while ((positive /= 10) > 0 || count < 4);
    while (count > 0)
        *at++ = digits[--count];
    *at++ = '-';
    at = put_two(at, month);
    *at++ = '-';
    at = put_two(at, day);
    return (size_t)(at - out);
}

size_t time_format(int64_t time_us, int digits, char *out)
{
    char *at = put_two(out, (int)(time_us / US_PER_HOUR));
    *at++ = ':';
    at = put_two(at, (int)(time_us / US_PER_MINUTE % 60));
    *at++ = ':';
    at = put_two(at, (int)(time_us / US_PER_SECOND % 60));
    if (digits > 0) {
        int fraction = (int)(time_us % US_PER_SECOND);
        *at++ = '.';
        for (int i = 0, unit = 100000; i < digits && i < 6; i++, unit /= 10)
            *at++ = (char)('0' + fraction / unit % 10);
    }
    return (size_t)(at - out);
}

size_t timestamp_format(int64_t timestamp_us, int digits, char *out)
{
    size_t used = date_format(floor_div(timestamp_us, US_PER_DAY), out);
    out[used++] = ' ';
    return used + time_format(floor_mod(timestamp_us, US_PER_DAY), digits, out + used);
}

size_t timestamp_format_iso(int64_t timestamp_us, int digits, char *out)
{
    size_t used = date_format(floor_div(timestamp_us, US_PER_DAY), out);
    out[used++] = 'T';
    used += time_format(floor_mod(timestamp_us, US_PER_DAY), digits, out + used);
    out[used++] = 'Z';
    return used;
}

/* common/calendar.c: civil calendar and the text forms of time. */
#include "common/calendar.h"

#include <stdio.h>
#include <string.h>

#include "common/digits.h"

/* ---- calendar ---- */

int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* Neri and Schneider's form: divisions become multiplications. Counts from March 1st of year 0. */
static void civil_from_march_days(uint32_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint32_t centuries = (4 * days + 3) / 146097, in_century = (4 * days + 3) % 146097 / 4;
    uint64_t product = 2939745ull * (4 * in_century + 3);
    uint32_t day_of_year = (uint32_t)product / 2939745 / 4, shifted = 2141 * day_of_year + 197913;
    bool next_year = day_of_year >= 306; /* January and February end the year */
    *year = 100 * centuries + (uint32_t)(product >> 32) + next_year;
    *month = (shifted >> 16) - (next_year ? 12 : 0);
    *day = (shifted & 0xFFFF) / 2141 + 1;
}

#define MARCH_DAYS 719468       /* from 0000-03-01 to 1970-01-01 */
#define DAYS_LIMIT 700000000000 /* beyond, the year is no int any more */

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    unsigned civil_year, civil_month, civil_day;
    int64_t era = 0;
    days = days > DAYS_LIMIT ? DAYS_LIMIT : days < -DAYS_LIMIT ? -DAYS_LIMIT : days;
    days += MARCH_DAYS;
    if (days < 0 || days > 4000000) {
        era = floor_div(days, 146097);
        days -= era * 146097;
    }
    civil_from_march_days((uint32_t)days, &civil_year, &civil_month, &civil_day);
    *year = (int)(civil_year + era * 400);
    *month = (int)civil_month;
    *day = (int)civil_day;
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

/* Days and the time within them; the sum in 128 bits, so that the first and last day of the range are exact. */
static bool join_us(int64_t days, int64_t clock_us, int64_t *timestamp_us)
{
    __int128 sum = (__int128)days * US_PER_DAY + clock_us;
    *timestamp_us = sum < INT64_MIN ? INT64_MIN : sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
    return *timestamp_us == sum;
}

int64_t us_from_civil(const CivilTime *civil)
{
    int64_t days = days_from_civil(civil->year, civil->month, civil->day), us;
    join_us(days, civil->hour * US_PER_HOUR + civil->minute * US_PER_MINUTE + civil->second * US_PER_SECOND + civil->us, &us);
    return us;
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

/* ---- the common shapes, eight bytes at a time ---- */

static uint64_t load8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/* Little endian: the first character is the lowest byte. */
#define WORD(a, b, c, d, e, f, g, h)                                                                                        \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | (uint64_t)(e) << 32 | (uint64_t)(f) << 40 \
     | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)
#define HIGH_BITS 0x8080808080808080u

/* A word xor its pattern: digits are 0..9, separators 0. Adding 0x76 to a digit, 0x7F to a separator sets the
 * high bit of whatever is more; what is 0x80 and above has it already. Nonzero if anything is wrong. */
static uint64_t misfits(uint64_t x, uint64_t allowance) { return ((x + allowance) | x) & HIGH_BITS; }

static unsigned lane(uint64_t word, int at) { return (unsigned)(word >> (8 * at)) & 0xFF; }

/* YYYY-MM-DD at the head of two checked words -> days; false if there is no such day. Years 0..9999. */
static bool days_of_words(uint64_t date, uint64_t rest, int64_t *days)
{
    static const int16_t before_month[] = { 0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275 }; /* since March 1st */
    unsigned year = lane(date, 0) * 100 + lane(date, 2), month = lane(date, 5), day = lane(rest, 0);
    if (month - 1 > 11 || day == 0 || (day > 28 && (int)day > days_in_month(year, (int)month)))
        return false;
    unsigned y = year + 400 - (month <= 2), centuries = y / 100; /* +400: January of year 0 is in year -1 */
    *days = (int64_t)(365 * y + y / 4 - centuries + centuries / 4 + (unsigned)before_month[month] + day - 1) - (MARCH_DAYS + 146097);
    return true;
}

/* 'YYYY-MM-DD?HH:MM:SS' with 0, 3 or 6 digits of fraction. Everything else, right or wrong, is for the long way. */
static bool parse_common(const char *bytes, size_t length, int64_t *timestamp_us)
{
    if (length != 23 && length != 19 && length != 26)
        return false;
    uint64_t date = load8(bytes) ^ WORD('0', '0', '0', '0', '-', '0', '0', '-');
    uint64_t middle = load8(bytes + 8), clock = load8(bytes + 11) ^ WORD('0', '0', ':', '0', '0', ':', '0', '0');
    unsigned between = lane(middle, 2);
    middle = (middle ^ WORD('0', '0', 0, 0, 0, 0, 0, 0)) & 0xFFFF;
    uint64_t wrong = misfits(date, WORD(0x76, 0x76, 0x76, 0x76, 0x7F, 0x76, 0x76, 0x7F)) | misfits(middle, WORD(0x76, 0x76, 0, 0, 0, 0, 0, 0))
                     | misfits(clock, WORD(0x76, 0x76, 0x7F, 0x76, 0x76, 0x7F, 0x76, 0x76));
    unsigned fraction = 0;
    if (length > 19) { /* 'S.fff' or '.ffffff' end the text */
        uint64_t tail = length == 23 ? load8(bytes + 15) ^ WORD('0', ':', '0', '0', '.', '0', '0', '0')
                                     : load8(bytes + 18) ^ WORD('0', '.', '0', '0', '0', '0', '0', '0');
        uint64_t pairs = tail * 10 + (tail >> 8);
        if (length == 23) {
            wrong |= misfits(tail, WORD(0x76, 0x7F, 0x76, 0x76, 0x7F, 0x76, 0x76, 0x76));
            fraction = (lane(pairs, 5) * 10 + lane(tail, 7)) * 1000;
        } else {
            wrong |= misfits(tail, WORD(0x76, 0x7F, 0x76, 0x76, 0x76, 0x76, 0x76, 0x76));
            fraction = lane(pairs, 2) * 10000 + lane(pairs, 4) * 100 + lane(pairs, 6);
        }
    }
    if (wrong || (between != ' ' && (between | 0x20) != 't'))
        return false;
    date = date * 10 + (date >> 8); /* lane i: the number of digits i and i + 1 */
    middle = middle * 10 + (middle >> 8);
    clock = clock * 10 + (clock >> 8);
    unsigned hour = lane(clock, 0), minute = lane(clock, 3), second = lane(clock, 6);
    int64_t days;
    if (hour > 23 || minute > 59 || second > 59 || !days_of_words(date, middle, &days))
        return false;
    *timestamp_us = days * US_PER_DAY + (int64_t)(hour * 3600 + minute * 60 + second) * US_PER_SECOND + fraction;
    return true;
}

static bool parse_any(const char *bytes, size_t length, int64_t *timestamp_us, bool *zoned)
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
    int64_t us;
    if (!join_us(days, clock_us - offset_us, &us))
        return false;
    *timestamp_us = us;
    if (zoned)
        *zoned = has_zone;
    return true;
}

bool timestamp_parse(const char *bytes, size_t length, int64_t *timestamp_us, bool *zoned)
{
    bool utc = length && (bytes[length - 1] | 0x20) == 'z';
    if (!parse_common(bytes, length - utc, timestamp_us))
        return parse_any(bytes, length, timestamp_us, zoned);
    if (zoned)
        *zoned = utc;
    return true;
}

bool date_parse(const char *bytes, size_t length, int64_t *days)
{
    trim(&bytes, &length);
    return length && read_date(bytes, length, days) == length;
}

/* Behind the separator, if it comes next, one or two digits; false: there are none. */
static bool short_number(const char *bytes, size_t length, size_t *used, char separator, int *number)
{
    if (*used == length || bytes[*used] != separator)
        return true;
    size_t first = ++*used;
    int value = 0;
    while (*used < length && *used - first < 2 && bytes[*used] >= '0' && bytes[*used] <= '9')
        value = value * 10 + (bytes[(*used)++] - '0');
    *number = value;
    return *used > first;
}

size_t timestamp_complete(const char *bytes, size_t length, char *out, size_t room)
{
    int month = 1, day = 1, hour = 0, minute = 0, written;
    size_t used = 0;
    trim(&bytes, &length);
    while (used < length && bytes[used] >= '0' && bytes[used] <= '9')
        used++;
    if (used != 4 || !short_number(bytes, length, &used, '-', &month) || (used > 4 && !short_number(bytes, length, &used, '-', &day)))
        return 0;
    if (used == length) {
        written = snprintf(out, room, "%.4s-%02d-%02d", bytes, month, day);
    } else {
        char separator = bytes[used] == ' ' ? ' ' : 'T';
        size_t date = used;
        if (!short_number(bytes, length, &used, separator, &hour) || used == date || !short_number(bytes, length, &used, ':', &minute))
            return 0;
        written = snprintf(out, room, "%.4s-%02d-%02dT%02d:%02d%.*s", bytes, month, day, hour, minute, (int)(length - used), bytes + used);
    }
    return written > 0 && (size_t)written < room ? (size_t)written : 0;
}

bool time_parse(const char *bytes, size_t length, int64_t *time_us)
{
    trim(&bytes, &length);
    return length && read_clock(bytes, length, time_us) == length;
}

/* ---- writing ---- */

size_t date_format(int64_t days, char *out)
{
    int year, month, day;
    char *at = out;
    civil_from_days(days, &year, &month, &day);
    unsigned size = year < 0 ? (unsigned)-year : (unsigned)year;
    if (year < 0 || year > 9999)
        *at++ = year < 0 ? '-' : '+';
    if (size > 9999) {
        at = put_digits(at, size);
    } else {
        at = put_pair(at, size / 100);
        at = put_pair(at, size % 100);
    }
    *at++ = '-';
    at = put_pair(at, (unsigned)month);
    *at++ = '-';
    at = put_pair(at, (unsigned)day);
    return (size_t)(at - out);
}

/* 0 <= time_us < US_PER_DAY */
static char *put_clock(char *at, uint64_t time_us, int digits)
{
    unsigned seconds = (unsigned)(time_us / US_PER_SECOND), fraction = (unsigned)(time_us % US_PER_SECOND);
    at = put_pair(at, seconds / 3600);
    *at++ = ':';
    at = put_pair(at, seconds / 60 % 60);
    *at++ = ':';
    at = put_pair(at, seconds % 60);
    if (digits <= 0)
        return at;
    *at++ = '.';
    put_six(at, fraction); /* the buffer has room for all six */
    return at + (digits < 6 ? digits : 6);
}

size_t time_format(int64_t time_us, int digits, char *out)
{
    if (time_us < 0 || time_us >= US_PER_DAY)
        time_us = floor_mod(time_us, US_PER_DAY);
    return (size_t)(put_clock(out, (uint64_t)time_us, digits) - out);
}

static char *put_timestamp(char *out, int64_t timestamp_us, int digits, char between)
{
    int64_t days = floor_div(timestamp_us, US_PER_DAY);
    char *at = out + date_format(days, out);
    *at++ = between;
    return put_clock(at, (uint64_t)timestamp_us - (uint64_t)days * US_PER_DAY, digits);
}

size_t timestamp_format(int64_t timestamp_us, int digits, char *out)
{
    return (size_t)(put_timestamp(out, timestamp_us, digits, ' ') - out);
}

size_t timestamp_format_iso(int64_t timestamp_us, int digits, char *out)
{
    char *end = put_timestamp(out, timestamp_us, digits, 'T');
    *end++ = 'Z';
    return (size_t)(end - out);
}

/* functions/interval.c: intervals as text, and their parts.
 *
 * '1-6' (years-months), '2 12:30:00' (days and a time), '3 days 04:00', '1 month 2 weeks', '90 minutes', '-1.5 hours': what SQL writes between the
 * quotes of an interval, and what bidsql prints. */
#include <ctype.h>
#include "common/calendar.h"
#include "functions/cast_internal.h"

typedef struct IntervalUnit {
    const char *name; /* also with an s */
    int64_t months, us;
} IntervalUnit;

static const IntervalUnit units[] = {
    { "year", 12, 0 }, { "month", 1, 0 }, { "week", 0, 7 * US_PER_DAY }, { "day", 0, US_PER_DAY }, { "hour", 0, US_PER_HOUR },
    { "minute", 0, 60 * US_PER_SECOND }, { "second", 0, US_PER_SECOND }, { "millisecond", 0, 1000 }, { "microsecond", 0, 1 },
};

/* ---- text -> interval ---- */

typedef struct Scanner { const char *at, *end; } Scanner;

static void skip_blanks(Scanner *scanner)
{
    while (scanner->at < scanner->end && *scanner->at == ' ')
        scanner->at++;
}

/* 12, 12.5: the whole part, and the rest in millionths. */
static bool scan_number(Scanner *scanner, int64_t *whole, int64_t *millionths)
{
    int digits = 0;
    *whole = *millionths = 0;
    for (; scanner->at < scanner->end && isdigit((unsigned char)*scanner->at); scanner->at++, digits++)
        if (__builtin_mul_overflow(*whole, 10, whole) || __builtin_add_overflow(*whole, *scanner->at - '0', whole))
            return false;
    if (digits == 0 || scanner->at == scanner->end || *scanner->at != '.')
        return digits > 0;
    scanner->at++;
    for (int64_t unit = 100000; scanner->at < scanner->end && isdigit((unsigned char)*scanner->at); scanner->at++, unit /= 10)
        *millionths += (*scanner->at - '0') * unit;
    return true;
}

static const IntervalUnit *scan_unit(Scanner *scanner)
{
    const char *start = scanner->at;
    while (scanner->at < scanner->end && isalpha((unsigned char)*scanner->at))
        scanner->at++;
    size_t length = (size_t)(scanner->at - start);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t name = strlen(units[i].name);
        if ((length == name || (length == name + 1 && tolower((unsigned char)start[name]) == 's')) && strncasecmp(start, units[i].name, name) == 0)
            return &units[i];
    }
    return NULL;
}

static bool add(Interval *sum, int64_t months, int64_t us, bool negative)
{
    return !(negative ? __builtin_sub_overflow(sum->months, months, &sum->months) || __builtin_sub_overflow(sum->us, us, &sum->us)
                      : __builtin_add_overflow(sum->months, months, &sum->months) || __builtin_add_overflow(sum->us, us, &sum->us));
}

static bool add_units(Interval *sum, const IntervalUnit *unit, int64_t whole, int64_t millionths, bool negative)
{
    int64_t months, us;
    if (__builtin_mul_overflow(whole, unit->months, &months) || __builtin_mul_overflow(whole, unit->us, &us))
        return false;
    if (millionths && !unit->us)
        return false;
    __int128 rest = (__int128)millionths * unit->us / 1000000;
    return !__builtin_add_overflow(us, (int64_t)rest, &us) && add(sum, months, us, negative);
}

/* hours:minutes[:seconds]; hours as many as there are. */
static bool scan_clock(Scanner *scanner, int64_t hours, Interval *sum, bool negative)
{
    int64_t minutes, seconds = 0, millionths = 0, us;
    scanner->at++;
    if (!scan_number(scanner, &minutes, &millionths) || minutes > 59 || millionths)
        return false;
    if (scanner->at < scanner->end && *scanner->at == ':') {
        scanner->at++;
        if (!scan_number(scanner, &seconds, &millionths) || seconds > 59)
            return false;
    }
    return !__builtin_mul_overflow(hours, US_PER_HOUR, &us) && !__builtin_add_overflow(us, (minutes * 60 + seconds) * US_PER_SECOND + millionths, &us) && add(sum, 0, us, negative);
}

/* Each part has its own; that of '-1 12:00' is one for both. */
static bool scan_sign(Scanner *scanner, bool before)
{
    bool negative = before;
    if (scanner->at < scanner->end && (*scanner->at == '-' || *scanner->at == '+'))
        negative = *scanner->at++ == '-';
    skip_blanks(scanner);
    return negative;
}

bool interval_parse(const char *bytes, size_t length, Interval *result)
{
    Scanner scanner = { bytes, bytes + length };
    bool negative = false, any = false, after_days = false;
    *result = (Interval){ 0 };
    for (skip_blanks(&scanner); scanner.at < scanner.end; skip_blanks(&scanner), any = true) {
        int64_t whole, millionths, months, part;
        negative = scan_sign(&scanner, after_days && negative);
        if (!scan_number(&scanner, &whole, &millionths))
            return false;
        char next = scanner.at < scanner.end ? *scanner.at : 0;
        if (next == ':') {
            if (millionths || !scan_clock(&scanner, whole, result, negative))
                return false;
            continue;
        }
        if (next == '-') { /* years-months */
            scanner.at++;
            if (!scan_number(&scanner, &part, &months) || months || millionths || part > 11 || __builtin_mul_overflow(whole, 12, &months) || !add(result, months + part, 0, negative))
                return false;
            continue;
        }
        skip_blanks(&scanner);
        next = scanner.at < scanner.end ? *scanner.at : 0;
        bool days = isdigit((unsigned char)next) && !any && !millionths; /* days before a time */
        const IntervalUnit *unit = days ? &units[3] : scan_unit(&scanner);
        if (!unit || !add_units(result, unit, whole, millionths, negative))
            return false;
        after_days = days;
        if (days && !memchr(scanner.at, ':', (size_t)(scanner.end - scanner.at)))
            return false;
    }
    return any;
}

/* ---- parts ---- */

static int64_t part_of(const Interval *interval, const IntervalUnit *unit)
{
    if (unit->months)
        return unit->months == 12 ? interval->months / 12 : interval->months % 12;
    int64_t above = unit->us >= US_PER_DAY ? 0 : unit->us == US_PER_HOUR ? US_PER_DAY : unit->us >= US_PER_SECOND ? unit->us * 60 : US_PER_SECOND;
    return (above ? interval->us % above : interval->us) / unit->us;
}

static Error *interval_part(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *name = &ARG(args, 0, Str, row);
        Scanner scanner = { str_bytes(name), str_bytes(name) + name->length };
        const IntervalUnit *unit = scan_unit(&scanner);
        const Interval *interval = &ARG(args, 1, Interval, row);
        int64_t *part = &((int64_t *)out->values)[row];
        if (name->length == 5 && strncasecmp(str_bytes(name), "epoch", 5) == 0 && interval->months == 0)
            *part = interval->us / US_PER_SECOND;
        else if (unit && scanner.at == scanner.end)
            *part = part_of(interval, unit);
        else
            args_fail(args, out, row, "an interval%s has no '%.*s'", interval->months ? " of months" : "", name->length < 40 ? (int)name->length : 40, str_bytes(name));
    }
    return NULL;
}

const ScalarFunction interval_functions[] = {
    { "datepart", { TYPE_VARCHAR, TYPE_INTERVAL }, TYPE_BIGINT, interval_part, .aliases = (const char *const[]){ "date_part", NULL }, .can_fail = true, .category = "time",
      .doc = "A part of an interval, less what larger parts hold: year, month; week or day, hour, minute, second, millisecond, microsecond; epoch for all of it in seconds.",
      .example = "datepart('hour', INTERVAL '3 04:30:00' DAY TO SECOND)", .yields = "4" },
    { .name = NULL },
};

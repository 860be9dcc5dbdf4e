/* functions/date.c: dates and times of the day as text and as numbers, and names of parts. */
#include "functions/time_pattern.h"

#include <stdio.h>

#include "common/calendar.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

/* ---- text ---- */

/* Dates and times of the day are formatted as timestamps: at midnight, on 1970-01-01. */
static void format(const Args *args, Vector *out, int64_t unit)
{
    TimePattern pattern = { .args = args, .out = out };
    for (ARGS_EACH(args, row)) {
        int64_t us;
        if (__builtin_mul_overflow(ARG(args, 0, int64_t, row), unit, &us))
            args_fail(args, out, row, "the time is out of range");
        else
            time_pattern_format(&pattern, row, us);
    }
}

static Error *format_date(const Args *args, Vector *out)
{
    format(args, out, US_PER_DAY);
    return NULL;
}

static Error *format_time(const Args *args, Vector *out)
{
    format(args, out, 1);
    return NULL;
}

static Error *parse_time(const Args *args, Vector *out)
{
    TimePattern pattern = { .args = args, .out = out };
    for (ARGS_EACH(args, row)) {
        int64_t us;
        if (time_pattern_parse(&pattern, row, &us))
            RESULT(out, int64_t)[row] = floor_mod(us, US_PER_DAY);
    }
    return NULL;
}

static Error *string_to_date(const Args *args, Vector *out)
{
    TimePattern pattern = { .args = args, .out = out };
    for (ARGS_EACH(args, row)) {
        int64_t us;
        if (time_pattern_parse(&pattern, row, &us))
            RESULT(out, int64_t)[row] = floor_div(us, US_PER_DAY);
    }
    return NULL;
}

/* ---- numbers ---- */

#define DAYS_MAX (INT64_MAX / US_PER_DAY)

static Error *from_days(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t days = ARG(args, 0, int64_t, row);
        if (days > DAYS_MAX || days < -DAYS_MAX)
            args_fail(args, out, row, "the date is out of range");
        else
            RESULT(out, int64_t)[row] = days;
    }
    return NULL;
}

static Error *unix_date(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = ARG(args, 0, int64_t, row);
    return NULL;
}

static Error *unix_date_now(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(args->evaluation->now_us, US_PER_DAY);
    return NULL;
}

static Error *from_parts(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t part[7];
        for (int i = 0; i < 7; i++)
            part[i] = ARG(args, i, int64_t, row);
        bool fine = part[0] >= 1 && part[0] <= 9999 && part[1] >= 1 && part[1] <= 12;
        fine = fine && part[2] >= 1 && part[2] <= days_in_month(part[0], (int)part[1]);
        fine = fine && part[3] >= 0 && part[3] < 24 && part[4] >= 0 && part[4] < 60 && part[5] >= 0 && part[5] < 60 && part[6] >= 0 && part[6] < 1000;
        if (!fine) {
            args_fail(args, out, row, "the parts make no time");
            continue;
        }
        RESULT(out, int64_t)[row] = days_from_civil(part[0], (int)part[1], (int)part[2]) * US_PER_DAY + part[3] * US_PER_HOUR + part[4] * US_PER_MINUTE +
                                    part[5] * US_PER_SECOND + part[6] * US_PER_MS;
    }
    return NULL;
}

/* ---- names ---- */

static const char *const month_names[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" };
static const char *const day_names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

typedef enum NamedPart { NAMED_MONTH, NAMED_WEEKDAY, NAMED_OTHER } NamedPart;

static NamedPart part_named(const Str *name)
{
    static const char *const months[] = { "month", "months", "mm", "m", NULL }, *const weekdays[] = { "weekday", "dayofweek", "dow", "dw", NULL };
    char text[16];
    if (name->length >= sizeof text)
        return NAMED_OTHER;
    memcpy(text, str_bytes(name), name->length);
    text[name->length] = 0;
    for (int i = 0; months[i]; i++)
        if (name_equal(months[i], text))
            return NAMED_MONTH;
    for (int i = 0; weekdays[i]; i++)
        if (name_equal(weekdays[i], text))
            return NAMED_WEEKDAY;
    return NAMED_OTHER;
}

/* DATEPART knows the parts: it computes them, and what has a name gets it. */
static Error *date_name(const Args *args, Vector *out)
{
    Vector *numbers = vector_new(ARENA(args), type_scalar(TYPE_BIGINT), args->row_count);
    uint32_t failures = args->evaluation->failure_count;
    TRY(time_date_part(args, numbers));
    bool any_failed = args->evaluation->failure_count > failures;
    for (ARGS_EACH(args, row)) {
        if (any_failed && vector_is_null(numbers, row)) {
            args_null(args, out, row);
            continue;
        }
        char digits[24];
        int64_t us = ARG(args, 1, int64_t, row);
        NamedPart part = part_named(&ARG(args, 0, Str, row));
        if (part == NAMED_MONTH)
            RESULT(out, Str)[row] = str_c(month_names[civil_from_us(us).month - 1]);
        else if (part == NAMED_WEEKDAY)
            RESULT(out, Str)[row] = str_c(day_names[floor_mod(floor_div(us, US_PER_DAY) + 3, 7)]);
        else {
            int length = snprintf(digits, sizeof digits, "%lld", (long long)((const int64_t *)numbers->values)[row]);
            RESULT(out, Str)[row] = str_view(length > STR_INLINE ? arena_copy(ARENA(args), digits, (size_t)length) : digits, (size_t)length);
        }
    }
    return NULL;
}

#define TS TYPE_TIMESTAMP
#define I TYPE_BIGINT
#define V TYPE_VARCHAR
#define TIME .category = "time"

const ScalarFunction date_functions[] = {
    { "format_date", { TYPE_DATE, V }, V, format_date, NULL, time_pattern_prepare, .can_fail = true, TIME, .doc = "A date as text by a pattern of Java's letters.",
      .example = "format_date(DATE '2026-03-04', 'dd.MM.yyyy')", .yields = "04.03.2026" },
    { "format_time", { TYPE_TIME, V }, V, format_time, NULL, time_pattern_prepare, .can_fail = true, TIME, .doc = "A time of the day as text by a pattern of Java's letters.",
      .example = "format_time(TIME '15:06:07', 'hh:mm a')", .yields = "03:06 PM" },
    { "parse_time", { V, V }, TYPE_TIME, parse_time, NULL, time_pattern_prepare, .can_fail = true, TIME, .doc = "Text as a time of the day by a pattern of Java's letters.",
      .example = "parse_time('03:06 PM', 'hh:mm a')", .yields = "15:06:00" },
    { "datetostring", { I, V }, V, format_date, NULL, time_pattern_prepare, .can_fail = true, TIME, .doc = "Days since 1970 as text by a pattern of Java's letters (ksqlDB's older name).",
      .example = "datetostring(1, 'yyyy-MM-dd')", .yields = "1970-01-02" },
    { "stringtodate", { V, V }, I, string_to_date, NULL, time_pattern_prepare, .can_fail = true, TIME, .doc = "Text as days since 1970 by a pattern of Java's letters (ksqlDB's older name).",
      .example = "stringtodate('1970-01-02', 'yyyy-MM-dd')", .yields = "1" },
    { "from_days", { I }, TYPE_DATE, from_days, .can_fail = true, TIME, .doc = "The date so many days after 1970-01-01.", .example = "from_days(1)", .yields = "1970-01-02" },
    { "unix_date", { 0 }, I, unix_date_now, .is_volatile = true, TIME, .doc = "The days of the processing time since 1970.", .example = "unix_date() > 20000", .yields = "true" },
    { "unix_date", { TYPE_DATE }, I, unix_date, TIME, .doc = "Days since 1970.", .example = "unix_date(DATE '1970-01-02')", .yields = "1" },
    { "datetimefromparts", { I, I, I, I, I, I, I }, TS, from_parts, .can_fail = true, TIME, .doc = "A time out of year, month, day, hour, minute, second and millisecond (ASA).",
      .example = "datetimefromparts(2026, 3, 4, 5, 6, 7, 89)", .yields = "2026-03-04 05:06:07.089" },
    { "datename", { V, TS }, V, date_name, NULL, time_part_prepare, .can_fail = true, TIME, .doc = "A part of a time as text: the names of month and weekday, else the number (ASA).",
      .example = "datename('weekday', TIMESTAMP '2026-03-04 05:06:07')", .yields = "Wednesday" },
    { .name = NULL },
};

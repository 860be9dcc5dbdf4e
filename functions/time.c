/* functions/time.c: dates, times and timestamps. All in UTC. */
#include "functions/time_pattern.h"

#include "common/calendar.h"
#include "common/timestamp_pattern.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

/* ---- parts ---- */

#define PART_OF_TIMESTAMP(function_name, expression)                     \
    static Error *function_name(const Args *args, Vector *out)           \
    {                                                                    \
        for (ARGS_EACH(args, row)) {                                     \
            int64_t us = ARG(args, 0, int64_t, row);                     \
            CivilTime t = civil_from_us(us);                             \
            (void)t;                                                     \
            RESULT(out, int64_t)[row] = (expression);                    \
        }                                                                \
        return NULL;                                                     \
    }

static int64_t day_of_year(const CivilTime *t) { return days_from_civil(t->year, t->month, t->day) - days_from_civil(t->year, 1, 1) + 1; }

/* 1 Monday .. 7 Sunday (ISO 8601) */
static int64_t iso_weekday(int64_t us) { return floor_mod(floor_div(us, US_PER_DAY) + 3, 7) + 1; }

/* The week that holds the year's first Thursday is week 1. */
static int64_t iso_week(int64_t us)
{
    int64_t thursday = floor_div(us, US_PER_DAY) - iso_weekday(us) + 4;
    int year, month, day;
    civil_from_days(thursday, &year, &month, &day);
    return (thursday - days_from_civil(year, 1, 1)) / 7 + 1;
}

/* The year that the week belongs to. */
static int64_t iso_year(int64_t us) { return civil_from_us((floor_div(us, US_PER_DAY) - iso_weekday(us) + 4) * US_PER_DAY).year; }

PART_OF_TIMESTAMP(part_year, t.year)
PART_OF_TIMESTAMP(part_quarter, (t.month - 1) / 3 + 1)
PART_OF_TIMESTAMP(part_month, t.month)
PART_OF_TIMESTAMP(part_week, iso_week(us))
PART_OF_TIMESTAMP(part_day, t.day)
PART_OF_TIMESTAMP(part_day_of_year, day_of_year(&t))
PART_OF_TIMESTAMP(part_day_of_week, iso_weekday(us) % 7 + 1)
PART_OF_TIMESTAMP(part_iso_day_of_week, iso_weekday(us))
PART_OF_TIMESTAMP(part_hour, t.hour)
PART_OF_TIMESTAMP(part_minute, t.minute)
PART_OF_TIMESTAMP(part_second, t.second)
PART_OF_TIMESTAMP(part_millisecond, t.us / 1000)
PART_OF_TIMESTAMP(part_microsecond, t.us)
PART_OF_TIMESTAMP(part_epoch, floor_div(us, US_PER_SECOND))

static Error *time_hour(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = ARG(args, 0, int64_t, row) / US_PER_HOUR;
    return NULL;
}

static Error *time_minute(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = ARG(args, 0, int64_t, row) / US_PER_MINUTE % 60;
    return NULL;
}

static Error *time_second(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = ARG(args, 0, int64_t, row) / US_PER_SECOND % 60;
    return NULL;
}

/* ---- units by name ---- */

/* Lengths of time, and behind them what is only a part of one. */
typedef enum Unit {
    UNIT_US, UNIT_MS, UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_QUARTER, UNIT_YEAR,
    PART_DAY_OF_YEAR, PART_DAY_OF_WEEK, PART_ISO_DAY_OF_WEEK, PART_ISO_YEAR, PART_DECADE, PART_CENTURY, PART_MILLENNIUM, PART_EPOCH
} Unit;

static bool unit_find(const Str *name, Unit last, Unit *unit)
{
    static const struct { Unit unit; const char *names[8]; } units[] = {
        { UNIT_US, { "microsecond", "microseconds", "us", "mcs" } }, { UNIT_MS, { "millisecond", "milliseconds", "ms" } },
        { UNIT_SECOND, { "second", "seconds", "ss", "s" } }, { UNIT_MINUTE, { "minute", "minutes", "mi", "n" } },
        { UNIT_HOUR, { "hour", "hours", "hh" } }, { UNIT_DAY, { "day", "days", "dd", "d" } },
        { UNIT_WEEK, { "week", "weeks", "wk", "ww", "iso_week", "isoweek", "isowk", "isoww" } }, { UNIT_MONTH, { "month", "months", "mm", "m" } },
        { UNIT_QUARTER, { "quarter", "quarters", "qq", "q" } }, { UNIT_YEAR, { "year", "years", "yyyy", "yy" } },
        { PART_DAY_OF_YEAR, { "doy", "dayofyear", "dy", "y" } }, { PART_DAY_OF_WEEK, { "dow", "dayofweek", "weekday", "dw" } },
        { PART_ISO_DAY_OF_WEEK, { "isodow" } }, { PART_ISO_YEAR, { "isoyear" } }, { PART_DECADE, { "decade" } }, { PART_CENTURY, { "century" } },
        { PART_MILLENNIUM, { "millennium" } }, { PART_EPOCH, { "epoch" } } };
    char text[16];
    if (name->length >= sizeof text)
        return false;
    memcpy(text, str_bytes(name), name->length);
    text[name->length] = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (int n = 0; n < 8 && units[i].names[n]; n++)
            if (name_equal(units[i].names[n], text)) {
                *unit = units[i].unit;
                return *unit <= last;
            }
    return false;
}

static const int64_t unit_us[] = { 1, US_PER_MS, US_PER_SECOND, US_PER_MINUTE, US_PER_HOUR, US_PER_DAY, 7 * US_PER_DAY };

static Error *prepare_name(Arena *arena, const Value *name, Unit last, const void **prepared)
{
    static const char *const names[] = { "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
                                         "doy", "dow", "isodow", "isoyear", "decade", "century", "millennium", "epoch" };
    *prepared = NULL;
    if (!name || name->is_null)
        return NULL;
    Unit *unit = ARENA_NEW(arena, Unit);
    *prepared = unit;
    if (unit_find(&name->text, last, unit))
        return NULL;
    const char *text = arena_strndup(arena, str_bytes(&name->text), name->text.length);
    return error_suggest(error_new(ERR_BIND, "'%s' is no %s of time", text, last == UNIT_YEAR ? "unit" : "part"), text, names, (int)last + 1);
}

/* A unit that is constant, as nearly always, is looked up once, and a wrong one is no matter of rows. */
static Error *prepare_unit(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    (void)count;
    return prepare_name(arena, constants[0], UNIT_YEAR, prepared);
}

Error *time_part_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    (void)count;
    return prepare_name(arena, constants[0], PART_EPOCH, prepared);
}

static bool unit_of(const Args *args, Vector *out, uint32_t row, Unit last, Unit *unit)
{
    if (args->prepared) {
        *unit = *(const Unit *)args->prepared;
        return true;
    }
    const Str *name = &ARG(args, 0, Str, row);
    if (unit_find(name, last, unit))
        return true;
    args_fail(args, out, row, "'%.*s' is no unit of time", (int)name->length, str_bytes(name));
    return false;
}

static int64_t truncate_to(int64_t us, Unit unit)
{
    CivilTime t = civil_from_us(us);
    switch (unit) {
    case UNIT_US:
    case UNIT_MS:
    case UNIT_SECOND:
    case UNIT_MINUTE:
    case UNIT_HOUR:
    case UNIT_DAY: return floor_div(us, unit_us[unit]) * unit_us[unit];
    case UNIT_WEEK: return (floor_div(us, US_PER_DAY) - iso_weekday(us) + 1) * US_PER_DAY;
    case UNIT_MONTH: return days_from_civil(t.year, t.month, 1) * US_PER_DAY;
    case UNIT_QUARTER: return days_from_civil(t.year, (t.month - 1) / 3 * 3 + 1, 1) * US_PER_DAY;
    case UNIT_YEAR: return days_from_civil(t.year, 1, 1) * US_PER_DAY;
    case PART_DAY_OF_YEAR:
    case PART_DAY_OF_WEEK:
    case PART_ISO_DAY_OF_WEEK:
    case PART_ISO_YEAR:
    case PART_DECADE:
    case PART_CENTURY:
    case PART_MILLENNIUM:
    case PART_EPOCH: break; /* nothing that begins */
    }
    return us;
}

static Error *date_trunc(const Args *args, Vector *out)
{
    Unit unit;
    for (ARGS_EACH(args, row))
        if (unit_of(args, out, row, UNIT_YEAR, &unit))
            RESULT(out, int64_t)[row] = truncate_to(ARG(args, 1, int64_t, row), unit);
    return NULL;
}

/* Of a time of the day: units of up to a day, past which it begins anew. */
static Error *time_round(const Args *args, Vector *out, bool up)
{
    Unit unit;
    for (ARGS_EACH(args, row)) {
        if (!unit_of(args, out, row, UNIT_YEAR, &unit))
            continue;
        const int64_t us = ARG(args, 1, int64_t, row), length = unit_us[unit > UNIT_DAY ? UNIT_DAY : unit], start = us / length * length;
        RESULT(out, int64_t)[row] = (up && start < us ? start + length : start) % US_PER_DAY;
    }
    return NULL;
}

static Error *time_trunc(const Args *args, Vector *out) { return time_round(args, out, false); }
static Error *time_ceil(const Args *args, Vector *out) { return time_round(args, out, true); }

static Error *date_ceil(const Args *args, Vector *out)
{
    Unit unit;
    for (ARGS_EACH(args, row)) {
        if (!unit_of(args, out, row, UNIT_YEAR, &unit))
            continue;
        const int64_t us = ARG(args, 1, int64_t, row), start = truncate_to(us, unit);
        const int64_t months = unit == UNIT_YEAR ? 12 : unit == UNIT_QUARTER ? 3 : 1;
        const int64_t end = start == us ? us : unit >= UNIT_MONTH ? add_months(start, months) : time_add(start, unit_us[unit]);
        if (end == INT64_MAX)
            args_fail(args, out, row, "the time is out of range");
        else
            RESULT(out, int64_t)[row] = end;
    }
    return NULL;
}

/* `us` moved by as many units as the first two arguments say, back if sign is -1. False: the row has failed. */
static bool moved(const Args *args, Vector *out, uint32_t row, int64_t us, int sign, int64_t *result)
{
    Unit unit;
    if (!unit_of(args, out, row, UNIT_YEAR, &unit))
        return false;
    int64_t count = ARG(args, 1, int64_t, row), step;
    int64_t length = unit == UNIT_YEAR ? 12 : unit == UNIT_QUARTER ? 3 : unit == UNIT_MONTH ? 1 : unit_us[unit];
    bool far = __builtin_mul_overflow(count, sign * length, &step);
    *result = far ? INT64_MAX : unit >= UNIT_MONTH ? add_months(us, step) : time_add(us, step);
    if (*result != INT64_MAX && *result != INT64_MIN)
        return true;
    args_fail(args, out, row, "the time is out of range");
    return false;
}

static void move_timestamps(const Args *args, Vector *out, int sign)
{
    int64_t us;
    for (ARGS_EACH(args, row))
        if (moved(args, out, row, ARG(args, 2, int64_t, row), sign, &us))
            RESULT(out, int64_t)[row] = us;
}

static Error *timestamp_add(const Args *args, Vector *out)
{
    move_timestamps(args, out, 1);
    return NULL;
}

static Error *timestamp_sub(const Args *args, Vector *out)
{
    move_timestamps(args, out, -1);
    return NULL;
}

static void move_dates(const Args *args, Vector *out, int sign)
{
    int64_t us;
    for (ARGS_EACH(args, row)) {
        if (__builtin_mul_overflow(ARG(args, 2, int64_t, row), US_PER_DAY, &us))
            args_fail(args, out, row, "the time is out of range");
        else if (!moved(args, out, row, us, sign, &us))
            continue;
        else if (us % US_PER_DAY != 0)
            args_fail(args, out, row, "a DATE moves by whole days: CAST it to TIMESTAMP");
        else
            RESULT(out, int64_t)[row] = us / US_PER_DAY;
    }
}

static Error *date_add(const Args *args, Vector *out)
{
    move_dates(args, out, 1);
    return NULL;
}

static Error *date_sub(const Args *args, Vector *out)
{
    move_dates(args, out, -1);
    return NULL;
}

/* Past midnight a TIME begins anew. */
static void move_times(const Args *args, Vector *out, int sign)
{
    int64_t us;
    for (ARGS_EACH(args, row))
        if (moved(args, out, row, ARG(args, 2, int64_t, row), sign, &us))
            RESULT(out, int64_t)[row] = floor_mod(us, US_PER_DAY);
}

static Error *time_of_day_add(const Args *args, Vector *out)
{
    move_times(args, out, 1);
    return NULL;
}

static Error *time_of_day_sub(const Args *args, Vector *out)
{
    move_times(args, out, -1);
    return NULL;
}

/* Boundaries crossed from the second to the third argument, as SQL Server and ASA count. */
static Error *date_diff(const Args *args, Vector *out)
{
    Unit unit;
    for (ARGS_EACH(args, row)) {
        if (!unit_of(args, out, row, UNIT_YEAR, &unit))
            continue;
        int64_t from = ARG(args, 1, int64_t, row), to = ARG(args, 2, int64_t, row);
        if (unit < UNIT_MONTH) {
            int64_t shift = unit == UNIT_WEEK ? 4 * US_PER_DAY : 0; /* weeks begin on Sunday there */
            RESULT(out, int64_t)[row] = floor_div(time_add(to, shift), unit_us[unit]) - floor_div(time_add(from, shift), unit_us[unit]);
            continue;
        }
        CivilTime a = civil_from_us(from), b = civil_from_us(to);
        int64_t months = ((int64_t)b.year - a.year) * 12 + b.month - a.month;
        RESULT(out, int64_t)[row] = unit == UNIT_YEAR ? b.year - a.year
                                    : unit == UNIT_QUARTER ? (int64_t)(b.year - a.year) * 4 + (b.month - 1) / 3 - (a.month - 1) / 3 : months;
    }
    return NULL;
}

/* Whole units from one time to the other, as Flink counts: cut towards zero. */
static Error *timestamp_diff(const Args *args, Vector *out)
{
    Unit unit;
    for (ARGS_EACH(args, row)) {
        if (!unit_of(args, out, row, UNIT_YEAR, &unit))
            continue;
        int64_t from = ARG(args, 1, int64_t, row), to = ARG(args, 2, int64_t, row);
        if (unit < UNIT_MONTH) {
            RESULT(out, int64_t)[row] = time_sub(to, from) / unit_us[unit];
            continue;
        }
        CivilTime a = civil_from_us(from), b = civil_from_us(to);
        int64_t months = ((int64_t)b.year - a.year) * 12 + b.month - a.month;
        int64_t from_in_month = (a.day - 1) * US_PER_DAY + floor_mod(from, US_PER_DAY), to_in_month = (b.day - 1) * US_PER_DAY + floor_mod(to, US_PER_DAY);
        months += months > 0 && to_in_month < from_in_month ? -1 : months < 0 && to_in_month > from_in_month ? 1 : 0;
        RESULT(out, int64_t)[row] = unit == UNIT_YEAR ? months / 12 : unit == UNIT_QUARTER ? months / 3 : months;
    }
    return NULL;
}

Error *time_date_part(const Args *args, Vector *out)
{
    Unit unit;
    for (ARGS_EACH(args, row)) {
        if (!unit_of(args, out, row, PART_EPOCH, &unit))
            continue;
        int64_t us = ARG(args, 1, int64_t, row), value = 0;
        CivilTime t = civil_from_us(us);
        switch (unit) {
        case UNIT_US: value = t.us; break;
        case UNIT_MS: value = t.us / 1000; break;
        case UNIT_SECOND: value = t.second; break;
        case UNIT_MINUTE: value = t.minute; break;
        case UNIT_HOUR: value = t.hour; break;
        case UNIT_DAY: value = t.day; break;
        case UNIT_WEEK: value = iso_week(us); break;
        case UNIT_MONTH: value = t.month; break;
        case UNIT_QUARTER: value = (t.month - 1) / 3 + 1; break;
        case UNIT_YEAR: value = t.year; break;
        case PART_DAY_OF_YEAR: value = day_of_year(&t); break;
        case PART_DAY_OF_WEEK: value = iso_weekday(us) % 7 + 1; break;
        case PART_ISO_DAY_OF_WEEK: value = iso_weekday(us); break;
        case PART_ISO_YEAR: value = iso_year(us); break;
        case PART_DECADE: value = floor_div(t.year, 10); break;
        case PART_CENTURY: value = floor_div(t.year + 99, 100); break;
        case PART_MILLENNIUM: value = floor_div(t.year + 999, 1000); break;
        case PART_EPOCH: value = floor_div(us, US_PER_SECOND); break;
        }
        RESULT(out, int64_t)[row] = value;
    }
    return NULL;
}

/* ---- now ---- */

static Error *now(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = args->evaluation->now_us;
    return NULL;
}

static Error *current_time(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const int64_t now_us = args->evaluation->now_us;
        RESULT(out, int64_t)[row] = now_us - floor_div(now_us, US_PER_DAY) * US_PER_DAY;
    }
    return NULL;
}

static Error *current_date(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(args->evaluation->now_us, US_PER_DAY);
    return NULL;
}

static Error *unix_now(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(args->evaluation->now_us, US_PER_MS);
    return NULL;
}

/* ---- epochs ---- */

static Error *to_unix_ms(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(ARG(args, 0, int64_t, row), US_PER_MS);
    return NULL;
}

static void from_epoch(const Args *args, Vector *out, int64_t unit)
{
    for (ARGS_EACH(args, row))
        if (__builtin_mul_overflow(ARG(args, 0, int64_t, row), unit, &RESULT(out, int64_t)[row]))
            args_fail(args, out, row, "the time is out of range");
}

static Error *from_unix_ms(const Args *args, Vector *out)
{
    from_epoch(args, out, US_PER_MS);
    return NULL;
}

static Error *from_unix_s(const Args *args, Vector *out)
{
    from_epoch(args, out, US_PER_SECOND);
    return NULL;
}

/* ---- text ---- */

Error *time_format_timestamp(const Args *args, Vector *out)
{
    TimePattern pattern = { .args = args, .out = out };
    for (ARGS_EACH(args, row))
        time_pattern_format(&pattern, row, ARG(args, 0, int64_t, row));
    return NULL;
}

/* ksqlDB's older functions go by epoch milliseconds, such as ROWTIME. */
Error *time_format_epoch_ms(const Args *args, Vector *out)
{
    TimePattern pattern = { .args = args, .out = out };
    for (ARGS_EACH(args, row)) {
        int64_t us;
        if (__builtin_mul_overflow(ARG(args, 0, int64_t, row), US_PER_MS, &us))
            args_fail(args, out, row, "the time is out of range");
        else
            time_pattern_format(&pattern, row, us);
    }
    return NULL;
}

Error *time_parse_timestamp(const Args *args, Vector *out)
{
    TimePattern pattern = { .args = args, .out = out };
    for (ARGS_EACH(args, row))
        time_pattern_parse(&pattern, row, &RESULT(out, int64_t)[row]);
    return NULL;
}

Error *time_parse_epoch_ms(const Args *args, Vector *out)
{
    TRY(time_parse_timestamp(args, out));
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(RESULT(out, int64_t)[row], US_PER_MS);
    return NULL;
}

static Error *to_timestamp(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        if (!timestamp_parse(str_bytes(text), text->length, &RESULT(out, int64_t)[row], NULL))
            args_fail(args, out, row, "'%.*s' is no timestamp", text->length < 60 ? (int)text->length : 60, str_bytes(text));
    }
    return NULL;
}

/* What a text leaves out of a time, for casts that allow that; another text as it is. */
static Error *complete_time(const Args *args, Vector *out)
{
    char whole[64];
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        size_t length = timestamp_complete(str_bytes(text), text->length, whole, sizeof whole);
        RESULT(out, Str)[row] = length ? str_view(arena_copy(args->evaluation->arena, whole, length), length) : *text;
    }
    return NULL;
}

/* Days out of the microseconds that a parser of timestamps left in `out`. */
static void keep_days(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(RESULT(out, int64_t)[row], US_PER_DAY);
}

static Error *parse_date(const Args *args, Vector *out)
{
    TRY(time_parse_timestamp(args, out));
    keep_days(args, out);
    return NULL;
}

static Error *to_date(const Args *args, Vector *out)
{
    TRY(to_timestamp(args, out));
    keep_days(args, out);
    return NULL;
}

static Error *last_day(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int year, month, day;
        civil_from_days(ARG(args, 0, int64_t, row), &year, &month, &day);
        RESULT(out, int64_t)[row] = days_from_civil(year, month, days_in_month(year, month));
    }
    return NULL;
}

#define TS TYPE_TIMESTAMP
#define I TYPE_BIGINT
#define V TYPE_VARCHAR
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define PART(name_, kernel_, doc_, yields_) \
    { name_, { TS }, I, kernel_, .category = "time", .doc = doc_, .example = name_ "(TIMESTAMP '2026-03-04 05:06:07.089')", .yields = yields_ }

const ScalarFunction time_functions[] = {
    PART("year", part_year, "The year.", "2026"),
    PART("quarter", part_quarter, "The quarter, 1 to 4.", "1"),
    PART("month", part_month, "The month, 1 to 12.", "3"),
    PART("week", part_week, "The week of the year (ISO 8601).", "10"),
    PART("day", part_day, "The day of the month.", "4"),
    PART("dayofmonth", part_day, "The day of the month.", "4"),
    PART("dayofyear", part_day_of_year, "The day of the year.", "63"),
    PART("dayofweek", part_day_of_week, "The day of the week, 1 Sunday to 7 Saturday.", "4"),
    PART("isodow", part_iso_day_of_week, "The day of the week, 1 Monday to 7 Sunday.", "3"),
    PART("hour", part_hour, "The hour, 0 to 23.", "5"),
    PART("minute", part_minute, "The minute.", "6"),
    PART("second", part_second, "The second.", "7"),
    PART("millisecond", part_millisecond, "The milliseconds behind the second.", "89"),
    PART("microsecond", part_microsecond, "The microseconds behind the second.", "89000"),
    PART("epoch", part_epoch, "Seconds since 1970.", "1772600767"),
    { "hour", { TYPE_TIME }, I, time_hour, .category = "time", .doc = "The hour, 0 to 23.", .example = "hour(TIME '05:06:07')", .yields = "5" },
    { "minute", { TYPE_TIME }, I, time_minute, .category = "time", .doc = "The minute.", .example = "minute(TIME '05:06:07')", .yields = "6" },
    { "second", { TYPE_TIME }, I, time_second, .category = "time", .doc = "The second.", .example = "second(TIME '05:06:07')", .yields = "7" },
    { "date_trunc", { V, TS }, TS, date_trunc, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The start of the unit that the time is in: second, minute, hour, day, week (Monday), month, quarter, year.",
      .example = "date_trunc('hour', TIMESTAMP '2026-03-04 05:06:07')", .yields = "2026-03-04 05:00:00.000" },
    { "date_ceil", { V, TS }, TS, date_ceil, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The end of the unit that the time is in; the time itself where a unit starts. Also `CEIL(time TO unit)`, and `FLOOR(time TO unit)` for date_trunc.",
      .example = "date_ceil('hour', TIMESTAMP '2026-03-04 05:06:07')", .yields = "2026-03-04 06:00:00.000" },
    { "date_trunc", { V, TYPE_TIME }, TYPE_TIME, time_trunc, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The same of a time of the day.", .example = "FLOOR(TIME '12:44:31' TO MINUTE)", .yields = "12:44:00" },
    { "date_ceil", { V, TYPE_TIME }, TYPE_TIME, time_ceil, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The same of a time of the day; what reaches midnight is 00:00:00.", .example = "CEIL(TIME '12:44:31' TO MINUTE)", .yields = "12:45:00" },
    { "dateadd", { V, I, TS }, TS, timestamp_add, NULL, prepare_unit, .aliases = ALIASES("timestampadd"), .can_fail = true, .category = "time", .doc = "The time moved by n units.",
      .example = "dateadd('month', 1, TIMESTAMP '2026-01-31 00:00:00')", .yields = "2026-02-28 00:00:00.000" },
    { "dateadd", { V, I, TYPE_TIMESTAMP_TZ }, TYPE_TIMESTAMP_TZ, timestamp_add, NULL, prepare_unit, .aliases = ALIASES("timestampadd"), .can_fail = true, .category = "time", .doc = "The instant moved by n units of UTC.",
      .example = "dateadd('hour', 1, CAST('2026-01-31T00:00:00Z' AS TIMESTAMP_LTZ))", .yields = "2026-01-31T01:00:00.000Z" },
    { "dateadd", { V, I, TYPE_DATE }, TYPE_DATE, date_add, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The date moved by n units.",
      .example = "dateadd('day', 10, DATE '2026-01-31')", .yields = "2026-02-10" },
    { "datesub", { V, I, TS }, TS, timestamp_sub, NULL, prepare_unit, .aliases = ALIASES("timestampsub"), .can_fail = true, .category = "time", .doc = "The time moved back by n units.",
      .example = "datesub('hour', 1, TIMESTAMP '2026-01-01 00:30:00')", .yields = "2025-12-31 23:30:00.000" },
    { "datesub", { V, I, TYPE_TIMESTAMP_TZ }, TYPE_TIMESTAMP_TZ, timestamp_sub, NULL, prepare_unit, .aliases = ALIASES("timestampsub"), .can_fail = true, .category = "time", .doc = "The instant moved back by n units of UTC.",
      .example = "datesub('hour', 1, CAST('2026-01-31T00:00:00Z' AS TIMESTAMP_LTZ))", .yields = "2026-01-30T23:00:00.000Z" },
    { "datesub", { V, I, TYPE_DATE }, TYPE_DATE, date_sub, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The date moved back by n units.",
      .example = "datesub('month', 1, DATE '2026-03-31')", .yields = "2026-02-28" },
    { "timeadd", { V, I, TYPE_TIME }, TYPE_TIME, time_of_day_add, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The time of the day moved by n units, past midnight if need be.",
      .example = "timeadd('minute', 90, TIME '23:00:00')", .yields = "00:30:00" },
    { "timesub", { V, I, TYPE_TIME }, TYPE_TIME, time_of_day_sub, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "The time of the day moved back by n units.",
      .example = "timesub('hour', 1, TIME '00:30:00')", .yields = "23:30:00" },
    { "datediff", { V, TS, TS }, I, date_diff, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "Unit boundaries between two times (SQL Server, ASA).",
      .example = "datediff('minute', TIMESTAMP '2026-01-01 00:00:59', TIMESTAMP '2026-01-01 00:02:00')", .yields = "2" },
    { "timestampdiff", { V, TS, TS }, I, timestamp_diff, NULL, prepare_unit, .can_fail = true, .category = "time", .doc = "Whole units between two times (Flink).",
      .example = "timestampdiff('minute', TIMESTAMP '2026-01-01 00:00:59', TIMESTAMP '2026-01-01 00:02:00')", .yields = "1" },
    { "datepart", { V, TS }, I, time_date_part, NULL, time_part_prepare, .aliases = ALIASES("date_part"), .can_fail = true, .category = "time", .doc = "A part of a time by its name: microsecond to year, decade, century, millennium, doy, dow (1 Sunday), isodow (1 Monday), isoyear, epoch.",
      .example = "datepart('hour', TIMESTAMP '2026-03-04 05:06:07')", .yields = "5" },
    { "now", { 0 }, TYPE_TIMESTAMP_TZ, now, .aliases = ALIASES("current_timestamp", "current_row_timestamp"), .is_volatile = true, .category = "time", .doc = "The processing time: the same for all rows that are processed together.",
      .example = "now() > TIMESTAMP '2020-01-01 00:00:00'", .yields = "true" },
    { "localtimestamp", { 0 }, TS, now, .is_volatile = true, .category = "time", .doc = "The processing time without zone.",
      .example = "localtimestamp() > TIMESTAMP '2020-01-01 00:00:00'", .yields = "true" },
    { "proctime", { 0 }, TS, now, .is_volatile = true, .category = "time", .doc = "The processing time as a column that windows accept.",
      .example = "proctime() > TIMESTAMP '2020-01-01 00:00:00'", .yields = "true" },
    { "current_time", { 0 }, TYPE_TIME, current_time, .aliases = ALIASES("localtime"), .is_volatile = true, .category = "time", .doc = "The time of day of the processing time.",
      .example = "current_time() >= TIME '00:00:00'", .yields = "true" },
    { "current_date", { 0 }, TYPE_DATE, current_date, .is_volatile = true, .category = "time", .doc = "The date of the processing time.",
      .example = "current_date() > DATE '2020-01-01'", .yields = "true" },
    { "unix_timestamp", { 0 }, I, unix_now, .is_volatile = true, .category = "time", .doc = "The processing time in milliseconds since 1970.",
      .example = "unix_timestamp() > 0", .yields = "true" },
    { "unix_timestamp", { TS }, I, to_unix_ms, .aliases = ALIASES("unix_millis", "to_unix_ms"), .category = "time", .doc = "Milliseconds since 1970.",
      .example = "unix_timestamp(TIMESTAMP '1970-01-01 00:00:01')", .yields = "1000" },
    { "from_unixtime", { I }, TS, from_unix_ms, .aliases = ALIASES("timestamp_millis", "from_unix_ms"), .can_fail = true, .category = "time", .doc = "The time so many milliseconds after the start of 1970 (ksqlDB).",
      .example = "from_unixtime(1000)", .yields = "1970-01-01 00:00:01.000" },
    { "timestamp_seconds", { I }, TS, from_unix_s, .can_fail = true, .category = "time", .doc = "The time so many seconds after the start of 1970.",
      .example = "timestamp_seconds(1)", .yields = "1970-01-01 00:00:01.000" },
    { "format_timestamp", { TS, V }, V, time_format_timestamp, NULL, time_pattern_prepare, .can_fail = true, .aliases = ALIASES("date_format", "timestamptostring"), .category = "time",
      .doc = "A time as text by a pattern of Java's letters: yyyy-MM-dd HH:mm:ss.SSS.", .example = "format_timestamp(TIMESTAMP '2026-03-04 05:06:07', 'dd.MM.yyyy HH:mm')", .yields = "04.03.2026 05:06" },
    { "parse_timestamp", { V, V }, TS, time_parse_timestamp, NULL, time_pattern_prepare, .aliases = ALIASES("to_timestamp"), .can_fail = true, .category = "time",
      .doc = "Text as a time by a pattern of Java's letters.", .example = "parse_timestamp('04.03.2026 05:06', 'dd.MM.yyyy HH:mm')", .yields = "2026-03-04 05:06:00.000" },
    { "complete time", { V }, V, complete_time, .hidden = true, .category = "operator" },
    { "timestamptostring", { I, V }, V, time_format_epoch_ms, NULL, time_pattern_prepare, .can_fail = true, .category = "time",
      .doc = "Milliseconds since 1970 as text by a pattern of Java's letters (ksqlDB).", .example = "timestamptostring(1772600767089, 'yyyy-MM-dd HH:mm:ss.SSS')", .yields = "2026-03-04 05:06:07.089" },
    { "stringtotimestamp", { V, V }, I, time_parse_epoch_ms, NULL, time_pattern_prepare, .can_fail = true, .category = "time",
      .doc = "Text as milliseconds since 1970 by a pattern of Java's letters (ksqlDB).", .example = "stringtotimestamp('1970-01-02', 'yyyy-MM-dd')", .yields = "86400000" },
    { "to_timestamp", { V }, TS, to_timestamp, .can_fail = true, .category = "time", .doc = "Text in SQL or ISO 8601 form as a time.",
      .example = "to_timestamp('2026-03-04T05:06:07Z')", .yields = "2026-03-04 05:06:07.000" },
    { "parse_date", { V, V }, TYPE_DATE, parse_date, NULL, time_pattern_prepare, .aliases = ALIASES("to_date"), .can_fail = true, .category = "time",
      .doc = "Text as a date by a pattern of Java's letters.", .example = "parse_date('04.03.2026', 'dd.MM.yyyy')", .yields = "2026-03-04" },
    { "to_date", { V }, TYPE_DATE, to_date, .can_fail = true, .category = "time", .doc = "Text in SQL or ISO 8601 form as a date.",
      .example = "to_date('2026-03-04')", .yields = "2026-03-04" },
    { "last_day", { TYPE_DATE }, TYPE_DATE, last_day, .category = "time", .doc = "The last day of the month.", .example = "last_day(DATE '2028-02-03')", .yields = "2028-02-29" },
    { .name = NULL }
};

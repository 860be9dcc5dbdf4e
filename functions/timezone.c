/* functions/timezone.c: times in zones. A TIMESTAMP WITH TIME ZONE is an instant, a TIMESTAMP what a clock shows; where a pattern meets a
 * zone, a TIMESTAMP is an instant in UTC, as in ksqlDB. */
#include "functions/time_pattern.h"

#include "common/calendar.h"

#define RESULT(out, CType) ((CType *)(out)->values)

typedef struct Zones { /* prepared: of the arguments after the first; NULL: from a column */
    const TimeZone *zones[2];
} Zones;

static Error *prepare_zones(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    Zones *zones = ARENA_NEW(arena, Zones);
    *prepared = zones;
    for (int i = 1; i < count; i++)
        if (constants[i] && !constants[i]->is_null)
            TRY(timezone_find(str_bytes(&constants[i]->text), constants[i]->text.length, &zones->zones[i - 1]));
    return NULL;
}

static ZoneArg zone_of(const Args *args, int n) { return (ZoneArg){ .constant = ((const Zones *)args->prepared)->zones[n - 1] }; }

static void set_time(const Args *args, Vector *out, uint32_t row, int64_t us)
{
    RESULT(out, int64_t)[row] = us;
    if (us == INT64_MAX || us == INT64_MIN)
        args_fail(args, out, row, "the time is out of range");
}

static Error *convert_tz(const Args *args, Vector *out)
{
    ZoneArg from = zone_of(args, 1), to = zone_of(args, 2);
    for (ARGS_EACH(args, row)) {
        const TimeZone *source = zone_arg(&from, args, out, 1, row), *target = source ? zone_arg(&to, args, out, 2, row) : NULL;
        if (target)
            set_time(args, out, row, timezone_local(target, timezone_utc(source, ARG(args, 0, int64_t, row))));
    }
    return NULL;
}

static Error *local_at_zone(const Args *args, Vector *out)
{
    ZoneArg zone = zone_of(args, 1);
    for (ARGS_EACH(args, row)) {
        const TimeZone *at = zone_arg(&zone, args, out, 1, row);
        if (at)
            set_time(args, out, row, timezone_utc(at, ARG(args, 0, int64_t, row)));
    }
    return NULL;
}

static Error *instant_at_zone(const Args *args, Vector *out)
{
    ZoneArg zone = zone_of(args, 1);
    for (ARGS_EACH(args, row)) {
        const TimeZone *at = zone_arg(&zone, args, out, 1, row);
        if (at)
            set_time(args, out, row, timezone_local(at, ARG(args, 0, int64_t, row)));
    }
    return NULL;
}

static Error *text_to_instant(const Args *args, Vector *out, bool try_one)
{
    ZoneArg zone = zone_of(args, 1);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        const TimeZone *at = zone_arg(&zone, args, out, 1, row);
        int64_t us = 0;
        bool zoned = false;
        if (!at)
            continue;
        if (timestamp_parse(str_bytes(text), text->length, &us, &zoned))
            set_time(args, out, row, zoned ? us : timezone_utc(at, us));
        else if (try_one)
            args_null(args, out, row);
        else
            args_fail(args, out, row, "'%.*s' is no timestamp", text->length < 60 ? (int)text->length : 60, str_bytes(text));
    }
    return NULL;
}

static Error *text_at_zone(const Args *args, Vector *out) { return text_to_instant(args, out, false); }
static Error *try_text_at_zone(const Args *args, Vector *out) { return text_to_instant(args, out, true); }

static Error *instant_to_ms(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(ARG(args, 0, int64_t, row), US_PER_MS);
    return NULL;
}

static Error *instant_to_seconds(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = floor_div(ARG(args, 0, int64_t, row), US_PER_SECOND);
    return NULL;
}

/* Flink: the second argument is 0 for seconds, 3 for milliseconds. */
static Error *to_timestamp_ltz(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t digits = args->arg_count > 1 ? ARG(args, 1, int64_t, row) : 3;
        if (digits != 0 && digits != 3)
            args_fail(args, out, row, "the precision is 0 (seconds) or 3 (milliseconds)");
        else if (__builtin_mul_overflow(ARG(args, 0, int64_t, row), digits ? US_PER_MS : US_PER_SECOND, &RESULT(out, int64_t)[row]))
            args_fail(args, out, row, "the time is out of range");
    }
    return NULL;
}

#define TS TYPE_TIMESTAMP
#define TZ TYPE_TIMESTAMP_TZ
#define I TYPE_BIGINT
#define V TYPE_VARCHAR
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define ZONED NULL, prepare_zones, .can_fail = true, .category = "time"
#define PATTERNED NULL, time_pattern_zone_prepare, .can_fail = true, .category = "time"

const ScalarFunction timezone_functions[] = {
    { "convert_tz", { TS, V, V }, TS, convert_tz, ZONED, .doc = "What clocks in the second zone show when they show the time in the first: 'Europe/Berlin', 'UTC', '+02:00'.",
      .example = "convert_tz(TIMESTAMP '2026-07-01 12:00:00', 'UTC', 'Europe/Berlin')", .yields = "2026-07-01 14:00:00.000" },
    { "at_time_zone", { TS, V }, TZ, local_at_zone, ZONED, .doc = "The instant at which clocks in the zone show this time: `ts AT TIME ZONE 'Europe/Berlin'`.",
      .example = "at_time_zone(TIMESTAMP '2026-07-01 12:00:00', 'Europe/Berlin')", .yields = "2026-07-01T10:00:00.000Z" },
    { "at_time_zone", { TZ, V }, TS, instant_at_zone, ZONED, .doc = "What clocks in the zone show at an instant.",
      .example = "at_time_zone(CAST('2026-07-01T12:00:00Z' AS TIMESTAMP_LTZ), 'Europe/Berlin')", .yields = "2026-07-01 14:00:00.000" },
    { "at_time_zone", { V, V }, TZ, text_at_zone, ZONED, .doc = "Text as an instant: in the zone, unless the text says another.",
      .example = "at_time_zone('2026-07-01 12:00:00', 'Europe/Berlin')", .yields = "2026-07-01T10:00:00.000Z" },
    { "try_at_time_zone", { V, V }, TZ, try_text_at_zone, ZONED, .doc = "The same, and NULL where the text is no time.",
      .example = "try_at_time_zone('yesterday', 'Europe/Berlin')", .yields = "NULL" },
    { "unix_timestamp", { TZ }, I, instant_to_ms, .aliases = ALIASES("unix_millis", "to_unix_ms"), .category = "time", .doc = "Milliseconds since 1970 at an instant.",
      .example = "unix_timestamp(CAST('1970-01-01T01:00:01+01:00' AS TIMESTAMP_LTZ))", .yields = "1000" },
    { "epoch", { TZ }, I, instant_to_seconds, .category = "time", .doc = "Seconds since 1970 at an instant.",
      .example = "epoch(CAST('1970-01-01T01:00:01+01:00' AS TIMESTAMP_LTZ))", .yields = "1" },
    { "format_timestamp", { TS, V, V }, V, time_format_timestamp, PATTERNED, .aliases = ALIASES("date_format", "timestamptostring"),
      .doc = "A time in UTC as text by a pattern of Java's letters, as clocks in a zone show it.",
      .example = "format_timestamp(TIMESTAMP '2026-07-01 12:00:00', 'HH:mm zzz', 'Europe/Berlin')", .yields = "14:00 CEST" },
    { "format_timestamp", { TZ, V, V }, V, time_format_timestamp, PATTERNED, .aliases = ALIASES("date_format", "timestamptostring"),
      .doc = "An instant as text by a pattern of Java's letters, as clocks in a zone show it.",
      .example = "format_timestamp(CAST('2026-07-01T12:00:00Z' AS TIMESTAMP_LTZ), 'HH:mm XXX', 'Europe/Berlin')", .yields = "14:00 +02:00" },
    { "parse_timestamp", { V, V, V }, TS, time_parse_timestamp, PATTERNED, .aliases = ALIASES("to_timestamp"),
      .doc = "Text as a time in UTC by a pattern of Java's letters: local time of the zone, unless the text says another.",
      .example = "parse_timestamp('01.07.2026 14:00', 'dd.MM.yyyy HH:mm', 'Europe/Berlin')", .yields = "2026-07-01 12:00:00.000" },
    { "timestamptostring", { I, V, V }, V, time_format_epoch_ms, PATTERNED, .doc = "Milliseconds since 1970 as text by a pattern of Java's letters, as clocks in a zone show it (ksqlDB).",
      .example = "timestamptostring(1526075913000, 'yyyy-MM-dd HH:mm:ss z', 'America/Los_Angeles')", .yields = "2018-05-11 14:58:33 PDT" },
    { "stringtotimestamp", { V, V, V }, I, time_parse_epoch_ms, PATTERNED, .doc = "Local time of a zone as milliseconds since 1970, by a pattern of Java's letters (ksqlDB).",
      .example = "stringtotimestamp('1970-01-01 01:00', 'yyyy-MM-dd HH:mm', 'Europe/Berlin')", .yields = "0" },
    { "to_timestamp_ltz", { I }, TZ, to_timestamp_ltz, .can_fail = true, .category = "time", .doc = "The instant so many milliseconds after the start of 1970.",
      .example = "to_timestamp_ltz(1000)", .yields = "1970-01-01T00:00:01.000Z" },
    { "to_timestamp_ltz", { I, I }, TZ, to_timestamp_ltz, .can_fail = true, .category = "time", .doc = "The instant so many seconds (0) or milliseconds (3) after the start of 1970 (Flink).",
      .example = "to_timestamp_ltz(1000, 0)", .yields = "1970-01-01T00:16:40.000Z" },
    { .name = NULL },
};

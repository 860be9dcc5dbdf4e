/* functions/time_pattern.c: patterns of times and zones as the last arguments of a function. */
#include "functions/time_pattern.h"

#include "common/timestamp_pattern.h"

#define ARENA(args) ((args)->evaluation->arena)

typedef struct Prepared { /* NULL: from a column */
    const TimestampPattern *pattern;
    const TimeZone *zone;
    bool zoned;           /* there is a zone argument */
} Prepared;

static Error *read_pattern(Arena *arena, const Str *text, const TimestampPattern **pattern)
{
    return timestamp_pattern_new(arena, arena_strndup(arena, str_bytes(text), text->length), pattern);
}

static Error *prepare(Arena *arena, const Value *pattern, const Value *zone, bool zoned, const void **prepared)
{
    Prepared *made = ARENA_NEW(arena, Prepared);
    *prepared = made;
    made->zoned = zoned;
    if (pattern && !pattern->is_null)
        TRY(read_pattern(arena, &pattern->text, &made->pattern));
    if (zone && !zone->is_null)
        TRY(timezone_find(str_bytes(&zone->text), zone->text.length, &made->zone));
    return NULL;
}

Error *time_pattern_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    return prepare(arena, constants[count - 1], NULL, false, prepared);
}

Error *time_pattern_zone_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    return prepare(arena, constants[count - 2], constants[count - 1], true, prepared);
}

const TimeZone *zone_arg(ZoneArg *zone, const Args *args, Vector *out, int n, uint32_t row)
{
    if (zone->constant)
        return zone->constant;
    const Str *text = &ARG(args, n, Str, row);
    if (zone->current && str_equal(text, &zone->text))
        return zone->current;
    zone->text = *text;
    zone->current = timezone_lookup(str_bytes(text), text->length);
    if (!zone->current)
        args_fail(args, out, row, "unknown time zone '%.*s'", text->length < 60 ? (int)text->length : 60, str_bytes(text));
    return zone->current;
}

/* The row's pattern and zone; NULL: it is none, and the row has failed. */
static const TimestampPattern *pattern_at(TimePattern *pattern, uint32_t row, const TimeZone **zone)
{
    const Args *args = pattern->args;
    const Prepared *prepared = args->prepared;
    *zone = NULL;
    if (prepared->zoned) {
        pattern->zone.constant = prepared->zone;
        *zone = zone_arg(&pattern->zone, args, pattern->out, args->arg_count - 1, row);
        if (!*zone)
            return NULL;
    }
    if (prepared->pattern)
        return prepared->pattern;
    const Str *text = &ARG(args, args->arg_count - 1 - prepared->zoned, Str, row);
    if (pattern->current && str_equal(text, &pattern->text))
        return pattern->current;
    pattern->text = *text;
    Error *error = read_pattern(ARENA(args), text, &pattern->current);
    if (error) {
        args_fail(args, pattern->out, row, "%s", error->message);
        error_free(error);
        pattern->current = NULL;
    }
    return pattern->current;
}

bool time_pattern_format(TimePattern *pattern, uint32_t row, int64_t us)
{
    char text[TIMESTAMP_PATTERN_TEXT];
    const TimeZone *zone;
    const TimestampPattern *made = pattern_at(pattern, row, &zone);
    if (!made)
        return false;
    size_t length = timestamp_pattern_format_in(made, zone, us, text);
    ((Str *)pattern->out->values)[row] = str_view(length > STR_INLINE ? arena_copy(ARENA(pattern->args), text, length) : text, length);
    return true;
}

bool time_pattern_parse(TimePattern *pattern, uint32_t row, int64_t *us)
{
    const Str *text = &ARG(pattern->args, 0, Str, row);
    const TimeZone *zone;
    const TimestampPattern *made = pattern_at(pattern, row, &zone);
    if (!made)
        return false;
    TimestampPatternKind kind = timestamp_pattern_kind(made);
    if (kind >= PATTERN_EPOCH_S && kind <= PATTERN_EPOCH_US ? timestamp_epoch_parse(kind, str_bytes(text), text->length, us)
                                                            : timestamp_pattern_parse_in(made, zone, str_bytes(text), text->length, us))
        return true;
    *us = 0;
    args_fail(pattern->args, pattern->out, row, "'%.*s' does not fit the pattern", text->length < 60 ? (int)text->length : 60, str_bytes(text));
    return false;
}

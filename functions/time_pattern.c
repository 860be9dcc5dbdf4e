/* functions/time_pattern.c: patterns of times as the last argument of a function. */
#include "functions/time_pattern.h"

#include "common/timestamp_pattern.h"

#define ARENA(args) ((args)->evaluation->arena)

static Error *read_pattern(Arena *arena, const Str *text, const TimestampPattern **pattern)
{
    return timestamp_pattern_new(arena, arena_strndup(arena, str_bytes(text), text->length), pattern);
}

Error *time_pattern_prepare(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    const Value *pattern = constants[count - 1];
    const TimestampPattern *made;
    *prepared = NULL;
    if (!pattern || pattern->is_null)
        return NULL;
    TRY(read_pattern(arena, &pattern->text, &made));
    *prepared = made;
    return NULL;
}

/* The row's pattern; NULL: it is none, and the row has failed. */
static const TimestampPattern *pattern_at(TimePattern *pattern, uint32_t row)
{
    const Args *args = pattern->args;
    if (args->prepared)
        return args->prepared;
    const Str *text = &ARG(args, args->arg_count - 1, Str, row);
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
    const TimestampPattern *made = pattern_at(pattern, row);
    if (!made)
        return false;
    size_t length = timestamp_pattern_format(made, us, text);
    ((Str *)pattern->out->values)[row] = str_view(length > STR_INLINE ? arena_copy(ARENA(pattern->args), text, length) : text, length);
    return true;
}

bool time_pattern_parse(TimePattern *pattern, uint32_t row, int64_t *us)
{
    const Str *text = &ARG(pattern->args, 0, Str, row);
    const TimestampPattern *made = pattern_at(pattern, row);
    if (!made)
        return false;
    TimestampPatternKind kind = timestamp_pattern_kind(made);
    if (kind >= PATTERN_EPOCH_S && kind <= PATTERN_EPOCH_US ? timestamp_epoch_parse(kind, str_bytes(text), text->length, us)
                                                            : timestamp_pattern_parse(made, str_bytes(text), text->length, us))
        return true;
    *us = 0;
    args_fail(pattern->args, pattern->out, row, "'%.*s' does not fit the pattern", text->length < 60 ? (int)text->length : 60, str_bytes(text));
    return false;
}

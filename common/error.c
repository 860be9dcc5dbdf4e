/* common/error.c: errors travel as values. Plain malloc on purpose: reporting must not raise in turn. */
#include "common/error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Error no_memory = { .code = ERR_MEMORY, .message = "out of memory" };

static Error busy = { .code = ERR_BUSY, .retriable = true, .message = "no room" };

Error *error_memory(void) { return &no_memory; }
Error *error_busy(void) { return &busy; }

static bool is_static(const Error *error) { return error == &no_memory || error == &busy; }

static char *format_text(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

static Error *make(ErrorCode code, Span at, const char *format, va_list args)
{
    Error *error = calloc(1, sizeof *error);
    char *message = format_text(format, args);
    if (!error || !message) {
        free(error);
        free(message);
        return &no_memory;
    }
    error->code = code;
    error->at = at;
    error->message = message;
    return error;
}

Error *error_new(ErrorCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Error *error = make(code, SPAN_NONE, format, args);
    va_end(args);
    return error;
}

Error *error_at(ErrorCode code, Span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Error *error = make(code, at, format, args);
    va_end(args);
    return error;
}

Error *error_hint(Error *error, const char *format, ...)
{
    if (is_static(error))
        return error;
    va_list args;
    va_start(args, format);
    char *hint = format_text(format, args);
    va_end(args);
    if (hint) {
        free(error->hint);
        error->hint = hint;
    }
    return error;
}

Error *error_context(Error *error, const char *format, ...)
{
    if (is_static(error))
        return error;
    va_list args;
    va_start(args, format);
    char *context = format_text(format, args);
    va_end(args);
    size_t size = context ? strlen(context) + strlen(error->message) + 3 : 0;
    char *joined = size ? malloc(size) : NULL;
    if (joined) {
        snprintf(joined, size, "%s: %s", context, error->message);
        free(error->message);
        error->message = joined;
    }
    free(context);
    return error;
}

Error *error_append(Error *list, Error *error)
{
    if (!list || !error)
        return list ? list : error;
    Error *last = list;
    while (last->next)
        last = last->next;
    if (!is_static(last))
        last->next = error;
    return list;
}

void error_free(Error *error)
{
    while (error && !is_static(error)) {
        Error *next = error->next;
        free(error->message);
        free(error->hint);
        free(error);
        error = next;
    }
}

void error_unwind(void *list) { error_free(*(Error **)list); }

/* ---- nearest names ---- */

#define NAME_MAX_COMPARED 64

/* Damerau-Levenshtein distance (adjacent swaps count one), case ignored. */
static int distance(const char *a, const char *b)
{
    int rows[3][NAME_MAX_COMPARED + 1];
    int a_length = (int)strlen(a), b_length = (int)strlen(b);
    if (a_length > NAME_MAX_COMPARED || b_length > NAME_MAX_COMPARED)
        return 1000;
    int *before = rows[0], *last = rows[1], *now = rows[2];
    for (int j = 0; j <= b_length; j++)
        last[j] = j;
    for (int i = 1; i <= a_length; i++) {
        now[0] = i;
        for (int j = 1; j <= b_length; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            int best = last[j - 1] + (ca != cb);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == cb && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        int *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b_length];
}

const char *nearest_name(const char *wrong, const char *const names[], int name_count)
{
    const char *best = NULL;
    int best_distance = (int)strlen(wrong) / 3;
    if (best_distance < 1)
        best_distance = 1;
    best_distance++;
    for (int i = 0; i < name_count; i++) {
        int d = names[i] ? distance(wrong, names[i]) : 1000;
        if (d < best_distance && d < (int)strlen(wrong)) {
            best_distance = d;
            best = names[i];
        }
    }
    return best;
}

Error *error_suggest(Error *error, const char *wrong, const char *const names[], int name_count)
{
    const char *near = nearest_name(wrong, names, name_count);
    return near ? error_hint(error, "did you mean '%s'?", near) : error;
}

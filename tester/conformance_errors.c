/* tester/conformance_errors.c: the table of error messages. */
#include "tester/conformance_errors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Error *conformance_errors_read(Arena *arena, const char *path, ErrorTable *table)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return NULL;
    Error *error = NULL;
    char *line = NULL;
    size_t capacity = 0;
    int number = 0;
    for (ssize_t length; !error && (length = getline(&line, &capacity, in)) >= 0;) {
        number++;
        line[strcspn(line, "\n")] = 0;
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || line[0] == 0)
            continue;
        if (!tab || tab == line || tab[1] == 0) {
            error = error_new(ERR_PARSE, "%s:%d: not two patterns with a tab between them", path, number);
            continue;
        }
        *tab = 0;
        ErrorPair pair = { arena_strdup(arena, line), arena_strdup(arena, tab + 1) };
        LIST_ADD(arena, table, pair);
    }
    free(line);
    fclose(in);
    return error;
}

static bool matches_here(const char *pattern, const char *text)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '*')
            return conformance_pattern_matches(pattern + 1, text);
        if (*text == 0 || tolower((unsigned char)*pattern) != tolower((unsigned char)*text))
            return false;
    }
    return true;
}

bool conformance_pattern_matches(const char *pattern, const char *text)
{
    for (;; text++) {
        if (matches_here(pattern, text))
            return true;
        if (*text == 0)
            return false;
    }
}

bool conformance_error_fits(const ErrorTable *table, const char *theirs, const Error *ours)
{
    for (const Error *error = ours; error; error = error->next) {
        if (error->code == ERR_INTERNAL)
            return false;
        if (strcasestr(error->message, theirs))
            return true;
        for (int i = 0; i < table->count; i++)
            if (conformance_pattern_matches(table->items[i].theirs, theirs) && conformance_pattern_matches(table->items[i].ours, error->message))
                return true;
    }
    return false;
}

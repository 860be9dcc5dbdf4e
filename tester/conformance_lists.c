/* tester/conformance_lists.c: lists of cases with reasons. */
#include "tester/conformance_lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED_FAILURES "expected-failures.txt"

static Error *read_list(Arena *arena, const char *path, NameReasons *list)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return NULL;
    Error *error = NULL;
    char *line = NULL;
    size_t capacity = 0;
    for (int number = 1; !error && getline(&line, &capacity, in) >= 0; number++) {
        line[strcspn(line, "\n")] = 0;
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || line[0] == 0)
            continue;
        if (!tab || tab[1] == 0) {
            error = error_new(ERR_PARSE, "%s:%d: not a name and, behind a tab, a reason", path, number);
            continue;
        }
        *tab = 0;
        NameReason entry = { arena_strdup(arena, line), arena_strdup(arena, tab + 1) };
        LIST_ADD(arena, list, entry);
    }
    free(line);
    fclose(in);
    return error;
}

Error *conformance_lists_read(Arena *arena, const char *folder, ConformanceLists *lists)
{
    TRY(read_list(arena, arena_printf(arena, "%s/" EXPECTED_FAILURES, folder), &lists->expected_failures));
    TRY(read_list(arena, arena_printf(arena, "%s/accepted.txt", folder), &lists->accepted));
    return conformance_errors_read(arena, arena_printf(arena, "%s/errors.txt", folder), &lists->errors);
}

const char *conformance_list_find(const NameReasons *list, const char *name)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return list->items[i].reason;
    return NULL;
}

static void read_heading(const char *path, Text *heading)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    while (in && getline(&line, &capacity, in) >= 0 && line[0] == '#')
        text_add_c(heading, line);
    free(line);
    if (in)
        fclose(in);
}

static int by_name(const void *a, const void *b) { return strcmp(((const NameReason *)a)->name, ((const NameReason *)b)->name); }

Error *conformance_list_write(Arena *arena, const char *folder, NameReasons *list)
{
    const char *path = arena_printf(arena, "%s/" EXPECTED_FAILURES, folder);
    Text heading = { 0 };
    MEMORY_HOLD(text_unwind, &heading);
    read_heading(path, &heading);
    FILE *out = fopen(path, "w");
    if (out) {
        if (list->count)
            qsort(list->items, (size_t)list->count, sizeof *list->items, by_name);
        fputs(text_c(&heading), out);
        for (int i = 0; i < list->count; i++)
            fprintf(out, "%s\t%s\n", list->items[i].name, list->items[i].reason);
    }
    text_release(&heading);
    return !out || fclose(out) ? error_new(ERR_IO, "cannot write '%s': %s", path, strerror(errno)) : NULL;
}

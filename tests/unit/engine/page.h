/* tests/unit/engine/page.h: pages of the documentation whose tables are made from the program's own registries.
 *
 * A table stands between `<!-- KIND: NAME -->` and `<!-- end -->`. UPDATE=1 writes it, else the page must be as it would be written. */
#pragma once
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include "common/arena.h"
#include "common/str.h"

#define PAGE_TABLE_END "<!-- end -->"

/* Appends the table of that name. */
typedef void (*PageTable)(Arena *arena, const char *name, Text *out);

static inline char *page_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    Text text = { 0 };
    char piece[4096];
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        text_add(&text, piece, got);
    fclose(file);
    char *copy = mem_strdup(text_c(&text));
    text_release(&text);
    return copy;
}

static inline void page_check(const char *path, const char *kind, PageTable add_table)
{
    Arena arena;
    arena_init(&arena, NULL);
    char *page = page_read(path);
    const char *mark = arena_printf(&arena, "<!-- %s: ", kind), *rest = page;
    Text wanted = { 0 };
    for (const char *start; (start = strstr(rest, mark)) != NULL;) {
        const char *name = start + strlen(mark), *line_end = strchr(name, '\n'), *end = strstr(name, PAGE_TABLE_END);
        assert_non_null(line_end);
        assert_non_null(end);
        text_add(&wanted, rest, (size_t)(line_end + 1 - rest));
        add_table(&arena, arena_strndup(&arena, name, (size_t)(strstr(name, " -->") - name)), &wanted);
        rest = end;
    }
    text_add_c(&wanted, rest);
    if (getenv("UPDATE")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs(text_c(&wanted), file);
        fclose(file);
    } else if (strcmp(text_c(&wanted), page) != 0) {
        print_error("%s is not what the program says: UPDATE=1 make unit-engine\n", path);
        assert_true(false);
    }
    text_release(&wanted);
    mem_free(page);
    arena_release(&arena);
}

/* Every table that the page must have. */
static inline void page_must_hold(const char *path, const char *kind, const char *name)
{
    char *page = page_read(path), mark[256];
    snprintf(mark, sizeof mark, "<!-- %s: %s -->", kind, name);
    if (!strstr(page, mark)) {
        print_error("%s has no table '%s'\n", path, mark);
        mem_free(page);
        assert_true(false);
    }
    mem_free(page);
}

/* Text in a cell: a bar would end it. */
static inline const char *page_cell(Arena *arena, const char *text)
{
    Text out = { 0 };
    for (; *text; text++) {
        if (*text == '|')
            text_add_char(&out, '\\');
        text_add_char(&out, *text);
    }
    const char *copy = arena_strdup(arena, text_c(&out));
    text_release(&out);
    return copy;
}

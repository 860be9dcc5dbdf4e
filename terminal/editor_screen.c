/* terminal/editor_screen.c: draws the text anew after each key, in one write. */
#include <errno.h>
#include <unistd.h>

#include "terminal/editor_internal.h"
#include "terminal/raw_mode.h"

void editor_write(Editor *editor, const char *bytes, size_t length)
{
    while (length) {
        ssize_t wrote = write(editor->output, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* the terminal went away: reading says so */
        bytes += wrote;
        length -= (size_t)wrote;
    }
}

void editor_bell(Editor *editor) { editor_write(editor, "\a", 1); }

/* To the first row that is shown, everything below wiped away. */
static void add_erase(Editor *editor, Text *out)
{
    if (!editor->drawn)
        return;
    text_add_char(out, '\r');
    if (editor->drawn_cursor_row)
        text_printf(out, "\033[%zuA", editor->drawn_cursor_row);
    text_add_c(out, "\033[J");
}

void editor_erase(Editor *editor)
{
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    add_erase(editor, &out);
    editor_write(editor, text_c(&out), out.length);
    text_release(&out);
    editor->drawn = false;
}

typedef struct Prompts { const char **items; int count, capacity; } Prompts;

static void add_prompts(const Editor *editor, Arena *arena, Prompts *prompts)
{
    const Text *text = &editor->buffer.text;
    const char *bytes = text->bytes ? text->bytes : "";
    for (size_t at = 0;; at++) {
        const char *prompt = editor->hooks.prompt ? editor->hooks.prompt(editor->hooks.caller, arena, bytes, at) : "> ";
        LIST_ADD(arena, prompts, prompt);
        const char *end = memchr(bytes + at, '\n', text->length - at);
        if (!end)
            return;
        at = (size_t)(end - bytes);
    }
}

static const char *search_prompt(const Editor *editor, Arena *arena)
{
    return arena_printf(arena, "%ssearch '%.*s': ", editor->failing ? "no " : "", (int)editor->wanted.length, editor->wanted.length ? editor->wanted.bytes : "");
}

static void make_layout(Editor *editor, Arena *arena, int columns)
{
    const Text *text = &editor->buffer.text;
    const char *bytes = text->bytes ? text->bytes : "";
    Prompts prompts = { 0 };
    add_prompts(editor, arena, &prompts);
    if (editor->searching)
        prompts.items[0] = search_prompt(editor, arena);
    LayoutInput input = { .text = bytes, .length = text->length, .cursor = editor->buffer.cursor, .prompts = prompts.items,
        .prompt_count = prompts.count, .columns = columns, .color = editor->color };
    if (editor->color && editor->hooks.color) {
        uint8_t *styles = ARENA_ARRAY(arena, uint8_t, text->length + 1);
        editor->hooks.color(editor->hooks.caller, bytes, text->length, styles);
        input.styles = styles;
    }
    if (editor->hooks.hint && editor->buffer.cursor == text->length && !editor->searching)
        input.hint = editor->hooks.hint(editor->hooks.caller, arena, bytes, text->length);
    layout_make(&input, &editor->layout);
}

void editor_draw(Editor *editor)
{
    int columns, rows;
    terminal_size(editor->output, &columns, &rows);
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    make_layout(editor, &arena, columns);
    const Layout *layout = &editor->layout;
    /* Of a text that is higher than the terminal: the rows around the cursor. */
    size_t most = rows > 1 ? (size_t)rows - 1 : 1, first = 0, count = layout->row_count;
    if (count > most) {
        first = layout->cursor_row >= most ? layout->cursor_row - most + 1 : 0;
        count = most;
    }
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    text_add_c(&out, "\033[?25l");
    add_erase(editor, &out);
    for (size_t row = first; row < first + count; row++) {
        size_t start = row ? layout->row_ends[row - 1] : 0;
        text_add(&out, layout->text.bytes + start, layout->row_ends[row] - start);
        if (row + 1 < first + count)
            text_add_char(&out, '\n');
    }
    size_t below = first + count - 1 - layout->cursor_row;
    if (below)
        text_printf(&out, "\033[%zuA", below);
    text_add_char(&out, '\r');
    if (layout->cursor_column)
        text_printf(&out, "\033[%dC", layout->cursor_column);
    text_add_c(&out, "\033[?25h");
    editor_write(editor, text_c(&out), out.length);
    editor->drawn = true;
    editor->drawn_cursor_row = layout->cursor_row - first;
    text_release(&out);
    arena_release(&arena);
}

void editor_leave(Editor *editor)
{
    size_t cursor = editor->buffer.cursor;
    EditorHooks hooks = editor->hooks;
    editor->buffer.cursor = editor->buffer.text.length;
    editor->hooks.hint = NULL;
    editor_draw(editor);
    editor->hooks = hooks;
    editor->buffer.cursor = cursor;
    editor_write(editor, "\n", 1);
    editor->drawn = false;
}

/* terminal/editor_complete.c: Tab: the one thing that fits, what all that fit have in common, or a list of them. */
#include "terminal/editor_internal.h"
#include "terminal/raw_mode.h"
#include "terminal/width.h"

/* Bytes that all of them begin with, without regard to case, not inside a character. */
static size_t common_length(const Completions *completions)
{
    const char *first = completions->items[0].text;
    size_t length = strlen(first);
    for (int i = 1; i < completions->count; i++) {
        size_t same = 0;
        const char *other = completions->items[i].text;
        while (same < length && other[same] && (first[same] | 32) == (other[same] | 32))
            same++;
        length = same;
    }
    while (length && ((unsigned char)first[length] & 0xC0) == 0x80)
        length--;
    return length;
}

static const char *shown(const Completion *completion) { return completion->shown ? completion->shown : completion->text; }

static void add_list(const Completions *completions, int columns, int rows, Text *out)
{
    int widest = 1;
    for (int i = 0; i < completions->count; i++) {
        int width = display_width(shown(&completions->items[i]), strlen(shown(&completions->items[i])));
        widest = width > widest ? width : widest;
    }
    int across = columns / (widest + 2) > 0 ? columns / (widest + 2) : 1;
    int lines = (completions->count + across - 1) / across, most = rows > 4 ? rows - 3 : 1;
    for (int line = 0; line < lines && line < most; line++) {
        for (int at = line; at < completions->count; at += lines) {
            const char *name = shown(&completions->items[at]);
            text_add_c(out, name);
            if (at + lines < completions->count)
                for (int pad = widest + 2 - display_width(name, strlen(name)); pad > 0; pad--)
                    text_add_char(out, ' ');
        }
        text_add_c(out, "\n");
    }
    if (lines > most)
        text_printf(out, ".. %d in all: type more\n", completions->count);
}

static void list(Editor *editor, const Completions *completions)
{
    int columns, rows;
    terminal_size(editor->output, &columns, &rows);
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    editor_leave(editor);
    add_list(completions, columns, rows, &out);
    editor_write(editor, text_c(&out), out.length);
    text_release(&out);
}

void editor_complete(Editor *editor)
{
    EditBuffer *buffer = &editor->buffer;
    if (!editor->hooks.complete)
        return;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Completions completions = { .from = buffer->cursor };
    editor->hooks.complete(editor->hooks.caller, &arena, text_c(&buffer->text), buffer->text.length, buffer->cursor, &completions);
    if (completions.count == 0) {
        editor_bell(editor);
    } else {
        size_t common = common_length(&completions), there = buffer->cursor - completions.from;
        if (completions.count == 1 || common > there)
            edit_replace(buffer, completions.from, buffer->cursor, completions.items[0].text, common);
        else
            list(editor, &completions);
    }
    arena_release(&arena);
}

/* terminal/editor.c: waits for keys and for what others print, and gives the text when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "terminal/editor_internal.h"
#include "terminal/raw_mode.h"

#define ABOVE_BYTES 16384 /* of what others print: so much at once */
#define ESCAPE_WAIT_MS 50 /* a lone ESC is a key if nothing follows it for so long */

/* ---- life ---- */

static int resize_wake = -1; /* of the editor that reads */

static void on_resize(int number)
{
    (void)number;
    int kept = errno, wake = resize_wake;
    if (wake >= 0)
        (void)!write(wake, "r", 1);
    errno = kept;
}

Editor *editor_new(int input, int output, bool color, const EditorHooks *hooks, History *history)
{
    Editor *editor = mem_calloc(1, sizeof *editor);
    editor->input = input;
    editor->output = output;
    editor->color = color;
    editor->hooks = *hooks;
    editor->history = history;
    edit_init(&editor->buffer);
    if (pipe2(editor->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        editor->wake[0] = editor->wake[1] = -1; /* what others print is then seen at the next key */
    return editor;
}

void editor_free(Editor *editor)
{
    if (!editor)
        return;
    if (resize_wake == editor->wake[1])
        resize_wake = -1;
    for (int i = 0; i < 2; i++)
        if (editor->wake[i] >= 0)
            close(editor->wake[i]);
    edit_release(&editor->buffer);
    layout_release(&editor->layout);
    text_release(&editor->offered);
    text_release(&editor->pending);
    text_release(&editor->typed);
    text_release(&editor->wanted);
    text_release(&editor->before_search);
    mem_free(editor);
}

void editor_offer(Editor *editor, const char *text, size_t length)
{
    editor->offered.length = 0;
    text_add(&editor->offered, text, length);
}

/* ---- above the text ---- */

void editor_wake(Editor *editor)
{
    if (editor->wake[1] >= 0)
        (void)!write(editor->wake[1], "p", 1);
}

/* However much there is, keys come in between. */
static void show_above(Editor *editor)
{
    char bytes[4096];
    size_t shown = 0, length = 1;
    bool ends = true;
    while (editor->hooks.above && shown < ABOVE_BYTES && (length = editor->hooks.above(editor->hooks.caller, bytes, sizeof bytes))) {
        if (!shown)
            editor_erase(editor);
        editor_write(editor, bytes, length);
        ends = bytes[length - 1] == '\n';
        shown += length;
    }
    if (!ends)
        editor_write(editor, "\n", 1);
    if (shown && length)
        editor_wake(editor);
}

/* ---- reading ---- */

static KeyOutcome take_keys(Editor *editor, bool last)
{
    size_t done = 0;
    KeyOutcome outcome = KEY_GOES_ON;
    while (done < editor->pending.length && outcome == KEY_GOES_ON) {
        Key key;
        size_t used = key_decode(&editor->decoder, editor->pending.bytes + done, editor->pending.length - done, last, &key);
        if (!used)
            break;
        outcome = editor_key(editor, &key);
        done += used;
    }
    if (done)
        memmove(editor->pending.bytes, editor->pending.bytes + done, editor->pending.length - done);
    editor->pending.length -= done;
    return outcome;
}

/* Waits for bytes. *last: none came within the time that a sequence's bytes need. */
static bool wait_for_bytes(Editor *editor, bool *last)
{
    struct pollfd ends[2] = { { editor->input, POLLIN, 0 }, { editor->wake[0], POLLIN, 0 } };
    *last = false;
    for (;;) {
        int ready = poll(ends, 2, editor->pending.length && !editor->decoder.pasting ? ESCAPE_WAIT_MS : -1);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready == 0) {
            *last = true;
            return true;
        }
        if (ready > 0 && ends[1].revents) {
            char drop[64];
            while (read(editor->wake[0], drop, sizeof drop) > 0)
                ;
            show_above(editor);
            editor_draw(editor);
        }
        if (ready > 0 && ends[0].revents)
            break;
    }
    char bytes[4096];
    ssize_t got = read(editor->input, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0)
        return false;
    text_add(&editor->pending, bytes, (size_t)got);
    return true;
}

static EditorEnd read_keys(Editor *editor)
{
    show_above(editor);
    for (;;) {
        bool last = false;
        KeyOutcome outcome = take_keys(editor, false);
        if (outcome == KEY_GOES_ON) {
            editor_draw(editor);
            if (!wait_for_bytes(editor, &last))
                outcome = KEY_CLOSES;
            else if (last)
                outcome = take_keys(editor, true);
        }
        switch (outcome) {
        case KEY_GOES_ON: break;
        case KEY_ENDS_TEXT: editor_leave(editor); return EDITOR_TEXT;
        case KEY_CANCELS: editor_leave(editor); return EDITOR_CANCELED;
        case KEY_EDITS_OUTSIDE: editor_erase(editor); return EDITOR_OUTSIDE;
        case KEY_CLOSES: editor_leave(editor); return EDITOR_CLOSED;
        }
    }
}

static Error *read_guarded(Editor *editor, EditorEnd *end)
{
    *end = read_keys(editor);
    return NULL;
}

Error *editor_read(Editor *editor, Text *text, EditorEnd *end)
{
    edit_begin(&editor->buffer, text_c(&editor->offered), editor->offered.length);
    editor->offered.length = 0;
    editor->place = editor->history ? editor->history->count : 0;
    editor->searching = editor->control_x = editor->drawn = false;
    struct sigaction resized = { .sa_handler = on_resize, .sa_flags = SA_RESTART };
    sigaction(SIGWINCH, &resized, NULL);
    TRY(raw_mode_begin(editor->input, editor->output, true));
    resize_wake = editor->wake[1];
    Error *error;
    MEMORY_GUARDED(error, read_guarded(editor, end));
    resize_wake = -1;
    raw_mode_end();
    TRY(error);
    text->length = 0;
    text_add(text, text_c(&editor->buffer.text), editor->buffer.text.length);
    return NULL;
}

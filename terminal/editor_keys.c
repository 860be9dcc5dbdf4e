/* terminal/editor_keys.c: what each key does: as in readline's default mode, where that has an answer. */
#include "terminal/editor_internal.h"

/* ---- history ---- */

static void show_entry(Editor *editor, size_t place)
{
    History *history = editor->history;
    if (editor->place == history->count) {
        editor->typed.length = 0;
        text_add(&editor->typed, text_c(&editor->buffer.text), editor->buffer.text.length);
    }
    editor->place = place;
    if (place == history->count)
        edit_begin(&editor->buffer, text_c(&editor->typed), editor->typed.length);
    else
        edit_begin(&editor->buffer, history->entries[place], strlen(history->entries[place]));
}

static void earlier(Editor *editor)
{
    if (editor->history && editor->place > 0)
        show_entry(editor, editor->place - 1);
    else
        editor_bell(editor);
}

static void later(Editor *editor)
{
    if (editor->history && editor->place < editor->history->count)
        show_entry(editor, editor->place + 1);
    else
        editor_bell(editor);
}

/* ---- searching ---- */

static void search_from(Editor *editor, size_t before)
{
    size_t found = history_search(editor->history, before, text_c(&editor->wanted), editor->wanted.length);
    editor->failing = found == SIZE_MAX;
    if (editor->failing) {
        editor_bell(editor);
        return;
    }
    editor->found = editor->place = found;
    const char *entry = editor->history->entries[found];
    edit_begin(&editor->buffer, entry, strlen(entry));
    const char *match = strstr(entry, text_c(&editor->wanted));
    editor->buffer.cursor = match ? (size_t)(match - entry) : editor->buffer.cursor;
}

static void begin_search(Editor *editor)
{
    if (!editor->history) {
        editor_bell(editor);
        return;
    }
    editor->searching = true;
    editor->failing = false;
    editor->wanted.length = editor->before_search.length = 0;
    text_add(&editor->before_search, text_c(&editor->buffer.text), editor->buffer.text.length);
    editor->found = editor->history->count;
}

/* False: the key ends the search and has its usual meaning. */
static bool search_key(Editor *editor, const Key *key)
{
    switch (key->kind) {
    case KEY_TEXT:
    case KEY_PASTED:
        text_add(&editor->wanted, key->text, key->length);
        search_from(editor, editor->found + (editor->found < editor->history->count));
        return true;
    case KEY_BACKSPACE:
        while (editor->wanted.length && ((unsigned char)editor->wanted.bytes[--editor->wanted.length] & 0xC0) == 0x80)
            ;
        editor->found = editor->history->count;
        if (editor->wanted.length)
            search_from(editor, editor->found);
        return true;
    case KEY_CONTROL:
        if (key->letter == 'r') {
            if (editor->wanted.length)
                search_from(editor, editor->found);
            return true;
        }
        if (key->letter != 'g' && key->letter != 'c')
            break;
        edit_begin(&editor->buffer, text_c(&editor->before_search), editor->before_search.length);
        editor->place = editor->history->count;
        editor->searching = false;
        return true;
    default:
        break;
    }
    editor->searching = false;
    return key->kind == KEY_ESCAPE;
}

/* ---- keys ---- */

static void move_to(Editor *editor, size_t at)
{
    editor->buffer.cursor = at;
    edit_pause(&editor->buffer);
}

/* The end of the text, unless more must come; Enter on the first lines of a text that is whole ends it, too. */
static KeyOutcome enter(Editor *editor)
{
    const Text *text = &editor->buffer.text;
    if (editor->hooks.goes_on && editor->hooks.goes_on(editor->hooks.caller, text_c(&editor->buffer.text), text->length)) {
        edit_insert(&editor->buffer, "\n", 1, true);
        return KEY_GOES_ON;
    }
    return KEY_ENDS_TEXT;
}

static KeyOutcome control_key(Editor *editor, char letter)
{
    EditBuffer *buffer = &editor->buffer;
    switch (letter) {
    case 'a': move_to(editor, edit_line_start(buffer)); break;
    case 'b': move_to(editor, edit_left(buffer)); break;
    case 'c': return KEY_CANCELS;
    case 'd':
        if (buffer->text.length == 0)
            return KEY_CLOSES;
        edit_delete(buffer, buffer->cursor, edit_right(buffer));
        break;
    case 'e': move_to(editor, edit_line_end(buffer)); break;
    case 'f': move_to(editor, edit_right(buffer)); break;
    case 'k': {
        size_t end = edit_line_end(buffer);
        edit_cut(buffer, buffer->cursor, end == buffer->cursor ? edit_right(buffer) : end);
        break;
    }
    case 'l': editor_write(editor, "\033[H\033[2J", 7); editor->drawn = false; break;
    case 'n':
        if (!edit_down(buffer))
            later(editor);
        break;
    case 'p':
        if (!edit_up(buffer))
            earlier(editor);
        break;
    case 'r': begin_search(editor); break;
    case 't': edit_swap(buffer); break;
    case 'u': edit_cut(buffer, edit_line_start(buffer), buffer->cursor); break;
    case 'w': edit_cut(buffer, edit_space_left(buffer), buffer->cursor); break;
    case 'x': editor->control_x = true; break;
    case 'y': edit_paste(buffer); break;
    case '_': edit_undo(buffer); break;
    default: editor_bell(editor); break;
    }
    return KEY_GOES_ON;
}

static void alt_key(Editor *editor, char letter)
{
    switch (letter) {
    case 'u': case 'l': case 'c': edit_case_word(&editor->buffer, letter); break;
    case '<': if (editor->history && editor->history->count) show_entry(editor, 0); break;
    case '>': if (editor->history) show_entry(editor, editor->history->count); break;
    default: editor_bell(editor); break;
    }
}

static KeyOutcome after_control_x(Editor *editor, const Key *key)
{
    editor->control_x = false;
    if (key->kind == KEY_CONTROL && key->letter == 'e')
        return KEY_EDITS_OUTSIDE;
    if (key->kind == KEY_CONTROL && key->letter == 'u')
        edit_undo(&editor->buffer);
    else
        editor_bell(editor);
    return KEY_GOES_ON;
}

KeyOutcome editor_key(Editor *editor, const Key *key)
{
    EditBuffer *buffer = &editor->buffer;
    if (editor->searching && search_key(editor, key))
        return KEY_GOES_ON;
    if (editor->control_x && key->kind != KEY_NONE)
        return after_control_x(editor, key);
    switch (key->kind) {
    case KEY_NONE: case KEY_ESCAPE: break;
    case KEY_TEXT: edit_insert(buffer, key->text, key->length, true); break;
    case KEY_PASTED: edit_insert(buffer, key->text, key->length, true); break;
    case KEY_ENTER: return enter(editor);
    case KEY_ALT_ENTER: edit_insert(buffer, "\n", 1, true); break;
    case KEY_TAB: editor_complete(editor); break;
    case KEY_BACK_TAB: break;
    case KEY_BACKSPACE: edit_delete(buffer, edit_left(buffer), buffer->cursor); break;
    case KEY_DELETE: edit_delete(buffer, buffer->cursor, edit_right(buffer)); break;
    case KEY_LEFT: move_to(editor, edit_left(buffer)); break;
    case KEY_RIGHT: move_to(editor, edit_right(buffer)); break;
    case KEY_UP:
        if (!edit_up(buffer))
            earlier(editor);
        break;
    case KEY_DOWN:
        if (!edit_down(buffer))
            later(editor);
        break;
    case KEY_HOME: move_to(editor, edit_line_start(buffer)); break;
    case KEY_END: move_to(editor, edit_line_end(buffer)); break;
    case KEY_PAGE_UP: earlier(editor); break;
    case KEY_PAGE_DOWN: later(editor); break;
    case KEY_WORD_LEFT: move_to(editor, edit_word_left(buffer)); break;
    case KEY_WORD_RIGHT: move_to(editor, edit_word_right(buffer)); break;
    case KEY_DELETE_WORD_LEFT: edit_cut(buffer, edit_word_left(buffer), buffer->cursor); break;
    case KEY_DELETE_WORD_RIGHT: edit_cut(buffer, buffer->cursor, edit_word_right(buffer)); break;
    case KEY_CONTROL: return control_key(editor, key->letter);
    case KEY_ALT: alt_key(editor, key->letter); break;
    }
    return KEY_GOES_ON;
}

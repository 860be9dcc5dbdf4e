/* terminal/edit_buffer.c: the text is one block of bytes: statements are short, so moving their tail costs nothing. */
#include "terminal/edit_buffer.h"

#include <utf8proc.h>

#include "terminal/width.h"

#define UNDO_STEPS 200

void edit_init(EditBuffer *buffer) { *buffer = (EditBuffer){ 0 }; }

static void forget_undo(EditBuffer *buffer)
{
    for (size_t i = 0; i < buffer->undo_count; i++)
        mem_free(buffer->undo[i].bytes);
    buffer->undo_count = 0;
}

void edit_release(EditBuffer *buffer)
{
    forget_undo(buffer);
    mem_free(buffer->undo);
    text_release(&buffer->text);
    text_release(&buffer->cut);
    edit_init(buffer);
}

/* ---- undo ---- */

static void remember(EditBuffer *buffer)
{
    buffer->undo = mem_grow(buffer->undo, &buffer->undo_capacity, buffer->undo_count + 1, sizeof *buffer->undo);
    if (buffer->undo_count == UNDO_STEPS) {
        mem_free(buffer->undo[0].bytes);
        memmove(buffer->undo, buffer->undo + 1, sizeof *buffer->undo * --buffer->undo_count);
    }
    char *bytes = mem_alloc(buffer->text.length + 1);
    memcpy(bytes, text_c(&buffer->text), buffer->text.length);
    buffer->undo[buffer->undo_count++] = (EditState){ bytes, buffer->text.length, buffer->cursor };
}

void edit_undo(EditBuffer *buffer)
{
    edit_pause(buffer);
    if (buffer->undo_count == 0)
        return;
    EditState *state = &buffer->undo[--buffer->undo_count];
    buffer->text.length = 0;
    text_add(&buffer->text, state->bytes, state->length);
    buffer->cursor = state->cursor;
    mem_free(state->bytes);
}

void edit_pause(EditBuffer *buffer) { buffer->typing = buffer->cutting = false; }

void edit_begin(EditBuffer *buffer, const char *text, size_t length)
{
    forget_undo(buffer);
    edit_pause(buffer);
    buffer->text.length = 0;
    text_add(&buffer->text, text, length);
    buffer->cursor = length;
}

void edit_replace_all(EditBuffer *buffer, const char *text, size_t length)
{
    edit_pause(buffer);
    remember(buffer);
    buffer->text.length = 0;
    text_add(&buffer->text, text, length);
    buffer->cursor = length;
}

/* ---- changes ---- */

static void splice(EditBuffer *buffer, size_t from, size_t to, const char *text, size_t length)
{
    Text *whole = &buffer->text;
    text_reserve(whole, length);
    memmove(whole->bytes + from + length, whole->bytes + to, whole->length - to);
    memcpy(whole->bytes + from, text, length);
    whole->length += length - (to - from);
    buffer->cursor = from + length;
}

static void add_clean(Text *clean, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t good = utf8_valid_prefix(text + at, length - at), end = at + good;
        for (; at < end; at++) {
            unsigned char byte = (unsigned char)text[at];
            if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 127)
                text_add_c(clean, "\xEF\xBF\xBD");
            else
                text_add_char(clean, (char)byte);
        }
        if (at < length) {
            text_add_c(clean, "\xEF\xBF\xBD");
            at++;
        }
    }
}

void edit_insert(EditBuffer *buffer, const char *text, size_t length, bool typed)
{
    if (!typed || !buffer->typing)
        remember(buffer);
    buffer->typing = typed;
    buffer->cutting = false;
    Text clean = { 0 };
    MEMORY_HOLD(text_unwind, &clean);
    add_clean(&clean, text, length);
    splice(buffer, buffer->cursor, buffer->cursor, text_c(&clean), clean.length);
    text_release(&clean);
}

void edit_replace(EditBuffer *buffer, size_t from, size_t to, const char *text, size_t length)
{
    edit_pause(buffer);
    remember(buffer);
    splice(buffer, from, to, text, length);
}

void edit_delete(EditBuffer *buffer, size_t from, size_t to)
{
    if (from == to)
        return;
    edit_replace(buffer, from, to, "", 0);
}

void edit_cut(EditBuffer *buffer, size_t from, size_t to)
{
    bool more = buffer->cutting, before = to == buffer->cursor && from < to;
    if (!more)
        buffer->cut.length = 0;
    if (from < to) {
        size_t kept = buffer->cut.length;
        text_add(&buffer->cut, buffer->text.bytes + from, to - from);
        if (before && kept) { /* what stood before goes before */
            memmove(buffer->cut.bytes + (to - from), buffer->cut.bytes, kept);
            memcpy(buffer->cut.bytes, buffer->text.bytes + from, to - from);
        }
        edit_delete(buffer, from, to);
    }
    buffer->typing = false;
    buffer->cutting = true;
}

void edit_paste(EditBuffer *buffer)
{
    if (buffer->cut.length)
        edit_replace(buffer, buffer->cursor, buffer->cursor, buffer->cut.bytes, buffer->cut.length);
}

void edit_swap(EditBuffer *buffer)
{
    size_t middle = buffer->cursor;
    if (middle == edit_line_end(buffer))
        middle = edit_left(buffer);
    const char *bytes = text_c(&buffer->text);
    size_t start = grapheme_before(bytes, middle);
    int columns;
    size_t end = middle + grapheme_next(bytes + middle, buffer->text.length - middle, &columns);
    if (start == middle || end == middle || bytes[start] == '\n' || bytes[middle] == '\n')
        return;
    Text swapped = { 0 };
    MEMORY_HOLD(text_unwind, &swapped);
    text_add(&swapped, bytes + middle, end - middle);
    text_add(&swapped, bytes + start, middle - start);
    edit_replace(buffer, start, end, swapped.bytes, swapped.length);
    text_release(&swapped);
}

/* ---- movements ---- */

/* Does the byte belong to a word? Whatever is no ASCII does. */
static bool in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

size_t edit_left(const EditBuffer *buffer) { return buffer->cursor ? grapheme_before(buffer->text.bytes, buffer->cursor) : 0; }

size_t edit_right(const EditBuffer *buffer)
{
    int columns;
    size_t left = buffer->text.length - buffer->cursor;
    return buffer->cursor + (left ? grapheme_next(buffer->text.bytes + buffer->cursor, left, &columns) : 0);
}

size_t edit_word_left(const EditBuffer *buffer)
{
    size_t at = buffer->cursor;
    while (at > 0 && !in_word(buffer->text.bytes[at - 1]))
        at--;
    while (at > 0 && in_word(buffer->text.bytes[at - 1]))
        at--;
    return at;
}

size_t edit_word_right(const EditBuffer *buffer)
{
    size_t at = buffer->cursor;
    while (at < buffer->text.length && !in_word(buffer->text.bytes[at]))
        at++;
    while (at < buffer->text.length && in_word(buffer->text.bytes[at]))
        at++;
    return at;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

size_t edit_space_left(const EditBuffer *buffer)
{
    size_t at = buffer->cursor;
    while (at > 0 && is_blank(buffer->text.bytes[at - 1]))
        at--;
    while (at > 0 && !is_blank(buffer->text.bytes[at - 1]))
        at--;
    return at;
}

static size_t line_start(const EditBuffer *buffer, size_t at)
{
    while (at > 0 && buffer->text.bytes[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const EditBuffer *buffer, size_t at)
{
    while (at < buffer->text.length && buffer->text.bytes[at] != '\n')
        at++;
    return at;
}

size_t edit_line_start(const EditBuffer *buffer) { return line_start(buffer, buffer->cursor); }
size_t edit_line_end(const EditBuffer *buffer) { return line_end(buffer, buffer->cursor); }

/* The place in the line that begins at `start` whose column is nearest to `column`. */
static size_t at_column(const EditBuffer *buffer, size_t start, int column)
{
    size_t end = line_end(buffer, start);
    int columns;
    while (start < end && column > 0) {
        size_t size = grapheme_next(buffer->text.bytes + start, end - start, &columns);
        column -= columns;
        start += size;
    }
    return start;
}

bool edit_up(EditBuffer *buffer)
{
    size_t start = edit_line_start(buffer);
    if (start == 0)
        return false;
    int column = display_width(buffer->text.bytes + start, buffer->cursor - start);
    buffer->cursor = at_column(buffer, line_start(buffer, start - 1), column);
    edit_pause(buffer);
    return true;
}

bool edit_down(EditBuffer *buffer)
{
    size_t start = edit_line_start(buffer), end = edit_line_end(buffer);
    if (end == buffer->text.length)
        return false;
    int column = display_width(buffer->text.bytes + start, buffer->cursor - start);
    buffer->cursor = at_column(buffer, end + 1, column);
    edit_pause(buffer);
    return true;
}

void edit_case_word(EditBuffer *buffer, char how)
{
    size_t end = edit_word_right(buffer), start = buffer->cursor;
    if (start == end)
        return;
    Text changed = { 0 };
    MEMORY_HOLD(text_unwind, &changed);
    bool first = true;
    for (size_t at = start; at < end;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)buffer->text.bytes + at, (utf8proc_ssize_t)(end - at), &point);
        bool letter = in_word(buffer->text.bytes[at]);
        bool upper = how == 'u' || (how == 'c' && first && letter);
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t made = utf8proc_encode_char(upper ? utf8proc_toupper(point) : utf8proc_tolower(point), bytes);
        text_add(&changed, (const char *)bytes, (size_t)made);
        first &= !letter;
        at += (size_t)size;
    }
    edit_replace(buffer, start, end, text_c(&changed), changed.length);
    text_release(&changed);
}

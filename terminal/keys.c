/* terminal/keys.c: control bytes and escape sequences as xterm sends them (and everything that follows it).
 *
 * Pasted text comes between ESC[200~ and ESC[201~ (xterm's bracketed paste): nothing in it is a command. */
#include "terminal/keys.h"

#include <string.h>

#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"

static size_t take(Key *key, KeyKind kind, size_t length)
{
    key->kind = kind;
    return length;
}

/* ---- pasted text ---- */

/* How many of the last bytes may be the beginning of the end mark. */
static size_t mark_begun(const char *bytes, size_t length)
{
    size_t most = sizeof PASTE_END - 2;
    for (size_t tail = length < most ? length : most; tail > 0; tail--)
        if (memcmp(bytes + length - tail, PASTE_END, tail) == 0)
            return tail;
    return 0;
}

static size_t pasted_piece(KeyDecoder *decoder, const char *bytes, size_t length, Key *key)
{
    if (bytes[0] == '\r' || bytes[0] == '\n') {
        bool same_end = bytes[0] == '\n' && decoder->after_return;
        decoder->after_return = bytes[0] == '\r';
        key->text = "\n";
        key->length = !same_end;
        return take(key, KEY_PASTED, 1);
    }
    decoder->after_return = false;
    size_t end = 0;
    while (end < length && bytes[end] != '\r' && bytes[end] != '\n')
        end++;
    key->text = bytes;
    key->length = end;
    return take(key, KEY_PASTED, end);
}

static size_t decode_pasted(KeyDecoder *decoder, const char *bytes, size_t length, Key *key)
{
    const char *mark = memmem(bytes, length, PASTE_END, sizeof PASTE_END - 1);
    if (mark == bytes) {
        decoder->pasting = decoder->after_return = false;
        return take(key, KEY_NONE, sizeof PASTE_END - 1);
    }
    size_t there = mark ? (size_t)(mark - bytes) : length - mark_begun(bytes, length);
    return there ? pasted_piece(decoder, bytes, there, key) : 0;
}

/* ---- escape sequences ---- */

static KeyKind moved(char final, bool by_word)
{
    switch (final) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return by_word ? KEY_WORD_RIGHT : KEY_RIGHT;
    case 'D': return by_word ? KEY_WORD_LEFT : KEY_LEFT;
    case 'H': return KEY_HOME;
    case 'F': return KEY_END;
    case 'Z': return KEY_BACK_TAB;
    case 'M': return KEY_ENTER; /* of the keypad, behind ESC O */
    default: return KEY_NONE;
    }
}

static KeyKind numbered(int number, bool by_word)
{
    switch (number) {
    case 1: case 7: return KEY_HOME;
    case 4: case 8: return KEY_END;
    case 3: return by_word ? KEY_DELETE_WORD_RIGHT : KEY_DELETE;
    case 5: return KEY_PAGE_UP;
    case 6: return KEY_PAGE_DOWN;
    default: return KEY_NONE;
    }
}

/* ESC [ numbers final; a second number from 3 on has Alt or Control in it. */
static size_t decode_sequence(KeyDecoder *decoder, const char *bytes, size_t length, Key *key)
{
    int numbers[2] = { 0, 0 }, count = 0;
    size_t at = 2;
    for (; at < length && (unsigned char)bytes[at] < 0x40; at++) {
        if (bytes[at] == ';' && count < 1)
            count++;
        else if (bytes[at] >= '0' && bytes[at] <= '9' && numbers[count] < 100000)
            numbers[count] = numbers[count] * 10 + bytes[at] - '0';
        else if ((unsigned char)bytes[at] < 0x20)
            return take(key, KEY_NONE, at);
    }
    if (at == length)
        return length > 32 ? take(key, KEY_NONE, length) : 0;
    char final = bytes[at++];
    bool by_word = numbers[1] >= 3;
    if (final == '~' && numbers[0] == 200) {
        decoder->pasting = true;
        return take(key, KEY_NONE, at);
    }
    return take(key, final == '~' ? numbered(numbers[0], by_word) : moved(final, by_word), at);
}

static size_t decode_escape(KeyDecoder *decoder, const char *bytes, size_t length, bool last, Key *key)
{
    if (length == 1)
        return last ? take(key, KEY_ESCAPE, 1) : 0;
    switch (bytes[1]) {
    case '[': {
        size_t used = decode_sequence(decoder, bytes, length, key);
        return used || !last ? used : take(key, KEY_NONE, length);
    }
    case 'O':
        if (length == 2)
            return last ? take(key, KEY_NONE, 2) : 0;
        return take(key, moved(bytes[2], false), 3);
    case '\r': case '\n': return take(key, KEY_ALT_ENTER, 2);
    case 127: case 8: return take(key, KEY_DELETE_WORD_LEFT, 2);
    case 'b': return take(key, KEY_WORD_LEFT, 2);
    case 'f': return take(key, KEY_WORD_RIGHT, 2);
    case 'd': return take(key, KEY_DELETE_WORD_RIGHT, 2);
    case '\033': return take(key, KEY_ESCAPE, 1);
    }
    key->letter = bytes[1];
    return take(key, KEY_ALT, 2);
}

/* ---- typed ---- */

static size_t decode_typed(const char *bytes, size_t length, bool last, Key *key)
{
    size_t end = 0;
    while (end < length && (unsigned char)bytes[end] >= 0x20 && bytes[end] != 127)
        end++;
    /* A character whose last bytes have not come. */
    if (!last && end == length) {
        size_t start = end;
        while (start > 0 && end - start < 4 && ((unsigned char)bytes[start - 1] & 0xC0) == 0x80)
            start--;
        unsigned char lead = start ? (unsigned char)bytes[start - 1] : 0;
        size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        if (lead >= 0xC0 && end - (start - 1) < wanted)
            end = start - 1;
    }
    key->text = bytes;
    key->length = end;
    return end ? take(key, KEY_TEXT, end) : 0;
}

size_t key_decode(KeyDecoder *decoder, const char *bytes, size_t length, bool last, Key *key)
{
    *key = (Key){ 0 };
    if (length == 0)
        return 0;
    if (decoder->pasting)
        return decode_pasted(decoder, bytes, length, key);
    unsigned char first = (unsigned char)bytes[0];
    if (first >= 0x20 && first != 127)
        return decode_typed(bytes, length, last, key);
    switch (first) {
    case '\033': return decode_escape(decoder, bytes, length, last, key);
    case '\r': case '\n': return take(key, KEY_ENTER, 1);
    case '\t': return take(key, KEY_TAB, 1);
    case 127: case 8: return take(key, KEY_BACKSPACE, 1);
    case 31: key->letter = '_'; return take(key, KEY_CONTROL, 1);
    }
    if (first >= 1 && first <= 26)
        key->letter = (char)('a' + first - 1);
    return take(key, key->letter ? KEY_CONTROL : KEY_NONE, 1);
}

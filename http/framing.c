/* http/framing.c: where a request of HTTP/1.1 and its parts end, looked at strictly, before http_parser sees the bytes.
 *
 * http_parser takes lines that end by a line feed alone, lines that go on behind a line's end, and any two bytes behind a chunk. A proxy on the way may take
 * none of that, or take it otherwise, and then sees other requests than we do (RFC 9112, 11.2). */
#include "http/http_internal.h"

void framing_begin(Framing *framing) { *framing = (Framing){ .state = FRAMING_BEFORE }; }

/* Lines end by CR LF, and none begins with a space. */
static bool take_line(Framing *framing, char c)
{
    bool starts = framing->before == '\n';
    framing->before = c;
    switch (framing->state) {
    case FRAMING_BEFORE:
        if (c != '\r' && c != '\n') /* empty lines between requests are nothing */
            framing->state = FRAMING_LINES;
        return true;
    case FRAMING_LINES:
        if (starts && c == '\r')
            framing->state = FRAMING_LAST;
        return !(starts && (c == ' ' || c == '\t' || c == '\n'));
    case FRAMING_LAST:
        framing->state = FRAMING_OVER;
        return c == '\n';
    default: return true;
    }
}

bool framing_headers(Framing *framing, const char *bytes, size_t length, size_t *taken)
{
    for (*taken = 0; *taken < length && framing->state != FRAMING_OVER; ++*taken) {
        char before = framing->before, c = bytes[*taken];
        if (framing->state != FRAMING_BEFORE && c == '\n' && before != '\r')
            return false;
        if (!take_line(framing, c))
            return false;
    }
    return true;
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

/* A chunk's first line: its size, and what others may have to say of it. */
static bool take_size(Framing *framing, char c)
{
    int digit = framing->extended ? -1 : hex_digit(c);
    if (digit >= 0) {
        framing->left = framing->left * 16 + (uint64_t)digit;
        return ++framing->digits < 16;
    }
    framing->extended |= c == ';';
    if (c == '\r')
        framing->state = CHUNK_SIZE_END;
    return framing->digits > 0 && (c == '\r' || (framing->extended && ((unsigned char)c >= ' ' || c == '\t')));
}

/* One byte that is no data. */
static bool take_chunk_byte(Framing *framing, char c)
{
    switch (framing->state) {
    case CHUNK_SIZE: return take_size(framing, c);
    case CHUNK_SIZE_END:
        framing->state = framing->left ? CHUNK_DATA : CHUNK_TRAILER;
        return c == '\n';
    case CHUNK_DATA_END:
        framing->state = CHUNK_NEXT;
        return c == '\r';
    case CHUNK_NEXT:
        framing_chunks(framing);
        return c == '\n';
    case CHUNK_TRAILER:
        framing->state = c == '\r' ? FRAMING_LAST : CHUNK_TRAILER_LINE;
        return c != '\n' && c != ' ' && c != '\t';
    case CHUNK_TRAILER_LINE:
        framing->state = c == '\r' ? CHUNK_TRAILER_END : CHUNK_TRAILER_LINE;
        return c != '\n';
    case CHUNK_TRAILER_END:
        framing->state = CHUNK_TRAILER;
        return c == '\n';
    case FRAMING_LAST:
        framing->state = FRAMING_OVER;
        return c == '\n';
    default: return false;
    }
}

void framing_chunks(Framing *framing) { *framing = (Framing){ .state = CHUNK_SIZE }; }

bool framing_body(Framing *framing, const char *bytes, size_t length, size_t *taken)
{
    for (*taken = 0; *taken < length && framing->state != FRAMING_OVER;) {
        if (framing->state == CHUNK_DATA) {
            size_t now = framing->left < length - *taken ? (size_t)framing->left : length - *taken;
            framing->left -= now;
            *taken += now;
            if (framing->left == 0)
                framing->state = CHUNK_DATA_END;
        } else if (!take_chunk_byte(framing, bytes[(*taken)++])) {
            return false;
        }
    }
    return true;
}

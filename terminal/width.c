/* terminal/width.c: widths by utf8proc's tables. */
#include "terminal/width.h"

#include <stdbool.h>
#include <utf8proc.h>

static size_t next_point(const char *bytes, size_t length, utf8proc_int32_t *point)
{
    utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)length, point);
    if (size > 0)
        return (size_t)size;
    *point = 0xFFFD;
    return 1;
}

size_t grapheme_next(const char *bytes, size_t length, int *columns)
{
    *columns = 0;
    if (length == 0)
        return 0;
    utf8proc_int32_t point, next, state = 0;
    size_t at = next_point(bytes, length, &point);
    int width = point < 0x20 || point == 0x7f ? 1 : utf8proc_charwidth(point);
    while (at < length && point >= 0x20) {
        size_t size = next_point(bytes + at, length - at, &next);
        if (utf8proc_grapheme_break_stateful(point, next, &state))
            break;
        int more = utf8proc_charwidth(next);
        width = more > width ? more : width;
        bool flag = point >= 0x1F1E6 && point <= 0x1F1FF;
        if ((next == 0xFE0F || flag) && width == 1) /* shown as an emoji */
            width = 2;
        point = next;
        at += size;
    }
    *columns = width;
    return at;
}

size_t grapheme_before(const char *bytes, size_t at)
{
    /* Clusters are told from their beginning: go back to one that surely is one (a line's start, or ASCII behind ASCII), then forward. */
    size_t start = at;
    for (size_t back = 0; start > 0 && back < 256; back++) {
        start--;
        if ((unsigned char)bytes[start] < 0x80 && (start == 0 || (unsigned char)bytes[start - 1] < 0x80) && start + 1 < at)
            break;
    }
    while (start > 0 && ((unsigned char)bytes[start] & 0xC0) == 0x80)
        start--;
    for (;;) {
        int columns;
        size_t size = grapheme_next(bytes + start, at - start, &columns);
        if (size == 0 || start + size >= at)
            return start;
        start += size;
    }
}

int display_width(const char *bytes, size_t length)
{
    int width = 0;
    for (size_t at = 0; at < length;) {
        int columns;
        at += grapheme_next(bytes + at, length - at, &columns);
        width += columns;
    }
    return width;
}

/* exec/snapshot.c: writing and checking pages. See snapshot.h for the layout. */
#include "exec/snapshot.h"
#include "common/hash.h"
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pages are written as the machine holds numbers");

typedef struct PageHeader {
    uint32_t magic, kind, version, reserved;
    uint64_t layout, rows, length, checksum;
} PageHeader;
_Static_assert(sizeof(PageHeader) == 48, "no padding");

enum { PAGE_MAGIC = 0x50515342 }; /* "BSQP" */

static uint64_t header_checksum(PageHeader header, const char *body)
{
    header.checksum = checksum_bytes(body, header.length);
    return checksum_bytes(&header, sizeof(header));
}

PageWriter page_begin(Text *snapshot, PageKind kind, uint32_t version, uint64_t layout, uint64_t rows)
{
    PageHeader header = { .magic = PAGE_MAGIC, .kind = kind, .version = version, .layout = layout, .rows = rows };
    PageWriter page = { snapshot, snapshot->length };
    text_add(snapshot, (const char *)&header, sizeof(header));
    return page;
}

void page_put_u64(PageWriter *page, uint64_t value) { text_add(page->snapshot, (const char *)&value, sizeof(value)); }

/* Room for `bytes` more, already counted in. */
static char *page_room(PageWriter *page, size_t bytes)
{
    text_reserve(page->snapshot, bytes);
    char *room = page->snapshot->bytes + page->snapshot->length;
    page->snapshot->length += bytes;
    return room;
}

void page_put_column(PageWriter *page, const void *first, size_t stride, uint32_t width, uint64_t count)
{
    uint32_t head[2] = { width, 0 };
    text_add(page->snapshot, (const char *)head, sizeof(head));
    char *to = page_room(page, width * count);
    const char *from = first;
    if (width == 0) /* keys alone: there is nothing to copy, and from nowhere */
        return;
    if (stride == width && count)
        memcpy(to, from, width * count);
    else if (width == 8)
        for (uint64_t i = 0; i < count; i++)
            memcpy(to + i * 8, from + i * stride, 8);
    else
        for (uint64_t i = 0; i < count; i++)
            memcpy(to + i * width, from + i * stride, width);
}

void page_put_strings(PageWriter *page, const Str *first, size_t stride, uint64_t count)
{
    uint64_t heap_length = 0;
    const char *from = (const char *)first;
    for (uint64_t i = 0; i < count; i++)
        heap_length += ((const Str *)(from + i * stride))->length;
    page_put_u64(page, heap_length);
    char *lengths = page_room(page, 4 * count);
    for (uint64_t i = 0; i < count; i++)
        memcpy(lengths + 4 * i, &((const Str *)(from + i * stride))->length, 4);
    char *heap = page_room(page, heap_length);
    for (uint64_t i = 0; i < count; i++) {
        const Str *str = (const Str *)(from + i * stride);
        memcpy(heap, str_bytes(str), str->length);
        heap += str->length;
    }
}

void page_end(PageWriter *page)
{
    char *start = page->snapshot->bytes + page->start;
    PageHeader header;
    memcpy(&header, start, sizeof(header));
    header.length = page->snapshot->length - page->start - sizeof(header);
    header.checksum = header_checksum(header, start + sizeof(header));
    memcpy(start, &header, sizeof(header));
}

Error *page_damaged(const char *what) { return error_new(ERR_IO, "snapshot is damaged: %s", what); }

Error *page_open(SnapshotReader *reader, PageKind kind, uint32_t version, uint64_t layout, PageReader *page)
{
    PageHeader header;
    if (reader->length - reader->offset < sizeof(header))
        return page_damaged("it ends early");
    const char *start = reader->bytes + reader->offset;
    memcpy(&header, start, sizeof(header));
    if (header.magic != PAGE_MAGIC)
        return page_damaged("no page begins here");
    if (header.length > reader->length - reader->offset - sizeof(header))
        return page_damaged("it ends early");
    if (header.checksum != header_checksum(header, start + sizeof(header)))
        return page_damaged("a checksum does not fit");
    if (header.kind != (uint32_t)kind)
        return page_damaged("a page is not of the expected kind");
    if (header.version > version)
        return error_new(ERR_IO, "snapshot was written by a newer version");
    if (header.layout != layout)
        return error_new(ERR_IO, "snapshot belongs to another plan: state layout differs");
    *page = (PageReader){ start + sizeof(header), start + sizeof(header) + header.length, header.rows, header.version };
    reader->offset += sizeof(header) + header.length;
    return NULL;
}

static Error *page_take(PageReader *page, uint64_t bytes, const char **taken)
{
    if (bytes > (uint64_t)(page->end - page->next))
        return page_damaged("a column ends early");
    *taken = page->next;
    page->next += bytes;
    return NULL;
}

Error *page_get_u64(PageReader *page, uint64_t *value)
{
    const char *bytes = NULL;
    TRY(page_take(page, 8, &bytes));
    memcpy(value, bytes, 8);
    return NULL;
}

Error *page_get_column(PageReader *page, uint32_t width, uint64_t count, const char **values)
{
    const char *head = NULL;
    uint32_t declared;
    uint64_t bytes;
    TRY(page_take(page, 8, &head));
    memcpy(&declared, head, 4);
    if (declared != width || __builtin_mul_overflow(count, (uint64_t)width, &bytes))
        return page_damaged("a column has another width");
    return page_take(page, bytes, values);
}

Error *page_get_strings(PageReader *page, uint64_t count, PageStrings *strings)
{
    uint64_t heap_length = 0, length_bytes, sum = 0;
    TRY(page_get_u64(page, &heap_length));
    if (__builtin_mul_overflow(count, (uint64_t)4, &length_bytes))
        return page_damaged("too many strings");
    TRY(page_take(page, length_bytes, &strings->lengths));
    for (uint64_t i = 0; i < count; i++) {
        uint32_t length;
        memcpy(&length, strings->lengths + 4 * i, 4);
        sum += length;
    }
    if (sum != heap_length)
        return page_damaged("strings do not fit their heap");
    return page_take(page, heap_length, &strings->heap);
}

Str page_next_string(PageStrings *strings)
{
    uint32_t length;
    memcpy(&length, strings->lengths, 4);
    Str str = str_view(strings->heap, length);
    strings->lengths += 4;
    strings->heap += length;
    return str;
}

Error *page_close(PageReader *page) { return page->next == page->end ? NULL : page_damaged("a page is too long"); }

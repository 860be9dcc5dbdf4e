/* exec/snapshot.h: the pages that a snapshot consists of.
 *
 *   magic u32 | kind u32 | version u32 | reserved u32 | layout u64 | rows u64 | body bytes u64 | xxh3 of header and body u64 | body
 *
 * All little endian. A body is columns with declared widths; strings are a column of lengths and a heap. Never a struct, a
 * pointer or a hash index. The reader trusts nothing: whatever the bytes are, the outcome is the old state or an Error. */
#pragma once
#include "common/error.h"
#include "common/str.h"

typedef enum PageKind {
    PAGE_SCALARS = 1, PAGE_KEYS, PAGE_STATE, PAGE_PAIRS, PAGE_ROWS, PAGE_TIMERS, PAGE_WINDOWS, PAGE_ORDERED, PAGE_PARTITIONS
} PageKind;

typedef struct PageWriter {
    Text *snapshot;
    size_t start; /* of the header */
} PageWriter;

PageWriter page_begin(Text *snapshot, PageKind kind, uint32_t version, uint64_t layout, uint64_t rows);
void page_put_u64(PageWriter *page, uint64_t value);
/* `count` values of `width` bytes, `stride` bytes apart. */
void page_put_column(PageWriter *page, const void *first, size_t stride, uint32_t width, uint64_t count);
void page_put_strings(PageWriter *page, const Str *first, size_t stride, uint64_t count);
void page_end(PageWriter *page);

typedef struct SnapshotReader {
    const char *bytes;
    size_t length, offset;
} SnapshotReader;

typedef struct PageReader {
    const char *next, *end; /* of the body */
    uint64_t rows;
    uint32_t version;
} PageReader;

typedef struct PageStrings {
    const char *lengths; /* u32 each, unaligned */
    const char *heap;
} PageStrings;

/* The next page must be of this kind, at most this version, and of this layout. */
Error *page_open(SnapshotReader *reader, PageKind kind, uint32_t version, uint64_t layout, PageReader *page);
Error *page_get_u64(PageReader *page, uint64_t *value);
/* The values stand one after the other in the snapshot, unaligned. */
Error *page_get_column(PageReader *page, uint32_t width, uint64_t count, const char **values);
Error *page_get_strings(PageReader *page, uint64_t count, PageStrings *strings);
Str page_next_string(PageStrings *strings); /* a view into the snapshot; `count` times */
Error *page_close(PageReader *page);        /* nothing may be left over */
Error *page_damaged(const char *what);

/* formats/csv_scan.c: where CSV records and cells end.
 *
 * Twice: a reader for one record, which defines the rules, and an index of separators over 64 bytes at a time, where quoted stretches are
 * the prefix sums of quotes. The index stops where the two could disagree: at a quote inside an unquoted cell. */
#include <immintrin.h>
#include "formats/csv_internal.h"
#include "formats/formats_internal.h"

/* ---- one record ---- */

/* After the opening quote: the byte after the closing one, or NULL. */
static const char *skip_quoted(const CsvDialect *dialect, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (dialect->escape && *p == dialect->escape && p + 1 < end && dialect->escape != dialect->quote) {
            p++;
        } else if (*p == dialect->quote) {
            if (p + 1 < end && p[1] == dialect->quote)
                p++;
            else
                return p + 1;
        }
    }
    return NULL;
}

void csv_read_record(const CsvDialect *dialect, const char *p, const char *end, CsvRecord *record)
{
    record->count = 0;
    record->end = CSV_END_INPUT;
    for (;;) {
        const char *start = p;
        bool quoted = dialect->quote && p < end && *p == dialect->quote;
        if (quoted) {
            p = skip_quoted(dialect, p + 1, end);
            if (!p) {
                record->end = CSV_END_OPEN_QUOTE;
                p = end;
            }
        }
        while (p < end && *p != dialect->delimiter && *p != '\n')
            p++;
        const char *stop = p;
        if (p < end && *p == '\n' && stop > start && stop[-1] == '\r')
            stop--;
        if (record->count < record->capacity)
            record->cells[record->count] = (CsvCell){ start, (uint32_t)(stop - start), quoted };
        record->count++;
        if (p < end && *p == dialect->delimiter) {
            p++;
            continue;
        }
        if (p < end)
            record->end = CSV_END_LINE;
        record->stop = stop;
        record->next = p < end ? p + 1 : end;
        return;
    }
}

bool csv_cell_content(const CsvDialect *dialect, Arena *arena, const CsvCell *cell, const char **bytes, size_t *length)
{
    const char *p = cell->bytes + 1, *end = cell->bytes + cell->length;
    const char *plain = p;
    while (plain < end && *plain != dialect->quote && (!dialect->escape || *plain != dialect->escape))
        plain++;
    *bytes = p;
    *length = (size_t)(plain - p);
    if (plain == end - 1 && *plain == dialect->quote)
        return true;
    char *copy = arena_alloc(arena, cell->length), *out = copy;
    for (; p < end; p++) {
        if (dialect->escape && *p == dialect->escape && dialect->escape != dialect->quote && p + 1 < end) {
            p++;
        } else if (*p == dialect->quote) {
            if (p + 1 == end)
                break;
            if (*++p != dialect->quote)
                return false;
        }
        *out++ = *p;
    }
    *bytes = copy;
    *length = (size_t)(out - copy);
    return p < end; /* it ended with its quote */
}

/* ---- 64 bytes at a time ---- */

/* Bits of the bytes equal to a character, of line ends, of quotes, of bytes above 0x7F. */
typedef struct BlockMasks {
    uint64_t delimiters, newlines, quotes, high;
} BlockMasks;

/* State between blocks. */
typedef struct BlockState {
    uint64_t inside;      /* all ones: within quotes */
    uint64_t may_open;    /* 1: a quote as the next byte may open a cell */
} BlockState;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

__attribute__((target("avx2"))) ALWAYS_INLINE uint64_t equal_avx2(__m256i low, __m256i high, __m256i what)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, what)) | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, what)) << 32;
}

__attribute__((target("avx2"))) ALWAYS_INLINE BlockMasks block_masks_avx2(const CsvDialect *dialect, const char *p)
{
    __m256i low = _mm256_loadu_si256((const __m256i *)p), high = _mm256_loadu_si256((const __m256i *)(p + 32));
    BlockMasks masks;
    masks.delimiters = equal_avx2(low, high, _mm256_set1_epi8(dialect->delimiter));
    masks.newlines = equal_avx2(low, high, _mm256_set1_epi8('\n'));
    masks.quotes = dialect->quote ? equal_avx2(low, high, _mm256_set1_epi8(dialect->quote)) : 0;
    masks.high = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(low, high));
    return masks;
}

ALWAYS_INLINE uint64_t equal_sse2(const __m128i *bytes, char character)
{
    __m128i what = _mm_set1_epi8(character);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[i], what)) << (16 * i);
    return mask;
}

ALWAYS_INLINE BlockMasks block_masks_sse2(const CsvDialect *dialect, const char *p)
{
    __m128i bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = _mm_loadu_si128((const __m128i *)(p + 16 * i));
    BlockMasks masks;
    masks.delimiters = equal_sse2(bytes, dialect->delimiter);
    masks.newlines = equal_sse2(bytes, '\n');
    masks.quotes = dialect->quote ? equal_sse2(bytes, dialect->quote) : 0;
    masks.high = (uint64_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(bytes[0], bytes[1]), _mm_or_si128(bytes[2], bytes[3])));
    return masks;
}

/* Bit i: the number of quotes up to and including i is odd. */
__attribute__((target("pclmul"))) ALWAYS_INLINE uint64_t parity_clmul(uint64_t quotes)
{
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)quotes), _mm_set1_epi8(-1), 0));
}
ALWAYS_INLINE uint64_t parity_shifts(uint64_t quotes)
{
    for (int shift = 1; shift < 64; shift *= 2)
        quotes ^= quotes << shift;
    return quotes;
}

/* Takes delimiters and line ends within quotes out of the masks. False: a quote opens where no cell starts. */
#define MASK_QUOTED(masks, state, parity)                                                                    \
    ({                                                                                                       \
        uint64_t separators_ = (masks).delimiters | (masks).newlines;                                        \
        bool fine_ = true;                                                                                   \
        if ((masks).quotes | (state).inside) {                                                               \
            uint64_t inside_ = parity((masks).quotes) ^ (state).inside;                                      \
            uint64_t opening_ = (masks).quotes & inside_;                                                    \
            uint64_t before_ = (separators_ | ((masks).quotes & ~inside_)) << 1 | (state).may_open;          \
            fine_ = (opening_ & ~before_) == 0;                                                              \
            (state).may_open = (separators_ | ((masks).quotes & ~inside_)) >> 63;                            \
            (state).inside = (uint64_t)((int64_t)inside_ >> 63);                                             \
            (masks).delimiters &= ~inside_;                                                                  \
            (masks).newlines &= ~inside_;                                                                    \
        } else {                                                                                             \
            (state).may_open = separators_ >> 63;                                                            \
        }                                                                                                    \
        fine_;                                                                                               \
    })

void csv_index_reserve(CsvIndex *index, size_t length)
{
    if (length <= index->capacity)
        return;
    index->capacity = 0;
    mem_free(index->separators);
    index->separators = NULL;
    index->separators = mem_alloc((length + 64 + 8) * sizeof *index->separators);
    mem_free(index->row_ends);
    index->row_ends = NULL;
    index->row_ends = mem_alloc((length + 64 + 8) * sizeof *index->row_ends);
    index->capacity = length;
}

void csv_index_release(CsvIndex *index)
{
    mem_free(index->separators);
    mem_free(index->row_ends);
    *index = (CsvIndex){ .separators = NULL };
}

#define INDEX_BODY(block_masks, parity)                                                                      \
    do {                                                                                                     \
        uint32_t *separators = index->separators, *row_ends = index->row_ends;                               \
        uint32_t count = 0, rows = 0;                                                                        \
        uint64_t all_high = 0;                                                                               \
        BlockState state = { 0, 1 };                                                                         \
        index->odd = false;                                                                                  \
        for (size_t at = 0; at < length; at += 64) {                                                         \
            BlockMasks masks = block_masks(dialect, bytes + at);                                             \
            if (length - at < 64) {                                                                          \
                uint64_t valid = ~0ull >> (64 - (length - at));                                              \
                masks.delimiters &= valid;                                                                   \
                masks.newlines &= valid;                                                                     \
                masks.quotes &= valid;                                                                       \
            }                                                                                                \
            all_high |= masks.high;                                                                          \
            if (__builtin_expect(!MASK_QUOTED(masks, state, parity), 0)) {                                   \
                index->odd = true;                                                                           \
                break;                                                                                       \
            }                                                                                                \
            uint64_t bits = masks.delimiters | masks.newlines;                                               \
            uint32_t base = (uint32_t)at, before = count;                                                    \
            uint32_t found = (uint32_t)__builtin_popcountll(bits);                                           \
            for (uint64_t rest = masks.newlines; rest; rest &= rest - 1)                                     \
                row_ends[rows++] = before + (uint32_t)__builtin_popcountll(bits & (rest ^ (rest - 1)));      \
            uint32_t *to = separators + count;                                                               \
            for (uint32_t i = 0; i < found; i += 4) { /* past the end by up to three: there is room */       \
                for (uint32_t k = 0; k < 4; k++) {                                                           \
                    to[i + k] = base + (uint32_t)__builtin_ctzll(bits | (1ull << 63));                       \
                    bits &= bits - 1;                                                                        \
                }                                                                                            \
            }                                                                                                \
            count += found;                                                                                  \
        }                                                                                                    \
        index->separator_count = count;                                                                      \
        index->row_count = rows;                                                                             \
        index->ascii = all_high == 0;                                                                        \
    } while (0)

__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,pclmul"))) static void index_avx2(const CsvDialect *dialect, const char *bytes, size_t length, CsvIndex *index)
{
    INDEX_BODY(block_masks_avx2, parity_clmul);
}
static void index_sse2(const CsvDialect *dialect, const char *bytes, size_t length, CsvIndex *index) { INDEX_BODY(block_masks_sse2, parity_shifts); }

static bool have_avx2(void) { return !formats_plain_kernels && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul"); }

void csv_index_build(const CsvDialect *dialect, const char *bytes, size_t length, CsvIndex *index)
{
    if (have_avx2())
        index_avx2(dialect, bytes, length, index);
    else
        index_sse2(dialect, bytes, length, index);
}

/* ---- the last record's end ---- */

/* Plain dialects: blocks as above. *odd: where the careful reader must go on (0: nowhere). Whole blocks only. */
#define LAST_END_BODY(block_masks, parity)                                                                   \
    do {                                                                                                     \
        BlockState state = { 0, 1 };                                                                         \
        size_t end = 0;                                                                                      \
        *stopped = length;                                                                                   \
        char tail[64];                                                                                       \
        for (size_t at = 0; at < length; at += 64) {                                                         \
            const char *block = bytes + at;                                                                  \
            if (length - at < 64) { /* nothing is promised about what follows */                             \
                memset(tail, 0, sizeof tail);                                                                \
                memcpy(tail, block, length - at);                                                            \
                block = tail;                                                                                \
            }                                                                                                \
            BlockMasks masks = block_masks(dialect, block);                                                  \
            if (!MASK_QUOTED(masks, state, parity)) {                                                        \
                *stopped = at;                                                                               \
                break;                                                                                       \
            }                                                                                                \
            if (masks.newlines)                                                                              \
                end = at + 64 - (size_t)__builtin_clzll(masks.newlines);                                     \
        }                                                                                                    \
        return end;                                                                                          \
    } while (0)

__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,pclmul"))) static size_t last_end_avx2(const CsvDialect *dialect, const char *bytes, size_t length, size_t *stopped)
{
    LAST_END_BODY(block_masks_avx2, parity_clmul);
}
static size_t last_end_sse2(const CsvDialect *dialect, const char *bytes, size_t length, size_t *stopped) { LAST_END_BODY(block_masks_sse2, parity_shifts); }

size_t csv_last_record_end(const CsvDialect *dialect, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    if (!dialect->quote || !memchr(bytes, dialect->quote, length)) {
        const char *newline = memrchr(bytes, '\n', length);
        return newline ? (size_t)(newline + 1 - bytes) : 0;
    }
    const char *p = bytes; /* the start of a record */
    size_t stopped = 0;
    CsvRecord record = { .cells = NULL };
    while (p < end) {
        if (csv_dialect_plain(dialect)) {
            size_t left = (size_t)(end - p);
            p += have_avx2() ? last_end_avx2(dialect, p, left, &stopped) : last_end_sse2(dialect, p, left, &stopped);
            if (stopped == left)
                break;
        }
        const char *line = dialect->comment && *p == dialect->comment ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (dialect->comment && *p == dialect->comment) {
            if (!line)
                break;
            p = line + 1;
            continue;
        }
        csv_read_record(dialect, p, end, &record);
        if (record.end != CSV_END_LINE)
            break;
        p = record.next;
    }
    return (size_t)(p - bytes);
}

/* formats/scan_text.h: fast readings of common text: whole words of bytes at once. What is unusual is left to the careful readers.
 *
 * All of them may load up to 32 bytes from where they stand: see BUFFER_PADDING. */
#pragma once
#include <emmintrin.h>
#include "common/calendar.h"
#include "common/str.h"

static inline uint64_t load_u64(const char *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

/* How many of the eight bytes are digits before the first that is none. */
static inline unsigned digit_count8(uint64_t word)
{
    uint64_t others = ((word + 0x4646464646464646ull) | (word - 0x3030303030303030ull)) & 0x8080808080808080ull;
    return others ? (unsigned)__builtin_ctzll(others) >> 3 : 8;
}
/* The number that the first `count` (1 to 8) bytes spell. */
static inline uint64_t digits_value8(uint64_t word, unsigned count)
{
    word = word << (64 - 8 * count) & 0x0F0F0F0F0F0F0F0Full;
    word = word * 2561 >> 8 & 0x00FF00FF00FF00FFull;
    word = word * 6553601 >> 16 & 0x0000FFFF0000FFFFull;
    return word * 42949672960001ull >> 32;
}

/* One to 18 digits with no needless zero before them. Returns the byte after them, or NULL. */
static inline const char *scan_digits(const char *p, uint64_t *value)
{
    uint64_t word = load_u64(p);
    unsigned count = digit_count8(word);
    if (count == 0 || (*p == '0' && count > 1))
        return NULL;
    uint64_t number = digits_value8(word, count);
    if (__builtin_expect(count == 8, 0)) {
        static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
        p += 8;
        word = load_u64(p);
        count = digit_count8(word);
        if (count) {
            number = number * powers[count] + digits_value8(word, count);
            if (count == 8) {
                unsigned more = digit_count8(load_u64(p + 8));
                if (more > 2)
                    return NULL;
                if (more)
                    number = number * powers[more] + digits_value8(load_u64(p + 8), more);
                p += more;
            }
        }
    }
    *value = number;
    return p + count;
}

/* The same with a sign. */
static inline const char *scan_integer(const char *p, int64_t *value)
{
    bool negative = *p == '-';
    uint64_t number;
    const char *after = scan_digits(p + negative, &number);
    *value = negative ? -(int64_t)number : (int64_t)number;
    return after;
}

/* A number of up to 18 digits with a fraction, as digits and the count of those after the point. NULL: no plain decimal. */
static inline const char *scan_decimal(const char *p, int64_t *digits, unsigned *fraction)
{
    bool negative = *p == '-';
    uint64_t whole, part;
    p = scan_digits(p + negative, &whole);
    *fraction = 0;
    if (!p)
        return NULL;
    if (*p == '.') {
        static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
        unsigned count = digit_count8(load_u64(p + 1));
        if (count == 0 || count == 8 || whole > 99999999999ull)
            return NULL;
        part = digits_value8(load_u64(p + 1), count);
        whole = whole * powers[count] + part;
        *fraction = count;
        p += 1 + count;
    }
    if (*p == 'e' || *p == 'E')
        return NULL;
    *digits = negative ? -(int64_t)whole : (int64_t)whole;
    return p;
}

/* str_view for bytes that may be read 16 at a time. */
static inline void scan_str(Str *str, const char *bytes, size_t length)
{
    uint64_t head = load_u64(bytes), tail;
    if (length <= STR_INLINE) {
        uint32_t last;
        memcpy(&last, bytes + 8, 4);
        uint64_t keep_head = length >= 8 ? ~0ull : (1ull << (8 * length)) - 1;
        uint32_t keep_last = length >= 8 ? (uint32_t)((1ull << (8 * (length - 8))) - 1) : 0;
        head &= keep_head;
        last &= keep_last;
        tail = head >> 32 | (uint64_t)last << 32;
    } else {
        tail = (uint64_t)(uintptr_t)bytes;
    }
    uint64_t words[2] = { (uint64_t)(uint32_t)length | head << 32, tail };
    memcpy(str, words, 16);
}

/* ---- YYYY-MM-DD HH:MM:SS[.mmm] ---- */

/* The last minute that was read: most of the next ones lie in it. */
typedef struct MinuteCache {
    char text[16];      /* 'YYYY-MM-DD HH:MM'; zeros at first */
    int64_t minute_us, date_us;
} MinuteCache;

bool minute_cache_fill(MinuteCache *cache, const char *p);

/* Reads the form above (with a blank or T) at `p`; its length (19 or 23), or 0 when it is something else. */
static inline unsigned scan_timestamp(MinuteCache *cache, const char *p, int64_t *timestamp_us)
{
    __m128i same = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_loadu_si128((const __m128i *)cache->text));
    if (__builtin_expect(_mm_movemask_epi8(same) != 0xFFFF, 0) && !minute_cache_fill(cache, p))
        return 0;
    uint64_t word = load_u64(p + 16) ^ 0x003030302E30303Aull; /* ":00.000" */
    uint64_t digits = word & 0x000F0F0F000F0F00ull;
    unsigned second = (unsigned)(digits >> 8 & 15) * 10 + (unsigned)(digits >> 16 & 15);
    /* a digit's high half is 0 after the XOR, and its low half does not reach 16 with 6 added */
    uint64_t seconds_wrong = (word & 0x00F0F0FFull) | ((digits + 0x00060600ull) & 0x00F0F000ull);
    if (seconds_wrong || second >= 60)
        return 0;
    if (word & 0xFF000000ull) { /* no point */
        *timestamp_us = cache->minute_us + second * US_PER_SECOND;
        return 19;
    }
    uint64_t millis_wrong = (word & 0x00F0F0F000000000ull) | ((digits + 0x0006060600000000ull) & 0x00F0F0F000000000ull);
    if (millis_wrong)
        return 0;
    unsigned millis = (unsigned)(digits >> 32 & 15) * 100 + (unsigned)(digits >> 40 & 15) * 10 + (unsigned)(digits >> 48 & 15);
    *timestamp_us = cache->minute_us + second * US_PER_SECOND + millis * US_PER_MS;
    return 23;
}

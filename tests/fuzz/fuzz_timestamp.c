/* tests/fuzz/fuzz_timestamp.c: times as text: every reader agrees with the others, and what is written is read back.
 *
 * Input: a number of eight bytes, then lines: a pattern, and texts to read by it and by the readers of the SQL form. */
#include <stdlib.h>
#include "common/calendar.h"
#include "common/timestamp_pattern.h"
#include "formats/scan_text.h"
#include "tests/fuzz/fuzz.h"

#define HEADER 8

static const char *const words[] = {
    "yyyy-MM-dd HH:mm:ss.SSS", "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS][XXX]", "dd/MMM/yyyy:HH:mm:ss Z", "EEE, d MMM yyyy hh:mm:ss a z", "D yyyy", "uuuu", "kk", "KK", "nnnnnnnnn", "[", "]", "''", "'at'", "O", "V", "xx",
    "epoch_s", "epoch_ms", "epoch_us", "iso", "2026-01-01 00:00:00", "2026-01-01T23:59:59.999", "2026-12-31 23:59:59.999999", "0000-01-01", "9999-12-31 23:59:59", "+10000-01-01", "-0001-12-31 00:00",
    "2024-02-29", "2025-02-29", "1969-12-31 23:59:59.999", "Z", "+02:00", "-1830", "+18:00", "UTC", "GMT+1", "Jan", "December", "Thu", "PM", "am", "24", "00", "60", "1767225600.123456", "-1", "1e3", " ", "T", ":", "-", "." };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const FuzzText text = { HEADER, words, sizeof words / sizeof *words };
    return fuzz_mutate_text(&text, data, size, max_size, seed);
}

/* ---- numbers ---- */

static void check_number(int64_t time_us)
{
    char text[CALENDAR_TEXT];
    int64_t back;
    bool zoned;
    size_t length = timestamp_format(time_us, 6, text);
    if (!timestamp_parse(text, length, &back, &zoned) || back != time_us || zoned)
        fuzz_fail("%lld is written %.*s and does not come back", (long long)time_us, (int)length, text);
    length = timestamp_format_iso(time_us, 6, text);
    if (!timestamp_parse(text, length, &back, &zoned) || back != time_us || !zoned)
        fuzz_fail("%lld is written %.*s and does not come back", (long long)time_us, (int)length, text);
    CivilTime civil = civil_from_us(time_us);
    if (us_from_civil(&civil) != time_us)
        fuzz_fail("%lld has no civil time that means it", (long long)time_us);
    int64_t days = floor_div(time_us, US_PER_DAY);
    length = date_format(days, text);
    if (!date_parse(text, length, &back) || back != days)
        fuzz_fail("day %lld is written %.*s and does not come back", (long long)days, (int)length, text);
    int64_t of_day = floor_mod(time_us, US_PER_DAY);
    length = time_format(of_day, 6, text);
    if (!time_parse(text, length, &back) || back != of_day)
        fuzz_fail("time %lld is written %.*s and does not come back", (long long)of_day, (int)length, text);
    for (int months = -25; months <= 25; months += 25)
        add_months(time_us, months);
    add_months(time_us, time_us);
}

/* Patterns that leave nothing out, for years of four digits. */
static void check_full_patterns(int64_t time_us)
{
    static const char *const patterns[] = { "yyyy-MM-dd HH:mm:ss.SSSSSS", "D yyyy kk mm ss SSSSSS", "d.M.u h:m:s a nnnnnnnnn", "EEEE MMMM dd yyyy HH mm ss.SSSSSSSSSXXX", "MMM d yyyy, K:mm:ss.SSSSSS a[ z]" };
    if (time_us < -62167219200000000 || time_us >= 253402300800000000)
        return;
    Arena arena;
    arena_init(&arena, NULL);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const TimestampPattern *pattern;
        char text[TIMESTAMP_PATTERN_TEXT];
        int64_t back = 0;
        if (timestamp_pattern_new(&arena, patterns[i], &pattern))
            fuzz_fail("'%s' is no pattern", patterns[i]);
        size_t length = timestamp_pattern_format(pattern, time_us, text);
        if (!timestamp_pattern_parse(pattern, text, length, &back) || back != time_us)
            fuzz_fail("%lld is written '%.*s' by '%s' and comes back as %lld", (long long)time_us, (int)length, text, patterns[i], (long long)back);
    }
    arena_release(&arena);
}

/* ---- texts ---- */

/* The SQL form by the fast way, the long way (a blank before it), and the decoders' scanner. */
static void check_text(MinuteCache *cache, const char *bytes, size_t length)
{
    int64_t fast, slow, scanned;
    bool fast_zoned = false, slow_zoned = false;
    char *copy = malloc(length + 2);
    copy[0] = ' ';
    memcpy(copy + 1, bytes, length);
    bool is_fast = timestamp_parse(copy + 1, length, &fast, &fast_zoned), is_slow = timestamp_parse(copy, length + 1, &slow, &slow_zoned);
    if (is_fast != is_slow || (is_fast && (fast != slow || fast_zoned != slow_zoned)))
        fuzz_fail("'%.*s' is read in two ways: %d %lld %d, %d %lld %d", (int)length, bytes, is_fast, is_fast ? (long long)fast : 0, fast_zoned, is_slow, is_slow ? (long long)slow : 0, slow_zoned);
    free(copy);
    char *padded = malloc(length + 64);
    memcpy(padded, bytes, length);
    memset(padded + length, '7', 64);
    unsigned used = scan_timestamp(cache, padded, &scanned);
    if (used && used <= length && (!timestamp_parse(padded, used, &fast, NULL) || fast != scanned))
        fuzz_fail("'%.*s' is scanned as %lld", (int)used, padded, (long long)scanned);
    free(padded);
    char text[CALENDAR_TEXT];
    if (is_fast) {
        size_t written = timestamp_format(fast, 6, text);
        if (!timestamp_parse(text, written, &slow, NULL) || slow != fast)
            fuzz_fail("'%.*s' does not come back from '%.*s'", (int)length, bytes, (int)written, text);
    }
    int64_t number;
    if (date_parse(bytes, length, &number)) {
        size_t written = date_format(number, text);
        if (!date_parse(text, written, &slow) || slow != number)
            fuzz_fail("day '%.*s' does not come back", (int)length, bytes);
    }
    time_parse(bytes, length, &number);
    timestamp_epoch_parse(PATTERN_EPOCH_S, bytes, length, &number);
}

/* A text that a pattern reads is written by it; of no pattern is more asked: it may leave out the year. */
static void check_pattern(const TimestampPattern *pattern, const char *bytes, size_t length)
{
    int64_t time_us;
    char text[TIMESTAMP_PATTERN_TEXT];
    char *exact = malloc(length ? length : 1); /* to see reads behind it */
    memcpy(exact, bytes, length);
    if (timestamp_pattern_parse(pattern, exact, length, &time_us)) {
        size_t written = timestamp_pattern_format(pattern, time_us, text);
        if (written > sizeof text)
            fuzz_fail("%zu bytes were written", written);
        timestamp_pattern_parse(pattern, text, written, &time_us);
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t number;
    if (size < HEADER)
        return 0;
    memcpy(&number, data, sizeof number);
    check_number(number);
    for (int shift = 0; shift < 24; shift += 4)
        check_number(number >> shift);
    check_full_patterns(number);
    check_full_patterns(number >> 6);
    Arena arena;
    arena_init(&arena, NULL);
    MinuteCache cache = { .text = { 0 } };
    const TimestampPattern *pattern = NULL;
    const char *p = (const char *)data + HEADER, *end = (const char *)data + size;
    for (bool first = true; p < end; first = false) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline : end;
        if (first) {
            const char *text = arena_strndup(&arena, p, (size_t)(stop - p));
            Error *error = timestamp_pattern_new(&arena, text, &pattern);
            if (error)
                pattern = NULL;
            error_free(error);
        } else {
            check_text(&cache, p, (size_t)(stop - p));
            if (pattern)
                check_pattern(pattern, p, (size_t)(stop - p));
        }
        p = newline ? newline + 1 : end;
    }
    if (pattern) {
        char text[TIMESTAMP_PATTERN_TEXT];
        timestamp_pattern_format(pattern, number, text);
    }
    arena_release(&arena);
    return 0;
}

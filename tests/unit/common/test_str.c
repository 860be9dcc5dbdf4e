/* Views of strings, UTF-8, names, text under construction, and hashes. */
#include "tests/unit/common/unit.h"

#include "common/hash.h"
#include "common/memory.h"

static int sign(int order) { return (order > 0) - (order < 0); }

static void views_hold_what_they_were_given(void **state)
{
    (void)state;
    char bytes[64];
    for (size_t length = 0; length < sizeof bytes; length++) {
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)random_bits();
        Str view = str_view(bytes, length);
        assert_int_equal(view.length, length);
        assert_memory_equal(str_bytes(&view), bytes, length);
        if (length <= STR_INLINE) { /* inside, the rest zero */
            assert_true(str_bytes(&view) == view.inlined);
            for (size_t i = length; i < STR_INLINE; i++)
                assert_int_equal(view.inlined[i], 0);
        } else {
            assert_true(str_bytes(&view) == bytes);
            assert_memory_equal(view.prefix, bytes, 4);
        }
    }
    Str text = str_c("twelve bytes");
    assert_int_equal(text.length, STR_INLINE);
    assert_str(&text, "twelve bytes");
}

static void comparison_is_that_of_bytes(void **state)
{
    (void)state;
    for (int round = 0; round < 200000; round++) {
        char a[32], b[32];
        size_t a_length = random_upto(20), b_length = random_upto(20), same = random_upto(20);
        for (size_t i = 0; i < sizeof a; i++) {
            a[i] = (char)(random_upto(3) * 85); /* zeros and high bytes, too */
            b[i] = i < same ? a[i] : (char)(random_upto(3) * 85);
        }
        if (random_upto(1))
            b_length = a_length;
        Str x = str_view(a, a_length), y = str_view(b, b_length);
        size_t shorter = a_length < b_length ? a_length : b_length;
        int expected = memcmp(a, b, shorter);
        if (expected == 0)
            expected = (a_length > b_length) - (a_length < b_length);
        assert_int_equal(sign(str_compare(&x, &y)), sign(expected));
        assert_int_equal(sign(str_compare(&y, &x)), -sign(expected));
        assert_int_equal(str_equal(&x, &y), expected == 0);
        if (expected == 0)
            assert_true(hash_str(&x) == hash_str(&y)); /* wherever the bytes are */
    }
}

/* RFC 3629 by decoding: code point, and whether it has a shorter form. */
static size_t slow_valid_prefix(const unsigned char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t more = bytes[at] < 0x80 ? 0 : bytes[at] >> 5 == 6 ? 1 : bytes[at] >> 4 == 14 ? 2 : bytes[at] >> 3 == 30 ? 3 : 9;
        if (more == 9 || at + more >= length)
            return at;
        uint32_t code = more ? bytes[at] & (0x3Fu >> more) : bytes[at];
        for (size_t i = 1; i <= more; i++) {
            if (bytes[at + i] >> 6 != 2)
                return at;
            code = code << 6 | (bytes[at + i] & 0x3F);
        }
        static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
        if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return at;
        at += more + 1;
    }
    return length;
}

static void utf8_is_checked_as_rfc_3629_says(void **state)
{
    (void)state;
    for (uint32_t word = 0; word < 1u << 24; word += word < 1u << 16 ? 1 : 7) { /* all two bytes, many of three, then some of four */
        unsigned char bytes[4] = { (unsigned char)word, (unsigned char)(word >> 8), (unsigned char)(word >> 16), 0x80 };
        size_t expected = slow_valid_prefix(bytes, 4), got = utf8_valid_prefix((char *)bytes, 4);
        if (got != expected)
            fail_msg("%02x %02x %02x %02x: %zu instead of %zu", bytes[0], bytes[1], bytes[2], bytes[3], got, expected);
    }
    static const char *const pieces[] = { "a", "é", "€", "😀", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "plain text of a few bytes", "\xFF" };
    for (int round = 0; round < 100000; round++) {
        char text[256];
        size_t length = 0;
        for (uint64_t i = random_upto(8); i; i--) {
            const char *piece = pieces[random_upto(random_upto(3) ? 3 : COUNT(pieces) - 1)];
            memcpy(text + length, piece, strlen(piece));
            length += strlen(piece);
        }
        assert_int_equal(utf8_valid_prefix(text, length), slow_valid_prefix((unsigned char *)text, length));
    }
}

static void names_differ_by_more_than_case(void **state)
{
    (void)state;
    assert_true(name_equal("Auction", "aUCTION"));
    assert_true(name_equal("", ""));
    assert_false(name_equal("auction", "auctions"));
    assert_false(name_equal("auctions", "auction"));
    assert_false(name_equal("a_b", "a-b"));
    assert_false(name_equal("[", "{")); /* they differ in the bit that makes case */
}

static void text_grows_and_ends_with_zero(void **state)
{
    (void)state;
    Text text = { 0 };
    assert_string_equal(text_c(&text), "");
    text_release(&text);
    char expected[4096] = "";
    for (int i = 0; strlen(expected) < 4000; i++) {
        char piece[32];
        Str view;
        snprintf(piece, sizeof piece, "%d and a bit more,", i);
        view = str_c(piece);
        switch (i % 4) {
        case 0: text_add(&text, piece, strlen(piece)); break;
        case 1: text_add_c(&text, piece); break;
        case 2: text_add_str(&text, &view); break;
        case 3: text_printf(&text, "%s", piece); break;
        }
        text_add_char(&text, ' ');
        strcat(strcat(expected, piece), " ");
        assert_int_equal(text.length, strlen(expected));
        assert_string_equal(text_c(&text), expected);
    }
    text_add(&text, NULL, 0);
    assert_int_equal(text.length, strlen(expected));
    text_release(&text);
    assert_null(text.bytes);
    assert_int_equal(text.capacity, 0);
}

/* ---- hashes ---- */

/* Every bucket of 2^bits gets about the same number: the statistic of a chi-squared test. */
static void assert_even(const uint32_t *counts, uint32_t buckets, uint32_t total, const char *what)
{
    double expected = (double)total / buckets, sum = 0;
    for (uint32_t i = 0; i < buckets; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    if (sum > buckets * 1.5) /* about 15 standard deviations for 1,024 buckets */
        fail_msg("%s: chi-squared %.0f over %u buckets", what, sum, buckets);
}

static void hashes_spread(void **state)
{
    (void)state;
    enum { BUCKETS = 1024, KEYS = 200000 };
    static const char *const names[] = { "0, 1, 2..", "multiples of 4096", "multiples of 2^32", "high bits", "doubles", "strings", "pairs" };
    for (size_t kind = 0; kind < COUNT(names); kind++) {
        uint32_t low[BUCKETS] = { 0 }, high[BUCKETS] = { 0 };
        for (uint64_t i = 0; i < KEYS; i++) {
            char text[32];
            double number = (double)i;
            uint64_t bits, hash = 0;
            memcpy(&bits, &number, 8);
            switch (kind) {
            case 0: hash = hash_u64(i); break;
            case 1: hash = hash_u64(i << 12); break;
            case 2: hash = hash_u64(i << 32); break;
            case 3: hash = hash_u64(i << 46); break;
            case 4: hash = hash_u64(bits); break;
            case 5: hash = hash_bytes(text, (size_t)sprintf(text, "key number %llu", (unsigned long long)i)); break;
            case 6:
                hash = hash_combine(hash_combine(0, hash_u64(i % 500)), hash_u64(i / 500));
                hash ^= hash >> 32; /* as tables of several key columns take it */
                break;
            }
            low[hash % BUCKETS]++;
            high[hash >> 54]++;
        }
        assert_even(low, BUCKETS, KEYS, names[kind]);
        assert_even(high, BUCKETS, KEYS, names[kind]);
    }
}

/* The values of Kafka's own test of its partitioner (UtilsTest.testMurmur2). */
static void murmur2_is_that_of_kafka(void **state)
{
    (void)state;
    static const struct { const char *text; int32_t hash; } known[] = {
        { "21", -973932308 }, { "foobar", -790332482 }, { "a-little-bit-long-string", -985981536 }, { "a-little-bit-longer-string", -1486304829 },
        { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 }, { "abc", 479470107 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal((int32_t)murmur2(known[i].text, strlen(known[i].text)), known[i].hash);
}

static void hashes_follow_the_seed_and_checksums_do_not(void **state)
{
    (void)state;
    uint64_t seed = hash_seed, word = hash_u64(42), bytes = hash_bytes("auction", 7), checksum = checksum_bytes("auction", 7);
    assert_true(hash_u64(42) == word && hash_bytes("auction", 7) == bytes);
    for (uint64_t a = 0; a < 100; a++) /* the order of key columns counts */
        for (uint64_t b = 0; b < a; b++)
            assert_true(hash_combine(hash_combine(0, hash_u64(a)), hash_u64(b)) != hash_combine(hash_combine(0, hash_u64(b)), hash_u64(a)));
    hash_seed = seed + 1;
    assert_true(hash_u64(42) != word);
    assert_true(hash_bytes("auction", 7) != bytes);
    assert_true(checksum_bytes("auction", 7) == checksum);
    hash_seed = seed;
    assert_true(hash_u64(42) == word);
    char buffer[300]; /* every byte counts, and so does the length */
    memset(buffer, 0, sizeof buffer);
    for (size_t length = 1; length < sizeof buffer; length++) {
        uint64_t before = checksum_bytes(buffer, length);
        assert_true(checksum_bytes(buffer, length - 1) != before);
        buffer[length / 2] ^= 1;
        assert_true(checksum_bytes(buffer, length) != before);
        buffer[length / 2] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_hold_what_they_were_given),
        cmocka_unit_test(comparison_is_that_of_bytes),
        cmocka_unit_test(utf8_is_checked_as_rfc_3629_says),
        cmocka_unit_test(names_differ_by_more_than_case),
        cmocka_unit_test(text_grows_and_ends_with_zero),
        cmocka_unit_test(hashes_spread),
        cmocka_unit_test(murmur2_is_that_of_kafka),
        cmocka_unit_test(hashes_follow_the_seed_and_checksums_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

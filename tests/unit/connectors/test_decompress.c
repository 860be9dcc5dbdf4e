/* gzip and zstd: what was packed is unpacked, in whatever steps; what is damaged or cut off is said. */
#include "tests/unit/common/unit.h"

#include "connectors/decompress.h"
#include "connectors/random.h"

static const Compression kinds[] = { COMPRESSION_GZIP, COMPRESSION_ZSTD };

static Text random_content(void)
{
    Text text = { 0 };
    for (uint64_t lines = random_upto(2000); lines; lines--)
        text_printf(&text, "{\"id\": %llu, \"name\": \"line of text\"}\n", (unsigned long long)random_upto(1000000));
    return text;
}

/* In steps of random sizes; several members or frames may follow each other. */
static Text pack(Compression kind, const Text *text, bool several)
{
    Text out = { 0 };
    Compressor *compressor = compressor_new(kind, (int)random_upto(5));
    for (size_t at = 0; at < text->length;) {
        size_t step = 1 + random_upto(random_upto(1) ? 20 : 30000);
        if (step > text->length - at)
            step = text->length - at;
        CompressorEnd end = several && random_upto(5) == 0 ? COMPRESSOR_FINISH : random_upto(9) == 0 ? COMPRESSOR_FLUSH : COMPRESSOR_GOES_ON;
        assert_fine(compressor_run(compressor, text->bytes + at, step, end, &out));
        at += step;
    }
    assert_fine(compressor_run(compressor, NULL, 0, COMPRESSOR_FINISH, &out));
    compressor_free(compressor);
    return out;
}

static Error *unpack(Compression kind, const char *bytes, size_t length, size_t input_step, size_t output_step, Text *out)
{
    Decompressor *decompressor = decompressor_new(kind);
    Error *error = NULL;
    char *room = malloc(output_step);
    for (size_t at = 0; at < length && !error;) {
        size_t given = length - at < input_step ? length - at : input_step;
        const char *input = bytes + at;
        size_t left = given, produced;
        do {
            size_t before = left;
            error = decompressor_run(decompressor, &input, &left, room, output_step, &produced);
            if (!error) {
                assert_in_range(produced, 0, output_step);
                assert_true(produced || left < before || left == 0); /* it moves on */
                text_add(out, room, produced);
            }
        } while (!error && (left || produced));
        assert_true(error || input == bytes + at + given);
        at += given;
    }
    if (!error)
        error = decompressor_finish(decompressor);
    free(room);
    decompressor_free(decompressor);
    return error;
}

static void what_was_packed_is_unpacked(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++)
        for (size_t k = 0; k < COUNT(kinds); k++) {
            Text text = random_content(), packed = pack(kinds[k], &text, round & 1), back = { 0 };
            assert_fine(unpack(kinds[k], packed.bytes, packed.length, 1 + random_upto(round % 4 ? 5000 : 3), 1 + random_upto(round % 3 ? 100000 : 10), &back));
            assert_int_equal(back.length, text.length);
            if (text.length)
                assert_memory_equal(back.bytes, text.bytes, text.length);
            if (text.length > 20000)
                assert_true(packed.length < text.length);
            assert_int_equal(compression_guess(packed.bytes, packed.length, "x.json"), kinds[k]);
            text_release(&text), text_release(&packed), text_release(&back);
        }
}

/* A file without content is a file all the same. */
static void nothing_is_packed_too(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        Text nothing = { 0 }, packed = pack(kinds[k], &nothing, false), back = { 0 };
        assert_true(packed.length > 0);
        size_t length = packed.length;
        assert_fine(unpack(kinds[k], packed.bytes, packed.length, 1, 10, &back));
        assert_int_equal(back.length, 0);
        Compressor *compressor = compressor_new(kinds[k], 0);
        packed.length = 0;
        for (int i = 0; i < 3; i++) { /* once is enough */
            assert_fine(compressor_run(compressor, NULL, 0, COMPRESSOR_FLUSH, &packed));
            assert_fine(compressor_run(compressor, NULL, 0, COMPRESSOR_FINISH, &packed));
        }
        assert_int_equal(packed.length, length);
        compressor_free(compressor);
        text_release(&packed), text_release(&back);
    }
}

static void flushed_bytes_can_be_read(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        Text packed = { 0 }, back = { 0 };
        Compressor *compressor = compressor_new(kinds[k], 0);
        assert_fine(compressor_run(compressor, "first line\n", 11, COMPRESSOR_FLUSH, &packed));
        Error *error = unpack(kinds[k], packed.bytes, packed.length, 1000, 1000, &back);
        assert_text(text_c(&back), back.length, "first line\n");
        assert_non_null(error); /* but the stream has not ended */
        error_free(error);
        compressor_free(compressor);
        text_release(&packed), text_release(&back);
    }
}

static void damage_is_noticed(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        Text text = { 0 };
        for (int i = 0; i < 300; i++)
            text_printf(&text, "line %d of some content that is packed\n", i * 7919 % 1000);
        Text packed = pack(kinds[k], &text, false);
        for (size_t length = 1; length < packed.length; length += 1 + packed.length / 150) { /* cut off anywhere */
            Text back = { 0 };
            Error *error = unpack(kinds[k], packed.bytes, length, 777, 1000, &back);
            assert_non_null(error);
            assert_int_equal(error->code, ERR_IO);
            error_free(error);
            text_release(&back);
        }
        int noticed = 0, damaged = 0;
        for (size_t at = packed.length / 4; at < packed.length * 3 / 4; at += 3) { /* a byte changed in the middle: never a crash */
            Text back = { 0 };
            packed.bytes[at] ^= 0x55;
            Error *error = unpack(kinds[k], packed.bytes, packed.length, 777, 1000, &back);
            damaged++;
            noticed += error != NULL;
            error_free(error);
            packed.bytes[at] ^= 0x55;
            text_release(&back);
        }
        if (kinds[k] == COMPRESSION_GZIP)
            assert_int_equal(noticed, damaged); /* it has a checksum */
        assert_true(noticed > 0);
        Text back = { 0 };
        text_add_c(&packed, "rubbish behind the end");
        Error *error = unpack(kinds[k], packed.bytes, packed.length, 10000, 1000, &back);
        assert_non_null(error);
        error_free(error);
        text_release(&text), text_release(&packed), text_release(&back);
    }
}

static void kinds_are_told_by_bytes_then_by_name(void **state)
{
    (void)state;
    assert_int_equal(compression_guess("\x1f\x8b\x08\x00", 4, "plain.json"), COMPRESSION_GZIP);
    assert_int_equal(compression_guess("\x28\xb5\x2f\xfd", 4, "plain.json"), COMPRESSION_ZSTD);
    assert_int_equal(compression_guess("{\"a\"", 4, "a.json"), COMPRESSION_NONE);
    assert_int_equal(compression_guess("", 0, "a.json"), COMPRESSION_NONE);
    assert_int_equal(compression_guess("", 0, "a.json.gz"), COMPRESSION_GZIP);
    assert_int_equal(compression_for_path("a.zst"), COMPRESSION_ZSTD);
    assert_int_equal(compression_for_path("a.gz"), COMPRESSION_GZIP);
    assert_int_equal(compression_for_path("gz"), COMPRESSION_NONE);
    assert_string_equal(compression_extension(COMPRESSION_GZIP), ".gz");
    assert_string_equal(compression_extension(COMPRESSION_ZSTD), ".zst");
    assert_string_equal(compression_extension(COMPRESSION_NONE), "");
}

static void counters_make_random_numbers(void **state)
{
    (void)state;
    uint64_t key = random_key(1), below[10] = { 0 }, bits[64] = { 0 };
    double sum = 0;
    enum { DRAWS = 100000 };
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint64_t number = random_at(key, i);
        assert_true(number == random_at(key, i) && number != random_at(key, i + 1));
        uint64_t ten = random_below32(number, 10);
        assert_in_range(ten, 0, 9);
        below[ten]++;
        assert_in_range(random_below(number, 7), 0, 6);
        double unit = random_unit(number);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
        for (int bit = 0; bit < 64; bit++)
            bits[bit] += number >> bit & 1;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(below[i], DRAWS / 10 * 95 / 100, DRAWS / 10 * 105 / 100);
    for (int bit = 0; bit < 64; bit++)
        assert_in_range(bits[bit], DRAWS * 49 / 100, DRAWS * 51 / 100);
    assert_true(sum / DRAWS > 0.49 && sum / DRAWS < 0.51);
    assert_true(random_below(12345, 0) == 12345); /* 0 stands for 2^64 */
    assert_true(random_key(1) != random_key(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_unpacked),
        cmocka_unit_test(nothing_is_packed_too),
        cmocka_unit_test(flushed_bytes_can_be_read),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(kinds_are_told_by_bytes_then_by_name),
        cmocka_unit_test(counters_make_random_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

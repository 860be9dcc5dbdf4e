/* tests/fuzz/fuzz_csv.c: CSV by the index of separators, with AVX2 and without, by the careful reader, and in any pieces: the same rows.
 *
 * Input: the characters, options, seeds of the cuts, then records. */
#include "formats/csv_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rows.h"

#define HEADER 4

static const char *const words[] = {
    "\"", "\"\"", "\"a\"", "\"a,b\"", "\"a\nb\"", "\"a\"\"b\"", "\"a\"b", "a\"b", "\"\n", ",", ",,", ";", "\t", "\n", "\r\n", "\r", "#", "# \"note", "\\", "\\\"", "NULL", "1", "-1", "0", "007", "1.50",
    "true", "2026-01-01 00:00:00", "2026-01-01T00:00:00.5Z", "1767225600000", "\xC3\xA9", "\xC3", "[1,2]", "\"[1, 2]\"", "\"{\"\"price\"\": 5}\"", "{}", "a", "b", "a,s,t,d,m,list,bid", "bid", "list", "12:30",
    "a longer text than a view holds", "0123456789012345678901234567890123456789012345678901234567890123" };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const FuzzText text = { HEADER, words, sizeof words / sizeof *words };
    return fuzz_mutate_text(&text, data, size, max_size, seed);
}

static void make_spec(Arena *arena, const uint8_t *choices, CsvOptions *options, DecodeSpec *spec)
{
    static const char delimiters[] = { ',', ';', '\t', '|' };
    static const char *const names[] = { "a", "s", "t", "d", "m", "list", "bid" };
    static const char *const price[] = { "bid", "price" };
    static const char *const nulls[] = { "", "NULL" };
    static const char *const field_names[] = { "price" };
    *options = (CsvOptions){ .delimiter = delimiters[choices[0] & 3], .quote = choices[0] & 4 ? '\'' : '"', .disable_quotes = choices[0] & 8, .escape = choices[0] & 16 ? '\\' : 0,
                             .comment = choices[0] & 32 ? '#' : 0, .ragged = choices[0] & 64 ? CSV_RAGGED_ALLOW : CSV_RAGGED_ERROR, .ignore_parse_errors = choices[0] & 128,
                             .header = choices[1] % 3, .null_text = nulls[choices[1] >> 2 & 1] };
    const Type *whole = type_scalar(TYPE_INT);
    const DecodeColumn all[] = {
        { .path = &names[0], .path_length = 1, .field_index = 0, .type = choices[1] & 16 ? type_scalar(TYPE_INT) : type_scalar(TYPE_VARCHAR), .not_null = choices[1] & 8 },
        { .path = &names[1], .path_length = 1, .field_index = 1, .type = choices[1] & 16 ? type_varchar(arena, 5) : type_scalar(TYPE_VARCHAR) },
        { .path = &names[2], .path_length = 1, .field_index = 2, .type = type_scalar(TYPE_TIMESTAMP) },
        { .path = &names[3], .path_length = 1, .field_index = 3, .type = type_scalar(TYPE_DOUBLE) },
        { .path = &names[4], .path_length = 1, .field_index = 4, .type = type_decimal(arena, 10, 2) },
        { .path = &names[5], .path_length = 1, .field_index = 5, .type = type_array(arena, whole) },
        { .path = choices[1] & 32 ? price : &names[6], .path_length = choices[1] & 32 ? 2 : 1, .field_index = 6,
          .type = choices[1] & 32 ? type_scalar(TYPE_VARCHAR) : type_struct(arena, 1, field_names, &whole) },
    };
    int count = choices[1] & 64 ? 2 : 7;
    *spec = (DecodeSpec){ .columns = arena_copy(arena, all, sizeof all), .column_count = choices[1] & 128 ? 1 : count, .declared_count = count, .declared_names = names, .options = options };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    Arena arena;
    arena_init(&arena, NULL);
    CsvOptions options;
    DecodeSpec spec;
    make_spec(&arena, data, &options, &spec);
    uint32_t few = 1 + data[2] % 5, seed = data[3];
    const RowsWay ways[] = {
        { .name = "careful", .general = true, .origins = true, .max_rows = 64 },
        { .name = "index", .max_rows = 2048, .padding = '"' },
        { .name = "index with places", .origins = true, .max_rows = 64, .padding = '1' },
        { .name = "index without AVX2", .plain_kernels = true, .max_rows = 64, .padding = '\'' },
        { .name = "index, in pieces", .origins = true, .max_rows = few, .padding = '\n', .cut_seed = seed + 1 },
        { .name = "index, in pieces, without AVX2", .plain_kernels = true, .max_rows = few, .padding = ',', .cut_seed = seed + 1 },
        { .name = "careful, in pieces", .general = true, .max_rows = 64, .padding = ' ', .cut_seed = seed + 2 },
    };
    rows_check(format_find("csv"), &spec, (const char *)data + HEADER, size - HEADER, ways, sizeof ways / sizeof *ways, !options.disable_quotes);
    arena_release(&arena);
    return 0;
}

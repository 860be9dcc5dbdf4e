/* tests/fuzz/fuzz_json.c: JSON records by templates and by the general decoder: the same rows, NULLs, bad rows and places.
 *
 * Input: the columns, options, seeds of the cuts, then lines. Templates are learned from the lines before, so that inputs are several
 * records that look alike, and edits repeat lines with a token exchanged. */
#include "formats/json_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rows.h"

#define HEADER 4
#define COLUMNS_MAX 12

typedef struct WantedColumn {
    const char *path; /* with dots */
    const char *type; /* below */
    const char *timestamp_format;
    bool not_null;
} WantedColumn;

#define COLUMN(path, type) { path, type, NULL, false }
#define NEEDED(path, type) { path, type, NULL, true }
#define TIME(path, format) { path, "TIMESTAMP", format, false }

static const WantedColumn column_sets[][COLUMNS_MAX + 1] = {
    /* flat */
    { COLUMN("auction", "BIGINT"), COLUMN("price", "INT"), COLUMN("channel", "VARCHAR"), COLUMN("ts", "TIMESTAMP"), COLUMN("rate", "DOUBLE"), COLUMN("amount", "DECIMAL"), COLUMN("open", "BOOLEAN") },
    /* fields of nested objects */
    { COLUMN("event_type", "INT"), COLUMN("bid.auction", "BIGINT"), COLUMN("bid.price", "INT"), COLUMN("bid.channel", "VARCHAR"), COLUMN("bid.ts", "TIMESTAMP"), COLUMN("person.address.city", "VARCHAR") },
    /* whole objects and arrays */
    { COLUMN("bid", "STRUCT"), COLUMN("list", "ARRAY"), COLUMN("lists", "ARRAYS"), COLUMN("map", "MAP"), COLUMN("price", "INT") },
    /* columns within columns, and twice the same */
    { COLUMN("bid", "STRUCT"), COLUMN("bid.price", "INT"), COLUMN("price", "INT"), COLUMN("price", "BIGINT") },
    { COLUMN("bid.list", "ARRAY"), COLUMN("bid.price", "INT"), COLUMN("bid", "STRUCT") },
    /* the other types */
    { COLUMN("price", "TINYINT"), COLUMN("auction", "SMALLINT"), COLUMN("rate", "FLOAT"), COLUMN("amount", "DECIMAL38"), COLUMN("channel", "VARCHAR3"), COLUMN("data", "BYTES"),
      COLUMN("day", "DATE"), COLUMN("time", "TIME"), COLUMN("ts", "TIMESTAMP_TZ") },
    { TIME("ts", "yyyy-MM-dd HH:mm:ss[.SSS]"), TIME("seen", "epoch_s"), TIME("sent", "iso"), COLUMN("amount", "DECIMAL18") },
    /* names that differ in case, and what must not be missing */
    { COLUMN("price", "INT"), COLUMN("PRICE", "BIGINT"), NEEDED("Channel", "VARCHAR"), COLUMN("bid.Price", "INT"), COLUMN("bid.price", "INT") },
    { NEEDED("price", "INT"), COLUMN("list", "ARRAY"), NEEDED("ts", "TIMESTAMP") },
    /* nothing */
    { COLUMN(NULL, NULL) },
    { COLUMN("list", "ARRAY") },
};
#define SET_COUNT (sizeof column_sets / sizeof *column_sets)

static const Type *type_named(Arena *arena, const char *name)
{
    static const struct { const char *name; TypeKind kind; } scalars[] = {
        { "BIGINT", TYPE_BIGINT }, { "INT", TYPE_INT }, { "SMALLINT", TYPE_SMALLINT }, { "TINYINT", TYPE_TINYINT }, { "DOUBLE", TYPE_DOUBLE }, { "FLOAT", TYPE_FLOAT },
        { "VARCHAR", TYPE_VARCHAR }, { "BYTES", TYPE_BYTES }, { "DATE", TYPE_DATE }, { "TIME", TYPE_TIME }, { "TIMESTAMP", TYPE_TIMESTAMP },
        { "TIMESTAMP_TZ", TYPE_TIMESTAMP_TZ }, { "BOOLEAN", TYPE_BOOLEAN } };
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
        if (strcmp(scalars[i].name, name) == 0)
            return type_scalar(scalars[i].kind);
    if (strcmp(name, "DECIMAL") == 0)
        return type_decimal(arena, 10, 2);
    if (strcmp(name, "DECIMAL18") == 0)
        return type_decimal(arena, 18, 9);
    if (strcmp(name, "DECIMAL38") == 0)
        return type_decimal(arena, 38, 6);
    if (strcmp(name, "VARCHAR3") == 0)
        return type_varchar(arena, 3);
    if (strcmp(name, "ARRAY") == 0)
        return type_array(arena, type_scalar(TYPE_INT));
    if (strcmp(name, "ARRAYS") == 0)
        return type_array(arena, type_array(arena, type_scalar(TYPE_VARCHAR)));
    if (strcmp(name, "MAP") == 0)
        return type_map(arena, type_scalar(TYPE_VARCHAR), type_array(arena, type_scalar(TYPE_BIGINT)));
    static const char *const fields[] = { "price", "channel", "list" };
    const Type *const types[] = { type_scalar(TYPE_INT), type_scalar(TYPE_VARCHAR), type_array(arena, type_scalar(TYPE_BIGINT)) };
    return type_struct(arena, 3, fields, types);
}

static void make_spec(Arena *arena, const WantedColumn *set, JsonOptions *options, DecodeSpec *spec)
{
    DecodeColumn *columns = ARENA_ARRAY(arena, DecodeColumn, COLUMNS_MAX);
    int count = 0;
    for (; set[count].path; count++) {
        const char **path = ARENA_ARRAY(arena, const char *, 4);
        char *text = arena_strdup(arena, set[count].path);
        int length = 0;
        for (char *dot; text; text = dot) {
            if ((dot = strchr(text, '.')) != NULL)
                *dot++ = 0;
            path[length++] = text;
        }
        columns[count] = (DecodeColumn){ .path = path, .path_length = length, .field_index = count, .type = type_named(arena, set[count].type),
                                         .timestamp_format = set[count].timestamp_format, .not_null = set[count].not_null };
    }
    *spec = (DecodeSpec){ .columns = columns, .column_count = count, .declared_count = count, .options = options };
}

static const char *const words[] = {
    "null", "true", "false", "{}", "[]", "[1,2]", "[[\"a\"],[]]", "[null]", "{\"price\":1}", "{\"price\":7,\"channel\":\"x\",\"list\":[3]}", "\"\"", "\"x\"", "\"Apple\"",
    "\"a longer text than a view holds\"", "\"\\u00e9\\n\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\xC3\xA9\"", "\"\xC3\"", "\"\\x\"", "\"\t\"", "\"2026-01-01 00:00:00\"", "\"2026-01-01T23:59:59.999\"",
    "\"2026-01-01 00:00:00.123456\"", "\"2026-02-30 00:00:00\"", "\"2026-01-01 00:00:60\"", "\"2026-01-01T00:00:00Z\"", "\"2026-01-01 00:00:00+02:00\"", "1767225600000", "9223372036854775", "9223372036854776",
    "\"12.50\"", "-0", "-0.0", "1.005", "12345678.12", "123456789.12", "1e2", "127", "128", "-128", "2147483647", "2147483648", "\n", "\r\n", " ", "\"price\"", "\"Price\"", "\"PRICE\"", "\"pr\\u0069ce\"",
    "\"bid\"", "\"BID\"", "\"channel\"", "\"list\"", "\"map\"", "\"ts\"", "\"auction\"", ",", ":", "{", "}", "[", "]", ",\"price\":5", ",\"bid\":{\"price\":6}", ",\"list\":[4]", ",\"extra\":{\"a\":[1,{\"b\":2}]}",
    "\"YWJj\"", "\"YWI=\"", "\"NaN\"", "\"-Infinity\"", "\"12:30\"", "\"2026-01-01\"", "20454" };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const FuzzText text = { HEADER, words, sizeof words / sizeof *words };
    return fuzz_mutate_text(&text, data, size, max_size, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    Arena arena;
    arena_init(&arena, NULL);
    JsonOptions options = { .ignore_parse_errors = data[1] & 1, .fail_on_missing_field = data[1] & 2, .timestamp_standard = data[1] & 4 ? JSON_ISO_8601 : JSON_SQL };
    DecodeSpec spec;
    make_spec(&arena, column_sets[data[0] % SET_COUNT], &options, &spec);
    uint32_t few = 1 + data[2] % 5, seed = data[3];
    const RowsWay ways[] = {
        { .name = "general", .general = true, .origins = true, .max_rows = 64 },
        { .name = "templates", .max_rows = 2048, .padding = '"' },
        { .name = "templates, few rows", .max_rows = few, .padding = '9' },
        { .name = "templates with places", .origins = true, .max_rows = 64, .padding = '}' },
        { .name = "templates without AVX2", .plain_kernels = true, .max_rows = 64, .padding = '1' },
        { .name = "templates, in pieces", .origins = true, .max_rows = few, .padding = '\n', .cut_seed = seed + 1 },
        { .name = "general, in pieces", .general = true, .max_rows = 64, .padding = ' ', .cut_seed = seed + 2 },
    };
    rows_check(format_find("json"), &spec, (const char *)data + HEADER, size - HEADER, ways, sizeof ways / sizeof *ways, true);
    arena_release(&arena);
    return 0;
}

/* tests/unit/formats/records.h: keys and values of messages -> rows as text, and rows -> messages. */
#pragma once
#include "tests/unit/formats/decode.h"

#include "common/options.h"

static Arena arena;
static SchemaRegistry *registry; /* of each test */

static inline int records_start(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    registry = schema_registry_in_process();
    return 0;
}
static inline int records_stop(void **state)
{
    (void)state;
    registry->free(registry);
    arena_release(&arena);
    return 0;
}

/* The format's options from "name=value name=value"; a value holds no blank. */
static inline const void *options_of(const FormatType *format, const char *text)
{
    OptionEntry entries[8];
    int count = 0;
    char *rest = arena_strdup(&arena, text);
    for (char *word; (word = strtok_r(count ? NULL : rest, " ", &rest)) != NULL;) {
        char *equal = strchr(word, '=');
        *equal = 0;
        entries[count++] = (OptionEntry){ .name = word, .value = equal + 1 };
    }
    void *options = arena_calloc(&arena, 1, format->options_size + 1);
    OptionTarget target = { format->options, options, NULL };
    assert_fine(options_parse(&arena, entries, count, &target, 1, SPAN_NONE));
    return options;
}

/* Columns "name" of the types; keys: they are those of the messages' keys. */
typedef struct Columns {
    int count;
    const char *names[8];
    const Type *types[8];
    bool keys;
} Columns;
#define ONE(name, type) ((Columns){ 1, { name }, { type }, false })
#define KEY(name, type) ((Columns){ 1, { name }, { type }, true })

static inline const Schema *schema_of(const Columns *columns)
{
    Schema *schema = ARENA_NEW(&arena, Schema);
    schema->column_count = columns->count;
    schema->columns = ARENA_ARRAY(&arena, Column, (size_t)columns->count + 1);
    for (int c = 0; c < columns->count; c++)
        schema->columns[c] = (Column){ .name = columns->names[c], .type = columns->types[c], .is_key = columns->keys };
    return schema;
}

/* Every column by its name, or where the name has dots by that path. */
static inline DecodeSpec *records_spec(const Columns *columns, const void *options)
{
    DecodeSpec *spec = ARENA_NEW(&arena, DecodeSpec);
    DecodeColumn *wanted = ARENA_ARRAY(&arena, DecodeColumn, (size_t)columns->count + 1);
    for (int c = 0; c < columns->count; c++) {
        const char **path = ARENA_ARRAY(&arena, const char *, 4);
        char *rest = arena_strdup(&arena, columns->names[c]);
        int length = 0;
        for (char *word; (word = strtok_r(length ? NULL : rest, ".", &rest)) != NULL;)
            path[length++] = word;
        wanted[c] = (DecodeColumn){ .path = path, .path_length = length, .field_index = c, .type = columns->types[c], .part = columns->keys ? RECORD_KEY : RECORD_VALUE };
    }
    *spec = (DecodeSpec){ .columns = wanted, .column_count = columns->count, .declared_count = columns->count, .declared_names = (const char *const *)columns->names, .options = options, .registry = registry };
    return spec;
}

/* Decodes messages; each lies in memory of exactly its size. The vectors are the arena's. */
static inline Vector **records_decode(const FormatType *format, const DecodeSpec *spec, const RecordBytes *records, uint32_t count, RecordFailures *failures)
{
    Vector **vectors = ARENA_ARRAY(&arena, Vector *, (size_t)spec->column_count + 1);
    for (int c = 0; c < spec->column_count; c++)
        vectors[c] = vector_new(&arena, spec->columns[c].type, count);
    RecordBytes *exact = ARENA_ARRAY(&arena, RecordBytes, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (!records[i].bytes)
            continue;
        char *copy = malloc(records[i].length ? records[i].length : 1);
        memcpy(copy, records[i].bytes, records[i].length);
        exact[i] = (RecordBytes){ copy, records[i].length };
        arena_defer(&arena, free, copy);
    }
    Decoder decoder = { .type = format, .spec = spec };
    assert_fine(format->decoder_open(&decoder));
    assert_fine(format->decode_records(&decoder, exact, count, &arena, vectors, failures));
    format->decoder_close(&decoder);
    return vectors;
}

/* Rows, a line each; a bad one as "! column: reason". */
static inline void assert_rows(const FormatType *format, const DecodeSpec *spec, const RecordBytes *records, uint32_t count, const char *expected)
{
    RecordFailures failures = { 0 };
    Vector **vectors = records_decode(format, spec, records, count, &failures);
    Text out = { 0 };
    int failed = 0;
    for (uint32_t row = 0; row < count; row++) {
        if (failed < failures.count && failures.items[failed].row == row) {
            const RecordFailure *failure = &failures.items[failed++];
            text_printf(&out, "! %s%s%s\n", failure->column ? failure->column : "", failure->column ? ": " : "", failure->reason);
            continue;
        }
        for (int c = 0; c < spec->column_count; c++) {
            Value value = vector_get(&arena, vectors[c], row);
            text_add_c(&out, c ? " | " : "");
            value_print(&value, &out);
        }
        text_add_char(&out, '\n');
    }
    if (strcmp(text_c(&out), expected) != 0)
        fail_msg("the messages give\n%s\ninstead of\n%s", text_c(&out), expected);
    assert_int_equal(failed, failures.count);
    text_release(&out);
}

/* Messages as texts; NULL: there is none. */
#define assert_records(format, columns, options, expected, ...)                                                  \
    do {                                                                                                         \
        const char *const texts_[] = { __VA_ARGS__ };                                                            \
        RecordBytes records_[COUNT(texts_)];                                                                     \
        for (size_t i_ = 0; i_ < COUNT(texts_); i_++)                                                            \
            records_[i_] = (RecordBytes){ texts_[i_], texts_[i_] ? strlen(texts_[i_]) : 0 };                     \
        const Columns columns_ = columns;                                                                        \
        assert_rows(&format, records_spec(&columns_, options), records_, COUNT(records_), expected);             \
    } while (0)

/* Row `row` as a message; NULL: it has none. */
static inline const char *record_encode(const FormatType *format, const Columns *columns, const void *options, Vector *const vectors[], uint32_t row, size_t *length)
{
    Text out = { 0 };
    bool none = false;
    Encoder encoder = { .type = format, .schema = schema_of(columns), .options = options, .key = columns->keys, .registry = registry, .topic = "t" };
    assert_fine(format->encoder_open(&encoder));
    assert_fine(format->encode_record(&encoder, (const Vector *const *)vectors, row, &out, &none));
    format->encoder_close(&encoder);
    const char *bytes = none ? NULL : arena_copy(&arena, text_c(&out), out.length + 1);
    *length = out.length;
    text_release(&out);
    return bytes;
}

/* A message is read and written again. */
static inline void assert_rewritten(const FormatType *format, const Columns *columns, const void *options, const char *message, const char *expected)
{
    RecordFailures failures = { 0 };
    RecordBytes record = { message, message ? strlen(message) : 0 };
    Vector **vectors = records_decode(format, records_spec(columns, options), &record, 1, &failures);
    if (failures.count)
        fail_msg("%s: %s", message ? message : "nothing", failures.items[0].reason);
    size_t length;
    const char *written = record_encode(format, columns, options, vectors, 0, &length);
    const char *shown = written ? written : "nothing", *wanted = expected ? expected : "nothing";
    if (!written != !expected || strcmp(shown, wanted) != 0)
        fail_msg("%s is written as %s instead of %s", message ? message : "nothing", shown, wanted);
}

/* Columns are refused with this text. */
static inline void assert_refused(const FormatType *format, const Columns *columns, const void *options, const char *part)
{
    assert_error(format->check_record(options, schema_of(columns), columns->keys), part);
}
static inline void assert_accepted(const FormatType *format, const Columns *columns, const void *options) { assert_fine(format->check_record(options, schema_of(columns), columns->keys)); }

/* Bytes from hex digits; blanks are passed over. */
static inline RecordBytes hex(const char *digits)
{
    char *bytes = arena_alloc(&arena, strlen(digits) + 1);
    size_t length = 0;
    for (unsigned byte; sscanf(digits, " %2x", &byte) == 1; digits += strspn(digits, " ") + 2)
        bytes[length++] = (char)byte;
    return (RecordBytes){ bytes, length };
}

static inline void assert_hex(const FormatType *format, const Columns *columns, const void *options, const char *digits, const char *expected)
{
    RecordBytes record = hex(digits);
    assert_rows(format, records_spec(columns, options), &record, 1, expected);
}

/* Reads the message, and writes it again as `written`; NULL: as nothing. */
static inline void assert_hex_rewritten(const FormatType *format, const Columns *columns, const void *options, const char *digits, const char *row, const char *written)
{
    assert_hex(format, columns, options, digits, row);
    RecordBytes record = hex(digits);
    RecordFailures failures = { 0 };
    Vector **vectors = records_decode(format, records_spec(columns, options), &record, 1, &failures);
    size_t length;
    const char *bytes = record_encode(format, columns, options, vectors, 0, &length);
    assert_true(!bytes == !written);
    RecordBytes wanted = hex(written ? written : "");
    Text shown = { 0 };
    for (size_t i = 0; i < length; i++)
        text_printf(&shown, "%02x ", (unsigned char)bytes[i]);
    if (length != wanted.length || (length && memcmp(bytes, wanted.bytes, length) != 0))
        fail_msg("%s is written as %s instead of %s", digits, text_c(&shown), written ? written : "");
    text_release(&shown);
}

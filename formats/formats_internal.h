/* formats/formats_internal.h: what the formats share: the registry's rows and small helpers. */
#pragma once
#include "formats/formats.h"

extern const FormatType json_format, csv_format, delimited_format, tsv_format, raw_format, kafka_format, none_format, protobuf_nosr_format, protobuf_format, avro_format, json_sr_format, debezium_format;

/* Tests: the kernels for processors without AVX2. */
extern bool formats_plain_kernels;

/* cut for formats whose records are lines. */
size_t lines_cut(const void *options, const char *bytes, size_t length, bool final);

Error *json_decoder_open(Decoder *decoder);
void json_decoder_close(Decoder *decoder);
Error *json_decode(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch);
Error *json_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures);

/* Line numbers of a piece, counted only as far as somebody asks: places must not go back. */
typedef struct LineCounter {
    const char *at;
    uint64_t line; /* 0: not counted */
} LineCounter;
static inline void line_counter_start(LineCounter *counter, const DecodeInput *input)
{
    counter->at = input->bytes;
    counter->line = input->line;
}
uint64_t line_counter_at(LineCounter *counter, const char *place);

/* Makes raw, positions and lines of a batch where the spec wants them; notes where row `row` came from. */
void origins_start(const DecodeSpec *spec, Batch *batch, uint32_t max_rows);
void origins_note(const DecodeSpec *spec, const DecodeInput *input, LineCounter *lines, Batch *batch, uint32_t row, const char *record, size_t length);

/* Adds a bad row that stood before the batch's next row. The reason is kept as it is. */
void bad_row_add(const DecodeInput *input, LineCounter *lines, Batch *batch, uint32_t before_row, const char *record, size_t length, const char *column, const char *reason);

/* NULL at a row that nothing reads: the value is zeroed. */
void vector_store_null(Arena *arena, Vector *vector, uint32_t row);
/* All columns of a row count as not NULL again: a record was given up half-way. */
void row_forget_nulls(Vector *const vectors[], int count, uint32_t row);

/* Path with dots, for messages. */
const char *path_text(Arena *arena, const char *const *path, int length);

/* ---- records.c: messages, and how times are written ---- */

/* As SQL text; as numbers (milliseconds since 1970, days, milliseconds of the day); 2026-01-01T00:00:00.000Z; the same without Z where
 * there is no zone. */
typedef enum TimeStyle { TIMES_SQL, TIMES_EPOCH_MS, TIMES_ISO, TIMES_ISO_LOCAL } TimeStyle;
extern const char *const time_style_choices[]; /* the first three, for options */
/* Writes the value (not NULL) if the style has an own way for its type: TIMESTAMP, DATE, TIME. quote: around text, or 0. */
bool time_style_add(TimeStyle style, Text *out, const Vector *vector, uint32_t row, char quote);
bool type_holds_times(const Type *type);
/* A decimal's digits as a number in two's complement, big endian, of up to 16 bytes; to: as few as keep the sign. */
Int128 decimal_from_bytes(const char *bytes, size_t length);
size_t decimal_to_bytes(Int128 value, char out[sizeof(Int128)]);
/* A message that begins with the number of its schema (common/schema_registry.h): what follows. NULL or why it is none. */
const char *record_schema(const RecordBytes *record, int32_t *id, RecordBytes *rest);
void record_add_schema(Text *out, int32_t id);
/* ---- registered.c: formats with a schema registry ---- */

#define REGISTRY_OPTION_COUNT 18
/* The rows of the options that they share, for the head of a table. */
extern const OptionSpec registry_options[REGISTRY_OPTION_COUNT + 1];
/* A table of options: those, and `own`, which ends with a NULL name. Made before main. */
#define REGISTERED_OPTIONS(table, own, count) \
    static OptionSpec table[REGISTRY_OPTION_COUNT + (count)]; \
    __attribute__((constructor)) static void make_##table(void) \
    { \
        memcpy(table, registry_options, sizeof *table * REGISTRY_OPTION_COUNT); \
        memcpy(table + REGISTRY_OPTION_COUNT, own, sizeof *table * (count)); \
    }
/* The schema with that number; NULL: *reason, in `arena`. */
Error *registered_get(const DecodeSpec *spec, const char *format, Arena *arena, int32_t id, const RegisteredSchema **schema, const char **reason);
/* The schema that `options` name by its number, for reading or writing by it; NULL: none is named. */
Error *registered_named(SchemaRegistry *registry, const char *format, int64_t id, const RegisteredSchema **schema);
/* The schema that rows are written by: named, or the one that the columns were made from; 0: neither. */
static inline int64_t registered_target(const RegistryOptions *options) { return !options ? 0 : options->schema_id ? options->schema_id : options->reader_id; }
/* Registers the schema of what the encoder writes, or finds it. record: the name of its type. */
Error *registered_put(const Encoder *encoder, const char *type, const char *record, const char *schema, int32_t *id);

/* A row without any value. */
bool row_is_null(int count, const Vector *const columns[], uint32_t row);


/* The decoder's columns are those of keys. */
static inline bool decodes_keys(const DecodeSpec *spec) { return spec->column_count > 0 && spec->columns[0].part == RECORD_KEY; }
/* The record is given up; its row is NULL in nested columns, whose rows must follow each other, and anything in others. */
void record_fail(const DecodeSpec *spec, Arena *arena, Vector *const columns[], RecordFailures *failures, uint32_t row, const char *column, const char *reason);
/* Text that is the whole record: a view; NULL or why it is none. */
const char *record_text(Arena *arena, const Type *type, const RecordBytes *record, Str *text);
/* The columns of keys or values are refused, with ksqlDB's words, which its users look for. */
Error *record_refuse(const char *format, const Schema *schema, bool key, const char *reason);
Error *record_refuse_type(const char *format, const Schema *schema, bool key, const Column *column);
/* No format can have maps in keys: equal ones may have different bytes. */
Error *record_check_key(const Schema *schema, bool key);
/* `K` INTEGER KEY, `V` ARRAY<STRING> */
void record_add_columns(Text *text, const Schema *schema, bool key);

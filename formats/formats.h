/* formats/formats.h: bytes <-> batches. The room's door.
 *
 * A format gives bytes a meaning and knows no connector. Decoding is stateless between pieces (a decoder may remember what
 * makes it fast, never what makes a difference), so that pieces are decoded in parallel and in any order. */
#pragma once
#include "common/batch.h"
#include "common/options.h"
#include "common/schema_registry.h"
#include "common/timezone.h"

typedef struct FormatType FormatType;

/* Where in a message of a topic a column's value stands. Files know values only. */
typedef enum RecordPart {
    RECORD_VALUE,        /* a field of the value */
    RECORD_KEY,          /* a field of the key */
    RECORD_TIMESTAMP,    /* TIMESTAMP(3): the message's own time */
    RECORD_PARTITION,    /* INT */
    RECORD_OFFSET,       /* BIGINT */
    RECORD_TOPIC,        /* VARCHAR */
    RECORD_HEADERS,      /* ARRAY<STRUCT<key VARCHAR, value BYTES>> */
    RECORD_HEADER,       /* BYTES: the last header whose key is path[0] */
    RECORD_WINDOW_START, /* TIMESTAMP(3): of a windowed key */
    RECORD_WINDOW_END,
    RECORD_NO_VALUE      /* BOOLEAN: the message has no value (a stream's row without one is still a row) */
} RecordPart;

/* One wanted column: the value at `path` in a record, as `type`. Nested fields are wanted by themselves
 * (bid.price), so that a query reads three leaves and not three structs. */
typedef struct DecodeColumn {
    const char *const *path;      /* names from the outermost; matched exactly first, then without case */
    int path_length;
    int field_index;              /* place of path[0] in the declared schema: what CSV without header goes by */
    const Type *type;
    const char *timestamp_format; /* NULL: epoch milliseconds or ISO 8601 / SQL text */
    bool not_null;                /* a NULL or missing value makes the record bad */
    RecordPart part;
} DecodeColumn;

/* What formats with a schema registry have in common: their options structs begin with it. */
typedef struct RegistryOptions {
    RegistryConnection connection;
    bool auto_register;
    int strategy;                 /* names subjects: index in registry_strategies */
    const char *subject;          /* given by name; NULL: by the strategy */
    int64_t schema_id;            /* the schema to read and write by; 0: not said */
    const char *full_name;        /* its record or message; NULL: the first one */
    int ignored[2];               /* where credentials come from: said by what is given */
    int64_t reader_id;            /* the schema whose columns the declared ones are; 0: they are the user's own */
} RegistryOptions;
const OptionSpec *registry_option_rows(void); /* ended by a NULL name */
/* By name or alias; NULL: none that is about the registry and not about one topic. */
const OptionSpec *registry_option_find(const char *name);
/* The subject of keys or values of a topic; record: the name of their type, NULL not known. */
const char *registry_subject(Arena *arena, const RegistryOptions *options, const char *topic, bool key, const char *record);

typedef struct DecodeSpec {
    const DecodeColumn *columns;
    int column_count;             /* may be 0: COUNT(*) */
    int declared_count;           /* columns of the declared schema that come from the record: CSV's expected width */
    const char *const *declared_names;
    const Type *const *declared_types; /* NULL: not known */
    const void *options;          /* the format's options struct, from options_parse */
    SchemaRegistry *registry;     /* of AVRO, JSON_SR; NULL: none is known */
    const TimeZone *zone;         /* of text without one that becomes an instant; NULL: UTC */
    bool want_raw;                /* fill batch->raw */
    bool want_positions;          /* fill batch->positions and ->lines */
    bool use_general;             /* tests: switch the fast path off */
} DecodeSpec;

/* One message's key or value by itself. bytes NULL: there is none. No padding follows, anything may. */
typedef struct RecordBytes {
    const char *bytes;
    size_t length;
} RecordBytes;

/* What a message says was done to a row. */
typedef struct RecordChange {
    enum { CHANGE_NONE, CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE } kind;
    RecordBytes before, after;    /* the row, as the format's decoder reads it; bytes NULL: not said */
} RecordChange;

/* Records that did not decode: row and reason; the row's columns are undefined. A row may appear once. */
typedef struct RecordFailure {
    uint32_t row;
    const char *column;           /* NULL: the record as a whole */
    const char *reason;           /* both in the arena that was given */
} RecordFailure;
typedef struct RecordFailures { RecordFailure *items; int count, capacity; } RecordFailures;

/* What is known of a split before its pieces are read: CSV's header. Made once, read-only, shared by decoders. */
typedef struct FormatSplit FormatSplit;

typedef struct DecodeInput {
    const char *bytes;            /* whole records only (see cut); BUFFER_PADDING readable bytes follow, zeros if no line end comes last */
    size_t length;
    uint64_t position;            /* offset of bytes[0] in the split */
    uint64_t line;                /* line number of bytes[0], 1-based; 0 when not counted */
    Buffer *buffer;               /* what `bytes` points into: batches hold it */
    const FormatSplit *split;
    size_t at;                    /* how far decoding has come; set to 0 first */
} DecodeInput;

typedef struct Decoder {
    const FormatType *type;
    const DecodeSpec *spec;
    void *state;
    bool record_lines;            /* decode_records: those that are there lie one behind the other, with a line end behind each and BUFFER_PADDING readable
                                   * bytes behind the last, and outlive the columns: texts may point into them */
} Decoder;

typedef struct Encoder {
    const FormatType *type;
    const Schema *schema;
    const void *options;
    bool file;                    /* what encode_header and encode write; else messages: encode_record */
    bool key;                     /* encode_record writes keys of messages, not values */
    SchemaRegistry *registry;     /* NULL: none is known */
    const char *topic;            /* names the registry's subject */
    void *state;
} Encoder;

struct FormatType {
    const char *name;             /* 'json', 'csv' */
    const char *const *aliases;   /* 'jsonl'.. NULL-ended or NULL */
    const char *doc;
    const OptionSpec *options;    /* ended by a NULL name */
    size_t options_size;
    bool registered;              /* messages begin with the number of their schema; options begin with RegistryOptions */
    bool whole_columns;           /* fields are known by their place in the declared type: no field of a STRUCT can be wanted by itself */

    /* The functions for streams of bytes (cut to decode, encode): NULL in formats that only messages have.
     *
     * The length of the longest prefix of `bytes` that holds whole records; 0: none ends here. `bytes` starts at a record.
     * final: nothing follows, so that a last record without an end counts. */
    size_t (*cut)(const void *options, const char *bytes, size_t length, bool final);
    /* Looks at the split's first bytes. *skip: bytes before the first record (a header, a BOM). NULL: nothing to know. */
    Error *(*split_open)(Arena *arena, const DecodeSpec *spec, const char *bytes, size_t length, FormatSplit **split, size_t *skip);
    /* Guesses the schema from a sample that starts at the split's beginning (not necessarily ending at a record's end). */
    Error *(*infer)(Arena *arena, const void *options, const char *sample, size_t length, Schema **schema);

    Error *(*decoder_open)(Decoder *decoder); /* spec is set; state from mem_alloc */
    void (*decoder_close)(Decoder *decoder);
    /* Decodes records from input->at on into `batch` (made by batch_for_schema-like: columns[i] is a FLAT vector of spec column i
     * with `max_rows` capacity and row_count 0) until max_rows rows are there or the input is used up. Bad records become
     * batch->bad_rows. Strings point into the input's buffer where they can, else into the batch's arena. */
    Error *(*decode)(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch);

    /* Messages: records[i] is one whole record (it may hold line ends) and becomes row i of `columns` (FLAT, zeroed, all valid, in the order
     * of spec->columns). A record without bytes is a row of NULLs. Strings may point into the records' bytes, which the caller keeps as long as
     * the columns. NULL: the format has no meaning for single records. */
    Error *(*decode_records)(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[],
                             RecordFailures *failures);
    /* Of formats whose messages are changes: what one says; decode_records then takes the rows within. NULL or why it is none. */
    const char *(*change)(const void *options, const RecordBytes *value, RecordChange *change);
    /* Can keys, values be of these columns? ERR_BIND (without place) says why not: KAFKA holds one column, maps are no keys.. NULL: all can. */
    Error *(*check_record)(const void *options, const Schema *schema, bool key);

    /* The columns of a schema of a registry; a schema that is no record is one column without a name. ERR_BIND (without place): why there are
     * none. NULL: the format has no schemas. */
    Error *(*columns)(Arena *arena, const void *options, const RegisteredSchema *schema, bool key, Schema *columns);

    Error *(*encoder_open)(Encoder *encoder); /* NULL: the format cannot be written */
    void (*encoder_close)(Encoder *encoder);
    /* Bytes before the first record of a file (CSV's header). May be NULL. */
    void (*encode_header)(Encoder *encoder, Text *out);
    /* Appends the selected rows as records. with_kinds: a changelog: each record also carries its row kind (field "op"). */
    Error *(*encode)(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out);
    /* Appends one record, without a line end, of row `row` of the columns, which are those of encoder->schema. *none: the row has no record
     * (all columns NULL where the format cannot say so): the message goes without. */
    Error *(*encode_record)(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none);
};

/* What the options say of the registry; NULL: the format (which may be NULL) has none. */
const RegistryOptions *format_registry(const FormatType *format, const void *options);
static inline const RegistryConnection *registry_connection(const FormatType *format, const void *options)
{
    const RegistryOptions *registry = format_registry(format, options);
    return registry ? &registry->connection : NULL;
}
const FormatType *format_find(const char *name); /* by name or alias; NULL */
/* By a file's name: .json .jsonl .ndjson .csv .tsv .txt .log, with .gz or .zst behind; NULL. */
const FormatType *format_for_path(const char *path);
const FormatType *const *formats_all(int *count);
/* `K` INTEGER, `V` ARRAY<STRING>: columns in ksqlDB's words. */
void format_add_columns(Text *text, const Schema *schema);

/* A Schema (types) -> DecodeSpec helpers and encoders read TIMESTAMP text by common/calendar.h and common/timestamp_pattern.h. */

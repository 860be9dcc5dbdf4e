/* formats/avro_internal.h: what the files of Avro share.
 *
 * Bytes are read by the schema of their writer. Columns, and the schema that they were made from (the reader's), say what becomes of them:
 * avro_plan.c works that out once for each writer's schema, avro_read.c does it for each message. */
#pragma once
#include "formats/avro_schema.h"
#include "formats/formats_internal.h"
#include "formats/varint.h"

#define AVRO_BROKEN "the bytes do not follow their schema"

typedef struct AvroPlan AvroPlan;
typedef struct AvroWriter AvroWriter;

/* A field that the writer's schema does not have: the reader's default, as bytes of the reader's schema. */
typedef struct AvroDefault {
    int target;
    const AvroPlan *plan;
    RecordBytes bytes;
} AvroDefault;

/* What becomes of a part of the bytes. */
struct AvroPlan {
    const AvroSchema *schema;     /* the writer's */
    const Type *type;             /* NULL: it is passed over */
    AvroLogical logical;          /* the writer's, or where it has none the reader's */
    int scale;
    const AvroPlan **children;    /* of fields (NULL: passed over), branches, items */
    int *targets;                 /* of fields: the field of the type; of branches that are fields of a STRUCT: that field */
    bool branches_are_fields;     /* a union of several types as a STRUCT */
    const AvroPlan *inner;        /* a type that the reader has a union of several types for: the value is .. */
    int into;                     /* .. that field of the STRUCT */
    const char *const *symbols;   /* of enums: as the reader has them; NULL: it does not know it */
    struct { AvroDefault *items; int count, capacity; } defaults;
    bool mismatch;                /* no value of the schema becomes one of the type */
};

/* reader: NULL, or the schema that the type was made from. NULL: *reason says why there is no plan. */
const AvroPlan *avro_plan_make(Arena *arena, const AvroSchema *writer, const AvroSchema *reader, const Type *type, const char **reason);

/* ---- avro_read.c ---- */

typedef struct AvroReader {
    const char *p, *end;
    Arena *strings, *scratch;     /* reasons and texts that outlive the call; values under way */
    int depth;
} AvroReader;

bool avro_skip(AvroReader *reader, const AvroSchema *schema);
/* NULL or why the bytes are no such value. */
const char *avro_read_value(AvroReader *reader, const AvroPlan *plan, Value *value);

/* A message's fields one after the other, values of simple types straight into columns. */
typedef struct AvroProgram AvroProgram;
/* columns[i]: where field i of the plan's type goes; -1: nowhere. The plan is of a record and a STRUCT. */
AvroProgram *avro_program_make(Arena *arena, const AvroPlan *plan, const int *columns);
const char *avro_program_run(AvroReader *reader, const AvroProgram *program, Vector *const columns[], uint32_t row);
/* NULL: the row is NULL there. */
void avro_store(Arena *arena, Vector *vector, uint32_t row, const Value *value);

/* ---- avro.c ---- */

/* One schema that was met. */
typedef struct KnownSchema {
    int32_t id;                   /* 0: that of bare messages, or of a file */
    const FormatSplit *split;     /* of files: whose it is */
    const AvroSchema *schema;
    const AvroPlan *plan;         /* bare values */
    AvroProgram *program;         /* records; neither: nobody wants anything */
    const char *reason;           /* why there is no schema */
} KnownSchema;

typedef struct AvroDecoder {
    Arena arena, scratch;
    const Type *type;             /* of what is read: a STRUCT of the wanted columns, or the one column's; NULL: nobody wants anything */
    int *places;                  /* of fields of the STRUCT: the column */
    bool bare;
    const AvroSchema *reader;     /* the schema that the columns were made from; NULL: they are the user's own */
    struct { KnownSchema *items; int count, capacity; } known;
    int last;                     /* the one that was met last */
    struct AvroBlock *block;      /* of a file: the one at hand; NULL: none yet */
} AvroDecoder;

/* What becomes of what is written by the schema. */
void avro_learn(AvroDecoder *state, bool use_general, KnownSchema *known);
/* One value by the schema, into the row. */
const char *avro_read_row(const Decoder *decoder, const KnownSchema *known, AvroReader *reader, Vector *const columns[], uint32_t row);
/* The writer of the columns' own schema, whose text is *text; records: also one column is a record. */
Error *avro_own_writer(Arena *arena, const Schema *columns, bool bare, const char **text, AvroWriter **writer);

/* ---- avro_file.c: container files ---- */

size_t avro_cut(const void *options, const char *bytes, size_t length, bool final);
Error *avro_split_open(Arena *arena, const DecodeSpec *spec, const char *bytes, size_t length, FormatSplit **split, size_t *skip);
Error *avro_infer(Arena *arena, const void *options, const char *sample, size_t length, Schema **schema);
Error *avro_decode(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch);
void avro_block_free(struct AvroBlock *block); /* NULL is fine */
void avro_encode_header(Encoder *encoder, Text *out);
Error *avro_encode(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out);

typedef struct AvroEncoder {
    Arena arena;
    int32_t id;
    bool bare, framed;
    AvroWriter *writer;
    const char *schema;           /* its text; of files */
} AvroEncoder;

/* ---- avro_write.c ---- */

/* How columns are written by a schema, whose fields are found by their names; bare: the one column is all of it. NULL: *reason. */
AvroWriter *avro_writer_make(Arena *arena, const AvroSchema *schema, const Schema *columns, bool bare, const char **reason);
/* Appends a row. NULL or why it cannot be written. */
const char *avro_write_row(const AvroWriter *writer, const Vector *const columns[], uint32_t row, Text *out);
/* A default as the schema's bytes; false: it is none of the schema. */
bool avro_write_default(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out);
static inline void avro_add_long(Text *out, int64_t value) { add_varint(out, (uint64_t)value << 1 ^ (uint64_t)(value >> 63)); }

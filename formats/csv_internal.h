/* formats/csv_internal.h: what the files of the CSV decoder share. */
#pragma once
#include "formats/formats.h"

#define CSV_RECORD_LIMIT (64u << 20) /* bytes */

typedef struct CsvOptions {
    char delimiter, quote, escape, comment; /* 0: none */
    bool disable_quotes;
    int header;
    const char *null_text;
    int ragged;
    bool ignore_parse_errors;
    int times;          /* TimeStyle; epoch_ms: DATE and TIME are read as numbers, too */
    int wrap;           /* of messages: there is nothing to wrap */
} CsvOptions;
enum { CSV_HEADER_AUTO, CSV_HEADER_TRUE, CSV_HEADER_FALSE };
enum { CSV_RAGGED_ERROR, CSV_RAGGED_ALLOW };
enum { CSV_WRAP_AUTO, CSV_WRAP_TRUE, CSV_WRAP_FALSE };

/* The characters that make records and cells; 0: none. */
typedef struct CsvDialect {
    char delimiter, quote, escape, comment;
} CsvDialect;
CsvDialect csv_dialect(const CsvOptions *options);
/* The characters must be told apart from each other and from line ends: everything else relies on that. */
Error *csv_check_options(const CsvOptions *options);
/* Whether blocks of bytes can be looked at without their history: no escapes, no comments. */
static inline bool csv_dialect_plain(const CsvDialect *dialect) { return !dialect->escape && !dialect->comment; }

/* What the header says. */
struct FormatSplit {
    int width;   /* cells of a record */
    int *places; /* of each declared column: its cell, -1 none */
};

typedef struct CsvCell {
    const char *bytes;  /* quotes included */
    uint32_t length;
    bool quoted;        /* starts with a quote */
} CsvCell;

typedef enum CsvEnd { CSV_END_LINE, CSV_END_INPUT, CSV_END_OPEN_QUOTE } CsvEnd;

typedef struct CsvRecord {
    CsvCell *cells;
    int count, capacity;  /* count may exceed capacity: further cells are counted, not kept */
    const char *next;     /* the next record */
    const char *stop;     /* where its text ends, before the line's end */
    CsvEnd end;
} CsvRecord;

/* Reads the record at `p`, cell by cell: what a CSV record is, is defined here. A quote means something only where a cell starts. */
void csv_read_record(const CsvDialect *dialect, const char *p, const char *end, CsvRecord *record);
/* The content of a quoted cell; false: text after the closing quote. Copies to the arena only where a quote is doubled or escaped. */
bool csv_cell_content(const CsvDialect *dialect, Arena *arena, const CsvCell *cell, const char **bytes, size_t *length);

/* Separators of a stretch of bytes that starts at a record, found 64 bytes at a time. */
typedef struct CsvIndex {
    uint32_t *separators; /* offsets of delimiters and line ends outside of quotes */
    uint32_t *row_ends;   /* for each line end: 1 + its index among the separators */
    uint32_t separator_count, row_count;
    size_t capacity;      /* bytes of input for which there is room */
    bool ascii;           /* no byte above 0x7F */
    bool odd;             /* stopped before a quote within an unquoted cell: that record needs csv_read_record */
} CsvIndex;
/* Room for `length` bytes; grows `index`. */
void csv_index_reserve(CsvIndex *index, size_t length);
void csv_index_release(CsvIndex *index);
/* Only for plain dialects. Up to 64 bytes after `length` may be read. */
void csv_index_build(const CsvDialect *dialect, const char *bytes, size_t length, CsvIndex *index);
/* Length of the longest prefix that ends at a record's end; 0: none. For any dialect. */
size_t csv_last_record_end(const CsvDialect *dialect, const char *bytes, size_t length);

/* ---- csv_decode.c ---- */
Error *csv_decoder_open(Decoder *decoder);
void csv_decoder_close(Decoder *decoder);
Error *csv_decode(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch);
Error *csv_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures);

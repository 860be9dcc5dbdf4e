/* repl/result_writer.h: rows as text, in one of the output modes. */
#pragma once
#include "common/batch.h"
#include "engine/bidsql.h"

typedef enum OutputMode { OUTPUT_BOX, OUTPUT_TABLE, OUTPUT_CSV, OUTPUT_TSV, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_VERTICAL, OUTPUT_MARKDOWN } OutputMode;

/* False: no such mode. `names`: for messages. */
bool output_mode_find(const char *name, OutputMode *mode);
extern const char *const output_mode_names[]; /* NULL-ended, in the order of the enum */

typedef struct ResultWriter ResultWriter;

/* Writes to `fd`. unicode: box-drawing characters. */
ResultWriter *result_writer_new(OutputMode mode, int fd, bool unicode);
/* Gives everything to `write` instead. */
void result_writer_set_sink(ResultWriter *writer, Error *(*write)(void *caller, const char *bytes, size_t length), void *caller);
/* From the next result on: the kind of change stands before every row of a query that goes on, also where all rows are new. */
void result_writer_show_kinds(ResultWriter *writer, bool always);
/* Frames of the results to come are not wider than so many columns, if wrapping what is long makes them so: of those that do not end, and of those with at most `rows` rows
 * (0: any number; longer ones go where they can be moved sideways). 0 columns: they are as wide as they are. */
void result_writer_fit(ResultWriter *writer, int columns, int rows);
void result_writer_free(ResultWriter *writer);
Error *result_writer_begin(ResultWriter *writer, const ResultInfo *info);
Error *result_writer_rows(ResultWriter *writer, const Batch *batch);
Error *result_writer_end(ResultWriter *writer);
/* Writes out what is buffered. ERR_CLOSED when the reader went away. */
Error *result_writer_flush(ResultWriter *writer);

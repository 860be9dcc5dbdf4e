/* connectors/decompress.h: gzip and zstd streams, in both directions. Private to the room. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "common/error.h"
#include "common/str.h"

typedef enum Compression { COMPRESSION_AUTO, COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD } Compression;

/* By a file's first bytes; short of those, by its name. Never COMPRESSION_AUTO. */
Compression compression_guess(const char *bytes, size_t length, const char *path);
Compression compression_for_path(const char *path); /* .gz, .zst */
const char *compression_extension(Compression compression); /* ".gz", ".zst", "" */

typedef struct Decompressor Decompressor;
Decompressor *decompressor_new(Compression compression);
void decompressor_free(Decompressor *decompressor); /* NULL is fine */
/* Reads from *input (moved on) and writes at most `capacity` bytes. Members and frames may follow each other. ERR_IO for bytes
 * that are damaged. *produced = 0 with *input_length = 0 asks for more input. */
Error *decompressor_run(Decompressor *decompressor, const char **input, size_t *input_length, char *output, size_t capacity, size_t *produced);
/* The input has ended: ERR_IO if it stopped inside a member or a frame. */
Error *decompressor_finish(const Decompressor *decompressor);

typedef struct Compressor Compressor;
Compressor *compressor_new(Compression compression, int level); /* level 0: the library's default */
void compressor_free(Compressor *compressor);
typedef enum CompressorEnd {
    COMPRESSOR_GOES_ON,
    COMPRESSOR_FLUSH,   /* a reader can now read all bytes so far */
    COMPRESSOR_FINISH   /* the member or frame ends here; the next bytes start another one */
} CompressorEnd;
/* Appends the compressed bytes to `out`. */
Error *compressor_run(Compressor *compressor, const char *bytes, size_t length, CompressorEnd end, Text *out);

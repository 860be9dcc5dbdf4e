/* connectors/decompress.c: gzip and zstd streams over zlib and libzstd.
 *
 * A file is any number of gzip members or zstd frames, one behind the other. A file that stops inside one is an error: a
 * truncated download must never look like a short file. Zeros behind the last gzip member are padding, as for gzip itself. */
#include "connectors/decompress.h"

#include <stdint.h>
#include <zlib.h>
#include <zstd.h>

#include "common/memory.h"

struct Decompressor {
    Compression compression;
    bool inside;          /* a member or frame has begun and not ended */
    bool begun;           /* one has begun at all */
    z_stream gzip;
    bool gzip_open;
    ZSTD_DCtx *zstd;
};

/* ---- which one ---- */

static bool ends_with(const char *path, const char *end)
{
    size_t path_length = strlen(path), end_length = strlen(end);
    return path_length >= end_length && name_equal(path + path_length - end_length, end);
}

Compression compression_for_path(const char *path)
{
    if (ends_with(path, ".gz") || ends_with(path, ".gzip"))
        return COMPRESSION_GZIP;
    return ends_with(path, ".zst") || ends_with(path, ".zstd") ? COMPRESSION_ZSTD : COMPRESSION_NONE;
}

Compression compression_guess(const char *bytes, size_t length, const char *path)
{
    if (length < 4)
        return compression_for_path(path);
    if (memcmp(bytes, "\x1f\x8b", 2) == 0)
        return COMPRESSION_GZIP;
    bool skippable = ((uint8_t)bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0;
    return skippable || memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0 ? COMPRESSION_ZSTD : COMPRESSION_NONE;
}

const char *compression_extension(Compression compression)
{
    return compression == COMPRESSION_GZIP ? ".gz" : compression == COMPRESSION_ZSTD ? ".zst" : "";
}

/* ---- decompressing ---- */

Decompressor *decompressor_new(Compression compression)
{
    Decompressor *decompressor = mem_calloc(1, sizeof *decompressor);
    decompressor->compression = compression;
    return decompressor;
}

void decompressor_free(Decompressor *decompressor)
{
    if (!decompressor)
        return;
    if (decompressor->gzip_open)
        inflateEnd(&decompressor->gzip);
    ZSTD_freeDCtx(decompressor->zstd);
    mem_free(decompressor);
}

static Error *gzip_begin(Decompressor *decompressor)
{
    int result = decompressor->gzip_open ? inflateReset(&decompressor->gzip) : inflateInit2(&decompressor->gzip, 15 + 16);
    if (result != Z_OK)
        return error_memory();
    decompressor->gzip_open = decompressor->inside = decompressor->begun = true;
    return NULL;
}

static Error *gzip_run(Decompressor *decompressor, const char **input, size_t *input_length, char *output, size_t capacity, size_t *produced)
{
    while (decompressor->begun && !decompressor->inside && *input_length && **input == 0) {
        ++*input;
        --*input_length;
    }
    if (*input_length == 0 && !decompressor->inside) /* inside, inflate may still hold output */
        return NULL;
    if (!decompressor->inside) {
        if ((uint8_t)**input != 0x1f)
            return error_new(ERR_IO, "%s", decompressor->begun ? "bytes that are no gzip member follow the last one" : "not in gzip format");
        TRY(gzip_begin(decompressor));
    }
    z_stream *stream = &decompressor->gzip;
    uInt given = *input_length > 1u << 30 ? 1u << 30 : (uInt)*input_length;
    uInt room = capacity > 1u << 30 ? 1u << 30 : (uInt)capacity;
    stream->next_in = (Bytef *)(uintptr_t)*input;
    stream->avail_in = given;
    stream->next_out = (Bytef *)output;
    stream->avail_out = room;
    int result = inflate(stream, Z_NO_FLUSH);
    *input += given - stream->avail_in;
    *input_length -= given - stream->avail_in;
    *produced = room - stream->avail_out;
    if (result == Z_STREAM_END)
        decompressor->inside = false;
    else if (result == Z_MEM_ERROR)
        return error_memory();
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return error_new(ERR_IO, "the gzip data is damaged (%s)", stream->msg ? stream->msg : "no reason given");
    return NULL;
}

static Error *zstd_run(Decompressor *decompressor, const char **input, size_t *input_length, char *output, size_t capacity, size_t *produced)
{
    if (!decompressor->zstd && !(decompressor->zstd = ZSTD_createDCtx()))
        return error_memory();
    ZSTD_inBuffer in = { *input, *input_length, 0 };
    ZSTD_outBuffer out = { output, capacity, 0 };
    size_t result = ZSTD_decompressStream(decompressor->zstd, &out, &in);
    if (in.pos)
        decompressor->begun = true;
    *input += in.pos;
    *input_length -= in.pos;
    *produced = out.pos;
    if (ZSTD_isError(result))
        return error_new(ERR_IO, "the zstd data is damaged (%s)", ZSTD_getErrorName(result));
    if (in.pos || out.pos)
        decompressor->inside = result != 0;
    return NULL;
}

Error *decompressor_run(Decompressor *decompressor, const char **input, size_t *input_length, char *output, size_t capacity, size_t *produced)
{
    *produced = 0;
    while (*produced == 0 && capacity) {
        size_t before = *input_length;
        if (decompressor->compression == COMPRESSION_ZSTD)
            TRY(zstd_run(decompressor, input, input_length, output, capacity, produced));
        else
            TRY(gzip_run(decompressor, input, input_length, output, capacity, produced));
        if (*input_length == before && *produced == 0)
            break;
    }
    return NULL;
}

Error *decompressor_finish(const Decompressor *decompressor)
{
    if (decompressor->begun && !decompressor->inside)
        return NULL;
    const char *name = decompressor->compression == COMPRESSION_GZIP ? "gzip" : "zstd";
    return error_new(ERR_IO, "the %s data is truncated: the file ends before its data does", name);
}

/* ---- compressing ---- */

struct Compressor {
    Compression compression;
    int level;
    bool inside;          /* bytes were given since the last end */
    bool any;             /* a member or frame was begun */
    z_stream gzip;
    bool gzip_open;
    ZSTD_CCtx *zstd;
};

Compressor *compressor_new(Compression compression, int level)
{
    Compressor *compressor = mem_calloc(1, sizeof *compressor);
    compressor->compression = compression;
    compressor->level = level;
    return compressor;
}

void compressor_free(Compressor *compressor)
{
    if (!compressor)
        return;
    if (compressor->gzip_open)
        deflateEnd(&compressor->gzip);
    ZSTD_freeCCtx(compressor->zstd);
    mem_free(compressor);
}

#define OUTPUT_STEP 65536

static Error *deflate_run(Compressor *compressor, const char *bytes, size_t length, CompressorEnd end, Text *out)
{
    z_stream *stream = &compressor->gzip;
    if (!compressor->gzip_open) {
        int level = compressor->level == 0 ? Z_DEFAULT_COMPRESSION : compressor->level > 9 ? 9 : compressor->level;
        if (deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            return error_memory();
        compressor->gzip_open = true;
    }
    static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };
    do {
        uInt given = length > 1u << 30 ? 1u << 30 : (uInt)length;
        stream->next_in = (Bytef *)(uintptr_t)bytes;
        stream->avail_in = given;
        int flush = given == length ? flushes[end] : Z_NO_FLUSH;
        do {
            text_reserve(out, OUTPUT_STEP);
            stream->next_out = (Bytef *)out->bytes + out->length;
            stream->avail_out = OUTPUT_STEP;
            deflate(stream, flush); /* its only failure is a wrong call */
            out->length += OUTPUT_STEP - stream->avail_out;
        } while (stream->avail_out == 0);
        bytes += given;
        length -= given;
    } while (length);
    if (end == COMPRESSOR_FINISH)
        deflateReset(stream);
    return NULL;
}

static Error *zstd_compress(Compressor *compressor, const char *bytes, size_t length, CompressorEnd end, Text *out)
{
    if (!compressor->zstd) {
        compressor->zstd = ZSTD_createCCtx();
        if (!compressor->zstd)
            return error_memory();
        if (compressor->level)
            ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel, compressor->level);
        ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_checksumFlag, 1);
    }
    static const ZSTD_EndDirective directives[] = { ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end };
    ZSTD_inBuffer in = { bytes, length, 0 };
    for (;;) {
        text_reserve(out, OUTPUT_STEP);
        ZSTD_outBuffer room = { out->bytes + out->length, OUTPUT_STEP, 0 };
        size_t left = ZSTD_compressStream2(compressor->zstd, &room, &in, directives[end]);
        if (ZSTD_isError(left))
            return error_new(ERR_IO, "zstd cannot compress (%s)", ZSTD_getErrorName(left));
        out->length += room.pos;
        if (end == COMPRESSOR_GOES_ON ? in.pos == in.size : left == 0)
            return NULL;
    }
}

Error *compressor_run(Compressor *compressor, const char *bytes, size_t length, CompressorEnd end, Text *out)
{
    bool first_end = end == COMPRESSOR_FINISH && !compressor->any; /* no bytes at all are no gzip file: nothing is packed, too */
    if (length == 0 && !first_end && (end == COMPRESSOR_GOES_ON || !compressor->inside))
        return NULL;
    compressor->any = true;
    compressor->inside = end != COMPRESSOR_FINISH;
    return compressor->compression == COMPRESSION_ZSTD ? zstd_compress(compressor, bytes, length, end, out)
                                                       : deflate_run(compressor, bytes, length, end, out);
}

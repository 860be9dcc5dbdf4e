/* formats/avro_file.c: Avro's container files: a head with the schema, then blocks of records, each packed by itself.
 *
 *   "Obj" 1, a map of metadata (avro.schema, avro.codec), 16 bytes that end every block
 *   block: how many records, how many bytes, the bytes, the 16 bytes
 * A piece is whole blocks. A block may have more records than a batch: then input->at stands one byte behind the block's first, and the decoder
 * knows where in it the next record is. */
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "formats/avro_internal.h"

#define MAGIC "Obj\1"
#define SYNC 16
#define BLOCK_LIMIT (256u << 20) /* unpacked */

typedef enum Codec { CODEC_NULL, CODEC_DEFLATE, CODEC_ZSTANDARD } Codec;

struct FormatSplit {
    const AvroSchema *schema;
    Codec codec;
    char sync[SYNC];
};

/* The block at hand. */
typedef struct AvroBlock {
    uint64_t position;            /* of its first byte in the split */
    Buffer *unpacked;             /* NULL: the records lie in the input */
    const char *p, *end;
    int64_t left;                 /* records */
    const char *next;             /* behind it, in the input */
} AvroBlock;

/* ---- the head ---- */

static bool read_number(const char **p, const char *end, int64_t *number)
{
    uint64_t zigzag;
    if (!read_varint(p, end, &zigzag))
        return false;
    *number = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
    return true;
}

static bool read_part(const char **p, const char *end, RecordBytes *bytes)
{
    int64_t length;
    if (!read_number(p, end, &length) || length < 0 || length > end - *p)
        return false;
    *bytes = (RecordBytes){ *p, (size_t)length };
    *p += length;
    return true;
}

static bool is_name(const RecordBytes *bytes, const char *name) { return bytes->length == strlen(name) && memcmp(bytes->bytes, name, bytes->length) == 0; }

typedef struct Head {
    RecordBytes schema, codec;
    const char *sync;             /* the blocks follow it */
} Head;

/* False: it does not end here, or is none. */
static bool read_head(const char *bytes, size_t length, Head *head)
{
    const char *p = bytes + 4, *end = bytes + length;
    *head = (Head){ 0 };
    if (length < 4 || memcmp(bytes, MAGIC, 4) != 0)
        return false;
    for (int64_t count = 1, size; count;) {
        if (!read_number(&p, end, &count) || count == INT64_MIN || (count < 0 && !read_number(&p, end, &size)))
            return false;
        count = count < 0 ? -count : count;
        for (int64_t i = 0; i < count; i++) {
            RecordBytes key, value;
            if (!read_part(&p, end, &key) || !read_part(&p, end, &value))
                return false;
            if (is_name(&key, "avro.schema"))
                head->schema = value;
            else if (is_name(&key, "avro.codec"))
                head->codec = value;
        }
    }
    head->sync = p;
    return end - p >= SYNC;
}

/* The block at p: its records and bytes, and what follows; false: it does not end here. */
static bool read_block(const char *p, const char *end, int64_t *count, RecordBytes *bytes, const char **next)
{
    if (!read_number(&p, end, count) || !read_part(&p, end, bytes) || end - p < SYNC)
        return false;
    *next = p + SYNC;
    return *count >= 0;
}

size_t avro_cut(const void *options, const char *bytes, size_t length, bool final)
{
    (void)options;
    const char *p = bytes, *end = bytes + length, *next;
    Head head;
    RecordBytes block;
    if (final)
        return length;
    if (length >= 4 && memcmp(bytes, MAGIC, 4) == 0) { /* no block begins so */
        if (!read_head(bytes, length, &head))
            return 0;
        p = head.sync + SYNC;
    }
    for (int64_t count; p < end && read_block(p, end, &count, &block, &next);)
        p = next;
    return (size_t)(p - bytes);
}

static Error *codec_of(const Head *head, Codec *codec)
{
    static const char *const names[] = { "null", "deflate", "zstandard" };
    *codec = CODEC_NULL;
    for (int i = 0; i < 3; i++)
        if (is_name(&head->codec, names[i])) {
            *codec = (Codec)i;
            return NULL;
        }
    return head->codec.length ? error_new(ERR_UNSUPPORTED, "Avro's codec '%.*s' is not read: null, deflate and zstandard are", (int)(head->codec.length < 40 ? head->codec.length : 40), head->codec.bytes) : NULL;
}

static Error *read_schema(Arena *arena, const Head *head, const AvroSchema **schema)
{
    const char *reason = NULL;
    *schema = avro_schema_parse(arena, arena_strndup(arena, head->schema.bytes ? head->schema.bytes : "", head->schema.length), &reason);
    return *schema ? NULL : error_new(ERR_BIND, "the file's Avro schema cannot be read: %s", reason);
}

Error *avro_split_open(Arena *arena, const DecodeSpec *spec, const char *bytes, size_t length, FormatSplit **split, size_t *skip)
{
    (void)spec;
    Head head;
    *split = NULL;
    *skip = 0;
    if (length == 0)
        return NULL;
    if (!read_head(bytes, length, &head))
        return error_new(ERR_BIND, "this is no container file of Avro: it does not begin with 'Obj' and a schema");
    FormatSplit *made = ARENA_NEW(arena, FormatSplit);
    TRY(codec_of(&head, &made->codec));
    TRY(read_schema(arena, &head, &made->schema));
    memcpy(made->sync, head.sync, SYNC);
    *split = made;
    *skip = (size_t)(head.sync + SYNC - bytes);
    return NULL;
}

Error *avro_infer(Arena *arena, const void *options, const char *sample, size_t length, Schema **schema)
{
    (void)options;
    Head head;
    const AvroSchema *read = NULL;
    const char *reason = NULL;
    if (!read_head(sample, length, &head))
        return error_new(ERR_BIND, "this is no container file of Avro: it does not begin with 'Obj' and a schema");
    TRY(read_schema(arena, &head, &read));
    const Type *type = avro_type(arena, read, &reason);
    if (!type || type->kind != TYPE_STRUCT)
        return error_new(ERR_BIND, "the file's Avro schema gives no columns: %s", type ? "it is no record" : reason);
    Schema *made = *schema = ARENA_NEW(arena, Schema);
    made->column_count = type->child_count;
    made->columns = ARENA_ARRAY(arena, Column, (size_t)type->child_count + 1);
    for (int i = 0; i < type->child_count; i++)
        made->columns[i] = (Column){ .name = type->names[i], .type = type->children[i] };
    return NULL;
}

/* ---- unpacking ---- */

static void release_unpacked(AvroBlock *block)
{
    buffer_release(block->unpacked);
    block->unpacked = NULL;
}

void avro_block_free(AvroBlock *block)
{
    if (block)
        release_unpacked(block);
    mem_free(block);
}

/* Deflate says nothing of the size: room grows until it is enough. NULL: broken. */
static Buffer *inflate_block(const RecordBytes *packed, size_t *length)
{
    for (size_t room = packed->length * 4 + 1024; room <= BLOCK_LIMIT; room *= 4) {
        Buffer *buffer = buffer_new(room);
        z_stream stream = { .next_in = (Bytef *)packed->bytes, .avail_in = (uInt)packed->length, .next_out = (Bytef *)buffer->bytes, .avail_out = (uInt)room };
        int code = inflateInit2(&stream, -MAX_WBITS);
        if (code == Z_OK)
            code = inflate(&stream, Z_FINISH);
        *length = room - stream.avail_out;
        inflateEnd(&stream);
        if (code == Z_STREAM_END)
            return buffer;
        buffer_release(buffer);
        if (code != Z_BUF_ERROR && code != Z_OK)
            return NULL;
    }
    return NULL;
}

static Buffer *unzstd_block(const RecordBytes *packed, size_t *length)
{
    for (size_t room = packed->length * 4 + 1024; room <= BLOCK_LIMIT; room *= 4) {
        Buffer *buffer = buffer_new(room);
        *length = ZSTD_decompress((char *)buffer->bytes, room, packed->bytes, packed->length);
        if (!ZSTD_isError(*length))
            return buffer;
        buffer_release(buffer);
    }
    return NULL;
}

/* The block at p; NULL or why it is none. */
static const char *open_block(const FormatSplit *split, const char *p, const char *end, AvroBlock *block)
{
    RecordBytes bytes;
    release_unpacked(block);
    block->left = 0;
    block->next = end;
    if (!read_block(p, end, &block->left, &bytes, &block->next)) {
        block->left = 0;
        block->next = end;
        return "a block that does not end";
    }
    if (memcmp(block->next - SYNC, split->sync, SYNC) != 0) {
        block->left = 0;
        block->next = end; /* nobody knows where the next one begins */
        return "a block does not end as the file says";
    }
    size_t length = bytes.length;
    if (split->codec != CODEC_NULL)
        block->unpacked = split->codec == CODEC_DEFLATE ? inflate_block(&bytes, &length) : unzstd_block(&bytes, &length);
    if (split->codec != CODEC_NULL && !block->unpacked) {
        block->left = 0;
        return "a block cannot be unpacked";
    }
    block->p = block->unpacked ? block->unpacked->bytes : bytes.bytes;
    block->end = block->p + length;
    if (block->left <= (int64_t)length)
        return NULL;
    block->left = 0;
    return "a block of more records than bytes";
}

/* ---- reading ---- */

static Error *find_known(Decoder *decoder, const FormatSplit *split, KnownSchema **found)
{
    AvroDecoder *state = decoder->state;
    for (int i = 0; i < state->known.count; i++)
        if (state->known.items[i].split == split) {
            *found = &state->known.items[i];
            return NULL;
        }
    KnownSchema known = { .split = split, .schema = split->schema };
    avro_learn(state, decoder->spec->use_general, &known);
    LIST_ADD(&state->arena, &state->known, known);
    *found = &state->known.items[state->known.count - 1];
    return (*found)->reason ? error_new(ERR_BIND, "%s", (*found)->reason) : NULL;
}

typedef struct Run {
    Decoder *decoder;
    DecodeInput *input;
    Batch *batch;
    AvroBlock *block;
    const KnownSchema *known;
    LineCounter lines;            /* files of Avro have none */
} Run;

static void add_bad(Run *run, const char *reason)
{
    bad_row_add(run->input, &run->lines, run->batch, run->batch->row_count, run->input->bytes + (run->block->position - run->input->position), 0, NULL, reason);
}

/* The next record of the block. One whose value does not fit is stepped over; where bytes are broken the rest of the block is lost. */
static void read_record(Run *run)
{
    AvroDecoder *state = run->decoder->state;
    AvroBlock *block = run->block;
    Batch *batch = run->batch;
    AvroReader reader = { block->p, block->end, &batch->arena, &state->scratch, 0 };
    const char *reason = avro_read_row(run->decoder, run->known, &reader, batch->columns, batch->row_count);
    if (reason) {
        AvroReader again = { block->p, block->end, &batch->arena, &state->scratch, 0 };
        bool whole = avro_skip(&again, run->known->schema);
        row_forget_nulls(batch->columns, run->decoder->spec->column_count, batch->row_count);
        add_bad(run, reason);
        block->p = again.p;
        block->left = whole ? block->left - 1 : 0;
    } else {
        origins_note(run->decoder->spec, run->input, &run->lines, batch, batch->row_count, run->input->bytes + (block->position - run->input->position), 0);
        batch->row_count++;
        block->p = reader.p;
        block->left--;
    }
    if (state->scratch.blocks)
        arena_reset(&state->scratch);
}

Error *avro_decode(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch)
{
    AvroDecoder *state = decoder->state;
    const char *end = input->bytes + input->length;
    KnownSchema *known = NULL;
    if (!state->block)
        state->block = mem_calloc(1, sizeof *state->block);
    AvroBlock *block = state->block;
    if (!input->split)
        return error_new(ERR_INTERNAL, "a file of Avro without a head");
    TRY(find_known(decoder, input->split, &known));
    Run run = { decoder, input, batch, block, known, { 0 } };
    line_counter_start(&run.lines, input);
    origins_start(decoder->spec, batch, max_rows);
    if (input->buffer)
        batch_hold_buffer(batch, input->buffer);
    bool inside = input->at > 0 && block->left > 0 && block->position + 1 == input->position + input->at;
    const char *p = input->bytes + input->at;
    while (batch->row_count < max_rows && (inside || p < end)) {
        if (!inside) {
            block->position = input->position + (uint64_t)(p - input->bytes);
            const char *reason = open_block(input->split, p, end, block);
            if (reason)
                add_bad(&run, reason);
        }
        if (block->unpacked)
            batch_hold_buffer(batch, block->unpacked);
        while (block->left > 0 && batch->row_count < max_rows)
            read_record(&run);
        inside = false;
        if (block->left > 0) { /* the batch is full */
            input->at = (size_t)(block->position - input->position) + 1;
            batch->selection = (Selection){ batch->row_count, NULL };
            return NULL;
        }
        p = block->next;
    }
    input->at = (size_t)(p - input->bytes);
    batch->selection = (Selection){ batch->row_count, NULL };
    return NULL;
}

/* ---- writing ---- */

/* The same schema ends blocks in the same way, so that a file can be continued. */
static void make_sync(const char *schema, char sync[SYNC])
{
    uint64_t hash[2] = { UINT64_C(0xCBF29CE484222325), UINT64_C(0x9E3779B97F4A7C15) };
    for (const char *p = schema; *p; p++)
        for (int i = 0; i < 2; i++)
            hash[i] = (hash[i] ^ (unsigned char)*p) * UINT64_C(0x100000001B3);
    memcpy(sync, hash, SYNC);
}

static void add_text(Text *out, const char *text)
{
    avro_add_long(out, (int64_t)strlen(text));
    text_add_c(out, text);
}

void avro_encode_header(Encoder *encoder, Text *out)
{
    const AvroEncoder *state = encoder->state;
    char sync[SYNC];
    text_add(out, MAGIC, 4);
    avro_add_long(out, 2);
    add_text(out, "avro.schema");
    add_text(out, state->schema);
    add_text(out, "avro.codec");
    add_text(out, "null");
    avro_add_long(out, 0);
    make_sync(state->schema, sync);
    text_add(out, sync, SYNC);
}

Error *avro_encode(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out)
{
    AvroEncoder *state = encoder->state;
    char sync[SYNC];
    Text rows = { 0 };
    MEMORY_HOLD(text_unwind, &rows);
    const char *reason = with_kinds ? "files of Avro have no place for the kinds of changes" : NULL;
    for (uint32_t i = 0; i < batch->selection.count && !reason; i++)
        reason = avro_write_row(state->writer, (const Vector *const *)batch->columns, selection_row(&batch->selection, i), &rows);
    if (!reason && batch->selection.count) {
        avro_add_long(out, batch->selection.count);
        avro_add_long(out, (int64_t)rows.length);
        text_add(out, text_c(&rows), rows.length);
        make_sync(state->schema, sync);
        text_add(out, sync, SYNC);
    }
    text_release(&rows);
    return reason ? error_new(ERR_IO, "a row cannot be written by its Avro schema: %s", reason) : NULL;
}

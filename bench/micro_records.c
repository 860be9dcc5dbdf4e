/* bench/micro_records.c: ns per message of the decoders: the same rows as JSON and as Avro, all columns and three of eight.
 *
 * cc -O3 -I. bench/micro_records.c build/formats.a build/common.a ..; micro_records [messages in thousands] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/formats.h"

enum { ROWS = 2048, ROUNDS = 5 };

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static const char *const names[] = { "auction", "bidder", "price", "channel", "url", "dateTime", "open", "score" };
enum { COLUMNS = sizeof names / sizeof *names };

static const Type *type_of(int column)
{
    static const TypeKind kinds[] = { TYPE_BIGINT, TYPE_BIGINT, TYPE_BIGINT, TYPE_VARCHAR, TYPE_VARCHAR, TYPE_TIMESTAMP, TYPE_BOOLEAN, TYPE_DOUBLE };
    return type_scalar(kinds[column]);
}

static void fail(Error *error)
{
    if (!error)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

/* The rows, about 200 bytes each as JSON. */
static void make_rows(Arena *arena, Vector *columns[])
{
    static const char *const channels[] = { "Google", "Facebook", "Baidu", "channel-4711" };
    for (int c = 0; c < COLUMNS; c++)
        columns[c] = vector_new(arena, type_of(c), ROWS);
    for (uint32_t row = 0; row < ROWS; row++) {
        uint64_t z = (row + 1) * 0x9E3779B97F4A7C15ull;
        ((int64_t *)columns[0]->values)[row] = (int64_t)(1000 + z % 5000);
        ((int64_t *)columns[1]->values)[row] = (int64_t)(1000 + z / 7 % 100000);
        ((int64_t *)columns[2]->values)[row] = (int64_t)(z / 3 % 100000000);
        ((Str *)columns[3]->values)[row] = str_c(channels[z % 4]);
        ((Str *)columns[4]->values)[row] = str_c(arena_printf(arena, "https://www.nexmark.com/%08llx/item.htm?query=1&channel_id=%llu", (unsigned long long)(z >> 32), (unsigned long long)(z % 1000)));
        ((int64_t *)columns[5]->values)[row] = INT64_C(1767323045000000) + row * 1000;
        ((uint8_t *)columns[6]->values)[row] = z >> 60 & 1;
        ((double *)columns[7]->values)[row] = (double)(z % 1000) / 8;
    }
}

static void *options_of(Arena *arena, const FormatType *format)
{
    void *options = arena_calloc(arena, 1, format->options_size + 1);
    OptionTarget target = { format->options, options, NULL };
    options_defaults(arena, &target);
    return options;
}

static size_t encode(Arena *arena, const FormatType *format, SchemaRegistry *registry, Vector *const columns[], RecordBytes records[])
{
    Schema schema = { COLUMNS, ARENA_ARRAY(arena, Column, COLUMNS) };
    for (int c = 0; c < COLUMNS; c++)
        schema.columns[c] = (Column){ .name = names[c], .type = type_of(c) };
    Encoder encoder = { .type = format, .schema = &schema, .options = options_of(arena, format), .registry = registry, .topic = "bids" };
    size_t total = 0;
    fail(format->encoder_open(&encoder));
    for (uint32_t row = 0; row < ROWS; row++) {
        Text out = { 0 };
        bool none;
        fail(format->encode_record(&encoder, (const Vector *const *)columns, row, &out, &none));
        records[row] = (RecordBytes){ arena_copy(arena, text_c(&out), out.length + 1), out.length };
        total += out.length;
        text_release(&out);
    }
    format->encoder_close(&encoder);
    return total / ROWS;
}

static double decode(const FormatType *format, SchemaRegistry *registry, const RecordBytes records[], const int wanted[], int count, int64_t messages)
{
    Arena fixed, batch;
    arena_init(&fixed, NULL);
    arena_init(&batch, NULL);
    DecodeColumn *columns = ARENA_ARRAY(&fixed, DecodeColumn, COLUMNS);
    for (int i = 0; i < count; i++)
        columns[i] = (DecodeColumn){ .path = &names[wanted[i]], .path_length = 1, .field_index = wanted[i], .type = type_of(wanted[i]) };
    DecodeSpec spec = { .columns = columns, .column_count = count, .declared_count = COLUMNS, .declared_names = names, .options = options_of(&fixed, format), .registry = registry };
    Decoder decoder = { .type = format, .spec = &spec };
    fail(format->decoder_open(&decoder));
    double best = 1e300;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (int64_t done = 0; done < messages; done += ROWS) {
            Vector *vectors[COLUMNS];
            RecordFailures failures = { 0 };
            for (int i = 0; i < count; i++)
                vectors[i] = vector_new(&batch, columns[i].type, ROWS);
            fail(format->decode_records(&decoder, records, ROWS, &batch, vectors, &failures));
            if (failures.count)
                fail(error_new(ERR_INTERNAL, "%s", failures.items[0].reason));
            arena_reset(&batch);
        }
        double ns = (now_ns() - start) / (double)messages;
        best = ns < best ? ns : best;
    }
    format->decoder_close(&decoder);
    arena_release(&batch);
    arena_release(&fixed);
    return best;
}

int main(int count, char **arguments)
{
    int64_t messages = (count > 1 ? atoll(arguments[1]) : 1000) * 1000;
    static const int all[] = { 0, 1, 2, 3, 4, 5, 6, 7 }, three[] = { 0, 2, 5 };
    static const char *const formats[] = { "json", "avro", "protobuf", "json_sr" };
    Arena arena;
    arena_init(&arena, NULL);
    SchemaRegistry *registry = schema_registry_in_process();
    Vector *columns[COLUMNS];
    make_rows(&arena, columns);
    printf("%-10s %8s %14s %14s\n", "format", "bytes", "8 columns, ns", "3 columns, ns");
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        const FormatType *format = format_find(formats[f]);
        RecordBytes *records = ARENA_ARRAY(&arena, RecordBytes, ROWS);
        size_t bytes = encode(&arena, format, registry, columns, records);
        double whole = decode(format, registry, records, all, COLUMNS, messages), part = decode(format, registry, records, three, 3, messages);
        printf("%-10s %8zu %14.1f %14.1f\n", format->name, bytes, whole, part);
    }
    registry->free(registry);
    arena_release(&arena);
    return 0;
}

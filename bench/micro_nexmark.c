/* bench/micro_nexmark.c: what one Nexmark event costs, by wanted columns.
 *
 *   gcc -O2 -D_GNU_SOURCE -std=gnu11 -I. bench/micro_nexmark.c build/connectors.a build/common.a -lsqlite3 -lz -lzstd -lm -lpthread -lxxhash */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "connectors/connectors.h"

#define COLUMNS_MAX 8

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static const Type *type_at(const Schema *schema, const char *const *path, int length)
{
    const Type *type = schema->columns[schema_find(schema, path[0])].type;
    return length == 2 ? type->children[type_field(type, path[1])] : type;
}

static void run(const char *title, const char *const paths[][2], int count, int64_t rows)
{
    Arena arena;
    arena_init(&arena, NULL);
    const ConnectorType *connector = connector_find("nexmark");
    void *options = arena_calloc(&arena, 1, connector->options_size);
    options_defaults(&arena, &(OptionTarget){ connector->options, options, NULL });
    ConnectorContext context = { .filesystem = filesystem_system(), .clock = clock_system() };
    Schema *schema;
    error_free(connector->source->schema(&arena, &context, options, &schema));
    SourceColumn columns[COLUMNS_MAX];
    Schema wanted = { count, ARENA_ARRAY(&arena, Column, (size_t)count) };
    for (int i = 0; i < count; i++) {
        int length = paths[i][1] ? 2 : 1;
        columns[i] = (SourceColumn){ paths[i], length, type_at(schema, paths[i], length) };
        wanted.columns[i] = (Column){ .name = paths[i][length - 1], .type = columns[i].type };
    }
    SourceSpec spec = { connector, options, columns, count };
    Source source = { .spec = &spec, .context = &context };
    Error *error = connector->source->open(&source);
    if (error)
        printf("%s\n", error->message);
    double best = 1e9, best_bare = 1e9;
    for (int round = 0; round < 5 && !error; round++) {
        double start = seconds();
        for (int64_t done = 0; done < rows; done += BATCH_ROWS) {
            Batch *batch = batch_for_schema(NULL, &wanted, BATCH_ROWS);
            RowRange range = { .first = (uint64_t)done, .count = BATCH_ROWS };
            error_free(connector->source->produce(&source, 0, &range, 0, BATCH_ROWS, batch));
            batch_release(batch);
        }
        double middle = seconds();
        for (int64_t done = 0; done < rows; done += BATCH_ROWS)
            batch_release(batch_for_schema(NULL, &wanted, BATCH_ROWS));
        double end = seconds();
        best = middle - start < best ? middle - start : best;
        best_bare = end - middle < best_bare ? end - middle : best_bare;
    }
    printf("%-46s %6.2f ns/event (%.2f of it an empty batch)\n", title, best / (double)rows * 1e9, best_bare / (double)rows * 1e9);
    connector->source->close(&source);
    arena_release(&arena);
}

int main(void)
{
    static const char *const four[][2] = { { "event_type" }, { "bid", "auction" }, { "bid", "bidder" }, { "dateTime" } };
    static const char *const type[][2] = { { "event_type" } };
    static const char *const time_only[][2] = { { "dateTime" } };
    static const char *const auction[][2] = { { "bid", "auction" } };
    static const char *const price[][2] = { { "bid", "price" } };
    static const char *const url[][2] = { { "bid", "channel" }, { "bid", "url" } };
    static const char *const all[][2] = { { "bid", "auction" }, { "bid", "bidder" }, { "bid", "price" }, { "bid", "channel" },
                                          { "bid", "url" }, { "bid", "dateTime" }, { "bid", "extra" } };
    static const char *const records[][2] = { { "event_type" }, { "person" }, { "auction" }, { "bid" }, { "dateTime" } };
    run("event_type, bid.auction, bid.bidder, dateTime", four, 4, 40000000);
    run("event_type", type, 1, 40000000);
    run("dateTime", time_only, 1, 40000000);
    run("bid.auction", auction, 1, 40000000);
    run("bid.price", price, 1, 20000000);
    run("bid.channel, bid.url", url, 2, 20000000);
    run("all of bid", all, 7, 20000000);
    run("everything", records, 5, 5000000);
    return 0;
}

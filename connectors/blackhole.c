/* connectors/blackhole.c: the sink that takes everything and keeps nothing: for measuring. */
#include "connectors/connectors_internal.h"

typedef struct BlackholeOptions {
    char unused;
} BlackholeOptions;

typedef struct BlackholeState {
    uint64_t rows;
} BlackholeState;

static Error *blackhole_open(Sink *sink)
{
    sink->state = mem_calloc(1, sizeof(BlackholeState));
    return NULL;
}

static Error *blackhole_write(Sink *sink, const Batch *batch)
{
    ((BlackholeState *)sink->state)->rows += batch->selection.count;
    return NULL;
}

static Error *blackhole_snapshot(Sink *sink, Text *text)
{
    text_printf(text, "%llu", (unsigned long long)blackhole_rows(sink));
    return NULL;
}

static Error *blackhole_restore(Sink *sink, const char *bytes, size_t length)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < length; i++)
        rows = rows * 10 + (uint64_t)(bytes[i] - '0');
    ((BlackholeState *)sink->state)->rows = rows;
    return NULL;
}

static Error *blackhole_close(Sink *sink, bool commit)
{
    (void)commit;
    mem_free(sink->state);
    sink->state = NULL;
    return NULL;
}

uint64_t blackhole_rows(const Sink *sink) { return ((const BlackholeState *)sink->state)->rows; }

static const SinkType blackhole_sink = {
    .row_sink = true,
    .takes_updates = true,
    .open = blackhole_open,
    .write_batch = blackhole_write,
    .snapshot = blackhole_snapshot,
    .restore = blackhole_restore,
    .close = blackhole_close,
};

static const OptionSpec blackhole_options[] = { { 0 } };

const ConnectorType blackhole_connector = {
    .name = "blackhole",
    .doc = "Takes rows and keeps nothing.",
    .options = blackhole_options,
    .options_size = sizeof(BlackholeOptions),
    .sink = &blackhole_sink,
};

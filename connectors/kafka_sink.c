/* connectors/kafka_sink.c: a broker's topic as a sink. */
#include "connectors/kafka_internal.h"

static Error *sink_open(Sink *sink)
{
    const KafkaOptions *options = sink->spec->options;
    return error_new(ERR_UNSUPPORTED, "cannot write the topic '%s': topics of a broker are read only", options->topic);
}

static Error *sink_close(Sink *sink, bool commit)
{
    (void)sink, (void)commit;
    return NULL;
}

const SinkType kafka_broker_sink = { .record_sink = true, .takes_updates = true, .needs_key = true, .open = sink_open, .close = sink_close };

/* engine/replay.c: letters of a topic of dead letters are sent on, to another topic than the one they came from.
 *
 * What they were told in "bq.error.*" goes, but for the number of attempts: a letter that fails again is counted on (exec/dead_letters.c). */
#include "engine/session_internal.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/topics.h"
#include "engine/waiter.h"

#define DRAW_ROWS 1000
#define ERROR_HEADER "bq.error."

typedef struct Replay {
    Session *session;
    const ReplayOptions *options;
    ReplayResult *result;
    ConnectorContext context;
    Waiter waiter;
    Arena arena;              /* of the whole */
    Arena page;               /* of the messages at hand */
    Source source;
    Sink sink;
    SourceSpec source_spec;
    SinkSpec sink_spec;
    bool source_open, sink_open;
    TopicOffset *offsets;     /* by split */
} Replay;

/* ---- which letters ---- */

static const RecordHeader *error_header(const Record *record, const char *name)
{
    for (int i = record->header_count - 1; i >= 0; i--)
        if (strncmp(record->headers[i].key, ERROR_HEADER, strlen(ERROR_HEADER)) == 0 && strcmp(record->headers[i].key + strlen(ERROR_HEADER), name) == 0)
            return &record->headers[i];
    return NULL;
}

static bool passes(const Record *record, const ReplayFilter *filter)
{
    const RecordHeader *header = error_header(record, filter->name);
    const size_t length = strlen(filter->value);
    if (!header || !header->value)
        return false;
    if (filter->contains)
        return memmem(header->value, header->value_length, filter->value, length) != NULL;
    return header->value_length == length && memcmp(header->value, filter->value, length) == 0;
}

static int64_t attempts_of(Arena *arena, const Record *record)
{
    const RecordHeader *header = error_header(record, "attempt");
    return header && header->value ? strtoll(arena_strndup(arena, header->value, header->value_length), NULL, 10) : 0;
}

static bool is_wanted(Replay *replay, const Record *record)
{
    const ReplayOptions *options = replay->options;
    for (int i = 0; i < options->filter_count; i++)
        if (!passes(record, &options->filters[i]))
            return false;
    return !options->max_attempts || attempts_of(&replay->page, record) <= options->max_attempts;
}

/* Never back to where it came from: it would fail there again, and what it was then would be there twice. */
static Error *check_target(const Replay *replay, const Record *record)
{
    const RecordHeader *topic = error_header(record, "topic");
    const char *to = replay->options->to;
    if (!topic || !topic->value || topic->value_length != strlen(to) || memcmp(topic->value, to, topic->value_length) != 0)
        return NULL;
    return error_hint(error_new(ERR_USAGE, "the letters of '%s' come from '%s': they are not sent back to it", replay->options->from, to),
                      "name a topic for what is tried again, and let a query read both");
}

/* ---- sending them on ---- */

static Record as_it_was(Replay *replay, const Record *letter)
{
    Record record = *letter;
    RecordHeader *headers = ARENA_ARRAY(&replay->page, RecordHeader, (size_t)letter->header_count + 1);
    record.headers = headers;
    record.header_count = 0;
    for (int i = 0; i < letter->header_count; i++) {
        const char *key = letter->headers[i].key;
        const bool said = strncmp(key, ERROR_HEADER, strlen(ERROR_HEADER)) == 0 && strcmp(key + strlen(ERROR_HEADER), "attempt") != 0;
        if (!said)
            headers[record.header_count++] = letter->headers[i];
    }
    return record;
}

/* error_busy() becomes waiting. */
static Error *wait_if_busy(Replay *replay, Error *error)
{
    if (!error || error->code != ERR_BUSY)
        return error;
    if (replay->session->interrupted)
        return error_new(ERR_INTERRUPTED, "interrupted");
    waiter_rest(&replay->waiter);
    return NULL;
}

static Error *send_records(Replay *replay, const Record *records, uint32_t count)
{
    for (uint32_t sent = 0; sent < count && !replay->options->dry_run;) {
        replay->sink.taken = 0;
        Error *error = replay->sink_spec.connector->sink->write_records(&replay->sink, records + sent, count - sent);
        sent = error ? sent + replay->sink.taken : count;
        TRY(wait_if_busy(replay, error));
    }
    replay->result->replayed += count;
    return NULL;
}

static Error *flush(Replay *replay)
{
    for (Error *error = error_busy(); error && !replay->options->dry_run;) {
        error = replay->sink_spec.connector->sink->flush(&replay->sink);
        const bool busy = error && error->code == ERR_BUSY;
        TRY(wait_if_busy(replay, error));
        error = busy ? error : NULL;
    }
    return NULL;
}

static bool is_enough(const Replay *replay)
{
    return replay->options->limit >= 0 && replay->result->replayed >= (uint64_t)replay->options->limit;
}

static Error *replay_page(Replay *replay, const RecordSet *set, TopicOffset *offset)
{
    Record *records = ARENA_ARRAY(&replay->page, Record, (size_t)set->count + 1);
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const Record *letter = &set->records[i];
        if (replay->options->limit >= 0 && replay->result->replayed + wanted >= (uint64_t)replay->options->limit)
            break;
        offset->offset = letter->offset + 1;
        if (!is_wanted(replay, letter)) {
            replay->result->left++;
            continue;
        }
        TRY(check_target(replay, letter));
        records[wanted++] = as_it_was(replay, letter);
    }
    return send_records(replay, records, wanted);
}

/* ---- reading ---- */

static Error *draw(Replay *replay, int split, bool *ended, bool *drawn)
{
    RowRange range;
    Clock *clock = replay->session->options.clock;
    TRY(replay->source_spec.connector->source->next_rows(&replay->source, split, DRAW_ROWS, clock->now_us(clock), &range));
    const RecordSet *set = range.page;
    Error *error = NULL;
    if (set && range.count) {
        replay->offsets[split].topic = arena_strdup(&replay->arena, set->topic);
        replay->offsets[split].partition = set->partition;
        error = replay_page(replay, set, &replay->offsets[split]);
    }
    if (range.page && range.page_free)
        range.page_free(range.page);
    arena_release(&replay->page);
    arena_init(&replay->page, NULL);
    *ended = range.end;
    *drawn |= range.count > 0;
    return error;
}

static Error *replay_all(Replay *replay)
{
    const int count = replay->source.split_count;
    bool *ended = ARENA_ARRAY(&replay->arena, bool, (size_t)count + 1);
    replay->offsets = ARENA_ARRAY(&replay->arena, TopicOffset, (size_t)count + 1);
    for (int open = count; open > 0 && !is_enough(replay);) {
        bool drawn = false;
        open = 0;
        for (int split = 0; split < count && !is_enough(replay); split++) {
            if (!ended[split])
                TRY(draw(replay, split, &ended[split], &drawn));
            open += !ended[split];
        }
        if (replay->session->interrupted)
            return error_new(ERR_INTERRUPTED, "interrupted");
        if (open && !drawn)
            waiter_rest(&replay->waiter);
    }
    return flush(replay);
}

/* What was sent on is delivered: the group need not see it again. */
static Error *remember(Replay *replay)
{
    int known = 0;
    for (int i = 0; i < replay->source.split_count; i++)
        if (replay->offsets[i].topic)
            replay->offsets[known++] = replay->offsets[i];
    if (!replay->options->group || replay->options->dry_run)
        return NULL;
    return topic_commit(&replay->context, replay->source_spec.options, replay->offsets, known);
}

/* ---- from one topic to the other ---- */

static Error *open_both(Replay *replay)
{
    const ReplayOptions *options = replay->options;
    Planner *planner = replay->session->planner;
    const bool group = options->group != NULL;
    const OptionEntry from[] = { { .name = "topic", .value = options->from }, { .name = "scan.bounded.mode", .value = "latest-offset" },
                                 { .name = "scan.startup.mode", .value = group ? "group-offsets" : "earliest-offset" },
                                 { .name = "properties.auto.offset.reset", .value = "earliest" }, { .name = "properties.group.id", .value = options->group } };
    const OptionEntry to[] = { { .name = "topic", .value = options->to } };
    replay->source_spec.connector = replay->sink_spec.connector = connector_find("kafka");
    replay->source_spec.wants_headers = true;
    TRY(planner_topic_options(planner, &replay->arena, from, group ? 5 : 4, &replay->source_spec.options));
    TRY(planner_topic_options(planner, &replay->arena, to, 1, &replay->sink_spec.options));
    TopicDescription topic;
    bool found;
    TRY(topic_describe(&replay->arena, &replay->context, replay->source_spec.options, options->from, &topic, &found));
    if (!found)
        return error_new(ERR_CONNECT, "there is no topic '%s'", options->from);
    replay->sink_spec.like = replay->source_spec.options;
    replay->source = (Source){ .spec = &replay->source_spec, .context = &replay->context };
    replay->sink = (Sink){ .spec = &replay->sink_spec, .context = &replay->context };
    replay->source_open = true; /* close is due also after a failed open */
    TRY(replay->source_spec.connector->source->open(&replay->source));
    replay->sink_open = !options->dry_run;
    return options->dry_run ? NULL : replay->sink_spec.connector->sink->open(&replay->sink);
}

static Error *run(Replay *replay)
{
    TRY(open_both(replay));
    TRY(replay_all(replay));
    return remember(replay);
}

Error *session_replay(Session *session, const ReplayOptions *options, ReplayResult *result)
{
    Replay replay = { .session = session, .options = options, .result = result, .context = session->connectors };
    *result = (ReplayResult){ 0 };
    if (strcmp(options->from, options->to) == 0)
        return error_new(ERR_USAGE, "'%s' is replayed to another topic, not to itself", options->from);
    waiter_init(&replay.waiter);
    arena_init(&replay.arena, NULL);
    arena_init(&replay.page, NULL);
    replay.context.waker = &replay.waiter.waker;
    session->interrupted = false;
    Error *error;
    MEMORY_GUARDED(error, run(&replay));
    if (replay.source_open)
        replay.source_spec.connector->source->close(&replay.source);
    Error *closed = replay.sink_open ? replay.sink_spec.connector->sink->close(&replay.sink, !error) : NULL;
    if (error)
        error_free(closed);
    else
        error = closed;
    arena_release(&replay.page);
    arena_release(&replay.arena);
    waiter_release(&replay.waiter);
    if (error && error->code == ERR_BIND)
        error->code = ERR_USAGE; /* there is no SQL that it could be placed in */
    return error;
}

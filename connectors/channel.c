/* connectors/channel.c: streams and tables that live in the process.
 *
 * Nothing is allocated under a lock: memory_raise would leave it locked. */
#include "connectors/channel.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "connectors/connectors_internal.h"

/* What stands in a channel: rows, or a watermark alone. It goes when the last reader has passed it. */
typedef struct Entry {
    Batch *batch;            /* NULL: a watermark */
    int64_t wm_us;           /* after it */
    int readers;             /* that have it before them */
    struct Entry *next;
} Entry;

typedef struct Writer {
    Channel *channel;
    bool counts;             /* its time holds the channel's back: a query that goes on. INSERT .. VALUES does not */
    int64_t wm_us;
    struct Writer *next;
    const ConnectorContext *context; /* whom to wake */
    bool paused;             /* it was told that there is no room */
} Writer;

struct ChannelReader {
    Channel *channel;
    const ConnectorContext *context; /* whom to wake */
    Entry *next;             /* in the channel; NULL: nothing has come */
    Entry *first, *last;     /* its own, before the channel's: what a table held */
    uint32_t taken;          /* rows of the entry at hand that are taken already */
    _Atomic uint64_t read, waiting, dropped; /* rows */
    bool bounded, ended, starved;
    ChannelReader *sibling;
};

struct Channel {
    Channels *channels;
    char *name;
    Arena arena;
    const Schema *schema;
    int time_column;
    atomic_int references;   /* the table of names, readers, writers */
    pthread_mutex_t lock;
    ChannelReader *readers;
    Writer *writers;
    Entry *tail;             /* the last one; NULL when nobody has anything before him */
    int64_t wm_us;           /* never falls */
    int64_t newest_us;       /* the latest time of a row */
    uint64_t lossy_rows;     /* nobody is held up: so many rows may wait for a reader; 0: persistent readers lose nothing */
    uint64_t lost_rows;
};

struct Channels {
    pthread_mutex_t lock;
    struct { Channel **items; size_t count, capacity; } all;
};

/* ---- channels by name ---- */

Channels *channels_new(void)
{
    Channels *channels = mem_calloc(1, sizeof *channels);
    pthread_mutex_init(&channels->lock, NULL);
    return channels;
}

static void channel_release(Channel *channel)
{
    if (atomic_fetch_sub(&channel->references, 1) != 1)
        return;
    pthread_mutex_destroy(&channel->lock);
    arena_release(&channel->arena);
    mem_free(channel->name);
    mem_free(channel);
}

void channels_free(Channels *channels)
{
    if (!channels)
        return;
    for (size_t i = 0; i < channels->all.count; i++)
        channel_release(channels->all.items[i]);
    mem_free(channels->all.items);
    pthread_mutex_destroy(&channels->lock);
    mem_free(channels);
}

static Channel *channel_retain(Channels *channels, const char *name)
{
    Channel *found = NULL;
    pthread_mutex_lock(&channels->lock);
    for (size_t i = 0; i < channels->all.count && !found; i++)
        if (strcmp(channels->all.items[i]->name, name) == 0)
            found = channels->all.items[i];
    if (found)
        atomic_fetch_add(&found->references, 1);
    pthread_mutex_unlock(&channels->lock);
    return found;
}

void channel_make(Channels *channels, const char *name, const Schema *schema, int time_column)
{
    Channel *channel = mem_calloc(1, sizeof *channel);
    channel->channels = channels;
    pthread_mutex_init(&channel->lock, NULL);
    arena_init(&channel->arena, NULL);
    channel->references = 1;
    channel->time_column = time_column;
    channel->wm_us = channel->newest_us = TIME_MIN;
    channel->name = mem_strdup(name);
    channel->schema = schema_copy(&channel->arena, schema);
    channel_remove(channels, name);
    channels->all.items = mem_grow(channels->all.items, &channels->all.capacity, channels->all.count + 1, sizeof *channels->all.items);
    pthread_mutex_lock(&channels->lock); /* whoever defines streams does so one at a time: the list has not changed meanwhile */
    channels->all.items[channels->all.count++] = channel;
    pthread_mutex_unlock(&channels->lock);
}

void channel_make_lossy(Channels *channels, const char *name, uint64_t room_rows)
{
    Channel *channel = channel_retain(channels, name);
    if (!channel)
        return;
    channel->lossy_rows = room_rows;
    channel_release(channel);
}

bool channel_is_read(Channels *channels, const char *name)
{
    Channel *channel = channel_retain(channels, name);
    if (!channel)
        return false;
    pthread_mutex_lock(&channel->lock);
    bool read = channel->readers != NULL;
    pthread_mutex_unlock(&channel->lock);
    channel_release(channel);
    return read;
}

uint64_t channel_lost(Channels *channels, const char *name)
{
    Channel *channel = channel_retain(channels, name);
    if (!channel)
        return 0;
    pthread_mutex_lock(&channel->lock);
    uint64_t rows = channel->lost_rows;
    pthread_mutex_unlock(&channel->lock);
    channel_release(channel);
    return rows;
}

void channel_remove(Channels *channels, const char *name)
{
    Channel *removed = NULL;
    pthread_mutex_lock(&channels->lock);
    for (size_t i = 0; i < channels->all.count && !removed; i++)
        if (strcmp(channels->all.items[i]->name, name) == 0) {
            removed = channels->all.items[i];
            channels->all.items[i] = channels->all.items[--channels->all.count];
        }
    pthread_mutex_unlock(&channels->lock);
    if (removed)
        channel_release(removed);
}

static uint64_t reader_room(const ChannelReader *reader)
{
    const uint64_t room = reader->context->process->room_rows ? reader->context->process->room_rows : CHANNEL_ROWS, lossy = reader->channel->lossy_rows;
    return lossy && lossy < room ? lossy : room;
}

static bool reader_full(const ChannelReader *reader) { return reader->waiting >= reader_room(reader); }

/* Does it lose what it cannot take? */
static bool reader_loses(const ChannelReader *reader) { return reader->context->process->transient || reader->channel->lossy_rows; }

/* Has a reader that persists so much before it that writers are to wait? Locked. */
static bool channel_full(const Channel *channel)
{
    bool full = false;
    for (const ChannelReader *reader = channel->readers; reader; reader = reader->sibling)
        full |= !reader_loses(reader) && !reader->bounded && reader_full(reader);
    return full;
}

/* ---- entries ---- */

static void free_entry(Entry *entry)
{
    batch_release(entry->batch);
    mem_free(entry);
}

/* The reader is done with its first entry of the channel. Locked; *gone: entries to be freed afterwards. */
static void pass_entry(ChannelReader *reader, Entry **gone)
{
    Entry *entry = reader->next;
    reader->next = entry->next;
    if (--entry->readers > 0)
        return;
    if (reader->channel->tail == entry)
        reader->channel->tail = NULL;
    entry->next = *gone;
    *gone = entry;
}

static void free_entries(Entry *gone)
{
    while (gone) {
        Entry *next = gone->next;
        free_entry(gone);
        gone = next;
    }
}

/* A reader that nobody waits for loses its oldest rows. Locked. */
static void drop_oldest(ChannelReader *reader, Entry **gone)
{
    while (reader->next && reader_full(reader)) {
        uint64_t rows = reader->next->batch ? reader->next->batch->row_count - reader->taken : 0;
        reader->waiting -= rows;
        reader->dropped += rows;
        reader->channel->lost_rows += rows;
        reader->taken = 0;
        pass_entry(reader, gone);
    }
}

/* Takes over the entry. */
static void add_entry(Channel *channel, Entry *entry)
{
    Entry *gone = NULL;
    pthread_mutex_lock(&channel->lock);
    for (ChannelReader *reader = channel->readers; reader; reader = reader->sibling) {
        if (reader->bounded)
            continue;
        if (reader_loses(reader) && entry->batch)
            drop_oldest(reader, &gone);
        entry->readers++;
        if (!reader->next)
            reader->next = entry;
        reader->waiting += entry->batch ? entry->batch->row_count : 0;
    }
    if (channel->tail)
        channel->tail->next = entry;
    channel->tail = entry->readers ? entry : NULL;
    if (!entry->readers) {
        entry->next = gone;
        gone = entry;
    }
    for (ChannelReader *reader = channel->readers; reader; reader = reader->sibling) {
        if (reader->starved)
            connector_wake(reader->context);
        reader->starved = false;
    }
    pthread_mutex_unlock(&channel->lock);
    free_entries(gone);
}

/* ---- writing ---- */

Batch *channel_detach(const Schema *schema, const Batch *batch)
{
    uint32_t count = batch->selection.count;
    const uint32_t *rows = batch->selection.rows;
    Batch *copy = batch_new(NULL, schema->column_count);
    MEMORY_HOLD(batch_unwind, &copy);
    for (int c = 0; c < schema->column_count; c++)
        copy->columns[c] = vector_detach(&copy->arena, schema->columns[c].type, batch->columns[c], rows, count);
    copy->kinds = batch->kinds ? arena_alloc(&copy->arena, (size_t)count + 1) : NULL;
    copy->wm_us = arena_alloc(&copy->arena, sizeof *copy->wm_us * ((size_t)count + 1));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (copy->kinds)
            copy->kinds[i] = batch->kinds[row];
        copy->wm_us[i] = batch->wm_us ? batch->wm_us[row] : batch->wm_end_us;
    }
    copy->wm_end_us = batch->wm_end_us;
    copy->now_us = batch->now_us;
    copy->row_count = copy->selection.count = count;
    return copy;
}

static Error *process_sink_open(Sink *sink)
{
    const ProcessOptions *options = sink->spec->options;
    ChannelPort *port = sink->context->process;
    if (!port)
        return error_new(ERR_CONNECT, "'%s' lives in a server's process, which this is not", options->stream);
    Writer *writer = sink->state = mem_calloc(1, sizeof *writer);
    Channel *channel = channel_retain(port->channels, options->stream);
    if (!channel)
        return error_new(ERR_CONNECT, "'%s' is gone", options->stream);
    *writer = (Writer){ .channel = channel, .counts = !sink->context->batch_mode, .wm_us = TIME_MIN, .context = sink->context };
    pthread_mutex_lock(&channel->lock);
    writer->next = channel->writers;
    channel->writers = writer;
    pthread_mutex_unlock(&channel->lock);
    return NULL;
}

/* What the other writers allow; TIME_MAX: anything. Locked. */
static int64_t others_watermark(const Writer *writer, bool *counted)
{
    int64_t minimum = TIME_MAX;
    *counted = writer->counts;
    for (const Writer *other = writer->channel->writers; other; other = other->next) {
        if (other == writer || !other->counts)
            continue;
        *counted = true;
        minimum = other->wm_us < minimum ? other->wm_us : minimum;
    }
    return minimum;
}

/* The latest time among the rows: what says how late it is where no query does. */
static int64_t newest_time(const Channel *channel, const Batch *batch)
{
    int64_t newest = TIME_MIN;
    const Vector *times = channel->time_column >= 0 ? batch->columns[channel->time_column] : NULL;
    for (uint32_t row = 0; times && row < batch->row_count; row++)
        if (!vector_is_null(times, row) && ((const int64_t *)times->values)[row] > newest)
            newest = ((const int64_t *)times->values)[row];
    return newest;
}

/* The batch's watermarks become the channel's. */
static void stamp_batch(Writer *writer, Batch *batch)
{
    Channel *channel = writer->channel;
    int64_t newest_us = newest_time(channel, batch);
    bool counted;
    pthread_mutex_lock(&channel->lock);
    int64_t floor_us = channel->wm_us, others = others_watermark(writer, &counted);
    if (!counted && newest_us > channel->newest_us)
        channel->newest_us = newest_us;
    if (writer->counts)
        writer->wm_us = batch->wm_end_us > writer->wm_us ? batch->wm_end_us : writer->wm_us;
    int64_t end_us = !counted ? channel->newest_us : writer->counts && writer->wm_us < others ? writer->wm_us : others;
    channel->wm_us = end_us > floor_us && end_us != TIME_MAX ? end_us : floor_us;
    end_us = channel->wm_us;
    pthread_mutex_unlock(&channel->lock);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        int64_t wm_us = writer->counts && batch->wm_us[row] < others ? batch->wm_us[row] : floor_us;
        batch->wm_us[row] = wm_us > floor_us ? wm_us : floor_us;
    }
    batch->wm_end_us = end_us;
}

static Error *process_write(Sink *sink, const Batch *batch)
{
    Writer *writer = sink->state;
    if (batch->selection.count == 0)
        return NULL;
    pthread_mutex_lock(&writer->channel->lock);
    bool full = writer->paused = channel_full(writer->channel);
    pthread_mutex_unlock(&writer->channel->lock);
    if (full)
        return error_busy();
    Entry *entry = mem_calloc(1, sizeof *entry);
    MEMORY_HOLD(mem_free, entry);
    entry->batch = channel_detach(writer->channel->schema, batch);
    stamp_batch(writer, entry->batch);
    entry->wm_us = entry->batch->wm_end_us;
    add_entry(writer->channel, entry);
    return NULL;
}

void channel_publish(Channels *channels, const char *name, Batch *batch)
{
    MEMORY_HOLD(batch_unwind, &batch);
    Entry *entry = mem_calloc(1, sizeof *entry);
    Channel *channel = channel_retain(channels, name);
    entry->batch = batch;
    if (!channel) {
        free_entry(entry);
        return;
    }
    Writer nobody = { .channel = channel, .wm_us = TIME_MIN };
    stamp_batch(&nobody, entry->batch);
    entry->wm_us = entry->batch->wm_end_us;
    add_entry(channel, entry);
    channel_release(channel);
}

/* Time has moved on without rows. The end of a query is not the end of its stream. */
static Error *process_advance(Sink *sink, int64_t wm_us)
{
    Writer *writer = sink->state;
    Channel *channel = writer->channel;
    if (!writer->counts || wm_us == TIME_MAX || wm_us <= writer->wm_us)
        return NULL;
    Entry *entry = mem_calloc(1, sizeof *entry);
    bool counted, risen;
    pthread_mutex_lock(&channel->lock);
    writer->wm_us = wm_us;
    int64_t others = others_watermark(writer, &counted);
    entry->wm_us = wm_us < others ? wm_us : others;
    risen = entry->wm_us > channel->wm_us;
    if (risen)
        channel->wm_us = entry->wm_us;
    pthread_mutex_unlock(&channel->lock);
    if (risen)
        add_entry(channel, entry);
    else
        free_entry(entry);
    return NULL;
}

static Error *process_sink_close(Sink *sink, bool commit)
{
    (void)commit;
    Writer *writer = sink->state;
    if (!writer)
        return NULL;
    sink->state = NULL;
    Channel *channel = writer->channel;
    if (!channel) { /* it was not there to be opened */
        mem_free(writer);
        return NULL;
    }
    pthread_mutex_lock(&channel->lock);
    for (Writer **at = &channel->writers; *at; at = &(*at)->next)
        if (*at == writer) {
            *at = writer->next;
            break;
        }
    pthread_mutex_unlock(&channel->lock);
    channel_release(channel);
    mem_free(writer);
    return NULL;
}

static const SinkType process_sink = {
    .row_sink = true,
    .takes_updates = true,
    .open = process_sink_open,
    .write_batch = process_write,
    .advance = process_advance,
    .close = process_sink_close,
};

/* ---- reading ---- */

typedef struct ProcessSource {
    ChannelReader reader;
    int *places;             /* of the wanted columns in the channel's rows */
    SourceSplit split;
} ProcessSource;

static Error *find_columns(Source *source, ProcessSource *state)
{
    const Schema *schema = state->reader.channel->schema;
    state->places = mem_calloc((size_t)source->spec->column_count + 1, sizeof *state->places);
    for (int i = 0; i < source->spec->column_count; i++) {
        const char *name = source->spec->columns[i].path[0];
        int place = 0;
        while (place < schema->column_count && strcmp(schema->columns[place].name, name) != 0)
            place++;
        if (place == schema->column_count)
            return error_new(ERR_CONNECT, "'%s' has no column '%s' any more", state->reader.channel->name, name);
        state->places[i] = place;
    }
    return NULL;
}

static Error *process_open(Source *source)
{
    const ProcessOptions *options = source->spec->options;
    ChannelPort *port = source->context->process;
    if (!port)
        return error_new(ERR_CONNECT, "'%s' lives in a server's process, which this is not", options->stream);
    port->readers.items = mem_realloc(port->readers.items, sizeof *port->readers.items * (size_t)(port->readers.count + 1));
    ProcessSource *state = source->state = mem_calloc(1, sizeof *state);
    Channel *channel = channel_retain(port->channels, options->stream);
    if (!channel)
        return error_new(ERR_CONNECT, "'%s' is gone", options->stream);
    state->reader = (ChannelReader){ .channel = channel, .context = source->context, .bounded = options->now };
    state->split = (SourceSplit){ .name = channel->name, .length = -1, .bounded = options->now };
    source->splits = &state->split;
    source->split_count = 1;
    TRY(find_columns(source, state));
    port->readers.items[port->readers.count++] = &state->reader;
    pthread_mutex_lock(&channel->lock);
    state->reader.sibling = channel->readers;
    channel->readers = &state->reader;
    pthread_mutex_unlock(&channel->lock);
    return NULL;
}

/* Writers that found no room may go on. */
static void wake_writers(Channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    bool full = channel_full(channel);
    for (Writer *writer = channel->writers; writer && !full; writer = writer->next) {
        if (writer->paused)
            connector_wake(writer->context);
        writer->paused = false;
    }
    pthread_mutex_unlock(&channel->lock);
}

static void process_close(Source *source)
{
    ProcessSource *state = source->state;
    if (!state)
        return;
    source->state = NULL;
    source->splits = NULL;
    source->split_count = 0;
    ChannelReader *self = &state->reader;
    Channel *channel = self->channel;
    ChannelPort *port = self->context->process;
    if (!channel) { /* it was not there to be opened */
        mem_free(state);
        return;
    }
    Entry *gone = self->first;
    pthread_mutex_lock(&channel->lock);
    for (ChannelReader **at = &channel->readers; *at; at = &(*at)->sibling)
        if (*at == self) {
            *at = self->sibling;
            break;
        }
    while (self->next)
        pass_entry(self, &gone);
    pthread_mutex_unlock(&channel->lock);
    for (int i = 0; i < port->readers.count; i++)
        if (port->readers.items[i] == self)
            port->readers.items[i] = port->readers.items[--port->readers.count];
    if (port->readers.count == 0) {
        mem_free(port->readers.items);
        port->readers.items = NULL;
    }
    free_entries(gone);
    wake_writers(channel);
    channel_release(channel);
    mem_free(state->places);
    mem_free(state);
}

static bool process_bounded(const void *options) { return ((const ProcessOptions *)options)->now; }

/* Where a job begins again its channels are empty, as they were when its snapshot was taken. */
static Error *process_seek(Source *source, int split, uint64_t position)
{
    (void)source, (void)split, (void)position;
    return NULL;
}

/* Rows of the entry that are taken now. */
static void take_rows(ChannelReader *reader, Batch *batch, uint64_t most, RowRange *range)
{
    uint32_t left = batch->row_count - reader->taken;
    range->first = reader->taken;
    range->count = left < most ? left : most;
    range->page = batch_retain(batch);
}

static void release_page(void *page) { batch_release(page); }

static Error *process_next(Source *source, int split, uint64_t most, int64_t now_us, RowRange *range)
{
    (void)split, (void)now_us;
    ChannelReader *reader = &((ProcessSource *)source->state)->reader;
    Channel *channel = reader->channel;
    Entry *gone = NULL;
    *range = (RowRange){ .page_free = release_page };
    pthread_mutex_lock(&channel->lock);
    Entry *entry = reader->first ? reader->first : reader->next;
    if (!entry) {
        range->end = reader->ended;
        range->waiting = reader->starved = !range->end;
        range->next_at_us = TIME_MAX;
    } else {
        if (entry->batch)
            take_rows(reader, entry->batch, most, range);
        range->has_watermark = !entry->batch;
        range->watermark_us = entry->wm_us;
        reader->taken += (uint32_t)range->count;
        reader->waiting -= range->count;
        reader->read += range->count;
        if (!entry->batch || reader->taken == entry->batch->row_count) {
            reader->taken = 0;
            if (entry == reader->first) {
                reader->first = entry->next;
                reader->last = reader->first ? reader->last : NULL;
                entry->next = gone;
                gone = entry;
            } else {
                pass_entry(reader, &gone);
            }
        }
    }
    bool roomier = range->count > 0;
    pthread_mutex_unlock(&channel->lock);
    free_entries(gone);
    if (roomier)
        wake_writers(channel);
    return NULL;
}

static void share_columns(const ProcessSource *state, const Source *source, Batch *from, Batch *batch)
{
    for (int i = 0; i < source->spec->column_count; i++)
        batch->columns[i] = from->columns[state->places[i]];
    batch_hold_batch(batch, from);
}

static void copy_columns(const ProcessSource *state, const Source *source, Batch *from, uint32_t first, uint32_t count, Batch *batch)
{
    uint32_t *rows = arena_alloc(&batch->arena, sizeof *rows * ((size_t)count + 1));
    for (uint32_t i = 0; i < count; i++)
        rows[i] = first + i;
    for (int i = 0; i < source->spec->column_count; i++)
        batch->columns[i] = vector_gather(&batch->arena, from->columns[state->places[i]], rows, count);
    batch_hold_batch(batch, from);
}

static Error *process_produce(Source *source, int split, const RowRange *range, uint64_t done, uint32_t most, Batch *batch)
{
    (void)split;
    const ProcessSource *state = source->state;
    Batch *from = range->page;
    uint32_t first = (uint32_t)(range->first + done), count = range->count - done < most ? (uint32_t)(range->count - done) : most;
    if (first == 0 && count == from->row_count)
        share_columns(state, source, from, batch);
    else
        copy_columns(state, source, from, first, count, batch);
    if (from->kinds) /* copies: whoever has the batch may change these */
        batch->kinds = memcpy(arena_alloc(&batch->arena, (size_t)count + 1), from->kinds + first, count);
    batch->wm_us = from->wm_us ? memcpy(arena_alloc(&batch->arena, sizeof *batch->wm_us * ((size_t)count + 1)), from->wm_us + first, sizeof *batch->wm_us * count) : NULL;
    batch->wm_end_us = first + count < from->row_count && from->wm_us ? from->wm_us[first + count] : from->wm_end_us;
    batch->row_count = count;
    return NULL;
}

static int64_t process_end(Source *source, int split)
{
    (void)split;
    const ChannelReader *reader = &((const ProcessSource *)source->state)->reader;
    return (int64_t)(reader->read + reader->waiting);
}

/* Nothing is left of what a table held, and the same entry comes next. */
static bool process_same_place(const Source *one, const Source *other)
{
    const ChannelReader *a = &((const ProcessSource *)one->state)->reader, *b = &((const ProcessSource *)other->state)->reader;
    if (a->channel != b->channel)
        return false;
    pthread_mutex_lock(&a->channel->lock);
    bool same = !a->first && !b->first && a->next == b->next && a->taken == b->taken && a->ended == b->ended;
    pthread_mutex_unlock(&a->channel->lock);
    return same;
}

static const SourceType process_source = {
    .row_source = true,
    .whole_columns = true,
    .open = process_open,
    .close = process_close,
    .bounded = process_bounded,
    .seek = process_seek,
    .next_rows = process_next,
    .produce = process_produce,
    .end_position = process_end,
    .same_place = process_same_place,
};

/* ---- what the runtime does with readers ---- */

const char *channel_reader_name(const ChannelReader *reader) { return reader->channel->name; }
bool channel_reader_is_bounded(const ChannelReader *reader) { return reader->bounded; }
uint64_t channel_reader_waiting(const ChannelReader *reader) { return reader->waiting; }
double channel_reader_fill(const ChannelReader *reader) { return (double)reader->waiting / (double)reader_room(reader); }
uint64_t channel_reader_dropped(const ChannelReader *reader) { return reader->dropped; }

void channel_reader_give(ChannelReader *reader, Batch *rows)
{
    Entry *entry = mem_calloc(1, sizeof *entry);
    entry->batch = batch_retain(rows);
    entry->wm_us = rows->wm_end_us;
    pthread_mutex_lock(&reader->channel->lock);
    if (reader->last)
        reader->last->next = entry;
    else
        reader->first = entry;
    reader->last = entry;
    reader->waiting += rows->row_count;
    pthread_mutex_unlock(&reader->channel->lock);
}

void channel_reader_end(ChannelReader *reader)
{
    pthread_mutex_lock(&reader->channel->lock);
    reader->ended = true;
    pthread_mutex_unlock(&reader->channel->lock);
}

void channel_end(Channels *channels, const char *name)
{
    Channel *channel = channel_retain(channels, name);
    if (!channel)
        return;
    bool goes_on = false;
    pthread_mutex_lock(&channel->lock);
    for (const Writer *writer = channel->writers; writer; writer = writer->next)
        goes_on |= writer->counts;
    for (ChannelReader *reader = channel->readers; reader && !goes_on; reader = reader->sibling) {
        reader->ended = true;
        reader->starved = false;
        connector_wake(reader->context);
    }
    pthread_mutex_unlock(&channel->lock);
    channel_release(channel);
}

static const OptionSpec process_options[] = {
    { .name = "stream", .kind = OPTION_STRING, .offset = offsetof(ProcessOptions, stream), .doc = "The stream or table of the process." },
    { .name = "now", .kind = OPTION_BOOL, .offset = offsetof(ProcessOptions, now), .doc = "Reads what a table holds when reading begins." },
    { 0 },
};

const ConnectorType process_connector = {
    .name = "process",
    .doc = "Streams and tables that live in the server's process.",
    .options = process_options,
    .options_size = sizeof(ProcessOptions),
    .source = &process_source,
    .sink = &process_sink,
};

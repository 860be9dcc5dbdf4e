/* connectors/connectors.h: the outside world. The room's door.
 *
 * A connector moves bytes (or, for tables and generators, rows) and knows no format. Everything below except `produce` is called
 * in turn order, by one thread at a time; `produce` runs on any worker and only reads the source. */
#pragma once
#include <stdatomic.h>

#include "common/batch.h"
#include "common/clock.h"
#include "common/filesystem.h"
#include "common/options.h"
#include "common/timezone.h"

typedef struct ConnectorType ConnectorType;
typedef struct TopicLogs TopicLogs; /* connectors/topic_log.h */
typedef struct ChannelPort ChannelPort; /* connectors/channel.h */

/* Whoever waits for a source or a sink: its job. */
typedef struct Waker {
    void (*wake)(struct Waker *waker); /* from any thread, also while the job works; never blocks, may come once too often */
} Waker;

typedef struct ConnectorContext {
    FileSystem *filesystem;
    Clock *clock;
    MemoryPool *pool;
    const char *base_directory;   /* relative paths are taken from here; NULL: the current directory */
    bool batch_mode;              /* mmap is allowed: bounded input, nobody else writes */
    TopicLogs *topics;            /* topics are logs in this process; NULL: they are a broker's */
    Waker *waker;                 /* see connector_wake; NULL: nobody waits */
    ChannelPort *process;         /* streams and tables without a connector are channels between jobs; NULL: queries are put into one another */
    atomic_ullong *retries;       /* see connector_retried; NULL: nobody counts */
    bool impatient;               /* who opens tries again later: what cannot be reached now is told soon */
} ConnectorContext;

/* A source calls it when data has come after it said that it waits until TIME_MAX, a sink when there is room after it said ERR_BUSY. Callable from any
 * thread between open and the return of close. */
static inline void connector_wake(const ConnectorContext *context)
{
    if (context->waker)
        context->waker->wake(context->waker);
}

/* Something had to be tried again: a connection broke, a request was refused for now. From any thread. */
static inline void connector_retried(const ConnectorContext *context)
{
    if (context->retries)
        ++*context->retries;
}

/* ---- sources ---- */

/* A split is what has an order of its own: a file, a partition. Names are stable over restarts and name the split in messages. */
typedef struct SourceSplit {
    const char *name;      /* a path, "stdin", "nexmark-0" */
    int64_t length;        /* bytes or rows in all; -1 unknown: for progress */
    bool bounded;
    uint64_t start;        /* the position of its first row as reading begins: where the source's policy says so. A restore seeks elsewhere */
} SourceSplit;

typedef struct SourceColumn { /* for row sources: which columns are wanted */
    const char *const *path;
    int path_length;
    const Type *type;
} SourceColumn;

typedef struct SourceSpec {
    const ConnectorType *connector;
    const void *options;
    const SourceColumn *columns; /* row sources: in this order into the batch; only these are computed */
    int column_count;
    bool wants_headers;          /* record sources: somebody reads the messages' headers */
    const TimeZone *zone;        /* row sources: of text without one that becomes an instant; NULL: UTC */
} SourceSpec;

typedef struct Source {
    const SourceSpec *spec;
    const ConnectorContext *context;
    int split_count;
    SourceSplit *splits;         /* set by open, in a stable order */
    atomic_bool found;           /* set by the source, from any thread, before it wakes us: `discover` would add splits */
    void *state;
} Source;

/* What a byte source has ready. */
typedef struct SourceInput {
    const char *bytes;   /* the next unread bytes of the split; valid until the next call for this split */
    size_t length;
    bool end;            /* nothing comes after these bytes */
    bool waiting;        /* fewer bytes than asked for are there now, more may come (follow, stdin) */
    bool part_ends;      /* what comes after these bytes is a new beginning: a last record without an end counts */
    bool restarted;      /* these bytes are a new beginning (a followed file was cut or replaced); said until some are taken */
    int64_t next_at_us;  /* waiting without bytes: nothing comes before; 0: look again soon; TIME_MAX: the source wakes us */
    uint64_t skipped;    /* bytes of the split before these that are no records; this call moved over them */
    bool has_watermark;  /* length is 0 and a watermark is what comes next: see pass_watermark */
    int64_t watermark_us;
} SourceInput;

/* ---- messages of topics ---- */

typedef struct RecordHeader {
    const char *key;              /* ends with a 0 */
    const char *value;            /* NULL: none */
    size_t value_length;
} RecordHeader;

typedef struct Record {
    const char *key, *value;      /* NULL: none; a message without value is a tombstone to tables */
    size_t key_length, value_length;
    int64_t timestamp_us;
    uint64_t offset;
    uint64_t sequence;            /* topics within the process: how many records were written before it, to whatever topic */
    const RecordHeader *headers;
    int header_count;
    size_t window_length;         /* written: so many bytes at the key's end are its window; they do not choose the partition */
} Record;

/* What a RowRange of a record source holds as its page: `count` records that live as long as it does. */
typedef struct RecordSet {
    const char *topic;
    int32_t partition;
    uint32_t count;
    const Record *records;
    Buffer *lines;                /* values lie in it one behind the other as decoders of text like it (Decoder.record_lines); NULL: anywhere */
} RecordSet;

/* How the window of a windowed key stands behind the key's own bytes: as Kafka Streams' TimeWindowedSerializer (start, 8 bytes, big endian,
 * milliseconds) and SessionWindowedSerializer (end, then start) write it. SESSION also stands for other windows that their start alone does not
 * tell apart. */
typedef enum KeyWindow { KEY_WINDOW_NONE, KEY_WINDOW_TIME, KEY_WINDOW_SESSION } KeyWindow;

/* A range of rows of a row source: what one turn holds. */
typedef struct RowRange {
    uint64_t first, count;
    uint64_t next;       /* the position behind it, where rows have places of their own (offsets with gaps); 0: first + count. May move on with count = 0 */
    bool end;            /* nothing comes after it */
    bool waiting;        /* count is 0 for now: the rate says so; next_at_us says until when; TIME_MAX: until the source wakes us */
    int64_t next_at_us;
    bool has_watermark;  /* count is 0, and a watermark is what comes next */
    int64_t watermark_us;
    void *page;          /* prepared by next_rows (rows fetched from a database); owned by the range; may be NULL */
    void (*page_free)(void *page);
} RowRange;

typedef struct SourceType {
    bool row_source;
    bool whole_columns;  /* a row source that gives columns as a whole, not fields of them */
    bool has_thread;     /* its client works beside the job, about a core's worth when there is much to read: a job leaves one to it */
    bool record_source;  /* `next_rows` gives messages (page: a RecordSet), which a key and a value format decode; no `produce` */

    /* The event time of rows that know their own, and how far behind a later row may be; a WATERMARK clause goes before. NULL: none. */
    const char *time_column;
    int64_t out_of_order_us;

    /* Opens, finds the splits. ERR_CONNECT when it cannot be reached, with the system's reason. */
    Error *(*open)(Source *source);
    void (*close)(Source *source);
    bool (*bounded)(const void *options);
    /* Row sources know their columns: the full schema in `arena`. NULL for byte sources (the format infers). */
    Error *(*schema)(Arena *arena, const ConnectorContext *context, const void *options, Schema **schema);

    /* Continue at a position from an earlier run (restore): bytes or rows consumed so far. */
    Error *(*seek)(Source *source, int split, uint64_t position);

    /* Byte sources. fill: make at least `want` bytes visible unless the split ends or has no more now (waiting); a split may show
     * more. It never blocks longer than `linger_us`. take: the first `length` of them, as a buffer that outlives the source's own window; moves on. */
    Error *(*fill)(Source *source, int split, size_t want, int64_t linger_us, SourceInput *input);
    Error *(*take)(Source *source, int split, size_t length, Buffer **buffer);
    /* Moves past the watermark that `fill` showed; *skipped: the bytes that it takes in the split. NULL where there are none. */
    Error *(*pass_watermark)(Source *source, int split, uint64_t *skipped);
    /* After a piece was decoded: did the file change under it (a shrunken mapping)? ERR_IO then. May be NULL. */
    Error *(*verify)(Source *source, int split);

    /* Row sources. next_rows: the next range, at most max_rows. produce: its rows [done, done + max_rows) into `batch`, whose columns
     * are FLAT vectors for spec->columns; sets row_count. Thread-safe. */
    Error *(*next_rows)(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range);
    Error *(*produce)(Source *source, int split, const RowRange *range, uint64_t done, uint32_t max_rows, Batch *batch);

    /* A restore does not know this split: it has come since the snapshot, and is read from its beginning whatever the source's policy says for a first
     * start. *position: there. NULL: it starts as `open` said. */
    Error *(*seek_new)(Source *source, int split, uint64_t *position);

    /* Sources whose splits become more: those that are new now go to the end of source->splits (which may move; the others keep their places). Called between
     * two turns when `found` is set. New splits start where the source's policy says. NULL: splits stay as they are. */
    Error *(*discover)(Source *source);
    /* The position behind the split's last row that is known now; -1: unknown. What it is ahead of our own position is the split's lag. Cheap. */
    int64_t (*end_position)(Source *source, int split);
    /* Sources whose rows have one order with those of other sources (topics within the process): the place of the split's next row in it; INT64_MAX: there is
     * none now; -1: they have no such order. May be NULL. */
    int64_t (*next_sequence)(Source *source, int split);
    /* The split's time is too far ahead of the others': it is not drawn for now, and need not be read ahead. May be NULL. */
    void (*pause)(Source *source, int split, bool paused);
    /* Everything before these positions (one a split) is done for good: snapshots hold it. For tools that watch; the snapshot stays the authority. May be NULL. */
    Error *(*commit)(Source *source, const uint64_t positions[]);
    /* A live split without rows for so long no longer holds time back, where neither the stream nor a setting says otherwise; 0: it always does. */
    int64_t idle_timeout_us;

    /* Have two open sources of one process the same rows before them? NULL: their positions say so. */
    bool (*same_place)(const Source *one, const Source *other);

    /* How far: bytes (as stored, so that compressed files give a true share) or rows read, for progress. */
    int64_t (*progress)(Source *source, int split);
} SourceType;

/* ---- sinks ---- */

/* What becomes of a row, a message, that the target itself refuses: too large, a constraint. */
typedef enum RefusedPolicy { REFUSED_FAIL, REFUSED_SKIP, REFUSED_DEAD_LETTER } RefusedPolicy;

typedef struct SinkSpec {
    const ConnectorType *connector;
    const void *options;
    const Schema *schema;
    const int *partition_columns;      /* PARTITIONED BY: columns whose values name folders */
    int partition_count;
    const int *key_columns;            /* the primary key, for upserts */
    int key_count;
    bool replaces;                     /* the statement that made the target fills it: what is there already goes */
    bool upserts, windowed_keys;       /* messages: rows of a table; their keys hold windows */
    RefusedPolicy refused;
    const void *letter_options;        /* REFUSED_DEAD_LETTER: of connector 'kafka' for the topic of dead letters */
    const void *like;                  /* of connector 'kafka' for the topic that is read: a new one is made like it; NULL none */
    const char *format_name;           /* of byte sinks: names the files of partitions (part-0.json); NULL: no extension */
} SinkSpec;

typedef struct Sink {
    const SinkSpec *spec;
    const ConnectorContext *context;
    uint64_t refused;          /* messages so far that the target refused and that were left out, as spec->refused says.. */
    const char *refused_reason; /* ..why the last one was */
    uint32_t taken;            /* of write_records that returns ERR_BUSY: so many of the messages it has taken */
    void *state;
} Sink;

/* A sink never blocks a thread: without room for more, `write`, `write_records` and `write_batch` return error_busy(), and the sink calls connector_wake when there
 * is room. What was not taken comes again, before anything else; until then the job rests, and with it its sources. */

typedef struct SinkType {
    bool row_sink;             /* takes batches (sqlite, blackhole); else encoded bytes */
    bool record_sink;          /* takes messages: write_records */
    bool takes_updates;        /* understands row kinds: retractions and upserts; else append only */
    bool flushes_itself;       /* what is written becomes visible soon without `flush`, which only waits for that: no need of it in quiet moments */
    bool needs_key;            /* updates are taken by key: needs a primary key */

    /* Before sources are opened: makes what is missing, as a job may read what it writes. May be NULL. */
    Error *(*prepare)(const SinkSpec *spec, const ConnectorContext *context);
    Error *(*open)(Sink *sink);
    /* Byte sinks: one piece of encoded records. `partition`: relative folder ("day=2026-01-01/minute=5"), NULL without partitions.
     * `header` stands at the start of each new file. ERR_CLOSED when the reader of a pipe went away. */
    Error *(*write)(Sink *sink, const char *partition, const char *header, size_t header_length, const char *bytes, size_t length);
    /* Record sinks: messages in order (offsets are the sink's to give); it copies what it keeps. */
    Error *(*write_records)(Sink *sink, const Record *records, uint32_t count);
    /* Row sinks: the selected rows, in order. */
    Error *(*write_batch)(Sink *sink, const Batch *batch);
    Error *(*flush)(Sink *sink);           /* what was written is visible to others; error_busy(): not yet, the sink wakes us to ask again */
    /* No row before this time is to come; NULL: the sink does not care. */
    Error *(*advance)(Sink *sink, int64_t wm_us);
    /* Checkpoints: what must be written down to continue here (file lengths, a row in the database).. */
    Error *(*snapshot)(Sink *sink, Text *state);
    Error *(*restore)(Sink *sink, const char *state, size_t length); /* ..and going back to it */
    Error *(*close)(Sink *sink, bool commit); /* commit: the job ended well. Frees in any case */
} SinkType;

/* ---- lookups ---- */

typedef struct LookupSpec {
    const ConnectorType *connector;
    const void *options;
    const char *const *key_columns;   /* equality on these, in this order */
    const Type *const *key_types;
    int key_count;
    const char *const *value_columns; /* wanted columns of the table */
    const Type *const *value_types;
    int value_count;
    const TimeZone *zone;             /* as SourceSpec's */
} LookupSpec;

/* One handle a worker. Results never depend on the cache: the database's version is polled once a turn. */
typedef struct Lookup {
    const LookupSpec *spec;
    const ConnectorContext *context;
    void *state;
    _Atomic uint64_t hits, misses, absent; /* rows answered from the cache, from the database, without a match */
} Lookup;

typedef struct LookupType {
    Error *(*open)(Lookup *lookup);
    void (*close)(Lookup *lookup);
    /* Called once before the batches of a turn: notices a changed database. */
    Error *(*begin_turn)(Lookup *lookup);
    /* For each selected row of `keys` (key_count vectors) all matches, in the table's order: appends the row's index to *rows and the
     * values to `values` (value_count FLAT vectors with growing capacity are made in `arena`). A NULL key matches nothing. */
    Error *(*find)(Lookup *lookup, Arena *arena, const Vector *const keys[], const Selection *selection,
                   uint32_t **rows, Vector ***values, uint32_t *count);
} LookupType;

struct ConnectorType {
    const char *name;             /* 'file', 'sqlite', 'nexmark', 'datagen', 'stdout', 'blackhole' */
    const char *const *aliases;
    const char *doc;
    const OptionSpec *options;
    size_t options_size;
    const SourceType *source;     /* NULL: not a source */
    const SinkType *sink;
    const LookupType *lookup;
    const char *default_format;   /* NULL: must be given, or comes from the path */
    /* Do the options fit the declared columns? ERR_BIND, to be placed by the caller. May be NULL. */
    Error *(*check)(const void *options, const Schema *declared);
};

const ConnectorType *connector_find(const char *name);
const ConnectorType *const *connectors_all(int *count);
/* Closes a Source that only a local variable knows: for MEMORY_HOLD. Fine after a failed open. */
void source_unwind(void *source);
/* The `path` option of a connector that reads files (for guessing the format), else NULL. */
const char *connector_path(const ConnectorType *connector, const void *options);
/* Options that read what is there when reading begins, and end; false: the connector cannot. */
bool connector_read_now(Arena *arena, const ConnectorType *connector, const void *options, const void **bounded);
/* Options that begin to read where `reset` (earliest, latest) says unless they name a place themselves; false: that changes nothing. */
bool connector_read_from(Arena *arena, const ConnectorType *connector, const void *options, const char *reset, const void **from);
/* Does it give only rows that come after reading has begun? */
bool connector_reads_new(const ConnectorType *connector, const void *options);
/* In how many shards its partitions are read by as many processes, and which of them this one is (-1: not said); 0 and 1: it reads them all. */
int connector_shards(const ConnectorType *connector, const void *options, int *shard);
/* The topic of a connector that reads and writes topics, else NULL. */
const char *connector_topic(const ConnectorType *connector, const void *options);
/* Does a source with these options read the topic? */
bool connector_reads_topic(const ConnectorType *connector, const void *options, const char *topic);
/* Options of connector 'kafka' for another topic that is reached as the options at hand say; a connector without topics says nothing: defaults. */
const void *connector_topic_options(Arena *arena, const ConnectorType *connector, const void *options, const char *topic);
/* Options of connector 'kafka' to look at a topic with: from its beginning, or what comes from now on. Without end. */
const void *connector_print_options(Arena *arena, const void *options, const char *topic, bool from_beginning);
/* Do two options of connector 'kafka' name the same brokers? */
bool connector_same_broker(const void *a, const void *b);
/* Would the sink write a file that the source reads? Files are told apart by what they are, not by how they are written. */
Error *connector_writes_input(Arena *arena, const ConnectorContext *context, const SourceSpec *source, const SinkSpec *sink, bool *writes);

/* Where the sink 'stdout' writes: a front door that shows rows itself takes its bytes, whole records. It may return error_busy(), unless they are the `last` ones of a
 * sink; then it calls stdout_wake when it has room. NULL: file descriptor 1, unbuffered by us. From any thread. */
typedef Error *(*StdoutWriter)(void *caller, const char *bytes, size_t length, bool last);
void stdout_set_writer(StdoutWriter writer, void *caller);
void stdout_wake(void);

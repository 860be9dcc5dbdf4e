/* connectors/channel.h: streams and tables that live in the process: what connects the jobs of a server.
 *
 * A channel takes the batches of its writers in the order of their turns and gives each reader all of them, from the moment on at which the reader
 * came: a list of entries that is let go of behind the slowest reader. Readers that persist push back: a writer finds no room, and waits. The others
 * lose what they cannot take, and are told how much. Thread-safe: writers and readers are jobs of their own.
 *
 * Rows carry their kinds and watermarks. With several writers time is that of the slowest one. */
#pragma once
#include "common/schema.h"
#include "connectors/connectors.h"

#define CHANNEL_ROWS 16384 /* what may wait for a reader */

typedef struct Channels Channels;
typedef struct Channel Channel;
typedef struct ChannelReader ChannelReader;

/* What a job knows of the process's channels: ConnectorContext.process. Its owner's; outlives the job. */
typedef struct ChannelPort {
    Channels *channels;
    bool transient;                    /* its readers lose what they cannot take */
    uint64_t room_rows;                /* of a reader; 0: CHANNEL_ROWS */
    struct { ChannelReader **items; int count, capacity; } readers; /* of the job at hand, while it is open */
} ChannelPort;

Channels *channels_new(void);
void channels_free(Channels *channels); /* NULL is fine; ports and jobs are gone */

/* Makes the channel of that name (as the catalog spells it), in place of another one, whose readers and writers keep it. time_column: -1 none. */
void channel_make(Channels *channels, const char *name, const Schema *schema, int time_column);
/* From now on nobody holds its writers up: readers of every kind lose their oldest rows, beyond so many. Before there are any. */
void channel_make_lossy(Channels *channels, const char *name, uint64_t room_rows);
/* Gives the rows to all readers; the batch's columns are the channel's. Takes it over. Of a lossy channel. */
void channel_publish(Channels *channels, const char *name, Batch *batch);
/* Does anybody read it? */
bool channel_is_read(Channels *channels, const char *name);
uint64_t channel_lost(Channels *channels, const char *name); /* rows, by all readers of a lossy channel */
/* No new reader or writer finds it. */
void channel_remove(Channels *channels, const char *name);
/* The query that filled it has come to its end: unless another one goes on filling it, those who read it now have read everything once they have read what is
 * there. Who comes later waits for what is inserted then. */
void channel_end(Channels *channels, const char *name);

/* ---- readers: those that a job's sources have opened ---- */
const char *channel_reader_name(const ChannelReader *reader);
/* Is it there to read what the table holds now, and nothing after it? */
bool channel_reader_is_bounded(const ChannelReader *reader);
/* Rows that come before all others: what a table holds when its reader comes. The batch's columns are the channel's; it is retained. */
void channel_reader_give(ChannelReader *reader, Batch *rows);
/* A bounded reader has been given everything. */
void channel_reader_end(ChannelReader *reader);
uint64_t channel_reader_waiting(const ChannelReader *reader); /* rows */
double channel_reader_fill(const ChannelReader *reader);     /* the part of its room that they take; 1: its writers wait */
uint64_t channel_reader_dropped(const ChannelReader *reader); /* rows that it lost */

/* A copy of the batch's selected rows that depends on nothing else, columns of these types. */
Batch *channel_detach(const Schema *schema, const Batch *batch);

/* Options of the connector 'process', for the catalog to fill in. */
typedef struct ProcessOptions {
    const char *stream;
    bool now;           /* what a table holds when reading begins */
} ProcessOptions;
extern const ConnectorType process_connector;

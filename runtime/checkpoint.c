/* runtime/checkpoint.c: snapshots of queries as files.
 *
 *   data-<incarnation>-<n>      states, one behind the other
 *   manifest-<n>-<incarnation>  which query's state lies where, of what plan it is, with a hash of each, and a hash of itself
 *
 * The newest manifest is the truth. Data is written and synced first, then the manifest beside its name, synced, given its name, and the directory
 * synced: a process that is killed at any moment leaves the one of before or the new one. Only what the manifest replaced is removed, afterwards.
 *
 * Queries that channels link are one group and stand still together: rows under way between them are worked off first, so nothing of a channel is in a
 * snapshot. A name carries a random incarnation, and the manifest's hash binds bytes to it: what a transaction's marker names when another system is to
 * decide whether a snapshot counts (prepare_files, then the decision, then commit_files). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/hash.h"
#include "runtime/runtime_internal.h"

/* Where the state of a query lies. */
typedef struct Kept {
    char *query_id, *file;
    uint64_t offset, length, hash, fingerprint;
} Kept;

struct Checkpoints {
    Runtime *runtime;
    char *directory;
    uint64_t incarnation, number;   /* of the newest manifest */
    char *manifest;                 /* its name; NULL: there is none */
    char *damage;                   /* why nothing can be read back; NULL: it can */
    struct { Kept *items; size_t count, capacity; } kept;
};

/* ---- what is kept ---- */

static void kept_release(Kept *kept)
{
    mem_free(kept->query_id);
    mem_free(kept->file);
}

static Kept *kept_find(const Checkpoints *checkpoints, const char *query_id)
{
    for (size_t i = 0; i < checkpoints->kept.count; i++)
        if (strcmp(checkpoints->kept.items[i].query_id, query_id) == 0)
            return &checkpoints->kept.items[i];
    return NULL;
}

static void kept_put(Checkpoints *checkpoints, const char *query_id, const char *file, const Kept *where)
{
    Kept made = { .offset = where->offset, .length = where->length, .hash = where->hash, .fingerprint = where->fingerprint };
    Kept *old = kept_find(checkpoints, query_id);
    checkpoints->kept.items = mem_grow(checkpoints->kept.items, &checkpoints->kept.capacity, checkpoints->kept.count + 1, sizeof *checkpoints->kept.items);
    old = kept_find(checkpoints, query_id); /* they have moved */
    made.query_id = mem_strdup(query_id);
    made.file = mem_strdup(file);
    if (old)
        kept_release(old);
    else
        old = &checkpoints->kept.items[checkpoints->kept.count++];
    *old = made;
}

static char *path_of(Arena *arena, const Checkpoints *checkpoints, const char *name) { return arena_printf(arena, "%s/%s", checkpoints->directory, name); }

/* ---- reading ---- */

static Error *read_file(FileSystem *fs, const char *path, uint64_t offset, uint64_t length, Text *text)
{
    int handle;
    TRY(fs->open_read(fs, path, &handle));
    Error *error = NULL;
    char piece[65536];
    size_t got = 1;
    while (!error && text->length < length && got) {
        uint64_t left = length - text->length;
        error = fs->read_at(fs, handle, offset + text->length, piece, left < sizeof piece ? (size_t)left : sizeof piece, &got);
        if (!error)
            text_add(text, piece, got);
    }
    fs->close(fs, handle);
    return error;
}

static bool parse_line(Checkpoints *checkpoints, const char *line)
{
    char query_id[512], file[128];
    Kept kept = { 0 };
    if (sscanf(line, "query %511s %127s %" SCNu64 " %" SCNu64 " %" SCNx64 " %" SCNx64, query_id, file, &kept.offset, &kept.length, &kept.hash, &kept.fingerprint) != 6)
        return false;
    kept_put(checkpoints, query_id, file, &kept);
    return true;
}

static void parse_manifest(Checkpoints *checkpoints, Arena *arena, char *text, size_t length)
{
    char *end = NULL;
    for (size_t i = length; i-- > 0 && !end;) /* its last line */
        if (strncmp(text + i, "hash ", 5) == 0 && (i == 0 || text[i - 1] == '\n'))
            end = text + i;
    uint64_t hash = end ? strtoull(end + 5, NULL, 16) : 0;
    if (!end || checksum_bytes(text, (size_t)(end - text)) != hash || strncmp(text, "bidsql-checkpoint 1\n", 20) != 0) {
        checkpoints->damage = mem_strdup(arena_printf(arena, "the manifest '%s' is damaged: its contents do not have the hash that it names", checkpoints->manifest));
        return;
    }
    *end = 0;
    for (char *line = strchr(text, '\n'); line && *++line; line = strchr(line, '\n'))
        if (strncmp(line, "query ", 6) == 0 && !parse_line(checkpoints, line))
            checkpoints->damage = mem_strdup(arena_printf(arena, "the manifest '%s' is damaged", checkpoints->manifest));
}

static Error *read_manifest(Checkpoints *checkpoints, Arena *arena)
{
    FileSystem *fs = checkpoints->runtime->options.filesystem;
    const char *const *paths = NULL, *newest = NULL;
    int count = 0;
    TRY(fs->glob(fs, arena, path_of(arena, checkpoints, "manifest-*"), &paths, &count));
    for (int i = 0; i < count; i++) {
        const char *name = strrchr(paths[i], '/') + 1;
        uint64_t number = strtoull(name + strlen("manifest-"), NULL, 10);
        if (number >= checkpoints->number) {
            checkpoints->number = number;
            newest = paths[i];
        }
    }
    if (!newest)
        return NULL;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    checkpoints->manifest = mem_strdup(strrchr(newest, '/') + 1);
    Error *error = read_file(fs, newest, 0, UINT64_MAX, &text);
    if (!error) {
        text_add_char(&text, 0);
        parse_manifest(checkpoints, arena, text.bytes, text.length - 1);
    }
    text_release(&text);
    return error;
}

/* Files that no manifest names: the process ended while they were written. */
static Error *remove_strangers(Checkpoints *checkpoints, Arena *arena)
{
    FileSystem *fs = checkpoints->runtime->options.filesystem;
    const char *const *paths = NULL;
    int count = 0;
    if (checkpoints->damage) /* nothing is known: nothing is touched */
        return NULL;
    TRY(fs->glob(fs, arena, path_of(arena, checkpoints, "*"), &paths, &count));
    for (int i = 0; i < count; i++) {
        const char *name = strrchr(paths[i], '/') + 1;
        bool known = checkpoints->manifest && strcmp(name, checkpoints->manifest) == 0;
        for (size_t k = 0; k < checkpoints->kept.count && !known; k++)
            known = strcmp(checkpoints->kept.items[k].file, name) == 0;
        if (!known && (strncmp(name, "data-", 5) == 0 || strncmp(name, "manifest-", 9) == 0 || strncmp(name, "new-", 4) == 0))
            error_free(fs->remove(fs, paths[i]));
    }
    return NULL;
}

Error *checkpoints_open(Runtime *runtime, const char *directory, Checkpoints **result)
{
    Checkpoints *checkpoints = *result = mem_calloc(1, sizeof *checkpoints);
    Arena arena;
    checkpoints->runtime = runtime;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    checkpoints->directory = mem_strdup(arena_printf(&arena, "%s/checkpoints", directory));
    if (getrandom(&checkpoints->incarnation, sizeof checkpoints->incarnation, 0) != (ssize_t)sizeof checkpoints->incarnation)
        checkpoints->incarnation = (uint64_t)runtime_now(runtime);
    FileSystem *fs = runtime->options.filesystem;
    Error *error = fs->make_directories(fs, checkpoints->directory);
    if (!error)
        error = read_manifest(checkpoints, &arena);
    if (!error)
        error = remove_strangers(checkpoints, &arena);
    arena_release(&arena);
    return error;
}

void checkpoints_close(Checkpoints *checkpoints)
{
    if (!checkpoints)
        return;
    for (size_t i = 0; i < checkpoints->kept.count; i++)
        kept_release(&checkpoints->kept.items[i]);
    mem_free(checkpoints->kept.items);
    mem_free(checkpoints->directory);
    mem_free(checkpoints->manifest);
    mem_free(checkpoints->damage);
    mem_free(checkpoints);
}

static Error *damaged(const Checkpoints *checkpoints, const Kept *kept, const char *why)
{
    return error_hint(error_new(ERR_IO, "the snapshot of the query is damaged: %s, in '%s/%s'", why, checkpoints->directory, kept->file),
                      "TERMINATE the query and create it anew, or put the file back");
}

static Error *restore_from(Query *query, const Kept *kept, const char *path)
{
    Checkpoints *checkpoints = query->runtime->checkpoints;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Error *error = read_file(query->runtime->options.filesystem, path, kept->offset, kept->length, &text);
    if (!error && text.length != kept->length)
        error = damaged(checkpoints, kept, "the file is too short");
    if (!error && checksum_bytes(text_c(&text), text.length) != kept->hash)
        error = damaged(checkpoints, kept, "it does not have the hash that its manifest names");
    if (!error)
        error = job_restore(query->job, text_c(&text), text.length);
    text_release(&text);
    return error;
}

Error *checkpoint_restore(Query *query, bool *found)
{
    Checkpoints *checkpoints = query->runtime->checkpoints;
    const Kept *kept = kept_find(checkpoints, query->id);
    *found = false;
    if (checkpoints->damage)
        return error_new(ERR_IO, "%s", checkpoints->damage);
    if (!kept)
        return NULL;
    if (kept->fingerprint != query->plan->fingerprint)
        return error_new(ERR_UNSUPPORTED, "the snapshot of the query was made under another plan");
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    task_lock(query);
    Error *error = restore_from(query, kept, path_of(&arena, checkpoints, kept->file));
    task_unlock(query);
    arena_release(&arena);
    *found = !error;
    query->checkpoint = checkpoints->number;
    return error;
}

/* ---- a group stands still ---- */

static uint64_t rows_waiting(const Query *query)
{
    uint64_t rows = 0;
    for (int i = 0; query->job && i < query->port.readers.count; i++)
        rows += channel_reader_waiting(query->port.readers.items[i]);
    return rows;
}

/* It came to its end while its group was brought to rest. */
static void note_end(Query *query)
{
    query->ended = true;
    pthread_mutex_lock(&query->runtime->tasks);
    query->in_trouble = query->runtime->trouble = true;
    pthread_mutex_unlock(&query->runtime->tasks);
}

/* A turn of a member while all others rest. False: it cannot come to rest now. */
static bool step_member(Query *query, bool *busy)
{
    JobStep step;
    if (query->state != QUERY_RUNNING)
        return false;
    Error *error = job_step(query->job, 1, &step);
    *busy |= !error && step.state == JOB_WAITING && step.sinks_busy;
    if (!error && step.state == JOB_ENDED)
        note_end(query);
    if (!error)
        return step.state != JOB_WAITING || rows_waiting(query) == 0;
    error_free(job_close(query->job));
    query->job = NULL;
    pthread_mutex_lock(&query->runtime->tasks);
    query->in_trouble = query->runtime->trouble = true;
    query->failure = error;
    pthread_mutex_unlock(&query->runtime->tasks);
    return false;
}

void query_work_off(Query *query)
{
    bool busy = false;
    task_lock(query);
    while (query->job && !query->ended && rows_waiting(query) && step_member(query, &busy))
        ;
    task_unlock(query);
    task_wake(query); /* what it waits for may be another thing now */
}

#define DRAIN_TURNS 100000

/* Works off what is under way between the members, producers first. False: it takes too long, or somebody is paused. */
static bool drain(Query *const *group, int count, bool *busy)
{
    for (int turns = 0; turns < DRAIN_TURNS;) {
        bool moved = false, stuck = false;
        for (int i = 0; i < count; i++)
            while (rows_waiting(group[i]) && !stuck && turns++ < DRAIN_TURNS) {
                bool went = step_member(group[i], busy);
                moved |= went;
                stuck = !went;
            }
        if (!moved)
            return !stuck;
    }
    return false;
}

/* ---- writing ---- */

typedef struct Piece {
    Query *query;
    Kept where;
    uint64_t rows;               /* query->checkpoint_turns when it is written */
    size_t written;              /* of query->written it holds so many */
} Piece;

typedef struct Taking {
    Runtime *runtime;
    Checkpoints *checkpoints;
    Arena arena;
    Text data;
    struct { Piece *items; int count, capacity; } pieces;
    struct { Query **items; int count, capacity; } ended; /* what they gave is covered by this snapshot */
} Taking;

/* What it has done so far: a query that has done nothing since is not written again. */
static uint64_t progress_of(const Query *query)
{
    const JobCounters *c = &query->info.counters;
    pthread_mutex_lock(&query->runtime->tasks);
    uint64_t progress = c->rows_in + c->rows_out + c->bytes_in + c->bad_rows + (uint64_t)query->info.watermark_us * 31 + 1;
    pthread_mutex_unlock(&query->runtime->tasks);
    return progress;
}

static Error *snapshot_member(Taking *taking, Query *query)
{
    size_t start = taking->data.length;
    query_note(query);
    Error *error = job_snapshot(query->job, &taking->data);
    if (error) {
        taking->data.length = start;
        return error;
    }
    Piece piece = { .query = query, .rows = progress_of(query), .written = query->written_count };
    piece.where = (Kept){ .offset = start, .length = taking->data.length - start, .fingerprint = query->plan->fingerprint };
    piece.where.hash = checksum_bytes(taking->data.bytes + start, taking->data.length - start);
    LIST_ADD(&taking->arena, &taking->pieces, piece);
    return NULL;
}

/* *busy: sinks have not yet passed on everything that they have got. */
static Error *snapshot_group(Taking *taking, Query *const *group, int count, bool *busy)
{
    size_t start = taking->data.length;
    int pieces = taking->pieces.count;
    Error *error = NULL;
    *busy = false;
    if (!drain(group, count, busy))
        return NULL;
    for (int i = 0; i < count; i++)
        if (group[i]->ended) /* what it has done at its end would be done again by whoever restores it now */
            return NULL;
    for (int i = 0; i < count && !error; i++)
        if (group[i]->job)
            error = snapshot_member(taking, group[i]);
    for (int i = 0; i < count && !error; i++)
        if (group[i]->uncovered)
            LIST_ADD(&taking->arena, &taking->ended, group[i]);
    if (error) {
        taking->data.length = start;
        taking->pieces.count = pieces;
    }
    *busy = error && error->code == ERR_BUSY;
    if (*busy) {
        error_free(error);
        error = NULL;
    }
    return error;
}

/* Most of the file that holds its state is of no use any more. */
static bool lies_among_dead(const Checkpoints *checkpoints, const Query *query)
{
    const Kept *own = kept_find(checkpoints, query->id);
    uint64_t live = 0, end = 0;
    for (size_t i = 0; own && i < checkpoints->kept.count; i++) {
        const Kept *kept = &checkpoints->kept.items[i];
        if (strcmp(kept->file, own->file) != 0)
            continue;
        live += kept->length;
        end = kept->offset + kept->length > end ? kept->offset + kept->length : end;
    }
    return own && end > 1 << 20 && live < end / 2;
}

static bool group_is_due(const Checkpoints *checkpoints, Query *const *group, int count)
{
    bool due = false;
    for (int i = 0; i < count; i++) {
        if ((group[i]->state == QUERY_RUNNING || group[i]->state == QUERY_PAUSED) && !group[i]->job && group[i]->plan)
            return false; /* it rests after a failure: who restarts it needs the others as they were */
        due |= group[i]->uncovered;
        if (!group[i]->job)
            continue;
        due |= !kept_find(checkpoints, group[i]->id) || progress_of(group[i]) != group[i]->checkpoint_turns || lies_among_dead(checkpoints, group[i]);
    }
    return due;
}

static void set_running(Query *const *group, int count, bool running)
{
    for (int i = 0; i < count; i++)
        if (group[i]->state == QUERY_RUNNING && group[i]->job)
            (running ? task_start : task_stop)(group[i]);
}

#define BUSY_US 2000000 /* so long a group waits for its sinks; else the next time will do */

/* What a snapshot holds must have left the sinks for good: while they are busy the group does not give them more. */
static Error *stand_still(Taking *taking, Query *const *group, int count)
{
    const Clock *clock = taking->runtime->options.clock;
    int64_t until_us = runtime_now(taking->runtime) + BUSY_US;
    bool busy = false, stopped = false;
    Error *error;
    for (;;) {
        for (int i = 0; i < count; i++)
            task_lock(group[i]);
        MEMORY_GUARDED(error, snapshot_group(taking, group, count, &busy));
        for (int i = 0; i < count; i++)
            task_unlock(group[i]);
        if (error || !busy || clock->manual || runtime_now(taking->runtime) >= until_us)
            break;
        if (!stopped)
            set_running(group, count, false);
        stopped = true;
        tasks_wait(taking->runtime);
    }
    if (stopped)
        set_running(group, count, true);
    return error;
}

static Error *take_group(Taking *taking, Query *query, bool *seen)
{
    Query **group;
    int count = query_group(taking->runtime, query, &taking->arena, &group), at = 0;
    for (Query *each = taking->runtime->queries; each; each = each->next, at++)
        for (int i = 0; i < count; i++)
            seen[at] |= group[i] == each;
    if (!group_is_due(taking->checkpoints, group, count))
        return NULL;
    return stand_still(taking, group, count);
}

static Error *write_file(FileSystem *fs, const char *path, const Text *text)
{
    int handle;
    TRY(fs->open_write(fs, path, true, false, &handle));
    Error *error = fs->write_all(fs, handle, text->bytes, text->length);
    if (!error)
        error = fs->sync(fs, handle);
    fs->close(fs, handle);
    return error;
}

/* Names of what there is no query for any more go. */
static void forget_gone(Checkpoints *checkpoints)
{
    size_t left = 0;
    for (size_t i = 0; i < checkpoints->kept.count; i++) {
        if (query_find(checkpoints->runtime, checkpoints->kept.items[i].query_id))
            checkpoints->kept.items[left++] = checkpoints->kept.items[i];
        else
            kept_release(&checkpoints->kept.items[i]);
    }
    checkpoints->kept.count = left;
}

static void write_manifest(const Taking *taking, const char *file, uint64_t number, Text *text)
{
    const Checkpoints *checkpoints = taking->checkpoints;
    text_printf(text, "bidsql-checkpoint 1\nname %016" PRIx64 "-%" PRIu64 "\n", checkpoints->incarnation, number);
    for (size_t i = 0; i < checkpoints->kept.count; i++) {
        const Kept *kept = &checkpoints->kept.items[i];
        bool replaced = false;
        for (int p = 0; p < taking->pieces.count && !replaced; p++)
            replaced = strcmp(taking->pieces.items[p].query->id, kept->query_id) == 0;
        if (!replaced)
            text_printf(text, "query %s %s %" PRIu64 " %" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", kept->query_id, kept->file, kept->offset, kept->length, kept->hash, kept->fingerprint);
    }
    for (int p = 0; p < taking->pieces.count; p++) {
        const Kept *kept = &taking->pieces.items[p].where;
        text_printf(text, "query %s %s %" PRIu64 " %" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", taking->pieces.items[p].query->id, file, kept->offset, kept->length, kept->hash, kept->fingerprint);
    }
    text_printf(text, "hash %016" PRIx64 "\n", checksum_bytes(text->bytes, text->length));
}

/* Everything that counts is on disk afterwards, but does not count yet. */
static Error *prepare_files(Taking *taking, const char *file, const char *manifest_path, uint64_t number)
{
    FileSystem *fs = taking->runtime->options.filesystem;
    Text manifest = { 0 };
    MEMORY_HOLD(text_unwind, &manifest);
    write_manifest(taking, file, number, &manifest);
    Error *error = write_file(fs, path_of(&taking->arena, taking->checkpoints, file), &taking->data);
    if (!error)
        error = write_file(fs, manifest_path, &manifest);
    if (!error)
        error = fs->sync_directory(fs, taking->checkpoints->directory);
    text_release(&manifest);
    return error;
}

static void remove_unnamed(Taking *taking, const char *const *files, size_t count)
{
    FileSystem *fs = taking->runtime->options.filesystem;
    const Checkpoints *checkpoints = taking->checkpoints;
    for (size_t i = 0; i < count; i++) {
        bool named = false;
        for (size_t k = 0; k < checkpoints->kept.count && !named; k++)
            named = strcmp(checkpoints->kept.items[k].file, files[i]) == 0;
        if (!named)
            error_free(fs->remove(fs, path_of(&taking->arena, checkpoints, files[i])));
    }
}

/* It counts from now on. What it replaces goes. */
static Error *commit_files(Taking *taking, const char *file, const char *manifest_path, uint64_t number)
{
    FileSystem *fs = taking->runtime->options.filesystem;
    Checkpoints *checkpoints = taking->checkpoints;
    size_t old_count = checkpoints->kept.count;
    const char **old = ARENA_ARRAY(&taking->arena, const char *, old_count + 1);
    for (size_t i = 0; i < old_count; i++)
        old[i] = arena_strdup(&taking->arena, checkpoints->kept.items[i].file);
    const char *former = checkpoints->manifest ? path_of(&taking->arena, checkpoints, checkpoints->manifest) : NULL;
    char *name = mem_strdup(arena_printf(&taking->arena, "manifest-%" PRIu64 "-%016" PRIx64, number, checkpoints->incarnation));
    Error *error = fs->rename(fs, manifest_path, path_of(&taking->arena, checkpoints, name));
    if (!error)
        error = fs->sync_directory(fs, checkpoints->directory);
    if (error) {
        mem_free(name);
        return error;
    }
    mem_free(checkpoints->manifest);
    checkpoints->manifest = name;
    checkpoints->number = number;
    for (int p = 0; p < taking->pieces.count; p++)
        kept_put(checkpoints, taking->pieces.items[p].query->id, file, &taking->pieces.items[p].where);
    if (former)
        error_free(fs->remove(fs, former));
    remove_unnamed(taking, old, old_count);
    return NULL;
}

/* Only now: what sources are told is what a snapshot holds. It is for tools that watch; one that fails is made again with the next snapshot. */
static void commit_positions(Query *query)
{
    task_lock(query);
    Error *error = query->job ? job_commit(query->job) : NULL;
    task_unlock(query);
    if (error)
        runtime_event(query->runtime, query->id, "commit failed", "%s", error->message);
    error_free(error);
}

/* Those that stay are done once more after a crash, which changes nothing where rows have keys. */
static void forget_inserts(Query *query, size_t count)
{
    Error *error = count ? store_insert_forget(query->runtime->store, query->written, count) : NULL;
    if (error)
        runtime_event(query->runtime, query->id, "catalog failed", "%s", error->message);
    else if (count)
        memmove(query->written, query->written + count, sizeof *query->written * (query->written_count -= count));
    error_free(error);
}

static Error *write_all(Taking *taking)
{
    Checkpoints *checkpoints = taking->checkpoints;
    uint64_t number = checkpoints->number + 1;
    const char *file = arena_printf(&taking->arena, "data-%016" PRIx64 "-%" PRIu64, checkpoints->incarnation, number);
    const char *manifest_path = path_of(&taking->arena, checkpoints, arena_printf(&taking->arena, "new-%" PRIu64, number));
    int64_t now_us = runtime_now(taking->runtime);
    forget_gone(checkpoints);
    TRY(prepare_files(taking, file, manifest_path, number));
    TRY(commit_files(taking, file, manifest_path, number));
    for (int p = 0; p < taking->pieces.count; p++) {
        Query *query = taking->pieces.items[p].query;
        query->checkpoint = number;
        query->checkpoint_us = now_us;
        query->checkpoint_turns = taking->pieces.items[p].rows;
        query->failures = 0; /* it gets on */
        forget_inserts(query, taking->pieces.items[p].written);
        commit_positions(query);
    }
    return NULL;
}

static Error *take(Taking *taking)
{
    Runtime *runtime = taking->runtime;
    int count = 0, at = 0;
    for (const Query *query = runtime->queries; query; query = query->next)
        count++;
    bool *seen = ARENA_ARRAY(&taking->arena, bool, (size_t)count + 1);
    Error *error = NULL;
    for (Query *query = runtime->queries; query && !error; query = query->next, at++)
        if (query->persistent && (query->job || query->uncovered) && !seen[at])
            error = take_group(taking, query, seen);
    if (!error && taking->pieces.count)
        error = write_all(taking);
    for (int i = 0; i < taking->ended.count && !error; i++)
        taking->ended.items[i]->uncovered = false;
    return error;
}

Error *checkpoints_take(Runtime *runtime)
{
    Taking taking = { .runtime = runtime, .checkpoints = runtime->checkpoints };
    int64_t start_us = runtime_now(runtime);
    if (runtime->checkpoints->damage)
        return NULL; /* whoever runs the server is to look at it first */
    arena_init(&taking.arena, NULL);
    Error *error;
    TraceScope scope;
    TraceSpan *span = trace_begin(runtime->options.tracer, "checkpoint", &scope);
    MEMORY_GUARDED(error, take(&taking));
    for (int i = 0; i < taking.ended.count && !error; i++) {
        error = store_state(runtime->store, taking.ended.items[i]);
        taking.ended.items[i]->state_stored = !error;
    }
    pthread_mutex_lock(&runtime->tasks);
    runtime->metrics.checkpoint_failures += error != NULL;
    if (!error && taking.pieces.count) {
        runtime->metrics.checkpoints++;
        runtime->metrics.last_checkpoint_us = start_us;
        runtime->metrics.last_checkpoint_duration_us = runtime_now(runtime) - start_us;
        runtime->metrics.last_checkpoint_bytes = (int64_t)taking.data.length;
    }
    pthread_mutex_unlock(&runtime->tasks);
    trace_number(span, "bidsql.checkpoint.number", (int64_t)runtime->checkpoints->number);
    trace_number(span, "bidsql.checkpoint.queries", taking.pieces.count);
    trace_number(span, "bidsql.checkpoint.bytes", (int64_t)taking.data.length);
    if (!error && !taking.pieces.count) { /* nothing has changed */
        trace_discard(span);
        span = NULL;
    }
    trace_end_with(span, &scope, error);
    text_release(&taking.data);
    arena_release(&taking.arena);
    return error;
}

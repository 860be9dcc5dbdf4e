/* connectors/file.c: files as a source: one split a file.
 *
 * How a split is read depends on what it is, found out when it is first asked for:
 *
 *   MAPPED      a regular file in batch mode: pieces are views of the mapping, nothing is copied
 *   READ        a regular file otherwise (follow, mapping impossible): pread into a window
 *   STREAM      a pipe, stdin: poll and read into a window
 *   COMPRESSED  any of them through gzip or zstd into a window
 *
 * A window is a buffer of just the bytes that were asked for. A piece taken from it is a view, so a window whose bytes were given
 * away is never written again: the next fill starts a new one and copies the partial record at its end. */
#include "connectors/file.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "connectors/connectors_internal.h"
#include "connectors/mapped_file.h"

#define RAW_BYTES (128 * 1024)  /* compressed bytes read at a time */
#define HANDLES_MAX 256         /* open files of one source; regular files are reopened where they were left */
#define STREAM_LOOK_US 10000    /* how soon a silent pipe is looked at again */
#define FIRST_BYTES 4           /* what compression is told by */

typedef enum ReadKind { READ_UNKNOWN, READ_MAPPED, READ_PLAIN, READ_STREAM } ReadKind;

typedef struct FileSplit {
    const char *path;           /* as opened; NULL: stdin */
    FileInfo info;              /* when it was opened */
    ReadKind kind;
    Compression compression;
    int handle;                 /* -1: not open */
    uint64_t last_used;
    uint64_t base;              /* where the split begins in the file: 0, or where stdin's descriptor stood */
    uint64_t offset;            /* of the next stored byte to read */
    Decompressor *decompressor;
    Buffer *raw;                /* stored bytes not yet decompressed (also the first bytes of a stream): [raw_at, raw_end) */
    size_t raw_at, raw_end;
    MappedFile *map;
    size_t map_at;
    Buffer *window;             /* unread bytes are [start, end) */
    size_t start, end;
    bool shared;                /* a view of the window was given away */
    bool ended;                 /* nothing more to read into the window */
    bool begun;
    bool restarted;             /* following: the window starts where a file begins anew, and nothing was taken since */
    bool part_ends;             /* following: the window ends where a file was cut or replaced */
} FileSplit;

typedef struct FileState {
    Arena arena;
    FileSplit *splits;
    int handle_count;
    uint64_t ticks;
} FileState;

static const char no_bytes[BUFFER_PADDING];

static const FileOptions *options_of(const Source *source) { return source->spec->options; }
static FileState *state_of(const Source *source) { return source->state; }
static FileSplit *split_of(const Source *source, int split) { return &state_of(source)->splits[split]; }
static FileSystem *files_of(const Source *source) { return source->context->filesystem; }
static const char *name_of(const Source *source, const FileSplit *split)
{
    return source->splits[split - state_of(source)->splits].name;
}

const char *connector_resolve_path(Arena *arena, const ConnectorContext *context, const char *path)
{
    if (!context->base_directory || path[0] == '/')
        return arena_strdup(arena, path);
    return arena_printf(arena, "%s/%s", context->base_directory, path);
}

Error *connector_as_connect(Error *error)
{
    if (error && error->code == ERR_IO)
        error->code = ERR_CONNECT;
    return error;
}

/* ---- opening ---- */

static bool is_stdin(const FileOptions *options) { return strcmp(options->path, "-") == 0; }

static void close_handle(Source *source, FileSplit *split)
{
    if (split->handle < 0 || !split->path)
        return;
    files_of(source)->close(files_of(source), split->handle);
    split->handle = -1;
    state_of(source)->handle_count--;
}

/* Too many open: the regular file that was not used for the longest time is closed. */
static void make_room_for_handle(Source *source)
{
    FileState *state = state_of(source);
    if (state->handle_count < HANDLES_MAX)
        return;
    FileSplit *oldest = NULL;
    for (int i = 0; i < source->split_count; i++) {
        FileSplit *split = &state->splits[i];
        if (split->handle >= 0 && split->path && split->info.is_regular && !options_of(source)->follow && (!oldest || split->last_used < oldest->last_used))
            oldest = split;
    }
    if (oldest)
        close_handle(source, oldest);
}

static Error *open_handle(Source *source, FileSplit *split)
{
    split->last_used = ++state_of(source)->ticks;
    if (split->handle >= 0)
        return NULL;
    make_room_for_handle(source);
    FileSystem *fs = files_of(source);
    int handle;
    TRY(fs->open_read(fs, split->path, &handle));
    split->handle = handle;
    state_of(source)->handle_count++;
    FileInfo info;
    TRY(fs->info_of(fs, split->handle, &info));
    if (info.is_directory)
        return error_hint(error_new(ERR_IO, "'%s' is a directory", name_of(source, split)), "'%s/*' names the files in it", name_of(source, split));
    if (!split->info.exists)
        split->info = info;
    else if (info.inode != split->info.inode || info.device != split->info.device)
        return error_new(ERR_IO, "the file '%s' was replaced while it was read", name_of(source, split));
    return NULL;
}

static atomic_bool pipe_taken; /* what came through a pipe is gone: a second reader would see an empty input, or half of it */

static Error *open_stdin(Source *source)
{
    FileState *state = state_of(source);
    state->splits = ARENA_ARRAY(&state->arena, FileSplit, 1);
    source->splits = ARENA_ARRAY(&state->arena, SourceSplit, 1);
    source->splits[0] = (SourceSplit){ .name = "stdin", .length = -1, .bounded = true };
    source->split_count = 1;
    FileSplit *split = &state->splits[0];
    split->handle = STDIN_FILENO;
    TRY(connector_as_connect(files_of(source)->info_of(files_of(source), STDIN_FILENO, &split->info)));
    if (split->info.is_directory)
        return error_new(ERR_CONNECT, "stdin is a directory");
    if (!split->info.is_regular)
        return atomic_exchange(&pipe_taken, true) ? error_hint(error_new(ERR_CONNECT, "stdin has been read already"), "write its rows into a stream or a file first, and query that") : NULL;
    off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR); /* '< file': read like a file, from where the descriptor stands */
    split->base = split->offset = at > 0 ? (uint64_t)at : 0;
    source->splits[0].length = split->info.size_bytes - (int64_t)split->offset;
    return NULL;
}

/* What the user calls the file: the path without the base directory that we put before it. */
static const char *shown_name(Arena *arena, const Source *source, const char *path)
{
    const char *base = source->context->base_directory;
    if (!base || options_of(source)->path[0] == '/')
        return path;
    return arena_strdup(arena, path + strlen(base) + 1);
}

static Error *find_files(Source *source)
{
    FileState *state = state_of(source);
    const char *given = options_of(source)->path, *const *paths = NULL;
    int count = 0;
    FileSystem *fs = files_of(source);
    TRY(connector_as_connect(fs->glob(fs, &state->arena, connector_resolve_path(&state->arena, source->context, given), &paths, &count)));
    if (count == 0 && strpbrk(given, "*?["))
        return error_new(ERR_CONNECT, "no file matches '%s'", given);
    if (count == 0)
        return error_new(ERR_CONNECT, "cannot open '%s': no such file", given);
    state->splits = ARENA_ARRAY(&state->arena, FileSplit, (size_t)count);
    source->splits = ARENA_ARRAY(&state->arena, SourceSplit, (size_t)count);
    for (int i = 0; i < count; i++) {
        state->splits[i] = (FileSplit){ .path = paths[i], .handle = -1 };
        source->splits[i].name = shown_name(&state->arena, source, paths[i]);
    }
    source->split_count = count;
    return NULL;
}

static Error *open_files(Source *source)
{
    bool follow = options_of(source)->follow;
    for (int i = 0; i < source->split_count; i++) {
        FileSplit *split = split_of(source, i);
        TRY(connector_as_connect(open_handle(source, split)));
        source->splits[i].length = split->info.is_regular && !follow ? split->info.size_bytes : -1;
        source->splits[i].bounded = !follow;
    }
    return NULL;
}

static Error *source_open(Source *source)
{
    const FileOptions *options = options_of(source);
    if (options->follow && (is_stdin(options) || options->compression > COMPRESSION_NONE || compression_for_path(options->path) != COMPRESSION_NONE))
        return error_new(ERR_UNSUPPORTED, "'follow' works on plain files, not on %s", is_stdin(options) ? "stdin" : "compressed ones");
    FileState *state = mem_calloc(1, sizeof *state);
    source->state = state;
    arena_init(&state->arena, source->context->pool);
    if (is_stdin(options))
        return open_stdin(source);
    TRY(find_files(source));
    return open_files(source);
}

static void release_bytes(FileSplit *split)
{
    mapped_file_release(split->map);
    buffer_release(split->window);
    buffer_release(split->raw);
    decompressor_free(split->decompressor);
    split->map = NULL;
    split->window = split->raw = NULL;
    split->decompressor = NULL;
}

static void source_close(Source *source)
{
    FileState *state = state_of(source);
    if (!state)
        return;
    for (int i = 0; state->splits && i < source->split_count; i++) {
        release_bytes(&state->splits[i]);
        close_handle(source, &state->splits[i]);
    }
    arena_release(&state->arena);
    mem_free(state);
    source->state = NULL;
    source->split_count = 0;
}

static bool source_bounded(const void *options) { return !((const FileOptions *)options)->follow; }

/* ---- reading stored bytes ---- */

/* One read of a pipe, after at most *linger_ms of silence. *waiting: nothing came. */
static Error *read_stream(Source *source, FileSplit *split, char *bytes, size_t size, int64_t *linger_ms, size_t *done, bool *waiting)
{
    struct pollfd ready = { .fd = split->handle, .events = POLLIN };
    *done = 0;
    *waiting = false;
    while (poll(&ready, 1, *linger_ms > 0 ? 1 : 0) == 0 || (ready.revents == 0)) {
        if (*linger_ms <= 0) {
            *waiting = true;
            return NULL;
        }
        --*linger_ms; /* silence is counted in steps, not by a clock: what is there never waits */
    }
    Error *error = files_of(source)->read_next(files_of(source), split->handle, bytes, size, done);
    split->offset += *done;
    return error ? error_context(error, "'%s'", name_of(source, split)) : NULL;
}

static Error *read_regular(Source *source, FileSplit *split, char *bytes, size_t size, size_t *done)
{
    FileSystem *fs = files_of(source);
    TRY(open_handle(source, split));
    Error *error = fs->read_at(fs, split->handle, split->offset, bytes, size, done);
    if (error)
        return error_context(error, "'%s'", name_of(source, split));
    split->offset += *done;
    if (*done < size && !options_of(source)->follow && (int64_t)split->offset < split->info.size_bytes)
        return error_new(ERR_IO, "the file '%s' shrank while it was read", name_of(source, split));
    return NULL;
}

/* At the end of a followed file: was it cut, or replaced by another? Then reading goes on at the new beginning. */
static Error *look_for_more(Source *source, FileSplit *split, bool *again)
{
    FileSystem *fs = files_of(source);
    FileInfo info;
    *again = false;
    TRY(fs->info(fs, split->path, &info));
    if (!info.exists)
        return NULL; /* between the two steps of a rotation */
    bool replaced = info.inode != split->info.inode || info.device != split->info.device;
    if (!replaced && info.size_bytes >= (int64_t)split->offset)
        return NULL;
    if (replaced) {
        size_t rest = 0;
        char probe;
        TRY(fs->read_at(fs, split->handle, split->offset, &probe, 1, &rest));
        if (rest) { /* it grew since the last read: finish it first */
            *again = true;
            return NULL;
        }
        close_handle(source, split);
        split->info.exists = false; /* take what the path names now */
        TRY(open_handle(source, split));
    }
    split->offset = 0;
    *again = true;
    return NULL;
}

/* ---- windows ---- */

/* Room for `want` bytes from the first unread one on, in a window that nobody else sees. */
static void reserve_window(FileSplit *split, size_t want)
{
    if (split->window && !split->shared && split->window->length - split->start >= want)
        return;
    size_t length = split->end - split->start;
    Buffer *window = buffer_new(want > length ? want : length);
    if (length)
        memcpy((char *)window->bytes, split->window->bytes + split->start, length);
    buffer_release(split->window);
    split->window = window;
    split->start = 0;
    split->end = length;
    split->shared = false;
}

static char *window_end(FileSplit *split) { return (char *)split->window->bytes + split->end; }

static Error *fill_raw(Source *source, FileSplit *split, int64_t *linger_ms, bool *end, bool *waiting)
{
    if (!split->raw)
        split->raw = buffer_new(RAW_BYTES);
    *end = *waiting = false;
    size_t done = 0;
    if (split->raw_at == split->raw_end)
        split->raw_at = split->raw_end = 0;
    char *room = (char *)split->raw->bytes + split->raw_end;
    if (split->kind == READ_STREAM)
        TRY(read_stream(source, split, room, RAW_BYTES - split->raw_end, linger_ms, &done, waiting));
    else
        TRY(read_regular(source, split, room, RAW_BYTES - split->raw_end, &done));
    split->raw_end += done;
    *end = done == 0 && !*waiting;
    return NULL;
}

static Error *read_compressed(Source *source, FileSplit *split, size_t room, int64_t *linger_ms, bool *waiting)
{
    if (!split->decompressor)
        split->decompressor = decompressor_new(split->compression);
    for (;;) {
        const char *input = split->raw ? split->raw->bytes + split->raw_at : no_bytes;
        size_t left = split->raw_end - split->raw_at, produced;
        Error *error = decompressor_run(split->decompressor, &input, &left, window_end(split), room, &produced);
        split->raw_at = split->raw_end - left;
        split->end += produced;
        if (error)
            return error_context(error, "'%s'", name_of(source, split));
        if (produced)
            return NULL;
        bool end;
        TRY(fill_raw(source, split, linger_ms, &end, waiting));
        if (*waiting)
            return NULL;
        if (!end)
            continue;
        split->ended = true;
        error = decompressor_finish(split->decompressor);
        return error ? error_context(error, "'%s'", name_of(source, split)) : NULL;
    }
}

static Error *read_plain(Source *source, FileSplit *split, size_t room, int64_t *linger_ms, bool *waiting)
{
    size_t done = 0;
    if (split->raw_end > split->raw_at) { /* what was read to learn the compression */
        done = split->raw_end - split->raw_at < room ? split->raw_end - split->raw_at : room;
        memcpy(window_end(split), split->raw->bytes + split->raw_at, done);
        split->raw_at += done;
    } else if (split->kind == READ_STREAM) {
        TRY(read_stream(source, split, window_end(split), room, linger_ms, &done, waiting));
    } else {
        TRY(read_regular(source, split, window_end(split), room, &done));
    }
    split->end += done;
    if (done || *waiting)
        return NULL;
    if (!options_of(source)->follow) {
        split->ended = true;
        return NULL;
    }
    bool again;
    TRY(look_for_more(source, split, &again));
    if (again && split->offset == 0) {
        split->part_ends = split->end > split->start; /* what is left of the old file is shown by itself */
        split->restarted |= !split->part_ends;
    }
    *waiting = !again || split->part_ends;
    return NULL;
}

/* ---- beginning ---- */

/* The first bytes tell the compression. *waiting: a pipe has not sent enough of them yet. */
static Error *find_compression(Source *source, FileSplit *split, int64_t *linger_ms, bool *waiting)
{
    *waiting = false;
    split->compression = (Compression)options_of(source)->compression;
    if (split->compression != COMPRESSION_AUTO)
        return NULL;
    const char *path = split->path ? split->path : "";
    if (split->kind == READ_STREAM) {
        bool end = false;
        while (!end && split->raw_end < FIRST_BYTES) {
            TRY(fill_raw(source, split, linger_ms, &end, waiting));
            if (*waiting)
                return NULL;
        }
        split->compression = compression_guess(split->raw->bytes, split->raw_end, path);
        return NULL;
    }
    char first[FIRST_BYTES];
    size_t done;
    FileSystem *fs = files_of(source);
    TRY(fs->read_at(fs, split->handle, split->offset, first, FIRST_BYTES, &done));
    split->compression = compression_guess(first, done, path);
    return NULL;
}

static Error *begin_split(Source *source, FileSplit *split, int64_t *linger_ms, bool *waiting)
{
    *waiting = false;
    if (split->begun)
        return NULL;
    TRY(open_handle(source, split));
    split->kind = split->info.is_regular ? READ_PLAIN : READ_STREAM;
    TRY(find_compression(source, split, linger_ms, waiting));
    if (*waiting)
        return NULL;
    split->begun = true;
    bool may_map = source->context->batch_mode && !options_of(source)->follow && files_of(source) == filesystem_system();
    if (!may_map || split->kind != READ_PLAIN || split->compression != COMPRESSION_NONE || split->info.size_bytes <= (int64_t)split->offset)
        return NULL;
    split->map = mapped_file_new(split->handle, (size_t)split->info.size_bytes);
    if (split->map) {
        split->kind = READ_MAPPED;
        split->map_at = split->offset;
        close_handle(source, split);
    }
    return NULL;
}

static void show_map(const FileSplit *split, SourceInput *input)
{
    *input = (SourceInput){ .bytes = mapped_file_bytes(split->map) + split->map_at,
        .length = mapped_file_length(split->map) - split->map_at, .end = true };
}

static Error *source_fill(Source *source, int index, size_t want, int64_t linger_us, SourceInput *input)
{
    FileSplit *split = split_of(source, index);
    int64_t linger_ms = (linger_us + 999) / 1000;
    bool waiting;
    *input = (SourceInput){ .bytes = no_bytes };
    TRY(begin_split(source, split, &linger_ms, &waiting));
    if (split->kind == READ_MAPPED) {
        show_map(split, input);
        return NULL;
    }
    if (split->part_ends && split->start == split->end) {
        split->part_ends = false;
        split->restarted = true;
    }
    while (!waiting && !split->ended && !split->part_ends && split->end - split->start < want) {
        reserve_window(split, want);
        size_t room = want - (split->end - split->start);
        if (split->compression == COMPRESSION_NONE)
            TRY(read_plain(source, split, room, &linger_ms, &waiting));
        else
            TRY(read_compressed(source, split, room, &linger_ms, &waiting));
    }
    if (split->window) {
        size_t behind = split->window->length - split->end;
        if (!split->shared)
            memset(window_end(split), 0, behind < BUFFER_PADDING ? behind : BUFFER_PADDING);
        input->bytes = split->window->bytes + split->start;
        input->length = split->end - split->start;
    }
    input->end = split->ended;
    input->waiting = waiting;
    if (waiting && split->kind == READ_STREAM) /* a pipe: somebody may sit at its other end */
        input->next_at_us = source->context->clock->now_us(source->context->clock) + STREAM_LOOK_US;
    input->part_ends = split->part_ends;
    input->restarted = split->restarted && input->length;
    return NULL;
}

static void view_destroy(Buffer *view)
{
    buffer_release(view->owner);
    mem_free(view);
}

static Error *source_take(Source *source, int index, size_t length, Buffer **buffer)
{
    FileSplit *split = split_of(source, index);
    if (split->kind == READ_MAPPED) {
        *buffer = mapped_file_view(split->map, split->map_at, length);
        split->map_at += length;
        return NULL;
    }
    Buffer *view = mem_calloc(1, sizeof *view);
    view->bytes = split->window->bytes + split->start;
    view->length = length;
    atomic_init(&view->references, 1);
    view->destroy = view_destroy;
    view->owner = buffer_retain(split->window);
    split->start += length;
    split->shared = true;
    split->restarted = false;
    *buffer = view;
    if (split->ended && split->start == split->end) { /* done: keep nothing open */
        release_bytes(split);
        split->start = split->end = split->raw_at = split->raw_end = 0;
        close_handle(source, split);
    }
    return NULL;
}

static Error *source_verify(Source *source, int index)
{
    FileSplit *split = split_of(source, index);
    if (split->kind != READ_MAPPED)
        return NULL;
    FileSystem *fs = files_of(source);
    FileInfo info;
    bool damaged = mapped_file_damaged(split->map);
    if (!damaged) { /* a cut within the last page raises no signal */
        TRY(split->path ? fs->info(fs, split->path, &info) : fs->info_of(fs, split->handle, &info));
        damaged = info.exists && info.inode == split->info.inode && info.device == split->info.device && info.size_bytes < split->info.size_bytes;
    }
    return damaged ? error_new(ERR_IO, "the file '%s' shrank while it was read", name_of(source, split)) : NULL;
}

/* ---- places ---- */

/* Compressed: everything before the position is decompressed once more. */
static Error *skip_bytes(Source *source, int index, uint64_t left)
{
    while (left) {
        SourceInput input;
        size_t want = left < RAW_BYTES ? (size_t)left : RAW_BYTES;
        TRY(source_fill(source, index, want, 1000, &input));
        if (input.length == 0 && input.end)
            return error_new(ERR_IO, "the file '%s' is shorter than where the job had stopped", source->splits[index].name);
        Buffer *dropped = NULL;
        size_t length = input.length < left ? input.length : (size_t)left;
        if (length)
            TRY(source_take(source, index, length, &dropped));
        buffer_release(dropped);
        left -= length;
    }
    return NULL;
}

/* A split may be sent back and forth any number of times while a job is tested or restored. */
static Error *source_seek(Source *source, int index, uint64_t position)
{
    FileSplit *split = split_of(source, index);
    int64_t linger_ms = 10;
    bool waiting;
    TRY(begin_split(source, split, &linger_ms, &waiting));
    if (!split->info.is_regular && (split->begun || position))
        return position ? error_new(ERR_IO, "'%s' is a pipe: it cannot be read again from byte %llu", source->splits[index].name, (unsigned long long)position) : NULL;
    if (split->kind == READ_MAPPED) {
        if (position + split->base > mapped_file_length(split->map))
            return error_new(ERR_IO, "the file '%s' is shorter than where the job had stopped", source->splits[index].name);
        split->map_at = (size_t)(split->base + position);
        return NULL;
    }
    release_bytes(split);
    split->start = split->end = split->raw_at = split->raw_end = 0;
    split->ended = split->part_ends = split->restarted = false;
    split->offset = split->base;
    if (split->compression != COMPRESSION_NONE)
        return skip_bytes(source, index, position);
    if (options_of(source)->follow) { /* a shorter file is a new one: from its beginning */
        FileInfo info;
        TRY(files_of(source)->info(files_of(source), split->path, &info));
        split->restarted = info.exists && info.size_bytes < (int64_t)position;
        split->offset = split->restarted ? 0 : position;
        return NULL;
    }
    if ((int64_t)(split->base + position) > split->info.size_bytes)
        return error_new(ERR_IO, "the file '%s' is shorter than where the job had stopped", source->splits[index].name);
    split->offset = split->base + position;
    return NULL;
}

static int64_t source_progress(Source *source, int index)
{
    const FileSplit *split = split_of(source, index);
    if (split->kind == READ_MAPPED)
        return (int64_t)(split->map_at - split->base);
    uint64_t unread = split->compression == COMPRESSION_NONE ? split->end - split->start : 0;
    return (int64_t)(split->offset - split->base - (split->raw_end - split->raw_at) - unread);
}

const SourceType file_source = {
    .open = source_open,
    .close = source_close,
    .bounded = source_bounded,
    .seek = source_seek,
    .fill = source_fill,
    .take = source_take,
    .verify = source_verify,
    .progress = source_progress,
};

/* ---- the connector ---- */

static const OptionSpec file_options[] = {
    { "path", OPTION_STRING, offsetof(FileOptions, path), NULL, "A path, or to read several files a pattern such as 'logs/*.json'; '-' is stdin.", .required = true },
    { "compression", OPTION_ENUM, offsetof(FileOptions, compression), "auto", "How the bytes are packed; auto: reading by the first bytes, writing by the name (.gz, .zst).",
      .choices = (const char *const[]){ "auto", "none", "gzip", "zstd", NULL } },
    { "follow", OPTION_BOOL, offsetof(FileOptions, follow), "false", "Reading: wait for more at the end, through truncation and rotation.", .required = false },
    { "mode", OPTION_ENUM, offsetof(FileOptions, mode), "auto",
      "Writing: what becomes of a file that is there already. `auto`: INSERT INTO appends, CREATE .. AS SELECT replaces.",
      .choices = (const char *const[]){ "auto", "overwrite", "append", NULL } },
    { "compression_level", OPTION_INT, offsetof(FileOptions, compression_level), "0", "Writing: 1 is fast, 9 (gzip) or 19 (zstd) is small; 0 is the usual one.", .minimum = 0, .maximum = 19 },
    { "extension", OPTION_STRING, offsetof(FileOptions, extension), NULL, "Writing partitions: how their files' names end, such as '.csv'; by default the format's name.", .required = false },
    { 0 }
};

const ConnectorType file_connector = {
    .name = "file",
    .aliases = (const char *const[]){ "filesystem", NULL },
    .doc = "Reads and writes files: plain, gzip or zstd.",
    .options = file_options,
    .options_size = sizeof(FileOptions),
    .source = &file_source,
    .sink = &file_sink,
};

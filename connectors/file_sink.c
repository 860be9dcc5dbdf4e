/* connectors/file_sink.c: files as a sink: one file, or one a folder of partitions.
 *
 * Bytes are collected to pieces of 64 KiB, packed if asked, and appended. A snapshot ends the gzip member or zstd frame at hand, syncs
 * the file and writes down its length; restore cuts the file back to it. What was there before is removed at the first write
 * (unless it is appended to), so that a job that fails early, or is continued from a snapshot, loses nothing. */
#include <string.h>

#include "connectors/file.h"

#define PIECE_BYTES 65536
#define HANDLES_MAX 128       /* open files; the one that was not written for the longest time is closed */

typedef struct OutputFile {
    const char *partition;    /* as given by `write`; "" without partitions */
    const char *path;
    int handle;               /* -1: not open */
    bool begun;               /* this job has written to it, or goes on where a snapshot left it */
    uint64_t base_length;     /* what it held before: where a restore to "not begun" goes back to (mode append) */
    uint64_t length;          /* bytes in the file */
    uint64_t last_used;
    bool has_header;
    Text pending;             /* not yet packed */
    Compressor *compressor;
} OutputFile;

typedef struct FileSinkState {
    Arena arena;
    struct { OutputFile **items; int count, capacity; } files;
    OutputFile *last;         /* the file of the previous write */
    Compression compression;
    bool partitioned;
    int handle_count;
    uint64_t ticks;
    Text packed;
} FileSinkState;

static const FileOptions *options_of(const Sink *sink) { return sink->spec->options; }
static FileSystem *files_of(const Sink *sink) { return sink->context->filesystem; }

/* A full disk does not get better by trying again at once: the job stops and says so. */
static Error *write_failed(Error *error, const OutputFile *file)
{
    if (!error)
        return NULL;
    if (error->code == ERR_IO)
        error->retriable = false;
    return error_context(error, "'%s'", file->path);
}

/* ---- files ---- */

static const char *file_path(Sink *sink, const char *partition)
{
    FileSinkState *state = sink->state;
    const char *root = connector_resolve_path(&state->arena, sink->context, options_of(sink)->path);
    if (!state->partitioned)
        return root;
    const char *given = options_of(sink)->extension, *format = sink->spec->format_name;
    const char *dot = given ? (given[0] == '.' || !given[0] ? "" : ".") : format ? "." : "";
    const char *extension = given ? given : format ? format : "";
    const char *packed = compression_for_path(extension) == state->compression ? "" : compression_extension(state->compression);
    return arena_printf(&state->arena, "%s/%s/part-0%s%s%s", root, partition, dot, extension, packed);
}

static OutputFile *file_for(Sink *sink, const char *partition)
{
    FileSinkState *state = sink->state;
    if (state->last && strcmp(state->last->partition, partition) == 0)
        return state->last;
    for (int i = 0; i < state->files.count; i++)
        if (strcmp(state->files.items[i]->partition, partition) == 0)
            return state->last = state->files.items[i];
    OutputFile *file = ARENA_NEW(&state->arena, OutputFile);
    file->partition = arena_strdup(&state->arena, partition);
    file->path = file_path(sink, partition);
    file->handle = -1;
    LIST_ADD(&state->arena, &state->files, file);
    return state->last = file;
}

static void close_handle(Sink *sink, OutputFile *file)
{
    if (file->handle < 0)
        return;
    files_of(sink)->close(files_of(sink), file->handle);
    file->handle = -1;
    ((FileSinkState *)sink->state)->handle_count--;
}

static Error *make_room_for_handle(Sink *sink);

static Error *make_folder(Sink *sink, const OutputFile *file)
{
    const char *slash = strrchr(file->path, '/');
    if (!((FileSinkState *)sink->state)->partitioned || !slash)
        return NULL;
    FileSinkState *state = sink->state;
    return files_of(sink)->make_directories(files_of(sink), arena_strndup(&state->arena, file->path, (size_t)(slash - file->path)));
}

static Error *open_handle(Sink *sink, OutputFile *file)
{
    FileSinkState *state = sink->state;
    FileSystem *fs = files_of(sink);
    file->last_used = ++state->ticks;
    if (file->handle >= 0)
        return NULL;
    TRY(make_room_for_handle(sink));
    TRY(make_folder(sink, file));
    int handle;
    TRY(fs->open_write(fs, file->path, false, false, &handle));
    file->handle = handle;
    state->handle_count++;
    return NULL;
}

static bool appends(const Sink *sink)
{
    int mode = options_of(sink)->mode;
    return mode == FILE_APPEND || (mode == FILE_AUTO && !sink->spec->replaces);
}

/* A last record without its line's end would run into the first new one. */
static Error *end_last_line(Sink *sink, OutputFile *file)
{
    FileSystem *fs = files_of(sink);
    int handle;
    size_t done = 0;
    char last = '\n';
    if (file->length == 0 || ((FileSinkState *)sink->state)->compression != COMPRESSION_NONE)
        return NULL;
    TRY(fs->open_read(fs, file->path, &handle));
    Error *error = fs->read_at(fs, handle, file->length - 1, &last, 1, &done);
    fs->close(fs, handle);
    TRY(error);
    if (done == 0 || last == '\n')
        return NULL;
    TRY(fs->write_all(fs, file->handle, "\n", 1));
    file->length++;
    return NULL;
}

/* The first write of this job to a file: what stood there goes, or stays and is appended to. */
static Error *begin_file(Sink *sink, OutputFile *file)
{
    FileSystem *fs = files_of(sink);
    FileInfo info;
    TRY(open_handle(sink, file));
    if (file->begun)
        return NULL;
    TRY(fs->info_of(fs, file->handle, &info));
    file->base_length = appends(sink) && info.is_regular ? (uint64_t)info.size_bytes : 0;
    if (info.is_regular && info.size_bytes && file->base_length == 0)
        TRY(fs->truncate(fs, file->handle, 0));
    file->length = file->base_length;
    file->has_header = file->base_length > 0;
    file->begun = true;
    if (file->base_length)
        return end_last_line(sink, file);
    return NULL;
}

/* ---- writing ---- */

static Error *append(Sink *sink, OutputFile *file, const char *bytes, size_t length)
{
    if (length == 0)
        return NULL;
    FileSystem *fs = files_of(sink);
    TRY(write_failed(open_handle(sink, file), file));
    TRY(write_failed(fs->write_all(fs, file->handle, bytes, length), file));
    file->length += length;
    return NULL;
}

static Error *pack_and_append(Sink *sink, OutputFile *file, const char *bytes, size_t length, CompressorEnd end)
{
    FileSinkState *state = sink->state;
    if (state->compression == COMPRESSION_NONE)
        return append(sink, file, bytes, length);
    if (!file->compressor)
        file->compressor = compressor_new(state->compression, (int)options_of(sink)->compression_level);
    state->packed.length = 0;
    TRY(compressor_run(file->compressor, bytes, length, end, &state->packed));
    return append(sink, file, state->packed.bytes, state->packed.length);
}

static Error *push_pending(Sink *sink, OutputFile *file, CompressorEnd end)
{
    if (!file->begun)
        return NULL;
    Error *error = pack_and_append(sink, file, text_c(&file->pending), file->pending.length, end);
    file->pending.length = 0;
    return error;
}

static Error *make_room_for_handle(Sink *sink)
{
    FileSinkState *state = sink->state;
    if (state->handle_count < HANDLES_MAX)
        return NULL;
    OutputFile *oldest = NULL;
    for (int i = 0; i < state->files.count; i++)
        if (state->files.items[i]->handle >= 0 && (!oldest || state->files.items[i]->last_used < oldest->last_used))
            oldest = state->files.items[i];
    close_handle(sink, oldest); /* its pending bytes and its compressor stay */
    return NULL;
}

static Error *sink_write(Sink *sink, const char *partition, const char *header, size_t header_length, const char *bytes, size_t length)
{
    OutputFile *file = file_for(sink, partition ? partition : "");
    if (!file->begun)
        TRY(write_failed(begin_file(sink, file), file));
    if (!file->has_header && header_length)
        text_add(&file->pending, header, header_length);
    file->has_header = true;
    if (file->pending.length + length < PIECE_BYTES) {
        if (length)
            text_add(&file->pending, bytes, length);
        return NULL;
    }
    TRY(push_pending(sink, file, COMPRESSOR_GOES_ON));
    return pack_and_append(sink, file, bytes, length, COMPRESSOR_GOES_ON);
}

static Error *push_all(Sink *sink, CompressorEnd end)
{
    FileSinkState *state = sink->state;
    for (int i = 0; i < state->files.count; i++)
        TRY(push_pending(sink, state->files.items[i], end));
    return NULL;
}

static Error *sink_flush(Sink *sink) { return push_all(sink, COMPRESSOR_FLUSH); }

/* ---- life ---- */

static Error *sink_open(Sink *sink)
{
    const FileOptions *options = options_of(sink);
    FileSinkState *state = mem_calloc(1, sizeof *state);
    sink->state = state;
    arena_init(&state->arena, sink->context->pool);
    state->partitioned = sink->spec->partition_count > 0;
    state->compression = (Compression)options->compression;
    if (strpbrk(options->path, "*?") || strcmp(options->path, "-") == 0)
        return error_new(ERR_CONNECT, "'%s' cannot be written: %s", options->path,
                         strcmp(options->path, "-") == 0 ? "connector 'stdout' writes to standard output" : "a pattern names no file");
    if (state->compression == COMPRESSION_AUTO)
        state->compression = compression_for_path(state->partitioned && options->extension ? options->extension : options->path);
    if (state->partitioned)
        return NULL;
    OutputFile *file = file_for(sink, "");
    Error *error = connector_as_connect(open_handle(sink, file)); /* it must be possible; nothing is removed yet */
    if (error)
        error->retriable = false;
    return error;
}

static void free_state(Sink *sink)
{
    FileSinkState *state = sink->state;
    for (int i = 0; i < state->files.count; i++) {
        OutputFile *file = state->files.items[i];
        close_handle(sink, file);
        text_release(&file->pending);
        compressor_free(file->compressor);
    }
    text_release(&state->packed);
    arena_release(&state->arena);
    mem_free(state);
    sink->state = NULL;
}

/* A job that ended well without a row leaves an empty file, not an old one. */
static Error *finish_files(Sink *sink, bool commit)
{
    FileSinkState *state = sink->state;
    for (int i = 0; commit && i < state->files.count; i++)
        TRY(write_failed(begin_file(sink, state->files.items[i]), state->files.items[i]));
    return push_all(sink, COMPRESSOR_FINISH);
}

static Error *sink_close(Sink *sink, bool commit)
{
    if (!sink->state)
        return NULL;
    Error *error;
    MEMORY_GUARDED(error, finish_files(sink, commit));
    free_state(sink);
    return error;
}

/* ---- checkpoints ---- */

/* One line a file: "length base header partition-length:partition". */
static Error *sink_snapshot(Sink *sink, Text *text)
{
    FileSinkState *state = sink->state;
    FileSystem *fs = files_of(sink);
    TRY(push_all(sink, COMPRESSOR_FINISH));
    for (int i = 0; i < state->files.count; i++) {
        OutputFile *file = state->files.items[i];
        if (!file->begun)
            continue;
        if (file->handle >= 0)
            TRY(write_failed(fs->sync(fs, file->handle), file));
        text_printf(text, "%llu %llu %d %zu:%s\n", (unsigned long long)file->length, (unsigned long long)file->base_length, file->has_header,
                    strlen(file->partition), file->partition);
    }
    return NULL;
}

/* Cuts a file back; what it is shorter by is lost, and nobody may go on as if it were not. */
static Error *cut_file(Sink *sink, OutputFile *file, uint64_t length)
{
    FileSystem *fs = files_of(sink);
    FileInfo info;
    compressor_free(file->compressor);
    file->compressor = NULL;
    file->pending.length = 0;
    TRY(open_handle(sink, file));
    TRY(fs->info_of(fs, file->handle, &info));
    if (!info.is_regular)
        return NULL;
    if ((uint64_t)info.size_bytes < length)
        return error_new(ERR_IO, "it has %lld bytes, fewer than the %llu of the snapshot", (long long)info.size_bytes, (unsigned long long)length);
    TRY(fs->truncate(fs, file->handle, length));
    file->length = length;
    return NULL;
}

static bool read_number(const char **at, const char *end, uint64_t *number)
{
    const char *start = *at;
    *number = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
        *number = *number * 10 + (uint64_t)(**at - '0');
    return *at > start && *at < end && ++*at; /* and over the separator */
}

static Error *restore_file(Sink *sink, const char **at, const char *end)
{
    FileSinkState *state = sink->state;
    uint64_t length, base, header, name_length;
    if (!read_number(at, end, &length) || !read_number(at, end, &base) || !read_number(at, end, &header) || !read_number(at, end, &name_length)
        || name_length >= (uint64_t)(end - *at))
        return error_new(ERR_IO, "the snapshot of the file sink is damaged");
    OutputFile *file = file_for(sink, arena_strndup(&state->arena, *at, name_length));
    *at += name_length + 1;
    file->base_length = base;
    file->has_header = header;
    file->begun = true;
    file->last_used = UINT64_MAX; /* marks it as part of the snapshot */
    Error *error = cut_file(sink, file, length);
    file->last_used = UINT64_MAX;
    return write_failed(error, file);
}

/* Files that were begun after the snapshot go back to what they were. */
static Error *restore_others(Sink *sink)
{
    FileSinkState *state = sink->state;
    for (int i = 0; i < state->files.count; i++) {
        OutputFile *file = state->files.items[i];
        bool known = file->last_used == UINT64_MAX;
        file->last_used = ++state->ticks;
        if (known || !file->begun)
            continue;
        TRY(write_failed(cut_file(sink, file, file->base_length), file));
        file->begun = file->has_header = false;
    }
    return NULL;
}

static Error *sink_restore(Sink *sink, const char *bytes, size_t length)
{
    const char *at = bytes;
    while (at < bytes + length)
        TRY(restore_file(sink, &at, bytes + length));
    return restore_others(sink);
}

const SinkType file_sink = {
    .open = sink_open,
    .write = sink_write,
    .flush = sink_flush,
    .snapshot = sink_snapshot,
    .restore = sink_restore,
    .close = sink_close,
};

/* connectors/timed.c: records with the times at which they arrive, and watermarks between them: what tests of streams are made of.
 *
 *   {"auction": 1, "price": 5}
 *   @2026-01-01 10:00:05              what follows arrives no earlier
 *   {"auction": 2, "price": 7}
 *   @watermark 2026-01-01 10:01:00    no record before this is to come
 *
 * A file is a split; positions are places in it, steps included. */
#include <string.h>

#include "common/calendar.h"
#include "connectors/connectors_internal.h"
#include "connectors/file.h"

typedef struct TimedOptions {
    const char *path;
    bool bounded;
} TimedOptions;

typedef struct Step {
    uint64_t position, length; /* its line in the file */
    bool is_watermark;
    int64_t time_us;
} Step;

typedef struct TimedSplit {
    Text file;
    uint64_t at;
    struct { Step *items; int count, capacity; } steps;
    int next_step;
} TimedSplit;

typedef struct TimedSource {
    Arena arena;
    TimedSplit *splits;
} TimedSource;

static TimedSplit *split_of(const Source *source, int split) { return &((TimedSource *)source->state)->splits[split]; }

/* ---- reading the file ---- */

static Error *read_file(FileSystem *fs, const char *path, Text *text)
{
    int handle;
    size_t done = 1;
    TRY(fs->open_read(fs, path, &handle));
    Error *error = NULL;
    while (!error && done) {
        text_reserve(text, 65536);
        error = fs->read_next(fs, handle, text->bytes + text->length, 65536, &done);
        text->length += error ? 0 : done;
    }
    fs->close(fs, handle);
    return error;
}

static Error *add_step(Arena *arena, TimedSplit *split, const char *line, size_t length, Step step)
{
    static const char word[] = "watermark ";
    step.is_watermark = length >= sizeof word - 1 && memcmp(line, word, sizeof word - 1) == 0;
    size_t skip = step.is_watermark ? sizeof word - 1 : 0;
    if (!timestamp_parse(line + skip, length - skip, &step.time_us, NULL))
        return error_hint(error_new(ERR_CONNECT, "'@%.*s' is no step", (int)length, line), "@2026-01-01 10:00:00, or @watermark 2026-01-01 10:00:00");
    LIST_ADD(arena, &split->steps, step);
    return NULL;
}

static Error *find_steps(Arena *arena, TimedSplit *split)
{
    const char *start = text_c(&split->file), *end = start + split->file.length;
    for (const char *line = start; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line)), *next = newline ? newline + 1 : end;
        Step step = { .position = (uint64_t)(line - start), .length = (uint64_t)(next - line) };
        if (*line == '@')
            TRY(add_step(arena, split, line + 1, (size_t)((newline ? newline : end) - line) - 1, step));
        line = next;
    }
    return NULL;
}

static Error *timed_open(Source *source)
{
    const TimedOptions *options = source->spec->options;
    TimedSource *state = mem_calloc(1, sizeof *state);
    FileSystem *fs = source->context->filesystem;
    const char *const *paths = NULL;
    int count = 0;
    source->state = state;
    arena_init(&state->arena, source->context->pool);
    TRY(connector_as_connect(fs->glob(fs, &state->arena, connector_resolve_path(&state->arena, source->context, options->path), &paths, &count)));
    if (count == 0)
        return error_new(ERR_CONNECT, "cannot open '%s': no such file", options->path);
    state->splits = ARENA_ARRAY(&state->arena, TimedSplit, (size_t)count);
    source->splits = ARENA_ARRAY(&state->arena, SourceSplit, (size_t)count);
    for (int i = 0; i < count; i++) {
        const char *slash = strrchr(paths[i], '/');
        source->splits[i] = (SourceSplit){ .name = slash ? slash + 1 : paths[i], .length = -1, .bounded = options->bounded };
        source->split_count = i + 1;
        Error *error = connector_as_connect(read_file(fs, paths[i], &state->splits[i].file));
        if (!error)
            error = find_steps(&state->arena, &state->splits[i]);
        if (error)
            return error_context(error, "'%s'", source->splits[i].name);
    }
    return NULL;
}

static void timed_close(Source *source)
{
    TimedSource *state = source->state;
    if (!state)
        return;
    for (int i = 0; i < source->split_count; i++)
        text_release(&state->splits[i].file);
    arena_release(&state->arena);
    mem_free(state);
    source->state = NULL;
    source->split_count = 0;
}

static bool timed_bounded(const void *options) { return ((const TimedOptions *)options)->bounded; }

/* ---- giving it ---- */

static Error *timed_seek(Source *source, int split, uint64_t position)
{
    TimedSplit *timed = split_of(source, split);
    timed->at = position;
    while (timed->next_step < timed->steps.count && timed->steps.items[timed->next_step].position < position)
        timed->next_step++;
    return NULL;
}

static Error *timed_fill(Source *source, int split, size_t want, int64_t linger_us, SourceInput *input)
{
    (void)want;
    (void)linger_us;
    TimedSplit *timed = split_of(source, split);
    int64_t now_us = source->context->clock->now_us(source->context->clock);
    *input = (SourceInput){ .waiting = true };
    for (; timed->next_step < timed->steps.count; timed->next_step++) {
        const Step *step = &timed->steps.items[timed->next_step];
        input->bytes = text_c(&timed->file) + timed->at;
        input->length = step->position - timed->at;
        if (input->length)
            return NULL;
        if (step->is_watermark) {
            input->has_watermark = true;
            input->watermark_us = step->time_us;
            return NULL;
        }
        if (now_us < step->time_us) {
            input->next_at_us = step->time_us;
            return NULL;
        }
        input->skipped += step->length; /* its time has come */
        timed->at += step->length;
    }
    input->waiting = false;
    input->bytes = text_c(&timed->file) + timed->at;
    input->length = timed->file.length - timed->at;
    input->end = true;
    return NULL;
}

static Error *timed_take(Source *source, int split, size_t length, Buffer **buffer)
{
    TimedSplit *timed = split_of(source, split);
    *buffer = buffer_new(length + 1);
    memcpy((char *)(*buffer)->bytes, text_c(&timed->file) + timed->at, length);
    timed->at += length;
    return NULL;
}

static Error *timed_pass_watermark(Source *source, int split, uint64_t *skipped)
{
    TimedSplit *timed = split_of(source, split);
    *skipped = timed->steps.items[timed->next_step++].length;
    timed->at += *skipped;
    return NULL;
}

static int64_t timed_progress(Source *source, int split) { return (int64_t)split_of(source, split)->at; }

static const SourceType timed_source = {
    .open = timed_open,
    .close = timed_close,
    .bounded = timed_bounded,
    .seek = timed_seek,
    .fill = timed_fill,
    .take = timed_take,
    .pass_watermark = timed_pass_watermark,
    .progress = timed_progress,
};

#define FIELD(name) offsetof(TimedOptions, name)
static const OptionSpec timed_options[] = {
    { .name = "path", .kind = OPTION_STRING, .offset = FIELD(path), .required = true, .doc = "A file, or a pattern of several: each is a split." },
    { .name = "bounded", .kind = OPTION_BOOL, .offset = FIELD(bounded), .default_text = "false",
      .doc = "Plan as for a bounded input. The end of the files ends the input in any case." },
    { 0 },
};

const ConnectorType timed_connector = {
    .name = "timed",
    .doc = "Records that arrive at given times, with watermarks between them: for tests.",
    .options = timed_options,
    .options_size = sizeof(TimedOptions),
    .source = &timed_source,
    .default_format = "json",
};

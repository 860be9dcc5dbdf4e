/* tester/tester.c: runs test files in every mode and compares.
 *
 * Each mode of a file has a session, a clock and an empty directory of its own. What may differ between modes: with rewrites off, the order
 * of rows. */
#include "tester/tester.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/calendar.h"
#include "common/value_text.h"
#include "engine/bidsql.h"
#include "tester/conformance.h"
#include "tester/test_file.h"
#include "tester/time_limit.h"

typedef struct Mode {
    const char *name;
    int threads;
    uint32_t batch_rows;
    size_t turn_bytes;
    bool snapshots, rewrites_off;
    uint64_t shuffle_seed;
} Mode;

static const Mode modes[] = {
    { .name = "plain", .threads = 1 },
    { .name = "batches-of-1", .threads = 1, .batch_rows = 1 },
    { .name = "batches-of-2", .threads = 1, .batch_rows = 2 },
    { .name = "snapshots", .threads = 1, .turn_bytes = 1, .snapshots = true },
    { .name = "threads", .threads = 3, .turn_bytes = 1, .shuffle_seed = 1 },
    { .name = "threads-2", .threads = 2, .turn_bytes = 1, .shuffle_seed = 77 },
    { .name = "rewrites-off", .threads = 1, .rewrites_off = true },
};
#define MODE_COUNT (sizeof modes / sizeof *modes)

typedef struct Run {
    const TestFile *file;
    const Mode *mode;
    Session *session;
    TopicLogs *topics;
    Arena arena;
    char directory[64];
    int time_limit_s;
    TestClock clock;
    SessionCounters before;
    Lines rows;           /* of the query at hand */
    bool updating;
    Text notices;         /* since the last SQL */
    bool failed, update;
    struct { int line, old_count; Lines rows; } *updates; /* --update: new expectations */
    int update_count;
} Run;

/* ---- results as lines ---- */

static Error *on_begin(void *caller, const ResultInfo *info)
{
    Run *run = caller;
    run->updating = info->updating;
    return NULL;
}

static Error *on_rows(void *caller, const Batch *batch)
{
    Run *run = caller;
    Text line = { 0 }, cell = { 0 };
    MEMORY_HOLD(text_unwind, &line);
    MEMORY_HOLD(text_unwind, &cell);
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        line.length = 0;
        if (run->updating)
            text_add_c(&line, row_kind_text(batch_kind(batch, row)));
        for (int c = 0; c < batch->column_count; c++) {
            if (c > 0 || run->updating)
                text_add_c(&line, " | ");
            if (vector_is_null(batch->columns[c], row))
                text_add_c(&line, "NULL");
            else
                text_add_value_plain(&cell, batch->columns[c], row);
            text_add_cell(&line, text_c(&cell), cell.length);
            cell.length = 0;
        }
        LIST_ADD(&run->arena, &run->rows, arena_strndup(&run->arena, text_c(&line), line.length));
    }
    text_release(&line);
    text_release(&cell);
    return NULL;
}

static void on_notice(void *caller, const char *text)
{
    Run *run = caller;
    text_add_c(&run->notices, text);
    text_add_char(&run->notices, '\n');
}

/* ---- comparing ---- */

/* Blanks around cells do not count, so that expectations may be aligned; frames of boxes neither. */
static const char *normal_row(Arena *arena, const char *line)
{
    char *out = arena_alloc(arena, strlen(line) + 1), *to = out;
    const char *from = line + strspn(line, " \t");
    bool framed = false;
    for (; *from; from++) {
        bool bar = *from == '|';
        if (strncmp(from, "\xE2\x94\x82", 3) == 0) { /* │ */
            bar = true;
            from += 2;
        }
        if (!bar) {
            *to++ = *from;
            continue;
        }
        if (to == out) { /* a bar at the start */
            framed = true;
        } else {
            while (to > out && (to[-1] == ' ' || to[-1] == '\t'))
                to--;
            *to++ = '|';
        }
        from += strspn(from + 1, " \t");
    }
    while (to > out && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
        to--;
    if (framed && to > out && to[-1] == '|')
        to--;
    *to = 0;
    return out;
}

static bool ends_with(const char *line, const char *end)
{
    size_t length = strlen(line), end_length = strlen(end);
    return length >= end_length && strcmp(line + length - end_length, end) == 0;
}

/* From corner to corner: what begins like one only is a line of a plan. */
static bool is_frame_line(const char *line)
{
    static const char *const corners[][2] = { { "\xE2\x94\x8C", "\xE2\x94\x90" }, { "\xE2\x94\x9C", "\xE2\x94\xA4" },
                                              { "\xE2\x94\x94", "\xE2\x94\x98" }, { "+-", "-+" } };
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++)
        if (strncmp(line, corners[i][0], strlen(corners[i][0])) == 0 && ends_with(line, corners[i][1]))
            return true;
    return false;
}

/* A result shown as a box has a header between its first two rules and a count at its end. */
static void strip_frame(Arena *arena, const Lines *shown, Lines *rows)
{
    int rules = 0;
    bool boxed = false;
    for (int i = 0; i < shown->count; i++)
        boxed |= is_frame_line(shown->items[i]);
    for (int i = 0; i < shown->count; i++) {
        if (is_frame_line(shown->items[i]))
            rules++;
        else if (!boxed || rules == 2)
            LIST_ADD(arena, rows, shown->items[i]);
    }
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static Lines normal_rows(Arena *arena, const Lines *lines, bool sorted)
{
    Lines bare = { 0 }, out = { 0 };
    strip_frame(arena, lines, &bare);
    for (int i = 0; i < bare.count; i++)
        LIST_ADD(arena, &out, normal_row(arena, bare.items[i]));
    if (sorted && out.count)
        qsort(out.items, (size_t)out.count, sizeof *out.items, by_text);
    return out;
}

/* What a result comes to: inserts minus deletes, or, where nothing is updated, its rows. */
static Lines final_rows(Run *run)
{
    Lines left = { 0 };
    if (!run->updating)
        return run->rows;
    for (int i = 0; i < run->rows.count; i++) {
        const char *line = run->rows.items[i];
        if (line[0] == '+') {
            LIST_ADD(&run->arena, &left, line + 5);
            continue;
        }
        for (int j = left.count - 1; j >= 0; j--)
            if (strcmp(left.items[j], line + 5) == 0) {
                left.items[j] = left.items[--left.count];
                break;
            }
    }
    return left;
}

static bool same_lines(const Lines *a, const Lines *b)
{
    if (a->count != b->count)
        return false;
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static void print_lines(const char *title, const Lines *lines)
{
    printf("    %s (%d):\n", title, lines->count);
    for (int i = 0; i < lines->count && i < 60; i++)
        printf("      %s\n", lines->items[i]);
}

static void fail_step(Run *run, const Step *step, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void fail_step(Run *run, const Step *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%s:%d: [%s] ", run->file->path, step->line, run->mode->name);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    run->failed = true;
}

static void note_update(Run *run, const Step *step, const Lines *rows)
{
    run->updates = mem_realloc(run->updates, sizeof *run->updates * (size_t)(run->update_count + 1));
    run->updates[run->update_count].line = step->expected_line;
    run->updates[run->update_count].old_count = step->expected.count;
    run->updates[run->update_count++].rows = *rows;
}

static void compare(Run *run, const Step *step, const Lines *actual_lines)
{
    bool sorted = step->sorted || step->final || run->mode->rewrites_off;
    Lines expected = normal_rows(&run->arena, &step->expected, sorted);
    Lines actual = { 0 };
    for (int i = 0; i < actual_lines->count; i++)
        LIST_ADD(&run->arena, &actual, normal_row(&run->arena, actual_lines->items[i]));
    if (sorted && actual.count)
        qsort(actual.items, (size_t)actual.count, sizeof *actual.items, by_text);
    if (same_lines(&expected, &actual))
        return;
    if (run->update) {
        note_update(run, step, actual_lines);
        return;
    }
    fail_step(run, step, "the rows differ");
    print_lines("expected", &expected);
    print_lines("actual", &actual);
}

/* ---- files ---- */

static const char *in_directory(Run *run, const char *name) { return arena_printf(&run->arena, "%s/%s", run->directory, name); }

static Error *write_file(Run *run, const Step *step)
{
    const char *path = in_directory(run, step->name);
    FileSystem *fs = filesystem_system();
    char *slash = strrchr(path, '/');
    if (strchr(step->name, '/'))
        TRY(fs->make_directories(fs, arena_strndup(&run->arena, path, (size_t)(slash - path))));
    FILE *out = fopen(path, "w");
    if (!out)
        return error_new(ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    for (int i = 0; i < step->expected.count; i++)
        fprintf(out, "%s\n", step->expected.items[i]);
    fclose(out);
    return NULL;
}

static Error *link_file(Run *run, const Step *step)
{
    const char *slash = strrchr(run->file->path, '/');
    const char *beside = slash ? arena_printf(&run->arena, "%.*s/%s", (int)(slash - run->file->path), run->file->path, step->name) : step->name;
    char *full = realpath(beside, NULL);
    if (!full)
        return error_new(ERR_IO, "no file '%s'", beside);
    const char *base = strrchr(step->name, '/');
    int outcome = symlink(full, in_directory(run, base ? base + 1 : step->name));
    free(full);
    return outcome ? error_new(ERR_IO, "cannot link '%s': %s", step->name, strerror(errno)) : NULL;
}

static Error *compare_file(Run *run, const Step *step)
{
    const char *path = in_directory(run, step->name);
    FILE *in = fopen(path, "r");
    if (!in) {
        fail_step(run, step, "there is no file '%s'", step->name);
        return NULL;
    }
    Lines lines = { 0 };
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, in)) >= 0;)
        LIST_ADD(&run->arena, &lines, arena_strndup(&run->arena, line, (size_t)length - (length && line[length - 1] == '\n')));
    free(line);
    fclose(in);
    compare(run, step, &lines);
    return NULL;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* ---- steps ---- */

static Error *run_sql(Run *run, const Step *step)
{
    SessionOutput output = { .begin = on_begin, .rows = on_rows, .notice = on_notice, .caller = run };
    run->rows = (Lines){ 0 };
    run->notices.length = 0;
    run->updating = false;
    session_counters(run->session, &run->before);
    char batch_rows[16];
    snprintf(batch_rows, sizeof batch_rows, "%u", step->changelog ? 1 : run->mode->batch_rows ? run->mode->batch_rows : BATCH_ROWS);
    TRY(session_set(run->session, "exec.batch_rows", batch_rows));
    time_limit_watch(run->session, arena_printf(&run->arena, "%s:%d: [%s] this", run->file->path, step->line, run->mode->name));
    Error *error = session_run(run->session, step->sql, strlen(step->sql), &output);
    if (!time_limit_unwatch())
        return error;
    error_free(error);
    fail_step(run, step, "this does not end: no row for %d s, or %d s in all. Does its input end? 'topics until-quiet', LIMIT, or --time-limit=SECONDS", run->time_limit_s, run->time_limit_s * TIME_LIMIT_TIMES);
    return NULL;
}

static const char *rendered(Run *run, const Step *step, const Error *error)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    error_render(error, "sql", step->sql ? step->sql : "", step->sql ? strlen(step->sql) : 0, false, &text);
    const char *copy = arena_strdup(&run->arena, text_c(&text));
    text_release(&text);
    return copy;
}

static void check_error(Run *run, const Step *step, Error *error)
{
    if (!error) {
        fail_step(run, step, "this should have failed");
        return;
    }
    const char *text = rendered(run, step, error);
    for (int i = 0; i < step->expected.count; i++) {
        const char *part = step->expected.items[i] + strspn(step->expected.items[i], " ");
        if (*part && !strstr(text, part)) {
            fail_step(run, step, "the error does not say \"%s\" but:\n%s", part, text);
            return;
        }
    }
}

static void check_includes(Run *run, const Step *step)
{
    for (int e = 0; e < step->expected.count; e++) {
        const char *part = step->expected.items[e] + strspn(step->expected.items[e], " ");
        bool found = *part == 0;
        for (int i = 0; i < run->rows.count && !found; i++)
            found = strstr(run->rows.items[i], part) != NULL;
        if (!found) {
            fail_step(run, step, "no row has \"%s\"", part);
            print_lines("actual", &run->rows);
            return;
        }
    }
}

static void check_query(Run *run, const Step *step, Error *error)
{
    if (error) {
        fail_step(run, step, "%s", rendered(run, step, error));
        return;
    }
    if (step->includes) {
        check_includes(run, step);
        return;
    }
    Lines final;
    if (run->updating && !step->changelog && !step->final) {
        fail_step(run, step, "the result is a changelog: write 'query changelog' or 'query final'");
        return;
    }
    if (step->final)
        final = final_rows(run);
    compare(run, step, step->final ? &final : &run->rows);
}

static void check_expect(Run *run, const Step *step)
{
    SessionCounters now;
    session_counters(run->session, &now);
    const struct { const char *name; uint64_t value; } counters[] = {
        { "rows_in", now.rows_in - run->before.rows_in }, { "rows_out", now.rows_out - run->before.rows_out },
        { "bad_rows", now.bad_rows - run->before.bad_rows }, { "row_errors", now.row_errors - run->before.row_errors },
        { "late_rows", now.late_rows - run->before.late_rows }, { "late_windows", now.late_windows - run->before.late_windows } };
    if (strcmp(step->name, "notice") == 0) {
        if (!strstr(text_c(&run->notices), step->value))
            fail_step(run, step, "no notice says \"%s\"; there are:\n%s", step->value, text_c(&run->notices));
        return;
    }
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        if (strcmp(counters[i].name, step->name) == 0) {
            if (counters[i].value != strtoull(step->value, NULL, 10))
                fail_step(run, step, "%s is %llu, not %s", step->name, (unsigned long long)counters[i].value, step->value);
            return;
        }
    fail_step(run, step, "no counter '%s'", step->name);
}

static Error *register_schema(Run *run, const Step *step)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (int i = 0; i < step->expected.count; i++)
        text_printf(&text, "%s%s", i ? "\n" : "", step->expected.items[i]);
    const RegisteredSchema schema = { .type = step->value, .text = text_c(&text) }, *registered;
    Error *error = schema_registry_put_as(topic_logs_registry(run->topics), step->name, &schema, step->number, &registered);
    text_release(&text);
    return error;
}

static void run_step(Run *run, const Step *step)
{
    Error *error = NULL;
    int64_t time_us;
    switch (step->kind) {
    case STEP_FILE: error = write_file(run, step); break;
    case STEP_USE: error = link_file(run, step); break;
    case STEP_FILE_IS: error = compare_file(run, step); break;
    case STEP_STATEMENT: error = run_sql(run, step); break;
    case STEP_ERROR:
        error = run_sql(run, step);
        if (!run->failed)
            check_error(run, step, error);
        error_free(error);
        return;
    case STEP_QUERY:
        error = run_sql(run, step);
        if (!run->failed)
            check_query(run, step, error);
        error_free(error);
        return;
    case STEP_EXPECT: check_expect(run, step); return;
    case STEP_SET: error = session_set(run->session, step->name, step->value); break;
    case STEP_SCHEMA: error = register_schema(run, step); break;
    case STEP_CLOCK:
        if (timestamp_parse(step->value, strlen(step->value), &time_us, NULL))
            run->clock.current_us = time_us;
        else
            fail_step(run, step, "'%s' is no time", step->value);
        return;
    }
    if (error)
        fail_step(run, step, "%s", rendered(run, step, error));
    error_free(error);
}

static bool is_skipped(const TestFile *file, const Mode *mode)
{
    for (int i = 0; i < file->skip_count; i++)
        if (strcmp(file->skip[i], mode->name) == 0)
            return true;
    return false;
}

static Error *open_run(Run *run)
{
    const char *where = getenv("TMPDIR");
    snprintf(run->directory, sizeof run->directory, "%.40s/bidsql-test-XXXXXX", where ? where : "/tmp");
    if (!mkdtemp(run->directory))
        return error_new(ERR_IO, "cannot make a directory: %s", strerror(errno));
    test_clock_init(&run->clock, 1767225600000000); /* 2026-01-01 00:00:00 */
    run->topics = topic_logs_new();
    SessionOptions options = { .clock = &run->clock.clock, .topics = run->file->topics ? run->topics : NULL, .until_quiet = run->file->until_quiet, .threads = run->mode->threads, .batch_rows = run->mode->batch_rows,
        .max_bad_rows = UINT64_MAX, .base_directory = run->directory, .turn_bytes = run->mode->turn_bytes,
        .snapshot_every_turn = run->mode->snapshots, .rewrites_off = run->mode->rewrites_off, .shuffle_seed = run->mode->shuffle_seed };
    return session_new(&options, &run->session);
}

static void close_run(Run *run)
{
    session_free(run->session);
    topic_logs_free(run->topics);
    if (run->directory[0])
        nftw(run->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    text_release(&run->notices);
}

static void run_steps(Run *run)
{
    Error *error = open_run(run);
    if (error) {
        printf("%s: [%s] %s\n", run->file->path, run->mode->name, error->message);
        error_free(error);
        run->failed = true;
    }
    time_limit_start(run->time_limit_s);
    for (int i = 0; i < run->file->steps.count && !run->failed; i++)
        run_step(run, &run->file->steps.items[i]);
    close_run(run);
}

/* ---- --update ---- */

static void rewrite_file(const Run *run, const char *text, size_t length)
{
    FILE *out = fopen(run->file->path, "w");
    if (!out)
        return;
    int line = 1, next = 0, skip = 0;
    for (size_t at = 0; at < length; line++) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end ? (size_t)(end - text) - at + 1 : length - at;
        if (next < run->update_count && run->updates[next].line == line) {
            for (int i = 0; i < run->updates[next].rows.count; i++)
                fprintf(out, "%s\n", run->updates[next].rows.items[i]);
            skip = run->updates[next++].old_count;
        }
        if (skip > 0)
            skip--;
        else
            fwrite(text + at, 1, size, out);
        at += size;
    }
    while (next < run->update_count) {
        for (int i = 0; i < run->updates[next].rows.count; i++)
            fprintf(out, "%s\n", run->updates[next].rows.items[i]);
        next++;
    }
    fclose(out);
}

/* ---- files ---- */

typedef struct Tally { int passed, failed, skipped, time_limit_s; bool update; const char *only_mode; } Tally;

static void run_file(const char *path, Tally *tally)
{
    Arena arena;
    arena_init(&arena, NULL);
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    FILE *in = fopen(path, "r");
    char piece[65536];
    for (size_t got; in && (got = fread(piece, 1, sizeof piece, in)) > 0;)
        text_add(&text, piece, got);
    if (in)
        fclose(in);
    TestFile file;
    Error *error = in ? test_file_read(&arena, path, text_c(&text), text.length, &file) : error_new(ERR_CONNECT, "cannot open '%s': %s", path, strerror(errno));
    if (error) {
        printf("%s\n", error->message);
        error_free(error);
        tally->failed++;
    }
    for (size_t m = 0; !error && m < MODE_COUNT; m++) {
        if (tally->only_mode && strcmp(tally->only_mode, modes[m].name) != 0)
            continue;
        if (is_skipped(&file, &modes[m])) {
            tally->skipped++;
            continue;
        }
        Run run = { .file = &file, .mode = &modes[m], .update = tally->update && m == 0, .time_limit_s = tally->time_limit_s };
        arena_init(&run.arena, NULL);
        run_steps(&run);
        if (run.update_count)
            rewrite_file(&run, text_c(&text), text.length);
        mem_free(run.updates);
        arena_release(&run.arena);
        tally->passed += !run.failed;
        tally->failed += run.failed;
        if (run.update_count)
            break; /* the expectations are new: run again */
    }
    text_release(&text);
    arena_release(&arena);
}

static const char *walk_paths[65536];
static int walk_count;
static bool walk_for_json; /* ksqlDB's tests, else ours */

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), ending_length = strlen(ending);
    return length > ending_length && strcmp(path + length - ending_length, ending) == 0;
}

static int collect(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)walk;
    bool wanted = walk_for_json ? ends_in(path, ".json") : ends_in(path, ".test") || ends_in(path, ".md");
    if (kind == FTW_F && wanted && walk_count < 65536)
        walk_paths[walk_count++] = mem_strdup(path);
    return 0;
}

/* The files at `path`, sorted, into walk_paths. */
static void find_files(const char *path)
{
    struct stat status;
    int before = walk_count;
    if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
        walk_paths[walk_count++] = mem_strdup(path);
        return;
    }
    nftw(path, collect, 16, FTW_PHYS);
    if (walk_count > before)
        qsort(walk_paths + before, (size_t)(walk_count - before), sizeof *walk_paths, by_text);
}

typedef struct TesterOptions {
    Tally tally;
    bool ksqldb;
    ConformanceOptions conformance;
} TesterOptions;

static const char usage[] = "bidsql test [--mode=NAME] [--time-limit=SECONDS] [--update] PATH..., or bidsql test --ksqldb [--lists=FOLDER] [--case=TEXT] [--class=NAME] [--list] [--summary] [--update] [--admit] PATH...";

static bool read_option(const char *option, TesterOptions *options)
{
    ConformanceOptions *conformance = &options->conformance;
    if (strcmp(option, "--update") == 0)
        options->tally.update = conformance->update = true;
    else if (strncmp(option, "--mode=", 7) == 0)
        options->tally.only_mode = option + 7;
    else if (strncmp(option, "--time-limit=", 13) == 0)
        options->tally.time_limit_s = atoi(option + 13);
    else if (strcmp(option, "--ksqldb") == 0)
        options->ksqldb = true;
    else if (strncmp(option, "--lists=", 8) == 0)
        conformance->lists = option + 8;
    else if (strncmp(option, "--case=", 7) == 0)
        conformance->only = option + 7;
    else if (strncmp(option, "--class=", 8) == 0)
        conformance->of_class = option + 8;
    else if (strcmp(option, "--list") == 0)
        conformance->list = true;
    else if (strcmp(option, "--summary") == 0)
        conformance->summary = true;
    else if (strcmp(option, "--admit") == 0)
        conformance->admit = true;
    else
        return false;
    return true;
}

int tester_main(int argc, char **argv)
{
    TesterOptions options = { .tally.time_limit_s = TIME_LIMIT_S, .conformance.lists = "tests/conformance" };
    int paths = 0;
    for (int i = 0; i < argc; i++) {
        paths += argv[i][0] != '-';
        if (argv[i][0] == '-' && !read_option(argv[i], &options)) {
            fprintf(stderr, "bidsql: no option '%s'; %s\n", argv[i], usage);
            return 2;
        }
    }
    if (paths == 0) {
        fprintf(stderr, "bidsql: which files? %s\n", usage);
        return 2;
    }
    walk_for_json = options.ksqldb;
    for (int i = 0; i < argc; i++)
        if (argv[i][0] != '-')
            find_files(argv[i]);
    Tally *tally = &options.tally;
    if (options.ksqldb) {
        ConformanceTally counts = { 0 };
        conformance_main(walk_paths, walk_count, &options.conformance, &counts);
        tally->passed = counts.passed;
        tally->failed = counts.failed;
        tally->skipped = counts.skipped;
    }
    for (int i = 0; i < walk_count; i++) {
        if (!options.ksqldb)
            run_file(walk_paths[i], tally);
        mem_free((char *)walk_paths[i]);
    }
    printf("%d passed, %d failed, %d skipped\n", tally->passed, tally->failed, tally->skipped);
    return tally->failed ? 1 : 0;
}

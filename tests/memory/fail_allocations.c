/* tests/memory/fail_allocations.c: every allocation of every statement of the corpus is made to fail in turn.
 *
 *   fail_allocations [-every=N] [-threads=N] [-snapshots] [-only=TITLE] FILE
 *
 * The file holds statements with a title each (`--# title`); what stands before the first title prepares. A statement runs once without
 * failure; then for n = 1, 2, .. its n-th allocation fails: it must end in "out of memory" or give what it gave before, and the session
 * must go on: after each failure a query runs, and at the end the statement itself again, with the same rows. Built with AddressSanitizer,
 * nothing may leak. -every: only every N-th n, from a start that differs by statement. -snapshots: the job is replaced by its own snapshot
 * after every turn, so that writing and reading it fails, too. Relative paths are those of the current directory. */
#include <stdio.h>
#include <stdlib.h>

#include "common/value_text.h"
#include "engine/bidsql.h"

int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

typedef struct Case {
    const char *title, *sql;
    size_t length;
} Case;

/* What a statement gave: order counts. No allocations of its own matter: it is the test's. */
typedef struct Outcome {
    uint64_t hash, rows;
    Text line;
} Outcome;

static Error *on_rows(void *caller, const Batch *batch)
{
    Outcome *outcome = caller;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        outcome->line.length = 0;
        for (int c = 0; c < batch->column_count; c++) {
            text_add_c(&outcome->line, vector_is_null(batch->columns[c], row) ? "NULL" : "=");
            if (!vector_is_null(batch->columns[c], row))
                text_add_value_plain(&outcome->line, batch->columns[c], row);
            text_add_char(&outcome->line, '|');
        }
        outcome->rows++;
        for (size_t k = 0; k < outcome->line.length; k++)
            outcome->hash = (outcome->hash ^ (unsigned char)outcome->line.bytes[k]) * 1099511628211u;
    }
    return NULL;
}

static Error *run(Session *session, const char *sql, size_t length, Outcome *outcome)
{
    static const char measuring[] = "EXPLAIN ANALYZE";
    SessionOutput output = { .rows = on_rows, .caller = outcome };
    outcome->hash = 14695981039346656037u;
    outcome->rows = 0;
    Error *error = session_run(session, sql, length, &output);
    if (strncmp(sql, measuring, sizeof measuring - 1) == 0)
        outcome->hash = 0; /* it shows how much memory was used */
    return error;
}

static Session *prepared_session(const Case *preparation, int threads, bool snapshots)
{
    Session *session;
    Outcome outcome = { 0 };
    static TestClock clock; /* EXPLAIN ANALYZE shows how long it took */
    test_clock_init(&clock, 1767225600000000);
    SessionOptions options = { .clock = &clock.clock, .threads = threads, .max_bad_rows = UINT64_MAX, .keep_quiet = true, .turn_bytes = 200, .snapshot_every_turn = snapshots };
    Error *error = session_new(&options, &session);
    if (!error)
        error = run(session, preparation->sql, preparation->length, &outcome);
    if (error) {
        printf("the preparation fails: %s\n", error->message);
        exit(1);
    }
    text_release(&outcome.line);
    return session;
}

/* Opening a session, too. */
static bool check_opening(void)
{
    SessionOptions options = { .threads = 1, .dialect = "flink", .rewrites_off = true };
    for (int64_t n = 1;; n++) {
        Session *session = NULL;
        memory_fail_at(n);
        Error *error = session_new(&options, &session);
        memory_fail_at(0);
        session_free(session);
        if (!error)
            return true;
        if (error->code != ERR_MEMORY || session) {
            printf("opening a session, allocation %lld: %s\n", (long long)n, error->message);
            return false;
        }
    }
}

static bool same_error(const Error *a, const Error *b) { return a && b ? a->code == b->code && strcmp(a->message, b->message) == 0 : a == b; }

typedef struct Tally {
    int64_t failures, unharmed;
} Tally;

/* False: something is wrong, and said. */
static bool check_case(const Case *preparation, const Case *check, int threads, bool snapshots, int64_t every, Tally *tally)
{
    static const char next[] = "SELECT 1 + 1 AS two";
    Session *session = prepared_session(preparation, threads, snapshots);
    Outcome clean = { 0 }, now = { 0 };
    bool fine = true;
    Error *warm_up = run(session, check->sql, check->length, &clean); /* what is made once only: types, libraries */
    error_free(warm_up);
    int64_t before = memory_allocation_count();
    Error *expected = run(session, check->sql, check->length, &clean);
    int64_t count = memory_allocation_count() - before;
    int64_t first = 1 + (int64_t)(strlen(check->title) * 7 % (size_t)every);
    for (int64_t n = first; n <= count && fine; n += every) {
        memory_fail_at(n);
        Error *error = run(session, check->sql, check->length, &now);
        memory_fail_at(0);
        if (error && error->code == ERR_MEMORY) {
            tally->failures++;
        } else if (same_error(error, expected) && now.hash == clean.hash && now.rows == clean.rows) {
            tally->unharmed++;
        } else {
            printf("%s: allocation %lld of %lld: %llu rows, %s\n", check->title, (long long)n, (long long)count, (unsigned long long)now.rows, error ? error->message : "no error");
            fine = false;
        }
        error_free(error);
        error = run(session, next, sizeof next - 1, &now);
        if (error || now.rows != 1) {
            printf("%s: after allocation %lld the next query fails: %s\n", check->title, (long long)n, error ? error->message : "no rows");
            fine = false;
        }
        error_free(error);
    }
    Error *after = run(session, check->sql, check->length, &now);
    if (fine && (!same_error(after, expected) || now.hash != clean.hash || now.rows != clean.rows)) {
        printf("%s: afterwards it gives %llu rows and %s, not %llu and %s\n", check->title, (unsigned long long)now.rows, after ? after->message : "no error",
               (unsigned long long)clean.rows, expected ? expected->message : "no error");
        fine = false;
    }
    error_free(after);
    error_free(expected);
    text_release(&clean.line);
    text_release(&now.line);
    session_free(session);
    if (fine && __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check()) {
        printf("%s: memory leaks\n", check->title);
        fine = false;
    }
    return fine;
}

/* ---- the corpus ---- */

static char *read_file(const char *path, size_t *length)
{
    FILE *in = fopen(path, "rb");
    if (!in) {
        fprintf(stderr, "cannot open '%s'\n", path);
        exit(2);
    }
    char *text = malloc(1 << 20);
    *length = fread(text, 1, (1 << 20) - 1, in);
    text[*length] = 0;
    fclose(in);
    return text;
}

/* Cuts the text at its titles; cases[0] is what stands before them. */
static int split_cases(char *text, size_t length, Case *cases, int limit)
{
    int count = 1;
    cases[0] = (Case){ .title = "preparation", .sql = text, .length = length };
    for (char *p = text; count < limit && (p = strstr(p, "--# ")) != NULL;) {
        cases[count - 1].length = (size_t)(p - cases[count - 1].sql);
        char *newline = strchr(p, '\n');
        if (!newline)
            break;
        *newline = 0;
        cases[count++] = (Case){ .title = p + 4, .sql = newline + 1, .length = (size_t)(text + length - newline - 1) };
        p = newline + 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    static Case cases[256];
    int64_t every = 1;
    int threads = 1, failed = 0, checked = 0;
    bool snapshots = false;
    const char *only = NULL, *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "-every=", 7) == 0)
            every = strtoll(argv[i] + 7, NULL, 10);
        else if (strncmp(argv[i], "-threads=", 9) == 0)
            threads = (int)strtol(argv[i] + 9, NULL, 10);
        else if (strcmp(argv[i], "-snapshots") == 0)
            snapshots = true;
        else if (strncmp(argv[i], "-only=", 6) == 0)
            only = argv[i] + 6;
        else
            path = argv[i];
    }
    if (!path || every < 1) {
        fprintf(stderr, "fail_allocations [-every=N] [-threads=N] [-snapshots] [-only=TITLE] FILE\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    size_t length;
    char *text = read_file(path, &length);
    int count = split_cases(text, length, cases, 256);
    Tally tally = { 0 };
    if (!only && !check_opening())
        failed++;
    for (int i = 1; i < count; i++) {
        if (only && strcmp(only, cases[i].title) != 0)
            continue;
        checked++;
        failed += !check_case(&cases[0], &cases[i], threads, snapshots, every, &tally);
    }
    printf("%d statements, %d failed; %lld allocations failed, %lld of them without harm\n", checked, failed, (long long)(tally.failures + tally.unharmed), (long long)tally.unharmed);
    free(text);
    return failed || !checked;
}

/* tests/fuzz/fuzz_statements.c: statements out of the grammar: each of them parses, prints to text that parses to an equal tree, and is planned
 * and run, or refused in good order with a place in the text. */
#include <stdio.h>
#include <stdlib.h>
#include "engine/bidsql.h"
#include "parser/parser.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/generator.h"

#define STATEMENTS_MAX 6

/* One of the two sessions that run the same statements: as ever; and without rewrites, row by row, from its snapshot after every row. */
typedef struct Side {
    Session *session;
    TestClock clock;
    Arena arena;
    struct { const char **items; int count, capacity; } rows; /* of the query at hand: what its changes come to */
    bool is_query, updating;
} Side;

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    FuzzRandom random = { seed };
    if (size < 256 && max_size >= 256) /* short inputs end in first choices */
        while (size < 256)
            data[size++] = (uint8_t)fuzz_random(&random, 256);
    if (fuzz_random(&random, 2)) { /* other choices from here on */
        uint32_t at = fuzz_random(&random, (uint32_t)size), count = 1 + fuzz_random(&random, 128);
        for (; count && at < size; count--)
            data[at++] = (uint8_t)fuzz_random(&random, 256);
        return size;
    }
    return LLVMFuzzerMutate(data, size, max_size);
}

static void check_error(const Error *error, const char *sql, size_t size)
{
    for (; error; error = error->next) {
        if (error->at.start > size || error->at.length > size - error->at.start)
            fuzz_fail("an error outside of the text: %u+%u: %s\n%s", error->at.start, error->at.length, error->message, sql);
        if (error->code == ERR_INTERNAL)
            fuzz_fail("%s\n%s", error->message, sql);
    }
}

static void check_printing(const char *sql, size_t size)
{
    Arena arena;
    AstScript script, again;
    arena_init(&arena, NULL);
    Error *error = parse_script(&arena, sql, size, NULL, &script);
    if (error)
        fuzz_fail("does not parse: %s at %u\n%s", error->message, error->at.start, sql);
    for (int i = 0; i < script.statement_count; i++) {
        Text text = { 0 };
        ast_print_statement(script.statements[i], &text);
        error = parse_script(&arena, text_c(&text), text.length, NULL, &again);
        if (error || again.statement_count != 1 || !ast_equal_statement(script.statements[i], again.statements[0]))
            fuzz_fail("does not come back: %s\n%s\n%s", error ? error->message : "", sql, text_c(&text));
        text_release(&text);
    }
    arena_release(&arena);
}

/* ---- running ---- */

static Error *take_info(void *caller, const ResultInfo *info)
{
    Side *side = caller;
    side->is_query = info->is_query;
    side->updating = info->updating;
    return NULL;
}

static void take_change(Side *side, const char *row, RowKind kind)
{
    if (!(kind & 1)) {
        LIST_ADD(&side->arena, &side->rows, row);
        return;
    }
    for (int i = 0; i < side->rows.count; i++)
        if (strcmp(side->rows.items[i], row) == 0) {
            side->rows.items[i] = side->rows.items[--side->rows.count];
            return;
        }
    LIST_ADD(&side->arena, &side->rows, arena_printf(&side->arena, "taken back, and not there: %s", row));
}

static Error *take_rows(void *caller, const Batch *batch)
{
    Side *side = caller;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        for (int c = 0; c < batch->column_count; c++) {
            Value value = vector_get(&side->arena, batch->columns[c], row);
            text_add_c(&text, " | ");
            value_print(&value, &text);
        }
        take_change(side, arena_strdup(&side->arena, text_c(&text)), batch_kind(batch, row));
        text_release(&text);
    }
    return NULL;
}

static void open_side(Side *side, bool other)
{
    SessionOptions options = { .threads = 1, .max_bad_rows = UINT64_MAX, .memory_limit_bytes = 256 << 20, .base_directory = "/nonexistent", .keep_quiet = true, .clock = &side->clock.clock,
        .rewrites_off = other, .batch_rows = other ? 1 : 0, .turn_bytes = other ? 1 : 0, .snapshot_every_turn = other };
    SessionOutput nowhere = { 0 };
    test_clock_init(&side->clock, 1767225600000000);
    arena_init(&side->arena, NULL);
    Error *error = session_new(&options, &side->session);
    if (!error)
        error = session_run(side->session, generator_setup, strlen(generator_setup), &nowhere);
    if (error)
        fuzz_fail("the setup fails: %s", error->message);
}

static void close_side(Side *side)
{
    session_free(side->session);
    arena_release(&side->arena);
}

static bool run_side(Side *side, const char *sql, size_t size)
{
    SessionOutput output = { .begin = take_info, .rows = take_rows, .caller = side };
    side->rows.count = 0;
    side->is_query = side->updating = false;
    Error *error = session_run(side->session, sql, size, &output);
    check_error(error, sql, size);
    if (error && getenv("SHOW_STATEMENTS"))
        fprintf(stderr, "-- %s\n", error->message);
    bool ran = error == NULL;
    error_free(error);
    return ran;
}

/* ---- comparing ---- */

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Where SQL leaves open which rows come out, or their order decides what is computed, the two may differ. */
static bool is_decided(const char *sql)
{
    static const char *const open[] = { "LIMIT", "BY_OFFSET", "COLLECT_", "WINDOW COUNT" };
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (strstr(sql, open[i]))
            return false;
    return true;
}

static void compare(Side *a, Side *b, const char *sql)
{
    if (!a->is_query || !is_decided(sql))
        return;
    if (a->rows.count)
        qsort(a->rows.items, (size_t)a->rows.count, sizeof *a->rows.items, by_text);
    if (b->rows.count)
        qsort(b->rows.items, (size_t)b->rows.count, sizeof *b->rows.items, by_text);
    bool same = a->rows.count == b->rows.count;
    for (int i = 0; same && i < a->rows.count; i++)
        same = strcmp(a->rows.items[i], b->rows.items[i]) == 0;
    if (same)
        return;
    fprintf(stderr, "without rewrites, row by row and from snapshots there are other rows:\n%s\n", sql);
    for (int i = 0; i < a->rows.count && i < 10; i++)
        fprintf(stderr, "  %s\n", a->rows.items[i]);
    fprintf(stderr, "and\n");
    for (int i = 0; i < b->rows.count && i < 10; i++)
        fprintf(stderr, "  %s\n", b->rows.items[i]);
    fuzz_fail("%d and %d rows", a->rows.count, b->rows.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Generator generator = { .data = data, .size = size };
    Side sides[2] = { 0 };
    open_side(&sides[0], false);
    open_side(&sides[1], true);
    for (int i = 0; i < STATEMENTS_MAX && generator.at < size; i++) {
        Text sql = { 0 };
        generator.out = &sql;
        generator.depth = 0;
        generate_statement(&generator);
        check_printing(text_c(&sql), sql.length);
        if (getenv("SHOW_STATEMENTS"))
            fprintf(stderr, "%s;\n", text_c(&sql));
        bool ran = run_side(&sides[0], text_c(&sql), sql.length), also = run_side(&sides[1], text_c(&sql), sql.length);
        if (ran && also)
            compare(&sides[0], &sides[1], text_c(&sql));
        text_release(&sql);
    }
    close_side(&sides[0]);
    close_side(&sides[1]);
    return 0;
}

/* tests/fuzz/fuzz_statements.c: statements out of the grammar: each of them parses, prints to text that parses to an equal tree, and is planned
 * and run, or refused in good order with a place in the text. */
#include <stdio.h>
#include <stdlib.h>
#include "engine/bidsql.h"
#include "parser/parser.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/generator.h"

#define STATEMENTS_MAX 6

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

static Session *open_session(void)
{
    SessionOptions options = { .threads = 1, .max_bad_rows = UINT64_MAX, .memory_limit_bytes = 256 << 20, .base_directory = "/nonexistent", .keep_quiet = true };
    SessionOutput nowhere = { 0 };
    Session *session;
    Error *error = session_new(&options, &session);
    if (!error)
        error = session_run(session, generator_setup, strlen(generator_setup), &nowhere);
    if (error)
        fuzz_fail("the setup fails: %s", error->message);
    return session;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Generator generator = { .data = data, .size = size };
    SessionOutput nowhere = { 0 };
    Session *session = open_session();
    for (int i = 0; i < STATEMENTS_MAX && generator.at < size; i++) {
        Text sql = { 0 };
        generator.out = &sql;
        generator.depth = 0;
        generate_statement(&generator);
        check_printing(text_c(&sql), sql.length);
        if (getenv("SHOW_STATEMENTS"))
            fprintf(stderr, "%s;\n", text_c(&sql));
        Error *error = session_run(session, text_c(&sql), sql.length, &nowhere);
        check_error(error, text_c(&sql), sql.length);
        if (error && getenv("SHOW_STATEMENTS"))
            fprintf(stderr, "-- %s\n", error->message);
        error_free(error);
        text_release(&sql);
    }
    session_free(session);
    return 0;
}

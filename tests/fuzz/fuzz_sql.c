/* tests/fuzz/fuzz_sql.c: any bytes as a script: no crash, and what parses prints to text that parses to an equal tree.
 *
 * clang -fsanitize=fuzzer,address,undefined; see tests/fuzz/README.md or `make fuzz`. */
#include <stdio.h>
#include <stdlib.h>
#include "parser/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_errors(const Error *error, size_t size)
{
    for (; error; error = error->next)
        if (error->at.start > size || error->at.length > size - error->at.start) {
            fprintf(stderr, "an error outside of the text: %u+%u: %s\n", error->at.start, error->at.length, error->message);
            abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "n", "name", "list" }, *const values[] = { "10", "bids", "(a, 'b')" };
    static const ParserVariables variables = { names, values, 3 };
    Arena arena;
    arena_init(&arena, NULL);
    AstScript script, again;
    Error *error = parse_script(&arena, (const char *)data, size, &variables, &script);
    check_errors(error, size);
    error_free(error);
    for (int i = 0; i < script.statement_count; i++) {
        Text text = { 0 };
        ast_print_statement(script.statements[i], &text);
        error = parse_script(&arena, text_c(&text), text.length, NULL, &again);
        if (error || again.statement_count != 1 || !ast_equal_statement(script.statements[i], again.statements[0])) {
            Text second = { 0 };
            if (!error && again.statement_count == 1)
                ast_print_statement(again.statements[0], &second);
            fprintf(stderr, "does not come back: %s\n  %s\n  %s\n", error ? error->message : "", text_c(&text), text_c(&second));
            abort();
        }
        text_release(&text);
    }
    arena_release(&arena);
    return 0;
}

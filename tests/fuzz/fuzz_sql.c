/* tests/fuzz/fuzz_sql.c: any bytes as a script: no crash, and what parses prints to text that parses to an equal tree.
 *
 * Built and run as tests/fuzz/README.md says. */
#include <stdio.h>
#include <stdlib.h>
#include "parser/parser.h"
#include "tests/fuzz/fuzz.h"

static const char *const words[] = {
    "SELECT", "DISTINCT", "FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "UNION ALL", "WITH", "INSERT INTO", "CREATE STREAM", "CREATE TABLE", "CREATE VIEW", "EMIT CHANGES", "EMIT FINAL",
    "WINDOW TUMBLING (SIZE 1 MINUTE)", "TUMBLE(bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)", "JOIN", "LEFT JOIN", "ON", "AS", "CASE WHEN a THEN b ELSE c END", "CAST(a AS INT)", "a::INT", "BETWEEN 1 AND 2",
    "IN (1, 2)", "LIKE 'a%' ESCAPE '!'", "IS NOT NULL", "NOT", "AND", "OR", "COUNT(*)", "SUM(x) FILTER (WHERE y)", "ROW_NUMBER() OVER (PARTITION BY a ORDER BY b)", "INTERVAL '1-2' YEAR TO MONTH", "'it''s'",
    "\"a \"\"b\"", "`c`", "1e10", ".5", "0x1F", "DECIMAL(10, 2)", "ROW<a INT, b ARRAY<INT>>", "MAP['k', 1]", "ARRAY[1, 2]", "bid.price", "list[1]", "${n}", "--# title\n", "/* note */", ";", "(", ")", ",", ".", "||",
    "<>", ">=", "=>", "->", ":", "DESCRIBE", "SHOW STREAMS", "EXPLAIN", "SET 'a' = 'b'", "DEFINE n = '1'", "RUN SCRIPT 'x'", "WITH (connector = 'file')", "PRIMARY KEY", "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND" };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const FuzzText text = { 0, words, sizeof words / sizeof *words };
    return fuzz_mutate_text(&text, data, size, max_size, seed);
}

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

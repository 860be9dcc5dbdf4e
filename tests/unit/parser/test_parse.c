/* tests/unit/parser/test_parse.c: statements that parse (and print back to an equal tree), statements that do
 * not (with their message and place), trees looked at closely, large and deep input, random statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "parser/parser.h"
#include "tests/unit/parser/random_sql.h"

/* ---- helpers ---- */

static void show_errors(const char *sql, const Error *errors)
{
    for (; errors; errors = errors->next)
        fprintf(stderr, "%s\n  at %u+%u: %s%s%s\n", sql, errors->at.start, errors->at.length, errors->message,
                    errors->hint ? " / " : "", errors->hint ? errors->hint : "");
}

static AstScript parse_good(Arena *arena, const char *sql)
{
    AstScript script;
    Error *error = parse_script(arena, sql, strlen(sql), NULL, &script);
    if (error)
        show_errors(sql, error);
    assert_null(error);
    return script;
}

static AstStatement *parse_one(Arena *arena, const char *sql)
{
    AstScript script = parse_good(arena, sql);
    if (script.statement_count != 1)
        fprintf(stderr, "%s\n", sql);
    assert_int_equal(script.statement_count, 1);
    return script.statements[0];
}

/* Every statement prints to text that parses to an equal tree, and that text prints to itself. */
static int round_trip(Arena *arena, const char *sql, const AstScript *script)
{
    for (int i = 0; i < script->statement_count; i++) {
        Text first = { 0 }, second = { 0 };
        AstScript again;
        ast_print_statement(script->statements[i], &first);
        Error *error = parse_script(arena, text_c(&first), first.length, NULL, &again);
        bool good = !error && again.statement_count == 1 && ast_equal_statement(script->statements[i], again.statements[0]);
        if (good) {
            ast_print_statement(again.statements[0], &second);
            good = strcmp(text_c(&first), text_c(&second)) == 0;
        }
        if (!good) {
            fprintf(stderr, "does not come back:\n  %s\n  %s\n  %s\n", sql, text_c(&first), text_c(&second));
            show_errors(text_c(&first), error);
        }
        error_free(error);
        text_release(&first);
        text_release(&second);
        if (!good)
            return 1;
    }
    return 0;
}

/* ---- what parses ---- */

static const char *const good[] = {
#include "tests/unit/parser/good_statements.h"
};

static void statements_parse_and_print(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        Arena arena;
        arena_init(&arena, NULL);
        AstScript script;
        Error *error = parse_script(&arena, good[i], strlen(good[i]), NULL, &script);
        if (error || script.statement_count == 0) {
            fprintf(stderr, "does not parse:\n");
            show_errors(good[i], error);
            failures++;
        } else {
            failures += round_trip(&arena, good[i], &script);
        }
        error_free(error);
        arena_release(&arena);
    }
    assert_int_equal(failures, 0);
}

/* ---- what does not ---- */

typedef struct Bad { const char *sql; uint32_t start, length; const char *message, *hint; } Bad;
static const Bad bad[] = {
#include "tests/unit/parser/bad_statements.h"
};

static void mistakes_are_named_and_placed(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Arena arena;
        arena_init(&arena, NULL);
        AstScript script;
        Error *error = parse_script(&arena, bad[i].sql, strlen(bad[i].sql), NULL, &script);
        bool same = error && !error->next && error->code == ERR_PARSE && error->at.start == bad[i].start && error->at.length == bad[i].length &&
                    strcmp(error->message, bad[i].message) == 0 &&
                    (bad[i].hint ? error->hint && strcmp(error->hint, bad[i].hint) == 0 : !error->hint);
        if (!same) {
            failures++;
            if (!error)
                fprintf(stderr, "parses: %s\n", bad[i].sql);
            for (const Error *each = error; each; each = each->next)
                fprintf(stderr, "    { \"%s\", %u, %u, \"%s\", %s%s%s },\n", bad[i].sql, each->at.start, each->at.length, each->message,
                            each->hint ? "\"" : "", each->hint ? each->hint : "NULL", each->hint ? "\"" : "");
        }
        error_free(error);
        arena_release(&arena);
    }
    assert_int_equal(failures, 0);
}

/* ---- trees ---- */

static void every_statement_reports_its_error(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    const char *sql = "SELCT 1; SELECT a FROM t; SELECT FROM; CREATE TABEL x; SELECT 'a;b' AS c; SELECT 1 +;";
    AstScript script;
    Error *error = parse_script(&arena, sql, strlen(sql), NULL, &script);
    int count = 0;
    uint32_t place = 0;
    for (const Error *each = error; each; each = each->next, count++) {
        assert_true(each->at.start >= place);
        place = each->at.start;
    }
    assert_int_equal(count, 4);
    assert_int_equal(script.statement_count, 2);
    assert_int_equal(script.statements[0]->at.start, 9);
    assert_int_equal(script.statements[0]->at.length, 15);
    error_free(error);
    arena_release(&arena);
}

static const AstExpr *item(const AstStatement *statement, int index) { return statement->query->items.items[index].expr; }

static void literals_have_their_types(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    AstStatement *statement = parse_one(&arena, "SELECT 1, 1.50, 1e3, 9223372036854775807, 9223372036854775808, -9223372036854775808, 'it''s', X'00ff', "
                                                "DATE '2026-01-31', TIMESTAMP '2026-01-01 00:00:00.123', INTERVAL '1:30' MINUTE TO SECOND, "
                                                "INTERVAL '1-2' YEAR TO MONTH, INTERVAL 5 SECONDS, INTERVAL '1.5' SECOND, INTERVAL '10 seconds', "
                                                "TIMESTAMP '2026-01-01T00:00:00Z', - 5, -(5), INTERVAL -'5' DAY");
    static const TypeKind kinds[] = { TYPE_BIGINT, TYPE_DECIMAL, TYPE_DOUBLE, TYPE_BIGINT, TYPE_DECIMAL, TYPE_BIGINT, TYPE_VARCHAR, TYPE_BYTES, TYPE_DATE,
                                      TYPE_TIMESTAMP, TYPE_INTERVAL, TYPE_INTERVAL, TYPE_INTERVAL, TYPE_INTERVAL, TYPE_INTERVAL, TYPE_TIMESTAMP_TZ, TYPE_BIGINT };
    for (int i = 0; i < 17; i++) {
        assert_int_equal(item(statement, i)->kind, AST_LITERAL);
        assert_int_equal(item(statement, i)->value.type->kind, kinds[i]);
    }
    assert_int_equal(item(statement, 1)->value.integer, 150);
    assert_int_equal(item(statement, 1)->value.type->precision, 3);
    assert_int_equal(item(statement, 1)->value.type->scale, 2);
    assert_true(item(statement, 4)->value.decimal == (Int128)INT64_MAX + 1);
    assert_int_equal(item(statement, 4)->value.type->precision, 19);
    assert_true(item(statement, 5)->value.integer == INT64_MIN);
    assert_int_equal(item(statement, 6)->value.text.length, 4);
    assert_int_equal(item(statement, 7)->value.text.length, 2);
    assert_int_equal(item(statement, 10)->value.interval.us, 90000000);
    assert_int_equal(item(statement, 11)->value.interval.months, 14);
    assert_int_equal(item(statement, 12)->value.interval.us, 5000000);
    assert_int_equal(item(statement, 13)->value.interval.us, 1500000);
    assert_int_equal(item(statement, 14)->value.interval.us, 10000000);
    assert_int_equal(item(statement, 16)->value.integer, -5);
    assert_int_equal(item(statement, 17)->kind, AST_UNARY);
    assert_true(item(statement, 18)->value.interval.us == -5ll * 86400 * 1000000);
    arena_release(&arena);
}

static void precedence_is_that_of_sql(void **state)
{
    (void)state;
    static const struct { const char *sql, *grouped; } cases[] = {
        { "a OR b AND c", "a OR (b AND c)" },
        { "NOT a = b", "NOT (a = b)" },
        { "NOT a AND b", "(NOT a) AND b" },
        { "a + b * c - d", "(a + (b * c)) - d" },
        { "-a * b", "(-a) * b" },
        { "a BETWEEN 1 AND 2 AND b", "(a BETWEEN 1 AND 2) AND b" },
        { "a || b = c", "(a || b) = c" },
        { "a = b IS NULL", "(a = b) IS NULL" },
        { "-a::INT", "-(CAST(a AS INT))" },
        { "a->b->c[1]", "((a->b)->c)[1]" },
        { "a == b", "a = b" },
        { "a != b", "a <> b" },
        { "a - b - c", "(a - b) - c" },
        { "a LIKE 'x' || b", "a LIKE ('x' || b)" },
        { "a IN (1, 2) = TRUE", "(a IN (1, 2)) = TRUE" },
        { "((SELECT 1))", "(SELECT 1)" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena arena;
        arena_init(&arena, NULL);
        AstStatement a = { 0 }, b = { 0 };
        assert_null(parse_expression(&arena, cases[i].sql, strlen(cases[i].sql), &a.limit));
        assert_null(parse_expression(&arena, cases[i].grouped, strlen(cases[i].grouped), &b.limit));
        if (!ast_equal_statement(&a, &b))
            fprintf(stderr, "%s is not %s\n", cases[i].sql, cases[i].grouped);
        assert_true(ast_equal_statement(&a, &b));
        arena_release(&arena);
    }
}

static void spellings_make_one_tree(void **state)
{
    (void)state;
    static const struct { const char *a, *b; } pairs[] = {
        { "SELECT a::INT FROM t", "SELECT CAST(a AS INT) FROM t" },
        { "SELECT a x FROM t y", "SELECT a AS x FROM t AS y" },
        { "SELECT * FROM a, b", "SELECT * FROM a CROSS JOIN b" },
        { "SELECT * FROM t WINDOW SESSION (30 SECONDS)", "SELECT * FROM t WINDOW SESSION (INTERVAL '30' SECOND)" },
        { "SELECT * FROM t WHERE a = 1 WINDOW TUMBLING (SIZE 1 MINUTE)", "SELECT * FROM t WINDOW TUMBLING (SIZE 60 SECONDS) WHERE a = 1" },
        { "SELECT * FROM t GROUP BY (a, b)", "SELECT * FROM t GROUP BY a, b" },
        { "SELECT * FROM t LIMIT 5", "SELECT * FROM t FETCH FIRST 5 ROWS ONLY" },
        { "LIST STREAMS", "SHOW STREAMS" },
        { "RESET 'a'", "UNSET a" },
        { "SELECT a INTO o FROM t", "SELECT a FROM t INTO o" },
        { "EXECUTE INSERT INTO a SELECT 1", "INSERT INTO a SELECT 1" },
        { "SELECT 1 UNION (SELECT 2 ORDER BY a LIMIT 1) LIMIT 5", "SELECT 1 UNION (SELECT 2 ORDER BY a LIMIT 1) LIMIT 5" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        Arena arena;
        arena_init(&arena, NULL);
        AstStatement *a = parse_one(&arena, pairs[i].a), *b = parse_one(&arena, pairs[i].b);
        if (!ast_equal_statement(a, b))
            fprintf(stderr, "%s is not %s\n", pairs[i].a, pairs[i].b);
        assert_true(ast_equal_statement(a, b));
        arena_release(&arena);
    }
}

/* Every keyword that is not reserved is a name: of a column, an alias, a table, a property. */
static void keywords_are_names_where_they_can_be(void **state)
{
    (void)state;
    static const char *const reserved[] = { "AND", "AS", "BETWEEN", "CASE", "DISTINCT", "ELSE", "EXCEPT", "FALSE", "FROM", "HAVING", "IN", "INTERSECT", "INTO", "IS",
                                            "JOIN", "LIKE", "NOT", "NULL", "ON", "OR", "QUALIFY", "SELECT", "THEN", "TRUE", "UNION", "USING", "WHEN", "WHERE", "WITH" };
    static const char *const forms[] = {
        "SELECT %s FROM t", "SELECT a, %s, b FROM t", "SELECT t.%s FROM t", "SELECT %s + 1, -%s FROM t", "SELECT a AS %s FROM t", "SELECT f(%s) FROM t",
        "SELECT a FROM t WHERE %s = 1 AND %s > 2", "SELECT a FROM t GROUP BY %s, b", "SELECT a FROM t ORDER BY %s DESC", "SELECT a FROM t ORDER BY b, %s LIMIT 3",
        "CREATE STREAM s (%s STRING KEY, b INT)", "CREATE STREAM s (a INT, %s TIMESTAMP(3)) WITH (%s = 'x')", "INSERT INTO t (a, %s) VALUES (1, 2)",
        "SELECT a FROM t WHERE %s IS NOT NULL AND %s IN (1, 2)", "SELECT a FROM %s", "SELECT a FROM t AS %s WHERE x = 1", "SELECT %s.a FROM x AS %s",
        "SELECT CASE WHEN %s = 1 THEN %s ELSE %s END FROM t", "SELECT a FROM t PARTITION BY %s EMIT CHANGES", "SELECT SUM(%s) OVER (PARTITION BY %s ORDER BY %s) FROM t",
        "SET %s = 'x'", "CREATE STREAM %s (a INT)", "SELECT a FROM t JOIN u ON t.%s = u.%s", "SELECT x => 1, TRANSFORM(a, %s => %s + 1) FROM t",
        "DROP STREAM IF EXISTS %s", "SELECT %s[1], %s->b FROM t", "SELECT STRUCT(%s := 1) FROM t", "SELECT CAST(a AS STRUCT<%s INT, b ARRAY<INT>>) FROM t",
        "SELECT DISTINCT %s, b FROM t", "SELECT a FROM t WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY %s EMIT FINAL", "SELECT (%s) FROM t", "DESCRIBE FUNCTION %s"
    };
    int count, failures = 0;
    const char *const *keywords = parser_keywords(&count);
    for (int i = 0; i < count; i++) {
        if (i)
            assert_true(strcmp(keywords[i - 1], keywords[i]) < 0);
        bool is_reserved = false;
        for (size_t j = 0; j < sizeof reserved / sizeof reserved[0]; j++)
            is_reserved |= strcmp(reserved[j], keywords[i]) == 0;
        for (size_t j = 0; j < sizeof forms / sizeof forms[0] && !is_reserved; j++) {
            if (strncmp(forms[j], "SELECT x =>", 11) == 0)
                continue; /* a lambda is an argument */
            char sql[512], *out = sql;
            for (const char *from = forms[j]; *from; from++) {
                if (from[0] == '%' && from[1] == 's') {
                    out = stpcpy(out, keywords[i]);
                    from++;
                } else {
                    *out++ = *from;
                }
            }
            *out = 0;
            /* TABLE[..], ARRAY[..] and MAP[..] mean something else */
            if (strstr(forms[j], "%s[1]") && (strcmp(keywords[i], "ARRAY") == 0 || strcmp(keywords[i], "BY") == 0 || strcmp(keywords[i], "EXISTS") == 0 ||
                                              strcmp(keywords[i], "OVER") == 0 || strcmp(keywords[i], "ALL") == 0 || strcmp(keywords[i], "TABLE") == 0 ||
                                              strcmp(keywords[i], "STREAM") == 0 || strcmp(keywords[i], "VIEW") == 0 || strcmp(keywords[i], "TYPE") == 0 ||
                                              strcmp(keywords[i], "SOURCE") == 0 || strcmp(keywords[i], "DESCRIBE") == 0))
                continue;
            Arena arena;
            arena_init(&arena, NULL);
            AstScript script;
            Error *error = parse_script(&arena, sql, strlen(sql), NULL, &script);
            if (error || script.statement_count != 1) {
                show_errors(sql, error);
                failures++;
            } else {
                failures += round_trip(&arena, sql, &script);
            }
            error_free(error);
            arena_release(&arena);
        }
    }
    assert_int_equal(failures, 0);
}

static void variables_are_replaced_as_tokens(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    const char *const names[] = { "n", "name", "evil" }, *const values[] = { "10", "bids", "1; DROP TABLE x" };
    ParserVariables variables = { names, values, 3 };
    const char *sql = "DEFINE topic = 'it''s'; SELECT ${n} + 1 FROM ${name} WHERE a = '<${topic}>' AND b = '$${n} ${unknown}' LIMIT ${n};";
    AstScript script;
    Error *error = parse_script(&arena, sql, strlen(sql), &variables, &script);
    show_errors(sql, error);
    assert_null(error);
    assert_int_equal(script.statement_count, 2);
    Text text = { 0 };
    ast_print_statement(script.statements[1], &text);
    assert_string_equal(text_c(&text), "SELECT 10 + 1 FROM bids WHERE a = '<it''s>' AND b = '$${n} $${unknown}' LIMIT 10");
    text_release(&text);
    const AstExpr *ten = item(script.statements[1], 0)->left;
    assert_int_equal(ten->at.start, strstr(sql, "${n}") - sql);
    assert_int_equal(ten->at.length, 4);

    sql = "SELECT ${evil}";
    error = parse_script(&arena, sql, strlen(sql), &variables, &script);
    assert_non_null(error);
    assert_string_equal(error->message, "the value of variable 'evil' cannot hold ';'");
    assert_int_equal(error->at.start, 7);
    error_free(error);
    sql = "SELECT ${nmae}";
    error = parse_script(&arena, sql, strlen(sql), &variables, &script);
    assert_string_equal(error->message, "no variable 'nmae' is defined");
    assert_string_equal(error->hint, "did you mean 'name'?");
    error_free(error);
    arena_release(&arena);
}

static void statement_sets_and_asa_scripts(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    AstStatement *set = parse_one(&arena, "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;");
    assert_int_equal(set->kind, AST_STMT_STATEMENT_SET);
    assert_int_equal(set->statements.count, 2);
    set = parse_one(&arena, "BEGIN STATEMENT SET; INSERT INTO a SELECT CASE WHEN x THEN 1 END FROM t; END");
    assert_int_equal(set->statements.count, 1);
    AstScript script = parse_good(&arena, "WITH s AS (SELECT * FROM i TIMESTAMP BY t) SELECT a INTO x FROM s SELECT b INTO y FROM s WHERE c IN (SELECT d FROM e)");
    assert_int_equal(script.statement_count, 2);
    assert_int_equal(script.statements[1]->query->ctes.count, 1);
    assert_string_equal(script.statements[1]->query->into.text, "y");
    AstStatement *joined = parse_one(&arena, "SELECT * FROM a TIMESTAMP BY t JOIN b TIMESTAMP BY u OVER k ON DATEDIFF(minute, a, b) BETWEEN 0 AND 5");
    assert_null(joined->query->timestamp_by);
    assert_non_null(joined->query->from->left->timestamp_by);
    assert_non_null(joined->query->from->right->timestamp_over);
    AstStatement *lone = parse_one(&arena, "SELECT * FROM a TIMESTAMP BY t OVER k WHERE x = 1");
    assert_non_null(lone->query->timestamp_by);
    assert_non_null(lone->query->timestamp_over);
    assert_null(lone->query->from->timestamp_by);
    arena_release(&arena);
}

static void text_places_count_characters(void **state)
{
    (void)state;
    const char *text = "SELECT 'ä', b\r\nFROM t";
    TextPlace place = text_place(text, strlen(text), (uint32_t)(strstr(text, "b") - text));
    assert_int_equal(place.line, 1);
    assert_int_equal(place.column, 13);
    assert_int_equal(place.line_length, 14);
    place = text_place(text, strlen(text), (uint32_t)(strstr(text, "t") - text));
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 6);
    place = text_place(text, strlen(text), 1000);
    assert_int_equal(place.line, 2);
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    AstScript script;
    Error *error = parse_script(&arena, "SELECT \xff", 8, NULL, &script);
    assert_string_equal(error->message, "invalid UTF-8: byte 0xff");
    assert_int_equal(error->at.start, 7);
    error_free(error);
    error = parse_script(&arena, "SELECT \0 1", 10, NULL, &script);
    assert_string_equal(error->message, "a NUL byte in the text");
    error_free(error);
    assert_null(parse_script(&arena, "\xef\xbb\xbfSELECT 1", 11, NULL, &script));
    assert_int_equal(script.statement_count, 1);
    assert_null(parse_script(&arena, "", 0, NULL, &script));
    assert_null(parse_script(&arena, " ; ;; -- nothing\n", 17, NULL, &script));
    assert_int_equal(script.statement_count, 0);
    arena_release(&arena);
}

/* ---- large and deep ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* start, then `piece` n times, then middle, then `close` n times, then end. Returns the error's text or NULL. */
static char *nested(const char *start, const char *piece, int n, const char *middle, const char *close, const char *end)
{
    static char message[256];
    Text sql = { 0 };
    text_add_c(&sql, start);
    for (int i = 0; i < n; i++)
        text_add_c(&sql, piece);
    text_add_c(&sql, middle);
    for (int i = 0; i < n; i++)
        text_add_c(&sql, close);
    text_add_c(&sql, end);
    Arena arena;
    arena_init(&arena, NULL);
    AstScript script;
    double before = seconds();
    Error *error = parse_script(&arena, text_c(&sql), sql.length, NULL, &script);
    assert_true(seconds() - before < 10);
    message[0] = 0;
    if (error)
        snprintf(message, sizeof message, "%s", error->message);
    else
        assert_int_equal(round_trip(&arena, "(nested)", &script), 0);
    error_free(error);
    arena_release(&arena);
    text_release(&sql);
    return message[0] ? message : NULL;
}

static void depth_is_limited_not_fatal(void **state)
{
    (void)state;
    assert_null(nested("SELECT ", "(", 900, "1", ")", ""));
    assert_string_equal(nested("SELECT ", "(", 5000, "1", ")", ""), "nested deeper than 1000 levels");
    assert_null(nested("SELECT ", "NOT ", 900, "a", "", ""));
    assert_non_null(nested("SELECT ", "NOT ", 5000, "a", "", ""));
    assert_non_null(nested("SELECT ", "NOT ", 500000, "a", "", ""));
    assert_non_null(nested("SELECT ", "- ", 5000, "a", "", ""));
    assert_null(nested("SELECT ", "f(", 900, "1", ")", ""));
    assert_non_null(nested("SELECT ", "f(", 100000, "1", ")", ""));
    assert_null(nested("", "SELECT * FROM (", 900, "SELECT 1", ") AS t", ""));
    assert_non_null(nested("", "SELECT * FROM (", 2000, "SELECT 1", ")", ""));
    assert_null(nested("SELECT ", "(SELECT ", 900, "1", ")", ""));
    assert_null(nested("SELECT ", "CASE WHEN a THEN ", 900, "1", " END", ""));
    assert_non_null(nested("SELECT ", "CASE WHEN a THEN ", 5000, "1", " END", ""));
    assert_null(nested("SELECT CAST(a AS ", "ARRAY<", 900, "INT", ">", ")"));
    assert_non_null(nested("SELECT CAST(a AS ", "ARRAY<", 5000, "INT", ">", ")"));
    assert_null(nested("SELECT a", "[1]", 2000, "", "", ""));
    assert_non_null(nested("SELECT a", "[1]", 100000, "", "", ""));
    assert_null(nested("SELECT a", " + a", 2500, "", "", ""));
    assert_non_null(nested("SELECT a", " + a", 100000, "", "", ""));
    assert_non_null(nested("SELECT a", " OR a = 1", 100000, "", "", ""));
    assert_non_null(nested("SELECT a", "::INT", 100000, "", "", ""));
    assert_null(nested("SELECT 1", " UNION SELECT 1", 900, "", "", ""));
    assert_non_null(nested("SELECT 1", " UNION SELECT 1", 20000, "", "", ""));
    assert_null(nested("SELECT 1 FROM a", " JOIN a ON x = y", 900, "", "", ""));
    assert_non_null(nested("SELECT 1 FROM a", ", a", 20000, "", "", ""));
    assert_non_null(nested("SELECT f(", "x => ", 100000, "1", "", ")"));
    assert_non_null(nested("SELECT ", "[", 300000, "", "", ""));
    assert_non_null(nested("SELECT a FROM t MATCH_RECOGNIZE (PATTERN (", "(", 5000, "A", ")", ") DEFINE A AS b)"));
    assert_non_null(nested("", "SELECT * FROM t MATCH_RECOGNIZE ( PATTERN ( ", 20000, "", "", ""));
    assert_non_null(nested("SELECT ", "x,", 5000, "(", "b) => ", ""));
    assert_non_null(nested("", "EXPLAIN ", 100000, "SELECT 1", "", ""));
    assert_non_null(nested("", "WITH a AS (", 5000, "SELECT 1", ") SELECT 2", ""));
    /* 1,000 steps around each of 20 sub-queries are 20,000 */
    Text chain = { 0 };
    text_add_char(&chain, ')');
    for (int i = 0; i < 1000; i++)
        text_add_c(&chain, " + a");
    char *message = nested("", "SELECT (", 20, "SELECT 1", text_c(&chain), "");
    assert_non_null(message);
    assert_string_equal(message, "an expression of more than 3000 steps in one chain; use IN (..), or split it");
    text_release(&chain);
}

static void width_is_not(void **state)
{
    (void)state;
    assert_null(nested("SELECT a", ", a AS b", 10000, "", "", " FROM t"));
    assert_null(nested("CREATE STREAM s (a INT", ", column_name STRING NOT NULL", 10000, "", "", ") WITH (a = 'b')"));
    assert_null(nested("SELECT a IN (1", ", 2", 100000, "", "", ")"));
    assert_null(nested("INSERT INTO t VALUES (1)", ", (2, 'some text', NULL)", 40000, "", "", "")); /* 1 MB */
    assert_null(nested("SELECT '", "0123456789abcdef", 65536, "", "", "'"));
    assert_null(nested("SELECT 1 -- ", "0123456789abcdef", 65536, "", "", ""));
    assert_non_null(nested("", "x;", 20000, "", "", ""));
    assert_null(nested("SELECT CASE", " WHEN a THEN b", 20000, "", "", " END"));
}

static void a_script_parses_fast(void **state)
{
    (void)state;
    Text sql = { 0 };
    for (int i = 0; i < 20; i++)
        text_add_c(&sql, "CREATE STREAM bids (\n  bid_id STRING KEY, auction BIGINT, price DOUBLE,\n  ts TIMESTAMP(3),\n  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND\n"
                         ") WITH (connector = 'file', path = 'bids.jsonl', format = 'json');\n"
                         "SELECT auction, COUNT(*) AS n, SUM(price) FILTER (WHERE price > 10) AS total\n"
                         "FROM bids WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)\nWHERE price BETWEEN 1 AND 100 GROUP BY auction\nEMIT CHANGES;\n");
    double before = seconds();
    for (int i = 0; i < 20; i++) {
        Arena arena;
        arena_init(&arena, NULL);
        AstScript script = parse_good(&arena, text_c(&sql));
        assert_int_equal(script.statement_count, 40);
        arena_release(&arena);
    }
    double each_ms = (seconds() - before) * 1000 / 20;
    print_message("%.2f ms for 200 lines\n", each_ms);
    assert_true(each_ms < 50); /* about 0.3 on a quiet machine */
    text_release(&sql);
}

/* ---- memory ---- */

/* Whichever allocation fails, the guard is reached and nothing is lost (the sanitizer says so). */
static Error *parse_under_guard(Arena *arena)
{
    const char *sql = "CREATE STREAM s (a INT, b ARRAY<STRUCT<c INT>>) WITH (x = 'y'); SELCT 1; SELECT a, 'it''s', f(x => x + 1) FROM s, LATERAL TABLE(g(b)) AS h (i); SELECT";
    AstScript script;
    return parse_script(arena, sql, strlen(sql), NULL, &script);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    for (int64_t n = 1; n < 2000; n++) {
        Arena arena;
        arena_init(&arena, NULL);
        Error *volatile error = NULL;
        memory_fail_at(n);
        MEMORY_GUARDED(error, parse_under_guard(&arena));
        memory_fail_at(0);
        arena_release(&arena);
        assert_non_null(error);
        bool done = error->code == ERR_PARSE;
        error_free(error);
        if (done)
            return;
    }
    fail_msg("still no success after 2000 allocations");
}

/* ---- random statements ---- */

static void random_statements_come_back(void **state)
{
    (void)state;
    int failures = 0, refused = 0;
    for (unsigned seed = 1; seed <= 4000; seed++) {
        Text sql = { 0 };
        random_statement(seed, &sql);
        Arena arena;
        arena_init(&arena, NULL);
        AstScript script;
        Error *error = parse_script(&arena, text_c(&sql), sql.length, NULL, &script);
        if (error || script.statement_count != 1) {
            if (refused++ < 5) {
                fprintf(stderr, "seed %u: ", seed);
                show_errors(text_c(&sql), error);
                fprintf(stderr, "%s\n", text_c(&sql));
            }
        } else if (round_trip(&arena, text_c(&sql), &script)) {
            fprintf(stderr, "seed %u\n", seed);
            if (++failures > 5)
                break;
        }
        error_free(error);
        arena_release(&arena);
        text_release(&sql);
    }
    assert_int_equal(failures, 0);
    assert_int_equal(refused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_parse_and_print), cmocka_unit_test(mistakes_are_named_and_placed), cmocka_unit_test(every_statement_reports_its_error),
        cmocka_unit_test(literals_have_their_types), cmocka_unit_test(precedence_is_that_of_sql), cmocka_unit_test(spellings_make_one_tree),
        cmocka_unit_test(keywords_are_names_where_they_can_be), cmocka_unit_test(variables_are_replaced_as_tokens),
        cmocka_unit_test(statement_sets_and_asa_scripts), cmocka_unit_test(text_places_count_characters), cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(depth_is_limited_not_fatal), cmocka_unit_test(width_is_not), cmocka_unit_test(a_script_parses_fast),
        cmocka_unit_test(memory_may_run_out_anywhere), cmocka_unit_test(random_statements_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

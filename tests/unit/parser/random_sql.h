/* tests/unit/parser/random_sql.h: random statements out of the grammar, the same for the same seed. */
#pragma once
#include "common/str.h"

static uint64_t random_state;
static int random_below(int n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int)((random_state >> 11) % (uint64_t)n);
}
#define CHANCE(n) (random_below(n) == 0)
#define PICK(...) random_pick((const char *const[]){ __VA_ARGS__ }, (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))
static const char *random_pick(const char *const *from, int count) { return from[random_below(count)]; }

static void random_query(Text *text, int depth);
static void random_expr(Text *text, int depth);

static void random_name(Text *text)
{
    text_add_c(text, PICK("a", "b", "price", "user_id", "key", "value", "window", "timestamp", "count", "date", "time", "offset", "first", "limit", "emit", "left",
                          "type", "row", "partition", "end", "\"Quoted Name\"", "`odd\"one`", "\"select\"", "x1", "über", "interval", "size", "over", "filter", "id"));
}

static void random_path(Text *text)
{
    random_name(text);
    while (CHANCE(4)) {
        text_add_char(text, '.');
        random_name(text);
    }
}

static void random_list(Text *text, int depth, void (*one)(Text *, int))
{
    one(text, depth);
    for (int n = random_below(3); n > 0; n--) {
        text_add_c(text, ", ");
        one(text, depth);
    }
}

static void random_literal(Text *text)
{
    text_add_c(text, PICK("1", "0", "42", "1.50", "0.001", "1e3", "2.5E-7", "9223372036854775807", "9223372036854775808", "99999999999999999999.5", "'text'", "'it''s'",
                          "''", "'${x}'", "TRUE", "FALSE", "NULL", "X'00ff'", "DATE '2026-01-31'", "TIME '12:30:00'", "TIMESTAMP '2026-01-31 12:00:00.5'",
                          "TIMESTAMP '2026-01-31T12:00:00+02:00'", "INTERVAL '5' SECOND", "INTERVAL '1:30' HOUR TO MINUTE", "INTERVAL '1 month 2 days'", "INTERVAL 3 DAYS",
                          "INTERVAL '-1.5' SECOND"));
}

static void random_duration(Text *text) { text_add_c(text, PICK("1 MINUTE", "10 SECONDS", "INTERVAL '5' HOUR", "1.5 SECONDS", "INTERVAL '2' DAY", "250 MILLISECONDS", "'10 s'")); }

static void random_type(Text *text, int depth)
{
    switch (random_below(depth > 0 ? 8 : 4)) {
    case 4:
        text_add_c(text, "ARRAY<");
        random_type(text, depth - 1);
        text_add_char(text, '>');
        break;
    case 5:
        text_add_c(text, "MAP<STRING, ");
        random_type(text, depth - 1);
        text_add_char(text, '>');
        break;
    case 6:
    case 7:
        text_add_c(text, "STRUCT<");
        random_name(text);
        text_add_char(text, ' ');
        random_type(text, depth - 1);
        text_add_c(text, ", f INT NOT NULL>");
        break;
    default:
        text_add_c(text, PICK("INT", "BIGINT", "DOUBLE PRECISION", "DECIMAL(10, 2)", "VARCHAR(20)", "STRING", "TIMESTAMP(3)", "TIMESTAMP(6) WITH TIME ZONE", "DATE", "custom", "TIME", "BYTES"));
    }
}

static void random_order(Text *text, int depth)
{
    random_expr(text, depth);
    text_add_c(text, PICK("", "", " ASC", " DESC", " NULLS FIRST", " DESC NULLS LAST"));
}

static void random_arg(Text *text, int depth)
{
    switch (random_below(8)) {
    case 0:
        text_add_c(text, "x => ");
        random_expr(text, depth);
        break;
    case 1:
        text_add_c(text, "(key, v) => ");
        random_expr(text, depth);
        break;
    default:
        random_expr(text, depth);
    }
}

static void random_call(Text *text, int depth)
{
    text_add_c(text, PICK("COUNT", "SUM", "f", "left", "System.Timestamp", "replace", "first", "date", "TumblingWindow", "IF"));
    text_add_char(text, '(');
    if (CHANCE(6))
        text_add_char(text, '*');
    else if (!CHANCE(6)) {
        if (CHANCE(8))
            text_add_c(text, "DISTINCT ");
        random_list(text, depth, random_arg);
    }
    text_add_char(text, ')');
    if (CHANCE(10)) {
        text_add_c(text, " WITHIN GROUP (ORDER BY ");
        random_list(text, depth, random_order);
        text_add_char(text, ')');
    }
    if (CHANCE(8)) {
        text_add_c(text, " FILTER (WHERE ");
        random_expr(text, depth);
        text_add_char(text, ')');
    }
    if (CHANCE(12))
        text_add_c(text, " IGNORE NULLS");
    if (CHANCE(6)) {
        text_add_c(text, " OVER (");
        if (CHANCE(2)) {
            text_add_c(text, "PARTITION BY ");
            random_list(text, depth, random_expr);
        }
        if (CHANCE(2)) {
            text_add_c(text, " ORDER BY ");
            random_list(text, depth, random_order);
            text_add_c(text, PICK("", " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND 5 + a FOLLOWING", " ROWS 3 PRECEDING"));
        }
        if (CHANCE(4))
            text_add_c(text, " LIMIT DURATION(minute, 10)");
        if (CHANCE(4)) {
            text_add_c(text, " WHEN ");
            random_expr(text, depth);
        }
        text_add_char(text, ')');
    }
}

static void random_binary(Text *text, int depth, const char *op)
{
    bool parentheses = CHANCE(2);
    text_add_c(text, parentheses ? "(" : "");
    random_expr(text, parentheses ? depth : 0);
    text_printf(text, "%s %s (", parentheses ? ")" : "", op);
    random_expr(text, depth);
    text_add_char(text, ')');
}

static void random_expr(Text *text, int depth)
{
    if (depth <= 0) {
        if (CHANCE(2))
            random_path(text);
        else
            random_literal(text);
        return;
    }
    depth--;
    switch (random_below(26)) {
    case 0: case 1:
        random_binary(text, depth, PICK("+", "-", "*", "/", "%", "||"));
        break;
    case 2: case 3:
        random_binary(text, depth, PICK("=", "<>", "<", "<=", ">", ">=", "==", "!="));
        break;
    case 4: case 5:
        random_expr(text, depth);
        text_add_c(text, PICK(" AND ", " OR "));
        random_expr(text, depth);
        break;
    case 6:
        text_add_c(text, "NOT ");
        random_expr(text, depth);
        break;
    case 7:
        text_add_c(text, PICK("-", "+", "- -"));
        text_add_char(text, '(');
        random_expr(text, depth);
        text_add_char(text, ')');
        break;
    case 8:
        random_path(text);
        text_add_c(text, PICK(" IS NULL", " IS NOT NULL", " IS TRUE", " IS NOT UNKNOWN", " IS DISTINCT FROM b", " IS NOT DISTINCT FROM 3"));
        break;
    case 9:
        random_path(text);
        text_add_c(text, PICK(" BETWEEN ", " NOT BETWEEN "));
        random_literal(text);
        text_add_c(text, " AND (");
        random_expr(text, depth);
        text_add_char(text, ')');
        break;
    case 10:
        random_path(text);
        text_add_c(text, PICK(" IN (", " NOT IN ("));
        random_list(text, depth, random_expr);
        text_add_char(text, ')');
        break;
    case 11:
        random_path(text);
        text_add_c(text, PICK(" IN (", " >= ALL (", " = ANY ("));
        random_query(text, depth);
        text_add_char(text, ')');
        break;
    case 12:
        random_path(text);
        text_add_c(text, PICK(" LIKE 'a%'", " NOT LIKE b ESCAPE '!'", " LIKE 'x' || c"));
        break;
    case 13:
        text_add_c(text, PICK("EXISTS (", "("));
        random_query(text, depth);
        text_add_char(text, ')');
        break;
    case 14:
        text_add_c(text, "CASE ");
        if (CHANCE(2)) {
            random_expr(text, depth);
            text_add_char(text, ' ');
        }
        text_add_c(text, "WHEN ");
        random_expr(text, depth);
        text_add_c(text, " THEN ");
        random_expr(text, depth);
        if (CHANCE(2)) {
            text_add_c(text, " ELSE ");
            random_expr(text, depth);
        }
        text_add_c(text, " END");
        break;
    case 15:
        text_add_c(text, PICK("CAST(", "TRY_CAST("));
        random_expr(text, depth);
        text_add_c(text, " AS ");
        random_type(text, 2);
        text_add_char(text, ')');
        break;
    case 16:
        text_add_char(text, '(');
        random_expr(text, depth);
        text_add_c(text, ")::");
        random_type(text, 1);
        break;
    case 17:
        random_path(text);
        text_add_c(text, PICK("->", "->"));
        random_name(text);
        break;
    case 18:
        random_call(text, depth);
        text_add_char(text, '[');
        random_expr(text, depth);
        text_add_char(text, ']');
        break;
    case 19:
        text_add_c(text, "ARRAY[");
        random_list(text, depth, random_expr);
        text_add_char(text, ']');
        break;
    case 20:
        text_add_c(text, "MAP('k' := ");
        random_expr(text, depth);
        text_add_char(text, ')');
        break;
    case 21:
        text_add_c(text, "STRUCT(");
        random_name(text);
        text_add_c(text, " := ");
        random_expr(text, depth);
        text_add_char(text, ')');
        break;
    case 22:
        text_add_c(text, PICK("ROW(", "(1, "));
        random_list(text, depth, random_expr);
        text_add_char(text, ')');
        break;
    case 23:
        text_add_c(text, "EXTRACT(DAY FROM ");
        random_expr(text, depth);
        text_add_char(text, ')');
        break;
    default:
        random_call(text, depth);
    }
}

static void random_alias(Text *text)
{
    if (CHANCE(2)) {
        text_add_c(text, " AS ");
        random_name(text);
    }
}

static void random_item(Text *text, int depth)
{
    if (CHANCE(10)) {
        text_add_c(text, PICK("*", "t.*", "a.b.*", "s->*"));
        return;
    }
    random_expr(text, depth);
    random_alias(text);
}

static void random_source(Text *text, int depth)
{
    switch (random_below(depth > 0 ? 10 : 4)) {
    case 4:
        text_add_char(text, '(');
        random_query(text, depth - 1);
        text_add_c(text, ") AS q");
        break;
    case 5:
        text_add_c(text, PICK("TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE))", "HOP(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE)",
                              "SESSION(TABLE t PARTITION BY (a, b), DESCRIPTOR(ts), INTERVAL '5' SECOND)", "UNNEST(a) WITH ORDINALITY", "LATERAL TABLE(f(a, b))"));
        random_alias(text);
        break;
    case 6:
        text_add_c(text, "(VALUES (1, 'a'), (2, 'b')) AS v (x, y)");
        break;
    case 7:
        text_add_c(text, "'file.csv' /*+ OPTIONS('format' = 'csv') */");
        random_alias(text);
        break;
    case 8:
        text_add_char(text, '(');
        random_source(text, depth - 1);
        text_add_c(text, " JOIN b ON a.k = b.k)");
        break;
    case 9:
        text_add_c(text, "t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A.x AS y, ");
        random_expr(text, depth - 1);
        text_add_c(text, PICK(" AS z", " AS z, FINAL LAST(A.x, 1) AS f ONE ROW PER MATCH", " AS z, RUNNING COUNT(B.*) AS n ALL ROWS PER MATCH"));
        text_add_c(text, PICK("", " AFTER MATCH SKIP TO NEXT ROW", " AFTER MATCH SKIP PAST LAST ROW", " AFTER MATCH SKIP TO LAST B", " AFTER MATCH SKIP TO FIRST C"));
        text_add_c(text, PICK(" PATTERN (A B+? (C | D){2,})", " PATTERN (A . (B C?)*?)", " PATTERN ((A | B C | (D E)+) {- B{3} -} C{,4}?)", " PATTERN (PERMUTE(A, B C) D)"));
        text_add_c(text, PICK("", " WITHIN INTERVAL '1' HOUR", " SUBSET U = (A, B)"));
        text_add_c(text, " DEFINE A AS ");
        random_expr(text, depth - 1);
        text_add_c(text, ") AS m");
        break;
    default:
        random_path(text);
        text_add_c(text, PICK("", "", "", " /*+ OPTIONS('a' = 'b') */", " FOR SYSTEM_TIME AS OF o.ts"));
        random_alias(text);
        text_add_c(text, PICK("", "", "", " TIMESTAMP BY ts", " TIMESTAMP BY f(ts) OVER k"));
    }
}

static void random_from(Text *text, int depth)
{
    text_add_c(text, " FROM ");
    random_source(text, depth);
    for (int n = random_below(3); n > 0 && depth > 0; n--) {
        if (CHANCE(4)) {
            text_add_c(text, PICK(", ", " CROSS JOIN ", " CROSS APPLY f(a), "));
            random_source(text, depth - 1);
            continue;
        }
        text_add_c(text, PICK(" JOIN ", " LEFT JOIN ", " RIGHT OUTER JOIN ", " FULL JOIN ", " INNER JOIN "));
        random_source(text, depth - 1);
        text_add_c(text, PICK("", "", " WITHIN 1 HOUR", " WITHIN (1 HOUR, 10 MINUTES) GRACE PERIOD 5 SECONDS"));
        if (CHANCE(5)) {
            text_add_c(text, " USING (a, b)");
        } else {
            text_add_c(text, " ON ");
            random_expr(text, depth - 1);
        }
    }
}

static void random_select(Text *text, int depth, bool tail)
{
    text_add_c(text, PICK("SELECT ", "SELECT ", "SELECT DISTINCT "));
    random_list(text, depth, random_item);
    if (CHANCE(12))
        text_add_c(text, " INTO sink");
    if (!CHANCE(6))
        random_from(text, depth);
    if (CHANCE(4)) {
        text_add_c(text, PICK(" WINDOW TUMBLING (SIZE ", " WINDOW SESSION (", " WINDOW SLIDING (SIZE ", " WINDOW HOPPING (ADVANCE BY 1 MINUTE, SIZE ", " WINDOW CUMULATING (STEP 1 SECOND, SIZE "));
        random_duration(text);
        text_add_c(text, PICK("", ", GRACE PERIOD 10 SECONDS", ", RETENTION 7 DAYS, LATE INTO late"));
        text_add_char(text, ')');
    }
    if (CHANCE(2)) {
        text_add_c(text, " WHERE ");
        random_expr(text, depth);
    }
    if (CHANCE(3)) {
        text_add_c(text, " GROUP BY ");
        text_add_c(text, PICK("", "", "GROUPING SETS ((a, b), (a), ()), ", "CUBE (a, (b, c)), ", "ROLLUP (a), "));
        random_list(text, depth, random_expr);
        text_add_c(text, PICK("", "", " ALLOWED LATENESS INTERVAL '1' MINUTE LATE INTO l"));
    }
    if (CHANCE(8)) {
        text_add_c(text, " PARTITION BY ");
        random_list(text, depth, random_expr);
    }
    if (CHANCE(6)) {
        text_add_c(text, " HAVING ");
        random_expr(text, depth);
    }
    if (CHANCE(8)) {
        text_add_c(text, " QUALIFY ");
        random_expr(text, depth);
    }
    if (!tail)
        return;
    if (CHANCE(4)) {
        text_add_c(text, " ORDER BY ");
        random_list(text, depth, random_order);
    }
    text_add_c(text, PICK("", "", "", " EMIT CHANGES", " EMIT FINAL", " EMIT AFTER WATERMARK", " EMIT AFTER DELAY INTERVAL '1' MINUTE AND AFTER WATERMARK"));
    text_add_c(text, PICK("", "", "", " LIMIT 10", " LIMIT 10 OFFSET 5"));
}

static void random_query(Text *text, int depth)
{
    if (depth > 0 && CHANCE(8)) {
        text_add_c(text, "WITH step AS (");
        random_query(text, depth - 1);
        text_add_c(text, ") ");
    }
    if (depth > 0 && CHANCE(6)) {
        if (CHANCE(2)) {
            text_add_char(text, '(');
            random_query(text, depth - 1);
            text_add_char(text, ')');
        } else {
            random_select(text, depth - 1, false);
        }
        text_add_c(text, PICK(" UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT ALL "));
        if (CHANCE(2)) {
            text_add_char(text, '(');
            random_query(text, depth - 1);
            text_add_c(text, PICK(")", ") ORDER BY a", ") LIMIT 4"));
            return;
        }
    }
    random_select(text, depth, true);
}

static void random_properties(Text *text)
{
    text_add_c(text, PICK(" WITH (connector = 'file', path = 'x')", " WITH ('a.b' = 'c', timestamp = 'ts', partitions = 3)", " WITH (kafka_topic = 'it''s', wrap = false)"));
}

static void random_statement(unsigned seed, Text *text)
{
    random_state = 0x9e3779b97f4a7c15ull * (seed + 1);
    for (int i = 0; i < 8; i++)
        random_below(2);
    int depth = random_below(4);
    switch (random_below(12)) {
    case 0:
        text_add_c(text, PICK("CREATE STREAM s (", "CREATE OR REPLACE TABLE s (", "CREATE SOURCE STREAM IF NOT EXISTS s (", "ASSERT STREAM s ("));
        for (int n = random_below(5); n >= 0; n--) {
            random_name(text);
            text_add_char(text, ' ');
            random_type(text, 2);
            text_add_c(text, PICK("", "", " KEY", " NOT NULL", " METADATA FROM 'x' VIRTUAL", " HEADERS", " DEFAULT 5 NOT NULL", " PRIMARY KEY"));
            text_add_c(text, ", ");
        }
        random_name(text);
        text_add_c(text, " AS ");
        random_expr(text, depth);
        text_add_c(text, PICK("", ", WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", ", PRIMARY KEY (a, b) NOT ENFORCED"));
        text_add_char(text, ')');
        random_properties(text);
        break;
    case 1:
        text_add_c(text, PICK("CREATE STREAM s", "CREATE TABLE IF NOT EXISTS s"));
        if (CHANCE(2))
            random_properties(text);
        text_add_c(text, " AS ");
        random_query(text, depth);
        break;
    case 2:
        text_add_c(text, PICK("INSERT INTO t ", "INSERT INTO t (a, key, \"b c\") ", "INSERT OVERWRITE t ", "EXPLAIN ", "EXPLAIN ANALYZE ", "CREATE VIEW v AS "));
        random_query(text, depth);
        break;
    case 3:
        text_add_c(text, "INSERT INTO t VALUES (");
        random_list(text, depth, random_expr);
        text_add_c(text, "), (");
        random_list(text, depth, random_expr);
        text_add_char(text, ')');
        break;
    case 4:
        text_add_c(text, "CREATE FUNCTION f (a INT, b ARRAY<STRING>) RETURNS ");
        random_type(text, 2);
        text_add_c(text, " AS ");
        random_expr(text, depth);
        break;
    default:
        random_query(text, depth);
    }
}

/* tests/unit/exec/test_expression.c: SQL expressions over six rows: results, types, failures, refusals. */
#include <stdio.h>
#include "common/value_text.h"
#include "tests/unit/exec/expression_harness.h"

typedef struct Case { const char *sql, *expected; } Case;

/* "TYPE: row0 row1 ..", a failed row is "!"; or the error with its place. Columns: expression_harness.h. */
static const Case cases[] = {
    { "1 + 2",
      "BIGINT: 3 3 3 3 3 3" },
    { "i + 1",
      "BIGINT: 1 2 3 4 -3 2147483648" },
    { "i + i",
      "INT: 0 2 4 6 -8 ! [integer overflow]" },
    { "l + 1",
      "BIGINT: 1 11 -19 ! -9223372036854775807 8 [integer overflow]" },
    { "l - 1",
      "BIGINT: -1 9 -21 9223372036854775806 ! 6 [integer overflow]" },
    { "-l",
      "BIGINT: 0 -10 20 -9223372036854775807 ! -7 [integer overflow]" },
    { "l * 2",
      "BIGINT: 0 20 -40 ! ! 14 [integer overflow]" },
    { "l / 2",
      "BIGINT: 0 5 -10 4611686018427387903 -4611686018427387904 3" },
    { "l / 0",
      "BIGINT: ! ! ! ! ! ! [division by zero]" },
    { "l % 7",
      "BIGINT: 0 3 -6 0 -1 0" },
    { "i / n",
      "BIGINT: 0 NULL ! 0 NULL 357913941 [division by zero]" },
    { "5 % n",
      "BIGINT: 0 NULL ! 1 NULL 5 [division by zero]" },
    { "d + 1",
      "DOUBLE: 1.0E0 2.5E0 -1.25E0 CAST('NaN' AS DOUBLE) CAST('Infinity' AS DOUBLE) 1.0000000001E10" },
    { "d / 0", "DOUBLE: ! ! ! ! ! ! [division by zero]" },
    { "d * dec",
      "DOUBLE: 0.0E0 1.875E0 5.625E0 CAST('NaN' AS DOUBLE) CAST('Infinity' AS DOUBLE) 3.0E10" },
    { "dec + 1",
      "DECIMAL(11,2): 1.00 2.25 -1.50 100000000.99 1.01 4.00" },
    { "dec * 2",
      "DECIMAL(11,2): 0.00 2.50 -5.00 199999999.98 0.02 6.00" },
    { "dec * dec",
      "DECIMAL(20,4): 0.0000 1.5625 6.2500 9999999998000000.0001 0.0001 9.0000" },
    { "dec / 3",
      "DECIMAL(14,6): 0.000000 0.416667 -0.833333 33333333.330000 0.003333 1.000000" },
    { "dec % 0.7",
      "DECIMAL(2,2): 0.00 0.55 -0.40 0.59 0.01 0.20" },
    { "big * big",
      "DECIMAL(38,6): 0.000000 1.562500 6.250000 ! 0.000000 9.000000 [a result does not fit DECIMAL(38,6)]" },
    { "big + big",
      "DECIMAL(31,4): 0.0000 2.5000 -5.0000 199999999999999999999999999.9998 0.0002 6.0000" },
    { "big / dec",
      "DECIMAL(38,10): ! 1.0000000000 1.0000000000 1000000000100000000.0100000000 0.0100000000 1.0000000000 [division by zero]" },
    { "0.908 * l",
      "DECIMAL(22,3): 0.000 9.080 -18.160 8374821809464136432.756 -8374821809464136433.664 6.356" },
    { "dec = 1.25",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE FALSE" },
    { "d > 1",
      "BOOLEAN: FALSE TRUE FALSE TRUE TRUE TRUE" },
    { "d = d",
      "BOOLEAN: TRUE TRUE TRUE TRUE TRUE TRUE" },
    { "i < l",
      "BOOLEAN: FALSE TRUE FALSE TRUE FALSE FALSE" },
    { "s = 'apple'",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE FALSE" },
    { "s < 'b'",
      "BOOLEAN: TRUE TRUE FALSE TRUE TRUE FALSE" },
    { "ns = 'x'",
      "BOOLEAN: TRUE NULL FALSE FALSE NULL TRUE" },
    { "ns IS NULL",
      "BOOLEAN: FALSE TRUE FALSE FALSE TRUE FALSE" },
    { "ns IS DISTINCT FROM 'x'",
      "BOOLEAN: FALSE TRUE TRUE TRUE TRUE FALSE" },
    { "b AND nb",
      "BOOLEAN: TRUE FALSE FALSE FALSE NULL FALSE" },
    { "b OR nb",
      "BOOLEAN: TRUE NULL TRUE TRUE TRUE FALSE" },
    { "NOT nb",
      "BOOLEAN: FALSE NULL TRUE FALSE NULL TRUE" },
    { "nb IS TRUE",
      "BOOLEAN: TRUE FALSE FALSE TRUE FALSE FALSE" },
    { "nb IS NOT TRUE",
      "BOOLEAN: FALSE TRUE TRUE FALSE TRUE TRUE" },
    { "nb IS UNKNOWN",
      "BOOLEAN: FALSE TRUE FALSE FALSE TRUE FALSE" },
    { "i IN (1, 2, 3)",
      "BOOLEAN: FALSE TRUE TRUE TRUE FALSE FALSE" },
    { "n IN (1, NULL)",
      "BOOLEAN: TRUE NULL NULL NULL NULL NULL" },
    { "n NOT IN (1, NULL)",
      "BOOLEAN: FALSE NULL NULL NULL NULL NULL" },
    { "s IN ('apple', 'a%b')",
      "BOOLEAN: FALSE TRUE FALSE TRUE FALSE FALSE" },
    { "i IN (1,2,3,4,5,6,7,8,9,10,11)",
      "BOOLEAN: FALSE TRUE TRUE TRUE FALSE FALSE" },
    { "i IN (l, n)",
      "BOOLEAN: TRUE NULL FALSE FALSE NULL FALSE" },
    { "i BETWEEN 1 AND 3",
      "BOOLEAN: FALSE TRUE TRUE TRUE FALSE FALSE" },
    { "i NOT BETWEEN 1 AND 3",
      "BOOLEAN: TRUE FALSE FALSE FALSE TRUE TRUE" },
    { "s LIKE 'a%'",
      "BOOLEAN: FALSE TRUE FALSE TRUE FALSE FALSE" },
    { "s LIKE '%an%'",
      "BOOLEAN: FALSE FALSE TRUE FALSE FALSE FALSE" },
    { "s LIKE '_pple'",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE FALSE" },
    { "s LIKE '___'",
      "BOOLEAN: FALSE FALSE FALSE TRUE FALSE TRUE" },
    { "s LIKE 'a!%b' ESCAPE '!'",
      "BOOLEAN: FALSE FALSE FALSE TRUE FALSE FALSE" },
    { "s LIKE '%e%e%'",
      "BOOLEAN: FALSE FALSE FALSE FALSE FALSE FALSE" },
    { "s NOT LIKE '%a'",
      "BOOLEAN: TRUE TRUE TRUE TRUE TRUE TRUE" },
    { "CASE WHEN i = 0 THEN 0 ELSE 10 / i END",
      "BIGINT: 0 10 5 3 -2 0" },
    { "CASE i WHEN 1 THEN 'one' WHEN 2 THEN 'two' END",
      "VARCHAR: NULL 'one' 'two' NULL NULL NULL" },
    { "i <> 0 AND 10 / i > 2",
      "BOOLEAN: FALSE TRUE TRUE TRUE FALSE FALSE" },
    { "coalesce(n, i, 7)",
      "BIGINT: 1 1 0 4 -4 6" },
    { "coalesce(n, 10 / i)",
      "BIGINT: 1 10 0 4 -2 6" },
    { "if(b, i, -i)",
      "INT: 0 -1 2 -3 -4 -2147483647" },
    { "nullif(i, 2)",
      "BIGINT: 0 1 NULL 3 -4 2147483647" },
    { "greatest(i, n)",
      "BIGINT: 1 NULL 2 4 NULL 2147483647" },
    { "ts + INTERVAL '1' DAY",
      "TIMESTAMP(3): TIMESTAMP '1970-01-02 00:00:00' TIMESTAMP '2026-02-01 12:00:00.500' TIMESTAMP '1970-01-01 23:59:59' TIMESTAMP '2024-03-01 00:00:00' TIMESTAMP '2000-01-02 00:00:00' TIMESTAMP '2027-01-01 23:59:59.999'" },
    { "ts - INTERVAL '1' MONTH",
      "TIMESTAMP(3): TIMESTAMP '1969-12-01 00:00:00' TIMESTAMP '2025-12-31 12:00:00.500' TIMESTAMP '1969-11-30 23:59:59' TIMESTAMP '2024-01-29 00:00:00' TIMESTAMP '1999-12-01 00:00:00' TIMESTAMP '2026-11-30 23:59:59.999'" },
    { "day + INTERVAL '1' DAY",
      "DATE: DATE '1970-01-02' DATE '2026-02-01' DATE '1970-01-01' DATE '2024-03-01' DATE '2000-01-02' DATE '2027-01-01'" },
    { "day + INTERVAL '1' HOUR",
      "TIMESTAMP(3): TIMESTAMP '1970-01-01 01:00:00' TIMESTAMP '2026-01-31 01:00:00' TIMESTAMP '1969-12-31 01:00:00' TIMESTAMP '2024-02-29 01:00:00' TIMESTAMP '2000-01-01 01:00:00' TIMESTAMP '2026-12-31 01:00:00'" },
    { "ts - ts",
      "INTERVAL: INTERVAL '0' SECOND INTERVAL '0' SECOND INTERVAL '0' SECOND INTERVAL '0' SECOND INTERVAL '0' SECOND INTERVAL '0' SECOND" },
    { "ts > '2020-01-01'",
      "BOOLEAN: FALSE TRUE FALSE TRUE FALSE TRUE" },
    { "ts > '2020-13-01'",
      "error at 5+12: '2020-13-01' is no TIMESTAMP(3) (write it like '2026-01-31 12:00:00.000')" },
    { "day = '2024-02-29'",
      "BOOLEAN: FALSE FALSE FALSE TRUE FALSE FALSE" },
    { "ts BETWEEN '2000-01-01' AND '2026-06-01'",
      "BOOLEAN: FALSE TRUE FALSE TRUE TRUE FALSE" },
    { "CAST(s AS INT)",
      "INT: ! ! ! ! 12 ! [cannot cast '' to INT]" },
    { "TRY_CAST(s AS INT)",
      "INT: NULL NULL NULL NULL 12 NULL" },
    { "CAST(i AS VARCHAR)",
      "VARCHAR: '0' '1' '2' '3' '-4' '2147483647'" },
    { "CAST(d AS INT)",
      "INT: 0 1 -2 ! ! ! [NaN is out of range of INT]" },
    { "CAST(d AS DECIMAL(5,1))",
      "DECIMAL(5,1): 0.0 1.5 -2.3 ! ! ! [NaN is out of range of DECIMAL(5,1)]" },
    { "CAST(dec AS INT)",
      "INT: 0 1 -2 99999999 0 3" },
    { "CAST(i AS DECIMAL(5,2))",
      "DECIMAL(5,2): 0.00 1.00 2.00 3.00 -4.00 ! [2147483647 is out of range of DECIMAL(5,2)]" },
    { "CAST(ts AS VARCHAR)",
      "VARCHAR: '1970-01-01 00:00:00.000' '2026-01-31 12:00:00.500' '1969-12-31 23:59:59.000' '2024-02-29 00:00:00.000' '2000-01-01 00:00:00.000' '2026-12-31 23:59:59.999'" },
    { "CAST(ts AS DATE)",
      "DATE: DATE '1970-01-01' DATE '2026-01-31' DATE '1969-12-31' DATE '2024-02-29' DATE '2000-01-01' DATE '2026-12-31'" },
    { "CAST(day AS TIMESTAMP(3))",
      "TIMESTAMP(3): TIMESTAMP '1970-01-01 00:00:00' TIMESTAMP '2026-01-31 00:00:00' TIMESTAMP '1969-12-31 00:00:00' TIMESTAMP '2024-02-29 00:00:00' TIMESTAMP '2000-01-01 00:00:00' TIMESTAMP '2026-12-31 00:00:00'" },
    { "CAST(b AS INT)",
      "INT: 1 0 1 0 1 0" },
    { "CAST(s AS VARCHAR(2))",
      "VARCHAR(2): '' 'ap' 'ba' 'a%' '12' 'äö'" },
    { "CAST('300' AS TINYINT)",
      "TINYINT: ! ! ! ! ! ! [cannot cast '300' to TINYINT]" },
    { "CAST(300 AS TINYINT)",
      "TINYINT: ! ! ! ! ! ! [300 is out of range of TINYINT]" },
    { "ARRAY[i, 1]",
      "ARRAY<BIGINT>: ARRAY[0, 1] ARRAY[1, 1] ARRAY[2, 1] ARRAY[3, 1] ARRAY[-4, 1] ARRAY[2147483647, 1]" },
    { "ARRAY[i, n][2]",
      "BIGINT: 1 NULL 0 4 NULL 6" },
    { "ARRAY[i, 1][-2]",
      "BIGINT: 0 1 2 3 -4 2147483647" },
    { "MAP('a' := i, 'b' := 2)['a']",
      "BIGINT: 0 1 2 3 -4 2147483647" },
    { "STRUCT(x := i, y := ns).y",
      "VARCHAR: 'x' NULL 'y' 'a string longer than twelve' NULL 'x'" },
    { "STRUCT(x := i, y := ns)",
      "STRUCT<x INT, y VARCHAR>: STRUCT(x := 0, y := 'x') STRUCT(x := 1, y := NULL) STRUCT(x := 2, y := 'y') STRUCT(x := 3, y := 'a string longer than twelve') STRUCT(x := -4, y := NULL) STRUCT(x := 2147483647, y := 'x')" },
    { "s || '!' || ns",
      "VARCHAR: '!x' NULL 'banana split with cream!y' 'a%b!a string longer than twelve' NULL 'äöü!x'" },
    { "ARRAY[1] || ARRAY[i]",
      "ARRAY<BIGINT>: ARRAY[1, 0] ARRAY[1, 1] ARRAY[1, 2] ARRAY[1, 3] ARRAY[1, -4] ARRAY[1, 2147483647]" },
    { "CAST(ARRAY[i] AS ARRAY<VARCHAR>)",
      "ARRAY<VARCHAR>: ARRAY['0'] ARRAY['1'] ARRAY['2'] ARRAY['3'] ARRAY['-4'] ARRAY['2147483647']" },
    { "EXTRACT(YEAR FROM ts)",
      "BIGINT: 1970 2026 1969 2024 2000 2026" },
    { "EXTRACT(HOUR FROM ts)",
      "BIGINT: 0 12 23 0 0 23" },
    { "datediff(day, ts, TIMESTAMP '2026-01-01')",
      "BIGINT: 20454 -30 20455 672 9497 -364" },
    { "auctoin",
      "error at 0+7: no column 'auctoin' in t" },
    { "t.ii",
      "error at 2+2: no column 'ii' in t (did you mean 'i'?)" },
    { "u.i",
      "error at 0+1: no relation or column 'u'" },
    { "foo(i)",
      "error at 0+3: no function 'foo'" },
    { "substr(i)",
      "error at 0+9: no function 'substr' takes (INT); it takes (VARCHAR, BIGINT) or (VARCHAR, BIGINT, BIGINT) or (BYTES, BIGINT) or (BYTES, BIGINT, BIGINT)" },
    { "lenght(s)",
      "error at 0+6: no function 'lenght' (did you mean 'length'?)" },
    { "i = 'x'",
      "error at 0+7: cannot compare INT with VARCHAR (convert one side: CAST(.. AS INT))" },
    { "i = '1'",
      "error at 0+7: cannot compare INT with VARCHAR (write the number without quotes)" },
    { "i + s",
      "error at 0+5: no operator '+' for INT and VARCHAR (convert one side: CAST(.. AS INT))" },
    { "NOT i",
      "error at 4+1: NOT needs a condition, this is INT" },
    { "i AND b",
      "error at 0+1: AND needs a condition, this is INT" },
    { "s || i",
      "error at 0+6: no operator '||' for VARCHAR and INT (convert it: CAST(.. AS VARCHAR))" },
    { "sum(i)",
      "error at 0+3: the aggregate sum may not stand here" },
    { "ROW(1, 'a').f1",
      "VARCHAR: 'a' 'a' 'a' 'a' 'a' 'a'" },
    { "x -> 1",
      "error at 5+1: expected a name after '->', found '1'" },
    { "i::VARCHAR",
      "VARCHAR: '0' '1' '2' '3' '-4' '2147483647'" },
    { "CAST(ts AS BIGINT)",
      "error at 0+18: cannot cast TIMESTAMP(3) to BIGINT (unix_timestamp(..) gives milliseconds)" },
    { "CASE WHEN b THEN 1 ELSE 'a' END",
      "error at 24+3: CASE mixes BIGINT and VARCHAR" },
    { "9223372036854775807 + 1",
      "BIGINT: ! ! ! ! ! ! [integer overflow]" },
    { "-9223372036854775808",
      "BIGINT: -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808" },
    { "1 / 0",
      "BIGINT: ! ! ! ! ! ! [division by zero]" },
    { "CASE WHEN b THEN 1 / 0 ELSE 5 END",
      "BIGINT: ! 5 ! 5 ! 5 [division by zero]" },
    { "CURRENT_DATE",
      "DATE: DATE '1970-01-01' DATE '1970-01-01' DATE '1970-01-01' DATE '1970-01-01' DATE '1970-01-01' DATE '1970-01-01'" },
    { "ARRAY[STRUCT(a := i)][1].a",
      "INT: 0 1 2 3 -4 2147483647" },
    { "CASE WHEN b THEN ARRAY[i] END",
      "ARRAY<INT>: ARRAY[0] NULL ARRAY[2] NULL ARRAY[-4] NULL" },
    { "coalesce(ARRAY[n], ARRAY[0])",
      "ARRAY<BIGINT>: ARRAY[1] ARRAY[NULL] ARRAY[0] ARRAY[4] ARRAY[NULL] ARRAY[6]" },
    { "NULL",
      "NULL: NULL NULL NULL NULL NULL NULL" },
    { "NULL + 1",
      "BIGINT: NULL NULL NULL NULL NULL NULL" },
    { "i + NULL",
      "INT: NULL NULL NULL NULL NULL NULL" },
    { "i = NULL",
      "BOOLEAN: NULL NULL NULL NULL NULL NULL" },
    { "MAP('a' := 1, 'b' := 2.5)",
      "MAP<VARCHAR, DECIMAL(2,1)>: MAP('a' := 1.0, 'b' := 2.5) MAP('a' := 1.0, 'b' := 2.5) MAP('a' := 1.0, 'b' := 2.5) MAP('a' := 1.0, 'b' := 2.5) MAP('a' := 1.0, 'b' := 2.5) MAP('a' := 1.0, 'b' := 2.5)" },
    { "ARRAY[]",
      "ARRAY<NULL>: ARRAY[] ARRAY[] ARRAY[] ARRAY[] ARRAY[] ARRAY[]" },
    { "ARRAY[i, 'x']",
      "error at 9+3: ARRAY mixes INT and VARCHAR" },
    { "T.S = S",
      "BOOLEAN: TRUE TRUE TRUE TRUE TRUE TRUE" },
    { "i[1]",
      "error at 0+4: a subscript needs an ARRAY or a MAP, this is INT" },
    { "INTERVAL '1' DAY * i",
      "INTERVAL: INTERVAL '0' SECOND INTERVAL '86400' SECOND INTERVAL '172800' SECOND INTERVAL '259200' SECOND INTERVAL '-345600' SECOND ! [interval out of range]" },
    { "DATE '2026-01-31' + INTERVAL '1' MONTH",
      "DATE: DATE '2026-02-28' DATE '2026-02-28' DATE '2026-02-28' DATE '2026-02-28' DATE '2026-02-28' DATE '2026-02-28'" },
    { "CAST('1 02:03:04' AS INTERVAL)",
      "INTERVAL: INTERVAL '93784' SECOND INTERVAL '93784' SECOND INTERVAL '93784' SECOND INTERVAL '93784' SECOND INTERVAL '93784' SECOND INTERVAL '93784' SECOND" },
    { "CAST(i AS NOSUCH)",
      "error at 10+6: no type 'NOSUCH'" },
    { "CAST(i AS DECIMAL(50,1))",
      "error at 10+13: a DECIMAL has 1 to 38 digits, not 50" },
    { "CAST(i AS TIMESTAMP(9))",
      "error at 10+12: TIMESTAMP(9) is finer than microseconds (use TIMESTAMP(6))" },
    { "(i, 1) = (1, 1)",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE FALSE" },
    { "coalesce(ns, 1)",
      "error at 13+1: coalesce mixes VARCHAR and BIGINT" },
    { "concat('a', 1)",
      "VARCHAR: 'a1' 'a1' 'a1' 'a1' 'a1' 'a1'" },
    { "ts + '1'",
      "error at 5+3: '1' is no INTERVAL" },
    { "i = 1 OR i = 2 AND NOT b",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE FALSE" },
    { "MAP(ns := 1)",
      "MAP<VARCHAR, BIGINT>: MAP('x' := 1) ! MAP('y' := 1) MAP('a string longer than twelve' := 1) ! MAP('x' := 1) [a MAP key is NULL]" },
    { "CAST(s AS DOUBLE)",
      "DOUBLE: ! ! ! ! 12.0E0 ! [cannot cast '' to DOUBLE]" },
    { "TRY_CAST(d AS BIGINT)",
      "BIGINT: 0 1 -2 NULL NULL 10000000000" },
    { "TRY_CAST(ARRAY[s] AS ARRAY<INT>)",
      "ARRAY<INT>: NULL NULL NULL NULL ARRAY[12] NULL" },
    { "CAST('yes' AS BOOLEAN)",
      "BOOLEAN: TRUE TRUE TRUE TRUE TRUE TRUE" },
    { "s LIKE ns",
      "BOOLEAN: FALSE NULL FALSE FALSE NULL FALSE" },
    { "s LIKE 'a!b' ESCAPE '!'",
      "error at 20+3: the escape character must stand before %, _ or itself" },
    { "i % 3 = 1",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE TRUE" },
    { "l % 123",
      "BIGINT: 0 10 -20 7 -8 7" },
    { "-d",
      "DOUBLE: -0.0E0 -1.5E0 2.25E0 CAST('NaN' AS DOUBLE) CAST('-Infinity' AS DOUBLE) -1.0E10" },
    { "-dec",
      "DECIMAL(10,2): 0.00 -1.25 2.50 -99999999.99 -0.01 -3.00" },
    { "ts IN ('2000-01-01', '2024-02-29')",
      "BOOLEAN: FALSE FALSE FALSE TRUE TRUE FALSE" },
    { "i IS NOT DISTINCT FROM n",
      "BOOLEAN: FALSE FALSE FALSE FALSE FALSE FALSE" },
    { "b = nb",
      "BOOLEAN: TRUE NULL FALSE FALSE NULL TRUE" },
    { "d IN (1.5, 2)",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE FALSE" },
    { "dec IN (1.25, 3)",
      "BOOLEAN: FALSE TRUE FALSE FALSE FALSE TRUE" },
    { "CAST(dec AS VARCHAR)",
      "VARCHAR: '0.00' '1.25' '-2.50' '99999999.99' '0.01' '3.00'" },
    { "CAST(d AS VARCHAR)",
      "VARCHAR: '0.0' '1.5' '-2.25' 'NaN' 'Infinity' '1.0E10'" },
    { "coalesce(NULL, NULL, i)",
      "INT: 0 1 2 3 -4 2147483647" },
    { "CASE WHEN nb THEN d ELSE dec END",
      "DOUBLE: 0.0E0 1.25E0 -2.5E0 CAST('NaN' AS DOUBLE) 0.01E0 3.0E0" },
    { "i / 2.0",
      "DECIMAL(17,6): 0.000000 0.500000 1.000000 1.500000 -2.000000 1073741823.500000" },
    { "i * 1.5e0",
      "DOUBLE: 0.0E0 1.5E0 3.0E0 4.5E0 -6.0E0 3.2212254705E9" },
    { "d % 2",
      "DOUBLE: 0.0E0 1.5E0 -0.25E0 CAST('NaN' AS DOUBLE) CAST('NaN' AS DOUBLE) 0.0E0" },
};

static void check(Bench *bench, const char *sql, Selection live, Dialect dialect, const char *expected)
{
    const char *actual = bench_run(bench, sql, live, dialect);
    if (strcmp(actual, expected) != 0)
        fail_msg("%s\n  gives    %s\n  expected %s", sql, actual, expected);
}

static void test_results(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Bench bench;
        bench_open(&bench);
        check(&bench, cases[i].sql, (Selection){ 6, NULL }, DIALECT_BIDSQL, cases[i].expected);
        bench_close(&bench);
    }
}

/* What each live row gives: its value and whether it failed. */
static void evaluate_rows(Bench *bench, const Expr *expr, Selection live, Value values[6], bool failed[6])
{
    Expression *expression;
    const Vector *vector;
    Evaluation evaluation = { .arena = &bench->arena, .now_us = 1767225600000000 /* 2026-01-01 */ };
    assert_null(expression_open(&bench->arena, expr, &expression));
    assert_null(expression_evaluate(expression, &evaluation, bench->batch, &live, &vector));
    memset(failed, 0, 6);
    for (uint32_t i = 0; i < evaluation.failure_count; i++)
        failed[evaluation.failures[i].row] = true;
    for (uint32_t i = 0; i < live.count; i++)
        values[selection_row(&live, i)] = vector_get(&bench->arena, vector, selection_row(&live, i));
}

/* A row's result depends neither on which other rows are live nor on constant folding. */
static void test_every_selection_agrees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Bench bench;
        Expr *expr;
        Value expected[6], actual[6];
        bool expected_failed[6], failed[6];
        bench_open(&bench);
        Error *error = bench_bind(&bench, cases[i].sql, DIALECT_BIDSQL, &expr);
        error_free(error);
        if (!error)
            evaluate_rows(&bench, expr, (Selection){ 6, NULL }, expected, expected_failed);
        for (uint32_t bits = 0; !error && bits < 128; bits++) {
            uint32_t rows[6], count = 0;
            for (uint32_t row = 0; row < 6; row++)
                if (bits >> row & 1)
                    rows[count++] = row;
            evaluate_rows(&bench, bits & 64 ? expr_fold(&bench.arena, expr) : expr, (Selection){ count, rows }, actual, failed);
            for (uint32_t row = 0; row < 6; row++) {
                bool live = bits >> row & 1;
                assert_false(failed[row] && !live);
                assert_false(live && (failed[row] != expected_failed[row] || !value_equal(&actual[row], &expected[row])));
            }
        }
        bench_close(&bench);
    }
}

static Selection select_rows(Bench *bench, const char *sql, Selection live, uint32_t *failures)
{
    Expr *expr;
    Expression *expression;
    Selection passed;
    assert_null(bench_bind(bench, sql, DIALECT_BIDSQL, &expr));
    assert_null(expression_open(&bench->arena, expr, &expression));
    Evaluation evaluation = { .arena = &bench->arena };
    assert_null(expression_select(expression, &evaluation, bench->batch, &live, &passed));
    *failures = evaluation.failure_count;
    return passed;
}

static void check_selected(const char *sql, Selection live, const char *expected, uint32_t expected_failures)
{
    Bench bench;
    uint32_t failures;
    bench_open(&bench);
    Selection passed = select_rows(&bench, sql, live, &failures);
    char text[64] = "";
    for (uint32_t i = 0; i < passed.count; i++)
        sprintf(text + strlen(text), "%u ", selection_row(&passed, i));
    assert_string_equal(text, expected);
    assert_int_equal(failures, expected_failures);
    bench_close(&bench);
}

static void test_selection_holds_true_rows(void **state)
{
    (void)state;
    Selection all = { 6, NULL }, some = { 3, (const uint32_t[]){ 1, 3, 4 } };
    check_selected("i > 0", all, "1 2 3 5 ", 0);
    check_selected("i > 0", some, "1 3 ", 0);
    check_selected("nb", all, "0 3 ", 0);
    check_selected("NOT nb", all, "2 5 ", 0);
    check_selected("TRUE", some, "1 3 4 ", 0);
    check_selected("FALSE", all, "", 0);
    check_selected("NULL", all, "", 0);
    check_selected("i <> 0 AND 10 / i > 2", all, "1 2 3 ", 0);
    check_selected("10 / i > 2", all, "1 2 3 ", 1);
    check_selected("10 / i > 2", some, "1 3 ", 0);
    check_selected("nb AND 1 / n > 0", all, "0 ", 0); /* NULL rows and false ones are gone before the division */
    check_selected("n = 4 OR 1 / n = 1", all, "0 3 ", 1);
    check_selected("1 / 0 = 1", (Selection){ 0, NULL }, "", 0); /* nobody asks, nothing fails */
}

static void test_ksql_comparisons_know_two_values(void **state)
{
    (void)state;
    Bench bench;
    Selection all = { 6, NULL };
    bench_open(&bench);
    check(&bench, "n = 1", all, DIALECT_KSQL, "BOOLEAN: TRUE FALSE FALSE FALSE FALSE FALSE");
    check(&bench, "NOT (n = 1)", all, DIALECT_KSQL, "BOOLEAN: FALSE TRUE TRUE TRUE TRUE TRUE");
    check(&bench, "n IN (1, 4)", all, DIALECT_KSQL, "BOOLEAN: TRUE FALSE FALSE TRUE FALSE FALSE");
    check(&bench, "n NOT IN (1, 4)", all, DIALECT_KSQL, "BOOLEAN: FALSE TRUE TRUE FALSE TRUE TRUE");
    check(&bench, "CASE n WHEN 1 THEN 'a' ELSE 'b' END", all, DIALECT_KSQL, "VARCHAR: 'a' 'b' 'b' 'b' 'b' 'b'");
    check(&bench, "n = NULL", all, DIALECT_KSQL, "error at 0+8: a comparison with NULL is never true (use IS NULL or IS NOT NULL)");
    check(&bench, "n IS NULL", all, DIALECT_KSQL, "BOOLEAN: FALSE TRUE FALSE FALSE TRUE FALSE");
    bench_close(&bench);
}

static const char *print(Bench *bench, const char *sql)
{
    Expr *expr;
    Text text = { 0 };
    assert_null(bench_bind(bench, sql, DIALECT_BIDSQL, &expr));
    expr_print(expr, &text);
    const char *result = arena_strdup(&bench->arena, text_c(&text));
    text_release(&text);
    return result;
}

static void test_expressions_print_as_sql(void **state)
{
    (void)state;
    static const char *const same[] = {
        "i + 1 > l * (n - 2)", "b AND (nb OR i = 1)", "NOT b", "CASE WHEN b THEN i ELSE 0 END", "s LIKE 'a%'", "s IN ('a', 'b')",
        "CAST(s AS INT)", "n IS NOT NULL", "(i + 1) * 2 - (l - 1)", "coalesce(n, i)", "ARRAY[i, i][1]", "STRUCT(a := i).a", "s || 'x'", "-n - -1",
        "ts > TIMESTAMP '2026-01-01 00:00:00'", "length(s)", NULL,
    };
    Bench bench;
    bench_open(&bench);
    for (int i = 0; same[i]; i++)
        assert_string_equal(print(&bench, same[i]), same[i]);
    bench_close(&bench);
}

static void test_folding_keeps_what_fails(void **state)
{
    (void)state;
    static const Case folds[] = {
        { "1 + 2 * 3", "7" }, { "1 / 0", "1 / 0" }, { "1 / 0 + 1", "1 / 0 + 1" }, { "b AND 1 = 1", "b" }, { "b AND 1 = 2", "FALSE" }, { "b OR TRUE", "TRUE" },
        { "10 / i > 1 AND FALSE", "10 / i > 1 AND FALSE" }, { "FALSE AND 10 / i > 1", "FALSE" }, { "CASE WHEN 1 = 1 THEN i ELSE 5 END", "i" },
        { "CASE WHEN 1 = 2 THEN 1 / 0 ELSE 5 END", "5" }, { "coalesce(NULL, 3, i)", "3" }, { "upper('a') || 'b'", "'Ab'" },
        { "now() > TIMESTAMP '2026-01-01 00:00:00'", "now() > TIMESTAMP '2026-01-01 00:00:00'" },
        { "STRUCT(a := 1).a", "1" }, { NULL, NULL },
    };
    Bench bench;
    bench_open(&bench);
    for (int i = 0; folds[i].sql; i++) {
        Expr *expr;
        Text text = { 0 };
        assert_null(bench_bind(&bench, folds[i].sql, DIALECT_BIDSQL, &expr));
        Expr *folded = expr_fold(&bench.arena, expr);
        expr_print(folded, &text);
        assert_string_equal(text_c(&text), folds[i].expected);
        assert_true(expr_fold(&bench.arena, folded) == folded);
        text_release(&text);
    }
    bench_close(&bench);
}

static void test_questions_about_expressions(void **state)
{
    (void)state;
    Bench bench;
    Expr *a, *b, *c;
    bench_open(&bench);
    assert_null(bench_bind(&bench, "i + 1", DIALECT_BIDSQL, &a));
    assert_null(bench_bind(&bench, "t.I + 1", DIALECT_BIDSQL, &b));
    assert_null(bench_bind(&bench, "i + 2", DIALECT_BIDSQL, &c));
    assert_true(expr_equal(a, b));
    assert_true(expr_hash(a) == expr_hash(b));
    assert_false(expr_equal(a, c));
    assert_true(expr_can_fail(a));
    assert_false(expr_is_constant(a));
    assert_null(bench_bind(&bench, "l % 10 = 0 AND n / 2 > 1 AND s LIKE '%x%' AND d * 2 > 1", DIALECT_BIDSQL, &a));
    assert_false(expr_can_fail(a));
    assert_int_equal(expr_max_column(a), 6);
    assert_null(bench_bind(&bench, "now() > ts", DIALECT_BIDSQL, &a));
    assert_true(expr_is_volatile(a));
    bench_close(&bench);
}

/* DESCRIBE FUNCTION shows the example with its result; here it is computed. */
static void test_examples_of_functions_hold(void **state)
{
    (void)state;
    int count, wrong = 0;
    const ScalarFunction *const *all = functions_all(&count);
    for (int i = 0; i < count; i++) {
        if (all[i]->hidden || strcmp(all[i]->category, "table") == 0) /* rows of table functions: tests/unit/engine/test_examples.c */
            continue;
        if (!all[i]->doc || !all[i]->example || !all[i]->yields || !all[i]->category)
            fail_msg("%s lacks its documentation", all[i]->name);
        Bench bench;
        Expr *expr;
        bench_open(&bench);
        Text out = { 0 };
        Error *error = bench_bind(&bench, all[i]->example, DIALECT_BIDSQL, &expr);
        if (error) {
            bench_print_error(error, &out);
        } else {
            Value values[6];
            bool failed[6];
            evaluate_rows(&bench, expr, (Selection){ 1, (const uint32_t[]){ 0 } }, values, failed);
            if (failed[0])
                text_add_c(&out, "failed");
            else if (values[0].is_null)
                text_add_c(&out, "NULL");
            else
                text_add_value_plain(&out, vector_constant(&bench.arena, &values[0]), 0);
        }
        if (strcmp(text_c(&out), all[i]->yields) != 0 && ++wrong)
            print_message("%s gives %s, its row says %s\n", all[i]->example, text_c(&out), all[i]->yields);
        text_release(&out);
        bench_close(&bench);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_every_selection_agrees),
        cmocka_unit_test(test_selection_holds_true_rows),
        cmocka_unit_test(test_ksql_comparisons_know_two_values),
        cmocka_unit_test(test_expressions_print_as_sql),
        cmocka_unit_test(test_folding_keeps_what_fails),
        cmocka_unit_test(test_questions_about_expressions),
        cmocka_unit_test(test_examples_of_functions_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/exec/expression_harness.h: SQL expression text -> parse, bind, evaluate over a batch -> text. */
#pragma once
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "exec/expression.h"
#include "parser/parser.h"
#include "planner/bind_expression.h"

/* The batch: 6 rows. Columns by type; `n*` have NULLs in rows 1 and 4. */
typedef struct Bench {
    Arena arena;
    Schema schema;
    Column columns[16];
    Batch *batch;
} Bench;

static inline void bench_column(Bench *bench, const char *name, const Type *type, const char *const texts[])
{
    int index = bench->schema.column_count++;
    bench->columns[index] = (Column){ .name = name, .type = type };
    Vector *vector = vector_new(&bench->batch->arena, type, 6);
    for (uint32_t row = 0; row < 6; row++) {
        Value text = { .type = type_scalar(TYPE_VARCHAR), .is_null = !texts[row] }, value = value_null(type);
        const char *reason;
        if (texts[row]) {
            text.text = str_c(texts[row]);
            assert_true(value_cast(&bench->batch->arena, &text, type, &value, &reason));
        }
        vector_set(&bench->batch->arena, vector, row, &value);
    }
    bench->batch->columns[index] = vector;
}

static inline void bench_open(Bench *bench)
{
    memset(bench, 0, sizeof *bench);
    arena_init(&bench->arena, NULL);
    bench->schema.columns = bench->columns;
    bench->batch = batch_new(NULL, 16);
    bench->batch->row_count = 6;
    bench->batch->selection = (Selection){ 6, NULL };
    Arena *arena = &bench->arena;
    bench_column(bench, "i", type_scalar(TYPE_INT), (const char *[]){ "0", "1", "2", "3", "-4", "2147483647" });
    bench_column(bench, "l", type_scalar(TYPE_BIGINT), (const char *[]){ "0", "10", "-20", "9223372036854775807", "-9223372036854775808", "7" });
    bench_column(bench, "n", type_scalar(TYPE_BIGINT), (const char *[]){ "1", NULL, "0", "4", NULL, "6" });
    bench_column(bench, "d", type_scalar(TYPE_DOUBLE), (const char *[]){ "0", "1.5", "-2.25", "NaN", "Infinity", "1e10" });
    bench_column(bench, "dec", type_decimal(arena, 10, 2), (const char *[]){ "0", "1.25", "-2.50", "99999999.99", "0.01", "3" });
    bench_column(bench, "big", type_decimal(arena, 30, 4), (const char *[]){ "0", "1.25", "-2.50", "99999999999999999999999999.9999", "0.0001", "3" });
    bench_column(bench, "s", type_scalar(TYPE_VARCHAR), (const char *[]){ "", "apple", "banana split with cream", "a%b", "12", "äöü" });
    bench_column(bench, "ns", type_scalar(TYPE_VARCHAR), (const char *[]){ "x", NULL, "y", "a string longer than twelve", NULL, "x" });
    bench_column(bench, "b", type_scalar(TYPE_BOOLEAN), (const char *[]){ "true", "false", "true", "false", "true", "false" });
    bench_column(bench, "nb", type_scalar(TYPE_BOOLEAN), (const char *[]){ "true", NULL, "false", "true", NULL, "false" });
    bench_column(bench, "ts", type_scalar(TYPE_TIMESTAMP),
                 (const char *[]){ "1970-01-01", "2026-01-31 12:00:00.5", "1969-12-31 23:59:59", "2024-02-29", "2000-01-01", "2026-12-31 23:59:59.999" });
    bench_column(bench, "day", type_scalar(TYPE_DATE), (const char *[]){ "1970-01-01", "2026-01-31", "1969-12-31", "2024-02-29", "2000-01-01", "2026-12-31" });
}

static inline void bench_close(Bench *bench)
{
    batch_release(bench->batch);
    arena_release(&bench->arena);
}

static inline Error *bench_bind(Bench *bench, const char *sql, Dialect dialect, Expr **expr)
{
    AstExpr *ast;
    Error *error = parse_expression(&bench->arena, sql, strlen(sql), &ast);
    if (error)
        return error;
    ScopeRelation *relation = ARENA_NEW(&bench->arena, ScopeRelation);
    *relation = (ScopeRelation){ .alias = "t", .schema = &bench->schema };
    Scope *scope = ARENA_NEW(&bench->arena, Scope);
    *scope = (Scope){ relation, 1 };
    BindContext context = { .arena = &bench->arena, .scope = scope, .rules = dialect_rules(dialect) };
    return bind_expression(&context, ast, expr);
}

static inline void bench_print_error(Error *error, Text *out)
{
    text_printf(out, "error at %u+%u: %s", error->at.start, error->at.length, error->message);
    if (error->hint)
        text_printf(out, " (%s)", error->hint);
    error_free(error);
}

/* "TYPE: v0 v1 .."; failed rows are "!"; rows that are not live are left out. */
static inline void bench_print_rows(Bench *bench, const Expr *expr, Selection live, Text *out)
{
    Expression *expression;
    const Vector *vector = NULL;
    Error *error = expression_open(&bench->arena, expr, &expression);
    Evaluation evaluation = { .arena = &bench->arena, .now_us = 1000000 };
    if (!error)
        error = expression_evaluate(expression, &evaluation, bench->batch, &live, &vector);
    if (error) {
        bench_print_error(error, out);
        return;
    }
    type_print(vector->type, out);
    text_add_c(out, ":");
    for (uint32_t i = 0; i < live.count; i++) {
        uint32_t row = selection_row(&live, i);
        bool failed = false;
        for (uint32_t f = 0; f < evaluation.failure_count; f++)
            failed |= evaluation.failures[f].row == row;
        text_add_char(out, ' ');
        Value value = vector_get(&bench->arena, vector, row);
        if (failed && value.is_null)
            text_add_char(out, '!');
        else
            value_print(&value, out);
    }
    if (evaluation.failure_count)
        text_printf(out, " [%s]", evaluation.failures[0].reason);
}

/* Binds and evaluates `sql`; the text is in the arena. */
static inline const char *bench_run(Bench *bench, const char *sql, Selection live, Dialect dialect)
{
    Text out = { 0 };
    Expr *expr;
    Error *error = bench_bind(bench, sql, dialect, &expr);
    if (error)
        bench_print_error(error, &out);
    else
        bench_print_rows(bench, expr, live, &out);
    const char *result = arena_strdup(&bench->arena, text_c(&out));
    text_release(&out);
    return result;
}

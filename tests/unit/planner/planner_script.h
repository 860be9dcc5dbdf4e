/* tests/unit/planner/planner_script.h: runs a script through parser and planner and prints what comes out. */
#pragma once
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/filesystem.h"
#include "parser/parser.h"
#include "planner/planner.h"

/* State heaps are exec's; nothing is aggregated here. */
Str state_heap_store(StateHeap *heap, const Str *value, const Str *previous)
{
    (void)heap;
    (void)previous;
    return *value;
}

char *state_heap_resize(StateHeap *heap, Str *stored, size_t length)
{
    (void)heap;
    (void)stored;
    (void)length;
    fail_msg("nothing is aggregated here");
    return NULL;
}

static inline void script_print_errors(const char *sql, Error *error, Text *out)
{
    for (const Error *each = error; each; each = each->next) {
        TextPlace place = text_place(sql, strlen(sql), each->at.start);
        if (each->at.length)
            text_printf(out, "%d:%d+%u: ", place.line, place.column, each->at.length);
        text_printf(out, "%s%s", each->code == ERR_UNSUPPORTED ? "unsupported: " : "error: ", each->message);
        if (each->hint)
            text_printf(out, " (%s)", each->hint);
        text_add_char(out, '\n');
    }
    error_free(error);
}

static inline void script_print_rows(const PlannedRows *rows, Text *out)
{
    int width = rows->schema.column_count;
    for (int r = 0; r < rows->row_count; r++) {
        for (int c = 0; c < width; c++) {
            const Value *value = &rows->rows[r * width + c];
            text_add_c(out, c ? " | " : "");
            if (!value->is_null)
                text_add_str(out, &value->text);
        }
        text_add_char(out, '\n');
    }
}

static inline void script_job(Planner *planner, Arena *arena, const char *sql, Text *out)
{
    Plan *plan = NULL;
    Error *error = planner_job(planner, arena, &plan);
    if (error)
        script_print_errors(sql, error, out);
    if (plan) {
        text_add_c(out, "-- job\n");
        explain_plan(plan, out);
    }
}

static inline void script_run(const char *sql, Text *out)
{
    Arena arena;
    arena_init(&arena, NULL);
    ConnectorContext connectors = { .filesystem = filesystem_system(), .clock = clock_system(), .base_directory = "tests/plans", .batch_mode = true };
    PlannerOptions options = { .connectors = &connectors };
    Planner *planner = planner_new(&options);
    AstScript script = { 0 };
    Error *error = parse_script(&arena, sql, strlen(sql), NULL, &script);
    if (error)
        script_print_errors(sql, error, out);
    planner_begin_text(planner);
    for (int i = 0; i < script.statement_count; i++) {
        PlannedStatement planned;
        error = planner_statement(planner, &arena, script.statements[i], &planned);
        if (!error && planned.kind == PLANNED_AFTER_JOB) {
            script_job(planner, &arena, sql, out);
            error = planner_statement(planner, &arena, script.statements[i], &planned);
        }
        if (error) {
            script_print_errors(sql, error, out);
            continue;
        }
        if (planned.kind == PLANNED_QUERY || planned.kind == PLANNED_ROWS)
            script_job(planner, &arena, sql, out);
        if (planned.kind == PLANNED_QUERY) {
            text_add_c(out, "-- query\n");
            explain_plan(planned.plan, out);
        } else if (planned.kind == PLANNED_ROWS) {
            text_add_c(out, "-- rows\n");
            script_print_rows(&planned.rows, out);
        }
    }
    script_job(planner, &arena, sql, out);
    planner_free(planner);
    arena_release(&arena);
}

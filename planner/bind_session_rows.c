/* planner/bind_session_rows.c: SESSION(..) in FROM of a query that does not aggregate by it: each row with the bounds of its session.
 *
 * Only when a session is complete are its bounds known, so its rows are kept till then: as a list of records, which is an aggregate like any other,
 * and which is taken apart again behind it. Late rows, snapshots and merging are the session's own. */
#include "planner/binder.h"
#include "planner/expr.h"
#include "planner/own_clocks.h"
#include "planner/window_spec.h"

typedef struct SessionRows {
    Binder *binder;
    Arena *arena;
    const WindowUse *use;
    Schema under;      /* the rows */
    int keys;
} SessionRows;

static Expr *record_field(Arena *arena, Expr *record, int field, Span at)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    *expr = (Expr){ .kind = EXPR_FIELD, .type = record->type->children[field], .at = at, .field = field, .arg_count = 1, .args = ARENA_ARRAY(arena, Expr *, 1) };
    expr->args[0] = record;
    return expr;
}

/* The rows, the key of their sessions, and each row once more as a record. */
static Error *with_records(SessionRows *rows, Relation *relation, LogicalNode **project)
{
    Arena *arena = rows->arena;
    const AstExprs *partition = rows->use->partition_by;
    const int count = rows->under.column_count;
    rows->keys = partition ? partition->count : 0;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + rows->keys + 1), *record = NULL;
    Column *columns = ARENA_ARRAY(arena, Column, count + rows->keys + 1);
    const char **names = ARENA_ARRAY(arena, const char *, count + 1);
    for (int i = 0; i < count; i++) {
        exprs[i] = binder_column(arena, &rows->under, i, rows->use->at);
        columns[i] = rows->under.columns[i];
        names[i] = arena_printf(arena, "c%d", i);
    }
    for (int k = 0; k < rows->keys; k++) {
        TRY(binder_expr(rows->binder, relation, partition->items[k], &exprs[count + k]));
        columns[count + k] = (Column){ .name = arena_printf(arena, "$key%d", k), .hidden = true };
    }
    TRY(expr_call(arena, "struct", rows->use->at, count, exprs, &record));
    record->type = type_struct(arena, count, names, record->type->children);
    exprs[count + rows->keys] = record;
    columns[count + rows->keys] = (Column){ .name = "$row", .hidden = true };
    *project = logical_project(arena, relation->input, exprs, columns, count + rows->keys + 1, binder_policy(rows->binder), rows->use->at);
    return NULL;
}

/* key, window_start, window_end, window_time, the records */
static LogicalNode *sessions(SessionRows *rows, LogicalNode *project, const Schema *bounds)
{
    Arena *arena = rows->arena;
    const int count = rows->under.column_count, record = count + rows->keys;
    PlanInput input = main_port(project);
    LogicalNode *node = logical_node(arena, PLAN_SESSION_AGGREGATE, rows->use->at, 1, &input);
    const Type *type = NULL, *casts[FUNCTION_MAX_ARGS], *record_type = project->schema.columns[record].type;
    AggregateCall *call = ARENA_NEW(arena, AggregateCall);
    *call = (AggregateCall){ .arg_count = 1, .args = { record }, .filter = -1, .name = "the rows", .at = rows->use->at };
    call->function = aggregate_resolve(arena, "collect_list", &record_type, 1, &type, casts, NULL);
    call->type = type;
    node->aggregate.key_columns = ARENA_ARRAY(arena, int, rows->keys + 1);
    node->aggregate.key_count = rows->keys;
    for (int k = 0; k < rows->keys; k++)
        node->aggregate.key_columns[k] = count + k;
    node->aggregate.calls = call;
    node->aggregate.call_count = 1;
    node->aggregate.trigger = TRIGGER_FINAL;
    node->aggregate.on_error = binder_policy(rows->binder);
    node->aggregate.has_window = true;
    node->aggregate.window = rows->use->spec;
    EdgeTraits traits = port_traits(arena, input);
    const TimeColumn *time = traits_time(&traits, rows->use->spec.time_column);
    node->aggregate.window.lag_us = time ? time->lag_us : 0;
    node->schema = (Schema){ 0, ARENA_ARRAY(arena, Column, rows->keys + 4) };
    for (int k = 0; k < rows->keys; k++)
        node->schema.columns[node->schema.column_count++] = project->schema.columns[count + k];
    for (int b = 0; b < 3; b++)
        node->schema.columns[node->schema.column_count++] = bounds->columns[count + b];
    node->schema.columns[node->schema.column_count++] = (Column){ .name = "$rows", .type = type, .hidden = true };
    logical_derive(arena, node);
    return node;
}

Error *bind_session_rows(Binder *binder, Relation *relation)
{
    Arena *arena = binder->arena;
    SessionRows rows = { .binder = binder, .arena = arena, .use = relation->pending, .under = port_schema(arena, relation->input) };
    const int count = rows.under.column_count;
    const Span at = rows.use->at;
    if (port_traits(arena, relation->input).changes != CHANGES_APPEND)
        return error_hint(binder_unsupported(at, "a session of rows that still change"), "make the inner query EMIT FINAL");
    LogicalNode *project = NULL;
    TRY(with_records(&rows, relation, &project));
    LogicalNode *node = sessions(&rows, project, &relation->schema);
    TRY(own_clocks_check(arena, node, at));
    note_late_rows(binder, rows.use->late_into, node, count, -1);
    const int list = rows.keys + 3;
    LogicalNode *unnest = logical_unnest(arena, main_port(node), &list, 1, false, false, at);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 3), *record = binder_column(arena, &unnest->schema, list + 1, at);
    for (int i = 0; i < count; i++) { /* what the session has by its key stays known as such */
        exprs[i] = record_field(arena, record, i, at);
        for (int k = 0; k < rows.keys; k++)
            if (project->project.exprs[count + k]->kind == EXPR_COLUMN && project->project.exprs[count + k]->column == i)
                exprs[i] = binder_column(arena, &unnest->schema, k, at);
    }
    for (int b = 0; b < 3; b++)
        exprs[count + b] = binder_column(arena, &unnest->schema, rows.keys + b, at);
    LogicalNode *fields = logical_project(arena, main_port(unnest), exprs, relation->schema.columns, count + 3, POLICY_FAIL, at);
    relation->input = main_port(fields);
    relation->window = (WindowColumns){ true, count, count + 1, count + 2, rows.use->spec };
    relation->time_column = count + 2;
    relation->processing_time = rows.use->spec.processing_time;
    relation->pending = NULL;
    return NULL;
}

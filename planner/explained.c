/* planner/explained.c: EXPLAIN, EXPLAIN ANALYZE, EXPLAIN WHY NO OUTPUT: the plan that is shown, or run and shown. */
#include "planner/explain.h"
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"
#include "planner/statement.h"

/* logical: takes the plan as the binder made it, before rewrites; may be NULL. */
static Error *plan_rows(Planner *planner, Arena *arena, const AstStatement *inner, CatalogEntry *target, Binder *binder, Text *logical, Plan **plan)
{
    Outputs outputs = { 0 };
    binder_init(binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
    TRY(statement_outputs(binder, inner, target, &outputs));
    outputs_merge(arena, &outputs);
    for (int o = 0; o < outputs.count && logical; o++)
        explain_logical(arena, main_port(outputs.items[o].sink), logical);
    TRY(physical_plan(arena, &planner->settings, outputs.items, outputs.count, plan));
    return NULL;
}

static Error *explained_plan(Planner *planner, Arena *arena, const AstStatement *inner, Text *logical, Plan **plan)
{
    Binder binder;
    CatalogEntry *target = NULL;
    const AstName *name = statement_target(inner);
    switch (inner->kind) {
    case AST_STMT_QUERY:
    case AST_STMT_INSERT_QUERY:
    case AST_STMT_INSERT_VALUES:
        if (name)
            TRY(statement_target_entry(planner, name, &target));
        if (target && is_process_target(target)) { /* its rows wait for a reader: what there is to see is their query */
            if (!statement_query(inner))
                return error_at(ERR_BIND, inner->at, "'%s' keeps these rows: they have no plan", target->name);
            target = NULL;
        }
        return plan_rows(planner, arena, inner, target, &binder, logical, plan);
    case AST_STMT_CREATE_AS:
    case AST_STMT_CREATE_VIEW:
        binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
        TRY(define_entry(planner, &binder, inner, &target));
        return plan_rows(planner, arena, inner, target->origin == ORIGIN_CONNECTOR ? target : NULL, &binder, logical, plan);
    default:
        return error_at(ERR_BIND, inner->at, "only queries, INSERT and CREATE .. AS have a plan");
    }
}

/* ---- WHY NO OUTPUT: every condition by itself, so that each can be asked how many rows it lets through ---- */

static void split_filters(Arena *arena, PlanInput root)
{
    NodeList nodes = { 0 };
    logical_order(arena, &root, 1, &nodes);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        if (node->kind != PLAN_FILTER)
            continue;
        ExprList conjuncts = { 0 };
        expr_conjuncts(arena, node->filter.predicate, &conjuncts);
        for (int c = 0; c < conjuncts.count - 1; c++)
            node->inputs[0] = main_port(logical_filter(arena, node->inputs[0], conjuncts.items[c], node->filter.on_error, node->at));
        node->filter.predicate = conjuncts.items[conjuncts.count - 1];
    }
}

/* Conditions stay where they were written, as they were written. */
static PlannerSettings without_moves(const PlannerSettings *settings)
{
    static const char *const moves[] = { "constant_folding", "filter_pushdown", "rank_limit", "top_with_ties", "window_candidates", "join_best" };
    PlannerSettings changed = *settings;
    for (int r = 0; rewrite_rules[r].name; r++)
        for (size_t m = 0; m < sizeof moves / sizeof *moves; m++)
            if (strcmp(rewrite_rules[r].name, moves[m]) == 0)
                changed.rewrites_off |= (RewriteSet)1 << r;
    return changed;
}

/* The query alone: nothing is written. */
static Error *questioned_plan(Planner *planner, Arena *arena, const AstStatement *inner, Plan **plan)
{
    Binder binder;
    Outputs outputs = { 0 };
    PlannerSettings settings = without_moves(&planner->settings);
    if (!statement_query(inner))
        return error_at(ERR_BIND, inner->at, "only queries are asked why they have no output");
    AstStatement *query = arena_copy(arena, inner, sizeof *inner);
    *query = (AstStatement){ .kind = AST_STMT_QUERY, .at = inner->at, .query = (AstQuery *)statement_query(inner) };
    binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
    TRY(statement_outputs(&binder, query, NULL, &outputs));
    split_filters(arena, main_port(outputs.items[0].sink));
    TRY(physical_plan(arena, &settings, outputs.items, 1, plan));
    return NULL;
}

/* ---- the statement ---- */

Error *plan_explain(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    const AstStatement *inner = statement->explained ? statement_with_output(planner, statement->explained) : NULL;
    if (!inner)
        return binder_unsupported(statement->at, "EXPLAIN of a running query");
    if (!inner->at.length) { /* what follows EXPLAIN has no place of its own */
        AstStatement *placed = arena_copy(arena, inner, sizeof *placed);
        placed->at = statement->at;
        inner = placed;
    }
    bool runs = statement->explain == AST_EXPLAIN_ANALYZE || statement->explain == AST_EXPLAIN_WHY_NO_OUTPUT;
    if (runs && planner->pending_count) { /* it runs: what it reads may be what the job writes */
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    Plan *plan = NULL;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    if (statement->explain == AST_EXPLAIN_EXTENDED)
        text_add_c(&text, "logical plan:\n");
    Error *error = statement->explain == AST_EXPLAIN_WHY_NO_OUTPUT ? questioned_plan(planner, arena, inner, &plan)
        : explained_plan(planner, arena, inner, statement->explain == AST_EXPLAIN_EXTENDED ? &text : NULL, &plan);
    if (error || runs)
        text_release(&text);
    if (error)
        return error;
    planned->plan = plan;
    switch (statement->explain) {
    case AST_EXPLAIN_ANALYZE:
        planned->kind = PLANNED_QUERY;
        planned->analyze = true;
        return NULL;
    case AST_EXPLAIN_WHY_NO_OUTPUT:
        planned->kind = PLANNED_QUESTION;
        return NULL;
    case AST_EXPLAIN_EXTENDED:
        text_add_c(&text, "\nphysical plan:\n");
        explain_edges(plan, &text);
        break;
    case AST_EXPLAIN_PLAN:
        explain_plan(plan, &text);
        break;
    }
    rows_from_text(arena, "plan", text_c(&text), &planned->rows);
    text_release(&text);
    planned->kind = PLANNED_ROWS;
    return NULL;
}

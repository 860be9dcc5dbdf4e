/* exec/op_project.c: SELECT's expressions. A column that is a plain reference costs nothing. */
#include "exec/expand.h"
#include "exec/expression.h"
#include "exec/operators.h"
#include "exec/row_policy.h"

typedef struct Project {
    Arena arena;
    Expression **expressions;
} Project;

static Error *project_open(Operator *op)
{
    Project *project = mem_calloc(1, sizeof *project);
    op->state = project;
    arena_init(&project->arena, &op->pool);
    int count = op->node->schema.column_count;
    project->expressions = ARENA_ARRAY(&project->arena, Expression *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        TRY(expression_open(&project->arena, op->node->project.exprs[i], &project->expressions[i]));
    return NULL;
}

static void project_close(Operator *op)
{
    Project *project = op->state;
    if (!project)
        return;
    arena_release(&project->arena);
    mem_free(project);
    op->state = NULL;
}

static Error *evaluate_all(Operator *op, const Batch *batch, Batch *out, Error **failure)
{
    Project *project = op->state;
    const PlanNode *node = op->node;
    Evaluation evaluation = { .arena = &out->arena, .now_us = op->context->now_us, .turn = batch->turn, .first_row = batch->first_row };
    for (int i = 0; i < out->column_count; i++) {
        const Vector *result;
        TRY(expression_evaluate(project->expressions[i], &evaluation, batch, &out->selection, &result));
        out->columns[i] = (Vector *)result;
        TRY(row_policy_settle(op, node->project.on_error, &evaluation, batch, node->schema.columns[i].name, node->project.exprs[i]->at,
                              &out->selection, failure));
    }
    return NULL;
}

static Error *project_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Batch *out = rows_with_columns(batch, op->node->schema.column_count);
    Error *failure = NULL, *error = evaluate_all(op, batch, out, &failure);
    batch_release(batch);
    if (error) {
        error_free(failure);
        batch_release(out);
        return error;
    }
    error = output_push(op, PORT_MAIN, out);
    if (!error)
        return failure;
    error_free(failure);
    return error;
}

const OperatorType project_operator = { .name = "project", .open = project_open, .close = project_close, .process = project_process };

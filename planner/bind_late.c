/* planner/bind_late.c: LATE INTO: rows that an operator puts aside because they came too late for it.
 *
 * A row is shown as it came to the operator, with the reason, the window and the watermark behind. A join puts aside rows of two kinds: they are shown as the
 * join would show them, with NULL where the other side's columns stand. */
#include "planner/binder.h"
#include "planner/expr.h"

void note_late_rows(Binder *binder, const AstName *late_into, LogicalNode *node, int visible, int set_column)
{
    Arena *arena = binder->arena;
    if (!late_into || !late_into->text)
        return;
    Schema under = port_schema(arena, node->inputs[0]);
    SidePort side = { .name = late_into->text, .input = { node, PORT_LATE } };
    side.columns = ARENA_ARRAY(arena, int, visible + late_columns.column_count + 1);
    for (int i = 0; i < visible; i++)
        if (!under.columns[i].hidden)
            side.columns[side.column_count++] = i;
    for (int i = 0; i < late_columns.column_count; i++)
        side.columns[side.column_count++] = under.column_count + i;
    side.own = binder->stack.count == binder->own_depth;
    if (set_column >= 0) {
        Value first = { .type = type_scalar(TYPE_BIGINT) };
        Expr *is_first = NULL, *args[2] = { binder_column(arena, &under, set_column, node->at), expr_constant(arena, &first, node->at) };
        error_free(expr_call(arena, "=", node->at, 2, args, &is_first)); /* two BIGINTs: there is such a function */
        side.input = main_port(logical_filter(arena, side.input, is_first, POLICY_FAIL, node->at));
    }
    LIST_ADD(arena, &binder->sides, side);
}

/* ---- joins ---- */

bool join_has_late_rows(const LogicalNode *node)
{
    bool any = node->join.form == JOIN_VERSIONS;
    for (int s = 0; s < 2 && node->join.form == JOIN_BOTH; s++)
        any |= node->join.sides[s].bound_count && node->join.sides[s].time_column >= 0 && node->join.sides[s].lag_us != TIME_MAX;
    return any;
}

/* Names of the joined columns; those that come again are numbered. */
static const char *joined_name(Arena *arena, const Column *names, int count, const char *name)
{
    const char *own = name;
    for (int number = 1, i = 0; i < count; i++)
        if (name_equal(names[i].name, own)) {
            own = arena_printf(arena, "%s_%d", name, number++);
            i = -1;
        }
    return own;
}

/* Late rows of side s, as the join's. */
static LogicalNode *late_side(Arena *arena, LogicalNode *join, int s, int left_width, int width)
{
    const PlanInput port = { join, s ? PORT_LATE_RIGHT : PORT_LATE };
    const Schema schema = port_schema(arena, port);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, width + late_columns.column_count);
    Column *columns = ARENA_ARRAY(arena, Column, width + late_columns.column_count);
    int count = 0;
    for (int i = 0; i < width; i++) {
        const Column *of = &join->schema.columns[i];
        const bool own = s ? i >= left_width : i < left_width;
        if (of->hidden)
            continue;
        Value null = value_null(of->type);
        exprs[count] = own ? binder_column(arena, &schema, s ? i - left_width : i, join->at) : expr_constant(arena, &null, join->at);
        columns[count] = (Column){ .name = joined_name(arena, columns, count, of->name) };
        count++;
    }
    for (int i = 0; i < late_columns.column_count; i++) {
        exprs[count] = binder_column(arena, &schema, schema.column_count - late_columns.column_count + i, join->at);
        columns[count++] = late_columns.columns[i];
    }
    return logical_project(arena, port, exprs, columns, count, POLICY_FAIL, join->at);
}

static void note_late_join(Block *block, LogicalNode *join)
{
    Arena *arena = block->binder->arena;
    const int left_width = port_schema(arena, join->inputs[0]).column_count, width = left_width + port_schema(arena, join->inputs[1]).column_count;
    const int sides = join->join.form == JOIN_VERSIONS ? 1 : 2; /* versions come when they come */
    PlanInput inputs[2];
    for (int s = 0; s < sides; s++)
        inputs[s] = main_port(late_side(arena, join, s, left_width, width));
    SidePort side = { .name = block->query->late_into.text, .input = inputs[0], .own = block->binder->stack.count == block->binder->own_depth };
    if (sides == 2)
        side.input = main_port(logical_union(arena, inputs, 2, join->at));
    side.column_count = side.input.node->schema.column_count;
    side.columns = ARENA_ARRAY(arena, int, side.column_count + 1);
    for (int i = 0; i < side.column_count; i++)
        side.columns[i] = i;
    LIST_ADD(arena, &block->binder->sides, side);
}

/* ---- what is behind the query ---- */

static bool from_is_late(const Block *block)
{
    const LogicalNode *node = block->from.late_rows;
    return node && (node->kind == PLAN_JOIN || node->match.by_time);
}

Error *bind_late_into(Block *block)
{
    const AstName *late_into = &block->query->late_into;
    if (!late_into->text || block->window || block->late_noted)
        return NULL;
    if (!from_is_late(block))
        return error_hint(error_at(ERR_BIND, late_into->at, "LATE INTO needs a window, a join in time, or an OVER (..) in the order of an event time"), "OVER (.. ORDER BY ts ..)");
    const AstRelation *from = block->query->from;
    if (from->kind == AST_REL_JOIN && (from->left->kind == AST_REL_JOIN || from->right->kind == AST_REL_JOIN))
        return error_hint(error_at(ERR_BIND, late_into->at, "LATE INTO takes the rows of one join"), "join two of them in a sub-query, with a LATE INTO of its own");
    note_late_join(block, block->from.late_rows);
    block->late_noted = true;
    return NULL;
}

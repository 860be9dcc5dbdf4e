/* planner/bind_match.c: MATCH_RECOGNIZE.
 *
 * What DEFINE and MEASURES say of the rows of a match (LAST(A.price), AVG(B.price), CLASSIFIER()) becomes terms of one node
 * (bind_match_terms.c); whatever is computed from them stands in expressions over the terms: DEFINE's in the node, MEASURES' in a projection above
 * it. What DEFINE asks of a row alone is computed below the node, for whole batches. */
#include "parser/parser.h"
#include "planner/ast_map.h"
#include "planner/bind_match.h"
#include "planner/match_pattern.h"
#include "planner/own_clocks.h"

/* ---- variables ---- */

int match_variable(const Matching *matching, const char *name)
{
    for (int v = 0; v < matching->variables.count; v++)
        if (matching->variables.items[v].name && name_equal(matching->variables.items[v].name, name))
            return v;
    return -1;
}

bool match_variables(const Matching *matching, const char *name, uint64_t *variables)
{
    int variable = match_variable(matching, name);
    if (variable >= 0) {
        *variables = 1ull << variable;
        return true;
    }
    for (int s = 0; s < matching->ast->subsets.count; s++)
        if (name_equal(matching->ast->subsets.items[s].name.text, name)) {
            *variables = matching->subsets[s];
            return true;
        }
    return false;
}

/* `.` is a variable of its own, without a name and without a condition. */
static Error *add_variable(Matching *matching, const AstPattern *pattern, int *variable)
{
    const char *name = pattern->kind == AST_PATTERN_ANY ? NULL : pattern->name.text;
    for (*variable = 0; *variable < matching->variables.count; ++*variable) {
        const char *known = matching->variables.items[*variable].name;
        if (known == name || (known && name && name_equal(known, name)))
            return NULL;
    }
    if (matching->variables.count == MATCH_VARIABLES_MAX)
        return error_at(ERR_BIND, pattern->at, "a pattern has at most %d variables", MATCH_VARIABLES_MAX);
    LIST_ADD(matching->arena, &matching->variables, ((MatchVariable){ .name = name, .condition = -1 }));
    return NULL;
}

static Error *pattern_variable(void *owner, const AstPattern *pattern, int *variable) { return add_variable(owner, pattern, variable); }

static Error *no_variable(Matching *matching, const AstName *name)
{
    const char *names[MATCH_VARIABLES_MAX];
    int count = 0;
    for (int v = 0; v < matching->variables.count; v++)
        if (matching->variables.items[v].name)
            names[count++] = matching->variables.items[v].name;
    return error_suggest(error_at(ERR_BIND, name->at, "no variable '%s' in the pattern", name->text), name->text, names, count);
}

static Error *bind_subsets(Matching *matching)
{
    const AstMatch *ast = matching->ast;
    matching->subsets = ARENA_ARRAY(matching->arena, uint64_t, ast->subsets.count + 1);
    for (int s = 0; s < ast->subsets.count; s++) {
        const AstSubset *subset = &ast->subsets.items[s];
        bool known = match_variable(matching, subset->name.text) >= 0;
        for (int before = 0; before < s; before++)
            known |= name_equal(ast->subsets.items[before].name.text, subset->name.text);
        if (known)
            return error_at(ERR_BIND, subset->name.at, "'%s' is a variable already", subset->name.text);
        for (int i = 0; i < subset->variables.count; i++) {
            int variable = match_variable(matching, subset->variables.items[i].text);
            if (variable < 0)
                return no_variable(matching, &subset->variables.items[i]);
            matching->subsets[s] |= 1ull << variable;
        }
    }
    return NULL;
}

/* ---- columns of the node's input ---- */

int match_column(Matching *matching, Expr *expr, const char *name)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->column;
    for (int i = 0; i < matching->exprs.count; i++)
        if (matching->exprs.items[i]->kind != EXPR_COLUMN && !expr_is_volatile(expr) && expr_equal(matching->exprs.items[i], expr))
            return i;
    LIST_ADD(matching->arena, &matching->exprs, expr);
    LIST_ADD(matching->arena, &matching->columns, ((Column){ .name = name, .type = expr->type, .hidden = true }));
    return matching->exprs.count - 1;
}

static void start_columns(Matching *matching)
{
    const Schema *schema = &matching->relation->schema;
    matching->exprs.count = matching->columns.count = 0;
    for (int i = 0; i < schema->column_count; i++) {
        LIST_ADD(matching->arena, &matching->exprs, binder_column(matching->arena, schema, i, SPAN_NONE));
        LIST_ADD(matching->arena, &matching->columns, schema->columns[i]);
    }
}

/* Puts the projection that computes the columns so far below the node. */
static void finish_columns(Matching *matching)
{
    Relation *relation = matching->relation;
    if (matching->exprs.count == relation->schema.column_count)
        return;
    Expr **exprs = arena_copy(matching->arena, matching->exprs.items, sizeof(Expr *) * (size_t)matching->exprs.count);
    LogicalNode *project = binder_project(matching->binder, relation, exprs, matching->columns.items, matching->columns.count, matching->ast->at);
    relation->input = main_port(project);
    relation->schema = project->schema;
    start_columns(matching);
}

static Error *bind_column(Matching *matching, const AstExpr *ast, int *column)
{
    Expr *expr = NULL;
    TRY(binder_expr(matching->binder, matching->relation, ast, &expr));
    if (expr->type->kind == TYPE_NULL)
        TRY(binder_cast(matching->arena, expr, type_scalar(TYPE_VARCHAR), &expr));
    *column = match_column(matching, expr, ast_text(matching->arena, ast));
    return NULL;
}

/* ---- PARTITION BY, ORDER BY, WITHIN ---- */

static Error *bind_keys(Matching *matching)
{
    const AstMatch *ast = matching->ast;
    matching->partition_columns = ARENA_ARRAY(matching->arena, int, ast->partition_by.count + 1);
    for (int i = 0; i < ast->partition_by.count; i++)
        TRY(bind_column(matching, ast->partition_by.items[i], &matching->partition_columns[i]));
    matching->keys = ARENA_ARRAY(matching->arena, SortKey, ast->order_by.count + 1);
    for (int i = 0; i < ast->order_by.count; i++) {
        const AstOrderItem *item = &ast->order_by.items[i];
        int column = 0;
        TRY(bind_column(matching, item->expr, &column));
        matching->keys[i] = (SortKey){ column, item->descending, item->nulls == 1 };
    }
    matching->key_count = ast->order_by.count;
    finish_columns(matching); /* PROCTIME() is a time once it is a column */
    return NULL;
}

static void sort_rows(Matching *matching)
{
    LogicalNode *sort = logical_node(matching->arena, PLAN_SORT, matching->ast->order_by.items[0].at, 1, &matching->relation->input);
    sort->sort.keys = matching->keys;
    sort->sort.key_count = matching->key_count;
    sort->sort.limit = -1;
    logical_derive(matching->arena, sort);
    matching->relation->input = main_port(sort);
    const Type *type = matching->relation->schema.columns[matching->keys[0].column].type;
    if (!matching->keys[0].descending && (type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMP_TZ))
        matching->time_column = matching->keys[0].column;
}

static Error *bind_rows_order(Matching *matching)
{
    const AstMatch *ast = matching->ast;
    const Relation *relation = matching->relation;
    EdgeTraits traits = port_traits(matching->arena, relation->input);
    if (traits.changes != CHANGES_APPEND) {
        if (!traits.bounded)
            return error_hint(binder_unsupported(ast->at, "MATCH_RECOGNIZE over rows that still change"), "make the inner query EMIT FINAL: what was part of a match cannot be taken back");
        matching->binder->needs_final = true;
    }
    int column = matching->key_count == 0 ? relation->time_column : matching->keys[0].descending ? -1 : matching->keys[0].column;
    const TimeColumn *time = column >= 0 ? traits_time(&traits, column) : NULL;
    matching->time_column = -1;
    if (time) {
        matching->by_time = !time->processing;
        matching->time_column = column;
        matching->lag_us = time->lag_us;
        return NULL;
    }
    if (matching->key_count && !traits.bounded) {
        const char *name = relation->time_column >= 0 ? relation->schema.columns[relation->time_column].name : "its event time";
        return error_hint(error_at(ERR_BIND, ast->order_by.items[0].at, "MATCH_RECOGNIZE (ORDER BY ..): a stream that does not end can only be ordered by its time, ascending"),
                          "order by %s%s", name, relation->time_column >= 0 ? "" : "; declare WATERMARK FOR, or say TIMESTAMP BY");
    }
    if (matching->key_count)
        sort_rows(matching);
    return NULL;
}

static Error *bind_within(Matching *matching)
{
    const AstMatch *ast = matching->ast;
    Span at = ast->within.at;
    if (ast->within.given)
        TRY(bind_duration(&ast->within, "WITHIN", &matching->within_us));
    if (ast->limit_duration) {
        if (ast->within.given)
            return error_at(ERR_BIND, ast->limit_duration->at, "WITHIN and LIMIT DURATION of one MATCH_RECOGNIZE");
        at = ast->limit_duration->at;
        TRY(bind_asa_duration(matching->binder, ast->limit_duration, "LIMIT DURATION", &matching->within_us));
    }
    if (!ast->within.given && !ast->limit_duration)
        return NULL;
    if (matching->within_us <= 0)
        return error_at(ERR_BIND, at, "%s must be more than 0", ast->within.given ? "WITHIN" : "LIMIT DURATION");
    if (matching->time_column < 0)
        return error_hint(error_at(ERR_BIND, at, "%s needs rows in the order of a time", ast->within.given ? "WITHIN" : "LIMIT DURATION"), "ORDER BY a TIMESTAMP, ascending");
    return NULL;
}

static Error *check_anchors(const Matching *matching)
{
    const AstPattern *end = match_anchor(matching->ast->pattern, AST_PATTERN_END);
    if (!end || port_traits(matching->arena, matching->relation->input).bounded)
        return NULL;
    return error_hint(error_at(ERR_BIND, end->at, "'$' is the end of a partition: that of a stream that does not end has no last row"), "WITHIN INTERVAL .. ends a match by time");
}

/* ---- AFTER MATCH SKIP ---- */

static Error *bind_skip(Matching *matching, MatchSkip *skip, uint64_t *variables)
{
    const AstMatch *ast = matching->ast;
    *variables = 0;
    switch (ast->skip) {
    case AST_SKIP_NONE:
    case AST_SKIP_PAST_LAST_ROW: *skip = MATCH_SKIP_PAST_LAST_ROW; return NULL;
    case AST_SKIP_TO_NEXT_ROW: *skip = MATCH_SKIP_TO_NEXT_ROW; return NULL;
    case AST_SKIP_TO_FIRST: *skip = MATCH_SKIP_TO_FIRST; break;
    case AST_SKIP_TO_LAST: *skip = MATCH_SKIP_TO_LAST; break;
    }
    if (!match_variables(matching, ast->skip_variable.text, variables))
        return no_variable(matching, &ast->skip_variable);
    bool always_first = *skip == MATCH_SKIP_TO_FIRST;
    for (int i = 0; i < matching->steps[0].next_count; i++)
        always_first &= *variables >> matching->steps[matching->steps[0].next[i]].variable & 1;
    if (always_first)
        return error_hint(error_at(ERR_BIND, ast->skip_variable.at, "every match begins with %s: to skip to it would find the same match again", ast->skip_variable.text),
                          "AFTER MATCH SKIP TO NEXT ROW");
    return NULL;
}

/* ---- DEFINE ---- */

static AstExpr *both(Arena *arena, AstExpr *a, AstExpr *b)
{
    if (!a || !b)
        return a ? a : b;
    AstExpr *expr = ARENA_NEW(arena, AstExpr);
    *expr = (AstExpr){ .kind = AST_BINARY, .op = OP_AND, .at = span_join(a->at, b->at), .op_at = b->at, .left = a, .right = b };
    return expr;
}

static Error *check_condition(Matching *matching, const Expr *expr, const AstExpr *ast, const char *name)
{
    if (expr->type->kind != TYPE_BOOLEAN)
        return error_at(ERR_BIND, ast->at, "DEFINE %s AS .. needs a condition, this is %s", name, type_text(matching->arena, expr->type));
    if (expr_is_volatile(expr))
        return error_at(ERR_BIND, ast->at, "DEFINE %s AS .. must depend on rows alone, and %s gives another value each time", name, ast_text(matching->arena, ast));
    return NULL;
}

static void note_asked(Matching *matching, MatchVariable *variable)
{
    bool *used = ARENA_ARRAY(matching->arena, bool, matching->defines.count + 1);
    expr_columns(variable->define, used);
    variable->asked = ARENA_ARRAY(matching->arena, int, matching->defines.count + 1);
    for (int t = 0; t < matching->defines.count; t++)
        if (used[t])
            variable->asked[variable->asked_count++] = t;
}

static Error *bind_define(Matching *matching, int variable, const AstExpr *condition)
{
    Arena *arena = matching->arena;
    MatchVariable *of = &matching->variables.items[variable];
    AstExprs conjuncts = { 0 };
    AstExpr *alone = NULL, *rest = NULL;
    ast_conjuncts(arena, condition, &conjuncts);
    for (int i = 0; i < conjuncts.count; i++) {
        AstExpr *row = NULL;
        Expr *expr = NULL;
        TRY(match_row_condition(matching, variable, conjuncts.items[i], &row));
        if (row) {
            TRY(binder_expr(matching->binder, matching->relation, row, &expr));
            if (expr->type->kind != TYPE_NULL)
                TRY(check_condition(matching, expr, conjuncts.items[i], of->name));
        }
        if (expr && expr->type->kind == TYPE_BOOLEAN && !expr_can_fail(expr))
            alone = both(arena, alone, row);
        else
            rest = both(arena, rest, conjuncts.items[i]);
    }
    if (alone)
        TRY(bind_column(matching, alone, &of->condition));
    if (!rest)
        return NULL;
    AstExpr *mapped = NULL;
    TRY(match_define_terms(matching, variable, rest, &mapped));
    Relation terms = match_terms_relation(matching, &matching->defines);
    TRY(binder_expr(matching->binder, &terms, mapped, &of->define));
    if (of->define->type->kind == TYPE_NULL)
        TRY(binder_cast(arena, of->define, type_scalar(TYPE_BOOLEAN), &of->define));
    TRY(check_condition(matching, of->define, rest, of->name));
    note_asked(matching, of);
    return NULL;
}

static Error *bind_defines(Matching *matching)
{
    const AstMatch *ast = matching->ast;
    for (int i = 0; i < ast->define.count; i++) {
        const AstName *name = &ast->define.names[i];
        int variable = match_variable(matching, name->text);
        if (variable < 0)
            return no_variable(matching, name);
        for (int before = 0; before < i; before++)
            if (name_equal(ast->define.names[before].text, name->text))
                return error_at(ERR_BIND, name->at, "a second definition of '%s'", name->text);
        TRY(bind_define(matching, variable, ast->define.exprs[i]));
    }
    return NULL;
}

/* ---- the node ---- */

static void reach_of(const MatchTerms *terms, int64_t *lookback, int64_t *lookahead)
{
    for (int i = 0; i < terms->count; i++) {
        int64_t shift = terms->items[i].term.shift;
        *lookahead = shift > *lookahead ? shift : *lookahead;
        *lookback = -shift > *lookback ? -shift : *lookback;
    }
}

static MatchTerm *plain_terms(Arena *arena, const MatchTerms *terms)
{
    MatchTerm *plain = ARENA_ARRAY(arena, MatchTerm, terms->count + 1);
    for (int i = 0; i < terms->count; i++)
        plain[i] = terms->items[i].term;
    return plain;
}

static const char *pattern_text(Arena *arena, const AstPattern *pattern)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    ast_print_pattern(pattern, &text);
    const char *result = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return result;
}

static LogicalNode *make_node(Matching *matching)
{
    Arena *arena = matching->arena;
    Relation *relation = matching->relation;
    LogicalNode *node = logical_node(arena, PLAN_MATCH, matching->ast->at, 1, &relation->input);
    node->match.partition_columns = matching->partition_columns;
    node->match.partition_count = matching->ast->partition_by.count;
    node->match.by_time = matching->by_time;
    node->match.keys = matching->keys;
    node->match.key_count = matching->by_time ? matching->key_count : 0;
    node->match.time_column = matching->time_column;
    node->match.lag_us = matching->lag_us;
    node->match.within_us = matching->within_us;
    node->match.all_rows = matching->all_rows;
    node->match.skip = matching->skip;
    node->match.skip_variables = matching->skip_variables;
    node->match.variables = matching->variables.items;
    node->match.variable_count = matching->variables.count;
    node->match.steps = matching->steps;
    node->match.step_count = matching->step_count;
    node->match.first = matching->first;
    node->match.from_start = match_anchor(matching->ast->pattern, AST_PATTERN_START) != NULL;
    node->match.to_end = match_anchor(matching->ast->pattern, AST_PATTERN_END) != NULL;
    node->match.omits_empty = matching->ast->rows == AST_MATCH_ALL_ROWS_OMIT_EMPTY;
    node->match.with_unmatched = matching->ast->rows == AST_MATCH_WITH_UNMATCHED;
    node->match.defines = plain_terms(arena, &matching->defines);
    node->match.define_count = matching->defines.count;
    node->match.measures = plain_terms(arena, &matching->measures);
    node->match.measure_count = matching->measures.count;
    reach_of(&matching->defines, &node->match.lookback, &node->match.lookahead);
    reach_of(&matching->measures, &node->match.lookback, &node->match.lookahead);
    node->match.partial_limit = matching->binder->settings->match_limit;
    node->match.pattern = pattern_text(arena, matching->ast->pattern);
    node->match.on_error = relation->on_expr_error ? *relation->on_expr_error : binder_policy(matching->binder);
    const int under = relation->schema.column_count;
    node->schema = (Schema){ under, ARENA_ARRAY(arena, Column, under + matching->measures.count + 1) };
    for (int i = 0; i < under; i++)
        node->schema.columns[i] = relation->schema.columns[i];
    for (int i = 0; i < matching->measures.count; i++)
        node->schema.columns[node->schema.column_count++] =
            (Column){ .name = matching->measures.items[i].text, .type = matching->measures.items[i].term.type, .hidden = true };
    logical_derive(arena, node);
    relation->late_rows = node;
    return node;
}

/* ---- what comes out ---- */

typedef struct Result {
    struct { Expr **items; int count, capacity; } exprs;
    struct { Column *items; int count, capacity; } columns;
} Result;

static void give(Matching *matching, Result *result, Expr *expr, const char *name, bool hidden)
{
    LIST_ADD(matching->arena, &result->exprs, expr);
    LIST_ADD(matching->arena, &result->columns, ((Column){ .name = name, .type = expr->type, .hidden = hidden }));
}

static void give_column(Matching *matching, Result *result, const Relation *rows, int column, const char *name, bool hidden)
{
    for (int i = 0; i < result->exprs.count; i++)
        if (result->exprs.items[i]->kind == EXPR_COLUMN && result->exprs.items[i]->column == column && !result->columns.items[i].hidden)
            return; /* PARTITION BY and ORDER BY of one column */
    give(matching, result, binder_column(matching->arena, &rows->schema, column, SPAN_NONE), name, hidden);
}

static const char *key_name(Matching *matching, const AstExpr *ast, int column)
{
    const char *name = ast_expr_name(ast);
    return name ? matching->relation->schema.columns[column].name : ast_text(matching->arena, ast);
}

/* PARTITION BY | ORDER BY (all rows) | MEASURES | the other columns (all rows) | the event time, hidden. */
static Error *bind_result(Matching *matching, LogicalNode *node)
{
    const AstMatch *ast = matching->ast;
    Binder *binder = matching->binder;
    const int visible = matching->visible;
    Relation rows = *matching->relation;
    rows.input = main_port(node);
    rows.schema = node->schema;
    Result result = { 0 };
    for (int i = 0; i < ast->partition_by.count; i++)
        give_column(matching, &result, &rows, matching->partition_columns[i], key_name(matching, ast->partition_by.items[i], matching->partition_columns[i]), false);
    for (int i = 0; matching->all_rows && i < ast->order_by.count; i++)
        if (matching->keys[i].column < visible)
            give_column(matching, &result, &rows, matching->keys[i].column, rows.schema.columns[matching->keys[i].column].name, false);
    for (int i = 0; i < ast->measures.count; i++) {
        AstExpr *mapped = NULL;
        Expr *expr = NULL;
        TRY(match_measure(matching, ast->measures.exprs[i], &mapped));
        TRY(binder_expr(binder, &rows, mapped, &expr));
        if (expr->type->kind == TYPE_NULL)
            TRY(binder_cast(matching->arena, expr, type_scalar(TYPE_VARCHAR), &expr));
        give(matching, &result, expr, binder_new_name(binder, matching->arena, &ast->measures.names[i]), false);
    }
    for (int i = 0; matching->all_rows && i < visible; i++)
        if (!rows.schema.columns[i].hidden)
            give_column(matching, &result, &rows, i, rows.schema.columns[i].name, false);
    if (result.exprs.count == 0)
        return error_hint(error_at(ERR_BIND, ast->at, "MATCH_RECOGNIZE gives no column"), "add MEASURES .. AS name, or PARTITION BY");
    const int time = matching->by_time && traits_time(&node->traits, matching->time_column) ? matching->time_column : -1;
    if (time >= 0)
        give_column(matching, &result, &rows, time, rows.schema.columns[time].name, true);
    LogicalNode *project = binder_project(binder, &rows, result.exprs.items, result.columns.items, result.exprs.count, ast->at);
    Relation *relation = matching->relation;
    *relation = (Relation){ .input = main_port(project), .schema = project->schema, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 },
                            .dead_letter = rows.dead_letter, .letters = rows.letters, .on_expr_error = rows.on_expr_error, .late_rows = node };
    for (int i = 0; i < result.exprs.count && time >= 0; i++)
        if (result.exprs.items[i]->kind == EXPR_COLUMN && result.exprs.items[i]->column == time)
            relation->time_column = i;
    return NULL;
}

Error *bind_match(Binder *binder, const AstRelation *ast, Relation *relation)
{
    if (ast->left->kind == AST_REL_JOIN || ast->left->kind == AST_REL_MATCH)
        return error_hint(binder_unsupported(ast->match->at, "MATCH_RECOGNIZE of a join"), "SELECT .. FROM (SELECT .. FROM a JOIN b ..) MATCH_RECOGNIZE (..)");
    TRY(bind_relation(binder, ast->left, ast->left->timestamp_by, relation));
    if (ast->left->timestamp_over)
        TRY(bind_timestamp_over(binder, ast->left->timestamp_over, relation));
    if (relation->pending)
        return error_hint(binder_unsupported(ast->match->at, "MATCH_RECOGNIZE of a window function"), "patterns need no window: say WITHIN INTERVAL ..");
    Matching matching = { .binder = binder, .arena = binder->arena, .ast = ast->match, .relation = relation, .visible = relation->schema.column_count };
    matching.all_rows = ast->match->rows != AST_MATCH_ONE_ROW;
    TRY(check_anchors(&matching));
    TRY(match_steps(matching.arena, ast->match->pattern, pattern_variable, &matching, &matching.steps, &matching.step_count, &matching.first));
    TRY(bind_subsets(&matching));
    for (int i = 0; i < ast->match->define.count; i++)
        mark_user_aggregates_in(binder, ast->match->define.exprs[i]);
    for (int i = 0; i < ast->match->measures.count; i++)
        mark_user_aggregates_in(binder, ast->match->measures.exprs[i]);
    start_columns(&matching);
    TRY(bind_keys(&matching));
    TRY(bind_rows_order(&matching));
    TRY(bind_within(&matching));
    TRY(bind_skip(&matching, &matching.skip, &matching.skip_variables));
    TRY(bind_defines(&matching));
    for (int i = 0; i < ast->match->measures.count; i++)
        TRY(match_collect_measure(&matching, ast->match->measures.exprs[i]));
    finish_columns(&matching);
    return bind_result(&matching, make_node(&matching));
}

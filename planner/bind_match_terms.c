/* planner/bind_match_terms.c: what DEFINE and MEASURES of MATCH_RECOGNIZE say of the rows of a match, as terms of its node.
 *
 *   A.price, price                  the last row that is A; the row at hand
 *   FIRST(A.price, 2)               the third row that is A
 *   PREV(LAST(A.price, 1), 3)       three rows of the partition before the last but one that is A
 *   AVG(A.price), COUNT(A.*)        over the rows that are A
 *   CLASSIFIER(), MATCH_NUMBER()    which variable the row is; which match of its partition it is
 *
 * An argument is an expression over one row, whose names are all qualified by the same variable or not at all: a column below the node. */
#include "planner/ast_map.h"
#include "planner/bind_match.h"

typedef struct Mapper {
    Matching *matching;
    MatchTerms *terms;
    int variable;        /* whose DEFINE it is; -1: MEASURES */
    bool collecting;     /* the markers count for nothing yet */
    int base;            /* column of the first term */
} Mapper;

/* ---- an argument: an expression over one row ---- */

typedef struct RowExpr {
    Matching *matching;
    const char *inside;  /* of which call, for messages */
    bool qualified, plain;
    uint64_t variables;
    const AstExpr *first;
    int own;             /* only names of this variable are of the row; -1: of any one variable */
    bool other_rows;     /* with `own`: something is not */
} RowExpr;

static bool is_navigation(const AstExpr *ast)
{
    const char *name = ast->kind == AST_CALL && ast->path.count == 1 && !ast->over ? ast_call_name(ast) : NULL;
    return name && (name_equal(name, "first") || name_equal(name, "last") || name_equal(name, "prev") || name_equal(name, "next"));
}

static bool is_named_call(const AstExpr *ast, const char *wanted)
{
    const char *name = ast->kind == AST_CALL && ast->path.count == 1 ? ast_call_name(ast) : NULL;
    return name && name_equal(name, wanted);
}

static bool is_match_call(const AstExpr *ast)
{
    return is_navigation(ast) || is_named_call(ast, "classifier") || is_named_call(ast, "match_number") || is_named_call(ast, "match_rowtime") || is_aggregate_call(ast) ||
           (ast->kind == AST_CALL && (ast->over || ast->semantics));
}

static AstExpr *without_qualifier(Arena *arena, const AstExpr *name)
{
    AstExpr *copy = arena_copy(arena, name, sizeof *name);
    copy->path.items++;
    copy->path.count--;
    copy->path.capacity = copy->path.count;
    return copy;
}

static Error *strip(void *context, const AstExpr *ast, AstExpr **replacement)
{
    RowExpr *row = context;
    uint64_t variables = 0;
    if (is_match_call(ast)) {
        row->other_rows = true;
        if (row->own < 0)
            return error_at(ERR_BIND, ast->at, "%s may not stand inside %s", ast_call_name(ast), row->inside);
        *replacement = (AstExpr *)ast;
        return NULL;
    }
    if (ast->kind != AST_NAME)
        return NULL;
    if (ast->path.count < 2 || !match_variables(row->matching, ast->path.items[0].text, &variables)) {
        row->plain = true;
    } else {
        *replacement = without_qualifier(row->matching->arena, ast);
        row->other_rows |= row->own >= 0 && !(variables >> row->own & 1);
    }
    if (row->own < 0 && ((row->qualified && row->variables != variables) || (row->plain && (row->qualified || variables))))
        return error_hint(error_at(ERR_BIND, ast->at, "%s takes the columns of one variable", row->inside), "%s and %s are of different rows", ast_text(row->matching->arena, row->first),
                          ast_text(row->matching->arena, ast));
    row->qualified |= variables != 0;
    row->variables |= variables;
    row->first = row->first ? row->first : ast;
    return NULL;
}

/* Binds an argument over the node's input; the variables that its names have are added to row->variables. */
static Error *bind_row(RowExpr *row, const AstExpr *ast, Expr **expr)
{
    AstExpr *stripped = NULL;
    TRY(ast_map(row->matching->arena, ast, strip, row, &stripped));
    return binder_expr(row->matching->binder, row->matching->relation, stripped, expr);
}

static uint64_t variables_of(const RowExpr *row) { return row->qualified ? row->variables : MATCH_EVERY_VARIABLE; }

Error *match_row_condition(Matching *matching, int variable, const AstExpr *condition, AstExpr **row)
{
    RowExpr of = { .matching = matching, .inside = "DEFINE", .own = variable };
    TRY(ast_map(matching->arena, condition, strip, &of, row));
    if (of.other_rows)
        *row = NULL;
    return NULL;
}

/* ---- terms ---- */

static Error *bind_value(Mapper *mapper, const AstExpr *ast, const char *inside, MatchTerm *term)
{
    Matching *matching = mapper->matching;
    RowExpr row = { .matching = matching, .inside = inside, .own = -1 };
    Expr *expr = NULL;
    if (is_named_call(ast, "classifier")) {
        if (ast->args.count)
            return error_at(ERR_BIND, ast->at, "CLASSIFIER takes no arguments");
        term->kind = MATCH_CLASSIFIER;
        term->type = type_scalar(TYPE_VARCHAR);
        return NULL;
    }
    TRY(bind_row(&row, ast, &expr));
    if (expr->type->kind == TYPE_NULL)
        TRY(binder_cast(matching->arena, expr, type_scalar(TYPE_VARCHAR), &expr));
    term->kind = MATCH_VALUE;
    term->variables = variables_of(&row);
    term->type = expr->type;
    term->column = match_column(matching, expr, ast_text(matching->arena, ast));
    return NULL;
}

static Error *navigation_offset(Mapper *mapper, const AstExpr *call, int64_t otherwise, int64_t *offset)
{
    enum { OFFSET_MAX = 10000 };
    const char *name = ast_call_name(call);
    *offset = otherwise;
    if (call->args.count < 1 || call->args.count > 2 || call->star)
        return error_at(ERR_BIND, call->at, "%s takes 1 to 2 arguments", name);
    if (call->args.count == 1)
        return NULL;
    Value value;
    TRY(binder_literal(mapper->matching->binder, call->args.items[1], type_scalar(TYPE_BIGINT), "the offset", &value));
    if (value.is_null || value.integer < 0 || value.integer > OFFSET_MAX)
        return error_at(ERR_BIND, call->args.items[1]->at, "the offset of %s must be from 0 to %d", name, OFFSET_MAX);
    *offset = value.integer;
    return NULL;
}

static Error *bind_navigation(Mapper *mapper, const AstExpr *call, MatchTerm *term)
{
    const char *name = ast_call_name(call);
    int64_t offset;
    if (name_equal(name, "first") || name_equal(name, "last")) {
        TRY(navigation_offset(mapper, call, 0, &term->offset));
        term->first = name_equal(name, "first");
        return bind_value(mapper, call->args.items[0], name, term);
    }
    TRY(navigation_offset(mapper, call, 1, &offset));
    term->shift = name_equal(name, "prev") ? -offset : offset;
    const AstExpr *inner = call->args.items[0];
    if (!is_navigation(inner))
        return bind_value(mapper, inner, name, term);
    if (!name_equal(ast_call_name(inner), "first") && !name_equal(ast_call_name(inner), "last"))
        return error_hint(error_at(ERR_BIND, inner->at, "%s may not stand inside %s", ast_call_name(inner), name), "add the offsets: %s(x, 2)", name);
    if (inner->semantics == MATCH_FINAL)
        term->final = true;
    return bind_navigation(mapper, inner, term);
}

static Error *bind_argument(void *context, const AstExpr *ast, Expr **expr) { return bind_row(context, ast, expr); }

static Error *bind_aggregate_term(Mapper *mapper, const AstExpr *ast, MatchTerm *term)
{
    Matching *matching = mapper->matching;
    Arena *arena = matching->arena;
    const char *name = ast_call_name(ast);
    RowExpr row = { .matching = matching, .inside = name, .own = -1 };
    AstExpr *call = arena_copy(arena, ast, sizeof *ast);
    AggregateCallArgs of;
    call->semantics = MATCH_NOT_SAID;
    if (mapper->variable >= 0 && (ast->distinct || name_equal(name, "count_distinct")))
        return binder_unsupported(ast->at, "DISTINCT in DEFINE");
    if (ast->args.count == 1 && ast->args.items[0]->kind == AST_STAR && ast->args.items[0]->path.count == 1) { /* COUNT(A.*) */
        const AstName *variable = &ast->args.items[0]->path.items[0];
        if (!match_variables(matching, variable->text, &row.variables))
            return error_at(ERR_BIND, variable->at, "no variable '%s' in the pattern", variable->text);
        row.qualified = true;
        call->star = true;
        call->args = (AstExprs){ 0 };
    }
    TRY(aggregate_call_args(matching->binder, call, bind_argument, &row, &of));
    const AstExpr *filter = aggregate_filter(arena, call);
    term->kind = MATCH_AGGREGATE;
    term->call = (AggregateCall){ .function = of.function, .arg_count = of.arg_count, .constants = of.constants, .constant_count = of.constant_count, .limit = of.limit,
                                  .filter = -1, .distinct = of.distinct, .type = of.type, .name = ast_text(arena, ast), .at = ast->at };
    for (int i = 0; i < of.arg_count; i++)
        term->call.args[i] = match_column(matching, of.args[i], of.names[i]);
    if (filter) {
        Expr *expr = NULL;
        TRY(bind_row(&row, filter, &expr));
        if (expr->type->kind != TYPE_BOOLEAN)
            return error_at(ERR_BIND, filter->at, "FILTER (WHERE ..) needs a condition, this is %s", type_text(arena, expr->type));
        term->call.filter = match_column(matching, expr, ast_text(arena, filter));
    }
    term->variables = variables_of(&row);
    term->type = of.type;
    return NULL;
}

static Error *bind_match_number(const AstExpr *ast, MatchTerm *term)
{
    if (ast->args.count)
        return error_at(ERR_BIND, ast->at, "MATCH_NUMBER takes no arguments");
    term->kind = MATCH_NUMBER;
    term->type = type_scalar(TYPE_BIGINT);
    return NULL;
}

static Error *bind_term(Mapper *mapper, const AstExpr *ast, MatchTerm *term)
{
    *term = (MatchTerm){ .column = -1, .variables = MATCH_EVERY_VARIABLE, .call = { .filter = -1 }, .final = !mapper->matching->all_rows && mapper->variable < 0 };
    if (ast->kind == AST_CALL && ast->semantics) {
        if (mapper->variable >= 0 && ast->semantics == MATCH_FINAL)
            return error_at(ERR_BIND, ast->at, "FINAL may not stand in DEFINE: the match is not complete there");
        if (!is_navigation(ast) && !is_aggregate_call(ast) && !is_named_call(ast, "classifier"))
            return error_at(ERR_BIND, ast->at, "%s needs FIRST, LAST, CLASSIFIER or an aggregate behind it", ast->semantics == MATCH_FINAL ? "FINAL" : "RUNNING");
        term->final |= ast->semantics == MATCH_FINAL;
    }
    if (is_navigation(ast))
        return bind_navigation(mapper, ast, term);
    if (is_named_call(ast, "match_number"))
        return bind_match_number(ast, term);
    if (is_aggregate_call(ast))
        return bind_aggregate_term(mapper, ast, term);
    return bind_value(mapper, ast, "an expression", term);
}

/* ---- in an expression ---- */

static Error *row_time(Mapper *mapper, const AstExpr *ast, AstExpr **replacement)
{
    const Matching *matching = mapper->matching;
    if (ast->args.count)
        return error_at(ERR_BIND, ast->at, "MATCH_ROWTIME takes no arguments");
    if (mapper->variable >= 0)
        return error_at(ERR_BIND, ast->at, "MATCH_ROWTIME may stand in MEASURES only");
    if (matching->time_column < 0)
        return error_hint(error_at(ERR_BIND, ast->at, "MATCH_ROWTIME() needs rows in the order of a time"), "ORDER BY the event time");
    *replacement = ast_marker(matching->arena, mapper->collecting ? 0 : matching->time_column, ast->at);
    return NULL;
}

static Error *map_term(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Mapper *mapper = context;
    Matching *matching = mapper->matching;
    if (ast->kind == AST_CALL && ast->over)
        return error_at(ERR_BIND, ast->at, "%s OVER (..) inside MATCH_RECOGNIZE", ast_call_name(ast));
    if (is_subquery(ast))
        return binder_unsupported(ast->at, "a sub-query inside MATCH_RECOGNIZE");
    if (is_named_call(ast, "match_rowtime"))
        return row_time(mapper, ast, replacement);
    if (ast->kind != AST_NAME && !is_match_call(ast) && !is_window_bound_call(ast)) /* that one is System.Timestamp() */
        return NULL;
    const char *text = ast_text(matching->arena, ast);
    int found = 0;
    while (found < mapper->terms->count && strcmp(mapper->terms->items[found].text, text) != 0)
        found++;
    if (found == mapper->terms->count) {
        FoundTerm term = { .text = text };
        TRY(bind_term(mapper, ast, &term.term));
        term.term.name = text;
        LIST_ADD(matching->arena, mapper->terms, term);
    }
    *replacement = ast_marker(matching->arena, mapper->base + found, ast->at);
    return NULL;
}

Error *match_define_terms(Matching *matching, int variable, const AstExpr *condition, AstExpr **mapped)
{
    Mapper mapper = { .matching = matching, .terms = &matching->defines, .variable = variable };
    return ast_map(matching->arena, condition, map_term, &mapper, mapped);
}

Error *match_collect_measure(Matching *matching, const AstExpr *measure)
{
    Mapper mapper = { .matching = matching, .terms = &matching->measures, .variable = -1, .collecting = true };
    AstExpr *ignored = NULL;
    return ast_map(matching->arena, measure, map_term, &mapper, &ignored);
}

Error *match_measure(Matching *matching, const AstExpr *measure, AstExpr **mapped)
{
    Mapper mapper = { .matching = matching, .terms = &matching->measures, .variable = -1, .base = matching->relation->schema.column_count };
    return ast_map(matching->arena, measure, map_term, &mapper, mapped);
}

Relation match_terms_relation(const Matching *matching, const MatchTerms *terms)
{
    Relation relation = { .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    relation.schema = (Schema){ terms->count, ARENA_ARRAY(matching->arena, Column, terms->count + 1) };
    for (int i = 0; i < terms->count; i++)
        relation.schema.columns[i] = (Column){ .name = terms->items[i].text, .type = terms->items[i].term.type, .hidden = true };
    return relation;
}

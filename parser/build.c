/* parser/build.c: the nodes of the tree, and what the grammar cannot say: clauses that stand twice,
 * trailing clauses of a set operation, depth. */
#include "parser/parser_internal.h"
#include "parser/sql.h"

/* ---- lists ---- */

AstExprs *exprs_add(Parser *parser, AstExprs *list, AstExpr *expr)
{
    if (!list)
        list = ARENA_NEW(parser->arena, AstExprs);
    if (expr)
        LIST_ADD(parser->arena, list, expr);
    return list;
}

AstNames *names_add(Parser *parser, AstNames *list, AstName name)
{
    if (!list) {
        list = ARENA_NEW(parser->arena, AstNames);
        list->items = ARENA_ARRAY(parser->arena, AstName, 1); /* most are one name */
        list->capacity = 1;
    }
    LIST_ADD(parser->arena, list, name);
    return list;
}

Span names_span(const AstNames *names)
{
    return names->count ? span_join(names->items[0].at, names->items[names->count - 1].at) : SPAN_NONE;
}

Span exprs_span(const AstExprs *exprs)
{
    return exprs->count ? span_join(exprs->items[0]->at, exprs->items[exprs->count - 1]->at) : SPAN_NONE;
}

static bool is_row(const AstExpr *expr) { return expr->kind == AST_STRUCT && expr->parenthesized && !expr->path.count && expr->args.count > 1; }

AstExprs *exprs_unwrap(AstExprs *exprs)
{
    return exprs->count == 1 && is_row(exprs->items[0]) ? &exprs->items[0]->args : exprs;
}

void named_split(Parser *parser, const NamedExprs *list, AstExpr ***exprs, AstName **names, int *count)
{
    *count = list->count;
    *exprs = ARENA_ARRAY(parser->arena, AstExpr *, (size_t)list->count);
    *names = ARENA_ARRAY(parser->arena, AstName, (size_t)list->count);
    for (int i = 0; i < list->count; i++) {
        (*exprs)[i] = list->items[i].expr;
        (*names)[i] = list->items[i].name;
    }
}

void match_rows(Parser *parser, AstMatch *match, AstMatchRows rows, Span at)
{
    if (match->rows_at.length)
        parser_fail(parser, error_at(ERR_PARSE, at, "a second ROWS PER MATCH of one MATCH_RECOGNIZE"));
    match->rows = rows;
    match->rows_at = at;
}

/* ---- expressions ---- */

AstExpr *build_expr(Parser *parser, AstExprKind kind, Span at)
{
    AstExpr *expr = ARENA_NEW(parser->arena, AstExpr);
    expr->kind = kind;
    expr->at = at;
    expr->depth = 1;
    return expr;
}

static int deeper(int depth, const AstExpr *expr) { return expr && expr->depth > depth ? expr->depth : depth; }

static int list_depth(int depth, const AstExprs *list)
{
    for (int i = 0; i < list->count; i++)
        depth = deeper(depth, list->items[i]);
    return depth;
}

static int order_depth(int depth, const AstOrder *order)
{
    for (int i = 0; i < order->count; i++)
        depth = deeper(depth, order->items[i].expr);
    return depth;
}

static int over_depth(int depth, const AstOver *over)
{
    depth = order_depth(list_depth(depth, &over->partition_by), &over->order_by);
    depth = deeper(deeper(depth, over->from_offset), over->to_offset);
    return deeper(deeper(depth, over->limit_duration), over->when);
}

AstExpr *build_done(Parser *parser, AstExpr *expr)
{
    int depth = deeper(deeper(0, expr->left), expr->right);
    depth = order_depth(list_depth(deeper(depth, expr->filter), &expr->args), &expr->within_order);
    if (expr->query && expr->query->depth > depth)
        depth = expr->query->depth;
    if (expr->over)
        depth = over_depth(depth, expr->over);
    expr->depth = depth + 1;
    if (expr->right && !expr->query)
        expr->at = span_join(expr->at, expr->right->at);
    if (expr->kind == AST_BETWEEN || expr->kind == AST_LIKE)
        expr->at = span_join(expr->at, exprs_span(&expr->args));
    if (expr->depth > PARSER_MAX_DEPTH)
        parser_fail(parser, error_at(ERR_PARSE, expr->op_at.length ? expr->op_at : expr->at,
                                     "an expression of more than %d steps in one chain; use IN (..), or split it", PARSER_MAX_DEPTH));
    return expr;
}

AstExpr *build_binary(Parser *parser, AstOperator op, AstExpr *left, Token op_token, AstExpr *right)
{
    AstExpr *expr = build_expr(parser, AST_BINARY, left->at);
    expr->op = op;
    expr->op_at = op_token.at;
    expr->left = left;
    expr->right = right;
    return build_done(parser, expr);
}

/* A minus before a number belongs to the number, or -9223372036854775808 could not be written. */
static bool negate_literal(AstExpr *expr)
{
    Value *value = &expr->value;
    if (expr->kind != AST_LITERAL || expr->parenthesized || value->is_null)
        return false;
    switch (value->type->kind) {
    case TYPE_BIGINT:
        if (value->integer < 0)
            return false;
        value->integer = -value->integer;
        return true;
    case TYPE_DOUBLE:
        if (__builtin_signbit(value->number))
            return false;
        value->number = -value->number;
        return true;
    case TYPE_DECIMAL:
        if (value->type->precision <= 18) {
            if (value->integer < 0)
                return false;
            value->integer = -value->integer;
            return true;
        }
        if (value->decimal < 0)
            return false;
        value->decimal = -value->decimal;
        if (value->type->scale == 0 && value->decimal == INT64_MIN) {
            value->type = type_scalar(TYPE_BIGINT);
            value->integer = INT64_MIN;
        }
        return true;
    default:
        return false;
    }
}

AstExpr *build_unary(Parser *parser, AstOperator op, Token op_token, AstExpr *operand)
{
    if (op == OP_NEGATE && negate_literal(operand)) {
        operand->at = span_join(op_token.at, operand->at);
        return operand;
    }
    AstExpr *expr = build_expr(parser, AST_UNARY, span_join(op_token.at, operand->at));
    expr->op = op;
    expr->op_at = op_token.at;
    expr->left = operand;
    return build_done(parser, expr);
}

/* ASA writes System.Timestamp() with and without parentheses. */
static bool is_system_timestamp(const AstNames *path)
{
    return path->count == 2 && !path->items[0].quoted && !path->items[1].quoted && name_equal(path->items[0].text, "system") && name_equal(path->items[1].text, "timestamp");
}

AstExpr *build_name(Parser *parser, AstNames *path)
{
    AstExpr *expr = build_expr(parser, is_system_timestamp(path) ? AST_CALL : AST_NAME, names_span(path));
    expr->op_at = expr->at;
    expr->path = *path;
    return expr;
}

AstExpr *build_call(Parser *parser, AstNames *path, AstExprs *args, Token close)
{
    Span name = names_span(path);
    AstExpr *expr = build_expr(parser, AST_CALL, span_join(name, close.at));
    expr->op_at = name;
    expr->path = *path;
    if (args && args->count == 1 && args->items[0]->kind == AST_STAR && !args->items[0]->left && !args->items[0]->path.count)
        expr->star = true;
    else if (args)
        expr->args = *args;
    return build_done(parser, expr);
}

AstExpr *build_query_expr(Parser *parser, AstExprKind kind, Span at, AstQuery *query)
{
    AstExpr *expr = build_expr(parser, kind, at);
    expr->op_at = at;
    expr->query = query;
    return build_done(parser, expr);
}

/* MAP['k', v, ..] is a constructor; with one item it can only be a column named map with a subscript. */
AstExpr *build_map_brackets(Parser *parser, Token map, AstExprs *items, Token close)
{
    Span at = span_join(map.at, close.at);
    if (items->count == 1) {
        AstExpr *subscript = build_expr(parser, AST_SUBSCRIPT, at);
        subscript->left = build_name(parser, names_add(parser, NULL, token_name(parser, map)));
        subscript->right = items->items[0];
        subscript->op_at = subscript->right->at;
        return build_done(parser, subscript);
    }
    if (items->count % 2)
        parser_fail(parser, error_at(ERR_PARSE, close.at, "MAP[..] needs a value after every key"));
    AstExpr *expr = build_expr(parser, AST_MAP, at);
    expr->op_at = map.at;
    expr->args = *items;
    return build_done(parser, expr);
}

AstType *build_type(Parser *parser, AstName name)
{
    AstType *type = ARENA_NEW(parser->arena, AstType);
    type->name = name;
    type->at = name.at;
    type->precision = type->scale = -1;
    return type;
}

/* ---- relations ---- */

AstRelation *build_relation(Parser *parser, AstRelationKind kind, Span at)
{
    AstRelation *relation = ARENA_NEW(parser->arena, AstRelation);
    relation->kind = kind;
    relation->at = at;
    return relation;
}

bool query_is_bare(const AstQuery *query)
{
    return !query->ctes.count && !query->order_by.count && !query->emit.kind && !query->limit && !query->offset;
}

AstRelation *build_relation_query(Parser *parser, AstQuery *query)
{
    AstRelation *relation = build_relation(parser, AST_REL_QUERY, query->at);
    if (query->kind == AST_VALUES && query_is_bare(query)) {
        relation->kind = AST_REL_VALUES;
        memcpy(&relation->rows, &query->rows, sizeof relation->rows);
    } else {
        relation->query = query;
    }
    return relation;
}

static int join_count(const AstRelation *relation)
{
    int count = 0;
    for (; relation->kind == AST_REL_JOIN || relation->kind == AST_REL_MATCH; relation = relation->left)
        count++;
    return count;
}

AstRelation *build_function(Parser *parser, AstExpr *call, Span at, bool with_ordinality)
{
    AstRelation *relation = build_relation(parser, AST_REL_FUNCTION, at);
    relation->function = table_call(parser, call);
    relation->with_ordinality = with_ordinality;
    return relation;
}

/* A call that stands where only its arguments make sense. */
AstExpr *table_call(Parser *parser, AstExpr *call)
{
    if (call->within_order.count || call->ignore_nulls)
        parser_fail(parser, error_at(ERR_PARSE, call->within_order.count ? call->within_order.items[0].at : call->op_at,
                                     "%s is for aggregates and window functions", call->within_order.count ? "ORDER BY in a call" : "IGNORE NULLS"));
    return call;
}

AstRelation *build_join(Parser *parser, AstRelation *left, AstJoinKind kind, bool natural, Token op, AstRelation *right,
                        const Duo *within, AstExpr *on, AstNames *using)
{
    AstRelation *join = build_relation(parser, AST_REL_JOIN, span_join(left->at, right->at));
    join->left = left;
    join->right = right;
    join->join = kind;
    join->natural = natural;
    join->on = on;
    if (using)
        join->using = *using;
    if (within) {
        join->has_within = true;
        join->within_before = within->before;
        join->within_after = within->after;
        join->join_grace = within->grace;
    }
    if (on)
        join->at = span_join(join->at, on->at);
    if ((on || using || natural) && kind >= AST_JOIN_CROSS)
        parser_fail(parser, error_at(ERR_PARSE, on ? on->at : using ? names_span(using) : op.at, "a CROSS JOIN has no condition"));
    if (join_count(join) > PARSER_MAX_CHAIN)
        parser_fail(parser, error_at(ERR_PARSE, op.at, "more than %d joins", PARSER_MAX_CHAIN));
    return join;
}

void relation_alias(Parser *parser, AstRelation *relation, AstName alias, AstNames *columns)
{
    if (!alias.text)
        return;
    if (relation->alias.text)
        parser_fail(parser, error_at(ERR_PARSE, alias.at, "'%s' already has the alias '%s'", alias.text, relation->alias.text));
    relation->alias = alias;
    relation->at = span_join(relation->at, alias.at);
    if (columns)
        relation->column_aliases = *columns;
}

void relation_timestamp(Parser *parser, AstRelation *relation, Token timestamp, AstExpr *by, AstExpr *over)
{
    if (relation->timestamp_by || relation->kind == AST_REL_JOIN)
        parser_fail(parser, error_at(ERR_PARSE, timestamp.at, relation->timestamp_by ? "a second TIMESTAMP BY of one source"
                                                                                     : "TIMESTAMP BY belongs to one source, not to a join"));
    relation->timestamp_by = by;
    relation->timestamp_over = over;
    relation->at = span_join(relation->at, over ? over->at : by->at);
}

/* ---- queries ---- */

AstQuery *build_select(Parser *parser, Token select, bool distinct, SelectItems *items)
{
    AstQuery *query = ARENA_NEW(parser->arena, AstQuery);
    query->kind = AST_SELECT;
    query->distinct = distinct;
    memcpy(&query->items, items, sizeof query->items);
    query->at = span_join(select.at, parser->last);
    return query;
}

static void twice(Parser *parser, bool given, const char *what, Span at)
{
    if (given)
        parser_fail(parser, error_at(ERR_PARSE, at, "a second %s in one query", what));
}

void query_add_clause(Parser *parser, AstQuery *query, const Clause *clause)
{
    query->at = span_join(query->at, parser->last);
    switch (clause->kind) {
    case CLAUSE_INTO:
        twice(parser, query->into.text, "INTO", clause->at);
        query->into = clause->name;
        break;
    case CLAUSE_FROM:
        twice(parser, query->from, "FROM", clause->at);
        query->from = clause->relation;
        break;
    case CLAUSE_WINDOW:
        twice(parser, query->window.kind, "WINDOW", clause->at);
        query->window = clause->window;
        break;
    case CLAUSE_WHERE:
        twice(parser, query->where, "WHERE", clause->at);
        query->where = clause->expr;
        break;
    case CLAUSE_GROUP:
        twice(parser, query->group_at.length, "GROUP BY", clause->at);
        query->group_kind = clause->group->group_kind;
        query->group_by = *exprs_unwrap(&clause->group->group_by);
        query->grouping_sets.items = clause->group->grouping_sets.items;
        query->grouping_sets.count = clause->group->grouping_sets.count;
        query->grouping_sets.capacity = clause->group->grouping_sets.capacity;
        query->group_at = span_join(clause->at, parser->last);
        break;
    case CLAUSE_LATENESS:
        twice(parser, query->allowed_lateness.given, "ALLOWED LATENESS", clause->at);
        query->allowed_lateness = clause->duration;
        break;
    case CLAUSE_LATE:
        twice(parser, query->late_into.text, "LATE INTO", clause->at);
        query->late_into = clause->name;
        break;
    case CLAUSE_PARTITION:
        twice(parser, query->partition_by_given, "PARTITION BY", clause->at);
        query->partition_by_given = true;
        query->partition_by = *clause->exprs;
        break;
    case CLAUSE_HAVING:
        twice(parser, query->having, "HAVING", clause->at);
        query->having = clause->expr;
        break;
    case CLAUSE_QUALIFY:
        twice(parser, query->qualify, "QUALIFY", clause->at);
        query->qualify = clause->expr;
        break;
    case CLAUSE_NAMED_WINDOWS:
        twice(parser, query->windows.count, "list of windows", clause->at);
        memcpy(&query->windows, clause->windows, sizeof query->windows);
        break;
    case CLAUSE_ORDER:
        twice(parser, query->order_by.count, "ORDER BY", clause->at);
        query->order_by = *clause->order;
        break;
    case CLAUSE_EMIT:
        twice(parser, query->emit.kind, "EMIT", clause->at);
        query->emit = clause->emit;
        break;
    case CLAUSE_LIMIT:
        twice(parser, query->limit, "LIMIT", clause->at);
        query->limit = clause->expr;
        break;
    case CLAUSE_OFFSET:
        twice(parser, query->offset, "OFFSET", clause->at);
        query->offset = clause->expr;
        break;
    }
}

static Span tail_place(const AstQuery *query)
{
    if (query->order_by.count)
        return query->order_by.items[0].at;
    if (query->emit.kind)
        return query->emit.at;
    if (query->limit && !query->top)
        return query->limit->at;
    return query->offset ? query->offset->at : SPAN_NONE;
}

/* SELECT * FROM (query): where one query would need two ORDER BYs, or two WITHs, of its own. */
static AstQuery *wrap(Parser *parser, AstQuery *inner)
{
    AstQuery *query = ARENA_NEW(parser->arena, AstQuery);
    query->kind = AST_SELECT;
    query->at = inner->at;
    AstExpr *star = build_expr(parser, AST_STAR, inner->at);
    AstSelectItem item = { star, { 0 }, inner->at };
    LIST_ADD(parser->arena, &query->items, item);
    query->from = build_relation_query(parser, inner);
    query->depth = inner->depth;
    return query;
}

AstQuery *operand_query(Parser *parser, Operand operand)
{
    if (!operand.tails || !operand.tails->count)
        return operand.query;
    AstQuery *query = tail_place(operand.query).length ? wrap(parser, operand.query) : operand.query;
    for (int i = 0; i < operand.tails->count; i++)
        query_add_clause(parser, query, operand.tails->items[i]);
    return query;
}

static int set_depth(const AstQuery *query)
{
    int count = 0;
    for (; query->kind == AST_SET_OPERATION; query = query->left)
        count++;
    return count;
}

Operand build_set_operation(Parser *parser, Operand left, AstSetKind kind, bool all, Token op, Operand right)
{
    AstQuery *query = ARENA_NEW(parser->arena, AstQuery);
    query->kind = AST_SET_OPERATION;
    query->set_kind = kind;
    query->set_all = all;
    query->left = left.query;
    query->right = right.query;
    query->at = span_join(left.query->at, right.query->at);
    Span tail = left.tails && left.tails->count ? left.tails->items[0]->at : left.open ? tail_place(left.query) : SPAN_NONE;
    if (tail.length)
        parser_fail(parser, error_hint(error_at(ERR_PARSE, tail, "ORDER BY, EMIT, LIMIT and OFFSET stand behind the last query of a set operation"),
                                       "or put this query in parentheses"));
    if (right.open) { /* its trailing clauses are those of the whole */
        AstQuery *last = right.query;
        query->order_by = last->order_by;
        query->emit = last->emit;
        query->limit = last->top ? NULL : last->limit;
        query->offset = last->offset;
        last->order_by = (AstOrder){ 0 };
        last->emit = (AstEmit){ 0 };
        last->offset = NULL;
        if (!last->top)
            last->limit = NULL;
    }
    for (int i = 0; right.tails && i < right.tails->count; i++)
        query_add_clause(parser, query, right.tails->items[i]);
    if (set_depth(query) > PARSER_MAX_CHAIN)
        parser_fail(parser, error_at(ERR_PARSE, op.at, "more than %d set operations in one query", PARSER_MAX_CHAIN));
    return (Operand){ query, true, NULL };
}

AstQuery *query_with_ctes(Parser *parser, Ctes *ctes, AstQuery *query)
{
    if (query->ctes.count)
        query = wrap(parser, query);
    memcpy(&query->ctes, ctes, sizeof query->ctes);
    query->at = span_join(ctes->items[0].name.at, query->at);
    return query;
}

AstQuery *build_group(Parser *parser, AstExprs *plain, AstGroupKind kind, Rows *sets, Span at)
{
    AstQuery *group = ARENA_NEW(parser->arena, AstQuery);
    group->group_kind = kind;
    if (plain)
        group->group_by = *plain;
    if (sets)
        memcpy(&group->grouping_sets, sets, sizeof group->grouping_sets);
    group->at = at;
    return group;
}

AstQuery *group_merge(Parser *parser, AstQuery *list, AstQuery *item)
{
    if (!list)
        return item;
    if (item->group_kind != AST_GROUP_PLAIN) {
        if (list->group_kind != AST_GROUP_PLAIN)
            parser_fail(parser, error_at(ERR_PARSE, item->at, "a second GROUPING SETS, CUBE or ROLLUP in one query"));
        list->group_kind = item->group_kind;
        memcpy(&list->grouping_sets, &item->grouping_sets, sizeof list->grouping_sets);
        return list;
    }
    for (int i = 0; i < item->group_by.count; i++)
        LIST_ADD(parser->arena, &list->group_by, item->group_by.items[i]);
    return list;
}

static int query_depth(const AstQuery *query);

static int relation_depth(int depth, const AstRelation *relation)
{
    while (relation) {
        depth = deeper(deeper(deeper(depth, relation->function), relation->on), relation->system_time);
        depth = deeper(deeper(depth, relation->timestamp_by), relation->timestamp_over);
        if (relation->query && relation->query->depth > depth)
            depth = relation->query->depth;
        for (int i = 0; i < relation->rows.count; i++)
            depth = list_depth(depth, &relation->rows.items[i]);
        if (relation->match) {
            const AstMatch *match = relation->match;
            depth = order_depth(list_depth(deeper(depth, match->limit_duration), &match->partition_by), &match->order_by);
            for (int i = 0; i < match->measures.count; i++)
                depth = deeper(depth, match->measures.exprs[i]);
            for (int i = 0; i < match->define.count; i++)
                depth = deeper(depth, match->define.exprs[i]);
        }
        if (relation->right)
            depth = relation_depth(depth, relation->right); /* in parentheses, so not too deep */
        relation = relation->left;
    }
    return depth;
}

static int query_depth(const AstQuery *query)
{
    int depth = 0;
    for (;; query = query->left) {
        for (int i = 0; i < query->ctes.count; i++)
            if (query->ctes.items[i].query->depth > depth)
                depth = query->ctes.items[i].query->depth;
        for (int i = 0; i < query->items.count; i++)
            depth = deeper(depth, query->items.items[i].expr);
        for (int i = 0; i < query->rows.count; i++)
            depth = list_depth(depth, &query->rows.items[i]);
        for (int i = 0; i < query->grouping_sets.count; i++)
            depth = list_depth(depth, &query->grouping_sets.items[i]);
        depth = order_depth(list_depth(list_depth(depth, &query->group_by), &query->partition_by), &query->order_by);
        depth = deeper(deeper(deeper(depth, query->where), query->having), query->qualify);
        depth = deeper(deeper(depth, query->timestamp_by), query->timestamp_over);
        for (int i = 0; i < query->windows.count; i++)
            depth = over_depth(depth, query->windows.items[i].over) + 1;
        depth = relation_depth(depth, query->from);
        if (query->kind != AST_SET_OPERATION)
            return depth;
        int right = query_depth(query->right);
        depth = right > depth ? right : depth;
    }
}

AstQuery *query_done(Parser *parser, AstQuery *query)
{
    (void)parser;
    for (AstQuery *side = query;; side = side->left) {
        AstQuery *select = side->kind == AST_SET_OPERATION ? side->right : side;
        AstRelation *from = select->from;
        if (from && from->kind != AST_REL_JOIN && from->kind != AST_REL_MATCH && from->timestamp_by) {
            select->timestamp_by = from->timestamp_by;
            select->timestamp_over = from->timestamp_over;
            from->timestamp_by = from->timestamp_over = NULL;
        }
        if (side->kind != AST_SET_OPERATION)
            break;
    }
    query->depth = query_depth(query) + 1;
    return query;
}

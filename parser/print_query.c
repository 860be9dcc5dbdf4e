/* parser/print_query.c: relations, windows and queries as SQL. */
#include "parser/print.h"

/* ---- relations ---- */

void print_rows(const AstExprs *rows, int count, Text *text)
{
    for (int i = 0; i < count; i++) {
        text_add_c(text, i ? ", (" : "(");
        print_list(&rows[i], text);
        text_add_char(text, ')');
    }
}

static void print_match(const AstMatch *match, Text *text)
{
    static const char *const rows[] = { " ONE ROW PER MATCH", " ALL ROWS PER MATCH", " ALL ROWS PER MATCH SHOW EMPTY MATCHES", " ALL ROWS PER MATCH OMIT EMPTY MATCHES",
                                        " ALL ROWS PER MATCH WITH UNMATCHED ROWS" };
    static const char *const skips[] = { "", "PAST LAST ROW", "TO NEXT ROW", "TO FIRST ", "TO LAST " };
    text_add_c(text, " MATCH_RECOGNIZE (");
    if (match->limit_duration) {
        text_add_c(text, " LIMIT ");
        print_expr(match->limit_duration, ANY, text);
    }
    if (match->partition_by.count) {
        text_add_c(text, " PARTITION BY ");
        print_list(&match->partition_by, text);
    }
    if (match->order_by.count) {
        text_add_c(text, " ORDER BY ");
        print_order(&match->order_by, text);
    }
    for (int i = 0; i < match->measures.count; i++) {
        text_add_c(text, i ? ", " : " MEASURES ");
        print_expr(match->measures.exprs[i], ANY, text);
        text_add_c(text, " AS ");
        print_name(&match->measures.names[i], text);
    }
    text_add_c(text, rows[match->rows]);
    if (match->skip)
        text_printf(text, " AFTER MATCH SKIP %s", skips[match->skip]);
    if (match->skip_variable.text)
        print_name(&match->skip_variable, text);
    text_add_c(text, " PATTERN (");
    ast_print_pattern(match->pattern, text);
    text_add_char(text, ')');
    if (match->within.given) {
        text_add_c(text, " WITHIN ");
        print_interval(&match->within.interval, text);
    }
    for (int i = 0; i < match->subsets.count; i++) {
        text_add_c(text, i ? ", " : " SUBSET ");
        print_name(&match->subsets.items[i].name, text);
        text_add_c(text, " = (");
        print_names(&match->subsets.items[i].variables, ", ", text);
        text_add_char(text, ')');
    }
    for (int i = 0; i < match->define.count; i++) {
        text_add_c(text, i ? ", " : " DEFINE ");
        print_name(&match->define.names[i], text);
        text_add_c(text, " AS ");
        print_expr(match->define.exprs[i], ANY, text);
    }
    text_add_char(text, ')');
}

static void print_relation(const AstRelation *relation, Text *text);

static void print_join(const AstRelation *join, Text *text)
{
    static const char *const kinds[] = { "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "CROSS APPLY", "OUTER APPLY" };
    print_relation(join->left, text);
    text_printf(text, " %s%s ", join->natural ? "NATURAL " : "", kinds[join->join]);
    bool parentheses = join->right->kind == AST_REL_JOIN && !join->right->alias.text;
    if (parentheses)
        text_add_char(text, '(');
    print_relation(join->right, text);
    if (parentheses)
        text_add_char(text, ')');
    if (join->has_within) {
        const AstDuration *before = &join->within_before, *after = &join->within_after;
        bool both = before->interval.us != after->interval.us || before->interval.months != after->interval.months;
        text_add_c(text, both ? " WITHIN (" : " WITHIN ");
        print_interval(&before->interval, text);
        if (both) {
            text_add_c(text, ", ");
            print_interval(&after->interval, text);
            text_add_char(text, ')');
        }
        if (join->join_grace.given) {
            text_add_c(text, " GRACE PERIOD ");
            print_interval(&join->join_grace.interval, text);
        }
    }
    if (join->on) {
        text_add_c(text, " ON ");
        print_expr(join->on, ANY, text);
    }
    if (join->using.count) {
        text_add_c(text, " USING (");
        print_names(&join->using, ", ", text);
        text_add_char(text, ')');
    }
}

static void print_relation(const AstRelation *relation, Text *text)
{
    if (relation->lateral)
        text_add_c(text, "LATERAL ");
    switch (relation->kind) {
    case AST_REL_NAME:
        print_names(&relation->name, ".", text);
        if (relation->system_time) {
            text_add_c(text, " FOR SYSTEM_TIME AS OF ");
            print_expr(relation->system_time, SUM_LEVEL, text);
        }
        break;
    case AST_REL_FILE:
        print_string(relation->path, text);
        break;
    case AST_REL_QUERY:
        text_add_char(text, '(');
        print_query(relation->query, text);
        text_add_char(text, ')');
        break;
    case AST_REL_VALUES:
        text_add_c(text, "(VALUES ");
        print_rows(relation->rows.items, relation->rows.count, text);
        text_add_char(text, ')');
        break;
    case AST_REL_FUNCTION:
        print_call(relation->function, text);
        if (relation->with_ordinality)
            text_add_c(text, " WITH ORDINALITY");
        break;
    case AST_REL_JOIN:
        if (relation->alias.text)
            text_add_char(text, '(');
        print_join(relation, text);
        if (relation->alias.text)
            text_add_char(text, ')');
        break;
    case AST_REL_MATCH: {
        bool parentheses = relation->left->kind == AST_REL_JOIN && !relation->left->alias.text;
        if (parentheses)
            text_add_char(text, '(');
        print_relation(relation->left, text);
        if (parentheses)
            text_add_char(text, ')');
        print_match(relation->match, text);
        break;
    }
    }
    print_hints(&relation->hints, text);
    if (relation->alias.text) {
        text_add_c(text, " AS ");
        print_name(&relation->alias, text);
        if (relation->column_aliases.count) {
            text_add_c(text, " (");
            print_names(&relation->column_aliases, ", ", text);
            text_add_char(text, ')');
        }
    }
    if (relation->timestamp_by) {
        text_add_c(text, " TIMESTAMP BY ");
        print_expr(relation->timestamp_by, ANY, text);
    }
    if (relation->timestamp_over) {
        text_add_c(text, " OVER ");
        print_expr(relation->timestamp_over, ANY, text);
    }
}

/* ---- queries ---- */

static void print_window(const AstWindow *window, Text *text)
{
    static const char *const kinds[] = { "", "TUMBLING", "HOPPING", "SESSION", "SLIDING", "CUMULATING", "COUNT" };
    static const struct { const char *name; size_t offset; } options[] = {
        { "OFFSET", offsetof(AstWindow, offset) }, { "RETENTION", offsetof(AstWindow, retention) }, { "GRACE PERIOD", offsetof(AstWindow, grace) }
    };
    text_printf(text, " WINDOW %s (", kinds[window->kind]);
    if (window->kind == AST_WINDOW_COUNT) {
        text_printf(text, "SIZE %" PRId64, window->count);
        if (window->count_advance)
            text_printf(text, ", ADVANCE BY %" PRId64, window->count_advance);
    } else {
        text_add_c(text, window->kind == AST_WINDOW_SESSION ? "" : "SIZE ");
        print_interval(&window->size.interval, text);
        if (window->advance.given) {
            text_add_c(text, window->kind == AST_WINDOW_CUMULATING ? ", STEP " : ", ADVANCE BY ");
            print_interval(&window->advance.interval, text);
        }
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const AstDuration *duration = (const void *)((const char *)window + options[i].offset);
        if (!duration->given)
            continue;
        text_printf(text, ", %s ", options[i].name);
        print_interval(&duration->interval, text);
    }
    if (window->time_zone) {
        text_add_c(text, ", TIME ZONE ");
        print_string(window->time_zone, text);
    }
    if (window->late_into.text) {
        text_add_c(text, ", LATE INTO ");
        print_name(&window->late_into, text);
    }
    text_add_char(text, ')');
}

static void print_group(const AstQuery *query, Text *text)
{
    static const char *const kinds[] = { "", "GROUPING SETS (", "CUBE (", "ROLLUP (" };
    text_add_c(text, " GROUP BY ");
    print_list(&query->group_by, text);
    if (query->group_kind == AST_GROUP_PLAIN)
        return;
    text_printf(text, "%s%s", query->group_by.count ? ", " : "", kinds[query->group_kind]);
    for (int i = 0; i < query->grouping_sets.count; i++) {
        const AstExprs *set = &query->grouping_sets.items[i];
        text_add_c(text, i ? ", " : "");
        text_add_c(text, set->count == 1 ? "" : "(");
        print_list(set, text);
        text_add_c(text, set->count == 1 ? "" : ")");
    }
    text_add_char(text, ')');
}

static void print_select(const AstQuery *query, Text *text)
{
    text_add_c(text, query->distinct ? "SELECT DISTINCT " : "SELECT ");
    for (int i = 0; i < query->items.count; i++) {
        const AstSelectItem *item = &query->items.items[i];
        text_add_c(text, i ? ", " : "");
        print_expr(item->expr, ANY, text);
        if (item->alias.text) {
            text_add_c(text, " AS ");
            print_name(&item->alias, text);
        }
    }
    if (query->into.text) {
        text_add_c(text, " INTO ");
        print_name(&query->into, text);
    }
    if (query->from) {
        text_add_c(text, " FROM ");
        print_relation(query->from, text);
    }
    if (query->timestamp_by) {
        text_add_c(text, " TIMESTAMP BY ");
        print_expr(query->timestamp_by, ANY, text);
    }
    if (query->timestamp_over) {
        text_add_c(text, " OVER ");
        print_expr(query->timestamp_over, ANY, text);
    }
    if (query->window.kind)
        print_window(&query->window, text);
    if (query->where) {
        text_add_c(text, " WHERE ");
        print_expr(query->where, ANY, text);
    }
    if (query->group_by.count || query->group_kind)
        print_group(query, text);
    if (query->allowed_lateness.given) {
        text_add_c(text, " ALLOWED LATENESS ");
        print_interval(&query->allowed_lateness.interval, text);
    }
    if (query->late_into.text) {
        text_add_c(text, " LATE INTO ");
        print_name(&query->late_into, text);
    }
    if (query->partition_by_given) {
        text_add_c(text, " PARTITION BY ");
        print_list(&query->partition_by, text);
    }
    if (query->having) {
        text_add_c(text, " HAVING ");
        print_expr(query->having, ANY, text);
    }
    if (query->qualify) {
        text_add_c(text, " QUALIFY ");
        print_expr(query->qualify, ANY, text);
    }
    for (int i = 0; i < query->windows.count; i++) {
        text_add_c(text, i ? ", " : " WINDOW ");
        print_name(&query->windows.items[i].name, text);
        text_add_c(text, " AS ");
        print_over(query->windows.items[i].over, text);
    }
}

static bool has_tail(const AstQuery *query)
{
    return query->ctes.count || query->order_by.count || query->emit.kind || query->limit || query->offset;
}

static void print_operand(const AstQuery *query, bool parentheses, Text *text)
{
    if (parentheses)
        text_add_char(text, '(');
    print_query(query, text);
    if (parentheses)
        text_add_char(text, ')');
}

void print_query(const AstQuery *query, Text *text)
{
    static const char *const operations[] = { "UNION ALL", "UNION", "INTERSECT", "EXCEPT" };
    for (int i = 0; i < query->ctes.count; i++) {
        const AstCte *cte = &query->ctes.items[i];
        text_add_c(text, i ? ", " : "WITH ");
        print_name(&cte->name, text);
        if (cte->columns.count) {
            text_add_c(text, " (");
            print_names(&cte->columns, ", ", text);
            text_add_char(text, ')');
        }
        text_add_c(text, " AS (");
        print_query(cte->query, text);
        text_add_char(text, ')');
    }
    if (query->ctes.count)
        text_add_char(text, ' ');
    switch (query->kind) {
    case AST_SELECT:
        print_select(query, text);
        break;
    case AST_VALUES:
        text_add_c(text, "VALUES ");
        print_rows(query->rows.items, query->rows.count, text);
        break;
    case AST_SET_OPERATION: {
        bool looser = query->set_kind == AST_INTERSECT && query->left->kind == AST_SET_OPERATION && query->left->set_kind != AST_INTERSECT;
        print_operand(query->left, looser || has_tail(query->left), text);
        text_printf(text, " %s%s ", operations[query->set_kind], query->set_all && query->set_kind != AST_UNION_ALL ? " ALL" : "");
        print_operand(query->right, query->right->kind == AST_SET_OPERATION || has_tail(query->right), text);
        break;
    }
    }
    if (query->order_by.count) {
        text_add_c(text, " ORDER BY ");
        print_order(&query->order_by, text);
    }
    switch (query->emit.kind) {
    case AST_EMIT_NONE:
        break;
    case AST_EMIT_CHANGES:
        text_add_c(text, " EMIT CHANGES");
        break;
    case AST_EMIT_FINAL:
        text_add_c(text, " EMIT FINAL");
        break;
    case AST_EMIT_AFTER_WATERMARK:
        text_add_c(text, " EMIT AFTER WATERMARK");
        break;
    case AST_EMIT_AFTER_DELAY:
        text_add_c(text, " EMIT AFTER DELAY ");
        print_interval(&query->emit.delay.interval, text);
        if (query->emit.and_after_watermark)
            text_add_c(text, " AND AFTER WATERMARK");
        break;
    }
    if (query->limit) {
        text_add_c(text, " LIMIT ");
        print_expr(query->limit, ANY, text);
    }
    if (query->offset) {
        text_add_c(text, " OFFSET ");
        print_expr(query->offset, ANY, text);
    }
}

void ast_print_query(const AstQuery *query, Text *text) { print_query(query, text); }

/* parser/equal.c: do two trees mean the same text? Places and superfluous parentheses aside. */
#include "parser/parser_internal.h"

static bool query_equal(const AstQuery *a, const AstQuery *b);
static bool expr_equal(const AstExpr *a, const AstExpr *b);
static bool statement_equal(const AstStatement *a, const AstStatement *b);

/* Both NULL, or both there and equal. */
#define BOTH(a, b, equal) ((a) == (b) || ((a) && (b) && equal((a), (b))))
#define LISTS(a, b, equal) ((a)->count == (b)->count && lists_equal((a)->items, (b)->items, (a)->count, sizeof *(a)->items, equal))

static bool lists_equal(const void *a, const void *b, int count, size_t size, bool (*equal)(const void *, const void *))
{
    for (int i = 0; i < count; i++)
        if (!equal((const char *)a + size * (size_t)i, (const char *)b + size * (size_t)i))
            return false;
    return true;
}

static bool texts(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }
static bool name_same(const AstName *a, const AstName *b) { return texts(a->text, b->text) && a->quoted == b->quoted; }
static bool name_item(const void *a, const void *b) { return name_same(a, b); }
static bool names_equal(const AstNames *a, const AstNames *b) { return LISTS(a, b, name_item); }
static bool expr_item(const void *a, const void *b) { return expr_equal(*(AstExpr *const *)a, *(AstExpr *const *)b); }
static bool exprs_equal(const AstExprs *a, const AstExprs *b) { return LISTS(a, b, expr_item); }
static bool exprs_item(const void *a, const void *b) { return exprs_equal(a, b); }

static bool duration_equal(const AstDuration *a, const AstDuration *b)
{
    return a->given == b->given && a->interval.months == b->interval.months && a->interval.us == b->interval.us;
}

static bool property_item(const void *a, const void *b)
{
    const OptionEntry *left = a, *right = b;
    return texts(left->name, right->name) && texts(left->value, right->value);
}
static bool properties_equal(const AstProperties *a, const AstProperties *b) { return LISTS(a, b, property_item); }

static bool type_same(const AstType *a, const AstType *b);
static bool field_item(const void *a, const void *b)
{
    const AstField *left = a, *right = b;
    return name_same(&left->name, &right->name) && BOTH(left->type, right->type, type_same);
}

static bool type_same(const AstType *a, const AstType *b)
{
    return name_same(&a->name, &b->name) && a->precision == b->precision && a->scale == b->scale && a->with_time_zone == b->with_time_zone &&
           a->with_local_time_zone == b->with_local_time_zone && BOTH(a->element, b->element, type_same) && BOTH(a->key, b->key, type_same) &&
           LISTS(&a->fields, &b->fields, field_item) && a->is_array == b->is_array && a->is_map == b->is_map && a->is_struct == b->is_struct &&
           a->not_null == b->not_null;
}

static bool order_item(const void *a, const void *b)
{
    const AstOrderItem *left = a, *right = b;
    return expr_equal(left->expr, right->expr) && left->descending == right->descending && left->nulls == right->nulls;
}
static bool order_equal(const AstOrder *a, const AstOrder *b) { return LISTS(a, b, order_item); }

static bool over_equal(const AstOver *a, const AstOver *b)
{
    return exprs_equal(&a->partition_by, &b->partition_by) && order_equal(&a->order_by, &b->order_by) && a->has_frame == b->has_frame &&
           a->unit == b->unit && a->exclude == b->exclude && a->from == b->from && a->to == b->to && BOTH(a->from_offset, b->from_offset, expr_equal) &&
           BOTH(a->to_offset, b->to_offset, expr_equal) && BOTH(a->limit_duration, b->limit_duration, expr_equal) && BOTH(a->when, b->when, expr_equal);
}

static bool literal_equal(const Value *a, const Value *b)
{
    if (!a->type || !b->type)
        return a->type == b->type;
    return type_equal(a->type, b->type) && value_equal(a, b);
}

static bool json_equal(const AstJson *a, const AstJson *b)
{
    return a->pairs == b->pairs && BOTH(a->returning, b->returning, type_same) && a->wrapper == b->wrapper && a->on_empty == b->on_empty &&
           a->on_error == b->on_error && a->on_null == b->on_null;
}

static bool expr_equal(const AstExpr *a, const AstExpr *b)
{
    /* is, op, value: zero where the kind has none */
    return a->kind == b->kind && a->op == b->op && a->is == b->is && a->negated == b->negated && a->distinct == b->distinct && a->star == b->star && a->all == b->all &&
           a->try_cast == b->try_cast && a->ignore_nulls == b->ignore_nulls && a->semantics == b->semantics && a->symmetric == b->symmetric && a->similar == b->similar && BOTH(a->json, b->json, json_equal) && literal_equal(&a->value, &b->value) && names_equal(&a->path, &b->path) &&
           exprs_equal(&a->args, &b->args) && BOTH(a->type, b->type, type_same) && BOTH(a->query, b->query, query_equal) &&
           BOTH(a->filter, b->filter, expr_equal) && BOTH(a->over, b->over, over_equal) && BOTH(a->hints, b->hints, properties_equal) && order_equal(&a->within_order, &b->within_order) &&
           BOTH(a->left, b->left, expr_equal) && BOTH(a->right, b->right, expr_equal);
}

static bool named_equal(AstExpr *const *a, const AstName *a_names, int a_count, AstExpr *const *b, const AstName *b_names, int b_count)
{
    return a_count == b_count && lists_equal(a, b, a_count, sizeof *a, expr_item) && lists_equal(a_names, b_names, a_count, sizeof *a_names, name_item);
}

static bool pattern_equal(const AstPattern *a, const AstPattern *b)
{
    if (a->kind != b->kind || !name_same(&a->name, &b->name) || a->least != b->least || a->most != b->most || a->reluctant != b->reluctant || a->count != b->count)
        return false;
    for (int i = 0; i < a->count; i++)
        if (!pattern_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool subset_item(const void *a, const void *b)
{
    const AstSubset *left = a, *right = b;
    return name_same(&left->name, &right->name) && names_equal(&left->variables, &right->variables);
}

static bool match_equal(const AstMatch *a, const AstMatch *b)
{
    return exprs_equal(&a->partition_by, &b->partition_by) && order_equal(&a->order_by, &b->order_by) &&
           named_equal(a->measures.exprs, a->measures.names, a->measures.count, b->measures.exprs, b->measures.names, b->measures.count) &&
           named_equal(a->define.exprs, a->define.names, a->define.count, b->define.exprs, b->define.names, b->define.count) &&
           a->rows == b->rows && BOTH(a->pattern, b->pattern, pattern_equal) && a->skip == b->skip && name_same(&a->skip_variable, &b->skip_variable) &&
           LISTS(&a->subsets, &b->subsets, subset_item) && duration_equal(&a->within, &b->within) && BOTH(a->limit_duration, b->limit_duration, expr_equal);
}

static bool relation_equal(const AstRelation *a, const AstRelation *b)
{
    return a->kind == b->kind && names_equal(&a->name, &b->name) && texts(a->path, b->path) && BOTH(a->query, b->query, query_equal) &&
           LISTS(&a->rows, &b->rows, exprs_item) && BOTH(a->function, b->function, expr_equal) && a->lateral == b->lateral &&
           a->with_ordinality == b->with_ordinality && a->join == b->join && a->natural == b->natural && BOTH(a->on, b->on, expr_equal) &&
           names_equal(&a->using, &b->using) && a->has_within == b->has_within && duration_equal(&a->within_before, &b->within_before) &&
           duration_equal(&a->within_after, &b->within_after) && duration_equal(&a->join_grace, &b->join_grace) &&
           BOTH(a->system_time, b->system_time, expr_equal) && BOTH(a->timestamp_by, b->timestamp_by, expr_equal) &&
           BOTH(a->timestamp_over, b->timestamp_over, expr_equal) && properties_equal(&a->hints, &b->hints) && BOTH(a->match, b->match, match_equal) &&
           name_same(&a->alias, &b->alias) && names_equal(&a->column_aliases, &b->column_aliases) && BOTH(a->left, b->left, relation_equal) &&
           BOTH(a->right, b->right, relation_equal);
}

static bool window_equal(const AstWindow *a, const AstWindow *b)
{
    return a->kind == b->kind && duration_equal(&a->size, &b->size) && duration_equal(&a->advance, &b->advance) && duration_equal(&a->offset, &b->offset) &&
           duration_equal(&a->retention, &b->retention) && duration_equal(&a->grace, &b->grace) && a->count == b->count &&
           a->count_advance == b->count_advance && texts(a->time_zone, b->time_zone) && name_same(&a->late_into, &b->late_into);
}

static bool cte_item(const void *a, const void *b)
{
    const AstCte *left = a, *right = b;
    return name_same(&left->name, &right->name) && names_equal(&left->columns, &right->columns) && query_equal(left->query, right->query);
}

static bool select_item(const void *a, const void *b)
{
    const AstSelectItem *left = a, *right = b;
    return expr_equal(left->expr, right->expr) && name_same(&left->alias, &right->alias);
}

static bool named_window_item(const void *a, const void *b)
{
    const AstNamedWindow *left = a, *right = b;
    return name_same(&left->name, &right->name) && over_equal(left->over, right->over);
}

static bool query_equal(const AstQuery *a, const AstQuery *b)
{
    return a->kind == b->kind && LISTS(&a->ctes, &b->ctes, cte_item) && a->set_kind == b->set_kind && a->set_all == b->set_all &&
           LISTS(&a->rows, &b->rows, exprs_item) && a->distinct == b->distinct && LISTS(&a->items, &b->items, select_item) &&
           name_same(&a->into, &b->into) && BOTH(a->from, b->from, relation_equal) && BOTH(a->timestamp_by, b->timestamp_by, expr_equal) &&
           BOTH(a->timestamp_over, b->timestamp_over, expr_equal) && window_equal(&a->window, &b->window) && BOTH(a->where, b->where, expr_equal) &&
           a->group_kind == b->group_kind && exprs_equal(&a->group_by, &b->group_by) && LISTS(&a->grouping_sets, &b->grouping_sets, exprs_item) &&
           duration_equal(&a->allowed_lateness, &b->allowed_lateness) && name_same(&a->late_into, &b->late_into) &&
           a->partition_by_given == b->partition_by_given && exprs_equal(&a->partition_by, &b->partition_by) && BOTH(a->having, b->having, expr_equal) &&
           BOTH(a->qualify, b->qualify, expr_equal) && LISTS(&a->windows, &b->windows, named_window_item) && order_equal(&a->order_by, &b->order_by) && a->emit.kind == b->emit.kind &&
           duration_equal(&a->emit.delay, &b->emit.delay) && a->emit.and_after_watermark == b->emit.and_after_watermark &&
           BOTH(a->limit, b->limit, expr_equal) && BOTH(a->offset, b->offset, expr_equal) && BOTH(a->left, b->left, query_equal) &&
           BOTH(a->right, b->right, query_equal);
}

static bool column_item(const void *a, const void *b)
{
    const AstColumn *left = a, *right = b;
    return name_same(&left->name, &right->name) && BOTH(left->type, right->type, type_same) && left->is_key == right->is_key &&
           left->is_primary == right->is_primary && left->not_null == right->not_null && left->is_headers == right->is_headers &&
           left->is_metadata == right->is_metadata && left->is_virtual == right->is_virtual && texts(left->metadata_from, right->metadata_from) &&
           BOTH(left->default_value, right->default_value, expr_equal) && BOTH(left->computed, right->computed, expr_equal);
}

static bool create_equal(const AstCreate *a, const AstCreate *b)
{
    return a->object == b->object && a->or_replace == b->or_replace && a->if_not_exists == b->if_not_exists && a->temporary == b->temporary &&
           a->is_source == b->is_source && name_same(&a->name, &b->name) && LISTS(&a->columns, &b->columns, column_item) &&
           names_equal(&a->primary_key, &b->primary_key) && a->not_enforced == b->not_enforced && name_same(&a->watermark_column, &b->watermark_column) &&
           BOTH(a->watermark, b->watermark, expr_equal) && names_equal(&a->partitioned_by, &b->partitioned_by) && properties_equal(&a->with, &b->with) &&
           name_same(&a->like, &b->like) && names_equal(&a->like_options, &b->like_options) && BOTH(a->query, b->query, query_equal) && BOTH(a->type, b->type, type_same) && LISTS(&a->parameters, &b->parameters, field_item) &&
           BOTH(a->returns, b->returns, type_same) && texts(a->language, b->language) && texts(a->body, b->body) &&
           BOTH(a->body_expr, b->body_expr, expr_equal) && a->is_aggregate == b->is_aggregate;
}

static bool statement_item(const void *a, const void *b) { return statement_equal(*(AstStatement *const *)a, *(AstStatement *const *)b); }

static bool statement_equal(const AstStatement *a, const AstStatement *b)
{
    return a->kind == b->kind && BOTH(a->create, b->create, create_equal) && BOTH(a->query, b->query, query_equal) && name_same(&a->name, &b->name) &&
           a->all == b->all && a->extended == b->extended && a->if_exists == b->if_exists && a->delete_topic == b->delete_topic &&
           a->overwrite == b->overwrite && a->negated == b->negated && a->object == b->object && names_equal(&a->columns, &b->columns) &&
           properties_equal(&a->properties, &b->properties) && LISTS(&a->rows, &b->rows, exprs_item) && LISTS(&a->added, &b->added, column_item) &&
           LISTS(&a->statements, &b->statements, statement_item) && a->show == b->show && a->explain == b->explain &&
           BOTH(a->explained, b->explained, statement_equal) && texts(a->path, b->path) && a->from_beginning == b->from_beginning &&
           BOTH(a->interval, b->interval, expr_equal) && BOTH(a->limit, b->limit, expr_equal) && a->assert == b->assert &&
           duration_equal(&a->timeout, &b->timeout) && BOTH(a->assert_create, b->assert_create, create_equal);
}

bool ast_equal_statement(const AstStatement *a, const AstStatement *b) { return statement_equal(a, b); }

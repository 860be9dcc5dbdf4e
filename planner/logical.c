/* planner/logical.c: nodes of the logical plan, their schemas and traits. */
#include "planner/logical.h"
#include "common/calendar.h"
#include "planner/own_clocks.h"
#include "planner/rank_changes.h"

static Column late_column_items[] = {
    { .name = "late_reason" }, { .name = "late_window_start" }, { .name = "late_window_end" }, { .name = "late_watermark" },
};
static Column dead_letter_items[DEAD_LETTER_COLUMNS] = {
    [LETTER_RAW] = { .name = "raw" },         [LETTER_TEXT] = { .name = "text" },          [LETTER_SOURCE] = { .name = "source" },
    [LETTER_POSITION] = { .name = "position" }, [LETTER_LINE] = { .name = "line" },        [LETTER_STAGE] = { .name = "stage" },
    [LETTER_COLUMN] = { .name = "column_name" }, [LETTER_REASON] = { .name = "reason" },   [LETTER_KEY] = { .name = "key" },
    [LETTER_HEADERS] = { .name = "headers" }, [LETTER_PARTITION] = { .name = "partition" }, [LETTER_TIME] = { .name = "time" },
    [LETTER_ALL_HEADERS] = { .name = "letter_headers" },
};
const Schema late_columns = { 4, late_column_items };
const Schema dead_letter_columns = { DEAD_LETTER_COLUMNS, dead_letter_items };
const Schema dead_letter_shown = { DEAD_LETTER_SHOWN, dead_letter_items };

static const Type *header_types[2];
static const char *const header_names[] = { "KEY", "VALUE" };
static const Type header_type = { .kind = TYPE_STRUCT, .child_count = 2, .children = header_types, .names = header_names };
static const Type *const headers_children[] = { &header_type };
static const Type headers_type = { .kind = TYPE_ARRAY, .child_count = 1, .children = headers_children };

/* Types are objects, not constants; they are put in before main. */
__attribute__((constructor)) static void side_column_types(void)
{
    const Type *varchar = type_scalar(TYPE_VARCHAR), *timestamp = type_scalar(TYPE_TIMESTAMP), *bigint = type_scalar(TYPE_BIGINT);
    late_column_items[0].type = varchar;
    for (int i = 1; i < 4; i++)
        late_column_items[i].type = timestamp;
    for (int i = 0; i < DEAD_LETTER_COLUMNS; i++)
        dead_letter_items[i].type = varchar;
    header_types[0] = varchar;
    header_types[1] = dead_letter_items[LETTER_RAW].type = dead_letter_items[LETTER_KEY].type = type_scalar(TYPE_BYTES);
    dead_letter_items[LETTER_POSITION].type = dead_letter_items[LETTER_LINE].type = bigint;
    dead_letter_items[LETTER_HEADERS].type = dead_letter_items[LETTER_ALL_HEADERS].type = &headers_type;
    dead_letter_items[LETTER_PARTITION].type = type_scalar(TYPE_INT);
    dead_letter_items[LETTER_TIME].type = timestamp;
}

const char *plan_kind_name(PlanKind kind)
{
    switch (kind) {
    case PLAN_SCAN: return "Scan";
    case PLAN_VALUES: return "Values";
    case PLAN_WATERMARK: return "Watermark";
    case PLAN_FILTER: return "Filter";
    case PLAN_PROJECT: return "Project";
    case PLAN_NORMALIZE: return "Normalize";
    case PLAN_LOOKUP: return "Lookup";
    case PLAN_WINDOW_ASSIGN: return "WindowAssign";
    case PLAN_CANDIDATES: return "Candidates";
    case PLAN_SUBQUERY: return "Subquery";
    case PLAN_UNNEST: return "Unnest";
    case PLAN_AGGREGATE: return "Aggregate";
    case PLAN_WINDOW_AGGREGATE: return "WindowAggregate";
    case PLAN_SESSION_AGGREGATE: return "SessionAggregate";
    case PLAN_RANK: return "Rank";
    case PLAN_OVER: return "Over";
    case PLAN_MATCH: return "Match";
    case PLAN_SORT: return "Sort";
    case PLAN_LIMIT: return "Limit";
    case PLAN_UNION: return "Union";
    case PLAN_SET: return "SetOperation";
    case PLAN_JOIN: return "Join";
    case PLAN_GATHER: return "Gather";
    case PLAN_SINK: return "Sink";
    }
    return "?";
}

LogicalNode *logical_node(Arena *arena, PlanKind kind, Span at, int input_count, const PlanInput inputs[])
{
    LogicalNode *node = ARENA_NEW(arena, LogicalNode);
    node->kind = kind;
    node->id = -1;
    node->at = at;
    node->input_count = input_count;
    node->weight = 1;
    for (int i = 0; i < input_count; i++)
        node->weight = inputs[i].node->weight < UINT32_MAX - node->weight ? node->weight + inputs[i].node->weight : UINT32_MAX;
    if (input_count)
        node->inputs = arena_copy(arena, inputs, sizeof *inputs * (size_t)input_count);
    return node;
}

Schema port_schema(Arena *arena, PlanInput input)
{
    if (input.port == PORT_MAIN)
        return input.node->schema;
    if (input.port == PORT_DEAD_LETTER)
        return dead_letter_columns;
    Schema under = port_schema(arena, input.node->inputs[input.port == PORT_LATE_RIGHT]);
    Schema schema = { under.column_count + late_columns.column_count, NULL };
    schema.columns = ARENA_ARRAY(arena, Column, schema.column_count);
    if (under.column_count)
        memcpy(schema.columns, under.columns, sizeof(Column) * (size_t)under.column_count);
    memcpy(schema.columns + under.column_count, late_columns.columns, sizeof(Column) * (size_t)late_columns.column_count);
    return schema;
}

EdgeTraits port_traits(Arena *arena, PlanInput input)
{
    if (input.port == PORT_MAIN)
        return input.node->traits;
    EdgeTraits traits = { .changes = CHANGES_APPEND, .bounded = input.node->traits.bounded };
    if (port_is_late(input.port) && input.node->input_count)
        traits.changes = port_traits(arena, input.node->inputs[input.port == PORT_LATE_RIGHT]).changes;
    return traits;
}

const TimeColumn *traits_time(const EdgeTraits *traits, int column)
{
    for (int i = 0; i < traits->time_count; i++)
        if (traits->times[i].column == column)
            return &traits->times[i];
    return NULL;
}

/* ---- traits ---- */

void traits_add_time(Arena *arena, EdgeTraits *traits, TimeColumn time)
{
    TimeColumn *times = ARENA_ARRAY(arena, TimeColumn, traits->time_count + 1);
    if (traits->time_count)
        memcpy(times, traits->times, sizeof *times * (size_t)traits->time_count);
    times[traits->time_count++] = time;
    traits->times = times;
}

void traits_add_key(Arena *arena, EdgeTraits *traits, int count, const int *columns)
{
    ColumnSet *keys = ARENA_ARRAY(arena, ColumnSet, traits->key_count + 1);
    if (traits->key_count)
        memcpy(keys, traits->keys, sizeof *keys * (size_t)traits->key_count);
    keys[traits->key_count].count = count;
    keys[traits->key_count++].columns = arena_copy(arena, columns, sizeof *columns * (size_t)(count ? count : 1));
    traits->keys = keys;
}

static void derive_project(Arena *arena, LogicalNode *node, const EdgeTraits *under)
{
    EdgeTraits *traits = &node->traits;
    int count = node->schema.column_count;
    for (int t = 0; t < under->time_count; t++)
        for (int i = 0; i < count; i++)
            if (node->project.exprs[i]->kind == EXPR_COLUMN && node->project.exprs[i]->column == under->times[t].column)
                traits_add_time(arena, traits, (TimeColumn){ i, under->times[t].lag_us, under->times[t].processing });
    for (int i = 0; i < count; i++) {
        const Expr *expr = node->project.exprs[i];
        if (expr->kind == EXPR_CALL && expr->arg_count == 0 && name_equal(expr->function->name, "proctime"))
            traits_add_time(arena, traits, (TimeColumn){ i, 0, true });
    }
    for (int k = 0; k < under->key_count; k++) {
        int *columns = ARENA_ARRAY(arena, int, under->keys[k].count + 1), found = 0;
        for (int c = 0; c < under->keys[k].count; c++)
            for (int i = 0; i < count; i++)
                if (node->project.exprs[i]->kind == EXPR_COLUMN && node->project.exprs[i]->column == under->keys[k].columns[c]) {
                    columns[found++] = i;
                    break;
                }
        if (found == under->keys[k].count)
            traits_add_key(arena, traits, found, columns);
    }
}

/* Groups without aggregates of rows that only come: they only come, too. */
static bool groups_only_come(Arena *arena, const LogicalNode *node)
{
    return node->aggregate.trigger == TRIGGER_CHANGES && node->aggregate.call_count == 0 && !node->aggregate.emit_unchanged &&
           port_traits(arena, node->inputs[0]).changes == CHANGES_APPEND;
}

static void derive_aggregate(Arena *arena, LogicalNode *node)
{
    int keys = node->aggregate.key_count, windowed = node->aggregate.has_window;
    switch (node->aggregate.trigger) {
    case TRIGGER_FINAL:
    case TRIGGER_END: node->traits.changes = CHANGES_APPEND; break;
    case TRIGGER_CHANGES:
    case TRIGGER_AFTER_WATERMARK:
    case TRIGGER_DELAY: node->traits.changes = groups_only_come(arena, node) ? CHANGES_APPEND : CHANGES_RETRACT; break;
    }
    int *columns = ARENA_ARRAY(arena, int, keys + 2);
    for (int i = 0; i < keys + 1; i++)
        columns[i] = i;
    if (windowed && node->aggregate.window.kind == WINDOW_COUNT)
        return; /* several windows of a key may have the same times */
    if (windowed) { /* a window is known by its end, and mostly by its start as well */
        if (node->aggregate.window.kind != WINDOW_CUMULATING)
            traits_add_key(arena, &node->traits, keys + 1, columns);
        columns[keys] = keys + 1;
        traits_add_key(arena, &node->traits, keys + 1, columns);
        if (node->aggregate.clock_keys == 0) /* else it is a time that nobody's watermark knows */
            logical_derive_window(arena, node);
    } else {
        traits_add_key(arena, &node->traits, keys, columns);
    }
}

/* What both sides have stays: INTERSECT of rows that stay takes nothing back. */
static void derive_set(Arena *arena, LogicalNode *node)
{
    EdgeTraits right = port_traits(arena, node->inputs[1]);
    bool append = node->traits.changes == CHANGES_APPEND && right.changes == CHANGES_APPEND && node->set.kind == SET_INTERSECT;
    node->traits.changes = append || node->set.trigger == TRIGGER_END ? CHANGES_APPEND : CHANGES_RETRACT;
    node->traits.bounded &= right.bounded;
    int count = node->schema.column_count, *columns = ARENA_ARRAY(arena, int, count + 1);
    for (int i = 0; i < count; i++)
        columns[i] = i;
    if (!node->set.all)
        traits_add_key(arena, &node->traits, count, columns);
}

static void derive_union(Arena *arena, LogicalNode *node)
{
    EdgeTraits first = port_traits(arena, node->inputs[0]);
    node->traits.bounded = true;
    for (int i = 0; i < node->input_count; i++) {
        EdgeTraits under = port_traits(arena, node->inputs[i]);
        node->traits.bounded &= under.bounded;
        if (under.changes != CHANGES_APPEND)
            node->traits.changes = CHANGES_RETRACT;
    }
    for (int t = 0; t < first.time_count; t++) {
        TimeColumn time = first.times[t];
        bool everywhere = true;
        for (int i = 1; i < node->input_count && everywhere; i++) {
            EdgeTraits under = port_traits(arena, node->inputs[i]);
            const TimeColumn *other = traits_time(&under, time.column);
            everywhere = other && other->processing == time.processing;
            if (everywhere && other->lag_us > time.lag_us)
                time.lag_us = other->lag_us;
        }
        if (everywhere)
            traits_add_time(arena, &node->traits, time);
    }
}

/* Rows that wait come out as they came; rows that change take their former answer back, whatever their time. */
static void derive_subquery(Arena *arena, LogicalNode *node, const EdgeTraits *under)
{
    EdgeTraits rows = port_traits(arena, node->inputs[1]);
    node->traits.bounded = under->bounded && rows.bounded;
    node->traits.keys = under->keys;
    node->traits.key_count = under->key_count;
    if (node->subquery.changes) {
        node->traits.changes = CHANGES_RETRACT;
        return;
    }
    node->traits.times = under->times;
    node->traits.time_count = under->time_count;
}

/* Elements are numbered: a key and the number tell the rows apart. */
static void derive_unnest(Arena *arena, LogicalNode *node, const EdgeTraits *under)
{
    node->traits.times = under->times;
    node->traits.time_count = under->time_count;
    for (int k = 0; k < under->key_count && node->unnest.ordinality && !node->unnest.outer; k++) {
        const ColumnSet *key = &under->keys[k];
        int *columns = ARENA_ARRAY(arena, int, key->count + 2);
        if (key->count)
            memcpy(columns, key->columns, sizeof *columns * (size_t)key->count);
        columns[key->count] = node->schema.column_count - 1;
        traits_add_key(arena, &node->traits, key->count + 1, columns);
    }
}

/* A partition and a number in it are one row. */
static void derive_numbered_key(Arena *arena, LogicalNode *node)
{
    int *columns = ARENA_ARRAY(arena, int, node->rank.partition_count + 1);
    for (int i = 0; i < node->rank.partition_count; i++)
        columns[i] = node->rank.partition_columns[i];
    columns[node->rank.partition_count] = node->schema.column_count - 1;
    traits_add_key(arena, &node->traits, node->rank.partition_count + 1, columns);
}

/* How far a frame reaches behind its row in time; TIME_MAX: nobody knows in time. */
static int64_t frame_following(const OverCall *call)
{
    if (call->kind == OVER_LEAD)
        return TIME_MAX;
    switch (call->frame.to) {
    case BOUND_UNBOUNDED_PRECEDING: case BOUND_PRECEDING: case BOUND_CURRENT: return 0;
    case BOUND_FOLLOWING: return call->frame.unit != OVER_RANGE ? TIME_MAX : call->frame.to_offset;
    case BOUND_UNBOUNDED_FOLLOWING: return TIME_MAX;
    }
    return TIME_MAX;
}

/* The last row of a match comes out as soon as it is decided that nothing better follows: at once where every match has the same length, else
 * when the time is over that a match may take. All rows wait for the last one. */
static void derive_match_times(Arena *arena, LogicalNode *node)
{
    bool same_length = node->match.lookahead == 0 && !node->match.all_rows && !node->match.to_end;
    for (int i = 0; i < node->match.step_count; i++)
        same_length &= node->match.steps[i].next_count == 1;
    const bool limited = node->match.within_us && node->match.lookahead == 0 && !node->match.to_end;
    if (node->match.by_time && (same_length || limited))
        traits_add_time(arena, &node->traits, (TimeColumn){ node->match.time_column, time_add(node->match.lag_us, same_length ? 0 : node->match.within_us), false });
}

/* Rows come out in the order of their time, late by what their frames reach ahead. Times of which the node knows nothing are delayed by it
 * in an unknown way, save for the other bounds of the same windows. */
static void derive_over_times(Arena *arena, LogicalNode *node, const EdgeTraits *under)
{
    int64_t following = 0;
    for (int i = 0; i < node->over.call_count; i++) {
        int64_t reach = frame_following(&node->over.calls[i]);
        following = reach > following ? reach : following;
    }
    for (int i = 0; i < under->time_count; i++) {
        TimeColumn time = under->times[i];
        switch (node->over.order) {
        case OVER_BY_TIME:
            if (following == TIME_MAX)
                continue;
            time.lag_us = time_add(time.lag_us, following);
            if (time.column != node->over.time_column) {
                if (!node->over.window_times)
                    continue;
                time.lag_us = time_add(time.lag_us, US_PER_MS); /* window_time, when window_end orders */
            }
            traits_add_time(arena, &node->traits, time);
            break;
        case OVER_BY_ARRIVAL:
            if (following == 0)
                traits_add_time(arena, &node->traits, time);
            break;
        case OVER_WHOLE:
            if (node->over.window_time_column >= 0)
                traits_add_time(arena, &node->traits, time);
            break;
        }
    }
}

/* x = 1 .. AND ..: does the condition leave one value of the column? */
static bool fixes_column(const Expr *expr, int column)
{
    if (expr->kind == EXPR_AND)
        for (int i = 0; i < expr->arg_count; i++)
            if (fixes_column(expr->args[i], column))
                return true;
    if (expr->kind != EXPR_CALL || expr->arg_count != 2 || strcmp(expr->function->name, "=") != 0)
        return false;
    const Expr *a = expr->args[0], *b = expr->args[1];
    return (a->kind == EXPR_COLUMN && a->column == column && b->kind == EXPR_CONSTANT) || (b->kind == EXPR_COLUMN && b->column == column && a->kind == EXPR_CONSTANT);
}

/* A column that has one value tells no rows apart: the place in (partition, place) where place = 1. */
static void derive_filter_keys(Arena *arena, LogicalNode *node)
{
    const int count = node->traits.key_count;
    for (int k = 0; k < count; k++) {
        const ColumnSet key = node->traits.keys[k];
        int *columns = ARENA_ARRAY(arena, int, key.count + 1), left = 0;
        for (int c = 0; c < key.count; c++)
            if (!fixes_column(node->filter.predicate, key.columns[c]))
                columns[left++] = key.columns[c];
        if (left < key.count)
            traits_add_key(arena, &node->traits, left, columns);
    }
}

void logical_derive(Arena *arena, LogicalNode *node)
{
    EdgeTraits under = { .bounded = true };
    if (node->input_count)
        under = port_traits(arena, node->inputs[0]);
    bool scan_bounded = node->kind == PLAN_SCAN && node->scan.bounded;
    EdgeTraits scan_traits = node->traits;
    node->traits = (EdgeTraits){ .changes = under.changes, .bounded = under.bounded };
    switch (node->kind) {
    case PLAN_SCAN:
        node->traits = (EdgeTraits){ .changes = node->scan.upsert ? CHANGES_UPSERT : node->scan.retracts ? CHANGES_RETRACT : CHANGES_APPEND, .bounded = scan_bounded, .keys = scan_traits.keys, .key_count = scan_traits.key_count };
        break;
    case PLAN_VALUES:
        break;
    case PLAN_WATERMARK:
        node->schema = port_schema(arena, node->inputs[0]);
        node->traits.keys = under.keys;
        node->traits.key_count = under.key_count;
        if (node->watermark.time_column >= 0)
            traits_add_time(arena, &node->traits, (TimeColumn){ node->watermark.time_column, node->watermark.lag_us, false });
        for (int i = 0; i < under.time_count; i++) /* PROCTIME() columns stay what they are */
            if (under.times[i].processing)
                traits_add_time(arena, &node->traits, under.times[i]);
        break;
    case PLAN_FILTER:
    case PLAN_LIMIT:
    case PLAN_CANDIDATES:
        node->schema = port_schema(arena, node->inputs[0]);
        node->traits = under;
        if (node->kind == PLAN_FILTER)
            derive_filter_keys(arena, node);
        break;
    case PLAN_PROJECT:
        derive_project(arena, node, &under);
        break;
    case PLAN_NORMALIZE:
        node->schema = port_schema(arena, node->inputs[0]);
        node->traits = under;
        if (node->normalize.at_end)
            node->traits.time_count = 0;
        node->traits.changes = node->normalize.at_end ? CHANGES_APPEND : CHANGES_RETRACT;
        break;
    case PLAN_LOOKUP:
        node->traits.times = under.times;
        node->traits.time_count = under.time_count;
        break;
    case PLAN_SUBQUERY:
        derive_subquery(arena, node, &under);
        break;
    case PLAN_UNNEST:
        derive_unnest(arena, node, &under);
        break;
    case PLAN_WINDOW_ASSIGN: {
        node->traits.times = under.times;
        node->traits.time_count = under.time_count;
        int start = node->schema.column_count - 3;
        const WindowSpec *window = &node->assign.window;
        traits_add_time(arena, &node->traits, (TimeColumn){ start + 2, time_add(window->lag_us, logical_finer_than_ms(arena, node, window->time_column)), window->processing_time });
        traits_add_time(arena, &node->traits, (TimeColumn){ start + 1, window->lag_us, window->processing_time });
        break;
    }
    case PLAN_AGGREGATE:
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
        derive_aggregate(arena, node);
        break;
    case PLAN_RANK:
        node->traits.changes = node->rank.trigger == TRIGGER_CHANGES ? CHANGES_RETRACT : CHANGES_APPEND;
        if (node->rank.trigger == TRIGGER_FINAL) {
            node->traits.times = under.times;
            node->traits.time_count = under.time_count;
        }
        if (node->rank.rank == RANK_ROW_NUMBER && node->rank.limit - node->rank.offset == 1)
            traits_add_key(arena, &node->traits, node->rank.partition_count, node->rank.partition_columns);
        else if (node->rank.rank == RANK_ROW_NUMBER && node->rank.rank_column)
            derive_numbered_key(arena, node);
        for (int k = 0; k < under.key_count && rank_of_changes(node); k++)
            traits_add_key(arena, &node->traits, under.keys[k].count, under.keys[k].columns);
        break;
    case PLAN_OVER:
        node->traits.keys = under.keys;
        node->traits.key_count = under.key_count;
        derive_over_times(arena, node, &under);
        break;
    case PLAN_MATCH:
        node->traits.changes = CHANGES_APPEND;
        derive_match_times(arena, node);
        break;
    case PLAN_SORT: /* the order of time is gone */
        node->schema = port_schema(arena, node->inputs[0]);
        node->traits.changes = CHANGES_APPEND;
        node->traits.keys = under.keys;
        node->traits.key_count = under.key_count;
        break;
    case PLAN_UNION:
        derive_union(arena, node);
        break;
    case PLAN_SET:
        derive_set(arena, node);
        break;
    case PLAN_JOIN:
        logical_derive_join(arena, node);
        break;
    case PLAN_GATHER:
        node->schema = port_schema(arena, node->inputs[0]);
        node->traits = under;
        break;
    case PLAN_SINK:
        node->traits = under;
        break;
    }
    own_clocks_derive(arena, node);
}

/* ---- builders ---- */

LogicalNode *logical_filter(Arena *arena, PlanInput input, Expr *predicate, RowPolicy on_error, Span at)
{
    LogicalNode *node = logical_node(arena, PLAN_FILTER, at, 1, &input);
    node->filter.predicate = predicate;
    node->filter.on_error = on_error;
    logical_derive(arena, node);
    return node;
}

LogicalNode *logical_project(Arena *arena, PlanInput input, Expr **exprs, const Column *columns, int count, RowPolicy on_error, Span at)
{
    LogicalNode *node = logical_node(arena, PLAN_PROJECT, at, 1, &input);
    node->project.exprs = exprs;
    node->project.on_error = on_error;
    node->schema.column_count = count;
    node->schema.columns = ARENA_ARRAY(arena, Column, count + 1);
    for (int i = 0; i < count; i++) {
        node->schema.columns[i] = columns[i];
        node->schema.columns[i].type = exprs[i]->type;
    }
    logical_derive(arena, node);
    return node;
}

LogicalNode *logical_pick(Arena *arena, PlanInput input, const int columns[], int count, Span at)
{
    Schema under = port_schema(arena, input);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    Column *names = ARENA_ARRAY(arena, Column, count + 1);
    for (int i = 0; i < count; i++) {
        names[i] = under.columns[columns[i]];
        exprs[i] = ARENA_NEW(arena, Expr);
        exprs[i]->kind = EXPR_COLUMN;
        exprs[i]->type = names[i].type;
        exprs[i]->at = at;
        exprs[i]->column = columns[i];
        exprs[i]->name = names[i].name;
    }
    return logical_project(arena, input, exprs, names, count, POLICY_FAIL, at);
}

/* An element of an ARRAY; of a MAP a STRUCT<key, value>. */
static const Type *element_type(Arena *arena, const Type *list)
{
    static const char *const names[] = { "key", "value" };
    return list->kind == TYPE_MAP ? type_struct(arena, 2, names, list->children) : list->children[0];
}

LogicalNode *logical_unnest(Arena *arena, PlanInput input, const int lists[], int list_count, bool outer, bool ordinality, Span at)
{
    LogicalNode *node = logical_node(arena, PLAN_UNNEST, at, 1, &input);
    Schema under = port_schema(arena, input);
    int count = under.column_count;
    node->unnest.lists = arena_copy(arena, lists, sizeof *lists * (size_t)list_count);
    node->unnest.list_count = list_count;
    node->unnest.outer = outer;
    node->unnest.ordinality = ordinality;
    node->schema = (Schema){ count + list_count + ordinality, ARENA_ARRAY(arena, Column, count + list_count + 1) };
    for (int i = 0; i < count; i++)
        node->schema.columns[i] = under.columns[i];
    for (int i = 0; i < list_count; i++)
        node->schema.columns[count + i] = (Column){ .name = arena_printf(arena, "$element%d", i + 1), .type = element_type(arena, under.columns[lists[i]].type), .hidden = true };
    if (ordinality)
        node->schema.columns[count + list_count] = (Column){ .name = "$ordinality", .type = type_scalar(TYPE_BIGINT), .hidden = true };
    logical_derive(arena, node);
    return node;
}

LogicalNode *logical_limit(Arena *arena, PlanInput input, int64_t limit, int64_t offset, Span at)
{
    LogicalNode *node = logical_node(arena, PLAN_LIMIT, at, 1, &input);
    node->limit.limit = limit;
    node->limit.offset = offset;
    logical_derive(arena, node);
    return node;
}

LogicalNode *logical_union(Arena *arena, const PlanInput inputs[], int count, Span at)
{
    LogicalNode *node = logical_node(arena, PLAN_UNION, at, count, inputs);
    Schema first = port_schema(arena, inputs[0]);
    node->schema = *schema_copy(arena, &first);
    logical_derive(arena, node);
    return node;
}

LogicalNode *logical_values(Arena *arena, const Schema *schema, Value *rows, int row_count, Span at)
{
    LogicalNode *node = logical_node(arena, PLAN_VALUES, at, 0, NULL);
    node->schema = *schema;
    node->values.rows = rows;
    node->values.row_count = row_count;
    logical_derive(arena, node);
    return node;
}

/* ---- looking inside ---- */

Expr **logical_exprs(LogicalNode *node, int *count)
{
    *count = 0;
    switch (node->kind) {
    case PLAN_WATERMARK:
        *count = node->watermark.key_count ? node->watermark.key_count : node->watermark.watermark != NULL; /* clocks of keys go by the time itself */
        return node->watermark.key_count ? node->watermark.keys : &node->watermark.watermark;
    case PLAN_FILTER: *count = 1; return &node->filter.predicate;
    case PLAN_PROJECT: *count = node->schema.column_count; return node->project.exprs;
    case PLAN_JOIN: *count = node->join.condition != NULL; return &node->join.condition;
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_NORMALIZE: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN: case PLAN_AGGREGATE: case PLAN_WINDOW_AGGREGATE: case PLAN_UNNEST:
    case PLAN_SESSION_AGGREGATE: case PLAN_RANK: case PLAN_OVER: case PLAN_SORT: case PLAN_LIMIT: case PLAN_UNION: case PLAN_SET: case PLAN_SINK: case PLAN_SUBQUERY: case PLAN_GATHER:
    case PLAN_MATCH: /* DEFINE's are not over the input */
    case PLAN_CANDIDATES:
        return NULL;
    }
    return NULL;
}

static void term_refs(Arena *arena, MatchTerm *terms, int count, ColumnRefs *refs)
{
    for (int i = 0; i < count; i++) {
        if (terms[i].kind == MATCH_VALUE)
            LIST_ADD(arena, refs, &terms[i].column);
        for (int a = 0; a < terms[i].call.arg_count; a++)
            LIST_ADD(arena, refs, &terms[i].call.args[a]);
        if (terms[i].call.filter >= 0)
            LIST_ADD(arena, refs, &terms[i].call.filter);
    }
}

static void match_refs(Arena *arena, LogicalNode *node, ColumnRefs *refs)
{
    for (int i = 0; i < node->match.partition_count; i++)
        LIST_ADD(arena, refs, &node->match.partition_columns[i]);
    for (int i = 0; i < node->match.key_count; i++)
        LIST_ADD(arena, refs, &node->match.keys[i].column);
    if (node->match.time_column >= 0)
        LIST_ADD(arena, refs, &node->match.time_column);
    for (int i = 0; i < node->match.variable_count; i++)
        if (node->match.variables[i].condition >= 0)
            LIST_ADD(arena, refs, &node->match.variables[i].condition);
    term_refs(arena, node->match.defines, node->match.define_count, refs);
    term_refs(arena, node->match.measures, node->match.measure_count, refs);
}

void logical_column_refs(Arena *arena, LogicalNode *node, ColumnRefs *refs)
{
    switch (node->kind) {
    case PLAN_WATERMARK:
        if (node->watermark.time_column >= 0)
            LIST_ADD(arena, refs, &node->watermark.time_column);
        break;
    case PLAN_NORMALIZE:
        for (int i = 0; i < node->normalize.key_count; i++)
            LIST_ADD(arena, refs, &node->normalize.key_columns[i]);
        if (node->normalize.time_column >= 0)
            LIST_ADD(arena, refs, &node->normalize.time_column);
        break;
    case PLAN_LOOKUP:
        for (int i = 0; i < node->lookup.spec.key_count; i++)
            LIST_ADD(arena, refs, &node->lookup.key_columns[i]);
        break;
    case PLAN_WINDOW_ASSIGN:
        if (node->assign.window.time_column >= 0)
            LIST_ADD(arena, refs, &node->assign.window.time_column);
        break;
    case PLAN_CANDIDATES:
        for (int i = 0; i < node->candidates.key_count; i++)
            LIST_ADD(arena, refs, &node->candidates.key_columns[i]);
        LIST_ADD(arena, refs, &node->candidates.value);
        LIST_ADD(arena, refs, &node->candidates.window.time_column);
        break;
    case PLAN_SUBQUERY:
        for (int i = 0; i < node->subquery.key_count; i++)
            LIST_ADD(arena, refs, &node->subquery.keys[i]);
        if (node->subquery.value >= 0)
            LIST_ADD(arena, refs, &node->subquery.value);
        break;
    case PLAN_UNNEST:
        for (int i = 0; i < node->unnest.list_count; i++)
            LIST_ADD(arena, refs, &node->unnest.lists[i]);
        break;
    case PLAN_AGGREGATE:
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
        for (int i = 0; i < node->aggregate.key_count; i++)
            LIST_ADD(arena, refs, &node->aggregate.key_columns[i]);
        for (int i = 0; i < node->aggregate.call_count; i++) {
            AggregateCall *call = &node->aggregate.calls[i];
            for (int a = 0; a < call->arg_count; a++)
                LIST_ADD(arena, refs, &call->args[a]);
            if (call->filter >= 0)
                LIST_ADD(arena, refs, &call->filter);
        }
        if (node->aggregate.has_window && node->aggregate.window.time_column >= 0)
            LIST_ADD(arena, refs, &node->aggregate.window.time_column);
        break;
    case PLAN_RANK:
        for (int i = 0; i < node->rank.partition_count; i++)
            LIST_ADD(arena, refs, &node->rank.partition_columns[i]);
        for (int i = 0; i < node->rank.key_count; i++)
            LIST_ADD(arena, refs, &node->rank.keys[i].column);
        if (node->rank.trigger == TRIGGER_FINAL)
            LIST_ADD(arena, refs, &node->rank.window_time_column);
        break;
    case PLAN_OVER:
        for (int i = 0; i < node->over.partition_count; i++)
            LIST_ADD(arena, refs, &node->over.partition_columns[i]);
        for (int i = 0; i < node->over.key_count; i++)
            LIST_ADD(arena, refs, &node->over.keys[i].column);
        if (node->over.time_column >= 0)
            LIST_ADD(arena, refs, &node->over.time_column);
        if (node->over.window_time_column >= 0)
            LIST_ADD(arena, refs, &node->over.window_time_column);
        for (int i = 0; i < node->over.call_count; i++) {
            OverCall *over = &node->over.calls[i];
            for (int a = 0; a < over->call.arg_count; a++)
                LIST_ADD(arena, refs, &over->call.args[a]);
            if (over->call.filter >= 0)
                LIST_ADD(arena, refs, &over->call.filter);
            if (over->otherwise >= 0)
                LIST_ADD(arena, refs, &over->otherwise);
        }
        break;
    case PLAN_MATCH:
        match_refs(arena, node, refs);
        break;
    case PLAN_SORT:
        for (int i = 0; i < node->sort.key_count; i++)
            LIST_ADD(arena, refs, &node->sort.keys[i].column);
        break;
    case PLAN_JOIN: /* of both inputs: logical_join_refs */
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_FILTER: case PLAN_PROJECT: case PLAN_LIMIT: case PLAN_UNION: case PLAN_SET: case PLAN_SINK: case PLAN_GATHER:
        break;
    }
}

bool logical_passes_columns(const LogicalNode *node)
{
    switch (node->kind) {
    case PLAN_WATERMARK: case PLAN_FILTER: case PLAN_NORMALIZE: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN: case PLAN_RANK: case PLAN_OVER: case PLAN_SORT: case PLAN_LIMIT: case PLAN_UNNEST: case PLAN_SUBQUERY:
    case PLAN_MATCH: case PLAN_CANDIDATES: case PLAN_GATHER:
        return true;
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_PROJECT: case PLAN_AGGREGATE: case PLAN_WINDOW_AGGREGATE: case PLAN_SESSION_AGGREGATE:
    case PLAN_UNION: case PLAN_SET: case PLAN_JOIN: case PLAN_SINK:
        return false;
    }
    return false;
}

static void order_node(Arena *arena, LogicalNode *node, NodeList *nodes)
{
    if (logical_place(nodes, node) >= 0)
        return;
    if (node->kind == PLAN_JOIN && node->join.form == JOIN_TABLE) /* the table first */
        order_node(arena, node->inputs[1].node, nodes);
    if (node->kind == PLAN_SUBQUERY) /* of sources that are read one after the other, the sub-query's comes first: rows wait for it */
        order_node(arena, node->inputs[1].node, nodes);
    for (int i = 0; i < node->input_count; i++)
        order_node(arena, node->inputs[i].node, nodes);
    node->place = nodes->count;
    LIST_ADD(arena, nodes, node);
}

int logical_place(const NodeList *nodes, const LogicalNode *node)
{
    return node->place < nodes->count && nodes->items[node->place] == node ? node->place : -1;
}

void logical_order(Arena *arena, const PlanInput roots[], int root_count, NodeList *nodes)
{
    for (int i = 0; i < root_count; i++)
        order_node(arena, roots[i].node, nodes);
}

PlaceTable place_table(Arena *arena, int count)
{
    uint64_t size = 16;
    while (size < (uint64_t)count * 2)
        size *= 2;
    return (PlaceTable){ ARENA_ARRAY(arena, int, size), ARENA_ARRAY(arena, int, count + 1), size - 1 };
}

void place_add(PlaceTable *table, uint64_t hash, int place)
{
    table->next[place] = table->heads[hash & table->mask];
    table->heads[hash & table->mask] = place + 1;
}

static void replace_expr_spans(Expr *expr, Span at)
{
    expr->at = at;
    for (int i = 0; i < expr->arg_count; i++)
        replace_expr_spans(expr->args[i], at);
}

static void replace_match_spans(LogicalNode *node, Span at)
{
    for (int i = 0; i < node->match.variable_count; i++)
        if (node->match.variables[i].define)
            replace_expr_spans(node->match.variables[i].define, at);
    for (int i = 0; i < node->match.define_count; i++)
        node->match.defines[i].call.at = at;
    for (int i = 0; i < node->match.measure_count; i++)
        node->match.measures[i].call.at = at;
}

void logical_replace_spans(Arena *arena, PlanInput input, Span at)
{
    NodeList nodes = { 0 };
    logical_order(arena, &input, 1, &nodes);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        node->at = at;
        int count = 0;
        Expr **exprs = logical_exprs(node, &count);
        for (int i = 0; i < count; i++)
            replace_expr_spans(exprs[i], at);
        if (node->kind == PLAN_AGGREGATE || node->kind == PLAN_WINDOW_AGGREGATE || node->kind == PLAN_SESSION_AGGREGATE)
            for (int i = 0; i < node->aggregate.call_count; i++)
                node->aggregate.calls[i].at = at;
        for (int i = 0; node->kind == PLAN_OVER && i < node->over.call_count; i++)
            node->over.calls[i].call.at = at;
        if (node->kind == PLAN_MATCH)
            replace_match_spans(node, at);
    }
}

/* planner/bind_join.c: joins, a chain of binary ones.
 *
 * Both sides become inputs of one PLAN_JOIN whose keys, bounds and comparisons are columns (computed by projections in front where they are not).
 * What bounds the state: a comparison with an event time of the other side. `right.t <= left.x` ends a left row once the watermark is beyond
 * left.x, whatever left.x is. */
#include "planner/ast_map.h"
#include "planner/bind_join.h"
#include "planner/expr.h"
#include "planner/own_clocks.h"

#include "common/calendar.h"

static const WindowColumns no_window = { .start = -1, .end = -1, .time = -1 };

/* ---- sides ---- */

static Error *bind_side(Block *block, const AstRelation *ast, Relation *relation)
{
    Binder *binder = block->binder;
    AstRelation plain = *ast; /* FOR SYSTEM_TIME AS OF is the join's */
    plain.system_time = NULL;
    plain.alias.text = plain.alias.text ? binder_new_name(binder, binder->arena, &ast->alias) : NULL;
    TRY(bind_relation(binder, &plain, ast->timestamp_by, relation));
    if (ast->timestamp_over)
        TRY(bind_timestamp_over(binder, ast->timestamp_over, relation));
    if (relation->pending)
        TRY(bind_window_assign(binder, relation));
    if (relation->message && relation->message->no_value >= 0 && !relation->message->is_table)
        TRY(bind_without_empty(binder, relation, ast->at));
    return NULL;
}

void bind_join_names(JoinBinding *join)
{
    const Schema *left = &join->sides[0].schema, *right = &join->sides[1].schema;
    Schema schema = { left->column_count + right->column_count, ARENA_ARRAY(join->block->binder->arena, Column, left->column_count + right->column_count + 1) };
    for (int i = 0; i < schema.column_count; i++)
        schema.columns[i] = i < left->column_count ? left->columns[i] : right->columns[i - left->column_count];
    join->joint = (Relation){ .schema = schema, .time_column = -1, .window = no_window };
}

static Error *bind_right(JoinBinding *join, Block *inner)
{
    AstRelation right;
    if (!is_lateral(join->ast))
        return bind_join(inner, join->ast->right, &join->sides[1]);
    TRY(bind_lateral(join, &right));
    TRY(bind_side(inner, &right, &join->sides[1]));
    TRY(lateral_columns(join->lateral, &join->sides[1]));
    block_add_part(inner, &join->sides[1], 0);
    return NULL;
}

static Error *bind_sides(JoinBinding *join)
{
    Block *block = join->block;
    Arena *arena = block->binder->arena;
    if (!join->left_bound)
        TRY(bind_join(block, join->ast->left, &join->sides[0]));
    join->left_count = join->sides[0].schema.column_count;
    Block inner = *block; /* names of a join in parentheses are looked for in it alone */
    inner.parts.items = NULL;
    inner.parts.count = inner.parts.capacity = 0;
    TRY(bind_right(join, &inner));
    for (int p = 0; p < inner.parts.count; p++) {
        ScopeRelation part = inner.parts.items[p];
        part.base += join->left_count;
        LIST_ADD(arena, &block->parts, part);
    }
    bind_join_names(join);
    return NULL;
}

static bool has_time(const Relation *relation) { return relation->time_column >= 0 && !relation->processing_time; }

static bool is_rowtime(const Column *column) { return column->hidden && column->name && strcmp(column->name, "ROWTIME") == 0; }

static bool is_table(const Relation *relation) { return relation->message && relation->message->is_table; }

/* FOR SYSTEM_TIME AS OF the stream's event time: the table as it was then. AS OF the processing time: as it stands. */
static Error *settle_versions(JoinBinding *join)
{
    const AstExpr *system_time = join->ast->right->system_time;
    const Relation *left = &join->sides[0];
    Relation *right = &join->sides[1];
    Arena *arena = join->block->binder->arena;
    Expr *time = NULL;
    if (!system_time)
        return NULL;
    EdgeTraits traits = port_traits(arena, left->input), table = port_traits(arena, right->input);
    if (join->preserved[1] || traits.changes != CHANGES_APPEND)
        return error_at(ERR_BIND, system_time->at, "FOR SYSTEM_TIME AS OF is for rows that only come, in an inner or a left join");
    const bool keyed = is_table(right) && table.key_count > 0;
    if (keyed) {
        join->version_keys = table.keys[0].columns;
        join->version_key_count = table.keys[0].count;
    } else if (!bind_history(arena, right, &join->version_keys, &join->version_key_count)) {
        return error_hint(error_at(ERR_BIND, join->ast->right->at, "FOR SYSTEM_TIME AS OF needs a table with a key"), "CREATE TABLE .. (id .. PRIMARY KEY, ..), or the newest rows by ROW_NUMBER() OVER (PARTITION BY id ORDER BY time DESC)");
    }
    TRY(binder_scope_expr(join->block->binder, &join->joint, join->block->parts.items, join->block->parts.count, system_time, &time));
    const TimeColumn *column = time->kind == EXPR_COLUMN ? traits_time(&traits, time->column) : NULL;
    const bool processing = (time->kind == EXPR_CALL && name_equal(time->function->name, "proctime")) || (column && column->processing);
    if (processing && keyed)
        return NULL;
    if (processing)
        return error_hint(error_at(ERR_BIND, system_time->at, "rows that only come are versions of their keys: they are asked as of an event time"), "CREATE TABLE .. (id .. PRIMARY KEY, ..) stands as of PROCTIME()");
    const bool rowtime = time->kind == EXPR_COLUMN && time->column < join->left_count && is_rowtime(&left->schema.columns[time->column]);
    if (!has_time(left) || (!rowtime && (!column || time->column != left->time_column)))
        return error_at(ERR_BIND, system_time->at, "the table is read as of the event time of the rows that are joined with it");
    if (!has_time(right))
        return error_hint(error_at(ERR_BIND, join->ast->right->at, "the table has no event time: it has no versions"), "FOR SYSTEM_TIME AS OF PROCTIME()");
    join->versions = true;
    return NULL;
}

/* The versions are those of the table's keys. */
static Error *check_versions(const JoinBinding *join, const LogicalNode *node)
{
    bool whole = join->version_key_count == node->join.key_count;
    for (int c = 0; whole && c < join->version_key_count; c++) {
        bool found = false;
        for (int k = 0; k < node->join.key_count; k++)
            found |= node->join.sides[1].keys[k] == join->version_keys[c];
        whole &= found;
    }
    return whole ? NULL : error_at(ERR_BIND, join->ast->on ? join->ast->on->at : join->ast->at, "FOR SYSTEM_TIME AS OF joins a table on its primary key");
}

/* Does a stream look into a table? Of other joins with tables batch answers take what is left of them at the end. */
static Error *settle_tables(JoinBinding *join)
{
    Binder *binder = join->block->binder;
    EdgeTraits left = port_traits(binder->arena, join->sides[0].input), right = port_traits(binder->arena, join->sides[1].input);
    TRY(settle_versions(join));
    if (join->versions)
        return NULL;
    const bool follows = binder_rules(binder)->regular_joins && !join->ast->right->system_time; /* Flink: a table's changes are followed, too */
    join->table = !follows && join->sides[1].table && is_table(&join->sides[1]) && right.changes != CHANGES_APPEND && left.changes == CHANGES_APPEND && !is_table(&join->sides[0]) && !join->preserved[1];
    for (int s = 0; s < 2 && binder->final_results && !join->table; s++)
        TRY(bind_normalize(binder, &join->sides[s], false, s ? join->ast->right->at : join->ast->left->at));
    return NULL;
}

/* ---- WITHIN ---- */

static Error *length_us(const AstDuration *duration, int64_t *us)
{
    if (duration->interval.months)
        return error_at(ERR_BIND, duration->at, "WITHIN needs a length of time that does not depend on the calendar");
    *us = duration->interval.us;
    return *us < 0 ? error_at(ERR_BIND, duration->at, "WITHIN needs a length of time of 0 or more") : NULL;
}

static Error *take_within(JoinBinding *join)
{
    const AstRelation *ast = join->ast;
    Arena *arena = join->block->binder->arena;
    for (int s = 0; s < 2; s++) {
        const Span at = s ? ast->right->at : ast->left->at;
        if (is_table(&join->sides[s]))
            return error_hint(error_at(ERR_BIND, at, "WITHIN is for joins of two streams, this is a table"), "leave WITHIN out");
        if (!has_time(&join->sides[s]))
            return error_hint(error_at(ERR_BIND, at, "JOIN .. WITHIN needs an event time on both sides, this one has none"), "declare WATERMARK FOR column AS column");
    }
    TRY(length_us(&ast->within_before, &join->before_us));
    TRY(length_us(&ast->within_after, &join->after_us));
    join->grace_given = ast->join_grace.given;
    if (join->grace_given)
        TRY(length_us(&ast->join_grace, &join->grace_us));
    for (int end = 0; end < 2; end++) {
        JoinTerm term = { .at_least = end == 0, .offset = end == 0 ? -join->before_us : join->after_us };
        for (int s = 0; s < 2; s++)
            term.exprs[s] = binder_column(arena, &join->sides[s].schema, join->sides[s].time_column, ast->at);
        LIST_ADD(arena, &join->compares, term);
    }
    return NULL;
}

/* ---- columns of the inputs ---- */

/* An input with what the join reads behind its columns. */
typedef struct SideColumns {
    Expr **exprs;
    Column *columns;
    int count;
} SideColumns;

static SideColumns side_columns(JoinBinding *join, int s)
{
    Arena *arena = join->block->binder->arena;
    const Schema *schema = &join->sides[s].schema;
    const int room = schema->column_count + join->keys.count + join->compares.count + 1;
    SideColumns side = { ARENA_ARRAY(arena, Expr *, room), ARENA_ARRAY(arena, Column, room), schema->column_count };
    for (int i = 0; i < schema->column_count; i++) {
        side.exprs[i] = binder_column(arena, schema, i, join->ast->at);
        side.columns[i] = schema->columns[i];
    }
    return side;
}

static int place_expr(Arena *arena, SideColumns *side, Expr *expr)
{
    for (int i = 0; i < side->count; i++)
        if (expr_equal(side->exprs[i], expr))
            return i;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    expr_print(expr, &text);
    side->exprs[side->count] = expr;
    side->columns[side->count] = (Column){ .name = arena_strdup(arena, text_c(&text)), .hidden = true };
    text_release(&text);
    return side->count++;
}

static void put_filters(JoinBinding *join, int s)
{
    Arena *arena = join->block->binder->arena;
    if (join->filters[s].count)
        binder_filter(join->block->binder, &join->sides[s], expr_logic(arena, EXPR_AND, join->filters[s].items, join->filters[s].count, join->filters[s].items[0]->at), join->filters[s].items[0]->at);
}

/* ---- bounds ---- */

/* Does the column's time follow the watermark? Rows that take others back carry their old times, save those of windows. */
static const TimeColumn *bounding_time(const JoinBinding *join, int s, const EdgeTraits *traits, int column)
{
    const WindowColumns *window = &join->sides[s].window;
    const TimeColumn *time = traits_time(traits, column);
    if (!time || time->processing || time->lag_us >= LAG_UNTIL_END || !join->block->binder->settings->join_time_bounds)
        return NULL;
    bool of_window = window->windowed && (column == window->end || column == window->time);
    return traits->changes == CHANGES_APPEND || of_window ? time : NULL;
}

/* Rows that may still be taken back stay: those of windows until theirs is closed, others for ever. */
static void add_bound(JoinBinding *join, LogicalNode *node, int s, int column, int64_t offset_us, const TimeColumn *other)
{
    JoinSide *side = &node->join.sides[s];
    EdgeTraits traits = port_traits(join->block->binder->arena, node->inputs[s]);
    int64_t lag_us = time_add(other->lag_us, join->grace_us);
    if (traits.changes != CHANGES_APPEND) {
        const TimeColumn *own = bounding_time(join, s, &traits, column);
        if (!own)
            return;
        const int64_t own_us = time_sub(own->lag_us, offset_us);
        lag_us = own_us > lag_us ? own_us : lag_us;
    }
    for (int b = 0; b < side->bound_count; b++)
        if (side->bounds[b].column == column) { /* the tighter one counts */
            JoinBound *bound = &side->bounds[b];
            if (time_add(offset_us, lag_us) < time_add(bound->offset_us, bound->lag_us))
                *bound = (JoinBound){ column, offset_us, lag_us };
            return;
        }
    side->bounds[side->bound_count++] = (JoinBound){ column, offset_us, lag_us };
}

static void find_bounds(JoinBinding *join, LogicalNode *node)
{
    Arena *arena = join->block->binder->arena;
    const int room = node->join.key_count + node->join.compare_count + 1;
    EdgeTraits traits[2];
    for (int s = 0; s < 2; s++) {
        traits[s] = port_traits(arena, node->inputs[s]);
        node->join.sides[s].bounds = ARENA_ARRAY(arena, JoinBound, room);
    }
    for (int k = 0; k < node->join.key_count; k++)
        for (int s = 0; s < 2; s++) {
            const TimeColumn *other = bounding_time(join, !s, &traits[!s], node->join.sides[!s].keys[k]);
            if (other)
                add_bound(join, node, s, node->join.sides[s].keys[k], 0, other);
        }
    for (int c = 0; c < node->join.compare_count; c++) {
        const JoinCompare *compare = &node->join.compares[c];
        const int ended = compare->at_least; /* right <= left + offset ends left rows, right >= left + offset right rows */
        const TimeColumn *other = bounding_time(join, !ended, &traits[!ended], compare->columns[!ended]);
        if (other)
            add_bound(join, node, ended, compare->columns[ended], ended ? time_sub(0, compare->offset) : compare->offset, other);
    }
}

/* ksqlDB's stores: how far a row of a side waits, and the grace; without one it is a day, and nothing waits. */
static void set_reaches(JoinBinding *join, LogicalNode *node)
{
    const int64_t grace_us = join->grace_given ? join->grace_us : 24 * 3600 * US_PER_SECOND;
    for (int s = 0; s < 2; s++) {
        JoinSide *side = &node->join.sides[s];
        side->bounds = ARENA_ARRAY(join->block->binder->arena, JoinBound, 1);
        side->bounds[0] = (JoinBound){ side->time_column, s ? join->before_us : join->after_us, grace_us };
        side->bound_count = 1;
    }
    node->join.padding = join->grace_given ? PADDING_AT_BOUND : PADDING_EAGER;
}

/* ---- the node ---- */

static bool is_key_of(const ColumnSet *key, const int *columns, int count)
{
    for (int c = 0; c < key->count; c++) {
        bool found = false;
        for (int k = 0; k < count && !found; k++)
            found = columns[k] == key->columns[c];
        if (!found)
            return false;
    }
    return true;
}

static void describe_side(JoinBinding *join, LogicalNode *node, int s)
{
    JoinSide *side = &node->join.sides[s];
    const Relation *relation = &join->sides[s];
    EdgeTraits traits = port_traits(join->block->binder->arena, node->inputs[s]);
    side->preserved = join->preserved[s];
    side->updates = traits.changes == CHANGES_RETRACT;
    side->upserts = traits.changes == CHANGES_UPSERT;
    side->time_column = has_time(relation) ? relation->time_column : -1;
    const TimeColumn *time = side->time_column < 0 ? NULL : traits_time(&traits, side->time_column);
    side->lag_us = time && !time->processing ? time->lag_us : TIME_MAX;
    side->window_times = relation->window.windowed;
    for (int t = 0; t < traits.time_count; t++)
        side->window_times &= traits.times[t].column == relation->window.end || traits.times[t].column == relation->window.time;
    for (int k = 0; k < traits.key_count; k++)
        side->unique |= is_key_of(&traits.keys[k], side->keys, node->join.key_count);
    if ((side->updates || side->upserts) && traits.key_count) {
        side->identity = traits.keys[0].columns;
        side->identity_count = traits.keys[0].count;
        side->identity = arena_copy(join->block->binder->arena, side->identity, sizeof(int) * (size_t)(side->identity_count + 1));
    }
}

static JoinPadding choose_padding(const JoinBinding *join, const LogicalNode *node)
{
    Arena *arena = join->block->binder->arena;
    bool append = true, bounded = true, timed = true;
    for (int s = 0; s < 2; s++) {
        EdgeTraits traits = port_traits(arena, node->inputs[s]);
        append &= traits.changes == CHANGES_APPEND;
        bounded &= traits.bounded;
        timed &= !node->join.sides[s].preserved || node->join.sides[s].bound_count > 0;
    }
    if (append && timed)
        return PADDING_AT_BOUND;
    return append && bounded && join->block->binder->final_results ? PADDING_AT_END : PADDING_CHANGES;
}

static LogicalNode *make_node(JoinBinding *join)
{
    Binder *binder = join->block->binder;
    Arena *arena = binder->arena;
    PlanInput inputs[2];
    JoinSide sides[2] = { { 0 } };
    JoinCompare *compares = ARENA_ARRAY(arena, JoinCompare, join->compares.count + 1);
    int widths[2];
    for (int s = 0; s < 2; s++) {
        put_filters(join, s);
        SideColumns columns = side_columns(join, s);
        const int before = columns.count;
        sides[s].keys = ARENA_ARRAY(arena, int, join->keys.count + 1);
        for (int k = 0; k < join->keys.count; k++)
            sides[s].keys[k] = place_expr(arena, &columns, join->keys.items[k].exprs[s]);
        for (int c = 0; c < join->compares.count; c++)
            compares[c].columns[s] = place_expr(arena, &columns, join->compares.items[c].exprs[s]);
        inputs[s] = columns.count > before ? main_port(binder_project(binder, &join->sides[s], columns.exprs, columns.columns, columns.count, join->ast->at)) : join->sides[s].input;
        widths[s] = columns.count;
        join->sides[s].input = inputs[s];
    }
    LogicalNode *node = logical_node(arena, PLAN_JOIN, join->ast->at, 2, inputs);
    memcpy(node->join.sides, sides, sizeof sides);
    node->join.key_count = join->keys.count;
    node->join.compares = compares;
    node->join.compare_count = join->compares.count;
    for (int c = 0; c < join->compares.count; c++) {
        compares[c].at_least = join->compares.items[c].at_least;
        compares[c].offset = join->compares.items[c].offset;
    }
    node->join.on_error = binder_policy(binder) == POLICY_DEAD_LETTER ? POLICY_SKIP : binder_policy(binder);
    if (join->rest.count) {
        int *map = ARENA_ARRAY(arena, int, join->joint.schema.column_count + 1);
        for (int i = 0; i < join->joint.schema.column_count; i++)
            map[i] = i < join->left_count ? i : i - join->left_count + widths[0];
        node->join.condition = expr_copy(arena, expr_logic(arena, EXPR_AND, join->rest.items, join->rest.count, join->rest.items[0]->at));
        expr_remap(node->join.condition, map);
    }
    const bool with_time = !join->table && !join->versions && has_time(&join->sides[0]) && has_time(&join->sides[1]);
    Schema schema = { widths[0] + widths[1] + with_time, ARENA_ARRAY(arena, Column, widths[0] + widths[1] + join->keys.count + 2) };
    for (int s = 0, to = 0; s < 2; s++)
        for (int i = 0; i < widths[s]; i++, to++)
            schema.columns[to] = port_schema(arena, inputs[s]).columns[i];
    if (with_time)
        schema.columns[widths[0] + widths[1]] = (Column){ .name = "$time", .type = type_timestamp(arena, TYPE_TIMESTAMP, 6), .hidden = true };
    node->join.with_time = with_time;
    node->join.with_key = join->using.count ? join->preserved[0] && join->preserved[1] : join->keys.count && binder_rules(binder)->joins_by_arrival && bind_join_names_key(join);
    for (int k = 0; node->join.with_key && k < join->keys.count; k++)
        schema.columns[schema.column_count++] = (Column){ .name = join->using.count || k ? arena_printf(arena, "$key%d", k + 1) : "ROWKEY", .type = join->keys.items[k].exprs[0]->type, .hidden = true };
    node->schema = schema;
    return node;
}

/* ---- the result ---- */

/* ROWTIME of a joined row is that of its event time. */
static Error *add_rowtime(JoinBinding *join, Relation *relation)
{
    Binder *binder = join->block->binder;
    Arena *arena = binder->arena;
    const int count = relation->schema.column_count;
    bool any = false;
    Schema schema = *schema_copy(arena, &relation->schema);
    for (int i = 0; i < count; i++)
        if (is_rowtime(&schema.columns[i])) {
            schema.columns[i].name = "$rowtime"; /* of a side: the block's parts know it by its name */
            any = true;
        }
    relation->schema = schema;
    if (!any || relation->time_column < 0)
        return NULL;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    Column *columns = ARENA_ARRAY(arena, Column, count + 1);
    for (int i = 0; i < count; i++) {
        exprs[i] = binder_column(arena, &relation->schema, i, join->ast->at);
        columns[i] = relation->schema.columns[i];
    }
    TRY(binder_to_ms(arena, binder_column(arena, &relation->schema, relation->time_column, join->ast->at), &exprs[count]));
    columns[count] = (Column){ .name = "ROWTIME", .hidden = true };
    LogicalNode *project = binder_project(binder, relation, exprs, columns, count + 1, join->ast->at);
    relation->input = main_port(project);
    relation->schema = project->schema;
    return NULL;
}

/* The parts of the right side stand behind what was added to the left one. */
static void move_parts(JoinBinding *join, int first, int by)
{
    Block *block = join->block;
    for (int p = first; p < block->parts.count; p++)
        block->parts.items[p].base += by;
}

static void hide_using(JoinBinding *join, int from, int to)
{
    for (int p = from; p < to; p++) {
        ScopeRelation *part = &join->block->parts.items[p];
        Schema *schema = schema_copy(join->block->binder->arena, part->schema);
        for (int i = 0; i < schema->column_count; i++)
            for (int n = 0; n < join->using.count; n++)
                schema->columns[i].hidden |= name_equal(schema->columns[i].name, join->using.items[n].text);
        part->schema = schema;
    }
}

/* USING (k): k is one column, the preserved side's, or of a FULL JOIN the one that is there. */
static void merge_using(JoinBinding *join, int first_right, const LogicalNode *node)
{
    Block *block = join->block;
    Arena *arena = block->binder->arena;
    if (join->preserved[1])
        hide_using(join, 0, first_right);
    if (join->preserved[0] || !join->preserved[1])
        hide_using(join, first_right, block->parts.count);
    if (!node->join.with_key)
        return;
    Schema *schema = ARENA_NEW(arena, Schema);
    const int first = node->schema.column_count - join->keys.count;
    *schema = (Schema){ join->using.count, ARENA_ARRAY(arena, Column, join->using.count + 1) };
    for (int n = 0; n < join->using.count; n++) {
        schema->columns[n] = node->schema.columns[first + n];
        schema->columns[n].name = join->using.items[n].text;
        schema->columns[n].hidden = false;
    }
    ScopeRelation part = { NULL, schema, first, 0 };
    LIST_ADD(arena, &block->parts, part);
    memmove(block->parts.items + 1, block->parts.items, sizeof part * (size_t)(block->parts.count - 1));
    block->parts.items[0] = part;
}

/* ksqlDB's name of a key that is no column of a side; that of a join below means nothing any more. */
static void add_rowkey(JoinBinding *join, const LogicalNode *node)
{
    Block *block = join->block;
    Arena *arena = block->binder->arena;
    for (int p = block->parts.count - 1; p >= 0; p--)
        if (!block->parts.items[p].alias && block->parts.items[p].schema->column_count == 1 && strcmp(block->parts.items[p].schema->columns[0].name, "ROWKEY") == 0) {
            memmove(&block->parts.items[p], &block->parts.items[p + 1], sizeof(ScopeRelation) * (size_t)(block->parts.count - p - 1));
            block->parts.count--;
        }
    if (!node->join.with_key)
        return;
    Schema *schema = ARENA_NEW(arena, Schema);
    const int first = node->schema.column_count - join->keys.count;
    *schema = (Schema){ 1, ARENA_ARRAY(arena, Column, 1) };
    schema->columns[0] = (Column){ .name = "ROWKEY", .type = node->schema.columns[first].type };
    ScopeRelation part = { NULL, schema, first, 0 };
    LIST_ADD(arena, &block->parts, part);
    memmove(block->parts.items + 1, block->parts.items, sizeof part * (size_t)(block->parts.count - 1));
    block->parts.items[0] = part;
}

static Error *filter_above(JoinBinding *join, Relation *relation)
{
    Block *block = join->block;
    for (int i = 0; i < join->above.count; i++) {
        AstExpr *ast = join->above.items[i];
        Relation outer = block->from;
        block->from = *relation;
        TRY(bind_subqueries(block, &ast, 1, false, &block->from));
        Expr *predicate = NULL;
        TRY(block_expr(block, &block->from, ast, &predicate));
        if (predicate->type->kind != TYPE_BOOLEAN)
            return error_at(ERR_BIND, ast->at, "ON needs conditions, this is %s", type_text(block->binder->arena, predicate->type));
        binder_filter(block->binder, &block->from, predicate, ast->at);
        *relation = block->from;
        if (relation != &block->from)
            block->from = outer;
    }
    return NULL;
}

/* Is there any event time under it? */
static bool is_timed(Arena *arena, PlanInput rows)
{
    NodeList nodes = { 0 };
    logical_order(arena, &rows, 1, &nodes);
    for (int i = 0; i < nodes.count; i++)
        if (nodes.items[i]->kind == PLAN_WATERMARK)
            return true;
    return false;
}

/* A table says nothing of the time of what looks into it, nor do rows without event time (VALUES, a file of names) of what they are joined with. */
static void set_clocks(const JoinBinding *join, LogicalNode *node)
{
    Arena *arena = join->block->binder->arena;
    const bool timed[2] = { is_timed(arena, node->inputs[0]), is_timed(arena, node->inputs[1]) };
    for (int s = 0; s < 2; s++)
        node->join.sides[s].on_clock = node->join.form != JOIN_BOTH || timed[s] || !timed[!s];
    if (join->table)
        node->join.sides[1].on_clock = false;
}

static Error *plan_join(JoinBinding *join, int first_right, Relation *relation)
{
    Arena *arena = join->block->binder->arena;
    LogicalNode *node = make_node(join);
    const int left_width = port_schema(arena, node->inputs[0]).column_count, width = left_width + port_schema(arena, node->inputs[1]).column_count;
    for (int s = 0; s < 2; s++)
        describe_side(join, node, s);
    const DialectRules *rules = binder_rules(join->block->binder);
    node->join.form = join->versions ? JOIN_VERSIONS : join->table ? JOIN_TABLE : join->ast->has_within && rules->joins_by_arrival ? JOIN_ARRIVAL : JOIN_BOTH;
    node->join.change_times = rules->windowed_time == TIME_OF_LARGEST_EVENT;
    node->join.retracts_unmatched = rules->joins_by_arrival && bind_join_is_foreign(join);
    set_clocks(join, node);
    if (node->join.form == JOIN_BOTH)
        find_bounds(join, node);
    if (node->join.form == JOIN_ARRIVAL)
        set_reaches(join, node);
    else
        node->join.padding = join->table || join->versions ? PADDING_CHANGES : choose_padding(join, node);
    if (node->join.form == JOIN_BOTH)
        node->join.retention_us = join->block->binder->settings->join_retention_us;
    if (join->versions) {
        TRY(check_versions(join, node));
        node->join.sides[1].updates = node->join.sides[1].upserts = false; /* every change is a row of its own */
        node->join.sides[1].unique = true; /* and one of them holds */
    }
    logical_derive(arena, node);
    TRY(own_clocks_check(arena, node, join->ast->at));
    move_parts(join, first_right, left_width - join->left_count);
    const Relation *left = &join->sides[0], *right = &join->sides[1];
    *relation = (Relation){ .input = main_port(node), .schema = node->schema, .time_column = -1, .window = no_window, .dead_letter = left->dead_letter, .on_expr_error = left->on_expr_error };
    if (node->join.with_time)
        relation->time_column = width;
    else if (has_time(left))
        relation->time_column = left->time_column;
    else if (has_time(right))
        relation->time_column = right->time_column + left_width;
    if (left->window.windowed && !join->preserved[1])
        relation->window = left->window;
    if (join_has_late_rows(node))
        relation->late_rows = node;
    if (node->join.form == JOIN_TABLE)
        relation->input = main_port(own_clocks_again(arena, node, relation->time_column, binder_policy(join->block->binder)));
    if (join->using.count)
        merge_using(join, first_right, node);
    else if (binder_rules(join->block->binder)->joins_by_arrival)
        add_rowkey(join, node);
    bind_join_message(join, node, left_width, relation);
    TRY(add_rowtime(join, relation));
    return filter_above(join, relation);
}

/* left NULL: it is bound here. */
static Error *bind_plain_join(Block *block, const AstRelation *ast, const Relation *left, Relation *relation)
{
    JoinBinding join = { .block = block, .ast = ast, .left_bound = left != NULL };
    if (left)
        join.sides[0] = *left;
    join.preserved[0] = ast->join == AST_JOIN_LEFT || ast->join == AST_JOIN_FULL;
    join.preserved[1] = ast->join == AST_JOIN_RIGHT || ast->join == AST_JOIN_FULL;
    if ((ast->join == AST_JOIN_CROSS_APPLY || ast->join == AST_JOIN_OUTER_APPLY) && !is_lateral(ast))
        return binder_unsupported(ast->right->at, "APPLY of something that is no function");
    TRY(bind_sides(&join));
    int first_right = block->parts.count;
    while (first_right > 0 && block->parts.items[first_right - 1].base >= join.left_count)
        first_right--;
    TRY(settle_tables(&join));
    if (ast->has_within)
        TRY(take_within(&join));
    TRY(bind_join_terms(&join, first_right));
    TRY(plan_join(&join, first_right, relation));
    return join.lateral ? finish_lateral(join.lateral, relation) : NULL;
}

Error *bind_join(Block *block, const AstRelation *join, Relation *relation)
{
    if (join->kind != AST_REL_JOIN) {
        TRY(bind_side(block, join, relation));
        block_add_part(block, relation, 0);
        return NULL;
    }
    if (join->right->kind == AST_REL_FUNCTION && join->right->function && !is_window_call(join->right->function)) {
        Relation left;
        if (join->natural)
            return binder_unsupported(join->at, "NATURAL JOIN with a function");
        TRY(bind_join(block, join->left, &left));
        return bind_table_join(block, join, &left, relation);
    }
    if (is_lateral(join)) {
        Relation left;
        bool done;
        TRY(bind_join(block, join->left, &left));
        TRY(bind_lateral_values(block, join, &left, &done, relation));
        return done ? NULL : bind_plain_join(block, join, &left, relation);
    }
    const bool looks_up = (join->join == AST_JOIN_INNER || join->join == AST_JOIN_LEFT || join->join == AST_JOIN_CROSS) && !join->has_within && !join->natural;
    CatalogEntry *table = looks_up ? bind_lookup_entry(block->binder, join->right) : NULL;
    return table ? bind_lookup_join(block, join, table, relation) : bind_plain_join(block, join, NULL, relation);
}

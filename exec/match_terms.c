/* exec/match_terms.c: histories, and what DEFINE asks of them.
 *
 * A node of history knows the last row of each set of variables that DEFINE asks for, and how far it is with each FIRST; aggregates have a group a node. So a
 * condition costs the same however long the match is, and ways that part share all rows before. */
#include "exec/match.h"
#include "exec/row_policy.h"

enum { FEED_ROWS = 256 };

/* ---- nodes ---- */

static uint32_t *last_of(uint32_t *node, int feature) { return node + NODE_WORDS + feature; }
static uint32_t *first_of(const MatchOperator *o, uint32_t *node, int feature) { return node + NODE_WORDS + o->last_count + 2 * feature; }

static uint32_t take_node(MatchOperator *o)
{
    uint32_t node = o->free_node;
    if (node != MATCH_NONE) {
        o->free_node = match_node(o, node)[NODE_PREVIOUS];
        return node;
    }
    const size_t width = sizeof(uint32_t) * o->node_words, used = width * o->node_count;
    if (o->nodes_bytes < used + width)
        o->nodes = state_block_grow(o->pool, o->nodes, &o->nodes_bytes, used, used + width);
    node = o->node_count++;
    for (int i = 0; i < o->define_bundle_count; i++)
        state_cover(&o->define_bundles[i].groups.state, o->node_count);
    return node;
}

void match_release_node(MatchOperator *o, uint32_t node)
{
    while (node != MATCH_NONE && --match_node(o, node)[NODE_HOLDERS] == 0) {
        const uint32_t previous = match_node(o, node)[NODE_PREVIOUS];
        for (int i = 0; i < o->define_bundle_count; i++)
            groups_forget(&o->define_bundles[i].groups, node);
        match_node(o, node)[NODE_PREVIOUS] = o->free_node;
        o->free_node = node;
        node = previous;
    }
}

/* What the row adds to what was there before it. */
static void note_row(MatchOperator *o, uint32_t id, int variable)
{
    uint32_t *node = match_node(o, id);
    const uint32_t previous = node[NODE_PREVIOUS];
    uint32_t *before = previous == MATCH_NONE ? NULL : match_node(o, previous);
    for (int f = 0; f < o->last_count; f++)
        *last_of(node, f) = o->last_sets[f] >> variable & 1 ? id : before ? *last_of(before, f) : MATCH_NONE;
    for (int f = 0; f < o->first_count; f++) {
        uint32_t *first = first_of(o, node, f); /* rows met, at most those that are skipped | the place in the match, from 1 */
        const uint32_t *former = before ? first_of(o, before, f) : NULL;
        first[0] = former ? former[0] : 0;
        first[1] = former ? former[1] : 0;
        if (first[1] || !(o->firsts[f].variables >> variable & 1))
            continue;
        if (first[0] == (uint64_t)o->firsts[f].offset)
            first[1] = node[NODE_LENGTH];
        else
            first[0]++;
    }
}

Error *match_new_node(MatchOperator *o, uint32_t slot, uint32_t previous, uint32_t step, uint32_t *result)
{
    const uint32_t id = *result = take_node(o);
    const int variable = o->node->match.steps[step].variable;
    uint32_t *node = match_node(o, id);
    node[NODE_PREVIOUS] = previous;
    node[NODE_HOLDERS] = 1;
    node[NODE_STEP] = step;
    node[NODE_LENGTH] = 1;
    if (previous != MATCH_NONE) {
        match_node(o, previous)[NODE_HOLDERS]++;
        node[NODE_LENGTH] += match_node(o, previous)[NODE_LENGTH];
    }
    note_row(o, id, variable);
    const uint32_t row = match_row(o, slot, o->partitions[slot].cursor);
    for (int i = 0; i < o->define_bundle_count; i++) {
        MatchBundle *bundle = &o->define_bundles[i];
        groups_forget(&bundle->groups, id);
        if (previous != MATCH_NONE) {
            state_touch_one(&bundle->groups.state, id);
            groups_merge(&bundle->aggregates, &bundle->groups, id, &bundle->groups, previous, 1);
        }
        if (bundle->variables >> variable & 1)
            TRY(match_feed(o, bundle, id, &row, 1));
    }
    return NULL;
}

bool match_same_history(const MatchOperator *o, uint32_t a, uint32_t b)
{
    if (a == b)
        return true;
    uint32_t *left = match_node(o, a), *right = match_node(o, b);
    for (int f = 0; f < o->last_count; f++) {
        const uint32_t x = *last_of(left, f), y = *last_of(right, f);
        if (x != y && (x == MATCH_NONE || y == MATCH_NONE || match_node(o, x)[NODE_LENGTH] != match_node(o, y)[NODE_LENGTH]))
            return false;
    }
    for (int f = 0; f < o->first_count; f++)
        if (memcmp(first_of(o, left, f), first_of(o, right, f), 2 * sizeof(uint32_t)) != 0)
            return false;
    return true;
}

/* ---- rows into aggregates ---- */

static void start_feed(MatchOperator *o)
{
    batch_release(o->feed);
    o->feed = batch_new(o->op->context->pool, o->input_schema->column_count);
    o->feed->row_count = FEED_ROWS;
    o->feed_rows = 0;
}

/* Aggregates that ask when a row came mean its place in the match. */
Error *match_feed(MatchOperator *o, MatchBundle *bundle, uint32_t group, const uint32_t *ids, uint32_t count)
{
    uint32_t rows[FEED_ROWS], slots[FEED_ROWS];
    while (count) {
        if (!o->feed || o->feed_rows == FEED_ROWS)
            start_feed(o);
        Batch *batch = o->feed;
        const uint32_t first = o->feed_rows, taken = count < FEED_ROWS - first ? count : FEED_ROWS - first;
        for (uint32_t i = 0; i < taken; i++) {
            rows[i] = first + i;
            slots[i] = group;
        }
        for (int c = 0; c < o->input_schema->column_count; c++) {
            if (!bundle->fed[c])
                continue;
            if (!batch->columns[c])
                batch->columns[c] = vector_new(&batch->arena, o->input_schema->columns[c].type, FEED_ROWS);
            TRY(row_store_gather_column(&o->store, c, ids, taken, batch->columns[c], first, &batch->arena));
        }
        const int64_t *own = match_own(o, ids[0]);
        enum { PIECE = 1 << 23 };
        Evaluation evaluation = { .arena = &batch->arena, .now_us = o->op->context->now_us, .turn = (uint64_t)own[ROW_NUMBER] / PIECE,
                                  .first_row = (uint64_t)own[ROW_NUMBER] % PIECE - first };
        groups_update(&bundle->aggregates, &bundle->groups, batch, rows, slots, taken, &evaluation);
        o->feed_rows += taken;
        ids += taken;
        count -= taken;
    }
    return NULL;
}

static void bundle_add(MatchOperator *o, MatchBundle *bundle, const AggregateCall *call, int term)
{
    for (int a = 0; a < call->arg_count; a++)
        bundle->fed[call->args[a]] = true;
    if (call->filter >= 0)
        bundle->fed[call->filter] = true;
    (void)o;
    bundle->calls[bundle->call_count] = *call;
    bundle->targets[bundle->call_count++] = term;
}

Error *match_open_bundles(MatchOperator *o, const MatchTerm *terms, int count, MatchBundle **bundles, int *bundle_count)
{
    MatchBundle *list = *bundles = ARENA_ARRAY(&o->arena, MatchBundle, count + 1);
    for (int t = 0; t < count; t++) {
        if (terms[t].kind != MATCH_AGGREGATE)
            continue;
        int i = 0;
        while (i < *bundle_count && (list[i].variables != terms[t].variables || list[i].final != terms[t].final))
            i++;
        if (i == *bundle_count) {
            list[i].variables = terms[t].variables;
            list[i].final = terms[t].final;
            list[i].calls = ARENA_ARRAY(&o->arena, AggregateCall, count);
            list[i].targets = ARENA_ARRAY(&o->arena, int, count);
            list[i].columns = ARENA_ARRAY(&o->arena, Vector *, count);
            list[i].fed = ARENA_ARRAY(&o->arena, bool, o->input_schema->column_count + 1);
            ++*bundle_count;
        }
        bundle_add(o, &list[i], &terms[t].call, t);
    }
    for (int i = 0; i < *bundle_count; i++) {
        TRY(aggregates_open_calls(&list[i].aggregates, &o->arena, o->input_schema, list[i].calls, list[i].call_count, o->node->match.on_error, false, "", false, true));
        groups_init(&list[i].groups, o->pool, &list[i].aggregates, false);
    }
    return NULL;
}

void match_close_bundles(MatchBundle *bundles, int count)
{
    for (int i = 0; i < count; i++) {
        groups_release(&bundles[i].groups);
        aggregates_close(&bundles[i].aggregates);
    }
}

/* ---- conditions ---- */

/* The place in the match, from 1, of the row that a term of DEFINE means; 0: there is none. */
static int64_t place_of(MatchOperator *o, int t, uint32_t id)
{
    const MatchTerm *term = &o->node->match.defines[t];
    uint32_t *node = match_node(o, id);
    const int64_t length = node[NODE_LENGTH];
    if (term->variables == MATCH_EVERY_VARIABLE) {
        const int64_t place = term->first ? term->offset + 1 : length - term->offset;
        return place <= length && place > 0 ? place : 0;
    }
    if (term->first)
        return first_of(o, node, o->feature[t])[1];
    uint32_t last = *last_of(node, o->feature[t]);
    for (int64_t i = 0; i < term->offset && last != MATCH_NONE; i++) {
        const uint32_t previous = match_node(o, last)[NODE_PREVIOUS];
        last = previous == MATCH_NONE ? MATCH_NONE : *last_of(match_node(o, previous), o->feature[t]);
    }
    return last == MATCH_NONE ? 0 : match_node(o, last)[NODE_LENGTH];
}

static void put_classifier(MatchOperator *o, uint32_t node, int64_t place, Vector *vector)
{
    const char *name = NULL;
    if (place > 0 && place <= (int64_t)match_node(o, node)[NODE_LENGTH]) {
        while ((int64_t)match_node(o, node)[NODE_LENGTH] > place)
            node = match_node(o, node)[NODE_PREVIOUS];
        name = o->node->match.variables[o->node->match.steps[match_node(o, node)[NODE_STEP]].variable].name;
    }
    if (name)
        ((Str *)vector->values)[0] = str_view(name, strlen(name));
    else
        vector_set_null(&o->scratch, vector, 0);
}

static Error *put_term(MatchOperator *o, uint32_t slot, uint32_t node, int t)
{
    const MatchTerm *term = &o->node->match.defines[t];
    Vector *vector = o->row.columns[t] = vector_new(&o->scratch, term->type, 1);
    switch (term->kind) {
    case MATCH_AGGREGATE: return NULL; /* put_aggregates */
    case MATCH_NUMBER: ((int64_t *)vector->values)[0] = match_entry(o, slot)[P_MATCHES] + 1; return NULL;
    case MATCH_CLASSIFIER: {
        int64_t place = place_of(o, t, node);
        put_classifier(o, node, place ? place + term->shift : 0, vector);
        return NULL;
    }
    case MATCH_VALUE: break;
    }
    const int64_t place = place_of(o, t, node);
    const uint32_t row = place ? match_row(o, slot, match_entry(o, slot)[P_START] + place - 1 + term->shift) : MATCH_NONE;
    if (row != MATCH_NONE)
        return row_store_gather_column(&o->store, term->column, &row, 1, vector, 0, &o->scratch);
    if (type_physical(vector->type) == PHYSICAL_ARRAY || type_physical(vector->type) == PHYSICAL_STRUCT) {
        Value null = value_null(vector->type);
        vector_set(&o->scratch, vector, 0, &null);
    } else {
        vector_set_null(&o->scratch, vector, 0);
    }
    return NULL;
}

static Error *put_aggregates(MatchOperator *o, uint32_t node, const bool *asked, Evaluation *evaluation)
{
    for (int i = 0; i < o->define_bundle_count; i++) {
        MatchBundle *bundle = &o->define_bundles[i];
        bool needed = false;
        for (int c = 0; c < bundle->call_count; c++) {
            const int t = bundle->targets[c];
            needed |= asked[t];
            bundle->columns[c] = asked[t] ? o->row.columns[t] : vector_new(&o->scratch, o->node->match.defines[t].type, 1);
        }
        if (!needed)
            continue;
        char *state = state_touch_one(&bundle->groups.state, node);
        TRY(groups_result(&bundle->aggregates, &bundle->groups, &state, &node, 1, bundle->columns, 0, o->op, &o->row, evaluation));
    }
    return NULL;
}

static Error *evaluate(MatchOperator *o, uint32_t slot, int variable, uint32_t node, bool *passes)
{
    const bool *asked = o->asked[variable];
    arena_reset(&o->scratch);
    Evaluation evaluation = { .arena = &o->scratch, .now_us = o->op->context->now_us, .turn = o->op->context->turn };
    for (int t = 0; t < o->node->match.define_count; t++)
        if (asked[t])
            TRY(put_term(o, slot, node, t));
    TRY(put_aggregates(o, node, asked, &evaluation));
    o->row.now_us = o->op->context->now_us;
    o->row.turn = o->op->context->turn;
    const Selection live = { 1, NULL };
    const Vector *result = NULL;
    TRY(expression_evaluate(o->defines[variable], &evaluation, &o->row, &live, &result));
    *passes = !vector_is_null(result, 0) && ((const uint8_t *)result->values)[0];
    if (evaluation.failure_count == 0)
        return NULL;
    *passes = false;
    if (o->restoring) /* it was counted when it happened */
        return NULL;
    Selection rows = live;
    Error *failure = NULL;
    TRY(row_policy_settle(o->op, o->node->match.on_error, &evaluation, &o->row, o->node->match.variables[variable].name, o->node->match.variables[variable].define->at, &rows, &failure));
    return failure;
}

Error *match_passes(MatchOperator *o, uint32_t slot, uint32_t node, bool *passes)
{
    const int variable = o->node->match.steps[match_node(o, node)[NODE_STEP]].variable;
    const MatchVariable *of = &o->node->match.variables[variable];
    *passes = of->condition < 0 || row_store_is_true(&o->store, match_row(o, slot, o->partitions[slot].cursor), of->condition);
    return *passes && of->define ? evaluate(o, slot, variable, node, passes) : NULL;
}

/* ---- opening ---- */

static int last_feature(MatchOperator *o, uint64_t variables)
{
    for (int f = 0; f < o->last_count; f++)
        if (o->last_sets[f] == variables)
            return f;
    o->last_sets[o->last_count] = variables;
    return o->last_count++;
}

static int first_feature(MatchOperator *o, const MatchTerm *term)
{
    for (int f = 0; f < o->first_count; f++)
        if (o->firsts[f].variables == term->variables && o->firsts[f].offset == term->offset)
            return f;
    o->firsts[o->first_count] = (MatchFirst){ term->variables, term->offset };
    return o->first_count++;
}

/* What nodes must know of the rows before them. */
static void plan_features(MatchOperator *o)
{
    const int count = o->node->match.define_count;
    o->last_sets = ARENA_ARRAY(&o->arena, uint64_t, count + 1);
    o->firsts = ARENA_ARRAY(&o->arena, MatchFirst, count + 1);
    o->feature = ARENA_ARRAY(&o->arena, int, count + 1);
    o->comparable = true;
    for (int t = 0; t < count; t++) {
        const MatchTerm *term = &o->node->match.defines[t];
        o->feature[t] = -1;
        if (term->kind == MATCH_AGGREGATE || (term->kind == MATCH_CLASSIFIER && (term->first || term->offset || term->shift)))
            o->comparable = false;
        if (term->kind != MATCH_VALUE || term->variables == MATCH_EVERY_VARIABLE)
            continue;
        o->feature[t] = term->first ? first_feature(o, term) : last_feature(o, term->variables);
        o->comparable &= term->first || term->offset == 0;
    }
    o->node_words = (uint32_t)(NODE_WORDS + o->last_count + 2 * o->first_count);
}

Error *match_open_terms(MatchOperator *o)
{
    const PlanNode *node = o->node;
    o->free_way = o->free_node = MATCH_NONE;
    o->same_step = ARENA_ARRAY(&o->arena, uint32_t, node->match.step_count);
    for (int i = 0; i < node->match.step_count; i++)
        o->same_step[i] = MATCH_NONE;
    plan_features(o);
    o->row.columns = ARENA_ARRAY(&o->arena, Vector *, node->match.define_count + 1);
    o->row.column_count = node->match.define_count;
    o->row.row_count = 1;
    o->row.selection = (Selection){ 1, NULL };
    o->defines = ARENA_ARRAY(&o->arena, Expression *, node->match.variable_count);
    o->asked = ARENA_ARRAY(&o->arena, bool *, node->match.variable_count);
    for (int v = 0; v < node->match.variable_count; v++) {
        const MatchVariable *variable = &node->match.variables[v];
        if (!variable->define)
            continue;
        TRY(expression_open(&o->arena, variable->define, &o->defines[v]));
        o->asked[v] = ARENA_ARRAY(&o->arena, bool, node->match.define_count + 1);
        for (int i = 0; i < variable->asked_count; i++)
            o->asked[v][variable->asked[i]] = true;
    }
    return match_open_bundles(o, node->match.defines, node->match.define_count, &o->define_bundles, &o->define_bundle_count);
}

void match_close_terms(MatchOperator *o)
{
    match_close_bundles(o->define_bundles, o->define_bundle_count);
    batch_release(o->feed);
    state_block_free(o->pool, o->ways, o->ways_bytes);
    state_block_free(o->pool, o->nodes, o->nodes_bytes);
}

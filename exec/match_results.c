/* exec/match_results.c: a match as rows: the columns of its last row, or of each of its rows, and behind them what MEASURES asks for. */
#include "exec/match.h"

/* ---- the rows of a match ---- */

static void cover_rows(MatchOperator *o, uint32_t length)
{
    if (length <= o->taken_room)
        return;
    o->taken = mem_grow(o->taken, &o->taken_room, length, sizeof(uint32_t));
    for (int s = 0; s < o->measure_set_count; s++)
        o->places[s] = mem_realloc(o->places[s], sizeof(uint32_t) * o->taken_room);
}

static int variable_at(const MatchOperator *o, uint32_t index) { return o->node->match.steps[o->taken[index]].variable; }

static void list_rows(MatchOperator *o, uint32_t node, uint32_t length)
{
    cover_rows(o, length);
    for (uint32_t i = length; i-- > 0; node = match_node(o, node)[NODE_PREVIOUS])
        o->taken[i] = match_node(o, node)[NODE_STEP];
    for (int s = 0; s < o->measure_set_count; s++) {
        o->place_counts[s] = 0;
        for (uint32_t i = 0; i < length; i++)
            if (o->measure_sets[s] >> variable_at(o, i) & 1)
                o->places[s][o->place_counts[s]++] = i;
    }
}

/* How many of the set's rows are among the first `seen` ones. */
static int64_t rows_seen(const MatchOperator *o, int set, uint32_t seen)
{
    uint32_t low = 0, high = o->place_counts[set];
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (o->places[set][middle] < seen)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The index in the match of the row that a measure means when so many rows were seen; -1: there is none. */
static int64_t index_of(const MatchOperator *o, int t, uint32_t seen)
{
    const MatchTerm *term = &o->node->match.measures[t];
    const int set = o->measure_set[t];
    const int64_t rows = rows_seen(o, set, seen);
    if (term->offset >= rows)
        return -1;
    return o->places[set][term->first ? term->offset : rows - 1 - term->offset];
}

/* ---- measures ---- */

static void put_null(OutputBuilder *out, Vector *vector, uint32_t at)
{
    Arena *arena = &out->batch->arena;
    if (type_physical(vector->type) == PHYSICAL_ARRAY || type_physical(vector->type) == PHYSICAL_STRUCT) {
        Value null = value_null(vector->type);
        vector_set(arena, vector, at, &null);
    } else {
        vector_set_null(arena, vector, at);
    }
}

static Error *put_measure(MatchOperator *o, uint32_t slot, int t, uint32_t seen, uint32_t length, uint32_t at)
{
    const MatchTerm *term = &o->node->match.measures[t];
    Vector *vector = o->out.batch->columns[o->input_schema->column_count + t];
    const int64_t *entry = match_entry(o, slot);
    int64_t index = -1;
    switch (term->kind) {
    case MATCH_AGGREGATE: return NULL; /* put_aggregates */
    case MATCH_NUMBER: ((int64_t *)vector->values)[at] = entry[P_MATCHES]; return NULL;
    case MATCH_CLASSIFIER:
    case MATCH_VALUE: index = index_of(o, t, term->final ? length : seen); break;
    }
    if (term->kind == MATCH_CLASSIFIER) {
        index = index < 0 ? -1 : index + term->shift;
        const char *name = index >= 0 && index < (int64_t)length ? o->node->match.variables[variable_at(o, (uint32_t)index)].name : NULL;
        if (name)
            ((Str *)vector->values)[at] = str_view(name, strlen(name));
        else
            put_null(&o->out, vector, at);
        return NULL;
    }
    const uint32_t row = index < 0 ? MATCH_NONE : match_row(o, slot, entry[P_START] + index + term->shift);
    if (row != MATCH_NONE)
        return row_store_gather_column(&o->store, term->column, &row, 1, vector, at, &o->out.batch->arena);
    put_null(&o->out, vector, at);
    return NULL;
}

/* Rows [from, to) of the match into aggregates over all of it, or over what was seen. */
static Error *feed(MatchOperator *o, uint32_t slot, bool final, uint32_t from, uint32_t to)
{
    enum { PIECE = 128 };
    uint32_t ids[PIECE];
    for (int b = 0; b < o->measure_bundle_count; b++) {
        MatchBundle *bundle = &o->measure_bundles[b];
        uint32_t count = 0;
        for (uint32_t i = from; i < to && bundle->final == final; i++) {
            if (bundle->variables >> variable_at(o, i) & 1)
                ids[count++] = match_row(o, slot, match_entry(o, slot)[P_START] + i);
            if (count == PIECE) {
                TRY(match_feed(o, bundle, 0, ids, count));
                count = 0;
            }
        }
        TRY(match_feed(o, bundle, 0, ids, count));
    }
    return NULL;
}

static Error *put_aggregates(MatchOperator *o, uint32_t at)
{
    for (int b = 0; b < o->measure_bundle_count; b++) {
        MatchBundle *bundle = &o->measure_bundles[b];
        for (int c = 0; c < bundle->call_count; c++)
            bundle->columns[c] = o->out.batch->columns[o->input_schema->column_count + bundle->targets[c]];
        const uint32_t group = 0;
        char *state = state_touch_one(&bundle->groups.state, 0);
        TRY(groups_result(&bundle->aggregates, &bundle->groups, &state, &group, 1, bundle->columns, at, o->op, o->out.batch, &o->out.evaluation));
    }
    return NULL;
}

/* Row `index` from the start on, when so many rows were seen of the match. */
static Error *put_row(MatchOperator *o, uint32_t slot, uint32_t index, uint32_t seen, uint32_t length)
{
    uint32_t granted, at, id = match_row(o, slot, match_entry(o, slot)[P_START] + index);
    TRY(builder_reserve(&o->out, 1, 1, &granted, &at));
    TRY(row_store_gather(&o->store, &id, 1, o->out.batch->columns, at, &o->out.batch->arena));
    for (int t = 0; t < o->node->match.measure_count; t++)
        TRY(put_measure(o, slot, t, seen, length, at));
    TRY(put_aggregates(o, at));
    builder_commit(&o->out, 1, o->scalars[MATCH_WM]);
    return NULL;
}

static Error *put_match(MatchOperator *o, uint32_t slot, uint32_t length)
{
    for (int b = 0; b < o->measure_bundle_count; b++)
        groups_forget(&o->measure_bundles[b].groups, 0);
    TRY(feed(o, slot, true, 0, length));
    if (length == 0) /* it has the columns of the row at which it stands */
        return o->node->match.omits_empty ? NULL : put_row(o, slot, 0, 0, 0);
    if (!o->node->match.all_rows)
        return put_row(o, slot, length - 1, length, length);
    for (uint32_t i = 0; i < length; i++) {
        TRY(feed(o, slot, false, i, i + 1));
        if (!o->node->match.steps[o->taken[i]].excluded)
            TRY(put_row(o, slot, i, i + 1, length));
    }
    return NULL;
}

/* ---- where to go on ---- */

static Error *skip_failed(MatchOperator *o, const char *reason)
{
    return job_row_error(o->op, o->node->match.on_error, &o->row, 0, "expression", "AFTER MATCH SKIP", reason, o->node->at);
}

static Error *skip(MatchOperator *o, uint32_t length, int64_t start, int64_t *next)
{
    *next = start + 1;
    const bool first = o->node->match.skip == MATCH_SKIP_TO_FIRST;
    if (length == 0)
        return NULL;
    switch (o->node->match.skip) {
    case MATCH_SKIP_PAST_LAST_ROW: *next = start + length; return NULL;
    case MATCH_SKIP_TO_NEXT_ROW: return NULL;
    case MATCH_SKIP_TO_FIRST:
    case MATCH_SKIP_TO_LAST: break;
    }
    for (uint32_t i = 0; i < length; i++) {
        const uint32_t index = first ? i : length - 1 - i;
        if (!(o->node->match.skip_variables >> variable_at(o, index) & 1))
            continue;
        if (index == 0)
            return skip_failed(o, "AFTER MATCH SKIP goes to the first row of the match, which would be found again");
        *next = start + index;
        return NULL;
    }
    return skip_failed(o, "AFTER MATCH SKIP goes to a variable that no row of the match is");
}

Error *match_emit_unmatched(MatchOperator *o, uint32_t slot)
{
    const int64_t *entry = match_entry(o, slot);
    uint32_t granted, at, id = match_row(o, slot, entry[P_START]);
    if (!o->node->match.with_unmatched || entry[P_START] < entry[P_COVERED])
        return NULL;
    if (o->restoring)
        return page_damaged("a row that matches nothing has not been sent out");
    TRY(builder_reserve(&o->out, 1, 1, &granted, &at));
    TRY(row_store_gather(&o->store, &id, 1, o->out.batch->columns, at, &o->out.batch->arena));
    for (int t = 0; t < o->node->match.measure_count; t++)
        put_null(&o->out, o->out.batch->columns[o->input_schema->column_count + t], at);
    builder_commit(&o->out, 1, o->scalars[MATCH_WM]);
    return NULL;
}

Error *match_emit(MatchOperator *o, uint32_t slot, uint32_t node, int64_t *next)
{
    if (o->restoring)
        return page_damaged("a match that was complete has not been sent out");
    const uint32_t length = node == MATCH_NONE ? 0 : match_node(o, node)[NODE_LENGTH];
    int64_t *entry = (int64_t *)state_touch_one(&o->entries, slot);
    entry[P_MATCHES]++;
    if (entry[P_START] + length > entry[P_COVERED])
        entry[P_COVERED] = entry[P_START] + length;
    list_rows(o, node, length);
    TRY(put_match(o, slot, length));
    return skip(o, length, entry[P_START], next);
}

/* ---- opening ---- */

Error *match_open_results(MatchOperator *o)
{
    const PlanNode *node = o->node;
    const int count = node->match.measure_count;
    o->measure_sets = ARENA_ARRAY(&o->arena, uint64_t, count + 1);
    o->measure_set = ARENA_ARRAY(&o->arena, int, count + 1);
    for (int t = 0; t < count; t++) {
        const MatchTerm *term = &node->match.measures[t];
        o->numbered |= term->kind == MATCH_NUMBER;
        if (term->kind != MATCH_VALUE && term->kind != MATCH_CLASSIFIER)
            continue;
        int s = 0;
        while (s < o->measure_set_count && o->measure_sets[s] != term->variables)
            s++;
        o->measure_sets[s] = term->variables;
        o->measure_set_count += s == o->measure_set_count;
        o->measure_set[t] = s;
    }
    o->numbered |= node->match.from_start;
    for (int t = 0; t < node->match.define_count; t++)
        o->numbered |= node->match.defines[t].kind == MATCH_NUMBER;
    o->places = ARENA_ARRAY(&o->arena, uint32_t *, o->measure_set_count + 1);
    o->place_counts = ARENA_ARRAY(&o->arena, uint32_t, o->measure_set_count + 1);
    TRY(match_open_bundles(o, node->match.measures, count, &o->measure_bundles, &o->measure_bundle_count));
    for (int b = 0; b < o->measure_bundle_count; b++)
        state_cover(&o->measure_bundles[b].groups.state, 1);
    return NULL;
}

void match_close_results(MatchOperator *o)
{
    match_close_bundles(o->measure_bundles, o->measure_bundle_count);
    for (int s = 0; o->places && s < o->measure_set_count; s++)
        mem_free(o->places[s]);
    mem_free(o->taken);
}

/* exec/op_lookup.c: joins rows with a lookup table: for each row all its matches, in the table's order. */
#include "exec/job_internal.h"
#include "exec/operators.h"

typedef struct LookupJoin {
    Lookup lookup;
    bool open;
    uint64_t turn;           /* the last turn that begin_turn was called for, plus one */
    uint64_t hits, misses, absent;
} LookupJoin;

static Error *lookup_open(Operator *op)
{
    LookupJoin *join = mem_calloc(1, sizeof *join);
    op->state = join;
    join->lookup.spec = &op->node->lookup.spec;
    join->lookup.context = &op->context->job->connectors;
    join->open = true;
    return join->lookup.spec->connector->lookup->open(&join->lookup);
}

static void lookup_close(Operator *op)
{
    LookupJoin *join = op->state;
    if (!join)
        return;
    if (join->open)
        join->lookup.spec->connector->lookup->close(&join->lookup);
    mem_free(join);
    op->state = NULL;
}

typedef struct Matches {
    uint32_t *rows;       /* of the input, ascending; a row without a match stands once where the join is LEFT */
    uint32_t *places;     /* of the values; UINT32_MAX: none */
    uint32_t count;
} Matches;

static void pair_up(Arena *arena, const Selection *selection, const uint32_t *found, uint32_t found_count, bool left, Matches *matches)
{
    size_t most = (size_t)found_count + selection->count + 1;
    matches->rows = arena_alloc(arena, sizeof(uint32_t) * most);
    matches->places = arena_alloc(arena, sizeof(uint32_t) * most);
    matches->count = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection_row(selection, i);
        bool any = false;
        for (; at < found_count && found[at] == row; at++) {
            any = true;
            matches->rows[matches->count] = row;
            matches->places[matches->count++] = at;
        }
        if (!any && left) {
            matches->rows[matches->count] = row;
            matches->places[matches->count++] = UINT32_MAX;
        }
    }
}

static Vector *gather_values(Arena *arena, const Vector *values, const Type *type, const Matches *matches)
{
    uint32_t *places = arena_alloc(arena, sizeof *places * ((size_t)matches->count + 1));
    bool any_value = values && values->capacity > 0;
    for (uint32_t i = 0; i < matches->count; i++)
        places[i] = matches->places[i] == UINT32_MAX ? 0 : matches->places[i];
    Vector *out = any_value ? vector_gather(arena, values, places, matches->count) : vector_new(arena, type, matches->count);
    out->type = type;
    for (uint32_t i = 0; i < matches->count; i++)
        if (matches->places[i] == UINT32_MAX) {
            vector_set_null(arena, out, i);
            if (type_physical(type) == PHYSICAL_STR)
                ((Str *)out->values)[i] = (Str){ 0 };
        }
    return out;
}

static Error *find_matches(Operator *op, Batch *batch, Batch *out, Matches *matches, Vector ***values)
{
    LookupJoin *join = op->state;
    const LookupSpec *spec = join->lookup.spec;
    if (join->turn != batch->turn + 1) {
        join->turn = batch->turn + 1;
        if (spec->connector->lookup->begin_turn)
            TRY(spec->connector->lookup->begin_turn(&join->lookup));
    }
    const Vector **keys = ARENA_ARRAY(&out->arena, const Vector *, (size_t)spec->key_count + 1);
    for (int i = 0; i < spec->key_count; i++)
        keys[i] = batch->columns[op->node->lookup.key_columns[i]];
    uint32_t *found = NULL, count = 0;
    TRY(spec->connector->lookup->find(&join->lookup, &out->arena, keys, &batch->selection, &found, values, &count));
    pair_up(&out->arena, &batch->selection, found, count, op->node->lookup.left, matches);
    return NULL;
}

#define GATHER_ORIGIN(field)                                                                              \
    if (batch->field) {                                                                                   \
        out->field = arena_alloc(&out->arena, sizeof *batch->field * ((size_t)matches.count + 1));        \
        for (uint32_t i = 0; i < matches.count; i++)                                                      \
            out->field[i] = batch->field[matches.rows[i]];                                                \
    }

/* Counters of this batch go to the turn; a handle counts for all of its life. */
static void count_lookups(Operator *op)
{
    LookupJoin *join = op->state;
    if (op->context->worker < 0)
        return;
    Turn *turn = context_worker(op)->turn;
    uint64_t hits = join->lookup.hits, misses = join->lookup.misses, absent = join->lookup.absent;
    turn->lookup_hits += hits - join->hits;
    turn->lookup_misses += misses - join->misses;
    turn->lookup_absent += absent - join->absent;
    join->hits = hits;
    join->misses = misses;
    join->absent = absent;
}

static Error *lookup_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    const PlanNode *node = op->node;
    int left_count = batch->column_count, value_count = node->lookup.spec.value_count;
    Batch *out = batch_new(batch->arena.pool, left_count + value_count);
    Matches matches = { 0 };
    Vector **values = NULL;
    Error *error = find_matches(op, batch, out, &matches, &values);
    if (error) {
        batch_release(out);
        batch_release(batch);
        return error;
    }
    for (int c = 0; c < left_count; c++)
        out->columns[c] = batch->columns[c]->encoding == VECTOR_CONSTANT ? batch->columns[c]
                                                                         : vector_gather(&out->arena, batch->columns[c], matches.rows, matches.count);
    for (int v = 0; v < value_count; v++)
        out->columns[left_count + v] = gather_values(&out->arena, values ? values[v] : NULL, node->schema.columns[left_count + v].type, &matches);
    GATHER_ORIGIN(kinds)
    GATHER_ORIGIN(wm_us)
    GATHER_ORIGIN(positions)
    GATHER_ORIGIN(lines)
    GATHER_ORIGIN(raw)
    out->row_count = out->selection.count = matches.count;
    out->wm_end_us = batch->wm_end_us;
    out->now_us = batch->now_us;
    out->turn = batch->turn;
    out->first_row = batch->first_row;
    out->split = batch->split;
    batch_hold_batch(out, batch);
    batch_release(batch);
    count_lookups(op);
    return output_push(op, PORT_MAIN, out);
}

const OperatorType lookup_operator = { .name = "lookup", .open = lookup_open, .close = lookup_close, .process = lookup_process };

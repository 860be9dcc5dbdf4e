/* exec/op_lookup.c: joins rows with a lookup table: for each row all its matches, in the table's order. */
#include "exec/expand.h"
#include "exec/job_internal.h"
#include "exec/operators.h"

typedef struct LookupJoin {
    Lookup lookup;
    bool open;
    uint64_t turn;           /* the last turn that begin_turn was called for, plus one */
    uint64_t hits, misses, absent;
    Expansion expansion;
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
    uint32_t *places;     /* of the values; VECTOR_NO_ROW: none */
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
            matches->places[matches->count++] = VECTOR_NO_ROW;
        }
    }
}

static Error *find_matches(Operator *op, Batch *batch, Matches *matches, Vector ***values)
{
    LookupJoin *join = op->state;
    const LookupSpec *spec = join->lookup.spec;
    if (join->turn != batch->turn + 1) {
        join->turn = batch->turn + 1;
        if (spec->connector->lookup->begin_turn)
            TRY(spec->connector->lookup->begin_turn(&join->lookup));
    }
    const Vector **keys = ARENA_ARRAY(&batch->arena, const Vector *, (size_t)spec->key_count + 1);
    for (int i = 0; i < spec->key_count; i++)
        keys[i] = batch->columns[op->node->lookup.key_columns[i]];
    uint32_t *found = NULL, count = 0;
    TRY(spec->connector->lookup->find(&join->lookup, &batch->arena, keys, &batch->selection, &found, values, &count));
    pair_up(&batch->arena, &batch->selection, found, count, op->node->lookup.left, matches);
    return NULL;
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
    LookupJoin *join = op->state;
    const PlanNode *node = op->node;
    int left_count = batch->column_count, value_count = node->lookup.spec.value_count;
    Matches matches = { 0 };
    Vector **values = NULL;
    Error *error = find_matches(op, batch, &matches, &values);
    if (error) {
        batch_release(batch);
        return error;
    }
    expand_begin(&join->expansion, batch);
    Batch *out = expand_rows(&join->expansion, batch, matches.rows, matches.count, value_count, NULL);
    for (int v = 0; v < value_count; v++)
        out->columns[left_count + v] = vector_gather_padded(&out->arena, values ? values[v] : NULL, node->schema.columns[left_count + v].type, matches.places, matches.count);
    batch_release(batch);
    count_lookups(op);
    return output_push(op, PORT_MAIN, out);
}

const OperatorType lookup_operator = { .name = "lookup", .open = lookup_open, .close = lookup_close, .process = lookup_process };

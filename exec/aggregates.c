/* exec/aggregates.c: see aggregates.h. */
#include "exec/aggregates.h"
#include <string.h>
#include "common/hash.h"

/* ---- the plan ---- */

static bool is_count_rows(const AggregateCall *call)
{
    return call->arg_count == 0 && call->filter < 0 && !call->distinct && name_equal(call->function->name, "count");
}

static const Type *input_type(const Aggregates *aggregates, int column) { return aggregates->input->columns[column].type; }

static void add_distinct(Aggregates *aggregates, int call)
{
    const AggregateCall *plan = &aggregates->calls[call];
    const bool nulls_count = plan->arg_count > 1 ? !name_equal(plan->function->name, "count") : strncmp(plan->function->name, "collect_list", 12) == 0;
    for (int i = 0; i < aggregates->distinct_count; i++) {
        DistinctColumn *distinct = &aggregates->distincts[i];
        if (distinct->column_count == plan->arg_count && distinct->nulls_count == nulls_count && distinct->call_count < 64 &&
            memcmp(distinct->columns, plan->args, sizeof(int) * (size_t)plan->arg_count) == 0) {
            distinct->calls[distinct->call_count++] = call;
            return;
        }
    }
    DistinctColumn *fresh = &aggregates->distincts[aggregates->distinct_count++];
    fresh->columns = plan->args;
    fresh->column_count = plan->arg_count;
    fresh->nulls_count = nulls_count;
    fresh->calls[fresh->call_count++] = call;
}

/* What the kernels of a call are told, and which function's kernels they are. */
static Error *open_shape(Aggregates *aggregates, Arena *arena, int number)
{
    const AggregateCall *call = &aggregates->calls[number];
    const AggregateFunction *function = call->function;
    const Type **types = ARENA_ARRAY(arena, const Type *, call->arg_count + 1);
    for (int i = 0; i < call->arg_count; i++)
        types[i] = input_type(aggregates, call->args[i]);
    if (aggregates->retracting && function->shrinking)
        function = function->shrinking;
    aggregates->shapes[number] = (AggregateShape){ function, types, call->arg_count, call->constants, call->constant_count, call->type, call->limit, aggregates->retracting, NULL, false };
    return function->prepare ? function->prepare(arena, &aggregates->shapes[number], &aggregates->shapes[number].prepared) : NULL;
}

Error *aggregates_open(Aggregates *aggregates, Arena *arena, const PlanNode *node, const char *header, bool count_rows, bool chained)
{
    const PlanNode *under = node->inputs[0].node;
    TRY(aggregates_open_calls(aggregates, arena, &under->schema, node->aggregate.calls, node->aggregate.call_count, node->aggregate.on_error,
                              under->traits.changes != CHANGES_APPEND, header, count_rows, chained));
    aggregates->keep_empty = node->aggregate.keep_empty;
    return NULL;
}

Error *aggregates_open_calls(Aggregates *aggregates, Arena *arena, const Schema *input, const AggregateCall *calls, int call_count, RowPolicy on_error,
                             bool retracting, const char *header, bool count_rows, bool chained)
{
    const int count = call_count;
    *aggregates = (Aggregates){ .input = input, .on_error = on_error, .calls = calls, .call_count = count, .retracting = retracting,
                                .mergeable_by_copy = true, .all_plain = true, .invertible = true, .rows_call = -1 };
    aggregates->offsets = ARENA_ARRAY(arena, size_t, count + 1);
    aggregates->plain = ARENA_ARRAY(arena, bool, count + 1);
    aggregates->shapes = ARENA_ARRAY(arena, AggregateShape, count + 1);
    aggregates->distincts = ARENA_ARRAY(arena, DistinctColumn, count + 1);
    aggregates->set_calls = ARENA_ARRAY(arena, int, count + 1);
    aggregates->set_types = ARENA_ARRAY(arena, const Type *, count + 1);
    Text layout = { 0 };
    MEMORY_HOLD(text_unwind, &layout);
    size_t offset = state_layout_width(header);
    text_add_c(&layout, header);
    for (int i = 0; i < count; i++) {
        const AggregateCall *call = &aggregates->calls[i];
        Error *error = open_shape(aggregates, arena, i);
        if (error) {
            text_release(&layout);
            return error;
        }
        const AggregateFunction *function = aggregates->shapes[i].function;
        aggregates->offsets[i] = offset;
        if (retracting && function->retract == RETRACT_MULTISET) {
            aggregates->set_calls[aggregates->set_count] = i;
            aggregates->set_types[aggregates->set_count++] = aggregates->shapes[i].arg_types[0];
            aggregates->mergeable_by_copy = aggregates->all_plain = aggregates->invertible = false;
            continue;
        }
        if (retracting && function->retract == RETRACT_REFUSE) {
            text_release(&layout);
            return error_at(ERR_UNSUPPORTED, call->at, "%s cannot take back rows, and its input is updated", call->name);
        }
        aggregates->plain[i] = !call->distinct || function->distinct_is_same || call->arg_count == 0;
        if (!aggregates->plain[i]) {
            for (int d = 0; d < count; d++)
                if (!aggregates->distincts[d].calls)
                    aggregates->distincts[d].calls = ARENA_ARRAY(arena, int, count);
            add_distinct(aggregates, i);
            aggregates->mergeable_by_copy = aggregates->all_plain = aggregates->invertible = false;
        }
        if (is_count_rows(call) && !aggregates->has_rows) {
            aggregates->has_rows = true;
            aggregates->rows_offset = offset;
            aggregates->rows_call = i;
        }
        if (strpbrk(function->layout, "st"))
            aggregates->mergeable_by_copy = false;
        aggregates->invertible = aggregates->invertible && function->unmerge;
        aggregates->order_sensitive = aggregates->order_sensitive || function->order_sensitive;
        text_add_c(&layout, function->layout);
        offset += aggregate_state_size(function);
    }
    if (!aggregates->has_rows && (count_rows || retracting || offset == 0)) {
        aggregates->has_rows = true;
        aggregates->rows_offset = offset;
        text_add_char(&layout, 'l');
    }
    aggregates->layout = arena_strndup(arena, text_c(&layout), layout.length);
    text_release(&layout);
    for (int i = 0; i < aggregates->distinct_count; i++) {
        DistinctColumn *distinct = &aggregates->distincts[i];
        const Type **types = ARENA_ARRAY(arena, const Type *, distinct->column_count);
        for (int c = 0; c < distinct->column_count; c++)
            types[c] = input_type(aggregates, distinct->columns[c]);
        pair_layout_init(&distinct->layout, arena, types, distinct->column_count, distinct->call_count, retracting, chained);
        pair_scratch_init(&distinct->scratch, &distinct->layout);
    }
    return NULL;
}

void aggregates_close(Aggregates *aggregates)
{
    for (int i = 0; i < aggregates->distinct_count; i++)
        if (aggregates->distincts[i].scratch.keys.layout)
            pair_scratch_release(&aggregates->distincts[i].scratch);
    mem_free(aggregates->states);
    mem_free(aggregates->rows);
    mem_free(aggregates->slots);
    mem_free(aggregates->row_states);
    mem_free(aggregates->masks);
    mem_free(aggregates->changed);
    *aggregates = (Aggregates){ 0 };
}

enum { SLICE = 256 };

static void reserve_scratch(Aggregates *aggregates, uint32_t rows)
{
    if (aggregates->capacity >= rows)
        return;
    aggregates->states = mem_realloc(aggregates->states, sizeof(char *) * rows);
    aggregates->rows = mem_realloc(aggregates->rows, sizeof(uint32_t) * rows);
    aggregates->slots = mem_realloc(aggregates->slots, sizeof(uint32_t) * rows);
    aggregates->row_states = mem_realloc(aggregates->row_states, sizeof(char *) * rows);
    aggregates->masks = mem_realloc(aggregates->masks, sizeof(uint64_t) * rows);
    aggregates->changed = mem_realloc(aggregates->changed, sizeof(uint64_t) * rows);
    aggregates->capacity = rows;
}

/* ---- groups ---- */

static const ContainerType groups_type;

void groups_init(Groups *groups, MemoryPool *pool, const Aggregates *aggregates, bool sparse)
{
    *groups = (Groups){ .container = { &groups_type, pool }, .aggregates = aggregates };
    state_init(&groups->state, pool, aggregates->layout, sparse);
    if (aggregates->distinct_count)
        groups->distincts = mem_calloc((size_t)aggregates->distinct_count, sizeof(PairSet));
    for (int i = 0; i < aggregates->distinct_count; i++)
        pair_set_init(&groups->distincts[i], pool, &aggregates->distincts[i].layout);
    if (aggregates->set_count)
        groups->sets = mem_calloc((size_t)aggregates->set_count, sizeof(OrderedSets));
    for (int i = 0; i < aggregates->set_count; i++)
        ordered_sets_init(&groups->sets[i], pool, aggregates->set_types[i]);
}

void groups_release(Groups *groups)
{
    if (!groups->aggregates)
        return;
    state_release(&groups->state);
    for (int i = 0; groups->distincts && i < groups->aggregates->distinct_count; i++)
        pair_set_release(&groups->distincts[i]);
    for (int i = 0; groups->sets && i < groups->aggregates->set_count; i++)
        ordered_sets_release(&groups->sets[i]);
    mem_free(groups->distincts);
    mem_free(groups->sets);
    *groups = (Groups){ 0 };
}

void groups_clear(Groups *groups)
{
    state_clear(&groups->state);
    for (int i = 0; i < groups->aggregates->distinct_count; i++)
        pair_set_clear(&groups->distincts[i]);
    for (int i = 0; i < groups->aggregates->set_count; i++)
        ordered_sets_clear(&groups->sets[i]);
}

size_t groups_bytes(const Groups *groups)
{
    size_t bytes = state_bytes(&groups->state);
    for (int i = 0; i < groups->aggregates->distinct_count; i++)
        bytes += pair_set_bytes(&groups->distincts[i]);
    for (int i = 0; i < groups->aggregates->set_count; i++)
        bytes += groups->sets[i].nodes_bytes + groups->sets[i].roots_bytes;
    return bytes;
}

/* ---- update ---- */

static inline bool filter_passes(const Vector *filter, uint32_t row)
{
    return !vector_is_null(filter, row) && ((const uint8_t *)filter->values)[row & vector_mask(filter)];
}

static void update_call(const Aggregates *aggregates, Groups *groups, int call, const Batch *batch, const uint32_t *rows,
                        char *const *states, uint32_t count, Evaluation *evaluation)
{
    const AggregateCall *plan = &aggregates->calls[call];
    const Vector *arg[FUNCTION_MAX_ARGS];
    for (int i = 0; i < plan->arg_count; i++)
        arg[i] = batch->columns[plan->args[i]];
    Selection selection = { count, rows };
    AggregateArgs args = { states, aggregates->offsets[call], &selection, arg, batch->kinds, &groups->state.heap, evaluation, &aggregates->shapes[call] };
    aggregates->shapes[call].function->update(&args);
}

/* The rows that pass call's filter, with their states; returns their number. */
static uint32_t filter_rows(Aggregates *aggregates, const AggregateCall *call, const Batch *batch, const uint32_t *rows,
                            char *const *states, uint32_t count)
{
    const Vector *filter = batch->columns[call->filter];
    uint32_t passed = 0;
    for (uint32_t i = 0; i < count; i++) {
        aggregates->rows[passed] = rows[i];
        aggregates->row_states[passed] = states[i];
        passed += filter_passes(filter, rows[i]);
    }
    return passed;
}

/* The first `count` of aggregates->rows, slots, row_states and masks: the calls take those whose pair is new to them. */
static void add_pairs(Aggregates *aggregates, Groups *groups, int which, const Vector *const columns[], uint32_t row_count, uint32_t count,
                      const uint8_t *kinds, Evaluation *evaluation)
{
    DistinctColumn *distinct = &aggregates->distincts[which];
    pair_set_add(&groups->distincts[which], &distinct->scratch, columns, row_count, aggregates->rows, aggregates->slots, count,
                 aggregates->masks, kinds, aggregates->changed);
    for (int bit = 0; bit < distinct->call_count; bit++) {
        uint32_t *chosen = aggregates->slots, chosen_count = 0; /* slots are done with */
        char **states = (char **)aggregates->masks;             /* and so are masks */
        for (uint32_t i = 0; i < count; i++) {
            chosen[chosen_count] = aggregates->rows[i];
            states[chosen_count] = aggregates->row_states[i];
            chosen_count += aggregates->changed[i] >> bit & 1;
        }
        if (!chosen_count)
            continue;
        const int call = distinct->calls[bit];
        Selection selection = { chosen_count, chosen };
        AggregateArgs args = { states, aggregates->offsets[call], &selection, columns, kinds, &groups->state.heap, evaluation, &aggregates->shapes[call] };
        aggregates->shapes[call].function->update(&args);
    }
}

static bool any_null(const Vector *const columns[], int count, uint32_t row)
{
    for (int i = 0; i < count; i++)
        if (vector_is_null(columns[i], row))
            return true;
    return false;
}

/* COUNT(DISTINCT x) FILTER (..) .. over the same columns: one probe a row. */
static void update_distinct(Aggregates *aggregates, Groups *groups, int which, const Batch *batch, const uint32_t *rows,
                            const uint32_t *slots, uint32_t count, Evaluation *evaluation)
{
    DistinctColumn *distinct = &aggregates->distincts[which];
    const Vector *columns[FUNCTION_MAX_ARGS];
    for (int c = 0; c < distinct->column_count; c++)
        columns[c] = batch->columns[distinct->columns[c]];
    uint32_t kept = 0; /* rows with a value and a filter that passes */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        uint64_t mask = 0;
        if (!distinct->nulls_count && any_null(columns, distinct->column_count, row))
            continue;
        for (int bit = 0; bit < distinct->call_count; bit++) {
            int filter = aggregates->calls[distinct->calls[bit]].filter;
            if (filter < 0 || filter_passes(batch->columns[filter], row))
                mask |= 1ull << bit;
        }
        if (!mask)
            continue;
        aggregates->rows[kept] = row;
        aggregates->slots[kept] = slots[i];
        aggregates->row_states[kept] = aggregates->states[i];
        aggregates->masks[kept++] = mask;
    }
    if (kept == 0)
        return;
    add_pairs(aggregates, groups, which, columns, batch->row_count, kept, batch->kinds, evaluation);
}

static void count_group_rows(const Aggregates *aggregates, const Batch *batch, const uint32_t *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        *(int64_t *)(aggregates->states[i] + aggregates->rows_offset) += row_kind_retracts(batch_kind(batch, rows[i])) ? -1 : 1;
}

void groups_update(Aggregates *aggregates, Groups *groups, const Batch *batch, const uint32_t *rows, const uint32_t *slots,
                   uint32_t count, Evaluation *evaluation)
{
    reserve_scratch(aggregates, count);
    while (count > SLICE) { /* the entries of a slice stay in the L1 cache from one aggregate to the next */
        groups_update(aggregates, groups, batch, rows, slots, SLICE, evaluation);
        rows += SLICE;
        slots += SLICE;
        count -= SLICE;
    }
    state_touch(&groups->state, slots, count, aggregates->states);
    for (int i = 0; i < aggregates->call_count; i++) {
        const AggregateCall *call = &aggregates->calls[i];
        if (!aggregates->plain[i])
            continue;
        if (call->filter < 0) {
            update_call(aggregates, groups, i, batch, rows, aggregates->states, count, evaluation);
            continue;
        }
        uint32_t passed = filter_rows(aggregates, call, batch, rows, aggregates->states, count);
        if (passed)
            update_call(aggregates, groups, i, batch, aggregates->rows, aggregates->row_states, passed, evaluation);
    }
    if (aggregates->has_rows && aggregates->rows_call < 0)
        count_group_rows(aggregates, batch, rows, count);
    for (int i = 0; i < aggregates->distinct_count; i++)
        update_distinct(aggregates, groups, i, batch, rows, slots, count, evaluation);
    for (int i = 0; i < aggregates->set_count; i++) {
        const AggregateCall *call = &aggregates->calls[aggregates->set_calls[i]];
        for (uint32_t r = 0; r < count; r++)
            if (call->filter < 0 || filter_passes(batch->columns[call->filter], rows[r]))
                ordered_sets_add(&groups->sets[i], slots[r], batch->columns[call->args[0]], rows[r],
                                 row_kind_retracts(batch_kind(batch, rows[r])) ? -1 : 1);
    }
}

/* ---- merging panes ---- */

void groups_merge(const Aggregates *aggregates, Groups *into, uint32_t into_first, const Groups *from, uint32_t from_first,
                  uint32_t count)
{
    char *to = state_entry(&into->state, into_first);
    const char *other = state_entry(&from->state, from_first);
    size_t width = into->state.width;
    for (int i = 0; i < aggregates->call_count; i++)
        if (aggregates->plain[i])
            aggregates->shapes[i].function->merge(to + aggregates->offsets[i], other + aggregates->offsets[i], width, count, &into->state.heap,
                                                  &aggregates->shapes[i]);
    if (aggregates->has_rows && aggregates->rows_call < 0)
        for (uint32_t i = 0; i < count; i++)
            *(int64_t *)(to + i * width + aggregates->rows_offset) += *(const int64_t *)(other + i * width + aggregates->rows_offset);
}

void groups_merge_distinct(Aggregates *aggregates, Groups *into, uint32_t into_slot, const Groups *from, uint32_t from_slot)
{
    enum { STEP = 1024 };
    for (int i = 0; i < aggregates->distinct_count; i++) {
        Arena arena;
        arena_init(&arena, NULL);
        MEMORY_HOLD(arena_unwind, &arena);
        Evaluation evaluation = { .arena = &arena };
        const PairSet *pairs = &from->distincts[i];
        uint32_t total, *numbers = pair_set_of_slot(pairs, from_slot, &arena, &total);
        for (uint32_t first = 0; first < total; first += STEP) {
            uint32_t count = total - first < STEP ? total - first : STEP;
            const int width = 1 + aggregates->distincts[i].column_count;
            Vector *columns[1 + FUNCTION_MAX_ARGS];
            for (int c = 0; c < width; c++)
                columns[c] = vector_new(&arena, pairs->layout->keys.types[c], count);
            key_table_gather(&pairs->keys, numbers + first, count, columns, 0, &arena);
            reserve_scratch(aggregates, count);
            char *entry = state_touch_one(&into->state, into_slot);
            for (uint32_t r = 0; r < count; r++) {
                aggregates->rows[r] = r;
                aggregates->slots[r] = into_slot;
                aggregates->row_states[r] = entry;
                aggregates->masks[r] = pair_set_bits(pairs, numbers[first + r]);
            }
            add_pairs(aggregates, into, i, (const Vector *const *)columns + 1, count, count, NULL, &evaluation);
        }
        arena_release(&arena);
    }
}

void groups_forget(Groups *groups, uint32_t slot)
{
    state_zero(&groups->state, slot);
    for (int i = 0; i < groups->aggregates->distinct_count; i++)
        pair_set_drop(&groups->distincts[i], slot);
}

void groups_compact(Aggregates *aggregates, Groups *groups)
{
    for (int i = 0; i < aggregates->distinct_count; i++)
        pair_set_compact(&groups->distincts[i], &aggregates->distincts[i].scratch);
}

void groups_unmerge(const Aggregates *aggregates, Groups *total, const Groups *gone, uint32_t first, uint32_t count)
{
    char *to = state_entry(&total->state, first);
    const char *other = state_entry(&gone->state, first);
    size_t width = total->state.width;
    for (int i = 0; i < aggregates->call_count; i++)
        aggregates->shapes[i].function->unmerge(to + aggregates->offsets[i], other + aggregates->offsets[i], width, count);
    if (aggregates->has_rows && aggregates->rows_call < 0)
        for (uint32_t i = 0; i < count; i++)
            *(int64_t *)(to + i * width + aggregates->rows_offset) -= *(const int64_t *)(other + i * width + aggregates->rows_offset);
}

/* ---- results ---- */

Error *groups_result(const Aggregates *aggregates, const Groups *groups, char *const *states, const uint32_t *slots, uint32_t count,
                     Vector *const columns[], uint32_t first, Operator *op, Batch *batch, Evaluation *evaluation)
{
    int set = 0;
    for (int i = 0; i < aggregates->call_count; i++) {
        const AggregateCall *call = &aggregates->calls[i];
        if (set < aggregates->set_count && aggregates->set_calls[set] == i) {
            const OrderedSets *sets = &groups->sets[set++];
            bool largest = name_equal(call->function->name, "max");
            for (uint32_t r = 0; r < count; r++) {
                const OrderedNode *node = ordered_sets_end(sets, slots[r], largest);
                if (node)
                    ordered_sets_put(sets, node, columns[i], first + r, evaluation->arena);
                else
                    vector_set_null(evaluation->arena, columns[i], first + r);
            }
            continue;
        }
        uint32_t failures = evaluation->failure_count;
        Args args = { .row_count = first + count, .live = { first + count, NULL }, .prepared = &aggregates->shapes[i],
                      .result_type = call->type, .evaluation = evaluation };
        aggregates->shapes[i].function->result(states, aggregates->offsets[i], count, &args, columns[i], first);
        for (uint32_t f = failures; f < evaluation->failure_count; f++)
            TRY(job_row_error(op, aggregates->on_error, batch, (int64_t)evaluation->failures[f].row, "expression", call->name,
                              evaluation->failures[f].reason, call->at));
        evaluation->failure_count = failures;
    }
    return NULL;
}

void groups_keep(Aggregates *aggregates, Groups *groups, const uint64_t *live, const uint32_t *remap, uint32_t kept)
{
    state_keep(&groups->state, live, remap, kept);
    for (int i = 0; i < aggregates->distinct_count; i++)
        pair_set_renumber(&groups->distincts[i], &aggregates->distincts[i].scratch, live, remap);
    for (int i = 0; i < aggregates->set_count; i++)
        ordered_sets_keep(&groups->sets[i], live, remap, kept);
}

/* ---- snapshot ---- */

static void groups_write(const Container *container, Text *snapshot)
{
    const Groups *groups = (const Groups *)container;
    container_write(&groups->state.container, snapshot);
    for (int i = 0; i < groups->aggregates->distinct_count; i++)
        container_write(&groups->distincts[i].container, snapshot);
    for (int i = 0; i < groups->aggregates->set_count; i++)
        container_write(&groups->sets[i].container, snapshot);
}

static Error *groups_read(Container *container, SnapshotReader *reader)
{
    Groups *groups = (Groups *)container;
    TRY(container_read(&groups->state.container, reader));
    for (int i = 0; i < groups->aggregates->distinct_count; i++)
        TRY(container_read(&groups->distincts[i].container, reader));
    for (int i = 0; i < groups->aggregates->set_count; i++)
        TRY(container_read(&groups->sets[i].container, reader));
    return NULL;
}

static const ContainerType groups_type = { "groups", groups_write, groups_read, NULL };

/* functions/aggregate_ranked.c: aggregates over the largest or smallest values of a group, and over values in an order.
 *
 *   TOPK           the k largest values, or records of values ordered by the first one      MAX_BY, MIN_BY   a value where another is largest
 *   TOPKDISTINCT   the k largest different values                                            LISTAGG, ARRAY_AGG with ORDER BY
 *
 * State: a packed list of k entries, best first, the first to arrive before its equals; an entry is what orders it and what goes with it.
 * Where the input retracts, or all are wanted, a Bag of all of them. */
#include "functions/packed.h"

#include <stdlib.h>

typedef enum RankRule { RANK_TOPK, RANK_DISTINCT, RANK_MAX_BY, RANK_MIN_BY, RANK_LIST, RANK_TEXT } RankRule;

typedef struct RankState {
    Str entries;
    int64_t count;
} RankState;

typedef struct RankPlan {
    RankRule rule;
    int first_key, key_count;             /* arguments that order */
    const Type *types[FUNCTION_MAX_ARGS]; /* of an entry: the keys, then the other arguments */
    int64_t most;
    int64_t descending, nulls_first;      /* by key: bits */
    bool keeps_nulls;                     /* a key may be NULL */
} RankPlan;

static RankPlan rank_plan(const AggregateShape *shape)
{
    RankPlan plan = { .rule = (RankRule)shape->function->rule, .key_count = 1, .most = 1, .descending = 1 };
    if (plan.rule == RANK_MAX_BY || plan.rule == RANK_MIN_BY)
        plan.first_key = 1;
    if (plan.rule == RANK_MIN_BY)
        plan.descending = 0;
    if (shape->constant_count)
        plan.most = shape->constants[0].integer;
    if (plan.rule >= RANK_LIST) { /* keys, then what is ordered; the literals: how many, how keys are ordered */
        plan.key_count = shape->arg_count - 1;
        plan.descending = shape->constants[1].integer & UINT32_MAX;
        plan.nulls_first = shape->constants[1].integer >> 32;
        plan.keeps_nulls = true;
    }
    int used = 0;
    for (int i = 0; i < plan.key_count; i++)
        plan.types[used++] = shape->arg_types[plan.first_key + i];
    for (int i = 0; i < shape->arg_count; i++)
        if (i < plan.first_key || i >= plan.first_key + plan.key_count)
            plan.types[used++] = shape->arg_types[i];
    return plan;
}

/* What orders the row, then the other arguments; false: the row does not count. */
static bool pack_row(const AggregateArgs *args, const RankPlan *plan, uint32_t row, Text *bytes)
{
    bytes->length = 0;
    if (!plan->keeps_nulls && vector_is_null(args->arg[plan->first_key], row))
        return false;
    if (plan->rule == RANK_TEXT && vector_is_null(args->arg[plan->key_count], row))
        return false;
    for (int i = 0; i < plan->key_count; i++)
        value_bytes_put(bytes, args->arg[plan->first_key + i], row, true);
    for (int i = 0; i < args->shape->arg_count; i++)
        if (i < plan->first_key || i >= plan->first_key + plan->key_count)
            value_bytes_put(bytes, args->arg[i], row, false);
    return true;
}

/* Whether `a` comes before `b`: > 0; behind it: < 0. */
static int rank_order(const RankPlan *plan, const char *a, const char *b)
{
    for (int key = 0; key < plan->key_count; key++) {
        if (!*a != !*b)
            return (*a == 0) == (plan->nulls_first >> key & 1) ? 1 : -1;
        int order = *a ? packed_compare(plan->types[key], a, b) : 0;
        if (order)
            return plan->descending >> key & 1 ? order : -order;
        a = packed_skip(plan->types[key], a);
        b = packed_skip(plan->types[key], b);
    }
    return 0;
}

static void rank_add(StateHeap *heap, RankState *state, const RankPlan *plan, const char *value, size_t length, int64_t arrival)
{
    PackedEntry entry;
    uint32_t place = 0, last = 0;
    int64_t before = 0;
    for (; packed_at(&state->entries, place, &entry); place = entry.next, before++) {
        int order = rank_order(plan, value, entry.value);
        if (order == 0 && plan->rule == RANK_DISTINCT)
            return;
        if (order > 0 || (order == 0 && arrival < entry.number))
            break;
    }
    if (before >= plan->most)
        return;
    packed_insert(heap, &state->entries, place, value, length, arrival);
    if (++state->count <= plan->most)
        return;
    for (PACKED_EACH(&state->entries, &entry))
        last = entry.offset;
    packed_remove(heap, &state->entries, last);
    state->count--;
}

static void rank_update(const AggregateArgs *args)
{
    const RankPlan plan = rank_plan(args->shape);
    Text bytes = { 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    for (uint32_t i = 0; i < args->rows->count; i++) {
        uint32_t row = selection_row(args->rows, i);
        if (!pack_row(args, &plan, row, &bytes))
            continue;
        rank_add(args->heap, (RankState *)(args->states[i] + args->offset), &plan, bytes.bytes, bytes.length, arrival_of(args, row));
    }
    text_release(&bytes);
}

static void rank_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    const RankPlan plan = rank_plan(shape);
    PackedEntry entry;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride)
        for (PACKED_EACH(&((const RankState *)from)->entries, &entry))
            rank_add(heap, (RankState *)into, &plan, entry.value, entry.length, entry.number);
}

/* ---- where the input retracts ---- */

static void rank_bag_update(const AggregateArgs *args)
{
    const RankPlan plan = rank_plan(args->shape);
    Text bytes = { 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    for (uint32_t i = 0; i < args->rows->count; i++) {
        uint32_t row = selection_row(args->rows, i);
        if (!pack_row(args, &plan, row, &bytes))
            continue;
        bag_add(args->heap, (Bag *)(args->states[i] + args->offset), bytes.bytes, bytes.length, row_goes(args, row) ? -1 : 1, 0);
    }
    text_release(&bytes);
}

static void rank_bag_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)shape;
    PackedEntry entry;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride)
        for (PACKED_EACH(&((const Bag *)from)->entries, &entry))
            if (entry.number)
                bag_add(heap, (Bag *)into, entry.value, entry.length, entry.number, 0);
}

typedef struct Ranked {
    const RankPlan *plan;
    PackedEntry entry;
} Ranked;

static int by_rank(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    int order = -rank_order(x->plan, x->entry.value, y->entry.value);
    return order ? order : (x->entry.offset > y->entry.offset) - (x->entry.offset < y->entry.offset);
}

/* The best of the bag, as many as there may be. */
static uint32_t bag_best(Arena *arena, const Bag *bag, const RankPlan *plan, PackedEntry **best)
{
    Ranked *all = ARENA_ARRAY(arena, Ranked, (size_t)bag->live + 1);
    uint32_t count = 0, kept = 0, room = 0;
    PackedEntry entry;
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number) {
            all[count++] = (Ranked){ plan, entry };
            room += entry.number < plan->most ? (uint32_t)entry.number : (uint32_t)plan->most;
        }
    qsort(all, count, sizeof *all, by_rank);
    *best = ARENA_ARRAY(arena, PackedEntry, (size_t)(room < plan->most ? room : plan->most) + 1);
    for (uint32_t i = 0; i < count && kept < plan->most; i++)
        for (int64_t copy = 0; copy < (plan->rule == RANK_DISTINCT ? 1 : all[i].entry.number) && kept < plan->most; copy++)
            (*best)[kept++] = all[i].entry;
    return kept;
}

/* ---- results ---- */

static Value record_of(Arena *arena, const Type *type, int count)
{
    return (Value){ .type = type, .nested = { ARENA_ARRAY(arena, Value, (size_t)count + 1), (uint32_t)count } };
}

/* What is shown of an entry, in a list of the type. */
static Value entry_value(Arena *arena, const RankPlan *plan, int arg_count, const Type *type, const PackedEntry *entry)
{
    if (arg_count == 1)
        return packed_value(arena, plan->types, 0, entry);
    if (plan->rule == RANK_LIST)
        return packed_value(arena, plan->types, plan->key_count, entry);
    Value record = record_of(arena, type, arg_count);
    for (int i = 0; i < arg_count; i++)
        record.nested.items[i] = packed_value(arena, plan->types, i, entry);
    return record;
}

static void put_text(const Args *args, const RankPlan *plan, const PackedEntry *best, uint32_t count, Vector *out, uint32_t row)
{
    const AggregateShape *shape = args->prepared;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (uint32_t i = 0; i < count; i++) {
        Value value = packed_value(args->evaluation->arena, plan->types, plan->key_count, &best[i]);
        if (i)
            text_add_str(&text, &shape->constants[2].text);
        text_add_str(&text, &value.text);
    }
    if (count)
        ((Str *)out->values)[row] = str_view(arena_copy(args->evaluation->arena, text_c(&text), text.length), text.length);
    else
        args_null(args, out, row);
    text_release(&text);
}

static void put_best(const Args *args, const RankPlan *plan, const PackedEntry *best, uint32_t count, Vector *out, uint32_t row)
{
    const AggregateShape *shape = args->prepared;
    Arena *arena = args->evaluation->arena;
    if (plan->rule == RANK_TEXT) {
        put_text(args, plan, best, count, out, row);
        return;
    }
    if (plan->rule == RANK_MAX_BY || plan->rule == RANK_MIN_BY) {
        Value value = count ? packed_value(arena, plan->types, plan->key_count, &best[0]) : value_null(shape->result_type);
        vector_set(arena, out, row, &value);
        return;
    }
    Value list = record_of(arena, shape->result_type, (int)count);
    for (uint32_t i = 0; i < count; i++)
        list.nested.items[i] = entry_value(arena, plan, shape->arg_count, shape->result_type->children[0], &best[i]);
    vector_set(arena, out, row, &list);
}

static void rank_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const RankPlan plan = rank_plan(args->prepared);
    for (uint32_t i = 0; i < count; i++) {
        const RankState *state = (const RankState *)(states[i] + offset);
        PackedEntry *best = ARENA_ARRAY(args->evaluation->arena, PackedEntry, (size_t)state->count + 1), entry;
        uint32_t found = 0;
        for (PACKED_EACH(&state->entries, &entry))
            best[found++] = entry;
        put_best(args, &plan, best, found, out, first + i);
    }
}

static void rank_bag_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const RankPlan plan = rank_plan(args->prepared);
    for (uint32_t i = 0; i < count; i++) {
        PackedEntry *best;
        uint32_t found = bag_best(args->evaluation->arena, (const Bag *)(states[i] + offset), &plan, &best);
        put_best(args, &plan, best, found, out, first + i);
    }
}

/* ---- types ---- */

static bool is_ordered(const Type *type) { return type->kind != TYPE_NULL && !type_is_nested(type); }

static const Type *type_of_top(Arena *arena, const Type *const types[], int count)
{
    if (!is_ordered(types[0]))
        return NULL;
    if (count == 1)
        return type_array(arena, types[0]);
    const char *names[FUNCTION_MAX_ARGS] = { "sort_col" };
    for (int i = 1; i < count; i++)
        names[i] = arena_printf(arena, "col%d", i - 1);
    return type_array(arena, type_struct(arena, count, names, types));
}

static const Type *type_of_by(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0]->kind != TYPE_NULL && is_ordered(types[1]) ? types[0] : NULL;
}

static const char *refuse_count(const Value *constants, int count)
{
    bool fine = count == 1 && !constants[0].is_null && constants[0].integer >= 1 && constants[0].integer <= 1000000;
    return fine ? NULL : "the number of values must be from 1 to 1000000";
}

#define RANK_COMMON .category = "aggregate", .returns = TYPE_ANY
#define RANK_KERNELS(shrinking_row) RANK_COMMON, .layout = "sl", .update = rank_update, .merge = rank_merge, .result = rank_result, .retract = RETRACT_MULTISET, \
    .shrinking = &shrinking_rows[shrinking_row], .order_sensitive = true
#define BAG_KERNELS(rank_rule) RANK_COMMON, .layout = BAG_LAYOUT, .update = rank_bag_update, .merge = rank_bag_merge, .result = rank_bag_result, \
    .retract = RETRACT_INVERT, .order_sensitive = true, .rule = rank_rule

static const AggregateFunction shrinking_rows[] = {
    [RANK_TOPK] = { .name = "topk", BAG_KERNELS(RANK_TOPK) },
    [RANK_DISTINCT] = { .name = "topkdistinct", BAG_KERNELS(RANK_DISTINCT) },
    [RANK_MAX_BY] = { .name = "max_by", BAG_KERNELS(RANK_MAX_BY) },
    [RANK_MIN_BY] = { .name = "min_by", BAG_KERNELS(RANK_MIN_BY) },
};

/* Arguments: the keys, then what is ordered; literals: how many, a bit for each key that descends and, 32 higher, for each that has NULL first, for texts the separator. */
const AggregateFunction ordered_list_aggregate = { .name = "array_agg", BAG_KERNELS(RANK_LIST) };
const AggregateFunction ordered_text_aggregate = { .name = "listagg", BAG_KERNELS(RANK_TEXT) };

static const char *const max_aliases[] = { "arg_max", "argmax", NULL };
static const char *const min_aliases[] = { "arg_min", "argmin", NULL };

const AggregateFunction ranked_aggregates[] = {
    { .name = "topk", .args = { TYPE_ANY, TYPE_BIGINT }, .constants = 1, .resolve = type_of_top, .refuse = refuse_count, .rule = RANK_TOPK, RANK_KERNELS(RANK_TOPK),
      .doc = "The k largest values, the largest first.", .example = "topk(x, 2)", .yields = "[2,2]" },
    { .name = "topk", .args = { TYPE_ANY, TYPE_ANY, TYPE_BIGINT }, .variadic = true, .constants = 1, .resolve = type_of_top, .refuse = refuse_count, .rule = RANK_TOPK,
      RANK_KERNELS(RANK_TOPK), .doc = "The k records with the largest first value: it is `sort_col`, the others are `col0`, `col1`..", .example = "topk(x, x * 10, 1)",
      .yields = "[{\"sort_col\":2,\"col0\":20}]" },
    { .name = "topkdistinct", .args = { TYPE_ANY, TYPE_BIGINT }, .constants = 1, .resolve = type_of_top, .refuse = refuse_count, .rule = RANK_DISTINCT,
      RANK_KERNELS(RANK_DISTINCT), .distinct_is_same = true, .doc = "The k largest different values, the largest first.", .example = "topkdistinct(x, 2)", .yields = "[2,1]" },
    { .name = "max_by", .aliases = max_aliases, .args = { TYPE_ANY, TYPE_ANY }, .resolve = type_of_by, .rule = RANK_MAX_BY, RANK_KERNELS(RANK_MAX_BY),
      .doc = "The first value where the second is largest; of equals what came first.", .example = "max_by(x * 10, x)", .yields = "20" },
    { .name = "min_by", .aliases = min_aliases, .args = { TYPE_ANY, TYPE_ANY }, .resolve = type_of_by, .rule = RANK_MIN_BY, RANK_KERNELS(RANK_MIN_BY),
      .doc = "The first value where the second is smallest; of equals what came first.", .example = "min_by(x * 10, x)", .yields = "10" },
    { .name = NULL },
};

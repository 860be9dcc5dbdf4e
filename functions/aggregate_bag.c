/* functions/aggregate_bag.c: aggregates over the different values of a group and how often each is there.
 *
 *   COLLECT_SET   the values      HISTOGRAM, COLLECT   values and their counts      ATTR   the value, if there is but one
 *   MODE          the most frequent one      PERCENTILE_DISC   the value at a place in their order
 *
 * State: a Bag, in order of first arrival. */
#include "functions/packed.h"

#include <math.h>
#include <stdlib.h>

typedef enum BagRule { BAG_SET, BAG_HISTOGRAM, BAG_COUNTS, BAG_ATTR, BAG_MODE, BAG_PERCENTILE, BAG_PERCENTILE_FROM_ABOVE, BAG_BIT_AND, BAG_BIT_OR, BAG_DISTINCT } BagRule;

enum { HISTOGRAM_KEYS = 1000 };

static bool takes_nulls(BagRule rule) { return rule == BAG_SET || rule == BAG_ATTR; }

static int64_t limit_of(const AggregateShape *shape)
{
    if (shape->limit)
        return shape->limit;
    if (shape->function->rule == BAG_ATTR && !shape->retracts)
        return 2; /* two are too many already */
    return shape->function->rule == BAG_HISTOGRAM ? HISTOGRAM_KEYS : 0;
}

static void bag_update(const AggregateArgs *args)
{
    const bool nulls = takes_nulls((BagRule)args->shape->function->rule);
    const int64_t limit = limit_of(args->shape);
    const Vector *values = args->arg[0];
    Text bytes = { 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    for (uint32_t i = 0; i < args->rows->count; i++) {
        uint32_t row = selection_row(args->rows, i);
        if (!nulls && vector_is_null(values, row))
            continue;
        bytes.length = 0;
        value_bytes_put(&bytes, values, row, true);
        bag_add(args->heap, (Bag *)(args->states[i] + args->offset), bytes.bytes, bytes.length, row_goes(args, row) ? -1 : 1, limit);
    }
    text_release(&bytes);
}

static void bag_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    const int64_t limit = limit_of(shape);
    PackedEntry entry;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride)
        for (PACKED_EACH(&((const Bag *)from)->entries, &entry))
            if (entry.number)
                bag_add(heap, (Bag *)into, entry.value, entry.length, entry.number, limit);
}

/* ---- results ---- */

static void put_set(const Args *args, const Bag *bag, Vector *out, uint32_t row)
{
    const AggregateShape *shape = args->prepared;
    Arena *arena = args->evaluation->arena;
    Value result = { .type = shape->result_type, .nested = { ARENA_ARRAY(arena, Value, (size_t)bag->live + 1), 0 } };
    PackedEntry entry;
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number)
            result.nested.items[result.nested.count++] = packed_value(arena, shape->arg_types, 0, &entry);
    vector_set(arena, out, row, &result);
}

static void put_counts(const Args *args, const Bag *bag, Vector *out, uint32_t row)
{
    const AggregateShape *shape = args->prepared;
    Arena *arena = args->evaluation->arena;
    Value result = { .type = shape->result_type, .nested = { ARENA_ARRAY(arena, Value, (size_t)bag->live * 2 + 1), 0 } };
    PackedEntry entry;
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number) {
            result.nested.items[result.nested.count++] = packed_value(arena, shape->arg_types, 0, &entry);
            result.nested.items[result.nested.count++] = (Value){ .type = type_scalar(TYPE_BIGINT), .integer = entry.number };
        }
    vector_set(arena, out, row, &result);
}

typedef struct Ordered {
    const Type *type;
    PackedEntry entry;
} Ordered;

static int by_value(const void *a, const void *b)
{
    const Ordered *x = a, *y = b;
    return packed_compare(x->type, x->entry.value, y->entry.value);
}

/* The least value such that the share p of all is not above it; from above: the largest such that it is not below. */
static bool find_percentile(const Args *args, const Bag *bag, bool from_above, PackedEntry *found)
{
    const AggregateShape *shape = args->prepared;
    Ordered *values = ARENA_ARRAY(args->evaluation->arena, Ordered, (size_t)bag->live + 1);
    int64_t count = 0, total = 0, before = 0, at = 0;
    PackedEntry entry;
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number) {
            values[count++] = (Ordered){ shape->arg_types[0], entry };
            total += entry.number;
        }
    if (!count)
        return false;
    qsort(values, (size_t)count, sizeof *values, by_value);
    int64_t place = (int64_t)ceil(shape->constants[0].number * (double)total); /* from 1 */
    if (from_above)
        place = total + 1 - (place > 0 ? place : 1);
    while (at + 1 < count && before + values[at].entry.number < place)
        before += values[at++].entry.number;
    *found = values[at].entry;
    return true;
}

static bool find_one(const Args *args, const Bag *bag, BagRule rule, PackedEntry *found)
{
    PackedEntry entry;
    if (rule == BAG_PERCENTILE || rule == BAG_PERCENTILE_FROM_ABOVE)
        return find_percentile(args, bag, rule == BAG_PERCENTILE_FROM_ABOVE, found);
    if (rule == BAG_ATTR && bag->live != 1)
        return false;
    found->number = 0;
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number > found->number)
            *found = entry;
    return found->number > 0;
}

static bool find_bits(const Args *args, const Bag *bag, BagRule rule, int64_t *bits)
{
    const AggregateShape *shape = args->prepared;
    PackedEntry entry;
    *bits = rule == BAG_BIT_AND ? -1 : 0;
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number) {
            int64_t value = packed_value(args->evaluation->arena, shape->arg_types, 0, &entry).integer;
            *bits = rule == BAG_BIT_AND ? *bits & value : *bits | value;
        }
    return bag->live > 0;
}

static void bag_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const AggregateShape *shape = args->prepared;
    const BagRule rule = (BagRule)shape->function->rule;
    for (uint32_t i = 0; i < count; i++) {
        const Bag *bag = (const Bag *)(states[i] + offset);
        PackedEntry entry;
        if (rule == BAG_SET) {
            put_set(args, bag, out, first + i);
        } else if (rule == BAG_HISTOGRAM || rule == BAG_COUNTS) {
            put_counts(args, bag, out, first + i);
        } else if (rule == BAG_DISTINCT) {
            ((int64_t *)out->values)[first + i] = bag->live;
        } else if (rule == BAG_BIT_AND || rule == BAG_BIT_OR) {
            if (!find_bits(args, bag, rule, &((int64_t *)out->values)[first + i]))
                args_null(args, out, first + i);
        } else {
            bool found = find_one(args, bag, rule, &entry);
            Value value = found ? packed_value(args->evaluation->arena, shape->arg_types, 0, &entry) : value_null(shape->result_type);
            vector_set(args->evaluation->arena, out, first + i, &value);
        }
    }
}

/* ---- types ---- */

static const Type *type_of_set(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return types[0]->kind == TYPE_NULL ? NULL : type_array(arena, types[0]);
}

static const Type *type_of_counts(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return types[0]->kind == TYPE_NULL ? NULL : type_map(arena, types[0], type_scalar(TYPE_BIGINT));
}

static const Type *type_of_one(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0]->kind == TYPE_NULL ? NULL : types[0];
}

static const Type *type_of_ordered(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0]->kind == TYPE_NULL || type_is_nested(types[0]) ? NULL : types[0];
}

static const char *refuse_share(const Value *constants, int count)
{
    bool fine = count == 1 && !constants[0].is_null && constants[0].number >= 0 && constants[0].number <= 1;
    return fine ? NULL : "a percentile is a number from 0 to 1";
}

#define BAG_KERNELS(ordered) .layout = BAG_LAYOUT, .update = bag_update, .merge = bag_merge, .result = bag_result, .retract = RETRACT_INVERT, \
    .order_sensitive = ordered, .category = "aggregate"

const AggregateFunction bit_and_of_bag = { .name = "bit_and", .returns = TYPE_BIGINT, .rule = BAG_BIT_AND, BAG_KERNELS(false) };
const AggregateFunction bit_or_of_bag = { .name = "bit_or", .returns = TYPE_BIGINT, .rule = BAG_BIT_OR, BAG_KERNELS(false) };
const AggregateFunction percentile_disc_from_above = { .name = "percentile_disc from above", .args = { TYPE_ANY, TYPE_DOUBLE }, .constants = 1, .returns = TYPE_ANY,
    .refuse = refuse_share, .rule = BAG_PERCENTILE_FROM_ABOVE, BAG_KERNELS(false), .merge_exact = true };
const AggregateFunction distinct_of_bag = { .name = "approx_count_distinct", .returns = TYPE_BIGINT, .rule = BAG_DISTINCT, BAG_KERNELS(false) };

const AggregateFunction bag_aggregates[] = {
    { .name = "collect_set", .args = { TYPE_ANY }, .returns = TYPE_ANY, .resolve = type_of_set, .rule = BAG_SET, BAG_KERNELS(true), .limit_setting = "collect_set",
      .doc = "The different values in the order in which they came, NULL too.", .example = "collect_set(x)", .yields = "[1,2,null]" },
    { .name = "histogram", .args = { TYPE_VARCHAR }, .returns = TYPE_ANY, .resolve = type_of_counts, .rule = BAG_HISTOGRAM, BAG_KERNELS(true),
      .doc = "How often each text is there, of the first 1000.", .example = "histogram(CAST(x AS STRING))", .yields = "{\"1\":1,\"2\":2}" },
    { .name = "collect", .args = { TYPE_ANY }, .returns = TYPE_ANY, .resolve = type_of_counts, .rule = BAG_COUNTS, BAG_KERNELS(true),
      .doc = "The values and how often each is there: Flink's MULTISET.", .example = "collect(x)", .yields = "{\"1\":1,\"2\":2}" },
    { .name = "attr", .args = { TYPE_ANY }, .returns = TYPE_ANY, .resolve = type_of_one, .rule = BAG_ATTR, BAG_KERNELS(false),
      .doc = "The value that all rows have; NULL where they differ.", .example = "attr(x > 0)", .yields = "NULL" },
    { .name = "mode", .args = { TYPE_ANY }, .returns = TYPE_ANY, .resolve = type_of_one, .rule = BAG_MODE, BAG_KERNELS(true),
      .doc = "The most frequent value; of several the one that came first.", .example = "mode(x)", .yields = "2" },
    { .name = "percentile_disc", .args = { TYPE_ANY, TYPE_DOUBLE }, .constants = 1, .returns = TYPE_ANY, .resolve = type_of_ordered, .refuse = refuse_share,
      .rule = BAG_PERCENTILE, BAG_KERNELS(false), .merge_exact = true,
      .doc = "The least value such that the given share of all is not above it.", .example = "percentile_disc(x, 0.5)", .yields = "2" },
    { .name = NULL },
};

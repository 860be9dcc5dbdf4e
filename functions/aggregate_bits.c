/* functions/aggregate_bits.c: aggregates of truth values and of bits.
 *
 *   BOOL_AND, BOOL_OR    l  true rows; l  false rows
 *   BIT_AND, BIT_OR, BIT_XOR    l  the bits; l  rows. AND and OR cannot give back a value: where the input retracts they are computed
 *                               over a Bag of values (aggregate_bag.c) */
#include "functions/aggregate_kernels.h"

/* ---- truth ---- */

static void bool_update(const AggregateArgs *args)
{
    const uint8_t *values = args->arg[0]->values;
    UPDATE_EACH(args, ((int64_t *)state)[values[row] ? 0 : 1] += SIGN(args));
}

static void bool_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    counts_merge(into, from, stride, count, 2);
}

static void bool_unmerge(char *total, const char *gone, size_t stride, uint32_t count) { counts_unmerge(total, gone, stride, count, 2); }

enum { BOOL_ALL, BOOL_ANY };

static void bool_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const bool any = ((const AggregateShape *)args->prepared)->function->rule == BOOL_ANY;
    for (uint32_t i = 0; i < count; i++) {
        int64_t yes = load64(states[i] + offset), no = load64(states[i] + offset + 8);
        if (yes + no == 0)
            args_null(args, out, first + i);
        else
            ((uint8_t *)out->values)[first + i] = any ? yes > 0 : no == 0;
    }
}

/* ---- bits ---- */

typedef struct Bits { int64_t bits, rows; } Bits;

static inline void bits_add(Bits *to, BitRule rule, int64_t bits)
{
    if (rule == BIT_XOR)
        to->bits ^= bits;
    else if (rule == BIT_OR)
        to->bits |= bits;
    else
        to->bits = to->rows ? to->bits & bits : bits;
}

static void bits_update(const AggregateArgs *args)
{
    const BitRule rule = (BitRule)args->shape->function->rule;
    const int64_t *values = args->arg[0]->values;
    UPDATE_EACH(args, {
        bits_add((Bits *)state, rule, values[row]); /* XOR takes back as it adds */
        ((Bits *)state)->rows += SIGN(args);
    });
}

static void bits_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {
        const Bits *other = (const Bits *)from;
        if (!other->rows)
            continue;
        bits_add((Bits *)into, (BitRule)shape->function->rule, other->bits);
        ((Bits *)into)->rows += other->rows;
    }
}

static void bits_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    for (uint32_t i = 0; i < count; i++) {
        const Bits *bits = (const Bits *)(states[i] + offset);
        if (bits->rows)
            ((int64_t *)out->values)[first + i] = bits->bits;
        else
            args_null(args, out, first + i);
    }
}

static const char *const and_aliases[] = { "every", "logical_and", NULL };
static const char *const or_aliases[] = { "logical_or", NULL };

#define TRUTH(sql, other_names, bool_rule, text, sample_yields)                                                                          \
    { .name = sql, .aliases = other_names, .args = { TYPE_BOOLEAN }, .returns = TYPE_BOOLEAN, .layout = "ll", .rule = bool_rule,           \
      .update = bool_update, .merge = bool_merge, .unmerge = bool_unmerge, .result = bool_result, .retract = RETRACT_INVERT,               \
      .merge_exact = true, .category = "aggregate", .doc = text, .example = sql "(x > 1)", .yields = sample_yields }
#define BITS(sql, bit_rule, retract_rule, bag, text, sample_yields)                                                                      \
    { .name = sql, .args = { TYPE_BIGINT }, .returns = TYPE_BIGINT, .layout = "ll", .rule = bit_rule, .update = bits_update,               \
      .merge = bits_merge, .result = bits_result, .retract = retract_rule, .shrinking = bag, .merge_exact = true, .category = "aggregate", \
      .doc = text, .example = sql "(x)", .yields = sample_yields }

const AggregateFunction bits_aggregates[] = {
    TRUTH("bool_and", and_aliases, BOOL_ALL, "True when no value is false.", "false"),
    TRUTH("bool_or", or_aliases, BOOL_ANY, "True when a value is true.", "true"),
    BITS("bit_and", BIT_AND, RETRACT_MULTISET, &bit_and_of_bag, "The bits that all values have.", "0"),
    BITS("bit_or", BIT_OR, RETRACT_MULTISET, &bit_or_of_bag, "The bits that some value has.", "3"),
    BITS("bit_xor", BIT_XOR, RETRACT_INVERT, NULL, "The bits that an odd number of values has.", "1"),
    { .name = NULL },
};

/* functions/aggregate_distinct.c: APPROX_COUNT_DISTINCT.
 *
 * State: s  bytes; l  number of hashes, or -1.
 *   up to 1,024 different values   their 64-bit hashes in a table with open addressing, 0 for an empty place: the count is exact
 *   more                           HyperLogLog: 16,384 registers of a byte; the count is off by 0.8% (standard error)
 * Both are sets: neither order nor merging shows. The hash has no seed, so that snapshots of one process mean the same in the next.
 * Where the input retracts, the values themselves are kept (aggregate_bag.c), and the count is exact. */
#include "functions/packed.h"
#include "functions/aggregate_kernels.h"
#include <math.h>
#include "common/hash.h"

enum { EXACT_MAX = 1024, SLOTS_MIN = 8, REGISTER_BITS = 14, REGISTERS = 1 << REGISTER_BITS, RANK_MAX = 64 - REGISTER_BITS };

typedef struct Distinct {
    Str bytes;
    int64_t count; /* -1: registers */
} Distinct;

static void register_add(char *registers, uint64_t hash)
{
    uint32_t number = (uint32_t)(hash >> RANK_MAX);
    uint64_t rest = hash << REGISTER_BITS;
    uint8_t rank = rest ? (uint8_t)(__builtin_clzll(rest) + 1) : RANK_MAX + 1;
    if ((uint8_t)registers[number] < rank)
        registers[number] = (char)rank;
}

/* Puts the hash into a table that has room; false: it is there already. */
static bool table_put(char *table, uint32_t length, uint64_t hash)
{
    const uint32_t mask = length / 8 - 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        uint64_t there = (uint64_t)load64(table + 8 * (size_t)at);
        if (there == hash)
            return false;
        if (!there) {
            store64(table + 8 * (size_t)at, (int64_t)hash);
            return true;
        }
    }
}

/* A larger table, or registers once there are too many hashes. */
static char *distinct_grow(StateHeap *heap, Distinct *state)
{
    uint64_t hashes[EXACT_MAX];
    uint32_t count = 0;
    for (uint32_t at = 0; at < state->bytes.length; at += 8) {
        uint64_t hash = (uint64_t)load64(str_bytes(&state->bytes) + at);
        if (hash)
            hashes[count++] = hash;
    }
    const bool exact = count < EXACT_MAX;
    const uint32_t length = !exact ? REGISTERS : state->bytes.length ? state->bytes.length * 2 : SLOTS_MIN * 8;
    char *bytes = state_heap_resize(heap, &state->bytes, length);
    memset(bytes, 0, length);
    for (uint32_t i = 0; i < count; i++)
        if (exact)
            table_put(bytes, length, hashes[i]);
        else
            register_add(bytes, hashes[i]);
    if (!exact)
        state->count = -1;
    return bytes;
}

static void distinct_add(StateHeap *heap, Distinct *state, uint64_t hash)
{
    char *bytes = (char *)(uintptr_t)str_bytes(&state->bytes);
    hash = hash ? hash : 1;
    if (state->count >= 0) {
        if (!state->bytes.length)
            bytes = distinct_grow(heap, state);
        if (!table_put(bytes, state->bytes.length, hash))
            return;
        if (++state->count == EXACT_MAX || state->count * 2 >= state->bytes.length / 8)
            distinct_grow(heap, state);
        return;
    }
    register_add(bytes, hash);
}

static void distinct_update(const AggregateArgs *args)
{
    const Vector *values = args->arg[0];
    Text bytes = { 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    for (uint32_t i = 0; i < args->rows->count; i++) {
        uint32_t row = selection_row(args->rows, i);
        if (vector_is_null(values, row))
            continue;
        bytes.length = 0;
        value_bytes_put(&bytes, values, row, true);
        distinct_add(args->heap, (Distinct *)(args->states[i] + args->offset), checksum_bytes(bytes.bytes, bytes.length));
    }
    text_release(&bytes);
}

static void distinct_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)shape;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {
        Distinct *state = (Distinct *)into;
        const Distinct *other = (const Distinct *)from;
        const char *bytes = str_bytes(&other->bytes);
        if (other->count >= 0) {
            for (uint32_t at = 0; at < other->bytes.length; at += 8)
                if (load64(bytes + at))
                    distinct_add(heap, state, (uint64_t)load64(bytes + at));
            continue;
        }
        if (state->count >= 0) { /* ours into a copy of theirs */
            Distinct ours = *state;
            *state = (Distinct){ .count = -1 };
            memcpy(state_heap_resize(heap, &state->bytes, REGISTERS), bytes, REGISTERS);
            for (uint32_t at = 0; at < ours.bytes.length; at += 8)
                if (load64(str_bytes(&ours.bytes) + at))
                    distinct_add(heap, state, (uint64_t)load64(str_bytes(&ours.bytes) + at));
            state_heap_resize(heap, &ours.bytes, 0);
            continue;
        }
        char *registers = state_heap_resize(heap, &state->bytes, REGISTERS);
        for (uint32_t r = 0; r < REGISTERS; r++)
            if ((uint8_t)registers[r] < (uint8_t)bytes[r])
                registers[r] = bytes[r];
    }
}

/* The estimate of O. Ertl (2017): unbiased from few values to many, without tables. */
static double sigma(double x)
{
    double y = 1, z = x, before;
    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, before;
    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

static int64_t registers_estimate(const char *registers)
{
    uint32_t counts[RANK_MAX + 2] = { 0 };
    for (uint32_t r = 0; r < REGISTERS; r++)
        counts[(uint8_t)registers[r]]++;
    double z = REGISTERS * tau(1 - (double)counts[RANK_MAX + 1] / REGISTERS);
    for (int rank = RANK_MAX; rank >= 1; rank--)
        z = 0.5 * (z + counts[rank]);
    z += REGISTERS * sigma((double)counts[0] / REGISTERS);
    return (int64_t)llround((double)REGISTERS * REGISTERS / (2 * log(2) * z));
}

static void distinct_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    (void)args;
    for (uint32_t i = 0; i < count; i++) {
        const Distinct *state = (const Distinct *)(states[i] + offset);
        ((int64_t *)out->values)[first + i] = state->count >= 0 ? state->count : registers_estimate(str_bytes(&state->bytes));
    }
}

const AggregateFunction distinct_aggregates[] = {
    { .name = "approx_count_distinct", .args = { TYPE_ANY }, .returns = TYPE_BIGINT, .layout = "sl", .update = distinct_update, .merge = distinct_merge,
      .result = distinct_result, .retract = RETRACT_MULTISET, .shrinking = &distinct_of_bag, .merge_exact = true, .distinct_is_same = true, .category = "aggregate",
      .doc = "How many different values there are: exact up to 1000, then with a standard error of 0.8%, in 16 KiB.", .example = "approx_count_distinct(x)", .yields = "2" },
    { .name = NULL },
};

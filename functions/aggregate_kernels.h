/* functions/aggregate_kernels.h: what the kernels of aggregates are made of. Private to the files aggregate*.c. */
#pragma once
#include <string.h>
#include "functions/aggregate.h"

/* Rows of an update: `row` is the place in the argument's values, `state` the group's state. NULL rows are left out. */
#define UPDATE_EACH(args, ...)                                                                   \
    do {                                                                                          \
        const Vector *vector_ = (args)->arg[0];                                                   \
        const uint32_t mask_ = vector_mask(vector_), *rows_ = (args)->rows->rows;                 \
        const uint32_t count_ = (args)->rows->count;                                              \
        const size_t offset_ = (args)->offset;                                                    \
        char *const *states_ = (args)->states;                                                    \
        if (!vector_->validity) {                                                                 \
            for (uint32_t i = 0; i < count_; i++) {                                               \
                const uint32_t in_ = rows_ ? rows_[i] : i, row = in_ & mask_;                     \
                char *state = states_[i] + offset_;                                               \
                __VA_ARGS__;                                                                             \
            }                                                                                     \
        } else {                                                                                  \
            for (uint32_t i = 0; i < count_; i++) {                                               \
                const uint32_t in_ = rows_ ? rows_[i] : i, row = in_ & mask_;                     \
                if (!bit_get(vector_->validity, row))                                             \
                    continue;                                                                     \
                char *state = states_[i] + offset_;                                               \
                __VA_ARGS__;                                                                             \
            }                                                                                     \
        }                                                                                         \
    } while (0)
/* +1 or -1 for the row at hand. */
#define SIGN(args) ((args)->kinds && row_kind_retracts((args)->kinds[in_]) ? -1 : 1)

static inline int64_t load64(const char *state)
{
    int64_t value;
    memcpy(&value, state, 8);
    return value;
}
static inline void store64(char *state, int64_t value) { memcpy(state, &value, 8); }
static inline double load_double(const char *state)
{
    double value;
    memcpy(&value, state, 8);
    return value;
}
static inline void store_double(char *state, double value) { memcpy(state, &value, 8); }
static inline Int128 load128(const char *state)
{
    Int128 value;
    memcpy(&value, state, 16);
    return value;
}
static inline void store128(char *state, Int128 value) { memcpy(state, &value, 16); }

/* States that are COUNTs: `words` of them. */
static inline void counts_merge(char *into, const char *from, size_t stride, uint32_t count, int words)
{
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride)
        for (int word = 0; word < words; word++)
            ((int64_t *)into)[word] += ((const int64_t *)from)[word];
}
static inline void counts_unmerge(char *total, const char *gone, size_t stride, uint32_t count, int words)
{
    for (uint32_t i = 0; i < count; i++, total += stride, gone += stride)
        for (int word = 0; word < words; word++)
            ((int64_t *)total)[word] -= ((const int64_t *)gone)[word];
}

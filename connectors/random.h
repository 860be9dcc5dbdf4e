/* connectors/random.h: random numbers that are a function of a seed and a counter (SplitMix64), so that any row can be made by itself.
 * Private to the room. */
#pragma once
#include <stdint.h>

#define RANDOM_STEP 0x9E3779B97F4A7C15ull

static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
/* The counter's number in the seed's stream. */
static inline uint64_t random_at(uint64_t key, uint64_t counter) { return random_mix(key + counter * RANDOM_STEP); }
static inline uint64_t random_key(uint64_t seed) { return random_mix(seed + RANDOM_STEP); }
/* Uniform in [0, n), n < 2^32, from the upper 32 bits. */
static inline uint64_t random_below32(uint64_t random, uint64_t n) { return (random >> 32) * n >> 32; }
/* Uniform in [0, n), n > 0, from all bits; n = 0 stands for 2^64. */
static inline uint64_t random_below(uint64_t random, uint64_t n)
{
    return n ? (uint64_t)((unsigned __int128)random * n >> 64) : random;
}
/* Uniform in [0, 1). */
static inline double random_unit(uint64_t random) { return (double)(random >> 11) * 0x1p-53; }

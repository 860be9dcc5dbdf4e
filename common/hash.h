/* common/hash.h: hashes for keys. The seed is per process and must never show in the order of output. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "common/str.h"

extern uint64_t hash_seed; /* set once at start; tests run with two */

static inline uint64_t hash_u64(uint64_t value)
{
    value = (value ^ hash_seed) * 0x9E3779B97F4A7C15ull;
    value ^= value >> 32;
    value *= 0xD6E8FEB86659FD93ull;
    return value ^ value >> 29;
}
uint64_t hash_bytes(const void *bytes, size_t length); /* XXH3, seeded */
static inline uint64_t hash_str(const Str *str) { return hash_bytes(str_bytes(str), str->length); }
static inline uint64_t hash_combine(uint64_t a, uint64_t b)
{
    return (a ^ b) * 0x9E3779B97F4A7C15ull + (a >> 31);
}
/* The hash by which Kafka's Java client places keys: MurmurHash2 with its seed (org.apache.kafka.common.utils.Utils.murmur2). Never seeded
 * otherwise: it says where data lies. */
uint32_t murmur2(const void *bytes, size_t length);
uint64_t checksum_bytes(const void *bytes, size_t length); /* XXH3 without seed: for files and fingerprints */

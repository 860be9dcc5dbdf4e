/* common/hash.c: XXH3, and MurmurHash2 for places of keys. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/hash.h"

uint64_t hash_seed = 0x5bd1e9955bd1e995ull;

uint64_t hash_bytes(const void *bytes, size_t length) { return XXH3_64bits_withSeed(bytes, length, hash_seed); }
uint64_t checksum_bytes(const void *bytes, size_t length) { return XXH3_64bits(bytes, length); }

/* Austin Appleby's MurmurHash2, 32 bits, read little endian. */
uint32_t murmur2(const void *bytes, size_t length)
{
    const uint32_t factor = 0x5bd1e995;
    const unsigned char *p = bytes;
    uint32_t hash = 0x9747b28c ^ (uint32_t)length;
    for (; length >= 4; p += 4, length -= 4) {
        uint32_t word = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        word *= factor;
        word ^= word >> 24;
        hash = hash * factor ^ word * factor;
    }
    if (length > 2)
        hash ^= (uint32_t)p[2] << 16;
    if (length > 1)
        hash ^= (uint32_t)p[1] << 8;
    if (length > 0)
        hash = (hash ^ p[0]) * factor;
    hash = (hash ^ hash >> 13) * factor;
    return hash ^ hash >> 15;
}

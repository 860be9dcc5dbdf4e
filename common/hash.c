/* common/hash.c: XXH3. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/hash.h"

uint64_t hash_seed = 0x5bd1e9955bd1e995ull;

uint64_t hash_bytes(const void *bytes, size_t length) { return XXH3_64bits_withSeed(bytes, length, hash_seed); }
uint64_t checksum_bytes(const void *bytes, size_t length) { return XXH3_64bits(bytes, length); }

/* server/limits.h: how many requests an address, or a user, may make in a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many at once, and so many in each period. count 0: as many as come. */
typedef struct RateLimit {
    int64_t count, period_us;
} RateLimit;

#define RATE_COUNT_MAX 1000000
#define RATE_PERIOD_MAX_US INT64_C(86400000000)

/* "100/s", "600/1 min", "none". */
bool rate_limit_parse(const char *text, RateLimit *limit);

typedef struct Limiter Limiter;

/* Keeps `slots` keys at most, whoever they are; NULL: there is no limit. One thread at a time. */
Limiter *limiter_new(RateLimit limit, size_t slots);
void limiter_free(Limiter *limiter); /* NULL is fine */
/* May the key make one more request now? If not: *wait_us until it may. limiter NULL: always. */
bool limiter_take(Limiter *limiter, const void *key, size_t length, int64_t now_us, int64_t *wait_us);
/* May it, without making one? */
bool limiter_has(const Limiter *limiter, const void *key, size_t length, int64_t now_us);
/* The same for a peer's address. Of IPv6 the network of 64 bits counts: whoever has one address of it has all. */
bool limiter_take_address(Limiter *limiter, const char *address, int64_t now_us, int64_t *wait_us);
bool limiter_has_address(const Limiter *limiter, const char *address, int64_t now_us);

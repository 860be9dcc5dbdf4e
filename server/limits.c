/* server/limits.c: token buckets.
 *
 * A bucket holds `count` tokens and fills evenly in a period. All that is kept of it is when it will be full: a token taken moves that by period / count, and a
 * bucket is empty when it would be full only after more than a period. So a bucket is a key's hash and a time, and needs nobody who fills it.
 *
 * The table never grows. A key has its place in one set of eight; where all are taken, the bucket that is full soonest goes. If it is full already, nothing is
 * lost with it; if not, the new key takes it over as it is. So whoever comes from many addresses gains nothing by pushing his own out. */
#include "server/limits.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/hash.h"
#include "common/memory.h"
#include "common/options.h"

#define WAYS 8

typedef struct Bucket {
    uint64_t hash;                 /* of the key; 0: nobody's */
    int64_t full_ns;               /* when it is full again */
} Bucket;

struct Limiter {
    int64_t period_ns, token_ns;   /* token_ns: one token's share of the period */
    size_t sets;
    Bucket buckets[];
};

/* ---- settings ---- */

bool rate_limit_parse(const char *text, RateLimit *limit)
{
    char *end, period[32];
    if (strcasecmp(text, "none") == 0) {
        *limit = (RateLimit){ 0 };
        return true;
    }
    long long count = strtoll(text, &end, 10);
    while (*end == ' ')
        end++;
    if (end == text || count < 1 || count > RATE_COUNT_MAX || *end != '/' || strlen(end) > sizeof period - 3)
        return false;
    end += 1 + strspn(end + 1, " ");
    strcpy(period, *end >= '0' && *end <= '9' ? "" : "1 "); /* "100/s" is "100/1 s" */
    strcat(period, end);
    limit->count = count;
    return duration_parse(period, &limit->period_us) && limit->period_us > 0 && limit->period_us <= RATE_PERIOD_MAX_US;
}

/* ---- buckets ---- */

Limiter *limiter_new(RateLimit limit, size_t slots)
{
    if (limit.count == 0)
        return NULL;
    size_t sets = (slots + WAYS - 1) / WAYS;
    Limiter *limiter = mem_calloc(1, sizeof *limiter + sets * WAYS * sizeof *limiter->buckets);
    limiter->period_ns = limit.period_us * 1000;
    limiter->token_ns = limiter->period_ns / limit.count;
    limiter->sets = sets;
    return limiter;
}

void limiter_free(Limiter *limiter) { mem_free(limiter); }

/* The key's bucket, or the one that it takes over. */
static Bucket *bucket_of(Limiter *limiter, uint64_t hash)
{
    Bucket *set = &limiter->buckets[(hash >> 32) % limiter->sets * WAYS], *soonest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].hash == hash)
            return &set[i];
        if (set[i].full_ns < soonest->full_ns)
            soonest = &set[i];
    }
    soonest->hash = hash;
    return soonest;
}

bool limiter_take(Limiter *limiter, const void *key, size_t length, int64_t now_us, int64_t *wait_us)
{
    *wait_us = 0;
    if (!limiter)
        return true;
    Bucket *bucket = bucket_of(limiter, hash_bytes(key, length) | 1);
    int64_t now_ns = now_us * 1000, full_ns = bucket->full_ns > now_ns ? bucket->full_ns : now_ns;
    int64_t missing_ns = full_ns + limiter->token_ns - now_ns - limiter->period_ns;
    if (missing_ns > 0) {
        *wait_us = (missing_ns + 999) / 1000;
        return false;
    }
    bucket->full_ns = full_ns + limiter->token_ns;
    return true;
}

bool limiter_has(const Limiter *limiter, const void *key, size_t length, int64_t now_us)
{
    if (!limiter)
        return true;
    uint64_t hash = hash_bytes(key, length) | 1;
    const Bucket *set = &limiter->buckets[(hash >> 32) % limiter->sets * WAYS];
    for (int i = 0; i < WAYS; i++)
        if (set[i].hash == hash)
            return set[i].full_ns + limiter->token_ns - now_us * 1000 <= limiter->period_ns;
    return true;
}

/* What of an address tells its owner. */
static size_t owner_of(const char *address, struct in6_addr *six, const void **key)
{
    bool is_six = inet_pton(AF_INET6, address, six) == 1;
    *key = is_six ? (const void *)six : address;
    return is_six ? 8 : strlen(address);
}

bool limiter_take_address(Limiter *limiter, const char *address, int64_t now_us, int64_t *wait_us)
{
    struct in6_addr six;
    const void *key;
    size_t length = owner_of(address, &six, &key);
    return limiter_take(limiter, key, length, now_us, wait_us);
}

bool limiter_has_address(const Limiter *limiter, const char *address, int64_t now_us)
{
    struct in6_addr six;
    const void *key;
    size_t length = owner_of(address, &six, &key);
    return limiter_has(limiter, key, length, now_us);
}

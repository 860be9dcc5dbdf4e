/* bench/tumble.c: the yardstick: a hand-written loop for one query over one file layout.
 *
 * COUNT, SUM(price), MAX(price) by auction in 10-second windows over flat JSON bids whose keys stand in a known order. It trusts its input:
 * no validation, no escapes, no late rows. Usage: tumble FILE; prints the number of groups and a checksum. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Entry { int64_t key, count, sum, max; } Entry;

static Entry *table;
static size_t capacity = 1 << 12, used;

static Entry *find(int64_t key)
{
    size_t at = (uint64_t)key * 0x9E3779B97F4A7C15ull >> 20;
    for (;; at++) {
        Entry *entry = &table[at & (capacity - 1)];
        if (entry->count == 0 || entry->key == key)
            return entry;
    }
}

static void grow(void)
{
    Entry *old = table;
    size_t old_capacity = capacity;
    capacity *= 2;
    table = calloc(capacity, sizeof *table);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].count)
            *find(old[i].key) = old[i];
    free(old);
}

static int64_t number(const char **at)
{
    int64_t value = 0;
    while (**at >= '0' && **at <= '9')
        value = value * 10 + (*(*at)++ - '0');
    return value;
}

static int digits(const char *at, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++)
        value = value * 10 + (at[i] - '0');
    return value;
}

static int64_t days(int year, int month, int day)
{
    year -= month <= 2;
    int era = year / 400, yoe = year - era * 400, doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097ll + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static const char *behind(const char *at, const char *end, const char *key)
{
    const char *found = memmem(at, (size_t)(end - at), key, strlen(key));
    return found ? found + strlen(key) : end;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    int handle = open(argv[1], O_RDONLY);
    struct stat status;
    if (handle < 0 || fstat(handle, &status))
        return 1;
    const char *at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, handle, 0), *end = at + status.st_size;
    if (at == MAP_FAILED)
        return 1;
    table = calloc(capacity, sizeof *table);
    int64_t window = -1, groups = 0, checksum = 0;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end)
            line_end = end;
        const char *p = behind(at, line_end, "\"auction\":");
        int64_t auction = number(&p);
        p = behind(p, line_end, "\"price\":");
        int64_t price = number(&p);
        p = behind(p, line_end, "\"dateTime\":\"");
        int64_t second = days(digits(p, 4), digits(p + 5, 2), digits(p + 8, 2)) * 86400 + digits(p + 11, 2) * 3600 + digits(p + 14, 2) * 60 + digits(p + 17, 2);
        if (second / 10 != window) {
            for (size_t i = 0; i < capacity; i++)
                if (table[i].count) {
                    groups++;
                    checksum += table[i].count + table[i].sum + table[i].max;
                }
            memset(table, 0, capacity * sizeof *table);
            used = 0;
            window = second / 10;
        }
        Entry *entry = find(auction);
        if (entry->count == 0) {
            entry->key = auction;
            if (++used * 2 > capacity) {
                grow();
                entry = find(auction);
                entry->key = auction;
            }
        }
        entry->count++;
        entry->sum += price;
        entry->max = price > entry->max ? price : entry->max;
        at = line_end + 1;
    }
    for (size_t i = 0; i < capacity; i++)
        if (table[i].count) {
            groups++;
            checksum += table[i].count + table[i].sum + table[i].max;
        }
    printf("%lld groups, checksum %lld\n", (long long)groups, (long long)checksum);
    return 0;
}

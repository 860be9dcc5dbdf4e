/* tests/fuzz/driver.c: drives a fuzz target without libFuzzer: the corpus first, then deterministic edits of it.
 *
 *   fuzz_json [-runs=N] [-seconds=N] [-seed=N] [-keep=FILE] PATH...
 *
 * It does not measure coverage: instead edited inputs join the pool, and old ones leave it. An input that crashes or takes more than
 * HANG_SECONDS is written to the file that -keep names. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_LIMIT 4096
#define POOL_LIMIT 512
#define HANG_SECONDS 30

typedef struct Input {
    uint8_t *data;
    size_t size;
} Input;

static Input seeds[65536], pool[POOL_LIMIT];
static int seed_count, pool_count;
static FuzzRandom driver_random;
static const char *keep_path = "fuzz-crash";
static const uint8_t *current;
static size_t current_size;

/* ---- what happened ---- */

static void keep_current(void)
{
    int file = open(keep_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0)
        return;
    if (write(file, current, current_size) >= 0)
        fprintf(stderr, "the input was written to %s\n", keep_path);
    close(file);
}

static void on_signal(int number)
{
    if (number == SIGALRM)
        fprintf(stderr, "an input takes more than %d seconds\n", HANG_SECONDS);
    keep_current();
    signal(number == SIGALRM ? SIGABRT : number, SIG_DFL);
    raise(number == SIGALRM ? SIGABRT : number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* ---- edits of bytes ---- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    static const uint8_t telling[] = { 0, '\n', '"', '\\', ',', ':', '{', '}', '[', ']', ' ', '\r', '\t', '0', '9', '-', '.', 'e', 0x7F, 0x80, 0xC3, 0xA9, 0xED, 0xF4, 0xFF };
    uint32_t at = fuzz_random(&driver_random, (uint32_t)size);
    switch (fuzz_random(&driver_random, 5)) {
    case 0:
        if (size)
            data[at] ^= (uint8_t)(1u << fuzz_random(&driver_random, 8));
        break;
    case 1:
        if (size)
            data[at] = telling[fuzz_random(&driver_random, sizeof telling)];
        break;
    case 2:
        if (size < max_size) {
            memmove(data + at + 1, data + at, size - at);
            data[at] = telling[fuzz_random(&driver_random, sizeof telling)];
            size++;
        }
        break;
    case 3:
        if (size) {
            size_t length = 1 + fuzz_random(&driver_random, size - at < 16 ? (uint32_t)(size - at) : 16);
            length = length < size - at ? length : size - at;
            memmove(data + at, data + at + length, size - at - length);
            size -= length;
        }
        break;
    case 4:
        if (size) {
            uint32_t from = fuzz_random(&driver_random, (uint32_t)size);
            size_t room = size - (from > at ? from : at), length = 1 + fuzz_random(&driver_random, 32);
            memmove(data + at, data + from, length < room ? length : room);
        }
        break;
    }
    return size;
}

/* ---- inputs ---- */

static void add_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in || seed_count == (int)(sizeof seeds / sizeof *seeds)) {
        if (in)
            fclose(in);
        return;
    }
    uint8_t *data = malloc(1 << 20);
    size_t size = fread(data, 1, 1 << 20, in);
    fclose(in);
    seeds[seed_count++] = (Input){ realloc(data, size + 1), size };
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void add_path(const char *path)
{
    struct stat status;
    if (stat(path, &status)) {
        fprintf(stderr, "cannot open '%s'\n", path);
        exit(2);
    }
    if (!S_ISDIR(status.st_mode)) {
        add_file(path);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        char full[4096];
        snprintf(full, sizeof full, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            add_file(full);
        free(entries[i]);
    }
    free(entries);
}

/* The target gets a copy of exactly the input's size, so that reading past it is seen. */
static void run_input(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    current = copy;
    current_size = size;
    alarm(HANG_SECONDS);
    LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    free(copy);
}

static void run_edited(void)
{
    static uint8_t data[INPUT_LIMIT];
    Input from = { NULL, 0 };
    if (pool_count && fuzz_random(&driver_random, 2))
        from = pool[fuzz_random(&driver_random, (uint32_t)pool_count)];
    else if (seed_count)
        from = seeds[fuzz_random(&driver_random, (uint32_t)seed_count)];
    size_t size = from.size < INPUT_LIMIT ? from.size : INPUT_LIMIT;
    if (size)
        memcpy(data, from.data, size);
    for (uint32_t edits = 1 + fuzz_random(&driver_random, 3); edits; edits--)
        size = LLVMFuzzerCustomMutator(data, size, INPUT_LIMIT, fuzz_random(&driver_random, UINT32_MAX));
    run_input(data, size);
    if (fuzz_random(&driver_random, 8))
        return;
    int place = pool_count < POOL_LIMIT ? pool_count++ : (int)fuzz_random(&driver_random, POOL_LIMIT);
    free(pool[place].data);
    pool[place] = (Input){ malloc(size + 1), size };
    memcpy(pool[place].data, data, size);
}

int main(int argc, char **argv)
{
    long runs = -1, seconds = 0;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "-runs=", 6) == 0)
            runs = strtol(argv[i] + 6, NULL, 10);
        else if (strncmp(argv[i], "-seconds=", 9) == 0)
            seconds = strtol(argv[i] + 9, NULL, 10);
        else if (strncmp(argv[i], "-seed=", 6) == 0)
            driver_random.state = strtoull(argv[i] + 6, NULL, 10);
        else if (strncmp(argv[i], "-keep=", 6) == 0)
            keep_path = argv[i] + 6;
        else
            add_path(argv[i]);
    }
    static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (!__sanitizer_set_death_callback || signals[i] == SIGALRM || signals[i] == SIGABRT)
            signal(signals[i], on_signal);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_current);
    for (int i = 0; i < seed_count; i++)
        run_input(seeds[i].data, seeds[i].size);
    time_t start = time(NULL);
    long done = 0;
    for (; (runs >= 0 || seconds) && (runs < 0 || done < runs) && (!seconds || time(NULL) - start < seconds); done++)
        run_edited();
    printf("%d inputs of the corpus, %ld edited ones\n", seed_count, done);
    for (int i = 0; i < seed_count; i++)
        free(seeds[i].data);
    for (int i = 0; i < pool_count; i++)
        free(pool[i].data);
    return 0;
}

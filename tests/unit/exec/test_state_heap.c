/* Strings of a state heap that grow, shrink and are stored anew keep their bytes, whatever the others do; and bags over them are the
 * multisets that they say. */
#include "tests/unit/common/unit.h"

#include "exec/state_heap.h"
#include "functions/packed.h"

enum { STRINGS = 40, LENGTH_MAX = 3000 };

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*seed >> 33);
}

static void strings_keep_their_bytes(void **state)
{
    (void)state;
    static char model[STRINGS][LENGTH_MAX];
    Str strings[STRINGS] = { { 0 } };
    uint64_t seed = 7;
    MemoryPool pool;
    StateHeap heap;
    pool_init(&pool, NULL, "heap", 0);
    state_heap_init(&heap, &pool);
    for (int step = 0; step < 200000; step++) {
        uint32_t i = next_random(&seed) % STRINGS, before = strings[i].length, length = next_random(&seed) % (next_random(&seed) % 3 ? 40 : LENGTH_MAX);
        if (next_random(&seed) % 8 == 0) {
            memset(model[i], (int)next_random(&seed), length);
            Str value = str_view(model[i], length);
            strings[i] = state_heap_store(&heap, &value, &strings[i]);
        } else {
            char *bytes = state_heap_resize(&heap, &strings[i], length);
            for (uint32_t at = before; at < length; at++)
                bytes[at] = model[i][at] = (char)next_random(&seed);
            if (length) {
                uint32_t at = next_random(&seed) % length;
                bytes[at] = model[i][at] = (char)next_random(&seed);
            }
        }
        assert_int_equal(strings[i].length, length);
        uint32_t other = next_random(&seed) % STRINGS;
        assert_memory_equal(str_bytes(&strings[other]), model[other], strings[other].length);
        assert_memory_equal(str_bytes(&strings[i]), model[i], length);
    }
    assert_true(pool.used_bytes < 4 << 20); /* rooms are used again */
    state_heap_release(&heap);
    assert_int_equal(pool.used_bytes, 0);
}

static void bags_are_multisets(void **state)
{
    (void)state;
    enum { VALUES = 300 };
    int64_t counts[VALUES] = { 0 };
    uint64_t seed = 11;
    StateHeap heap;
    Bag bag = { 0 };
    state_heap_init(&heap, NULL);
    for (int step = 0; step < 100000; step++) {
        uint32_t value = next_random(&seed) % (step % 20000 < 10000 ? VALUES : 12);
        int by = counts[value] && next_random(&seed) % 2 ? -1 : 1;
        char bytes[16];
        int length = snprintf(bytes, sizeof bytes, "value %u", value);
        bag_add(&heap, &bag, bytes, (size_t)length, by, 0);
        counts[value] += by;
        if (step % 5000 == 0)
            state_heap_resize(&heap, &bag.index, 0); /* as after a snapshot */
        if (step % 97)
            continue;
        PackedEntry entry;
        int64_t live = 0, wanted = 0, dead = 0;
        for (PACKED_EACH(&bag.entries, &entry)) {
            char text[16] = { 0 };
            memcpy(text, entry.value, entry.length);
            unsigned long number = strtoul(text + strlen("value "), NULL, 10);
            live += entry.number != 0;
            dead += entry.number == 0;
            if (entry.number)
                assert_int_equal(entry.number, counts[number]);
        }
        for (int i = 0; i < VALUES; i++)
            wanted += counts[i] != 0;
        assert_int_equal(live, wanted);
        assert_int_equal(bag.live, live);
        assert_int_equal(bag.dead, dead);
        assert_true(dead <= (live > 16 ? live : 16) + 1);
    }
    state_heap_release(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(strings_keep_their_bytes), cmocka_unit_test(bags_are_multisets) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory: pools that count, arenas that give everything back, guards that unwind, buffers; clocks and errors beside them. */
#include "tests/unit/common/unit.h"

#include <pthread.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/clock.h"

static int runs;
static void count_run(void *what)
{
    (void)what;
    runs++;
}

static char order[16];
static void note_run(void *what) { strncat(order, what, sizeof order - strlen(order) - 1); }

static void pools_count_for_their_parents(void **state)
{
    (void)state;
    MemoryPool process, job, a, b;
    pool_init(&process, NULL, "process", 1000);
    pool_init(&job, &process, "job", 500);
    pool_init(&a, &job, "a", 0);
    pool_init(&b, &job, "b", 100);
    pool_charge(&a, 300);
    pool_charge(&b, 90);
    assert_int_equal(process.used_bytes, 390);
    assert_int_equal(job.used_bytes, 390);
    assert_null(pool_over_limit(&a));
    pool_charge(&b, 20);
    assert_ptr_equal(pool_over_limit(&b), &b); /* the nearest one */
    assert_null(pool_over_limit(&a));
    pool_charge(&a, 100);
    assert_ptr_equal(pool_over_limit(&a), &job);
    pool_charge(&a, -400);
    pool_charge(&b, -110);
    assert_int_equal(process.used_bytes, 0);
    assert_int_equal(process.peak_bytes, 510);
    assert_int_equal(b.peak_bytes, 110);
    pool_charge(NULL, 5);
    assert_null(pool_over_limit(NULL));
}

static void *charge_much(void *pool)
{
    for (int i = 0; i < 200000; i++)
        pool_charge(pool, i & 1 ? -3 : 3);
    return NULL;
}

static void pools_count_for_threads(void **state)
{
    (void)state;
    MemoryPool pool, child;
    pthread_t threads[3];
    pool_init(&pool, NULL, "pool", 0);
    pool_init(&child, &pool, "child", 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, charge_much, &child);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(pool.used_bytes, 0);
    assert_int_equal(child.used_bytes, 0);
    assert_in_range(pool.peak_bytes, 3, 9);
}

static void arenas_give_back_what_they_took(void **state)
{
    (void)state;
    MemoryPool pool;
    pool_init(&pool, NULL, "pool", 0);
    for (int round = 0; round < 200; round++) {
        Arena arena;
        struct { char *bytes; size_t size; } pieces[200];
        int count = (int)random_upto(199);
        arena_init(&arena, &pool);
        if (round & 1)
            arena_start_large(&arena);
        for (int i = 0; i < count; i++) { /* sizes across all kinds of blocks */
            pieces[i].size = random_upto(20) ? random_upto(300) : random_upto(1 << 20);
            pieces[i].bytes = arena_alloc(&arena, pieces[i].size);
            assert_int_equal((uintptr_t)pieces[i].bytes % 16, 0);
            memset(pieces[i].bytes, i, pieces[i].size);
        }
        for (int i = 0; i < count; i++)
            for (size_t at = 0; at < pieces[i].size; at++)
                if (pieces[i].bytes[at] != (char)i)
                    fail_msg("piece %d of %zu bytes was overwritten at %zu", i, pieces[i].size, at);
        if (count)
            assert_true(pool.used_bytes > 0);
        if (round % 3 == 0) {
            int64_t before = pool.used_bytes;
            arena_reset(&arena);
            assert_true(pool.used_bytes <= before && pool.used_bytes <= 256 << 10); /* one ordinary block stays */
            assert_true(count == 0 || arena_alloc(&arena, 16) != NULL);
        }
        arena_release(&arena);
        assert_int_equal(pool.used_bytes, 0);
        arena_release(&arena); /* safe to repeat */
        assert_int_equal(pool.used_bytes, 0);
    }
}

static void arenas_clean_up_newest_first(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    order[0] = 0;
    arena_defer(&arena, note_run, "a");
    arena_defer(&arena, note_run, "b");
    arena_reset(&arena);
    assert_string_equal(order, "ba");
    arena_defer(&arena, note_run, "c");
    arena_release(&arena);
    assert_string_equal(order, "bac");
    arena_release(&arena);
    assert_string_equal(order, "bac");
}

static void arenas_copy_texts(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    char text[] = "changing";
    const char *copy = arena_strdup(&arena, text), *part = arena_strndup(&arena, text, 3), *printed = arena_printf(&arena, "%s-%05d", text, 42);
    const int *zeros = arena_calloc(&arena, 100, sizeof(int));
    memset(text, 'x', sizeof text - 1);
    assert_string_equal(copy, "changing");
    assert_string_equal(part, "cha");
    assert_string_equal(printed, "changing-00042");
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    struct { int *items; int count, capacity; } list = { 0 };
    for (int i = 0; i < 1000; i++)
        LIST_ADD(&arena, &list, i * i);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list.items[i], i * i);
    assert_int_equal(list.count, 1000);
    arena_release(&arena);
}

/* ---- running out ---- */

/* Some work of everything that allocates; what must be given back hangs on the arena. */
static Error *work(Arena *arena)
{
    Text *text = ARENA_NEW(arena, Text);
    for (int i = 0; i < 20; i++) {
        arena_alloc(arena, (size_t)i * 3000);
        arena_defer(arena, count_run, NULL);
    }
    mem_free(mem_realloc(NULL, 100));
    mem_free(mem_aligned(64, 1000));
    mem_free(mem_calloc(3, 3));
    mem_free(mem_strdup("copy"));
    (void)text;
    return NULL;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    MemoryPool pool;
    pool_init(&pool, NULL, "pool", 0);
    int64_t before = memory_allocation_count(), needed;
    Error *error;
    Arena arena;
    arena_init(&arena, &pool);
    MEMORY_GUARDED(error, work(&arena));
    assert_null(error);
    arena_release(&arena);
    needed = memory_allocation_count() - before;
    assert_true(needed > 5);
    int failures = 0;
    for (int64_t n = 1; n <= needed; n++) {
        runs = 0;
        arena_init(&arena, &pool);
        memory_fail_at(n);
        MEMORY_GUARDED(error, work(&arena));
        memory_fail_at(0);
        if (error) {
            assert_int_equal(error->code, ERR_MEMORY);
            error_free(error);
            failures++;
        }
        int deferred = runs;
        arena_release(&arena);
        assert_int_equal(deferred, 0); /* the guard leaves the arena to its owner */
        assert_int_equal(pool.used_bytes, 0);
    }
    assert_true(failures >= needed - 20); /* recycled blocks may have made a few of them unnecessary */
    assert_true(failures > 0);
}

static int depth_reached;
static Error *inner_fails(void)
{
    depth_reached = 2;
    memory_raise();
}
static Error *outer_goes_on(void)
{
    Error *inner;
    depth_reached = 1;
    MEMORY_GUARDED(inner, inner_fails());
    assert_int_equal(inner->code, ERR_MEMORY);
    error_free(inner);
    depth_reached = 3;
    memory_raise(); /* now through the outer guard */
}

static void guards_nest(void **state)
{
    (void)state;
    Error *error;
    MEMORY_GUARDED(error, outer_goes_on());
    assert_int_equal(depth_reached, 3);
    assert_ptr_equal(error, error_memory());
    error_free(error); /* the static one is accepted */
    error_free(error_hint(error_context(error_memory(), "reading"), "less"));
    MEMORY_GUARDED(error, error_new(ERR_IO, "passes"));
    assert_error(error, "passes");
}

static Error *hold_and_leave(const bool *raises)
{
    MEMORY_HOLD(note_run, "a");
    {
        MEMORY_HOLD(note_run, "b"); /* over when its scope is */
    }
    MEMORY_HOLD(note_run, "c");
    if (*raises)
        memory_raise();
    return NULL;
}
static Error *hold_around(const bool *raises)
{
    Error *inner;
    MEMORY_HOLD(note_run, "outer"); /* a guard further in does not touch it */
    MEMORY_GUARDED(inner, hold_and_leave(raises));
    error_free(inner);
    return NULL;
}

static void held_locals_are_released_when_memory_runs_out(void **state)
{
    (void)state;
    Error *error;
    bool raises = false;
    order[0] = 0;
    MEMORY_GUARDED(error, hold_and_leave(&raises));
    assert_null(error);
    assert_string_equal(order, ""); /* ordinary ends are the function's own affair */
    raises = true;
    MEMORY_GUARDED(error, hold_and_leave(&raises));
    assert_ptr_equal(error, error_memory());
    assert_string_equal(order, "ca");
    MEMORY_GUARDED(error, hold_around(&raises));
    assert_null(error);
    assert_string_equal(order, "caca");
}

static void arrays_grow(void **state)
{
    (void)state;
    size_t capacity = 0;
    uint32_t *items = NULL;
    for (uint32_t i = 0; i < 10000; i++) {
        items = mem_grow(items, &capacity, i + 1, sizeof *items);
        assert_true(capacity > i);
        items[i] = i * 7;
    }
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(items[i], i * 7);
    size_t before = capacity;
    items = mem_grow(items, &capacity, 5, sizeof *items);
    assert_int_equal(capacity, before);
    mem_free(items);
}

/* ---- buffers ---- */

static void destroy_noted(Buffer *buffer)
{
    *(bool *)buffer->owner = true;
}

static void buffers_live_until_the_last_release(void **state)
{
    (void)state;
    bool gone = false;
    Buffer own = { .bytes = "abc", .length = 3, .references = 1, .destroy = destroy_noted, .owner = &gone };
    assert_ptr_equal(buffer_retain(&own), &own);
    buffer_release(&own);
    assert_false(gone);
    buffer_release(&own);
    assert_true(gone);
    buffer_release(NULL);
    Buffer *heap = buffer_new(1000);
    assert_int_equal(heap->length, 1000);
    memset((char *)heap->bytes, 'x', 1000);
    for (int i = 0; i < BUFFER_PADDING; i++)
        assert_int_equal(heap->bytes[1000 + i], 0);
    buffer_release(heap);
}

/* ---- clocks ---- */

static void manual_clocks_move_when_told(void **state)
{
    (void)state;
    TestClock clock;
    test_clock_init(&clock, 1000);
    Clock *shown = &clock.clock;
    assert_true(shown->manual);
    assert_int_equal(shown->now_us(shown), 1000);
    shown->sleep_until_us(shown, 5000);
    assert_int_equal(shown->now_us(shown), 5000);
    shown->sleep_until_us(shown, 4000); /* the past is over */
    assert_int_equal(shown->now_us(shown), 5000);
    clock.current_us = 7;
    assert_int_equal(shown->now_us(shown), 7);
}

static void the_system_clock_never_falls(void **state)
{
    (void)state;
    Clock *clock = clock_system();
    int64_t before = clock->now_us(clock), start = before;
    assert_false(clock->manual);
    assert_true(start > 1600000000000000); /* after 2020 */
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock->now_us(clock);
        assert_true(now >= before);
        before = now;
    }
    clock->sleep_until_us(clock, start); /* returns at once */
    clock->sleep_until_us(clock, clock->now_us(clock) + 2000);
    assert_true(clock->now_us(clock) >= before + 1000);
}

/* ---- errors ---- */

static void errors_say_where_and_what(void **state)
{
    (void)state;
    static const char *const names[] = { "auction", "bidder", "price", "dateTime" };
    Error *error = error_at(ERR_BIND, (Span){ 7, 3 }, "no column '%s'", "auctoin");
    error = error_suggest(error, "auctoin", names, 4);
    error = error_context(error, "in line %d", 3);
    assert_int_equal(error->code, ERR_BIND);
    assert_int_equal(error->at.start, 7);
    assert_string_equal(error->message, "in line 3: no column 'auctoin'");
    assert_non_null(strstr(error->hint, "'auction'"));
    Error *list = error_append(NULL, NULL);
    assert_null(list);
    list = error_append(error_append(error_append(NULL, error), error_new(ERR_IO, "second")), error_new(ERR_IO, "third"));
    assert_string_equal(list->next->message, "second");
    assert_string_equal(list->next->next->message, "third");
    error_free(list);
    assert_string_equal(nearest_name("datetime", names, 4), "dateTime");
    assert_string_equal(nearest_name("biddr", names, 4), "bidder");
    assert_null(nearest_name("xyzzy", names, 4));
    assert_null(nearest_name("auction", names, 0));
    Span joined = span_join((Span){ 10, 5 }, (Span){ 2, 3 });
    assert_int_equal(joined.start, 2);
    assert_int_equal(joined.length, 13);
    assert_int_equal(span_join(SPAN_NONE, (Span){ 4, 2 }).start, 4);
    assert_int_equal(span_join((Span){ 4, 2 }, SPAN_NONE).length, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_count_for_their_parents),
        cmocka_unit_test(pools_count_for_threads),
        cmocka_unit_test(arenas_give_back_what_they_took),
        cmocka_unit_test(arenas_clean_up_newest_first),
        cmocka_unit_test(arenas_copy_texts),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(guards_nest),
        cmocka_unit_test(held_locals_are_released_when_memory_runs_out),
        cmocka_unit_test(arrays_grow),
        cmocka_unit_test(buffers_live_until_the_last_release),
        cmocka_unit_test(manual_clocks_move_when_told),
        cmocka_unit_test(the_system_clock_never_falls),
        cmocka_unit_test(errors_say_where_and_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

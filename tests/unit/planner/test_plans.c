/* tests/unit/planner/test_plans.c: tests/plans/NAME.sql against the golden NAME.plan. UPDATE=1 rewrites them. */
#include "planner_script.h"
#include <stdio.h>
#include <stdlib.h>

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    Text text = { 0 };
    char piece[4096];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        text_add(&text, piece, got);
    fclose(file);
    char *copy = mem_strdup(text_c(&text));
    text_release(&text);
    return copy;
}

static void plan_is_golden(void **state)
{
    const char *path = *state;
    char *sql = read_file(path);
    assert_non_null(sql);
    Text out = { 0 };
    script_run(sql, &out);
    char golden_path[512];
    snprintf(golden_path, sizeof golden_path, "%.*s.plan", (int)(strlen(path) - 4), path);
    if (getenv("UPDATE")) {
        FILE *file = fopen(golden_path, "wb");
        assert_non_null(file);
        fputs(text_c(&out), file);
        fclose(file);
    } else {
        char *golden = read_file(golden_path);
        assert_non_null(golden);
        assert_string_equal(text_c(&out), golden);
        mem_free(golden);
    }
    text_release(&out);
    mem_free(sql);
}

int main(void)
{
    Arena arena;
    arena_init(&arena, NULL);
    const char *const *paths = NULL;
    int count = 0;
    Error *error = filesystem_system()->glob(filesystem_system(), &arena, "tests/plans/*.sql", &paths, &count);
    if (error) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    struct CMUnitTest *tests = ARENA_ARRAY(&arena, struct CMUnitTest, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){ paths[i], plan_is_golden, NULL, NULL, (void *)paths[i] };
    int failed = _cmocka_run_group_tests("plans", tests, (size_t)count, NULL, NULL);
    arena_release(&arena);
    return failed;
}

/* tests/unit/planner/test_planning_cost.c: planning takes memory in proportion to the script: four times the queries, about four times the bytes
 * and nodes. Lists that are made once for each of their own members show here, whatever the machine. */
#include "planner_script.h"

#define FEW 20

static const char head[] =
    "CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, url STRING, ts TIMESTAMP(3), extra STRUCT<a INT, b ARRAY<STRING>>,\n"
    "  cents AS CAST(price * 100 AS BIGINT), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (connector = 'datagen', number_of_rows = 10);\n";

static void write_script(int queries, Text *sql)
{
    text_add_c(sql, head);
    for (int i = 0; i < queries; i++)
        text_printf(sql,
                    "CREATE VIEW v%d AS SELECT auction, bidder, price, channel, ts, cents FROM bids WHERE price > %d AND channel LIKE 'c%%' AND auction IN (1, 2, 3, %d);\n"
                    "CREATE TABLE t%d WITH (connector = 'blackhole') AS SELECT window_start, window_end, auction, COUNT(*) AS n, MAX(cents) AS most\n"
                    "  FROM TABLE(TUMBLE(TABLE v%d, DESCRIPTOR(ts), INTERVAL '%d' MINUTE)) GROUP BY window_start, window_end, auction HAVING COUNT(*) > %d;\n",
                    i, i, i, i, i, i + 1, i);
}

typedef struct Cost { int64_t bytes; int nodes; } Cost;

static Cost plan_script(int queries)
{
    MemoryPool pool;
    Arena arena;
    Text sql = { 0 };
    AstScript script = { 0 };
    Plan *plan = NULL;
    write_script(queries, &sql);
    pool_init(&pool, NULL, "planning", 0);
    arena_init(&arena, &pool);
    ConnectorContext connectors = { .filesystem = filesystem_system(), .clock = clock_system(), .base_directory = "tests/plans", .batch_mode = true };
    PlannerOptions options = { .connectors = &connectors };
    Planner *planner = planner_new(&options);
    assert_null(parse_script(&arena, text_c(&sql), sql.length, NULL, &script));
    planner_begin_text(planner);
    for (int i = 0; i < script.statement_count; i++) {
        PlannedStatement planned;
        assert_null(planner_statement(planner, &arena, script.statements[i], &planned));
    }
    assert_null(planner_job(planner, &arena, &plan));
    assert_non_null(plan);
    assert_int_equal(plan->output_count, queries);
    Cost cost = { pool.peak_bytes, plan->node_count };
    planner_free(planner);
    arena_release(&arena);
    text_release(&sql);
    return cost;
}

static void planning_is_linear(void **state)
{
    (void)state;
    Cost few = plan_script(FEW), many = plan_script(FEW * 4), most = plan_script(FEW * 16);
    assert_true(many.nodes <= few.nodes * 4);
    assert_true(many.bytes < few.bytes * 5);
    assert_true(most.bytes < many.bytes * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(planning_is_linear) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

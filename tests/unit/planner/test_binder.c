/* tests/unit/planner/test_binder.c: what is refused, in which words, and at which place. Each case stands on the second line,
 * behind the definitions. */
#include "planner_script.h"
#include <stdio.h>

static const char *const definition =
    "CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) "
    "WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');"
    "CREATE STREAM live (auction BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'data/bids.jsonl', follow = true);"
    "CREATE STREAM out (auction BIGINT, n BIGINT) WITH (connector = 'file', path = 'out.jsonl');"
    "CREATE TABLE users (id BIGINT PRIMARY KEY, name STRING) WITH (connector = 'sqlite', path = 'users.db', table = 'users');";

typedef struct Case { const char *sql, *expected; } Case;

static const Case cases[] = {
    { "SELECT auctoin FROM bids", "8+7: error: no column 'auctoin' in bids (did you mean 'auction'?)" },
    { "SELECT auction FROM bid", "21+3: error: no stream, table or view 'bid' (did you mean 'bids'?)" },
    { "SELECT auction, COUNT(*) FROM bids", "8+7: error: column 'auction' is neither grouped nor aggregated" },
    { "SELECT COUNT(*) FROM bids WHERE COUNT(*) > 1", "33+8: error: the aggregate COUNT may not stand here" },
    { "SELECT * FROM bids GROUP BY auction", "8+1: error: SELECT * does not go with GROUP BY or aggregates" },
    { "SELECT COUNT(*) FROM bids GROUP BY 2", "error: GROUP BY 2: there are 1 columns" },
    { "SELECT auction FROM bids WINDOW TUMBLING (SIZE 1 MINUTE)", "error: a WINDOW needs something to aggregate" },
    { "SELECT COUNT(*) FROM bids WINDOW TUMBLING (SIZE 0 SECONDS)", "error: the size of a window must be more than 0" },
    { "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(price), INTERVAL '1' MINUTE)) GROUP BY window_start", "error: 'price' is no event-time column" },
    { "SELECT COUNT(*) FROM bids EMIT AFTER WATERMARK", "error: EMIT AFTER WATERMARK needs a window" },
    { "SELECT COUNT(*) FROM live EMIT FINAL", "error: EMIT FINAL needs a window: the input does not end" },
    { "SELECT auction FROM live ORDER BY auction", "unsupported: ORDER BY on a stream that does not end is not supported yet" },
    { "SELECT auction FROM bids WHERE price > (SELECT 1, 2)", "40+13: error: the sub-query gives 2 columns, one is needed" },
    { "SELECT SUM(auction) OVER (PARTITION BY auction ORDER BY auction) FROM live", "error: SUM OVER (ORDER BY ..): a stream that does not end can only be ordered by its time, ascending" },
    { "SELECT COUNT(*) FROM bids WINDOW SLIDING (SIZE 1 MINUTE) EMIT AFTER WATERMARK", "error: the result of a sliding window comes out once" },
    { "INSERT INTO out SELECT auction FROM bids", "error: 'out' takes 2 columns, the query gives 1" },
    { "INSERT INTO out SELECT auction, channel FROM bids", "error: column 'n' is BIGINT, the value is VARCHAR" },
    { "INSERT INTO out (auction, m) SELECT auction, 1 FROM bids", "error: no column 'm' in out" },
    { "INSERT INTO out SELECT auction, COUNT(*) FROM live GROUP BY auction", "error: the query updates earlier results, and 'out' takes none" },
    { "INSERT INTO bids2 SELECT 1", "13+5: error: no stream, table or view 'bids2' (did you mean 'bids'?)" },
    { "CREATE STREAM x (a BIGINT) WITH (connector = 'fiel', path = 'x')", "error: no connector 'fiel' (did you mean 'file'?)" },
    { "CREATE STREAM x (a BIGINT) WITH (path = 'x.jsonl', pth = 'y')", "'pth'" },
    { "CREATE STREAM x (a BIGINT, WATERMARK FOR b AS b) WITH (path = 'x.jsonl')", "error: no column 'b' in x" },
    { "CREATE STREAM bids (a BIGINT) WITH (path = 'x.jsonl')", "error: stream 'bids' exists already" },
    { "CREATE VIEW v AS SELECT auction FROM bids; DROP STREAM bids", "error: stream 'bids' is read by view 'v'" },
    { "DROP TABLE bids", "error: 'bids' is a stream" },
    { "SET 'dialect' = 'flnk'", "'flnk' is no value of 'dialect' (did you mean 'flink'?)" },
    { "SET 'planner.rewrite.top' = 'off'", "error: no rewrite 'top'" },
    { "SELECT u.name FROM bids b JOIN users u ON b.bidder > u.id", "error: the join with 'users' has no equality with one of its columns" },
    { "SELECT b.auction, u.name FROM bids b LEFT JOIN users u ON b.channel = u.id", "error: 'id' is BIGINT and is compared with VARCHAR" },
    { "CREATE STREAM s (a BIGINT); INSERT INTO s SELECT a FROM s", "error: 's' would read itself" },
    { "SELECT auction AS a, bidder AS a FROM bids", "error: two columns are called 'a'" },
    { "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) FROM bids", "error: TUMBLE_START needs a window in GROUP BY" },
};

static void refused(void **state)
{
    const Case *each = *state;
    Text sql = { 0 }, out = { 0 };
    text_printf(&sql, "%s\n%s;", definition, each->sql);
    script_run(text_c(&sql), &out);
    if (!strstr(text_c(&out), each->expected)) {
        print_message("%s\n  expected: %s\n  got:      %s\n", each->sql, each->expected, text_c(&out));
        text_release(&sql);
        text_release(&out);
        fail();
    }
    text_release(&sql);
    text_release(&out);
}

int main(void)
{
    enum { COUNT = sizeof cases / sizeof *cases };
    static struct CMUnitTest tests[COUNT];
    for (int i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){ cases[i].sql, refused, NULL, NULL, (void *)&cases[i] };
    return _cmocka_run_group_tests("binder", tests, COUNT, NULL, NULL);
}

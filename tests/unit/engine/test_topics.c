/* tests/unit/engine/test_topics.c: statements about topics, where topics are logs in the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "engine/bidsql.h"

typedef struct Fixture {
    TopicLogs *logs;
    Session *session;
    Text rows;
} Fixture;

static Error *take_rows(void *caller, const Batch *batch)
{
    Fixture *fixture = caller;
    Arena arena;
    arena_init(&arena, NULL);
    for (uint32_t i = 0; i < batch->selection.count; i++)
        for (int c = 0; c < batch->column_count; c++) {
            Value value = vector_get(&arena, batch->columns[c], selection_row(&batch->selection, i));
            value_print(&value, &fixture->rows);
            text_add_c(&fixture->rows, c + 1 < batch->column_count ? " " : "\n");
        }
    arena_release(&arena);
    return NULL;
}

static void run(Fixture *fixture, const char *sql, const char *error_text)
{
    SessionOutput output = { .rows = take_rows, .caller = fixture };
    fixture->rows.length = 0;
    Error *error = session_run(fixture->session, sql, strlen(sql), &output);
    if (error_text) {
        assert_non_null(error);
        assert_string_equal(error->message, error_text);
    } else if (error) {
        fail_msg("%s: %s", sql, error->message);
    }
    error_free(error);
}

static int open_session(void **state)
{
    Fixture *fixture = mem_calloc(1, sizeof *fixture);
    fixture->logs = topic_logs_new();
    SessionOptions options = { .threads = 1, .max_bad_rows = UINT64_MAX, .topics = fixture->logs };
    assert_null(session_new(&options, &fixture->session));
    run(fixture, "CREATE STREAM bids (k STRING KEY, v BIGINT) WITH (kafka_topic = 'bid_topic', value_format = 'JSON', key_format = 'KAFKA', partitions = 1)", NULL);
    run(fixture, "INSERT INTO bids (k, v) VALUES ('a', 1), ('b', 2)", NULL);
    *state = fixture;
    return 0;
}

static int close_session(void **state)
{
    Fixture *fixture = *state;
    session_free(fixture->session);
    topic_logs_free(fixture->logs);
    text_release(&fixture->rows);
    mem_free(fixture);
    return 0;
}

static void topics_are_shown(void **state)
{
    run(*state, "SHOW TOPICS", NULL);
    assert_string_equal(text_c(&((Fixture *)*state)->rows), "'bid_topic' 1 1\n");
}

static void topics_are_asserted(void **state)
{
    run(*state, "ASSERT TOPIC bid_topic; ASSERT TOPIC 'bid_topic' WITH (partitions = 1, replicas = 1) TIMEOUT 5 SECONDS; ASSERT NOT EXISTS TOPIC other", NULL);
    run(*state, "ASSERT TOPIC other", "there is no topic 'other'");
    run(*state, "ASSERT NOT EXISTS TOPIC bid_topic", "there is a topic 'bid_topic'");
    run(*state, "ASSERT TOPIC bid_topic WITH (partitions = 4)", "topic 'bid_topic' has 1 partition");
    run(*state, "ASSERT TOPIC bid_topic WITH (colour = 'red')", "a topic has 'partitions' and 'replicas', not 'colour'");
}

static void rows_of_topics_are_asserted(void **state)
{
    run(*state, "ASSERT VALUES bids (k, v) VALUES ('a', 1)", NULL);
    run(*state, "ASSERT VALUES bids (k, v) VALUES ('b', 3)", "expected ('b', 3), found ('b', 2)");
    run(*state, "ASSERT VALUES bids (k, v) VALUES ('b', 2), ('c', 3)", "expected ('c', 3), found no more changes: 'bids' has 2 in all");
}

static void metadata_are_columns(void **state)
{
    run(*state,
        "CREATE STREAM with_metadata (k STRING KEY, v BIGINT, o BIGINT METADATA FROM 'offset' VIRTUAL, partition INT METADATA, at TIMESTAMP(3) METADATA FROM 'timestamp', name STRING METADATA FROM 'topic', twice AS v * 2,\n"
        "  next AS o + 1) WITH (kafka_topic = 'bid_topic', value_format = 'JSON', key_format = 'KAFKA', partitions = 1)", NULL);
    run(*state, "ASSERT VALUES with_metadata (k, v, o, partition, name, twice, next) VALUES ('a', 1, 0, 0, 'bid_topic', 2, 1), ('b', 2, 1, 0, 'bid_topic', 4, 2)", NULL);
    run(*state, "INSERT INTO with_metadata (k, v) VALUES ('c', 3); ASSERT VALUES with_metadata (k, o) VALUES ('c', 2)", NULL);
    run(*state, "INSERT INTO with_metadata (k, o) VALUES ('c', 3)", "no column 'o' in with_metadata");
    run(*state, "CREATE STREAM wrong (v BIGINT METADATA FROM 'ofset') WITH (kafka_topic = 'bid_topic', value_format = 'JSON', partitions = 1)",
        "messages have no metadata 'ofset': offset, partition, timestamp, topic");
}

static void missing_output_is_explained(void **state)
{
    run(*state, "EXPLAIN WHY NO OUTPUT SELECT * FROM bids WHERE v > 2", NULL);
    assert_non_null(strstr(text_c(&((Fixture *)*state)->rows), "WHERE v > 2 is true for none of the 2 rows that reach it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(topics_are_shown, open_session, close_session),
        cmocka_unit_test_setup_teardown(topics_are_asserted, open_session, close_session),
        cmocka_unit_test_setup_teardown(rows_of_topics_are_asserted, open_session, close_session),
        cmocka_unit_test_setup_teardown(metadata_are_columns, open_session, close_session),
        cmocka_unit_test_setup_teardown(missing_output_is_explained, open_session, close_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

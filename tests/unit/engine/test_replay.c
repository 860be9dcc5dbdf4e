/* tests/unit/engine/test_replay.c: dead letters are sent on as they came, by what went wrong, and never back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/bidsql.h"

typedef struct Fixture {
    Session *session;
    TopicLogs *logs;
} Fixture;

static void add_letter(TopicLog *log, const char *key, const char *kind, const char *attempt)
{
    const RecordHeader headers[] = { { "trace", "t1", 2 },           { "bq.error.kind", kind, strlen(kind) },  { "bq.error.message", "division by zero", 16 },
                                     { "bq.error.topic", "bids", 4 }, { "bq.error.attempt", attempt, strlen(attempt) } };
    const Record record = { .key = key, .key_length = strlen(key), .value = "v", .value_length = 1, .timestamp_us = 5000, .headers = headers, .header_count = 5 };
    topic_log_append(log, &record, true);
}

static int open_session(void **state)
{
    Fixture *fixture = mem_calloc(1, sizeof *fixture);
    fixture->logs = topic_logs_new();
    SessionOptions options = { .threads = 1, .max_bad_rows = UINT64_MAX, .topics = fixture->logs };
    assert_null(session_new(&options, &fixture->session));
    TopicLog *letters = topic_log(fixture->logs, "dead", true);
    add_letter(letters, "a", "decode", "1");
    add_letter(letters, "b", "expression", "1");
    add_letter(letters, "c", "expression", "3");
    *state = fixture;
    return 0;
}

static int close_session(void **state)
{
    Fixture *fixture = *state;
    session_free(fixture->session);
    topic_logs_free(fixture->logs);
    mem_free(fixture);
    return 0;
}

static ReplayResult replay(void **state, ReplayOptions options, const char *error_text)
{
    ReplayResult result;
    options.from = options.from ? options.from : "dead";
    options.to = options.to ? options.to : "retry";
    options.limit = options.limit ? options.limit : -1;
    Error *error = session_replay(((Fixture *)*state)->session, &options, &result);
    if (error_text) {
        assert_non_null(error);
        assert_string_equal(error->message, error_text);
    } else {
        assert_null(error);
    }
    error_free(error);
    return result;
}

static TopicLog *retried(void **state) { return topic_log(((Fixture *)*state)->logs, "retry", false); }

static void letters_go_on_as_they_came(void **state)
{
    const ReplayResult result = replay(state, (ReplayOptions){ 0 }, NULL);
    assert_int_equal(result.replayed, 3);
    assert_int_equal(topic_log_count(retried(state)), 3);
    const Record *record = topic_log_record(retried(state), 0);
    assert_memory_equal(record->key, "a", 1);
    assert_memory_equal(record->value, "v", 1);
    assert_int_equal(record->timestamp_us, 5000);
    assert_int_equal(record->header_count, 2);
    assert_string_equal(record->headers[0].key, "trace");
    assert_string_equal(record->headers[1].key, "bq.error.attempt");
}

static void letters_are_chosen(void **state)
{
    const ReplayFilter kind = { "kind", "expression", false }, text = { "message", "by zero", true }, nothing = { "kind", "time", false };
    assert_int_equal(replay(state, (ReplayOptions){ .filters = &kind, .filter_count = 1 }, NULL).replayed, 2);
    assert_int_equal(replay(state, (ReplayOptions){ .filters = &text, .filter_count = 1, .max_attempts = 2 }, NULL).replayed, 2);
    assert_int_equal(replay(state, (ReplayOptions){ .filters = &nothing, .filter_count = 1 }, NULL).left, 3);
    assert_int_equal(replay(state, (ReplayOptions){ .limit = 1 }, NULL).replayed, 1);
    assert_int_equal(topic_log_count(retried(state)), 5);
    assert_int_equal(replay(state, (ReplayOptions){ .dry_run = true }, NULL).replayed, 3);
    assert_int_equal(topic_log_count(retried(state)), 5);
}

static void letters_do_not_go_back(void **state)
{
    replay(state, (ReplayOptions){ .to = "bids" }, "the letters of 'dead' come from 'bids': they are not sent back to it");
    replay(state, (ReplayOptions){ .to = "dead" }, "'dead' is replayed to another topic, not to itself");
    replay(state, (ReplayOptions){ .from = "missing" }, "there is no topic 'missing'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(letters_go_on_as_they_came, open_session, close_session),
        cmocka_unit_test_setup_teardown(letters_are_chosen, open_session, close_session),
        cmocka_unit_test_setup_teardown(letters_do_not_go_back, open_session, close_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

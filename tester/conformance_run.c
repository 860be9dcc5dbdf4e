/* tester/conformance_run.c: a case: statements, messages into topics, the queries, and what they made of them.
 *
 * As ksqlDB's test driver does it: topics of one partition, messages one at a time, each query after those before it. */
#include "tester/conformance_run.h"

#include <stdlib.h>
#include <string.h>

#include "tester/conformance_post.h"
#include "tester/conformance_records.h"
#include "tester/conformance_schemas.h"

#define START_US INT64_C(1600000000000000)  /* the clock; rows bring their own times */
#define MEMORY_LIMIT (INT64_C(512) << 20)

typedef struct CaseRun {
    const ConformanceCase *test;
    const ErrorTable *errors;
    Arena arena;
    TopicLogs *logs;
    Session *session;
    TestClock clock;
    Text notices;
    CaseResult *result;
    bool close_numbers;
} CaseRun;

static void add_line(Text *text, const char *line) { text_printf(text, "%s\n", line); }

/* ---- properties ---- */

typedef struct Property {
    const char *name;
    enum { PROPERTY_SET, PROPERTY_IGNORED, PROPERTY_CLOSE_NUMBERS, PROPERTY_FAIL } use;
} Property;

/* What cases set. Others are refused, so that none is missed. */
static const Property properties[] = {
    { "ksql.persistence.default.format.key", PROPERTY_SET },
    { "ksql.persistence.default.format.value", PROPERTY_SET },
    { "ksql.persistence.wrap.single.values", PROPERTY_SET },
    { "ksql.functions.collect_list.limit", PROPERTY_SET },
    { "ksql.functions.collect_set.limit", PROPERTY_SET },
    { "ksql.functions.substring.legacy.args", PROPERTY_SET },
    { "ksql.output.topic.name.prefix", PROPERTY_SET },
    { "ksql.timestamp.throw.on.invalid", PROPERTY_FAIL },        /* a record without a time ends the query */
    { "use.exact.numeric.comparison", PROPERTY_CLOSE_NUMBERS },  /* of the test driver itself */
    { "ksql.new.query.planner.enabled", PROPERTY_IGNORED },      /* chooses among their planners */
    { "ksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__", PROPERTY_IGNORED }, /* 0: no throttle; there is none */
    { "ksql.streams.topology.optimization", PROPERTY_IGNORED },  /* how Kafka Streams shares its internal topics */
    { "ksql.streams.default.timestamp.extractor", PROPERTY_IGNORED }, /* a Java class; what it does is how bidsql treats bad times */
    { "ksql.sink.partitions", PROPERTY_IGNORED },                /* topics of this run have one partition */
    { "ksql.sink.replicas", PROPERTY_IGNORED },
    { "ksql.windowed.session.key.legacy", PROPERTY_IGNORED },    /* a layout of keys of old servers; only `false` is asked for */
};

static Error *set_property(CaseRun *run, const JsonTree *given)
{
    const char *value = given->kind == TREE_TRUE ? "true" : given->kind == TREE_FALSE ? "false" : json_text(given);
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        if (strcmp(properties[i].name, given->name) != 0)
            continue;
        run->close_numbers |= properties[i].use == PROPERTY_CLOSE_NUMBERS && value && strcmp(value, "false") == 0;
        if (properties[i].use == PROPERTY_FAIL && value && strcmp(value, "true") == 0)
            return session_set(run->session, "on_error", "fail");
        return properties[i].use == PROPERTY_SET ? session_set(run->session, given->name, value) : NULL;
    }
    return error_new(ERR_USAGE, "property '%s' is not known to the test runner", given->name);
}

static Error *set_properties(CaseRun *run)
{
    const JsonTree *given = json_member(run->test->tree, "properties");
    for (const JsonTree *property = given ? given->first : NULL; property; property = property->next)
        TRY(set_property(run, property));
    return NULL;
}

/* ---- topics ---- */

static const JsonTree *list_of(const CaseRun *run, const char *name)
{
    const JsonTree *list = json_member(run->test->tree, name);
    return list ? list->first : NULL;
}

static TopicLog *log_of(CaseRun *run, const JsonTree *record)
{
    const char *topic = json_text(json_member(record, "topic"));
    return topic ? topic_log(run->logs, topic, true) : NULL;
}

/* A topic that a statement declares with several partitions: the statement makes it. */
static bool is_made_by_statement(CaseRun *run, const JsonTree *record)
{
    const char *topic = json_text(json_member(record, "topic"));
    for (const JsonTree *statement = topic ? list_of(run, "statements") : NULL; statement; statement = statement->next) {
        const char *sql = json_text(statement);
        const char *partitions = sql && strstr(sql, arena_printf(&run->arena, "'%s'", topic)) ? strcasestr(sql, "partitions=") : NULL;
        if (partitions && atoi(partitions + strlen("partitions=")) > 1)
            return true;
    }
    return false;
}

/* Topics are there before the statements that name them. */
static void make_topics(CaseRun *run)
{
    for (const JsonTree *topic = list_of(run, "topics"); topic; topic = topic->next)
        if (json_text(json_member(topic, "name")))
            topic_log(run->logs, json_text(json_member(topic, "name")), true);
    for (const JsonTree *record = list_of(run, "inputs"); record; record = record->next)
        if (!is_made_by_statement(run, record))
            log_of(run, record);
    for (const JsonTree *record = list_of(run, "outputs"); record; record = record->next)
        log_of(run, record);
}

static Error *give_inputs(CaseRun *run)
{
    for (const JsonTree *tree = list_of(run, "inputs"); tree; tree = tree->next) {
        TopicLog *log = log_of(run, tree);
        TopicForm form;
        TestRecord record;
        if (!log)
            return error_new(ERR_PARSE, "an input without a topic");
        topic_form(run->session, run->logs, run->test->tree, topic_log_name(log), &form);
        test_record_read(tree, &record);
        Error *error = test_record_give(&record, &form, log);
        if (error)
            return error_context(error, "input for %s", topic_log_name(log));
        topic_log_read_given_only(log);
    }
    return NULL;
}

/* ---- errors ---- */

static void describe_error(CaseRun *run, const char *sql, const Error *error)
{
    text_add_c(&run->result->group, error->message);
    error_render(error, "sql", sql, strlen(sql), false, &run->result->detail);
}

/* Whether the refusal is the expected one. */
static bool is_expected(const CaseRun *run, const Error *error)
{
    const JsonTree *expected = json_member(run->test->tree, "expectedException");
    const char *message = json_text(json_member(expected, "message")), *type = json_text(json_member(expected, "type"));
    if (!expected)
        return false;
    if (!message)
        return type && strstr(type, "ParseFailed") ? error->code == ERR_PARSE : error->code == ERR_BIND || error->code == ERR_PARSE;
    return conformance_error_fits(run->errors, message, error);
}

/* Takes the error of the last statement or of the run. */
static void settle_refusal(CaseRun *run, const char *sql, const Error *error)
{
    const JsonTree *expected = json_member(run->test->tree, "expectedException");
    if (is_expected(run, error)) {
        run->result->passed = true;
        return;
    }
    if (expected) {
        const char *message = json_text(json_member(expected, "message"));
        text_add_c(&run->result->group, "refused with another message: ");
        text_printf(&run->result->detail, "expected: %s\n", message ? message : "an error");
    }
    describe_error(run, sql, error);
}

/* True if all ran. Of statements only the last may be refused. */
static bool run_statements(CaseRun *run, const SessionOutput *output)
{
    for (const JsonTree *statement = list_of(run, "statements"); statement; statement = statement->next) {
        const char *sql = json_text(statement);
        Error *error = conformance_schemas(&run->arena, run->test->tree, sql, topic_logs_registry(run->logs));
        if (!error)
            error = session_run(run->session, sql, strlen(sql), output);
        if (!error)
            continue;
        if (statement->next)
            describe_error(run, sql, error);
        else
            settle_refusal(run, sql, error);
        error_free(error);
        return false;
    }
    return true;
}

static void fail_acceptance(CaseRun *run)
{
    const char *message = json_text(json_member(json_member(run->test->tree, "expectedException"), "message"));
    text_add_c(&run->result->group, "accepted");
    text_printf(&run->result->detail, "expected: %s\n", message ? message : "an error");
}

/* ---- outputs ---- */

static void expected_records(CaseRun *run, const char *topic, TestRecords *records)
{
    for (const JsonTree *tree = list_of(run, "outputs"); tree; tree = tree->next) {
        const char *name = json_text(json_member(tree, "topic"));
        TestRecord record;
        if (!name || strcmp(name, topic) != 0)
            continue;
        test_record_read(tree, &record);
        /* What INSERT VALUES writes has the time of the clock, for which test files say 0. */
        if (!list_of(run, "inputs") && record.timestamp_ms == 0)
            record.has_time = false;
        LIST_ADD(&run->arena, records, record);
    }
}

/* Both lists, the first difference marked. */
static void print_records(CaseRun *run, const char *title, const TestRecords *records, int marked)
{
    enum { SHOWN = 12 };
    int first = marked >= SHOWN ? marked - SHOWN / 2 : 0;
    text_printf(&run->result->detail, "%s (%d):\n", title, records->count);
    for (int i = first; i < records->count && i < first + SHOWN; i++) {
        text_add_c(&run->result->detail, i == marked ? "> " : "  ");
        test_record_print(&records->items[i], &run->result->detail);
        text_add_char(&run->result->detail, '\n');
    }
}

static bool compare_topic(CaseRun *run, TopicLog *log)
{
    TopicForm form;
    TestRecords expected = { 0 }, actual = { 0 };
    topic_form(run->session, run->logs, run->test->tree, topic_log_name(log), &form);
    expected_records(run, topic_log_name(log), &expected);
    Error *error = test_records_of_log(&run->arena, log, &form, &actual);
    if (error) {
        text_printf(&run->result->group, "not readable: %s", error->message);
        error_free(error);
        return false;
    }
    const char *difference = NULL;
    int at = 0;
    for (; at < expected.count && at < actual.count && !difference; at += !difference)
        difference = test_record_difference(&expected.items[at], &actual.items[at], &form, run->close_numbers);
    if (!difference && expected.count != actual.count)
        difference = expected.count > actual.count ? "too few" : "too many";
    if (!difference)
        return true;
    text_printf(&run->result->group, "records: %s", difference);
    text_printf(&run->result->detail, "%s: record %d: %s\n", topic_log_name(log), at + 1, difference);
    print_records(run, "expected", &expected, at);
    print_records(run, "actual", &actual, at);
    return false;
}

static bool compare_outputs(CaseRun *run)
{
    for (const JsonTree *tree = list_of(run, "outputs"); tree; tree = tree->next) {
        const char *topic = json_text(json_member(tree, "topic"));
        bool seen = !topic;
        for (const JsonTree *before = list_of(run, "outputs"); before != tree && !seen; before = before->next)
            seen = json_text(json_member(before, "topic")) && strcmp(json_text(json_member(before, "topic")), topic) == 0;
        if (!seen && !compare_topic(run, topic_log(run->logs, topic, true)))
            return false;
    }
    return true;
}

static bool check_post(CaseRun *run)
{
    const char *wrong = conformance_post(&run->arena, run->session, run->logs, json_member(run->test->tree, "post"));
    if (wrong) {
        text_add_c(&run->result->group, "post-condition");
        add_line(&run->result->detail, wrong);
    }
    return !wrong;
}

/* ---- a case ---- */

static void on_notice(void *caller, const char *text) { add_line(&((CaseRun *)caller)->notices, text); }

static Error *run_case(CaseRun *run)
{
    SessionOutput output = { .notice = on_notice, .caller = run };
    SessionOptions options = { .clock = &run->clock.clock, .threads = 1, .batch_rows = 1, .max_bad_rows = UINT64_MAX, .memory_limit_bytes = MEMORY_LIMIT,
                               .dialect = "ksql", .keep_quiet = true, .topics = run->logs, .hold_jobs = true };
    bool refusal = json_member(run->test->tree, "expectedException") != NULL;
    TRY(session_new(&options, &run->session));
    TRY(set_properties(run));
    make_topics(run);
    if (!run_statements(run, &output))
        return NULL;
    TRY(give_inputs(run));
    Error *error = session_run_held(run->session, &output);
    if (error) {
        settle_refusal(run, "", error);
        error_free(error);
    } else if (refusal) {
        fail_acceptance(run);
    } else {
        run->result->passed = compare_outputs(run) && check_post(run);
    }
    return NULL;
}

void conformance_run(const ConformanceCase *test, const ErrorTable *errors, CaseResult *result)
{
    CaseRun run = { .test = test, .errors = errors, .result = result };
    arena_init(&run.arena, NULL);
    test_clock_init(&run.clock, START_US);
    run.logs = topic_logs_new();
    Error *error;
    MEMORY_GUARDED(error, run_case(&run));
    if (error) {
        result->passed = false;
        describe_error(&run, "", error);
        error_free(error);
    }
    if (!result->passed && run.notices.length)
        text_printf(&result->detail, "notices:\n%s", text_c(&run.notices));
    session_free(run.session);
    topic_logs_free(run.logs);
    text_release(&run.notices);
    arena_release(&run.arena);
}

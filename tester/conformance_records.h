/* tester/conformance_records.h: the messages of a case: given to topics, expected of them, found in them. Private to the room. */
#pragma once
#include "engine/bidsql.h"
#include "tester/json_tree.h"

/* How the messages of a topic are made. */
typedef struct TopicForm {
    const char *key_format, *value_format;
    Schema key, value;     /* columns; none: not known */
    KeyWindow window;
    int64_t window_size_ms;
    SchemaRegistry *registry;
    const char *key_name, *value_name; /* of records and messages of schemas that hold several; NULL: the first */
    const RegisteredSchema *key_schema, *value_schema; /* that messages from outside are written by; NULL: those of the columns */
} TopicForm;

/* A message as test files write it. */
typedef struct TestRecord {
    const JsonTree *key, *value, *headers; /* NULL: null */
    bool has_time;
    int64_t timestamp_ms;
    KeyWindow window;
    int64_t window_start_ms, window_end_ms;
} TestRecord;
typedef struct TestRecords { TestRecord *items; int count, capacity; } TestRecords;

/* From the stream or table over the topic, else from the case's "topics", else KAFKA keys and JSON values. */
void topic_form(Session *session, TopicLogs *logs, const JsonTree *test, const char *topic, TopicForm *form);

void test_record_read(const JsonTree *tree, TestRecord *record);
/* Puts it into the log, as a record from outside. */
Error *test_record_give(const TestRecord *record, const TopicForm *form, TopicLog *log);
/* All messages of a log. */
Error *test_records_of_log(Arena *arena, const TopicLog *log, const TopicForm *form, TestRecords *records);

/* What differs ("key", "value", "timestamp", "window", "headers"), or NULL. An expected record without a time is content with any. */
const char *test_record_difference(const TestRecord *expected, const TestRecord *actual, const TopicForm *form, bool close_numbers);
/* On one line. */
void test_record_print(const TestRecord *record, Text *text);

/* tester/conformance_records.c: messages of ksqlDB's test files. */
#include "tester/conformance_records.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tester/conformance_bytes.h"
#include "tester/conformance_convert.h"
#include "tester/conformance_compare.h"

/* ---- topics ---- */

/* "FORMAT" or {"format": "FORMAT", ..} */
static const char *format_name(const JsonTree *tree)
{
    const char *name = json_text(json_member(tree, "format"));
    return name ? name : json_text(tree);
}

/* The schemas that are registered for the topic. */
static void topic_schemas(const char *topic, TopicForm *form)
{
    const struct { const char *part; const RegisteredSchema **schema; } parts[] = { { "key", &form->key_schema }, { "value", &form->value_schema } };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Text subject = { 0 };
        MEMORY_HOLD(text_unwind, &subject);
        text_printf(&subject, "%s-%s", topic, parts[i].part);
        if (form->registry)
            error_free(form->registry->latest(form->registry, text_c(&subject), parts[i].schema));
        text_release(&subject);
    }
}

void topic_form(Session *session, TopicLogs *logs, const JsonTree *test, const char *topic, TopicForm *form)
{
    TopicInfo info;
    *form = (TopicForm){ .key_format = "kafka", .value_format = "json", .registry = topic_logs_registry(logs) };
    bool known = session_topic(session, topic, &info);
    if (known)
        *form = (TopicForm){ .key_format = info.key_format, .value_format = info.value_format, .key = info.key, .value = info.value, .key_name = info.key_schema_name, .value_name = info.value_schema_name,
                             .window = info.window, .window_size_ms = info.window_size_us / 1000, .registry = topic_logs_registry(logs) };
    topic_schemas(topic, form);
    const JsonTree *topics = json_member(test, "topics");
    for (const JsonTree *entry = topics ? topics->first : NULL; entry; entry = entry->next) {
        const char *name = json_text(json_member(entry, "name"));
        if (!name || strcmp(name, topic) != 0)
            continue;
        if (known)
            continue;
        const char *key = format_name(json_member(entry, "keyFormat")), *value = format_name(json_member(entry, "valueFormat"));
        form->key_format = key ? key : form->key_format;
        form->value_format = value ? value : form->value_format;
    }
}

/* ---- records ---- */

static bool read_integer(const JsonTree *tree, int64_t *number)
{
    const char *text = json_text(tree);
    if (text)
        *number = strtoll(text, NULL, 10);
    return text != NULL;
}

void test_record_read(const JsonTree *tree, TestRecord *record)
{
    const JsonTree *window = json_member(tree, "window");
    const char *kind = json_text(json_member(window, "type"));
    *record = (TestRecord){ .key = json_member(tree, "key"), .value = json_member(tree, "value"), .headers = json_member(tree, "headers") };
    record->has_time = read_integer(json_member(tree, "timestamp"), &record->timestamp_ms);
    if (window && window->kind == TREE_OBJECT)
        record->window = kind && strcasecmp(kind, "session") == 0 ? KEY_WINDOW_SESSION : KEY_WINDOW_TIME;
    read_integer(json_member(window, "start"), &record->window_start_ms);
    read_integer(json_member(window, "end"), &record->window_end_ms);
}

static Error *give_headers(const JsonTree *headers, Arena *arena, Record *record)
{
    RecordHeader *items = ARENA_ARRAY(arena, RecordHeader, (size_t)(headers ? headers->count : 0) + 1);
    record->headers = items;
    for (const JsonTree *header = headers ? headers->first : NULL; header; header = header->next) {
        const char *key = json_text(json_member(header, "KEY")), *value = json_text(json_member(header, "VALUE"));
        Text bytes = { 0 };
        MEMORY_HOLD(text_unwind, &bytes);
        bool fine = key && (!value || conformance_decode_base64(value, &bytes));
        RecordHeader *item = &items[record->header_count++];
        item->key = key;
        item->value = value ? arena_copy(arena, text_c(&bytes), bytes.length + 1) : NULL;
        item->value_length = bytes.length;
        text_release(&bytes);
        if (!fine)
            return error_new(ERR_PARSE, "a header needs a KEY, and its VALUE is base64");
    }
    return NULL;
}

static Error *encode(const JsonTree *given, const TopicForm *form, bool key, Text *bytes, bool *none)
{
    const char *format = key ? form->key_format : form->value_format;
    const Schema *columns = key ? &form->key : &form->value;
    *none = json_is_null(given);
    if (*none || !conformance_converts(format) || columns->column_count == 0)
        return conformance_encode(given, format, columns, bytes, none);
    ConvertedForm converted = { format, columns, key, key ? form->key_name : form->value_name, form->registry, key ? form->key_schema : form->value_schema };
    Text json = { 0 };
    MEMORY_HOLD(text_unwind, &json);
    json_tree_print(given, &json);
    Error *error = conformance_from_json(&converted, text_c(&json), json.length, bytes);
    text_release(&json);
    return error;
}

static Error *decode(Arena *arena, const char *bytes, size_t length, const TopicForm *form, bool key, JsonTree **tree)
{
    const char *format = key ? form->key_format : form->value_format;
    const Schema *columns = key ? &form->key : &form->value;
    if (!bytes || !conformance_converts(format) || columns->column_count == 0)
        return conformance_decode(arena, bytes, length, format, columns, tree);
    ConvertedForm converted = { format, columns, key, key ? form->key_name : form->value_name, form->registry, NULL };
    Text json = { 0 };
    MEMORY_HOLD(text_unwind, &json);
    Error *error = conformance_to_json(&converted, bytes, length, &json);
    if (!error)
        error = json_tree_read(arena, text_c(&json), json.length, tree);
    text_release(&json);
    return error;
}

static Error *give(const TestRecord *record, const TopicForm *form, Arena *arena, Text *key, Text *value, TopicLog *log)
{
    Record bytes = { .timestamp_us = record->timestamp_ms * 1000 };
    bool no_key, no_value;
    TRY(encode(record->key, form, true, key, &no_key));
    TRY(encode(record->value, form, false, value, &no_value));
    TRY(give_headers(record->headers, arena, &bytes));
    if (!no_key)
        conformance_encode_window(record->window, record->window_start_ms, record->window_end_ms, key);
    bytes.key = no_key ? NULL : text_c(key);
    bytes.key_length = key->length;
    bytes.value = no_value ? NULL : text_c(value);
    bytes.value_length = value->length;
    topic_log_append(log, &bytes, true);
    return NULL;
}

Error *test_record_give(const TestRecord *record, const TopicForm *form, TopicLog *log)
{
    Arena arena;
    Text key = { 0 }, value = { 0 };
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    MEMORY_HOLD(text_unwind, &key);
    MEMORY_HOLD(text_unwind, &value);
    Error *error = give(record, form, &arena, &key, &value, log);
    text_release(&key);
    text_release(&value);
    arena_release(&arena);
    return error;
}

/* ---- what came ---- */

static Error *headers_tree(Arena *arena, const Record *record, const JsonTree **tree)
{
    Text text = { 0 }, value = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    MEMORY_HOLD(text_unwind, &value);
    for (int i = 0; i < record->header_count; i++) {
        value.length = 0;
        conformance_add_base64(&value, record->headers[i].value, record->headers[i].value_length);
        text_printf(&text, "%s{\"KEY\":\"%s\",\"VALUE\":", i ? "," : "[", record->headers[i].key);
        text_printf(&text, record->headers[i].value ? "\"%s\"}" : "null}", text_c(&value));
    }
    text_add_c(&text, record->header_count ? "]" : "[]");
    JsonTree *read = NULL;
    Error *error = json_tree_read(arena, text_c(&text), text.length, &read);
    *tree = read;
    text_release(&text);
    text_release(&value);
    return error;
}

static Error *found_record(Arena *arena, const Record *record, const TopicForm *form, TestRecord *found)
{
    *found = (TestRecord){ .has_time = true, .timestamp_ms = record->timestamp_us / 1000 };
    size_t key_length = record->key_length;
    JsonTree *key = NULL, *value = NULL;
    if (record->key && form->window != KEY_WINDOW_NONE) {
        if (!conformance_decode_window(form->window, form->window_size_ms, record->key, &key_length, &found->window_start_ms, &found->window_end_ms))
            return error_new(ERR_ASSERT, "a key without a window in a topic of windowed keys");
        found->window = form->window;
    }
    Error *error = decode(arena, record->key, key_length, form, true, &key);
    if (error)
        return error_context(error, "key");
    error = decode(arena, record->value, record->value_length, form, false, &value);
    if (error)
        return error_context(error, "value");
    found->key = key;
    found->value = value;
    return headers_tree(arena, record, &found->headers);
}

Error *test_records_of_log(Arena *arena, const TopicLog *log, const TopicForm *form, TestRecords *records)
{
    for (uint64_t i = 0; log && i < topic_log_count(log); i++) {
        TestRecord found;
        TRY(found_record(arena, topic_log_record(log, i), form, &found));
        LIST_ADD(arena, records, found);
    }
    return NULL;
}

/* ---- comparing ---- */

static bool same_headers(const JsonTree *expected, const JsonTree *actual)
{
    return json_is_null(expected) ? actual->count == 0 : conformance_same(expected, actual, false);
}

static bool same_window(const TestRecord *expected, const TestRecord *actual, const TopicForm *form)
{
    if (expected->window != actual->window)
        return false;
    bool end_known = actual->window == KEY_WINDOW_SESSION || form->window_size_ms > 0;
    return expected->window_start_ms == actual->window_start_ms && (!end_known || expected->window_end_ms == actual->window_end_ms);
}

static bool same_part(const JsonTree *expected, const JsonTree *actual, const char *format, bool close)
{
    return conformance_same(expected, actual, close || strcasecmp(format, "kafka") == 0);
}

const char *test_record_difference(const TestRecord *expected, const TestRecord *actual, const TopicForm *form, bool close_numbers)
{
    if (!same_window(expected, actual, form))
        return "window";
    if (!same_part(expected->key, actual->key, form->key_format, close_numbers))
        return "key";
    if (!same_part(expected->value, actual->value, form->value_format, close_numbers))
        return "value";
    if (expected->has_time && expected->timestamp_ms != actual->timestamp_ms)
        return "timestamp";
    return same_headers(expected->headers, actual->headers) ? NULL : "headers";
}

static void print_tree(const JsonTree *tree, Text *text)
{
    if (tree)
        json_tree_print(tree, text);
    else
        text_add_c(text, "null");
}

void test_record_print(const TestRecord *record, Text *text)
{
    print_tree(record->key, text);
    if (record->window != KEY_WINDOW_NONE)
        text_printf(text, " [%lld, %lld%c", (long long)record->window_start_ms, (long long)record->window_end_ms, record->window == KEY_WINDOW_TIME ? ')' : ']');
    text_add_c(text, " -> ");
    print_tree(record->value, text);
    if (record->has_time)
        text_printf(text, " @%lld", (long long)record->timestamp_ms);
    if (record->headers && record->headers->count) {
        text_add_c(text, " headers ");
        json_tree_print(record->headers, text);
    }
}

/* tester/conformance_post.c: post-conditions of ksqlDB's tests. */
#include "tester/conformance_post.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- schemas ---- */

static void print_type(const Type *type, Text *text)
{
    switch (type->kind) {
    case TYPE_ARRAY:
        text_add_c(text, "ARRAY<");
        print_type(type->children[0], text);
        text_add_char(text, '>');
        return;
    case TYPE_MAP:
        text_add_c(text, "MAP<");
        print_type(type->children[0], text);
        text_add_c(text, ", ");
        print_type(type->children[1], text);
        text_add_char(text, '>');
        return;
    case TYPE_STRUCT:
        for (int i = 0; i < type->child_count; i++) {
            text_printf(text, "%s`%s` ", i ? ", " : "STRUCT<", type->names[i]);
            print_type(type->children[i], text);
        }
        text_add_char(text, '>');
        return;
    case TYPE_DECIMAL: text_printf(text, "DECIMAL(%d, %d)", type->precision, type->scale); return;
    case TYPE_INT: text_add_c(text, "INTEGER"); return;
    case TYPE_VARCHAR: text_add_c(text, "STRING"); return;
    case TYPE_TIMESTAMP: text_add_c(text, "TIMESTAMP"); return;
    default: text_add_c(text, type_kind_name(type->kind)); return;
    }
}

void conformance_print_schema(const Schema *key, const Schema *value, Text *text)
{
    const Schema *const parts[] = { key, value };
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < parts[p]->column_count; i++) {
            text_printf(text, "%s`%s` ", text->length ? ", " : "", parts[p]->columns[i].name);
            print_type(parts[p]->columns[i].type, text);
            text_add_c(text, p == 0 ? " KEY" : "");
        }
}

static const char *plain_word(const char *word)
{
    static const char *const names[][2] = { { "INT", "INTEGER" }, { "VARCHAR", "STRING" } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(word, names[i][0]) == 0)
            return names[i][1];
    return word;
}

static const char *add_quoted(const char *at, Text *text)
{
    char quote = *at++;
    while (*at && *at != quote)
        text_add_char(text, *at++);
    return *at ? at + 1 : at;
}

static const char *add_plain(const char *at, Text *text)
{
    char word[256];
    size_t length = 0;
    for (; isalnum((unsigned char)*at) || *at == '_'; at++)
        if (length + 1 < sizeof word)
            word[length++] = (char)toupper((unsigned char)*at);
    word[length] = 0;
    text_add_c(text, plain_word(word));
    return at;
}

/* Words are set apart by one blank, unless a sign stands between them. A name may be a word of a type: that changes both sides alike. */
void conformance_normal_schema(const char *schema, Text *text)
{
    bool word_before = false;
    for (const char *at = schema; *at;) {
        bool quoted = *at == '`' || *at == '"', word = quoted || isalnum((unsigned char)*at) || *at == '_';
        if (!word) {
            word_before &= isspace((unsigned char)*at) != 0;
            if (!isspace((unsigned char)*at))
                text_add_char(text, *at);
            at++;
            continue;
        }
        if (word_before)
            text_add_char(text, ' ');
        word_before = true;
        at = quoted ? add_quoted(at, text) : add_plain(at, text);
    }
}

static const char *check_schema(Arena *arena, const char *name, const char *expected, const TopicInfo *info)
{
    Text written = { 0 }, ours = { 0 }, theirs = { 0 };
    MEMORY_HOLD(text_unwind, &written);
    MEMORY_HOLD(text_unwind, &ours);
    MEMORY_HOLD(text_unwind, &theirs);
    conformance_print_schema(&info->key, &info->value, &written);
    conformance_normal_schema(text_c(&written), &ours);
    conformance_normal_schema(expected, &theirs);
    bool same = strcmp(text_c(&ours), text_c(&theirs)) == 0;
    const char *wrong = same ? NULL : arena_printf(arena, "schema of %s: expected %s, got %s", name, expected, text_c(&written));
    text_release(&written);
    text_release(&ours);
    text_release(&theirs);
    return wrong;
}

/* ---- formats ---- */

static const char *format_text(const JsonTree *format)
{
    const char *name = json_text(json_member(format, "format"));
    return name ? name : json_text(format);
}

static const char *check_format(Arena *arena, const char *name, const char *part, const JsonTree *expected, const char *actual)
{
    const char *wanted = format_text(expected);
    if (!wanted || strcasecmp(wanted, actual) == 0)
        return NULL;
    return arena_printf(arena, "%s format of %s: expected %s, got %s", part, name, wanted, actual);
}

/* TUMBLING and HOPPING windows make the same keys. */
static const char *check_window(Arena *arena, const char *name, const JsonTree *key_format, const TopicInfo *info)
{
    const JsonTree *nested = json_member(key_format, "windowInfo");
    const char *kind = json_text(nested ? json_member(nested, "type") : json_member(key_format, "windowType"));
    const char *size = json_text(json_member(key_format, "windowSize"));
    KeyWindow wanted = !kind ? KEY_WINDOW_NONE : strcasecmp(kind, "SESSION") == 0 ? KEY_WINDOW_SESSION : KEY_WINDOW_TIME;
    static const char *const kinds[] = { "none", "of a time", "of a session" };
    if (key_format && key_format->kind == TREE_OBJECT && wanted != info->window)
        return arena_printf(arena, "window of %s: expected %s, got %s", name, kinds[wanted], kinds[info->window]);
    if (size && wanted == KEY_WINDOW_TIME && strtoll(size, NULL, 10) * 1000 != info->window_size_us)
        return arena_printf(arena, "window size of %s: expected %s ms, got %lld", name, size, (long long)info->window_size_us / 1000);
    return NULL;
}

/* ---- streams, tables, topics ---- */

static const char *check_source(Arena *arena, Session *session, const JsonTree *expected)
{
    TopicInfo info;
    const char *name = json_text(json_member(expected, "name")), *kind = json_text(json_member(expected, "type"));
    const char *schema = json_text(json_member(expected, "schema")), *wrong = NULL;
    const JsonTree *is_source = json_member(expected, "isSource");
    if (!name || !session_source(session, name, &info))
        return arena_printf(arena, "there is no stream or table '%s'", name ? name : "");
    if (kind && (strcasecmp(kind, "table") == 0) != info.is_table)
        return arena_printf(arena, "%s: expected a %s", name, kind);
    if (is_source && (is_source->kind == TREE_TRUE) != info.read_only)
        return arena_printf(arena, "%s: expected that it %s be written to", name, info.read_only ? "can" : "cannot");
    if ((wrong = schema ? check_schema(arena, name, schema, &info) : NULL))
        return wrong;
    if ((wrong = check_format(arena, name, "key", json_member(expected, "keyFormat"), info.key_format)))
        return wrong;
    if ((wrong = check_format(arena, name, "value", json_member(expected, "valueFormat"), info.value_format)))
        return wrong;
    return check_window(arena, name, json_member(expected, "keyFormat"), &info);
}

static const char *check_topic(Arena *arena, Session *session, const JsonTree *expected)
{
    TopicInfo info;
    const char *name = json_text(json_member(expected, "name")), *wrong;
    if (!name || !session_topic(session, name, &info))
        return arena_printf(arena, "there is no topic '%s'", name ? name : "");
    if ((wrong = check_format(arena, name, "key", json_member(expected, "keyFormat"), info.key_format)))
        return wrong;
    return check_format(arena, name, "value", json_member(expected, "valueFormat"), info.value_format);
}

static const char *check_blacklist(Arena *arena, const TopicLogs *logs, const char *pattern)
{
    regex_t regex;
    int count = 0;
    const char *wrong = NULL;
    if (!pattern)
        return NULL;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
        return arena_printf(arena, "'%s' is no pattern of names", pattern);
    TopicLog *const *all = topic_logs_all(logs, &count);
    for (int i = 0; i < count && !wrong; i++)
        if (regexec(&regex, topic_log_name(all[i]), 0, NULL, 0) == 0)
            wrong = arena_printf(arena, "there is a topic '%s'", topic_log_name(all[i]));
    regfree(&regex);
    return wrong;
}

const char *conformance_post(Arena *arena, Session *session, const TopicLogs *logs, const JsonTree *post)
{
    const JsonTree *sources = json_member(post, "sources"), *topics = json_member(post, "topics"), *list = json_member(topics, "topics");
    const char *wrong = check_blacklist(arena, logs, json_text(json_member(topics, "blacklist")));
    for (const JsonTree *source = sources ? sources->first : NULL; source && !wrong; source = source->next)
        wrong = check_source(arena, session, source);
    for (const JsonTree *topic = list ? list->first : NULL; topic && !wrong; topic = topic->next)
        wrong = check_topic(arena, session, topic);
    return wrong;
}

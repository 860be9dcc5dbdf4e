/* tester/test_file.c: reads test files and the fenced blocks of documentation. */
#include "tester/test_file.h"

#include <stdlib.h>
#include <string.h>

typedef struct Reader {
    Arena *arena;
    const char *path;
    Lines lines;
    int at; /* index of the next line */
    TestFile *file;
} Reader;

static void split_lines(Arena *arena, const char *text, size_t length, Lines *lines)
{
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end ? (size_t)(end - text) - at : length - at;
        LIST_ADD(arena, lines, arena_strndup(arena, text + at, size));
        at += size + 1;
    }
}

static bool is_blank(const char *line) { return line[strspn(line, " \t\r")] == 0; }

static Error *bad(const Reader *reader, int line, const char *message, const char *what)
{
    return error_new(ERR_PARSE, "%s:%d: %s '%s'", reader->path, line, message, what);
}

static void append_line(Arena *arena, const char **text, const char *line)
{
    *text = *text ? arena_printf(arena, "%s\n%s", *text, line) : line;
}

/* Lines up to a blank one (or up to `until`), which is passed over. */
static void read_block(Reader *reader, const char *until, Lines *block)
{
    while (reader->at < reader->lines.count) {
        const char *line = reader->lines.items[reader->at++];
        if (until ? strcmp(line, until) == 0 : is_blank(line))
            return;
        LIST_ADD(reader->arena, block, line);
    }
}

static void read_sql(Reader *reader, Step *step)
{
    bool expected = false;
    while (reader->at < reader->lines.count && !is_blank(reader->lines.items[reader->at])) {
        const char *line = reader->lines.items[reader->at++];
        if (!expected && strcmp(line, "----") == 0) {
            expected = true;
            step->expected_line = reader->at + 1;
        } else if (expected) {
            LIST_ADD(reader->arena, &step->expected, line);
        } else {
            append_line(reader->arena, &step->sql, line);
        }
    }
    if (!step->sql)
        step->sql = "";
}

typedef struct Words { char *word[8]; int count; } Words;

static Words split_words(Arena *arena, const char *line)
{
    Words words = { 0 };
    char *copy = arena_strdup(arena, line), *save = NULL;
    for (char *word = strtok_r(copy, " \t\r", &save); word && words.count < 8; word = strtok_r(NULL, " \t\r", &save))
        words.word[words.count++] = word;
    return words;
}

static const char *after_words(const char *line, int count)
{
    for (int i = 0; i < count; i++) {
        line += strspn(line, " \t");
        line += strcspn(line, " \t");
    }
    return line + strspn(line, " \t");
}

/* The first word that is none of them; NULL: there is none. */
static const char *take_flags(const Words *words, int first, Step *step)
{
    bool *const flags[] = { &step->changelog, &step->includes, &step->sorted, &step->final };
    static const char *const names[] = { "changelog", "includes", "sorted", "final" };
    for (int i = first; i < words->count; i++) {
        size_t flag = 0;
        while (flag < sizeof names / sizeof *names && strcmp(words->word[i], names[flag]) != 0)
            flag++;
        if (flag == sizeof names / sizeof *names)
            return words->word[i];
        *flags[flag] = true;
    }
    return NULL;
}

static Error *read_step(Reader *reader, const char *line, int number)
{
    Words words = split_words(reader->arena, line);
    const char *verb = words.word[0];
    Step step = { .line = number, .name = words.count > 1 ? words.word[1] : "" };
    const char *extra = NULL;
    if (strcmp(verb, "statement") == 0 && words.count > 1) {
        step.kind = strcmp(words.word[1], "error") == 0 ? STEP_ERROR : STEP_STATEMENT;
        if (step.kind == STEP_STATEMENT && strcmp(words.word[1], "ok") != 0)
            return bad(reader, number, "a statement is 'ok' or an 'error', not", words.word[1]);
        if (words.count > 2)
            return bad(reader, number, step.kind == STEP_ERROR ? "what an error says stands behind '----', not here:" : "nothing stands behind 'statement ok':", after_words(line, 2));
        read_sql(reader, &step);
    } else if (strcmp(verb, "query") == 0) {
        step.kind = STEP_QUERY;
        extra = take_flags(&words, 1, &step);
        if (extra)
            return bad(reader, number, "a query is 'changelog', 'final', 'sorted' or 'includes', not", extra);
        read_sql(reader, &step);
        if (!step.expected_line)
            return bad(reader, number, "a query needs '----' and its rows", line);
    } else if (strcmp(verb, "file") == 0 || strcmp(verb, "file-is") == 0) {
        step.kind = strcmp(verb, "file") == 0 ? STEP_FILE : STEP_FILE_IS;
        bool marked = step.kind == STEP_FILE && words.count > 3 && strcmp(words.word[2], "until") == 0;
        extra = take_flags(&words, marked ? 4 : 2, &step);
        if (extra)
            return bad(reader, number, "this does not belong behind a file's name:", extra);
        step.expected_line = reader->at + 1;
        read_block(reader, marked ? words.word[3] : NULL, &step.expected);
    } else if (strcmp(verb, "use") == 0) {
        step.kind = STEP_USE;
    } else if (strcmp(verb, "expect") == 0 && words.count > 2) {
        step.kind = STEP_EXPECT;
        step.value = after_words(line, 2);
    } else if (strcmp(verb, "set") == 0 && words.count > 2) {
        step.kind = STEP_SET;
        step.value = after_words(line, 2);
    } else if (strcmp(verb, "clock") == 0) {
        step.kind = STEP_CLOCK;
        step.value = after_words(line, 1);
    } else if (strcmp(verb, "schema") == 0 && words.count > 2) {
        step.kind = STEP_SCHEMA;
        step.value = words.word[2];
        step.number = words.count > 3 ? atoi(words.word[3]) : 0;
        step.expected_line = reader->at + 1;
        read_block(reader, NULL, &step.expected);
    } else if (strcmp(verb, "topics") == 0 && (words.count == 1 || (words.count == 2 && strcmp(words.word[1], "until-quiet") == 0))) {
        reader->file->topics = true;
        reader->file->until_quiet = words.count == 2;
        return NULL;
    } else if (strcmp(verb, "skip-mode") == 0 && words.count > 2) {
        if (reader->file->skip_count < 16)
            reader->file->skip[reader->file->skip_count++] = words.word[1];
        return NULL;
    } else {
        return bad(reader, number, "what is", line);
    }
    LIST_ADD(reader->arena, &reader->file->steps, step);
    return NULL;
}

static Error *read_test(Reader *reader)
{
    while (reader->at < reader->lines.count) {
        const char *line = reader->lines.items[reader->at++];
        if (!is_blank(line) && line[0] != '#')
            TRY(read_step(reader, line, reader->at));
    }
    return NULL;
}

/* ---- documentation: ```file NAME, ```sql, ```result, ```error ---- */

static Error *read_fence(Reader *reader, const char *info, int number, Step *pending)
{
    Words words = split_words(reader->arena, info);
    const char *kind = words.count ? words.word[0] : "";
    Lines block = { 0 };
    int first = reader->at + 1;
    read_block(reader, "```", &block);
    bool result = strcmp(kind, "result") == 0, error = strcmp(kind, "error") == 0;
    if ((result || error) && pending->sql) {
        pending->kind = result ? STEP_QUERY : STEP_ERROR;
        pending->expected = block;
        pending->expected_line = first;
        const char *extra = take_flags(&words, 1, pending);
        if (extra)
            return bad(reader, number, "a result is 'changelog', 'final', 'sorted' or 'includes', not", extra);
    }
    if (pending->sql)
        LIST_ADD(reader->arena, &reader->file->steps, *pending);
    *pending = (Step){ 0 };
    if (result || error)
        return NULL;
    if (strcmp(kind, "file") == 0 && words.count > 1) {
        Step step = { .kind = STEP_FILE, .line = number, .name = words.word[1], .expected = block, .expected_line = first };
        LIST_ADD(reader->arena, &reader->file->steps, step);
    } else if (strcmp(kind, "sql") == 0 && !(words.count > 1 && strcmp(words.word[1], "skip") == 0)) {
        *pending = (Step){ .kind = STEP_STATEMENT, .line = number };
        for (int i = 0; i < block.count; i++)
            append_line(reader->arena, &pending->sql, block.items[i]);
        if (!pending->sql)
            pending->sql = "";
    }
    return NULL;
}

static Error *read_markdown(Reader *reader)
{
    Step pending = { 0 };
    while (reader->at < reader->lines.count) {
        const char *line = reader->lines.items[reader->at++];
        if (strncmp(line, "```", 3) == 0)
            TRY(read_fence(reader, line + 3, reader->at, &pending));
        else if (strcmp(line, "<!-- topics -->") == 0)
            reader->file->topics = true;
        else if (strncmp(line, "<!-- use ", 9) == 0) {
            Words words = split_words(reader->arena, line + 9);
            Step step = { .kind = STEP_USE, .line = reader->at, .name = words.word[0] };
            LIST_ADD(reader->arena, &reader->file->steps, step);
        }
    }
    if (pending.sql)
        LIST_ADD(reader->arena, &reader->file->steps, pending);
    return NULL;
}

Error *test_file_read(Arena *arena, const char *path, const char *text, size_t length, TestFile *file)
{
    size_t path_length = strlen(path);
    *file = (TestFile){ .path = path };
    Reader reader = { .arena = arena, .path = path, .file = file };
    split_lines(arena, text, length, &reader.lines);
    return path_length > 3 && strcmp(path + path_length - 3, ".md") == 0 ? read_markdown(&reader) : read_test(&reader);
}

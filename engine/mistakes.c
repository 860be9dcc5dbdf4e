/* engine/mistakes.c: which mistakes of a script follow from others. A statement that names something whose making failed, or did not even parse, is silent. */
#include "engine/mistakes.h"

#include <ctype.h>

#include "parser/parser.h"
#include "common/schema.h"

typedef struct NameList { const char **items; int count, capacity; } NameList;

/* ---- what a statement names ---- */

/* Names and texts in the statement as it is printed: ${variables} are replaced there. */
static NameList statement_words(Arena *arena, const AstStatement *statement)
{
    NameList words = { 0 };
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    ast_print_statement(statement, &text);
    for (const char *at = text_c(&text); *at;) {
        unsigned char first = (unsigned char)*at;
        const char *start = at++;
        if (first == '"' || first == '`' || first == '\'') {
            while (*at && *at != *start)
                at++;
            LIST_ADD(arena, &words, arena_strndup(arena, start + 1, (size_t)(at - start) - 1));
            at += *at != 0;
        } else if (isalpha(first) || first == '_' || first >= 0x80) {
            while (isalnum((unsigned char)*at) || *at == '_' || *at == '$' || (unsigned char)*at >= 0x80)
                at++;
            LIST_ADD(arena, &words, arena_strndup(arena, start, (size_t)(at - start)));
        }
    }
    text_release(&text);
    return words;
}

static bool names_missing(const Mistakes *mistakes, const NameList *words)
{
    for (int w = 0; w < words->count; w++)
        for (int f = 0; f < mistakes->missing.count; f++)
            if (name_equal(words->items[w], mistakes->missing.items[f]))
                return true;
    return false;
}

/* What is not there, or not as it should be, because the statement failed: what it makes, changes or drops, and the streams of late and bad rows. */
static void note_missing(Mistakes *mistakes, const AstStatement *statement, const NameList *words)
{
    const char *made = statement->create ? statement->create->name.text : NULL;
    if (statement->kind == AST_STMT_ALTER || statement->kind == AST_STMT_DROP)
        made = statement->name.text;
    if (made)
        LIST_ADD(mistakes->arena, &mistakes->missing, made);
    for (int w = 1; w < words->count; w++) {
        const char *before = words->items[w - 1];
        bool late = name_equal(before, "late_into") || (name_equal(before, "into") && w > 1 && name_equal(words->items[w - 2], "late"));
        if (late || name_equal(before, "dead_letter"))
            LIST_ADD(mistakes->arena, &mistakes->missing, words->items[w]);
    }
}

bool mistakes_note(Mistakes *mistakes, const AstStatement *statement)
{
    NameList words = statement_words(mistakes->arena, statement);
    const bool first = !names_missing(mistakes, &words);
    note_missing(mistakes, statement, &words);
    return first;
}

/* ---- beside statements that do not parse ---- */

static const char *next_word(Arena *arena, const char **at, const char *end)
{
    while (*at < end && !isalpha((unsigned char)**at) && **at != '_' && **at != '"' && **at != '`')
        ++*at;
    const char *start = *at;
    const bool quoted = start < end && (*start == '"' || *start == '`');
    if (start == end)
        return NULL;
    do
        ++*at;
    while (*at < end && (quoted ? **at != *start : isalnum((unsigned char)**at) || **at == '_' || **at == '$'));
    const char *word = arena_strndup(arena, start + quoted, (size_t)(*at - start) - quoted);
    *at += quoted && *at < end;
    return word;
}

static bool is_one_of(const char *word, const char *const words[])
{
    for (int i = 0; words[i]; i++)
        if (name_equal(word, words[i]))
            return true;
    return false;
}

/* What a text between two statements would have made is not there. False: it could have changed what the others mean. */
static bool note_unparsed(Mistakes *mistakes, const char *at, const char *end)
{
    static const char *const changing[] = { "SET", "UNSET", "RESET", "DEFINE", "UNDEFINE", "RUN", NULL };
    static const char *const objects[] = { "STREAM", "TABLE", "VIEW", "TYPE", "FUNCTION", "INTO", NULL }, *const between[] = { "IF", "NOT", "EXISTS", NULL };
    const char *word = next_word(mistakes->arena, &at, end);
    if (word && is_one_of(word, changing))
        return false;
    for (; word; word = next_word(mistakes->arena, &at, end)) {
        if (!is_one_of(word, objects))
            continue;
        do
            word = next_word(mistakes->arena, &at, end);
        while (word && is_one_of(word, between));
        if (!word)
            break;
        LIST_ADD(mistakes->arena, &mistakes->missing, word);
    }
    return true;
}

bool mistakes_note_unparsed(Mistakes *mistakes, const AstScript *script, const char *text, size_t length, const Error *errors)
{
    for (const Error *each = errors; each; each = each->next) {
        size_t from = 0, to = length;
        for (int i = 0; i < script->statement_count; i++) {
            const Span at = script->statements[i]->at;
            if (at.start + at.length <= each->at.start && at.start + at.length > from)
                from = at.start + at.length;
            if (at.start > each->at.start && at.start < to)
                to = at.start;
        }
        if (!note_unparsed(mistakes, text + from, text + to))
            return false;
    }
    return true;
}

/* ---- telling ---- */

Error *errors_in_order(Error *one, Error *other)
{
    Error *all = NULL;
    while (one || other) {
        Error **first = !other || (one && one->at.start <= other->at.start) ? &one : &other, *error = *first;
        *first = error->next;
        error->next = NULL;
        all = error_append(all, error);
    }
    return all;
}

/* parser/pattern.c: what stands in PATTERN (..) of MATCH_RECOGNIZE: a language of its own, read from one raw token.
 *
 *   alternation   sequence { | sequence }
 *   sequence      factor { factor }
 *   factor        primary [ * | + | ? | {n} | {n,} | {n,m} | {,m} [?] ]
 *   primary       name | . | ^ | $ | ( alternation ) | {- alternation -} | PERMUTE ( alternation { , alternation } ) */
#include "parser/parser_internal.h"
#include "parser/print.h"

typedef struct PatternReader {
    Parser *parser;
    Token token;
    const char *at, *end;
    int depth;
} PatternReader;

static AstPattern *read_alternation(PatternReader *reader);

static Span place(const PatternReader *reader, const char *from, const char *to)
{
    if (reader->token.flags & TOKEN_VARIABLE)
        return reader->token.at;
    return (Span){ reader->token.at.start + (uint32_t)(from - reader->token.text), (uint32_t)(to - from) };
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool in_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || (unsigned char)c >= 0x80; }

static void skip_blanks(PatternReader *reader)
{
    while (reader->at < reader->end) {
        if (strchr(" \t\r\n\f\v", *reader->at)) {
            reader->at++;
        } else if (reader->end - reader->at > 1 && reader->at[0] == '/' && reader->at[1] == '*') {
            reader->at = strstr(reader->at + 2, "*/") + 2; /* the lexer has found it */
        } else if (reader->end - reader->at > 1 && reader->at[0] == '-' && reader->at[1] == '-') {
            while (reader->at < reader->end && *reader->at != '\n')
                reader->at++;
        } else {
            return;
        }
    }
}

static char peek(PatternReader *reader)
{
    skip_blanks(reader);
    return reader->at < reader->end ? *reader->at : 0;
}

static bool take(PatternReader *reader, char c)
{
    if (peek(reader) != c)
        return false;
    reader->at++;
    return true;
}

static AstPattern *fail(PatternReader *reader, const char *from, const char *to, const char *message)
{
    Span at = from < reader->end ? place(reader, from, to) : reader->token.length ? reader->token.at : reader->parser->last;
    parser_fail(reader->parser, error_at(ERR_PARSE, at, "%s", message));
    return NULL;
}

static AstPattern *unexpected(PatternReader *reader)
{
    const char *at = reader->at;
    if (at >= reader->end)
        return fail(reader, at, at, reader->depth ? "expected a variable at the end of the pattern" : "the pattern is empty");
    parser_fail(reader->parser, error_at(ERR_PARSE, place(reader, at, at + 1), "unexpected character '%c' in a pattern", *at));
    return NULL;
}

static AstPattern *make(PatternReader *reader, AstPatternKind kind, const char *from)
{
    AstPattern *pattern = ARENA_NEW(reader->parser->arena, AstPattern);
    pattern->kind = kind;
    pattern->at = place(reader, from, reader->at);
    return pattern;
}

static void add(PatternReader *reader, AstPattern *pattern, AstPattern *item) { LIST_ADD(reader->parser->arena, pattern, item); }

/* ---- primaries ---- */

static AstPattern *quoted_name(PatternReader *reader)
{
    const char *from = reader->at, quote = *reader->at++;
    char *text = arena_alloc(reader->parser->arena, (size_t)(reader->end - from) + 1);
    size_t length = 0;
    for (;;) {
        if (reader->at == reader->end)
            return fail(reader, from, from + 1, "unterminated quoted name");
        const char c = *reader->at++;
        if (c == quote && (reader->at == reader->end || *reader->at != quote))
            break;
        reader->at += c == quote; /* two of them stand for one */
        text[length++] = c;
    }
    if (length == 0)
        return fail(reader, from, reader->at, "a name cannot be empty");
    text[length] = 0;
    AstPattern *pattern = make(reader, AST_PATTERN_VARIABLE, from);
    pattern->name = (AstName){ text, true, pattern->at };
    return pattern;
}

static AstPattern *plain_name(PatternReader *reader)
{
    const char *from = reader->at;
    while (reader->at < reader->end && in_name(*reader->at))
        reader->at++;
    if (is_digit(*from))
        return fail(reader, from, reader->at, "a name cannot begin with a digit");
    AstPattern *pattern = make(reader, AST_PATTERN_VARIABLE, from);
    pattern->name = (AstName){ arena_strndup(reader->parser->arena, from, (size_t)(reader->at - from)), false, pattern->at };
    return pattern;
}

static bool is_permute(const AstPattern *name) { return !name->name.quoted && strcasecmp(name->name.text, "PERMUTE") == 0; }

static AstPattern *read_permute(PatternReader *reader, const char *from)
{
    AstPattern *pattern = make(reader, AST_PATTERN_PERMUTE, from);
    if (!take(reader, '('))
        return fail(reader, from, reader->at, "PERMUTE needs (..) behind it");
    do {
        AstPattern *item = read_alternation(reader);
        if (!item)
            return NULL;
        add(reader, pattern, item);
    } while (take(reader, ','));
    if (!take(reader, ')'))
        return unexpected(reader);
    pattern->at = place(reader, from, reader->at);
    return pattern;
}

static AstPattern *read_exclusion(PatternReader *reader)
{
    const char *from = reader->at;
    reader->at += 2;
    AstPattern *inner = read_alternation(reader);
    if (!inner)
        return NULL;
    if (!take(reader, '-') || reader->at == reader->end || *reader->at != '}')
        return fail(reader, from, from + 2, "'{-' without its '-}'");
    reader->at++;
    AstPattern *pattern = make(reader, AST_PATTERN_EXCLUDE, from);
    add(reader, pattern, inner);
    return pattern;
}

static bool at_exclusion(PatternReader *reader) { return peek(reader) == '{' && reader->end - reader->at > 1 && reader->at[1] == '-'; }

static AstPattern *read_primary(PatternReader *reader)
{
    char c = peek(reader);
    const char *from = reader->at;
    if (c == '"' || c == '`')
        return quoted_name(reader);
    if (in_name(c)) {
        AstPattern *name = plain_name(reader);
        return name && is_permute(name) ? read_permute(reader, from) : name;
    }
    if (at_exclusion(reader))
        return read_exclusion(reader);
    if (c == '(') {
        reader->at++;
        if (peek(reader) == ')')
            return fail(reader, from, reader->at + 1, "an empty group in a pattern");
        AstPattern *inner = read_alternation(reader);
        if (!inner || take(reader, ')'))
            return inner;
        return unexpected(reader);
    }
    if (c != '.' && c != '^' && c != '$')
        return unexpected(reader);
    reader->at++;
    return make(reader, c == '.' ? AST_PATTERN_ANY : c == '^' ? AST_PATTERN_START : AST_PATTERN_END, from);
}

/* ---- quantifiers ---- */

static bool read_count(PatternReader *reader, int64_t *count)
{
    enum { COUNT_MAX = 1000000 };
    if (!is_digit(peek(reader)))
        return false;
    const char *from = reader->at;
    for (*count = 0; reader->at < reader->end && is_digit(*reader->at); reader->at++)
        if (*count <= COUNT_MAX)
            *count = *count * 10 + (*reader->at - '0');
    if (*count > COUNT_MAX)
        parser_fail(reader->parser, error_at(ERR_PARSE, place(reader, from, reader->at), "a quantifier counts to %d at most", COUNT_MAX));
    return true;
}

/* {n}, {n,}, {n,m}, {,m}; the reader stands behind the brace. */
static bool read_bounds(PatternReader *reader, const char *from, AstPattern *repeat)
{
    const bool least = read_count(reader, &repeat->least);
    bool most = false;
    if (take(reader, ',')) {
        most = read_count(reader, &repeat->most);
        if (!most)
            repeat->most = -1;
    } else {
        repeat->most = repeat->least;
    }
    if (!(least || most) || !take(reader, '}')) {
        fail(reader, from, from + 1, "expected a quantifier: {n}, {n,}, {n,m} or {,m}");
        return false;
    }
    if (repeat->most == 0 || (repeat->most > 0 && repeat->most < repeat->least)) {
        fail(reader, from, reader->at, repeat->most ? "the quantifier's maximum is below its minimum" : "the quantifier's maximum must be more than 0");
        return false;
    }
    return true;
}

static AstPattern *read_factor(PatternReader *reader)
{
    skip_blanks(reader);
    const char *from = reader->at;
    AstPattern *inner = read_primary(reader);
    char c = inner ? peek(reader) : 0;
    if (!inner || (c != '*' && c != '+' && c != '?' && (c != '{' || at_exclusion(reader))))
        return inner;
    const char *quantifier = reader->at++;
    AstPattern *repeat = make(reader, AST_PATTERN_REPEAT, from);
    repeat->least = c == '+';
    repeat->most = c == '?' ? 1 : -1;
    if (c == '{' && !read_bounds(reader, quantifier, repeat))
        return NULL;
    repeat->reluctant = take(reader, '?');
    repeat->at = place(reader, from, reader->at);
    add(reader, repeat, inner);
    c = peek(reader);
    if (c == '*' || c == '+' || c == '?')
        return fail(reader, reader->at, reader->at + 1, "a second quantifier; put the first one and its variable in parentheses");
    return repeat;
}

/* ---- the rest ---- */

static AstPattern *read_sequence(PatternReader *reader)
{
    skip_blanks(reader);
    const char *from = reader->at;
    AstPattern *first = read_factor(reader), *sequence = NULL;
    while (first && !strchr("|),-", peek(reader))) { /* also at the end */
        AstPattern *next = read_factor(reader);
        if (!next)
            return NULL;
        if (!sequence) {
            sequence = make(reader, AST_PATTERN_SEQUENCE, from);
            add(reader, sequence, first);
        }
        add(reader, sequence, next);
        sequence->at = place(reader, from, reader->at);
    }
    return sequence ? sequence : first;
}

static AstPattern *read_alternation(PatternReader *reader)
{
    if (++reader->depth > PARSER_MAX_NESTING) {
        parser_fail(reader->parser, error_at(ERR_PARSE, place(reader, reader->at - 1, reader->at), "nested deeper than %d levels", PARSER_MAX_NESTING));
        return NULL;
    }
    skip_blanks(reader);
    const char *from = reader->at;
    AstPattern *first = read_sequence(reader), *alternation = NULL;
    while (first && take(reader, '|')) {
        AstPattern *next = read_sequence(reader);
        if (!next)
            return NULL;
        if (!alternation) {
            alternation = make(reader, AST_PATTERN_ALTERNATION, from);
            add(reader, alternation, first);
        }
        add(reader, alternation, next);
        alternation->at = place(reader, from, reader->at);
    }
    reader->depth--;
    return alternation ? alternation : first;
}

AstPattern *read_pattern(Parser *parser, Token token)
{
    PatternReader reader = { .parser = parser, .token = token, .at = token.text, .end = token.text + token.length };
    if (peek(&reader) == 0)
        return fail(&reader, reader.end, reader.end, "the pattern is empty");
    AstPattern *pattern = read_alternation(&reader);
    return pattern && peek(&reader) ? unexpected(&reader) : pattern;
}

/* ---- printing ---- */

static void print_quantifier(const AstPattern *repeat, Text *text)
{
    if (repeat->least == 0 && repeat->most == 1)
        text_add_char(text, '?');
    else if (repeat->least <= 1 && repeat->most < 0)
        text_add_char(text, repeat->least ? '+' : '*');
    else if (repeat->most < 0)
        text_printf(text, "{%lld,}", (long long)repeat->least);
    else if (repeat->most == repeat->least)
        text_printf(text, "{%lld}", (long long)repeat->least);
    else
        text_printf(text, "{%lld,%lld}", (long long)repeat->least, (long long)repeat->most);
    if (repeat->reluctant)
        text_add_char(text, '?');
}

static void print_items(const AstPattern *pattern, const char *between, Text *text)
{
    for (int i = 0; i < pattern->count; i++) {
        const AstPattern *item = pattern->items[i];
        const bool group = pattern->kind != AST_PATTERN_PERMUTE && (item->kind == AST_PATTERN_ALTERNATION || item->kind == pattern->kind ||
                           (item->kind == AST_PATTERN_SEQUENCE && pattern->kind == AST_PATTERN_REPEAT));
        text_add_c(text, i ? between : "");
        text_add_c(text, group ? "(" : "");
        ast_print_pattern(item, text);
        text_add_c(text, group ? ")" : "");
    }
}

void ast_print_pattern(const AstPattern *pattern, Text *text)
{
    switch (pattern->kind) {
    case AST_PATTERN_VARIABLE: print_name(&pattern->name, text); break;
    case AST_PATTERN_ANY: text_add_char(text, '.'); break;
    case AST_PATTERN_START: text_add_char(text, '^'); break;
    case AST_PATTERN_END: text_add_char(text, '$'); break;
    case AST_PATTERN_SEQUENCE: print_items(pattern, " ", text); break;
    case AST_PATTERN_ALTERNATION: print_items(pattern, " | ", text); break;
    case AST_PATTERN_PERMUTE:
        text_add_c(text, "PERMUTE(");
        print_items(pattern, ", ", text);
        text_add_char(text, ')');
        break;
    case AST_PATTERN_REPEAT:
        print_items(pattern, "", text);
        print_quantifier(pattern, text);
        break;
    case AST_PATTERN_EXCLUDE:
        text_add_c(text, "{- ");
        ast_print_pattern(pattern->items[0], text);
        text_add_c(text, " -}");
        break;
    }
}

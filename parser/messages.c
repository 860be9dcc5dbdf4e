/* parser/messages.c: syntax errors in plain words. */
#include "common/secrets.h"
#include "parser/parser_internal.h"
#include "parser/sql.h"

void parser_fail(Parser *parser, Error *error)
{
    if (parser->error)
        error_free(error);
    else
        parser->error = error;
}

const char *parser_token_text(const Token *token, char *buffer, size_t size)
{
    size_t length = token->length;
    const char *line_end = memchr(token->text, '\n', length);
    bool cut = line_end != NULL;
    if (line_end)
        length = (size_t)(line_end - token->text);
    if (length > 40) {
        length = 40;
        cut = true;
        while (length && ((unsigned char)token->text[length] & 0xc0) == 0x80)
            length--;
    }
    snprintf(buffer, size, "%.*s%s", (int)length, token->text, cut ? ".." : "");
    return buffer;
}

static const char *symbol(int code)
{
    switch (code) {
    case TK_LP: return "'('";
    case TK_RP: return "')'";
    case TK_RB: return "']'";
    case TK_COMMA: return "','";
    case TK_EQ: return "'='";
    case TK_DOT: return "'.'";
    case TK_ARROW: return "'=>'";
    case TK_ASSIGN: return "':='";
    case TK_TYPE_GT: return "'>'";
    case TK_TYPE_LT: return "'<'";
    case TK_STRING: return "a string";
    case TK_INTEGER: return "a number";
    case TK_ID: return "a name";
    case TK_UNIT: return "a unit of time";
    case TK_HINT_END: return "'*" "/'";
    case TK_JSON_VALUE: return "VALUE";
    case TK_JSON_ON: return "ON EMPTY, ON ERROR";
    case TK_JSON_WRAPPER: return "WRAPPER";
    case TK_OVER_KEY: return "OVER";
    case TK_OVER_NAME: return NULL; /* OVER (..) is there, too */
    case TK_OVER_BASE: return "the name of a window";
    case TK_NOT_NULL: return "NOT NULL";
    case TK_WITH_PROPERTIES: return "WITH";
    case 0: return "the end of the statement";
    default: return keyword_name(code);
    }
}

/* What may nearly always follow, and helps nobody. */
static bool is_obvious(int code)
{
    switch (code) {
    case TK_PLUS: case TK_MINUS: case TK_STAR: case TK_SLASH: case TK_PERCENT: case TK_CONCAT: case TK_DOT: case TK_FIELD: case TK_LB:
    case TK_DCOLON: case TK_PRECISION: case TK_TYPE_WITH: case TK_WITHOUT: case TK_NOT_NULL: case TK_FILTER: case TK_IGNORE: case TK_RESPECT:
    case TK_WITHIN_GROUP: case TK_ESCAPE: case TK_AT:
        return true;
    default:
        return false;
    }
}

/* What goes without saying after an operand. */
static bool is_infix(int code)
{
    switch (code) {
    case TK_EQ: case TK_NE: case TK_LT: case TK_LE: case TK_GT: case TK_GE: case TK_AND: case TK_OR: case TK_IS: case TK_IN: case TK_LIKE:
    case TK_BETWEEN: case TK_SIMILAR: case TK_SYMMETRIC: case TK_ASYMMETRIC: case TK_JSON: case TK_NOT: case TK_ORDER:
        return true;
    default:
        return false;
    }
}

static const char *const statement_words[] = {
    "SELECT", "WITH", "CREATE", "INSERT", "DROP", "ALTER", "DESCRIBE", "SHOW", "LIST", "EXPLAIN", "SET", "UNSET", "RESET", "DEFINE",
    "UNDEFINE", "TERMINATE", "PAUSE", "RESUME", "PRINT", "RUN", "ASSERT", "EXECUTE", "VALUES"
};

/* Keywords that a misspelt word could have been meant for. */
static Error *suggest(Error *error, const bool accepted[], int code_count, const char *wrong)
{
    const char *names[512];
    int count = 0;
    for (int code = 1; code < code_count && count < 512; code++)
        if (accepted[code] && keyword_name(code) && strlen(keyword_name(code)) > 2)
            names[count++] = keyword_name(code);
    if (accepted[TK_WITH_PROPERTIES] && count < 512)
        names[count++] = "WITH";
    if (accepted[TK_LEFT] && count + 2 < 512) {
        names[count++] = "JOIN";
    }
    return error_suggest(error, wrong, names, count);
}

/* Words after an alias-to-be that no clause begins with: `FROM t WHRE x`. The clause that was meant, or NULL. */
static const char *clause_meant(const char *word)
{
    static const char *const clauses[] = { "WHERE", "GROUP", "ORDER", "HAVING", "WINDOW", "LIMIT", "EMIT", "QUALIFY", "PARTITION", "JOIN", "LEFT",
                                           "RIGHT", "FULL", "INNER", "CROSS", "UNION", "FROM", "WITHIN", "TIMESTAMP", "OFFSET", "INTO", "INTERSECT", "EXCEPT" };
    if (strlen(word) < 4)
        return NULL;
    const char *near = nearest_name(word, clauses, sizeof clauses / sizeof clauses[0]);
    return near && !name_equal(near, word) && strlen(near) <= strlen(word) + 1 && strlen(word) <= strlen(near) + 1 ? near : NULL;
}

static bool is_plain_word(const Token *token) { return token->code == TK_ID && !(token->flags & TOKEN_QUOTED); }

/* "a, b or c" from the tokens that could stand here. */
static void list_words(const bool accepted[], int code_count, bool in_items, char *wanted, size_t size)
{
    static const int first[] = { TK_RP, TK_RB, TK_TYPE_GT, TK_HINT_END, TK_COMMA, TK_LP, TK_ID, TK_STRING, TK_INTEGER };
    const char *words[8];
    int count = 0, others = 0;
    bool operand = accepted[TK_AND] && accepted[TK_OR]; /* then what binds expressions goes without saying */
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < (pass ? code_count : (int)(sizeof first / sizeof first[0])); i++) {
            int code = pass ? i : first[i];
            bool listed = false;
            for (size_t j = 0; pass && j < sizeof first / sizeof first[0]; j++)
                listed |= first[j] == code;
            const char *word = symbol(code);
            if (!accepted[code] || listed || !word || is_obvious(code) || (accepted[TK_TYPE_GT] && (code == TK_LP || code == TK_NULL)) || (operand && (is_infix(code) || code == TK_ID || code == TK_LP)) || (code == TK_WITH && accepted[TK_WITH_PROPERTIES]))
                continue;
            if (count < 7)
                words[count++] = word;
            else
                others++;
        }
    if (others && accepted[0]) {
        snprintf(wanted, size, "%s", in_items ? "',' or FROM" : accepted[TK_WHERE] ? "a clause such as WHERE, or the end of the statement" : "the end of the statement");
        return;
    }
    if (others && (accepted[TK_RP] || accepted[TK_END])) {
        snprintf(wanted, size, "%s", !accepted[TK_RP] ? "END" : accepted[TK_COMMA] ? "',' or ')'" : "')'");
        return;
    }
    for (int i = 0; i < count; i++) {
        size_t used = strlen(wanted);
        snprintf(wanted + used, size - used, "%s%s", i == 0 ? "" : i == count - 1 && !others ? " or " : ", ", words[i]);
    }
    if (others)
        snprintf(wanted + strlen(wanted), size - strlen(wanted), " ..");
}

static void describe(const bool accepted[], int code_count, bool at_start, bool in_items, char *wanted, size_t size)
{
    const char *known = NULL;
    wanted[0] = 0;
    if (at_start)
        known = accepted[TK_CREATE] ? "a statement" : "an expression";
    else if (accepted[TK_INTEGER] && accepted[TK_LP] && accepted[TK_ID] && accepted[TK_MINUS])
        known = accepted[TK_STAR] && accepted[TK_RP] ? "an argument or ')'" : "an expression";
    else if (accepted[TK_LATERAL])
        known = "a table or a sub-query";
    else if (accepted[TK_ARRAY] && accepted[TK_MAP] && !accepted[TK_RP])
        known = "a type";
    else if (accepted[TK_CONSTRAINT])
        known = "a column";
    else if (accepted[TK_STREAM] && accepted[TK_FUNCTION])
        known = "STREAM, TABLE, VIEW, TYPE or FUNCTION";
    else if (accepted[TK_STREAMS] && accepted[TK_TOPICS])
        known = "STREAMS, TABLES, QUERIES, TOPICS, FUNCTIONS ..";
    else if (accepted[TK_SELECT] && accepted[TK_CREATE])
        known = "a query or its name";
    else if (accepted[TK_SELECT])
        known = "a query";
    if (known)
        snprintf(wanted, size, "%s", known);
    else
        list_words(accepted, code_count, in_items, wanted, size);
}

/* Is this place in the list between SELECT and FROM? */
static bool in_items(const Token *tokens, int index)
{
    for (int depth = 0, i = index - 1; i >= 0 && depth >= 0; i--) {
        depth += (tokens[i].code == TK_RP) - (tokens[i].code == TK_LP);
        if (depth == 0 && tokens[i].code == TK_ID && (tokens[i].keyword == TK_FROM || tokens[i].keyword == TK_SELECT))
            return tokens[i].keyword == TK_SELECT;
    }
    return false;
}

/* The word before was taken for an alias, but a clause was meant: FROM t WHRE x, FROM t GROUP a. */
static Error *clause_before(Parser *parser, const Token *tokens, int index, const char *found)
{
    const Token *previous = index > 1 ? &tokens[index - 1] : NULL, *before = previous ? &tokens[index - 2] : NULL;
    if (!previous || !is_plain_word(previous))
        return NULL;
    bool alias = before->code == TK_RP || before->code == TK_RB || before->code == TK_STRING || before->code == TK_INTEGER ||
                 (before->code == TK_ID && before->keyword_class != KEYWORD_RESERVED);
    if (!alias)
        return NULL;
    if (previous->keyword == TK_GROUP || previous->keyword == TK_ORDER || previous->keyword == TK_PARTITION)
        return error_at(ERR_PARSE, parser->current ? parser->current->at : previous->at, "expected BY after '%s', found %s", keyword_name(previous->keyword), found);
    char *word = arena_strndup(parser->scratch, previous->text, previous->length);
    const char *meant = previous->keyword ? NULL : clause_meant(word);
    return meant ? error_hint(error_at(ERR_PARSE, previous->at, "expected a clause or an alias, found '%s'", word), "did you mean '%s'?", meant) : NULL;
}

/* A token as a message may show it: a string that stands behind the name of a secret is one. */
static const char *token_shown(const Token *tokens, int index, char *buffer, size_t size)
{
    bool behind_name = tokens[index].code == TK_STRING && index > 0 && (tokens[index - 1].code == TK_EQ ? index > 1 : tokens[index - 1].code == TK_STRING);
    const Token *name = behind_name ? &tokens[index - 1 - (tokens[index - 1].code == TK_EQ)] : NULL;
    size_t quote = name && name->length > 1 && strchr("'\"`", name->text[0]) ? 1 : 0;
    if (name && secret_is_name(name->text + quote, name->length - 2 * quote))
        return "'*****'";
    return parser_token_text(&tokens[index], buffer, size);
}

void parser_unexpected(Parser *parser, const bool accepted[], int code_count, bool is_lambda)
{
    char found[64], found_text[64], previous_buffer[64], wanted[256], after[96] = "";
    const Token *tokens = parser->raw.items, *current = parser->current;
    int index = current ? (int)(current - tokens) : parser->raw.count;
    const Token *previous = index > 0 ? &tokens[index - 1] : NULL;
    if (current)
        snprintf(found, sizeof found, "'%s'", token_shown(tokens, index, found_text, sizeof found_text));
    else
        snprintf(found, sizeof found, "the end of the statement");
    if (is_lambda) {
        parser_fail(parser, error_at(ERR_PARSE, current->at, "a lambda or a named argument stands in the arguments of a function alone"));
        return;
    }
    Error *refused = parser_refused(parser, tokens, parser->raw.count, index);
    if (refused) {
        parser_fail(parser, refused);
        return;
    }
    Error *clause = clause_before(parser, tokens, index, found);
    if (clause) {
        parser_fail(parser, clause);
        return;
    }
    describe(accepted, code_count, !previous, in_items(tokens, index), wanted, sizeof wanted);
    if (previous) {
        const char *previous_text = token_shown(tokens, index - 1, previous_buffer, sizeof previous_buffer);
        snprintf(after, sizeof after, previous_text[0] == '\'' ? " after %s" : " after '%s'", previous_text);
    }
    Span at = current ? current->at : previous ? previous->at : SPAN_NONE;
    if (!current && previous && !(previous->flags & TOKEN_VARIABLE))
        at = (Span){ at.start + at.length - 1, 1 };
    Error *error = error_at(ERR_PARSE, at, "expected %s%s, found %s", wanted, after, found);
    if (current && is_plain_word(current) && !current->keyword) {
        char *word = arena_strndup(parser->scratch, current->text, current->length);
        if (!previous)
            error = error_suggest(error, word, statement_words, sizeof statement_words / sizeof statement_words[0]);
        else if (previous->code == TK_EQ && accepted[TK_STRING] && !accepted[TK_LP])
            error = error_hint(error, "texts are written in quotes: '%s'", word);
        else
            error = suggest(error, accepted, code_count, word);
    }
    parser_fail(parser, error);
}

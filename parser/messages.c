/* parser/messages.c: syntax errors in plain words. */
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
    case TK_OVER_KEY: return "OVER";
    case TK_NOT_NULL: return "NOT NULL";
    case TK_WITH_PROPERTIES: return "WITH";
    case 0: return "the end of the statement";
    default: return keyword_name(code);
    }
}

/* What goes without saying after an operand. */
static bool is_infix(int code)
{
    switch (code) {
    case TK_PLUS: case TK_MINUS: case TK_STAR: case TK_SLASH: case TK_PERCENT: case TK_CONCAT: case TK_EQ: case TK_NE: case TK_LT:
    case TK_LE: case TK_GT: case TK_GE: case TK_AND: case TK_OR: case TK_IS: case TK_IN: case TK_LIKE: case TK_BETWEEN: case TK_NOT:
    case TK_DOT: case TK_FIELD: case TK_LB: case TK_DCOLON: case TK_ESCAPE: case TK_FILTER: case TK_IGNORE: case TK_RESPECT:
    case TK_WITHIN_GROUP: case TK_PRECISION: case TK_TYPE_WITH: case TK_WITHOUT: case TK_NOT_NULL:
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
        if (accepted[code] && keyword_name(code))
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

void parser_unexpected(Parser *parser, const bool accepted[], int code_count, Token found)
{
    char found_text[64], previous_text[64], wanted[256] = "", tail[96] = "";
    const Token *tokens = parser->raw.items, *current = parser->current;
    int index = current && current->text ? (int)(current - tokens) : parser->raw.count;
    if (!current || !current->text)
        index = parser->raw.count;
    const Token *previous = index > 0 && index <= parser->raw.count ? &tokens[index - 1] : NULL;
    bool at_end = !current || !current->text;
    if (previous)
        snprintf(tail, sizeof tail, " after '%s'", parser_token_text(previous, previous_text, sizeof previous_text));

    /* 1. What could stand here. */
    if (!previous) {
        snprintf(wanted, sizeof wanted, accepted[TK_SELECT] && accepted[TK_CREATE] ? "a statement" : "an expression");
    } else if (accepted[TK_INTEGER] && accepted[TK_LP] && accepted[TK_ID] && accepted[TK_MINUS]) {
        snprintf(wanted, sizeof wanted, accepted[TK_STAR] && accepted[TK_RP] ? "an argument or ')'" : "an expression");
    } else {
        const char *words[12];
        int count = 0, others = 0;
        bool operand = accepted[TK_AND] && accepted[TK_OR];
        static const int first[] = { TK_RP, TK_RB, TK_TYPE_GT, TK_HINT_END, TK_COMMA, TK_LP, TK_ID, TK_STRING, TK_INTEGER };
        bool done[512];
        memset(done, 0, sizeof done);
        for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
            done[first[i]] = true;
            if (!accepted[first[i]] || (operand && (first[i] == TK_ID || first[i] == TK_LP)))
                continue;
            if (count < 6)
                words[count++] = symbol(first[i]);
        }
        for (int code = 0; code < code_count; code++) {
            if (!accepted[code] || done[code] || (operand && is_infix(code)) || !symbol(code))
                continue;
            if (count < 6)
                words[count++] = symbol(code);
            else
                others++;
        }
        if (others && accepted[0]) {
            snprintf(wanted, sizeof wanted, "%s", accepted[TK_WHERE] ? "a clause such as WHERE, or the end of the statement" : "the end of the statement");
        } else if (others && (accepted[TK_RP] || accepted[TK_END])) {
            snprintf(wanted, sizeof wanted, "%s", !accepted[TK_RP] ? "END" : accepted[TK_COMMA] ? "',' or ')'" : "')'");
        } else if (others && accepted[TK_FROM]) {
            snprintf(wanted, sizeof wanted, "',' or FROM");
        } else {
            for (int i = 0; i < count; i++) {
                size_t used = strlen(wanted);
                snprintf(wanted + used, sizeof wanted - used, "%s%s", i == 0 ? "" : i == count - 1 && !others ? " or " : ", ", words[i]);
            }
            if (others) {
                size_t used = strlen(wanted);
                snprintf(wanted + used, sizeof wanted - used, " ..");
            }
        }
    }

    /* 2. `FROM t WHRE x = 1`: the word before was taken for an alias, and the clause is what was meant. */
    if (previous && is_plain_word(previous) && !previous->keyword && index > 1) {
        char *word = arena_strndup(parser->scratch, previous->text, previous->length);
        const char *meant = clause_meant(word);
        const Token *before = &tokens[index - 2];
        bool alias = before->code == TK_RP || before->code == TK_RB || before->code == TK_STRING || before->code == TK_INTEGER ||
                     (before->code == TK_ID && before->keyword_class != KEYWORD_RESERVED);
        if (meant && alias) {
            parser_fail(parser, error_hint(error_at(ERR_PARSE, previous->at, "expected %s, found '%s'", "a clause or an alias", word),
                                           "did you mean '%s'?", meant));
            return;
        }
    }

    /* 3. The place and what stands there. */
    if (at_end) {
        Span place = previous ? (Span){ previous->at.start + previous->at.length - 1, 1 } : SPAN_NONE;
        parser_fail(parser, error_at(ERR_PARSE, previous && previous->flags & TOKEN_VARIABLE ? previous->at : place,
                                     "expected %s%s, found the end of the statement", wanted, tail));
        return;
    }
    Error *error = error_at(ERR_PARSE, found.at, "expected %s%s, found '%s'", wanted, previous ? tail : "",
                            parser_token_text(current, found_text, sizeof found_text));
    if (is_plain_word(current)) {
        char *word = arena_strndup(parser->scratch, current->text, current->length);
        if (!previous)
            error = error_suggest(error, word, statement_words, sizeof statement_words / sizeof statement_words[0]);
        else if (!current->keyword || current->keyword_class != KEYWORD_RESERVED)
            error = suggest(error, accepted, code_count, word);
    }
    parser_fail(parser, error);
}

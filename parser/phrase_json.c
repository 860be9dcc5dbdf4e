/* parser/phrase_json.c: what SQL's functions on JSON say between and behind their arguments.
 *
 *   JSON_VALUE(json, path [RETURNING type] [NULL | ERROR | DEFAULT e ON EMPTY] [.. ON ERROR])
 *   JSON_QUERY(json, path [RETURNING type] [WITHOUT | WITH [CONDITIONAL | UNCONDITIONAL] [ARRAY] WRAPPER] [NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR ON EMPTY] [.. ON ERROR])
 *   JSON_EXISTS(json, path [TRUE | FALSE | UNKNOWN | ERROR ON ERROR])
 *   JSON_OBJECT([KEY] k VALUE v, .. [NULL | ABSENT ON NULL]), JSON_OBJECTAGG the same with one pair
 *   JSON_ARRAY(v, .. [NULL | ABSENT ON NULL]), JSON_ARRAYAGG
 *
 * Their words are good names elsewhere: only inside of these calls, and where their neighbours fit, are they marked. */
#include "parser/parser_internal.h"
#include "parser/sql.h"

static bool is(const Token *token, const char *word)
{
    return token->code == TK_ID && !(token->flags & TOKEN_QUOTED) && token->length == strlen(word) && strncasecmp(token->text, word, token->length) == 0;
}

static bool is_any(const Token *token, const char *const words[])
{
    for (int i = 0; words[i]; i++)
        if (is(token, words[i]))
            return true;
    return false;
}

bool phrase_is_json(const Token *name)
{
    static const char *const names[] = { "JSON_VALUE", "JSON_QUERY", "JSON_EXISTS", "JSON_OBJECT", "JSON_ARRAY", "JSON_OBJECTAGG", "JSON_ARRAYAGG", NULL };
    return is_any(name, names);
}

/* ON EMPTY, ON ERROR, ON NULL at `at`. */
static bool is_case(const Token *tokens, int count, int at)
{
    static const char *const cases[] = { "EMPTY", "ERROR", "NULL", NULL };
    return at + 1 < count && is(&tokens[at], "ON") && is_any(&tokens[at + 1], cases);
}

static void mark(Token *tokens, int from, int count)
{
    for (int i = from; i < from + count; i++)
        tokens[i].flags |= TOKEN_PHRASE;
}

/* How many words of WITH UNCONDITIONAL ARRAY WRAPPER stand here. */
static int wrapper_length(const Token *tokens, int count, int at)
{
    static const char *const conditions[] = { "CONDITIONAL", "UNCONDITIONAL", NULL };
    int i = at + 1;
    if (!is(&tokens[at], "WITH") && !is(&tokens[at], "WITHOUT"))
        return 0;
    i += i < count && is_any(&tokens[i], conditions);
    i += i < count && is(&tokens[i], "ARRAY");
    return i < count && is(&tokens[i], "WRAPPER") ? i + 1 - at : 0;
}

/* The clause that begins at a word behind an argument; how many words were marked. */
static int mark_clause(Token *tokens, int count, int at)
{
    static const char *const behaviors[] = { "NULL", "ERROR", "TRUE", "FALSE", "UNKNOWN", "ABSENT", NULL }, *const empties[] = { "ARRAY", "OBJECT", NULL };
    int words = wrapper_length(tokens, count, at);
    const bool is_default = is(&tokens[at - 1], "DEFAULT") && (tokens[at - 1].flags & TOKEN_PHRASE); /* its value */
    if (!is_default && is_any(&tokens[at], behaviors) && is_case(tokens, count, at + 1))
        words = 3;
    if (is(&tokens[at], "EMPTY") && at + 1 < count && is_any(&tokens[at + 1], empties) && is_case(tokens, count, at + 2))
        words = 4;
    if (is_case(tokens, count, at)) /* ends DEFAULT e ON EMPTY */
        words = 2;
    if (is(&tokens[at], "RETURNING") || is(&tokens[at], "DEFAULT"))
        words = 1;
    mark(tokens, at, words);
    return words;
}

void mark_json_words(Token *tokens, int count, int open)
{
    bool key_seen = false, value_seen = false;
    const bool pairs = is(&tokens[open - 1], "JSON_OBJECT") || is(&tokens[open - 1], "JSON_OBJECTAGG");
    int depth = 1;
    for (int i = open + 1; i < count && depth; i++) {
        const bool begins = tokens[i - 1].code == TK_LP || tokens[i - 1].code == TK_COMMA;
        depth += (tokens[i].code == TK_LP) - (tokens[i].code == TK_RP);
        if (depth != 1)
            continue;
        if (begins)
            key_seen = value_seen = false;
        if (pairs && begins && is(&tokens[i], "KEY") && i + 1 < count && tokens[i + 1].code != TK_LP && tokens[i + 1].code != TK_COMMA && !is(&tokens[i + 1], "VALUE")) {
            mark(tokens, i, 1);
            key_seen = true;
        } else if (pairs && !begins && !value_seen && is(&tokens[i], "VALUE") && !(key_seen && (tokens[i - 1].flags & TOKEN_PHRASE))) {
            mark(tokens, i, 1);
            value_seen = true;
        } else if (!begins && !(tokens[i].flags & TOKEN_PHRASE)) {
            const int words = mark_clause(tokens, count, i);
            i += words ? words - 1 : 0;
        }
    }
}

int phrase_json_word(const Token *token)
{
    static const struct { const char *text; int code; } words[] = {
        { "KEY", TK_JSON_KEY }, { "VALUE", TK_JSON_VALUE }, { "RETURNING", TK_JSON_RETURNING }, { "DEFAULT", TK_JSON_DEFAULT }, { "ON", TK_JSON_ON }, { "WRAPPER", TK_JSON_WRAPPER },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is(token, words[i].text))
            return words[i].code;
    return TK_JSON_WORD;
}

/* ---- the tree ---- */

static void refuse(Parser *parser, Span at, const char *what) { parser_fail(parser, error_at(ERR_PARSE, at, "%s", what)); }

static AstJsonBehavior behavior(const JsonClause *clause)
{
    static const struct { const char *text; AstJsonBehavior is; } behaviors[] = {
        { "NULL", AST_JSON_NULL }, { "ERROR", AST_JSON_ERROR }, { "TRUE", AST_JSON_TRUE }, { "FALSE", AST_JSON_FALSE }, { "UNKNOWN", AST_JSON_UNKNOWN },
    };
    if (clause->value)
        return AST_JSON_DEFAULT;
    if (is(&clause->first, "EMPTY"))
        return is(&clause->last, "OBJECT") ? AST_JSON_EMPTY_OBJECT : AST_JSON_EMPTY_ARRAY;
    for (size_t i = 0; i < sizeof behaviors / sizeof *behaviors; i++)
        if (is(&clause->first, behaviors[i].text))
            return behaviors[i].is;
    return AST_JSON_NOT_SAID;
}

static void add_wrapper(Parser *parser, AstJson *json, const JsonClause *clause)
{
    if (json->wrapper)
        refuse(parser, clause->at, "a second WRAPPER of one call");
    json->wrapper = is(&clause->first, "WITHOUT") ? AST_JSON_WITHOUT_WRAPPER : clause->conditional ? AST_JSON_CONDITIONAL_WRAPPER : AST_JSON_UNCONDITIONAL_WRAPPER;
}

static void add_on_null(Parser *parser, AstJson *json, const JsonClause *clause)
{
    const bool absent = is(&clause->first, "ABSENT");
    if (!absent && !is(&clause->first, "NULL"))
        refuse(parser, clause->at, "ON NULL is NULL or ABSENT");
    if (json->on_null)
        refuse(parser, clause->at, "a second ON NULL of one call");
    json->on_null = absent ? AST_JSON_ABSENT_ON_NULL : AST_JSON_NULL_ON_NULL;
}

static void add_case(Parser *parser, AstExpr *call, const JsonClause *clause)
{
    const bool empty = is(&clause->on, "EMPTY");
    AstJsonBehavior *place = empty ? &call->json->on_empty : &call->json->on_error;
    if (*place)
        refuse(parser, clause->at, empty ? "a second ON EMPTY of one call" : "a second ON ERROR of one call");
    if (empty && call->json->on_error)
        refuse(parser, clause->at, "ON EMPTY stands before ON ERROR");
    *place = behavior(clause);
    if (*place == AST_JSON_NOT_SAID)
        refuse(parser, clause->at, "ABSENT is for ON NULL");
    if (clause->value)
        exprs_add(parser, &call->args, clause->value);
}

static void set_tokens(JsonClause *clause) /* is() looks at words */
{
    clause->first.code = clause->last.code = clause->on.code = TK_ID;
}

AstExpr *build_json_call(Parser *parser, AstNames *path, AstExprs *args, bool pairs, JsonClauses *clauses, Token close)
{
    AstExpr *call = build_call(parser, path, args, close);
    call->json = ARENA_NEW(parser->arena, AstJson);
    call->json->pairs = pairs;
    for (int i = 0; clauses && i < clauses->count; i++) {
        JsonClause *clause = &clauses->items[i];
        set_tokens(clause);
        if (clause->type && call->json->returning)
            refuse(parser, clause->at, "a second RETURNING of one call");
        else if (clause->type)
            call->json->returning = clause->type;
        else if (clause->wrapper)
            add_wrapper(parser, call->json, clause);
        else if (is(&clause->on, "NULL"))
            add_on_null(parser, call->json, clause);
        else
            add_case(parser, call, clause);
    }
    return build_done(parser, call);
}

/* x IS JSON OBJECT: a call of the function that tells. */
AstExpr *build_is_json(Parser *parser, AstExpr *value, bool negated, Token is_word, const Token *kind)
{
    AstName name = { "IS_JSON_STRING", false, is_word.at };
    AstExprs *args = exprs_add(parser, NULL, value);
    if (kind) {
        AstExpr *literal = build_expr(parser, AST_LITERAL, kind->at);
        literal->op_at = kind->at;
        literal->value = (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_view(kind->text, kind->length) };
        exprs_add(parser, args, build_done(parser, literal));
    }
    AstExpr *call = build_call(parser, names_add(parser, NULL, name), args, kind ? *kind : is_word);
    call->at = span_join(value->at, parser->last);
    return negated ? build_unary(parser, OP_NOT, is_word, call) : call;
}

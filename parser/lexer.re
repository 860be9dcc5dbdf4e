/* parser/lexer.re: text -> raw tokens.
 *
 * The text is UTF-8 without NUL bytes (parser.c has checked) and ends with a 0, which is the sentinel.
 * Words are looked up in the keyword table, but what a word is at its place the shim decides.
 * Two places have a language of their own: the pattern of MATCH_RECOGNIZE, read as one raw token,
 * and `[`, which quotes a name unless an operand stands before it. */
#include "parser/parser_internal.h"
#include "parser/sql.h"

static Span span_of(const Lexer *lexer, const char *from, const char *to)
{
    return (Span){ (uint32_t)(from - lexer->text), (uint32_t)(to - from) };
}

/* Does `[` behind this token open a subscript (or ARRAY[..])? */
static bool before_subscript(const Lexer *lexer)
{
    const Token *previous = &lexer->previous;
    switch (previous->code) {
    case TK_RP: case TK_RB: case TK_STRING: case TK_PARAMETER: case TK_INTEGER: case TK_DECIMAL:
        return true;
    case TK_ID:
        if (previous->flags & TOKEN_QUOTED)
            return true;
        switch (previous->keyword) {
        case TK_STREAM: case TK_TABLE: case TK_VIEW: case TK_TYPE: case TK_DESCRIBE: case TK_SOURCE:
            return lexer->word_index > 4; /* CREATE STREAM [x] */
        case TK_BY: case TK_EXISTS: case TK_OVER: case TK_ALL:
            return false;
        case TK_END: case TK_NULL: case TK_TRUE: case TK_FALSE:
            return true;
        default:
            return previous->keyword_class != KEYWORD_RESERVED;
        }
    default:
        return false;
    }
}

static Error *pattern_fail(Lexer *lexer, const char *from, const char *resume, const char *message)
{
    lexer->pattern_next = false;
    lexer->cursor = resume;
    return error_at(ERR_PARSE, span_of(lexer, from, from + 1), "%s", message);
}

/* After `PATTERN (`: everything up to the matching parenthesis. Comments are taken out by token_content. */
static Error *pattern(Lexer *lexer, Token *token)
{
    const char *start = lexer->cursor, *at = start;
    for (int depth = 0;;) {
        if (*at == 0 || *at == ';')
            return pattern_fail(lexer, start - 1, at, "the pattern has no closing ')'");
        if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            if (!end)
                return pattern_fail(lexer, at, lexer->limit, "unterminated comment");
            at = end + 2;
            continue;
        }
        if (at[0] == '-' && at[1] == '-') {
            at += strcspn(at, "\n");
            continue;
        }
        if (*at == '(')
            depth++;
        if (*at == ')' && depth-- == 0)
            break;
        at++;
    }
    token->code = TK_PATTERN_TEXT;
    token->text = start;
    token->length = (uint32_t)(at - start);
    token->at = span_of(lexer, start, at);
    lexer->cursor = at;
    lexer->pattern_next = false;
    lexer->previous = *token;
    return NULL;
}

Error *lexer_next(Lexer *lexer, Token *token)
{
    memset(token, 0, sizeof *token);
    if (lexer->pattern_next)
        return pattern(lexer, token);
    const char *cursor = lexer->cursor, *marker = cursor, *start;
    int code;
#define FAIL(resume, ...)                                                      \
    do {                                                                       \
        lexer->cursor = (resume);                                              \
        return error_at(ERR_PARSE, span_of(lexer, start, cursor), __VA_ARGS__); \
    } while (0)
#define RETURN(c)   \
    do {            \
        code = (c); \
        goto found; \
    } while (0)
again:
    start = cursor;
    /*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = cursor;
    re2c:define:YYMARKER = marker;
    re2c:yyfill:enable = 0;

    digit = [0-9];
    letter = [A-Za-z_\x80-\xff];
    part = [A-Za-z0-9_@\x80-\xff];
    word = letter (part | "$" [A-Za-z0-9_])*;
    exponent = [eE] [+-]? digit+;

    "\x00"                { cursor = start; RETURN(0); }
    [ \t\r\n\f\v]+        { goto again; }
    "--" [^\n\x00]*       { goto again; }
    "/*+"                 { lexer->in_hint = true; RETURN(TK_HINT); }
    "/*"                  {
        const char *end = strstr(cursor, "*" "/");
        if (!end)
            FAIL(lexer->limit, "unterminated comment");
        cursor = end + 2;
        goto again;
    }
    "*" "/"               {
        if (!lexer->in_hint) {
            cursor = start + 1;
            RETURN(TK_STAR);
        }
        lexer->in_hint = false;
        RETURN(TK_HINT_END);
    }
    [xX] "'" [^'\x00]* "'" { RETURN(TK_BYTES); }
    "'" ([^'\x00] | "''")* "'" { RETURN(TK_STRING); }
    "'"                   { FAIL(lexer->limit, "unterminated string"); }
    "$$"                  {
        const char *end = strstr(cursor, "$$");
        if (!end)
            FAIL(lexer->limit, "'$$' without a closing '$$'");
        cursor = end + 2;
        token->flags |= TOKEN_BODY;
        RETURN(TK_STRING);
    }
    "\"" ([^"\x00] | "\"\"")* "\"" { token->flags |= TOKEN_QUOTED; RETURN(TK_ID); }
    "`" ([^`\x00] | "``")* "`"     { token->flags |= TOKEN_QUOTED; RETURN(TK_ID); }
    ["`]                  { FAIL(lexer->limit, "unterminated quoted name"); }
    "["                   {
        if (before_subscript(lexer))
            RETURN(TK_LB);
        const char *end = cursor;
        while (*end && end - start < 1024 && !(*end == ']' && end[1] != ']'))
            end += *end == ']' ? 2 : 1;
        if (*end != ']')
            FAIL(cursor, "'[' begins a quoted name here, and no ']' follows");
        cursor = end + 1;
        token->flags |= TOKEN_QUOTED;
        RETURN(TK_ID);
    }
    "${" word "}"         { RETURN(TK_VARIABLE); }
    "${"                  { FAIL(cursor, "expected '${name}'"); }
    digit+                { RETURN(TK_INTEGER); }
    digit+ "." digit* | "." digit+ { RETURN(TK_DECIMAL); }
    (digit+ ("." digit*)? | "." digit+) exponent { RETURN(TK_FLOAT); }
    digit+ letter part*   {
        if (lexer->previous.keyword == TK_AS) /* ksqlDB: ROUND(v) AS 1R */
            RETURN(TK_ID);
        FAIL(cursor, "a name cannot begin with a digit: '%.*s'", (int)(cursor - start > 40 ? 40 : cursor - start), start);
    }
    word                  { RETURN(TK_ID); }
    ":" word              { RETURN(TK_PARAMETER); }
    "::"                  { RETURN(TK_DCOLON); }
    ":="                  { RETURN(TK_ASSIGN); }
    "=>"                  { RETURN(TK_ARROW); }
    "->"                  { RETURN(TK_FIELD); }
    "||"                  { RETURN(TK_CONCAT); }
    "<>" | "!="           { RETURN(TK_NE); }
    "<="                  { RETURN(TK_LE); }
    ">="                  { RETURN(TK_GE); }
    "=" | "=="            { RETURN(TK_EQ); }
    "<"                   { RETURN(TK_LT); }
    ">"                   { RETURN(TK_GT); }
    "+"                   { RETURN(TK_PLUS); }
    "-"                   { RETURN(TK_MINUS); }
    "*"                   { RETURN(TK_STAR); }
    "/"                   { RETURN(TK_SLASH); }
    "%"                   { RETURN(TK_PERCENT); }
    "("                   { RETURN(TK_LP); }
    ")"                   { RETURN(TK_RP); }
    "]"                   { RETURN(TK_RB); }
    ","                   { RETURN(TK_COMMA); }
    "."                   { RETURN(TK_DOT); }
    ";"                   { RETURN(TK_SEMI); }
    *                     {
        FAIL(cursor, "unexpected character '%.*s'", (int)(cursor - start), start);
    }
    */
found:
    token->code = (uint16_t)code;
    token->text = start;
    token->length = (uint32_t)(cursor - start);
    token->at = span_of(lexer, start, cursor);
    lexer->cursor = cursor;
    switch (code) {
    case TK_ID:
        if (!(token->flags & TOKEN_QUOTED)) {
            KeywordClass class;
            token->keyword = (uint16_t)keyword_find(start, token->length, &class);
            token->keyword_class = (uint8_t)class;
            if (token->keyword == TK_MATCH_RECOGNIZE)
                lexer->match_next = true;
        }
        break;
    case TK_LP:
        lexer->paren_depth++;
        if (lexer->match_next)
            lexer->match_depth = lexer->paren_depth;
        lexer->match_next = false;
        lexer->pattern_next = lexer->match_depth && lexer->paren_depth == lexer->match_depth + 1 &&
                              lexer->previous.keyword == TK_PATTERN;
        break;
    case TK_RP:
        if (lexer->match_depth == lexer->paren_depth)
            lexer->match_depth = 0;
        lexer->paren_depth--;
        break;
    case TK_SEMI:
        lexer->paren_depth = lexer->match_depth = 0;
        lexer->match_next = lexer->in_hint = false;
        lexer->word_index = -1;
        break;
    default:
        break;
    }
    lexer->word_index++;
    lexer->previous = *token;
    return NULL;
}

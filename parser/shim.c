/* parser/shim.c: what a word is at its place.
 *
 * Most keywords are good names of columns, and lemon's %fallback alone would take every clause after a
 * relation for an alias. So a word goes to the grammar as a keyword only where its neighbours fit:
 * WINDOW before `kind (`, LIMIT before a number, LEFT before JOIN. Plain keywords go through, and the
 * grammar falls back to a name. The same pass finds lambdas, types in <..>, typed literals and units. */
#include "parser/parser_internal.h"
#include "parser/sql.h"

typedef struct Shim {
    Parser *parser;
    const Token *tokens;
    int count, at;
    int previous;          /* the code given for the token before, 0 at the start */
    const Token *previous_token;
    int before_previous;
    int nesting;           /* open brackets and CASEs */
    int angle_depth;       /* inside ARRAY<..> */
    int case_depth;
    bool drop_hint;        /* inside a hint behind SELECT, which changes no result */
    int first;             /* the statement's first word */
    bool query_seen;       /* SELECT, or the VALUES of INSERT */
    bool lambda_failed;
    int timestamp_nesting; /* 1 + where a TIMESTAMP BY began whose OVER key may follow; 0: none did */
    int windows_nesting;   /* 1 + where WINDOW w AS (.. began: inside of its parentheses; 0: nowhere */
} Shim;

static const Token none = { 0 };
static const Token *ahead(const Shim *shim, int n) { return shim->at + n < shim->count ? &shim->tokens[shim->at + n] : &none; }
static int code_at(const Shim *shim, int n) { return ahead(shim, n)->code; }
static int word_at(const Shim *shim, int n) { return ahead(shim, n)->flags & TOKEN_NAME ? 0 : ahead(shim, n)->keyword; }

static bool is_word(const Token *token) { return token->code == TK_ID; }
/* A word that may be a name. */
static bool is_name(const Token *token) { return token->code == TK_ID && (token->keyword_class != KEYWORD_RESERVED || token->flags & TOKEN_NAME); }
static bool is_number(const Token *token) { return token->code == TK_INTEGER || token->code == TK_DECIMAL; }

/* Did the token before end an operand or a name, so that a clause or an infix word may follow? */
static bool after_operand(const Shim *shim)
{
    switch (shim->previous) {
    case TK_ID: case TK_STRING: case TK_INTEGER: case TK_DECIMAL: case TK_FLOAT: case TK_BYTES: case TK_PARAMETER: case TK_UNIT:
    case TK_RP: case TK_RB: case TK_TYPE_GT: case TK_NULL: case TK_TRUE: case TK_FALSE: case TK_END: case TK_STAR:
    case TK_PRECISION: case TK_JSON: case TK_JSON_KIND: case TK_HINT_END: case TK_NULLS: case TK_WATERMARK:
        return true;
    case TK_ADD: case TK_COLUMN:
        return shim->first != TK_ALTER;
    default:
        return keyword_class(shim->previous) == KEYWORD_PLAIN;
    }
}

static bool any_of(int code, const int *codes)
{
    for (; *codes; codes++)
        if (*codes == code)
            return true;
    return false;
}
#define ONE_OF(code, ...) any_of((code), (const int[]){ __VA_ARGS__, 0 })

/* ARRAY, MAP, STRUCT, ROW before `<`: a type, or a column that is compared? */
static bool type_here(const Shim *shim)
{
    int next = code_at(shim, 1);
    if (next != TK_LT && next != TK_NE)
        return false;
    if (shim->angle_depth)
        return true;
    switch (shim->previous) {
    case TK_ID: case TK_DCOLON: case TK_RETURNS: case TK_JSON_RETURNING:
        return true;
    case TK_AS: /* CAST(x AS ARRAY<INT>), but `c AS array < 3` */
        return next == TK_NE || is_name(ahead(shim, 2)) || code_at(shim, 2) == TK_GT;
    default:
        return keyword_class(shim->previous) == KEYWORD_PLAIN;
    }
}

/* Behind an operand, and before a word that is no keyword: no alias could stand so, but a misspelt clause. */
static bool before_unknown_word(const Shim *shim)
{
    const Token *next = ahead(shim, 1);
    return next->code == TK_ID && !next->keyword && !(next->flags & TOKEN_QUOTED);
}

/* WINDOW w AS ( */
static bool before_named_window(const Shim *shim)
{
    return is_name(ahead(shim, 1)) && word_at(shim, 2) == TK_AS && code_at(shim, 3) == TK_LP;
}

/* OVER (w ..), WINDOW v AS (w ..): the window that this one begins with. */
static bool is_base_window(const Shim *shim)
{
    if (shim->previous != TK_LP || !is_name(ahead(shim, 0)) ||
        !(shim->before_previous == TK_OVER || (shim->before_previous == TK_AS && shim->windows_nesting == shim->nesting)))
        return false;
    return code_at(shim, 1) == TK_RP || ONE_OF(word_at(shim, 1), TK_PARTITION, TK_ORDER, TK_ROWS, TK_RANGE, TK_GROUPS, TK_LIMIT, TK_WHEN);
}

/* In CREATE, ALTER, ASSERT and DROP, where a name must stand: of the object, or of a column. */
static bool is_defined_here(const Shim *shim)
{
    if (shim->query_seen || !ONE_OF(shim->first, TK_CREATE, TK_ALTER, TK_ASSERT, TK_DROP))
        return false;
    if (shim->nesting == 0 || shim->first == TK_ALTER)
        return ONE_OF(shim->previous, TK_STREAM, TK_TABLE, TK_VIEW, TK_TYPE, TK_FUNCTION, TK_CONNECTOR, TK_EXISTS, TK_ADD, TK_COLUMN) &&
               ahead(shim, 0)->keyword != TK_IF;
    if (shim->nesting != 1 || shim->angle_depth || !ONE_OF(shim->previous, TK_LP, TK_COMMA))
        return false;
    return !(word_at(shim, 1) == TK_FOR || word_at(shim, 1) == TK_KEY || word_at(shim, 2) == TK_PRIMARY) || code_at(shim, 1) != TK_ID;
}

/* SELECT TOP 3 x, SELECT TOP (3) x; TOP (3) alone, or in a sum, is a call. */
static bool before_row_count(const Shim *shim)
{
    if (code_at(shim, 1) == TK_INTEGER)
        return true;
    if (code_at(shim, 1) != TK_LP || code_at(shim, 2) != TK_INTEGER || code_at(shim, 3) != TK_RP)
        return false;
    if (code_at(shim, 4) == TK_STAR)
        return word_at(shim, 5) == TK_FROM || code_at(shim, 5) == TK_COMMA;
    return code_at(shim, 4) == TK_ID && !ONE_OF(word_at(shim, 4), TK_FROM, TK_AS, TK_INTO, TK_OVER);
}

/* x = ANY (SELECT ..) */
static bool before_quantified(const Shim *shim)
{
    int at = 1;
    if (!ONE_OF(shim->previous, TK_EQ, TK_NE, TK_LT, TK_LE, TK_GT, TK_GE))
        return false;
    while (code_at(shim, at) == TK_LP)
        at++;
    return at > 1 && ONE_OF(word_at(shim, at), TK_SELECT, TK_WITH, TK_VALUES);
}

/* Is this shaped word a keyword here? Returns its code, or another one in its place, or TK_ID. */
static int shaped(const Shim *shim, const Token *token)
{
    int word = token->keyword, next = code_at(shim, 1), next_word = word_at(shim, 1);
    int previous = shim->previous;
    bool operand = after_operand(shim);
    bool as_alias = previous == TK_AS;
#define IF(condition) ((condition) ? word : TK_ID)
    switch (word) {
    case TK_BY:
        return IF(ONE_OF(previous, TK_GROUP, TK_ORDER, TK_PARTITION, TK_TIMESTAMP, TK_ADVANCE, TK_PARTITIONED));
    case TK_GROUP:
        return IF(ONE_OF(previous, TK_WITHIN_GROUP, TK_EXCLUDE) || (!as_alias && next_word == TK_BY));
    case TK_ORDER:
    case TK_PARTITION:
        return IF(!as_alias && next_word == TK_BY);
    case TK_TIMESTAMP:
        return IF(next == TK_STRING || (operand && next_word == TK_BY));
    case TK_DATE:
        return IF(next == TK_STRING);
    case TK_TIME:
        return IF(next == TK_STRING || (next_word == TK_ZONE && (ONE_OF(previous, TK_TYPE_WITH, TK_WITHOUT, TK_LOCAL, TK_AT) || code_at(shim, 2) == TK_STRING)));
    case TK_AT:
        return IF(operand && next_word == TK_TIME && word_at(shim, 2) == TK_ZONE);
    case TK_INTERVAL:
        return IF(next == TK_STRING || is_number(ahead(shim, 1)) || ((next == TK_MINUS || next == TK_PLUS) && code_at(shim, 2) == TK_STRING));
    case TK_WINDOW:
        return IF(operand && (before_unknown_word(shim) || before_named_window(shim)));
    case TK_EMIT:
        return IF(operand && (ONE_OF(next_word, TK_CHANGES, TK_FINAL, TK_AFTER) || before_unknown_word(shim)));
    case TK_LIMIT:
        return IF(!as_alias && (next == TK_INTEGER || next == TK_PARAMETER || (operand && ONE_OF(next, TK_DECIMAL, TK_FLOAT, TK_MINUS, TK_STRING)) || (operand && next_word == TK_ALL) ||
                                (is_name(ahead(shim, 1)) && code_at(shim, 2) == TK_LP && ahead(shim, 1)->length == 8 &&
                                 strncasecmp(ahead(shim, 1)->text, "DURATION", 8) == 0) || (operand && before_unknown_word(shim))));
    case TK_OFFSET:
        return IF(!as_alias && (is_number(ahead(shim, 1)) || next == TK_PARAMETER || word_at(shim, 1) == TK_INTERVAL ||
                                (next == TK_MINUS && code_at(shim, 2) == TK_INTEGER && is_name(ahead(shim, 3)) && previous == TK_COMMA) ||
                                (next == TK_STRING && (previous == TK_COMMA || previous == TK_LP))));
    case TK_FETCH:
        return IF(operand && (next_word == TK_FIRST || next_word == TK_NEXT) && (is_number(ahead(shim, 2)) || code_at(shim, 2) == TK_PARAMETER));
    case TK_WITHIN:
        if (next_word == TK_GROUP && operand)
            return TK_WITHIN_GROUP;
        return IF(operand && (is_number(ahead(shim, 1)) || next == TK_LP || next == TK_STRING || next_word == TK_INTERVAL));
    case TK_GRACE:
        return IF(next_word == TK_PERIOD);
    case TK_PERIOD:
        return IF(previous == TK_GRACE);
    case TK_ALLOWED:
        return IF(operand && next_word == TK_LATENESS);
    case TK_LATENESS:
        return IF(previous == TK_ALLOWED);
    case TK_LATE:
        return IF((operand || previous == TK_COMMA || previous == TK_LP) && next_word == TK_INTO);
    case TK_FOR:
        return IF(next_word == TK_SYSTEM_TIME || previous == TK_WATERMARK || previous == TK_PLAN);
    case TK_SYSTEM_TIME:
        return IF(previous == TK_FOR);
    case TK_MATCH_RECOGNIZE:
        return IF(operand && next == TK_LP);
    case TK_OVER:
        if (!operand)
            return TK_ID;
        if (next == TK_LP)
            return shim->timestamp_nesting == shim->nesting + 1 ? TK_OVER_KEY : TK_OVER;
        if (!is_name(ahead(shim, 1)))
            return TK_ID;
        return ONE_OF(previous, TK_RP, TK_NULLS) && shim->timestamp_nesting != shim->nesting + 1 ? TK_OVER_NAME : TK_OVER_KEY;
    case TK_FILTER:
        return IF(ONE_OF(previous, TK_RP, TK_NULLS) && next == TK_LP && word_at(shim, 2) == TK_WHERE);
    case TK_IGNORE:
    case TK_RESPECT:
        return IF(operand && next_word == TK_NULLS);
    case TK_NULLS:
        return IF(previous == TK_IGNORE || previous == TK_RESPECT || next_word == TK_FIRST || next_word == TK_LAST);
    case TK_LEFT:
    case TK_RIGHT:
    case TK_FULL:
        return IF(operand || previous == TK_NATURAL ? next_word == TK_JOIN || next_word == TK_OUTER : false);
    case TK_INNER:
        return IF((operand || previous == TK_NATURAL) && next_word == TK_JOIN);
    case TK_CROSS:
        return IF(operand && (next_word == TK_JOIN || next_word == TK_APPLY));
    case TK_OUTER:
        return IF(ONE_OF(previous, TK_LEFT, TK_RIGHT, TK_FULL) || (operand && next_word == TK_APPLY));
    case TK_NATURAL:
        return IF(operand && ONE_OF(next_word, TK_JOIN, TK_INNER, TK_LEFT, TK_RIGHT, TK_FULL));
    case TK_VALUES:
        return IF(next == TK_LP || (next_word == TK_ROW && code_at(shim, 2) == TK_LP) || previous == TK_ASSERT ||
                  (previous == TK_NULL && shim->before_previous == TK_ASSERT) || (shim->first == TK_INSERT && operand && !shim->query_seen));
    case TK_TABLE:
        if (ONE_OF(previous, TK_CREATE, TK_REPLACE, TK_SOURCE, TK_TEMPORARY, TK_DROP, TK_ALTER, TK_ASSERT))
            return TK_TABLE;
        return IF(((next == TK_LP || (next == TK_STRING && shim->nesting)) && !operand) || (shim->nesting && is_name(ahead(shim, 1)) && ONE_OF(previous, TK_LP, TK_COMMA, TK_ARROW) &&
                                                  (ahead(shim, 1)->keyword_class != KEYWORD_SHAPED || ONE_OF(code_at(shim, 2), TK_COMMA, TK_RP, TK_DOT))));
    case TK_LATERAL:
        return IF(next_word == TK_TABLE || (next == TK_LP && (ONE_OF(previous, TK_COMMA, TK_JOIN, TK_FROM, TK_APPLY) || ONE_OF(word_at(shim, 2), TK_SELECT, TK_WITH))) ||
                  (is_name(ahead(shim, 1)) && code_at(shim, 2) == TK_LP));
    case TK_ARRAY:
        return IF(next == TK_LB || type_here(shim));
    case TK_MAP:
        return IF(next == TK_LB || next == TK_LP || type_here(shim));
    case TK_STRUCT:
        return IF(next == TK_LP || type_here(shim));
    case TK_ROW:
        return IF(next == TK_LP || type_here(shim) || ONE_OF(previous, TK_CURRENT, TK_ONE, TK_NEXT, TK_LAST) ||
                  (previous == TK_INTEGER && next_word == TK_ONLY));
    case TK_CAST:
    case TK_TRY_CAST:
    case TK_DESCRIPTOR:
        return IF(next == TK_LP);
    case TK_EXTRACT:
        return IF(next == TK_LP && is_name(ahead(shim, 2)) && word_at(shim, 3) == TK_FROM);
    case TK_EXISTS:
        return IF(next == TK_LP || previous == TK_IF || (previous == TK_NOT && ONE_OF(shim->before_previous, TK_IF, TK_ASSERT)));
    case TK_IF:
        return IF(next_word == TK_EXISTS || (next_word == TK_NOT && word_at(shim, 2) == TK_EXISTS && code_at(shim, 3) != TK_LP));
    case TK_TOP:
        return IF(ONE_OF(previous, TK_SELECT, TK_DISTINCT, TK_ALL) && before_row_count(shim));
    case TK_QUANTIFIER:
        return before_quantified(shim) ? TK_QUANTIFIER : TK_ID;
    case TK_ALL:
        if (before_quantified(shim))
            return TK_QUANTIFIER;
        if (ONE_OF(previous, TK_UNION, TK_INTERSECT, TK_EXCEPT, TK_TERMINATE, TK_PAUSE, TK_RESUME, TK_SHOW, TK_LIST))
            return TK_ALL;
        if (next_word == TK_ROWS)
            return TK_ALL;
        return IF((previous == TK_SELECT || previous == TK_LP) && next && !ONE_OF(next, TK_COMMA, TK_RP, TK_DOT, TK_LP, TK_EQ, TK_LB, TK_FIELD, TK_ASSIGN) &&
                  (next != TK_ID || is_name(ahead(shim, 1)) || ONE_OF(next_word, TK_CASE, TK_NULL, TK_TRUE, TK_FALSE, TK_NOT)));
    case TK_END:
        return IF(shim->case_depth && operand);
    case TK_CUBE:
    case TK_ROLLUP:
        return IF(next == TK_LP && (previous == TK_BY || previous == TK_COMMA));
    case TK_GROUPING:
        return IF(next_word == TK_SETS);
    case TK_SETS:
        return IF(previous == TK_GROUPING);
    case TK_WATERMARK:
        return IF(next_word == TK_FOR || previous == TK_AFTER);
    case TK_PRIMARY:
        return IF(next_word == TK_KEY);
    case TK_CONSTRAINT:
        return IF(is_name(ahead(shim, 1)) && word_at(shim, 2) == TK_PRIMARY);
    case TK_PRECISION:
        return IF(previous == TK_ID && shim->previous_token && shim->previous_token->length == 6 &&
                  strncasecmp(shim->previous_token->text, "DOUBLE", 6) == 0 && (keyword_class(shim->before_previous) == KEYWORD_PLAIN ||
                   ONE_OF(shim->before_previous, TK_ID, TK_AS, TK_DCOLON, TK_TYPE_LT, TK_COMMA)));
    case TK_TO:
        return IF(previous == TK_UNIT || previous == TK_SIMILAR || (previous == TK_RP && is_name(ahead(shim, 1)) && interval_unit_known(ahead(shim, 1)->text, ahead(shim, 1)->length)) ||
                  previous == TK_SKIP);
    case TK_EXPLAIN_DETAIL:
        return IF(shim->first == TK_EXPLAIN && !shim->query_seen && (previous == TK_EXPLAIN || previous == TK_COMMA) && next);
    case TK_SIMILAR:
        return IF((operand || previous == TK_NOT) && next_word == TK_TO);
    case TK_SYMMETRIC:
    case TK_ASYMMETRIC:
        return IF(previous == TK_BETWEEN && next_word != TK_AND && !ONE_OF(next, TK_DOT, TK_COMMA, TK_RP, TK_STAR, TK_SLASH, TK_PERCENT, TK_CONCAT, TK_LB, TK_FIELD));
    case TK_JSON:
        return IF(previous == TK_IS || (previous == TK_NOT && shim->before_previous == TK_IS));
    case TK_CURRENT:
        return IF(next_word == TK_ROW);
    case TK_WITHOUT:
        return IF(next_word == TK_TIME);
    default:
        return word;
    }
#undef IF
}

/* A word before `=` behind `(`, `,` or SET names a property, whatever it is. */
static bool is_property(const Shim *shim)
{
    return code_at(shim, 1) == TK_EQ && ONE_OF(shim->previous, TK_LP, TK_COMMA, TK_SET, TK_SYSTEM) &&
           !ONE_OF(ahead(shim, 0)->keyword, TK_NULL, TK_TRUE, TK_FALSE);
}

/* RUNNING or FINAL before a call: of which rows of a match it speaks. */
static int match_semantics(const Shim *shim, const Token *token)
{
    const Token *next = ahead(shim, 1);
    const bool running = token->length == 7 && strncasecmp(token->text, "RUNNING", 7) == 0;
    if ((!running && token->keyword != TK_FINAL) || shim->previous == TK_EMIT || next->code != TK_ID || code_at(shim, 2) != TK_LP)
        return 0;
    if (next->keyword && next->keyword != TK_FIRST && next->keyword != TK_LAST)
        return 0;
    return running ? TK_RUNNING_OF : TK_FINAL_OF;
}

/* x IS JSON [VALUE | SCALAR | ARRAY | OBJECT] */
static bool is_json_kind(const Token *token)
{
    static const char *const kinds[] = { "VALUE", "SCALAR", "ARRAY", "OBJECT" };
    for (int i = 0; i < 4; i++)
        if (token->length == strlen(kinds[i]) && strncasecmp(token->text, kinds[i], token->length) == 0)
            return true;
    return false;
}

static int classify(Shim *shim, const Token *token)
{
    if (is_base_window(shim))
        return TK_OVER_BASE;
    if (token->flags & (TOKEN_QUOTED | TOKEN_NAME))
        return TK_ID;
    if (token->flags & TOKEN_PHRASE)
        return phrase_word(token);
    if (match_semantics(shim, token))
        return match_semantics(shim, token);
    if (shim->previous == TK_JSON && is_json_kind(token))
        return TK_JSON_KIND;
    /* A unit belongs to the interval before it; checked in literal.c. */
    if (ONE_OF(shim->previous, TK_STRING, TK_INTEGER, TK_DECIMAL) && is_name(token)) {
        bool interval = shim->before_previous == TK_INTERVAL ||
                        (ONE_OF(shim->before_previous, TK_MINUS, TK_PLUS) && shim->at >= 3 && shim->tokens[shim->at - 3].keyword == TK_INTERVAL);
        if (interval && (interval_unit_known(token->text, token->length) ||
                         (shim->previous == TK_STRING && string_is_number(shim->previous_token) && token->keyword != TK_AS)))
            return TK_UNIT;
    }
    if (shim->previous == TK_TO && shim->before_previous != TK_SKIP && shim->before_previous != TK_SIMILAR)
        return TK_UNIT;
    if (!token->keyword)
        return TK_ID;
    if (ONE_OF(shim->previous, TK_DOT, TK_FIELD) || is_property(shim))
        return TK_ID;
    switch (token->keyword_class) {
    case KEYWORD_PLAIN:
        return token->keyword;
    case KEYWORD_SHAPED:
        return is_defined_here(shim) ? TK_ID : shaped(shim, token);
    default:
        break;
    }
    int next_word = word_at(shim, 1);
    if (token->keyword == TK_WITH) {
        if (code_at(shim, 1) == TK_LP)
            return TK_WITH_PROPERTIES;
        if ((next_word == TK_TIME || next_word == TK_LOCAL) && after_operand(shim))
            return TK_TYPE_WITH;
    }
    const bool empty_struct = shim->previous == TK_NE && ONE_OF(shim->before_previous, TK_STRUCT, TK_ROW); /* STRUCT<> */
    if (token->keyword == TK_NOT && next_word == TK_NULL && (after_operand(shim) || empty_struct))
        return TK_NOT_NULL;
    return token->keyword;
}

/* `x =>` and `(x, y) =>`: marks where the parameters begin, and that they are names. Done once, before the feed. */
static void mark_lambdas(Token *tokens, int count)
{
    for (int i = 1; i < count; i++) {
        if (tokens[i].code != TK_ARROW)
            continue;
        int begin = i - 1;
        if (tokens[begin].code == TK_RP) {
            for (begin--; begin > 0 && (is_word(&tokens[begin]) || tokens[begin].code == TK_COMMA); begin--)
                ;
            if (begin < 0 || tokens[begin].code != TK_LP || begin == i - 2)
                continue;
        } else if (!is_word(&tokens[begin])) {
            continue;
        }
        tokens[begin].flags |= TOKEN_LAMBDA;
        for (int j = begin; j < i; j++)
            if (is_word(&tokens[j]))
                tokens[j].flags |= TOKEN_NAME;
    }
}

static void feed(Shim *shim, int code, const Token *token)
{
    Parser *parser = shim->parser;
    Token given = token ? *token : none;
    given.code = (uint16_t)code;
    parser->current = token;
    sql_parse(parser->engine, code, given);
}

/* How far TIMESTAMP BY and WINDOW reach: to the next clause of the same query. */
static void note_clause(Shim *shim, int code)
{
    const bool ends = code == TK_RP || ONE_OF(code, TK_WHERE, TK_GROUP, TK_HAVING, TK_QUALIFY, TK_WINDOW, TK_ORDER, TK_EMIT, TK_LIMIT, TK_SELECT, TK_JOIN, TK_UNION, TK_EXCEPT,
                                              TK_INTERSECT, TK_OVER_KEY, TK_ON, TK_USING, TK_WITHIN);
    const int here = shim->nesting + 1;
    if (ends && shim->timestamp_nesting >= here)
        shim->timestamp_nesting = 0;
    if (ends && shim->windows_nesting >= here)
        shim->windows_nesting = 0;
    if (code == TK_BY && shim->previous == TK_TIMESTAMP)
        shim->timestamp_nesting = here;
    if (code == TK_WINDOW && before_named_window(shim))
        shim->windows_nesting = here;
}

/* Brackets and CASEs; `<` and `>` around types become tokens of their own. */
static int count_nesting(Shim *shim, int code)
{
    note_clause(shim, code);
    switch (code) {
    case TK_LT:
        if (!ONE_OF(shim->previous, TK_ARRAY, TK_MAP, TK_STRUCT, TK_ROW))
            return code;
        shim->angle_depth++;
        shim->nesting++;
        return TK_TYPE_LT;
    case TK_GT:
        if (!shim->angle_depth)
            return code;
        shim->angle_depth--;
        shim->nesting--;
        return TK_TYPE_GT;
    case TK_CASE:
    case TK_END:
        shim->case_depth += code == TK_CASE ? 1 : -1;
        shim->nesting += code == TK_CASE ? 1 : -1;
        return code;
    case TK_LP:
    case TK_LB:
        shim->nesting++;
        return code;
    case TK_RP:
    case TK_RB:
        shim->nesting--;
        return code;
    case TK_AS: /* the query of a CREATE, the body of a function */
        shim->query_seen |= shim->nesting == 0 && shim->first == TK_CREATE;
        return code;
    case TK_SELECT:
    case TK_VALUES:
        shim->query_seen = true;
        return code;
    default:
        return code;
    }
}

/* Feeds the tokens before `stop`, and perhaps the end. True if the grammar refused one: shim->at is its place. */
static bool run(Shim *shim, int stop, bool as_expression, bool to_end)
{
    Parser *parser = shim->parser;
    sql_parseInit(parser->engine, parser);
    parser->statement = NULL;
    parser->expression = NULL;
    parser->last = SPAN_NONE;
    parser->unexpected = false;
    parser->named_overs.count = 0;
    shim->first = shim->count ? shim->tokens[0].keyword : 0;
    if (as_expression)
        feed(shim, TK_EXPRESSION, &none);
    for (shim->at = 0; shim->at < stop && !parser->error; shim->at++) {
        const Token *token = &shim->tokens[shim->at];
        int code = token->code;
        if (shim->drop_hint || (code == TK_HINT && shim->previous == TK_SELECT)) {
            shim->drop_hint = code != TK_HINT_END;
            continue;
        }
        if (code == TK_ID)
            code = classify(shim, token);
        code = count_nesting(shim, code);
        if (shim->nesting > PARSER_MAX_NESTING) {
            parser_fail(parser, error_at(ERR_PARSE, token->at, "nested deeper than %d levels", PARSER_MAX_NESTING));
            return false;
        }
        if (token->flags & TOKEN_LAMBDA)
            feed(shim, TK_LAMBDA, token);
        shim->lambda_failed = parser->unexpected;
        if (!parser->unexpected && !parser->error)
            feed(shim, code, token);
        if (parser->unexpected)
            return true;
        parser->last = token->at;
        shim->before_previous = shim->previous;
        shim->previous = code;
        shim->previous_token = token;
    }
    if (!parser->error && to_end)
        feed(shim, 0, NULL);
    return parser->unexpected;
}

void shim_feed(Parser *parser, const Token *tokens, int count, bool as_expression)
{
    Shim shim = { .parser = parser, .tokens = tokens, .count = count };
    mark_lambdas((Token *)tokens, count);
    mark_phrases((Token *)tokens, count);
    if (!run(&shim, count, as_expression, true) || parser->error)
        return;
    /* Once more up to the refused token, to ask what could have stood there. */
    int stop = shim.at;
    bool is_lambda = shim.lambda_failed;
    Shim again = { .parser = parser, .tokens = tokens, .count = count };
    run(&again, stop, as_expression, false);
    parser->current = stop < count ? &tokens[stop] : NULL;
    bool *accepted = ARENA_ARRAY(parser->scratch, bool, (size_t)sql_token_count());
    sql_accepted(parser->engine, parser->scratch, accepted);
    parser_unexpected(parser, accepted, sql_token_count(), is_lambda);
}

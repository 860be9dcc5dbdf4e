/* parser/phrase.c: calls with words between their arguments, as standard SQL has them: they are plain calls in other words.
 *
 *   SUBSTRING(x FROM n [FOR m])           SUBSTRING(x, n, m)
 *   TRIM([LEADING|TRAILING|BOTH] [c] FROM x)  LTRIM, RTRIM, TRIM(x, c)
 *   POSITION(x IN y)                      INSTR(y, x)
 *   OVERLAY(x PLACING y FROM n [FOR m])   OVERLAY(x, y, n, m)
 *   FLOOR(t TO HOUR), CEIL(t TO HOUR)     DATE_TRUNC('HOUR', t), DATE_CEIL('HOUR', t)
 *
 * Functions on JSON have clauses of their own: phrase_json.c. */
#include <ctype.h>
#include "parser/parser_internal.h"
#include "parser/sql.h"

typedef struct Phrase { const char *name, *words[4]; } Phrase;
typedef struct Word { const char *text; int code; } Word;

static const Phrase phrases[] = {
    { "SUBSTRING", { "FROM", "FOR", NULL } }, { "SUBSTR", { "FROM", "FOR", NULL } }, { "TRIM", { "FROM", NULL } },       { "POSITION", { "IN", NULL } },
    { "OVERLAY", { "PLACING", "FROM", "FOR", NULL } }, { "FLOOR", { "TO", NULL } },  { "CEIL", { "TO", NULL } },         { "CEILING", { "TO", NULL } },
};
static const Word words[] = {
    { "FROM", TK_CALL_FROM }, { "FOR", TK_CALL_FOR }, { "IN", TK_CALL_IN }, { "PLACING", TK_CALL_PLACING }, { "TO", TK_CALL_TO },
    { "LEADING", TK_TRIM_SIDE }, { "TRAILING", TK_TRIM_SIDE }, { "BOTH", TK_TRIM_SIDE },
};

static bool is(const Token *token, const char *word)
{
    return token->code == TK_ID && !(token->flags & TOKEN_QUOTED) && token->length == strlen(word) && strncasecmp(token->text, word, token->length) == 0;
}

static const Phrase *phrase_of(const Token *token)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (is(token, phrases[i].name))
            return &phrases[i];
    return NULL;
}

/* a IS DISTINCT FROM b, INTERVAL '1:30' HOUR TO MINUTE; only what ends the call is the TO of FLOOR. */
static bool belongs_to_argument(const Token *tokens, int count, int i)
{
    if (is(&tokens[i], "FROM"))
        return is(&tokens[i - 1], "DISTINCT");
    if (!is(&tokens[i], "TO"))
        return false;
    return (i >= 2 && tokens[i - 2].code == TK_STRING) || i + 2 >= count || tokens[i + 2].code != TK_RP;
}

static void mark_words(Token *tokens, int count, int open, const Phrase *phrase)
{
    int depth = 0;
    const bool side = is(&tokens[open - 1], "TRIM") && open + 2 < count && (is(&tokens[open + 1], "LEADING") || is(&tokens[open + 1], "TRAILING") || is(&tokens[open + 1], "BOTH"));
    if (side && tokens[open + 2].code != TK_RP && tokens[open + 2].code != TK_COMMA && tokens[open + 2].code != TK_DOT)
        tokens[open + 1].flags |= TOKEN_PHRASE;
    for (int i = open; i < count; i++) {
        depth += (tokens[i].code == TK_LP) - (tokens[i].code == TK_RP);
        if (depth == 0)
            return;
        for (int w = 0; depth == 1 && phrase->words[w]; w++)
            if ((i > open + 1 || (i == open + 1 && is(&tokens[i], "FROM"))) && is(&tokens[i], phrase->words[w]) && !belongs_to_argument(tokens, count, i))
                tokens[i].flags |= TOKEN_PHRASE;
    }
}

void mark_phrases(Token *tokens, int count)
{
    for (int i = 0; i + 2 < count; i++) {
        const bool call = tokens[i + 1].code == TK_LP && (i == 0 || tokens[i - 1].code != TK_DOT);
        const Phrase *phrase = call ? phrase_of(&tokens[i]) : NULL;
        if (call && phrase_is_json(&tokens[i]))
            mark_json_words(tokens, count, i + 1);
        else if (phrase)
            mark_words(tokens, count, i + 1, phrase);
    }
}

int phrase_word(const Token *token)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is(token, words[i].text))
            return words[i].code;
    return phrase_json_word(token);
}

/* The call by another name, where the words stand for one. */
static void rename_call(Parser *parser, AstExpr *call, const char *name)
{
    AstName renamed = { name, false, call->path.items[0].at };
    call->path = (AstNames){ 0 };
    LIST_ADD(parser->arena, &call->path, renamed);
}

AstExpr *build_phrase(Parser *parser, AstNames *path, AstExpr *const args[4], Token close)
{
    AstExprs *list = NULL;
    for (int i = 0; i < 4; i++)
        if (args[i])
            list = exprs_add(parser, list, args[i]);
    return build_call(parser, path, list, close);
}

AstExprs *whens_add(Parser *parser, AstExprs *list, AstExpr *first, AstExprs *others, AstExpr *value)
{
    list = exprs_add(parser, exprs_add(parser, list, first), value);
    for (int i = 0; i < others->count; i++)
        exprs_add(parser, exprs_add(parser, list, others->items[i]), value);
    return list;
}

void whens_checked(Parser *parser, const AstExprs *whens)
{
    for (int i = 3; i < whens->count; i += 2)
        if (whens->items[i] == whens->items[i - 2]) {
            parser_fail(parser, error_hint(error_at(ERR_PARSE, whens->items[i - 1]->at, "WHEN takes several values only where CASE has one to compare"), "CASE x WHEN 1, 2 THEN .. END, or WHEN a OR b"));
            return;
        }
}

AstExpr *build_trim(Parser *parser, AstNames *path, const Token *side, AstExpr *characters, AstExpr *text, Token close)
{
    AstExpr *call = build_phrase(parser, path, (AstExpr *const[4]){ text, characters, NULL, NULL }, close);
    if (side && toupper((unsigned char)side->text[0]) == 'L')
        rename_call(parser, call, "LTRIM");
    if (side && toupper((unsigned char)side->text[0]) == 'T')
        rename_call(parser, call, "RTRIM");
    return call;
}

/* FROM stands in SUBSTRING and, the other way round, in TRIM. */
AstExpr *build_from(Parser *parser, AstNames *path, AstExpr *first, AstExpr *second, Token close)
{
    if (strcasecmp(path->items[0].text, "TRIM") == 0)
        return build_trim(parser, path, NULL, first, second, close);
    return build_phrase(parser, path, (AstExpr *const[4]){ first, second, NULL, NULL }, close);
}

AstExpr *build_position(Parser *parser, AstNames *path, AstExpr *part, AstExpr *text, Token close)
{
    AstExpr *call = build_phrase(parser, path, (AstExpr *const[4]){ text, part, NULL, NULL }, close);
    rename_call(parser, call, "INSTR");
    return call;
}

AstExpr *build_rounded(Parser *parser, AstNames *path, AstExpr *time, AstName unit, Token close)
{
    AstExpr *name = build_expr(parser, AST_LITERAL, unit.at);
    name->op_at = unit.at;
    name->value = (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(unit.text) };
    const bool down = strcasecmp(path->items[0].text, "FLOOR") == 0;
    AstExpr *call = build_phrase(parser, path, (AstExpr *const[4]){ build_done(parser, name), time, NULL, NULL }, close);
    rename_call(parser, call, down ? "DATE_TRUNC" : "DATE_CEIL");
    return call;
}

/* parser/parser_internal.h: what the files of this room share: tokens, the state of one parse, builders.
 *
 *   text --lexer.re--> raw tokens --shim.c--> tokens as the grammar wants them --sql.y--> tree (build.c, literal.c)
 *
 * A raw token is a word, a literal or an operator. Only the shim knows whether a word is a keyword at its place. */
#pragma once
#include <inttypes.h>
#include <stdio.h>
#include "common/calendar.h"
#include "common/decimal.h"
#include "parser/parser.h"

/* Brackets, CASEs and prefix operators inside one another. */
#define PARSER_MAX_NESTING 1000
/* Height of an expression's tree: a + a + a ... of more operands than this is refused, since every later
 * stage walks the tree recursively. */
#define PARSER_MAX_DEPTH 3000
/* Joins in one FROM, set operations in one query. */
#define PARSER_MAX_CHAIN 1000

typedef enum KeywordClass {
    KEYWORD_NONE,
    KEYWORD_PLAIN,    /* the grammar falls back to a name where the word is not expected */
    KEYWORD_SHAPED,   /* a keyword only where the tokens around it fit (shim.c); a name elsewhere */
    KEYWORD_RESERVED  /* never a name, unless it follows a '.' or names a property */
} KeywordClass;

enum {
    TOKEN_QUOTED = 1,    /* "x", `x`, [x] */
    TOKEN_BODY = 2,      /* $$ .. $$: a string taken verbatim */
    TOKEN_VARIABLE = 4,  /* out of a ${name}: `at` is the place of the ${name} */
    TOKEN_LAMBDA = 8,    /* a lambda's parameters begin here */
    TOKEN_NAME = 16,     /* a name whatever the word: `x =>`, a parameter of a lambda */
    TOKEN_PHRASE = 32    /* a word between the arguments of a call: phrase.c */
};

typedef struct Token {
    const char *text;       /* as written, quotes included; not ended by a 0 */
    uint32_t length;
    Span at;
    uint16_t code;          /* TK_.. */
    uint16_t keyword;       /* TK_.. of a word that can be one, else 0 */
    uint8_t keyword_class;  /* KeywordClass */
    uint8_t flags;
} Token;

typedef struct Tokens { Token *items; int count, capacity; } Tokens;

/* Where the lexer stands in a text that ends with a 0. */
typedef struct Lexer {
    const char *text, *cursor, *limit;
    Token previous;         /* for `[`: quote or subscript */
    int word_index;         /* tokens since the statement began */
    int paren_depth;
    int match_depth;        /* paren depth inside MATCH_RECOGNIZE (..), or 0: PATTERN ( .. ) is raw text there */
    bool pattern_next;      /* PATTERN ( was read */
    bool match_next;        /* MATCH_RECOGNIZE was read */
    bool in_hint;
    int variable_depth;
} Lexer;

typedef struct ErrorList { Error *first, *last; } ErrorList;

typedef struct Parser {
    Arena *arena;           /* the tree */
    Arena *scratch;         /* tokens, the stack; freed when the parse ends */
    const char *text;
    size_t length;
    Lexer lexer;
    ErrorList errors;       /* of the script so far; owned, freed with `scratch` if a guard is left */
    Error *error;           /* of this statement: the first one counts; likewise owned */
    struct { const char **names, **values; int count, capacity; } variables;
    Tokens raw;             /* this statement */
    Span last;              /* the token before the one that is being parsed */
    const Token *current;   /* being parsed, in raw; NULL at the end */
    bool unexpected;        /* the grammar refused the token */
    AstStatement *statement;
    AstExpr *expression;
    struct { AstOver **items; int count, capacity; } named_overs; /* OVER w of SELECTs that are not complete */
    void *engine;           /* lemon's state */
} Parser;

/* ---- lexer.re ---- */
/* Reads the next token. At the end of the text its code is 0. */
Error *lexer_next(Lexer *lexer, Token *token);

/* ---- keywords.c ---- */
/* The keyword's code, or 0; fills the class. */
int keyword_find(const char *text, size_t length, KeywordClass *class);
const char *keyword_name(int code); /* NULL for what is no keyword */
KeywordClass keyword_class(int code);

/* ---- shim.c ---- */
/* Feeds the statement's raw tokens to the grammar, each as what it is at its place. Errors go to parser->error. */
void shim_feed(Parser *parser, const Token *tokens, int count, bool as_expression);

/* ---- sql.y ---- */
size_t sql_engine_size(void);
void sql_parseInit(void *engine, Parser *parser);
void sql_parse(void *engine, int code, Token token);
int sql_token_count(void);
/* Which tokens the grammar would take next. Asked before the refused token is fed: lemon reduces by default
 * before it finds an error, and then knows less. */
void sql_accepted(void *engine, Arena *scratch, bool accepted[]);

/* ---- messages.c ---- */
/* The first error of a statement stays; later ones, which often follow from it, are dropped. */
void parser_fail(Parser *parser, Error *error);
/* `accepted[code]` says which tokens could have stood here. */
/* Tokens of the statement, the one at `index` did not fit (count: its end): the refusal of something that other systems have; NULL: it is nothing of the
 * kind. refused.c */
Error *parser_refused(Parser *parser, const Token *tokens, int count, int index);
void parser_unexpected(Parser *parser, const bool accepted[], int code_count, bool is_lambda);
const char *parser_token_text(const Token *token, char *buffer, size_t size); /* shortened for messages */

/* ---- literal.c ---- */
char *token_string(Parser *parser, Token token);           /* a string's content, unescaped, ${name} replaced */
size_t token_content(Parser *parser, Token token, char **content);
AstName token_name(Parser *parser, Token token);
AstExpr *literal_number(Parser *parser, Token token);
AstExpr *literal_string(Parser *parser, Token token);
AstExpr *literal_bytes(Parser *parser, Token token);
AstExpr *literal_constant(Parser *parser, Token token);    /* TRUE, FALSE, NULL */
AstExpr *literal_typed(Parser *parser, Token type, Token text); /* DATE '..', TIME '..', TIMESTAMP '..' */
/* INTERVAL [sign] amount [unit [TO unit]]; tokens of code 0 were not given. */
AstDuration literal_interval(Parser *parser, Token start, bool negative, Token amount, Token unit, Token to);
bool interval_unit_known(const char *text, size_t length);
bool string_is_number(const Token *token); /* '5', '-1.5': a unit must follow */

/* ---- print.c ---- */
void print_name(const AstName *name, Text *text); /* quoted if it was */

/* ---- build.c ---- */
typedef struct NamedWindows { AstNamedWindow *items; int count, capacity; } NamedWindows;

typedef struct Clause { /* a clause of a query, in whatever order it came */
    enum { CLAUSE_INTO, CLAUSE_FROM, CLAUSE_WINDOW, CLAUSE_WHERE, CLAUSE_GROUP, CLAUSE_LATENESS, CLAUSE_LATE,
           CLAUSE_PARTITION, CLAUSE_HAVING, CLAUSE_QUALIFY, CLAUSE_NAMED_WINDOWS, CLAUSE_ORDER, CLAUSE_EMIT, CLAUSE_LIMIT, CLAUSE_OFFSET } kind;
    Span at; /* the keyword */
    AstName name;
    AstRelation *relation;
    AstExpr *expr;
    AstExprs *exprs;
    AstOrder *order;
    AstQuery *group; /* only its group_.. fields */
    AstWindow window;
    const NamedWindows *windows;
    AstEmit emit;
    AstDuration duration;
} Clause;

typedef struct ClauseList { Clause **items; int count, capacity; } ClauseList;

typedef struct Operand { /* of a set operation */
    AstQuery *query;
    bool open;               /* not in parentheses: its trailing ORDER BY, EMIT, LIMIT belong to the whole */
    const ClauseList *tails; /* such clauses behind its closing parenthesis */
} Operand;

typedef struct WindowOption {
    enum { WINDOW_SIZE, WINDOW_GAP, WINDOW_ADVANCE, WINDOW_STEP, WINDOW_OFFSET, WINDOW_RETENTION, WINDOW_GRACE, WINDOW_ZONE, WINDOW_LATE } kind;
    Span at;
    AstDuration duration;
    bool is_count; int64_t count;
    const char *text; Span text_at;
    AstName name;
} WindowOption;
typedef struct WindowOptions { WindowOption *items; int count, capacity; } WindowOptions;

typedef struct Element { /* between the parentheses of CREATE */
    enum { ELEMENT_COLUMN, ELEMENT_WATERMARK, ELEMENT_PRIMARY_KEY } kind;
    Span at;
    AstColumn column;
    AstName name;
    AstExpr *expr;
    AstNames *names;
    bool not_enforced;
} Element;
typedef struct Elements { Element *items; int count, capacity; } Elements;

typedef struct NamedExpr { AstName name; AstExpr *expr; } NamedExpr;
typedef struct NamedExprs { NamedExpr *items; int count, capacity; } NamedExprs;
typedef struct AstSubsets { AstSubset *items; int count, capacity; } AstSubsets;
typedef struct MatchSkipTo { AstSkip kind; AstName variable; } MatchSkipTo;
typedef struct Fields { AstField *items; int count, capacity; } Fields;
typedef struct Rows { AstExprs *items; int count, capacity; } Rows;
typedef struct Columns { AstColumn *items; int count, capacity; } Columns;
typedef struct SelectItems { AstSelectItem *items; int count, capacity; } SelectItems;
typedef struct Ctes { AstCte *items; int count, capacity; } Ctes;
typedef struct Duo { AstDuration before, after, grace; bool given; } Duo;

AstExpr *build_expr(Parser *parser, AstExprKind kind, Span at);
/* To be called once the children are in place: computes the depth and refuses what is too deep. */
AstExpr *build_done(Parser *parser, AstExpr *expr);
AstExpr *build_binary(Parser *parser, AstOperator op, AstExpr *left, Token op_token, AstExpr *right);
AstExpr *build_unary(Parser *parser, AstOperator op, Token op_token, AstExpr *operand);
AstExpr *build_name(Parser *parser, AstNames *path);
AstExpr *build_call(Parser *parser, AstNames *path, AstExprs *args, Token close);
AstExpr *build_query_expr(Parser *parser, AstExprKind kind, Span at, AstQuery *query);
AstExpr *build_map_brackets(Parser *parser, Token map, AstExprs *items, Token close);
AstExprs *exprs_add(Parser *parser, AstExprs *list, AstExpr *expr);
AstNames *names_add(Parser *parser, AstNames *list, AstName name);
Span names_span(const AstNames *names);
Span exprs_span(const AstExprs *exprs);
/* GROUP BY (a, b) and PARTITION BY (a, b) mean the list without the parentheses. */
AstExprs *exprs_unwrap(AstExprs *exprs);

AstQuery *build_select(Parser *parser, Token select, bool distinct, SelectItems *items);
void query_add_clause(Parser *parser, AstQuery *query, const Clause *clause);
/* The query of an operand that stands alone, with what follows its parenthesis. */
AstQuery *operand_query(Parser *parser, Operand operand);
Operand build_set_operation(Parser *parser, Operand left, AstSetKind kind, bool all, Token op, Operand right);
bool query_is_bare(const AstQuery *query); /* nothing but a SELECT or VALUES: no WITH, ORDER BY, EMIT, LIMIT */
AstQuery *query_with_ctes(Parser *parser, Ctes *ctes, AstQuery *query);
/* The last touches once a query is whole: depth, TIMESTAMP BY of a lone source. */
AstQuery *query_done(Parser *parser, AstQuery *query);
AstQuery *build_group(Parser *parser, AstExprs *plain, AstGroupKind kind, Rows *sets, Span at);
AstQuery *group_merge(Parser *parser, AstQuery *list, AstQuery *item);

/* ---- build_over.c ---- */
/* The OVER is, or begins with, the window of that name; the end of the SELECT says what that is. */
void over_named(Parser *parser, AstOver *over, AstName base);
AstExpr *call_over(Parser *parser, AstExpr *call, AstOver *over, Span at);
void query_resolve_windows(Parser *parser, AstQuery *query);
/* ASA's ISFIRST(unit, n) may do without OVER: it then speaks of all rows. */
AstExpr *is_first_of_all(Parser *parser, AstExpr *call);
/* At the end of a statement: what names a window and stands in no SELECT. */
void overs_settled(Parser *parser);

AstRelation *build_relation(Parser *parser, AstRelationKind kind, Span at);
AstRelation *build_function(Parser *parser, AstExpr *call, Span at, bool with_ordinality);
AstExpr *table_call(Parser *parser, AstExpr *call);
AstRelation *build_join(Parser *parser, AstRelation *left, AstJoinKind kind, bool natural, Token op, AstRelation *right,
                        const Duo *within, AstExpr *on, AstNames *using);
AstRelation *build_relation_query(Parser *parser, AstQuery *query);
void relation_alias(Parser *parser, AstRelation *relation, AstName alias, AstNames *columns);
void relation_timestamp(Parser *parser, AstRelation *relation, Token timestamp, AstExpr *by, AstExpr *over);

AstWindow build_window(Parser *parser, Token window, Token kind, WindowOptions *options, Token close);
AstType *build_type(Parser *parser, AstName name);
int integer_value(Parser *parser, Token token);
int64_t integer_value64(Parser *parser, Token token);

AstStatement *build_statement(Parser *parser, AstStatementKind kind);
void create_elements(Parser *parser, AstCreate *create, Elements *elements);
AstStatement *build_create(Parser *parser, AstCreate *create, AstQuery *query, Span at);
AstStatement *build_insert(Parser *parser, AstName target, bool overwrite, AstNames *columns, AstProperties *with, AstQuery *query);
void property_add(Parser *parser, AstProperties *list, OptionEntry entry);
void named_split(Parser *parser, const NamedExprs *list, AstExpr ***exprs, AstName **names, int *count);
AstName words_join(Parser *parser, AstName left, const char *between, AstName right); /* a.b-c as one text */
/* phrase.c: SUBSTRING(x FROM n FOR m) and others of its kind. */
void mark_phrases(Token *tokens, int count);
int phrase_word(const Token *token); /* what a word that was marked is to the grammar */
AstExpr *build_phrase(Parser *parser, AstNames *path, AstExpr *const args[4], Token close); /* those that are not NULL */
AstExpr *build_from(Parser *parser, AstNames *path, AstExpr *first, AstExpr *second, Token close);
AstExpr *build_trim(Parser *parser, AstNames *path, const Token *side, AstExpr *characters, AstExpr *text, Token close);
AstExpr *build_position(Parser *parser, AstNames *path, AstExpr *part, AstExpr *text, Token close);
/* phrase_json.c: what SQL's functions on JSON say behind their arguments. */
typedef struct JsonClause {
    Span at;
    AstType *type;          /* RETURNING */
    AstExpr *value;         /* DEFAULT value ON .. */
    bool wrapper, conditional;
    Token first, last, on;  /* of NULL, EMPTY ARRAY, WITH CONDITIONAL ..; what stands behind ON */
} JsonClause;
typedef struct JsonClauses { JsonClause *items; int count, capacity; } JsonClauses;
bool phrase_is_json(const Token *name);
void mark_json_words(Token *tokens, int count, int open);
int phrase_json_word(const Token *token);
/* CASE x WHEN a, b THEN v: each with the same v; without x it is a mistake. */
AstExprs *whens_add(Parser *parser, AstExprs *list, AstExpr *first, AstExprs *others, AstExpr *value);
void whens_checked(Parser *parser, const AstExprs *whens);
AstExpr *build_json_call(Parser *parser, AstNames *path, AstExprs *args, bool pairs, JsonClauses *clauses, Token close);
AstExpr *build_is_json(Parser *parser, AstExpr *value, bool negated, Token is_word, const Token *kind);
AstExpr *build_rounded(Parser *parser, AstNames *path, AstExpr *time, AstName unit, Token close);
void match_rows(Parser *parser, AstMatch *match, AstMatchRows rows, Span at); /* ONE ROW PER MATCH, ALL ROWS .. */
AstPattern *read_pattern(Parser *parser, Token token); /* pattern.c; NULL: the error is noted */
const char *token_source(Parser *parser, Span at, const Token *token); /* the token's text as written, ended by a 0 */

/* parser/sql.y: the grammar, for lemon. It builds the tree through build.c and literal.c.
 *
 * What a word means at its place the shim has decided already (shim.c), so the grammar has no conflicts:
 * words that may follow a relation or an expression arrive as keywords only where they are meant.
 * Boolean expressions (`expr`) and others (`value`) are two nonterminals, so BETWEEN's AND is not ambiguous. */
%name sql_parse
%token_prefix TK_
%token_type { Token }
%extra_context { Parser *parser }
%stack_size 20000
%start_symbol input

%include {
#include <assert.h>
#include <ctype.h>
#include "parser/parser_internal.h"
#include "parser/sql.h"

/* No recovery inside a statement: the driver goes on behind the next `;`. */
#define YYNOERRORRECOVERY 1
/* Lemon's own memory is a block of the scratch arena. */
#define sql_parse_ENGINEALWAYSONSTACK 1

#define AT(token) ((token).at)
#define JOINED(a, b) span_join((a), (b))
#define NEW(Type) ARENA_NEW(parser->arena, Type)

static AstExpr *predicate(Parser *parser, AstExprKind kind, AstExpr *left, Token op, bool negated)
{
    AstExpr *expr = build_expr(parser, kind, left->at);
    expr->left = left;
    expr->op_at = op.at;
    expr->negated = negated;
    return expr;
}

static Clause *new_clause(Parser *parser, int kind, Token keyword)
{
    Clause *clause = NEW(Clause);
    clause->kind = kind;
    clause->at = keyword.at;
    return clause;
}

static WindowOption *window_option(Parser *parser, int kind, Token keyword)
{
    WindowOption *option = NEW(WindowOption);
    option->kind = kind;
    option->at = keyword.at;
    return option;
}

static bool token_is(Token token, const char *word) { return token.length == strlen(word) && strncasecmp(token.text, word, token.length) == 0; }

static AstStatement *named_statement(Parser *parser, AstStatementKind kind, AstName name)
{
    AstStatement *statement = build_statement(parser, kind);
    statement->name = name;
    return statement;
}

static AstStatement *show(Parser *parser, AstShowKind kind)
{
    AstStatement *statement = build_statement(parser, AST_STMT_SHOW);
    statement->show = kind;
    return statement;
}

static AstStatement *assertion(Parser *parser, AstAssertKind kind)
{
    AstStatement *statement = build_statement(parser, AST_STMT_ASSERT);
    statement->assert = kind;
    return statement;
}

typedef struct AliasPart { AstName name; AstNames *columns; } AliasPart;
typedef struct CreateFlags { bool or_replace, temporary, source, sink, if_not_exists; Span source_at; } CreateFlags;

static AstCreate *new_create(Parser *parser, AstObjectKind object, CreateFlags flags, bool if_not_exists, Token name)
{
    AstCreate *create = NEW(AstCreate);
    create->object = object;
    create->or_replace = flags.or_replace;
    create->temporary = flags.temporary;
    create->is_source = flags.source;
    create->if_not_exists = if_not_exists;
    create->name = token_name(parser, name);
    return create;
}
}

%code {
size_t sql_engine_size(void) { return sizeof(yyParser); }

/* Would `token` be shifted, after the reductions it would bring about? Runs them on a copy of the states. */
static bool would_shift(const YYACTIONTYPE *states, int count, YYACTIONTYPE *room, int token)
{
    int top = count - 1;
    memcpy(room, states, sizeof *room * (size_t)count);
    for (;;) {
        YYACTIONTYPE action = room[top];
        if (action <= YY_MAX_SHIFT) { /* without the fallback: this word itself */
            int i = yy_shift_ofst[room[top]] + token;
            action = yy_lookahead[i] == token ? yy_action[i] : yy_default[room[top]];
        }
        if (action == YY_ACCEPT_ACTION)
            return true;
        if (action <= YY_MAX_SHIFTREDUCE)
            return true;
        if (action < YY_MIN_REDUCE)
            return false;
        int rule = action - YY_MIN_REDUCE;
        top += yyRuleInfoNRhs[rule]; /* negative */
        if (top < 0 || room[top] > YY_MAX_SHIFT)
            return false;
        room[top + 1] = yy_find_reduce_action(room[top], yyRuleInfoLhs[rule]);
        if (room[top + 1] > YY_MAX_SHIFT && room[top + 1] <= YY_MAX_SHIFTREDUCE)
            room[top + 1] = (YYACTIONTYPE)(room[top + 1] + (YY_MIN_REDUCE - YY_MIN_SHIFTREDUCE));
        top++;
    }
}

void sql_accepted(void *parser_engine, Arena *scratch, bool accepted[])
{
    yyParser *engine = parser_engine;
    int count = (int)(engine->yytos - engine->yystack) + 1;
    size_t room_size = (size_t)count + YYNSTATE; /* reductions of nothing push states */
    YYACTIONTYPE *states = arena_alloc(scratch, sizeof *states * room_size), *room = arena_alloc(scratch, sizeof *room * room_size);
    for (int i = 0; i < count; i++)
        states[i] = engine->yystack[i].stateno;
    /* A pending reduction (lemon's SHIFTREDUCE) is still an action there; would_shift runs it. */
    for (int token = 0; token < YYNTOKEN; token++)
        accepted[token] = would_shift(states, count, room, token);
}

int sql_token_count(void) { return YYNTOKEN; }
}

%syntax_error { (void)yymajor; (void)TOKEN; parser->unexpected = true; }
%stack_overflow {
    parser_fail(parser, error_at(ERR_PARSE, parser->current ? parser->current->at : parser->last,
                                 "nested deeper than %d levels", PARSER_MAX_NESTING));
}

/* Known to the lexer and the driver alone. */
%token SEMI VARIABLE.

%fallback ID
  CREATE REPLACE TEMPORARY SOURCE SINK STREAM VIEW TYPE FUNCTION AGGREGATE CONNECTOR DROP DELETE TOPIC ALTER SYSTEM ADD
  COLUMN DESCRIBE DESC EXTENDED SHOW LIST STREAMS TABLES VIEWS QUERIES TOPICS FUNCTIONS TYPES VARIABLES PROPERTIES LAG
  CONNECTORS PLUGINS EXPLAIN ANALYZE WHY NO OUTPUT PLAN SET UNSET RESET DEFINE UNDEFINE TERMINATE PAUSE RESUME PRINT
  BEGINNING SAMPLE RUN SCRIPT ASSERT TOMBSTONE SCHEMA SUBJECT IDWORD TIMEOUT INSERT OVERWRITE KEY ENFORCED HEADERS HEADER
  METADATA VIRTUAL DEFAULT COMMENT PARTITIONED RETURNS LANGUAGE ESCAPE ASC FIRST LAST NEXT ROWS RANGE ONLY UNBOUNDED
  PRECEDING FOLLOWING ORDINALITY APPLY OPTIONS ZONE LOCAL UNKNOWN SIZE ADVANCE STEP RETENTION CHANGES FINAL AFTER DELAY
  OF MEASURES ONE PER MATCH SKIP PAST PATTERN SUBSET EMPTY MATCHES OMIT UNMATCHED GROUPS EXCLUDE TIES OTHERS.

/* Lowest first. A `)` after a sub-query belongs to it: ((SELECT 1)) is one sub-query. */
%nonassoc AS_EXPRESSION.
%nonassoc ZONE_PATH. /* a dot behind a zone's name belongs to the name */
%nonassoc DOT.
%nonassoc AS_QUERY.
%nonassoc RP IGNORE RESPECT ORDER.
%left OR.
%left AND.
%right NOT.
%left PLUS MINUS CONCAT.
%left STAR SLASH PERCENT.
%right SIGN.

input ::= statement(S). { parser->statement = S; overs_settled(parser); }
input ::= EXPRESSION expr(E). { parser->expression = E; }

/* ================================================================ names, lists */

%type name { AstName }
name(A) ::= ID(T). { A = token_name(parser, T); }
%type names { AstNames * }
names(A) ::= name(N). { A = names_add(parser, NULL, N); }
names(A) ::= names(L) COMMA name(N). { A = names_add(parser, L, N); }
%type path { AstNames * }
path(A) ::= name(N). { A = names_add(parser, NULL, N); }
path(A) ::= path(L) DOT name(N). { A = names_add(parser, L, N); }

%type exprs { AstExprs * }
exprs(A) ::= expr(E). { A = exprs_add(parser, NULL, E); }
exprs(A) ::= exprs(L) COMMA expr(E). { A = exprs_add(parser, L, E); }
%type exprs_opt { AstExprs * }
exprs_opt(A) ::= . { A = exprs_add(parser, NULL, NULL); }
exprs_opt(A) ::= exprs(L). { A = L; }

%type order { AstOrder * }
order(A) ::= order_item(I). { A = NEW(AstOrder); LIST_ADD(parser->arena, A, *I); }
order(A) ::= order(L) COMMA order_item(I). { A = L; LIST_ADD(parser->arena, A, *I); }
%type order_item { AstOrderItem * }
order_item(A) ::= expr(E) direction(D) nulls(N). {
    A = NEW(AstOrderItem);
    *A = (AstOrderItem){ .expr = E, .descending = D, .nulls = N, .at = E->at };
}
%type direction { int }
direction(A) ::= . { A = 0; }
direction(A) ::= ASC. { A = 0; }
direction(A) ::= DESC. { A = 1; }
%type nulls { int }
nulls(A) ::= . { A = 0; }
nulls(A) ::= NULLS FIRST. { A = 1; }
nulls(A) ::= NULLS LAST. { A = 2; }

/* ================================================================ types */

%type type { AstType * }
type(A) ::= plain_type(T). { A = T; }
type(A) ::= plain_type(T) TYPE_WITH TIME ZONE(Z). { A = T; A->with_time_zone = true; A->at = JOINED(A->at, AT(Z)); }
type(A) ::= plain_type(T) TYPE_WITH LOCAL TIME ZONE(Z). { A = T; A->with_local_time_zone = true; A->at = JOINED(A->at, AT(Z)); }
type(A) ::= plain_type(T) WITHOUT TIME ZONE(Z). { A = T; A->at = JOINED(A->at, AT(Z)); }
type(A) ::= ARRAY(K) TYPE_LT inner_type(T) TYPE_GT(G). {
    A = build_type(parser, token_name(parser, K));
    A->is_array = true; A->element = T; A->at = JOINED(AT(K), AT(G));
}
type(A) ::= MAP(M) TYPE_LT inner_type(K) COMMA inner_type(V) TYPE_GT(G). {
    A = build_type(parser, token_name(parser, M));
    A->is_map = true; A->key = K; A->element = V; A->at = JOINED(AT(M), AT(G));
}
type(A) ::= struct_word(K) TYPE_LT fields(F) TYPE_GT(G). {
    A = build_type(parser, token_name(parser, K));
    A->is_struct = true; memcpy(&A->fields, F, sizeof A->fields); A->at = JOINED(AT(K), AT(G));
}
type(A) ::= ROW(K) LP fields(F) RP(G). {
    A = build_type(parser, token_name(parser, K));
    A->is_struct = true; memcpy(&A->fields, F, sizeof A->fields); A->at = JOINED(AT(K), AT(G));
}
type(A) ::= struct_word(K) NE(G). { /* STRUCT<> */
    A = build_type(parser, token_name(parser, K));
    A->is_struct = true; A->at = JOINED(AT(K), AT(G));
}
type(A) ::= struct_word(K) TYPE_LT TYPE_GT(G). {
    A = build_type(parser, token_name(parser, K));
    A->is_struct = true; A->at = JOINED(AT(K), AT(G));
}
%type struct_word { Token }
struct_word(A) ::= STRUCT(T). { A = T; }
struct_word(A) ::= ROW(T). { A = T; }

%type plain_type { AstType * }
plain_type(A) ::= name(N). { A = build_type(parser, N); }
plain_type(A) ::= name(N) PRECISION(P). { A = build_type(parser, N); A->at = JOINED(A->at, AT(P)); }
plain_type(A) ::= name(N) LP INTEGER(P) RP(R). {
    A = build_type(parser, N);
    A->precision = integer_value(parser, P); A->at = JOINED(A->at, AT(R));
}
plain_type(A) ::= name(N) LP INTEGER(P) COMMA INTEGER(S) RP(R). {
    A = build_type(parser, N);
    A->precision = integer_value(parser, P); A->scale = integer_value(parser, S); A->at = JOINED(A->at, AT(R));
}
plain_type(A) ::= name(N) LP name(M) RP(R). { /* nvarchar(max) */
    A = build_type(parser, N);
    A->at = JOINED(A->at, AT(R));
    if (!name_equal(M.text, "max"))
        parser_fail(parser, error_at(ERR_PARSE, M.at, "expected a number or 'max', found '%s'", M.text));
}
%type inner_type { AstType * }
inner_type(A) ::= type(T). { A = T; }
inner_type(A) ::= type(T) NOT_NULL NULL. { A = T; A->not_null = true; }
inner_type(A) ::= type(T) NULL. { A = T; }
%type fields { Fields * }
fields(A) ::= name(N) inner_type(T). { A = NEW(Fields); LIST_ADD(parser->arena, A, ((AstField){ N, T })); }
fields(A) ::= fields(L) COMMA name(N) inner_type(T). { A = L; LIST_ADD(parser->arena, A, ((AstField){ N, T })); }

/* ================================================================ expressions */

%type expr { AstExpr * }
expr(A) ::= expr(L) OR(T) expr(R). { A = build_binary(parser, OP_OR, L, T, R); }
expr(A) ::= expr(L) AND(T) expr(R). { A = build_binary(parser, OP_AND, L, T, R); }
expr(A) ::= NOT(T) expr(E). { A = build_unary(parser, OP_NOT, T, E); }
expr(A) ::= predicate(P). { A = P; }

%type predicate { AstExpr * }
predicate(A) ::= value(V). { A = V; }
predicate(A) ::= predicate(L) EQ(T) value(R). { A = build_binary(parser, OP_EQUAL, L, T, R); }
predicate(A) ::= predicate(L) NE(T) value(R). { A = build_binary(parser, OP_NOT_EQUAL, L, T, R); }
predicate(A) ::= predicate(L) LT(T) value(R). { A = build_binary(parser, OP_LESS, L, T, R); }
predicate(A) ::= predicate(L) LE(T) value(R). { A = build_binary(parser, OP_LESS_EQUAL, L, T, R); }
predicate(A) ::= predicate(L) GT(T) value(R). { A = build_binary(parser, OP_GREATER, L, T, R); }
predicate(A) ::= predicate(L) GE(T) value(R). { A = build_binary(parser, OP_GREATER_EQUAL, L, T, R); }
predicate(A) ::= predicate(L) IS(T) not_opt(N) is_what(K). {
    A = predicate(parser, AST_IS, L, T, N); A->is = K;
    A->at = JOINED(L->at, parser->last); build_done(parser, A);
}
predicate(A) ::= predicate(L) IS(T) not_opt(N) DISTINCT FROM value(R). {
    A = predicate(parser, AST_IS, L, T, N); A->is = IS_DISTINCT; A->right = R; build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) BETWEEN(T) value(X) AND value(Y). {
    A = predicate(parser, AST_BETWEEN, L, T, N);
    exprs_add(parser, &A->args, X); exprs_add(parser, &A->args, Y); build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) BETWEEN(T) SYMMETRIC value(X) AND value(Y). {
    A = predicate(parser, AST_BETWEEN, L, T, N); A->symmetric = true;
    exprs_add(parser, &A->args, X); exprs_add(parser, &A->args, Y); build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) BETWEEN(T) ASYMMETRIC value(X) AND value(Y). {
    A = predicate(parser, AST_BETWEEN, L, T, N);
    exprs_add(parser, &A->args, X); exprs_add(parser, &A->args, Y); build_done(parser, A);
}
predicate(A) ::= predicate(L) IS(T) not_opt(N) JSON. { A = build_is_json(parser, L, N, T, NULL); }
predicate(A) ::= predicate(L) IS(T) not_opt(N) JSON JSON_KIND(K). { A = build_is_json(parser, L, N, T, &K); }
predicate(A) ::= predicate(L) not_opt(N) SIMILAR(T) TO value(R). {
    A = predicate(parser, AST_LIKE, L, T, N); A->similar = true; A->right = R; build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) SIMILAR(T) TO value(R) ESCAPE value(E). {
    A = predicate(parser, AST_LIKE, L, T, N); A->similar = true; A->right = R; exprs_add(parser, &A->args, E); build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) LIKE(T) value(R). {
    A = predicate(parser, AST_LIKE, L, T, N); A->right = R; build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) LIKE(T) value(R) ESCAPE value(E). {
    A = predicate(parser, AST_LIKE, L, T, N); A->right = R; exprs_add(parser, &A->args, E); build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) IN(T) LP exprs(X) RP(R). {
    A = predicate(parser, AST_IN_LIST, L, T, N); A->args = *X; A->at = JOINED(L->at, AT(R)); build_done(parser, A);
}
predicate(A) ::= predicate(L) not_opt(N) IN(T) subquery(Q). {
    A = predicate(parser, AST_IN_QUERY, L, T, N); A->query = Q; A->at = JOINED(L->at, Q->at); build_done(parser, A);
}
predicate(A) ::= predicate(L) comparison(T) QUANTIFIER(K) subquery(Q). {
    A = predicate(parser, AST_QUANTIFIED, L, T, 0); A->op = (AstOperator)T.flags; A->all = K.length == 3 && (K.text[1] | 0x20) == 'l';
    A->query = Q; A->at = JOINED(L->at, Q->at); build_done(parser, A);
}
%type comparison { Token }
comparison(A) ::= EQ(T). { A = T; A.flags = OP_EQUAL; }
comparison(A) ::= NE(T). { A = T; A.flags = OP_NOT_EQUAL; }
comparison(A) ::= LT(T). { A = T; A.flags = OP_LESS; }
comparison(A) ::= LE(T). { A = T; A.flags = OP_LESS_EQUAL; }
comparison(A) ::= GT(T). { A = T; A.flags = OP_GREATER; }
comparison(A) ::= GE(T). { A = T; A.flags = OP_GREATER_EQUAL; }
%type is_what { AstIsKind }
is_what(A) ::= NULL. { A = IS_NULL; }
is_what(A) ::= TRUE. { A = IS_TRUE; }
is_what(A) ::= FALSE. { A = IS_FALSE; }
is_what(A) ::= UNKNOWN. { A = IS_UNKNOWN; }
%type not_opt { int }
not_opt(A) ::= . { A = 0; }
not_opt(A) ::= NOT. { A = 1; }

%type value { AstExpr * }
value(A) ::= value(L) PLUS(T) value(R). { A = build_binary(parser, OP_ADD, L, T, R); }
value(A) ::= value(L) MINUS(T) value(R). { A = build_binary(parser, OP_SUBTRACT, L, T, R); }
value(A) ::= value(L) CONCAT(T) value(R). { A = build_binary(parser, OP_CONCAT, L, T, R); }
value(A) ::= value(L) STAR(T) value(R). { A = build_binary(parser, OP_MULTIPLY, L, T, R); }
value(A) ::= value(L) SLASH(T) value(R). { A = build_binary(parser, OP_DIVIDE, L, T, R); }
value(A) ::= value(L) PERCENT(T) value(R). { A = build_binary(parser, OP_MODULO, L, T, R); }
value(A) ::= MINUS(T) value(E). [SIGN] { A = build_unary(parser, OP_NEGATE, T, E); }
value(A) ::= PLUS(T) value(E). [SIGN] { A = build_unary(parser, OP_PLUS, T, E); }
value(A) ::= primary(E). { A = E; }

/* A path alone keeps its dots; behind anything else a dot is a field. */
%type primary { AstExpr * }
primary(A) ::= path(P). { A = build_name(parser, P); }
primary(A) ::= other(E). { A = E; }

%type other { AstExpr * }
other(A) ::= other(E) DOT name(N). {
    A = build_expr(parser, AST_FIELD, JOINED(E->at, N.at)); A->left = E; A->op_at = N.at;
    names_add(parser, &A->path, N); build_done(parser, A);
}
other(A) ::= primary(E) FIELD name(N). {
    A = build_expr(parser, AST_FIELD, JOINED(E->at, N.at)); A->left = E; A->op_at = N.at;
    names_add(parser, &A->path, N); build_done(parser, A);
}
other(A) ::= primary(E) FIELD STAR(T). {
    A = build_expr(parser, AST_STAR, JOINED(E->at, AT(T))); A->left = E; A->op_at = AT(T); build_done(parser, A);
}
other(A) ::= primary(E) LB expr(I) RB(R). {
    A = build_expr(parser, AST_SUBSCRIPT, JOINED(E->at, AT(R))); A->left = E; A->right = I; A->op_at = I->at; build_done(parser, A);
}
other(A) ::= primary(E) DCOLON(T) type(Y). {
    A = build_expr(parser, AST_CAST, JOINED(E->at, Y->at)); A->left = E; A->type = Y; A->op_at = AT(T); build_done(parser, A);
}
/* The function of that name. */
other(A) ::= primary(E) AT(T) TIME ZONE zone(Z). {
    A = build_expr(parser, AST_CALL, JOINED(E->at, Z->at)); A->op_at = AT(T);
    names_add(parser, &A->path, (AstName){ "at_time_zone", false, AT(T) });
    exprs_add(parser, &A->args, E); exprs_add(parser, &A->args, Z); build_done(parser, A);
}
%type zone { AstExpr * }
zone(A) ::= STRING(T). { A = literal_string(parser, T); }
zone(A) ::= path(P). [ZONE_PATH] { A = build_name(parser, P); }
zone(A) ::= LP(L) expr(E) RP(R). { A = E; A->parenthesized = true; A->at = JOINED(AT(L), AT(R)); }
other(A) ::= INTEGER(T). { A = literal_number(parser, T); }
other(A) ::= DECIMAL(T). { A = literal_number(parser, T); }
other(A) ::= FLOAT(T). { A = literal_number(parser, T); }
other(A) ::= STRING(T). { A = literal_string(parser, T); }
other(A) ::= BYTES(T). { A = literal_bytes(parser, T); }
other(A) ::= TRUE(T). { A = literal_constant(parser, T); }
other(A) ::= FALSE(T). { A = literal_constant(parser, T); }
other(A) ::= NULL(T). { A = literal_constant(parser, T); }
other(A) ::= DATE(T) STRING(S). { A = literal_typed(parser, T, S); }
other(A) ::= TIME(T) STRING(S). { A = literal_typed(parser, T, S); }
other(A) ::= TIMESTAMP(T) STRING(S). { A = literal_typed(parser, T, S); }
other(A) ::= interval(I). {
    A = build_expr(parser, AST_LITERAL, I.at);
    A->value.type = type_scalar(TYPE_INTERVAL); A->value.interval = I.interval; A->op_at = I.at; build_done(parser, A);
}
other(A) ::= PARAMETER(T). {
    A = build_expr(parser, AST_PARAMETER, AT(T)); A->op_at = AT(T);
    names_add(parser, &A->path, token_name(parser, T)); build_done(parser, A);
}
other(A) ::= LP(L) expr(E) RP(R). { A = E; A->parenthesized = true; A->at = JOINED(AT(L), AT(R)); }
other(A) ::= LP(L) expr(E) COMMA exprs(X) RP(R). {
    A = build_expr(parser, AST_STRUCT, JOINED(AT(L), AT(R))); A->op_at = A->at; A->parenthesized = true;
    exprs_add(parser, &A->args, E);
    for (int i = 0; i < X->count; i++)
        exprs_add(parser, &A->args, X->items[i]);
    build_done(parser, A);
}
other(A) ::= subquery(Q). [AS_EXPRESSION] { A = build_query_expr(parser, AST_SCALAR_QUERY, Q->at, Q); }
other(A) ::= EXISTS(T) subquery(Q). { A = build_query_expr(parser, AST_EXISTS, JOINED(AT(T), Q->at), Q); }
other(A) ::= CASE(T) whens(W) else_opt(E) END(Z). {
    whens_checked(parser, W);
    A = build_expr(parser, AST_CASE, JOINED(AT(T), AT(Z))); A->op_at = AT(T); A->args = *W; A->right = E; build_done(parser, A);
}
other(A) ::= CASE(T) expr(O) whens(W) else_opt(E) END(Z). {
    A = build_expr(parser, AST_CASE, JOINED(AT(T), AT(Z))); A->op_at = AT(T); A->left = O; A->args = *W; A->right = E; build_done(parser, A);
}
%type whens { AstExprs * }
whens(A) ::= WHEN expr(C) THEN expr(V). { A = exprs_add(parser, exprs_add(parser, NULL, C), V); }
whens(A) ::= whens(L) WHEN expr(C) THEN expr(V). { A = exprs_add(parser, exprs_add(parser, L, C), V); }
whens(A) ::= WHEN expr(C) COMMA exprs(X) THEN expr(V). { A = whens_add(parser, NULL, C, X, V); }
whens(A) ::= whens(L) WHEN expr(C) COMMA exprs(X) THEN expr(V). { A = whens_add(parser, L, C, X, V); }
%type else_opt { AstExpr * }
else_opt(A) ::= . { A = NULL; }
else_opt(A) ::= ELSE expr(E). { A = E; }
other(A) ::= cast_word(T) LP expr(E) AS type(Y) RP(R). {
    A = build_expr(parser, AST_CAST, JOINED(AT(T), AT(R))); A->op_at = AT(T); A->left = E; A->type = Y;
    A->try_cast = T.code == TK_TRY_CAST; build_done(parser, A);
}
%type cast_word { Token }
cast_word(A) ::= CAST(T). { A = T; }
cast_word(A) ::= TRY_CAST(T). { A = T; }
other(A) ::= EXTRACT(T) LP name(N) FROM expr(E) RP(R). {
    A = build_expr(parser, AST_EXTRACT, JOINED(AT(T), AT(R))); A->op_at = AT(T); A->left = E;
    names_add(parser, &A->path, N); build_done(parser, A);
}
other(A) ::= ARRAY(T) LB exprs_opt(X) RB(R). {
    A = build_expr(parser, AST_ARRAY, JOINED(AT(T), AT(R))); A->op_at = AT(T); A->args = *X; build_done(parser, A);
}
other(A) ::= MAP(T) LB exprs_opt(X) RB(R). { A = build_map_brackets(parser, T, X, R); }
other(A) ::= MAP(T) LP map_items(X) RP(R). {
    A = build_expr(parser, AST_MAP, JOINED(AT(T), AT(R))); A->op_at = AT(T); A->args = *X; build_done(parser, A);
}
other(A) ::= MAP(T) LP RP(R). {
    A = build_expr(parser, AST_MAP, JOINED(AT(T), AT(R))); A->op_at = AT(T); build_done(parser, A);
}
%type map_items { AstExprs * }
map_items(A) ::= expr(K) ASSIGN expr(V). { A = exprs_add(parser, exprs_add(parser, NULL, K), V); }
map_items(A) ::= map_items(L) COMMA expr(K) ASSIGN expr(V). { A = exprs_add(parser, exprs_add(parser, L, K), V); }
other(A) ::= STRUCT(T) LP struct_items(X) RP(R). { A = X; A->at = JOINED(AT(T), AT(R)); A->op_at = AT(T); build_done(parser, A); }
other(A) ::= STRUCT(T) LP RP(R). {
    A = build_expr(parser, AST_STRUCT, JOINED(AT(T), AT(R))); A->op_at = AT(T); build_done(parser, A);
}
%type struct_items { AstExpr * }
struct_items(A) ::= name(N) ASSIGN expr(V). {
    A = build_expr(parser, AST_STRUCT, V->at); names_add(parser, &A->path, N); exprs_add(parser, &A->args, V);
}
struct_items(A) ::= struct_items(L) COMMA name(N) ASSIGN expr(V). {
    A = L; names_add(parser, &A->path, N); exprs_add(parser, &A->args, V);
}
other(A) ::= ROW(T) LP exprs_opt(X) RP(R). {
    A = build_expr(parser, AST_STRUCT, JOINED(AT(T), AT(R))); A->op_at = AT(T); A->args = *X; build_done(parser, A);
}
other(A) ::= DESCRIPTOR(T) LP names(N) RP(R). {
    A = build_expr(parser, AST_DESCRIPTOR, JOINED(AT(T), AT(R))); A->op_at = AT(T); A->path = *N; build_done(parser, A);
}

/* ---- calls ---- */
other(A) ::= call(C). [AS_EXPRESSION] { A = is_first_of_all(parser, C); }
%type call { AstExpr * }
call(A) ::= plain_call(C). { A = C; }
call(A) ::= RUNNING_OF(T) plain_call(C). { A = C; A->semantics = MATCH_RUNNING; A->at = JOINED(AT(T), A->at); }
call(A) ::= FINAL_OF(T) plain_call(C). { A = C; A->semantics = MATCH_FINAL; A->at = JOINED(AT(T), A->at); }
call(A) ::= call(C) FILTER LP WHERE expr(E) RP(R). {
    A = C;
    if (A->filter)
        parser_fail(parser, error_at(ERR_PARSE, E->at, "a second FILTER of one call"));
    A->filter = E; A->at = JOINED(A->at, AT(R)); build_done(parser, A);
}
call(A) ::= call(C) OVER(T) LP over(O) RP. { A = call_over(parser, C, O, AT(T)); }
call(A) ::= call(C) OVER_NAME(T) name(N). {
    AstOver *over = NEW(AstOver);
    over_named(parser, over, N);
    A = call_over(parser, C, over, AT(T));
}
call(A) ::= call(C) IGNORE NULLS(T). { A = C; A->ignore_nulls = true; A->at = JOINED(A->at, AT(T)); }
call(A) ::= call(C) RESPECT NULLS(T). { A = C; A->at = JOINED(A->at, AT(T)); }
call(A) ::= call(C) WITHIN_GROUP(T) GROUP LP ORDER BY order(O) RP(R). {
    A = C;
    if (A->within_order.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second ORDER BY of one call"));
    A->within_order = *O; A->at = JOINED(A->at, AT(R)); build_done(parser, A);
}
%type plain_call { AstExpr * }
plain_call(A) ::= path(P) LP RP(R). { A = build_call(parser, P, NULL, R); }
plain_call(A) ::= path(P) LP args(X) RP(R). { A = build_call(parser, P, X, R); }
plain_call(A) ::= path(P) LP args(X) ORDER BY order(O) RP(R). {
    A = build_call(parser, P, X, R); A->within_order = *O; build_done(parser, A);
}
plain_call(A) ::= path(P) LP args(X) IGNORE NULLS RP(R). { A = build_call(parser, P, X, R); A->ignore_nulls = true; }
plain_call(A) ::= path(P) LP args(X) RESPECT NULLS RP(R). { A = build_call(parser, P, X, R); }
plain_call(A) ::= path(P) LP DISTINCT args(X) RP(R). { A = build_call(parser, P, X, R); A->distinct = true; }
plain_call(A) ::= path(P) LP DISTINCT args(X) ORDER BY order(O) RP(R). {
    A = build_call(parser, P, X, R); A->distinct = true; A->within_order = *O; build_done(parser, A);
}
plain_call(A) ::= path(P) LP ALL args(X) RP(R). { A = build_call(parser, P, X, R); }
/* Words between arguments: phrase.c */
plain_call(A) ::= path(P) LP expr(X) CALL_FROM expr(Y) RP(R). { A = build_from(parser, P, X, Y, R); }
plain_call(A) ::= path(P) LP expr(X) CALL_FROM expr(Y) CALL_FOR expr(Z) RP(R). { A = build_phrase(parser, P, (AstExpr *const[4]){ X, Y, Z, NULL }, R); }
plain_call(A) ::= path(P) LP expr(X) CALL_PLACING expr(Y) CALL_FROM expr(Z) RP(R). { A = build_phrase(parser, P, (AstExpr *const[4]){ X, Y, Z, NULL }, R); }
plain_call(A) ::= path(P) LP expr(X) CALL_PLACING expr(Y) CALL_FROM expr(Z) CALL_FOR expr(N) RP(R). { A = build_phrase(parser, P, (AstExpr *const[4]){ X, Y, Z, N }, R); }
plain_call(A) ::= path(P) LP expr(X) CALL_IN expr(Y) RP(R). { A = build_position(parser, P, X, Y, R); }
plain_call(A) ::= path(P) LP expr(X) CALL_TO name(N) RP(R). { A = build_rounded(parser, P, X, N, R); }
plain_call(A) ::= path(P) LP TRIM_SIDE(S) CALL_FROM expr(Y) RP(R). { A = build_trim(parser, P, &S, NULL, Y, R); }
plain_call(A) ::= path(P) LP TRIM_SIDE(S) expr(X) CALL_FROM expr(Y) RP(R). { A = build_trim(parser, P, &S, X, Y, R); }
plain_call(A) ::= path(P) LP CALL_FROM expr(Y) RP(R). { A = build_trim(parser, P, NULL, NULL, Y, R); }
/* Clauses of functions on JSON: phrase_json.c */
plain_call(A) ::= path(P) LP args(X) json_clauses(C) RP(R). { A = build_json_call(parser, P, X, false, C, R); }
plain_call(A) ::= path(P) LP json_pairs(X) RP(R). { A = build_json_call(parser, P, X, true, NULL, R); }
plain_call(A) ::= path(P) LP json_pairs(X) json_clauses(C) RP(R). { A = build_json_call(parser, P, X, true, C, R); }
%type json_pairs { AstExprs * }
json_pairs(A) ::= json_pair(X). { A = X; }
json_pairs(A) ::= json_pairs(L) COMMA json_pair(X). { A = exprs_add(parser, exprs_add(parser, L, X->items[0]), X->items[1]); }
%type json_pair { AstExprs * }
json_pair(A) ::= expr(K) JSON_VALUE expr(V). { A = exprs_add(parser, exprs_add(parser, NULL, K), V); }
json_pair(A) ::= JSON_KEY expr(K) JSON_VALUE expr(V). { A = exprs_add(parser, exprs_add(parser, NULL, K), V); }
%type json_clauses { JsonClauses * }
json_clauses(A) ::= json_clause(C). { A = NEW(JsonClauses); LIST_ADD(parser->arena, A, *C); }
json_clauses(A) ::= json_clauses(L) json_clause(C). { A = L; LIST_ADD(parser->arena, A, *C); }
%type json_clause { JsonClause * }
json_clause(A) ::= JSON_RETURNING(T) type(Y). { A = NEW(JsonClause); A->at = JOINED(AT(T), Y->at); A->type = Y; }
json_clause(A) ::= json_words(W) JSON_WRAPPER(T). { A = W; A->wrapper = true; A->at = JOINED(A->at, AT(T)); }
json_clause(A) ::= json_words(W) JSON_ON JSON_WORD(T). { A = W; A->on = T; A->at = JOINED(A->at, AT(T)); }
json_clause(A) ::= JSON_DEFAULT(D) expr(E) JSON_ON JSON_WORD(T). { A = NEW(JsonClause); A->value = E; A->on = T; A->at = JOINED(AT(D), AT(T)); }
%type json_words { JsonClause * }
json_words(A) ::= JSON_WORD(T). { A = NEW(JsonClause); A->first = A->last = T; A->at = AT(T); }
json_words(A) ::= json_words(L) JSON_WORD(T). {
    A = L; A->last = T; A->conditional |= toupper((unsigned char)T.text[0]) == 'C';
}
%type args { AstExprs * }
args(A) ::= arg(E). { A = exprs_add(parser, NULL, E); }
args(A) ::= args(L) COMMA arg(E). { A = exprs_add(parser, L, E); }
%type arg { AstExpr * }
arg(A) ::= expr(E). { A = E; }
arg(A) ::= STAR(T). { A = build_expr(parser, AST_STAR, AT(T)); A->op_at = AT(T); build_done(parser, A); }
arg(A) ::= path(P) DOT STAR(T). {
    A = build_expr(parser, AST_STAR, JOINED(names_span(P), AT(T))); A->path = *P; A->op_at = AT(T); build_done(parser, A);
}
arg(A) ::= LAMBDA name(N) ARROW(T) arg(E). {
    A = build_expr(parser, AST_LAMBDA, JOINED(N.at, E->at)); A->op_at = AT(T);
    names_add(parser, &A->path, N); A->right = E; build_done(parser, A);
}
arg(A) ::= LAMBDA LP(L) names(N) RP ARROW(T) arg(E). {
    A = build_expr(parser, AST_LAMBDA, JOINED(AT(L), E->at)); A->op_at = AT(T); A->path = *N; A->right = E; build_done(parser, A);
}
arg(A) ::= table_arg(E). [AS_EXPRESSION] { A = E; build_done(parser, A); }
/* PARTITION BY of a table argument: one expression, or a list in parentheses. */
%type table_arg { AstExpr * }
table_arg(A) ::= TABLE(T) path(P) hints(H). {
    A = build_expr(parser, AST_TABLE_ARG, JOINED(AT(T), names_span(P))); A->op_at = names_span(P); A->path = *P; A->hints = H;
}
table_arg(A) ::= TABLE(T) STRING(S) hints(H). {
    A = literal_string(parser, S); A->kind = AST_TABLE_ARG; A->at = JOINED(AT(T), AT(S)); A->op_at = AT(S); A->hints = H;
}
table_arg(A) ::= TABLE(T) subquery(Q). {
    A = build_expr(parser, AST_TABLE_ARG, JOINED(AT(T), Q->at)); A->op_at = Q->at; A->query = Q;
}
table_arg(A) ::= table_arg(E) PARTITION(T) BY expr(X). {
    A = E;
    if (A->args.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second PARTITION BY of one table"));
    A->args = *exprs_unwrap(exprs_add(parser, NULL, X)); A->at = JOINED(A->at, X->at);
}
table_arg(A) ::= table_arg(E) ORDER(T) BY order_item(O). {
    A = E;
    if (A->within_order.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second ORDER BY of one table"));
    LIST_ADD(parser->arena, &A->within_order, *O); A->at = JOINED(A->at, O->at);
}

%type over { AstOver * }
over(A) ::= . { A = NEW(AstOver); }
over(A) ::= OVER_BASE(T). { A = NEW(AstOver); over_named(parser, A, token_name(parser, T)); }
over(A) ::= over(O) EXCLUDE(T) exclusion(X). {
    A = O;
    if (!A->has_frame || A->exclude)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), A->has_frame ? "a second EXCLUDE of one OVER" : "EXCLUDE stands behind a frame: ROWS, RANGE or GROUPS .."));
    A->exclude = X;
}
%type exclusion { AstExclude }
exclusion(A) ::= NO OTHERS. { A = EXCLUDE_NO_OTHERS; }
exclusion(A) ::= CURRENT ROW. { A = EXCLUDE_CURRENT_ROW; }
exclusion(A) ::= GROUP. { A = EXCLUDE_GROUP; }
exclusion(A) ::= TIES. { A = EXCLUDE_TIES; }
over(A) ::= over(O) PARTITION(T) BY exprs(X). {
    A = O;
    if (A->partition_by.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second PARTITION BY of one OVER"));
    A->partition_by = *exprs_unwrap(X);
}
over(A) ::= over(O) ORDER(T) BY order(X). {
    A = O;
    if (A->order_by.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second ORDER BY of one OVER"));
    A->order_by = *X;
}
over(A) ::= over(O) frame_unit(U) BETWEEN bound(X) AND bound(Y). {
    A = O;
    if (A->has_frame)
        parser_fail(parser, error_at(ERR_PARSE, AT(U), "a second frame of one OVER"));
    A->has_frame = true; A->unit = U.flags;
    A->from = X->from; A->from_offset = X->from_offset; A->to = Y->from; A->to_offset = Y->from_offset;
}
over(A) ::= over(O) frame_unit(U) bound(X). {
    A = O;
    if (A->has_frame)
        parser_fail(parser, error_at(ERR_PARSE, AT(U), "a second frame of one OVER"));
    A->has_frame = true; A->unit = U.flags;
    A->from = X->from; A->from_offset = X->from_offset; A->to = FRAME_CURRENT_ROW;
}
over(A) ::= over(O) LIMIT(T) plain_call(C). {
    A = O;
    if (A->limit_duration)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second LIMIT of one OVER"));
    A->limit_duration = table_call(parser, C);
}
over(A) ::= over(O) WHEN(T) expr(E). {
    A = O;
    if (A->when)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second WHEN of one OVER"));
    A->when = E;
}
%type frame_unit { Token }
frame_unit(A) ::= ROWS(T). { A = T; A.flags = FRAME_ROWS; }
frame_unit(A) ::= RANGE(T). { A = T; A.flags = FRAME_RANGE; }
frame_unit(A) ::= GROUPS(T). { A = T; A.flags = FRAME_GROUPS; }
%type bound { AstOver * }
bound(A) ::= UNBOUNDED PRECEDING. { A = NEW(AstOver); A->from = FRAME_UNBOUNDED_PRECEDING; }
bound(A) ::= UNBOUNDED FOLLOWING. { A = NEW(AstOver); A->from = FRAME_UNBOUNDED_FOLLOWING; }
bound(A) ::= CURRENT ROW. { A = NEW(AstOver); A->from = FRAME_CURRENT_ROW; }
bound(A) ::= value(E) PRECEDING. { A = NEW(AstOver); A->from = FRAME_PRECEDING; A->from_offset = E; }
bound(A) ::= value(E) FOLLOWING. { A = NEW(AstOver); A->from = FRAME_FOLLOWING; A->from_offset = E; }

/* ---- intervals and durations ---- */
%type interval { AstDuration }
interval(A) ::= INTERVAL(T) sign(S) amount(N). { A = literal_interval(parser, T, S, N, (Token){ 0 }, (Token){ 0 }); }
interval(A) ::= INTERVAL(T) sign(S) amount(N) unit(U). { A = literal_interval(parser, T, S, N, U, (Token){ 0 }); }
interval(A) ::= INTERVAL(T) sign(S) amount(N) unit(U) TO unit(V). { A = literal_interval(parser, T, S, N, U, V); }
%type sign { int }
sign(A) ::= . { A = 0; }
sign(A) ::= PLUS. { A = 0; }
sign(A) ::= MINUS. { A = 1; }
%type amount { Token }
amount(A) ::= STRING(T). { A = T; }
amount(A) ::= INTEGER(T). { A = T; }
amount(A) ::= DECIMAL(T). { A = T; }
%type unit { Token }
unit(A) ::= UNIT(T). { A = T; }
unit(A) ::= UNIT(T) LP INTEGER RP. { A = T; }
unit(A) ::= UNIT(T) LP INTEGER COMMA INTEGER RP. { A = T; }
%type duration { AstDuration }
duration(A) ::= interval(I). { A = I; }
duration(A) ::= INTEGER(N) ID(U). { A = literal_interval(parser, N, false, N, U, (Token){ 0 }); }
duration(A) ::= DECIMAL(N) ID(U). { A = literal_interval(parser, N, false, N, U, (Token){ 0 }); }
duration(A) ::= MINUS(M) INTEGER(N) ID(U). { A = literal_interval(parser, M, true, N, U, (Token){ 0 }); }
duration(A) ::= STRING(N). { A = literal_interval(parser, N, false, N, (Token){ 0 }, (Token){ 0 }); }

/* ================================================================ queries */

%type query { AstQuery * }
query(A) ::= body(B). { A = query_done(parser, operand_query(parser, B)); }
query(A) ::= WITH ctes(C) body(B). { A = query_done(parser, query_with_ctes(parser, C, operand_query(parser, B))); }
%type subquery { AstQuery * }
subquery(A) ::= LP(L) query(Q) RP(R). { A = Q; A->at = JOINED(AT(L), AT(R)); }
%type ctes { Ctes * }
ctes(A) ::= cte(C). { A = NEW(Ctes); LIST_ADD(parser->arena, A, *C); }
ctes(A) ::= ctes(L) COMMA cte(C). { A = L; LIST_ADD(parser->arena, A, *C); }
%type cte { AstCte * }
cte(A) ::= name(N) AS subquery(Q). { A = NEW(AstCte); A->name = N; A->query = Q; }
cte(A) ::= name(N) LP names(C) RP AS subquery(Q). { A = NEW(AstCte); A->name = N; A->columns = *C; A->query = Q; }

%type body { Operand }
body(A) ::= term(T). { A = T; }
body(A) ::= body(L) UNION(T) set_all(S) term(R). { A = build_set_operation(parser, L, S ? AST_UNION_ALL : AST_UNION, S, T, R); }
body(A) ::= body(L) EXCEPT(T) set_all(S) term(R). { A = build_set_operation(parser, L, AST_EXCEPT, S, T, R); }
%type term { Operand }
term(A) ::= operand(O). { A = O; }
term(A) ::= term(L) INTERSECT(T) set_all(S) operand(R). { A = build_set_operation(parser, L, AST_INTERSECT, S, T, R); }
%type set_all { int }
set_all(A) ::= . { A = 0; }
set_all(A) ::= ALL. { A = 1; }
set_all(A) ::= DISTINCT. { A = 0; }

%type operand { Operand }
operand(A) ::= select(S). {
    query_resolve_windows(parser, S);
    A = (Operand){ S, true, NULL };
}
operand(A) ::= VALUES(T) rows(R) tails(L). {
    AstQuery *query = NEW(AstQuery);
    query->kind = AST_VALUES; query->at = JOINED(AT(T), parser->last);
    memcpy(&query->rows, R, sizeof query->rows);
    for (int i = 0; i < L->count; i++)
        query_add_clause(parser, query, L->items[i]);
    A = (Operand){ query, true, NULL };
}
operand(A) ::= subquery(Q) tails(L). { A = (Operand){ Q, false, L }; }
%type tails { ClauseList * }
tails(A) ::= . [AS_QUERY] { A = NEW(ClauseList); }
tails(A) ::= tails(L) tail(C). { A = L; LIST_ADD(parser->arena, A, C); }
%type rows { Rows * }
rows(A) ::= row(X). { A = NEW(Rows); LIST_ADD(parser->arena, A, *X); }
rows(A) ::= rows(L) COMMA row(X). { A = L; LIST_ADD(parser->arena, A, *X); }
%type row { AstExprs * }
row(A) ::= LP exprs(X) RP. { A = X; }
row(A) ::= ROW LP exprs(X) RP. { A = X; }

%type select { AstQuery * }
select(A) ::= SELECT(T) quantifier(D) top(L) items(I). { A = build_select(parser, T, D, I); A->limit = L; A->top = L; }
%type top { AstExpr * } /* T-SQL's LIMIT */
top(A) ::= . { A = NULL; }
top(A) ::= TOP INTEGER(N). { A = literal_number(parser, N); }
top(A) ::= TOP LP INTEGER(N) RP. { A = literal_number(parser, N); }
select(A) ::= select(S) tail(C). { A = S; query_add_clause(parser, A, C); }
select(A) ::= select(S) clause(C). { A = S; query_add_clause(parser, A, C); }
%type quantifier { int }
quantifier(A) ::= . { A = 0; }
quantifier(A) ::= DISTINCT. { A = 1; }
quantifier(A) ::= ALL. { A = 0; }
%type items { SelectItems * }
items(A) ::= item(I). { A = NEW(SelectItems); LIST_ADD(parser->arena, A, *I); }
items(A) ::= items(L) COMMA item(I). { A = L; LIST_ADD(parser->arena, A, *I); }
%type item { AstSelectItem * }
item(A) ::= expr(E) alias(N). {
    A = NEW(AstSelectItem);
    *A = (AstSelectItem){ E, N, N.text ? JOINED(E->at, N.at) : E->at };
}
item(A) ::= STAR(T). {
    A = NEW(AstSelectItem); A->at = AT(T);
    A->expr = build_expr(parser, AST_STAR, AT(T)); A->expr->op_at = AT(T); build_done(parser, A->expr);
}
item(A) ::= path(P) DOT STAR(T). {
    A = NEW(AstSelectItem); A->at = JOINED(names_span(P), AT(T));
    A->expr = build_expr(parser, AST_STAR, A->at); A->expr->path = *P; A->expr->op_at = AT(T); build_done(parser, A->expr);
}
%type alias { AstName }
alias(A) ::= . { A = (AstName){ 0 }; }
alias(A) ::= name(N). { A = N; }
alias(A) ::= AS name(N). { A = N; }

/* ---- clauses: in any order, each once ---- */
%type clause { Clause * }
clause(A) ::= INTO(T) name(N). { A = new_clause(parser, CLAUSE_INTO, T); A->name = N; }
clause(A) ::= FROM(T) relations(R). { A = new_clause(parser, CLAUSE_FROM, T); A->relation = R; }
clause(A) ::= WINDOW(T) ID ID(K) LP window_options(O) RP(R). { /* with a name, which ksqlDB takes and nothing can refer to */
    A = new_clause(parser, CLAUSE_WINDOW, T); A->window = build_window(parser, T, K, O, R);
}
clause(A) ::= WINDOW(T) ID(K) LP window_options(O) RP(R). {
    A = new_clause(parser, CLAUSE_WINDOW, T); A->window = build_window(parser, T, K, O, R);
}
clause(A) ::= WINDOW(T) named_windows(W). { A = new_clause(parser, CLAUSE_NAMED_WINDOWS, T); A->windows = W; }
%type named_windows { NamedWindows * }
named_windows(A) ::= named_window(W). { A = NEW(NamedWindows); LIST_ADD(parser->arena, A, *W); }
named_windows(A) ::= named_windows(L) COMMA named_window(W). { A = L; LIST_ADD(parser->arena, A, *W); }
%type named_window { AstNamedWindow * }
named_window(A) ::= name(N) AS LP over(O) RP(R). {
    A = NEW(AstNamedWindow); *A = (AstNamedWindow){ N, O }; O->at = JOINED(N.at, AT(R));
}
clause(A) ::= WHERE(T) expr(E). { A = new_clause(parser, CLAUSE_WHERE, T); A->expr = E; }
clause(A) ::= GROUP(T) BY groups(G). { A = new_clause(parser, CLAUSE_GROUP, T); A->group = G; }
clause(A) ::= ALLOWED(T) LATENESS duration(D). { A = new_clause(parser, CLAUSE_LATENESS, T); A->duration = D; }
clause(A) ::= LATE(T) INTO name(N). { A = new_clause(parser, CLAUSE_LATE, T); A->name = N; }
clause(A) ::= PARTITION(T) BY exprs(X). { A = new_clause(parser, CLAUSE_PARTITION, T); A->exprs = exprs_unwrap(X); }
clause(A) ::= HAVING(T) expr(E). { A = new_clause(parser, CLAUSE_HAVING, T); A->expr = E; }
clause(A) ::= QUALIFY(T) expr(E). { A = new_clause(parser, CLAUSE_QUALIFY, T); A->expr = E; }
%type tail { Clause * }
tail(A) ::= ORDER(T) BY order(O). { A = new_clause(parser, CLAUSE_ORDER, T); A->order = O; }
tail(A) ::= EMIT(T) emit(E). { A = new_clause(parser, CLAUSE_EMIT, T); A->emit = E; A->emit.at = JOINED(AT(T), parser->last); }
tail(A) ::= LIMIT(T) limit(E). { A = new_clause(parser, CLAUSE_LIMIT, T); A->expr = E; }
tail(A) ::= OFFSET(T) limit(E). { A = new_clause(parser, CLAUSE_OFFSET, T); A->expr = E; }
tail(A) ::= OFFSET(T) limit(E) ROWS. { A = new_clause(parser, CLAUSE_OFFSET, T); A->expr = E; }
tail(A) ::= FETCH(T) first_next limit(E) ROWS ONLY. { A = new_clause(parser, CLAUSE_LIMIT, T); A->expr = E; }
tail(A) ::= FETCH(T) first_next limit(E) ROW ONLY. { A = new_clause(parser, CLAUSE_LIMIT, T); A->expr = E; }
first_next ::= FIRST.
first_next ::= NEXT.
%type limit { AstExpr * }
limit(A) ::= INTEGER(T). { A = literal_number(parser, T); }
limit(A) ::= PARAMETER(T). {
    A = build_expr(parser, AST_PARAMETER, AT(T)); A->op_at = AT(T);
    names_add(parser, &A->path, token_name(parser, T)); build_done(parser, A);
}
%type emit { AstEmit }
emit(A) ::= CHANGES. { A = (AstEmit){ .kind = AST_EMIT_CHANGES }; }
emit(A) ::= FINAL. { A = (AstEmit){ .kind = AST_EMIT_FINAL }; }
emit(A) ::= AFTER WATERMARK. { A = (AstEmit){ .kind = AST_EMIT_AFTER_WATERMARK }; }
emit(A) ::= AFTER DELAY duration(D). { A = (AstEmit){ .kind = AST_EMIT_AFTER_DELAY, .delay = D }; }
emit(A) ::= AFTER DELAY duration(D) AND AFTER WATERMARK. {
    A = (AstEmit){ .kind = AST_EMIT_AFTER_DELAY, .delay = D, .and_after_watermark = true };
}

%type groups { AstQuery * }
groups(A) ::= group(G). { A = group_merge(parser, NULL, G); }
groups(A) ::= groups(L) COMMA group(G). { A = group_merge(parser, L, G); }
%type group { AstQuery * }
group(A) ::= expr(E). { A = build_group(parser, exprs_add(parser, NULL, E), AST_GROUP_PLAIN, NULL, E->at); }
/* GROUP BY () is the one group of all rows: the same as GROUPING SETS (()). */
group(A) ::= LP(L) RP(R). {
    Rows *sets = NEW(Rows);
    LIST_ADD(parser->arena, sets, *exprs_add(parser, NULL, NULL));
    A = build_group(parser, NULL, AST_GROUP_SETS, sets, JOINED(AT(L), AT(R)));
}
group(A) ::= GROUPING(T) SETS LP group_sets(S) RP(R). { A = build_group(parser, NULL, AST_GROUP_SETS, S, JOINED(AT(T), AT(R))); }
group(A) ::= CUBE(T) LP group_sets(S) RP(R). { A = build_group(parser, NULL, AST_GROUP_CUBE, S, JOINED(AT(T), AT(R))); }
group(A) ::= ROLLUP(T) LP group_sets(S) RP(R). { A = build_group(parser, NULL, AST_GROUP_ROLLUP, S, JOINED(AT(T), AT(R))); }
%type group_sets { Rows * }
group_sets(A) ::= group_set(X). { A = NEW(Rows); LIST_ADD(parser->arena, A, *X); }
group_sets(A) ::= group_sets(L) COMMA group_set(X). { A = L; LIST_ADD(parser->arena, A, *X); }
%type group_set { AstExprs * }
group_set(A) ::= LP RP. { A = exprs_add(parser, NULL, NULL); }
group_set(A) ::= expr(E). { A = exprs_unwrap(exprs_add(parser, NULL, E)); }

%type window_options { WindowOptions * }
window_options(A) ::= window_option(O). { A = NEW(WindowOptions); LIST_ADD(parser->arena, A, *O); }
window_options(A) ::= window_options(L) COMMA window_option(O). { A = L; LIST_ADD(parser->arena, A, *O); }
%type window_option { WindowOption * }
window_option(A) ::= duration(D). { A = NEW(WindowOption); A->kind = WINDOW_GAP; A->at = D.at; A->duration = D; }
window_option(A) ::= size_word(T) duration(D). { A = window_option(parser, T.flags, T); A->duration = D; }
window_option(A) ::= size_word(T) INTEGER(N). {
    A = window_option(parser, T.flags, T); A->is_count = true;
    A->count = integer_value64(parser, N); A->at = JOINED(AT(T), AT(N));
}
window_option(A) ::= OFFSET(T) duration(D). { A = window_option(parser, WINDOW_OFFSET, T); A->duration = D; }
window_option(A) ::= RETENTION(T) duration(D). { A = window_option(parser, WINDOW_RETENTION, T); A->duration = D; }
window_option(A) ::= GRACE(T) PERIOD duration(D). { A = window_option(parser, WINDOW_GRACE, T); A->duration = D; }
window_option(A) ::= LATE(T) INTO name(N). { A = window_option(parser, WINDOW_LATE, T); A->name = N; }
window_option(A) ::= TIME(T) ZONE STRING(S). {
    A = window_option(parser, WINDOW_ZONE, T); A->text = token_string(parser, S); A->text_at = AT(S);
}
%type size_word { Token }
size_word(A) ::= SIZE(T). { A = T; A.flags = WINDOW_SIZE; }
size_word(A) ::= ADVANCE(T) BY. { A = T; A.flags = WINDOW_ADVANCE; }
size_word(A) ::= STEP(T). { A = T; A.flags = WINDOW_STEP; }

/* ================================================================ relations */

%type relations { AstRelation * }
relations(A) ::= joined(R). { A = R; }
relations(A) ::= relations(L) COMMA(T) joined(R). {
    A = build_join(parser, L, AST_JOIN_CROSS, false, T, R, NULL, NULL, NULL);
}
%type joined { AstRelation * }
joined(A) ::= relation(R). { A = R; }
joined(A) ::= joined(L) join(J) relation(R) within(W). {
    A = build_join(parser, L, J.flags & 0x0f, J.flags & 0x10, J, R, W, NULL, NULL);
}
joined(A) ::= joined(L) join(J) relation(R) within(W) ON expr(E). {
    A = build_join(parser, L, J.flags & 0x0f, J.flags & 0x10, J, R, W, E, NULL);
}
joined(A) ::= joined(L) join(J) relation(R) within(W) USING LP names(N) RP. {
    A = build_join(parser, L, J.flags & 0x0f, J.flags & 0x10, J, R, W, NULL, N);
}
%type join { Token }
join(A) ::= join_kind(T). { A = T; }
join(A) ::= NATURAL(N) join_kind(T). { A = T; A.flags |= 0x10; A.at = JOINED(AT(N), AT(T)); }
%type join_kind { Token }
join_kind(A) ::= JOIN(T). { A = T; A.flags = AST_JOIN_INNER; }
join_kind(A) ::= INNER(T) JOIN(J). { A = T; A.at = JOINED(AT(T), AT(J)); A.flags = AST_JOIN_INNER; }
join_kind(A) ::= LEFT(T) outer JOIN(J). { A = T; A.at = JOINED(AT(T), AT(J)); A.flags = AST_JOIN_LEFT; }
join_kind(A) ::= RIGHT(T) outer JOIN(J). { A = T; A.at = JOINED(AT(T), AT(J)); A.flags = AST_JOIN_RIGHT; }
join_kind(A) ::= FULL(T) outer JOIN(J). { A = T; A.at = JOINED(AT(T), AT(J)); A.flags = AST_JOIN_FULL; }
join_kind(A) ::= CROSS(T) JOIN(J). { A = T; A.at = JOINED(AT(T), AT(J)); A.flags = AST_JOIN_CROSS; }
join_kind(A) ::= CROSS(T) APPLY(J). { A = T; A.at = JOINED(AT(T), AT(J)); A.flags = AST_JOIN_CROSS_APPLY; }
join_kind(A) ::= OUTER(T) APPLY(J). { A = T; A.at = JOINED(AT(T), AT(J)); A.flags = AST_JOIN_OUTER_APPLY; }
outer ::= .
outer ::= OUTER.
%type within { Duo * }
within(A) ::= . { A = NULL; }
within(A) ::= WITHIN duration(D) join_grace(G). {
    A = NEW(Duo); A->given = true; A->before = A->after = D; A->grace = G;
}
within(A) ::= WITHIN LP duration(B) COMMA duration(D) RP join_grace(G). {
    A = NEW(Duo); A->given = true; A->before = B; A->after = D; A->grace = G;
}
%type join_grace { AstDuration }
join_grace(A) ::= . { A = (AstDuration){ 0 }; }
join_grace(A) ::= GRACE PERIOD duration(D). { A = D; }

%type relation { AstRelation * }
relation(A) ::= source(R) alias_part(N). { A = R; relation_alias(parser, A, N.name, N.columns); }
relation(A) ::= source(R) alias_part(N) TIMESTAMP(T) BY expr(E). {
    A = R; relation_alias(parser, A, N.name, N.columns); relation_timestamp(parser, A, T, E, NULL);
}
relation(A) ::= source(R) alias_part(N) TIMESTAMP(T) BY expr(E) OVER_KEY expr(K). {
    A = R; relation_alias(parser, A, N.name, N.columns); relation_timestamp(parser, A, T, E, K);
}
relation(A) ::= relation(L) MATCH_RECOGNIZE(T) LP match(M) RP(R) alias_part(N). {
    A = build_relation(parser, AST_REL_MATCH, JOINED(L->at, AT(R)));
    A->left = L; A->match = M; M->at = JOINED(AT(T), AT(R));
    if (!M->pattern && !parser->error)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "MATCH_RECOGNIZE needs a PATTERN (..)"));
    relation_alias(parser, A, N.name, N.columns);
}
%type alias_part { AliasPart }
alias_part(A) ::= . [AS_EXPRESSION] { A = (AliasPart){ { 0 }, NULL }; }
alias_part(A) ::= name(N). { A = (AliasPart){ N, NULL }; }
alias_part(A) ::= AS name(N). { A = (AliasPart){ N, NULL }; }
alias_part(A) ::= name(N) LP names(C) RP. { A = (AliasPart){ N, C }; }
alias_part(A) ::= AS name(N) LP names(C) RP. { A = (AliasPart){ N, C }; }

%type source { AstRelation * }
source(A) ::= path(P) system_time(S) hints(H). {
    A = build_relation(parser, AST_REL_NAME, names_span(P)); A->name = *P; A->system_time = S; A->hints = *H;
}
source(A) ::= STRING(T) hints(H). {
    A = build_relation(parser, AST_REL_FILE, AT(T)); A->path = token_string(parser, T); A->hints = *H;
}
source(A) ::= subquery(Q). [AS_EXPRESSION] { A = build_relation_query(parser, Q); }
source(A) ::= LATERAL(T) subquery(Q). { A = build_relation_query(parser, Q); A->lateral = true; A->at = JOINED(AT(T), Q->at); }
source(A) ::= LP(L) relations(R) RP(Z). { A = R; A->at = JOINED(AT(L), AT(Z)); }
source(A) ::= plain_call(C) ordinality(O). { A = build_function(parser, C, C->at, O); }
source(A) ::= TABLE(T) LP plain_call(C) RP(R) ordinality(O). { A = build_function(parser, C, JOINED(AT(T), AT(R)), O); }
source(A) ::= LATERAL(L) TABLE LP plain_call(C) RP(R) ordinality(O). {
    A = build_function(parser, C, JOINED(AT(L), AT(R)), O); A->lateral = true;
}
source(A) ::= LATERAL(L) plain_call(C) ordinality(O). { A = build_function(parser, C, JOINED(AT(L), C->at), O); A->lateral = true; }
%type ordinality { int }
ordinality(A) ::= . { A = 0; }
ordinality(A) ::= WITH ORDINALITY. { A = 1; }
%type system_time { AstExpr * }
system_time(A) ::= . { A = NULL; }
system_time(A) ::= FOR SYSTEM_TIME AS OF value(E). { A = E; }
%type hints { AstProperties * }
hints(A) ::= . { A = NEW(AstProperties); }
hints(A) ::= HINT OPTIONS LP properties(P) RP HINT_END. { A = P; }

/* ---- MATCH_RECOGNIZE ---- */
%type match { AstMatch * }
match(A) ::= . { A = NEW(AstMatch); }
match(A) ::= match(M) LIMIT(T) plain_call(C). {
    A = M;
    if (A->limit_duration)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second LIMIT DURATION of one MATCH_RECOGNIZE"));
    A->limit_duration = table_call(parser, C);
}
match(A) ::= match(M) PARTITION(T) BY exprs(X). {
    A = M;
    if (A->partition_by.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second PARTITION BY of one MATCH_RECOGNIZE"));
    A->partition_by = *exprs_unwrap(X);
}
match(A) ::= match(M) ORDER(T) BY order(O). {
    A = M;
    if (A->order_by.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second ORDER BY of one MATCH_RECOGNIZE"));
    A->order_by = *O;
}
match(A) ::= match(M) MEASURES(T) measures(L). {
    A = M;
    if (A->measures.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second MEASURES of one MATCH_RECOGNIZE"));
    named_split(parser, L, &A->measures.exprs, &A->measures.names, &A->measures.count);
}
match(A) ::= match(M) ONE(T) ROW PER MATCH(Z). { A = M; match_rows(parser, A, AST_MATCH_ONE_ROW, JOINED(AT(T), AT(Z))); }
match(A) ::= match(M) ALL(T) ROWS PER MATCH(Z). { A = M; match_rows(parser, A, AST_MATCH_ALL_ROWS, JOINED(AT(T), AT(Z))); }
match(A) ::= match(M) ALL(T) ROWS PER MATCH SHOW EMPTY MATCHES(Z). { A = M; match_rows(parser, A, AST_MATCH_ALL_ROWS_SHOW_EMPTY, JOINED(AT(T), AT(Z))); }
match(A) ::= match(M) ALL(T) ROWS PER MATCH OMIT EMPTY MATCHES(Z). { A = M; match_rows(parser, A, AST_MATCH_ALL_ROWS_OMIT_EMPTY, JOINED(AT(T), AT(Z))); }
match(A) ::= match(M) ALL(T) ROWS PER MATCH WITH UNMATCHED ROWS(Z). { A = M; match_rows(parser, A, AST_MATCH_WITH_UNMATCHED, JOINED(AT(T), AT(Z))); }
match(A) ::= match(M) AFTER(T) MATCH SKIP skip(S). {
    A = M;
    if (A->skip)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second AFTER MATCH SKIP of one MATCH_RECOGNIZE"));
    A->skip = S.kind; A->skip_variable = S.variable; A->skip_at = S.variable.text ? S.variable.at : AT(T);
}
match(A) ::= match(M) PATTERN(T) LP PATTERN_TEXT(P) RP. {
    A = M;
    if (A->pattern)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second PATTERN of one MATCH_RECOGNIZE"));
    A->pattern = read_pattern(parser, P);
}
match(A) ::= match(M) SUBSET(T) subsets(L). {
    A = M;
    if (A->subsets.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second SUBSET of one MATCH_RECOGNIZE"));
    A->subsets.items = L->items; A->subsets.count = L->count; A->subsets.capacity = L->capacity;
}
%type subsets { AstSubsets * }
subsets(A) ::= name(N) EQ LP names(V) RP. { A = NEW(AstSubsets); LIST_ADD(parser->arena, A, ((AstSubset){ N, *V })); }
subsets(A) ::= subsets(L) COMMA name(N) EQ LP names(V) RP. { A = L; LIST_ADD(parser->arena, A, ((AstSubset){ N, *V })); }
match(A) ::= match(M) WITHIN(T) duration(D). {
    A = M;
    if (A->within.given)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second WITHIN of one MATCH_RECOGNIZE"));
    A->within = D;
}
match(A) ::= match(M) DEFINE(T) defines(L). {
    A = M;
    if (A->define.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second DEFINE of one MATCH_RECOGNIZE"));
    named_split(parser, L, &A->define.exprs, &A->define.names, &A->define.count);
}
%type measures { NamedExprs * }
measures(A) ::= expr(E) AS name(N). { A = NEW(NamedExprs); LIST_ADD(parser->arena, A, ((NamedExpr){ N, E })); }
measures(A) ::= measures(L) COMMA expr(E) AS name(N). { A = L; LIST_ADD(parser->arena, A, ((NamedExpr){ N, E })); }
%type defines { NamedExprs * }
defines(A) ::= name(N) AS expr(E). { A = NEW(NamedExprs); LIST_ADD(parser->arena, A, ((NamedExpr){ N, E })); }
defines(A) ::= defines(L) COMMA name(N) AS expr(E). { A = L; LIST_ADD(parser->arena, A, ((NamedExpr){ N, E })); }
%type skip { MatchSkipTo }
skip(A) ::= PAST LAST ROW. { A = (MatchSkipTo){ AST_SKIP_PAST_LAST_ROW, { 0 } }; }
skip(A) ::= TO NEXT ROW. { A = (MatchSkipTo){ AST_SKIP_TO_NEXT_ROW, { 0 } }; }
skip(A) ::= TO FIRST name(N). { A = (MatchSkipTo){ AST_SKIP_TO_FIRST, N }; }
skip(A) ::= TO LAST name(N). { A = (MatchSkipTo){ AST_SKIP_TO_LAST, N }; }
skip(A) ::= TO name(N). { A = (MatchSkipTo){ AST_SKIP_TO_LAST, N }; }

/* ================================================================ properties */

%type with_opt { AstProperties * }
with_opt(A) ::= . { A = NULL; }
with_opt(A) ::= with(P). { A = P; }
%type with { AstProperties * }
with(A) ::= WITH_PROPERTIES LP properties(P) RP. { A = P; }
with(A) ::= WITH_PROPERTIES LP RP. { A = NEW(AstProperties); }
%type properties { AstProperties * }
properties(A) ::= property(P). { A = NEW(AstProperties); property_add(parser, A, *P); }
properties(A) ::= properties(L) COMMA property(P). { A = L; property_add(parser, A, *P); }
%type property { OptionEntry * }
property(A) ::= property_name(N) EQ property_value(V). {
    A = NEW(OptionEntry); *A = (OptionEntry){ N.text, V.text, N.at, V.at, false };
}
/* A piece of text with its place: AstName serves. */
%type property_name { AstName }
property_name(A) ::= STRING(T). { A = (AstName){ token_string(parser, T), false, AT(T) }; }
property_name(A) ::= words(W). { A = W; }
%type words { AstName }
words(A) ::= name(N). { A = N; }
words(A) ::= words(L) DOT name(N). { A = words_join(parser, L, ".", N); }
words(A) ::= words(L) MINUS name(N). { A = words_join(parser, L, "-", N); }
words(A) ::= words(L) MINUS INTEGER(T). { A = words_join(parser, L, "-", (AstName){ token_source(parser, AT(T), &T), false, AT(T) }); }
%type property_value { AstName }
property_value(A) ::= STRING(T). { A = (AstName){ token_string(parser, T), false, AT(T) }; }
property_value(A) ::= scalar(T). { A = (AstName){ token_source(parser, AT(T), &T), false, AT(T) }; }
property_value(A) ::= MINUS(M) scalar(T). {
    A = (AstName){ arena_printf(parser->arena, "-%s", token_source(parser, AT(T), &T)), false, JOINED(AT(M), AT(T)) };
}
%type scalar { Token }
scalar(A) ::= INTEGER(T). { A = T; }
scalar(A) ::= DECIMAL(T). { A = T; }
scalar(A) ::= FLOAT(T). { A = T; }
scalar(A) ::= TRUE(T). { A = T; }
scalar(A) ::= FALSE(T). { A = T; }

/* ================================================================ statements */

%type statement { AstStatement * }
statement(A) ::= explainable(S). { A = S; }
%type explainable { AstStatement * }
explainable(A) ::= query(Q). { A = build_statement(parser, AST_STMT_QUERY); A->query = Q; }
explainable(A) ::= insert(S). { A = S; }
explainable(A) ::= create(S). { A = S; }

/* ---- INSERT ---- */
%type insert { AstStatement * }
insert(A) ::= INSERT into(O) name(T) query(Q). { A = build_insert(parser, T, O, NULL, NULL, Q); }
insert(A) ::= INSERT into(O) name(T) LP names(C) RP query(Q). { A = build_insert(parser, T, O, C, NULL, Q); }
insert(A) ::= INSERT into(O) name(T) with(W) query(Q). { A = build_insert(parser, T, O, NULL, W, Q); }
insert(A) ::= INSERT into(O) name(T) LP names(C) RP with(W) query(Q). { A = build_insert(parser, T, O, C, W, Q); }
%type into { int }
into(A) ::= INTO. { A = 0; }
into(A) ::= OVERWRITE. { A = 1; }

/* ---- CREATE ---- */
%type flags { CreateFlags }
flags(A) ::= . { A = (CreateFlags){ 0 }; }
flags(A) ::= flags(F) OR REPLACE. { A = F; A.or_replace = true; }
flags(A) ::= flags(F) TEMPORARY. { A = F; A.temporary = true; }
flags(A) ::= flags(F) SOURCE(T). { A = F; A.source = true; A.source_at = AT(T); }
flags(A) ::= flags(F) SINK(T). { A = F; A.sink = true; A.source_at = AT(T); }
%type if_not_exists { int }
if_not_exists(A) ::= . { A = 0; }
if_not_exists(A) ::= IF NOT EXISTS. { A = 1; }
%type if_exists { int }
if_exists(A) ::= . { A = 0; }
if_exists(A) ::= IF EXISTS. { A = 1; }
%type create_object { AstObjectKind }
create_object(A) ::= STREAM. { A = AST_OBJECT_STREAM; }
create_object(A) ::= TABLE. { A = AST_OBJECT_TABLE; }
create_object(A) ::= VIEW. { A = AST_OBJECT_VIEW; }

%type create { AstStatement * }
create(A) ::= create_head(C). { A = build_create(parser, C, NULL, C->name.at); }
create(A) ::= create_head(C) LIKE name(N). { C->like = N; A = build_create(parser, C, NULL, C->name.at); }
create(A) ::= create_head(C) LIKE name(N) LP like_options(O) RP. { C->like = N; C->like_options = *O; A = build_create(parser, C, NULL, C->name.at); }
%type like_options { AstNames * }
like_options(A) ::= name(M) name(P). { A = names_add(parser, names_add(parser, NULL, M), P); }
like_options(A) ::= like_options(L) name(M) name(P). { A = names_add(parser, names_add(parser, L, M), P); }
create(A) ::= create_head(C) AS(T) query(Q). { A = build_create(parser, C, Q, AT(T)); }
%type create_head { AstCreate * }
create_head(A) ::= CREATE flags(F) create_object(O) if_not_exists(I) ID(N). {
    A = new_create(parser, O, F, I, N);
    if (F.sink || (F.source && O == AST_OBJECT_VIEW))
        parser_fail(parser, error_at(ERR_PARSE, F.source_at, F.sink ? "expected CONNECTOR after 'SINK'" : "a view cannot be a SOURCE"));
}
create_head(A) ::= create_head(C) LP elements(E) RP. { A = C; create_elements(parser, A, E); }
create_head(A) ::= create_head(C) LP RP. { A = C; }
create_head(A) ::= create_head(C) with(W). {
    A = C;
    if (A->with.count)
        parser_fail(parser, error_at(ERR_PARSE, W->count ? W->items[0].name_at : parser->last, "a second WITH of one statement"));
    A->with = *W;
}
create_head(A) ::= create_head(C) COMMENT STRING. { A = C; }
create_head(A) ::= create_head(C) PARTITIONED BY LP(L) names(N) RP. {
    A = C;
    if (A->partitioned_by.count)
        parser_fail(parser, error_at(ERR_PARSE, AT(L), "a second PARTITIONED BY of one statement"));
    A->partitioned_by = *N;
}

%type elements { Elements * }
elements(A) ::= element(E). { A = NEW(Elements); LIST_ADD(parser->arena, A, *E); }
elements(A) ::= elements(L) COMMA element(E). { A = L; LIST_ADD(parser->arena, A, *E); }
%type element { Element * }
element(A) ::= name(N). { A = NEW(Element); A->at = N.at; A->column.name = N; A->column.at = N.at; }
element(A) ::= name(N) COMMENT STRING. { A = NEW(Element); A->at = N.at; A->column.name = N; A->column.at = N.at; }
element(A) ::= column(C). { A = NEW(Element); A->at = C->at; A->column = *C; }
element(A) ::= name(N) AS expr(E) comment_opt. {
    A = NEW(Element); A->at = JOINED(N.at, E->at); A->column.name = N; A->column.at = A->at; A->column.computed = E;
}
element(A) ::= WATERMARK(T) FOR name(N) AS expr(E). {
    A = NEW(Element); A->kind = ELEMENT_WATERMARK; A->at = JOINED(AT(T), E->at); A->name = N; A->expr = E;
}
element(A) ::= PRIMARY(T) KEY LP names(N) RP(R) enforced(E). {
    A = NEW(Element); A->kind = ELEMENT_PRIMARY_KEY; A->at = JOINED(AT(T), AT(R)); A->names = N; A->not_enforced = E;
}
element(A) ::= CONSTRAINT(T) name PRIMARY KEY LP names(N) RP(R) enforced(E). {
    A = NEW(Element); A->kind = ELEMENT_PRIMARY_KEY; A->at = JOINED(AT(T), AT(R)); A->names = N; A->not_enforced = E;
}
%type enforced { int }
enforced(A) ::= . { A = 0; }
enforced(A) ::= NOT ENFORCED. { A = 1; }
comment_opt ::= .
comment_opt ::= COMMENT STRING.
%type column { AstColumn * }
column(A) ::= name(N) type(T). { A = NEW(AstColumn); A->name = N; A->type = T; A->at = JOINED(N.at, T->at); }
column(A) ::= column(C) KEY. { A = C; A->is_key = true; }
column(A) ::= column(C) PRIMARY KEY enforced. { A = C; A->is_primary = true; }
column(A) ::= column(C) NOT_NULL NULL. { A = C; A->not_null = true; }
column(A) ::= column(C) NULL. { A = C; }
column(A) ::= column(C) HEADERS. { A = C; A->is_headers = true; }
column(A) ::= column(C) HEADER LP STRING(S) RP. { A = C; A->is_headers = true; A->metadata_from = token_string(parser, S); }
column(A) ::= column(C) METADATA. { A = C; A->is_metadata = true; }
column(A) ::= column(C) METADATA FROM STRING(S). { A = C; A->is_metadata = true; A->metadata_from = token_string(parser, S); }
column(A) ::= column(C) VIRTUAL. { A = C; A->is_virtual = true; }
column(A) ::= column(C) DEFAULT value(E). { A = C; A->default_value = E; }
column(A) ::= column(C) AS value(E). { A = C; A->computed = E; }
column(A) ::= column(C) COMMENT STRING. { A = C; }

create(A) ::= CREATE flags(F) TYPE if_not_exists(I) ID(N) AS type(T). {
    AstCreate *made = new_create(parser, AST_OBJECT_TYPE, F, I, N);
    made->type = T;
    A = build_statement(parser, AST_STMT_CREATE_TYPE); A->create = made; A->name = made->name; A->object = AST_OBJECT_TYPE;
}
create(A) ::= function(F). {
    A = build_statement(parser, AST_STMT_CREATE_FUNCTION); A->create = F; A->name = F->name; A->object = AST_OBJECT_FUNCTION;
    if (!F->body && !F->body_expr)
        parser_fail(parser, error_at(ERR_PARSE, F->name.at, "function '%s' has no body: expected AS 'text' or AS expression", F->name.text));
}
%type function { AstCreate * }
%type function_name { AstCreate * }
function(A) ::= function_name(F). { A = F; }
function_name(A) ::= CREATE flags(F) FUNCTION if_not_exists(I) ID(N). { A = new_create(parser, AST_OBJECT_FUNCTION, F, I, N); }
function_name(A) ::= CREATE flags(F) AGGREGATE FUNCTION if_not_exists(I) ID(N). {
    A = new_create(parser, AST_OBJECT_FUNCTION, F, I, N); A->is_aggregate = true;
}
function(A) ::= function_name(F) LP fields(P) RP. { A = F; memcpy(&A->parameters, P, sizeof A->parameters); }
function(A) ::= function_name(F) LP RP. { A = F; }
function(A) ::= function(F) RETURNS type(T). { A = F; A->returns = T; }
function(A) ::= function(F) LANGUAGE name(N). { A = F; A->language = N.text; }
function(A) ::= function(F) LANGUAGE STRING(S). { A = F; A->language = token_string(parser, S); }
function(A) ::= function(F) AS(T) expr(E). {
    A = F;
    if (A->body || A->body_expr)
        parser_fail(parser, error_at(ERR_PARSE, AT(T), "a second body of one function"));
    A->body_at = E->at;
    if (E->kind == AST_LITERAL && E->value.type->kind == TYPE_VARCHAR && !E->parenthesized)
        A->body = arena_strndup(parser->arena, str_bytes(&E->value.text), E->value.text.length);
    else
        A->body_expr = E;
}

create(A) ::= CREATE flags(F) CONNECTOR if_not_exists ID(N) with_opt(W). {
    (void)F; A = named_statement(parser, AST_STMT_CONNECTOR, token_name(parser, N));
    if (W)
        A->properties = *W;
}

/* ---- DROP, ALTER ---- */
statement(A) ::= DROP drop_object(O) if_exists(I) name(N) delete_topic(D). {
    A = named_statement(parser, AST_STMT_DROP, N); A->object = O; A->if_exists = I; A->delete_topic = D;
}
statement(A) ::= DROP CONNECTOR if_exists name(N). {
    A = named_statement(parser, AST_STMT_CONNECTOR, N); A->if_exists = true;
}
%type drop_object { AstObjectKind }
drop_object(A) ::= create_object(O). { A = O; }
drop_object(A) ::= TEMPORARY create_object(O). { A = O; }
drop_object(A) ::= TYPE. { A = AST_OBJECT_TYPE; }
drop_object(A) ::= FUNCTION. { A = AST_OBJECT_FUNCTION; }
drop_object(A) ::= TEMPORARY FUNCTION. { A = AST_OBJECT_FUNCTION; }
%type delete_topic { int }
delete_topic(A) ::= . { A = 0; }
delete_topic(A) ::= DELETE TOPIC. { A = 1; }

statement(A) ::= ALTER alter_object(O) name(N) additions(L). {
    A = named_statement(parser, AST_STMT_ALTER, N); A->object = O; memcpy(&A->added, L, sizeof A->added);
}
statement(A) ::= ALTER SYSTEM property(P). { A = build_statement(parser, AST_STMT_SET); property_add(parser, &A->properties, *P); }
%type alter_object { AstObjectKind }
alter_object(A) ::= STREAM. { A = AST_OBJECT_STREAM; }
alter_object(A) ::= TABLE. { A = AST_OBJECT_TABLE; }
%type additions { Columns * }
additions(A) ::= ADD column_word column(C). { A = NEW(Columns); LIST_ADD(parser->arena, A, *C); }
additions(A) ::= ADD LP columns(L) RP. { A = L; }
additions(A) ::= additions(L) COMMA ADD column_word column(C). { A = L; LIST_ADD(parser->arena, A, *C); }
%type columns { Columns * }
columns(A) ::= column(C). { A = NEW(Columns); LIST_ADD(parser->arena, A, *C); }
columns(A) ::= columns(L) COMMA column(C). { A = L; LIST_ADD(parser->arena, A, *C); }
column_word ::= .
column_word ::= COLUMN.

/* ---- the system: SHOW, DESCRIBE, EXPLAIN ---- */
statement(A) ::= show_word show_what(S). { A = S; }
statement(A) ::= show_word show_what(S) EXTENDED. { A = S; A->extended = true; }
statement(A) ::= show_word ALL show_what(S). { A = S; A->all = true; }
statement(A) ::= show_word ALL show_what(S) EXTENDED. { A = S; A->all = A->extended = true; }
statement(A) ::= show_word show_what(S) not_opt(N) LIKE STRING(P). {
    A = S; A->negated = N != 0; A->like = token_string(parser, P);
}
show_word ::= SHOW.
show_word ::= LIST.
%type show_what { AstStatement * }
show_what(A) ::= STREAMS. { A = show(parser, AST_SHOW_STREAMS); }
show_what(A) ::= TABLES. { A = show(parser, AST_SHOW_TABLES); }
show_what(A) ::= VIEWS. { A = show(parser, AST_SHOW_VIEWS); }
show_what(A) ::= QUERIES. { A = show(parser, AST_SHOW_QUERIES); }
show_what(A) ::= TOPICS. { A = show(parser, AST_SHOW_TOPICS); }
show_what(A) ::= FUNCTIONS. { A = show(parser, AST_SHOW_FUNCTIONS); }
show_what(A) ::= TYPES. { A = show(parser, AST_SHOW_TYPES); }
show_what(A) ::= VARIABLES. { A = show(parser, AST_SHOW_VARIABLES); }
show_what(A) ::= PROPERTIES. { A = show(parser, AST_SHOW_PROPERTIES); }
show_what(A) ::= LAG. { A = show(parser, AST_SHOW_LAG); }
show_what(A) ::= CONNECTORS. { A = show(parser, AST_SHOW_CONNECTORS); }
show_what(A) ::= SOURCE CONNECTORS. { A = show(parser, AST_SHOW_CONNECTORS); }
show_what(A) ::= SINK CONNECTORS. { A = show(parser, AST_SHOW_CONNECTORS); }
show_what(A) ::= CONNECTOR PLUGINS. { A = show(parser, AST_SHOW_CONNECTORS); }

statement(A) ::= show_word CREATE show_object name(N). { A = show(parser, AST_SHOW_CREATE); A->name = N; }
show_object ::= STREAM.
show_object ::= TABLE.
show_object ::= VIEW.
statement(A) ::= describe_word name(N). { A = named_statement(parser, AST_STMT_DESCRIBE, N); }
statement(A) ::= describe_word name(N) EXTENDED. { A = named_statement(parser, AST_STMT_DESCRIBE, N); A->extended = true; }
statement(A) ::= describe_word EXTENDED name(N). { A = named_statement(parser, AST_STMT_DESCRIBE, N); A->extended = true; }
statement(A) ::= describe_word STRING(T). { /* a file: its inferred columns */
    A = build_statement(parser, AST_STMT_DESCRIBE); A->path = token_string(parser, T); A->at = AT(T);
}
statement(A) ::= describe_word describe_all(O). { A = build_statement(parser, AST_STMT_DESCRIBE); A->all = true; A->object = O; }
statement(A) ::= describe_word describe_all(O) EXTENDED. {
    A = build_statement(parser, AST_STMT_DESCRIBE); A->all = A->extended = true; A->object = O;
}
statement(A) ::= describe_word FUNCTION name(N). { A = named_statement(parser, AST_STMT_DESCRIBE_FUNCTION, N); }
statement(A) ::= describe_word CONNECTOR name(N). { A = named_statement(parser, AST_STMT_CONNECTOR, N); }
describe_word ::= DESCRIBE.
describe_word ::= DESC.
%type describe_all { AstObjectKind }
describe_all(A) ::= STREAMS. { A = AST_OBJECT_STREAM; }
describe_all(A) ::= TABLES. { A = AST_OBJECT_TABLE; }

statement(A) ::= EXPLAIN explain_kind(K) explainable(S). { A = build_statement(parser, AST_STMT_EXPLAIN); A->explain = K; A->explained = S; }
statement(A) ::= EXPLAIN explain_kind(K) name(N). { A = named_statement(parser, AST_STMT_EXPLAIN, N); A->explain = K; }
%type explain_kind { AstExplainKind }
explain_kind(A) ::= . { A = AST_EXPLAIN_PLAN; }
explain_kind(A) ::= PLAN FOR. { A = AST_EXPLAIN_PLAN; }
explain_kind(A) ::= explain_details(D). { A = D; }
%type explain_details { AstExplainKind }
explain_details(A) ::= EXPLAIN_DETAIL(T). { A = token_is(T, "CHANGELOG_MODE") ? AST_EXPLAIN_EXTENDED : AST_EXPLAIN_PLAN; }
explain_details(A) ::= explain_details(D) COMMA EXPLAIN_DETAIL(T). { A = token_is(T, "CHANGELOG_MODE") ? AST_EXPLAIN_EXTENDED : D; }
explain_kind(A) ::= EXTENDED. { A = AST_EXPLAIN_EXTENDED; }
explain_kind(A) ::= ANALYZE. { A = AST_EXPLAIN_ANALYZE; }
explain_kind(A) ::= WHY NO OUTPUT. { A = AST_EXPLAIN_WHY_NO_OUTPUT; }

/* ---- session: SET, DEFINE ---- */
statement(A) ::= SET property_name(N) EQ set_value(V). {
    A = build_statement(parser, AST_STMT_SET);
    property_add(parser, &A->properties, ((OptionEntry){ N.text, V.text, N.at, V.at, false }));
}
statement(A) ::= SET. { A = show(parser, AST_SHOW_PROPERTIES); }
%type set_value { AstName }
set_value(A) ::= property_value(V). { A = V; }
set_value(A) ::= words(W). { A = W; }
set_value(A) ::= ON(T). { A = (AstName){ token_source(parser, AT(T), &T), false, AT(T) }; }
set_value(A) ::= INTEGER(N) ID(U). { A = (AstName){ arena_printf(parser->arena, "%s %s", token_source(parser, AT(N), &N), token_name(parser, U).text), false, JOINED(AT(N), AT(U)) }; }
statement(A) ::= unset_word property_name(N). {
    A = build_statement(parser, AST_STMT_UNSET); A->name = (AstName){ N.text, false, N.at };
    property_add(parser, &A->properties, ((OptionEntry){ N.text, NULL, N.at, SPAN_NONE, false }));
}
statement(A) ::= unset_word. { A = build_statement(parser, AST_STMT_UNSET); A->all = true; }
unset_word ::= UNSET.
unset_word ::= RESET.
statement(A) ::= DEFINE name(N) EQ property_value(V). {
    A = named_statement(parser, AST_STMT_DEFINE, N);
    property_add(parser, &A->properties, ((OptionEntry){ N.text, V.text, N.at, V.at, false }));
}
statement(A) ::= UNDEFINE name(N). { A = named_statement(parser, AST_STMT_UNDEFINE, N); }

/* ---- queries that run ---- */
statement(A) ::= query_verb(V) ALL(T). {
    A = named_statement(parser, V, (AstName){ "ALL", false, AT(T) }); A->all = true;
}
statement(A) ::= query_verb(V) name(N). { A = named_statement(parser, V, N); }
statement(A) ::= query_verb(V) STRING(T). { A = named_statement(parser, V, (AstName){ token_string(parser, T), true, AT(T) }); }
%type query_verb { AstStatementKind }
query_verb(A) ::= TERMINATE. { A = AST_STMT_TERMINATE; }
query_verb(A) ::= PAUSE. { A = AST_STMT_PAUSE; }
query_verb(A) ::= RESUME. { A = AST_STMT_RESUME; }

/* ---- PRINT, RUN SCRIPT ---- */
statement(A) ::= print(S). { A = S; }
%type print { AstStatement * }
print(A) ::= PRINT words(W). {
    A = build_statement(parser, AST_STMT_PRINT);
    A->name = W;
}
print(A) ::= PRINT STRING(T). { A = build_statement(parser, AST_STMT_PRINT); A->path = token_string(parser, T); }
print(A) ::= print(S) FROM BEGINNING. { A = S; A->from_beginning = true; }
print(A) ::= print(S) INTERVAL INTEGER(N). { A = S; A->interval = literal_number(parser, N); }
print(A) ::= print(S) SAMPLE INTEGER(N). { A = S; A->interval = literal_number(parser, N); }
print(A) ::= print(S) LIMIT INTEGER(N). { A = S; A->limit = literal_number(parser, N); }
statement(A) ::= RUN SCRIPT STRING(T). { A = build_statement(parser, AST_STMT_RUN_SCRIPT); A->path = token_string(parser, T); }

/* ---- ASSERT ---- */
statement(A) ::= ASSERT VALUES name(N) VALUES rows(R). {
    A = assertion(parser, AST_ASSERT_VALUES); A->name = N; memcpy(&A->rows, R, sizeof A->rows);
}
statement(A) ::= ASSERT VALUES name(N) LP names(C) RP VALUES rows(R). {
    A = assertion(parser, AST_ASSERT_VALUES); A->name = N; A->columns = *C; memcpy(&A->rows, R, sizeof A->rows);
}
statement(A) ::= ASSERT tombstone name(N) LP names(C) RP KEY rows(R). {
    A = assertion(parser, AST_ASSERT_TOMBSTONE); A->name = N; A->columns = *C; memcpy(&A->rows, R, sizeof A->rows);
}
tombstone ::= NULL VALUES.
tombstone ::= TOMBSTONE.
statement(A) ::= ASSERT create_object(O) ID(N) LP elements(E) RP with_opt(W). {
    A = assertion(parser, O == AST_OBJECT_STREAM ? AST_ASSERT_STREAM : AST_ASSERT_TABLE);
    A->assert_create = new_create(parser, O, (CreateFlags){ 0 }, false, N);
    A->name = A->assert_create->name; A->object = O;
    create_elements(parser, A->assert_create, E);
    if (W)
        A->assert_create->with = *W;
    if (O == AST_OBJECT_VIEW)
        parser_fail(parser, error_at(ERR_PARSE, AT(N), "expected STREAM or TABLE after 'ASSERT'"));
}
statement(A) ::= ASSERT create_object(O) ID(N) with_opt(W). {
    A = assertion(parser, O == AST_OBJECT_STREAM ? AST_ASSERT_STREAM : AST_ASSERT_TABLE);
    A->assert_create = new_create(parser, O, (CreateFlags){ 0 }, false, N);
    A->name = A->assert_create->name; A->object = O;
    if (W)
        A->assert_create->with = *W;
    if (O == AST_OBJECT_VIEW)
        parser_fail(parser, error_at(ERR_PARSE, AT(N), "expected STREAM or TABLE after 'ASSERT'"));
}
statement(A) ::= ASSERT not_exists(X) TOPIC topic(T) with_opt(W) timeout(D). {
    A = assertion(parser, AST_ASSERT_TOPIC); A->negated = X; A->name = T; A->timeout = D;
    if (W)
        A->properties = *W;
}
statement(A) ::= ASSERT not_exists(X) SCHEMA subject(T) schema_id(I) timeout(D). {
    A = assertion(parser, AST_ASSERT_SCHEMA); A->negated = X; A->name = T; A->timeout = D;
    if (I.text)
        property_add(parser, &A->properties, ((OptionEntry){ "id", I.text, I.at, I.at, false }));
}
%type not_exists { int }
not_exists(A) ::= . { A = 0; }
not_exists(A) ::= NOT EXISTS. { A = 1; }
%type topic { AstName }
topic(A) ::= words(W). { A = W; }
topic(A) ::= STRING(T). { A = (AstName){ token_string(parser, T), true, AT(T) }; }
%type subject { AstName }
subject(A) ::= . { A = (AstName){ 0 }; }
subject(A) ::= SUBJECT topic(T). { A = T; }
%type schema_id { AstName }
schema_id(A) ::= . { A = (AstName){ 0 }; }
schema_id(A) ::= IDWORD INTEGER(T). { A = (AstName){ token_source(parser, AT(T), &T), false, AT(T) }; }
%type timeout { AstDuration }
timeout(A) ::= . { A = (AstDuration){ 0 }; }
timeout(A) ::= TIMEOUT duration(D). { A = D; }

/* parser/parser.h: SQL text -> statements. The room's door. */
#pragma once
#include "parser/ast.h"

/* Values of ${name}, as --define, DEFINE and \set give them. */
typedef struct ParserVariables {
    const char *const *names;
    const char *const *values;
    int count;
} ParserVariables;

/* Parses a whole script. Resynchronises at `;`: the returned error list holds every statement's error, in order;
 * *script then holds the statements that did parse. ${name} is replaced as tokens (a DEFINE statement earlier in the script
 * counts from there on); spans then point at the ${name} in `text`. The tree lives in `arena` and does not point into `text`. */
Error *parse_script(Arena *arena, const char *text, size_t length, const ParserVariables *variables, AstScript *script);

/* Parses one expression (tests, tools). */
Error *parse_expression(Arena *arena, const char *text, size_t length, AstExpr **expr);

/* SQL that parses to an equal tree. */
void ast_print_statement(const AstStatement *statement, Text *text);
void ast_print_query(const AstQuery *query, Text *text);
void ast_print_expr(const AstExpr *expr, Text *text);
void ast_print_pattern(const AstPattern *pattern, Text *text); /* what stands in PATTERN (..) */
void ast_print_type(const AstType *type, Text *text);

/* True when the two trees mean the same text, spans aside (tests, fuzzing). */
bool ast_equal_statement(const AstStatement *a, const AstStatement *b);

/* Line and column (1-based, column in characters) of a byte offset, and the line's text without its end. */
typedef struct TextPlace { int line, column; const char *line_text; size_t line_length; } TextPlace;
TextPlace text_place(const char *text, size_t length, uint32_t offset);

/* Every keyword, sorted: completion and suggestions. */
const char *const *parser_keywords(int *count);

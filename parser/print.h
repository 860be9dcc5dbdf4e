/* parser/print.h: what the printers of expressions, queries and statements share. Private to the room. */
#pragma once
#include "parser/parser_internal.h"

/* Binding strength; what binds more loosely than its place needs parentheses. */
enum { ANY, OR_LEVEL = 1, AND_LEVEL, NOT_LEVEL, PREDICATE_LEVEL, SUM_LEVEL, PRODUCT_LEVEL, SIGN_LEVEL, PRIMARY_LEVEL };

/* print.c */
void print_string(const char *string, Text *text);
void print_names(const AstNames *names, const char *between, Text *text);
void print_list(const AstExprs *list, Text *text);
void print_order(const AstOrder *order, Text *text);
void print_properties(const AstProperties *properties, Text *text);
void print_hints(const AstProperties *hints, Text *text);
void print_interval(const Interval *interval, Text *text);
void print_call(const AstExpr *call, Text *text);
void print_over(const AstOver *over, Text *text); /* from its parenthesis on */
void print_expr(const AstExpr *expr, int least, Text *text); /* in parentheses if it binds more loosely than `least` */

/* print_query.c */
void print_rows(const AstExprs *rows, int count, Text *text);
void print_query(const AstQuery *query, Text *text);

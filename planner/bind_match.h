/* planner/bind_match.h: what the files that bind MATCH_RECOGNIZE share. Private to them. */
#pragma once
#include "planner/binder.h"

typedef struct FoundTerm {
    const char *text;       /* as SQL: equal ones are one term */
    MatchTerm term;
} FoundTerm;
typedef struct MatchTerms { FoundTerm *items; int count, capacity; } MatchTerms;

typedef struct Matching {
    Binder *binder;
    Arena *arena;
    const AstMatch *ast;
    Relation *relation;     /* the rows to match; the node's input once all columns are known, then its result */
    int visible;            /* columns that it had before some were computed */
    struct { MatchVariable *items; int count, capacity; } variables;
    uint64_t *subsets;
    /* of the projection below the node */
    struct { Expr **items; int count, capacity; } exprs;
    struct { Column *items; int count, capacity; } columns;
    int *partition_columns;
    SortKey *keys; int key_count;
    bool by_time;
    int time_column; int64_t lag_us;
    int64_t within_us;
    bool all_rows;
    MatchSkip skip; uint64_t skip_variables;
    MatchStep *steps; int step_count;
    MatchStep first;
    MatchTerms defines, measures;
} Matching;

int match_variable(const Matching *matching, const char *name); /* -1: none */
/* The variables that a name (also of a SUBSET) stands for. */
bool match_variables(const Matching *matching, const char *name, uint64_t *variables);
/* The column of the node's input that holds the expression; it is computed if it is none yet. */
int match_column(Matching *matching, Expr *expr, const char *name);

/* ---- bind_match_terms.c ---- */
/* *row: the condition over the row alone, without qualifiers; NULL: it asks for other rows, too. */
Error *match_row_condition(Matching *matching, int variable, const AstExpr *condition, AstExpr **row);
/* A condition with its terms replaced by markers of match_terms_relation(defines). */
Error *match_define_terms(Matching *matching, int variable, const AstExpr *condition, AstExpr **mapped);
/* Notes the terms of a measure; once the node is made, they can be replaced by markers of its columns. */
Error *match_collect_measure(Matching *matching, const AstExpr *measure);
Error *match_measure(Matching *matching, const AstExpr *measure, AstExpr **mapped);
/* Terms as columns of rows that nothing else holds. */
Relation match_terms_relation(const Matching *matching, const MatchTerms *terms);

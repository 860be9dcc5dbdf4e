/* planner/rewrite/rewrite.h: rules that change a plan and not its results. Each has a number, a file and a switch
 * `planner.rewrite.<name>`. They work on the DAG of all outputs at once. */
#pragma once
#include "planner/logical.h"
#include "planner/settings.h"

typedef struct RewriteContext {
    Arena *arena;
    const PlannerSettings *settings;
    PlanInput *roots; int root_count;   /* sink nodes */
    int counts[32];                     /* changes made, per rule */
} RewriteContext;

typedef struct RewriteRule {
    int number;                         /* its name in talk and EXPLAIN; never reused */
    const char *name;
    const char *doc;                    /* one sentence, for SHOW PROPERTIES */
    int (*apply)(RewriteContext *context); /* returns how many changes it made */
} RewriteRule;

extern const RewriteRule rewrite_rules[]; /* ended by a NULL name */
int rewrite_count(void);
void rewrite_all(RewriteContext *context);
/* "1 constant_folding, 4 projection_pruning": the rules that changed something. */
const char *rewrite_summary(const RewriteContext *context);

int rewrite_constant_folding(RewriteContext *context);
int rewrite_shared_plans(RewriteContext *context);
int rewrite_filter_pushdown(RewriteContext *context);
int rewrite_projection_pruning(RewriteContext *context);
int rewrite_merge_projections(RewriteContext *context);
int rewrite_identity_projections(RewriteContext *context);
int rewrite_top_k(RewriteContext *context);
int rewrite_rank_limit(RewriteContext *context);
int rewrite_top_with_ties(RewriteContext *context);
int rewrite_window_candidates(RewriteContext *context);
int rewrite_join_unique_keys(RewriteContext *context);
int rewrite_keyed_windows(RewriteContext *context);
int rewrite_join_best(RewriteContext *context);

/* No rule but what a source means: a job reads it once, in one order, whatever the number of its consumers. */
void rewrite_share_sources(RewriteContext *context);

/* ---- for rules ---- */

/* All nodes, inputs first; each knows its place and how many inputs and roots read any port of it. */
NodeList rewrite_nodes(RewriteContext *context);
/* Every input that reads `from`'s result reads `to` instead. */
void rewrite_replace(const NodeList *nodes, LogicalNode *from, PlanInput to);
/* The expression with each column i replaced by with[i]; a new tree. */
Expr *rewrite_substitute(Arena *arena, const Expr *expr, Expr *const *with);
/* No expression of the node fails or gives another value the next time. */
bool rewrite_cannot_fail(LogicalNode *node);

/* exec/operators.c: which operator runs a plan node. */
#include "exec/operators.h"
#include "planner/rank_changes.h"

static const OperatorType *window_type(const PlanNode *node)
{
    switch (node->aggregate.window.kind) {
    case WINDOW_TUMBLING:
    case WINDOW_HOPPING:
    case WINDOW_CUMULATING:
    case WINDOW_SNAPSHOT: return node->aggregate.clock_keys ? &keyed_window_operator : node->aggregate.loses_windows ? &lossy_window_operator : &window_operator;
    case WINDOW_SLIDING: return node->aggregate.trigger == TRIGGER_CHANGES ? &sliding_changes_operator : &sliding_operator;
    case WINDOW_COUNT: return &count_operator;
    case WINDOW_SESSION: return &session_operator;
    }
    return NULL;
}

static const OperatorType *join_type(const PlanNode *node)
{
    switch (node->join.form) {
    case JOIN_BOTH:
    case JOIN_TABLE: return &join_operator;
    case JOIN_VERSIONS: return &join_versions_operator;
    case JOIN_ARRIVAL: return &join_arrival_operator;
    }
    return NULL;
}

const OperatorType *operator_type_for(const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN:
    case PLAN_VALUES: return &source_operator; /* turn.c pushes what it decodes through it */
    case PLAN_WATERMARK: return node->watermark.key_count ? &entrance_operator : &watermark_operator;
    case PLAN_GATHER: return &gather_operator;
    case PLAN_FILTER: return &filter_operator;
    case PLAN_PROJECT: return &project_operator;
    case PLAN_NORMALIZE: return &normalize_operator;
    case PLAN_LOOKUP: return &lookup_operator;
    case PLAN_WINDOW_ASSIGN: return &window_assign_operator;
    case PLAN_CANDIDATES: return &candidates_operator;
    case PLAN_SUBQUERY: return node->subquery.changes ? &subquery_changes_operator : &subquery_operator;
    case PLAN_UNNEST: return &unnest_operator;
    case PLAN_AGGREGATE: return &aggregate_operator;
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE: return window_type(node);
    case PLAN_RANK: return rank_of_changes(node) ? &changing_rank_operator : &rank_operator;
    case PLAN_OVER: return &over_operator;
    case PLAN_MATCH: return &match_operator;
    case PLAN_SORT: return &sort_operator;
    case PLAN_LIMIT: return &limit_operator;
    case PLAN_SET: return &set_operator;
    case PLAN_JOIN: return join_type(node);
    case PLAN_UNION: return &union_operator;
    case PLAN_SINK: return &sink_operator;
    }
    return NULL;
}

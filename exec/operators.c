/* exec/operators.c: which operator runs a plan node. */
#include "exec/operators.h"

const OperatorType *operator_type_for(const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN:
    case PLAN_VALUES: return &source_operator; /* turn.c pushes what it decodes through it */
    case PLAN_WATERMARK: return &watermark_operator;
    case PLAN_FILTER: return &filter_operator;
    case PLAN_PROJECT: return &project_operator;
    case PLAN_NORMALIZE: return &normalize_operator;
    case PLAN_LOOKUP: return &lookup_operator;
    case PLAN_WINDOW_ASSIGN: return &window_assign_operator;
    case PLAN_UNNEST: return &unnest_operator;
    case PLAN_AGGREGATE: return &aggregate_operator;
    case PLAN_WINDOW_AGGREGATE: return node->aggregate.loses_windows ? &lossy_window_operator : &window_operator;
    case PLAN_SESSION_AGGREGATE: return &session_operator;
    case PLAN_RANK: return &rank_operator;
    case PLAN_OVER: return &over_operator;
    case PLAN_SORT: return &sort_operator;
    case PLAN_LIMIT: return &limit_operator;
    case PLAN_SET: return &set_operator;
    case PLAN_UNION: return &union_operator;
    case PLAN_SINK: return &sink_operator;
    }
    return NULL;
}

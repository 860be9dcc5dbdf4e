/* exec/operators.h: the operator types, one a file op_<name>.c. Private to the room. */
#pragma once
#include "exec/exec_internal.h"

extern const OperatorType source_operator;
extern const OperatorType watermark_operator;
extern const OperatorType entrance_operator;
extern const OperatorType gather_operator;
extern const OperatorType filter_operator;
extern const OperatorType project_operator;
extern const OperatorType normalize_operator;
extern const OperatorType lookup_operator;
extern const OperatorType window_assign_operator;
extern const OperatorType candidates_operator;
extern const OperatorType subquery_operator;
extern const OperatorType subquery_changes_operator;
extern const OperatorType unnest_operator;
extern const OperatorType aggregate_operator;
extern const OperatorType window_operator;
extern const OperatorType lossy_window_operator;
extern const OperatorType keyed_window_operator;
extern const OperatorType sliding_operator;
extern const OperatorType sliding_changes_operator;
extern const OperatorType count_operator;
extern const OperatorType session_operator;
extern const OperatorType rank_operator;
extern const OperatorType changing_rank_operator;
extern const OperatorType over_operator;
extern const OperatorType match_operator;
extern const OperatorType sort_operator;
extern const OperatorType limit_operator;
extern const OperatorType union_operator;
extern const OperatorType set_operator;
extern const OperatorType join_operator;
extern const OperatorType join_arrival_operator;
extern const OperatorType join_versions_operator;
extern const OperatorType sink_operator;

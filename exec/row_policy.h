/* exec/row_policy.h: what filters and projections do with rows whose expression failed. Private to the room. */
#pragma once
#include "exec/exec_internal.h"

/* Settles the failures of an evaluation over `live` rows. POLICY_FAIL: *rows becomes what stands before the first failing row, and the
 * error is returned in *failure, to be raised after those rows. POLICY_NULL keeps rows. POLICY_DEAD_LETTER and POLICY_SKIP take them out of *rows.
 * `column`: which output column, or NULL. */
Error *row_policy_settle(Operator *op, RowPolicy policy, Evaluation *evaluation, const Batch *batch, const char *column, Span at,
                         Selection *rows, Error **failure);

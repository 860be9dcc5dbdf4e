/* planner/rank_changes.h: ranks of rows that change. */
#pragma once
#include "planner/rewrite/rewrite.h"

/* Does the rank keep all rows, as any of them may come up again, or is it of a part from further down? */
bool rank_of_changes(const LogicalNode *rank);
/* Decides of what each such rank tells its changes, for the sinks' keys. */
void rank_choose_changes(RewriteContext *context);

/* exec/expression.h: evaluating bound expressions over batches. expression_open and expression_evaluate are in exec_internal.h. */
#pragma once
#include "exec/exec_internal.h"

/* The rows of `live` for which a BOOLEAN expression is TRUE, ascending; in evaluation->arena (or live's own rows). An AND's arguments see
 * only rows for which those before them are TRUE. */
Error *expression_select(Expression *expression, Evaluation *evaluation, const Batch *batch, const Selection *live, Selection *passed);

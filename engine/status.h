/* engine/status.h: where jobs stand, as text: for SHOW LAG, DESCRIBE EXTENDED and EXPLAIN ANALYZE. */
#pragma once
#include "exec/exec.h"

#define LAG_COLUMNS 11

/* SHOW LAG [EXTENDED]: the names of its columns, how many there are, and the cells of a split's row; what the arena holds. NULL: not known. */
int lag_columns(bool extended, const char *const **names);
void lag_cells(Arena *arena, const char *query, const SplitStatus *split, int64_t now_us, const char *cells[LAG_COLUMNS]);

/* EXPLAIN ANALYZE: the plan with what each operator of a job that was opened with `profile` did, and how long the run took. */
void analysis_print(const Plan *plan, Job *job, int64_t passed_us, Text *text);

/* EXPLAIN WHY NO OUTPUT: where the rows of such a job went; `answered`: some came out. */
void why_print(const Plan *plan, Job *job, bool answered, MemoryPool *pool, Text *text);

/* What a job read, wrote and waited for, how old messages were, and where each split stands: a line each. */
void status_print(const JobStatus *status, Text *text);

/* planner/match_pattern.h: PATTERN (..) of MATCH_RECOGNIZE as the steps of a plan node. Private to the room. */
#pragma once
#include "parser/ast.h"
#include "planner/plan.h"

/* The number of a VARIABLE or ANY. */
typedef Error *(*PatternVariable)(void *owner, const AstPattern *pattern, int *variable);

/* steps[0] stands before the first row. Refuses patterns that fit no row at all, and those that grow too large. */
Error *match_steps(Arena *arena, const AstPattern *pattern, PatternVariable variable, void *owner, MatchStep **steps, int *step_count);

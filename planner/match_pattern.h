/* planner/match_pattern.h: PATTERN (..) of MATCH_RECOGNIZE as the steps of a plan node. Private to the room. */
#pragma once
#include "parser/ast.h"
#include "planner/plan.h"

/* The number of a VARIABLE or ANY. */
typedef Error *(*PatternVariable)(void *owner, const AstPattern *pattern, int *variable);

/* steps[0] stands before the first row, *first in its place where that is the first one of the partition. Refuses patterns that grow too large. */
Error *match_steps(Arena *arena, const AstPattern *pattern, PatternVariable variable, void *owner, MatchStep **steps, int *step_count, MatchStep *first);
/* The place of an anchor in the pattern; NULL: there is none. */
const AstPattern *match_anchor(const AstPattern *pattern, AstPatternKind kind);

/* planner/explain.h: texts of plans. explain_plan and explain_node are in planner.h. */
#pragma once
#include "planner/logical.h"

void explain_duration(int64_t us, Text *text); /* "1 h 30 min" */
void explain_window(const WindowSpec *window, Text *text);
/* A tree as the binder made it, before rewrites. */
void explain_logical(Arena *arena, PlanInput root, Text *text);

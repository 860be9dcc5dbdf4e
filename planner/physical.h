/* planner/physical.h: the logical plan -> Plan: rewrites, shared sub-plans, segments, names. */
#pragma once
#include "planner/logical.h"
#include "planner/settings.h"

/* A sink node with what names it. */
typedef struct PhysicalOutput {
    const char *name;   /* NULL: a SELECT */
    LogicalNode *sink;
    const char *side_of; /* the source whose bad records it takes; NULL: none */
} PhysicalOutput;

/* Takes the trees apart: nodes are changed in place. Everything lives in `arena`. */
bool logical_keeps_state(const LogicalNode *node); /* of other rows than the one at hand */
Error *physical_plan(Arena *arena, const PlannerSettings *settings, const PhysicalOutput *outputs, int output_count, Plan **plan);

/* Canonical text of a node without its inputs: equal texts over equal inputs mean equal results. */
void node_canonical(const LogicalNode *node, Text *text);

/* planner/own_clocks.h: TIMESTAMP BY .. OVER key: keys that have each a clock of its own. */
#pragma once
#include "planner/logical.h"

/* Does the node do anything when time goes on? */
bool logical_acts_on_time(const LogicalNode *node);
/* Do the rows of each key go through the node by themselves? All its inputs then have clocks of keys. */
bool own_clocks_hold(Arena *arena, const LogicalNode *node);
/* Traits, after those that the node has by itself. */
void own_clocks_derive(Arena *arena, LogicalNode *node);
/* Is the column of such traits the number-th of the keys? */
bool own_clocks_key_is(const EdgeTraits *traits, int number, int column);
/* An error if the node goes by a time that its input does not have, as its rows are of several clocks. */
Error *own_clocks_check(Arena *arena, const LogicalNode *node, Span at);

/* The node passes rows of its first input on as they come, beside others: behind it the clocks of keys begin anew, made of the rows that come out. The node itself
 * where there are none, or where their keys do not stand in the rows any more. */
LogicalNode *own_clocks_again(Arena *arena, LogicalNode *node, int time_column, RowPolicy on_error);

/* Puts a GATHER under whatever takes the rows of all keys together. */
Error *own_clocks_gather(Arena *arena, const PlanInput roots[], int root_count);
/* Numbers the groups of substreams and puts the nodes of each one behind the other; says how many there are. */
int own_clocks_order(Arena *arena, NodeList *nodes, Error **error);

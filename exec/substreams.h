/* exec/substreams.h: operators that run with a state and a clock for each key (TIMESTAMP BY .. OVER key; planner/own_clocks.c).
 *
 *            entrance (a WATERMARK with keys, one an input)        rows of all keys -> the key's number, its clock
 *                | rows of one key at a time
 *            operators of the group, any, linked in any way        they know of no keys: what they have in `state` is the key's
 *                |
 *            GATHER                                                rows of all keys, without event time
 *
 * Operators of a group are opened once a key. Their states change places: before rows of a key come in, all of them get what belongs to it. The states of
 * keys that were not used for longest are packed (as in a snapshot) when there are many. What a key's rows make due comes out right behind them; at the
 * end of the input keys end one after the other, in the order in which they came. */
#pragma once
#include "exec/exec_internal.h"

typedef struct Substreams Substreams;

enum { SUBSTREAMS_LIVE = 2048 }; /* keys whose states are not packed */

/* One for each group of the job's plan, when its operators are there and before they are opened; in the operator arena. */
void substreams_open(Job *job);
void substreams_close(Job *job); /* before its operators are */
/* Is the node between entrances and GATHER? Then the job neither advances nor ends nor writes its operator: the group does. */
bool substreams_member(const PlanNode *node);
/* And has a state a key? Then the job does not open it either. */
bool substreams_own_state(const PlanNode *node);

/* The turn brings nothing more; the input has ended. To be called for each node in order: the last one of a group stands for all. */
Error *substreams_turn_done(Job *job, const PlanNode *node);
Error *substreams_end(Job *job, const PlanNode *node);

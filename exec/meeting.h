/* exec/meeting.h: inputs of an operator that lead back to one source (a diamond).
 *
 * A batch runs through one branch before the next one sees it, and what comes out of a branch may lie behind the source's clock by a turn. So rows
 * are held until the turn is done and are then taken as the source had them: by watermark, by place, by input. Which of them are late, come first
 * or meet each other then depends on neither batches nor turns. State: none between turns. */
#pragma once
#include "exec/exec_internal.h"

/* Do inputs of the node lead back to one source? */
bool inputs_meet(const Plan *plan, const PlanNode *node);

typedef struct HeldInput HeldInput;

typedef struct Meeting {
    Operator *op;             /* NULL: not open */
    bool meets;
    int *clocks;              /* per input: inputs of one number share a clock */
    int64_t *clock_wm_us;     /* per such number, while merging */
    int64_t *former_wm_us;    /* per input: its watermark when the turn began */
    HeldInput *held;
    Arena arena;
} Meeting;

/* Takes a row; wm_us: the watermark before it. The batch stays the meeting's. */
typedef Error *(*MeetingRow)(Operator *op, int input, Batch *batch, uint32_t row, int64_t wm_us);

void meeting_open(Meeting *meeting, Operator *op);
void meeting_close(Meeting *meeting);
/* Keeps the batch until the turn is done; takes over the reference. */
void meeting_hold(Meeting *meeting, int input, Batch *batch);
/* The turn is done: gives all held rows in their order. */
Error *meeting_end_turn(Meeting *meeting, MeetingRow take);
/* After a restore. */
void meeting_restored(Meeting *meeting);
/* Of inputs that do not meet: the watermark before a row, given that the other inputs stand still while the turn lasts. */
int64_t combined_watermark(const Operator *op, int input, const Batch *batch, uint32_t row);

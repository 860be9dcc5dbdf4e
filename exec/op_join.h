/* exec/op_join.h: what the forms of joins share: matches, and the pairs that come out. */
#pragma once
#include "exec/join_state.h"
#include "exec/meeting.h"
#include "exec/output_builder.h"
#include "exec/timers.h"

typedef struct JoinPair { /* numbers of rows; ROW_NONE: NULLs */
    uint32_t rows[2];
    uint8_t kind;
    int64_t wm_us;
    int64_t time_us;         /* at least; TIME_MIN: that of its rows */
} JoinPair;

typedef struct RowNumbers { uint32_t *items; size_t capacity; uint32_t count; } RowNumbers;

typedef struct JoinOutput {
    Operator *op;
    const PlanNode *node;
    Arena arena;
    JoinState state;
    Expression *condition;
    Schema pair_schema;       /* both sides' columns */
    bool *condition_reads;    /* per column of it */
    int64_t kept_from_us;     /* rows that came before have gone; TIME_MIN: none */
    uint64_t turn, tested;    /* pairs that the condition has seen in that turn */
    int64_t change_time_us;   /* of the row at hand, where what it changes carries its time; else TIME_MIN */
    OutputBuilder builder;
    JoinPair *pairs;
    size_t pair_capacity;
    uint32_t pair_count;
    struct { uint32_t *items; size_t capacity; uint32_t count; } dropped[2]; /* rows that are gone but may stand in pairs */
} JoinOutput;

Error *join_output_open(JoinOutput *join, Operator *op);
void join_output_close(JoinOutput *join);
/* Rows of the other side that fit row `number` and are alive at wm_us, in the order of their group. */
Error *join_matches(JoinOutput *join, int side, uint32_t number, int64_t wm_us, RowNumbers *found);
/* A row of the result: `row` of the side with `other` of the other one. */
Error *join_pair(JoinOutput *join, int side, uint32_t row, uint32_t other, uint8_t kind, int64_t wm_us);
/* The row goes; its contents stay until the next join_flush. */
void join_drop(JoinOutput *join, int side, uint32_t number);
/* Sends all pairs on and frees what was dropped. */
Error *join_flush(JoinOutput *join);
/* At the end of a turn: as join_flush, and the state is made smaller where much of it is free. */
Error *join_settle(JoinOutput *join);
/* OperatorType.containers of every join, whose state begins with its JoinOutput. */
int join_containers(Operator *op, Container **containers, int capacity);
/* The event time of a row of a side's input; TIME_MIN: none. */
int64_t join_time(const JoinOutput *join, int side, const Batch *batch, uint32_t row);
/* Rows of a side that have met none, in order of arrival. */
void join_unmatched(const JoinOutput *join, int side, RowNumbers *found);

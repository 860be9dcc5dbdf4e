/* exec/exec_internal.h: what operators, containers and the pipeline share. Private to the room. */
#pragma once
#include "exec/exec.h"

typedef struct Operator Operator;
typedef struct OperatorType OperatorType;
typedef struct Container Container; /* exec/state.h: a KeyTable, StateColumns .. with its snapshot code */

/* Where an operator's output port leads. Filled by the pipeline before `open`. */
typedef struct OutputPort {
    int target_count;
    struct { Operator *operator; int input; } *targets;
} OutputPort;

typedef struct OperatorContext { /* one a job and worker */
    Job *job;
    Clock *clock;
    MemoryPool *pool;
    uint32_t batch_rows;       /* largest output batch */
    int64_t now_us;            /* of the turn at hand */
    uint64_t turn;
    int worker;
} OperatorContext;

/* A live operator. An operator in a PARALLEL segment has one instance a worker and keeps nothing between batches. */
struct Operator {
    const OperatorType *type;
    const PlanNode *node;
    OperatorContext *context;
    MemoryPool pool;           /* charged by its containers */
    OutputPort ports[PORT_COUNT];
    int input_count;
    int64_t *input_wm_us;      /* watermark of each input so far; TIME_MIN: none */
    int64_t wm_us;             /* minimum over inputs: what `advance` was last called with */
    bool *input_ended; int ended_count;
    void *state;               /* the operator's own struct */
    bool profiled;             /* `type` is a ProfiledType: exec/profile.c */
};

struct OperatorType {
    const char *name;
    Error *(*open)(Operator *op);
    void (*close)(Operator *op);   /* also after a failed open */
    /* Takes over the caller's reference of the batch. Rows carry wm_us (see Batch); an operator that acts on time processes
     * row i with the watermark batch->wm_us[i] *before* it: it fires what that watermark makes due, then takes the row. */
    Error *(*process)(Operator *op, int input, Batch *batch);
    /* The minimum watermark over the inputs has risen to wm_us (after the batch's rows, at ticks, at the end with TIME_MAX); now_us of the
     * turn is in the context. Fires what is due. The pipeline passes the watermark on to the consumers afterwards, minus nothing:
     * lag is static (plan). NULL: nothing to do. */
    Error *(*advance)(Operator *op, int64_t wm_us);
    /* The watermark that consumers get instead of the inputs' minimum: of an operator that begins a time of its own. NULL: the inputs'. */
    int64_t (*own_watermark)(const Operator *op);
    bool own_end;   /* that holds also when the inputs have ended, until the job has */
    /* All inputs have ended (after advance(TIME_MAX)). NULL: nothing to do. */
    Error *(*end)(Operator *op);
    /* The containers that hold all its state, in a fixed order: snapshot, restore and accounting are theirs. NULL: stateless. */
    int (*containers)(Operator *op, Container **containers, int capacity);
    /* The watermark at which the first open window closes; TIME_MAX: none is open. For EXPLAIN WHY NO OUTPUT. May be NULL. */
    int64_t (*next_close)(const Operator *op);
    /* How many windows are open, for metrics. May be NULL. */
    int64_t (*open_windows)(const Operator *op);
    /* After a restore: rebuild what is derived from the containers. May be NULL. */
    Error *(*restored)(Operator *op);
};

/* Gives a batch to every target of a port; takes over the reference. Rows keep kinds, wm_us, wm_end_us of the batch; an operator that
 * makes a batch of its own (a firing) sets wm_end_us to the watermark from *before* the firing and wm_us to NULL (= all rows wm_end_us). */
Error *output_push(Operator *op, int port, Batch *batch);
/* Does anyone listen on the port? */
static inline bool output_wanted(const Operator *op, int port) { return op->ports[port].target_count > 0; }

/* Job-wide facts, ORDERED part only. */
void job_count_late(Operator *op, uint64_t rows, uint64_t windows);
/* A failed or bad row under POLICY_FAIL becomes the job's error; otherwise counted, summarised, sent to PORT_DEAD_LETTER. `row` < 0: no row. */
Error *job_row_error(Operator *op, RowPolicy policy, const Batch *batch, int64_t row, const char *stage, const char *column, const char *reason, Span at);

/* The operator type for a plan node. */
const OperatorType *operator_type_for(const PlanNode *node);

/* ---- expressions: exec/expression.c ---- */
typedef struct Expression Expression; /* an Expr compiled to flat steps; one instance a worker */
Error *expression_open(Arena *arena, const Expr *expr, Expression **expression);
/* Evaluates over the batch's rows; `live` rows matter. The result (FLAT, CONSTANT, or the batch's own vector) lives as long as evaluation->arena
 * and the batch. Failed rows are in evaluation->failures, their value is NULL. */
Error *expression_evaluate(Expression *expression, Evaluation *evaluation, const Batch *batch, const Selection *live, const Vector **result);

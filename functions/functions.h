/* functions/functions.h: what SQL can compute. The room's door.
 *
 * A scalar function is one row in one file's table; SHOW FUNCTIONS, DESCRIBE FUNCTION, the reference pages and a test
 * of its example come from that row. The same registry holds the operators (named "+", "=", "like", "cast"..), so that the
 * binder resolves all calls in one way. */
#pragma once
#include "common/batch.h"

/* ---- evaluation ---- */

/* A row whose evaluation failed: overflow, division by zero, a cast. What happens to it is the policy of the plan
 * node; whatever outer functions make of the NULL that stands there meanwhile, the row's whole expression has failed. */
typedef struct RowFailure {
    uint32_t row;
    const char *reason;   /* lives as long as the evaluation's arena */
} RowFailure;

typedef struct Evaluation {
    Arena *arena;         /* results, and what kernels allocate for them: lives as long as the batch */
    int64_t now_us;       /* processing time of the turn: NOW(), PROCTIME() read only this */
    uint64_t turn;        /* with first_row + row: the seed of RANDOM() and UUID(), so that replays agree */
    uint64_t first_row;   /* rows of the turn before row 0 */
    const uint64_t *row_names; /* elements of lists instead of rows: their names; NULL: first_row + row */
    RowFailure *failures; /* in the order in which they were found; a row may appear more than once */
    uint32_t failure_count, failure_capacity;
} Evaluation;

/* What tells a row of the turn from all others, whatever the size of batches: a seed. */
static inline uint64_t evaluation_row(const Evaluation *evaluation, uint32_t row)
{
    return evaluation->row_names ? evaluation->row_names[row] : evaluation->first_row + row;
}

typedef struct Args {
    const Vector *const *arg;  /* FLAT or CONSTANT */
    int arg_count;
    uint32_t row_count;        /* rows of a FLAT argument and of the result */
    Selection live;            /* rows to compute: see `dense` */
    const void *prepared;      /* what `prepare` made of constant arguments; NULL without */
    const Type *result_type;
    Evaluation *evaluation;
} Args;

/* Fills `out` (FLAT, row_count rows, zeroed, all valid; NULLs of null_in_null_out are already marked). */
typedef Error *(*ScalarKernel)(const Args *args, Vector *out);

/* Marks a row failed and its result NULL. */
void args_fail(const Args *args, Vector *out, uint32_t row, const char *format, ...) __attribute__((format(printf, 4, 5)));
void evaluation_fail(Evaluation *evaluation, uint32_t row, const char *reason); /* notes it; `reason` lives as long as the arena */
/* Makes `out` NULL at a row (for functions that return NULL for other reasons than a NULL argument). */
void args_null(const Args *args, Vector *out, uint32_t row);

/* for (ARGS_EACH(args, row)) body: the rows that must be computed. */
#define ARGS_EACH(args, row) uint32_t i_ = 0, row; i_ < (args)->live.count && (row = selection_row(&(args)->live, i_), true); i_++
/* The value of argument n at `row`, for the C type of its physical form. */
#define ARG(args, n, CType, row) (((const CType *)(args)->arg[n]->values)[(row) & vector_mask((args)->arg[n])])

#define FUNCTION_MAX_ARGS 8

/* What becomes of the elements of an ARRAY or MAP (the first argument) for which lambdas (the last ones) are evaluated. */
typedef enum LambdaForm {
    LAMBDA_NONE,
    LAMBDA_TRANSFORM,  /* the lambda's values in their place; a MAP: one lambda for keys, one for values */
    LAMBDA_FILTER,     /* those for which it is TRUE */
    LAMBDA_REDUCE,     /* folded into the second argument, one after the other */
    LAMBDA_ANY,        /* is it TRUE for one of them? */
    LAMBDA_ALL         /* is it TRUE for all? */
} LambdaForm;

typedef struct ScalarFunction {
    const char *name;                      /* lower case; operators by their sign */
    TypeKind args[FUNCTION_MAX_ARGS];      /* ended by TYPE_NONE; TYPE_ANY fits all; DECIMAL any precision */
    TypeKind returns;                      /* TYPE_ANY: `resolve` says */
    ScalarKernel kernel;
    /* The exact result type from the exact argument types; NULL: the scalar type of `returns`. Returning NULL refuses. */
    const Type *(*resolve)(Arena *arena, const Type *const types[], int count);
    /* Called once when the expression is opened. constants[i] is NULL where argument i is not constant. May refuse
     * (a bad pattern): the error is placed at the argument. *prepared lives in the arena. */
    Error *(*prepare)(Arena *arena, const Value *const constants[], int count, const void **prepared);
    bool variadic;      /* the last argument type repeats, once at least */
    bool can_fail;      /* may call args_fail */
    bool dense;         /* cheap, infallible and safe on any initialised input: runs over all rows, live or not, NULL or not */
    bool sees_nulls;    /* NULLs are passed in (the kernel sets out's validity itself); else NULL in, NULL out */
    bool is_volatile;   /* NOW, RANDOM, UUID: never folded; per turn or per row */
    bool unify;         /* the TYPE_ANY and nested arguments are converted to their common type */
    bool unify_elements; /* with unify: elements of ARRAY arguments have that type, not the ARRAYs */
    bool retypes;       /* the result is the argument's values as they are: nothing runs */
    LambdaForm lambda;  /* takes lambdas: bound and evaluated as EXPR_APPLY, no kernel */
    bool table;         /* gives rows: the elements of its result, an ARRAY, each by itself; stands in FROM, and in SELECT above everything else */
    bool hidden;        /* not in SHOW FUNCTIONS: operators, casts */
    const char *const *aliases; /* NULL-ended */
    const char *category;       /* "string", "math", "time".. */
    const char *doc, *example, *yields; /* `example` evaluated must print `yields`; every function that is not hidden has them */
} ScalarFunction;

/* Finds the best overload for the argument types: exact first, then the cheapest implicit conversions (see type_convertible).
 * *casts[i] is the type that argument i must be cast to, or NULL. TYPE_NULL arguments fit all.
 * NULL when nothing fits; then *candidates tells whether the name exists at all. */
const ScalarFunction *function_resolve(Arena *arena, const char *name, const Type *const types[], int count,
                                       const Type **result_type, const Type *casts[], bool *name_exists);
bool function_takes_lambdas(const char *name);
/* Is it the name of a table function? */
bool function_is_table(const char *name);
/* All of them, sorted by name then arguments. */
const ScalarFunction *const *functions_all(int *count);
const char *const *function_names(int *count); /* scalar and aggregate, sorted, without hidden ones */

/* Implicit conversion from -> to: cost >= 0, or -1. Widening only: integers up, integer -> DECIMAL -> DOUBLE, FLOAT -> DOUBLE,
 * DATE -> TIMESTAMP, NULL -> anything, VARCHAR(n) -> VARCHAR; string literals to temporal types are the binder's affair. */
int type_convertible(const Type *from, const Type *to);
/* The type that both sides of a comparison, CASE, UNION.. are converted to; NULL when there is none. */
const Type *type_common(Arena *arena, const Type *a, const Type *b);
/* The kernel row that casts from -> to; NULL when SQL has no such cast. It can_fail unless it is a widening. TRY_CAST gives NULL instead. */
const ScalarFunction *function_cast(const Type *from, const Type *to, bool try_cast);

/* A call of a function written in Lua: its chunk, its name and its limits as constants, then its arguments. */
#define LUA_CALL "lua call"
enum { LUA_CHUNK, LUA_NAME, LUA_STEPS, LUA_MEMORY, LUA_CONSTANTS };
#define LUA_STEPS_DEFAULT 1000000          /* instructions of a call */
#define LUA_MEMORY_DEFAULT (16ll << 20)    /* bytes of a state */
const ScalarFunction *function_lua(void);
/* The same for an aggregate: its literals are LUA_CONSTANTS, too. */
const struct AggregateFunction *aggregate_lua(bool retracts);
/* Does the script define what an aggregate needs; *retracts: and what taking back rows needs? */
Error *lua_check_aggregate(Arena *arena, const char *name, const char *script, bool *retracts);
/* Does the chunk compile? ERR_BIND with Lua's words. */
Error *lua_check(Arena *arena, const char *name, const char *chunk);
/* Can values of the type pass to and from Lua? */
bool lua_type_passes(const Type *type);

/* The same conversion for one value. False: it does not fit; *reason in the arena. */
bool value_cast(Arena *arena, const Value *value, const Type *to, Value *result, const char **reason);
/* DECIMAL that holds every value of an integer type. */
const Type *type_decimal_of(Arena *arena, const Type *integer);

/* ---- rows of vectors ---- */

/* Total order of two rows: NULL last, NaN above all numbers; nested values element by element. Same types. */
int vector_compare_rows(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row);
/* Do rows [first, first + count) hold a value twice? A NULL equals a NULL. */
bool vector_repeats(Arena *arena, const Vector *vector, uint32_t first, uint32_t count);
/* out[row] = sources[which[row]][row]; CHOOSE_NONE: NULL. `out` is new (vector_new); same types. */
#define CHOOSE_NONE UINT16_MAX
void vector_choose(Arena *arena, Vector *out, const Vector *const sources[], const uint16_t *which, uint32_t row_count);

/* ---- aggregates ---- */

/* State of one aggregate in one group: `state_size` bytes at an 8-byte boundary, zero when the group is new; no pointers except
 * through the heap below, so that it can be snapshotted by column widths. */
typedef enum AggregateRetract { RETRACT_INVERT, RETRACT_MULTISET, RETRACT_REFUSE } AggregateRetract;

/* Variable-size state (strings of MIN/MAX): counted, snapshotted with the slots, owned by the state container. */
typedef struct StateHeap StateHeap;
Str state_heap_store(StateHeap *heap, const Str *value, const Str *previous); /* copies; may reuse previous's room */
/* Makes the bytes at *stored `length` long and keeps those there are; the new ones are not initialised. They may be written until the next
 * call for this heap. State of any size is such a string: it grows in its room, which doubles. */
char *state_heap_resize(StateHeap *heap, Str *stored, size_t length);

/* What the kernels of a call know beside the rows; lives as long as the job. */
typedef struct AggregateShape {
    const struct AggregateFunction *function;
    const Type *const *arg_types;   /* of the columns */
    int arg_count;
    const Value *constants;         /* the literals behind them */
    int constant_count;
    const Type *result_type;
    int64_t limit;                  /* most values that are kept; 0: no limit */
    bool retracts;                  /* rows may be taken back */
    void *prepared;                 /* what the function's `prepare` made */
    bool oldest_goes;               /* of equal values the oldest is taken back: rows leave a window in order */
} AggregateShape;

typedef struct AggregateArgs {
    char *const *states;        /* states[i] + offset belongs to the i-th row of `rows` */
    size_t offset;              /* of this aggregate within a group's entry */
    const Selection *rows;      /* rows of arg[] to add, FILTER applied; count states */
    const Vector *const *arg;   /* FLAT or CONSTANT; NULL rows are the kernel's to skip */
    const uint8_t *kinds;       /* RowKind per row of the batch; NULL: all inserts */
    StateHeap *heap;
    Evaluation *evaluation;
    const AggregateShape *shape;
} AggregateArgs;

typedef struct AggregateFunction {
    const char *name;
    TypeKind args[FUNCTION_MAX_ARGS]; /* TYPE_NONE first: COUNT(*) */
    TypeKind returns;                 /* TYPE_ANY: resolve */
    const Type *(*resolve)(Arena *arena, const Type *const types[], int count);
    const char *layout;               /* one char a field of the state: 'l' int64, 'd' double, 's' Str, 't' Str that snapshots leave out (what can be made again), 'x' int128; 8-byte aligned ('x' too: use memcpy) */
    /* Called once when the operator is opened; *prepared lives in the arena. NULL: there is nothing to prepare. */
    Error *(*prepare)(Arena *arena, const AggregateShape *shape, void **prepared);
    void (*update)(const AggregateArgs *args);
    /* Panes, sessions: into[i * stride] += from[i * stride]. A state that is all zero adds nothing. `from` is not changed. */
    void (*merge)(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape);
    void (*unmerge)(char *total, const char *gone, size_t stride, uint32_t count); /* INVERT only, else NULL */
    /* Row first + i of `out` (FLAT, zeroed) from states[i] + offset; may make it NULL, or fail it (a sum that does not fit).
     * Strings are copied to the evaluation's arena. args->prepared is the call's AggregateShape. */
    void (*result)(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first);
    AggregateRetract retract;
    bool merge_exact;      /* merging panes gives the bits that row order gives */
    bool order_sensitive;
    bool distinct_is_same; /* MIN, MAX: DISTINCT changes nothing */
    int constants;         /* so many arguments at the end must be literals: AggregateShape.constants */
    bool variadic;         /* the last argument before them may be repeated */
    /* Why these literals will not do; NULL: they will. */
    const char *(*refuse)(const Value *constants, int count);
    const struct AggregateFunction *shrinking; /* MULTISET: what runs where the input retracts; NULL: ordered sets (MIN, MAX) */
    const char *limit_setting; /* the setting that says AggregateShape.limit; NULL: there is none */
    int rule;              /* what several functions over the same kernels differ in: the file's own */
    const char *const *aliases; /* NULL-ended */
    const char *category, *doc, *example, *yields; /* example: over the rows 1, 2, 2, NULL of column x */
} AggregateFunction;

size_t aggregate_state_size(const AggregateFunction *function); /* from `layout`, multiple of 8 */
const AggregateFunction *aggregate_resolve(Arena *arena, const char *name, const Type *const types[], int count,
                                           const Type **result_type, const Type *casts[], bool *name_exists);
/* The newest time a group has ever seen; the planner's own. latest_time.c */
extern const AggregateFunction latest_time_aggregate;
/* STDDEV_SAMP as ksqlDB computes it: the variance, and 0 below two values. The planner's own; aggregate_statistics.c */
extern const AggregateFunction ksql_stddev_samp;
/* COLLECT_LIST of sessions that meet: in the order of the sessions, not of their rows. The planner's own; aggregate_list.c */
extern const AggregateFunction ksql_collect_list;
/* PERCENTILE_DISC(p) WITHIN GROUP (ORDER BY x DESC); the planner's own. aggregate_bag.c */
extern const AggregateFunction percentile_disc_from_above;
/* Over keys and what they order; the planner's own. aggregate_ranked.c */
extern const AggregateFunction ordered_list_aggregate, ordered_text_aggregate;
bool aggregate_exists(const char *name);
const AggregateFunction *const *aggregates_all(int *count);

/* ---- what stands before OVER (..) besides aggregates; computed by the operator ---- */

typedef struct AnalyticFunction {
    const char *name;
    const char *signature;  /* behind the name */
    int least, most;        /* arguments */
    const char *doc, *example, *yields; /* example: over the rows x = 1, 2, 3, 4, a second apart by ts */
} AnalyticFunction;

const AnalyticFunction *analytic_functions_all(int *count); /* sorted by name */
const AnalyticFunction *analytic_find(const char *name);    /* NULL: there is none */

/* text LIKE code, of texts that are no values. like.c. */
bool like_matches(Arena *arena, const char *text, size_t length, const char *code);

/* planner/plan.h: the physical plan: read-only data. EXPLAIN prints it, exec mirrors it with live operators, a
 * checkpoint names it. Nothing behind the binder knows which dialect or spelling was used.
 *
 * A plan is a DAG of nodes; plan->nodes lists every node after its inputs. Operators work on columns by index: the binder
 * puts a PROJECT in front that computes keys and arguments. All memory belongs to the plan's arena. */
#pragma once
#include "common/schema.h"
#include "common/timezone.h"
#include "connectors/connectors.h"
#include "formats/formats.h"
#include "functions/functions.h"

/* ---- bound expressions: typed, every name resolved, every conversion explicit ---- */

typedef enum ExprKind {
    EXPR_COLUMN,    /* column of the node's input */
    EXPR_CONSTANT,
    EXPR_CALL,      /* function(args): also operators, casts, IS NULL, LIKE, IN, constructors */
    EXPR_AND,       /* args: two or more; three-valued; an argument sees only rows that are not yet false */
    EXPR_OR,        /* likewise: not yet true */
    EXPR_CASE,      /* args: when, then, when, then, .., else; an untaken branch is not evaluated */
    EXPR_COALESCE,  /* args: the next one only for rows still NULL */
    EXPR_FIELD,     /* args[0].field of a STRUCT: no copying */
    EXPR_APPLY,     /* function(collection, .., lambdas): see LambdaForm; REDUCE has the state to begin with as args[1] */
    EXPR_LAMBDA,    /* only in EXPR_APPLY's args: args[0] is the body; columns in it are those of the row around it */
    EXPR_PARAMETER  /* in a body: of the innermost lambda around it whose slots hold `slot` */
} ExprKind;

typedef struct Expr {
    ExprKind kind;
    const Type *type;
    Span at;
    int column;                       /* EXPR_COLUMN */
    const char *name;                 /* EXPR_COLUMN, EXPR_PARAMETER: for EXPLAIN */
    Value value;                      /* EXPR_CONSTANT */
    const ScalarFunction *function;   /* EXPR_CALL, EXPR_APPLY */
    const char *within;               /* EXPR_CALL out of the body of a user's function: its failures name it; NULL: none */
    int field;                        /* EXPR_FIELD */
    int slot;                         /* EXPR_PARAMETER; EXPR_LAMBDA: of its first parameter. As many as lambdas around it have parameters */
    int parameter_count;              /* EXPR_LAMBDA */
    const char *const *parameters;    /* EXPR_LAMBDA: their names, for EXPLAIN */
    int arg_count;
    struct Expr **args;
} Expr;

/* ---- what an edge carries ---- */

typedef enum Changes { CHANGES_APPEND, CHANGES_RETRACT, CHANGES_UPSERT } Changes;

typedef struct TimeColumn {
    int column;
    int64_t lag_us;      /* future rows have column >= W - lag */
    bool processing;     /* PROCTIME(): its clock is now_us */
} TimeColumn;

typedef struct ColumnSet { int count; int *columns; } ColumnSet;

/* Where the number-th of the keys stands that have clocks of their own together: an expression over the port's columns. */
typedef struct ClockKey { int number; struct Expr *expr; } ClockKey;

typedef struct EdgeTraits {
    Changes changes;
    ColumnSet *keys; int key_count;      /* all unique keys; CHANGES_UPSERT is keyed by the first */
    TimeColumn *times; int time_count;
    int clocks;                          /* so many keys together have a clock of their own, by which `times` go; 0: one clock for all rows */
    const char *const *clock_names;      /* of these keys, as written */
    ClockKey *clock_keys; int clock_key_count; /* where they stand; a key may stand in several places, or in none any more */
    bool bounded;                        /* every source under it ends */
} EdgeTraits;

/* What becomes of a row that is wrong. */
typedef enum RowPolicy { POLICY_FAIL, POLICY_SKIP, POLICY_NULL, POLICY_DEAD_LETTER } RowPolicy;

/* ---- nodes ---- */

typedef enum PlanKind {
    PLAN_SCAN,              /* connector + format -> rows */
    PLAN_VALUES,            /* constant rows, one turn */
    PLAN_WATERMARK,         /* stamps event time: fills wm_us */
    PLAN_FILTER,
    PLAN_PROJECT,
    PLAN_NORMALIZE,         /* upserts by key -> a changelog that takes back what a key had before */
    PLAN_LOOKUP,            /* join with a table of a LookupType */
    PLAN_WINDOW_ASSIGN,     /* window table function without aggregation: one row per window, bounds as columns */
    PLAN_SUBQUERY,          /* what the rows of input 1 say about each row of input 0: EXISTS, IN, the one value */
    PLAN_CANDIDATES,        /* only rows that may have the largest value of a window; the rest is nobody's who joins with it */
    PLAN_UNNEST,            /* a row for each element of its lists, the elements as columns */
    PLAN_AGGREGATE,         /* GROUP BY without window; DISTINCT is one without aggregates */
    PLAN_WINDOW_AGGREGATE,  /* all windows but sessions */
    PLAN_SESSION_AGGREGATE,
    PLAN_RANK,              /* ROW_NUMBER, RANK, DENSE_RANK with a bound: Top-N */
    PLAN_OVER,              /* functions OVER (PARTITION BY .. ORDER BY ..): every row again, with their results behind */
    PLAN_MATCH,             /* MATCH_RECOGNIZE: sequences of rows that a pattern describes */
    PLAN_SORT,              /* ORDER BY [LIMIT] over bounded input */
    PLAN_LIMIT,             /* LIMIT [OFFSET] in arrival order; ends the job when reached everywhere */
    PLAN_UNION,
    PLAN_SET,               /* INTERSECT, EXCEPT of two inputs */
    PLAN_JOIN,              /* rows of input 0 with rows of input 1; a table of a LookupType is PLAN_LOOKUP's */
    PLAN_GATHER,            /* rows of keys that have each a clock of its own become one stream, which has no event time */
    PLAN_SINK
} PlanKind;

/* Side outputs of a node. Port 0 is its result. */
enum { PORT_MAIN = 0, PORT_LATE = 1, PORT_DEAD_LETTER = 2, PORT_LATE_RIGHT = 3 /* of a join: rows of input 1 */, PORT_COUNT };
static inline bool port_is_late(int port) { return port == PORT_LATE || port == PORT_LATE_RIGHT; }

typedef struct PlanInput {
    struct PlanNode *node;
    int port;
} PlanInput;

typedef enum Segment { SEGMENT_PARALLEL, SEGMENT_ORDERED } Segment;

/* When results come out: set by the binder from EMIT; exec knows no EMIT. */
typedef enum Trigger {
    TRIGGER_CHANGES,          /* every change (conflated per batch) */
    TRIGGER_FINAL,            /* once, when the window closes */
    TRIGGER_AFTER_WATERMARK,  /* once when W reaches the end, then again per late change within the grace */
    TRIGGER_DELAY,            /* early results every delay_us of processing time, then as AFTER_WATERMARK or CHANGES at the end */
    TRIGGER_END               /* once at the end of bounded input */
} Trigger;

typedef struct AggregateCall {
    const AggregateFunction *function;
    int arg_count;
    int args[FUNCTION_MAX_ARGS];  /* columns of the input */
    const Value *constants; int constant_count; /* the literals behind them */
    int64_t limit;                /* most values that are kept; 0: no limit */
    int filter;                   /* BOOLEAN column; -1 none */
    bool distinct;
    const Type *type;
    const char *name;             /* for EXPLAIN: COUNT(DISTINCT bidder) */
    Span at;
} AggregateCall;

typedef enum WindowKind {
    WINDOW_TUMBLING, WINDOW_HOPPING, WINDOW_CUMULATING,
    WINDOW_SNAPSHOT,   /* rows of one time: windows of a microsecond that include their end, start and end at that time */
    WINDOW_SLIDING,    /* (e - size, e] for every e at which a row enters or leaves */
    WINDOW_COUNT,      /* rows of a key by their order */
    WINDOW_SESSION
} WindowKind;

typedef struct WindowSpec {
    WindowKind kind;
    int64_t size_us;            /* SESSION: the gap */
    int64_t advance_us;         /* HOPPING; CUMULATING: the step; TUMBLING: = size. May exceed size (gaps: such rows are in no window) */
    int64_t size_months, advance_months; /* instead of size_us, advance_us: calendar months */
    int64_t count, count_advance; /* COUNT: in rows; time_column -1: the rows have no time */
    const TimeZone *zone;       /* whose calendar and midnights count; NULL: UTC */
    bool zone_given;            /* in the query: the session's does not count */
    int64_t offset_us;
    int64_t grace_us;
    int64_t retention_us;       /* how long ksqlDB's store keeps a window; 0: size + grace. Only read where windows may be lost */
    int64_t max_session_us;     /* ASA's maximum duration; 0 none */
    bool end_inclusive;         /* (s, e] instead of [s, e): ASA */
    bool session_end_with_gap;  /* window_end = last event + gap (Flink, ASA), else the last event (ksqlDB) */
    int time_column;            /* of the input */
    int64_t lag_us;             /* of that column: the clock is W - lag */
    bool processing_time;       /* the clock is now_us */
} WindowSpec;

typedef enum SubqueryKind { SUBQUERY_EXISTS, SUBQUERY_IN, SUBQUERY_SCALAR } SubqueryKind;
typedef enum SetKind { SET_INTERSECT, SET_EXCEPT } SetKind;
typedef enum RankKind { RANK_ROW_NUMBER, RANK_RANK, RANK_DENSE_RANK } RankKind;
typedef struct SortKey { int column; bool descending, nulls_first; } SortKey;

/* ---- OVER (..) ---- */

typedef enum OverKind {
    OVER_AGGREGATE,
    OVER_LAG, OVER_LEAD,
    OVER_LAST,                    /* ASA: the last row that passes WHEN, the row itself included */
    OVER_FIRST_VALUE, OVER_LAST_VALUE, OVER_NTH_VALUE,
    OVER_ROW_NUMBER, OVER_RANK, OVER_DENSE_RANK,
    OVER_PERCENT_RANK, OVER_CUME_DIST, OVER_NTILE, /* need the whole partition */
    OVER_IS_FIRST,                /* ASA: 1 for the first row of each tumbling window */
    OVER_SPIKE_AND_DIP, OVER_CHANGE_POINT /* ASA: STRUCT<Score, IsAnomaly> */
} OverKind;

/* When the order of a partition is known. */
typedef enum OverOrder {
    OVER_BY_TIME,     /* rows wait until the clock has passed their time */
    OVER_BY_ARRIVAL,  /* at once: processing time, or no ORDER BY */
    OVER_WHOLE        /* when the partition is complete: at the end of bounded input, or with its window */
} OverOrder;

typedef enum OverBound {
    BOUND_UNBOUNDED_PRECEDING, BOUND_PRECEDING, BOUND_CURRENT, BOUND_FOLLOWING, BOUND_UNBOUNDED_FOLLOWING
} OverBound;

/* What offsets count: distances in the order's unit, rows, or groups of rows that are equal in the order. */
typedef enum OverUnit { OVER_RANGE, OVER_ROWS, OVER_GROUPS } OverUnit;
/* Rows around the one at hand that the frame leaves out. */
typedef enum OverExclude { OVER_EXCLUDES_NOTHING, OVER_EXCLUDES_ROW, OVER_EXCLUDES_GROUP, OVER_EXCLUDES_TIES } OverExclude;

/* The rows of the partition that a result is made of. */
typedef struct OverFrame {
    OverUnit unit;
    OverExclude exclude;
    bool open_start;              /* LIMIT DURATION: (t - d, t] instead of [t - d, t] */
    OverBound from, to;
    int64_t from_offset, to_offset; /* RANGE: microseconds, days, integers, scaled decimals; the bits of a double where the order is one */
} OverFrame;

typedef struct OverCall {
    OverKind kind;
    AggregateCall call;           /* AGGREGATE: all of it; others: args[0] is the value, filter is WHEN */
    OverFrame frame;              /* of aggregates and of FIRST_, LAST_, NTH_VALUE; LAG, LAST: from is PRECEDING with LIMIT DURATION */
    int64_t offset;               /* LAG, LEAD, NTH_VALUE: rows; NTILE: buckets; IS_FIRST: the window's size in microseconds; anomalies: rows of history */
    int otherwise;                /* column of the value where there is no such row; -1: NULL */
    bool ignore_nulls;
    double confidence;            /* anomalies: 0 .. 1 */
    bool spikes, dips;            /* SPIKE_AND_DIP: what counts */
} OverCall;

/* ---- joins ---- */

typedef enum JoinForm {
    JOIN_BOTH,       /* rows of both sides are kept; each meets those of the other, whichever comes second */
    JOIN_TABLE,      /* rows of input 0 meet input 1 as it stands when they come */
    JOIN_VERSIONS,   /* rows of input 0 meet input 1 as it was at their own time */
    JOIN_ARRIVAL     /* as BOTH, with clocks made of the rows that have come to each side (ksqlDB) */
} JoinForm;

/* When a row without a match comes out (with the other side's columns NULL). */
typedef enum JoinPadding {
    PADDING_CHANGES,  /* at once; taken back when a match comes */
    PADDING_AT_BOUND, /* when nothing can match it any more */
    PADDING_AT_END,   /* at the end of bounded input */
    PADDING_EAGER     /* at once, and stays also if a match comes (ksqlDB without GRACE PERIOD) */
} JoinPadding;

/* A row of the side is dead, and meets nothing that comes later, once W - lag > column + offset. */
typedef struct JoinBound {
    int column;                 /* of the side's input, TIMESTAMP; NULL there: nothing ever matches the row */
    int64_t offset_us, lag_us;
} JoinBound;

/* A condition on two columns of 64 bits: right <= left + offset, or right >= left + offset. */
typedef struct JoinCompare {
    int columns[2];             /* of the inputs */
    bool at_least;
    int64_t offset;
} JoinCompare;

/* Of the pairs of each row of one side only those come out that are better than all before them, by columns of the other side. */
enum { JOIN_BEST_KEYS = 2 };
typedef struct JoinBest {
    bool wanted;
    int side;                   /* whose rows' pairs */
    SortKey keys[JOIN_BEST_KEYS]; int key_count; /* of 64-bit integers */
    bool equals;                /* pairs that are equal come out, too: the keys do not tell all */
    bool keeps_best;            /* nothing but the join's keys tells which rows match: of the other side's rows of a key only the best is kept */
} JoinBest;

typedef struct JoinSide {
    int *keys;                  /* columns of its input; they equal the other side's */
    bool preserved;             /* rows without a match come out, too */
    bool unique;                /* at most one row a key */
    bool once;                  /* a row that has met one meets no other: it goes then */
    bool updates, upserts;      /* its rows are taken back; or replaced by a later one of the same identity */
    int *identity; int identity_count; /* updates: the columns that tell its rows apart; 0: all of them */
    int time_column;            /* event time; -1: none */
    int64_t lag_us;             /* of that column: a row that is further behind is late; TIME_MAX: none is */
    bool window_times;          /* the input's event times are all bounds of the same windows */
    bool on_clock;              /* its watermark counts */
    JoinBound *bounds; int bound_count; /* 0: rows are kept for ever */
} JoinSide;

/* ---- MATCH_RECOGNIZE ---- */

typedef enum MatchSkip { MATCH_SKIP_PAST_LAST_ROW, MATCH_SKIP_TO_NEXT_ROW, MATCH_SKIP_TO_FIRST, MATCH_SKIP_TO_LAST } MatchSkip;
typedef enum MatchTermKind { MATCH_VALUE, MATCH_AGGREGATE, MATCH_CLASSIFIER, MATCH_NUMBER } MatchTermKind;
enum { MATCH_VARIABLES_MAX = 63 };
#define MATCH_EVERY_VARIABLE UINT64_MAX

/* What DEFINE and MEASURES say of the rows of a match: those up to the row at hand, or (`final`) all of them. */
typedef struct MatchTerm {
    MatchTermKind kind;
    uint64_t variables;     /* bit v: rows that are variable v */
    bool first;             /* VALUE, CLASSIFIER: the first of these rows, else the last one.. */
    int64_t offset;         /* ..so many of them further in.. */
    int64_t shift;          /* ..and so many rows of the partition on from there (PREV: negative) */
    bool final;
    int column;             /* VALUE: of the input */
    AggregateCall call;     /* AGGREGATE */
    const Type *type;
    const char *name;       /* for EXPLAIN: LAST(A.price) */
} MatchTerm;

typedef struct MatchVariable {
    const char *name;
    int condition;          /* what DEFINE asks of the row alone: a BOOLEAN column of the input; -1: nothing */
    Expr *define;           /* what it asks beside that: BOOLEAN over the define terms; NULL: nothing */
    int *asked; int asked_count; /* the terms that it reads */
} MatchVariable;

/* A place of the pattern where a row is taken. steps[0] stands before the first row. */
typedef struct MatchStep {
    int variable;
    bool excluded;          /* ALL ROWS PER MATCH leaves the row out */
    int *next; int next_count; /* the steps that may follow, the preferred one first; or the match may end: */
} MatchStep;
enum { MATCH_ACCEPT = -1, MATCH_ACCEPT_AT_END = -2 /* where no row follows in the partition */ };

typedef struct PlanNode {
    PlanKind kind;
    int id;                     /* index in plan->nodes */
    int place, consumers;       /* while planning: where it stands in the last list of nodes; rewrite_nodes: how many inputs read it */
    uint32_t weight;            /* while planning: it and what is below, each as often as ways lead there */
    Span at;
    int input_count;
    PlanInput *inputs;
    Schema schema;              /* of port 0 */
    EdgeTraits traits;          /* of port 0 */
    Segment segment;
    const char *segment_reason; /* for EXPLAIN */
    const char *name;           /* operator id: "aggregate-1f2e3d4c-0": meaning and ordinal; stable over unrelated edits */
    uint64_t meaning, layout;   /* fingerprints: core.md section 12 */
    bool late_wanted;           /* PORT_LATE or PORT_LATE_RIGHT has a consumer: schema = input columns + late columns (see below) */
    bool dead_letter_wanted;    /* PORT_DEAD_LETTER has a consumer: dead_letter_schema() */
    const char *state_bound;    /* EXPLAIN: what bounds the state; NULL: stateless */
    int substreams;             /* the group of nodes, numbered from 1, that run with a state and a clock for each key; 0: none */

    union {
        struct {
            const char *source_name;        /* as the user knows it: 'bids', a path */
            const ConnectorType *connector; const void *connector_options;
            const FormatType *format; const void *format_options; /* NULL for row sources */
            const FormatType *key_format; const void *key_format_options; /* of record sources; NULL: keys are not read */
            KeyWindow key_window; int64_t key_window_size_us; /* of keys; size 0: a window's end is not known */
            bool value_holds_key;           /* of columns that come from the key, values hold copies */
            bool upsert;                    /* a table: a message without value deletes its key */
            bool retracts;                  /* rows bring their kinds along: the changelog of another job */
            DecodeColumn *columns;          /* one per column of `schema`; paths also serve row sources */
            int declared_count; const char *const *declared_names;
            const RecordPart *declared_parts; /* of record sources: as declared_names */
            const Type *const *declared_types; /* NULL: not known */
            RowPolicy on_error;             /* FAIL, SKIP, DEAD_LETTER */
            int64_t max_errors_per_min;     /* more bad rows than this end the job; 0: no bound */
            double max_error_ratio;         /* .. than this share of 1,000 records of a split; 0: no bound */
            const TimeZone *zone;           /* of text without one that becomes an instant; NULL: UTC, or no column is one */
            bool want_raw;                  /* a dead-letter stream wants the bytes */
            bool bounded;
            int64_t max_ahead_us;           /* 0: no bound */
            int64_t idle_timeout_us;        /* 0: never idle */
            int64_t max_skew_us;            /* a split that is further ahead of others with unread rows waits; 0: none does */
        } scan;
        struct { Value *rows; int row_count; } values;             /* row-major */
        struct {
            int time_column;                /* -1: processing time */
            Expr *watermark;                /* over the input's columns, TIMESTAMP; NULL: the time column itself */
            bool passed;                    /* rows bring their watermarks along: out of another job */
            int64_t lag_us;                 /* passed: of the time column */
            int64_t extra_us;               /* the flink preset's one unit */
            int64_t max_ahead_us;           /* as in the scan below it */
            RowPolicy on_error;             /* for rows without a time */
            Expr **keys; int key_count;     /* TIMESTAMP BY .. OVER: each of their values has a clock of its own, the largest time so far; 0: one for all rows */
            const char *const *key_names;   /* as written */
        } watermark;
        struct { Expr *predicate; RowPolicy on_error; } filter;     /* POLICY_NULL: a failed row does not pass */
        struct { Expr **exprs; RowPolicy on_error; } project;       /* schema.column_count of them */
        struct {
            int *key_columns; int key_count;
            bool at_end;                    /* bounded input: the rows that are left, once; no changelog */
            int time_column;                /* rows taken back carry the time of the row that does it (ksqlDB); -1: their own */
        } normalize;
        struct {
            LookupSpec spec;                /* values follow the input's columns in the schema */
            int *key_columns;               /* of the input */
            bool left;                      /* keep rows without a match, values NULL */
            const char *table_name;
        } lookup;
        struct { WindowSpec window; } assign; /* schema: input columns, window_start, window_end, window_time */
        struct {
            WindowSpec window;              /* a row at a bound of one counts as in it */
            int value;                      /* column of 64 bits */
            bool smallest;                  /* not the largest */
            int *key_columns; int key_count; /* each group has its own */
        } candidates;                       /* late rows pass: what is late for whom is for others to say */
        struct {
            SubqueryKind kind;
            int *keys; int key_count;       /* of input 0; they equal input 1's first columns. Input 1's next one is the value of IN, SCALAR */
            int value;                      /* IN: of input 0, what is looked for; else -1 */
            Value missing;                  /* SCALAR: where there is no row */
            RowPolicy on_error;             /* SCALAR: more than one row; NULL, or FAIL */
            bool changes;                   /* input 1 does not end: rows of input 0 are kept and changed. Else they wait for its end.. */
            bool until_end;                 /* ..which shows only at the end of the job */
        } subquery;                         /* schema: input 0's columns, then the answer */
        struct {
            int *lists; int list_count;     /* ARRAY or MAP columns of the input, taken together: the shorter ones filled up with NULL */
            bool outer;                     /* a row without elements gives one of NULLs, else none */
            bool ordinality;                /* a last column numbers the elements from 1 */
            bool *unread;                   /* input columns that nobody reads above: NULL there. A list would be copied for each of its elements. NULL: all are read */
        } unnest;                           /* schema: input columns, an element (of a MAP: STRUCT<key, value>) per list, the number */
        struct {
            int *key_columns; int key_count;
            AggregateCall *calls; int call_count;
            Trigger trigger; int64_t delay_us;
            bool drop_null_keys;            /* ksql preset */
            bool loses_windows;             /* EMIT FINAL as ksqlDB does it: exec/op_window_lossy.c */
            bool keep_empty;                /* a group without rows keeps its result (ksqlDB) */
            bool emit_unchanged;            /* an update even when the result is equal */
            RowPolicy on_error;             /* of a result that overflows: FAIL, else it is NULL and counted */
            bool has_window; WindowSpec window;
            uint64_t clock_keys;            /* bit i: key i is one of those that have each a clock of its own, which the node keeps; 0: the input's clock */
            int clock_rows;                 /* clock_keys: 1 + a BOOLEAN column: rows where it is not TRUE move their clock and count for nothing else; 0: all count */
            /* schema: keys, then (has_window) window_start, window_end, window_time, then one column per call.
             * A global aggregate (key_count 0) without window gives one row under TRIGGER_END, also over no rows. */
        } aggregate;                        /* AGGREGATE, WINDOW_AGGREGATE, SESSION_AGGREGATE */
        struct {
            RankKind rank;
            int *partition_columns; int partition_count;
            SortKey *keys; int key_count;
            int64_t limit, offset;          /* offset < rank <= limit; an offset is one of ROW_NUMBER outside of windows */
            bool rank_column;               /* appended to the schema as BIGINT */
            bool by_row;                    /* CHANGES: who takes the changes knows rows by keys of their own, not by their places */
            Trigger trigger;                /* FINAL: partitions end with their window; END: at the end of bounded input */
            int window_time_column; int64_t lag_us; /* FINAL: a partition is complete when W - lag > its window time */
        } rank;
        struct {
            int *partition_columns; int partition_count;
            OverOrder order;
            SortKey *keys; int key_count;   /* BY_TIME: the first one is the time, ascending */
            int time_column; int64_t lag_us; /* BY_TIME, and of processing time where there is one: what RANGE is measured in; else -1 */
            bool window_times;              /* BY_TIME: the input's event times are all bounds of the same windows */
            int window_time_column;         /* WHOLE: a partition is complete when W - lag > its window time; -1: at the end of the input */
            OverCall *calls; int call_count;
            RowPolicy on_error;             /* of a result that overflows */
            /* schema: the input's columns, then one per call */
        } over;
        struct {
            int *partition_columns; int partition_count;
            bool by_time;                   /* rows wait until the clock has passed their time; else they are in order as they come */
            SortKey *keys; int key_count;   /* by_time: the first one is the time */
            int time_column; int64_t lag_us; /* what WITHIN is measured in; -1: there is none */
            int64_t within_us;              /* the last row is less than that behind the first; 0: no limit */
            bool all_rows;                  /* a row for each row of the match, else one with the columns of the last one */
            MatchSkip skip; uint64_t skip_variables;
            MatchVariable *variables; int variable_count;
            bool omits_empty, with_unmatched; /* all_rows: matches without rows are left out; rows of no match are added */
            MatchStep *steps; int step_count;
            MatchStep first;                /* in place of steps[0] for the first row of a partition */
            bool from_start, to_end;        /* the pattern asks for the first row (^), the last one ($) */
            MatchTerm *defines; int define_count;
            MatchTerm *measures; int measure_count;
            int64_t lookback, lookahead;    /* rows of the partition that PREV and NEXT reach to */
            int64_t partial_limit;          /* most ways to match that are followed at once in a partition */
            const char *pattern;            /* for EXPLAIN */
            RowPolicy on_error;             /* of DEFINE; FAIL, else the row is not the variable */
            /* schema: the input's columns, then one per measure */
        } match;
        struct { SortKey *keys; int key_count; int64_t limit, offset; /* limit -1: none */ } sort;
        struct { int64_t limit, offset; } limit;
        struct {
            SetKind kind;
            bool all;                       /* as often as on both sides; as often as more on the left. Else once */
            Trigger trigger;                /* CHANGES or END */
        } set;
        struct {
            JoinForm form;
            JoinPadding padding;
            JoinSide sides[2];
            int key_count;
            JoinCompare *compares; int compare_count;
            Expr *condition;                /* over input 0's columns, then input 1's; NULL: none */
            RowPolicy on_error;             /* POLICY_NULL: a failed pair does not match */
            int64_t retention_us;           /* rows go so long after they came, by the clock; 0: never */
            bool with_time;                 /* a column behind: the later one of both times */
            bool with_key;                  /* then the key's columns, of whichever side has them */
            bool change_times;              /* what a row changes carries at least that row's time (ksqlDB) */
            JoinBest best;
            bool retracts_unmatched;        /* a row of the left table that goes takes its result back also where there was none (ksqlDB) */
            /* schema: input 0's columns, input 1's columns, the time, the key */
        } join;
        struct {
            const ConnectorType *connector; /* NULL: the result goes to the caller (a top-level SELECT) */
            SinkSpec spec;
            const FormatType *format; const void *format_options; /* NULL for row sinks */
            /* Record sinks: what of a message each column is (key columns in the order of the key); NULL for others. */
            const RecordPart *parts;
            const char *const *headers;     /* of each column that is a RECORD_HEADER, its name; else NULL */
            const FormatType *key_format; const void *key_format_options;
            KeyWindow key_window;
            bool value_holds_key;           /* the key's columns stand in the value, too */
            int key_prefix_length;          /* of the names of the key's columns, so much is not written */
            RowPolicy on_error;             /* of rows without the time that their message is to have */
            bool keys_passed;               /* keys come from messages as they are: one whose columns are all NULL is none */
            int output;                     /* index in plan->outputs */
            bool keeps_table;               /* what the rows make is kept, to be read while the job runs */
            int *table_keys; int table_key_count; /* keeps_table: what tells its rows apart. None: rows count as often as they are there.. */
            bool table_of_one;              /* ..or there is one row at most */
            int table_group_count;          /* the first so many of them: without the bounds of windows. 0: there are none, or the key is nothing else */
            int table_window_end;           /* keeps_table: this column, and so long after it the row goes; -1: rows stay */
            int64_t table_retention_us;
            bool with_kinds;                /* the changelog is written out */
        } sink;
    };
} PlanNode;

typedef struct PlanOutput {
    const char *name;       /* sink's name; NULL for a SELECT */
    PlanNode *sink;
    Span at;
    bool updating;          /* rows carry kinds */
} PlanOutput;

typedef struct Plan {
    Arena *arena;
    int node_count; PlanNode **nodes;
    int output_count; PlanOutput *outputs;
    bool bounded;           /* ends by itself */
    bool order_sensitive;
    bool every_change;      /* a change for each row: batches of one, whatever else is asked */
    int substream_groups;   /* see PlanNode.substreams; the nodes of each stand one behind the other */
    uint64_t fingerprint;
    const char *rewrites;   /* for EXPLAIN: what was applied; NULL or "": nothing */
} Plan;

/* What a node did while a plan ran, for EXPLAIN ANALYZE, EXPLAIN WHY NO OUTPUT and metrics: one a node, by its id. */
#define COUNTED_COLUMNS 8
typedef struct NodeCounters {
    uint64_t rows_in, rows_out;  /* through port 0 */
    uint64_t batches;            /* taken */
    int64_t busy_ns;             /* of all workers together, what its consumers did not counted.. */
    uint64_t bytes_in, bytes_out; /* SCAN; SINK, encoded */
    uint64_t late_rows, bad_rows;
    uint64_t nulls[COUNTED_COLUMNS]; /* FILTER: of its rows in, how many have NULL in the n-th column that the predicate reads */
    int64_t idle_ns, backpressured_ns; /* for metrics, of its query's time: what was left beside busy_ns, and what passed without room in a sink */
    int64_t state_bytes;         /* at most.. */
    int64_t held_bytes;          /* ..and now */
    uint64_t held_rows;          /* keys and rows of its state, now */
    int64_t open_windows;        /* that hold rows, now; panes of overlapping ones; -1: it does not tell */
    int64_t wm_us;               /* the last watermark before the end of the input; TIME_MIN: none */
} NodeCounters;

/* Columns that PORT_LATE appends to the node's input columns: late_reason VARCHAR, late_window_start TIMESTAMP(3),
 * late_window_end TIMESTAMP(3), late_watermark TIMESTAMP(3). */
extern const Schema late_columns;
/* PORT_DEAD_LETTER: raw BYTES, text VARCHAR (raw, invalid UTF-8 replaced), source VARCHAR, position BIGINT, line BIGINT,
 * stage VARCHAR ('decode', 'time', 'expression'), column_name VARCHAR, reason VARCHAR; behind them, of messages: key BYTES, headers, partition INT,
 * time TIMESTAMP(3), and for a topic of dead letters the headers of its message: the original ones and what went wrong. */
enum { LETTER_RAW, LETTER_TEXT, LETTER_SOURCE, LETTER_POSITION, LETTER_LINE, LETTER_STAGE, LETTER_COLUMN, LETTER_REASON, DEAD_LETTER_SHOWN,
       LETTER_KEY = DEAD_LETTER_SHOWN, LETTER_HEADERS, LETTER_PARTITION, LETTER_TIME, LETTER_ALL_HEADERS, DEAD_LETTER_COLUMNS };
extern const Schema dead_letter_columns;
extern const Schema dead_letter_shown; /* what the stream of them shows */
const char *plan_kind_name(PlanKind kind); /* "Scan", "WindowAggregate" .. */

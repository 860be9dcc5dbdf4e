/* planner/dialect.h: the points where the systems contradict each other (dialect.md, "Where they disagree"). Only the binder
 * asks: behind it presets have become functions, constants and properties of nodes. */
#pragma once
#include "planner/plan.h"

typedef enum Dialect { DIALECT_BIDSQL, DIALECT_KSQL, DIALECT_FLINK, DIALECT_ASA } Dialect;

typedef struct DialectRules {
    Dialect dialect;
    const char *name;             /* 'bidsql', 'ksql', 'flink', 'asa' */
    bool upper_names;             /* unquoted identifiers are folded to upper case; output columns are upper case */
    bool two_valued_comparison;   /* a comparison with NULL is false, also under NOT, IN, CASE; a literal NULL in one is refused */
    bool drop_null_keys;          /* rows with a NULL group key do not count */
    bool integer_average;         /* AVG of integers has the integer type */
    bool windows_end_inclusive;   /* every window is (s, e] (ASA); else only those in ASA's spelling */
    int64_t changes_grace_us;     /* default grace of a window under EMIT CHANGES: max(this - size, 0) */
    int64_t late_tolerance_us;    /* default allowed lateness (ASA: 5 s); 0 */
    bool lose_windows_on_jumps;   /* EMIT FINAL: windows past retention are lost when time jumps */
    bool conflate;                /* changes to one key within a batch are merged */
    RowPolicy on_error;           /* undecodable rows */
    RowPolicy on_expr_error;      /* rows whose expression fails */
    enum { TIME_OF_WINDOW_TIME, TIME_OF_LARGEST_EVENT, TIME_OF_WINDOW_END } windowed_time; /* event time of a windowed result */
    bool epoch_json;              /* JSON text of TIMESTAMP and DATE: epoch milliseconds, days */
    bool iso_json;                /* JSON text of TIMESTAMP: ISO 8601 */
    const char *unnamed_column;   /* printf form of the name of an output column without one, from 0: "EXPR$%d", "KSQL_COL_%d" */
    bool unnamed_counted;         /* .. which counts such columns, not all columns */
    bool java_texts;              /* as text: arrays, maps and structs {k=v}, Struct{f=v}, else JSON; TIMESTAMP with a T between date and time, else a blank */
    bool strict_lambdas;          /* arithmetic with NULL in a lambda fails the row; else it is NULL */
    bool unix_seconds;            /* UNIX_TIMESTAMP and FROM_UNIXTIME count seconds, and the latter gives a text; else milliseconds, and a TIMESTAMP */
    bool typed_concat;            /* CONCAT takes texts alone; else anything as text */
    bool pattern_first;           /* REGEXP_EXTRACT(pattern, text); else (text, pattern) */
    bool topics_by_default;       /* CREATE .. AS over a topic makes a topic, in the same formats */
    bool joins_by_arrival;        /* the clocks of a join of two streams are the rows that have come to it */
    bool regular_joins;           /* JOIN of a stream and a table follows both; else the stream's rows meet the table as it stands */
    bool bounds_shown;            /* SELECT * of a windowed table shows WINDOWSTART and WINDOWEND */
    bool qualified_star;          /* SELECT * of a join: columns are called alias_column */
    bool operator_clock;          /* a windowed aggregate's clock is the newest row that came to it, not to the source */
    bool windows_from_epoch;      /* no window begins before 1970-01-01, and rows before it have no time */
    bool extremes_skip_nulls;     /* GREATEST and LEAST of what is not NULL */
    bool java_functions;          /* ROUND puts halves upwards, also those of negative numbers; INITCAP's words end at blanks alone, COLLECT_LIST of sessions that meet goes by session */
    bool narrow_sums;             /* SUM of a DECIMAL has its type, not DECIMAL(38, s) */
    bool sum_of_nothing_is_zero;  /* SUM over no values is 0, not NULL */
    bool int_types;               /* small literals are INT, and so are lengths and sums of INT */
    bool no_ordinals;             /* GROUP BY 1 is a constant and not the first column */
    bool typed_nulls;             /* a column, a CASE of nothing but NULL is refused */
    bool flat_order;              /* ARRAY, MAP and STRUCT have no order */
    bool literals_follow;         /* literals in IN (..) are read as the type on the left; texts beside ROWTIME as times */
    bool short_times;             /* a text that becomes a DATE or a TIMESTAMP may leave out its end: '2026-01', '2026-01-05T10' */
    bool keeps_headers;           /* what is made of one message has its headers */
    bool any_time;                /* a row far ahead of the clock is as good as any other */
    bool keep_empty_groups;       /* a group that has lost its last row keeps its result (COUNT 0) */
    bool pull_select;             /* SELECT without EMIT reads to the present end */
    bool long_capitals;           /* UPPER of a sharp s is SS, as Java has it */
    bool joins_known;             /* ARRAY_JOIN without a text for NULLs leaves them out; else they are 'null' */
    bool watermark_inclusive;     /* W has been seen itself: equal is behind, too */
} DialectRules;

const DialectRules *dialect_rules(Dialect dialect);
/* A name that is being given, as the preset spells it: `name` itself, or upper case where it was not quoted. dialect NULL: bidsql's. */
const char *dialect_name(const DialectRules *dialect, Arena *arena, const char *name, bool quoted);
/* By name, without case. */
bool dialect_find(const char *name, Dialect *dialect);
extern const char *const dialect_names[]; /* in order of the enum; NULL-ended */

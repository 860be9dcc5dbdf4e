/* parser/ast.h: what was written, as a tree. Every node carries its Span.
 *
 * The tree is faithful to the text (it prints back to SQL that parses to an equal tree) with one liberty:
 * spellings that mean the same node by grammar alone are one node. What needs names or types to be told apart
 * (a lambda or a named argument, a window function or a call) is decided by the binder.
 * All nodes live in the statement arena. Lists are NULL-free arrays with a count. */
#pragma once
#include "common/options.h"
#include "common/span.h"
#include "common/value.h"

typedef struct AstExpr AstExpr;
typedef struct AstQuery AstQuery;
typedef struct AstRelation AstRelation;
typedef struct AstType AstType;
typedef struct AstStatement AstStatement;

typedef struct AstName { /* one identifier */
    const char *text;    /* unquoted, as written; NULL: absent */
    bool quoted;         /* "x", `x`, [x] */
    Span at;
} AstName;

typedef struct AstNames { AstName *items; int count, capacity; } AstNames;          /* also a.b.c */
typedef struct AstExprs { AstExpr **items; int count, capacity; } AstExprs;
typedef struct AstProperties { OptionEntry *items; int count, capacity; } AstProperties; /* WITH (...), OPTIONS(...) */

/* ---- types ---- */
typedef struct AstField { AstName name; AstType *type; } AstField;
struct AstType {
    Span at;
    AstName name;              /* BIGINT, VARCHAR, DOUBLE (also DOUBLE PRECISION), or a custom type's name */
    int precision, scale;      /* -1: not given; DECIMAL(p,s), VARCHAR(n), TIMESTAMP(p) */
    bool with_time_zone, with_local_time_zone;
    AstType *element, *key;    /* ARRAY<element>; MAP<key, element> */
    struct { AstField *items; int count, capacity; } fields; /* STRUCT<..>, ROW<..> */
    bool is_array, is_map, is_struct;
    bool not_null;             /* ROW<a INT NOT NULL> */
};

/* ---- expressions ---- */
typedef enum AstExprKind {
    AST_LITERAL,       /* value; `unit`s of intervals already applied */
    AST_NAME,          /* a, a.b, a.b.c: path */
    AST_STAR,          /* *, a.*, also `expr->*` (then left is set) */
    AST_PARAMETER,     /* :name, reserved */
    AST_UNARY,         /* op: '-', '+', NOT */
    AST_BINARY,        /* op; left, right */
    AST_IS,            /* left IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM right */
    AST_BETWEEN,       /* left [NOT] BETWEEN [SYMMETRIC] args[0] AND args[1] */
    AST_IN_LIST,       /* left [NOT] IN (args) */
    AST_IN_QUERY,      /* left [NOT] IN (query) */
    AST_QUANTIFIED,    /* left op ANY|ALL (query) */
    AST_LIKE,          /* left [NOT] LIKE right [ESCAPE args[0]]; SIMILAR TO likewise */
    AST_EXISTS,        /* EXISTS (query) */
    AST_SCALAR_QUERY,  /* (query) */
    AST_CASE,          /* [left = operand] args = when, then, when, then..; right = else or NULL */
    AST_CAST,          /* CAST / TRY_CAST(left AS type); left::type */
    AST_CALL,          /* path(args ...) with everything a call can carry */
    AST_FIELD,         /* left->name, and left.name where left is not a plain name */
    AST_SUBSCRIPT,     /* left[right] */
    AST_ARRAY,         /* ARRAY[args] */
    AST_MAP,           /* MAP(k := v, ..): args = key, value, key, value.. */
    AST_STRUCT,        /* STRUCT(f := e, ..): names + args; ROW(..): args only */
    AST_LAMBDA,        /* (names) => right; and `name => value` arguments, which look the same */
    AST_DESCRIPTOR,    /* DESCRIPTOR(names) */
    AST_TABLE_ARG,     /* TABLE name | 'path' (value) | (query) [PARTITION BY args [ORDER BY]] as an argument of a table function */
    AST_EXTRACT        /* EXTRACT(names[0] FROM left) */
} AstExprKind;

typedef enum AstOperator {
    OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_MODULO, OP_CONCAT,
    OP_EQUAL, OP_NOT_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL,
    OP_AND, OP_OR, OP_NOT, OP_NEGATE, OP_PLUS
} AstOperator;

typedef enum AstMatchSemantics { MATCH_NOT_SAID, MATCH_RUNNING, MATCH_FINAL } AstMatchSemantics; /* RUNNING LAST(x), FINAL SUM(x) */

/* What SQL's functions on JSON say behind their arguments. */
typedef enum AstJsonBehavior {
    AST_JSON_NOT_SAID, AST_JSON_NULL, AST_JSON_ERROR, AST_JSON_EMPTY_ARRAY, AST_JSON_EMPTY_OBJECT, AST_JSON_TRUE, AST_JSON_FALSE, AST_JSON_UNKNOWN,
    AST_JSON_DEFAULT               /* an expression: among the call's arguments, ON EMPTY before ON ERROR */
} AstJsonBehavior;
typedef enum AstJsonWrapper { AST_JSON_WRAPPER_NOT_SAID, AST_JSON_WITHOUT_WRAPPER, AST_JSON_CONDITIONAL_WRAPPER, AST_JSON_UNCONDITIONAL_WRAPPER } AstJsonWrapper;
typedef enum AstJsonNulls { AST_JSON_NULLS_NOT_SAID, AST_JSON_NULL_ON_NULL, AST_JSON_ABSENT_ON_NULL } AstJsonNulls;
typedef struct AstJson {
    bool pairs;                /* args = key, value, key, value.. */
    AstType *returning;
    AstJsonWrapper wrapper;
    AstJsonBehavior on_empty, on_error;
    AstJsonNulls on_null;
} AstJson;

typedef enum AstIsKind { IS_NULL, IS_TRUE, IS_FALSE, IS_UNKNOWN, IS_DISTINCT } AstIsKind;

typedef struct AstOrderItem {
    AstExpr *expr;
    bool descending;
    int nulls; /* 0 not said, 1 NULLS FIRST, 2 NULLS LAST */
    Span at;
} AstOrderItem;
typedef struct AstOrder { AstOrderItem *items; int count, capacity; } AstOrder;

typedef enum AstFrameBound { FRAME_UNBOUNDED_PRECEDING, FRAME_PRECEDING, FRAME_CURRENT_ROW, FRAME_FOLLOWING, FRAME_UNBOUNDED_FOLLOWING } AstFrameBound;
typedef enum AstFrameUnit { FRAME_RANGE, FRAME_ROWS, FRAME_GROUPS } AstFrameUnit;
typedef enum AstExclude { EXCLUDE_NO_OTHERS, EXCLUDE_CURRENT_ROW, EXCLUDE_GROUP, EXCLUDE_TIES } AstExclude;
typedef struct AstOver { /* OVER (...) */
    Span at;
    AstName base;            /* while it is parsed: the named window that it is or begins with */
    AstExprs partition_by;
    AstOrder order_by;
    bool has_frame;
    AstFrameUnit unit;
    AstExclude exclude;
    AstFrameBound from, to;
    AstExpr *from_offset, *to_offset;
    AstExpr *limit_duration; /* ASA: LIMIT DURATION(unit, n), as the AST_CALL */
    AstExpr *when;           /* ASA: WHEN condition */
} AstOver;

struct AstExpr {
    AstExprKind kind;
    Span at;                   /* the whole expression */
    Span op_at;                /* the operator or the name, for carets */
    AstOperator op;
    AstIsKind is;
    bool negated;              /* NOT BETWEEN, NOT IN, NOT LIKE, IS NOT, NOT EXISTS */
    bool distinct;             /* COUNT(DISTINCT x) */
    bool star;                 /* COUNT(*) */
    bool all;                  /* AST_QUANTIFIED: ALL, not ANY */
    bool try_cast, ignore_nulls;
    bool symmetric;            /* AST_BETWEEN: the bounds in either order */
    bool similar;              /* AST_LIKE: SIMILAR TO */
    bool user_aggregate;       /* AST_CALL: of an aggregate of the catalog; the binder says so */
    bool parenthesized;
    AstMatchSemantics semantics; /* AST_CALL inside MATCH_RECOGNIZE */
    Value value;               /* AST_LITERAL: BIGINT, DECIMAL (1.5), DOUBLE (1e3), VARCHAR, BOOLEAN, NULL, DATE, TIME, TIMESTAMP, INTERVAL */
    AstNames path;             /* AST_NAME, AST_CALL (also System.Timestamp), AST_STAR's qualifier, lambda parameters, DESCRIPTOR columns, struct fields */
    AstExpr *left, *right;
    AstExprs args;
    AstType *type;             /* AST_CAST */
    AstQuery *query;           /* sub-queries */
    AstProperties *hints;      /* AST_TABLE_ARG: OPTIONS(..) of its name or path */
    AstExpr *filter;           /* FILTER (WHERE ..) */
    AstOver *over;
    AstJson *json;             /* AST_CALL: RETURNING, ON EMPTY, ON ERROR, ON NULL, WRAPPER, KEY k VALUE v; NULL: none of them */
    AstOrder within_order;     /* WITHIN GROUP (ORDER BY ..), and ORDER BY inside the call or of TABLE .. */
    int depth;                 /* height of this tree, sub-queries included; the parser keeps it under PARSER_MAX_DEPTH */
};

/* ---- windows, emission ---- */
typedef struct AstDuration { /* `1 MINUTE`, `INTERVAL '1' MINUTE`, `INTERVAL '01:30' ...` */
    bool given;
    Span at;
    Interval interval;
} AstDuration;

typedef enum AstWindowKind { AST_WINDOW_NONE, AST_WINDOW_TUMBLING, AST_WINDOW_HOPPING, AST_WINDOW_SESSION, AST_WINDOW_SLIDING, AST_WINDOW_CUMULATING, AST_WINDOW_COUNT } AstWindowKind;

/* ksqlDB's clause: WINDOW TUMBLING (SIZE .., ..). Flink's and ASA's windows are calls and table functions. */
typedef struct AstWindow {
    AstWindowKind kind;
    Span at;
    AstDuration size;      /* SIZE; SESSION's gap */
    AstDuration advance;   /* ADVANCE BY; STEP */
    AstDuration offset, retention, grace;
    int64_t count, count_advance; /* COUNT (SIZE 100, ADVANCE BY 10) */
    const char *time_zone; Span time_zone_at;
    AstName late_into;
} AstWindow;

typedef enum AstEmitKind { AST_EMIT_NONE, AST_EMIT_CHANGES, AST_EMIT_FINAL, AST_EMIT_AFTER_WATERMARK, AST_EMIT_AFTER_DELAY } AstEmitKind;
typedef struct AstEmit {
    AstEmitKind kind;
    Span at;
    AstDuration delay;
    bool and_after_watermark;
} AstEmit;

/* ---- relations ---- */
typedef enum AstRelationKind {
    AST_REL_NAME,      /* name [FOR SYSTEM_TIME AS OF expr] [/ *+ OPTIONS(..) * /] */
    AST_REL_FILE,      /* FROM 'bids.jsonl.gz' */
    AST_REL_QUERY,     /* (query) */
    AST_REL_VALUES,    /* (VALUES (..), (..)) */
    AST_REL_FUNCTION,  /* TABLE(f(..)), f(..), LATERAL TABLE(f(..)), UNNEST(..), EXPLODE.. */
    AST_REL_JOIN,
    AST_REL_MATCH      /* relation MATCH_RECOGNIZE (...) */
} AstRelationKind;

typedef enum AstJoinKind { AST_JOIN_INNER, AST_JOIN_LEFT, AST_JOIN_RIGHT, AST_JOIN_FULL, AST_JOIN_CROSS, AST_JOIN_CROSS_APPLY, AST_JOIN_OUTER_APPLY } AstJoinKind;

typedef enum AstPatternKind {
    AST_PATTERN_VARIABLE,
    AST_PATTERN_ANY,         /* . */
    AST_PATTERN_START,       /* ^ */
    AST_PATTERN_END,         /* $ */
    AST_PATTERN_SEQUENCE,    /* items one behind the other */
    AST_PATTERN_ALTERNATION, /* items[0] | items[1] .. */
    AST_PATTERN_PERMUTE,     /* PERMUTE(items) */
    AST_PATTERN_REPEAT,      /* items[0], least .. most times */
    AST_PATTERN_EXCLUDE      /* {- items[0] -} */
} AstPatternKind;

typedef struct AstPattern { /* inside PATTERN (..) */
    AstPatternKind kind;
    Span at;
    AstName name;              /* VARIABLE */
    int64_t least, most;       /* REPEAT; most -1: any number */
    bool reluctant;            /* REPEAT: a `?` behind the quantifier */
    struct AstPattern **items;
    int count, capacity;
} AstPattern;

typedef enum AstSkip { AST_SKIP_NONE, AST_SKIP_PAST_LAST_ROW, AST_SKIP_TO_NEXT_ROW, AST_SKIP_TO_FIRST, AST_SKIP_TO_LAST } AstSkip;
typedef enum AstMatchRows { AST_MATCH_ONE_ROW, AST_MATCH_ALL_ROWS, AST_MATCH_ALL_ROWS_SHOW_EMPTY, AST_MATCH_ALL_ROWS_OMIT_EMPTY, AST_MATCH_WITH_UNMATCHED } AstMatchRows;

typedef struct AstSubset { AstName name; AstNames variables; } AstSubset; /* u = (a, b) */

typedef struct AstMatch { /* MATCH_RECOGNIZE (..) */
    Span at;
    AstExprs partition_by;
    AstOrder order_by;
    struct { AstExpr **exprs; AstName *names; int count; } measures, define;
    AstMatchRows rows; Span rows_at;
    AstPattern *pattern;
    AstSkip skip; AstName skip_variable; Span skip_at; /* AFTER MATCH SKIP */
    AstDuration within;
    AstExpr *limit_duration;   /* ASA: LIMIT DURATION(unit, n), as the AST_CALL */
    struct { AstSubset *items; int count, capacity; } subsets;
} AstMatch;

struct AstRelation {
    AstRelationKind kind;
    Span at;
    AstNames name;             /* AST_REL_NAME */
    const char *path;          /* AST_REL_FILE */
    AstQuery *query;           /* AST_REL_QUERY */
    struct { AstExprs *items; int count, capacity; } rows; /* AST_REL_VALUES */
    AstExpr *function;         /* AST_REL_FUNCTION: the AST_CALL */
    bool lateral, with_ordinality;
    AstRelation *left, *right; /* AST_REL_JOIN; AST_REL_MATCH uses left */
    AstJoinKind join;
    bool natural;
    AstExpr *on;
    AstNames using;
    bool has_within; AstDuration within_before, within_after, join_grace; /* WITHIN n | (before, after) [GRACE PERIOD n] */
    AstExpr *system_time;      /* FOR SYSTEM_TIME AS OF e */
    AstExpr *timestamp_by, *timestamp_over; /* TIMESTAMP BY e OVER k of one side of a join; of a lone source it is the query's */
    AstProperties hints;       /* OPTIONS('k' = 'v') */
    AstMatch *match;
    AstName alias;
    AstNames column_aliases;   /* AS t (a, b) */
};

/* ---- queries ---- */
typedef struct AstSelectItem { AstExpr *expr; AstName alias; Span at; } AstSelectItem;
typedef struct AstCte { AstName name; AstNames columns; AstQuery *query; } AstCte;
typedef enum AstGroupKind { AST_GROUP_PLAIN, AST_GROUP_SETS, AST_GROUP_CUBE, AST_GROUP_ROLLUP } AstGroupKind;
typedef struct AstNamedWindow { AstName name; AstOver *over; } AstNamedWindow;
typedef enum AstQueryKind { AST_SELECT, AST_SET_OPERATION, AST_VALUES } AstQueryKind;
typedef enum AstSetKind { AST_UNION_ALL, AST_UNION, AST_INTERSECT, AST_EXCEPT } AstSetKind;

struct AstQuery {
    AstQueryKind kind;
    Span at;
    struct { AstCte *items; int count, capacity; } ctes; /* WITH */
    /* AST_SET_OPERATION */
    AstSetKind set_kind;
    bool set_all;
    AstQuery *left, *right;
    /* AST_VALUES */
    struct { AstExprs *items; int count, capacity; } rows;
    /* AST_SELECT */
    bool distinct;
    struct { AstSelectItem *items; int count, capacity; } items;
    AstName into;              /* ASA: SELECT .. INTO sink */
    AstRelation *from;         /* NULL: SELECT 1; a comma list is a chain of AST_JOIN_CROSS */
    AstExpr *timestamp_by, *timestamp_over; /* of a lone source in FROM; those of a join's sides are in the relations */
    AstWindow window;
    AstExpr *where;
    AstGroupKind group_kind;
    AstExprs group_by;         /* the plain items, also those beside GROUPING SETS, CUBE, ROLLUP */
    struct { AstExprs *items; int count, capacity; } grouping_sets; /* the sets; CUBE's or ROLLUP's elements */
    Span group_at;
    AstDuration allowed_lateness; /* after GROUP BY */
    AstName late_into;            /* after GROUP BY */
    AstExprs partition_by; bool partition_by_given; /* PARTITION BY NULL: one NULL literal */
    AstExpr *having, *qualify;
    struct { AstNamedWindow *items; int count, capacity; } windows; /* WINDOW w AS (..): what OVER w means stands in the calls, too */
    /* both kinds */
    AstOrder order_by;
    AstEmit emit;
    AstExpr *limit, *offset;   /* number or variable */
    bool top;                  /* while it is parsed: the limit is the block's own, also in a UNION: SELECT TOP n */
    int depth;                 /* height of the highest expression, sub-queries included */
};

/* SELECT .. INTO sink: of several SELECTs in one UNION the first one says it for all. NULL: none. */
static inline const AstName *ast_query_into(const AstQuery *query)
{
    while (query->kind == AST_SET_OPERATION)
        query = query->left;
    return query->into.text ? &query->into : NULL;
}

/* ---- statements ---- */
typedef enum AstStatementKind {
    AST_STMT_QUERY,              /* SELECT at top level */
    AST_STMT_CREATE_SOURCE,      /* CREATE STREAM|TABLE name (columns) WITH (..) */
    AST_STMT_CREATE_AS,          /* CREATE STREAM|TABLE name WITH (..) AS query */
    AST_STMT_CREATE_VIEW,
    AST_STMT_CREATE_TYPE,
    AST_STMT_CREATE_FUNCTION,
    AST_STMT_INSERT_QUERY,
    AST_STMT_INSERT_VALUES,
    AST_STMT_STATEMENT_SET,      /* EXECUTE STATEMENT SET BEGIN .. END */
    AST_STMT_DROP,
    AST_STMT_ALTER,              /* ADD COLUMN */
    AST_STMT_DESCRIBE,
    AST_STMT_DESCRIBE_FUNCTION,
    AST_STMT_SHOW,
    AST_STMT_EXPLAIN,
    AST_STMT_SET, AST_STMT_UNSET, /* RESET is UNSET */
    AST_STMT_DEFINE, AST_STMT_UNDEFINE,
    AST_STMT_TERMINATE, AST_STMT_PAUSE, AST_STMT_RESUME,
    AST_STMT_PRINT,
    AST_STMT_RUN_SCRIPT,
    AST_STMT_ASSERT,
    AST_STMT_CONNECTOR           /* Kafka Connect statements: parsed to be refused by name */
} AstStatementKind;

typedef enum AstObjectKind { AST_OBJECT_STREAM, AST_OBJECT_TABLE, AST_OBJECT_VIEW, AST_OBJECT_TYPE, AST_OBJECT_FUNCTION, AST_OBJECT_CONNECTOR, AST_OBJECT_QUERY } AstObjectKind;

typedef struct AstColumn {
    Span at;
    AstName name;
    AstType *type;               /* NULL for a computed column without a type */
    bool is_key, is_primary, not_null, is_headers, is_metadata, is_virtual;
    const char *metadata_from;   /* METADATA FROM 'offset'; HEADER('h') */
    AstExpr *default_value;
    AstExpr *computed;           /* name AS expr */
} AstColumn;

typedef struct AstCreate {
    AstObjectKind object;        /* STREAM or TABLE, VIEW, TYPE, FUNCTION */
    bool or_replace, if_not_exists, temporary, is_source;
    AstName name;
    struct { AstColumn *items; int count, capacity; } columns;
    AstNames primary_key; bool not_enforced;
    AstName watermark_column; AstExpr *watermark; Span watermark_at; /* WATERMARK FOR c AS e */
    AstNames partitioned_by;     /* PARTITIONED BY (a, b) */
    AstProperties with;
    AstName like; AstNames like_options; /* LIKE base (INCLUDING OPTIONS ..): pairs of words */
    AstQuery *query;             /* AS */
    AstType *type;               /* CREATE TYPE */
    struct { AstField *items; int count, capacity; } parameters; /* CREATE FUNCTION */
    AstType *returns; const char *language; const char *body; AstExpr *body_expr; bool is_aggregate; Span body_at;
} AstCreate;

typedef enum AstShowKind { AST_SHOW_STREAMS, AST_SHOW_TABLES, AST_SHOW_VIEWS, AST_SHOW_QUERIES, AST_SHOW_TOPICS, AST_SHOW_FUNCTIONS, AST_SHOW_TYPES, AST_SHOW_VARIABLES, AST_SHOW_PROPERTIES, AST_SHOW_LAG, AST_SHOW_CREATE, AST_SHOW_CONNECTORS } AstShowKind;
typedef enum AstExplainKind { AST_EXPLAIN_PLAN, AST_EXPLAIN_ANALYZE, AST_EXPLAIN_WHY_NO_OUTPUT, AST_EXPLAIN_EXTENDED } AstExplainKind;
typedef enum AstAssertKind { AST_ASSERT_VALUES, AST_ASSERT_TOMBSTONE, AST_ASSERT_STREAM, AST_ASSERT_TABLE, AST_ASSERT_TOPIC, AST_ASSERT_SCHEMA } AstAssertKind;

struct AstStatement {
    AstStatementKind kind;
    Span at;                     /* the statement without its `;` */
    AstCreate *create;
    AstQuery *query;
    AstName name;                /* INSERT target, DROP, DESCRIBE, TERMINATE (text "ALL" with all = true).. */
    bool all, extended, if_exists, delete_topic, overwrite, negated;
    AstObjectKind object;        /* DROP, ALTER */
    AstNames columns;            /* INSERT INTO t (a, b) */
    AstProperties properties;    /* INSERT .. WITH (..), SET 'k' = 'v' (one entry), ASSERT .. WITH, DEFINE */
    struct { AstExprs *items; int count, capacity; } rows; /* INSERT .. VALUES, ASSERT VALUES */
    struct { AstColumn *items; int count, capacity; } added; /* ALTER .. ADD */
    struct { AstStatement **items; int count, capacity; } statements; /* STATEMENT SET */
    AstShowKind show;
    const char *like;            /* SHOW .. [NOT] LIKE 'x%'; NULL: all */
    AstExplainKind explain;
    AstStatement *explained;     /* EXPLAIN of a statement; NULL: of query `name` */
    const char *path;            /* RUN SCRIPT 'f', DESCRIBE 'f', PRINT topic as a string */
    bool from_beginning; AstExpr *interval, *limit; /* PRINT */
    AstAssertKind assert;
    AstDuration timeout;
    AstCreate *assert_create;    /* ASSERT STREAM|TABLE ... as a CREATE */
};

typedef struct AstScript {
    AstStatement **statements;
    int statement_count;
} AstScript;

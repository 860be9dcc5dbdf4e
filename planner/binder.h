/* planner/binder.h: queries -> logical plan. Private to the room.
 *
 * A Binder lives for one statement (or one job). A query becomes a Relation: the edge its rows come out of, and what the columns
 * mean beyond their types: which one is the event time, which ones are bounds of a window. */
#pragma once
#include "planner/bind_expression.h"
#include "planner/catalog.h"
#include "planner/logical.h"
#include "planner/settings.h"

/* A window table function or window clause whose rows have not been assigned yet: GROUP BY decides what becomes of it. */
typedef struct WindowUse {
    WindowSpec spec;
    Span at;
    bool lateness_given;
    bool table_function;       /* TUMBLE(TABLE ..): window_start.. are columns of the relation */
    bool clause;               /* ksqlDB's WINDOW: its default is EMIT CHANGES */
    const AstName *late_into;  /* NULL none */
    const AstExprs *partition_by; /* SESSION(TABLE t PARTITION BY ..) */
    bool several;              /* Windows(..): this one and the next ones */
    const char *id;            /* Window('id', ..); NULL none */
    struct WindowUse *next;
} WindowUse;

/* Columns that are bounds of windows, through every renaming; -1: not there. */
typedef struct WindowColumns {
    bool windowed;
    int start, end, time;
    WindowSpec spec;           /* of the windows they came from */
} WindowColumns;

/* What of the rows makes a message of a topic, beside the value: columns of the relation. */
typedef struct MessageColumns {
    bool is_table;                  /* rows of one key replace each other */
    bool keyed;                     /* the rows have a key, maybe one without columns */
    bool key_order;                 /* GROUP BY, PARTITION BY: the key's columns stand as they say, else as SELECT does */
    int key_count;
    int *key;                       /* -1: it was not selected */
    const char **key_names;         /* as the query knows them */
    int *equal; int equal_count;    /* other columns that hold the same as the one key column: of a join */
    int time;                       /* TIMESTAMP: the message's own time; -1: none known */
    int no_value;                   /* BOOLEAN: the message has no value; -1: all have one */
    const char *selected_twice;     /* a key column that stands in the projection twice; NULL none */
    int headers;                    /* what is written has these; -1: none */
    KeyWindow window;               /* its bounds are the relation's window columns */
    int64_t window_size_us;
    const CatalogSource *from;      /* the first topic under it: whose formats a new topic takes over; NULL none */
} MessageColumns;

typedef struct Relation {
    PlanInput input;
    const char *alias;         /* NULL: none */
    Schema schema;             /* of the port, with the names that this query gives; hidden columns included */
    int time_column;           /* its event time; -1: none */
    bool processing_time;      /* that column is the arrival time */
    bool table;                /* a TABLE, by its name: a stream that is joined with it meets it as it stands */
    WindowColumns window;
    MessageColumns *message;   /* NULL: rows that never were messages */
    WindowUse *pending;        /* a window function in FROM; the schema ends in window_start, window_end, window_time for it */
    const char *dead_letter;   /* stream for rows whose expressions fail; NULL none */
    const CatalogEntry *letters; /* the source whose dead_letter_topic takes them; NULL none */
    struct PlanNode *late_rows; /* what puts late rows of FROM aside (MATCH_RECOGNIZE, a join in time), for the block's LATE INTO; NULL none */
    const RowPolicy *on_expr_error; /* what its stream says of them; NULL: nothing, the settings hold */
} Relation;

/* Rows put aside under a name: LATE INTO, dead_letter. */
typedef struct SidePort {
    const char *name;
    PlanInput input;
    int *columns; int column_count; /* of the port: what a reader sees */
    bool own;                       /* of the statement itself, not of something that it reads */
    const char *source;             /* the entry whose records these are, read by whomever; NULL: rows of a query */
    const CatalogEntry *letters;    /* they are messages for the dead_letter_topic of this source; NULL: rows of a stream */
} SidePort;

typedef struct CteScope {
    const AstCte *cte;
    struct CteScope *outer;
    bool bound; Relation relation;  /* bound once */
    struct CteScope *binding;       /* while it is bound: the one that was being bound around it */
} CteScope;

typedef struct Binder {
    Arena *arena;
    Catalog *catalog;
    const PlannerSettings *settings;
    const ConnectorContext *connectors;
    int text;                       /* number of the text whose places may be shown */
    bool final_results;             /* batch answers: no EMIT, everything bounded, the target takes no updates */
    bool pull;                      /* the statement reads what is there now, and ends (ksqlDB's SELECT without EMIT) */
    struct Relation *query_rows;    /* what the statement's query gives, before it is put into the target's columns */
    bool pull_tables;               /* tables of a server are read as they are now */
    bool explicit_changes;          /* the statement asks for changes, also of input that ends */
    bool needs_final;               /* set while binding: something (ORDER BY, RANK) only works on final results */
    CteScope *ctes;
    CteScope *binding;              /* the step of WITH that is being bound; NULL: none */
    struct { SidePort *items; int count, capacity; } sides;
    struct { const char **items; int count, capacity; } functions; /* functions of the catalog that were called */
    struct { const char **items; int count, capacity; } uses;   /* catalog names that were read */
    struct { const char **items; int count, capacity; } types;  /* named types that were met */
    struct { const CatalogEntry **items; int count, capacity; } stack; /* entries being expanded */
    const LogicalNode *nameless_letters; /* its failing rows are dead letters for which no stream is named; NULL none */
    struct { struct Block **items; int count, capacity; } bound_from; /* sub-queries whose FROM is bound, so that its names were known */
    int subquery_depth;
    int query_depth;                /* of queries within queries, views and WITH put in */
    const AstExpr *table_call;      /* the call of a table function that is bound for its rows; others may not stand there */
    int own_depth;                  /* of the stack while the statement itself is bound, not something that it reads */
} Binder;

/* How a query stands: what its missing EMIT means. */
typedef struct QueryContext {
    bool top_level;                 /* the statement's own query, not a sub-query */
    bool persistent;                /* the query that defines a stream or table */
    bool shown;                     /* its rows go to whoever asks, not into a stream or table */
    const AstEmit *emit;            /* of the UNION around it; NULL none */
    const AstName *into;            /* the INTO that is the statement's own; anywhere else it says nothing and is refused */
} QueryContext;

/* ---- bind_query.c: set operations, VALUES, ORDER BY, LIMIT, CTEs ---- */
Error *bind_query(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation);

/* Sorts and limits; keys are columns of the relation. */
Error *bind_order(Binder *binder, const AstQuery *query, const SortKey *keys, int key_count, Relation *relation);

/* ---- bind_set.c: UNION, INTERSECT, EXCEPT, without their ORDER BY and LIMIT ---- */
Error *bind_set_operation(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation);

/* ---- bind_select.c: one block ---- */
Error *bind_select(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation);

/* What the parts of a block share. */
typedef struct Block {
    Binder *binder;
    const AstQuery *query;
    QueryContext context;
    Relation from;                  /* after FROM, joins, WHERE */
    struct { ScopeRelation *items; int count, capacity; } parts; /* what names can be qualified with: column ranges of `from` */
    WindowUse *window;              /* of the block; NULL none */
    bool late_noted;                /* LATE INTO has its rows */
    const Expr **group_keys; int group_key_count; /* over `from`; they are the first columns of the grouped rows */
} Block;

/* Adds the columns of `relation` to what names mean; they are columns base.. of block->from. */
void block_add_part(Block *block, const Relation *relation, int base);
/* Binds over block->from with its qualifiers, or over any other relation. */
Error *block_expr(Block *block, const Relation *relation, const AstExpr *ast, Expr **expr);

/* ---- bind_from.c: what stands in FROM ---- */
/* Once: a block of the same FROM in binder->bound_from gives its own. */
Error *bind_from(Block *block);
Error *bind_relation(Binder *binder, const AstRelation *ast, const AstExpr *timestamp_by, Relation *relation);
/* Reads a catalog entry. */
Error *bind_entry(Binder *binder, CatalogEntry *entry, const AstExpr *timestamp_by, Span at, Relation *relation);

/* AS t (a, b): names for the visible columns. */
Error *bind_column_aliases(const AstRelation *ast, Arena *arena, Relation *relation);
/* One row without columns: SELECT without FROM. */
Relation relation_of_nothing(Binder *binder, Span at);

/* ---- bind_metadata.c ---- */
/* GetMetadataPropertyValue(input, '[EventHub].[Offset]') */
Error *bind_metadata_property(BindContext *context, const Relation *relation, const AstExpr *ast, Expr **result);

/* ---- bind_match.c: MATCH_RECOGNIZE ---- */
Error *bind_match(Binder *binder, const AstRelation *ast, Relation *relation);

/* ---- bind_unnest.c: rows out of lists ---- */
/* A function in FROM over the rows of `left`, whose names it may use: *whole has left's columns, then the function's, which are *right. */
Error *bind_table_function(Binder *binder, const AstRelation *ast, const Relation *left, const ScopeRelation *parts, int part_count, bool outer, Relation *whole, Relation *right);
Error *bind_table_join(Block *block, const AstRelation *join, const Relation *left, Relation *relation);
bool is_table_call(const AstExpr *expr);
/* Plans the table functions that `exprs` call above *relation, and replaces them by their elements. */
Error *bind_table_calls(Block *block, AstExpr **exprs, int expr_count, Relation *relation);

/* ---- bind_subquery.c ---- */
bool is_subquery(const AstExpr *expr); /* EXISTS, IN (query), (query) */
/* Aggregates without GROUP BY have a row also where no row is left.. */
bool subquery_has_one_group(const AstQuery *query);
/* ..what is selected then; else NULL. */
Error *subquery_missing(Binder *binder, const AstQuery *query, int item, const Type *type, Value *value);
/* left op ANY|ALL (query) as other expressions; bind_quantified.c. */
Error *quantified_comparison(Block *block, Relation *relation, const AstExpr *ast, AstExpr **test);
/* The expressions over the rows of `block` that the sub-query depends on. */
Error *subquery_asks(Block *block, const AstExpr *ast, AstExprs *asked);
/* Plans the sub-queries in `exprs` (inside_aggregates: only those in arguments of aggregates) above *relation and replaces them by their answers. */
/* (a, b) [NOT] IN (query) as a value: FALSE and NULL told apart. The query's last columns must be equal to `ties`. bind_row_in.c */
Error *row_in_query(Arena *arena, const AstExpr *ast, const AstExprs *ties, AstExpr **tests);
Error *bind_subqueries(Block *block, AstExpr **exprs, int expr_count, bool inside_aggregates, Relation *relation);
/* The same for GROUP BY; what `exprs` say alike means the same. */
Error *bind_group_subqueries(Block *block, AstExpr **exprs, int expr_count);

/* ---- bind_source.c: CREATE .. WITH ---- */
/* Checks and completes a definition: connector, format, options, columns (inferred where none are declared). In catalog->arena. */
Error *bind_source_definition(Binder *binder, const AstCreate *create, CatalogEntry *entry);
/* FROM 'file' [OPTIONS hint, or NULL]: an entry that is in no catalog. */
Error *bind_source_file(Binder *binder, const char *path, const AstProperties *hints, Span at, CatalogEntry **entry);
/* "no column 'x' in s", with the nearest name. */
Error *bind_no_column(Binder *binder, const CatalogEntry *entry, const char *name, Span at);

/* ---- bind_scan.c ---- */
/* Scan, computed columns, watermark. */
Error *bind_source_scan(Binder *binder, CatalogEntry *entry, const AstExpr *timestamp_by, Span at, Relation *relation);
/* The same above any input whose columns are the declared ones in order: in-process streams. */
Error *bind_source_columns(Binder *binder, CatalogEntry *entry, PlanInput input, const AstExpr *timestamp_by, Span at, Relation *relation);
/* The DEFAULT of a column. */
Error *bind_default(Binder *binder, const CatalogColumn *column, Expr **value);
/* TIMESTAMP BY over any relation. */
Error *bind_timestamp_by(Binder *binder, const AstExpr *expr, Relation *relation);
/* .. OVER key, above that: a clock for each of its values. bind_from.c. */
Error *bind_timestamp_over(Binder *binder, AstExpr *key, Relation *relation);

/* ---- bind_schema.c: schema registries ---- */

bool registry_setting_known(const char *name);
Error *registry_setting_set(Arena *arena, PlannerSettings *settings, const char *name, const char *value, Span name_at, Span value_at);
/* Columns of key and value that CREATE does not declare, where their formats have a registry. */
Error *bind_registered_columns(Binder *binder, const AstCreate *create, CatalogEntry *entry);
/* The statement with the numbers of the schemas that its columns came from: planned again it gives the same ones. */
const AstStatement *bind_pinned(Arena *arena, const CatalogEntry *entry, const AstStatement *statement);
/* Do the columns fit the schemas by which they are written, where those are named by their numbers? */
Error *bind_registered_target(Binder *binder, const CatalogEntry *entry, Span at);
/* CREATE of a source, in ksqlDB's preset: the schemas of its columns are registered where their subjects have none. */
Error *bind_register_schemas(Binder *binder, const CatalogEntry *entry, Span at);
Error *assert_schema(Binder *binder, const AstStatement *statement);
/* The subjects of the entry's topic go. */
Error *bind_forget_schemas(Binder *binder, const CatalogEntry *entry, Span at);

/* ---- bind_message.c: topics: keys, times and formats of messages ---- */
/* Is the connector one of messages? */
bool is_record_connector(const ConnectorType *connector);
/* Properties of key and value formats, of windowed keys; `with` without what it has taken. source->connector and ->format are set. */
Error *bind_message_options(Binder *binder, const AstProperties *with, CatalogEntry *entry, const CatalogSource *inherited, AstProperties *rest, Span at);
/* The properties of a file, with what the preset says of texts of times. */
const AstProperties *bind_preset_times(Binder *binder, const AstProperties *with, const FormatType *format, Span at);
/* The topic whose formats CREATE .. AS takes over where it does not say otherwise (ksqlDB's rule; preset ksql): of the first stream or table
 * in FROM. NULL: none. */
const CatalogSource *bind_inherited_source(const Binder *binder, const AstQuery *query);
/* Do the formats of an entry over a topic hold its columns? */
Error *bind_message_check(Binder *binder, const CatalogEntry *entry, Span at);
/* Can the rows be messages: no names that messages have themselves, no key column twice? */
Error *bind_message_selected(const Relation *rows, Span at);
const Type *bind_headers_type(Arena *arena); /* ARRAY<STRUCT<KEY VARCHAR, VALUE BYTES>> */
/* Names, keys and windows as they are declared. */
/* A table over a topic whose messages change rows of their keys. One without a primary key is as in Flink: rows that only come. */
bool is_message_table(const CatalogEntry *entry);
/* 'key.fields' and its like, once the columns are known. bind_key_fields.c. */
Error *bind_key_fields(Binder *binder, CatalogEntry *entry);
/* Does the column stand in messages' keys, or (key: false) in their values? With 'value.fields-include' = 'ALL' a key's column does both. */
bool column_stands_in(const CatalogEntry *entry, int column, bool key);
/* What a column of the key is called there. */
const char *key_field_name(const CatalogSource *source, const char *column);
Error *bind_message_declared(const Binder *binder, const AstCreate *create, const CatalogEntry *entry);
/* Columns that a message has beside the declared ones, as hidden columns of a scan. Adds at most MESSAGE_FACTS to the schema. */
enum { MESSAGE_FACTS = 8 };
void bind_message_facts(const Binder *binder, const CatalogEntry *entry, Schema *schema, DecodeColumn *columns);
void bind_message_scan(Binder *binder, const CatalogEntry *entry, LogicalNode *scan);
/* Whatever names the event time (TIMESTAMP, epoch milliseconds, text) as a TIMESTAMP. bind_scan.c. */
Error *bind_event_time(Binder *binder, const CatalogSource *source, Expr *expr, Expr **time);
/* The relation over a scan whose columns (declared ones first, then the facts by name) are those of *relation. */
void bind_message_source(Binder *binder, const CatalogEntry *entry, Relation *relation);
/* After a projection: where the columns of `under` stand in the new relation. places[i]: new place of old column i, -1 gone. */
void bind_message_project(Binder *binder, const Relation *under, const int *places, Relation *relation);
/* A stream's messages without value are rows only to a plain projection. */
Error *bind_without_empty(Binder *binder, Relation *relation, Span at);
/* An upsert edge becomes a changelog, or, for final results, the rows that are left at the end (which have no order of time any more: not under
 * windows). No change where it is none. */
Error *bind_normalize(Binder *binder, Relation *relation, bool windowed, Span at);
/* Rows for a topic, as `exprs` and `schema` of its declared columns: adds what else a message needs (time, no value, the window). */
/* time: what the statement says of it; NULL: nothing. */
Error *bind_message_rest(Binder *binder, const Relation *rows, const CatalogEntry *target, Expr *time, Expr ***exprs, Schema *schema, WindowColumns *window, MessageColumns **message);
/* INSERT INTO a topic without a list of columns: key columns go to key columns and the others to the others, each in their order. (Not as Flink writes keys.) given[i]: the
 * column of `rows` for the target's i-th; left alone where the two do not match in number. */
void bind_message_order(Arena *arena, const Relation *rows, const CatalogEntry *target, int *given, int count);
/* What of a message each column of the sink is. */
void bind_message_sink(Binder *binder, const CatalogEntry *target, const Relation *rows, LogicalNode *sink);
/* CREATE .. AS and INSERT INTO a topic: the target's columns that stand in the key. */
Error *bind_message_target(Binder *binder, const Relation *rows, CatalogEntry *target, Span at);

/* ---- bind_process.c: streams and tables without a connector, in a server ---- */
bool is_process_connector(const ConnectorType *connector);
void bind_process_options(Binder *binder, const CatalogEntry *entry, CatalogSource *source);
/* CREATE .. AS: what the query's rows are. They become a changelog. */
Error *bind_process_target(Binder *binder, Relation *relation, CatalogEntry *entry, Span at);
/* The same for a table with another connector, beside it. */
Error *bind_process_kept(Binder *binder, const Relation *relation, CatalogEntry *entry, Span at);
Error *bind_process_declared(Binder *binder, CatalogEntry *entry, Span at);
Error *bind_process_scan(Binder *binder, CatalogEntry *entry, const AstExpr *timestamp_by, Span at, Relation *relation);
/* INSERT INTO: the columns that do not show, beside those given. */
Error *bind_process_rest(Binder *binder, const Relation *given, const CatalogEntry *target, Span at, Expr ***exprs, Schema *schema);
Error *bind_process_sink(Binder *binder, const CatalogEntry *target, const Relation *rows, Span at, LogicalNode **node);
/* Of a table that INSERT INTO fills: the query that keeps what its rows come to. */
Error *bind_process_keeper(Binder *binder, CatalogEntry *entry, Span at, LogicalNode **sink);

/* ---- bind_appended.c: CREATE STREAM s AS .. outside of a server: what INSERT INTO adds to its query's rows ---- */
bool takes_appended(const CatalogEntry *entry);
/* The rows of the query become those of all that fill the stream. */
Error *bind_appended(Binder *binder, const CatalogEntry *entry, Span at, Relation *relation);
/* A statement that is about to fill it: its rows, and how many columns it gives. */
Error *bind_append(Binder *binder, const AstStatement *statement, CatalogEntry *target, int *width, Relation *rows);
/* What an INSERT INTO of earlier gives. bind_from.c. */
Error *bind_producer(Binder *binder, const CatalogProducer *producer, const CatalogEntry *target, Span at, Relation *rows);

/* The column of System.Timestamp(): a window's end, else the event time; -1: there is none. binder.c. */
int timestamp_column(const Relation *relation);
/* Does the column hold nothing but a literal NULL, which fits any type? SELECT NULL gave it a type of its own. bind_set.c. */
bool only_nulls(PlanInput input, int column);

/* PROCTIME(). bind_scan.c. */
Expr *bind_arrival_time(Binder *binder, Span at);

/* ---- bind_join.c ---- */
/* What stands in FROM, a chain of joins or one relation; its parts are added to the block. */
Error *bind_join(Block *block, const AstRelation *join, Relation *relation);

/* ---- bind_lookup.c: joins with a table that is looked up by key ---- */
/* The table, if the relation is one; else NULL. */
CatalogEntry *bind_lookup_entry(Binder *binder, const AstRelation *ast);
Error *bind_lookup_join(Block *block, const AstRelation *join, CatalogEntry *table, Relation *relation);

/* ---- bind_window.c: the three spellings ---- */
/* TABLE(TUMBLE(TABLE t, ..)): the relation with window columns behind, pending set. *is_window false: some other function. */
Error *bind_window_function(Binder *binder, const AstRelation *ast, Relation *relation, bool *is_window);
/* The WINDOW clause, or a call in GROUP BY: TUMBLE(ts, ..), TumblingWindow(minute, 1). Sets block->window. */
Error *bind_window_clause(Block *block);
bool is_window_call(const AstExpr *expr);
/* TUMBLE_START(..), System.Timestamp() .. */
bool is_window_bound_call(const AstExpr *expr);
Error *check_window_bound_call(Block *block, const AstExpr *call);
/* Which bound a name or call means: 0 start, 1 end, 2 time as TIMESTAMP, 3.. the same as BIGINT milliseconds; -1 none. */
int window_pseudo(const AstExpr *expr);
Error *bind_duration(const AstDuration *given, const char *what, int64_t *us); /* not in months */
/* Lengths of time: DURATION(minute, 10); minute, 10; INTERVAL '10' MINUTE. */
Error *bind_asa_duration(Binder *binder, const AstExpr *ast, const char *what, int64_t *us);
Error *bind_unit_duration(Binder *binder, const AstExpr *unit, const AstExpr *count, const char *what, int64_t *us);
Error *bind_interval(Binder *binder, const AstExpr *ast, const char *what, int64_t *us);

/* ---- bind_frame.c ---- */
bool over_has_frame(OverKind kind);
/* A literal integer of at least `least`. */
Error *bind_whole_number(Binder *binder, const AstExpr *ast, const char *what, int64_t least, int64_t *number);
/* `type`: of the one ORDER BY column; NULL: there is none, or several. */
Error *bind_frame(Binder *binder, const AstExpr *ast, OverKind kind, const Type *type, OverFrame *frame);
/* A pending window function without aggregation: one row per window. */
Error *bind_window_assign(Binder *binder, Relation *relation);
/* The same for sessions. bind_session_rows.c */
Error *bind_session_rows(Binder *binder, Relation *relation);

/* ---- bind_windows.c: several windows at once ---- */
/* System.Window().Id */
bool is_window_id(const AstExpr *ast);
/* `first` is the aggregation with the first window; the union of all has the window's id behind the bounds. */
Error *bind_several_windows(Block *block, LogicalNode *first, const WindowUse *uses, LogicalNode **result);

/* ---- bind_aggregate.c ---- */
/* Does the block aggregate? */
bool block_aggregates(const AstQuery *query);
bool is_aggregate_call(const AstExpr *expr);
/* What a call of an aggregate gets; bind_aggregate_call.c. */
typedef struct AggregateCallArgs {
    const AggregateFunction *function;
    Expr *args[FUNCTION_MAX_ARGS]; int arg_count;
    const char *names[FUNCTION_MAX_ARGS]; /* of the arguments, as written */
    Value *constants; int constant_count; /* the literals behind them */
    bool distinct;
    int64_t limit;
    const Type *type;
} AggregateCallArgs;
bool is_aggregate_name(const char *name);
typedef Error *(*BindArgument)(void *context, const AstExpr *ast, Expr **expr);
Error *aggregate_call_args(Binder *binder, const AstExpr *ast, BindArgument bind, void *context, AggregateCallArgs *call);
/* FILTER (WHERE ..), with IGNORE NULLS: the first argument is there. NULL: every row counts. */
const AstExpr *aggregate_filter(Arena *arena, const AstExpr *ast);
/* Collect() and lists with ORDER BY; bind_ordered_aggregate.c. */
bool is_ordered_aggregate(const AstExpr *expr);
Error *bind_ordered_aggregate(Block *block, const AstExpr *ast, BindArgument bind, void *context, AggregateCallArgs *call);
/* Aggregation of block->from: afterwards names, aggregates and window pseudo columns in `exprs` mean columns of *result; each
 * expression is replaced by one that binds over *result. NULL expressions stay. */
Error *bind_aggregate(Block *block, AstExpr **exprs, int expr_count, Relation *result);
/* SELECT DISTINCT over the visible columns. */
Error *bind_distinct(Block *block, Relation *relation);
/* What the block says about EMIT, itself or through the UNION around it. */
const AstEmit *block_emit(const Block *block);
/* The trigger that the block's EMIT (or its absence) means. */
Error *bind_trigger(const Block *block, bool windowed, Trigger *trigger, int64_t *delay_us);

/* ---- bind_late.c ---- */
/* LATE INTO name: rows that the node puts aside; the first `visible` columns of its input are shown. set_column: a late row stands once a
 * grouping set, and is put aside with the first one; -1: there are none. */
void note_late_rows(Binder *binder, const AstName *late_into, LogicalNode *node, int visible, int set_column);
/* Can rows of the join be late for it? */
bool join_has_late_rows(const LogicalNode *node);
/* LATE INTO behind a query whose rows nothing else in it finds late: those of its join. */
Error *bind_late_into(Block *block);

/* ---- bind_grouping_sets.c ---- */
typedef struct GroupingSets { uint64_t *items; int count, capacity; } GroupingSets; /* per set: bit k: it holds group key k */
/* The sets of a query, of the keys that its elements name (bits); `always`: those of the plain items. */
Error *grouping_sets_list(Binder *binder, const AstQuery *query, uint64_t always, const uint64_t *elements, int key_count, GroupingSets *sets);
/* A row for each set (that has keys: without_totals). keys[] become the columns that are NULL where the set does not hold them; *number: the column with the set's number. */
PlanInput grouping_sets_rows(Binder *binder, PlanInput input, const GroupingSets *sets, bool without_totals, int *keys, int key_count, int *number, Span at);
/* A set without keys has its one row also where there is no input: an aggregate of its own over `rows`, at the end of the input, beside the
 * aggregate of the other sets. */
bool grouping_sets_have_total(const GroupingSets *sets);
LogicalNode *grouping_sets_totals(Binder *binder, LogicalNode *node, PlanInput rows, const GroupingSets *sets, int keys);
bool is_grouping_call(const AstExpr *expr); /* GROUPING, GROUPING_ID, GROUP_ID */
/* What the call means, as a function of column `number`. */
AstExpr *grouping_call_value(Arena *arena, const GroupingSets *sets, const AstExpr *call, const int *keys, int key_count, int number);

/* ---- bind_over.c: functions OVER (..) ---- */
bool is_over_call(const AstExpr *expr);
bool block_has_over(const AstQuery *query);
/* Plans calls above *relation and replaces them by their columns: ASA's (`early`) over the rows of FROM, or all others. */
Error *bind_overs(Block *block, AstExpr **exprs, int expr_count, bool early, Relation *relation);

/* ---- bind_top.c: ASA's TopOne, CollectTop ---- */
bool is_top_call(const AstExpr *expr);
bool is_top_over_call(const AstExpr *expr); /* with LIMIT DURATION: for each row */
/* The call as an expression over aggregates. */
Error *bind_top_call(Block *block, const AstExpr *ast, AstExpr **aggregate);
/* As a call of an aggregate OVER (.. LIMIT DURATION ..). */
Error *bind_top_over_call(Block *block, const AstExpr *ast, AstExpr **call);
/* The row as a STRUCT of what SELECT * shows. */
AstExpr *ast_row_struct(Arena *arena, const Relation *relation, Span at);

/* ---- bind_rank.c: Top-N ---- */
bool is_rank_call(const AstExpr *expr);
/* Rows that are ranked have no event time any more, and System.Timestamp() beside a call OVER (..) still is a value of theirs: it becomes a column. */
Error *bind_times_of_rows(Block *block, AstExpr **exprs, int expr_count, Relation *relation);
/* Plans every ROW_NUMBER() OVER (..) in `exprs` above *relation and replaces it by its column. */
Error *bind_ranks(Block *block, AstExpr **exprs, int expr_count, Relation *relation);

/* ---- statement.c: what statements ask of queries ---- */
/* The query of an INSERT, CREATE .. AS or SELECT. */
Error *bind_statement_query(Binder *binder, const AstStatement *statement, Relation *relation);
/* Rows of an INSERT as the target's columns that come from records (computed ones left out), converted. */
Error *bind_insert(Binder *binder, const AstStatement *statement, const CatalogEntry *target, Relation *relation);
/* The same for a statement of earlier: it gives the first `width` columns, the others were added since. */
Error *bind_earlier_insert(Binder *binder, const AstStatement *statement, const CatalogEntry *target, int width, Relation *relation);

/* ---- bind_function.c: functions of the catalog ---- */
/* A call of one; ERR_BIND if there is none of that name. */
Error *bind_user_call(Binder *binder, BindContext *context, const AstExpr *call, Expr **result);
/* ERR_BIND, with the nearest known name, if the call is of no function that there is; aggregates and forms of their own are not asked for. */
Error *bind_function_known(Binder *binder, const AstExpr *call);
/* A block whose calls of aggregates in SQL have been replaced; the same one if there are none. bind_macro.c. */
Error *expand_macros(Binder *binder, const AstQuery **query);
/* Tells calls of aggregates of the catalog from others, wherever the block may have aggregates. */
void mark_user_aggregates(Binder *binder, const AstQuery *query);
void mark_user_aggregates_in(Binder *binder, const AstExpr *expr);
/* The function, literals and type of such a call whose arguments are bound. */
Error *bind_user_aggregate(Binder *binder, const AstExpr *ast, struct AggregateCallArgs *call);
/* "f(x BIGINT) -> DOUBLE" */
const char *user_function_text(Arena *arena, const CatalogEntry *entry);

/* ---- shared helpers: binder.c ---- */
void binder_init(Binder *binder, Arena *arena, Catalog *catalog, const PlannerSettings *settings, const ConnectorContext *connectors, int text);
/* The settings under which the text at hand was written. */
void binder_use_settings(Binder *binder, const PlannerSettings *settings);
/* Binds an expression over a relation's columns. */
Error *binder_expr(Binder *binder, const Relation *relation, const AstExpr *ast, Expr **expr);
/* The same over several relations. `relation` gives the meaning of System.Timestamp(); markers are its columns. */
Error *binder_scope_expr(Binder *binder, const Relation *relation, const ScopeRelation *parts, int part_count, const AstExpr *ast, Expr **expr);
/* A name that is being given: as the preset spells unquoted ones. */
const char *binder_new_name(const Binder *binder, Arena *arena, const AstName *name);
/* "X is not supported yet" */
Error *binder_unsupported(Span at, const char *what, ...) __attribute__((format(printf, 2, 3)));
RowPolicy binder_policy(const Binder *binder);   /* on_expr_error of queries */
const DialectRules *binder_rules(const Binder *binder);
/* The column as an expression. */
Expr *binder_column(Arena *arena, const Schema *schema, int column, Span at);
/* Explicit conversion; the expression itself if nothing is to do. */
Error *binder_cast(Arena *arena, Expr *expr, const Type *to, Expr **result);
/* Conversion to a target column: what SQL converts by itself, and narrowing of numbers, which may fail per row. */
Error *binder_assign(Binder *binder, Expr *expr, const Type *to, const char *column, Expr **result);
/* A type as written, in `arena`. */
Error *binder_type(Binder *binder, Arena *arena, const AstType *ast, const Type **type);
/* An expression over parameters alone, in `arena`: the body of a function. */
Error *binder_body(Binder *binder, Arena *arena, const LambdaScope *parameters, const AstExpr *ast, Expr **expr);
/* The value of an expression without columns. */
Error *binder_constant(Binder *binder, Expr *expr, Value *value);
/* A constant of a type, as written: LIMIT 3. */
Error *binder_literal(Binder *binder, const AstExpr *ast, const Type *to, const char *what, Value *value);
/* Projects; dead letters are noted if the policy says so. */
LogicalNode *binder_project(Binder *binder, const Relation *over, Expr **exprs, const Column *columns, int count, Span at);
/* Filters a relation by a condition that is bound over it. */
void binder_filter(Binder *binder, Relation *relation, Expr *predicate, Span at);
/* The node's bad rows go into a stream, or (letters) to the dead_letter_topic of a source. source: whose records they are; NULL: a query's rows. */
void binder_note_letters(Binder *binder, const char *stream, const CatalogEntry *letters, const char *source, LogicalNode *node);
/* TIMESTAMP <-> BIGINT milliseconds. */
Error *binder_to_ms(Arena *arena, Expr *timestamp, Expr **ms);
Error *binder_from_ms(Arena *arena, Expr *ms, Expr **timestamp);
void binder_use(Binder *binder, const char *name);
/* The properties of CREATE .. WITH that are neither a connector's nor a format's: of every stream, and of those over topics. */
const OptionSpec *bind_stream_options(void);
const OptionSpec *bind_message_option_table(void);
/* VALUES (..), (..); with a target its types and names. bind_from.c. */
Error *bind_values(Binder *binder, const AstExprs *rows, int row_count, Span at, const Schema *target, Relation *relation);

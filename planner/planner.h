/* planner/planner.h: statements -> plans and catalog changes. The room's door.
 *
 * A Planner belongs to one session: it holds the catalog, the session's settings and the pending job (every INSERT INTO and
 * CREATE .. AS with a connector since the last SELECT). It opens files only to infer schemas and runs nothing. */
#pragma once
#include "parser/ast.h"
#include "planner/plan.h"

typedef struct Planner Planner;
struct CatalogEntry;
typedef struct Catalog Catalog; /* planner/catalog.h */

typedef struct PlannerOptions {
    const ConnectorContext *connectors; /* file system, clock, base directory; outlives the planner */
    Catalog *catalog;                   /* NULL: one of its own, in memory */
} PlannerOptions;

Planner *planner_new(const PlannerOptions *options);
void planner_free(Planner *planner); /* NULL is fine */
/* A planner in the same state, to try statements on: the original, which must live longer, never learns of them. */
Planner *planner_copy(const Planner *planner);
/* From now on the copy does not ask what files and databases hold: a statement before this one would have written some of them. */
void planner_outside_changes(Planner *copy);
/* Statements are planned to see what is wrong with them, and are not run: a schema registry, say, keeps what they would delete. */
void planner_only_tries(Planner *copy);
bool planner_outside_changed(const Planner *copy);

/* To be called before the first statement of each text that is parsed by itself (a script, a line of the shell), and after coming
 * back from one that ran in between: spans of statements from other texts then never show as places in this one. Trees of statements
 * must live as long as the planner. */
void planner_begin_text(Planner *planner);

typedef enum PlannedKind {
    PLANNED_DONE,       /* the catalog was changed or nothing was to be done; `message` says what, for people */
    PLANNED_QUERY,      /* a top-level SELECT: run `plan` now; output 0's sink has no connector, its schema is the result's */
    PLANNED_JOB_PART,   /* joined the pending job: planner_job */
    PLANNED_ROWS,       /* DESCRIBE, SHOW, EXPLAIN: print `rows` */
    PLANNED_SETTING,    /* SET, UNSET: see `setting` */
    PLANNED_VARIABLE,   /* DEFINE, UNDEFINE: `variable`; the parser replaces ${name} */
    PLANNED_SHOW,       /* the caller's own: SHOW QUERIES, VARIABLES, PROPERTIES, LAG: `show` */
    PLANNED_SCRIPT,     /* RUN SCRIPT `path` */
    PLANNED_QUESTION,   /* EXPLAIN WHY NO OUTPUT: run `plan`, whose conditions are filters each, and say where its rows went */
    PLANNED_ASSERTION,  /* ASSERT VALUES: run `plan`, compare its changes with `expected` */
    PLANNED_TOPICS,     /* SHOW TOPICS, PRINT, ASSERT TOPIC: ask the broker, as `topics` says */
    PLANNED_AFTER_JOB   /* nothing happened: the statement reads what the pending job writes or changes what it reads. Run
                         * planner_job, then ask again */
} PlannedKind;

typedef struct PlannedRows {
    Schema schema;
    Value *rows;          /* row-major */
    int row_count;
    bool preformatted;    /* one VARCHAR column whose rows are lines of text: no table around them (EXPLAIN) */
} PlannedRows;

typedef enum PlannedTopicsKind { TOPICS_SHOW, TOPICS_PRINT, TOPICS_ASSERT } PlannedTopicsKind;

typedef struct PlannedStatement {
    PlannedKind kind;
    const char *message;
    Plan *plan;
    bool analyze;         /* EXPLAIN ANALYZE: run `plan`, drop its rows, then print explain_plan with the counters */
    PlannedRows rows;
    struct {
        const char *name, *value; /* value NULL: back to the default */
        Span name_at, value_at;
        bool all;                 /* RESET: every setting; the planner's have their defaults again */
        bool known;               /* it was one of the planner's and is set; else it is the caller's to know or refuse */
    } setting;
    struct { const char *name, *value; } variable; /* value NULL: forget it */
    AstShowKind show;
    const char *path;
    struct {
        PlannedTopicsKind kind;
        const void *options;      /* of connector 'kafka': how the broker is reached; of PRINT: what to read */
        const char *name;         /* of the topic; NULL: all */
        Span at;
        bool internal, extended;  /* SHOW ALL TOPICS EXTENDED */
        bool from_beginning;      /* PRINT .. */
        int64_t interval, limit;  /* .. limit -1: none */
        bool negated;             /* ASSERT NOT EXISTS .. */
        int64_t partitions, replicas; /* .. 0: any */
        Span partitions_at, replicas_at;
        int64_t timeout_us;       /* .. until it holds */
    } topics;
    struct { const void *options; const char *name; Span at; } make_topic, delete_topic; /* PLANNED_DONE: of CREATE .. WITH (partitions = n), of DROP ..
                                                                                          * DELETE TOPIC; name NULL: none */
    struct {
        const char *name;         /* of the stream or table */
        Value *rows; int row_count; /* row-major, as wide as the plan's result */
        Span *row_at;
        bool tombstones;          /* the next changes shall be rows that went */
        uint64_t *compared;       /* changes that earlier assertions have seen: goes on from there, and counts on */
    } expected;
} PlannedStatement;

/* Plans one statement. What *planned points to lives in `arena`. On error nothing has changed. The error may be a list. */
Error *planner_statement(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);

/* CREATE TABLE name WITH (..): what a query makes of `name` that writes INTO it while nothing of that name is there. The tree must live as long as
 * the planner. */
void planner_output(Planner *planner, const AstStatement *create);

/* Is anything waiting to run? */
/* The stream or table over a topic, the last one made; NULL: none. */
const struct CatalogEntry *planner_topic_entry(const Planner *planner, const char *topic);
/* The stream, table or view of that name; NULL: none. */
const struct CatalogEntry *planner_entry(const Planner *planner, const char *name);
/* Forgets what CREATE has just made, as something that belongs to it could not be had. */
void planner_forget(Planner *planner, const char *name);
/* Options of connector 'kafka' as SET says them for all topics, and as the entries say. ERR_BIND without a place. */
Error *planner_topic_options(Planner *planner, Arena *arena, const struct OptionEntry *entries, int count, const void **options);
/* The schema registry that SET names, or that of topics within the process; NULL: none. */
Error *planner_registry(Planner *planner, Arena *arena, SchemaRegistry **registry);
bool planner_job_pending(const Planner *planner);
/* One plan with an output for every pending statement, reading each source once; afterwards nothing is pending (also on error).
 * *plan is NULL if nothing was. */
Error *planner_job(Planner *planner, Arena *arena, Plan **plan);
/* Forgets the pending statements (Ctrl-C, --check). */
void planner_job_clear(Planner *planner);

/* ---- settings ---- */

typedef struct PlannerSetting {
    const char *name, *value, *default_value, *doc;
} PlannerSetting;

/* Sets one of the planner's settings (value NULL: its default); *known = false and no error if it has none of that name. */
Error *planner_set(Planner *planner, const char *name, const char *value, Span name_at, Span value_at, bool *known);
/* All have their defaults again. */
void planner_reset(Planner *planner);
/* All of them with their values of now, sorted; in `arena`. */
const PlannerSetting *planner_settings(const Planner *planner, Arena *arena, int *count);

/* ---- EXPLAIN, completion ---- */

/* The tree as people read it. Lines end in \n. */
void explain_plan(const Plan *plan, Text *text);
/* The same with what each edge carries: changes, keys, event times. EXPLAIN EXTENDED. */
void explain_edges(const Plan *plan, Text *text);
/* The same of a plan that has run: with what each node did, by id. */
void explain_run(const Plan *plan, const NodeCounters *counters, Text *text);
/* The text of one node without its inputs: "WindowAggregate TUMBLING 1 min by auction". For EXPLAIN ANALYZE's table. */
void explain_node(const PlanNode *node, Text *text);

/* Names of streams, tables, views (for completion), sorted; in `arena`. */
const char *const *planner_relation_names(const Planner *planner, Arena *arena, int *count);
/* The columns of a relation, or NULL. */
const Schema *planner_relation_schema(const Planner *planner, const char *name);

/* What may be typed somewhere. */
typedef enum PlannerNames {
    NAMES_RELATIONS,     /* streams, tables, views */
    NAMES_FUNCTIONS,     /* with those that users made */
    NAMES_TYPES,
    NAMES_SETTINGS,      /* the planner's */
    NAMES_PROPERTIES,    /* of WITH (..): every connector's and format's */
    NAMES_CONNECTORS,
    NAMES_FORMATS
} PlannerNames;
/* Sorted, each once; in `arena`. */
const char *const *planner_names(const Planner *planner, PlannerNames kind, Arena *arena, int *count);
/* "substring(VARCHAR, INT, ..) -> VARCHAR"; NULL: no such function. */
const char *planner_function_usage(const Planner *planner, Arena *arena, const char *name);

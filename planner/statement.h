/* planner/statement.h: statements with rows -> sink nodes; statements that define -> catalog. Private to the room. */
#pragma once
#include "planner/binder.h"
#include "planner/physical.h"
#include "planner/planner.h"

typedef struct PendingStatement {
    const AstStatement *statement;
    int text;
    PlannerSettings settings;
} PendingStatement;

struct Planner {
    const ConnectorContext *connectors;
    Catalog *catalog;
    bool owns_catalog;
    PlannerSettings settings;
    Arena arena;                /* strings of settings */
    int text;                   /* number of the text at hand */
    PendingStatement *pending;
    size_t pending_count, pending_capacity;
    bool in_set;                /* the statements of a STATEMENT SET are being planned */
    struct { const AstCreate **items; int count, capacity; } outputs; /* planner_output */
};

typedef struct Outputs { PhysicalOutput *items; int count, capacity; } Outputs;

/* Binds a statement with rows (SELECT, INSERT, CREATE .. AS) and adds its sinks. target: the entry that takes the rows; NULL for a
 * SELECT. *binder stays for what it learned: uses, sides. */
Error *statement_outputs(Binder *binder, const AstStatement *statement, CatalogEntry *target, Outputs *outputs);
/* Outputs into one target become one. */
void outputs_merge(Arena *arena, Outputs *outputs);
/* Adds the sink that writes the rows into the target. */
Error *statement_add_sink(Binder *binder, CatalogEntry *target, const Relation *rows, Span at, Outputs *outputs);
/* Do these columns tell the rows apart? */
bool traits_determine(const EdgeTraits *traits, const int *key, int key_count);
/* The target's columns that are written: without the computed ones. */
Schema statement_record_schema(Arena *arena, const CatalogEntry *target);
/* side_sinks.c: rows put aside into a stream that has a connector, or into a topic of dead letters: one more output each. */
Error *statement_side_sinks(Binder *binder, Span at, Outputs *outputs);
/* The query of a statement, or NULL. */
const AstQuery *statement_query(const AstStatement *statement);
/* SELECT .. INTO or INSERT INTO a name that is not there but was given to planner_output: the CREATE TABLE .. AS that makes it; else the statement. */
const AstStatement *statement_with_output(Planner *planner, const AstStatement *statement);
/* The name of the target of SELECT .. INTO, INSERT; NULL. */
const AstName *statement_target(const AstStatement *statement);

/* ---- define.c: CREATE, DROP, in-process INSERT ---- */
/* The statement with what LIKE takes from another one; without LIKE itself. */
Error *define_whole(Planner *planner, const AstStatement *statement, const AstStatement **whole);
Error *define_create(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);
Error *define_drop(Planner *planner, const AstStatement *statement, Arena *arena, PlannedStatement *planned);
Error *define_alter(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);
Error *define_function(Binder *binder, const AstCreate *create, CatalogEntry *entry); /* bind_function.c */
/* A function takes the place of another: if something calls it, parameters and result must stay. */
Error *check_callers(Planner *planner, const CatalogEntry *old, const CatalogEntry *entry, Span at);
/* Functions in SQL that call it are bound again. */
Error *define_callers(Planner *planner, Arena *arena, const CatalogEntry *changed);
/* bind_macro.c: the body of an aggregate in SQL. */
Error *bind_macro(Binder *binder, Arena *arena, const AstCreate *create, UserFunction *function);
Error *define_producer(Planner *planner, Binder *binder, const AstStatement *statement, CatalogEntry *target);
/* Catalog entries for what the statement puts aside (LATE INTO, dead_letter). */
Error *define_sides(Planner *planner, const Binder *binder, const AstStatement *statement);
/* Makes the entry of CREATE .. without putting it into the catalog; *binder is used. */
Error *define_entry(Planner *planner, Binder *binder, const AstStatement *statement, CatalogEntry **entry);
/* Does what was bound read something that ends and that the pending job writes? Then it comes after the job. `own`: what it writes itself. */
bool planner_reads_pending(Planner *planner, const Binder *binder, const char *own);
/* Adds to the pending job. */
void planner_push(Planner *planner, const AstStatement *statement);

/* ---- describe.c: SHOW, DESCRIBE ---- */
/* SHOW FUNCTIONS; `only`: the function of that name, no rows if there is none. */
void describe_functions(const Planner *planner, Arena *arena, const char *only, PlannedRows *rows);
Error *describe_statement(Planner *planner, Arena *arena, const AstStatement *statement, PlannedRows *rows);
/* One VARCHAR column of lines. */
void rows_from_text(Arena *arena, const char *column, const char *text, PlannedRows *rows);

/* The entry that takes the rows of an INSERT; ERR_BIND if it takes none. */
Error *statement_target_entry(Planner *planner, const AstName *name, CatalogEntry **target);
/* Its rows wait in the process for a reader: no connector takes them. */
bool is_process_target(const CatalogEntry *target);

/* ---- explained.c ---- */
Error *plan_explain(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);

/* ---- topics.c ---- */
/* CREATE .. WITH (partitions = n) makes the topic if it is missing, as ksqlDB does; what a query fills makes its topic as it begins to write. */
void plan_make_topic(const AstStatement *statement, const CatalogEntry *entry, PlannedStatement *planned);
Error *plan_show_topics(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);
Error *plan_print(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);
Error *plan_assert_topic(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);

/* ---- assert.c ---- */
Error *plan_assert(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned);

/* ---- settings.c ---- */
void settings_init(PlannerSettings *settings);

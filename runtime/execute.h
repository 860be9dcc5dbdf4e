/* runtime/execute.h: what the files that do statements share. Private to the room; everything here is under control. */
#pragma once
#include "runtime/runtime_internal.h"

/* The statements of one text on their way. */
typedef struct Execution {
    Runtime *runtime;
    RuntimeSession *session;
    const char *text; size_t length;
    const RuntimeOutput *output;
    const AstStatement *statement;    /* at hand */
    Arena scratch;
    struct { Query **items; int count, capacity; } started; /* they run when the text is done */
    const StoredStatement *restoring; /* the store has it already: nothing is opened, nobody is told */
} Execution;

Error *execute_text(Execution *execution, bool check_only, Span *failed);
Error *execution_status(Execution *execution, const char *type, const char *name, const char *action, const char *query_id, const char *message);
const char *execution_text(Execution *execution); /* of its statement, without its secrets */
const char *statement_sql(Arena *arena, const AstStatement *statement);
void end_query(Query *query);
TraceSpan *trace_statement(Execution *execution, TraceScope *scope); /* trace.c; ended by trace_end_with */

/* How the store knows what goes with an entry: relations, types and functions may share a name. */
const char *entity_key(Arena *arena, CatalogSpace space, const char *name);

/* ---- insert.c ---- */
Error *execute_values(Execution *execution);

/* ---- verbs.c: TERMINATE, PAUSE, RESUME ---- */
Error *execute_verb(Execution *execution);

/* ---- show.c ---- */
Error *show_rows(Execution *execution, const PlannedRows *rows);
Error *show_own(Execution *execution, AstShowKind show);
Error *show_query(Execution *execution);
/* A plan, line by line. */
Error *show_lines(Execution *execution, const char *text, const char *query_id);

/* ---- analyze.c ---- */
#define ANALYZE_US 10000000 /* how long EXPLAIN ANALYZE runs at most, unless the session says otherwise */
#define ANALYZE_MOST_US 300000000
/* Control is given up meanwhile. */
Error *execute_analyze(Execution *execution, const PlannedStatement *planned, bool why);

/* ---- topics.c ---- */
/* SHOW TOPICS, ASSERT TOPIC. */
Error *execute_topics(Execution *execution, const PlannedStatement *planned);
/* Topics that the statement makes or deletes. */
Error *change_topics(Execution *execution, const PlannedStatement *planned);

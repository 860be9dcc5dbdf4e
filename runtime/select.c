/* runtime/select.c: SELECT: pull queries on the caller's thread, push queries in the background. */
#include <string.h>

#include "engine/print.h"
#include "runtime/execute.h"
#include "runtime/prepared.h"

/* ---- planning ---- */

typedef struct Select {
    RuntimeSession *session;
    Runtime *runtime;
    const char *text; size_t length;
    const QueryOptions *options;
    Arena *arena;              /* of the heap: the tree, the plan; the query's once there is one */
    const AstStatement *statement;
    PlannedStatement planned;
    Query *query;
} Select;

static Error *plan_select(Select *select)
{
    AstScript script = { 0 };
    TRY(runtime_session_parse(select->session, select->arena, select->text, select->length, &script));
    const AstStatementKind kind = script.statement_count == 1 ? script.statements[0]->kind : AST_STMT_SET;
    if (kind != AST_STMT_PRINT && (kind != AST_STMT_QUERY || ast_query_into(script.statements[0]->query)))
        return error_at(ERR_BIND, script.statement_count ? script.statements[0]->at : SPAN_NONE, "one SELECT is expected here, and nothing else");
    select->statement = script.statements[0];
    TRY(session_begin(select->session));
    planner_begin_text(select->runtime->planner);
    return planner_statement(select->runtime->planner, select->arena, select->statement, &select->planned);
}

static void drop_arena(Select *select)
{
    if (select->arena)
        arena_release(select->arena);
    mem_free(select->arena);
    select->arena = NULL;
}

/* Columns of the result that are columns of a table's key, passed on as they are. */
static void mark_keys(Query *query)
{
    const Plan *plan = query->plan;
    for (int i = 0; i < query->schema.column_count; i++) {
        int column = i;
        const PlanNode *node = plan->outputs[0].sink->inputs[0].node;
        for (; column >= 0 && node->input_count == 1; node = node->inputs[0].node)
            if (node->kind == PLAN_PROJECT)
                column = node->project.exprs[column]->kind == EXPR_COLUMN ? node->project.exprs[column]->column : -1;
            else if (node->kind != PLAN_FILTER && node->kind != PLAN_WATERMARK && node->kind != PLAN_LIMIT && node->kind != PLAN_SORT)
                column = -1;
        query->schema.columns[i].is_key = column >= 0 && node->kind == PLAN_SCAN && node->scan.connector == &process_connector && node->schema.columns[column].is_key;
    }
}

/* The query takes over the arena. */
static void make_query(Select *select)
{
    Runtime *runtime = select->runtime;
    const char *id = arena_printf(select->arena, "transient_%llu", (unsigned long long)++runtime->next_push);
    Query *query = query_new(runtime, select->arena, select->planned.plan, id, statement_sql(select->arena, select->statement), false);
    select->arena = NULL;
    query->schema = *schema_copy(query->arena, &query->plan->outputs[0].sink->schema);
    mark_keys(query);
    select->query = query;
}

/* ---- push ---- */

static Error *limit_subscriptions(const Select *select)
{
    const Runtime *runtime = select->runtime;
    if (runtime->subscription_count < runtime->options.max_subscriptions)
        return NULL;
    return error_hint(error_at(ERR_UNSUPPORTED, select->statement->at, "%d subscriptions are open: that is the limit", runtime->subscription_count), "close one first");
}

static Error *start_push(Select *select, Subscription **subscription)
{
    TRY(limit_subscriptions(select));
    make_query(select);
    Query *query = select->query;
    share_prepare(query, select->session, select->statement);
    Query *shared = share_find(query);
    if (shared) {
        *subscription = feed_subscribe(shared, query->id, select->options);
        return NULL;
    }
    TRY(query_open(query, !select->session->from_now));
    *subscription = feed_subscribe(query, query->id, select->options);
    select->query = NULL;
    query_link(query);
    share_announce(query);
    task_start(query);
    return NULL;
}

/* ---- PRINT ---- */

/* A broker is asked whether there is such a topic: nobody else waits for that. */
static Error *check_topic(Select *select)
{
    Runtime *runtime = select->runtime;
    Error *error;
    const CatalogEntry *entry = planner_entry(runtime->planner, select->planned.topics.name);
    pthread_mutex_unlock(&runtime->control);
    MEMORY_GUARDED(error, topic_print_check(select->arena, &runtime->connectors, &select->planned, entry));
    pthread_mutex_lock(&runtime->control);
    if (error && error->at.length)
        error->code = ERR_BIND; /* there is a broker, and no such topic */
    return error;
}

static Error *start_print(Select *select, Subscription **subscription)
{
    Runtime *runtime = select->runtime;
    SchemaRegistry *registry = NULL;
    TRY(limit_subscriptions(select));
    TRY(planner_registry(runtime->planner, select->arena, &registry));
    TRY(check_topic(select));
    const char *id = arena_printf(select->arena, "transient_%llu", (unsigned long long)++runtime->next_push);
    const PlannedStatement *planned = arena_copy(select->arena, &select->planned, sizeof select->planned);
    Query *query = select->query = query_new(runtime, select->arena, NULL, id, statement_sql(select->arena, select->statement), false);
    select->arena = NULL;
    query->prints = true;
    query->schema = *topic_print_schema();
    *subscription = feed_subscribe(query, query->id, select->options);
    query_link(query);
    select->query = NULL;
    Error *error = print_start(query, planned, registry);
    if (error)
        feed_end(query, error);
    return NULL;
}

/* ---- pull ---- */

/* JobOptions.on_rows */
Error *pull_rows(void *caller, int output, const Batch *batch)
{
    const Query *query = caller;
    (void)output;
    return query->pull->rows && batch->selection.count ? query->pull->rows(query->pull->caller, batch) : NULL;
}

/* Everything that it gives; the tables' rows are its own since it was opened, so nobody waits for it. */
static Error *run_pull(Query *query)
{
    QueryHeader header = { .id = query->id, .schema = &query->schema, .updating = query->plan->outputs[0].updating };
    if (query->pull->begin)
        TRY(query->pull->begin(query->pull->caller, &header));
    Error *error = job_run(query->job);
    if (error && error->code == ERR_CLOSED) { /* the reader has had enough */
        error_free(error);
        error = NULL;
    }
    return error;
}

/* ---- its end before its time ---- */

void query_stop_init(QueryStop *stop)
{
    *stop = (QueryStop){ .job = NULL };
    pthread_mutex_init(&stop->lock, NULL);
}

void query_stop_release(QueryStop *stop) { pthread_mutex_destroy(&stop->lock); }

void query_stop(QueryStop *stop)
{
    pthread_mutex_lock(&stop->lock);
    stop->stopped = true;
    if (stop->job)
        job_stop(stop->job);
    pthread_mutex_unlock(&stop->lock);
}

/* False: it is not to run. */
static bool may_run(QueryStop *stop, Job *job)
{
    if (!stop)
        return true;
    pthread_mutex_lock(&stop->lock);
    bool may = !stop->stopped;
    stop->job = may ? job : NULL;
    pthread_mutex_unlock(&stop->lock);
    return may;
}

static Error *run_stoppable(Query *query)
{
    QueryStop *stop = query->pull->stop;
    Error *error = NULL;
    if (!may_run(stop, query->job))
        return error_new(ERR_INTERRUPTED, "the query was stopped");
    MEMORY_GUARDED(error, run_pull(query));
    may_run(stop, NULL);
    return error;
}

static Error *prepare(Select *select, Subscription **subscription)
{
    uint64_t changes = select->runtime->catalog->changes;
    TRY(plan_select(select));
    if (select->planned.kind == PLANNED_TOPICS)
        return start_print(select, subscription);
    if (select->runtime->catalog->changes != changes) /* a name that outlives it */
        return error_at(ERR_UNSUPPORTED, select->statement->at, "a query that puts rows aside is made by INSERT INTO or CREATE .. AS in a server");
    if (!select->planned.plan || select->planned.kind != PLANNED_QUERY)
        return error_at(ERR_BIND, select->statement->at, "one SELECT is expected here, and nothing else");
    if (!select->planned.plan->bounded)
        return start_push(select, subscription);
    make_query(select);
    select->query->pull = select->options;
    TRY(query_open(select->query, true));
    return prepared_learn(select->session, select->text, select->length, select->query);
}

static Error *make_arena(Select *select)
{
    select->arena = mem_calloc(1, sizeof *select->arena);
    arena_init(select->arena, NULL);
    return NULL;
}

static Error *query_select(RuntimeSession *session, const char *text, size_t length, const QueryOptions *options, Subscription **subscription)
{
    Runtime *runtime = session->runtime;
    Select select = { .session = session, .runtime = runtime, .text = text, .length = length, .options = options };
    Error *error;
    bool answered = false;
    *subscription = NULL;
    MEMORY_GUARDED(error, prepared_answer(session, text, length, options, &answered));
    runtime->pull_count += answered;
    if (error || answered)
        return error;
    MEMORY_GUARDED(error, make_arena(&select));
    if (error)
        return error;
    pthread_mutex_lock(&runtime->control);
    MEMORY_GUARDED(error, prepare(&select, subscription));
    runtime->pull_count += !error && !*subscription;
    pthread_mutex_unlock(&runtime->control);
    if (select.query && !error && !*subscription)
        error = run_stoppable(select.query);
    query_release(select.query);
    drop_arena(&select);
    return error;
}

Error *runtime_query(RuntimeSession *session, const char *text, size_t length, const QueryOptions *options, Subscription **subscription)
{
    TraceScope scope;
    TraceSpan *span = trace_select(session->runtime, text, length, &scope);
    Error *error = query_select(session, text, length, options, subscription);
    if (!error)
        trace_text(span, "bidsql.query.type", *subscription ? "push" : "pull");
    if (*subscription)
        trace_text(span, "bidsql.query.id", subscription_header(*subscription)->id);
    trace_end_with(span, &scope, error);
    return error;
}

/* planner/planner.c: the door: one statement at a time, and the job that INSERTs make together. */
#include "planner/planner.h"
#include <assert.h>
#include "planner/explain.h"
#include "planner/statement.h"

Planner *planner_new(const PlannerOptions *options)
{
    Planner *planner = mem_calloc(1, sizeof *planner);
    MEMORY_HOLD(mem_free, planner);
    planner->connectors = options->connectors;
    arena_init(&planner->arena, NULL);
    settings_init(&planner->settings);
    planner->catalog = options->catalog;
    if (!planner->catalog) {
        planner->catalog = catalog_new_memory();
        planner->owns_catalog = true;
    }
    return planner;
}

Planner *planner_copy(const Planner *planner)
{
    Planner *copy = mem_calloc(1, sizeof *copy);
    MEMORY_HOLD(mem_free, copy);
    copy->connectors = planner->connectors;
    copy->settings = planner->settings;
    copy->text = planner->text;
    arena_init(&copy->arena, NULL);
    copy->catalog = catalog_copy(planner->catalog);
    copy->owns_catalog = true;
    for (int i = 0; i < planner->outputs.count; i++)
        LIST_ADD(&copy->arena, &copy->outputs, planner->outputs.items[i]);
    return copy;
}

void planner_output(Planner *planner, const AstStatement *create) { LIST_ADD(&planner->arena, &planner->outputs, create->create); }

void planner_outside_changes(Planner *copy) { copy->catalog->outside_unknown = true; }
void planner_only_tries(Planner *copy) { copy->catalog->trial = true; }
bool planner_outside_changed(const Planner *copy) { return copy->catalog->outside_unknown; }

void planner_free(Planner *planner)
{
    if (!planner)
        return;
    if (planner->owns_catalog)
        catalog_free(planner->catalog);
    mem_free(planner->pending);
    arena_release(&planner->arena);
    mem_free(planner);
}

void planner_reset(Planner *planner) { settings_init(&planner->settings); }

void planner_begin_text(Planner *planner) { planner->text++; }

const char *const *planner_relation_names(const Planner *planner, Arena *arena, int *count)
{
    return catalog_relation_names(planner->catalog, arena, count);
}

const Schema *planner_relation_schema(const Planner *planner, const char *name)
{
    const CatalogEntry *entry = planner->catalog->find(planner->catalog, name, false);
    return entry ? &entry->schema : NULL;
}

/* ---- the pending job ---- */

/* Room first, so that without memory nothing has changed yet. */
static void planner_reserve(Planner *planner, size_t more)
{
    planner->pending = mem_grow(planner->pending, &planner->pending_capacity, planner->pending_count + more, sizeof *planner->pending);
}

void planner_push(Planner *planner, const AstStatement *statement)
{
    assert(planner->pending_count < planner->pending_capacity);
    planner->pending[planner->pending_count++] = (PendingStatement){ statement, planner->text, planner->settings };
}

const CatalogEntry *planner_topic_entry(const Planner *planner, const char *topic)
{
    Arena arena;
    arena_init(&arena, NULL);
    int count = 0;
    const CatalogEntry *last = NULL;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, &arena, &count);
    for (int i = 0; i < count; i++) {
        const CatalogSource *source = entries[i]->source;
        const char *name = source && source->connector ? connector_topic(source->connector, source->connector_options) : NULL;
        bool later = !last || entries[i]->text > last->text || (entries[i]->text == last->text && entries[i]->at.start > last->at.start);
        if (name && strcmp(name, topic) == 0 && later)
            last = entries[i];
    }
    arena_release(&arena);
    return last;
}

const CatalogEntry *planner_entry(const Planner *planner, const char *name) { return planner->catalog->find(planner->catalog, name, false); }

void planner_forget(Planner *planner, const char *name)
{
    const CatalogEntry *entry = planner->catalog->find(planner->catalog, name, SPACE_RELATIONS);
    if (entry)
        error_free(planner->catalog->remove(planner->catalog, entry));
}

bool planner_job_pending(const Planner *planner) { return planner->pending_count > 0; }
void planner_job_clear(Planner *planner) { planner->pending_count = 0; }

static Error *pending_target(Planner *planner, const AstStatement *statement, CatalogEntry **target)
{
    const AstName *name = statement_target(statement);
    return catalog_get(planner->catalog, name ? name : &statement->create->name, target);
}

Error *planner_job(Planner *planner, Arena *arena, Plan **plan)
{
    *plan = NULL;
    size_t count = planner->pending_count;
    planner->pending_count = 0;
    if (count == 0)
        return NULL;
    Outputs outputs = { 0 };
    for (size_t i = 0; i < count; i++) {
        PendingStatement *pending = arena_copy(arena, &planner->pending[i], sizeof *pending);
        Binder binder;
        CatalogEntry *target = NULL;
        TRY(pending_target(planner, pending->statement, &target));
        binder_init(&binder, arena, planner->catalog, &pending->settings, planner->connectors, pending->text);
        int first = outputs.count;
        TRY(statement_outputs(&binder, pending->statement, target, &outputs));
        if (pending->text != planner->text) /* places of another text mean nothing here */
            for (int o = first; o < outputs.count; o++)
                logical_replace_spans(arena, main_port(outputs.items[o].sink), SPAN_NONE);
    }
    outputs_merge(arena, &outputs);
    TRY(physical_plan(arena, &planner->settings, outputs.items, outputs.count, plan));
    return NULL;
}

/* ---- statements ---- */

const AstStatement *statement_with_output(Planner *planner, const AstStatement *statement)
{
    Arena *arena = &planner->catalog->arena;
    const AstName *name = statement_query(statement) ? statement_target(statement) : NULL;
    if (!name || statement->columns.count || statement->overwrite || planner->catalog->find(planner->catalog, name->text, false))
        return statement;
    for (int i = planner->outputs.count - 1; i >= 0; i--) {
        if (!name_equal(planner->outputs.items[i]->name.text, name->text))
            continue;
        AstQuery *query = arena_copy(arena, statement_query(statement), sizeof *query);
        AstCreate *create = arena_copy(arena, planner->outputs.items[i], sizeof *create);
        AstStatement *changed = arena_copy(arena, statement, sizeof *changed);
        create->name = *name;
        for (int p = 0; p < create->with.count; p++) /* its places are in no text that is shown */
            create->with.items[p].name_at = create->with.items[p].value_at = name->at;
        AstQuery *first = query; /* the SELECT that says INTO */
        for (; first->kind == AST_SET_OPERATION; first = first->left)
            first->left = arena_copy(arena, first->left, sizeof *first);
        first->into = (AstName){ 0 };
        create->query = query;
        *changed = (AstStatement){ .kind = AST_STMT_CREATE_AS, .at = statement->at, .create = create };
        return changed;
    }
    return statement;
}

bool is_process_target(const CatalogEntry *target) { return target->origin == ORIGIN_PROCESS || takes_appended(target); }

Error *statement_target_entry(Planner *planner, const AstName *name, CatalogEntry **target)
{
    TRY(catalog_get(planner->catalog, name, target));
    if ((*target)->read_only)
        return error_at(ERR_BIND, name->at, "'%s' is a source: it is read only", (*target)->name);
    if ((*target)->source && (*target)->source->rows && !(*target)->source->inserted && (*target)->kind == CATALOG_TABLE)
        return error_at(ERR_BIND, name->at, "'%s' is a table: its query alone fills it", (*target)->name);
    if ((*target)->origin == ORIGIN_CONNECTOR || is_process_target(*target))
        return NULL;
    return error_at(ERR_BIND, name->at, "'%s' is %s: rows cannot be inserted", (*target)->name,
                    (*target)->origin == ORIGIN_SIDE ? "filled with rows that queries put aside" : (*target)->kind == CATALOG_VIEW ? "a view" : "a table: its query alone fills it");
}

static Error *plan_select(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    Binder binder;
    if (planner->pending_count) { /* what it reads may be what the job writes */
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    Outputs outputs = { 0 };
    binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
    TRY(statement_outputs(&binder, statement, NULL, &outputs));
    TRY(define_sides(planner, &binder, statement)); /* the rewrites of physical_plan renumber the columns that sides name */
    outputs_merge(arena, &outputs);
    TRY(physical_plan(arena, &planner->settings, outputs.items, outputs.count, &planned->plan));
    planned->kind = PLANNED_QUERY;
    return NULL;
}

/* Another entry over the topic that `target` writes, which is read to its present end? */
static bool reads_topic_of(const Planner *planner, const char *name, const CatalogEntry *target)
{
    const CatalogEntry *used = planner->catalog->find(planner->catalog, name, SPACE_RELATIONS);
    const char *topic = target->source->connector ? connector_topic(target->source->connector, target->source->connector_options) : NULL;
    return topic && used && used->source && used->source->bounded && used->source->connector &&
           connector_reads_topic(used->source->connector, used->source->connector_options, topic);
}

bool planner_reads_pending(Planner *planner, const Binder *binder, const char *own)
{
    for (size_t i = 0; i < planner->pending_count; i++) {
        CatalogEntry *target = NULL;
        Error *gone = pending_target(planner, planner->pending[i].statement, &target);
        error_free(gone);
        if (gone || !target->source || name_equal(target->name, own))
            continue;
        for (int u = 0; u < binder->uses.count; u++)
            if (target->source->bounded ? name_equal(binder->uses.items[u], target->name) : reads_topic_of(planner, binder->uses.items[u], target))
                return true;
    }
    return false;
}

static Error *plan_insert(Planner *planner, Arena *arena, const AstStatement *statement, bool check_only, PlannedStatement *planned)
{
    const AstName *name = statement_target(statement);
    CatalogEntry *target = NULL;
    Binder binder;
    for (int i = 0; i < statement->properties.count; i++) /* ksqlDB's name of the query: a job that runs while nothing else does needs none */
        if (!option_name_equal(statement->properties.items[i].name, "query_id"))
            return error_hint(error_at(ERR_BIND, statement->properties.items[i].name_at, "INSERT takes no property '%s'", statement->properties.items[i].name), "QUERY_ID is one");
    if (statement->kind == AST_STMT_QUERY && !planner->catalog->find(planner->catalog, name->text, false)) {
        Error *missing = catalog_get(planner->catalog, name, &target);
        return missing->hint ? missing : error_hint(missing, "CREATE it, or give --output %s=PATH", name->text);
    }
    TRY(statement_target_entry(planner, name, &target));
    if (statement->overwrite && target->origin == ORIGIN_CONNECTOR && strcmp(target->source->connector->name, "file") != 0)
        return error_hint(error_at(ERR_BIND, name->at, "INSERT OVERWRITE writes files anew, '%s' is no file but '%s'", target->name, target->source->connector->name), "INSERT INTO");
    if (is_process_target(target)) {
        binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
        if (statement->overwrite)
            return error_hint(error_at(ERR_BIND, name->at, "'%s' is a stream: its rows are not overwritten", target->name), "INSERT INTO");
        if (!check_only)
            TRY(define_producer(planner, &binder, statement, target));
        planned->kind = PLANNED_DONE;
        planned->message = arena_printf(arena, "'%s' takes the rows of this query", target->name);
        return NULL;
    }
    Outputs outputs = { 0 };
    binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
    TRY(statement_outputs(&binder, statement, target, &outputs));
    if (check_only)
        return NULL;
    if (!planner->in_set && planner_reads_pending(planner, &binder, target->name)) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    TRY(define_sides(planner, &binder, statement));
    planner_push(planner, statement);
    planned->kind = PLANNED_JOB_PART;
    return NULL;
}

static Error *plan_set(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    planner->in_set = true; /* its statements are one job */
    for (int pass = 0; pass < 2 && !errors; pass++)
        for (int i = 0; i < statement->statements.count; i++) {
            const AstStatement *inner = statement->statements.items[i];
            if (!statement_target(inner))
                errors = error_append(errors, error_at(ERR_BIND, inner->at, "a statement set holds INSERT INTO only"));
            else
                errors = error_append(errors, plan_insert(planner, arena, inner, pass == 0, planned));
        }
    planner->in_set = false;
    if (!errors)
        planned->kind = planner->pending_count ? PLANNED_JOB_PART : PLANNED_DONE;
    return errors;
}

static Error *plan_setting(Planner *planner, const AstStatement *statement, PlannedStatement *planned)
{
    bool all = statement->all || (statement->properties.count && name_equal(statement->properties.items[0].name, "all"));
    planned->kind = PLANNED_SETTING;
    if (statement->kind == AST_STMT_UNSET && all) {
        settings_init(&planner->settings);
        planned->setting.known = planned->setting.all = true;
        return NULL;
    }
    bool unset = statement->kind == AST_STMT_UNSET;
    if (statement->properties.count) {
        const OptionEntry *entry = &statement->properties.items[0];
        planned->setting.name = entry->name;
        planned->setting.value = unset ? NULL : entry->value;
        planned->setting.name_at = entry->name_at;
        planned->setting.value_at = entry->value_at.length ? entry->value_at : entry->name_at;
    } else {
        planned->setting.name = statement->name.text;
        planned->setting.name_at = planned->setting.value_at = statement->name.at;
    }
    if (!planned->setting.name)
        return binder_unsupported(statement->at, unset ? "RESET of all settings" : "SET without a name");
    return planner_set(planner, planned->setting.name, planned->setting.value, planned->setting.name_at, planned->setting.value_at, &planned->setting.known);
}

Error *planner_statement(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    *planned = (PlannedStatement){ .kind = PLANNED_DONE, .message = "" };
    statement = statement_with_output(planner, statement);
    planner_reserve(planner, (size_t)statement->statements.count + 1);
    switch (statement->kind) {
    case AST_STMT_QUERY:
        if (statement_target(statement))
            return plan_insert(planner, arena, statement, false, planned);
        return plan_select(planner, arena, statement, planned);
    case AST_STMT_CREATE_SOURCE:
    case AST_STMT_CREATE_AS:
    case AST_STMT_CREATE_VIEW:
    case AST_STMT_CREATE_TYPE:
    case AST_STMT_CREATE_FUNCTION:
        return define_create(planner, arena, statement, planned);
    case AST_STMT_INSERT_QUERY:
    case AST_STMT_INSERT_VALUES:
        return plan_insert(planner, arena, statement, false, planned);
    case AST_STMT_STATEMENT_SET:
        return plan_set(planner, arena, statement, planned);
    case AST_STMT_DROP:
        return define_drop(planner, statement, arena, planned);
    case AST_STMT_ALTER:
        return define_alter(planner, arena, statement, planned);
    case AST_STMT_DESCRIBE:
    case AST_STMT_DESCRIBE_FUNCTION:
        planned->kind = PLANNED_ROWS;
        return describe_statement(planner, arena, statement, &planned->rows);
    case AST_STMT_SHOW:
        if (statement->like && statement->show > AST_SHOW_VIEWS && statement->show != AST_SHOW_FUNCTIONS && statement->show != AST_SHOW_TYPES)
            return error_at(ERR_UNSUPPORTED, statement->at, "LIKE picks from streams, tables, views, functions and types");
        if (statement->show == AST_SHOW_QUERIES || statement->show == AST_SHOW_VARIABLES || statement->show == AST_SHOW_PROPERTIES || statement->show == AST_SHOW_LAG) {
            planned->kind = PLANNED_SHOW;
            planned->show = statement->show;
            return NULL;
        }
        if (statement->show == AST_SHOW_TOPICS)
            return plan_show_topics(planner, arena, statement, planned);
        planned->kind = PLANNED_ROWS;
        return describe_statement(planner, arena, statement, &planned->rows);
    case AST_STMT_EXPLAIN:
        return plan_explain(planner, arena, statement, planned);
    case AST_STMT_SET:
    case AST_STMT_UNSET:
        return plan_setting(planner, statement, planned);
    case AST_STMT_DEFINE:
    case AST_STMT_UNDEFINE:
        planned->kind = PLANNED_VARIABLE;
        planned->variable.name = statement->properties.count ? statement->properties.items[0].name : statement->name.text;
        planned->variable.value = statement->kind == AST_STMT_DEFINE && statement->properties.count ? statement->properties.items[0].value : NULL;
        return NULL;
    case AST_STMT_RUN_SCRIPT:
        planned->kind = PLANNED_SCRIPT;
        planned->path = statement->path;
        return NULL;
    case AST_STMT_TERMINATE: return binder_unsupported(statement->at, "TERMINATE");
    case AST_STMT_PAUSE: return binder_unsupported(statement->at, "PAUSE");
    case AST_STMT_RESUME: return binder_unsupported(statement->at, "RESUME");
    case AST_STMT_PRINT: return plan_print(planner, arena, statement, planned);
    case AST_STMT_ASSERT: return plan_assert(planner, arena, statement, planned);
    case AST_STMT_CONNECTOR: return error_at(ERR_UNSUPPORTED, statement->at, "Kafka Connect statements are not supported: there is no Connect cluster here");
    }
    return NULL;
}

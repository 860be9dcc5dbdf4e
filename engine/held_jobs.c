/* engine/held_jobs.c: jobs that wait for session_run_held, and what is known of the topics that they read and write. */
#include "engine/session_internal.h"
#include "planner/catalog.h"

static void free_job(HeldJob *job)
{
    arena_release(job->arena);
    mem_free(job->arena);
}

void session_free_held(Session *session)
{
    for (int i = 0; i < session->held.count; i++)
        free_job(&session->held.items[i]);
}

Error *session_hold(Session *session, const AstStatement *statement)
{
    HeldJob job = { .arena = mem_calloc(1, sizeof(Arena)), .defines = statement->kind == AST_STMT_CREATE_AS };
    job.target = statement->kind == AST_STMT_CREATE_AS ? statement->create->name.text : statement->name.text;
    arena_init(job.arena, &session->pool);
    Plan *plan = NULL;
    Error *error = planner_job(session->planner, job.arena, &plan);
    job.plan = plan;
    if (error || !plan) {
        free_job(&job);
        return error;
    }
    for (int i = 0; i < session->held.count; i++)
        if (job.defines && session->held.items[i].defines && name_equal(session->held.items[i].target, job.target)) {
            free_job(&session->held.items[i]);
            session->held.items[i] = job;
            return NULL;
        }
    LIST_ADD(&session->arena, &session->held, job);
    return NULL;
}

Error *session_run_held(Session *session, const SessionOutput *output)
{
    Error *error = NULL;
    for (int i = 0; i < session->held.count && !error; i++)
        error = session_run_plan(session, session->held.items[i].plan, output);
    return error;
}

static Error *topic_info(Session *session, const CatalogEntry *entry, TopicInfo *info)
{
    const CatalogSource *source = entry->source;
    Schema *const parts[] = { &info->key, &info->value };
    *info = (TopicInfo){ .name = entry->name, .is_table = entry->kind == CATALOG_TABLE, .read_only = entry->read_only, .key_format = source->key_format->name, .value_format = source->format->name,
                         .window = source->key_window, .window_size_us = source->key_window_size_us };
    const RegistryOptions *keys = format_registry(source->key_format, source->key_format_options), *values = format_registry(source->format, source->format_options);
    info->key_schema_name = keys ? keys->full_name : NULL;
    info->value_schema_name = values ? values->full_name : NULL;
    for (int p = 0; p < 2; p++)
        parts[p]->columns = ARENA_ARRAY(&session->arena, Column, (size_t)entry->column_count + 1);
    for (int k = 0; k < entry->key_count; k++)
        if (entry->columns[entry->key_columns[k]].part == RECORD_KEY)
            info->key.columns[info->key.column_count++] = entry->schema.columns[entry->key_columns[k]];
    for (int i = 0; i < entry->column_count; i++)
        if (entry->columns[i].part == RECORD_VALUE && !entry->columns[i].computed)
            info->value.columns[info->value.column_count++] = entry->schema.columns[i];
    return NULL;
}

static bool find_info(Session *session, const CatalogEntry *entry, TopicInfo *info)
{
    Error *error = NULL;
    if (entry)
        MEMORY_GUARDED(error, topic_info(session, entry, info));
    bool known = entry && !error;
    error_free(error);
    return known;
}

bool session_topic(Session *session, const char *topic, TopicInfo *info)
{
    return find_info(session, planner_topic_entry(session->planner, topic), info);
}

bool session_source(Session *session, const char *name, TopicInfo *info)
{
    const CatalogEntry *entry = planner_entry(session->planner, name);
    return find_info(session, entry && entry->source && entry->source->key_format ? entry : NULL, info);
}

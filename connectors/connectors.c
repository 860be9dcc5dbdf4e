/* connectors/connectors.c: the registry: one line a connector. */
#include "connectors/connectors_internal.h"
#include "connectors/file.h"

#include <string.h>

static const ConnectorType *const connectors[] = {
    &file_connector,
    &stdout_connector,
    &blackhole_connector,
    &nexmark_connector,
    &datagen_connector,
    &sqlite_connector,
    &timed_connector,
    &kafka_connector,
};

const ConnectorType *const *connectors_all(int *count)
{
    *count = (int)(sizeof connectors / sizeof *connectors);
    return connectors;
}

const ConnectorType *connector_find(const char *name)
{
    int count;
    const ConnectorType *const *all = connectors_all(&count);
    for (int i = 0; i < count; i++) {
        if (option_name_equal(all[i]->name, name))
            return all[i];
        for (int a = 0; all[i]->aliases && all[i]->aliases[a]; a++)
            if (option_name_equal(all[i]->aliases[a], name))
                return all[i];
    }
    return NULL;
}

void source_unwind(void *what)
{
    Source *source = what;
    source->spec->connector->source->close(source);
}

const char *connector_path(const ConnectorType *connector, const void *options)
{
    return connector == &file_connector && options ? ((const FileOptions *)options)->path : NULL;
}

Error *connector_writes_input(Arena *arena, const ConnectorContext *context, const SourceSpec *source, const SinkSpec *sink, bool *writes)
{
    FileSystem *fs = context->filesystem;
    const char *pattern = connector_path(source->connector, source->options), *target = connector_path(sink->connector, sink->options);
    *writes = false;
    if (!pattern || !target || sink->partition_count || strcmp(pattern, "-") == 0)
        return NULL;
    FileInfo target_info;
    TRY(fs->info(fs, connector_resolve_path(arena, context, target), &target_info));
    const char *const *paths = NULL;
    int count = 0;
    if (target_info.is_regular)
        TRY(fs->glob(fs, arena, connector_resolve_path(arena, context, pattern), &paths, &count));
    for (int i = 0; i < count && !*writes; i++) {
        FileInfo info;
        TRY(fs->info(fs, paths[i], &info));
        *writes = info.exists && info.device == target_info.device && info.inode == target_info.inode;
    }
    return NULL;
}

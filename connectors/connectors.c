/* connectors/connectors.c: the registry: one line a connector. */
#include "connectors/connectors_internal.h"
#include "connectors/file.h"

static const ConnectorType *const connectors[] = {
    &file_connector,
    &stdout_connector,
    &blackhole_connector,
    &nexmark_connector,
    &datagen_connector,
    &sqlite_connector,
    &timed_connector,
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

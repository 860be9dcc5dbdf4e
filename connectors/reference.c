/* connectors/reference.c: values that stand elsewhere: '${env:NAME}' and '${file:PATH}' keep passwords and keys out of statements. */
#include "connectors/reference.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/file.h"

static Error *read_file(const ConnectorContext *context, const char *path, Text *value)
{
    FileSystem *fs = context->filesystem;
    int handle;
    TRY(fs->open_read(fs, path, &handle));
    char bytes[4096];
    size_t done = 0;
    Error *error;
    do {
        error = fs->read_next(fs, handle, bytes, sizeof bytes, &done);
        text_add(value, bytes, error ? 0 : done);
    } while (!error && done && value->length < 1 << 20);
    explicit_bzero(bytes, sizeof bytes);
    fs->close(fs, handle);
    while (value->length && (value->bytes[value->length - 1] == '\n' || value->bytes[value->length - 1] == '\r'))
        value->length--;
    return error;
}

Error *connector_resolve_value(const ConnectorContext *context, const char *written, Text *value)
{
    size_t length = strlen(written);
    bool env = strncmp(written, "${env:", 6) == 0, file = strncmp(written, "${file:", 7) == 0;
    if ((!env && !file) || written[length - 1] != '}') {
        text_add(value, written, length);
        return NULL;
    }
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = NULL;
    const char *name = arena_printf(&arena, "%.*s", (int)(length - (env ? 7 : 8)), written + (env ? 6 : 7));
    const char *found = env ? getenv(name) : NULL;
    if (file)
        error = read_file(context, connector_resolve_path(&arena, context, name), value);
    else if (found)
        text_add_c(value, found);
    else
        error = error_new(ERR_CONNECT, "the environment has no variable '%s'", name);
    arena_release(&arena);
    return error;
}

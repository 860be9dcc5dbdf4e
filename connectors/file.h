/* connectors/file.h: the options of connector 'file', shared by its source and its sink. Private to the room. */
#pragma once
#include "connectors/connectors.h"
#include "connectors/decompress.h"

enum { FILE_AUTO, FILE_OVERWRITE, FILE_APPEND }; /* FileOptions.mode */

typedef struct FileOptions {
    const char *path;           /* source: a path, a shell pattern or '-'; sink: a path, a folder when partitioned */
    int compression;            /* Compression */
    bool follow;
    int mode;
    int64_t compression_level;  /* 0: the library's default */
    const char *extension;      /* of the files of partitions; NULL: by the format */
} FileOptions;

extern const SourceType file_source;
extern const SinkType file_sink;

/* `path` taken from the context's base directory. */
const char *connector_resolve_path(Arena *arena, const ConnectorContext *context, const char *path);
/* An error of the file system while a job is being set up. */
Error *connector_as_connect(Error *error);

/* connectors/mapped_file.h: a file mapped into memory, which does not kill the process when the file shrinks. */
#pragma once
#include "common/buffer.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct MappedFile MappedFile;

/* Maps `length` > 0 bytes of an open file, followed by at least BUFFER_PADDING readable zeros. The descriptor may be closed
 * afterwards. NULL: it cannot be mapped, read it instead. The caller holds the one reference. */
MappedFile *mapped_file_new(int descriptor, size_t length);
void mapped_file_release(MappedFile *map); /* unmapped when all views are gone, too */
const char *mapped_file_bytes(const MappedFile *map);
size_t mapped_file_length(const MappedFile *map);
/* A part of it as a buffer of its own; holds the mapping. */
Buffer *mapped_file_view(MappedFile *map, size_t offset, size_t length);
int mapped_file_views(const MappedFile *map); /* buffers that are still held */
/* Pages were missing when they were read, and zeros were read in their place. */
bool mapped_file_damaged(const MappedFile *map);

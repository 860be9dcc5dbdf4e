/* common/buffer.c: shared read-only bytes. */
#include "common/buffer.h"

#include <string.h>

#include "common/memory.h"

static void destroy_heap(Buffer *buffer) { mem_free(buffer); }

Buffer *buffer_new(size_t capacity)
{
    Buffer *buffer = mem_alloc(sizeof *buffer + capacity + BUFFER_PADDING);
    char *bytes = (char *)(buffer + 1);
    memset(bytes + capacity, 0, BUFFER_PADDING);
    buffer->bytes = bytes;
    buffer->length = capacity;
    atomic_init(&buffer->references, 1);
    buffer->destroy = destroy_heap;
    buffer->owner = NULL;
    return buffer;
}

Buffer *buffer_retain(Buffer *buffer)
{
    atomic_fetch_add_explicit(&buffer->references, 1, memory_order_relaxed);
    return buffer;
}

void buffer_release(Buffer *buffer)
{
    if (buffer && atomic_fetch_sub_explicit(&buffer->references, 1, memory_order_acq_rel) == 1)
        buffer->destroy(buffer);
}

/* common/buffer.h: shared read-only bytes: a mapped range, a decompressed block, a message set. */
#pragma once
#include <stdatomic.h>
#include <stddef.h>

/* Every buffer has this many readable bytes after its end, so that scanners may load whole vectors. */
#define BUFFER_PADDING 64

typedef struct Buffer {
    const char *bytes;
    size_t length;
    atomic_int references;
    void (*destroy)(struct Buffer *buffer); /* frees the bytes and the Buffer itself */
    void *owner;                            /* the destroyer's own */
} Buffer;

/* A heap buffer of `capacity` writable bytes (buffer->bytes cast) plus padding, with one reference. */
Buffer *buffer_new(size_t capacity);
Buffer *buffer_retain(Buffer *buffer);
void buffer_release(Buffer *buffer); /* NULL is fine */

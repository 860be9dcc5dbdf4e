/* repl/above.c: nothing is allocated under the lock, and nobody waits: a sink that is refused rests, as with any other that has no room. */
#include "repl/above.h"

#include <pthread.h>
#include <string.h>

#include "common/memory.h"
#include "connectors/connectors.h"

#define ROOM_BYTES 65536

typedef struct Piece {
    struct Piece *next;
    size_t length, taken;
    char bytes[];
} Piece;

struct Above {
    pthread_mutex_t lock;
    Piece *first, *last;
    size_t waiting;          /* bytes */
    bool refused;            /* somebody waits for room */
};

Above *above_new(void)
{
    Above *above = mem_calloc(1, sizeof *above);
    pthread_mutex_init(&above->lock, NULL);
    return above;
}

void above_free(Above *above)
{
    while (above->first) {
        Piece *piece = above->first;
        above->first = piece->next;
        mem_free(piece);
    }
    pthread_mutex_destroy(&above->lock);
    mem_free(above);
}

bool above_add(Above *above, const char *bytes, size_t length, bool must)
{
    Piece *piece = mem_alloc(sizeof *piece + length);
    *piece = (Piece){ .length = length };
    memcpy(piece->bytes, bytes, length);
    pthread_mutex_lock(&above->lock);
    const bool fits = must || !above->waiting || above->waiting + length <= ROOM_BYTES;
    above->refused |= !fits;
    if (fits) {
        *(above->first ? &above->last->next : &above->first) = piece;
        above->last = piece;
        above->waiting += length;
    }
    pthread_mutex_unlock(&above->lock);
    if (!fits)
        mem_free(piece);
    return fits;
}

/* Of so many bytes: up to the end of a line, if one ends there. */
static size_t whole_lines(const char *bytes, size_t length, size_t size)
{
    if (length <= size)
        return length;
    const char *end = memrchr(bytes, '\n', size);
    return end ? (size_t)(end - bytes) + 1 : size;
}

size_t above_take(Above *above, char *bytes, size_t size)
{
    Piece *done = NULL;
    pthread_mutex_lock(&above->lock);
    Piece *piece = above->first;
    size_t length = piece ? whole_lines(piece->bytes + piece->taken, piece->length - piece->taken, size) : 0;
    if (piece) {
        memcpy(bytes, piece->bytes + piece->taken, length);
        piece->taken += length;
        above->waiting -= length;
    }
    if (piece && piece->taken == piece->length) {
        above->first = piece->next;
        done = piece;
    }
    const bool room = above->refused && above->waiting <= ROOM_BYTES / 2;
    if (room)
        above->refused = false;
    pthread_mutex_unlock(&above->lock);
    mem_free(done);
    if (room)
        stdout_wake();
    return length;
}

/* connectors/mapped_file.c: mapped files that survive being cut short.
 *
 * Reading a page that the file no longer has raises SIGBUS. The handler looks the address up in a table of our mappings, puts
 * a page of zeros there and marks the mapping as damaged; the reader goes on and learns of it afterwards. A fault elsewhere goes to
 * whoever handled SIGBUS before.
 *
 *   | file pages ...        |####0000| 0000 .. |
 *                                ^ end of file, zeros up to the page's end, then one anonymous page as a guard */
#include "connectors/mapped_file.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/memory.h"

struct MappedFile {
    char *bytes;
    size_t length, mapped_length; /* without and with the guard */
    atomic_int references;        /* the source's and one a view */
    atomic_int views;
    int slot;
};

/* What the signal handler reads: no locks, no memory. */
#define SLOT_COUNT 4096
static struct {
    _Atomic uintptr_t start;      /* 0: free; 1: being filled */
    _Atomic size_t length;
    atomic_bool damaged;
} slots[SLOT_COUNT];

static struct sigaction previous_action;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static size_t page_size;

static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    uintptr_t address = (uintptr_t)info->si_addr;
    for (int i = 0; i < SLOT_COUNT; i++) {
        uintptr_t start = atomic_load(&slots[i].start);
        if (start <= 1 || address < start || address >= start + atomic_load(&slots[i].length))
            continue;
        void *page = (void *)(address & ~(uintptr_t)(page_size - 1));
        if (mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            break;
        atomic_store(&slots[i].damaged, true);
        return;
    }
    sigaction(SIGBUS, &previous_action, NULL); /* not ours: the instruction runs again and meets the old handler */
}

static void install_handler(void)
{
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_action);
}

static int slot_take(char *bytes, size_t length)
{
    for (int i = 0; i < SLOT_COUNT; i++) {
        uintptr_t free_slot = 0;
        if (!atomic_compare_exchange_strong(&slots[i].start, &free_slot, 1))
            continue;
        atomic_store(&slots[i].length, length);
        atomic_store(&slots[i].damaged, false);
        atomic_store(&slots[i].start, (uintptr_t)bytes);
        return i;
    }
    return -1;
}

MappedFile *mapped_file_new(int descriptor, size_t length)
{
    pthread_once(&handler_once, install_handler);
    MappedFile *map = mem_calloc(1, sizeof *map);
    size_t file_pages = (length + page_size - 1) & ~(page_size - 1);
    map->length = length;
    map->mapped_length = file_pages + page_size;
    map->slot = -1;
    atomic_init(&map->references, 1);
    void *range = mmap(NULL, map->mapped_length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED)
        goto failed;
    map->bytes = range;
    if (mmap(range, file_pages, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED)
        goto failed;
    map->slot = slot_take(map->bytes, map->mapped_length);
    if (map->slot < 0)
        goto failed;
    madvise(range, file_pages, MADV_SEQUENTIAL);
    return map;
failed:
    mapped_file_release(map);
    return NULL;
}

void mapped_file_release(MappedFile *map)
{
    if (!map || atomic_fetch_sub(&map->references, 1) > 1)
        return;
    if (map->slot >= 0)
        atomic_store(&slots[map->slot].start, 0);
    if (map->bytes)
        munmap(map->bytes, map->mapped_length);
    mem_free(map);
}

const char *mapped_file_bytes(const MappedFile *map) { return map->bytes; }
size_t mapped_file_length(const MappedFile *map) { return map->length; }
int mapped_file_views(const MappedFile *map) { return atomic_load(&map->views); }
bool mapped_file_damaged(const MappedFile *map) { return atomic_load(&slots[map->slot].damaged); }

static void view_destroy(Buffer *view)
{
    MappedFile *map = view->owner;
    atomic_fetch_sub(&map->views, 1);
    mapped_file_release(map);
    mem_free(view);
}

Buffer *mapped_file_view(MappedFile *map, size_t offset, size_t length)
{
    Buffer *view = mem_calloc(1, sizeof *view);
    view->bytes = map->bytes + offset;
    view->length = length;
    atomic_init(&view->references, 1);
    view->destroy = view_destroy;
    view->owner = map;
    atomic_fetch_add(&map->views, 1);
    atomic_fetch_add(&map->references, 1);
    return view;
}

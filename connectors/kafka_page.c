/* connectors/kafka_page.c: the messages of a turn, copied out of the client. */
#include "connectors/kafka_page.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/calendar.h"

#define PAGES_KEPT 20 /* a few more than turns in flight */
#define PADDING BUFFER_PADDING

/* What does not fit into a page's own memory: keys, headers, long values. */
typedef struct Chunk {
    struct Chunk *next;
    size_t used, capacity;
    char bytes[];
} Chunk;

struct KafkaPage {
    RecordSet set;              /* first: it is what a RowRange holds */
    Buffer buffer;              /* the page as what batches hold: it is used again when nobody holds it any more */
    KafkaPages *pages;
    KafkaPage *next;            /* in the list of those that wait to be used again */
    Chunk *chunks;              /* the first one is kept */
    size_t used;                /* of the values */
    bool full, scattered;       /* scattered: a value stands in a chunk */
    Record records[PAGE_RECORDS];
    char values[PAGE_BYTES + PADDING];
};

struct KafkaPages {
    pthread_mutex_t lock;
    MemoryPool *pool;
    KafkaPage *free;
    int free_count, references; /* one of the source, one a page that is out */
};

#define CHUNK_BYTES (64u << 10)

static Chunk *chunk_new(size_t capacity, Chunk *next)
{
    Chunk *chunk = malloc(sizeof *chunk + capacity + PADDING);
    if (chunk)
        *chunk = (Chunk){ .next = next, .capacity = capacity };
    return chunk;
}

KafkaPages *kafka_pages_new(MemoryPool *pool)
{
    KafkaPages *pages = mem_calloc(1, sizeof *pages);
    pthread_mutex_init(&pages->lock, NULL);
    pages->pool = pool;
    pages->references = 1;
    return pages;
}

static void page_free(KafkaPage *page)
{
    for (Chunk *chunk = page->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    pool_charge(page->pages->pool, -(int64_t)sizeof *page);
    mem_free(page);
}

void kafka_pages_release(KafkaPages *pages)
{
    if (!pages)
        return;
    pthread_mutex_lock(&pages->lock);
    KafkaPage *unused = NULL;
    bool last = --pages->references == 0;
    if (last) {
        unused = pages->free;
        pages->free = NULL;
    }
    pthread_mutex_unlock(&pages->lock);
    for (KafkaPage *next; unused; unused = next) {
        next = unused->next;
        page_free(unused);
    }
    if (last)
        mem_free(pages);
}

static void give_back(Buffer *buffer);

/* Ready to be filled, with one reference. */
static KafkaPage *begin(KafkaPage *page)
{
    page->buffer = (Buffer){ .bytes = page->values, .length = PAGE_BYTES, .references = 1, .destroy = give_back, .owner = page };
    page->set = (RecordSet){ .records = page->records };
    page->used = 0;
    page->full = page->scattered = false;
    return page;
}

KafkaPage *kafka_page_take(KafkaPages *pages)
{
    pthread_mutex_lock(&pages->lock);
    KafkaPage *page = pages->free;
    if (page) {
        pages->free = page->next;
        pages->free_count--;
        pages->references++;
    }
    pthread_mutex_unlock(&pages->lock);
    if (page)
        return begin(page);
    page = mem_alloc(sizeof *page);
    pool_charge(pages->pool, sizeof *page);
    page->pages = pages;
    page->chunks = NULL;
    pthread_mutex_lock(&pages->lock);
    pages->references++;
    pthread_mutex_unlock(&pages->lock);
    return begin(page);
}

/* One chunk of the usual size is kept. */
static void drop_chunks(KafkaPage *page)
{
    Chunk *kept = NULL;
    for (Chunk *chunk = page->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        if (!kept && chunk->capacity == CHUNK_BYTES)
            kept = chunk;
        else
            free(chunk);
    }
    if (kept)
        kept->used = 0, kept->next = NULL;
    page->chunks = kept;
}

static void give_back(Buffer *buffer)
{
    KafkaPage *page = buffer->owner;
    KafkaPages *pages = page->pages;
    drop_chunks(page);
    pthread_mutex_lock(&pages->lock);
    bool keep = pages->references > 1 && pages->free_count < PAGES_KEPT;
    if (keep) {
        page->next = pages->free;
        pages->free = page;
        pages->free_count++;
    }
    pthread_mutex_unlock(&pages->lock);
    if (!keep)
        page_free(page);
    kafka_pages_release(pages); /* the page's reference */
}

void kafka_page_release(void *page) { buffer_release(&((KafkaPage *)page)->buffer); }

/* ---- filling ---- */

static char *chunk_bytes(KafkaPage *page, size_t length)
{
    length = (length + 7) & ~(size_t)7;
    Chunk *chunk = page->chunks;
    if (!chunk || chunk->capacity - chunk->used < length) {
        Chunk *more = chunk_new(length > CHUNK_BYTES ? length : CHUNK_BYTES, chunk);
        if (!more)
            return NULL;
        page->chunks = chunk = more;
    }
    char *bytes = chunk->bytes + chunk->used;
    chunk->used += length;
    return bytes;
}

static char *value_bytes(KafkaPage *page, size_t length)
{
    if (page->used + length + 1 > PAGE_BYTES) {
        page->full = page->scattered = true;
        return chunk_bytes(page, length + 1);
    }
    char *bytes = page->values + page->used;
    page->used += length + 1;
    return bytes;
}

static bool add_headers(KafkaPage *page, const rd_kafka_message_t *message, Record *record)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) || !headers)
        return true;
    size_t count = rd_kafka_header_cnt(headers);
    RecordHeader *list = (RecordHeader *)chunk_bytes(page, sizeof *list * count + 1);
    for (size_t i = 0; list && i < count; i++) {
        const char *name;
        const void *value;
        size_t length, name_length;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &length))
            return false;
        name_length = strlen(name);
        char *bytes = chunk_bytes(page, name_length + length + 2);
        if (!bytes)
            return false;
        memcpy(bytes, name, name_length + 1);
        if (value && length)
            memcpy(bytes + name_length + 1, value, length);
        list[i] = (RecordHeader){ bytes, value ? bytes + name_length + 1 : NULL, value ? length : 0 };
    }
    record->headers = list;
    record->header_count = list ? (int)count : 0;
    return list != NULL;
}

bool kafka_page_add(KafkaPage *page, const rd_kafka_message_t *message, bool headers)
{
    Record *record = &page->records[page->set.count];
    rd_kafka_timestamp_type_t type;
    *record = (Record){ .offset = (uint64_t)message->offset, .timestamp_us = rd_kafka_message_timestamp(message, &type) * US_PER_MS };
    if (message->key) {
        char *key = chunk_bytes(page, message->key_len + 1);
        if (!key)
            return false;
        memcpy(key, message->key, message->key_len);
        record->key = key;
        record->key_length = message->key_len;
    }
    if (message->payload) {
        char *value = value_bytes(page, message->len);
        if (!value)
            return false;
        memcpy(value, message->payload, message->len);
        value[message->len] = '\n';
        record->value = value;
        record->value_length = message->len;
    }
    if (headers && !add_headers(page, message, record))
        return false;
    page->full |= ++page->set.count == PAGE_RECORDS;
    return true;
}

bool kafka_page_full(const KafkaPage *page) { return page->full; }

const RecordSet *kafka_page_set(KafkaPage *page, const char *topic, int32_t partition)
{
    page->set.topic = topic;
    page->set.partition = partition;
    page->set.lines = page->scattered ? NULL : &page->buffer;
    return &page->set;
}

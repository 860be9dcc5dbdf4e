/* exec/key_table.h: key columns -> slots: 0, 1, 2 .. in the order in which keys arrive.
 *
 *   index   a power of two of entries, at most half full, linear probing; never in a snapshot
 *             WORD    {the key itself, slot + 1}: 16 bytes, so that a probe is one cache line
 *             others  u64 {tag 32 | slot + 1 32}
 *   keys    dense by slot, in one of four forms, chosen from the key's types:
 *             GLOBAL  no columns: the one slot 0
 *             WORD    one column of 64 bits: u64 words
 *             WORDS   several fixed-width columns: rows of {null bits, words}
 *             TEXT    one string: its bytes; anything else: its canonical bytes (value_bytes.h); Str views
 *   hashes  u64 by slot; not for WORD
 *
 * NULL is a key like any other. -0.0 and 0.0 are one key, all NaN are one. String bytes are copied at the first insertion only.
 * The hash never shows: whatever iterates goes by slot. */
#pragma once
#include "common/batch.h"
#include "exec/state_heap.h"

typedef enum KeyForm { KEY_GLOBAL, KEY_WORD, KEY_WORDS, KEY_TEXT } KeyForm;

typedef struct KeyLayout {
    KeyForm form;
    int column_count;
    const Type **types;
    uint32_t width;       /* WORDS: bytes a key */
    bool encoded;         /* TEXT: canonical bytes rather than one string */
    uint64_t fingerprint; /* for snapshots */
} KeyLayout;

void key_layout_init(KeyLayout *layout, Arena *arena, const Type *const types[], int count);

/* The keys of one batch, made comparable and hashed once, whatever number of tables they then go to. Scratch memory: one
 * an operator. Arrays are indexed by the row of the batch. */
typedef struct KeyBatch {
    const KeyLayout *layout;
    uint32_t capacity;       /* rows that fit */
    uint64_t *hashes;
    const uint64_t *words;   /* WORD */
    const Str *texts;        /* TEXT */
    uint64_t *own_words;     /* `words` where the column's values cannot be used as they are */
    Str *own_texts;
    char *rows;              /* WORDS */
    uint64_t *null_rows;     /* WORD and TEXT: bit per row; NULL: no NULLs in this batch */
    uint64_t *own_nulls;
    Text encoded;
} KeyBatch;

void key_batch_init(KeyBatch *batch, const KeyLayout *layout);
void key_batch_release(KeyBatch *batch);
/* Fills in the keys of the selected rows; columns[] are the key columns, of row_count rows. Valid while the vectors are. */
void key_batch_prepare(KeyBatch *batch, const Vector *const columns[], uint32_t row_count, const uint32_t *rows, uint32_t count);

typedef struct WordEntry { uint64_t key, slot; } WordEntry;

typedef struct KeyTable {
    Container container;
    const KeyLayout *layout;
    uint32_t count;           /* slots */
    uint32_t null_slot;       /* WORD and TEXT: the NULL key's slot + 1; 0: none */
    union {
        uint64_t *index;
        struct WordEntry *words;
    };
    size_t index_mask;        /* entries - 1 */
    size_t index_bytes, keys_bytes, hashes_bytes;
    void *keys;               /* u64, rows of `width` bytes, or Str */
    uint64_t *hashes;
    StateHeap heap;           /* of strings */
    StateHeap leaving;        /* the former heap while key_table_keep copies out of it */
} KeyTable;

void key_table_init(KeyTable *table, MemoryPool *pool, const KeyLayout *layout);
void key_table_release(KeyTable *table);
void key_table_clear(KeyTable *table); /* keeps its memory for the next keys */
size_t key_table_bytes(const KeyTable *table);

/* slots[i] = the slot of the key at rows[i]. Keys that are new get the next slots: those from the former table->count on. */
void key_table_resolve(KeyTable *table, const KeyBatch *batch, const uint32_t *rows, uint32_t count, uint32_t slots[]);

/* The same without adding: KEY_ABSENT where the table has no such key. */
#define KEY_ABSENT UINT32_MAX
void key_table_find(const KeyTable *table, const KeyBatch *batch, const uint32_t *rows, uint32_t count, uint32_t slots[]);

/* Writes the keys of slots[0..count) into rows first.. of the column vectors (FLAT); long strings are copied to the arena. */
void key_table_gather(const KeyTable *table, const uint32_t *slots, uint32_t count, Vector *const columns[], uint32_t first,
                      Arena *arena);

/* Drops every key whose bit in `live` is clear; the others move down in slot order. remap[old slot] = new slot. */
void key_table_keep(KeyTable *table, const uint64_t *live, uint32_t *remap);

/* The partition, below `count`, that the slot's key belongs to: a function of the key's canonical bytes (value_bytes.h), so that state can
 * be divided anew when it is read back. Nothing is laid out by it. `scratch` is the caller's. */
uint32_t key_table_partition(const KeyTable *table, uint32_t slot, uint32_t count, Text *scratch);

/* exec/key_find.c: looking keys up without adding them: see key_table.h. */
#include <string.h>

#include "exec/key_table.h"

static uint32_t null_slot(const KeyTable *table) { return table->null_slot ? table->null_slot - 1 : KEY_ABSENT; }

static uint32_t find_word(const KeyTable *table, uint64_t word, uint64_t hash)
{
    size_t at = hash & table->index_mask;
    while (table->words[at].key != word && table->words[at].slot)
        at = (at + 1) & table->index_mask;
    return table->words[at].slot ? (uint32_t)table->words[at].slot - 1 : KEY_ABSENT;
}

static bool same_key(const KeyTable *table, uint32_t slot, const KeyBatch *batch, uint32_t row)
{
    if (table->layout->form == KEY_TEXT)
        return str_equal((const Str *)table->keys + slot, &batch->texts[row]);
    size_t width = table->layout->width;
    return memcmp((const char *)table->keys + slot * width, batch->rows + row * width, width) == 0;
}

static uint32_t find_key(const KeyTable *table, const KeyBatch *batch, uint32_t row)
{
    uint64_t hash = batch->hashes[row];
    for (size_t at = hash & table->index_mask; table->index[at]; at = (at + 1) & table->index_mask) {
        uint64_t entry = table->index[at];
        uint32_t slot = (uint32_t)entry - 1;
        if (entry >> 32 == hash >> 32 && same_key(table, slot, batch, row))
            return slot;
    }
    return KEY_ABSENT;
}

void key_table_find(const KeyTable *table, const KeyBatch *batch, const uint32_t *rows, uint32_t count, uint32_t slots[])
{
    const bool global = table->layout->form == KEY_GLOBAL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        if (global)
            slots[i] = table->count ? 0 : KEY_ABSENT;
        else if (!table->index)
            slots[i] = KEY_ABSENT;
        else if (batch->null_rows && bit_get(batch->null_rows, row))
            slots[i] = null_slot(table);
        else if (table->layout->form == KEY_WORD)
            slots[i] = find_word(table, batch->words[row], batch->hashes[row]);
        else
            slots[i] = find_key(table, batch, row);
    }
}

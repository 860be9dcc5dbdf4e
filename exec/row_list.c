/* exec/row_list.c: see row_list.h. */
#include "exec/row_list.h"

void row_list_release(RowList *list)
{
    mem_free(list->identity);
    mem_free(list->rows);
    mem_free(list->slots);
    *list = (RowList){ 0 };
}

static void row_list_reserve(RowList *list, uint32_t row_count)
{
    if (list->capacity >= row_count)
        return;
    list->capacity = 0;
    list->identity = mem_realloc(list->identity, sizeof(uint32_t) * row_count);
    list->rows = mem_realloc(list->rows, sizeof(uint32_t) * row_count);
    list->slots = mem_realloc(list->slots, sizeof(uint32_t) * row_count);
    for (uint32_t i = 0; i < row_count; i++)
        list->identity[i] = i;
    list->capacity = row_count;
}

const uint32_t *row_list_take(RowList *list, const Batch *batch, const int *null_columns, int null_count, uint32_t *count)
{
    row_list_reserve(list, batch->row_count);
    const uint32_t *rows = batch->selection.rows ? batch->selection.rows : list->identity;
    *count = batch->selection.count;
    bool nulls = false;
    for (int i = 0; i < null_count; i++)
        nulls = nulls || batch->columns[null_columns[i]]->validity;
    if (!nulls)
        return rows;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        bool null = false;
        for (int column = 0; column < null_count; column++)
            null = null || vector_is_null(batch->columns[null_columns[column]], rows[i]);
        list->rows[kept] = rows[i];
        kept += !null;
    }
    *count = kept;
    return list->rows;
}

/* exec/row_list.h: the rows of a batch that an operator takes, as one array of row numbers, and room for a slot each. */
#pragma once
#include "exec/exec_internal.h"

typedef struct RowList {
    uint32_t capacity;
    uint32_t *identity; /* 0, 1, 2 .. */
    uint32_t *rows;     /* those that are left without NULL keys */
    uint32_t *slots;    /* the operator's own */
} RowList;

void row_list_release(RowList *list);
/* The selected rows; without those that have a NULL in one of null_columns[0..null_count). Valid until the next call. */
const uint32_t *row_list_take(RowList *list, const Batch *batch, const int *null_columns, int null_count, uint32_t *count);

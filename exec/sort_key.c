/* exec/sort_key.c: see sort_key.h. */
#include "exec/sort_key.h"
#include <string.h>
#include "common/order_bytes.h"

void sort_key_put(Text *bytes, const SortKey keys[], int key_count, Vector *const columns[], uint32_t row)
{
    for (int i = 0; i < key_count; i++)
        order_bytes_put(bytes, columns[keys[i].column], row, keys[i].descending, keys[i].nulls_first);
}

int sort_key_compare(const Str *a, const Str *b)
{
    uint32_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(str_bytes(a), str_bytes(b), shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* exec/scalars.c: snapshot of a few integers. */
#include "exec/scalars.h"
#include <string.h>

static void scalars_write(const Container *container, Text *snapshot)
{
    const Scalars *scalars = (const Scalars *)container;
    PageWriter page = page_begin(snapshot, PAGE_SCALARS, 1, 0, (uint64_t)scalars->count);
    page_put_column(&page, scalars->values, 8, 8, (uint64_t)scalars->count);
    page_end(&page);
}

static Error *scalars_read(Container *container, SnapshotReader *reader)
{
    Scalars *scalars = (Scalars *)container;
    PageReader page;
    const char *values;
    TRY(page_open(reader, PAGE_SCALARS, 1, 0, &page));
    if (page.rows != (uint64_t)scalars->count)
        return page_damaged("another number of clocks");
    TRY(page_get_column(&page, 8, page.rows, &values));
    TRY(page_close(&page));
    memcpy(scalars->values, values, 8 * (size_t)scalars->count);
    return NULL;
}

static const ContainerType scalars_type = { "scalars", scalars_write, scalars_read, NULL };

void scalars_init(Scalars *scalars, MemoryPool *pool, int64_t *values, int count)
{
    *scalars = (Scalars){ { &scalars_type, pool }, values, count };
}

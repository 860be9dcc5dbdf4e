/* exec/op_unnest.c: a row for each element of its lists: UNNEST, EXPLODE, CROSS APPLY, and what is planned with them.
 *
 * Several lists are taken together, the shorter ones filled up with NULL. A row without elements gives none; where `outer`, one of NULLs.
 * Stateless. A batch of long lists goes out in several. */
#include "exec/expand.h"
#include "exec/operators.h"

enum { UNNEST_ROWS = 16384 }; /* about so many rows a batch */

typedef struct Unnest {
    Expansion expansion;
    Arena arena;          /* of the part at hand */
    uint32_t **places;    /* per list: of each row that is made */
    uint32_t *rows;
    int64_t *ordinals;
} Unnest;

static Error *unnest_open(Operator *op)
{
    Unnest *unnest = op->state = mem_calloc(1, sizeof(Unnest));
    arena_init(&unnest->arena, &op->pool);
    return NULL;
}

static void unnest_close(Operator *op)
{
    Unnest *unnest = op->state;
    if (!unnest)
        return;
    arena_release(&unnest->arena);
    mem_free(unnest);
    op->state = NULL;
}

static uint32_t list_length(const Vector *list, uint32_t row)
{
    row &= vector_mask(list);
    return vector_is_null(list, row) ? 0 : list->offsets[row + 1] - list->offsets[row];
}

/* Rows that a row becomes. */
static uint32_t rows_of(const PlanNode *node, const Batch *batch, uint32_t row)
{
    uint32_t longest = 0;
    for (int i = 0; i < node->unnest.list_count; i++) {
        uint32_t length = list_length(batch->columns[node->unnest.lists[i]], row);
        longest = length > longest ? length : longest;
    }
    return longest == 0 && node->unnest.outer ? 1 : longest;
}

/* How many selected rows from `first` on go out together, and how many rows they become. The halves of an update are not parted. */
static uint32_t next_part(const PlanNode *node, const Batch *batch, uint32_t first, uint32_t *total)
{
    uint32_t at = first;
    *total = 0;
    while (at < batch->selection.count) {
        uint32_t row = selection_row(&batch->selection, at++);
        *total += rows_of(node, batch, row);
        if (*total >= UNNEST_ROWS && batch_kind(batch, row) != ROW_UPDATE_BEFORE)
            break;
    }
    return at - first;
}

/* Row by row: where it comes from, which element of each list stands in it, its number. */
static void lay_out(Unnest *unnest, const PlanNode *node, const Batch *batch, uint32_t first, uint32_t count)
{
    uint32_t made = 0;
    for (uint32_t i = first; i < first + count; i++) {
        uint32_t row = selection_row(&batch->selection, i), rows = rows_of(node, batch, row);
        for (int l = 0; l < node->unnest.list_count; l++) {
            const Vector *list = batch->columns[node->unnest.lists[l]];
            uint32_t length = list_length(list, row), start = length ? list->offsets[row & vector_mask(list)] : 0;
            for (uint32_t e = 0; e < rows; e++)
                unnest->places[l][made + e] = e < length ? start + e : VECTOR_NO_ROW;
        }
        bool empty = node->unnest.outer && rows == 1;
        for (int l = 0; l < node->unnest.list_count && empty; l++)
            empty = unnest->places[l][made] == VECTOR_NO_ROW;
        for (uint32_t e = 0; e < rows; e++) {
            unnest->rows[made + e] = row;
            unnest->ordinals[made + e] = empty ? 0 : e + 1;
        }
        made += rows;
    }
}

static Batch *unnest_part(Operator *op, Batch *batch, uint32_t first, uint32_t count, uint32_t total)
{
    Unnest *unnest = op->state;
    const PlanNode *node = op->node;
    int lists = node->unnest.list_count, under = batch->column_count;
    Arena *arena = &unnest->arena;
    unnest->places = ARENA_ARRAY(arena, uint32_t *, lists + 1);
    for (int l = 0; l < lists; l++)
        unnest->places[l] = arena_alloc(arena, sizeof(uint32_t) * ((size_t)total + 1));
    unnest->rows = arena_alloc(arena, sizeof(uint32_t) * ((size_t)total + 1));
    unnest->ordinals = arena_alloc(arena, sizeof(int64_t) * ((size_t)total + 1));
    lay_out(unnest, node, batch, first, count);
    Batch *out = expand_rows(&unnest->expansion, batch, unnest->rows, total, lists + node->unnest.ordinality, node->unnest.unread);
    for (int l = 0; l < lists; l++)
        out->columns[under + l] = vector_gather_padded(&out->arena, batch->columns[node->unnest.lists[l]]->children[0],
                                                       node->schema.columns[under + l].type, unnest->places[l], total);
    if (node->unnest.ordinality) {
        Vector *ordinal = out->columns[under + lists] = vector_new(&out->arena, node->schema.columns[under + lists].type, total);
        memcpy(ordinal->values, unnest->ordinals, sizeof(int64_t) * total);
        for (uint32_t i = 0; i < total; i++)
            if (unnest->ordinals[i] == 0)
                vector_set_null(&out->arena, ordinal, i);
    }
    return out;
}

static Error *unnest_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Unnest *unnest = op->state;
    Error *error = NULL;
    uint32_t count, total;
    expand_begin(&unnest->expansion, batch);
    for (uint32_t first = 0; first < batch->selection.count && !error; first += count) {
        count = next_part(op->node, batch, first, &total);
        Batch *out = unnest_part(op, batch, first, count, total);
        arena_reset(&unnest->arena);
        if (batch->wm_us && first + count < batch->selection.count) /* what the next row finds */
            out->wm_end_us = batch->wm_us[selection_row(&batch->selection, first + count)];
        error = output_push(op, PORT_MAIN, out);
    }
    batch_release(batch);
    return error;
}

const OperatorType unnest_operator = { .name = "unnest", .open = unnest_open, .close = unnest_close, .process = unnest_process };

/* functions/lists.h: making ARRAYs and MAPs out of elements that exist already.
 *
 * A kernel says row by row which elements of a source vector make up its list; they are gathered once, at the end. So nothing is
 * allocated per row, long strings keep their bytes, and elements of any type, nested ones too, are treated alike. */
#pragma once
#include "functions/functions_internal.h"

typedef struct ListMaker {
    Arena *arena;
    Vector *out;          /* ARRAY or MAP */
    uint32_t *places;     /* of the elements, in the source */
    uint32_t count, capacity;
    uint32_t rows;        /* offsets[0 .. rows] are known */
} ListMaker;

void list_start(ListMaker *maker, const Args *args, Vector *out);
/* What is added next belongs to `row`; rows come in order, those left out are empty. */
void list_row(ListMaker *maker, uint32_t row);
void list_add(ListMaker *maker, uint32_t place);
/* Gathers the elements. `source` holds elements of the result's type; for a MAP it is a STRUCT<key, value>. */
void list_finish(ListMaker *maker, const Args *args, const Vector *source);

/* The same for VARCHAR or BYTES elements that are views of other texts: `place` counts them. */
typedef struct TextList {
    ListMaker lists;
    Vector *texts;
} TextList;
void text_list_start(TextList *maker, const Args *args, Vector *out);
void text_list_add(TextList *maker, const Str *text); /* NULL: a NULL */
void text_list_finish(TextList *maker, const Args *args);

/* The same for a MAP of texts. A key that comes again takes the later value; keys are no NULLs. */
typedef struct TextMap {
    ListMaker lists;
    Vector *keys, *values;
    uint32_t count, first; /* pairs there are; where the current row's places begin */
} TextMap;
void text_map_start(TextMap *maker, const Args *args, Vector *out);
void text_map_row(TextMap *maker, uint32_t row);
void text_map_add(TextMap *maker, const Str *key, const Str *value); /* value NULL: a NULL */
void text_map_finish(TextMap *maker, const Args *args);

/* Of the places added since `first`, those whose keys are equal become one: at the place in order of the first, with the last one's value. */
void list_merge_keys(ListMaker *maker, const Vector *keys, uint32_t first);

/* Elements [*start, *end) of the list at a row: none if it is NULL. */
static inline void list_bounds(const Vector *lists, uint32_t row, uint32_t *start, uint32_t *end)
{
    row &= vector_mask(lists);
    bool null = vector_is_null(lists, row);
    *start = null ? 0 : lists->offsets[row];
    *end = null ? 0 : lists->offsets[row + 1];
}
static inline const Vector *list_elements(const Vector *lists) { return lists->children[0]; }

/* Rows [0, a_rows) of `a`, behind them [0, b_rows) of `b`. Same types. */
Vector *vector_stack(Arena *arena, const Vector *a, uint32_t a_rows, const Vector *b, uint32_t b_rows);
/* Rows of `vector` in ascending order (NULL last); equals keep theirs. `spare` is as large. */
void sort_places(const Vector *vector, uint32_t *places, uint32_t *spare, uint32_t count);
/* The first of the sorted places that holds what stands in `other` at `row`; UINT32_MAX: none does. */
uint32_t find_place(const Vector *vector, const uint32_t *sorted, uint32_t count, const Vector *other, uint32_t row);

/* out[row] = elements[places[row]]; UINT32_MAX: NULL. `places` is from new_places, all UINT32_MAX at first. */
uint32_t *new_places(const Args *args);
void pick_elements(const Args *args, Vector *out, const Vector *elements, uint32_t *places);

/* Rows of the elements that the rows of `lists` can name. */
static inline uint32_t element_rows(const Args *args, const Vector *lists)
{
    return lists->offsets[lists->encoding == VECTOR_CONSTANT ? 1 : args->row_count];
}

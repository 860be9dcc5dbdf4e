/* functions/lists.c: making ARRAYs and MAPs out of elements that exist already. */
#include "functions/lists.h"

/* ---- lists ---- */

void list_start(ListMaker *maker, const Args *args, Vector *out)
{
    *maker = (ListMaker){ .arena = args->evaluation->arena, .out = out };
    out->offsets[0] = 0;
}

void list_row(ListMaker *maker, uint32_t row)
{
    while (maker->rows < row)
        maker->out->offsets[++maker->rows] = maker->count;
}

void list_add(ListMaker *maker, uint32_t place)
{
    if (maker->count == maker->capacity) {
        uint32_t capacity = maker->capacity ? maker->capacity * 2 : 256;
        uint32_t *places = arena_alloc(maker->arena, (size_t)capacity * sizeof *places);
        if (maker->count)
            memcpy(places, maker->places, (size_t)maker->count * sizeof *places);
        maker->places = places;
        maker->capacity = capacity;
    }
    maker->places[maker->count++] = place;
}

void list_finish(ListMaker *maker, const Args *args, const Vector *source)
{
    list_row(maker, args->row_count);
    if (maker->count)
        maker->out->children[0] = vector_gather(maker->arena, source, maker->places, maker->count);
    maker->out->child_rows = maker->count;
}

/* ---- lists of texts ---- */

void text_list_start(TextList *maker, const Args *args, Vector *out)
{
    list_start(&maker->lists, args, out);
    maker->texts = vector_new(maker->lists.arena, out->type->children[0], 256);
}

static void grow_texts(Arena *arena, Vector *texts)
{
    uint32_t capacity = texts->capacity * 2;
    Str *values = arena_alloc(arena, (size_t)capacity * sizeof *values);
    memcpy(values, texts->values, (size_t)texts->capacity * sizeof *values);
    if (texts->validity) {
        uint64_t *validity = arena_alloc(arena, bitmap_words(capacity) * 8);
        memset(validity, 0xFF, bitmap_words(capacity) * 8);
        memcpy(validity, texts->validity, bitmap_words(texts->capacity) * 8);
        texts->validity = validity;
    }
    texts->values = values;
    texts->capacity = capacity;
}

static void set_text(Arena *arena, Vector *texts, uint32_t place, const Str *text)
{
    if (place == texts->capacity)
        grow_texts(arena, texts);
    ((Str *)texts->values)[place] = text ? *text : (Str){ 0 };
    if (!text)
        vector_set_null(arena, texts, place);
    else if (texts->validity)
        bit_set(texts->validity, place); /* places are given back when a list is cut */
}

void text_list_add(TextList *maker, const Str *text) { set_text(maker->lists.arena, maker->texts, maker->lists.count++, text); }

void text_list_finish(TextList *maker, const Args *args)
{
    list_row(&maker->lists, args->row_count);
    maker->lists.out->children[0] = maker->texts;
    maker->lists.out->child_rows = maker->lists.count;
}

/* ---- maps of texts ---- */

void text_map_start(TextMap *maker, const Args *args, Vector *out)
{
    list_start(&maker->lists, args, out);
    maker->keys = vector_new(maker->lists.arena, out->type->children[0], 256);
    maker->values = vector_new(maker->lists.arena, out->type->children[1], 256);
    maker->count = maker->first = 0;
}

void text_map_row(TextMap *maker, uint32_t row)
{
    list_merge_keys(&maker->lists, maker->keys, maker->first);
    maker->first = maker->lists.count;
    list_row(&maker->lists, row);
}

void text_map_add(TextMap *maker, const Str *key, const Str *value)
{
    set_text(maker->lists.arena, maker->keys, maker->count, key);
    set_text(maker->lists.arena, maker->values, maker->count, value);
    list_add(&maker->lists, maker->count++);
}

void text_map_finish(TextMap *maker, const Args *args)
{
    text_map_row(maker, args->row_count);
    Vector pairs = *maker->lists.out->children[0];
    pairs.children = (Vector *[2]){ maker->keys, maker->values };
    list_finish(&maker->lists, args, &pairs);
}

/* ---- equal keys ---- */

/* Few are searched one after the other; many are sorted, so that hostile maps cost n log n. Returns how many places are left. */
#define SEARCHED_MAX 24

static uint32_t merge_few(const Vector *keys, uint32_t *places, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < kept && vector_compare_rows(keys, places[at], keys, places[i]) != 0)
            at++;
        places[at] = places[i];
        kept += at == kept;
    }
    return kept;
}

static uint32_t merge_many(Arena *arena, const Vector *keys, uint32_t *places, uint32_t count)
{
    Vector *gathered = vector_gather(arena, keys, places, count);
    uint32_t *sorted = arena_alloc(arena, count * sizeof *sorted), *last = arena_alloc(arena, count * sizeof *last), kept = 0;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = i;
    sort_places(gathered, sorted, last, count);
    memset(last, 0xFF, count * sizeof *last); /* of each that is the first of its key: the place of its last value */
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && vector_compare_rows(gathered, sorted[i], gathered, sorted[end]) == 0;)
            end++;
        last[sorted[i]] = places[sorted[end - 1]];
    }
    for (uint32_t i = 0; i < count; i++)
        if (last[i] != UINT32_MAX)
            places[kept++] = last[i];
    return kept;
}

void list_merge_keys(ListMaker *maker, const Vector *keys, uint32_t first)
{
    uint32_t count = maker->count - first;
    if (count > 1)
        maker->count = first + (count > SEARCHED_MAX ? merge_many(maker->arena, keys, maker->places + first, count)
                                                     : merge_few(keys, maker->places + first, count));
}

bool vector_repeats(Arena *arena, const Vector *vector, uint32_t first, uint32_t count)
{
    if (count < 2)
        return false;
    uint32_t *places = arena_alloc(arena, (size_t)count * 2 * sizeof *places);
    for (uint32_t i = 0; i < count; i++)
        places[i] = first + i;
    sort_places(vector, places, places + count, count);
    for (uint32_t i = 1; i < count; i++)
        if (vector_compare_rows(vector, places[i - 1], vector, places[i]) == 0)
            return true;
    return false;
}

/* ---- vectors ---- */

static void stack_lists(Arena *arena, Vector *out, const Vector *a, uint32_t a_rows, const Vector *b, uint32_t b_rows)
{
    uint32_t middle = a->offsets[a_rows];
    memcpy(out->offsets, a->offsets, ((size_t)a_rows + 1) * sizeof *out->offsets);
    for (uint32_t i = 0; i < b_rows; i++)
        out->offsets[a_rows + i + 1] = middle + b->offsets[i + 1];
    out->child_rows = middle + b->offsets[b_rows];
    out->children[0] = vector_stack(arena, a->children[0], middle, b->children[0], b->offsets[b_rows]);
}

Vector *vector_stack(Arena *arena, const Vector *a, uint32_t a_rows, const Vector *b, uint32_t b_rows)
{
    Vector *out = vector_new(arena, a->type, a_rows + b_rows);
    size_t width = type_width(a->type);
    if (width) {
        memcpy(out->values, a->values, a_rows * width);
        memcpy((char *)out->values + a_rows * width, b->values, b_rows * width);
    } else if (a->type->kind == TYPE_STRUCT) {
        for (int i = 0; i < a->type->child_count; i++)
            out->children[i] = vector_stack(arena, a->children[i], a_rows, b->children[i], b_rows);
    } else {
        stack_lists(arena, out, a, a_rows, b, b_rows);
    }
    for (uint32_t i = 0; a->validity && i < a_rows; i++)
        if (vector_is_null(a, i))
            vector_set_null(arena, out, i);
    for (uint32_t i = 0; b->validity && i < b_rows; i++)
        if (vector_is_null(b, i))
            vector_set_null(arena, out, a_rows + i);
    return out;
}

/* ---- order ---- */

static void insertion_sort(const Vector *vector, uint32_t *places, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint32_t place = places[i], at = i;
        for (; at > 0 && vector_compare_rows(vector, places[at - 1], vector, place) > 0; at--)
            places[at] = places[at - 1];
        places[at] = place;
    }
}

void sort_places(const Vector *vector, uint32_t *places, uint32_t *spare, uint32_t count)
{
    if (count <= 12) {
        insertion_sort(vector, places, count);
        return;
    }
    uint32_t half = count / 2, left = 0, right = half;
    sort_places(vector, places, spare, half);
    sort_places(vector, places + half, spare, count - half);
    if (vector_compare_rows(vector, places[half - 1], vector, places[half]) <= 0)
        return;
    memcpy(spare, places, count * sizeof *places);
    for (uint32_t to = 0; to < count; to++) {
        bool from_left = left < half && (right == count || vector_compare_rows(vector, spare[left], vector, spare[right]) <= 0);
        places[to] = from_left ? spare[left++] : spare[right++];
    }
}

uint32_t find_place(const Vector *vector, const uint32_t *sorted, uint32_t count, const Vector *other, uint32_t row)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (vector_compare_rows(vector, sorted[middle], other, row) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && vector_compare_rows(vector, sorted[low], other, row) == 0 ? sorted[low] : UINT32_MAX;
}

/* ---- one element of each list ---- */

void pick_elements(const Args *args, Vector *out, const Vector *elements, uint32_t *places)
{
    bool any = false;
    for (uint32_t row = 0; row < args->row_count; row++) {
        any |= places[row] != UINT32_MAX;
        if (places[row] == UINT32_MAX)
            args_null(args, out, row);
    }
    if (!any)
        return;
    uint32_t *safe = arena_copy(args->evaluation->arena, places, sizeof *safe * args->row_count), first = 0;
    while (places[first] == UINT32_MAX)
        first++;
    for (uint32_t row = 0; row < args->row_count; row++)
        safe[row] = places[row] == UINT32_MAX ? places[first] : places[row]; /* NULL whatever it is */
    Vector *picked = vector_gather(args->evaluation->arena, elements, safe, args->row_count);
    for (uint32_t row = 0; row < args->row_count; row++)
        if (places[row] == UINT32_MAX) {
            vector_set_null(args->evaluation->arena, picked, row);
            if (type_physical(picked->type) == PHYSICAL_STR)
                ((Str *)picked->values)[row] = (Str){ 0 }; /* a NULL has no length */
        }
    *out = *picked;
}

uint32_t *new_places(const Args *args)
{
    uint32_t *places = arena_alloc(args->evaluation->arena, sizeof *places * ((size_t)args->row_count + 1));
    memset(places, 0xFF, sizeof *places * args->row_count);
    return places;
}

/* functions/aggregate_list.c: aggregates that keep values in the order in which they came.
 *
 *   COLLECT_LIST, ARRAY_AGG     all of them                 EARLIEST_BY_OFFSET   the first n, or the first
 *   LISTAGG                     texts, as one text          LATEST_BY_OFFSET     the last n, or the last
 *   JSON_ARRAYAGG, JSON_OBJECTAGG  JSON, or keys with it, as one JSON text
 *
 * State: a packed list with each value's arrival as its number, and how many there are. Where the input retracts, values beyond n are
 * kept, too: they may be wanted again. Sessions that meet put their values in order of arrival. */
#include "functions/packed.h"

typedef enum ListRule { LIST_ALL, LIST_TEXT, LIST_JSON_ARRAY, LIST_JSON_OBJECT, LIST_EARLIEST, LIST_LATEST } ListRule;

static bool is_text(ListRule rule) { return rule == LIST_TEXT || rule == LIST_JSON_ARRAY || rule == LIST_JSON_OBJECT; }

typedef struct ListState {
    Str entries;
    int64_t count;
} ListState;

typedef struct ListPlan {
    ListRule rule;
    int64_t most;     /* values that are shown */
    bool single;      /* one value, not an ARRAY */
    bool skip_nulls;
    bool keep_all;
    Str separator;
} ListPlan;

static ListPlan list_plan(const AggregateShape *shape)
{
    ListPlan plan = { .rule = (ListRule)shape->function->rule, .most = INT64_MAX, .skip_nulls = true, .keep_all = shape->retracts, .separator = str_c(",") };
    if (plan.rule == LIST_ALL || is_text(plan.rule)) {
        plan.skip_nulls = is_text(plan.rule);
        plan.keep_all = true;
    } else {
        plan.single = true;
        plan.most = 1;
    }
    for (int i = 0; i < shape->constant_count; i++)
        switch (shape->constants[i].type->kind) {
        case TYPE_BOOLEAN: plan.skip_nulls = shape->constants[i].integer; break;
        case TYPE_VARCHAR: plan.separator = shape->constants[i].text; break;
        default:
            plan.most = shape->constants[i].integer;
            plan.single = false;
        }
    return plan;
}

static void list_remove(StateHeap *heap, ListState *list, uint32_t offset)
{
    if (offset == PACKED_NONE)
        return;
    packed_remove(heap, &list->entries, offset);
    list->count--;
}

/* Values that are not shown go, unless they may be wanted again. */
static void list_trim(StateHeap *heap, ListState *list, const ListPlan *plan)
{
    PackedEntry entry;
    while (!plan->keep_all && list->count > plan->most) {
        uint32_t offset = 0;
        if (plan->rule == LIST_EARLIEST)
            for (PACKED_EACH(&list->entries, &entry))
                offset = entry.offset;
        list_remove(heap, list, offset);
    }
}

static void list_update(const AggregateArgs *args)
{
    const ListPlan plan = list_plan(args->shape);
    const int64_t limit = args->shape->limit;
    const Vector *values = args->arg[0];
    Text bytes = { 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    for (uint32_t i = 0; i < args->rows->count; i++) {
        uint32_t row = selection_row(args->rows, i);
        ListState *list = (ListState *)(args->states[i] + args->offset);
        if (plan.skip_nulls && vector_is_null(values, row))
            continue;
        bool goes = row_goes(args, row);
        if (!goes && ((limit && list->count >= limit) || (plan.rule == LIST_EARLIEST && !plan.keep_all && list->count >= plan.most)))
            continue;
        bytes.length = 0;
        value_bytes_put(&bytes, values, row, false);
        if (goes) {
            list_remove(args->heap, list, packed_find(&list->entries, bytes.bytes, bytes.length, !args->shape->oldest_goes));
            continue;
        }
        packed_append(args->heap, &list->entries, bytes.bytes, bytes.length, arrival_of(args, row));
        list->count++;
        list_trim(args->heap, list, &plan);
    }
    text_release(&bytes);
}

static void list_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    const ListPlan plan = list_plan(shape);
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {
        ListState *list = (ListState *)into;
        const ListState *other = (const ListState *)from;
        PackedEntry theirs, ours;
        uint32_t place = 0; /* before it stands what came earlier */
        for (PACKED_EACH(&other->entries, &theirs)) {
            while (packed_at(&list->entries, place, &ours) && ours.number <= theirs.number)
                place = ours.next;
            packed_insert(heap, &list->entries, place, theirs.value, theirs.length, theirs.number);
            list->count++;
        }
        list_trim(heap, list, &plan);
    }
}

/* ksqlDB: what is merged in is of an older session, and stands in front. */
static void list_merge_in_front(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)shape;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {
        ListState *list = (ListState *)into;
        PackedEntry theirs, placed;
        uint32_t place = 0;
        for (PACKED_EACH(&((const ListState *)from)->entries, &theirs)) {
            packed_insert(heap, &list->entries, place, theirs.value, theirs.length, theirs.number);
            packed_at(&list->entries, place, &placed);
            place = placed.next;
            list->count++;
        }
    }
}

/* ---- results ---- */

static void put_text(const Args *args, const ListState *list, const ListPlan *plan, Vector *out, uint32_t row)
{
    Arena *arena = args->evaluation->arena;
    PackedEntry entry;
    const char *brackets = plan->rule == LIST_JSON_ARRAY ? "[]" : plan->rule == LIST_JSON_OBJECT ? "{}" : NULL;
    size_t length = 2;
    if (!list->count && !brackets) {
        args_null(args, out, row);
        return;
    }
    for (PACKED_EACH(&list->entries, &entry))
        length += entry.length - 5 + plan->separator.length; /* 5: before a text's bytes */
    char *text = arena_alloc(arena, length + 1), *end = text;
    if (brackets)
        *end++ = brackets[0];
    bool first = true;
    for (PACKED_EACH(&list->entries, &entry)) {
        if (!first)
            end = mempcpy(end, str_bytes(&plan->separator), plan->separator.length);
        end = mempcpy(end, entry.value + 5, entry.length - 5);
        first = false;
    }
    if (brackets)
        *end++ = brackets[1];
    ((Str *)out->values)[row] = str_view(text, (size_t)(end - text));
}

static void put_values(const Args *args, const ListState *list, const ListPlan *plan, Vector *out, uint32_t row)
{
    const AggregateShape *shape = args->prepared;
    Arena *arena = args->evaluation->arena;
    PackedEntry entry;
    int64_t shown = list->count < plan->most ? list->count : plan->most, first = plan->rule == LIST_LATEST ? list->count - shown : 0, at = 0;
    Value *items = ARENA_ARRAY(arena, Value, (size_t)shown + 1), result = value_null(shape->result_type);
    for (PACKED_EACH(&list->entries, &entry)) {
        if (at >= first && at < first + shown)
            items[at - first] = packed_value(arena, shape->arg_types, 0, &entry);
        at++;
    }
    if (plan->single) {
        vector_set(arena, out, row, shown ? &items[0] : &result);
        return;
    }
    result.is_null = false;
    result.nested.items = items;
    result.nested.count = (uint32_t)shown;
    vector_set(arena, out, row, &result);
}

static void list_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const ListPlan plan = list_plan(args->prepared);
    for (uint32_t i = 0; i < count; i++) {
        const ListState *list = (const ListState *)(states[i] + offset);
        if (is_text(plan.rule))
            put_text(args, list, &plan, out, first + i);
        else
            put_values(args, list, &plan, out, first + i);
    }
}

/* ---- types ---- */

static const Type *type_of_list(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return types[0]->kind == TYPE_NULL ? NULL : type_array(arena, types[0]);
}

static const Type *type_of_one(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0]->kind == TYPE_NULL ? NULL : types[0];
}

static const char *refuse_count(const Value *constants, int count)
{
    for (int i = 0; i < count; i++)
        if (constants[i].type->kind == TYPE_BIGINT && (constants[i].integer < 1 || constants[i].integer > 1000000))
            return "the number of values must be from 1 to 1000000";
    return NULL;
}

const char *const latest_aliases[] = { "last_value", NULL };
const char *const earliest_aliases[] = { "first_value", "any_value", NULL };
static const char *const list_aliases[] = { "array_agg", NULL };
static const char *const text_aliases[] = { "string_agg", NULL };

#define LIST_KERNELS .layout = "sl", .update = list_update, .merge = list_merge, .result = list_result, .retract = RETRACT_INVERT, .order_sensitive = true, .category = "aggregate"
#define BY_OFFSET(sql, list_rule, other_names, which)                                                                                                  \
    { .name = sql, .aliases = other_names, .args = { TYPE_ANY }, .returns = TYPE_ANY, .resolve = type_of_one, .rule = list_rule, LIST_KERNELS,          \
      .doc = "The value that arrived " which ", NULL left out.", .example = sql "(x)", .yields = list_rule == LIST_EARLIEST ? "1" : "2" }, \
    { .name = sql, .aliases = other_names, .args = { TYPE_ANY, TYPE_BOOLEAN }, .constants = 1, .returns = TYPE_ANY, .resolve = type_of_one, .rule = list_rule, LIST_KERNELS,    \
      .doc = "The same; with FALSE a NULL counts like any value.", .example = sql "(x, FALSE)", .yields = list_rule == LIST_EARLIEST ? "1" : "NULL" },   \
    { .name = sql, .aliases = other_names, .args = { TYPE_ANY, TYPE_BIGINT }, .constants = 1, .returns = TYPE_ANY, .resolve = type_of_list, .refuse = refuse_count,              \
      .rule = list_rule, LIST_KERNELS, .doc = "The n values that arrived " which ", in order, NULL left out.", .example = sql "(x, 2)",                  \
      .yields = list_rule == LIST_EARLIEST ? "[1,2]" : "[2,2]" },                                                                                      \
    { .name = sql, .aliases = other_names, .args = { TYPE_ANY, TYPE_BIGINT, TYPE_BOOLEAN }, .constants = 2, .returns = TYPE_ANY, .resolve = type_of_list, .refuse = refuse_count, \
      .rule = list_rule, LIST_KERNELS, .doc = "The same; with FALSE a NULL counts like any value.", .example = sql "(x, 2, FALSE)",                      \
      .yields = list_rule == LIST_EARLIEST ? "[1,2]" : "[2,null]" }

const AggregateFunction earliest_aggregate = { .name = "earliest_by_offset", .returns = TYPE_ANY, .rule = LIST_EARLIEST, LIST_KERNELS };
const AggregateFunction latest_aggregate = { .name = "latest_by_offset", .returns = TYPE_ANY, .rule = LIST_LATEST, LIST_KERNELS };

const AggregateFunction ksql_collect_list = { .name = "collect_list by session", .args = { TYPE_ANY }, .returns = TYPE_ANY, .rule = LIST_ALL, .layout = "sl", .update = list_update,
    .merge = list_merge_in_front, .result = list_result, .retract = RETRACT_INVERT, .order_sensitive = true, .limit_setting = "collect_list", .category = "aggregate" };

const AggregateFunction list_aggregates[] = {
    { .name = "collect_list", .aliases = list_aliases, .args = { TYPE_ANY }, .returns = TYPE_ANY, .resolve = type_of_list, .rule = LIST_ALL, LIST_KERNELS,
      .limit_setting = "collect_list", .doc = "All values in the order in which they came, NULL too.", .example = "collect_list(x)", .yields = "[1,2,2,null]" },
    BY_OFFSET("earliest_by_offset", LIST_EARLIEST, earliest_aliases, "first"),
    BY_OFFSET("latest_by_offset", LIST_LATEST, latest_aliases, "last"),
    { .name = "listagg", .aliases = text_aliases, .args = { TYPE_VARCHAR }, .returns = TYPE_VARCHAR, .rule = LIST_TEXT, LIST_KERNELS,
      .doc = "The texts in the order in which they came, with commas between them.", .example = "listagg(CAST(x AS STRING))", .yields = "1,2,2" },
    { .name = "listagg", .aliases = text_aliases, .args = { TYPE_VARCHAR, TYPE_VARCHAR }, .constants = 1, .returns = TYPE_VARCHAR, .rule = LIST_TEXT, LIST_KERNELS,
      .doc = "The same with another separator.", .example = "listagg(CAST(x AS STRING), '; ')", .yields = "1; 2; 2" },
    { .name = "json_arrayagg", .args = { TYPE_ANY }, .returns = TYPE_VARCHAR, .rule = LIST_JSON_ARRAY, LIST_KERNELS,
      .doc = "The values as a JSON array, in the order in which they came. A NULL is left out, and null with NULL ON NULL.", .example = "JSON_ARRAYAGG(x NULL ON NULL)", .yields = "[1,2,2,null]" },
    { .name = "json_objectagg", .args = { TYPE_ANY }, .returns = TYPE_VARCHAR, .rule = LIST_JSON_OBJECT, LIST_KERNELS,
      .doc = "Keys and values as a JSON object: JSON_OBJECTAGG(KEY k VALUE v). A NULL is null, and left out with ABSENT ON NULL. Keys should differ; what has none is left out.", .example = "JSON_OBJECTAGG(KEY 'n' VALUE x) FILTER (WHERE x = 1)", .yields = "{\"n\":1}" },
    { .name = NULL },
};

/* exec/lambda.c: functions that take lambdas, over whole batches.
 *
 * The elements of all rows' lists stand behind each other and are rows of their own: a lambda's body runs over them at once, as any
 * compiled expression. What it takes from the row around (columns, parameters of lambdas outside, and whatever is computed from these
 * alone) is computed once a row and repeated for its elements. REDUCE, where each step needs the one before, goes position by position
 * over all rows at once. An element's failure is one of its row. */
#include "exec/expression_internal.h"
#include "common/hash.h"

struct Body {
    int slot, parameter_count;
    Node root;
    Node **captures;          /* nodes of the expression around, evaluated once a row */
    int capture_count, capture_capacity;
    const Vector **outside;   /* their values, by rows */
    const Vector **locals;    /* parameters, then captured values, by elements */
    bool is_volatile;         /* elements need names of their own */
};

/* ---- compiling ---- */

/* Does a parameter of the body stand in the expression? Lambdas in it whose slots hide these have none (see EXPR_PARAMETER). */
static bool reads_parameter(const Expr *expr, const Body *body)
{
    int end = body->slot + body->parameter_count;
    if (expr->kind == EXPR_PARAMETER)
        return expr->slot >= body->slot && expr->slot < end;
    if (expr->kind == EXPR_LAMBDA && expr->slot < end && expr->slot + expr->parameter_count > body->slot)
        return false;
    for (int i = 0; i < expr->arg_count; i++)
        if (reads_parameter(expr->args[i], body))
            return true;
    return false;
}

static bool any_volatile(const Expr *expr)
{
    bool found = expr->kind == EXPR_CALL && expr->function->is_volatile;
    for (int i = 0; i < expr->arg_count && !found; i++)
        found = any_volatile(expr->args[i]);
    return found;
}

static bool may_fail(const Expr *expr)
{
    bool found = (expr->kind == EXPR_CALL || expr->kind == EXPR_APPLY) && expr->function->can_fail;
    for (int i = 0; i < expr->arg_count && !found; i++)
        found = may_fail(expr->args[i]);
    return found;
}

static bool same_variable(const Expr *a, const Expr *b)
{
    return a->kind == b->kind && ((a->kind == EXPR_COLUMN && a->column == b->column) || (a->kind == EXPR_PARAMETER && a->slot == b->slot));
}

Error *body_capture(Arena *arena, Node *node, const Expr *expr, Frame *frame, bool *captured)
{
    Body *body = frame->body;
    bool variable = expr->kind == EXPR_COLUMN || expr->kind == EXPR_PARAMETER;
    if (expr->kind == EXPR_PARAMETER && reads_parameter(expr, body)) {
        node->local = expr->slot - body->slot;
        *captured = true;
        return NULL;
    }
    if (expr->kind == EXPR_CONSTANT || expr->kind == EXPR_LAMBDA || reads_parameter(expr, body))
        return NULL;
    if (!variable && (may_fail(expr) || any_volatile(expr))) /* for each element, if there is one */
        return NULL;
    *captured = true;
    for (int i = 0; i < body->capture_count; i++)
        if (same_variable(body->captures[i]->expr, expr)) {
            node->local = body->parameter_count + i;
            return NULL;
        }
    Node *outside = ARENA_NEW(arena, Node);
    node->local = body->parameter_count + body->capture_count;
    TRY(node_open(arena, outside, expr, frame->outer));
    struct { Node **items; int count, capacity; } list = { body->captures, body->capture_count, body->capture_capacity };
    LIST_ADD(arena, &list, outside);
    body->captures = list.items;
    body->capture_count = list.count;
    body->capture_capacity = list.capacity;
    return NULL;
}

Error *body_open(Arena *arena, Node *lambda, Frame *outer)
{
    const Expr *expr = lambda->expr;
    Body *body = lambda->body = ARENA_NEW(arena, Body);
    Frame frame = { body, outer };
    body->slot = expr->slot;
    body->parameter_count = expr->parameter_count;
    body->is_volatile = any_volatile(expr->args[0]);
    TRY(node_open(arena, &body->root, expr->args[0], &frame));
    body->outside = ARENA_ARRAY(arena, const Vector *, (size_t)body->capture_count + 1);
    body->locals = ARENA_ARRAY(arena, const Vector *, (size_t)(body->parameter_count + body->capture_count) + 1);
    return NULL;
}

/* ---- elements ---- */

/* Elements of the lists of several rows, row after row. */
typedef struct Elements {
    const Vector *lists;
    uint32_t *rows, *places;  /* the row that each stands in, its place in the lists' child */
    uint32_t count;
    bool whole;               /* the child as it is */
    uint8_t *failed;          /* by row; NULL: none did */
} Elements;

static void flatten(const Run *run, const Vector *lists, const Selection *live, Elements *elements)
{
    uint32_t mask = vector_mask(lists);
    size_t total = 0;
    *elements = (Elements){ .lists = lists, .whole = mask != 0 };
    for (uint32_t i = 0; i < live->count; i++) {
        uint32_t row = selection_row(live, i) & mask;
        total += vector_is_null(lists, row) ? 0 : lists->offsets[row + 1] - lists->offsets[row];
    }
    if (total > UINT32_MAX / 2)
        memory_raise();
    elements->rows = run_rows(run, (uint32_t)total);
    elements->places = run_rows(run, (uint32_t)total);
    for (uint32_t i = 0; i < live->count; i++) {
        uint32_t row = selection_row(live, i), at = lists->offsets[row & mask], end = lists->offsets[(row & mask) + 1];
        for (; at < end && !vector_is_null(lists, row); at++) {
            elements->whole &= at == elements->count;
            elements->rows[elements->count] = row;
            elements->places[elements->count++] = at;
        }
    }
}

/* The parts of an element that are parameters: itself; of a MAP, key and value. Returns how many. */
static int element_parts(const Vector *lists, const Vector *parts[2])
{
    parts[0] = lists->children[0];
    if (lists->type->kind != TYPE_MAP)
        return 1;
    const Vector *pairs = lists->children[0];
    parts[0] = pairs->children[0];
    parts[1] = pairs->children[1];
    return 2;
}

static const Vector *repeat(Arena *arena, const Vector *vector, const uint32_t *rows, uint32_t count)
{
    return vector->encoding == VECTOR_CONSTANT ? vector : vector_gather(arena, vector, rows, count);
}

/* ---- bodies ---- */

/* What the body takes from the rows around. */
static Error *body_look_outside(Body *body, const Run *run, const Selection *live)
{
    for (int i = 0; i < body->capture_count; i++)
        TRY(node_run(body->captures[i], run, live, &body->outside[i]));
    return NULL;
}

/* The name of an element among all of the turn: those of the same row differ by their position. */
static uint64_t *name_elements(const Run *run, Arena *arena, const uint32_t *rows, uint32_t count, uint32_t position)
{
    uint64_t *names = arena_alloc(arena, sizeof *names * ((size_t)count + 1));
    for (uint32_t i = 0, nth = 0; i < count; i++) {
        nth = i && rows[i] == rows[i - 1] ? nth + 1 : 0;
        uint64_t key[2] = { evaluation_row(run->evaluation, rows[i]), position + nth + 1 };
        names[i] = checksum_bytes(key, sizeof key);
    }
    return names;
}

/* Runs the body over `count` elements; its parameters are in body->locals. Failures become those of their rows, which are marked. */
static Error *body_run(Body *body, const Run *run, Arena *arena, const uint32_t *rows, uint32_t count, uint32_t position, uint8_t **failed, const Vector **result)
{
    Evaluation inner = *run->evaluation;
    inner.arena = arena;
    inner.failures = NULL;
    inner.failure_count = inner.failure_capacity = 0;
    inner.row_names = body->is_volatile ? name_elements(run, arena, rows, count, position) : NULL;
    for (int i = 0; i < body->capture_count; i++)
        body->locals[body->parameter_count + i] = repeat(arena, body->outside[i], rows, count);
    Run run_inside = { &inner, NULL, arena, count, body->locals };
    Selection all = { count, NULL };
    TRY(node_run(&body->root, &run_inside, &all, result));
    if (inner.failure_count && !*failed)
        *failed = arena_calloc(run->arena, run->row_count, 1);
    for (uint32_t i = 0; i < inner.failure_count; i++) {
        uint32_t row = rows[inner.failures[i].row];
        if (!(*failed)[row])
            evaluation_fail(run->evaluation, row, arena_strdup(run->arena, inner.failures[i].reason));
        (*failed)[row] = 1;
    }
    return NULL;
}

static Error *run_over_elements(Body *body, const Run *run, const Selection *live, Elements *elements, const Vector **result)
{
    const Vector *parts[2];
    int count = element_parts(elements->lists, parts);
    TRY(body_look_outside(body, run, live));
    for (int i = 0; i < count; i++)
        body->locals[i] = elements->whole ? parts[i] : vector_gather(run->arena, parts[i], elements->places, elements->count);
    return body_run(body, run, run->arena, elements->rows, elements->count, 0, &elements->failed, result);
}

/* ---- lists again ---- */

/* NULL where the list is, or where the row failed. */
static void mark_nulls(const Run *run, Vector *out, const Elements *elements, const Selection *live)
{
    for (uint32_t i = 0; i < live->count; i++) {
        uint32_t row = selection_row(live, i);
        if (vector_is_null(elements->lists, row) || (elements->failed && elements->failed[row]))
            vector_set_null(run->arena, out, row);
    }
}

/* Elements of rows that did not fail, and, with `test`, that are TRUE. */
static uint32_t *keep_elements(const Run *run, const Elements *elements, const Vector *test, uint32_t *count)
{
    uint32_t *kept = run_rows(run, elements->count);
    const uint8_t *values = test ? test->values : NULL;
    *count = 0;
    for (uint32_t i = 0; i < elements->count; i++) {
        if (elements->failed && elements->failed[elements->rows[i]])
            continue;
        if (!test || (!vector_is_null(test, i) && values[i & vector_mask(test)]))
            kept[(*count)++] = i;
    }
    return kept;
}

static void fill_offsets(const Run *run, Vector *out, const Elements *elements, const uint32_t *kept, uint32_t count)
{
    uint32_t row = 0;
    out->offsets[0] = 0;
    for (uint32_t i = 0; i < count; i++)
        while (row < elements->rows[kept[i]])
            out->offsets[++row] = i;
    while (row < run->row_count)
        out->offsets[++row] = count;
    out->child_rows = count;
}

static Error *run_filter(Node *node, const Run *run, const Selection *live, Elements *elements, Vector *out)
{
    const Vector *test;
    TRY(run_over_elements(node->args[1].body, run, live, elements, &test));
    uint32_t count, *kept = keep_elements(run, elements, test, &count);
    fill_offsets(run, out, elements, kept, count);
    for (uint32_t i = 0; i < count; i++)
        kept[i] = elements->places[kept[i]];
    out->children[0] = vector_gather(run->arena, elements->lists->children[0], kept, count);
    return NULL;
}

/* Keys that a lambda made: none is NULL, none comes twice. */
static void check_keys(const Run *run, Elements *elements, const Vector *keys)
{
    if (!elements->failed)
        elements->failed = arena_calloc(run->arena, run->row_count, 1);
    for (uint32_t i = 0, end; i < elements->count; i = end) {
        uint32_t row = elements->rows[i];
        bool null = false;
        for (end = i; end < elements->count && elements->rows[end] == row; end++)
            null |= vector_is_null(keys, end);
        if (elements->failed[row])
            continue;
        bool twice = !null && vector_repeats(run->arena, keys, i, end - i);
        if (null || twice)
            evaluation_fail(run->evaluation, row, null ? "transform makes a MAP key that is NULL" : "transform makes a MAP key twice");
        elements->failed[row] = null || twice;
    }
}

static Error *run_transform(Node *node, const Run *run, const Selection *live, Elements *elements, Vector *out)
{
    const Vector *made[2];
    bool is_map = out->type->kind == TYPE_MAP;
    for (int i = 0; i <= is_map; i++)
        TRY(run_over_elements(node->args[1 + i].body, run, live, elements, &made[i]));
    if (is_map)
        check_keys(run, elements, made[0]);
    uint32_t count, *kept = keep_elements(run, elements, NULL, &count);
    fill_offsets(run, out, elements, kept, count);
    for (int i = 0; i <= is_map; i++) {
        Vector **into = is_map ? &out->children[0]->children[i] : &out->children[0];
        bool as_is = count == elements->count && made[i]->encoding == VECTOR_FLAT;
        *into = as_is ? (Vector *)made[i] : vector_gather(run->arena, made[i], kept, count);
    }
    if (is_map)
        out->children[0]->capacity = count;
    return NULL;
}

/* ANY, ALL: decided by one element, unknown if a NULL might have decided. */
static Error *run_match(Node *node, const Run *run, const Selection *live, Elements *elements, Vector *out)
{
    const uint8_t decides = node->expr->function->lambda == LAMBDA_ANY;
    const Vector *test;
    TRY(run_over_elements(node->args[1].body, run, live, elements, &test));
    const uint8_t *tested = test->values;
    uint8_t *values = out->values, *unknown = arena_calloc(run->arena, (size_t)run->row_count + 1, 1);
    memset(values, !decides, run->row_count);
    for (uint32_t i = 0; i < elements->count; i++) {
        uint32_t row = elements->rows[i];
        if (vector_is_null(test, i))
            unknown[row] = 1;
        else if (tested[i & vector_mask(test)] == decides)
            values[row] = decides;
    }
    for (uint32_t i = 0; i < live->count; i++) {
        uint32_t row = selection_row(live, i);
        if (unknown[row] && values[row] != decides)
            vector_set_null(run->arena, out, row);
    }
    return NULL;
}

/* ---- REDUCE ---- */

#define STEPS_MAX 64 /* after so many the memory of the steps before is given back */

typedef struct Reduction {
    Body *body;
    const Run *run;
    const Vector *lists;
    uint32_t *rows, *places, *ends; /* of the rows that have elements left: row, its next place, its end */
    uint32_t count, position;
    uint8_t *failed;                /* by row; NULL: none did */
    Vector *out;
    Value *nested;                  /* results of nested types by row, set in order at the end; NULL: written at once */
} Reduction;

/* Row `from` of a state is the result of row `row`. States do not live long: texts are copied. */
static void finish_row(Reduction *reduction, const Vector *state, uint32_t from, uint32_t row)
{
    Arena *arena = reduction->run->arena;
    Value value = vector_get(arena, state, from);
    if (!reduction->nested) {
        vector_set(arena, reduction->out, row, &value);
        return;
    }
    reduction->nested[row] = value_copy(arena, &value);
}

/* A copy that holds its texts itself. */
static const Vector *copy_state(Arena *arena, const Vector *state, uint32_t count)
{
    Vector *copy = vector_new(arena, state->type, count);
    for (uint32_t i = 0; i < count; i++) {
        Value value = vector_get(arena, state, i);
        vector_set(arena, copy, i, &value);
    }
    return copy;
}

/* One element of each row that has one left; rows that are through, or failed, leave. */
static Error *reduce_step(Reduction *reduction, Arena *arena, const Vector **state)
{
    const Vector *parts[2], *made;
    int part_count = element_parts(reduction->lists, parts);
    reduction->body->locals[0] = *state;
    for (int i = 0; i < part_count; i++)
        reduction->body->locals[1 + i] = vector_gather(arena, parts[i], reduction->places, reduction->count);
    TRY(body_run(reduction->body, reduction->run, arena, reduction->rows, reduction->count, reduction->position++, &reduction->failed, &made));
    uint32_t *kept = arena_alloc(arena, sizeof *kept * reduction->count), kept_count = 0;
    for (uint32_t i = 0; i < reduction->count; i++) {
        uint32_t row = reduction->rows[i];
        if (reduction->failed && reduction->failed[row])
            continue;
        if (reduction->places[i] + 1 == reduction->ends[i]) {
            finish_row(reduction, made, i, row);
            continue;
        }
        reduction->rows[kept_count] = row;
        reduction->places[kept_count] = reduction->places[i] + 1;
        reduction->ends[kept_count] = reduction->ends[i];
        kept[kept_count++] = i;
    }
    bool same = kept_count == reduction->count && made->encoding == VECTOR_FLAT;
    *state = same ? made : vector_gather(arena, made, kept, kept_count);
    reduction->count = kept_count;
    return NULL;
}

/* Two arenas take turns, so that a long list does not keep all its steps. */
static Error *reduce_steps(Reduction *reduction, const Vector *first)
{
    Arena arenas[2];
    arena_init(&arenas[0], reduction->run->arena->pool);
    arena_init(&arenas[1], reduction->run->arena->pool);
    MEMORY_HOLD(arena_unwind, &arenas[0]);
    MEMORY_HOLD(arena_unwind, &arenas[1]);
    int which = 0;
    const Vector *state = repeat(&arenas[0], first, reduction->rows, reduction->count);
    Error *error = NULL;
    while (reduction->count && !error) {
        for (int i = 0; i < STEPS_MAX && reduction->count && !error; i++)
            error = reduce_step(reduction, &arenas[which], &state);
        if (!reduction->count || error)
            break;
        state = copy_state(&arenas[!which], state, reduction->count);
        arena_reset(&arenas[which]);
        which = !which;
    }
    arena_release(&arenas[0]);
    arena_release(&arenas[1]);
    return error;
}

static Error *run_reduce(Node *node, const Run *run, const Selection *live, const Vector *lists, const Vector **result)
{
    Reduction reduction = { .body = node->args[2].body, .run = run, .lists = lists };
    const Vector *first;
    uint32_t mask = vector_mask(lists);
    TRY(node_run(&node->args[1], run, live, &first));
    TRY(body_look_outside(reduction.body, run, live));
    reduction.out = vector_new(run->arena, node->expr->type, run->row_count);
    if (type_width(node->expr->type) == 0)
        reduction.nested = ARENA_ARRAY(run->arena, Value, (size_t)run->row_count + 1);
    for (uint32_t row = 0; reduction.nested && row < run->row_count; row++)
        reduction.nested[row] = value_null(node->expr->type);
    reduction.rows = run_rows(run, live->count);
    reduction.places = run_rows(run, live->count);
    reduction.ends = run_rows(run, live->count);
    for (uint32_t i = 0; i < live->count; i++) {
        uint32_t row = selection_row(live, i), start = lists->offsets[row & mask], end = lists->offsets[(row & mask) + 1];
        if (vector_is_null(lists, row) || start == end) {
            finish_row(&reduction, first, row, row);
            continue;
        }
        reduction.rows[reduction.count] = row;
        reduction.places[reduction.count] = start;
        reduction.ends[reduction.count++] = end;
    }
    TRY(reduce_steps(&reduction, first));
    for (uint32_t row = 0; reduction.nested && row < run->row_count; row++)
        vector_set(run->arena, reduction.out, row, &reduction.nested[row]);
    for (uint32_t row = 0; reduction.failed && row < run->row_count; row++)
        if (reduction.failed[row])
            vector_set_null(run->arena, reduction.out, row);
    *result = reduction.out;
    return NULL;
}

/* ---- all forms ---- */

Error *run_apply(Node *node, const Run *run, const Selection *live, const Vector **result)
{
    const Vector *lists;
    Elements elements;
    LambdaForm form = node->expr->function->lambda;
    TRY(node_run(&node->args[0], run, live, &lists));
    if (form == LAMBDA_REDUCE)
        return run_reduce(node, run, live, lists, result);
    Vector *out = vector_new(run->arena, node->expr->type, run->row_count);
    flatten(run, lists, live, &elements);
    if (elements.count == 0 && form != LAMBDA_ALL) {
        mark_nulls(run, out, &elements, live);
        *result = out;
        return NULL;
    }
    switch (form) {
    case LAMBDA_TRANSFORM: TRY(run_transform(node, run, live, &elements, out)); break;
    case LAMBDA_FILTER: TRY(run_filter(node, run, live, &elements, out)); break;
    case LAMBDA_ANY:
    case LAMBDA_ALL: TRY(run_match(node, run, live, &elements, out)); break;
    case LAMBDA_REDUCE:
    case LAMBDA_NONE: break;
    }
    mark_nulls(run, out, &elements, live);
    *result = out;
    return NULL;
}

/* exec/expression.c: bound expressions over batches, a column at a time.
 *
 * An Expr is compiled once to nodes with their constants as vectors, their arguments' places and what `prepare` made. A node is then
 * evaluated for the `live` rows of a batch; other rows of its result hold anything, initialised. AND, OR, CASE and COALESCE hand smaller
 * selections to the arguments that come later, so that a branch not taken cannot fail. Nothing is allocated per row:
 * results are vectors in the evaluation's arena, a column is the batch's own vector. */
#include <assert.h>
#include "exec/expression_internal.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct Expression {
    Node root;
};

/* ---- compiling ---- */

static Error *node_prepare(Arena *arena, Node *node)
{
    const Expr *expr = node->expr;
    if (!expr->function->prepare)
        return NULL;
    const Value **constants = ARENA_ARRAY(arena, const Value *, (size_t)expr->arg_count + 1);
    int guilty = 0;
    for (int i = 0; i < expr->arg_count; i++)
        if (expr->args[i]->kind == EXPR_CONSTANT) {
            constants[i] = &expr->args[i]->value;
            guilty = i;
        }
    Error *error = expr->function->prepare(arena, constants, expr->arg_count, &node->prepared);
    if (error && error->at.length == 0)
        error->at = expr->arg_count ? expr->args[guilty]->at : expr->at;
    return error;
}

Error *node_open(Arena *arena, Node *node, const Expr *expr, Frame *frame)
{
    bool captured = false;
    node->expr = expr;
    node->local = -1;
    if (frame)
        TRY(body_capture(arena, node, expr, frame, &captured));
    if (captured)
        return NULL;
    if (expr->kind == EXPR_LAMBDA)
        return body_open(arena, node, frame);
    node->arg_count = expr->arg_count;
    node->args = ARENA_ARRAY(arena, Node, (size_t)expr->arg_count + 1);
    for (int i = 0; i < expr->arg_count; i++) {
        TRY(node_open(arena, &node->args[i], expr->args[i], frame));
        node->narrow_pays |= node->args[i].narrow_pays;
    }
    switch (expr->kind) {
    case EXPR_CONSTANT:
        node->constant = vector_constant(arena, &expr->value);
        break;
    case EXPR_CALL:
        node->vectors = ARENA_ARRAY(arena, const Vector *, (size_t)expr->arg_count + 1);
        node->narrow_pays |= !expr->function->retypes && (!expr->function->dense || expr->function->can_fail);
        return node_prepare(arena, node);
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_APPLY:
        node->narrow_pays = true;
        break;
    case EXPR_LAMBDA:
    case EXPR_PARAMETER:
    case EXPR_COLUMN:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_FIELD: break;
    }
    return NULL;
}

Error *expression_open(Arena *arena, const Expr *expr, Expression **expression)
{
    *expression = ARENA_NEW(arena, Expression);
    return node_open(arena, &(*expression)->root, expr, NULL);
}

/* ---- selections ---- */

uint32_t *run_rows(const Run *run, uint32_t count) { return arena_alloc(run->arena, sizeof(uint32_t) * ((size_t)count + 1)); }

/* The rows of `live` whose byte is 1. `rows` has room for all of them. */
static uint32_t select_bytes(const uint8_t *bytes, const Selection *live, uint32_t *rows)
{
    uint32_t count = 0, row = 0;
    if (live->rows) {
        for (uint32_t i = 0; i < live->count; i++) {
            rows[count] = live->rows[i];
            count += bytes[live->rows[i]];
        }
        return count;
    }
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    for (; row + 16 <= live->count; row += 16) { /* sixteen at once: often none or all of them pass */
        uint32_t bits = 0xFFFF & ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(bytes + row)), zero));
        if (bits == 0xFFFF) {
            for (uint32_t i = 0; i < 16; i++)
                rows[count + i] = row + i;
            count += 16;
            continue;
        }
        for (; bits; bits &= bits - 1)
            rows[count++] = row + (uint32_t)__builtin_ctz(bits);
    }
#endif
    for (; row < live->count; row++) {
        rows[count] = row;
        count += bytes[row];
    }
    return count;
}

/* Rows of `live` that are TRUE. */
static Selection select_true(const Run *run, const Vector *vector, const Selection *live)
{
    if (vector->encoding == VECTOR_CONSTANT) {
        bool pass = !vector_is_null(vector, 0) && *(const uint8_t *)vector->values;
        return pass ? *live : (Selection){ 0, NULL };
    }
    uint32_t *rows = run_rows(run, live->count);
    uint32_t count = select_bytes(vector->values, live, rows);
    if (vector->validity) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < count; i++) {
            rows[kept] = rows[i];
            kept += bit_get(vector->validity, rows[i]);
        }
        count = kept;
    }
    return count == live->count ? *live : (Selection){ count, rows };
}

/* The rows of `live` that are not in its subset `without`. */
static Selection select_rest(const Run *run, const Selection *live, const Selection *without)
{
    if (without->count == 0)
        return *live;
    if (without->count == live->count)
        return (Selection){ 0, NULL };
    uint32_t *rows = run_rows(run, live->count), count = 0, next = 0;
    for (uint32_t i = 0; i < live->count; i++) {
        uint32_t row = selection_row(live, i);
        if (next < without->count && selection_row(without, next) == row)
            next++;
        else
            rows[count++] = row;
    }
    return (Selection){ count, rows };
}

/* Rows of `live` that are NULL, or those that are not. */
Selection select_null(const Run *run, const Vector *vector, const Selection *live, bool null)
{
    if (!vector->validity || vector->encoding == VECTOR_CONSTANT)
        return vector_is_null(vector, 0) == null ? *live : (Selection){ 0, NULL };
    uint32_t *rows = run_rows(run, live->count), count = 0;
    for (uint32_t i = 0; i < live->count; i++) {
        rows[count] = selection_row(live, i);
        count += bit_get(vector->validity, rows[count]) != null;
    }
    return count == live->count ? *live : (Selection){ count, rows };
}

/* ---- results ---- */

const Vector *run_null(const Run *run, const Type *type)
{
    Value null = value_null(type);
    return vector_constant(run->arena, &null);
}

/* A FLAT vector; not zeroed where every row will be written. */
static Vector *new_result(const Run *run, const Type *type, uint32_t rows, bool all_written)
{
    size_t width = type_width(type);
    if (!all_written || width == 0)
        return vector_new(run->arena, type, rows);
    Vector *vector = ARENA_NEW(run->arena, Vector);
    vector->type = type;
    vector->capacity = rows;
    vector->values = arena_alloc(run->arena, width * (rows ? rows : 1));
    return vector;
}

static Vector *shallow(const Run *run, const Vector *vector, const Type *type)
{
    Vector *copy = ARENA_NEW(run->arena, Vector);
    *copy = *vector;
    copy->type = type;
    return copy;
}

/* into &= bits; makes `into` if there is none. */
static void and_validity(const Run *run, uint64_t **into, const uint64_t *bits, uint32_t rows)
{
    size_t words = bitmap_words(rows ? rows : 1);
    if (!*into) {
        *into = arena_copy(run->arena, bits, words * 8);
        return;
    }
    for (size_t i = 0; i < words; i++)
        (*into)[i] &= bits[i];
}

/* ---- calls ---- */

/* A failure of a constant expression is one of every live row. */
static void spread_failures(const Run *run, const Selection *live, uint32_t before)
{
    Evaluation *evaluation = run->evaluation;
    if (evaluation->failure_count == before)
        return;
    const char *reason = evaluation->failures[before].reason;
    RowFailure *failures = arena_alloc(run->arena, ((size_t)before + live->count) * sizeof *failures);
    memcpy(failures, evaluation->failures, before * sizeof *failures);
    for (uint32_t i = 0; i < live->count; i++)
        failures[before + i] = (RowFailure){ selection_row(live, i), reason };
    evaluation->failures = failures;
    evaluation->failure_count = evaluation->failure_capacity = before + live->count;
}

/* Says which function of the user they come from. */
static void name_failures(const Run *run, uint32_t before, const char *function)
{
    for (uint32_t i = before; i < run->evaluation->failure_count; i++) {
        RowFailure *failure = &run->evaluation->failures[i];
        failure->reason = arena_printf(run->arena, "%s: %s", function, failure->reason);
    }
}

static Error *call_kernel(Node *node, const Run *run, const Selection *live, bool constant, const Vector **result)
{
    const Expr *expr = node->expr;
    const ScalarFunction *function = expr->function;
    uint32_t rows = constant ? 1 : run->row_count, failures_before = run->evaluation->failure_count;
    Selection all = { rows, NULL };
    Vector *out = new_result(run, expr->type, rows, function->dense);
    Args args = {
        .arg = node->vectors, .arg_count = node->arg_count, .row_count = rows, .live = constant ? all : *live,
        .prepared = node->prepared, .result_type = expr->type, .evaluation = run->evaluation,
    };
    for (int i = 0; i < node->arg_count && !function->sees_nulls; i++) {
        const Vector *vector = node->vectors[i];
        if (!vector->validity || vector->encoding == VECTOR_CONSTANT)
            continue;
        and_validity(run, &out->validity, vector->validity, rows);
        if (!function->dense)
            args.live = select_null(run, vector, &args.live, false);
    }
    if (function->dense)
        args.live = all;
    TRY(function->kernel(&args, out));
    if (expr->within && run->evaluation->failure_count > failures_before)
        name_failures(run, failures_before, expr->within);
    if (constant) {
        out->encoding = VECTOR_CONSTANT;
        spread_failures(run, live, failures_before);
    }
    *result = out;
    return NULL;
}

static Error *run_call(Node *node, const Run *run, const Selection *live, const Vector **result)
{
    const Expr *expr = node->expr;
    bool constant = !expr->function->is_volatile;
    for (int i = 0; i < node->arg_count; i++) {
        TRY(node_run(&node->args[i], run, live, &node->vectors[i]));
        constant &= node->vectors[i]->encoding == VECTOR_CONSTANT;
        if (!expr->function->sees_nulls && node->vectors[i]->encoding == VECTOR_CONSTANT && vector_is_null(node->vectors[i], 0)) {
            for (int j = i + 1; j < node->arg_count; j++) /* they may fail */
                TRY(node_run(&node->args[j], run, live, &node->vectors[j]));
            *result = run_null(run, expr->type);
            return NULL;
        }
    }
    if (expr->function->retypes) {
        *result = shallow(run, node->vectors[0], expr->type);
        return NULL;
    }
    return call_kernel(node, run, live, constant, result);
}

static Error *run_field(Node *node, const Run *run, const Selection *live, const Vector **result)
{
    const Vector *whole;
    TRY(node_run(&node->args[0], run, live, &whole));
    const Vector *field = whole->children[node->expr->field];
    if (!whole->validity && whole->encoding == VECTOR_FLAT) {
        *result = field;
        return NULL;
    }
    if (whole->encoding == VECTOR_CONSTANT && vector_is_null(whole, 0)) {
        *result = run_null(run, node->expr->type);
        return NULL;
    }
    Vector *copy = shallow(run, field, field->type);
    if (whole->encoding == VECTOR_CONSTANT) {
        copy->encoding = VECTOR_CONSTANT;
    } else {
        copy->validity = NULL;
        and_validity(run, &copy->validity, whole->validity, run->row_count);
        if (field->validity)
            and_validity(run, &copy->validity, field->validity, run->row_count);
    }
    *result = copy;
    return NULL;
}

/* ---- AND, OR ---- */

/* Three values in a byte while arguments are combined. */
enum { NO, YES, UNKNOWN };

static Error *run_logic(Node *node, const Run *run, const Selection *live, const Vector **result)
{
    const uint8_t decided = node->expr->kind == EXPR_AND ? NO : YES;
    Vector *out = new_result(run, node->expr->type, run->row_count, true);
    uint8_t *states = out->values;
    Selection open = *live; /* rows not decided yet */
    bool any_unknown = false;
    memset(states, !decided, run->row_count);
    for (int i = 0; i < node->arg_count && open.count; i++) {
        const Vector *vector;
        TRY(node_run(&node->args[i], run, &open, &vector));
        const uint8_t *values = vector->values;
        uint32_t mask = vector_mask(vector);
        if (!vector->validity && !open.rows && mask) {
            if (decided == NO)
                for (uint32_t row = 0; row < open.count; row++)
                    states[row] = values[row] ? states[row] : NO;
            else
                for (uint32_t row = 0; row < open.count; row++)
                    states[row] = values[row] ? YES : states[row];
        } else {
            for (uint32_t k = 0; k < open.count; k++) {
                uint32_t row = selection_row(&open, k);
                uint8_t state = vector_is_null(vector, row) ? UNKNOWN : values[row & mask];
                any_unknown |= state == UNKNOWN;
                if (state == decided || state == UNKNOWN)
                    states[row] = states[row] == decided ? decided : state;
            }
        }
        bool narrow = false;
        for (int j = i + 1; j < node->arg_count; j++)
            narrow |= node->args[j].narrow_pays;
        if (narrow) {
            uint32_t *rows = run_rows(run, open.count), count = 0;
            for (uint32_t k = 0; k < open.count; k++) {
                rows[count] = selection_row(&open, k);
                count += states[rows[count]] != decided;
            }
            open = count == open.count ? open : (Selection){ count, rows };
        }
    }
    if (any_unknown)
        for (uint32_t row = 0; row < run->row_count; row++)
            if (states[row] == UNKNOWN) {
                states[row] = 0;
                vector_set_null(run->arena, out, row);
            }
    *result = out;
    return NULL;
}

/* ---- CASE, COALESCE ---- */

/* Rows of several results put together: each row comes from one of them. */
typedef struct Merge {
    Vector *out;
    const Vector **sources;
    uint16_t *which; /* nested types: collected, then built in order */
    int count;
} Merge;

static void merge_open(Merge *merge, const Run *run, const Type *type, int most)
{
    merge->out = vector_new(run->arena, type, run->row_count);
    merge->count = 0;
    merge->which = NULL;
    if (type_width(type))
        return;
    merge->sources = ARENA_ARRAY(run->arena, const Vector *, (size_t)most + 1);
    merge->which = arena_alloc(run->arena, sizeof(uint16_t) * ((size_t)run->row_count + 1));
    memset(merge->which, 0xFF, sizeof(uint16_t) * run->row_count);
}

#define MERGE(CType)                                                                                         \
    for (uint32_t i = 0; i < rows->count; i++) {                                                             \
        uint32_t row = selection_row(rows, i);                                                               \
        ((CType *)merge->out->values)[row] = ((const CType *)vector->values)[row & vector_mask(vector)];     \
    }                                                                                                        \
    break

static void merge_rows(Merge *merge, const Run *run, const Vector *vector, const Selection *rows)
{
    if (merge->which) {
        for (uint32_t i = 0; i < rows->count; i++)
            merge->which[selection_row(rows, i)] = (uint16_t)merge->count;
        merge->sources[merge->count++] = vector;
        return;
    }
    if (vector->validity)
        for (uint32_t i = 0; i < rows->count; i++)
            if (vector_is_null(vector, selection_row(rows, i)))
                vector_set_null(run->arena, merge->out, selection_row(rows, i));
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: MERGE(uint8_t);
    case PHYSICAL_INT64: MERGE(int64_t);
    case PHYSICAL_DOUBLE: MERGE(double);
    case PHYSICAL_INT128: MERGE(Int128);
    case PHYSICAL_STR: MERGE(Str);
    case PHYSICAL_INTERVAL: MERGE(Interval);
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: break;
    }
}

/* Rows that no source was given for are NULL. */
static void merge_rest(Merge *merge, const Run *run, const Selection *rows)
{
    for (uint32_t i = 0; !merge->which && i < rows->count; i++)
        vector_set_null(run->arena, merge->out, selection_row(rows, i));
}

static const Vector *merge_close(Merge *merge, const Run *run)
{
    if (merge->which)
        vector_choose(run->arena, merge->out, merge->sources, merge->which, run->row_count);
    return merge->out;
}

static Error *run_case(Node *node, const Run *run, const Selection *live, const Vector **result)
{
    Merge merge;
    Selection open = *live;
    const Vector *vector;
    merge_open(&merge, run, node->expr->type, node->arg_count);
    for (int i = 0; i + 1 < node->arg_count && open.count; i += 2) {
        TRY(node_run(&node->args[i], run, &open, &vector));
        Selection taken = select_true(run, vector, &open);
        if (taken.count) {
            TRY(node_run(&node->args[i + 1], run, &taken, &vector));
            merge_rows(&merge, run, vector, &taken);
        }
        open = select_rest(run, &open, &taken);
    }
    if (open.count && node->arg_count % 2) {
        TRY(node_run(&node->args[node->arg_count - 1], run, &open, &vector));
        merge_rows(&merge, run, vector, &open);
    } else {
        merge_rest(&merge, run, &open);
    }
    *result = merge_close(&merge, run);
    return NULL;
}

static Error *run_coalesce(Node *node, const Run *run, const Selection *live, const Vector **result)
{
    Merge merge;
    Selection open = *live;
    bool merging = false;
    for (int i = 0; i < node->arg_count && open.count; i++) {
        const Vector *vector;
        TRY(node_run(&node->args[i], run, &open, &vector));
        Selection found = select_null(run, vector, &open, false);
        if (!merging && found.count == live->count) {
            *result = vector;
            return NULL;
        }
        if (!merging)
            merge_open(&merge, run, node->expr->type, node->arg_count);
        merging = true;
        if (found.count)
            merge_rows(&merge, run, vector, &found);
        open = select_rest(run, &open, &found);
    }
    merge_rest(&merge, run, &open);
    *result = merge_close(&merge, run);
    return NULL;
}

/* ---- all kinds ---- */

Error *node_run(Node *node, const Run *run, const Selection *live, const Vector **result)
{
    if (node->local >= 0) {
        *result = run->locals[node->local];
        return NULL;
    }
    switch (node->expr->kind) {
    case EXPR_COLUMN: *result = run->batch->columns[node->expr->column]; return NULL;
    case EXPR_CONSTANT: *result = node->constant; return NULL;
    case EXPR_CALL:
    case EXPR_FIELD:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_APPLY: break;
    case EXPR_LAMBDA:
    case EXPR_PARAMETER: assert(!"an argument of EXPR_APPLY, a local of its body"); break;
    }
    if (live->count == 0) {
        *result = run_null(run, node->expr->type);
        return NULL;
    }
    if (node->expr->kind == EXPR_CALL)
        return run_call(node, run, live, result);
    if (node->expr->kind == EXPR_FIELD)
        return run_field(node, run, live, result);
    if (node->expr->kind == EXPR_APPLY)
        return run_apply(node, run, live, result);
    if (node->expr->kind == EXPR_CASE)
        return run_case(node, run, live, result);
    return node->expr->kind == EXPR_COALESCE ? run_coalesce(node, run, live, result) : run_logic(node, run, live, result);
}

static Run run_over(Evaluation *evaluation, const Batch *batch)
{
    return (Run){ evaluation, batch, evaluation->arena, batch->row_count, NULL };
}

/* All rows, if that is what it is: loops without an index are quicker. */
static Selection plain(const Selection *live, uint32_t row_count)
{
    return live->count == row_count ? (Selection){ row_count, NULL } : *live;
}

Error *expression_evaluate(Expression *expression, Evaluation *evaluation, const Batch *batch, const Selection *live, const Vector **result)
{
    Run run = run_over(evaluation, batch);
    Selection rows = plain(live, batch->row_count);
    return node_run(&expression->root, &run, &rows, result);
}

/* Is it TRUE? An AND's arguments one after the other, each for what the one before left. */
static Error *node_select(Node *node, const Run *run, const Selection *live, Selection *passed)
{
    *passed = *live;
    if (node->expr->kind == EXPR_AND) {
        for (int i = 0; i < node->arg_count && passed->count; i++) {
            Selection before = *passed;
            TRY(node_select(&node->args[i], run, &before, passed));
        }
        return NULL;
    }
    const Vector *vector;
    if (live->count == 0)
        return NULL;
    TRY(node_run(node, run, live, &vector));
    *passed = select_true(run, vector, live);
    return NULL;
}

Error *expression_select(Expression *expression, Evaluation *evaluation, const Batch *batch, const Selection *live, Selection *passed)
{
    Run run = run_over(evaluation, batch);
    Selection rows = plain(live, batch->row_count);
    return node_select(&expression->root, &run, &rows, passed);
}

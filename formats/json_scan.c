/* formats/json_scan.c: the fast path: records that look like earlier ones.
 *
 * A template is a record's text with its values taken out: literals to compare (32 bytes at once) and, after each, what to do with the
 * value: step over it or store it. It is learned from a record that the slow path decoded. Some are kept, tried in the order of their
 * use; what follows none goes to the slow path. A null may stand for any scalar value; nothing else may differ.
 *
 *   {"auction":1007,"channel":"Apple","price":23}\n
 *   |--literal-|int |--literal---|text|-literal-|int |literal|end
 *
 * No bounds are checked: a record ends in a newline, and no literal, string or number goes past one. */
#include <immintrin.h>
#include "common/decimal.h"
#include "formats/formats_internal.h"
#include "formats/json_internal.h"
#include "formats/scan_text.h"

#define TEMPLATE_LIMIT 8
#define STEP_LIMIT 400
#define LEARN_BYTES 32768 /* longer records are not learned */

typedef enum StepAction {
    STEP_END,           /* the literal ends in the newline */
    STEP_SKIP_STRING,   /* of strings the literals hold the quotes */
    STEP_SKIP_NUMBER,
    STEP_SKIP_BOOLEAN,
    STEP_SKIP_VALUE,    /* any value: arrays */
    STEP_INTEGER,
    STEP_TEXT,
    STEP_TIMESTAMP,     /* text in quotes */
    STEP_DOUBLE,
    STEP_DECIMAL,
    STEP_EPOCH,         /* milliseconds */
    STEP_BOOLEAN,
    STEP_OTHER          /* any other value that is wanted: converted with care */
} StepAction;

typedef struct Step {
    char head[32], head_mask[32]; /* the literal's first 32 bytes; ones where they count */
    const char *text;             /* the literal */
    uint32_t length;
    StepAction action;
    int column;                   /* -1: skipped */
    unsigned scale;               /* STEP_DECIMAL */
    int64_t minimum, maximum;     /* STEP_INTEGER; STEP_DECIMAL: the largest; STEP_SKIP_VALUE: minimum = levels left */
} Step;

typedef struct Template {
    uint64_t hits;
    int step_count, missing_count;
    Step *steps;
    int *missing;  /* columns that are NULL in such records */
} Template;

struct JsonScan {
    const JsonColumn *columns;
    int column_count, node_count;
    bool off;                /* the wanted columns are of a kind that templates do not serve */
    bool coarse;             /* objects nobody wants are stepped over as a whole: they differ too often */
    Template *templates[TEMPLATE_LIMIT]; /* most used first, roughly */
    int template_count;
    uint64_t misses, learned, hits_before;
    uint64_t pause;          /* records that are not tried: templates did not help */
    MinuteCache *minutes;    /* of each column */
    bool as_ksql;
    void **values;           /* of each column's vector */
    Vector *const *vectors;
    Arena *arena;            /* lives as long as they do */
    const char *end;         /* after the last newline */
    Arena scratch;
    Template *draft;         /* the record under study; lives in the decoder's arena */
};

static const bool simple_escape[256] = { ['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true, ['f'] = true, ['n'] = true, ['r'] = true, ['t'] = true };

/* ---- the unusual, shared by the kernels ---- */

static bool is_string_action(StepAction action) { return action == STEP_SKIP_STRING || action == STEP_TEXT || action == STEP_TIMESTAMP; }

/* The literal without its first quote where a null stood before, or up to a null that stands for a string. */
__attribute__((noinline)) static const char *match_unusual(const Step *step, bool after_null, const char *p, bool *is_null)
{
    const char *text = step->text + after_null;
    size_t length = step->length - after_null;
    if (strncmp(p, text, length - 1) != 0) /* stops at the newline at the latest */
        return NULL;
    if (p[length - 1] == text[length - 1])
        return p + length;
    if (!is_string_action(step->action) || memcmp(p + length - 1, "null", 4) != 0)
        return NULL;
    *is_null = true;
    return p + length - 1 + 4;
}

static void store_null_column(JsonScan *scan, int column, uint32_t row) { vector_store_null(scan->arena, scan->vectors[column], row); }

__attribute__((noinline)) static bool store_null(JsonScan *scan, const Step *step, uint32_t row)
{
    if (step->column < 0)
        return true;
    if (scan->columns[step->column].not_null)
        return false;
    store_null_column(scan, step->column, row);
    return true;
}

__attribute__((noinline)) static void store_escaped(JsonScan *scan, const Step *step, const char *p, const char *quote, uint32_t row)
{
    char *copy = arena_alloc(scan->arena, (size_t)(quote - p));
    ((Str *)scan->values[step->column])[row] = str_view(copy, json_unescape(p, (size_t)(quote - p), copy));
}

/* A string with characters beyond ASCII. */
__attribute__((noinline)) static const char *string_end_utf8(const JsonScan *scan, const char *p, bool *escaped)
{
    const char *quote = json_string_end(p, scan->end);
    *escaped = quote && memchr(p, '\\', (size_t)(quote - p));
    return quote;
}

/* Any value at `p`: validated, and stored with care if it is wanted. The byte after it, or NULL. */
__attribute__((noinline)) static const char *skip_unusual(JsonScan *scan, const Step *step, const char *p, uint32_t row, bool *nulls)
{
    bool any = step->action == STEP_SKIP_VALUE || step->action == STEP_OTHER;
    const char *end = scan->end;
    if (any && (*p == '{' || *p == '[')) /* line ends are blanks between values: the record's own end is the bound */
        end = memchr(p, '\n', (size_t)(scan->end - p));
    const char *bad, *after = json_skip_value(p, end, any ? (int)step->minimum : 0, &bad);
    if (!after || step->column < 0)
        return after;
    const JsonColumn *column = &scan->columns[step->column];
    const char *at = p;
    JsonToken token = json_read(&at, after);
    if (token.kind == JSON_NULL) {
        *nulls = true;
        return store_null(scan, step, row) ? after : NULL;
    }
    Value value;
    JsonConversion conversion = { scan->arena, &scan->scratch, column->pattern, column->zone, scan->as_ksql };
    const char *reason = json_to_value(&conversion, column->type, &token, &value);
    if (!reason && column->nested)
        vector_set(scan->arena, scan->vectors[step->column], row, &value);
    else if (!reason)
        scalar_store(scan->vectors[step->column], row, &value);
    if (scan->scratch.blocks)
        arena_reset(&scan->scratch);
    return reason ? NULL : after;
}

static inline void move_forward(JsonScan *scan, int t)
{
    Template *used = scan->templates[t], *before = scan->templates[t - 1];
    if (++used->hits > before->hits) {
        scan->templates[t - 1] = used;
        scan->templates[t] = before;
    }
}

/* ---- the kernels ---- */

#define KERNEL(name) name##_avx2
#define KERNEL_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
#define KERNEL_AVX2 1
#include "formats/json_scan_kernel.h"
#undef KERNEL
#undef KERNEL_TARGET
#undef KERNEL_AVX2

#define KERNEL(name) name##_sse2
#define KERNEL_TARGET
#define KERNEL_AVX2 0
#include "formats/json_scan_kernel.h"

const char *json_scan_records(JsonScan *scan, const char *p, uint32_t *row, uint32_t max_rows, bool one)
{
    if (scan->template_count == 0)
        return p;
    if (scan->pause) {
        scan->pause--;
        return p;
    }
    if (one && *row < max_rows)
        max_rows = *row + 1;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && !formats_plain_kernels ? records_avx2(scan, p, row, max_rows) : records_sse2(scan, p, row, max_rows);
}

/* ---- learning ---- */

typedef struct Learner {
    JsonScan *scan;
    Template *draft;
    const JsonToken *const *tokens;
    const JsonMatch *matches; /* of the inner nodes, too */
    const char *literal;      /* where the literal under way starts */
    int captured;
    bool failed;
} Learner;

static void add_step(Learner *learner, const char *literal_end, StepAction action, int column)
{
    Template *draft = learner->draft;
    if (draft->step_count == STEP_LIMIT) {
        learner->failed = true;
        return;
    }
    Step *step = &draft->steps[draft->step_count++];
    size_t length = (size_t)(literal_end - learner->literal);
    *step = (Step){ .text = learner->literal, .length = (uint32_t)length, .action = action, .column = column };
    size_t head = length < 32 ? length : 32;
    memcpy(step->head, step->text, head);
    memset(step->head_mask, 0xFF, head);
    if (column >= 0) {
        const JsonColumn *wanted = &learner->scan->columns[column];
        step->minimum = wanted->minimum;
        step->maximum = wanted->maximum;
        if (action == STEP_DECIMAL) {
            step->scale = wanted->type->scale;
            step->maximum = (int64_t)decimal_power(wanted->type->precision) - 1;
        }
        learner->captured++;
    }
}

static StepAction string_action(const JsonColumn *column)
{
    if (column->type->kind == TYPE_VARCHAR && !column->type->length)
        return STEP_TEXT;
    bool usual = !column->zone && (!column->pattern || timestamp_pattern_kind(column->pattern) == PATTERN_ISO);
    return type_is_timestamp(column->type) && usual ? STEP_TIMESTAMP : STEP_OTHER;
}

static StepAction number_action(const JsonColumn *column)
{
    switch (column->type->kind) {
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: return STEP_INTEGER;
    case TYPE_DOUBLE: return STEP_DOUBLE;
    case TYPE_DECIMAL: return type_physical(column->type) == PHYSICAL_INT64 ? STEP_DECIMAL : STEP_OTHER;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: return column->pattern ? STEP_OTHER : STEP_EPOCH;
    default: return STEP_OTHER;
    }
}

static int column_at(const Learner *learner, const char *place)
{
    for (int c = 0; c < learner->scan->column_count; c++)
        if (learner->tokens[c]->kind > JSON_NULL && learner->tokens[c]->bytes == place)
            return c;
    return -1;
}

/* Whether a path leads to this object or into it: even if it holds no wanted value, the next one of its kind may. */
static bool on_a_path(const Learner *learner, const JsonToken *token)
{
    for (int n = 1; n < learner->scan->node_count; n++) {
        const JsonToken *found = &learner->matches[n].token;
        if (found->kind > JSON_NULL && found->bytes >= token->bytes && found->bytes < token->bytes + token->length)
            return true;
    }
    return false;
}

static void learn_value(Learner *learner, const JsonToken *token, int depth)
{
    int column = column_at(learner, token->bytes);
    const JsonColumn *wanted = column >= 0 ? &learner->scan->columns[column] : NULL;
    StepAction action = STEP_OTHER;
    switch (token->kind) {
    case JSON_MISSING: case JSON_NULL: return; /* part of the literal */
    case JSON_OBJECT:
        if (!wanted && (!learner->scan->coarse || depth == 0 || on_a_path(learner, token))) {
            JsonToken key, value;
            for (const char *p = NULL; json_next_member(token, &p, &key, &value);)
                learn_value(learner, &value, depth + 1);
            return;
        }
        action = wanted ? STEP_OTHER : STEP_SKIP_VALUE;
        break;
    case JSON_ARRAY: action = wanted ? STEP_OTHER : STEP_SKIP_VALUE; break;
    case JSON_TRUE: case JSON_FALSE: action = !wanted ? STEP_SKIP_BOOLEAN : wanted->type->kind == TYPE_BOOLEAN ? STEP_BOOLEAN : STEP_OTHER; break;
    case JSON_NUMBER: action = wanted ? number_action(wanted) : STEP_SKIP_NUMBER; break;
    case JSON_STRING: action = wanted ? string_action(wanted) : STEP_SKIP_STRING; break;
    }
    if (learner->failed)
        return;
    bool quotes = is_string_action(action);
    add_step(learner, token->bytes + quotes, action, column);
    if ((action == STEP_SKIP_VALUE || action == STEP_OTHER) && !learner->failed)
        learner->draft->steps[learner->draft->step_count - 1].minimum = JSON_DEPTH_LIMIT - depth;
    learner->literal = token->bytes + token->length - quotes;
}

static bool same_template(const Template *a, const Template *b)
{
    if (a->step_count != b->step_count || a->missing_count != b->missing_count)
        return false;
    for (int i = 0; i < a->step_count; i++) {
        const Step *x = &a->steps[i], *y = &b->steps[i];
        if (x->action != y->action || x->column != y->column || x->length != y->length || memcmp(x->text, y->text, x->length) != 0)
            return false;
    }
    return memcmp(a->missing, b->missing, sizeof *a->missing * (size_t)a->missing_count) == 0;
}

/* One block of memory: the template, its steps, missing columns and literals. */
static Template *keep_template(const Template *draft)
{
    size_t literals = 0;
    for (int i = 0; i < draft->step_count; i++)
        literals += draft->steps[i].length;
    size_t steps_size = sizeof(Step) * (size_t)draft->step_count, missing_size = sizeof(int) * (size_t)draft->missing_count;
    Template *kept = mem_alloc(sizeof *kept + steps_size + missing_size + literals + 32);
    *kept = *draft;
    kept->hits = 0;
    kept->steps = (Step *)(kept + 1);
    memcpy(kept->steps, draft->steps, steps_size);
    kept->missing = (int *)((char *)kept->steps + steps_size);
    memcpy(kept->missing, draft->missing, missing_size);
    char *text = (char *)kept->missing + missing_size;
    for (int i = 0; i < kept->step_count; i++) {
        memcpy(text, kept->steps[i].text, kept->steps[i].length);
        kept->steps[i].text = text;
        text += kept->steps[i].length;
    }
    memset(text, 0, 32);
    return kept;
}

/* Whether this record is worth learning. Pauses the fast path where records keep differing. */
static bool worth_learning(JsonScan *scan)
{
    scan->misses++;
    if (scan->misses % 256 == 0) {
        uint64_t hits = 0;
        for (int t = 0; t < scan->template_count; t++)
            hits += scan->templates[t]->hits;
        bool useful = hits < scan->hits_before || hits - scan->hits_before >= 128;
        scan->hits_before = hits;
        if (!useful && scan->learned > 4 * TEMPLATE_LIMIT)
            scan->pause = 8192;
    }
    scan->coarse = scan->learned > 2 * TEMPLATE_LIMIT;
    return scan->learned < 8 * TEMPLATE_LIMIT || scan->misses % 64 == 0;
}

void json_scan_learn(JsonScan *scan, const char *record, size_t length, const JsonToken *const tokens[], const JsonMatch matches[])
{
    if (scan->off || scan->pause || length > LEARN_BYTES || !worth_learning(scan))
        return;
    Template *draft = scan->draft;
    draft->step_count = draft->missing_count = 0;
    Learner learner = { .scan = scan, .draft = draft, .tokens = tokens, .matches = matches, .literal = record };
    const char *end = record + length, *p = json_space(record, end);
    JsonToken root = json_read(&p, end);
    learn_value(&learner, &root, 0);
    if (!learner.failed)
        add_step(&learner, end, STEP_END, -1);
    int present = 0;
    for (int c = 0; c < scan->column_count; c++) {
        if (tokens[c]->kind > JSON_NULL)
            present++;
        else
            draft->missing[draft->missing_count++] = c;
    }
    if (learner.failed || learner.captured != present || root.kind != JSON_OBJECT)
        return; /* too long */
    for (int t = 0; t < scan->template_count; t++)
        if (same_template(scan->templates[t], draft))
            return;
    Template *kept = keep_template(draft);
    scan->learned++;
    if (scan->template_count < TEMPLATE_LIMIT) {
        scan->templates[scan->template_count++] = kept;
        return;
    }
    int least = 0;
    for (int t = 1; t < scan->template_count; t++)
        if (scan->templates[t]->hits <= scan->templates[least]->hits)
            least = t;
    for (int t = 0; t < scan->template_count; t++)
        scan->templates[t]->hits /= 2; /* old merits fade */
    mem_free(scan->templates[least]);
    scan->templates[least] = kept;
}

/* ---- life ---- */

/* Columns within columns: a value would be stored twice. */
static bool any_overlap(const JsonPathNode *node)
{
    if (node->wanted && node->child_count)
        return true;
    for (int i = 0; i < node->child_count; i++)
        if (any_overlap(node->children[i]))
            return true;
    return false;
}

JsonScan *json_scan_new(Arena *arena, const JsonColumn *columns, int column_count, const JsonPathNode *root, int node_count, bool as_ksql)
{
    JsonScan *scan = ARENA_NEW(arena, JsonScan);
    scan->as_ksql = as_ksql;
    scan->columns = columns;
    scan->column_count = column_count;
    scan->node_count = node_count;
    scan->off = any_overlap(root);
    arena_init(&scan->scratch, NULL);
    scan->minutes = ARENA_ARRAY(arena, MinuteCache, (size_t)column_count + 1);
    scan->values = ARENA_ARRAY(arena, void *, (size_t)column_count + 1);
    scan->draft = ARENA_NEW(arena, Template);
    scan->draft->steps = ARENA_ARRAY(arena, Step, STEP_LIMIT);
    scan->draft->missing = ARENA_ARRAY(arena, int, (size_t)column_count + 1);
    for (int c = 0; c < column_count; c++)
        for (int k = 0; k < c; k++)
            scan->off |= columns[c].node == columns[k].node;
    return scan;
}

void json_scan_free(JsonScan *scan)
{
    if (!scan)
        return;
    for (int t = 0; t < scan->template_count; t++)
        mem_free(scan->templates[t]);
    scan->template_count = 0;
    arena_release(&scan->scratch);
}

void json_scan_start(JsonScan *scan, Vector *const vectors[], Arena *arena, const char *end)
{
    scan->vectors = vectors;
    scan->arena = arena;
    scan->end = end;
    for (int c = 0; c < scan->column_count; c++)
        scan->values[c] = vectors[c]->values;
}

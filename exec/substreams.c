/* exec/substreams.c: see substreams.h.
 *
 * State: KeyTable of keys | per key a clock for each entrance, the watermarks of each operator, and the operators' containers, packed. */
#include "exec/substreams.h"

#include <string.h>

#include "exec/expression.h"
#include "exec/job_internal.h"
#include "exec/key_table.h"
#include "exec/meeting.h"
#include "exec/operators.h"
#include "exec/state_columns.h"

enum { NO_KEY = UINT32_MAX, MEMBER_CONTAINERS_MAX = 64 };

/* The states of a key that are in place or one step away from it; in a ring by use. */
typedef struct Live {
    uint32_t key;
    struct Live *older, *newer;
    void **states; /* per member */
} Live;

/* Where rows of an input come in. */
typedef struct Entrance {
    Operator *op;
    Expression **keys;
    Arena arena;
    KeyBatch batch;
    const Vector **vectors;
    const Batch *prepared; /* whose keys `batch` holds */
    int64_t *stamps;       /* of its rows, in that batch's arena */
    uint32_t *rows;        /* of the piece at hand */
    size_t rows_capacity;
} Entrance;

struct Substreams {
    Container container;   /* first: all of the state */
    Job *job;
    int first_id, last_id; /* of its nodes */
    Entrance *entrances; int entrance_count;
    Operator **members; int member_count; /* the other operators, inputs first */
    bool *own_state;       /* per member: opened once a key */
    bool diamond;          /* inputs of a member meet: rows come one by one, and all members look at each */
    Arena arena;
    KeyLayout key_layout;
    KeyTable keys;
    StateColumns states;   /* clocks | watermarks | packed */
    uint32_t current;      /* the key whose states are in place */
    Live **live;           /* per key; NULL: packed */
    size_t live_capacity;
    Live used;             /* the ring's head: newer is the oldest */
    int live_count;
    uint32_t ended;        /* so many keys have ended: nobody comes to them any more */
    Operator door;         /* stands for all entrances where they lead back to one source */
    PlanNode door_node;
    Meeting meeting;
};

static int64_t *clocks_of(Substreams *s, uint32_t key) { return (int64_t *)state_touch_one(&s->states, key); }

/* ---- the states of one key ---- */

static int64_t *put_marks(Operator *op, int64_t *mark)
{
    *mark++ = op->wm_us;
    for (int i = 0; i < op->input_count; i++)
        *mark++ = op->input_wm_us[i];
    return mark;
}

static int64_t *take_marks(Operator *op, int64_t *mark)
{
    op->wm_us = *mark++;
    for (int i = 0; i < op->input_count; i++)
        op->input_wm_us[i] = *mark++;
    return mark;
}

static Str *packed_of(Substreams *s, uint32_t key) { return (Str *)(state_touch_one(&s->states, key) + s->states.width - sizeof(Str)); }

/* The states go back to the key that they belong to. */
static void leave(Substreams *s)
{
    if (s->current == NO_KEY)
        return;
    Live *live = s->live[s->current];
    int64_t *mark = clocks_of(s, s->current) + s->entrance_count;
    for (int m = 0; m < s->member_count; m++) {
        mark = put_marks(s->members[m], mark);
        if (s->own_state[m]) {
            live->states[m] = s->members[m]->state;
            s->members[m]->state = NULL;
        }
    }
    s->current = NO_KEY;
}

static void put_in_place(Substreams *s, Live *live)
{
    int64_t *mark = clocks_of(s, live->key) + s->entrance_count;
    s->current = live->key;
    for (int m = 0; m < s->member_count; m++) {
        mark = take_marks(s->members[m], mark);
        if (s->own_state[m])
            s->members[m]->state = live->states[m];
    }
}

static void write_states(Substreams *s, Live *live, Text *text)
{
    for (int m = 0; m < s->member_count; m++) {
        Operator *op = s->members[m];
        Container *containers[MEMBER_CONTAINERS_MAX];
        if (!s->own_state[m] || !op->type->containers)
            continue;
        op->state = live->states[m];
        const int count = op->type->containers(op, containers, MEMBER_CONTAINERS_MAX);
        for (int c = 0; c < count; c++)
            container_write(containers[c], text);
        op->state = NULL;
    }
}

static Error *read_states(Substreams *s, const Str *packed)
{
    SnapshotReader reader = { str_bytes(packed), packed->length, 0 };
    for (int m = 0; m < s->member_count; m++) {
        Operator *op = s->members[m];
        Container *containers[MEMBER_CONTAINERS_MAX];
        if (!s->own_state[m])
            continue;
        const int count = op->type->containers ? op->type->containers(op, containers, MEMBER_CONTAINERS_MAX) : 0;
        for (int c = 0; c < count; c++)
            TRY(container_read(containers[c], &reader));
        if (op->type->restored)
            TRY(op->type->restored(op));
    }
    return NULL;
}

static void store_packed(Substreams *s, uint32_t key, const Str *bytes)
{
    Str *packed = packed_of(s, key);
    *packed = state_heap_store(&s->states.heap, bytes, packed);
}

static void pack(Substreams *s, Live *live)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    write_states(s, live, &text);
    const Str bytes = str_view(text_c(&text), text.length);
    store_packed(s, live->key, &bytes);
    text_release(&text);
}

static void forget_packed(Substreams *s, uint32_t key)
{
    const Str nothing = { 0 };
    state_heap_drop(&s->states.heap, packed_of(s, key));
    *packed_of(s, key) = nothing;
}

static void close_states(Substreams *s, const Live *live)
{
    for (int m = 0; m < s->member_count; m++) {
        if (!s->own_state[m] || !live->states[m])
            continue;
        s->members[m]->state = live->states[m];
        s->members[m]->type->close(s->members[m]);
        s->members[m]->state = NULL;
    }
}

static void unlink_live(Live *live)
{
    live->older->newer = live->newer;
    live->newer->older = live->older;
}

static void link_newest(Substreams *s, Live *live)
{
    live->older = s->used.older;
    live->newer = &s->used;
    live->older->newer = s->used.older = live;
}

/* Nobody has come to it for longest. */
static Live *take_oldest(Substreams *s)
{
    Live *live = s->used.newer;
    if (live->key >= s->ended)
        pack(s, live);
    close_states(s, live);
    unlink_live(live);
    s->live[live->key] = NULL;
    memset(live->states, 0, sizeof *live->states * (size_t)s->member_count);
    return live;
}

static Live *new_live(Substreams *s)
{
    Live *live = ARENA_NEW(&s->arena, Live);
    live->states = ARENA_ARRAY(&s->arena, void *, s->member_count + 1);
    s->live_count++;
    return live;
}

/* Opens the operators for the key, whose watermarks are in place, with what was packed of it. */
static Error *open_states(Substreams *s, uint32_t key)
{
    const Str packed = *packed_of(s, key);
    for (int m = 0; m < s->member_count; m++)
        if (s->own_state[m])
            TRY(s->members[m]->type->open(s->members[m]));
    if (packed.length == 0)
        return NULL;
    TRY(read_states(s, &packed));
    forget_packed(s, key);
    return NULL;
}

static Error *come_to(Substreams *s, uint32_t key)
{
    if (s->current == key)
        return NULL;
    leave(s);
    Live *live = s->live[key];
    if (live) {
        unlink_live(live);
        link_newest(s, live);
        put_in_place(s, live);
        return NULL;
    }
    live = s->live_count < SUBSTREAMS_LIVE ? new_live(s) : take_oldest(s);
    live->key = key;
    s->live[key] = live;
    link_newest(s, live);
    put_in_place(s, live);
    return open_states(s, key);
}

/* ---- keys ---- */

static void start_key(Substreams *s, uint32_t key)
{
    state_cover(&s->states, s->keys.count);
    if (s->live_capacity < s->keys.count) {
        const size_t before = s->live_capacity;
        s->live = mem_grow(s->live, &s->live_capacity, s->keys.count, sizeof *s->live);
        memset(s->live + before, 0, sizeof *s->live * (s->live_capacity - before));
    }
    int64_t *marks = clocks_of(s, key);
    for (char *mark = (char *)marks; mark < (char *)marks + s->states.width - sizeof(Str); mark += sizeof *marks)
        *(int64_t *)mark = TIME_MIN;
}

/* The keys of a batch that an entrance has not seen yet. */
static Error *prepare(Entrance *entrance, Batch *batch)
{
    const PlanNode *node = entrance->op->node;
    Evaluation evaluation = { .arena = &batch->arena, .now_us = entrance->op->context->now_us, .turn = batch->turn, .first_row = batch->first_row };
    if (entrance->prepared == batch)
        return NULL;
    for (int k = 0; k < node->watermark.key_count; k++)
        TRY(expression_evaluate(entrance->keys[k], &evaluation, batch, &batch->selection, &entrance->vectors[k])); /* a failed row's key is NULL */
    if (entrance->rows_capacity < batch->row_count)
        entrance->rows = mem_grow(entrance->rows, &entrance->rows_capacity, batch->row_count, sizeof *entrance->rows);
    for (uint32_t i = 0; i < batch->selection.count; i++)
        entrance->rows[i] = selection_row(&batch->selection, i);
    key_batch_prepare(&entrance->batch, entrance->vectors, batch->row_count, entrance->rows, batch->selection.count);
    entrance->stamps = arena_alloc(&batch->arena, sizeof *entrance->stamps * ((size_t)batch->row_count + 1));
    entrance->prepared = batch;
    return NULL;
}

static uint32_t key_of(Substreams *s, const Entrance *entrance, uint32_t row)
{
    const uint32_t before = s->keys.count;
    uint32_t key;
    key_table_resolve(&s->keys, &entrance->batch, &row, 1, &key);
    if (s->keys.count > before)
        start_key(s, key);
    return key;
}

/* ---- rows ---- */

/* The members hear how far the key has come. */
static Error *advance_members(Substreams *s)
{
    for (int m = 0; m < s->member_count; m++)
        TRY(pipeline_advance_operator(s->members[m], s->diamond));
    return NULL;
}

/* Rows of one key, one behind the other, with the key's clock before each of them. */
static Batch *piece_of(Entrance *entrance, Batch *batch, uint32_t count, int64_t end_us)
{
    Batch *shared = batch_share(batch);
    shared->selection = (Selection){ count, entrance->rows };
    shared->wm_us = entrance->stamps;
    shared->wm_end_us = end_us;
    Batch *piece = batch_compact(shared);
    piece->first_row = batch->first_row + entrance->rows[0];
    batch_release(shared);
    return piece;
}

/* Takes rows[0..count) of the batch, all of one key. */
static Error *take_piece(Substreams *s, int number, Batch *batch, uint32_t key, uint32_t count)
{
    Entrance *entrance = &s->entrances[number];
    const Vector *times = batch->columns[entrance->op->node->watermark.time_column];
    TRY(come_to(s, key));
    int64_t clock_us = clocks_of(s, key)[number];
    const int64_t before_us = clock_us;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t row = entrance->rows[i];
        entrance->stamps[row] = clock_us;
        if (!vector_is_null(times, row) && ((const int64_t *)times->values)[row & vector_mask(times)] > clock_us)
            clock_us = ((const int64_t *)times->values)[row & vector_mask(times)];
    }
    clocks_of(s, key)[number] = clock_us;
    TRY(output_push(entrance->op, PORT_MAIN, piece_of(entrance, batch, count, clock_us)));
    if (clock_us == before_us && !s->diamond)
        return NULL;
    entrance->op->wm_us = clock_us;
    pipeline_pass_on(entrance->op);
    return advance_members(s);
}

/* How many selected rows from the i-th on are of one key and stand one behind the other; they are put into rows[]. */
static uint32_t next_run(Substreams *s, Entrance *entrance, const Batch *batch, uint32_t i, uint32_t key, uint32_t *next_key)
{
    uint32_t count = 1;
    *next_key = NO_KEY;
    entrance->rows[0] = selection_row(&batch->selection, i);
    while (!s->diamond && i + count < batch->selection.count && selection_row(&batch->selection, i + count) == entrance->rows[0] + count) {
        *next_key = key_of(s, entrance, entrance->rows[0] + count);
        if (*next_key != key)
            return count;
        entrance->rows[count] = entrance->rows[0] + count;
        count++;
        *next_key = NO_KEY;
    }
    return count;
}

static Error *take_batch(Substreams *s, int number, Batch *batch)
{
    Entrance *entrance = &s->entrances[number];
    TRY(prepare(entrance, batch));
    for (uint32_t i = 0, count, next = NO_KEY; i < batch->selection.count; i += count) {
        const uint32_t key = next != NO_KEY ? next : key_of(s, entrance, selection_row(&batch->selection, i));
        count = next_run(s, entrance, batch, i, key, &next);
        TRY(take_piece(s, number, batch, key, count));
    }
    entrance->prepared = NULL;
    return NULL;
}

/* A row out of the meeting of the entrances. */
static Error *take_met(Operator *door, int number, Batch *batch, uint32_t row, int64_t wm_us)
{
    Substreams *s = door->state;
    Entrance *entrance = &s->entrances[number];
    (void)wm_us;
    TRY(prepare(entrance, batch));
    const uint32_t key = key_of(s, entrance, row);
    entrance->rows[0] = row;
    return take_piece(s, number, batch, key, 1);
}

/* ---- entrances ---- */

static Error *entrance_open(Operator *op)
{
    const int keys = op->node->watermark.key_count;
    const Substreams *s = op->context->job->substreams[op->node->substreams];
    for (int e = 0; e < s->entrance_count; e++) {
        Entrance *entrance = &s->entrances[e];
        if (entrance->op != op)
            continue;
        op->state = entrance;
        arena_init(&entrance->arena, &op->pool);
        entrance->keys = ARENA_ARRAY(&entrance->arena, Expression *, keys + 1);
        entrance->vectors = ARENA_ARRAY(&entrance->arena, const Vector *, keys + 1);
        key_batch_init(&entrance->batch, &s->key_layout);
        for (int k = 0; k < keys; k++)
            TRY(expression_open(&entrance->arena, op->node->watermark.keys[k], &entrance->keys[k]));
    }
    return NULL;
}

static void entrance_close(Operator *op)
{
    Entrance *entrance = op->state;
    if (!entrance)
        return;
    key_batch_release(&entrance->batch);
    mem_free(entrance->rows);
    arena_release(&entrance->arena);
    op->state = NULL;
}

static Error *entrance_process(Operator *op, int input, Batch *batch)
{
    Substreams *s = op->context->job->substreams[op->node->substreams];
    const int number = (int)((Entrance *)op->state - s->entrances);
    (void)input;
    if (s->meeting.meets) {
        meeting_hold(&s->meeting, number, batch);
        return NULL;
    }
    Error *error = take_batch(s, number, batch);
    batch_release(batch);
    return error;
}

/* The first entrance writes for all. */
static int entrance_containers(Operator *op, Container **containers, int capacity)
{
    Substreams *s = op->context->job->substreams[op->node->substreams];
    if (s->entrances[0].op != op || capacity < 1)
        return 0;
    containers[0] = &s->container;
    return 1;
}

static void copy_door_marks(Substreams *s)
{
    for (int e = 0; e < s->entrance_count; e++)
        s->door.input_wm_us[e] = s->entrances[e].op->input_wm_us[0];
}

static Error *entrance_restored(Operator *op)
{
    Substreams *s = op->context->job->substreams[op->node->substreams];
    if (s->meeting.op) {
        copy_door_marks(s);
        meeting_restored(&s->meeting);
    }
    return NULL;
}

const OperatorType entrance_operator = { .name = "entrance", .open = entrance_open, .close = entrance_close, .process = entrance_process,
                                         .containers = entrance_containers, .restored = entrance_restored };

/* ---- GATHER ---- */

static Error *gather_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Batch *out = batch_share(batch);
    batch_release(batch);
    out->wm_us = NULL;
    out->wm_end_us = TIME_MIN;
    return output_push(op, PORT_MAIN, out);
}

const OperatorType gather_operator = { .name = "gather", .process = gather_process };

/* ---- snapshots ---- */

/* States that are in place are packed for the snapshot only. */
static void substreams_write(const Container *container, Text *snapshot)
{
    Substreams *s = (Substreams *)(uintptr_t)container;
    leave(s);
    for (Live *live = s->used.newer; live != &s->used; live = live->newer)
        pack(s, live);
    container_write(&s->keys.container, snapshot);
    container_write(&s->states.container, snapshot);
    for (Live *live = s->used.newer; live != &s->used; live = live->newer)
        forget_packed(s, live->key);
}

static Error *substreams_read(Container *container, SnapshotReader *reader)
{
    Substreams *s = (Substreams *)container;
    TRY(container_read(&s->keys.container, reader));
    TRY(container_read(&s->states.container, reader));
    if (s->states.slot_count != s->keys.count)
        return page_damaged("clocks without keys");
    if (s->keys.count) {
        s->live = mem_grow(s->live, &s->live_capacity, s->keys.count, sizeof *s->live);
        memset(s->live, 0, sizeof *s->live * s->live_capacity);
    }
    return NULL;
}

static uint64_t substreams_rows(const Container *container) { return ((const Substreams *)container)->keys.count; }

static const ContainerType substreams_type = { "substreams", substreams_write, substreams_read, substreams_rows };

/* ---- groups ---- */

static bool is_entrance(const PlanNode *node) { return node->kind == PLAN_WATERMARK && node->watermark.key_count; }

bool substreams_member(const PlanNode *node) { return node->substreams && !is_entrance(node); }

bool substreams_own_state(const PlanNode *node)
{
    if (!substreams_member(node))
        return false;
    switch (node->kind) {
    case PLAN_FILTER: case PLAN_PROJECT: case PLAN_LOOKUP: case PLAN_UNNEST: case PLAN_WINDOW_ASSIGN: return false; /* each row by itself */
    default: return true;
    }
}

static void open_keys(Substreams *s)
{
    const PlanNode *node = s->entrances[0].op->node;
    const Type **types = ARENA_ARRAY(&s->arena, const Type *, node->watermark.key_count + 1);
    for (int k = 0; k < node->watermark.key_count; k++)
        types[k] = node->watermark.keys[k]->type;
    key_layout_init(&s->key_layout, &s->arena, types, node->watermark.key_count);
    key_table_init(&s->keys, &s->entrances[0].op->pool, &s->key_layout);
    int words = s->entrance_count;
    for (int m = 0; m < s->member_count; m++)
        words += 1 + s->members[m]->input_count;
    char *layout = arena_alloc(&s->arena, (size_t)words + 2);
    memset(layout, 'l', (size_t)words);
    layout[words] = 's';
    layout[words + 1] = 0;
    state_init(&s->states, &s->entrances[0].op->pool, layout, false);
}

static void open_door(Substreams *s)
{
    s->door_node = (PlanNode){ .kind = PLAN_UNION, .input_count = s->entrance_count, .inputs = ARENA_ARRAY(&s->arena, PlanInput, s->entrance_count + 1) };
    for (int e = 0; e < s->entrance_count; e++)
        s->door_node.inputs[e] = s->entrances[e].op->node->inputs[0];
    s->door = (Operator){ .node = &s->door_node, .context = s->entrances[0].op->context, .input_count = s->entrance_count, .state = s,
                          .input_wm_us = ARENA_ARRAY(&s->arena, int64_t, s->entrance_count + 1), .wm_us = TIME_MIN };
    pool_init(&s->door.pool, &s->job->pool, "entrances", 0);
    copy_door_marks(s);
    meeting_open(&s->meeting, &s->door);
}

static void open_group(Job *job, int number)
{
    Substreams *s = job->substreams[number] = ARENA_NEW(&job->operator_arena, Substreams);
    const Plan *plan = job->plan;
    *s = (Substreams){ .container = { &substreams_type, &job->pool }, .job = job, .first_id = -1, .current = NO_KEY, .used = { .key = NO_KEY } };
    s->used.older = s->used.newer = &s->used;
    arena_init(&s->arena, &job->pool);
    s->entrances = ARENA_ARRAY(&job->operator_arena, Entrance, plan->node_count + 1); /* they are closed as operators */
    s->members = ARENA_ARRAY(&s->arena, Operator *, plan->node_count + 1);
    s->own_state = ARENA_ARRAY(&s->arena, bool, plan->node_count + 1);
    for (int id = 0; id < plan->node_count; id++) {
        const PlanNode *node = plan->nodes[id];
        if (node->substreams != number)
            continue;
        s->first_id = s->first_id < 0 ? id : s->first_id;
        s->last_id = id;
        if (is_entrance(node)) {
            s->entrances[s->entrance_count++].op = job->ordered.operators[id];
            continue;
        }
        s->own_state[s->member_count] = substreams_own_state(node);
        s->members[s->member_count++] = job->ordered.operators[id];
        s->diamond |= job->on_clock[id];
    }
    open_keys(s);
    if (s->entrance_count > 1)
        open_door(s);
}

void substreams_open(Job *job)
{
    const int count = job->plan->substream_groups;
    job->substreams = ARENA_ARRAY(&job->operator_arena, Substreams *, count + 1);
    for (int number = 1; number <= count; number++)
        open_group(job, number);
}

void substreams_close(Job *job)
{
    for (int number = 1; job->substreams && number <= job->plan->substream_groups; number++) {
        Substreams *s = job->substreams[number];
        if (!s)
            continue;
        if (s->current != NO_KEY)
            leave(s);
        for (Live *live = s->used.newer; live != &s->used; live = live->newer)
            close_states(s, live);
        meeting_close(&s->meeting);
        if (s->keys.layout)
            key_table_release(&s->keys);
        if (s->states.layout)
            state_release(&s->states);
        mem_free(s->live);
        arena_release(&s->arena);
    }
    job->substreams = NULL;
}

static Substreams *group_ending_at(const Job *job, const PlanNode *node)
{
    Substreams *s = node->substreams ? job->substreams[node->substreams] : NULL;
    return s && s->last_id == node->id ? s : NULL;
}

Error *substreams_turn_done(Job *job, const PlanNode *node)
{
    Substreams *s = group_ending_at(job, node);
    if (!s || !s->meeting.op)
        return NULL;
    copy_door_marks(s);
    TRY(meeting_end_turn(&s->meeting, take_met));
    for (int e = 0; e < s->entrance_count; e++)
        s->entrances[e].prepared = NULL;
    return NULL;
}

static Error *end_key(Substreams *s, uint32_t key)
{
    TRY(come_to(s, key));
    for (int e = 0; e < s->entrance_count; e++) {
        s->entrances[e].op->wm_us = clocks_of(s, key)[e] = TIME_MAX;
        pipeline_pass_on(s->entrances[e].op);
    }
    for (int m = 0; m < s->member_count; m++) { /* inputs before consumers: what one end brings, the next one sees */
        TRY(pipeline_advance_operator(s->members[m], s->diamond));
        if (s->members[m]->type->end)
            TRY(s->members[m]->type->end(s->members[m]));
    }
    return NULL;
}

Error *substreams_end(Job *job, const PlanNode *node)
{
    Substreams *s = group_ending_at(job, node);
    if (!s)
        return NULL;
    TRY(substreams_turn_done(job, node));
    for (; s->ended < s->keys.count; s->ended++)
        TRY(end_key(s, s->ended));
    leave(s);
    for (int id = s->last_id + 1; id < job->plan->node_count; id++) /* whoever listens outside */
        for (int i = 0; i < job->plan->nodes[id]->input_count; i++)
            if (job->plan->nodes[id]->inputs[i].node->substreams == node->substreams)
                job->ordered.operators[id]->input_wm_us[i] = TIME_MAX;
    return NULL;
}

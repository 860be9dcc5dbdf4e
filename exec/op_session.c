/* exec/op_session.c: session windows: per key, events at most the gap apart, bounds included.
 *
 * An event joins every session of its key that it is at most the gap away from; those merge. With a maximum duration a session takes
 * no event that would make it longer. A session is closed when last + gap + grace < clock; an event that joins no session and whose own
 * would be closed already is late.
 *
 *   entry of a key   start | last | order 32, flags 3 (OPEN, FIRED, CLOSING), next older session + 1 29 | timer | aggregates
 *                    the youngest session of the key; older ones that are still open are a list in `older`, youngest first
 *   order            counts the keys that got a first session: equal due times come out in this order
 *   timer            one a key: the registered time is in the entry, at or before the earliest due time of its sessions
 *
 * Rows that only prolong a session, and sessions that close, are gathered and handled by the column: `pending` and `closing`. A key that
 * has a session in `closing` is not touched before that list is emptied.
 * State: KeyTable, Groups of keys, Groups of older sessions. */
#include <string.h>
#include "common/calendar.h"
#include "exec/aggregates.h"
#include "exec/changes.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/scalars.h"
#include "exec/timers.h"

enum { SCALAR_CLOCK, SCALAR_WM, SCALAR_FREE_OLDER, SCALAR_OPEN_KEYS, SCALAR_ORDER, SCALAR_COUNT };
enum { CLOSING_MAX = 512, COMPACT_FROM = 4096, PREFETCH_DISTANCE = 8 };
#define TIME_FAR (INT64_MAX / 4)

typedef struct Session { /* the header of an entry */
    int64_t start_us, last_us;
    int64_t flags;
    int64_t timer_us;
} Session;

#define SESSION_OPEN (1ll << 29)
#define SESSION_FIRED (1ll << 30)   /* its on-time result is out */
#define SESSION_CLOSING (1ll << 31) /* waits in `closing`; never in a snapshot */
#define NEXT_MASK (SESSION_OPEN - 1)
#define STATE_MASK 0xFFFFFFFFll
static inline uint32_t session_next(const Session *session) { return (uint32_t)(session->flags & NEXT_MASK); }
static inline void session_set_next(Session *session, uint32_t next)
{
    session->flags = (session->flags & ~NEXT_MASK) | (int64_t)next;
}
static inline uint32_t session_order(const Session *session) { return (uint32_t)((uint64_t)session->flags >> 32); }

typedef struct SessionOperator {
    Arena arena;
    const WindowSpec *spec;
    Trigger trigger;
    bool final;              /* results at close only */
    int64_t gap_us, grace_us, max_us;
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    Aggregates aggregates;
    Groups groups;           /* by key slot */
    Groups older;            /* older sessions: by number; free ones are linked by `next` */
    Timers timers;
    int64_t next_due_us;     /* nothing is due before */
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    LateRows late;
    RowList list;
    const Vector **key_vectors;
    Batch *batch;            /* at hand */
    /* rows to be added to the key's youngest session */
    uint32_t *pending_rows, *pending_slots;
    uint32_t pending_count, pending_capacity;
    /* sessions to be sent out: (slot, bounds, watermark) */
    uint32_t closing_slots[CLOSING_MAX];
    int64_t closing_wm[CLOSING_MAX];
    char *closing_states[CLOSING_MAX];
    uint32_t closing_count;
    uint64_t *live;
    uint32_t *remap;
} SessionOperator;

static inline Session *key_session(const SessionOperator *s, uint32_t slot) { return (Session *)state_entry(&s->groups.state, slot); }
static inline Session *older_session(const SessionOperator *s, uint32_t number)
{
    return (Session *)state_entry(&s->older.state, number - 1);
}

static void merge_groups(SessionOperator *s, Groups *into, uint32_t into_slot, const Groups *from, uint32_t from_slot)
{
    groups_merge(&s->aggregates, into, into_slot, from, from_slot, 1);
    groups_merge_distinct(&s->aggregates, into, into_slot, from, from_slot);
}

/* ---- gathered work ---- */

static void add_pending(SessionOperator *s, Operator *op)
{
    if (s->pending_count == 0)
        return;
    Evaluation evaluation = { .arena = &s->batch->arena, .now_us = op->context->now_us, .turn = op->context->turn, .first_row = s->batch->first_row };
    uint32_t count = s->pending_count;
    s->pending_count = 0;
    groups_update(&s->aggregates, &s->groups, s->batch, s->pending_rows, s->pending_slots, count, &evaluation);
}

static int64_t session_end(const SessionOperator *s, int64_t last_us)
{
    return s->spec->session_end_with_gap ? last_us + s->gap_us : last_us;
}

/* Writes `count` sessions of `groups` into the output: states are their entries, slots those of their keys. */
static Error *emit_sessions(SessionOperator *s, Operator *op, const Groups *groups, char *const *states, const uint32_t *slots,
                            const int64_t *wm_us, uint32_t count, uint8_t kind, uint32_t least)
{
    const int key_count = op->node->aggregate.key_count;
    for (uint32_t done = 0; done < count;) {
        uint32_t granted, first;
        TRY(builder_reserve(&s->out, count - done, least, &granted, &first));
        Batch *batch = s->out.batch;
        key_table_gather(&s->keys, slots + done, granted, batch->columns, first, &batch->arena);
        for (uint32_t i = 0; i < granted; i++) {
            const Session *session = (const Session *)states[done + i];
            put_bounds(batch->columns + key_count, first + i, 1, session->start_us, session_end(s, session->last_us));
        }
        TRY(groups_result(&s->aggregates, groups, states + done, slots + done, granted, batch->columns + key_count + 3, first, op,
                          batch, &s->out.evaluation));
        if (batch->kinds)
            memset(batch->kinds + first, kind, granted);
        builder_commit_each(&s->out, granted, wm_us + done);
        done += granted;
    }
    return NULL;
}

/* Sends out the sessions that have closed; their keys are free again. */
static Error *empty_closing(SessionOperator *s, Operator *op)
{
    add_pending(s, op);
    uint32_t count = s->closing_count;
    s->closing_count = 0;
    if (count == 0)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        s->closing_states[i] = state_touch_one(&s->groups.state, s->closing_slots[i]);
    TRY(emit_sessions(s, op, &s->groups, s->closing_states, s->closing_slots, s->closing_wm, count, ROW_INSERT, 1));
    for (uint32_t i = 0; i < count; i++)
        groups_forget(&s->groups, s->closing_slots[i]);
    return NULL;
}

/* ---- due times ---- */

/* When something happens to a session: its on-time result, else its end. */
static int64_t session_due(const SessionOperator *s, const Session *session)
{
    int64_t due = time_add(session->last_us, s->gap_us);
    if (s->max_us && time_add(session->start_us, s->max_us) < due)
        due = time_add(session->start_us, s->max_us);
    if (s->trigger == TRIGGER_AFTER_WATERMARK && !(session->flags & SESSION_FIRED))
        return due;
    return time_add(due, s->grace_us);
}

/* The earliest of a key's sessions; TIME_MAX: it has none. */
static int64_t key_due(const SessionOperator *s, const Session *session)
{
    if (!(session->flags & SESSION_OPEN) || session->flags & SESSION_CLOSING)
        return TIME_MAX;
    int64_t due = session_due(s, session);
    for (uint32_t next = session_next(session); next; next = session_next(session)) {
        session = older_session(s, next);
        int64_t other = session_due(s, session);
        due = other < due ? other : due;
    }
    return due;
}

/* Makes sure that the key's timer goes off in time. */
static void register_timer(SessionOperator *s, uint32_t slot, int64_t due_us)
{
    Session *session = key_session(s, slot);
    if (due_us >= session->timer_us)
        return;
    session->timer_us = due_us;
    timers_add(&s->timers, due_us, slot, session_order(session));
    s->groups.state.present[slot >> STATE_CHUNK_BITS] = STATE_DIRTY;
    if (due_us < s->next_due_us)
        s->next_due_us = due_us;
}

static int64_t recheck_timer(void *owner, const Timer *timer)
{
    const SessionOperator *s = owner;
    Session *session = key_session(s, timer->slot);
    if (!(session->flags & SESSION_OPEN) || session->timer_us != timer->time_us)
        return TIME_MAX;
    int64_t due = key_due(s, session);
    if (due != TIME_MAX)
        session->timer_us = due;
    s->groups.state.present[timer->slot >> STATE_CHUNK_BITS] = STATE_DIRTY;
    return due;
}

/* ---- older sessions ---- */

static uint32_t older_new(SessionOperator *s)
{
    uint32_t number = (uint32_t)s->scalars[SCALAR_FREE_OLDER];
    if (number) {
        s->scalars[SCALAR_FREE_OLDER] = session_next(older_session(s, number));
        state_zero(&s->older.state, number - 1);
        return number;
    }
    number = s->older.state.slot_count + 1;
    state_cover(&s->older.state, number);
    state_touch_one(&s->older.state, number - 1);
    return number;
}

static void older_free(SessionOperator *s, uint32_t number)
{
    groups_forget(&s->older, number - 1);
    older_session(s, number)->flags = s->scalars[SCALAR_FREE_OLDER];
    s->scalars[SCALAR_FREE_OLDER] = number;
}

/* The key's youngest session goes to the head of the list of older ones; the entry is a closed session afterwards, but keeps the list and
 * the timer. */
static void push_older(SessionOperator *s, uint32_t slot)
{
    uint32_t number = older_new(s);
    Session *session = key_session(s, slot), *older = older_session(s, number);
    Session header = *session;
    merge_groups(s, &s->older, number - 1, &s->groups, slot);
    *older = header;
    groups_forget(&s->groups, slot);
    *session = (Session){ .flags = (header.flags & ~STATE_MASK) | SESSION_OPEN, .timer_us = header.timer_us };
    session_set_next(session, number);
}

/* Whether an event joins the session. */
static bool joins(const SessionOperator *s, const Session *session, int64_t start_us, int64_t last_us)
{
    if (start_us - s->gap_us > session->last_us || last_us + s->gap_us < session->start_us)
        return false;
    if (s->max_us == 0)
        return true;
    int64_t start = start_us < session->start_us ? start_us : session->start_us;
    int64_t last = last_us > session->last_us ? last_us : session->last_us;
    return last - start <= s->max_us;
}

/* ---- closing ---- */

static void compact_keys(SessionOperator *s, Operator *op);

/* Something is due for a key: at `due_us`, which is before the clock. */
static Error *fire_key(SessionOperator *s, Operator *op, uint32_t slot, int64_t due_us)
{
    Session *session = key_session(s, slot);
    const int64_t wm_us = s->scalars[SCALAR_WM];
    /* An older session: rare, at once. */
    uint32_t before = 0;
    for (uint32_t next = session_next(session); next; before = next, next = session_next(older_session(s, next))) {
        Session *older = older_session(s, next);
        if (session_due(s, older) != due_us)
            continue;
        TRY(empty_closing(s, op));
        char *state = state_touch_one(&s->older.state, next - 1);
        bool on_time = s->trigger == TRIGGER_AFTER_WATERMARK && !(older->flags & SESSION_FIRED);
        if (on_time || s->final)
            TRY(emit_sessions(s, op, &s->older, &state, &slot, &wm_us, 1, ROW_INSERT, 1));
        if (on_time && s->grace_us) {
            older->flags |= SESSION_FIRED;
            return NULL;
        }
        uint32_t after = session_next(older);
        session_set_next(before ? older_session(s, before) : session, after);
        older_free(s, next);
        return NULL;
    }
    bool on_time = s->trigger == TRIGGER_AFTER_WATERMARK && !(session->flags & SESSION_FIRED);
    if (on_time && s->grace_us) {
        TRY(empty_closing(s, op));
        char *state = state_touch_one(&s->groups.state, slot);
        session->flags |= SESSION_FIRED;
        return emit_sessions(s, op, &s->groups, &state, &slot, &wm_us, 1, ROW_INSERT, 1);
    }
    if (session_next(session)) { /* the youngest ends first: only with a maximum duration; the next one takes its place */
        TRY(empty_closing(s, op));
        char *state = state_touch_one(&s->groups.state, slot);
        if (on_time || s->final)
            TRY(emit_sessions(s, op, &s->groups, &state, &slot, &wm_us, 1, ROW_INSERT, 1));
        uint32_t number = session_next(session);
        Session header = *older_session(s, number);
        header.timer_us = session->timer_us;
        header.flags = (header.flags & STATE_MASK) | (session->flags & ~STATE_MASK);
        groups_forget(&s->groups, slot);
        merge_groups(s, &s->groups, slot, &s->older, number - 1);
        *session = header;
        older_free(s, number);
        return NULL;
    }
    s->scalars[SCALAR_OPEN_KEYS]--;
    if (!on_time && !s->final) {
        TRY(empty_closing(s, op));
        groups_forget(&s->groups, slot);
        return NULL;
    }
    session->flags |= SESSION_CLOSING;
    s->closing_slots[s->closing_count] = slot;
    s->closing_wm[s->closing_count++] = wm_us;
    return s->closing_count == CLOSING_MAX ? empty_closing(s, op) : NULL;
}

static Error *fire(SessionOperator *s, Operator *op, int64_t clock_us)
{
    Timer timer;
    while (timers_pop(&s->timers, clock_us, &timer)) {
        int64_t due_us = recheck_timer(s, &timer);
        if (due_us == TIME_MAX)
            continue;
        if (due_us == timer.time_us) {
            TRY(fire_key(s, op, timer.slot, due_us));
            due_us = key_due(s, key_session(s, timer.slot));
            if (due_us == TIME_MAX) {
                compact_keys(s, op);
                continue;
            }
        }
        Session *session = key_session(s, timer.slot);
        session->timer_us = due_us;
        timers_add(&s->timers, due_us, timer.slot, timer.order);
    }
    s->next_due_us = timers_next(&s->timers);
    return NULL;
}

static Error *move_clock(SessionOperator *s, Operator *op, int64_t wm_us, int64_t clock_us)
{
    if (clock_us > s->next_due_us)
        TRY(fire(s, op, clock_us));
    if (clock_us > s->scalars[SCALAR_CLOCK])
        s->scalars[SCALAR_CLOCK] = clock_us;
    if (wm_us > s->scalars[SCALAR_WM])
        s->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

/* All timers anew, from the entries. */
static void rebuild_timers(SessionOperator *s)
{
    timers_clear(&s->timers);
    for (uint32_t slot = 0; slot < s->keys.count; slot++) {
        Session *session = key_session(s, slot);
        if (session->flags & SESSION_OPEN)
            timers_add(&s->timers, session->timer_us, slot, session_order(session));
    }
    s->next_due_us = timers_next(&s->timers);
}

/* Keys without sessions go when they are most of them. Between batches nothing else refers to slots. */
static void compact_keys(SessionOperator *s, Operator *op)
{
    (void)op;
    uint32_t count = s->keys.count, live = 0;
    if (count < COMPACT_FROM || s->scalars[SCALAR_OPEN_KEYS] * 4 > (int64_t)count || s->batch || s->closing_count)
        return;
    size_t words = bitmap_words(count);
    s->live = mem_realloc(s->live, sizeof(uint64_t) * words);
    s->remap = mem_realloc(s->remap, sizeof(uint32_t) * count);
    memset(s->live, 0, sizeof(uint64_t) * words);
    for (uint32_t slot = 0; slot < count; slot++)
        if (key_session(s, slot)->flags & SESSION_OPEN) {
            bit_set(s->live, slot);
            live++;
        }
    key_table_keep(&s->keys, s->live, s->remap);
    groups_keep(&s->aggregates, &s->groups, s->live, s->remap, live);
    rebuild_timers(s);
}

/* ---- taking rows ---- */

static void pend(SessionOperator *s, uint32_t row, uint32_t slot)
{
    s->pending_rows[s->pending_count] = row;
    s->pending_slots[s->pending_count++] = slot;
}

static void open_session(SessionOperator *s, uint32_t slot, Session *session, int64_t time_us)
{
    if (!(session->flags & SESSION_OPEN)) {
        s->scalars[SCALAR_OPEN_KEYS]++;
        session->timer_us = TIME_MAX;
        session->flags = (int64_t)((uint64_t)s->scalars[SCALAR_ORDER]++ << 32);
    }
    session->start_us = session->last_us = time_us;
    session->flags |= SESSION_OPEN;
    register_timer(s, slot, session_due(s, session));
}

static bool is_late(const SessionOperator *s, int64_t time_us)
{
    return time_add(time_add(time_us, s->gap_us), s->grace_us) < s->scalars[SCALAR_CLOCK];
}

static void row_is_late(SessionOperator *s, uint32_t row, int64_t time_us)
{
    late_add(&s->late, row, time_us, session_end(s, time_us));
    s->late.windows++;
}

/* Takes back the result of a session that is about to change, if it is out. */
static Error *retract(SessionOperator *s, Operator *op, const Groups *groups, uint32_t number, uint32_t slot, bool *was_out)
{
    char *state = state_entry(&groups->state, number);
    const Session *session = (const Session *)state;
    bool out = s->trigger == TRIGGER_AFTER_WATERMARK ? (session->flags & SESSION_FIRED) != 0 : !s->final;
    if (!out)
        return NULL;
    *was_out = true;
    return emit_sessions(s, op, groups, &state, &slot, &s->scalars[SCALAR_WM], 1, ROW_DELETE, 1);
}

/* The general case: the event may join several sessions, or begin one in the past. */
static Error *take_row(SessionOperator *s, Operator *op, uint32_t row, uint32_t slot, int64_t time_us)
{
    TRY(empty_closing(s, op)); /* and all pending rows */
    Session *session = key_session(s, slot);
    Session merged = { .start_us = time_us, .last_us = time_us };
    bool was_out = false, into_youngest, joined = false, youngest_retracted = false;
    uint32_t target = 0; /* older session that takes the others */

    into_youngest = session->flags & SESSION_OPEN && joins(s, session, time_us, time_us);
    if (into_youngest) {
        joined = true;
        merged.start_us = session->start_us < time_us ? session->start_us : time_us;
        merged.last_us = session->last_us > time_us ? session->last_us : time_us;
    }
    uint32_t before = 0, next = session_next(session);
    while (next) {
        Session *older = older_session(s, next);
        uint32_t after = session_next(older);
        /* Only what the event itself joins; those then are all within reach of each other. */
        if (!joins(s, older, time_us, time_us) || (joined && !joins(s, older, merged.start_us, merged.last_us))) {
            before = next;
            next = after;
            continue;
        }
        TRY(retract(s, op, &s->older, next - 1, slot, &was_out)); /* the older one first */
        if (into_youngest && !youngest_retracted)
            TRY(retract(s, op, &s->groups, slot, slot, &was_out));
        youngest_retracted = true;
        joined = true;
        merged.start_us = older->start_us < merged.start_us ? older->start_us : merged.start_us;
        merged.last_us = older->last_us > merged.last_us ? older->last_us : merged.last_us;
        if (!into_youngest && !target) {
            target = next;
            before = next;
        } else {
            if (into_youngest)
                merge_groups(s, &s->groups, slot, &s->older, next - 1);
            else
                merge_groups(s, &s->older, target - 1, &s->older, next - 1);
            session_set_next(before ? older_session(s, before) : session, after);
            older_free(s, next);
        }
        next = after;
    }
    if (into_youngest && !youngest_retracted)
        TRY(retract(s, op, &s->groups, slot, slot, &was_out));
    if (!joined) {
        if (is_late(s, time_us)) {
            row_is_late(s, row, time_us);
            return NULL;
        }
        if (!(session->flags & SESSION_OPEN) || time_us > session->last_us) {
            if (session->flags & SESSION_OPEN)
                push_older(s, slot);
            into_youngest = true;
        } else { /* between or before the others */
            before = 0;
            for (next = session_next(session); next && older_session(s, next)->start_us > time_us; next = session_next(older_session(s, next)))
                before = next;
            target = older_new(s);
            older_session(s, target)->flags = SESSION_OPEN | (int64_t)next;
            session_set_next(before ? older_session(s, before) : session, target);
        }
    }
    if (into_youngest && !(session->flags & SESSION_OPEN)) {
        open_session(s, slot, session, time_us);
    } else {
        Session *kept = into_youngest ? session : older_session(s, target);
        kept->start_us = merged.start_us;
        kept->last_us = merged.last_us;
    }
    Groups *groups = into_youngest ? &s->groups : &s->older;
    uint32_t number = into_youngest ? slot : target - 1;
    Evaluation evaluation = { .arena = &s->batch->arena, .now_us = op->context->now_us, .turn = op->context->turn, .first_row = s->batch->first_row };
    groups_update(&s->aggregates, groups, s->batch, &row, &number, 1, &evaluation);
    char *state = state_entry(&groups->state, number);
    Session *kept = (Session *)state;
    bool out = !s->final;
    if (s->trigger == TRIGGER_AFTER_WATERMARK) {
        kept->flags &= ~SESSION_FIRED;
        out = session_due(s, kept) < s->scalars[SCALAR_CLOCK];
        if (out)
            kept->flags |= SESSION_FIRED;
    }
    if (out)
        TRY(emit_sessions(s, op, groups, &state, &slot, &s->scalars[SCALAR_WM], 1, ROW_INSERT, 1));
    register_timer(s, slot, session_due(s, kept));
    return NULL;
}

static inline int64_t clamp_time(int64_t time_us)
{
    return time_us > TIME_FAR ? TIME_FAR : time_us < -TIME_FAR ? -TIME_FAR : time_us;
}

static Error *take_batch(SessionOperator *s, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    uint32_t count;
    const uint32_t *rows = row_list_take(&s->list, batch, node->aggregate.key_columns,
                                         node->aggregate.drop_null_keys ? node->aggregate.key_count : 0, &count);
    uint32_t *slots = s->list.slots;
    if (count == 0)
        return NULL;
    if (s->pending_capacity < count) {
        s->pending_capacity = 0;
        s->pending_rows = mem_realloc(s->pending_rows, sizeof(uint32_t) * count);
        s->pending_slots = mem_realloc(s->pending_slots, sizeof(uint32_t) * count);
        s->pending_capacity = count;
    }
    for (int i = 0; i < node->aggregate.key_count; i++)
        s->key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
    key_batch_prepare(&s->key_batch, s->key_vectors, batch->row_count, rows, count);
    key_table_resolve(&s->keys, &s->key_batch, rows, count, slots);
    state_cover(&s->groups.state, s->keys.count);
    s->batch = batch;

    const int64_t now_us = op->context->now_us, gap_us = s->gap_us;
    const Vector *time = s->spec->processing_time ? NULL : batch->columns[s->spec->time_column];
    const int64_t *times = time ? time->values : &now_us;
    const uint32_t time_mask = time ? vector_mask(time) : 0;
    const int64_t lag_us = s->spec->lag_us;
    const bool simple = s->final && s->max_us == 0;
    const bool far = (size_t)s->keys.count * s->groups.state.width > (256 << 10);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t row = rows[i], slot = slots[i];
        if (far && i + PREFETCH_DISTANCE < count) {
            const char *ahead = state_entry(&s->groups.state, slots[i + PREFETCH_DISTANCE]);
            __builtin_prefetch(ahead, 1);
            __builtin_prefetch(ahead + 64, 1);
        }
        int64_t wm_us = batch->wm_us ? batch->wm_us[row] : batch->wm_end_us;
        int64_t clock_us = time ? time_sub(wm_us, lag_us) : now_us;
        if (clock_us > s->next_due_us)
            TRY(fire(s, op, clock_us));
        s->scalars[SCALAR_CLOCK] = clock_us > s->scalars[SCALAR_CLOCK] ? clock_us : s->scalars[SCALAR_CLOCK];
        s->scalars[SCALAR_WM] = wm_us > s->scalars[SCALAR_WM] ? wm_us : s->scalars[SCALAR_WM];
        const int64_t time_us = clamp_time(times[row & time_mask]);
        Session *session = key_session(s, slot);
        const int64_t flags = session->flags;
        if (simple && (flags & STATE_MASK) == SESSION_OPEN) { /* one session, and the event joins it */
            if (time_us <= session->last_us + gap_us && time_us >= session->start_us - gap_us) {
                session->last_us = time_us > session->last_us ? time_us : session->last_us;
                session->start_us = time_us < session->start_us ? time_us : session->start_us;
                pend(s, row, slot);
                continue;
            }
        } else if (simple && (flags & STATE_MASK) == 0) { /* none */
            if (is_late(s, time_us)) {
                row_is_late(s, row, time_us);
                continue;
            }
            open_session(s, slot, session, time_us);
            pend(s, row, slot);
            continue;
        }
        TRY(take_row(s, op, row, slot, time_us));
    }
    return NULL;
}

/* ---- the operator ---- */

static Error *session_open(Operator *op)
{
    SessionOperator *s = op->state = mem_calloc(1, sizeof(SessionOperator));
    const PlanNode *node = op->node;
    const WindowSpec *spec = s->spec = &node->aggregate.window;
    int key_count = node->aggregate.key_count;
    arena_init(&s->arena, op->context->pool);
    if (node->inputs[0].node->traits.changes != CHANGES_APPEND)
        return error_at(ERR_UNSUPPORTED, node->at, "sessions over rows that are updated are not supported");
    if (spec->size_us < 0 || spec->size_us > TIME_FAR)
        return error_at(ERR_BIND, node->at, "the gap of a session must not be negative");
    s->trigger = node->aggregate.trigger;
    if (s->trigger == TRIGGER_DELAY || (s->trigger == TRIGGER_AFTER_WATERMARK && spec->grace_us == 0))
        s->trigger = TRIGGER_AFTER_WATERMARK;
    s->final = s->trigger == TRIGGER_FINAL || s->trigger == TRIGGER_END;
    s->gap_us = spec->size_us;
    s->grace_us = spec->grace_us;
    s->max_us = spec->max_session_us;
    TRY(aggregates_open(&s->aggregates, &s->arena, node, "llll", false, true));
    const Type **types = ARENA_ARRAY(&s->arena, const Type *, key_count + 1);
    s->key_vectors = ARENA_ARRAY(&s->arena, const Vector *, key_count + 1);
    for (int i = 0; i < key_count; i++)
        types[i] = node->inputs[0].node->schema.columns[node->aggregate.key_columns[i]].type;
    key_layout_init(&s->key_layout, &s->arena, types, key_count);
    key_batch_init(&s->key_batch, &s->key_layout);
    key_table_init(&s->keys, &op->pool, &s->key_layout);
    groups_init(&s->groups, &op->pool, &s->aggregates, false);
    groups_init(&s->older, &op->pool, &s->aggregates, false);
    timers_init(&s->timers, &op->pool, s->gap_us + s->grace_us, recheck_timer, s);
    s->next_due_us = TIME_MAX;
    s->scalars[SCALAR_CLOCK] = s->scalars[SCALAR_WM] = TIME_MIN;
    scalars_init(&s->scalars_container, &op->pool, s->scalars, SCALAR_COUNT);
    builder_init(&s->out, op, PORT_MAIN, &node->schema, !s->final);
    return NULL;
}

static void session_close(Operator *op)
{
    SessionOperator *s = op->state;
    if (!s)
        return;
    builder_release(&s->out);
    late_release(&s->late);
    if (s->keys.layout)
        key_table_release(&s->keys);
    groups_release(&s->groups);
    groups_release(&s->older);
    timers_release(&s->timers);
    if (s->key_batch.layout)
        key_batch_release(&s->key_batch);
    aggregates_close(&s->aggregates);
    row_list_release(&s->list);
    mem_free(s->pending_rows);
    mem_free(s->pending_slots);
    mem_free(s->live);
    mem_free(s->remap);
    arena_release(&s->arena);
    mem_free(s);
    op->state = NULL;
}

static Error *session_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    SessionOperator *s = op->state;
    Error *error = take_batch(s, op, batch);
    if (!error)
        error = empty_closing(s, op);
    if (!error)
        error = builder_flush(&s->out);
    if (!error)
        error = late_flush(&s->late, op, batch, s->spec->lag_us);
    s->batch = NULL;
    s->pending_count = 0;
    batch_release(batch);
    return error;
}

static Error *session_advance(Operator *op, int64_t wm_us)
{
    SessionOperator *s = op->state;
    int64_t clock_us = time_sub(wm_us, s->spec->lag_us);
    if (s->spec->processing_time && wm_us != TIME_MAX)
        clock_us = op->context->now_us;
    TRY(move_clock(s, op, wm_us, clock_us));
    TRY(empty_closing(s, op));
    compact_keys(s, op);
    groups_compact(&s->aggregates, &s->groups);
    groups_compact(&s->aggregates, &s->older);
    return builder_flush(&s->out);
}

static int session_containers(Operator *op, Container **containers, int capacity)
{
    SessionOperator *s = op->state;
    Container *all[] = { &s->scalars_container.container, &s->keys.container, &s->groups.container, &s->older.container };
    for (int i = 0; i < 4 && i < capacity; i++)
        containers[i] = all[i];
    return 4;
}

static Error *session_restored(Operator *op)
{
    SessionOperator *s = op->state;
    if (s->groups.state.slot_count != s->keys.count)
        return page_damaged("sessions without keys");
    uint32_t older = s->older.state.slot_count;
    if ((uint64_t)s->scalars[SCALAR_FREE_OLDER] > older)
        return page_damaged("a session that does not exist");
    for (uint32_t slot = 0; slot < s->keys.count; slot++)
        if (session_next(key_session(s, slot)) > older)
            return page_damaged("a session that does not exist");
    for (uint32_t number = 1; number <= older; number++)
        if (session_next(older_session(s, number)) > older)
            return page_damaged("a session that does not exist");
    rebuild_timers(s);
    return NULL;
}

static int64_t session_next_close(const Operator *op)
{
    const SessionOperator *s = op->state;
    int64_t next_us = TIME_MAX;
    for (uint32_t slot = 0; slot < s->keys.count; slot++) {
        int64_t due_us = key_due(s, key_session(s, slot));
        next_us = due_us < next_us ? due_us : next_us;
    }
    bool open = next_us != TIME_MAX && !op->node->aggregate.window.processing_time;
    return open ? time_add(next_us, op->node->aggregate.window.lag_us) : TIME_MAX;
}

const OperatorType session_operator = {
    .name = "session", .open = session_open, .close = session_close, .process = session_process, .advance = session_advance,
    .containers = session_containers, .next_close = session_next_close, .restored = session_restored,
};

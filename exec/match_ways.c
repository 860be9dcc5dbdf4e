/* exec/match_ways.c: following the pattern through the rows of a partition.
 *
 * The ways to match from one start are followed side by side, in the order in which the pattern prefers them: the first of them that
 * reaches the end of the pattern, once no preferred one is left, is the match. Of two ways that want the same step and that DEFINE cannot tell apart
 * the second one can never win, and goes. When no way is left, the next row is the start, and the rows behind it are taken again. */
#include "exec/match.h"
#include "common/calendar.h"

/* ---- lists of ways ---- */

typedef struct Ways { uint32_t first, last; int64_t count; } Ways;

static uint32_t new_way(MatchOperator *o, int32_t step, uint32_t node)
{
    uint32_t way = o->free_way;
    if (way != MATCH_NONE) {
        o->free_way = o->ways[way].next;
    } else {
        way = o->way_count++;
        size_t used = sizeof(MatchWay) * way;
        if (o->ways_bytes < used + sizeof(MatchWay))
            o->ways = state_block_grow(o->pool, o->ways, &o->ways_bytes, used, used + sizeof(MatchWay));
    }
    o->ways[way] = (MatchWay){ MATCH_NONE, step, node };
    if (node != MATCH_NONE)
        match_node(o, node)[NODE_HOLDERS]++;
    return way;
}

static uint32_t drop_way(MatchOperator *o, uint32_t way)
{
    const uint32_t next = o->ways[way].next;
    if (o->ways[way].node != MATCH_NONE)
        match_release_node(o, o->ways[way].node);
    o->ways[way].next = o->free_way;
    o->free_way = way;
    return next;
}

static void drop_ways(MatchOperator *o, uint32_t way)
{
    while (way != MATCH_NONE)
        way = drop_way(o, way);
}

static void append_way(MatchOperator *o, Ways *ways, uint32_t way)
{
    if (ways->first == MATCH_NONE)
        ways->first = way;
    else
        o->ways[ways->last].next = way;
    ways->last = way;
    ways->count++;
}

void match_forget(MatchOperator *o, uint32_t slot)
{
    drop_ways(o, o->partitions[slot].ways);
    o->partitions[slot].ways = MATCH_NONE;
}

/* ---- a row ---- */

/* Does the list hold a way to the step that has the same to come? Then that one is preferred. */
static bool is_known(const MatchOperator *o, const Ways *ways, int32_t step, uint32_t node)
{
    if (!o->comparable || step < 0)
        return false;
    if (o->same_step[step] == MATCH_NONE)
        return false;
    for (uint32_t way = ways->first; way != MATCH_NONE; way = o->ways[way].next)
        if (o->ways[way].step == step && match_same_history(o, o->ways[way].node, node))
            return true;
    return false;
}

static Error *too_many(const MatchOperator *o)
{
    return error_hint(error_at(ERR_MEMORY, o->node->at, "MATCH_RECOGNIZE follows more than %lld ways to match at once in one partition", (long long)o->node->match.partial_limit),
                      "say in DEFINE what tells the variables apart, or set 'match.max_partial_matches'");
}

/* The ways behind a step that has taken its row. *ended: one of them may end here, and nothing behind it counts. */
static Error *go_on(MatchOperator *o, Ways *ways, int32_t step, uint32_t node, bool *ended)
{
    const MatchStep *from = &o->node->match.steps[step];
    for (int i = 0; i < from->next_count && !*ended; i++) {
        if (is_known(o, ways, from->next[i], node))
            continue;
        if (ways->count == o->node->match.partial_limit)
            return too_many(o);
        append_way(o, ways, new_way(o, from->next[i], node));
        *ended = from->next[i] == MATCH_ACCEPT;
        if (from->next[i] >= 0)
            o->same_step[from->next[i]] = ways->last;
    }
    return NULL;
}

/* One way meets the row at the cursor. */
static Error *take_way(MatchOperator *o, uint32_t slot, uint32_t way, Ways *ways, bool *ended)
{
    const int32_t step = o->ways[way].step;
    uint32_t node;
    bool passes = false;
    TRY(match_new_node(o, slot, o->ways[way].node, (uint32_t)step, &node));
    Error *error = match_passes(o, slot, node, &passes);
    if (!error && passes)
        error = go_on(o, ways, step, node, ended);
    match_release_node(o, node);
    return error;
}

static Error *take_row(MatchOperator *o, uint32_t slot)
{
    MatchPartition *partition = &o->partitions[slot];
    Ways ways = { MATCH_NONE, MATCH_NONE, 0 };
    uint32_t way = partition->ways;
    partition->ways = MATCH_NONE;
    Error *error = NULL;
    for (bool ended = false; way != MATCH_NONE && !ended && !error;) {
        if (o->ways[way].step == MATCH_ACCEPT) { /* still the best that may end */
            const uint32_t next = o->ways[way].next;
            o->ways[way].next = MATCH_NONE;
            append_way(o, &ways, way);
            way = next;
            break;
        }
        if (o->ways[way].step >= 0) /* MATCH_ACCEPT_AT_END: a row follows, so it does not end here */
            error = take_way(o, slot, way, &ways, &ended);
        way = drop_way(o, way);
    }
    drop_ways(o, way);
    for (way = ways.first; way != MATCH_NONE; way = o->ways[way].next)
        if (o->ways[way].step >= 0)
            o->same_step[o->ways[way].step] = MATCH_NONE;
    partition->ways = ways.first;
    partition->cursor++;
    return error;
}

/* ---- from start to start ---- */

static void begin(MatchOperator *o, uint32_t slot)
{
    MatchPartition *partition = &o->partitions[slot];
    const MatchStep *first = match_entry(o, slot)[P_START] == 0 ? &o->node->match.first : &o->node->match.steps[0];
    Ways ways = { MATCH_NONE, MATCH_NONE, 0 };
    for (int i = 0; i < first->next_count; i++)
        append_way(o, &ways, new_way(o, first->next[i], MATCH_NONE));
    partition->ways = ways.first;
    partition->cursor = match_entry(o, slot)[P_START];
}

static void start_at(MatchOperator *o, uint32_t slot, int64_t number)
{
    match_forget(o, slot);
    ((int64_t *)state_touch_one(&o->entries, slot))[P_START] = number;
    o->partitions[slot].cursor = number;
}

/* Nothing better can follow: the way that may end is the match, if there is one. */
static Error *decide(MatchOperator *o, uint32_t slot)
{
    const int64_t start = match_entry(o, slot)[P_START];
    const bool at_end = o->complete && o->partitions[slot].cursor >= match_entry(o, slot)[P_ROWS];
    uint32_t way = o->partitions[slot].ways;
    while (way != MATCH_NONE && o->ways[way].step != MATCH_ACCEPT && !(at_end && o->ways[way].step == MATCH_ACCEPT_AT_END))
        way = o->ways[way].next;
    int64_t next = start + 1;
    if (way == MATCH_NONE)
        TRY(match_emit_unmatched(o, slot));
    else
        TRY(match_emit(o, slot, o->ways[way].node, &next));
    start_at(o, slot, next);
    return NULL;
}

int64_t match_deadline(const MatchOperator *o, uint32_t slot)
{
    if (!o->node->match.within_us || o->partitions[slot].ways == MATCH_NONE)
        return TIME_MAX;
    return time_add(match_own(o, match_row(o, slot, match_entry(o, slot)[P_START]))[ROW_TIME], o->node->match.within_us);
}

static bool is_over(const MatchOperator *o, uint32_t slot, int64_t event_us)
{
    const MatchPartition *partition = &o->partitions[slot];
    const int64_t deadline_us = match_deadline(o, slot);
    if (o->complete)
        return true;
    if (event_us < deadline_us)
        return false;
    const uint32_t next = match_row(o, slot, partition->cursor); /* a row that NEXT still waits behind */
    return deadline_us != TIME_MAX && (next == MATCH_NONE || match_own(o, next)[ROW_TIME] >= deadline_us);
}

Error *match_follow(MatchOperator *o, uint32_t slot, int64_t event_us)
{
    MatchPartition *partition = &o->partitions[slot];
    for (;;) {
        const int64_t *entry = match_entry(o, slot);
        const int64_t end = entry[P_ROWS] - (o->complete ? 0 : o->node->match.lookahead);
        const bool begun = partition->ways != MATCH_NONE;
        if (partition->cursor < end) {
            if (!begun)
                begin(o, slot);
            if (begun && match_own(o, match_row(o, slot, partition->cursor))[ROW_TIME] >= match_deadline(o, slot)) {
                TRY(decide(o, slot));
                continue;
            }
            TRY(take_row(o, slot));
            if (partition->ways == MATCH_NONE || o->ways[partition->ways].step == MATCH_ACCEPT)
                TRY(decide(o, slot));
        } else if (begun && is_over(o, slot, event_us)) {
            TRY(decide(o, slot));
        } else {
            return NULL;
        }
    }
}

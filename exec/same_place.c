/* exec/same_place.c: do two jobs of one plan stand at the same place? Then one of them is enough: whatever comes, both would give the same.
 *
 * They do where their sources have the same rows before them and their operators hold the same, page by page as a snapshot has them. How each came there (in
 * how many turns, how fast) does not count. */
#include <string.h>

#include "exec/checkpoint.h"
#include "exec/sink_queue.h"
#include "exec/state.h"

#define STATE_BYTES_MAX (8 << 20) /* of state that is looked at: comparing takes about a millisecond for each MiB */

static bool splits_equal(const Scan *one, const Scan *other)
{
    if (one->split_count != other->split_count || one->row_source != other->row_source)
        return false;
    const SourceType *type = one->source_open ? one->source_spec.connector->source : NULL;
    if (type && type->same_place && !type->same_place(&one->source, &other->source))
        return false;
    for (int s = 0; s < one->split_count; s++) {
        const SplitState *a = &one->splits[s], *b = &other->splits[s];
        if (!one->values && strcmp(one->source.splits[s].name, other->source.splits[s].name) != 0)
            return false;
        if ((!type || !type->same_place) && a->position != b->position)
            return false;
        if (a->ended_in_order != b->ended_in_order || a->skipping != b->skipping || a->opened != b->opened || a->restarted != b->restarted)
            return false;
    }
    return true;
}

/* Watermarks decide about rows to come where something waits for them. */
static bool clocks_equal(const Job *one, const Job *other)
{
    for (int d = 0; d < one->domain_count; d++) {
        const Domain *a = &one->domains[d], *b = &other->domains[d];
        const int splits = one->scans[a->scan].split_count;
        if (a->wm_us != b->wm_us || memcmp(a->split_wm_us, b->split_wm_us, sizeof *a->split_wm_us * (size_t)splits) != 0)
            return false;
        for (int s = 0; s < splits; s++)
            if (one->scans[a->scan].splits[s].idle_in_order != other->scans[b->scan].splits[s].idle_in_order)
                return false;
    }
    return true;
}

static bool operators_equal(const Operator *one, const Operator *other, Text *of_one, Text *of_other)
{
    Container *mine[CONTAINERS_MAX], *theirs[CONTAINERS_MAX];
    const int count = one->type->containers((Operator *)one, mine, CONTAINERS_MAX);
    if (count != other->type->containers((Operator *)other, theirs, CONTAINERS_MAX) || one->wm_us != other->wm_us)
        return false;
    for (int i = 0; i < count; i++) {
        of_one->length = of_other->length = 0;
        container_write(mine[i], of_one);
        container_write(theirs[i], of_other);
        if (of_one->length != of_other->length || memcmp(text_c(of_one), text_c(of_other), of_one->length) != 0)
            return false;
    }
    return true;
}

static bool has_state(const Job *job, int node)
{
    const Operator *op = job->parallel[node] ? NULL : job->ordered.operators[node];
    return op && op->type->containers;
}

bool job_same_place(const Job *one, const Job *other)
{
    Text of_one = { 0 }, of_other = { 0 };
    MEMORY_HOLD(text_unwind, &of_one);
    MEMORY_HOLD(text_unwind, &of_other);
    bool same = one->plan->fingerprint == other->plan->fingerprint && one->plan->node_count == other->plan->node_count && one->scan_count == other->scan_count &&
                one->turns_drawn == one->turns_done && other->turns_drawn == other->turns_done && !one->ending && !other->ending && sink_queues_empty((Job *)one) && sink_queues_empty((Job *)other);
    bool stateless = true;
    for (int s = 0; s < one->scan_count && same; s++)
        same = splits_equal(&one->scans[s], &other->scans[s]);
    for (int node = 0; node < one->plan->node_count && same; node++)
        stateless &= !has_state(one, node);
    if (same && !stateless)
        same = job_bytes(one) <= STATE_BYTES_MAX && job_bytes(other) <= STATE_BYTES_MAX && clocks_equal(one, other);
    for (int node = 0; node < one->plan->node_count && same; node++)
        if (has_state(one, node))
            same = operators_equal(one->ordered.operators[node], other->ordered.operators[node], &of_one, &of_other);
    for (int o = 0; o < one->plan->output_count && same; o++)
        same = one->output_done[o] == other->output_done[o];
    text_release(&of_one);
    text_release(&of_other);
    return same;
}

/* exec/sequencer.c: everything that enters a job, in one order: splits are opened, looked at, and give turns. Which one is next: split_choice.c. */
#include "connectors/topic_log.h"
#include "exec/job_internal.h"

#include <string.h>

#define FIRST_BYTES 65536 /* of a split, for the format to look at */
#define LOOK_FIRST_US 10000
#define LOOK_LAST_US 100000

/* ---- opening ---- */

static void decode_spec_for(Scan *scan)
{
    const PlanNode *node = scan->node;
    scan->decode_spec = (DecodeSpec){ .columns = node->scan.columns, .column_count = node->schema.column_count,
        .declared_count = node->scan.declared_count, .declared_names = node->scan.declared_names,
        .options = node->scan.format_options, .zone = node->scan.zone, .want_raw = scan->count_lines,
        .want_positions = scan->count_lines || scan->note_places };
    scan->decode_spec_places = scan->decode_spec;
    scan->decode_spec_places.want_positions = true;
}

/* Splits begin where the source says. */
static void start_splits(Scan *scan, int first)
{
    for (int s = first; s < scan->split_count; s++) {
        scan->splits[s].position = scan->values ? 0 : scan->source.splits[s].start;
        scan->splits[s].end = -1;
    }
}

/* `count` times, those behind the first `known` are not known yet. */
static int64_t *times_of(Job *job, const int64_t *times, int known, int count)
{
    int64_t *more = ARENA_ARRAY(&job->arena, int64_t, (size_t)count + 1);
    for (int s = 0; s < count; s++)
        more[s] = s < known ? times[s] : TIME_MIN;
    return more;
}

static void grow_domain(Job *job, Domain *domain, int known)
{
    int count = job->scans[domain->scan].split_count;
    domain->split_wm_us = times_of(job, domain->split_wm_us, known, count);
    domain->split_last_us = times_of(job, domain->split_last_us, known, count);
    domain->visible_wm_us = times_of(job, domain->visible_wm_us, known, count);
}

static void grow_scan(Job *job, int number, int count)
{
    Scan *scan = &job->scans[number];
    int known = scan->split_count;
    SplitState *splits = ARENA_ARRAY(&job->arena, SplitState, (size_t)count + 1);
    if (known)
        memcpy(splits, scan->splits, sizeof *splits * (size_t)known);
    scan->splits = splits;
    scan->split_count = count;
    start_splits(scan, known);
    for (int d = 0; d < job->domain_count; d++)
        if (job->domains[d].scan == number)
            grow_domain(job, &job->domains[d], known);
    metrics_grow(job, number, known);
}

static Error *open_scan(Job *job, int number)
{
    Scan *scan = &job->scans[number];
    const PlanNode *node = scan->node;
    if (node->kind == PLAN_VALUES) {
        scan->values = true;
        scan->length_total = -1;
    } else {
        SourceColumn *columns = ARENA_ARRAY(&job->arena, SourceColumn, (size_t)node->schema.column_count + 1);
        for (int i = 0; i < node->schema.column_count; i++)
            columns[i] = (SourceColumn){ node->scan.columns[i].path, node->scan.columns[i].path_length, node->scan.columns[i].type };
        scan->source_spec = (SourceSpec){ node->scan.connector, node->scan.connector_options, columns, node->schema.column_count, scan->count_lines, node->scan.zone }; /* dead letters keep headers */
        for (int i = 0; i < node->schema.column_count; i++)
            scan->source_spec.wants_headers |= node->scan.columns[i].part == RECORD_HEADER || node->scan.columns[i].part == RECORD_HEADERS;
        scan->row_source = node->scan.connector->source->row_source;
        scan->record_source = node->scan.connector->source->record_source;
        if (scan->record_source)
            TRY(record_scan_init(&job->arena, node, &job->connectors, &scan->records));
        if (!scan->row_source)
            decode_spec_for(scan);
        scan->source = (Source){ .spec = &scan->source_spec, .context = &job->connectors };
        scan->source_open = true; /* close is due also after a failed open */
        TRY(node->scan.connector->source->open(&scan->source));
        scan->length_total = 0;
        for (int s = 0; s < scan->source.split_count; s++)
            scan->length_total = scan->length_total < 0 || scan->source.splits[s].length < 0 ? -1 : scan->length_total + scan->source.splits[s].length;
    }
    int count = scan->values ? 1 : scan->source.split_count;
    if (!scan->splits || count > scan->split_count)
        grow_scan(job, number, count);
    scan->split_count = count;
    return NULL;
}

Error *sequencer_open(Job *job)
{
    for (int i = 0; i < job->scan_count; i++)
        TRY(open_scan(job, i));
    return NULL;
}

void sequencer_close(Job *job)
{
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        if (scan->source_open)
            scan->source_spec.connector->source->close(&scan->source);
        scan->source_open = false;
    }
}

/* ---- splits become more ---- */

bool sequencer_grows(const Job *job)
{
    for (int i = 0; i < job->scan_count; i++)
        if (job->scans[i].source_open && job->scans[i].source.found)
            return true;
    return false;
}

/* Nothing is in flight: arrays may move. */
static Error *grow_scans(Job *job)
{
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        if (!scan->source_open || !scan->source.found)
            continue;
        scan->source.found = false; /* what is found from here on is said once more */
        TRY(scan->source_spec.connector->source->discover(&scan->source));
        if (scan->source.split_count > scan->split_count)
            grow_scan(job, i, scan->source.split_count);
    }
    return NULL;
}

/* ---- starting a split ---- */

/* The split's first bytes: at least a whole record, or all there is. *whole false: it has not come yet. */
static Error *first_record(Scan *scan, int s, SourceInput *input, bool *whole)
{
    const SourceType *type = scan->source_spec.connector->source;
    const FormatType *format = scan->node->scan.format;
    const void *options = scan->node->scan.format_options;
    size_t want = FIRST_BYTES;
    for (;;) {
        TRY(type->fill(&scan->source, s, want, 0, input));
        scan->splits[s].position += input->skipped;
        size_t looked_at = input->length < want ? input->length : want;
        *whole = input->end || input->length >= RECORD_BYTES_MAX || (looked_at && format->cut(options, input->bytes, looked_at, false));
        if (*whole || input->waiting)
            return NULL;
        want *= 2;
    }
}

static Error *open_format(Job *job, Scan *scan, int s, size_t *skip)
{
    SplitState *split = &scan->splits[s];
    SourceInput input;
    TRY(first_record(scan, s, &input, &split->opened));
    if (!split->opened)
        return NULL;
    return scan->node->scan.format->split_open(&job->draw_arena, &scan->decode_spec, input.bytes, input.length, &split->format_split, skip);
}

static Error *open_split(Job *job, Scan *scan, int s)
{
    SplitState *split = &scan->splits[s];
    size_t skip = 0;
    split->restarted = true;
    split->header_lines = 0;
    if (!scan->node->scan.format->split_open) {
        split->opened = true;
        return NULL;
    }
    TRY(open_format(job, scan, s, &skip));
    if (skip) {
        Buffer *header = NULL;
        TRY(scan->source_spec.connector->source->take(&scan->source, s, skip, &header));
        for (size_t i = 0; scan->count_lines && i < skip; i++)
            split->header_lines += header->bytes[i] == '\n';
        split->position += skip;
        buffer_release(header);
    }
    return NULL;
}

Error *sequencer_seek(Job *job)
{
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        for (int s = 0; !scan->values && s < scan->split_count; s++) {
            SplitState *split = &scan->splits[s];
            uint64_t position = split->position;
            size_t skip = 0;
            if (position == scan->source.splits[s].start)
                continue;
            split->format_split = NULL;
            if (!scan->row_source && !split->ended && scan->node->scan.format->split_open) /* what the first bytes say still holds */
                TRY(open_format(job, scan, s, &skip));
            split->position = position;
            TRY(scan->source_spec.connector->source->seek(&scan->source, s, position));
        }
    }
    return NULL;
}

/* A split that has not started counts with its first record's time. Only needed where there is a choice. */
static Error *peek_splits(Job *job, Turn *turn)
{
    int total = 0;
    for (int i = 0; i < job->scan_count; i++)
        total += job->scans[i].split_count;
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        for (int s = 0; s < scan->split_count; s++) {
            if (scan->row_source || scan->values || scan->splits[s].opened)
                continue;
            TRY(open_split(job, scan, s));
            if (total > 1 && scan->splits[s].opened && scan->splits[s].position < (UINT64_C(1) << 20))
                TRY(turn_peek(job, turn, i, s));
        }
    }
    return NULL;
}

/* ---- drawing ---- */

static void set_waiting(Job *job, SplitState *split, int64_t now_us, int64_t next_at_us)
{
    (void)job;
    if (!split->waiting)
        split->waiting_since_us = now_us;
    split->waiting = true;
    split->next_at_us = next_at_us;
}

/* When to look at a source that wakes nobody: less and less often while nothing comes. */
static int64_t look_soon(const SplitState *split, int64_t now_us)
{
    int64_t wait_us = split->waiting ? (now_us - split->waiting_since_us) / 4 : 0;
    return now_us + (wait_us < LOOK_FIRST_US ? LOOK_FIRST_US : wait_us > LOOK_LAST_US ? LOOK_LAST_US : wait_us);
}

static void got_data(SplitState *split)
{
    split->waiting = false;
    split->idle = false;
}

/* Bytes up to the next line end belong to a record that is too long: they are dropped. *left: it goes on after them. */
static Error *skip_record(Scan *scan, int s, const SourceInput *input, bool *left)
{
    const char *end = memchr(input->bytes, '\n', input->length);
    size_t length = end ? (size_t)(end - input->bytes) + 1 : input->length;
    Buffer *dropped = NULL;
    *left = !end && !input->end && !input->part_ends;
    if (length)
        TRY(scan->source_spec.connector->source->take(&scan->source, s, length, &dropped));
    buffer_release(dropped);
    scan->splits[s].position += length;
    return NULL;
}

/* The piece of `limit` bytes or a little more that ends at a record's end; 0: more bytes are needed. */
static size_t cut_piece(const Scan *scan, const SourceInput *input, size_t limit)
{
    const FormatType *format = scan->node->scan.format;
    const void *options = scan->node->scan.format_options;
    bool last = input->end || input->part_ends;
    for (;;) {
        bool all = limit >= input->length;
        size_t length = format->cut(options, input->bytes, all ? input->length : limit, all && last);
        if (length || all)
            return length;
        limit *= 2;
    }
}

/* The source itself says how far its split's time has come. */
static void draw_watermark(const Job *job, Turn *turn, int64_t watermark_us)
{
    turn->kind = TURN_WATERMARK;
    for (int d = 0; d < job->domain_count; d++)
        if (job->domains[d].scan == turn->scan)
            turn->domain_wm_us[d] = watermark_us;
}

/* A followed file was cut or replaced: places count anew, and it may have a header again. False: that has not come yet. */
static Error *begin_again(Job *job, Scan *scan, int s, bool *whole)
{
    SplitState *split = &scan->splits[s];
    split->opened = split->skipping = false;
    split->position = 0;
    Error *error = open_split(job, scan, s);
    *whole = split->restarted = split->opened;
    split->opened = true; /* it does not count as one that has not started */
    return error;
}

static Error *draw_bytes(Job *job, Scan *scan, int s, Turn *turn, bool *drawn)
{
    SplitState *split = &scan->splits[s];
    const SourceType *type = scan->source_spec.connector->source;
    size_t want = job->options.turn_bytes, length = 0;
    SourceInput input;
    for (;;) {
        TRY(type->fill(&scan->source, s, want, 10000, &input));
        split->position += input.skipped;
        if (input.restarted && !split->restarted) {
            bool whole;
            TRY(begin_again(job, scan, s, &whole));
            if (whole)
                continue;
            set_waiting(job, split, turn->now_us, look_soon(split, turn->now_us));
            return NULL;
        }
        if (split->skipping && input.length) {
            bool left;
            TRY(skip_record(scan, s, &input, &left));
            split->skipping = left;
            continue;
        }
        length = input.length ? cut_piece(scan, &input, job->options.turn_bytes) : 0;
        if (length || input.end || input.waiting || input.part_ends)
            break;
        if (input.length > RECORD_BYTES_MAX) {
            turn->oversized = split->skipping = true;
            length = input.length;
            break;
        }
        want = input.length * 2 > want * 2 ? input.length * 2 : want * 2;
    }
    if (input.has_watermark) {
        got_data(split);
        draw_watermark(job, turn, input.watermark_us);
        *drawn = true;
        uint64_t skipped = 0;
        TRY(type->pass_watermark(&scan->source, s, &skipped));
        split->position += skipped;
        return NULL;
    }
    if (length == 0 && !input.end) {
        set_waiting(job, split, turn->now_us, input.next_at_us ? input.next_at_us : look_soon(split, turn->now_us));
        return NULL;
    }
    got_data(split);
    turn->position = split->position;
    turn->length = turn->byte_count = length;
    turn->format_split = split->format_split;
    turn->restarted = split->restarted;
    turn->header_lines = split->header_lines;
    split->restarted = false;
    bool whole = input.end && length == input.length;
    if (length)
        TRY(type->take(&scan->source, s, length, &turn->bytes));
    else
        turn->bytes = buffer_new(1);
    split->position += length;
    split->ended = turn->split_end = whole || (input.end && length == 0);
    *drawn = true;
    return NULL;
}

static uint64_t bytes_of(const RecordSet *set)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; set && i < set->count; i++)
        bytes += set->records[i].key_length + set->records[i].value_length;
    return bytes;
}

static Error *draw_rows(Job *job, Scan *scan, int s, Turn *turn, bool *drawn)
{
    SplitState *split = &scan->splits[s];
    uint64_t most = job->options.turn_bytes < TURN_BYTES || job->sequenced ? 1 : TURN_ROWS;
    if (scan->values) {
        uint64_t total = (uint64_t)scan->node->values.row_count;
        turn->range = (RowRange){ .first = split->position, .count = total - split->position < most ? total - split->position : most };
        turn->range.end = split->position + turn->range.count == total;
    } else {
        TRY(scan->source_spec.connector->source->next_rows(&scan->source, s, most, turn->now_us, &turn->range));
        if (turn->range.has_watermark) {
            got_data(split);
            draw_watermark(job, turn, turn->range.watermark_us);
            *drawn = true;
            return NULL;
        }
        if (turn->range.count == 0 && turn->range.waiting && !turn->range.end) {
            if (turn->range.next)
                split->position = turn->range.next;
            set_waiting(job, split, turn->now_us, turn->range.next_at_us);
            return NULL;
        }
    }
    got_data(split);
    turn->byte_count = scan->record_source ? bytes_of(turn->range.page) : 0;
    turn->position = split->position;
    split->position = turn->range.next ? turn->range.next : split->position + turn->range.count;
    split->ended = turn->split_end = turn->range.end;
    *drawn = true;
    return NULL;
}

static bool all_ended(const Job *job)
{
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < job->scans[i].split_count; s++)
            if (!job->scans[i].splits[s].ended)
                return false;
    return true;
}

/* What waits for its source to wake us is looked at again. */
static void look_again(Job *job)
{
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < job->scans[i].split_count; s++)
            if (job->scans[i].splits[s].next_at_us == TIME_MAX)
                job->scans[i].splits[s].next_at_us = 0;
}

static void count_progress(Job *job)
{
    int64_t done = 0;
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        int64_t (*progress)(Source *, int) = scan->source_open ? scan->source_spec.connector->source->progress : NULL;
        for (int s = 0; progress && s < scan->split_count; s++)
            done += progress(&scan->source, s);
    }
    job->progress_bytes = done;
}

Error *sequencer_draw(Job *job, Turn *turn, bool *drawn, int64_t *wait_until_us)
{
    *drawn = false;
    *wait_until_us = TIME_MAX;
    bool woken = atomic_exchange(&job->source_woken, false); /* before the look: what comes after it wakes us once more */
    if (woken)
        look_again(job);
    if (sequencer_grows(job))
        TRY(grow_scans(job));
    TRY(peek_splits(job, turn));
    clocks_become_visible(job, turn->number);
    turn->now_us = job->options.clock->now_us(job->options.clock);
    split_choice_look(job, turn->now_us, woken);
    split_choice_align(job);
    *drawn = split_choice_idle(job, turn);
    while (!*drawn && split_choice_next(job, turn->now_us, &turn->scan, &turn->split)) {
        Scan *scan = &job->scans[turn->scan];
        turn->kind = TURN_BATCH;
        bool rows = scan->values || scan->row_source;
        if (!rows && !scan->splits[turn->split].opened) {
            set_waiting(job, &scan->splits[turn->split], turn->now_us, look_soon(&scan->splits[turn->split], turn->now_us));
            continue;
        }
        TRY((rows ? draw_rows : draw_bytes)(job, scan, turn->split, turn, drawn));
        split_choice_drawn(job, turn);
    }
    count_progress(job);
    if (!*drawn && all_ended(job))
        return NULL;
    if (!*drawn)
        *drawn = split_choice_idle(job, turn);
    if (*drawn) {
        metrics_drawn(job, turn);
        return NULL;
    }
    turn->kind = TURN_TICK; /* time passes: processing-time windows and delays look at their clocks */
    turn->scan = turn->split = 0;
    metrics_drawn(job, turn);
    *wait_until_us = sequencer_grows(job) ? turn->now_us : split_choice_wait(job, turn->now_us); /* what was found while it looked is taken at once */
    return NULL;
}

/* formats/json_decode.c: JSON records become rows: the fast path, and what happens to records that it does not take. */
#include "formats/formats_internal.h"
#include "formats/json_internal.h"

typedef struct JsonDecoder {
    Arena arena, scratch;
    JsonOptions options;
    bool bare;                 /* a record is the one column's value */
    JsonPathNode *root;
    JsonMatch *matches;
    int node_count;
    JsonColumn *columns;
    const JsonToken **tokens;  /* of each column, of the last record */
    JsonGeneral *general;      /* made when first needed */
    JsonScan *scan;            /* NULL: switched off */
} JsonDecoder;

/* One call of decode or decode_records. */
typedef struct JsonRun {
    JsonDecoder *decoder;
    const DecodeSpec *spec;
    Vector *const *vectors;
    Arena *arena;              /* lives as long as the vectors */
    uint32_t row, max_rows;
    DecodeInput *input;        /* lines; NULL: messages */
    Batch *batch;
    LineCounter lines;
} JsonRun;

/* ---- opening ---- */

Error *json_decoder_open(Decoder *decoder)
{
    const DecodeSpec *spec = decoder->spec;
    JsonDecoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    arena_init(&state->scratch, NULL);
    decoder->state = state;
    if (spec->options)
        state->options = *(const JsonOptions *)spec->options;
    state->bare = json_is_bare(&state->options, spec->declared_count, decodes_keys(spec));
    state->root = json_paths_build(&state->arena, spec, state->bare, state->options.coerce == JSON_KSQL, &state->node_count);
    state->matches = ARENA_ARRAY(&state->arena, JsonMatch, (size_t)state->node_count);
    state->columns = ARENA_ARRAY(&state->arena, JsonColumn, (size_t)spec->column_count + 1);
    state->tokens = ARENA_ARRAY(&state->arena, const JsonToken *, (size_t)spec->column_count + 1);
    for (int c = 0; c < spec->column_count; c++) {
        const DecodeColumn *from = &spec->columns[c];
        JsonColumn *column = &state->columns[c];
        *column = (JsonColumn){ .type = from->type, .name = path_text(&state->arena, from->path, from->path_length), .node = json_path_node(state->root, from, state->bare)->number,
                                .not_null = from->not_null, .nested = type_is_nested(from->type), .zone = type_holds_instants(from->type) ? spec->zone : NULL };
        json_integer_range(from->type, &column->minimum, &column->maximum);
        if (from->timestamp_format)
            TRY(timestamp_pattern_new(&state->arena, from->timestamp_format, &column->pattern));
    }
    if (!spec->use_general && !state->bare)
        state->scan = json_scan_new(&state->arena, state->columns, spec->column_count, state->root, state->node_count, state->options.coerce == JSON_KSQL);
    return NULL;
}

void json_decoder_close(Decoder *decoder)
{
    JsonDecoder *state = decoder->state;
    if (!state)
        return;
    json_general_free(state->general);
    json_scan_free(state->scan);
    arena_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    decoder->state = NULL;
}

/* ---- the slow path: one record ---- */

/* What simdjson finds, or says against the record. */
static const char *locate_with_care(JsonRun *run, const char *record, size_t length)
{
    JsonDecoder *state = run->decoder;
    const char *end = record + length, *bad, *reason = "unexpected text";
    const char *after = json_skip_value(record, end, JSON_DEPTH_LIMIT, &bad);
    if (state->bare && (length == 0 || *record != '{')) {
        if (after == end)
            return json_locate_any(state->root, record, length, state->matches, state->node_count) ? NULL : reason;
        reason = length == 0 ? "nothing there" : reason;
    } else {
        if (!state->general && !(state->general = json_general_new()))
            memory_raise();
        reason = json_general_locate(state->general, state->root, record, length, state->matches, state->node_count);
        if (reason == json_general_no_memory)
            memory_raise();
        if (!reason)
            return NULL;
    }
    if (after)
        bad = *record == '{' || state->bare ? json_space(after, end) : record;
    return arena_printf(run->arena, "invalid JSON at byte %zu: %s", (size_t)(bad - record), reason);
}

/* A message for simdjson, which wants room behind it. */
static const char *padded_copy(Arena *arena, const char *record, size_t length)
{
    char *copy = arena_alloc(arena, length + BUFFER_PADDING);
    memcpy(copy, record, length);
    memset(copy + length, 0, BUFFER_PADDING);
    return copy;
}

/* Finds the wanted values; NULL or why the record is bad. */
static const char *locate(JsonRun *run, const char *record, size_t length, bool *invalid)
{
    JsonDecoder *state = run->decoder;
    *invalid = true;
    if (length > JSON_RECORD_LIMIT)
        return "the record is longer than 64 MB";
    bool found = !run->spec->use_general && (state->bare ? json_locate_any : json_locate)(state->root, record, length, state->matches, state->node_count);
    const char *reason = NULL;
    if (!found)
        reason = locate_with_care(run, run->input ? record : padded_copy(run->arena, record, length), length);
    *invalid = reason != NULL;
    return reason;
}

/* Keys that fit a name twice, and a value where an object with wanted fields should be. */
static const char *check_matches(JsonRun *run, const JsonPathNode *node, const char **column)
{
    JsonDecoder *state = run->decoder;
    const JsonMatch *match = &state->matches[node->number];
    if (node->number && match->token.kind == JSON_MISSING)
        return NULL;
    *column = state->columns[node->column].name;
    if (match->ambiguous)
        return arena_printf(run->arena, "two keys fit the name '%s' without case", node->name);
    if (node->child_count && match->token.kind != JSON_OBJECT && match->token.kind != JSON_NULL)
        return arena_printf(run->arena, "expected an object in '%s'", node->name);
    if (match->token.kind == JSON_OBJECT)
        for (int i = 0; i < node->child_count; i++) {
            const char *reason = check_matches(run, node->children[i], column);
            if (reason)
                return reason;
        }
    return NULL;
}

/* Converts and stores column `c`; NULL or why not. */
static const char *convert_column(JsonRun *run, int c)
{
    JsonDecoder *state = run->decoder;
    const JsonColumn *column = &state->columns[c];
    const JsonToken *token = state->tokens[c];
    Vector *vector = run->vectors[c];
    Arena *arena = run->arena;
    Value value;
    if (token->kind == JSON_MISSING && state->options.fail_on_missing_field)
        return "is missing";
    if (token->kind == JSON_MISSING || token->kind == JSON_NULL) {
        if (column->not_null)
            return token->kind == JSON_NULL ? "is NULL" : "is missing";
        vector_store_null(arena, vector, run->row);
        return NULL;
    }
    JsonConversion conversion = { arena, &state->scratch, column->pattern, column->zone, state->options.coerce == JSON_KSQL };
    const char *reason = json_to_value(&conversion, column->type, token, &value);
    if (reason) {
        if (!state->options.ignore_parse_errors || column->not_null)
            return reason;
        vector_store_null(arena, vector, run->row);
        return NULL;
    }
    if (column->nested)
        vector_set(arena, vector, run->row, &value);
    else
        scalar_store(vector, run->row, &value);
    return NULL;
}

static const char *convert_columns(JsonRun *run, const char **column)
{
    JsonDecoder *state = run->decoder;
    const char *reason;
    for (int c = 0; c < run->spec->column_count; c++)
        state->tokens[c] = &state->matches[state->columns[c].node].token;
    if ((reason = check_matches(run, state->root, column)) != NULL)
        return reason;
    for (int nested = 0; nested < 2; nested++) /* nested ones last: their children cannot be taken back */
        for (int c = 0; c < run->spec->column_count; c++)
            if (state->columns[c].nested == nested && (reason = convert_column(run, c)) != NULL) {
                *column = state->columns[c].name;
                return reason;
            }
    return NULL;
}

/* The record becomes row `run->row`; NULL or why not, and by which column. */
static const char *decode_record(JsonRun *run, const char *record, size_t length, const char **column)
{
    bool invalid;
    *column = NULL;
    const char *reason = locate(run, record, length, &invalid);
    if (!reason)
        reason = convert_columns(run, column);
    if (run->decoder->scratch.blocks)
        arena_reset(&run->decoder->scratch);
    if (invalid)
        *column = NULL;
    return reason;
}

/* Decodes the record of a line into the next row, or notes why not. */
static bool decode_line_record(JsonRun *run, const char *record, size_t length)
{
    const char *column, *reason = decode_record(run, record, length, &column);
    if (!reason)
        return true;
    row_forget_nulls(run->vectors, run->spec->column_count, run->row);
    if (!run->decoder->options.ignore_parse_errors)
        bad_row_add(run->input, &run->lines, run->batch, run->row, record, length, column, reason);
    return false;
}

/* The line at `p`: its record is decoded; the next line's start. */
static const char *decode_line(JsonRun *run, const char *p, const char *end)
{
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    const char *record = json_space(p, newline ? newline : end), *stop = newline ? newline : end;
    while (stop > record && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
        stop--;
    const char *next = newline ? newline + 1 : end;
    if (record == stop)
        return next;
    if (decode_line_record(run, record, (size_t)(stop - record))) {
        origins_note(run->spec, run->input, &run->lines, run->batch, run->row, record, (size_t)(stop - record));
        if (run->decoder->scan && newline)
            json_scan_learn(run->decoder->scan, p, (size_t)(next - p), run->decoder->tokens, run->decoder->matches);
        run->row++;
    }
    return next;
}

/* ---- pieces ---- */

/* Records that follow a template, with their origins where they are wanted. */
static const char *scan_records(JsonRun *run, const char *p)
{
    const DecodeSpec *spec = run->spec;
    if (!spec->want_raw && !spec->want_positions)
        return json_scan_records(run->decoder->scan, p, &run->row, run->max_rows, false);
    while (run->row < run->max_rows) {
        uint32_t row = run->row;
        const char *next = json_scan_records(run->decoder->scan, p, &run->row, run->max_rows, true);
        if (run->row == row)
            return p;
        const char *record = json_space(p, next), *stop = next - 1;
        while (stop > record && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
            stop--;
        origins_note(spec, run->input, &run->lines, run->batch, row, record, (size_t)(stop - record));
        p = next;
    }
    return p;
}

Error *json_decode(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch)
{
    JsonRun run = { .decoder = decoder->state, .spec = decoder->spec, .vectors = batch->columns, .arena = &batch->arena, .row = batch->row_count, .max_rows = max_rows,
                    .input = input, .batch = batch };
    const char *p = input->bytes + input->at, *end = input->bytes + input->length;
    if (input->buffer)
        batch_hold_buffer(batch, input->buffer);
    line_counter_start(&run.lines, input);
    origins_start(decoder->spec, batch, max_rows);
    if (input->at == 0 && input->position == 0 && input->length >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3;
    const char *last = p < end ? memrchr(p, '\n', (size_t)(end - p)) : NULL;
    if (run.decoder->scan)
        json_scan_start(run.decoder->scan, batch->columns, &batch->arena, last ? last + 1 : p);
    while (p < end && run.row < max_rows) {
        if (run.decoder->scan && last && p <= last) {
            p = scan_records(&run, p);
            if (p >= end || run.row >= max_rows)
                break;
        }
        p = decode_line(&run, p, end);
    }
    batch->row_count = run.row;
    batch->selection = (Selection){ run.row, NULL };
    input->at = (size_t)(p - input->bytes);
    return NULL;
}

/* ---- messages ---- */

static void store_nulls(JsonRun *run)
{
    for (int c = 0; c < run->spec->column_count; c++)
        vector_store_null(run->arena, run->vectors[c], run->row);
}

/* A message becomes row run->row. `line`: where it stands as a line, for the fast path to learn from; or NULL. */
static void decode_message(JsonRun *run, const RecordBytes *message, const char *line, Vector *const columns[], RecordFailures *failures)
{
    if (!message->bytes) {
        store_nulls(run);
        return;
    }
    const char *bytes = line ? line : message->bytes, *end = bytes + message->length, *record = json_space(bytes, end);
    while (end > record && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n' || end[-1] == '\r'))
        end--;
    size_t length = (size_t)(end - record);
    if (length == 4 && memcmp(record, "null", 4) == 0) {
        store_nulls(run);
        return;
    }
    const char *column, *reason = decode_record(run, record, length, &column);
    if (reason)
        record_fail(run->spec, run->arena, columns, failures, run->row, column, reason);
    else if (line)
        json_scan_learn(run->decoder->scan, line, message->length + 1, run->decoder->tokens, run->decoder->matches);
}

/* Copies messages without line ends one after the other, as lines, with room behind them; lines[i]: where, or NULL. Returns the end. */
static const char *messages_as_lines(Arena *arena, const RecordBytes *records, uint32_t count, const char *lines[])
{
    size_t total = BUFFER_PADDING;
    for (uint32_t i = 0; i < count; i++)
        total += records[i].length + 1;
    char *to = arena_alloc(arena, total);
    for (uint32_t i = 0; i < count; i++) {
        lines[i] = NULL;
        if (!records[i].bytes || memchr(records[i].bytes, '\n', records[i].length))
            continue;
        lines[i] = memcpy(to, records[i].bytes, records[i].length);
        to += records[i].length;
        *to++ = '\n';
    }
    memset(to, 0, BUFFER_PADDING);
    return to;
}

/* Those that lie so already. */
static const char *messages_in_lines(const RecordBytes *records, uint32_t count, const char *lines[])
{
    const char *end = "";
    for (uint32_t i = 0; i < count; i++) {
        lines[i] = NULL;
        if (!records[i].bytes)
            continue;
        end = records[i].bytes + records[i].length + 1;
        if (!memchr(records[i].bytes, '\n', records[i].length))
            lines[i] = records[i].bytes;
    }
    return end;
}

/* The lines from `row` on that stand directly one behind the other end before this one. */
static uint32_t run_of_lines(const RecordBytes *records, const char *const lines[], uint32_t row)
{
    const char *next = lines[row];
    while (lines[row] && lines[row] == next)
        next += records[row++].length + 1;
    return row;
}

Error *json_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    JsonRun run = { .decoder = decoder->state, .spec = decoder->spec, .vectors = columns, .arena = arena, .max_rows = count };
    JsonScan *scan = run.decoder->scan;
    const char **lines = ARENA_ARRAY(arena, const char *, (size_t)count + 1); /* the last one is NULL */
    if (scan)
        json_scan_start(scan, columns, arena, decoder->record_lines ? messages_in_lines(records, count, lines) : messages_as_lines(arena, records, count, lines));
    for (uint32_t stop = 0; run.row < count;) {
        uint32_t row = run.row;
        if (stop <= row)
            stop = run_of_lines(records, lines, row);
        if (lines[row])
            json_scan_records(scan, lines[row], &run.row, stop, false);
        if (run.row > row)
            continue;
        decode_message(&run, &records[row], lines[row], columns, failures);
        run.row++;
    }
    return NULL;
}

/* formats/json_write.c: rows become JSON: objects on lines, or the keys and values of messages. */
#include "common/value_text.h"
#include "formats/formats_internal.h"
#include "formats/json_internal.h"

typedef struct JsonEncoder {
    Arena arena;
    Str *keys;         /* `"name":` of each column */
    bool *plain;       /* its values look the same in every style of times */
    TimeStyle times;
    bool leave_out;    /* NULL fields */
    bool bare;         /* a record is the one column's value */
} JsonEncoder;

Error *json_encoder_open(Encoder *encoder)
{
    static const JsonOptions defaults = { .times = TIMES_SQL };
    const JsonOptions *options = encoder->options ? encoder->options : &defaults;
    JsonEncoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    encoder->state = state;
    int count = encoder->schema->column_count;
    state->times = options->times == TIMES_SQL && options->timestamp_standard == JSON_ISO_8601 ? TIMES_ISO_LOCAL : (TimeStyle)options->times;
    state->leave_out = options->ignore_null_fields;
    state->bare = json_is_bare(options, count, encoder->key);
    state->keys = ARENA_ARRAY(&state->arena, Str, (size_t)count + 1);
    state->plain = ARENA_ARRAY(&state->arena, bool, (size_t)count + 1);
    for (int c = 0; c < count; c++) {
        const Column *column = &encoder->schema->columns[c];
        Text key = { NULL, 0, 0 };
        MEMORY_HOLD(text_unwind, &key);
        text_add_json_string(&key, column->name, strlen(column->name));
        text_add_char(&key, ':');
        state->keys[c] = str_view(arena_copy(&state->arena, key.bytes, key.length), key.length);
        text_release(&key);
        state->plain[c] = state->times == TIMES_SQL || !type_holds_times(column->type);
    }
    return NULL;
}

void json_encoder_close(Encoder *encoder)
{
    JsonEncoder *state = encoder->state;
    if (!state)
        return;
    arena_release(&state->arena);
    mem_free(state);
    encoder->state = NULL;
}

/* ---- values with times ---- */

static void add_value(Text *out, const Vector *vector, uint32_t row, TimeStyle times);

static void add_list(Text *out, const Vector *vector, uint32_t row, TimeStyle times)
{
    bool map = vector->type->kind == TYPE_MAP;
    const Vector *items = map ? vector->children[0]->children[1] : vector->children[0];
    text_add_char(out, map ? '{' : '[');
    for (uint32_t at = vector->offsets[row]; at < vector->offsets[row + 1]; at++) {
        if (at > vector->offsets[row])
            text_add_char(out, ',');
        if (map) {
            text_add_json_key(out, vector->children[0]->children[0], at);
            text_add_char(out, ':');
        }
        add_value(out, items, at, times);
    }
    text_add_char(out, map ? '}' : ']');
}

static void add_struct(Text *out, const Vector *vector, uint32_t row, TimeStyle times)
{
    text_add_char(out, '{');
    for (int i = 0; i < vector->type->child_count; i++) {
        text_add_c(out, i ? "," : "");
        text_add_json_string(out, vector->type->names[i], strlen(vector->type->names[i]));
        text_add_char(out, ':');
        add_value(out, vector->children[i], row, times);
    }
    text_add_char(out, '}');
}

/* A value with its times in the style. */
static void add_value(Text *out, const Vector *vector, uint32_t row, TimeStyle times)
{
    row &= vector_mask(vector);
    if (vector_is_null(vector, row)) {
        text_add(out, "null", 4);
        return;
    }
    if (vector->type->kind == TYPE_STRUCT)
        add_struct(out, vector, row, times);
    else if (type_is_nested(vector->type))
        add_list(out, vector, row, times);
    else if (!time_style_add(times, out, vector, row, '"'))
        text_add_value_json(out, vector, row);
}

static void add_column(const JsonEncoder *state, Text *out, int c, const Vector *vector, uint32_t row)
{
    if (state->plain[c])
        text_add_value_json(out, vector, row);
    else
        add_value(out, vector, row, state->times);
}

/* ---- records ---- */

/* The fields, the first one behind `before`; whether there is any. */
static bool add_fields(const JsonEncoder *state, Text *out, int count, const Vector *const columns[], uint32_t row, char before)
{
    bool any = false;
    for (int c = 0; c < count; c++) {
        if (state->leave_out && vector_is_null(columns[c], row))
            continue;
        text_add_char(out, any ? ',' : before);
        text_add_str(out, &state->keys[c]);
        add_column(state, out, c, columns[c], row);
        any = true;
    }
    return any;
}

Error *json_encode(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out)
{
    const JsonEncoder *state = encoder->state;
    const Vector *const *columns = (const Vector *const *)batch->columns;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (with_kinds) {
            text_add_c(out, "{\"op\":\"");
            text_add_c(out, row_kind_text(batch_kind(batch, row)));
            text_add_char(out, '"');
        }
        if (state->bare && !with_kinds) {
            add_column(state, out, 0, columns[0], row);
            text_add_char(out, '\n');
            continue;
        }
        bool any = add_fields(state, out, encoder->schema->column_count, columns, row, with_kinds ? ',' : '{');
        text_add_c(out, any || with_kinds ? "}\n" : "{}\n");
    }
    return NULL;
}

Error *json_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    const JsonEncoder *state = encoder->state;
    int count = encoder->schema->column_count;
    *none = state->bare && row_is_null(count, columns, row);
    if (*none)
        return NULL;
    if (state->bare)
        add_column(state, out, 0, columns[0], row);
    else
        text_add_c(out, add_fields(state, out, count, columns, row, '{') ? "}" : "{}");
    return NULL;
}

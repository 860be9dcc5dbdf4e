/* formats/avro.c: Avro behind the number of its schema in a registry, as Confluent's serializer writes it.
 *
 * A message is read by the schema that its writer registered; fields are found by their names, exactly or without case. For each schema that
 * is met a plan is made once: what each part of the bytes becomes. */
#include "formats/avro_schema.h"

#include "common/calendar.h"
#include "common/decimal.h"
#include "formats/formats_internal.h"
#include "formats/json_internal.h"
#include "formats/varint.h"

/* ---- options ---- */

typedef struct AvroOptions {
    int wrap; /* JSON_WRAP_.. */
} AvroOptions;

static const char *const wrap_choices[] = { "auto", "true", "false", NULL };
static const OptionSpec avro_options[] = {
    { .name = "wrap_single_value", .kind = OPTION_ENUM, .offset = offsetof(AvroOptions, wrap), .default_text = "auto", .choices = wrap_choices,
      .doc = "false: a value of one column is written and read bare, without a record around it. A message's key of one column always is." },
    { .name = NULL }
};

static bool is_bare(const void *options, int column_count, bool key) { return column_count == 1 && (key || (options && ((const AvroOptions *)options)->wrap == JSON_WRAP_FALSE)); }

/* ---- plans ---- */

/* What becomes of a part of the bytes. */
typedef struct AvroPlan {
    const AvroSchema *schema;
    const Type *type;             /* NULL: it is passed over */
    struct AvroPlan **children;   /* of fields (NULL: passed over), branches, items */
    int *targets;                 /* of fields: the field of the type */
    bool mismatch;                /* no value of the schema becomes one of the type */
} AvroPlan;

/* One schema that was met. */
typedef struct KnownSchema {
    int32_t id;
    const AvroSchema *schema;
    AvroPlan *plan;               /* NULL: nobody wants anything */
    const char *reason;           /* why there is no schema */
} KnownSchema;

typedef struct AvroDecoder {
    Arena arena, scratch;
    const Type *type;             /* of what is read: a STRUCT of all columns, or the one column's; NULL: nobody wants anything */
    bool bare;
    struct { KnownSchema *items; int count, capacity; } known;
    int last;                     /* the one that was met last */
} AvroDecoder;

static bool is_whole_number(const Type *type) { return type_is_integer(type) || type->kind == TYPE_DECIMAL || type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE; }

/* Can values of the schema become ones of the type, both simple? */
static bool fits(const AvroSchema *schema, const Type *type)
{
    switch (schema->kind) {
    case AVRO_NULL: return true;
    case AVRO_BOOLEAN: return type->kind == TYPE_BOOLEAN;
    case AVRO_INT: case AVRO_LONG: return is_whole_number(type) || type_is_timestamp(type) || type->kind == TYPE_DATE || type->kind == TYPE_TIME;
    case AVRO_FLOAT: case AVRO_DOUBLE: return type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE;
    case AVRO_STRING: case AVRO_ENUM: return type->kind == TYPE_VARCHAR;
    case AVRO_BYTES: case AVRO_FIXED: return schema->logical == AVRO_DECIMAL ? type->kind == TYPE_DECIMAL : type->kind == TYPE_BYTES;
    default: return false;
    }
}

/* The field of a STRUCT with that name; -1: none. */
static int target_of(const Type *type, const char *name)
{
    for (int i = 0; i < type->child_count; i++)
        if (type->names[i] && strcmp(type->names[i], name) == 0)
            return i;
    for (int i = 0; i < type->child_count; i++)
        if (type->names[i] && name_equal(type->names[i], name))
            return i;
    return -1;
}

static AvroPlan *make_plan(Arena *arena, const AvroSchema *schema, const Type *type);

static void plan_fields(Arena *arena, const AvroSchema *schema, const Type *type, AvroPlan *plan)
{
    bool *taken = ARENA_ARRAY(arena, bool, (size_t)type->child_count + 1);
    plan->targets = ARENA_ARRAY(arena, int, (size_t)schema->count + 1);
    for (int i = 0; i < schema->count; i++) {
        int target = target_of(type, schema->names[i]);
        if (target < 0 || taken[target])
            continue;
        taken[target] = true;
        plan->targets[i] = target;
        plan->children[i] = make_plan(arena, schema->children[i], type->children[target]);
    }
}

static AvroPlan *make_plan(Arena *arena, const AvroSchema *schema, const Type *type)
{
    AvroPlan *plan = ARENA_NEW(arena, AvroPlan);
    *plan = (AvroPlan){ .schema = schema, .type = type, .children = ARENA_ARRAY(arena, AvroPlan *, (size_t)schema->count + 1) };
    switch (schema->kind) {
    case AVRO_RECORD:
        plan->mismatch = type->kind != TYPE_STRUCT;
        if (!plan->mismatch)
            plan_fields(arena, schema, type, plan);
        break;
    case AVRO_ARRAY:
        plan->mismatch = type->kind != TYPE_ARRAY;
        if (!plan->mismatch)
            plan->children[0] = make_plan(arena, schema->children[0], type->children[0]);
        break;
    case AVRO_MAP:
        plan->mismatch = type->kind != TYPE_MAP || type->children[0]->kind != TYPE_VARCHAR;
        if (!plan->mismatch)
            plan->children[0] = make_plan(arena, schema->children[0], type->children[1]);
        break;
    case AVRO_UNION:
        for (int i = 0; i < schema->count; i++)
            plan->children[i] = make_plan(arena, schema->children[i], type);
        break;
    default: plan->mismatch = !fits(schema, type); break;
    }
    return plan;
}

/* ---- reading bytes ---- */

typedef struct AvroReader {
    const char *p, *end;
    Arena *strings, *scratch;
    int depth;
} AvroReader;

#define BROKEN "the bytes do not follow their schema"

static bool read_long(AvroReader *reader, int64_t *value)
{
    uint64_t zigzag;
    if (!read_varint(&reader->p, reader->end, &zigzag))
        return false;
    *value = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
    return true;
}

/* A length and so many bytes. */
static bool read_bytes(AvroReader *reader, RecordBytes *bytes)
{
    int64_t length;
    if (!read_long(reader, &length) || length < 0 || length > reader->end - reader->p)
        return false;
    *bytes = (RecordBytes){ reader->p, (size_t)length };
    reader->p += length;
    return true;
}

/* How many items follow in the next block; 0: none. Items take a byte at least: what has none is not read. */
static bool read_block(AvroReader *reader, uint64_t *count)
{
    int64_t items, bytes;
    if (!read_long(reader, &items) || (items < 0 && !read_long(reader, &bytes)))
        return false;
    *count = items < 0 ? -(uint64_t)items : (uint64_t)items;
    return *count <= (uint64_t)(reader->end - reader->p);
}

static bool skip(AvroReader *reader, const AvroSchema *schema);

static bool skip_blocks(AvroReader *reader, const AvroSchema *schema)
{
    RecordBytes key;
    for (uint64_t count; read_block(reader, &count);) {
        if (count == 0)
            return true;
        for (; count; count--)
            if ((schema->kind == AVRO_MAP && !read_bytes(reader, &key)) || !skip(reader, schema->children[0]))
                return false;
    }
    return false;
}

static bool skip_size(AvroReader *reader, size_t size)
{
    bool fine = (size_t)(reader->end - reader->p) >= size;
    reader->p += fine ? size : 0;
    return fine;
}

static bool skip(AvroReader *reader, const AvroSchema *schema)
{
    int64_t number;
    RecordBytes bytes;
    bool fine = ++reader->depth < JSON_DEPTH_LIMIT;
    switch (schema->kind) {
    case AVRO_NULL: break;
    case AVRO_BOOLEAN: fine = fine && skip_size(reader, 1); break;
    case AVRO_INT: case AVRO_LONG: case AVRO_ENUM: fine = fine && read_long(reader, &number); break;
    case AVRO_FLOAT: fine = fine && skip_size(reader, 4); break;
    case AVRO_DOUBLE: fine = fine && skip_size(reader, 8); break;
    case AVRO_BYTES: case AVRO_STRING: fine = fine && read_bytes(reader, &bytes); break;
    case AVRO_FIXED: fine = fine && skip_size(reader, schema->size); break;
    case AVRO_RECORD:
        for (int i = 0; i < schema->count && fine; i++)
            fine = skip(reader, schema->children[i]);
        break;
    case AVRO_ARRAY: case AVRO_MAP: fine = fine && skip_blocks(reader, schema); break;
    case AVRO_UNION: fine = fine && read_long(reader, &number) && number >= 0 && number < schema->count && skip(reader, schema->children[number]); break;
    }
    reader->depth--;
    return fine;
}

/* ---- values ---- */

static const char *read_value(AvroReader *reader, const AvroPlan *plan, Value *value);

static const char *out_of_range(AvroReader *reader, const Type *type) { return arena_printf(reader->strings, "a number out of range for %s", type_text(reader->strings, type)); }

static const char *store_decimal(AvroReader *reader, const Type *type, Int128 digits, int scale, Value *value)
{
    Int128 decimal;
    if (!decimal_rescale(digits, scale, type->scale, &decimal) || !decimal_fits(decimal, type->precision))
        return out_of_range(reader, type);
    if (type_physical(type) == PHYSICAL_INT64)
        value->integer = (int64_t)decimal;
    else
        value->decimal = decimal;
    return NULL;
}

static const char *store_integer(AvroReader *reader, const AvroPlan *plan, int64_t number, Value *value)
{
    const Type *type = plan->type;
    int64_t minimum, maximum;
    value->integer = number;
    if (type->kind == TYPE_DECIMAL)
        return store_decimal(reader, type, number, 0, value);
    if (type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE) {
        value->number = (double)number;
        return NULL;
    }
    if (type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMP_TZ || type->kind == TYPE_TIME) {
        if (plan->schema->logical != AVRO_MICROS && __builtin_mul_overflow(number, US_PER_MS, &value->integer))
            return out_of_range(reader, type);
        return type->kind == TYPE_TIME && (value->integer < 0 || value->integer >= US_PER_DAY) ? out_of_range(reader, type) : NULL;
    }
    json_integer_range(type, &minimum, &maximum);
    if (type->kind == TYPE_DATE) {
        minimum = -(INT64_C(1) << 40);
        maximum = -minimum;
    }
    return number < minimum || number > maximum ? out_of_range(reader, type) : NULL;
}

static const char *read_floating(AvroReader *reader, int width, const Type *type, Value *value)
{
    uint64_t bits;
    if (!read_fixed(&reader->p, reader->end, width, &bits))
        return BROKEN;
    if (width == 8) {
        memcpy(&value->number, &bits, sizeof value->number);
    } else {
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof single);
        value->number = single;
    }
    if (type->kind == TYPE_FLOAT)
        value->number = (float)value->number;
    return NULL;
}

static const char *read_text(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    RecordBytes bytes = { reader->p, plan->schema->size };
    if (plan->schema->kind == AVRO_FIXED ? !skip_size(reader, plan->schema->size) : !read_bytes(reader, &bytes))
        return BROKEN;
    if (plan->schema->logical != AVRO_DECIMAL)
        return record_text(reader->strings, plan->type, &bytes, &value->text);
    return bytes.length > sizeof(Int128) ? out_of_range(reader, plan->type) : store_decimal(reader, plan->type, decimal_from_bytes(bytes.bytes, bytes.length), plan->schema->scale, value);
}

static const char *read_record(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    const Type *type = plan->type;
    value->nested.count = (uint32_t)type->child_count;
    value->nested.items = ARENA_ARRAY(reader->scratch, Value, (size_t)type->child_count + 1);
    for (int i = 0; i < type->child_count; i++)
        value->nested.items[i] = value_null(type->children[i]);
    const char *reason = NULL;
    for (int i = 0; i < plan->schema->count && !reason; i++)
        if (plan->children[i])
            reason = read_value(reader, plan->children[i], &value->nested.items[plan->targets[i]]);
        else if (!skip(reader, plan->schema->children[i]))
            reason = BROKEN;
    return reason;
}

static const char *read_list(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    bool map = plan->schema->kind == AVRO_MAP;
    uint64_t count = 0;
    struct { Value *items; int count, capacity; } items = { 0 };
    for (;;) {
        if (!read_block(reader, &count))
            return BROKEN;
        if (count == 0)
            break;
        for (; count; count--) {
            Value key = { .type = plan->type->children[0] }, item;
            RecordBytes bytes;
            const char *reason = NULL;
            if (map && !read_bytes(reader, &bytes))
                return BROKEN;
            if (map)
                reason = record_text(reader->strings, key.type, &bytes, &key.text);
            if (!reason)
                reason = read_value(reader, plan->children[0], &item);
            if (reason)
                return reason;
            if (map)
                LIST_ADD(reader->scratch, &items, key);
            LIST_ADD(reader->scratch, &items, item);
        }
    }
    value->nested.items = items.items;
    value->nested.count = map ? drop_repeated_keys(reader->scratch, items.items, (uint32_t)items.count / 2) * 2 : (uint32_t)items.count;
    return NULL;
}

static const char *read_union(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    int64_t branch;
    if (!read_long(reader, &branch) || branch < 0 || branch >= plan->schema->count)
        return BROKEN;
    return read_value(reader, plan->children[branch], value);
}

static const char *read_simple(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    int64_t number;
    switch (plan->schema->kind) {
    case AVRO_NULL: value->is_null = true; return NULL;
    case AVRO_BOOLEAN:
        if (reader->p >= reader->end)
            return BROKEN;
        value->integer = *reader->p++ != 0;
        return NULL;
    case AVRO_INT: case AVRO_LONG: return read_long(reader, &number) ? store_integer(reader, plan, number, value) : BROKEN;
    case AVRO_FLOAT: return read_floating(reader, 4, plan->type, value);
    case AVRO_DOUBLE: return read_floating(reader, 8, plan->type, value);
    case AVRO_ENUM:
        if (!read_long(reader, &number) || number < 0 || number >= plan->schema->count)
            return BROKEN;
        value->text = str_view(plan->schema->names[number], strlen(plan->schema->names[number]));
        if (value->text.length > STR_INLINE)
            value->text.pointer = arena_strdup(reader->strings, plan->schema->names[number]);
        return NULL;
    default: return read_text(reader, plan, value);
    }
}

static const char *read_value(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    *value = value_null(plan->type);
    if (plan->schema->kind == AVRO_UNION)
        return read_union(reader, plan, value);
    if (plan->mismatch)
        return arena_printf(reader->strings, "expected %s, found Avro's %s", plan->type->kind == TYPE_STRUCT ? "a record" : type_text(reader->strings, plan->type), avro_kind_name(plan->schema->kind));
    value->is_null = false;
    switch (plan->schema->kind) {
    case AVRO_RECORD: return read_record(reader, plan, value);
    case AVRO_ARRAY: case AVRO_MAP: return read_list(reader, plan, value);
    default: return read_simple(reader, plan, value);
    }
}

/* ---- messages ---- */

/* A STRUCT of all declared columns; those that nobody wants have no name, so that nothing becomes them. */
static const Type *struct_of_columns(Arena *arena, const DecodeSpec *spec)
{
    Type *type = ARENA_NEW(arena, Type);
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)spec->declared_count + 1);
    const Type **children = ARENA_ARRAY(arena, const Type *, (size_t)spec->declared_count + 1);
    for (int i = 0; i < spec->declared_count; i++)
        children[i] = type_scalar(TYPE_NULL);
    for (int c = 0; c < spec->column_count; c++) {
        names[spec->columns[c].field_index] = spec->columns[c].path[0];
        children[spec->columns[c].field_index] = spec->columns[c].type;
    }
    *type = (Type){ .kind = TYPE_STRUCT, .child_count = spec->declared_count, .children = children, .names = names };
    return type;
}

static Error *avro_decoder_open(Decoder *decoder)
{
    const DecodeSpec *spec = decoder->spec;
    AvroDecoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    arena_init(&state->scratch, NULL);
    decoder->state = state;
    state->bare = is_bare(spec->options, spec->declared_count, decodes_keys(spec));
    if (spec->column_count)
        state->type = state->bare ? spec->columns[0].type : struct_of_columns(&state->arena, spec);
    return NULL;
}

static void avro_decoder_close(Decoder *decoder)
{
    AvroDecoder *state = decoder->state;
    if (!state)
        return;
    arena_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    decoder->state = NULL;
}

/* The plan for the schema with that number, made when it is first met. */
static Error *find_plan(Decoder *decoder, int32_t id, KnownSchema **found)
{
    AvroDecoder *state = decoder->state;
    for (int i = 0; i < state->known.count; i++) {
        int place = (state->last + i) % state->known.count;
        if (state->known.items[place].id == id) {
            state->last = place;
            *found = &state->known.items[place];
            return NULL;
        }
    }
    if (!decoder->spec->registry)
        return error_new(ERR_CONNECT, "format 'avro' needs a schema registry");
    const char *text, *reason = NULL;
    TRY(decoder->spec->registry->get(decoder->spec->registry, id, &text));
    KnownSchema known = { .id = id };
    known.schema = text ? avro_schema_parse(&state->arena, text, &reason) : NULL;
    if (known.schema && state->type)
        known.plan = make_plan(&state->arena, known.schema, state->type);
    else if (!known.schema)
        known.reason = text ? arena_printf(&state->arena, "its schema %d cannot be read: %s", id, reason) : arena_printf(&state->arena, "its schema %d is not registered", id);
    LIST_ADD(&state->arena, &state->known, known);
    state->last = state->known.count - 1;
    *found = &state->known.items[state->last];
    return NULL;
}

static void store_column(Arena *arena, Vector *vector, uint32_t row, const Value *value)
{
    if (!value || value->is_null)
        vector_store_null(arena, vector, row);
    else if (type_is_nested(value->type))
        vector_set(arena, vector, row, value);
    else
        scalar_store(vector, row, value);
}

static Error *read_message(Decoder *decoder, const RecordBytes *record, Arena *arena, Value *value, const char **reason)
{
    AvroDecoder *state = decoder->state;
    RecordBytes rest;
    int32_t id;
    KnownSchema *known = NULL;
    if ((*reason = record_schema(record, &id, &rest)) != NULL)
        return NULL;
    TRY(find_plan(decoder, id, &known));
    if (known->reason) {
        *reason = arena_strdup(arena, known->reason);
        return NULL;
    }
    AvroReader reader = { rest.bytes, rest.bytes + rest.length, arena, &state->scratch, 0 };
    if (known->plan)
        *reason = read_value(&reader, known->plan, value);
    else
        *reason = skip(&reader, known->schema) ? NULL : BROKEN;
    if (!*reason && reader.p != reader.end)
        *reason = BROKEN;
    return NULL;
}

static Error *avro_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    AvroDecoder *state = decoder->state;
    const DecodeSpec *spec = decoder->spec;
    for (uint32_t row = 0; row < count; row++) {
        Value value = { .type = state->type, .is_null = true };
        const char *reason = NULL;
        if (records[row].bytes)
            TRY(read_message(decoder, &records[row], arena, &value, &reason));
        for (int c = 0; c < spec->column_count && !reason; c++)
            store_column(arena, columns[c], row, state->bare ? &value : value.is_null ? NULL : &value.nested.items[spec->columns[c].field_index]);
        if (reason)
            record_fail(spec, arena, columns, failures, row, NULL, reason);
        if (state->scratch.blocks)
            arena_reset(&state->scratch);
    }
    return NULL;
}

/* ---- writing ---- */

static void add_long(Text *out, int64_t value) { add_varint(out, (uint64_t)value << 1 ^ (uint64_t)(value >> 63)); }

static void add_value(Text *out, const Vector *vector, uint32_t row);

static void add_list(Text *out, const Vector *vector, uint32_t row)
{
    bool map = vector->type->kind == TYPE_MAP;
    const Vector *items = map ? vector->children[0]->children[1] : vector->children[0];
    uint32_t first = vector->offsets[row], after = vector->offsets[row + 1];
    if (after > first)
        add_long(out, after - first);
    for (uint32_t at = first; at < after; at++) {
        if (map) {
            const Str *key = &((const Str *)vector->children[0]->children[0]->values)[at];
            add_long(out, key->length);
            text_add_str(out, key);
        }
        add_value(out, items, at);
    }
    add_long(out, 0);
}

static void add_decimal(Text *out, const Vector *vector, uint32_t row)
{
    Int128 value = type_physical(vector->type) == PHYSICAL_INT128 ? ((const Int128 *)vector->values)[row] : ((const int64_t *)vector->values)[row];
    char bytes[sizeof(Int128)];
    size_t width = decimal_to_bytes(value, bytes);
    add_long(out, (int64_t)width);
    text_add(out, bytes, width);
}

/* A branch of ["null", ..] and its value. */
static void add_value(Text *out, const Vector *vector, uint32_t row)
{
    row &= vector_mask(vector);
    bool is_null = vector_is_null(vector, row);
    const int64_t *integers = vector->values;
    add_long(out, !is_null);
    if (is_null)
        return;
    switch (vector->type->kind) {
    case TYPE_BOOLEAN: text_add_char(out, (char)((const uint8_t *)vector->values)[row]); return;
    case TYPE_FLOAT: {
        float single = (float)((const double *)vector->values)[row];
        text_add(out, (const char *)&single, sizeof single);
        return;
    }
    case TYPE_DOUBLE: text_add(out, (const char *)&integers[row], sizeof(double)); return;
    case TYPE_DECIMAL: add_decimal(out, vector, row); return;
    case TYPE_VARCHAR: case TYPE_BYTES: {
        const Str *text = &((const Str *)vector->values)[row];
        add_long(out, text->length);
        text_add_str(out, text);
        return;
    }
    case TYPE_TIME: case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: add_long(out, floor_div(integers[row], US_PER_MS)); return;
    case TYPE_ARRAY: case TYPE_MAP: add_list(out, vector, row); return;
    case TYPE_STRUCT:
        for (int i = 0; i < vector->type->child_count; i++)
            add_value(out, vector->children[i], row);
        return;
    default: add_long(out, integers[row]); return;
    }
}

typedef struct AvroEncoder {
    int32_t id;
    bool bare;
} AvroEncoder;

static Error *avro_encoder_open(Encoder *encoder)
{
    if (!encoder->registry)
        return error_new(ERR_CONNECT, "format 'avro' needs a schema registry");
    AvroEncoder *state = mem_calloc(1, sizeof *state);
    encoder->state = state;
    state->bare = is_bare(encoder->options, encoder->schema->column_count, encoder->key);
    Text schema = { 0 };
    MEMORY_HOLD(text_unwind, &schema);
    avro_schema_add(&schema, encoder->schema, state->bare);
    Error *error = record_put_schema(encoder, "AVRO", text_c(&schema), &state->id);
    text_release(&schema);
    return error;
}

static void avro_encoder_close(Encoder *encoder)
{
    mem_free(encoder->state);
    encoder->state = NULL;
}

static Error *avro_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    const AvroEncoder *state = encoder->state;
    int count = encoder->schema->column_count;
    *none = state->bare && row_is_null(count, columns, row);
    if (*none)
        return NULL;
    record_add_schema(out, state->id);
    for (int c = 0; c < count; c++)
        add_value(out, columns[c], row);
    return NULL;
}

/* ---- columns ---- */

/* Why the type has no form here; NULL: it has one. */
static const char *refused_type(const Type *type)
{
    if (type->kind == TYPE_MAP && type->children[0]->kind != TYPE_VARCHAR)
        return "Avro only supports MAPs with STRING keys";
    const char *reason = type->kind == TYPE_INTERVAL ? "Avro has no form of INTERVAL" : NULL;
    for (int i = 0; i < type->child_count && !reason; i++)
        reason = type->kind == TYPE_STRUCT && !avro_name_fits(type->names[i]) ? "Schema is not compatible with Avro: names have letters, digits and _" : refused_type(type->children[i]);
    return reason;
}

static Error *avro_check(const void *options, const Schema *schema, bool key)
{
    TRY(record_check_key(schema, key));
    if (!key && options && ((const AvroOptions *)options)->wrap != JSON_WRAP_AUTO && schema->column_count != 1)
        return error_new(ERR_BIND, "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
    for (int i = 0; i < schema->column_count; i++) {
        const char *reason = refused_type(schema->columns[i].type);
        if (!reason && !is_bare(options, schema->column_count, key) && !avro_name_fits(schema->columns[i].name))
            reason = "Schema is not compatible with Avro: names have letters, digits and _";
        if (reason)
            return record_refuse("AVRO", schema, key, reason);
    }
    return NULL;
}

const FormatType avro_format = {
    .name = "avro", .doc = "Avro behind the number of its schema in a registry.",
    .options = avro_options, .options_size = sizeof(AvroOptions), .whole_columns = true,
    .decoder_open = avro_decoder_open, .decoder_close = avro_decoder_close, .decode_records = avro_decode_records, .check_record = avro_check,
    .encoder_open = avro_encoder_open, .encoder_close = avro_encoder_close, .encode_record = avro_encode_record,
};

/* formats/avro_read.c: the bytes of Avro become values. */
#include "common/calendar.h"
#include "common/decimal.h"
#include "common/value_text.h"
#include "formats/avro_internal.h"
#include "formats/json_internal.h"

/* ---- the wire ---- */

static inline bool read_long(AvroReader *reader, int64_t *value)
{
    uint64_t zigzag;
    if (reader->p < reader->end && !(*reader->p & 0x80)) /* most are short */
        zigzag = (unsigned char)*reader->p++;
    else if (!read_varint(&reader->p, reader->end, &zigzag))
        return false;
    *value = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
    return true;
}

/* A length and so many bytes. */
static inline bool read_bytes(AvroReader *reader, RecordBytes *bytes)
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

static bool skip_blocks(AvroReader *reader, const AvroSchema *schema)
{
    RecordBytes key;
    for (uint64_t count; read_block(reader, &count);) {
        if (count == 0)
            return true;
        for (; count; count--)
            if ((schema->kind == AVRO_MAP && !read_bytes(reader, &key)) || !avro_skip(reader, schema->children[0]))
                return false;
    }
    return false;
}

static inline bool skip_size(AvroReader *reader, size_t size)
{
    bool fine = (size_t)(reader->end - reader->p) >= size;
    reader->p += fine ? size : 0;
    return fine;
}

bool avro_skip(AvroReader *reader, const AvroSchema *schema)
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
            fine = avro_skip(reader, schema->children[i]);
        break;
    case AVRO_ARRAY: case AVRO_MAP: fine = fine && skip_blocks(reader, schema); break;
    case AVRO_UNION: fine = fine && read_long(reader, &number) && number >= 0 && number < schema->count && avro_skip(reader, schema->children[number]); break;
    }
    reader->depth--;
    return fine;
}

/* ---- simple values ---- */

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

/* The integers of the schema that become values of the type, and what they are multiplied by. */
static void integer_bounds(const AvroPlan *plan, int64_t *minimum, int64_t *maximum, int64_t *factor)
{
    const Type *type = plan->type;
    *factor = 1;
    if (type->kind == TYPE_DATE) {
        *minimum = -(INT64_C(1) << 40);
        *maximum = -*minimum;
        return;
    }
    if (!type_is_timestamp(type) && type->kind != TYPE_TIME) {
        json_integer_range(type, minimum, maximum);
        return;
    }
    *factor = plan->logical == AVRO_MICROS || plan->logical == AVRO_TIME_MICROS ? 1 : US_PER_MS;
    *minimum = type->kind == TYPE_TIME ? 0 : INT64_MIN / *factor;
    *maximum = type->kind == TYPE_TIME ? (US_PER_DAY - 1) / *factor : INT64_MAX / *factor;
}

static const char *store_text(AvroReader *reader, const Type *type, const char *text, size_t length, Value *value)
{
    RecordBytes bytes = { arena_copy(reader->strings, text, length + 1), length };
    return record_text(reader->strings, type, &bytes, &value->text);
}

/* A simple value as CAST(.. AS VARCHAR) has it. */
static const char *store_as_text(AvroReader *reader, const AvroPlan *plan, const Value *simple, Value *value)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Vector *vector = vector_new(reader->scratch, simple->type, 1);
    scalar_store(vector, 0, simple);
    text_add_value_plain(&text, vector, 0);
    const char *reason = store_text(reader, plan->type, text_c(&text), text.length, value);
    text_release(&text);
    return reason;
}

static const char *store_integer(AvroReader *reader, const AvroPlan *plan, int64_t number, Value *value)
{
    const Type *type = plan->type;
    int64_t minimum, maximum, factor;
    if (type->kind == TYPE_VARCHAR)
        return store_as_text(reader, plan, &(Value){ .type = type_scalar(TYPE_BIGINT), .integer = number }, value);
    if (type->kind == TYPE_DECIMAL)
        return store_decimal(reader, type, number, 0, value);
    if (type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE) {
        value->number = (double)number;
        return NULL;
    }
    integer_bounds(plan, &minimum, &maximum, &factor);
    if (number < minimum || number > maximum)
        return out_of_range(reader, type);
    value->integer = number * factor;
    return NULL;
}

static bool read_floating(AvroReader *reader, AvroKind kind, double *number)
{
    uint64_t bits;
    if (!read_fixed(&reader->p, reader->end, kind == AVRO_DOUBLE ? 8 : 4, &bits))
        return false;
    if (kind == AVRO_DOUBLE) {
        memcpy(number, &bits, sizeof *number);
        return true;
    }
    uint32_t half = (uint32_t)bits;
    float single;
    memcpy(&single, &half, sizeof single);
    *number = single;
    return true;
}

static const char *read_number(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    double number;
    if (!read_floating(reader, plan->schema->kind, &number))
        return AVRO_BROKEN;
    if (plan->type->kind == TYPE_VARCHAR)
        return store_as_text(reader, plan, &(Value){ .type = type_scalar(plan->schema->kind == AVRO_DOUBLE ? TYPE_DOUBLE : TYPE_FLOAT), .number = number }, value);
    value->number = plan->type->kind == TYPE_FLOAT ? (float)number : number;
    return NULL;
}

static const char *read_text(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    RecordBytes bytes = { reader->p, plan->schema->size };
    if (plan->schema->kind == AVRO_FIXED ? !skip_size(reader, plan->schema->size) : !read_bytes(reader, &bytes))
        return AVRO_BROKEN;
    if (plan->logical != AVRO_DECIMAL || plan->type->kind != TYPE_DECIMAL)
        return record_text(reader->strings, plan->type, &bytes, &value->text);
    return bytes.length > sizeof(Int128) ? out_of_range(reader, plan->type) : store_decimal(reader, plan->type, decimal_from_bytes(bytes.bytes, bytes.length), plan->scale, value);
}

static const char *read_symbol(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    int64_t number;
    if (!read_long(reader, &number) || number < 0 || number >= plan->schema->count)
        return AVRO_BROKEN;
    const char *symbol = plan->symbols[number];
    if (!symbol)
        return arena_printf(reader->strings, "the reader's schema has no symbol '%s'", plan->schema->names[number]);
    return store_text(reader, plan->type, symbol, strlen(symbol), value);
}

static const char *read_boolean(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    if (reader->p >= reader->end)
        return AVRO_BROKEN;
    value->integer = *reader->p++ != 0;
    return plan->type->kind == TYPE_VARCHAR ? store_as_text(reader, plan, &(Value){ .type = type_scalar(TYPE_BOOLEAN), .integer = value->integer }, value) : NULL;
}

static const char *read_simple(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    int64_t number;
    switch (plan->schema->kind) {
    case AVRO_NULL: value->is_null = true; return NULL;
    case AVRO_BOOLEAN: return read_boolean(reader, plan, value);
    case AVRO_INT: case AVRO_LONG: return read_long(reader, &number) ? store_integer(reader, plan, number, value) : AVRO_BROKEN;
    case AVRO_FLOAT: case AVRO_DOUBLE: return read_number(reader, plan, value);
    case AVRO_ENUM: return read_symbol(reader, plan, value);
    default: return read_text(reader, plan, value);
    }
}

/* ---- nested values ---- */

static const char *read_default(AvroReader *reader, const AvroDefault *standard, Value *value)
{
    const char *bytes = arena_copy(reader->strings, standard->bytes.bytes, standard->bytes.length + 1); /* texts point into it */
    AvroReader inner = { bytes, bytes + standard->bytes.length, reader->strings, reader->scratch, reader->depth };
    return avro_read_value(&inner, standard->plan, value);
}

static void start_struct(AvroReader *reader, const Type *type, Value *value)
{
    value->nested.count = (uint32_t)type->child_count;
    value->nested.items = ARENA_ARRAY(reader->scratch, Value, (size_t)type->child_count + 1);
    for (int i = 0; i < type->child_count; i++)
        value->nested.items[i] = value_null(type->children[i]);
}

static const char *read_record(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    const char *reason = NULL;
    start_struct(reader, plan->type, value);
    for (int i = 0; i < plan->schema->count && !reason; i++)
        if (plan->children[i])
            reason = avro_read_value(reader, plan->children[i], &value->nested.items[plan->targets[i]]);
        else if (!avro_skip(reader, plan->schema->children[i]))
            reason = AVRO_BROKEN;
    for (int i = 0; i < plan->defaults.count && !reason; i++)
        reason = read_default(reader, &plan->defaults.items[i], &value->nested.items[plan->defaults.items[i].target]);
    return reason;
}

static const char *read_list(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    bool map = plan->schema->kind == AVRO_MAP;
    uint64_t count = 0;
    struct { Value *items; int count, capacity; } items = { 0 };
    for (;;) {
        if (!read_block(reader, &count))
            return AVRO_BROKEN;
        if (count == 0)
            break;
        for (; count; count--) {
            Value key = { .type = plan->type->children[0] }, item;
            RecordBytes bytes;
            const char *reason = NULL;
            if (map && !read_bytes(reader, &bytes))
                return AVRO_BROKEN;
            if (map)
                reason = record_text(reader->strings, key.type, &bytes, &key.text);
            if (!reason)
                reason = avro_read_value(reader, plan->children[0], &item);
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
        return AVRO_BROKEN;
    const AvroPlan *taken = plan->children[branch];
    if (!plan->branches_are_fields || plan->schema->children[branch]->kind == AVRO_NULL)
        return avro_read_value(reader, taken, value);
    value->is_null = false;
    start_struct(reader, plan->type, value);
    if (!taken)
        return avro_skip(reader, plan->schema->children[branch]) ? NULL : AVRO_BROKEN;
    return avro_read_value(reader, taken, &value->nested.items[plan->targets[branch]]);
}

const char *avro_read_value(AvroReader *reader, const AvroPlan *plan, Value *value)
{
    *value = value_null(plan->type);
    if (plan->schema->kind == AVRO_UNION)
        return read_union(reader, plan, value);
    if (plan->inner) {
        value->is_null = false;
        start_struct(reader, plan->type, value);
        return avro_read_value(reader, plan->inner, &value->nested.items[plan->into]);
    }
    if (plan->mismatch)
        return arena_printf(reader->strings, "expected %s, found Avro's %s", plan->type->kind == TYPE_STRUCT ? "a record" : type_text(reader->strings, plan->type), avro_kind_name(plan->schema->kind));
    value->is_null = false;
    switch (plan->schema->kind) {
    case AVRO_RECORD: return read_record(reader, plan, value);
    case AVRO_ARRAY: case AVRO_MAP: return read_list(reader, plan, value);
    default: return read_simple(reader, plan, value);
    }
}

/* ---- programs: records straight into columns ---- */

typedef enum StepCode { STEP_SKIP, STEP_SKIP_NUMBER, STEP_SKIP_BYTES, STEP_SKIP_FIXED, STEP_INTEGER, STEP_DOUBLE, STEP_BOOLEAN, STEP_TEXT, STEP_VALUE } StepCode;

typedef struct AvroStep {
    StepCode code;
    int column;
    int null_branch;              /* of ["null", x] and [x, "null"]: 0 or 1; -1: no union */
    int64_t minimum, maximum, factor;
    const AvroSchema *schema;     /* of what is there where it is not null */
    const AvroPlan *plan;         /* of all of it: STEP_VALUE; else of what is there where it is not null */
} AvroStep;

struct AvroProgram {
    const AvroPlan *plan;
    const int *columns;
    int count;
    AvroStep *steps;              /* one a field of the writer */
    int *absent, absent_count;    /* columns that nothing is written to: NULL */
};

static StepCode skip_code(const AvroSchema *schema)
{
    switch (schema->kind) {
    case AVRO_INT: case AVRO_LONG: case AVRO_ENUM: return STEP_SKIP_NUMBER;
    case AVRO_BYTES: case AVRO_STRING: return STEP_SKIP_BYTES;
    case AVRO_BOOLEAN: case AVRO_FLOAT: case AVRO_DOUBLE: case AVRO_FIXED: return STEP_SKIP_FIXED;
    default: return STEP_SKIP;
    }
}

static int64_t fixed_width(const AvroSchema *schema) { return schema->kind == AVRO_BOOLEAN ? 1 : schema->kind == AVRO_FLOAT ? 4 : schema->kind == AVRO_DOUBLE ? 8 : (int64_t)schema->size; }

static StepCode value_code(const AvroPlan *plan)
{
    const Type *type = plan->type;
    switch (plan->schema->kind) {
    case AVRO_INT: case AVRO_LONG: return type_physical(type) == PHYSICAL_INT64 && type->kind != TYPE_DECIMAL ? STEP_INTEGER : STEP_VALUE;
    case AVRO_DOUBLE: return type->kind == TYPE_DOUBLE ? STEP_DOUBLE : STEP_VALUE;
    case AVRO_BOOLEAN: return type->kind == TYPE_BOOLEAN ? STEP_BOOLEAN : STEP_VALUE;
    case AVRO_STRING: case AVRO_BYTES: return type_physical(type) == PHYSICAL_STR ? STEP_TEXT : STEP_VALUE;
    default: return STEP_VALUE;
    }
}

/* Is it a union of null and one type? Then *null_branch says where null is. */
static const AvroSchema *nullable(const AvroSchema *schema, int *null_branch)
{
    *null_branch = -1;
    if (schema->kind != AVRO_UNION || schema->count != 2 || (schema->children[0]->kind == AVRO_NULL) == (schema->children[1]->kind == AVRO_NULL))
        return schema;
    *null_branch = schema->children[1]->kind == AVRO_NULL;
    return schema->children[!*null_branch];
}

static void make_step(const AvroSchema *schema, const AvroPlan *plan, AvroStep *step)
{
    int null_branch;
    const AvroSchema *there = nullable(schema, &null_branch);
    const AvroPlan *inner = plan && null_branch >= 0 ? plan->children[!null_branch] : plan;
    *step = (AvroStep){ .code = STEP_VALUE, .null_branch = -1, .schema = schema, .plan = plan };
    if (plan && (plan->mismatch || inner->mismatch || value_code(inner) == STEP_VALUE))
        return;
    step->code = plan ? value_code(inner) : skip_code(there);
    step->null_branch = null_branch;
    step->schema = there;
    step->plan = inner;
    if (step->code == STEP_INTEGER)
        integer_bounds(inner, &step->minimum, &step->maximum, &step->factor);
    else if (step->code == STEP_SKIP_FIXED)
        step->factor = fixed_width(there);
}

static void find_absent(Arena *arena, AvroProgram *program)
{
    const AvroPlan *plan = program->plan;
    program->absent = ARENA_ARRAY(arena, int, (size_t)plan->type->child_count + 1);
    for (int target = 0; target < plan->type->child_count; target++) {
        bool written = program->columns[target] < 0;
        for (int i = 0; i < program->count; i++)
            written |= plan->children[i] && plan->targets[i] == target;
        for (int i = 0; i < plan->defaults.count; i++)
            written |= plan->defaults.items[i].target == target;
        if (!written)
            program->absent[program->absent_count++] = program->columns[target];
    }
}

AvroProgram *avro_program_make(Arena *arena, const AvroPlan *plan, const int *columns)
{
    AvroProgram *program = ARENA_NEW(arena, AvroProgram);
    *program = (AvroProgram){ .plan = plan, .columns = columns, .count = plan->schema->count, .steps = ARENA_ARRAY(arena, AvroStep, (size_t)plan->schema->count + 1) };
    for (int i = 0; i < program->count; i++) {
        const AvroPlan *child = plan->children[i] && columns[plan->targets[i]] >= 0 ? plan->children[i] : NULL;
        make_step(plan->schema->children[i], child, &program->steps[i]);
        program->steps[i].column = child ? columns[plan->targets[i]] : -1;
    }
    find_absent(arena, program);
    return program;
}

void avro_store(Arena *arena, Vector *vector, uint32_t row, const Value *value)
{
    if (!value || value->is_null)
        vector_store_null(arena, vector, row);
    else if (type_is_nested(value->type))
        vector_set(arena, vector, row, value);
    else
        scalar_store(vector, row, value);
}

static inline void set_valid(Vector *vector, uint32_t row)
{
    if (vector->validity)
        bit_set(vector->validity, row);
}

/* Bytes are a view; text must be UTF-8, which for most is to have no byte above 127. */
static inline const char *store_view(AvroReader *reader, const Type *type, const RecordBytes *bytes, Str *text)
{
    uint64_t high = 0, word;
    size_t at = 0;
    for (; at + 8 <= bytes->length; at += 8) {
        memcpy(&word, bytes->bytes + at, 8);
        high |= word;
    }
    for (; at < bytes->length; at++)
        high |= (uint64_t)(unsigned char)bytes->bytes[at];
    if (high & UINT64_C(0x8080808080808080) || type->length || bytes->length > UINT32_MAX / 2)
        return record_text(reader->strings, type, bytes, text);
    *text = str_view(bytes->bytes, bytes->length);
    return NULL;
}

static const char *run_value(AvroReader *reader, const AvroStep *step, Vector *vector, uint32_t row)
{
    Value value;
    const char *reason = avro_read_value(reader, step->plan, &value);
    if (!reason)
        avro_store(reader->strings, vector, row, &value);
    return reason;
}

static inline const char *run_step(AvroReader *reader, const AvroStep *step, Vector *const columns[], uint32_t row)
{
    int64_t number;
    RecordBytes bytes;
    Vector *vector;
    switch (step->code) {
    case STEP_SKIP_NUMBER: return read_long(reader, &number) ? NULL : AVRO_BROKEN;
    case STEP_SKIP_BYTES: return read_bytes(reader, &bytes) ? NULL : AVRO_BROKEN;
    case STEP_SKIP_FIXED: return skip_size(reader, (size_t)step->factor) ? NULL : AVRO_BROKEN;
    case STEP_SKIP: return avro_skip(reader, step->schema) ? NULL : AVRO_BROKEN;
    case STEP_INTEGER:
        vector = columns[step->column];
        if (!read_long(reader, &number))
            return AVRO_BROKEN;
        if (number < step->minimum || number > step->maximum)
            return out_of_range(reader, step->plan->type);
        ((int64_t *)vector->values)[row] = number * step->factor;
        set_valid(vector, row);
        return NULL;
    case STEP_DOUBLE:
        vector = columns[step->column];
        if (reader->end - reader->p < 8)
            return AVRO_BROKEN;
        memcpy((double *)vector->values + row, reader->p, sizeof(double)); /* both have the lowest byte first */
        reader->p += 8;
        set_valid(vector, row);
        return NULL;
    case STEP_BOOLEAN:
        vector = columns[step->column];
        if (reader->p >= reader->end)
            return AVRO_BROKEN;
        ((uint8_t *)vector->values)[row] = *reader->p++ != 0;
        set_valid(vector, row);
        return NULL;
    case STEP_TEXT:
        vector = columns[step->column];
        if (!read_bytes(reader, &bytes))
            return AVRO_BROKEN;
        set_valid(vector, row);
        return store_view(reader, step->plan->type, &bytes, &((Str *)vector->values)[row]);
    case STEP_VALUE: return run_value(reader, step, columns[step->column], row);
    }
    return NULL;
}

/* Columns that the writer's schema says nothing of. */
static const char *run_defaults(AvroReader *reader, const AvroProgram *program, Vector *const columns[], uint32_t row)
{
    for (int i = 0; i < program->plan->defaults.count; i++) {
        const AvroDefault *standard = &program->plan->defaults.items[i];
        Value value;
        const char *reason = program->columns[standard->target] >= 0 ? read_default(reader, standard, &value) : NULL;
        if (reason)
            return reason;
        if (program->columns[standard->target] >= 0)
            avro_store(reader->strings, columns[program->columns[standard->target]], row, &value);
    }
    return NULL;
}

const char *avro_program_run(AvroReader *given, const AvroProgram *program, Vector *const columns[], uint32_t row)
{
    AvroReader reader = *given; /* its place stays in a register */
    const AvroStep *end = program->steps + program->count;
    for (const AvroStep *step = program->steps; step < end; step++) {
        if (step->null_branch >= 0) {
            int64_t branch;
            if (!read_long(&reader, &branch) || branch < 0 || branch > 1)
                return AVRO_BROKEN;
            if (branch == step->null_branch) {
                if (step->column >= 0)
                    vector_store_null(reader.strings, columns[step->column], row);
                continue;
            }
        }
        const char *reason = run_step(&reader, step, columns, row);
        if (reason)
            return reason;
    }
    for (int i = 0; i < program->absent_count; i++)
        vector_store_null(reader.strings, columns[program->absent[i]], row);
    given->p = reader.p;
    return program->plan->defaults.count ? run_defaults(given, program, columns, row) : NULL;
}

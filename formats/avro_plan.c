/* formats/avro_plan.c: a writer's schema, a reader's, and columns: what becomes of each part of the bytes.
 *
 * As Avro's specification resolves schemas: fields by their names or the reader's aliases, missing ones by the reader's defaults, unions branch by branch,
 * numbers promoted. Columns may be narrower than the schema's types: values that do not fit are bad rows. */
#include "formats/avro_internal.h"

typedef struct Planning {
    Arena *arena;
    const char *reason;
} Planning;

static AvroPlan *make_plan(Planning *planning, const AvroSchema *writer, const AvroSchema *reader, const Type *type);

static bool is_number(const Type *type) { return type_is_integer(type) || type->kind == TYPE_DECIMAL || type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE; }

/* Can values of the schema become ones of the type, both simple? */
static bool fits(const AvroSchema *schema, AvroLogical logical, const Type *type)
{
    switch (schema->kind) {
    case AVRO_NULL: return true;
    case AVRO_BOOLEAN: return type->kind == TYPE_BOOLEAN || type->kind == TYPE_VARCHAR;
    case AVRO_INT: case AVRO_LONG: return is_number(type) || type_is_timestamp(type) || type->kind == TYPE_DATE || type->kind == TYPE_TIME || type->kind == TYPE_VARCHAR;
    case AVRO_FLOAT: case AVRO_DOUBLE: return type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE || type->kind == TYPE_VARCHAR;
    case AVRO_STRING: return type->kind == TYPE_VARCHAR || type->kind == TYPE_BYTES;
    case AVRO_ENUM: return type->kind == TYPE_VARCHAR;
    case AVRO_BYTES: return logical == AVRO_DECIMAL ? type->kind == TYPE_DECIMAL : type->kind == TYPE_BYTES || type->kind == TYPE_VARCHAR;
    case AVRO_FIXED: return logical == AVRO_DECIMAL ? type->kind == TYPE_DECIMAL : type->kind == TYPE_BYTES;
    default: return false;
    }
}

/* Exactly first, then without case. */
static int find_name(const char *const names[], int count, const char *name)
{
    for (int i = 0; name && i < count; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return i;
    for (int i = 0; name && i < count; i++)
        if (names[i] && name_equal(names[i], name))
            return i;
    return -1;
}

/* The writer's field for the reader's: of its name, or of a name that it had. */
static int writer_field(const AvroSchema *writer, const AvroSchema *reader, int field)
{
    for (int i = 0; i < writer->count; i++)
        if (strcmp(writer->names[i], reader->names[field]) == 0)
            return i;
    for (int a = 0; a < reader->fields[field].alias_count; a++)
        for (int i = 0; i < writer->count; i++)
            if (strcmp(writer->names[i], reader->fields[field].aliases[a]) == 0)
                return i;
    return find_name(writer->names, writer->count, reader->names[field]);
}

/* The branch of the reader's union that takes values of the writer's schema; the reader itself where it is no union. */
static const AvroSchema *reader_branch(const AvroSchema *writer, const AvroSchema *reader)
{
    if (!reader || reader->kind != AVRO_UNION)
        return reader;
    for (int i = 0; i < reader->count; i++)
        if (reader->children[i]->kind == writer->kind && (!writer->name || strcmp(avro_branch_name(writer), avro_branch_name(reader->children[i])) == 0))
            return reader->children[i];
    for (int i = 0; i < reader->count; i++) /* promoted */
        if (reader->children[i]->kind == writer->kind || (reader->children[i]->kind > writer->kind && reader->children[i]->kind <= AVRO_DOUBLE && writer->kind >= AVRO_INT))
            return reader->children[i];
    return NULL;
}

static void add_default(Planning *planning, const AvroSchema *reader, int field, const Type *type, int target, AvroPlan *plan)
{
    const AvroSchema *schema = reader->children[field];
    Text bytes = { 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    bool fine = reader->fields[field].has_default && avro_write_default(planning->arena, schema, &reader->fields[field].standard, &bytes);
    AvroDefault standard = { target, NULL, { arena_copy(planning->arena, text_c(&bytes), bytes.length + 1), bytes.length } };
    text_release(&bytes);
    if (!fine && !planning->reason)
        planning->reason = arena_printf(planning->arena, reader->fields[field].has_default ? "the default of '%s' is none of its type" : "it has no '%s', for which the reader's schema has no default", reader->names[field]);
    if (!fine)
        return;
    standard.plan = make_plan(planning, schema, schema, type);
    LIST_ADD(planning->arena, &plan->defaults, standard);
}

static void plan_fields(Planning *planning, const AvroSchema *writer, const AvroSchema *reader, const Type *type, AvroPlan *plan)
{
    bool *taken = ARENA_ARRAY(planning->arena, bool, (size_t)writer->count + 1);
    plan->targets = ARENA_ARRAY(planning->arena, int, (size_t)writer->count + 1);
    for (int target = 0; target < type->child_count; target++) {
        int field = reader ? find_name(reader->names, reader->count, type->names[target]) : -1;
        int from = field >= 0 ? writer_field(writer, reader, field) : find_name(writer->names, writer->count, type->names[target]);
        if (from >= 0 && !taken[from]) {
            taken[from] = true;
            plan->targets[from] = target;
            plan->children[from] = make_plan(planning, writer->children[from], field >= 0 ? reader->children[field] : NULL, type->children[target]);
        } else if (field >= 0 && from < 0) {
            add_default(planning, reader, field, type->children[target], target, plan);
        }
    }
}

/* Is the STRUCT one with a field for each branch? */
static bool holds_branches(const AvroSchema *schema, const Type *type)
{
    if (type->kind != TYPE_STRUCT || type->child_count == 0 || avro_not_null(schema))
        return false;
    for (int f = 0; f < type->child_count; f++) {
        bool found = false;
        for (int i = 0; i < schema->count; i++)
            found |= type->names[f] && schema->children[i]->kind != AVRO_NULL && name_equal(avro_branch_name(schema->children[i]), type->names[f]);
        if (!found)
            return false;
    }
    return true;
}

static void plan_union(Planning *planning, const AvroSchema *writer, const AvroSchema *reader, const Type *type, AvroPlan *plan)
{
    bool by_reader = reader && reader->kind == AVRO_UNION && holds_branches(reader, type);
    plan->branches_are_fields = !by_reader && holds_branches(writer, type);
    plan->targets = ARENA_ARRAY(planning->arena, int, (size_t)writer->count + 1);
    for (int i = 0; i < writer->count; i++) {
        const AvroSchema *branch = writer->children[i];
        plan->targets[i] = plan->branches_are_fields ? find_name(type->names, type->child_count, avro_branch_name(branch)) : -1;
        const Type *becomes = plan->targets[i] >= 0 ? type->children[plan->targets[i]] : type;
        if (!plan->branches_are_fields || plan->targets[i] >= 0 || branch->kind == AVRO_NULL)
            plan->children[i] = make_plan(planning, branch, by_reader ? reader : reader_branch(branch, reader), becomes);
    }
}

/* The reader has a union of several types, which is a STRUCT: its field for values of the writer's schema; -1: none. */
static int field_of_reader(const AvroSchema *writer, const AvroSchema *reader, const Type *type)
{
    if (!reader || reader->kind != AVRO_UNION || !holds_branches(reader, type) || writer->kind == AVRO_NULL || writer->kind == AVRO_UNION)
        return -1;
    const AvroSchema *branch = reader_branch(writer, reader);
    return branch ? find_name(type->names, type->child_count, avro_branch_name(branch)) : -1;
}

static void plan_symbols(Planning *planning, const AvroSchema *writer, const AvroSchema *reader, AvroPlan *plan)
{
    plan->symbols = (const char *const *)writer->names;
    if (!reader || reader->kind != AVRO_ENUM)
        return;
    const char **symbols = ARENA_ARRAY(planning->arena, const char *, (size_t)writer->count + 1);
    for (int i = 0; i < writer->count; i++) {
        symbols[i] = reader->standard;
        for (int r = 0; r < reader->count; r++)
            if (strcmp(reader->names[r], writer->names[i]) == 0)
                symbols[i] = reader->names[r];
    }
    plan->symbols = symbols;
}

static AvroPlan *make_plan(Planning *planning, const AvroSchema *writer, const AvroSchema *reader, const Type *type)
{
    AvroPlan *plan = ARENA_NEW(planning->arena, AvroPlan);
    *plan = (AvroPlan){ .schema = writer, .type = type, .logical = writer->logical, .scale = writer->scale };
    plan->children = ARENA_ARRAY(planning->arena, const AvroPlan *, (size_t)writer->count + 1);
    if (writer->kind == AVRO_UNION) {
        plan_union(planning, writer, reader, type, plan);
        return plan;
    }
    plan->into = field_of_reader(writer, reader, type);
    reader = reader_branch(writer, reader);
    if (plan->into >= 0) {
        plan->inner = make_plan(planning, writer, reader, type->children[plan->into]);
        return plan;
    }
    if (reader && plan->logical == AVRO_PLAIN) {
        plan->logical = reader->logical;
        plan->scale = reader->scale;
    }
    const AvroSchema *inner = reader && reader->kind == writer->kind ? reader : NULL;
    switch (writer->kind) {
    case AVRO_RECORD:
        plan->mismatch = type->kind != TYPE_STRUCT;
        if (!plan->mismatch)
            plan_fields(planning, writer, inner, type, plan);
        break;
    case AVRO_ARRAY:
        plan->mismatch = type->kind != TYPE_ARRAY;
        if (!plan->mismatch)
            plan->children[0] = make_plan(planning, writer->children[0], inner ? inner->children[0] : NULL, type->children[0]);
        break;
    case AVRO_MAP:
        plan->mismatch = type->kind != TYPE_MAP || type->children[0]->kind != TYPE_VARCHAR;
        if (!plan->mismatch)
            plan->children[0] = make_plan(planning, writer->children[0], inner ? inner->children[0] : NULL, type->children[1]);
        break;
    case AVRO_ENUM: plan_symbols(planning, writer, inner, plan); /* fall through */
    default: plan->mismatch = !fits(writer, plan->logical, type); break;
    }
    return plan;
}

const AvroPlan *avro_plan_make(Arena *arena, const AvroSchema *writer, const AvroSchema *reader, const Type *type, const char **reason)
{
    Planning planning = { .arena = arena };
    const AvroPlan *plan = make_plan(&planning, writer, reader, type);
    *reason = planning.reason;
    return planning.reason ? NULL : plan;
}

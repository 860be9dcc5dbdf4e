/* common/type.c: SQL types. */
#include "common/type.h"

static const Type scalars[] = {
    [TYPE_NONE] = { .kind = TYPE_NONE }, [TYPE_NULL] = { .kind = TYPE_NULL }, [TYPE_BOOLEAN] = { .kind = TYPE_BOOLEAN },
    [TYPE_TINYINT] = { .kind = TYPE_TINYINT }, [TYPE_SMALLINT] = { .kind = TYPE_SMALLINT }, [TYPE_INT] = { .kind = TYPE_INT },
    [TYPE_BIGINT] = { .kind = TYPE_BIGINT }, [TYPE_FLOAT] = { .kind = TYPE_FLOAT }, [TYPE_DOUBLE] = { .kind = TYPE_DOUBLE },
    [TYPE_DECIMAL] = { .kind = TYPE_DECIMAL, .precision = 38 }, [TYPE_VARCHAR] = { .kind = TYPE_VARCHAR },
    [TYPE_BYTES] = { .kind = TYPE_BYTES }, [TYPE_DATE] = { .kind = TYPE_DATE }, [TYPE_TIME] = { .kind = TYPE_TIME },
    [TYPE_TIMESTAMP] = { .kind = TYPE_TIMESTAMP, .precision = 3 }, [TYPE_TIMESTAMP_TZ] = { .kind = TYPE_TIMESTAMP_TZ, .precision = 3 },
    [TYPE_INTERVAL] = { .kind = TYPE_INTERVAL }, [TYPE_ARRAY] = { .kind = TYPE_NONE }, [TYPE_MAP] = { .kind = TYPE_NONE },
    [TYPE_STRUCT] = { .kind = TYPE_NONE }, [TYPE_LAMBDA] = { .kind = TYPE_LAMBDA }, [TYPE_ANY] = { .kind = TYPE_ANY },
};

const Type *type_scalar(TypeKind kind) { return &scalars[kind]; }

const Type *type_decimal(Arena *arena, int precision, int scale)
{
    if (precision == 38 && scale == 0)
        return &scalars[TYPE_DECIMAL];
    Type *type = ARENA_NEW(arena, Type);
    *type = (Type){ .kind = TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale };
    return type;
}

const Type *type_timestamp(Arena *arena, TypeKind kind, int precision)
{
    if (precision == 3)
        return &scalars[kind];
    Type *type = ARENA_NEW(arena, Type);
    *type = (Type){ .kind = kind, .precision = (uint8_t)precision };
    return type;
}

const Type *type_varchar(Arena *arena, uint32_t length)
{
    if (length == 0)
        return &scalars[TYPE_VARCHAR];
    Type *type = ARENA_NEW(arena, Type);
    *type = (Type){ .kind = TYPE_VARCHAR, .length = length };
    return type;
}

static const Type *nested(Arena *arena, TypeKind kind, int count, const Type *const types[], const char *const names[])
{
    Type *type = ARENA_NEW(arena, Type);
    type->kind = kind;
    type->child_count = count;
    type->children = arena_copy(arena, types, sizeof *types * (size_t)count);
    if (names) {
        const char **copies = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
        for (int i = 0; i < count; i++)
            copies[i] = arena_strdup(arena, names[i]);
        type->names = copies;
    }
    return type;
}

const Type *type_array(Arena *arena, const Type *element) { return nested(arena, TYPE_ARRAY, 1, &element, NULL); }

const Type *type_map(Arena *arena, const Type *key, const Type *value)
{
    const Type *types[2] = { key, value };
    return nested(arena, TYPE_MAP, 2, types, NULL);
}

const Type *type_struct(Arena *arena, int field_count, const char *const names[], const Type *const types[])
{
    return nested(arena, TYPE_STRUCT, field_count, types, names);
}

const Type *type_copy(Arena *arena, const Type *type)
{
    if (type->child_count == 0) {
        if (type == &scalars[type->kind])
            return type;
        return arena_copy(arena, type, sizeof *type);
    }
    const Type **children = ARENA_ARRAY(arena, const Type *, (size_t)type->child_count);
    for (int i = 0; i < type->child_count; i++)
        children[i] = type_copy(arena, type->children[i]);
    return nested(arena, type->kind, type->child_count, children, type->names);
}

PhysicalType type_physical(const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: return PHYSICAL_BOOL;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: return PHYSICAL_DOUBLE;
    case TYPE_DECIMAL: return type->precision > 18 ? PHYSICAL_INT128 : PHYSICAL_INT64;
    case TYPE_VARCHAR:
    case TYPE_BYTES: return PHYSICAL_STR;
    case TYPE_INTERVAL: return PHYSICAL_INTERVAL;
    case TYPE_ARRAY:
    case TYPE_MAP: return PHYSICAL_ARRAY;
    case TYPE_STRUCT: return PHYSICAL_STRUCT;
    case TYPE_NONE:
    case TYPE_NULL:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
    case TYPE_LAMBDA:
    case TYPE_ANY: return PHYSICAL_INT64;
    }
    return PHYSICAL_INT64;
}

size_t type_width(const Type *type)
{
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: return 1;
    case PHYSICAL_INT64:
    case PHYSICAL_DOUBLE: return 8;
    case PHYSICAL_INT128:
    case PHYSICAL_STR:
    case PHYSICAL_INTERVAL: return 16;
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: return 0;
    }
    return 0;
}

bool type_equal(const Type *a, const Type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale || a->length != b->length || a->child_count != b->child_count)
        return false;
    for (int i = 0; i < a->child_count; i++) {
        if (!type_equal(a->children[i], b->children[i]))
            return false;
        if (a->names && strcmp(a->names[i], b->names[i]) != 0)
            return false;
    }
    return true;
}

bool type_is_integer(const Type *type) { return type->kind >= TYPE_TINYINT && type->kind <= TYPE_BIGINT; }
bool type_is_numeric(const Type *type) { return type->kind >= TYPE_TINYINT && type->kind <= TYPE_DECIMAL; }
bool type_is_nested(const Type *type) { return type->kind == TYPE_ARRAY || type->kind == TYPE_MAP || type->kind == TYPE_STRUCT; }
bool type_is_timestamp(const Type *type) { return type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMP_TZ; }

bool type_holds_instants(const Type *type)
{
    bool found = type->kind == TYPE_TIMESTAMP_TZ;
    for (int i = 0; i < type->child_count && !found; i++)
        found = type_holds_instants(type->children[i]);
    return found;
}

int type_field(const Type *type, const char *name)
{
    int found = -1;
    for (int i = 0; i < type->child_count; i++)
        if (strcmp(type->names[i], name) == 0)
            return i;
    for (int i = 0; i < type->child_count; i++)
        if (name_equal(type->names[i], name)) {
            if (found >= 0)
                return -1;
            found = i;
        }
    return found;
}

const char *type_kind_name(TypeKind kind)
{
    static const char *const names[] = {
        [TYPE_NONE] = "NONE", [TYPE_NULL] = "NULL", [TYPE_BOOLEAN] = "BOOLEAN", [TYPE_TINYINT] = "TINYINT", [TYPE_SMALLINT] = "SMALLINT",
        [TYPE_INT] = "INT", [TYPE_BIGINT] = "BIGINT", [TYPE_FLOAT] = "FLOAT", [TYPE_DOUBLE] = "DOUBLE", [TYPE_DECIMAL] = "DECIMAL",
        [TYPE_VARCHAR] = "VARCHAR", [TYPE_BYTES] = "BYTES", [TYPE_DATE] = "DATE", [TYPE_TIME] = "TIME", [TYPE_TIMESTAMP] = "TIMESTAMP",
        [TYPE_TIMESTAMP_TZ] = "TIMESTAMP WITH TIME ZONE", [TYPE_INTERVAL] = "INTERVAL", [TYPE_ARRAY] = "ARRAY", [TYPE_MAP] = "MAP",
        [TYPE_STRUCT] = "STRUCT", [TYPE_LAMBDA] = "LAMBDA", [TYPE_ANY] = "ANY",
    };
    return names[kind];
}

static bool is_plain_identifier(const char *name)
{
    if (!*name || (*name >= '0' && *name <= '9'))
        return false;
    for (; *name; name++)
        if (!(*name == '_' || (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9')))
            return false;
    return true;
}

static void print_field_name(const char *name, Text *text)
{
    if (is_plain_identifier(name)) {
        text_add_c(text, name);
        return;
    }
    text_add_char(text, '"');
    for (; *name; name++) {
        if (*name == '"')
            text_add_char(text, '"');
        text_add_char(text, *name);
    }
    text_add_char(text, '"');
}

void type_print(const Type *type, Text *text)
{
    switch (type->kind) {
    case TYPE_DECIMAL:
        text_printf(text, "DECIMAL(%d,%d)", type->precision, type->scale);
        return;
    case TYPE_VARCHAR:
        text_add_c(text, "VARCHAR");
        if (type->length)
            text_printf(text, "(%u)", type->length);
        return;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        text_printf(text, "TIMESTAMP(%d)%s", type->precision, type->kind == TYPE_TIMESTAMP_TZ ? " WITH TIME ZONE" : "");
        return;
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT:
        text_printf(text, "%s<", type_kind_name(type->kind));
        for (int i = 0; i < type->child_count; i++) {
            if (i > 0)
                text_add_c(text, ", ");
            if (type->kind == TYPE_STRUCT) {
                print_field_name(type->names[i], text);
                text_add_char(text, ' ');
            }
            type_print(type->children[i], text);
        }
        text_add_char(text, '>');
        return;
    case TYPE_NONE:
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_BYTES:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_INTERVAL:
    case TYPE_LAMBDA:
    case TYPE_ANY:
        text_add_c(text, type_kind_name(type->kind));
        return;
    }
}

const char *type_text(Arena *arena, const Type *type)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    type_print(type, &text);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

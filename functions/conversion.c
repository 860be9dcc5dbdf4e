/* functions/conversion.c: which type becomes which without being asked. */
#include "functions/functions_internal.h"

int digits_of(const Type *type)
{
    switch (type->kind) {
    case TYPE_TINYINT: return 3;
    case TYPE_SMALLINT: return 5;
    case TYPE_INT: return 10;
    case TYPE_BIGINT: return 19;
    case TYPE_DECIMAL: return type->precision;
    default: return 1;
    }
}

const Type *type_decimal_of(Arena *arena, const Type *integer) { return type_decimal(arena, digits_of(integer), 0); }

enum { COST_TO_DECIMAL = 10, COST_DECIMAL_TO_DOUBLE = 12, COST_TO_DOUBLE = 20 };

static int children_convertible(const Type *from, const Type *to)
{
    int cost = 0, named_alike = 0;
    if (from->child_count != to->child_count)
        return -1;
    for (int i = 0; to->kind == TYPE_STRUCT && i < to->child_count; i++) {
        int source = type_field(from, to->names[i]);
        if (source >= 0 && source != i)
            return -1; /* a cast would take them by name: that must be asked for */
        named_alike += source >= 0;
    }
    if (named_alike && named_alike < to->child_count)
        return -1;
    for (int i = 0; i < from->child_count; i++) {
        int one = type_convertible(from->children[i], to->children[i]);
        if (one < 0)
            return -1;
        cost += one;
    }
    return cost;
}

static int same_kind_convertible(const Type *from, const Type *to)
{
    if (to->kind == TYPE_DECIMAL) /* every digit must have its place */
        return to->scale >= from->scale && to->precision - to->scale >= from->precision - from->scale ? 1 : -1;
    if (to->kind == TYPE_VARCHAR)
        return to->length == 0 || (from->length && from->length <= to->length) ? 0 : -1;
    if (type_is_nested(to))
        return children_convertible(from, to);
    return 0;
}

int type_convertible(const Type *from, const Type *to)
{
    if (type_equal(from, to) || to->kind == TYPE_ANY || from->kind == TYPE_NULL)
        return 0;
    if (from->kind == to->kind)
        return same_kind_convertible(from, to);
    if (type_is_integer(from) && type_is_integer(to))
        return to->kind > from->kind ? (int)to->kind - (int)from->kind : -1;
    if (type_is_integer(from) && to->kind == TYPE_DECIMAL)
        return to->precision - to->scale >= digits_of(from) ? COST_TO_DECIMAL : -1;
    if (type_is_integer(from) && to->kind == TYPE_DOUBLE)
        return COST_TO_DOUBLE;
    if (from->kind == TYPE_DECIMAL && to->kind == TYPE_DOUBLE)
        return COST_DECIMAL_TO_DOUBLE;
    if (from->kind == TYPE_FLOAT && to->kind == TYPE_DOUBLE)
        return 1;
    if (from->kind == TYPE_DATE && type_is_timestamp(to))
        return to->kind == TYPE_TIMESTAMP ? 2 : 3;
    if (type_is_timestamp(from) && type_is_timestamp(to))
        return 4;
    return -1;
}

static const Type *common_decimal(Arena *arena, const Type *a, const Type *b)
{
    int a_whole = digits_of(a) - scale_of(a), b_whole = digits_of(b) - scale_of(b);
    int whole = a_whole > b_whole ? a_whole : b_whole;
    int scale = scale_of(a) > scale_of(b) ? scale_of(a) : scale_of(b);
    if (whole + scale > 38) {
        int least = scale < 6 ? scale : 6;
        scale = 38 - whole > least ? 38 - whole : least;
        return type_decimal(arena, 38, scale);
    }
    return type_decimal(arena, whole + scale, scale);
}

static const Type *common_nested(Arena *arena, const Type *a, const Type *b)
{
    if (a->child_count != b->child_count)
        return NULL;
    const Type **children = ARENA_ARRAY(arena, const Type *, (size_t)a->child_count + 1);
    for (int i = 0; i < a->child_count; i++) {
        children[i] = type_common(arena, a->children[i], b->children[i]);
        if (!children[i])
            return NULL;
    }
    if (a->kind == TYPE_ARRAY)
        return type_array(arena, children[0]);
    if (a->kind == TYPE_MAP)
        return type_map(arena, children[0], children[1]);
    return type_struct(arena, a->child_count, a->names, children);
}

const Type *type_common(Arena *arena, const Type *a, const Type *b)
{
    if (type_equal(a, b) || b->kind == TYPE_NULL)
        return a;
    if (a->kind == TYPE_NULL)
        return b;
    if (type_is_numeric(a) && type_is_numeric(b)) {
        if (type_is_integer(a) && type_is_integer(b))
            return a->kind > b->kind ? a : b;
        bool floating = a->kind == TYPE_DOUBLE || a->kind == TYPE_FLOAT || b->kind == TYPE_DOUBLE || b->kind == TYPE_FLOAT;
        return floating ? type_scalar(TYPE_DOUBLE) : common_decimal(arena, a, b);
    }
    if (a->kind == TYPE_VARCHAR && b->kind == TYPE_VARCHAR)
        return type_varchar(arena, a->length && b->length ? (a->length > b->length ? a->length : b->length) : 0);
    if (type_is_timestamp(a) && type_is_timestamp(b)) {
        TypeKind kind = a->kind == TYPE_TIMESTAMP_TZ || b->kind == TYPE_TIMESTAMP_TZ ? TYPE_TIMESTAMP_TZ : TYPE_TIMESTAMP;
        return type_timestamp(arena, kind, a->precision > b->precision ? a->precision : b->precision);
    }
    if (a->kind == TYPE_DATE && type_is_timestamp(b))
        return b;
    if (b->kind == TYPE_DATE && type_is_timestamp(a))
        return a;
    if (a->kind == b->kind)
        return type_is_nested(a) ? common_nested(arena, a, b) : a;
    return NULL;
}

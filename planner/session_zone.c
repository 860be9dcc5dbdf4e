/* planner/session_zone.c: see session_zone.h. */
#include "planner/session_zone.h"
#include "common/calendar.h"
#include "planner/expr.h"

static _Thread_local const TimeZone *zone_at_hand;

void session_zone_use(const TimeZone *zone)
{
    int64_t offset_us;
    zone_at_hand = zone && timezone_is_fixed(zone, &offset_us) && offset_us == 0 ? NULL : zone;
}

const TimeZone *session_zone(void) { return zone_at_hand; }

bool session_zone_crossed(const Type *from, const Type *to)
{
    if (!zone_at_hand || from->kind == to->kind)
        return false;
    if (from->kind == TYPE_TIMESTAMP_TZ)
        return to->kind == TYPE_TIMESTAMP || to->kind == TYPE_DATE || to->kind == TYPE_TIME;
    return to->kind == TYPE_TIMESTAMP_TZ && (from->kind == TYPE_TIMESTAMP || from->kind == TYPE_DATE || from->kind == TYPE_VARCHAR);
}

static Expr *zone_name(Arena *arena, Span at)
{
    Value name = { .type = type_scalar(TYPE_VARCHAR), .text = str_c(timezone_name(zone_at_hand)) };
    return expr_constant(arena, &name, at);
}

/* expr AT TIME ZONE 'the session's'; microseconds stay, whatever is shown of them. */
static Error *at_zone(Arena *arena, const char *function, Expr *expr, Span at, Expr **result)
{
    Expr *args[2] = { expr, zone_name(arena, at) };
    TRY(expr_call(arena, function, at, 2, args, result));
    if (type_is_timestamp(expr->type) && expr->type->precision != (*result)->type->precision)
        (*result)->type = type_timestamp(arena, (*result)->type->kind, expr->type->precision);
    else if (expr->type->kind == TYPE_VARCHAR)
        (*result)->type = type_timestamp(arena, TYPE_TIMESTAMP_TZ, 6);
    return NULL;
}

/* Constants stay constants, as other casts leave them. False: not possible here. */
static bool cast_constant(Arena *arena, const Expr *expr, Value *value)
{
    if (expr->kind != EXPR_CONSTANT || expr->value.is_null)
        return false;
    *value = expr->value;
    if (expr->type->kind == TYPE_TIMESTAMP_TZ) {
        value->integer = timezone_local(zone_at_hand, expr->value.integer);
        value->type = type_timestamp(arena, TYPE_TIMESTAMP, expr->type->precision);
        return true;
    }
    int64_t local_us = expr->value.integer;
    bool zoned = false;
    if (expr->type->kind == TYPE_VARCHAR) {
        if (!timestamp_parse(str_bytes(&expr->value.text), expr->value.text.length, &local_us, &zoned))
            return false;
    } else if (expr->type->kind == TYPE_DATE && __builtin_mul_overflow(local_us, US_PER_DAY, &local_us)) {
        return false;
    }
    *value = (Value){ .type = type_timestamp(arena, TYPE_TIMESTAMP_TZ, 6), .integer = zoned ? local_us : timezone_utc(zone_at_hand, local_us) };
    return true;
}

Error *session_zone_cast(Arena *arena, Expr *expr, const Type *to, bool try_cast, Span at, Expr **result)
{
    Value value;
    Expr *moved = NULL;
    if (cast_constant(arena, expr, &value)) {
        moved = expr_constant(arena, &value, at);
    } else {
        if (expr->type->kind == TYPE_DATE)
            TRY(expr_cast(arena, expr, type_scalar(TYPE_TIMESTAMP), try_cast, at, &expr));
        TRY(at_zone(arena, expr->type->kind == TYPE_VARCHAR && try_cast ? "try_at_time_zone" : "at_time_zone", expr, at, &moved));
    }
    return expr_cast(arena, moved, to, try_cast, at, result); /* its precision, DATE, TIME */
}

Error *session_zone_call(Arena *arena, const char *name, Span at, int count, Expr *const args[], Expr **result)
{
    *result = NULL;
    if (!zone_at_hand)
        return NULL;
    const bool date = name_equal(name, "current_date"), time = name_equal(name, "current_time") || name_equal(name, "localtime");
    if (count == 0 && (date || time || name_equal(name, "localtimestamp"))) {
        Expr *now;
        TRY(expr_call(arena, "now", at, 0, NULL, &now));
        return session_zone_cast(arena, now, type_scalar(date ? TYPE_DATE : time ? TYPE_TIME : TYPE_TIMESTAMP), false, at, result);
    }
    if (count == 2 && args[0]->type->kind == TYPE_TIMESTAMP_TZ && (name_equal(name, "format_timestamp") || name_equal(name, "date_format"))) {
        Expr *zoned[3] = { args[0], args[1], zone_name(arena, at) };
        return expr_call(arena, name, at, 3, zoned, result);
    }
    return NULL;
}

/* planner/bind_frame.c: the rows that a function OVER (..) looks at: ROWS, RANGE, GROUPS BETWEEN .. AND .. EXCLUDE .., ASA's LIMIT DURATION. */
#include <string.h>
#include "common/calendar.h"
#include "planner/ast_map.h"
#include "planner/binder.h"

bool over_has_frame(OverKind kind)
{
    return kind == OVER_AGGREGATE || kind == OVER_FIRST_VALUE || kind == OVER_LAST_VALUE || kind == OVER_NTH_VALUE;
}

Error *bind_whole_number(Binder *binder, const AstExpr *ast, const char *what, int64_t least, int64_t *number)
{
    Value value;
    TRY(binder_literal(binder, ast, type_scalar(TYPE_BIGINT), what, &value));
    if (value.is_null || value.integer < least)
        return error_at(ERR_BIND, ast->at, "%s must be %lld or more", what, (long long)least);
    *number = value.integer;
    return NULL;
}

static Error *range_offset(Binder *binder, const AstExpr *ast, const Type *type, int64_t *offset)
{
    const char *what = "the distance of a RANGE";
    if (!type)
        return error_at(ERR_BIND, ast->at, "RANGE with a distance needs one ORDER BY column to measure it in");
    Value value;
    if (type_is_timestamp(type) || type->kind == TYPE_DATE) {
        TRY(bind_interval(binder, ast, what, offset));
        if (type->kind == TYPE_DATE && *offset % US_PER_DAY)
            return error_at(ERR_BIND, ast->at, "%s of a DATE must be whole days", what);
        *offset = type->kind == TYPE_DATE ? *offset / US_PER_DAY : *offset;
    } else if (type_physical(type) == PHYSICAL_DOUBLE) {
        TRY(binder_literal(binder, ast, type_scalar(TYPE_DOUBLE), what, &value));
        if (value.is_null || !(value.number >= 0))
            return error_at(ERR_BIND, ast->at, "%s must be 0 or more", what);
        memcpy(offset, &value.number, sizeof *offset);
        return NULL;
    } else if (type_is_numeric(type) && type_physical(type) == PHYSICAL_INT64) {
        TRY(binder_literal(binder, ast, type_is_integer(type) ? type_scalar(TYPE_BIGINT) : type, what, &value));
        if (value.is_null)
            return error_at(ERR_BIND, ast->at, "%s must be 0 or more", what);
        *offset = value.integer;
    } else {
        return binder_unsupported(ast->at, "RANGE over ORDER BY of %s", type_text(binder->arena, type));
    }
    return *offset < 0 ? error_at(ERR_BIND, ast->at, "%s must be 0 or more", what) : NULL;
}

static Error *frame_bound(Binder *binder, OverUnit unit, const Type *type, AstFrameBound bound, const AstExpr *ast, OverBound *result, int64_t *offset)
{
    static const OverBound bounds[] = { BOUND_UNBOUNDED_PRECEDING, BOUND_PRECEDING, BOUND_CURRENT, BOUND_FOLLOWING, BOUND_UNBOUNDED_FOLLOWING };
    *result = bounds[bound];
    if (bound != FRAME_PRECEDING && bound != FRAME_FOLLOWING)
        return NULL;
    if (unit == OVER_RANGE)
        return range_offset(binder, ast, type, offset);
    return bind_whole_number(binder, ast, unit == OVER_ROWS ? "the number of rows" : "the number of groups", 0, offset);
}

Error *bind_frame(Binder *binder, const AstExpr *ast, OverKind kind, const Type *type, OverFrame *frame)
{
    const AstOver *over = ast->over;
    *frame = (OverFrame){ .from = BOUND_UNBOUNDED_PRECEDING, .to = BOUND_CURRENT };
    if (over->limit_duration) {
        if (!over_has_frame(kind) && kind != OVER_LAG && kind != OVER_LAST && kind != OVER_SPIKE_AND_DIP && kind != OVER_CHANGE_POINT)
            return error_at(ERR_BIND, over->limit_duration->at, "%s takes no LIMIT DURATION", ast_call_name(ast));
        if (over->has_frame)
            return error_at(ERR_BIND, over->limit_duration->at, "LIMIT DURATION beside a frame");
        frame->open_start = true;
        frame->from = BOUND_PRECEDING;
        TRY(bind_asa_duration(binder, over->limit_duration, "LIMIT DURATION", &frame->from_offset));
        return frame->from_offset > 0 ? NULL : error_at(ERR_BIND, over->limit_duration->at, "LIMIT DURATION must be more than 0");
    }
    if (over->has_frame && !over_has_frame(kind))
        return error_at(ERR_BIND, over->at, "%s takes no frame", ast_call_name(ast));
    if (!over->has_frame) {
        if (over->order_by.count == 0 && over_has_frame(kind))
            frame->to = BOUND_UNBOUNDED_FOLLOWING;
        return NULL;
    }
    static const OverUnit units[] = { [FRAME_RANGE] = OVER_RANGE, [FRAME_ROWS] = OVER_ROWS, [FRAME_GROUPS] = OVER_GROUPS };
    static const OverExclude exclusions[] = {
        [EXCLUDE_NO_OTHERS] = OVER_EXCLUDES_NOTHING, [EXCLUDE_CURRENT_ROW] = OVER_EXCLUDES_ROW, [EXCLUDE_GROUP] = OVER_EXCLUDES_GROUP, [EXCLUDE_TIES] = OVER_EXCLUDES_TIES
    };
    frame->unit = units[over->unit];
    frame->exclude = exclusions[over->exclude];
    if (frame->unit == OVER_GROUPS && over->order_by.count == 0)
        return error_at(ERR_BIND, over->at, "GROUPS are of rows that are equal in ORDER BY, and there is none");
    TRY(frame_bound(binder, frame->unit, type, over->from, over->from_offset, &frame->from, &frame->from_offset));
    TRY(frame_bound(binder, frame->unit, type, over->to, over->to_offset, &frame->to, &frame->to_offset));
    if (frame->from == BOUND_UNBOUNDED_FOLLOWING || frame->to == BOUND_UNBOUNDED_PRECEDING || frame->from > frame->to)
        return error_at(ERR_BIND, over->at, "the frame begins after its end");
    return NULL;
}

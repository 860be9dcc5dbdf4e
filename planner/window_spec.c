/* planner/window_spec.c: see window_spec.h. */
#include "planner/window_spec.h"
#include "common/calendar.h"
#include "planner/session_zone.h"

Error *window_length(const Interval *interval, Span at, const char *what, int64_t *us, int64_t *months)
{
    if (interval->months && interval->us)
        return error_at(ERR_BIND, at, "%s is either in months or in days and shorter units", what);
    *us = interval->us;
    *months = interval->months;
    return NULL;
}

Error *window_positive(int64_t us, int64_t months, Span at, const char *what)
{
    return us > 0 || months > 0 ? NULL : error_at(ERR_BIND, at, "%s must be more than 0", what);
}

Error *window_zone(Span at, const char *name, size_t length, WindowSpec *spec)
{
    int64_t offset_us;
    spec->zone_given = true;
    Error *error = timezone_find(name, length, &spec->zone);
    if (error) {
        error->at = at;
        return error;
    }
    if (timezone_is_fixed(spec->zone, &offset_us) && offset_us == 0)
        spec->zone = NULL;
    return NULL;
}

void window_session_zone(WindowSpec *spec, const Schema *schema)
{
    const bool grid = spec->kind == WINDOW_TUMBLING || spec->kind == WINDOW_HOPPING || spec->kind == WINDOW_CUMULATING;
    if (!grid || spec->zone_given || spec->time_column < 0 || spec->time_column >= schema->column_count || schema->columns[spec->time_column].type->kind != TYPE_TIMESTAMP_TZ)
        return;
    if (spec->size_months || spec->size_us % US_PER_DAY == 0)
        spec->zone = session_zone();
}

const Type *window_bound_type(Arena *arena, const WindowSpec *spec, const Schema *schema)
{
    const int time = spec->time_column;
    const bool instants = time >= 0 && time < schema->column_count && schema->columns[time].type->kind == TYPE_TIMESTAMP_TZ;
    return instants ? type_timestamp(arena, TYPE_TIMESTAMP_TZ, 3) : type_scalar(TYPE_TIMESTAMP);
}

/* Does the part fit into the whole without a rest, whatever the month? */
static bool divides(int64_t us, int64_t months, int64_t whole_us, int64_t whole_months)
{
    if (months)
        return whole_months % months == 0 && whole_months > 0;
    return whole_months ? US_PER_DAY % us == 0 : whole_us % us == 0;
}

/* Each row is in so many windows. */
static double windows_of_row(const WindowSpec *spec)
{
    double month = 31.0 * US_PER_DAY, size = (double)spec->size_us + (double)spec->size_months * month, advance = (double)spec->advance_us + (double)spec->advance_months * month;
    return advance > 0 ? size / advance : 0;
}

Error *window_finish(WindowSpec *spec, Span at)
{
    enum { MOST_LANES = 1000, MOST_WINDOWS = 100000000 };
    if (spec->kind == WINDOW_COUNT && spec->count / spec->count_advance > MOST_LANES)
        return error_at(ERR_BIND, at, "more than %d count windows of a key would be open at a time", MOST_LANES);
    if (spec->kind == WINDOW_SESSION || spec->kind == WINDOW_SLIDING || spec->kind == WINDOW_SNAPSHOT || spec->kind == WINDOW_COUNT)
        return NULL;
    if (spec->kind != WINDOW_TUMBLING && spec->advance_us == spec->size_us && spec->advance_months == spec->size_months)
        spec->kind = WINDOW_TUMBLING;
    if (spec->kind == WINDOW_TUMBLING) {
        spec->advance_us = spec->size_us;
        spec->advance_months = spec->size_months;
    }
    if (windows_of_row(spec) > MOST_WINDOWS)
        return error_at(ERR_BIND, at, "each row would fall into more than %d windows", MOST_WINDOWS);
    const bool calendar = spec->zone || spec->size_months || spec->advance_months;
    if ((spec->kind == WINDOW_CUMULATING || (spec->kind == WINDOW_HOPPING && calendar)) &&
        !divides(spec->advance_us, spec->advance_months, spec->size_us, spec->size_months)) {
        if (spec->kind == WINDOW_CUMULATING)
            return error_at(ERR_BIND, at, "the size of a cumulating window must be a multiple of its step");
        return error_at(ERR_BIND, at, "by the calendar the size of a hopping window must be a multiple of its hop");
    }
    if (spec->kind == WINDOW_HOPPING && spec->size_months && !spec->advance_months)
        return error_hint(error_at(ERR_BIND, at, "a window of months hops by months"), "ADVANCE BY 1 MONTH");
    if (!calendar)
        spec->offset_us = floor_mod(spec->offset_us, spec->kind == WINDOW_CUMULATING ? spec->size_us : spec->advance_us);
    return NULL;
}

bool window_same(const WindowSpec *a, const WindowSpec *b, bool times)
{
    return a->kind == b->kind && a->size_us == b->size_us && a->advance_us == b->advance_us && a->size_months == b->size_months &&
           a->advance_months == b->advance_months && a->zone == b->zone && a->count == b->count && a->count_advance == b->count_advance && a->offset_us == b->offset_us && (!times || a->time_column == b->time_column);
}

WindowSpec window_cells(const WindowSpec *of, bool starts)
{
    if (of->kind == WINDOW_SESSION)
        return (WindowSpec){ .kind = WINDOW_TUMBLING, .size_us = US_PER_MS, .advance_us = US_PER_MS };
    if (of->kind == WINDOW_SLIDING || of->kind == WINDOW_SNAPSHOT)
        return (WindowSpec){ .kind = WINDOW_TUMBLING, .size_us = 1, .advance_us = 1 };
    const bool whole = starts && of->kind == WINDOW_CUMULATING;
    WindowSpec cells = { .kind = WINDOW_TUMBLING, .zone = of->zone, .offset_us = of->offset_us };
    cells.size_us = cells.advance_us = whole ? of->size_us : of->advance_us;
    cells.size_months = cells.advance_months = whole ? of->size_months : of->advance_months;
    if (of->zone || of->size_months || of->advance_months)
        return cells;
    if (of->kind == WINDOW_HOPPING)
        cells.offset_us += of->size_us;
    cells.offset_us = floor_mod(cells.offset_us, cells.size_us);
    return cells;
}

const char *window_kind_noun(WindowKind kind)
{
    switch (kind) {
    case WINDOW_TUMBLING: return "tumbling window";
    case WINDOW_HOPPING: return "hopping window";
    case WINDOW_CUMULATING: return "cumulating window";
    case WINDOW_SNAPSHOT: return "snapshot window";
    case WINDOW_SLIDING: return "sliding window";
    case WINDOW_COUNT: return "count window";
    case WINDOW_SESSION: return "session";
    }
    return "window";
}

bool window_refuses_changes(WindowKind kind) { return kind == WINDOW_SESSION || kind == WINDOW_SLIDING || kind == WINDOW_COUNT; }

bool window_is_ksql(const WindowSpec *spec)
{
    return (spec->kind == WINDOW_TUMBLING || spec->kind == WINDOW_HOPPING) && !spec->zone && !spec->size_months && !spec->advance_months;
}

Error *window_trigger(const WindowSpec *spec, const AstEmit *emit, Span at, Trigger *trigger)
{
    if (spec->kind != WINDOW_SLIDING && spec->kind != WINDOW_COUNT)
        return NULL;
    if (emit->kind == AST_EMIT_CHANGES || (emit->kind == AST_EMIT_NONE && *trigger == TRIGGER_CHANGES))
        return NULL;
    if (emit->kind != AST_EMIT_NONE && emit->kind != AST_EMIT_FINAL)
        return error_hint(error_at(ERR_BIND, emit->at.length ? emit->at : at, "the result of a %s comes out once", window_kind_noun(spec->kind)), "EMIT FINAL");
    *trigger = TRIGGER_FINAL;
    return NULL;
}

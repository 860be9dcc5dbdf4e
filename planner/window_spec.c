/* planner/window_spec.c: see window_spec.h. */
#include "planner/window_spec.h"
#include "common/calendar.h"

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
    Error *error = timezone_find(name, length, &spec->zone);
    if (error) {
        error->at = at;
        return error;
    }
    if (timezone_is_fixed(spec->zone, &offset_us) && offset_us == 0)
        spec->zone = NULL;
    return NULL;
}

/* Does the part fit into the whole without a rest, whatever the month? */
static bool divides(int64_t us, int64_t months, int64_t whole_us, int64_t whole_months)
{
    if (months)
        return whole_months % months == 0 && whole_months > 0;
    return whole_months ? US_PER_DAY % us == 0 : whole_us % us == 0;
}

Error *window_finish(WindowSpec *spec, Span at)
{
    if (spec->kind == WINDOW_SESSION)
        return NULL;
    if (spec->kind != WINDOW_TUMBLING && spec->advance_us == spec->size_us && spec->advance_months == spec->size_months)
        spec->kind = WINDOW_TUMBLING;
    if (spec->kind == WINDOW_TUMBLING) {
        spec->advance_us = spec->size_us;
        spec->advance_months = spec->size_months;
    }
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
           a->advance_months == b->advance_months && a->zone == b->zone && a->offset_us == b->offset_us && (!times || a->time_column == b->time_column);
}

WindowSpec window_cells(const WindowSpec *of, bool starts)
{
    if (of->kind == WINDOW_SESSION)
        return (WindowSpec){ .kind = WINDOW_TUMBLING, .size_us = US_PER_MS, .advance_us = US_PER_MS };
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

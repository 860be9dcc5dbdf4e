/* exec/window_grid.c: see window_grid.h. */
#include "exec/window_grid.h"
#include "common/calendar.h"
#include "common/timezone.h"

/* A length between points: months, or microseconds. */
typedef struct Step { int64_t us, months; } Step;

static Step size_of(const WindowGrid *grid) { return (Step){ grid->size_us, grid->size_months }; }
static Step advance_of(const WindowGrid *grid) { return (Step){ grid->advance_us, grid->advance_months }; }

/* The largest grid point start + k * step at or before the time, which is not far beyond TIME_FAR. */
static int64_t regular_floor(int64_t time_us, int64_t start_us, int64_t step_us) { return time_us - floor_mod(time_us - start_us, step_us); }

/* ---- the calendar ---- */

/* The largest point at or before a local time. */
static int64_t local_floor(const WindowGrid *grid, Step step, int64_t local_us)
{
    int64_t at = local_us - grid->offset_us;
    if (step.months == 0)
        return regular_floor(at, 0, step.us) + grid->offset_us;
    CivilTime civil = civil_from_us(at);
    int64_t month = floor_div(((int64_t)civil.year - 1970) * 12 + civil.month - 1, step.months) * step.months;
    return days_from_civil(1970 + floor_div(month, 12), (int)floor_mod(month, 12) + 1, 1) * US_PER_DAY + grid->offset_us;
}

static int64_t local_next(const WindowGrid *grid, Step step, int64_t point_us)
{
    return step.months ? add_months(point_us - grid->offset_us, step.months) + grid->offset_us : point_us + step.us;
}

/* A local time that comes twice is a point both times if the step divides what clocks are set back by (hours of an hour), else the
 * first time only (days, six hours). One that is left out is the moment of the change. */
static int64_t calendar_floor(const WindowGrid *grid, Step step, int64_t time_us)
{
    if (!grid->zone)
        return local_floor(grid, step, time_us);
    ZoneSpan span = timezone_span(grid->zone, time_us);
    int64_t local_us = local_floor(grid, step, time_us + span.offset_us), again_us = local_us - span.offset_us;
    int64_t first_us = timezone_utc_start(grid->zone, local_us);
    bool twice = step.months == 0 && step.us < US_PER_DAY && again_us > first_us && again_us >= span.from_us;
    return twice && (again_us - first_us) % step.us == 0 ? again_us : first_us;
}

static int64_t calendar_next(const WindowGrid *grid, Step step, int64_t point_us)
{
    int64_t local_us = grid->zone ? timezone_local(grid->zone, point_us) : point_us, next_us = point_us;
    local_us = local_floor(grid, step, local_us);
    while (next_us <= point_us) {
        local_us = local_next(grid, step, local_us);
        next_us = grid->zone ? timezone_utc_start(grid->zone, local_us) : local_us;
    }
    for (int64_t before = calendar_floor(grid, step, next_us - 1); before > point_us; before = calendar_floor(grid, step, next_us - 1))
        next_us = before; /* points between: local times that come twice */
    return next_us;
}

/* ---- asking ---- */

static int64_t calendar_start(const WindowGrid *grid, int64_t end_us)
{
    if (grid->kind != WINDOW_HOPPING)
        return calendar_floor(grid, size_of(grid), end_us - 1);
    for (int64_t i = 0; i < grid->hops; i++)
        end_us = calendar_floor(grid, advance_of(grid), end_us - 1);
    return end_us;
}

int64_t grid_start(const WindowGrid *grid, int64_t end_us)
{
    if (!grid->regular)
        return calendar_start(grid, end_us);
    if (grid->kind == WINDOW_SNAPSHOT)
        return end_us;
    return grid->kind == WINDOW_CUMULATING ? regular_floor(end_us - 1, grid->offset_us, grid->size_us) : end_us - grid->size_us;
}

int64_t grid_next_end(const WindowGrid *grid, int64_t end_us)
{
    return grid->regular ? end_us + grid->advance_us : calendar_next(grid, advance_of(grid), end_us);
}

int64_t grid_last_end(const WindowGrid *grid, int64_t time_us)
{
    int64_t at = clamp_time(time_us);
    return grid->regular ? regular_floor(at, grid->offset_us + (grid->kind == WINDOW_HOPPING ? grid->size_us : 0), grid->advance_us)
                         : calendar_floor(grid, advance_of(grid), at);
}

static GridPlace hopping_place(const WindowGrid *grid, int64_t at)
{
    int64_t step = grid->overlapping ? grid->pane_us : grid->advance_us;
    int64_t from = regular_floor(at, grid->offset_us, step), last = regular_floor(at, grid->offset_us, grid->advance_us);
    if (at - last >= grid->size_us)
        return (GridPlace){ .from_us = last + grid->size_us, .to_us = last + grid->advance_us };
    int64_t first = regular_floor(at - grid->size_us, grid->offset_us, grid->advance_us) + grid->advance_us;
    int64_t to = step > grid->size_us ? from + grid->size_us : from + step;
    return (GridPlace){ from, to, true, first + grid->size_us, last + grid->size_us };
}

static GridPlace calendar_place(const WindowGrid *grid, int64_t at)
{
    GridPlace place = { .any = true };
    place.from_us = calendar_floor(grid, advance_of(grid), at);
    place.to_us = place.first_end_us = place.last_end_us = calendar_next(grid, advance_of(grid), place.from_us);
    if (grid->kind == WINDOW_CUMULATING)
        place.last_end_us = calendar_next(grid, size_of(grid), calendar_floor(grid, size_of(grid), at));
    for (int64_t i = 1; grid->kind == WINDOW_HOPPING && i < grid->hops; i++)
        place.last_end_us = calendar_next(grid, advance_of(grid), place.last_end_us);
    return place;
}

GridPlace grid_place(const WindowGrid *grid, int64_t time_us)
{
    int64_t at = clamp_time(time_us);
    if (!grid->regular)
        return calendar_place(grid, at);
    if (grid->kind == WINDOW_HOPPING)
        return hopping_place(grid, at);
    int64_t from = regular_floor(at, grid->offset_us, grid->advance_us), end = from + grid->advance_us;
    int64_t last = grid->kind == WINDOW_CUMULATING ? regular_floor(at, grid->offset_us, grid->size_us) + grid->size_us : end;
    return (GridPlace){ from, end, true, end, last };
}

int64_t grid_count_ends(const WindowGrid *grid, int64_t first_end_us, int64_t last_end_us)
{
    int64_t count = 0;
    if (last_end_us < first_end_us)
        return 0;
    if (grid->regular)
        return (last_end_us - first_end_us) / grid->advance_us + 1;
    for (; first_end_us <= last_end_us; first_end_us = grid_next_end(grid, first_end_us))
        count++;
    return count;
}

int64_t grid_windows_a_row(const WindowGrid *grid)
{
    if (!grid->overlapping)
        return 1;
    return grid->regular ? grid->size_us / grid->advance_us + 1 : grid->hops + 1;
}

/* ---- opening ---- */

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The longest time that a step may span. */
static int64_t longest(int64_t us, int64_t months) { return months ? months * 31 * US_PER_DAY : us; }

Error *grid_init(WindowGrid *grid, const WindowSpec *spec, Span at)
{
    *grid = (WindowGrid){ .kind = spec->kind, .size_us = spec->size_us, .advance_us = spec->advance_us, .offset_us = spec->offset_us,
                          .size_months = spec->size_months, .advance_months = spec->advance_months, .zone = spec->zone };
    if (spec->kind == WINDOW_TUMBLING || (spec->advance_us <= 0 && spec->advance_months <= 0)) {
        grid->advance_us = spec->size_us;
        grid->advance_months = spec->size_months;
    }
    int64_t zone_us, size_us = longest(grid->size_us, grid->size_months), advance_us = longest(grid->advance_us, grid->advance_months);
    if (size_us <= 0 || size_us > TIME_FAR || advance_us > TIME_FAR)
        return error_at(ERR_BIND, at, "a window is longer than nothing and not longer than 73,000 years");
    grid->overlapping = advance_us < size_us;
    if (grid->zone && timezone_is_fixed(grid->zone, &zone_us) && !grid->size_months && !grid->advance_months) { /* an offset like any other */
        grid->offset_us -= zone_us;
        grid->zone = NULL;
    }
    grid->regular = !grid->zone && !grid->size_months && !grid->advance_months;
    if (grid->regular) {
        grid->offset_us = floor_mod(grid->offset_us, grid->kind == WINDOW_CUMULATING ? grid->size_us : grid->advance_us);
        grid->pane_us = grid->kind == WINDOW_CUMULATING ? grid->advance_us : gcd(grid->size_us, grid->advance_us);
    } else {
        grid->hops = grid->size_months && grid->advance_months ? grid->size_months / grid->advance_months : size_us / advance_us + 1;
        if (grid->kind == WINDOW_HOPPING && !grid->size_months)
            grid->hops = grid->size_us / grid->advance_us;
    }
    return NULL;
}

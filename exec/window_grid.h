/* exec/window_grid.h: which windows a time falls into: a window spec as a function of time.
 *
 * Windows are known by their ends, which are unique and ascend. Regular grids are arithmetic: size, advance and offset in microseconds.
 * Grids with a time zone or in months follow the calendar: a point is a local time (a multiple of days from 1970-01-01, of months from
 * January 1970, of microseconds from midnight of 1970-01-01, plus the offset), and where clocks are changed the stretch between two
 * points is shorter or longer. There hops and steps divide sizes, so that every end is a point of the advance's grid.
 *
 *   tumbling     ends: points of the size             start: the point before
 *   hopping      ends: start + size                   starts: points of the advance
 *   cumulating   ends: points of the advance (STEP)   start: the point of the size before it
 *
 * Times are those of the grid: where windows include their ends, a microsecond earlier than the rows'. */
#pragma once
#include "exec/exec_internal.h"

#define TIME_FAR (INT64_MAX / 4) /* times further from 1970 than 73,000 years count as that */
static inline int64_t clamp_time(int64_t time_us)
{
    return time_us > TIME_FAR ? TIME_FAR : time_us < -TIME_FAR ? -TIME_FAR : time_us;
}

typedef struct WindowGrid {
    WindowKind kind;
    bool regular, overlapping;
    int64_t size_us, advance_us, offset_us, pane_us;
    int64_t size_months, advance_months;
    const TimeZone *zone;
    int64_t hops;               /* calendar: advances in a size */
} WindowGrid;

/* The windows over a time. */
typedef struct GridPlace {
    int64_t from_us, to_us;             /* all times in [from, to) have the same windows: a pane, or a gap between windows */
    bool any;                           /* false: in a gap */
    int64_t first_end_us, last_end_us;  /* ends of the first and last window; others by grid_next_end */
} GridPlace;

Error *grid_init(WindowGrid *grid, const WindowSpec *spec, Span at);
GridPlace grid_place(const WindowGrid *grid, int64_t time_us);
int64_t grid_last_end(const WindowGrid *grid, int64_t time_us); /* the largest window end at or before a time that is not infinite */
int64_t grid_next_end(const WindowGrid *grid, int64_t end_us);
int64_t grid_start(const WindowGrid *grid, int64_t end_us);     /* of the window that ends there */
int64_t grid_windows_a_row(const WindowGrid *grid);             /* at most */
int64_t grid_count_ends(const WindowGrid *grid, int64_t first_end_us, int64_t last_end_us); /* ends in [first, last], which are ends; 0 if last < first */

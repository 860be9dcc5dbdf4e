/* planner/window_spec.h: what makes a WindowSpec right, whatever its spelling. */
#pragma once
#include "planner/binder.h"

/* A length of time in one unit: microseconds, or months. `what`: "the size of a window". */
Error *window_length(const Interval *interval, Span at, const char *what, int64_t *us, int64_t *months);
/* More than nothing. */
Error *window_positive(int64_t us, int64_t months, Span at, const char *what);
/* The zone of TIME ZONE 'Europe/Berlin'; UTC is none. */
Error *window_zone(Span at, const char *name, size_t length, WindowSpec *spec);
/* Windows of days and longer over instants go by the zone of the session, if no other is given. */
void window_session_zone(WindowSpec *spec, const Schema *schema);
/* The type of window_start, window_end, window_time: TIMESTAMP(3), of instants where the time is one. */
const Type *window_bound_type(Arena *arena, const WindowSpec *spec, const Schema *schema);
/* The last step: what is said twice becomes one (hops of the size are tumbling), offsets are brought into their range, and hops and
 * steps are checked to make a grid. */
Error *window_finish(WindowSpec *spec, Span at);
/* Do both have the same windows on the same column? `times`: compare the columns, too. */
bool window_same(const WindowSpec *a, const WindowSpec *b, bool times);
/* Tumbling windows, each of which holds one window_time of the others' windows: rows that are windowed already are grouped again by them.
 * `starts`: grouped by the starts alone, which cumulating windows share. */
WindowSpec window_cells(const WindowSpec *of, bool starts);
bool window_refuses_changes(WindowKind kind); /* of rows that are taken back */
const char *window_kind_noun(WindowKind kind); /* "session" */
bool window_is_ksql(const WindowSpec *spec);   /* one that ksqlDB has: tumbling or hopping, not by a calendar */
/* Sliding and count windows have changes and final results; what depends on reaching an end in time is refused. */
Error *window_trigger(const WindowSpec *spec, const AstEmit *emit, Span at, Trigger *trigger);

/* planner/session_zone.h: the time zone of the session (SET 'time_zone'): between what a clock shows (TIMESTAMP, DATE, TIME, text without a
 * zone) and instants (TIMESTAMP WITH TIME ZONE) stands this zone.
 *
 * Expressions are bound by functions that know no binder, so the zone of the settings at hand is kept for the thread: binder_init and
 * binder_use_settings say it. UTC is NULL. */
#pragma once
#include "common/timezone.h"
#include "planner/plan.h"

void session_zone_use(const TimeZone *zone);
const TimeZone *session_zone(void);

/* Does a cast go by the zone of the session? */
bool session_zone_crossed(const Type *from, const Type *to);
/* That cast. */
Error *session_zone_cast(Arena *arena, Expr *expr, const Type *to, bool try_cast, Span at, Expr **result);
/* What takes the place of a call: CURRENT_DATE, LOCALTIMESTAMP, FORMAT_TIMESTAMP of an instant. NULL: nothing. */
Error *session_zone_call(Arena *arena, const char *name, Span at, int count, Expr *const args[], Expr **result);

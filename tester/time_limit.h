/* tester/time_limit.h: a test that does not end is stopped, and named. */
#pragma once
#include <stdbool.h>

#include "engine/bidsql.h"

/* How long a file may go on in one mode without reading a row, by the wall's clock; as a whole it has TIME_LIMIT_TIMES as much. 0: as long as it likes. */
enum { TIME_LIMIT_S = 120, TIME_LIMIT_TIMES = 15 };

/* A file begins; so many seconds without a row. */
void time_limit_start(int seconds);
/* What runs now: stopped when the time is over. `place` names it, should it not even stop. */
void time_limit_watch(Session *session, const char *place);
/* It is done. True: because its time was over. */
bool time_limit_unwatch(void);

/* tester/time_limit.h: a test that does not end is stopped, and named. */
#pragma once
#include <stdbool.h>

#include "engine/bidsql.h"

/* How long a file may take in one mode, by the wall's clock: whoever tests wants to hear of a query that never ends. 0: as long as it likes. */
enum { TIME_LIMIT_S = 120 };

/* From here on the file has so many seconds. */
void time_limit_start(int seconds);
/* What runs now: stopped when the time is over. `place` names it, should it not even stop. */
void time_limit_watch(Session *session, const char *place);
/* It is done. True: because its time was over. */
bool time_limit_unwatch(void);

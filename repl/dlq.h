/* repl/dlq.h: `bidsql dlq`: dead letters. */
#pragma once
#include "engine/bidsql.h"

/* The words behind `dlq`. *running: the session, for the signal handler, as long as there is one. */
Error *dlq_main(int count, char **words, Session **running);

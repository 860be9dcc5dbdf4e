/* repl/completion.h: what Tab offers, and the hint behind what is typed. */
#pragma once
#include "repl/backend.h"
#include "terminal/editor.h"

/* What fits at the cursor: names of the kind that belongs there, and words of SQL. */
void completion_find(Backend *backend, Arena *arena, const char *text, size_t length, size_t cursor, Completions *completions);
/* Of the function whose brackets are open at the end of the text: how it is called; NULL: none. */
const char *completion_hint(Backend *backend, Arena *arena, const char *text, size_t length);

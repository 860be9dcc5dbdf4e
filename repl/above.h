/* repl/above.h: lines that come while somebody types, or while a query shows its rows: what happens in the background, and what queries there write to the terminal. They wait here for whoever has the screen. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct Above Above;

Above *above_new(void);
void above_free(Above *above);
/* From any thread; never blocks. False: so much waits already; `must`: it is taken all the same. */
bool above_add(Above *above, const char *bytes, size_t length, bool must);
/* The next bytes, whole lines where they are not longer than that; 0: there are none. Who was refused is told that there is room. */
size_t above_take(Above *above, char *bytes, size_t size);

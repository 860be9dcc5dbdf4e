/* repl/interrupt.h: Ctrl-C in the shell: ends what runs, never the shell. */
#pragma once
#include "repl/backend.h"

/* From now on SIGINT interrupts the backend while something runs in it; SIGTERM leaves the shell with the terminal as it was. */
void interrupt_catch(void);
/* Around whatever Ctrl-C shall end. backend NULL: only interrupt_asked tells. */
void interrupt_begin(Backend *backend);
void interrupt_end(void);
bool interrupt_asked(void); /* since interrupt_begin */
/* Waits; false: Ctrl-C came. */
bool interrupt_sleep(double seconds);

/* repl/watch.c: the same statements again and again, each time with the hour above. */
#include "repl/watch.h"

#include <time.h>

#include "repl/interrupt.h"

void watch_run(Shell *shell, double seconds)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_add(&text, text_c(&shell->last), shell->last.length);
    for (bool goes_on = true; goes_on;) {
        char hour[32];
        time_t now = time(NULL);
        strftime(hour, sizeof hour, "%H:%M:%S", localtime(&now));
        shell_say(shell, "%s, every %g s (Ctrl-C ends it)", hour, seconds);
        goes_on = shell_execute(shell, "watch", text.bytes, text.length) && !interrupt_asked();
        if (goes_on) {
            interrupt_begin(NULL);
            goes_on = interrupt_sleep(seconds);
            interrupt_end();
        }
    }
    text_release(&text);
}

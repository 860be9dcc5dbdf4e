/* server/log.c: one line for each thing that whoever runs the server wants to know: JSON under a supervisor, text on a terminal. */
#include <stdio.h>
#include <unistd.h>

#include "common/calendar.h"
#include "common/value_text.h"
#include "server/server_internal.h"

void server_log(Server *server, const char *level, const char *message, const char *const *pairs)
{
    char time[64];
    Text line = { 0 };
    MEMORY_HOLD(text_unwind, &line);
    time[timestamp_format_iso(clock_system()->now_us(clock_system()), 3, time)] = 0;
    if (server->options.log_json) {
        text_printf(&line, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":", time, level);
        text_add_json_string(&line, message, strlen(message));
        for (int i = 0; pairs && pairs[i]; i += 2) {
            text_printf(&line, ",\"%s\":", pairs[i]);
            text_add_json_string(&line, pairs[i + 1], strlen(pairs[i + 1]));
        }
        text_add_c(&line, "}\n");
    } else {
        text_printf(&line, "%s %s %s", time, level, message);
        for (int i = 0; pairs && pairs[i]; i += 2) {
            text_printf(&line, " %s=", pairs[i]);
            text_add_cell(&line, pairs[i + 1], strlen(pairs[i + 1]));
        }
        text_add_char(&line, '\n');
    }
    (void)!write(2, text_c(&line), line.length);
    text_release(&line);
}

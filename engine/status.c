/* engine/status.c: where jobs stand, as text. */
#include "engine/status.h"

#include "common/calendar.h"

static const char *const lag_names[LAG_COLUMNS] = {
    "query", "source", "split", "position", "end", "lag", "watermark", "state", /* EXTENDED: */ "behind_ms", "rows", "bytes",
};

int lag_columns(bool extended, const char *const **names)
{
    *names = lag_names;
    return extended ? LAG_COLUMNS : 8;
}

static const char *number(Arena *arena, uint64_t value) { return arena_printf(arena, "%llu", (unsigned long long)value); }

static const char *state_of(const SplitStatus *split)
{
    if (split->ended)
        return "ended";
    if (split->paused)
        return "paused";
    if (split->idle)
        return "idle";
    return split->end >= 0 && (uint64_t)split->end <= split->position ? "caught up" : "reading";
}

/* No watermark: no rows yet, or nothing that looks at their times. */
static bool has_time(const SplitStatus *split) { return split->wm_us != TIME_MIN && split->wm_us != TIME_MAX; }

static const char *time_text(Arena *arena, int64_t time_us)
{
    char text[64];
    text[timestamp_format(time_us, 3, text)] = 0;
    return arena_strdup(arena, text);
}

static uint64_t lag_of(const SplitStatus *split)
{
    return (uint64_t)split->end > split->position ? (uint64_t)split->end - split->position : 0;
}

void lag_cells(Arena *arena, const char *query, const SplitStatus *split, int64_t now_us, const char *cells[LAG_COLUMNS])
{
    bool known = split->end >= 0;
    const char *const all[LAG_COLUMNS] = {
        query, split->source, split->name, number(arena, split->position), known ? number(arena, (uint64_t)split->end) : NULL,
        known ? number(arena, lag_of(split)) : NULL, has_time(split) ? time_text(arena, split->wm_us) : NULL, state_of(split),
        has_time(split) ? arena_printf(arena, "%lld", (long long)floor_div(time_sub(now_us, split->wm_us), US_PER_MS)) : NULL,
        number(arena, split->rows), number(arena, split->bytes),
    };
    for (int i = 0; i < LAG_COLUMNS; i++)
        cells[i] = all[i];
}

static void print_split(const SplitStatus *split, Text *text)
{
    char time[64];
    text_printf(text, "  %s: %s, at %llu", split->name, state_of(split), (unsigned long long)split->position);
    if (split->end >= 0)
        text_printf(text, " of %lld, %llu to read", (long long)split->end, (unsigned long long)lag_of(split));
    if (has_time(split)) {
        time[timestamp_format(split->wm_us, 3, time)] = 0;
        text_printf(text, ", watermark %s", time);
    }
    text_add_char(text, '\n');
}

void status_print(const JobStatus *status, Text *text)
{
    const Histogram *latency = &status->latency;
    text_printf(text, "%llu bytes in, %llu bytes out, %llu retries; busy %.3f s, without input %.3f s, without room in a sink %.3f s\n",
                (unsigned long long)status->counters.bytes_in, (unsigned long long)status->counters.bytes_out, (unsigned long long)status->retries,
                (double)status->busy_us / 1e6, (double)status->idle_us / 1e6, (double)status->backpressured_us / 1e6);
    if (latency->count)
        text_printf(text, "from a message's time to its results: median %.1f ms, 99%% within %.1f ms, at most %.1f ms\n", (double)histogram_quantile(latency, 0.5) / 1e3,
                    (double)histogram_quantile(latency, 0.99) / 1e3, (double)latency->largest / 1e3);
    for (int i = 0; i < status->split_count; i++) {
        if (i == 0 || status->splits[i].source != status->splits[i - 1].source)
            text_printf(text, "%s\n", status->splits[i].source);
        print_split(&status->splits[i], text);
    }
}

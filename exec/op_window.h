/* exec/op_window.h: the state of a windowed aggregate: what op_window.c (rows in) and op_window_fire.c (results out) share. */
#pragma once
#include "exec/changes.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/scalars.h"
#include "exec/window_grid.h"
#include "exec/window_set.h"

enum { FOLD_BLOCK = 512 };
enum { SCALAR_CLOCK, SCALAR_WM, SCALAR_TOTAL_TO, SCALAR_LIVE, SCALAR_NEXT_DELAY, SCALAR_COUNT };

typedef struct WindowOperator {
    Arena arena;
    const WindowSpec *spec;
    Trigger trigger;
    bool by_panes;
    bool use_total;          /* panes: a running total */
    bool cumulating;         /* the same, of panes that are let go once they are in it */
    WindowGrid grid;
    int64_t grace_us;
    int64_t back_us;         /* from watermark to clock: lag, and 1 where ends are included */
    int64_t time_back_us;    /* from time to grid: 1 where ends are included */
    KeyLayout key_layout;
    KeyBatch key_batch;
    Aggregates aggregates;
    WindowSet set;
    Groups fold;             /* panes: FOLD_BLOCK groups */
    Groups total;            /* panes: over all slots */
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    int64_t closed_end_us;   /* windows that end here or before are closed; derived from the clock */
    int64_t on_time_end_us;  /* windows that end here or before have had their on-time result */
    int64_t next_cut_us;     /* the clock at which that changes */
    OutputBuilder out;
    GroupChanges changes;
    LateRows late;
    /* scratch of a run */
    uint32_t *identity, *rows, *slots, *run_slots;
    uint32_t capacity;
    uint32_t *entry_rows, *entry_slots, *sorted_rows, *sorted_slots;
    Window **entry_windows;
    size_t entry_capacity;
    Window **touched;
    size_t touched_capacity;
    uint32_t *emit_slots;
    char **emit_states;
    uint64_t *live;
    uint32_t *remap;
    Text early_bytes;
} WindowOperator;

static inline int64_t window_start(const WindowOperator *w, const Window *window) { return grid_start(&w->grid, window->end_us); }

/* ---- op_window_fire.c ---- */

/* Sends out what the present closed_end and on_time_end make due, and drops what is closed. */
Error *window_fire(WindowOperator *w, Operator *op, int64_t former_end_us);
/* DELAY: what has changed since the last early result of each group, or all that has not come out with its present value. */
Error *window_emit_early(WindowOperator *w, Operator *op, Window *window);
void window_mark_dirty(Window *window, const uint32_t *slots, uint32_t count);

/* engine/analyze.c: EXPLAIN ANALYZE: runs the plan, then prints it with what each node did. */
#include "engine/session_internal.h"
#include "engine/status.h"

typedef struct Analysis {
    Session *session;
    const Plan *plan;
    const SessionOutput *output;
    const char *title;
    int64_t start_us;
} Analysis;

/* Of input that does not end. */
static void print_status(Job *job, Text *text)
{
    Arena arena;
    arena_init(&arena, NULL);
    JobStatus status;
    job_status(job, &arena, &status);
    status_print(&status, text);
    arena_release(&arena);
}

void analysis_print(const Plan *plan, Job *job, int64_t passed_us, Text *text)
{
    JobCounters counters;
    job_counters(job, &counters);
    explain_run(plan, job_node_counters(job), text);
    text_printf(text, "\nran in %.3f s: %llu rows in, %llu rows out, %llu late, %llu bad; peak %.1f MiB\n", (double)passed_us / 1e6, (unsigned long long)counters.rows_in,
                (unsigned long long)counters.rows_out, (unsigned long long)counters.late_rows, (unsigned long long)(counters.bad_rows + counters.row_errors),
                (double)job_peak_bytes(job) / 1048576);
    if (!plan->bounded)
        print_status(job, text);
}

/* Also of a run that was interrupted: that is how one over input that does not end ends. */
static Error *print_run(void *caller, Job *job, Error *error)
{
    const Analysis *analysis = caller;
    Clock *clock = analysis->session->options.clock;
    if (error && error->code != ERR_INTERRUPTED)
        return error;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    analysis_print(analysis->plan, job, clock->now_us(clock) - analysis->start_us, &text);
    Error *failed = session_emit_lines(analysis->output, text_c(&text), text.length, analysis->title);
    text_release(&text);
    if (!error)
        return failed;
    error_free(failed);
    return error;
}

Error *session_analyze(Session *session, const Plan *plan, const SessionOutput *output, const char *title)
{
    Clock *clock = session->options.clock;
    SessionOutput nowhere = { .notice = output->notice, .caller = output->caller };
    Analysis analysis = { session, plan, output, title, clock->now_us(clock) };
    JobLook look = { .look = print_run, .caller = &analysis };
    if (session->options.check_only)
        return NULL;
    return session_run_profiled(session, plan, &nowhere, &look);
}

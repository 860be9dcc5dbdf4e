/* tester/conformance.c: runs files of ksqlDB's tests, each case in a process of its own, and keeps the books.
 *
 * A process a case: what crashes or does not end is one failed case. As many run ahead as there are processors; results are told in order. */
#include "tester/conformance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tester/conformance_lists.h"
#include "tester/conformance_run.h"

#define SECONDS_A_CASE 20
#define RUNNING_MAX 16

typedef struct Running {
    pid_t process;
    int pipe;
} Running;

/* What became of a case, by the lists. */
typedef enum Verdict { VERDICT_PASSED, VERDICT_EXPECTED_FAILURE, VERDICT_ACCEPTED, VERDICT_DISABLED, VERDICT_FAILED, VERDICT_FIXED, VERDICTS } Verdict;

typedef struct CaseReport {
    const ConformanceCase *test;
    Verdict verdict;
    const char *group;  /* of failing cases */
} CaseReport;

typedef struct Conformance {
    Arena arena;
    const ConformanceOptions *options;
    ConformanceCases cases;
    ConformanceLists lists;
    struct { CaseReport *items; int count, capacity; } reports;
} Conformance;

/* ---- a case in a process ---- */

static void write_all(int pipe, const char *bytes, size_t length)
{
    for (ssize_t put; length && (put = write(pipe, bytes, length)) > 0; bytes += put)
        length -= (size_t)put;
}

static void run_child(const Conformance *all, const ConformanceCase *test, int pipe)
{
    CaseResult result = { 0 };
    alarm(SECONDS_A_CASE);
    conformance_run(test, &all->lists.errors, &result);
    for (size_t i = 0; i < result.group.length; i++)
        if (result.group.bytes[i] == '\n')
            result.group.bytes[i] = ' ';
    text_add_char(&result.group, '\n');
    write_all(pipe, result.passed ? "P" : "F", 1);
    write_all(pipe, text_c(&result.group), result.group.length);
    write_all(pipe, text_c(&result.detail), result.detail.length);
    _exit(0);
}

static bool start_case(const Conformance *all, const ConformanceCase *test, Running *running)
{
    int ends[2];
    fflush(stdout);
    if (pipe(ends))
        return false;
    running->process = fork();
    running->pipe = ends[0];
    if (running->process == 0) {
        close(ends[0]);
        run_child(all, test, ends[1]);
    }
    close(ends[1]);
    if (running->process < 0)
        close(ends[0]);
    return running->process > 0;
}

static void collect_case(const Running *running, CaseResult *result)
{
    Text text = { 0 };
    char piece[4096];
    int status = 0;
    for (ssize_t got; (got = read(running->pipe, piece, sizeof piece)) > 0;)
        text_add(&text, piece, (size_t)got);
    close(running->pipe);
    while (waitpid(running->process, &status, 0) < 0 && errno == EINTR)
        ;
    const char *bytes = text_c(&text), *line = strchr(bytes, '\n');
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        text_printf(&result->group, "no end within %d s", SECONDS_A_CASE);
    else if (WIFSIGNALED(status))
        text_printf(&result->group, "crashed: %s", strsignal(WTERMSIG(status)));
    else if (!line)
        text_printf(&result->group, "ended without a result, code %d", WEXITSTATUS(status));
    if (line && result->group.length == 0) {
        result->passed = bytes[0] == 'P';
        text_add(&result->group, bytes + 1, (size_t)(line - bytes) - 1);
        text_add_c(&result->detail, line + 1);
    }
    text_release(&text);
}

/* ---- telling ---- */

static void print_indented(const char *text, const char *indent)
{
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        printf("%s%.*s\n", indent, (int)length, at);
        at += length + (at[length] == '\n');
    }
}

static void print_failure(const ConformanceCase *test, const CaseResult *result)
{
    const JsonTree *statements = json_member(test->tree, "statements");
    printf("%s\n  %s\n", test->name, text_c((Text *)&result->group));
    for (const JsonTree *statement = statements->first; statement; statement = statement->next)
        if (json_text(statement))
            print_indented(json_text(statement), "  | ");
    print_indented(text_c((Text *)&result->detail), "  ");
}

static Verdict judge(const Conformance *all, const ConformanceCase *test, const CaseResult *result)
{
    bool accepted = conformance_list_find(&all->lists.accepted, test->name) != NULL;
    bool listed = conformance_list_find(&all->lists.expected_failures, test->name) != NULL;
    if (accepted) /* what it says is that nothing is refused */
        return strcmp(text_c((Text *)&result->group), "accepted") == 0 ? VERDICT_ACCEPTED : result->passed ? VERDICT_FIXED : VERDICT_FAILED;
    if (result->passed)
        return listed ? VERDICT_FIXED : VERDICT_PASSED;
    return listed ? VERDICT_EXPECTED_FAILURE : VERDICT_FAILED;
}

static void settle_case(Conformance *all, const ConformanceCase *test, CaseResult *result)
{
    CaseReport report = { .test = test, .verdict = judge(all, test, result) };
    report.group = arena_strdup(&all->arena, text_c(&result->group));
    LIST_ADD(&all->arena, &all->reports, report);
    bool rewriting = all->options->update || all->options->admit;
    if (report.verdict == VERDICT_FIXED && !rewriting && !all->options->summary)
        printf("%s\n  passes: take it out of the list\n", test->name);
    if ((report.verdict == VERDICT_FAILED && !all->options->admit && !all->options->summary) || (report.verdict == VERDICT_EXPECTED_FAILURE && all->options->list))
        print_failure(test, result);
}

/* ---- all cases ---- */

static void run_all(Conformance *all)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int ahead = processors < 1 ? 1 : processors > RUNNING_MAX ? RUNNING_MAX : (int)processors;
    Running running[RUNNING_MAX];
    for (int started = 0, settled = 0; settled < all->cases.count; settled++) {
        for (; started < all->cases.count && started < settled + ahead; started++)
            if (all->cases.items[started].disabled || !start_case(all, &all->cases.items[started], &running[started % ahead]))
                running[started % ahead].process = -1;
        const ConformanceCase *test = &all->cases.items[settled];
        CaseResult result = { 0 };
        if (test->disabled) {
            CaseReport report = { .test = test, .verdict = VERDICT_DISABLED, .group = "" };
            LIST_ADD(&all->arena, &all->reports, report);
            continue;
        }
        if (running[settled % ahead].process < 0)
            text_printf(&result.group, "no process for it: %s", strerror(errno));
        else
            collect_case(&running[settled % ahead], &result);
        settle_case(all, test, &result);
        text_release(&result.group);
        text_release(&result.detail);
    }
}

static bool are_chosen(const ConformanceOptions *options) { return options->only || options->of_class; }

static void choose_cases(ConformanceCases *cases, const ConformanceOptions *options)
{
    int kept = 0;
    for (int i = 0; i < cases->count; i++) {
        const ConformanceCase *test = &cases->items[i];
        bool named = !options->only || strstr(test->name, options->only);
        if (named && (!options->of_class || strcmp(case_class_names[test->kind], options->of_class) == 0))
            cases->items[kept++] = *test;
    }
    cases->count = kept;
}

/* ---- reports ---- */

static int by_group(const void *a, const void *b)
{
    const CaseReport *x = a, *y = b;
    int order = strcmp(x->group, y->group);
    return order ? order : strcmp(x->test->name, y->test->name);
}

typedef struct Group { const CaseReport *first; int count; } Group;

static int by_count(const void *a, const void *b) { return ((const Group *)b)->count - ((const Group *)a)->count; }

static void print_summary(Conformance *all)
{
    CaseReport *failing = ARENA_ARRAY(&all->arena, CaseReport, (size_t)all->reports.count + 1);
    Group *groups = ARENA_ARRAY(&all->arena, Group, (size_t)all->reports.count + 1);
    int count = 0, group_count = 0;
    for (int i = 0; i < all->reports.count; i++)
        if (all->reports.items[i].verdict == VERDICT_FAILED || all->reports.items[i].verdict == VERDICT_EXPECTED_FAILURE)
            failing[count++] = all->reports.items[i];
    qsort(failing, (size_t)count, sizeof *failing, by_group);
    for (int i = 0; i < count; i++) {
        if (i == 0 || strcmp(failing[i].group, failing[i - 1].group) != 0)
            groups[group_count++].first = &failing[i];
        groups[group_count - 1].count++;
    }
    qsort(groups, (size_t)group_count, sizeof *groups, by_count);
    for (int i = 0; i < group_count; i++)
        printf("%5d  %s   (%s)\n", groups[i].count, groups[i].first->group, groups[i].first->test->name);
}

static void print_class(const char *name, const int of[VERDICTS])
{
    int pass = of[VERDICT_PASSED] + of[VERDICT_FIXED], total = pass + of[VERDICT_EXPECTED_FAILURE] + of[VERDICT_FAILED];
    printf("%-28s %6d %6d %5.1f%% %10d\n", name, pass, total, total ? 100.0 * pass / total : 100.0, of[VERDICT_ACCEPTED]);
}

static void print_classes(const Conformance *all)
{
    int counts[CASE_CLASSES][VERDICTS] = { 0 }, with_post[VERDICTS] = { 0 };
    for (int i = 0; i < all->reports.count; i++) {
        const CaseReport *report = &all->reports.items[i];
        counts[report->test->kind][report->verdict]++;
        with_post[report->verdict] += json_member(report->test->tree, "post") != NULL;
    }
    printf("%-28s %6s %6s %6s %10s\n", "ksqlDB's tests", "pass", "of", "share", "by design");
    for (int c = 0; c < CASE_CLASSES; c++)
        print_class(case_class_names[c], counts[c]);
    print_class("of all, with post-conditions", with_post);
}

/* rewritten: the list has been made to fit. */
static void count_verdicts(const Conformance *all, bool rewritten, ConformanceTally *tally)
{
    for (int i = 0; i < all->reports.count; i++)
        switch (all->reports.items[i].verdict) {
        case VERDICT_PASSED: case VERDICT_ACCEPTED: tally->passed++; break;
        case VERDICT_FIXED: *(rewritten ? &tally->passed : &tally->failed) += 1; break;
        case VERDICT_FAILED: *(rewritten && all->options->admit ? &tally->skipped : &tally->failed) += 1; break;
        case VERDICT_EXPECTED_FAILURE: case VERDICT_DISABLED: tally->skipped++; break;
        case VERDICTS: break;
        }
}

/* Entries that name no case are mistakes, too; only a run over all cases of the file can tell. */
static void check_list(Conformance *all, const NameReasons *list, ConformanceTally *tally)
{
    for (int i = 0; i < list->count && !are_chosen(all->options); i++) {
        const char *name = list->items[i].name, *title_end = strstr(name, " - ");
        size_t title = title_end ? (size_t)(title_end - name) + 3 : strlen(name);
        bool found = false, ran_file = false;
        for (int r = 0; r < all->reports.count && !found; r++) {
            ran_file |= strncmp(all->reports.items[r].test->name, name, title) == 0;
            found = strcmp(all->reports.items[r].test->name, name) == 0;
        }
        if (ran_file && !found) {
            printf("%s\n  listed, but there is no such case\n", list->items[i].name);
            tally->failed++;
        }
    }
}

/* The reason for a new entry: what is missing as a whole, else what the case says. */
static const char *reason_of(const CaseReport *report)
{
    switch (report->test->kind) {
    case CASE_REGISTRY: return "formats of a schema registry";
    case CASE_JOIN: return "joins";
    case CASE_REFUSAL: case CASE_ROWS: case CASE_CLASSES: break;
    }
    return report->group;
}

static Error *rewrite_list(Conformance *all)
{
    NameReasons kept = { 0 };
    for (int i = 0; i < all->reports.count; i++) {
        const CaseReport *report = &all->reports.items[i];
        const char *reason = conformance_list_find(&all->lists.expected_failures, report->test->name);
        bool admitted = all->options->admit && report->verdict == VERDICT_FAILED;
        if (report->verdict != VERDICT_EXPECTED_FAILURE && !admitted)
            continue;
        NameReason entry = { report->test->name, reason ? reason : reason_of(report) };
        LIST_ADD(&all->arena, &kept, entry);
    }
    return conformance_list_write(&all->arena, all->options->lists, &kept);
}

static Error *run_files(Conformance *all, const char *const *paths, int path_count, ConformanceTally *tally)
{
    const ConformanceOptions *options = all->options;
    TRY(conformance_lists_read(&all->arena, options->lists, &all->lists));
    for (int i = 0; i < path_count; i++)
        TRY(conformance_read(&all->arena, paths[i], &all->cases));
    choose_cases(&all->cases, options);
    run_all(all);
    if (options->summary)
        print_summary(all);
    print_classes(all);
    bool rewritten = (options->update || options->admit) && !are_chosen(options);
    count_verdicts(all, rewritten, tally);
    if (rewritten)
        return rewrite_list(all);
    check_list(all, &all->lists.expected_failures, tally);
    check_list(all, &all->lists.accepted, tally);
    return NULL;
}

void conformance_main(const char *const *paths, int path_count, const ConformanceOptions *options, ConformanceTally *tally)
{
    Conformance all = { .options = options };
    arena_init(&all.arena, NULL);
    Error *error = run_files(&all, paths, path_count, tally);
    if (error) {
        printf("%s\n", error->message);
        error_free(error);
        tally->failed++;
    }
    arena_release(&all.arena);
}

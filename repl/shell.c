/* repl/shell.c: reads, runs, shows, until it is left. */
#include "repl/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "connectors/connectors.h"
#include "repl/io.h"
#include "repl/commands.h"
#include "repl/completion.h"
#include "repl/interrupt.h"
#include "repl/live_view.h"
#include "repl/pager.h"
#include "repl/progress.h"
#include "repl/sql_text.h"
#include "terminal/raw_mode.h"

#define HISTORY_ENTRIES 10000

const char *const display_mode_names[] = { "append", "changelog", "live", NULL };

/* ---- saying ---- */

void shell_say(Shell *shell, const char *format, ...)
{
    (void)shell;
    va_list arguments;
    char small[1024];
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    char *bytes = small;
    if (length >= (int)sizeof small) {
        bytes = mem_alloc((size_t)length + 2);
        va_start(arguments, format);
        vsnprintf(bytes, (size_t)length + 1, format, arguments);
        va_end(arguments);
    } else if (length == (int)sizeof small - 1) {
        length--; /* room for the line's end */
    }
    bytes[length] = '\n';
    io_write_all(1, bytes, (size_t)length + 1);
    if (bytes != small)
        mem_free(bytes);
}

void shell_page(Shell *shell, const char *text, size_t length)
{
    int columns, rows;
    Pager pager;
    terminal_size(1, &columns, &rows);
    pager_begin(&pager, isatty(1) ? shell->pager : NULL, rows);
    error_free(pager_write(&pager, text, length)); /* who has left it has read enough */
    error_free(pager_end(&pager));
}

void shell_say_error(Shell *shell, Error *error, const char *name, const char *text, size_t length)
{
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    int columns = 0, rows;
    if (isatty(2))
        terminal_size(2, &columns, &rows);
    error_render_within(error, name, text, length, shell->color, columns, &out);
    io_write_all(2, text_c(&out), out.length);
    text_release(&out);
    error_free(error);
}

/* ---- results ---- */

/* What shows the results of one text. */
typedef struct Show {
    Shell *shell;
    ResultWriter *writer;
    Pager pager;
    Progress *progress;
    LiveView *live;          /* NULL: this result is not shown so */
    bool paging;
} Show;

static Error *show_begin(void *caller, const ResultInfo *info)
{
    Show *show = caller;
    Shell *shell = show->shell;
    progress_continuous(show->progress, info->continuous);
    if (info->continuous && shell->display == DISPLAY_LIVE && !shell->spool_path) {
        progress_hold(show->progress, true);
        show->live = live_view_new(shell->backend, 1, shell->unicode, shell->color, shell->above);
        return live_view_begin(show->live, info);
    }
    int columns, rows;
    terminal_size(1, &columns, &rows);
    show->paging = !info->continuous && shell->pager && !shell->spool_path && isatty(1);
    if (show->paging) {
        pager_begin(&show->pager, shell->pager, rows);
        result_writer_set_sink(show->writer, pager_write, &show->pager);
    }
    if (!shell->spool_path && isatty(1))
        result_writer_fit(show->writer, columns, show->paging ? rows : 0);
    result_writer_show_kinds(show->writer, shell->display == DISPLAY_CHANGELOG);
    return result_writer_begin(show->writer, info);
}

static Error *show_rows(void *caller, const Batch *batch)
{
    Show *show = caller;
    if (show->live)
        return live_view_rows(show->live, batch);
    progress_rows_begin(show->progress);
    Error *error;
    MEMORY_GUARDED(error, result_writer_rows(show->writer, batch));
    progress_rows_end(show->progress, false);
    if (show->paging && pager_is_open(&show->pager))
        progress_hold(show->progress, true);
    return error;
}

static Error *show_end(void *caller)
{
    Show *show = caller;
    Error *error;
    if (show->live) {
        error = live_view_end(show->live);
        live_view_free(show->live);
        show->live = NULL;
        progress_hold(show->progress, false);
        return error;
    }
    progress_rows_begin(show->progress);
    MEMORY_GUARDED(error, result_writer_end(show->writer));
    progress_rows_end(show->progress, true);
    if (!show->paging)
        return error;
    progress_hold(show->progress, true);
    Error *paged = pager_end(&show->pager);
    progress_hold(show->progress, false);
    result_writer_set_sink(show->writer, NULL, NULL);
    show->paging = false;
    if (error)
        error_free(paged);
    else
        error = paged;
    if (!error || error->code != ERR_CLOSED)
        return error;
    error_free(error); /* the pager was left before the end: that is no failure */
    return NULL;
}

static void show_notice(void *caller, const char *text)
{
    Show *show = caller;
    progress_pause(show->progress);
    if (!show->shell->quiet)
        shell_say(show->shell, "%s", text);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static Error *run_and_show(Shell *shell, const char *text, size_t length)
{
    Backend *backend = shell->backend;
    Show show = { .shell = shell, .writer = result_writer_new(shell->mode, shell->spool_path ? shell->spool_fd : 1, shell->unicode) };
    SessionOutput output = { show_begin, show_rows, show_end, show_notice, &show };
    show.progress = progress_start_for(backend, !shell->quiet && isatty(2), shell->above);
    interrupt_begin(backend);
    Error *error = backend->type->run(backend, text, length, &output);
    interrupt_end();
    if (show.live || show.paging) /* it failed on its way */
        error_free(show_end(&show));
    progress_stop(show.progress);
    Error *flushed = result_writer_flush(show.writer);
    result_writer_free(show.writer);
    if (error)
        error_free(flushed);
    return error ? error : flushed;
}

bool shell_execute(Shell *shell, const char *name, const char *text, size_t length)
{
    double start = seconds_now();
    Error *error;
    MEMORY_GUARDED(error, run_and_show(shell, text, length));
    bool stopped = error && error->code == ERR_INTERRUPTED, fine = !error;
    if (stopped)
        shell_say(shell, "stopped");
    if (stopped)
        error_free(error);
    else if (error && error->code == ERR_CLOSED)
        error_free(error);
    else if (error)
        shell_say_error(shell, error, name, text, length);
    if (shell->timing)
        shell_say(shell, "%.3f s", seconds_now() - start);
    return fine;
}

/* ---- texts of statements and commands ---- */

static size_t line_end(const char *text, size_t length, size_t at)
{
    const char *end = at < length ? memchr(text + at, '\n', length - at) : NULL;
    return end ? (size_t)(end - text) : length;
}

/* A command is a line; everything else goes on to its `;`, or to the end. */
static bool run_pieces(Shell *shell, const char *name, const char *text, size_t length, bool stop_on_error)
{
    bool fine = true;
    for (size_t at = 0; at < length && !shell->done && (fine || !stop_on_error);) {
        size_t line = line_end(text, length, at) - at;
        if (sql_is_blank(text + at, line)) {
            at += line + (at + line < length);
            continue;
        }
        if (command_is(text + at, line)) {
            command_run(shell, text + at, line);
            at += line + (at + line < length);
            continue;
        }
        size_t end = at + line;
        while (end < length && !sql_is_finished(text + at, end - at))
            end = line_end(text, length, end + 1);
        fine &= shell_execute(shell, name, text + at, end - at);
        at = end;
    }
    return fine;
}

bool shell_run_file(Shell *shell, const char *path)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Error *error = io_read_file(path, &text);
    bool fine = !error && run_pieces(shell, path, text_c(&text), text.length, true);
    if (error)
        shell_say_error(shell, error, path, "", 0);
    text_release(&text);
    return fine;
}

/* ---- an editor of the user's ---- */

static Error *write_file(const char *path, int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t wrote = write(fd, text, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return error_new(ERR_IO, "cannot write '%s': %s", path, strerror(errno));
        text += wrote;
        length -= (size_t)wrote;
    }
    return NULL;
}

static const char *first_set(const char *a, const char *b, const char *otherwise)
{
    const char *value = getenv(a);
    if (!value || !*value)
        value = getenv(b);
    return value && *value ? value : otherwise;
}

static Error *edit_outside(Text *text)
{
    const char *folder = first_set("TMPDIR", "TMPDIR", "/tmp"), *program = first_set("VISUAL", "EDITOR", "vi");
    Text path = { 0 }, command = { 0 };
    MEMORY_HOLD(text_unwind, &path);
    MEMORY_HOLD(text_unwind, &command);
    text_printf(&path, "%s/bidsql-XXXXXX.sql", folder);
    int fd = mkostemps(path.bytes, 4, O_CLOEXEC);
    if (fd < 0)
        return error_new(ERR_IO, "cannot make a file in '%s': %s", folder, strerror(errno));
    Error *error = write_file(path.bytes, fd, text_c(text), text->length);
    close(fd);
    text_printf(&command, "%s '%s'", program, path.bytes);
    if (!error && system(text_c(&command)) != 0)
        error = error_new(ERR_IO, "'%s' failed", program);
    text->length = 0;
    if (!error)
        error = io_read_file(path.bytes, text);
    unlink(path.bytes);
    text_release(&path);
    text_release(&command);
    return error;
}

void shell_edit(Shell *shell, const char *given, size_t length)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_add(&text, given, length);
    Error *error = edit_outside(&text);
    if (error)
        shell_say_error(shell, error, "edit", "", 0);
    while (text.length && text.bytes[text.length - 1] == '\n')
        text.length--;
    if (shell->editor)
        editor_offer(shell->editor, text_c(&text), text.length);
    text_release(&text);
}

/* ---- what the line editor asks ---- */

static bool goes_on(void *caller, const char *text, size_t length)
{
    (void)caller;
    bool down;
    return !sql_is_blank(text, length) && !command_is(text, length) && !sql_is_finished(text, length) && !sql_ends_with_go(text, &length, &down);
}

static const char *prompt(void *caller, Arena *arena, const char *text, size_t length)
{
    (void)caller;
    (void)arena;
    if (length == 0)
        return "bidsql> ";
    switch (sql_open_part(text, length)) {
    case '\'': return "     '> ";
    case '"': return "     \"> ";
    case '*': return "     *> ";
    case '$': return "     $> ";
    case '(': return "     (> ";
    default: return "     -> ";
    }
}

static void color(void *caller, const char *text, size_t length, uint8_t *styles)
{
    (void)caller;
    if (command_is(text, length))
        memset(styles, STYLE_COMMAND, length);
    else
        sql_color(text, length, styles);
}

static void complete(void *caller, Arena *arena, const char *text, size_t length, size_t cursor, Completions *completions)
{
    Shell *shell = caller;
    completion_find(shell->backend, arena, text, length, cursor, completions);
}

static const char *hint(void *caller, Arena *arena, const char *text, size_t length)
{
    Shell *shell = caller;
    return completion_hint(shell->backend, arena, text, length);
}

/* What happens in the background. From any thread. */
static void say_above(void *caller, const char *line)
{
    const Shell *shell = caller;
    above_add(shell->above, line, strlen(line), true);
    editor_wake(shell->editor);
}

/* What queries in the background write to standard output. From any thread. */
static Error *write_above(void *caller, const char *bytes, size_t length, bool last)
{
    const Shell *shell = caller;
    if (!above_add(shell->above, bytes, length, last))
        return error_busy();
    editor_wake(shell->editor);
    return NULL;
}

static size_t take_above(void *caller, char *bytes, size_t size)
{
    const Shell *shell = caller;
    return above_take(shell->above, bytes, size);
}

/* ---- the loop ---- */

/* $name, or the file in the folder of $folder, or in a folder of the home; NULL: no place. In `path`. */
static const char *place_of(const char *name, const char *folder, const char *home_folder, const char *file, Text *path)
{
    const char *given = name ? getenv(name) : NULL, *base = getenv(folder), *home = getenv("HOME");
    if (given)
        text_add_c(path, given);
    else if (base && base[0] == '/')
        text_printf(path, "%s/bidsql/%s", base, file);
    else if (home && *home)
        text_printf(path, "%s/%s/bidsql/%s", home, home_folder, file);
    return path->length ? text_c(path) : NULL;
}

static void open_history(Shell *shell)
{
    Text path = { 0 };
    MEMORY_HOLD(text_unwind, &path);
    const char *place = place_of("BIDSQL_HISTORY", "XDG_STATE_HOME", ".local/state", "history", &path);
    Error *error = history_init(&shell->history, place && *place ? place : NULL, HISTORY_ENTRIES, sql_is_secret);
    if (error)
        shell_say_error(shell, error, "history", "", 0);
    text_release(&path);
}

static void run_rc(Shell *shell)
{
    Text path = { 0 };
    MEMORY_HOLD(text_unwind, &path);
    const char *place = place_of("BIDSQL_RC", "XDG_CONFIG_HOME", ".config", "bidsqlrc", &path);
    if (place && access(place, R_OK) == 0)
        shell_run_file(shell, place);
    text_release(&path);
}

bool shell_run_last(Shell *shell, bool down)
{
    const OutputMode mode = shell->mode;
    shell->mode = down ? OUTPUT_VERTICAL : mode;
    const bool fine = run_pieces(shell, "input", text_c(&shell->last), shell->last.length, true);
    if (down)
        shell->mode = mode;
    return fine;
}

static void take_text(Shell *shell, const Text *typed)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_add(&text, typed->bytes, typed->length);
    while (text.length && (text.bytes[text.length - 1] == '\n' || text.bytes[text.length - 1] == ' '))
        text.length--;
    if (sql_is_blank(text_c(&text), text.length)) {
        text_release(&text);
        return;
    }
    Error *error = history_add(&shell->history, text_c(&text), text.length);
    if (error)
        shell_say_error(shell, error, "history", "", 0);
    bool down = false;
    if (command_is(text_c(&text), text.length)) {
        command_run(shell, text_c(&text), text.length);
    } else {
        if (sql_ends_with_go(text_c(&text), &text.length, &down) && !sql_is_finished(text.bytes, text.length))
            text_add_char(&text, ';');
        shell->last.length = 0;
        text_add(&shell->last, text.bytes, text.length);
        shell_run_last(shell, down);
    }
    text_release(&text);
}

/* Ctrl-C where nothing is typed, twice within two seconds: somebody wants to leave. *canceled: when it was typed last. */
static void tell_how_to_leave(double *canceled)
{
    static const char line[] = "\\q or Ctrl-D leaves\n";
    const double now = seconds_now();
    if (*canceled && now - *canceled < 2)
        io_write_all(1, line, sizeof line - 1);
    *canceled = *canceled && now - *canceled < 2 ? 0 : now;
}

static Error *read_and_run(Shell *shell)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Error *error = NULL;
    double canceled = 0;
    while (!shell->done && !error) {
        EditorEnd end;
        error = editor_read(shell->editor, &text, &end);
        if (error || end == EDITOR_CLOSED)
            break;
        if (end == EDITOR_OUTSIDE)
            shell_edit(shell, text_c(&text), text.length);
        else if (end == EDITOR_TEXT && text.length)
            take_text(shell, &text);
        else if (end == EDITOR_CANCELED && !text.length)
            tell_how_to_leave(&canceled);
        if (end != EDITOR_CANCELED || text.length)
            canceled = 0;
    }
    text_release(&text);
    return error;
}

static Error *run_shell(Shell *shell, const ShellOptions *options)
{
    const EditorHooks hooks = { goes_on, prompt, color, complete, hint, take_above, shell };
    open_history(shell);
    shell->editor = editor_new(0, 1, shell->color, &hooks, &shell->history);
    if (shell->backend->type->listen)
        shell->backend->type->listen(shell->backend, say_above, shell);
    if (isatty(1))
        stdout_set_writer(write_above, shell);
    if (!shell->quiet)
        shell_say(shell, "%s, in %s. Statements end with ';', \\? helps, \\q leaves.", BIDSQL_VERSION_TEXT, shell->backend->place);
    if (!options->no_rc)
        run_rc(shell);
    return read_and_run(shell);
}

/* What nobody has shown yet. */
static void show_rest(Shell *shell)
{
    char bytes[4096];
    for (size_t length; (length = above_take(shell->above, bytes, sizeof bytes));)
        io_write_all(1, bytes, length);
    above_free(shell->above);
}

int shell_run(Backend *backend, const ShellOptions *options)
{
    Shell shell = { .above = above_new(), .backend = backend, .mode = options->mode, .quiet = options->quiet, .color = options->color, .unicode = options->unicode };
    const char *pager = first_set("BIDSQL_PAGER", "PAGER", "less -SRFX");
    const char *own = getenv("BIDSQL_PAGER");
    shell.pager = own && !*own ? NULL : mem_strdup(pager);
    interrupt_catch();
    Error *error;
    MEMORY_GUARDED(error, run_shell(&shell, options));
    int code = error ? 1 : 0;
    if (error)
        shell_say_error(&shell, error, "shell", "", 0);
    if (backend->type->listen)
        backend->type->listen(backend, NULL, NULL);
    stdout_set_writer(NULL, NULL);
    show_rest(&shell);
    editor_free(shell.editor);
    history_release(&shell.history);
    text_release(&shell.last);
    mem_free(shell.pager);
    if (shell.spool_path)
        close(shell.spool_fd);
    mem_free(shell.spool_path);
    return code;
}

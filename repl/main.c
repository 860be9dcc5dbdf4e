/* repl/main.c: the command line: `bidsql -f q.sql`, `bidsql -c 'SQL'`, SQL on stdin, `bidsql test`.
 *
 * Rows go to stdout, all else to stderr. Exit codes: see `exit_codes`. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/bidsql.h"
#include "repl/dlq.h"
#include "repl/interrupt.h"
#include "repl/progress.h"
#include "repl/result_writer.h"
#include "repl/shell.h"
#include "server/server.h"
#include "tester/tester.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SQL = 3, EXIT_CONNECT = 4, EXIT_BAD_ROWS = 5, EXIT_INTERRUPT = 130 };

static const char exit_codes[] =
    "Exit codes: 0 done, 1 failed while running, 2 usage, 3 SQL error, 4 cannot reach something,\n"
    "5 more bad rows than --max-errors, 130 interrupted.\n";

typedef struct NameValue { const char *name, *value; } NameValue;
#define MAX_PAIRS 256

typedef struct Arguments {
    const char *file, *command;          /* -f, -c */
    const char *server, *server_ca, *data_directory;
    char folder[4096];                   /* of `file` */
    OutputMode output;
    bool output_given, explain, check, quiet, no_rc;
    NameValue defines[MAX_PAIRS], settings[MAX_PAIRS], inputs[MAX_PAIRS], outputs[MAX_PAIRS];
    int define_count, setting_count, input_count, output_count;
    SessionOptions session;
    enum { PROGRESS_AUTO, PROGRESS_ON, PROGRESS_OFF } progress;
} Arguments;

/* The one table of options: getopt, --help and the shell completion read it. */
typedef struct CliOption {
    char letter;            /* 0: none */
    const char *name, *argument, *help;
} CliOption;

enum { FLAG_SET = 256, FLAG_INPUT, FLAG_DIALECT, FLAG_THREADS, FLAG_SHARD, FLAG_CHECK, FLAG_EXPLAIN, FLAG_VERSION, FLAG_HELP, FLAG_MAX_ERRORS, FLAG_MEMORY, FLAG_PROGRESS, FLAG_BATCH_ROWS, FLAG_NO_RC, FLAG_SERVER, FLAG_SERVER_CA, FLAG_DATA_DIR };

static const struct { int flag; CliOption option; } cli_options[] = {
    { 'f', { 'f', "file", "FILE", "run the script in FILE ('-': stdin)" } },
    { 'c', { 'c', "command", "SQL", "run SQL" } },
    { 'o', { 'o', "output", "MODE", "box, table, csv, tsv, json, jsonl, vertical, markdown (box on a terminal, else jsonl)" } },
    { 'o', { 0, "output", "NAME=PATH", "what the script writes INTO and does not declare; also NAME='WITH (..)', NAME=- for stdout" } },
    { 'D', { 'D', "define", "NAME=VALUE", "define ${NAME} for the script" } },
    { FLAG_INPUT, { 0, "input", "NAME=PATH", "the stream NAME that the script reads and does not declare; also NAME='(columns) WITH (..)'" } },
    { FLAG_SET, { 0, "set", "KEY=VALUE", "like SET 'KEY' = 'VALUE' before the script" } },
    { FLAG_DIALECT, { 0, "dialect", "NAME", "bidsql, ksql, flink or asa: who is right where they disagree" } },
    { FLAG_THREADS, { 0, "threads", "N", "worker threads (default: one per core)" } },
    { FLAG_SHARD, { 0, "shard", "I/N", "of N processes that share topics with shards = N, the one with number I (0 .. N-1)" } },
    { FLAG_MAX_ERRORS, { 0, "max-errors", "N", "stop with exit code 5 after more than N bad rows" } },
    { FLAG_MEMORY, { 0, "memory-limit", "SIZE", "stop in good order when a query needs more, e.g. 2GiB" } },
    { FLAG_CHECK, { 0, "check", NULL, "parse and plan only" } },
    { FLAG_EXPLAIN, { 0, "explain", NULL, "print the plans instead of running the queries" } },
    { FLAG_PROGRESS, { 0, "progress", "WHEN", "auto, on or off: progress on stderr (auto: on a terminal, after a second)" } },
    { FLAG_BATCH_ROWS, { 0, "batch-rows", "N", "largest batch; 1 shows every single change" } },
    { FLAG_SERVER, { 0, "server", "URL", "statements run on a server: the shell's, a script's, those of -c; BIDSQL_USER=NAME:PASSWORD or BIDSQL_TOKEN say who you are" } },
    { FLAG_SERVER_CA, { 0, "server-ca", "FILE", "certificates that the server's may be signed by, PEM" } },
    { FLAG_DATA_DIR, { 0, "data-dir", "DIR", "streams, tables and queries of the shell are kept there, and come back with it" } },
    { FLAG_NO_RC, { 0, "no-rc", NULL, "the shell does not run the file bidsqlrc" } },
    { 'q', { 'q', "quiet", NULL, "no notices, but for wrong and late rows" } },
    { FLAG_VERSION, { 'V', "version", NULL, "print the version" } },
    { FLAG_HELP, { 'h', "help", NULL, "print this" } },
};
#define OPTION_COUNT (sizeof cli_options / sizeof *cli_options)

static void print_help(FILE *out)
{
    fputs("bidsql: streaming SQL on files, generators and SQLite, in one small binary.\n\n"
          "  bidsql                         the shell\n"
          "  bidsql -f query.sql            run a script\n"
          "  bidsql -c \"SELECT ...\"         run SQL, e.g. SELECT * FROM 'bids.jsonl.gz' LIMIT 5\n"
          "  bidsql < query.sql             the same from stdin\n"
          "  bidsql server                  persistent queries behind HTTP (bidsql server --help)\n"
          "  bidsql test PATH...            run .test files (docs/testing.md)\n"
          "  bidsql dlq replay ...          send dead letters on, to be tried again (bidsql dlq --help)\n\n"
          "Options:\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const CliOption *option = &cli_options[i].option;
        char left[64];
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
                 option->letter ? ", " : "  ", option->name, option->argument ? " " : "", option->argument ? option->argument : "");
        fprintf(out, "  %-26s %s\n", left, option->help);
    }
    fprintf(out, "\nRows go to stdout, everything else to stderr.\n%s", exit_codes);
}

static int usage_error(const char *format, const char *what)
{
    fprintf(stderr, "bidsql: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "; try 'bidsql --help'\n");
    return EXIT_USAGE;
}

static bool split_pair(char *text, NameValue *pair)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return false;
    *equals = 0;
    *pair = (NameValue){ text, equals + 1 };
    return true;
}

static bool positive_number(const char *text, int64_t maximum, int64_t *number)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || end == text || value < 0 || value > maximum)
        return false;
    *number = value;
    return true;
}

/* Scripts that a script runs stand beside it. */
static void take_folder(Arguments *arguments, const char *file)
{
    const char *slash = strrchr(file, '/');
    if (!slash || slash - file >= (ptrdiff_t)sizeof arguments->folder)
        return;
    snprintf(arguments->folder, sizeof arguments->folder, "%.*s", slash == file ? 1 : (int)(slash - file), file);
    arguments->session.script_directory = arguments->folder;
}

static int take_pair(Arguments *arguments, int flag, char *value)
{
    NameValue pair;
    struct { int flag, *count; NameValue *pairs; } lists[] = {
        { 'D', &arguments->define_count, arguments->defines }, { FLAG_INPUT, &arguments->input_count, arguments->inputs },
        { 'o', &arguments->output_count, arguments->outputs }, { FLAG_SET, &arguments->setting_count, arguments->settings } };
    int list = 0;
    while (lists[list].flag != flag)
        list++;
    int *count = lists[list].count;
    if (!split_pair(value, &pair))
        return usage_error("expected NAME=VALUE, found '%s'", value) + 1;
    if (*count == MAX_PAIRS)
        return usage_error("too many definitions at '%s'", value) + 1;
    lists[list].pairs[(*count)++] = pair;
    return 0;
}

/* Takes one option; returns 0, an exit code + 1, or -1 for "done, exit 0". */
static int take_option(Arguments *arguments, int flag, char *value)
{
    int64_t number;
    switch (flag) {
    case 'f':
    case 'c': {
        const char **place = flag == 'f' ? &arguments->file : &arguments->command;
        if (*place)
            return usage_error("%s is there twice", flag == 'f' ? "-f" : "-c") + 1;
        *place = value;
        if (flag == 'f')
            take_folder(arguments, value);
        return 0;
    }
    case 'q': arguments->quiet = arguments->session.keep_quiet = true; return 0;
    case 'o':
        if (strchr(value, '='))
            return take_pair(arguments, flag, value);
        if (!output_mode_find(value, &arguments->output))
            return usage_error("no output mode '%s' (box, table, csv, tsv, json, jsonl, vertical, markdown)", value) + 1;
        arguments->output_given = true;
        return 0;
    case 'D':
    case FLAG_INPUT:
    case FLAG_SET:
        return take_pair(arguments, flag, value);
    case FLAG_DIALECT: {
        static const char *const dialects[] = { "bidsql", "ksql", "flink", "asa" };
        for (int i = 0; i < 4; i++)
            if (name_equal(value, dialects[i])) {
                arguments->session.dialect = dialects[i];
                return 0;
            }
        return usage_error("no dialect '%s' (bidsql, ksql, flink, asa)", value) + 1;
    }
    case FLAG_THREADS:
        if (!positive_number(value, 256, &number) || number == 0)
            return usage_error("--threads wants a number from 1 to 256, not '%s'", value) + 1;
        arguments->session.threads = (int)number;
        return 0;
    case FLAG_SHARD:
        if (arguments->setting_count == MAX_PAIRS)
            return usage_error("too many definitions at '%s'", value) + 1;
        arguments->settings[arguments->setting_count++] = (NameValue){ "shard", value };
        return 0;
    case FLAG_BATCH_ROWS:
        if (!positive_number(value, BATCH_ROWS, &number) || number == 0)
            return usage_error("--batch-rows wants a number from 1 to 2048, not '%s'", value) + 1;
        arguments->session.batch_rows = (uint32_t)number;
        return 0;
    case FLAG_MAX_ERRORS:
        if (!positive_number(value, INT64_MAX, &number))
            return usage_error("--max-errors wants a number, not '%s'", value) + 1;
        arguments->session.max_bad_rows = (uint64_t)number;
        return 0;
    case FLAG_MEMORY:
        if (!bytes_parse(value, &number) || number <= 0)
            return usage_error("--memory-limit wants a size such as 512MiB, not '%s'", value) + 1;
        arguments->session.memory_limit_bytes = number;
        return 0;
    case FLAG_PROGRESS:
        if (strcmp(value, "auto") && strcmp(value, "on") && strcmp(value, "off"))
            return usage_error("--progress wants auto, on or off, not '%s'", value) + 1;
        arguments->progress = strcmp(value, "on") == 0 ? PROGRESS_ON : strcmp(value, "off") == 0 ? PROGRESS_OFF : PROGRESS_AUTO;
        return 0;
    case FLAG_SERVER: arguments->server = value; return 0;
    case FLAG_SERVER_CA: arguments->server_ca = value; return 0;
    case FLAG_DATA_DIR: arguments->data_directory = value; return 0;
    case FLAG_NO_RC: arguments->no_rc = true; return 0;
    case FLAG_CHECK: arguments->check = arguments->session.check_only = true; return 0;
    case FLAG_EXPLAIN: arguments->explain = arguments->session.explain_only = true; return 0;
    case FLAG_VERSION:
        printf("bidsql %s (%s, gcc %s)\n", BIDSQL_VERSION, BIDSQL_COMMIT, __VERSION__);
        return -1;
    case FLAG_HELP:
        print_help(stdout);
        return -1;
    }
    return EXIT_USAGE + 1;
}

static int parse_arguments(int argc, char **argv, Arguments *arguments)
{
    struct option longs[OPTION_COUNT + 1] = { 0 };
    char letters[OPTION_COUNT * 2 + 2] = ":";
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const CliOption *option = &cli_options[i].option;
        longs[i] = (struct option){ option->name, option->argument ? required_argument : no_argument, NULL, cli_options[i].flag };
        if (option->letter)
            snprintf(letters + strlen(letters), 3, "%c%s", option->letter, option->argument ? ":" : "");
    }
    opterr = 0;
    for (int found; (found = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        if (found == ':')
            return usage_error("option '%s' wants a value", argv[optind - 1]) + 1;
        if (found == '?' && optopt && optopt < FLAG_SET) {
            const char letter[] = { '-', (char)optopt, 0 };
            return usage_error("no option '%s'", letter) + 1;
        }
        if (found == '?')
            return usage_error(optopt ? "option '%s' takes no value" : "no option '%s'", argv[optind - 1]) + 1;
        if (found == 'V')
            found = FLAG_VERSION;
        if (found == 'h')
            found = FLAG_HELP;
        int outcome = take_option(arguments, found, optarg);
        if (outcome)
            return outcome;
    }
    if (optind < argc)
        return usage_error("what is '%s'? SQL goes behind -c, a script behind -f", argv[optind]) + 1;
    if (arguments->file && arguments->command)
        return usage_error("%s exclude each other", "-f and -c") + 1;
    return 0;
}

/* ---- running ---- */

static Session *running_session; /* for the signal handler */
static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (interrupts++)
        _exit(EXIT_INTERRUPT); /* the second time at once */
    if (!running_session)
        _exit(EXIT_INTERRUPT); /* nothing to be stopped in good order */
    session_interrupt(running_session);
}

static int exit_code_for(ErrorCode code)
{
    switch (code) {
    case ERR_USAGE: return EXIT_USAGE;
    case ERR_PARSE:
    case ERR_BIND:
    case ERR_UNSUPPORTED: return EXIT_SQL;
    case ERR_CONNECT: return EXIT_CONNECT;
    case ERR_TOO_MANY_BAD: return EXIT_BAD_ROWS;
    case ERR_INTERRUPTED: return EXIT_INTERRUPT;
    case ERR_CLOSED: return EXIT_DONE;
    case ERR_ROW:
    case ERR_IO:
    case ERR_MEMORY:
    case ERR_BUSY:
    case ERR_ASSERT:
    case ERR_INTERNAL: return EXIT_FAILED;
    }
    return EXIT_FAILED;
}

static bool want_color(void)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(2) && !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0);
}

static Error *read_all(int fd, const char *name, Text *text)
{
    char piece[65536];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_new(ERR_CONNECT, "cannot read '%s': %s", name, strerror(errno));
        if (got == 0)
            return NULL;
        text_add(text, piece, (size_t)got);
    }
}

static Error *read_script(const Arguments *arguments, const char **name, Text *text)
{
    if (arguments->command) {
        *name = "command";
        text_add_c(text, arguments->command);
        return NULL;
    }
    if (!arguments->file || strcmp(arguments->file, "-") == 0) {
        *name = "stdin";
        return read_all(0, "stdin", text);
    }
    *name = arguments->file;
    int fd = open(arguments->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_new(ERR_CONNECT, "cannot open '%s': %s", arguments->file, strerror(errno));
    Error *error = read_all(fd, arguments->file, text);
    close(fd);
    return error;
}

typedef struct Script {
    ResultWriter *writer;
    Progress *progress;
    bool no_notices;         /* -q where a server gives them; a session knows it itself */
} Script;

static Error *shell_begin(void *caller, const ResultInfo *info)
{
    Script *shell = caller;
    return result_writer_begin(shell->writer, info);
}

static Error *shell_rows(void *caller, const Batch *batch)
{
    Script *shell = caller;
    progress_pause(shell->progress);
    return result_writer_rows(shell->writer, batch);
}

static Error *shell_end(void *caller)
{
    Script *shell = caller;
    progress_pause(shell->progress);
    return result_writer_end(shell->writer);
}

static void shell_notice(void *caller, const char *text)
{
    Script *shell = caller;
    if (shell->no_notices)
        return;
    progress_pause(shell->progress);
    fprintf(stderr, "%s\n", text);
}

static Error *prepare_session(const Arguments *arguments, Session *session)
{
    for (int i = 0; i < arguments->setting_count; i++)
        TRY(session_set(session, arguments->settings[i].name, arguments->settings[i].value));
    for (int i = 0; i < arguments->define_count; i++)
        TRY(session_define(session, arguments->defines[i].name, arguments->defines[i].value));
    for (int i = 0; i < arguments->input_count; i++)
        TRY(session_input(session, arguments->inputs[i].name, arguments->inputs[i].value));
    for (int i = 0; i < arguments->output_count; i++)
        TRY(session_output(session, arguments->outputs[i].name, arguments->outputs[i].value));
    return NULL;
}

static int report(const Error *error, const char *name, const Text *script)
{
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    error_render(error, name, script->bytes ? script->bytes : "", script->length, want_color(), &out);
    fwrite(text_c(&out), 1, out.length, stderr);
    text_release(&out);
    return exit_code_for(error->code);
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* A server knows no session: what is set here goes with each request, as if the script began with it. */
static void add_literal(Text *text, const char *value)
{
    text_add_char(text, '\'');
    for (; *value; value++) {
        text_add_char(text, *value);
        if (*value == '\'')
            text_add_char(text, '\'');
    }
    text_add_char(text, '\'');
}

static void add_setting(Text *text, const char *name, const char *value)
{
    text_add_c(text, "SET ");
    add_literal(text, name);
    text_add_c(text, " = ");
    add_literal(text, value);
    text_add_c(text, "; ");
}

static Error *prepare_server(const Arguments *arguments, Backend *backend)
{
    const SessionOutput nothing = { 0 };
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    if (arguments->session.dialect)
        add_setting(&text, "dialect", arguments->session.dialect);
    for (int i = 0; i < arguments->setting_count; i++)
        add_setting(&text, arguments->settings[i].name, arguments->settings[i].value);
    for (int i = 0; i < arguments->define_count; i++) {
        text_printf(&text, "DEFINE %s = ", arguments->defines[i].name);
        add_literal(&text, arguments->defines[i].value);
        text_add_c(&text, "; ");
    }
    Error *error = text.length ? backend->type->run(backend, text.bytes, text.length, &nothing) : NULL;
    text_release(&text);
    if (error)
        error->at = SPAN_NONE; /* nobody wrote that text */
    return error;
}

static Error *open_server(const Arguments *arguments, Backend **backend)
{
    TRY(backend_server(arguments->server, getenv("BIDSQL_USER"), getenv("BIDSQL_TOKEN"), arguments->server_ca, backend));
    Error *error = prepare_server(arguments, *backend);
    if (error)
        (*backend)->type->free(*backend);
    return error;
}

static Script script_begin(const Arguments *arguments)
{
    bool unicode = arguments->output_given || strcmp(nl_langinfo(CODESET), "UTF-8") == 0; /* who asks for a box gets one */
    OutputMode mode = arguments->output_given ? arguments->output : isatty(1) || arguments->explain ? OUTPUT_BOX : OUTPUT_JSONL;
    return (Script){ .writer = result_writer_new(mode, 1, unicode) };
}

static bool shows_progress(const Arguments *arguments) { return arguments->progress == PROGRESS_ON || (arguments->progress == PROGRESS_AUTO && isatty(2)); }

/* Rows before an error are results, too. */
static Error *script_end(Script *shell, Error *error)
{
    progress_stop(shell->progress);
    Error *flushed = result_writer_flush(shell->writer);
    result_writer_free(shell->writer);
    if (!error)
        return flushed;
    error_free(flushed);
    return error;
}

static Error *run_here(const Arguments *arguments, const Text *script)
{
    Session *session;
    TRY(session_new(&arguments->session, &session));
    Script shell = script_begin(arguments);
    shell.progress = progress_start(session, shows_progress(arguments));
    SessionOutput output = { shell_begin, shell_rows, shell_end, shell_notice, &shell };
    Error *error = prepare_session(arguments, session);
    if (!error) {
        running_session = session;
        error = session_run(session, text_c((Text *)script), script->length, &output);
        running_session = NULL;
    }
    error = script_end(&shell, error);
    session_free(session);
    return error;
}

static Error *run_on_server(const Arguments *arguments, const Text *script)
{
    Backend *backend;
    TRY(open_server(arguments, &backend));
    Script shell = script_begin(arguments);
    shell.no_notices = arguments->quiet;
    shell.progress = progress_start_for(backend, shows_progress(arguments), NULL);
    SessionOutput output = { shell_begin, shell_rows, shell_end, shell_notice, &shell };
    interrupt_catch();
    interrupt_begin(backend);
    Error *error = backend->type->run(backend, text_c((Text *)script), script->length, &output);
    interrupt_end();
    error = script_end(&shell, error);
    backend->type->free(backend);
    return error;
}

static Error *run_script(const Arguments *arguments, const char **name, Text *script)
{
    TRY(read_script(arguments, name, script));
    return arguments->server ? run_on_server(arguments, script) : run_here(arguments, script);
}

static Error *prepare_runtime(const Arguments *arguments, Backend *backend)
{
    Session *session = backend_runtime_session(backend);
    for (int i = 0; i < arguments->setting_count; i++)
        TRY(backend_runtime_set(backend, arguments->settings[i].name, arguments->settings[i].value));
    for (int i = 0; i < arguments->define_count; i++)
        TRY(backend_runtime_define(backend, arguments->defines[i].name, arguments->defines[i].value));
    for (int i = 0; i < arguments->input_count; i++)
        TRY(session_input(session, arguments->inputs[i].name, arguments->inputs[i].value));
    for (int i = 0; i < arguments->output_count; i++)
        TRY(session_output(session, arguments->outputs[i].name, arguments->outputs[i].value));
    return NULL;
}

/* Nothing is to run: there is nothing to go on in the background. */
static Error *open_session(const Arguments *arguments, Backend **backend)
{
    Session *session;
    TRY(session_new(&arguments->session, &session));
    Error *error = prepare_session(arguments, session);
    if (error)
        session_free(session);
    else
        *backend = backend_local(session);
    return error;
}

static Error *open_backend(const Arguments *arguments, Backend **backend)
{
    if (arguments->server)
        return open_server(arguments, backend);
    if (arguments->check || arguments->explain)
        return open_session(arguments, backend);
    TRY(backend_runtime(&arguments->session, arguments->data_directory, backend));
    Error *error = prepare_runtime(arguments, *backend);
    if (error)
        (*backend)->type->free(*backend);
    return error;
}

static int run_interactively(const Arguments *arguments)
{
    Backend *backend = NULL;
    Error *error = open_backend(arguments, &backend);
    if (error) {
        Text none = { 0 };
        int code = report(error, "bidsql", &none);
        error_free(error);
        return code;
    }
    bool unicode = arguments->output_given || strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    ShellOptions options = { .mode = arguments->output_given ? arguments->output : OUTPUT_BOX, .quiet = arguments->quiet, .no_rc = arguments->no_rc,
        .color = want_color() && isatty(1), .unicode = unicode };
    int code = shell_run(backend, &options);
    backend->type->free(backend);
    return code;
}

static int run_dlq(int count, char **words)
{
    const Text nothing = { 0 };
    Error *error;
    MEMORY_GUARDED(error, dlq_main(count, words, &running_session));
    int code = error ? report(error, "", &nothing) : EXIT_DONE;
    error_free(error);
    return code;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    catch_signals();
    if (argc > 1 && strcmp(argv[1], "server") == 0)
        return server_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "test") == 0)
        return tester_main(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "dlq") == 0)
        return run_dlq(argc - 2, argv + 2);
    Arguments arguments = { .session = { .max_bad_rows = UINT64_MAX } };
    int outcome = parse_arguments(argc, argv, &arguments);
    if (outcome)
        return outcome < 0 ? EXIT_DONE : outcome - 1;
    if (!arguments.file && !arguments.command && isatty(0))
        return run_interactively(&arguments);
    if (arguments.server && (arguments.check || arguments.explain || arguments.input_count || arguments.output_count))
        return usage_error("%s are for scripts that run here, not on a server: EXPLAIN is a statement there", "--check, --explain, --input and --output NAME=PATH");
    if (arguments.data_directory)
        return usage_error("--data-dir is for the shell and for 'bidsql server': nothing of a script is kept with %s", "-f and -c");
    const char *name = "";
    Text script = { 0 };
    MEMORY_HOLD(text_unwind, &script);
    Error *error;
    MEMORY_GUARDED(error, run_script(&arguments, &name, &script));
    int code = EXIT_DONE;
    if (error && error->code != ERR_CLOSED)
        code = report(error, name, &script);
    error_free(error);
    text_release(&script);
    return code;
}

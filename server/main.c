/* server/main.c: `bidsql server ..`: arguments, signals, systemd. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/options.h"
#include "server/server_internal.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONNECT = 4 };
#define LIST_MOST 64

enum { FLAG_LISTEN = 256, FLAG_DATA, FLAG_ALLOW, FLAG_CONFIG, FLAG_CERT, FLAG_KEY, FLAG_USERS, FLAG_ORIGIN, FLAG_HOST, FLAG_INSECURE, FLAG_MEMORY_TOPICS, FLAG_DIALECT,
    FLAG_THREADS, FLAG_QUERIES, FLAG_SUBSCRIBERS, FLAG_CONNECTIONS, FLAG_PEER, FLAG_RATE, FLAG_USER_RATE, FLAG_MEMORY, FLAG_QUERY_MEMORY, FLAG_CHECKPOINT, FLAG_BODY, FLAG_PULL, FLAG_OTLP, FLAG_OTLP_HEADERS,
    FLAG_OTLP_PROTOCOL, FLAG_SERVICE_NAME, FLAG_SAMPLER, FLAG_TRACE_TURNS, FLAG_LOG, FLAG_LOG_ROWS, FLAG_LOG_RECORDS, FLAG_LOG_TOPIC, FLAG_HASH, FLAG_HELP };

static const struct { int flag; const char *name, *argument, *help; } flags[] = {
    { FLAG_LISTEN, "listen", "ADDRESS:PORT", "where to listen (127.0.0.1:8088)" },
    { FLAG_DATA, "data-dir", "DIR", "catalog and state; without it nothing outlives the server" },
    { FLAG_ALLOW, "allow-dir", "DIR", "a directory that SQL may name files in (the current one); may be repeated" },
    { FLAG_CONFIG, "config", "FILE", "lines of option = value, as these without --" },
    { FLAG_CERT, "tls-cert", "FILE", "certificate chain, PEM" },
    { FLAG_KEY, "tls-key", "FILE", "its key, PEM" },
    { FLAG_USERS, "users", "FILE", "who may do what: see docs/security.md" },
    { FLAG_ORIGIN, "allow-origin", "URL", "pages that browsers may send requests from; may be repeated" },
    { FLAG_HOST, "host-name", "NAME", "a name that this server is reached by; may be repeated" },
    { FLAG_INSECURE, "insecure", NULL, "listen anywhere without TLS and users" },
    { FLAG_MEMORY_TOPICS, "topics-in-memory", NULL, "no broker: topics live in the process, as long as it does" },
    { FLAG_DIALECT, "dialect", "NAME", "bidsql, ksql, flink or asa, where a request does not say" },
    { FLAG_THREADS, "threads", "N", "threads that run queries (one per core)" },
    { FLAG_QUERIES, "max-queries", "N", "persistent queries at most (1000)" },
    { FLAG_SUBSCRIBERS, "max-subscribers", "N", "push queries at most (10000)" },
    { FLAG_CONNECTIONS, "max-connections", "N", "connections at most (2048)" },
    { FLAG_PEER, "max-connections-per-address", "N", "of them from one address (half of all)" },
    { FLAG_RATE, "rate-limit", "N/TIME", "requests of an address, such as 600/min; more are answered with 429 (none)" },
    { FLAG_USER_RATE, "user-rate-limit", "N/TIME", "requests of a user, likewise (none)" },
    { FLAG_MEMORY, "memory-limit", "SIZE", "of all queries together" },
    { FLAG_QUERY_MEMORY, "query-memory-limit", "SIZE", "of each query" },
    { FLAG_CHECKPOINT, "checkpoint-interval", "TIME", "how often state is written (1 s)" },
    { FLAG_BODY, "max-body", "SIZE", "of a request (1MiB)" },
    { FLAG_PULL, "pull-timeout", "TIME", "a SELECT that ends by itself takes at most so long; 'none' (5 min)" },
    { FLAG_OTLP, "otlp-endpoint", "URL", "where traces go: a collector of OpenTelemetry, such as http://localhost:4318" },
    { FLAG_OTLP_HEADERS, "otlp-headers", "LIST", "headers for it, name=value,..; a value may be ${env:NAME} or ${file:PATH}" },
    { FLAG_OTLP_PROTOCOL, "otlp-protocol", "NAME", "http/protobuf or http/json (http/protobuf)" },
    { FLAG_SERVICE_NAME, "service-name", "NAME", "as traces name this server (bidsql)" },
    { FLAG_SAMPLER, "traces-sampler", "NAME[:RATIO]", "which traces are kept, by OpenTelemetry's names (parentbased_always_on)" },
    { FLAG_TRACE_TURNS, "trace-turns", "TIME", "of each query one turn in that time is traced; 'none' (10 s)" },
    { FLAG_LOG, "log", "json|text", "(text on a terminal, else json)" },
    { FLAG_LOG_ROWS, "processing-log-rows", "N", "entries of the processing log that are kept (1000)" },
    { FLAG_LOG_RECORDS, "processing-log-records", NULL, "they show the bytes of wrong records" },
    { FLAG_LOG_TOPIC, "processing-log-topic", "TOPIC[@HOST:PORT]", "a query writes them to this topic, too" },
    { FLAG_HASH, "hash-password", "NAME", "reads a password from stdin, prints a line for --users, and ends" },
    { FLAG_HELP, "help", NULL, "print this" },
};
#define FLAG_COUNT (sizeof flags / sizeof *flags)

typedef struct Arguments {
    ServerOptions options;
    const char *allowed[LIST_MOST], *origins[LIST_MOST], *hosts[LIST_MOST];
    const char *hash_name;
    bool listen_given;
} Arguments;

static void print_help(FILE *out)
{
    fputs("bidsql server: persistent queries behind HTTP.\n\n  bidsql server [--listen 127.0.0.1:8088] [--data-dir DIR]\n\n", out);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", flags[i].name, flags[i].argument ? " " : "", flags[i].argument ? flags[i].argument : "");
        fprintf(out, "  %-30s %s\n", left, flags[i].help);
    }
    fputs("\nSIGTERM and SIGINT stop it in good order; SIGHUP reads the certificate anew.\n", out);
}

static int usage(const char *format, const char *what)
{
    fprintf(stderr, "bidsql server: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "; try 'bidsql server --help'\n");
    return EXIT_USAGE + 1;
}

static int take_number(const char *name, const char *value, int *number)
{
    char *end;
    long given = strtol(value, &end, 10);
    if (*end || end == value || given < 1 || given > 1000000) {
        fprintf(stderr, "bidsql server: --%s wants a number from 1, not '%s'\n", name, value);
        return EXIT_USAGE + 1;
    }
    *number = (int)given;
    return 0;
}

static int take_size(const char *name, const char *value, int64_t *bytes)
{
    if (bytes_parse(value, bytes) && *bytes > 0)
        return 0;
    fprintf(stderr, "bidsql server: --%s wants a size such as 512MiB, not '%s'\n", name, value);
    return EXIT_USAGE + 1;
}

static int add(const char **list, int *count, const char *value)
{
    if (*count == LIST_MOST)
        return usage("too many of '%s'", value);
    list[(*count)++] = value;
    return 0;
}

/* "parentbased_traceidratio:0.1" */
static int take_sampler(ServerOptions *options, const char *value)
{
    const char *colon = strchr(value, ':');
    options->traces_sampler = colon ? strndup(value, (size_t)(colon - value)) : value; /* lives as long as the process */
    options->traces_sampler_argument = colon ? colon + 1 : NULL;
    return 0;
}

/* 'none': -1 */
static int take_time(const char *name, const char *value, int64_t *us)
{
    *us = -1;
    if (strcmp(value, "none") == 0 || (duration_parse(value, us) && *us > 0))
        return 0;
    fprintf(stderr, "bidsql server: --%s wants a time such as '10 s', or none, not '%s'\n", name, value);
    return EXIT_USAGE + 1;
}

static int read_config(Arguments *arguments, const char *path);

/* 0: taken; else an exit code + 1, or -1: done. */
static int take(Arguments *arguments, int flag, const char *value)
{
    ServerOptions *options = &arguments->options;
    switch (flag) {
    case FLAG_LISTEN: options->listen = value; return 0;
    case FLAG_DATA: options->data_directory = value; return 0;
    case FLAG_ALLOW: return add(arguments->allowed, &options->allowed_count, value);
    case FLAG_CONFIG: return read_config(arguments, value);
    case FLAG_CERT: options->certificate = value; return 0;
    case FLAG_KEY: options->key = value; return 0;
    case FLAG_USERS: options->users_file = value; return 0;
    case FLAG_ORIGIN: return add(arguments->origins, &options->origin_count, value);
    case FLAG_HOST: return add(arguments->hosts, &options->host_count, value);
    case FLAG_INSECURE: options->insecure = true; return 0;
    case FLAG_MEMORY_TOPICS: options->topics_in_memory = true; return 0;
    case FLAG_DIALECT: options->dialect = value; return 0;
    case FLAG_THREADS: return take_number("threads", value, &options->threads);
    case FLAG_QUERIES: return take_number("max-queries", value, &options->max_queries);
    case FLAG_SUBSCRIBERS: return take_number("max-subscribers", value, &options->max_subscriptions);
    case FLAG_CONNECTIONS: return take_number("max-connections", value, &options->max_connections);
    case FLAG_PEER: return take_number("max-connections-per-address", value, &options->max_connections_of_address);
    case FLAG_RATE: return rate_limit_parse(value, &options->address_rate) ? 0 : usage("--rate-limit wants requests and a time such as '600/min', not '%s'", value);
    case FLAG_USER_RATE: return rate_limit_parse(value, &options->user_rate) ? 0 : usage("--user-rate-limit wants requests and a time such as '600/min', not '%s'", value);
    case FLAG_MEMORY: return take_size("memory-limit", value, &options->memory_limit_bytes);
    case FLAG_QUERY_MEMORY: return take_size("query-memory-limit", value, &options->query_memory_limit_bytes);
    case FLAG_CHECKPOINT:
        return duration_parse(value, &options->checkpoint_interval_us) && options->checkpoint_interval_us > 0 ? 0 : usage("--checkpoint-interval wants a time such as '5 s', not '%s'", value);
    case FLAG_BODY: return take_size("max-body", value, &options->max_body_bytes);
    case FLAG_PULL: return take_time("pull-timeout", value, &options->pull_limit_us);
    case FLAG_OTLP: options->otlp_endpoint = value; return 0;
    case FLAG_OTLP_HEADERS: options->otlp_headers = value; return 0;
    case FLAG_OTLP_PROTOCOL: options->otlp_protocol = value; return 0;
    case FLAG_SERVICE_NAME: options->service_name = value; return 0;
    case FLAG_SAMPLER: return take_sampler(options, value);
    case FLAG_TRACE_TURNS: return take_time("trace-turns", value, &options->trace_turn_interval_us);
    case FLAG_LOG:
        if (strcmp(value, "json") && strcmp(value, "text"))
            return usage("--log wants json or text, not '%s'", value);
        options->log_json = strcmp(value, "json") == 0;
        return 0;
    case FLAG_LOG_ROWS: return take_number("processing-log-rows", value, &options->log_rows);
    case FLAG_LOG_RECORDS: options->log_records = true; return 0;
    case FLAG_LOG_TOPIC: options->log_topic = value; return 0;
    case FLAG_HASH: arguments->hash_name = value; return 0;
    case FLAG_HELP: print_help(stdout); return -1;
    }
    return usage("no option '%s'", value);
}

static int take_line(Arguments *arguments, char *line)
{
    char *name = line + strspn(line, " \t"), *equals = strchr(name, '=');
    name[strcspn(name, "\r\n")] = 0;
    if (!*name || *name == '#')
        return 0;
    size_t length = equals && equals < name + strlen(name) ? (size_t)(equals - name) : strlen(name);
    char *value = name[length] ? name + length + 1 + strspn(name + length + 1, " \t") : name + length;
    while (length && (name[length - 1] == ' ' || name[length - 1] == '\t'))
        length--;
    for (size_t end = strlen(value); end && (value[end - 1] == ' ' || value[end - 1] == '\t');)
        value[--end] = 0;
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (strlen(flags[i].name) == length && strncmp(flags[i].name, name, length) == 0 && flags[i].flag != FLAG_CONFIG)
            return flags[i].argument || strcmp(value, "true") == 0 ? take(arguments, flags[i].flag, mem_strdup(value)) : 0; /* lives as long as the process */
    name[length] = 0;
    return usage("the configuration knows no '%s'", name);
}

static int read_config(Arguments *arguments, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "bidsql server: cannot open '%s': %s\n", path, strerror(errno));
        return EXIT_CONNECT + 1;
    }
    char line[4096];
    int outcome = 0;
    while (!outcome && fgets(line, sizeof line, file))
        outcome = take_line(arguments, line);
    fclose(file);
    return outcome;
}

static int parse(int argc, char **argv, Arguments *arguments)
{
    struct option longs[FLAG_COUNT + 1] = { 0 };
    for (size_t i = 0; i < FLAG_COUNT; i++)
        longs[i] = (struct option){ flags[i].name, flags[i].argument ? required_argument : no_argument, NULL, flags[i].flag };
    opterr = 0;
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, ":h", longs, NULL)) != -1;) {
        if (found == ':')
            return usage("option '%s' wants a value", argv[optind - 1]);
        if (found == '?')
            return usage("no option '%s'", argv[optind - 1]);
        int outcome = take(arguments, found == 'h' ? FLAG_HELP : found, optarg);
        if (outcome)
            return outcome;
    }
    if (optind < argc)
        return usage("what is '%s'?", argv[optind]);
    if (!arguments->options.certificate != !arguments->options.key)
        return usage("--tls-cert and --tls-key go %s", "together");
    return 0;
}

/* ---- a line for the file of users ---- */

static int hash_password(const char *name)
{
    char password[256];
    unsigned char salt[16], hash[32];
    if (!fgets(password, sizeof password, stdin) || !password[strspn(password, "\r\n")])
        return usage("no password came from %s", "stdin") - 1;
    password[strcspn(password, "\r\n")] = 0;
    if (RAND_bytes(salt, sizeof salt) != 1 || PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, sizeof salt, 20000, EVP_sha256(), sizeof hash, hash) != 1)
        return EXIT_FAILED;
    OPENSSL_cleanse(password, sizeof password);
    printf("%s reader pbkdf2-sha256:20000:", name);
    for (size_t i = 0; i < sizeof salt; i++)
        printf("%02x", salt[i]);
    printf(":");
    for (size_t i = 0; i < sizeof hash; i++)
        printf("%02x", hash[i]);
    printf("\n");
    return EXIT_DONE;
}

/* ---- systemd ---- */

/* sd_notify(3), which is one datagram. */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!path || !*path || strlen(path) >= sizeof address.sun_path)
        return;
    strcpy(address.sun_path, path);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    close(fd);
}

/* ---- running ---- */

static int say(Error *error)
{
    fprintf(stderr, "bidsql server: %s%s%s\n", error->message, error->hint ? "; " : "", error->hint ? error->hint : "");
    int code = error->code == ERR_USAGE ? EXIT_USAGE : error->code == ERR_CONNECT ? EXIT_CONNECT : EXIT_FAILED;
    error_free(error);
    return code;
}

static void serve(Server *server, const sigset_t *signals)
{
    const char *watchdog = getenv("WATCHDOG_USEC");
    int64_t every_us = watchdog ? strtoll(watchdog, NULL, 10) / 2 : 0;
    struct timespec wait = { every_us > 0 ? every_us / 1000000 : 3600, every_us > 0 ? every_us % 1000000 * 1000 : 0 };
    for (;;) {
        int number = sigtimedwait(signals, NULL, &wait);
        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP) {
            Error *error = http_server_reload(server->http);
            if (error)
                server_log(server, "error", "the certificate was not read anew", (const char *[]){ "detail", error->message, NULL });
            error_free(error);
        }
        if (number < 0 && errno == EAGAIN && every_us > 0)
            notify("WATCHDOG=1");
    }
}

int server_main(int argc, char **argv)
{
    Arguments arguments = { .options = { .listen = "127.0.0.1:8088", .log_json = !isatty(2) } };
    arguments.options.allowed = arguments.allowed;
    arguments.options.origins = arguments.origins;
    arguments.options.hosts = arguments.hosts;
    int outcome = parse(argc, argv, &arguments);
    if (outcome)
        return outcome < 0 ? EXIT_DONE : outcome - 1;
    if (arguments.hash_name)
        return hash_password(arguments.hash_name);
    sigset_t signals; /* before any thread: all have it */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (RAND_bytes((unsigned char *)&hash_seed, sizeof hash_seed) != 1) /* nobody is to choose keys that collide */
        return usage("there are no random numbers%s", "") - 1;
    Server *server;
    Error *error = server_new(&arguments.options, &server);
    if (error)
        return say(error);
    server_log(server, "info", "listening", (const char *[]){ "url", server_url(server), NULL });
    notify("READY=1");
    serve(server, &signals);
    notify("STOPPING=1");
    server_log(server, "info", "stopping", NULL);
    server_free(server);
    return EXIT_DONE;
}

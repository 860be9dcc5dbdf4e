/* telemetry/settings.c: what a tracer is to do: options, then OpenTelemetry's environment variables, then the specification's defaults.
 *
 * A mistake in an option is an error. One in the environment, which is many programs', is told, and the default stands (as the specification has it). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "connectors/reference.h"
#include "telemetry/telemetry_internal.h"

#define TRACES_PATH "/v1/traces"
#define HEADERS_MOST 32

typedef struct Resolver {
    Arena *arena;
    const TracerOptions *options;
    TracerSettings *settings;
} Resolver;

/* ---- the environment ---- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* OTEL_EXPORTER_OTLP_TRACES_<name>, or that of all signals. */
static const char *otlp_variable(const char *name)
{
    char full[80];
    snprintf(full, sizeof full, "OTEL_EXPORTER_OTLP_TRACES_%s", name);
    const char *value = variable(full);
    snprintf(full, sizeof full, "OTEL_EXPORTER_OTLP_%s", name);
    return value ? value : variable(full);
}

static void warn(const Resolver *resolver, const char *message)
{
    if (resolver->options->report)
        resolver->options->report(resolver->options->caller, true, message);
}

/* A mistake in `given` (an option's value; NULL: it is the environment's, `name`). */
static Error *mistake(const Resolver *resolver, const char *given, const char *name, const char *value, const char *wanted)
{
    if (given)
        return error_new(ERR_USAGE, "'%s' is no %s", value, wanted);
    warn(resolver, arena_printf(resolver->arena, "%s: '%s' is no %s: it is not heeded", name, value, wanted));
    return NULL;
}

static int64_t number_variable(const Resolver *resolver, const char *name, int64_t least, int64_t most, int64_t otherwise)
{
    const char *text = variable(name);
    char *end;
    long long number = text ? strtoll(text, &end, 10) : 0;
    if (!text)
        return otherwise;
    if (*end || end == text || number < least || number > most) {
        error_free(mistake(resolver, NULL, name, text, "number in its range"));
        return otherwise;
    }
    return number;
}

/* ---- lists: "name=value,name=value", values percent-encoded ---- */

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

static char *decoded(Arena *arena, const char *text, size_t length)
{
    char *out = arena_alloc(arena, length + 1), *at = out;
    for (size_t i = 0; i < length; i++) {
        bool escaped = text[i] == '%' && i + 2 < length && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        *at++ = escaped ? (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
        i += escaped ? 2 : 0;
    }
    *at = 0;
    return out;
}

static const char *trimmed(Arena *arena, const char *text, size_t length)
{
    while (length && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return decoded(arena, text, length);
}

/* The next pair; false: there is none. *name NULL: what stands there is no pair. */
static bool next_pair(Arena *arena, const char **list, const char **name, const char **value)
{
    const char *at = *list + strspn(*list, ", ");
    if (!*at)
        return false;
    size_t length = strcspn(at, ","), equals = strcspn(at, "=,");
    *list = at + length;
    *name = equals && equals < length ? trimmed(arena, at, equals) : NULL;
    *value = *name ? trimmed(arena, at + equals + 1, length - equals - 1) : NULL;
    return true;
}

static bool is_header_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c >= 127 || strchr("()<>@,;:\\\"/[]?={}", *c))
            return false;
    return *name;
}

static bool is_header_value(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return false;
    return true;
}

static Error *resolved(const Resolver *resolver, const char *written, const char **value)
{
    const ConnectorContext context = { .filesystem = filesystem_system() };
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Error *error = connector_resolve_value(&context, written, &text);
    if (!error)
        *value = arena_strdup(resolver->arena, text_c(&text));
    text_release(&text);
    return error;
}

/* What is wrong is told without its value: these are passwords and tokens. */
static Error *read_headers(const Resolver *resolver)
{
    const char *given = resolver->options->headers, *list = given ? given : otlp_variable("HEADERS"), *name, *value;
    int count = 0;
    resolver->settings->headers = ARENA_ARRAY(resolver->arena, const char *, HEADERS_MOST + 1);
    if (resolver->settings->gzip)
        resolver->settings->headers[count++] = "Content-Encoding: gzip";
    while (list && next_pair(resolver->arena, &list, &name, &value)) {
        if (name && given)
            TRY(resolved(resolver, value, &value));
        if (!name || !is_header_name(name) || !is_header_value(value) || count == HEADERS_MOST) {
            TRY(mistake(resolver, given, "OTEL_EXPORTER_OTLP_HEADERS", name && is_header_name(name) ? name : "..", "header (name=value, with commas between)"));
            continue;
        }
        resolver->settings->headers[count++] = arena_printf(resolver->arena, "%s: %s", name, value);
    }
    resolver->settings->headers[count] = NULL;
    return NULL;
}

/* ---- where to ---- */

static bool is_url(const char *text) { return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0; }

/* An address without user and password, for messages. */
static const char *shown_url(Arena *arena, const char *url)
{
    const char *host = strstr(url, "://") + 3, *slash = strchr(host, '/');
    size_t length = slash ? (size_t)(slash - host) : strlen(host);
    const char *at = memrchr(host, '@', length);
    return at ? arena_printf(arena, "%.*s%s", (int)(host - url), url, at + 1) : url;
}

static Error *read_endpoint(const Resolver *resolver)
{
    const char *given = resolver->options->endpoint, *whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), *base = given ? given : variable("OTEL_EXPORTER_OTLP_ENDPOINT");
    const char *exporter = variable("OTEL_TRACES_EXPORTER"), *disabled = variable("OTEL_SDK_DISABLED");
    if (!given && ((disabled && strcasecmp(disabled, "true") == 0) || (exporter && strcmp(exporter, "otlp") != 0)))
        return NULL;
    if (!given && !whole && !base && exporter)
        base = "http://localhost:4318";
    const char *url = !given && whole ? whole : base;
    if (!url)
        return NULL;
    if (!is_url(url))
        return mistake(resolver, given, "OTEL_EXPORTER_OTLP_ENDPOINT", url, "address such as http://localhost:4318");
    size_t length = strlen(url);
    if (url == whole)
        resolver->settings->url = arena_strdup(resolver->arena, url);
    else
        resolver->settings->url = arena_printf(resolver->arena, "%.*s" TRACES_PATH, (int)(url[length - 1] == '/' ? length - 1 : length), url);
    resolver->settings->shown_url = shown_url(resolver->arena, resolver->settings->url);
    return NULL;
}

static Error *read_protocol(const Resolver *resolver)
{
    const char *given = resolver->options->protocol, *text = given ? given : otlp_variable("PROTOCOL"), *compression = otlp_variable("COMPRESSION");
    if (compression && strcmp(compression, "none") != 0 && strcmp(compression, "gzip") != 0)
        TRY(mistake(resolver, NULL, "OTEL_EXPORTER_OTLP_COMPRESSION", compression, "compression that is known here (gzip, none)"));
    resolver->settings->gzip = compression && strcmp(compression, "gzip") == 0;
    resolver->settings->ca = otlp_variable("CERTIFICATE");
    resolver->settings->certificate = otlp_variable("CLIENT_CERTIFICATE");
    resolver->settings->key = otlp_variable("CLIENT_KEY");
    resolver->settings->json = text && strcmp(text, "http/json") == 0;
    if (!text || resolver->settings->json || strcmp(text, "http/protobuf") == 0)
        return NULL;
    return mistake(resolver, given, "OTEL_EXPORTER_OTLP_PROTOCOL", text, "protocol that is spoken here (http/protobuf, http/json)");
}

/* ---- which traces ---- */

static Error *read_ratio(const Resolver *resolver, bool from_options)
{
    const char *given = resolver->options->sampler_argument, *text = given ? given : from_options ? NULL : variable("OTEL_TRACES_SAMPLER_ARG");
    char *end;
    resolver->settings->ratio = 1;
    double ratio = text ? strtod(text, &end) : 1;
    if (text && (*end || end == text || !isfinite(ratio) || ratio < 0 || ratio > 1))
        return mistake(resolver, given, "OTEL_TRACES_SAMPLER_ARG", text, "ratio from 0 to 1");
    resolver->settings->ratio = ratio;
    return NULL;
}

static Error *read_sampler(const Resolver *resolver)
{
    static const struct { const char *name; TraceSampling sampling; bool parent_based; } samplers[] = {
        { "parentbased_always_on", SAMPLE_ALL, true }, { "parentbased_always_off", SAMPLE_NONE, true }, { "parentbased_traceidratio", SAMPLE_RATIO, true },
        { "always_on", SAMPLE_ALL, false }, { "always_off", SAMPLE_NONE, false }, { "traceidratio", SAMPLE_RATIO, false } };
    const char *given = resolver->options->sampler, *name = given ? given : variable("OTEL_TRACES_SAMPLER");
    resolver->settings->sampling = SAMPLE_ALL;
    resolver->settings->parent_based = true;
    for (size_t i = 0; name && i < sizeof samplers / sizeof *samplers; i++)
        if (strcmp(samplers[i].name, name) == 0) {
            resolver->settings->sampling = samplers[i].sampling;
            resolver->settings->parent_based = samplers[i].parent_based;
            return samplers[i].sampling == SAMPLE_RATIO ? read_ratio(resolver, given != NULL) : NULL;
        }
    return name ? mistake(resolver, given, "OTEL_TRACES_SAMPLER", name, "sampler (parentbased_always_on, parentbased_traceidratio, ..)") : NULL;
}

/* ---- who we are ---- */

static void add_resource(const Resolver *resolver, const char *key, const char *value)
{
    TracerSettings *settings = resolver->settings;
    for (int i = 0; i < settings->resource.count; i++)
        if (strcmp(settings->resource.items[i].key, key) == 0)
            return; /* said before: that counts */
    ResourceAttribute attribute = { arena_strdup(resolver->arena, key), arena_strdup(resolver->arena, value) };
    if (utf8_valid_prefix(key, strlen(key)) == strlen(key) && utf8_valid_prefix(value, strlen(value)) == strlen(value))
        LIST_ADD(resolver->arena, &settings->resource, attribute);
}

static void read_resource(const Resolver *resolver)
{
    const TracerOptions *options = resolver->options;
    const char *list = variable("OTEL_RESOURCE_ATTRIBUTES"), *name, *value, *service = options->service_name ? options->service_name : variable("OTEL_SERVICE_NAME");
    char host[256] = "", pid[24];
    if (service)
        add_resource(resolver, "service.name", service);
    while (list && next_pair(resolver->arena, &list, &name, &value))
        if (name)
            add_resource(resolver, name, value);
    add_resource(resolver, "service.name", "bidsql");
    if (options->version)
        add_resource(resolver, "service.version", options->version);
    if (options->instance)
        add_resource(resolver, "service.instance.id", options->instance);
    if (gethostname(host, sizeof host - 1) == 0 && *host)
        add_resource(resolver, "host.name", host);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    add_resource(resolver, "process.pid", pid);
    add_resource(resolver, "telemetry.sdk.name", "bidsql");
    add_resource(resolver, "telemetry.sdk.language", "c");
    add_resource(resolver, "telemetry.sdk.version", options->version ? options->version : "0");
}

/* ---- the whole ---- */

Error *settings_resolve(Arena *arena, const TracerOptions *options, TracerSettings *settings)
{
    const Resolver resolver = { arena, options, settings };
    *settings = (TracerSettings){ .url = NULL };
    TRY(read_endpoint(&resolver));
    TRY(read_protocol(&resolver));
    TRY(read_sampler(&resolver));
    if (!settings->url)
        return NULL;
    TRY(read_headers(&resolver));
    read_resource(&resolver);
    const char *timeout = variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") ? "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" : "OTEL_EXPORTER_OTLP_TIMEOUT";
    settings->timeout_us = 1000 * number_variable(&resolver, timeout, 1, 600000, 10000);
    settings->delay_us = 1000 * number_variable(&resolver, "OTEL_BSP_SCHEDULE_DELAY", 0, 600000, 5000);
    settings->export_timeout_us = 1000 * number_variable(&resolver, "OTEL_BSP_EXPORT_TIMEOUT", 1, 600000, 30000);
    settings->queue_most = (int)number_variable(&resolver, "OTEL_BSP_MAX_QUEUE_SIZE", 1, 100000, 2048);
    settings->batch_most = (int)number_variable(&resolver, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 10000, 512);
    settings->batch_most = settings->batch_most < settings->queue_most ? settings->batch_most : settings->queue_most;
    return NULL;
}

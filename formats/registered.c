/* formats/registered.c: what formats with a schema registry share: their options, subjects, schemas by number. */
#include "formats/formats_internal.h"

/* ---- options ---- */

enum { SUBJECT_TOPIC, SUBJECT_RECORD, SUBJECT_TOPIC_RECORD };
static const char *const strategies[] = { "TopicNameStrategy", "RecordNameStrategy", "TopicRecordNameStrategy", NULL };

static const char *const url_names[] = { "schema_registry_url", "avro_confluent.url", "avro_confluent.schema_registry.url", NULL };
static const char *const credential_names[] = { "basic.auth.user.info", "schema.registry.basic.auth.credentials", "avro_confluent.basic_auth.user_info", NULL };
static const char *const source_names[] = { "basic.auth.credentials.source", "avro_confluent.basic_auth.credentials_source", NULL };
static const char *const bearer_source_names[] = { "bearer.auth.credentials.source", "avro_confluent.bearer_auth.credentials_source", NULL };
static const char *const token_names[] = { "bearer.auth.token", "avro_confluent.bearer_auth.token", NULL };
static const char *const ca_names[] = { "avro_confluent.ssl.truststore.location", NULL };
static const char *const certificate_names[] = { "avro_confluent.ssl.keystore.location", NULL };
static const char *const password_names[] = { "avro_confluent.ssl.keystore.password", NULL };
static const char *const register_names[] = { "avro_confluent.auto.register.schemas", NULL };
static const char *const strategy_names[] = { "subject.name.strategy", NULL };
static const char *const subject_names[] = { "avro_confluent.subject", NULL };
static const char *const full_names[] = { "avro_schema_full_name", NULL };
static const char *const basic_sources[] = { "USER_INFO", "URL", NULL };
static const char *const bearer_sources[] = { "STATIC_TOKEN", NULL };

#define AT(field) offsetof(RegistryOptions, field)
const OptionSpec registry_options[REGISTRY_OPTION_COUNT + 1] = {
    { .name = "schema.registry.url", .kind = OPTION_STRING, .offset = AT(connection.url), .aliases = url_names, .doc = "The schema registry; of several, between commas, the first that answers." },
    { .name = "schema.registry.basic.auth.user.info", .kind = OPTION_STRING, .offset = AT(connection.credentials), .aliases = credential_names, .doc = "user:password for the registry." },
    { .name = "schema.registry.basic.auth.credentials.source", .kind = OPTION_ENUM, .offset = AT(ignored[0]), .default_text = "USER_INFO", .choices = basic_sources, .aliases = source_names,
      .doc = "USER_INFO, or URL: user and password stand in the address. Both are looked at." },
    { .name = "schema.registry.bearer.auth.token", .kind = OPTION_STRING, .offset = AT(connection.token), .aliases = token_names, .doc = "A bearer token for the registry." },
    { .name = "schema.registry.bearer.auth.credentials.source", .kind = OPTION_ENUM, .offset = AT(ignored[1]), .default_text = "STATIC_TOKEN", .choices = bearer_sources, .aliases = bearer_source_names,
      .doc = "STATIC_TOKEN, the one kind that there is." },
    { .name = "schema.registry.ssl.ca.location", .kind = OPTION_STRING, .offset = AT(connection.ca), .aliases = ca_names, .doc = "A file of certificates (PEM) that the registry's is checked against." },
    { .name = "schema.registry.ssl.certificate.location", .kind = OPTION_STRING, .offset = AT(connection.certificate), .aliases = certificate_names, .doc = "The client's certificate (PEM)." },
    { .name = "schema.registry.ssl.key.location", .kind = OPTION_STRING, .offset = AT(connection.key), .doc = "The client's private key (PEM)." },
    { .name = "schema.registry.ssl.key.password", .kind = OPTION_STRING, .offset = AT(connection.key_password), .aliases = password_names, .doc = "The password of the client's private key." },
    { .name = "schema.registry.request.timeout", .kind = OPTION_DURATION, .offset = AT(connection.timeout_us), .default_text = "10 s", .minimum = 1000, .maximum = INT64_C(3600000000), .doc = "How long a request to the registry may take." },
    { .name = "schema.registry.retry.timeout", .kind = OPTION_DURATION, .offset = AT(connection.retry_us), .default_text = "5 min", .doc = "How long a registry that does not answer is asked again while a query runs; meanwhile the query waits." },
    { .name = "schema.registry.latest.cache", .kind = OPTION_DURATION, .offset = AT(connection.latest_us), .default_text = "60 s", .doc = "How long the latest version of a subject counts as the latest." },
    { .name = "auto.register.schemas", .kind = OPTION_BOOL, .offset = AT(auto_register), .default_text = "true", .aliases = register_names, .doc = "Schemas of what is written are registered; false: they must be registered already." },
    { .name = "subject_name_strategy", .kind = OPTION_ENUM, .offset = AT(strategy), .default_text = "TopicNameStrategy", .choices = strategies, .aliases = strategy_names,
      .doc = "What names the subject of a schema: the topic (orders-value), its record (com.acme.Order), or both (orders-com.acme.Order)." },
    { .name = "subject", .kind = OPTION_STRING, .offset = AT(subject), .aliases = subject_names, .doc = "The subject of the schema, by its name." },
    { .name = "schema_full_name", .kind = OPTION_STRING, .offset = AT(full_name), .aliases = full_names, .doc = "The name of the record or message to read and to write; without it the first one of the schema." },
    { .name = "reader_id", .kind = OPTION_INT, .offset = AT(reader_id), .minimum = 0, .maximum = INT32_MAX,
      .doc = "The number of the schema that columns come from which are not declared. A server adds it to the statements that it keeps, so that they stay what they were." },
    { .name = "schema_id", .kind = OPTION_INT, .offset = AT(schema_id), .minimum = 0, .maximum = INT32_MAX, .doc = "The number of the schema to read and to write by." },
};

const OptionSpec *registry_option_rows(void) { return registry_options; }

const OptionSpec *registry_option_find(const char *name)
{
    for (int i = 0; i < REGISTRY_OPTION_COUNT; i++) {
        const OptionSpec *spec = &registry_options[i];
        bool fits = option_name_equal(spec->name, name);
        for (int a = 0; spec->aliases && spec->aliases[a]; a++)
            fits |= option_name_equal(spec->aliases[a], name);
        if (fits)
            return strncmp(spec->name, "schema.registry.", 16) == 0 || strcmp(spec->name, "auto.register.schemas") == 0 ? spec : NULL;
    }
    return NULL;
}

const RegistryOptions *format_registry(const FormatType *format, const void *options) { return format && format->registered ? options : NULL; }

const char *registry_subject(Arena *arena, const RegistryOptions *options, const char *topic, bool key, const char *record)
{
    if (options && options->subject)
        return options->subject;
    int strategy = options && record ? options->strategy : SUBJECT_TOPIC;
    if (strategy == SUBJECT_RECORD)
        return record;
    return strategy == SUBJECT_TOPIC_RECORD ? arena_printf(arena, "%s-%s", topic ? topic : "", record) : arena_printf(arena, "%s-%s", topic ? topic : "", key ? "key" : "value");
}

/* ---- schemas ---- */

static Error *no_registry(const char *format)
{
    return error_hint(error_new(ERR_CONNECT, "format '%s' needs a schema registry", format), "SET 'schema.registry.url' = 'http://localhost:8081', or the property of that name");
}

Error *registered_get(const DecodeSpec *spec, const char *format, Arena *arena, int32_t id, const RegisteredSchema **schema, const char **reason)
{
    if (!spec->registry)
        return no_registry(format);
    TRY(spec->registry->get(spec->registry, id, schema));
    *reason = *schema ? NULL : arena_printf(arena, "its schema %d is not registered", id);
    return NULL;
}

Error *registered_named(SchemaRegistry *registry, const char *format, int64_t id, const RegisteredSchema **schema)
{
    *schema = NULL;
    if (id == 0)
        return NULL;
    if (!registry)
        return no_registry(format);
    TRY(registry->get(registry, (int32_t)id, schema));
    return *schema ? NULL : error_new(ERR_CONNECT, "the schema %lld is not registered", (long long)id);
}

Error *registered_put(const Encoder *encoder, const char *type, const char *record, const char *schema, int32_t *id)
{
    const RegistryOptions *options = encoder->options;
    RegisteredSchema given = { .type = type, .text = schema };
    Arena arena;
    if (!encoder->registry)
        return no_registry(encoder->type->name);
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = encoder->registry->put(encoder->registry, registry_subject(&arena, options, encoder->topic, encoder->key, record), &given, !options || options->auto_register, id);
    arena_release(&arena);
    return error;
}

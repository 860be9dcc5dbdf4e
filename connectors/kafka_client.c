/* connectors/kafka_client.c: librdkafka, configured, with its errors as ours. */
#include "connectors/kafka_client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/str.h"
#include "connectors/file.h"
#include "connectors/reference.h"

#define ALL_DOWN_MS 4000     /* no broker takes a connection for so long: there is none */
#define IMPATIENT_MS 3000    /* where it is tried again later anyway, and others wait meanwhile */
#define DESTROY_MS 5000      /* librdkafka 2.0.2 may not come back from rd_kafka_destroy */
#define FETCHED_BYTES (4 << 20)  /* held where options do not say it: messages that wait longer than in the cache cost a fifth more.. */
#define SENT_BYTES (32 << 20)    /* ..and those that wait for brokers */
#define MESSAGE_OVERHEAD 512 /* what a fetched message takes beside its bytes */

struct KafkaClient {
    rd_kafka_t *handle;
    KafkaCallbacks callbacks;
    const ConnectorContext *context; /* who counts what has to be tried again, and how patient it is; NULL: nobody any more */
    const char *servers;           /* for messages; the client's own */
    pthread_mutex_t lock;          /* of what callbacks have said, on whichever thread polls */
    bool rejected, all_down, committed;
    char reason[256];              /* of the last error; "" none */
    bool can_ask;                  /* `user` and `password` are what the client has */
    char user[256], password[512]; /* of PLAIN and SCRAM: see kafka_client_fetch */
};

/* ---- errors ---- */

static bool is_retriable(rd_kafka_resp_err_t reason)
{
    switch ((int)reason) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND: return true;
    default: return false;
    }
}

Error *kafka_error(ErrorCode code, rd_kafka_resp_err_t reason, const char *format, ...)
{
    char context[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    Error *error = error_new(code, "%s: %s", context, rd_kafka_err2str(reason));
    error->retriable = is_retriable(reason);
    return error;
}

static bool is_rejection(int code) { return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL; }

/* librdkafka goes on trying whatever happens; what will not get better by that is noted here. */
static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    KafkaClient *client = opaque;
    (void)handle;
    pthread_mutex_lock(&client->lock);
    client->all_down |= code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !client->rejected)
        snprintf(client->reason, sizeof client->reason, "%s", reason);
    client->rejected |= is_rejection(code);
    if (client->context && is_retriable((rd_kafka_resp_err_t)code) && code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        connector_retried(client->context);
    pthread_mutex_unlock(&client->lock);
}

static void on_committed(rd_kafka_t *handle, rd_kafka_resp_err_t failed, rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    KafkaClient *client = opaque;
    (void)handle, (void)offsets;
    pthread_mutex_lock(&client->lock);
    client->committed |= !failed;
    pthread_mutex_unlock(&client->lock);
}

bool kafka_client_committed(KafkaClient *client)
{
    pthread_mutex_lock(&client->lock);
    bool committed = client->committed;
    pthread_mutex_unlock(&client->lock);
    return committed;
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *line)
{
    (void)handle, (void)level, (void)facility, (void)line; /* what matters comes to on_error; nobody else prints */
}

static void on_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    KafkaClient *client = opaque;
    (void)handle;
    if (client->callbacks.delivered)
        client->callbacks.delivered(message, client->callbacks.owner);
}

typedef struct Said { bool rejected, all_down; char reason[256]; } Said;

static Said what_was_said(KafkaClient *client)
{
    Said said;
    pthread_mutex_lock(&client->lock);
    said.rejected = client->rejected;
    said.all_down = client->all_down;
    memcpy(said.reason, client->reason, sizeof said.reason);
    pthread_mutex_unlock(&client->lock);
    return said;
}

static Error *rejected(const KafkaClient *client, const char *reason)
{
    return error_hint(error_new(ERR_CONNECT, "Kafka at '%s' refuses the connection: %s", client->servers, reason),
                      "'properties.security.protocol', 'properties.sasl.*' and 'properties.ssl.*' say who we are");
}

Error *kafka_client_trouble(KafkaClient *client)
{
    rd_kafka_poll(client->handle, 0);
    Said said = what_was_said(client);
    if (said.rejected)
        return rejected(client, said.reason);
    char reason[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client->handle, reason, sizeof reason);
    return fatal ? kafka_error(ERR_IO, fatal, "the Kafka client has failed: %s", reason) : NULL;
}

/* ---- settings ---- */

static Error *set(rd_kafka_conf_t *conf, const char *name, const char *value, bool secret)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return NULL;
    return secret ? error_new(ERR_BIND, "the value of 'properties.%s' is not valid", name) : error_new(ERR_BIND, "'properties.%s': %s", name, reason);
}

static Error *set_number(rd_kafka_conf_t *conf, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return set(conf, name, text, false);
}

static void conf_unwind(void *conf) { rd_kafka_conf_destroy(conf); }

/* What SQL says of the client: the last word, but for what the engine relies on. */
static Error *set_properties(rd_kafka_conf_t *conf, const ConnectorContext *context, const KafkaOptions *options, PropertyConcern whom)
{
    Text value = { 0 };
    MEMORY_HOLD(conf_unwind, conf);
    MEMORY_HOLD(text_unwind, &value);
    Error *error = NULL;
    for (const KafkaProperty *property = kafka_properties; property->name && !error; property++) {
        const char *written = *(const char *const *)((const char *)options + property->offset);
        if (!written || (property->concerns != CONCERNS_ALL && property->concerns != whom))
            continue;
        value.length = 0;
        error = connector_resolve_value(context, written, &value);
        if (!error)
            error = set(conf, property->name, text_c(&value), property->secret);
        if (property->secret && value.bytes)
            explicit_bzero(value.bytes, value.length);
    }
    text_release(&value);
    return error;
}

static int64_t between(int64_t low, int64_t value, int64_t high) { return value < low ? low : value > high ? high : value; }

/* Each partition has a queue. Half of the memory is for what they hold, the rest for answers on their way and for what messages take beside their
 * bytes: a queue is full by bytes or by messages, whatever comes first. */
static Error *set_consumer(rd_kafka_conf_t *conf, const KafkaOptions *options, int partitions)
{
    static const KafkaSetting fixed[] = {
        { "enable.partition.eof", "true" }, { "enable.auto.commit", "false" }, { "enable.auto.offset.store", "false" },
        { "auto.offset.reset", "error" },   { "check.crcs", "true" },          { "group.id", "bidsql" }, { NULL, NULL },
    };
    for (const KafkaSetting *setting = fixed; setting->name; setting++)
        TRY(set(conf, setting->name, setting->value, false));
    if (kafka_bounded(options) != BOUNDED_NEVER) /* that a partition has ended may be known only from the next answer, which waits for messages */
        TRY(set(conf, "fetch.wait.max.ms", "20", false));
    const int64_t memory = options->memory_bytes ? options->memory_bytes : FETCHED_BYTES;
    int64_t share = memory / 2 / (partitions > 0 ? partitions : 1);
    TRY(set_number(conf, "queued.max.messages.kbytes", between(64, share / 1024, 2097151)));
    TRY(set_number(conf, "queued.min.messages", between(100, share / MESSAGE_OVERHEAD, 10000000)));
    TRY(set_number(conf, "fetch.max.bytes", between(1 << 20, memory / 4, 50 << 20)));
    return set_number(conf, "max.partition.fetch.bytes", between(64 << 10, share / 2, 1 << 20));
}

static Error *set_producer(rd_kafka_conf_t *conf, const KafkaOptions *options)
{
    bool all = !options->properties.acks || strcmp(options->properties.acks, "all") == 0 || strcmp(options->properties.acks, "-1") == 0;
    TRY(set(conf, "enable.idempotence", all ? "true" : "false", false));
    TRY(set(conf, "partitioner", "murmur2_random", false));
    TRY(set(conf, "linger.ms", "2", false)); /* results are waited for; more requests than that would keep brokers busier than it is worth */
    const int64_t memory = options->memory_bytes ? options->memory_bytes : SENT_BYTES;
    TRY(set_number(conf, "queue.buffering.max.kbytes", between(1, memory / 1024, 2097151)));
    return set_number(conf, "queue.buffering.max.messages", between(1000, memory / MESSAGE_OVERHEAD, 10000000));
}

static Error *set_common(rd_kafka_conf_t *conf)
{
    static const KafkaSetting fixed[] = {
        { "client.id", "bidsql" }, { "socket.nagle.disable", "true" }, { "log.connection.close", "false" }, { "allow.auto.create.topics", "false" },
        { "sasl.kerberos.min.time.before.relogin", "0" }, /* else it runs kinit */ { NULL, NULL },
    };
    for (const KafkaSetting *setting = fixed; setting->name; setting++)
        TRY(set(conf, setting->name, setting->value, false));
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    return NULL;
}

/* ---- life ---- */

/* An empty text where there is none. False: it is too long. */
static bool keep_credential(rd_kafka_conf_t *conf, const char *name, char *text, size_t size)
{
    size_t needed = size;
    if (rd_kafka_conf_get(conf, name, NULL, &needed) != RD_KAFKA_CONF_OK || needed <= 1)
        return true;
    return needed <= size && rd_kafka_conf_get(conf, name, text, &needed) == RD_KAFKA_CONF_OK;
}

static void keep_credentials(rd_kafka_conf_t *conf, KafkaClient *client)
{
    client->can_ask = keep_credential(conf, "sasl.username", client->user, sizeof client->user) && keep_credential(conf, "sasl.password", client->password, sizeof client->password);
}

static Error *client_new(const ConnectorContext *context, const KafkaOptions *options, rd_kafka_type_t type, const KafkaCallbacks *callbacks, rd_kafka_conf_t *conf, KafkaClient **result)
{
    char reason[256];
    KafkaClient *client = calloc(1, sizeof *client + strlen(options->properties.bootstrap_servers) + 1); /* outlives what the engine knows: see destroy */
    if (!client) {
        rd_kafka_conf_destroy(conf);
        memory_raise();
    }
    client->servers = strcpy((char *)(client + 1), options->properties.bootstrap_servers);
    client->context = context;
    client->callbacks = callbacks ? *callbacks : (KafkaCallbacks){ 0 };
    pthread_mutex_init(&client->lock, NULL);
    rd_kafka_conf_set_opaque(conf, client);
    keep_credentials(conf, client);
    client->handle = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!client->handle) {
        rd_kafka_conf_destroy(conf);
        explicit_bzero(client->password, sizeof client->password);
        free(client);
        return error_new(ERR_CONNECT, "there is no Kafka client with these properties: %s", reason);
    }
    *result = client;
    return NULL;
}

static Error *no_servers(void)
{
    return error_hint(error_new(ERR_BIND, "which Kafka to connect to is not said"), "add 'properties.bootstrap.servers' = 'host:9092'");
}

Error *kafka_client_new_consumer(const ConnectorContext *context, const KafkaOptions *options, int partitions, KafkaClient **client)
{
    if (!options->properties.bootstrap_servers)
        return no_servers();
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    Error *error = set_common(conf);
    if (!error)
        error = set_consumer(conf, options, partitions);
    if (!error)
        error = set_properties(conf, context, options, CONCERNS_CONSUMER);
    rd_kafka_conf_set_offset_commit_cb(conf, on_committed);
    if (!error)
        return client_new(context, options, RD_KAFKA_CONSUMER, NULL, conf, client);
    rd_kafka_conf_destroy(conf);
    return error;
}

Error *kafka_client_new_producer(const ConnectorContext *context, const KafkaOptions *options, const KafkaSetting *settings, const KafkaCallbacks *callbacks,
                                 KafkaClient **client)
{
    if (!options->properties.bootstrap_servers)
        return no_servers();
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    Error *error = set_common(conf);
    if (!error)
        error = set_producer(conf, options);
    if (!error)
        error = set_properties(conf, context, options, CONCERNS_PRODUCER);
    for (; !error && settings && settings->name; settings++)
        error = set(conf, settings->name, settings->value, false);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    if (!error)
        return client_new(context, options, RD_KAFKA_PRODUCER, callbacks, conf, client);
    rd_kafka_conf_destroy(conf);
    return error;
}

/* Destroying waits for librdkafka's threads, for ever in some states (2.0.2), so a thread of its own does it: one that does not end in time is left
 * behind with its client. */
typedef struct Destroying {
    KafkaClient *client;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, left;
} Destroying;

static void *destroy(void *what)
{
    Destroying *destroying = what;
    rd_kafka_destroy_flags(destroying->client->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    explicit_bzero(destroying->client->password, sizeof destroying->client->password);
    free(destroying->client);
    pthread_mutex_lock(&destroying->lock);
    destroying->done = true;
    bool left = destroying->left;
    pthread_cond_signal(&destroying->changed);
    pthread_mutex_unlock(&destroying->lock);
    if (left)
        free(destroying);
    return NULL;
}

static void deadline_after(struct timespec *when, int64_t ms)
{
    clock_gettime(CLOCK_REALTIME, when);
    when->tv_sec += ms / 1000;
    when->tv_nsec += ms % 1000 * 1000000;
    if (when->tv_nsec >= 1000000000) {
        when->tv_sec++;
        when->tv_nsec -= 1000000000;
    }
}

void kafka_client_free(KafkaClient *client)
{
    pthread_t thread;
    struct timespec deadline;
    Destroying *destroying = client ? calloc(1, sizeof *destroying) : NULL;
    if (!destroying)
        return;
    destroying->client = client;
    pthread_mutex_lock(&client->lock);
    client->context = NULL;
    pthread_mutex_unlock(&client->lock);
    pthread_mutex_init(&destroying->lock, NULL);
    pthread_cond_init(&destroying->changed, NULL);
    client->callbacks = (KafkaCallbacks){ 0 };
    if (pthread_create(&thread, NULL, destroy, destroying)) {
        free(destroying);
        return;
    }
    pthread_detach(thread);
    deadline_after(&deadline, DESTROY_MS);
    pthread_mutex_lock(&destroying->lock);
    for (int waited = 0; !destroying->done && waited == 0;)
        waited = pthread_cond_timedwait(&destroying->changed, &destroying->lock, &deadline);
    bool done = destroying->done;
    destroying->left = !done;
    pthread_mutex_unlock(&destroying->lock);
    if (done)
        free(destroying);
}

void kafka_client_unwind(void *what)
{
    KafkaClient **client = what;
    kafka_client_free(*client);
    *client = NULL;
}

rd_kafka_t *kafka_client_handle(const KafkaClient *client) { return client->handle; }

/* ---- metadata ---- */

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static Error *unreachable(const KafkaClient *client, const char *reason)
{
    Error *error = error_new(ERR_CONNECT, "cannot reach Kafka at '%s'%s%s", client->servers, *reason ? ": " : "", reason);
    error->retriable = true;
    return error;
}

Error *kafka_client_metadata(KafkaClient *client, const char *topic, int64_t patience_ms, const struct rd_kafka_metadata **metadata)
{
    const int64_t begun_ms = monotonic_ms();
    const bool impatient = client->context && client->context->impatient;
    const int64_t down_ms = impatient ? 0 : ALL_DOWN_MS;
    if (impatient && patience_ms > IMPATIENT_MS)
        patience_ms = IMPATIENT_MS;
    rd_kafka_topic_t *wanted = topic ? rd_kafka_topic_new(client->handle, topic, NULL) : NULL;
    rd_kafka_resp_err_t failed;
    Error *error = NULL;
    for (;;) { /* in short steps: a rejection is known long before the request gives up */
        failed = rd_kafka_metadata(client->handle, topic == NULL, wanted, metadata, 500);
        if (!failed || (error = kafka_client_trouble(client)) != NULL)
            break;
        int64_t gone_ms = monotonic_ms() - begun_ms;
        Said said = what_was_said(client);
        if (!is_retriable(failed) || gone_ms >= patience_ms || (said.all_down && gone_ms > down_ms)) {
            error = is_retriable(failed) ? unreachable(client, said.reason) : kafka_error(ERR_CONNECT, failed, "cannot ask Kafka at '%s' for its topics", client->servers);
            break;
        }
    }
    if (wanted)
        rd_kafka_topic_destroy(wanted);
    return error;
}

/* ---- fetching ---- */

/* librdkafka 2.0.2 has no call for that, and one that does it on its way: new credentials wake brokers' threads that wait for some. They are the old ones. */
void kafka_client_fetch(KafkaClient *client)
{
    if (!client->can_ask)
        return;
    rd_kafka_error_t *failed = rd_kafka_sasl_set_credentials(client->handle, client->user, client->password);
    if (failed)
        rd_kafka_error_destroy(failed);
}

/* server/cluster.c: what ksqlDB's servers tell each other: that they are there (/heartbeat) and how far their tables are behind (/lag), and what all of them know (/clusterStatus).
 *
 * This server is a cluster of one: it asks nobody. What others tell is kept for a while and shown, so that whoever watches a cluster by these paths sees it. */
#include <stdlib.h>
#include <string.h>

#include "server/server_internal.h"

#define HOSTS_MOST 64
#define ALIVE_US 2000000         /* since its last heartbeat: ksqlDB's window */
#define FORGOTTEN_US 600000000
#define LAGS_MOST 65536          /* bytes of what a host says of its tables */

/* Another server that has said something. */
typedef struct Host {
    char name[300];              /* "host:port" */
    int64_t heard_us;            /* its last heartbeat, by our clock; 0: none */
    int64_t seen_us;             /* when it said anything */
    json_t *lags;                /* as it gave them; NULL: none */
} Host;

struct Cluster {
    pthread_mutex_t lock;
    Host hosts[HOSTS_MOST];
    int count;
};

Cluster *cluster_new(void)
{
    Cluster *cluster = mem_calloc(1, sizeof *cluster);
    pthread_mutex_init(&cluster->lock, NULL);
    return cluster;
}

void cluster_free(Cluster *cluster)
{
    if (!cluster)
        return;
    for (int i = 0; i < cluster->count; i++)
        json_decref(cluster->hosts[i].lags);
    pthread_mutex_destroy(&cluster->lock);
    mem_free(cluster);
}

/* ---- what others say ---- */

/* ksqlDB writes a host as "host:port"; an object of the two is taken as well. */
static bool host_name(const json_t *host, char name[300])
{
    const char *text = json_string_value(host), *alone = json_string_value(json_object_get(host, "host"));
    const json_t *port = json_object_get(host, "port");
    if (text && strchr(text, ':') && strlen(text) < 300)
        return strcpy(name, text) != NULL;
    return alone && *alone && json_is_integer(port) && snprintf(name, 300, "%s:%lld", alone, (long long)json_integer_value(port)) < 300;
}

/* Locked. The one that has been silent longest gives way. */
static Host *host_of(Cluster *cluster, const char *name, int64_t now_us)
{
    int oldest = 0;
    for (int i = 0; i < cluster->count; i++) {
        if (strcmp(cluster->hosts[i].name, name) == 0)
            return &cluster->hosts[i];
        oldest = cluster->hosts[i].seen_us < cluster->hosts[oldest].seen_us ? i : oldest;
    }
    bool room = cluster->count < HOSTS_MOST && !(cluster->count && now_us - cluster->hosts[oldest].seen_us > FORGOTTEN_US);
    Host *host = &cluster->hosts[room ? cluster->count++ : oldest];
    json_decref(host->lags);
    *host = (Host){ 0 };
    strcpy(host->name, name);
    return host;
}

static json_t *message_of(Call *call, const char *field, char name[300])
{
    json_t *body = call->request->body_length ? json_loadb(call->request->body, call->request->body_length, 0, NULL) : NULL;
    if (json_is_object(body) && host_name(json_object_get(body, field), name))
        return body;
    json_decref(body);
    answer_ksql_error(call, 40000, "the body does not say which host it is from");
    return NULL;
}

static void answer_ok(Call *call) { answer_json(call, 200, json_pack("{s:b}", "isOk", 1)); }

static void post_heartbeat(Call *call)
{
    char name[300];
    Cluster *cluster = call->server->cluster;
    json_t *body = message_of(call, "hostInfo", name);
    if (!body)
        return;
    const int64_t now_us = clock_system()->now_us(clock_system());
    pthread_mutex_lock(&cluster->lock);
    Host *host = host_of(cluster, name, now_us);
    host->heard_us = host->seen_us = now_us;
    pthread_mutex_unlock(&cluster->lock);
    json_decref(body);
    answer_ok(call);
}

static void post_lag(Call *call)
{
    char name[300];
    Cluster *cluster = call->server->cluster;
    json_t *body = message_of(call, "ksqlHost", name);
    if (!body)
        return;
    json_t *lags = json_object_get(body, "hostStoreLags");
    if (!json_is_object(lags) || call->request->body_length > LAGS_MOST) {
        answer_ksql_error(call, 40000, json_is_object(lags) ? "that many lags are not kept" : "the body has no object 'hostStoreLags'");
    } else {
        const int64_t now_us = clock_system()->now_us(clock_system());
        pthread_mutex_lock(&cluster->lock);
        Host *host = host_of(cluster, name, now_us);
        json_decref(host->lags);
        host->lags = json_incref(lags);
        host->seen_us = now_us;
        pthread_mutex_unlock(&cluster->lock);
        answer_ok(call);
    }
    json_decref(body);
}

/* ---- what there is ---- */

typedef struct Own {
    json_t *queries, *lags;
} Own;

/* "bids-3" is partition 3 of the topic bids; other splits are none. -1: no partition. */
static int partition_of(const SplitStatus *split, char topic[256])
{
    const char *dash = strrchr(split->name, '-');
    char *end = NULL;
    long number = dash ? strtol(dash + 1, &end, 10) : -1;
    if (!dash || dash == split->name || end == dash + 1 || *end || number < 0 || number > 1000000 || (size_t)(dash - split->name) >= 256)
        return -1;
    memcpy(topic, split->name, (size_t)(dash - split->name));
    topic[dash - split->name] = 0;
    return (int)number;
}

static void add_split(const SplitStatus *split, json_t *partitions, json_t *lags)
{
    char topic[256], number[16];
    const int partition = partition_of(split, topic);
    if (partition < 0)
        return;
    snprintf(number, sizeof number, "%d", partition);
    json_array_append_new(partitions, json_pack("{s:s,s:i}", "topic", topic, "partition", partition));
    if (split->end >= 0)
        json_object_set_new(lags, number, json_pack("{s:I,s:I,s:I}", "currentOffsetPosition", (json_int_t)split->position, "endOffsetPosition", (json_int_t)split->end, "offsetLag",
                                                    (json_int_t)(split->end > (int64_t)split->position ? split->end - (int64_t)split->position : 0)));
}

/* Of queries that keep a table: which partitions fill it, and how far it is behind them. */
static void add_query(void *caller, const QueryInfo *query, const JobStatus *status)
{
    const Own *own = caller;
    char store[700];
    if (!query->persistent || !query->has_table || !query->sink)
        return;
    json_t *partitions = json_array(), *lags = json_object();
    for (int i = 0; i < status->split_count; i++)
        add_split(&status->splits[i], partitions, lags);
    json_object_set_new(own->queries, query->id, json_pack("{s:[s],s:o,s:[],s:[]}", "activeStores", query->sink, "activePartitions", partitions, "standByStores", "standByPartitions"));
    snprintf(store, sizeof store, "%.300s#%.300s", query->id, query->sink);
    json_object_set_new(own->lags, store, json_pack("{s:o}", "lagByPartition", lags));
}

static void add_others(Cluster *cluster, int64_t now_us, json_t *hosts)
{
    pthread_mutex_lock(&cluster->lock);
    for (int i = 0; i < cluster->count; i++) {
        const Host *host = &cluster->hosts[i];
        if (now_us - host->seen_us > FORGOTTEN_US || json_object_get(hosts, host->name))
            continue;
        json_t *lags = host->lags ? json_deep_copy(host->lags) : json_pack("{s:{},s:i}", "stateStoreLags", "updateTimeMs", 0);
        json_object_set_new(hosts, host->name, json_pack("{s:b,s:I,s:{},s:o}", "hostAlive", now_us - host->heard_us <= ALIVE_US, "lastStatusUpdateMs", (json_int_t)(host->heard_us / 1000),
                                                         "activeStandbyPerQuery", "hostStoreLags", lags));
    }
    pthread_mutex_unlock(&cluster->lock);
}

static void get_cluster_status(Call *call)
{
    const int64_t now_us = clock_system()->now_us(clock_system());
    Own own = { json_object(), json_object() };
    json_t *hosts = json_object();
    runtime_status(call->server->runtime, NULL, add_query, &own);
    json_object_set_new(hosts, call->server->address, json_pack("{s:b,s:I,s:o,s:{s:o,s:I}}", "hostAlive", 1, "lastStatusUpdateMs", (json_int_t)(now_us / 1000), "activeStandbyPerQuery",
                                                                own.queries, "hostStoreLags", "stateStoreLags", own.lags, "updateTimeMs", (json_int_t)(now_us / 1000)));
    add_others(call->server->cluster, now_us, hosts);
    answer_json(call, 200, json_pack("{s:o}", "clusterStatus", hosts));
}

const Route cluster_routes[] = {
    { "GET", "/clusterStatus", get_cluster_status, ROLE_READER, true, NULL },
    { "POST", "/heartbeat", post_heartbeat, ROLE_ADMIN, false, NULL },
    { "POST", "/lag", post_lag, ROLE_ADMIN, false, NULL },
    { NULL, NULL, NULL, ROLE_NONE, false, NULL },
};

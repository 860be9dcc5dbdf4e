/* planner/bind_source.c: CREATE .. WITH (..): which connector, which format, which columns. What reads it: bind_scan.c. */
#include <stddef.h>
#include "common/calendar.h"
#include "connectors/channel.h"
#include "planner/binder.h"
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"

/* ---- properties of every stream ---- */

typedef struct StreamOptions {
    const char *connector, *format, *timestamp, *timestamp_format, *dead_letter, *dead_letter_topic;
    int on_error, on_expr_error; /* 0: the preset's */
    int64_t idle_timeout_us, max_ahead_us, max_skew_us, max_errors_per_min;
    double max_error_ratio;
    int64_t partitions, replicas; /* ksqlDB's, of no effect outside Kafka */
} StreamOptions;

static const char *const on_error_choices[] = { "default", "fail", "skip", "dead_letter", NULL };
static const char *const on_expr_error_choices[] = { "default", "fail", "null", "dead_letter", "skip", NULL };
static const RowPolicy on_error_policies[] = { POLICY_FAIL, POLICY_FAIL, POLICY_SKIP, POLICY_DEAD_LETTER };
static const RowPolicy on_expr_error_policies[] = { POLICY_FAIL, POLICY_FAIL, POLICY_NULL, POLICY_DEAD_LETTER, POLICY_SKIP };
static const char *const format_aliases[] = { "value_format", "value.format", NULL };

static const OptionSpec stream_options[] = {
    { "connector", OPTION_STRING, offsetof(StreamOptions, connector), NULL, "Where the rows come from and go to.", NULL, NULL, false, false, 0, 0, false },
    { "format", OPTION_STRING, offsetof(StreamOptions, format), NULL, "How records are written: json, csv.", NULL, format_aliases, false, false, 0, 0, false },
    { "timestamp", OPTION_STRING, offsetof(StreamOptions, timestamp), NULL, "The column that holds the event time.", NULL, NULL, false, false, 0, 0, false },
    { "timestamp_format", OPTION_STRING, offsetof(StreamOptions, timestamp_format), NULL, "How timestamps are written, as a Java pattern.", NULL, NULL, false, false, 0, 0, false },
    { "on_error", OPTION_ENUM, offsetof(StreamOptions, on_error), "default", "What becomes of a record that does not decode.", on_error_choices, NULL, false, false, 0, 0, false },
    { "on_expr_error", OPTION_ENUM, offsetof(StreamOptions, on_expr_error), "default", "What becomes of a row when an expression over it fails.", on_expr_error_choices, NULL, false, false, 0, 0, false },
    { "dead_letter", OPTION_STRING, offsetof(StreamOptions, dead_letter), NULL, "The stream that takes bad records.", NULL, NULL, false, false, 0, 0, false },
    { "dead_letter_topic", OPTION_STRING, offsetof(StreamOptions, dead_letter_topic), NULL, "The topic that takes bad records as they came.", NULL, NULL, false, false, 0, 0, false },
    { "max_errors_per_min", OPTION_INT, offsetof(StreamOptions, max_errors_per_min), "-1", "More bad rows in a minute end the query; 0: no bound. 1000 for topics with dead letters.", NULL, NULL, false, false, -1, INT64_MAX, false },
    { "max_error_ratio", OPTION_DOUBLE, offsetof(StreamOptions, max_error_ratio), "-1", "A larger share of bad ones among 1,000 records of a split ends the query; 0: no bound. 0.5 for topics with dead letters.", NULL, NULL, false, false, 0, 0, false },
    { "source.idle_timeout", OPTION_DURATION, offsetof(StreamOptions, idle_timeout_us), NULL, "After this long without rows a live split no longer holds time back.", NULL, NULL, false, false, 0, 0, false },
    { "source.max_watermark_skew", OPTION_DURATION, offsetof(StreamOptions, max_skew_us), NULL, "A live split that is further ahead of others with unread rows waits for them; 0: none does.", NULL, NULL, false, false, 0, 0, false },
    { "event_time.max_ahead", OPTION_DURATION, offsetof(StreamOptions, max_ahead_us), NULL, "On live input a row further ahead of the clock than this is bad.", NULL, NULL, false, false, 0, 0, false },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, false, false, 0, 0, false },
};

static OptionEntry *find_option(const AstProperties *with, const char *name)
{
    for (int i = 0; i < with->count; i++)
        if (option_name_equal(with->items[i].name, name))
            return &with->items[i];
    return NULL;
}

/* Topics are a broker's, which has to be named, or logs in this process. */
static Error *topics(Binder *binder, const AstProperties *with, Span at, const ConnectorType **connector)
{
    *connector = connector_find("kafka");
    bool named = find_option(with, "properties.bootstrap.servers") || find_option(with, "bootstrap.servers") || setting_property(binder->settings, "properties.bootstrap.servers");
    return named || (binder->connectors && binder->connectors->topics)
               ? NULL
               : error_hint(error_at(ERR_BIND, at, "which Kafka to connect to is not said"), "add 'properties.bootstrap.servers' = 'host:9092', or say it for all by SET");
}

static Error *find_connector(Binder *binder, const AstProperties *with, const CatalogSource *inherited, const ConnectorType **connector)
{
    static const char *const kafka_names[] = { "kafka_topic", "topic", "properties.bootstrap.servers", "key_format", "partitions", "wrap_single_value" };
    const OptionEntry *given = find_option(with, "connector");
    *connector = NULL;
    if (given) {
        if (name_equal(given->value, "kafka") || name_equal(given->value, "upsert-kafka"))
            return topics(binder, with, given->value_at, connector);
        *connector = connector_find(given->value);
        if (*connector)
            return NULL;
        int count = 0;
        const ConnectorType *const *all = connectors_all(&count);
        const char **names = ARENA_ARRAY(binder->arena, const char *, count + 1);
        for (int i = 0; i < count; i++)
            names[i] = all[i]->name;
        return error_suggest(error_at(ERR_BIND, given->value_at, "no connector '%s'", given->value), given->value, names, count);
    }
    for (size_t i = 0; i < sizeof kafka_names / sizeof *kafka_names; i++) {
        const OptionEntry *entry = find_option(with, kafka_names[i]);
        if (entry)
            return topics(binder, with, entry->name_at, connector);
    }
    if (find_option(with, "path"))
        *connector = connector_find("file");
    else if (inherited)
        *connector = inherited->connector;
    return NULL;
}

static Error *find_format(Binder *binder, const AstProperties *with, const ConnectorType *connector, const CatalogSource *inherited, const FormatType **format, Span at)
{
    const OptionEntry *given = find_option(with, "format"), *path = find_option(with, "path");
    bool rows = (connector->source && connector->source->row_source) || (connector->sink && connector->sink->row_sink) || (!connector->source && !connector->sink);
    given = given ? given : find_option(with, "value_format");
    given = given ? given : find_option(with, "value.format");
    *format = NULL;
    if (rows && !is_record_connector(connector)) {
        if (given)
            return error_at(ERR_BIND, given->name_at, "connector '%s' has rows, not bytes: it takes no format", connector->name);
        return NULL;
    }
    if (given) {
        *format = format_find(given->value);
        bool records = (connector->source && connector->source->record_source) || (connector->sink && connector->sink->record_sink);
        if (*format && !(*format)->decode && !records)
            return error_at(ERR_BIND, given->value_at, "format '%s' is for messages of topics, which connector '%s' does not have", (*format)->name, connector->name);
        if (*format)
            return NULL;
        int count = 0;
        const FormatType *const *all = formats_all(&count);
        const char **names = ARENA_ARRAY(binder->arena, const char *, count + 1);
        for (int i = 0; i < count; i++)
            names[i] = all[i]->name;
        return error_suggest(error_at(ERR_BIND, given->value_at, "no format '%s'", given->value), given->value, names, count);
    }
    if (path)
        *format = format_for_path(path->value);
    if (!*format && inherited)
        *format = inherited->format;
    if (!*format && is_record_connector(connector) && binder->settings->value_format)
        *format = format_find(binder->settings->value_format);
    if (!*format && connector->default_format)
        *format = format_find(connector->default_format);
    if (!*format)
        return error_hint(error_at(ERR_BIND, path ? path->value_at : at, "the format is not known"), "add format = 'json' or 'csv' to WITH (..)");
    return NULL;
}

/* A topic that is not named has its stream's name. */
static void name_topic(const Binder *binder, Arena *arena, const CatalogEntry *entry, AstProperties *with, Span at)
{
    const char *prefix = binder->settings->topic_prefix;
    OptionEntry topic = { .name = "topic", .value = prefix ? arena_printf(arena, "%s%s", prefix, entry->name) : entry->name, .name_at = at, .value_at = at };
    if (!find_option(with, "topic") && !find_option(with, "kafka_topic"))
        LIST_ADD(arena, with, topic);
}

/* What becomes of bad rows: where they go, and how many are too many. A wrong schema shall not move a whole topic to its dead letters, so those
 * have bounds where nothing else is said. */
static Error *bind_letters(Binder *binder, const AstProperties *with, const StreamOptions *options, CatalogEntry *entry)
{
    Arena *arena = &binder->catalog->arena;
    CatalogSource *source = entry->source;
    const bool letters = source->on_error == POLICY_DEAD_LETTER || source->on_expr_error == POLICY_DEAD_LETTER;
    const bool bounds = letters && source->connector && is_record_connector(source->connector);
    source->dead_letter = options->dead_letter;
    source->dead_letter_topic = options->dead_letter_topic;
    source->max_errors_per_min = options->max_errors_per_min >= 0 ? options->max_errors_per_min : bounds ? 1000 : 0;
    source->max_error_ratio = options->max_error_ratio >= 0 ? options->max_error_ratio : bounds ? 0.5 : 0;
    const OptionEntry *policy = find_option(with, source->on_error == POLICY_DEAD_LETTER ? "on_error" : "on_expr_error");
    if (letters && !source->dead_letter && !source->dead_letter_topic && policy)
        return error_hint(error_at(ERR_BIND, policy->value_at, "no stream is named for the bad rows"), "add dead_letter = 'stream name', or dead_letter_topic = 'topic'");
    const OptionEntry *ratio = find_option(with, "max_error_ratio"), *topic = find_option(with, "dead_letter_topic");
    if (source->max_error_ratio > 1 || (ratio && options->max_error_ratio < 0))
        return error_at(ERR_BIND, ratio->value_at, "'max_error_ratio' is a share from 0 to 1, not %s", ratio->value);
    if (!topic)
        return NULL;
    if (source->connector && connector_reads_topic(source->connector, source->connector_options, topic->value))
        return error_hint(error_at(ERR_BIND, topic->value_at, "'%s' reads the topic '%s': its dead letters would come back to it", entry->name, topic->value), "name another topic");
    const ConnectorType *kafka = NULL;
    source->letter_options = connector_topic_options(arena, source->connector, source->connector_options, topic->value);
    return topics(binder, with, topic->value_at, &kafka);
}

/* What SET says about all topics, where the stream does not say it itself. */
static void add_setting_properties(const Binder *binder, Arena *arena, AstProperties *with)
{
    for (int i = 0; i < binder->settings->topic_property_count; i++) {
        const OptionEntry *property = &binder->settings->topic_properties[i];
        const OptionEntry copy = { .name = property->name, .value = property->value, .name_at = SPAN_NONE, .value_at = SPAN_NONE };
        if (!find_option(with, copy.name))
            LIST_ADD(arena, with, copy);
    }
}

/* Which shard this process is, of a stream that is read in shards. */
static Error *add_shard(const Binder *binder, Arena *arena, AstProperties *with)
{
    const PlannerSettings *settings = binder->settings;
    const OptionEntry *shards = find_option(with, "shards");
    if (!shards || !settings->shards || find_option(with, "shard"))
        return NULL;
    int64_t count;
    if (bytes_parse(shards->value, &count) && count > 1 && count != settings->shards)
        return error_at(ERR_BIND, shards->value_at, "the stream is read in %lld shards, and this process is one of %lld", (long long)count, (long long)settings->shards);
    OptionEntry shard = { .name = "shard", .value = arena_printf(arena, "%lld", (long long)settings->shard), .name_at = SPAN_NONE, .value_at = SPAN_NONE };
    LIST_ADD(arena, with, shard);
    return NULL;
}

/* Everything in WITH (..) into entry->source. inherited: the topic that the defining query reads, whose formats hold on; NULL none. */
/* Of input that does not end: the stream's own, or the setting's, or what suits the connector. */
static void bind_live_options(const Binder *binder, const AstProperties *with, const StreamOptions *options, CatalogSource *source)
{
    const PlannerSettings *settings = binder->settings;
    source->idle_timeout_us = options->idle_timeout_us;
    source->max_ahead_us = options->max_ahead_us;
    if (source->bounded)
        return;
    if (!find_option(with, "source.idle_timeout"))
        source->idle_timeout_us = settings->idle_timeout_us >= 0 ? settings->idle_timeout_us : source->connector->source->idle_timeout_us;
    source->max_skew_us = find_option(with, "source.max_watermark_skew") ? options->max_skew_us : settings->max_skew_us;
    if (!options->max_ahead_us)
        source->max_ahead_us = dialect_rules(settings->dialect)->any_time ? 0 : settings->max_ahead_us;
}

static Error *bind_options(Binder *binder, const AstProperties *with, CatalogEntry *entry, const CatalogSource *inherited, Span at)
{
    Arena *arena = &binder->catalog->arena;
    CatalogSource *source = entry->source = ARENA_NEW(arena, CatalogSource);
    StreamOptions options = { 0 };
    TRY(find_connector(binder, with, inherited, &source->connector));
    const bool process = !source->connector && binder->connectors && binder->connectors->process;
    if (process)
        source->connector = &process_connector;
    OptionTarget targets[3] = { { stream_options, &options, NULL } };
    int target_count = 1;
    if (source->connector) {
        void *connector_options = arena_calloc(arena, 1, source->connector->options_size + 1);
        source->connector_options = connector_options;
        if (process)
            bind_process_options(binder, entry, source);
        else if (source->connector->options)
            targets[target_count++] = (OptionTarget){ source->connector->options, connector_options, arena_printf(arena, "connector '%s'", source->connector->name) };
        Error *no_format = find_format(binder, with, source->connector, inherited, &source->format, at);
        if (no_format && !find_option(with, "path")) { /* a mistake in the name of a property says more */
            AstProperties named = { 0 };
            for (int i = 0; i < with->count; i++)
                LIST_ADD(arena, &named, with->items[i]);
            if (inherited)
                name_topic(binder, arena, entry, &named, at);
            Error *wrong = options_parse(arena, named.items, named.count, targets, target_count, at);
            if (wrong)
                error_free(no_format);
            return wrong ? wrong : no_format;
        }
        TRY(no_format);
        if (is_record_connector(source->connector)) {
            AstProperties *rest = ARENA_NEW(arena, AstProperties);
            TRY(bind_message_options(binder, with, entry, inherited, rest, at));
            if (inherited)
                name_topic(binder, arena, entry, rest, at);
            add_setting_properties(binder, arena, rest);
            TRY(add_shard(binder, arena, rest));
            with = rest;
        }
        if (source->format && !is_record_connector(source->connector))
            with = bind_preset_times(binder, with, source->format, at);
        if (source->format && !source->format_options) {
            void *format_options = arena_calloc(arena, 1, source->format->options_size + 1);
            source->format_options = format_options;
            if (source->format->options)
                targets[target_count++] = (OptionTarget){ source->format->options, format_options, arena_printf(arena, "format '%s'", source->format->name) };
        }
    }
    TRY(options_parse(arena, with->items, with->count, targets, target_count, at));
    entry->origin = source->connector ? ORIGIN_CONNECTOR : ORIGIN_PROCESS;
    const DialectRules *rules = dialect_rules(binder->settings->dialect);
    source->on_error = options.on_error ? on_error_policies[options.on_error]
                                        : binder->settings->on_error >= 0 ? (RowPolicy)binder->settings->on_error : rules->on_error;
    source->refused = source->on_error == POLICY_DEAD_LETTER && options.dead_letter_topic ? REFUSED_DEAD_LETTER
                    : options.on_error && source->on_error == POLICY_SKIP                  ? REFUSED_SKIP
                                                                                           : REFUSED_FAIL;
    source->on_expr_error = options.on_expr_error ? on_expr_error_policies[options.on_expr_error] : binder_policy(binder);
    source->on_expr_error_given = options.on_expr_error != 0;
    source->timestamp_column = options.timestamp;
    const OptionEntry *timestamp = find_option(with, "timestamp");
    source->timestamp_at = timestamp ? timestamp->value_at : at;
    source->timestamp_format = options.timestamp_format;
    source->bounded = !source->connector || !source->connector->source || source->connector->source->bounded(source->connector_options);
    bind_live_options(binder, with, &options, source);
    return bind_letters(binder, with, &options, entry);
}

/* ---- columns ---- */

typedef struct OpenSource {
    SourceSpec spec;
    Source source;
    bool open;
} OpenSource;

static void close_source(void *what)
{
    OpenSource *open = what;
    if (open->open)
        open->source.spec->connector->source->close(&open->source);
    open->open = false;
}

static Error *infer_schema(Binder *binder, const CatalogSource *source, const char *name, Span at, Schema **schema)
{
    const ConnectorType *connector = source->connector;
    Arena *arena = &binder->catalog->arena;
    if (binder->catalog->outside_unknown)
        return error_at(ERR_CONNECT, at, "what '%s' holds is known only when it is read", name);
    if (connector->source->schema)
        return connector->source->schema(arena, binder->connectors, source->connector_options, schema);
    if (connector->source->row_source)
        return error_hint(error_at(ERR_BIND, at, "'%s' needs its columns: connector '%s' makes whatever is declared", name, connector->name),
                          "CREATE STREAM %s (id BIGINT, ..) WITH (..)", name);
    const char *path = connector_path(connector, source->connector_options);
    bool pipe = name_equal(connector->name, "stdin") || (path && strcmp(path, "-") == 0); /* what is looked at is gone */
    if (!source->format || !source->format->infer || pipe)
        return error_hint(error_at(ERR_BIND, at, "'%s' needs its columns", name), "CREATE STREAM %s (a BIGINT, b STRING, ..) WITH (..)", name);
    OpenSource *open = ARENA_NEW(binder->arena, OpenSource);
    open->spec = (SourceSpec){ connector, source->connector_options, NULL, 0, false, NULL };
    open->source = (Source){ .spec = &open->spec, .context = binder->connectors };
    arena_defer(binder->arena, close_source, open); /* also when memory runs out, and after a failed open */
    open->open = true;
    Error *error = connector->source->open(&open->source);
    if (error) {
        error->at = at;
        return error;
    }
    *schema = NULL;
    for (int split = 0; split < open->source.split_count && !error && (!*schema || (*schema)->column_count == 0); split++) {
        SourceInput input = { 0 };
        error = connector->source->fill(&open->source, split, 256 * 1024, 1000 * US_PER_MS, &input);
        if (!error && input.length)
            error = source->format->infer(arena, source->format_options, input.bytes, input.length, schema);
    }
    close_source(open);
    if (error) {
        error->at = at;
        return error;
    }
    if (!*schema || (*schema)->column_count == 0)
        return error_hint(error_at(ERR_BIND, at, "'%s' shows no columns: there is nothing in it to infer them from", name), "declare them: (a BIGINT, b STRING, ..)");
    return NULL;
}

static void columns_from_schema(Arena *arena, CatalogEntry *entry, const Schema *schema, Span at)
{
    entry->column_count = schema->column_count;
    entry->columns = ARENA_ARRAY(arena, CatalogColumn, schema->column_count + 1);
    for (int i = 0; i < schema->column_count; i++) {
        const Column *column = &schema->columns[i];
        entry->columns[i] = (CatalogColumn){ .name = arena_strdup(arena, column->name), .type = type_copy(arena, column->type), .is_key = column->is_key, .at = at };
    }
}

static int find_column(const CatalogEntry *entry, const char *name)
{
    int match = -1;
    for (int i = 0; i < entry->column_count; i++) {
        if (strcmp(entry->columns[i].name, name) == 0)
            return i;
        if (match < 0 && name_equal(entry->columns[i].name, name))
            match = i;
    }
    return match;
}

Error *bind_no_column(Binder *binder, const CatalogEntry *entry, const char *name, Span at)
{
    const char **names = ARENA_ARRAY(binder->arena, const char *, entry->column_count + 1);
    for (int i = 0; i < entry->column_count; i++)
        names[i] = entry->columns[i].name;
    return error_suggest(error_at(ERR_BIND, at, "no column '%s' in %s", name, entry->name), name, names, entry->column_count);
}

static Error *name_columns(Binder *binder, const CatalogEntry *entry, const AstNames *names, int **columns, int *count)
{
    *columns = ARENA_ARRAY(&binder->catalog->arena, int, names->count + 1);
    *count = 0;
    for (int i = 0; i < names->count; i++) {
        int column = find_column(entry, names->items[i].text);
        if (column < 0)
            return bind_no_column(binder, entry, names->items[i].text, names->items[i].at);
        (*columns)[(*count)++] = column;
    }
    return NULL;
}

Error *bind_default(Binder *binder, const CatalogColumn *column, Expr **value)
{
    Relation nothing = { .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    TRY(binder_expr(binder, &nothing, column->default_value, value));
    return binder_assign(binder, *value, column->type, column->name, value);
}

/* HEADERS: all of them; HEADER('k'): the last one of that key. */
static Error *header_column(Binder *binder, const AstColumn *ast, CatalogColumn *column)
{
    Arena *arena = &binder->catalog->arena;
    static const char *const names[] = { "KEY", "VALUE" };
    const Type *const pair[] = { type_scalar(TYPE_VARCHAR), type_scalar(TYPE_BYTES) };
    const Type *all = type_array(arena, type_struct(arena, 2, names, pair));
    column->part = ast->metadata_from ? RECORD_HEADER : RECORD_HEADERS;
    column->header = ast->metadata_from;
    TRY(binder_type(binder, arena, ast->type, &column->type));
    bool fits = ast->metadata_from ? column->type->kind == TYPE_BYTES
                                   : column->type->kind == TYPE_ARRAY && column->type->children[0]->kind == TYPE_STRUCT && column->type->children[0]->child_count == 2 &&
                                         name_equal(column->type->children[0]->names[0], names[0]) && name_equal(column->type->children[0]->names[1], names[1]) &&
                                         type_equal(column->type->children[0]->children[0], pair[0]) && type_equal(column->type->children[0]->children[1], pair[1]);
    if (fits)
        return NULL;
    return error_at(ERR_BIND, ast->at, "column '%s' is %s and not %s, which is what %s holds", ast->name.text, type_text(binder->arena, column->type),
                    ast->metadata_from ? "BYTES" : type_text(binder->arena, all), ast->metadata_from ? "a header" : "all headers");
}

/* METADATA [FROM 'offset']: what a message has beside key and value, as a column; it is computed, so INSERT gives it no value. */
static Error *metadata_column(Binder *binder, const AstColumn *ast, CatalogColumn *column)
{
    static const char *const names[] = { "offset", "partition", "timestamp", "topic" }, *const facts[] = { "ROWOFFSET", "ROWPARTITION", "$record_time", "$topic" };
    Arena *arena = &binder->catalog->arena;
    const char *wanted = ast->metadata_from ? ast->metadata_from : ast->name.text;
    int which = 0;
    while (which < 4 && !name_equal(names[which], wanted))
        which++;
    if (which == 4)
        return error_suggest(error_at(ERR_BIND, ast->at, "messages have no metadata '%s': offset, partition, timestamp, topic", wanted), wanted, names, 4);
    if (which == 2 && !ast->is_virtual) { /* as in Flink: it is written, too */
        column->type = type_scalar(TYPE_TIMESTAMP);
        TRY(ast->type ? binder_type(binder, arena, ast->type, &column->type) : NULL);
        column->part = type_is_timestamp(column->type) ? RECORD_TIMESTAMP : RECORD_VALUE;
    }
    if (column->part == RECORD_TIMESTAMP)
        return NULL;
    AstExpr *expr = ARENA_NEW(arena, AstExpr);
    *expr = (AstExpr){ .kind = AST_NAME, .at = ast->name.at };
    LIST_ADD(arena, &expr->path, ((AstName){ facts[which], true, ast->name.at }));
    column->computed = expr;
    return ast->type ? binder_type(binder, arena, ast->type, &column->type) : NULL;
}

static Error *declared_columns(Binder *binder, const AstCreate *create, CatalogEntry *entry)
{
    Arena *arena = &binder->catalog->arena;
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    entry->columns = ARENA_ARRAY(arena, CatalogColumn, create->columns.count + 1);
    for (int i = 0; i < create->columns.count; i++) {
        const AstColumn *ast = &create->columns.items[i];
        CatalogColumn *column = &entry->columns[entry->column_count];
        *column = (CatalogColumn){ .name = binder_new_name(binder, arena, &ast->name), .computed = ast->computed, .default_value = ast->default_value,
                                   .is_key = ast->is_key || ast->is_primary, .not_null = ast->not_null, .at = ast->name.at };
        Error *error = NULL;
        if (ast->is_headers && is_record_connector(entry->source->connector))
            error = header_column(binder, ast, column);
        else if (ast->is_metadata && is_record_connector(entry->source->connector))
            error = metadata_column(binder, ast, column);
        else if (ast->is_headers || ast->is_metadata)
            error = entry->source->connector ? error_at(ERR_BIND, ast->at, "%s columns are of messages of topics, connector '%s' has none", ast->is_headers ? "HEADER" : "METADATA", entry->source->connector->name)
                : error_at(ERR_BIND, ast->at, "%s columns are of messages of topics, '%s' is none", ast->is_headers ? "HEADER" : "METADATA", entry->name);
        else if (ast->default_value && ast->computed)
            error = error_at(ERR_BIND, ast->default_value->at, "column '%s' is computed: it has no default", ast->name.text);
        else if (find_column(entry, column->name) >= 0 && strcmp(entry->columns[find_column(entry, column->name)].name, column->name) == 0)
            error = error_at(ERR_BIND, ast->name.at, "column '%s' is declared twice", ast->name.text);
        else if (ast->type)
            error = binder_type(binder, arena, ast->type, &column->type);
        if (!error && ast->default_value && column->type) {
            Expr *value = NULL; /* checked here, made anew for each row that wants it */
            error = bind_default(binder, column, &value);
        }
        if (column->is_key && is_record_connector(entry->source->connector) && !(ast->is_primary && entry->source->format->change))
            column->part = RECORD_KEY;
        errors = error_append(errors, error);
        entry->column_count += error == NULL;
    }
    return errors;
}

static Error *bind_keys(Binder *binder, const AstCreate *create, CatalogEntry *entry)
{
    Arena *arena = &binder->catalog->arena;
    entry->key_columns = ARENA_ARRAY(arena, int, entry->column_count + 1);
    bool messages = is_record_connector(entry->source->connector);
    const bool changes = messages && entry->source->format->change; /* the key is one of the rows within, not of the message */
    for (int i = 0; i < entry->column_count; i++)
        if (messages && !changes ? entry->columns[i].part == RECORD_KEY : i < create->columns.count && create->columns.items[i].is_primary)
            entry->key_columns[entry->key_count++] = i;
    if (create->primary_key.count) {
        if (entry->key_count)
            return error_at(ERR_BIND, create->primary_key.items[0].at, "'%s' has two primary keys", entry->name);
        TRY(name_columns(binder, entry, &create->primary_key, &entry->key_columns, &entry->key_count));
        for (int k = 0; k < entry->key_count && is_record_connector(entry->source->connector); k++) {
            entry->columns[entry->key_columns[k]].part = changes ? RECORD_VALUE : RECORD_KEY;
            entry->columns[entry->key_columns[k]].is_key = true;
        }
    }
    if (messages)
        TRY(bind_key_fields(binder, entry));
    entry->source->key_not_enforced = create->not_enforced;
    return name_columns(binder, entry, &create->partitioned_by, &entry->partition_columns, &entry->partition_count);
}

/* What readers see: declared columns with the types that computed ones turned out to have. */
static Error *complete_schema(Binder *binder, CatalogEntry *entry, Span at)
{
    Arena *arena = &binder->catalog->arena;
    for (int i = 0; i < entry->column_count; i++)
        if (!entry->columns[i].type && !entry->columns[i].computed)
            return error_at(ERR_BIND, entry->columns[i].at, "column '%s' has no type", entry->columns[i].name);
    Schema physical = { 0, ARENA_ARRAY(binder->arena, Column, entry->column_count + MESSAGE_FACTS + 1) };
    for (int i = 0; i < entry->column_count; i++)
        if (!entry->columns[i].computed)
            physical.columns[physical.column_count++] = (Column){ .name = entry->columns[i].name, .type = entry->columns[i].type };
    if (entry->source && entry->source->connector && entry->source->connector->check) {
        Error *wrong = entry->source->connector->check(entry->source->connector_options, &physical);
        if (wrong)
            wrong->at = at;
        TRY(wrong);
    }
    if (entry->source && is_record_connector(entry->source->connector)) /* what METADATA columns are computed from */
        bind_message_facts(binder, entry, &physical, ARENA_ARRAY(binder->arena, DecodeColumn, entry->column_count + MESSAGE_FACTS + 1));
    Relation relation;
    LogicalNode *rows = logical_values(binder->arena, &physical, NULL, 0, at);
    TRY(bind_source_columns(binder, entry, main_port(rows), NULL, at, &relation));
    entry->schema.column_count = entry->column_count;
    entry->schema.columns = ARENA_ARRAY(arena, Column, entry->column_count + 1);
    for (int i = 0; i < entry->column_count; i++) {
        CatalogColumn *column = &entry->columns[i];
        column->type = type_copy(arena, relation.schema.columns[i].type);
        entry->schema.columns[i] = (Column){ .name = column->name, .type = column->type, .is_key = column->is_key, .not_null = column->not_null };
    }
    for (int i = 0; i < entry->key_count; i++)
        entry->schema.columns[entry->key_columns[i]].is_key = true;
    return NULL;
}

/* A source that knows the event time of its rows: as if WATERMARK FOR c AS c - INTERVAL .. were written. */
static void source_watermark(Arena *arena, CatalogEntry *entry, Span at)
{
    CatalogSource *source = entry->source;
    const SourceType *type = source->connector ? source->connector->source : NULL;
    if (!type || !type->time_column || source->watermark_column || source->timestamp_column)
        return;
    int column = find_column(entry, type->time_column);
    if (column < 0 || entry->columns[column].computed || !type_is_timestamp(entry->columns[column].type))
        return;
    AstExpr *time = ARENA_NEW(arena, AstExpr), *bound = ARENA_NEW(arena, AstExpr), *watermark = ARENA_NEW(arena, AstExpr);
    *time = (AstExpr){ .kind = AST_NAME, .at = at };
    LIST_ADD(arena, &time->path, ((AstName){ entry->columns[column].name, true, at }));
    const Type *interval = type_scalar(TYPE_INTERVAL);
    *bound = (AstExpr){ .kind = AST_LITERAL, .at = at, .value = { .type = interval, .interval = { .us = type->out_of_order_us } } };
    *watermark = (AstExpr){ .kind = AST_BINARY, .op = OP_SUBTRACT, .at = at, .op_at = at, .left = time, .right = bound };
    source->watermark_column = entry->columns[column].name;
    source->watermark = watermark;
    source->watermark_at = at;
}

Error *bind_source_definition(Binder *binder, const AstCreate *create, CatalogEntry *entry)
{
    Span at = create->name.at;
    TRY(bind_options(binder, &create->with, entry, create->query ? bind_inherited_source(binder, create->query) : NULL, at));
    CatalogSource *source = entry->source;
    Error *errors = declared_columns(binder, create, entry);
    if (errors)
        return errors;
    if (create->query) { /* the query gives the columns */
        if (create->columns.count)
            return error_hint(error_at(ERR_BIND, create->columns.items[0].at, "CREATE .. AS takes its columns from the query"), "leave the column list out");
        return NULL;
    }
    if (is_record_connector(source->connector) && (source->format->registered || source->key_format->registered))
        TRY(bind_registered_columns(binder, create, entry));
    if (entry->column_count == 0) {
        if (!source->connector || is_process_connector(source->connector))
            return error_hint(error_at(ERR_BIND, at, "'%s' has neither columns nor a connector", entry->name), "CREATE STREAM %s (a BIGINT, ..) or .. WITH (connector = 'file', path = '..')", entry->name);
        if (!source->connector->source)
            return error_at(ERR_BIND, at, "'%s' needs its columns: connector '%s' only takes rows", entry->name, source->connector->name);
        Schema *schema = NULL;
        TRY(infer_schema(binder, source, entry->name, at, &schema));
        columns_from_schema(&binder->catalog->arena, entry, schema, at);
    }
    TRY(bind_keys(binder, create, entry));
    if (is_record_connector(source->connector) && entry->column_count)
        TRY(bind_message_declared(binder, create, entry));
    if (create->watermark_column.text) {
        source->watermark_column = create->watermark_column.text;
        source->watermark = create->watermark;
        source->watermark_at = create->watermark_column.at;
        if (source->timestamp_column)
            return error_at(ERR_BIND, source->timestamp_at, "'%s' has both WATERMARK FOR and the property 'timestamp'", entry->name);
    }
    source_watermark(&binder->catalog->arena, entry, at);
    TRY(complete_schema(binder, entry, at));
    if (is_process_connector(source->connector))
        return bind_process_declared(binder, entry, at);
    return is_record_connector(source->connector) ? bind_message_check(binder, entry, at) : NULL;
}

Error *bind_source_file(Binder *binder, const char *path, const AstProperties *hints, Span at, CatalogEntry **result)
{
    Arena *arena = &binder->catalog->arena;
    AstProperties with = { 0 };
    LIST_ADD(arena, &with, ((OptionEntry){ .name = "path", .value = path, .name_at = at, .value_at = at }));
    for (int h = 0; hints && h < hints->count; h++)
        LIST_ADD(arena, &with, hints->items[h]);
    CatalogEntry *entry = ARENA_NEW(arena, CatalogEntry);
    entry->kind = CATALOG_STREAM;
    entry->name = arena_strdup(arena, path);
    entry->at = at;
    entry->text = binder->text;
    entry->settings = *binder->settings;
    TRY(bind_options(binder, &with, entry, NULL, at));
    Schema *schema = NULL;
    TRY(infer_schema(binder, entry->source, path, at, &schema));
    columns_from_schema(arena, entry, schema, at);
    TRY(complete_schema(binder, entry, at));
    *result = entry;
    return NULL;
}

const OptionSpec *bind_stream_options(void) { return stream_options; }

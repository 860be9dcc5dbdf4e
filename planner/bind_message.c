/* planner/bind_message.c: topics: what of a row stands in a message's key, in its value, or beside them. */
#include "common/calendar.h"
#include "planner/binder.h"
#include "planner/expr.h"

bool is_record_connector(const ConnectorType *connector)
{
    return connector && ((connector->source && connector->source->record_source) || (connector->sink && connector->sink->record_sink));
}

/* ---- properties ---- */

typedef struct MessageOptions {
    const char *key_format;
    int window_type;
    int64_t window_size_us;
    const char *key_fields, *key_prefix;
    int value_fields;
} MessageOptions;

static const char *const window_types[] = { "none", "tumbling", "hopping", "session", NULL };
static const char *const value_fields[] = { "default", "ALL", "EXCEPT_KEY", NULL };
static const char *const key_format_names[] = { "key.format", NULL };
static const OptionSpec message_options[] = {
    { .name = "key_format", .kind = OPTION_STRING, .offset = offsetof(MessageOptions, key_format), .aliases = key_format_names, .doc = "How keys are written: kafka, json, delimited, none." },
    { .name = "window_type", .kind = OPTION_ENUM, .offset = offsetof(MessageOptions, window_type), .default_text = "none", .choices = window_types, .doc = "Keys hold a window of that kind." },
    { .name = "window_size", .kind = OPTION_DURATION, .offset = offsetof(MessageOptions, window_size_us), .doc = "The size of these windows." },
    { .name = "key.fields", .kind = OPTION_STRING, .offset = offsetof(MessageOptions, key_fields), .doc = "`a;b`: these columns stand in the key, where neither KEY nor PRIMARY KEY says it (Flink)." },
    { .name = "key.fields-prefix", .kind = OPTION_STRING, .offset = offsetof(MessageOptions, key_prefix), .doc = "The names of the key's columns begin so; in the key they stand without it." },
    { .name = "value.fields-include", .kind = OPTION_ENUM, .offset = offsetof(MessageOptions, value_fields), .default_text = "default", .choices = value_fields,
      .doc = "Does the value hold the key's columns, too? `ALL`, with `key.fields` and for `upsert-kafka`, as in Flink; else `EXCEPT_KEY`." },
    { 0 },
};

static const OptionSpec *find_option_spec(const OptionSpec *specs, const char *name)
{
    for (const OptionSpec *spec = specs; spec && spec->name; spec++) {
        bool fits = option_name_equal(spec->name, name);
        for (int a = 0; spec->aliases && spec->aliases[a]; a++)
            fits |= option_name_equal(spec->aliases[a], name);
        if (fits)
            return spec;
    }
    return NULL;
}

static const OptionSpec *find_spec(const FormatType *format, const char *name) { return find_option_spec(format->options, name); }

static bool knows_option(const FormatType *format, const char *name)
{
    return find_spec(format, name) != NULL;
}

static const OptionEntry *find_entry(const AstProperties *with, const char *name)
{
    for (int i = 0; i < with->count; i++)
        if (option_name_equal(with->items[i].name, name))
            return &with->items[i];
    return NULL;
}

static bool is_upsert_kafka(const AstProperties *with)
{
    const OptionEntry *connector = find_entry(with, "connector");
    return connector && name_equal(connector->value, "upsert-kafka");
}

static void add_entry(Arena *arena, AstProperties *list, const FormatType *format, const char *name, const char *value, Span at)
{
    const OptionSpec *spec = find_spec(format, name);
    for (int i = 0; i < list->count; i++)
        if (option_name_equal(list->items[i].name, name) || (spec && find_spec(format, list->items[i].name) == spec))
            return;
    OptionEntry entry = { .name = name, .value = value, .name_at = at, .value_at = at };
    if (knows_option(format, name))
        LIST_ADD(arena, list, entry);
}

static void add_preset_times(const Binder *binder, Arena *arena, AstProperties *list, const FormatType *format, Span at)
{
    const DialectRules *rules = binder_rules(binder);
    if (rules->epoch_json)
        add_entry(arena, list, format, "timestamps", "epoch_ms", at);
    else if (rules->iso_json)
        add_entry(arena, list, format, "timestamps", "iso", at);
}

const AstProperties *bind_preset_times(Binder *binder, const AstProperties *with, const FormatType *format, Span at)
{
    Arena *arena = &binder->catalog->arena;
    AstProperties *all = ARENA_NEW(arena, AstProperties);
    for (int i = 0; i < with->count; i++)
        LIST_ADD(arena, all, with->items[i]);
    add_preset_times(binder, arena, all, format, at);
    return all;
}

/* What a preset says about texts of values. */
static void add_preset(const Binder *binder, Arena *arena, AstProperties *list, const FormatType *format, Span at)
{
    const DialectRules *rules = binder_rules(binder);
    add_preset_times(binder, arena, list, format, at);
    if (rules->dialect == DIALECT_KSQL) {
        add_entry(arena, list, format, "numbers", "java", at);
        add_entry(arena, list, format, "coerce", "ksql", at);
    }
    for (int i = 0; i < binder->settings->registry_count; i++)
        add_entry(arena, list, format, binder->settings->registry[i].name, binder->settings->registry[i].value, at);
}

/* The registry is said once for keys and values. */
static void share_registry(Arena *arena, const AstProperties *with, const FormatType *key, const FormatType *value, AstProperties *keys)
{
    for (int i = 0; i < with->count; i++)
        if (key->registered && value->registered && registry_option_find(with->items[i].name))
            add_entry(arena, keys, key, with->items[i].name, with->items[i].value, with->items[i].name_at);
}

/* In Flink `avro` is bare, and `avro-confluent` has a registry. */
static void add_flink_avro(const Binder *binder, Arena *arena, const OptionEntry *given, const FormatType *format, AstProperties *list)
{
    if (binder_rules(binder)->dialect == DIALECT_FLINK && given && name_equal(given->value, "avro"))
        add_entry(arena, list, format, "avro.framing", "none", given->value_at);
}

/* KEY_SCHEMA_ID and its like are of formats that have schemas. */
static Error *check_schema_names(const AstProperties *with, const CatalogSource *source)
{
    static const struct { const char *name; bool key; } names[] = { { "key_schema_id", true }, { "value_schema_id", false }, { "key_schema_full_name", true }, { "value_schema_full_name", false } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const OptionEntry *entry = find_entry(with, names[i].name);
        const FormatType *format = names[i].key ? source->key_format : source->format;
        if (entry && !format->registered)
            return error_hint(error_at(ERR_BIND, entry->name_at, "'%s' is of formats with a schema registry, and the %s's format is '%s'", names[i].name, names[i].key ? "key" : "value", format->name), "avro, protobuf or json_sr");
    }
    return NULL;
}

/* key_delimiter = '|' is the key format's delimiter. False: the property is none of a format's own under that prefix. */
static bool take_prefixed(Arena *arena, const OptionEntry *entry, const char *prefix, const FormatType *format, AstProperties *list)
{
    size_t length = strlen(prefix);
    if (strncasecmp(entry->name, prefix, length) != 0 || (entry->name[length] != '_' && entry->name[length] != '.'))
        return false;
    OptionEntry own = *entry;
    own.name = entry->name + length + 1;
    if (name_equal(own.name, "format") || !knows_option(format, own.name))
        return false;
    LIST_ADD(arena, list, own);
    return true;
}

static Error *named_format(Binder *binder, const char *name, Span at, const FormatType **format)
{
    *format = format_find(name);
    if (*format)
        return NULL;
    int count = 0;
    const FormatType *const *all = formats_all(&count);
    const char **names = ARENA_ARRAY(binder->arena, const char *, count + 1);
    for (int i = 0; i < count; i++)
        names[i] = all[i]->name;
    return error_suggest(error_at(ERR_BIND, at, "no format '%s'", name), name, names, count);
}

static Error *find_key_format(Binder *binder, const AstProperties *with, CatalogSource *source, const CatalogSource *inherited)
{
    const OptionEntry *given = find_entry(with, "key_format"), *both = find_entry(with, "format");
    if (given && both)
        return error_hint(error_at(ERR_BIND, given->name_at, "'format' says both the format of keys and that of values"), "value_format = '%s'", both->value);
    given = given ? given : find_entry(with, "key.format");
    const FormatType *of_both = both ? format_find(both->value) : NULL;
    given = given ? given : of_both && of_both->change ? NULL : both; /* keys are no changes */
    source->key_format_given = given != NULL;
    if (given)
        return named_format(binder, given->value, given->value_at, &source->key_format);
    source->key_format = inherited && inherited->key_format ? inherited->key_format : format_find(binder->settings->key_format ? binder->settings->key_format : "kafka");
    return NULL;
}

/* Does WITH say nothing of a format's own? Then the topic that is read in the same format says it: its delimiter, as in ksqlDB, but not
 * whether a single value is wrapped. */
static bool takes_over(const FormatType *format, const FormatType *inherited, const AstProperties *written)
{
    if (!knows_option(format, "delimiter"))
        return false;
    for (int i = 0; i < written->count; i++)
        if (knows_option(format, written->items[i].name))
            return false;
    return format == inherited;
}

/* Whether a value of one column stands bare is said of each topic by itself: the others of its format's options are taken over. */
static const void *without_wrapping(Arena *arena, const FormatType *format, const void *options)
{
    for (const OptionSpec *spec = format->options; spec && spec->name && options; spec++)
        if (strcmp(spec->name, "wrap_single_value") == 0) {
            char *copy = arena_copy(arena, options, format->options_size);
            memset(copy + spec->offset, 0, sizeof(int)); /* the first choice: auto */
            return copy;
        }
    return options;
}

/* The options of the key's format: what is written, what the preset says, and that a key of one column is bare, save where Flink would write it. */
static Error *key_options(const Binder *binder, CatalogSource *source, AstProperties *written, Span at)
{
    Arena *arena = &binder->catalog->arena;
    const FormatType *format = source->key_format;
    void *options = arena_calloc(arena, 1, format->options_size + 1);
    source->key_format_options = options;
    if (!format->options)
        return NULL;
    add_preset(binder, arena, written, format, at);
    add_entry(arena, written, format, "wrap_single_value", source->flink_keys ? "true" : "false", at);
    OptionTarget target = { format->options, options, arena_printf(arena, "format '%s'", format->name) };
    return options_parse(arena, written->items, written->count, &target, 1, at);
}

static void take_key_fields(const AstProperties *with, const MessageOptions *options, CatalogSource *source)
{
    const OptionEntry *fields = find_entry(with, "key.fields"), *prefix = find_entry(with, "key.fields-prefix");
    source->key_fields = options->key_fields;
    source->key_fields_at = fields ? fields->value_at : SPAN_NONE;
    source->key_prefix = options->key_prefix;
    source->key_prefix_at = prefix ? prefix->value_at : SPAN_NONE;
    source->value_holds_key = options->value_fields ? options->value_fields == 1 : options->key_fields || is_upsert_kafka(with);
}

Error *bind_message_options(Binder *binder, const AstProperties *with, CatalogEntry *entry, const CatalogSource *inherited, AstProperties *rest, Span at)
{
    Arena *arena = &binder->catalog->arena;
    CatalogSource *source = entry->source;
    source->flink_keys = binder_rules(binder)->dialect == DIALECT_FLINK || is_upsert_kafka(with) || find_entry(with, "key.fields");
    TRY(find_key_format(binder, with, source, inherited));
    AstProperties key = { 0 }, own = { 0 };
    TRY(check_schema_names(with, source));
    for (int i = 0; i < with->count; i++) {
        const OptionEntry *item = &with->items[i];
        if (find_option_spec(message_options, item->name))
            LIST_ADD(arena, &own, *item);
        else if (source->key_format->registered && !source->format->registered && registry_option_find(item->name))
            LIST_ADD(arena, &key, *item);
        else if (!take_prefixed(arena, item, "key", source->key_format, &key) && !take_prefixed(arena, item, "value", source->format, rest))
            LIST_ADD(arena, rest, *item);
    }
    share_registry(arena, with, source->key_format, source->format, &key);
    const OptionEntry *value = find_entry(with, "value_format") ? find_entry(with, "value_format") : find_entry(with, "value.format") ? find_entry(with, "value.format") : find_entry(with, "format");
    add_flink_avro(binder, arena, value, source->format, rest);
    add_flink_avro(binder, arena, find_entry(with, "key.format") ? find_entry(with, "key.format") : find_entry(with, "key_format"), source->key_format, &key);
    if (inherited && takes_over(source->format, inherited->format, rest))
        source->format_options = without_wrapping(arena, source->format, inherited->format_options);
    else
        add_preset(binder, arena, rest, source->format, at);
    if (inherited && takes_over(source->key_format, inherited->key_format, &key))
        source->key_format_options = inherited->key_format_options;
    else
        TRY(key_options(binder, source, &key, at));
    MessageOptions options = { 0 };
    OptionTarget target = { message_options, &options, NULL };
    TRY(options_parse(arena, own.items, own.count, &target, 1, at));
    take_key_fields(with, &options, source);
    source->key_window = options.window_type == 0 ? KEY_WINDOW_NONE : options.window_type == 3 ? KEY_WINDOW_SESSION : KEY_WINDOW_TIME;
    source->key_window_size_us = options.window_size_us;
    const OptionEntry *type = find_entry(with, "window_type"), *size = find_entry(with, "window_size");
    if (source->key_window == KEY_WINDOW_TIME && !options.window_size_us)
        return error_hint(error_at(ERR_BIND, type->value_at, "windows of that type need 'window_size'"), "window_size = '30 SECONDS'");
    if (source->key_window != KEY_WINDOW_TIME && size)
        return error_at(ERR_BIND, size->name_at, "'window_size' goes with window_type = 'tumbling' or 'hopping' only");
    return NULL;
}

const CatalogSource *bind_inherited_source(const Binder *binder, const AstQuery *query)
{
    if (!binder_rules(binder)->topics_by_default || query->kind != AST_SELECT)
        return NULL;
    const AstRelation *relation = query->from;
    while (relation && relation->kind == AST_REL_JOIN)
        relation = relation->left;
    if (!relation || relation->kind != AST_REL_NAME || relation->name.count == 0)
        return NULL;
    const CatalogEntry *entry = binder->catalog->find(binder->catalog, relation->name.items[relation->name.count - 1].text, false);
    return entry && entry->source && is_record_connector(entry->source->connector) ? entry->source : NULL;
}

/* ---- do the formats hold the columns? ---- */

static Error *check_part(Binder *binder, const CatalogEntry *entry, bool key, Span at)
{
    const CatalogSource *source = entry->source;
    const FormatType *format = key ? source->key_format : source->format;
    Schema schema = { 0, ARENA_ARRAY(binder->arena, Column, entry->column_count + 1) };
    for (int i = 0; i < entry->column_count; i++)
        if (column_stands_in(entry, i, key)) {
            schema.columns[schema.column_count] = entry->schema.columns[i];
            if (key)
                schema.columns[schema.column_count].name = key_field_name(source, entry->columns[i].name);
            schema.column_count++;
        }
    if (!format->decode_records)
        return error_at(ERR_BIND, at, "format '%s' is for files, not for %s of messages", format->name, key ? "keys" : "values");
    if (!format->check_record)
        return NULL;
    Error *error = format->check_record(key ? source->key_format_options : source->format_options, &schema, key);
    if (error)
        error->at = at;
    return error;
}

Error *bind_message_check(Binder *binder, const CatalogEntry *entry, Span at)
{
    TRY(check_part(binder, entry, true, at));
    return check_part(binder, entry, false, at);
}

/* ---- do the columns make sense? ---- */

/* What messages have beside their columns. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = { "ROWTIME", "ROWPARTITION", "ROWOFFSET", "WINDOWSTART", "WINDOWEND", NULL };
    for (int i = 0; reserved[i]; i++)
        if (name_equal(name, reserved[i]))
            return true;
    return false;
}

static Error *reserved_name(const char *name, Span at)
{
    return error_hint(error_at(ERR_BIND, at, "'%s' is a reserved name: every message has that beside its columns", name), "give the column another name");
}

bool is_message_table(const CatalogEntry *entry)
{
    return entry->kind == CATALOG_TABLE && !entry->source->appends_keyed && (entry->key_count > 0 || (entry->source->format && entry->source->format->change));
}

Error *bind_message_declared(const Binder *binder, const AstCreate *create, const CatalogEntry *entry)
{
    const bool table = entry->kind == CATALOG_TABLE;
    for (int i = 0; i < create->columns.count; i++) {
        const AstColumn *column = &create->columns.items[i];
        if (is_reserved(column->name.text))
            return reserved_name(column->name.text, column->name.at);
        if (column->is_primary && !table && !entry->source->format->change)
            return error_hint(error_at(ERR_BIND, column->at, "the key of a stream is a KEY, not a PRIMARY KEY: its rows do not replace each other"), "KEY, or CREATE TABLE");
        if (column->is_key && !column->is_primary && table)
            return error_hint(error_at(ERR_BIND, column->at, "the key of a table is its PRIMARY KEY"), "PRIMARY KEY, or CREATE STREAM");
    }
    if (table && !is_message_table(entry) && binder_rules(binder)->dialect == DIALECT_KSQL)
        return error_hint(error_at(ERR_BIND, create->name.at, "a table over a topic needs a PRIMARY KEY"), "mark its column, or CREATE STREAM");
    if (is_upsert_kafka(&create->with) && !is_message_table(entry))
        return error_hint(error_at(ERR_BIND, create->name.at, "'upsert-kafka' replaces rows by their key, and '%s' has no PRIMARY KEY", entry->name), "PRIMARY KEY (..) NOT ENFORCED, or connector = 'kafka'");
    if (entry->source->key_window != KEY_WINDOW_NONE && entry->key_count == 0)
        return error_at(ERR_BIND, create->name.at, "keys that hold windows need a key column beside them");
    return NULL;
}

/* ---- reading ---- */

static void add_fact(Schema *schema, DecodeColumn *columns, const char *const *name, TypeKind type, RecordPart part)
{
    int at = schema->column_count++;
    schema->columns[at] = (Column){ .name = *name, .type = type_scalar(type), .hidden = true };
    columns[at] = (DecodeColumn){ .path = name, .path_length = 1, .field_index = at, .type = schema->columns[at].type, .part = part };
}

void bind_message_facts(const Binder *binder, const CatalogEntry *entry, Schema *schema, DecodeColumn *columns)
{
    static const char *const names[] = { "$record_time", "ROWPARTITION", "ROWOFFSET", "$key_start", "$key_end", "$no_value", "$headers", "$topic" };
    add_fact(schema, columns, &names[0], TYPE_TIMESTAMP, RECORD_TIMESTAMP);
    add_fact(schema, columns, &names[1], TYPE_INT, RECORD_PARTITION);
    add_fact(schema, columns, &names[2], TYPE_BIGINT, RECORD_OFFSET);
    add_fact(schema, columns, &names[7], TYPE_VARCHAR, RECORD_TOPIC);
    if (entry->source->key_window != KEY_WINDOW_NONE) {
        add_fact(schema, columns, &names[3], TYPE_TIMESTAMP, RECORD_WINDOW_START);
        add_fact(schema, columns, &names[4], TYPE_TIMESTAMP, RECORD_WINDOW_END);
    }
    if (!is_message_table(entry))
        add_fact(schema, columns, &names[5], TYPE_BOOLEAN, RECORD_NO_VALUE);
    if (binder_rules(binder)->keeps_headers) {
        add_fact(schema, columns, &names[6], TYPE_VARCHAR, RECORD_HEADERS);
        schema->columns[schema->column_count - 1].type = columns[schema->column_count - 1].type = bind_headers_type(binder->arena);
    }
}

static bool is_primary(const CatalogEntry *entry, int column)
{
    bool found = false;
    for (int k = 0; k < entry->key_count; k++)
        found |= entry->key_columns[k] == column;
    return found;
}

/* Is the scan's column, which is the i-th that is not computed, one of the primary key? */
static bool is_key_field(const CatalogEntry *entry, int i)
{
    int physical = 0, column = 0;
    for (; column < entry->column_count && (entry->columns[column].computed || physical < i); column++)
        physical += !entry->columns[column].computed;
    return column < entry->column_count && is_primary(entry, column);
}

void bind_message_scan(Binder *binder, const CatalogEntry *entry, LogicalNode *scan)
{
    const CatalogSource *source = entry->source;
    scan->scan.key_format = source->key_format;
    scan->scan.key_format_options = source->key_format_options;
    scan->scan.key_window = source->key_window;
    scan->scan.value_holds_key = source->value_holds_key;
    scan->scan.key_window_size_us = source->key_window_size_us;
    const bool changes = source->format->change != NULL;
    scan->scan.upsert = changes ? entry->key_count > 0 : is_message_table(entry);
    scan->scan.retracts = changes && !scan->scan.upsert;
    if (!scan->scan.upsert)
        return;
    ColumnSet *key = ARENA_NEW(binder->arena, ColumnSet);
    key->columns = ARENA_ARRAY(binder->arena, int, scan->schema.column_count + 1);
    for (int i = 0; i < scan->schema.column_count; i++)
        if (changes ? is_key_field(entry, i) : scan->scan.columns[i].part == RECORD_KEY || scan->scan.columns[i].part == RECORD_WINDOW_START || scan->scan.columns[i].part == RECORD_WINDOW_END)
            key->columns[key->count++] = i;
    scan->traits.keys = key;
    scan->traits.key_count = 1;
}

const Type *bind_headers_type(Arena *arena)
{
    static const char *const names[] = { "KEY", "VALUE" };
    const Type *const pair[] = { type_scalar(TYPE_VARCHAR), type_scalar(TYPE_BYTES) };
    return type_array(arena, type_struct(arena, 2, names, pair));
}

static int hidden_column(const Schema *schema, const char *name)
{
    for (int i = 0; i < schema->column_count; i++)
        if (schema->columns[i].hidden && strcmp(schema->columns[i].name, name) == 0)
            return i;
    return -1;
}

void bind_message_source(Binder *binder, const CatalogEntry *entry, Relation *relation)
{
    MessageColumns *message = ARENA_NEW(binder->arena, MessageColumns);
    message->keyed = true;
    message->is_table = is_message_table(entry);
    message->key = ARENA_ARRAY(binder->arena, int, entry->column_count + 1);
    message->key_names = ARENA_ARRAY(binder->arena, const char *, entry->column_count + 1);
    for (int i = 0; i < entry->column_count; i++)
        if (entry->source->format->change ? is_primary(entry, i) : entry->columns[i].part == RECORD_KEY) {
            message->key_names[message->key_count] = entry->columns[i].name;
            message->key[message->key_count++] = i;
        }
    message->time = relation->time_column;
    message->no_value = hidden_column(&relation->schema, "$no_value");
    message->headers = hidden_column(&relation->schema, "$headers");
    message->window = entry->source->key_window;
    message->window_size_us = entry->source->key_window_size_us;
    message->from = entry->source;
    relation->message = message;
    if (message->window == KEY_WINDOW_NONE)
        return;
    relation->window.windowed = true;
    relation->window.start = hidden_column(&relation->schema, "$key_start");
    relation->window.end = hidden_column(&relation->schema, "$key_end");
    relation->window.spec = (WindowSpec){ .kind = message->window == KEY_WINDOW_SESSION ? WINDOW_SESSION : WINDOW_TUMBLING, .size_us = message->window_size_us,
                                          .advance_us = message->window_size_us, .time_column = -1 };
}

void bind_message_project(Binder *binder, const Relation *under, const int *places, Relation *relation)
{
    if (!under->message)
        return;
    MessageColumns *message = arena_copy(binder->arena, under->message, sizeof *message);
    message->key = ARENA_ARRAY(binder->arena, int, message->key_count + 1);
    message->key_names = arena_copy(binder->arena, under->message->key_names, sizeof(char *) * (size_t)(message->key_count + 1));
    for (int i = 0; i < message->key_count; i++)
        message->key[i] = under->message->key[i] >= 0 ? places[under->message->key[i]] : -1;
    message->equal = ARENA_ARRAY(binder->arena, int, message->equal_count + 1);
    message->equal_count = 0;
    for (int i = 0; i < under->message->equal_count; i++) { /* of equal columns the first one that was selected is the key */
        const int place = places[under->message->equal[i]];
        if (place >= 0 && message->key[0] < 0)
            message->key[0] = place;
        if (place >= 0)
            message->equal[message->equal_count++] = place;
    }
    for (int i = 1; i < message->key_count && !message->key_order; i++) /* the order of SELECT is that of the key */
        for (int j = i; j > 0 && message->key[j] >= 0 && message->key[j] < message->key[j - 1]; j--) {
            int place = message->key[j];
            const char *name = message->key_names[j];
            message->key[j] = message->key[j - 1];
            message->key_names[j] = message->key_names[j - 1];
            message->key[j - 1] = place;
            message->key_names[j - 1] = name;
        }
    message->time = message->time >= 0 ? places[message->time] : -1;
    message->no_value = message->no_value >= 0 ? places[message->no_value] : -1;
    message->headers = message->headers >= 0 ? places[message->headers] : -1;
    relation->message = message;
}

Error *bind_without_empty(Binder *binder, Relation *relation, Span at)
{
    Expr *empty = binder_column(binder->arena, &relation->schema, relation->message->no_value, at), *predicate = NULL;
    TRY(expr_call(binder->arena, "not", at, 1, &empty, &predicate));
    binder_filter(binder, relation, predicate, at);
    return NULL;
}

Error *bind_normalize(Binder *binder, Relation *relation, bool windowed, Span at)
{
    EdgeTraits traits = port_traits(binder->arena, relation->input);
    if (traits.changes != CHANGES_UPSERT)
        return NULL;
    if (traits.key_count == 0)
        return error_at(ERR_BIND, at, "rows that replace each other by a key that is not among them cannot be told apart");
    LogicalNode *node = logical_node(binder->arena, PLAN_NORMALIZE, at, 1, &relation->input);
    node->normalize.key_count = traits.keys[0].count;
    node->normalize.key_columns = arena_copy(binder->arena, traits.keys[0].columns, sizeof(int) * (size_t)(traits.keys[0].count + 1));
    node->normalize.time_column = binder_rules(binder)->windowed_time == TIME_OF_LARGEST_EVENT && relation->message ? relation->message->time : -1;
    node->normalize.at_end = binder->final_results && traits.bounded && !windowed;
    logical_derive(binder->arena, node);
    relation->input = main_port(node);
    return NULL;
}

/* ---- writing ---- */

/* A format that was taken over from a topic without keys holds none, and the other way round. */
static Error *fit_key_format(const Binder *binder, CatalogEntry *target, Span at)
{
    const FormatType *none = format_find("none");
    CatalogSource *source = target->source;
    if ((target->key_count == 0) == (source->key_format == none))
        return NULL;
    AstProperties nothing = { 0 };
    source->key_format = target->key_count ? format_find(binder->settings->key_format ? binder->settings->key_format : "kafka") : none;
    return key_options(binder, source, &nothing, at);
}

/* SELECT * PARTITION BY ROWTIME: a key of that name is what was asked for. */
static bool is_own_key(const MessageColumns *message, int column)
{
    for (int k = 0; message && message->key_order && k < message->key_count; k++)
        if (message->key[k] == column && is_reserved(message->key_names[k]))
            return true;
    return false;
}

/* The columns of a query's rows as columns of messages. */
Error *bind_message_selected(const Relation *rows, Span at)
{
    for (int i = 0; i < rows->schema.column_count; i++)
        if (!rows->schema.columns[i].hidden && is_reserved(rows->schema.columns[i].name) && !is_own_key(rows->message, i))
            return reserved_name(rows->schema.columns[i].name, at);
    if (rows->message && rows->message->selected_twice)
        return error_hint(error_at(ERR_BIND, at, "the key column '%s' is selected twice", rows->message->selected_twice), "a copy of it in the value: AS_VALUE(%s)", rows->message->selected_twice);
    return NULL;
}

Error *bind_message_target(Binder *binder, const Relation *rows, CatalogEntry *target, Span at)
{
    const MessageColumns *message = rows->message;
    Arena *arena = &binder->catalog->arena;
    TRY(bind_message_selected(rows, at));
    if (!message || !message->keyed || target->source->key_fields) {
        TRY(bind_key_fields(binder, target));
        if (!target->source->key_format_given)
            TRY(fit_key_format(binder, target, at));
        return bind_message_check(binder, target, at);
    }
    target->key_columns = ARENA_ARRAY(arena, int, message->key_count + 1);
    target->key_count = 0;
    for (int k = 0; k < message->key_count; k++) {
        int column = message->key[k], visible = 0;
        if (column < 0 || rows->schema.columns[column].hidden)
            return error_hint(error_at(ERR_BIND, at, "the key column '%s' is missing in the query of '%s'", message->key_names[k], target->name),
                              "add it to SELECT: a topic's messages keep their key");
        for (int i = 0; i < column; i++)
            visible += !rows->schema.columns[i].hidden;
        target->columns[visible].part = RECORD_KEY;
        target->columns[visible].is_key = target->schema.columns[visible].is_key = true;
        target->key_columns[target->key_count++] = visible;
    }
    if (target->key_count == target->column_count && target->column_count)
        return error_at(ERR_BIND, at, "the query of '%s' gives no column that is not a part of the key", target->name);
    target->source->key_window = message->window;
    target->source->key_window_size_us = message->window_size_us;
    if (!target->source->key_format_given)
        TRY(fit_key_format(binder, target, at));
    TRY(bind_message_check(binder, target, at));
    return bind_registered_target(binder, target, at);
}

static int add_hidden(Arena *arena, Expr ***exprs, Schema *schema, Expr *expr, const char *name)
{
    Expr **more = ARENA_ARRAY(arena, Expr *, schema->column_count + 2);
    Column *columns = ARENA_ARRAY(arena, Column, schema->column_count + 2);
    if (schema->column_count) {
        memcpy(more, *exprs, sizeof *more * (size_t)schema->column_count);
        memcpy(columns, schema->columns, sizeof *columns * (size_t)schema->column_count);
    }
    more[schema->column_count] = expr;
    columns[schema->column_count] = (Column){ .name = name, .type = expr->type, .hidden = true };
    *exprs = more;
    schema->columns = columns;
    return schema->column_count++;
}

/* WITH (timestamp = 'c') of the target: its messages' time is that column. */
static Error *target_time(Binder *binder, const CatalogEntry *target, Expr *const exprs[], const Schema *schema, Expr **time)
{
    const CatalogSource *source = target->source;
    int column = schema_find(schema, source->timestamp_column);
    if (column < 0)
        return error_at(ERR_BIND, source->timestamp_at, "no column '%s' in %s", source->timestamp_column, target->name);
    return bind_event_time(binder, source, exprs[column], time);
}

Error *bind_message_rest(Binder *binder, const Relation *rows, const CatalogEntry *target, Expr *said, Expr ***exprs, Schema *schema, WindowColumns *window, MessageColumns **result)
{
    Arena *arena = binder->arena;
    MessageColumns *message = *result = ARENA_NEW(arena, MessageColumns);
    int column = rows->message ? rows->message->time : rows->processing_time ? -1 : rows->time_column;
    int no_value = rows->message ? rows->message->no_value : -1;
    *message = (MessageColumns){ .key_order = rows->message && rows->message->key_order, .from = rows->message ? rows->message->from : NULL, .time = -1, .no_value = -1, .headers = -1, .window = target->source->key_window };
    Expr *expr = said ? said : column >= 0 ? binder_column(arena, &rows->schema, column, SPAN_NONE) : NULL;
    if (target->source->timestamp_column)
        TRY(target_time(binder, target, *exprs, schema, &expr));
    if (expr)
        message->time = add_hidden(arena, exprs, schema, expr, "$record_time");
    if (no_value >= 0)
        message->no_value = add_hidden(arena, exprs, schema, binder_column(arena, &rows->schema, no_value, SPAN_NONE), "$no_value");
    if (rows->message && rows->message->headers >= 0)
        message->headers = add_hidden(arena, exprs, schema, binder_column(arena, &rows->schema, rows->message->headers, SPAN_NONE), "$headers");
    if (message->window == KEY_WINDOW_NONE)
        return NULL;
    if (rows->window.start < 0 || rows->window.end < 0)
        return error_at(ERR_BIND, target->at, "the keys of '%s' hold windows, and the query has none", target->name);
    window->windowed = true;
    window->start = add_hidden(arena, exprs, schema, binder_column(arena, &rows->schema, rows->window.start, SPAN_NONE), "$key_start");
    window->end = add_hidden(arena, exprs, schema, binder_column(arena, &rows->schema, rows->window.end, SPAN_NONE), "$key_end");
    return NULL;
}

void bind_message_order(Arena *arena, const Relation *rows, const CatalogEntry *target, int *given, int count)
{
    const MessageColumns *message = rows->message;
    int *ordered = ARENA_ARRAY(arena, int, count + 1), keys = 0, used = 0, value = 0;
    for (int i = 0; message && i < message->key_count; i++)
        keys += message->key[i] >= 0 && !rows->schema.columns[message->key[i]].hidden;
    if (!message || keys != message->key_count || keys != target->key_count)
        return;
    for (int i = 0; i < target->column_count; i++) {
        if (target->columns[i].computed)
            continue;
        if (target->columns[i].part == RECORD_KEY) {
            for (int k = 0; k < target->key_count; k++)
                if (target->key_columns[k] == i)
                    ordered[used++] = message->key[k];
            continue;
        }
        for (bool key = true; key && value < count; value += key) {
            key = false;
            for (int m = 0; m < message->key_count; m++)
                key |= given[value] == message->key[m];
        }
        ordered[used++] = given[value++];
    }
    memcpy(given, ordered, sizeof *given * (size_t)count);
}

void bind_message_sink(Binder *binder, const CatalogEntry *target, const Relation *rows, LogicalNode *sink)
{
    Arena *arena = binder->arena;
    const CatalogSource *source = target->source;
    RecordPart *parts = ARENA_ARRAY(arena, RecordPart, sink->schema.column_count + 1);
    const char **headers = ARENA_ARRAY(arena, const char *, sink->schema.column_count + 1);
    int column = 0;
    for (int i = 0; i < target->column_count; i++) {
        if (target->columns[i].computed)
            continue;
        headers[column] = target->columns[i].header;
        parts[column++] = target->columns[i].part;
    }
    for (; column < sink->schema.column_count; column++)
        parts[column] = column == rows->message->time ? RECORD_TIMESTAMP : column == rows->message->no_value ? RECORD_NO_VALUE : column == rows->message->headers ? RECORD_HEADERS
                      : column == rows->window.start ? RECORD_WINDOW_START : RECORD_WINDOW_END;
    sink->sink.parts = parts;
    sink->sink.headers = headers;
    sink->sink.key_format = source->key_format;
    sink->sink.key_format_options = source->key_format_options;
    sink->sink.key_window = source->key_window;
    sink->sink.value_holds_key = source->value_holds_key;
    sink->sink.key_prefix_length = source->key_prefix ? (int)strlen(source->key_prefix) : 0;
    sink->sink.on_error = source->on_error == POLICY_DEAD_LETTER ? POLICY_SKIP : source->on_error;
    sink->sink.keys_passed = !rows->message->key_order;
    if (rows->window.start < 0)
        return;
    SinkSpec *spec = &sink->sink.spec;
    int *keys = ARENA_ARRAY(arena, int, spec->key_count + 3);
    memcpy(keys, spec->key_columns, sizeof *keys * (size_t)spec->key_count);
    keys[spec->key_count++] = rows->window.start;
    keys[spec->key_count++] = rows->window.end;
    spec->key_columns = keys;
}

const OptionSpec *bind_message_option_table(void) { return message_options; }

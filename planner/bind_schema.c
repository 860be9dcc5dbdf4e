/* planner/bind_schema.c: schema registries: columns that a stream or table takes from there, and schemas by which a query's rows are written. */
#include <stdlib.h>

#include "connectors/schema_registries.h"
#include "planner/binder.h"
#include "planner/statement.h"

/* ---- settings ---- */

static const char *plain_name(const char *name) { return strncasecmp(name, "ksql.", 5) == 0 ? name + 5 : name; }

bool registry_setting_known(const char *name)
{
    name = plain_name(name);
    return strncasecmp(name, "schema.registry", 15) == 0 || option_name_equal(name, "schema_registry_url") || option_name_equal(name, "auto.register.schemas");
}

/* The value NULL takes the setting back. */
Error *registry_setting_set(Arena *arena, PlannerSettings *settings, const char *name, const char *value, Span name_at, Span value_at)
{
    const OptionSpec *spec = registry_option_find(plain_name(name));
    OptionEntry *entries = ARENA_ARRAY(arena, OptionEntry, settings->registry_count + 2);
    int count = 0;
    if (!spec)
        return error_hint(error_at(ERR_BIND, name_at, "no setting '%s'", name), "schema.registry.url");
    for (int i = 0; i < settings->registry_count; i++)
        if (strcmp(settings->registry[i].name, spec->name) != 0)
            entries[count++] = settings->registry[i];
    if (value && *value) {
        OptionEntry entry = { .name = spec->name, .value = arena_strdup(arena, value), .name_at = name_at, .value_at = value_at };
        RegistryOptions checked = { 0 };
        OptionTarget target = { registry_option_rows(), &checked, NULL };
        OptionEntry copy = entry;
        TRY(options_parse(arena, &copy, 1, &target, 1, name_at));
        entry.name_at = entry.value_at = SPAN_NONE; /* of another text than the statements that it is for */
        entries[count++] = entry;
    }
    settings->registry = entries;
    settings->registry_count = count;
    return NULL;
}

/* ---- which registry, which schema ---- */

static Error *find_registry(Binder *binder, const FormatType *format, const void *options, Span at, SchemaRegistry **registry)
{
    Error *error = binder->connectors ? schema_registry_find(binder->connectors, registry_connection(format, options), registry) : NULL;
    if (!binder->connectors)
        *registry = NULL;
    if (!error && !*registry)
        error = error_hint(error_new(ERR_CONNECT, "format '%s' needs a schema registry", format->name), "SET 'schema.registry.url' = 'http://localhost:8081', or the property of that name");
    if (error)
        error->at = at;
    return error;
}

/* The schema that the options name by its number, else the latest of the topic's subject; NULL: the subject has none. */
static Error *find_schema(Binder *binder, const CatalogSource *source, bool key, Span at, const RegisteredSchema **schema)
{
    const FormatType *format = key ? source->key_format : source->format;
    const RegistryOptions *options = format_registry(format, key ? source->key_format_options : source->format_options);
    const char *topic = connector_topic(source->connector, source->connector_options);
    SchemaRegistry *registry = NULL;
    *schema = NULL;
    if (topic) /* of several, the first one's */
        topic = arena_strndup(binder->arena, topic, strcspn(topic, ";"));
    else if (!options->subject && !options->schema_id && !options->reader_id)
        return error_hint(error_at(ERR_BIND, at, "a pattern of topics has no schema of its own"), "declare the columns, or say '%s_subject'", key ? "key" : "value");
    if (binder->catalog->outside_unknown)
        return error_at(ERR_CONNECT, at, "what the schema registry holds is known only when it is asked");
    TRY(find_registry(binder, format, options, at, &registry));
    const char *subject = registry_subject(binder->arena, options, topic, key, options->full_name);
    const int64_t id = options->schema_id ? options->schema_id : options->reader_id;
    Error *error = id ? registry->get(registry, (int32_t)id, schema) : registry->latest(registry, subject, schema);
    if (!error && id && !*schema)
        error = error_new(ERR_BIND, "the schema registry has no schema %lld", (long long)id);
    if (error)
        error->at = at;
    return error;
}

/* ---- a schema's columns ---- */

static const char *upper_name(Arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);
    for (char *p = copy; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    return copy;
}

/* As the preset has types and names of fields: ksqlDB has fewer types, and folds names. */
static const Type *preset_type(Arena *arena, const DialectRules *rules, const Type *type, bool fold)
{
    if (rules->dialect != DIALECT_KSQL)
        return type_copy(arena, type);
    switch (type->kind) {
    case TYPE_FLOAT: return type_scalar(TYPE_DOUBLE);
    case TYPE_TINYINT: case TYPE_SMALLINT: return type_scalar(TYPE_INT);
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: return type_scalar(TYPE_TIMESTAMP);
    case TYPE_ARRAY: return type_array(arena, preset_type(arena, rules, type->children[0], fold));
    case TYPE_MAP: return type_map(arena, preset_type(arena, rules, type->children[0], fold), preset_type(arena, rules, type->children[1], fold));
    case TYPE_STRUCT: {
        const char **names = ARENA_ARRAY(arena, const char *, (size_t)type->child_count + 1);
        const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)type->child_count + 1);
        for (int i = 0; i < type->child_count; i++) {
            names[i] = fold ? upper_name(arena, type->names[i]) : arena_strdup(arena, type->names[i]);
            types[i] = preset_type(arena, rules, type->children[i], fold);
        }
        return type_struct(arena, type->child_count, names, types);
    }
    default: return type_copy(arena, type);
    }
}

/* The schema's columns; names of a schema that is named by its number keep their case, those of a topic's latest are folded as the preset has it. */
static Error *schema_columns(Binder *binder, const CatalogSource *source, bool key, const RegisteredSchema *schema, Span at, Schema *columns)
{
    Arena *arena = &binder->catalog->arena;
    const DialectRules *rules = binder_rules(binder);
    const FormatType *format = key ? source->key_format : source->format;
    const void *options = key ? source->key_format_options : source->format_options;
    const RegistryOptions *registry = format_registry(format, options);
    Error *error = format->columns(binder->arena, options, schema, key, columns);
    if (error) {
        error->at = at;
        return error;
    }
    bool fold = rules->upper_names && !registry->schema_id;
    for (int i = 0; i < columns->column_count; i++) {
        Column *column = &columns->columns[i];
        column->name = !column->name ? (key ? "ROWKEY" : "ROWVAL") : fold ? upper_name(arena, column->name) : arena_strdup(arena, column->name);
        column->type = preset_type(arena, rules, column->type, fold);
    }
    return NULL;
}

/* From now on the part's messages are read as this schema's. */
static void set_reader(Arena *arena, CatalogSource *source, bool key, const RegisteredSchema *schema)
{
    const FormatType *format = key ? source->key_format : source->format;
    const void **options = key ? &source->key_format_options : &source->format_options;
    RegistryOptions *copy = arena_copy(arena, *options, format->options_size + 1);
    copy->reader_id = schema->id;
    *options = copy;
}

static Error *no_schema(const CatalogSource *source, bool key, Span at)
{
    const char *topic = connector_topic(source->connector, source->connector_options);
    return error_hint(error_at(ERR_BIND, at, "the schema registry has no schema of the %s of topic '%s'", key ? "keys" : "values", topic ? topic : "..."),
                      "declare the columns: (a BIGINT, b STRING, ..)");
}

/* Columns of the key before the declared ones, those of the value behind them. */
static Error *add_columns(Binder *binder, CatalogEntry *entry, const Schema *schema, bool key, Span at)
{
    Arena *arena = &binder->catalog->arena;
    int count = schema->column_count;
    CatalogColumn *columns = ARENA_ARRAY(arena, CatalogColumn, entry->column_count + count + 1), *added = key ? columns : columns + entry->column_count;
    if (entry->column_count)
        memcpy(key ? columns + count : columns, entry->columns, sizeof *columns * (size_t)entry->column_count);
    for (int i = 0; i < count; i++) {
        for (int c = 0; c < entry->column_count; c++)
            if (strcmp(entry->columns[c].name, schema->columns[i].name) == 0)
                return error_hint(error_at(ERR_BIND, entry->columns[c].at, "column '%s' stands in the key and in the value", entry->columns[c].name), "declare all columns, and the other one's name");
        added[i] = (CatalogColumn){ .name = schema->columns[i].name, .type = schema->columns[i].type, .is_key = key, .part = key ? RECORD_KEY : RECORD_VALUE, .at = at };
    }
    entry->columns = columns;
    entry->column_count += count;
    return NULL;
}

static Error *take_part(Binder *binder, CatalogEntry *entry, bool key, bool must, Span at)
{
    const RegisteredSchema *schema = NULL;
    Schema columns = { 0 };
    TRY(find_schema(binder, entry->source, key, at, &schema));
    if (!schema)
        return must ? no_schema(entry->source, key, at) : NULL;
    TRY(schema_columns(binder, entry->source, key, schema, at, &columns));
    set_reader(&binder->catalog->arena, entry->source, key, schema);
    return add_columns(binder, entry, &columns, key, at);
}

static bool declares(const AstCreate *create, const CatalogEntry *entry, bool key)
{
    bool found = key && create->primary_key.count > 0;
    for (int i = 0; i < entry->column_count; i++)
        found |= !entry->columns[i].computed && entry->columns[i].part == (key ? RECORD_KEY : RECORD_VALUE);
    return found;
}

Error *bind_registered_columns(Binder *binder, const AstCreate *create, CatalogEntry *entry)
{
    const CatalogSource *source = entry->source;
    Span at = create->name.at;
    bool value = source->format->registered && !declares(create, entry, false), key = source->key_format->registered && !declares(create, entry, true);
    const RegistryOptions *keys = format_registry(source->key_format, source->key_format_options), *values = format_registry(source->format, source->format_options);
    bool named[] = { values && values->schema_id && !value, keys && keys->schema_id && !key };
    for (int part = 0; part < 2; part++)
        if (named[part])
            return error_hint(error_at(ERR_BIND, at, "columns of the %s are declared, and come from the schema %s, too", part ? "key" : "value", part ? "key_schema_id" : "value_schema_id"), "leave one of them out");
    if (value)
        TRY(take_part(binder, entry, false, true, at));
    if (key && (binder_rules(binder)->dialect != DIALECT_FLINK || keys->schema_id)) /* in Flink a key has the fields that are named */
        TRY(take_part(binder, entry, true, binder_rules(binder)->dialect == DIALECT_KSQL || keys->schema_id || entry->kind == CATALOG_TABLE, at));
    return NULL;
}

/* WITH (value_reader_id = 13), where the part's columns came from that schema and nothing says so. */
static void pin_part(Arena *arena, const CatalogSource *source, const AstProperties *with, bool key, AstProperties *pinned)
{
    const RegistryOptions *options = format_registry(key ? source->key_format : source->format, key ? source->key_format_options : source->format_options);
    const char *name = key ? "key_reader_id" : "value_reader_id";
    if (!options || !options->reader_id || options->schema_id)
        return;
    for (int i = 0; i < with->count; i++)
        if (option_name_equal(with->items[i].name, name))
            return;
    OptionEntry entry = { .name = name, .value = arena_printf(arena, "%lld", (long long)options->reader_id) };
    LIST_ADD(arena, pinned, entry);
}

const AstStatement *bind_pinned(Arena *arena, const CatalogEntry *entry, const AstStatement *statement)
{
    const CatalogSource *source = entry->source;
    if (statement->kind != AST_STMT_CREATE_SOURCE || !source || !source->connector || !is_record_connector(source->connector))
        return statement;
    AstCreate *create = arena_copy(arena, statement->create, sizeof *create);
    create->with = (AstProperties){ 0 };
    for (int i = 0; i < statement->create->with.count; i++)
        LIST_ADD(arena, &create->with, statement->create->with.items[i]);
    pin_part(arena, source, &statement->create->with, true, &create->with);
    pin_part(arena, source, &statement->create->with, false, &create->with);
    if (create->with.count == statement->create->with.count)
        return statement;
    AstStatement *pinned = arena_copy(arena, statement, sizeof *pinned);
    pinned->create = create;
    return pinned;
}

/* ---- writing by a schema ---- */

/* `c1` INTEGER, as ksqlDB's messages have columns. */
static const char *columns_text(Arena *arena, const Schema *schema)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    format_add_columns(&text, schema);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

static bool same_column(const Column *ours, const Column *theirs) { return name_equal(ours->name, theirs->name) && type_equal(ours->type, theirs->type); }

/* The query's columns must be the schema's first ones. What the schema has beside them gets its defaults. */
static Error *check_part(Binder *binder, const CatalogEntry *entry, bool key, Span at)
{
    const CatalogSource *source = entry->source;
    const FormatType *format = key ? source->key_format : source->format;
    const RegistryOptions *options = format_registry(format, key ? source->key_format_options : source->format_options);
    const RegisteredSchema *registered = NULL;
    Schema theirs = { 0 }, ours = { 0, ARENA_ARRAY(binder->arena, Column, entry->column_count + 1) }, wrong = { 0, ARENA_ARRAY(binder->arena, Column, entry->column_count + 1) };
    if (!options || !options->schema_id || binder->catalog->outside_unknown)
        return NULL;
    TRY(find_schema(binder, source, key, at, &registered));
    TRY(schema_columns(binder, source, key, registered, at, &theirs));
    for (int i = 0; i < entry->column_count; i++)
        if (column_stands_in(entry, i, key))
            ours.columns[ours.column_count++] = entry->schema.columns[i];
    bool bare = key && theirs.column_count == 1 && ours.column_count == 1 && strcmp(theirs.columns[0].name, "ROWKEY") == 0;
    for (int i = 0; i < ours.column_count; i++) {
        bool same = i < theirs.column_count && (bare ? type_equal(ours.columns[i].type, theirs.columns[i].type) : same_column(&ours.columns[i], &theirs.columns[i]));
        if (!same)
            wrong.columns[wrong.column_count++] = ours.columns[i];
    }
    if (wrong.column_count == 0)
        return NULL;
    return error_at(ERR_BIND, at, "The following %s columns are changed, missing or reordered: [%s]. Schema from schema registry is [%s]", key ? "key" : "value", columns_text(binder->arena, &wrong),
                    columns_text(binder->arena, &theirs));
}

Error *bind_registered_target(Binder *binder, const CatalogEntry *entry, Span at)
{
    TRY(check_part(binder, entry, true, at));
    return check_part(binder, entry, false, at);
}

/* ---- registering ---- */

/* What encoders register when they open. */
static Error *register_part(Binder *binder, const CatalogEntry *entry, bool key, SchemaRegistry *registry)
{
    const CatalogSource *source = entry->source;
    Schema schema = { 0, ARENA_ARRAY(binder->arena, Column, entry->column_count + 1) };
    for (int i = 0; i < entry->column_count; i++)
        if (column_stands_in(entry, i, key))
            schema.columns[schema.column_count++] = entry->schema.columns[i];
    Encoder encoder = { .type = key ? source->key_format : source->format, .schema = &schema, .options = key ? source->key_format_options : source->format_options, .key = key,
                        .registry = registry, .topic = connector_topic(source->connector, source->connector_options) };
    Error *error = schema.column_count ? encoder.type->encoder_open(&encoder) : NULL;
    if (schema.column_count)
        encoder.type->encoder_close(&encoder);
    return error;
}

Error *bind_register_schemas(Binder *binder, const CatalogEntry *entry, Span at)
{
    const CatalogSource *source = entry->source;
    if (binder_rules(binder)->dialect != DIALECT_KSQL || binder->catalog->outside_unknown || !source || !is_record_connector(source->connector))
        return NULL;
    const char *topic = connector_topic(source->connector, source->connector_options);
    if (!topic || strchr(topic, ';'))
        return NULL;
    for (int key = 1; key >= 0; key--) {
        const FormatType *format = key ? source->key_format : source->format;
        const RegistryOptions *options = format_registry(format, key ? source->key_format_options : source->format_options);
        SchemaRegistry *registry = NULL;
        const RegisteredSchema *there = NULL;
        if (!options || options->schema_id || options->reader_id || !options->auto_register)
            continue;
        TRY(find_registry(binder, format, options, at, &registry));
        Error *error = registry->latest(registry, registry_subject(binder->arena, options, topic, key, options->full_name), &there);
        if (!error && !there)
            error = register_part(binder, entry, key, registry);
        if (error) {
            error->at = at;
            return error;
        }
    }
    return NULL;
}

/* ---- statements ---- */

static Error *settings_options(Arena *arena, const PlannerSettings *settings, Span at, RegistryOptions **options)
{
    *options = ARENA_NEW(arena, RegistryOptions);
    OptionTarget target = { registry_option_rows(), *options, NULL };
    OptionEntry *entries = ARENA_ARRAY(arena, OptionEntry, settings->registry_count + 1);
    for (int i = 0; i < settings->registry_count; i++)
        entries[i] = settings->registry[i];
    return options_parse(arena, entries, settings->registry_count, &target, 1, at);
}

Error *planner_registry(Planner *planner, Arena *arena, SchemaRegistry **registry)
{
    RegistryOptions *options = NULL;
    TRY(settings_options(arena, &planner->settings, SPAN_NONE, &options));
    return schema_registry_find(planner->connectors, registry_connection(format_find("avro"), options), registry);
}

/* The registry that the settings name. */
static Error *settings_registry(Binder *binder, Span at, SchemaRegistry **registry)
{
    RegistryOptions *options = NULL;
    TRY(settings_options(binder->arena, binder->settings, at, &options));
    return find_registry(binder, format_find("avro"), options, at, registry);
}

/* ASSERT [NOT EXISTS] SCHEMA [SUBJECT s] [ID n]: as it is now. TIMEOUT waits for what others register; topics of this process have no others. */
Error *assert_schema(Binder *binder, const AstStatement *statement)
{
    SchemaRegistry *registry = NULL;
    int64_t id = 0;
    bool there = false;
    for (int i = 0; i < statement->properties.count; i++)
        if (name_equal(statement->properties.items[i].name, "id"))
            id = strtoll(statement->properties.items[i].value, NULL, 10);
    if (!statement->name.text && !id)
        return error_hint(error_at(ERR_BIND, statement->at, "which schema?"), "ASSERT SCHEMA SUBJECT 'orders-value', or ID 3");
    TRY(settings_registry(binder, statement->at, &registry));
    Error *error = registry->has(registry, statement->name.text, (int32_t)id, &there);
    if (error) {
        error->at = statement->at;
        return error;
    }
    if (there != statement->negated)
        return NULL;
    const char *subject = statement->name.text ? arena_printf(binder->arena, " under the subject '%s'", statement->name.text) : "", *number = id ? arena_printf(binder->arena, " %lld", (long long)id) : "";
    return error_at(ERR_ASSERT, statement->name.text ? statement->name.at : statement->at, there ? "there is a schema%s%s" : "there is no schema%s%s", number, subject);
}

/* DROP .. DELETE TOPIC: the topic's schemas go with it. */
Error *bind_forget_schemas(Binder *binder, const CatalogEntry *entry, Span at)
{
    const CatalogSource *source = entry->source;
    const char *topic = source && source->connector ? connector_topic(source->connector, source->connector_options) : NULL;
    for (int key = 0; topic && key < 2; key++) {
        const FormatType *format = key ? source->key_format : source->format;
        const RegistryOptions *options = format_registry(format, key ? source->key_format_options : source->format_options);
        SchemaRegistry *registry = NULL;
        if (!options)
            continue;
        TRY(find_registry(binder, format, options, at, &registry));
        Error *error = registry->forget(registry, registry_subject(binder->arena, options, topic, key, options->full_name));
        if (error) {
            error->at = at;
            return error;
        }
    }
    return NULL;
}

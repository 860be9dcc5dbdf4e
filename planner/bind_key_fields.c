/* planner/bind_key_fields.c: Flink's way to say what stands in a message's key: 'key.fields', 'key.fields-prefix', 'value.fields-include'.
 *
 * The properties and their rules are those of Flink's Kafka connector: https://nightlies.apache.org/flink/flink-docs-stable/docs/connectors/table/kafka/ */
#include <string.h>

#include "planner/binder.h"

static int column_named(const CatalogEntry *entry, const char *name)
{
    for (int i = 0; i < entry->column_count; i++)
        if (name_equal(entry->columns[i].name, name))
            return i;
    return -1;
}

static Error *no_such_field(Binder *binder, const CatalogEntry *entry, const char *name)
{
    const char **names = ARENA_ARRAY(binder->arena, const char *, entry->column_count + 1);
    for (int i = 0; i < entry->column_count; i++)
        names[i] = entry->columns[i].name;
    return error_suggest(error_at(ERR_BIND, entry->source->key_fields_at, "no column '%s' in %s", name, entry->name), name, names, entry->column_count);
}

/* 'a;b': these columns, in this order. */
static Error *named_fields(Binder *binder, const CatalogEntry *entry, int **fields, int *count)
{
    *fields = ARENA_ARRAY(&binder->catalog->arena, int, entry->column_count + 1);
    *count = 0;
    for (const char *at = entry->source->key_fields; *at;) {
        const size_t length = strcspn(at, ";");
        const char *name = arena_strndup(binder->arena, at, length);
        const int column = column_named(entry, name);
        if (column < 0)
            return no_such_field(binder, entry, name);
        if (entry->columns[column].computed || entry->columns[column].part > RECORD_KEY)
            return error_at(ERR_BIND, entry->source->key_fields_at, "column '%s' is not stored in messages, so their key cannot hold it", name);
        for (int k = 0; k < *count; k++)
            if ((*fields)[k] == column)
                return error_at(ERR_BIND, entry->source->key_fields_at, "'key.fields' names '%s' twice", name);
        (*fields)[(*count)++] = column;
        at += length + (at[length] == ';');
    }
    return NULL;
}

static bool same_fields(const CatalogEntry *entry, const int *fields, int count)
{
    bool same = count == entry->key_count;
    for (int i = 0; same && i < count; i++) {
        bool found = false;
        for (int k = 0; k < entry->key_count; k++)
            found |= entry->key_columns[k] == fields[i];
        same = found;
    }
    return same;
}

static Error *check_prefix(const CatalogEntry *entry)
{
    const CatalogSource *source = entry->source;
    if (source->value_holds_key)
        return error_hint(error_at(ERR_BIND, source->key_prefix_at, "with 'key.fields-prefix' the value cannot hold the key's columns, too"), "add 'value.fields-include' = 'EXCEPT_KEY'");
    for (int k = 0; k < entry->key_count; k++) {
        const char *name = entry->columns[entry->key_columns[k]].name;
        if (strncasecmp(name, source->key_prefix, strlen(source->key_prefix)) != 0 || strlen(name) == strlen(source->key_prefix))
            return error_at(ERR_BIND, source->key_prefix_at, "the key's column '%s' does not begin with '%s' as 'key.fields-prefix' says", name, source->key_prefix);
    }
    return NULL;
}

Error *bind_key_fields(Binder *binder, CatalogEntry *entry)
{
    CatalogSource *source = entry->source;
    if (source->key_fields) {
        int *fields = NULL, count = 0;
        TRY(named_fields(binder, entry, &fields, &count));
        if (entry->key_count && !same_fields(entry, fields, count))
            return error_at(ERR_BIND, source->key_fields_at, "'key.fields' and the declared key of '%s' are not the same columns", entry->name);
        source->appends_keyed = entry->key_count == 0 && entry->kind == CATALOG_TABLE;
        entry->key_columns = fields;
        entry->key_count = count;
        for (int k = 0; k < count; k++) {
            entry->columns[fields[k]].part = source->format->change ? RECORD_VALUE : RECORD_KEY;
            entry->columns[fields[k]].is_key = true;
        }
    }
    return source->key_prefix && *source->key_prefix ? check_prefix(entry) : NULL;
}

bool column_stands_in(const CatalogEntry *entry, int column, bool key)
{
    const CatalogColumn *declared = &entry->columns[column];
    if (declared->computed)
        return false;
    return key ? declared->part == RECORD_KEY : declared->part == RECORD_VALUE || (declared->part == RECORD_KEY && entry->source->value_holds_key);
}

const char *key_field_name(const CatalogSource *source, const char *column)
{
    return source->key_prefix ? column + strlen(source->key_prefix) : column;
}

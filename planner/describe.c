/* planner/describe.c: SHOW and DESCRIBE as rows. */
#include <string.h>

#include "planner/ast_map.h"
#include "planner/bind_expression.h"
#include "planner/statement.h"

typedef struct Table { /* rows of text under construction */
    Arena *arena;
    PlannedRows *rows;
    int capacity;
} Table;

static void table_start(Table *table, Arena *arena, PlannedRows *rows, const char *const *columns, int count)
{
    *rows = (PlannedRows){ 0 };
    rows->schema.column_count = count;
    rows->schema.columns = ARENA_ARRAY(arena, Column, count + 1);
    for (int i = 0; i < count; i++)
        rows->schema.columns[i] = (Column){ .name = columns[i], .type = type_scalar(TYPE_VARCHAR) };
    *table = (Table){ arena, rows, 0 };
}

static void table_add(Table *table, const char *const *values)
{
    PlannedRows *rows = table->rows;
    int width = rows->schema.column_count;
    if (rows->row_count == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 16;
        Value *grown = ARENA_ARRAY(table->arena, Value, table->capacity * width);
        if (rows->row_count)
            memcpy(grown, rows->rows, sizeof *grown * (size_t)(rows->row_count * width));
        rows->rows = grown;
    }
    for (int i = 0; i < width; i++) {
        Value *value = &rows->rows[rows->row_count * width + i];
        *value = value_null(type_scalar(TYPE_VARCHAR));
        if (values[i]) {
            value->is_null = false;
            value->text = str_c(values[i]);
        }
    }
    rows->row_count++;
}

void rows_from_text(Arena *arena, const char *column, const char *text, PlannedRows *rows)
{
    Table table;
    table_start(&table, arena, rows, &column, 1);
    rows->preformatted = true;
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end - text) : strlen(text);
        const char *line = arena_strndup(arena, text, length);
        table_add(&table, &line);
        text += length + (end != NULL);
    }
}

/* ---- relations ---- */

static const char *where_from(Arena *arena, const CatalogEntry *entry)
{
    switch (entry->origin) {
    case ORIGIN_CONNECTOR:
        return entry->source->format ? arena_printf(arena, "%s, %s", entry->source->connector->name, entry->source->format->name) : entry->source->connector->name;
    case ORIGIN_QUERY: return "query";
    case ORIGIN_PROCESS: return "INSERT INTO";
    case ORIGIN_SIDE: return "rows put aside";
    case ORIGIN_NONE: return "";
    }
    return "";
}

static void show_relations(Planner *planner, Arena *arena, CatalogKind kind, bool extended, PlannedRows *rows)
{
    static const char *const columns[] = { "name", "from", "statement" };
    Table table;
    table_start(&table, arena, rows, columns, extended ? 3 : 2);
    int count = 0;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, arena, &count);
    for (int i = 0; i < count; i++)
        if (entries[i]->kind == kind)
            table_add(&table, (const char *[]){ entries[i]->name, where_from(arena, entries[i]), entries[i]->shown });
}

static void show_types(Planner *planner, Arena *arena, PlannedRows *rows)
{
    static const char *const columns[] = { "name", "type" };
    Table table;
    table_start(&table, arena, rows, columns, 2);
    int count = 0;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, arena, &count);
    for (int i = 0; i < count; i++)
        if (entries[i]->kind == CATALOG_TYPE)
            table_add(&table, (const char *[]){ entries[i]->name, type_text(arena, entries[i]->type) });
}

static const char *key_of(const CatalogEntry *entry, int column)
{
    for (int i = 0; i < entry->key_count; i++)
        if (entry->key_columns[i] == column)
            return entry->kind == CATALOG_STREAM ? "key" : "primary key";
    return column < entry->column_count && entry->columns[column].is_key ? "key" : "";
}

static const char *column_note(Arena *arena, const CatalogEntry *entry, int column)
{
    if (!entry->source || column >= entry->column_count)
        return "";
    const CatalogSource *source = entry->source;
    const char *note = "";
    if (entry->columns[column].computed)
        note = arena_printf(arena, "AS %s", ast_text(arena, entry->columns[column].computed));
    const char *time = source->watermark_column ? source->watermark_column : source->timestamp_column;
    if (time && name_equal(time, entry->columns[column].name)) {
        const char *watermark = source->watermark ? arena_printf(arena, ", watermark %s", ast_text(arena, source->watermark)) : "";
        note = arena_printf(arena, "%s%sevent time%s", note, *note ? ", " : "", watermark);
    }
    return note;
}

static const char *readers_of(Planner *planner, Arena *arena, const CatalogEntry *entry)
{
    const char *readers = "";
    int count = 0;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, arena, &count);
    for (int i = 0; i < count; i++)
        for (int u = 0; u < entries[i]->use_count; u++)
            if (entries[i] != entry && name_equal(entries[i]->uses[u], entry->name))
                readers = arena_printf(arena, "%s%s%s", readers, *readers ? ", " : "", entries[i]->name);
    return readers;
}

static Error *describe_relation(Planner *planner, Arena *arena, const AstStatement *statement, PlannedRows *rows)
{
    static const char *const columns[] = { "column", "type", "key", "note" };
    CatalogEntry *entry = NULL;
    if (statement->path) {
        Binder binder;
        binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
        TRY(bind_source_file(&binder, statement->path, NULL, statement->at, &entry));
    } else {
        TRY(catalog_get(planner->catalog, &statement->name, &entry));
    }
    Table table;
    table_start(&table, arena, rows, columns, 4);
    for (int i = 0; i < entry->schema.column_count; i++) {
        const Column *column = &entry->schema.columns[i];
        const char *type = arena_printf(arena, "%s%s", type_text(arena, column->type), column->not_null ? " NOT NULL" : "");
        table_add(&table, (const char *[]){ column->name, type, key_of(entry, i), column_note(arena, entry, i) });
    }
    if (!statement->extended)
        return NULL;
    const char *uses = "";
    for (int i = 0; i < entry->use_count; i++)
        uses = arena_printf(arena, "%s%s%s", uses, i ? ", " : "", entry->uses[i]);
    table_add(&table, (const char *[]){ "", "", "", "" });
    table_add(&table, (const char *[]){ "kind", catalog_kind_name(entry->kind), "", where_from(arena, entry) });
    if (entry->use_count)
        table_add(&table, (const char *[]){ "reads", uses, "", "" });
    const char *readers = readers_of(planner, arena, entry);
    if (*readers)
        table_add(&table, (const char *[]){ "read by", readers, "", "" });
    if (entry->producers.count)
        table_add(&table, (const char *[]){ "filled by", arena_printf(arena, "%d statement%s", entry->producers.count, entry->producers.count == 1 ? "" : "s"), "", "" });
    table_add(&table, (const char *[]){ "statement", entry->shown, "", "" });
    return NULL;
}

/* SHOW CREATE TABLE: the statement that makes it. */
static Error *show_create(Planner *planner, Arena *arena, const AstStatement *statement, PlannedRows *rows)
{
    static const char *const columns[] = { "statement" };
    CatalogEntry *entry = NULL;
    Table table;
    TRY(catalog_get(planner->catalog, &statement->name, &entry));
    table_start(&table, arena, rows, columns, 1);
    table_add(&table, (const char *[]){ entry->shown });
    return NULL;
}

/* ---- functions ---- */

static const char *signature(Arena *arena, const char *name, const TypeKind *args, const char *without, bool variadic, TypeKind returns)
{
    const char *text = arena_printf(arena, "%s(%s", name, args[0] == TYPE_NONE ? without : "");
    for (int i = 0; i < FUNCTION_MAX_ARGS && args[i] != TYPE_NONE; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", args[i] == TYPE_ANY ? "ANY" : type_kind_name(args[i]));
    return arena_printf(arena, "%s%s) -> %s", text, variadic ? ", .." : "", returns == TYPE_ANY ? "ANY" : type_kind_name(returns));
}

static bool is_called(const char *name, const char *const *aliases, const char *wanted)
{
    bool called = !wanted || name_equal(name, wanted);
    for (int i = 0; aliases && aliases[i] && !called; i++)
        called = name_equal(aliases[i], wanted);
    return called;
}

/* All functions, or the one that is called `only`. */
void describe_functions(const Planner *planner, Arena *arena, const char *only, PlannedRows *rows)
{
    static const char *const columns[] = { "function", "category", "what it does", "example" };
    Table table;
    table_start(&table, arena, rows, columns, 4);
    int count = 0;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, arena, &count);
    for (int i = 0; i < count; i++)
        if (entries[i]->kind == CATALOG_FUNCTION && (!only || name_equal(entries[i]->name, only)))
            table_add(&table, (const char *[]){ user_function_text(arena, entries[i]), entries[i]->function->is_aggregate ? "user-defined aggregate" : "user-defined", entries[i]->function->text, "" });
    const ScalarFunction *const *scalars = functions_all(&count);
    for (int i = 0; i < count; i++) {
        const ScalarFunction *function = scalars[i];
        if (function->hidden || !is_called(function->name, function->aliases, only))
            continue;
        const char *example = function->example ? arena_printf(arena, "%s = %s", function->example, function->yields ? function->yields : "") : "";
        table_add(&table, (const char *[]){ signature(arena, function->name, function->args, "", function->variadic, function->returns), function->category, function->doc, example });
    }
    const AggregateFunction *const *aggregates = aggregates_all(&count);
    for (int i = 0; i < count; i++) {
        const AggregateFunction *function = aggregates[i];
        if (!is_called(function->name, function->aliases, only))
            continue;
        const char *example = function->example ? arena_printf(arena, "%s = %s", function->example, function->yields ? function->yields : "") : "";
        table_add(&table, (const char *[]){ signature(arena, function->name, function->args, "*", false, function->returns), function->category ? function->category : "aggregate", function->doc, example });
    }
    const AnalyticFunction *analytics = analytic_functions_all(&count);
    for (int i = 0; i < count; i++)
        if (!only || name_equal(analytics[i].name, only))
            table_add(&table, (const char *[]){ arena_printf(arena, "%s%s", analytics[i].name, analytics[i].signature), "analytic", analytics[i].doc,
                                                arena_printf(arena, "%s = %s", analytics[i].example, analytics[i].yields) });
}

static Error *show_rows(Planner *planner, Arena *arena, const AstStatement *statement, PlannedRows *rows)
{
    switch (statement->show) {
    case AST_SHOW_STREAMS: show_relations(planner, arena, CATALOG_STREAM, statement->extended, rows); return NULL;
    case AST_SHOW_TABLES: show_relations(planner, arena, CATALOG_TABLE, statement->extended, rows); return NULL;
    case AST_SHOW_VIEWS: show_relations(planner, arena, CATALOG_VIEW, statement->extended, rows); return NULL;
    case AST_SHOW_TYPES: show_types(planner, arena, rows); return NULL;
    case AST_SHOW_FUNCTIONS: describe_functions(planner, arena, NULL, rows); return NULL;
    case AST_SHOW_CREATE: return show_create(planner, arena, statement, rows);
    case AST_SHOW_CONNECTORS: return error_at(ERR_UNSUPPORTED, statement->at, "Kafka Connect statements are not supported: there is no Connect cluster here");
    case AST_SHOW_TOPICS: case AST_SHOW_QUERIES: case AST_SHOW_VARIABLES: case AST_SHOW_PROPERTIES: case AST_SHOW_LAG: break;
    }
    return error_at(ERR_INTERNAL, statement->at, "not the planner's to show");
}

/* SHOW .. LIKE: of rows that begin with a name, or with the signature of a function. Names are the same in any case. */
static void keep_like(Arena *arena, const AstStatement *statement, PlannedRows *rows)
{
    const int width = rows->schema.column_count;
    const char *pattern = lower_word(arena, statement->like);
    Value *kept = ARENA_ARRAY(arena, Value, rows->row_count * width + 1);
    int count = 0;
    for (int r = 0; r < rows->row_count; r++) {
        const Value *row = &rows->rows[r * width];
        const char *text = lower_word(arena, arena_strndup(arena, str_bytes(&row->text), row->text.length));
        if (like_matches(arena, text, strcspn(text, "("), pattern) != statement->negated)
            memcpy(&kept[width * count++], row, sizeof *row * (size_t)width);
    }
    rows->rows = kept;
    rows->row_count = count;
}

Error *describe_statement(Planner *planner, Arena *arena, const AstStatement *statement, PlannedRows *rows)
{
    if (statement->kind == AST_STMT_DESCRIBE && statement->all) {
        show_relations(planner, arena, statement->object == AST_OBJECT_TABLE ? CATALOG_TABLE : CATALOG_STREAM, true, rows);
        return NULL;
    }
    if (statement->kind == AST_STMT_DESCRIBE)
        return describe_relation(planner, arena, statement, rows);
    if (statement->kind == AST_STMT_DESCRIBE_FUNCTION) {
        /* COUNT_DISTINCT(x) is COUNT(DISTINCT x) */
        describe_functions(planner, arena, name_equal(statement->name.text, "count_distinct") ? "count" : statement->name.text, rows);
        if (rows->row_count)
            return NULL;
        int count = 0;
        const char *const *names = function_names(&count);
        return error_suggest(error_at(ERR_BIND, statement->name.at, "no function '%s'", statement->name.text), statement->name.text, names, count);
    }
    TRY(show_rows(planner, arena, statement, rows));
    if (statement->like)
        keep_like(arena, statement, rows);
    return NULL;
}

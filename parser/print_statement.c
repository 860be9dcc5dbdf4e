/* parser/print_statement.c: statements as SQL. */
#include "parser/print.h"

/* ---- statements ---- */

static const char *object_text(AstObjectKind object)
{
    static const char *const names[] = { "STREAM", "TABLE", "VIEW", "TYPE", "FUNCTION", "CONNECTOR", "QUERY" };
    return names[object];
}

static void print_column(const AstColumn *column, Text *text)
{
    print_name(&column->name, text);
    if (column->type) {
        text_add_char(text, ' ');
        ast_print_type(column->type, text);
    }
    if (column->is_primary)
        text_add_c(text, " PRIMARY KEY");
    if (column->is_key)
        text_add_c(text, " KEY");
    if (column->not_null)
        text_add_c(text, " NOT NULL");
    if (column->is_metadata)
        text_add_c(text, " METADATA");
    if (column->is_metadata && column->metadata_from) {
        text_add_c(text, " FROM ");
        print_string(column->metadata_from, text);
    }
    if (column->is_virtual)
        text_add_c(text, " VIRTUAL");
    if (column->is_headers && !column->is_metadata && column->metadata_from) {
        text_add_c(text, " HEADER(");
        print_string(column->metadata_from, text);
        text_add_char(text, ')');
    } else if (column->is_headers) {
        text_add_c(text, " HEADERS");
    }
    if (column->default_value) {
        text_add_c(text, " DEFAULT ");
        print_expr(column->default_value, SUM_LEVEL, text);
    }
    if (column->computed) {
        text_add_c(text, " AS ");
        print_expr(column->computed, column->type ? SUM_LEVEL : ANY, text);
    }
}

static void print_elements(const AstCreate *create, Text *text)
{
    const char *before = " (";
    for (int i = 0; i < create->columns.count; i++) {
        text_add_c(text, before);
        print_column(&create->columns.items[i], text);
        before = ", ";
    }
    if (create->primary_key.count) {
        text_printf(text, "%sPRIMARY KEY (", before);
        print_names(&create->primary_key, ", ", text);
        text_add_c(text, create->not_enforced ? ") NOT ENFORCED" : ")");
        before = ", ";
    }
    if (create->watermark) {
        text_printf(text, "%sWATERMARK FOR ", before);
        print_name(&create->watermark_column, text);
        text_add_c(text, " AS ");
        print_expr(create->watermark, ANY, text);
        before = ", ";
    }
    if (before[0] == ',')
        text_add_char(text, ')');
}

static void print_function(const AstCreate *create, Text *text)
{
    text_add_c(text, " (");
    for (int i = 0; i < create->parameters.count; i++) {
        text_add_c(text, i ? ", " : "");
        print_name(&create->parameters.items[i].name, text);
        text_add_char(text, ' ');
        ast_print_type(create->parameters.items[i].type, text);
    }
    text_add_char(text, ')');
    if (create->returns) {
        text_add_c(text, " RETURNS ");
        ast_print_type(create->returns, text);
    }
    if (create->language) {
        text_add_c(text, " LANGUAGE ");
        print_string(create->language, text);
    }
    text_add_c(text, " AS ");
    if (create->body)
        print_string(create->body, text);
    else
        print_expr(create->body_expr, ANY, text);
}

static void print_create(const AstCreate *create, const char *verb, Text *text)
{
    text_printf(text, "%s%s%s%s%s %s%s ", verb, create->or_replace ? " OR REPLACE" : "", create->temporary ? " TEMPORARY" : "",
                create->is_source ? " SOURCE" : "", create->is_aggregate ? " AGGREGATE" : "", object_text(create->object),
                create->if_not_exists ? " IF NOT EXISTS" : "");
    print_name(&create->name, text);
    if (create->object == AST_OBJECT_TYPE) {
        text_add_c(text, " AS ");
        ast_print_type(create->type, text);
        return;
    }
    if (create->object == AST_OBJECT_FUNCTION) {
        print_function(create, text);
        return;
    }
    print_elements(create, text);
    if (create->partitioned_by.count) {
        text_add_c(text, " PARTITIONED BY (");
        print_names(&create->partitioned_by, ", ", text);
        text_add_char(text, ')');
    }
    if (create->with.count) {
        text_add_c(text, " WITH ");
        print_properties(&create->with, text);
    }
    if (create->like.text) {
        text_add_c(text, " LIKE ");
        print_name(&create->like, text);
        if (create->like_options.count) {
            text_add_c(text, " (");
            print_names(&create->like_options, " ", text);
            text_add_char(text, ')');
        }
    }
    if (create->query) {
        text_add_c(text, " AS ");
        print_query(create->query, text);
    }
}

static void print_with(const AstProperties *properties, Text *text)
{
    if (!properties->count)
        return;
    text_add_c(text, " WITH ");
    print_properties(properties, text);
}

static void print_columns(const AstNames *columns, Text *text)
{
    if (!columns->count)
        return;
    text_add_c(text, " (");
    print_names(columns, ", ", text);
    text_add_char(text, ')');
}

static void print_assert(const AstStatement *statement, Text *text)
{
    const char *negated = statement->negated ? " NOT EXISTS" : "";
    switch (statement->assert) {
    case AST_ASSERT_VALUES:
    case AST_ASSERT_TOMBSTONE: {
        bool values = statement->assert == AST_ASSERT_VALUES;
        text_add_c(text, values ? "ASSERT VALUES " : "ASSERT NULL VALUES ");
        print_name(&statement->name, text);
        print_columns(&statement->columns, text);
        text_add_c(text, values ? " VALUES " : " KEY ");
        print_rows(statement->rows.items, statement->rows.count, text);
        break;
    }
    case AST_ASSERT_STREAM:
    case AST_ASSERT_TABLE:
        print_create(statement->assert_create, "ASSERT", text);
        break;
    case AST_ASSERT_TOPIC:
        text_printf(text, "ASSERT%s TOPIC ", negated);
        print_name(&statement->name, text);
        print_with(&statement->properties, text);
        break;
    case AST_ASSERT_SCHEMA:
        text_printf(text, "ASSERT%s SCHEMA", negated);
        if (statement->name.text) {
            text_add_c(text, " SUBJECT ");
            print_name(&statement->name, text);
        }
        if (statement->properties.count)
            text_printf(text, " ID %s", statement->properties.items[0].value);
        break;
    }
    if (statement->timeout.given) {
        text_add_c(text, " TIMEOUT ");
        print_interval(&statement->timeout.interval, text);
    }
}

void ast_print_statement(const AstStatement *statement, Text *text)
{
    static const char *const shows[] = { "STREAMS", "TABLES", "VIEWS", "QUERIES", "TOPICS", "FUNCTIONS", "TYPES", "VARIABLES", "PROPERTIES", "LAG", "CREATE TABLE ", "CONNECTORS" };
    static const char *const explains[] = { "", "ANALYZE ", "WHY NO OUTPUT ", "EXTENDED " };
    switch (statement->kind) {
    case AST_STMT_QUERY:
        print_query(statement->query, text);
        break;
    case AST_STMT_CREATE_SOURCE:
    case AST_STMT_CREATE_AS:
    case AST_STMT_CREATE_VIEW:
    case AST_STMT_CREATE_TYPE:
    case AST_STMT_CREATE_FUNCTION:
        print_create(statement->create, "CREATE", text);
        break;
    case AST_STMT_INSERT_QUERY:
    case AST_STMT_INSERT_VALUES:
        text_add_c(text, statement->overwrite ? "INSERT OVERWRITE " : "INSERT INTO ");
        print_name(&statement->name, text);
        print_columns(&statement->columns, text);
        print_with(&statement->properties, text);
        text_add_char(text, ' ');
        if (statement->kind == AST_STMT_INSERT_QUERY) {
            print_query(statement->query, text);
        } else {
            text_add_c(text, "VALUES ");
            print_rows(statement->rows.items, statement->rows.count, text);
        }
        break;
    case AST_STMT_STATEMENT_SET:
        text_add_c(text, "EXECUTE STATEMENT SET BEGIN ");
        for (int i = 0; i < statement->statements.count; i++) {
            ast_print_statement(statement->statements.items[i], text);
            text_add_c(text, "; ");
        }
        text_add_c(text, "END");
        break;
    case AST_STMT_DROP:
        text_printf(text, "DROP %s %s", object_text(statement->object), statement->if_exists ? "IF EXISTS " : "");
        print_name(&statement->name, text);
        text_add_c(text, statement->delete_topic ? " DELETE TOPIC" : "");
        break;
    case AST_STMT_ALTER:
        text_printf(text, "ALTER %s ", object_text(statement->object));
        print_name(&statement->name, text);
        for (int i = 0; i < statement->added.count; i++) {
            text_add_c(text, i ? ", ADD COLUMN " : " ADD COLUMN ");
            print_column(&statement->added.items[i], text);
        }
        break;
    case AST_STMT_DESCRIBE:
        text_add_c(text, "DESCRIBE ");
        if (statement->all)
            text_printf(text, "%sS", object_text(statement->object));
        else if (statement->path)
            print_string(statement->path, text);
        else
            print_name(&statement->name, text);
        text_add_c(text, statement->extended ? " EXTENDED" : "");
        break;
    case AST_STMT_DESCRIBE_FUNCTION:
        text_add_c(text, "DESCRIBE FUNCTION ");
        print_name(&statement->name, text);
        break;
    case AST_STMT_SHOW:
        text_printf(text, "SHOW %s%s%s", statement->all ? "ALL " : "", shows[statement->show], statement->extended ? " EXTENDED" : "");
        if (statement->show == AST_SHOW_CREATE)
            print_name(&statement->name, text);
        if (statement->like) {
            text_add_c(text, statement->negated ? " NOT LIKE " : " LIKE ");
            print_string(statement->like, text);
        }
        break;
    case AST_STMT_EXPLAIN:
        text_printf(text, "EXPLAIN %s", explains[statement->explain]);
        if (!statement->explained) {
            print_name(&statement->name, text);
        } else if (statement->explained->kind == AST_STMT_STATEMENT_SET) {
            size_t start = text->length;
            ast_print_statement(statement->explained, text);
            size_t execute = strlen("EXECUTE ");
            memmove(text->bytes + start, text->bytes + start + execute, text->length - start - execute);
            text->length -= execute;
        } else {
            ast_print_statement(statement->explained, text);
        }
        break;
    case AST_STMT_SET:
        text_add_c(text, "SET ");
        print_string(statement->properties.items[0].name, text);
        text_add_c(text, " = ");
        print_string(statement->properties.items[0].value, text);
        break;
    case AST_STMT_UNSET:
        text_add_c(text, "UNSET");
        if (!statement->all) {
            text_add_char(text, ' ');
            print_string(statement->properties.items[0].name, text);
        }
        break;
    case AST_STMT_DEFINE:
        text_add_c(text, "DEFINE ");
        print_name(&statement->name, text);
        text_add_c(text, " = ");
        print_string(statement->properties.items[0].value, text);
        break;
    case AST_STMT_UNDEFINE:
        text_add_c(text, "UNDEFINE ");
        print_name(&statement->name, text);
        break;
    case AST_STMT_TERMINATE:
    case AST_STMT_PAUSE:
    case AST_STMT_RESUME:
        text_add_c(text, statement->kind == AST_STMT_TERMINATE ? "TERMINATE " : statement->kind == AST_STMT_PAUSE ? "PAUSE " : "RESUME ");
        print_name(&statement->name, text);
        break;
    case AST_STMT_PRINT:
        text_add_c(text, "PRINT ");
        if (statement->path)
            print_string(statement->path, text);
        else
            print_name(&statement->name, text);
        if (statement->from_beginning)
            text_add_c(text, " FROM BEGINNING");
        if (statement->interval) {
            text_add_c(text, " INTERVAL ");
            print_expr(statement->interval, ANY, text);
        }
        if (statement->limit) {
            text_add_c(text, " LIMIT ");
            print_expr(statement->limit, ANY, text);
        }
        break;
    case AST_STMT_RUN_SCRIPT:
        text_add_c(text, "RUN SCRIPT ");
        print_string(statement->path, text);
        break;
    case AST_STMT_ASSERT:
        print_assert(statement, text);
        break;
    case AST_STMT_CONNECTOR:
        text_add_c(text, statement->if_exists ? "DROP CONNECTOR " : "CREATE SOURCE CONNECTOR ");
        print_name(&statement->name, text);
        print_with(&statement->properties, text);
        break;
    }
}

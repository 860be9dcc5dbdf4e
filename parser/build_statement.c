/* parser/build_statement.c: the parts of statements that are put together and checked as the grammar finds them: windows, CREATE, INSERT. */
#include "parser/parser_internal.h"

/* ---- windows ---- */

AstWindow build_window(Parser *parser, Token window, Token kind, WindowOptions *options, Token close)
{
    static const char *const kinds[] = { "TUMBLING", "HOPPING", "SESSION", "SLIDING", "CUMULATING", "COUNT" };
    static const char *const option_names[] = { "SIZE", "the gap", "ADVANCE BY", "STEP", "OFFSET", "RETENTION", "GRACE PERIOD", "TIME ZONE", "LATE INTO" };
    AstWindow result = { .at = span_join(window.at, close.at) };
    AstName name = token_name(parser, kind);
    for (int i = 0; i < 6; i++)
        if (name_equal(name.text, kinds[i]))
            result.kind = (AstWindowKind)(AST_WINDOW_TUMBLING + i);
    if (!result.kind) {
        parser_fail(parser, error_suggest(error_at(ERR_PARSE, name.at, "expected TUMBLING, HOPPING, SESSION, SLIDING, CUMULATING or COUNT after 'WINDOW', found '%s'", name.text),
                                          name.text, kinds, 6));
        result.kind = AST_WINDOW_TUMBLING;
        return result;
    }
    unsigned given = 0;
    const char *kind_name = kinds[result.kind - AST_WINDOW_TUMBLING];
    bool counts = result.kind == AST_WINDOW_COUNT;
    for (int i = 0; i < options->count; i++) {
        const WindowOption *option = &options->items[i];
        bool fits = true;
        if (given & 1u << option->kind)
            parser_fail(parser, error_at(ERR_PARSE, option->at, "a second %s in one window", option_names[option->kind]));
        given |= 1u << option->kind;
        if (option->is_count && !counts)
            parser_fail(parser, error_at(ERR_PARSE, option->at, "expected a unit of time after '%" PRId64 "'", option->count));
        if (!option->is_count && counts && (option->kind == WINDOW_SIZE || option->kind == WINDOW_ADVANCE))
            parser_fail(parser, error_at(ERR_PARSE, option->duration.at, "a COUNT window is measured in rows: expected a number"));
        switch (option->kind) {
        case WINDOW_SIZE:
            fits = result.kind != AST_WINDOW_SESSION;
            result.size = option->duration;
            result.count = option->count;
            break;
        case WINDOW_GAP:
            fits = result.kind == AST_WINDOW_SESSION;
            result.size = option->duration;
            break;
        case WINDOW_ADVANCE:
            fits = result.kind == AST_WINDOW_HOPPING || counts;
            result.advance = option->duration;
            result.count_advance = option->count;
            break;
        case WINDOW_STEP:
            fits = result.kind == AST_WINDOW_CUMULATING;
            result.advance = option->duration;
            break;
        case WINDOW_OFFSET:
            fits = !counts && result.kind != AST_WINDOW_SESSION && result.kind != AST_WINDOW_SLIDING;
            result.offset = option->duration;
            break;
        case WINDOW_RETENTION:
            result.retention = option->duration;
            break;
        case WINDOW_GRACE:
            result.grace = option->duration;
            break;
        case WINDOW_ZONE:
            fits = !counts && result.kind != AST_WINDOW_SESSION && result.kind != AST_WINDOW_SLIDING;
            result.time_zone = option->text;
            result.time_zone_at = option->text_at;
            break;
        case WINDOW_LATE:
            result.late_into = option->name;
            break;
        }
        if (!fits)
            parser_fail(parser, error_at(ERR_PARSE, option->at, "a %s window takes no %s", kind_name, option_names[option->kind]));
    }
    if (!(given & (1u << WINDOW_SIZE | 1u << WINDOW_GAP)))
        parser_fail(parser, error_at(ERR_PARSE, result.at, result.kind == AST_WINDOW_SESSION ? "a SESSION window needs its gap: SESSION (30 SECONDS)" : "a %s window needs a SIZE", kind_name));
    if (result.kind == AST_WINDOW_HOPPING && !(given & 1u << WINDOW_ADVANCE))
        parser_fail(parser, error_at(ERR_PARSE, result.at, "a HOPPING window needs ADVANCE BY"));
    if (result.kind == AST_WINDOW_CUMULATING && !(given & 1u << WINDOW_STEP))
        parser_fail(parser, error_at(ERR_PARSE, result.at, "a CUMULATING window needs a STEP"));
    return result;
}

/* ---- statements ---- */

AstStatement *build_statement(Parser *parser, AstStatementKind kind)
{
    AstStatement *statement = ARENA_NEW(parser->arena, AstStatement);
    statement->kind = kind;
    return statement;
}

void property_add(Parser *parser, AstProperties *list, OptionEntry entry)
{
    LIST_ADD(parser->arena, list, entry);
}

void create_elements(Parser *parser, AstCreate *create, Elements *elements)
{
    if (create->columns.count || create->watermark || create->primary_key.count)
        parser_fail(parser, error_at(ERR_PARSE, elements->items[0].at, "a second list of columns"));
    for (int i = 0; i < elements->count; i++) {
        const Element *element = &elements->items[i];
        switch (element->kind) {
        case ELEMENT_COLUMN:
            if (!element->column.type && !element->column.computed && create->object != AST_OBJECT_VIEW)
                parser_fail(parser, error_at(ERR_PARSE, element->at, "column '%s' has no type", element->column.name.text));
            if (create->object == AST_OBJECT_VIEW && (element->column.type || element->column.computed))
                parser_fail(parser, error_at(ERR_PARSE, element->at, "a view lists the names of its columns alone"));
            LIST_ADD(parser->arena, &create->columns, element->column);
            break;
        case ELEMENT_WATERMARK:
            if (create->watermark)
                parser_fail(parser, error_at(ERR_PARSE, element->at, "a second WATERMARK"));
            create->watermark_column = element->name;
            create->watermark = element->expr;
            create->watermark_at = element->at;
            break;
        case ELEMENT_PRIMARY_KEY:
            if (create->primary_key.count)
                parser_fail(parser, error_at(ERR_PARSE, element->at, "a second PRIMARY KEY"));
            create->primary_key = *element->names;
            create->not_enforced = element->not_enforced;
            break;
        }
    }
}

AstStatement *build_create(Parser *parser, AstCreate *create, AstQuery *query, Span at)
{
    AstStatementKind kind = create->object == AST_OBJECT_VIEW ? AST_STMT_CREATE_VIEW : query ? AST_STMT_CREATE_AS : AST_STMT_CREATE_SOURCE;
    AstStatement *statement = build_statement(parser, kind);
    statement->create = create;
    statement->name = create->name;
    statement->object = create->object;
    create->query = query;
    if (kind == AST_STMT_CREATE_VIEW && !query)
        parser_fail(parser, error_at(ERR_PARSE, at, "view '%s' has no query: expected AS SELECT ..", create->name.text));
    if (kind == AST_STMT_CREATE_VIEW && create->like.text)
        parser_fail(parser, error_at(ERR_PARSE, create->like.at, "a view is like nothing: it has a query"));
    if (kind == AST_STMT_CREATE_VIEW && create->with.count)
        parser_fail(parser, error_at(ERR_PARSE, create->with.items[0].name_at, "a view has no properties"));
    return statement;
}

AstStatement *build_insert(Parser *parser, AstName target, bool overwrite, AstNames *columns, AstProperties *with, AstQuery *query)
{
    bool values = query->kind == AST_VALUES && query_is_bare(query);
    AstStatement *statement = build_statement(parser, values ? AST_STMT_INSERT_VALUES : AST_STMT_INSERT_QUERY);
    statement->name = target;
    statement->overwrite = overwrite;
    if (columns)
        statement->columns = *columns;
    if (with)
        statement->properties = *with;
    if (values)
        memcpy(&statement->rows, &query->rows, sizeof statement->rows);
    else
        statement->query = query;
    return statement;
}

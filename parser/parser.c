/* parser/parser.c: the driver: a script's text -> statements.
 *
 * Statement by statement: raw tokens up to `;`, then the shim and the grammar. A statement that does not
 * parse gives one error, and the next one begins behind the `;`. Everything but the tree lives in a scratch
 * arena that hangs on the caller's, so that nothing is lost when memory runs out and a guard is left. */
#include "parser/parser_internal.h"
#include "parser/sql.h"

#define MAX_SCRIPT_BYTES (1u << 30)

static void release_scratch(void *scratch) { arena_release(scratch); }

static void release_errors(void *what)
{
    Parser *parser = what;
    error_free(parser->errors.first);
    error_free(parser->error);
    parser->errors = (ErrorList){ 0 };
    parser->error = NULL;
}

static Parser *parser_new(Arena *arena, const char *text, size_t length)
{
    Arena *scratch = ARENA_NEW(arena, Arena);
    arena_init(scratch, arena->pool);
    arena_defer(arena, release_scratch, scratch);
    Parser *parser = ARENA_NEW(scratch, Parser);
    arena_defer(scratch, release_errors, parser);
    parser->arena = arena;
    parser->scratch = scratch;
    parser->length = length;
    parser->text = arena_strndup(scratch, text, length);
    parser->engine = arena_alloc(scratch, sql_engine_size());
    parser->lexer = (Lexer){ .text = parser->text, .cursor = parser->text, .limit = parser->text + length };
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        parser->lexer.cursor += 3;
    return parser;
}

static Error *check_text(const char *text, size_t length)
{
    if (length >= MAX_SCRIPT_BYTES)
        return error_new(ERR_PARSE, "the script is larger than 1 GiB");
    size_t valid = utf8_valid_prefix(text, length);
    if (valid < length)
        return error_at(ERR_PARSE, (Span){ (uint32_t)valid, 1 }, "invalid UTF-8: byte 0x%02x", (unsigned char)text[valid]);
    const char *zero = memchr(text, 0, length);
    if (zero)
        return error_at(ERR_PARSE, (Span){ (uint32_t)(zero - text), 1 }, "a NUL byte in the text");
    return NULL;
}

static void report(Parser *parser, Error *error)
{
    if (parser->errors.last)
        parser->errors.last->next = error;
    else
        parser->errors.first = error;
    parser->errors.last = error;
}

/* The error list becomes the caller's; the rest goes. */
static Error *finish(Parser *parser)
{
    Error *errors = parser->errors.first;
    parser->errors = (ErrorList){ 0 };
    arena_release(parser->scratch);
    return errors;
}

/* ---- variables ---- */

static int variable_find(const Parser *parser, const char *name, size_t length)
{
    for (int i = parser->variables.count - 1; i >= 0; i--)
        if (strlen(parser->variables.names[i]) == length && strncasecmp(parser->variables.names[i], name, length) == 0)
            return i;
    return -1;
}

static void variable_set(Parser *parser, const char *name, const char *value)
{
    int index = variable_find(parser, name, strlen(name));
    if (index >= 0) {
        parser->variables.values[index] = value;
        return;
    }
    if (parser->variables.count == parser->variables.capacity) {
        int capacity = parser->variables.capacity ? parser->variables.capacity * 2 : 16;
        const char **names = ARENA_ARRAY(parser->scratch, const char *, (size_t)capacity);
        const char **values = ARENA_ARRAY(parser->scratch, const char *, (size_t)capacity);
        for (int i = 0; i < parser->variables.count; i++) {
            names[i] = parser->variables.names[i];
            values[i] = parser->variables.values[i];
        }
        parser->variables.names = names;
        parser->variables.values = values;
        parser->variables.capacity = capacity;
    }
    parser->variables.names[parser->variables.count] = name;
    parser->variables.values[parser->variables.count++] = value;
}

static void variable_unset(Parser *parser, const char *name)
{
    int index = variable_find(parser, name, strlen(name));
    if (index < 0)
        return;
    int last = --parser->variables.count;
    parser->variables.names[index] = parser->variables.names[last];
    parser->variables.values[index] = parser->variables.values[last];
}

/* The tokens of ${name}'s value, all at the place of the ${name}. */
static Error *expand_variable(Parser *parser, const Token *reference)
{
    const char *name = reference->text + 2;
    int length = (int)reference->length - 3;
    int index = variable_find(parser, name, (size_t)length);
    if (index < 0) {
        char *text = arena_strndup(parser->scratch, name, (size_t)length);
        return error_suggest(error_at(ERR_PARSE, reference->at, "no variable '%s' is defined", text), text,
                             parser->variables.names, parser->variables.count);
    }
    const char *value = parser->variables.values[index];
    size_t value_length = strlen(value);
    if (utf8_valid_prefix(value, value_length) < value_length)
        return error_at(ERR_PARSE, reference->at, "the value of variable '%.*s' is not UTF-8", length, name);
    Lexer lexer = { .text = value, .cursor = value, .limit = value + value_length };
    lexer.previous = parser->raw.count ? parser->raw.items[parser->raw.count - 1] : (Token){ 0 };
    lexer.word_index = parser->lexer.word_index;
    Token token;
    for (;;) {
        Error *error = lexer_next(&lexer, &token);
        if (error) {
            error->at = reference->at;
            return error_context(error, "in the value of variable '%.*s'", length, name);
        }
        if (token.code == 0)
            break;
        if (token.code == TK_SEMI || token.code == TK_VARIABLE || token.code == TK_HINT || token.code == TK_HINT_END)
            return error_at(ERR_PARSE, reference->at, "the value of variable '%.*s' cannot hold '%.*s'", length, name, (int)token.length, token.text);
        token.at = reference->at;
        token.flags |= TOKEN_VARIABLE;
        LIST_ADD(parser->scratch, &parser->raw, token);
    }
    /* Parentheses in it count: PATTERN is found by depth. */
    parser->lexer.paren_depth += lexer.paren_depth;
    parser->lexer.previous = parser->raw.count ? parser->raw.items[parser->raw.count - 1] : (Token){ 0 };
    return NULL;
}

/* ---- statements ---- */

static bool word_is(const Token *token, const char *word)
{
    return token->code == TK_ID && !(token->flags & TOKEN_QUOTED) && token->length == strlen(word) &&
           strncasecmp(token->text, word, token->length) == 0;
}

static bool begins(const Parser *parser, int from, const char *const words[])
{
    for (int i = 0; words[i]; i++)
        if (from + i >= parser->raw.count || !word_is(&parser->raw.items[from + i], words[i]))
            return false;
    return true;
}

/* Reads up to `;`. True if there was one; false at the end of the text. The first error of the text counts. */
static bool read_statement(Parser *parser)
{
    parser->raw.count = 0;
    parser->error = NULL;
    parser->lexer.word_index = 0;
    parser->lexer.paren_depth = parser->lexer.match_depth = 0;
    parser->lexer.match_next = parser->lexer.pattern_next = parser->lexer.in_hint = false;
    parser->lexer.previous = (Token){ 0 };
    for (;;) {
        Token token;
        Error *error = lexer_next(&parser->lexer, &token);
        if (error) {
            parser_fail(parser, error);
            continue;
        }
        if (token.code == 0)
            return false;
        if (token.code == TK_SEMI)
            return true;
        if (parser->error)
            continue;
        if (token.code == TK_VARIABLE) {
            error = expand_variable(parser, &token);
            if (error)
                parser_fail(parser, error);
            continue;
        }
        LIST_ADD(parser->scratch, &parser->raw, token);
    }
}

/* Where the next SELECT of an ASA script begins: there, `SELECT .. INTO a FROM x` needs no `;` behind it.
 * Returns the index of that SELECT, or the end. */
static int asa_break(const Parser *parser, int from)
{
    const Token *tokens = parser->raw.items;
    int count = parser->raw.count, depth = 0, selects = 0;
    bool into = false;
    if (tokens[from].keyword != TK_SELECT && tokens[from].keyword != TK_WITH)
        return count;
    for (int i = from; i < count; i++) {
        depth += (tokens[i].code == TK_LP) - (tokens[i].code == TK_RP);
        if (depth || tokens[i].code != TK_ID)
            continue;
        into |= tokens[i].keyword == TK_INTO && selects == 1;
        if (tokens[i].keyword != TK_SELECT)
            continue;
        int before = i > from ? tokens[i - 1].keyword : 0;
        if (before == TK_UNION || before == TK_EXCEPT || before == TK_INTERSECT || before == TK_ALL || before == TK_DISTINCT)
            continue;
        if (i > from && (tokens[i - 1].code == TK_DOT || tokens[i - 1].code == TK_FIELD))
            continue;
        if (selects++ && into)
            return i;
    }
    return count;
}

/* Parses tokens [from, to); NULL after an error. */
static AstStatement *parse_tokens(Parser *parser, int from, int to)
{
    Tokens all = parser->raw;
    parser->raw = (Tokens){ all.items + from, to - from, to - from };
    shim_feed(parser, parser->raw.items, parser->raw.count, false);
    AstStatement *statement = parser->error ? NULL : parser->statement;
    if (statement)
        statement->at = span_join(all.items[from].at, all.items[to - 1].at);
    parser->raw = all;
    return statement;
}

static void take_definition(Parser *parser, const AstStatement *statement)
{
    if (statement->kind == AST_STMT_DEFINE)
        variable_set(parser, statement->name.text, statement->properties.items[0].value);
    else if (statement->kind == AST_STMT_UNDEFINE)
        variable_unset(parser, statement->name.text);
}

typedef struct Statements { AstStatement **items; int count, capacity; } Statements;

Error *parse_script(Arena *arena, const char *text, size_t length, const ParserVariables *variables, AstScript *script)
{
    *script = (AstScript){ 0 };
    TRY(check_text(text, length));
    Parser *parser = parser_new(arena, text, length);
    for (int i = 0; variables && i < variables->count; i++)
        variable_set(parser, variables->names[i], variables->values[i]);

    static const char *const execute_set[] = { "EXECUTE", "STATEMENT", "SET", "BEGIN", NULL };
    static const char *const begin_set[] = { "BEGIN", "STATEMENT", "SET", NULL };
    static const char *const explain_set[] = { "STATEMENT", "SET", "BEGIN", NULL };
    Statements statements = { 0 };
    AstStatement *set = NULL;   /* EXECUTE STATEMENT SET BEGIN .. END that is open */
    AstStatement *holder = NULL; /* the statement to add when it closes: itself, or its EXPLAIN */
    bool set_failed = false;
    for (bool more = true; more;) {
        more = read_statement(parser);
        int from = 0;
        if (parser->error) {
            report(parser, parser->error);
            parser->error = NULL;
            set_failed |= set != NULL;
            continue;
        }
        if (!parser->raw.count)
            continue;
        const Token *first = parser->raw.items;
        if (set && word_is(first, "END") && parser->raw.count == 1) {
            set->at = span_join(set->at, first->at);
            holder->at = span_join(holder->at, set->at);
            if (!set_failed && set->statements.count)
                LIST_ADD(arena, &statements, holder);
            else if (!set_failed)
                report(parser, error_at(ERR_PARSE, first->at, "the statement set is empty: expected INSERT INTO .."));
            set = NULL;
            continue;
        }
        if (!set) {
            bool is_explain = word_is(first, "EXPLAIN");
            int header = is_explain && begins(parser, 1, explain_set) ? 4
                       : is_explain && parser->raw.count > 1 && word_is(&first[1], "ANALYZE") && begins(parser, 2, explain_set) ? 5
                       : begins(parser, 0, execute_set) ? 4 : begins(parser, 0, begin_set) ? 3 : 0;
            if (header) {
                holder = set = ARENA_NEW(arena, AstStatement);
                set->kind = AST_STMT_STATEMENT_SET;
                set->at = span_join(first->at, first[header - 1].at);
                set_failed = false;
                if (is_explain) {
                    holder = ARENA_NEW(arena, AstStatement);
                    holder->kind = AST_STMT_EXPLAIN;
                    holder->at = set->at;
                    holder->explain = header == 5 ? AST_EXPLAIN_ANALYZE : AST_EXPLAIN_PLAN;
                    holder->explained = set;
                }
                from = header;
                if (from == parser->raw.count)
                    continue;
                if (word_is(&first[from], "END") && from + 1 == parser->raw.count) {
                    report(parser, error_at(ERR_PARSE, first[from].at, "the statement set is empty: expected INSERT INTO .."));
                    set = NULL;
                    continue;
                }
            } else if (word_is(first, "EXECUTE") && parser->raw.count > 1 && (word_is(&first[1], "INSERT") || word_is(&first[1], "SELECT"))) {
                from = 1; /* Flink: EXECUTE INSERT INTO .. */
            }
        }
        AstStatement *leader = NULL; /* the first of a run of ASA queries, whose steps the others see */
        while (from < parser->raw.count) {
            int to = set ? parser->raw.count : asa_break(parser, from);
            AstStatement *statement = parse_tokens(parser, from, to);
            if (statement && set && statement->kind != AST_STMT_INSERT_QUERY && statement->kind != AST_STMT_INSERT_VALUES) {
                parser_fail(parser, error_at(ERR_PARSE, parser->raw.items[from].at, "a statement set holds INSERT statements alone"));
                statement = NULL;
            }
            if (parser->error) {
                report(parser, parser->error);
                parser->error = NULL;
                set_failed |= set != NULL;
            } else if (statement && set) {
                LIST_ADD(arena, &set->statements, statement);
            } else if (statement) {
                if (leader && statement->query && !statement->query->ctes.count && leader->query->ctes.count)
                    memcpy(&statement->query->ctes, &leader->query->ctes, sizeof statement->query->ctes);
                else if (statement->kind == AST_STMT_QUERY)
                    leader = statement;
                take_definition(parser, statement);
                LIST_ADD(arena, &statements, statement);
            }
            from = to;
        }
    }
    if (set)
        report(parser, error_at(ERR_PARSE, set->at, "the statement set has no END"));
    script->statements = statements.items;
    script->statement_count = statements.count;
    return finish(parser);
}

Error *parse_expression(Arena *arena, const char *text, size_t length, AstExpr **expr)
{
    *expr = NULL;
    TRY(check_text(text, length));
    Parser *parser = parser_new(arena, text, length);
    if (read_statement(parser))
        parser_fail(parser, error_at(ERR_PARSE, parser->lexer.previous.at, "unexpected ';' in an expression"));
    if (!parser->error) {
        shim_feed(parser, parser->raw.items, parser->raw.count, true);
        *expr = parser->error ? NULL : parser->expression;
    }
    if (parser->error) {
        report(parser, parser->error);
        parser->error = NULL;
    }
    return finish(parser);
}

TextPlace text_place(const char *text, size_t length, uint32_t offset)
{
    TextPlace place = { .line = 1, .column = 1 };
    size_t start = 0, at = offset < length ? offset : length;
    for (size_t i = 0; i < at; i++)
        if (text[i] == '\n') {
            place.line++;
            start = i + 1;
        }
    for (size_t i = start; i < at; i++)
        place.column += ((unsigned char)text[i] & 0xc0) != 0x80;
    size_t end = start;
    while (end < length && text[end] != '\n')
        end++;
    if (end > start && text[end - 1] == '\r')
        end--;
    place.line_text = text + start;
    place.line_length = end - start;
    return place;
}

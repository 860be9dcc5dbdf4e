/* parser/refused.c: statements and clauses of other systems: what does not parse is told by its name, with what to do instead. */
#include "parser/parser_internal.h"
#include "parser/sql.h"

#include <strings.h>

/* A statement that begins with these words; `a|b` in a word: one of them. */
typedef struct Opening {
    const char *words;
    const char *reason, *instead;
} Opening;

#define NO_CHANGE "rows are not changed in place"
#define BY_KEY "INSERT INTO a table with a PRIMARY KEY: a row takes the place of the one with its key"
#define NO_DATABASES "all names live in one catalog"
#define IN_WITH "leave it out; what a connection needs stands in WITH (..) of CREATE STREAM and CREATE TABLE"
#define NO_TRANSACTIONS "each statement is one by itself"
#define AS_A_SET "EXECUTE STATEMENT SET BEGIN .. END runs several INSERTs as one job"
#define NO_RIGHTS "SQL does not say who may do what"
#define USERS "a server is told by --users, see docs/security.md"
#define KEPT_CURRENT "CREATE TABLE .. AS SELECT .. keeps its result up to date"
#define NO_LOADING "functions are built in or written in SQL or Lua"
#define OWN_FUNCTIONS "CREATE FUNCTION .. LANGUAGE SQL, or LUA"
#define NO_PROCEDURES "there are queries and functions"
#define FROM_FILES "INSERT INTO name SELECT * FROM 'file.csv'"

static const Opening openings[] = {
    { "UPDATE", NO_CHANGE, BY_KEY },
    { "DELETE", NO_CHANGE, "a row of a table goes when its source sends the key without a value; WHERE leaves rows out of a query" },
    { "MERGE", NO_CHANGE, BY_KEY },
    { "UPSERT|REPLACE", NO_CHANGE, BY_KEY },
    { "TRUNCATE", NO_CHANGE, "DROP TABLE .., and CREATE TABLE .. again" },
    { "CREATE INDEX|UNIQUE", "tables are kept by their keys", "CREATE TABLE .. AS SELECT .. GROUP BY what you look for" },
    { "DROP INDEX", "tables are kept by their keys", NULL },
    { "REINDEX|VACUUM|OPTIMIZE", "there is nothing to tidy up", "leave it out" },
    { "CREATE|DROP|ALTER DATABASE|SCHEMA|CATALOG", NO_DATABASES, IN_WITH },
    { "USE", NO_DATABASES, IN_WITH },
    { "SHOW DATABASES|SCHEMAS|CATALOGS|CURRENT", NO_DATABASES, "SHOW STREAMS, SHOW TABLES, SHOW VIEWS" },
    { "BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE", NO_TRANSACTIONS, AS_A_SET },
    { "START TRANSACTION", NO_TRANSACTIONS, AS_A_SET },
    { "LOCK|UNLOCK", NO_TRANSACTIONS, "leave it out" },
    { "GRANT|REVOKE|DENY", NO_RIGHTS, USERS },
    { "CREATE|DROP|ALTER USER|ROLE", NO_RIGHTS, USERS },
    { "CREATE|DROP|ALTER MATERIALIZED", "every table that a query defines is kept", KEPT_CURRENT },
    { "REFRESH", "every table that a query defines is kept current", KEPT_CURRENT },
    { "CREATE EXTERNAL", "every stream and table with a connector is outside", "CREATE TABLE .. WITH (connector = .., path = ..)" },
    { "CREATE|DROP SEQUENCE", "there is no counter that statements share", "ROW_NUMBER() OVER (..)" },
    { "CREATE|DROP TRIGGER", "queries see each row as it comes", "INSERT INTO sink SELECT .. WHERE condition" },
    { "CREATE|DROP PROCEDURE", NO_PROCEDURES, OWN_FUNCTIONS },
    { "CALL", NO_PROCEDURES, "SELECT f(..)" },
    { "CREATE TEMPORARY SYSTEM", NO_LOADING, "CREATE TEMPORARY FUNCTION" },
    { "LOAD|UNLOAD MODULE", NO_LOADING, OWN_FUNCTIONS },
    { "ADD|REMOVE JAR", NO_LOADING, OWN_FUNCTIONS },
    { "SHOW MODULES|JARS|FULL", NO_LOADING, "SHOW FUNCTIONS" },
    { "LOAD DATA", "files are read where they lie", FROM_FILES },
    { "COPY", "files are read where they lie", FROM_FILES },
    { "ATTACH|DETACH|PRAGMA", "a database of SQLite is a connector", "CREATE TABLE .. WITH (connector = 'sqlite', path = .., table = ..)" },
    { "ANALYZE", "the planner needs no statistics", "EXPLAIN ANALYZE query shows what a query does" },
    { "SHOW COLUMNS", "columns are shown by their table", "DESCRIBE name" },
    { "SHOW JOBS|PROCESSLIST", "what runs are queries", "SHOW QUERIES" },
    { "SHOW PARTITIONS", "what a topic is divided into is shown by what reads it", "SHOW LAG EXTENDED" },
    { "STOP|KILL", "what runs are queries", "TERMINATE query" },
    { "COMPILE PLAN", "plans are made anew from the SQL", "EXPLAIN shows a plan; a server keeps its queries by itself" },
    { "EXECUTE PLAN", "plans are made anew from the SQL", "run the script itself" },
    { "PREPARE|DEALLOCATE", "statements are not kept by name", "DEFINE x = '..', and ${x} in the statement" },
    { "EXECUTE", "statements are not kept by name", "EXECUTE STATEMENT SET BEGIN .. END" },
    { "DECLARE|OPEN|CLOSE|FETCH", "results come as they are made", "SELECT .. LIMIT n" },
    { "RENAME", "names stay what they are", "CREATE STREAM|TABLE .. AS SELECT * FROM .., then DROP" },
    { "COMMENT", "a comment stands where the thing is made", "CREATE TABLE .. (..) COMMENT '..'" },
    { "HELP|QUIT|EXIT", "the shell knows it, SQL does not", NULL },
    { "WITH RECURSIVE", "a step cannot read itself", "GENERATE_SERIES(..) counts; MATCH_RECOGNIZE follows rows" },
};

/* A word that does not fit, in a statement that begins with `first`. */
typedef struct Misfit {
    const char *first, *word;
    const char *what, *reason, *instead;
} Misfit;

#define COLUMNS_COME "columns can only be added"
#define CREATE_ANEW "CREATE OR REPLACE STREAM|TABLE with the columns that it shall have"
#define NO_CONSTRAINTS "nobody would watch over it"
#define KEY_ONLY "PRIMARY KEY (..) says which rows replace each other, NOT NULL which values there are"

static const Misfit misfits[] = {
    { "ALTER", "DROP", "ALTER .. DROP", COLUMNS_COME, CREATE_ANEW },
    { "ALTER", "RENAME", "ALTER .. RENAME", COLUMNS_COME, "a query gives columns other names: CREATE STREAM|TABLE .. AS SELECT a AS b .." },
    { "ALTER", "MODIFY", "ALTER .. MODIFY", COLUMNS_COME, CREATE_ANEW },
    { "ALTER", "CHANGE", "ALTER .. CHANGE", COLUMNS_COME, CREATE_ANEW },
    { "ALTER", "ALTER", "ALTER .. ALTER COLUMN", COLUMNS_COME, CREATE_ANEW },
    { "ALTER", "SET", "ALTER .. SET", COLUMNS_COME, "CREATE OR REPLACE STREAM|TABLE .. WITH (..), or /*+ OPTIONS(..) */ behind the name in a query" },
    { "ALTER", "RESET", "ALTER .. RESET", COLUMNS_COME, "CREATE OR REPLACE STREAM|TABLE .. WITH (..)" },
    { "CREATE", "CHECK", "CHECK", NO_CONSTRAINTS, KEY_ONLY },
    { "CREATE", "UNIQUE", "UNIQUE", NO_CONSTRAINTS, KEY_ONLY },
    { "CREATE", "REFERENCES", "REFERENCES", NO_CONSTRAINTS, KEY_ONLY },
    { "CREATE", "FOREIGN", "FOREIGN KEY", NO_CONSTRAINTS, KEY_ONLY },
    { "CREATE", "AUTO_INCREMENT", "AUTO_INCREMENT", "there is no counter that statements share", "ROW_NUMBER() OVER (..) in a query" },
    { "CREATE", "IDENTITY", "IDENTITY", "there is no counter that statements share", "ROW_NUMBER() OVER (..) in a query" },
    { "DROP", "CASCADE", "DROP .. CASCADE", "what reads a stream is not dropped along with it", "DROP what reads it first: the error of a DROP names it" },
    { "DROP", "RESTRICT", "DROP .. RESTRICT", "it is what DROP does", "leave it out" },
    { "SELECT", "UPDATE", "FOR UPDATE", NO_TRANSACTIONS, "leave it out" },
    { "SELECT", "SHARE", "FOR SHARE", NO_TRANSACTIONS, "leave it out" },
};

static bool is_one_of(const Token *token, const char *words, size_t length)
{
    if (token->code != TK_ID || token->flags & TOKEN_QUOTED)
        return false;
    for (const char *at = words, *end = words + length; at < end;) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        const size_t one = (size_t)((bar ? bar : end) - at);
        if (token->length == one && strncasecmp(token->text, at, one) == 0)
            return true;
        at += one + 1;
    }
    return false;
}

/* How many tokens the opening takes; 0: the statement begins otherwise. */
static int opened_by(const Opening *opening, const Token *tokens, int count)
{
    int taken = 0;
    for (const char *at = opening->words; *at; taken++) {
        const size_t length = strcspn(at, " ");
        if (taken >= count || !is_one_of(&tokens[taken], at, length))
            return 0;
        at += length + strspn(at + length, " ");
    }
    return taken;
}

static Error *refusal(Span at, const char *what, const char *reason, const char *instead)
{
    Error *error = error_at(ERR_UNSUPPORTED, at, "%s is not supported: %s", what, reason);
    return instead ? error_hint(error, "%s", instead) : error;
}

static char *words_of(Arena *arena, const Token *tokens, int count)
{
    char *words = arena_strndup(arena, tokens[0].text, tokens[0].length);
    for (int i = 1; i < count; i++)
        words = arena_printf(arena, "%s %.*s", words, (int)tokens[i].length, tokens[i].text);
    for (char *at = words; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    return words;
}

Error *parser_refused(Parser *parser, const Token *tokens, int count, int index)
{
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits && index > 0 && index < count; i++)
        if (is_one_of(&tokens[0], misfits[i].first, strlen(misfits[i].first)) && is_one_of(&tokens[index], misfits[i].word, strlen(misfits[i].word)))
            return refusal(tokens[index].at, misfits[i].what, misfits[i].reason, misfits[i].instead);
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        const int taken = opened_by(&openings[i], tokens, count);
        if (taken && index <= taken)
            return refusal(span_join(tokens[0].at, tokens[taken - 1].at), words_of(parser->scratch, tokens, taken), openings[i].reason, openings[i].instead);
    }
    return NULL;
}

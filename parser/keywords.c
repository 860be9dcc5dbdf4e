/* parser/keywords.c: every word that can be a keyword somewhere.
 *
 * RESERVED words are never names (unless behind a '.'), SHAPED ones are keywords only where their
 * neighbours fit (shim.c), PLAIN ones where the grammar expects them. Sorted, for the search. */
#include "parser/parser_internal.h"
#include "parser/sql.h"

typedef struct Keyword {
    const char *name;
    uint16_t code; /* 0: known to the driver alone */
    KeywordClass class;
} Keyword;

static const Keyword keywords[] = {
    { "ADD", TK_ADD, KEYWORD_PLAIN },
    { "ADVANCE", TK_ADVANCE, KEYWORD_PLAIN },
    { "AFTER", TK_AFTER, KEYWORD_PLAIN },
    { "AGGREGATE", TK_AGGREGATE, KEYWORD_PLAIN },
    { "ALL", TK_ALL, KEYWORD_SHAPED },
    { "ALLOWED", TK_ALLOWED, KEYWORD_SHAPED },
    { "ALTER", TK_ALTER, KEYWORD_PLAIN },
    { "ANALYZE", TK_ANALYZE, KEYWORD_PLAIN },
    { "AND", TK_AND, KEYWORD_RESERVED },
    { "ANY", TK_QUANTIFIER, KEYWORD_SHAPED },
    { "APPLY", TK_APPLY, KEYWORD_PLAIN },
    { "ARRAY", TK_ARRAY, KEYWORD_SHAPED },
    { "AS", TK_AS, KEYWORD_RESERVED },
    { "ASC", TK_ASC, KEYWORD_PLAIN },
    { "ASSERT", TK_ASSERT, KEYWORD_PLAIN },
    { "AT", TK_AT, KEYWORD_SHAPED },
    { "BEGIN", 0, KEYWORD_NONE },
    { "BEGINNING", TK_BEGINNING, KEYWORD_PLAIN },
    { "BETWEEN", TK_BETWEEN, KEYWORD_RESERVED },
    { "BY", TK_BY, KEYWORD_SHAPED },
    { "CASE", TK_CASE, KEYWORD_RESERVED },
    { "CAST", TK_CAST, KEYWORD_SHAPED },
    { "CHANGES", TK_CHANGES, KEYWORD_PLAIN },
    { "COLUMN", TK_COLUMN, KEYWORD_PLAIN },
    { "COMMENT", TK_COMMENT, KEYWORD_PLAIN },
    { "CONNECTOR", TK_CONNECTOR, KEYWORD_PLAIN },
    { "CONNECTORS", TK_CONNECTORS, KEYWORD_PLAIN },
    { "CONSTRAINT", TK_CONSTRAINT, KEYWORD_SHAPED },
    { "CREATE", TK_CREATE, KEYWORD_PLAIN },
    { "CROSS", TK_CROSS, KEYWORD_SHAPED },
    { "CUBE", TK_CUBE, KEYWORD_SHAPED },
    { "CURRENT", TK_CURRENT, KEYWORD_SHAPED },
    { "DATE", TK_DATE, KEYWORD_SHAPED },
    { "DEFAULT", TK_DEFAULT, KEYWORD_PLAIN },
    { "DEFINE", TK_DEFINE, KEYWORD_PLAIN },
    { "DELAY", TK_DELAY, KEYWORD_PLAIN },
    { "DELETE", TK_DELETE, KEYWORD_PLAIN },
    { "DESC", TK_DESC, KEYWORD_PLAIN },
    { "DESCRIBE", TK_DESCRIBE, KEYWORD_PLAIN },
    { "DESCRIPTOR", TK_DESCRIPTOR, KEYWORD_SHAPED },
    { "DISTINCT", TK_DISTINCT, KEYWORD_RESERVED },
    { "DROP", TK_DROP, KEYWORD_PLAIN },
    { "ELSE", TK_ELSE, KEYWORD_RESERVED },
    { "EMIT", TK_EMIT, KEYWORD_SHAPED },
    { "EMPTY", TK_EMPTY, KEYWORD_PLAIN },
    { "END", TK_END, KEYWORD_SHAPED },
    { "ENFORCED", TK_ENFORCED, KEYWORD_PLAIN },
    { "ESCAPE", TK_ESCAPE, KEYWORD_PLAIN },
    { "EXCEPT", TK_EXCEPT, KEYWORD_RESERVED },
    { "EXCLUDE", TK_EXCLUDE, KEYWORD_PLAIN },
    { "EXECUTE", 0, KEYWORD_NONE },
    { "EXISTS", TK_EXISTS, KEYWORD_SHAPED },
    { "EXPLAIN", TK_EXPLAIN, KEYWORD_PLAIN },
    { "EXTENDED", TK_EXTENDED, KEYWORD_PLAIN },
    { "EXTRACT", TK_EXTRACT, KEYWORD_SHAPED },
    { "FALSE", TK_FALSE, KEYWORD_RESERVED },
    { "FETCH", TK_FETCH, KEYWORD_SHAPED },
    { "FILTER", TK_FILTER, KEYWORD_SHAPED },
    { "FINAL", TK_FINAL, KEYWORD_PLAIN },
    { "FIRST", TK_FIRST, KEYWORD_PLAIN },
    { "FOLLOWING", TK_FOLLOWING, KEYWORD_PLAIN },
    { "FOR", TK_FOR, KEYWORD_SHAPED },
    { "FROM", TK_FROM, KEYWORD_RESERVED },
    { "FULL", TK_FULL, KEYWORD_SHAPED },
    { "FUNCTION", TK_FUNCTION, KEYWORD_PLAIN },
    { "FUNCTIONS", TK_FUNCTIONS, KEYWORD_PLAIN },
    { "GRACE", TK_GRACE, KEYWORD_SHAPED },
    { "GROUP", TK_GROUP, KEYWORD_SHAPED },
    { "GROUPING", TK_GROUPING, KEYWORD_SHAPED },
    { "GROUPS", TK_GROUPS, KEYWORD_PLAIN },
    { "HAVING", TK_HAVING, KEYWORD_RESERVED },
    { "HEADER", TK_HEADER, KEYWORD_PLAIN },
    { "HEADERS", TK_HEADERS, KEYWORD_PLAIN },
    { "ID", TK_IDWORD, KEYWORD_PLAIN },
    { "IF", TK_IF, KEYWORD_SHAPED },
    { "IGNORE", TK_IGNORE, KEYWORD_SHAPED },
    { "IN", TK_IN, KEYWORD_RESERVED },
    { "INNER", TK_INNER, KEYWORD_SHAPED },
    { "INSERT", TK_INSERT, KEYWORD_PLAIN },
    { "INTERSECT", TK_INTERSECT, KEYWORD_RESERVED },
    { "INTERVAL", TK_INTERVAL, KEYWORD_SHAPED },
    { "INTO", TK_INTO, KEYWORD_RESERVED },
    { "IS", TK_IS, KEYWORD_RESERVED },
    { "JOIN", TK_JOIN, KEYWORD_RESERVED },
    { "KEY", TK_KEY, KEYWORD_PLAIN },
    { "LAG", TK_LAG, KEYWORD_PLAIN },
    { "LANGUAGE", TK_LANGUAGE, KEYWORD_PLAIN },
    { "LAST", TK_LAST, KEYWORD_PLAIN },
    { "LATE", TK_LATE, KEYWORD_SHAPED },
    { "LATENESS", TK_LATENESS, KEYWORD_SHAPED },
    { "LATERAL", TK_LATERAL, KEYWORD_SHAPED },
    { "LEFT", TK_LEFT, KEYWORD_SHAPED },
    { "LIKE", TK_LIKE, KEYWORD_RESERVED },
    { "LIMIT", TK_LIMIT, KEYWORD_SHAPED },
    { "LIST", TK_LIST, KEYWORD_PLAIN },
    { "LOCAL", TK_LOCAL, KEYWORD_PLAIN },
    { "MAP", TK_MAP, KEYWORD_SHAPED },
    { "MATCH", TK_MATCH, KEYWORD_PLAIN },
    { "MATCHES", TK_MATCHES, KEYWORD_PLAIN },
    { "MATCH_RECOGNIZE", TK_MATCH_RECOGNIZE, KEYWORD_SHAPED },
    { "MEASURES", TK_MEASURES, KEYWORD_PLAIN },
    { "METADATA", TK_METADATA, KEYWORD_PLAIN },
    { "NATURAL", TK_NATURAL, KEYWORD_SHAPED },
    { "NEXT", TK_NEXT, KEYWORD_PLAIN },
    { "NO", TK_NO, KEYWORD_PLAIN },
    { "NOT", TK_NOT, KEYWORD_RESERVED },
    { "NULL", TK_NULL, KEYWORD_RESERVED },
    { "NULLS", TK_NULLS, KEYWORD_SHAPED },
    { "OF", TK_OF, KEYWORD_PLAIN },
    { "OFFSET", TK_OFFSET, KEYWORD_SHAPED },
    { "OMIT", TK_OMIT, KEYWORD_PLAIN },
    { "ON", TK_ON, KEYWORD_RESERVED },
    { "ONE", TK_ONE, KEYWORD_PLAIN },
    { "ONLY", TK_ONLY, KEYWORD_PLAIN },
    { "OPTIONS", TK_OPTIONS, KEYWORD_PLAIN },
    { "OR", TK_OR, KEYWORD_RESERVED },
    { "ORDER", TK_ORDER, KEYWORD_SHAPED },
    { "ORDINALITY", TK_ORDINALITY, KEYWORD_PLAIN },
    { "OTHERS", TK_OTHERS, KEYWORD_PLAIN },
    { "OUTER", TK_OUTER, KEYWORD_SHAPED },
    { "OUTPUT", TK_OUTPUT, KEYWORD_PLAIN },
    { "OVER", TK_OVER, KEYWORD_SHAPED },
    { "OVERWRITE", TK_OVERWRITE, KEYWORD_PLAIN },
    { "PARTITION", TK_PARTITION, KEYWORD_SHAPED },
    { "PARTITIONED", TK_PARTITIONED, KEYWORD_PLAIN },
    { "PAST", TK_PAST, KEYWORD_PLAIN },
    { "PATTERN", TK_PATTERN, KEYWORD_PLAIN },
    { "PAUSE", TK_PAUSE, KEYWORD_PLAIN },
    { "PER", TK_PER, KEYWORD_PLAIN },
    { "PERIOD", TK_PERIOD, KEYWORD_SHAPED },
    { "PLAN", TK_PLAN, KEYWORD_PLAIN },
    { "PLUGINS", TK_PLUGINS, KEYWORD_PLAIN },
    { "PRECEDING", TK_PRECEDING, KEYWORD_PLAIN },
    { "PRECISION", TK_PRECISION, KEYWORD_SHAPED },
    { "PRIMARY", TK_PRIMARY, KEYWORD_SHAPED },
    { "PRINT", TK_PRINT, KEYWORD_PLAIN },
    { "PROPERTIES", TK_PROPERTIES, KEYWORD_PLAIN },
    { "QUALIFY", TK_QUALIFY, KEYWORD_RESERVED },
    { "QUERIES", TK_QUERIES, KEYWORD_PLAIN },
    { "RANGE", TK_RANGE, KEYWORD_PLAIN },
    { "REPLACE", TK_REPLACE, KEYWORD_PLAIN },
    { "RESET", TK_RESET, KEYWORD_PLAIN },
    { "RESPECT", TK_RESPECT, KEYWORD_SHAPED },
    { "RESUME", TK_RESUME, KEYWORD_PLAIN },
    { "RETENTION", TK_RETENTION, KEYWORD_PLAIN },
    { "RETURNS", TK_RETURNS, KEYWORD_PLAIN },
    { "RIGHT", TK_RIGHT, KEYWORD_SHAPED },
    { "ROLLUP", TK_ROLLUP, KEYWORD_SHAPED },
    { "ROW", TK_ROW, KEYWORD_SHAPED },
    { "ROWS", TK_ROWS, KEYWORD_PLAIN },
    { "RUN", TK_RUN, KEYWORD_PLAIN },
    { "SAMPLE", TK_SAMPLE, KEYWORD_PLAIN },
    { "SCHEMA", TK_SCHEMA, KEYWORD_PLAIN },
    { "SCRIPT", TK_SCRIPT, KEYWORD_PLAIN },
    { "SELECT", TK_SELECT, KEYWORD_RESERVED },
    { "SET", TK_SET, KEYWORD_PLAIN },
    { "SETS", TK_SETS, KEYWORD_SHAPED },
    { "SHOW", TK_SHOW, KEYWORD_PLAIN },
    { "SINK", TK_SINK, KEYWORD_PLAIN },
    { "SIZE", TK_SIZE, KEYWORD_PLAIN },
    { "SKIP", TK_SKIP, KEYWORD_PLAIN },
    { "SOME", TK_QUANTIFIER, KEYWORD_SHAPED },
    { "SOURCE", TK_SOURCE, KEYWORD_PLAIN },
    { "STATEMENT", 0, KEYWORD_NONE },
    { "STEP", TK_STEP, KEYWORD_PLAIN },
    { "STREAM", TK_STREAM, KEYWORD_PLAIN },
    { "STREAMS", TK_STREAMS, KEYWORD_PLAIN },
    { "STRUCT", TK_STRUCT, KEYWORD_SHAPED },
    { "SUBJECT", TK_SUBJECT, KEYWORD_PLAIN },
    { "SUBSET", TK_SUBSET, KEYWORD_PLAIN },
    { "SYSTEM", TK_SYSTEM, KEYWORD_PLAIN },
    { "SYSTEM_TIME", TK_SYSTEM_TIME, KEYWORD_SHAPED },
    { "TABLE", TK_TABLE, KEYWORD_SHAPED },
    { "TABLES", TK_TABLES, KEYWORD_PLAIN },
    { "TEMPORARY", TK_TEMPORARY, KEYWORD_PLAIN },
    { "TERMINATE", TK_TERMINATE, KEYWORD_PLAIN },
    { "THEN", TK_THEN, KEYWORD_RESERVED },
    { "TIES", TK_TIES, KEYWORD_PLAIN },
    { "TIME", TK_TIME, KEYWORD_SHAPED },
    { "TIMEOUT", TK_TIMEOUT, KEYWORD_PLAIN },
    { "TIMESTAMP", TK_TIMESTAMP, KEYWORD_SHAPED },
    { "TO", TK_TO, KEYWORD_SHAPED },
    { "TOMBSTONE", TK_TOMBSTONE, KEYWORD_PLAIN },
    { "TOP", TK_TOP, KEYWORD_SHAPED },
    { "TOPIC", TK_TOPIC, KEYWORD_PLAIN },
    { "TOPICS", TK_TOPICS, KEYWORD_PLAIN },
    { "TRUE", TK_TRUE, KEYWORD_RESERVED },
    { "TRY_CAST", TK_TRY_CAST, KEYWORD_SHAPED },
    { "TYPE", TK_TYPE, KEYWORD_PLAIN },
    { "TYPES", TK_TYPES, KEYWORD_PLAIN },
    { "UNBOUNDED", TK_UNBOUNDED, KEYWORD_PLAIN },
    { "UNDEFINE", TK_UNDEFINE, KEYWORD_PLAIN },
    { "UNION", TK_UNION, KEYWORD_RESERVED },
    { "UNKNOWN", TK_UNKNOWN, KEYWORD_PLAIN },
    { "UNMATCHED", TK_UNMATCHED, KEYWORD_PLAIN },
    { "UNSET", TK_UNSET, KEYWORD_PLAIN },
    { "USING", TK_USING, KEYWORD_RESERVED },
    { "VALUES", TK_VALUES, KEYWORD_SHAPED },
    { "VARIABLES", TK_VARIABLES, KEYWORD_PLAIN },
    { "VIEW", TK_VIEW, KEYWORD_PLAIN },
    { "VIEWS", TK_VIEWS, KEYWORD_PLAIN },
    { "VIRTUAL", TK_VIRTUAL, KEYWORD_PLAIN },
    { "WATERMARK", TK_WATERMARK, KEYWORD_SHAPED },
    { "WHEN", TK_WHEN, KEYWORD_RESERVED },
    { "WHERE", TK_WHERE, KEYWORD_RESERVED },
    { "WHY", TK_WHY, KEYWORD_PLAIN },
    { "WINDOW", TK_WINDOW, KEYWORD_SHAPED },
    { "WITH", TK_WITH, KEYWORD_RESERVED },
    { "WITHIN", TK_WITHIN, KEYWORD_SHAPED },
    { "WITHOUT", TK_WITHOUT, KEYWORD_SHAPED },
    { "ZONE", TK_ZONE, KEYWORD_PLAIN },
};
#define KEYWORD_COUNT ((int)(sizeof keywords / sizeof keywords[0]))

static int compare(const char *word, size_t length, const char *name)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char upper = (unsigned char)word[i];
        if (upper >= 'a' && upper <= 'z')
            upper = (unsigned char)(upper - 'a' + 'A');
        if (upper != (unsigned char)name[i]) /* also where the name ends */
            return upper < (unsigned char)name[i] ? -1 : 1;
    }
    return name[length] ? -1 : 0;
}

int keyword_find(const char *text, size_t length, KeywordClass *class)
{
    int low = 0, high = KEYWORD_COUNT - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        int order = compare(text, length, keywords[middle].name);
        if (order == 0) {
            *class = keywords[middle].class;
            return keywords[middle].code;
        }
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    *class = KEYWORD_NONE;
    return 0;
}

static const Keyword *by_code(int code)
{
    for (int i = 0; code && i < KEYWORD_COUNT; i++)
        if (keywords[i].code == code)
            return &keywords[i];
    return NULL;
}

const char *keyword_name(int code)
{
    const Keyword *keyword = by_code(code);
    return keyword ? keyword->name : NULL;
}

KeywordClass keyword_class(int code)
{
    const Keyword *keyword = by_code(code);
    return keyword ? keyword->class : KEYWORD_NONE;
}

const char *const *parser_keywords(int *count)
{
    static const char *const names[] = {
        "ADD", "ADVANCE", "AFTER", "AGGREGATE", "ALL", "ALLOWED", "ALTER", "ANALYZE", "AND", "ANY", "APPLY", "ARRAY", "AS",
        "ASC", "ASSERT", "AT", "BEGIN", "BEGINNING", "BETWEEN", "BY", "CASE", "CAST", "CHANGES", "COLUMN", "COMMENT",
        "CONNECTOR", "CONNECTORS", "CONSTRAINT", "CREATE", "CROSS", "CUBE", "CURRENT", "DATE", "DEFAULT", "DEFINE",
        "DELAY", "DELETE", "DESC", "DESCRIBE", "DESCRIPTOR", "DISTINCT", "DROP", "ELSE", "EMIT", "EMPTY", "END",
        "ENFORCED", "ESCAPE", "EXCEPT", "EXCLUDE", "EXECUTE", "EXISTS", "EXPLAIN", "EXTENDED", "EXTRACT", "FALSE", "FETCH",
        "FILTER", "FINAL", "FIRST", "FOLLOWING", "FOR", "FROM", "FULL", "FUNCTION", "FUNCTIONS", "GRACE", "GROUP",
        "GROUPING", "GROUPS", "HAVING", "HEADER", "HEADERS", "ID", "IF", "IGNORE", "IN", "INNER", "INSERT", "INTERSECT",
        "INTERVAL", "INTO", "IS", "JOIN", "KEY", "LAG", "LANGUAGE", "LAST", "LATE", "LATENESS", "LATERAL", "LEFT",
        "LIKE", "LIMIT", "LIST", "LOCAL", "MAP", "MATCH", "MATCHES", "MATCH_RECOGNIZE", "MEASURES", "METADATA",
        "NATURAL", "NEXT", "NO", "NOT", "NULL", "NULLS", "OF", "OFFSET", "OMIT", "ON", "ONE", "ONLY", "OPTIONS", "OR",
        "ORDER", "ORDINALITY", "OTHERS", "OUTER", "OUTPUT", "OVER", "OVERWRITE", "PARTITION", "PARTITIONED", "PAST", "PATTERN",
        "PAUSE", "PER", "PERIOD", "PLAN", "PLUGINS", "PRECEDING", "PRECISION", "PRIMARY", "PRINT", "PROPERTIES",
        "QUALIFY", "QUERIES", "RANGE", "REPLACE", "RESET", "RESPECT", "RESUME", "RETENTION", "RETURNS", "RIGHT",
        "ROLLUP", "ROW", "ROWS", "RUN", "SAMPLE", "SCHEMA", "SCRIPT", "SELECT", "SET", "SETS", "SHOW", "SINK", "SIZE",
        "SKIP", "SOME", "SOURCE", "STATEMENT", "STEP", "STREAM", "STREAMS", "STRUCT", "SUBJECT", "SUBSET", "SYSTEM",
        "SYSTEM_TIME", "TABLE", "TABLES", "TEMPORARY", "TERMINATE", "THEN", "TIES", "TIME", "TIMEOUT", "TIMESTAMP", "TO",
        "TOMBSTONE", "TOP", "TOPIC", "TOPICS", "TRUE", "TRY_CAST", "TYPE", "TYPES", "UNBOUNDED", "UNDEFINE", "UNION",
        "UNKNOWN", "UNMATCHED", "UNSET", "USING", "VALUES", "VARIABLES", "VIEW", "VIEWS", "VIRTUAL", "WATERMARK",
        "WHEN", "WHERE", "WHY", "WINDOW", "WITH", "WITHIN", "WITHOUT", "ZONE",
    };
    *count = (int)(sizeof names / sizeof names[0]);
    return names;
}

/* repl/completion.c: the words before the cursor tell what kind of name comes next. */
#include "repl/completion.h"

#include <dirent.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "repl/commands.h"
#include "repl/help.h"
#include "repl/sql_text.h"

typedef struct Place {
    Backend *backend;
    Arena *arena;
    const char *text;
    size_t length;            /* of the statement at hand, up to the cursor */
    size_t begin;             /* where it begins */
    size_t word;              /* where the word begins that is being typed */
    SqlPiece pieces[256];     /* those before it; of a long statement the last ones */
    int count;
    Completions *found;
} Place;

/* ---- what stands before ---- */

static bool is_word_part(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || (unsigned char)c >= 0x80; }

static void look_back(Place *place, size_t cursor)
{
    SqlPiece piece;
    size_t at = 0;
    place->word = cursor;
    while (place->word > 0 && is_word_part(place->text[place->word - 1]))
        place->word--;
    while (sql_piece_next(place->text, place->word, &at, &piece)) {
        if (piece.kind == PIECE_COMMENT)
            continue;
        if (place->count == 256)
            memmove(place->pieces, place->pieces + 1, sizeof piece * (size_t)--place->count);
        place->pieces[place->count++] = piece;
        if (sql_piece_is(place->text, &piece, ";")) {
            place->count = 0;
            place->begin = at;
        }
    }
}

/* The piece `back` places before the word: 1 is the last one. */
static bool before_is(const Place *place, int back, const char *word)
{
    return back <= place->count && sql_piece_is(place->text, &place->pieces[place->count - back], word);
}

static bool before_is_any(const Place *place, int back, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (before_is(place, back, words[i]))
            return true;
    return false;
}

/* Is the cursor inside the brackets of WITH (..) or OPTIONS (..)? */
static bool inside_properties(const Place *place)
{
    int depth = 0;
    for (int back = 1; back <= place->count; back++) {
        if (before_is(place, back, ")"))
            depth++;
        if (before_is(place, back, "(") && depth-- == 0)
            return before_is(place, back + 1, "with") || before_is(place, back + 1, "options");
    }
    return false;
}

/* ---- offering ---- */

static void offer(Place *place, const char *name, const char *behind)
{
    const char *typed = place->text + place->word;
    size_t length = place->length - place->word;
    if (strncasecmp(name, typed, length) != 0)
        return;
    for (int i = 0; i < place->found->count; i++)
        if (strcasecmp(place->found->items[i].shown, name) == 0)
            return;
    Completion completion = { *behind ? arena_printf(place->arena, "%s%s", name, behind) : name, name };
    LIST_ADD(place->arena, place->found, completion);
}

static void offer_names(Place *place, SessionNames kind, const char *behind)
{
    int count;
    const char *const *names = place->backend->type->names(place->backend, kind, place->arena, &count);
    for (int i = 0; i < count; i++)
        offer(place, names[i], behind);
}

/* Keywords are offered as they are being typed: in capitals, unless a small letter was typed. */
static void offer_keywords(Place *place, const char *const *words, int count)
{
    bool small = place->word < place->length && place->text[place->word] >= 'a' && place->text[place->word] <= 'z';
    for (int i = 0; i < count; i++) {
        char *word = arena_strdup(place->arena, words[i]);
        for (char *c = word; small && *c; c++)
            *c |= (*c >= 'A' && *c <= 'Z') ? 32 : 0;
        offer(place, word, " ");
    }
}

static void offer_columns(Place *place, const char *relation)
{
    int count;
    const char *const *names = place->backend->type->columns(place->backend, place->arena, relation, &count);
    for (int i = 0; i < count; i++)
        offer(place, names[i], "");
}

static const char *piece_name(const Place *place, const SqlPiece *piece)
{
    bool quoted = piece->kind == PIECE_NAME && piece->length >= 2;
    return arena_strndup(place->arena, place->text + piece->start + quoted, piece->length - (quoted ? 2 : 0));
}

/* Columns of every relation that the statement names, also behind the cursor. */
static void offer_all_columns(Place *place, size_t whole)
{
    SqlPiece piece;
    for (size_t at = place->begin; sql_piece_next(place->text, whole, &at, &piece);) {
        if (sql_piece_is(place->text, &piece, ";") && piece.start >= place->length)
            return;
        if (piece.kind == PIECE_WORD || piece.kind == PIECE_NAME)
            offer_columns(place, piece_name(place, &piece));
    }
}

/* b.price: the columns of what is called b. */
static void offer_fields(Place *place, size_t whole)
{
    if (place->count < 2)
        return;
    const SqlPiece *owner = &place->pieces[place->count - 2];
    const char *name = piece_name(place, owner);
    offer_columns(place, name);
    SqlPiece piece, previous = { 0 };
    bool as = false;
    for (size_t at = place->begin; sql_piece_next(place->text, whole, &at, &piece);) {
        if (sql_piece_is(place->text, &piece, "as")) {
            as = true;
            continue;
        }
        bool is_alias = (piece.kind == PIECE_WORD || piece.kind == PIECE_NAME) && strcasecmp(piece_name(place, &piece), name) == 0;
        if (is_alias && previous.length && (as || piece.start != owner->start) && (previous.kind == PIECE_WORD || previous.kind == PIECE_NAME))
            offer_columns(place, piece_name(place, &previous));
        previous = piece;
        as = false;
    }
}

/* ---- files ---- */

static void offer_files(Place *place, size_t from)
{
    const char *typed = arena_strndup(place->arena, place->text + from, place->length - from), *slash = strrchr(typed, '/');
    const char *folder = !slash ? "." : slash == typed ? "/" : arena_strndup(place->arena, typed, (size_t)(slash - typed));
    const char *begun = slash ? slash + 1 : typed;
    DIR *directory = opendir(folder);
    place->found->from = from + (size_t)(begun - typed);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (strncmp(entry->d_name, begun, strlen(begun)) != 0 || (entry->d_name[0] == '.' && begun[0] != '.'))
            continue;
        struct stat about;
        bool is_folder = stat(arena_printf(place->arena, "%s/%s", folder, entry->d_name), &about) == 0 && S_ISDIR(about.st_mode);
        const char *name = arena_printf(place->arena, "%s%s", entry->d_name, is_folder ? "/" : "");
        LIST_ADD(place->arena, place->found, ((Completion){ name, name }));
    }
    if (directory)
        closedir(directory);
}

/* ---- statements ---- */

static const char *const statement_words[] = { "ALTER", "ASSERT", "CREATE", "DEFINE", "DESCRIBE", "DROP", "EXECUTE", "EXPLAIN", "INSERT", "LIST", "PAUSE", "PRINT",
    "RESET", "RESUME", "RUN", "SELECT", "SET", "SHOW", "TERMINATE", "UNDEFINE", "UNSET", "VALUES", "WITH" };
static const char *const shown_words[] = { "CONNECTORS", "FUNCTIONS", "LAG", "PROPERTIES", "QUERIES", "STREAMS", "TABLES", "TOPICS", "TYPES", "VARIABLES", "VIEWS" };
static const char *const created_words[] = { "FUNCTION", "OR", "SOURCE", "STREAM", "TABLE", "TEMPORARY", "TYPE", "VIEW" };
static const char *const type_words[] = { "ARRAY", "BIGINT", "BOOLEAN", "BYTES", "CHAR", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "INT", "INTERVAL", "MAP", "ROW", "SMALLINT",
    "STRING", "STRUCT", "TIME", "TIMESTAMP", "TINYINT", "VARBINARY", "VARCHAR" };
#define WORDS(list) (list), (int)(sizeof(list) / sizeof *(list))

static void offer_properties(Place *place)
{
    if (before_is(place, 1, "("))
        offer_names(place, SESSION_PROPERTIES, " = ");
    else if (before_is(place, 1, ","))
        offer_names(place, SESSION_PROPERTIES, " = ");
}

/* Inside quotes: a property's value or name, a setting, a file. */
static void offer_quoted(Place *place, size_t open)
{
    static const char *const formats[] = { "format", "value_format", "key_format", NULL };
    static const char *const before_setting[] = { "set", "unset", "reset", NULL };
    SqlPiece *last = place->count ? &place->pieces[place->count - 1] : NULL; /* the open string itself */
    if (last && last->open)
        place->count--;
    place->word = place->found->from = open + 1;
    bool value = before_is(place, 1, "=");
    if (before_is_any(place, 1, before_setting))
        offer_names(place, SESSION_SETTINGS, "'");
    else if (value && before_is(place, 2, "connector"))
        offer_names(place, SESSION_CONNECTORS, "'");
    else if (value && before_is_any(place, 2, formats))
        offer_names(place, SESSION_FORMATS, "'");
    else if (!value && inside_properties(place))
        offer_names(place, SESSION_PROPERTIES, "' = ");
    else
        offer_files(place, open + 1);
}

static void offer_expression(Place *place, size_t whole)
{
    int count;
    offer_all_columns(place, whole);
    if (place->word == place->length && place->found->count)
        return; /* nothing is typed yet: columns are what is wanted, not every function there is */
    offer_names(place, SESSION_FUNCTIONS, "(");
    const char *const *keywords = place->backend->type->names(place->backend, SESSION_KEYWORDS, place->arena, &count);
    offer_keywords(place, keywords, count);
    offer_names(place, SESSION_RELATIONS, "");
}

/* Words after which only a few others come. False: it is none of them. */
static bool offer_next(Place *place)
{
    static const struct { const char *word, *next[3]; } known[] = {
        { "window", { "TUMBLING (SIZE", "HOPPING (SIZE", "SESSION (" } }, { "group", { "BY" } }, { "order", { "BY" } }, { "partition", { "BY" } }, { "partitioned", { "BY" } },
        { "emit", { "CHANGES", "FINAL", "AFTER" } }, { "insert", { "INTO" } }, { "is", { "NULL", "NOT NULL", "DISTINCT FROM" } }, { "inner", { "JOIN" } }, { "cross", { "JOIN" } },
        { "left", { "JOIN", "OUTER JOIN" } }, { "right", { "JOIN", "OUTER JOIN" } }, { "full", { "JOIN", "OUTER JOIN" } }, { "execute", { "STATEMENT SET BEGIN" } }, { "primary", { "KEY" } },
        { "why", { "NO OUTPUT" } }, { "watermark", { "FOR" } }, { "run", { "SCRIPT" } },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (before_is(place, 1, known[i].word)) {
            int count = 0;
            while (count < 3 && known[i].next[count])
                count++;
            offer_keywords(place, known[i].next, count);
            return place->found->count > 0;
        }
    return false;
}

/* Is the cursor where the type of a column stands: CREATE STREAM s (a BIGINT, b ..? *name: where its name stands. */
static bool inside_columns(const Place *place, bool *name)
{
    int depth = 0;
    if (place->count < 4 || !sql_piece_is(place->text, &place->pieces[0], "create"))
        return false;
    for (int back = 1; back <= place->count; back++) {
        depth += before_is(place, back, ")");
        if (!before_is(place, back, "(") || depth-- > 0)
            continue;
        *name = before_is(place, 1, "(") || before_is(place, 1, ",");
        return before_is_any(place, back + 2, (const char *const[]){ "stream", "table", "exists", NULL }) && (*name || before_is(place, 2, "(") || before_is(place, 2, ","));
    }
    return false;
}

static void offer_words(Place *place, size_t whole)
{
    bool name = false;
    static const char *const before_relation[] = { "from", "join", "into", "describe", "desc", "table", "stream", "view", "apply", NULL };
    if (place->count == 0) {
        offer_keywords(place, WORDS(statement_words));
    } else if (before_is(place, 1, ".") || before_is(place, 1, ">")) {
        offer_fields(place, whole);
    } else if (place->count == 1 && (before_is(place, 1, "show") || before_is(place, 1, "list"))) {
        offer_keywords(place, WORDS(shown_words));
    } else if (place->count == 1 && before_is(place, 1, "create")) {
        offer_keywords(place, WORDS(created_words));
    } else if (before_is(place, 1, "function") && !before_is(place, 2, "create")) {
        offer_names(place, SESSION_FUNCTIONS, "");
    } else if (place->count == 1 && before_is_any(place, 1, (const char *const[]){ "terminate", "pause", "resume", "explain", NULL })) {
        offer_names(place, SESSION_QUERIES, "");
        offer_keywords(place, before_is(place, 1, "explain") ? (const char *const[]){ "ANALYZE", "EXTENDED", "WHY", "SELECT" } : (const char *const[]){ "ALL" }, before_is(place, 1, "explain") ? 4 : 1);
    } else if (before_is(place, 1, "undefine")) {
        offer_names(place, SESSION_VARIABLES, "");
    } else if (before_is_any(place, 1, before_relation) && !before_is(place, 2, "create")) {
        offer_names(place, SESSION_RELATIONS, "");
        if (before_is(place, 1, "describe"))
            offer_keywords(place, (const char *const[]){ "FUNCTION", "EXTENDED" }, 2);
    } else if (inside_columns(place, &name)) {
        if (!name) {
            offer_keywords(place, WORDS(type_words));
            offer_names(place, SESSION_TYPES, "");
        }
    } else if (before_is(place, 1, "(") && before_is(place, 2, "table") && before_is_any(place, 3, (const char *const[]){ "from", "join", ",", NULL })) {
        offer_keywords(place, (const char *const[]){ "TUMBLE(TABLE", "HOP(TABLE", "CUMULATE(TABLE", "SESSION(TABLE" }, 4);
    } else if (inside_properties(place)) {
        offer_properties(place);
    } else if (before_is(place, 1, "as") && before_is(place, 3, "(")) { /* CAST(x AS ..) */
        offer_keywords(place, WORDS(type_words));
        offer_names(place, SESSION_TYPES, "");
    } else if (!offer_next(place)) {
        offer_expression(place, whole);
    }
}

static void offer_list(Place *place, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        offer(place, names[i], "");
}

/* What \? tells of. */
static void offer_topics(Place *place)
{
    int count;
    const StatementHelp *statements = help_statements(&count);
    for (int i = 0; i < count; i++)
        offer(place, statements[i].name, "");
    offer_names(place, SESSION_FUNCTIONS, "");
    const Command *commands = commands_all(&count);
    for (int i = 0; i < count; i++)
        offer(place, arena_printf(place->arena, "\\%s", commands[i].name), "");
}

static void offer_for_command(Place *place, const char *text, size_t cursor)
{
    size_t blank = cursor;
    while (blank > 0 && text[blank - 1] != ' ')
        blank--;
    place->found->from = place->word = blank;
    if (blank == 0) {
        commands_complete(place->arena, text, cursor, place->found);
        return;
    }
    switch (command_takes(text, cursor)) {
    case TAKES_NOTHING: break;
    case TAKES_RELATION: offer_names(place, SESSION_RELATIONS, ""); break;
    case TAKES_FUNCTION: offer_names(place, SESSION_FUNCTIONS, ""); break;
    case TAKES_QUERY: offer_names(place, SESSION_QUERIES, ""); break;
    case TAKES_VARIABLE: offer_names(place, SESSION_VARIABLES, ""); break;
    case TAKES_FILE: offer_files(place, blank); break;
    case TAKES_MODE: offer_list(place, output_mode_names); break;
    case TAKES_DISPLAY: offer_list(place, display_mode_names); break;
    case TAKES_SWITCH: offer_list(place, (const char *const[]){ "on", "off", NULL }); break;
    case TAKES_TOPIC: offer_topics(place); break;
    }
}

void completion_find(Backend *backend, Arena *arena, const char *text, size_t length, size_t cursor, Completions *completions)
{
    Place *place = ARENA_NEW(arena, Place);
    place->backend = backend;
    place->arena = arena;
    place->text = text;
    place->length = cursor;
    place->found = completions;
    if (command_is(text, cursor)) {
        offer_for_command(place, text, cursor);
        return;
    }
    SqlPiece piece;
    for (size_t at = 0; sql_piece_next(text, cursor, &at, &piece);)
        if (piece.open && piece.kind == PIECE_STRING) {
            look_back(place, piece.start);
            offer_quoted(place, piece.start);
            return;
        } else if (piece.open) {
            return;
        }
    look_back(place, cursor);
    completions->from = place->word;
    offer_words(place, length);
}

const char *completion_hint(Backend *backend, Arena *arena, const char *text, size_t length)
{
    if (command_is(text, length))
        return NULL;
    SqlPiece piece, open[64], previous = { 0 };
    int depth = 0;
    for (size_t at = 0; sql_piece_next(text, length, &at, &piece);) {
        if (piece.open)
            return NULL;
        if (sql_piece_is(text, &piece, "(") && depth < 64)
            open[depth++] = previous;
        else if (sql_piece_is(text, &piece, ")") && depth > 0)
            depth--;
        previous = piece;
    }
    if (depth == 0 || open[depth - 1].kind != PIECE_WORD || previous.start + previous.length < length - (length > 0 && text[length - 1] == ' '))
        return NULL;
    const char *usage = backend->type->usage(backend, arena, arena_strndup(arena, text + open[depth - 1].start, open[depth - 1].length));
    return usage ? arena_printf(arena, "  %s", usage) : NULL;
}

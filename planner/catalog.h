/* planner/catalog.h: what the names of a session mean: streams, tables, views, types, and side streams.
 *
 * Behind an interface, so that a server's catalog can live in a database. Entries are read-only data in the catalog's arena and stay
 * readable until the catalog is freed, also after a DROP: plans point into them. */
#pragma once
#include "parser/ast.h"
#include "planner/plan.h"
#include "planner/settings.h"

typedef enum CatalogKind { CATALOG_STREAM, CATALOG_TABLE, CATALOG_VIEW, CATALOG_TYPE, CATALOG_FUNCTION } CatalogKind;

/* Names that are told apart: a type or a function may be called like a stream. */
typedef enum CatalogSpace { SPACE_RELATIONS, SPACE_TYPES, SPACE_FUNCTIONS } CatalogSpace;

/* Where the rows of an entry come from. */
typedef enum CatalogOrigin {
    ORIGIN_CONNECTOR,   /* CREATE .. WITH (connector ..): read and written through it */
    ORIGIN_QUERY,       /* a view; CREATE STREAM .. AS without connector: readers pull the query */
    ORIGIN_PROCESS,     /* CREATE STREAM s (columns) without connector: filled by INSERT INTO */
    ORIGIN_SIDE,        /* named by LATE INTO or dead_letter: rows that another query puts aside */
    ORIGIN_NONE         /* types, functions */
} CatalogOrigin;

/* A column as declared. */
typedef struct CatalogColumn {
    const char *name;
    const Type *type;          /* of computed columns: known after binding */
    const AstExpr *computed;   /* NULL: comes from the record */
    const AstExpr *default_value; /* of rows that INSERT gives no value; NULL: NULL */
    bool is_key, not_null;
    RecordPart part;           /* of a message: where it stands; RECORD_VALUE for everything else */
    const char *header;        /* RECORD_HEADER: its key */
    Span at;
} CatalogColumn;

/* The rows of a stream or table that lives in a server's process: what the query that fills it says of them, hidden columns included. */
typedef struct CatalogRows {
    Schema names;              /* as the query has them */
    Schema channel;            /* the same with names that are all different */
    Changes changes;           /* APPEND or RETRACT */
    ColumnSet *keys; int key_count;
    int time_column;           /* rows bring their watermarks along; -1: their reader makes them */
    int64_t lag_us;            /* of that column */
    bool processing_time;
    bool windowed;
    int window_start, window_end, window_time; /* columns; -1 */
    WindowSpec window;
} CatalogRows;

/* CREATE .. WITH (..): everything that scans and sinks need. */
typedef struct CatalogSource {
    const ConnectorType *connector; /* NULL for ORIGIN_PROCESS */
    const void *connector_options;
    const FormatType *format;       /* NULL for row sources and sinks */
    const void *format_options;
    const FormatType *key_format;   /* of record sources and sinks; NULL for others */
    const void *key_format_options;
    bool key_format_given;          /* by WITH, not taken over */
    KeyWindow key_window;           /* WITH (window_type = ..), or the window of the query that fills it */
    int64_t key_window_size_us;     /* 0: not known */
    const char *key_fields;         /* WITH (key.fields = 'a;b'), as Flink says which columns are the key; NULL: KEY or PRIMARY KEY does */
    Span key_fields_at;
    const char *key_prefix;         /* what the names of the key's columns begin with here, and not in the key; NULL: nothing */
    Span key_prefix_at;
    bool flink_keys;                /* as Flink writes them: a key of one column is a record, too, and INSERT goes by position alone */
    bool value_holds_key;           /* the key's columns stand in the value, too */
    bool appends_keyed;             /* a table without a primary key whose messages have keys: rows only come */
    const char *timestamp_column;   /* WITH (timestamp = ..) */
    Span timestamp_at;
    const char *timestamp_format;
    const char *watermark_column;   /* WATERMARK FOR c AS e */
    const AstExpr *watermark;
    Span watermark_at;
    RowPolicy on_error, on_expr_error;
    RefusedPolicy refused;          /* what WITH (on_error = ..) says of messages that are written */
    bool on_expr_error_given;       /* in WITH: it then holds for every query over the stream, too */
    const char *dead_letter;        /* stream name; NULL none */
    const char *dead_letter_topic;  /* NULL none */
    const void *letter_options;     /* connector 'kafka': how that topic is reached */
    int64_t max_errors_per_min;     /* more bad rows end the job; 0: no bound */
    double max_error_ratio;         /* of 1,000 records; 0: no bound */
    int64_t idle_timeout_us, max_ahead_us, max_skew_us;
    bool bounded;
    const CatalogRows *rows;        /* of the connector 'process'; else NULL */
    const CatalogRows *inserted;    /* of a table that INSERT INTO fills, in a server: the rows as they are written. A query of its own keeps what they come to.. */
    const char *inserted_channel;   /* ..and reads them from this channel */
    const CatalogRows *kept;        /* a table with another connector, in a server: its query keeps it, too, to be read as it is now; NULL: it does not */
    bool key_not_enforced;          /* PRIMARY KEY .. NOT ENFORCED: a promise about an append-only stream */
} CatalogSource;

/* One query that fills an in-process stream or a side stream. */
typedef struct CatalogProducer {
    const AstStatement *statement;  /* INSERT; for side streams the statement whose query puts rows aside */
    const char *source;             /* side streams: the entry whose own scan puts bad rows aside; else NULL */
    int text;                       /* of which script */
    PlannerSettings settings;       /* as they were */
    int width;                      /* columns of its target then: what ALTER added later it does not give */
} CatalogProducer;

/* CREATE FUNCTION. */
typedef struct UserFunction {
    int parameter_count;
    const char *const *parameters;  /* their names */
    const Type *const *types;       /* .. and types */
    const Type *returns;
    const Expr *body;               /* LANGUAGE SQL: bound; parameter i is EXPR_PARAMETER i */
    const AstExpr *macro;           /* an aggregate in SQL: its body as it is written, without macros in it */
    const char *chunk;              /* LANGUAGE LUA: the body with its parameters in front, or an aggregate's script */
    int64_t max_steps, max_memory;  /* LANGUAGE LUA: as set when it was made */
    bool is_aggregate, retracts;    /* retracts: rows can be taken back */
    const char *text;               /* the body as written */
} UserFunction;

typedef struct CatalogEntry {
    CatalogKind kind;
    CatalogOrigin origin;
    const char *name;
    Span at;
    int text;                       /* number of the text that `statement` and all places are in */
    const AstStatement *statement;
    const AstStatement *given;      /* as it was written, with LIKE; NULL: it is `statement` */
    const AstStatement *pinned;     /* the statement as it has to be kept: with what the world said when it was made */
    const char *sql;                /* the statement, printed.. */
    const char *shown;              /* ..and without its secrets, as everybody may read it */
    const AstQuery *query;          /* ORIGIN_QUERY */
    PlannerSettings settings;       /* as they were when it was made */
    CatalogColumn *columns; int column_count; /* declared or inferred; ORIGIN_QUERY: none */
    Schema schema;                  /* what a reader sees, without pseudo columns */
    int *key_columns; int key_count;          /* of `columns`: PRIMARY KEY */
    int *partition_columns; int partition_count; /* of `columns`: PARTITIONED BY */
    CatalogSource *source;          /* ORIGIN_CONNECTOR, ORIGIN_PROCESS */
    struct { CatalogProducer *items; int count, capacity; } producers;
    const char **uses; int use_count; /* names of entries that its query reads */
    const char **types; int type_count; /* names of types that it is made with */
    bool read_only;                 /* CREATE SOURCE: neither written, changed nor replaced */
    bool of_server;                 /* made and filled by the server, which keeps its last rows: it stays, and can be read as it is now */
    const char **functions; int function_count; /* names of functions that it calls */
    const Type *type;               /* CATALOG_TYPE */
    const UserFunction *function;   /* CATALOG_FUNCTION */
    uint64_t compared;              /* changes that ASSERT VALUES has seen */
} CatalogEntry;

typedef struct Catalog Catalog;
struct Catalog {
    /* The entry of that name: exact first, then unique without case; NULL. */
    CatalogEntry *(*find)(Catalog *catalog, const char *name, CatalogSpace space);
    /* Takes the place of an entry of the same name. The entry lives in catalog->arena. */
    Error *(*put)(Catalog *catalog, CatalogEntry *entry);
    Error *(*remove)(Catalog *catalog, const CatalogEntry *entry);
    /* All entries in order of name, in `arena`. */
    CatalogEntry **(*list)(Catalog *catalog, Arena *arena, int *count);
    void (*free)(Catalog *catalog);
    Arena arena;       /* entries, their options and schemas */
    uint64_t changes;  /* so often has an entry come, gone or been replaced */
    bool outside_unknown; /* files and databases may be others when it comes to reading them: what they hold is not asked (ERR_CONNECT) */
    bool trial;        /* statements are looked at and not run: nothing outside may change */
    void *state;
};

Catalog *catalog_new_memory(void);
/* The same entries, in memory: changes of one are not changes of the other. What they point to is the original's, which must live longer. */
Catalog *catalog_copy(Catalog *catalog);
void catalog_free(Catalog *catalog); /* NULL is fine */

/* "stream", "table", "view", "type", "function" */
const char *catalog_kind_name(CatalogKind kind);
CatalogSpace catalog_space(CatalogKind kind);
/* "STREAM" .., as SQL has them */
const char *catalog_kind_upper(CatalogKind kind);
/* The entry, or ERR_BIND at `name` with the nearest known name. */
Error *catalog_get(Catalog *catalog, const AstName *name, CatalogEntry **entry);
/* Does `reader` depend on `entry`? */
bool catalog_depends(const CatalogEntry *reader, const CatalogEntry *entry);
/* ERR_BIND if something reads `entry`. */
Error *catalog_check_unused(Catalog *catalog, const CatalogEntry *entry, Span at);
/* Is there any entry of that space? Takes no memory that stays. */
bool catalog_has(Catalog *catalog, CatalogSpace space);
/* Names of all relations, sorted; of all types, of all functions. */
const char *const *catalog_relation_names(Catalog *catalog, Arena *arena, int *count);
const char *const *catalog_names(Catalog *catalog, CatalogSpace space, Arena *arena, int *count);

/* common/options.h: the properties of WITH (...), SET and --set: checked, documented and completed from tables.
 *
 * A connector or a format describes its options once, as a table over its options struct. */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef enum OptionKind {
    OPTION_STRING,    /* const char * */
    OPTION_INT,       /* int64_t; accepts k, m, g suffixes of 1024 where `is_bytes` */
    OPTION_DOUBLE,    /* double */
    OPTION_BOOL,      /* bool */
    OPTION_CHAR,      /* char; also the words 'tab', 'space', '\t' */
    OPTION_DURATION,  /* int64_t microseconds: '10 s', '1 MINUTE', '500ms', '00:00:10' */
    OPTION_ENUM,      /* int: index in `choices` */
    OPTION_REFUSED    /* a name that others know and that is not taken: `doc` says why */
} OptionKind;

typedef struct OptionSpec {
    const char *name;           /* lower case; words joined by '_' or '.'; '-' in the user's text counts as '_'. 'fields.*' (OPTION_STRING)
                                 * takes every name that begins so: the field collects lines "rest=value\n", in the order written */
    OptionKind kind;
    size_t offset;              /* of the field in the options struct */
    const char *default_text;   /* parsed like a user's value; NULL: the field stays zero */
    const char *doc;            /* one sentence */
    const char *const *choices; /* OPTION_ENUM: NULL-ended */
    const char *const *aliases; /* other accepted names, NULL-ended; may be NULL */
    bool required;
    bool is_bytes;
    int64_t minimum, maximum;   /* OPTION_INT and OPTION_DURATION, where maximum > minimum */
    bool operational;           /* changes how something is done, not what it gives: no part of a plan's meaning, so state survives a change */
} OptionSpec;

/* One property as written. */
typedef struct OptionEntry {
    const char *name;
    const char *value;  /* as text; booleans and numbers as they stood */
    Span name_at, value_at;
    bool used;          /* set by options_parse */
} OptionEntry;

/* A table together with the struct that it fills. */
typedef struct OptionTarget {
    const OptionSpec *specs; /* ended by a NULL name */
    void *options;
    const char *owner;       /* for messages: "connector 'file'"; NULL: none */
} OptionTarget;

/* Fills every target from the entries: defaults first; an entry goes to the first target that knows its name.
 * Errors: unknown name (nearest name suggested), bad value, required one missing (placed at `at`). Strings live in `arena`. */
Error *options_parse(Arena *arena, OptionEntry *entries, int entry_count, const OptionTarget *targets, int target_count, Span at);
/* Defaults only. */
void options_defaults(Arena *arena, const OptionTarget *target);
bool option_name_equal(const char *a, const char *b); /* no case; '-' equals '_' */
/* '10 seconds', '5m', '00:10:00', '1.5 h' -> microseconds */
bool duration_parse(const char *text, int64_t *us);
bool bytes_parse(const char *text, int64_t *bytes); /* '64 MiB', '1g', '4096' */

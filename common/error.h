/* common/error.h: errors travel as values.
 *
 * Every function that can fail returns `Error *`: NULL means fine, results come through its last
 * argument. TRY passes an error up; `goto done` releases what is held. Only the front doors print.
 * Text: lower case, no full stop, names in quotes. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include "common/span.h"

typedef enum ErrorCode {
    ERR_USAGE = 1,     /* the command line is wrong */
    ERR_PARSE,         /* the text is not SQL */
    ERR_BIND,          /* names, types, arguments, options */
    ERR_UNSUPPORTED,   /* understood, named, and not planned yet */
    ERR_ROW,           /* a row is wrong and its policy is `fail` */
    ERR_TOO_MANY_BAD,  /* more bad rows than --max-errors */
    ERR_IO,            /* the world is wrong while running: disk, pipe, file */
    ERR_CONNECT,       /* something cannot be reached or opened at the start */
    ERR_MEMORY,        /* out of memory, or over the limit that was set */
    ERR_BUSY,          /* no room now; whoever said so wakes us: never seen by users */
    ERR_CLOSED,        /* the reader of our output went away: end quietly */
    ERR_INTERRUPTED,   /* Ctrl-C */
    ERR_ASSERT,        /* an expectation of a test file does not hold */
    ERR_INTERNAL       /* we are wrong; a bug report, never user input */
} ErrorCode;

typedef struct Error {
    ErrorCode code;
    bool retriable;     /* the same call may succeed later */
    int64_t retry_us;   /* retriable: whoever runs a query waits so long before giving up; 0: it does not wait */
    Span at;            /* place in the SQL text; SPAN_NONE when there is none */
    char *message;      /* owned */
    char *hint;         /* owned; NULL or e.g. "did you mean 'auction'?" */
    struct Error *next; /* further independent errors of the same script, in order of place; owned */
} Error;

/* New errors. Both own copies of their text and never fail: without memory they return a static error. */
Error *error_new(ErrorCode code, const char *format, ...) __attribute__((format(printf, 2, 3)));
Error *error_at(ErrorCode code, Span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
Error *error_memory(void); /* the static out-of-memory error; error_free accepts it */

Error *error_busy(void);   /* the static ERR_BUSY: it comes often; error_free accepts it */

/* Adds a hint and returns the same error. */
Error *error_hint(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "context: " before the message and returns the same error. */
Error *error_context(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds "did you mean 'x'?" when one of `names` is near `wrong` (edit distance, case ignored). */
Error *error_suggest(Error *error, const char *wrong, const char *const names[], int name_count);
/* Appends to the end of a list of errors and returns the list's head. Either may be NULL. */
Error *error_append(Error *list, Error *error);
void error_free(Error *error);
void error_unwind(void *list); /* MEMORY_HOLD(error_unwind, &errors): for a list that grows while other things are allocated */

/* The name in `names` nearest to `wrong`, or NULL if none is near enough to be worth showing. */
const char *nearest_name(const char *wrong, const char *const names[], int name_count);

#define TRY(call)                       \
    do {                                \
        Error *try_error_ = (call);     \
        if (try_error_)                 \
            return try_error_;          \
    } while (0)

/* For functions that end in a `done:` label and hold `Error *error = NULL`. */
#define TRY_DONE(call)                  \
    do {                                \
        if ((error = (call)) != NULL)   \
            goto done;                  \
    } while (0)

/* terminal/editor.h: reads texts of one or more lines from a terminal, with everything that people expect of a shell. */
#pragma once
#include "common/arena.h"
#include "terminal/history.h"
#include "terminal/layout.h"

typedef struct Completion {
    const char *text;     /* takes the place of what stands from `from` to the cursor */
    const char *shown;    /* in a list of several; NULL: the text */
} Completion;

typedef struct Completions {
    size_t from;
    struct { Completion *items; int count, capacity; };
} Completions;

/* What the caller knows about its texts. Every function may be NULL. */
typedef struct EditorHooks {
    /* Enter adds a line instead of ending the text. */
    bool (*goes_on)(void *caller, const char *text, size_t length);
    /* The prompt of the line that begins behind text[0, length). Lives until the next call. */
    const char *(*prompt)(void *caller, Arena *arena, const char *text, size_t length);
    /* One TextStyle a byte. */
    void (*color)(void *caller, const char *text, size_t length, uint8_t *styles);
    void (*complete)(void *caller, Arena *arena, const char *text, size_t length, size_t cursor, Completions *completions);
    /* What is shown behind the text while the cursor is at its end; NULL: nothing. */
    const char *(*hint)(void *caller, Arena *arena, const char *text, size_t length);
    /* The next bytes of what is to be shown above the text, whole lines; 0: there are none. NULL: there never are. */
    size_t (*above)(void *caller, char *bytes, size_t size);
    void *caller;
} EditorHooks;

typedef struct Editor Editor;

typedef enum EditorEnd {
    EDITOR_TEXT,          /* a text */
    EDITOR_CANCELED,      /* Ctrl-C: what was typed is dropped */
    EDITOR_OUTSIDE,       /* Ctrl-X Ctrl-E: the text is to be edited elsewhere */
    EDITOR_CLOSED         /* Ctrl-D on an empty line, or the terminal went away */
} EditorEnd;

/* The history is the caller's and may be NULL. */
Editor *editor_new(int input, int output, bool color, const EditorHooks *hooks, History *history);
void editor_free(Editor *editor);
/* The text that the next editor_read begins with. */
void editor_offer(Editor *editor, const char *text, size_t length);
/* Reads one text; *text is replaced. The terminal is raw meanwhile. */
Error *editor_read(Editor *editor, Text *text, EditorEnd *end);
/* There is something to be shown above what is being typed. From any thread; nothing happens if nobody types. */
void editor_wake(Editor *editor);

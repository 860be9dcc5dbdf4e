/* terminal/editor_internal.h: the editor's parts: keys (editor_keys.c), the screen (editor_screen.c), the loop (editor.c). */
#pragma once
#include "terminal/edit_buffer.h"
#include "terminal/editor.h"
#include "terminal/keys.h"

struct Editor {
    int input, output;
    bool color;
    EditorHooks hooks;
    History *history;
    EditBuffer buffer;
    Text offered;
    KeyDecoder decoder;
    Text pending;            /* bytes read and not decoded */
    /* walking through the history */
    size_t place;            /* entry shown; history->count: what was typed */
    Text typed;              /* ..before walking began */
    /* searching it */
    bool searching, failing;
    Text wanted;
    size_t found;            /* entry; history->count: none yet */
    Text before_search;
    /* the screen */
    Layout layout;
    size_t drawn_cursor_row; /* rows above the cursor that are on the screen, counted from the first that is shown */
    bool drawn;
    bool control_x;          /* Ctrl-X was typed: the next key belongs to it */
    int wake[2];             /* a pipe: the terminal has another size, or something is to be shown above the text */
};

typedef enum KeyOutcome { KEY_GOES_ON, KEY_ENDS_TEXT, KEY_CANCELS, KEY_CLOSES, KEY_EDITS_OUTSIDE } KeyOutcome;

/* editor_keys.c */
KeyOutcome editor_key(Editor *editor, const Key *key);
/* editor_complete.c */
void editor_complete(Editor *editor);
/* editor_screen.c */
void editor_draw(Editor *editor);
void editor_erase(Editor *editor);                                 /* takes it off the screen */
void editor_leave(Editor *editor);                                 /* what was typed stays; the cursor goes below it */
void editor_write(Editor *editor, const char *bytes, size_t length);
void editor_bell(Editor *editor);

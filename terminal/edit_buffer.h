/* terminal/edit_buffer.h: a text of several lines that is being edited: its cursor, what undo goes back to, what was cut last. */
#pragma once
#include "common/memory.h"
#include "common/str.h"

typedef struct EditState { char *bytes; size_t length, cursor; } EditState;

typedef struct EditBuffer {
    Text text;          /* UTF-8; lines end in \n, the last one without */
    size_t cursor;      /* a byte, where a grapheme begins, or the end */
    Text cut;           /* what Ctrl-Y brings back */
    EditState *undo;    /* oldest first */
    size_t undo_count, undo_capacity;
    bool typing;        /* the last change typed characters: the next one belongs to the same step of undo */
    bool cutting;       /* the last key cut: the next one adds to it */
} EditBuffer;

void edit_init(EditBuffer *buffer);
void edit_release(EditBuffer *buffer);
/* Another text, nothing to undo; the cursor at its end. What was cut stays. */
void edit_begin(EditBuffer *buffer, const char *text, size_t length);
/* Another text as one step of undo; the cursor at its end. */
void edit_replace_all(EditBuffer *buffer, const char *text, size_t length);

/* Puts in valid UTF-8; bytes that are none, and control characters but for \n and \t, become U+FFFD. typed: joins the step of undo before. */
void edit_insert(EditBuffer *buffer, const char *text, size_t length, bool typed);
/* Replaces [from, to), cursor behind it. */
void edit_replace(EditBuffer *buffer, size_t from, size_t to, const char *text, size_t length);
void edit_undo(EditBuffer *buffer);

/* Where a movement leads. */
size_t edit_left(const EditBuffer *buffer);
size_t edit_right(const EditBuffer *buffer);
size_t edit_word_left(const EditBuffer *buffer);
size_t edit_word_right(const EditBuffer *buffer);
size_t edit_space_left(const EditBuffer *buffer);  /* start of the word that blanks end, as Ctrl-W takes it */
size_t edit_line_start(const EditBuffer *buffer);
size_t edit_line_end(const EditBuffer *buffer);
/* The same column in the line above or below; false: there is none. */
bool edit_up(EditBuffer *buffer);
bool edit_down(EditBuffer *buffer);

void edit_delete(EditBuffer *buffer, size_t from, size_t to);
/* The same, kept for edit_paste; cuts that follow each other are kept as one. */
void edit_cut(EditBuffer *buffer, size_t from, size_t to);
void edit_paste(EditBuffer *buffer);
void edit_swap(EditBuffer *buffer);                /* the graphemes around the cursor */
/* Words from the cursor on: 'u' upper case, 'l' lower case, 'c' capitalised. */
void edit_case_word(EditBuffer *buffer, char how);
/* The movement or key at hand changes nothing: what is typed next is a new step of undo. */
void edit_pause(EditBuffer *buffer);

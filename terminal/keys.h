/* terminal/keys.h: bytes from a terminal -> keys. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum KeyKind {
    KEY_NONE,        /* nothing of use */
    KEY_TEXT,        /* typed characters: `text` */
    KEY_PASTED,      /* a piece of pasted text: line ends are \n */
    KEY_ENTER, KEY_ALT_ENTER, KEY_TAB, KEY_BACK_TAB, KEY_BACKSPACE, KEY_DELETE, KEY_ESCAPE,
    KEY_LEFT, KEY_RIGHT, KEY_UP, KEY_DOWN, KEY_HOME, KEY_END, KEY_PAGE_UP, KEY_PAGE_DOWN,
    KEY_WORD_LEFT, KEY_WORD_RIGHT, KEY_DELETE_WORD_LEFT, KEY_DELETE_WORD_RIGHT,
    KEY_CONTROL,     /* with `letter` ('a'..'z', '_') */
    KEY_ALT          /* with `letter` */
} KeyKind;

typedef struct Key {
    KeyKind kind;
    const char *text;  /* points into the bytes given */
    size_t length;
    char letter;
} Key;

typedef struct KeyDecoder {
    bool pasting;      /* between the marks that bracket pasted text */
    bool after_return; /* a pasted \r has become \n: a \n right behind it is the same line's end */
} KeyDecoder;

/* The first key of the bytes. Returns how many bytes it took; 0: it may go on in bytes that have not come yet. `last`: none come soon, so
 * that a lone ESC is the key. */
size_t key_decode(KeyDecoder *decoder, const char *bytes, size_t length, bool last, Key *key);

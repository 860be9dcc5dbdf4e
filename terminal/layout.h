/* terminal/layout.h: which cell each byte of a text stands in: prompts, lines longer than the terminal, wide characters, tabs, colours. */
#pragma once
#include "common/memory.h"
#include "common/str.h"

typedef enum TextStyle { STYLE_PLAIN, STYLE_KEYWORD, STYLE_STRING, STYLE_NUMBER, STYLE_COMMENT, STYLE_FUNCTION, STYLE_WRONG, STYLE_COMMAND, STYLE_HINT, STYLE_PROMPT } TextStyle;

typedef struct LayoutInput {
    const char *text;
    size_t length, cursor;
    const char *const *prompts;  /* of each line of the text */
    int prompt_count;            /* further lines have the last one's */
    const uint8_t *styles;       /* of each byte: TextStyle; NULL: all plain */
    const char *hint;            /* behind the text, as much as fits into its row; NULL: none */
    int columns;
    bool color;
} LayoutInput;

typedef struct Layout {
    Text text;                   /* the rows, with their colours, one behind the other.. */
    size_t *row_ends;            /* ..and where each ends */
    size_t row_count, row_capacity;
    size_t cursor_row;
    int cursor_column;
} Layout;

void layout_make(const LayoutInput *input, Layout *layout); /* into one that may hold an earlier one */
void layout_release(Layout *layout);
/* What switches a style on, and all of them off. */
const char *style_on(TextStyle style);
#define STYLE_OFF "\033[0m"

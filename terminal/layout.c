/* terminal/layout.c: rows are made by hand and ended by hand, so that nothing depends on how a terminal wraps. */
#include "terminal/layout.h"

#include "terminal/width.h"

#define TAB_COLUMNS 4

const char *style_on(TextStyle style)
{
    switch (style) {
    case STYLE_PLAIN: return "";
    case STYLE_KEYWORD: return "\033[1;34m";
    case STYLE_STRING: return "\033[32m";
    case STYLE_NUMBER: return "\033[36m";
    case STYLE_COMMENT: return "\033[2m";
    case STYLE_FUNCTION: return "\033[35m";
    case STYLE_WRONG: return "\033[31m";
    case STYLE_COMMAND: return "\033[1;33m";
    case STYLE_HINT: return "\033[2m";
    case STYLE_PROMPT: return "\033[1m";
    }
    return "";
}

typedef struct Pen {
    const LayoutInput *input;
    Layout *layout;
    int column;
    TextStyle style;
} Pen;

static void set_style(Pen *pen, TextStyle style)
{
    if (!pen->input->color || pen->style == style)
        return;
    if (pen->style != STYLE_PLAIN)
        text_add_c(&pen->layout->text, STYLE_OFF);
    text_add_c(&pen->layout->text, style_on(style));
    pen->style = style;
}

static void end_row(Pen *pen)
{
    Layout *layout = pen->layout;
    TextStyle style = pen->style;
    set_style(pen, STYLE_PLAIN);
    layout->row_ends = mem_grow(layout->row_ends, &layout->row_capacity, layout->row_count + 1, sizeof *layout->row_ends);
    layout->row_ends[layout->row_count++] = layout->text.length;
    pen->column = 0;
    set_style(pen, style);
}

static void put(Pen *pen, const char *bytes, size_t size, int columns)
{
    if (pen->column + columns > pen->input->columns)
        end_row(pen);
    text_add(&pen->layout->text, bytes, size);
    pen->column += columns;
}

static void put_prompt(Pen *pen, int line)
{
    const LayoutInput *input = pen->input;
    const char *prompt = input->prompt_count == 0 ? "" : input->prompts[line < input->prompt_count ? line : input->prompt_count - 1];
    set_style(pen, STYLE_PROMPT);
    for (size_t at = 0, length = strlen(prompt); at < length;) {
        int columns;
        size_t size = grapheme_next(prompt + at, length - at, &columns);
        put(pen, prompt + at, size, columns);
        at += size;
    }
    set_style(pen, STYLE_PLAIN);
}

static void note_cursor(Pen *pen)
{
    if (pen->column == pen->input->columns)
        end_row(pen);
    pen->layout->cursor_row = pen->layout->row_count;
    pen->layout->cursor_column = pen->column;
}

static void put_hint(Pen *pen)
{
    const char *hint = pen->input->hint;
    if (!hint || !pen->input->color)
        return;
    set_style(pen, STYLE_HINT);
    for (size_t at = 0, length = strlen(hint); at < length;) {
        int columns;
        size_t size = grapheme_next(hint + at, length - at, &columns);
        if (hint[at] == '\n' || pen->column + columns >= pen->input->columns)
            break;
        put(pen, hint + at, size, columns);
        at += size;
    }
}

void layout_make(const LayoutInput *input, Layout *layout)
{
    layout->text.length = 0;
    layout->row_count = 0;
    Pen pen = { .input = input, .layout = layout };
    int line = 0;
    put_prompt(&pen, line++);
    for (size_t at = 0;;) {
        if (at == input->cursor)
            note_cursor(&pen);
        if (at >= input->length)
            break;
        if (input->text[at] == '\n') {
            end_row(&pen);
            put_prompt(&pen, line++);
            at++;
            continue;
        }
        set_style(&pen, input->styles ? (TextStyle)input->styles[at] : STYLE_PLAIN);
        int columns;
        size_t size = grapheme_next(input->text + at, input->length - at, &columns);
        if (input->text[at] == '\t')
            for (int left = TAB_COLUMNS - pen.column % TAB_COLUMNS; left > 0; left--)
                put(&pen, " ", 1, 1);
        else
            put(&pen, input->text + at, size, columns);
        at += size;
    }
    put_hint(&pen);
    set_style(&pen, STYLE_PLAIN);
    end_row(&pen);
}

void layout_release(Layout *layout)
{
    text_release(&layout->text);
    mem_free(layout->row_ends);
    *layout = (Layout){ 0 };
}

/* What keys mean, what they do to a text, where its cells are, and what is remembered of it. */
#include "tests/unit/common/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "terminal/edit_buffer.h"
#include "terminal/history.h"
#include "terminal/keys.h"
#include "terminal/layout.h"
#include "terminal/width.h"

/* ---- widths ---- */

static void graphemes_are_what_readers_take_for_one_character(void **state)
{
    (void)state;
    static const struct { const char *text; size_t size; int columns; } cases[] = {
        { "a", 1, 1 }, { "é", 2, 1 }, { "e\xCC\x81x", 3, 1 }, { "漢", 3, 2 }, { "👩‍👩‍👧", 18, 2 }, { "🇩🇪🇩", 8, 2 }, { "\x80z", 1, 1 }, { "❤️", 6, 2 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int columns;
        assert_int_equal(grapheme_next(cases[i].text, strlen(cases[i].text), &columns), cases[i].size);
        assert_int_equal(columns, cases[i].columns);
    }
    assert_int_equal(display_width("naïve 漢字", strlen("naïve 漢字")), 10);
}

static void going_back_meets_the_same_graphemes(void **state)
{
    (void)state;
    const char *text = "ab é e\xCC\x81 漢字 👩‍👩‍👧!🇩🇪\nx";
    size_t length = strlen(text), starts[64];
    int count = 0, columns;
    for (size_t at = 0; at < length; at += grapheme_next(text + at, length - at, &columns))
        starts[count++] = at;
    for (size_t at = length; count > 0;) {
        at = grapheme_before(text, at);
        assert_int_equal(at, starts[--count]);
    }
    assert_int_equal(grapheme_before(text, 0), 0);
}

/* ---- keys ---- */

/* Decodes everything, in pieces of `step` bytes, as a line of words. */
static void decode_all(const char *bytes, size_t length, size_t step, Text *out)
{
    static const char *const names[] = { "none", "text", "pasted", "enter", "alt-enter", "tab", "back-tab", "backspace", "delete", "escape", "left", "right", "up", "down",
        "home", "end", "page-up", "page-down", "word-left", "word-right", "delete-word-left", "delete-word-right", "control", "alt" };
    KeyDecoder decoder = { 0 };
    size_t from = 0;
    for (size_t there = step < length ? step : length;; there = there + step < length ? there + step : length) {
        Key key;
        size_t used;
        while ((used = key_decode(&decoder, bytes + from, there - from, there == length, &key)) > 0) {
            assert_true(used <= there - from);
            from += used;
            if (key.kind == KEY_TEXT || key.kind == KEY_PASTED) {
                if (key.length)
                    text_printf(out, "%s=%.*s ", names[key.kind], (int)key.length, key.text);
            } else if (key.kind == KEY_CONTROL || key.kind == KEY_ALT) {
                text_printf(out, "%s-%c ", names[key.kind], key.letter);
            } else if (key.kind != KEY_NONE) {
                text_printf(out, "%s ", names[key.kind]);
            }
        }
        if (there == length)
            break;
    }
    assert_int_equal(from, length);
}

static void keys_are_told_from_text(void **state)
{
    (void)state;
    static const struct { const char *bytes, *keys; } cases[] = {
        { "a\r", "text=a enter " },
        { "\033[A\033[B\033OC\033[D", "up down right left " },
        { "\033[1;5C\033[1;3D\033b\033f", "word-right word-left word-left word-right " },
        { "\033[H\033[4~\033[3~\033[5~", "home end delete page-up " },
        { "\001\022\037", "control-a control-r control-_ " },
        { "\033\r\033\177", "alt-enter delete-word-left " },
        { "\033u", "alt-u " },
        { "\033", "escape " },
        { "\033[99;99x", "" },
        { "\033[200~a\r\nb\033[201~\r", "pasted=a pasted=\n pasted=b enter " },
        { "\033[200~\033[Ax\001\033[201~", "pasted=\033[Ax\001 " },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Text out = { 0 };
        decode_all(cases[i].bytes, strlen(cases[i].bytes), 1000, &out);
        assert_text(text_c(&out), out.length, cases[i].keys);
        text_release(&out);
    }
}

/* However bytes come, the same keys: typed and pasted pieces aside, which may be cut anywhere between characters. */
static void keys_do_not_depend_on_how_bytes_come(void **state)
{
    (void)state;
    const char *bytes = "é漢x\033[1;5C\r\033[200~漢\r\nb\033[20\033[201~\001\033[3~";
    for (size_t step = 1; step < 12; step++) {
        Text out = { 0 }, joined = { 0 };
        decode_all(bytes, strlen(bytes), step, &out);
        const char *words = text_c(&out), *last = "";
        for (const char *at = words; *at;) {
            size_t size = strcspn(at, "= ");
            bool piece = at[size] == '=';
            const char *end = piece ? at + size + 1 + strcspn(at + size + 1, " ") : at + size;
            if (!piece || strncmp(last, at, size) != 0)
                text_printf(&joined, "%s%.*s", joined.length ? " " : "", (int)(piece ? size + 1 : size), at);
            if (piece)
                text_add(&joined, at + size + 1, (size_t)(end - at) - size - 1);
            last = at;
            at = end + 1;
        }
        assert_text(text_c(&joined), joined.length, "text=é漢x word-right enter pasted=漢\nb\033[20 control-a delete");
        text_release(&out);
        text_release(&joined);
    }
}

/* ---- editing ---- */

static void assert_edit(const EditBuffer *buffer, const char *text, size_t cursor)
{
    assert_text(buffer->text.bytes ? buffer->text.bytes : "", buffer->text.length, text);
    assert_int_equal(buffer->cursor, cursor);
}

static void texts_are_edited(void **state)
{
    (void)state;
    EditBuffer buffer;
    edit_init(&buffer);
    edit_insert(&buffer, "SELECT", 6, true);
    edit_insert(&buffer, " x", 2, true);
    assert_edit(&buffer, "SELECT x", 8);
    edit_cut(&buffer, edit_word_left(&buffer), buffer.cursor);
    edit_cut(&buffer, edit_word_left(&buffer), buffer.cursor);
    assert_edit(&buffer, "", 0);
    edit_paste(&buffer); /* cuts that follow each other are one */
    assert_edit(&buffer, "SELECT x", 8);
    edit_undo(&buffer);
    edit_undo(&buffer);
    assert_edit(&buffer, "SELECT ", 7);
    edit_undo(&buffer);
    edit_undo(&buffer); /* what was typed at once goes at once */
    assert_edit(&buffer, "", 0);
    edit_undo(&buffer);
    assert_edit(&buffer, "", 0);
    edit_insert(&buffer, "ab", 2, false);
    edit_swap(&buffer);
    assert_edit(&buffer, "ba", 2);
    edit_replace_all(&buffer, "one über three", strlen("one über three"));
    buffer.cursor = 3;
    edit_case_word(&buffer, 'u');
    assert_edit(&buffer, "one ÜBER three", 9);
    edit_case_word(&buffer, 'c');
    assert_edit(&buffer, "one ÜBER Three", 15);
    edit_insert(&buffer, "\x1b\xff", 2, false); /* neither commands for a terminal nor bytes that are no text */
    assert_edit(&buffer, "one ÜBER Three\xEF\xBF\xBD\xEF\xBF\xBD", 21);
    edit_release(&buffer);
}

static void up_and_down_keep_the_column(void **state)
{
    (void)state;
    EditBuffer buffer;
    edit_init(&buffer);
    edit_begin(&buffer, "漢字漢字\nab\nlong line", strlen("漢字漢字\nab\nlong line"));
    buffer.cursor = 6; /* column 4 */
    assert_true(edit_down(&buffer));
    assert_int_equal(buffer.cursor, 15); /* "ab" is shorter */
    assert_false(edit_up(&buffer) && edit_up(&buffer));
    assert_int_equal(buffer.cursor, 3);
    buffer.cursor = 20;
    assert_false(edit_down(&buffer));
    edit_release(&buffer);
}

/* Random edits never leave the cursor inside a character, and undo comes back to the start. */
static void random_edits_hold_together(void **state)
{
    (void)state;
    static const char *const pieces[] = { "a", " ", "\n", "漢", "e\xCC\x81", "👩‍👩‍👧", "word", "\t" };
    for (int round = 0; round < 300; round++) {
        EditBuffer buffer;
        edit_init(&buffer);
        for (int step = 0; step < 60; step++) {
            switch (random_upto(9)) {
            case 0: buffer.cursor = edit_left(&buffer); break;
            case 1: buffer.cursor = edit_word_left(&buffer); break;
            case 2: edit_delete(&buffer, edit_left(&buffer), buffer.cursor); break;
            case 3: edit_cut(&buffer, buffer.cursor, edit_line_end(&buffer)); break;
            case 4: edit_swap(&buffer); break;
            case 5: edit_up(&buffer); break;
            case 6: edit_undo(&buffer); break;
            default: {
                const char *piece = pieces[random_upto(COUNT(pieces) - 1)];
                edit_insert(&buffer, piece, strlen(piece), random_upto(1));
            }
            }
            assert_true(buffer.cursor <= buffer.text.length);
            assert_int_equal(utf8_valid_prefix(text_c(&buffer.text), buffer.text.length), buffer.text.length);
            assert_true(buffer.cursor == buffer.text.length || ((unsigned char)buffer.text.bytes[buffer.cursor] & 0xC0) != 0x80);
        }
        while (buffer.undo_count)
            edit_undo(&buffer);
        assert_int_equal(buffer.text.length, 0);
        edit_release(&buffer);
    }
}

/* ---- layout ---- */

static void assert_rows(const char *text, size_t cursor, int columns, const char *rows, size_t cursor_row, int cursor_column)
{
    static const char *const prompts[] = { "> ", "- " };
    LayoutInput input = { .text = text, .length = strlen(text), .cursor = cursor, .prompts = prompts, .prompt_count = 2, .columns = columns };
    Layout layout = { 0 };
    Text joined = { 0 };
    layout_make(&input, &layout);
    for (size_t row = 0; row < layout.row_count; row++) {
        size_t start = row ? layout.row_ends[row - 1] : 0;
        text_printf(&joined, "%s%.*s", row ? "/" : "", (int)(layout.row_ends[row] - start), layout.text.bytes + start);
    }
    assert_text(text_c(&joined), joined.length, rows);
    assert_int_equal(layout.cursor_row, cursor_row);
    assert_int_equal(layout.cursor_column, cursor_column);
    text_release(&joined);
    layout_release(&layout);
}

static void long_lines_go_on_in_the_next_row(void **state)
{
    (void)state;
    assert_rows("abc", 3, 10, "> abc", 0, 5);
    assert_rows("abcdefgh", 8, 10, "> abcdefgh/", 1, 0); /* behind the last column */
    assert_rows("abcdefghij", 0, 10, "> abcdefgh/ij", 0, 2);
    assert_rows("abc\nde", 5, 10, "> abc/- de", 1, 3);
    assert_rows("abcdefg漢", 10, 10, "> abcdefg/漢", 1, 2); /* no half of a wide character */
    assert_rows("a\tb", 3, 20, "> a b", 0, 5); /* a tab goes to the next fourth column */
    assert_rows("", 0, 2, "> /", 1, 0);
}

/* ---- history ---- */

static bool has_secret(const char *text, size_t length) { return memmem(text, length, "secret", 6) != NULL; }

static void history_is_kept_privately(void **state)
{
    (void)state;
    char folder[] = "/tmp/bidsql-history-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a/b/history", folder);
    History history;
    assert_null(history_init(&history, path, 3, has_secret));
    static const char *const texts[] = { "one", "two\nlines \\n", "two\nlines \\n", " not this", "nor a secret", "three", "four" };
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_null(history_add(&history, texts[i], strlen(texts[i])));
    assert_int_equal(history.count, 3);
    assert_string_equal(history.entries[0], "two\nlines \\n");
    assert_int_equal(history_search(&history, 3, "o", 1), 2);
    assert_int_equal(history_search(&history, 2, "o", 1), 0);
    assert_int_equal(history_search(&history, 3, "none", 4), SIZE_MAX);
    history_release(&history);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_null(history_init(&history, path, 10, NULL));
    assert_int_equal(history.count, 4); /* the file keeps more than the memory did */
    assert_string_equal(history.entries[1], "two\nlines \\n");
    assert_null(history_clear(&history));
    assert_int_not_equal(stat(path, &about), 0);
    history_release(&history);
    Error *error = history_init(&history, folder, 10, NULL);
    assert_non_null(error); /* a folder: said, and all goes on without a file */
    error_free(error);
    assert_null(history_add(&history, "x", 1));
    history_release(&history);
    char command[160];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphemes_are_what_readers_take_for_one_character),
        cmocka_unit_test(going_back_meets_the_same_graphemes),
        cmocka_unit_test(keys_are_told_from_text),
        cmocka_unit_test(keys_do_not_depend_on_how_bytes_come),
        cmocka_unit_test(texts_are_edited),
        cmocka_unit_test(up_and_down_keep_the_column),
        cmocka_unit_test(random_edits_hold_together),
        cmocka_unit_test(long_lines_go_on_in_the_next_row),
        cmocka_unit_test(history_is_kept_privately),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/fuzz/fuzz.c: edits of text that is made of records and tokens. */
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t fuzz_random(FuzzRandom *random, uint32_t below)
{
    uint64_t x = random->state += 0x9E3779B97F4A7C15u; /* splitmix64 */
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return below ? (uint32_t)(x >> 32) % below : 0;
}

void fuzz_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

/* ---- places ---- */

typedef struct Range {
    size_t at, length;
} Range;

typedef struct Edit {
    uint8_t *data;
    size_t size, max_size, header;
    FuzzRandom random;
} Edit;

/* The line that holds the byte at `at`, its newline included. */
static Range line_at(const Edit *edit, size_t at)
{
    size_t start = at, end = at;
    while (start > edit->header && edit->data[start - 1] != '\n')
        start--;
    while (end < edit->size && edit->data[end] != '\n')
        end++;
    return (Range){ start, end + (end < edit->size) - start };
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.' || c == '_' || c >= 0x80;
}

/* The token at a byte, no further than `end`. */
static Range token_at(const Edit *edit, size_t at, size_t start, size_t end)
{
    uint8_t c = edit->data[at];
    size_t to = at + 1;
    if (is_word(c)) {
        while (at > start && is_word(edit->data[at - 1]))
            at--;
        while (to < end && is_word(edit->data[to]))
            to++;
    } else if (c == '"' || c == '\'') {
        while (to < end && edit->data[to] != c)
            to += edit->data[to] == '\\' ? 2 : 1;
        to = to < end ? to + 1 : end;
    } else if (c == '{' || c == '[' || c == '(') {
        int depth = 1;
        for (; to < end && depth > 0; to++)
            depth += (edit->data[to] == '{' || edit->data[to] == '[' || edit->data[to] == '(') - (edit->data[to] == '}' || edit->data[to] == ']' || edit->data[to] == ')');
    }
    return (Range){ at, to - at };
}

static Range any_line(Edit *edit) { return line_at(edit, edit->header + fuzz_random(&edit->random, (uint32_t)(edit->size - edit->header))); }

static Range any_token(Edit *edit, Range line)
{
    return token_at(edit, line.at + fuzz_random(&edit->random, (uint32_t)line.length), line.at, line.at + line.length);
}

/* Puts `length` bytes where `range` was. False: there is no room. */
static bool replace(Edit *edit, Range range, const void *bytes, size_t length)
{
    if (edit->size - range.length + length > edit->max_size)
        return false;
    uint8_t *copy = malloc(length + 1);
    memcpy(copy, bytes, length);
    memmove(edit->data + range.at + length, edit->data + range.at + range.length, edit->size - range.at - range.length);
    memcpy(edit->data + range.at, copy, length);
    edit->size += length - range.length;
    free(copy);
    return true;
}

/* ---- edits ---- */

static void repeat_line(Edit *edit, bool at_end)
{
    Range line = any_line(edit);
    size_t at = at_end ? edit->size : line.at;
    if (at_end && edit->size > edit->header && edit->data[edit->size - 1] != '\n')
        replace(edit, (Range){ edit->size, 0 }, "\n", 1);
    replace(edit, (Range){ at_end ? edit->size : at, 0 }, edit->data + line.at, line.length);
}

/* A number near the one that stands there, or with other digits. */
static size_t other_number(Edit *edit, Range token, char out[40])
{
    static const char *const extremes[] = { "0", "-0", "-1", "9", "10", "99999999", "100000000", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e3", "1.50",
                                            "0.1", "1E-2", "123456789012345678", "1234567890123456789", "12345678.12345678", "007", "1.", ".5", "1e400", "5e-324", "+1" };
    if (fuzz_random(&edit->random, 2)) {
        const char *text = extremes[fuzz_random(&edit->random, sizeof extremes / sizeof *extremes)];
        return (size_t)snprintf(out, 40, "%s", text);
    }
    size_t length = token.length < 39 ? token.length : 39;
    memcpy(out, edit->data + token.at, length);
    for (size_t i = 0; i < length; i++)
        if (out[i] >= '0' && out[i] <= '9' && fuzz_random(&edit->random, 3) == 0)
            out[i] = (char)('0' + fuzz_random(&edit->random, 10));
    return length;
}

static void edit_token(Edit *edit, const FuzzText *text)
{
    Range line = any_line(edit);
    if (line.length == 0)
        return;
    Range token = any_token(edit, line);
    uint8_t first = edit->data[token.at];
    char number[40];
    switch (fuzz_random(&edit->random, 7)) {
    case 0: replace(edit, token, "", 0); break;
    case 1: { /* another token of the text */
        Range other = any_token(edit, any_line(edit));
        replace(edit, token, edit->data + other.at, other.length);
        break;
    }
    case 2: replace(edit, (Range){ token.at, 0 }, edit->data + token.at, token.length); break;
    case 3:
        if ((first >= '0' && first <= '9') || first == '-') {
            replace(edit, token, number, other_number(edit, token, number));
            break;
        }
        __attribute__((fallthrough));
    case 4: case 5:
        if (text->word_count) {
            const char *word = text->words[fuzz_random(&edit->random, (uint32_t)text->word_count)];
            replace(edit, token, word, strlen(word));
        }
        break;
    case 6:
        if (text->word_count) {
            const char *word = text->words[fuzz_random(&edit->random, (uint32_t)text->word_count)];
            replace(edit, (Range){ token.at, 0 }, word, strlen(word));
        }
        break;
    }
}

static void swap_tokens(Edit *edit)
{
    Range line = any_line(edit);
    if (line.length < 3)
        return;
    Range a = any_token(edit, line), b = any_token(edit, line);
    if (a.at > b.at) {
        Range other = a;
        a = b;
        b = other;
    }
    if (a.at + a.length > b.at)
        return;
    size_t span = b.at + b.length - a.at, between = b.at - a.at - a.length;
    uint8_t *copy = malloc(span);
    memcpy(copy, edit->data + b.at, b.length);
    memcpy(copy + b.length, edit->data + a.at + a.length, between);
    memcpy(copy + b.length + between, edit->data + a.at, a.length);
    memcpy(edit->data + a.at, copy, span);
    free(copy);
}

size_t fuzz_mutate_text(const FuzzText *text, uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    Edit edit = { data, size, max_size, text->header, { seed } };
    if (size <= text->header || fuzz_random(&edit.random, 12) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    if (fuzz_random(&edit.random, 8) == 0 && text->header)
        data[fuzz_random(&edit.random, (uint32_t)text->header)] = (uint8_t)fuzz_random(&edit.random, 256);
    for (uint32_t edits = 1 + fuzz_random(&edit.random, 4); edits && edit.size > edit.header; edits--) {
        switch (fuzz_random(&edit.random, 8)) {
        case 0: repeat_line(&edit, true); break;
        case 1: repeat_line(&edit, false); break;
        case 2: swap_tokens(&edit); break;
        case 3:
            if (edit.size > max_size / 2)
                replace(&edit, any_line(&edit), "", 0);
            break;
        default: edit_token(&edit, text); break;
        }
    }
    return edit.size;
}

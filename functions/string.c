/* functions/string.c: functions of VARCHAR. Positions and lengths count characters (code points) from 1. */
#include "functions/functions_internal.h"

#include <utf8proc.h>

#define STRINGS_MAX (64u << 20) /* bytes of one result */

/* ---- characters ---- */

static bool is_ascii(const Str *text)
{
    const char *bytes = str_bytes(text);
    for (uint32_t i = 0; i < text->length; i++)
        if (bytes[i] & 0x80)
            return false;
    return true;
}

static int64_t char_count(const Str *text)
{
    const char *bytes = str_bytes(text);
    int64_t count = 0;
    for (uint32_t i = 0; i < text->length; i++)
        count += (bytes[i] & 0xC0) != 0x80;
    return count;
}

/* Byte offset of the n-th character (from 0); length when there are fewer. */
static uint32_t char_offset(const Str *text, int64_t n)
{
    const char *bytes = str_bytes(text);
    uint32_t at = 0;
    while (at < text->length && n > 0) {
        at++;
        while (at < text->length && (bytes[at] & 0xC0) == 0x80)
            at++;
        n--;
    }
    return at;
}

/* Characters [first, first + count) of `text` as a view of its bytes. */
static Str slice(Arena *arena, const Str *text, int64_t first, int64_t count)
{
    if (count <= 0 || first >= (int64_t)text->length)
        return (Str){ 0 };
    uint32_t start, end;
    if (is_ascii(text)) {
        start = (uint32_t)first;
        end = count > (int64_t)text->length - first ? text->length : (uint32_t)(first + count);
    } else {
        start = char_offset(text, first);
        Str rest = str_view(str_bytes(text) + start, text->length - start);
        end = start + char_offset(&rest, count);
    }
    (void)arena;
    return str_view(str_bytes(text) + start, end - start);
}

static Str text_to_str(Arena *arena, Text *text)
{
    Str str = str_view(text->length > STR_INLINE ? arena_copy(arena, text->bytes, text->length) : text_c(text), text->length);
    return str;
}

#define ARENA(args) ((args)->evaluation->arena)
#define RESULT(out, CType) ((CType *)(out)->values)

/* ---- length ---- */

static Error *length(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = char_count(&ARG(args, 0, Str, row));
    return NULL;
}

static Error *octet_length(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = ARG(args, 0, Str, row).length;
    return NULL;
}

/* ---- case ---- */

typedef enum Letters { LETTERS_SMALL, LETTERS_CAPITAL, LETTERS_CAPITAL_LONG /* as Java has them: a sharp s is SS */ } Letters;

static void add_letter(Text *to, int32_t point)
{
    utf8proc_uint8_t encoded[4];
    text_add(to, (const char *)encoded, (size_t)utf8proc_encode_char(point, encoded));
}

static void map_letter(Text *to, int32_t point, Letters letters)
{
    const LongCapital *capital = letters == LETTERS_CAPITAL_LONG ? long_capital(point) : NULL;
    if (!capital) {
        add_letter(to, letters == LETTERS_SMALL ? utf8proc_tolower(point) : utf8proc_toupper(point));
        return;
    }
    for (int i = 0; i < LONG_CAPITAL && capital->capital[i]; i++)
        add_letter(to, capital->capital[i]);
}

static void map_case(Text *to, const Str *text, Letters letters)
{
    const bool upper = letters != LETTERS_SMALL;
    const char *bytes = str_bytes(text);
    for (uint32_t at = 0; at < text->length;) {
        unsigned char c = (unsigned char)bytes[at];
        if (c < 0x80) {
            bool letter = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
            text_add_char(to, (char)(letter ? c ^ 0x20 : c));
            at++;
            continue;
        }
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)bytes + at, (utf8proc_ssize_t)(text->length - at), &point);
        if (size <= 0)
            break;
        map_letter(to, point, letters);
        at += (uint32_t)size;
    }
}

static void change_case(const Args *args, Vector *out, Letters letters)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        text.length = 0;
        map_case(&text, &ARG(args, 0, Str, row), letters);
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
}

static Error *upper_case(const Args *args, Vector *out)
{
    change_case(args, out, LETTERS_CAPITAL);
    return NULL;
}

static Error *upper_long(const Args *args, Vector *out)
{
    change_case(args, out, LETTERS_CAPITAL_LONG);
    return NULL;
}

static Error *lower_case(const Args *args, Vector *out)
{
    change_case(args, out, LETTERS_SMALL);
    return NULL;
}

/* Does a word begin behind the character? */
static bool ends_word(char c, bool blanks_only)
{
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    return blank || (!blanks_only && (c == '-' || c == '_' || c == '.' || c == ',' || c == '/'));
}

static Error *capitalize(const Args *args, Vector *out, bool blanks_only)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        const Str *from = &ARG(args, 0, Str, row);
        const char *bytes = str_bytes(from);
        text.length = 0;
        bool start = true;
        for (uint32_t at = 0, next; at < from->length; at = next) {
            for (next = at + 1; next < from->length && ((unsigned char)bytes[next] & 0xc0) == 0x80;)
                next++;
            Str character = str_view(bytes + at, next - at);
            map_case(&text, &character, start);
            start = ends_word(bytes[at], blanks_only);
        }
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

static Error *initcap(const Args *args, Vector *out) { return capitalize(args, out, false); }
static Error *initcap_blanks(const Args *args, Vector *out) { return capitalize(args, out, true); }

/* ---- parts ---- */

/* From 1; 0 counts as 1; negative from the end. */
static int64_t first_index(const Str *text, int64_t position)
{
    if (position < 0) {
        int64_t index = char_count(text) + position;
        return index < 0 ? 0 : index;
    }
    return position > 0 ? position - 1 : 0;
}

static Error *substring2(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        RESULT(out, Str)[row] = slice(ARENA(args), text, first_index(text, ARG(args, 1, int64_t, row)), INT64_MAX / 2);
    }
    return NULL;
}

static Error *substring3(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        int64_t count = ARG(args, 2, int64_t, row);
        RESULT(out, Str)[row] = slice(ARENA(args), text, first_index(text, ARG(args, 1, int64_t, row)), count < INT64_MAX / 2 ? count : INT64_MAX / 2);
    }
    return NULL;
}

static Error *left_part(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, Str)[row] = slice(ARENA(args), &ARG(args, 0, Str, row), 0, ARG(args, 1, int64_t, row));
    return NULL;
}

static Error *right_part(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        int64_t count = ARG(args, 1, int64_t, row), all = char_count(text);
        count = count < 0 ? 0 : count > all ? all : count;
        RESULT(out, Str)[row] = slice(ARENA(args), text, all - count, count);
    }
    return NULL;
}

static bool in_set(const char *set, uint32_t length_of_set, char c) { return memchr(set, c, length_of_set) != NULL; }

static Str trim_str(const Str *text, const char *set, uint32_t set_length, bool left, bool right)
{
    const char *bytes = str_bytes(text);
    uint32_t start = 0, end = text->length;
    while (left && start < end && in_set(set, set_length, bytes[start]))
        start++;
    while (right && end > start && in_set(set, set_length, bytes[end - 1]))
        end--;
    return str_view(bytes + start, end - start);
}

static Error *trim_any(const Args *args, Vector *out, bool left, bool right)
{
    for (ARGS_EACH(args, row)) {
        const Str *set = args->arg_count > 1 ? &ARG(args, 1, Str, row) : NULL;
        RESULT(out, Str)[row] = trim_str(&ARG(args, 0, Str, row), set ? str_bytes(set) : " \t\r\n", set ? set->length : 4, left, right);
    }
    return NULL;
}
static Error *trim(const Args *args, Vector *out) { return trim_any(args, out, true, true); }
static Error *ltrim(const Args *args, Vector *out) { return trim_any(args, out, true, false); }
static Error *rtrim(const Args *args, Vector *out) { return trim_any(args, out, false, true); }

/* The n-th part (from 0) between separators; false: there are fewer. */
static bool split_nth(const Str *text, const Str *separator, int64_t n, Str *part)
{
    const char *at = str_bytes(text), *end = at + text->length;
    if (n < 0)
        return false;
    for (;;) {
        const char *next = separator->length ? memmem(at, (size_t)(end - at), str_bytes(separator), separator->length) : NULL;
        if (n == 0) {
            *part = str_view(at, (size_t)((next ? next : end) - at));
            return true;
        }
        if (!next)
            return false;
        at = next + separator->length;
        n--;
    }
}

static Error *split_index(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        if (!split_nth(&ARG(args, 0, Str, row), &ARG(args, 1, Str, row), ARG(args, 2, int64_t, row), &RESULT(out, Str)[row]))
            args_null(args, out, row);
    return NULL;
}

static Error *split_part(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        if (!split_nth(&ARG(args, 0, Str, row), &ARG(args, 1, Str, row), ARG(args, 2, int64_t, row) - 1, &RESULT(out, Str)[row]))
            RESULT(out, Str)[row] = (Str){ 0 };
    return NULL;
}

/* ---- searching ---- */

static int64_t find_from(const Str *text, const Str *part, int64_t first)
{
    uint32_t start = char_offset(text, first);
    const char *bytes = str_bytes(text);
    const char *found = part->length ? memmem(bytes + start, text->length - start, str_bytes(part), part->length) : bytes + start;
    if (!found)
        return 0;
    Str before = str_view(bytes, (size_t)(found - bytes));
    return char_count(&before) + 1;
}

static Error *instr(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = find_from(&ARG(args, 0, Str, row), &ARG(args, 1, Str, row), 0);
    return NULL;
}

static Error *charindex(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t first = args->arg_count > 2 ? ARG(args, 2, int64_t, row) - 1 : 0;
        RESULT(out, int64_t)[row] = find_from(&ARG(args, 1, Str, row), &ARG(args, 0, Str, row), first > 0 ? first : 0);
    }
    return NULL;
}

static Error *starts_with(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *prefix = &ARG(args, 1, Str, row);
        RESULT(out, uint8_t)[row] = prefix->length <= text->length && memcmp(str_bytes(text), str_bytes(prefix), prefix->length) == 0;
    }
    return NULL;
}

static Error *ends_with(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *end = &ARG(args, 1, Str, row);
        RESULT(out, uint8_t)[row] = end->length <= text->length && memcmp(str_bytes(text) + text->length - end->length, str_bytes(end), end->length) == 0;
    }
    return NULL;
}

static Error *contains(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *part = &ARG(args, 1, Str, row);
        RESULT(out, uint8_t)[row] = part->length == 0 || memmem(str_bytes(text), text->length, str_bytes(part), part->length) != NULL;
    }
    return NULL;
}

static Error *count_char(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *part = &ARG(args, 1, Str, row);
        const char *at = str_bytes(text), *end = at + text->length;
        int64_t count = 0;
        while (part->length && (at = memmem(at, (size_t)(end - at), str_bytes(part), part->length)) != NULL) {
            count++;
            at += part->length;
        }
        RESULT(out, int64_t)[row] = count;
    }
    return NULL;
}

/* ---- building ---- */

/* NULL arguments count as nothing, as in ksqlDB and SQL Server. */
static Error *concat(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        text.length = 0;
        for (int i = 0; i < args->arg_count; i++)
            if (!vector_is_null(args->arg[i], row))
                text_add_str(&text, &ARG(args, i, Str, row));
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

static Error *concat_ws(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        bool any = false;
        if (vector_is_null(args->arg[0], row)) {
            args_null(args, out, row);
            continue;
        }
        text.length = 0;
        for (int i = 1; i < args->arg_count; i++) {
            if (vector_is_null(args->arg[i], row))
                continue;
            if (any)
                text_add_str(&text, &ARG(args, 0, Str, row));
            text_add_str(&text, &ARG(args, i, Str, row));
            any = true;
        }
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

static Error *replace(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        const Str *from = &ARG(args, 1, Str, row), *to = &ARG(args, 2, Str, row), *source = &ARG(args, 0, Str, row);
        const char *at = str_bytes(source), *end = at + source->length;
        text.length = 0;
        while (from->length && text.length < STRINGS_MAX) {
            const char *found = memmem(at, (size_t)(end - at), str_bytes(from), from->length);
            if (!found)
                break;
            text_add(&text, at, (size_t)(found - at));
            text_add_str(&text, to);
            at = found + from->length;
        }
        text_add(&text, at, (size_t)(end - at));
        if (text.length > STRINGS_MAX)
            args_fail(args, out, row, "the text is longer than 64 MiB");
        else
            RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

static Error *repeat(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        const Str *part = &ARG(args, 0, Str, row);
        int64_t times = ARG(args, 1, int64_t, row);
        text.length = 0;
        if (times > 0 && part->length && times > (int64_t)(STRINGS_MAX / part->length)) {
            args_fail(args, out, row, "the text is longer than 64 MiB");
            continue;
        }
        for (int64_t i = 0; i < times; i++)
            text_add_str(&text, part);
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

static Error *reverse(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        char *bytes = arena_alloc(ARENA(args), text->length + 1u);
        uint32_t to = text->length;
        for (uint32_t at = 0; at < text->length;) {
            uint32_t end = at + 1;
            while (end < text->length && (str_bytes(text)[end] & 0xC0) == 0x80)
                end++;
            to -= end - at;
            memcpy(bytes + to, str_bytes(text) + at, end - at);
            at = end;
        }
        RESULT(out, Str)[row] = str_view(bytes, text->length);
    }
    return NULL;
}

static void pad_row(const Args *args, Vector *out, uint32_t row, bool left, Text *text)
{
    const Str *source = &ARG(args, 0, Str, row);
    int64_t wanted = ARG(args, 1, int64_t, row), have = char_count(source);
    Str blank = str_c(" ");
    const Str *pad = args->arg_count > 2 ? &ARG(args, 2, Str, row) : &blank;
    if (wanted < 0 || pad->length == 0) {
        args_null(args, out, row);
        return;
    }
    if (wanted > (int64_t)STRINGS_MAX / 4) {
        args_fail(args, out, row, "the text is longer than 64 MiB");
        return;
    }
    if (have >= wanted) {
        RESULT(out, Str)[row] = slice(ARENA(args), source, 0, wanted);
        return;
    }
    text->length = 0;
    if (!left)
        text_add_str(text, source);
    int64_t pad_chars = char_count(pad), missing = wanted - have;
    for (; missing >= pad_chars; missing -= pad_chars)
        text_add_str(text, pad);
    Str rest = slice(ARENA(args), pad, 0, missing);
    text_add_str(text, &rest);
    if (left)
        text_add_str(text, source);
    RESULT(out, Str)[row] = text_to_str(ARENA(args), text);
}

static Error *lpad(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row))
        pad_row(args, out, row, true, &text);
    text_release(&text);
    return NULL;
}

static Error *rpad(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row))
        pad_row(args, out, row, false, &text);
    text_release(&text);
    return NULL;
}

static Error *chr(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t point = ARG(args, 0, int64_t, row);
        utf8proc_uint8_t bytes[4];
        if (point <= 0 || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
            args_fail(args, out, row, "%lld is no character", (long long)point);
            continue;
        }
        utf8proc_ssize_t size = utf8proc_encode_char((utf8proc_int32_t)point, bytes);
        RESULT(out, Str)[row] = str_view((const char *)bytes, (size_t)size);
    }
    return NULL;
}

static Error *ascii(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        utf8proc_int32_t point = 0;
        if (text->length)
            utf8proc_iterate((const utf8proc_uint8_t *)str_bytes(text), (utf8proc_ssize_t)text->length, &point);
        RESULT(out, int64_t)[row] = point;
    }
    return NULL;
}

#define V TYPE_VARCHAR
#define I TYPE_BIGINT
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }

const ScalarFunction string_functions[] = {
    { "length", { V }, I, length, .aliases = ALIASES("len", "char_length", "character_length"), .category = "string",
      .doc = "The number of characters.", .example = "length('Zürich')", .yields = "6" },
    { "octet_length", { V }, I, octet_length, .category = "string", .doc = "The number of bytes.", .example = "octet_length('Zürich')", .yields = "7" },
    { "upper", { V }, V, upper_case, .aliases = ALIASES("ucase"), .category = "string", .doc = "The text in capital letters.", .example = "upper('ab')", .yields = "AB" },
    { "upper long", { V }, V, upper_long, .hidden = true, .category = "string" },
    { "lower", { V }, V, lower_case, .aliases = ALIASES("lcase"), .category = "string", .doc = "The text in small letters.", .example = "lower('AB')", .yields = "ab" },
    { "initcap blanks", { V }, V, initcap_blanks, .hidden = true, .category = "string" },
    { "initcap", { V }, V, initcap, .category = "string", .doc = "Each word with a capital letter first and small letters behind.", .example = "initcap('hello WORLD')", .yields = "Hello World" },
    { "substring", { V, I }, V, substring2, .aliases = ALIASES("substr"), .category = "string",
      .doc = "The text from a position on (from 1; negative counts from the end).", .example = "substring('bidsql', 4)", .yields = "sql" },
    { "substring", { V, I, I }, V, substring3, .aliases = ALIASES("substr"), .category = "string",
      .doc = "So many characters from a position on (from 1; negative counts from the end).", .example = "substring('bidsql', 1, 3)", .yields = "bid" },
    { "left", { V, I }, V, left_part, .category = "string", .doc = "The first n characters.", .example = "left('bidsql', 3)", .yields = "bid" },
    { "right", { V, I }, V, right_part, .category = "string", .doc = "The last n characters.", .example = "right('bidsql', 3)", .yields = "sql" },
    { "trim", { V }, V, trim, .aliases = ALIASES("btrim"), .category = "string", .doc = "Without blanks at both ends.", .example = "trim('  a b ')", .yields = "a b" },
    { "trim", { V, V }, V, trim, .aliases = ALIASES("btrim"), .category = "string", .doc = "Without the given characters at both ends.", .example = "trim('xxaxx', 'x')", .yields = "a" },
    { "ltrim", { V }, V, ltrim, .category = "string", .doc = "Without blanks at the start.", .example = "ltrim('  a')", .yields = "a" },
    { "ltrim", { V, V }, V, ltrim, .category = "string", .doc = "Without the given characters at the start.", .example = "ltrim('00012', '0')", .yields = "12" },
    { "rtrim", { V }, V, rtrim, .category = "string", .doc = "Without blanks at the end.", .example = "rtrim('a  ')", .yields = "a" },
    { "rtrim", { V, V }, V, rtrim, .category = "string", .doc = "Without the given characters at the end.", .example = "rtrim('a;;', ';')", .yields = "a" },
    { "split_index", { V, V, I }, V, split_index, .category = "string", .doc = "The n-th part between separators, from 0; NULL if there are fewer (Flink).",
      .example = "split_index('a/b/c', '/', 1)", .yields = "b" },
    { "split_part", { V, V, I }, V, split_part, .category = "string", .doc = "The n-th part between separators, from 1; empty if there are fewer (PostgreSQL).",
      .example = "split_part('a/b/c', '/', 1)", .yields = "a" },
    { "instr", { V, V }, I, instr, .aliases = ALIASES("strpos"), .category = "string", .doc = "Where the second text first stands in the first, from 1; 0 if nowhere.",
      .example = "instr('bidsql', 'sql')", .yields = "4" },
    { "charindex", { V, V }, I, charindex, .aliases = ALIASES("position", "locate"), .category = "string", .doc = "Where the first text first stands in the second, from 1; 0 if nowhere.",
      .example = "charindex('sql', 'bidsql')", .yields = "4" },
    { "charindex", { V, V, I }, I, charindex, .aliases = ALIASES("locate"), .category = "string", .doc = "The same, looking from a position on.",
      .example = "charindex('a', 'banana', 3)", .yields = "4" },
    { "starts_with", { V, V }, TYPE_BOOLEAN, starts_with, .aliases = ALIASES("startswith"), .category = "string", .doc = "True when the first text begins with the second.",
      .example = "starts_with('bidsql', 'bid')", .yields = "true" },
    { "ends_with", { V, V }, TYPE_BOOLEAN, ends_with, .aliases = ALIASES("endswith"), .category = "string", .doc = "True when the first text ends with the second.",
      .example = "ends_with('bidsql', 'sql')", .yields = "true" },
    { "contains", { V, V }, TYPE_BOOLEAN, contains, .category = "string", .doc = "True when the second text stands somewhere in the first.",
      .example = "contains('bidsql', 'ds')", .yields = "true" },
    { "count_char", { V, V }, I, count_char, .category = "string", .doc = "How often the second text stands in the first.", .example = "count_char('banana', 'a')", .yields = "3" },
    { "concat", { V }, V, concat, .variadic = true, .sees_nulls = true, .category = "string", .doc = "The texts one after the other; NULLs count as nothing.",
      .example = "concat('bid', NULL, 'sql')", .yields = "bidsql" },
    { "concat_ws", { V, V }, V, concat_ws, .variadic = true, .sees_nulls = true, .category = "string", .doc = "The texts with the first one between them; NULLs are left out.",
      .example = "concat_ws('-', 'a', NULL, 'b')", .yields = "a-b" },
    { "replace", { V, V, V }, V, replace, .can_fail = true, .category = "string", .doc = "Every occurrence of the second text replaced by the third.",
      .example = "replace('banana', 'an', 'AN')", .yields = "bANANa" },
    { "repeat", { V, I }, V, repeat, .aliases = ALIASES("replicate"), .can_fail = true, .category = "string", .doc = "The text n times.", .example = "repeat('ab', 3)", .yields = "ababab" },
    { "reverse", { V }, V, reverse, .category = "string", .doc = "The characters backwards.", .example = "reverse('abc')", .yields = "cba" },
    { "lpad", { V, I }, V, lpad, .can_fail = true, .category = "string", .doc = "Filled up with blanks at the start, or cut, to n characters.", .example = "lpad('7', 3) || '!'", .yields = "  7!" },
    { "lpad", { V, I, V }, V, lpad, .can_fail = true, .category = "string", .doc = "Filled up with the third text at the start, or cut, to n characters.", .example = "lpad('7', 3, '0')", .yields = "007" },
    { "rpad", { V, I }, V, rpad, .can_fail = true, .category = "string", .doc = "Filled up with blanks at the end, or cut, to n characters.", .example = "rpad('7', 3) || '!'", .yields = "7  !" },
    { "rpad", { V, I, V }, V, rpad, .can_fail = true, .category = "string", .doc = "Filled up with the third text at the end, or cut, to n characters.", .example = "rpad('7', 3, '0')", .yields = "700" },
    { "chr", { I }, V, chr, .aliases = ALIASES("nchar"), .can_fail = true, .category = "string", .doc = "The character with this code point.", .example = "chr(65)", .yields = "A" },
    { "ascii", { V }, I, ascii, .category = "string", .doc = "The code point of the first character; 0 for an empty text.", .example = "ascii('A')", .yields = "65" },
    { .name = NULL }
};

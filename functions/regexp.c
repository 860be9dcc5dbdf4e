/* functions/regexp.c: regular expressions, by PCRE2.
 *
 * A constant pattern is compiled once, to machine code; one that comes from a column whenever it changes. Steps, nesting and memory of a
 * match are limited: a pattern that runs wild is an error of its row. What is extracted is a view of the text that was searched. */
#include <ctype.h>
#include "functions/lists.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

#define TEXT_MAX (64u << 20)
#define PATTERN_MAX 65536
#define STEPS_MAX 1000000
#define DEPTH_MAX 100000
#define HEAP_MAX_KIB (16 * 1024)

/* ---- compiling ---- */

/* Java's \u00e9 in PCRE2's spelling, \x{00e9}; the rest as it is. */
static void add_pattern(Text *to, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\\' || i + 1 == length) {
            text_add_char(to, bytes[i]);
            continue;
        }
        size_t digits = 0;
        while (bytes[i + 1] == 'u' && digits < 4 && i + 2 + digits < length && memchr("0123456789abcdefABCDEF", bytes[i + 2 + digits], 22))
            digits++;
        if (digits == 4) {
            text_printf(to, "\\x{%.4s}", bytes + i + 2);
            i += 5;
        } else {
            text_add(to, bytes + i, 2);
            i++;
        }
    }
}

/* SQL Server's pattern as a regular expression whose match begins where PATINDEX points. */
static void add_wildcards(Text *to, const char *at, const char *end)
{
    bool open = end > at && *at == '%', open_end = end > at && end[-1] == '%';
    while (at < end && *at == '%')
        at++;
    while (end > at && end[-1] == '%')
        end--;
    text_add_c(to, open ? "(?s)" : "(?s)\\A");
    while (at < end) {
        const char *close = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;
        if (*at == '%') {
            text_add_c(to, ".*?");
        } else if (*at == '_') {
            text_add_char(to, '.');
        } else if (close && close > at + 1 + (at[1] == '^')) {
            text_add_c(to, at[1] == '^' ? "[^" : "[");
            for (at += 1 + (at[1] == '^'); at < close; at++)
                text_printf(to, "%s%c", *at == '\\' || *at == '[' || *at == '^' ? "\\" : "", *at);
            text_add_char(to, ']');
        } else {
            text_printf(to, "%s%c", (unsigned char)*at < 0x80 && !((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9')) ? "\\" : "", *at);
        }
        at++;
    }
    text_add_c(to, open_end ? "" : "\\z");
}

/* SQL's SIMILAR TO as a regular expression: % and _ are wildcards, | * + ? {} () [] as in regular expressions, everything else stands for itself. */
static void add_similar(Text *to, const char *at, const char *end, char escape)
{
    bool set = false;
    text_add_c(to, "(?s)\\A(?:");
    for (; at < end; at++) {
        const bool literal = escape && *at == escape && at + 1 < end;
        if (literal)
            at++;
        if (!literal && !set && (*at == '%' || *at == '_')) {
            text_add_c(to, *at == '%' ? ".*" : ".");
            continue;
        }
        if (literal ? (unsigned char)*at < 0x80 && !isalnum((unsigned char)*at) : memchr("\\.^$", *at, 4) && !(set && *at != '\\'))
            text_add_char(to, '\\');
        text_add_char(to, *at);
        set = !literal && *at == '[' ? true : !literal && *at == ']' && at[-1] != ':' ? false : set;
    }
    text_add_c(to, ")\\z");
}

static void unwind_code(void *code) { pcre2_code_free(code); }
static void unwind_compile_context(void *context) { pcre2_compile_context_free(context); }

typedef enum Syntax { SYNTAX_REGEXP, SYNTAX_WILDCARDS, SYNTAX_SIMILAR } Syntax;

/* A bad pattern is an ERR_BIND; the caller frees the code. */
static Error *compile(Syntax syntax, const Str *text, char escape, pcre2_code **code)
{
    Text pattern = { 0 };
    MEMORY_HOLD(text_unwind, &pattern);
    if (syntax == SYNTAX_WILDCARDS)
        add_wildcards(&pattern, str_bytes(text), str_bytes(text) + text->length);
    else if (syntax == SYNTAX_SIMILAR)
        add_similar(&pattern, str_bytes(text), str_bytes(text) + text->length, escape);
    else
        add_pattern(&pattern, str_bytes(text), text->length);
    pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
    MEMORY_HOLD(unwind_compile_context, limits);
    if (limits)
        pcre2_set_max_pattern_length(limits, PATTERN_MAX);
    int number;
    PCRE2_SIZE at;
    *code = pcre2_compile((PCRE2_SPTR)text_c(&pattern), pattern.length, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &number, &at, limits);
    pcre2_compile_context_free(limits);
    text_release(&pattern);
    if (*code)
        return NULL;
    char reason[160];
    pcre2_get_error_message(number, (PCRE2_UCHAR *)reason, sizeof reason);
    return error_new(ERR_BIND, "a bad regular expression: %s, at byte %zu", reason, at + 1);
}

static Error *prepare_constant(Arena *arena, Syntax syntax, const Value *pattern, char escape, const void **prepared)
{
    *prepared = NULL;
    if (!pattern || pattern->is_null)
        return NULL;
    pcre2_code *code;
    TRY(compile(syntax, &pattern->text, escape, &code));
    MEMORY_HOLD(unwind_code, code);
    arena_defer(arena, unwind_code, code);
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where it cannot, the pattern is interpreted */
    *prepared = code;
    return NULL;
}

static Error *prepare_second(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    (void)count;
    return prepare_constant(arena, SYNTAX_REGEXP, constants[1], 0, prepared);
}

/* ESCAPE is a constant character. */
static Error *prepare_similar(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    const Value *escape = count > 2 ? constants[2] : NULL;
    if (count > 2 && (!escape || escape->is_null || escape->text.length != 1))
        return error_new(ERR_BIND, "ESCAPE needs one character");
    return prepare_constant(arena, SYNTAX_SIMILAR, constants[1], escape ? *str_bytes(&escape->text) : 0, prepared);
}

static Error *prepare_wildcards(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    (void)count;
    return prepare_constant(arena, SYNTAX_WILDCARDS, constants[0], 0, prepared);
}

/* ---- matching ---- */

typedef struct Matcher {
    const Args *args;
    Vector *out;
    Syntax syntax;
    const pcre2_code *code;      /* of the current row */
    pcre2_code *own;             /* of a pattern from a column */
    Str own_text;
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    size_t *ovector;
    uint32_t groups;             /* without the whole match */
} Matcher;

static void *allocate(size_t size, void *arena) { return arena_alloc(arena, size); }
static void forget(void *memory, void *arena) { (void)memory, (void)arena; }

static void matcher_unwind(void *matcher) { pcre2_code_free(((Matcher *)matcher)->own); }

static void use_code(Matcher *matcher, const pcre2_code *code)
{
    matcher->code = code;
    matcher->data = pcre2_match_data_create_from_pattern(code, matcher->memory);
    matcher->ovector = pcre2_get_ovector_pointer(matcher->data);
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &matcher->groups);
}

static void matcher_start(Matcher *matcher, const Args *args, Vector *out, Syntax syntax)
{
    *matcher = (Matcher){ .args = args, .out = out, .syntax = syntax };
    matcher->memory = pcre2_general_context_create(allocate, forget, ARENA(args));
    matcher->limits = pcre2_match_context_create(matcher->memory);
    pcre2_set_match_limit(matcher->limits, STEPS_MAX);
    pcre2_set_depth_limit(matcher->limits, DEPTH_MAX);
    pcre2_set_heap_limit(matcher->limits, HEAP_MAX_KIB);
    if (args->prepared)
        use_code(matcher, args->prepared);
}

static void matcher_finish(Matcher *matcher)
{
    pcre2_code_free(matcher->own);
    matcher->own = NULL;
}

/* Makes the row's pattern the current one. False: it is none, and the row has failed. */
static bool matcher_row(Matcher *matcher, uint32_t row)
{
    if (matcher->args->prepared)
        return true;
    const Str *text = &ARG(matcher->args, matcher->syntax == SYNTAX_WILDCARDS ? 0 : 1, Str, row);
    if (matcher->own && str_equal(text, &matcher->own_text))
        return true;
    matcher_finish(matcher);
    Error *error = compile(matcher->syntax, text, matcher->args->arg_count > 2 && matcher->syntax == SYNTAX_SIMILAR ? *str_bytes(&ARG(matcher->args, 2, Str, row)) : 0, &matcher->own);
    if (error) {
        args_fail(matcher->args, matcher->out, row, "%s", error->message);
        error_free(error);
        return false;
    }
    matcher->own_text = *text;
    use_code(matcher, matcher->own);
    return true;
}

/* The next match from byte `from` on: 1, 0 for none, -1 when the row has failed. */
static int matcher_find(Matcher *matcher, uint32_t row, const Str *text, size_t from)
{
    PCRE2_SPTR bytes = (PCRE2_SPTR)str_bytes(text);
    int found = pcre2_match(matcher->code, bytes, text->length, from, 0, matcher->data, matcher->limits);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter's stack is on the heap */
        found = pcre2_match(matcher->code, bytes, text->length, from, PCRE2_NO_JIT, matcher->data, matcher->limits);
    if (found >= 0)
        return 1;
    if (found == PCRE2_ERROR_NOMATCH)
        return 0;
    if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT || found == PCRE2_ERROR_HEAPLIMIT) {
        args_fail(matcher->args, matcher->out, row, "the regular expression takes too many steps");
        return -1;
    }
    char reason[160];
    pcre2_get_error_message(found, (PCRE2_UCHAR *)reason, sizeof reason);
    args_fail(matcher->args, matcher->out, row, "the regular expression fails: %s", reason);
    return -1;
}

/* Where to look for the match behind this one: an empty match is stepped over by a character. SIZE_MAX: the text is at its end. */
static size_t matcher_behind(const Matcher *matcher, const Str *text)
{
    size_t end = matcher->ovector[1];
    if (end > matcher->ovector[0])
        return end;
    if (end >= text->length)
        return SIZE_MAX;
    for (end++; end < text->length && (str_bytes(text)[end] & 0xC0) == 0x80;)
        end++;
    return end;
}

/* What a group matched, as a view; false: it took no part in the match. */
static bool group_text(const Matcher *matcher, const Str *text, uint32_t group, Str *part)
{
    size_t start = matcher->ovector[2 * group], end = matcher->ovector[2 * group + 1];
    if (start == PCRE2_UNSET)
        return false;
    *part = start <= end ? str_view(str_bytes(text) + start, end - start) : (Str){ 0 }; /* \K may put the start behind the end */
    return true;
}

/* ---- looking ---- */

static Error *looks_like(const Args *args, Vector *out, Syntax syntax)
{
    Matcher matcher;
    matcher_start(&matcher, args, out, syntax);
    MEMORY_HOLD(matcher_unwind, &matcher);
    bool wide = out->type->kind == TYPE_BIGINT;
    for (ARGS_EACH(args, row)) {
        int found = matcher_row(&matcher, row) ? matcher_find(&matcher, row, &ARG(args, 0, Str, row), 0) : -1;
        if (wide)
            RESULT(out, int64_t)[row] = found > 0;
        else
            RESULT(out, uint8_t)[row] = found > 0;
    }
    matcher_finish(&matcher);
    return NULL;
}

static Error *like(const Args *args, Vector *out) { return looks_like(args, out, SYNTAX_REGEXP); }
static Error *similar(const Args *args, Vector *out) { return looks_like(args, out, SYNTAX_SIMILAR); }

static Error *patindex(const Args *args, Vector *out)
{
    Matcher matcher;
    matcher_start(&matcher, args, out, SYNTAX_WILDCARDS);
    MEMORY_HOLD(matcher_unwind, &matcher);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 1, Str, row);
        if (!matcher_row(&matcher, row) || matcher_find(&matcher, row, text, 0) <= 0)
            continue;
        int64_t position = 1;
        for (size_t i = 0; i < matcher.ovector[0]; i++)
            position += (str_bytes(text)[i] & 0xC0) != 0x80;
        RESULT(out, int64_t)[row] = position;
    }
    matcher_finish(&matcher);
    return NULL;
}

/* ---- taking out ---- */

static int64_t group_of(const Args *args, uint32_t row) { return args->arg_count > 2 ? ARG(args, 2, int64_t, row) : 0; }

static Error *extract(const Args *args, Vector *out)
{
    Matcher matcher;
    matcher_start(&matcher, args, out, SYNTAX_REGEXP);
    MEMORY_HOLD(matcher_unwind, &matcher);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        int64_t group = group_of(args, row);
        if (!matcher_row(&matcher, row))
            continue;
        int found = group >= 0 && group <= matcher.groups ? matcher_find(&matcher, row, text, 0) : 0;
        if (found == 0 || (found > 0 && !group_text(&matcher, text, (uint32_t)group, &RESULT(out, Str)[row])))
            args_null(args, out, row);
    }
    matcher_finish(&matcher);
    return NULL;
}

static Error *extract_all(const Args *args, Vector *out)
{
    TextList list;
    Matcher matcher;
    text_list_start(&list, args, out);
    matcher_start(&matcher, args, out, SYNTAX_REGEXP);
    MEMORY_HOLD(matcher_unwind, &matcher);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        int64_t group = group_of(args, row);
        list_row(&list.lists, row);
        if (!matcher_row(&matcher, row))
            continue;
        if (group < 0 || group > matcher.groups) {
            args_null(args, out, row);
            continue;
        }
        for (size_t from = 0; from != SIZE_MAX && matcher_find(&matcher, row, text, from) > 0; from = matcher_behind(&matcher, text)) {
            Str part;
            text_list_add(&list, group_text(&matcher, text, (uint32_t)group, &part) ? &part : NULL);
        }
    }
    matcher_finish(&matcher);
    text_list_finish(&list, args);
    return NULL;
}

/* Between the matches. A pattern that matches nothing at all splits between characters, and then what is empty at the end is left out (as Java does). */
static void split_row(Matcher *matcher, TextList *list, uint32_t row, const Str *text)
{
    Str nothing = { 0 };
    int found = matcher_find(matcher, row, &nothing, 0);
    bool between = found > 0;
    size_t start = 0;
    uint32_t first = list->lists.count, filled = first;
    for (size_t from = 0; found >= 0 && from != SIZE_MAX && (found = matcher_find(matcher, row, text, from)) > 0; from = matcher_behind(matcher, text)) {
        size_t at = matcher->ovector[0], end = matcher->ovector[1];
        if (end == at && (at == 0 || at == text->length))
            continue;
        Str part = str_view(str_bytes(text) + start, at > start ? at - start : 0);
        text_list_add(list, &part);
        filled = part.length ? list->lists.count : filled;
        start = end;
    }
    if (found < 0)
        return;
    Str rest = str_view(str_bytes(text) + start, text->length - start);
    text_list_add(list, &rest);
    if (between && !rest.length && text->length)
        list->lists.count = filled;
}

static Error *split(const Args *args, Vector *out)
{
    TextList list;
    Matcher matcher;
    text_list_start(&list, args, out);
    matcher_start(&matcher, args, out, SYNTAX_REGEXP);
    MEMORY_HOLD(matcher_unwind, &matcher);
    for (ARGS_EACH(args, row)) {
        list_row(&list.lists, row);
        if (matcher_row(&matcher, row))
            split_row(&matcher, &list, row, &ARG(args, 0, Str, row));
    }
    matcher_finish(&matcher);
    text_list_finish(&list, args);
    return NULL;
}

/* ---- replacing ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The number of the group that the text behind a $ names: digits as long as there is such a group, or {name}. -1: none. */
static int64_t group_named(const Matcher *matcher, const char **at, const char *end)
{
    if (*at < end && is_digit(**at)) {
        uint32_t group = (uint32_t)(*(*at)++ - '0');
        while (*at < end && is_digit(**at) && group * 10 + (uint32_t)(**at - '0') <= matcher->groups)
            group = group * 10 + (uint32_t)(*(*at)++ - '0');
        return group <= matcher->groups ? (int64_t)group : -1;
    }
    const char *close = *at < end && **at == '{' ? memchr(*at, '}', (size_t)(end - *at)) : NULL;
    char name[64];
    size_t length = close ? (size_t)(close - *at) - 1 : 0;
    if (!length || length >= sizeof name)
        return -1;
    memcpy(name, *at + 1, length);
    name[length] = 0;
    *at = close + 1;
    int group = pcre2_substring_number_from_name(matcher->code, (PCRE2_SPTR)name);
    return group > 0 ? group : -1;
}

/* $1 and ${name} are what a group matched, \ takes the meaning from what follows. False: there is no such group. */
static bool add_replacement(Text *to, const Matcher *matcher, const Str *text, const Str *replacement)
{
    const char *at = str_bytes(replacement), *end = at + replacement->length;
    while (at < end) {
        char c = *at++;
        if (c == '\\' && at < end) {
            text_add_char(to, *at++);
        } else if (c == '$') {
            Str part;
            int64_t group = group_named(matcher, &at, end);
            if (group < 0)
                return false;
            if (group_text(matcher, text, (uint32_t)group, &part))
                text_add_str(to, &part);
        } else {
            text_add_char(to, c);
        }
    }
    return true;
}

static void replace_row(Matcher *matcher, Text *result, uint32_t row, const Str *text, const Str *replacement)
{
    size_t copied = 0;
    int found = 0;
    result->length = 0;
    for (size_t from = 0; from != SIZE_MAX && result->length <= TEXT_MAX && (found = matcher_find(matcher, row, text, from)) > 0;
         from = matcher_behind(matcher, text)) {
        if (matcher->ovector[0] > copied)
            text_add(result, str_bytes(text) + copied, matcher->ovector[0] - copied);
        copied = matcher->ovector[1];
        if (!add_replacement(result, matcher, text, replacement)) {
            args_fail(matcher->args, matcher->out, row, "the replacement names a group that the regular expression does not have");
            return;
        }
    }
    if (found < 0)
        return;
    text_add(result, str_bytes(text) + copied, text->length - copied);
    if (result->length > TEXT_MAX)
        args_fail(matcher->args, matcher->out, row, "the text is longer than 64 MiB");
    else
        RESULT(matcher->out, Str)[row] = str_view(result->length > STR_INLINE ? arena_copy(ARENA(matcher->args), result->bytes, result->length) : text_c(result), result->length);
}

static Error *replace(const Args *args, Vector *out)
{
    Text result = { 0 };
    MEMORY_HOLD(text_unwind, &result);
    Matcher matcher;
    matcher_start(&matcher, args, out, SYNTAX_REGEXP);
    MEMORY_HOLD(matcher_unwind, &matcher);
    for (ARGS_EACH(args, row))
        if (matcher_row(&matcher, row))
            replace_row(&matcher, &result, row, &ARG(args, 0, Str, row), &ARG(args, 2, Str, row));
    matcher_finish(&matcher);
    text_release(&result);
    return NULL;
}

/* ---- counting ---- */

static Error *count(const Args *args, Vector *out)
{
    Matcher matcher;
    matcher_start(&matcher, args, out, SYNTAX_REGEXP);
    MEMORY_HOLD(matcher_unwind, &matcher);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        int64_t found = 0;
        if (matcher_row(&matcher, row))
            for (size_t from = 0; from != SIZE_MAX && matcher_find(&matcher, row, text, from) > 0; from = matcher_behind(&matcher, text))
                found++;
        RESULT(out, int64_t)[row] = found;
    }
    matcher_finish(&matcher);
    return NULL;
}

/* In characters. */
static Error *place(const Args *args, Vector *out)
{
    Matcher matcher;
    matcher_start(&matcher, args, out, SYNTAX_REGEXP);
    MEMORY_HOLD(matcher_unwind, &matcher);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        if (!matcher_row(&matcher, row) || matcher_find(&matcher, row, text, 0) <= 0)
            continue;
        int64_t at = 1;
        for (size_t i = 0; i < matcher.ovector[0]; i++)
            at += ((unsigned char)str_bytes(text)[i] & 0xC0) != 0x80;
        RESULT(out, int64_t)[row] = at;
    }
    matcher_finish(&matcher);
    return NULL;
}

/* ---- the table ---- */

static const Type *type_of_texts(Arena *arena, const Type *const types[], int count)
{
    (void)types, (void)count;
    return type_array(arena, type_scalar(TYPE_VARCHAR));
}

#define V TYPE_VARCHAR
#define I TYPE_BIGINT
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define REGEXP .can_fail = true, .category = "regexp"

const ScalarFunction regexp_functions[] = {
    { "regexp_like", { V, V }, TYPE_BOOLEAN, like, NULL, prepare_second, .aliases = ALIASES("rlike", "regexp"), REGEXP, .doc = "True when the pattern matches somewhere in the text.",
      .example = "regexp_like('item-42', '[0-9]+$')", .yields = "true" },
    { "similar to", { V, V }, TYPE_BOOLEAN, similar, NULL, prepare_similar, .can_fail = true, .hidden = true, .category = "operator" },
    { "similar to", { V, V, V }, TYPE_BOOLEAN, similar, NULL, prepare_similar, .can_fail = true, .hidden = true, .category = "operator" },
    { "regexmatch", { V, V }, I, like, NULL, prepare_second, REGEXP, .doc = "The same as 1 or 0 (ASA).", .example = "regexmatch('item-42', '^[0-9]')", .yields = "0" },
    { "patindex", { V, V }, I, patindex, NULL, prepare_wildcards, REGEXP,
      .doc = "Where a pattern of %, _ and [a-z] first stands in the text, from 1; 0 if nowhere (ASA). Like LIKE it must fit the whole text: %x% looks for x.",
      .example = "patindex('%[0-9]%', 'item-42')", .yields = "6" },
    { "regexp_count", { V, V }, I, count, NULL, prepare_second, REGEXP, .doc = "How often the pattern matches, without overlapping.", .example = "regexp_count('item-42 item-7', '[0-9]+')", .yields = "2" },
    { "regexp_instr", { V, V }, I, place, NULL, prepare_second, REGEXP, .doc = "Where the pattern matches first, from 1; 0 if nowhere.", .example = "regexp_instr('item-42', '[0-9]')", .yields = "6" },
    { "regexp_extract", { V, V }, V, extract, NULL, prepare_second, .aliases = ALIASES("regexp_substr"), REGEXP, .doc = "What the pattern matches first; NULL if nothing.",
      .example = "regexp_extract('item-42 item-7', '[0-9]+')", .yields = "42" },
    { "regexp_extract", { V, V, I }, V, extract, NULL, prepare_second, REGEXP, .doc = "What a group of the pattern's first match holds, 0 for all of it; NULL if there is none.",
      .example = "regexp_extract('key=value', '(.*)=(.*)', 2)", .yields = "value" },
    { "regexp_extract_all", { V, V }, TYPE_ANY, extract_all, type_of_texts, prepare_second, REGEXP, .doc = "All that the pattern matches.",
      .example = "regexp_extract_all('item-42 item-7', '[0-9]+')", .yields = "[\"42\",\"7\"]" },
    { "regexp_extract_all", { V, V, I }, TYPE_ANY, extract_all, type_of_texts, prepare_second, REGEXP, .doc = "What a group holds in all matches; NULL where it took no part, and if the pattern does not have it.",
      .example = "regexp_extract_all('a=1 b=2', '(.)=(.)', 1)", .yields = "[\"a\",\"b\"]" },
    { "regexp_replace", { V, V, V }, V, replace, NULL, prepare_second, .aliases = ALIASES("regexreplace"), REGEXP, .doc = "Every match replaced. In the replacement $1 and ${name} are groups, and \\ takes its meaning from what follows.",
      .example = "regexp_replace('2026-01-31', '(\\d+)-(\\d+)-(\\d+)', '$3.$2.$1')", .yields = "31.01.2026" },
    { "regexp_split_to_array", { V, V }, TYPE_ANY, split, type_of_texts, prepare_second, .aliases = ALIASES("regexp_split"), REGEXP, .doc = "What stands between the matches; all characters if the pattern is empty.",
      .example = "regexp_split_to_array('a1b22c', '[0-9]+')", .yields = "[\"a\",\"b\",\"c\"]" },
    { .name = NULL },
};

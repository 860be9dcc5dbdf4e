/* parser/literal.c: tokens -> values: names, strings, numbers, dates, intervals.
 *
 * ${name} inside a string or a quoted name is replaced in its content, so that a value can never end the
 * string; an unknown name stays as it stands, and $${ means a plain ${ . */
#include <stdlib.h>
#include "parser/parser_internal.h"
#include "parser/sql.h"

/* ---- strings and names ---- */

static const char *variable_value(Parser *parser, const char *name, size_t length)
{
    for (int i = parser->variables.count - 1; i >= 0; i--)
        if (strlen(parser->variables.names[i]) == length && strncasecmp(parser->variables.names[i], name, length) == 0)
            return parser->variables.values[i];
    return NULL;
}

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static size_t replace_variables(Parser *parser, char **content, size_t length)
{
    const char *from = *content, *end = from + length;
    size_t room = length + 1;
    for (const char *at = from; (at = memchr(at, '$', (size_t)(end - at))); at++)
        if (at + 2 < end && at[1] == '{') {
            const char *stop = at + 2;
            while (stop < end && in_name(*stop))
                stop++;
            const char *value = stop < end && *stop == '}' ? variable_value(parser, at + 2, (size_t)(stop - at - 2)) : NULL;
            room += value ? strlen(value) : 0;
        }
    char *result = arena_alloc(parser->arena, room), *out = result;
    for (const char *at = from; at < end;) {
        if (at + 2 < end && at[0] == '$' && at[1] == '$' && at[2] == '{') {
            *out++ = '$';
            *out++ = '{';
            at += 3;
            continue;
        }
        if (at + 2 < end && at[0] == '$' && at[1] == '{') {
            const char *stop = at + 2;
            while (stop < end && in_name(*stop))
                stop++;
            const char *value = stop < end && *stop == '}' ? variable_value(parser, at + 2, (size_t)(stop - at - 2)) : NULL;
            if (value) {
                out = stpcpy(out, value);
                at = stop + 1;
                continue;
            }
        }
        *out++ = *at++;
    }
    *out = 0;
    *content = result;
    return (size_t)(out - result);
}

/* What stands between the quotes, or the word; ended by a 0, in the arena. Returns the length. */
size_t token_content(Parser *parser, Token token, char **content)
{
    const char *text = token.text;
    size_t length = token.length;
    char quote = 0;
    if (token.flags & TOKEN_BODY) {
        text += 2;
        length -= 4;
    } else if (token.code == TK_STRING || (token.flags & TOKEN_QUOTED)) {
        quote = text[0] == '[' ? ']' : text[0];
        text++;
        length -= 2;
    } else if (token.code == TK_PARAMETER) {
        text++;
        length--;
    }
    if (!quote) {
        *content = arena_strndup(parser->arena, text, length);
        return length;
    }
    char *out = *content = arena_alloc(parser->arena, length + 1);
    for (size_t i = 0; i < length; i++) {
        *out++ = text[i];
        i += text[i] == quote; /* it stands twice */
    }
    *out = 0;
    length = (size_t)(out - *content);
    return memchr(*content, '$', length) ? replace_variables(parser, content, length) : length;
}

char *token_string(Parser *parser, Token token)
{
    char *content;
    token_content(parser, token, &content);
    return content;
}

AstName token_name(Parser *parser, Token token)
{
    AstName name = { token_string(parser, token), token.flags & TOKEN_QUOTED, token.at };
    if (!*name.text)
        parser_fail(parser, error_at(ERR_PARSE, token.at, "a name cannot be empty"));
    return name;
}

const char *token_source(Parser *parser, Span at, const Token *token)
{
    (void)at;
    return arena_strndup(parser->arena, token->text, token->length);
}

AstName words_join(Parser *parser, AstName left, const char *between, AstName right)
{
    return (AstName){ arena_printf(parser->arena, "%s%s%s", left.text, between, right.text), true, span_join(left.at, right.at) };
}

/* ---- numbers ---- */

static AstExpr *literal(Parser *parser, Token token, Value value)
{
    AstExpr *expr = build_expr(parser, AST_LITERAL, token.at);
    expr->op_at = token.at;
    expr->value = value;
    return build_done(parser, expr);
}

/* Digits without the point; false beyond 38 of them, leading zeros aside. */
static bool read_digits(const char *text, size_t length, Int128 *value, int *digits, int *scale)
{
    bool point = false;
    *value = 0;
    *digits = *scale = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.') {
            point = true;
            continue;
        }
        if (*digits || text[i] != '0')
            ++*digits;
        *scale += point;
        if (*digits > DECIMAL_MAX_PRECISION || *scale > DECIMAL_MAX_PRECISION)
            return false;
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

/* 1 is BIGINT, or DECIMAL beyond its range; 1.5 is DECIMAL; 1e3 is DOUBLE. */
AstExpr *literal_number(Parser *parser, Token token)
{
    Value value = { 0 };
    if (token.code == TK_FLOAT) {
        char *text = arena_strndup(parser->scratch, token.text, token.length);
        value.type = type_scalar(TYPE_DOUBLE);
        value.number = strtod(text, NULL);
        if (value.number > 1.7976931348623157e308)
            parser_fail(parser, error_at(ERR_PARSE, token.at, "number out of the range of DOUBLE"));
        return literal(parser, token, value);
    }
    Int128 digits;
    int count, scale;
    if (!read_digits(token.text, token.length, &digits, &count, &scale)) {
        parser_fail(parser, error_at(ERR_PARSE, token.at, "a number of more than %d digits", DECIMAL_MAX_PRECISION));
        digits = 0;
        count = scale = 0;
    }
    if (token.code == TK_INTEGER && digits <= INT64_MAX) {
        value.type = type_scalar(TYPE_BIGINT);
        value.integer = (int64_t)digits;
        return literal(parser, token, value);
    }
    int precision = count > scale ? count : scale;
    value.type = type_decimal(parser->arena, precision ? precision : 1, scale);
    if (precision <= 18)
        value.integer = (int64_t)digits;
    else
        value.decimal = digits;
    return literal(parser, token, value);
}

int64_t integer_value64(Parser *parser, Token token)
{
    Int128 digits;
    int count, scale;
    if (!read_digits(token.text, token.length, &digits, &count, &scale) || digits > INT64_MAX) {
        parser_fail(parser, error_at(ERR_PARSE, token.at, "number too large"));
        return 0;
    }
    return (int64_t)digits;
}

int integer_value(Parser *parser, Token token)
{
    int64_t value = integer_value64(parser, token);
    if (value > INT32_MAX) {
        parser_fail(parser, error_at(ERR_PARSE, token.at, "number too large"));
        return 0;
    }
    return (int)value;
}

/* ---- other literals ---- */

AstExpr *literal_string(Parser *parser, Token token)
{
    char *content;
    size_t length = token_content(parser, token, &content);
    return literal(parser, token, (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_view(content, length) });
}

AstExpr *literal_constant(Parser *parser, Token token)
{
    if (token.code == TK_NULL)
        return literal(parser, token, value_null(type_scalar(TYPE_NULL)));
    return literal(parser, token, (Value){ .type = type_scalar(TYPE_BOOLEAN), .integer = token.code == TK_TRUE });
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

AstExpr *literal_bytes(Parser *parser, Token token)
{
    size_t digits = token.length - 3;
    const char *text = token.text + 2;
    char *bytes = arena_alloc(parser->arena, digits / 2 + 1);
    bool wrong = digits % 2;
    for (size_t i = 0; i + 1 < digits; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        wrong |= high < 0 || low < 0;
        bytes[i / 2] = (char)(high * 16 + low);
    }
    if (wrong)
        parser_fail(parser, error_at(ERR_PARSE, token.at, "X'..' needs an even number of hexadecimal digits"));
    return literal(parser, token, (Value){ .type = type_scalar(TYPE_BYTES), .text = str_view(bytes, digits / 2) });
}

AstExpr *literal_typed(Parser *parser, Token type, Token token)
{
    char *text;
    size_t length = token_content(parser, token, &text);
    Value value = { 0 };
    bool zoned = false, good;
    const char *form;
    if (type.code == TK_DATE) {
        value.type = type_scalar(TYPE_DATE);
        good = date_parse(text, length, &value.integer);
        form = "DATE 'YYYY-MM-DD'";
    } else if (type.code == TK_TIME) {
        value.type = type_scalar(TYPE_TIME);
        good = time_parse(text, length, &value.integer);
        form = "TIME 'HH:MM:SS.fff'";
    } else {
        good = timestamp_parse(text, length, &value.integer, &zoned);
        /* As many digits as were written, at least milliseconds. */
        const char *point = strchr(text, '.');
        size_t digits = point ? strspn(point + 1, "0123456789") : 0;
        value.type = type_timestamp(parser->arena, zoned ? TYPE_TIMESTAMP_TZ : TYPE_TIMESTAMP, digits <= 3 ? 3 : digits < 6 ? (int)digits : 6);
        form = "TIMESTAMP 'YYYY-MM-DD HH:MM:SS.fff'";
    }
    if (!good)
        parser_fail(parser, error_at(ERR_PARSE, token.at, "'%s' is not a %s: expected %s", text,
                                     type.code == TK_DATE ? "date" : type.code == TK_TIME ? "time" : "timestamp", form));
    token.at = span_join(type.at, token.at);
    return literal(parser, token, value);
}

/* ---- intervals ---- */

typedef struct Unit {
    const char *name;
    int rank;           /* YEAR 6 .. SECOND 1: the fields of `DAY TO SECOND`; 0: no field */
    int64_t months;     /* either months */
    int64_t us;         /* or microseconds */
} Unit;

static const Unit units[] = {
    { "microsecond", 0, 0, 1 },
    { "millisecond", 0, 0, US_PER_MS },
    { "second", 1, 0, US_PER_SECOND },
    { "minute", 2, 0, US_PER_MINUTE },
    { "hour", 3, 0, US_PER_HOUR },
    { "day", 4, 0, US_PER_DAY },
    { "week", 0, 0, 7 * US_PER_DAY },
    { "month", 5, 1, 0 },
    { "quarter", 0, 3, 0 },
    { "year", 6, 12, 0 },
    /* short forms, inside strings only */
    { "us", -1, 0, 1 }, { "ms", -1, 0, US_PER_MS }, { "s", -1, 0, US_PER_SECOND }, { "sec", -1, 0, US_PER_SECOND },
    { "secs", -1, 0, US_PER_SECOND }, { "m", -1, 0, US_PER_MINUTE }, { "min", -1, 0, US_PER_MINUTE },
    { "mins", -1, 0, US_PER_MINUTE }, { "h", -1, 0, US_PER_HOUR }, { "hr", -1, 0, US_PER_HOUR }, { "d", -1, 0, US_PER_DAY },
    { "w", -1, 0, 7 * US_PER_DAY }
};

static const Unit *find_unit(const char *text, size_t length, bool short_forms)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t name_length = strlen(units[i].name);
        if (units[i].rank < 0 && !short_forms)
            break;
        if (strncasecmp(units[i].name, text, name_length < length ? name_length : length) != 0 || length < name_length)
            continue;
        if (length == name_length || (length == name_length + 1 && units[i].rank >= 0 && (text[length - 1] | 0x20) == 's'))
            return &units[i];
    }
    return NULL;
}

bool interval_unit_known(const char *text, size_t length) { return find_unit(text, length, false) != NULL; }

static Error *unknown_unit(Span at, const char *text, size_t length)
{
    static const char *const names[] = { "MICROSECONDS", "MILLISECOND", "MILLISECONDS", "SECOND", "SECONDS", "MINUTE", "MINUTES", "HOUR",
                                         "HOURS", "DAY", "DAYS", "WEEK", "WEEKS", "MONTH", "MONTHS", "QUARTER", "YEAR", "YEARS" };
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(length > 60 ? 60 : length), text);
    return error_suggest(error_at(ERR_PARSE, at, "expected a unit of time, found '%s'", word), word, names, sizeof names / sizeof names[0]);
}

bool string_is_number(const Token *token)
{
    const char *at = token->text + 1, *end = token->text + token->length - 1;
    bool digits = false;
    for (; at < end; at++) {
        digits |= *at >= '0' && *at <= '9';
        if (!strchr("0123456789.:-+ ", *at))
            return false;
    }
    return digits;
}

/* amount * unit, exactly: 1.5 SECONDS is 1,500,000 us. False on overflow, or if a fraction is left over. */
static bool add_amount(Interval *sum, const char *digits, size_t length, const Unit *unit, bool negative)
{
    Int128 value, scale_factor = 1;
    int count, scale;
    if (!length || !read_digits(digits, length, &value, &count, &scale) || count > 24)
        return false;
    for (int i = 0; i < scale; i++)
        scale_factor *= 10;
    Int128 whole;
    if (__builtin_mul_overflow(value, (Int128)(unit->months ? unit->months : unit->us), &whole) || whole % scale_factor != 0)
        return false;
    whole /= scale_factor;
    if (whole > INT64_MAX)
        return false;
    int64_t amount = negative ? -(int64_t)whole : (int64_t)whole;
    return !__builtin_add_overflow(unit->months ? sum->months : sum->us, amount, unit->months ? &sum->months : &sum->us);
}

static size_t number_length(const char *at)
{
    size_t length = strspn(at, "0123456789");
    if (at[length] == '.')
        length += 1 + strspn(at + length + 1, "0123456789");
    return length == 1 && *at == '.' ? 0 : length;
}

/* '1:30' MINUTE TO SECOND, '1-2' YEAR TO MONTH, '1 10:20:30.5' DAY TO SECOND: fields of falling rank. */
static bool read_fields(const char *text, int from, int to, bool negative, Interval *interval)
{
    static const char separators[] = { 0, ':', ':', ' ', ' ', '-', '-' }; /* before the field of this rank */
    static const Unit *by_rank[7];
    static const int limits[] = { 0, 60, 60, 24, 0, 12, 0 };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].rank > 0)
            by_rank[units[i].rank] = &units[i];
    for (int rank = from; rank >= to; rank--) {
        size_t length = strspn(text, "0123456789");
        if (rank == 1)
            length = number_length(text);
        if (!length || (rank < from && limits[rank] && (strtol(text, NULL, 10) >= limits[rank])) ||
            !add_amount(interval, text, length, by_rank[rank], negative))
            return false;
        text += length;
        if (rank > to) {
            if (*text != (rank == 4 ? ' ' : separators[rank - 1]))
                return false;
            text++;
            text += rank == 4 ? strspn(text, " ") : 0;
        }
    }
    return *text == 0;
}

/* '10 seconds', '1 hour 30 minutes', '00:01:30' */
static bool read_free(const char *text, bool negative, Interval *interval)
{
    size_t colons = 0;
    for (const char *at = text; *at; at++)
        colons += *at == ':';
    if (colons == 2)
        return read_fields(text, 3, 1, negative, interval);
    if (!*text)
        return false;
    while (*text) {
        bool minus = negative;
        if (*text == '-' || *text == '+')
            minus ^= *text++ == '-';
        size_t length = number_length(text);
        const char *digits = text;
        text += length;
        text += strspn(text, " ");
        size_t word = strcspn(text, " 0123456789-+.");
        const Unit *unit = find_unit(text, word, true);
        if (!length || !unit || !add_amount(interval, digits, length, unit, minus))
            return false;
        text += word;
        text += strspn(text, " ");
    }
    return true;
}

AstDuration literal_interval(Parser *parser, Token start, bool negative, Token amount, Token unit_token, Token to_token)
{
    AstDuration duration = { .given = true, .at = span_join(start.at, amount.at) };
    const Unit *unit = NULL, *to = NULL;
    if (unit_token.code) {
        duration.at = span_join(duration.at, unit_token.at);
        unit = find_unit(unit_token.text, unit_token.length, false);
        if (!unit)
            parser_fail(parser, unknown_unit(unit_token.at, unit_token.text, unit_token.length));
    }
    if (to_token.code) {
        duration.at = span_join(duration.at, to_token.at);
        to = find_unit(to_token.text, to_token.length, false);
        if (!to)
            parser_fail(parser, unknown_unit(to_token.at, to_token.text, to_token.length));
        else if (unit && (unit->rank <= to->rank || to->rank < 1 || (unit->rank >= 5) != (to->rank >= 5)))
            parser_fail(parser, error_at(ERR_PARSE, to_token.at, "an interval cannot reach from %s to %s", unit->name, to->name));
    }
    if (parser->error)
        return duration;

    char *content;
    size_t length = token_content(parser, amount, &content);
    const char *text = content + strspn(content, " ");
    while (length && content[length - 1] == ' ')
        content[--length] = 0;
    if (amount.code == TK_STRING && (*text == '-' || *text == '+') && !(unit == NULL && strpbrk(text + 1, "+-"))) {
        negative ^= *text == '-';
        text++;
    }
    bool good;
    if (to)
        good = read_fields(text, unit->rank, to->rank, negative, &duration.interval);
    else if (unit)
        good = number_length(text) && text[number_length(text)] == 0 &&
               add_amount(&duration.interval, text, strlen(text), unit, negative);
    else
        good = read_free(text, negative, &duration.interval);
    if (!good && amount.code != TK_STRING && !unit)
        parser_fail(parser, error_at(ERR_PARSE, amount.at, "expected a unit of time after '%s'", text));
    else if (!good)
        parser_fail(parser, error_at(ERR_PARSE, amount.at, "'%s' is not an interval%s%s%s%s", content, unit ? " of " : "", unit ? unit->name : "",
                                     to ? " to " : "", to ? to->name : ""));
    return duration;
}

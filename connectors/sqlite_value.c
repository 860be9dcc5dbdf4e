/* connectors/sqlite_value.c: SQLite's values as ours, and back.
 *
 * SQLite's columns hold values of any kind, so that each one is checked as it is read. Times are text ('2026-01-01 10:00:00') or, for
 * timestamps, milliseconds since 1970, as in JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/calendar.h"
#include "common/decimal.h"
#include "common/value_text.h"
#include "connectors/sqlite.h"

bool sqlite_can_read(const Type *type) { return !type_is_nested(type) && type->kind != TYPE_INTERVAL; }

static bool in_range(const Type *type, int64_t value)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: return value == 0 || value == 1;
    case TYPE_TINYINT: return value >= INT8_MIN && value <= INT8_MAX;
    case TYPE_SMALLINT: return value >= INT16_MIN && value <= INT16_MAX;
    case TYPE_INT: return value >= INT32_MIN && value <= INT32_MAX;
    default: return true;
    }
}

static bool read_whole_number(const char *text, size_t length, int kind, sqlite3_stmt *statement, int column, int64_t *value)
{
    if (kind == SQLITE_INTEGER) {
        *value = sqlite3_column_int64(statement, column);
        return true;
    }
    if (kind == SQLITE_FLOAT) {
        double number = sqlite3_column_double(statement, column);
        if (!(number >= -0x1p63 && number < 0x1p63) || number != floor(number))
            return false;
        *value = (int64_t)number;
        return true;
    }
    return int64_parse(text, length, value);
}

static bool read_boolean(const char *text, size_t length, int64_t *value)
{
    bool yes = length == 4 && strncasecmp(text, "true", 4) == 0;
    *value = yes;
    return yes || (length == 5 && strncasecmp(text, "false", 5) == 0);
}

static bool read_decimal(const Type *type, const char *text, size_t length, int kind, sqlite3_stmt *statement, int column, Int128 *scaled)
{
    if (kind == SQLITE_INTEGER)
        return decimal_rescale(sqlite3_column_int64(statement, column), 0, type->scale, scaled) && decimal_fits(*scaled, type->precision);
    if (kind == SQLITE_FLOAT)
        return decimal_from_double(sqlite3_column_double(statement, column), type->precision, type->scale, scaled);
    return decimal_parse(text, length, type->precision, type->scale, scaled);
}

static bool read_timestamp(const char *text, size_t length, int kind, sqlite3_stmt *statement, int column, const TimeZone *zone, int64_t *value)
{
    if (kind == SQLITE_INTEGER)
        return !__builtin_mul_overflow(sqlite3_column_int64(statement, column), US_PER_MS, value);
    return kind == SQLITE_TEXT && timezone_parse(zone, text, length, value);
}

static bool read_number(const char *text, size_t length, int kind, sqlite3_stmt *statement, int column, double *number)
{
    if (kind == SQLITE_TEXT)
        return double_parse(text, length, number);
    *number = sqlite3_column_double(statement, column);
    return true;
}

static bool read_text(const Type *type, const char *text, size_t length, Value *value)
{
    if (type->kind == TYPE_VARCHAR && utf8_valid_prefix(text, length) != length)
        return false;
    value->text = str_view(text, length);
    return true;
}

static bool read_scalar(sqlite3_stmt *statement, int column, int kind, const char *text, size_t length, const Type *type, const TimeZone *zone, Value *value)
{
    bool textual = kind == SQLITE_TEXT;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        if (textual && read_boolean(text, length, &value->integer))
            return true;
        __attribute__((fallthrough));
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT:
        return kind != SQLITE_BLOB && read_whole_number(text, length, kind, statement, column, &value->integer) && in_range(type, value->integer);
    case TYPE_FLOAT:
        return kind != SQLITE_BLOB && read_number(text, length, kind, statement, column, &value->number) && (value->number = (float)value->number, true);
    case TYPE_DOUBLE:
        return kind != SQLITE_BLOB && read_number(text, length, kind, statement, column, &value->number);
    case TYPE_DECIMAL: {
        Int128 scaled;
        if (kind == SQLITE_BLOB || !read_decimal(type, text, length, kind, statement, column, &scaled))
            return false;
        if (type_physical(type) == PHYSICAL_INT128)
            value->decimal = scaled;
        else
            value->integer = (int64_t)scaled;
        return true;
    }
    case TYPE_VARCHAR: return kind != SQLITE_BLOB && read_text(type, text, length, value);
    case TYPE_BYTES: return read_text(type, text, length, value);
    case TYPE_DATE: return textual && date_parse(text, length, &value->integer);
    case TYPE_TIME: return textual && time_parse(text, length, &value->integer);
    case TYPE_TIMESTAMP: return read_timestamp(text, length, kind, statement, column, NULL, &value->integer);
    case TYPE_TIMESTAMP_TZ: return read_timestamp(text, length, kind, statement, column, zone, &value->integer);
    default: return false;
    }
}

bool sqlite_read(Arena *arena, sqlite3_stmt *statement, int column, const Type *type, const TimeZone *zone, Value *value, const char **reason)
{
    int kind = sqlite3_column_type(statement, column);
    *value = (Value){ .type = type, .is_null = kind == SQLITE_NULL };
    if (value->is_null)
        return true;
    const char *text = NULL;
    size_t length = 0;
    /* Text of a number is made only where it is wanted: the number's kind is gone afterwards. */
    if (kind == SQLITE_TEXT || kind == SQLITE_BLOB || type->kind == TYPE_VARCHAR || type->kind == TYPE_BYTES) {
        text = kind == SQLITE_BLOB ? sqlite3_column_blob(statement, column) : (const char *)sqlite3_column_text(statement, column);
        length = text ? (size_t)sqlite3_column_bytes(statement, column) : 0;
    }
    if (!text)
        text = "";
    if (read_scalar(statement, column, kind, text, length, type, zone, value))
        return true;
    static const char *const kinds[] = { [SQLITE_INTEGER] = "integer", [SQLITE_FLOAT] = "number", [SQLITE_TEXT] = "text", [SQLITE_BLOB] = "bytes" };
    if (kind == SQLITE_BLOB)
        *reason = arena_printf(arena, "%s are no %s", kinds[kind], type_text(arena, type));
    else
        *reason = arena_printf(arena, "%s '%.40s' is no %s", kinds[kind], (const char *)sqlite3_column_text(statement, column), type_text(arena, type));
    return false;
}

static int bind_as_text(sqlite3_stmt *statement, int parameter, const Vector *vector, uint32_t row, Text *scratch)
{
    scratch->length = 0;
    if (type_is_nested(vector->type))
        text_add_value_json(scratch, vector, row);
    else
        text_add_value_plain(scratch, vector, row);
    return sqlite3_bind_text64(statement, parameter, text_c(scratch), scratch->length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int sqlite_bind(sqlite3_stmt *statement, int parameter, const Vector *vector, uint32_t row, Text *scratch)
{
    uint32_t at = row & vector_mask(vector);
    if (vector_is_null(vector, row))
        return sqlite3_bind_null(statement, parameter);
    switch (vector->type->kind) {
    case TYPE_BOOLEAN: return sqlite3_bind_int(statement, parameter, ((const uint8_t *)vector->values)[at]);
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT: return sqlite3_bind_int64(statement, parameter, ((const int64_t *)vector->values)[at]);
    case TYPE_FLOAT:
    case TYPE_DOUBLE: return sqlite3_bind_double(statement, parameter, ((const double *)vector->values)[at]);
    case TYPE_VARCHAR: {
        const Str *str = (const Str *)vector->values + at;
        return sqlite3_bind_text64(statement, parameter, str_bytes(str), str->length, SQLITE_STATIC, SQLITE_UTF8);
    }
    case TYPE_BYTES: {
        const Str *str = (const Str *)vector->values + at;
        return sqlite3_bind_blob64(statement, parameter, str_bytes(str), str->length, SQLITE_STATIC);
    }
    default: return bind_as_text(statement, parameter, vector, row, scratch);
    }
}

/* ---- declared types ---- */

static bool holds(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (; *text; text++)
        if (strncasecmp(text, word, length) == 0)
            return true;
    return false;
}

const Type *sqlite_type(Arena *arena, const char *declared)
{
    int precision, scale = 0;
    const char *digits = strchr(declared, '(');
    if ((holds(declared, "DECIMAL") || holds(declared, "NUMERIC")) && digits && sscanf(digits, "(%d,%d", &precision, &scale) >= 1 &&
        precision >= 1 && precision <= DECIMAL_MAX_PRECISION && scale >= 0 && scale <= precision)
        return type_decimal(arena, precision, scale);
    /* names first, then https://www.sqlite.org/datatype3.html section 3.1 */
    static const struct { const char *word; TypeKind kind; } words[] = {
        { "BOOL", TYPE_BOOLEAN }, { "TIMESTAMP", TYPE_TIMESTAMP }, { "DATETIME", TYPE_TIMESTAMP }, { "DATE", TYPE_DATE }, { "TIME", TYPE_TIME },
        { "INT", TYPE_BIGINT }, { "CHAR", TYPE_VARCHAR }, { "CLOB", TYPE_VARCHAR }, { "TEXT", TYPE_VARCHAR }, { "BLOB", TYPE_BYTES },
        { "REAL", TYPE_DOUBLE }, { "FLOA", TYPE_DOUBLE }, { "DOUB", TYPE_DOUBLE }, { "NUMERIC", TYPE_DOUBLE }, { "DECIMAL", TYPE_DOUBLE },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (holds(declared, words[i].word))
            return type_scalar(words[i].kind);
    return type_scalar(TYPE_VARCHAR);
}

const char *sqlite_declaration(Arena *arena, const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: return "BOOLEAN";
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT: return "INT";
    case TYPE_BIGINT: return "BIGINT";
    case TYPE_FLOAT:
    case TYPE_DOUBLE: return "DOUBLE";
    case TYPE_DECIMAL: return type->precision > 15 ? "TEXT" : type_text(arena, type); /* 15 digits survive a double */
    case TYPE_BYTES: return "BLOB";
    case TYPE_DATE: return "DATE";
    case TYPE_TIME: return "TIME";
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ: return "TIMESTAMP";
    default: return "TEXT";
    }
}

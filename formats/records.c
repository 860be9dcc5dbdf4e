/* formats/records.c: what the formats share where they read and write the keys and values of messages, and times. */
#include "common/calendar.h"
#include "common/decimal.h"
#include "formats/formats_internal.h"

/* ---- reading ---- */

void record_fail(const DecodeSpec *spec, Arena *arena, Vector *const columns[], RecordFailures *failures, uint32_t row, const char *column, const char *reason)
{
    for (int c = 0; c < spec->column_count; c++)
        if (type_is_nested(columns[c]->type))
            vector_store_null(arena, columns[c], row);
    RecordFailure failure = { row, column ? arena_strdup(arena, column) : NULL, reason }; /* the name may be the decoder's */
    LIST_ADD(arena, failures, failure);
}

const char *record_text(Arena *arena, const Type *type, const RecordBytes *record, Str *text)
{
    if (record->length > UINT32_MAX / 2)
        return "the record is longer than 2 GB";
    *text = str_view(record->bytes, record->length);
    if (type->kind == TYPE_BYTES)
        return NULL;
    size_t valid = utf8_valid_prefix(record->bytes, record->length), characters = 0;
    if (valid != record->length)
        return arena_printf(arena, "not UTF-8 at byte %zu", valid);
    for (size_t i = 0; type->length && i < record->length; i++)
        characters += ((unsigned char)record->bytes[i] & 0xC0) != 0x80;
    if (characters > type->length)
        return arena_printf(arena, "a text of %zu characters is longer than %s", characters, type_text(arena, type));
    return NULL;
}

const char *record_schema(const RecordBytes *record, int32_t *id, RecordBytes *rest)
{
    if (record->length < 5 || record->bytes[0] != 0)
        return "it does not begin with the number of a registered schema";
    uint32_t number = 0;
    for (int i = 1; i < 5; i++)
        number = number << 8 | (unsigned char)record->bytes[i];
    *id = (int32_t)number;
    *rest = (RecordBytes){ record->bytes + 5, record->length - 5 };
    return NULL;
}

Int128 decimal_from_bytes(const char *bytes, size_t length)
{
    unsigned __int128 value = length && (signed char)*bytes < 0 ? ~(unsigned __int128)0 : 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return (Int128)value;
}

/* ---- writing ---- */

void record_add_schema(Text *out, int32_t id)
{
    text_add_char(out, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        text_add_char(out, (char)((uint32_t)id >> shift));
}

size_t decimal_to_bytes(Int128 value, char out[sizeof(Int128)])
{
    int width = 1;
    while (width < 16 && value >> (8 * width - 1) != (value < 0 ? -1 : 0))
        width++;
    for (int i = 0; i < width; i++)
        out[i] = (char)(value >> (8 * (width - 1 - i)));
    return (size_t)width;
}


const char *const time_style_choices[] = { "sql", "epoch_ms", "iso", NULL };

bool type_holds_times(const Type *type)
{
    bool found = type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMP_TZ || type->kind == TYPE_DATE || type->kind == TYPE_TIME;
    for (int i = 0; i < type->child_count; i++)
        found |= type_holds_times(type->children[i]);
    return found;
}

bool time_style_add(TimeStyle style, Text *out, const Vector *vector, uint32_t row, char quote)
{
    const Type *type = vector->type;
    bool instant = type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMP_TZ;
    if (style == TIMES_SQL || !(instant || (style == TIMES_EPOCH_MS && (type->kind == TYPE_DATE || type->kind == TYPE_TIME))))
        return false;
    char text[CALENDAR_TEXT];
    int64_t value = ((const int64_t *)vector->values)[row & vector_mask(vector)];
    if (style == TIMES_EPOCH_MS) {
        text_add(out, text, int64_format(type->kind == TYPE_DATE ? value : floor_div(value, US_PER_MS), text));
        return true;
    }
    size_t length = timestamp_format_iso(value, type->precision, text);
    if (quote)
        text_add_char(out, quote);
    text_add(out, text, style == TIMES_ISO || type->kind == TYPE_TIMESTAMP_TZ ? length : length - 1);
    if (quote)
        text_add_char(out, quote);
    return true;
}

bool row_is_null(int count, const Vector *const columns[], uint32_t row)
{
    for (int c = 0; c < count; c++)
        if (!vector_is_null(columns[c], row))
            return false;
    return true;
}

/* ---- refusing columns ---- */

/* What ksqlDB calls the type. */
static const char *kind_name(const Type *type)
{
    switch (type->kind) {
    case TYPE_INT: return "INTEGER";
    case TYPE_VARCHAR: return "STRING";
    default: return type_kind_name(type->kind);
    }
}

static void add_type(Text *text, const Type *type)
{
    text_add_c(text, kind_name(type));
    if (type->kind == TYPE_DECIMAL)
        text_printf(text, "(%d, %d)", type->precision, type->scale);
    if (!type_is_nested(type))
        return;
    text_add_char(text, '<');
    for (int i = 0; i < type->child_count; i++) {
        text_add_c(text, i ? ", " : "");
        if (type->kind == TYPE_STRUCT)
            text_printf(text, "`%s` ", type->names[i]);
        add_type(text, type->children[i]);
    }
    text_add_char(text, '>');
}

void record_add_columns(Text *text, const Schema *schema, bool key)
{
    for (int i = 0; i < schema->column_count; i++) {
        text_printf(text, "%s`%s` ", i ? ", " : "", schema->columns[i].name);
        add_type(text, schema->columns[i].type);
        text_add_c(text, key ? " KEY" : "");
    }
}

void format_add_columns(Text *text, const Schema *schema) { record_add_columns(text, schema, false); }

Error *record_refuse(const char *format, const Schema *schema, bool key, const char *reason)
{
    Text columns = { 0 };
    MEMORY_HOLD(text_unwind, &columns);
    record_add_columns(&columns, schema, key);
    Error *error = error_new(ERR_BIND, "%s format does not support schema.\nformat: %s\nschema: Persistence{columns=[%s], features=[]}\nreason: %s", key ? "Key" : "Value",
                             format, text_c(&columns), reason);
    text_release(&columns);
    return error;
}

Error *record_refuse_type(const char *format, const Schema *schema, bool key, const Column *column)
{
    Text reason = { 0 };
    MEMORY_HOLD(text_unwind, &reason);
    text_printf(&reason, "The '%s' format does not support type '%s', column: `%s`", format, kind_name(column->type), column->name);
    Error *error = record_refuse(format, schema, key, text_c(&reason));
    text_release(&reason);
    return error;
}

static bool holds_map(const Type *type)
{
    bool found = type->kind == TYPE_MAP;
    for (int i = 0; i < type->child_count; i++)
        found |= holds_map(type->children[i]);
    return found;
}

Error *record_check_key(const Schema *schema, bool key)
{
    for (int i = 0; key && i < schema->column_count; i++) {
        const Column *column = &schema->columns[i];
        if (!holds_map(column->type))
            continue;
        Text type = { 0 };
        MEMORY_HOLD(text_unwind, &type);
        add_type(&type, column->type);
        Error *error = error_new(ERR_BIND, "Map keys, including types that contain maps, are not supported as they may lead to unexpected behavior due to inconsistent "
                                 "serialization. Key column name: `%s`. Column type: %s. See https://github.com/confluentinc/ksql/issues/6621 for more.", column->name, text_c(&type));
        text_release(&type);
        return error;
    }
    return NULL;
}

/* repl/server_rows.c: numbers with a point are told apart: decimals have all their digits, doubles are doubles. */
#include "repl/server_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions/functions.h"

/* ---- columns ---- */

static const Type *column_type(Arena *arena, const char *name)
{
    int precision, scale;
    if (strcmp(name, "INTEGER") == 0 || strcmp(name, "BIGINT") == 0)
        return type_scalar(TYPE_BIGINT);
    if (sscanf(name, "DECIMAL(%d, %d)", &precision, &scale) == 2 && precision > 0 && precision <= 38 && scale >= 0 && scale <= precision)
        return type_decimal(arena, precision, scale);
    return type_scalar(strcmp(name, "DOUBLE") == 0 ? TYPE_DOUBLE : strcmp(name, "BOOLEAN") == 0 ? TYPE_BOOLEAN : TYPE_VARCHAR);
}

void server_schema(Arena *arena, const json_t *names, const json_t *types, Schema *schema)
{
    schema->column_count = (int)json_array_size(names);
    schema->columns = ARENA_ARRAY(arena, Column, (size_t)schema->column_count + 1);
    for (int i = 0; i < schema->column_count; i++) {
        const char *name = json_string_value(json_array_get(names, (size_t)i)), *type = json_string_value(json_array_get(types, (size_t)i));
        schema->columns[i].name = arena_strdup(arena, name ? name : "");
        schema->columns[i].type = column_type(arena, type ? type : "");
    }
}

/* ---- places of values in the text ---- */

typedef struct Place { const char *start; size_t length; } Place;

static const char *behind_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\' && at + 1 < end;
    return at < end ? at + 1 : end;
}

/* Behind the value that begins at `at`: at the comma, the bracket that ends what it stands in. */
static const char *behind_value(const char *at, const char *end)
{
    int depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = behind_string(at, end);
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == ']' || *at == '}'))
            return at;
        depth += *at == '[' || *at == '{';
        depth -= *at == ']' || *at == '}';
        at++;
    }
    return end;
}

/* The elements of the object's array "row"; how many there are, `most` at most. */
static int find_places(const char *line, size_t length, Place *places, int most)
{
    static const char name[] = "\"row\":";
    const char *end = line + length, *at = memmem(line, length, name, sizeof name - 1);
    int count = 0;
    for (at = at ? memchr(at, '[', (size_t)(end - at)) : NULL; at && at < end && count < most; count++) {
        for (at++; at < end && *at == ' ';)
            at++;
        places[count].start = at;
        at = behind_value(at, end);
        places[count].length = (size_t)(at - places[count].start);
        if (at == end || *at != ',')
            return count + 1;
    }
    return count;
}

/* ---- values ---- */

static bool decimal_value(Arena *arena, const Type *type, const Place *place, Value *value)
{
    const char *reason;
    const Value text = { .type = type_scalar(TYPE_VARCHAR), .text = str_view(place->start, place->length) };
    return place->start && value_cast(arena, &text, type, value, &reason);
}

static Value value_of(Arena *arena, const Type *type, const json_t *json, const Place *place)
{
    Value value = { .type = type, .is_null = json_is_null(json) || !json };
    if (value.is_null)
        return value;
    if (type->kind == TYPE_BIGINT && json_is_integer(json)) {
        value.integer = json_integer_value(json);
    } else if (type->kind == TYPE_DOUBLE && json_is_number(json)) {
        value.number = json_number_value(json);
    } else if (type->kind == TYPE_BOOLEAN) {
        value.integer = json_is_true(json);
    } else if (type->kind == TYPE_DECIMAL) {
        value.is_null = !decimal_value(arena, type, place, &value);
    } else if (type->kind != TYPE_VARCHAR) {
        value.is_null = true;
    } else if (json_is_string(json)) {
        value.text = str_c(arena_strdup(arena, json_string_value(json)));
    } else if (place->start) {
        value.text = str_c(arena_strndup(arena, place->start, place->length));
    } else {
        char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
        value.text = str_c(arena_strdup(arena, text ? text : ""));
        free(text);
    }
    return value;
}

void server_row(Batch *batch, const Schema *schema, uint32_t row, const json_t *values, const char *line, size_t length)
{
    Place *places = ARENA_ARRAY(&batch->arena, Place, (size_t)schema->column_count + 1);
    if (line)
        find_places(line, length, places, schema->column_count);
    for (int i = 0; i < schema->column_count; i++) {
        Value value = value_of(&batch->arena, schema->columns[i].type, json_array_get(values, (size_t)i), &places[i]);
        vector_set(&batch->arena, batch->columns[i], row, &value);
    }
}

/* tester/conformance_bytes.c: JSON of test files as bytes of messages, and back.
 *
 * JSON goes as it is, DELIMITED as its text; KAFKA is Kafka's own serialization of one value: big-endian numbers, text, bytes. */
#include "tester/conformance_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- base64 ---- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void conformance_add_base64(Text *text, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += 3) {
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (at + i < length ? (unsigned char)bytes[at + i] : 0);
        for (size_t i = 0; i < 4; i++)
            text_add_char(text, at + i <= length ? base64_digits[bits >> (18 - 6 * i) & 63] : '=');
    }
}

bool conformance_decode_base64(const char *text, Text *bytes)
{
    uint32_t bits = 0;
    int held = 0;
    size_t length = strcspn(text, "=");
    for (size_t i = 0; i < length; i++) {
        const char *digit = strchr(base64_digits, text[i]);
        if (!digit)
            return false;
        bits = bits << 6 | (uint32_t)(digit - base64_digits);
        held += 6;
        if (held >= 8) {
            held -= 8;
            text_add_char(bytes, (char)(bits >> held));
        }
    }
    return strspn(text + length, "=") == strlen(text + length);
}

/* ---- big-endian integers ---- */

static void add_big_endian(Text *bytes, uint64_t number, int width)
{
    for (int i = width - 1; i >= 0; i--)
        text_add_char(bytes, (char)(number >> 8 * i));
}

static int64_t read_big_endian(const char *bytes, int width)
{
    uint64_t number = (signed char)bytes[0] < 0 ? UINT64_MAX : 0;
    for (int i = 0; i < width; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return (int64_t)number;
}

void conformance_encode_window(KeyWindow kind, int64_t start_ms, int64_t end_ms, Text *bytes)
{
    if (kind == KEY_WINDOW_SESSION)
        add_big_endian(bytes, (uint64_t)end_ms, 8);
    if (kind != KEY_WINDOW_NONE)
        add_big_endian(bytes, (uint64_t)start_ms, 8);
}

bool conformance_decode_window(KeyWindow kind, int64_t size_ms, const char *bytes, size_t *length, int64_t *start_ms, int64_t *end_ms)
{
    size_t width = kind == KEY_WINDOW_SESSION ? 16 : 8;
    if (!bytes || *length < width)
        return false;
    *length -= width;
    *start_ms = read_big_endian(bytes + *length + width - 8, 8);
    *end_ms = kind == KEY_WINDOW_SESSION ? read_big_endian(bytes + *length, 8) : *start_ms + size_ms;
    return true;
}

/* ---- KAFKA ---- */

/* Bytes of the one column; 0: as many as there are. */
static int kafka_width(const Type *type)
{
    switch (type->kind) {
    case TYPE_INT: return 4;
    case TYPE_BIGINT: case TYPE_DOUBLE: return 8;
    default: return 0;
    }
}

static Error *encode_kafka(const JsonTree *given, const Type *type, Text *bytes)
{
    const char *text = json_text(given);
    if (!text)
        return error_new(ERR_BIND, "an array, object or boolean cannot be given in the format KAFKA");
    char *end = (char *)text;
    if (type && type->kind == TYPE_DOUBLE) {
        double number = strtod(text, &end);
        uint64_t bits;
        memcpy(&bits, &number, 8);
        add_big_endian(bytes, bits, 8);
    } else if (type && kafka_width(type)) {
        add_big_endian(bytes, (uint64_t)strtoll(text, &end, 10), kafka_width(type));
    } else if (type && type->kind == TYPE_BYTES) {
        return conformance_decode_base64(text, bytes) ? NULL : error_new(ERR_BIND, "'%s' is not base64", text);
    } else {
        text_add(bytes, text, given->length);
        return NULL;
    }
    return *end ? error_new(ERR_BIND, "'%s' is no number", text) : NULL;
}

static JsonTree *new_tree(Arena *arena, JsonTreeKind kind, const char *text)
{
    JsonTree *tree = ARENA_NEW(arena, JsonTree);
    *tree = (JsonTree){ .kind = kind, .text = text, .length = strlen(text) };
    return tree;
}

static Error *decode_kafka(Arena *arena, const char *bytes, size_t length, const Type *type, JsonTree **tree)
{
    int width = type ? kafka_width(type) : 0;
    if (width && length != (size_t)width)
        return error_new(ERR_BIND, "%zu bytes are no %s", length, type_kind_name(type->kind));
    if (type && type->kind == TYPE_DOUBLE) {
        int64_t bits = read_big_endian(bytes, 8);
        double number;
        memcpy(&number, &bits, 8);
        *tree = new_tree(arena, TREE_NUMBER, arena_printf(arena, "%.17g", number));
    } else if (width) {
        *tree = new_tree(arena, TREE_NUMBER, arena_printf(arena, "%lld", (long long)read_big_endian(bytes, width)));
    } else if (type && type->kind == TYPE_BYTES) {
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        conformance_add_base64(&text, bytes, length);
        *tree = new_tree(arena, TREE_STRING, arena_strdup(arena, text_c(&text)));
        text_release(&text);
    } else {
        *tree = new_tree(arena, TREE_STRING, arena_strndup(arena, bytes, length));
    }
    return NULL;
}

/* ---- any format ---- */

static const Type *only_type(const Schema *columns) { return columns && columns->column_count == 1 ? columns->columns[0].type : NULL; }

Error *conformance_encode(const JsonTree *given, const char *format, const Schema *columns, Text *bytes, bool *none)
{
    *none = json_is_null(given) || strcasecmp(format, "none") == 0;
    if (*none)
        return NULL;
    if (strcasecmp(format, "kafka") == 0)
        return encode_kafka(given, only_type(columns), bytes);
    if (strcasecmp(format, "delimited") == 0 && json_text(given))
        text_add(bytes, given->text, given->length);
    else
        json_tree_print(given, bytes);
    return NULL;
}

Error *conformance_decode(Arena *arena, const char *bytes, size_t length, const char *format, const Schema *columns, JsonTree **tree)
{
    if (!bytes) {
        *tree = new_tree(arena, TREE_NULL, "");
        return NULL;
    }
    if (strcasecmp(format, "json") == 0)
        return json_tree_read(arena, bytes, length, tree);
    return decode_kafka(arena, bytes, length, strcasecmp(format, "kafka") == 0 ? only_type(columns) : NULL, tree);
}

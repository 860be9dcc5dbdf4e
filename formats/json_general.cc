/* formats/json_general.cc: the general JSON decoder: simdjson behind a C interface.
 *
 * On-Demand parsing checks only what is looked at; so this walks through every value. Memory comes from simdjson's own
 * allocations, which report failure, and nothing here calls what could jump. */
#include <cstring>
#include <new>
#include <utility>
#include <simdjson.h>
#include "formats/json_general.h"

extern "C" {
const char *json_string_end(const char *p, const char *end);
const char *json_number_end(const char *p, const char *end);
const char *json_skip_value(const char *p, const char *end, int depth_left, const char **bad);
}

using namespace simdjson;

struct JsonGeneral {
    ondemand::parser parser;
};

extern "C" const char json_general_no_memory[] = "out of memory";

namespace {

struct Walk {
    JsonMatch *matches;
    const char *end;
};

const char *error_text(error_code code)
{
    switch (code) {
    case MEMALLOC: return json_general_no_memory;
    case UTF8_ERROR: return "not UTF-8";
    case UNCLOSED_STRING: return "a string does not end";
    case UNESCAPED_CHARS: return "a control character in a string";
    case STRING_ERROR: return "a bad escape in a string";
    case EMPTY: return "nothing there";
    case DEPTH_ERROR: return "nested too deeply";
    case INCOMPLETE_ARRAY_OR_OBJECT: return "an object or array does not end";
    default: return "unexpected text";
    }
}

bool equal_without_case(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char x = a[i], y = b[i];
        if (x >= 'A' && x <= 'Z')
            x |= 0x20;
        if (y >= 'A' && y <= 'Z')
            y |= 0x20;
        if (x != y)
            return false;
    }
    return true;
}

void forget_below(Walk &walk, const JsonPathNode *node)
{
    for (int i = 0; i < node->child_count; i++) {
        std::memset(&walk.matches[node->children[i]->number], 0, sizeof(JsonMatch));
        forget_below(walk, node->children[i]);
    }
}

const char *walk_value(Walk &walk, ondemand::value value, const JsonPathNode *node, int depth);

/* Whether the key names this child and wins over what was found before; the match is cleared then. */
bool claim(Walk &walk, const JsonPathNode *child, const char *key, size_t length)
{
    JsonMatch *match = &walk.matches[child->number];
    if (length != child->name_length || !equal_without_case(key, child->name, length))
        return false;
    bool exact = std::memcmp(key, child->name, length) == 0;
    if (!exact && (match->exact || child->exact_only))
        return false;
    bool other = !exact && match->key && std::memcmp(match->key, key, length) != 0;
    if (other && child->first_wins)
        return false;
    bool ambiguous = other || (!exact && match->ambiguous);
    *match = JsonMatch{};
    match->exact = exact;
    match->ambiguous = ambiguous;
    match->key = key;
    match->key_length = (uint32_t)length;
    forget_below(walk, child);
    return true;
}

const char *walk_members(Walk &walk, ondemand::object object, const JsonPathNode *node, int depth)
{
    for (simdjson_result<ondemand::field> member : object) {
        ondemand::field field;
        if (error_code code = std::move(member).get(field))
            return error_text(code);
        const char *raw = field.key().raw(); /* after the opening quote; simdjson skips what follows an escape unseen */
        if (!json_string_end(raw, walk.end))
            return "a bad string";
        std::string_view key;
        if (error_code code = field.unescaped_key().get(key))
            return error_text(code);
        const JsonPathNode *taker = nullptr;
        for (int i = 0; node && i < node->child_count && !taker; i++)
            if (claim(walk, node->children[i], key.data(), key.size()))
                taker = node->children[i];
        if (const char *reason = walk_value(walk, field.value(), taker, depth))
            return reason;
    }
    return nullptr;
}

const char *walk_scalar(Walk &walk, ondemand::value value, JsonToken *token)
{
    std::string_view raw = value.raw_json_token();
    size_t length = raw.size();
    while (length && (raw[length - 1] == ' ' || raw[length - 1] == '\t' || raw[length - 1] == '\r' || raw[length - 1] == '\n'))
        length--;
    const char *bytes = raw.data();
    if (bytes + length > walk.end) /* the last token's view may reach into what follows the record */
        length = (size_t)(walk.end - bytes);
    JsonKind kind = JSON_MISSING;
    if (length && bytes[0] == '"') {
        std::string_view text;
        if (error_code code = value.get_string().get(text))
            return error_text(code);
        if (json_string_end(bytes + 1, bytes + length) != bytes + length - 1)
            return "a bad string";
        kind = JSON_STRING;
    } else if (length == 4 && std::memcmp(bytes, "true", 4) == 0) {
        kind = JSON_TRUE;
    } else if (length == 5 && std::memcmp(bytes, "false", 5) == 0) {
        kind = JSON_FALSE;
    } else if (length == 4 && std::memcmp(bytes, "null", 4) == 0) {
        kind = JSON_NULL;
    } else if (json_number_end(bytes, bytes + length) == bytes + length) {
        kind = JSON_NUMBER;
    } else {
        return "neither a value nor the end";
    }
    /* Other scalars are not consumed: simdjson's numbers have limits, ours only a grammar; its iterators step over them. */
    token->bytes = bytes;
    token->length = (uint32_t)length;
    token->kind = kind;
    return nullptr;
}

const char *walk_value(Walk &walk, ondemand::value value, const JsonPathNode *node, int depth)
{
    JsonToken token = {};
    ondemand::json_type type;
    if (error_code code = value.type().get(type))
        return error_text(code);
    const char *reason = nullptr;
    if (type == ondemand::json_type::object || type == ondemand::json_type::array) {
        if (depth >= JSON_DEPTH_LIMIT)
            return "nested too deeply";
        token.bytes = std::string_view(value.raw_json_token()).data();
        token.kind = type == ondemand::json_type::object ? JSON_OBJECT : JSON_ARRAY;
        if (token.kind == JSON_OBJECT) {
            ondemand::object object;
            if (error_code code = value.get_object().get(object))
                return error_text(code);
            reason = walk_members(walk, object, node, depth + 1);
        } else {
            ondemand::array array;
            if (error_code code = value.get_array().get(array))
                return error_text(code);
            for (auto element : array) {
                ondemand::value inner;
                if (error_code code = element.get(inner))
                    return error_text(code);
                if ((reason = walk_value(walk, inner, nullptr, depth + 1)))
                    return reason;
            }
        }
        if (!reason && node && node->wanted) {
            const char *bad, *after = json_skip_value(token.bytes, walk.end, JSON_DEPTH_LIMIT, &bad);
            if (!after)
                return "unexpected text";
            token.length = (uint32_t)(after - token.bytes);
        }
    } else {
        reason = walk_scalar(walk, value, &token);
    }
    if (!reason && node)
        walk.matches[node->number].token = token;
    return reason;
}

} // namespace

extern "C" JsonGeneral *json_general_new(void) { return new (std::nothrow) JsonGeneral; }
extern "C" void json_general_free(JsonGeneral *general) { delete general; }

extern "C" const char *json_general_locate(JsonGeneral *general, const JsonPathNode *root, const char *bytes, size_t length, JsonMatch *matches, int node_count)
{
    std::memset(matches, 0, sizeof(JsonMatch) * (size_t)node_count);
    Walk walk = { matches, bytes + length };
    ondemand::document document;
    if (error_code code = general->parser.iterate(padded_string_view(bytes, length, length + SIMDJSON_PADDING)).get(document))
        return error_text(code);
    ondemand::json_type type;
    if (error_code code = document.type().get(type))
        return error_text(code);
    if (type != ondemand::json_type::object)
        return "a record must be an object";
    ondemand::object object;
    if (error_code code = document.get_object().get(object))
        return error_text(code);
    const char *reason = walk_members(walk, object, root, 1);
    if (reason)
        return reason;
    const char *rest;
    if (!document.current_location().get(rest))
        return "text after the record's end";
    matches[0].token.bytes = bytes;
    matches[0].token.length = (uint32_t)length;
    matches[0].token.kind = JSON_OBJECT;
    return nullptr;
}

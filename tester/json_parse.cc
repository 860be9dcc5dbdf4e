/* tester/json_parse.cc: simdjson walks through a document and makes a tree of it.
 *
 * Numbers are taken as text: those of test files may have more digits than any machine type. */
#include <cstring>
#include <simdjson.h>
#include "tester/json_parse.h"

using namespace simdjson;

namespace {

const int depth_limit = 200;

const char *read_value(const JsonTreeMaker &maker, ondemand::value value, int depth, JsonTree **tree);

const char *read_array(const JsonTreeMaker &maker, ondemand::value value, int depth, JsonTree **tree)
{
    ondemand::array array;
    if (error_code code = value.get_array().get(array))
        return error_message(code);
    *tree = maker.make(maker.caller, TREE_ARRAY, "", 0);
    JsonTree **next = &(*tree)->first;
    for (auto element : array) {
        ondemand::value inner;
        if (error_code code = element.get(inner))
            return error_message(code);
        if (const char *reason = read_value(maker, inner, depth + 1, next))
            return reason;
        next = &(*next)->next;
        (*tree)->count++;
    }
    return nullptr;
}

const char *read_object(const JsonTreeMaker &maker, ondemand::value value, int depth, JsonTree **tree)
{
    ondemand::object object;
    if (error_code code = value.get_object().get(object))
        return error_message(code);
    *tree = maker.make(maker.caller, TREE_OBJECT, "", 0);
    JsonTree **next = &(*tree)->first;
    for (auto member : object) {
        ondemand::field field;
        if (error_code code = std::move(member).get(field))
            return error_message(code);
        std::string_view key;
        if (error_code code = field.unescaped_key().get(key))
            return error_message(code);
        const char *name = maker.name(maker.caller, key.data(), key.size());
        if (const char *reason = read_value(maker, field.value(), depth + 1, next))
            return reason;
        (*next)->name = name;
        next = &(*next)->next;
        (*tree)->count++;
    }
    return nullptr;
}

std::string_view without_blanks_behind(std::string_view raw)
{
    while (!raw.empty() && std::strchr(" \t\r\n", raw.back()))
        raw.remove_suffix(1);
    return raw;
}

const char *read_scalar(const JsonTreeMaker &maker, std::string_view raw, JsonTree **tree)
{
    static const struct { const char *word; JsonTreeKind kind; } words[] = { { "null", TREE_NULL }, { "true", TREE_TRUE }, { "false", TREE_FALSE } };
    for (const auto &word : words)
        if (raw == word.word) {
            *tree = maker.make(maker.caller, word.kind, "", 0);
            return nullptr;
        }
    if (raw.empty() || raw.find_first_not_of("+-.0123456789eE") != std::string_view::npos)
        return "neither a value nor the end";
    *tree = maker.make(maker.caller, TREE_NUMBER, raw.data(), raw.size());
    return nullptr;
}

const char *read_value(const JsonTreeMaker &maker, ondemand::value value, int depth, JsonTree **tree)
{
    ondemand::json_type type;
    if (depth > depth_limit)
        return "nested too deeply";
    if (error_code code = value.type().get(type))
        return error_message(code);
    if (type == ondemand::json_type::array)
        return read_array(maker, value, depth, tree);
    if (type == ondemand::json_type::object)
        return read_object(maker, value, depth, tree);
    if (type != ondemand::json_type::string)
        return read_scalar(maker, without_blanks_behind(value.raw_json_token()), tree);
    std::string_view text;
    if (error_code code = value.get_string().get(text))
        return error_message(code);
    *tree = maker.make(maker.caller, TREE_STRING, text.data(), text.size());
    return nullptr;
}

} // namespace

extern "C" const char *json_tree_parse(const JsonTreeMaker *maker, const char *text, size_t length, JsonTree **tree)
{
    static ondemand::parser parser; /* the room has one thread */
    ondemand::document document;
    if (error_code code = parser.iterate(padded_string_view(text, length, length + JSON_TREE_PADDING)).get(document))
        return error_message(code);
    ondemand::value root;
    if (error_code code = document.get_value().get(root))
        return error_message(code);
    if (const char *reason = read_value(*maker, root, 0, tree))
        return reason;
    const char *rest;
    return document.current_location().get(rest) ? nullptr : "text after the end";
}

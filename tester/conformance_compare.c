/* tester/conformance_compare.c: compares what a test file expects with what came. */
#include "tester/conformance_compare.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_integer(const char *text) { return text[strcspn(text, ".eE")] == 0; }

static const char *without_zeros(const char *text)
{
    text += *text == '-' || *text == '+';
    return text + strspn(text, "0");
}

/* Numbers with a fraction went through a double on their way into the test file: they say neither how a number is written nor more than
 * 15 of its digits. */
static bool same_number(const char *expected, const char *actual, bool close)
{
    double a = strtod(expected, NULL), b = strtod(actual, NULL);
    if (is_integer(expected) && is_integer(actual))
        return strcmp(without_zeros(expected), without_zeros(actual)) == 0 && (a < 0) == (b < 0);
    return a == b || fabs(a - b) <= 1e-15 * fabs(a) || (close && fabs(a - b) <= 1e-6);
}

/* The member for an expected name: by that name, else by its upper-case form. */
static const JsonTree *actual_member(const JsonTree *actual, const char *name)
{
    const JsonTree *member = json_member(actual, name);
    for (const JsonTree *other = member ? NULL : actual->first; other && !member; other = other->next) {
        size_t length = strlen(name), i = 0;
        while (i < length && other->name[i] == (char)toupper((unsigned char)name[i]))
            i++;
        if (i == length && other->name[i] == 0)
            member = other;
    }
    return member;
}

static bool same_members(const JsonTree *expected, const JsonTree *actual, bool close)
{
    if (expected->count != actual->count)
        return false;
    for (const JsonTree *member = expected->first; member; member = member->next) {
        const JsonTree *other = actual_member(actual, member->name);
        if (other ? !conformance_same(member, other, close) : !json_is_null(member))
            return false;
    }
    return true;
}

static bool same_elements(const JsonTree *expected, const JsonTree *actual, bool close)
{
    if (expected->count != actual->count)
        return false;
    const JsonTree *other = actual->first;
    for (const JsonTree *element = expected->first; element; element = element->next, other = other->next)
        if (!conformance_same(element, other, close))
            return false;
    return true;
}

bool conformance_same(const JsonTree *expected, const JsonTree *actual, bool close)
{
    if (json_is_null(expected))
        return json_is_null(actual);
    if (expected->kind == TREE_STRING && actual->kind == TREE_NUMBER)
        return strcmp(without_zeros(expected->text), without_zeros(actual->text)) == 0 && (*expected->text == '-') == (*actual->text == '-'); /* "05.10": a decimal with all its digits */
    if (expected->kind != actual->kind)
        return false;
    switch (expected->kind) {
    case TREE_NULL: case TREE_TRUE: case TREE_FALSE: return true;
    case TREE_NUMBER: return same_number(expected->text, actual->text, close);
    case TREE_STRING: return expected->length == actual->length && memcmp(expected->text, actual->text, expected->length) == 0;
    case TREE_ARRAY: return same_elements(expected, actual, close);
    case TREE_OBJECT: return same_members(expected, actual, close);
    }
    return false;
}

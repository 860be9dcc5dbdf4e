/* tester/conformance_compare.c: compares what a test file expects with what came. */
#include "tester/conformance_compare.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number as sign * digits * 10^-scale, as written: 1.50 has the digits 150 and the scale 2. */
typedef struct ExactNumber {
    bool negative;
    char digits[256];
    int count;
    long scale;
    bool integer; /* written without point and exponent */
} ExactNumber;

static bool read_exact(const char *text, ExactNumber *number)
{
    *number = (ExactNumber){ .integer = true };
    number->negative = *text == '-';
    text += *text == '-' || *text == '+';
    bool point = false;
    for (; isdigit((unsigned char)*text) || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        number->scale += point;
        if (number->count > 0 || *text != '0') {
            if (number->count == (int)sizeof number->digits)
                return false;
            number->digits[number->count++] = *text;
        }
    }
    number->integer = !point && *text == 0;
    char *end = (char *)text;
    if (*text == 'e' || *text == 'E')
        number->scale -= strtol(text + 1, &end, 10);
    number->negative = number->negative && number->count > 0;
    return *end == 0;
}

static bool same_number(const char *expected, const char *actual, bool close)
{
    if (close) {
        double a = strtod(expected, NULL), b = strtod(actual, NULL);
        return a == b || fabs(a - b) <= 1e-6;
    }
    ExactNumber a, b;
    return read_exact(expected, &a) && read_exact(actual, &b) && a.negative == b.negative && a.scale == b.scale && a.integer == b.integer &&
           a.count == b.count && memcmp(a.digits, b.digits, (size_t)a.count) == 0;
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
        if (!other || !conformance_same(member, other, close))
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
        return strcmp(expected->text, actual->text) == 0;
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

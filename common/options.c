/* common/options.c: properties, checked against tables. */
#include "common/options.h"

#include <ctype.h>
#include <string.h>

#include "common/calendar.h"
#include "common/decimal.h"
#include "common/str.h"

static char folded(char c) { return c == '-' ? '_' : (char)tolower((unsigned char)c); }

bool option_name_equal(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (folded(*a) != folded(*b))
            return false;
    return *a == *b;
}

/* ---- values ---- */

/* "12.5 unit": the number, and the place of the unit. */
static const char *read_number(const char *text, double *number)
{
    while (*text == ' ')
        text++;
    size_t length = strspn(text, "+-0123456789.");
    if (length == 0 || !double_parse(text, length, number))
        return NULL;
    text += length;
    while (*text == ' ')
        text++;
    return text;
}

bool bytes_parse(const char *text, int64_t *bytes)
{
    static const char units[] = "bkmgt";
    double number;
    const char *unit = read_number(text, &number);
    if (!unit || number < 0)
        return false;
    double factor = 1;
    if (*unit) {
        const char *found = strchr(units, tolower((unsigned char)*unit));
        if (!found)
            return false;
        for (long i = 0; i < found - units; i++)
            factor *= 1024;
        const char *rest = unit + 1;
        if (*found != 'b' && tolower((unsigned char)*rest) == 'i')
            rest++;
        if (*found != 'b' && tolower((unsigned char)*rest) == 'b')
            rest++;
        if (*rest)
            return false;
    }
    if (number * factor >= 9.2e18)
        return false;
    *bytes = (int64_t)(number * factor);
    return true;
}

bool duration_parse(const char *text, int64_t *us)
{
    static const struct { const char *names; double us; } units[] = {
        { " us microsecond microseconds ", 1 }, { " ms millisecond milliseconds ", 1e3 }, { " s sec second seconds ", 1e6 },
        { " m min minute minutes ", 60e6 }, { " h hour hours ", 3600e6 }, { " d day days ", 86400e6 }, { " w week weeks ", 7 * 86400e6 } };
    if (time_parse(text, strlen(text), us))
        return true;
    double number;
    const char *unit = read_number(text, &number);
    char wanted[24] = " ";
    if (!unit || strlen(unit) > 16 || !*unit)
        return false;
    size_t length = strcspn(unit, " ");
    if (unit[length + strspn(unit + length, " ")])
        return false; /* '1 h 30 m' is not one hour */
    for (size_t i = 0; i < length; i++)
        wanted[i + 1] = (char)tolower((unsigned char)unit[i]);
    strcat(wanted, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strstr(units[i].names, wanted)) {
            if (number * units[i].us >= 9.2e18 || number * units[i].us <= -9.2e18)
                return false;
            *us = (int64_t)(number * units[i].us);
            return true;
        }
    return false;
}

static bool bool_parse(const char *text, bool *value)
{
    static const char *const yes[] = { "true", "on", "yes", "1" }, *const no[] = { "false", "off", "no", "0" };
    for (int i = 0; i < 4; i++) {
        if (name_equal(text, yes[i]))
            return *value = true;
        if (name_equal(text, no[i])) {
            *value = false;
            return true;
        }
    }
    return false;
}

static bool char_parse(const char *text, char *value)
{
    if (name_equal(text, "tab") || strcmp(text, "\\t") == 0)
        *value = '\t';
    else if (name_equal(text, "space"))
        *value = ' ';
    else if (strlen(text) == 1)
        *value = text[0];
    else
        return strlen(text) == 0 ? (*value = 0, true) : false;
    return true;
}

static Error *choice_error(const OptionSpec *spec, const char *text, Span at)
{
    Text list = { 0 };
    MEMORY_HOLD(text_unwind, &list);
    int count = 0;
    for (; spec->choices[count]; count++)
        text_printf(&list, "%s'%s'", count ? ", " : "", spec->choices[count]);
    Error *error = error_at(ERR_BIND, at, "'%s' must be one of %s, not '%s'", spec->name, text_c(&list), text);
    text_release(&list);
    return error_suggest(error, text, spec->choices, count);
}

static Error *set_integer(const OptionSpec *spec, int64_t number, const char *text, Span at, int64_t *field)
{
    if (spec->maximum > spec->minimum && (number < spec->minimum || number > spec->maximum))
        return error_at(ERR_BIND, at, "'%s' must be from %lld to %lld, not '%s'", spec->name, (long long)spec->minimum, (long long)spec->maximum, text);
    *field = number;
    return NULL;
}

static Error *set_double(const OptionSpec *spec, const char *text, Span at, double *field)
{
    double number;
    if (!double_parse(text, strlen(text), &number))
        return error_at(ERR_BIND, at, "'%s' wants a number, not '%s'", spec->name, text);
    if (spec->maximum > spec->minimum && !(number >= (double)spec->minimum && number <= (double)spec->maximum)) /* NaN is neither */
        return error_at(ERR_BIND, at, "'%s' must be from %lld to %lld, not '%s'", spec->name, (long long)spec->minimum, (long long)spec->maximum, text);
    *field = number;
    return NULL;
}

static Error *set_option(Arena *arena, const OptionSpec *spec, void *options, const char *text, Span at)
{
    void *field = (char *)options + spec->offset;
    int64_t number = 0;
    switch (spec->kind) {
    case OPTION_STRING:
        *(const char **)field = arena_strdup(arena, text);
        return NULL;
    case OPTION_INT:
        if (spec->is_bytes ? !bytes_parse(text, &number) : !int64_parse(text, strlen(text), &number))
            return error_at(ERR_BIND, at, "'%s' wants %s, not '%s'", spec->name, spec->is_bytes ? "a size such as '64MiB'" : "a whole number", text);
        return set_integer(spec, number, text, at, field);
    case OPTION_DOUBLE:
        return set_double(spec, text, at, field);
    case OPTION_BOOL:
        if (!bool_parse(text, field))
            return error_at(ERR_BIND, at, "'%s' wants true or false, not '%s'", spec->name, text);
        return NULL;
    case OPTION_CHAR:
        if (!char_parse(text, field))
            return error_at(ERR_BIND, at, "'%s' wants one character, not '%s'", spec->name, text);
        return NULL;
    case OPTION_DURATION:
        if (!duration_parse(text, &number))
            return error_at(ERR_BIND, at, "'%s' wants a duration such as '10 s', not '%s'", spec->name, text);
        return set_integer(spec, number, text, at, field);
    case OPTION_ENUM:
        for (int i = 0; spec->choices[i]; i++)
            if (option_name_equal(spec->choices[i], text)) {
                *(int *)field = i;
                return NULL;
            }
        return choice_error(spec, text, at);
    case OPTION_REFUSED: break;
    }
    return NULL;
}

/* ---- tables ---- */

void options_defaults(Arena *arena, const OptionTarget *target)
{
    for (const OptionSpec *spec = target->specs; spec && spec->name; spec++)
        if (spec->default_text)
            error_free(set_option(arena, spec, target->options, spec->default_text, SPAN_NONE));
}

/* What follows the prefix of a spec such as 'fields.*'; NULL: the name is none of these. */
static const char *name_behind(const OptionSpec *spec, const char *name)
{
    size_t length = strlen(spec->name) - 1;
    if (spec->name[length] != '*' || strlen(name) <= length)
        return NULL;
    for (size_t i = 0; i < length; i++)
        if (folded(spec->name[i]) != folded(name[i]))
            return NULL;
    return name + length;
}

static bool spec_named(const OptionSpec *spec, const char *name)
{
    if (option_name_equal(spec->name, name) || name_behind(spec, name))
        return true;
    for (int i = 0; spec->aliases && spec->aliases[i]; i++)
        if (option_name_equal(spec->aliases[i], name))
            return true;
    return false;
}

static const OptionSpec *find_spec(const OptionTarget *targets, int target_count, const char *name, void **options)
{
    for (int t = 0; t < target_count; t++)
        for (const OptionSpec *spec = targets[t].specs; spec && spec->name; spec++)
            if (spec_named(spec, name)) {
                *options = targets[t].options;
                return spec;
            }
    return NULL;
}

/* Whose a name is that is nearly right: a property's misspelt name is its connector's matter, not its format's. */
static const char *owner_of(const OptionTarget *targets, int target_count, const char *name)
{
    const char *owner = NULL;
    for (int t = 0; t < target_count; t++) {
        for (const OptionSpec *spec = targets[t].specs; name && targets[t].owner && spec && spec->name; spec++)
            if (spec_named(spec, name))
                return targets[t].owner;
        owner = targets[t].owner ? targets[t].owner : owner;
    }
    return owner;
}

static Error *unknown_option(Arena *arena, const OptionEntry *entry, const OptionTarget *targets, int target_count)
{
    struct { const char **items; int count, capacity; } names = { 0 };
    for (int t = 0; t < target_count; t++) {
        for (const OptionSpec *spec = targets[t].specs; spec && spec->name; spec++) {
            if (spec->kind == OPTION_REFUSED)
                continue;
            LIST_ADD(arena, &names, spec->name);
            for (int i = 0; spec->aliases && spec->aliases[i]; i++)
                LIST_ADD(arena, &names, spec->aliases[i]);
        }
    }
    const char *owner = owner_of(targets, target_count, nearest_name(entry->name, names.items, names.count));
    Error *error = owner ? error_at(ERR_BIND, entry->name_at, "no property '%s' for %s", entry->name, owner)
                         : error_at(ERR_BIND, entry->name_at, "no property '%s'", entry->name);
    return error_suggest(error, entry->name, names.items, names.count);
}

static bool is_given(const OptionSpec *spec, const OptionEntry *entries, int entry_count)
{
    for (int i = 0; i < entry_count; i++)
        if (spec_named(spec, entries[i].name))
            return true;
    return false;
}

static Error *set_entry(Arena *arena, const OptionSpec *spec, void *options, const OptionEntry *entry)
{
    const char *rest = name_behind(spec, entry->name);
    if (spec->kind == OPTION_REFUSED)
        return error_at(ERR_BIND, entry->name_at, "'%s' is not allowed: %s", entry->name, spec->doc);
    if (!rest)
        return set_option(arena, spec, options, entry->value, entry->value_at);
    if (strchr(entry->value, '\n'))
        return error_at(ERR_BIND, entry->value_at, "'%s' must be one line", entry->name);
    const char **lines = (const char **)((char *)options + spec->offset);
    *lines = arena_printf(arena, "%s%s=%s\n", *lines ? *lines : "", rest, entry->value);
    return NULL;
}

Error *options_parse(Arena *arena, OptionEntry *entries, int entry_count, const OptionTarget *targets, int target_count, Span at)
{
    Error *errors = NULL;
    for (int t = 0; t < target_count; t++)
        options_defaults(arena, &targets[t]);
    for (int i = 0; i < entry_count; i++) {
        void *options = NULL;
        const OptionSpec *spec = find_spec(targets, target_count, entries[i].name, &options);
        if (spec) {
            entries[i].used = true;
            errors = error_append(errors, set_entry(arena, spec, options, &entries[i]));
        } else {
            errors = error_append(errors, unknown_option(arena, &entries[i], targets, target_count));
        }
    }
    for (int t = 0; t < target_count; t++)
        for (const OptionSpec *spec = targets[t].specs; spec && spec->name; spec++)
            if (spec->required && !is_given(spec, entries, entry_count))
                errors = error_append(errors, targets[t].owner ? error_at(ERR_BIND, at, "%s needs the property '%s'", targets[t].owner, spec->name)
                                                               : error_at(ERR_BIND, at, "the property '%s' is missing", spec->name));
    return errors;
}

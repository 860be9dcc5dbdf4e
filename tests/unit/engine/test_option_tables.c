/* tests/unit/engine/test_option_tables.c: docs/connectors.md lists every option of every connector and format, as their tables have them. */
#include "page.h"
#include "connectors/connectors.h"
#include "formats/formats.h"

#define PAGE "docs/connectors.md"
#define FORMATS_PAGE "docs/formats.md"

static const char *type_name(Arena *arena, const OptionSpec *spec)
{
    switch (spec->kind) {
    case OPTION_STRING: return "text";
    case OPTION_INT: return spec->is_bytes ? "size" : "integer";
    case OPTION_DOUBLE: return "number";
    case OPTION_BOOL: return "`true`, `false`";
    case OPTION_CHAR: return "character";
    case OPTION_DURATION: return "duration";
    case OPTION_REFUSED:
    case OPTION_ENUM: break;
    }
    const char *text = "";
    for (int i = 0; spec->choices[i]; i++)
        text = arena_printf(arena, "%s%s`%s`", text, i ? ", " : "", spec->choices[i]);
    return text;
}

static const char *default_value(Arena *arena, const OptionSpec *spec)
{
    if (spec->required)
        return "required";
    return spec->default_text && *spec->default_text ? arena_printf(arena, "`%s`", spec->default_text) : "";
}

static void add_options(Arena *arena, const OptionSpec *specs, Text *out)
{
    text_add_c(out, "| option | type | default | |\n|---|---|---|---|\n");
    for (const OptionSpec *spec = specs; spec->name; spec++) {
        if (spec->kind == OPTION_REFUSED)
            continue;
        text_printf(out, "| `%s` | %s | %s | %s", spec->name, page_cell(arena, type_name(arena, spec)), page_cell(arena, default_value(arena, spec)), page_cell(arena, spec->doc));
        const char *between = " Also ";
        for (const char *const *alias = spec->aliases; alias && *alias; alias++)
            if (strcmp(*alias, spec->name) != 0) {
                text_printf(out, "%s`%s`", between, *alias);
                between = ", ";
            }
        text_add_c(out, *between == ',' ? ". |\n" : " |\n");
    }
}

/* Without those that all formats with a registry share, which have a table of their own. */
static const OptionSpec *own_options(const FormatType *format)
{
    const OptionSpec *own = format->options;
    for (const OptionSpec *shared = registry_option_rows(); format->registered && shared->name; shared++)
        own++;
    return own;
}

static void add_table(Arena *arena, const char *name, Text *out)
{
    if (strcmp(name, "schema registry") == 0) {
        add_options(arena, registry_option_rows(), out);
        return;
    }
    const ConnectorType *connector = connector_find(name);
    const FormatType *format = connector ? NULL : format_find(name);
    if (!connector && !format)
        print_error("%s: no connector or format '%s'\n", PAGE, name);
    assert_true(connector || format);
    add_options(arena, connector ? connector->options : own_options(format), out);
}

/* Another name for the same, or the same with something around it. */
static bool listed_before(const FormatType *const formats[], int i)
{
    for (int k = 0; k < i; k++)
        if (formats[k]->options && own_options(formats[k])->name && strcmp(own_options(formats[k])->name, own_options(formats[i])->name) == 0)
            return true;
    return false;
}

static void page_is_current(void **state)
{
    (void)state;
    int count;
    const ConnectorType *const *connectors = connectors_all(&count);
    for (int i = 0; i < count; i++)
        if (connectors[i]->options && connectors[i]->options->name)
            page_must_hold(PAGE, "options", connectors[i]->name);
    const FormatType *const *formats = formats_all(&count);
    for (int i = 0; i < count; i++)
        if (formats[i]->options && own_options(formats[i])->name && !listed_before(formats, i))
            page_must_hold(PAGE, "options", formats[i]->name);
    page_check(PAGE, "options", add_table);
    page_must_hold(FORMATS_PAGE, "options", "schema registry");
    page_check(FORMATS_PAGE, "options", add_table);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(page_is_current) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

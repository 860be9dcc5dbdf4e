/* tests/unit/engine/test_option_tables.c: docs/connectors.md lists every option of every connector and format, as their tables have them. */
#include "page.h"
#include "connectors/connectors.h"
#include "formats/formats.h"

#define PAGE "docs/connectors.md"

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

static void add_table(Arena *arena, const char *name, Text *out)
{
    const ConnectorType *connector = connector_find(name);
    const FormatType *format = connector ? NULL : format_find(name);
    if (!connector && !format)
        print_error("%s: no connector or format '%s'\n", PAGE, name);
    assert_true(connector || format);
    add_options(arena, connector ? connector->options : format->options, out);
}

/* Another name for the same, or the same with something around it. */
static bool listed_before(const FormatType *const formats[], int i)
{
    for (int k = 0; k < i; k++)
        if (formats[k]->options == formats[i]->options)
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
        if (formats[i]->options && formats[i]->options->name && !listed_before(formats, i))
            page_must_hold(PAGE, "options", formats[i]->name);
    page_check(PAGE, "options", add_table);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(page_is_current) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

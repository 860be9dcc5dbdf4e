/* Properties: types, ranges, names, suggestions; durations and sizes. */
#include "tests/unit/common/unit.h"

#include "common/options.h"

typedef struct Sample {
    const char *path, *fields;
    int64_t rows, bytes, wait_us;
    double share;
    bool follow;
    char delimiter;
    int mode;
} Sample;

static const char *const modes[] = { "overwrite", "append", NULL };
static const char *const path_aliases[] = { "file", "location", NULL };
static const OptionSpec specs[] = {
    { "path", OPTION_STRING, offsetof(Sample, path), NULL, "A path.", .aliases = path_aliases, .required = true },
    { "max_rows", OPTION_INT, offsetof(Sample, rows), "10", "Rows.", .minimum = 1, .maximum = 1000 },
    { "buffer.bytes", OPTION_INT, offsetof(Sample, bytes), "64 KiB", "Bytes.", .is_bytes = true },
    { "wait", OPTION_DURATION, offsetof(Sample, wait_us), "1 s", "A while.", .minimum = 0, .maximum = 60000000 },
    { "share", OPTION_DOUBLE, offsetof(Sample, share), "0.5", .doc = "A share." },
    { "follow", OPTION_BOOL, offsetof(Sample, follow), .doc = "On or off." },
    { "delimiter", OPTION_CHAR, offsetof(Sample, delimiter), ",", .doc = "A character." },
    { "mode", OPTION_ENUM, offsetof(Sample, mode), "append", "A choice.", .choices = modes },
    { "fields.*", OPTION_STRING, offsetof(Sample, fields), .doc = "Of a field." },
    { .name = NULL },
};
typedef struct Other { const char *path; int64_t level; } Other;
static const OptionSpec other_specs[] = {
    { "path", OPTION_STRING, offsetof(Other, path), .doc = "Hidden behind the first target's." },
    { "level", OPTION_INT, offsetof(Other, level), "3", .doc = "A level." },
    { .name = NULL },
};

static Arena arena;
static Sample sample;
static Other other;

static Error *parse(OptionEntry *entries, int count)
{
    sample = (Sample){ 0 };
    other = (Other){ 0 };
    const OptionTarget targets[] = { { specs, &sample, "connector 'sample'" }, { other_specs, &other, NULL } };
    return options_parse(&arena, entries, count, targets, 2, (Span){ 100, 4 });
}
static Error *parse_one(const char *name, const char *value)
{
    OptionEntry entries[] = { { "path", "p", { 1, 4 }, { 6, 1 }, false }, { name, value, { 10, 5 }, { 20, 6 }, false } };
    return parse(entries, 2);
}

static int start(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    return 0;
}
static int stop(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void defaults_and_values(void **state)
{
    (void)state;
    OptionEntry least[] = { { "path", "in.json", SPAN_NONE, SPAN_NONE, false } };
    assert_fine(parse(least, 1));
    assert_string_equal(sample.path, "in.json");
    assert_true(least[0].used);
    assert_null(other.path); /* an entry goes to the first target that knows it */
    assert_int_equal(sample.rows, 10);
    assert_int_equal(sample.bytes, 65536);
    assert_int_equal(sample.wait_us, 1000000);
    assert_true(sample.share == 0.5);
    assert_false(sample.follow);
    assert_int_equal(sample.delimiter, ',');
    assert_int_equal(sample.mode, 1);
    assert_int_equal(other.level, 3);
    assert_null(sample.fields);

    OptionEntry all[] = { { "LOCATION", "x", SPAN_NONE, SPAN_NONE, false }, { "Max-Rows", "1000", SPAN_NONE, SPAN_NONE, false }, { "buffer.bytes", "1.5k", SPAN_NONE, SPAN_NONE, false },
        { "wait", "00:00:10", SPAN_NONE, SPAN_NONE, false }, { "share", "1e-3", SPAN_NONE, SPAN_NONE, false }, { "follow", "Yes", SPAN_NONE, SPAN_NONE, false },
        { "delimiter", "TAB", SPAN_NONE, SPAN_NONE, false }, { "mode", "OverWrite", SPAN_NONE, SPAN_NONE, false }, { "level", "-7", SPAN_NONE, SPAN_NONE, false },
        { "fields.price.min", "1", SPAN_NONE, SPAN_NONE, false }, { "FIELDS.Name.length", "a=b", SPAN_NONE, SPAN_NONE, false } };
    assert_fine(parse(all, (int)COUNT(all)));
    assert_string_equal(sample.path, "x");
    assert_int_equal(sample.rows, 1000);
    assert_int_equal(sample.bytes, 1536);
    assert_int_equal(sample.wait_us, 10000000);
    assert_true(sample.share == 1e-3);
    assert_true(sample.follow);
    assert_int_equal(sample.delimiter, '\t');
    assert_int_equal(sample.mode, 0);
    assert_int_equal(other.level, -7);
    assert_string_equal(sample.fields, "price.min=1\nName.length=a=b\n");
    for (size_t i = 0; i < COUNT(all); i++)
        assert_true(all[i].used);
}

static void wrong_values_name_the_property(void **state)
{
    (void)state;
    static const struct { const char *name, *value, *part; } cases[] = {
        { "max_rows", "0", "'max_rows' must be from 1 to 1000, not '0'" }, { "max_rows", "1001", "from 1 to 1000" }, { "max_rows", "ten", "a whole number" }, { "max_rows", "1.5", "a whole number" },
        { "max_rows", "5k", "a whole number" }, { "buffer.bytes", "5q", "a size" }, { "buffer.bytes", "-1", "a size" }, { "buffer.bytes", "1 kik", "a size" }, { "wait", "soon", "a duration" },
        { "wait", "61 s", "must be from" }, { "wait", "5", "a duration" }, { "share", "half", "a number" }, { "follow", "maybe", "true or false" }, { "delimiter", "ab", "one character" },
        { "mode", "apend", "'overwrite', 'append'" }, { "fields.a", "1\n2", "one line" } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Error *error = parse_one(cases[i].name, cases[i].value);
        assert_non_null(error);
        assert_int_equal(error->code, ERR_BIND);
        assert_int_equal(error->at.start, 20); /* the value's place */
        assert_null(error->next);
        assert_error(error, cases[i].part);
    }
    Error *error = parse_one("mode", "apend");
    assert_non_null(strstr(error->hint, "'append'"));
    error_free(error);
}

static void unknown_and_missing_names(void **state)
{
    (void)state;
    Error *error = parse_one("delimeter", ";");
    assert_int_equal(error->at.start, 10); /* the name's place */
    assert_non_null(strstr(error->hint, "'delimiter'"));
    assert_error(error, "no property 'delimeter' for connector 'sample'");
    error = parse_one("locatoin", "x"); /* aliases are suggested, too */
    assert_non_null(strstr(error->hint, "'location'"));
    error_free(error);
    assert_error(parse_one("fields.", "x"), "no property 'fields.'"); /* the family has no empty name */
    OptionEntry none[] = { { "follow", "perhaps", { 3, 1 }, { 5, 1 }, false }, { "fellow", "1", { 7, 1 }, { 9, 1 }, false } };
    error = parse(none, 2); /* all of them at once, in order */
    assert_non_null(strstr(error->message, "true or false"));
    assert_non_null(strstr(error->next->message, "'fellow'"));
    assert_non_null(strstr(error->next->next->message, "needs the property 'path'"));
    assert_int_equal(error->next->next->at.start, 100);
    assert_null(error->next->next->next);
    error_free(error);
}

static void durations(void **state)
{
    (void)state;
    static const struct { const char *text; int64_t us; } right[] = { { "10 s", 10000000 }, { "10s", 10000000 }, { "1 MINUTE", 60000000 }, { "500ms", 500000 }, { "00:00:10", 10000000 }, { "1.5 h", 5400000000 },
        { "2 days", 172800000000 }, { "1w", 604800000000 }, { "7 us", 7 }, { "-1 s", -1000000 }, { "01:30", 5400000000 }, { "0.25 sec", 250000 }, { " 5 min ", 300000000 }, { "0 seconds", 0 } };
    static const char *const wrong[] = { "", "s", "10", "10 parsecs", "ten s", "1e300 d", "300000000 days", "1 s s", "1 h 30 m", "10 s, or so", "1..5 s", "10 microsecondsandmore", "25:00:00", "5 e" };
    int64_t us;
    for (size_t i = 0; i < COUNT(right); i++) {
        if (!duration_parse(right[i].text, &us))
            fail_msg("'%s' was refused", right[i].text);
        assert_int_equal(us, right[i].us);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (duration_parse(wrong[i], &us))
            fail_msg("'%s' was read as %lld us", wrong[i], (long long)us);
}

static void sizes(void **state)
{
    (void)state;
    static const struct { const char *text; int64_t bytes; } right[] = { { "4096", 4096 }, { "64 MiB", 64 << 20 }, { "1g", 1 << 30 }, { "2KB", 2048 }, { "10b", 10 }, { "0.5k", 512 }, { "1 tib", 1ll << 40 }, { "0", 0 } };
    static const char *const wrong[] = { "", "k", "-5", "5x", "5kbb", "5bb", "1e", "10000000 t", "5 ki b" };
    int64_t bytes;
    for (size_t i = 0; i < COUNT(right); i++) {
        if (!bytes_parse(right[i].text, &bytes))
            fail_msg("'%s' was refused", right[i].text);
        assert_int_equal(bytes, right[i].bytes);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (bytes_parse(wrong[i], &bytes))
            fail_msg("'%s' was read as %lld bytes", wrong[i], (long long)bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_and_values, start, stop),
        cmocka_unit_test_setup_teardown(wrong_values_name_the_property, start, stop),
        cmocka_unit_test_setup_teardown(unknown_and_missing_names, start, stop),
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* planner/dialect.c: the table of presets. */
#include "planner/dialect.h"
#include <ctype.h>

#include "common/calendar.h"

const char *const dialect_names[] = { "bidsql", "ksql", "flink", "asa", NULL };

bool dialect_find(const char *name, Dialect *dialect)
{
    for (int i = 0; dialect_names[i]; i++)
        if (name_equal(name, dialect_names[i])) {
            *dialect = (Dialect)i;
            return true;
        }
    return false;
}

static const DialectRules rules[] = {
    [DIALECT_BIDSQL] = {
        .dialect = DIALECT_BIDSQL, .name = "bidsql", .conflate = true, .on_error = POLICY_FAIL, .on_expr_error = POLICY_FAIL,
        .windowed_time = TIME_OF_WINDOW_TIME, .unnamed_column = "EXPR$%d",
    },
    [DIALECT_KSQL] = {
        .dialect = DIALECT_KSQL, .name = "ksql", .upper_names = true, .two_valued_comparison = true, .drop_null_keys = true,
        .changes_grace_us = 24 * US_PER_HOUR, .lose_windows_on_jumps = true, .on_error = POLICY_SKIP, .on_expr_error = POLICY_NULL,
        .windowed_time = TIME_OF_LARGEST_EVENT, .epoch_json = true, .unnamed_column = "KSQL_COL_%d", .unnamed_counted = true,
        .java_texts = true, .strict_lambdas = true, .java_functions = true, .long_capitals = true, .narrow_sums = true,
        .pattern_first = true, .typed_concat = true, .pull_select = true,
        .literals_follow = true, .short_times = true, .keeps_headers = true,
        .typed_nulls = true, .flat_order = true,
        .int_types = true, .no_ordinals = true,
        .extremes_skip_nulls = true, .sum_of_nothing_is_zero = true, .keep_empty_groups = true,
        .any_time = true, .windows_from_epoch = true, .operator_clock = true,
        .joins_by_arrival = true, .qualified_star = true, .bounds_shown = true, .topics_by_default = true,
    },
    [DIALECT_FLINK] = {
        .dialect = DIALECT_FLINK, .name = "flink", .integer_average = true, .conflate = true, .on_error = POLICY_FAIL, .on_expr_error = POLICY_FAIL,
        .windowed_time = TIME_OF_WINDOW_TIME, .unnamed_column = "EXPR$%d", .watermark_inclusive = true, .unix_seconds = true, .regular_joins = true, .long_capitals = true, .joins_known = true,
    },
    [DIALECT_ASA] = {
        .dialect = DIALECT_ASA, .name = "asa", .windows_end_inclusive = true, .late_tolerance_us = 5 * US_PER_SECOND, .conflate = true,
        .on_error = POLICY_SKIP, .on_expr_error = POLICY_NULL, .windowed_time = TIME_OF_WINDOW_END, .iso_json = true, .unnamed_column = "EXPR$%d",
    },
};

const DialectRules *dialect_rules(Dialect dialect) { return &rules[dialect]; }

const char *dialect_name(const DialectRules *dialect, Arena *arena, const char *name, bool quoted)
{
    if (quoted || !dialect || !dialect->upper_names)
        return name;
    char *copy = arena_strdup(arena, name);
    for (char *c = copy; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

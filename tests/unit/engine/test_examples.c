/* tests/unit/engine/test_examples.c: what the registry says about its functions is true.
 *
 * Every function has a description and an example; the example calls that very function and yields what its row says; and the tables of
 * docs/functions.md are made of the same rows. UPDATE=1 rewrites the page. */
#include "page.h"
#include "common/value_text.h"
#include "engine/bidsql.h"
#include "parser/parser.h"
#include "planner/ast_map.h"
#include "planner/planner.h"

#define PAGE "docs/functions.md"
/* What examples of aggregates run over. */
#define ROWS " FROM (VALUES (1), (2), (2), (CAST(NULL AS BIGINT))) AS example(x)"

/* ---- scalar and aggregate functions as one list ---- */

typedef struct Row {
    const char *name, *category, *doc, *example, *yields;
    const TypeKind *args;
    TypeKind returns;
    bool variadic, aggregate;
    const char *const *aliases;
    const void *function;
    const char *signature; /* of an analytic function, as people read it */
} Row;

typedef struct Rows { Row *items; int count, capacity; } Rows;

static void all_rows(Arena *arena, Rows *rows)
{
    int count = 0;
    const ScalarFunction *const *scalars = functions_all(&count);
    for (int i = 0; i < count; i++) {
        const ScalarFunction *f = scalars[i];
        if (!f->hidden)
            LIST_ADD(arena, rows, ((Row){ f->name, f->category, f->doc, f->example, f->yields, f->args, f->returns, f->variadic, false, f->aliases, f, NULL }));
    }
    const AggregateFunction *const *aggregates = aggregates_all(&count);
    for (int i = 0; i < count; i++) {
        const AggregateFunction *f = aggregates[i];
        LIST_ADD(arena, rows, ((Row){ f->name, f->category, f->doc, f->example, f->yields, f->args, f->returns, f->variadic, true, f->aliases, f, NULL }));
    }
    const AnalyticFunction *analytics = analytic_functions_all(&count);
    for (int i = 0; i < count; i++) {
        const AnalyticFunction *f = &analytics[i];
        LIST_ADD(arena, rows, ((Row){ .name = f->name, .category = "analytic", .doc = f->doc, .example = f->example, .yields = f->yields, .function = f, .signature = f->signature }));
    }
}

#define SERIES "CREATE STREAM series (x BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'datagen', rows = 4, fields.x.kind = 'sequence', fields.x.start = 1);"

static const char *example_sql(Arena *arena, const Row *row)
{
    if (row->signature)
        return arena_printf(arena, SERIES "SELECT %s FROM series; DROP STREAM series;", row->example);
    return arena_printf(arena, "SELECT %s%s", row->example, row->aggregate ? ROWS : "");
}

/* ---- the example yields what it says ---- */

static Error *take_rows(void *caller, const Batch *batch)
{
    Text *out = caller;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (out->length) /* a table function gives several */
            text_add_c(out, ", ");
        if (vector_is_null(batch->columns[0], row))
            text_add_c(out, "NULL");
        else
            text_add_value_plain(out, batch->columns[0], row);
    }
    return NULL;
}

static bool example_holds(Session *session, Arena *arena, const Row *row)
{
    if (!row->category || !row->doc || !row->example || !row->yields) {
        print_error("%s: category, doc, example or yields is missing\n", row->name);
        return false;
    }
    const char *sql = example_sql(arena, row);
    Text out = { 0 };
    SessionOutput output = { .rows = take_rows, .caller = &out };
    Error *error = session_run(session, sql, strlen(sql), &output);
    bool holds = !error && strcmp(text_c(&out), row->yields) == 0;
    if (!holds)
        print_error("%s: yields '%s', not '%s'\n", row->example, error ? error->message : text_c(&out), row->yields);
    error_free(error);
    text_release(&out);
    return holds;
}

static void examples_yield_what_they_say(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    Rows rows = { 0 };
    all_rows(&arena, &rows);
    SessionOptions options = { .threads = 1, .max_bad_rows = UINT64_MAX };
    Session *session = NULL;
    assert_null(session_new(&options, &session));
    int wrong = 0;
    for (int i = 0; i < rows.count; i++)
        wrong += !example_holds(session, &arena, &rows.items[i]);
    session_free(session);
    arena_release(&arena);
    assert_int_equal(wrong, 0);
}

/* ---- the example calls the function that it belongs to ---- */

/* The call of that name in an expression, or NULL. */
static const AstExpr *find_call(const AstExpr *expr, const char *name)
{
    if (!expr)
        return NULL;
    if (expr->kind == AST_CALL && expr->path.count == 1 && name_equal(expr->path.items[0].text, name))
        return expr;
    const AstExpr *found = find_call(expr->left, name);
    if (!found)
        found = find_call(expr->right, name);
    for (int i = 0; i < expr->args.count && !found; i++)
        found = find_call(expr->args.items[i], name);
    return found;
}

/* What SQL makes of an expression: its type as the column of a query. */
static const Type *type_of(Planner *planner, Arena *arena, const AstExpr *expr)
{
    if (expr->kind == AST_LAMBDA)
        return type_scalar(TYPE_LAMBDA);
    const char *sql = arena_printf(arena, "SELECT %s" ROWS, ast_text(arena, expr));
    AstScript script = { 0 };
    PlannedStatement planned = { 0 };
    Error *error = parse_script(arena, sql, strlen(sql), NULL, &script);
    planner_begin_text(planner);
    if (!error)
        error = planner_statement(planner, arena, script.statements[0], &planned);
    if (error)
        print_error("%s: %s\n", sql, error->message);
    assert_null(error);
    return planned.plan->outputs[0].sink->schema.columns[0].type;
}

static bool example_calls(Planner *planner, Arena *arena, const Row *row)
{
    AstExpr *example = NULL;
    assert_null(parse_expression(arena, row->example, strlen(row->example), &example));
    const AstExpr *call = find_call(example, row->name);
    if (!call)
        return false;
    if (row->signature) /* there is but one of its name */
        return call->over != NULL;
    if (call->json) /* its arguments are made into others */
        return true;
    const Type *types[FUNCTION_MAX_ARGS], *casts[FUNCTION_MAX_ARGS], *result;
    int count = 0;
    for (; count < call->args.count && count < FUNCTION_MAX_ARGS && call->args.items[count]->kind != AST_STAR; count++)
        types[count] = type_of(planner, arena, call->args.items[count]);
    bool exists;
    const void *function = row->aggregate ? (const void *)aggregate_resolve(arena, row->name, types, count, &result, casts, &exists)
                                          : (const void *)function_resolve(arena, row->name, types, count, &result, casts, &exists);
    return function == row->function;
}

/* MIN and its like have a row a type and one example: it is enough that one of them is what the example calls. */
static bool family_calls(Planner *planner, Arena *arena, const Rows *rows, int which)
{
    for (int i = 0; i < rows->count; i++)
        if (strcmp(rows->items[i].name, rows->items[which].name) == 0 && strcmp(rows->items[i].example, rows->items[which].example) == 0 &&
            example_calls(planner, arena, &rows->items[i]))
            return true;
    return false;
}

static void examples_call_their_functions(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    Rows rows = { 0 };
    all_rows(&arena, &rows);
    ConnectorContext connectors = { .filesystem = filesystem_system(), .clock = clock_system() };
    PlannerOptions options = { .connectors = &connectors };
    Planner *planner = planner_new(&options);
    int wrong = 0;
    for (int i = 0; i < rows.count; i++)
        if (!family_calls(planner, &arena, &rows, i)) {
            print_error("%s: the example of %s calls another overload\n", rows.items[i].example, rows.items[i].name);
            wrong++;
        }
    planner_free(planner);
    arena_release(&arena);
    assert_int_equal(wrong, 0);
}

/* ---- docs/functions.md ---- */

#define SHOWN_SIGNATURES 4 /* more of one kind are shown as one, over ANY */

static const char *kind_name(TypeKind kind) { return kind == TYPE_ANY ? "ANY" : type_kind_name(kind); }

static const char *result_name(const Row *row)
{
    if (row->returns != TYPE_ANY)
        return type_kind_name(row->returns);
    return row->args[0] == TYPE_DECIMAL ? "DECIMAL" : "ANY";
}

static const char *signature(Arena *arena, const Row *row)
{
    if (row->signature)
        return arena_printf(arena, "`%s%s`", row->name, page_cell(arena, row->signature));
    const char *text = "";
    for (int i = 0; i < FUNCTION_MAX_ARGS && row->args[i] != TYPE_NONE; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", kind_name(row->args[i]));
    bool star = row->aggregate && row->args[0] == TYPE_NONE;
    return arena_printf(arena, "`%s(%s%s) → %s`", row->name, star ? "*" : text, row->variadic ? ", .." : "", result_name(row));
}

static bool same_cell(const Row *a, const Row *b) { return strcmp(a->name, b->name) == 0 && strcmp(a->doc, b->doc) == 0; }

/* One line of the table: the overloads from `first` that share a name and a description. Returns how many. */
static int add_line(Arena *arena, const Rows *rows, int first, Text *out)
{
    const Row *row = &rows->items[first];
    int count = 1;
    while (first + count < rows->count && same_cell(row, &rows->items[first + count]))
        count++;
    text_add_c(out, "| ");
    if (count > SHOWN_SIGNATURES)
        text_printf(out, "`%s(ANY) → ANY`", row->name);
    for (int i = 0; i < count && count <= SHOWN_SIGNATURES; i++)
        text_printf(out, "%s%s", i ? "<br>" : "", signature(arena, &row[i]));
    text_printf(out, " | %s", page_cell(arena, row->doc));
    for (const char *const *alias = row->aliases; alias && *alias; alias++)
        text_printf(out, "%s`%s`%s", alias == row->aliases ? " Also " : ", ", *alias, alias[1] ? "" : ".");
    text_add_c(out, " | ");
    for (int i = 0; i < count; i++)
        if (i == 0 || strcmp(row[i].example, row[i - 1].example) != 0)
            text_printf(out, "%s`%s` = `%s`", i ? "<br>" : "", page_cell(arena, row[i].example), page_cell(arena, row[i].yields));
    text_add_c(out, " |\n");
    return count;
}

static void add_table(Arena *arena, const char *category, Text *out)
{
    Rows rows = { 0 };
    all_rows(arena, &rows);
    text_add_c(out, "| function | what it gives | example |\n|---|---|---|\n");
    for (int i = 0; i < rows.count;)
        i += strcmp(rows.items[i].category, category) == 0 ? add_line(arena, &rows, i, out) : 1;
}

static void page_is_current(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    Rows rows = { 0 };
    all_rows(&arena, &rows);
    for (int i = 0; i < rows.count; i++)
        if (i == 0 || strcmp(rows.items[i].category, rows.items[i - 1].category) != 0)
            page_must_hold(PAGE, "functions", rows.items[i].category);
    page_check(PAGE, "functions", add_table);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_yield_what_they_say),
        cmocka_unit_test(examples_call_their_functions),
        cmocka_unit_test(page_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

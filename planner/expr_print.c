/* planner/expr_print.c: bound expressions as text: as SQL for people, in full for fingerprints. */
#include "planner/expr.h"

/* How tightly an expression holds together: arguments that hold less tightly get parentheses. */
enum { BIND_OR = 1, BIND_AND, BIND_NOT, BIND_COMPARE, BIND_ADD, BIND_MULTIPLY, BIND_UNARY, BIND_ATOM };

typedef struct OperatorText { const char *name; int level; } OperatorText;

static const OperatorText binary_operators[] = {
    { "=", BIND_COMPARE }, { "<>", BIND_COMPARE }, { "<", BIND_COMPARE }, { "<=", BIND_COMPARE }, { ">", BIND_COMPARE }, { ">=", BIND_COMPARE },
    { "is distinct from", BIND_COMPARE }, { "is not distinct from", BIND_COMPARE }, { "+", BIND_ADD }, { "-", BIND_ADD }, { "||", BIND_ADD },
    { "*", BIND_MULTIPLY }, { "/", BIND_MULTIPLY }, { "%", BIND_MULTIPLY }, { "like", BIND_COMPARE }, { NULL, 0 },
};

static bool is_call(const Expr *expr, const char *name) { return expr->kind == EXPR_CALL && strcmp(expr->function->name, name) == 0; }

static const OperatorText *binary_operator(const Expr *expr)
{
    if (expr->kind != EXPR_CALL || expr->arg_count != 2)
        return NULL;
    for (const OperatorText *op = binary_operators; op->name; op++)
        if (strcmp(op->name, expr->function->name) == 0)
            return op;
    return NULL;
}

static bool is_postfix(const Expr *expr) { return expr->kind == EXPR_CALL && expr->arg_count == 1 && strncmp(expr->function->name, "is ", 3) == 0; }

/* A conversion that changes nothing people would see. */
static bool is_silent(const Expr *expr)
{
    return expr->kind == EXPR_CALL && (expr->function->retypes || strcmp(expr->function->name, "not null value") == 0);
}

static int level_of(const Expr *expr)
{
    if (is_silent(expr))
        return level_of(expr->args[0]);
    const OperatorText *op = binary_operator(expr);
    if (op)
        return op->level;
    if (expr->kind == EXPR_OR)
        return BIND_OR;
    if (expr->kind == EXPR_AND)
        return BIND_AND;
    if (is_call(expr, "not"))
        return BIND_NOT;
    if (is_postfix(expr) || is_call(expr, "in") || is_call(expr, "like"))
        return BIND_COMPARE;
    return is_call(expr, "-") ? BIND_UNARY : BIND_ATOM;
}

static void print_at(const Expr *expr, int level, Text *text)
{
    bool parentheses = level_of(expr) < level;
    if (parentheses)
        text_add_char(text, '(');
    expr_print(expr, text);
    if (parentheses)
        text_add_char(text, ')');
}

static void print_list(const Expr *expr, int from, const char *between, int level, Text *text)
{
    for (int i = from; i < expr->arg_count; i++) {
        if (i > from)
            text_add_c(text, between);
        print_at(expr->args[i], level, text);
    }
}

static void add_upper(Text *text, const char *word)
{
    for (; *word; word++)
        text_add_char(text, *word >= 'a' && *word <= 'z' ? (char)(*word - 32) : *word);
}

static void print_case(const Expr *expr, Text *text)
{
    text_add_c(text, "CASE");
    for (int i = 0; i + 1 < expr->arg_count; i += 2) {
        text_add_c(text, " WHEN ");
        expr_print(expr->args[i], text);
        text_add_c(text, " THEN ");
        expr_print(expr->args[i + 1], text);
    }
    if (expr->arg_count % 2) {
        text_add_c(text, " ELSE ");
        expr_print(expr->args[expr->arg_count - 1], text);
    }
    text_add_c(text, " END");
}

static void print_struct(const Expr *expr, Text *text)
{
    text_add_c(text, "STRUCT(");
    for (int i = 0; i < expr->arg_count; i++) {
        text_printf(text, "%s%s := ", i ? ", " : "", expr->type->names[i]);
        expr_print(expr->args[i], text);
    }
    text_add_char(text, ')');
}

static void print_map(const Expr *expr, Text *text)
{
    text_add_c(text, "MAP(");
    for (int i = 0; i < expr->arg_count; i++) {
        text_add_c(text, i == 0 ? "" : i % 2 ? " := " : ", ");
        expr_print(expr->args[i], text);
    }
    text_add_char(text, ')');
}

static void print_lambda(const Expr *expr, Text *text)
{
    bool one = expr->parameter_count == 1;
    for (int i = 0; i < expr->parameter_count; i++)
        text_printf(text, "%s%s", i ? ", " : one ? "" : "(", expr->parameters[i]);
    text_add_c(text, one ? " => " : ") => ");
    expr_print(expr->args[0], text);
}

static void print_call(const Expr *expr, Text *text)
{
    const char *name = expr->function->name;
    const OperatorText *op = binary_operator(expr);
    if (op) {
        print_at(expr->args[0], op->level, text);
        text_add_char(text, ' ');
        add_upper(text, name);
        text_add_char(text, ' ');
        print_at(expr->args[1], op->level + 1, text);
    } else if (is_postfix(expr)) {
        print_at(expr->args[0], BIND_ADD, text);
        text_add_char(text, ' ');
        add_upper(text, name);
    } else if (strcmp(name, "not") == 0) {
        text_add_c(text, "NOT ");
        print_at(expr->args[0], BIND_COMPARE, text);
    } else if (strcmp(name, "-") == 0) {
        text_add_char(text, '-');
        print_at(expr->args[0], BIND_ATOM, text);
    } else if (strcmp(name, "in") == 0) {
        print_at(expr->args[0], BIND_ADD, text);
        text_add_c(text, " IN (");
        print_list(expr, 1, ", ", 0, text);
        text_add_char(text, ')');
    } else if (strcmp(name, "like") == 0) {
        print_at(expr->args[0], BIND_ADD, text);
        text_add_c(text, " LIKE ");
        print_list(expr, 1, " ESCAPE ", BIND_ADD, text);
    } else if (strcmp(name, "cast") == 0 || strcmp(name, "try_cast") == 0 || strcmp(name, "java text") == 0) {
        add_upper(text, strcmp(name, "try_cast") == 0 ? name : "cast");
        text_add_char(text, '(');
        expr_print(expr->args[0], text);
        text_add_c(text, " AS ");
        type_print(expr->type, text);
        text_add_char(text, ')');
    } else if (strcmp(name, "array") == 0) {
        text_add_c(text, "ARRAY[");
        print_list(expr, 0, ", ", 0, text);
        text_add_char(text, ']');
    } else if (strcmp(name, "[]") == 0) {
        print_at(expr->args[0], BIND_ATOM, text);
        text_add_char(text, '[');
        expr_print(expr->args[1], text);
        text_add_char(text, ']');
    } else if (strcmp(name, LUA_CALL) == 0) { /* behind the chunk: the function's name, its arguments */
        text_add_str(text, &expr->args[LUA_NAME]->value.text);
        text_add_char(text, '(');
        print_list(expr, LUA_CONSTANTS, ", ", 0, text);
        text_add_char(text, ')');
    } else if (strcmp(name, "struct") == 0) {
        print_struct(expr, text);
    } else if (strcmp(name, "map") == 0) {
        print_map(expr, text);
    } else {
        text_add_c(text, name);
        text_add_char(text, '(');
        print_list(expr, 0, ", ", 0, text);
        text_add_char(text, ')');
    }
}

void expr_print(const Expr *expr, Text *text)
{
    if (is_silent(expr)) {
        expr_print(expr->args[0], text);
        return;
    }
    switch (expr->kind) {
    case EXPR_COLUMN:
        if (expr->name)
            text_add_c(text, expr->name);
        else
            text_printf(text, "$%d", expr->column);
        break;
    case EXPR_CONSTANT: value_print(&expr->value, text); break;
    case EXPR_CALL: print_call(expr, text); break;
    case EXPR_AND: print_list(expr, 0, " AND ", BIND_AND + 1, text); break;
    case EXPR_OR: print_list(expr, 0, " OR ", BIND_OR + 1, text); break;
    case EXPR_CASE: print_case(expr, text); break;
    case EXPR_COALESCE:
        text_add_c(text, "coalesce(");
        print_list(expr, 0, ", ", 0, text);
        text_add_char(text, ')');
        break;
    case EXPR_FIELD:
        print_at(expr->args[0], BIND_ATOM, text);
        text_printf(text, ".%s", expr->args[0]->type->names[expr->field]);
        break;
    case EXPR_APPLY:
        text_printf(text, "%s(", expr->function->name);
        print_list(expr, 0, ", ", 0, text);
        text_add_char(text, ')');
        break;
    case EXPR_LAMBDA: print_lambda(expr, text); break;
    case EXPR_PARAMETER: text_add_c(text, expr->name); break;
    }
}

void expr_canonical(const Expr *expr, Text *text)
{
    switch (expr->kind) {
    case EXPR_COLUMN: text_printf(text, "$%d", expr->column); break;
    case EXPR_CONSTANT: value_print(&expr->value, text); break;
    case EXPR_CALL: text_printf(text, "`%s`", expr->function->name); break;
    case EXPR_AND: text_add_c(text, "AND"); break;
    case EXPR_OR: text_add_c(text, "OR"); break;
    case EXPR_CASE: text_add_c(text, "CASE"); break;
    case EXPR_COALESCE: text_add_c(text, "COALESCE"); break;
    case EXPR_FIELD: text_printf(text, ".%d", expr->field); break;
    case EXPR_APPLY: text_printf(text, "`%s`", expr->function->name); break;
    case EXPR_LAMBDA: text_printf(text, "=>%d+%d", expr->slot, expr->parameter_count); break;
    case EXPR_PARAMETER: text_printf(text, "#%d", expr->slot); break;
    }
    text_add_char(text, ':');
    type_print(expr->type, text);
    if (expr->arg_count == 0)
        return;
    text_add_char(text, '(');
    for (int i = 0; i < expr->arg_count; i++) {
        if (i)
            text_add_char(text, ',');
        expr_canonical(expr->args[i], text);
    }
    text_add_char(text, ')');
}

/* parser/print.c: a tree -> SQL that parses to an equal tree: names, types and expressions.
 * Queries: print_query.c; statements: print_statement.c.
 *
 * One spelling for every node: CAST(..) for `::`, `->` for fields behind anything but a name, INTERVAL '..' UNIT
 * for every duration. Parentheses stand where they stood and where precedence asks for them.
 * A name that was quoted stays quoted; the others are printed bare, for where they stood they were understood. */
#include <stdlib.h>
#include "parser/print.h"

/* ---- pieces ---- */

/* '${env:NAME}' and '${file:PATH}' are no variables. */
static bool is_reference(const char *bytes, size_t length) { return (length > 6 && strncmp(bytes, "${env:", 6) == 0) || (length > 7 && strncmp(bytes, "${file:", 7) == 0); }

static void print_quoted(const char *bytes, size_t length, char quote, Text *text)
{
    text_add_char(text, quote);
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        bool variable = bytes[i] == '$' && i + 1 < length && bytes[i + 1] == '{' && ((i && bytes[i - 1] == '$') || !is_reference(bytes + i, length - i));
        if (bytes[i] != quote && !variable)
            continue;
        text_add(text, bytes + from, i - from);
        text_add_char(text, bytes[i]); /* once more */
        from = i;
    }
    text_add(text, bytes + from, length - from);
    text_add_char(text, quote);
}

void print_string(const char *string, Text *text) { print_quoted(string, strlen(string), '\'', text); }

void print_name(const AstName *name, Text *text)
{
    if (name->quoted)
        print_quoted(name->text, strlen(name->text), '"', text);
    else
        text_add_c(text, name->text);
}

void print_names(const AstNames *names, const char *between, Text *text)
{
    for (int i = 0; i < names->count; i++) {
        if (i)
            text_add_c(text, between);
        print_name(&names->items[i], text);
    }
}

void print_list(const AstExprs *list, Text *text)
{
    for (int i = 0; i < list->count; i++) {
        if (i)
            text_add_c(text, ", ");
        print_expr(list->items[i], ANY, text);
    }
}

void print_order(const AstOrder *order, Text *text)
{
    for (int i = 0; i < order->count; i++) {
        if (i)
            text_add_c(text, ", ");
        print_expr(order->items[i].expr, ANY, text);
        if (order->items[i].descending)
            text_add_c(text, " DESC");
        if (order->items[i].nulls)
            text_add_c(text, order->items[i].nulls == 1 ? " NULLS FIRST" : " NULLS LAST");
    }
}

void print_properties(const AstProperties *properties, Text *text)
{
    text_add_char(text, '(');
    for (int i = 0; i < properties->count; i++) {
        if (i)
            text_add_c(text, ", ");
        print_string(properties->items[i].name, text);
        text_add_c(text, " = ");
        print_string(properties->items[i].value, text);
    }
    text_add_char(text, ')');
}

void print_hints(const AstProperties *hints, Text *text)
{
    if (!hints->count)
        return;
    text_add_c(text, " /*+ OPTIONS");
    print_properties(hints, text);
    text_add_c(text, " */");
}

void print_interval(const Interval *interval, Text *text)
{
    static const struct { int64_t us; const char *name; } units[] = {
        { US_PER_DAY, "DAY" }, { US_PER_HOUR, "HOUR" }, { US_PER_MINUTE, "MINUTE" }, { US_PER_SECOND, "SECOND" },
        { US_PER_MS, "MILLISECOND" }, { 1, "MICROSECOND" }
    };
    int unit = 0;
    while (interval->us % units[unit].us)
        unit++;
    if (interval->us == 0)
        unit = 3;
    if (interval->months && interval->us)
        text_printf(text, "INTERVAL '%" PRId64 " MONTHS %" PRId64 " %sS'", interval->months, interval->us / units[unit].us, units[unit].name);
    else if (interval->months)
        text_printf(text, "INTERVAL '%" PRId64 "' MONTH", interval->months);
    else
        text_printf(text, "INTERVAL '%" PRId64 "' %s", interval->us / units[unit].us, units[unit].name);
}

static void print_literal(const Value *value, Text *text)
{
    char buffer[64];
    size_t length;
    if (value->is_null) {
        text_add_c(text, "NULL");
        return;
    }
    switch (value->type->kind) {
    case TYPE_BOOLEAN:
        text_add_c(text, value->integer ? "TRUE" : "FALSE");
        break;
    case TYPE_BIGINT:
        text_printf(text, "%" PRId64, value->integer);
        break;
    case TYPE_DOUBLE:
        for (int digits = 15; digits <= 17; digits++) { /* the fewest that read back */
            snprintf(buffer, sizeof buffer, "%.*g", digits, value->number);
            if (strtod(buffer, NULL) == value->number)
                break;
        }
        text_add_c(text, buffer);
        if (!strchr(buffer, 'e')) /* or it would be a DECIMAL */
            text_add_c(text, "e0");
        break;
    case TYPE_DECIMAL: {
        Int128 digits = value->type->precision <= 18 ? value->integer : value->decimal;
        length = decimal_format(digits, value->type->scale, buffer);
        text_add(text, buffer, length);
        if (value->type->scale == 0 && digits <= INT64_MAX && digits >= INT64_MIN)
            text_add_char(text, '.'); /* or it would be a BIGINT */
        break;
    }
    case TYPE_VARCHAR:
        print_quoted(str_bytes(&value->text), value->text.length, '\'', text);
        break;
    case TYPE_BYTES:
        text_add_c(text, "X'");
        for (uint32_t i = 0; i < value->text.length; i++)
            text_printf(text, "%02x", (unsigned char)str_bytes(&value->text)[i]);
        text_add_char(text, '\'');
        break;
    case TYPE_DATE:
        length = date_format(value->integer, buffer);
        text_printf(text, "DATE '%.*s'", (int)length, buffer);
        break;
    case TYPE_TIME:
        length = time_format(value->integer, 6, buffer);
        text_printf(text, "TIME '%.*s'", (int)length, buffer);
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        length = timestamp_format(value->integer, value->type->precision, buffer);
        text_printf(text, "TIMESTAMP '%.*s%s'", (int)length, buffer, value->type->kind == TYPE_TIMESTAMP_TZ ? "Z" : "");
        break;
    case TYPE_INTERVAL:
        print_interval(&value->interval, text);
        break;
    default:
        value_print(value, text); /* the parser makes no others */
        break;
    }
}

void ast_print_type(const AstType *type, Text *text)
{
    print_name(&type->name, text);
    if (type->is_array) {
        text_add_char(text, '<');
        ast_print_type(type->element, text);
        text_add_char(text, '>');
    } else if (type->is_map) {
        text_add_char(text, '<');
        ast_print_type(type->key, text);
        text_add_c(text, ", ");
        ast_print_type(type->element, text);
        text_add_char(text, '>');
    } else if (type->is_struct) {
        text_add_char(text, '<');
        for (int i = 0; i < type->fields.count; i++) {
            if (i)
                text_add_c(text, ", ");
            print_name(&type->fields.items[i].name, text);
            text_add_char(text, ' ');
            ast_print_type(type->fields.items[i].type, text);
        }
        text_add_char(text, '>');
    } else if (type->precision >= 0) {
        text_printf(text, type->scale >= 0 ? "(%d, %d)" : "(%d)", type->precision, type->scale);
    }
    if (type->with_time_zone)
        text_add_c(text, " WITH TIME ZONE");
    if (type->with_local_time_zone)
        text_add_c(text, " WITH LOCAL TIME ZONE");
    if (type->not_null)
        text_add_c(text, " NOT NULL");
}

/* ---- expressions ---- */

static const char *operator_text(AstOperator op)
{
    switch (op) {
    case OP_ADD: return "+";
    case OP_SUBTRACT: return "-";
    case OP_MULTIPLY: return "*";
    case OP_DIVIDE: return "/";
    case OP_MODULO: return "%";
    case OP_CONCAT: return "||";
    case OP_EQUAL: return "=";
    case OP_NOT_EQUAL: return "<>";
    case OP_LESS: return "<";
    case OP_LESS_EQUAL: return "<=";
    case OP_GREATER: return ">";
    case OP_GREATER_EQUAL: return ">=";
    case OP_AND: return "AND";
    case OP_OR: return "OR";
    case OP_NOT: return "NOT";
    case OP_NEGATE: return "-";
    case OP_PLUS: return "+";
    }
    return "?";
}

static bool is_negative(const Value *value)
{
    if (value->is_null)
        return false;
    switch (value->type->kind) {
    case TYPE_BIGINT:
        return value->integer < 0;
    case TYPE_DOUBLE:
        return __builtin_signbit(value->number);
    case TYPE_DECIMAL:
        return value->type->precision <= 18 ? value->integer < 0 : value->decimal < 0;
    default:
        return false;
    }
}

static bool is_number(const AstExpr *expr)
{
    return expr->kind == AST_LITERAL && !expr->value.is_null &&
           (expr->value.type->kind == TYPE_BIGINT || expr->value.type->kind == TYPE_DOUBLE || expr->value.type->kind == TYPE_DECIMAL);
}

static int level(const AstExpr *expr)
{
    switch (expr->kind) {
    case AST_BINARY:
        switch (expr->op) {
        case OP_OR: return OR_LEVEL;
        case OP_AND: return AND_LEVEL;
        case OP_ADD: case OP_SUBTRACT: case OP_CONCAT: return SUM_LEVEL;
        case OP_MULTIPLY: case OP_DIVIDE: case OP_MODULO: return PRODUCT_LEVEL;
        default: return PREDICATE_LEVEL;
        }
    case AST_UNARY:
        return expr->op == OP_NOT ? NOT_LEVEL : SIGN_LEVEL;
    case AST_IS: case AST_BETWEEN: case AST_IN_LIST: case AST_IN_QUERY: case AST_QUANTIFIED: case AST_LIKE:
        return PREDICATE_LEVEL;
    case AST_LITERAL:
        return is_negative(&expr->value) ? SIGN_LEVEL : PRIMARY_LEVEL;
    default:
        return PRIMARY_LEVEL;
    }
}

void print_over(const AstOver *over, Text *text)
{
    static const char *const units[] = { "RANGE", "ROWS", "GROUPS" };
    static const char *const exclusions[] = { "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES" };
    static const char *const bounds[] = { "UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING", "UNBOUNDED FOLLOWING" };
    const char *between = "";
    text_add_char(text, '(');
    if (over->partition_by.count) {
        text_add_c(text, "PARTITION BY ");
        print_list(&over->partition_by, text);
        between = " ";
    }
    if (over->order_by.count) {
        text_printf(text, "%sORDER BY ", between);
        print_order(&over->order_by, text);
        between = " ";
    }
    if (over->has_frame) {
        text_printf(text, "%s%s BETWEEN ", between, units[over->unit]);
        if (over->from_offset)
            print_expr(over->from_offset, SUM_LEVEL, text);
        text_printf(text, "%s AND ", bounds[over->from]);
        if (over->to_offset)
            print_expr(over->to_offset, SUM_LEVEL, text);
        text_add_c(text, bounds[over->to]);
        text_add_c(text, exclusions[over->exclude]);
        between = " ";
    }
    if (over->limit_duration) {
        text_printf(text, "%sLIMIT ", between);
        print_expr(over->limit_duration, ANY, text);
        between = " ";
    }
    if (over->when) {
        text_printf(text, "%sWHEN ", between);
        print_expr(over->when, ANY, text);
    }
    text_add_char(text, ')');
}

static void print_json_case(const AstExpr *call, AstJsonBehavior behavior, const char *on, int *value, Text *text)
{
    static const char *const behaviors[] = { "", "NULL", "ERROR", "EMPTY ARRAY", "EMPTY OBJECT", "TRUE", "FALSE", "UNKNOWN", "DEFAULT " };
    if (behavior == AST_JSON_NOT_SAID)
        return;
    text_printf(text, " %s", behaviors[behavior]);
    if (behavior == AST_JSON_DEFAULT)
        print_expr(call->args.items[(*value)++], ANY, text);
    text_add_c(text, on);
}

static void print_json_args(const AstExpr *call, Text *text)
{
    static const char *const wrappers[] = { "", " WITHOUT WRAPPER", " WITH CONDITIONAL WRAPPER", " WITH UNCONDITIONAL WRAPPER" };
    static const char *const nulls[] = { "", " NULL ON NULL", " ABSENT ON NULL" };
    const AstJson *json = call->json;
    int plain = call->args.count - (json->on_empty == AST_JSON_DEFAULT) - (json->on_error == AST_JSON_DEFAULT);
    for (int i = 0; i < plain; i++) {
        const bool value = json->pairs && i % 2;
        text_add_c(text, i == 0 ? "" : value ? " VALUE " : ", ");
        text_add_c(text, json->pairs && !value ? "KEY " : "");
        print_expr(call->args.items[i], ANY, text);
    }
    if (json->returning) {
        text_add_c(text, " RETURNING ");
        ast_print_type(json->returning, text);
    }
    text_add_c(text, wrappers[json->wrapper]);
    print_json_case(call, json->on_empty, " ON EMPTY", &plain, text);
    print_json_case(call, json->on_error, " ON ERROR", &plain, text);
    text_add_c(text, nulls[json->on_null]);
}

void print_call(const AstExpr *call, Text *text)
{
    static const char *const semantics[] = { "", "RUNNING ", "FINAL " };
    text_add_c(text, semantics[call->semantics]);
    print_names(&call->path, ".", text);
    text_add_char(text, '(');
    if (call->distinct)
        text_add_c(text, "DISTINCT ");
    if (call->star)
        text_add_char(text, '*');
    if (call->json)
        print_json_args(call, text);
    else
        print_list(&call->args, text);
    text_add_char(text, ')');
    if (call->within_order.count) {
        text_add_c(text, " WITHIN GROUP (ORDER BY ");
        print_order(&call->within_order, text);
        text_add_char(text, ')');
    }
    if (call->filter) {
        text_add_c(text, " FILTER (WHERE ");
        print_expr(call->filter, ANY, text);
        text_add_char(text, ')');
    }
    if (call->ignore_nulls)
        text_add_c(text, " IGNORE NULLS");
    if (call->over) {
        text_add_c(text, " OVER ");
        print_over(call->over, text);
    }
}

static void print_is(const AstExpr *expr, Text *text)
{
    static const char *const kinds[] = { "NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT FROM " };
    print_expr(expr->left, PREDICATE_LEVEL, text);
    text_printf(text, " IS %s%s", expr->negated ? "NOT " : "", kinds[expr->is]);
    if (expr->is == IS_DISTINCT)
        print_expr(expr->right, SUM_LEVEL, text);
}

static void print_pairs(const AstExpr *expr, Text *text) /* MAP, STRUCT with names */
{
    text_add_c(text, expr->kind == AST_MAP ? "MAP(" : "STRUCT(");
    int step = expr->kind == AST_MAP ? 2 : 1;
    for (int i = 0; i < expr->args.count; i += step) {
        if (i)
            text_add_c(text, ", ");
        if (expr->kind == AST_MAP)
            print_expr(expr->args.items[i], ANY, text);
        else
            print_name(&expr->path.items[i], text);
        text_add_c(text, " := ");
        print_expr(expr->args.items[i + step - 1], ANY, text);
    }
    text_add_char(text, ')');
}

static void print_table_arg(const AstExpr *expr, Text *text)
{
    text_add_c(text, "TABLE ");
    if (expr->query) {
        text_add_char(text, '(');
        print_query(expr->query, text);
        text_add_char(text, ')');
    } else if (expr->path.count) {
        print_names(&expr->path, ".", text);
    } else {
        print_literal(&expr->value, text);
    }
    if (expr->hints)
        print_hints(expr->hints, text);
    if (expr->args.count) {
        text_add_c(text, expr->args.count > 1 ? " PARTITION BY (" : " PARTITION BY ");
        print_list(&expr->args, text);
        if (expr->args.count > 1)
            text_add_char(text, ')');
    }
    if (expr->within_order.count) {
        text_add_c(text, " ORDER BY ");
        print_order(&expr->within_order, text);
    }
}

static void print_case(const AstExpr *expr, Text *text)
{
    text_add_c(text, "CASE");
    if (expr->left) {
        text_add_char(text, ' ');
        print_expr(expr->left, ANY, text);
    }
    for (int i = 0; i + 1 < expr->args.count; i += 2) {
        text_add_c(text, " WHEN ");
        print_expr(expr->args.items[i], ANY, text);
        text_add_c(text, " THEN ");
        print_expr(expr->args.items[i + 1], ANY, text);
    }
    if (expr->right) {
        text_add_c(text, " ELSE ");
        print_expr(expr->right, ANY, text);
    }
    text_add_c(text, " END");
}

static void print_bare(const AstExpr *expr, Text *text)
{
    const char *negated = expr->negated ? " NOT" : "";
    int own = level(expr);
    switch (expr->kind) {
    case AST_LITERAL:
        print_literal(&expr->value, text);
        break;
    case AST_NAME:
        print_names(&expr->path, ".", text);
        break;
    case AST_STAR:
        if (expr->left) {
            print_expr(expr->left, PRIMARY_LEVEL, text);
            text_add_c(text, "->");
        } else if (expr->path.count) {
            print_names(&expr->path, ".", text);
            text_add_char(text, '.');
        }
        text_add_char(text, '*');
        break;
    case AST_PARAMETER:
        text_add_char(text, ':');
        print_names(&expr->path, ".", text);
        break;
    case AST_UNARY:
        if (expr->op == OP_NOT) {
            text_add_c(text, "NOT ");
            print_expr(expr->left, NOT_LEVEL, text);
        } else { /* parentheses, or `--` began a comment and -(5) became a literal */
            bool apart = expr->left->kind == AST_UNARY || is_number(expr->left);
            text_add_c(text, operator_text(expr->op));
            if (apart && !expr->left->parenthesized)
                text_add_char(text, '(');
            print_expr(expr->left, apart ? ANY : SIGN_LEVEL, text);
            if (apart && !expr->left->parenthesized)
                text_add_char(text, ')');
        }
        break;
    case AST_BINARY:
        print_expr(expr->left, own, text);
        text_printf(text, " %s ", operator_text(expr->op));
        print_expr(expr->right, own + 1, text);
        break;
    case AST_IS:
        print_is(expr, text);
        break;
    case AST_BETWEEN:
        print_expr(expr->left, PREDICATE_LEVEL, text);
        text_printf(text, "%s BETWEEN %s", negated, expr->symmetric ? "SYMMETRIC " : "");
        print_expr(expr->args.items[0], SUM_LEVEL, text);
        text_add_c(text, " AND ");
        print_expr(expr->args.items[1], SUM_LEVEL, text);
        break;
    case AST_IN_LIST:
        print_expr(expr->left, PREDICATE_LEVEL, text);
        text_printf(text, "%s IN (", negated);
        print_list(&expr->args, text);
        text_add_char(text, ')');
        break;
    case AST_IN_QUERY:
        print_expr(expr->left, PREDICATE_LEVEL, text);
        text_printf(text, "%s IN (", negated);
        print_query(expr->query, text);
        text_add_char(text, ')');
        break;
    case AST_QUANTIFIED:
        print_expr(expr->left, PREDICATE_LEVEL, text);
        text_printf(text, " %s %s (", operator_text(expr->op), expr->all ? "ALL" : "ANY");
        print_query(expr->query, text);
        text_add_char(text, ')');
        break;
    case AST_LIKE:
        print_expr(expr->left, PREDICATE_LEVEL, text);
        text_printf(text, "%s %s ", negated, expr->similar ? "SIMILAR TO" : "LIKE");
        print_expr(expr->right, SUM_LEVEL, text);
        if (expr->args.count) {
            text_add_c(text, " ESCAPE ");
            print_expr(expr->args.items[0], SUM_LEVEL, text);
        }
        break;
    case AST_EXISTS:
        text_add_c(text, expr->negated ? "NOT EXISTS (" : "EXISTS (");
        print_query(expr->query, text);
        text_add_char(text, ')');
        break;
    case AST_SCALAR_QUERY:
        text_add_char(text, '(');
        print_query(expr->query, text);
        text_add_char(text, ')');
        break;
    case AST_CASE:
        print_case(expr, text);
        break;
    case AST_CAST:
        text_add_c(text, expr->try_cast ? "TRY_CAST(" : "CAST(");
        print_expr(expr->left, ANY, text);
        text_add_c(text, " AS ");
        ast_print_type(expr->type, text);
        text_add_char(text, ')');
        break;
    case AST_CALL:
        print_call(expr, text);
        break;
    case AST_FIELD:
        print_expr(expr->left, PRIMARY_LEVEL, text);
        text_add_c(text, "->");
        print_names(&expr->path, ".", text);
        break;
    case AST_SUBSCRIPT:
        print_expr(expr->left, PRIMARY_LEVEL, text);
        text_add_char(text, '[');
        print_expr(expr->right, ANY, text);
        text_add_char(text, ']');
        break;
    case AST_ARRAY:
        text_add_c(text, "ARRAY[");
        print_list(&expr->args, text);
        text_add_char(text, ']');
        break;
    case AST_MAP:
        print_pairs(expr, text);
        break;
    case AST_STRUCT:
        if (expr->path.count) {
            print_pairs(expr, text);
            break;
        }
        text_add_c(text, expr->parenthesized && expr->args.count > 1 ? "(" : "ROW(");
        print_list(&expr->args, text);
        text_add_char(text, ')');
        break;
    case AST_LAMBDA:
        if (expr->path.count != 1)
            text_add_char(text, '(');
        print_names(&expr->path, ", ", text);
        text_add_c(text, expr->path.count != 1 ? ") => " : " => ");
        print_expr(expr->right, ANY, text);
        break;
    case AST_DESCRIPTOR:
        text_add_c(text, "DESCRIPTOR(");
        print_names(&expr->path, ", ", text);
        text_add_char(text, ')');
        break;
    case AST_TABLE_ARG:
        print_table_arg(expr, text);
        break;
    case AST_EXTRACT:
        text_add_c(text, "EXTRACT(");
        print_names(&expr->path, ".", text);
        text_add_c(text, " FROM ");
        print_expr(expr->left, ANY, text);
        text_add_char(text, ')');
        break;
    }
}

void print_expr(const AstExpr *expr, int least, Text *text)
{
    bool row = expr->kind == AST_STRUCT && expr->parenthesized && !expr->path.count && expr->args.count > 1;
    bool parentheses = (expr->parenthesized && !row) || level(expr) < least;
    if (parentheses)
        text_add_char(text, '(');
    print_bare(expr, text);
    if (parentheses)
        text_add_char(text, ')');
}

void ast_print_expr(const AstExpr *expr, Text *text) { print_expr(expr, ANY, text); }

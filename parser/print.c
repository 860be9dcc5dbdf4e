/* parser/print.c: a tree -> SQL that parses to an equal tree.
 *
 * One spelling for every node: CAST(..) for `::`, `->` for fields behind anything but a name, INTERVAL '..' UNIT
 * for every duration. Parentheses stand where they stood and where precedence asks for them.
 * A name that was quoted stays quoted; the others are printed bare, for where they stood they were understood. */
#include <stdlib.h>
#include "parser/parser_internal.h"

static void print_query(const AstQuery *query, Text *text);
static void print_expr(const AstExpr *expr, int least, Text *text);

/* Binding strength; what binds more loosely than its place needs parentheses. */
enum { ANY, OR_LEVEL = 1, AND_LEVEL, NOT_LEVEL, PREDICATE_LEVEL, SUM_LEVEL, PRODUCT_LEVEL, SIGN_LEVEL, PRIMARY_LEVEL };

/* ---- pieces ---- */

static void print_quoted(const char *bytes, size_t length, char quote, Text *text)
{
    text_add_char(text, quote);
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        bool variable = bytes[i] == '$' && i + 1 < length && bytes[i + 1] == '{';
        if (bytes[i] != quote && !variable)
            continue;
        text_add(text, bytes + from, i - from);
        text_add_char(text, bytes[i]); /* once more */
        from = i;
    }
    text_add(text, bytes + from, length - from);
    text_add_char(text, quote);
}

static void print_string(const char *string, Text *text) { print_quoted(string, strlen(string), '\'', text); }

void print_name(const AstName *name, Text *text)
{
    if (name->quoted)
        print_quoted(name->text, strlen(name->text), '"', text);
    else
        text_add_c(text, name->text);
}

static void print_names(const AstNames *names, const char *between, Text *text)
{
    for (int i = 0; i < names->count; i++) {
        if (i)
            text_add_c(text, between);
        print_name(&names->items[i], text);
    }
}

static void print_list(const AstExprs *list, Text *text)
{
    for (int i = 0; i < list->count; i++) {
        if (i)
            text_add_c(text, ", ");
        print_expr(list->items[i], ANY, text);
    }
}

static void print_order(const AstOrder *order, Text *text)
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

static void print_properties(const AstProperties *properties, Text *text)
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

static void print_interval(const Interval *interval, Text *text)
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
    case AST_IS: case AST_BETWEEN: case AST_IN_LIST: case AST_IN_QUERY: case AST_LIKE:
        return PREDICATE_LEVEL;
    case AST_LITERAL:
        return is_negative(&expr->value) ? SIGN_LEVEL : PRIMARY_LEVEL;
    default:
        return PRIMARY_LEVEL;
    }
}

static void print_over(const AstOver *over, Text *text)
{
    static const char *const bounds[] = { "UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING", "UNBOUNDED FOLLOWING" };
    const char *between = "";
    text_add_c(text, " OVER (");
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
        text_printf(text, "%s%s BETWEEN ", between, over->rows_frame ? "ROWS" : "RANGE");
        if (over->from_offset)
            print_expr(over->from_offset, SUM_LEVEL, text);
        text_printf(text, "%s AND ", bounds[over->from]);
        if (over->to_offset)
            print_expr(over->to_offset, SUM_LEVEL, text);
        text_add_c(text, bounds[over->to]);
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

static void print_call(const AstExpr *call, Text *text)
{
    print_names(&call->path, ".", text);
    text_add_char(text, '(');
    if (call->distinct)
        text_add_c(text, "DISTINCT ");
    if (call->star)
        text_add_char(text, '*');
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
    if (call->over)
        print_over(call->over, text);
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
    } else {
        print_names(&expr->path, ".", text);
    }
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
        text_printf(text, "%s BETWEEN ", negated);
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
    case AST_LIKE:
        print_expr(expr->left, PREDICATE_LEVEL, text);
        text_printf(text, "%s LIKE ", negated);
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

static void print_expr(const AstExpr *expr, int least, Text *text)
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

/* ---- relations ---- */

static void print_rows(const AstExprs *rows, int count, Text *text)
{
    for (int i = 0; i < count; i++) {
        text_add_c(text, i ? ", (" : "(");
        print_list(&rows[i], text);
        text_add_char(text, ')');
    }
}

static void print_match(const AstMatch *match, Text *text)
{
    text_add_c(text, " MATCH_RECOGNIZE (");
    if (match->limit_duration) {
        text_add_c(text, " LIMIT ");
        print_expr(match->limit_duration, ANY, text);
    }
    if (match->partition_by.count) {
        text_add_c(text, " PARTITION BY ");
        print_list(&match->partition_by, text);
    }
    if (match->order_by.count) {
        text_add_c(text, " ORDER BY ");
        print_order(&match->order_by, text);
    }
    for (int i = 0; i < match->measures.count; i++) {
        text_add_c(text, i ? ", " : " MEASURES ");
        print_expr(match->measures.exprs[i], ANY, text);
        text_add_c(text, " AS ");
        print_name(&match->measures.names[i], text);
    }
    text_add_c(text, match->all_rows ? " ALL ROWS PER MATCH" : " ONE ROW PER MATCH");
    if (match->skip_text)
        text_printf(text, " AFTER MATCH SKIP %s", match->skip_text);
    text_printf(text, " PATTERN (%s)", match->pattern_text);
    if (match->within.given) {
        text_add_c(text, " WITHIN ");
        print_interval(&match->within.interval, text);
    }
    for (int i = 0; i < match->define.count; i++) {
        text_add_c(text, i ? ", " : " DEFINE ");
        print_name(&match->define.names[i], text);
        text_add_c(text, " AS ");
        print_expr(match->define.exprs[i], ANY, text);
    }
    text_add_char(text, ')');
}

static void print_relation(const AstRelation *relation, Text *text);

static void print_join(const AstRelation *join, Text *text)
{
    static const char *const kinds[] = { "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "CROSS APPLY", "OUTER APPLY" };
    print_relation(join->left, text);
    text_printf(text, " %s%s ", join->natural ? "NATURAL " : "", kinds[join->join]);
    bool parentheses = join->right->kind == AST_REL_JOIN && !join->right->alias.text;
    if (parentheses)
        text_add_char(text, '(');
    print_relation(join->right, text);
    if (parentheses)
        text_add_char(text, ')');
    if (join->has_within) {
        const AstDuration *before = &join->within_before, *after = &join->within_after;
        bool both = before->interval.us != after->interval.us || before->interval.months != after->interval.months;
        text_add_c(text, both ? " WITHIN (" : " WITHIN ");
        print_interval(&before->interval, text);
        if (both) {
            text_add_c(text, ", ");
            print_interval(&after->interval, text);
            text_add_char(text, ')');
        }
        if (join->join_grace.given) {
            text_add_c(text, " GRACE PERIOD ");
            print_interval(&join->join_grace.interval, text);
        }
    }
    if (join->on) {
        text_add_c(text, " ON ");
        print_expr(join->on, ANY, text);
    }
    if (join->using.count) {
        text_add_c(text, " USING (");
        print_names(&join->using, ", ", text);
        text_add_char(text, ')');
    }
}

static void print_relation(const AstRelation *relation, Text *text)
{
    if (relation->lateral)
        text_add_c(text, "LATERAL ");
    switch (relation->kind) {
    case AST_REL_NAME:
        print_names(&relation->name, ".", text);
        if (relation->system_time) {
            text_add_c(text, " FOR SYSTEM_TIME AS OF ");
            print_expr(relation->system_time, SUM_LEVEL, text);
        }
        break;
    case AST_REL_FILE:
        print_string(relation->path, text);
        break;
    case AST_REL_QUERY:
        text_add_char(text, '(');
        print_query(relation->query, text);
        text_add_char(text, ')');
        break;
    case AST_REL_VALUES:
        text_add_c(text, "(VALUES ");
        print_rows(relation->rows.items, relation->rows.count, text);
        text_add_char(text, ')');
        break;
    case AST_REL_FUNCTION:
        print_call(relation->function, text);
        if (relation->with_ordinality)
            text_add_c(text, " WITH ORDINALITY");
        break;
    case AST_REL_JOIN:
        if (relation->alias.text)
            text_add_char(text, '(');
        print_join(relation, text);
        if (relation->alias.text)
            text_add_char(text, ')');
        break;
    case AST_REL_MATCH: {
        bool parentheses = relation->left->kind == AST_REL_JOIN && !relation->left->alias.text;
        if (parentheses)
            text_add_char(text, '(');
        print_relation(relation->left, text);
        if (parentheses)
            text_add_char(text, ')');
        print_match(relation->match, text);
        break;
    }
    }
    if (relation->hints.count) {
        text_add_c(text, " /*+ OPTIONS");
        print_properties(&relation->hints, text);
        text_add_c(text, " */");
    }
    if (relation->alias.text) {
        text_add_c(text, " AS ");
        print_name(&relation->alias, text);
        if (relation->column_aliases.count) {
            text_add_c(text, " (");
            print_names(&relation->column_aliases, ", ", text);
            text_add_char(text, ')');
        }
    }
    if (relation->timestamp_by) {
        text_add_c(text, " TIMESTAMP BY ");
        print_expr(relation->timestamp_by, ANY, text);
    }
    if (relation->timestamp_over) {
        text_add_c(text, " OVER ");
        print_expr(relation->timestamp_over, ANY, text);
    }
}

/* ---- queries ---- */

static void print_window(const AstWindow *window, Text *text)
{
    static const char *const kinds[] = { "", "TUMBLING", "HOPPING", "SESSION", "SLIDING", "CUMULATING", "COUNT" };
    static const struct { const char *name; size_t offset; } options[] = {
        { "OFFSET", offsetof(AstWindow, offset) }, { "RETENTION", offsetof(AstWindow, retention) }, { "GRACE PERIOD", offsetof(AstWindow, grace) }
    };
    text_printf(text, " WINDOW %s (", kinds[window->kind]);
    if (window->kind == AST_WINDOW_COUNT) {
        text_printf(text, "SIZE %" PRId64, window->count);
        if (window->count_advance)
            text_printf(text, ", ADVANCE BY %" PRId64, window->count_advance);
    } else {
        text_add_c(text, window->kind == AST_WINDOW_SESSION ? "" : "SIZE ");
        print_interval(&window->size.interval, text);
        if (window->advance.given) {
            text_add_c(text, window->kind == AST_WINDOW_CUMULATING ? ", STEP " : ", ADVANCE BY ");
            print_interval(&window->advance.interval, text);
        }
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const AstDuration *duration = (const void *)((const char *)window + options[i].offset);
        if (!duration->given)
            continue;
        text_printf(text, ", %s ", options[i].name);
        print_interval(&duration->interval, text);
    }
    if (window->time_zone) {
        text_add_c(text, ", TIME ZONE ");
        print_string(window->time_zone, text);
    }
    if (window->late_into.text) {
        text_add_c(text, ", LATE INTO ");
        print_name(&window->late_into, text);
    }
    text_add_char(text, ')');
}

static void print_group(const AstQuery *query, Text *text)
{
    static const char *const kinds[] = { "", "GROUPING SETS (", "CUBE (", "ROLLUP (" };
    text_add_c(text, " GROUP BY ");
    print_list(&query->group_by, text);
    if (query->group_kind == AST_GROUP_PLAIN)
        return;
    text_printf(text, "%s%s", query->group_by.count ? ", " : "", kinds[query->group_kind]);
    for (int i = 0; i < query->grouping_sets.count; i++) {
        const AstExprs *set = &query->grouping_sets.items[i];
        text_add_c(text, i ? ", " : "");
        text_add_c(text, set->count == 1 ? "" : "(");
        print_list(set, text);
        text_add_c(text, set->count == 1 ? "" : ")");
    }
    text_add_char(text, ')');
}

static void print_select(const AstQuery *query, Text *text)
{
    text_add_c(text, query->distinct ? "SELECT DISTINCT " : "SELECT ");
    for (int i = 0; i < query->items.count; i++) {
        const AstSelectItem *item = &query->items.items[i];
        text_add_c(text, i ? ", " : "");
        print_expr(item->expr, ANY, text);
        if (item->alias.text) {
            text_add_c(text, " AS ");
            print_name(&item->alias, text);
        }
    }
    if (query->into.text) {
        text_add_c(text, " INTO ");
        print_name(&query->into, text);
    }
    if (query->from) {
        text_add_c(text, " FROM ");
        print_relation(query->from, text);
    }
    if (query->timestamp_by) {
        text_add_c(text, " TIMESTAMP BY ");
        print_expr(query->timestamp_by, ANY, text);
    }
    if (query->timestamp_over) {
        text_add_c(text, " OVER ");
        print_expr(query->timestamp_over, ANY, text);
    }
    if (query->window.kind)
        print_window(&query->window, text);
    if (query->where) {
        text_add_c(text, " WHERE ");
        print_expr(query->where, ANY, text);
    }
    if (query->group_by.count || query->group_kind)
        print_group(query, text);
    if (query->allowed_lateness.given) {
        text_add_c(text, " ALLOWED LATENESS ");
        print_interval(&query->allowed_lateness.interval, text);
    }
    if (query->late_into.text) {
        text_add_c(text, " LATE INTO ");
        print_name(&query->late_into, text);
    }
    if (query->partition_by_given) {
        text_add_c(text, " PARTITION BY ");
        print_list(&query->partition_by, text);
    }
    if (query->having) {
        text_add_c(text, " HAVING ");
        print_expr(query->having, ANY, text);
    }
    if (query->qualify) {
        text_add_c(text, " QUALIFY ");
        print_expr(query->qualify, ANY, text);
    }
}

static bool has_tail(const AstQuery *query)
{
    return query->ctes.count || query->order_by.count || query->emit.kind || query->limit || query->offset;
}

static void print_operand(const AstQuery *query, bool parentheses, Text *text)
{
    if (parentheses)
        text_add_char(text, '(');
    print_query(query, text);
    if (parentheses)
        text_add_char(text, ')');
}

static void print_query(const AstQuery *query, Text *text)
{
    static const char *const operations[] = { "UNION ALL", "UNION", "INTERSECT", "EXCEPT" };
    for (int i = 0; i < query->ctes.count; i++) {
        const AstCte *cte = &query->ctes.items[i];
        text_add_c(text, i ? ", " : "WITH ");
        print_name(&cte->name, text);
        if (cte->columns.count) {
            text_add_c(text, " (");
            print_names(&cte->columns, ", ", text);
            text_add_char(text, ')');
        }
        text_add_c(text, " AS (");
        print_query(cte->query, text);
        text_add_char(text, ')');
    }
    if (query->ctes.count)
        text_add_char(text, ' ');
    switch (query->kind) {
    case AST_SELECT:
        print_select(query, text);
        break;
    case AST_VALUES:
        text_add_c(text, "VALUES ");
        print_rows(query->rows.items, query->rows.count, text);
        break;
    case AST_SET_OPERATION: {
        bool looser = query->set_kind == AST_INTERSECT && query->left->kind == AST_SET_OPERATION && query->left->set_kind != AST_INTERSECT;
        print_operand(query->left, looser || has_tail(query->left), text);
        text_printf(text, " %s%s ", operations[query->set_kind], query->set_all && query->set_kind != AST_UNION_ALL ? " ALL" : "");
        print_operand(query->right, query->right->kind == AST_SET_OPERATION || has_tail(query->right), text);
        break;
    }
    }
    if (query->order_by.count) {
        text_add_c(text, " ORDER BY ");
        print_order(&query->order_by, text);
    }
    switch (query->emit.kind) {
    case AST_EMIT_NONE:
        break;
    case AST_EMIT_CHANGES:
        text_add_c(text, " EMIT CHANGES");
        break;
    case AST_EMIT_FINAL:
        text_add_c(text, " EMIT FINAL");
        break;
    case AST_EMIT_AFTER_WATERMARK:
        text_add_c(text, " EMIT AFTER WATERMARK");
        break;
    case AST_EMIT_AFTER_DELAY:
        text_add_c(text, " EMIT AFTER DELAY ");
        print_interval(&query->emit.delay.interval, text);
        if (query->emit.and_after_watermark)
            text_add_c(text, " AND AFTER WATERMARK");
        break;
    }
    if (query->limit) {
        text_add_c(text, " LIMIT ");
        print_expr(query->limit, ANY, text);
    }
    if (query->offset) {
        text_add_c(text, " OFFSET ");
        print_expr(query->offset, ANY, text);
    }
}

void ast_print_query(const AstQuery *query, Text *text) { print_query(query, text); }

/* ---- statements ---- */

static const char *object_text(AstObjectKind object)
{
    static const char *const names[] = { "STREAM", "TABLE", "VIEW", "TYPE", "FUNCTION", "CONNECTOR", "QUERY" };
    return names[object];
}

static void print_column(const AstColumn *column, Text *text)
{
    print_name(&column->name, text);
    if (column->type) {
        text_add_char(text, ' ');
        ast_print_type(column->type, text);
    }
    if (column->is_primary)
        text_add_c(text, " PRIMARY KEY");
    if (column->is_key)
        text_add_c(text, " KEY");
    if (column->not_null)
        text_add_c(text, " NOT NULL");
    if (column->is_metadata)
        text_add_c(text, " METADATA");
    if (column->is_metadata && column->metadata_from) {
        text_add_c(text, " FROM ");
        print_string(column->metadata_from, text);
    }
    if (column->is_virtual)
        text_add_c(text, " VIRTUAL");
    if (column->is_headers && !column->is_metadata && column->metadata_from) {
        text_add_c(text, " HEADER(");
        print_string(column->metadata_from, text);
        text_add_char(text, ')');
    } else if (column->is_headers) {
        text_add_c(text, " HEADERS");
    }
    if (column->default_value) {
        text_add_c(text, " DEFAULT ");
        print_expr(column->default_value, SUM_LEVEL, text);
    }
    if (column->computed) {
        text_add_c(text, " AS ");
        print_expr(column->computed, column->type ? SUM_LEVEL : ANY, text);
    }
}

static void print_elements(const AstCreate *create, Text *text)
{
    const char *before = " (";
    for (int i = 0; i < create->columns.count; i++) {
        text_add_c(text, before);
        print_column(&create->columns.items[i], text);
        before = ", ";
    }
    if (create->primary_key.count) {
        text_printf(text, "%sPRIMARY KEY (", before);
        print_names(&create->primary_key, ", ", text);
        text_add_c(text, create->not_enforced ? ") NOT ENFORCED" : ")");
        before = ", ";
    }
    if (create->watermark) {
        text_printf(text, "%sWATERMARK FOR ", before);
        print_name(&create->watermark_column, text);
        text_add_c(text, " AS ");
        print_expr(create->watermark, ANY, text);
        before = ", ";
    }
    if (before[0] == ',')
        text_add_char(text, ')');
}

static void print_function(const AstCreate *create, Text *text)
{
    text_add_c(text, " (");
    for (int i = 0; i < create->parameters.count; i++) {
        text_add_c(text, i ? ", " : "");
        print_name(&create->parameters.items[i].name, text);
        text_add_char(text, ' ');
        ast_print_type(create->parameters.items[i].type, text);
    }
    text_add_char(text, ')');
    if (create->returns) {
        text_add_c(text, " RETURNS ");
        ast_print_type(create->returns, text);
    }
    if (create->language) {
        text_add_c(text, " LANGUAGE ");
        print_string(create->language, text);
    }
    text_add_c(text, " AS ");
    if (create->body)
        print_string(create->body, text);
    else
        print_expr(create->body_expr, ANY, text);
}

static void print_create(const AstCreate *create, const char *verb, Text *text)
{
    text_printf(text, "%s%s%s%s%s %s%s ", verb, create->or_replace ? " OR REPLACE" : "", create->temporary ? " TEMPORARY" : "",
                create->is_source ? " SOURCE" : "", create->is_aggregate ? " AGGREGATE" : "", object_text(create->object),
                create->if_not_exists ? " IF NOT EXISTS" : "");
    print_name(&create->name, text);
    if (create->object == AST_OBJECT_TYPE) {
        text_add_c(text, " AS ");
        ast_print_type(create->type, text);
        return;
    }
    if (create->object == AST_OBJECT_FUNCTION) {
        print_function(create, text);
        return;
    }
    print_elements(create, text);
    if (create->partitioned_by.count) {
        text_add_c(text, " PARTITIONED BY (");
        print_names(&create->partitioned_by, ", ", text);
        text_add_char(text, ')');
    }
    if (create->with.count) {
        text_add_c(text, " WITH ");
        print_properties(&create->with, text);
    }
    if (create->query) {
        text_add_c(text, " AS ");
        print_query(create->query, text);
    }
}

static void print_with(const AstProperties *properties, Text *text)
{
    if (!properties->count)
        return;
    text_add_c(text, " WITH ");
    print_properties(properties, text);
}

static void print_columns(const AstNames *columns, Text *text)
{
    if (!columns->count)
        return;
    text_add_c(text, " (");
    print_names(columns, ", ", text);
    text_add_char(text, ')');
}

static void print_assert(const AstStatement *statement, Text *text)
{
    const char *negated = statement->negated ? " NOT EXISTS" : "";
    switch (statement->assert) {
    case AST_ASSERT_VALUES:
    case AST_ASSERT_TOMBSTONE: {
        bool values = statement->assert == AST_ASSERT_VALUES;
        text_add_c(text, values ? "ASSERT VALUES " : "ASSERT NULL VALUES ");
        print_name(&statement->name, text);
        print_columns(&statement->columns, text);
        text_add_c(text, values ? " VALUES " : " KEY ");
        print_rows(statement->rows.items, statement->rows.count, text);
        break;
    }
    case AST_ASSERT_STREAM:
    case AST_ASSERT_TABLE:
        print_create(statement->assert_create, "ASSERT", text);
        break;
    case AST_ASSERT_TOPIC:
        text_printf(text, "ASSERT%s TOPIC ", negated);
        print_name(&statement->name, text);
        print_with(&statement->properties, text);
        break;
    case AST_ASSERT_SCHEMA:
        text_printf(text, "ASSERT%s SCHEMA", negated);
        if (statement->name.text) {
            text_add_c(text, " SUBJECT ");
            print_name(&statement->name, text);
        }
        if (statement->properties.count)
            text_printf(text, " ID %s", statement->properties.items[0].value);
        break;
    }
    if (statement->timeout.given) {
        text_add_c(text, " TIMEOUT ");
        print_interval(&statement->timeout.interval, text);
    }
}

void ast_print_statement(const AstStatement *statement, Text *text)
{
    static const char *const shows[] = { "STREAMS", "TABLES", "VIEWS", "QUERIES", "TOPICS", "FUNCTIONS", "TYPES", "VARIABLES", "PROPERTIES", "LAG", "CONNECTORS" };
    static const char *const explains[] = { "", "ANALYZE ", "WHY NO OUTPUT " };
    switch (statement->kind) {
    case AST_STMT_QUERY:
        print_query(statement->query, text);
        break;
    case AST_STMT_CREATE_SOURCE:
    case AST_STMT_CREATE_AS:
    case AST_STMT_CREATE_VIEW:
    case AST_STMT_CREATE_TYPE:
    case AST_STMT_CREATE_FUNCTION:
        print_create(statement->create, "CREATE", text);
        break;
    case AST_STMT_INSERT_QUERY:
    case AST_STMT_INSERT_VALUES:
        text_add_c(text, statement->overwrite ? "INSERT OVERWRITE " : "INSERT INTO ");
        print_name(&statement->name, text);
        print_columns(&statement->columns, text);
        print_with(&statement->properties, text);
        text_add_char(text, ' ');
        if (statement->kind == AST_STMT_INSERT_QUERY) {
            print_query(statement->query, text);
        } else {
            text_add_c(text, "VALUES ");
            print_rows(statement->rows.items, statement->rows.count, text);
        }
        break;
    case AST_STMT_STATEMENT_SET:
        text_add_c(text, "EXECUTE STATEMENT SET BEGIN ");
        for (int i = 0; i < statement->statements.count; i++) {
            ast_print_statement(statement->statements.items[i], text);
            text_add_c(text, "; ");
        }
        text_add_c(text, "END");
        break;
    case AST_STMT_DROP:
        text_printf(text, "DROP %s %s", object_text(statement->object), statement->if_exists ? "IF EXISTS " : "");
        print_name(&statement->name, text);
        text_add_c(text, statement->delete_topic ? " DELETE TOPIC" : "");
        break;
    case AST_STMT_ALTER:
        text_printf(text, "ALTER %s ", object_text(statement->object));
        print_name(&statement->name, text);
        for (int i = 0; i < statement->added.count; i++) {
            text_add_c(text, i ? ", ADD COLUMN " : " ADD COLUMN ");
            print_column(&statement->added.items[i], text);
        }
        break;
    case AST_STMT_DESCRIBE:
        text_add_c(text, "DESCRIBE ");
        if (statement->all)
            text_printf(text, "%sS", object_text(statement->object));
        else
            print_name(&statement->name, text);
        text_add_c(text, statement->extended ? " EXTENDED" : "");
        break;
    case AST_STMT_DESCRIBE_FUNCTION:
        text_add_c(text, "DESCRIBE FUNCTION ");
        print_name(&statement->name, text);
        break;
    case AST_STMT_SHOW:
        text_printf(text, "SHOW %s%s%s", statement->all ? "ALL " : "", shows[statement->show], statement->extended ? " EXTENDED" : "");
        break;
    case AST_STMT_EXPLAIN:
        text_printf(text, "EXPLAIN %s", explains[statement->explain]);
        if (!statement->explained) {
            print_name(&statement->name, text);
        } else if (statement->explained->kind == AST_STMT_STATEMENT_SET) {
            size_t start = text->length;
            ast_print_statement(statement->explained, text);
            size_t execute = strlen("EXECUTE ");
            memmove(text->bytes + start, text->bytes + start + execute, text->length - start - execute);
            text->length -= execute;
        } else {
            ast_print_statement(statement->explained, text);
        }
        break;
    case AST_STMT_SET:
        text_add_c(text, "SET ");
        print_string(statement->properties.items[0].name, text);
        text_add_c(text, " = ");
        print_string(statement->properties.items[0].value, text);
        break;
    case AST_STMT_UNSET:
        text_add_c(text, "UNSET");
        if (!statement->all) {
            text_add_char(text, ' ');
            print_string(statement->properties.items[0].name, text);
        }
        break;
    case AST_STMT_DEFINE:
        text_add_c(text, "DEFINE ");
        print_name(&statement->name, text);
        text_add_c(text, " = ");
        print_string(statement->properties.items[0].value, text);
        break;
    case AST_STMT_UNDEFINE:
        text_add_c(text, "UNDEFINE ");
        print_name(&statement->name, text);
        break;
    case AST_STMT_TERMINATE:
    case AST_STMT_PAUSE:
    case AST_STMT_RESUME:
        text_add_c(text, statement->kind == AST_STMT_TERMINATE ? "TERMINATE " : statement->kind == AST_STMT_PAUSE ? "PAUSE " : "RESUME ");
        print_name(&statement->name, text);
        break;
    case AST_STMT_PRINT:
        text_add_c(text, "PRINT ");
        if (statement->path)
            print_string(statement->path, text);
        else
            print_name(&statement->name, text);
        if (statement->from_beginning)
            text_add_c(text, " FROM BEGINNING");
        if (statement->interval) {
            text_add_c(text, " INTERVAL ");
            print_expr(statement->interval, ANY, text);
        }
        if (statement->limit) {
            text_add_c(text, " LIMIT ");
            print_expr(statement->limit, ANY, text);
        }
        break;
    case AST_STMT_RUN_SCRIPT:
        text_add_c(text, "RUN SCRIPT ");
        print_string(statement->path, text);
        break;
    case AST_STMT_ASSERT:
        print_assert(statement, text);
        break;
    case AST_STMT_CONNECTOR:
        text_add_c(text, statement->if_exists ? "DROP CONNECTOR " : "CREATE SOURCE CONNECTOR ");
        print_name(&statement->name, text);
        print_with(&statement->properties, text);
        break;
    }
}

/* parser/build_over.c: windows with names: `SUM(x) OVER w .. WINDOW w AS (PARTITION BY k ORDER BY ts)`.
 *
 * A name is as good as the text behind it: when a SELECT is complete, each OVER that names a window gets what the window says. So the tree that
 * later stages see has no references; the definitions stay in the query for whoever prints it. */
#include "parser/parser_internal.h"

void over_named(Parser *parser, AstOver *over, AstName base)
{
    over->base = base;
    LIST_ADD(parser->scratch, &parser->named_overs, over);
}

/* ASA's PERCENTILE_CONT(0.5) OVER (ORDER BY x) is an aggregate of the group: WITHIN GROUP elsewhere. */
static bool is_percentile(const AstExpr *call, const AstOver *over)
{
    if (call->path.count != 1 || call->args.count != 1 || call->within_order.count || over->order_by.count != 1)
        return false;
    const char *name = call->path.items[0].text;
    bool more = over->base.text || over->partition_by.count || over->has_frame || over->limit_duration || over->when;
    return !more && (name_equal(name, "percentile_cont") || name_equal(name, "percentile_disc"));
}

AstExpr *call_over(Parser *parser, AstExpr *call, AstOver *over, Span at)
{
    if (call->over)
        parser_fail(parser, error_at(ERR_PARSE, at, "a second OVER of one call"));
    over->at = span_join(at, parser->last);
    if (is_percentile(call, over)) {
        call->within_order = over->order_by;
        call->at = span_join(call->at, parser->last);
        build_done(parser, call);
        return call;
    }
    call->over = over;
    call->at = span_join(call->at, parser->last);
    return build_done(parser, call);
}

static const AstNamedWindow *find(const AstQuery *query, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (name_equal(query->windows.items[i].name.text, name))
            return &query->windows.items[i];
    return NULL;
}

static void unknown(Parser *parser, const AstQuery *query, int count, const AstName *name)
{
    const char **names = ARENA_ARRAY(parser->scratch, const char *, count + 1);
    for (int i = 0; i < count; i++)
        names[i] = query->windows.items[i].name.text;
    Error *error = error_suggest(error_at(ERR_PARSE, name->at, "no window '%s'", name->text), name->text, names, count);
    parser_fail(parser, count ? error : error_hint(error, "WINDOW %s AS (..) behind FROM", name->text));
}

/* Puts in what the first `count` windows of the query say. */
static void resolve(Parser *parser, AstOver *over, const AstQuery *query, int count)
{
    const AstNamedWindow *named = find(query, count, over->base.text);
    if (!named) {
        unknown(parser, query, count, &over->base);
        return;
    }
    const AstOver *window = named->over;
    const char *name = named->name.text;
    if (over->partition_by.count)
        parser_fail(parser, error_at(ERR_PARSE, over->base.at, "window '%s' has its partitions already: no PARTITION BY besides", name));
    else if (over->order_by.count && window->order_by.count)
        parser_fail(parser, error_at(ERR_PARSE, over->base.at, "window '%s' has an order already: no ORDER BY besides", name));
    else if (window->has_frame && (over->order_by.count || over->has_frame || over->limit_duration || over->when))
        parser_fail(parser, error_at(ERR_PARSE, over->base.at, "window '%s' has a frame: it can only be taken as it is, OVER %s", name, name));
    over->partition_by = window->partition_by;
    if (window->order_by.count)
        over->order_by = window->order_by;
    if (window->has_frame) {
        over->has_frame = true;
        over->unit = window->unit;
        over->exclude = window->exclude;
        over->from = window->from;
        over->to = window->to;
        over->from_offset = window->from_offset;
        over->to_offset = window->to_offset;
    }
    if (window->limit_duration)
        over->limit_duration = window->limit_duration;
    if (window->when)
        over->when = window->when;
    over->base = (AstName){ 0 };
}

void query_resolve_windows(Parser *parser, AstQuery *query)
{
    for (int i = 0; i < query->windows.count; i++) {
        AstNamedWindow *window = &query->windows.items[i];
        if (find(query, i, window->name.text))
            parser_fail(parser, error_at(ERR_PARSE, window->name.at, "a second window '%s'", window->name.text));
        if (window->over->base.text)
            resolve(parser, window->over, query, i);
    }
    /* Sub-queries have settled theirs; what is left behind this SELECT's first word is its own. */
    int kept = 0;
    for (int i = 0; i < parser->named_overs.count; i++) {
        AstOver *over = parser->named_overs.items[i];
        if (!over->base.text)
            continue;
        if (over->base.at.start < query->at.start)
            parser->named_overs.items[kept++] = over;
        else
            resolve(parser, over, query, query->windows.count);
    }
    parser->named_overs.count = kept;
}

AstExpr *is_first_of_all(Parser *parser, AstExpr *call)
{
    if (!call->over && call->args.count == 2 && call->path.count == 1 && strcasecmp(call->path.items[0].text, "ISFIRST") == 0)
        call->over = ARENA_NEW(parser->arena, AstOver);
    return call;
}

void overs_settled(Parser *parser)
{
    for (int i = 0; i < parser->named_overs.count; i++)
        if (parser->named_overs.items[i]->base.text)
            unknown(parser, NULL, 0, &parser->named_overs.items[i]->base);
    parser->named_overs.count = 0;
}

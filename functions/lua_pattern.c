/* functions/lua_pattern.c: Lua's patterns (manual, 6.4.1) with a limit: find, match, gmatch, gsub.
 *
 * A pattern may try a great many ways to match, and Lua's own functions cannot be stopped while they do. These count every step like
 * instructions. */
#include <ctype.h>
#include "functions/lua_internal.h"

#define CAPTURES_MAX 32
#define DEPTH_MAX 200
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

typedef struct Matcher {
    lua_State *L;
    const char *text, *text_end, *pattern_end;
    int captures, depth;
    struct { const char *start; ptrdiff_t length; } capture[CAPTURES_MAX];
} Matcher;

static const char *match_here(Matcher *m, const char *at, const char *pattern);

/* ---- one character ---- */

/* Behind the item (a character, %x, a set) that begins at `pattern`. */
static const char *item_end(Matcher *m, const char *pattern)
{
    if (pattern == m->pattern_end)
        luaL_error(m->L, "malformed pattern");
    char first = *pattern++;
    if (first == '%') {
        if (pattern == m->pattern_end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return pattern + 1;
    }
    if (first != '[')
        return pattern;
    if (pattern < m->pattern_end && *pattern == '^')
        pattern++;
    do { /* a ']' right at the beginning is one of the set */
        if (pattern == m->pattern_end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*pattern++ == '%')
            pattern += pattern < m->pattern_end;
    } while (pattern == m->pattern_end || *pattern != ']');
    return pattern + 1;
}

static bool in_class(unsigned char c, unsigned char class)
{
    bool is;
    switch (tolower(class)) {
    case 'a': is = isalpha(c); break;
    case 'c': is = iscntrl(c); break;
    case 'd': is = isdigit(c); break;
    case 'g': is = isgraph(c); break;
    case 'l': is = islower(c); break;
    case 'p': is = ispunct(c); break;
    case 's': is = isspace(c); break;
    case 'u': is = isupper(c); break;
    case 'w': is = isalnum(c); break;
    case 'x': is = isxdigit(c); break;
    default: return c == class;
    }
    return isupper(class) ? !is : is;
}

/* set: its '[', end: its ']'. */
static bool in_set(unsigned char c, const char *set, const char *end)
{
    bool found = true;
    set++;
    if (*set == '^') {
        found = false;
        set++;
    }
    for (; set < end; set++) {
        if (*set == '%') {
            set++;
            if (in_class(c, (unsigned char)*set))
                return found;
        } else if (set + 2 < end && set[1] == '-') {
            if ((unsigned char)set[0] <= c && c <= (unsigned char)set[2])
                return found;
            set += 2;
        } else if ((unsigned char)*set == c) {
            return found;
        }
    }
    return !found;
}

static bool is_item(const Matcher *m, const char *at, const char *pattern, const char *end)
{
    if (at >= m->text_end)
        return false;
    unsigned char c = (unsigned char)*at;
    switch (*pattern) {
    case '.': return true;
    case '%': return in_class(c, (unsigned char)pattern[1]);
    case '[': return in_set(c, pattern, end - 1);
    default: return (unsigned char)*pattern == c;
    }
}

/* ---- items of several characters ---- */

static const char *match_balanced(Matcher *m, const char *at, const char *pattern)
{
    if (m->pattern_end - pattern < 4)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (at >= m->text_end || *at != pattern[2])
        return NULL;
    int open = 1;
    for (const char *next = at + 1; next < m->text_end; next++) {
        if (*next == pattern[3]) {
            if (--open == 0) {
                lua_sandbox_count(m->L, next - at);
                return match_here(m, next + 1, pattern + 4);
            }
        } else if (*next == pattern[2]) {
            open++;
        }
    }
    lua_sandbox_count(m->L, m->text_end - at);
    return NULL;
}

/* %f[set]: between a character outside of the set and one in it; beyond the text stands a 0. */
static const char *match_frontier(Matcher *m, const char *at, const char *pattern)
{
    const char *set = pattern + 2;
    if (set >= m->pattern_end || *set != '[')
        luaL_error(m->L, "malformed pattern (missing '[' after '%%f')");
    const char *end = item_end(m, set);
    unsigned char before = at == m->text ? 0 : (unsigned char)at[-1], here = at < m->text_end ? (unsigned char)*at : 0;
    return !in_set(before, set, end - 1) && in_set(here, set, end - 1) ? match_here(m, at, end) : NULL;
}

static const char *match_again(Matcher *m, const char *at, const char *pattern)
{
    int which = pattern[1] - '1';
    if (which < 0 || which >= m->captures || m->capture[which].length == CAPTURE_OPEN)
        luaL_error(m->L, "invalid capture index %%%d", which + 1);
    ptrdiff_t length = m->capture[which].length;
    if (length == CAPTURE_POSITION) /* no text to find again */
        return NULL;
    lua_sandbox_count(m->L, length);
    if (m->text_end - at < length || memcmp(at, m->capture[which].start, (size_t)length) != 0)
        return NULL;
    return match_here(m, at + length, pattern + 2);
}

static const char *begin_capture(Matcher *m, const char *at, const char *pattern, ptrdiff_t kind)
{
    if (m->captures == CAPTURES_MAX)
        luaL_error(m->L, "too many captures");
    m->capture[m->captures].start = at;
    m->capture[m->captures++].length = kind;
    const char *end = match_here(m, at, pattern);
    if (!end)
        m->captures--;
    return end;
}

static const char *end_capture(Matcher *m, const char *at, const char *pattern)
{
    int which = m->captures - 1;
    while (which >= 0 && m->capture[which].length != CAPTURE_OPEN)
        which--;
    if (which < 0)
        luaL_error(m->L, "invalid pattern capture");
    m->capture[which].length = at - m->capture[which].start;
    const char *end = match_here(m, at, pattern);
    if (!end)
        m->capture[which].length = CAPTURE_OPEN;
    return end;
}

/* As many as possible first. */
static const char *match_most(Matcher *m, const char *at, const char *pattern, const char *end)
{
    ptrdiff_t count = 0;
    while (is_item(m, at + count, pattern, end))
        count++;
    lua_sandbox_count(m->L, count);
    for (; count >= 0; count--) {
        const char *rest = match_here(m, at + count, end + 1);
        if (rest)
            return rest;
    }
    return NULL;
}

/* As few as possible first. */
static const char *match_least(Matcher *m, const char *at, const char *pattern, const char *end)
{
    for (;; at++) {
        const char *rest = match_here(m, at, end + 1);
        if (rest || !is_item(m, at, pattern, end))
            return rest;
    }
}

/* ---- a whole pattern ---- */

/* Items of one character are a loop; what may have to be tried again goes deeper. */
static const char *match_items(Matcher *m, const char *at, const char *pattern)
{
    for (;;) {
        if (pattern == m->pattern_end)
            return at;
        char next = pattern + 1 < m->pattern_end ? pattern[1] : 0;
        if (*pattern == '(')
            return next == ')' ? begin_capture(m, at, pattern + 2, CAPTURE_POSITION) : begin_capture(m, at, pattern + 1, CAPTURE_OPEN);
        if (*pattern == ')')
            return end_capture(m, at, pattern + 1);
        if (*pattern == '$' && pattern + 1 == m->pattern_end)
            return at == m->text_end ? at : NULL;
        if (*pattern == '%' && next == 'b')
            return match_balanced(m, at, pattern);
        if (*pattern == '%' && next == 'f')
            return match_frontier(m, at, pattern);
        if (*pattern == '%' && isdigit((unsigned char)next))
            return match_again(m, at, pattern);
        const char *end = item_end(m, pattern);
        char repeat = end < m->pattern_end ? *end : 0;
        if (repeat == '*')
            return match_most(m, at, pattern, end);
        if (repeat == '-')
            return match_least(m, at, pattern, end);
        bool is = is_item(m, at, pattern, end);
        if (repeat == '+')
            return is ? match_most(m, at + 1, pattern, end) : NULL;
        if (repeat == '?') {
            const char *rest = is ? match_here(m, at + 1, end + 1) : NULL;
            if (rest)
                return rest;
            pattern = end + 1;
            continue;
        }
        if (!is)
            return NULL;
        at++;
        pattern = end;
    }
}

static const char *match_here(Matcher *m, const char *at, const char *pattern)
{
    if (++m->depth > DEPTH_MAX)
        luaL_error(m->L, "pattern too complex");
    lua_sandbox_count(m->L, 1);
    const char *end = match_items(m, at, pattern);
    m->depth--;
    return end;
}

/* ---- results ---- */

static void push_capture(Matcher *m, int which, const char *start, const char *end)
{
    if (which == 0 && m->captures == 0) {
        lua_pushlstring(m->L, start, (size_t)(end - start));
        return;
    }
    if (which >= m->captures)
        luaL_error(m->L, "invalid capture index %%%d", which + 1);
    if (m->capture[which].length == CAPTURE_OPEN)
        luaL_error(m->L, "unfinished capture");
    if (m->capture[which].length == CAPTURE_POSITION)
        lua_pushinteger(m->L, m->capture[which].start - m->text + 1);
    else
        lua_pushlstring(m->L, m->capture[which].start, (size_t)m->capture[which].length);
}

/* All of them; with `whole` the match itself if there are none. */
static int push_captures(Matcher *m, const char *start, const char *end, bool whole)
{
    int count = m->captures ? m->captures : whole;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++)
        push_capture(m, i, start, end);
    return count;
}

static void matcher_start(Matcher *m, lua_State *L, int text_at, int pattern_at, const char **pattern)
{
    size_t text_length, pattern_length;
    *m = (Matcher){ .L = L };
    m->text = luaL_checklstring(L, text_at, &text_length);
    m->text_end = m->text + text_length;
    *pattern = luaL_checklstring(L, pattern_at, &pattern_length);
    m->pattern_end = *pattern + pattern_length;
}

/* The first match at `from` or behind it: its start, *end; NULL: there is none. */
static const char *search(Matcher *m, const char *from, const char *pattern, const char **end)
{
    bool anchored = pattern < m->pattern_end && *pattern == '^';
    for (const char *at = from; at <= m->text_end; at++) {
        m->captures = m->depth = 0;
        *end = match_here(m, at, pattern + anchored);
        if (*end)
            return at;
        if (anchored)
            break;
    }
    return NULL;
}

static const char *start_of(lua_State *L, const Matcher *m)
{
    lua_Integer init = luaL_optinteger(L, 3, 1), length = m->text_end - m->text;
    if (init < 0)
        init = init < -length ? 1 : length + init + 1;
    return init < 1 ? m->text : init > length + 1 ? NULL : m->text + init - 1;
}

static bool is_plain(const char *pattern, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (pattern[i] && strchr("^$*+?.([%-", pattern[i]))
            return false;
    return true;
}

static int find(lua_State *L)
{
    Matcher m;
    const char *pattern, *end = NULL;
    matcher_start(&m, L, 1, 2, &pattern);
    const char *from = start_of(L, &m), *start = NULL;
    size_t length = (size_t)(m.pattern_end - pattern);
    if (from && (lua_toboolean(L, 4) || is_plain(pattern, length))) {
        lua_sandbox_count(L, m.text_end - from);
        start = memmem(from, (size_t)(m.text_end - from), pattern, length);
        end = start + length;
    } else if (from) {
        start = search(&m, from, pattern, &end);
    }
    if (!start) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, start - m.text + 1);
    lua_pushinteger(L, end - m.text);
    return 2 + push_captures(&m, start, end, false);
}

static int match(lua_State *L)
{
    Matcher m;
    const char *pattern, *end;
    matcher_start(&m, L, 1, 2, &pattern);
    const char *from = start_of(L, &m), *start = from ? search(&m, from, pattern, &end) : NULL;
    if (start)
        return push_captures(&m, start, end, true);
    lua_pushnil(L);
    return 1;
}

/* Upvalues: text, pattern, where to go on (from 0), where the last match ended. */
static int next_match(lua_State *L)
{
    Matcher m;
    const char *pattern, *end;
    matcher_start(&m, L, lua_upvalueindex(1), lua_upvalueindex(2), &pattern);
    const char *from = m.text + lua_tointeger(L, lua_upvalueindex(3)), *last = m.text + lua_tointeger(L, lua_upvalueindex(4));
    for (const char *at = from; at <= m.text_end; at++) { /* a '^' has no meaning here, it stands for itself */
        m.captures = m.depth = 0;
        end = match_here(&m, at, pattern);
        if (!end || end == last)
            continue;
        lua_pushinteger(L, end - m.text);
        lua_copy(L, -1, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        return push_captures(&m, at, end, true);
    }
    return 0;
}

static int gmatch(lua_State *L)
{
    luaL_checkstring(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, next_match, 4);
    return 1;
}

/* ---- gsub ---- */

/* '%1 and %%' */
static void add_template(Matcher *m, luaL_Buffer *buffer, const char *start, const char *end)
{
    size_t length;
    const char *text = lua_tolstring(m->L, 3, &length), *text_end = text + length;
    for (; text < text_end; text++) {
        if (*text != '%') {
            luaL_addchar(buffer, *text);
            continue;
        }
        text++;
        if (text < text_end && *text == '%') {
            luaL_addchar(buffer, '%');
        } else if (text < text_end && isdigit((unsigned char)*text)) {
            if (*text == '0')
                lua_pushlstring(m->L, start, (size_t)(end - start));
            else
                push_capture(m, *text - '1', start, end);
            luaL_tolstring(m->L, -1, NULL); /* a position is a number */
            lua_remove(m->L, -2);
            luaL_addvalue(buffer);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
}

static void add_replacement(Matcher *m, luaL_Buffer *buffer, const char *start, const char *end)
{
    lua_State *L = m->L;
    int type = lua_type(L, 3);
    if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        add_template(m, buffer, start, end);
        return;
    }
    if (type == LUA_TTABLE) {
        push_capture(m, 0, start, end);
        lua_gettable(L, 3);
    } else {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, start, end, true), 1);
    }
    if (!lua_toboolean(L, -1)) { /* the match stays */
        lua_pop(L, 1);
        luaL_addlstring(buffer, start, (size_t)(end - start));
        return;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(buffer);
}

static int gsub(lua_State *L)
{
    Matcher m;
    const char *pattern;
    matcher_start(&m, L, 1, 2, &pattern);
    int type = lua_type(L, 3);
    luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3, "string/function/table");
    if (type == LUA_TNUMBER)
        lua_tolstring(L, 3, NULL);
    lua_Integer most = luaL_optinteger(L, 4, m.text_end - m.text + 1), count = 0;
    bool anchored = pattern < m.pattern_end && *pattern == '^';
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    const char *at = m.text, *last = NULL;
    while (count < most) {
        m.captures = m.depth = 0;
        const char *end = match_here(&m, at, pattern + anchored);
        if (end && end != last) {
            count++;
            add_replacement(&m, &buffer, at, end);
            at = last = end;
        } else if (at < m.text_end) {
            luaL_addchar(&buffer, *at++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    luaL_addlstring(&buffer, at, (size_t)(m.text_end - at));
    luaL_pushresult(&buffer);
    lua_pushinteger(L, count);
    return 2;
}

const luaL_Reg lua_pattern_functions[] = { { "find", find }, { "match", match }, { "gmatch", gmatch }, { "gsub", gsub }, { NULL, NULL } };

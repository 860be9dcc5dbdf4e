/* tests/unit/functions/test_lua_pattern.c: find, match, gmatch and gsub give what Lua's own functions give, for many random patterns and texts. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>
#include <lua5.4/lualib.h>
#include "functions/lua_internal.h"

static const char *const script =
    "local own, seed = ..., 1\n"
    "local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648; return seed // 65536 % n + 1 end\n"
    "local items = { 'a', 'b', '.', '%a', '%d', '%s', '%W', '[ab]', '[^a]', '[a-c1]', '[%d_]', '[]]', '[^]a]', '%.', '%-', '-', '%%', '_', '[a-]', '%x', '$', '^' }\n"
    "local whole = { '%b()', '%f[%a]', '()', '%1', '(a)', '(.-)', '(%a+)', '((b)a*)', '(', ')', '[', '%', '%f', '%b(' }\n"
    "local letters = { 'a', 'b', 'c', '1', '2', '.', '-', '_', ' ', '(', ')', ']', '%', 'A', '\\0', 'a' }\n"
    "local function make(list, most) local t = {} for i = 1, random(most) - 1 do t[i] = list[random(#list)] end return table.concat(t) end\n"
    "local function pattern()\n"
    "  local t = { random(6) == 1 and '^' or '' }\n"
    "  for i = 1, random(5) do\n"
    "    if random(4) == 1 then t[#t + 1] = whole[random(#whole)] else t[#t + 1] = items[random(#items)] .. ({ '', '', '*', '+', '-', '?' })[random(6)] end\n"
    "  end\n"
    "  return table.concat(t) .. (random(6) == 1 and '$' or '')\n"
    "end\n"
    "local function same(name, ...)\n"
    "  local a, b = table.pack(pcall(string[name], ...)), table.pack(pcall(own[name], ...))\n"
    "  local equal = a[1] == b[1] and (not a[1] or a.n == b.n)\n"
    "  for i = 2, a[1] and a.n or 1 do equal = equal and a[i] == b[i] end\n"
    "  if not equal then\n"
    "    for i = 1, a.n do a[i] = tostring(a[i]) end for i = 1, b.n do b[i] = tostring(b[i]) end\n"
    "    error(string.format('%s(%q, %q, ..): Lua gives %s, we %s', name, (...), select(2, ...), table.concat(a, '|'), table.concat(b, '|')))\n"
    "  end\n"
    "end\n"
    "local function all(lib, text, pattern) local t = {} for a, b in lib.gmatch(text, pattern) do t[#t + 1] = tostring(a) .. ';' .. tostring(b) end return table.concat(t, '|') end\n"
    "for round = 1, 400 do\n"
    "  local text, p = make(letters, 12), pattern()\n"
    "  same('find', text, p)\n"
    "  same('find', text, p, random(16) - 8)\n"
    "  same('find', text, make(letters, 3), 1, true)\n"
    "  same('match', text, p, random(16) - 8)\n"
    "  same('gsub', text, p, ({ 'x', '<%0>', '%1', '%1%%', '', '%2' })[random(6)])\n"
    "  same('gsub', text, p, { a = 'A', b = false, ['1'] = 7 }, random(4) - 1)\n"
    "  same('gsub', text, p, function(m) return m ~= 'b' and '[' .. tostring(m) .. ']' end)\n"
    "  local a, one = pcall(all, string, text, p)\n"
    "  local b, two = pcall(all, own, text, p)\n"
    "  if a ~= b or (a and one ~= two) then error(string.format('gmatch(%q, %q): Lua gives %s, we %s', text, p, tostring(one), tostring(two))) end\n"
    "end\n"
    "return seed\n";

typedef struct Round { int64_t seed; } Round;

static int run_script(lua_State *L)
{
    const Round *round = lua_touserdata(L, 1);
    const char *text = lua_pushfstring(L, "%s", script);
    luaL_openlibs(L);
    char first[64];
    snprintf(first, sizeof first, "local own, seed = ..., %lld", (long long)round->seed);
    const char *rest = strchr(text, '\n');
    if (luaL_loadstring(L, lua_pushfstring(L, "%s%s", first, rest)) != LUA_OK)
        return lua_error(L);
    lua_newtable(L);
    luaL_setfuncs(L, lua_pattern_functions, 0);
    lua_call(L, 1, 1);
    return 1;
}

static void patterns_are_lua_s(void **state)
{
    (void)state;
    for (int64_t seed = 1; seed <= 50; seed++) {
        Arena arena;
        LuaSandbox *sandbox;
        arena_init(&arena, NULL);
        assert_null(lua_sandbox_open(&arena, "test", LUA_STEPS_DEFAULT, LUA_MEMORY_DEFAULT, &sandbox));
        Round round = { seed * 7919 };
        const char *reason = lua_sandbox_run(sandbox, &arena, run_script, &round);
        if (reason)
            print_error("seed %lld: %s\n", (long long)seed, reason);
        assert_null(reason);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(patterns_are_lua_s) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

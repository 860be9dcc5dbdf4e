#!/bin/sh
# Every output mode byte by byte: quotes, escapes, NULL beside empty text, wide characters, titles, results without rows.
set -u
cd "$(dirname "$0")/../.."
bidsql=${BIDSQL:-./bidsql}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

cat >"$dir/q.sql" <<'SQL'
--# Some texts
SELECT n, t AS "te|xt", d FROM (VALUES (1, 'a,b "q"', 1.5), (22, 'tab' || CHR(9) || 'line' || CHR(10) || '|' || CHR(92) || 'é漢字', NULL), (NULL, '', -0.25), (4, CHR(27) || '[31m', 0)) AS v(n, t, d);
SELECT 1 AS none WHERE FALSE;
SQL

shows() { # mode; what it must show on stdin
    cat >"$dir/wanted"
    LC_ALL=C "$bidsql" -o "$1" -f "$dir/q.sql" >"$dir/out" 2>"$dir/err" || { echo "mode $1: $(cat "$dir/err")"; failures=$((failures + 1)); }
    diff -u "$dir/wanted" "$dir/out" || { echo "mode $1 differs"; failures=$((failures + 1)); }
}

shows box <<'ROWS'
Some texts
┌──────┬────────────────────┬───────┐
│ n    │ te|xt              │ d     │
├──────┼────────────────────┼───────┤
│    1 │ a,b "q"            │  1.50 │
│   22 │ tab\tline\n|\é漢字 │  NULL │
│ NULL │                    │ -0.25 │
│    4 │ \x1b[31m           │  0.00 │
└──────┴────────────────────┴───────┘
4 rows

┌──────┐
│ none │
├──────┤
└──────┘
0 rows

ROWS

shows table <<'ROWS'
Some texts
+------+--------------------+-------+
| n    | te|xt              | d     |
+------+--------------------+-------+
|    1 | a,b "q"            |  1.50 |
|   22 | tab\tline\n|\é漢字 |  NULL |
| NULL |                    | -0.25 |
|    4 | \x1b[31m           |  0.00 |
+------+--------------------+-------+
4 rows

+------+
| none |
+------+
+------+
0 rows

ROWS

shows csv <<'ROWS'
n,te|xt,d
1,"a,b ""q""",1.50
22,"tab	line
|\é漢字",
,"",-0.25
4,[31m,0.00
none
ROWS

shows tsv <<'ROWS'
n	te|xt	d
1	a,b "q"	1.50
22	tab\tline\n|\\é漢字	\N
\N		-0.25
4	[31m	0.00
none
ROWS

shows json <<'ROWS'
[{"n":1,"te|xt":"a,b \"q\"","d":1.50},
 {"n":22,"te|xt":"tab\tline\n|\\é漢字","d":null},
 {"n":null,"te|xt":"","d":-0.25},
 {"n":4,"te|xt":"\u001b[31m","d":0.00}]
[]
ROWS

shows jsonl <<'ROWS'
{"n":1,"te|xt":"a,b \"q\"","d":1.50}
{"n":22,"te|xt":"tab\tline\n|\\é漢字","d":null}
{"n":null,"te|xt":"","d":-0.25}
{"n":4,"te|xt":"\u001b[31m","d":0.00}
ROWS

shows vertical <<'ROWS'
Some texts
-[ row 1 ]
n     | 1
te|xt | a,b "q"
d     | 1.50

-[ row 2 ]
n     | 22
te|xt | tab\tline\n|\é漢字
d     | NULL

-[ row 3 ]
n     | NULL
te|xt | 
d     | -0.25

-[ row 4 ]
n     | 4
te|xt | \x1b[31m
d     | 0.00
ROWS

shows markdown <<'ROWS'
### Some texts
| n    | te\|xt              | d     |
|-----:|---------------------|------:|
|    1 | a,b "q"             |  1.50 |
|   22 | tab\tline\n\|\é漢字 |  NULL |
| NULL |                     | -0.25 |
|    4 | \x1b[31m            |  0.00 |

| none |
|-----:|

ROWS

# A changelog says what each row does.
wanted=$(printf 'op,k,n\n+I,1,1\n-U,1,1\n+U,1,2')
rows=$("$bidsql" --batch-rows 1 -o csv -c "SELECT k, COUNT(*) AS n FROM (VALUES (1), (1)) AS t(k) GROUP BY k EMIT CHANGES" 2>/dev/null)
[ "$rows" = "$wanted" ] || { echo "changelog: $rows"; failures=$((failures + 1)); }

# Values of every form, as JSON.
rows=$("$bidsql" -c "SELECT CAST('NaN' AS DOUBLE) AS x, CAST('-Infinity' AS DOUBLE) AS y, ARRAY['a\"', NULL] AS a, STRUCT(p := 1, q := NULL) AS s, CAST('YWJj' AS BYTES) AS b,
  DATE '2026-01-02' AS d, TIME '01:02:03' AS t, TIMESTAMP '2026-01-02 03:04:05' AS ts, CAST(1.10 AS DECIMAL(30,2)) AS n, TRUE AS yes, CHR(1) AS c" 2>/dev/null)
[ "$rows" = '{"x":"NaN","y":"-Infinity","a":["a\"",null],"s":{"p":1,"q":null},"b":"YWJj","d":"2026-01-02","t":"01:02:03","ts":"2026-01-02 03:04:05.000","n":1.10,"yes":true,"c":"\u0001"}' ] ||
    { echo "values: $rows"; failures=$((failures + 1)); }

# Rows before an error are results: frames are closed, JSON stays valid.
printf '{"a":1}\n{"a":"x"}\n' >"$dir/bad.jsonl"
for mode in box json; do
    "$bidsql" -o $mode -c "CREATE STREAM t (a BIGINT) WITH (connector = 'file', path = '$dir/bad.jsonl', format = 'json'); SELECT a FROM t" >"$dir/$mode" 2>/dev/null
    [ $? -eq 1 ] || { echo "a bad row is no failure"; failures=$((failures + 1)); }
done
[ "$(cat "$dir/json")" = '[{"a":1}]' ] || { echo "json before an error: $(cat "$dir/json")"; failures=$((failures + 1)); }
grep -q '1 row$' "$dir/box" || { echo "box before an error: $(cat "$dir/box")"; failures=$((failures + 1)); }
[ "$failures" -eq 0 ]

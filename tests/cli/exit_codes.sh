#!/bin/sh
# What the shell sees: exit codes, what goes to stdout and what to stderr.
set -u
cd "$(dirname "$0")/../.."
bidsql=${BIDSQL:-./bidsql}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

expect() { # wanted code, text that stderr must hold ('' for any), command..
    wanted=$1 text=$2
    shift 2
    "$@" >"$dir/out" 2>"$dir/err" </dev/null
    code=$?
    if [ "$code" -ne "$wanted" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$dir/err"; }; then
        echo "expected exit $wanted and \"$text\", got $code:" "$@"
        head -5 "$dir/err"
        failures=$((failures + 1))
    fi
}

printf '{"a":1}\n{"a":2}\n{"a":"x"}\n{"a":"y"}\n' >"$dir/bad.jsonl"
printf '{"a":1}\n{"a":2}\n' >"$dir/good.jsonl"
stream="CREATE STREAM t (a BIGINT) WITH (connector = 'file', format = 'json', path ="

expect 0 "" "$bidsql" -c "SELECT 1"
expect 0 "" "$bidsql" --version
expect 0 "" "$bidsql" --help
expect 2 "no option" "$bidsql" --nonsense
expect 2 "wants a value" "$bidsql" -c
expect 2 "no output mode" "$bidsql" -o pretty -c "SELECT 1"
expect 2 "no option '-x'" "$bidsql" -xq
expect 2 "takes no value" "$bidsql" --check=yes -c "SELECT 1"
expect 2 "-c is there twice" "$bidsql" -c "SELECT 1" -c "SELECT 2"
expect 2 "exclude each other" "$bidsql" -c "SELECT 1" -f "$dir/x.sql"
expect 2 "what is 'x.sql'" "$bidsql" x.sql
expect 2 "NAME=VALUE" "$bidsql" -D novalue -c "SELECT 1"
expect 2 "from 1 to 256" "$bidsql" --threads 0 -c "SELECT 1"
expect 2 "wants a number" "$bidsql" --max-errors many -c "SELECT 1"
expect 2 "wants a size" "$bidsql" --memory-limit big -c "SELECT 1"
expect 2 "no dialect" "$bidsql" --dialect oracle -c "SELECT 1"
expect 2 "no setting" "$bidsql" --set nonsense=1 -c "SELECT 1"
expect 3 "did you mean 'SELECT'?" "$bidsql" -c "SELCT 1"
expect 3 "no column" "$bidsql" -c "SELECT x FROM '$dir/good.jsonl'"
expect 4 "missing.jsonl" "$bidsql" -c "SELECT * FROM '$dir/missing.jsonl'"
expect 4 "directory" "$bidsql" -c "$stream '$dir'); SELECT a FROM t"
expect 4 "cannot open" "$bidsql" -f "$dir/missing.sql"
expect 1 "bad.jsonl:3" "$bidsql" -c "$stream '$dir/bad.jsonl'); SELECT a FROM t"
expect 5 "more than 1 bad row" "$bidsql" --max-errors 1 -c "$stream '$dir/bad.jsonl', on_error = 'skip'); SELECT a FROM t"
expect 0 "1 bad row (decode)" "$bidsql" --max-errors 2 -c "$stream '$dir/bad.jsonl', on_error = 'skip'); SELECT a FROM t"
expect 5 "more than 0 bad rows" "$bidsql" --max-errors 0 -c "$stream '$dir/bad.jsonl', on_error = 'skip'); SELECT a FROM t"
expect 5 "more than 1 bad row" "$bidsql" --max-errors 1 --set on_expr_error=null -c "SELECT 1 / x AS y FROM (VALUES (0), (1), (0)) AS t(x)"
expect 0 "2 bad rows (expression): division by zero; first at row 1" "$bidsql" --max-errors 2 --set on_expr_error=null -c "SELECT 1 / x AS y FROM (VALUES (0), (1), (0)) AS t(x)"
expect 3 "no column" "$bidsql" --check -c "SELECT x FROM '$dir/good.jsonl'"
expect 0 "" "$bidsql" --check -c "$stream '$dir/good.jsonl'); CREATE TABLE o WITH (connector = 'file', path = '$dir/unwritten.jsonl', format = 'json') AS SELECT a FROM t"
[ -e "$dir/unwritten.jsonl" ] && { echo "--check wrote a file"; failures=$((failures + 1)); }
expect 1 "No space left on device" "$bidsql" -c "CREATE TABLE o (a INT) WITH (connector = 'file', path = '/dev/full', format = 'json'); INSERT INTO o VALUES (1)"
expect 4 "cannot create" "$bidsql" -c "CREATE TABLE o (a INT) WITH (connector = 'file', path = '$dir/none/x.json', format = 'json'); INSERT INTO o VALUES (1)"
expect 0 "" "$bidsql" --check -c "SELECT a FROM '$dir/good.jsonl'"
[ -s "$dir/out" ] && { echo "--check printed rows"; failures=$((failures + 1)); }
expect 0 "" "$bidsql" --explain -c "SELECT a FROM '$dir/good.jsonl'"
grep -q Scan "$dir/out" || { echo "--explain shows no plan"; failures=$((failures + 1)); }

# Rows go to stdout alone; jsonl where stdout is no terminal.
rows=$("$bidsql" -c "SELECT a FROM '$dir/good.jsonl'" 2>/dev/null)
[ "$rows" = '{"a":1}
{"a":2}' ] || { echo "unexpected rows: $rows"; failures=$((failures + 1)); }

# SQL and data on stdin.
rows=$(echo "SELECT 1 + 1 AS two" | "$bidsql" 2>/dev/null)
[ "$rows" = '{"two":2}' ] || { echo "stdin: $rows"; failures=$((failures + 1)); }
rows=$("$bidsql" -c "CREATE STREAM s (a BIGINT) WITH (connector = 'file', path = '-', format = 'json'); SELECT SUM(a) AS total FROM s" <"$dir/good.jsonl" 2>/dev/null)
[ "$rows" = '{"total":3}' ] || { echo "data on stdin: $rows"; failures=$((failures + 1)); }

# `| head` ends it quietly, a full disk does not.
"$bidsql" -c "SELECT * FROM '$dir/good.jsonl'" 2>"$dir/err" >/dev/full
[ $? -eq 1 ] && grep -q "No space left" "$dir/err" || { echo "full disk: $(cat "$dir/err")"; failures=$((failures + 1)); }
"$bidsql" -c "CREATE STREAM g WITH (connector = 'nexmark', rows = 3000000); SELECT event_type FROM g" 2>"$dir/err" | head -1 >/dev/null
[ -s "$dir/err" ] && grep -v "created" "$dir/err" && { echo "a closed pipe is not quiet"; failures=$((failures + 1)); }

"$bidsql" -q -c "CREATE STREAM g WITH (connector = 'nexmark', rows = 3000000); CREATE TABLE o WITH (connector = 'stdout') AS SELECT event_type FROM g" 2>"$dir/err" | head -1 >/dev/null
[ -s "$dir/err" ] && { echo "a closed pipe under a sink is not quiet: $(cat "$dir/err")"; failures=$((failures + 1)); }

# Ctrl-C
"$bidsql" -c "CREATE STREAM g WITH (connector = 'nexmark'); CREATE TABLE s WITH (connector = 'blackhole') AS SELECT event_type FROM g" >/dev/null 2>&1 &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -r "/proc/$pid/task" ] && [ "$(ls "/proc/$pid/task" | wc -l)" -gt 1 ] && break; sleep 0.1; done
kill -INT "$pid"
wait "$pid"
[ $? -eq 130 ] || { echo "an interrupted job does not exit with 130"; failures=$((failures + 1)); }

# -D and --set
rows=$("$bidsql" -D n=7 -c 'SELECT ${n} * 2 AS x' 2>/dev/null)
[ "$rows" = '{"x":14}' ] || { echo "-D: $rows"; failures=$((failures + 1)); }
for mode in box table csv tsv json jsonl vertical markdown; do
    "$bidsql" -o $mode -c "SELECT 1 AS a, 'x' AS b" >"$dir/out" 2>&1 && grep -q 1 "$dir/out" || { echo "mode $mode"; failures=$((failures + 1)); }
done
# What came through a pipe cannot come again.
expect_stdin=$(printf '{"a":1}\n' | "$bidsql" -c "CREATE STREAM t (a BIGINT) WITH (connector = 'file', format = 'json', path = '-'); SELECT a FROM t; SELECT a FROM t" 2>"$dir/err")
if [ $? -ne 4 ] || [ "$expect_stdin" != '{"a":1}' ] || ! grep -q "stdin has been read already" "$dir/err"; then
    echo "a second query over stdin: '$expect_stdin'"
    cat "$dir/err"
    failures=$((failures + 1))
fi

[ "$failures" -eq 0 ]

#!/bin/sh
# --input and --output: queries in ASA's way, which do not say where their streams are.
set -u
cd "$(dirname "$0")/../.."
bidsql=${BIDSQL:-./bidsql}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

expect() { # wanted code, text that stdout or stderr must hold ('' for any), command..
    wanted=$1 text=$2
    shift 2
    "$@" >"$dir/out" 2>&1 </dev/null
    code=$?
    if [ "$code" -ne "$wanted" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$dir/out"; }; then
        echo "expected exit $wanted and \"$text\", got $code:" "$@"
        head -5 "$dir/out"
        failures=$((failures + 1))
    fi
}

printf 'k,ts\na,2026-01-01 12:00:10\na,2026-01-01 12:00:20\nb,2026-01-01 12:05:10\n' >"$dir/events.csv"
query="SELECT System.Timestamp() AS t, k, COUNT(*) AS n INTO out FROM inp TIMESTAMP BY ts GROUP BY k, TumblingWindow(minute, 1)"

# A path gives connector and format; - is stdout.
expect 0 '{"t":"2026-01-01 12:01:00.000","k":"a","n":2}' "$bidsql" -q -c "$query" --input inp="$dir/events.csv" --output out=-
expect 0 '' "$bidsql" -q -c "$query" --input inp="$dir/events.csv" --output out="$dir/counts.csv"
printf 't,k,n\n2026-01-01 12:01:00.000,a,2\n2026-01-01 12:06:00.000,b,1\n' >"$dir/wanted.csv"
cmp -s "$dir/counts.csv" "$dir/wanted.csv" || { echo "not as wanted:"; cat "$dir/counts.csv"; failures=$((failures + 1)); }

# Columns and properties as in CREATE; several queries write into one output.
expect 0 '' "$bidsql" -q -c "$query; SELECT ts AS t, k, 0 AS n INTO out FROM inp WHERE k = 'b'" --input "inp=(k STRING, ts TIMESTAMP(3)) WITH (path = '$dir/events.csv')" \
    --output "out=WITH (path = '$dir/both.jsonl')"
[ "$(wc -l <"$dir/both.jsonl")" -eq 3 ] || { echo "both queries shall write:"; cat "$dir/both.jsonl"; failures=$((failures + 1)); }

# -o still chooses how results are printed; what is declared goes before --output.
expect 0 'a,2' "$bidsql" -q -o csv -c "SELECT k, COUNT(*) AS n FROM inp GROUP BY k" --input inp="$dir/events.csv"
expect 0 '' "$bidsql" -q -c "CREATE TABLE out (t TIMESTAMP(3), k STRING, n BIGINT) WITH (path = '$dir/declared.csv'); $query" --input inp="$dir/events.csv" --output out="$dir/not_this.csv"
[ -e "$dir/not_this.csv" ] && { echo "--output went before a declaration"; failures=$((failures + 1)); }
expect 0 '' "$bidsql" -q --check -c "$query" --input inp="$dir/events.csv" --output out="$dir/unwritten.csv"
[ -e "$dir/unwritten.csv" ] && { echo "--check wrote a file"; failures=$((failures + 1)); }

# Refusals.
expect 3 "give --output out=PATH" "$bidsql" -c "$query" --input inp="$dir/events.csv"
expect 3 "no stream, table or view 'inp'" "$bidsql" -c "$query" --output out=-
expect 4 "--input inp: cannot open" "$bidsql" -c "$query" --input inp="$dir/missing.csv" --output out=-
expect 2 "expected NAME=VALUE" "$bidsql" -c "$query" --input inp
expect 2 "--input inp: no property 'pth'" "$bidsql" -c "$query" --input "inp=WITH (pth = 'x.csv')"
expect 2 "expected a path or WITH" "$bidsql" -c "$query" --input inp="$dir/events.csv" --output "out=(a INT) WITH (path = 'x.csv')"
expect 3 "no format 'jsn'" "$bidsql" -c "$query" --input inp="$dir/events.csv" --output "out=WITH (path = 'x', format = 'jsn')"

[ "$failures" -eq 0 ] && echo "inputs and outputs: ok"
exit "$((failures > 0))"

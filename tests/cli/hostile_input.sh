#!/bin/sh
# Bad input of every kind: each has a clear outcome and nothing crashes (an exit code of 128 or more is a signal).
set -u
cd "$(dirname "$0")/../.."
bidsql=${BIDSQL:-./bidsql}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

try() { # wanted codes (a|b), command..
    wanted=$1
    shift
    timeout 60 "$@" >"$dir/out" 2>"$dir/err" </dev/null
    code=$?
    case "|$wanted|" in
    *"|$code|"*) ;;
    *) echo "expected exit $wanted, got $code: $(echo "$*" | cut -c1-160)"; head -3 "$dir/err" | cut -c1-300; failures=$((failures + 1)) ;;
    esac
    [ "$code" -eq 0 ] || [ -s "$dir/err" ] || { echo "exit $code without a word: $(echo "$*" | cut -c1-160)"; failures=$((failures + 1)); }
}
skip="on_error = 'skip'"

: >"$dir/empty.jsonl"
try 0 "$bidsql" -c "CREATE STREAM t (a BIGINT) WITH (connector='file', path='$dir/empty.jsonl', format='json'); SELECT COUNT(*) AS n FROM t"
grep -q '"n":0' "$dir/out" || { echo "an empty file has rows"; failures=$((failures + 1)); }

head -c 300000 /dev/urandom >"$dir/noise.jsonl"
for format in json csv raw; do
    try "0|1" "$bidsql" -c "CREATE STREAM t (a STRING) WITH (connector='file', path='$dir/noise.jsonl', format='$format', $skip); SELECT COUNT(*) AS n FROM t"
done
try "0|1|3|4" "$bidsql" -c "SELECT * FROM '$dir/noise.jsonl'"

python3 - "$dir" <<'PY'
import gzip, sys
d = sys.argv[1]
open(d + "/long.jsonl", "w").write('{"a":1}\n{"a":"' + "x" * 100_000_000 + '"}\n{"a":3}\n')
data = gzip.compress(b'{"a":1}\n' * 100000)
open(d + "/cut.jsonl.gz", "wb").write(data[:len(data) // 2])
open(d + "/utf8.jsonl", "wb").write(b'{"a":"\xff\xfe"}\n{"a":"ok"}\n{"a":"\xc3\x28"}\n')
open(d + "/numbers.jsonl", "w").write("\n".join('{"a":%s}' % n for n in
    ["9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e400", "1e-400", "0.1e1", "-0", "01", "1.", "+1", "NaN", "1e", "99999999999999999999999999999999999999999"]) + "\n")
open(d + "/times.jsonl", "w").write("\n".join('{"t":%s}' % t for t in
    ['"2026-01-01 00:00:00"', '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00.123456+02:00"', '"2026-01-01"', "1767225600000", '"2026-13-01 00:00:00"',
     '"2026-02-30 00:00:00"', '"yesterday"', '"2026-01-01 25:00:00"', "1e30", '"0001-01-01 00:00:00"', '"+99999-01-01 00:00:00"', "-62135596800000", '""']) + "\n")
open(d + "/deep.jsonl", "w").write('{"a":' + "[" * 100000 + "]" * 100000 + '}\n{"a":' + '{"a":' * 50000 + "1" + "}" * 50000 + '}\n{"b":1}\n')
open(d + "/keys.jsonl", "w").write('{"a":1,"a":2}\n{"A":3}\n{}\n{"a":4,"A":5}\n[]\n"x"\nnull\n{"a":6} trailing\n')
open(d + "/wide.jsonl", "w").write("{" + ",".join(f'"c{i}":{i}' for i in range(10000)) + "}\n")
open(d + "/wide.csv", "w").write(",".join(f"c{i}" for i in range(10000)) + "\n" + ",".join(str(i) for i in range(10000)) + "\n")
open(d + "/ragged.csv", "w").write('a,b\n1,2\n3\n4,5,6\n"open,7\n')
open(d + "/big.sql", "w").write("SELECT " + " + ".join(["1"] * 250_000) + " AS x")
open(d + "/list.sql", "w").write("SELECT 1 AS a WHERE 5 IN (" + ",".join(str(i) for i in range(150_000)) + ")")
open(d + "/nested.sql", "w").write("SELECT " + "(" * 100_000 + "1" + ")" * 100_000)
open(d + "/nots.sql", "w").write("SELECT " + "NOT " * 100_000 + "TRUE")
open(d + "/columns.sql", "w").write("CREATE STREAM t (" + ", ".join(f"c{i} BIGINT" for i in range(10000)) + f") WITH (connector='file', path='{d}/wide.jsonl', format='json'); SELECT c9999 + c0 AS x FROM t")
open(d + "/garbage.sql", "wb").write(bytes(range(256)) * 50)
def chain(count, block):
    return "CREATE STREAM g (a INT) WITH (connector = 'datagen', rows = 1); WITH t0 AS (SELECT a FROM g), " + ", ".join(f"t{i} AS ({block.replace('t', f't{i - 1}')})" for i in range(1, count)) + \
        f" SELECT COUNT(*) AS n FROM t{count - 1}"
open(d + "/doubling.sql", "w").write(chain(40, "SELECT a FROM t UNION ALL SELECT a FROM t"))
open(d + "/doubling_columns.sql", "w").write(chain(30, "SELECT *, * FROM t"))
open(d + "/chain.sql", "w").write(chain(30_000, "SELECT a FROM t"))
open(d + "/short_chain.sql", "w").write(chain(400, "SELECT a FROM t"))
open(d + "/views.sql", "w").write("CREATE STREAM g (a INT) WITH (connector = 'datagen', rows = 1); CREATE VIEW v0 AS SELECT a FROM g;" +
    "".join(f"CREATE VIEW v{i} AS SELECT a FROM v{i - 1} UNION ALL SELECT a FROM v{i - 1};" for i in range(1, 40)))
open(d + "/selected.sql", "w").write("SELECT " + ",".join("1" for _ in range(400_000)))
PY
all() { try "$1" "$bidsql" -c "CREATE STREAM t ($2) WITH (connector='file', path='$dir/$3', format='$4', $skip); SELECT * FROM t"; }
all 0 "a STRING" long.jsonl json
all 1 "a BIGINT" cut.jsonl.gz json
grep -q "cut\|broken\|trunc" "$dir/err" || { echo "a truncated gzip is not named: $(cat "$dir/err")"; failures=$((failures + 1)); }
all 0 "a STRING" utf8.jsonl json
[ "$(wc -l <"$dir/out")" -eq 1 ] || { echo "invalid UTF-8 got through"; failures=$((failures + 1)); }
all 0 "a BIGINT" numbers.jsonl json
all 0 "a DOUBLE" numbers.jsonl json
all 0 "a DECIMAL(38,2)" numbers.jsonl json
all 0 "t TIMESTAMP(3)" times.jsonl json
all 0 "a BIGINT" deep.jsonl json
all 0 "a BIGINT" keys.jsonl json
all 0 "a BIGINT, b BIGINT" ragged.csv csv
try 0 "$bidsql" -c "SELECT c9999 FROM '$dir/wide.jsonl'"
try 0 "$bidsql" -c "SELECT c9999 FROM '$dir/wide.csv'"
try 0 "$bidsql" -f "$dir/columns.sql"
grep -q '"x":9999' "$dir/out" || { echo "10,000 columns"; failures=$((failures + 1)); }
try "0|3" "$bidsql" -f "$dir/big.sql"
try "0|3" "$bidsql" -f "$dir/list.sql"
try 3 "$bidsql" -f "$dir/nested.sql"
try 3 "$bidsql" -f "$dir/nots.sql"
# A few lines that come to any size where views and WITH are put in.
for text in doubling doubling_columns chain views selected; do
    try 3 "$bidsql" -f "$dir/$text.sql"
done
try 0 "$bidsql" -f "$dir/short_chain.sql"
try 3 "$bidsql" -f "$dir/garbage.sql"
try 0 "$bidsql" -c ""
try 0 "$bidsql" -c ";;;"
try 1 "$bidsql" --memory-limit 1MiB -c "CREATE STREAM g WITH (connector='nexmark', rows = 3000000); SELECT COUNT(DISTINCT bid.price) AS n FROM g"
[ "$failures" -eq 0 ]

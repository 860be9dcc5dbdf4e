#!/bin/sh
# A record of more than 64 MB is one bad row, and the rows around it are read: the same from a file, a packed file and a pipe.
set -u
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
bidsql=$(realpath "${BIDSQL:-./bidsql}")
cd "$dir" || exit 1

python3 - <<'PY'
long, most = 100_000_000, 64 << 20
def write(name, start, fill, end, count):
    with open(name, "w") as file:
        file.write(start + fill * count + end)
write("long.jsonl", '{"a":"first"}\n{"a":"', "x", '"}\n{"a":"last"}\n', long)
write("long.csv", "a\nfirst\n", "x", "\nlast\n", long)
write("long.log", "first\n", "x", "\nlast\n", long)
write("fits.log", "first\n", "x", "\nlast\n", most)
PY

check() { # file, format, rows wanted in all
    sql="CREATE STREAM t (a STRING) WITH (connector = 'file', path = '$4', format = '$2', on_error = 'dead_letter', dead_letter = 'd'); SELECT LENGTH(a) AS n FROM t; SELECT line, LENGTH(text) AS kept, reason FROM d"
    "$bidsql" --memory-limit 1GiB -q -c "$sql" >out 2>err
    [ "$(cat out)" = "$3" ] || { echo "$1 as $4: $(cut -c1-200 out err)"; failures=$((failures + 1)); }
}

short='{"n":5}
{"n":4}'
for file in long.jsonl:json:2 long.csv:csv:3 long.log:raw:2; do
    name=${file%%:*} line=${file##*:} format=${file#*:}
    format=${format%:*}
    bad='{"line":'$line',"kept":1024,"reason":"the record is longer than 64 MB"}'
    check $name $format "$short
$bad" $name
    gzip -1 <$name >$name.gz
    check $name $format "$short
$bad" $name.gz
    # dead letters of a pipe: read once, so that one query at a time sees it
    rows=$(cat $name | "$bidsql" -q -c "CREATE STREAM t (a STRING) WITH (connector = 'file', path = '-', format = '$format', on_error = 'skip'); SELECT LENGTH(a) AS n FROM t" 2>err)
    [ "$rows" = "$short" ] && grep -q "1 bad row (decode): the record is longer than 64 MB" err || { echo "$name from a pipe: $rows $(cat err)"; failures=$((failures + 1)); }
done
gzip -1 <fits.log >fits.log.gz
for name in fits.log fits.log.gz; do
    check $name raw '{"n":5}
{"n":67108864}
{"n":4}' $name
done
[ "$failures" -eq 0 ]

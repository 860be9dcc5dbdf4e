#!/bin/sh
# Packed files: members and frames one behind the other, bytes that tell more than names, and no archive that ends early passes for a short one.
set -u
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
bidsql=$(realpath "${BIDSQL:-./bidsql}")
cd "$dir" || exit 1

python3 - <<'PY'
import gzip, random, subprocess

def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout

rows = lambda first, last: b"".join(b'{"a":%d}\n' % n for n in range(first, last))
write = lambda name, data: open(name, "wb").write(data)
all_rows = rows(0, 200000)
write("members.jsonl.gz", b"".join(gzip.compress(rows(n, n + 1000)) for n in range(0, 200000, 1000)))
write("frames.jsonl.zst", b"".join(zstd(rows(n, n + 20000)) for n in range(0, 200000, 20000)))
write("checked.jsonl.zst", zstd(all_rows, "--check"))
write("split.jsonl.gz", gzip.compress(all_rows[:777777]) + gzip.compress(all_rows[777777:])) # within a row
write("padded.jsonl.gz", gzip.compress(all_rows) + b"\0" * 1000)
write("plain.jsonl.gz", all_rows)
write("packed.jsonl", gzip.compress(all_rows))
write("packed2.jsonl", zstd(all_rows))
write("skippable.jsonl.zst", b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd(all_rows))
write("empty_member.jsonl.gz", gzip.compress(b"") + gzip.compress(all_rows) + gzip.compress(b""))
whole_gz, whole_zst = gzip.compress(all_rows), zstd(all_rows)
for share in (0.0001, 0.3, 0.999, None):
    cut = (lambda data: data[:-1] if share is None else data[:int(len(data) * share)])
    name = "end" if share is None else str(share)
    write(f"cut-{name}.jsonl.gz", cut(whole_gz))
    write(f"cut-{name}.jsonl.zst", cut(whole_zst))
write("cut-second.jsonl.gz", whole_gz + whole_gz[:100])
write("trailing.jsonl.gz", whole_gz + b"no gzip")
write("trailing.jsonl.zst", whole_zst + b"no zstd")
damaged = bytearray(whole_gz); damaged[len(damaged) // 2] ^= 0x40
write("damaged.jsonl.gz", bytes(damaged))
damaged = bytearray(zstd(all_rows, "--check")); damaged[-2] ^= 1
write("damaged.jsonl.zst", bytes(damaged))
# a header longer than what is looked at first
names = [f"a_column_with_a_long_name_{i}" for i in range(5000)]
write("wide.csv.gz", gzip.compress((",".join(reversed(names)) + "\n" + ",".join(str(i) for i in reversed(range(5000))) + "\n").encode()))
open("wide.sql", "w").write("CREATE STREAM t (" + ", ".join(f"{n} BIGINT" for n in names) + ") WITH (connector = 'file', path = 'wide.csv.gz', header = 'true'); SELECT " + names[0] + " AS first, " + names[4999] + " AS last FROM t")
write("bad.jsonl.gz", gzip.compress(rows(0, 150000) + b'{"a":"x"}\n' + rows(0, 10)))
PY

stream() { echo "CREATE STREAM t (a BIGINT) WITH (connector = 'file', path = '$1', format = 'json'${2:-}); SELECT COUNT(*) AS n, SUM(a) AS s FROM t"; }
good='{"n":200000,"s":19999900000}'

for file in members.jsonl.gz frames.jsonl.zst checked.jsonl.zst split.jsonl.gz padded.jsonl.gz plain.jsonl.gz packed.jsonl packed2.jsonl skippable.jsonl.zst empty_member.jsonl.gz; do
    for threads in 1 3; do
        rows=$("$bidsql" -q --threads $threads -c "$(stream $file)" 2>&1)
        [ "$rows" = "$good" ] || { echo "$file: $rows"; failures=$((failures + 1)); }
    done
    rows=$("$bidsql" -q -c "$(stream -)" <$file 2>&1)
    [ "$rows" = "$good" ] || { echo "$file from stdin: $rows"; failures=$((failures + 1)); }
    rows=$(cat $file | "$bidsql" -q -c "$(stream -)" 2>&1)
    [ "$rows" = "$good" ] || { echo "$file from a pipe: $rows"; failures=$((failures + 1)); }
done

for file in cut-*.gz cut-*.zst trailing.jsonl.gz trailing.jsonl.zst damaged.jsonl.gz damaged.jsonl.zst; do
    for policy in "" ", on_error = 'skip'"; do
        case "$file$policy" in damaged.jsonl.gz) continue ;; esac # the damaged row may come before the checksum says so
        "$bidsql" -q -c "$(stream $file "$policy")" >out 2>err
        [ $? -eq 1 ] && grep -q "'$file'.*\(truncated\|damaged\|follow\)" err || { echo "$file$policy: $(cat out err)"; failures=$((failures + 1)); }
    done
done

rows=$("$bidsql" -q -f wide.sql 2>&1)
[ "$rows" = '{"first":0,"last":4999}' ] || { echo "a long header: $rows"; failures=$((failures + 1)); }

"$bidsql" -q -c "$(stream bad.jsonl.gz)" >out 2>err
[ $? -eq 1 ] && grep -q "bad.jsonl.gz:150001" err || { echo "a bad row in a packed file: $(cat err)"; failures=$((failures + 1)); }

# What a sink packs, everybody unpacks.
for ending in gz zst; do
    "$bidsql" -q -c "CREATE STREAM g (a BIGINT) WITH (connector = 'datagen', rows = 200000, 'fields.a.kind' = 'sequence');
        CREATE TABLE o WITH (connector = 'file', path = 'out.jsonl.$ending', format = 'json') AS SELECT a FROM g" || failures=$((failures + 1))
    rows=$("$bidsql" -q -c "$(stream out.jsonl.$ending)" 2>&1)
    [ "$rows" = "$good" ] || { echo "written as $ending: $rows"; failures=$((failures + 1)); }
done
gzip -t out.jsonl.gz && zstd -q -t out.jsonl.zst || failures=$((failures + 1))
[ "$failures" -eq 0 ]

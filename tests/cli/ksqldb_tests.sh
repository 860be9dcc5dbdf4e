#!/bin/sh
# bidsql test --ksqldb: cases of every kind, and what the lists say about them.
set -u
bidsql=$(realpath "${BIDSQL:-./bidsql}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

cat >"$work/small.json" <<'END'
{ // a comment
 "tests": [
  { "name": "copies", "format": ["JSON"],
    "statements": ["CREATE STREAM i (k STRING KEY, v INT) WITH (kafka_topic='in', value_format='{FORMAT}');", "CREATE STREAM o AS SELECT k, v AS w FROM i;"],
    "inputs": [ {"topic": "in", "key": "a", "value": {"V": 1}, "timestamp": 5}, {"topic": "in", "key": "b", "value": {"v": 2}} ],
    "outputs": [ {"topic": "O", "key": "a", "value": {"W": 1}, "timestamp": 5}, {"topic": "O", "key": "b", "value": {"W": 2}, "timestamp": 0} ],
    "post": {"sources": [ {"name": "O", "type": "stream", "schema": "K STRING KEY, W INT", "valueFormat": "JSON"} ]} },
  { "name": "differs",
    "statements": ["CREATE STREAM i (k STRING KEY, v INT) WITH (kafka_topic='in', value_format='JSON');", "CREATE STREAM o AS SELECT k, v FROM i;"],
    "inputs": [ {"topic": "in", "key": "a", "value": {"V": 1}} ],
    "outputs": [ {"topic": "O", "key": "a", "value": {"V": 2}} ] },
  { "name": "is refused", "statements": ["CREATE STREAM o AS SELECT * FROM nowhere;"],
    "expectedException": {"type": "io.confluent.ksql.util.KsqlException", "message": "nowhere does not exist."} },
  { "name": "is not for today", "enabled": false, "statements": [] }
 ]
}
END

check() { # what, expected exit code, expected text; the output is in $work/out
    [ "$code" -eq "$2" ] || { echo "$1: exit code $code instead of $2"; failed=1; }
    grep -qF "$3" "$work/out" || { echo "$1: no '$3' in:"; cat "$work/out"; failed=1; }
}
run() {
    "$bidsql" test --ksqldb --lists="$work" "$@" "$work/small.json" >"$work/out" 2>&1
    code=$?
}

printf "does not exist\tno stream, table or view\n" >"$work/errors.txt"
run
check "without a list" 1 "2 passed, 1 failed, 1 skipped"
check "the failing case is shown" 1 "small - differs"
check "what was expected" 1 '> "a" -> {"V":2}'
check "what came" 1 '> "a" -> {"V":1} @0'

run --summary
check "groups" 1 "    1  records: value   (small - differs)"

run --admit
check "an admitted case" 0 "0 failed"
run
check "an expected failure" 0 "2 passed, 0 failed, 2 skipped"

printf 'small - copies - JSON\tit cannot\n' >>"$work/expected-failures.txt"
run
check "a listed case that passes" 1 "passes: take it out of the list"
run --update
run
check "the list got shorter" 0 "2 passed, 0 failed, 2 skipped"

printf 'small - copis\tmisspelt\n' >>"$work/expected-failures.txt"
run
check "an entry for nothing" 1 "there is no such case"

rm "$work/errors.txt"
run --case=refused
check "another message" 1 "refused with another message"

exit "$failed"

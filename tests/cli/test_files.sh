#!/bin/sh
# bidsql test: files that are written wrongly, and tests that do not end, are told by line.
set -u
cd "$(dirname "$0")/../.."
bidsql=${BIDSQL:-./bidsql}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

fails() { # text that stdout must hold; the test on stdin
    cat >"$dir/t.test"
    "$bidsql" test --mode=plain --time-limit=1 "$dir/t.test" >"$dir/out" 2>&1 </dev/null
    code=$?
    if [ "$code" -ne 1 ] || ! grep -qF -- "t.test:$1" "$dir/out"; then
        echo "expected exit 1 and \"$1\", got $code:"
        head -5 "$dir/out"
        failures=$((failures + 1))
    fi
}

fails "3: what an error says stands behind '----', not here: 'no such column'" <<'END'
# a comment

statement error no such column
SELECT x;
END
fails "1: nothing stands behind 'statement ok': 'really'" <<'END'
statement ok really
SELECT 1;
END
fails "1: a statement is 'ok' or an 'error', not 'okay'" <<'END'
statement okay
SELECT 1;
END
fails "1: a query is 'changelog', 'final', 'sorted' or 'includes', not 'sort'" <<'END'
query sort
SELECT 1;
----
1
END
fails "1: this does not belong behind a file's name: 'unsorted'" <<'END'
file-is out.csv unsorted
1
END
fails "7: [plain] this does not end: no row for 1 s" <<'END'
topics

statement ok
CREATE STREAM a (id BIGINT) WITH (connector = 'kafka', topic = 'a', format = 'json');
INSERT INTO a VALUES (1);

query
SELECT id FROM a EMIT CHANGES;
----
1
END

[ "$failures" -eq 0 ] || exit 1

#!/bin/sh
# brokers: 3
# One of three brokers is killed while a topic is written, the leader of a partition: the others take over, and nothing is lost.
. "$(dirname "$0")/../check.sh"
rows=400000

"$tool" create "$kafka" "killed-$unique" 3 3
cat >"$work/write.sql" <<END
SET 'properties.bootstrap.servers' = '$kafka';
CREATE STREAM numbers (n BIGINT) WITH (connector = 'datagen', rows = $rows, rows_per_second = 50000, 'fields.n.kind' = 'sequence', 'fields.n.start' = 1);
CREATE STREAM output (k STRING KEY, n BIGINT) WITH (kafka_topic = 'killed-$unique', value_format = 'json');
INSERT INTO output SELECT CAST(n AS STRING), n FROM numbers;
END
timeout 120 "$bidsql" -f "$work/write.sql" >"$work/out" 2>&1 &
query=$!
while [ "$("$tool" count "$kafka" "killed-$unique")" -lt 50000 ]; do kill -0 $query || break; done
victim=$("$tool" leader "$kafka" "killed-$unique" 0)
"$here/broker" kill "$victim"
wait $query || fail "the query goes on" "$(cat "$work/out")"
same "every row is there" "$rows" "$(kcat -C -b "$kafka" -t "killed-$unique" -e -q -f '%k\n' | sort -u | wc -l | tr -d ' ')"
"$here/broker" start "$victim"
"$here/wait" 3 >/dev/null || fail "the broker comes back"
finish

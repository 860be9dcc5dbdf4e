#!/bin/sh
# The broker is stopped, and another time killed, while a topic is written: nothing is lost, and nothing has to be done about it.
. "$(dirname "$0")/../check.sh"
rows=400000

for how in stop kill; do
    "$tool" create "$kafka" "$how-$unique" 3
    cat >"$work/write.sql" <<END
SET 'properties.bootstrap.servers' = '$kafka';
CREATE STREAM numbers (n BIGINT) WITH (connector = 'datagen', rows = $rows, rows_per_second = 100000, 'fields.n.kind' = 'sequence', 'fields.n.start' = 1);
CREATE STREAM output (k STRING KEY, n BIGINT) WITH (kafka_topic = '$how-$unique', value_format = 'json');
INSERT INTO output SELECT CAST(n AS STRING), n FROM numbers;
END
    timeout 120 "$bidsql" -f "$work/write.sql" >"$work/out" 2>&1 &
    query=$!
    while [ "$("$tool" count "$kafka" "$how-$unique")" -lt 50000 ]; do kill -0 $query || break; done
    "$here/broker" $how 1
    "$here/broker" start 1
    "$here/wait" 1 >/dev/null || fail "the broker comes back"
    wait $query || fail "$how: the query goes on" "$(cat "$work/out")"
    same "$how: every row is there" "$rows" "$(kcat -C -b "$kafka" -t "$how-$unique" -e -q -f '%k\n' | sort -u | wc -l | tr -d ' ')"
    same "$how: an idempotent producer writes each once" "$rows" "$("$tool" count "$kafka" "$how-$unique")"
done
finish

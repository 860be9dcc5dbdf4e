#!/bin/sh
# A broker that does not answer makes the query rest: its memory stays within what it may hold, and when the broker is back it goes on by itself.
. "$(dirname "$0")/check.sh"
rows=1500000

"$tool" create "$kafka" "slow-$unique" 3
cat >"$work/slow.sql" <<END
SET 'properties.bootstrap.servers' = '$kafka';
CREATE STREAM numbers (n BIGINT) WITH (connector = 'datagen', rows = $rows, 'fields.n.kind' = 'sequence', 'fields.n.start' = 1);
CREATE STREAM output (k STRING KEY, n BIGINT, t STRING) WITH (kafka_topic = 'slow-$unique', value_format = 'json', memory = '8m');
INSERT INTO output SELECT CAST(n AS STRING), n, LPAD('', 150, 'x') FROM numbers;
END
written() { "$tool" count "$kafka" "slow-$unique"; }
resident() { awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$1/status" 2>/dev/null || echo 0; }

"$bidsql" -f "$work/slow.sql" >"$work/out" 2>&1 &
query=$!
while [ "$(written)" -lt 50000 ]; do kill -0 $query || break; done
"$here/broker" pause 1
most=0 before=""
for look in 1 2 3 4 5 6 7 8; do # it fills up what it may hold, and then rests
    sleep 0.25
    now=$(resident $query)
    [ "$now" -gt "$most" ] && most=$now
done
# librdkafka's own thread of a broker that does not answer may be busy (2.0.2); the query's threads are not
cpu() { for task in "/proc/$query/task"/*; do case $(cat "$task/comm") in rdk:*) ;; *) awk '{ print $14 + $15 }' "$task/stat" ;; esac; done | awk '{ sum += $1 } END { print sum }'; }
before=$(cpu)
sleep 0.5
after=$(cpu)
"$here/broker" resume 1
wait $query || fail "the query goes on when the broker is back" "$(cat "$work/out")"
[ "$most" -gt 0 ] || fail "memory while the broker rests" "there is no process"
within "MiB of memory while the broker rests" "$most" 120
within "ticks of the processor in half a second, while the query rests, too" "$((after - before))" 21
same "all rows are there, each once" "$rows" "$(written)"
finish

#!/bin/sh
# Statements about topics, over a real broker: listed, printed, asserted, made and deleted.
. "$(dirname "$0")/check.sh"

# ---- made with their streams, described, deleted with them ----
sql <<END >"$work/out" || fail "topics are made" "$(cat "$work/notices")"
CREATE STREAM made (k STRING KEY, v BIGINT) WITH (kafka_topic = 'made-$unique', value_format = 'json', partitions = 3, retention_ms = 86400000, cleanup_policy = 'compact,delete');
ASSERT TOPIC 'made-$unique' WITH (partitions = 3, replicas = 1);
INSERT INTO made VALUES ('a', 1), ('b', 2), ('c', 3);
SHOW TOPICS;
SHOW ALL TOPICS EXTENDED;
END
holds "SHOW TOPICS" "$(cat "$work/out")" "made-$unique,3,1
"
holds "EXTENDED counts records and readers" "$(cat "$work/out")" "made-$unique,3,1,3,0,0"
same "topics of the brokers themselves are shown by ALL only" "1" "$(grep -c '^__transaction_state' "$work/out")"
described=$(java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$kafka" --describe --topic "made-$unique")
holds "retention" "$described" "retention.ms=86400000"
holds "clean-up" "$described" "cleanup.policy=compact,delete"

# ---- who reads: a consumer group with one member ----
kcat -u -b "$kafka" -G "readers-$unique" -X auto.offset.reset=earliest "made-$unique" >"$work/read" 2>/dev/null &
reader=$!
tries=0
while [ "$(wc -l <"$work/read")" -lt 3 ] && [ $tries -lt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
holds "consumers and their groups" "$(echo "SHOW TOPICS EXTENDED;" | sql)" "made-$unique,3,1,3,1,1"
kill $reader
wait $reader 2>/dev/null

# ---- PRINT: from the beginning, and what comes from now on ----
same "PRINT from the beginning" 'Key format: KAFKA_STRING
Value format: JSON or KAFKA_STRING
a {"v":1}
b {"v":2}
c {"v":3}' "$(echo "PRINT 'made-$unique' FROM BEGINNING LIMIT 3;" | sql | sed 's/rowtime: .* key: \(.*\), value: \(.*\), partition: [0-2]$/\1 \2/' | grep . | sort)"
echo "PRINT 'made-$unique' LIMIT 1;" | sql >"$work/live" &
printing=$!
tries=0
while kill -0 $printing 2>/dev/null && [ $tries -lt 100 ]; do # until it has begun to look, what is written is not for it
    printf 'later|{"v":4}\n' | kcat -P -b "$kafka" -t "made-$unique" -K '|'
    tries=$((tries + 1))
    sleep 0.1
done
wait $printing
holds "PRINT of what comes" "$(cat "$work/live")" 'key: later, value: {"v":4}'
holds "PRINT of nothing" "$(echo "PRINT 'nothing-$unique';" | sql 2>&1; cat "$work/notices")" "error: there is no topic 'nothing-$unique'"

# ---- ASSERT waits until it holds ----
(sleep 1; "$tool" create "$kafka" "soon-$unique" 2) &
echo "ASSERT TOPIC 'soon-$unique' WITH (partitions = 2) TIMEOUT 20 SECONDS;" | sql || fail "ASSERT waits" "$(cat "$work/notices")"
wait
echo "ASSERT TOPIC 'soon-$unique' WITH (partitions = 3) TIMEOUT 1 SECOND;" | sql && fail "ASSERT of what does not come"
holds "ASSERT of what does not come" "$(cat "$work/notices")" "error: topic 'soon-$unique' has 2 partitions"

# ---- gone with its stream ----
sql <<END || fail "DELETE TOPIC" "$(cat "$work/notices")"
CREATE STREAM made (k STRING KEY, v BIGINT) WITH (kafka_topic = 'made-$unique', value_format = 'json');
DROP STREAM made DELETE TOPIC;
ASSERT NOT EXISTS TOPIC 'made-$unique' TIMEOUT 20 SECONDS;
END
finish

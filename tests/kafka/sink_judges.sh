#!/bin/sh
# What bidsql writes is read by clients that share no code with it: kafkajs, and Apache Kafka's own tools.
. "$(dirname "$0")/check.sh"
[ -d "$top/build/kafka/node/node_modules/kafkajs" ] || { echo "there is no kafkajs"; exit 77; }

# ---- keys, values, tombstones, headers, times: kafkajs writes, bidsql passes on, kafkajs reads ----
# The messages are old: the brokers would delete them at once.
"$tool" create "$kafka" "in-$unique" 4 1 retention.ms=-1
judge write "in-$unique" gzip <<'END'
{"key":"a","value":"{\"v\":1}","headers":{"trace":"t-1","empty":""},"timestamp":1700000000123,"partition":0}
{"key":null,"value":"{\"v\":2}","timestamp":1700000001000,"partition":1}
{"key":"c","value":"{\"v\":null}","timestamp":1700000002000,"partition":2}
{"key":"","value":"{\"v\":4}","timestamp":1700000003000,"partition":3}
END
sql <<END || fail "passing messages on" "$(cat "$work/notices")"
SET 'dialect' = 'ksql'; -- which passes headers on
CREATE STREAM input (\`k\` STRING KEY, \`v\` BIGINT)
  WITH (kafka_topic = 'in-$unique', value_format = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE STREAM output WITH (kafka_topic = 'out-$unique', value_format = 'json', retention_ms = -1) AS SELECT \`k\`, \`v\` * 10 AS \`v\` FROM input;
END
same "the new topic has as many partitions as the one that is read" "4" "$(kcat -L -b "$kafka" -t "out-$unique" -J | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["topics"][0]["partitions"]))')"
same "keys, values, headers and times, as kafkajs reads them" \
'"" {"v":40} {} 1700000003000
"a" {"v":10} {"trace":"t-1","empty":""} 1700000000123
"c" {"v":null} {} 1700000002000
null {"v":20} {} 1700000001000' \
"$(judge read "out-$unique" | python3 -c '
import json, sys
for m in sorted((json.loads(l) for l in sys.stdin), key=lambda m: json.dumps(m["key"])):
    print(json.dumps(m["key"]), m["value"], json.dumps(m["headers"], separators=(",", ":")), m["timestamp"])')"

# ---- a table: updates are messages, a row that goes is a tombstone ----
sql <<END || fail "writing a table" "$(cat "$work/notices")"
CREATE TABLE balances (account STRING PRIMARY KEY, amount BIGINT) WITH (connector = 'upsert-kafka', topic = 'balances-$unique', value_format = 'json', partitions = 2, retention_ms = -1);
INSERT INTO balances (ROWTIME, account, amount) VALUES (1000, 'x', 5), (2000, 'y', 7), (3000, 'x', NULL);
END
same "messages of a table" \
'x 1000 {"account":"x","amount":5}
x 3000 {"account":"x","amount":null}
y 2000 {"account":"y","amount":7}' \
"$(judge read "balances-$unique" | python3 -c '
import json, sys
for m in sorted((json.loads(l) for l in sys.stdin), key=lambda m: (m["key"], m["timestamp"])):
    print(m["key"], m["timestamp"], m["value"])')"
printf 'k1:\n' | kcat -P -b "$kafka" -t "balances-$unique" -K : -Z
printf 'y:\n' | kcat -P -b "$kafka" -t "balances-$unique" -K : -Z
sql <<END || fail "passing a tombstone on" "$(cat "$work/notices")"
CREATE TABLE rows_of (account STRING PRIMARY KEY, amount BIGINT) WITH (connector = 'kafka', topic = 'balances-$unique', value_format = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE copies WITH (kafka_topic = 'copies-$unique', value_format = 'json', partitions = 1) AS SELECT account, amount FROM rows_of EMIT CHANGES;
END
holds "a row that goes is a message without value" "$(judge read "copies-$unique")" '"key":"y","value":null'
same "a table's topic is compacted" "compact" \
    "$(java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$kafka" --describe --topic "copies-$unique" | grep -o "cleanup.policy=[a-z]*" | cut -d= -f2)"

# ---- a key's partition is the Java client's ----
keys="a b c 0 1 42 user-17 ключ key,with:signs $(seq 100 140 | tr '\n' ' ')"
"$tool" create "$kafka" "java-$unique" 7
for key in $keys; do printf '%s\t{"v":1}\n' "$key"; done |
    java_tool kafka.tools.ConsoleProducer --bootstrap-server "$kafka" --topic "java-$unique" --property parse.key=true --property 'key.separator=	' >/dev/null ||
    fail "the Java producer" "$(cat "$work/java.log")"
sql <<END || fail "writing keys" "$(cat "$work/notices")"
CREATE STREAM input (k STRING KEY, v BIGINT) WITH (kafka_topic = 'java-$unique', value_format = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE STREAM output WITH (kafka_topic = 'keys-$unique', value_format = 'json') AS SELECT k, v FROM input;
END
partitions() { kcat -C -b "$kafka" -t "$1" -e -q -f '%k %p\n' | sort; }
same "partitions of keys" "$(partitions "java-$unique")" "$(partitions "keys-$unique")"
same "all keys are there" "$(echo "$keys" | wc -w)" "$(partitions "keys-$unique" | wc -l | tr -d ' ')"

# ---- or any partition, whatever the key ----
sql <<END || fail "writing to any partition" "$(cat "$work/notices")"
CREATE STREAM numbers (n BIGINT) WITH (connector = 'datagen', rows = 200, 'fields.n.kind' = 'sequence', 'fields.n.start' = 1);
CREATE STREAM output (k STRING KEY, n BIGINT) WITH (kafka_topic = 'any-$unique', value_format = 'json', partitions = 3, 'sink.partitioner' = 'round-robin', 'sink.parallelism' = 2);
INSERT INTO output SELECT 'the same', n FROM numbers;
END
same "one key in all partitions" "3 200" "$(kcat -C -b "$kafka" -t "any-$unique" -e -q -f '%p\n' | sort -u | wc -l | tr -d ' ') $("$tool" count "$kafka" "any-$unique")"

# ---- windowed keys stand in the partition of the key without its window, as Kafka Streams has it; its consumer reads them ----
sql <<END || fail "writing windows" "$(cat "$work/notices")"
CREATE STREAM input (k STRING KEY, v BIGINT) WITH (kafka_topic = 'java-$unique', value_format = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE counts WITH (kafka_topic = 'windows-$unique', value_format = 'json') AS SELECT k, COUNT(*) AS n FROM input WINDOW TUMBLING (SIZE 1 DAY) GROUP BY k EMIT FINAL;
END
same "partitions of windowed keys" "$(partitions "java-$unique")" \
    "$(judge read "windows-$unique" | python3 -c '
import json, sys
for m in map(json.loads, sys.stdin): print(m["key"].split("\x00")[0], m["partition"])' | sort)"

# ---- codecs: what Apache Kafka's own consumer reads, and what its log says ----
for codec in none gzip snappy lz4 zstd; do
    sql <<END || fail "writing with $codec" "$(cat "$work/notices")"
CREATE STREAM numbers (n BIGINT) WITH (connector = 'datagen', rows = 500, 'fields.n.kind' = 'sequence', 'fields.n.start' = 1);
CREATE STREAM output (k STRING KEY, n BIGINT, t STRING)
  WITH (kafka_topic = '$codec-$unique', value_format = 'json', partitions = 1, 'properties.compression.type' = '$codec', 'properties.linger.ms' = '200');
INSERT INTO output SELECT CAST(n AS STRING), n, 'the same text again and again' FROM numbers;
END
    java_tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$kafka" --topic "$codec-$unique" --from-beginning --max-messages 500 --timeout-ms 20000 >"$work/$codec" ||
        fail "the Java consumer of $codec" "$(cat "$work/java.log")"
    same "messages with $codec" '500 {"n":500,"t":"the same text again and again"}' "$(wc -l <"$work/$codec" | tr -d ' ') $(tail -1 "$work/$codec")"
    size=$(java_tool org.apache.kafka.tools.LogDirsCommand --bootstrap-server "$kafka" --describe --topic-list "$codec-$unique" | tail -1 | python3 -c '
import json, sys
print(json.loads(sys.stdin.readline())["brokers"][0]["logDirs"][0]["partitions"][0]["size"])')
    [ "$codec" = none ] && plain=$size
    [ "$codec" = none ] || [ "$size" -lt $((plain / 2)) ] || fail "$codec takes less room" "$size bytes, without a codec $plain"
done
finish

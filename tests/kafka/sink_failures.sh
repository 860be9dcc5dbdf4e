#!/bin/sh
# What goes wrong while a topic is written: said clearly, and by the stream's policy.
. "$(dirname "$0")/check.sh"

numbers="CREATE STREAM numbers (n BIGINT) WITH (connector = 'datagen', rows = 1000, 'fields.n.kind' = 'sequence', 'fields.n.start' = 1);"
# one of the thousand is larger than the topic takes
rows="SELECT CAST(n AS STRING), CASE WHEN n = 500 THEN LPAD('x', 5000, 'x') ELSE 'short' END FROM numbers"

# ---- a message that is too large for the topic: only that one is refused, also when it would have shared a batch with others ----
for policy in fail skip dead_letter; do
    "$tool" create "$kafka" "small-$policy-$unique" 1 1 max.message.bytes=2000
    letters=""
    [ "$policy" = dead_letter ] && letters=", dead_letter_topic = 'letters-$unique'"
    sql <<END
$numbers
CREATE STREAM small (k STRING KEY, t STRING) WITH (kafka_topic = 'small-$policy-$unique', value_format = 'json', on_error = '$policy' $letters);
INSERT INTO small $rows;
END
    code=$?
    count=$(kcat -C -b "$kafka" -t "small-$policy-$unique" -e -q -f '%k\n' | sort -n | uniq | wc -l | tr -d ' ')
    case $policy in
    fail)
        same "fail: the exit code" 1 $code
        holds "fail: the message" "$(cat "$work/notices")" "error: a message was not delivered to 'small-fail-$unique', partition 0: Broker: Message size too large"
        ;;
    skip)
        same "skip: the exit code and what is there" "0 999" "$code $count"
        holds "skip: it is counted" "$(cat "$work/notices")" "small: 1 bad row (sink): Broker: Message size too large"
        ;;
    dead_letter)
        same "dead_letter: the exit code and what is there" "0 999" "$code $count"
        same "dead_letter: key, kind and topic" "500 sink small-dead_letter-$unique 5008" \
            "$(kcat -C -b "$kafka" -t "letters-$unique" -e -q -J | python3 -c '
import json, sys
for m in map(json.loads, sys.stdin):
    h = dict(zip(m["headers"][::2], m["headers"][1::2]))
    print(m["key"], h["bq.error.kind"], h["bq.error.topic"], len(m["payload"]))')"
        ;;
    esac
done

# ---- topics that cannot be made, or are not as they should be ----
sql <<END && fail "a missing topic that shall not be made"
$numbers
CREATE STREAM nowhere (k STRING KEY, t STRING) WITH (kafka_topic = 'nowhere-$unique', value_format = 'json', 'sink.create-topic' = false);
INSERT INTO nowhere $rows;
END
holds "a missing topic that shall not be made" "$(cat "$work/notices")" "error: there is no topic 'nowhere-$unique'"
sql <<END && fail "more replicas than brokers"
CREATE STREAM many (k STRING KEY, t STRING) WITH (kafka_topic = 'many-$unique', value_format = 'json', partitions = 1, replicas = 3);
END
holds "more replicas than brokers" "$(cat "$work/notices")" "cannot make the topic 'many-$unique'"
sql <<END && fail "another number of partitions"
CREATE STREAM other (k STRING KEY, t STRING) WITH (kafka_topic = 'small-fail-$unique', value_format = 'json', partitions = 4);
END
holds "another number of partitions" "$(cat "$work/notices")" "the topic 'small-fail-$unique' is there with 1 partition, not 4"
holds "nothing is left of the stream" "$(printf "CREATE STREAM other (k STRING KEY, t STRING) WITH (kafka_topic = 'small-fail-$unique', value_format = 'json', partitions = 4); SHOW STREAMS;" | sql; cat "$work/notices")" "is there with 1 partition"

# ---- a topic that goes while it is written ----
"$tool" create "$kafka" "gone-$unique" 1
(sleep 1; "$tool" delete "$kafka" "gone-$unique") &
sql <<END && fail "a topic that was deleted"
CREATE STREAM slow (n BIGINT) WITH (connector = 'datagen', rows = 100000, rows_per_second = 1000, 'fields.n.kind' = 'sequence', 'fields.n.start' = 1);
CREATE STREAM gone (k STRING KEY, n BIGINT) WITH (kafka_topic = 'gone-$unique', value_format = 'json', 'properties.delivery.timeout.ms' = '4000');
INSERT INTO gone SELECT CAST(n AS STRING), n FROM slow;
END
wait
holds "a topic that was deleted" "$(cat "$work/notices")" "a message was not delivered to 'gone-$unique'"
finish

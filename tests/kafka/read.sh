# Reading: which topics and partitions, from where and up to where, and what a message is.
. "$(dirname "$0")/check.sh"

topic=read-$unique
"$tool" create "$kafka" $topic 3
produce() { # partition, from, to: {"id":N}
    seq "$2" "$3" | sed 's/.*/{"id":&}/' | kcat -P -b "$kafka" -t $topic -p "$1"
}
ids() { # properties of the source
    sql <<SQL | tail -n +2 | tr -d '\r' | sort -n | tr '\n' ' '
CREATE STREAM s (id INT) WITH (connector = 'kafka', topic = '$topic', format = 'json', 'scan.bounded.mode' = 'latest-offset', 'memory' = '4m' $1);
SELECT id FROM s;
SQL
}
produce 0 1 3
produce 1 11 12

same "all there is, without the empty partition" "1 2 3 11 12 " "$(ids "")"
same "from the end on: nothing" "" "$(ids ", 'scan.startup.mode' = 'latest-offset'")"
same "specific offsets, and the beginning where none is said" "2 3 11 12 " "$(ids ", 'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = 'partition:0,offset:1'")"
same "up to specific offsets" "1 11 12 " "$(ids ", 'scan.bounded.mode' = 'specific-offsets', 'scan.bounded.specific-offsets' = 'partition:0,offset:1;partition:1,offset:2'" 2>&1)"

# A group without offsets begins where auto.offset.reset says; with them, there.
group=group-$unique
same "a new group begins at the beginning" "1 2 3 11 12 " "$(ids ", 'properties.group.id' = '$group'")"
same "or at the end" "" "$(ids ", 'properties.group.id' = '$group', 'properties.auto.offset.reset' = 'latest'")"
kcat -C -b "$kafka" -G $group -X auto.offset.reset=earliest -e $topic >/dev/null 2>&1
same "kcat's group has read it all" "" "$(ids ", 'properties.group.id' = '$group'")"
produce 2 21 21
same "and goes on there" "21 " "$(ids ", 'properties.group.id' = '$group'")"
same "up to the group's offsets" "1 2 3 11 12 " "$(ids ", 'scan.startup.mode' = 'earliest', 'scan.bounded.mode' = 'group', 'properties.group.id' = '$group'")"

# Times.
sleep 0.01
between=$(date +%s%3N)
sleep 0.01
produce 0 4 5
same "from a time on" "4 5 " "$(ids ", 'scan.startup.mode' = 'timestamp', 'scan.startup.timestamp-millis' = '$between'")"
same "up to a time" "1 2 3 11 12 21 " "$(ids ", 'scan.bounded.mode' = 'timestamp', 'scan.bounded.timestamp-millis' = '$between'")"

# Lists, patterns.
"$tool" create "$kafka" $topic-b 1
echo '{"id":100}' | kcat -P -b "$kafka" -t $topic-b
out=$(sql <<SQL
CREATE STREAM both (id INT, topic STRING METADATA FROM 'topic', p INT METADATA FROM 'partition', o BIGINT METADATA FROM 'offset')
WITH (connector = 'kafka', topic = '$topic;$topic-b', format = 'json', 'scan.bounded.mode' = 'latest-offset');
SELECT id, topic = '$topic-b' AS b, p, o FROM both WHERE id >= 12;
CREATE STREAM matching (id INT) WITH (connector = 'kafka', 'topic-pattern' = '$topic-[a-z]', format = 'json', 'scan.bounded.mode' = 'latest-offset');
SELECT id FROM matching;
SQL
)
holds "a list of topics" "$out" "12,false,1,1"
holds "a list of topics" "$out" "100,true,0,0"
holds "a pattern matches whole names" "$(echo "$out" | tail -1)" "100"

# Transactions: what is aborted never shows, what is open is waited for, and offsets that are none do not keep an end from being found.
"$tool" create "$kafka" $topic-t 1
"$tool" transaction "$kafka" $topic-t 0 commit '{"id":1}' '{"id":2}'
"$tool" transaction "$kafka" $topic-t 0 abort '{"id":3}'
read_transactions() {
    sql <<SQL | tail -n +2 | tr -d '\r' | tr '\n' ' '
CREATE STREAM t (id INT) WITH (connector = 'kafka', topic = '$topic-t', format = 'json', 'scan.bounded.mode' = 'latest-offset' $1);
SELECT id FROM t;
SQL
}
same "what is aborted does not show" "1 2 " "$(read_transactions "")"
same "unless it is asked for" "1 2 3 " "$(read_transactions ", 'properties.isolation.level' = 'read_uncommitted'")"
"$tool" transaction "$kafka" $topic-t 0 open '{"id":4}'
echo '{"id":5}' | kcat -P -b "$kafka" -t $topic-t -p 0
same "behind an open transaction the topic ends for now" "1 2 " "$(read_transactions "")"

# What a message is: key, headers, time; with and without them; however it was compressed.
"$tool" create "$kafka" $topic-m 1
for codec in none gzip snappy lz4 zstd; do
    echo "k1|{\"id\":1,\"codec\":\"$codec\"}" | kcat -P -b "$kafka" -t $topic-m -K '|' -H name=bidsql -z $codec
done
printf 'k2|' | kcat -P -b "$kafka" -t $topic-m -K '|' -Z
out=$(sql <<SQL
CREATE STREAM m (k STRING KEY, id INT, codec STRING, h BYTES HEADER('name'), at TIMESTAMP(3) METADATA FROM 'timestamp')
WITH (connector = 'kafka', topic = '$topic-m', key_format = 'kafka', value_format = 'json', 'scan.bounded.mode' = 'latest-offset');
SELECT k, id, codec, from_bytes(h, 'utf8') AS h, at > TIMESTAMP '2024-01-01 00:00:00' AS recent FROM m;
SQL
)
same "messages" "k,id,codec,h,recent k1,1,none,bidsql,true k1,1,gzip,bidsql,true k1,1,snappy,bidsql,true k1,1,lz4,bidsql,true k1,1,zstd,bidsql,true k2,,,,true " "$(echo "$out" | tr -d '\r' | tr '\n' ' ')"

# 10 MB in one message; a message that is none.
"$tool" create "$kafka" $topic-l 1
"$tool" size "$kafka" $topic-l 0 10000000
echo 'poison' | kcat -P -b "$kafka" -t $topic-l -p 0
echo '{"id":2,"text":"y"}' | kcat -P -b "$kafka" -t $topic-l -p 0
large() {
    sql <<SQL
CREATE STREAM l (id INT, text STRING) WITH (connector = 'kafka', topic = '$topic-l', format = 'json', 'scan.bounded.mode' = 'latest-offset', 'on_error' = '$1');
SELECT id, length(text) AS n FROM l;
SQL
}
same "10 MB" "id,n 1,9999982 2,1 " "$(large skip | tr -d '\r' | tr '\n' ' ')"
holds "and what was skipped is said" "$(cat "$work/notices")" "$topic-l-0"
large fail >/dev/null
holds "a poison message is named" "$(cat "$work/notices")" "$topic-l-0, offset 1"

# Messages that are gone: no gap that nobody sees; who begins at the beginning begins at what there is.
"$tool" create "$kafka" $topic-g 1
seq 1 10 | sed 's/.*/{"id":&}/' | kcat -P -b "$kafka" -t $topic-g
echo "{\"partitions\":[{\"topic\":\"$topic-g\",\"partition\":0,\"offset\":5}],\"version\":1}" >"$work/gone.json"
java_tool org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$kafka" --offset-json-file "$work/gone.json" >/dev/null || fail "messages could not be deleted" "$(cat "$work/java.log")"
read_gone() {
    sql <<SQL | tail -n +2 | tr -d '\r' | tr '\n' ' '
CREATE STREAM g (id INT) WITH (connector = 'kafka', topic = '$topic-g', format = 'json', 'scan.bounded.mode' = 'latest-offset' $1);
SELECT id FROM g;
SQL
}
same "what is left" "6 7 8 9 10 " "$(read_gone "")"
same "nothing from an offset that is gone" "" "$(read_gone ", 'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = 'partition:0,offset:2'")"
holds "but an error" "$(cat "$work/notices")" "'$topic-g-0' has no messages from offset 2 on any more"

# A topic that is not there, a broker that is not there.
LIMIT=20 sql >/dev/null <<SQL
CREATE STREAM n (id INT) WITH (connector = 'kafka', topic = 'no-such-$unique', format = 'json', 'scan.bounded.mode' = 'latest-offset');
SELECT * FROM n;
SQL
holds "no such topic" "$(cat "$work/notices")" "there is no topic 'no-such-$unique'"
LIMIT=20 sql >/dev/null <<SQL
CREATE STREAM n (id INT) WITH (connector = 'kafka', topic = 'x', format = 'json', 'properties.bootstrap.servers' = '127.0.0.1:1');
SELECT * FROM n;
SQL
holds "no broker" "$(cat "$work/notices")" "cannot reach Kafka at '127.0.0.1:1'"
finish

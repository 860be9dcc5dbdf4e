# Reading what goes on being written: new partitions, new topics of a pattern, topics that go, one that is never read, and credentials of nobody.
. "$(dirname "$0")/check.sh"

topic=live-$unique
"$tool" create "$kafka" $topic 1

live_query() { # name, properties: runs in the background until it is ended; $work/NAME: its rows, $work/NAME.notices
    cat >"$work/$1.sql" <<SQL
SET 'properties.bootstrap.servers' = '$kafka';
CREATE STREAM s (id INT) WITH (connector = 'kafka', format = 'json', 'scan.topic-partition-discovery.interval' = '200 ms', $2);
SELECT id FROM s;
SQL
    "$bidsql" -o csv -f "$work/$1.sql" >"$work/$1" 2>"$work/$1.notices" &
    eval "$1=$!"
}
until_rows() { # name, count: waits for that many rows, 20 seconds at most
    tries=0
    while [ "$(tail -n +2 "$work/$1" | wc -l)" -lt "$2" ] && [ $tries -lt 400 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    tail -n +2 "$work/$1" | tr -d '\r' | sort -n | tr '\n' ' '
}
until_ended() { # pid: 40 seconds at most
    tries=0
    while kill -0 "$1" 2>/dev/null && [ $tries -lt 800 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
}
put() { # topic, partition, id
    echo "{\"id\":$3}" | kcat -P -b "$kafka" -t "$1" -p "$2"
}

live_query one "topic = '$topic'"
live_query late "topic = '$topic', 'scan.startup.mode' = 'latest-offset'"
live_query pattern "'topic-pattern' = '$topic.*'"
put $topic 0 1
same "a message is there at once" "1 " "$(until_rows one 1)"
"$tool" grow "$kafka" $topic 3
put $topic 2 2
put $topic 1 3
same "new partitions are read" "1 2 3 " "$(until_rows one 3)"
until_rows late 2 >/dev/null
same "from their beginnings, also where reading began at the end" "2 3" "$(grep -o '^[23]' "$work/late" | sort | tr '\n' ' ' | sed 's/ $//')"
"$tool" create "$kafka" $topic-more 1
put $topic-more 0 4
same "a pattern finds new topics" "1 2 3 4 " "$(until_rows pattern 4)"
"$tool" delete "$kafka" $topic
until_ended "$one"
holds "a topic that was deleted ends its query" "$(cat "$work/one.notices")" "while it was read: there is no"
until_ended "$pattern"
holds "also where a pattern names it" "$(cat "$work/pattern.notices")" "while it was read: there is no"
kill "$late" "$one" "$pattern" 2>/dev/null
wait 2>/dev/null

finish

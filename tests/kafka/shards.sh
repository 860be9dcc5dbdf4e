# Several processes share a topic's partitions: each reads its own, together they read all, once.
. "$(dirname "$0")/check.sh"

topic=shards-$unique
"$tool" create "$kafka" $topic 5
seq 1 100 | sed 's/.*/{"id":&}/' | kcat -P -b "$kafka" -t $topic -X linger.ms=1 -X batch.num.messages=10
shard() { # i/n
    cat >"$work/shard.sql" <<SQL
SET 'properties.bootstrap.servers' = '$kafka';
CREATE STREAM s (id INT, p INT METADATA FROM 'partition') WITH (connector = 'kafka', topic = '$topic', format = 'json', 'shards' = 3, 'scan.bounded.mode' = 'latest-offset');
SELECT p, id FROM s;
SQL
    timeout 30 "$bidsql" --shard "$1" -o csv -f "$work/shard.sql" 2>>"$work/notices" | tail -n +2 | tr -d '\r'
}
for i in 0 1 2; do
    shard $i/3 >"$work/$i"
    same "partitions of shard $i" "" "$(cut -d, -f1 "$work/$i" | sort -u | awk -v i=$i '$1 % 3 != i')"
done
same "together" "$(seq 1 100)" "$(cat "$work/0" "$work/1" "$work/2" | cut -d, -f2 | sort -n)"

# Offsets are committed for the group; a second process with the same shard is noticed.
group=shards-$unique
run() { timeout 30 "$KAFKA_SOURCE" "$kafka" $topic $group "$1" 2 "$2"; }
run 0 2 >"$work/zero" &
run 1 2 >"$work/one"
wait $!
same "two different shards" "100" "$(($(cat "$work/zero") + $(cat "$work/one")))"
committed=0
for p in 0 1 2 3 4; do committed=$((committed + $("$tool" committed "$kafka" $group $topic $p))); done
same "the group's offsets" "100" "$committed"
same "one after the other" "0" "$(run 0 1)"
run 0 12 >"$work/first" &
first=$!
run 0 12 >"$work/second"
second=$?
wait $first && [ $second -eq 0 ] && fail "nobody has noticed that there are two" "$(cat "$work/first" "$work/second")"
holds "it says who the other one is" "$(cat "$work/first" "$work/second")" "reads as shard 0/2 of group '$group', too"
finish

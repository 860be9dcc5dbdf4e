# brokers: 3
# Reading while brokers come and go: killed, restarted, frozen, leaders moved. Every message comes once, none is lost.
. "$(dirname "$0")/../check.sh"

topic=brokers-$unique
"$tool" create "$kafka" $topic 3 3
cat >"$work/query.sql" <<SQL
SET 'properties.bootstrap.servers' = '$kafka';
CREATE STREAM s (id INT) WITH (connector = 'kafka', topic = '$topic', format = 'json');
SELECT id FROM s;
SQL
"$bidsql" -o csv -f "$work/query.sql" >"$work/rows" 2>"$work/notices" &
query=$!

next=1
put() { # count: so many messages to all partitions, each acknowledged by the replicas in sync
    seq $next $((next + $1 - 1)) | sed 's/.*/{"id":&}/' | timeout 60 kcat -P -b "$kafka" -t $topic -X acks=all -X enable.idempotence=true 2>"$work/kcat" || fail "kcat could not write" "$(cat "$work/kcat")"
    next=$((next + $1))
}
all_came() { # what happened before
    tries=0
    while [ "$(tail -n +2 "$work/rows" | wc -l)" -lt $((next - 1)) ] && [ $tries -lt 1200 ] && kill -0 $query 2>/dev/null; do
        sleep 0.05
        tries=$((tries + 1))
    done
    tail -n +2 "$work/rows" | tr -d '\r' | sort -n >"$work/came"
    seq 1 $((next - 1)) | diff - "$work/came" >"$work/differences" || fail "messages after: $1" "$(head -5 "$work/differences")" "$(cat "$work/notices")"
}

put 1000
all_came "nothing"
for broker in 1 2 3; do
    "$here/broker" kill $broker
    put 1000
    all_came "broker $broker was killed"
    "$here/broker" start $broker
    "$here/wait" 3 || fail "broker $broker does not come back"
    put 1000
    all_came "broker $broker came back"
done
"$here/broker" stop 1
put 1000
"$here/broker" start 1
"$here/wait" 3 || fail "broker 1 does not come back"
put 1000
all_came "broker 1 was restarted, its leaders moved"
"$here/broker" pause 2
put 1000
sleep 8 # until the others think it dead
put 1000
"$here/broker" resume 2
put 1000
all_came "broker 2 was frozen"
kill $query
wait $query 2>/dev/null
finish

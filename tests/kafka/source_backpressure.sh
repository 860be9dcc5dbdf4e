# Who reads results slowly slows the reading of the topic: memory stays bounded, nothing is lost, and it goes on by itself.
. "$(dirname "$0")/check.sh"

topic=pressure-$unique
messages=400000
"$tool" create "$kafka" $topic 4
"$tool" bids "$kafka" $topic $messages
cat >"$work/query.sql" <<SQL
SET 'properties.bootstrap.servers' = '$kafka';
CREATE STREAM bids (auction BIGINT, url STRING) WITH (connector = 'kafka', topic = '$topic', format = 'json', 'scan.bounded.mode' = 'latest-offset');
SELECT auction, url FROM bids;
SQL
mkfifo "$work/pipe"
"$bidsql" -o csv -f "$work/query.sql" >"$work/pipe" 2>"$work/notices" &
query=$!
exec 3<"$work/pipe"
read -r header <&3
sleep 3
resident=$(awk '/^VmRSS/ { print int($2 / 1024) }' /proc/$query/status)
within "MiB held while nobody reads, of a topic of $((messages * 230 / 1048576)) MiB" "$resident" 96
same "every row comes in the end" "$messages" "$(wc -l <&3 | tr -d ' ')"
exec 3<&-
wait $query
same "and it ends well" "0" "$?"
finish

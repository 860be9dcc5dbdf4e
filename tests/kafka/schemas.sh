# Avro with a schema registry at a real broker: Confluent's client writes what bidsql reads and reads what it writes; the registry goes away meanwhile.
. "$(dirname "$0")/check.sh"

venv=$top/build/registry/venv
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" >/dev/null 2>&1 && "$venv/bin/pip" install -q --disable-pip-version-check "fastavro==1.13.1" "confluent-kafka[avro,json,protobuf,schemaregistry]==2.16.0" grpcio-tools >/dev/null 2>&1 && touch "$venv/.complete"
fi
"$venv/bin/python" -c 'import confluent_kafka.schema_registry.avro' 2>/dev/null || { echo "PyPI gives no confluent-kafka"; exit 77; }
mkfifo "$work/alive"
exec 7<>"$work/alive"
"$venv/bin/python" "$top/tests/registry/server.py" "$work/port" <"$work/alive" 7>&- &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
for i in $(seq 100); do [ -e "$work/port" ] && break; sleep 0.05; done
registry=http://127.0.0.1:$(cat "$work/port")
confluent() { timeout 60 "$venv/bin/python" "$here/schemas.py" "$1" "$kafka" "$registry" "$2"; }
away() { "$venv/bin/python" -c "import urllib.request as u; u.urlopen(u.Request('$registry/test/away?requests=$1', method='POST'))"; }
settings() { echo "SET 'schema.registry.url' = '$registry';"; }

# Columns come from the registry; the schema is fetched by the number that the messages say.
topic=schemas-$unique
"$tool" create "$kafka" $topic 2
confluent produce $topic
out=$( { settings; cat <<SQL
CREATE STREAM bids WITH (connector = 'kafka', topic = '$topic', key_format = 'kafka', value_format = 'avro', 'scan.bounded.mode' = 'latest-offset');
SELECT auction, COUNT(*) AS n, MAX(price) AS most FROM bids GROUP BY auction ORDER BY auction;
SQL
} | sql)
same "what Confluent's serializer wrote" "auction,n,most
0,34,99
1,33,97
2,33,98" "$(echo "$out" | tr -d '\r')"

# What is written: schemas of key and value, registered; Confluent's deserializer reads it.
{ settings; cat <<SQL
CREATE STREAM bids WITH (connector = 'kafka', topic = '$topic', value_format = 'avro', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE counts (auction BIGINT PRIMARY KEY, n BIGINT, most INT) WITH (connector = 'kafka', topic = '$topic-counts', format = 'avro');
INSERT INTO counts SELECT auction, COUNT(*) AS n, MAX(price) AS most FROM bids GROUP BY auction;
SQL
} | sql
same "what Confluent's deserializer reads" '0 {"MOST": 99, "N": 34}
1 {"MOST": 97, "N": 33}
2 {"MOST": 98, "N": 33}' "$(confluent consume $topic-counts | sed 's/"most"/"MOST"/; s/"n"/"N"/' | awk '{ last[$1] = $0 } END { for (k in last) print last[k] }' | sort)"

# A running query meets a schema that it does not know while the registry is away: it waits, and nothing is lost.
{ settings; cat <<SQL
CREATE STREAM bids WITH (connector = 'kafka', topic = '$topic', value_format = 'avro');
CREATE STREAM copy WITH (connector = 'file', path = '$work/copy.jsonl', format = 'json') AS SELECT auction, price FROM bids;
SQL
} >"$work/live.sql"
{ echo "SET 'properties.bootstrap.servers' = '$kafka';"; cat "$work/live.sql"; } >"$work/live-script.sql"
timeout 60 "$bidsql" -f "$work/live-script.sql" 2>"$work/live-notices" &
live=$!
for i in $(seq 300); do [ "$(cat "$work/copy.jsonl" 2>/dev/null | wc -l)" -ge 100 ] && break; sleep 0.1; done
confluent changed $topic
away 5
confluent_lines() { cat "$work/copy.jsonl" 2>/dev/null | wc -l; }
for i in $(seq 300); do [ "$(confluent_lines)" -ge 110 ] && break; sleep 0.1; done
kill -INT $live 2>/dev/null
wait $live
same "nothing is lost while the registry is away" "110" "$(confluent_lines | tr -d ' ')"
holds "rows of the new schema" "$(tail -10 "$work/copy.jsonl")" '"auction":7'

# Debezium's changes.
"$tool" create "$kafka" $topic-changes 1
kcat -P -b "$kafka" -t $topic-changes <<'JSON'
{"before":null,"after":{"id":1,"name":"a"},"op":"c"}
{"before":null,"after":{"id":2,"name":"b"},"op":"c"}
{"before":{"id":1,"name":"a"},"after":{"id":1,"name":"z"},"op":"u"}
{"before":{"id":2,"name":"b"},"after":null,"op":"d"}
JSON
out=$(sql <<SQL
CREATE TABLE changes (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH (connector = 'kafka', topic = '$topic-changes', format = 'debezium-json', 'scan.bounded.mode' = 'latest-offset');
SELECT id, name FROM changes;
SQL
)
same "changes of a database" "id,name
1,z" "$(echo "$out" | tr -d '\r')"
finish

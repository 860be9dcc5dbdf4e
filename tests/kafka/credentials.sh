# TLS and passwords: a cluster of its own that wants both. Who is not let in is told so at once, and does not knock for ever.
. "$(dirname "$0")/check.sh"

export KAFKA_SECURITY=sasl_ssl KAFKA_DIRECTORY="$work/cluster"
secured=$("$here/start" 1 2>"$work/start" | tail -1)
[ -n "$secured" ] || { cat "$work/start"; exit 1; }
trap '"$here/stop"; rm -rf "$work"' EXIT
topic=secured
with="-X security.protocol=sasl_ssl -X sasl.mechanism=SCRAM-SHA-256 -X sasl.username=bidsql -X sasl.password=bidsql-secret -X ssl.ca.location=$KAFKA_DIRECTORY/ca.pem"
java_admin="$work/admin.properties"
cat >"$java_admin" <<PROPERTIES
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="bidsql" password="bidsql-secret";
ssl.truststore.type=PEM
ssl.truststore.location=$KAFKA_DIRECTORY/ca.pem
PROPERTIES
java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$secured" --command-config "$java_admin" --create --topic $topic --partitions 1 >/dev/null ||
    fail "the topic could not be made" "$(cat "$work/java.log")"
echo '{"id":1}' | kcat -P -b "$secured" -t $topic $with

read_with() { # properties; $seconds: how long it took
    begun=$(date +%s%3N)
    LIMIT=40 sql <<SQL
CREATE STREAM s (id INT) WITH (connector = 'kafka', topic = '$topic', format = 'json', 'scan.bounded.mode' = 'latest-offset', 'properties.bootstrap.servers' = '$secured' $1);
SELECT id FROM s;
SQL
    code=$?
    took=$(($(date +%s%3N) - begun))
}
door=", 'properties.security.protocol' = 'SASL_SSL', 'properties.ssl.ca.pem' = '\${file:$KAFKA_DIRECTORY/ca.pem}'"
user=", 'properties.sasl.mechanism' = 'SCRAM-SHA-256', 'properties.sasl.username' = 'bidsql'"
export BIDSQL_TEST_PASSWORD=bidsql-secret
same "with everything right" "id 1 " "$(read_with "$door $user, 'properties.sasl.password' = '\${env:BIDSQL_TEST_PASSWORD}'" | tr -d '\r' | tr '\n' ' ')"

read_with "$door $user, 'properties.sasl.password' = 'wrong-and-secret'" >/dev/null
holds "a wrong password" "$(cat "$work/notices")" "refuses the connection"
case "$(grep -v 'CREATE STREAM' "$work/notices")" in *wrong-and-secret*) fail "the password is in the message" "$(cat "$work/notices")" ;; esac
within "ms until a wrong password is told" "$took" 10000
attempts=$(grep -c 'Failed authentication' "$KAFKA_DIRECTORY/1/log")
[ "$attempts" -le 5 ] || fail "it knocked $attempts times"

read_with ", 'properties.security.protocol' = 'SASL_SSL' $user, 'properties.sasl.password' = 'bidsql-secret'" >/dev/null
holds "an authority that is not known" "$(cat "$work/notices")" "refuses the connection"
read_with "" >/dev/null
holds "no TLS where the broker wants it" "$(cat "$work/notices")" "cannot reach Kafka at"
read_with "$door $user, 'properties.sasl.password' = '\${env:NOBODY_SET_THIS}'" >/dev/null
holds "a variable that is not there" "$(cat "$work/notices")" "the environment has no variable 'NOBODY_SET_THIS'"
finish

#!/bin/sh
# Traces over OTLP/HTTP, decoded by OpenTelemetry's own definitions: requests, statements, starts and turns of queries, checkpoints; a collector that is slow, busy or away.
set -u
cd "$(dirname "$0")/../.."
place=build/otlp-python
cmp -s tests/server/otlp/requirements.txt "$place/requirements.txt" || {
    rm -rf "$place"
    python3 -m venv "$place" && "$place/bin/pip" install -q --disable-pip-version-check -r tests/server/otlp/requirements.txt && cp tests/server/otlp/requirements.txt "$place" || exit 1
}
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server:tests/server/otlp exec "$place/bin/python" - <<'PY'
import json, os, subprocess
from collector import Collector
from serving import Server, check, finish, folder, program, until

QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "5"}

def metric(server, line):
    return next((float(found.rsplit(" ", 1)[1]) for found in server.ask("GET", "/metrics")[1].splitlines() if found.startswith(line)), None)

# A request, the statements in it, and the query that they start, are one trace: that of the caller.
collector = Collector()
data = os.path.join(folder, "data")
server = Server("--topics-in-memory", "--data-dir", data, "--checkpoint-interval", "20 ms", "--otlp-endpoint", collector.url + "/", "--trace-turns", "1 ms", **QUICK)
trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
sql = ("CREATE STREAM bids (auction INT, price DOUBLE) WITH (connector = 'datagen', rows_per_second = 1000);"
    "CREATE TABLE totals AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction EMIT CHANGES;")
status, text, _ = server.ask("POST", "/ksql", {"ksql": sql, "streamsProperties": {}}, traceparent=f"00-{trace}-{parent}-01", tracestate="vendor=1", user_agent="tester/1")
check("done", status == 200, text)
check("they come", collector.wait(lambda spans: {"POST /ksql", "CREATE", "CREATE AS", "query start", "query turn", "checkpoint"} <= {span.name for span in spans}), collector.spans)
request, = collector.named("POST /ksql")
check("the caller's trace", (request.trace, request.parent, request.kind) == (trace, parent, "server") and request.raw.trace_state == "vendor=1", request.raw)
check("by the conventions", {key: request.attributes.get(key) for key in ("http.request.method", "http.route", "http.response.status_code", "url.scheme", "network.protocol.version",
    "client.address", "user_agent.original", "server.address")} == {"http.request.method": "POST", "http.route": "/ksql", "http.response.status_code": 200, "url.scheme": "http",
    "network.protocol.version": "1.1", "client.address": "127.0.0.1", "user_agent.original": "tester/1", "server.address": server.url.split("//")[1]}, request)
check("flags: sampled, the parent is elsewhere", request.raw.flags == 0x301, request.raw.flags)
create, = collector.named("CREATE AS")
check("the statement below it", (create.trace, create.parent, create.kind) == (trace, request.id, "internal"), create)
check("what it was", create.attributes["db.system.name"] == "bidsql" and create.attributes["db.operation.name"] == "CREATE AS" and create.attributes["db.query.text"] ==
    "CREATE TABLE totals AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction EMIT CHANGES", create)
start, = collector.named("query start")
check("the query below that", (start.trace, start.parent) == (trace, create.id) and start.attributes["bidsql.query.id"] == "CTAS_TOTALS_1" and start.raw.flags == 0x101, start)
check("times are within each other", request.start <= create.start <= start.start <= start.end <= create.end <= request.end, (request, create, start))
turn = collector.named("query turn")[0]
check("a turn is a trace of its own, linked to the start", turn.trace != trace and not turn.parent and turn.raw.links[0].span_id.hex() == start.id and turn.raw.links[0].trace_id.hex() == trace, turn.raw)
check("what it did", turn.attributes["bidsql.query.id"] == "CTAS_TOTALS_1" and turn.attributes["bidsql.turn.number"] >= 1 and turn.attributes["bidsql.turn.rows_in"] >= 0, turn)
checkpoint = collector.named("checkpoint")[0]
check("a checkpoint", checkpoint.attributes["bidsql.checkpoint.queries"] == 1 and checkpoint.attributes["bidsql.checkpoint.bytes"] > 0 and checkpoint.attributes["bidsql.checkpoint.number"] >= 1, checkpoint)
check("who it is from", request.resource["service.name"] == "bidsql" and len(request.resource["service.instance.id"]) == 22 and request.scope.name == "bidsql", request.resource)
check("where it is sent to", {path for path, _ in collector.requests} == {"/v1/traces"} and {headers["Content-Type"] for _, headers in collector.requests} == {"application/x-protobuf"},
    collector.requests[0])

# What goes wrong is said, and what is secret is not.
server.ask("POST", "/ksql", {"ksql": "CREATE STREAM x (a INT) WITH (kafka_topic = 'x', value_format = 'nothing', 'sasl.password' = 'hunter2');"})
check("a failed statement", collector.wait(lambda spans: any(span.failed and span.name == "CREATE" for span in spans)), collector.spans[-5:])
server.ask("POST", "/ksql", {"ksql": "-- hunter2\nINSERT INTO `bids` (auction) VALUES (123456, 'it''s hunter2 -- ', x1, 2.5e1); /* hunter2 */"})
check("literals are no part of it", collector.wait(lambda spans: any(span.attributes.get("db.query.text") == "INSERT INTO `bids` (auction) VALUES (?, ?, x1, ?)" for span in spans)),
    [span.attributes.get("db.query.text") for span in collector.spans if span.attributes.get("db.query.text")])
server.ask("GET", "/v1/query?sql=SELECT%20'hunter3'%20AS%20password", Authorization="Bearer hunter4", Cookie="hunter5", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
server.ask("GET", "/v1/tables/totals/hunter6", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
server.ask("PATCH", "/hunter7", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
check("three more", collector.wait(lambda spans: len([span for span in spans if span.trace == "a" * 32 and span.kind == "server"]) == 3))
check("a path is its route", {span.name for span in collector.spans if span.trace == "a" * 32 and span.kind == "server"} == {"GET /v1/query", "GET /v1/tables/*/*", "PATCH"})

# Parents that are none begin traces.
wrong = ["", "00", f"00-{'0' * 32}-{parent}-01", f"00-{trace}-{'0' * 16}-01", f"00-{trace}-{parent}-0", f"ff-{trace}-{parent}-01", f"00-{trace.upper()}-{parent}-01", f"00-{trace}-{parent}-01-x",
    f"00-{trace}x{parent}-01", f"0g-{trace}-{parent}-01"]
before = len(collector.named("GET /info"))
for value in wrong:
    server.ask("GET", "/info", traceparent=value)
server.ask("GET", "/info", traceparent=f"cc-{trace}-{parent}-01-more") # a later version
check("all are traced", collector.wait(lambda spans: len([span for span in spans if span.name == "GET /info"]) == before + len(wrong) + 1))
taken = [span for span in collector.named("GET /info") if span.trace == trace]
check("and are nobody's", len(taken) == 1 and taken[0].parent == parent and not any(span.parent for span in collector.named("GET /info") if span not in taken), taken)
count = len(collector.spans)
server.ask("GET", "/healthz", traceparent=f"00-{trace}-{parent}-00")
server.ask("GET", "/info")
check("what the caller does not sample is not sampled", collector.wait(lambda spans: len([span for span in spans if span.name == "GET /info"]) == before + len(wrong) + 2)
    and not collector.named("GET /healthz"))

# A pull query and a push query; the request of a push query lasts as long as it.
server.ask("POST", "/query-stream", {"sql": "SELECT * FROM totals WHERE auction = 1;", "properties": {}})
server.ask("POST", "/query-stream", {"sql": "SELECT * FROM bids EMIT CHANGES LIMIT 2;", "properties": {}})
server.ask("POST", "/query", {"ksql": "SELECT 'a' AS a, 7 AS b, 'x'"})
check("a text that ends with a literal", collector.wait(lambda spans: any(span.attributes.get("db.query.text") == "SELECT ? AS a, ? AS b, ?" for span in spans)))
check("both kinds", collector.wait(lambda spans: {"pull", "push"} <= {span.attributes.get("bidsql.query.type") for span in spans if span.name == "SELECT"}), collector.named("SELECT"))
check("spans are counted", metric(server, 'bidsql_trace_spans_total{result="sent"}') > 20 and metric(server, 'bidsql_trace_spans_total{result="dropped"}') == 0)
promtool = subprocess.run(["promtool", "check", "metrics"], input=server.ask("GET", "/metrics")[1], capture_output=True, text=True)
check("promtool", promtool.returncode == 0, promtool.stdout + promtool.stderr)
check("it ends well", server.stop() == 0, server.log)
check("nothing secret was sent", not [secret for secret in (b"hunter2", b"hunter3", b"hunter4", b"hunter5", b"hunter6", b"hunter7") for body in collector.bodies if secret in body])
check("the collector could read it all", not collector.mistakes, collector.mistakes)

# A restart brings queries back in one trace; the last spans are sent before the server ends.
collector = Collector()
server = Server("--topics-in-memory", "--data-dir", data, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="600000")
server.stop()
restore, = collector.named("restore")
check("what came back", [span.attributes["bidsql.query.id"] for span in collector.named("query start") if span.parent == restore.id] == ["CTAS_TOTALS_1"], collector.spans)

# JSON, compression, headers, names: by the environment of OpenTelemetry.
collector = Collector()
server = Server(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url + "/other/place", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL="http/json",
    OTEL_EXPORTER_OTLP_COMPRESSION="gzip", OTEL_EXPORTER_OTLP_HEADERS="api-key=a%20b, x-other=c", OTEL_SERVICE_NAME="prices", OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test%2C1,service.name=no", **QUICK)
server.ask("GET", "/info", user_agent='a "b" \\ \xff')
server.ask("POST", "/ksql", {"ksql": "SHOW STREAMS; DROP STREAM none;"}, traceparent=f"00-{trace}-{parent}-01", tracestate="a=b")
check("it comes", collector.wait(lambda spans: {"GET /info", "POST /ksql"} <= {span.name for span in spans}), collector.mistakes)
path, headers = collector.requests[0]
check("as asked for", path == "/other/place" and headers["Content-Type"] == "application/json" and headers["Content-Encoding"] == "gzip", (path, headers))
headers = {name.lower(): value for name, value in headers.items()}
check("with its headers", headers["api-key"] == "a b" and headers["x-other"] == "c", headers)
info, = collector.named("GET /info")
check("resource", info.resource["service.name"] == "prices" and info.resource["deployment.environment"] == "test,1", info.resource)
check("any text is text", info.attributes["user_agent.original"].startswith('a "b" \\ '), info)
request, = collector.named("POST /ksql")
check("the same in JSON", (request.trace, request.parent, request.raw.trace_state, request.raw.flags, request.attributes["http.response.status_code"]) == (trace, parent, "a=b", 0x301, 400), request)
check("it ends well", server.stop() == 0 and not collector.mistakes, collector.mistakes)

# Samplers.
for sampler, argument, traced in (("always_off", None, 0), ("traceidratio", "0", 0), ("parentbased_always_off", None, 1), ("parentbased_traceidratio", "0.5", None), ("always_on", None, 41)):
    collector = Collector()
    more = {"OTEL_TRACES_SAMPLER_ARG": argument} if argument else {}
    server = Server(OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_TRACES_SAMPLER=sampler, **more, **QUICK)
    for _ in range(40):
        server.ask("GET", "/info")
    server.ask("GET", "/info", traceparent=f"00-{trace}-{parent}-{'00' if sampler == 'always_on' else '01'}")
    server.stop()
    count = len(collector.named("GET /info"))
    check(sampler, count == traced if traced is not None else 1 < count < 41, count)
for off in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
    collector = Collector()
    server = Server(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **off, **QUICK)
    server.ask("GET", "/info")
    server.stop()
    check(f"{off}", not collector.requests)

# A collector that is busy for a while gets everything later; one that refuses part of it is believed.
collector = Collector([(503, {"Retry-After": "0"}, b""), (429, {}, b""), (502, {}, b"")])
server = Server("--otlp-endpoint", collector.url, **QUICK)
server.ask("GET", "/info")
check("it is asked again", collector.wait(lambda spans: any(span.name == "GET /info" for span in spans)) and len(collector.requests) >= 4, collector.requests)
collector.answers.append((200, {}, bytes([0x0a, 0x02, 0x08, 0x01]))) # partial_success { rejected_spans: 1 }
server.ask("GET", "/info")
until("what was refused is counted", lambda: metric(server, 'bidsql_trace_spans_total{result="rejected"}') == 1)
collector.answers.append((400, {}, b"no"))
server.ask("GET", "/healthz")
until("what is wrong is not sent again", lambda: metric(server, 'bidsql_trace_spans_total{result="failed"}') >= 1)
server.stop()
said = [json.loads(line)["msg"] for line in server.log if b"takes traces" in line or b"not take traces" in line]
check("it is said when it begins and when it is over", said[0] == f"'{collector.url}/v1/traces' does not take traces: status 503" and said[1] == f"'{collector.url}/v1/traces' takes traces again", said)

# One that never answers holds nobody up: the queue is bounded, what does not fit is counted, and the server ends in time.
collector = Collector()
collector.held.clear()
server = Server("--otlp-endpoint", collector.url, OTEL_BSP_MAX_QUEUE_SIZE="20", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="5", **QUICK)
for _ in range(100):
    check("answered", server.ask("GET", "/healthz")[0] == 200)
check("the queue is full, and no fuller", metric(server, "bidsql_trace_queue_spans") == 20 and metric(server, 'bidsql_trace_spans_total{result="dropped"}') > 60)
check("it ends nevertheless", server.stop() == 0)
collector.held.set()
server = Server("--otlp-endpoint", "http://user:secret@127.0.0.1:1", "--otlp-headers", "authorization=Bearer ${env:TOKEN_OF_TEST}", TOKEN_OF_TEST="hunter8", **QUICK)
server.ask("GET", "/info")
until("nobody is there", lambda: any(b"does not take traces" in line for line in server.log))
server.stop()
check("no password in the log", not any(b"secret" in line or b"hunter8" in line for line in server.log), server.log)

# A header's value may stand elsewhere.
collector = Collector()
with open(os.path.join(folder, "token"), "w") as file:
    file.write("Bearer from-a-file\n")
with open(os.path.join(folder, "server.conf"), "w") as file:
    file.write(f"otlp-endpoint = {collector.url}\notlp-headers = authorization=${{file:{folder}/token}}\nservice-name = configured\ntraces-sampler = traceidratio:1\n")
server = Server("--config", os.path.join(folder, "server.conf"), **QUICK)
server.ask("GET", "/info")
check("it is read", collector.wait_requests(1) and collector.requests[0][1]["authorization"] == "Bearer from-a-file" and collector.wait(lambda spans: spans)
    and collector.spans[0].resource["service.name"] == "configured", collector.requests)
server.stop()

# Mistakes.
for arguments, said in [(["--otlp-endpoint", "collector:4318"], "'collector:4318' is no address such as http://localhost:4318"), (["--traces-sampler", "some"], "'some' is no sampler"),
    (["--otlp-protocol", "grpc"], "'grpc' is no protocol that is spoken here"), (["--traces-sampler", "traceidratio:2"], "'2' is no ratio"), (["--trace-turns", "x"], "--trace-turns wants a time"),
    (["--otlp-endpoint", "http://localhost", "--otlp-headers", "a b=hunter9"], "is no header")]:
    done = subprocess.run([program, "server", "--listen", "127.0.0.1:0", *arguments], capture_output=True, text=True, timeout=20)
    check(arguments, done.returncode == 2 and said in done.stderr and "hunter9" not in done.stderr, (done.returncode, done.stderr))
server = Server(OTEL_EXPORTER_OTLP_ENDPOINT=Collector().url, OTEL_TRACES_SAMPLER="some", OTEL_EXPORTER_OTLP_PROTOCOL="grpc", OTEL_BSP_MAX_QUEUE_SIZE="many")
server.stop()
check("the environment's are told, and not heeded", all(any(name in line for line in server.log) for name in (b"OTEL_TRACES_SAMPLER: 'some'", b"OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc'",
    b"OTEL_BSP_MAX_QUEUE_SIZE: 'many'")), server.log)
finish()
PY

#!/bin/sh
# docs/openapi.json says what the server answers: every route is in it and the reverse, with who may ask, and real answers fit its schemas.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - <<'PY'
import glob, json, re
from jsonschema import Draft202012Validator, RefResolver
from serving import Server, check, finish, until

with open("docs/openapi.json") as file:
    document = json.load(file)
resolver = RefResolver.from_schema(document)
methods = ("get", "put", "post", "delete")
operations = {(method.upper(), path): operation for path, item in document["paths"].items() for method, operation in item.items() if method in methods}

# The document by itself: references lead somewhere, schemas are schemas, parameters of paths are declared.
def references(tree):
    if isinstance(tree, dict):
        yield from ([tree["$ref"]] if "$ref" in tree else [])
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []:
        yield from references(child)
used = set(references(document))
for reference in used:
    resolver.resolve(reference)
for name, schema in document["components"]["schemas"].items():
    Draft202012Validator.check_schema(schema)
    check(f"nobody uses the schema {name}", f"#/components/schemas/{name}" in used)
for path, item in document["paths"].items():
    check(f"parameters of {path}", re.findall(r"\{(\w+)\}", path) == [parameter["name"] for parameter in item.get("parameters", [])])

# Routes, from the tables in the sources.
routes = {("POST", "/inserts-stream"): "ADMIN"} # its body is read as it comes, so it has no row there
for name in glob.glob("server/*.c"):
    with open(name) as file:
        for method, path, role in re.findall(r'\{ "([A-Z]+)", "(/[^"]*)", \w+, ROLE_(\w+),', file.read()):
            routes[method, path] = role
written = {(method, re.sub(r"\{\w+\}", "*", path)): operation["x-role"].upper() for (method, path), operation in operations.items()}
check("routes that docs/openapi.json does not have", not set(routes) - set(written), set(routes) - set(written))
check("paths that the server does not have", not set(written) - set(routes), set(written) - set(routes))
for route in set(routes) & set(written):
    check(f"who may ask {route}", routes[route] == written[route], (routes[route], written[route]))

# What the server really says.
server = Server("--topics-in-memory")
asked = set()
LINES = ("application/x-ndjson", "application/vnd.ksqlapi.delimited.v1")

def ask(method, template, status, *names, body=None, query="", **headers):
    path = re.sub(r"\{\w+\}", lambda _, left=iter(names): next(left), template)
    code, text, given = server.ask(method, path + query, body, **headers)
    what = f"{method} {path}"
    responses = operations[method, template]["responses"]
    check(what, code == status, (code, text))
    check(f"{what}: status {code}", str(code) in responses or (code >= 400 and "default" in responses))
    response = responses.get(str(code), responses.get("default"))
    if code < 400:
        asked.add((method, template))
    kind = (given["content-type"] or "").split(";")[0]
    if "content" not in response:
        check(f"{what} has no body", not text, text)
        return text
    check(f"{what}: {kind}", kind in response["content"])
    if kind.startswith("text/") or kind not in response["content"]:
        return text
    for value in [json.loads(line) for line in text.splitlines() if line] if kind in LINES else [json.loads(text)]:
        for problem in Draft202012Validator(response["content"][kind]["schema"], resolver=resolver).iter_errors(value):
            check(f"{what}: {problem.message}", False, text)
    return text

bids = "CREATE STREAM bids (auction INT KEY, price DOUBLE, tags ARRAY<STRING>) WITH (kafka_topic = 'bids', value_format = 'json', partitions = 1);"
totals = "CREATE TABLE totals AS SELECT auction, COUNT(*) AS n, SUM(price) AS total FROM bids GROUP BY auction EMIT CHANGES;"
ksql = {"dialect": "ksql"}
for path in ("/healthz", "/readyz", "/chc/live", "/chc/ready", "/metrics", "/info", "/healthcheck", "/status", "/clusterStatus", "/v1/metadata", "/v1/metadata/id"):
    ask("GET", path, 200)
ask("PUT", "/v1/streams/{name}", 201, "bids", body={"sql": bids, "settings": ksql})
ask("PUT", "/v1/tables/{name}", 201, "totals", body={"sql": totals, "settings": ksql})
ask("PUT", "/v1/streams/{name}", 200, "bids", body={"sql": bids, "settings": ksql})
ask("PUT", "/v1/tables/{name}", 200, "totals", body={"sql": totals, "settings": ksql})
ask("PUT", "/v1/streams/{name}", 409, "bids", body={"sql": bids.replace("tags", "labels")})
ask("PUT", "/v1/streams/{name}", 400, "bits", body={"sql": bids})
ask("POST", "/inserts-stream", 200, body=b'{"target":"BIDS"}\n{"AUCTION":1,"PRICE":2.5,"TAGS":["a"]}\n{"AUCTION":2}\n{"AUCTION":"x"}\n')
ask("POST", "/inserts-stream", 200, body=b'{"target":"BIDS"}\n{"AUCTION":1,"PRICE":1}\n', Accept="application/json")
until("the rows are counted", lambda: '"N":2' in server.ask("GET", "/v1/tables/totals/1")[1])
ask("GET", "/v1/tables/{name}/{key}", 200, "totals", "1")
ask("GET", "/v1/tables/{name}/{key}", 200, "totals", "1", query="?key=7&key=1")
ask("GET", "/v1/tables/{name}/{key}", 404, "totals", "7")
ask("GET", "/v1/tables/{name}/{key}", 404, "nothing", "7")
ask("POST", "/v1/statements", 200, body={"sql": "SHOW STREAMS; DESCRIBE bids; SHOW QUERIES; EXPLAIN CTAS_TOTALS_1; SELECT 1; SET 'time_zone' = 'UTC';", "settings": ksql})
ask("POST", "/v1/statements", 200, body={"sql": "CREATE STREAM x (a INT) WITH (connector = 'datagen');", "check": True})
ask("POST", "/v1/statements", 400, body={"sql": "SELECT auctoin FROM bids; SELEC;"})
ask("POST", "/v1/statements", 400, body={"sql": "CREATE STREAM bids (a INT) WITH (connector = 'datagen');"})
ask("POST", "/v1/statements", 400, body=b"[1]")
ask("POST", "/v1/query", 200, body={"sql": "SELECT * FROM totals;", "settings": ksql})
ask("POST", "/v1/query", 200, body={"sql": "SELECT auction, n FROM totals EMIT CHANGES LIMIT 2;", "settings": ksql})
ask("POST", "/v1/query", 200, body={"sql": "SELECT * FROM totals;", "settings": ksql}, Accept="text/event-stream")
ask("POST", "/v1/query", 400, body={"sql": "SELECT nothing FROM totals;"})
ask("GET", "/v1/query", 200, query="?sql=SELECT%201%20AS%20a")
ask("GET", "/v1/query", 400)
ask("GET", "/v1/queries", 200)
ask("GET", "/v1/queries/{id}", 200, "CTAS_TOTALS_1")
ask("GET", "/v1/queries/{id}", 404, "nothing")
ask("POST", "/v1/statements", 200, body={"sql": "CREATE STREAM busy (auction INT, n BIGINT); EXPLAIN ANALYZE SELECT * FROM totals; EXPLAIN ANALYZE CTAS_TOTALS_1;", "settings": ksql})
insert = {"sql": "INSERT INTO busy SELECT auction, 1 AS n FROM bids;", "settings": ksql}
ask("PUT", "/v1/queries/{id}", 201, "busy", body=insert)
ask("PUT", "/v1/queries/{id}", 200, "busy", body=insert)
ask("PUT", "/v1/queries/{id}", 409, "busy", body={"sql": insert["sql"].replace("1 AS", "2 AS")})
ask("PUT", "/v1/queries/{id}", 400, "busy", body={"sql": "SELECT 1;"})
ask("DELETE", "/v1/queries/{id}", 200, "busy")
for path in ("/v1/queries/{id}/pause", "/v1/queries/{id}/resume"):
    ask("POST", path, 200, "CTAS_TOTALS_1")
    ask("POST", path, 404, "nothing")
for kind, name in (("streams", "BIDS"), ("tables", "TOTALS")):
    ask("GET", f"/v1/{kind}", 200)
    ask("GET", f"/v1/{kind}/{{name}}", 200, name)
    ask("GET", f"/v1/{kind}/{{name}}", 404, "nothing")

# ksqlDB's.
ask("POST", "/heartbeat", 200, body={"hostInfo": {"host": "other", "port": 8088}, "timestamp": 1})
ask("POST", "/heartbeat", 400, body={})
ask("POST", "/lag", 200, body={"ksqlHost": "other:8088", "hostStoreLags": {"stateStoreLags": {}, "updateTimeMs": 1}})
ask("POST", "/lag", 400, body={"ksqlHost": "other:8088"})
ask("GET", "/clusterStatus", 200)
ask("POST", "/ksql", 200, body={"ksql": "SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TOPICS; DESCRIBE bids; DESCRIBE FUNCTION sum; SHOW FUNCTIONS; SHOW TYPES; SHOW PROPERTIES; SHOW VARIABLES; EXPLAIN CTAS_TOTALS_1;"})
ask("POST", "/ksql", 400, body={"ksql": "SELEC;"})
ask("POST", "/ksql", 400, body={"nothing": 1})
ask("GET", "/status/{type}/{name}/{action}", 200, "stream", "BIDS", "create")
ask("GET", "/status/{type}/{name}/{action}", 404, "stream", "NOTHING", "create")
ask("POST", "/query", 200, body={"ksql": "SELECT * FROM totals;"})
ask("POST", "/query", 200, body={"ksql": "SELECT auction, n FROM totals EMIT CHANGES LIMIT 1;"})
ask("POST", "/query", 400, body={"ksql": "SELECT nothing FROM totals;"})
for form in ("application/vnd.ksqlapi.delimited.v1", "application/json", "application/vnd.ksql.v1+json"):
    ask("POST", "/query-stream", 200, body={"sql": "SELECT * FROM totals;"}, Accept=form)
ask("POST", "/close-query", 400, body={"queryId": "nothing"})
ask("GET", "/is_valid_property/{name}", 200, "auto.offset.reset")
ask("GET", "/is_valid_property/{name}", 400, "no.such.property")
ask("GET", "/ws/query", 400)
asked.add(("GET", "/ws/query")) # server.sh speaks WebSocket
import http.client
with_body = http.client.HTTPConnection("127.0.0.1", server.port)
with_body.request("GET", "/")
check("/ goes to /info", with_body.getresponse().status == 307)
asked.add(("GET", "/"))
push = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
push.request("POST", "/query-stream", json.dumps({"sql": "SELECT * FROM bids EMIT CHANGES;"}))
answer = push.getresponse()
ask("POST", "/close-query", 200, body={"queryId": json.loads(answer.readline())["queryId"]})
answer.read()
ask("DELETE", "/v1/queries/{id}", 200, "CTAS_TOTALS_1")
ask("DELETE", "/v1/queries/{id}", 404, "CTAS_TOTALS_1")
ask("DELETE", "/v1/tables/{name}", 200, "TOTALS")
ask("DELETE", "/v1/streams/{name}", 200, "BIDS")
ask("DELETE", "/v1/streams/{name}", 404, "BIDS")
ask("POST", "/ksql/terminate", 200, body={})
check("operations that nobody asked", not set(operations) - asked, set(operations) - asked)
server.stop()
finish()
PY

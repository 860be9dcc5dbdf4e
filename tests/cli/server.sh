#!/bin/sh
# `bidsql server` through real clients: curl over HTTP/1.1 and HTTP/2, ksqlDB's npm client, WebSocket; roles, TLS, restarts, kill -9.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 -W ignore::DeprecationWarning - <<'PY'
import json, os, shutil, signal, subprocess, urllib.parse
import websocket
from serving import Server, check, finish, folder, program, until

def curl(server, path, *options, data=None):
    done = subprocess.run(["curl", "-s", "-m", "20", "-w", "\n%{http_code}", *options, *(["--data-binary", "@-"] if data is not None else []), server.url + path],
        input=data.encode() if data is not None else None, capture_output=True)
    body, _, code = done.stdout.decode().rpartition("\n")
    return int(code or 0), body

def ksql(server, text, *options, **more):
    code, body = curl(server, "/ksql", *options, data=json.dumps({"ksql": text, **more}))
    return code, json.loads(body)

def query(server, sql, *options, **more):
    code, body = curl(server, "/query-stream", *options, data=json.dumps({"sql": sql, **more}))
    return code, [json.loads(line) for line in body.splitlines() if line]

server = Server("--topics-in-memory")

# What the server says of itself.
code, body = curl(server, "/info")
check("/info", code == 200 and json.loads(body)["KsqlServerInfo"]["serverStatus"] == "RUNNING", body)
check("/ goes there", curl(server, "/")[0] == 307)
check("/healthcheck", json.loads(curl(server, "/healthcheck")[1])["isHealthy"] is True)
for path in ("/healthz", "/readyz", "/chc/live", "/chc/ready", "/clusterStatus", "/v1/metadata", "/v1/metadata/id", "/status"):
    check(path, curl(server, path)[0] == 200)
check("an unknown path", curl(server, "/nothing")[0] == 404)
check("a wrong method", curl(server, "/ksql")[0] == 405)
check("/is_valid_property", curl(server, "/is_valid_property/auto.offset.reset") == (200, "true"), curl(server, "/is_valid_property/auto.offset.reset"))
check("..which is not", curl(server, "/is_valid_property/no.such.thing")[0] == 400)

# Statements.
code, entities = ksql(server, "CREATE STREAM bids (auction INT KEY, price DOUBLE, at TIMESTAMP) WITH (kafka_topic = 'bids', value_format = 'json', partitions = 1);"
    "CREATE TABLE totals AS SELECT auction, COUNT(*) AS n, SUM(price) AS total FROM bids GROUP BY auction EMIT CHANGES;")
check("two statements", code == 200 and [entity["commandId"] for entity in entities] == ["stream/BIDS/create", "table/TOTALS/create"], entities)
check("the query's id", entities[1]["commandStatus"]["queryId"] == "CTAS_TOTALS_1", entities)
code, error = ksql(server, "CREATE STREAM more (a INT) WITH (kafka_topic = 'more', value_format = 'json', partitions = 1); SELECT nothing FROM bids;")
check("a mistake in a text: nothing is done", code == 400 and error["error_code"] == 40001 and error["entities"] == [] and "MORE" not in json.dumps(ksql(server, "SHOW STREAMS;")[1]), error)
check("its place is shown", "^" in ksql(server, "CREATE STREAM;")[1]["message"], error)
code, error = ksql(server, "SELECT * FROM bids EMIT CHANGES;")
check("SELECT belongs elsewhere", code == 400 and error["error_code"] == 40002, error)
code, error = curl(server, "/ksql", data="[1")
check("no JSON", code == 400 and json.loads(error)["error_code"] == 40000, error)
code, error = curl(server, "/ksql", data="{}")
check("no text", code == 400, error)
check("a large body", curl(server, "/ksql", data="x" * 1100000)[0] == 413)
code, entities = ksql(server, "SHOW STREAMS; SHOW TABLES; SHOW QUERIES; DESCRIBE bids; DESCRIBE FUNCTION sum; SHOW FUNCTIONS; SHOW TYPES; SHOW PROPERTIES; EXPLAIN CTAS_TOTALS_1; SHOW VARIABLES;",
    sessionVariables={"v": "x"})
check("SHOW", code == 200 and [entity["@type"] for entity in entities] == ["streams", "tables", "queries", "sourceDescription", "describe_function", "function_names", "type_list",
    "properties", "queryDescription", "variables"], entities)
check("fields", [field["name"] for field in entities[3]["sourceDescription"]["fields"]] == ["AUCTION", "PRICE", "AT"] and entities[3]["sourceDescription"]["fields"][0]["type"] == "KEY", entities[3])
check("who reads it", [reader["id"] for reader in entities[3]["sourceDescription"]["readQueries"]] == ["CTAS_TOTALS_1"], entities[3])
check("variables", entities[-1]["variables"] == [{"name": "v", "value": "x"}], entities[-1])

# A script of the command line runs there: statements, rows, what -D and --set say, and codes as of scripts that run here.
def client(*arguments, text=""):
    done = subprocess.run([program, "--server", server.url, "-q", *arguments], input=text, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr
code, out, err = client("-D", "name=it's", "-c", "CREATE STREAM by_script (k STRING, v INT); CREATE TABLE by_script_totals AS SELECT k, SUM(v) AS total FROM by_script GROUP BY k;"
    "INSERT INTO by_script VALUES ('${name}', 2), ('b', 3);")
check("a script by -c", (code, out, err) == (0, "", ""), (code, out, err))
until("its rows", lambda: client("-o", "csv", text="SELECT total FROM by_script_totals WHERE k = 'it''s';")[:2] == (0, "total\n2\n"))
check("a mistake in a script", client("-c", "SELECT 1 AS a; SELECT nothing FROM by_script;")[0::2] == (3, """command:1:23: error: no column 'nothing' in by_script
  1 | SELECT 1 AS a; SELECT nothing FROM by_script;
    |                       ^~~~~~~
"""), client("-c", "SELECT 1 AS a; SELECT nothing FROM by_script;"))
check("a setting that there is not", client("--set", "no.such=1", "-c", "SHOW STREAMS")[0::2] == (3, "bidsql: error: no setting 'no.such'\n"), client("--set", "no.such=1", "-c", "SHOW STREAMS"))
check("what is for scripts that run here", client("--check", "-c", "SHOW STREAMS")[0] == 2)
check("dropped", client("-c", "DROP TABLE by_script_totals; DROP STREAM by_script;")[0] == 0)

# Rows in: /inserts-stream over HTTP/2, the body's length unknown. Rows out: pushed, in each of the forms.
push = subprocess.Popen(["curl", "-s", "-N", "-m", "20", "--http2-prior-knowledge", server.url + "/query-stream", "-d",
    json.dumps({"sql": "SELECT auction, price, at FROM bids EMIT CHANGES LIMIT 3;"})], stdout=subprocess.PIPE)
header = json.loads(push.stdout.readline())
check("the header of rows", header["columnNames"] == ["AUCTION", "PRICE", "AT"] and header["columnTypes"] == ["INTEGER", "DOUBLE", "TIMESTAMP"], header)
lines = '{"target":"BIDS"}\n{"AUCTION":1,"PRICE":2.5,"AT":"2026-01-01T00:00:01.000"}\n{"AUCTION":2,"PRICE":1}\n{"auction":1,"price":3}\n'
done = subprocess.run(["curl", "-s", "-m", "20", "--http2-prior-knowledge", "-X", "POST", "-T", "-", server.url + "/inserts-stream"], input=lines.encode(), capture_output=True)
check("acknowledged", [json.loads(line) for line in done.stdout.decode().splitlines()] == [{"status": "ok", "seq": n} for n in range(3)], done.stdout)
rows = [json.loads(line) for line in push.stdout.read().decode().splitlines()]
check("rows come as they are written", rows == [[1, 2.5, "2026-01-01T00:00:01.000"], [2, 1.0, None], [1, 3.0, None]], rows)
done = subprocess.run(["curl", "-s", "-m", "20", "-X", "POST", "-T", "-", server.url + "/inserts-stream"], input=b'{"target":"BIDS"}\n{"AUCTION":"no number"}\n', capture_output=True)
check("a row that does not fit", json.loads(done.stdout)["status"] == "error", done.stdout)
done = subprocess.run(["curl", "-s", "-m", "20", "-X", "POST", "-T", "-", server.url + "/inserts-stream"], input=b'{"target":"NOTHING"}\n{"A":1}\n', capture_output=True)
check("a target that is not there", b"NOTHING" in done.stdout, done.stdout)

until("the table has both", lambda: len(query(server, "SELECT * FROM totals;")[1]) == 3)
code, lines = query(server, "SELECT * FROM totals WHERE auction = 1;")
check("a pull query", lines[1:] == [[1, 2, 5.5]] and lines[0]["queryId"] is None, lines)
code, body = curl(server, "/query", data=json.dumps({"ksql": "SELECT auction, n FROM totals WHERE auction = 2;"}))
check("/query", code == 200 and json.loads(body)[1] == {"row": {"columns": [2, 1]}} and "schema" in json.loads(body)[0]["header"], body)
code, body = curl(server, "/query-stream", "-H", "accept: application/json", data=json.dumps({"sql": "SELECT n FROM totals WHERE auction = 1;"}))
check("one JSON array", json.loads(body)[1:] == [[2]], body)
code, body = curl(server, "/query-stream", "-H", "accept: application/vnd.ksql.v1+json", data=json.dumps({"sql": "SELECT n FROM bids_not_here;"}))
check("a query that is wrong", code == 400 and json.loads(body)["error_code"] == 40001, body)
code, body = curl(server, "/query", data=json.dumps({"ksql": "SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction EMIT CHANGES LIMIT 2;"}))
check("a push query's end", json.loads(body)[-1] == {"finalMessage": "Limit Reached"}, body)

# Ended by its id.
push = subprocess.Popen(["curl", "-s", "-N", "-m", "20", server.url + "/query-stream", "-d", json.dumps({"sql": "SELECT * FROM bids EMIT CHANGES;"})], stdout=subprocess.PIPE)
identity = json.loads(push.stdout.readline())["queryId"]
check("/close-query", curl(server, "/close-query", data=json.dumps({"queryId": identity}))[0] == 200)
push.stdout.read()
check("the peer sees the end", push.wait(10) == 0)
check("no such query", curl(server, "/close-query", data=json.dumps({"queryId": identity}))[0] == 400)

# WebSocket.
ws = websocket.create_connection(f"ws://127.0.0.1:{server.port}/ws/query?" + urllib.parse.urlencode({"request": json.dumps({"ksql": "SELECT auction, n FROM totals;"})}), timeout=10)
check("the schema first", [field["name"] for field in json.loads(ws.recv())] == ["AUCTION", "N"])
rows = [json.loads(ws.recv())["row"]["columns"] for _ in range(2)]
check("a message a row", sorted(rows) == [[1, 2], [2, 1]], rows)
opcode, frame = ws.recv_data()
check("done", frame == b"\x03\xe8done", frame)
ws = websocket.create_connection(f"ws://127.0.0.1:{server.port}/ws/query?" + urllib.parse.urlencode({"request": json.dumps({"ksql": "SELEC;"})}), timeout=10)
check("a mistake closes it", ws.recv_data()[1][:2] == b"\x03\xeb")

# Queries are paused, resumed, ended; what they need stays.
check("what is read stays", "CTAS_TOTALS_1" in ksql(server, "DROP STREAM bids;")[1]["message"])
for verb, state in (("PAUSE", "PAUSED"), ("RESUME", "RUNNING")):
    check(verb, ksql(server, f"{verb} CTAS_TOTALS_1;")[0] == 200 and ksql(server, "SHOW QUERIES;")[1][0]["queries"][0]["state"] == state)
code, _ = curl(server, "/ksql/terminate", data="{}")
check("/ksql/terminate", code == 200 and ksql(server, "SHOW QUERIES;")[1][0]["queries"] == [] and [stream["name"] for stream in ksql(server, "SHOW STREAMS;")[1][0]["streams"]] == ["KSQL_PROCESSING_LOG", "processing_log"], ksql(server, "SHOW STREAMS;"))

# Requests that browsers send for others' pages.
check("another host's name", curl(server, "/info", "-H", "Host: evil.example")[0] == 421)
check("another page", curl(server, "/ksql", "-H", "Origin: http://evil.example", data="{}")[0] == 403)
check("an image of another page", curl(server, "/v1/query?sql=SELECT%201", "-H", "Sec-Fetch-Site: cross-site")[0] == 403)
check("what somebody has typed", curl(server, "/v1/query?sql=SELECT%201", "-H", "Sec-Fetch-Site: none")[0] == 200)
for name in ("localhost.", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example:80", "127.1", "0.0.0.0", "[::1", "localhost:1:2", "a,localhost", "[localhost]x"):
    check(f"the host {name}", curl(server, "/info", "-H", f"Host: {name}")[0] in (400, 421), curl(server, "/info", "-H", f"Host: {name}"))
for name in ("null", server.url + ".evil.example", server.url + "/", "http://localhost:%d@evil.example" % server.port, "file://"):
    check(f"the page {name}", curl(server, "/ksql", "-H", f"Origin: {name}", data="{}")[0] == 403)
check("its own page", curl(server, "/info", "-H", f"Origin: {server.url}")[0] == 200)
check("it ends well", server.stop() == 0, server.log)

# Our own resources.
server = Server("--topics-in-memory", "--dialect", "bidsql")
def v1(method, path, body=None, *options):
    code, text = curl(server, path, "-X", method, *options, data=None if body is None else json.dumps(body))
    return code, json.loads(text) if text.startswith("{") and "\n" not in text else text
bids = "CREATE STREAM bids (auction INT KEY, price DOUBLE) WITH (kafka_topic = 'bids', value_format = 'json', partitions = 1)"
totals = "CREATE TABLE totals AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction EMIT CHANGES"
check("PUT makes", v1("PUT", "/v1/streams/bids", {"sql": bids})[0] == 201)
check("..once", v1("PUT", "/v1/streams/bids", {"sql": bids + ";"})[0] == 200, v1("PUT", "/v1/streams/bids", {"sql": bids + ";"}))
check("..and nothing else", v1("PUT", "/v1/streams/bids", {"sql": bids.replace("DOUBLE", "INT")})[0] == 409)
check("a table", v1("PUT", "/v1/tables/totals", {"sql": totals})[0] == 201)
code, result = v1("POST", "/v1/statements", {"sql": "INSERT INTO bids VALUES (1, 2.5), (2, 1), (1, 3); SHOW STREAMS; SELECT 1;"})
check("statements", code == 200 and [one["kind"] for one in result["results"]] == ["status", "rows", "select"], result)
code, result = v1("POST", "/v1/statements", {"sql": "SELEC 1; SELECT x FROM bids;"})
check("all mistakes at once", code == 400 and len(result["errors"]) >= 1 and "^" in result["errors"][0]["text"] and result["results"] == [], result)
check("nothing is done to be checked", v1("POST", "/v1/statements", {"sql": "CREATE VIEW v AS SELECT * FROM bids;", "check": True})[0] == 200 and "'v'" not in str(v1("POST", "/v1/statements", {"sql": "SHOW VIEWS;"})))
until("a row by its key", lambda: v1("GET", "/v1/tables/totals/1") == (200, {"auction": 1, "n": 2}))
check("rows by their keys", v1("GET", "/v1/tables/totals/9?key=1&key=9") == (200, '[{"auction":1,"n":2}]'))
check("windows by time", v1("GET", "/v1/tables/totals/1?from=0")[0] == 400)
code, lines = curl(server, "/query-stream", data=json.dumps({"sql": "PRINT bids FROM BEGINNING LIMIT 1;"}))
check("PRINT is lines", code == 200 and [line.split(":")[0] for line in lines.splitlines()] == ["Key format", "Value format", "rowtime"], (code, lines))
check("..of topics that there are", curl(server, "/query-stream", data=json.dumps({"sql": "PRINT nosuch;"}))[0] == 400)
check("a table that is inserted into", v1("PUT", "/v1/tables/users", {"sql": "CREATE TABLE users (id BIGINT PRIMARY KEY, name STRING)"})[0] == 201)
v1("POST", "/v1/statements", {"sql": "INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (1, 'anna');"})
check("its newest rows are there at once", v1("GET", "/v1/tables/users/1") == (200, {"id": 1, "name": "anna"}), v1("GET", "/v1/tables/users/1"))
check("and it goes", v1("DELETE", "/v1/tables/users")[0] == 200)
check("no such key", v1("GET", "/v1/tables/totals/9")[0] == 404 and v1("GET", "/v1/tables/totals/x")[0] == 404 and v1("GET", "/v1/tables/none/1")[0] == 404)
lines = [json.loads(line) for line in v1("POST", "/v1/query", {"sql": "SELECT auction, n FROM totals;"})[1].splitlines()]
check("rows with their kind", lines[0]["continuous"] is False and sorted(line["row"] for line in lines[1:-1]) == [[1, 2], [2, 1]] and lines[-1] == {"end": True}, lines)
events = subprocess.Popen(["curl", "-s", "-N", "-m", "20", "-G", server.url + "/v1/query", "--data-urlencode", "sql=SELECT auction FROM bids EMIT CHANGES LIMIT 3"], stdout=subprocess.PIPE)
text = events.communicate()[0].decode()
check("events", text.count("event: row\n") == 3 and text.startswith("event: header\n") and text.endswith("event: end\ndata: {}\n\n"), text)
identity = v1("GET", "/v1/queries")[1]["queries"][0]["id"]
check("queries", v1("GET", f"/v1/queries/{identity}")[1]["state"] == "RUNNING" and v1("GET", "/v1/queries/none")[0] == 404)
check("paused", v1("POST", f"/v1/queries/{identity}/pause")[0] == 200 and v1("GET", f"/v1/queries/{identity}")[1]["state"] == "PAUSED")
check("resumed", v1("POST", f"/v1/queries/{identity}/resume")[0] == 200 and v1("GET", f"/v1/queries/{identity}")[1]["state"] == "RUNNING")
check("streams", [one["name"] for one in v1("GET", "/v1/streams")[1]["streams"]] == ["bids", "KSQL_PROCESSING_LOG", "processing_log"] and v1("GET", "/v1/streams/bids")[1]["readers"] == [identity])
check("what is read stays, here too", v1("DELETE", "/v1/streams/bids")[0] == 400)
check("names are no SQL", v1("DELETE", "/v1/streams/bids%60%3B%20DROP")[0] == 404)
check("ended", v1("DELETE", f"/v1/queries/{identity}")[0] == 200 and v1("DELETE", "/v1/tables/totals")[0] == 200 and v1("DELETE", "/v1/streams/bids")[0] == 200)
server.stop()

# ksqlDB's npm client.
node = "build/node"
if shutil.which("npm") and shutil.which("node"):
    os.makedirs(node, exist_ok=True)
    for name in os.listdir("tests/server/node"):
        shutil.copy(f"tests/server/node/{name}", node)
    installed = os.path.isdir(f"{node}/node_modules/ksqldb-client") or subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=node).returncode == 0
    if installed:
        server = Server("--topics-in-memory")
        done = subprocess.run(["node", "client.js", str(server.port)], cwd=node, capture_output=True, text=True, timeout=60)
        check("ksqldb-client", done.returncode == 0 and done.stdout == "fine\n", done.stdout + done.stderr)
        server.stop()
    else:
        check("npm install ksqldb-client", False)
else:
    check("node and npm are installed", False)

# Stopped or killed, everything comes back.
data = os.path.join(folder, "data")
server = Server("--data-dir", data, "--checkpoint-interval", "50 ms")
ksql(server, "CREATE TABLE doubled AS SELECT * FROM g;", streamsProperties={}) # refused: there is no g
code, entities = ksql(server, "CREATE STREAM g (k INT, v INT) WITH (connector = 'datagen', rows = 400, rows_per_second = 1000, 'fields.k.min' = 0, 'fields.k.max' = 3, 'fields.v.kind' = 'sequence');"
    "CREATE TABLE kept AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM g GROUP BY k EMIT CHANGES;")
check("made", code == 200, entities)
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
    until("some rows", lambda: len(query(server, "SELECT * FROM kept;")[1]) > 1)
    server.stop(number)
    server = Server("--data-dir", data, "--checkpoint-interval", "50 ms")
until("all rows, none lost", lambda: sum(row[1] for row in query(server, "SELECT * FROM kept;")[1][1:]) == 400)
rows = query(server, "SELECT * FROM kept;")[1][1:]
check("none twice", sum(row[2] for row in rows) == 399 * 400 // 2, rows)
check("the catalog is the same", [stream["name"] for stream in ksql(server, "SHOW STREAMS;")[1][0]["streams"]] == ["G", "KSQL_PROCESSING_LOG", "processing_log"])
server.stop()

# Who may do what.
key, certificate, users = (os.path.join(folder, name) for name in ("key.pem", "cert.pem", "users"))
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
    "subjectAltName=IP:127.0.0.1"], capture_output=True, check=True)
line = subprocess.run([program, "server", "--hash-password", "anna"], input="secret\n", capture_output=True, text=True).stdout
import hashlib
open(users, "w").write("# who\n" + line.replace(" reader ", " admin ") + line.replace("anna", "rita") + f"board reader sha256:{hashlib.sha256(b'token-1').hexdigest()}\n")
server = Server("--tls-cert", certificate, "--tls-key", key, "--users", users, "--topics-in-memory")
tls = ["--cacert", certificate]
check("nobody", curl(server, "/ksql", *tls, data=json.dumps({"ksql": "SHOW STREAMS;"}))[0] == 401)
check("health asks nobody", curl(server, "/healthz", *tls)[0] == 200)
check("a wrong password", curl(server, "/ksql", *tls, "-u", "anna:wrong", data=json.dumps({"ksql": "SHOW STREAMS;"}))[0] == 401)
for who in (["-u", "anna:secret"], ["-u", "rita:secret"], ["-H", "Authorization: Bearer token-1"]):
    check(f"{who} reads", ksql(server, "SHOW STREAMS;", *tls, *who)[0] == 200)
create = "CREATE STREAM s (a INT) WITH (kafka_topic = 's', value_format = 'json', partitions = 1);"
check("a reader does not write", ksql(server, create, *tls, "-u", "rita:secret")[0] == 403)
check("an admin does", ksql(server, create, *tls, "-u", "anna:secret", "--http2")[0] == 200)
check("a reader asks", query(server, "SELECT * FROM s EMIT CHANGES LIMIT 0;", *tls, "-u", "rita:secret")[0] in (200, 400))
check("a reader writes no rows", curl(server, "/inserts-stream", *tls, "-u", "rita:secret", data='{"target":"S"}\n')[0] == 403)
codes = [curl(server, "/ksql", *tls, "-u", "anna:guess", data="{}")[0] for _ in range(12)]
check("guessing ends", codes == [401] * 12 and curl(server, "/ksql", *tls, "-u", "rita:guess", data="{}")[0] == 401, codes)
check("who is known goes on", ksql(server, "SHOW STREAMS;", *tls, "-u", "anna:secret")[0] == 200)
server.stop()

# SQL reaches the allowed directories and nothing else.
inside, outside = os.path.join(folder, "inside"), os.path.join(folder, "outside")
for place in (inside, outside):
    os.mkdir(place)
    open(os.path.join(place, "f.jsonl"), "w").write('{"a":1}\n')
    subprocess.run(["sqlite3", os.path.join(place, "d.db"), "CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);"], check=True)
os.symlink(outside, os.path.join(inside, "link"))
os.symlink(os.path.join(outside, "f.jsonl"), os.path.join(inside, "link.jsonl"))
os.mkfifo(os.path.join(inside, "pipe.jsonl"))
server = Server("--allow-dir", inside, "--data-dir", os.path.join(folder, "data2"), "--dialect", "bidsql")
def reads(path):
    code, lines = query(server, f"SELECT a FROM '{path}';")
    return code == 200 and lines[1:] == [[1]]
check("inside", reads(f"{inside}/f.jsonl"), query(server, f"SELECT a FROM '{inside}/f.jsonl';"))
for path in (f"{outside}/f.jsonl", f"{inside}/../outside/f.jsonl", f"{inside}/link/f.jsonl", f"{inside}/link.jsonl", "/etc/passwd", f"{inside}/pipe.jsonl", f"{outside}/*.jsonl",
        f"{inside}/nothing/../../outside/f.jsonl", f"{folder}/data2/catalog.db", "/proc/self/environ", "/dev/zero"):
    code, lines = query(server, f"SELECT * FROM '{path}';")
    check(f"outside: {path}", code in (400, 500) and "error_code" in json.dumps(lines), lines)
for path in (f"{outside}/new.jsonl", f"{inside}/link/new.jsonl", f"{inside}/x/../../outside/new.jsonl"):
    code, lines = ksql(server, f"CREATE STREAM o{abs(hash(path))} WITH (connector = 'file', path = '{path}', format = 'json') AS SELECT 1 AS a;")
    check(f"written outside: {path}", not os.path.exists(f"{outside}/new.jsonl"), lines)
code, lines = ksql(server, f"CREATE TABLE d (a INT PRIMARY KEY) WITH (connector = 'sqlite', path = '{outside}/d.db', table = 't');")
check("databases, too", code != 200 or query(server, "SELECT * FROM d;")[0] != 200, lines)
code, lines = ksql(server, f"CREATE TABLE e (a INT PRIMARY KEY) WITH (connector = 'sqlite', path = '{inside}/d.db', table = 't');")
check("a database inside", code == 200 and query(server, "SELECT * FROM e;")[1][1:] == [[1]], lines)
server.stop()

# How it may listen, and what it says when it may not.
for arguments, code, said in [(["--listen", "0.0.0.0:0"], 2, "--insecure"), (["--listen", "nowhere"], 2, "no address"), (["--tls-cert", certificate], 2, "together"),
    (["--nonsense"], 2, "no option"), (["--users", "/nowhere"], 4, "/nowhere"), (["--max-queries", "x"], 2, "a number"), (["extra"], 2, "extra")]:
    done = subprocess.run([program, "server", *arguments], capture_output=True, text=True, timeout=20)
    check(arguments, done.returncode == code and said in done.stderr, (done.returncode, done.stderr))
finish()
PY

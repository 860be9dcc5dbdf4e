#!/bin/sh
# Bodies that nobody would send: wrong HTTP, wrong JSON, wrong SQL, rows that do not fit. The server answers or hangs up, does not crash, and stops in good order.
# FUZZ: how many requests (2000). SEED: which.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - <<'PY'
import glob, json, os, random, select, socket, time
from serving import Server, check, finish, folder, until

count, seed = int(os.environ.get("FUZZ", "2000")), int(os.environ.get("SEED", "1"))
chance = random.Random(seed)
texts = [open(name, errors="replace").read() for name in sorted(glob.glob("tests/fuzz/corpus/sql/*") + glob.glob("tests/fuzz/corpus/statements/*"))]
texts = [text for text in texts if len(text) < 4000] + [
    "CREATE STREAM bids (auction INT KEY, price DOUBLE) WITH (kafka_topic = 'bids', value_format = 'json', partitions = 1);",
    "CREATE TABLE totals AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction EMIT CHANGES;", "SELECT * FROM totals WHERE auction = 1;", "SELECT auction FROM bids EMIT CHANGES LIMIT 3;",
    "INSERT INTO bids (auction, price) VALUES (1, 2.5), (2, NULL);", "SHOW STREAMS; DESCRIBE bids EXTENDED; EXPLAIN SELECT * FROM bids EMIT CHANGES;", "DROP TABLE totals; DROP STREAM bids;",
    "SET 'sasl.password' = 'x'; DEFINE a = 'b'; SELECT ${a} AS `a`, '${env:HOME}' AS b;", "CREATE STREAM f (a INT) WITH (connector = 'file', path = 'in.jsonl', format = 'json');", "TERMINATE ALL;",
]
open(f"{folder}/in.jsonl", "w").write('{"a": 1}\n{"a": "x"}\n')
words = ["SELECT", "FROM", "(", ")", "'", '"', "`", ",", ";", "*", "${", "}", "--", "/*", "NULL", "9223372036854775808", "1e999", "[", "]", "\0", "\\u0000", "\ud7ff", "é", "CASE", "WITH", "EMIT CHANGES", "LIMIT 0"]
targets = [("POST", "/ksql", "ksql"), ("POST", "/query", "ksql"), ("POST", "/query-stream", "sql"), ("POST", "/v1/statements", "sql"), ("POST", "/v1/query", "sql"), ("PUT", "/v1/streams/bids", "sql"),
    ("PUT", "/v1/tables/totals", "sql"), ("POST", "/close-query", "queryId"), ("POST", "/inserts-stream", None), ("GET", "/v1/tables/totals/1", None), ("GET", "/v1/query?sql=SELECT%201", None),
    ("DELETE", "/v1/queries/nothing", None), ("PUT", "/v1/queries/more", "sql"), ("POST", "/heartbeat", "hostInfo"), ("POST", "/lag", "ksqlHost"), ("GET", "/ws/query?request=%7B%7D", None)]
rows = ['{"target":"BIDS"}\n{"AUCTION":1,"PRICE":2.5}\n', '{"target":"BIDS"}\n{"AUCTION":[1,{"a":null}],"PRICE":"x"}\n{"NOTHING":1}\n{}\n[]\n', '{"target":1}\n']

def other_text(text):
    for _ in range(chance.choice([0, 0, 1, 1, 2, 4, 8])):
        at, end = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        how = chance.randrange(5)
        text = (text[:at] + chance.choice(words) + text[at:] if how == 0 else text[:at] + text[min(end, at + 20):] if how == 1 else text[:end] + text[at:end] + text[end:] if how == 2
                else text[:at] + chr(chance.choice([0, 10, 39, 127, 255, 0x2028, 0x1F600])) + text[at + 1:] if how == 3 else text[:at] + chance.choice(texts)[:200])
    return text[:20000]

def other_bytes(data, most):
    data = bytearray(data)
    for _ in range(chance.randint(0, most)):
        if data:
            at = chance.randrange(len(data))
            data[at:at + chance.choice([0, 1, 1, 5])] = bytes(chance.randrange(256) for _ in range(chance.choice([0, 1, 1, 3])))
    return bytes(data)

def request():
    method, path, name = chance.choice(targets)
    body = b""
    if path == "/inserts-stream":
        body = other_bytes(chance.choice(rows).encode(), chance.choice([0, 3]))
    elif name:
        given = {name: other_text(chance.choice(texts))}
        if chance.random() < 0.3:
            given[chance.choice(["settings", "streamsProperties", "properties", "sessionVariables", "variables", "check", "commandSequenceNumber"])] = chance.choice(
                [{"dialect": "bidsql"}, {"time_zone": "\0"}, {"a": [1, {}]}, [], -1, None, True, {"auto.offset.reset": "latest"}, "x", 1e308])
        body = json.dumps(given).encode()
        if chance.random() < 0.2:
            body = chance.choice([other_bytes(body, 4), b"[" * 5000, b'{"sql":' * 2000, body[:len(body) // 2], b"\xff\xfe", b'{"sql": 1, "ksql": {}}'])
    length = len(body) if chance.random() < 0.97 else chance.choice([0, len(body) + 1, -1, 1 << 63, "x"])
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: {chance.choice(['*/*', 'text/event-stream', 'application/json'])}\r\ncontent-length: {length}\r\n"
    if path.startswith("/ws") and chance.random() < 0.5:
        head += "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    data = head.encode() + b"\r\n" + body
    return other_bytes(data, 6) if chance.random() < 0.15 else data

server = Server("--topics-in-memory", "--max-queries", "20", "--max-subscribers", "50", "--memory-limit", "256MB", "--checkpoint-interval", "1 s", "--data-dir", f"{folder}/data")
for number in range(count):
    data = request()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
        try:
            peer.sendall(data)
            select.select([peer], [], [], 0.2) # an answer's begin will do: many have no end
            peer.setblocking(False)
            peer.recv(65536)
        except OSError:
            pass
    if server.process.poll() is not None:
        check(f"the server is gone after request {number} of seed {seed}", False, (server.process.returncode, data, b"".join(server.log[-30:])))
        break
    if number % 250 == 249:
        check(f"it still answers, {number}", server.ask("GET", "/healthz")[0] == 200)
        check(f"everything can be ended, {number}", server.ask("POST", "/ksql/terminate", {})[0] == 200)
if server.process.poll() is None:
    check("it does what is right", server.sql("SHOW STREAMS;")[0] == 200)
    check("it stops in good order", server.stop() == 0, b"".join(server.log[-30:]))
    server = Server("--topics-in-memory", "--data-dir", f"{folder}/data")
    check("what it has kept opens", server.sql("SHOW STREAMS;")[0] == 200)
    check("and stops", server.stop() == 0)
finish()
PY

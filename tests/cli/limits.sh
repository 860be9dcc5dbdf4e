#!/bin/sh
# How much one peer may ask of `bidsql server`: rates of requests, connections of an address, bodies of who is not known. The periods are hours, so no test waits.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - <<'PY'
import hashlib, http.client, json, os, socket, subprocess
from serving import Server, check, finish, folder, program

def metric(server, line):
    return next((float(found.rsplit(" ", 1)[1]) for found in server.ask("GET", "/metrics")[1].splitlines() if found.startswith(line)), None)

# Of an address: so many, then 429 with ksqlDB's error object, and when to come again.
server = Server("--rate-limit", "5/1 h")
answers = [server.ask("GET", "/info")[0] for _ in range(3)] + [server.ask("GET", "/healthz")[0], server.ask("GET", "/nothing")[0]]
check("five pass, whatever they ask for", answers == [200, 200, 200, 200, 404], answers)
status, text, headers = server.ask("POST", "/ksql", {"ksql": "SHOW STREAMS;"})
check("the sixth does not", status == 429, (status, text))
check("ksqlDB's error object", json.loads(text) == {"@type": "generic_error", "error_code": 42900, "message": "too many requests come from this address"}, text)
check("when to come again", 700 < int(headers["Retry-After"]) <= 720, headers["Retry-After"])
connection = socket.create_connection(("127.0.0.1", server.port))
connection.settimeout(10)
connection.sendall(b"POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
check("it is said before the body has come", connection.recv(100).startswith(b"HTTP/1.1 429 Too Many Requests"))
check("also over HTTP/2", subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-o", "/dev/null", "-w", "%{http_code}", server.url + "/info"], capture_output=True).stdout == b"429")
check("it ends well", server.stop() == 0)

# It is counted.
server = Server("--rate-limit", "100/1 h")
for _ in range(98):
    server.ask("GET", "/healthz")
check("nobody yet", metric(server, 'bidsql_http_rate_limited_total{by="address"}') == 0)
server.ask("GET", "/healthz")
check("now", server.ask("GET", "/metrics")[0] == 429)
server.stop()

# Of a user: each his own; also a token's owner. Who guesses passwords uses nobody's up.
users = os.path.join(folder, "users")
with open(users, "w") as file:
    for name, role in (("anna", "admin"), ("rita", "reader"), ("watch", "reader")):
        file.write(f"{name} {role} sha256:{hashlib.sha256(name.encode()).hexdigest()}\n")
server = Server("--users", users, "--user-rate-limit", "3/1 h")
def as_user(name, token=None):
    return server.ask("GET", "/v1/streams", Authorization=f"Bearer {token or name}")
check("three each", [as_user(name)[0] for name in ("anna", "rita") * 3] == [200] * 6)
status, text, headers = as_user("anna")
check("no fourth", status == 429 and json.loads(text)["message"] == "too many requests come from this user" and int(headers["Retry-After"]) > 0, (status, text))
check("nobody is asked for health", server.ask("GET", "/healthz")[0] == 200)
check("who is unknown is no user", server.ask("GET", "/v1/streams")[0] == 401 and as_user("x", "guess")[0] == 401)
text = server.ask("GET", "/metrics", Authorization="Bearer watch")[1]
check("counted", 'bidsql_http_rate_limited_total{by="user"} 1' in text and 'bidsql_http_rate_limited_total{by="address"} 0' in text, text)

# The body of somebody who is not known is not waited for, and not kept.
connection = socket.create_connection(("127.0.0.1", server.port))
connection.settimeout(10)
connection.sendall(b"POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
check("401 before the body", connection.recv(100).startswith(b"HTTP/1.1 401 Unauthorized"))
server.stop()

# Connections of one address.
server = Server("--max-connections-per-address", "5")
connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
for connection in connections: # all five are taken
    connection.settimeout(10)
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check("one of five", connection.recv(100).startswith(b"HTTP/1.1 200 OK"))
with socket.create_connection(("127.0.0.1", server.port)) as connection:
    connection.settimeout(10)
    try:
        check("no sixth", connection.recv(100) == b"")
    except ConnectionError:
        pass
with socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.2", 0)) as connection:
    connection.settimeout(10)
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check("another address has its own", connection.recv(100).startswith(b"HTTP/1.1 200 OK"))
server.stop()

# A SELECT that computes for too long ends, and its worker is free again.
server = Server("--dialect", "bidsql", "--pull-timeout", "300 ms")
check("made", server.sql("CREATE STREAM many (a BIGINT) WITH (connector = 'datagen', rows = 1000000000000);")[0] == 200)
for path, body in (("/v1/query", {"sql": "SELECT COUNT(*) AS n FROM many WHERE a = -1;"}), ("/query", {"ksql": "SELECT a FROM many WHERE a = -1;"})):
    status, text, _ = server.ask("POST", path, body)
    check(f"it is ended: {path}", "took longer than it may" in text, (status, text))
check("others are answered", server.ask("POST", "/v1/query", {"sql": "SELECT 1 AS a;"})[1].count('"row":[1]') == 1)
check("counted", metric(server, "bidsql_pull_queries_stopped_total") == 2)
check("it ends well", server.stop() == 0)

for option in ("--rate-limit", "--user-rate-limit"):
    done = subprocess.run([program, "server", option, "many"], capture_output=True, text=True, timeout=20)
    check(f"{option} many", done.returncode == 2 and f"{option} wants requests and a time such as '600/min', not 'many'" in done.stderr, done)
finish()
PY

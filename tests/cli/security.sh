#!/bin/sh
# Who may do what, seen by somebody who tries: guesses, readers who write, forms of other pages, certificates. docs/security.md names the threats.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - <<'PY'
import base64, hashlib, json, os, signal, ssl, subprocess, urllib.parse
import websocket
from serving import Server, check, finish, folder, program, until

def write(name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path

def token(name):
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"

def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

# Ten wrong guesses, and not even what is right is right any more; who was known before goes on.
users = write("users", f"anna admin {token('one')}\notto admin {token('two')}\n")
server = Server("--users", users)
def ask(authorization, method="GET", path="/v1/streams", body=None, **headers):
    return server.ask(method, path, body, Authorization=authorization, **headers)
check("anna is known", ask(basic("anna", "one"))[0] == 200)
check("nine guesses", [ask(basic("otto", f"guess {i}"))[0] for i in range(9)] == [401] * 9)
check("what is right is right", ask(basic("otto", "two"))[0] == 200)
server.stop()
server = Server("--users", users)
check("anna is known", ask(basic("anna", "one"))[0] == 200)
check("ten guesses", [ask("Bearer guess" + str(i))[0] for i in range(10)] == [401] * 10)
check("and no more", ask(basic("otto", "two"))[0] == 401 and ask("Bearer two")[0] == 401)
check("who was known before goes on", ask(basic("anna", "one"))[0] == 200)
for nonsense in ("", "Basic", "Basic !", "Basic " + "A" * 4000, "Bearer", "Digest x", "Basic " + base64.b64encode(b"anna").decode(), basic("anna", "one\0x"), basic("anna\0", "one")):
    check(f"{nonsense[:30]!r} is nobody", ask(nonsense)[0] == 401)
server.stop()

# A name that does not exist takes as long as one that does.
salt, hashed = "00" * 16, hashlib.pbkdf2_hmac("sha256", b"right", b"\0" * 16, 1000000).hex()
server = Server("--users", write("slow", f"anna admin pbkdf2-sha256:1000000:{salt}:{hashed}\n"))
def cost(authorization):
    before = server.cpu()
    check("refused", ask(authorization)[0] == 401)
    return server.cpu() - before
known, unknown = cost(basic("anna", "wrong")), cost(basic("nobody", "wrong"))
check("their times tell nothing", known > 0.05 and unknown > known / 2, (known, unknown))
check("and what is right is right", ask(basic("anna", "right"))[0] == 200)
server.stop()

# A reader reads, by whichever door.
server = Server("--topics-in-memory", "--dialect", "bidsql", "--users", write("roles", f"anna admin {token('one')}\nrita reader {token('two')}\n"))
admin, reader = "Bearer one", "Bearer two"
create = "CREATE STREAM s (a INT) WITH (kafka_topic = 's', value_format = 'json', partitions = 1);"
check("made", ask(admin, "POST", "/v1/statements", {"sql": create + "CREATE TABLE t AS SELECT a, COUNT(*) AS n FROM s GROUP BY a EMIT CHANGES;"})[0] == 200)
writing = [create.replace("STREAM s", "STREAM x"), "INSERT INTO s VALUES (1);", "INSERT INTO s SELECT a FROM s;", "CREATE STREAM y AS SELECT a FROM s EMIT CHANGES;", "CREATE VIEW v AS SELECT a FROM s;",
    "DROP TABLE t;", "TERMINATE ALL;", "PAUSE ALL;", "SELECT a INTO s FROM s;", "SELECT a INTO s FROM s UNION ALL SELECT a FROM s;", "EXPLAIN ANALYZE INSERT INTO s SELECT a FROM s;",
    "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE LUA AS $$ return x $$;", "CREATE TYPE p AS STRUCT<a INT>;", "EXECUTE STATEMENT SET BEGIN INSERT INTO s SELECT a FROM s; END;",
    "SHOW STREAMS; DROP TABLE t;", "/* SELECT */ DROP TABLE t;", "RUN SCRIPT 'x.sql';"]
for sql in writing:
    check(f"/v1/statements: {sql}", ask(reader, "POST", "/v1/statements", {"sql": sql})[0] == 403, ask(reader, "POST", "/v1/statements", {"sql": sql}))
    check(f"/ksql: {sql}", ask(reader, "POST", "/ksql", {"ksql": sql})[0] == 403)
    check(f"/query-stream: {sql}", ask(reader, "POST", "/query-stream", {"sql": sql})[0] == 403)
    check(f"/query: {sql}", ask(reader, "POST", "/query", {"ksql": sql})[0] == 403)
    check(f"/v1/query: {sql}", ask(reader, "POST", "/v1/query", {"sql": sql})[0] == 403)
    check(f"GET /v1/query: {sql}", ask(reader, "GET", "/v1/query?" + urllib.parse.urlencode({"sql": sql}))[0] == 403)
ws = websocket.create_connection(f"ws://127.0.0.1:{server.port}/ws/query?" + urllib.parse.urlencode({"request": json.dumps({"ksql": writing[0]})}), header=[f"Authorization: {reader}"], timeout=10)
check("/ws/query", ws.recv_data()[1] == b"\x03\xebyou may read, and no more")
identity = json.loads(ask(admin, "GET", "/v1/queries")[1])["queries"][0]["id"]
for method, path, body in [("DELETE", f"/v1/queries/{identity}", None), ("POST", f"/v1/queries/{identity}/pause", None), ("POST", f"/v1/queries/{identity}/resume", None), ("DELETE", "/v1/streams/s", None),
        ("DELETE", "/v1/tables/t", None), ("PUT", "/v1/streams/x", {"sql": writing[0]}), ("POST", "/ksql/terminate", {}), ("POST", "/inserts-stream", {"target": "s"})]:
    check(f"{method} {path}", ask(reader, method, path, body)[0] == 403, ask(reader, method, path, body))
for sql in ("SHOW STREAMS;", "DESCRIBE s;", "EXPLAIN SELECT a FROM s;", "SET 'dialect' = 'bidsql'; SHOW TABLES;"):
    check(f"a reader may: {sql}", ask(reader, "POST", "/v1/statements", {"sql": sql})[0] == 200, ask(reader, "POST", "/v1/statements", {"sql": sql}))
check("nothing has changed", [one["name"] for one in json.loads(ask(reader, "GET", "/v1/streams")[1])["streams"] if one["name"] in ("s", "x", "y", "v")] == ["s"], ask(reader, "GET", "/v1/streams"))
for method, path in (("POST", "/ksql"), ("GET", "/metrics"), ("GET", "/v1/streams"), ("POST", "/v1/query"), ("POST", "/inserts-stream"), ("GET", "/clusterStatus"), ("GET", "/v1/tables/t/1"), ("POST", "/close-query")):
    check(f"nobody: {method} {path}", server.ask(method, path, {} if method == "POST" else None)[0] == 401)
server.stop()

# What a page can send without asking first is no JSON.
server = Server("--allow-origin", "https://app.example")
for kind, status in (("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("multipart/form-data; boundary=x", 415), ("application/json", 200)):
    check(f"a page sends {kind}", server.ask("POST", "/ksql", {"ksql": "SHOW STREAMS;"}, Origin="https://app.example", Content_Type=kind)[0] == status)
headers = server.ask("OPTIONS", "/ksql", Origin="https://app.example")[2]
check("an allowed page may ask", headers["access-control-allow-origin"] == "https://app.example" and not headers["access-control-allow-credentials"], headers)
server.stop()

# Certificates are read anew on SIGHUP; one that cannot be read changes nothing.
key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
def renew(name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}"], capture_output=True, check=True)
def shown():
    return subprocess.run(["openssl", "x509", "-noout", "-subject"], input=ssl.get_server_certificate(("127.0.0.1", server.port)), capture_output=True, text=True).stdout
renew("first")
server = Server("--tls-cert", certificate, "--tls-key", key)
check("the first one", "first" in shown(), shown())
renew("second")
server.process.send_signal(signal.SIGHUP)
until("the second one", lambda: "second" in shown())
write("cert.pem", "this is none")
server.process.send_signal(signal.SIGHUP)
until("it is said", lambda: any(b"the certificate was not read anew" in line for line in server.log))
check("the second one stays", "second" in shown(), shown())
def handshake(*options):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-cipher", "ALL:@SECLEVEL=0", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    return done.returncode == 0 and "Cipher is (NONE)" not in done.stdout
check("TLS 1.2", handshake("-tls1_2"))
check("TLS 1.1 is refused", not handshake("-tls1_1"))
check("a null cipher is refused", not handshake("-tls1_2", "-cipher", "NULL:@SECLEVEL=0"))
check("it ends well", server.stop() == 0)
finish()
PY

#!/bin/sh
# Subscribers that read nothing lose rows, are told how many, and hold nobody up: those who read get every row, and the server's memory stays bounded.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 -W ignore::DeprecationWarning - <<'PY'
import json, socket, urllib.parse
import websocket
from serving import Server, check, finish, until

BATCHES, ROWS, PAD = 40, 1000, "x" * 600

server = Server()
status, answer = server.sql("CREATE STREAM ticks (n INT, pad STRING);") # of the server itself: who asks the same shares a query
check("the stream", status == 200, answer)
sql = "SELECT n, pad FROM ticks EMIT CHANGES;"

def subscribe(path, accept="*/*", room=None):
    peer = socket.socket()
    if room:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    peer.settimeout(60)
    peer.connect(("127.0.0.1", server.port))
    body = json.dumps({"sql": sql} if path.startswith("/v1") else {"sql": sql}).encode()
    peer.sendall(b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: %s\r\ncontent-length: %d\r\n\r\n%s" % (path.encode(), accept.encode(), len(body), body))
    stream = peer.makefile("rb")
    while stream.readline().strip():
        pass
    peer.close() # the file keeps it open
    return stream, lines(stream)

def lines(stream):
    """The body's lines, whatever chunks they come in."""
    rest = b""
    while size := int(stream.readline() or b"0", 16):
        *whole, rest = (rest + stream.read(size)).split(b"\n")
        stream.readline()
        yield from (line.decode() for line in whole)

def take(answer, mark):
    for line in answer:
        if mark in line:
            return line

quick_peer, quick = subscribe("/v1/query")
slow_peer, slow = subscribe("/v1/query", room=4096)
events_peer, events = subscribe("/v1/query", accept="text/event-stream", room=4096)
ksql_peer, plain = subscribe("/query-stream", room=4096)
identity = json.loads(take(quick, '"header"'))["header"]["queryId"]
for answer, mark in ((slow, '"header"'), (events, "queryId"), (plain, "queryId")):
    take(answer, mark)
check("three subscribers of one query, as the fourth has other settings", json.loads(server.ask("GET", f"/v1/queries/{identity}")[1])["subscribers"] == 3, server.ask("GET", "/v1/queries")[1])

got, before = [], 0
for batch in range(BATCHES):
    values = ", ".join(f"({batch * ROWS + row}, '{PAD}')" for row in range(ROWS))
    status, answer = server.sql(f"INSERT INTO ticks (n, pad) VALUES {values};")
    check("rows go in", status == 200, answer)
    got += [json.loads(take(quick, '"op"'))["row"][0] for _ in range(ROWS)] # returns once all of them are here
    if batch == BATCHES // 2:
        before = server.resident()
check("who reads gets every row, in order", got == list(range(BATCHES * ROWS)), len(got))
check("what waits for the others is bounded", server.resident() - before < 24 << 20, (before, server.resident()))
check("the query is all right", json.loads(server.ask("GET", f"/v1/queries/{identity}")[1])["state"] == "RUNNING")

# The others read on: what is left comes in order, and what is not there is said.
def read_on(answer, row, gap):
    seen, lost = [], 0
    while not seen or seen[-1] != BATCHES * ROWS - 1:
        line = next(answer)
        if (number := row(line)) is not None:
            seen.append(number)
        lost += gap(line)
    return seen, lost

seen, lost = read_on(slow, lambda line: json.loads(line)["row"][0] if '"op"' in line else None, lambda line: json.loads(line)["dropped"] if "dropped" in line else 0)
check("lines: rows and gaps are all there was", lost > 0 and len(seen) + lost == BATCHES * ROWS, (len(seen), lost))
check("lines: in order", seen == sorted(set(seen)))
def event_row(line):
    return json.loads(line[6:])[0] if line.startswith("data: [") else None
def event_gap(line):
    return json.loads(line[6:])["rows"] if line.startswith('data: {"rows"') else 0
seen, lost = read_on(events, event_row, event_gap)
check("events: rows and gaps are all there was", lost > 0 and len(seen) + lost == BATCHES * ROWS, (len(seen), lost))
check("events: in order", seen == sorted(set(seen)))
seen, _ = read_on(plain, lambda line: json.loads(line)[0] if line.startswith("[") else None, lambda line: 0)
check("ksqlDB's form has no place for it", len(seen) < BATCHES * ROWS and seen == sorted(set(seen)), len(seen))
metrics = server.ask("GET", "/metrics")[1]
counted = float(next(line for line in metrics.splitlines() if line.startswith("bidsql_subscriber_records_dropped_total")).split()[1])
check("what was lost is counted", counted >= lost, (counted, lost))

# One that goes away in the middle, and one that comes later, change nothing for the others.
slow_peer.close()
events_peer.close()
late = websocket.create_connection(f"ws://127.0.0.1:{server.port}/ws/query?" + urllib.parse.urlencode({"request": json.dumps({"ksql": sql})}), timeout=30)
late.recv()
server.sql("INSERT INTO ticks (n, pad) VALUES (-1, '');")
check("goes on", json.loads(take(quick, '"op"'))["row"] == [-1, ""])
check("the late one", json.loads(late.recv())["row"]["columns"] == [-1, ""])
until("who is gone is forgotten", lambda: json.loads(server.ask("GET", f"/v1/queries/{identity}")[1])["subscribers"] == 1)
check("it stops while they listen", server.stop() == 0)
check("and they are told", take(quick, '"end"') is not None)
finish()
PY

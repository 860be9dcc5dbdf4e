#!/bin/sh
# A server's queries over topics while the server is killed (-9) and the broker restarted, in turn: every message is counted once, none is missing in what was written.
. "$(dirname "$0")/check.sh"

cd "$top" || exit 1
BIDSQL=$bidsql PYTHONPATH=tests/server exec /usr/bin/python3 - "$kafka" "$here" "$unique" "${ROUNDS:-2}" <<'PY'
import json, os, random, signal, subprocess, sys, threading, time
from serving import Server, check, finish, folder, until

kafka, here, unique, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
KEYS = 50
BEGUN = int(time.time() * 1000) # times of long ago would be gone at once: the broker deletes by them
written = 0

def topic(name):
    return f"{name}-{unique}"

def put(count):
    """So many messages more, each acknowledged."""
    global written
    lines = "".join(f'k{n % KEYS}|{{"id":{n},"at":{BEGUN + n}}}\n' for n in range(written, written + count))
    done = subprocess.run(["kcat", "-P", "-b", kafka, "-t", topic("in"), "-K", "|", "-X", "acks=all", "-X", "enable.idempotence=true", "-X", "retries=1000"], input=lines.encode(),
        capture_output=True, timeout=90)
    check("kcat writes", done.returncode == 0, done.stderr)
    written += count

def messages(name):
    done = subprocess.run(["kcat", "-C", "-b", kafka, "-t", topic(name), "-e", "-q", "-f", "%k %s\\n"], capture_output=True, text=True, timeout=90)
    check(f"kcat reads {name}", done.returncode == 0, done.stderr)
    return [line.split(" ", 1) for line in done.stdout.splitlines()]

def broker(what):
    subprocess.run([f"{here}/broker", what, "1"], check=True)

def start():
    return Server("--data-dir", os.path.join(folder, "data"), "--dialect", "ksql", "--checkpoint-interval", "100 ms")

def rows(sql):
    status, answer, _ = server.ask("POST", "/v1/query", {"sql": sql})
    return [line["row"] for line in map(json.loads, answer.splitlines()) if "row" in line] if status == 200 else []

subprocess.run([os.environ.get("KAFKA_TOOL", "build/kafka/tool"), "create", kafka, topic("in"), "3"], check=True)
server = start()
place = f"'properties.bootstrap.servers' = '{kafka}', value_format = 'json'"
status, answer = server.sql(f"""
    CREATE STREAM numbers (k STRING KEY, id BIGINT, at BIGINT) WITH (kafka_topic = '{topic("in")}', timestamp = 'at', {place});
    CREATE STREAM copied WITH (kafka_topic = '{topic("copied")}', {place}) AS SELECT k, id FROM numbers;
    CREATE TABLE counted WITH (kafka_topic = '{topic("counted")}', {place}) AS SELECT k, COUNT(*) AS n, SUM(id) AS s FROM numbers GROUP BY k EMIT CHANGES;
    CREATE TABLE per_second WITH (kafka_topic = '{topic("seconds")}', {place}) AS
        SELECT k, COUNT(*) AS n FROM numbers WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 1 HOUR) GROUP BY k EMIT CHANGES;""")
check("the statements", status == 200, answer)

def killed():
    global server
    server.stop(signal.SIGKILL)
    server = start()

def restarted(how):
    broker(how)
    broker("start")
    subprocess.run([f"{here}/wait", "1"], check=True, stdout=subprocess.DEVNULL)

def away():
    """The server comes back first, then the broker."""
    broker("kill")
    killed()
    restarted("kill")

random.seed(int(os.environ.get("SEED", "1")))
for number in range(rounds):
    seen = written
    writer = threading.Thread(target=lambda: [put(500) for _ in range(8)])
    writer.start()
    until("rows are counted", lambda: sum(row[1] for row in rows("SELECT k, n FROM counted;")) > seen, 60)
    time.sleep(random.random() / 4)
    if number % 3 == 0:
        killed()
        writer.join()
    else: # kcat gives up where its only broker goes
        writer.join()
        away() if number % 3 == 1 else restarted(random.choice(["stop", "kill"]))
put(10)

expected = {f"k{key}": (len(range(key, written, KEYS)), sum(range(key, written, KEYS))) for key in range(KEYS)}
until("every message is counted once", lambda: {row[0]: (row[1], row[2]) for row in rows("SELECT k, n, s FROM counted;")} == expected, 60)
counts = {row[0]: (row[1], row[2]) for row in rows("SELECT k, n, s FROM counted;")}
check("every message is counted once", counts == expected, [(key, counts.get(key), expected[key]) for key in expected if counts.get(key) != expected[key]])
until("in windows, too", lambda: sum(row[0] for row in rows("SELECT n FROM per_second;")) == written, 60)
until("every message is in the copy", lambda: {json.loads(value)["ID"] for _, value in messages("copied")} == set(range(written)), 60)
queries = [(query["id"], query["state"], query.get("reason")) for query in json.loads(server.ask("GET", "/v1/queries")[1])["queries"]]
check("all queries run", all(state == "RUNNING" for _, state, _ in queries), queries)
check("the server ends well", server.stop() == 0, server.log)

last = {key: (json.loads(value)["N"], json.loads(value)["S"]) for key, value in messages("counted")}
check("the last counts that were written", last == expected, [(key, last.get(key), expected[key]) for key in expected if last.get(key) != expected[key]])
finish()
PY

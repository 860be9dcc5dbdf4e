#!/bin/sh
# The processing log of a server whose topics are a broker's: bad messages with their topics and offsets, and the log in a topic of its own, which a restart goes on with.
. "$(dirname "$0")/check.sh"

cd "$top" || exit 1
BIDSQL=$bidsql PYTHONPATH=tests/server exec /usr/bin/python3 - "$kafka" "$unique" <<'PY'
import json, os, subprocess, sys
from serving import Server, check, finish, folder, until

kafka, unique = sys.argv[1:]
orders, errors = f"orders-{unique}", f"errors-{unique}"
options = ("--data-dir", os.path.join(folder, "data"), "--processing-log-topic", f"{errors}@{kafka}", "--processing-log-records", "--checkpoint-interval", "100 ms")
subprocess.run([os.environ.get("KAFKA_TOOL", "build/kafka/tool"), "create", kafka, orders, "1"], check=True)

def put(*values):
    done = subprocess.run(["kcat", "-P", "-b", kafka, "-t", orders], input="".join(f"{value}\n" for value in values).encode(), capture_output=True, timeout=60)
    check("kcat writes", done.returncode == 0, done.stderr)

def rows(sql):
    status, text, _ = server.ask("POST", "/v1/query", {"sql": sql, "settings": {"dialect": "ksql"}})
    return [json.loads(line)["row"] for line in text.splitlines() if '"row"' in line] if status == 200 else (status, text)

def logged():
    done = subprocess.run(["kcat", "-C", "-b", kafka, "-t", errors, "-e", "-q"], capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]

server = Server(*options)
status, answer = server.sql(f"CREATE STREAM orders (id INT, price INT) WITH (connector = 'kafka', topic = '{orders}', format = 'json', 'properties.bootstrap.servers' = '{kafka}', on_error = 'skip');"
    "SET 'on_expr_error' = 'null'; CREATE TABLE shares AS SELECT id, SUM(100 / price) AS share FROM orders GROUP BY id;")
check("a query over a topic", status == 200, answer)
put('{"id": 1, "price": 5}', "hello", '{"id": 2, "price": 0}')
until("both are logged", lambda: len(rows("SELECT * FROM processing_log;")) == 2)
found = rows("SELECT query, stage, source, split, position, reason, record FROM processing_log;")
check("where they stood", [row[1:5] for row in found] == [["decode", "orders", f"{orders}-0", 1], ["expression", "orders", f"{orders}-0", 2]] and found[0][6] == "hello", found)
found = rows("SELECT MESSAGE->DESERIALIZATIONERROR->TOPIC AS T FROM KSQL_PROCESSING_LOG WHERE MESSAGE->TYPE = 0;")
check("the topic, in ksqlDB's form", found == [[orders]], found)
until("they are in the topic", lambda: len(logged()) == 2)
check("as they are", [entry["reason"] for entry in logged()] == [row[5] for row in rows("SELECT query, stage, source, split, position, reason FROM processing_log;")], logged())
server.stop()
server = Server(*options)
put("bye")
until("after a restart one more, none twice", lambda: len(logged()) == 3 and logged()[2]["record"] == "bye")
check("by the same query", [one["id"] for one in json.loads(server.ask("GET", "/v1/queries")[1])["queries"] if one.get("sink") == "processing_log_topic"] == ["CSAS_PROCESSING_LOG_TOPIC_1"],
    server.ask("GET", "/v1/queries")[1])
server.stop()
finish()
PY

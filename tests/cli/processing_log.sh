#!/bin/sh
# The processing log of a server: what goes wrong with rows and queries is a stream, for SELECT, for queries that go on, for a topic; in a shell as well.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - <<'PY'
import json, os, pty, select, subprocess
from serving import Server, check, finish, folder, program, signal, until

data = os.path.join(folder, "data")
options = ("--data-dir", data, "--topics-in-memory", "--processing-log-records", "--processing-log-topic", "errors")
server = Server(*options)
with open(os.path.join(folder, "orders.jsonl"), "w") as file:
    file.write('{"id": 1, "price": 5}\nhello\n{"id": 2, "price": 0}\n')

def rows(sql, dialect="ksql"):
    status, text, _ = server.ask("POST", "/v1/query", {"sql": sql, "settings": {"dialect": dialect}})
    return [json.loads(line)["row"] for line in text.splitlines() if '"row"' in line] if status == 200 else (status, text)

# A reader that was there before, by Server-Sent Events.
watch = subprocess.Popen(["curl", "-sN", "-m", "60", "-H", "accept: text/event-stream", "--data-binary", json.dumps({"sql": "SELECT query, reason FROM processing_log EMIT CHANGES;"}),
    server.url + "/v1/query"], stdout=subprocess.PIPE)
check("a push query begins", b"query" in watch.stdout.readline() + watch.stdout.readline())

status, answer = server.sql("CREATE STREAM orders (id INT, price INT) WITH (connector = 'file', path = 'orders.jsonl', format = 'json', on_error = 'skip');"
    "SET 'on_expr_error' = 'null'; CREATE STREAM shares AS SELECT id, 100 / price AS share FROM orders;"
    "CREATE TABLE errors_per_query AS SELECT query, SUM(record_count) AS n FROM processing_log GROUP BY query;")
check("queries that see errors", status == 200, answer)
seen = ""
while "division" not in seen:
    line = watch.stdout.readline().decode()
    if not line:
        break
    seen += line
watch.kill()
check("rows come as they happen", "invalid JSON" in seen and "division by zero" in seen, seen)

found = rows("SELECT query, stage, source, split, position, column_name, reason, record FROM processing_log;")
check("what went wrong, and where", found == [["CSAS_SHARES_2", "decode", "orders", "orders.jsonl", 22, None, "invalid JSON at byte 0: unexpected text", "hello"],
    ["CSAS_SHARES_2", "expression", "orders", "orders.jsonl", 28, "share", "division by zero", None]], found)
found = rows("SELECT LOGGER, MESSAGE->TYPE AS T, MESSAGE->DESERIALIZATIONERROR->RECORDB64 AS R FROM KSQL_PROCESSING_LOG WHERE MESSAGE->TYPE = 0;")
check("in ksqlDB's form", found == [["processing.CSAS_SHARES_2.orders.deserializer", 0, "aGVsbG8="]], found)
until("a table of errors", lambda: rows("SELECT n FROM errors_per_query WHERE query = 'CSAS_SHARES_2';") == [[2]])
check("in a topic", rows("SELECT reason FROM processing_log_topic EMIT CHANGES LIMIT 2;") == [["invalid JSON at byte 0: unexpected text"], ["division by zero"]])

# A query that fails: the reason, and that it was tried again.
server.sql("CREATE STREAM gone (id INT) WITH (connector = 'file', path = 'gone.jsonl', format = 'json', mode = 'follow');")
server.sql("SET 'on_expr_error' = 'fail'; CREATE STREAM failing AS SELECT 1 / price AS x FROM orders WHERE price = 0;")
until("a failed query", lambda: any(row[0] == "CSAS_FAILING_4" and "division by zero" in row[1] for row in rows("SELECT query, reason FROM processing_log WHERE stage = 'error';")))
text = server.ask("GET", "/metrics")[1]
check("metrics", "bidsql_processing_log_records_total 4\n" in text or "bidsql_processing_log_records_total 3\n" in text, text)

# It belongs to the server.
for statement, reason in (("DROP STREAM processing_log;", "belongs to the server"), ("INSERT INTO processing_log (level) VALUES ('x');", "read only"), ("CREATE STREAM processing_log (a INT);", "exists already")):
    status, answer = server.sql(statement)
    check(statement, status == 400 and reason in json.dumps(answer), answer)
status, text, _ = server.ask("POST", "/ksql/terminate", {})
check("it stays when all goes", status == 200 and rows("SELECT reason FROM processing_log LIMIT 1;") == [["invalid JSON at byte 0: unexpected text"]])
server.stop(signal.SIGKILL)
server = Server(*options)
check("after a restart it begins anew", rows("SELECT * FROM processing_log;") == [] and [entry["name"] for entry in json.loads(server.ask("GET", "/v1/streams")[1])["streams"]] ==
    ["KSQL_PROCESSING_LOG", "processing_log", "processing_log_topic"], server.ask("GET", "/v1/streams")[1])
server.stop()

# Without its option a record's bytes are not shown.
server = Server()
server.sql("CREATE STREAM orders (id INT) WITH (connector = 'file', path = 'orders.jsonl', format = 'json', on_error = 'skip'); CREATE STREAM copy AS SELECT id FROM orders;")
until("entries", lambda: len(rows("SELECT * FROM processing_log;")) == 1)
check("no bytes", rows("SELECT record FROM processing_log;") == [[None]])
server.stop()

# A broker that is away: the server is there all the same, and says so.
server = Server("--processing-log-topic", "errors@127.0.0.1:1")
check("a server without its topic", server.sql("SHOW QUERIES;")[1]["results"][0]["rows"] == [], server.sql("SHOW QUERIES;"))
check("..says so", any(b"the processing log is not written to a topic" in line for line in server.log), server.log)
server.stop()

# In a shell.
main, other = pty.openpty()
shell = subprocess.Popen([program], stdin=other, stdout=other, stderr=other, cwd=folder, env={**os.environ, "TERM": "dumb", "HOME": folder, "NO_COLOR": "1"}, close_fds=True)
os.close(other)
shown = ""
def typed(text, wanted):
    global shown
    os.write(main, text.encode())
    shown = ""
    while wanted not in shown and select.select([main], [], [], 20)[0]:
        shown += os.read(main, 65536).decode(errors="replace")
    check(text, wanted in shown, shown)
typed("CREATE STREAM orders (id INT) WITH (connector = 'file', path = 'orders.jsonl', format = 'json', on_error = 'skip');\r", "created")
typed("SELECT id FROM orders;\r", "2 rows")
typed("SET 'dialect' = 'ksql';\r", ">")
typed("SELECT stage, record FROM processing_log;\r", "hello")
shell.kill()
shell.wait(20)
finish()
PY

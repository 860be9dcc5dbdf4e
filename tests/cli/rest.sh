#!/bin/sh
# More of the REST API through curl: PUT /v1/queries/ID, EXPLAIN ANALYZE, what ksqlDB's servers tell each other.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - <<'PY'
import json, os, subprocess
from serving import Server, check, finish, folder, signal, until

def curl(server, method, path, body=None, *options):
    done = subprocess.run(["curl", "-s", "-m", "30", "-X", method, "-w", "\n%{http_code}", *options, *(["--data-binary", "@-"] if body is not None else []), server.url + path],
        input=json.dumps(body).encode() if body is not None else None, capture_output=True)
    text, _, code = done.stdout.decode().rpartition("\n")
    try:
        return int(code or 0), json.loads(text)
    except ValueError:
        return int(code or 0), text

data = os.path.join(folder, "data")
server = Server("--data-dir", data, "--topics-in-memory")
server.sql("CREATE STREAM bids (auction INT, price INT); CREATE STREAM dear (auction INT, price INT);"
    "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;")

# A query by its name: made once, whoever asks how often.
insert = {"sql": "INSERT INTO dear SELECT auction, price FROM bids WHERE price > 10;"}
code, answer = curl(server, "PUT", "/v1/queries/dear-bids", insert)
check("PUT makes a query", code == 201 and answer["results"][0]["query"] == "dear-bids", answer)
code, answer = curl(server, "PUT", "/v1/queries/dear-bids", {"sql": "insert into dear select auction, price from bids where price > 10"})
check("again: nothing happens", code == 200 and answer["id"] == "dear-bids" and answer["state"] == "RUNNING" and answer["restarts"] == 0, answer)
code, answer = curl(server, "PUT", "/v1/queries/dear-bids", {"sql": insert["sql"].replace("10", "20")})
check("another statement is refused", code == 409, answer)
code, answer = curl(server, "PUT", "/v1/queries/CTAS_COUNTS_1", insert)
check("also under the id of another kind of query", code == 409, answer)
for body, reason in (({"sql": "CREATE STREAM x AS SELECT * FROM bids;"}, "PUT /v1/streams"), ({"sql": "DROP STREAM dear;"}, "one INSERT INTO"), ({"sql": insert["sql"] * 2}, "one INSERT INTO"),
        ({"sql": "INSERT INTO dear SELEC;"}, "SELEC"), ({"sql": "INSERT INTO dear SELECT auctoin, price FROM bids;"}, "did you mean 'auction'"), ({}, "no text 'sql'"),
        ({"sql": "INSERT INTO dear WITH (QUERY_ID = 'other') SELECT * FROM bids;"}, "another id")):
    code, answer = curl(server, "PUT", "/v1/queries/other-one", body)
    check(f"PUT {body}", code == 400 and reason in json.dumps(answer), (code, answer))
code, answer = curl(server, "PUT", "/v1/queries/a%20name", insert)
check("a name", code == 400 and "letters, digits" in json.dumps(answer), answer)
code, answer = curl(server, "PUT", "/v1/queries/several", {"sql": "EXECUTE STATEMENT SET BEGIN INSERT INTO dear SELECT auction, price FROM bids WHERE price > ${least}; END;", "variables": {"least": "90"}})
check("a set of statements, with a variable", code == 201, answer)
code, answer = curl(server, "PUT", "/v1/queries/several", {"sql": "EXECUTE STATEMENT SET BEGIN INSERT INTO dear SELECT auction, price FROM bids WHERE price > 90; END;"})
check("..is the same as with its value", code == 200, answer)
server.stop(signal.SIGKILL)
server = Server("--data-dir", data, "--topics-in-memory")
check("after a crash it is the same query", curl(server, "PUT", "/v1/queries/dear-bids", insert)[0] == 200)
check("..and its id is taken", "there is a query 'DEAR-BIDS' already" in json.dumps(server.sql("INSERT INTO dear WITH (QUERY_ID = 'DEAR-BIDS') SELECT * FROM bids;")[1]))
check("DELETE", curl(server, "DELETE", "/v1/queries/dear-bids")[0] == 200 and curl(server, "PUT", "/v1/queries/dear-bids", {"sql": insert["sql"].replace("10", "20")})[0] == 201)

# EXPLAIN ANALYZE runs a SELECT for a while; of a query's id it tells what that has done.
server.sql("INSERT INTO bids VALUES (1, 5), (2, 50), (1, 60);")
until("the rows are counted", lambda: "2" in server.ask("GET", "/v1/tables/counts/1")[1])
def plan(sql, settings={}):
    code, answer = curl(server, "POST", "/v1/statements", {"sql": sql, "settings": settings})
    return "\n".join(row[0] for row in answer["results"][0]["rows"]) if code == 200 else (code, answer)
shown = plan("EXPLAIN ANALYZE SELECT auction FROM counts WHERE n > 1;")
check("EXPLAIN ANALYZE of a pull query", "ran: 2 rows in, 1 rows out" in shown and "ran in " in shown, shown)
shown = plan("EXPLAIN ANALYZE SELECT * FROM bids EMIT CHANGES;", {"explain.analyze.time": "200 ms"})
check("..of a push query, which goes on", "ran in 0.2" in shown, shown)
shown = plan("EXPLAIN ANALYZE CTAS_COUNTS_1;")
check("..of one that runs", "ran: 3 rows in, 2 rows out" in shown or "ran: 3 rows in, 3 rows out" in shown, shown)
code, answer = curl(server, "POST", "/ksql", {"ksql": "EXPLAIN ANALYZE SELECT auction FROM counts WHERE n > 1;"})
check("..by ksqlDB's path", code == 200 and "1 rows out" in json.dumps(answer), answer)
code, answer = curl(server, "POST", "/v1/statements", {"sql": "EXPLAIN ANALYZE INSERT INTO dear SELECT * FROM bids;"})
check("..not of what writes", code == 400 and "runs no query that writes" in json.dumps(answer), answer)

# What ksqlDB's servers tell each other.
server.sql("CREATE STREAM clicks (page STRING KEY, n INT) WITH (kafka_topic = 'clicks', value_format = 'json', partitions = 2); INSERT INTO clicks VALUES ('a', 1), ('b', 2), ('c', 3);"
    "CREATE TABLE pages AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;", settings={"dialect": "ksql"})
until("all is read", lambda: len(json.loads(server.ask("POST", "/query-stream", {"sql": "SELECT * FROM pages;"}, Accept="application/json")[1])) == 4)
own = server.url.split("//")[1]
def own_lags():
    status = curl(server, "GET", "/clusterStatus")[1]["clusterStatus"][own]
    return status, status["hostStoreLags"]["stateStoreLags"]
query = next(one["id"] for one in curl(server, "GET", "/v1/queries")[1]["queries"] if one.get("sink") == "PAGES")
status, lags = own_lags()
partitions = lags[f"{query}#PAGES"]["lagByPartition"]
check("the lag of a table", set(partitions) == {"0", "1"} and sum(one["currentOffsetPosition"] for one in partitions.values()) == 3 and all(one["offsetLag"] == 0 for one in partitions.values()), lags)
check("its partitions", {(one["topic"], one["partition"]) for one in status["activeStandbyPerQuery"][query]["activePartitions"]} == {("clicks", 0), ("clicks", 1)}, status)
server.sql(f"PAUSE {query}; INSERT INTO clicks VALUES ('a', 1), ('b', 2);", settings={"dialect": "ksql"})
check("a heartbeat", curl(server, "POST", "/heartbeat", {"hostInfo": {"host": "other", "port": 8088}, "timestamp": 1}) == (200, {"isOk": True}))
check("..in ksqlDB's own form", curl(server, "POST", "/heartbeat", {"hostInfo": "third:8089", "timestamp": 1}) == (200, {"isOk": True}))
lag = {"stateStoreLags": {"Q#T": {"lagByPartition": {"0": {"currentOffsetPosition": 3, "endOffsetPosition": 5, "offsetLag": 2}}}}, "updateTimeMs": 7}
check("a lag", curl(server, "POST", "/lag", {"ksqlHost": "other:8088", "hostStoreLags": lag}) == (200, {"isOk": True}))
check("of one without a heartbeat", curl(server, "POST", "/lag", {"ksqlHost": "silent:1", "hostStoreLags": lag})[0] == 200)
hosts = curl(server, "GET", "/clusterStatus")[1]["clusterStatus"]
check("all that is known", set(hosts) == {own, "other:8088", "third:8089", "silent:1"} and not hosts["silent:1"]["hostAlive"] and hosts["other:8088"]["hostAlive"] and hosts["other:8088"]["hostStoreLags"] == lag and hosts[own]["hostAlive"], hosts)
for path, body in (("/heartbeat", {}), ("/heartbeat", {"hostInfo": 5}), ("/lag", {"ksqlHost": "other:8088"}), ("/lag", {"ksqlHost": "other:8088", "hostStoreLags": {"x": "y" * 70000}})):
    code, answer = curl(server, "POST", path, body)
    check(f"{path} {str(body)[:50]}", code == 400 and answer["error_code"] == 40000, answer)
for i in range(100):
    curl(server, "POST", "/heartbeat", {"hostInfo": f"host{i}:1", "timestamp": 1})
check("not more than so many are kept", len(curl(server, "GET", "/clusterStatus")[1]["clusterStatus"]) == 65)
server.stop()
finish()
PY

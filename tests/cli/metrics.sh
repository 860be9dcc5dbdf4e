#!/bin/sh
# /metrics: what promtool says of it, what a real Prometheus scrapes, and whether every expression of the dashboard finds something.
set -u
cd "$(dirname "$0")/../.."
exec /usr/bin/python3 - "${BIDSQL:-./bidsql}" <<'PY'
import json, os, shutil, socket, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request

failures = 0
folder = tempfile.mkdtemp()

def check(what, fine, shown=""):
    global failures
    if not fine:
        failures += 1
        print(f"{what}: {str(shown)[:1500]}")

def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

server = subprocess.Popen([sys.argv[1], "server", "--listen", "127.0.0.1:0", "--log", "json", "--topics-in-memory", "--data-dir", os.path.join(folder, "data"),
    "--checkpoint-interval", "100 ms"], stderr=subprocess.PIPE)
url = json.loads(server.stderr.readline())["url"]
threading.Thread(target=server.stderr.read, daemon=True).start()

def ksql(text):
    request = urllib.request.Request(url + "/ksql", json.dumps({"ksql": text}).encode())
    return json.loads(urllib.request.urlopen(request, timeout=20).read())

ksql("CREATE STREAM bids (auction INT KEY, price DOUBLE) WITH (kafka_topic = 'bids', value_format = 'json', partitions = 2);"
     "CREATE TABLE totals AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction EMIT CHANGES;"
     "CREATE STREAM g (k INT) WITH (connector = 'datagen', rows_per_second = 1000);"
     "INSERT INTO bids SELECT k AS auction, CAST(k AS DOUBLE) AS price FROM g;")
deadline = time.monotonic() + 30
def value(name, **labels):
    total, found = 0.0, False
    for line in get(url + "/metrics").splitlines():
        if line.startswith(name) and line[len(name)] in "{ " and all(f'{key}="{text}"' in line for key, text in labels.items()):
            total, found = total + float(line.rsplit(" ", 1)[1]), True
    return total if found else None
while time.monotonic() < deadline and not (value("bidsql_query_records_in_total", query="CTAS_TOTALS_1") or 0) > 100:
    pass
text = get(url + "/metrics")
check("rows are counted", value("bidsql_query_records_in_total", query="CTAS_TOTALS_1") > 100)
check("states", value("bidsql_query_state", query="CTAS_TOTALS_1", state="RUNNING") == 1 and value("bidsql_query_state", query="CTAS_TOTALS_1", state="ERROR") == 0)
check("partitions", value("bidsql_source_records_total", query="CTAS_TOTALS_1") > 0 and text.count('bidsql_source_records_total{query="CTAS_TOTALS_1"') == 2, text)
check("no time of year 1", "-9.2" not in text)

# Of each operator: what it took and gave, where the time went, what it holds.
def sums(name, by="type"):
    found = {}
    for line in text.splitlines():
        if line.startswith(name + '{query="CTAS_TOTALS_1"'):
            label = line.split(f'{by}="')[1].split('"')[0]
            found[label] = found.get(label, 0.0) + float(line.rsplit(" ", 1)[1])
    return found
taken, given = sums("bidsql_operator_records_in_total"), sums("bidsql_operator_records_out_total")
check("operators", "Scan" not in taken and "Sink" not in given and given["Scan"] > 100 and given["Scan"] == taken["Aggregate"], (taken, given))
check("bytes", sums("bidsql_operator_bytes_in_total")["Scan"] > 1000 and sums("bidsql_operator_bytes_out_total")["Sink"] > 1000, text)
check("batches", all(count > 0 for count in sums("bidsql_operator_batches_total").values()), sums("bidsql_operator_batches_total"))
check("state", sums("bidsql_operator_state_rows")["Aggregate"] > 100 and sums("bidsql_operator_state_bytes")["Aggregate"] > 1000, text)
query_time = sum(value(f"bidsql_query_{what}_seconds_total", query="CTAS_TOTALS_1") for what in ("busy", "idle", "backpressured"))
for operator, busy in sums("bidsql_operator_busy_seconds_total", "operator").items():
    whole = busy + sums("bidsql_operator_idle_seconds_total", "operator")[operator] + sums("bidsql_operator_backpressured_seconds_total", "operator")[operator]
    check(f"the time of {operator}", 0 < whole <= query_time * 1.5 + 0.1, (whole, query_time))
check("none is late", set(sums("bidsql_operator_late_records_dropped_total").values()) == {0.0} and set(sums("bidsql_operator_errors_total").values()) == {0.0}, text)
plan = json.dumps(ksql("EXPLAIN ANALYZE CTAS_TOTALS_1;"))
check("EXPLAIN ANALYZE of a query that runs", "rows in, " in plan and "cost: " in plan, plan)

promtool = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
check("promtool", promtool.returncode == 0 and not promtool.stdout and not promtool.stderr, promtool.stdout + promtool.stderr)

# A real Prometheus.
port = free_port()
config = os.path.join(folder, "prometheus.yml")
open(config, "w").write(f"global: {{scrape_interval: 250ms}}\nscrape_configs: [{{job_name: bidsql, static_configs: [{{targets: ['{url.split('//')[1]}']}}]}}]\n")
prometheus = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def ask(expression):
    try:
        return json.loads(get(f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
    except OSError as error:
        return {"status": "error", "error": str(error), "data": {"result": []}}
while time.monotonic() < deadline and not (ask("count_over_time(up{job='bidsql'}[30s])")["data"]["result"] and float(ask("count_over_time(up{job='bidsql'}[30s])")["data"]["result"][0]["value"][1]) >= 4):
    pass
for name in ("busy", "idle", "backpressured"): # counters: they never fall, so rate() finds no reset
    check(f"{name} never falls", all(float(one["value"][1]) == 0 for one in ask(f"resets(bidsql_operator_{name}_seconds_total[30s])")["data"]["result"]), ask(f"resets(bidsql_operator_{name}_seconds_total[30s])"))
check("it is scraped", ask("up{job='bidsql'}")["data"]["result"] and ask("up{job='bidsql'}")["data"]["result"][0]["value"][1] == "1", ask("up"))
dashboard = json.load(open("contrib/grafana/bidsql.json"))
expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
check("there is a dashboard", len(expressions) > 20)
for expression in expressions:
    answer = ask(expression.replace("$__rate_interval", "30s"))
    check(f"dashboard: {expression}", answer["status"] == "success" and answer["data"]["result"], answer)
prometheus.terminate()
prometheus.wait(20)
ksql("TERMINATE ALL;")
check("a query that is gone is gone here, too", 'query="CTAS_TOTALS_1"' not in get(url + "/metrics"))
server.terminate()
check("it ends well", server.wait(30) == 0)
shutil.rmtree(folder)
sys.exit(failures != 0)
PY

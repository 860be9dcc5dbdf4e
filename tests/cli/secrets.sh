#!/bin/sh
# Secrets that stand in SQL come out of no door of the server: statements, descriptions, plans, errors, the log; and still work after a restart.
set -u
cd "$(dirname "$0")/../.."
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - <<'PY'
import json, os, stat
from serving import Server, check, finish, folder, signal

secret = "hunter2-is-it"
data = os.path.join(folder, "data")
options = ("--data-dir", data, "--topics-in-memory")
server = Server(*options, REGISTRY_LOGIN=f"anna:{secret}")
said = []

def ask(method, path, body=None):
    status, text, _ = server.ask(method, path, body)
    said.append((f"{method} {path} {json.dumps(body)[:100]}", text))
    return status, text

def covered(what, text):
    check(what, "'*****'" in text, text)

create = f"CREATE STREAM s (a INT) WITH (kafka_topic = 's', value_format = 'json', partitions = 1, 'properties.sasl.password' = '{secret}', 'properties.ssl.key.pem' = '{secret}');"
same = create.replace("STREAM s", "STREAM t").replace("'s'", "'t'")
for statement in (create, "CREATE STREAM copy AS SELECT a FROM s;", f"CREATE STREAM out WITH (kafka_topic = 'out', value_format = 'json', 'properties.sasl.password' = '{secret}') AS SELECT a + 1 AS a FROM s;"):
    status, text = ask("POST", "/ksql", {"ksql": statement})
    check(statement, status == 200, text)
status, text = ask("PUT", "/v1/streams/t", {"sql": same})
check("PUT", status == 201, text)
covered("the echo of a statement", text)
status, text = ask("PUT", "/v1/streams/t", {"sql": same})
check("the same again changes nothing: it is compared with what was written", status == 200, text)
status, text = ask("PUT", "/v1/streams/t", {"sql": same.replace(secret, "*****")})
check("what is shown is another statement", status == 409, text)

# Where statements are shown.
for path in ("/v1/streams", "/v1/streams/S", "/v1/streams/OUT", "/v1/queries"):
    covered(path, ask("GET", path)[1])
for statement in ("DESCRIBE s EXTENDED;", "SHOW QUERIES;", "EXPLAIN CSAS_OUT_2;"):
    covered(statement, ask("POST", "/ksql", {"ksql": statement})[1])
    covered(statement, ask("POST", "/v1/statements", {"sql": statement, "settings": {"dialect": "ksql"}})[1])
covered("DESCRIBE", ask("POST", "/ksql", {"ksql": "DESCRIBE s;"})[1])
covered("SHOW STREAMS EXTENDED", ask("POST", "/v1/statements", {"sql": "SHOW STREAMS EXTENDED;"})[1])
ask("POST", "/ksql", {"ksql": "EXPLAIN SELECT a FROM s EMIT CHANGES;"})
ask("POST", "/ksql", {"ksql": f"EXPLAIN SELECT a FROM s /*+ OPTIONS('properties.sasl.password' = '{secret}') */ EMIT CHANGES;"})
ask("POST", "/ksql", {"ksql": f"SET 'properties.sasl.password' = '{secret}'; DEFINE api_token = '{secret}'; SHOW VARIABLES; SHOW PROPERTIES;"})
ask("POST", "/ksql", {"ksql": "SHOW VARIABLES;", "sessionVariables": {"api_token": secret}})
ask("POST", "/ksql", {"ksql": "SHOW PROPERTIES;", "streamsProperties": {"schema.registry.url": f"http://anna:{secret}@127.0.0.1:1"}})

# Mistakes beside them, in the value's line and in others.
for statement in (create, create.replace("STREAM s (a INT)", "STREAM u (a INT, a INT)"), create.replace("kafka_topic", "kafka_topick"), create.replace("STREAM s", "STREM s"),
        f"CREATE STREAM u (a INT) WITH (\n 'properties.sasl.password' =\n '{secret}' oh);", f"SET 'properties.sasl.password' = '{secret}' now;", f"SET 'no.such.password' = '{secret}';",
        f"CREATE STREAM u (a INT) WITH (kafka_topic = 'u', value_format = 'json', sasl_password = '{secret}');",
        f"SELECT a FROM s -- password = '{secret}'\n WHERE nothing = 1;"):
    for path, name in (("/ksql", "ksql"), ("/query", "ksql"), ("/query-stream", "sql"), ("/v1/statements", "sql"), ("/v1/query", "sql")):
        ask("POST", path, {name: statement})

# References are shown: they say where a secret is, not what it is.
reference = "CREATE STREAM r (a INT) WITH (kafka_topic = 'r', value_format = 'json', partitions = 1, 'properties.sasl.password' = '${env:REGISTRY_LOGIN}');"
check("a reference", ask("POST", "/ksql", {"ksql": reference})[0] == 200)
status, text = ask("GET", "/v1/streams/R")
check("..is shown", "${env:REGISTRY_LOGIN}" in text, text)
status, text = ask("POST", "/ksql", {"ksql": "CREATE STREAM v (a INT) WITH (kafka_topic = 'v', value_format = 'avro', partitions = 1, 'schema.registry.url' = 'http://127.0.0.1:1', "
    "'schema.registry.basic.auth.user.info' = '${env:NOBODY_HAS_THIS}');"})
check("one that leads nowhere", status != 200 and "NOBODY_HAS_THIS" in text, text)
ask("GET", "/metrics")
ask("POST", "/query", {"ksql": "SELECT * FROM processing_log;"})

# The catalog knows the secret, for a restart, and is its owner's alone.
check("the catalog's mode", stat.S_IMODE(os.stat(os.path.join(data, "catalog.db")).st_mode) == 0o600, oct(os.stat(os.path.join(data, "catalog.db")).st_mode))
server.stop(signal.SIGKILL)
log = b"".join(server.log)
server = Server(*options)
status, text = ask("PUT", "/v1/streams/t", {"sql": same})
check("the secret is what it was", status == 200, text)
covered("after a restart", ask("GET", "/v1/streams/S")[1])
covered("after a restart", ask("GET", "/v1/queries")[1])
server.stop()
log += b"".join(server.log)
for what, text in said:
    check(f"{what} shows a secret", secret not in text, text)
check("the log shows a secret", secret.encode() not in log, log)
check("the log shows the statement", b"'*****'" in log, log)
finish()
PY

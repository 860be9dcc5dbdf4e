"""ksqlDB's Python client `ksql-python-ng`, unchanged, against the server whose address is given: HTTP/1.1, HTTP/2 and Basic authentication are its own."""
import json, sys, time

from ksql import KSQLAPI
from ksql.errors import KSQLError

client = KSQLAPI(sys.argv[1])  # asks /info
assert client.get_ksql_version().startswith("7."), client.get_ksql_version()
assert any(each["name"] == "auto.offset.reset" for each in client.get_properties())

# Statements: the client's own builders, and text.
assert client.create_stream(table_name="clicks", columns_type=["page varchar", "visits bigint"], topic="clicks", value_format="JSON") is True
assert client.create_stream_as(table_name="long_clicks", select_columns=["page", "visits"], src_table="clicks", kafka_topic="long_clicks", value_format="JSON", conditions="visits > 10") is True
made = client.ksql("CREATE TABLE per_page AS SELECT page, COUNT(*) AS n, SUM(visits) AS visits FROM clicks GROUP BY page EMIT CHANGES")
assert made[0]["@type"] == "currentStatus" and made[0]["commandStatus"]["status"] == "SUCCESS", made
assert sorted(stream["name"] for stream in client.ksql("show streams")[0]["streams"]) == ["CLICKS", "KSQL_PROCESSING_LOG", "LONG_CLICKS", "processing_log"]
try:
    client.ksql("SELEC;")
    raise SystemExit("a mistake is no error")
except KSQLError as error:
    assert "SELEC" in str(error), error

# Rows in, over HTTP/2.
answers = client.inserts_stream("CLICKS", [{"PAGE": "home", "VISITS": 3}, {"PAGE": "about", "VISITS": 20}, {"PAGE": "home", "VISITS": 40}])
assert answers == [{"status": "ok", "seq": number} for number in range(3)], answers

# Rows out: pulled and pushed, over both.
def pull(http2):
    return "".join(client.query("SELECT * FROM per_page WHERE page = 'home';", use_http2=http2))
deadline = time.monotonic() + 20
while '"home",2,43' not in pull(False) and time.monotonic() < deadline:
    pass
assert json.loads(pull(False))[1] == {"row": {"columns": ["home", 2, 43]}}, pull(False)
assert [json.loads(line) for line in pull(True).splitlines()][1] == ["home", 2, 43], pull(True)
rows = list(client.query("SELECT page, visits FROM long_clicks EMIT CHANGES LIMIT 2;", stream_properties={"auto.offset.reset": "earliest"}, use_http2=True, parse=True))
assert rows == [{"PAGE": "about", "VISITS": 20}, {"PAGE": "home", "VISITS": 40}], rows
pushed = client.query("SELECT page FROM clicks EMIT CHANGES;", use_http2=True)
header = json.loads(next(pushed))
assert header["columnNames"] == ["PAGE"], header
assert json.loads(next(pushed)) == ["home"]
assert client.close_query(header["queryId"]) is True
assert client.close_query("nothing") is False
print("fine")

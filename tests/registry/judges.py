#!/usr/bin/env python3
"""Confluent's serializers and fastavro write what bidsql reads, and read what it writes: judges.py BIDSQL FOLDER PORT."""
import datetime, decimal, io, json, os, re, subprocess, sys

import fastavro
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

bidsql, folder, port = sys.argv[1:]
url = f"http://127.0.0.1:{port}"
client = SchemaRegistryClient({"url": url})
failures = 0
HEAD = f"topics\n\nset schema.registry.url {url}\n\n"


def report(name, problem=None):
    global failures
    failures += problem is not None
    print(f"ok      {name}" if problem is None else f"FAILED  {name}\n{problem}")


def run(name, text, *options):
    path = os.path.join(folder, name + ".test")
    with open(path, "w") as out:
        out.write(HEAD + text)
    done = subprocess.run([bidsql, "test", "--mode=plain", *options, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout, path


def value_of(topic):
    return SerializationContext(topic, MessageField.VALUE)


def given(topic, messages):
    """A topic that holds these bytes."""
    rows = "".join(f"INSERT INTO given_{topic} VALUES (TO_BYTES('{message.hex()}', 'hex'));\n" for message in messages)
    return f"statement ok\nCREATE STREAM given_{topic} (v BYTES) WITH (connector = 'kafka', topic = '{topic}', value_format = 'kafka', 'scan.bounded.mode' = 'latest-offset');\n{rows}\n"


def reads(name, topic, form, messages, query, rows):
    """bidsql takes its columns from the registry and reads the messages."""
    code, text, _ = run(name, given(topic, messages) + f"statement ok\nCREATE STREAM {topic} WITH (connector = 'kafka', topic = '{topic}', value_format = '{form}', 'scan.bounded.mode' = 'latest-offset');\n\n"
                        f"query\n{query};\n----\n" + "".join(" | ".join(row) + "\n" for row in rows))
    report(name, text if code else None)


def writes(name, topic, form, columns, rows):
    """The bytes that bidsql writes of these rows."""
    values = "".join(f"INSERT INTO {topic} VALUES ({row});\n" for row in rows)
    code, text, path = run(name, f"statement ok\nCREATE STREAM {topic} {columns} WITH (connector = 'kafka', topic = '{topic}', value_format = '{form}', 'scan.bounded.mode' = 'latest-offset');\n{values}"
                           f"CREATE STREAM bytes_{topic} (v BYTES) WITH (connector = 'kafka', topic = '{topic}', value_format = 'kafka', 'scan.bounded.mode' = 'latest-offset');\n\n"
                           f"query\nSELECT FROM_BYTES(v, 'hex') AS v FROM bytes_{topic};\n----\n", "--update")
    lines = open(path).read().split("----\n")[-1].split()
    if len(lines) != len(rows):
        report(name, text)
        return None
    return [bytes.fromhex(line) for line in lines]


def latin(value):  # fastavro leaves the text of a default as it stands
    return value.encode("latin-1") if isinstance(value, str) else value


def compare(name, expected, actual):
    report(name, None if expected == actual else f"expected {expected}\nactual   {actual}")


# ---- Avro: everything that has a form in columns, with references ----

LINE = {"type": "record", "name": "Line", "namespace": "com.acme", "fields": [{"name": "sku", "type": "string"}, {"name": "count", "type": "int"}]}
ORDER = {"type": "record", "name": "Order", "namespace": "com.acme", "fields": [
    {"name": "id", "type": "long"}, {"name": "flag", "type": "boolean"}, {"name": "small", "type": "int"}, {"name": "f", "type": "float"}, {"name": "d", "type": "double"},
    {"name": "name", "type": ["null", "string"]}, {"name": "raw", "type": "bytes"}, {"name": "four", "type": {"type": "fixed", "name": "Four", "size": 4}},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
    {"name": "fprice", "type": {"type": "fixed", "name": "Money", "size": 6, "logicalType": "decimal", "precision": 10, "scale": 3}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}}, {"name": "tm", "type": {"type": "int", "logicalType": "time-millis"}}, {"name": "tu", "type": {"type": "long", "logicalType": "time-micros"}},
    {"name": "ms", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "us", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "lm", "type": {"type": "long", "logicalType": "local-timestamp-millis"}}, {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "SENT"]}}, {"name": "lines", "type": {"type": "array", "items": "com.acme.Line"}},
    {"name": "tags", "type": {"type": "map", "values": ["null", "long"]}}, {"name": "either", "type": ["null", "long", "string"]}]}
utc = datetime.timezone.utc
order = {"id": -5000000000, "flag": True, "small": 7, "f": 0.5, "d": 1e300, "name": "Zoë", "raw": b"\x00\xff", "four": b"abcd", "price": decimal.Decimal("-12.50"), "fprice": decimal.Decimal("1.005"),
         "day": datetime.date(1969, 12, 31), "tm": datetime.time(1, 2, 3, 4000), "tu": datetime.time(1, 2, 3, 4), "ms": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, utc),
         "us": datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, utc), "lm": datetime.datetime(2026, 1, 2, 3, 4, 5), "u": "0b6e5c3a-9a5b-4a44-8b0c-5f0f3f6a1f11", "state": "SENT",
         "lines": [{"sku": "a", "count": 1}, {"sku": "b", "count": -1}], "tags": {"x": 1, "y": None}, "either": "text"}
client.register_schema("com.acme.Line", Schema(json.dumps(LINE), "AVRO"))
schema = Schema(json.dumps(ORDER), "AVRO", [SchemaReference("com.acme.Line", "com.acme.Line", 1)])
serializer = AvroSerializer(client, schema)
reads("judge_avro_reads", "orders", "avro", [serializer(order, value_of("orders")), serializer(dict(order, name=None, either=3, lines=[], tags={}), value_of("orders"))],
      "SELECT id, flag, small, f, d, name, FROM_BYTES(raw, 'hex') AS raw, FROM_BYTES(four, 'utf8') AS four, price, fprice, day, tm, tu, ms, us, lm, u, state, lines[2].sku AS sku, lines[2].count AS n, tags['x'] AS x, tags['y'] AS y,"
      " either.long AS l, either.string AS s FROM orders",
      [["-5000000000", "true", "7", "0.5", "1.0E300", "Zoë", "00FF", "abcd", "-12.50", "1.005", "1969-12-31", "01:02:03.004", "01:02:03.000004", "2026-01-02 03:04:05.678", "2026-01-02 03:04:05.678901",
        "2026-01-02 03:04:05.000", order["u"], "SENT", "b", "-1", "1", "NULL", "NULL", "text"],
       ["-5000000000", "true", "7", "0.5", "1.0E300", "NULL", "00FF", "abcd", "-12.50", "1.005", "1969-12-31", "01:02:03.004", "01:02:03.000004", "2026-01-02 03:04:05.678", "2026-01-02 03:04:05.678901",
        "2026-01-02 03:04:05.000", order["u"], "SENT", "NULL", "NULL", "NULL", "NULL", "3", "NULL"]])

COLUMNS = "(id BIGINT, flag BOOLEAN, f FLOAT, d DOUBLE, name STRING, raw BYTES, price DECIMAL(30, 4), day DATE, tm TIME, ms TIMESTAMP(3), us TIMESTAMP(6), list ARRAY<STRUCT<a INT, b STRING>>, m MAP<STRING, DOUBLE>)"
ROWS = ["-5000000000, TRUE, 0.5, 1e300, 'Zoë', TO_BYTES('00ff', 'hex'), -12345678901234567890.1234, DATE '1969-12-31', TIME '01:02:03.004', TIMESTAMP '2026-01-02 03:04:05.678', TIMESTAMP '2026-01-02 03:04:05.678901',"
        " ARRAY[STRUCT(a := 1, b := 'x'), STRUCT(a := NULL, b := NULL)], MAP('k' := 1.5)",
        "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"]
EXPECTED = {"id": -5000000000, "flag": True, "f": 0.5, "d": 1e300, "name": "Zoë", "raw": b"\x00\xff", "price": decimal.Decimal("-12345678901234567890.1234"), "day": datetime.date(1969, 12, 31),
            "tm": datetime.time(1, 2, 3, 4000), "ms": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, utc), "us": datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, utc), "list": [{"a": 1, "b": "x"}, {"a": None, "b": None}], "m": {"k": 1.5}}
written = writes("judge_avro_writes", "written_avro", "avro", COLUMNS, ROWS)
if written:
    deserializer = AvroDeserializer(client)
    compare("judge_avro_writes: confluent-kafka", [EXPECTED, dict.fromkeys(EXPECTED)], [deserializer(message, value_of("written_avro")) for message in written])
    text = client.get_schema(int.from_bytes(written[0][1:5], "big")).schema_str
    compare("judge_avro_writes: fastavro", EXPECTED, fastavro.schemaless_reader(io.BytesIO(written[0][5:]), fastavro.parse_schema(json.loads(text))))

# ---- Avro: resolution, as fastavro has it ----

OLD = {"type": "record", "name": "User", "fields": [{"name": "old", "type": "double"}, {"name": "fullname", "type": "string"}, {"name": "n", "type": "int"}, {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}},
                                                    {"name": "v", "type": ["int", "null"]}]}
NEW = {"type": "record", "name": "User", "fields": [{"name": "name", "type": "string", "aliases": ["fullname"]}, {"name": "n", "type": "double"}, {"name": "more", "type": {"type": "map", "values": "long"}, "default": {"k": 7}},
                                                    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"], "default": "A"}}, {"name": "v", "type": ["null", "long", "string"]},
                                                    {"name": "list", "type": {"type": "array", "items": {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int", "default": 3}, {"name": "y", "type": "bytes", "default": "\u00ff"}]}}, "default": [{"x": 1, "y": "a"}, {"x": 3, "y": "\u00ff"}]}]}
old_id = client.register_schema("resolved-old", Schema(json.dumps(OLD), "AVRO"))
client.register_schema("resolved-value", Schema(json.dumps(NEW), "AVRO"))
messages, rows = [], []
for record in ({"old": 1.5, "fullname": "Ada", "n": 3, "kind": "C", "v": 5}, {"old": 0.0, "fullname": "Bob", "n": -1, "kind": "B", "v": None}):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(OLD), record)
    messages.append(b"\x00" + old_id.to_bytes(4, "big") + out.getvalue())
    seen = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), fastavro.parse_schema(OLD), fastavro.parse_schema(NEW))
    rows.append([seen["name"], str(float(seen["n"])), str(seen["more"]["k"]), seen["kind"], "NULL" if seen["v"] is None else str(seen["v"]), str(seen["list"][0]["x"]), str(seen["list"][1]["x"]), latin(seen["list"][1]["y"]).hex().upper()])
reads("judge_avro_resolves", "resolved", "avro", messages, "SELECT name, n, more['k'] AS k, kind, v.long AS l, list[1].x AS x1, list[2].x AS x2, FROM_BYTES(list[2].y, 'hex') AS y FROM resolved", rows)

# ---- container files ----

path = os.path.join(folder, "judged.avro")
with open(os.path.join(folder, "judged.jsonl"), "w") as out:
    out.write("".join(json.dumps({"n": n, "s": None if n % 5 == 0 else f"text {n}"}) + "\n" for n in range(5000)))
done = subprocess.run([bidsql, "-q", "-c", f"CREATE STREAM given (n BIGINT, s STRING) WITH (path = '{folder}/judged.jsonl'); CREATE STREAM written WITH (connector = 'file', path = '{path}') AS SELECT * FROM given;"],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
if done.returncode:
    report("judge_avro_file", done.stdout)
else:
    with open(path, "rb") as written_file:
        compare("judge_avro_file", [{"n": n, "s": None if n % 5 == 0 else f"text {n}"} for n in range(5000)], list(fastavro.reader(written_file)))

# ---- JSON Schema ----

ADDRESS = {"$id": "http://acme.com/address.json", "type": "object", "properties": {"city": {"type": "string"}}}
PERSON = {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}, "age": {"type": ["null", "integer"]}, "home": {"$ref": "http://acme.com/address.json"}, "tags": {"type": "array", "items": {"type": "string"}}}}
client.register_schema("address", Schema(json.dumps(ADDRESS), "JSON"))
serializer = JSONSerializer(Schema(json.dumps(PERSON), "JSON", [SchemaReference("http://acme.com/address.json", "address", 1)]), client)
reads("judge_json_reads", "people", "json_sr", [serializer({"name": "Ada", "age": 36, "home": {"city": "Ulm"}, "tags": ["x"]}, value_of("people")), serializer({"name": "Bob", "age": None, "home": {"city": "B"}, "tags": []}, value_of("people"))],
      "SELECT name, age, home.city AS city, tags[1] AS tag FROM people", [["Ada", "36", "Ulm", "x"], ["Bob", "NULL", "B", "NULL"]])
written = writes("judge_json_writes", "written_json", "json_sr", "(id BIGINT, name STRING, list ARRAY<INT>, s STRUCT<a DOUBLE>)", ["1, 'x', ARRAY[1, NULL], STRUCT(a := 1.5)", "NULL, NULL, NULL, NULL"])
if written:
    text = client.get_schema(int.from_bytes(written[0][1:5], "big")).schema_str
    deserializer = JSONDeserializer(text)  # it validates, too
    compare("judge_json_writes", [{"id": 1, "name": "x", "list": [1, None], "s": {"a": 1.5}}, dict.fromkeys(["id", "name", "list", "s"])], [deserializer(message, value_of("written_json")) for message in written])

# ---- Protocol Buffers: classes made by protoc ----

try:
    from grpc_tools import protoc
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
    import grpc_tools
except ImportError:
    print("SKIPPED judge_protobuf: grpcio-tools cannot be had from PyPI")
    protoc = None


def compiled(name, text):
    path = os.path.join(folder, name + ".proto")
    with open(path, "w") as out:
        out.write(text)
    common = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    if protoc.main(["protoc", f"-I{folder}", f"-I{common}", f"--python_out={folder}", path]) != 0:
        raise SystemExit("protoc refuses " + text)
    sys.path.insert(0, folder)
    return __import__(name + "_pb2")


if protoc:
    compiled("money", 'syntax = "proto3"; package acme; message Money { string currency = 1; sint64 cents = 2; enum Kind { NONE = 0; CARD = 1; CASH = 5; } }')
    shop = compiled("shop", """syntax = "proto3"; package acme; import "money.proto"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
message Other { int32 x = 1; }
message Sale { message Line { string sku = 1; uint32 count = 2; } int64 id = 1; Money total = 2; Money.Kind kind = 3; repeated Line lines = 4; repeated int32 packed = 5; map<string, double> rates = 6; google.protobuf.Timestamp at = 7;
  google.protobuf.StringValue note = 8; optional bool paid = 9; oneof who { string name = 10; fixed64 number = 11; } bytes raw = 12; float f = 13; sfixed32 s = 14; }""")
    money = sys.modules["money_pb2"]
    sale = shop.Sale(id=-7, total=money.Money(currency="EUR", cents=-1250), kind=money.Money.CASH, lines=[shop.Sale.Line(sku="a", count=4000000000), shop.Sale.Line()], packed=[1, -1, 300], rates={"x": 0.5}, paid=False, name="Ada", raw=b"\x00\xff", f=0.25, s=-3)
    sale.at.FromJsonString("2026-01-02T03:04:05.678901Z")
    sale.note.value = ""
    serializer = ProtobufSerializer(shop.Sale, client, {"use.deprecated.format": False})
    messages = [serializer(sale, value_of("sales")), serializer(shop.Sale(number=9), value_of("sales"))]
    code, text, _ = run("judge_protobuf_reads", given("sales", messages) +
                        "statement ok\nCREATE STREAM sales WITH (connector = 'kafka', topic = 'sales', value_format = 'protobuf', value_schema_full_name = 'acme.Sale', 'scan.bounded.mode' = 'latest-offset');\n\n"
                        "query\nSELECT id, total.cents AS c, kind, lines[1].count AS n, lines[2].sku AS e, packed, rates['x'] AS x, at, note IS NULL AS nn, paid, name, number, FROM_BYTES(raw, 'hex') AS raw, f, s FROM sales;\n----\n"
                        "-7 | -1250 | CASH | 4000000000 |  | [1,-1,300] | 0.5 | 2026-01-02 03:04:05.678901 | false | false | Ada | NULL | 00FF | 0.25 | -3\n"
                        "0 | NULL | NONE | NULL | NULL | [] | NULL | NULL | true | NULL | NULL | 9 |  | 0.0 | 0\n")
    report("judge_protobuf_reads", text if code else None)
    # What bidsql writes by that schema: all of it comes back.
    number = client.get_latest_version("sales-value").schema_id
    code, text, path = run("judge_protobuf_writes", given("sales", messages) +
                           f"statement ok\nCREATE STREAM sales WITH (connector = 'kafka', topic = 'sales', value_format = 'protobuf', value_schema_full_name = 'acme.Sale', 'scan.bounded.mode' = 'latest-offset');\n"
                           f"CREATE STREAM copied WITH (connector = 'kafka', topic = 'copied', value_format = 'protobuf', value_schema_id = {number}, value_schema_full_name = 'acme.Sale') AS SELECT * FROM sales;\n"
                           "CREATE STREAM bytes (v BYTES) WITH (connector = 'kafka', topic = 'copied', value_format = 'kafka', 'scan.bounded.mode' = 'latest-offset');\n\nquery\nSELECT FROM_BYTES(v, 'hex') AS v FROM bytes;\n----\n", "--update")
    lines = open(path).read().split("----\n")[-1].split()
    deserializer = ProtobufDeserializer(shop.Sale, {"use.deprecated.format": False})
    try:
        compare("judge_protobuf_writes", [sale, shop.Sale(number=9)], [deserializer(bytes.fromhex(line), value_of("copied")) for line in lines])
    except Exception as error:
        report("judge_protobuf_writes", f"{error}\n{text}")

sys.exit(failures > 0)

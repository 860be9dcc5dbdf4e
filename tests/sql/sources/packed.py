"""Makes the files packed-*.avro beside it, with fastavro; run by hand."""
import fastavro

schema = fastavro.parse_schema({"type": "record", "name": "Row", "fields": [{"name": "n", "type": "long"}, {"name": "s", "type": ["null", "string"]}]})
rows = [{"n": n, "s": f"text {n % 3}"} for n in range(5000)]
for codec in ("deflate", "zstandard"):
    with open(f"packed-{codec}.avro", "wb") as out:
        fastavro.writer(out, schema, rows, codec=codec, sync_marker=b"0123456789abcdef")
text = b'{"type":"record","name":"Row","fields":[{"name":"n","type":"long"}]}'
with open("packed-snappy.avro", "wb") as out:  # only its head is read; lengths are zigzag
    out.write(b"Obj\x01\x04\x14avro.codec\x0csnappy\x16avro.schema" + bytes([(len(text) * 2 & 127) | 128, len(text) * 2 >> 7]) + text + b"\x00" + b"0123456789abcdef")

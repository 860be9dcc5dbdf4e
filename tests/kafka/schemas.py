#!/usr/bin/env python3
"""Confluent's client at a broker and a registry: schemas.py produce|consume|changed BROKERS REGISTRY TOPIC."""
import json, sys
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

command, brokers, registry, topic = sys.argv[1:]
client = SchemaRegistryClient({"url": registry})
FIRST = {"type": "record", "name": "Bid", "fields": [{"name": "auction", "type": "long"}, {"name": "price", "type": "int"}]}
CHANGED = {"type": "record", "name": "Bid", "fields": [{"name": "channel", "type": ["null", "string"], "default": None}, {"name": "auction", "type": "long"}, {"name": "price", "type": "int"}]}


def produce(schema, records):
    serializer = AvroSerializer(client, json.dumps(schema))
    producer = Producer({"bootstrap.servers": brokers})
    for key, record in records:
        producer.produce(topic, key=key.encode(), value=serializer(record, SerializationContext(topic, MessageField.VALUE)))
    producer.flush(30)


def consume():
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "schemas-" + topic, "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.subscribe([topic])
    keys, values = AvroDeserializer(client), AvroDeserializer(client)
    seen, ends = [], set()
    partitions = len(consumer.list_topics(topic, 30).topics[topic].partitions)
    while len(ends) < partitions:
        message = consumer.poll(30)
        if message is None:
            raise SystemExit("nothing comes")
        if message.error():
            ends.add(message.partition())
            continue
        key = keys(message.key(), SerializationContext(topic, MessageField.KEY))
        value = values(message.value(), SerializationContext(topic, MessageField.VALUE)) if message.value() is not None else None
        seen.append((key, value))
    print(*(f"{key} {json.dumps(value, sort_keys=True)}" for key, value in sorted(seen, key=lambda pair: json.dumps(pair, default=str))), sep="\n")


if command == "produce":
    produce(FIRST, [(f"k{i}", {"auction": i % 3, "price": i}) for i in range(100)])
elif command == "changed":
    produce(CHANGED, [(f"c{i}", {"channel": "web", "auction": 7, "price": 1000 + i}) for i in range(10)])
else:
    consume()

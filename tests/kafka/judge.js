// tests/kafka/judge.js: an independent client (kafkajs, which shares no code with librdkafka) writes what bidsql reads and reads what it writes.
//
//   judge.js write ADDRESSES TOPIC [gzip]   lines of JSON on stdin: {"key", "value", "headers", "timestamp", "partition"}; null and missing are null
//   judge.js read ADDRESSES TOPIC           all messages that are there, by partition and offset, as such lines
const { Kafka, logLevel, CompressionTypes } = require('kafkajs');
const [, , verb, addresses, topic, codec] = process.argv;
const kafka = new Kafka({ clientId: 'judge', brokers: addresses.split(','), logLevel: logLevel.ERROR });

const text = bytes => (bytes === null || bytes === undefined ? null : bytes.toString('utf8'));

async function write() {
    const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
    const messages = lines.map(JSON.parse).map(({ key = null, value = null, headers, timestamp, partition }) =>
        ({ key, value, headers, partition, timestamp: timestamp === undefined ? undefined : String(timestamp) }));
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages, acks: -1, compression: codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None });
    await producer.disconnect();
}

async function read() {
    const admin = kafka.admin();
    await admin.connect();
    const ends = new Map((await admin.fetchTopicOffsets(topic)).map(o => [o.partition, { next: Number(o.low), end: Number(o.high) }]));
    await admin.disconnect();
    const found = [];
    const done = () => [...ends.values()].every(o => o.next >= o.end);
    if (!done()) {
        const consumer = kafka.consumer({ groupId: 'judge-' + process.pid + '-' + Date.now(), maxWaitTimeInMs: 50 });
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await new Promise((resolve, reject) => {
            consumer.run({
                autoCommit: false,
                eachMessage: async ({ partition, message }) => {
                    const headers = {};
                    for (const [name, value] of Object.entries(message.headers || {})) headers[name] = Array.isArray(value) ? value.map(text) : text(value);
                    found.push({ partition, offset: Number(message.offset), timestamp: Number(message.timestamp), key: text(message.key), value: text(message.value), headers });
                    ends.get(partition).next = Number(message.offset) + 1;
                    if (done()) resolve();
                },
            }).catch(reject);
        });
        await consumer.disconnect();
    }
    found.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
    for (const message of found) console.log(JSON.stringify(message));
}

(verb === 'write' ? write() : read()).then(() => process.exit(0), error => { console.error(String(error)); process.exit(1); });

// ksqlDB's npm client, unchanged, against `bidsql server`. Usage: node client.js PORT
const KsqldbClient = require("ksqldb-client");
const assert = require("assert");

async function main() {
    const client = new KsqldbClient({ host: "http://127.0.0.1", port: Number(process.argv[2]) });
    await client.connect();

    const created = await client.executeStatement("CREATE STREAM riders (name STRING KEY, lat DOUBLE, speed INT) WITH (kafka_topic = 'riders', value_format = 'json', partitions = 1);");
    assert.strictEqual(created.status, 200);
    assert.strictEqual(created.data.rows[0].commandStatus.status, "SUCCESS");
    await client.executeStatement("CREATE TABLE rides AS SELECT name, COUNT(*) AS c FROM riders GROUP BY name EMIT CHANGES;");

    const rows = [];
    let queryId;
    const streaming = client.streamQuery("SELECT * FROM riders EMIT CHANGES LIMIT 2;", (piece) => {
        queryId = piece.metadata.queryId;
        for (const row of piece.rows || []) rows.push(row);
    });
    while (!queryId) await new Promise((resolve) => setImmediate(resolve));
    for (const row of [{ NAME: "a'b", LAT: 1.5, SPEED: 3 }, { NAME: "x", LAT: 2, SPEED: 4 }]) {
        const inserted = await client.insertInto("riders", row);
        assert.strictEqual(inserted.data.rows[0].status, "ok");
    }
    assert.strictEqual((await streaming).status, 200);
    assert.deepStrictEqual(rows, [{ NAME: "a'b", LAT: 1.5, SPEED: 3 }, { NAME: "x", LAT: 2, SPEED: 4 }]);

    let pulled;
    do pulled = await client.query("SELECT * FROM rides WHERE name = 'x';");
    while (pulled.data.rows.length === 0);
    assert.deepStrictEqual(pulled.data.rows, [{ NAME: "x", C: 1 }]);

    // A push query that goes on until the client ends it.
    let endless;
    const never = client.streamQuery("SELECT * FROM riders EMIT CHANGES;", (piece) => { endless = piece.metadata.queryId; });
    while (!endless) await new Promise((resolve) => setImmediate(resolve));
    const ended = await client.terminatePushQuery(endless);
    assert.ok(!ended.error, JSON.stringify(ended));
    await never;

    // What goes wrong with rows is a stream as ksqlDB has it.
    await client.executeStatement("CREATE TABLE paces AS SELECT name, LATEST_BY_OFFSET(10 / (speed - 4)) AS pace FROM riders GROUP BY name EMIT CHANGES;");
    let logged;
    do logged = await client.query("SELECT LEVEL, MESSAGE->RECORDPROCESSINGERROR->ERRORMESSAGE AS WHY FROM KSQL_PROCESSING_LOG WHERE MESSAGE->TYPE = 1;");
    while (logged.data.rows.length === 0);
    assert.deepStrictEqual(logged.data.rows, [{ LEVEL: "ERROR", WHY: "division by zero" }]);
    await client.executeStatement("DROP TABLE paces;");

    assert.deepStrictEqual((await client.listStreams()).map((stream) => stream.name), ["KSQL_PROCESSING_LOG", "processing_log", "RIDERS"]);
    assert.deepStrictEqual((await client.listTables()).map((table) => table.name), ["RIDES"]);
    assert.ok((await client.listTopics()).some((topic) => topic.name === "riders"));
    assert.ok((await client.listQueries()).some((query) => query.id === "CTAS_RIDES_1" && query.state === "RUNNING"));
    assert.ok(JSON.stringify(await client.describeSource("riders")).includes("SPEED"));

    const wrong = await client.executeStatement("SELEC 1;");
    assert.strictEqual(wrong.error.error_code, 40001);
    assert.ok(wrong.error.message.includes("did you mean 'SELECT'?"), wrong.error.message);
    await client.disconnect();
    console.log("fine");
    process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });

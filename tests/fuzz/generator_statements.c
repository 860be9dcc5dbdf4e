/* tests/fuzz/generator_statements.c: statements other than queries. */
#include "tests/fuzz/generator_internal.h"

static void property(Generator *g)
{
    PICK(g, "connector = 'blackhole'", "path = 'x.jsonl'", "'format' = 'json'", "kafka_topic = 't'", "value_format = 'JSON'", "'connector' = 'datagen'", "timestamp = 'ts'", "partitions = 4", "on_error = 'skip'", "wrap_single_value = FALSE",
         "dead_letter = 'dead'", "nope = 1", "a.b-c = 1.5", "scan.startup-1 = -3", "x = 2e3", "header = TRUE");
}

static void with(Generator *g)
{
    put(g, " WITH (");
    if (!rarely(g))
        generate_list(g, property, 3);
    put(g, ")");
}

static void stored_column(Generator *g)
{
    PICK(g, "c1", "c2", "\"C 3\"", "key", "ts", "d1");
    put(g, " ");
    generate_type(g);
    PICK(g, "", "", "", " KEY", " PRIMARY KEY", " NOT NULL", " DEFAULT 1", " HEADERS", " HEADER('h')", " METADATA FROM 'offset' VIRTUAL", " METADATA", " NULL", " COMMENT 'note'");
}

static void column_definition(Generator *g)
{
    if (rarely(g)) {
        PICK(g, "c4 AS ", "e AS ", "e BIGINT AS ");
        generate_any(g);
        if (rarely(g))
            put(g, " COMMENT 'computed'");
    } else {
        stored_column(g);
    }
}

static void create_source(Generator *g)
{
    PICK(g, "CREATE STREAM ", "CREATE TABLE ", "CREATE OR REPLACE STREAM ", "CREATE SOURCE STREAM ", "CREATE STREAM IF NOT EXISTS ", "CREATE TEMPORARY TABLE ");
    generate_new_name(g);
    if (rarely(g)) {
        put(g, " ()");
    } else if (choose(g, 8) != 7) {
        put(g, " (");
        generate_list(g, column_definition, 4);
        if (rarely(g))
            PICK(g, ", WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", ", PRIMARY KEY (c1) NOT ENFORCED", ", PRIMARY KEY (c1, c2)", ", CONSTRAINT pk PRIMARY KEY (c1)");
        put(g, ")");
        if (rarely(g))
            PICK(g, " PARTITIONED BY (c1)", " COMMENT 'what it is'");
        if (choose(g, 2))
            return;
    }
    with(g);
}

static void create_as(Generator *g)
{
    switch (choose(g, 3)) {
    case 0:
        PICK(g, "CREATE VIEW ", "CREATE OR REPLACE VIEW ", "CREATE TEMPORARY VIEW ", "CREATE VIEW IF NOT EXISTS ");
        generate_new_name(g);
        PICK(g, "", "", " (p, q)", " (p, q COMMENT 'the second') COMMENT 'a view'");
        break;
    default:
        PICK(g, "CREATE STREAM ", "CREATE TABLE ", "CREATE OR REPLACE TABLE ", "CREATE TABLE IF NOT EXISTS ");
        generate_new_name(g);
        if (choose(g, 2))
            with(g);
    }
    put(g, " AS ");
    generate_query(g);
}

static void insert(Generator *g)
{
    PICK(g, "INSERT INTO ", "INSERT INTO ", "INSERT INTO ", "INSERT OVERWRITE ");
    PICK(g, "sink", "empty", "bids", "nope", "high");
    PICK(g, "", "", " (a, b)", " (b)", " (a, a)", " WITH (QUERY_ID = 'q')", " (a) WITH (QUERY_ID = 'q')");
    if (g->out->length > 4 && strcmp(text_c(g->out) + g->out->length - 4, "'q')") == 0) {
        put(g, " ");
        generate_query(g);
        return;
    }
    if (choose(g, 2)) {
        put(g, " VALUES (");
        generate_list(g, generate_any, 2);
        PICK(g, ")", "), (1, 'x')", "), (DEFAULT, NULL)");
        return;
    }
    put(g, " ");
    generate_query(g);
}

static void set_of_inserts(Generator *g)
{
    put(g, "EXECUTE STATEMENT SET BEGIN ");
    for (uint32_t count = 1 + choose(g, 2); count; count--) {
        insert(g);
        put(g, "; ");
    }
    put(g, "END");
}

static void assertion(Generator *g)
{
    switch (choose(g, 6)) {
    case 5: PICK(g, "ASSERT VALUES bids VALUES (1, 2)", "ASSERT STREAM bids WITH (format = 'json')", "ASSERT TABLE users", "ASSERT TOMBSTONE users (id) KEY (1)"); break;
    case 0: put(g, "ASSERT VALUES "); generate_relation_name(g); PICK(g, " (auction)", " (a)", " (id)"); put(g, " VALUES ("); generate_any(g); put(g, ")"); break;
    case 1: put(g, "ASSERT NULL VALUES "); generate_relation_name(g); put(g, " (auction) KEY ("); generate_any(g); put(g, ")"); break;
    case 2: PICK(g, "ASSERT STREAM ", "ASSERT TABLE "); generate_relation_name(g); put(g, " ("); generate_list(g, column_definition, 3); put(g, ")"); break;
    case 3: PICK(g, "ASSERT TOPIC t", "ASSERT NOT EXISTS TOPIC 't' TIMEOUT 5 SECONDS", "ASSERT TOPIC t WITH (partitions = 1)"); break;
    case 4: PICK(g, "ASSERT SCHEMA SUBJECT 's'", "ASSERT NOT EXISTS SCHEMA ID 3", "ASSERT SCHEMA SUBJECT s ID 4 TIMEOUT 1 MINUTE"); break;
    }
}

static void fixed(Generator *g)
{
    PICK(g, "SHOW STREAMS", "SHOW STREAMS NOT LIKE 'b%'", "LIST TABLES EXTENDED", "SHOW QUERIES", "SHOW TOPICS", "SHOW FUNCTIONS", "SHOW TYPES", "SHOW VARIABLES", "SHOW PROPERTIES", "SHOW LAG", "SHOW VIEWS", "DESCRIBE bids", "DESCRIBE EXTENDED high",
         "DESCRIBE 'none.jsonl'", "DESCRIBE FUNCTION ucase", "DESCRIBE FUNCTION nope", "TERMINATE ALL", "TERMINATE q1", "PAUSE q1", "RESUME ALL", "SET 'dialect' = 'ksql'", "SET 'dialect' = 'flink'", "SET 'dialect' = 'asa'",
         "UNSET 'dialect'", "RESET", "RESET ALL", "SET 'nope' = 'x'", "SET 'exec.batch_rows' = '1'", "DEFINE v = 'x'", "UNDEFINE v", "PRINT t FROM BEGINNING LIMIT 3", "PRINT 't' INTERVAL 2", "RUN SCRIPT 'none.sql'",
         "DROP STREAM IF EXISTS x1", "DROP TABLE users", "DROP VIEW high", "DROP TYPE pair", "DROP STREAM bids DELETE TOPIC", "DROP TYPE IF EXISTS nope", "CREATE SOURCE CONNECTOR c WITH ('a' = 'b')", "CREATE SINK CONNECTOR IF NOT EXISTS c WITH ('a' = 'b')", "DROP CONNECTOR c",
         "DROP FUNCTION IF EXISTS f1", "DROP TEMPORARY VIEW IF EXISTS x1", "DROP TEMPORARY FUNCTION nope", "ALTER SYSTEM 'a' = 'b'", "SHOW ALL TOPICS", "SHOW ALL TOPICS EXTENDED", "SHOW CONNECTORS", "SHOW SOURCE CONNECTORS",
         "LIST SINK CONNECTORS", "SHOW CONNECTOR PLUGINS", "DESCRIBE STREAMS", "DESCRIBE TABLES EXTENDED", "DESCRIBE CONNECTOR c", "DESC bids", "EXPLAIN q1", "EXPLAIN PLAN FOR SELECT 1 AS one", "SET", "SET exec.threads = 2",
         "SET 'exec.conflate' = ON", "SET source.linger = 10 SECONDS", "SET dialect = bidsql", "TERMINATE 'q1'", "PRINT t SAMPLE 2", "PRINT t FROM BEGINNING INTERVAL 2 LIMIT 1");
}

static void explained(Generator *g)
{
    PICK(g, "EXPLAIN ", "EXPLAIN ANALYZE ", "EXPLAIN WHY NO OUTPUT ", "EXPLAIN EXTENDED ");
    switch (choose(g, 4)) {
    case 0: insert(g); break;
    case 1: create_as(g); break;
    default: generate_query(g); break;
    }
}

static void create_function(Generator *g)
{
    PICK(g, "CREATE FUNCTION ", "CREATE OR REPLACE FUNCTION ", "CREATE FUNCTION IF NOT EXISTS ", "CREATE AGGREGATE FUNCTION ", "CREATE TEMPORARY FUNCTION ");
    PICK(g, "f1", "f2", "\"F 3\"");
    PICK(g, " ()", " (a BIGINT)", " (a BIGINT, b STRING)", "");
    PICK(g, "", " RETURNS BIGINT", " RETURNS STRING LANGUAGE SQL", " RETURNS BIGINT LANGUAGE 'lua'");
    PICK(g, " AS a + 1", " AS (SUM(a))", " AS $$ function f1(a) return a end $$", " AS UCASE(b)");
}

void generate_statement(Generator *g)
{
    switch (choose(g, 21)) {
    case 20: create_function(g); break;
    case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7: generate_query(g); break;
    case 8: case 9: create_source(g); break;
    case 10: case 11: create_as(g); break;
    case 12: case 13: insert(g); break;
    case 14: PICK(g, "CREATE TYPE ", "CREATE TYPE IF NOT EXISTS ", "CREATE OR REPLACE TYPE "); generate_new_name(g); put(g, " AS "); generate_type(g); break;
    case 15: PICK(g, "ALTER STREAM ", "ALTER TABLE "); generate_relation_name(g); PICK(g, " ADD COLUMN ", " ADD ", " ADD (x1 INT, x2 INT), ADD ", " ADD c9 INT, ADD COLUMN "); stored_column(g); break;
    case 16: explained(g); break;
    case 17: assertion(g); break;
    case 18: set_of_inserts(g); break;
    case 19: fixed(g); break;
    }
}

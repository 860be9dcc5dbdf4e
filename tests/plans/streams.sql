-- streams in the process: producers, late rows, bad records
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
CREATE STREAM s (a BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);
INSERT INTO s SELECT auction, ts FROM bids;
INSERT INTO s VALUES (1, TIMESTAMP '2026-01-01 00:00:00');
SELECT a, COUNT(*) FROM s WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY a;
CREATE STREAM safe (auction BIGINT, price DOUBLE) WITH (path = 'data/bids.jsonl', on_error = 'dead_letter', dead_letter = 'bad');
SELECT auction FROM safe;
SELECT text, reason FROM bad;
SHOW STREAMS;
DESCRIBE bids;

-- filter and projection over a file; only what is read is decoded
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT auction, price * 2 AS double_price FROM bids WHERE price > 100 AND channel = 'web';
SELECT * FROM bids;
SELECT info.b.d, info->a AS a FROM bids WHERE info.b.c = 'x';
SELECT b.info FROM bids AS b;
SELECT ROWTIME, auction FROM bids;
SELECT total FROM bids WHERE total > 10;

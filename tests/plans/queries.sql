-- sub-queries, WITH, UNION ALL, VALUES, LIMIT
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT 1 + 1 AS two, 'x' AS x;
WITH web AS (SELECT * FROM bids WHERE channel = 'web') SELECT a.auction FROM web a WHERE price > 5 LIMIT 10 OFFSET 2;
SELECT auction, price FROM bids WHERE price < 1 UNION ALL SELECT bidder, auction FROM bids ORDER BY price LIMIT 5;
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (n, s) WHERE n > 1;
SELECT price FROM bids ORDER BY ts DESC, auction LIMIT 3;
SELECT auction AS a FROM 'data/bids.jsonl' WHERE price > 60;

-- INSERT INTO: one job, each source read once
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
CREATE STREAM dear (auction BIGINT, price DOUBLE) WITH (connector = 'file', path = 'out/dear.jsonl');
CREATE STREAM counts WITH (connector = 'file', path = 'out/counts.csv') AS SELECT channel, COUNT(*) AS n FROM bids GROUP BY channel;
INSERT INTO dear SELECT auction, price FROM bids WHERE price > 100;
INSERT INTO dear (price, auction) SELECT price, bidder FROM bids;
INSERT INTO dear VALUES (1, 2.5), (2, 3);
SELECT 1 AS after;
CREATE STREAM web AS SELECT auction, price, ts FROM bids WHERE channel = 'web';
INSERT INTO dear SELECT auction, price FROM web;

-- Top-N
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT auction, price FROM (SELECT auction, price, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rk FROM bids) WHERE rk <= 3;
SELECT * FROM (SELECT auction, ts, RANK() OVER (PARTITION BY auction ORDER BY ts) AS rk FROM bids) t WHERE rk = 1;
SELECT auction, COUNT(*) AS n, window_end FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY auction, window_start, window_end QUALIFY RANK() OVER (PARTITION BY window_end ORDER BY COUNT(*) DESC) < 3;

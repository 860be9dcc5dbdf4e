-- functions OVER (..): what they wait for, and what bounds their state
CREATE STREAM bids (auction BIGINT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
CREATE STREAM live (auction BIGINT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'data/bids.jsonl', follow = true);
SELECT auction, SUM(price) OVER (PARTITION BY auction ORDER BY ts RANGE INTERVAL '1' MINUTE PRECEDING) AS total FROM bids;
SELECT auction, AVG(price) OVER (PARTITION BY auction ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS mean, LAG(price, 3) OVER (PARTITION BY auction ORDER BY ts) FROM live;
SELECT auction, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts) AS n, SUM(price) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND INTERVAL '10' SECOND FOLLOWING) AS around FROM live;
SELECT price / SUM(price) OVER (PARTITION BY auction) AS share, CUME_DIST() OVER (ORDER BY price) AS place, MAX(price) OVER (ORDER BY price RANGE BETWEEN 0.5 PRECEDING AND 2 FOLLOWING) AS near FROM bids;
SELECT auction, LAG(price) OVER (PARTITION BY auction LIMIT DURATION(minute, 10) WHEN price > 0) AS before, ISFIRST(minute, 5) OVER (PARTITION BY auction) AS first FROM live WHERE price > 3;
SELECT window_end, auction, n, SUM(n) OVER (PARTITION BY window_end) AS of_all, LAG(n) OVER (PARTITION BY auction ORDER BY window_end) AS before FROM
  (SELECT window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE live, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY auction, window_start, window_end);
SELECT price, COUNT(*) OVER (ORDER BY PROCTIME() ROWS 9 PRECEDING) AS n FROM live;

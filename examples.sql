-- What bidsql does, on sample files in examples/: out of order, some rows late, some broken.
-- Run it with `make run`, or `./bidsql -o box -f examples.sql`.

CREATE STREAM bids (
  bid_id STRING, auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (connector = 'file', path = 'examples/bids.jsonl', format = 'json', on_error = 'dead_letter', dead_letter = 'broken_bids');

CREATE STREAM clicks (
  ts TIMESTAMP(3), user_id BIGINT, page STRING,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (connector = 'file', path = 'examples/clicks.csv', format = 'csv');

CREATE TABLE users (id BIGINT PRIMARY KEY, name STRING, segment STRING)
  WITH (connector = 'sqlite', path = 'examples/reference.db', table = 'users');

--# 1. Bids per auction in a one-minute window that slides every 30 seconds (the busiest five)
SELECT window_start, window_end, auction, COUNT(*) AS bids, MAX(price) AS best
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, auction
ORDER BY bids DESC, window_start, auction
LIMIT 5;

--# 2. The ten top pages of the last five minutes, every minute (from 12:05 to 12:06)
SELECT * FROM (
  SELECT window_end, page, COUNT(*) AS views,
         ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY COUNT(*) DESC, page) AS place
  FROM TABLE(HOP(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE))
  GROUP BY window_start, window_end, page
)
WHERE place <= 10 AND window_end = TIMESTAMP '2026-01-01 12:06:00';

--# 3. Sessions per user: clicks at most two minutes apart (users who came back)
SELECT user_id, COUNT(*) AS sessions, SUM(clicks) AS clicks, MAX(clicks) AS longest
FROM (
  SELECT user_id, window_start, window_end, COUNT(*) AS clicks
  FROM TABLE(SESSION(TABLE clicks PARTITION BY user_id, DESCRIPTOR(ts), INTERVAL '2' MINUTE))
  GROUP BY user_id, window_start, window_end
)
GROUP BY user_id
HAVING COUNT(*) > 1
ORDER BY user_id
LIMIT 8;

--# 4. Bids enriched from SQLite: who bids how much (bidders 39 and 40 are not in the table)
SELECT u.segment, COUNT(*) AS bids, COUNT(DISTINCT b.bidder) AS bidders, ROUND(AVG(b.price), 2) AS average
FROM bids b LEFT JOIN users u ON b.bidder = u.id
GROUP BY u.segment
ORDER BY bids DESC;

--# 5. An anomaly rule: in half a minute, one bid above five times the bidder's average of it, or an average above 60
SELECT window_start, b.bidder, u.name, COUNT(*) AS bids, ROUND(AVG(b.price), 2) AS average, MAX(b.price) AS highest
FROM bids b JOIN users u ON b.bidder = u.id
WINDOW TUMBLING (SIZE 30 SECONDS)
GROUP BY b.bidder, u.name
HAVING MAX(b.price) > 5 * AVG(b.price) OR AVG(b.price) > 60
EMIT FINAL;

--# 6. Bids per minute, with late bids set aside ..
SELECT window_start, COUNT(*) AS bids, SUM(price) AS volume
FROM bids WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 5 SECONDS, LATE INTO late_bids)
EMIT FINAL;

--# 7. .. and the late ones: why they were not counted
SELECT bid_id, ts, late_window_end, late_watermark, late_reason FROM late_bids;

--# 8. Lines that are no bids, with their place and what is wrong
SELECT line, column_name, reason, SUBSTRING(text, 1, 30) AS text FROM broken_bids;

-- the plan as the binder made it
SET 'planner.rewrite.all' = 'off';
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT auction, price * 2 AS double_price FROM bids WHERE price > 100 AND channel = 'web';
SELECT * FROM bids;
SELECT info.b.d, info->a AS a FROM bids WHERE info.b.c = 'x';
SELECT b.info FROM bids AS b;
SELECT ROWTIME, auction FROM bids;
SELECT total FROM bids WHERE total > 10;
SELECT window_start, window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, auction;
SELECT window_end, COUNT(DISTINCT bidder) AS n FROM TABLE(HOP(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE, SIZE => INTERVAL '5' MINUTES)) WHERE price > 1 GROUP BY window_start, window_end;
SELECT bidder, window_start, COUNT(*) FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY bidder, window_start, window_end;
SELECT TUMBLE_START(ts, INTERVAL '1' HOUR) AS s, TUMBLE_END(ts, INTERVAL '1' HOUR) AS e, SUM(price) AS total FROM bids GROUP BY TUMBLE(ts, INTERVAL '1' HOUR);
SELECT auction, window_start, window_end, window_time FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE auction > 1;

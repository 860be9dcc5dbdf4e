-- Flink's table functions and group windows
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT window_start, window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, auction;
SELECT window_end, COUNT(DISTINCT bidder) AS n FROM TABLE(HOP(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE, SIZE => INTERVAL '5' MINUTES)) WHERE price > 1 GROUP BY window_start, window_end;
SELECT bidder, window_start, COUNT(*) FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY bidder, window_start, window_end;
SELECT TUMBLE_START(ts, INTERVAL '1' HOUR) AS s, TUMBLE_END(ts, INTERVAL '1' HOUR) AS e, SUM(price) AS total FROM bids GROUP BY TUMBLE(ts, INTERVAL '1' HOUR);
SELECT auction, window_start, window_end, window_time FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE auction > 1;
-- a window of a window
SELECT window_start, window_end, MAX(n) AS most FROM (
  SELECT window_start, window_end, auction, COUNT(*) AS n FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, auction
) GROUP BY window_start, window_end;
SELECT window_start, SUM(n) FROM TABLE(TUMBLE(TABLE per_minute, DESCRIPTOR(window_time), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
CREATE VIEW per_minute AS SELECT window_start, window_end, window_time, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, window_time;
SELECT window_start, SUM(n) FROM TABLE(TUMBLE(TABLE per_minute, DESCRIPTOR(window_time), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;

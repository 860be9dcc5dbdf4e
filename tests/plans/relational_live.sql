-- The same over input that does not end
CREATE STREAM live (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'timed', path = 'data/bids.jsonl');
SELECT k FROM live WHERE v > 3 INTERSECT SELECT k FROM live WHERE v < 9;
SELECT k, v FROM live WHERE v > (SELECT AVG(v) FROM live) AND k IN (SELECT column1 FROM (VALUES ('a')));
SELECT window_end, k, SUM(v) AS total FROM TABLE(TUMBLE(TABLE live, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, k ORDER BY total DESC LIMIT 3;

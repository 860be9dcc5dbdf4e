-- input that does not end
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
CREATE STREAM live (auction BIGINT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'data/bids.jsonl', follow = true);
SELECT auction, COUNT(*) AS n FROM live GROUP BY auction;
SELECT auction, COUNT(*) AS n FROM live WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY auction;
SELECT auction, COUNT(*) AS n FROM live WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 5 SECONDS) GROUP BY auction EMIT AFTER WATERMARK;
SELECT window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE live, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY auction, window_start, window_end ALLOWED LATENESS INTERVAL '10' SECOND LATE INTO late_live;
SELECT late_reason FROM late_live;
SELECT * FROM (SELECT window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE live, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY auction, window_start, window_end) EMIT CHANGES LIMIT 3;
SELECT auction, COUNT(*) FROM live GROUP BY auction EMIT AFTER DELAY INTERVAL '1' SECOND;

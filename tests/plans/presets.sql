-- the same query under other dialects
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SET 'dialect' = 'ksql';
SELECT channel, COUNT(*) FROM bids WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY channel EMIT CHANGES;
SET 'dialect' = 'flink';
CREATE STREAM fbids (auction BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'data/bids.jsonl');
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE fbids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
SET 'dialect' = 'asa';
SELECT channel, COUNT(*) AS n FROM bids GROUP BY channel, TumblingWindow(minute, 1);

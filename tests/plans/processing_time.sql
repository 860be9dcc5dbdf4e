-- windows by the clock
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
CREATE STREAM pbids (auction BIGINT, bidder BIGINT, pt AS PROCTIME()) WITH (connector = 'file', path = 'data/bids.jsonl', follow = true);
SELECT bidder, window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE pbids, DESCRIPTOR(pt), INTERVAL '10' SECOND)) GROUP BY bidder, window_start, window_end;
SELECT bidder, COUNT(*) AS n FROM pbids WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY bidder;

-- ksqlDB's clause
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT auction, COUNT(*) AS n, WINDOWSTART AS ws FROM bids WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY auction;
SELECT auction, COUNT(*) AS n FROM bids WINDOW HOPPING (SIZE 5 MINUTES, ADVANCE BY 1 MINUTE, GRACE PERIOD 10 SECONDS, LATE INTO late_bids) GROUP BY auction EMIT FINAL;
SELECT * FROM late_bids;
SELECT bidder, COUNT(*) AS n, MAX(price) AS top FROM bids WINDOW SESSION (30 SECONDS) GROUP BY bidder EMIT CHANGES;
SELECT COUNT(*) FROM bids WINDOW TUMBLING (SIZE 1 MINUTE, OFFSET 10 SECONDS);

-- Growing windows, the calendar of a zone, rows by their order.
SELECT window_end, COUNT(*) AS n FROM bids WINDOW CUMULATING (SIZE 1 DAY, STEP 1 HOUR) EMIT FINAL;
SELECT window_end, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 1 MONTH, TIME ZONE 'Europe/Berlin') EMIT FINAL;
SELECT COUNT(*) AS n FROM bids WINDOW COUNT (SIZE 100, ADVANCE BY 10) GROUP BY auction EMIT FINAL;

-- ASA's functions
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT System.Timestamp() AS t, channel, COUNT(*) AS n FROM bids TIMESTAMP BY ts GROUP BY channel, TumblingWindow(minute, 1);
SELECT channel, COUNT(*) AS n FROM bids GROUP BY channel, HoppingWindow(minute, 5, 1) HAVING COUNT(*) > 3;
SELECT COUNT(*) AS n FROM bids GROUP BY SessionWindow(second, 30, 600);

-- What enters and leaves; moments; several windows over the same rows.
SELECT System.Timestamp() AS at, COUNT(*) AS n FROM bids GROUP BY SlidingWindow(minute, 2);
SELECT System.Timestamp() AS at, COUNT(*) AS n FROM bids GROUP BY SnapshotWindow();
SELECT System.Window().Id AS id, COUNT(*) AS n FROM bids GROUP BY Windows(Window('minute', TumblingWindow(minute, 1)), Window('hour', TumblingWindow(hour, 1)));

-- GROUP BY in all its forms
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT channel, COUNT(*) AS n, AVG(price) FILTER (WHERE price > 10) AS dear, COUNT(DISTINCT bidder) AS bidders FROM bids GROUP BY channel HAVING COUNT(*) > 1 ORDER BY n DESC, channel LIMIT 3;
SELECT COUNT(*) FROM bids;
SELECT COUNT(*) * 2 + MAX(price) AS x FROM bids EMIT CHANGES;
SELECT UPPER(channel) AS c, SUM(price) FROM bids GROUP BY 1;
SELECT UPPER(channel) AS c, SUM(price) FROM bids GROUP BY c;
SELECT UPPER(channel) FROM bids GROUP BY UPPER(channel);
SELECT DISTINCT channel FROM bids;
SELECT b.channel, MIN(b.info.a) FROM bids b GROUP BY channel;

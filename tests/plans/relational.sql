-- Rows out of lists, grouping sets, set operations, sub-queries
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>, tags ARRAY<STRING>,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
SELECT auction, UCASE(EXPLODE(tags)) AS tag FROM bids WHERE price > 10;
SELECT b.auction, t.tag, t.place FROM bids b LEFT JOIN UNNEST(b.tags) WITH ORDINALITY AS t(tag, place) ON TRUE WHERE b.price > 10;
SELECT window_end, channel, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, ROLLUP (channel);
SELECT auction, channel FROM bids WHERE price > 10 EXCEPT ALL SELECT auction, channel FROM bids WHERE bidder = 3;
SELECT * FROM (SELECT auction FROM bids UNION SELECT bidder FROM bids INTERSECT SELECT 5) WHERE auction < 9;
SELECT auction FROM bids WHERE price > 10 AND channel NOT IN (SELECT channel FROM bids WHERE bidder = 3);
SELECT auction, (SELECT COUNT(*) FROM bids b WHERE b.auction = bids.auction AND b.price > 5) AS n FROM bids WHERE EXISTS (SELECT 1 FROM bids c WHERE c.bidder = bids.auction);

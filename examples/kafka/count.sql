-- What each auction got in five seconds, from one topic to another, as long as it runs.
SET 'properties.bootstrap.servers' = '${KAFKA}';

CREATE STREAM bids (auction BIGINT KEY, bidder BIGINT, price DOUBLE)
  WITH (kafka_topic = '${BIDS}', value_format = 'json', partitions = 3);

CREATE TABLE counted WITH (kafka_topic = '${BIDS}-counted', value_format = 'json') AS
  SELECT auction, COUNT(*) AS bids, COUNT(DISTINCT bidder) AS bidders, MAX(price) AS best
  FROM bids WINDOW TUMBLING (SIZE 5 SECONDS)
  GROUP BY auction
  EMIT FINAL;

-- The counts of count.sql as they come. Their keys hold the auction and the window.
SET 'properties.bootstrap.servers' = '${KAFKA}';

CREATE STREAM counted (auction BIGINT KEY, bids BIGINT, bidders BIGINT, best DOUBLE)
  WITH (kafka_topic = '${BIDS}-counted', value_format = 'json', window_type = 'tumbling', window_size = '5 SECONDS', 'scan.startup.mode' = 'latest-offset');

SELECT FROM_UNIXTIME(WINDOWSTART) AS since, auction, bids, bidders, best FROM counted EMIT CHANGES ${LIMIT};

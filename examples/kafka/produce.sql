-- Bids without end, five hundred a second, into a topic of three partitions: the key, the auction, chooses which.
SET 'properties.bootstrap.servers' = '${KAFKA}';

CREATE STREAM made (auction BIGINT, bidder BIGINT, price DOUBLE)
  WITH (connector = 'datagen', rows_per_second = 500, 'fields.auction.min' = 1, 'fields.auction.max' = 5,
        'fields.bidder.min' = 1, 'fields.bidder.max' = 1000, 'fields.price.min' = 1, 'fields.price.max' = 500);
CREATE STREAM bids (auction BIGINT KEY, bidder BIGINT, price DOUBLE) WITH (kafka_topic = '${BIDS}', value_format = 'json', partitions = 3);

INSERT INTO bids SELECT auction, bidder, ROUND(price, 2) FROM made;

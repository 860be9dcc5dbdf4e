-- joins with a table that rows are looked up in
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, channel STRING, ts TIMESTAMP(3), info STRUCT<a BIGINT, b STRUCT<c STRING, d BIGINT>>,
  total AS price * 1.08, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
CREATE TABLE users (id BIGINT PRIMARY KEY, name STRING, segment STRING) WITH (connector = 'sqlite', path = 'data/ref.db', table = 'users');
SELECT b.auction, u.name FROM bids b JOIN users u ON b.bidder = u.id WHERE b.price > 10 AND u.segment = 'gold';
SELECT b.auction, u.name FROM bids AS b LEFT JOIN users FOR SYSTEM_TIME AS OF b.ts AS u ON u.id = b.bidder;
SELECT b.auction, u.name FROM bids b JOIN users u ON b.bidder + 1 = u.id AND b.price > 5;
SELECT b.auction, u.name FROM bids b, users u WHERE b.bidder = u.id;
SELECT u.segment, COUNT(*) AS n FROM bids b JOIN users u ON b.bidder = u.id WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY u.segment;
INSERT INTO users SELECT bidder, MAX(channel), 'x' FROM bids GROUP BY bidder;

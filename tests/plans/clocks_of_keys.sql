-- TIMESTAMP BY .. OVER: windows that one operator holds for all keys, and operators that run once a key
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price DOUBLE, ts TIMESTAMP(3)) WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');

SELECT auction, System.Timestamp() AS ends, COUNT(*) AS n FROM bids TIMESTAMP BY ts OVER auction GROUP BY auction, TumblingWindow(second, 10);
SELECT auction, System.Timestamp() AS ends, COUNT(*) AS n FROM bids TIMESTAMP BY ts OVER auction WHERE price > 5 GROUP BY auction, TumblingWindow(second, 10);
SELECT a.price, b.price AS next FROM bids a TIMESTAMP BY ts OVER auction JOIN bids b TIMESTAMP BY ts OVER auction ON a.auction = b.auction AND DATEDIFF(second, a, b) BETWEEN 1 AND 10;

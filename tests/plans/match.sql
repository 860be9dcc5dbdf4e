-- MATCH_RECOGNIZE: what is asked of a row alone is computed below; what bounds the state
CREATE STREAM bids (auction BIGINT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (connector = 'file', path = 'data/bids.jsonl', format = 'json');
CREATE STREAM live (auction BIGINT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'data/bids.jsonl', follow = true);
SELECT * FROM bids MATCH_RECOGNIZE (PARTITION BY auction ORDER BY ts MEASURES LAST(B.price) AS top, COUNT(*) AS n PATTERN (A B+) DEFINE A AS price > 1 AND price < 100, B AS B.price > 2 AND price > PREV(price));
SELECT * FROM live MATCH_RECOGNIZE (PARTITION BY auction ORDER BY ts MEASURES LAST(B.price) AS top, MATCH_NUMBER() AS n AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+?) WITHIN INTERVAL '10' MINUTE DEFINE B AS price > A.price);
SELECT * FROM live MATCH_RECOGNIZE (ORDER BY ts, price MEASURES CLASSIFIER() AS c ALL ROWS PER MATCH AFTER MATCH SKIP TO LAST B PATTERN ((A | B) C{2,3}) DEFINE C AS price > AVG(A.price));
SELECT * FROM live MATCH_RECOGNIZE (PARTITION BY auction MEASURES COUNT(*) AS n PATTERN (A B*) DEFINE B AS price > A.price);
SELECT window_end, COUNT(*) FROM TABLE(TUMBLE((SELECT * FROM live MATCH_RECOGNIZE (PARTITION BY auction ORDER BY ts MEASURES MATCH_ROWTIME() AS at PATTERN (A B) DEFINE B AS price > A.price)), DESCRIPTOR(at), INTERVAL '1' MINUTE)) GROUP BY window_end;
SELECT * FROM live MATCH_RECOGNIZE (ORDER BY PROCTIME() MEASURES A.price AS p PATTERN (A) DEFINE A AS price > 3);

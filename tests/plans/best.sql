-- Joins that must give out all matches: more than the best is asked for, or something else of the others; groups are made of both sides; numbers whose order is not
-- that of integers; rows without a match come and go, or conditions tell them apart; a condition above may fail; rows are taken back
CREATE STREAM a (k BIGINT, n BIGINT, name STRING, ts TIMESTAMP(3), till TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'a.jsonl');
CREATE STREAM b (k BIGINT, x BIGINT, ratio DOUBLE, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'b.jsonl');
SELECT a.n, MAX(b.x) AS most, COUNT(*) AS c FROM a JOIN b ON a.k = b.k GROUP BY a.n;
SELECT a.n, b.x FROM a JOIN b ON a.k = b.k QUALIFY ROW_NUMBER() OVER (PARTITION BY a.n ORDER BY b.x DESC) <= 2;
SELECT a.n, b.name, MAX(b.x) AS most FROM a JOIN b ON a.k = b.k GROUP BY a.n, b.name;
SELECT a.n, MAX(b.ratio) AS most FROM a JOIN b ON a.k = b.k GROUP BY a.n;
SELECT a.n, MAX(b.x) AS most FROM a LEFT JOIN b ON a.k = b.k GROUP BY a.n EMIT CHANGES;
SELECT a.n, MAX(b.x) AS most FROM a LEFT JOIN b ON a.k = b.k WHERE b.x > 3 OR b.x IS NULL GROUP BY a.n;
SELECT b.x, MAX(a.n) AS most FROM a LEFT JOIN b ON a.k = b.k GROUP BY b.x;
SELECT n, MAX(x) AS most FROM (SELECT a.n, b.x FROM a JOIN b ON a.k = b.k WHERE a.n / b.x > 1) AS q GROUP BY n;
SELECT c.n, MAX(b.x) AS most FROM (SELECT k, COUNT(*) AS n FROM a GROUP BY k) AS c JOIN b ON c.k = b.k GROUP BY c.n EMIT CHANGES;
SELECT a.n, b.x FROM a JOIN b ON a.k = b.k QUALIFY RANK() OVER (PARTITION BY a.n ORDER BY b.name) = 1;

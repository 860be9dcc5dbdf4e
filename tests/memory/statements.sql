-- The statements whose allocations are made to fail: tests/memory/run. Each begins with its title.
SET 'exec.batch_rows' = '4';
DEFINE least = '3';
CREATE STREAM bids (auction BIGINT, bidder INT, price DECIMAL(10, 2), channel VARCHAR, ts TIMESTAMP(3), extra ROW<tags ARRAY<VARCHAR>, note ROW<text VARCHAR>>,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (connector = 'file', path = 'bids.jsonl', format = 'json', on_error = 'skip');
CREATE STREAM strict (auction BIGINT, bidder INT) WITH (connector = 'file', path = 'bids.jsonl', format = 'json');
CREATE STREAM lenient (auction BIGINT, channel VARCHAR) WITH (connector = 'file', path = 'bids.jsonl', format = 'json', on_error = 'skip', json.ignore_parse_errors = 'true');
CREATE STREAM clicks (ts TIMESTAMP(3), user_id INT, page VARCHAR, WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'clicks.csv', format = 'csv', on_error = 'skip');
CREATE STREAM lines (line VARCHAR) WITH (connector = 'file', path = 'lines.txt', format = 'raw');
CREATE STREAM numbers (n BIGINT, word VARCHAR) WITH (connector = 'datagen', rows = 50, seed = 7);
CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR) WITH (connector = 'sqlite', path = 'reference.db', table = 'users');
INSERT INTO users VALUES (0, 'Ada'), (1, 'Grace'), (2, 'a user with quite a long name');
CREATE TABLE totals (auction BIGINT PRIMARY KEY, n BIGINT) WITH (connector = 'sqlite', path = 'reference.db', table = 'totals');
CREATE STREAM dropped (raw VARCHAR) WITH (connector = 'blackhole');
CREATE STREAM copies (auction BIGINT, price DECIMAL(10, 2)) WITH (connector = 'file', path = 'copies.jsonl', format = 'json');
CREATE TABLE parts (channel VARCHAR, bidder INT) PARTITIONED BY (channel) WITH (connector = 'file', path = 'parts', format = 'csv');
CREATE STREAM packed (auction BIGINT) WITH (connector = 'file', path = 'packed.jsonl.gz', format = 'json');
CREATE STREAM late (auction BIGINT, ts TIMESTAMP(3)) WITH (connector = 'blackhole');
CREATE STREAM nexmark WITH (connector = 'nexmark', rows = 200);
CREATE STREAM orders (auction BIGINT, bidder INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH (connector = 'file', path = 'bids.jsonl', format = 'json', on_error = 'dead_letter', on_expr_error = 'dead_letter', dead_letter = 'wrong');
CREATE VIEW dear AS SELECT auction, price, ts FROM bids WHERE price > 10;

--# constants
SELECT 1, 'text', NULL, DATE '2026-01-01', ARRAY[1, 2], INTERVAL '1' DAY;
--# all columns
SELECT * FROM bids;
--# filter and project
SELECT auction, price * 2 AS twice, UPPER(channel) AS c FROM bids WHERE price BETWEEN 2 AND 20 AND channel IS NOT NULL;
--# nested fields
SELECT extra.note.text, extra.tags, extra.tags[1] FROM bids WHERE extra IS NOT NULL;
--# strings and case
SELECT CASE WHEN channel LIKE 'a%' THEN CONCAT(channel, '-', CAST(bidder AS VARCHAR)) ELSE COALESCE(channel, 'none') END, SUBSTRING(channel, 2, 3), REPLACE(channel, 'p', 'pp') FROM bids;
--# casts and times
SELECT CAST(price AS VARCHAR), CAST(ts AS VARCHAR), EXTRACT(HOUR FROM ts), TRY_CAST(channel AS INT), ts + INTERVAL '1' DAY FROM bids;
--# lambdas
SELECT TRANSFORM(extra.tags, t => t || channel), FILTER(extra.tags, t => LENGTH(t) > 1), REDUCE(extra.tags, 'a text longer than fits inside', (s, t) => s || COALESCE(t, '?')), ANY_MATCH(extra.tags, t => t = channel) FROM bids;
--# casts of nested types
SELECT CAST(extra AS STRUCT<note STRUCT<other INT, text STRING>, tags ARRAY<BYTES>>), CAST(MAP(channel := bidder) AS MAP<STRING, STRING>) FROM (SELECT TRY_CAST(extra AS STRUCT<tags ARRAY<STRING>, note STRUCT<text STRING>>) AS extra, channel, bidder FROM bids WHERE extra IS NULL) AS b;
--# functions in SQL
CREATE OR REPLACE FUNCTION marked(t STRING, n BIGINT) AS (transform(ARRAY[t], x => x || CAST(n AS STRING)));
CREATE OR REPLACE FUNCTION more(t STRING) AS (marked(t, 5));
SELECT more(channel) FROM bids;
DROP FUNCTION more;
--# functions in Lua
CREATE OR REPLACE FUNCTION turned(t STRING, tags ARRAY<STRING>) RETURNS MAP<STRING, ARRAY<STRING>> LANGUAGE LUA AS $$
  return t and { [t] = tags, ['a key that is longer than fits inside'] = { t:gsub('%a', '%0%0') .. '' } }
$$;
SELECT turned(channel, extra.tags) FROM bids;
--# aggregates in Lua
CREATE OR REPLACE AGGREGATE FUNCTION joined(t STRING) RETURNS ARRAY<STRING> LANGUAGE LUA AS $$
  function init() return {} end
  function update(s, t) s[#s + 1] = t end
  function merge(a, b) for _, t in ipairs(b) do a[#a + 1] = t end end
  function result(s) return s end
$$;
SELECT auction, joined(channel) FROM bids WINDOW HOPPING (SIZE 1 MINUTE, ADVANCE BY 20 SECONDS) GROUP BY auction EMIT FINAL;
--# a schema from the file
SELECT auction, extra FROM 'bids.jsonl' LIMIT 5;
--# a file as a stream
SELECT user_id, page FROM 'clicks.csv' LIMIT 3;
--# CSV
SELECT ts, user_id, page FROM clicks WHERE user_id > 0;
--# raw lines
SELECT line FROM lines;
--# generated rows
SELECT n, word FROM numbers LIMIT 20;
--# nexmark
SELECT event_type, bid.auction, person.name FROM nexmark LIMIT 100;
--# a bad row stops
SELECT auction, bidder FROM strict;
--# bad values become NULL
SELECT auction, channel FROM lenient;
--# a global aggregate
SELECT COUNT(*), SUM(price), AVG(price), MIN(channel), MAX(ts) FROM bids;
--# groups
SELECT auction, COUNT(*) AS n, SUM(price) FILTER (WHERE bidder > 1) AS s FROM bids GROUP BY auction HAVING COUNT(*) > ${least};
--# distinct aggregates
SELECT channel, COUNT(DISTINCT bidder), COUNT(DISTINCT price) FROM bids GROUP BY channel;
--# aggregates that keep values
SELECT channel, COLLECT_LIST(extra), COLLECT_SET(bidder), TOPK(price, channel, 3), HISTOGRAM(channel), LATEST_BY_OFFSET(channel, 2), ARRAY_AGG(channel ORDER BY price DESC), LISTAGG(channel), MEDIAN(price), APPROX_COUNT_DISTINCT(price), APPROX_QUANTILE(price, 0.9) FROM bids GROUP BY channel;
--# aggregates that keep values, which are taken back
SELECT n, COLLECT_SET(top), TOPK(top, 2), APPROX_COUNT_DISTINCT(top) FROM (SELECT bidder % 3 AS n, bidder, MAX(price) AS top FROM bids GROUP BY bidder % 3, bidder EMIT CHANGES) GROUP BY n EMIT CHANGES;
--# distinct rows
SELECT DISTINCT channel, bidder FROM bids;
--# ordered
SELECT auction, price FROM bids ORDER BY price DESC, auction LIMIT 7;
--# tumbling windows
SELECT window_start, auction, COUNT(*) AS n, SUM(price) AS s FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, auction;
--# hopping windows
SELECT window_start, COUNT(*) AS n, COUNT(DISTINCT bidder) AS d FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND, INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
--# windows in the other spelling
SELECT auction, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 30 SECONDS, GRACE PERIOD 10 SECONDS) GROUP BY auction EMIT FINAL;
--# windows that emit changes
SELECT auction, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY auction EMIT CHANGES;
--# cumulating windows
SELECT window_start, window_end, auction, SUM(price) AS s FROM bids WINDOW CUMULATING (SIZE 1 MINUTE, STEP 10 SECONDS) GROUP BY auction EMIT FINAL;
--# cumulating windows that emit changes
SELECT window_end, channel, COUNT(*) AS n, MAX(channel) AS m FROM bids WINDOW CUMULATING (SIZE 1 MINUTE, STEP 20 SECONDS) GROUP BY channel EMIT CHANGES;
--# windows of months
SELECT window_start, channel, COUNT(DISTINCT auction) AS n FROM bids WINDOW HOPPING (SIZE 2 MONTHS, ADVANCE BY 1 MONTH, TIME ZONE 'Europe/Berlin') GROUP BY channel EMIT FINAL;
--# sliding windows
SELECT window_end, channel, COUNT(*) AS n, MAX(channel) AS m, COUNT(DISTINCT bidder) AS b FROM bids WINDOW SLIDING (SIZE 20 SECONDS) GROUP BY channel EMIT FINAL;
--# count windows
SELECT channel, COUNT(DISTINCT auction) AS n, MIN(channel) AS m FROM bids WINDOW COUNT (SIZE 3, ADVANCE BY 2) GROUP BY channel EMIT FINAL;
--# several windows
SELECT System.Window().Id AS id, System.Timestamp() AS at, SUM(price) AS s FROM bids GROUP BY Windows(Window('a', TumblingWindow(minute, 1)), SnapshotWindow());
--# time zones
SELECT ts AT TIME ZONE 'Asia/Tokyo' AS a, FORMAT_TIMESTAMP(ts, 'HH:mm zzz', 'America/New_York') AS b, CONVERT_TZ(ts, channel, 'UTC') AS c FROM bids WHERE channel = 'none';
--# sessions
SELECT window_start, window_end, user_id, COUNT(*) AS n FROM TABLE(SESSION(TABLE clicks PARTITION BY user_id, DESCRIPTOR(ts), INTERVAL '50' SECOND)) GROUP BY window_start, window_end, user_id;
--# sessions with distinct pages
SELECT user_id, COUNT(DISTINCT page) AS pages, MAX(page) AS last FROM clicks WINDOW SESSION (70 SECONDS) GROUP BY user_id;
--# the first of each window
SELECT * FROM (SELECT window_start, auction, n, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC, auction) AS place
  FROM (SELECT window_start, window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, auction)) WHERE place <= 2;
--# the first with ties
SELECT * FROM (SELECT window_start, auction, n, RANK() OVER (PARTITION BY window_start, window_end ORDER BY n DESC) AS place
  FROM (SELECT window_start, window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' MINUTE)) GROUP BY window_start, window_end, auction)) WHERE place = 1;
--# rows around a row
SELECT auction, SUM(price) OVER (PARTITION BY auction ORDER BY ts RANGE INTERVAL '1' MINUTE PRECEDING) AS s, MIN(price) OVER (PARTITION BY auction ORDER BY ts ROWS 3 PRECEDING) AS low,
  LAG(bidder) IGNORE NULLS OVER (PARTITION BY auction ORDER BY ts) AS before, STDDEV_POP(price) OVER (ORDER BY ts ROWS 2 PRECEDING) AS spread FROM bids;
--# rows around a row, the other spelling
SELECT auction, LAST(price) OVER (PARTITION BY auction LIMIT DURATION(minute, 1) WHEN price > 3) AS l FROM bids WHERE ISFIRST(minute, 1) OVER () = 1;
--# whole partitions
SELECT auction, price / SUM(price) OVER (PARTITION BY auction) AS share, NTILE(3) OVER (ORDER BY price) AS third FROM bids;
--# a window over windows
SELECT window_start, SUM(n) FROM TABLE(TUMBLE((SELECT window_start AS s, window_time, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '30' SECOND)) GROUP BY window_start, window_end, window_time), DESCRIPTOR(window_time), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
--# common table expressions
WITH a AS (SELECT auction, price FROM bids WHERE price > 3), b AS (SELECT auction, MAX(price) AS m FROM a GROUP BY auction) SELECT * FROM b WHERE m < 29;
--# a view
SELECT auction, COUNT(*) FROM dear GROUP BY auction;
--# union
SELECT auction FROM bids WHERE bidder = 1 UNION ALL SELECT user_id FROM clicks WHERE user_id = 2;
--# values
SELECT a, SUM(b) FROM (VALUES (1, 2.5), (1, 3.5), (2, NULL)) AS v (a, b) GROUP BY a;
--# a table
SELECT id, name FROM users ORDER BY id;
--# inner lookup
SELECT b.auction, u.name FROM bids AS b JOIN users AS u ON u.id = b.bidder;
--# left lookup
SELECT b.auction, u.name, b.price FROM bids AS b LEFT JOIN users FOR SYSTEM_TIME AS OF b.ts AS u ON u.id = b.bidder WHERE b.price > 5;
--# explain
EXPLAIN SELECT window_start, auction, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE price > 1 GROUP BY window_start, window_end, auction;
--# explain analyze
EXPLAIN ANALYZE SELECT auction, COUNT(*) FROM bids GROUP BY auction;
--# describe
DESCRIBE bids;
--# show
SHOW STREAMS;
--# show functions
SHOW FUNCTIONS;
--# show properties
SHOW PROPERTIES;
--# definitions
CREATE OR REPLACE STREAM made (a INT, b ARRAY<ROW<c VARCHAR, d MAP<VARCHAR, INT>>>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE) WITH (connector = 'file', path = 'none.jsonl', format = 'json');
CREATE OR REPLACE VIEW seen AS SELECT a FROM made WHERE a > 1;
DESCRIBE seen;
DROP VIEW seen;
DROP STREAM made;
--# settings and variables
SET 'exec.batch_rows' = '4'; DEFINE word = 'bids'; SELECT COUNT(*) FROM ${word}; UNDEFINE word;
--# dead letters
INSERT INTO dropped SELECT reason FROM wrong; INSERT INTO late SELECT auction / (bidder - 2), ts FROM orders;
--# into a file
INSERT INTO copies SELECT auction, price FROM bids;
--# into folders
INSERT INTO parts SELECT COALESCE(channel, 'none'), bidder FROM bids;
--# into a packed file
INSERT INTO packed SELECT auction FROM bids;
--# into a table
INSERT INTO totals SELECT auction, COUNT(*) FROM bids GROUP BY auction;
--# one job with two outputs
INSERT INTO copies SELECT auction, price FROM dear; INSERT INTO dropped SELECT channel FROM bids;
--# rows out of lists
SELECT auction, EXPLODE(ARRAY[channel, 'x', NULL]), EXPLODE(ARRAY[bidder]) FROM bids;
SELECT auction, n FROM bids CROSS JOIN UNNEST(generate_series(1, 5)) AS t(n);
SELECT p.* FROM bids CROSS APPLY GetRecordProperties(STRUCT(a := auction, b := channel)) AS p;
SELECT CUBE_EXPLODE(ARRAY[channel, 'two', NULL]) FROM bids;
--# grouping sets
SELECT auction, channel, COUNT(DISTINCT bidder), GROUPING(auction, channel) FROM bids GROUP BY CUBE (auction, channel);
--# set operations
SELECT channel FROM bids UNION SELECT 'none' EXCEPT SELECT channel FROM bids WHERE bidder > 2;
SELECT auction, channel FROM bids INTERSECT ALL SELECT auction, channel FROM bids EMIT CHANGES;
--# sub-queries
SELECT auction FROM bids WHERE channel IN (SELECT channel FROM bids WHERE bidder > 2) AND EXISTS (SELECT 1 FROM bids b WHERE b.auction = bids.auction);
SELECT auction, (SELECT MAX(channel) FROM bids b WHERE b.auction = bids.auction) FROM bids ORDER BY (SELECT COUNT(*) FROM bids);
--# several errors
SELEC 1; SELECT auctoin FROM bids; SELECT 'open
--# an unknown column
SELECT auctoin, price FROM bids;
--# wrong types
SELECT auction + channel FROM bids GROUP BY auction;
--# something not there
SELECT * FROM 'nowhere.jsonl';
--# an expression that fails
SELECT 10 / (bidder - 2) FROM bids;
--# assertions
CREATE OR REPLACE TABLE asserted AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction; ASSERT TABLE asserted (auction BIGINT, n BIGINT); ASSERT VALUES asserted (n) VALUES (1);
--# an assertion that does not hold
ASSERT STREAM bids (auction STRING, nope INT);
--# why there is no output
EXPLAIN WHY NO OUTPUT SELECT auction, COUNT(*) FROM bids WHERE bidder > 0 AND channel = 'nowhere' GROUP BY auction;
--# a plan with its edges
EXPLAIN EXTENDED SELECT auction, COUNT(*) FROM bids WHERE bidder > 0 GROUP BY auction;
--# several mistakes, and what follows from them
CREATE VIEW wrong AS SELECT auctoin FROM bids; SELECT * FROM wrong; SET 'nope' = 'x'; DEFINE x = 'y'; SELECT 1 + 'a';
--# another column for one query
SELECT * FROM bids /*+ OPTIONS('on_error' = 'skip') */ WHERE auction < 2;
--# defaults
CREATE OR REPLACE STREAM defaults (a INT, b STRING DEFAULT 'x' || 'y'); ALTER STREAM defaults ADD c INT DEFAULT 1; INSERT INTO defaults VALUES (1, DEFAULT, 2); SELECT * FROM defaults;
--# joins within a time
SELECT a.auction, a.channel, b.extra FROM bids a FULL JOIN bids b WITHIN 1 MINUTE ON a.auction = b.auction AND a.price < b.price;
--# joins of what changes
SELECT a.auction, a.channel, b.most FROM bids a LEFT JOIN (SELECT auction, MAX(channel) AS most FROM bids GROUP BY auction) AS b ON a.auction = b.auction AND a.price / 2 > 1 EMIT CHANGES;
--# joins of bounded input
SELECT * FROM bids AS a FULL JOIN clicks AS b USING (ts);
--# row patterns
SELECT * FROM bids MATCH_RECOGNIZE (PARTITION BY auction ORDER BY ts MEASURES LAST(B.price) AS top, AVG(B.price) AS mean, COLLECT_LIST(price) AS prices, CLASSIFIER() AS c, MATCH_NUMBER() AS n ALL ROWS PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A (B | C)+?) WITHIN INTERVAL '1' HOUR SUBSET u = (A, B) DEFINE B AS SUM(u.price) > PREV(price), C AS FIRST(A.channel) = channel);
--# changes of sliding windows
SELECT auction, window_end, COUNT(*) AS n, COLLECT_LIST(price) AS prices FROM bids WINDOW SLIDING (SIZE 30 SECONDS) GROUP BY auction EMIT CHANGES;
--# clocks of keys
SELECT auction, System.Timestamp() AS t, COUNT(DISTINCT bidder) AS n FROM bids TIMESTAMP BY ts OVER auction GROUP BY auction, HoppingWindow(second, 20, 10) EMIT FINAL;
--# rows of sessions
SELECT auction, price, window_end FROM TABLE(SESSION(TABLE bids PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' SECOND));
--# frames without rows, windows with names
SELECT auction, SUM(price) OVER (w ROWS UNBOUNDED PRECEDING EXCLUDE TIES) AS s, COLLECT_LIST(price) OVER (p ORDER BY ts GROUPS 1 PRECEDING EXCLUDE CURRENT ROW) AS l FROM bids WINDOW p AS (PARTITION BY auction), w AS (p ORDER BY ts);
--# rows that are not in others
SELECT COUNT(DISTINCT auction, bidder) AS n, LISTAGG(DISTINCT CAST(bidder AS STRING) ORDER BY CAST(bidder AS STRING)) AS l FROM bids b WHERE (auction, price) NOT IN (SELECT auction, price FROM bids c WHERE c.bidder = b.bidder AND price > 20);
--# container files of Avro
CREATE OR REPLACE STREAM avro_out (auction BIGINT, channel VARCHAR, price DECIMAL(10, 2), tags ARRAY<VARCHAR>, kind MAP<VARCHAR, INT>) WITH (connector = 'file', path = 'out.avro', on_error = 'skip'); INSERT OVERWRITE avro_out SELECT auction, channel, price, ARRAY[channel], MAP(COALESCE(channel, '-') := 1) FROM bids; SELECT * FROM avro_out;
--# a schema resolved, of a file
SELECT * FROM 'out.avro' /*+ OPTIONS('schema' = '{"type":"record","name":"R","fields":[{"name":"a","type":["null","double"],"aliases":["auction"]},{"name":"l","type":{"type":"array","items":"string"},"default":["a default longer than a view"]}]}') */;
--# the highest of its group
SELECT b.bidder, m.most FROM bids b JOIN (SELECT channel, MAX(price) AS most FROM bids GROUP BY channel) m ON b.channel = m.channel AND b.price = m.most EMIT CHANGES;
--# the highest of its window
SELECT b.bidder, m.e FROM bids b JOIN (SELECT channel, MAX(price) AS most, window_end AS e FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '4' SECOND)) GROUP BY channel, window_start, window_end) m ON b.channel = m.channel AND b.price >= m.most WHERE b.ts BETWEEN m.e - INTERVAL '4' SECOND AND m.e;
--# the first of what changes
SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction ORDER BY n DESC LIMIT 2 OFFSET 1 EMIT CHANGES;
--# places of what changes
SELECT channel, auction, COUNT(*) AS n, ROW_NUMBER() OVER (PARTITION BY channel ORDER BY COUNT(*) DESC) AS place FROM bids GROUP BY channel, auction QUALIFY place <= 2 EMIT CHANGES;
--# ties of what changes
SELECT channel, auction, COUNT(*) AS n, RANK() OVER (PARTITION BY channel ORDER BY COUNT(*)) AS place FROM bids GROUP BY channel, auction QUALIFY place <= 2 EMIT CHANGES;
--# the best match
SELECT a.channel, b.price FROM bids a LEFT JOIN bids b ON a.auction = b.auction QUALIFY ROW_NUMBER() OVER (PARTITION BY a.channel ORDER BY b.price DESC, b.ts) = 1;
--# sessions by clocks of keys
SELECT auction, System.Timestamp() AS ends, COUNT(*) AS n, COLLECT_LIST(channel) AS channels FROM bids TIMESTAMP BY ts OVER auction GROUP BY auction, SessionWindow(second, 2);
--# clocks of keys, one operator
SELECT auction, System.Timestamp() AS ends, COUNT(*) AS n FROM bids TIMESTAMP BY ts OVER auction WHERE price > 2 GROUP BY auction, TumblingWindow(second, 2);
--# clocks of keys in a join, late rows
SELECT a.price, b.price AS next FROM bids a TIMESTAMP BY ts OVER auction LEFT JOIN bids b TIMESTAMP BY ts OVER auction ON a.auction = b.auction AND DATEDIFF(second, a, b) BETWEEN 1 AND 3 LATE INTO late;

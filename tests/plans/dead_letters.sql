-- expressions that fail: rows kept under a name
SET 'on_expr_error' = 'dead_letter';
SET 'dead_letter' = 'failed';
CREATE STREAM t (a BIGINT, s STRING, b AS CAST(s AS INT)) WITH (path = 'data/bids.jsonl', on_error = 'dead_letter', dead_letter = 'bad');
SELECT a / b AS q FROM t;
SELECT reason FROM failed;
SELECT reason FROM bad;
CREATE STREAM bad_file (reason STRING, line BIGINT) WITH (connector = 'file', path = 'out/bad.jsonl');
CREATE STREAM u (a BIGINT) WITH (path = 'data/bids.jsonl', on_error = 'dead_letter', dead_letter = 'bad_file');
SELECT a FROM u;

#!/bin/sh
# examples/kafka: up, watch, down, as a newcomer runs them, against the broker at hand.
. "$(dirname "$0")/check.sh"
export EXAMPLE_DIRECTORY="$work/example" BIDS="bids-$unique" BIDSQL="$bidsql"

said=$(timeout 60 "$top/examples/kafka/up" 2>&1) || fail "up" "$said"
holds "up says what to do next" "$said" "Now: examples/kafka/watch"
seen=$(timeout 60 "$top/examples/kafka/watch" 10 2>&1) || fail "watch" "$seen" "$(cat "$work"/example/*.log)"
same "windows that close are shown" 10 "$(echo "$seen" | grep -c '"since":"20.*"auction":[1-5],"bids":[0-9]*,"bidders":[0-9]*,"best":')"
"$top/examples/kafka/down" || fail "down"
[ -e "$work/example/produce.pid" ] && fail "down leaves nothing running"
# Every bid is in one window: the counts of closed windows are the bids of that time.
same "counts and bids agree" "same" "$(sql <<END | tail -1
CREATE STREAM bids (auction BIGINT KEY, price DOUBLE) WITH (kafka_topic = '$BIDS', value_format = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE STREAM counted (auction BIGINT KEY, bids BIGINT) WITH (kafka_topic = '$BIDS-counted', value_format = 'json', window_type = 'tumbling', window_size = '5 SECONDS', 'scan.bounded.mode' = 'latest-offset');
CREATE VIEW again AS SELECT auction, COUNT(*) AS bids, window_start FROM bids WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 1 HOUR) GROUP BY auction;
SELECT CASE WHEN COUNT(*) > 9 AND SUM(c.bids - a.bids) = 0 THEN 'same' ELSE 'other' END AS verdict
  FROM (SELECT auction, bids, FROM_UNIXTIME(WINDOWSTART) AS since FROM counted) AS c JOIN again AS a ON a.auction = c.auction AND a.window_start = c.since;
END
)"
finish

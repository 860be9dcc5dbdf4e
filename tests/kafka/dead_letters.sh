#!/bin/sh
# Dead letters of a real topic: the message as it came, what went wrong in headers; sent on with `bidsql dlq replay`, they are tried again.
. "$(dirname "$0")/check.sh"

show() { # messages of a topic, by key: key, value, the original header, and what is said of the error
    kcat -C -b "$kafka" -t "$1" -e -q -J | python3 -c '
import json, sys
for m in sorted(map(json.loads, sys.stdin), key=lambda m: (m["key"] or "", m["payload"])):
    h = m.get("headers", [])
    h = dict(zip(h[::2], h[1::2]))
    print(m["key"], m["payload"], h.get("trace"), " ".join(str(h.get("bq.error." + n)) for n in ("kind", "partition", "offset", "query", "attempt")))'
}

"$tool" create "$kafka" "orders-$unique" 1
printf '%s\n' 'a|{"price": 6, "qty": 2}' 'b|no JSON' 'c|{"price": 4, "qty": 0}' 'd|{"price": 8, "qty": 4}' | kcat -P -b "$kafka" -t "orders-$unique" -K '|' -H trace=t1
stream="CREATE STREAM orders (id STRING KEY, price BIGINT, qty BIGINT) WITH (kafka_topic = 'orders-$unique', value_format = 'json', 'scan.bounded.mode' = 'latest-offset',
    on_error = 'dead_letter', on_expr_error = 'dead_letter', dead_letter_topic = 'dead-$unique', max_error_ratio = 0);"
sql <<END || fail "a query with dead letters" "$(cat "$work/notices")"
$stream
CREATE STREAM each WITH (kafka_topic = 'each-$unique', value_format = 'json') AS SELECT id, price / qty AS each FROM orders;
END
same "what went well" 'a {"each":3}
d {"each":2}' "$(kcat -C -b "$kafka" -t "each-$unique" -e -q -f '%k %s\n' | sort)"
same "dead letters" 'b no JSON t1 decode 0 1 each 1
c {"price": 4, "qty": 0} t1 expression 0 2 each 1' "$(show "dead-$unique")"

# ---- replay: by what went wrong, never to where they came from, each once for a group ----
replay() { timeout 60 "$bidsql" dlq replay --kafka "$kafka" --from "dead-$unique" "$@" 2>&1; }
same "a dry run" "1 letter would go from 'dead-$unique' to 'retry-$unique', 1 left" "$(replay --to "retry-$unique" --filter kind=expression --dry-run)"
same "letters of a kind" "1 letter sent from 'dead-$unique' to 'retry-$unique', 1 left" "$(replay --to "retry-$unique" --filter kind=expression --query each)"
same "the letter as it came, but for its attempts" 'c {"price": 4, "qty": 0} t1 None None None None 1' "$(show "retry-$unique")"
same "letters whose message holds a text" "1 letter sent from 'dead-$unique' to 'retry2-$unique', 1 left" "$(replay --to "retry2-$unique" --filter 'message~invalid JSON' --max-attempts 1)"
holds "back to the topic they came from" "$(replay --to "orders-$unique")" "error: the letters of 'dead-$unique' come from 'orders-$unique': they are not sent back to it"
holds "to the topic itself" "$(replay --to "dead-$unique")" "is replayed to another topic, not to itself"
same "a group sees all letters" "2 letters sent from 'dead-$unique' to 'once-$unique', 0 left" "$(replay --to "once-$unique" --group "g-$unique")"
same "and remembers them" "0 letters sent from 'dead-$unique' to 'once-$unique', 0 left" "$(replay --to "once-$unique" --group "g-$unique")"
holds "a topic that is not there" "$(timeout 60 "$bidsql" dlq replay --kafka "$kafka" --from "none-$unique" --to x 2>&1)" "error: there is no topic 'none-$unique'"

# ---- what fails again has failed twice ----
sql <<END || fail "trying again" "$(cat "$work/notices")"
CREATE STREAM again (id STRING KEY, price BIGINT, qty BIGINT) WITH (kafka_topic = 'once-$unique', value_format = 'json', 'scan.bounded.mode' = 'latest-offset',
    on_error = 'dead_letter', on_expr_error = 'null', dead_letter_topic = 'dead2-$unique', max_error_ratio = 0);
CREATE STREAM second WITH (kafka_topic = 'second-$unique', value_format = 'json') AS SELECT id, price / qty AS each FROM again;
END
same "attempts are counted" 'b no JSON t1 decode 2 0 second 2' "$(show "dead2-$unique")"

# ---- the breaker: a wrong schema does not move a topic to its dead letters ----
seq 1 3000 | sed 's/^/not JSON /' | kcat -P -b "$kafka" -t "orders-$unique"
sql <<END && fail "too many bad records"
$(echo "$stream" | sed "s/, max_error_ratio = 0//; s/dead-$unique/dead3-$unique/")
CREATE STREAM every WITH (kafka_topic = 'every-$unique', value_format = 'json') AS SELECT id, price FROM orders;
END
holds "too many bad records" "$(cat "$work/notices")" "'orders': 501 of 1000 records are bad"
same "those before are dead letters" 500 "$("$tool" count "$kafka" "dead3-$unique")"
finish

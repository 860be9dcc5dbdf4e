# tests/kafka/check.sh: what the scripts here share; they source it. KAFKA: the brokers' addresses. BIDSQL: the program.
set -u
here=$(cd "$(dirname "$0")" && pwd)
case "$here" in */deep) here=${here%/deep} ;; esac
top=$(cd "$here/../.." && pwd)
bidsql=${BIDSQL:-$top/bidsql}
kafka=${KAFKA:?the addresses of brokers}
tool=${KAFKA_TOOL:-$top/build/kafka/tool}
lib=${KAFKA_LIB:-$top/build/kafka/lib}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
unique=$$-$(date +%s)

fail() { # what, details..
    echo "FAILED: $1"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/    /' | head -40
    failures=$((failures + 1))
}

same() { # what, expected, actual
    [ "$2" = "$3" ] || fail "$1" "expected:" "$2" "actual:" "$3"
}

holds() { # what, text, part
    case "$2" in *"$3"*) ;; *) fail "$1" "not in it: $3" "$2" ;; esac
}

sql() { # runs SQL from stdin against the brokers; output on stdout, notices and errors in $work/notices
    { echo "SET 'properties.bootstrap.servers' = '$kafka';"; cat; } >"$work/script.sql"
    timeout "${LIMIT:-60}" "$bidsql" -o csv -f "$work/script.sql" 2>"$work/notices"
}

judge() { NODE_PATH="$top/build/kafka/node/node_modules" timeout 60 node "$here/judge.js" "$1" "$kafka" "$2" ${3:-}; }

java_tool() { # class, arguments: a tool of Apache Kafka itself
    class=$1
    shift
    timeout 60 java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$lib/*" "$class" "$@" 2>"$work/java.log"
}

# A bound of memory or time that holds for the program itself; under a sanitizer (tools/sanitized) it says nothing.
within() { # what, measured, bound
    [ -n "${SANITIZED:-}" ] || [ "$2" -lt "$3" ] || fail "$1" "$2 is not less than $3"
}

finish() {
    [ "$failures" -eq 0 ] || exit 1
}

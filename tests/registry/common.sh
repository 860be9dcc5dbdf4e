# tests/registry/common.sh: what run and run-apicurio share; they source it, BIDSQL may be their first argument.
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
bidsql=${1:-$top/bidsql}
work=$(mktemp -d)
passed=0 failed=0 skipped=0

# The packages of the judges come from PyPI, once, into build/registry; where they cannot be had $python is the system's.
python=python3
venv=$top/build/registry/venv
if [ -x "$venv/bin/python" ] && [ -e "$venv/.complete" ]; then
    python=$venv/bin/python
elif python3 -m venv "$venv" >/dev/null 2>&1 && "$venv/bin/pip" install -q --disable-pip-version-check "fastavro==1.13.1" "confluent-kafka[avro,json,protobuf,schemaregistry]==2.16.0" "grpcio-tools" >/dev/null 2>&1; then
    touch "$venv/.complete"
    python=$venv/bin/python
fi

ok() { echo "ok      $1" && passed=$((passed + 1)); }
bad() { # name, file with what happened
    echo "FAILED  $1"
    cat "$2"
    failed=$((failed + 1))
}

# check NAME AS EXPRESSION..: runs NAME.test, in which sed's expressions replace {plain} and the like
check() {
    expressions=()
    for expression in "${@:3}"; do expressions+=(-e "$expression"); done
    if sed "${expressions[@]}" "$here/$1.test" >"$work/$1.test" 2>"$work/out-$1" && timeout 120 "$bidsql" test --mode=plain "$work/$1.test" >"$work/out-$1" 2>&1; then
        ok "$2"
    else
        bad "$2" "$work/out-$1"
        return 1
    fi
}

judge() { # where the registry is: 127.0.0.1:WHERE
    if [ "$python" = python3 ]; then
        echo "SKIPPED judges: confluent-kafka and fastavro cannot be had from PyPI"
        skipped=$((skipped + 1))
    elif timeout 300 "$python" "$here/judges.py" "$bidsql" "$work" "$1"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

# others_register WHERE NAME: NAME-avro-value and NAME-json-value as bidsql would register them, laid out otherwise
others_register() {
    register_text "$1" "$2-avro-value" '{"schema":"{ \"name\": \"KsqlDataSourceSchema\", \"type\": \"record\", \"namespace\": \"io.confluent.ksql.avro_schemas\", \"fields\": [ {\"name\": \"name\", \"type\": [\"null\", \"string\"], \"default\": null} ] }"}' &&
        register_text "$1" "$2-json-value" '{"schemaType":"JSON","schema":"{ \"type\": \"integer\", \"$schema\": \"http://json-schema.org/draft-07/schema#\", \"connect.type\": \"int64\" }"}'
}

register_text() { # where, subject, request; the schema's number
    curl -sf -X POST -H "Content-Type: application/vnd.schemaregistry.v1+json" "http://127.0.0.1:$1/subjects/$2/versions" -d "$3" | tr -dc 0-9
}

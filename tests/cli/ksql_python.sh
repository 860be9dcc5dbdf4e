#!/bin/sh
# ksqlDB's Python client, unchanged, against the server.
set -u
cd "$(dirname "$0")/../.."
place=build/ksql-python
cmp -s tests/server/python/requirements.txt "$place/requirements.txt" || {
    rm -rf "$place"
    python3 -m venv "$place" && "$place/bin/pip" install -q --disable-pip-version-check -r tests/server/python/requirements.txt && cp tests/server/python/requirements.txt "$place" || exit 1
}
BIDSQL=${BIDSQL:-./bidsql} PYTHONPATH=tests/server exec /usr/bin/python3 - "$place/bin/python" <<'PY'
import subprocess, sys
from serving import Server, check, finish

server = Server("--topics-in-memory")
done = subprocess.run([sys.argv[1], "tests/server/python/client.py", server.url], capture_output=True, text=True, timeout=120)
check("ksql-python-ng", done.returncode == 0 and done.stdout == "fine\n", done.stdout + done.stderr)
check("it stops", server.stop() == 0)
finish()
PY

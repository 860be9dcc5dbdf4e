#!/bin/sh
# follow = true: a growing file is read as it grows, through rows in two writes, truncation and rotation.
set -u
cd "$(dirname "$0")/../.."
exec python3 - <<'PY'
import os, select, signal, subprocess, sys, tempfile, time

binary = os.path.abspath(os.environ.get("BIDSQL", "./bidsql"))
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
failures = 0

class Job:
    """A query that goes on; what it shows is waited for, never a time."""
    def __init__(self, sql):
        self.process = subprocess.Popen([binary, "-q", "--progress", "off", "-c", sql], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.text, self.wanted = b"", b""

    def shows(self, what, more):
        global failures
        self.wanted += more.encode()
        end = time.monotonic() + 20
        while self.text != self.wanted and time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.05)[0]:
                piece = os.read(self.process.stdout.fileno(), 65536)
                if not piece:
                    break
                self.text += piece
        if self.text != self.wanted:
            print(f"{what}: expected {self.wanted.decode()!r}, got {self.text.decode()!r}")
            failures += 1

    def stop(self, what, code=130, number=signal.SIGINT):
        global failures
        if number:
            self.process.send_signal(number)
        ended = self.process.wait(20)
        errors = self.process.stderr.read().decode()
        rest = self.process.stdout.read()
        if ended != code or rest:
            print(f"{what}: exit {ended}, {rest!r}, {errors}")
            failures += 1
        return errors

def append(name, text):
    with open(name, "a") as file:
        file.write(text)

def rows(*numbers):
    return "".join('{"a":%d}\n' % n for n in numbers)

append("a.jsonl", "")
job = Job("CREATE STREAM t (a INT) WITH (connector = 'file', path = 'a.jsonl', format = 'json', follow = 'true'); SELECT a FROM t")
append("a.jsonl", rows(1))
job.shows("a first row", rows(1))
append("a.jsonl", '{"a":')
append("a.jsonl", '2}\n{"a":3')
job.shows("a row in two writes", rows(2))
append("a.jsonl", "}\n")
job.shows("the end of a row", rows(3))
open("a.jsonl", "w").close()
append("a.jsonl", rows(4))
job.shows("after truncation", rows(4))
append("a.jsonl", '{"a":5}')                       # a last row without a line's end
os.rename("a.jsonl", "a.jsonl.1")
append("a.jsonl", rows(6))
job.shows("after rotation", rows(5, 6))
os.remove("a.jsonl")
append("a.jsonl", rows(7))
job.shows("after removal", rows(7))
job.stop("a followed file")

# Each file that takes its place has a header of its own, in its own order; a header may come in two writes.
append("c.csv", "b,")
job = Job("CREATE STREAM t (a INT, b STRING) WITH (connector = 'file', path = 'c.csv', format = 'csv', follow = 'true', on_error = 'skip'); SELECT a, b FROM t")
append("c.csv", 'a\nx,1\n"two\n')
job.shows("rows behind a header", '{"a":1,"b":"x"}\n')
append("c.csv", 'lines",2\n')
job.shows("a record in two writes", '{"a":2,"b":"two\\nlines"}\n')
os.rename("c.csv", "c.csv.1")
append("c.csv", "a,")
append("c.csv", "b\n3,y\n")
job.shows("another header", '{"a":3,"b":"y"}\n')
append("c.csv", "bad,z\n4,z\n")
job.shows("a bad row", '{"a":4,"b":"z"}\n')
errors = job.stop("a followed CSV file")
if "c.csv:3" not in errors:
    print("a bad row behind a rotation is misplaced:", errors)
    failures += 1

# Windows close as rows come; what a sink got is visible without an end.
append("w.jsonl", "")
job = Job("""CREATE STREAM t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'w.jsonl', format = 'json', follow = 'true');
             SELECT window_start, COUNT(*) AS n FROM t WINDOW TUMBLING (SIZE 1 MINUTE) EMIT FINAL""")
append("w.jsonl", '{"ts":"2026-01-01 00:00:01"}\n{"ts":"2026-01-01 00:00:02"}\n{"ts":"2026-01-01 00:01:00"}\n')
job.shows("a window", '{"window_start":"2026-01-01 00:00:00.000","n":2}\n')
job.stop("windows of a followed file")

append("s.jsonl", "")
job = Job("CREATE STREAM t (a INT) WITH (connector = 'file', path = 's.jsonl', format = 'json', follow = 'true'); CREATE TABLE o WITH (connector = 'file', path = 'o.jsonl', format = 'json') AS SELECT a FROM t")
append("s.jsonl", rows(1, 2))
end = time.monotonic() + 20
while time.monotonic() < end and not (os.path.exists("o.jsonl") and open("o.jsonl").read() == rows(1, 2)):
    time.sleep(0.01)
job.stop("a sink")
if open("o.jsonl").read() != rows(1, 2):
    print("the sink of a followed file has", repr(open("o.jsonl").read()))
    failures += 1

# LIMIT is an end, and so is a policy of fail.
append("l.jsonl", rows(1, 2, 3))
job = Job("CREATE STREAM t (a INT) WITH (connector = 'file', path = 'l.jsonl', format = 'json', follow = 'true'); SELECT a FROM t LIMIT 2")
job.shows("LIMIT", rows(1, 2))
job.stop("LIMIT", 0, None)
append("l.jsonl", "no json\n")
job = Job("CREATE STREAM t (a INT) WITH (connector = 'file', path = 'l.jsonl', format = 'json', follow = 'true'); SELECT a FROM t")
job.shows("rows before a bad one", rows(1, 2, 3))
if "l.jsonl:4" not in job.stop("a bad row", 1, None):
    print("the bad row of a followed file is misplaced")
    failures += 1

# Several files: each is followed.
append("p1.jsonl", rows(1))
append("p2.jsonl", rows(2))
job = Job("CREATE STREAM t (a INT) WITH (connector = 'file', path = 'p?.jsonl', format = 'json', follow = 'true'); SELECT a FROM t")
job.shows("several files", rows(1, 2))
append("p2.jsonl", rows(3))
job.shows("the second file", rows(3))
append("p1.jsonl", rows(4))
job.shows("the first file", rows(4))
job.stop("several files")

for sql in ("path = '-'", "path = 'x.jsonl.gz'"):
    done = subprocess.run([binary, "-c", f"CREATE STREAM t (a INT) WITH (connector = 'file', {sql}, format = 'json', follow = 'true'); SELECT a FROM t"], capture_output=True)
    if done.returncode != 3 or b"'follow' works on plain files" not in done.stderr:
        print("follow with", sql, done)
        failures += 1
sys.exit(failures != 0)
PY

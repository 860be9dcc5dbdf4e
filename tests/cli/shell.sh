#!/bin/sh
# The shell on a real pseudo-terminal, seen through a terminal emulator (pyte): what somebody types, and what they then see.
set -u
cd "$(dirname "$0")/../.."
exec /usr/bin/python3 - <<'PY'
import fcntl, json, os, pty, re, select, signal, struct, subprocess, sys, tempfile, termios, time
import pyte

failures = 0
folder = tempfile.mkdtemp()
history = os.path.join(folder, "state", "history")

class Terminal:
    """bidsql on a terminal of its own. `type` waits until the screen shows what is expected."""
    def __init__(self, *arguments, rows=24, columns=100, environment=None):
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen, self.main, self.raw = pyte.Screen(columns, rows), main, b""
        self.stream = pyte.ByteStream(self.screen)
        self.process = subprocess.Popen([os.environ.get("BIDSQL", "./bidsql"), *arguments], stdin=side, stdout=side, stderr=side, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "BIDSQL_HISTORY": history, "BIDSQL_PAGER": "", "BIDSQL_RC": "", **(environment or {})})
        os.close(side)
        self.expect("bidsql> ")

    def feed(self, wait):
        if not select.select([self.main], [], [], wait)[0]:
            return False
        try:
            piece = os.read(self.main, 65536)
        except OSError:
            return False
        self.raw += piece
        self.stream.feed(piece)
        return bool(piece)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip() + (" " if self.screen.display[self.screen.cursor.y].rstrip().endswith(">") else "")

    def expect(self, wanted, what=None):
        global failures
        deadline = time.monotonic() + 30
        fits = (lambda: re.search(wanted, self.text(), re.M)) if what == "pattern" else (lambda: wanted in self.text())
        while not fits():
            if time.monotonic() > deadline or (not self.feed(0.1) and self.process.poll() is not None and not self.feed(0)):
                if fits():
                    return
                failures += 1
                print(f"expected {wanted!r} on the screen:\n{self.text()}\n----")
                return

    def type(self, keys, wanted=None, what=None):
        os.write(self.main, keys.encode())
        if wanted is not None:
            self.expect(wanted, what)

    def line(self):
        return self.screen.display[self.screen.cursor.y].rstrip()

    def wait_for_keys(self):
        """Until keys come one by one: a Ctrl-D before that is none."""
        deadline = time.monotonic() + 30
        while termios.tcgetattr(self.main)[3] & termios.ICANON and time.monotonic() < deadline:
            self.feed(0.02)

    def leave(self, keys="\x04"):
        self.wait_for_keys()
        os.write(self.main, keys.encode())
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            self.feed(0.05)
        code = self.process.wait(1)
        while self.feed(0.05):
            pass
        os.close(self.main)
        return code

def check(what, fine, shown=""):
    global failures
    if not fine:
        failures += 1
        print(f"{what}: {shown}")

ENDLESS = "CREATE STREAM g (a BIGINT) WITH (connector = 'datagen', rows_per_second = 500, 'fields.a.kind' = 'sequence');"

# A first statement, a second one over several lines, an error with its caret; Ctrl-D leaves.
t = Terminal()
t.type("SELECT 1 AS one;\r", "│   1 │")
t.type("SELECT 'a\rb' AS\r", "     -> ")
check("prompts say what is open", "     '> b' AS" in t.text(), t.text())
t.type("two;\r", "│ two")
t.type("SELECT nothing FROM nowhere;\r", "^~~~~~~")
t.type("SELEC 1;\r", "did you mean 'SELECT'")
t.type("\x0cCREATE STREAM a (x INT); SELECT y FROM a; SELCT 1; CREATE STREAM b AS SELECT z FROM a; SELECT * FROM b; SET 'exec.thred' = '1';\r", "did you mean 'exec.threads'?")
check("all mistakes are told at once, but for what follows from others", re.findall(r"^input:1:(\d+): error", t.text(), re.M) == ["33", "43", "78", "109"], t.text())
check("Ctrl-D leaves", t.leave() == 0)

# Keys: the line is edited in place, also behind wide characters; Ctrl-C drops it.
t = Terminal()
t.type("SELECT '漢字' AS b;\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D", "AS b;")
t.type("X", "'漢字'X AS b;")
t.type("\x7f\x05\r", "│ 漢字 │")
t.type("garbage", "bidsql> garbage")
t.type("\x03SELECT 2 AS two;\r", "│   2 │")
t.type("\x1b[A", "bidsql> SELECT 2 AS two;")
t.type("\x1b[A\x1b[A", "bidsql> SELECT '漢字' AS b;")
t.type("\x1b[B\x03", "bidsql> ")
t.type("\x12two", "search 'two': SELECT 2 AS two;")
t.type("\x07", "bidsql> ")
t.type("abc def\x17xyz\x19\r\x03", "xyzdef")

# Pasted text is text: its line ends run nothing, its escape sequences do nothing.
t.type("\x1b[200~SELECT 3 AS\r\n  three;\x1b[201~", "     ->   three;")
check("nothing has run", "│     3 │" not in t.text(), t.text())
t.type("\r", "│     3 │")

# A text that is longer than the line, and a terminal that becomes narrower.
t.type("SELECT '" + "0123456789" * 12 + "' AS long;\x01", "0123456789' AS long;")
check("long lines wrap", t.screen.cursor.x == 8, t.screen.cursor.x)
t.type("\x03")
check("the history has it all", t.leave("\\q\r") == 0)

# The history is kept, privately, and without secrets.
t = Terminal()
t.type("SET 'x.password' = 'hidden';\r", "no setting")
t.type("\x1b[A", "bidsql> \\q")
t.leave("\x03\x04")
kept = open(history).read()
check("statements are kept", "SELECT 2 AS two;" in kept and "SELECT 3 AS\\n  three;" in kept, kept)
check("secrets are not", "hidden" not in kept, kept)
check("the history is private", os.stat(history).st_mode & 0o777 == 0o600)

# Tab.
t = Terminal()
t.type(ENDLESS + "\r", "stream 'g' created")
t.type("sel\t", "bidsql> select")
t.type("* fr\t g lim\t1;\r", "│ 0 │")
t.type("SHOW \t", "PROPERTIES")
t.type("\x03SELECT upper(", "upper(VARCHAR) -> VARCHAR")
t.leave("\x03\x04")

# What is wider than the terminal wraps in its column; columns of a query that goes on become wider below a rule.
t = Terminal(columns=60)
t.type("SELECT 1 AS n, 'one two three four five six seven eight nine ten eleven twelve' AS words;\r",
       "│ n │ words                                                │\n├───┼──────────────────────────────────────────────────────┤\n"
       "│ 1 │ one two three four five six seven eight nine ten     │\n│   │ eleven twelve                                        │\n")
t.type("\x0cSELECT 'some text that is not short' AS a, 'and more of it', nothing, 'and the end of it';\r", "..")
check("of a long line the part around the mistake is shown", re.search(r"^  1 \| \.\.(.*)nothing.*\n    \|   ( *)\^~~~~~~$", t.text(), re.M) and len(re.search(r"\.\.(.*)nothing", t.text()).group(1)) == len(re.search(r"\|   ( *)\^~~~~~~$", t.text(), re.M).group(1)), t.text())
t.type("\x0cCREATE STREAM g (a INT) WITH (connector = 'datagen', rows_per_second = 50, 'fields.a.kind' = 'sequence'); SELECT a, repeat('x', a) AS x FROM g LIMIT 11;\r",
       r"│ 9 │ x{9} +│\n├─+┼─+┤\n│ 10 │ x{10} *│\n└─+┴─+┘\n11 rows", "pattern")
t.leave()

# Commands.
t = Terminal()
t.type(ENDLESS + "\r", "stream 'g' created")
t.type("\\? subst\t\r", "function     | substring(VARCHAR, BIGINT) -> VARCHAR")
t.type("\x0c\\df upp\t\r", "example      | upper('ab') = AB")
t.type("\x0cTERMINATE \t", "bidsql> TERMINATE ALL")
t.type("\x03\x0cCREATE STREAM k (a IN\t\t", "INT       INTERVAL")
t.type("\x03\x0cSELECT a FROM g WINDOW TU\t", "WINDOW TUMBLING (SIZE")
t.type("\x03\x0cSELECT a FROM g GROUP \t", "GROUP BY")
t.type("\x03\\disp\tli\t\r\\display\r", "display is live")
t.type("\\display append\r\x0c")
t.type("SELECT 6 AS six \\g\r", "│   6 │")
t.type("\x0c\\gx\r", "six | 6")
t.type("\x0cSELECT '\\g' AS g, 7 AS seven\\G\r", "g     | \\g\nseven | 7")
t.type("\x0c\\g\r", "│ \\g │     7 │")
t.wait_for_keys()
t.type("\x03\x03", "\\q or Ctrl-D leaves")
t.type("\\?\r", "\\timing [on|off]")
t.type("\\? create type\r", "CREATE TYPE [IF NOT EXISTS]")
t.type("help upper;\r", "upper('ab') = AB")
t.type("\\d g\r", "│ a ")
t.type(".mode csv\rSELECT 1 AS a, 2 AS b;\r", "1,2")
t.type("\\mode bix\r", "did you mean 'box'?")
t.type("\\timin\r", "did you mean '\\timing'?")
t.type("\\mode box\r\\timing on\rSELECT 5 AS five;\r", r"^0\.\d{3} s", "pattern")
t.type("\\timing off\r", "timing is off")
out = os.path.join(folder, "out.txt")
t.type(f"\\o {out}\rSELECT 42 AS answer;\r\\o\r\\echo back\r", "^back", "pattern")
check("\\o", "42" in open(out).read(), open(out).read())
script = os.path.join(folder, "s.sql")
open(script, "w").write("-- two statements and a command\nSELECT 7 AS seven;\n\\echo from the file\nSELECT 8\n  AS eight;\n")
t.type(f"\\i {script}\r", "│     8 │")
check("\\i runs all of it", "│     7 │" in t.text() and "from the file" in t.text(), t.text())
t.type("\\set x 11\rSELECT ${x} AS x;\r", "│ 11 │")
t.type("\\watch 0.05\r", "every 0.05 s")
t.type("\x03", "bidsql> ")
check("the shell lives", t.leave("exit\r") == 0)

# A query that goes on: rows as they come, Ctrl-C ends it and not the shell.
t = Terminal(rows=20)
t.type(ENDLESS + "\r", "created")
t.type("SELECT a FROM g;\r", "│ 3 │")
t.type("\x03", "stopped")
t.type("SELECT 'still here' AS s;\r", "│ still here │")
t.type("SELECT a % 2 AS k, COUNT(*) AS n FROM g GROUP BY a % 2;\r", "│ -U │")
t.type("\x03", "stopped")
t.type("\\display changelog\rSELECT a FROM g;\r", "│ +I │ 2 │")
t.type("\x03", "stopped")

# The line below the rows is there also while they come quickly.
t.type("\x0c\\display append\rSELECT a FROM g;\r", r"│ +\d+ │\n[\d.]+ (K )?rows in, [\d.]+ (K )?rows out, \d+ rows/s  Ctrl-C ends it$", "pattern")
t.type("\x03", "stopped")

# ..and as a table that changes in place.
t.type("\x0c\\display live\rSELECT a % 2 AS k, COUNT(*) AS n FROM g GROUP BY a % 2;\r", r"^1 │ \d\d+\n2 rows, \d+ changes", "pattern")
check("the picture is drawn in place", t.text().count("k │ n") == 1, t.text())
t.type(" ", "held: space goes on")
t.type(" ", "space holds, q ends")
t.type("q", "stopped")
check("the last picture stays", re.search(r"^0 │ \d+\n1 │ \d+\n2 rows, \d+ changes$", t.text(), re.M), t.text())
t.type("SELECT 9 AS nine;\r", "│    9 │")
t.leave()

# What goes on goes on in the background: the prompt is there at once, and everything can look at it.
t = Terminal(rows=40, columns=200)
t.type("CREATE STREAM g (a BIGINT) WITH (connector = 'datagen', rows_per_second = 500, 'fields.a.kind' = 'sequence');\r", "stream 'g' created")
t.type("CREATE STREAM evens AS SELECT a, a * 10 AS ten FROM g WHERE a % 2 = 0;\r", "stream 'evens' created\nbidsql> ")
t.type("CREATE TABLE counts AS SELECT a % 3 AS k, COUNT(*) AS n FROM evens GROUP BY a % 3;\r", "table 'counts' created\nbidsql> ")
t.type("SHOW QUERIES;\r", "CTAS_COUNTS_2")
check("SHOW QUERIES", re.search(r"CSAS_EVENS_1 +│ PERSISTENT │ RUNNING │ evens ", t.text()), t.text())
t.type("\x0c\\dq\r", r"CSAS_EVENS_1 .*\n│ CTAS_COUNTS_2 ", "pattern")
t.type("\x0cSELECT ten FROM ev\t;\r", r"│ +\d+0 │\n│ +\d+0 │", "pattern")
t.type("\x03", "stopped")
t.type("\x0cSELECT k, n > 0 AS some FROM counts ORDER BY k;\r", "│ 2 │ true │\n└───┴──────┘")
t.type("\x0cSELECT COUNT(*) AS n FROM counts;\r", "│ 3 │")
t.type("SELECT k, n FROM counts EMIT CHANGES;\r", "│ -U │")
t.type("\x03", "stopped")
t.type("\x0c\\dq CSAS_EVENS_1\r", "CSAS_EVENS_1 PERSISTENT RUNNING")
t.type("\x0cTERMINATE CTAS_COUNTS_2;\rSHOW QUERIES;\r", "CSAS_EVENS_1")
t.expect("1 row")
check("TERMINATE", "CTAS_COUNTS_2  " not in t.text(), t.text())

# What ends by itself is waited for; what fails says so.
numbers = os.path.join(folder, "numbers.csv")
open(numbers, "w").write("a\n1\n2\nx\n")
t.type(f"\x0cCREATE STREAM few (a BIGINT) WITH (path = '{numbers}', on_error = 'skip'); CREATE TABLE total AS SELECT SUM(a) AS s FROM few WHERE a < 3; SELECT s FROM total;\r", "│ 3 │")
check("how it ended", "is done: 2 rows in, 1 out, 1 bad" in t.text(), t.text())
t.type(f"\x0cCREATE STREAM strict (a BIGINT) WITH (path = '{numbers}', on_error = 'fail'); CREATE TABLE wrong AS SELECT SUM(a) AS s FROM strict;\r", "query CTAS_WRONG_4 failed")
t.type("\x0cSELECT nothing FROM evens; CREATE STREAM never (a INT);\r", "^~~~~~~")
t.type("\x0cDESCRIBE never;\r", "no stream, table or view 'never'")

# What runs a query to explain it, checks it, or needs settings of its own.
t.type("\x0cEXPLAIN ANALYZE SELECT COUNT(*) AS n FROM few;\r", "ran in")
t.type("\x0cEXPLAIN WHY NO OUTPUT SELECT a FROM few WHERE a > 100;\r", "a > 100")
t.type("\x0cASSERT VALUES few (a) VALUES (1);\rASSERT VALUES few (a) VALUES (7);\r", r"error: .*\n.*ASSERT VALUES few .*\n +\| +\^", "pattern")
check("ASSERT VALUES", t.text().count("error:") == 1, t.text())
t.type("\x0cSET 'exec.threads' = '1'; SET 'dialect' = 'flink'; SHOW PROPERTIES;\r", "exec.threads")
t.type("\x0cSET 'exec.thread' = '1';\r", "did you mean 'exec.threads'?")
open(script, "w").write("CREATE STREAM doubled AS SELECT a * 2 AS b FROM g;\nSELECT 8\n  AS eight;\nSELECT nothing FROM doubled;\n")
t.type(f"\x0cRUN SCRIPT '{script}';\r", r"error: .*s.sql:4:8: no column 'nothing'", "pattern")
check("a script with a mistake does nothing", "doubled' created" not in t.text(), t.text())
open(script, "w").write("CREATE STREAM doubled AS SELECT a * 2 AS b FROM g;\nSELECT 8\n  AS eight;\n")
t.type(f"\x0cRUN SCRIPT '{script}';\r", "│     8 │")
check("RUN SCRIPT", "stream 'doubled' created" in t.text(), t.text())

# A query that fails while somebody types says so above the prompt.
grows = os.path.join(folder, "grows.csv")
open(grows, "w").write("a\n1\n")
t.type(f"\x0cCREATE STREAM growing (a BIGINT) WITH (path = '{grows}', follow = true, on_error = 'fail'); CREATE STREAM grown AS SELECT a FROM growing;\r", "stream 'grown' created\nbidsql> ")
t.type("SELECT 'half typed", "bidsql> SELECT 'half typed")
open(grows, "a").write("y\n")
t.expect(r"^query CSAS_GROWN_\d error: .*expected BIGINT, found 'y'\nbidsql> SELECT 'half typed", "pattern")
t.type("\x03")
check("leaving ends all", t.leave() == 0)

# ..and with a directory for it, it comes back.
data = os.path.join(folder, "data")
t = Terminal("--data-dir", data, columns=160)
t.type("CREATE STREAM g (a BIGINT) WITH (connector = 'datagen', rows_per_second = 500, 'fields.a.kind' = 'sequence'); CREATE TABLE n AS SELECT COUNT(*) AS n FROM g;\r", "table 'n' created\nbidsql> ")
t.leave()
t = Terminal("--data-dir", data, columns=160)
t.type("SHOW QUERIES;\r", "CTAS_N_1")
t.type("SELECT n > 0 AS some FROM n;\r", "│ true │")
t.leave()

# What queries in the background write to the terminal stands above what is typed, whatever is on the screen.
t = Terminal(columns=100)
t.type("CREATE STREAM g (a BIGINT) WITH (connector = 'datagen', rows_per_second = 5, 'fields.a.kind' = 'sequence'); CREATE STREAM o WITH (connector = 'print') AS SELECT a FROM g;\r", "stream 'o' created")
t.type("SELECT 1 AS one,\r  2 AS two", r'^{"a":\d+}\nbidsql> SELECT 1 AS one,\n     ->   2 AS two$', "pattern")
first = int(re.findall(r'{"a":(\d+)}', t.text())[-1])
t.expect('{"a":%d}\nbidsql> SELECT 1 AS one,\n     ->   2 AS two' % (first + 3))
t.type("\x03\x0cSELECT substr\t", r'^substr +substring\n({"a":\d+}\n)+bidsql> SELECT substr$', "pattern")
t.type("\x03\x0cSELECT a, 'row' AS r FROM g;\r", r'^│ +\d+ │ row │\n({"a":\d+}\n)+│ +\d+ │ row │\n', "pattern")
t.expect(r"rows/s  Ctrl-C ends it$", "pattern")
t.type("\x03", "stopped")
t.type("\x0c\\display live\rSELECT COUNT(*) AS n FROM g;\r", r'^({"a":\d+}\n)+n\n[4-9]\n1 row, \d+ changes', "pattern")
t.type("q", "stopped")
t.type("\x0cCREATE STREAM f (a BIGINT) WITH (connector = 'datagen', rows_per_second = 20000, 'fields.a.kind' = 'sequence'); CREATE STREAM q WITH (connector = 'print') AS SELECT a FROM f;\r", r'^{"a":\d{4,}}\n', "pattern")
t.type("TERMINATE ALL;\r")
while t.feed(0.5): # keys are heard in between
    pass
t.type("SELECT 'all is quiet' AS k;\r", "│ all is quiet │")
check("leaving", t.leave() == 0)

# Long results go through the pager; leaving it is no error.
t = Terminal(environment={"BIDSQL_PAGER": "sed 's/^/P:/'"})
t.type("SELECT 1 AS few;\r", "│   1 │")
check("short ones do not", "P:" not in t.text(), t.text())
t.type("CREATE STREAM s (a BIGINT) WITH (connector = 'datagen', rows = 200, 'fields.a.kind' = 'sequence'); SELECT a FROM s;\r", "P:│ 199 │")
t.type("\\pager head -3\rSELECT a FROM s;\r", "├─────┤\n")
t.type("SELECT 'fine' AS s;\r", "│ fine │")

# $EDITOR gets the statement and gives another one.
t.leave()
editor = os.path.join(folder, "editor.sh")
open(editor, "w").write("#!/bin/sh\nsed -i s/before/after/ \"$1\"\n")
os.chmod(editor, 0o755)
t = Terminal(environment={"EDITOR": editor})
t.type("SELECT 'before' AS s;\r", "│ before │")
t.type("\\e\r", "bidsql> SELECT 'after' AS s;")
t.type("\r", "│ after │")
t.type("SELECT 'before' AS x\x18\x05", "bidsql> SELECT 'after' AS x")
t.leave("\x03\x04")

# Colours, and none of them where they are not wanted.
t = Terminal()
t.type("SELECT 1;\r", "│")
check("keywords have a colour", b"\x1b[1;34mSELECT" in t.raw, t.raw)
t.leave()
t = Terminal(environment={"NO_COLOR": "1"})
t.type("SELECT 1;\r", "│")
check("NO_COLOR", not re.search(rb"\x1b\[[0-9;]*m", t.raw), t.raw)
check("marks for pasted text are taken back", t.leave() == 0 and t.raw.rstrip().endswith(b"\x1b[?2004l"), t.raw[-40:])

# The file of one's own settings; --no-rc.
rc = os.path.join(folder, "rc")
open(rc, "w").write("\\mode csv\n")
t = Terminal(environment={"BIDSQL_RC": rc})
t.type("SELECT 1 AS a, 2 AS b;\r", "\n1,2")
t.leave()
t = Terminal("--no-rc", environment={"BIDSQL_RC": rc})
t.type("SELECT 1 AS a, 2 AS b;\r", "│ 1 │ 2 │")

t.leave()

# The same shell against a server: its catalog, its queries, rows as they come.
server = subprocess.Popen([os.environ.get("BIDSQL", "./bidsql"), "server", "--listen", "127.0.0.1:0", "--log", "json", "--topics-in-memory"], stderr=subprocess.PIPE)
url = json.loads(server.stderr.readline())["url"]
t = Terminal("--server", url, rows=30)
check("where it is", url in t.text(), t.text())
t.type("CREATE STREAM bids (auction INT KEY, price DOUBLE, note STRING) WITH (kafka_topic = 'bids', value_format = 'json', partitions = 1);\r", "stream 'bids' created")
t.type("CREATE TABLE totals AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction; INSERT INTO bids VALUES (1, 2.5, 'x'), (2, 1, NULL), (1, 3, 'é|');\r", "table 'totals' created")
t.type("SELECT auction, price, note FROM bids EMIT CHANGES LIMIT 3;\r", "│       1 │   3.0 │ é|   │")
t.type("SHOW QUERIES;\r", "CTAS_TOTALS_1")
t.type("CREATE STREAM exact (d DECIMAL(38, 10), s STRUCT<x DECIMAL(5, 2), y STRING>) WITH (kafka_topic = 'exact', value_format = 'json', partitions = 1); INSERT INTO exact VALUES (12345678901234567890.0123456789, STRUCT(x := 1.50, y := '],'));\r", "created")
t.type("\x0cSELECT * FROM exact EMIT CHANGES LIMIT 1;\r", '│ 12345678901234567890.0123456789 │ {"x":1.50,"y":"],"} │')
t.type("\x0cSELECT nothing FROM bids;\r", "input:1:8: error: no column 'nothing' in bids")
t.type("\x0cCREATE STREAM never (a INT); SELECT y FROM bids; SELCT 1;\r", "did you mean 'SELECT'?")
check("all mistakes of several statements, and none is done", "input:1:37: error: no column 'y' in bids" in t.text() and "created" not in t.text(), t.text())
t.type("\x0cSET 'source.idl\t", "'source.idle_timeout'")
t.type("\x03CREATE STREAM x (a INT) WITH (conn\t", "connector =")
t.type("\x03SELECT upper(", "upper(VARCHAR) -> VARCHAR")
t.type("\x03SELECT 1;\rSELECT * FROM tot\t", "FROM totals")
t.type(";\r", "│       1 │ 2 │")
t.type("DEFINE wanted = '2'; SELECT n AS num FROM totals WHERE auction = ${wanted};\r", "│ num │")
t.type("\x0cPRINT bids FROM BEGINNING LIMIT 2;\r", "rowtime: ")
t.expect("partition: 0\n\nbidsql> ")
t.type("\x0cPRINT 'bids' FROM BEGINNING;\r", r"^Key format: .*\nValue format: JSON.*\n(rowtime: .*\n){3}", "pattern")
t.type("\x03", "stopped")
t.type("\x0cPRINT nosuch;\r", "input:1:7: error: there is no topic 'nosuch'")
t.type("\x0cSELECT auction FROM bids EMIT CHANGES;\r", "│       2 │")
t.expect(r"^3 rows in, 3 rows out, \d+ rows/s  Ctrl-C ends it$", "pattern")
t.type("\x03", "stopped")
t.type("SELECT 'the shell lives' AS s;\r", "│ the shell lives │")
server.terminate()
server.wait(30)
t.type("SHOW STREAMS;\r", "cannot reach")
t.leave()
t = Terminal(environment={"NO_COLOR": "1"})

# Killed: the terminal has its modes again.
t.wait_for_keys()
before = termios.tcgetattr(t.main)[3] & termios.ECHO
t.process.send_signal(signal.SIGTERM)
t.process.wait(10)
check("SIGTERM", t.process.returncode == 128 + signal.SIGTERM, t.process.returncode)
check("a raw terminal is given back", not before and termios.tcgetattr(t.main)[3] & termios.ECHO, (before,))
sys.exit(failures != 0)
PY

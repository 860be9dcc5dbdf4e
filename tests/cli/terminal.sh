#!/bin/sh
# On a terminal: a box, colours, progress after a second, Ctrl-C. Away from one: none of these.
set -u
cd "$(dirname "$0")/../.."
exec python3 - <<'PY'
import os, pty, re, select, signal, subprocess, sys, time

failures = 0

def check(what, fine, shown):
    global failures
    if not fine:
        print(f"{what}: {shown!r}")
        failures += 1

def run(arguments, on_terminal=(1, 2), until=None, environment=None):
    """Runs with some of stdin, stdout, stderr on a terminal; `until`: text after which Ctrl-C is typed. Exit code, terminal's text, the rest's."""
    main, side = pty.openpty()
    ends = [side if number in on_terminal else subprocess.DEVNULL if number == 0 else subprocess.PIPE for number in (0, 1, 2)]
    process = subprocess.Popen([os.environ.get("BIDSQL", "./bidsql"), *arguments], stdin=ends[0], stdout=ends[1], stderr=ends[2], env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", **(environment or {})})
    os.close(side)
    text, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([main], [], [], 0.1)[0]:
            try:
                piece = os.read(main, 65536)
            except OSError: # the other end is closed
                break
            text += piece
            if until and until in text:
                process.send_signal(signal.SIGINT)
                until = None
        elif process.poll() is not None:
            break
    out, err = (process.stdout.read() if process.stdout else b""), (process.stderr.read() if process.stderr else b"")
    os.close(main)
    return process.wait(30), text.replace(b"\r\n", b"\n").decode(), out.decode(), err.decode()

# Box on a terminal, jsonl elsewhere; -o goes before both.
code, text, _, _ = run(["-c", "SELECT 1 AS a"])
check("a terminal shows a box", code == 0 and text == "┌───┐\n│ a │\n├───┤\n│ 1 │\n└───┘\n1 row\n\n", text)
code, text, _, _ = run(["-c", "SELECT 1 AS a"], environment={"LC_ALL": "C"})
check("a terminal without UTF-8", code == 0 and text.startswith("+---+\n| a |\n"), text)
code, text, out, _ = run(["-c", "SELECT 1 AS a"], on_terminal=(2,))
check("a pipe gets jsonl", code == 0 and text == "" and out == '{"a":1}\n', (text, out))
code, text, _, _ = run(["-o", "csv", "-c", "SELECT 1 AS a"])
check("-o on a terminal", text == "a\n1\n", text)

# Colours
code, text, _, _ = run(["-c", "SELECT x"])
check("errors are coloured", code == 3 and "\x1b[1;31merror:" in text, text)
code, text, _, _ = run(["-c", "SELECT x"], environment={"NO_COLOR": "1"})
check("NO_COLOR", code == 3 and "\x1b" not in text, text)
code, text, _, err = run(["-c", "SELECT x"], on_terminal=())
check("no colours in a file", code == 3 and "\x1b" not in err and "error:" in err, err)

# Progress: after a second, with the share and the time left where the end is known, and it leaves nothing behind.
# A paced generator makes the second, whatever the machine.
paced = "CREATE STREAM g (a BIGINT) WITH (connector = 'datagen', rows = 300, rows_per_second = 150); SELECT COUNT(*) AS n FROM g"
code, text, out, _ = run(["-c", paced], on_terminal=(2,))
lines = re.findall(r"(\d+) %  (\d+) rows of 300 rows  (\d+) rows/s  (\d+) s left", text)
check("progress", code == 0 and len(lines) >= 2 and int(lines[0][0]) >= 45, text)
check("progress comes up", [int(line[0]) for line in lines] == sorted(int(line[0]) for line in lines), text)
check("progress is wiped away", text.endswith("\r\x1b[K"), text)
check("progress is not among the rows", out == '{"n":300}\n', out)
code, text, _, _ = run(["--progress", "off", "-c", paced.replace("300", "200")], on_terminal=(2,))
check("--progress off", "rows/s" not in text, text)
code, _, _, err = run(["-c", paced.replace("300", "200")], on_terminal=())
check("no progress in a file", "rows/s" not in err, err)
code, _, _, err = run(["--progress", "on", "-c", paced], on_terminal=())
check("--progress on", "rows/s" in err, err)
quick = paced.replace("300", "30")
code, text, _, _ = run(["-c", quick], on_terminal=(2,))
check("nothing within a second", code == 0 and "rows/s" not in text, text)
# two jobs of a script, each shorter than a second
code, text, _, _ = run(["-c", "".join(quick.replace(" g", f" g{i}").replace("rows = 30", "rows = 60") + ";" for i in (1, 2, 3))], on_terminal=(2,))
check("each job has a second of its own", code == 0 and "rows/s" not in text, text)

# Ctrl-C: what was shown stays, the frame is closed.
endless = "CREATE STREAM g (a BIGINT) WITH (connector = 'datagen', rows_per_second = 100, 'fields.a.kind' = 'sequence'); SELECT a FROM g"
code, text, _, _ = run(["-c", endless], until="│ 0 │".encode())
check("Ctrl-C", code == 130 and "└───" in text and "interrupted" in text, (code, text))
sys.exit(failures != 0)
PY

"""A server for a test: started on a free port, its log read, stopped."""
import atexit, json, os, shutil, signal, subprocess, sys, tempfile, threading, time, urllib.error, urllib.request

program = os.path.abspath(os.environ.get("BIDSQL", "./bidsql"))
folder = tempfile.mkdtemp()
failures = 0


def check(what, fine, shown=""):
    global failures
    if not fine:
        failures += 1
        print(f"{what}: {str(shown)[:1500]}")


def until(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.002)
    check(what, False, "it never came true")
    return False


def finish():
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(failures != 0)


class Server:
    def __init__(self, *arguments, **environment):
        self.process = subprocess.Popen([program, "server", "--listen", "127.0.0.1:0", "--log", "json", *arguments], stderr=subprocess.PIPE, cwd=folder,
            env={**os.environ, **environment})
        atexit.register(self.process.kill) # also where the test itself fails
        self.log, self.url = [], None
        for line in self.process.stderr:
            self.log.append(line)
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if entry.get("msg") == "listening":
                self.url = entry["url"]
                break
        if not self.url:
            raise SystemExit(f"the server did not start: {b''.join(self.log).decode()}")
        self.port = int(self.url.rsplit(":", 1)[1])
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def ask(self, method, path, body=None, **headers):
        """(status, text, headers)"""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def sql(self, text, **more):
        status, answer, _ = self.ask("POST", "/v1/statements", {"sql": text, **more})
        return status, json.loads(answer)

    def resident(self):
        """bytes of memory that the process holds"""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def cpu(self):
        """seconds of CPU that it has taken"""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.reader.join(10)
        return code

#!/bin/sh
# http/ with real clients: curl and h2load over HTTP/1.1, HTTP/2 and TLS, websocket-client, and raw sockets for what no honest client sends.
set -u
cd "$(dirname "$0")/../.."
exec /usr/bin/python3 -W ignore::DeprecationWarning - "${B:-build}/http_server" <<'PY'
import os, random, select, socket, ssl, subprocess, sys, tempfile, threading, time
import websocket

failures = 0
program = sys.argv[1]
folder = tempfile.mkdtemp()

def check(what, fine, shown=""):
    global failures
    if not fine:
        failures += 1
        print(f"{what}: {str(shown)[:600]}")

class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
    def stop(self):
        out, err = self.process.communicate(timeout=30)
        check("the server ends well", self.process.returncode == 0 and not err, (self.process.returncode, err))
        return out.decode()

def curl(server, path, *options, scheme="http"):
    done = subprocess.run(["curl", "-s", "-m", "20", *options, f"{scheme}://127.0.0.1:{server.port}{path}"], capture_output=True)
    return done.returncode, done.stdout

def raw(server, data, wait=5, end=False):
    """Everything that comes until the server closes, or nothing comes for `wait` seconds."""
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        s.settimeout(wait)
        out = b""
        try:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
            while True:
                piece = s.recv(65536)
                if not piece:
                    return out, True
                out += piece
        except socket.timeout:
            return out, False
        except ConnectionError:
            return out, True

server = Server()

# The same answers over both versions.
for version in (["--http1.1"], ["--http2-prior-knowledge"], ["--http1.0"]):
    code, out = curl(server, "/about?q=a%20b%26c", *version)
    check(f"query {version}", code == 0 and b"q=a b&c" in out and (b"http2=1" in out) == ("2" in version[0]), out)
    body = os.urandom(90000)
    code, out = curl(server, "/echo", *version, "--data-binary", "@/dev/stdin") if False else (lambda d: (d.returncode, d.stdout))(
        subprocess.run(["curl", "-s", "-m", "20", *version, "--data-binary", "@-", f"http://127.0.0.1:{server.port}/echo"], input=body, capture_output=True))
    check(f"a body comes back {version}", out == body, (code, len(out)))
    code, out = curl(server, "/missing", *version, "-w", "%{http_code}")
    check(f"404 {version}", out.endswith(b"404"), out)
    code, out = curl(server, "/about", *version, "-I", "-w", "%{size_download}")
    check(f"HEAD {version}", code == 0 and out.endswith(b"0"), out)
    code, out = curl(server, "/rows?n=50000", *version)
    check(f"many rows {version}", code == 0 and out.count(b"\n") == 50000 and b'{"row":49999,' in out, (code, len(out)))
    code, out = curl(server, "/abort", *version)
    check(f"an answer that is given up is seen to be cut {version}", code != 0 or version == ["--http1.0"], (code, out))

# Bodies of unknown length come in pieces, both ways.
for version in (["--http1.1"], ["--http2-prior-knowledge"]):
    done = subprocess.run(["curl", "-s", "-m", "20", *version, "-X", "POST", "-T", "-", f"http://127.0.0.1:{server.port}/pieces"], input=b"x" * 300000, capture_output=True)
    check(f"pieces {version}", done.stdout == b"x" * 300000, (done.returncode, len(done.stdout)))
    code, out = curl(server, "/echo", *version, "--data-binary", "y" * 100001, "-w", " %{http_code}")
    check(f"too large {version}", out.endswith(b" 413"), out)
    code, out = curl(server, "/refused", *version, "--data-binary", "y" * 5000, "-w", " %{http_code}")
    check(f"refused before its body {version}", out == b"no 403", out)
check("a header's value cannot end its line", b"\nx-evil" not in raw(server, b"GET /split HTTP/1.0\r\n\r\n")[0].lower())

# Requests that follow each other on one connection, sent at once.
out, closed = raw(server, b"GET /about?q=1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /about?q=3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
check("pipelining", closed and out.index(b"q=1") < out.index(b"abc") < out.index(b"q=3"), out)
out, closed = raw(server, b"GET /about HTTP/1.1\r\nHost: h\r\n\r\n", end=True)
check("a peer that ends its side still gets its answer", b"200 OK" in out and closed, out)

# What different servers could read in different ways, and what is no HTTP.
for name, request, status in [
    ("two lengths", b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", b"400"),
    ("length and chunks", b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", b"400"),
    ("two codings", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"400"),
    ("a coding twice", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    ("a coding of another name", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", b"400"),
    ("a coding before a colon with space", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", b"400"),
    ("a coding on the next line", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", b"400"),
    ("chunks in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    ("a chunk that does not end", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n", b"400"),
    ("a chunk's line that ends otherwise", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", b"400"),
    ("..behind its size", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a\n\r\nabc\r\n0\r\n\r\n", b"400"),
    ("a size of none", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", b"400"),
    ("a size with a sign", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", b"400"),
    ("a size with a space", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", b"400"),
    ("a size that is too large", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000003\r\nabc\r\n0\r\n\r\n", b"400"),
    ("the last line otherwise", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\n\r\n", b"400"),
    ("a line that goes on", b"GET / HTTP/1.1\r\nHost: h\r\n\tX: b\r\n\r\n", b"400"),
    ("lines that end otherwise", b"GET / HTTP/1.1\nHost: h\n\n", b"400"),
    ("a length with a sign", b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc", b"400"),
    ("lengths in a list", b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc", b"400"),
    ("another version", b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", b"400"),
    ("a proxy's method", b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", b"400"),
    ("a WebSocket with a body", b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nContent-Length: 3\r\n\r\nabc", b"400"),
    ("nonsense", b"hello there\r\n\r\n", b"400"),
    ("large headers", b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 40000 + b"\r\n\r\n", b"431"),
    ("many headers", b"GET / HTTP/1.1\r\nHost: h\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
    ("a long path", b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"431"),
]:
    out, closed = raw(server, request)
    check(name, out.startswith(b"HTTP/1.1 " + status) and closed, (out[:200], closed))

out, closed = raw(server, b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=\"b\";c\r\nabc\r\n0A\r\n0123456789\r\n0\r\nx: y\r\nz: \r\n\r\nGET /about HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
check("chunks with all that they may have", b"\r\n\r\nabc0123456789HTTP/1.1 200" in out and b"q=-" in out and closed, out)
# ..and none of that where a request comes byte by byte.
with socket.create_connection(("127.0.0.1", server.port)) as s:
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(5)
    for byte in b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n\r\nPOST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n \n\t \nxGET /about HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n":
        s.send(bytes([byte]))
    out = b""
    while piece := s.recv(65536):
        out += piece
check("byte by byte", b"\r\n\r\nabcHTTP" in out and b"\r\n\r\n \n\t \nxHTTP/1.1 200" in out and b"q=-" in out, out)

# Slow peers are let go; one that only listens to a stream is not.
start = time.monotonic()
out, closed = raw(server, b"GET /about HTT")
check("headers that do not end", closed and not out and time.monotonic() - start < 4, out)
out, closed = raw(server, b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
check("a body that does not end", closed, out)
out, closed = raw(server, b"GET /about HTTP/1.1\r\nHost: h\r\n\r\n")
check("an idle connection", closed and b"200 OK" in out, out)
out, closed = raw(server, b"GET /never HTTP/1.1\r\nHost: h\r\n\r\n", wait=3)
check("a stream without rows stays", not closed and b"chunked" in out, out)

# Bodies that have begun take bounded memory together: each may be that large, but not all at once.
begun = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(7)]
for s in begun:
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n" + b"x" * 99999)
answered, deadline = [], time.monotonic() + 20
while len(answered) < 2 and time.monotonic() < deadline:
    answered = select.select(begun, [], [], 1)[0]
check("bodies together are bounded", [s.recv(12) for s in answered] == [b"HTTP/1.1 503"] * 2, answered)
for s in begun:
    if s not in answered:
        s.sendall(b"x")
        check("who was there first goes on", s.recv(12) == b"HTTP/1.1 200")
    s.close()
body = subprocess.run(["curl", "-s", "-m", "20", "--data-binary", "@-", f"http://127.0.0.1:{server.port}/echo"], input=b"y" * 90000, capture_output=True).stdout
check("what they took is given back", body == b"y" * 90000, len(body))

# A peer that takes nothing holds up its own rows, in bounded memory; it is let go in the end.
before = server.process.pid
with socket.create_connection(("127.0.0.1", server.port)) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(b"GET /rows?n=2000000 HTTP/1.1\r\nHost: h\r\n\r\n")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and b"streams=1" not in curl(server, "/counts")[1]:
        time.sleep(0.02)
    while time.monotonic() < deadline and b"streams=0" not in curl(server, "/counts")[1]:
        time.sleep(0.05)
counts = curl(server, "/counts")[1].decode()
check("a slow reader is let go", "streams=0" in counts, counts)
check("what waits for it is bounded", int(counts.split("most=")[1]) < 2 << 20, counts)
rss = int([line for line in open(f"/proc/{before}/status") if line.startswith("VmRSS")][0].split()[1])
check("memory is flat", rss < (400000 if "san" in program else 60000), rss)

# Others are answered meanwhile: a peer that goes away in the middle of its rows is noticed.
s = socket.create_connection(("127.0.0.1", server.port))
s.sendall(b"GET /never HTTP/1.1\r\nHost: h\r\n\r\n")
s.recv(4096)
gone = int(curl(server, "/counts")[1].split(b"gone=")[1].split()[0])
s.close()
deadline = time.monotonic() + 10
while time.monotonic() < deadline and int(curl(server, "/counts")[1].split(b"gone=")[1].split()[0]) < gone + 2:
    pass
check("a peer that goes is noticed", int(curl(server, "/counts")[1].split(b"gone=")[1].split()[0]) >= gone + 2)

# WebSocket.
ws = websocket.create_connection(f"ws://127.0.0.1:{server.port}/ws", timeout=10)
check("welcome", ws.recv() == "welcome")
ws.send("héllo")
check("text", ws.recv() == "héllo")
ws.send_binary(b"\0\1\2" * 30000)
check("bytes", ws.recv() == b"\0\1\2" * 30000)
ws.ping("p")
ws.send("bye")
opcode, frame = ws.recv_data()
check("closed with a code", opcode == websocket.ABNF.OPCODE_CLOSE and frame == b"\x03\xe8as you wish", (opcode, frame))
ws.close()
ws = websocket.create_connection(f"ws://127.0.0.1:{server.port}/ws", timeout=10)
ws.recv()
ws.send("x" * ((1 << 20) + 1))
opcode, frame = ws.recv_data()
check("a message that is too large", opcode == websocket.ABNF.OPCODE_CLOSE and frame[:2] == b"\x03\xf1", (opcode, frame))

# HTTP/2, frame by frame: floods of what costs the peer little. The connection ends or goes on; memory is flat, and others are answered.
def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
def http2(settings=b""):
    s = socket.create_connection(("127.0.0.1", server.port))
    s.settimeout(5)
    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, settings))
    return s
def get(stream, path, more=b""):
    return frame(1, 5, stream, b"\x82\x86\x44" + bytes([len(path)]) + path + b"\x41\x01h" + more)
def flood(name, s, pieces, wait=0):
    """Sends, and drops what comes, until all is sent or the peer ends it, for which it waits so long."""
    s.setblocking(False)
    ended = False
    for data in pieces:
        while data and not ended:
            readable, writable, _ = select.select([s], [s], [], 5)
            try:
                if readable:
                    ended = not s.recv(65536)
                if writable:
                    data = data[s.send(data):]
            except BlockingIOError:
                pass
            except OSError:
                ended = True
    while wait and not ended and select.select([s], [], [], wait)[0]:
        try:
            ended = not s.recv(65536)
        except OSError:
            ended = True
    s.close()
    rss = int([line for line in open(f"/proc/{server.process.pid}/status") if line.startswith("VmRSS")][0].split()[1])
    check(f"{name}: memory is flat", rss < (400000 if "san" in program else 90000), rss)
    check(f"{name}: others are answered", b"q=-" in curl(server, "/about")[1])
    return ended
resets = (b"".join(get(n, b"/about") + frame(3, 0, n, b"\0\0\0\x08") for n in range(first, first + 1000, 2)) for first in range(1, 40001, 1000))
check("streams that are begun and reset (CVE-2023-44487) end the connection", flood("resets", http2(), resets, wait=10))
s = http2()
s.sendall(frame(1, 0, 1, b"\x82\x86\x44\x06/about\x41\x01h")) # its headers do not end
check("headers that never end (CVE-2024-28182), too", flood("continuations", s, (frame(9, 0, 1, b"\x00\x01a\x01b" * 100) * 20 for _ in range(200)), wait=10))
for name, one in (("settings", frame(4, 0, 0)), ("pings", frame(6, 0, 0, b"12345678")), ("priorities", frame(2, 0, 1, b"\0\0\0\0\x10")), ("windows", frame(8, 0, 1, b"\0\0\0\1"))):
    flood(name, http2(), (one * 1000 for _ in range(100)))
flood("empty data", http2(), [frame(1, 4, 1, b"\x83\x86\x44\x05/echo\x41\x01h"), *(frame(0, 0, 1) * 1000 for _ in range(100))])
flood("a long list of settings", http2(), [frame(4, 0, 0, b"\0\4\0\0\xff\xff" * 2000) for _ in range(50)])
s = http2()
s.sendall(get(1, b"/about", b"\x00\x04host\x05other"))
out = b""
while (piece := s.recv(65536)) and b"ambiguous" not in out:
    out += piece
    if b"ambiguous" in out:
        break
check("two hosts over HTTP/2", b"ambiguous" in out, out)
s.close()
# A stream whose window the peer never opens is given up, its connection goes on.
s = http2(b"\0\4\0\0\0\0")
s.sendall(get(1, b"/rows?n=90000"))
deadline = time.monotonic() + 20
while time.monotonic() < deadline and b"streams=1" not in curl(server, "/counts")[1]:
    time.sleep(0.02)
while time.monotonic() < deadline and b"streams=0" not in curl(server, "/counts")[1]:
    time.sleep(0.05)
check("a window that is never opened", b"streams=0" in curl(server, "/counts")[1])
s.sendall(frame(6, 0, 0, b"12345678"))
out = b""
while b"12345678" not in out and (piece := s.recv(65536)):
    out += piece
check("its connection goes on", b"12345678" in out)
s.close()
# WebSocket: pings that are answered and never read, empty pieces of a message that does not end.
def open_websocket():
    s = socket.create_connection(("127.0.0.1", server.port))
    s.settimeout(5)
    s.sendall(b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    s.recv(1000)
    return s
flood("pings of a WebSocket", open_websocket(), ((b"\x89\xfd\0\0\0\0" + b"x" * 125) * 500 for _ in range(100)))
flood("pieces of a message", open_websocket(), [b"\x01\x80\0\0\0\0", *(b"\x00\x80\0\0\0\0" * 5000 for _ in range(100))])

# Any bytes.
random.seed(int(os.environ.get("SEED", "1")))
seeds = [b"GET /about HTTP/1.1\r\nHost: h\r\n\r\n", b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000") + bytes.fromhex("00000401050000000182848641"), b"\x16\x03\x01\x02\x00"]
for _ in range(int(os.environ.get("FUZZ", "400"))):
    data = bytearray(random.choice(seeds) * random.randint(1, 3))
    for _ in range(random.randint(0, 8)):
        data[random.randrange(len(data))] = random.randrange(256)
    if random.random() < 0.3:
        data += os.urandom(random.randint(0, 3000))
    raw(server, bytes(data), wait=0.005)
check("it still answers", b"q=-" in curl(server, "/about")[1])

# Many at once.
done = subprocess.run(["h2load", "-n", "20000", "-c", "20", "-m", "20", f"http://127.0.0.1:{server.port}/about"], capture_output=True, text=True)
check("h2load", "20000 succeeded" in done.stdout, done.stdout)
connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(310)]
refused = 0
for s in connections:
    s.settimeout(2)
    try:
        s.sendall(b"GET /about HTTP/1.1\r\nHost: h\r\n\r\n")
        refused += not s.recv(100)
    except ConnectionError:
        refused += 1
for s in connections:
    s.close()
check("no more connections than asked for", 10 <= refused < 60, refused)

# Draining: what has begun goes on, nothing new begins.
slow = subprocess.Popen(["curl", "-s", "-m", "20", "--limit-rate", "8M", f"http://127.0.0.1:{server.port}/rows?n=60000"], stdout=subprocess.PIPE)
first = slow.stdout.read(1000)
server.process.stdin.write(b"d")
server.process.stdin.flush()
rest = slow.stdout.read()
check("draining ends nothing in the middle", (first + rest).count(b"\n") == 60000, len(rest))
code, _ = curl(server, "/about")
check("nothing new begins", code != 0, code)
check("every exchange has its end", "streams=0" in server.stop())

# TLS, by ALPN.
key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
    "subjectAltName=IP:127.0.0.1"], capture_output=True, check=True)
server = Server(certificate, key)
for version, expected in (["--http1.1", b"http2=0"], ["--http2", b"http2=1"]):
    code, out = curl(server, "/about", version, "--cacert", certificate, scheme="https")
    check(f"TLS {version}", code == 0 and expected in out and b"tls=1" in out, (code, out))
    code, out = curl(server, "/rows?n=50000", version, "--cacert", certificate, scheme="https")
    check(f"rows over TLS {version}", out.count(b"\n") == 50000, (code, len(out)))
done = subprocess.run(["curl", "-s", "-m", "20", "--http2", "--cacert", certificate, "--data-binary", "@-", f"https://127.0.0.1:{server.port}/echo"], input=b"z" * 90000, capture_output=True)
check("a body over TLS", done.stdout == b"z" * 90000, done.returncode)
context = ssl.create_default_context(cafile=certificate)
context.maximum_version = ssl.TLSVersion.TLSv1_1 if hasattr(ssl.TLSVersion, "TLSv1_1") else None
try:
    context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", server.port)) as s, context.wrap_socket(s, server_hostname="127.0.0.1"):
        check("TLS 1.1 is refused", False)
except (ssl.SSLError, ConnectionError, ValueError):
    pass
out, closed = raw(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
check("cleartext on the TLS port", closed, out)
ws = websocket.create_connection(f"wss://127.0.0.1:{server.port}/ws", timeout=10, sslopt={"ca_certs": certificate})
check("WebSocket over TLS", ws.recv() == "welcome")
ws.close()
server.stop()

done = subprocess.run([program, key, certificate], stdin=subprocess.DEVNULL, capture_output=True, text=True)
check("a wrong certificate is said", done.returncode == 1 and "certificate" in done.stderr, done)
sys.exit(failures != 0)
PY

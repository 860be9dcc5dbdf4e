#!/usr/bin/env python3
"""A schema registry for tests: Confluent's REST API as far as clients use it, in memory. Judged by Confluent's own client: judges.py.

server.py PORT_FILE [--user=NAME:PASSWORD] [--token=TOKEN] [--certificate=PEM] [--strict=yes]   prints nothing, writes its port into PORT_FILE, ends with its standard input

--strict=yes: a JSON Schema has to look like one, as Apicurio has it: it says its dialect ("$schema") or has properties.

POST /test/away?requests=N   the next N requests get no answer: their connections are closed
POST /test/busy?requests=N   the next N requests are answered 503
GET  /test/log               the requests so far, one a line
"""
import base64, json, re, ssl, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

try:  # Avro's own check of what readers can read; without it everything is compatible
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
    from avro.schema import parse as parse_avro
except ImportError:
    parse_avro = None


class Registry:
    def __init__(self):
        self.lock = threading.Lock()
        self.ids = {}        # number -> schema
        self.subjects = {}   # name -> [number of version 1, ..]
        self.away = self.busy = 0
        self.log = []

    def find(self, schema):
        return next((number for number, known in self.ids.items() if known == schema), None)


registry = Registry()
options = {}


class Refusal(Exception):
    def __init__(self, status, code, message):
        self.status, self.body = status, {"error_code": code, "message": message}


def no_subject(name):
    return Refusal(404, 40401, f"Subject '{name}' not found.")


def check(subject, schema):
    if schema["schemaType"] == "AVRO":
        try:
            json.loads(schema["schema"])
        except ValueError:
            raise Refusal(422, 42201, "Invalid schema: it is not JSON")
    if schema["schemaType"] == "JSON" and "strict" in options and not {"$schema", "properties"} & set(json.loads(schema["schema"])):
        raise Refusal(422, 42201, "Failed to discover artifact type from content.")
    numbers = registry.subjects.get(subject)
    if not numbers or schema["schemaType"] != "AVRO" or not parse_avro or schema["references"]:
        return
    writer, reader = parse_avro(registry.ids[numbers[-1]]["schema"]), parse_avro(schema["schema"])
    result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)
    if result.compatibility != SchemaCompatibilityType.compatible:
        raise Refusal(409, 409, "Schema being registered is incompatible with an earlier schema for subject \"%s\": %s" % (subject, "; ".join(sorted(result.messages))))


def answer_of(number, subject=None, version=None):
    schema = registry.ids[number]
    answer = {"schema": schema["schema"]}
    if schema["schemaType"] != "AVRO":
        answer["schemaType"] = schema["schemaType"]
    if schema["references"]:
        answer["references"] = schema["references"]
    if subject:
        answer.update(subject=subject, version=version, id=number)
    return answer


def version_of(subject, text):
    numbers = registry.subjects.get(subject)
    if not numbers:
        raise no_subject(subject)
    version = len(numbers) if text in ("latest", "-1") else int(text)
    if not 1 <= version <= len(numbers):
        raise Refusal(404, 40402, f"Version {text} not found.")
    return answer_of(numbers[version - 1], subject, version)


def register(subject, schema):
    number = registry.find(schema)
    if number is None or number not in registry.subjects.get(subject, []):
        check(subject, schema)
        if number is None:
            number = max(registry.ids, default=0) + 1
            registry.ids[number] = schema
        registry.subjects.setdefault(subject, []).append(number)
    return {"id": number}


def normalized(schema):
    text = schema["schema"]
    return " ".join(text.split()) if schema["schemaType"] == "PROTOBUF" else json.loads(text), schema["schemaType"]


def lookup(subject, schema, normalize):
    if subject not in registry.subjects:
        raise no_subject(subject)
    number = registry.find(schema)
    if normalize:
        number = next((known for known in registry.subjects[subject] if normalized(registry.ids[known]) == normalized(schema)), None)
    if number not in registry.subjects[subject]:
        raise Refusal(404, 40403, "Schema not found")
    return answer_of(number, subject, registry.subjects[subject].index(number) + 1)


def by_id(number):
    if number not in registry.ids:
        raise Refusal(404, 40403, f"Schema {number} not found")
    return answer_of(number)


def versions_of_id(number):
    by_id(number)
    return [{"subject": name, "version": numbers.index(number) + 1} for name, numbers in registry.subjects.items() if number in numbers]


def versions(subject):
    if subject not in registry.subjects:
        raise no_subject(subject)
    return list(range(1, len(registry.subjects[subject]) + 1))


def forget(subject):
    result = versions(subject)
    del registry.subjects[subject]
    return result


ROUTES = [
    ("GET", r"/schemas/ids/(\d+)", lambda body, number: by_id(int(number))),
    ("GET", r"/schemas/ids/(\d+)/versions", lambda body, number: versions_of_id(int(number))),
    ("GET", r"/subjects", lambda body: list(registry.subjects)),
    ("GET", r"/subjects/([^/]+)/versions", lambda body, subject: versions(subject)),
    ("GET", r"/subjects/([^/]+)/versions/([^/]+)", lambda body, subject, version: version_of(subject, version)),
    ("POST", r"/subjects/([^/]+)/versions", lambda body, subject: register(subject, body)),
    ("POST", r"/subjects/([^/]+)", lambda body, subject: lookup(subject, body, body.pop("normalize"))),
    ("DELETE", r"/subjects/([^/]+)", lambda body, subject: forget(subject)),
    ("GET", r"/config/?([^/]*)", lambda body, subject: {"compatibilityLevel": "BACKWARD"}),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def allowed(self):
        header = self.headers.get("Authorization", "")
        if "user" in options:
            return header == "Basic " + base64.b64encode(options["user"].encode()).decode()
        return header == "Bearer " + options["token"] if "token" in options else True

    def test_door(self, url):
        with registry.lock:
            if url.path == "/test/log":
                return self.answer(200, "".join(line + "\n" for line in registry.log))
            setattr(registry, url.path.rsplit("/", 1)[1], int(parse_qs(url.query)["requests"][0]))
        self.answer(200, {})

    def handle_request(self):
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length) if length else b"{}"
        if url.path.startswith("/test/"):
            return self.test_door(url)
        with registry.lock:
            registry.log.append(f"{self.command} {self.path}")
            if registry.away > 0:
                registry.away -= 1
                self.close_connection = True
                return self.connection.shutdown(2)
            if registry.busy > 0:
                registry.busy -= 1
                return self.answer(503, {"error_code": 50301, "message": "busy"})
            if not self.allowed():
                return self.answer(401, {"error_code": 401, "message": "Unauthorized"})
            try:
                self.answer(200, self.route(url, json.loads(text)))
            except Refusal as refusal:
                self.answer(refusal.status, refusal.body)

    def route(self, url, body):
        if "schema" in body:
            body = {"schema": body["schema"], "schemaType": body.get("schemaType") or "AVRO", "references": [dict(name=r["name"], subject=r["subject"], version=r["version"]) for r in body.get("references") or []]}
            if self.command == "POST" and not url.path.endswith("/versions"):
                body["normalize"] = parse_qs(url.query).get("normalize") == ["true"]
        for method, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, url.path)
            if found and method == self.command:
                return answer(body, *(unquote(group) for group in found.groups()))
        raise Refusal(404, 404, "HTTP 404 Not Found")

    do_GET = do_POST = do_DELETE = do_PUT = handle_request


def main():
    for argument in sys.argv[2:]:
        name, value = argument.lstrip("-").split("=", 1)
        options[name] = value
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if "certificate" in options:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["certificate"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(sys.argv[1] + ".part", "w") as out:
        out.write(str(server.server_port))
    import os
    os.rename(sys.argv[1] + ".part", sys.argv[1])
    sys.stdin.read()


main()

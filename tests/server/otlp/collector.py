"""A collector of OpenTelemetry for tests: takes traces over OTLP/HTTP and decodes them by the official definitions (the package opentelemetry-proto)."""
import base64, gzip, http.server, json, threading
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

# By the conventions (semconv) and the specification.
KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


class Span:
    def __init__(self, span, resource, scope):
        self.name, self.kind, self.resource, self.scope, self.raw = span.name, KINDS[span.kind], resource, scope, span
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.attributes = values(span.attributes)
        self.start, self.end = span.start_time_unix_nano, span.end_time_unix_nano
        self.failed, self.message = span.status.code == 2, span.status.message

    def __repr__(self):
        return f"{self.name}({self.trace[:6]}/{self.parent[:6]}->{self.id[:6]} {self.attributes}{' FAILED ' + self.message if self.failed else ''})"


def values(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def from_json(text):
    """OTLP's JSON has identifiers as hexadecimal texts, where the mapping of Protocol Buffers has base64."""
    def ids(tree):
        if isinstance(tree, dict):
            return {key: base64.b64encode(bytes.fromhex(value)).decode() if key in ("traceId", "spanId", "parentSpanId") else ids(value) for key, value in tree.items()}
        return [ids(one) for one in tree] if isinstance(tree, list) else tree
    return json_format.Parse(json.dumps(ids(json.loads(text))), trace_service_pb2.ExportTraceServiceRequest())


class Collector:
    """answers: what the next requests get, (status, headers, body) each; then 200."""
    def __init__(self, answers=()):
        self.spans, self.requests, self.bodies, self.mistakes, self.answers = [], [], [], [], list(answers)
        self.changed = threading.Condition()
        self.held = threading.Event()
        self.held.set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                collector.take(self)

            def log_message(self, *arguments):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.changed:
            self.requests.append((handler.path, dict(handler.headers)))
            self.bodies.append(body)
            status, headers, answer = self.answers.pop(0) if self.answers else (200, {}, b"")
            self.changed.notify_all()
        self.held.wait(60)
        try:
            if status == 200:
                self.keep(handler.headers, body)
        except Exception as mistake:
            self.mistakes.append(repr(mistake))
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer)))
            handler.end_headers()
            handler.wfile.write(answer)
        except OSError:
            pass

    def keep(self, headers, body):
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if headers["Content-Type"] == "application/json":
            request = from_json(body)
        else:
            request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        with self.changed:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += [Span(span, values(resource.resource.attributes), scope.scope) for span in scope.spans]
            self.changed.notify_all()

    def wait(self, condition, seconds=30):
        """Until the condition holds over the spans; its last value."""
        with self.changed:
            self.changed.wait_for(lambda: condition(self.spans), seconds)
            return condition(self.spans)

    def wait_requests(self, count, seconds=30):
        with self.changed:
            self.changed.wait_for(lambda: len(self.requests) >= count, seconds)
            return len(self.requests) >= count

    def named(self, name):
        with self.changed:
            return [span for span in self.spans if span.name == name]

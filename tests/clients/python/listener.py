"""A small HTTP server that stands in for an app: it keeps what it is sent, and answers as it is told."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from claims import eventually


@dataclass
class Received:
    """One request."""

    method: str
    path: str
    headers: dict
    body: str

    def form(self):
        """The body as a form of single values."""
        return {name: values[0] for name, values in parse_qs(self.body, keep_blank_values=True).items()}


class Listener:
    """The server, as a context manager. `answers` gives, by path, a function from request to (status, type, body)."""

    def __init__(self, **answers):
        self.received = []
        self.answers = answers
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def url(self, name):
        """The address of the answer of that name."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def wait(self, name, count=1):
        """The requests to that answer, once there are so many."""

        def enough():
            found = [request for request in self.received if request.path == f"/{name}"]
            return found if len(found) >= count else None

        return eventually(enough, f"request {count} to /{name} comes")


def _handler_of(listener):
    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Received(self.command, self.path, headers, self.rfile.read(length).decode())
            listener.received.append(request)
            status, media_type, body = listener.answers[self.path.strip("/")](request)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    return Handler


def ok(_):
    """The answer that says nothing."""
    return 200, "text/plain", ""

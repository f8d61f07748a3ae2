"""An HTTP server with fixed answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Answers", "answering"]

Answers = dict[tuple[str, str], tuple[int, object]]
"""Status and value of an answer by method and path; a value that can be called gets the headers, and returns both."""


@contextmanager
def answering(answers: Answers) -> Iterator[tuple[str, list[Any]]]:
    """Run the server; yield its host and port, and the list of requests: method, path, authorization, body."""
    requests: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            requests.append((self.command, self.path, self.headers.get("Authorization"), body and json.loads(body)))
            status, value = answers.get((self.command, self.path), (404, "unknown"))
            if callable(value):
                status, value = value(self.headers)
            text = value if isinstance(value, str) else json.dumps(value)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}", requests
        finally:
            server.shutdown()

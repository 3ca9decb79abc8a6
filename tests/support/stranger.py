"""Another program that listens on a port, as one that took a dead server's port would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[str, int], tuple[int, bytes]]
"""A request's path and the port -> the status and the body."""


class Stranger(ThreadingHTTPServer):
    """``heard``: the headers of every request, as text."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.heard = answer, list[str]()

    def was_sent(self, *words: str) -> bool:
        """Whether one of the words was in a request's headers."""
        return any(word in headers for headers in self.heard for word in words)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stranger

    def do_GET(self) -> None:
        self.server.heard.append(str(self.headers))
        status, body = self.server.answer(self.path, self.server.server_port)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def stranger_on_port(answer: Answer) -> Iterator[Stranger]:
    """One that runs until the block is left."""
    with Stranger(answer) as stranger:
        thread = threading.Thread(target=stranger.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield stranger
        finally:
            stranger.shutdown()
            thread.join()

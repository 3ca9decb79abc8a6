"""A real HTTP server on this machine that serves one file, well or badly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIZE = 700_000
EMPTY = {"Content-Length": "0"}


@dataclass
class Reply:
    """How one request is answered; ``after`` bytes the connection ends or ``stall`` begins.

    ``lie``: added to the length; ``shift``: to where the range begins; ``drip``: so many bytes
    come one by one first.
    """

    status: int = 0
    after: int | None = None
    stall: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    ignore_range: bool = False
    lie: int = 0
    chunked: bool = False
    shift: int = 0
    drip: int = 0


@dataclass
class Shelf:
    """``replies``: for the first requests, one after the other; then all goes well."""

    content: bytes
    etag: str = '"one"'
    replies: list[Reply] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_GET(self) -> None:
        shelf = self.shelf
        place = len(shelf.asked)
        asked = self.headers.get("Range", "")
        shelf.asked.append((self.path, asked, self.headers.get("If-Range", "")))
        shelf.before()
        reply = shelf.replies[place] if place < len(shelf.replies) else Reply()
        current = self.headers.get("If-Range", shelf.etag) == shelf.etag
        begin = int(asked[6:-1]) if asked and current and not reply.ignore_range else 0
        if begin >= len(shelf.content):
            self.answer(416, {"Content-Range": f"bytes */{len(shelf.content)}"} | EMPTY)
        elif reply.status:
            self.answer(reply.status, EMPTY | reply.headers)
        else:
            self.send(begin, reply)

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, begin: int, reply: Reply) -> None:
        body, total = self.shelf.content[begin:], len(self.shelf.content)
        headers = {"Content-Length": str(len(body) + reply.lie)}
        if self.shelf.etag:
            headers["ETag"] = self.shelf.etag
        if reply.chunked:
            headers = {"Transfer-Encoding": "chunked"}
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        if begin:
            first = begin + reply.shift
            headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
        self.answer(206 if begin else 200, headers | reply.headers)
        for place in range(reply.drip):
            self.wfile.write(body[place : place + 1])
            time.sleep(0.02)
        self.wfile.write(body[reply.drip : reply.after])
        self.wfile.flush()
        time.sleep(reply.stall)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(content: bytes, **more: object) -> Iterator[Shelf]:
    """Serve ``content`` under any path."""
    shelf = Shelf(content, **more)  # type: ignore[arg-type]
    handler = type("Bound", (Handler,), {"shelf": shelf, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""HTTP as an attacker writes it: byte by byte, over a plain socket."""

from __future__ import annotations

import json
import socket

from tests.support.serving import Server

Answer = tuple[int, dict[str, str], bytes]


def send(server: Server, request: bytes, host: str = "127.0.0.1") -> Answer:
    """Send the bytes of a request; gives status, headers (lower case) and body."""
    with socket.create_connection((host, server.port), timeout=20) as connection:
        connection.sendall(request)
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
    return parse(data)


def parse(data: bytes) -> Answer:
    """Status, headers (lower case) and body."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(lines[0].split()[1]), headers, body


def ask(
    server: Server,
    method: str = "GET",
    path: str = "/v1/health",
    body: bytes = b"",
    token: bool = True,
    **headers: str | None,
) -> Answer:
    """A request whose headers are exactly these; ``Host`` None leaves it out."""
    all_headers: dict[str, str | None] = {"Host": f"127.0.0.1:{server.port}"}
    if token:
        all_headers["Authorization"] = f"Bearer {server.token}"
    all_headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    if body:
        all_headers.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in all_headers.items() if value is not None]
    return send(server, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)


def code(answer: Answer) -> str:
    """The error code in an answer's body."""
    return str(json.loads(answer[2])["error"]["code"])

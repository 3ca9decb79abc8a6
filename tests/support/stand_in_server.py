"""A tiny server that keeps to docs/reference/http-api.md as far as the plug-in's client needs it.

It brightens the middle half of the layer inside the mask. ``behave`` makes it misbehave.
"""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from latentfu.protocol.server_address import make_proof

TOKEN = "standin-token"
GROUPS = {
    "face": ["smile", "age", "gender", "face_width", "chin", "cheeks"],
    "pose": ["yaw", "pitch", "roll"],
    "eyes": ["gaze", "glasses", "eye_open", "brows"],
    "hair": ["hair_length", "hair_color", "beard", "fringe", "curls"],
    "light": ["light_side", "light_height", "warmth"],
    "discovered": [f"direction_{n}" for n in range(8)],
}


class StandIn(ThreadingHTTPServer):
    """``behave``: "" or "fail", "die", "slow", "garbage"; ``seen``: method and path of requests."""

    daemon_threads = True

    def __init__(self, behave: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave
        self.previews: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.layers: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def write_address(self, home: Path) -> None:
        config = home / "config"
        config.mkdir(parents=True, exist_ok=True)
        address = {"host": "127.0.0.1", "port": self.server_address[1], "pid": os.getpid()}
        (config / "server.json").write_text(json.dumps(address))
        (config / "token").write_text(TOKEN + "\n")

    def wait_for(self, request: str, seconds: float = 20.0) -> None:
        """Wait until a request came that begins with ``request``, as ``DELETE /v1/jobs/``."""
        deadline = time.monotonic() + seconds
        while not any(line.startswith(request) for line in self.seen):
            assert time.monotonic() < deadline, f"no {request} among {self.seen}"
            time.sleep(0.01)

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/v1/proof?nonce="):
            nonce = self.path.partition("=")[2]
            proof = make_proof(TOKEN, nonce, self.server.server_address[1])
            return self._json(200, {"proof": proof})
        self.server.seen.append(f"{method} {self.path}")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._error(401, "unauthorized", "The token is missing or wrong.")
        parts = self.path.split("?")[0].strip("/").split("/")[1:]
        getattr(self, f"_{method.lower()}_{parts[0]}")(body, *parts[1:])

    def _get_health(self, body: bytes) -> None:
        worker = {"state": "ready", "device": "cpu", "message": ""}
        self._json(200, {"status": "ok", "version": "0", "pid": 1, "worker": worker})

    def _get_generators(self, body: bytes) -> None:
        generators = [
            {"name": name, "title": name.title(), "id": name * 8, "resolution": 64}
            for name in ("portraits", "others")
        ]
        self._json(200, {"generators": generators})

    def _get_inverters(self, body: bytes) -> None:
        inverters = [
            {"name": "w-plus", "title": "Careful", "description": "Optimization in w+."},
            {"name": "w", "title": "Quick", "description": "Optimization in w."},
        ]
        self._json(200, {"inverters": inverters})

    def _get_controls(self, body: bytes) -> None:
        controls = [
            {
                "name": name,
                "title": name.replace("_", " ").capitalize(),
                "plus": f"more {name}",
                "group": group,
                "kind": "direction",
                "minimum": -3.0,
                "maximum": 3.0,
                "unit": "standard deviations",
                "author": "",
            }
            for group, names in GROUPS.items()
            for name in names
        ]
        self._json(200, {"generator": "portraits", "controls": controls})

    def _get_layers(self, body: bytes, name: str) -> None:
        if name in self.server.layers:
            return self._reply(200, b"", "application/octet-stream")
        self._error(404, "not_found", "There is no such layer.")

    def _put_layers(self, body: bytes, name: str) -> None:
        self.server.layers[name] = body
        self._json(201, {})

    def _put_jobs(self, body: bytes, job: str) -> None:
        document = self.server.jobs[job] = json.loads(body)
        known = {name for names in GROUPS.values() for name in names}
        wrong = set(document.get("edits", {})) - known
        if document["generator"] not in (None, "portraits", "others"):
            wrong.add(document["generator"])
        if wrong:
            return self._error(404, "not_installed", f"There is no {min(wrong)} here.")
        self._json(201, {"id": job, "state": "queued"})

    def _get_jobs(self, body: bytes, job: str, what: str) -> None:
        if what == "result":
            return self._reply(200, self._edited(self.server.jobs[job]), "application/octet-stream")
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for n in range(50 if self.server.behave == "slow" else 3):
            state = {"id": job, "state": "running", "fraction": n / 10, "message": f"step {n}"}
            self._chunk(json.dumps(state).encode() + b"\n")
            self._chunk(b"\n")
            time.sleep(0.1 if self.server.behave == "slow" else 0.02)
        if self.server.behave == "die":
            self.close_connection = True
            return
        report = {"generator": "portraits", "inverter": "w-plus", "quad": [[0, 0]] * 4}
        end: dict[str, Any] = {"id": job, "state": "done", "fraction": 1.0, "report": report}
        if self.server.behave == "fail":
            end = {"id": job, "state": "failed", "error": {"code": "x", "message": "No face here."}}
        self._chunk(json.dumps(end).encode() + b"\n")
        self._chunk(b"")

    def _delete_jobs(self, body: bytes, job: str) -> None:
        self._json(200, {})

    def _put_previews(self, body: bytes, session: str) -> None:
        document = json.loads(body)
        self.server.previews.append(document)
        time.sleep(0.1)
        self._reply(200, _smaller(self._edited(document), document["side"]), "x/y")

    def _post_shutdown(self, body: bytes) -> None:
        self._json(200, {})

    def _edited(self, document: dict[str, Any]) -> bytes:
        if self.server.behave == "garbage":
            return b"LFPX and then nothing of use"
        body = self.server.layers[document["layer"]]
        channels, (width, height) = body[5], struct.unpack("<II", body[8:16])
        mask = self.server.layers[document["mask"]][16:] if document["mask"] else None
        strength = sum(document.get("edits", {}).values())
        step = int(strength * 20) + (40 if "source" in document else 0)
        pixels = bytearray(body)
        for y in range(height // 4, height * 3 // 4):
            for x in range(width // 4, width * 3 // 4):
                if mask is None or mask[y * width + x]:
                    for c in range(min(channels, 3)):
                        at = 16 + (y * width + x) * channels + c
                        pixels[at] = max(0, min(255, pixels[at] + step))
        return bytes(pixels)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n" if data else b"0\r\n\r\n")

    def _json(self, status: int, document: object) -> None:
        self._reply(status, json.dumps(document).encode(), "application/json")

    def _error(self, status: int, code: str, message: str) -> None:
        self._json(status, {"error": {"code": code, "message": message}})

    def _reply(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _smaller(body: bytes, side: int) -> bytes:
    channels, (width, height) = body[5], struct.unpack("<II", body[8:16])
    step = max(1, -(-max(width, height) // side))
    pixels = body[16:]
    out = bytearray()
    for y in range(0, height, step):
        row = pixels[y * width * channels : (y + 1) * width * channels]
        for x in range(0, width, step):
            out += row[x * channels : (x + 1) * channels]
    head = struct.pack("<4sBBHII", b"LFPX", 1, channels, 0, -(-width // step), -(-height // step))
    return head + bytes(out)

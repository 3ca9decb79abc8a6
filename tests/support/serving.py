"""A real server process with the stand-in editor, and what tests need to talk to it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from latentfu.protocol.remote_server import KnownServer

ROOT = Path(__file__).parents[2]
STAND_IN = "tests.support.stand_in_editor"


class Server:
    """``limits``: fields of Limits. ``studio``: fields of StudioSettings, to let others in.

    ``prelude``: code that runs in the process first. ``catalog``: the module that tells what is
    installed. ``machines``: servers on others that work for this one.
    """

    def __init__(
        self,
        home: Path,
        limits: Mapping[str, object] | None = None,
        prelude: str = "",
        wait: bool = True,
        real: bool = False,
        editing: str = STAND_IN,
        devices: Sequence[str] = ("cpu",),
        studio: Mapping[str, object] | None = None,
        catalog: str = STAND_IN,
        machines: Sequence[KnownServer] = (),
    ) -> None:
        self.home = home
        self.limits = dict(limits or {})
        self.prelude = prelude
        self.real = real
        self.editing = editing
        self.devices = tuple(devices)
        self.studio = studio
        self.catalog, self.machines = catalog, tuple(machines)
        self.process = self._start()
        try:
            if wait:
                self._wait_for_start()
        except BaseException:
            self.kill()
            raise

    def start(self, wait: bool = True) -> None:
        """Start the process again, in the same home."""
        self.process = self._start()
        if wait:
            self._wait_for_start()

    def _wait_for_start(self) -> None:
        wait_until(lambda: self.address_file.exists() and self.answers())

    def _start(self) -> subprocess.Popen[bytes]:
        stand_in = () if self.real else ("--editing", self.editing, "--catalog", self.catalog)
        code = (
            f"{self.prelude}\n"
            "from latentfu.http.serve import ServerSettings, serve\n"
            "from latentfu.jobs.store import Limits\n"
            f"limits = Limits(**{self.limits!r})\n"
            f"studio, ready = None, lambda address, door: None\n{self._studio_code()}"
            f"{self._machines_code()}"
            f"serve(ServerSettings(port=0, devices={self.devices!r}, limits=limits, "
            f"worker_arguments={stand_in!r}, studio=studio, machines=machines), ready)"
        )
        environment = {
            **os.environ,
            "LATENTFU_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
        }
        return subprocess.Popen([sys.executable, "-c", code], env=environment)

    def _studio_code(self) -> str:
        """Lets others in as well, and writes where into ``studio.json``."""
        if self.studio is None:
            return ""
        return (
            "import json, pathlib\n"
            "from pathlib import PosixPath, WindowsPath\n"
            "from latentfu.http.studio.settings import StudioSettings\n"
            f"studio = StudioSettings(**{dict(self.studio)!r})\n"
            f"told = pathlib.Path({str(self.home / 'studio.json')!r})\n"
            "ready = lambda address, door: told.write_text(json.dumps("
            "[door.listening.getsockname()[1], door.certificate.fingerprint]))\n"
        )

    def _machines_code(self) -> str:
        """Servers of other machines that work for this one."""
        known = ", ".join(
            f"KnownServer({each.address!r}, {each.token!r}, {each.fingerprint!r})"
            for each in self.machines
        )
        return (
            "from latentfu.protocol.remote_server import KnownServer, RemoteAddress\n"
            f"machines = [{known}]\n"
        )

    @property
    def address_file(self) -> Path:
        return self.home / "config" / "server.json"

    @property
    def port(self) -> int:
        return int(json.loads(self.address_file.read_text())["port"])

    @property
    def token(self) -> str:
        return (self.home / "config" / "token").read_text().strip()

    @property
    def log(self) -> str:
        return (self.home / "data" / "log" / "server.log").read_text()

    def answers(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool(self.get("/v1/health")[0] == 200)
        return False

    def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        host: str = "127.0.0.1",
    ) -> tuple[int, Any]:
        """Status and body (parsed when it is JSON) of one request with the token."""
        connection = http.client.HTTPConnection(host, self.port, timeout=60)
        try:
            all_headers: dict[str, str | None] = {"Authorization": f"Bearer {self.token}"}
            if isinstance(body, dict):
                body = json.dumps(body).encode()
                all_headers["Content-Type"] = "application/json"
            elif body is not None:
                all_headers["Content-Type"] = "application/octet-stream"
            all_headers.update(headers or {})
            connection.request(
                method, path, body, {k: v for k, v in all_headers.items() if v is not None}
            )
            response = connection.getresponse()
            data: Any = response.read()
        finally:
            connection.close()
        if response.headers.get_content_type() == "application/json":
            data = json.loads(data)
        return response.status, data

    def get(self, path: str, **more: Any) -> tuple[int, Any]:
        return self.request("GET", path, **more)

    def put(self, path: str, body: dict[str, Any] | bytes, **more: Any) -> tuple[int, Any]:
        return self.request("PUT", path, body, **more)

    def put_layer(self, body: bytes) -> str:
        name = hashlib.sha256(body).hexdigest()
        status, answer = self.put(f"/v1/layers/{name}", body)
        assert status in (200, 201), answer
        return name

    def put_job(
        self, layer: str, job_id: str | None = None, kind: str = "edit", **fields: object
    ) -> str:
        job_id = job_id or str(uuid.uuid4())
        status, answer = self.put(f"/v1/jobs/{job_id}", {"kind": kind, "layer": layer, **fields})
        assert status in (200, 201), answer
        return job_id

    def job(self, job_id: str) -> Any:
        return self.get(f"/v1/jobs/{job_id}")[1]

    def job_ids(self) -> list[str]:
        return [job["id"] for job in self.get("/v1/jobs")[1]["jobs"]]

    def wait_for(self, job_id: str, *states: str) -> Any:
        """The job, once it is in one of ``states`` (default: at its end)."""
        states = states or ("done", "failed", "cancelled")
        wait_until(lambda: self.job(job_id)["state"] in states)
        return self.job(job_id)

    def worker_pid(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as a person would, and give its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return int(self.process.returncode)


def wait_until(condition: Callable[[], object], patience_s: float = 30.0) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.03)


def pixel_body(width: int = 16, height: int = 12, channels: int = 4, value: int = 100) -> bytes:
    header = b"LFPX" + bytes([1, channels, 0, 0])
    size = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return header + size + bytes([value]) * (width * height * channels)

"""The server from a program's side: synchronous, one small connection per request."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from latentfu.client.trust import TrustedConnection
from latentfu.core.errors import BadInputError, CancelledError, ServerError, StorageError
from latentfu.core.paths import data_dir, make_private
from latentfu.core.progress import Progress, silent
from latentfu.protocol.errors import WorkError, error_from_body, error_from_failure
from latentfu.protocol.owner_requests import DrainRequest
from latentfu.protocol.remote_server import KnownServer, RemoteAddress
from latentfu.protocol.replies import (
    AlignersReply,
    ControlsReply,
    DrainReply,
    GeneratorsReply,
    HealthReply,
    InvertersReply,
    JobReply,
    JobsReply,
    MadeReply,
    MakersReply,
    PluginsReply,
    Reply,
)
from latentfu.protocol.requests import JobRequest, MakeRequest, PreviewRequest
from latentfu.protocol.server_address import ServerAddress, proves_itself, read_address, read_token

_PROGRAM = "from latentfu.cli.main import main; main(['serve'])"


def start_server(answers: Callable[[], bool], progress: Progress, patience_s: float = 30.0) -> None:
    """Start ``latentfu serve`` on its own and wait until it ``answers``; raises ServerError."""
    log = make_private(data_dir() / "log") / "start.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It outlives us; if it does not, it must not stay a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    start = time.monotonic()
    while (waited := time.monotonic() - start) < patience_s:
        progress(min(0.95, waited / 5.0), "Starting the server")
        try:
            if answers():
                return
        except ServerError:
            if process.poll() not in (None, 0, 1):
                break  # Exit code 1 may mean that another one was quicker.
        time.sleep(0.05)
    raise ServerError(f"The server did not start: {_last_line(log)}")


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else f"see {log}."


_M = TypeVar("_M", bound=Reply)
_STRANGER = (
    "What answers at {address} is not your server, or an older version of it: nothing was sent; "
    "stop it, or remove server.json from the settings folder, and run latentfu serve."
)
_REMOTE_GONE = (
    "The server at {address} does not answer: see whether the network is there, or work on this "
    "machine with --server local."
)
_GONE = "The server does not answer: start it with latentfu serve, and see its log if it stops."


class Client:
    """Requests to the running server; every method may be called from any thread.

    Raises ServerError when it cannot be reached, and the server's own sentence as the
    LatentFuError that fits its code.
    """

    def __init__(
        self,
        address: ServerAddress | RemoteAddress,
        token: str,
        timeout_s: float = 300.0,
        fingerprint: str = "",
    ) -> None:
        self.address = address
        self._token = token
        self._timeout_s = timeout_s
        self._fingerprint = fingerprint

    @staticmethod
    def connect(timeout_s: float = 300.0) -> Client:
        """The server that ``server.json`` names, if it answers; raises ServerError."""
        address = read_address()
        if address is None:
            raise ServerError("No server runs: start one with latentfu serve.")
        Client(address, read_token(), timeout_s=3.0).health()
        return Client(address, read_token(), timeout_s)

    @staticmethod
    def connect_to(server: KnownServer, timeout_s: float = 300.0) -> Client:
        """A server on another machine, if it answers and knows the user; raises ServerError.

        Pictures that are sent through it leave this machine.
        """

        def make(patience_s: float) -> Client:
            return Client(server.address, server.token, patience_s, server.fingerprint)

        try:
            make(min(20.0, timeout_s)).health()
        except WorkError as error:  # a token that does not count, a name that it does not go by
            raise ServerError(f"{server.address.url} refuses: {error}") from error
        return make(timeout_s)

    @staticmethod
    def ensure_running(progress: Progress = silent) -> Client:
        """The running server, started in the background if there is none; raises ServerError."""
        from latentfu.client.client import start_server

        try:
            return Client.connect()
        except ServerError:
            start_server(lambda: bool(Client.connect()), progress)
            return Client.connect()

    def get(self, path: str, model: type[_M]) -> _M:
        """What a GET request answers, as the route's model; for routes with no method below.

        Args:
            path: with its query, from "/v1/".
            model: of :mod:`latentfu.protocol.replies`.
        """
        return _parse(self._ask("GET", path)[1], model)

    def health(self) -> HealthReply:
        """That it is there, and how its worker is."""
        return self.get("/v1/health", HealthReply)

    def generators(self) -> GeneratorsReply:
        """Installed generators, the default first."""
        return self.get("/v1/generators", GeneratorsReply)

    def inverters(self, generator: str | None = None) -> InvertersReply:
        """Installed inverters; for a generator the default first, and why others do not fit."""
        return self._get_for(generator, "/v1/inverters", InvertersReply)

    def makers(self, generator: str | None = None) -> MakersReply:
        """What directions can be made by, and of; of a generator, or of the default one."""
        return self._get_for(generator, "/v1/makers", MakersReply)

    def aligners(self) -> AlignersReply:
        """Installed aligners."""
        return self.get("/v1/aligners", AlignersReply)

    def controls(self, generator: str | None = None) -> ControlsReply:
        """The sliders of a generator (None: the default one)."""
        return self._get_for(generator, "/v1/controls", ControlsReply)

    def _get_for(self, generator: str | None, path: str, model: type[_M]) -> _M:
        query = f"?generator={quote(generator, safe='')}" if generator else ""
        return self.get(f"{path}{query}", model)

    def plugins(self) -> PluginsReply:
        """Plug-ins and their state."""
        return self.get("/v1/plugins", PluginsReply)

    def jobs(self) -> JobsReply:
        """The newest 100 jobs."""
        return self.get("/v1/jobs", JobsReply)

    def job(self, job_id: str) -> JobReply:
        """One job."""
        return self.get(f"/v1/jobs/{job_id}", JobReply)

    def send_layer(self, body: bytes) -> str:
        """Bring a pixel body (or PNG file) to the server unless it is there; its name."""
        name = hashlib.sha256(body).hexdigest()
        path = f"/v1/layers/{name}"
        if self._ask("GET", path, allow=404)[0] == 404:
            self._ask("PUT", path, body, "application/octet-stream")
        return name

    def send_stored(self, name: str, where: str, path: Path) -> None:
        """Bring a file to the server unless it is there.

        Args:
            name: the sha256 of its bytes.
            where: "layers" or "latents".
            path: raises BadInputError where it is gone.
        """
        there = f"/v1/{where}/{name}"
        if self._ask("GET", there, allow=404)[0] != 404:
            return
        try:
            file = path.open("rb")
        except OSError as error:
            raise BadInputError("The layer is no longer here: send it again.") from error
        with file:
            self._ask("PUT", there, file, "application/octet-stream")

    def fetch_file(self, path: str, into: BinaryIO) -> None:
        """Write what a GET request answers into a file, without holding it in memory.

        Args:
            path: from "/v1/": of a job's result, or of a latent by its sha256 or by a report's
                ``inversion_key``.
            into: open for writing.
        """
        self._ask("GET", path, into=into)

    def put_job(
        self, request: JobRequest | Mapping[str, object], job_id: str | None = None
    ) -> JobReply:
        """Queue a request, or its JSON; repeat it with the same id at will."""
        body = _to_json(request)
        path = f"/v1/jobs/{job_id or uuid.uuid4()}"
        return _parse(self._ask("PUT", path, body, "application/json")[1], JobReply)

    def wait(self, job_id: str, progress: Progress = silent, patience_s: float = 30.0) -> JobReply:
        """Follow a job to its end; a broken stream or restarted server is found again.

        Raises the job's own error when it failed, CancelledError when it was cancelled,
        ServerError when no server has answered for ``patience_s``. If ``progress`` raises, the
        job is cancelled.
        """
        while True:
            try:
                for job in self._events(job_id):
                    self._show(job, progress)
                    if job.state in ("done", "failed", "cancelled"):
                        return _finished(job)
            except (OSError, http.client.HTTPException):
                pass
            self._find_again(patience_s)

    def run(
        self, request: JobRequest | Mapping[str, object], progress: Progress = silent
    ) -> tuple[bytes, Any]:
        """Put a job, wait for it, fetch it: its pixel body and its report."""
        job = self.wait(self.put_job(request).id, progress)
        return self.result(job.id), job.report

    def make_direction(self, request: MakeRequest, progress: Progress = silent) -> MadeReply:
        """Have a direction made by an installed maker; kept only where the request says so."""
        job = self.wait(self.put_job(request).id, progress)
        return MadeReply.model_validate(job.report)

    def cancel(self, job_id: str) -> JobReply:
        """Cancel a job; one that has ended stays as it is."""
        return _parse(self._ask("DELETE", f"/v1/jobs/{job_id}")[1], JobReply)

    def result(self, job_id: str, png: bool = False) -> bytes:
        """The edited layer as a pixel body (or PNG file)."""
        return self._ask("GET", f"/v1/jobs/{job_id}/result", png=png)[1]

    def preview(
        self, session: str, request: PreviewRequest | Mapping[str, object], png: bool = False
    ) -> bytes:
        """A small picture; raises OvertakenError when a newer one of the session was asked."""
        body = _to_json(request)
        return self._ask("PUT", f"/v1/previews/{session}", body, "application/json", png=png)[1]

    def drain(self, keep_waiting: bool = False) -> DrainReply:
        """Have the server take no new work and stop when it has done its own.

        Args:
            keep_waiting: whether jobs that wait are left to the next server.
        """
        wanted = DrainRequest(waiting="keep" if keep_waiting else "finish")
        body = _to_json(wanted.model_dump())
        return _parse(self._ask("POST", "/v1/drain", body, "application/json")[1], DrainReply)

    def shutdown(self) -> None:
        """Stop the server."""
        self._ask("POST", "/v1/shutdown")

    def _show(self, job: JobReply, progress: Progress) -> None:
        try:
            progress(job.fraction, job.message)
        except BaseException:
            self.cancel(job.id)
            raise

    def _find_again(self, patience_s: float) -> None:
        end = time.monotonic() + patience_s
        while True:
            try:
                if isinstance(self.address, ServerAddress):
                    self.address = read_address() or self.address
                    self._token = read_token()  # new where the server ended suddenly
                self.health()
                return
            except ServerError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def _events(self, job_id: str) -> Iterator[JobReply]:
        # The server says something every two seconds: silence means that it is gone.
        with closing(self._connect(20.0)) as connection:
            path = f"{self._base}/v1/jobs/{job_id}/events"
            connection.request("GET", path, headers=self._headers())
            with connection.getresponse() as response:
                if response.status != 200:
                    raise error_from_body(response.status, response.read())
                for line in response:
                    if line.strip() and line.endswith(b"\n"):
                        yield _parse(line, JobReply)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None = None,
        content_type: str = "",
        *,
        allow: int = 0,
        png: bool = False,
        into: BinaryIO | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of an answer; a body that goes ``into`` a file is not held in memory."""
        headers = self._headers()
        if body is not None and not isinstance(body, bytes):
            headers["Content-Length"] = str(os.fstat(body.fileno()).st_size)
        if content_type:
            headers["Content-Type"] = content_type
        if png:
            headers["Accept"] = "image/png"
        try:
            with closing(self._connect(self._timeout_s)) as connection:
                connection.request(method, self._base + path, body, headers)
                with connection.getresponse() as response:
                    if into is not None and response.status < 400:
                        _write_all(response, into)
                    data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(self._say_gone()) from error
        if response.status >= 400 and response.status != allow:
            raise error_from_body(response.status, data)
        return response.status, data

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        """A connection to a server that has shown that it has the token, or its certificate."""
        if isinstance(self.address, RemoteAddress):
            server = KnownServer(self.address, self._token, self._fingerprint)
            remote = TrustedConnection(server, timeout_s)
            remote.connect()
            return remote
        host, port = self.address.host, self.address.port
        connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
        try:
            if proves_itself(connection, self._token, port):
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        raise ServerError(_STRANGER.format(address=self.address.url))

    @property
    def _base(self) -> str:
        return self.address.path if isinstance(self.address, RemoteAddress) else ""

    def _say_gone(self) -> str:
        if isinstance(self.address, RemoteAddress):
            return _REMOTE_GONE.format(address=self.address.url)
        return _GONE

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def _write_all(response: http.client.HTTPResponse, into: BinaryIO) -> None:
    """An answer's body into a file; raises StorageError where there is no room for it."""
    while chunk := response.read(1 << 20):
        try:
            into.write(chunk)
        except OSError as error:
            raise StorageError(f"Could not write a result: {error.strerror}.") from error


def _to_json(request: JobRequest | PreviewRequest | Mapping[str, object]) -> bytes:
    fields = dict(request) if isinstance(request, Mapping) else request.to_wire()
    return json.dumps(fields).encode()


def _parse(data: bytes, model: type[_M]) -> _M:
    try:
        return model.model_validate_json(data)
    except ValueError as error:  # pydantic's own is one
        raise ServerError(
            "The server answers in a way this version does not understand: restart it."
        ) from error


def _finished(job: JobReply) -> JobReply:
    if job.state == "cancelled":
        raise CancelledError
    if job.error is not None:
        raise error_from_failure(job.error)
    return job

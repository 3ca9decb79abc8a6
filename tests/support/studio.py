"""A server that lets users of other machines in, and how tests come to it."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from latentfu.client.client import Client
from latentfu.protocol.remote_server import KnownServer, RemoteAddress
from latentfu.storage.users import Role, add_user, revoke_user

from tests.support.serving import Server, wait_until


class Studio(Server):
    """On a free port of 127.0.0.1; ``studio`` fields go to StudioSettings."""

    def __init__(self, home: Path, studio: Mapping[str, object] | None = None, **more: Any) -> None:
        told = home / "studio.json"
        told.unlink(missing_ok=True)
        settings = {"host": "127.0.0.1", "port": 0, **(studio or {})}
        super().__init__(home, studio=settings, **more)
        wait_until(told.exists)
        self.door_port, self.fingerprint = json.loads(told.read_text())

    def add(self, name: str, role: Role = "edit") -> Visitor:
        """A new user, with his token."""
        with self.at_home():
            return Visitor(self, add_user(name, role)[1])

    def revoke(self, name: str) -> None:
        with self.at_home():
            revoke_user(name)

    @contextmanager
    def at_home(self) -> Iterator[None]:
        """What its administrator does on its machine."""
        with mock.patch.dict(os.environ, {"LATENTFU_HOME": str(self.home)}):
            yield

    @property
    def audit(self) -> str:
        return (self.home / "data" / "log" / "audit.log").read_text()

    @property
    def audited(self) -> list[Any]:
        return [json.loads(line) for line in self.audit.splitlines() if line.startswith("{")]


class Visitor:
    """Somebody with a token; ``source``: the address that he comes from."""

    def __init__(self, studio: Studio, token: str | None, source: str = "127.0.0.1") -> None:
        self.studio, self.token, self.source = studio, token, source

    @property
    def known(self) -> KnownServer:
        address = RemoteAddress("localhost", self.studio.door_port)
        return KnownServer(address, self.token or "", self.studio.fingerprint)

    @property
    def client(self) -> Client:
        return Client.connect_to(self.known)

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | bytes | None = None,
        **headers: str,
    ) -> tuple[int, Any]:
        """Status and body, parsed when it is JSON, of one request."""
        connection = self.connect()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            given.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        elif body is not None:
            given.setdefault("Content-Type", "application/octet-stream")
        try:
            connection.request(method, path, body, given)
            response = connection.getresponse()
            data: Any = response.read()
        finally:
            connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(data) if is_json else data

    def connect(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(
            "127.0.0.1",
            self.studio.door_port,
            timeout=60,
            context=context,
            source_address=(self.source, 0),
        )

    def put_layer(self, body: bytes) -> str:
        return self.client.send_layer(body)

    def put_job(self, layer: str, job_id: str | None = None, **fields: object) -> str:
        job_id = job_id or str(uuid.uuid4())
        body = {"kind": "edit", "layer": layer, **fields}
        status, answer = self.ask("PUT", f"/v1/jobs/{job_id}", body)
        assert status in (200, 201), answer
        return job_id

    def job(self, job_id: str) -> Any:
        return self.ask("GET", f"/v1/jobs/{job_id}")[1]

    def wait_for(self, job_id: str, *states: str) -> Any:
        wanted = states or ("done", "failed", "cancelled")
        wait_until(lambda: self.job(job_id)["state"] in wanted)
        return self.job(job_id)

"""A real server process with the stand-in editor, and what tests need to talk to it."""

import contextlib
import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

HERE = Path(__file__).parent


class Server:
    """``limits``: fields of Limits. ``prelude``: code that runs in the process first."""

    def __init__(
        self, home, limits=None, prelude="", wait=True, real=False, editing="stand_in",
        devices=("cpu",),
    ):  # fmt: skip
        self.home = home
        self.limits = limits or {}
        self.prelude = prelude
        self.real = real
        self.editing = editing
        self.devices = devices
        self.process = None
        try:
            self.start(wait)
        except BaseException:
            self.kill()
            raise

    def start(self, wait=True):
        stand_in = () if self.real else ("--editing", self.editing, "--catalog", "stand_in")
        code = (
            f"{self.prelude}\n"
            "from latentfu.http.serve import Settings, serve\n"
            "from latentfu.jobs.job import Limits\n"
            f"serve(Settings(port=0, devices={self.devices!r}, limits=Limits(**{self.limits!r}), "
            f"worker_arguments={stand_in!r}))"
        )
        environment = {
            **os.environ,
            "LATENTFU_HOME": str(self.home),
            "PYTHONPATH": str(HERE),
            "PYTHONWARNINGS": "default",
        }
        self.process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        if wait:
            wait_until(lambda: self.address_file.exists() and self.answers())

    @property
    def address_file(self):
        return self.home / "config" / "server.json"

    @property
    def port(self):
        return json.loads(self.address_file.read_text())["port"]

    @property
    def token(self):
        return (self.home / "config" / "token").read_text().strip()

    @property
    def log(self):
        return (self.home / "data" / "log" / "server.log").read_text()

    def answers(self):
        with contextlib.suppress(OSError, ValueError):
            return self.get("/v1/health")[0] == 200
        return False

    def request(self, method, path, body=None, headers=None, host="127.0.0.1"):
        connection = http.client.HTTPConnection(host, self.port, timeout=60)
        try:
            all_headers = {"Authorization": f"Bearer {self.token}"}
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
            data = response.read()
        finally:
            connection.close()
        if response.headers.get_content_type() == "application/json":
            data = json.loads(data)
        return response.status, data

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def put(self, path, body, **more):
        return self.request("PUT", path, body, **more)

    def put_layer(self, body):
        name = hashlib.sha256(body).hexdigest()
        status, answer = self.put(f"/v1/layers/{name}", body)
        assert status in (200, 201), answer
        return name

    def put_job(self, layer, job_id=None, kind="edit", **fields):
        job_id = job_id or str(uuid.uuid4())
        status, answer = self.put(f"/v1/jobs/{job_id}", {"kind": kind, "layer": layer, **fields})
        assert status in (200, 201), answer
        return job_id

    def job(self, job_id):
        return self.get(f"/v1/jobs/{job_id}")[1]

    def job_ids(self):
        return [job["id"] for job in self.get("/v1/jobs")[1]["jobs"]]

    def wait_for(self, job_id, *states):
        states = states or ("done", "failed", "cancelled")
        wait_until(lambda: self.job(job_id)["state"] in states)
        return self.job(job_id)

    def worker_pid(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode


def wait_until(condition, patience_s=30.0):
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.03)


def pixel_body(width=16, height=12, channels=4, value=100):
    header = b"LFPX" + bytes([1, channels, 0, 0])
    size = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return header + size + bytes([value]) * (width * height * channels)

"""The program as tests call it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from latentfu.cli.main import run
from latentfu.client.client import Client
from latentfu.core.errors import ServerError


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Program = Callable[..., Ran]


@pytest.fixture
def latentfu_program(capsys: pytest.CaptureFixture[str]) -> Program:
    """``latentfu_program("edit", ...)``: the real program, in this process for speed."""

    def call(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@contextmanager
def run_server() -> Iterator[Client]:
    """A real server of this LATENTFU_HOME, on a free port."""
    command = [sys.executable, "-P", "-m", "latentfu", "serve", "--port", "0", "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _wait_for(process)
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(process: subprocess.Popen[bytes]) -> Client:
    end = time.monotonic() + 60
    while True:
        try:
            return Client.connect()
        except ServerError:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)

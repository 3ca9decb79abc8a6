"""Fetching a published set: over real HTTP, with a server that breaks off."""

from __future__ import annotations

import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latentfu import BadInputError, silent
from latentfu_deformations.cli import download_command, list_command
from latentfu_deformations.sets import SETS, fetch


class Server(ThreadingHTTPServer):
    """Serves ``content``; the first answer ends after ``most`` bytes."""

    content, most = b"", 0
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.headers.get("Range", ""))
        if self.path == "/nothing":
            self.send_error(404)
            return
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        body = self.server.content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = self.server.most if len(self.server.asked) == 1 and self.server.most else len(body)
        self.wfile.write(body[:cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def address(server: Server, path: str = "/set.tar") -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def test_a_download_that_breaks_off_goes_on(server: Server, tmp_path: Path) -> None:
    server.content, server.most = bytes(range(256)) * 4000, 300_000
    target = tmp_path / "set.tar"
    digest = fetch(address(server), target, silent, pause=0.0)
    assert target.read_bytes() == server.content
    assert digest == hashlib.sha256(server.content).hexdigest()
    assert server.asked[0] == "" and server.asked[1].startswith("bytes=")
    assert not target.with_name("set.tar.part").exists()


def test_nothing_there_is_one_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="404"):
        fetch(address(server, "/nothing"), tmp_path / "a.tar", silent, pause=0.0)
    server.shutdown()
    server.server_close()
    with pytest.raises(BadInputError, match="can not be had"):
        fetch(address(server), tmp_path / "a.tar", silent, pause=0.0)
    assert list(tmp_path.iterdir()) == []


def test_the_command_puts_a_set_among_the_sliders(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import latentfu

    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    weight = latentfu.open_generator("portraits", "cpu").parameter("synthesis.convs.4.weight")
    shift = torch.randn(1, 1, *weight.shape)
    torch.save({"layer_ix": 3, "shift": shift}, tmp_path / "nose_size.pt")
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        tar.add(tmp_path / "nose_size.pt", "ffhq/nose_size.pt")
    server.content = (tmp_path / "set.tar").read_bytes()
    arguments = ["ffhq", "--generator", "portraits", "--from", address(server)]
    declined = CliRunner().invoke(download_command, arguments, input="n\n")
    assert declined.exit_code == 1 and server.asked == []
    ran = CliRunner().invoke(download_command, [*arguments, "--yes", "--json"])
    assert ran.exit_code == 0, ran.output
    control = latentfu.controls("portraits")["nose_size"]
    assert (control.group, control.kind) == ("published: Faces", "deformation")
    listed = CliRunner().invoke(list_command, ["--generator", "portraits"])
    assert "published: Faces:\n  nose_size" in listed.output
    said = json.loads(CliRunner().invoke(download_command, ["--json"]).output)
    assert [row["name"] for row in said] == list(SETS) == ["ffhq", "car", "horse", "church"]
    unknown = CliRunner().invoke(download_command, ["cats"])
    assert isinstance(unknown.exception, BadInputError)

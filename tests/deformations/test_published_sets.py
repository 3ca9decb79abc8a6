"""Fetching a published set over real HTTP."""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latentfu import BadInputError
from latentfu_builtin.deformations.commands import (
    download_deformations_command,
    list_deformations_command,
)
from latentfu_builtin.deformations.import_deformations import PUBLISHED_SETS


class Server(ThreadingHTTPServer):
    """Serves ``content``."""

    content = b""
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

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


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/set.tar"


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
    declined = CliRunner().invoke(download_deformations_command, arguments, input="n\n")
    assert declined.exit_code == 1 and server.asked == []
    ran = CliRunner().invoke(download_deformations_command, [*arguments, "--yes", "--json"])
    assert ran.exit_code == 0, ran.output
    control = latentfu.controls("portraits")["nose_size"]
    assert (control.group, control.kind) == ("published: Faces", "deformation")
    listed = CliRunner().invoke(list_deformations_command, ["--generator", "portraits"])
    assert "published: Faces:\n  nose_size" in listed.output
    said = json.loads(CliRunner().invoke(download_deformations_command, ["--json"]).output)
    assert (
        [row["name"] for row in said] == list(PUBLISHED_SETS) == ["ffhq", "car", "horse", "church"]
    )
    unknown = CliRunner().invoke(download_deformations_command, ["cats"])
    assert isinstance(unknown.exception, BadInputError)


def test_what_is_no_archive_is_not_kept_and_another_place_is_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import latentfu

    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    weight = latentfu.open_generator("portraits", "cpu").parameter("synthesis.convs.8.weight")
    arguments = ["car", "--generator", "portraits", "--yes", "--from", address(server)]
    server.content = b"<!DOCTYPE html><p>This link is no more.</p>"
    ran = CliRunner().invoke(download_deformations_command, arguments)
    assert isinstance(ran.exception, BadInputError)
    assert f"What {address(server)} sent is not an archive" in str(ran.exception)
    assert list(tmp_path.rglob("*.tar*")) == []
    for name in ("wheels", "height"):
        torch.save({"layer_ix": 7, "shift": torch.randn(1, 1, *weight.shape)}, tmp_path / "one.pt")
        with tarfile.open(tmp_path / "set.tar", "w") as tar:
            tar.add(tmp_path / "one.pt", f"car/{name}.pt")
        server.content = (tmp_path / "set.tar").read_bytes()
        (tmp_path / "set.tar").unlink()
        ran = CliRunner().invoke(download_deformations_command, arguments)
        assert ran.exit_code == 0, ran.output
        assert latentfu.controls("portraits")[name].group == "published: Cars"
    asked = len(server.asked)
    # What has come already is read again where no place is named.
    ran = CliRunner().invoke(download_deformations_command, arguments[:4])
    assert ran.exit_code == 0 and "height" in ran.output and len(server.asked) == asked
    assert [path.name for path in tmp_path.rglob("*.tar")] == ["car_weights_deformations.tar"]

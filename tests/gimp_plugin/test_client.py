"""The plug-in's client against a server over a real socket."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest
from latentfu_gimp import finder, jobs
from latentfu_gimp.client import RefusedError, ServerClient
from latentfu_gimp.errors import PluginError, ServerGoneError, StoppedError, TokenLostError
from latentfu_gimp.wire import Picture, read_picture

from tests.support.stand_in_server import StandIn

LAYER = Picture(8, 6, 4, bytes(range(192)))
MASK = Picture(8, 6, 1, bytes([0, 255] * 24))
WORK = jobs.Work(LAYER, MASK, edits={"smile": 1.0})


def quiet(fraction: float, message: str) -> None:
    pass


def test_pixel_bodies_come_back() -> None:
    assert read_picture(LAYER.body()) == LAYER
    for broken in (b"", LAYER.body()[:-1], b"XXXX" + LAYER.body()[4:], LAYER.body() + b"x"):
        with pytest.raises(ServerGoneError):
            read_picture(broken)


def test_edit_changes_only_inside_the_mask(serve) -> None:
    serve()
    said: list[str] = []
    with finder.connect() as client:
        result = jobs.run_work(client, WORK, lambda _fraction, text: said.append(text))
    pairs = zip(LAYER.pixels, result.picture.pixels, strict=True)
    changed = {i // 4 for i, (old, new) in enumerate(pairs) if old != new}
    assert changed and all(pixel % 2 for pixel in changed)
    assert "step 1" in said
    assert result.report["generator"] == "portraits"


def test_a_known_layer_is_not_sent_twice(serve) -> None:
    server = serve()
    with finder.connect() as client:
        assert client.send_picture(LAYER) == client.send_picture(LAYER)
    assert sum(line.startswith("PUT /v1/layers") for line in server.seen) == 1


def test_preview_has_the_asked_size(serve) -> None:
    serve()
    with finder.connect() as client:
        picture = jobs.preview(client, WORK, "11111111-1111-1111-1111-111111111111", 4)
    assert max(picture.width, picture.height) == 4


@pytest.mark.parametrize(
    ("behave", "words"),
    [("fail", "No face here."), ("die", "stopped"), ("garbage", "broken picture")],
)
def test_misbehavior_is_one_sentence(serve, behave: str, words: str) -> None:
    serve(behave)
    with finder.connect() as client, pytest.raises(PluginError, match=words):
        jobs.run_work(client, WORK, quiet)


def test_server_that_went_away(serve) -> None:
    server = serve()
    client = ServerClient("127.0.0.1", server.server_address[1], "standin-token")
    server.close()
    with pytest.raises(ServerGoneError, match="stopped answering"):
        client.get("/v1/health")


def test_a_server_without_the_token_is_asked_nothing(serve, home) -> None:
    server = serve()
    (home / "config" / "token").write_text("wrong")
    with pytest.raises(TokenLostError):
        finder.find()
    with pytest.raises(ServerGoneError, match="not yours"):
        ServerClient("127.0.0.1", server.server_address[1], "wrong").get("/v1/health")
    assert server.seen == ["GET /v1/health"], "once, without the token, to see who listens"


def test_unknown_control(serve) -> None:
    serve()
    work = WORK.with_edits({"nothing": 1.0})
    with finder.connect() as client, pytest.raises(RefusedError, match="nothing") as caught:
        jobs.run_work(client, work, quiet)
    assert caught.value.status == 404


def abort_once_it_runs(server: StandIn, client: ServerClient) -> None:
    server.wait_for("GET /v1/jobs/")
    client.abort()


def test_abort_ends_the_wait_and_cancels_the_job(serve) -> None:
    server = serve("slow")
    with finder.connect() as client, pytest.raises(StoppedError):
        threading.Thread(target=abort_once_it_runs, args=(server, client)).start()
        jobs.run_work(client, WORK, quiet)
    server.wait_for("DELETE /v1/jobs/")


def test_no_server_and_nothing_installed(home, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(PluginError, match=r"install\.py"):
        finder.connect()
    (home / "config").mkdir()
    (home / "config" / "program.json").write_text('{"python": "/nowhere/python"}')
    with pytest.raises(PluginError, match="/nowhere/python"):
        finder.connect()
    (home / "config" / "program.json").write_text("{")
    with pytest.raises(PluginError, match="gimp install"):
        finder.connect()


def test_start_that_fails_says_the_last_line(home) -> None:
    program = home / "python"
    program.write_text("#!/bin/sh\necho first\necho The disk is full. >&2\nexit 1\n")
    program.chmod(0o755)
    (home / "config").mkdir()
    (home / "config" / "program.json").write_text(f'{{"python": "{program}"}}')
    with pytest.raises(PluginError, match=r"The disk is full\."):
        finder.connect()


class Names:
    """What the client does with pictures, without a server."""

    def send_picture(self, picture: Picture) -> str:
        return picture.sha256

    def send_latent(self, data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kind", ["edit", "mix", "invert", "find", "preview"])
def test_the_server_takes_every_request_as_the_plugin_writes_it(kind: str) -> None:
    from latentfu.protocol.requests import JOB_REQUEST, PREVIEW_REQUEST, parse_request

    extra = {"targets": {"yaw": 0.5}, "identity": 1.0, "quality": "draft", "face": 2}
    work = jobs.Work(LAYER, MASK, "g", "i", {"smile": 1.0}, 3.0, LAYER, (1, 4), extra=extra)
    document = json.dumps(jobs.send_request(Names(), work, kind))  # type: ignore[arg-type]
    taken = parse_request(PREVIEW_REQUEST if kind == "preview" else JOB_REQUEST, document)
    assert (taken.layer, taken.mask, taken.feather) == (LAYER.sha256, MASK.sha256, 3.0)
    assert (taken.generator, taken.quality, taken.face) == ("g", "draft", 2)
    if kind != "find":
        assert taken.edits == ({"smile": 1.0} if kind in ("edit", "preview") else {})
    assert taken.latent is None and not taken.as_change
    if kind == "mix":
        assert (taken.source, taken.layers) == (LAYER.sha256, (1, 4))


@pytest.mark.parametrize("kind", ["edit", "invert", "preview"])
def test_a_kept_latent_goes_with_its_square(kind: str) -> None:
    from latentfu.protocol.requests import JOB_REQUEST, PREVIEW_REQUEST, parse_request

    corners = [[0.5, 0.0], [8.0, 0.0], [8.0, 6.0], [0.5, 6.0]]
    work = jobs.Work(LAYER, latent=b"kept", deep=True, extra={"corners": corners})
    document = json.dumps(jobs.send_request(Names(), work, kind))  # type: ignore[arg-type]
    taken = parse_request(PREVIEW_REQUEST if kind == "preview" else JOB_REQUEST, document)
    assert taken.latent == hashlib.sha256(b"kept").hexdigest()
    assert [list(point) for point in taken.corners] == corners
    assert taken.as_change is (kind == "edit")


def test_the_plugin_has_the_limits_of_the_server() -> None:
    from latentfu.protocol.requests import LIMITS
    from latentfu_gimp import arguments

    assert arguments.LARGEST_STRENGTH == LIMITS["edits"][1] == -LIMITS["edits"][0]
    assert LIMITS["feather"][1] == arguments.LARGEST_FEATHER

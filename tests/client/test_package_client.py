"""The client in the package: finds, starts, follows, and finds the server again."""

import threading
import uuid

import pytest
from latentfu.client.client import Client
from latentfu.core.errors import BadInputError, CancelledError, NotInstalledError, ServerError
from latentfu.protocol.errors import NotFoundError, WorkError
from latentfu.protocol.replies import AlignersReply

from tests.support.serving import pixel_body, wait_until


@pytest.fixture
def client(server, monkeypatch):
    monkeypatch.setenv("LATENTFU_HOME", str(server.home))
    return Client.connect()


def test_listings_are_typed(client, server):
    assert client.health().pid == server.process.pid
    assert client.generators().generators[0].name == "plain"
    assert client.inverters().inverters[0].name == "x"
    assert client.controls("plain").controls[0].title == "Brightness"
    assert client.plugins().plugins[0].state == "ok"
    asked = client.get("/v1/aligners", AlignersReply)  # any route, with its model
    assert asked == client.aligners()


def test_a_job_from_start_to_end(client):
    layer = client.send_layer(pixel_body(value=3))
    seen = []
    request = {"kind": "edit", "layer": layer, "edits": {"brightness": 4, "steps": 5}}
    body, report = client.run(request, lambda fraction, message: seen.append(fraction))
    assert body == pixel_body(value=7) and report["psnr"] == 30.0
    assert seen[-1] == 1.0 and seen == sorted(seen)
    assert client.jobs().jobs[0].state == "done"
    assert client.preview(str(uuid.uuid4()), {"layer": layer}) == pixel_body(value=3)


def test_errors_come_back_as_what_they_were(client):
    layer = client.send_layer(pixel_body())
    with pytest.raises(NotInstalledError, match="no generator 'missing'"):
        client.run({"kind": "edit", "layer": layer, "generator": "missing"})
    with pytest.raises(WorkError, match="plug-in's mistake"):
        client.run({"kind": "edit", "layer": layer, "edits": {"boom": 1}})
    with pytest.raises(BadInputError, match=r"edits\.smile"):
        client.put_job({"kind": "edit", "layer": layer, "edits": {"smile": "much"}})
    with pytest.raises(NotFoundError):
        client.result(str(uuid.uuid4()))


def test_a_progress_that_raises_cancels_the_job(client):
    layer = client.send_layer(pixel_body())
    edits = {"steps": 100, "pause_ms": 50}
    job = client.put_job({"kind": "edit", "layer": layer, "edits": edits})

    def stop(fraction, message=""):
        if fraction > 0:
            raise CancelledError

    with pytest.raises(CancelledError):
        client.wait(job.id, stop)
    assert client.job(job.id).state == "cancelled"


def test_waiting_goes_on_over_the_death_of_the_server(start, monkeypatch):
    server = start()
    monkeypatch.setenv("LATENTFU_HOME", str(server.home))
    client = Client.connect()
    layer = client.send_layer(pixel_body(value=1))
    edits = {"brightness": 2, "steps": 20, "pause_ms": 60}
    job = client.put_job({"kind": "edit", "layer": layer, "edits": edits})
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(client.wait(job.id)))
    waiting.start()
    wait_until(lambda: client.job(job.id).fraction > 0)
    server.kill()
    server.start()
    waiting.join()
    assert ended[0].state == "done"
    assert client.result(job.id) == pixel_body(value=3)


def test_no_server_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    with pytest.raises(ServerError, match="latentfu serve"):
        Client.connect()


def test_the_client_starts_a_server_that_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    seen = []
    client = Client.ensure_running(lambda fraction, message: seen.append(message))
    try:
        assert "Starting the server" in seen
        assert Client.ensure_running().health().pid == client.health().pid
    finally:
        client.shutdown()
    wait_until(lambda: not (tmp_path / "config" / "server.json").exists())

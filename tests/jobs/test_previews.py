"""Previews overtake jobs and each other."""

import socket
import threading
import time
import uuid

from tests.support.serving import pixel_body, wait_until


def _preview(server, layer, session, answers, **fields):
    body = {"layer": layer, "side": 32, **fields}
    answers.append(server.put(f"/v1/previews/{session}", body))


def test_a_preview_is_small_and_edited(server):
    layer = server.put_layer(pixel_body(64, 48, channels=3, value=10))
    body = {"layer": layer, "side": 32, "edits": {"brightness": 5}}
    status, answer = server.put(f"/v1/previews/{uuid.uuid4()}", body)
    assert status == 200
    assert answer == pixel_body(32, 24, channels=3, value=15)


def test_previews_of_an_inverted_layer_are_served_between_the_steps_of_a_job(server):
    layer = server.put_layer(pixel_body(value=31))
    server.wait_for(server.put_job(layer, kind="invert"))
    long = server.put_job(layer, edits={"steps": 100, "pause_ms": 60})
    server.wait_for(long, "running")
    session = str(uuid.uuid4())
    for brightness in range(4):
        body = {"layer": layer, "side": 32, "edits": {"brightness": brightness}}
        status, answer = server.put(f"/v1/previews/{session}", body)
        assert (status, answer) == (200, pixel_body(value=31 + brightness))
    assert server.job(long)["state"] == "running"
    server.request("DELETE", f"/v1/jobs/{long}")


def test_a_preview_of_an_unknown_layer_waits_for_the_running_job_but_not_for_queued_ones(server):
    known, new = server.put_layer(pixel_body(value=32)), server.put_layer(pixel_body(value=33))
    running = server.put_job(known, edits={"steps": 8, "pause_ms": 100})
    server.wait_for(running, "running")
    queued = server.put_job(known, edits={"steps": 100, "pause_ms": 100})
    answers = []
    _preview(server, new, str(uuid.uuid4()), answers)
    assert answers[0][0] == 200
    ended = server.job(running)
    assert ended["state"] == "done" or ended["fraction"] > 0.8, "it did not wait"
    assert server.job(queued)["state"] in ("queued", "running")
    server.request("DELETE", f"/v1/jobs/{queued}")


def test_the_newest_preview_of_a_session_replaces_older_ones(server):
    layer = server.put_layer(pixel_body(value=34))
    session, answers, threads = str(uuid.uuid4()), [], []
    for brightness in range(3):
        edits = {"brightness": brightness, "steps": 10, "pause_ms": 100}
        thread = threading.Thread(
            target=_preview, args=(server, layer, session, answers), kwargs={"edits": edits}
        )
        thread.start()
        threads.append(thread)
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [409, 409, 200]
    assert all(answer["error"]["code"] == "overtaken" for status, answer in answers[:2])
    assert answers[2][1] == pixel_body(value=36)


def test_other_sessions_are_not_replaced(server):
    layer = server.put_layer(pixel_body(value=35))
    answers = []
    threads = [
        threading.Thread(target=_preview, args=(server, layer, str(uuid.uuid4()), answers))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [200] * 5


def test_a_preview_whose_client_went_away_is_dropped(server):
    layer = server.put_layer(pixel_body(value=36))
    body = (
        f'{{"layer": "{layer}", "edits": {{"steps": 100, "pause_ms": 100}}, "interactive": true}}'
    )
    request = (
        f"PUT /v1/previews/{uuid.uuid4()} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(request.encode())
    wait_until(lambda: server.get("/v1/health")[1]["worker"]["state"] == "busy")
    connection.close()
    wait_until(lambda: server.get("/v1/health")[1]["worker"]["state"] == "ready", 5.0)


def test_what_goes_wrong_in_a_preview_has_its_status(server):
    layer = server.put_layer(pixel_body(value=37))
    path = f"/v1/previews/{uuid.uuid4()}"
    status, answer = server.put(path, {"layer": layer, "generator": "missing"})
    assert (status, answer["error"]["code"]) == (404, "not_installed")
    new = server.put_layer(pixel_body(value=38))
    status, answer = server.put(path, {"layer": new, "edits": {"crash": 1}})
    assert (status, answer["error"]["code"]) == (503, "worker")
    status, answer = server.put(path, {"layer": layer, "side": 5000})
    assert (status, answer["error"]["code"]) == (400, "bad_input")
    wait_until(lambda: server.get("/v1/health")[1]["worker"]["state"] == "ready")
    assert server.put(path, {"layer": layer})[0] == 200


def test_the_next_move_stops_an_exact_preview_between_two_layers(server):
    layer = server.put_layer(pixel_body(value=39))
    path = f"/v1/previews/{uuid.uuid4()}"
    assert server.put(path, {"layer": layer})[0] == 200
    answers = []
    exact = {"layer": layer, "edits": {"layers": 100}}
    thread = threading.Thread(target=lambda: answers.append(server.put(path, exact)))
    thread.start()
    wait_until(lambda: server.get("/v1/health")[1]["worker"]["state"] == "busy")
    quick = {"layer": layer, "edits": {"layers": 100, "brightness": 1}, "quick": 4}
    assert server.put(path, quick) == (200, pixel_body(value=40))
    thread.join()
    assert answers[0][0] == 409
    assert answers[0][1]["error"]["code"] in {"overtaken", "cancelled"}

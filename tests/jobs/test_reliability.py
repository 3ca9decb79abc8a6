"""What survives: workers and servers that die, full disks, clients that vanish, crowds."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import pytest

from tests.support.serving import pixel_body, wait_until


def test_a_worker_that_dies_once_costs_one_attempt(start):
    server = start()
    job_id = server.put_job(server.put_layer(pixel_body()), edits={"crash_once": 1})
    job = server.wait_for(job_id)
    assert (job["state"], job["attempts"]) == ("done", 2)
    assert server.get(f"/v1/jobs/{job_id}/result")[0] == 200


def test_a_job_that_kills_the_worker_twice_fails_in_a_sentence(start):
    server = start()
    layer = server.put_layer(pixel_body())
    deadly, harmless = server.put_job(layer, edits={"crash": 1}), server.put_job(layer)
    job = server.wait_for(deadly)
    assert job["state"] == "failed" and job["error"]["code"] == "worker"
    assert "died twice" in job["error"]["message"]
    assert server.wait_for(harmless)["state"] == "done"


def test_a_result_that_cannot_be_written_is_tried_once_more(start):
    """A disk that was away at that moment, or full, may be there again."""
    server = start()
    layer, slow = server.put_layer(pixel_body(value=100)), {"steps": 6, "pause_ms": 100}
    passing, lasting = server.put_job(layer, edits=slow), server.put_job(layer, edits=slow)
    results = server.home / "data" / "results"
    for job in (passing, lasting):
        (results / job / "in the way").mkdir(parents=True)
    wait_until(lambda: server.job(passing)["attempts"] == 2)
    shutil.rmtree(results / passing)
    assert server.wait_for(passing)["state"] == "done"
    assert server.get(f"/v1/jobs/{passing}/result")[0] == 200
    failed = server.wait_for(lasting)
    assert (failed["error"]["code"], failed["attempts"]) == ("storage", 2)


def test_kill_9_from_outside_in_the_middle_of_a_job(start):
    server = start()
    job_id = server.put_job(server.put_layer(pixel_body()), edits={"steps": 10, "pause_ms": 60})
    server.wait_for(job_id, "running")
    wait_until(lambda: server.job(job_id)["fraction"] > 0)
    os.kill(server.worker_pid(), signal.SIGKILL)
    assert (server.wait_for(job_id)["state"], server.job(job_id)["attempts"]) == ("done", 2)


def test_kill_9_of_the_front_loses_neither_queue_nor_results(start):
    server = start()
    layer = server.put_layer(pixel_body(value=10))
    finished = server.put_job(layer, edits={"brightness": 5})
    server.wait_for(finished)
    running = server.put_job(layer, edits={"steps": 20, "pause_ms": 100})
    queued = server.put_job(layer, edits={"brightness": 9})
    server.wait_for(running, "running")
    worker = server.worker_pid()
    server.kill()
    wait_until(lambda: not _alive(worker))
    assert server.address_file.exists()  # Left behind, and no hindrance.
    old_port = server.port
    server.start(wait=False)
    wait_until(lambda: server.address_file.exists() and server.answers())
    assert server.port != old_port or server.answers()
    assert server.get(f"/v1/jobs/{finished}/result")[1] == pixel_body(value=15)
    assert server.wait_for(running)["attempts"] == 2
    assert server.wait_for(queued)["state"] == "done"
    assert server.get(f"/v1/jobs/{queued}/result")[1] == pixel_body(value=19)


def test_a_clean_stop_puts_the_running_job_back_without_blame(start):
    server = start()
    job_id = server.put_job(server.put_layer(pixel_body()), edits={"steps": 8, "pause_ms": 100})
    server.wait_for(job_id, "running")
    assert server.request("POST", "/v1/shutdown")[1] == {"status": "stopping"}
    assert server.process.wait(20) == 0
    assert not server.address_file.exists()
    server.start()
    job = server.wait_for(job_id)
    assert (job["state"], job["attempts"]) == ("done", 1)


def test_a_full_disk_fails_the_job_and_leaves_no_half_result(start):
    # Files above 2 MB cannot be written by this server and its worker, as on a full disk.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000000, 2000000))"
    server = start(prelude=limit)
    small = server.put_layer(pixel_body(16, 12))
    status, answer = server.put(f"/v1/layers/{'0' * 64}", pixel_body(1000, 700))
    assert (status, answer["error"]["code"]) == (507, "storage")
    leftovers = [p for p in (server.home / "cache" / "layers").iterdir() if p.name != small]
    assert leftovers == []
    job_id = server.put_job(small, edits={"grow": 50})
    job = server.wait_for(job_id)
    assert (job["state"], job["error"]["code"]) == ("failed", "storage")
    assert job["error"]["message"].startswith("Could not write")
    assert list((server.home / "data" / "results").iterdir()) == []
    assert server.wait_for(server.put_job(small))["state"] == "done"


@pytest.mark.parametrize(
    ("edits", "code", "words"),
    [
        ({"boom": 1}, "internal", "a plug-in's mistake"),
        ({"quit": 1}, "internal", "end the program"),
        ({"memory": 1}, "memory", "too little memory"),
    ],
)
def test_a_plugin_that_misbehaves_fails_its_job_only(server, edits, code, words):
    layer = server.put_layer(pixel_body())
    worker = server.worker_pid()
    job = server.wait_for(server.put_job(layer, edits=edits))
    assert (job["state"], job["error"]["code"]) == ("failed", code)
    assert words in job["error"]["message"] and "\n" not in job["error"]["message"]
    assert server.wait_for(server.put_job(layer, edits={"print": 1}))["state"] == "done"
    assert server.worker_pid() == worker


def test_a_worker_that_can_not_start_is_said_to_whoever_waits(start):
    server = start(editing="no_such_module")
    layer = server.put_layer(pixel_body())
    job = server.wait_for(server.put_job(layer))
    assert (job["state"], job["error"]["code"]) == ("failed", "worker")
    assert "no_such_module" in job["error"]["message"]
    status, answer = server.put(f"/v1/previews/{uuid.uuid4()}", {"layer": layer})
    assert (status, answer["error"]["code"]) == (503, "worker")
    assert server.get("/v1/health")[1]["worker"]["state"] == "restarting"


def test_cancel_while_queued_and_while_running(server):
    layer = server.put_layer(pixel_body())
    long = server.put_job(layer, edits={"steps": 100, "pause_ms": 100})
    waiting = server.put_job(layer)
    assert server.request("DELETE", f"/v1/jobs/{waiting}")[1]["state"] == "cancelled"
    server.wait_for(long, "running")
    worker = server.worker_pid()
    assert server.request("DELETE", f"/v1/jobs/{long}")[1]["state"] == "cancelled"
    assert server.wait_for(server.put_job(layer))["state"] == "done"
    assert server.worker_pid() == worker
    assert server.get(f"/v1/jobs/{long}/result")[0] == 404
    assert server.request("DELETE", f"/v1/jobs/{long}")[0] == 200


def test_a_worker_that_does_not_hear_a_cancel_is_replaced(start):
    server = start(limits={"cancel_s": 0.3})
    layer = server.put_layer(pixel_body())
    deaf = server.put_job(layer, edits={"deaf": 60})
    server.wait_for(deaf, "running")
    worker = server.worker_pid()
    server.request("DELETE", f"/v1/jobs/{deaf}")
    assert server.wait_for(server.put_job(layer))["state"] == "done"
    assert server.worker_pid() != worker
    assert server.job(deaf)["state"] == "cancelled"


def test_a_preview_that_waits_outlives_a_worker_that_another_job_ended(start):
    server = start(limits={"cancel_s": 0.3})
    layer = server.put_layer(pixel_body(value=5))
    deaf = server.put_job(layer, edits={"deaf": 60})
    server.wait_for(deaf, "running")
    worker = server.worker_pid()
    answers = []
    path = f"/v1/previews/{uuid.uuid4()}"
    waiting = threading.Thread(target=lambda: answers.append(server.put(path, {"layer": layer})))
    waiting.start()
    time.sleep(0.2)  # it is on its way; the worker does not hear it either
    server.request("DELETE", f"/v1/jobs/{deaf}")
    waiting.join(60)
    assert [status for status, _ in answers] == [200]
    assert server.worker_pid() != worker


def test_a_job_that_takes_too_long_is_stopped(start):
    server = start(limits={"job_s": 0.5})
    layer = server.put_layer(pixel_body())
    job = server.wait_for(server.put_job(layer, edits={"deaf": 60}))
    assert (job["state"], job["error"]["code"]) == ("failed", "too_long")
    assert server.wait_for(server.put_job(layer))["state"] == "done"


def test_an_interactive_job_ends_when_its_client_is_gone(start):
    server = start(limits={"orphan_s": 0.5})
    layer = server.put_layer(pixel_body())
    edits = {"steps": 100, "pause_ms": 100}
    left = server.put_job(layer, edits=edits, interactive=True)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    token = {"Authorization": f"Bearer {server.token}"}
    connection.request("GET", f"/v1/jobs/{left}/events", headers=token)
    response = connection.getresponse()
    assert json.loads(response.readline())["id"] == left
    response.close()
    connection.close()
    wait_until(lambda: _state_without_asking(server, left) == "cancelled")


def test_a_job_that_is_not_interactive_goes_on_alone(start):
    server = start(limits={"orphan_s": 0.1, "first_listener_s": 0.1})
    job_id = server.put_job(server.put_layer(pixel_body()), edits={"steps": 20, "pause_ms": 50})
    wait_until(lambda: _state_without_asking(server, job_id) in ("done", "cancelled"))
    assert server.job(job_id)["state"] == "done"


def test_ten_thousand_jobs_are_not_taken(start):
    server = start(limits={"max_queued": 200})
    layer = server.put_layer(pixel_body())
    server.put_job(layer, edits={"deaf": 100})
    server.wait_for(server.job_ids()[0], "running")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    statuses = []
    for _ in range(10_000):
        body = json.dumps({"kind": "edit", "layer": layer})
        connection.request("PUT", f"/v1/jobs/{uuid.uuid4()}", body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        statuses.append(response.status)
    connection.close()
    assert statuses.count(201) == 200 and statuses[-1] == 429
    assert answer["error"]["code"] == "queue_full"
    assert server.get("/v1/health")[0] == 200


def test_two_hundred_clients_at_once(server):
    layer = server.put_layer(pixel_body(value=50))

    def one(number):
        job_id = server.put_job(layer, edits={"brightness": number % 50, "steps": 1})
        _, events = server.get(f"/v1/jobs/{job_id}/events")
        assert json.loads(events.splitlines()[-1])["state"] == "done"
        return server.get(f"/v1/jobs/{job_id}/result")[1] == pixel_body(value=50 + number % 50)

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        assert all(pool.map(one, range(200)))


def test_connections_above_the_limit_are_closed_and_later_ones_served(start):
    server = start(limits={"max_connections": 20, "header_s": 1.0})
    with contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            for _ in range(40)
        ]
        wait_until(server.answers)  # The silent ones have been dropped.
        assert all(one.recv(1) == b"" for one in silent)


def test_results_and_layers_are_forgotten_in_time(start):
    server = start(limits={"max_ended": 2, "tidy_every_s": 0.3, "layer_age_s": 1.0})
    layer = server.put_layer(pixel_body())
    ids = [server.put_job(layer) for _ in range(4)]
    for job_id in ids:
        wait_until(lambda job_id=job_id: server.get(f"/v1/jobs/{job_id}")[0] in (200, 404))
    results = server.home / "data" / "results"
    wait_until(lambda: server.get(f"/v1/jobs/{ids[0]}")[0] == 404)
    wait_until(lambda: len(server.get("/v1/jobs")[1]["jobs"]) == 2)
    wait_until(lambda: len(list(results.iterdir())) == 2)
    stored = server.home / "cache" / "layers" / layer
    wait_until(lambda: not stored.exists())
    status, answer = server.put(f"/v1/jobs/{uuid.uuid4()}", {"kind": "edit", "layer": layer})
    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_a_second_server_says_where_the_first_is(server):
    environment = {**os.environ, "LATENTFU_HOME": str(server.home)}
    code = "from latentfu.cli.main import main; main(['serve', '--port', '0'])"
    second = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"http://127.0.0.1:{server.port}" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    assert server.answers()


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _state_without_asking(server, job_id):
    """From the list, which does not count as listening."""
    time.sleep(0.1)
    jobs = server.get("/v1/jobs")[1]["jobs"]
    return next(job["state"] for job in jobs if job["id"] == job_id)

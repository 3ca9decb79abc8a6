"""What is installed, the OpenAPI document, and how fast and light the front process is."""

import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from latentfu.http.serve import ROUTES
from latentfu.protocol.replies import ErrorReply

from tests.support.serving import pixel_body, wait_until


def test_listings_wait_for_the_worker_and_have_the_documented_shape(start):
    server = start(wait=False)
    while not (server.address_file.exists() and server.answers()):
        time.sleep(0.01)
    generators = server.get("/v1/generators")[1]["generators"]
    assert generators[0]["name"] == "plain"
    assert server.get("/v1/inverters")[1]["inverters"][0]["spaces"] == ["w"]
    assert server.get("/v1/plugins")[1]["plugins"][0]["state"] == "ok"
    assert server.get("/v1/controls")[1]["generator"] == "plain"
    controls = server.get("/v1/controls?generator=plain")[1]["controls"]
    assert controls[0]["name"] == "brightness" and controls[0]["layers"] is None
    status, answer = server.get("/v1/controls?generator=nobody")
    assert (status, answer["error"]["code"]) == (404, "not_installed")
    assert "plain" in answer["error"]["message"]


def test_health_says_what_it_should(server):
    health = server.get("/v1/health")[1]
    assert health["status"] == "ok" and health["pid"] == server.process.pid
    assert set(health) == {
        "status", "version", "pid", "uptime_s", "worker", "workers", "idle_stop_minutes",
        "draining",
    }  # fmt: skip
    assert set(health["worker"]) == {"state", "device", "message", "memory_mb"}
    assert health["workers"] == [health["worker"]]


def test_health_shows_every_worker(start):
    server = start(devices=("cpu", "cpu"))
    health = server.get("/v1/health")[1]
    assert len(health["workers"]) == 2 and health["worker"] == health["workers"][0]
    layer = server.put_layer(pixel_body())
    jobs = [server.put_job(layer, edits={"steps": 100, "pause_ms": 100}) for _ in range(2)]

    def states():
        return [one["state"] for one in server.get("/v1/health")[1]["workers"]]

    wait_until(lambda: states() == ["busy", "busy"])
    for job in jobs:
        server.request("DELETE", f"/v1/jobs/{job}")
    wait_until(lambda: states() == ["ready", "ready"])


def test_the_front_loads_neither_torch_nor_numpy_nor_plugins():
    heavy = ("torch", "numpy", "cv2", "PIL", "sklearn", "pluggy", "latentfu_builtin.stylegan")
    code = f"import sys, latentfu.http.serve; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_running_front_has_mapped_neither_torch_nor_numpy(server):
    server.wait_for(server.put_job(server.put_layer(pixel_body())))
    server.get("/v1/generators")
    maps = Path(f"/proc/{server.process.pid}/maps")
    if not maps.exists():
        pytest.skip("needs /proc to look into the running process")
    assert not re.search(r"numpy|torch|cv2", maps.read_text())


def test_every_route_is_in_the_openapi_document(server):
    document = server.get("/v1/openapi.json")[1]
    assert document["openapi"] == "3.1.0"
    listed = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert listed == {(route.method, route.path) for route in ROUTES}
    promised = Path(__file__).parents[2].joinpath("docs/reference/http-api.md").read_text()
    for method, path in re.findall(r"^\| `(GET|PUT|POST|DELETE) (/v1/[^`? ]*)", promised, re.M):
        pattern = path.replace("SHA256", "{sha256}")
        pattern = pattern.replace("/ID", "/{id}").replace("SESSION", "{session}")
        pattern = pattern.replace("NAME", "{name}")
        assert (method, pattern) in listed


def test_every_reference_in_the_document_leads_somewhere(server):
    document = server.get("/v1/openapi.json")[1]
    references = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert references and references <= set(document["components"]["schemas"])


def test_error_bodies_match_the_schema_and_the_listed_statuses(server):
    document = server.get("/v1/openapi.json")[1]
    layer = server.put_layer(pixel_body())
    job = {"kind": "edit", "layer": layer}
    cases = [
        ("GET", "/v1/jobs/{id}", f"/v1/jobs/{uuid.uuid4()}", None, 404),
        ("GET", "/v1/jobs/{id}", "/v1/jobs/x", None, 400),
        ("GET", "/v1/jobs/{id}/events", f"/v1/jobs/{uuid.uuid4()}/events", None, 404),
        ("GET", "/v1/jobs/{id}/result", f"/v1/jobs/{uuid.uuid4()}/result", None, 404),
        ("DELETE", "/v1/jobs/{id}", f"/v1/jobs/{uuid.uuid4()}", None, 404),
        ("PUT", "/v1/jobs/{id}", f"/v1/jobs/{uuid.uuid4()}", {**job, "surprise": 1}, 400),
        ("PUT", "/v1/jobs/{id}", f"/v1/jobs/{uuid.uuid4()}", b"octets", 415),
        ("PUT", "/v1/layers/{sha256}", "/v1/layers/" + "0" * 64, pixel_body(), 400),
        ("GET", "/v1/layers/{sha256}", "/v1/layers/" + "0" * 64, None, 404),
        ("PUT", "/v1/previews/{session}", f"/v1/previews/{uuid.uuid4()}", {"side": 64}, 400),
    ]
    for method, template, path, body, expected in cases:
        status, answer = server.request(method, path, body)
        assert status == expected, (path, answer)
        assert str(status) in document["paths"][template][method.lower()]["responses"]
        message = ErrorReply.model_validate(answer).error.message
        assert message.endswith(".") and "\n" not in message


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind": "edit", "layer": "LAYER", "edits": {"a": NaN}}',
        b'{"kind": "edit", "layer": "LAYER", "edits": {"a": Infinity}}',
        b'{"kind": "edit", "layer": "LAYER", "edits": {"a": 1e999}}',
        b'{"kind": "edit", "layer": "LAYER", "edits": {"a": "1"}}',
        b'{"kind": "edit", "layer": "LAYER", "edits": {"a\\r\\nb": 1}}',
        b'{"kind": "edit", "layer": "LAYER", "generator": "../x\\u0000"}',
        b'{"kind": "mix", "layer": "LAYER", "source": "LAYER", "layers": [7, 4]}',
        b'{"kind": "mix", "layer": "LAYER", "source": "LAYER", "layers": [1, 2, 3]}',
        b'{"kind": "edit", "layer": "../../etc/passwd"}',
        b'{"kind": "edit", "layer": "LAYER", "url": "http://example.com/x.pkl"}',
        b'{"kind": "install", "layer": "LAYER"}',
        b'{"kind": "edit", "layer": "LAYER", "feather": -1}',
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 20000,
    ],
)
def test_requests_that_make_no_sense_are_refused_in_a_sentence(server, body):
    layer = server.put_layer(pixel_body())
    body = body.replace(b"LAYER", layer.encode())
    json_type = {"Content-Type": "application/json"}
    status, answer = server.put(f"/v1/jobs/{uuid.uuid4()}", body, headers=json_type)
    assert (status, answer["error"]["code"]) == (400, "bad_input")
    assert "\n" not in answer["error"]["message"]


def test_files_that_are_secret_are_readable_by_their_owner_only(server):
    for path in ("config/token", "config/server.json", "data/jobs.sqlite", "data/log/server.log"):
        assert (server.home / path).stat().st_mode & 0o077 == 0, path
    assert (server.home / "data" / "results").stat().st_mode & 0o077 == 0

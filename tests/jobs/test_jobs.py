"""A job from the layer to the result, over a real socket."""

import json
import uuid

from tests.support.serving import pixel_body


def test_an_edit_comes_back_pixel_by_pixel(server):
    layer = server.put_layer(pixel_body(value=100))
    job_id = server.put_job(layer, edits={"brightness": 7})
    job = server.wait_for(job_id)
    assert job["state"] == "done", job
    assert job["report"] == {"psnr": 30.0, "inverter": "x"}
    assert job["fraction"] == 1.0 and job["error"] is None and job["attempts"] == 1
    status, result = server.get(f"/v1/jobs/{job_id}/result")
    assert status == 200
    assert result == pixel_body(value=107)


def test_the_same_request_is_the_same_job(server):
    layer = server.put_layer(pixel_body())
    job_id, body = str(uuid.uuid4()), {"kind": "edit", "layer": layer, "edits": {"brightness": 1}}
    assert server.put(f"/v1/jobs/{job_id}", body)[0] == 201
    assert server.put(f"/v1/jobs/{job_id}", body)[0] == 200
    server.wait_for(job_id)
    status, again = server.put(f"/v1/jobs/{job_id}", body)
    assert (status, again["state"]) == (200, "done")
    body["edits"] = {"brightness": 2}
    status, answer = server.put(f"/v1/jobs/{job_id}", body)
    assert (status, answer["error"]["code"]) == (409, "conflict")


def test_events_tell_the_way_to_the_end(server):
    layer = server.put_layer(pixel_body())
    job_id = server.put_job(layer, edits={"steps": 5, "pause_ms": 80})
    _, stream = server.get(f"/v1/jobs/{job_id}/events")
    events = [json.loads(line) for line in stream.splitlines() if line]
    assert events[-1]["state"] == "done"
    fractions = [event["fraction"] for event in events if event["state"] == "running"]
    assert fractions == sorted(fractions) and max(fractions) > 0
    assert any("step" in event["message"] for event in events)

"""Work that the device has too little memory for is done all the same, and that is said."""

from __future__ import annotations

import pytest

from tests.support.serving import Server, pixel_body


@pytest.fixture
def two_devices(start):
    return start(devices=("cuda:7",))


def test_the_processor_does_what_the_device_cannot(two_devices: Server) -> None:
    layer = two_devices.put_layer(pixel_body(value=100))
    slow = {"device_memory": 1, "brightness": 4, "pause_ms": 100, "steps": 6}
    job = two_devices.put_job(layer, edits=slow)
    assert two_devices.wait_for(job)["state"] == "done"
    assert "the processor does it, which takes longer" in two_devices.log
    assert two_devices.get(f"/v1/jobs/{job}/result")[1][-1] == 104
    assert "once more with nothing else in it" in two_devices.log


def test_memory_that_earlier_work_held_is_given_back_first(start) -> None:
    server = start()
    layer = server.put_layer(pixel_body(value=100))
    job = server.put_job(layer, edits={"memory_once": 1, "brightness": 2})
    assert server.wait_for(job)["state"] == "done"
    assert server.get(f"/v1/jobs/{job}/result")[1][-1] == 102


def test_what_even_the_processor_cannot_do_fails_in_a_sentence(two_devices: Server) -> None:
    layer = two_devices.put_layer(pixel_body())
    job = two_devices.wait_for(two_devices.put_job(layer, edits={"memory": 1}))
    assert (job["state"], job["error"]["code"]) == ("failed", "memory")
    assert two_devices.wait_for(two_devices.put_job(layer))["state"] == "done"

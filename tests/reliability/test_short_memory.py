"""Work that the device has too little memory for is done all the same, and that is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import latentfu
import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
import torch
from latentfu import Latent, OutOfMemoryError, work_in_parts
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from PIL import Image

from tests.support import small_world
from tests.support.serving import Server, pixel_body, wait_until


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


class Room:
    """A device on which the small network draws so many pictures at once; ``asked``: what it was.

    What is drawn at the time of a fault stays as it is, as on a graphics card.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pictures: int) -> None:
        self.asked: list[int] = []
        self.pictures = pictures
        draw = StyleGAN2Generator.render

        def render(generator: StyleGAN2Generator, latent: Latent, *more: object, **named: object):
            self.asked.append(len(latent))
            if len(latent) > self.pictures:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            return draw(generator, latent, *more, **named)  # type: ignore[call-overload]

        monkeypatch.setattr(StyleGAN2Generator, "render", render)


@pytest.fixture
def registry() -> Iterator[None]:
    sources = [
        Source("small", "tests", "", lambda: small_world.PLUGIN),
        Source("inversion", "tests", "", lambda: latentfu_builtin.inversion.plugin),
    ]
    with use_registry(Registry(sources)):
        yield


def find_latent(said: list[str]) -> torch.Tensor:
    generator = small_world.small_generator()
    image = np.random.default_rng(1).uniform(-1, 1, (3, 16, 16)).astype(np.float32)
    crop = latentfu.Crop(image, latentfu.Quad.square(0, 0, 16), "test")
    inverter = latentfu.inverters()["w-plus"]
    options = {**inverter.options, "candidates": 16, "steps": 3, "losses": "pixels"}

    def told(fraction: float, message: str = "") -> None:
        said.append(message)

    return inverter.invert(latentfu.InversionRequest(crop, generator, told, options)).latent.codes


def test_fewer_candidates_at_once_find_the_same(
    isolated_home: Path, registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = find_latent([])
    room, said = Room(monkeypatch, pictures=3), list[str]()
    tight = find_latent(said)
    assert torch.allclose(roomy, tight, atol=1e-5)
    assert "There was too little memory for 16 at once: 8 at a time" in said
    assert "There was too little memory for 4 at once: 2 at a time" in said
    assert [count for count in room.asked if count > 1][:4] == [16, 8, 4, 2]
    assert room.asked.count(2) == 8


def test_a_folder_is_inverted_in_smaller_batches(
    isolated_home: Path,
    registry: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(5):
        noise = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(noise).save(photos / f"{number}.png")
    room = Room(monkeypatch, pictures=2)
    words = ["invert", str(photos), "-o", str(tmp_path / "out"), "--generator", "small"]
    words += ["--inverter", "w-plus", "--losses", "pixels", "--steps", "4", "--batch", "5"]
    assert run([*words, "--aligner", "center", "--json"]) == 0
    assert len(list((tmp_path / "out").glob("*.safetensors"))) == 5
    assert room.asked[0] == 5 and 2 in room.asked
    assert room.asked.index(2) < 3  # halved, not one by one


def test_what_does_not_fit_alone_is_said() -> None:
    seen: list[tuple[int, int]] = []

    def work(part: slice) -> int:
        seen.append((part.start, part.stop))
        if 2 in range(part.start, part.stop):
            raise MemoryError
        return part.stop - part.start

    with pytest.raises(OutOfMemoryError):
        work_in_parts(work, 5, 4)
    assert seen == [(0, 4), (0, 2), (2, 4), (2, 3)]
    with pytest.raises(ValueError, match="not memory"):
        work_in_parts(lambda part: int("not memory"), 5, 4)


TIGHT = """
from latentfu import GeneratorSpec, hookimpl

ID = "{id}"


def load(device):
    import torch
    from latentfu.testing import TinyGenerator

    class Tight(TinyGenerator):
        def render(self, latent, *more, **named):
            if len(latent) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().render(latent, *more, **named)

    return Tight(device=device)


@hookimpl
def latentfu_generators():
    return [GeneratorSpec("tight", "Tight", "test", 16, ID, load, aligner="center")]
"""


def test_the_server_draws_fewer_at_once(tmp_path: Path) -> None:
    from latentfu.testing import TinyGenerator

    plugins = tmp_path / "home" / "config" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "tight.py").write_text(TIGHT.replace("{id}", TinyGenerator().id))
    server = Server(tmp_path / "home", real=True)
    try:
        layer = server.put_layer(pixel_body(40, 40, 3)[:16] + bytes(n % 251 for n in range(4800)))
        asked = {"generator": "tight", "inverter": "optimise", "aligner": "center"}
        job = server.put_job(layer, kind="invert", **asked)
        wait_until(lambda: server.job(job)["state"] in ("done", "failed"), 240.0)
        assert server.job(job)["state"] == "done", server.job(job)["error"]
        assert "too little memory for 16 at once: 8 at a time" in server.log
        assert "too little memory for 4 at once: 2 at a time" in server.log
        assert "once more with nothing else in it" not in server.log
    finally:
        server.stop()

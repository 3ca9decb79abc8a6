"""Targets, layers and the order of truncation; sweeps; transfers; packs of directions."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import latentfu
import numpy as np
import pytest
import tifffile
import torch
from click.testing import CliRunner, Result
from latentfu import BadInputError, Control, ControlEffect
from latentfu.cli.main import program
from latentfu.cli.plugins import pack_files, write_package
from latentfu.pipeline.apply_controls import EditOptions, apply_controls
from latentfu.pipeline.cache import ControlCache
from latentfu.protocol.requests import EditRequest, build_request
from latentfu.storage.direction_control import DirectionEffect
from latentfu.storage.directions import write_direction
from PIL import Image

from tests.support import small_world

RED = small_world.direction("red", 1)
CONTROLS = {d.name: small_world.control(d) for d in small_world.DIRECTIONS}
ON = ("--generator", "small", "--inverter", "instant", "--aligner", "center", "--local")


def edited(ways: EditOptions, edits: dict[str, float] | None = None, psi: float = 1.0) -> Any:
    generator = small_world.small_generator()
    latent = latentfu.random_latents(generator, 2, 0)
    return latent, apply_controls(
        latent, edits or {}, CONTROLS, generator, cache=ControlCache(), psi=psi, options=ways
    )


def test_a_target_is_where_every_picture_ends() -> None:
    latent, found = edited(EditOptions(targets={"red": 1.25}))
    mover = DirectionEffect(RED)
    amounts = mover.amount(found, small_world.small_generator())
    assert amounts.tolist() == pytest.approx([1.25, 1.25], abs=1e-5)
    assert not torch.equal(found.codes, latent.codes)


def test_layers_keep_a_direction_out_of_the_others() -> None:
    latent, found = edited(EditOptions(only={"red": (2, 3)}), {"red": 2.0})
    moved = (found.codes - latent.codes).abs().sum(dim=(0, 2)) > 0
    assert moved.nonzero().flatten().tolist() == [2, 3]


def test_truncation_before_keeps_the_edit_whole() -> None:
    _, after = edited(EditOptions(), {"red": 2.0}, psi=0.5)
    _, before = edited(EditOptions(truncate_first=True), {"red": 2.0}, psi=0.5)
    step = before.codes - after.codes
    assert torch.allclose(step, torch.from_numpy(RED.vector).expand_as(step), atol=1e-5)


def test_what_can_not_be_reached_is_one_sentence() -> None:
    class Plain(ControlEffect):
        def apply(self, latent: Any, strength: float, generator: Any) -> Any:
            return latent

    plain = Control("odd", "Odd", "", small_world.ID, Plain)
    generator = small_world.small_generator()
    with pytest.raises(BadInputError, match="it has a strength"):
        apply_controls(
            generator.mean_latent(), {}, {"odd": plain}, generator, cache=ControlCache(),
            options=EditOptions(targets={"odd": 1.0}),
        )  # fmt: skip
    for more, words in (
        ({"targets": {"red": 1.0}}, "a strength and a target"),
        ({"only": {"tall": (0, 1)}}, "not moved"),
    ):
        with pytest.raises(BadInputError, match=words):
            build_request(EditRequest, layer="0" * 64, edits={"red": 1.0}, **more)


@pytest.fixture
def picture(isolated_home: Path, registered: Any, tmp_path: Path) -> Path:
    registered(small_world)
    path = tmp_path / "in.png"
    pixels = np.random.default_rng(0).integers(0, 256, (33, 41, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def call(*words: object) -> Result:
    return CliRunner().invoke(program, [*map(str, words)])


def test_a_sweep_is_a_film_or_a_folder(picture: Path, tmp_path: Path) -> None:
    told = call("sweep", picture, "--set", "red=-2..2", "--frames", 5, "-o", tmp_path / "f", *ON)
    assert told.exit_code == 0, told.exception
    frames = sorted((tmp_path / "f").iterdir())
    assert [path.name for path in frames] == [f"{i:04}.png" for i in range(1, 6)]
    single = call("edit", picture, "--set", "red=2", "-o", tmp_path / "two.png", *ON)
    assert single.exit_code == 0, single.exception
    last, two = (np.asarray(Image.open(p)) for p in (frames[-1], tmp_path / "two.png"))
    assert np.array_equal(last, two)
    for name in ("s.gif", "s.webp"):
        words = ("--set", "red=-1..1", "--frames", 3, "--back", "-o", tmp_path / name)
        assert call("sweep", picture, *words, *ON).exit_code == 0
        with Image.open(tmp_path / name) as film:
            assert film.n_frames == 4
    assert call("sweep", picture, "--set", "red=1", "-o", tmp_path / "x.gif", *ON).exit_code == 2


def test_a_transfer_goes_where_the_exemplar_stands(picture: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (40, 40), (200, 30, 60)).save(other)
    words = ("transfer", picture, other, "--along", "red", "-o", tmp_path / "t.png")
    told = call(*words, "--json", *ON)
    assert told.exit_code == 0, told.exception
    import json

    report = json.loads(told.stdout)
    assert report["to"]["red"] == pytest.approx(report["exemplar"]["red"])
    assert report["from"]["red"] != report["to"]["red"]
    with Image.open(picture) as image:
        deep = np.asarray(image.convert("RGB")).astype(np.uint16) * 257 + 3
    tifffile.imwrite(tmp_path / "deep.tif", deep, photometric="rgb", resolution=(300, 300),
                     resolutionunit="INCH")  # fmt: skip
    again = ("transfer", tmp_path / "deep.tif", *words[2:], *ON)
    assert call(*again).exit_code == 0
    with Image.open(tmp_path / "t.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    kept = cv2.imdecode(np.fromfile(tmp_path / "t.png", np.uint8), cv2.IMREAD_UNCHANGED)
    assert kept is not None and kept.dtype == np.uint16
    refused = call(*words, "--identity", 1, *ON)
    assert "knows persons" in str(refused.exception)


def test_a_pack_is_installed_and_listed_with_author_and_licence(
    isolated_home: Path, tmp_path: Path
) -> None:
    """The package that is written, on the path of a fresh process as pip would leave it."""
    file = write_direction(tmp_path / "red.safetensors", replace(RED, group="own"))
    with pytest.raises(BadInputError, match="names no author"):
        pack_files([file], "", "", "my-directions")
    files = pack_files([file], "Ada", "CC0-1.0", "my-directions")
    pack = write_package("my-directions", tmp_path, files)
    site = tmp_path / "site"
    words = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*words, "--target", site, pack], check=True, capture_output=True)
    code = (
        "import latentfu, latentfu.testing.tiny as t, dataclasses\n"
        "from latentfu.plugin_manager import get_registry\n"
        f"spec = dataclasses.replace(t.tiny_spec(), id={small_world.ID!r})\n"
        "c = get_registry().controls(spec)['red']\n"
        "print(c.author, c.licence, c.group)"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["Ada", "CC0-1.0", "my-directions"]

"""Two networks of the shape of those that strangers publish: a DCGAN and a gray VAE, only z."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu import Crop, Quad
from latentfu.core.progress import silent
from latentfu.pipeline.invert import choose_inverters
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source, all_sources
from latentfu.testing import check_controls, check_encoder, check_generator
from PIL import Image

from tests.support import stand_ins
from tests.support.program import Program

SPECS = {"gan": stand_ins.GAN, "vae": stand_ins.VAE}
ENOUGH = 40.0
"""dB on their own samples that a default inversion has to reach."""


@pytest.fixture(autouse=True)
def house(isolated_home: Path) -> Iterator[None]:
    """The stand-ins beside everything that is installed, in files as a person has them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with use_registry(Registry([*all_sources(), Source("stand-ins", "", "", lambda: stand_ins)])):
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def as_file(isolated_home: Path) -> None:
    folder = isolated_home / "config" / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stand-ins.py").write_text("from tests.support.stand_ins import *  # noqa: F403\n")


@pytest.mark.parametrize("name", SPECS)
def test_they_keep_their_contract(name: str) -> None:
    generator = check_generator(SPECS[name])
    assert [one.name for one in check_controls(stand_ins, generator, SPECS[name])] == ["first"]


@pytest.mark.slow
def test_the_encoder_keeps_its_contract() -> None:
    (encoder,) = stand_ins.latentfu_encoders()
    check_encoder(encoder, stand_ins.open_vae("cpu"))


@pytest.mark.parametrize("name", SPECS)
def test_more_quality_is_never_worse_and_good_is_enough(name: str) -> None:
    generator = SPECS[name].load("cpu")
    for seed in (1, 2):
        image = generator.render(latentfu.random_latents(generator, 1, seed))[0].numpy()
        crop = Crop(np.ascontiguousarray(image, np.float32), Quad.square(0, 0, 64), "center")
        draft, good, best = (_psnr(generator, crop, word) for word in ("draft", "good", "best"))
        assert draft <= good + 1e-3 and good <= best + 1e-3
        assert good >= ENOUGH


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "method"), [("gan", "optimise"), ("vae", "optimise"), ("vae", "encoder-refined")]
)
def test_codes_alone_are_enough_too(name: str, method: str) -> None:
    generator = SPECS[name].load("cpu")
    image = generator.render(latentfu.random_latents(generator, 1, 3))[0].numpy()
    crop = Crop(np.ascontiguousarray(image, np.float32), Quad.square(0, 0, 64), "center")
    inverter = latentfu.inverters()[method]
    found = inverter.invert(
        latentfu.InversionRequest(crop, generator, silent, dict(inverter.options))
    )
    assert not found.latent.details and found.quality.psnr >= ENOUGH


def _psnr(generator: latentfu.Generator, crop: Crop, quality: str) -> float:
    """Measured on the picture that is rendered, not as the method says."""
    inverter, options = choose_inverters(latentfu.inverters(), generator, None, quality)[0]
    request = latentfu.InversionRequest(crop, generator, silent, {**inverter.options, **options})
    found = inverter.invert(request)
    off = generator.render(found.latent)[0].detach() - torch.from_numpy(crop.image)
    return float(10 * torch.log10(4 / off.square().mean()))


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_the_program_lists_renders_edits_and_deforms(
    as_file: None, name: str, latentfu_program: Program, tmp_path: Path
) -> None:
    spec = SPECS[name]
    listed = latentfu_program("generators", "list", "--json").json["generators"]
    assert spec.name in [one["name"] for one in listed]
    drawn, out = tmp_path / "drawn", tmp_path / "out.png"
    one = ("--generator", spec.name)
    ran = latentfu_program("generators", "render", spec.name, "-o", drawn, "--count", "1")
    assert ran.code == 0, ran.err
    (picture,) = drawn.glob("*.png")
    ran = latentfu_program(
        "edit", picture, "-o", out, *one, "--set", "first=2", "--region", "whole", "--local"
    )
    assert ran.code == 0, ran.err
    before, after = (np.asarray(Image.open(path).convert("RGB"), float) for path in (picture, out))
    generator = spec.load("cpu")
    latent = latentfu.random_latents(generator, 1, seed=0)
    moved = stand_ins.FirstNumber().apply(latent, 2.0, generator)
    drawn_change = 127.5 * (generator.render(moved) - generator.render(latent)).abs().mean()
    assert np.abs(after - before).mean() > 0.6 * float(drawn_change)  # its border is soft
    found = tmp_path / "found"
    ran = latentfu_program(
        "deformations", "discover", *one, "--layer", "1", "--method", "svd", "--out", found
    )
    assert ran.code == 0, ran.err
    assert list(found.glob("*.safetensors"))


def test_previews_move(as_file: None) -> None:
    generator = stand_ins.open_gan("cpu")
    still = generator.mean_latent()
    moved = stand_ins.FirstNumber().apply(still, 2.0, generator)
    shown: Any = [generator.preview(each, 64) for each in (still, moved)]
    assert (shown[0] - shown[1]).abs().mean() > 0.01


@pytest.mark.slow
def test_it_is_typed_strictly() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", str(Path(stand_ins.__file__))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Success" in done.stdout, done.stdout + done.stderr

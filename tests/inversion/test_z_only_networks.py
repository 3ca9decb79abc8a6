"""Networks with nothing but z: an encoder never makes an inversion worse, and no search stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu import Crop, Latent, Quad
from latentfu.core.progress import silent
from latentfu.pipeline.invert import choose_inverters
from latentfu.testing import TinyGenerator, spec_of


class Affine(TinyGenerator):
    """Pictures tanh(z M): an encoder can be exact."""

    name = "affine"
    domain = "affine"

    def __init__(self, flat: bool = False) -> None:
        super().__init__(seed=3)
        draw = torch.Generator().manual_seed(4)
        self.matrix = torch.randn(8, 3 * 16 * 16, generator=draw) * 0.3
        self.flat = flat
        self.id = ("e" if flat else "f") * 64

    def render(self, latent: Latent, noise: Any = "const", features: Any = None) -> Any:
        latent.check_generator(self.id)
        codes = latent.codes * latent.codes.abs() if self.flat else latent.codes
        return (codes @ self.matrix).tanh().reshape(-1, 3, 16, 16)

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        flat = pictures.flatten(1).clamp(-0.999999, 0.999999).atanh()
        return flat @ torch.linalg.pinv(self.matrix)


def house(generator: Affine, error: float | None = None) -> SimpleNamespace:
    """A plug-in with the generator and, with an ``error``, its encoder, off by so much."""

    @latentfu.hookimpl
    def latentfu_generators() -> list[latentfu.GeneratorSpec]:
        return [spec_of(generator)]

    @latentfu.hookimpl
    def latentfu_encoders() -> list[latentfu.Encoder]:
        if error is None:
            return []
        push = error * torch.ones(8)
        return [
            latentfu.Encoder(
                "affine-encoder", "Exact", "", lambda g: lambda p: generator.encode(p) + push,
                space="z", fits=lambda g: g.id == generator.id,
            )
        ]  # fmt: skip

    return SimpleNamespace(
        latentfu_generators=latentfu_generators,
        latentfu_encoders=latentfu_encoders,
        __name__="affine-house",
    )


def crop_of(generator: Affine, seed: int) -> Crop:
    """A picture of the generator's own."""
    image = generator.render(latentfu.random_latents(generator, 1, seed))[0].numpy()
    return Crop(image.astype(np.float32), Quad.square(0, 0, 16), "center")


def psnr(generator: Affine, crop: Crop, quality: str) -> float:
    """What the best installed method for a quality reaches."""
    found = choose_inverters(latentfu.inverters(), generator, None, quality)
    inverter, options = found[0]
    asked = latentfu.InversionRequest(crop, generator, silent, {**inverter.options, **options})
    return inverter.invert(asked).quality.psnr


@pytest.mark.parametrize("error", [0.0, 0.15])
def test_best_is_never_worse_than_good_nor_good_than_draft(
    registered: Callable[..., Any], error: float
) -> None:
    generator = Affine()
    registered(house(generator, error))
    for seed in (1, 2):
        crop = crop_of(generator, seed)
        draft, good, best = (psnr(generator, crop, word) for word in ("draft", "good", "best"))
        assert draft <= good + 1e-3
        assert good <= best + 1e-3
        assert best > (55.0 if error == 0 else 40.0)


def test_an_encoder_helps(registered: Callable[..., Any]) -> None:
    generator = Affine()
    crop = crop_of(generator, 1)
    registered(house(generator))
    without = psnr(generator, crop, "good")
    registered(house(generator, 0.0))
    assert psnr(generator, crop, "good") >= without


def test_a_search_leaves_a_flat_start(registered: Callable[..., Any]) -> None:
    """z = 0 has no slope here, and its picture is nearer than those of random codes."""
    generator = Affine(flat=True)
    registered(house(generator))
    picture = generator.render(Latent(torch.full((1, 8), 0.12), "z", generator.id))[0].numpy()
    crop = Crop(picture.astype(np.float32), Quad.square(0, 0, 16), "center")
    mean = latentfu.Latent(torch.zeros(1, 8), "z", generator.id)
    start = float((generator.render(mean)[0] - torch.from_numpy(crop.image)).square().mean())
    inverter = latentfu.inverters()["optimise"]
    options = {**inverter.options, "steps": 200}
    found = inverter.invert(latentfu.InversionRequest(crop, generator, silent, options))
    error = float(
        (generator.render(found.latent)[0] - torch.from_numpy(crop.image)).square().mean()
    )
    assert found.latent.codes.abs().max() > 0
    assert error < start / 2


@pytest.fixture(autouse=True)
def _few_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

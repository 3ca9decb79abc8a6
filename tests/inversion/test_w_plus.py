"""The inverter w-plus on a small random network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from latentfu import (
    BadInputError,
    CancelledError,
    Crop,
    Inversion,
    InversionRequest,
    Quad,
    random_latents,
)
from latentfu.core.progress import silent
from latentfu_builtin.inversion.coordinates import measure_spread
from latentfu_builtin.inversion.losses import pyramid
from latentfu_builtin.inversion.optimize import optimize_latent
from latentfu_builtin.inversion.settings import PRESETS

from tests.support.small_world import ID, small_generator

QUICK = {**PRESETS["w-plus"].options, "losses": "pixels", "steps": 60, "candidates": 16}


def invert(asked: InversionRequest) -> Inversion:
    return optimize_latent(asked, "w-plus")


def crop_of(image: np.ndarray[Any, Any]) -> Crop:
    return Crop(np.asarray(image, np.float32), Quad.square(0, 0, 16), "test")


def own_picture(seed: int) -> np.ndarray[Any, Any]:
    generator = small_generator()
    with torch.no_grad():
        return generator.render(random_latents(generator, 1, seed))[0].clamp(-1, 1).numpy()


def request(image: np.ndarray[Any, Any], **options: float | int | str | bool) -> InversionRequest:
    return InversionRequest(crop_of(image), small_generator(), silent, {**QUICK, **options})


def test_it_comes_much_closer_than_the_mean_and_says_so_truly() -> None:
    image = own_picture(5)
    found = invert(request(image))
    generator = small_generator()
    with torch.no_grad():
        shown = generator.render(found.latent)[0].clamp(-1, 1).numpy()
        mean = generator.render(generator.mean_latent())[0].clamp(-1, 1).numpy()
    error = float(((shown - image) ** 2).mean())
    assert error < 0.25 * float(((mean - image) ** 2).mean())
    assert found.quality.psnr == pytest.approx(10 * np.log10(4 / error), abs=0.01)
    assert (found.latent.space, found.latent.generator_id) == ("w+", ID)
    assert (found.steps, found.method) == (60, "w-plus")


def test_the_same_request_gives_the_same_codes() -> None:
    image = own_picture(6)
    assert torch.equal(invert(request(image)).latent.codes, invert(request(image)).latent.codes)


def test_the_prior_keeps_codes_near_the_generators_own() -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16))
    spread = measure_spread(small_generator())

    def size(prior: float) -> float:
        codes = invert(request(noise, prior=prior)).latent.codes
        return float(spread.whitened(codes).square().mean())

    assert size(0.5) < 0.5 * size(0.0)


def test_whitening_and_codes_are_inverse_and_random_codes_have_size_1() -> None:
    generator = small_generator()
    spread = measure_spread(generator)
    w = random_latents(generator, 500, 9).codes[:, 0]
    p = spread.whitened(w)
    assert torch.allclose(spread.codes(p), w, atol=1e-3)
    assert 0.1 < float(p.square().mean()) < 1.5


def test_progress_rises_pictures_are_shown_and_cancelling_works() -> None:
    told: list[float] = []
    shown: list[tuple[int, ...]] = []
    asked = InversionRequest(
        crop_of(own_picture(7)),
        small_generator(),
        lambda done, message="": told.append(done),
        QUICK,
        lambda image: shown.append(tuple(image.shape)),
    )
    invert(asked)
    assert told == sorted(told) and told[-1] == 1.0
    assert len(shown) >= 3 and set(shown) == {(1, 3, 16, 16)}

    def stop(fraction: float, message: str = "") -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        invert(InversionRequest(crop_of(own_picture(7)), small_generator(), stop, QUICK))


def test_a_picture_of_no_numbers_is_one_sentence() -> None:
    with pytest.raises(BadInputError, match="no numbers"):
        invert(request(np.full((3, 16, 16), np.nan)))


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("rate", 0.0), ("cascade", 2.0), ("losses", "nobody")]
)
def test_senseless_options_are_one_sentence(name: str, value: float | str) -> None:
    with pytest.raises(BadInputError, match=name if name != "losses" else "nobody"):
        invert(request(own_picture(5), **{name: value}))


def test_pixel_loss_is_zero_for_equal_pictures_and_sees_a_shift_less_than_a_color() -> None:
    a = torch.from_numpy(own_picture(8))[None]
    assert float(pyramid(a, a)) == 0.0
    assert float(pyramid(a, a.roll(1, 3))) < float(pyramid(a, -a))

"""What holds for every architecture, whatever the codes: hypothesis looks for a counterexample.

The networks are those of the reference files, each imported once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import latentfu
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu import FeatureOffset, Generator, Latent, WeightOffset, read_foreign
from safetensors.numpy import save_file
from torch import Tensor

FOLDER = Path(__file__).parent
PLACES = {
    "stylegan1": "stylegan1/genforce-sg1-pth/res64-shared-conv",
    "stylegan2": "checkpoints/nvlabs-ada-pkl/uncond-f-map8",
    "stylegan2-labels": "checkpoints/nvlabs-ada-pkl/cond-c3",
    "stylegan3-t": "stylegan3/stylegan3-t",
    "stylegan3-r": "stylegan3/stylegan3-r",
    "w++": "wplusplus/wpp-64",
}
TOLERANCE = 1e-4
"""Of the picture's own range."""

seeds = st.integers(0, 2**31)
strengths = st.floats(-1, 1.5, width=16)
few = settings(max_examples=6, deadline=None)


@pytest.fixture(scope="module", params=PLACES)
def generator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator:
    foreign = read_foreign(next((FOLDER / PLACES[request.param]).glob("network.*")))
    converts = [f.convert for f in latentfu.checkpoint_formats().values() if f.convert]
    found = next(made for convert in converts if (made := convert(foreign)) is not None)
    path = tmp_path_factory.mktemp("laws") / "network.safetensors"
    save_file(found.tensors, path, found.metadata)
    return latentfu.open_generator(path)


def codes(generator: Generator, n: int, seed: int) -> Latent:
    """Codes whose rows differ, so that a style in the wrong layer is seen."""
    latent = latentfu.random_latents(generator, n, seed)
    spread = latent.codes.std()
    more = torch.randn(latent.codes.shape, generator=torch.Generator().manual_seed(seed))
    return latent.with_codes(latent.codes + 0.5 * spread * more)


def assert_same(a: Tensor, b: Tensor) -> None:
    assert a.shape == b.shape
    span = float(b.max() - b.min())
    assert float((a - b).abs().max()) <= TOLERANCE * span


@few
@given(seed=seeds, n=st.integers(2, 4), noise=st.sampled_from(["const", "none"]))
def test_a_batch_of_n_equals_n_times_one(
    generator: Generator, seed: int, n: int, noise: latentfu.Noise
) -> None:
    latent, wanted = codes(generator, n, seed), [0, len(generator.layers) // 2]
    with torch.no_grad():
        together, kept = generator.render(latent, noise, wanted)
        rows = [latent.with_codes(row[None]) for row in latent.codes]
        assert_same(together, torch.cat([generator.render(row, noise) for row in rows]))
        alone = [generator.render(row, noise, wanted)[1] for row in rows]
    for layer in wanted:
        assert_same(kept[layer], torch.cat([one[layer] for one in alone]))


@few
@given(
    seed=seeds,
    ends=st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted),
    side=st.sampled_from([1, 5, 64]),
)
def test_mixing_a_code_with_itself_is_itself(
    generator: Generator, seed: int, ends: list[int], side: int
) -> None:
    a, b = codes(generator, 1, seed), codes(generator, 1, seed + 1)
    mask = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(seed))
    layers = range(ends[0], ends[1] + 1)
    with torch.no_grad():
        plain = generator.render(a)
        assert_same(generator.mix(a, a, layers, mask), plain)
        assert_same(generator.mix(a, a, layers), plain)
        assert torch.equal(generator.mix(a, b, layers, torch.zeros_like(mask)), plain)
        assert_same(generator.mix(a, b, range(generator.num_ws)), generator.render(b))
        crossed = a.codes.clone()
        crossed[:, layers.start : layers.stop] = b.codes[:, layers.start : layers.stop]
        assert_same(generator.mix(a, b, layers), generator.render(a.with_codes(crossed)))


@few
@given(seed=seeds, psi=strengths, cutoff=st.integers(0, 12))
def test_truncation_is_a_straight_line_to_the_mean(
    generator: Generator, seed: int, psi: float, cutoff: int
) -> None:
    z = torch.randn(2, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        whole, mean = generator.map(z).codes, generator.mean_latent().codes
        pulled = generator.map(z, psi, cutoff).codes
    assert torch.equal(pulled[:, cutoff:], whole[:, cutoff:])
    first = slice(None, cutoff)
    line = mean[:, first] + psi * (whole[:, first] - mean[:, first])
    torch.testing.assert_close(pulled[:, first], line, atol=1e-4, rtol=1e-4)
    assert torch.equal(generator.map(z, 0.0).codes, mean.expand_as(whole))


def slopes(change: Callable[[Tensor], Tensor], start: Tensor, size: float) -> tuple[float, float]:
    """Of a weighted sum of the pixels along its gradient: as autograd says, and as measured."""
    begin = start.clone().requires_grad_(True)
    image = change(begin)
    weights = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    (image * weights).sum().backward()
    assert begin.grad is not None and bool(begin.grad.isfinite().all())
    way = begin.grad / begin.grad.square().mean().sqrt()
    with torch.no_grad():
        ends = [(change(start + sign * size * way) * weights).double().sum() for sign in (1, -1)]
    return float((begin.grad * way).sum()), float(ends[0] - ends[1]) / (2 * size)


@pytest.mark.parametrize("what", ["codes", "noise", "details", "weights"])
def test_gradients_are_those_that_are_measured(generator: Generator, what: str) -> None:
    latent = codes(generator, 1, 5)
    place = len(generator.layers) // 2
    layer = generator.layers[place]
    if what == "noise" and not layer.noise:
        pytest.skip("StyleGAN3 has no noise")
    shift = torch.zeros_like(generator.parameter(layer.weight))
    delta = torch.zeros(1, layer.channels, layer.resolution, layer.resolution)
    noise = torch.randn(1, 1, layer.resolution, layer.resolution)
    change, start = {
        "codes": (lambda x: generator.render(latent.with_codes(x)), latent.codes),
        "noise": (lambda x: generator.render(latent, {place: x}), noise),
        "details": (
            lambda x: generator.render(replace(latent, details=(FeatureOffset(place, x),))),
            delta,
        ),
        "weights": (
            lambda x: generator.render(replace(latent, bends=(WeightOffset(layer.weight, x),))),
            shift,
        ),
    }[what]
    exact, measured = slopes(change, start, 2e-4)
    # Leaky ReLUs bend within the step, and pictures are float32: a missing factor is far more.
    assert exact > 0 and abs(exact - measured) < 0.06 * exact

"""Convolution by tiles gives what the direct one gives, and is taken only where it may be."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from latentfu_builtin.networks.stylegan import winograd
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from torch import Tensor

_LOST = 128 * torch.finfo(torch.float32).eps
"""What rounding may cost of a tile's terms; 63 roundings at worst in 400 pictures of noise."""
sides = st.integers(1, 5).map(lambda count: 4 * count)


@settings(max_examples=25, deadline=None)
@example(n=3, inputs=6, outputs=8, size=(8, 8), room=1, part=2)
@given(
    n=st.integers(1, 3),
    inputs=st.integers(1, 9),
    outputs=st.integers(1, 9),
    size=st.tuples(sides, sides),
    room=st.sampled_from([1, 4000, 1 << 20]),
    part=st.sampled_from([2, 256]),
)
def test_it_is_the_convolution(
    n: int, inputs: int, outputs: int, size: tuple[int, int], room: int, part: int
) -> None:
    draw = torch.Generator().manual_seed(n * inputs + outputs)
    x = torch.randn(n, inputs, *size, generator=draw)
    weight = torch.randn(outputs, inputs, 3, 3, generator=draw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "ROOM", room)
        patch.setattr(winograd, "PART", part)
        patch.setattr(winograd, "OUTPUTS", 3 * part)
        found = winograd.convolve(x, winograd.transform_kernel(weight))
        once = winograd.convolve_once(x, weight)
    wanted = F.conv2d(x.double(), weight.double(), padding=1)
    # A tile of 6 x 6 inputs loses digits of the largest of its sums of terms.
    terms = F.conv2d(x.double().abs(), weight.double().abs(), padding=1)
    added = F.max_pool2d(terms, 7, stride=1, padding=3)
    for result in (found, once):
        assert bool(((result.double() - wanted).abs() <= _LOST * added).all())
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def large() -> StyleGAN2:
    """A network with one layer that is done by tiles, the last."""
    torch.manual_seed(3)
    config = StyleGAN2Config(64, z_dim=8, w_dim=8, mapping_layers=1, channels=(8, 8, 8, 8, 256))
    net = StyleGAN2(config).eval().requires_grad_(False)
    for conv in net.synthesis.convs:
        conv.noise_strength.fill_(0.3)
    return net


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that were done by tiles."""
    seen: list[int] = []
    convolve = winograd.convolve

    def counting(x: Tensor, kernel: Tensor, result: Tensor | None = None) -> Tensor:
        seen.append(len(x))
        return convolve(x, kernel, result)

    monkeypatch.setattr(winograd, "convolve", counting)
    return seen


def test_a_network_draws_the_same_by_tiles(
    large: StyleGAN2, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = large.map(torch.randn(2, 8))
    with torch.no_grad():
        both = large.synthesis(ws)
        alone = torch.cat([large.synthesis(row[None]) for row in ws])
        assert counted == [1, 1, 1, 1]
        monkeypatch.setattr(winograd, "LEAST_CHANNELS", 1000)
        direct = large.synthesis(ws)
    assert counted == [1, 1, 1, 1]
    span = float(direct.max() - direct.min())
    assert float((both - direct).abs().max()) < 1e-5 * span
    assert float((alone - direct).abs().max()) < 1e-5 * span


def test_not_with_gradients_nor_in_transforms_nor_in_other_numbers(
    large: StyleGAN2, counted: list[int]
) -> None:
    ws = large.map(torch.randn(1, 8)).requires_grad_(True)
    large.synthesis(ws).sum().backward()
    assert ws.grad is not None and bool(ws.grad.isfinite().all())
    with torch.no_grad():
        torch.func.jvp(large.synthesis, (ws.detach(),), (torch.ones_like(ws),))
        large.synthesis(ws, dtype=torch.bfloat16)
    assert counted == []


def test_the_constants_are_winograds() -> None:
    """A kernel of one tap moves the tile; of 36 products none is left over."""
    with torch.no_grad():
        for place in range(9):
            weight = torch.zeros(1, 1, 9)
            weight[..., place] = 1.0
            x = torch.arange(16.0).view(1, 1, 4, 4)
            moved = F.pad(x, (1, 1, 1, 1))[..., place // 3 :, place % 3 :][..., :4, :4]
            found = winograd.convolve(x, winograd.transform_kernel(weight.view(1, 1, 3, 3)))
            torch.testing.assert_close(found, moved, atol=1e-4, rtol=0)

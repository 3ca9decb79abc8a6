"""Doubling by phases gives what the transposed convolution gives, where it may be taken."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu_builtin.networks.stylegan import polyphase as phases
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config, synthesis
from torch import Tensor


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(1, 3),
    inputs=st.integers(1, 9),
    outputs=st.integers(1, 9),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_it_is_the_transposed_convolution(
    n: int, inputs: int, outputs: int, size: tuple[int, int]
) -> None:
    draw = torch.Generator().manual_seed(n * inputs + outputs)
    x = torch.randn(n, inputs, *size, generator=draw)
    weight = torch.randn(outputs, inputs, 3, 3, generator=draw)
    found = phases.doubled(x, weight)
    turned = weight.transpose(0, 1).flip(2, 3).double()
    wanted = F.conv_transpose2d(x.double(), turned, stride=2)
    torch.testing.assert_close(found.double(), wanted, atol=1e-4, rtol=1e-4)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def net() -> StyleGAN2:
    torch.manual_seed(4)
    config = StyleGAN2Config(128, z_dim=8, w_dim=8, mapping_layers=1, channels=(8,) * 6)
    net = StyleGAN2(config).eval().requires_grad_(False)
    for conv in net.synthesis.convs:
        conv.noise_strength.fill_(0.3)
    return net


def test_a_network_draws_the_same_by_phases(
    net: StyleGAN2, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = net.map(torch.randn(1, 8))
    seen: list[int] = []
    doubled = phases.doubled

    def counting(x: Tensor, weight: Tensor) -> Tensor:
        seen.append(x.shape[-1])
        return doubled(x, weight)

    monkeypatch.setattr(phases, "doubled", counting)
    with torch.no_grad():
        direct = net.synthesis(ws)
        assert seen == []
        monkeypatch.setattr(phases, "LEAST_SIDE", 16)
        monkeypatch.setattr(phases, "LEAST_WORK", 1)
        by_phases = net.synthesis(ws)
        assert seen == [16, 32, 64]
        net.synthesis(ws, dtype=torch.bfloat16)
        torch.func.jvp(net.synthesis, (ws,), (torch.ones_like(ws),))
    net.synthesis(ws.clone().requires_grad_(True)).sum().backward()
    assert seen == [16, 32, 64], "in other numbers and with gradients it is the direct way"
    span = float(direct.max() - direct.min())
    assert float((by_phases - direct).abs().max()) < 1e-5 * span


@pytest.mark.parametrize("own", [False, True])
def test_a_batch_with_large_layers_drawn_alone_is_the_batch(
    net: StyleGAN2, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = net.map(torch.randn(3, 8))
    noise = {4: torch.randn(3, 1, 16, 16), 9: torch.randn(1, 1, 128, 128)} if own else "const"
    details = {5: torch.randn(3, 8, 32, 32), 8: torch.randn(1, 8, 64, 64)} if own else {}
    with torch.no_grad():
        alone = net.synthesis(ws, noise=noise, details=details)
        monkeypatch.setattr(synthesis, "ALONE_FROM", 4096)
        together = net.synthesis(ws, noise=noise, details=details)
    assert alone.shape == (3, 3, 128, 128)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-5)

"""The StyleGAN2 network: shapes, exactness of mixing and truncation, gradients, files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from latentfu import BadInputError, read_metadata
from latentfu_builtin.networks.stylegan.layers import fir_kernel, upsample_2x
from latentfu_builtin.networks.stylegan.stylegan2 import (
    Discriminator,
    StyleGAN2,
    StyleGAN2Config,
    load_network,
    save_network,
)
from latentfu_builtin.networks.stylegan.stylegan2.layers import ModulatedConv
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import mix_styles
from safetensors.torch import load_file, save_file

CONFIG = StyleGAN2Config(resolution=16, z_dim=8, w_dim=12, mapping_layers=2, channels=(16, 12, 8))


@pytest.fixture
def net() -> StyleGAN2:
    torch.manual_seed(1)
    net = StyleGAN2(CONFIG)
    net.mapping.set_w_avg(200)
    for conv in net.synthesis.convs:
        conv.noise_strength.data.fill_(0.3)
    return net.eval()


def test_shapes(net: StyleGAN2) -> None:
    ws = net.map(torch.randn(3, 8))
    assert ws.shape == (3, CONFIG.num_ws, 12)
    assert CONFIG.num_ws == 6 and CONFIG.num_layers == 5
    image, features = net.synthesis(ws, features=[0, 4])
    assert image.shape == (3, 3, 16, 16)
    assert {k: tuple(v.shape) for k, v in features.items()} == {0: (3, 16, 4, 4), 4: (3, 8, 16, 16)}


def test_a_batch_equals_its_pictures_one_by_one(net: StyleGAN2) -> None:
    z = torch.randn(4, 8)
    singly = torch.cat([net(row[None]) for row in z])
    torch.testing.assert_close(net(z), singly, atol=1e-5, rtol=1e-4)


def test_steps_equal_forward(net: StyleGAN2) -> None:
    ws = net.map(torch.randn(2, 8))
    state = net.synthesis.start(2)
    for i in range(CONFIG.num_layers):
        state = net.synthesis.step(i, state, ws)
    assert torch.equal(net.synthesis.finish(state), net.synthesis(ws))
    with pytest.raises(ValueError, match="layer"):
        net.synthesis.step(0, state, ws)


def test_noise_kinds(net: StyleGAN2) -> None:
    ws = net.map(torch.randn(2, 8))
    const = net.synthesis(ws)
    assert torch.equal(const, net.synthesis(ws))
    own = {i: conv.noise_const[None, None] for i, conv in enumerate(net.synthesis.convs)}
    assert torch.equal(const, net.synthesis(ws, noise=own))
    assert not torch.equal(const, net.synthesis(ws, noise="none"))
    assert not torch.equal(net.synthesis(ws, noise="random"), net.synthesis(ws, noise="random"))


def test_modulated_convolution_equals_the_papers_grouped_form() -> None:
    torch.manual_seed(0)
    conv = ModulatedConv(5, 7, 3, 6)
    x, w = torch.randn(3, 5, 8, 8), torch.randn(3, 6)
    style = conv.affine(w)
    weight = conv.weight[None] * style[:, None, :, None, None]
    weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    expected = F.conv2d(x.reshape(1, 15, 8, 8), weight.reshape(21, 5, 3, 3), padding=1, groups=3)
    torch.testing.assert_close(conv(x, w), expected.reshape(3, 7, 8, 8), atol=1e-5, rtol=1e-4)


def test_upsampling_keeps_a_flat_picture_flat_inside() -> None:
    up = upsample_2x(torch.full((1, 2, 6, 6), 0.5), fir_kernel(4.0))
    assert up.shape == (1, 2, 12, 12)
    torch.testing.assert_close(up[:, :, 2:-2, 2:-2], torch.full((1, 2, 8, 8), 0.5))


def test_psi_zero_is_the_mean_and_cutoff_spares_the_rest(net: StyleGAN2) -> None:
    z = torch.randn(3, 8)
    mean = net.mapping.w_avg.expand(3, CONFIG.num_ws, -1)
    assert torch.equal(net.map(z, psi=0.0), mean)
    cut = net.map(z, psi=0.0, cutoff=2)
    assert torch.equal(cut[:, :2], mean[:, :2])
    assert torch.equal(cut[:, 2:], net.map(z)[:, 2:])


def test_mixing_is_exact_at_both_ends(net: StyleGAN2) -> None:
    a, b = net.map(torch.randn(2, 8)), net.map(torch.randn(2, 8))
    everything = range(CONFIG.num_ws)
    ones, zeros = torch.ones(1, 1, 37, 37), torch.zeros(1, 1, 37, 37)
    image_a, image_b = net.synthesis(a), net.synthesis(b)
    assert torch.equal(mix_styles(net.synthesis, a, b, everything, zeros), image_a)
    assert torch.equal(mix_styles(net.synthesis, a, b, everything, ones), image_b)
    assert torch.equal(mix_styles(net.synthesis, a, b, range(0), ones), image_a)
    crossed = torch.cat([a[:, :2], b[:, 2:4], a[:, 4:]], dim=1)
    assert torch.equal(mix_styles(net.synthesis, a, b, range(2, 4), ones), net.synthesis(crossed))
    assert torch.equal(mix_styles(net.synthesis, a, a, everything, torch.rand(1, 1, 8, 8)), image_a)


def test_a_mask_acts_mostly_where_it_is(net: StyleGAN2) -> None:
    a, b = net.map(torch.randn(1, 8)), net.map(torch.randn(1, 8))
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 8:] = 1
    change = (
        (mix_styles(net.synthesis, a, b, range(4, 6), mask) - net.synthesis(a))
        .abs()
        .mean(dim=(0, 1))
    )
    assert change[:, :6].max() < 1e-6 < change[:, 10:].mean()


def test_mix_refuses_bad_input(net: StyleGAN2) -> None:
    ws = net.map(torch.randn(1, 8))
    with pytest.raises(ValueError, match=r"0\.\.5"):
        mix_styles(net.synthesis, ws, ws, range(7), torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match="mask"):
        mix_styles(net.synthesis, ws, ws, range(2), torch.zeros(4, 4))
    with pytest.raises(ValueError, match="shape"):
        net.synthesis(ws[:, :3])


def test_gradients_reach_styles_noise_and_weights(net: StyleGAN2) -> None:
    ws = net.map(torch.randn(2, 8)).detach().requires_grad_()
    noise = {
        i: c.noise_const[None, None].clone().requires_grad_()
        for i, c in enumerate(net.synthesis.convs)
    }
    net.synthesis(ws, noise=noise).square().mean().backward()
    assert ws.grad is not None and bool((ws.grad.abs().sum(dim=(0, 2)) > 0).all())
    assert all(n.grad is not None and n.grad.abs().sum() > 0 for n in noise.values())
    assert all(p.grad is not None for p in net.synthesis.parameters())


def test_discriminator_gives_one_number_a_picture_and_has_second_gradients() -> None:
    torch.manual_seed(0)
    judge = Discriminator(CONFIG)
    image = torch.randn(4, 3, 16, 16, requires_grad=True)
    logits = judge(image)
    assert logits.shape == (4,)
    (gradient,) = torch.autograd.grad(logits.sum(), image, create_graph=True)
    gradient.square().sum().backward()
    assert judge.from_rgb.weight.grad is not None


def test_save_and_load_round_trip(net: StyleGAN2, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_network(first, net, {"domain": "portraits", "licence": "Apache-2.0"})
    loaded = load_network(first)
    save_network(second, loaded)
    one, two = load_file(first), load_file(second)
    assert set(one) == set(two) and all(torch.equal(one[k], two[k]) for k in one)
    assert read_metadata(first) == read_metadata(second)
    assert loaded.metadata["domain"] == "portraits" and loaded.config == CONFIG
    z = torch.randn(2, 8)
    torch.testing.assert_close(loaded(z), net(z), atol=3e-2, rtol=3e-2)
    exact = tmp_path / "c.safetensors"
    save_network(exact, net, dtype=torch.float32)
    assert torch.equal(load_network(exact)(z), net(z))


def test_loading_refuses_foreign_files_in_one_sentence(net: StyleGAN2, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_network(path, net)
    tensors, metadata = load_file(path), read_metadata(path)

    def refused(changed: dict[str, torch.Tensor], notes: dict[str, str], words: str) -> None:
        save_file(changed, path, notes)
        with pytest.raises(ValueError, match=words):
            load_network(path)

    const = tensors["synthesis.const"]
    refused({k: v for k, v in tensors.items() if k != "synthesis.const"}, metadata, "lacks")
    refused({**tensors, "synthesis.const": const[:, :2].clone()}, metadata, "shape")
    refused({**tensors, "extra": const.clone()}, metadata, "does not know: extra")
    refused(tensors, {"architecture": "other"}, "no stylegan2")
    refused(tensors, {**metadata, "config": "{"}, "not JSON")
    path.write_text("hello")
    with pytest.raises(BadInputError, match="cannot be read"):
        load_network(path)


def test_config_refuses_what_makes_no_network() -> None:
    with pytest.raises(ValueError, match="power of two"):
        StyleGAN2Config(resolution=48)
    with pytest.raises(ValueError, match="channels"):
        StyleGAN2Config(resolution=128)

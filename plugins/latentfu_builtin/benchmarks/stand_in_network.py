"""A network of the published size without the published weights, and an encoder for it.

The built-in network lies inside layers as wide as those of StyleGAN2's config f, with small random
layers above: it draws what the built-in one draws, at the size and the cost of the real one.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2

_CHANNELS = 512
_QUIET = 0.2
"""Of the colors that the layers above the built-in network add."""
_SOURCE = "portraits"


def write_stand_in(path: Path, resolution: int) -> None:
    """Write a network of ``resolution`` pixels with the widths of config f to ``path``."""
    from latentfu_builtin.networks.stylegan.mapped_network import save_network

    save_network(path, _widen_builtin(resolution), {"domain": _SOURCE, "licence": "Apache-2.0"})


def _widen_builtin(resolution: int) -> StyleGAN2:
    """The built-in network, zeros beside its numbers, random layers above its size."""
    import latentfu
    import torch

    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
    from latentfu_builtin.networks.stylegan.stylegan2.config import default_channels
    from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

    source = latentfu.open_generator(_SOURCE)
    assert isinstance(source, StyleGAN2Generator)
    small, known = source.network.config, source.network.state_dict()
    torch.manual_seed(0)
    config = StyleGAN2Config(
        resolution=resolution,
        z_dim=small.z_dim,
        w_dim=max(_CHANNELS, small.w_dim),
        mapping_layers=small.mapping_layers,
        mapping_lr_multiplier=small.mapping_lr_multiplier,
        channels=default_channels(resolution, base=64 * _CHANNELS, limit=_CHANNELS),
    )
    network = StyleGAN2(config)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            old = known.get(name)
            if old is not None:
                value.zero_()
                # equalized weights are divided by the root of what they read
                more = (
                    value.shape[1] / old.shape[1]
                    if value.ndim >= 2 and "const" not in name
                    else 1.0
                )
                place = tuple(slice(0, size) for size in old.shape)
                value[place] = old * math.sqrt(more)
            elif name.startswith("synthesis.rgbs.") and "affine" not in name:
                value.mul_(_QUIET)
    return network.eval().requires_grad_(False)


def write_stand_in_encoder(path: Path, stand_in: Path) -> None:
    """Write the built-in network's encoder, widened to the codes of ``stand_in``.

    It finds what the built-in one finds. A published encoder (a ResNet-50) takes longer itself.
    """
    import latentfu
    import torch

    from latentfu_builtin.encoders.encoder_file import load_encoder, save_encoder
    from latentfu_builtin.networks.encoders.pyramid_encoder import EncoderConfig, PictureEncoder
    from latentfu_builtin.portraits.shipped import ENCODER

    generator = latentfu.open_generator(str(stand_in), "cpu")
    small = load_encoder(ENCODER)
    old_layers, old = small.config.shape
    mean = generator.mean_latent().codes[0]  # [layers, depth]
    layers, depth = mean.shape
    config = EncoderConfig(small.config.size, (layers, depth), "w+", small.config.widths)
    encoder = PictureEncoder(config)
    wide = encoder.state_dict()
    for name, value in small.state_dict().items():
        if wide[name].shape == value.shape:
            wide[name].copy_(value)
    with torch.no_grad():
        for part, count in (("shared", 1), ("apart", old_layers)):
            for kind in ("weight", "bias"):
                known = small.state_dict()[f"{part}.{kind}"].reshape(count, old, -1)
                place = wide[f"{part}.{kind}"].zero_().view(-1, depth, known.shape[-1])
                place[:count, :old] = known
        wide["axes"].zero_()[:old, :old] = small.axes
        wide["mean"].copy_(mean)
    save_encoder(path, encoder, generator.id, {"domain": _SOURCE, "generator": "real"})

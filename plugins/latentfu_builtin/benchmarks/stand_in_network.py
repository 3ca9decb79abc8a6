"""A network of the published size without the published weights, and an encoder for it.

The built-in network lies inside layers as wide as those of StyleGAN2's config f, with random
channels beside it, which its picture does not read, and small random layers above, which do: it
draws what the built-in one draws, at the size and the cost of the real one, and a detail of its
features has as many channels to speak through.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2

_CHANNELS = 512
_QUIET = 0.05
"""Of the colors that the layers above the built-in network add."""
_DOMAIN = "faces"


def write_stand_in(path: Path, resolution: int) -> None:
    """Write a network of ``resolution`` pixels with the widths of config f to ``path``."""
    from latentfu_builtin.networks.stylegan.mapped_network import save_network

    save_network(path, _widen_builtin(resolution), {"domain": _DOMAIN, "licence": "Apache-2.0"})


def _widen_builtin(resolution: int) -> StyleGAN2:
    """The built-in network, other channels beside its own, random layers above its size."""
    import torch

    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
    from latentfu_builtin.networks.stylegan.stylegan2.config import default_channels
    from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
    from latentfu_builtin.people_network.shipped import load_people_generator

    source = load_people_generator("cpu")
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
                own = name.startswith("synthesis.convs.") and name.endswith(".weight")
                # its channels read themselves alone, the others everything
                (value[: len(old)] if own and value.ndim == 4 else value).zero_()
                if name.startswith("synthesis.convs.") and name.endswith("affine.bias"):
                    value.fill_(1.0)
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
    from latentfu_builtin.people_network.shipped import ENCODER

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
    save_encoder(path, encoder, generator.id, {"domain": _DOMAIN, "generator": "real"})

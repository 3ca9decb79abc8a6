"""A network in a file and a scorer in a single-file plug-in, as a person has them."""

from __future__ import annotations

from pathlib import Path

import torch
from latentfu import Scorer, hookimpl
from latentfu_builtin.networks.stylegan.mapped_network import save_network
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config


def load_brightness(device: str) -> object:
    """Reads how bright the halves of a picture are."""

    def read(images: torch.Tensor) -> torch.Tensor:
        halves = images.mean(dim=1).chunk(2, dim=1)
        return torch.stack([half.mean(dim=(1, 2)) for half in halves], dim=1)

    return read


@hookimpl
def latentfu_scorers() -> list[Scorer]:
    return [Scorer("halves", "Halves", "small", ("above", "below"), load_brightness)]  # type: ignore[arg-type]


def furnish(home: Path) -> None:
    """Put an imported network ``little`` and the scorer's plug-in into an empty LATENTFU_HOME."""
    torch.manual_seed(1)
    config = StyleGAN2Config(
        resolution=16, z_dim=8, w_dim=16, mapping_layers=2, channels=(16, 16, 16)
    )
    network = StyleGAN2(config).eval().requires_grad_(False)
    network.mapping.set_w_avg(256)
    generators, plugins = home / "data" / "generators", home / "config" / "plugins"
    for folder in (generators, plugins):
        folder.mkdir(parents=True)
    save_network(generators / "little.safetensors", network, {"domain": "small"}, torch.float32)
    (plugins / "halves.py").write_text("from tests.support.engine_world import *  # noqa: F403\n")

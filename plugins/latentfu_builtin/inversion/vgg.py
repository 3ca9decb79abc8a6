"""Distances in the features of VGG16: at one layer, and LPIPS."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from latentfu import BadInputError
from torch import Tensor, nn

from latentfu_builtin.inversion import backbone

Distance = Callable[[Tensor, Tensor], Tensor]

LARGEST = 256
"""Larger pictures are averaged down first, as in all three projects that the presets follow."""
LAYERS = 30
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def vgg16_distance(device: str, layer: int = 12, path: str = "") -> Distance:
    """Mean squared difference after the first ``layer`` modules of VGG16's convolutions.

    12 ends with relu3_1. Raises BadInputError for a layer outside 1..30 and NotInstalledError
    when the weights are not on this disk.
    """
    if not 1 <= layer <= LAYERS:
        raise BadInputError(f"VGG16 has the layers 1 to {LAYERS}, not {layer}.")
    network = backbone.features(backbone.find(path))[:layer].to(device)
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
    spread = torch.tensor(SPREAD, device=device).view(1, 3, 1, 1)

    def seen(image: Tensor) -> Tensor:
        image = ((fitted(image) + 1.0) / 2.0 - mean) / spread  # [N, 3, <= 256, <= 256]
        features: Tensor = network(image)
        return features

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return (seen(a) - seen(b)).square().mean(dim=(1, 2, 3))

    return distance


def lpips_distance(device: str, path: str = "") -> Distance:
    """LPIPS with VGG16 (Zhang et al. 2018); NotInstalledError without the backbone's weights."""
    file = backbone.find(path)
    network = lpips_network(file).to(device)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        value: Tensor = network(fitted(a), fitted(b))
        return value.flatten()

    return distance


def lpips_network(file: Path) -> nn.Module:
    """The network of the package lpips over the backbone in ``file``, frozen."""
    import lpips

    convolutions = backbone.features(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's words about an old argument
        network: Any = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False)
    own = [layer for part in slices(network) for layer in part]
    for mine, loaded in zip(own, convolutions, strict=False):
        if isinstance(mine, nn.Conv2d):
            mine.load_state_dict(loaded.state_dict())
    frozen: nn.Module = network.eval().requires_grad_(False)
    return frozen


def slices(network: Any) -> list[nn.Sequential]:
    """The five stretches of convolutions after which LPIPS compares."""
    return [getattr(network.net, f"slice{number}") for number in range(1, 6)]


def fitted(image: Tensor) -> Tensor:
    """At most 256 px (averaged) and at least 64 (VGG halves pictures four times)."""
    side = image.shape[-1]
    if side > LARGEST:
        return F.interpolate(image, size=LARGEST, mode="area")
    if side < 64:
        return F.interpolate(image, size=64, mode="bilinear", align_corners=False)
    return image

"""Inversion: the latent found for a crop, and how well it shows the crop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latentfu.nouns.latent import Latent

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Quality:
    """How close the rendered inversion is to the crop it was made from.

    ``psnr``: dB over the crop, peak-to-peak 2 in -1..1. ``perceptual``: the perceptual distance
    that the inverter used (0 is equal), named by ``perceptual_name``. ``seconds``: time taken.
    """

    psnr: float
    perceptual: float
    perceptual_name: str
    seconds: float


@dataclass(frozen=True)
class Inversion:
    """A latent with its quality, and the detail some methods keep beside it.

    ``detail``: named tensors that the method needs to render again (noise, features, tuned
    weights); empty for plain methods. ``method``: the inverter's name. ``steps``: optimisation
    steps done (0 for encoders).
    """

    latent: Latent
    quality: Quality
    method: str
    steps: int = 0
    detail: Mapping[str, torch.Tensor] = field(default_factory=dict)

"""Inversion: the latent found for a crop, and how well it shows the crop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latentfu.core.deprecation import rename_fields
from latentfu.core.latent import Latent

if TYPE_CHECKING:
    import torch


@rename_fields(beyond="out_of_domain")
@dataclass(frozen=True)
class Quality:
    """How close the rendered inversion is to the crop it was made from.

    ``psnr``: dB over the crop, peak-to-peak 2 in -1..1. ``perceptual``: the perceptual distance
    that the inverter used (0 is equal), named by ``perceptual_name``. ``seconds``: time taken.
    ``parts``: where the time went, in seconds by name. Measured by the program afterwards:
    ``identity``: cosine of the two pictures' identities (1 is the same person), None without a
    model for it; ``out_of_domain``: the error that the codes alone leave, over the usual
    difference between two of the generator's own pictures (0 is none, 1 is as far off as a
    picture at random), None where it was not measured.
    """

    psnr: float
    perceptual: float
    perceptual_name: str
    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)
    identity: float | None = None
    out_of_domain: float | None = None


@dataclass(frozen=True)
class Inversion:
    """A latent with its quality, and the detail some methods keep beside it.

    ``detail``: named tensors that the method needs to render again (noise, features, tuned
    weights); empty for plain methods. ``method``: the inverter's name. ``steps``: optimization
    steps done (0 for encoders).
    """

    latent: Latent
    quality: Quality
    method: str
    steps: int = 0
    detail: Mapping[str, torch.Tensor] = field(default_factory=dict)

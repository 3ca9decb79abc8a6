"""Latent: codes in a space, and offsets beside them. Inversion: the latent found for a crop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from latentfu.core.deprecation import rename_fields
from latentfu.core.errors import BadInputError, WrongGeneratorError

if TYPE_CHECKING:
    import torch

Space = Literal["z", "w", "w+", "w++"]
"""A latent space of a StyleGAN: z is noise, w is mapped, w+ has one code for each style (Abdal et
al. 2019), w++ one for each style of an adapted network. Other networks have only z."""


@dataclass(frozen=True)
class WeightOffset:
    """A change of the network's weights that goes with a latent: a deformation, or a tuning.

    ``parameter``: a name that ``Generator.parameter`` knows. ``shift``: a tensor of that
    parameter's shape, added ``strength`` times (a number, or a tensor ``[N]``, one for each
    code). Gradients flow to both.
    """

    parameter: str
    shift: torch.Tensor
    strength: float | torch.Tensor = 1.0


@dataclass(frozen=True)
class FeatureOffset:
    """Feature maps that no code describes, added to what synthesis layer ``layer`` gives.

    ``delta``: ``[N or 1, C, H, W]``, of the layer's shape. Gradients flow to it.
    """

    layer: int
    delta: torch.Tensor


@dataclass(frozen=True)
class Latent:
    """A batch of latent codes, and what of the picture no code can say.

    ``codes``: float32 tensor, ``[N, z_dim]`` for z, ``[N, w_dim]`` for w,
    ``[N, num_ws, w_dim]`` for w+ and w++. ``generator_id``: sha256 of the generator's weights.
    ``bends`` and ``details`` act when the latent is rendered; the generator keeps its weights.
    Raises BadInputError for codes of another number of dimensions.

    >>> import torch
    >>> len(Latent(torch.zeros(4, 14, 512), "w+", "0" * 64))
    4
    """

    codes: torch.Tensor
    space: Space
    generator_id: str
    bends: tuple[WeightOffset, ...] = ()
    details: tuple[FeatureOffset, ...] = ()

    def __post_init__(self) -> None:
        wanted = 2 if self.space in ("z", "w") else 3
        if self.codes.ndim != wanted:
            raise BadInputError(
                f"A latent in {self.space} has {wanted} dimensions, not {self.codes.ndim}."
            )

    def __len__(self) -> int:
        return int(self.codes.shape[0])

    def with_codes(self, codes: torch.Tensor) -> Latent:
        """The same space, generator, bends and details with other codes.

        Args:
            codes: ``[N, ...]`` as the space has them.

        Returns:
            A new latent; this one stays as it is.
        """
        return replace(self, codes=codes)

    def check_generator(self, generator_id: str) -> None:
        """Refuse to be used with another generator.

        Args:
            generator_id: sha256 of the weights of the generator in use.

        Raises:
            WrongGeneratorError: the latent was made for other weights.
        """
        if self.generator_id != generator_id:
            raise WrongGeneratorError(
                f"This latent was made for generator {self.generator_id[:12]}, not for "
                f"{generator_id[:12]}: open the generator it was made with, or invert again."
            )


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

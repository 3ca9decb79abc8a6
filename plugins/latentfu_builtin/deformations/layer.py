"""The convolution that is deformed, and pictures with it deformed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import latentfu
import torch
from latentfu import BadInputError, Generator, Latent, NotInstalledError, WeightOffset
from torch import Tensor


@dataclass(frozen=True)
class Convolution:
    """One layer of a generator that shows its weights."""

    generator: Generator
    layer: int

    def __post_init__(self) -> None:
        count = len(self.generator.layers)
        if count == 0:
            raise BadInputError(f"The generator {self.generator.name} shows no layers to deform.")
        if not 0 <= self.layer < count:
            raise BadInputError(
                f"The generator {self.generator.name} has no layer {self.layer}: give a number "
                f"from 0 to {count - 1}."
            )

    @property
    def parameter(self) -> str:
        """The weights' name."""
        return self.generator.layers[self.layer].weight

    @property
    def weight(self) -> Tensor:
        """The weights ``[out, in, k, k]``."""
        return self.generator.parameter(self.parameter).detach()

    def rank(self) -> int:
        """How many singular directions the weights have."""
        out = self.weight.shape[0]
        return min(out, self.weight[0].numel())

    def bent(self, latent: Latent, shift: Tensor, strength: float | Tensor = 1.0) -> Latent:
        """``latent`` with ``shift [out, in, k, k]`` added ``strength`` times."""
        return replace(latent, bends=(*latent.bends, WeightOffset(self.parameter, shift, strength)))

    def render(self, latent: Latent, shift: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Pictures ``[N, 3, R, R]`` with the layer deformed."""
        return self.generator.render(self.bent(latent, shift, strength))


def opened(name: str | None, device: str = "auto") -> Generator:
    """The generator ``name``, the first listed for None; NotInstalledError when there is none."""
    names = list(latentfu.generators())
    if name is None and not names:
        raise NotInstalledError("There is no generator to deform: install one first.")
    return latentfu.open_generator(name or names[0], device)


def check_count(count: int, most: int, what: str) -> None:
    """Refuse more deformations than there can be (raises BadInputError)."""
    if not 1 <= count <= most:
        raise BadInputError(f"{count} deformations were asked for; {what} has at most {most}.")


def unit(shift: Tensor) -> Tensor:
    """``shift`` with norm 1 over the whole kernel."""
    length: Tensor = torch.linalg.vector_norm(shift)
    return shift / length.clamp_min(1e-12)

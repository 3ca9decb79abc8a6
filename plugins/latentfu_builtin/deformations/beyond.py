"""How much of what a deformation does no direction can do."""

from __future__ import annotations

from dataclasses import dataclass

import latentfu
import torch
import torch.nn.functional as F
from latentfu import Generator, Progress, random_latents
from torch import Tensor

from latentfu_builtin.deformations.layer import Convolution

SIDE = 32


@dataclass(frozen=True)
class Reach:
    """What the directions of a generator reach around a few samples.

    ``spans``: for each sample an orthonormal ``[3 S S, directions]`` of the changes that the
    directions make; ``plain [N, 3 S S]``: the samples, small.
    """

    samples: latentfu.Latent
    plain: Tensor
    spans: list[Tensor]

    @torch.no_grad()
    def beyond(self, convolution: Convolution, shift: Tensor) -> float:
        """The share (0..1) of the change by ``shift`` that no mixture of directions makes.

        As energy of the small pictures' change, the mean over samples, at strength 1.
        """
        deformed = small(convolution.render(self.samples, shift))
        left = []
        for change, span in zip(deformed - self.plain, self.spans, strict=True):
            rest = change - span @ (span.T @ change)
            left.append(float(rest.square().sum() / change.square().sum().clamp_min(1e-12)))
        return sum(left) / len(left)


def small(images: Tensor) -> Tensor:
    """Pictures ``[N, 3, R, R]`` -> ``[N, 3 S S]``, averaged down."""
    side = min(SIDE, images.shape[-1])
    return F.interpolate(images, size=(side, side), mode="area").flatten(1)


@torch.no_grad()
def reach_of(generator: Generator, progress: Progress, samples: int = 4, seed: int = 11) -> Reach:
    """The reach of all installed directions, each moved by one unit to either side."""
    latents = random_latents(generator, samples, seed, psi=0.8)
    plain = small(generator.render(latents))
    controls = latentfu.controls(generator).values()
    changes = []
    directions = [control for control in controls if control.kind == "direction"]
    for place, control in enumerate(directions):
        progress(place / len(directions), f"Looking at {control.name}")
        mover = control.load()
        for strength in (-1.0, 1.0):
            changes.append(
                small(generator.render(mover.move(latents, strength, generator))) - plain
            )
    if not changes:
        return Reach(latents, plain, [plain.new_zeros(plain.shape[1], 1)] * samples)
    stacked = torch.stack(changes)  # [2 D, N, 3 S S]
    spans = [torch.linalg.qr(stacked[:, row].T)[0] for row in range(samples)]
    return Reach(latents, plain, spans)

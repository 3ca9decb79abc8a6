"""Small changes to training pictures, so that an encoder also reads what is not a render."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def changed(x: Tensor, random: torch.Generator) -> Tensor:
    """Pictures [N, 3, H, W] in -1..1, some of them blurred, tinted, noisy or a little moved."""
    x = moved(x, random)
    x = blurred(x, random)
    x = tinted(x, random)
    x = grainy(x, random)
    return x.clamp(-1, 1)


def some(count: int, share: float, random: torch.Generator) -> Tensor:
    """[N, 1, 1, 1] of 1 for about ``share`` of the pictures, else 0."""
    return (torch.rand(count, 1, 1, 1, generator=random) < share).float()


def tinted(x: Tensor, random: torch.Generator, strength: float = 0.04) -> Tensor:
    """Brightness and the gain of each colour of half of the pictures."""
    n = x.shape[0]
    gain = strength * torch.randn(n, 3, 1, 1, generator=random)
    lift = strength * torch.randn(n, 1, 1, 1, generator=random)
    return x + some(n, 0.5, random) * (x * gain + lift)


def grainy(x: Tensor, random: torch.Generator, most: float = 0.06) -> Tensor:
    """Noise over half of the pictures."""
    n = x.shape[0]
    amount = some(n, 0.5, random) * most * torch.rand(n, 1, 1, 1, generator=random)
    return x + amount * torch.randn(x.shape, generator=random)


def blurred(x: Tensor, random: torch.Generator) -> Tensor:
    """A third of the pictures a little out of focus."""
    n = x.shape[0]
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    amount = some(n, 0.34, random) * torch.rand(n, 1, 1, 1, generator=random)
    return torch.lerp(x, soft, amount)


def moved(x: Tensor, random: torch.Generator, little: float = 0.012, far: float = 0.1) -> Tensor:
    """Three quarters of the pictures shifted, a third of these by up to ``far`` of their side.

    An aligner's crop is never exact, and sometimes wrong; colours must be read all the same.
    Borders are repeated.
    """
    n = x.shape[0]
    moves = (2 * torch.rand(n, 2, generator=random) - 1) * 2
    reach = little * some(n, 0.67, random) + far * some(n, 0.25, random)
    matrices = torch.eye(2, 3).repeat(n, 1, 1)
    matrices[:, :, 2] = moves * reach[:, :, 0, 0]
    grid = F.affine_grid(matrices, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)

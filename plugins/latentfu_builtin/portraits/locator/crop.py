"""From five landmarks to the standard crop, without rotation (roll belongs to the generator)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def fit_scale_and_shift(points: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """The least-squares scale [N] and shift [N, 2] with points ~ scale * mean + shift.

    points: [N, 5, 2]; mean: [5, 2], the mean landmarks in the standard crop, 0..1.
    The shift is the crop's upper left corner and the scale its side, in the units of points.
    """
    centre, middle = points.mean(dim=1), mean.mean(dim=0)
    spread = (mean - middle).square().sum()
    scale = ((points - centre[:, None]) * (mean - middle)).sum(dim=(1, 2)) / spread
    scale = scale.clamp_min(1e-6)
    return scale, centre - scale[:, None] * middle


@dataclass(frozen=True)
class CropFit:
    """The fit to the mean landmarks [5, 2], and a correction [K, 3] for turned heads.

    The mean fits a head that looks straight ahead. When it turns, the landmarks wander in the
    crop, in a way that their arrangement tells; the correction is a quadratic function of it,
    fitted by ridge regression to renders whose crop is known.
    """

    mean: Tensor
    correction: Tensor

    def crop(self, points: Tensor) -> Tensor:
        """points [N, 5, 2] -> the crops' left, top and side [N, 3], in the units of points."""
        scale, shift = fit_scale_and_shift(points, self.mean)
        moves = arrangement(points) @ self.correction  # [N, 3], in sides of the fitted crop
        side = scale * (1.0 + moves[:, 2])
        middle = shift + scale[:, None] * (0.5 + moves[:, :2])
        return torch.cat([middle - side[:, None] / 2, side[:, None]], dim=1)


def arrangement(points: Tensor) -> Tensor:
    """A constant, the landmarks without place and size, and their products: [N, 66]."""
    flat = points - points.mean(dim=1, keepdim=True)
    size = flat.square().sum(dim=2).mean(dim=1).sqrt().clamp_min(1e-6)
    flat = (flat / size[:, None, None]).flatten(1)  # [N, 10]
    rows, columns = torch.triu_indices(10, 10)
    one = torch.ones_like(flat[:, :1])
    return torch.cat([one, flat, flat[:, rows] * flat[:, columns]], dim=1)


def learn_crop_fit(landmarks: Tensor, noise: float = 0.006, seed: int = 0) -> CropFit:
    """The fit from landmarks [M, 5, 2] of portraits in their standard crop, 0..1.

    noise: how wrong found landmarks are expected to be, in sides of the crop.
    """
    mean = landmarks.mean(dim=0)
    random = torch.Generator().manual_seed(seed)
    seen = landmarks.repeat(2, 1, 1)
    seen = seen + noise * torch.randn(seen.shape, generator=random)
    scale, shift = fit_scale_and_shift(seen, mean)
    wanted_shift = (0.5 - shift) / scale[:, None] - 0.5
    wanted = torch.cat([wanted_shift, (1.0 / scale - 1.0)[:, None]], dim=1).double()
    inputs = arrangement(seen).double()
    ridge = 1e-3 * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.float64)
    solution = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ wanted)
    return CropFit(mean, solution.float())

"""The losses of the trainer: paired regression, logistic adversarial, R1, path length."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

EYES_AND_MOUTH = ((0, 0.055), (1, 0.055), (3, 0.05), (4, 0.05))
"""Which of the first five landmarks (eyes, nose, mouth corners) get weight, and how wide."""
SMALL = 0.03
"""How wide the weight is around each further landmark."""


def _bump(center: Tensor, resolution: int, width: float, across: float = 1.0) -> Tensor:
    """1 at each center [N, 2] (x, y in 0..1), falling off within `width` -> [N, R, R].

    across: how much wider than high it is.
    """
    grid = (torch.arange(resolution, device=center.device) + 0.5) / resolution
    dx = (grid[None] - center[:, :1]) / (across * width)
    dy = (grid[None] - center[:, 1:]) / width
    high, wide = torch.exp(-0.5 * dy.square()), torch.exp(-0.5 * dx.square())
    return high[:, :, None] * wide[:, None, :]  # [N, R, R]


def landmark_weights(landmarks: Tensor, resolution: int, strength: float) -> Tensor:
    """A smooth map [N, 1, R, R]: 1 everywhere, up to 1 + strength at the eyes and the mouth.

    landmarks: [N, L, 2] (left eye, right eye, nose, left and right mouth corner, then small things
    or nothing), x and y in 0..1 of the picture. The middle of the mouth is weighted too.
    """
    n = landmarks.shape[0]
    middle = landmarks[:, 3:5].mean(dim=1)
    centers = [(landmarks[:, i], width) for i, width in EYES_AND_MOUTH] + [(middle, 0.05)]
    centers += [(landmarks[:, i], SMALL) for i in range(5, landmarks.shape[1])]
    total = torch.zeros(n, resolution, resolution, device=landmarks.device)
    for center, width in centers:
        here = _bump(center, resolution, width, across=1.3)  # eyes and mouths are wide
        total = torch.maximum(total, here)
    return 1.0 + strength * total[:, None]


def small_things(landmarks: Tensor, resolution: int) -> Tensor:
    """A smooth map [N, 1, R, R]: 1 at the landmarks after the first five, 0 far from them."""
    n = landmarks.shape[0]
    total = torch.zeros(n, resolution, resolution, device=landmarks.device)
    for i in range(5, landmarks.shape[1]):
        total = torch.maximum(total, _bump(landmarks[:, i], resolution, SMALL))
    return total[:, None]


def small_loss(
    made: Tensor, target: Tensor, landmarks: Tensor, marked: Tensor | None = None
) -> Tensor:
    """Squared error near small things, [N], by `small_things`, and where `marked` [N, R, R] says.

    As long as a network does not know to the pixel where a small thing is, absolute errors are
    least without it; squared ones are least for a faint one, which grows clear.
    """
    near = small_things(landmarks, made.shape[-1])
    if marked is not None:
        near = torch.maximum(near, marked[:, None])
    return ((made - target).square() * near).mean(dim=(1, 2, 3))


def add_missing_detail(target: Tensor, made: Tensor, enlarged: Tensor) -> Tensor:
    """Targets [N, 3, R, R] with what enlarged ones do not show taken from what was made.

    A picture that was rendered `enlarged [N]` times smaller says what averages are, and nothing of
    what is within them: there a network is left as it is.
    """
    made = made.detach()
    out = target.clone()
    for times in sorted(set(enlarged.tolist())):
        if times > 1:
            rows = enlarged == times
            low = F.avg_pool2d(made[rows], times)  # [n, 3, R / times, R / times]
            low = F.interpolate(low, scale_factor=float(times), mode="nearest")
            out[rows] += made[rows] - low
    return out


def paired_loss(made: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
    """L1 of the pixels plus L1 of their differences to the right and below, weighted, [N].

    made, target: [N, 3, R, R]; weights: [N, 1, R, R] or None.
    """
    error = made - target
    if weights is None:
        weights = torch.ones_like(error[:, :1])
    across = (error[..., 1:] - error[..., :-1]).abs() * weights[..., 1:]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * weights[..., 1:, :]
    scale = weights.mean(dim=(1, 2, 3))
    flat = (error.abs() * weights).mean(dim=(1, 2, 3))
    return (flat + across.mean(dim=(1, 2, 3)) + down.mean(dim=(1, 2, 3))) / scale


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating logistic loss of the generator, from the discriminator's logits [N]."""
    return F.softplus(-fake_logits).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Logistic loss of the discriminator."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def r1_penalty(real_logits: Tensor, images: Tensor) -> Tensor:
    """Mean squared gradient of the logits [N] at real images [N, 3, R, R] (Mescheder 2018)."""
    (gradient,) = torch.autograd.grad(real_logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def path_lengths(images: Tensor, ws: Tensor) -> Tensor:
    """How far the picture moves for a small step of the styles, per picture [N].

    images [N, 3, R, R] must have been made from ws [N, num_ws, w_dim] with gradients.
    """
    noise = torch.randn_like(images) / math.sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad((images * noise).sum(), ws, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


def psnr(made: Tensor, target: Tensor) -> Tensor:
    """Peak signal to noise ratio in dB per picture [N]; range -1..1, made is clamp_features."""
    error = (made.clamp(-1, 1) - target).square().mean(dim=(1, 2, 3))
    return 10.0 * torch.log10(4.0 / error.clamp_min(1e-10))

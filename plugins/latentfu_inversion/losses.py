"""Distances between pictures that an inversion can minimise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import latentfu
import torch
import torch.nn.functional as F
from latentfu import BadInputError, Generator, NotInstalledError
from torch import Tensor

if TYPE_CHECKING:
    from latentfu import Loss

Distance = Callable[[Tensor, Tensor], Tensor]
"""Two batches [N, 3, R, R] in -1..1 -> [N], differentiable in the first."""

LPIPS_BACKBONE = "vgg16-397923af.pth"


def pyramid(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference at full, half and quarter size, [N]."""
    total = (a - b).square().mean(dim=(1, 2, 3))
    for _ in range(2):
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        total = total + (a - b).square().mean(dim=(1, 2, 3))
    return total / 3.0


def lpips_distance(device: str) -> Distance:
    """LPIPS with VGG16; NotInstalledError when the backbone's weights are not on this disk."""
    if not lpips_on_disk():
        raise NotInstalledError(
            f"LPIPS needs {LPIPS_BACKBONE} in {backbone_folder()}: put it there or use the "
            f"loss pixels."
        )
    import lpips

    network: Any = lpips.LPIPS(net="vgg", verbose=False).to(device).eval().requires_grad_(False)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        value: Tensor = network(at_least_64(a), at_least_64(b))
        return value.flatten()

    return distance


def at_least_64(image: Tensor) -> Tensor:
    """Small pictures enlarged, since VGG halves them four times."""
    if min(image.shape[-2:]) >= 64:
        return image
    return F.interpolate(image, size=64, mode="bilinear", align_corners=False)


def backbone_folder() -> Path:
    """Where torchvision keeps downloaded backbones."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def lpips_on_disk() -> bool:
    """Whether LPIPS can be built without a download."""
    return (backbone_folder() / LPIPS_BACKBONE).is_file()


def perceptual_loss(name: str, generator: Generator) -> tuple[str, Distance | None]:
    """The loss ``name`` and its function; ``auto`` is the domain's own, else LPIPS, else none."""
    installed = latentfu.losses()
    if name == "none":
        return "none", None
    if name != "auto":
        if name not in installed:
            raise BadInputError(f"There is no loss {name!r}; installed: {', '.join(installed)}.")
        return name, installed[name].build(generator)
    own = own_loss(installed, generator.domain)
    if own is not None:
        return own.name, own.build(generator)
    return ("lpips", lpips_distance(str(generator.device))) if lpips_on_disk() else ("none", None)


def own_loss(installed: dict[str, Loss], domain: str) -> Loss | None:
    """The first loss made for ``domain``."""
    return next((loss for loss in installed.values() if domain in loss.domains), None)

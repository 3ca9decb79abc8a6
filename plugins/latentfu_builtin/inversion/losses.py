"""Distances between pictures that an inversion can minimise, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import latentfu
from latentfu import BadInputError, Generator

from latentfu_builtin.inversion import backbone
from latentfu_builtin.inversion.pixel import pyramid
from latentfu_builtin.inversion.vgg import Distance, lpips_distance, vgg16_distance

if TYPE_CHECKING:
    from latentfu import Loss
    from torch import Tensor

__all__ = ["Distance", "built", "lpips_distance", "own_loss", "perceptual_loss", "pyramid"]


def perceptual_loss(name: str, generator: Generator) -> tuple[str, Distance | None]:
    """The loss ``name`` and its function; ``auto`` is the domain's own, else LPIPS, else none."""
    if name == "none":
        return "none", None
    if name != "auto":
        return name, built(name, generator)
    own = own_loss(latentfu.losses(), generator.domain)
    if own is not None:
        return own.name, own.build(generator)
    if backbone.on_disk():
        return "lpips", lpips_distance(str(generator.device))
    return "none", None


def built(name: str, generator: Generator, vgg_layer: int = 12, path: str = "") -> Distance:
    """The installed loss ``name`` as a function; BadInputError when there is none.

    ``vgg_layer`` and ``path`` (of the backbone's weights) count for vgg16 and lpips only.
    """
    device = str(generator.device)
    if name == "vgg16":
        return vgg16_distance(device, vgg_layer, path)
    if name == "lpips":
        return lpips_distance(device, path)
    installed = latentfu.losses()
    if name not in installed:
        raise BadInputError(f"There is no loss {name!r}; installed: {', '.join(installed)}.")
    return installed[name].build(generator)


def own_loss(installed: dict[str, Loss], domain: str) -> Loss | None:
    """The first loss made for ``domain``."""
    return next((loss for loss in installed.values() if domain in loss.domains), None)


def identity_distance(generator: Generator) -> Distance:
    """1 - cosine of the two pictures' identities; BadInputError without a model for the domain."""
    models = latentfu.identities().values()
    model = next((item for item in models if generator.domain in item.domains), None)
    if model is None:
        raise BadInputError(
            f"No installed plug-in knows identities of {generator.domain}: leave out the loss "
            f"identity."
        )
    embed = model.load(str(generator.device))

    def distance(a: Tensor, b: Tensor) -> Tensor:
        import torch.nn.functional as F

        return 1.0 - F.cosine_similarity(embed(a), embed(b), dim=1)

    return distance

"""Distances between pictures by name, and weighted sums of them (``l1:1,lpips:0.8``).

Each takes ``[N, 3, R, R]`` twice in -1..1 and gives [N].
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import latentfu
import torch
import torch.nn.functional as F
from latentfu import (
    BadInputError,
    Generator,
    LatentFuError,
    PluginFailedError,
    call_plugin,
    load_identity,
)
from torch import Tensor

from latentfu_builtin.inversion.vgg import Distance, has_vgg16, lpips_distance, vgg16_distance

if TYPE_CHECKING:
    from latentfu import Loss
    from torch import Tensor

_log = logging.getLogger(__name__)
_BLUR_SIZE, _BLUR_SIGMA = 7, 5.0
"""At 1024 px; smaller pictures are blurred by the same part of their side."""
_OF_ANY_SIZE = ("pixels", "l1", "l2", "log-cosh")
"""Of pictures made smaller these say the same, so nothing is enlarged for them."""
_PIXEL_LOSSES = ("pixels", "l1", "l2", "log-cosh", "blurred-l2", "blurred-log-cosh", "identity")


def build_perceptual_loss(name: str, generator: Generator) -> tuple[str, Distance | None]:
    """The loss ``name`` and its function; ``auto`` is the domain's own, else LPIPS, else none."""
    if name == "none":
        return "none", None
    if name != "auto":
        return name, build_loss(name, generator)
    for own in latentfu.losses().values():
        if generator.domain not in own.domains:
            continue
        try:
            return own.name, _build(own, generator)
        except LatentFuError as error:
            _log.warning("The loss %s is left out: %s", own.name, error)
    if has_vgg16():
        return "lpips", lpips_distance(str(generator.device))
    return "none", None


def build_loss(name: str, generator: Generator, vgg_layer: int = 12, path: str = "") -> Distance:
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
    return _build(installed[name], generator)


def _build(loss: Loss, generator: Generator) -> Distance:
    """The loss as a function that is checked; raises PluginFailedError.

    It is shown pictures of the generator's size, whatever the search looks at, unless it only
    compares pixels.
    """
    distance = call_plugin(loss, "was built", lambda: loss.build(generator))
    sides = (generator.resolution, generator.resolution)

    def checked(a: Tensor, b: Tensor) -> Tensor:
        if a.shape[-1] != generator.resolution and loss.name not in _OF_ANY_SIZE:
            a, b = (F.interpolate(x, sides, mode="bilinear", align_corners=False) for x in (a, b))
        found = call_plugin(loss, "compared pictures", lambda: distance(a, b))
        if not isinstance(found, Tensor) or tuple(found.shape) != (len(a),):
            said = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise PluginFailedError(f"The loss {loss.name} gave {said} instead of [{len(a)}].")
        return found

    return checked


def build_identity_distance(generator: Generator) -> Distance:
    """1 - cosine of the two pictures' identities; BadInputError without a model for the domain."""
    models = latentfu.identities().values()
    model = next((item for item in models if generator.domain in item.domains), None)
    if model is None:
        raise BadInputError(
            f"No installed plug-in knows identities of {generator.domain}: leave out the loss "
            f"identity."
        )
    embed = load_identity(model, str(generator.device))

    def distance(a: Tensor, b: Tensor) -> Tensor:
        import torch.nn.functional as F

        return 1.0 - F.cosine_similarity(embed(a), embed(b), dim=1)

    return distance


def find_identity_distance(generator: Generator) -> Distance | None:
    """As :func:`build_identity_distance`; None where no plug-in knows identities of the domain."""
    try:
        return build_identity_distance(generator)
    except BadInputError:
        return None


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (a - b).abs().mean(dim=(1, 2, 3))


def l2(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference."""
    return (a - b).square().mean(dim=(1, 2, 3))


def log_cosh(a: Tensor, b: Tensor) -> Tensor:
    """Mean of log(cosh(a - b)): squares near 0, absolute far from it."""
    apart = (a - b).abs()
    # log(cosh(x)) without the overflow of cosh
    return (apart + F.softplus(-2.0 * apart) - 0.6931472).mean(dim=(1, 2, 3))


def blurred_l2(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference of the blurred pictures: places and colors, no texture."""
    return l2(_blur(a), _blur(b))


def blurred_log_cosh(a: Tensor, b: Tensor) -> Tensor:
    """log_cosh of the blurred pictures (stylegan-editing blurs the generated one only)."""
    return log_cosh(_blur(a), _blur(b))


def pyramid(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference at full, half and quarter size."""
    total = l2(a, b)
    for _ in range(2):
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        total = total + l2(a, b)
    return total / 3.0


def _blur(image: Tensor) -> Tensor:
    """A Gaussian of 7 x 7 with sigma 5 at 1024 px, at least 3 x 3, mirrored at the border."""
    half = max(1, round(_BLUR_SIZE // 2 * image.shape[-1] / 1024))
    sigma = max(1.0, _BLUR_SIGMA * image.shape[-1] / 1024)
    steps = torch.arange(-half, half + 1, device=image.device, dtype=image.dtype)
    line = torch.exp(-0.5 * (steps / sigma).square())
    line = line / line.sum()
    channels = image.shape[1]
    across = line.expand(channels, 1, 1, -1)  # [C, 1, 1, K]
    down = across.transpose(2, 3)  # [C, 1, K, 1]
    image = F.conv2d(F.pad(image, (half, half, 0, 0), mode="reflect"), across, groups=channels)
    return F.conv2d(F.pad(image, (0, 0, half, half), mode="reflect"), down, groups=channels)


@dataclass(frozen=True)
class Term:
    """A named distance and its weight."""

    name: str
    weight: float
    distance: Distance


@dataclass(frozen=True)
class Objective:
    """The weighted distances, and the mask ``[N or 1, 1, R, R]`` of what counts (None: all)."""

    terms: tuple[Term, ...]
    mask: Tensor | None = None

    def __call__(self, images: Tensor, targets: Tensor) -> Tensor:
        """``[N, 3, R, R]`` twice -> [N], weighted; outside the mask both show the target."""
        if self.mask is not None:
            images = targets + self.mask * (images - targets)
        total = images.new_zeros(len(images))
        for term in self.terms:
            total = total + term.weight * term.distance(images, targets)
        return total

    def of(self, rows: Tensor) -> Objective:
        """The same for the pictures ``rows`` (indices) of the batch."""
        if self.mask is None or len(self.mask) == 1:
            return self
        return Objective(self.terms, self.mask[rows])

    @property
    def perceptual(self) -> tuple[str, Distance]:
        """What the quality names: the first distance that does not look at pixels only."""
        for term in self.terms:
            if term.name not in _PIXEL_LOSSES:
                return term.name, term.distance
        return "pixels", pyramid


def build_objective(
    text: str, generator: Generator, vgg_layer: int, path: str, mask: Tensor | None
) -> Objective:
    """The objective that ``text`` names; ``auto`` is the domain's own distance, else LPIPS.

    Raises BadInputError for what cannot be read and NotInstalledError for what is not there.
    """
    terms = []
    for asked, weight in parse_losses(text):
        if asked == "auto":
            name, found = build_perceptual_loss("auto", generator)
        else:
            name, found = asked, build_loss(asked, generator, vgg_layer, path)
        if found is not None and weight > 0:
            terms.append(Term(name, weight, found))
    if not terms and any(asked == "auto" and weight > 0 for asked, weight in parse_losses(text)):
        terms = [Term("pixels", 1.0, pyramid)]  # a domain without a distance of its own
    if not terms:
        raise BadInputError(f"The losses {text!r} leave nothing to minimize: add pixels:1.")
    return Objective(tuple(terms), mask)


def parse_losses(text: str) -> list[tuple[str, float]]:
    """``l1:1,lpips:0.8`` as pairs; a name alone weighs 1. BadInputError for anything else."""
    pairs = []
    for part in text.split(","):
        name, colon, number = part.strip().partition(":")
        try:
            weight = float(number) if colon else 1.0
        except ValueError:
            weight = math.nan
        if not name or not math.isfinite(weight) or weight < 0:
            raise BadInputError(
                f"{part.strip()!r} is not a loss: write names and weights like l1:1,lpips:0.8."
            )
        pairs.append((name, weight))
    return pairs


def stack_masks(masks: list[object], device: torch.device) -> Tensor | None:
    """Masks float32 [R, R] or None of a batch as [N, 1, R, R], None when all count wholly."""
    import numpy as np

    if all(mask is None for mask in masks):
        return None
    side = next(np.asarray(mask).shape for mask in masks if mask is not None)
    whole = np.ones(side, np.float32)
    stack = np.stack([whole if mask is None else np.asarray(mask, np.float32) for mask in masks])
    if not (stack.reshape(len(stack), -1).max(axis=1) > 0).all():
        raise BadInputError("The mask is empty where the picture is: paint white what counts.")
    return torch.from_numpy(stack)[:, None].to(device)

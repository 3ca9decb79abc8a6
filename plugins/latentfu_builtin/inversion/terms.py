"""What an optimisation minimises, written as ``l1:1,lpips:0.8``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from latentfu import BadInputError, Generator
from torch import Tensor

from latentfu_builtin.inversion.losses import Distance, built, perceptual_loss
from latentfu_builtin.inversion.pixel import pyramid


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
            if term.name not in PIXEL_NAMES:
                return term.name, term.distance
        return "pixels", pyramid


PIXEL_NAMES = ("pixels", "l1", "l2", "log-cosh", "blurred-l2", "blurred-log-cosh", "identity")


def objective(
    text: str, generator: Generator, vgg_layer: int, path: str, mask: Tensor | None
) -> Objective:
    """The objective that ``text`` names; ``auto`` is the domain's own distance, else LPIPS.

    Raises BadInputError for what can not be read and NotInstalledError for what is not there.
    """
    terms = []
    for asked, weight in parsed(text):
        if asked == "auto":
            name, found = perceptual_loss("auto", generator)
        else:
            name, found = asked, built(asked, generator, vgg_layer, path)
        if found is not None and weight > 0:
            terms.append(Term(name, weight, found))
    if not terms and any(asked == "auto" and weight > 0 for asked, weight in parsed(text)):
        terms = [Term("pixels", 1.0, pyramid)]  # a domain without a distance of its own
    if not terms:
        raise BadInputError(f"The losses {text!r} leave nothing to minimise: add pixels:1.")
    return Objective(tuple(terms), mask)


def parsed(text: str) -> list[tuple[str, float]]:
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
                f"{part.strip()!r} is no loss: write names and weights like l1:1,lpips:0.8."
            )
        pairs.append((name, weight))
    return pairs


def mask_tensor(masks: list[object], device: torch.device) -> Tensor | None:
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

"""What this package brings: the inverter w-plus, two plain losses, the aligner center."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latentfu import (
    Aligner,
    Generator,
    Inversion,
    InversionRequest,
    Inverter,
    Loss,
    Quad,
    hookimpl,
)

from latentfu_inversion.features.options import DEFAULTS as FEATURE_DETAIL
from latentfu_inversion.options import DEFAULTS
from latentfu_inversion.pivotal.options import DEFAULTS as PIVOTAL

if TYPE_CHECKING:
    import numpy as np

    from latentfu_inversion.losses import Distance


def w_plus(request: InversionRequest) -> Inversion:
    """Optimisation in w, then in w+."""
    from latentfu_inversion.w_plus import invert

    return invert(request)


def pivotal(request: InversionRequest) -> Inversion:
    """Pivotal tuning."""
    from latentfu_inversion.pivotal.inverter import invert

    return invert(request)


def feature_detail(request: InversionRequest) -> Inversion:
    """A feature map beside the code."""
    from latentfu_inversion.features.inverter import invert

    return invert(request)


def central_square(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """The largest square in the middle of a picture."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    return [Quad.square((width - side) / 2, (height - side) / 2, side)]


def pixels(generator: Generator) -> Distance:
    """Squared differences of the pictures and of their halves."""
    from latentfu_inversion.losses import pyramid

    return pyramid


def lpips(generator: Generator) -> Distance:
    """LPIPS; refuses in one sentence when its network is not on this disk."""
    from latentfu_inversion.losses import lpips_distance

    return lpips_distance(str(generator.device))


@hookimpl
def latentfu_inverters() -> list[Inverter]:
    """The inverter that needs no training."""
    return [
        Inverter(
            name="w-plus",
            title="Optimisation in W+",
            spaces=("w+",),
            invert=w_plus,
            options=DEFAULTS,
            description="Seconds a picture; starts from the mean and needs no training.",
        ),
        Inverter(
            name="pivotal",
            title="A code, and the weights bent around it",
            spaces=("w", "w+", "w++"),
            invert=pivotal,
            options=PIVOTAL,
            description="Half a minute a picture; keeps a face that no code can show.",
        ),
        Inverter(
            name="feature-detail",
            title="A code, and features beside it",
            spaces=("w", "w+", "w++"),
            invert=feature_detail,
            options=FEATURE_DETAIL,
            description="Seconds a picture; keeps hats and backgrounds through an edit.",
        ),
    ]


@hookimpl
def latentfu_losses() -> list[Loss]:
    """Losses for generators that have none of their own."""
    return [
        Loss("pixels", "Squared differences at several sizes", pixels),
        Loss("lpips", "LPIPS (Zhang et al. 2018, arXiv 1801.03924)", lpips),
    ]


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """The aligner that needs no detector."""
    return [Aligner("center", "The middle of the layer", (), central_square)]

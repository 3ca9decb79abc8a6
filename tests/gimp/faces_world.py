"""A plug-in of the tests' own: networks that find no face or several, slow and poor inverters.

Loaded by the server beside the small world, whose network and directions it takes.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from latentfu import (
    Aligner,
    GeneratorSpec,
    Inversion,
    InversionRequest,
    Inverter,
    Quad,
    Quality,
    hookimpl,
)

from tests.support.small_world import ID, SIDE, instant, small_generator


def _find_several(rgb: np.ndarray) -> list[Quad]:
    """A square in each portrait of a row of them."""
    height, width = rgb.shape[:2]
    side, count = height * 0.7, max(1, round(width / height))
    step = width / count
    return [
        Quad.square(n * step + (step - side) / 2, 0.1 * height, side, 1.0) for n in range(count)
    ]


def _find_unless_even(rgb: np.ndarray) -> list[Quad]:
    """The middle of a picture, nothing in one of a single color."""
    return _find_several(rgb)[:1] if rgb.std() > 2 else []


def _slow(request: InversionRequest) -> Inversion:
    """Takes half a minute, and can be stopped at any moment."""
    for step in range(300):
        request.progress(step / 300, "Learning slowly")
        time.sleep(0.1)
    return instant(request)


def _poor(request: InversionRequest) -> Inversion:
    """Says that the picture is none of the network's."""
    return replace(instant(request), quality=Quality(9.0, 0.5, "none", 0.0, out_of_domain=0.9))


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    return [
        GeneratorSpec(name, name.title(), "test", SIDE, ID, lambda _: small_generator(), name)
        for name in ("blind", "several", "picky")
    ]


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    return [
        Aligner("blind", "Finds nothing", (), lambda rgb: []),
        Aligner("several", "Finds several", (), _find_several),
        Aligner("picky", "Finds nothing in an even surface", (), _find_unless_even),
    ]


@hookimpl
def latentfu_inverters() -> list[Inverter]:
    return [Inverter("slow", "Slow", ("w+",), _slow), Inverter("poor", "Poor", ("w+",), _poor)]

"""The sizes of StyleGAN3's layers, where a file only has their weights.

The network follows from its resolution: cutoff and stopband of each layer grow geometrically from
the first to the last, and rates, margins and filters from them (Karras et al. 2021, arXiv
2106.12423, section 3.2 and appendix D).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FIRST_CUTOFF = 2.0
FIRST_STOPBAND = 2**2.1
LAST_STOPBAND = 2**0.3
"""As a part of the last layer's cutoff."""
CRITICAL = 2
"""So many layers at the end are sampled at their limit."""
MARGIN = 10
TAPS = 6
CLAMP = 256.0
OUTPUT_SCALE = 0.25


@dataclass(frozen=True)
class Band:
    """What a layer's output holds: ``cutoff`` in cycles, ``rate`` and ``size`` in samples."""

    cutoff: float
    rate: int
    size: int


def bands_of(resolution: int, layers: int) -> list[Band]:
    """The bands of ``layers`` layers, and of the one that makes colours."""
    last = resolution / 2
    found = []
    for place in range(layers + 1):
        part = min(place / (layers - CRITICAL), 1.0)
        cutoff = FIRST_CUTOFF * (last / FIRST_CUTOFF) ** part
        stopband = FIRST_STOPBAND * (last * LAST_STOPBAND / FIRST_STOPBAND) ** part
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, resolution)))
        size = resolution if place >= layers - 1 else rate + 2 * MARGIN
        found.append(Band(cutoff, rate, size))
    return found


@dataclass(frozen=True)
class Resampling:
    """How a layer resamples; as many taps as 1 mean no filter."""

    up: int
    down: int
    up_taps: int
    down_taps: int
    padding: tuple[int, int, int, int]


def resampling_of(before: Band, after: Band, kernel: int, to_rgb: bool) -> Resampling:
    """From one band to the next: up, the activation at twice the larger rate, and down."""
    between = max(before.rate, after.rate) * (1 if to_rgb else 2)
    up, down = between // before.rate, between // after.rate
    up_taps = TAPS * up if up > 1 and not to_rgb else 1
    down_taps = TAPS * down if down > 1 and not to_rgb else 1
    wanted = (after.size - 1) * down + 1
    total = wanted - (before.size + kernel - 1) * up + up_taps + down_taps - 2
    low = (total + up) // 2
    return Resampling(up, down, up_taps, down_taps, (low, total - low, low, total - low))

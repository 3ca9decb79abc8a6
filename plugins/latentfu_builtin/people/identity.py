"""What makes two heads differ beyond the named factors: mixtures of anny's other shapes.

A head's likely changes are random weights of some 60 local shape changes. Their displacements
of the skin, less what the named factors can already do, have principal directions (Blanz and
Vetter 1999); the first ones, as weights of the changes, are the factors ``identity_1`` and on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentfu_builtin.people.mesh import Array

_MIXTURES = 6
_REACH = 3.5  # a factor of 1 is this many deviations: six mixtures stand for fifty
_NAMED = (  # changes that other factors make
    *("head-scale-horiz-incr", "head-scale-vert-incr", "chin-width-incr", "chin-bones-incr"),
    *("chin-prominent-incr", "nose-scale-vert-incr", "nose-scale-horiz-incr", "nose-greek-incr"),
    *("nose-point-up", "mouth-scale-horiz-incr", "mouth-lowerlip-volume-incr", "head-fat-incr"),
    *("cheek-bones-incr", "cheek-volume-incr", "eye-scale-incr", "eye-trans-out"),
    *("eye-corner2-up", "ear-scale-incr"),
)
_FREE = {  # changes that are mixed, with the deviation of each
    "head-scale-depth-incr": 0.3, "head-angle-out": 0.3, "head-back-scale-depth-incr": 0.3,
    "forehead-temple-incr": 0.5, "forehead-trans-forward": 0.4, "forehead-scale-vert-incr": 0.4,
    "forehead-nubian-incr": 0.4, "chin-jaw-drop-incr": 0.4, "chin-height-incr": 0.4,
    "chin-cleft-incr": 0.6, "chin-prognathism-incr": 0.3, "cheek-trans-up": 0.4,
    "cheek-inner-incr": 0.4, "ear-lobe-incr": 0.5, "ear-shape-round": 0.5,
    "ear-wing-incr": 0.4, "ear-trans-up": 0.3, "ear-rot-forward": 0.4, "eyebrows-angle-up": 0.5,
    "eyebrows-trans-forward": 0.3, "eye-corner1-up": 0.35, "eye-push1-out": 0.3,
    "eye-push2-out": 0.3, "eye-trans-up": 0.25, "eye-height3-incr": 0.3, "eye-bag-incr": 0.3,
    "eye-eyefold-angle-up": 0.4, "mouth-cupidsbow-incr": 0.5, "mouth-scale-depth-incr": 0.35,
    "mouth-trans-forward": 0.3, "mouth-trans-up": 0.4, "mouth-upperlip-width-incr": 0.4,
    "mouth-lowerlip-width-incr": 0.4, "mouth-philtrum-volume-incr": 0.5,
    "mouth-angles-up": 0.25, "neck-scale-horiz-incr": 0.4, "nose-nostrils-angle-up": 0.5,
    "nose-curve-convex": 0.4, "nose-scale-depth-incr": 0.4, "nose-point-width-incr": 0.5,
    "nose-width1-incr": 0.4, "nose-width2-incr": 0.4, "nose-width3-incr": 0.4,
    "nose-trans-forward": 0.3, "nose-nostrils-width-incr": 0.4, "nose-septumangle-incr": 0.5,
    "nose-base-up": 0.4, "nose-volume-incr": 0.4,
}  # fmt: skip
_UNEVEN = {  # changes of the left half (plus) and the right one (minus) in an uneven face
    "cheek-volume-incr": 0.5, "cheek-bones-incr": 0.4, "cheek-trans-up": 0.4, "eye-trans-up": 0.35,
    "eye-corner2-up": 0.3, "eye-scale-incr": 0.2, "ear-trans-up": 0.4, "ear-wing-incr": 0.5,
    "nose-trans-out": 0.3, "mouth-trans-out": 0.2,
}  # fmt: skip

Displace = Callable[[dict[str, float]], Array]
"""Displacements ``[v, 3]`` of the face's points for weights of local changes."""


class IdentityShapes:
    """Weights of anny's local changes for the factors ``identity_1`` .. and ``asymmetry``.

    Args:
        labels: All of anny's local changes.
        displace: How far changes move the face's points.
    """

    def __init__(self, labels: list[str], displace: Displace) -> None:
        self._pairs = {
            name: [name] if name in labels else [f"l-{name}", f"r-{name}"]
            for name in (*_FREE, *_NAMED, *_UNEVEN)
        }
        free = np.stack([displace(self._both(n, s)).ravel() for n, s in _FREE.items()])  # [K, 3v]
        named = np.stack([displace(self._both(n, 0.5)).ravel() for n in _NAMED])
        basis, _ = np.linalg.qr(named.T.astype(np.float64))
        rest = free - (free @ basis) @ basis.T
        _, mixtures = np.linalg.eigh(rest @ rest.T)
        mixtures = mixtures[:, ::-1][:, :_MIXTURES].T  # [M, K], the strongest first
        sign = np.sign(mixtures[np.arange(_MIXTURES), np.abs(mixtures).argmax(1)])
        self._mixtures = _REACH * mixtures * sign[:, None]

    def _both(self, name: str, weight: float) -> dict[str, float]:
        return dict.fromkeys(self._pairs[name], weight)

    def changes(self, amounts: Array, uneven: float) -> dict[str, float]:
        """Weights of local changes for mixtures ``[6]`` and unevenness, all -1..1."""
        found: dict[str, float] = {}
        weights = (amounts @ self._mixtures) * np.array(list(_FREE.values()))
        for name, weight in zip(_FREE, weights.tolist(), strict=True):
            found |= self._both(name, weight)
        for name, weight in _UNEVEN.items():
            pair = self._pairs[name]
            for label, side in zip(pair, (1, -1) if len(pair) == 2 else (1,), strict=True):
                found[label] = found.get(label, 0.0) + side * uneven * weight
        return found

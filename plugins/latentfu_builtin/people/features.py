"""What a person's picture depends on, as numbers that a linear map can read off.

A picture does not follow the normal numbers of its person evenly: a hat is there or it is not, its
hue matters only then, and a hue is an angle. Each such thing is a feature here, so that a mapping
which is taught the features has nothing of the kind left to find out from pictures.
"""

from __future__ import annotations

import numpy as np

from latentfu_builtin.people.factors import HUES, PERSON_FACTORS, stretch_factors
from latentfu_builtin.people.mesh import Array

_THIRDS = ("hat_kind", "earring_kind", "background_kind", "collar_kind")
_TURNED_OFF = {  # what matters only where the thing itself is there
    "hat": ("hat_hue.cos", "hat_hue.sin", "hat_light", "hat_kind.1", "hat_kind.2", "hat_kind.3"),
    "glasses": ("glasses_shape", "glasses_color", "glasses_tint.there", "glasses_tint.much"),
    "earrings": ("earring_kind.1", "earring_kind.2", "earring_kind.3", "earrings"),
    "beard": ("beard_cut", "hair_lightness", "gray_hair"),
    "moustache": ("moustache_cut", "hair_lightness"),
    "lipstick": ("lipstick_hue",),
    "fringe": ("hair_parting", "hair_curl"),
    "bald": ("hair_length", "hair_curl"),
    "hair_tied": ("hair_length",),
    "mouth_open": ("teeth_whiteness",),
    "laugh": ("teeth_whiteness",),
}
_TOGETHER = (  # what acts on the same pixels in another way
    *((thing, "yaw") for thing in ("hat.there", "glasses.there", "beard.there", "hair_length")),
    ("hair_length", "hair_curl"),
    ("hair_length", "hair_volume"),
    *(("background_kind.1", one) for one in ("background_hue.cos", "background_hue.sin")),
    *((f"background_kind.{k}", "background_light") for k in (1, 2, 3)),
)


def list_features(factors: Array) -> dict[str, Array]:
    """The features by name, each [N], of people's factors [N, F] in the table's order.

    A factor itself runs from -1 to 1; `NAME.there` is 0 or 1 with a short slope between,
    `NAME.much` is 0 where nothing is there; kinds are shares of 1; a hue is the cosine and the
    sine of its angle; `A*B` is the product of two.
    """
    even = stretch_factors(factors)  # [N, F]
    found = {f.name: even[:, place] for place, f in enumerate(PERSON_FACTORS)}
    for factor in PERSON_FACTORS:
        if factor.kind == "on-off":
            value = found[factor.name]
            found[f"{factor.name}.there"] = np.clip(6 * value + 0.2, 0, 1)
            found[f"{factor.name}.much"] = np.maximum(value, 0)
    for name in _THIRDS:
        found |= {f"{name}.{k}": share for k, share in enumerate(_share_thirds(found[name]), 1)}
    for name in HUES:
        found[f"{name}.cos"] = np.cos(np.pi * found[name])
        found[f"{name}.sin"] = np.sin(np.pi * found[name])
    pairs = [(f"{thing}.there", one) for thing, ones in _TURNED_OFF.items() for one in ones]
    for first, second in (*pairs, *_TOGETHER):
        found[f"{first}*{second}"] = found[first] * found[second]
    return found


def _share_thirds(value: Array) -> tuple[Array, Array, Array]:
    """How much of each of three kinds a number in -1..1 stands for; the shares sum to 1."""
    first = 1 / (1 + np.exp(12 * (value + 1 / 3)))
    third = 1 / (1 + np.exp(-12 * (value - 1 / 3)))
    return first, 1 - first - third, third

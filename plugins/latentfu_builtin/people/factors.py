"""The factors of a person's portrait: what can be set, how far, and how it is drawn at random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from latentfu import BadInputError

Kind = Literal["continuous", "on-off"]
Law = Literal["uniform", "normal"]
Factors = Mapping[str, float]

_NORMAL = NormalDist()
_SPREAD = 0.55  # keeps most of a normal factor within half its range, both ends in reach


@dataclass(frozen=True)
class PersonFactor:
    """One number of a portrait.

    An on-off factor runs from -1 to 1 and shows its thing above 0, the more the higher;
    ``share`` of the portraits show it. ``law`` says how a continuous factor fills its range.
    """

    name: str
    low: float
    high: float
    plus: str
    group: str
    kind: Kind = "continuous"
    law: Law = "uniform"
    share: float = 0.5

    def from_normal(self, z: float) -> float:
        """The factor's value for a standard normal number: rising, within the range."""
        shift = _NORMAL.inv_cdf(1 - self.share) if self.kind == "on-off" else 0.0
        slope = _SPREAD if self.law == "normal" else math.sqrt(0.5)
        part = math.erf((z - shift) * slope)
        return self.low + (self.high - self.low) * (part + 1) / 2

    def to_normal(self, value: float) -> float:
        """The standard normal number of a value; the inverse of ``from_normal``."""
        part = (value - self.low) / (self.high - self.low)
        shift = _NORMAL.inv_cdf(1 - self.share) if self.kind == "on-off" else 0.0
        slope = _SPREAD if self.law == "normal" else math.sqrt(0.5)
        part = min(max(part, 1e-7), 1 - 1e-7)
        return _NORMAL.inv_cdf(part) / (slope * math.sqrt(2)) + shift


def _even(name: str, plus: str, group: str, low: float = -1.0, high: float = 1.0) -> PersonFactor:
    return PersonFactor(name, low, high, plus, group)


def _middling(name: str, plus: str, group: str) -> PersonFactor:
    return PersonFactor(name, -1.0, 1.0, plus, group, law="normal")


def _present(name: str, plus: str, group: str, share: float) -> PersonFactor:
    return PersonFactor(name, -1.0, 1.0, plus, group, kind="on-off", share=share)


PERSON_FACTORS: tuple[PersonFactor, ...] = (
    _even("gender", "more masculine", "person"),
    _even("age", "older, in years", "person", 16.0, 90.0),
    _even("skin_tone", "darker skin", "person"),
    _even("african", "more African shape", "person", 0.0, 1.0),
    _even("asian", "more Asian shape", "person", 0.0, 1.0),
    _even("caucasian", "more Caucasian shape", "person", 0.0, 1.0),
    _middling("weight", "heavier", "person"),
    _even("smile", "more smile; minus lowers the corners", "expression"),
    _present("mouth_open", "mouth further open", "expression", 0.30),
    _present("laugh", "laughing: jaw down, teeth, cheeks up", "expression", 0.12),
    _middling("gaze_x", "looking further to the right of the picture", "expression"),
    _middling("gaze_y", "looking further up", "expression"),
    _middling("eye_open", "eyes wider open; nearly shut at -1", "expression"),
    _middling("brow_height", "brows raised", "expression"),
    _middling("brow_angle", "inner ends of the brows lower", "expression"),
    _present("frown", "brows drawn together", "expression", 0.10),
    _present("surprise", "brows up, eyes wide, jaw down", "expression", 0.08),
    _present("wink_left", "the eye at the right of the picture shut", "expression", 0.05),
    _present("wink_right", "the eye at the left of the picture shut", "expression", 0.05),
    _present("sneer", "nose wrinkled, upper lip up", "expression", 0.07),
    _present("pucker", "lips pushed forward", "expression", 0.07),
    _middling("eye_size", "larger eyes", "face"),
    _even("eye_color", "irises from brown over green to blue", "face"),
    _middling("eyelid_fold", "more of a fold over the eye", "face"),
    _middling("eye_distance", "eyes further apart", "face"),
    _middling("eye_slant", "outer corners of the eyes higher", "face"),
    _middling("face_width", "wider face", "face"),
    _middling("face_length", "longer face", "face"),
    _middling("jaw", "broader jaw", "face"),
    _middling("chin", "more prominent chin", "face"),
    _middling("cheekbones", "higher cheekbones", "face"),
    _middling("cheeks", "fuller cheeks", "face"),
    _middling("nose_length", "longer nose", "face"),
    _middling("nose_width", "wider nose", "face"),
    _middling("nose_bridge", "higher bridge of the nose", "face"),
    _middling("nose_tip", "tip of the nose turned up", "face"),
    _middling("mouth_width", "wider mouth", "face"),
    _middling("lip_fullness", "fuller lips", "face"),
    _middling("ear_size", "larger ears", "face"),
    _present("lipstick", "lips painted more strongly", "skin", 0.25),
    _even("lipstick_hue", "from brown over red to pink", "skin"),
    _present("freckles", "more freckles", "skin", 0.22),
    _middling("blush", "redder cheeks", "skin"),
    _middling("wrinkles", "more wrinkles than the age brings", "skin"),
    _even("hair_length", "longer hair", "hair"),
    _even("hair_lightness", "lighter hair", "hair"),
    _middling("hair_redness", "redder hair", "hair"),
    _middling("gray_hair", "more gray hair than the age brings", "hair"),
    _even("hair_curl", "curlier and fuller hair", "hair"),
    _even("hair_parting", "parting further to the right of the picture", "hair"),
    _present("fringe", "hair over the forehead, further down", "hair", 0.28),
    _present("bald", "hairline further back", "hair", 0.12),
    _middling("brow_thickness", "thicker brows", "hair"),
    _present("beard", "longer beard", "hair", 0.30),
    _present("moustache", "longer moustache", "hair", 0.25),
    _present("glasses", "larger glasses", "things", 0.25),
    _present("hat", "higher hat", "things", 0.12),
    _present("earrings", "larger earrings", "things", 0.25),
    _middling("yaw", "head turned to the right of the picture, 40 degrees at 1", "pose"),
    _middling("pitch", "head raised, 18 degrees at 1", "pose"),
    _middling("roll", "head tilted clockwise, 16 degrees at 1", "pose"),
    _middling("light_x", "key light further to the right of the picture", "light"),
    _middling("light_y", "key light higher", "light"),
    _middling("light_warmth", "warmer key light", "light"),
    _middling("light_contrast", "less fill light", "light"),
    _even("background_hue", "hue of what lies behind", "scene"),
    _even("background_light", "lighter background", "scene"),
    _even("background_kind", "studio, room, garden by thirds", "scene"),
    _even("clothes_hue", "hue of the clothes", "scene"),
    _even("clothes_light", "lighter clothes", "scene"),
    _middling("neckline", "lower neckline", "scene"),
)
"""All factors, in the order of their normal numbers."""

PERSON_FACTOR_NAMES: tuple[str, ...] = tuple(factor.name for factor in PERSON_FACTORS)
_BY_NAME = {factor.name: factor for factor in PERSON_FACTORS}
_AT_REST = {"age": 32.0, "african": 0.2, "asian": 0.2, "caucasian": 0.6, "gender": 0.0}


def default_factors() -> dict[str, float]:
    """A calm face in its thirties: continuous factors in the middle, no on-off thing shown."""
    return {
        f.name: _AT_REST.get(f.name, -1.0 if f.kind == "on-off" else (f.low + f.high) / 2)
        for f in PERSON_FACTORS
    }


def check_factors(factors: Factors) -> dict[str, float]:
    """All factors, those that are missing at rest; BadInputError for a bad name or number."""
    whole = default_factors()
    for name, value in factors.items():
        factor = _BY_NAME.get(name)
        if factor is None:
            raise BadInputError(
                f"There is no factor {name!r}; there are: {', '.join(PERSON_FACTOR_NAMES)}."
            )
        if not factor.low <= value <= factor.high:
            raise BadInputError(
                f"The factor {name} goes from {factor.low:g} to {factor.high:g}, not to {value:g}."
            )
        whole[name] = float(value)
    return whole


def factors_from_normal(z: np.ndarray) -> dict[str, float]:
    """Standard normal numbers ``[F]`` in the table's order as factors."""
    return {f.name: f.from_normal(float(x)) for f, x in zip(PERSON_FACTORS, z, strict=True)}


def factors_to_normal(factors: Factors) -> np.ndarray:
    """Factors as their standard normal numbers ``[F]``; the inverse of the above."""
    return np.array([f.to_normal(factors[f.name]) for f in PERSON_FACTORS])


def sample_factors(seed: int) -> dict[str, float]:
    """The factors of a random person.

    Independent normal numbers, then shifted as people are: beards on men, gray and wrinkles on
    the old, skin, hair and eyes that go with each other, one strong grimace at a time.
    """
    z = dict(
        zip(
            PERSON_FACTOR_NAMES,
            np.random.default_rng(seed).standard_normal(len(PERSON_FACTORS)),
            strict=True,
        )
    )
    man, old = z["gender"] > 0, z["age"]
    ancestry = ("african", "asian", "caucasian")
    first = max(ancestry, key=lambda name: z[name])
    for name in ancestry:
        z[name] = abs(z[name]) + 0.6 if name == first else -abs(z[name]) - 0.6
    tone = {"african": 1.1, "asian": -0.25, "caucasian": -0.8}[first]
    z["skin_tone"] = tone + 0.45 * z["skin_tone"]
    dark = z["skin_tone"] > -0.4 or first != "caucasian"
    z["hair_lightness"] += -1.6 if dark else 0.1
    z["hair_redness"] -= 0.6 if dark else 0.0
    z["eye_color"] -= 1.6 if dark else -0.2
    z["freckles"] -= 1.0 if z["skin_tone"] > 0 else 0.0
    z["hair_length"] = 0.75 * z["hair_length"] + (-1.0 if man else 0.6)
    z["hair_curl"] += 0.9 if first == "african" else -0.6 if first == "asian" else 0.0
    z["eyelid_fold"] += 0.7 if first == "asian" else 0.0
    for name in ("beard", "moustache"):
        z[name] += 0.35 if man else -6.0
    z["bald"] += 0.5 * old if man else -6.0
    if z["bald"] > _quantile("bald"):
        z["hair_length"] = min(z["hair_length"], -0.75)
    z["lipstick"] += -6.0 if man else 0.3
    z["earrings"] += -0.8 if man else 0.4
    z["gray_hair"] *= 0.7
    z["brow_thickness"] += 0.35 if man else -0.35
    loud = ("laugh", "surprise", "sneer", "pucker", "frown", "wink_left", "wink_right")
    loudest = max(loud, key=lambda name: z[name] - _quantile(name))
    for name in loud:
        if name != loudest:
            z[name] = min(z[name], _quantile(name) - 0.3)
    z["neckline"] *= 0.8
    return {f.name: f.from_normal(float(z[f.name])) for f in PERSON_FACTORS}


def _quantile(name: str) -> float:
    return _NORMAL.inv_cdf(1 - _BY_NAME[name].share)

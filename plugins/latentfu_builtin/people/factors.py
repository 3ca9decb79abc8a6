"""The factors of a person's portrait: what can be set, how far, and how it is drawn at random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from latentfu import BadInputError

_Kind = Literal["continuous", "on-off"]
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
    kind: _Kind = "continuous"
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
    _middling("skin_warmth", "yellower skin; minus pinker", "person"),
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
    _middling("ear_wing", "ears that stand out", "face"),
    _middling("forehead", "higher forehead", "face"),
    _middling("temples", "fuller temples", "face"),
    _middling("brow_ridge", "brows further forward", "face"),
    _middling("nostrils", "wider nostrils", "face"),
    _middling("nose_base", "base of the nose higher", "face"),
    _middling("mouth_height", "mouth higher", "face"),
    _middling("cupids_bow", "stronger curve of the upper lip", "face"),
    _middling("chin_cleft", "deeper cleft of the chin", "face"),
    _middling("jaw_angle", "jaw lower at its angle", "face"),
    _middling("neck_width", "wider neck", "face"),
    _middling("identity_1", "first mixture of the shapes that have no name here", "face"),
    _middling("identity_2", "second mixture", "face"),
    _middling("identity_3", "third mixture", "face"),
    _middling("identity_4", "fourth mixture", "face"),
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
    _present("stubble", "darker stubble", "hair", 0.40),
    _present("glasses", "larger glasses", "things", 0.25),
    _even("glasses_shape", "from round to square", "things"),
    _even("glasses_rim", "thicker rims", "things"),
    _even("glasses_color", "rims from black over brown and gold to red", "things"),
    _present("hat", "higher hat", "things", 0.12),
    _even("hat_hue", "hue of the hat", "things"),
    _even("hat_light", "lighter hat", "things"),
    _present("earrings", "larger earrings", "things", 0.25),
    _even("earrings_metal", "from silver to gold", "things"),
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
    _even("background_place", "what lies behind moved to the right of the picture", "scene"),
    _even("background_height", "what lies behind moved up", "scene"),
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


def draw_person(z: np.ndarray) -> dict[str, float]:
    """Standard normal numbers ``[F]`` as a person whose factors go together.

    A continuous function, so that a network can learn it: beards, baldness and stubble are men's,
    gray comes with the age, skin, hair, eyes and curls fit the ancestry, and of several strong
    grimaces the strongest is left.
    """
    n = dict(zip(PERSON_FACTOR_NAMES, (float(x) for x in z), strict=True))
    man = _step(4 * n["gender"])
    ancestry = _soften([2.5 * n[name] for name in _ANCESTRY])
    african, asian, caucasian = ancestry
    tone = 1.1 * african - 0.25 * asian - 0.8 * caucasian + 0.45 * n["skin_tone"]
    dark = 1 - caucasian * _step(-4 * (tone + 0.4))
    n["skin_tone"] = tone
    n["hair_lightness"] += 0.1 - 1.7 * dark
    n["hair_redness"] -= 0.6 * dark
    n["eye_color"] -= 0.2 + 1.4 * dark
    n["freckles"] -= _step(4 * tone)
    n["hair_curl"] += 0.9 * african - 0.6 * asian
    n["eyelid_fold"] += 0.7 * asian
    _give_gender(n, man)
    _keep_loudest(n)
    n["gray_hair"] *= 0.7
    n["neckline"] *= 0.8
    found = {f.name: f.from_normal(n[f.name]) for f in PERSON_FACTORS}
    return found | dict(zip(_ANCESTRY, ancestry, strict=True))


def sample_factors(seed: int) -> dict[str, float]:
    """The factors of a random person: ``draw_person`` of the seed's normal numbers."""
    return draw_person(np.random.default_rng(seed).standard_normal(len(PERSON_FACTORS)))


_ANCESTRY = ("african", "asian", "caucasian")
_LOUD = ("laugh", "surprise", "sneer", "pucker", "frown", "wink_left", "wink_right")


def _step(x: float) -> float:
    """From 0 to 1, smoothly, round 0."""
    return 1 / (1 + math.exp(-x))


def _soften(values: list[float]) -> list[float]:
    """Softmax: shares that sum to 1."""
    parts = np.exp(np.array(values) - max(values))
    return [float(x) for x in parts / parts.sum()]


def _give_gender(n: dict[str, float], man: float) -> None:
    """Shifts the normal numbers of what men and women have differently often."""
    woman = 1 - man
    n["hair_length"] = 0.75 * n["hair_length"] + 0.6 * woman - 1.0 * man
    for name in ("beard", "moustache", "stubble"):
        n[name] += 0.35 * man - 6.0 * woman
    n["bald"] += 0.5 * n["age"] * man - 6.0 * woman
    n["lipstick"] += 0.3 * woman - 6.0 * man
    n["earrings"] += 0.4 * woman - 0.8 * man
    n["brow_thickness"] += 0.35 * man - 0.35 * woman
    is_bald = _step(6 * (n["bald"] - _quantile("bald")))
    n["hair_length"] += is_bald * (min(n["hair_length"], -0.75) - n["hair_length"])


def _keep_loudest(n: dict[str, float]) -> None:
    """Lets the strongest grimace be and brings the others below where they show."""
    shares = _soften([6 * (n[name] - _quantile(name)) for name in _LOUD])
    for name, share in zip(_LOUD, shares, strict=True):
        quiet = min(n[name], _quantile(name) - 0.3)
        n[name] = share * n[name] + (1 - share) * quiet


def _quantile(name: str) -> float:
    return _NORMAL.inv_cdf(1 - _BY_NAME[name].share)

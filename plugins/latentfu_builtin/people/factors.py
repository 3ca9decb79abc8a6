"""The factors of a person's portrait: what can be set, how far, and how it is drawn at random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from latentfu import BadInputError

from latentfu_builtin.people.factor_regions import FACTOR_REGIONS

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

    @property
    def regions(self) -> tuple[str, ...]:
        """Where it acts, by names of ``region_names.REGIONS``, the strongest first; measured."""
        return FACTOR_REGIONS[self.name]

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
    _present("mouth_open", "mouth further open", "expression", 0.22),
    _present("laugh", "laughing: jaw down, teeth, cheeks up", "expression", 0.12),
    _middling("gaze_x", "looking further to the right of the picture", "expression"),
    _middling("gaze_y", "looking further up", "expression"),
    _middling("eye_open", "eyes wider open; nearly shut at -1", "expression"),
    _middling("brow_height", "brows raised", "expression"),
    _middling("brow_angle", "inner ends of the brows lower", "expression"),
    _present("frown", "brows drawn together", "expression", 0.08),
    _present("surprise", "brows up, eyes wide, jaw down", "expression", 0.06),
    _present("wink_left", "the eye at the right of the picture shut", "expression", 0.04),
    _present("wink_right", "the eye at the left of the picture shut", "expression", 0.04),
    _present("sneer", "nose wrinkled, upper lip up", "expression", 0.05),
    _present("pucker", "lips pushed forward", "expression", 0.05),
    _middling("teeth_whiteness", "whiter teeth", "expression"),
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
    _middling("identity_1", "further along mixture 1 of the head's other shapes", "face"),
    _middling("identity_2", "further along mixture 2 of the head's other shapes", "face"),
    _middling("identity_3", "further along mixture 3 of the head's other shapes", "face"),
    _middling("identity_4", "further along mixture 4 of the head's other shapes", "face"),
    _middling("identity_5", "further along mixture 5 of the head's other shapes", "face"),
    _middling("identity_6", "further along mixture 6 of the head's other shapes", "face"),
    _middling("asymmetry", "the half at the right of the picture fuller", "face"),
    _present("lipstick", "lips painted more strongly", "skin", 0.25),
    _even("lipstick_hue", "from brown over red to pink", "skin"),
    _present("eye_makeup", "darker lids and lashes", "skin", 0.22),
    _present("freckles", "more freckles", "skin", 0.22),
    _middling("blush", "redder cheeks", "skin"),
    _middling("wrinkles", "more wrinkles than the age brings", "skin"),
    _middling("pores", "coarser skin", "skin"),
    _present("blemishes", "more moles and spots", "skin", 0.25),
    _even("hair_length", "longer hair", "hair"),
    _even("hair_lightness", "lighter hair", "hair"),
    _middling("hair_redness", "redder hair", "hair"),
    _middling("gray_hair", "more gray hair than the age brings", "hair"),
    _even("hair_curl", "curlier and fuller hair", "hair"),
    _middling("hair_volume", "hair higher above the scalp", "hair"),
    _even("hair_parting", "parting further to the right of the picture", "hair"),
    _present("fringe", "hair over the forehead, further down", "hair", 0.28),
    _present("hair_tied", "hair pulled back more tightly into a knot", "hair", 0.15),
    _present("bald", "hairline further back", "hair", 0.12),
    _middling("brow_thickness", "thicker brows", "hair"),
    _present("beard", "longer beard", "hair", 0.30),
    _even("beard_cut", "from the chin alone to the whole cheeks", "hair"),
    _present("moustache", "longer moustache", "hair", 0.25),
    _even("moustache_cut", "from a narrow line to broad and drooping", "hair"),
    _present("stubble", "darker shadow of a shaven beard", "hair", 0.25),
    _present("glasses", "larger glasses", "things", 0.25),
    _even("glasses_shape", "from round wire to square and thick", "things"),
    _even("glasses_color", "rims from black over brown and gold to clear", "things"),
    _present("glasses_tint", "darker lenses", "things", 0.08),
    _present("hat", "higher hat", "things", 0.08),
    _even("hat_kind", "knitted cap, peaked cap, brimmed hat by thirds", "things"),
    _even("hat_hue", "hue of the hat", "things"),
    _even("hat_light", "lighter hat", "things"),
    _present("earrings", "larger earrings", "things", 0.25),
    _even("earring_kind", "pearl, gold hoop, silver drop by thirds", "things"),
    _middling("yaw", "head turned to the right of the picture, 40 degrees at 1", "pose"),
    _middling("pitch", "head raised, 18 degrees at 1", "pose"),
    _middling("roll", "head tilted clockwise, 16 degrees at 1", "pose"),
    _middling("camera_distance", "camera further away, the face as large", "pose"),
    _middling("light_x", "key light further to the right of the picture", "light"),
    _middling("light_y", "key light higher", "light"),
    _middling("light_warmth", "warmer key light", "light"),
    _middling("light_contrast", "less fill light", "light"),
    _even("background_hue", "hue of what lies behind", "scene"),
    _even("background_light", "lighter background", "scene"),
    _even("background_kind", "studio, room, garden by thirds", "scene"),
    _even("clothes_hue", "hue of the clothes", "scene"),
    _even("clothes_light", "lighter clothes", "scene"),
    _even("collar_kind", "open neckline, shirt with a collar, roll neck by thirds", "scene"),
    _middling("neckline", "lower neckline", "scene"),
)
"""All factors, in the order of their normal numbers."""

PERSON_FACTOR_NAMES: tuple[str, ...] = tuple(factor.name for factor in PERSON_FACTORS)
_BY_NAME = {factor.name: factor for factor in PERSON_FACTORS}
_LOUD = ("laugh", "surprise", "sneer", "pucker", "frown", "wink_left", "wink_right")
_AT_REST = {"age": 32.0, "african": 0.2, "asian": 0.2, "caucasian": 0.6, "gender": 0.0}


HUES = ("hat_hue", "background_hue", "clothes_hue")
"""Factors whose ends meet: the hue at -1 is that at 1."""


def list_people(normal: np.ndarray) -> np.ndarray:
    """Normal numbers ``[N, F]`` as the factors ``[N, F]`` of people, in the table's order."""
    return np.array([list(make_person(one).values()) for one in normal])


def stretch_factors(factors: np.ndarray) -> np.ndarray:
    """Factors ``[N, F]`` with each range stretched to -1..1."""
    low = np.array([f.low for f in PERSON_FACTORS])
    high = np.array([f.high for f in PERSON_FACTORS])
    return np.asarray((factors - low) / (high - low) * 2 - 1)


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


def make_person(z: np.ndarray) -> dict[str, float]:
    """The factors of a plausible person for standard normal numbers ``[F]``.

    Continuous in ``z``. Where ``factors_from_normal`` takes each number alone, this shifts them
    as people are: beards and baldness on men, skin, hair and eyes that go with the ancestry, one
    loud grimace at a time, makeup and earrings more on women, no hair where it fell out.
    """
    own = dict(zip(PERSON_FACTOR_NAMES, np.asarray(z, float).tolist(), strict=True))
    own["gender"] *= 1.4  # most people are plainly a woman or a man
    man = _logistic(3.0 * own["gender"])
    shares = _soften_ancestry(own)
    _calm_person(own)
    _color_person(own, shares)
    _grow_person(own, man, shares)
    _dress_person(own, man)
    _quiet_grimaces(own)
    return {f.name: shares.get(f.name, f.from_normal(own[f.name])) for f in PERSON_FACTORS}


def sample_factors(seed: int) -> dict[str, float]:
    """The factors of a random person, as ``make_person`` makes them."""
    return make_person(np.random.default_rng(seed).standard_normal(len(PERSON_FACTORS)))


def _soften_ancestry(own: dict[str, float]) -> dict[str, float]:
    """Shares of the three shapes, of sum 1, by softmax: mostly one, at times a mixture."""
    names = ("african", "asian", "caucasian")
    strength = np.exp([2.2 * own[name] for name in names])
    return dict(zip(names, (strength / strength.sum()).tolist(), strict=True))


def _calm_person(own: dict[str, float]) -> None:
    """Most people are between 20 and 60 and look relaxed; the ends of all ranges stay in reach."""
    own["age"] = 0.85 * own["age"] - 0.45
    own["smile"] = 0.75 * own["smile"] + 0.25
    own["eye_open"] = 0.6 * own["eye_open"]
    for name in ("brow_height", "brow_angle", "asymmetry", "gaze_x", "gaze_y"):
        own[name] *= 0.7
    for name in ("jaw", "chin", "face_length", "face_width", "nose_length", "nose_width"):
        own[name] *= 0.85
    for k in range(1, 7):
        own[f"identity_{k}"] *= 0.8
    for name in ("mouth_open", *_LOUD):  # what shows is mostly slight
        over = own[name] - _quantile(name)
        own[name] -= 0.35 * max(over, 0.0)


def _color_person(own: dict[str, float], shares: Factors) -> None:
    """Skin, hair and eyes in colors that go together."""
    tone = 1.1 * shares["african"] - 0.25 * shares["asian"] - 0.8 * shares["caucasian"]
    own["skin_tone"] = tone + 0.45 * own["skin_tone"]
    fair = shares["caucasian"] * _logistic(5 * (-0.4 - own["skin_tone"]))
    own["hair_lightness"] += -1.6 + 1.7 * fair
    own["hair_redness"] += 0.6 * fair - 0.6
    own["eye_color"] += -1.6 + 1.4 * fair
    own["freckles"] -= 1.6 * _logistic(4 * (own["skin_tone"] + 0.2))
    own["gray_hair"] *= 0.7
    own["teeth_whiteness"] -= 0.35 * own["age"]


def _grow_person(own: dict[str, float], man: float, shares: Factors) -> None:
    """Hair of the head and of the face for the sex, the age and the ancestry."""
    own["hair_length"] = 0.75 * own["hair_length"] + 0.6 - 1.6 * man
    own["hair_curl"] += 0.9 * shares["african"] - 0.6 * shares["asian"]
    own["eyelid_fold"] += 0.7 * shares["asian"]
    for name in ("beard", "moustache", "stubble"):
        own[name] += 0.5 * man - 4.5 * (1 - man)
    own["moustache"] += 1.5 * _logistic(4 * (own["beard"] - _quantile("beard"))) - 0.3
    own["stubble"] -= 1.2 * _logistic(4 * (own["beard"] - _quantile("beard")))
    own["bald"] += 0.5 * own["age"] * man - 4.5 * (1 - man)
    gone = _logistic(5 * (own["bald"] - _quantile("bald") + 0.2))
    own["hair_length"] -= gone * _ramp(own["hair_length"] + 0.75)
    own["hair_tied"] += -1.6 * man + 0.3 - gone
    own["brow_thickness"] += 0.7 * man - 0.35


def _dress_person(own: dict[str, float], man: float) -> None:
    """What women and men put on and wear to different shares."""
    own["lipstick"] += 0.3 - 4.0 * man
    own["eye_makeup"] += 0.35 - 4.0 * man
    own["earrings"] += 0.4 - 1.2 * man
    own["neckline"] *= 0.8
    own["hat_kind"] = 0.8 * own["hat_kind"] - 0.45  # hats with a brim are rarer than caps


def _quiet_grimaces(own: dict[str, float]) -> None:
    """One loud grimace at a time: the others fall below what shows, smoothly."""
    over = np.array([own[name] - _quantile(name) for name in _LOUD])
    lead = np.exp(6 * (over - over.max()))
    lead /= lead.sum()
    for name, share, much in zip(_LOUD, lead.tolist(), over.tolist(), strict=True):
        own[name] -= (1 - share) * _ramp(much + 0.3)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -40.0), 40.0)))


def _ramp(x: float) -> float:
    """``max(x, 0)`` with a rounded corner (softplus)."""
    return math.log1p(math.exp(min(8 * x, 40.0))) / 8 if 8 * x < 40 else x


def _quantile(name: str) -> float:
    return _NORMAL.inv_cdf(1 - _BY_NAME[name].share)

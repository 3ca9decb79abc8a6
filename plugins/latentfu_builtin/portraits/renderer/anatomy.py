"""Measures of a head from its factors, in head coordinates.

One unit is half the side of the standard crop. Every measure is ``[N, 1]`` so that
it broadcasts over the samples of a picture ``[N, P]``.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from latentfu_builtin.portraits.renderer.factors import column

_PRESENCE_RAMP = 0.12


def ramp(value: Tensor, low: float, high: float) -> Tensor:
    """Smooth rise from 0 at ``low`` to 1 at ``high`` (falling when high < low)."""
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True)
class Skull:
    """The bald head without its features."""

    half_width: Tensor
    jaw: Tensor  # widening at the height of the jaw
    chin_y: Tensor
    chin: Tensor
    brow_ridge: Tensor
    cheeks: Tensor
    sag: Tensor


@dataclass(frozen=True)
class Nose:
    """Tip height and size."""

    tip_y: Tensor
    tip_z: Tensor
    radius: Tensor


@dataclass(frozen=True)
class EyeMeasures:
    """Almonds, irises and brows, given for the eye at positive x and mirrored."""

    x: float
    y: float
    half_width: Tensor
    upper: Tensor  # heights of the almond above and below its center line
    lower: Tensor
    ball: Tensor
    gaze_x: Tensor
    gaze_y: Tensor
    brow_y: Tensor
    brow_angle: Tensor
    brow_thick: Tensor
    lash: Tensor


@dataclass(frozen=True)
class Mouth:
    """The curve between the lips and what hangs on it."""

    y: Tensor
    half_width: Tensor
    curve: Tensor
    open: Tensor
    upper: Tensor
    lower: Tensor


@dataclass(frozen=True)
class Hair:
    """Cover is 0 for a bald head; thickness in units; the rest are amounts in 0..1."""

    cover: Tensor
    thickness: Tensor
    curl: Tensor
    fringe: Tensor
    line: Tensor  # how far the hairline has gone back
    long: Tensor
    end_y: Tensor


@dataclass(frozen=True)
class Extras:
    """Presence (``*_on``) and size of what may be worn or grown."""

    beard_on: Tensor
    beard: Tensor
    glasses_on: Tensor
    glasses: Tensor
    hat_on: Tensor
    hat: Tensor
    earrings_on: Tensor
    earrings: Tensor


@dataclass(frozen=True)
class Anatomy:
    """All measures of a batch of heads."""

    skull: Skull
    nose: Nose
    eyes: EyeMeasures
    mouth: Mouth
    hair: Hair
    extras: Extras
    age: Tensor  # 0 young or middle, 1 old
    male: Tensor


def measure_anatomy(factors: Tensor) -> Anatomy:
    """The measures of factors ``[N, F]``."""
    age, gender = _col(factors, "age"), _col(factors, "gender")
    return Anatomy(
        skull=_skull(factors),
        nose=_nose(factors),
        eyes=_eyes(factors),
        mouth=_mouth(factors),
        hair=_hair(factors),
        extras=_extras(factors),
        age=ramp(age, -0.3, 1.0),
        male=gender,
    )


def _col(factors: Tensor, name: str) -> Tensor:
    index = column(name)
    return factors[:, index : index + 1]


def _skull(f: Tensor) -> Skull:
    age, gender, smile = _col(f, "age"), _col(f, "gender"), _col(f, "smile")
    drop = 0.085 * ramp(_col(f, "mouth_open"), -0.25, 1.0)
    return Skull(
        half_width=0.455 + 0.045 * _col(f, "face_width"),
        jaw=0.02 + 0.12 * _col(f, "jaw") + 0.09 * gender + 0.03 * age,
        chin_y=-0.52 - drop - 0.02 * gender + 0.02 * ramp(age, -0.3, -1.0),
        chin=0.035 + 0.015 * gender,
        brow_ridge=0.016 + 0.014 * gender,
        cheeks=0.022 + 0.03 * smile.clamp(min=0) - 0.012 * age - 0.006 * gender,
        sag=ramp(age, 0.0, 1.0),
    )


def _nose(f: Tensor) -> Nose:
    length, gender = _col(f, "nose_length"), _col(f, "gender")
    grown = _col(f, "age")
    return Nose(
        tip_y=-0.165 - 0.065 * length - 0.015 * grown,
        tip_z=0.575 + 0.02 * length + 0.015 * gender,
        radius=0.068 + 0.009 * gender + 0.006 * grown,
    )


def _eyes(f: Tensor) -> EyeMeasures:
    size, wide, smile = _col(f, "eye_size"), _col(f, "eye_open"), _col(f, "smile")
    gender, age = _col(f, "gender"), _col(f, "age")
    grow = 1.16 + 0.2 * size - 0.04 * gender - 0.05 * age
    squint = 0.16 * smile.clamp(min=0)
    lift = (0.62 + 0.38 * wide + 0.16 * wide * wide).clamp(min=0.1)
    return EyeMeasures(
        x=0.2,
        y=0.06,
        half_width=0.108 * grow,
        upper=0.082 * grow * lift * (1 - squint),
        lower=0.05 * grow * (0.75 + 0.25 * wide) * (1 - 1.2 * squint),
        ball=0.135 * grow,
        gaze_x=0.5 * _col(f, "gaze_x"),
        gaze_y=0.34 * _col(f, "gaze_y"),
        brow_y=0.245 + 0.055 * _col(f, "brow_height") - 0.018 * gender,
        brow_angle=_col(f, "brow_angle"),
        brow_thick=0.024 + 0.009 * gender,
        lash=0.013 - 0.006 * gender,
    )


def _mouth(f: Tensor) -> Mouth:
    smile, gender = _col(f, "smile"), _col(f, "gender")
    opened = ramp(_col(f, "mouth_open"), -0.25, 1.0)
    thin = 1 - 0.2 * gender - 0.18 * _col(f, "age")
    return Mouth(
        y=-0.365 + 0.012 * smile,
        half_width=0.165 + 0.04 * smile - 0.012 * opened,
        # A face at rest has corners that turn up a little.
        curve=0.012 + 0.083 * smile.clamp(min=0) + 0.05 * smile.clamp(max=0),
        open=0.125 * opened + 0.035 * ramp(smile, 0.15, 0.9),
        upper=0.044 * thin * (1 - 0.25 * smile.clamp(min=0)),
        lower=0.06 * thin * (1 - 0.2 * smile.clamp(min=0)),
    )


def _hair(f: Tensor) -> Hair:
    length, curl = _col(f, "hair_length"), _col(f, "hair_curl")
    curly = ramp(curl, -0.2, 1.0)
    grown = ramp(length, -0.95, 0.4)
    fringe = _col(f, "fringe")
    old_male = ramp(_col(f, "gender"), 0.0, 1.0) * ramp(_col(f, "age"), 0.0, 1.0)
    return Hair(
        cover=ramp(length, -0.96, -0.72),
        thickness=0.012 + grown * (0.055 + 0.075 * curly),
        curl=curly * ramp(length, -0.8, -0.2),
        fringe=ramp(fringe, 0.0, 1.0) * ramp(length, -0.8, -0.2),
        line=0.05 * ramp(fringe, 0.0, -1.0) + 0.10 * old_male,
        long=ramp(length, -0.05, 0.25),
        end_y=-0.1 - 0.85 * ramp(length, -0.1, 1.0),
    )


def _presence(f: Tensor, name: str) -> tuple[Tensor, Tensor]:
    value = _col(f, name)
    return ramp(value, 0.0, _PRESENCE_RAMP), value.clamp(min=0)


def _extras(f: Tensor) -> Extras:
    beard_on, beard = _presence(f, "beard")
    glasses_on, glasses = _presence(f, "glasses")
    hat_on, hat = _presence(f, "hat")
    earrings_on, earrings = _presence(f, "earrings")
    return Extras(beard_on, beard, glasses_on, glasses, hat_on, hat, earrings_on, earrings)

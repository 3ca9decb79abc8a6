"""The shipped directions do in the network's pictures what their words say."""

from __future__ import annotations

import json
from functools import cache

import cv2
import latentfu
import numpy as np
import pytest
import torch
from latentfu_builtin.faces.detect import run_detector
from latentfu_builtin.people.factors import check_factors
from latentfu_builtin.people_network.sample_pictures import SAMPLES

RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_CORNER, LEFT_CORNER = (
    slice(4 + 2 * i, 6 + 2 * i) for i in range(5)
)
"""Columns of the detector's answer; right and left are the person's."""


@cache
def _draw(control: str, strength: float) -> np.ndarray:
    """Eight people with a control moved: uint8 ``[8, R, R, 3]``."""
    generator = latentfu.open_generator("people")
    latents = latentfu.random_latents(generator, 8, seed=11, psi=0.6)
    mover = latentfu.controls("people")[control].load_for(generator)
    with torch.no_grad():
        images = generator.render(mover.apply(latents, strength, generator))
    levels = images.add(1).mul(127.5).clamp(0, 255).byte()
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy())


def _find_landmarks(control: str, strength: float) -> np.ndarray:
    """The detector's answer for each person, in units between the eyes: ``[8, 14]``."""
    rows = []
    for picture in _draw(control, strength):
        large = cv2.resize(picture, (384, 384), interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(large, 96, 96, 96, 96, cv2.BORDER_REPLICATE)
        found = run_detector(framed)
        assert len(found), (control, strength)
        row = found[0]
        rows.append(row / np.linalg.norm(row[LEFT_EYE] - row[RIGHT_EYE]))
    return np.array(rows)


def test_people_is_the_network_where_none_is_named() -> None:
    assert next(iter(latentfu.generators())) == "people"
    spec = latentfu.generators()["people"]
    assert spec.domain == "faces" and spec.aligner == "faces" and spec.licence
    assert [e.generator_id for e in latentfu.encoders().values()].count(spec.id) == 1


@pytest.mark.parametrize("name", ["smile", "age", "yaw", "gender", "hair_lightness", "beard"])
def test_what_people_look_for_is_there_under_its_name(name: str) -> None:
    control = latentfu.controls()[name]
    assert control.title and control.positive_means and control.group and all(control.ends)


def test_a_turn_moves_the_nose_between_the_eyes() -> None:
    def nose(strength: float) -> np.ndarray:
        found = _find_landmarks("yaw", strength)
        eyes = (found[:, RIGHT_EYE] + found[:, LEFT_EYE]) / 2
        return np.asarray((found[:, NOSE] - eyes)[:, 0])

    assert ((nose(1.0) - nose(0.0)) > 0.05).all()
    assert ((nose(0.0) - nose(-1.0)) > 0.05).all()


def test_a_smile_lifts_the_corners_of_the_mouth_and_leaves_the_eyes() -> None:
    def lift(strength: float) -> np.ndarray:
        found = _find_landmarks("smile", strength)
        corners = (found[:, RIGHT_CORNER] + found[:, LEFT_CORNER]) / 2
        return np.asarray((found[:, NOSE] - corners)[:, 1])

    assert (lift(2.0) - lift(-2.0)).mean() > 0.05
    assert ((lift(2.0) - lift(-2.0)) > 0).all()


def test_hair_and_skin_take_the_color_that_is_asked_for() -> None:
    hair = np.s_[:, 2:16, 40:88]
    light, dark = (_draw("hair_lightness", s)[hair].mean((1, 2, 3)) for s in (2.0, -2.0))
    assert (light > dark + 10).sum() >= 6  # the others are bald, or wear a hat
    cheek = np.s_[:, 64:76, 48:80]
    darker, lighter = (_draw("skin_tone", s)[cheek].mean((1, 2, 3)) for s in (1.5, -1.5))
    assert (lighter > darker + 20).all()


def test_sample_pictures_lie_there_with_their_factors() -> None:
    pictures = [
        p for p in latentfu.installed(latentfu.SamplePicture).values() if p.domain == "faces"
    ]
    assert len(pictures) == 2
    for picture in pictures:
        pixels = picture.render()
        assert pixels.shape == (1024, 1024, 3) and pixels.dtype == np.uint8
        small = np.asarray(cv2.resize(pixels, (512, 512)), np.uint8)
        assert len(run_detector(small)) == 1
        factors = json.loads((SAMPLES / f"{picture.name}.json").read_text())
        assert check_factors(factors)["age"] == 30.0

"""A photograph edited with the shipped network: what is asked for changes, and nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import latentfu
import numpy as np
import pytest
from latentfu_builtin.faces.detect import run_detector
from PIL import Image

PHOTOGRAPH = np.asarray(
    Image.open(Path(__file__).parents[1] / "faces" / "reference" / "astronaut.png").convert("RGB")
)
MOUTH = np.s_[125:165, 195:255]
EYES = np.s_[95:112, 190:262]
FLAG = np.s_[0:250, 0:90]


@cache
def _edit(control: str, strength: float) -> np.ndarray:
    done = latentfu.edit(PHOTOGRAPH, {control: strength})
    assert isinstance(done, np.ndarray)
    return done


def _find_regions(*names: str) -> np.ndarray:
    """Where these regions are in the photograph: ``[H, W]`` in 0..255."""
    found = np.asarray(latentfu.find_regions(PHOTOGRAPH, list(names)))
    return found[..., 0] if found.ndim == 3 else found


def _measure_change(control: str, strength: float, where: tuple[slice, slice]) -> float:
    """Levels by which the place changes."""
    change = _edit(control, strength).astype(int) - PHOTOGRAPH
    return float(np.abs(change[where]).mean())


@pytest.mark.parametrize("strength", [-2.0, 2.0])
def test_a_smile_moves_the_mouth_and_keeps_the_rest(strength: float) -> None:
    assert _measure_change("smile", strength, MOUTH) > 2.0
    assert _measure_change("smile", strength, FLAG) == 0.0
    assert _measure_change("smile", strength, EYES) < 0.5 * _measure_change(
        "smile", strength, MOUTH
    )
    assert len(run_detector(_edit("smile", strength))) == 1


def test_darker_hair_is_darker_within_its_own_border() -> None:
    hair = _find_regions("hair")
    before, after = (p.astype(float).mean(2) for p in (PHOTOGRAPH, _edit("hair_lightness", -2.0)))
    assert (before - after)[hair > 200].mean() > 4.0
    far = hair == 0
    assert np.abs(before - after)[far].mean() < 0.05 * (before - after)[hair > 200].mean()


@pytest.mark.parametrize(("strength", "way"), [(-1.0, -1), (1.0, 1)])
def test_a_turned_head_keeps_its_outline_and_its_pixels(strength: float, way: int) -> None:
    """The nose goes, what is behind the head stays, and the face is as sharp as it was."""
    behind = _find_regions("background", "clothes") == 255
    turned = _edit("yaw", strength)
    assert np.abs(turned.astype(int) - PHOTOGRAPH)[behind].mean() < 0.1
    before, after = (run_detector(each)[0] for each in (PHOTOGRAPH, turned))
    noses = [row[8] for row in (before, after)]
    assert way * (noses[1] - noses[0]) > 4
    fine = [
        cv2.Laplacian(each[EYES].astype(np.float32).mean(2), cv2.CV_32F)
        for each in (PHOTOGRAPH, turned)
    ]
    assert np.abs(fine[1]).mean() > 0.75 * np.abs(fine[0]).mean()


def test_glasses_are_lines_around_the_eyes() -> None:
    """Rims, and not a shade: fine structure comes where the eyes are, and nowhere else."""
    around = np.s_[90:125, 185:265]
    before, after = (
        cv2.Laplacian(each.astype(np.float32).mean(2), cv2.CV_32F)
        for each in (PHOTOGRAPH, _edit("glasses", 1.0))
    )
    assert np.abs(after[around]).mean() > 1.03 * np.abs(before[around]).mean()
    change = _measure_change("glasses", 1.0, around)
    assert change > 4.0
    assert _measure_change("glasses", 1.0, MOUTH) < 0.5 * change
    assert _measure_change("glasses", 1.0, FLAG) == 0.0


def test_a_gray_photograph_stays_gray() -> None:
    gray = np.repeat(PHOTOGRAPH.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    done = latentfu.edit(gray, {"age": 2.0})
    assert isinstance(done, np.ndarray)
    assert (done.max(2) == done.min(2)).all()
    assert (done != gray).any()


def test_a_control_of_another_network_is_named_with_it() -> None:
    with pytest.raises(latentfu.NotInstalledError, match="network portraits has it"):
        latentfu.edit(PHOTOGRAPH, {"earrings": 2.0})
    with pytest.raises(latentfu.NotInstalledError, match="no control 'wings'"):
        latentfu.edit(PHOTOGRAPH, {"wings": 2.0})


def test_other_light_puts_nothing_on() -> None:
    """Hair in another light may look like a hat to a parser; it is none."""
    hair = np.s_[10:60, 180:270]
    fine = [
        cv2.Laplacian(each[hair].astype(np.float32).mean(2), cv2.CV_32F)
        for each in (PHOTOGRAPH, _edit("light_x", 2.0))
    ]
    assert np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("control", ["light_x", "hair_lightness", "skin_tone"])
def test_light_and_colors_leave_detail_where_it_is(control: str) -> None:
    """The fine structure of the face comes back in its place, though its contrast may change."""
    fine = [
        cv2.Laplacian(each[80:180, 180:280].astype(np.float32).mean(2), cv2.CV_32F)
        for each in (PHOTOGRAPH, _edit(control, 2.0))
    ]
    assert np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] > 0.9


def test_other_light_on_the_face_draws_no_square_behind_it() -> None:
    behind = _find_regions("background") == 255
    change = np.abs(_edit("light_x", 2.0).astype(int) - PHOTOGRAPH).mean(2)
    assert change[behind].mean() < 0.2 < 4.0 < change[80:180, 180:280].mean()

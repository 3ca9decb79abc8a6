"""Hair, a mouth and the like of one picture in another: what is taken comes, all else stays."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import latentfu
import numpy as np
import pytest
from latentfu.core.errors import LatentFuError
from latentfu_builtin.faces.detect import run_detector
from latentfu_builtin.people_network.sample_pictures import list_people_samples
from PIL import Image

PHOTOGRAPH = np.asarray(
    Image.open(Path(__file__).parents[1] / "faces" / "reference" / "astronaut.png").convert("RGB")
)
FLAG, FACE, MOUTH = np.s_[0:250, 0:90], np.s_[95:140, 200:250], np.s_[125:165, 195:255]


@cache
def _sample(name: str) -> np.ndarray:
    """Red-brown hair before a garden, or black hair before a gray wall."""
    (found,) = (one for one in list_people_samples("faces") if one.name == name)
    return np.asarray(Image.fromarray(found.render()).resize((512, 512)))


def _mix(layer: np.ndarray, source: np.ndarray, *regions: str, **fields: object) -> np.ndarray:
    done = latentfu.mix(layer, source, regions=regions, **fields)  # type: ignore[arg-type]
    assert isinstance(done, np.ndarray) and done.shape == layer.shape
    return done


def _find(picture: np.ndarray, *names: str) -> np.ndarray:
    found = np.asarray(latentfu.find_regions(picture, list(names)))
    return (found[..., 0] if found.ndim == 3 else found) > 200


def test_hair_comes_and_the_face_stays() -> None:
    done = _mix(PHOTOGRAPH, _sample("friend"), "hair")
    was, now = PHOTOGRAPH[_find(PHOTOGRAPH, "hair")], done[_find(done, "hair")]
    black = _sample("friend")[_find(_sample("friend"), "hair")].mean()
    assert was.mean() > 80 > 2 * black > now.mean()
    assert np.array_equal(done[FACE], PHOTOGRAPH[FACE])
    assert np.array_equal(done[FLAG], PHOTOGRAPH[FLAG])
    assert len(run_detector(done)) == 1


def test_what_hair_leaves_bare_is_filled_from_around() -> None:
    """Long hair goes: the wall and the shirt go on where it hung, and none of it is left there."""
    woman = _sample("woman")
    done = _mix(woman, PHOTOGRAPH, "hair")
    bare = _find(woman, "hair") & ~_find(done, "hair", "skin", "ears", "neck")
    reddish = woman[bare].astype(int), done[bare].astype(int)
    assert bare.mean() > 0.02
    before, after = ((each[:, 0] - each[:, 2]).mean() for each in reddish)
    assert before > 35 and after < 0.6 * before


def test_a_mouth_comes_in_the_light_of_the_face() -> None:
    """The mouth is the other's, closed, and the cheeks beside it do not change color."""
    done = _mix(PHOTOGRAPH, _sample("woman"), "mouth")
    change = done.astype(int) - PHOTOGRAPH
    assert np.abs(change[MOUTH]).mean() > 5
    far = np.ones(change.shape[:2], bool)
    far[MOUTH] = False
    assert np.abs(change[far]).mean() < 0.3
    skin = _find(done, "skin")[MOUTH] & _find(PHOTOGRAPH, "skin")[MOUTH]
    assert np.abs(change[MOUTH][skin].mean(0)).max() < 12
    teeth = _find(PHOTOGRAPH, "teeth")
    assert PHOTOGRAPH[teeth].mean() - done[teeth].mean() > 15


def test_a_head_turned_to_the_other_side_is_mirrored() -> None:
    """Hair of a mirrored photograph is that of the photograph itself, so it hardly changes."""
    turned = latentfu.edit(PHOTOGRAPH, {"yaw": 1.0}, quality="draft")
    assert isinstance(turned, np.ndarray)
    itself, mirrored = (_mix(turned, each, "hair") for each in (turned, turned[:, ::-1].copy()))
    inside = _find(turned, "hair")
    apart = np.abs(mirrored[inside].astype(int) - itself[inside]).mean()
    assert apart < 0.3 * np.abs(turned[inside].astype(int) - turned[:, ::-1][inside]).mean()


def test_hair_of_the_picture_itself_hardly_changes_it() -> None:
    woman = _sample("woman")
    done = _mix(woman, woman, "hair")
    inside = _find(woman, "hair")
    assert np.abs(done[inside].astype(int) - woman[inside]).mean() < 12


def test_a_selection_holds_and_gray_stays_gray() -> None:
    mask = np.zeros(PHOTOGRAPH.shape[:2], np.uint8)
    mask[:, :225] = 255
    done = _mix(PHOTOGRAPH, _sample("friend"), "hair", mask=mask)
    assert np.array_equal(done[:, 225:], PHOTOGRAPH[:, 225:])
    assert not np.array_equal(done, PHOTOGRAPH)
    gray = np.repeat(PHOTOGRAPH.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    colored = _mix(gray, _sample("woman"), "hair")
    assert (colored.max(2) == colored.min(2)).all() and not np.array_equal(colored, gray)


def test_a_transparent_layer_keeps_its_alpha() -> None:
    alpha = np.full((*PHOTOGRAPH.shape[:2], 1), 255, np.uint8)
    alpha[:80] = 0
    layer = np.concatenate([PHOTOGRAPH, alpha], axis=2)
    done = _mix(layer, _sample("friend"), "hair")
    assert np.array_equal(done[..., 3], layer[..., 3])
    assert np.array_equal(done[:80], layer[:80]), "what is not seen does not change"


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        (("background",), "goes on beyond the face"),
        (("glasses",), "too thin"),
        (("hat",), "no hat in the second picture"),
        (("tail",), "no region 'tail'"),
        ((), "layers or regions"),
    ],
)
def test_what_cannot_be_mixed_is_said(regions: tuple[str, ...], said: str) -> None:
    with pytest.raises(LatentFuError, match=said):
        _mix(PHOTOGRAPH, _sample("friend"), *regions)


def test_styles_of_another_photograph_leave_what_is_around() -> None:
    """A mix of network layers in a photograph: no piece of the other's background comes along."""
    done = latentfu.mix(PHOTOGRAPH, _sample("friend"), (0, 9), quality="draft")
    assert isinstance(done, np.ndarray)
    around = _find(PHOTOGRAPH, "background", "clothes")
    change = np.abs(done.astype(int) - PHOTOGRAPH)
    assert change[around].mean() < 1.0 < change[FACE].mean()

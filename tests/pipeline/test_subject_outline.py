"""The outline of a photograph's subject: no glow beside it, no double line, new parts do come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from latentfu.core.regions import RegionParser
from latentfu.pipeline.motion import Motion
from latentfu.pipeline.region_fit import find_coming, find_outline, list_surroundings
from latentfu.pipeline.region_map import RegionMap
from latentfu.pipeline.subject_outline import bend_outline, snap_to_layer

SIDE = 128
NAMES = ("background", "skin", "hair", "hat")


def _no_network(device: str) -> Callable[..., object]:
    raise AssertionError(device)


PARSER = RegionParser(
    name="shapes",
    title="Shapes",
    domains=("faces",),
    regions=NAMES,
    load=_no_network,  # type: ignore[arg-type]
    things=("background", "hat"),
    turning=("skin", "hair", "hat"),
)


def _make_map(radius: float, hat: bool = False) -> RegionMap:
    """A round head of that radius, in sides, with a hat above it or none."""
    rows, columns = (np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5) / SIDE
    far = np.hypot(columns - 0.5, rows - 0.55)
    parts = np.zeros((4, SIDE, SIDE), np.float32)
    parts[1] = np.clip((radius - far) * SIDE / 2 + 0.5, 0, 1)
    if hat:
        parts[3] = ((rows < 0.3) & (rows > 0.1) & (np.abs(columns - 0.5) < 0.2)) * (1 - parts[1])
    parts[0] = 1.0 - parts[1:].sum(0)
    return RegionMap(NAMES, parts, 0.9)


AROUND = ("background",)
NOTHING = np.zeros((SIDE, SIDE), np.float32)
HEAD, SMALLER = _make_map(0.3), _make_map(0.28)


def test_what_is_worn_is_no_surrounding() -> None:
    assert list_surroundings(PARSER) == ("background",)


@pytest.mark.parametrize("after", [HEAD, SMALLER])
def test_an_outline_that_moves_a_little_brings_no_new_part(after: RegionMap) -> None:
    outline = find_outline(HEAD, (HEAD, after), AROUND, ("skin",), NOTHING)
    assert outline.change.max() == 0.0
    assert np.array_equal(outline.around, HEAD.weigh(["background"]))
    assert outline.drawn[70, 64] == 0.0 < outline.drawn.max()


def test_a_hat_that_comes_changes_the_outline_there_alone() -> None:
    outline = find_outline(HEAD, (HEAD, _make_map(0.3, hat=True)), AROUND, ("hat",), NOTHING)
    assert outline.change[20, 64] > 0.9 and outline.around[20, 64] < 0.1
    assert outline.change[100, 10] == 0.0 and outline.around[100, 10] == 1.0


def test_an_edit_of_the_background_may_color_it() -> None:
    outline = find_outline(HEAD, (HEAD, HEAD), AROUND, ("background",), NOTHING)
    assert outline.around.max() == 0.0


def test_the_photograph_is_pulled_along_at_the_outline() -> None:
    """The network's motion ends at its own outline, within the photograph's."""
    outline = find_outline(HEAD, (SMALLER, SMALLER), AROUND, ("skin",), NOTHING)
    rows, columns = (np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5) / SIDE
    far = np.hypot(columns - 0.5, rows - 0.55)
    flow = np.zeros((SIDE, SIDE, 2), np.float32)
    flow[far < 0.3] = (0.02, 0.0)
    missing = np.asarray(np.abs(far - 0.28) > 0.02, np.float32)
    bent = bend_outline(Motion(flow, missing, np.zeros_like(far), missing), outline)
    assert (bent.flow[far > 0.3 + 0.05] == 0.0).all()
    beside = bent.flow[(far > 0.305) & (far < 0.315)][:, 0]
    assert beside.min() > 0.005  # no step at the outline: a step draws it twice
    assert bent.kept[(far > 0.275) & (far < 0.295)].min() > 0.9
    assert np.allclose(bent.flow[far < 0.2], (0.02, 0.0), atol=1e-3)


def test_the_layer_says_where_its_subject_ends() -> None:
    """A parser that is off by some pixels finds the edge that the pixels have."""
    seen = np.full((256, 256, 3), (90.0, 130.0, 150.0), np.float32)
    seen[:, :128] = (200.0, 150.0, 120.0)
    seen += np.random.default_rng(0).normal(0, 2.0, seen.shape).astype(np.float32)
    about = np.clip((np.arange(256, dtype=np.float32) - 116) / 16, 0, 1)
    around = np.repeat(about[None, :, None], 256, axis=0)
    found = snap_to_layer(seen, around, 512.0)
    assert found[:, :122].mean() < 0.12 and found[:, 134:].mean() > 0.8
    assert (np.diff(found.mean(0))[124:132]).max() > 0.3


def test_a_hat_is_put_on_and_a_moved_outline_is_not() -> None:
    hat = _make_map(0.3, hat=True)
    comes = find_coming(HEAD, HEAD, hat, PARSER)
    assert comes[20, 64] > 0.9 and comes[70, 64] == 0.0
    assert find_coming(HEAD, hat, HEAD, PARSER).max() == 0.0
    assert find_coming(HEAD, SMALLER, HEAD, PARSER).max() == 0.0


def test_longer_hair_hangs_from_the_hair_that_is_there() -> None:
    """The codes had hair beside the head that the layer has not: it comes with the longer one."""
    short, long = HEAD.parts.copy(), HEAD.parts.copy()
    short[2, 50:80, 100:116] = 1.0
    long[2, 50:110, 100:116] = 1.0
    for parts in (short, long):
        parts[:2] *= 1.0 - parts[2]
    before, after = (RegionMap(NAMES, parts, 0.9) for parts in (short, long))
    hairy = replace(PARSER, textures=("background", "hair"))
    comes = find_coming(HEAD, before, after, hairy)
    assert comes[95, 108] > 0.9 and comes[76, 108] > 0.9
    assert find_coming(HEAD, before, before, hairy).max() == 0.0

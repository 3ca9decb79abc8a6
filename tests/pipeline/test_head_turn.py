"""A head that turns: the outline stays, the face moves, nothing folds and nothing is uncovered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.pipeline.codes_edit import CodesEdit, HeadOutlines, RegionFit
from latentfu.pipeline.head_turn import find_turn, shift_picture
from latentfu.pipeline.motion import FAR, Motion

SIDE = 128
NOTHING = np.zeros((SIDE, SIDE), np.float32)
PICTURE = np.zeros((3, SIDE, SIDE), np.float32)


def _draw_ellipse(x: float, y: float, width: float, height: float) -> np.ndarray:
    rows, columns = (np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5) / SIDE
    far = ((columns - x) / width) ** 2 + ((rows - y) / height) ** 2
    return np.asarray(far < 1, np.float32)


def _make_outlines(went: tuple[float, float] = (0.0, 0.0)) -> HeadOutlines:
    """A head whose outline goes that far in the codes' pictures, and a face that stays."""
    x, y = went
    face = _draw_ellipse(0.5, 0.55, 0.2, 0.27)
    level = _draw_ellipse(0.41, 0.5, 0.05, 0.02) + _draw_ellipse(0.59, 0.5, 0.05, 0.02)
    return HeadOutlines(
        own=np.maximum(_draw_ellipse(0.5, 0.48, 0.32, 0.38), _draw_ellipse(0.5, 0.9, 0.15, 0.3)),
        own_face=face,
        before=_draw_ellipse(0.5, 0.48, 0.3, 0.36),
        after=_draw_ellipse(0.5 + x, 0.48 + y, 0.3, 0.36),
        face=face,
        nose=_draw_ellipse(0.5, 0.57, 0.04, 0.08),
        level=level + _draw_ellipse(0.5, 0.7, 0.09, 0.03),
    )


def _make_motion(outlines: HeadOutlines, nose: tuple[float, float]) -> Motion:
    """Where the nose goes so much further than the rest, which stays, but for some hair."""
    flow = -outlines.nose[:, :, None] * np.array(nose, np.float32)
    flow[:8, :8] = 2 * FAR
    sure = np.ones_like(NOTHING)
    return Motion(np.asarray(flow, np.float32), sure, NOTHING, sure)


def _make_edit(outlines: HeadOutlines | None) -> CodesEdit:
    fit = RegionFit(NOTHING, NOTHING, NOTHING, PICTURE, PICTURE, outlines)
    return CodesEdit(PICTURE, PICTURE, regions=fit)


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.2, 0.2).filter(lambda x: abs(x) > 0.03))
def test_a_turn_folds_nothing_and_stays_within_the_head(went: float) -> None:
    outlines = _make_outlines((went, 0.0))
    turn = find_turn(_make_edit(outlines), _make_motion(outlines, (-0.25 * went, 0.0)))
    assert turn is not None
    flow = turn.motion.flow
    assert (flow[outlines.own == 0] == 0).all()
    assert (1.0 + np.diff(flow[:, :, 0] * SIDE, axis=1)).min() > 0  # left stays left of right
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = outlines.own > 0
    y, x = (
        np.rint(p + SIDE * f).astype(int)
        for p, f in ((rows, flow[..., 1]), (columns, flow[..., 0]))
    )
    assert (outlines.own[y[inside], x[inside]] > 0).all()  # nothing of the background comes in
    middle = flow[60:66, 60:68, 0].mean()
    assert np.sign(middle) == np.sign(went) and abs(middle) > 0.4 * min(abs(went), 0.15)


def test_the_further_the_outline_went_the_further_the_face_goes() -> None:
    reached = []
    for went in (0.03, 0.06, 0.09):
        outlines = _make_outlines((0.0, went))
        turn = find_turn(_make_edit(outlines), _make_motion(outlines, (0.0, -0.25 * went)))
        assert turn is not None
        reached.append(float(turn.motion.flow[66, 64, 1]))
    assert reached[0] < reached[1] < reached[2]


def test_hair_that_grows_turns_no_head() -> None:
    outlines = _make_outlines((0.08, 0.06))
    assert find_turn(_make_edit(outlines), _make_motion(outlines, (0.0, 0.0))) is None
    along = find_turn(_make_edit(outlines), _make_motion(outlines, (-0.02, 0.0)))
    assert along is not None
    assert np.abs(along.motion.flow[..., 1]).max() < 1e-3 < np.abs(along.motion.flow[..., 0]).max()


def test_small_motions_and_other_subjects_turn_nothing() -> None:
    outlines = _make_outlines((0.1, 0.0))
    motion = _make_motion(outlines, (-0.025, 0.0))
    assert find_turn(_make_edit(outlines), motion) is not None
    assert find_turn(_make_edit(None), motion) is None
    assert find_turn(CodesEdit(PICTURE, PICTURE), motion) is None
    assert find_turn(_make_edit(outlines), replace(motion, flow=0.1 * motion.flow)) is None
    nobody = replace(outlines, own=NOTHING)
    turn = find_turn(_make_edit(nobody), motion)
    assert turn is not None and not turn.motion.flow.any()


def test_a_picture_is_read_from_where_it_went() -> None:
    picture = np.zeros((3, 64, 64), np.float32)
    picture[:, 20:24, 40:44] = 1.0
    shift = np.zeros((SIDE, SIDE, 2), np.float32)
    shift[..., 0] = 10 / 64
    assert shift_picture(picture, shift)[:, 20:24, 30:34].mean() > 0.9

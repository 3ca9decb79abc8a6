"""Which part of a layer a preview shows: fitting, zooming, dragging."""

from __future__ import annotations

import pytest
from latentfu_gimp.view import LARGEST_SCALE, Box, Viewport, box_of_face, find_face

SQUARE = [[100, 100], [200, 100], [200, 200], [100, 200]]


def test_the_whole_layer_fills_the_room() -> None:
    view = Viewport(1000, 500, (400, 400))
    assert view.shown == Box(0, 0, 1000, 500) and view.size == (400, 200)
    assert view.corner == (0.0, 100.0)
    assert view.set_room(800, 800) and view.size == (800, 400)
    assert not view.set_room(800, 800)


@pytest.mark.parametrize("place", [(0.0, 100.0), (200.0, 200.0), (399.0, 299.0), (90.0, 250.0)])
def test_what_is_under_the_mouse_stays_there(place: tuple[float, float]) -> None:
    view = Viewport(1000, 500, (400, 400))
    before = view.to_layer(*place)
    for _ in range(6):
        view.zoom(1.25, *place)
    # Until it fills the room the picture stands in the middle, so only across is it exact.
    assert view.to_layer(*place)[0] == pytest.approx(before[0], abs=1)
    assert view.scale == pytest.approx(0.4 * 1.25**6)
    for _ in range(20):
        view.zoom(0.8, *place)
    assert view.shown == Box(0, 0, 1000, 500), "it is never smaller than the room"


def test_zoom_has_an_end_and_is_kept_when_the_room_changes() -> None:
    view = Viewport(1000, 500, (400, 400))
    view.zoom_to(1.0)
    assert view.scale == 1.0 and view.shown == Box(300, 50, 400, 400)
    view.set_room(600, 450)
    assert view.scale == 1.0 and view.shown == Box(200, 25, 600, 450)
    view.zoom_to(1000.0)
    assert view.scale == LARGEST_SCALE
    tiny = Viewport(16, 16, (400, 400))
    tiny.zoom(1.25, 0, 0)
    assert tiny.scale == 25.0, "a tiny layer fills the room"


def test_the_hand_drags_to_the_border_and_no_further() -> None:
    view = Viewport(1000, 500, (400, 400))
    view.zoom_to(2.0)
    view.drag(-50, 20)
    assert view.shown == Box(425, 140, 200, 200)
    view.drag(-5000, 5000)
    assert view.shown == Box(800, 0, 200, 200)
    view.drag(100, 0)
    assert view.shown.x == 750, "it comes back at once"


def test_a_face_is_shown_with_room_around_it() -> None:
    whole = Box(0, 0, 1000, 500)
    face = box_of_face(SQUARE, whole)
    assert face == Box(82, 82, 136, 136)
    view = Viewport(1000, 500, (400, 400))
    view.fit(face)
    assert view.size == (400, 400) and view.shown == face
    assert box_of_face([], whole) is None
    assert box_of_face([[0, 0], [500, 0], [500, 500], [0, 500]], Box(0, 0, 500, 500)) is None


def test_the_smallest_frame_under_the_mouse_is_meant() -> None:
    large = [[0, 0], [400, 0], [400, 400], [0, 400]]
    assert find_face([large, SQUARE], 150, 150) == 2
    assert find_face([large, SQUARE], 50, 50) == 1
    assert find_face([large, SQUARE], 900, 50) == 0

"""Real GIMP 3: the picture in the window: zoom, split, and the window's size."""

from __future__ import annotations

import numpy as np

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit

SEEN = """(lambda p: [p.get_width(), p.get_height(), __import__('hashlib').sha256(
    p.get_pixels()).hexdigest()])(part('Preview').get_child().get_pixbuf())"""
PIXELS = """(lambda p: [p.get_rowstride(), p.get_width(), p.get_height(),
    bytes(p.get_pixels()).hex()])(part('Preview').get_child().get_pixbuf())"""


def see(edit: Edit) -> np.ndarray:
    """What the preview shows: ``[height, width, 3]``."""
    stride, width, height, pixels = edit.look(PIXELS)
    rows = np.frombuffer(bytes.fromhex(pixels).ljust(stride * height, b"\0"), np.uint8)
    return rows.reshape(height, stride)[:, : 3 * width].reshape(height, width, 3)


def test_the_wheel_zooms_and_fit_goes_back(edit: Edit) -> None:
    edit.open(edits="")
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    dialog = desktop.window("Edit portrait")
    desktop.activate(dialog)
    edit.do("press('Fit')")
    whole = edit.look(SEEN)
    desktop.scroll(dialog, 240, 240, 3, up=True)
    wait_for(lambda: edit.look(SEEN)[2] != whole[2], "the wheel does nothing")
    edit.do("press('1:1')")
    wait_for(lambda: edit.look("is_learnt()"), "never still")
    assert edit.look(SEEN)[0] <= 480, "a pixel of the layer is one of the screen"
    edit.do("press('Fit')")
    wait_for(lambda: edit.look(SEEN)[:2] == whole[:2], "Fit does not show the whole layer")


def test_split_shows_before_and_after(edit: Edit) -> None:
    edit.open(edits="")
    edit.do("part('Before', Gtk.ToggleButton).set_active(True)")
    old = see(edit).astype(int)
    # Moving a slider leaves Before; the preview without an edit may come first, a level beside it.
    edit.do("number('red').set_value(3)")
    wait_for(lambda: np.abs(see(edit) - old).max() > 16, "no preview of the edit")
    new = see(edit)
    edit.do("part('Split', Gtk.ToggleButton).set_active(True)")
    both, half = see(edit), old.shape[1] // 2
    assert (both[:, : half - 2] == old[:, : half - 2]).all()
    assert (both[:, half + 2 :] == new[:, half + 2 :]).all()
    assert (both[:, half - 2 : half + 2] == 255).all(axis=(0, 2)).any(), "no line between"
    edit.do("part('Before', Gtk.ToggleButton).set_active(True)")
    assert (see(edit) == old).all()


def test_the_window_keeps_its_size(edit: Edit) -> None:
    edit.open(edits="")
    edit.do("window().resize(1190, 740)")
    wait_for(lambda: edit.look("list(window().get_size())") == [1190, 740], "it is not resized")
    wide = edit.look("part('Preview').get_allocated_width()")
    edit.cancel()
    edit.open(edits="")
    wait_for(lambda: edit.look("list(window().get_size())") == [1190, 740], "the size is lost")
    assert wide > 464, "the preview does not grow with the window"
    edit.cancel()
    edit.do("Gimp.detach_parasite('latentfu/window-sizes')")

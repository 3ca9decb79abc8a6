"""Real GIMP 3: earlier results and layers that change are respected by Edit portrait."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit, make_earlier

# Respect for the layer and for the earlier result


def test_edit_again_keeps_what_the_user_made_of_the_result(edit: Edit) -> None:
    """A4: name, opacity, mode, mask, place, tag."""
    make_earlier(edit)
    edit.do("""
        result.set_name("Mine"); result.set_opacity(55.0); result.set_offsets(40, 25)
        result.set_mode(Gimp.LayerMode.SCREEN); result.set_color_tag(Gimp.ColorTag.GREEN)
        mask = result.create_mask(Gimp.AddMaskType.BLACK); result.add_mask(mask)
        kept = whole(result)
    """)
    edit.open("result")
    edit.do("number('red').set_value(3)")
    assert edit.apply() == "Mine"
    seen = edit.look("""[
        (lambda n: [n.get_name(), round(n.get_opacity(), 3), n.get_mode() == Gimp.LayerMode.SCREEN,
         n.get_offsets()[1:], n.get_color_tag() == Gimp.ColorTag.GREEN,
         sum(whole(n.get_mask())), whole(n) != kept, about(n)["state"]["edits"]])
        (image.get_layers()[0]), count(image)]""")
    assert seen[0] == ["Mine", 55.0, True, [40, 25], True, 0, True, {"red": 3.0}], seen
    assert seen[1] == 2


PAINT = """
    Gimp.context_set_foreground(Gegl.Color.new("red"))
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 150, 200, 60, 50)
    result.edit_fill(Gimp.FillType.FOREGROUND); Gimp.Selection.none(image)
    painted = native(result, 150, 200, 60, 50); rest = whole(result)
"""


@pytest.mark.parametrize("answer", ["Keep the paint", "New layer", "Replace", "Cancel"])
def test_hand_painting_is_asked_about(edit: Edit, answer: str) -> None:
    """A4: what was painted on the result is kept, set beside, or replaced, as the user says."""
    make_earlier(edit)
    edit.do(PAINT)
    edit.open("result")
    edit.do("number('red').set_value(-3)")
    edit.apply_and_answer(answer)
    if answer == "Cancel":
        time.sleep(0.3)
        assert edit.look("count(image)") == 2
        assert edit.look("window().get_visible()")
        return
    edit.end()
    seen = edit.look("""[count(image), native(image.get_layers()[0], 150, 200, 60, 50) == painted,
                         any(whole(l) == rest for l in image.get_layers()),
                         about(image.get_layers()[0])["state"]["edits"]]""")
    wanted = {
        "Keep the paint": [2, True, False],
        "New layer": [3, False, True],
        "Replace": [2, False, False],
    }
    assert seen == [*wanted[answer], {"red": -3.0}]


def test_kept_paint_is_still_kept_the_next_time(edit: Edit) -> None:
    make_earlier(edit)
    edit.do(PAINT)
    for strength in (-3, 1):
        edit.do("result = image.get_layers()[0]")
        edit.open("result")
        edit.do(f"number('red').set_value({strength})")
        edit.apply_and_answer("Keep the paint")
        edit.end()
        assert edit.look("native(image.get_layers()[0], 150, 200, 60, 50) == painted")


def test_a_locked_result_is_not_replaced(edit: Edit) -> None:
    """A3: locks are respected."""
    make_earlier(edit)
    edit.do("result.set_lock_content(True); kept = whole(result)")
    edit.open("result")
    wait_for(lambda: "locked" in edit.look("said()"), "it does not say that it is locked")
    edit.apply()
    seen = edit.look("[count(image), whole(result) == kept, image.get_layers()[1] == result]")
    assert seen == [3, True, True]


def test_edit_again_is_byte_identical_on_another_day(edit: Edit, home: Path) -> None:
    """B9: the inversion comes with the layer; nothing is learnt, whatever the server kept."""
    make_earlier(edit, "edits='red=2'")
    edit.do("before = whole(result); seconds = 0")
    for folder in ("inversions", "latents"):
        for path in (home / "cache" / folder).glob("*"):
            path.unlink()
    edit.open("result")
    edit.apply()
    seen = edit.look("""[whole(image.get_layers()[0]) == before,
                         about(image.get_layers()[0])["state"]["method"]]""")
    assert seen == [True, "instant"]
    assert not list((home / "cache" / "inversions").glob("*")), "it was learnt anew"


def test_the_selection_goes_along_when_the_image_is_scaled(edit: Edit) -> None:
    """B4: an ellipse of the last edit still limits the next, in a larger image."""
    edit.do("image.select_ellipse(Gimp.ChannelOps.REPLACE, 150, 200, 120, 100)")
    make_earlier(edit, "edits='red=3', feather=2.0")
    edit.do("Gimp.Selection.none(image); image.scale(960, 1200)")
    edit.do("result = image.get_layers()[0]; layer = image.get_layers()[1]")
    edit.open("result")
    assert "selection went along" in edit.look("said()")
    edit.apply_and_answer("Replace")
    edit.end()
    x0, y0, x1, y1 = edit.look("changed(layer, image.get_layers()[0])['box']")
    assert x0 >= 298 and y0 >= 398 and x1 <= 542 and y1 <= 602
    assert x1 - x0 > 180 and y1 - y0 > 150


def test_the_selection_is_flipped_with_its_layer(edit: Edit) -> None:
    """B4: flipped, it lies at the other side."""
    edit.do("image.select_rectangle(Gimp.ChannelOps.REPLACE, 100, 200, 80, 100)")
    make_earlier(edit, "edits='red=3', feather=2.0")
    edit.do("Gimp.Selection.none(image); image.flip(Gimp.OrientationType.HORIZONTAL)")
    edit.do("result = image.get_layers()[0]; layer = image.get_layers()[1]")
    edit.open("result")
    edit.apply_and_answer("Replace")
    edit.end()
    x0, _, x1, _ = edit.look("changed(layer, image.get_layers()[0])['box']")
    assert x0 >= 300 and x1 <= 380


CHANGES = {
    "scaled": "image.scale(240, 300)",
    "cropped": "image.crop(300, 400, 60, 60)",
    "flipped": "image.flip(Gimp.OrientationType.HORIZONTAL)",
    "painted": "image.select_rectangle(0, 150, 200, 60, 50); layer.edit_fill(2);"
    " Gimp.Selection.none(image)",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_layer_changed_while_the_window_is_open(edit: Edit, change: str) -> None:
    """A5: Apply edits what the layer is now, never what it was."""
    edit.open(edits="")
    edit.do("number('red').set_value(0.5)")
    edit.do(change)
    edit.apply()
    seen = edit.do("""
        new = image.get_layers()[0]
        now = made('latentfu-edit', image, layer, edits='red=0.5')
        value = [new.get_width(), new.get_height(), whole(new) == whole(now),
                 whole(new) != whole(layer)]
        value[:2] = [value[0] == layer.get_width(), value[1] == layer.get_height()]
    """)
    assert seen == [True, True, True, True], "what the window made is not of the layer as it is"


def test_a_layer_that_is_gone_is_said(edit: Edit) -> None:
    edit.open()
    edit.do("number('red').set_value(1); image.insert_layer(layer.copy(), None, 0)")
    edit.do("image.remove_layer(layer); press('Apply')")
    assert "no longer there" in edit.look("said()")

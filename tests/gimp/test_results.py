"""Real GIMP 3: what the result of an edit becomes: a layer, one with a mask, a group."""

from __future__ import annotations

import pytest

from tests.gimp.edit_window import Edit

SELECT = "image.select_rectangle(Gimp.ChannelOps.REPLACE, 150, 150, 180, 200)"
LEVELS = """
def level(drawable, x, y):
    data = drawable.get_buffer().get(Gegl.Rectangle.new(x, y, 1, 1), 1.0, "Y u8",
                                     Gegl.AbyssPolicy.NONE)
    return bytes(data)[0]
"""


def test_the_selection_becomes_a_mask_that_can_be_painted_on(edit: Edit) -> None:
    """Below the mask the whole edit is there: white paint on the mask shows more of it."""
    edit.do(SELECT + LEVELS)
    edit.open(edits="")
    edit.do("""
        box = [w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)][-1]
        box.set_active_id("masked"); number("red").set_value(3); number("Soft border").set_value(6)
    """)
    name = edit.apply()
    edit.do("new = image.get_layers()[0]; mask = new.get_mask()")
    assert name == "red +3 (Latent-Fu)" and edit.look("mask is not None")
    seen = edit.look("[level(mask, 240, 250), level(mask, 40, 40), level(mask, 150, 250)]")
    assert seen[0] == 255 and seen[1] == 0 and 60 < seen[2] < 200, "soft at its edge"
    box = edit.look("changed(layer, new)['box']")
    assert box[0] < 140 and box[3] > 360, "the pixels are those of the whole edit"
    state = edit.look("about(new)['state']")
    assert state["form"] == "masked" and state["mask"]


def test_opened_again_it_keeps_the_mask_that_was_painted_on(edit: Edit) -> None:
    edit.do(SELECT + LEVELS)
    edit.do(
        "new = made('latentfu-edit', image, layer, edits='red=2', feather=0.0, **{'as': 'masked'})"
    )
    edit.do("""
        buffer = new.get_mask().get_buffer()
        buffer.set(Gegl.Rectangle.new(10, 10, 20, 20), "Y u8", b"\\xff" * 400); buffer.flush()
        Gimp.Selection.none(image)
    """)
    edit.open("new")
    edit.do("number('red').set_value(3)")
    edit.apply()
    edit.do("again = image.get_layers()[0]")
    assert edit.look("[count(image), about(again)['state']['edits']]") == [2, {"red": 3.0}]
    assert edit.look("[level(again.get_mask(), 15, 15), level(again.get_mask(), 60, 60)]") == [
        255,
        0,
    ]


@pytest.mark.parametrize("selected", [False, True])
def test_a_group_is_named_after_the_edit(edit: Edit, selected: bool) -> None:
    if selected:
        edit.do(SELECT)
    edit.do("new = made('latentfu-edit', image, layer, edits='red=2', **{'as': 'group'})")
    seen = edit.look("""[image.get_layers()[0].is_group(), image.get_layers()[0].get_name(),
        new.get_parent() == image.get_layers()[0], count(image), new.get_mask() is None]""")
    assert seen == [True, "red +2 (Latent-Fu)", True, 2, True]

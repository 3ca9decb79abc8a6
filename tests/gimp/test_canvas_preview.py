"""Real GIMP 3: the preview in the image itself, and how it goes without a trace."""

from __future__ import annotations

from pathlib import Path

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit

CHECK = "part('Preview on the canvas too', Gtk.CheckButton)"
NAMES = "[each.get_name() for each in image.get_layers()]"
TOP = "image.get_layers()[0]"
PROJECTION = """(lambda flat: [native(flat.get_layers()[0], 0, 0, flat.get_width(),
    flat.get_height()).hex(), flat.delete()][0])((lambda copy: [copy, copy.flatten()][0])(
    image.duplicate()))"""


def show(edit: Edit) -> None:
    edit.open(edits="")
    edit.do(f"names = {NAMES}; {CHECK}.set_active(True); number('red').set_value(2)")
    wait_for(lambda: edit.look(NAMES) == ["Preview of Latent-Fu", *edit.look("names")], "no layer")


def test_the_preview_is_in_the_image_and_goes_with_the_window(
    edit: Edit, screenshots: Path | None
) -> None:
    edit.do("display = Gimp.Display.new(image)")
    before = edit.look(PROJECTION)
    show(edit)
    assert edit.look(PROJECTION) != before
    x, y, width, height = edit.look(
        f"[*{TOP}.get_offsets()[1:], {TOP}.get_width(), {TOP}.get_height()]"
    )
    size = edit.look("[layer.get_width(), layer.get_height()]")
    assert x >= 0 and y >= 0 and x + width <= size[0] + 1 and y + height <= size[1] + 1
    assert edit.look("[each.get_id() for each in image.get_selected_layers()]") == edit.look(
        "[layer.get_id()]"
    )
    edit.do("number('red').set_value(0)")
    wait_for(lambda: edit.look(NAMES) == edit.look("names"), "the layer stays without an edit")
    edit.do("number('red').set_value(1)")
    wait_for(lambda: edit.look(f"{TOP}.get_name()") == "Preview of Latent-Fu", "no second layer")
    edit.do(f"{CHECK}.set_active(False)")
    assert edit.look(NAMES) == edit.look("names")
    edit.do(f"{CHECK}.set_active(True)")
    wait_for(lambda: edit.look(f"{TOP}.get_name()") == "Preview of Latent-Fu", "no third layer")
    edit.cancel()
    assert edit.look(NAMES) == edit.look("names") and edit.look(PROJECTION) == before
    edit.do("display.delete()")


def test_undo_knows_nothing_of_it(edit: Edit) -> None:
    """The last thing that the user did is undone, and the result is one step."""
    edit.do("display = Gimp.Display.new(image); layer.set_opacity(100.0); layer.set_name('mine')")
    dirty = edit.look("image.is_dirty()")
    show(edit)
    assert edit.look("image.is_dirty()") == dirty
    made = edit.apply()
    assert edit.look(NAMES) == [made, *edit.look("names")]
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    desktop.activate(desktop.window("GNU Image Manipulation Program|GIMP"))
    desktop.keys("ctrl+z")
    wait_for(lambda: edit.look(NAMES) == edit.look("names"), "the result is no single step", 15)
    desktop.keys("ctrl+z")
    wait_for(lambda: edit.look("layer.get_name()") != "mine", "the step before is lost", 15)
    edit.do("display.delete()")


def test_what_a_killed_window_left_is_taken_out(edit: Edit) -> None:
    show(edit)
    edit.do(
        "left = image.get_layers()[0].copy(); image.insert_layer(left, None, 0);"
        " left.set_name('left')"
    )
    edit.cancel()
    assert "left" in edit.look(NAMES)
    edit.open(edits="")
    assert edit.look(NAMES) == edit.look("names")
    edit.cancel()


def test_it_is_not_offered_where_it_would_deceive(edit: Edit) -> None:
    edit.do("layer.set_opacity(50.0)")
    edit.open(edits="")
    assert not edit.look(f"{CHECK}.is_sensitive()")
    assert "seen through" in edit.look(f"{CHECK}.get_tooltip_text()")
    edit.cancel()
    edit.do("layer.set_opacity(100.0)")

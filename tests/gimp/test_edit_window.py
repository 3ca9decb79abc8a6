"""Real GIMP 3: the window of Edit portrait, used by what a screen reader calls its widgets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.gimp import Gimp
from tests.gimp.machine import Shell
from tests.gimp.steps import SETUP
from tests.gimp.window_steps import WINDOW

RESULT = "result = image.get_layers()[0]"


class Edit:
    """The window of Edit portrait, opened in the process that tests talk to."""

    def __init__(self, gimp: Gimp) -> None:
        self.gimp = gimp
        self._order: int | None = None

    def open(self, layer: str = "layer", *, learnt: bool = True, **arguments: object) -> None:
        """Open it for a layer and wait until the layer is learnt, or only until it can be used."""
        self._order = self.gimp.send(
            f"done = edit_in_window(image, {layer}, **{arguments!r})\n"
            "value = done if isinstance(done, str) else done.get_name()"
        )
        wait_for(lambda: self.look("bool(window())", False), "no window")
        ready = "is_learnt()" if learnt else "bool(number('red').is_sensitive())"
        wait_for(lambda: self.look(ready), "never ready", 120)

    def look(self, expression: str, otherwise: Any = None) -> Any:
        """The value of an expression in the window's process."""
        source = f"try:\n    value = {expression}\nexcept LookupError:\n    value = {otherwise!r}"
        return self.gimp.run(source)

    def do(self, source: str) -> Any:
        """Run statements in the window's process."""
        return self.gimp.run(source)

    def apply(self) -> str:
        """Apply, and what came of it: the new layer's name, or what the window says."""
        self.do("press('Apply')")
        return self.end()

    def apply_and_answer(self, answer: str) -> None:
        """Apply, and press a button of the question that comes."""
        # The question waits in its own loop: pressing must not wait for it.
        self.do("GLib.idle_add(lambda: press('Apply') and False)")
        wait_for(lambda: self.look("bool(message())"), "nothing is asked")
        self.do(f"[b for b in parts(message()) if spoken(b) == '{answer}'][0].clicked()")

    def end(self) -> str:
        assert self._order is not None
        order, self._order = self._order, None
        return str(self.gimp.answer(order))

    def cancel(self) -> None:
        """Close it if it is open."""
        if self._order is not None:
            self.do("window().response(Gtk.ResponseType.CANCEL)")
            self.end()


@pytest.fixture(scope="module")
def ui(
    shell: Shell, share: Path, home: Path, portrait: Path, second_portrait: Path
) -> Iterator[Gimp]:
    desktop = Desktop(shell, share)
    gimp = Gimp(shell, share / "edit-window", desktop.display)
    gimp.run(SETUP + WINDOW + f'PORTRAIT = "{portrait}"; SECOND = "{second_portrait}"')
    gimp.desktop = desktop  # type: ignore[attr-defined]
    yield gimp
    gimp.quit()


@pytest.fixture
def edit(ui: Gimp) -> Iterator[Edit]:
    ui.run("image = load(PORTRAIT); layer = image.get_layers()[0]")
    edit = Edit(ui)
    yield edit
    edit.cancel()


def make_earlier(edit: Edit, arguments: str = "edits='red=2'") -> None:
    """A result as ``result``; its source is ``layer``."""
    edit.do(f"result = made('latentfu-edit', image, layer, {arguments})")


# What stands in the window is what is used


@pytest.mark.parametrize(("given", "shown"), [(12.0, 12.0), (0.0, 0.0), (33.5, 33.5)])
def test_the_soft_border_shows_what_it_uses(edit: Edit, given: float, shown: float) -> None:
    """B1: the number, the slider and what is remembered are one."""
    edit.do("image.select_rectangle(Gimp.ChannelOps.REPLACE, 100, 100, 250, 300)")
    edit.open(feather=given)
    number = "float(number('Soft border').get_text().replace(',', '.'))"
    assert edit.look(number) == shown
    assert edit.look("part('Soft border', Gtk.Scale).get_value()") == shown
    edit.do("number('red').set_value(2)")
    edit.apply()
    assert edit.look("about(image.get_layers()[0])['state']['feather']") == shown


def test_a_strength_beyond_the_range_is_shown_and_kept(edit: Edit) -> None:
    """B1: made by a script with 5 where the slider ends at 3."""
    make_earlier(edit, "edits='red=5'")
    edit.open("result")
    assert edit.look("number('red').get_text().replace(',', '.')") == "5.00"
    edit.apply()
    assert edit.look("about(image.get_layers()[0])['state']['edits']") == {"red": 5.0}


def test_a_warning_is_shown_before_apply(edit: Edit) -> None:
    """A1: the network cannot show this layer."""
    edit.open(inverter="poor")
    wait_for(lambda: "outside what" in edit.look("said()"), "no warning")
    edit.do("number('red').set_value(2)")
    time.sleep(0.5)
    assert "outside what" in edit.look("said()"), "a move takes it away"


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
    assert "locked" in edit.look("said()")
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
    seen = edit.look("""(lambda n: [n.get_width() == layer.get_width(),
        n.get_height() == layer.get_height(),
        max(abs(a - b) for a, b in zip(whole(n), whole(layer)))])(image.get_layers()[0])""")
    assert seen[:2] == [True, True]
    assert 0 < seen[2] < 120, "a small edit of the layer as it is, no part of the old one"


def test_a_layer_that_is_gone_is_said(edit: Edit) -> None:
    edit.open()
    edit.do("number('red').set_value(1); image.insert_layer(layer.copy(), None, 0)")
    edit.do("image.remove_layer(layer); press('Apply')")
    assert "no longer there" in edit.look("said()")


# Faces


def open_two(edit: Edit) -> None:
    edit.do("""
        one = load(PORTRAIT).get_layers()[0]
        image = Gimp.Image.new(960, 600, Gimp.ImageBaseType.RGB)
        layer = Gimp.Layer.new(image, "two", 960, 600, 0, 100.0, Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, None, 0)
        there = Gegl.Rectangle.new(0, 0, 480, 600)
        for x in (0, 480):
            one.get_buffer().copy(there, 0, layer.get_buffer(), Gegl.Rectangle.new(x, 0, 480, 600))
    """)


def test_a_click_chooses_the_face(edit: Edit, screenshots: Path | None) -> None:
    """A2: both faces have a frame; a click in the second edits that one."""
    open_two(edit)
    edit.open(generator="several")
    assert "2 faces" in edit.look("said()")
    assert edit.look("part('Faces', Gtk.ToggleButton).get_active()")
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    dialog = desktop.window("Edit portrait")
    place = edit.look("""(lambda p: [*p.translate_coordinates(window(), 0, 0),
        p.get_allocated_width(), p.get_allocated_height()])(part("Preview"))""")
    x, y = place[0] + place[2] * 3 // 4, place[1] + place[3] // 2
    desktop.activate(dialog)
    desktop.click(dialog, x, y)
    time.sleep(0.5)
    wait_for(lambda: edit.look("is_learnt()"), "never learnt")
    edit.do("number('red').set_value(3)")
    time.sleep(1.0)
    if screenshots:
        desktop.wait_still(dialog)
        desktop.see(dialog).save(screenshots / "gimp-faces.png")
    edit.apply()
    box = edit.look("changed(layer, image.get_layers()[0])['box']")
    assert box[0] >= 480, box


# Work in progress


def test_nothing_can_be_changed_or_pressed_twice_while_applying(edit: Edit) -> None:
    """B3: name, state and pixels are of one and the same work."""
    edit.open(learnt=False, edits="", inverter="slow")
    edit.do("number('red').set_value(2)")
    edit.do("press('Apply')")
    wait_for(lambda: not edit.look("number('red').is_sensitive()"), "it can still be moved")
    seen = edit.do("""
        press('Apply'); number('red').set_value(-3)
        value = [part('Apply', Gtk.Button).is_sensitive(), part('Reset', Gtk.Button).is_sensitive(),
                 any(w.is_sensitive() for w in parts(window()) if isinstance(w, Gtk.ComboBoxText))]
    """)
    assert seen == [False, False, False]
    name = edit.end()
    state = edit.look("about(image.get_layers()[0])['state']['edits']")
    assert name.startswith("red +2") and state == {"red": 2.0}
    assert edit.look("count(image)") == 2


def test_abandoned_learning_is_cancelled(edit: Edit, home: Path) -> None:
    """B10: another method does not wait for the first, and the server drops its job."""
    edit.open(learnt=False, inverter="slow")
    wait_for(lambda: "slowly" in (edit.look("said()", "") or ""), "it does not learn")
    began = time.monotonic()
    edit.do("""
        box = [w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)]
        [b for b in box if b.set_active_id('instant')]
    """)
    wait_for(lambda: edit.look("is_learnt()"), "the new method waits for the old one", 25)
    assert time.monotonic() - began < 25, "half a minute is what the first one takes"
    states = edit.do("""
        from latentfu_gimp import finder
        value = [job["state"] for job in finder.connect().get("/v1/jobs")["jobs"][:4]]
    """)
    assert "cancelled" in states


# The list of sliders


def test_search_filter_counts_and_reset(edit: Edit) -> None:
    edit.open(edits="")
    shown = "[w.get_accessible().get_name() for w in parts(window())" + (
        " if isinstance(w, Gtk.SpinButton) and w.get_mapped()]"
    )
    assert {"red", "tall"} <= set(edit.look(shown))
    edit.do("part('Search the controls').set_text('tal')")
    wait_for(lambda: "red" not in edit.look(shown), "the search hides nothing")
    assert "tall" in edit.look(shown)
    edit.do("part('Search the controls').set_text('nothing like it')")
    wait_for(lambda: "Nothing of that name" in edit.look("said()"), "no word on it")
    edit.do("part('Search the controls').set_text('')")
    wait_for(lambda: "red" in edit.look(shown), "the search does not end")
    edit.do("number('red').set_value(1.5); press('Only changed')")
    wait_for(lambda: "tall" not in edit.look(shown), "the filter hides nothing")
    assert "(1)" in edit.look("said()")
    edit.do("press('Reset red')")
    assert edit.look("number('red').get_value()") == 0.0
    assert "(1)" not in edit.look("said()")


def test_the_wheel_changes_no_number(edit: Edit) -> None:
    """C1: it scrolls the list."""
    edit.open(edits="")
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    dialog = desktop.window("Edit portrait")
    desktop.activate(dialog)
    for kind in ("Gtk.SpinButton", "Gtk.Scale"):
        x, y = edit.look(f"""(lambda p: [int(v) for v in
            p.translate_coordinates(window(), p.get_allocated_width() // 3, 8)])
            (part("red", {kind}))""")
        desktop.scroll(dialog, x, y, 5)
    time.sleep(0.3)
    assert edit.look("number('red').get_value()") == 0.0


def test_before_ends_when_a_slider_moves(edit: Edit) -> None:
    """C4."""
    edit.open(edits="")
    edit.do("part('Before', Gtk.ToggleButton).set_active(True); number('red').set_value(1)")
    assert not edit.look("part('Before', Gtk.ToggleButton).get_active()")


def test_a_long_layer_name_does_not_widen_the_window(edit: Edit) -> None:
    """C5."""
    edit.do("layer.set_name('a very long name ' * 8)")
    edit.open(edits="")
    assert edit.look("window().get_size()")[0] <= 1100


def test_moves_that_were_not_applied_come_back(edit: Edit) -> None:
    """C7."""
    edit.open(edits="")
    edit.do("number('red').set_value(1.25)")
    edit.cancel()
    edit.open(edits="")
    assert edit.look("number('red').get_value()") == 1.25
    assert "not applied" in edit.look("said()")
    edit.do("press('Reset')")
    assert edit.look("number('red').get_value()") == 0.0


def test_the_keyboard_alone_suffices(edit: Edit) -> None:
    edit.open(edits="")
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    desktop.activate(desktop.window("Edit portrait"))
    desktop.keys("ctrl+f")
    desktop.type("tall")
    wait_for(lambda: edit.look("part('Search the controls').get_text()") == "tall", "no search")
    desktop.keys("Tab", "Tab", "Tab", "Tab")
    for _ in range(6):
        if edit.look("spoken(window().get_focus())") == "tall":
            break
        desktop.keys("Tab")
    desktop.keys("Up", "Up")
    wait_for(lambda: edit.look("number('tall').get_value() != 0"), "the arrows do nothing")
    desktop.keys("alt+a")
    assert edit.end().startswith("tall ")


def test_presets_are_saved_taken_and_shared_as_a_file(edit: Edit, share: Path) -> None:
    edit.open(edits="")
    edit.do("number('red').set_value(1.5); number('tall').set_value(-0.5)")
    edit.do("""
        menu = part('Presets', Gtk.MenuButton).get_popup()
        menu.emit('show')
        save = [i for i in menu.get_children() if i.get_label() == '_Save as ...'][0]
        GLib.idle_add(lambda: save.activate() and False)
    """)
    wait_for(lambda: edit.look("bool(window('Save preset'))"), "no name is asked for")
    edit.do("""
        part('Name of the preset', Gtk.Entry, 'Save preset').set_text('Gentle: one')
        press('Save', 'Save preset')
    """)
    file = share / "latentfu" / "config" / "presets" / "Gentle_ one.json"
    wait_for(file.exists, "no file")
    edit.do("press('Reset')")
    wait_for(lambda: edit.look("number('red').get_value()") == 0.0, "no reset")
    edit.do("""
        menu.emit('show')
        [i for i in menu.get_children() if i.get_label() == 'Gentle: one'][0].activate()
    """)
    assert edit.look("[number('red').get_value(), number('tall').get_value()]") == [1.5, -0.5]
    file.rename(share / "given.json")
    edit.do("press('Reset'); menu.emit('show')")
    assert edit.look("[i.get_label() for i in menu.get_children()]")[0] != "Gentle: one"

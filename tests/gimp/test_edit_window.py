"""Real GIMP 3: the window of Edit portrait, used by what a screen reader calls its widgets."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit, make_earlier

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
    wait_for(lambda: "2 faces" in edit.look("said()"), "not said how many faces there are")
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
        desktop.shoot(dialog, screenshots / "gimp-faces.png")
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


def test_a_report_of_an_error_is_copied_without_secrets(edit: Edit, home: Path) -> None:
    edit.open(edits="")
    assert not edit.look("bool([w for w in parts(window()) if spoken(w) == 'Copy report'"
                         " and w.get_mapped()])"), "nothing failed yet"  # fmt: skip
    edit.do("number('red').set_value(1)")
    time.sleep(2.0)  # A preview on its way would say something else afterwards.
    edit.do("image.remove_layer(layer); press('Apply')")
    assert "The layer is no longer there" in edit.look("said()")
    edit.do("press('Copy report')")
    copied = edit.look("Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text()")
    assert copied.startswith("Latent-Fu: The layer is no longer there")
    assert "Python of GIMP" in copied
    assert (home / "config" / "token").read_text().strip() not in copied
    assert "clipboard" in edit.look("said()")


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
            p.translate_coordinates(window(), p.get_allocated_width() // 3, 8)])(
            part("red", {kind}))""")
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
    edit.open(edits="")
    wide = edit.look("window().get_size()[0]")
    edit.cancel()
    edit.do("layer.set_name('a very long name ' * 8)")
    edit.open(edits="")
    assert edit.look("window().get_size()[0]") == wide


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


def test_starred_controls_come_first_and_stay_so(edit: Edit) -> None:
    """Their values stay; another star takes them back into their group."""
    numbers = "[spoken(w) for w in parts(window()) if isinstance(w, Gtk.SpinButton)]"
    edit.open(edits="")
    assert edit.look(numbers)[:2] == ["red", "tall"] and "Favorites" not in edit.look("said()")
    edit.do("number('tall').set_value(1.5); press('tall to the favorites')")
    wait_for(lambda: edit.look(numbers)[:2] == ["tall", "red"], "it does not come first")
    assert edit.look("number('tall').get_value()") == 1.5
    assert "Favorites (1)" in edit.look("said()")
    edit.cancel()
    edit.do("image = load(PORTRAIT); layer = image.get_layers()[0]")
    edit.open(edits="")
    assert edit.look(numbers)[:2] == ["tall", "red"], "it is forgotten"
    edit.do("part('Search the controls').set_text('tall')")
    wait_for(lambda: edit.look(numbers + "[:1]") == ["tall"], "the search does not find it")
    edit.do("part('Search the controls').set_text(''); press('tall back to its group')")
    wait_for(lambda: edit.look(numbers)[:2] == ["red", "tall"], "it does not go back")


MENU = """
def menu_item(label):
    menu = part('Presets', Gtk.MenuButton).get_popup(); menu.emit('show')
    return [i for i in menu.get_children() if i.get_label() == label][0]
"""


def test_edits_at_random_are_few_and_gentle(edit: Edit) -> None:
    edit.do(MENU)
    edit.open(edits="")
    edit.do("number('red').set_value(3)")
    seen = []
    for _ in range(6):
        edit.do("menu_item('At _random, gently').activate()")
        seen.append(edit.look("[number('red').get_value(), number('tall').get_value()]"))
    assert all(abs(value) <= 1.0 for pair in seen for value in pair)
    assert len({tuple(pair) for pair in seen}) > 3, "not by chance"
    assert edit.apply().endswith("(Latent-Fu)")


def test_what_was_applied_is_taken_again(edit: Edit) -> None:
    """The newest first, also on another layer; not what was given up."""
    edit.do(MENU + "Gimp.detach_parasite('latentfu/past-edits')")
    inner = "[i.get_label() for i in menu_item('_Applied last').get_submenu().get_children()]"
    edit.open(edits="")
    assert not edit.look("menu_item('_Applied last').is_sensitive()")
    for value in (1.25, 2.0):
        edit.do(f"number('red').set_value({value}); number('tall').set_value(-0.5)")
        edit.apply()
        edit.do("image = load(SECOND); layer = image.get_layers()[0]")
        edit.open(edits="")
    edit.do("number('red').set_value(3)")
    edit.cancel()
    edit.do("image = load(PORTRAIT); layer = image.get_layers()[0]")
    edit.open(edits="")
    names = edit.look(inner)
    assert names == ["red +2, tall -0.5", "red +1.25, tall -0.5"]
    edit.do("menu_item('_Applied last').get_submenu().get_children()[1].activate()")
    assert edit.look("[number('red').get_value(), number('tall').get_value()]") == [1.25, -0.5]


def test_a_method_says_how_long_it_took_here(edit: Edit) -> None:
    edit.open()
    texts = "[w.get_active_text() for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)]"
    seen = edit.look(texts)
    assert any(text and text.startswith("Advanced, 1 s: ") for text in seen), seen
    edit.cancel()

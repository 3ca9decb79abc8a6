"""Real GIMP 3: hair, skin and more as a layer mask or selection, and edits by region."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit
from tests.gimp.gimp import Gimp
from tests.gimp.steps import SETUP
from tests.gimp.test_preview_pane import see

OPEN = """
def mask_in_window(image, layer):
    from latentfu_gimp.region_dialog import mask_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    config = Gimp.get_pdb().lookup_procedure("latentfu-region").create_config()
    try:
        return mask_with_dialog(image, [layer], config).get_name()
    except PluginError as error:
        return str(error)

def levels(drawable, x, y, width, height):
    rectangle = Gegl.Rectangle.new(x, y, width, height)
    data = bytes(drawable.get_buffer().get(rectangle, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))
    return sum(data) / len(data)
"""
CALL = """
def region(image, layer, **arguments):
    procedure = Gimp.get_pdb().lookup_procedure("latentfu-region")
    config = procedure.create_config()
    config.set_property("image", image)
    config.set_core_object_array("drawables", [layer])
    for key, argument in arguments.items():
        config.set_property(key, argument)
    values = procedure.run(config)
    return [values.index(0).value_nick, str(values.index(1))]
image = load(PHOTO); layer = image.get_layers()[0]
"""
HAIR, BACKGROUND = "125, 30, 50, 25", "250, 20, 40, 60"
"""Where the photograph has them: x, y, width, height."""


@pytest.fixture
def calls(gimp: Gimp, photograph: Path) -> Gimp:
    gimp.run(SETUP + OPEN + f'PHOTO = "{photograph}"' + CALL)
    return gimp


@pytest.fixture
def windows(edit: Edit, photograph: Path) -> Iterator[Edit]:
    edit.do(OPEN + f'PHOTO = "{photograph}"; image = load(PHOTO); layer = image.get_layers()[0]')
    yield edit


def test_hair_becomes_the_layer_mask(calls: Gimp) -> None:
    assert calls.run("value = region(image, layer, regions='hair')")[0] == "success"
    seen = calls.run(f"""
        mask = layer.get_mask()
        value = [levels(mask, {HAIR}), levels(mask, {BACKGROUND}), mask.get_width()]
    """)
    assert seen[0] > 200 and seen[1] < 20 and seen[2] == 320, seen
    said = calls.run("value = region(image, layer, regions='skin')")
    assert said[0] == "execution-error" and "has a mask already" in said[1]


def test_hair_becomes_the_selection_of_a_layer_that_lies_elsewhere(calls: Gimp) -> None:
    calls.run("image.resize(700, 640, 100, 60); layer.set_name('moved')")
    said = calls.run(
        "value = region(image, layer, **{'regions': 'hair, brows', 'as': 'selection'})"
    )
    assert said[0] == "success", said
    seen = calls.run("""
        there = image.get_selection()
        value = [levels(there, 225, 90, 50, 25), levels(there, 350, 80, 40, 60),
                 layer.get_mask() is None, len(image.get_channels())]
    """)
    assert seen[0] > 200 and seen[1] < 20 and seen[2:] == [True, 0], seen


@pytest.mark.parametrize(
    ("regions", "said"),
    [("moustache", "there are:"), ("auto", "no regions"), ("Hair!", "is no region")],
)
def test_what_is_no_region_is_told(calls: Gimp, regions: str, said: str) -> None:
    status, text = calls.run(f"value = region(image, layer, regions={regions!r})")
    assert status == "execution-error" and said in text, text
    assert calls.run("value = layer.get_mask() is None")


def test_the_window_offers_what_is_there_and_one_undo_takes_it_back(
    windows: Edit, screenshots: Path | None
) -> None:
    windows.do("display = Gimp.Display.new(image)")
    order = windows.gimp.send("value = mask_in_window(image, layer)")
    title = "'Region to layer mask'"
    ready = f"part('Apply', Gtk.Button, {title}).is_sensitive()"
    wait_for(lambda: windows.look(ready, False), "no regions", 120)
    names = windows.look(
        f"[spoken(w) for w in parts(window({title})) if isinstance(w, Gtk.CheckButton)]"
    )
    assert {"hair", "skin", "clothes"} <= set(names)
    windows.do(f"part('brows', Gtk.CheckButton, {title}).set_active(True)")
    wait_for(lambda: windows.look(ready, False), "no second mask", 60)
    desktop: Desktop = windows.gimp.desktop  # type: ignore[attr-defined]
    if screenshots:
        window = desktop.window("Region to layer mask")
        desktop.wait_still(window)
        desktop.shoot(window, screenshots / "gimp-regions.png")
    windows.do(f"press('Apply', {title})")
    windows.gimp.answer(order)
    assert windows.look(f"levels(layer.get_mask(), {HAIR})") > 200
    desktop.activate(desktop.window("GNU Image Manipulation Program|GIMP"))
    desktop.keys("ctrl+z")
    wait_for(lambda: windows.look("layer.get_mask() is None"), "one undo leaves the mask", 15)
    windows.do("display.delete()")


def test_the_area_of_a_control_is_lit_while_the_mouse_is_on_its_title(
    windows: Edit, screenshots: Path | None
) -> None:
    desktop: Desktop = windows.gimp.desktop  # type: ignore[attr-defined]
    windows.open(edits="", generator="portraits", inverter="encoder")
    dialog = desktop.window("Edit portrait")
    desktop.activate(dialog)
    desktop.rest()
    windows.do("press('Fit')")
    before = see(windows).astype(int)
    place = windows.look(
        "list(next(w for w in parts(window()) if isinstance(w, Gtk.Label) and w.get_mapped()"
        " and w.get_text() == 'Smile').translate_coordinates(window(), 6, 6))"
    )
    if screenshots:  # the hint would lie over the picture
        windows.do("for each in parts(window()): each.set_has_tooltip(False)")
    desktop.move(dialog, *place)
    wait_for(lambda: "Smile acts here: " in windows.look("said()"), "no area", 60)
    said = windows.look("said()")
    assert "mouth" in said.split("acts here: ")[1].split(".")[0]
    lit = see(windows).astype(int)
    dark = (lit < before - 20).any(axis=2)
    assert 0.5 < dark.mean() < 0.995, "what lies outside is not dark"
    assert (lit == before).all(axis=2).mean() > 0.004, "nothing is lit"
    if screenshots:
        desktop.wait_still(dialog)
        desktop.see(dialog).save(screenshots / "gimp-area.png")
    desktop.rest()
    wait_for(lambda: not (see(windows) != before).any(), "the area stays")
    assert "acts here" not in windows.look("said()")
    windows.cancel()


def test_the_whole_picture_is_asked_for_remembered_and_opened_again(edit: Edit) -> None:
    edit.open(edits="")
    where = (
        "next(w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)"
        " and 'auto' in [row[1] for row in w.get_model()])"
    )
    assert edit.look(f"{where}.get_active_id()") == "auto"
    edit.do(f"{where}.set_active_id('whole'); number('red').set_value(2)")
    edit.apply()
    assert edit.look("about(image.get_layers()[0])['state']['regions']") == "whole"
    edit.open("image.get_layers()[0]")
    assert edit.look(f"{where}.get_active_id()") == "whole"


def test_a_script_limits_an_edit_to_a_region(calls: Gimp) -> None:
    """In the photograph hair changes and the background stays."""
    seen = calls.run(
        """
        new = made("latentfu-edit", image, layer, edits="hair_lightness=-3", regions="hair",
                   generator="", inverter="")
        value = [changed(layer, new), about(new)["state"]["regions"]]
        """,
        timeout=300,
    )
    assert seen[1] == "hair" and seen[0]["count"] > 1000
    assert seen[0]["box"][2] < 300, "what lies beside the hair has changed"

"""Real GIMP 3: Make a direction of layers before and after, with and without its window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit, shoot

OPEN = """
def direction(image, **arguments):
    procedure = Gimp.get_pdb().lookup_procedure("latentfu-direction")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", [layer])
    for key, argument in {**SMALL, "generator": "picky", **arguments}.items():
        config.set_property(key, argument)
    values = procedure.run(config)
    return [values.index(0).value_nick, str(values.index(1))]

def direction_in_window(image, called):
    from latentfu_gimp.direction_dialog import make_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    config = configured("latentfu-direction", generator="picky")
    config.set_property("name", called)
    try:
        return make_with_dialog(image, config)
    except PluginError as error:
        return str(error)

def add(name, path, parent, brighter):
    new = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path))
    image.insert_layer(new, parent, 0); new.set_name(name)
    if brighter: new.brightness_contrast(0.3, 0.0)
    return new

before = Gimp.GroupLayer.new(image, "Before"); image.insert_layer(before, None, 0)
after = Gimp.GroupLayer.new(image, "After"); image.insert_layer(after, None, 0)
for side, brighter in ((before, False), (after, True)):
    for name, path in (("one", PORTRAIT), ("two", SECOND)):
        add(name, path, side, brighter)
MAKE = "Make a direction"
"""
MAKE = "'Make a direction'"


def ready(button: str) -> str:
    return f"part('{button}', Gtk.Button, {MAKE}).is_sensitive()"


@pytest.fixture
def make(edit: Edit, home: Path) -> Iterator[Edit]:
    edit.do(OPEN)
    yield edit
    if edit.look(f"bool(window({MAKE}))", False):
        edit.do(f"window({MAKE}).response(Gtk.ResponseType.CANCEL)")
    for path in (home / "data" / "directions").glob("*.safetensors"):
        path.unlink()


def test_a_new_slider_of_two_groups(make: Edit, home: Path) -> None:
    """It brings what it was made of: the edit is lighter, and the report says how alike."""
    status, report = make.look(
        "direction(image, before=before, after=after, name='my-light', plus='more light')"
    )
    assert status == "success", report
    assert report.startswith("2 pairs, agreement 0.9") or report.startswith("2 pairs, agreement 1")
    assert (home / "data" / "directions" / "my-light.safetensors").is_file()

    def is_listed() -> bool:
        seen = make.look(
            "attempt('latentfu-edit', image, layer, edits='my-light=1', generator='picky')"
        )
        return bool(seen[0] == "success")

    wait_for(is_listed, "the new direction cannot be used", 30)
    seen = make.look("[sum(whole(one)) for one in (layer, image.get_layers()[-2])]")
    assert seen[1] > seen[0], "it does not make the portrait lighter"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("before=before", "A side is missing"),
        ("before=before, after=layer", "2 layers before and 1 after"),
        ("before=before, after=before", "do not differ"),
        ("before=before, after=after, name=''", "Give the direction a name"),
        ("before=before, after=after, name='Ä'", "no name for a direction"),
        ("before=before, after=after, name='red'", "already"),
    ],
)
def test_what_cannot_be_is_one_sentence(make: Edit, home: Path, arguments: str, words: str) -> None:
    status, text = make.look(f"direction(image, {arguments})")
    assert status == "execution-error" and words in text and "\n" not in text
    assert not list((home / "data" / "directions").glob("*.safetensors"))


def test_a_layer_without_a_face_is_named(make: Edit) -> None:
    make.do("after.get_children()[0].fill(Gimp.FillType.WHITE)")
    status, text = make.look("direction(image, before=before, after=after)")
    assert status == "execution-error" and "No face is found in two" in text, text


def test_the_window_shows_the_report_before_it_keeps(
    make: Edit, home: Path, screenshots: Path | None
) -> None:
    order = make.gimp.send("value = direction_in_window(image, 'my-glow')")
    wait_for(lambda: make.look(f"bool(window({MAKE}))", False), "no window", 60)
    wait_for(lambda: make.look(ready("Measure"), False), "never ready", 60)
    told = make.look(f"said({MAKE})")
    assert "2 layers before, 2 after." in told, told
    assert not make.look(ready("Keep"))
    make.do(f"press('Measure', {MAKE})")
    wait_for(lambda: make.look(ready("Keep"), False), "never measured", 60)
    assert "2 pairs, agreement" in make.look(f"said({MAKE})")
    shoot(make, "Make a direction", screenshots, "gimp-direction.png")
    file = home / "data" / "directions" / "my-glow.safetensors"
    assert not file.exists(), "it is kept before anybody wanted it"
    make.do(f"part('Name', Gtk.Entry, {MAKE}).set_text('my-shine')")
    assert not make.look(ready("Keep")), "what is kept would not be what was measured"
    make.do(f"part('Name', Gtk.Entry, {MAKE}).set_text('my-glow'); press('Measure', {MAKE})")
    wait_for(lambda: make.look(ready("Keep"), False), "never measured", 60)
    make.do(f"press('Keep', {MAKE})")
    assert str(make.gimp.answer(order)).startswith("2 pairs")
    assert file.is_file()

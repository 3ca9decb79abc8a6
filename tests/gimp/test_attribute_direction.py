"""Real GIMP 3: a direction of an attribute by a plug-in's maker, with and without the window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentfu
import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit, shoot

WORLD = Path(__file__).parents[1] / "support" / "maker_world.py"
OPEN = """
def direction(image, **arguments):
    procedure = Gimp.get_pdb().lookup_procedure("latentfu-direction")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    if image is not None:
        config.set_property("image", image)
        config.set_core_object_array("drawables", [layer])
    for key, argument in {"generator": "small", "name": "", "samples": 20, **arguments}.items():
        config.set_property(key, argument)
    values = procedure.run(config)
    return [values.index(0).value_nick, str(values.index(1))]

def direction_in_window(image, **arguments):
    from latentfu_gimp.direction_dialog import make_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    try:
        return make_with_dialog(image, configured("latentfu-direction", **arguments))
    except PluginError as error:
        return type(error).__name__

def choice(holding):
    return next(w for w in parts(window("Make a direction"))
                if isinstance(w, Gtk.ComboBoxText)
                and holding in [row[1] for row in w.get_model()])

def jobs():
    from latentfu_gimp import finder
    with finder.connect() as client:
        return [job["state"] for job in client.get("/v1/jobs")["jobs"] if job["kind"] == "make"]
"""
TITLE = "'Make a direction'"
REPORT = "It tells apart 88% of the samples that it did not learn from."


def ready(button: str) -> str:
    return f"part('{button}', Gtk.Button, {TITLE}).is_sensitive()"


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[None]:
    """The plug-in's file among those of the running server, which takes note of it."""
    file = home / "config" / "plugins" / WORLD.name
    shutil.copy(WORLD, file)
    yield
    file.unlink()


@pytest.fixture
def make(edit: Edit, home: Path, world: None) -> Iterator[Edit]:
    edit.do(OPEN)
    yield edit
    if edit.look(f"bool(window({TITLE}))", False):
        edit.do(f"window({TITLE}).response(Gtk.ResponseType.CANCEL)")
    shutil.rmtree(home / "data" / "directions", ignore_errors=True)


def kept(home: Path, name: str) -> Any:
    return latentfu.read_direction(home / "data" / "directions" / f"{name}.safetensors")


def test_a_script_makes_a_slider_with_an_option_of_the_maker(make: Edit, home: Path) -> None:
    status, report = make.look(
        "direction(image, attribute='light', maker='axis', **{'maker-options': 'axis=5'})"
    )
    assert status == "success" and report.startswith(REPORT), report
    assert kept(home, "my-light").vector[5] == 1 and kept(home, "my-light").attribute == "light"
    assert make.look("attempt('latentfu-edit', image, layer, edits='my-light=1')")[0] == "success"


def test_no_image_is_needed(make: Edit, home: Path) -> None:
    status, report = make.look("direction(None, attribute='warmth', maker='axis', name='warm')")
    assert status == "success" and report.startswith(REPORT), report
    assert kept(home, "warm").vector[3] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("maker='axis', **{'maker-options': 'axes=5'}", "has no option 'axes'; it has: axis"),
        ("maker='axis', **{'maker-options': 'axis=many'}", "is 'many': give a number"),
        ("maker='axis', **{'maker-options': 'axis'}", "is no option"),
        ("maker='magic'", "There is no maker 'magic'"),
        ("maker='axis', name='red'", "There is a control 'red' already: give another name."),
        ("maker='axis', name='Ä'", "no name for a direction"),
    ],
)
def test_what_cannot_be_is_one_sentence(make: Edit, home: Path, arguments: str, words: str) -> None:
    status, text = make.look(f"direction(image, attribute='light', {arguments})")
    assert status == "execution-error" and words in text and "\n" not in text, text
    assert not list((home / "data" / "directions").glob("*.safetensors"))


def test_the_window_shows_the_report_before_it_keeps(
    make: Edit, home: Path, screenshots: Path | None
) -> None:
    order = make.gimp.send("value = direction_in_window(image, samples=20)")
    wait_for(lambda: make.look(f"bool(window({TITLE}))", False), "no window", 60)
    wait_for(lambda: make.look(ready("Measure"), False), "never ready", 60)
    assert make.look("choice('warmth').get_active_text()") == "Light"
    assert make.look(f"part('Name', Gtk.Entry, {TITLE}).get_text()") == "my-light"
    make.do("choice('warmth').set_active_id('warmth'); choice('axis').set_active_id('axis')")
    assert make.look(f"part('Name', Gtk.Entry, {TITLE}).get_text()") == "my-warmth"
    line = f"part('Options of the maker', Gtk.Entry, {TITLE})"
    assert "axis=3 length=1.0" in make.look(f"{line}.get_tooltip_text()")
    make.do(f"{line}.set_text('axes=7'); {line}.activate()")
    assert "has no option axes" in make.look(f"said({TITLE})")
    make.do(f"{line}.set_text('axis=7'); {line}.activate()")
    make.do(f"press('Measure', {TITLE})")
    wait_for(lambda: make.look(ready("Keep"), False), "never measured", 60)
    assert REPORT in make.look(f"said({TITLE})")
    shoot(make, "Make a direction", screenshots, "gimp-direction-of-attribute.png")
    file = home / "data" / "directions" / "my-warmth.safetensors"
    assert not file.exists(), "it is kept before anybody wanted it"
    make.do(f"press('Keep', {TITLE})")
    assert str(make.gimp.answer(order)).startswith(REPORT)
    assert kept(home, "my-warmth").vector[7] == 1


def test_cancel_ends_the_work_on_the_server(make: Edit, home: Path) -> None:
    slow = "attribute='light', maker='axis', samples=2000, **{'maker-options': 'pause_ms=20'}"
    order = make.gimp.send(f"value = direction_in_window(image, {slow})")
    wait_for(lambda: make.look(f"bool(window({TITLE}))", False), "no window", 60)
    wait_for(lambda: make.look(ready("Measure"), False), "never ready", 60)
    make.do(f"press('Measure', {TITLE})")
    wait_for(lambda: "Sample" in make.look(f"said({TITLE})"), "no progress", 60)
    make.do(f"press('Cancel', {TITLE})")
    assert make.gimp.answer(order) == "StoppedError"
    wait_for(lambda: make.look("jobs()")[0] == "cancelled", "the server goes on", 30)
    assert not list((home / "data" / "directions").glob("*"))

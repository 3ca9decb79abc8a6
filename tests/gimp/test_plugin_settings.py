"""Real GIMP 3: the window with the settings of plug-ins, and its procedure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit

PLUGIN = "teapots_world"
TITLE = "'Settings of plug-ins'"
SHOW = """
def settings_in_window():
    from latentfu_gimp.settings_dialog import show_settings
    follow_meanwhile()
    return show_settings()

def kept_settings():
    from latentfu_gimp.plugin_settings import list_settings
    return {s["name"]: [s["value"], s["is_set"]] for s in list_settings()
            if s["plugin"] == "teapots_world"}
"""


@pytest.fixture
def teapots(edit: Edit, home: Path) -> Iterator[Edit]:
    path = home / "config" / "plugins" / f"{PLUGIN}.py"
    shutil.copy(Path(__file__).with_name(f"{PLUGIN}.py"), path)
    edit.do(SHOW)
    wait_for(lambda: len(edit.look("kept_settings()")) == 8, "the plug-in is not taken up", 60)
    yield edit
    path.unlink()


@pytest.fixture
def window(teapots: Edit) -> Iterator[Edit]:
    order = teapots.gimp.send("value = settings_in_window()")
    wait_for(lambda: "Pantry key" in teapots.look(f"said({TITLE})", ""), "no rows")
    yield teapots
    teapots.do(f"window({TITLE}).response(Gtk.ResponseType.CLOSE)")
    teapots.gimp.answer(order)


def part(name: str, kind: str = "Gtk.Widget") -> str:
    return f"part({name!r}, {kind}, {TITLE})"


CHANGES: dict[str, tuple[str, str, Any]] = {
    "warm": ("Kept warm", f"{part('Kept warm', 'Gtk.CheckButton')}.set_active(False)", False),
    "lid": ("Lid", f"{part('Lid', 'Gtk.ComboBoxText')}.set_active_id('flat')", "flat"),
    "spouts": ("Spouts", f"{part('Spouts', 'Gtk.SpinButton')}.set_value(4)", 4),
    "cups": ("Cups", f"{part('Cups', 'Gtk.SpinButton')}.set_value(11)", 11),
    "glaze": (
        "Glaze",
        f"color = Gdk.RGBA(); color.parse('#112233'); button = {part('Glaze', 'Gtk.ColorButton')}\n"
        "button.set_rgba(color); button.emit('color-set')",
        "#112233",
    ),
    "recipe": (
        "Recipe",
        f"entry = {part('Recipe', 'Gtk.Entry')}; entry.set_text('/a/tea.txt')\n"
        "entry.emit('activate')",
        "/a/tea.txt",
    ),
    "motto": (
        "Motto",
        f"entry = {part('Motto', 'Gtk.Entry')}; entry.set_text('Tea first')\n"
        "entry.emit('activate')",
        "Tea first",
    ),
}


def test_each_is_changed_and_taken_back(window: Edit, screenshots: Path | None) -> None:
    before = window.look("kept_settings()")
    for name, (_title, source, value) in CHANGES.items():
        window.do(source)
        wait_for(
            lambda name=name, value=value: window.look("kept_settings()")[name] == [value, True],
            f"{name} is not kept: {window.look(f'said({TITLE})')}",
        )
    desktop: Desktop = window.gimp.desktop  # type: ignore[attr-defined]
    if screenshots:
        shown = desktop.window("Settings of plug-ins")
        desktop.activate(shown)
        desktop.shoot(shown, screenshots / "gimp-settings.png")
    for name, (title, _source, _value) in CHANGES.items():
        window.do(f"press('Reset {title}', {TITLE})")
        wait_for(
            lambda name=name: window.look("kept_settings()")[name] == before[name],
            f"{name} is not taken back",
        )


def test_a_secret_is_set_and_never_shown(window: Edit) -> None:
    window.do(f"entry = {part('Pantry key', 'Gtk.Entry')}; entry.set_text('sesame')")
    assert not window.look(f"{part('Pantry key', 'Gtk.Entry')}.get_visibility()")
    window.do("entry.emit('activate')")
    wait_for(lambda: window.look("kept_settings()")["key"] == [None, True], "not kept")
    entry = part("Pantry key", "Gtk.Entry")
    wait_for(lambda: window.look(f"{entry}.get_text()") == "", "the secret stays in the window")
    assert window.look(f"{entry}.get_placeholder_text()") == "is set"
    window.do(f"press('Reset Pantry key', {TITLE})")
    wait_for(lambda: window.look("kept_settings()")["key"] == [None, False], "not taken back")


def test_the_last_change_is_kept_when_the_window_closes(teapots: Edit) -> None:
    order = teapots.gimp.send("value = settings_in_window()")
    wait_for(lambda: "Spouts" in teapots.look(f"said({TITLE})", ""), "no rows")
    teapots.do(CHANGES["spouts"][1] + f"\nwindow({TITLE}).response(Gtk.ResponseType.CLOSE)")
    teapots.gimp.answer(order)
    assert teapots.look("kept_settings()")["spouts"] == [4, True]


def test_a_script_changes_and_resets(teapots: Edit) -> None:
    teapots.do("""
        def settings_by_script(**arguments):
            procedure = Gimp.get_pdb().lookup_procedure("latentfu-settings")
            config = procedure.create_config()
            for name, value in arguments.items():
                config.set_property(name.replace("_", "-"), value)
            values = procedure.run(config)
            return [values.index(0).value_nick, str(values.index(1))]
    """)
    one = "plug_in='teapots_world', name='lid'"
    status, told = teapots.do(f"value = settings_by_script({one}, value='flat')")
    assert status == "success" and 'teapots_world lid="flat"' in told and "key" not in told
    status, told = teapots.do(f"value = settings_by_script({one}, value='square')")
    assert status == "execution-error" and "round, flat, none" in told
    status, told = teapots.do(f"value = settings_by_script({one})")
    assert status == "success" and 'teapots_world lid="round"' in told

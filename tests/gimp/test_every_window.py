"""Real GIMP 3, in each language: no key stands twice in a window, nothing is cut or in English."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit
from tests.gimp.gimp import Gimp
from tests.gimp.machine import Shell
from tests.gimp.steps import SETUP
from tests.gimp.window_steps import WINDOW

OPEN = """
from latentfu_gimp import translate

def open_here(module, function, name, *given):
    import importlib
    opening = getattr(importlib.import_module(f"latentfu_gimp.{module}"), function)
    follow_meanwhile()
    try:
        opening(*given, *([configured(name)] if name else []))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""

def front():
    found = [w for w in Gtk.Window.list_toplevels()
             if w.get_visible() and isinstance(w, Gtk.Dialog)]
    if not found:
        raise LookupError("no window")
    return found[-1]

def every(widget):
    # Also what is hidden now, and what a container holds for itself, such as the buttons.
    yield widget
    if isinstance(widget, Gtk.Container):
        inner = []
        widget.forall(inner.append)
        for child in inner:
            yield from every(child)

def page_of(widget):
    while widget is not None:
        above = widget.get_parent()
        if isinstance(above, Gtk.Notebook) and above.page_num(widget) >= 0:
            return above.page_num(widget)
        widget = above
    return -1

def keys():
    # The texts of each key, for each page where there are several.
    found = {}
    for widget in every(front()):
        if isinstance(widget, Gtk.Label) and widget.get_use_underline():
            value = widget.get_mnemonic_keyval()
            if value != 0xffffff:
                found.setdefault(chr(Gdk.keyval_to_unicode(value)).lower(), []).append(
                    [page_of(widget), widget.get_label()])
    return found

def texts():
    return [w for w in every(front()) if isinstance(w, Gtk.Label) and w.get_mapped()]

def cut():
    return [w.get_text() for w in texts()
            if w.get_layout().is_ellipsized() and not w.get_tooltip_text()]

def english():
    # Texts that have a translation, and are not in it.
    known = getattr(translate._catalog, "_catalog", {})
    plain = {k.replace("_", ""): v.replace("_", "") for k, v in known.items()
             if isinstance(k, str) and isinstance(v, str) and k and "\\x04" not in k}
    shown = {w.get_text() for w in texts()} | {spoken(w) for w in every(front()) if w.get_mapped()}
    translated = set(plain.values())
    return sorted(one for one in shown if one in plain and one not in translated)

mode = Gimp.RunMode.NONINTERACTIVE
other = Gimp.file_load_layer(mode, image, Gio.File.new_for_path(SECOND))
image.insert_layer(other, None, 1); other.set_name("Second")
SMALL = {"generator": "portraits", "inverter": "encoder"}
image.select_rectangle(Gimp.ChannelOps.REPLACE, 100, 100, 300, 350)
"""
WINDOWS = {
    "edit": "'edit_dialog', 'edit_with_dialog', 'latentfu-edit', image, [layer]",
    "mix": "'mix_dialog', 'mix_with_dialog', 'latentfu-mix', image, [layer]",
    "like": "'transfer_dialog', 'transfer_with_dialog', 'latentfu-transfer', image, [layer]",
    "sweep": "'sweep_dialog', 'sweep_with_dialog', 'latentfu-sweep', image, [layer]",
    "several": "'several_dialog', 'edit_several_with_dialog', 'latentfu-several', image,"
    " [layer, other]",
    "direction": "'direction_dialog', 'make_with_dialog', 'latentfu-direction', image",
    "direction of an attribute": "'direction_dialog', 'make_with_dialog', 'latentfu-direction',"
    " None",
    "regions": "'region_dialog', 'mask_with_dialog', '', image, [layer],"
    " Gimp.get_pdb().lookup_procedure('latentfu-region').create_config()",
    "server": "'server_dialog', 'show', ''",
    "networks": "'networks_dialog', 'show_networks', ''",
}
BUSY = re.compile(r"\s(\.\.\.|…)$")
"""What a window says while something is on its way."""
LANGUAGES = ("en", "de", "fr")


@pytest.fixture(scope="module", params=LANGUAGES)
def speaking(
    request: pytest.FixtureRequest,
    shell: Shell,
    share: Path,
    home: Path,
    portrait: Path,
    second_portrait: Path,
) -> Iterator[Edit]:
    language = str(request.param)
    folder = share / f"windows-{language}"
    folder.mkdir()
    desktop = Desktop(shell, folder)
    theme = os.environ.get("LATENTFU_THEME", "")
    more = {"GDK_SCALE": os.environ["LATENTFU_SCALE"]} if "LATENTFU_SCALE" in os.environ else {}
    gimp = Gimp(
        shell, share / f"speaking-{language}", desktop.display, theme, LANGUAGE=language, **more
    )
    gimp.run(SETUP + WINDOW + f'PORTRAIT = "{portrait}"; SECOND = "{second_portrait}"')
    gimp.run("image = load(PORTRAIT); layer = image.get_layers()[0]\n" + OPEN)
    gimp.desktop, gimp.language = desktop, language  # type: ignore[attr-defined]
    yield Edit(gimp)
    gimp.quit()


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_has_each_key_once_and_speaks_its_language(
    speaking: Edit, screenshots: Path | None, name: str
) -> None:
    order = speaking.gimp.send(f"value = open_here({WINDOWS[name]})")
    wait_for(lambda: speaking.look("bool(front())", False), "no window")
    try:
        desktop: Desktop = speaking.gimp.desktop  # type: ignore[attr-defined]
        window = desktop.window(speaking.look("front().get_title()"))
        desktop.activate(window)
        said: list[str] = []

        def is_still() -> bool:
            now = list(speaking.look("[w.get_text() for w in texts()]"))
            said.append("" if any(BUSY.search(text) for text in now) else str(now))
            return bool(said[-1]) and len(said) > 5 and len(set(said[-5:])) == 1

        wait_for(is_still, "it never rests", 120)
        if screenshots:
            language = speaking.gimp.language  # type: ignore[attr-defined]
            desktop.shoot(window, screenshots / f"{name}-{language}.png")
        twice = {
            key: texts
            for key, texts in speaking.look("keys()").items()
            if any(
                len([one for one in texts if one[0] in {page, -1}]) > 1
                for page in {text[0] for text in texts}
            )
        }
        assert not twice, "a key stands twice"
        assert speaking.look("cut()") == [], "cut off, and no hint says all"
        assert speaking.look("english()") == [], "not translated"
        wide, high = speaking.look("list(front().get_size())")
        assert wide <= 1280 and high <= 720, "it fits no small screen"
    finally:
        speaking.do("front().response(Gtk.ResponseType.DELETE_EVENT)")
        said_last = str(speaking.gimp.answer(order))
        assert not said_last or said_last.startswith("StoppedError"), said_last

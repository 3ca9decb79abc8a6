"""Real GIMP 3 in German and in French: the menu, the window, what it says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit
from tests.gimp.gimp import Gimp
from tests.gimp.machine import Shell
from tests.gimp.steps import SETUP
from tests.gimp.window_steps import WINDOW

TEXTS = {
    "de": {
        "menu": "Porträt _bearbeiten…",
        "key": "b",
        "title": "Porträt bearbeiten",
        "apply": "Anwenden",
        "slider": "Lächeln",
        "reset": "Lächeln zurücksetzen",
        "group": "Mimik",
        "ready": "Einen Regler bewegen",
        "error": "„smile“ ist keine Bearbeitung: Name=Zahl schreiben, zum Beispiel smile=2.",
    },
    "fr": {
        "menu": "_Modifier le portrait…",
        "key": "m",
        "title": "Modifier le portrait",
        "apply": "Appliquer",
        "slider": "Sourire",
        "reset": "Réinitialiser Sourire",
        "group": "Expression",
        "ready": "Déplacez un curseur",
        "error": "est pas une modification\N{NO-BREAK SPACE}: écrivez nom=nombre",
    },
}
CUT = """[w.get_text() for w in parts(window(TITLE)) if isinstance(w, Gtk.Label)
    and w.get_mapped() and w.get_layout().is_ellipsized() and w.get_text() not in STATUS]"""


@pytest.fixture(scope="module", params=TEXTS)
def foreign(
    request: pytest.FixtureRequest, shell: Shell, share: Path, home: Path, portrait: Path
) -> Iterator[tuple[Gimp, str]]:
    language = str(request.param)
    folder = share / f"screen-{language}"
    folder.mkdir()
    desktop = Desktop(shell, folder)
    gimp = Gimp(shell, share / f"gimp-{language}", desktop.display, LANGUAGE=language)
    gimp.run(SETUP + WINDOW + f'PORTRAIT = "{portrait}"')
    gimp.desktop = desktop  # type: ignore[attr-defined]
    yield gimp, language
    gimp.quit()


def test_the_window_is_in_the_language(foreign: tuple[Gimp, str], screenshots: Path | None) -> None:
    gimp, language = foreign
    words, edit = TEXTS[language], Edit(gimp)
    title = words["title"]
    edit.do(f"image = load(PORTRAIT); layer = image.get_layers()[0]; TITLE = {title!r}")
    order = gimp.send("""
        done = edit_in_window(image, layer, generator="portraits", inverter="")
        value = done if isinstance(done, str) else done.get_name()
    """)
    wait_for(lambda: edit.look("bool(window(TITLE))", False), "no window")
    slider = f"part({words['slider']!r}, Gtk.SpinButton, TITLE)"
    wait_for(lambda: edit.look(f"{slider}.is_sensitive()", False), "no slider", 120)
    said = "said(TITLE)"
    assert words["group"] in edit.look(said)
    wait_for(lambda: words["ready"] in edit.look(said), "it never is ready", 240)
    edit.do(f"{slider}.set_value(1.5)")
    for name in ("apply", "reset"):
        assert edit.look(f"part({words[name]!r}, Gtk.Button, TITLE).is_sensitive()"), name
    assert edit.look(f"window(TITLE).get_title().startswith({title!r})")
    edit.do(f"STATUS = [text for text in {said}.split(' | ') if {words['ready']!r} in text]")
    if screenshots:
        desktop: Desktop = gimp.desktop  # type: ignore[attr-defined]
        desktop.activate(desktop.window(title))
        desktop.shoot(desktop.window(title), screenshots / f"gimp-{language}.png")
    assert edit.look(CUT) == [], "these are cut"
    wide = edit.look("list(window(TITLE).get_size())")
    assert wide[0] <= 1280 and wide[1] <= 720, "it fits no small screen"
    edit.do(f"part({words['apply']!r}, Gtk.Button, TITLE).clicked()")
    assert "smile +1.5" in str(gimp.answer(order))


def test_the_menu_is_used_by_keys_alone(foreign: tuple[Gimp, str]) -> None:
    """Filters, Latent-Fu, Edit portrait: each has a key that is its own."""
    gimp, language = foreign
    gimp.run("image = load(PORTRAIT); display = Gimp.Display.new(image); Gimp.displays_flush()")
    desktop: Desktop = gimp.desktop  # type: ignore[attr-defined]
    main = desktop.window("GNU Image Manipulation Program|GIMP")
    desktop.activate(main)
    desktop.wait_still(main)
    desktop.keys("alt+r")
    for key in ("u", TEXTS[language]["key"]):
        time.sleep(1.0)  # A menu opens with a movement.
        desktop.keys(key)
    title = TEXTS[language]["title"]
    desktop.activate(desktop.window(title))
    desktop.keys("Escape")
    wait_for(lambda: not desktop.windows(title), "the window stays")
    gimp.run("display.delete()")


def test_the_menu_and_a_script_get_their_words(foreign: tuple[Gimp, str]) -> None:
    """The plug-in runs in a process of its own, which GIMP tells its language.

    The last test: GIMP shows the error in a window of its own, before whatever comes after.
    """
    gimp, language = foreign
    seen = gimp.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        procedure = Gimp.get_pdb().lookup_procedure("latentfu-edit")
        value = {"menu": procedure.get_menu_label(), "blurb": procedure.get_blurb(),
                 "error": attempt("latentfu-edit", image, layer, edits="smile")[1]}
    """)
    assert seen["menu"] == TEXTS[language]["menu"]
    assert TEXTS[language]["error"] in seen["error"]
    assert "Change smile" not in seen["blurb"]

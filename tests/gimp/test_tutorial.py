"""Real GIMP 3: each step of docs/tutorial-gimp.md, by keys and mouse, as a new person does it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.gimp import Gimp
from tests.gimp.machine import Shell
from tests.gimp.steps import SETUP
from tests.gimp.test_window import (
    ANTS,
    LAYERS,
    open_from_menu,
    set_first_slider,
    wait_changed,
    wait_ready,
)

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-gimp.md"
EDIT, MAIN = "Edit portrait", "GNU Image Manipulation Program|GIMP"
SELECTED = "image.set_selected_layers([image.get_layers()[{}]]); Gimp.displays_flush()"

SEEN = 0.1
"""Mean levels by which the picture in the window differs when a mouth smiles."""


class NewPerson:
    """Does one step after the other; each leaves what the next begins with."""

    def __init__(self, desktop: Desktop, gimp: Gimp, folder: Path, pictures: Path | None) -> None:
        self.desktop, self.gimp, self.folder, self.pictures = desktop, gimp, folder, pictures

    def shoot(self, window: str, name: str) -> None:
        if self.pictures:
            self.desktop.shoot(window, self.pictures / f"tour-{name}.png", ANTS)

    def main(self) -> str:
        return self.desktop.window(MAIN)

    def open_edit(self) -> str:
        open_from_menu(self.desktop, "u", "e")
        dialog = self.desktop.window(EDIT)
        wait_for(lambda: self.desktop.has_sliders(dialog), "no sliders")
        wait_ready(self.desktop, dialog)
        return dialog

    def apply(self, *expected: str) -> None:
        """Until these are the layers, the topmost first; a window may hide before it is done."""
        self.desktop.keys("alt+a")
        wait_for(lambda: not self.desktop.windows(EDIT), "the window stays", 120)
        try:
            wait_for(lambda: self.layers()[: len(expected)] == list(expected), "other layers")
        except AssertionError as error:
            raise AssertionError(f"{self.layers()} are no {expected}") from error

    def layers(self) -> list[str]:
        return list(self.gimp.run(LAYERS))

    def open_the_menu(self) -> None:
        self.desktop.activate(self.main())
        if self.pictures:
            self.desktop.maximize(self.main())
            self.desktop.keys("alt+r")
            time.sleep(1.0)
            self.desktop.keys("u")
            time.sleep(1.0)
            self.desktop.see().save(self.pictures / "tour-menu.png")
            self.desktop.keys("Escape", "Escape", "Escape")
        self.dialog = self.open_edit()

    def move_a_slider(self) -> None:
        set_first_slider(self.desktop, self.dialog, "2")
        wait_for(self.differs, "the picture stays", 240)
        self.after = wait_ready(self.desktop, self.dialog)
        self.shoot(self.dialog, "smile")

    def differs(self) -> bool:
        """Whether Before shows something else; while it learns, the window is never still."""
        seen = []
        for _ in range(2):
            self.desktop.keys("alt+b")
            time.sleep(1.5)
            seen.append(self.desktop.preview(self.dialog))
        return bool(np.abs(seen[0] - seen[1]).mean() > SEEN)

    def compare(self) -> None:
        self.desktop.keys("alt+b")
        wait_changed(self.desktop, self.dialog, self.after, SEEN)
        before = self.desktop.preview(self.dialog)
        self.shoot(self.dialog, "before")
        self.desktop.keys("alt+b")

        def is_back() -> bool:
            """A sharper picture may have come since, so it need not be the same as it was."""
            shown = self.desktop.preview(self.dialog)
            return bool(np.abs(shown - before).mean() > SEEN)

        wait_for(is_back, "the edit does not come back")

    def apply_it(self) -> None:
        self.apply("smile +2 (Latent-Fu)")
        self.desktop.activate(self.main())
        self.desktop.wait_still(self.main())
        self.shoot(self.main(), "layer")
        self.desktop.keys("ctrl+z")
        wait_for(lambda: len(self.layers()) == 1, "Ctrl+Z leaves the layer")
        self.desktop.keys("ctrl+y")
        wait_for(lambda: len(self.layers()) == 2, "Ctrl+Y does not bring it back")

    def change_your_mind(self) -> None:
        self.gimp.run(SELECTED.format(0))
        dialog = self.open_edit()
        assert self.desktop.windows("Edit portrait again")
        self.shoot(dialog, "again")
        set_first_slider(self.desktop, dialog, "-1")
        self.apply("smile -1 (Latent-Fu)", "Background")

    def edit_a_part(self) -> None:
        self.gimp.run("image.select_rectangle(Gimp.ChannelOps.REPLACE, 160, 295, 130, 90)")
        self.gimp.run("image.get_layers()[0].set_visible(False)\n" + SELECTED.format(-1))
        dialog = self.open_edit()
        set_first_slider(self.desktop, dialog, "2")
        self.apply("smile -1 (Latent-Fu)", "smile +2 (Latent-Fu)", "Background")
        seen = self.gimp.run("""
            new = [l for l in image.get_layers() if l.get_name().startswith("smile +2")][0]
            value = changed(image.get_layers()[-1], new)["box"]
        """)
        assert seen[0] >= 160 and seen[1] >= 295 and seen[2] <= 290 and seen[3] <= 385
        assert seen[2] - seen[0] > 60, "the mouth in the selection did not change"
        self.desktop.activate(self.main())
        self.shoot(self.main(), "part")

    def make_a_film(self) -> None:
        self.gimp.run("Gimp.Selection.none(image)\n" + SELECTED.format(-1))
        open_from_menu(self.desktop, "u", "w")
        title = "Sweep to layers"
        dialog = self.desktop.window(title)

        def applied() -> bool:
            if self.desktop.windows(title):
                self.desktop.activate(dialog)
                self.desktop.keys("alt+a")
                time.sleep(1.0)
            return not self.desktop.windows(title)

        if self.pictures:
            wait_ready(self.desktop, dialog)
            time.sleep(20.0)
            self.shoot(dialog, "film")
        wait_for(applied, "the film is not made", 180)
        frames = self.gimp.run("""
            group = [l for l in image.get_layers() if l.is_group()][0]
            value = [l.get_name() for l in group.get_children()]
        """)
        assert len(frames) == 9 and frames[0].startswith("smile +2 (100ms)")

    def save_it(self) -> None:
        path = self.folder / "kept.xcf"
        seen = self.gimp.run(f"""
            save(image, "{path}"); again = load("{path}")
            value = [about(l)["state"]["edits"] for l in again.get_layers()
                     if l.get_parasite("latentfu/state")]
            again.delete()
        """)
        assert {"smile": 2.0} in seen and {"smile": -1.0} in seen


STEPS = {
    "Open the menu": NewPerson.open_the_menu,
    "Move a slider": NewPerson.move_a_slider,
    "Compare": NewPerson.compare,
    "Apply": NewPerson.apply_it,
    "Change your mind": NewPerson.change_your_mind,
    "A part of the picture": NewPerson.edit_a_part,
    "A film": NewPerson.make_a_film,
    "Save": NewPerson.save_it,
}


@pytest.fixture
def person(
    shell: Shell, share: Path, home: Path, portrait: Path, screenshots: Path | None
) -> Iterator[NewPerson]:
    folder = share / "tutorial"
    folder.mkdir()
    desktop = Desktop(shell, folder)
    gimp = Gimp(shell, share / "tutorial-gimp", desktop.display)
    gimp.run(SETUP + f'image = load("{portrait}"); display = Gimp.Display.new(image)')
    yield NewPerson(desktop, gimp, folder, screenshots)
    gimp.quit()


def test_every_step_of_the_page_works(person: NewPerson) -> None:
    steps = re.findall(r"^## \d+\. (.+)$", PAGE.read_text(), re.MULTILINE)
    assert steps == list(STEPS), "the page and this test tell different steps"
    for title in steps:
        STEPS[title](person)

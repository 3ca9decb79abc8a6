"""The window of Edit portrait, opened in the process that tests talk to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.gimp import Gimp


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


def shoot(edit: Edit, title: str, folder: Path | None, name: str) -> None:
    """A picture of the window for the documentation, if pictures are wanted."""
    if folder:
        desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
        window = desktop.window(title)
        desktop.activate(window)
        desktop.shoot(window, folder / name)


def make_earlier(edit: Edit, arguments: str = "edits='red=2'") -> None:
    """A result as ``result``; its source is ``layer``."""
    edit.do(f"result = made('latentfu-edit', image, layer, {arguments})")

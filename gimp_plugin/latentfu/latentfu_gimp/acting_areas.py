"""Where the control under the mouse acts, lit on the preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gi.repository import GLib

from . import jobs
from .pixbufs import shrink_picture
from .preview import PreviewPane
from .sent_texts import translate_sent
from .session import Session, Watcher
from .translate import _
from .widgets import on_main
from .wire import Picture

DWELL = 350
"""Milliseconds that the mouse rests on a title before its area is looked for."""
SIDE = 512
"""Pixels of the longest side of the layer that regions are looked for in."""


class ActingAreas:
    """Asks on a connection of its own; what is known of the layer once is shown at once.

    ``make_work``: the layer, its face and the network; None while no face is known. ``tell`` gets
    a sentence to show, empty when the mouse has left.
    """

    def __init__(
        self,
        preview: PreviewPane,
        make_work: Callable[[], jobs.Work | None],
        tell: Callable[[str], None],
    ) -> None:
        self._preview, self._make_work, self._tell = preview, make_work, tell
        self._session = Session(on_main, Watcher(lambda _part, _message: None, self._told))
        self._known: dict[str, jobs.Result] = {}
        self._small: tuple[Picture, Picture] | None = None
        self._name = self._title = ""
        self._timer, self._lit = 0, False

    def point(self, name: str, title: str) -> None:
        """The mouse is on the title of a control; on none where ``name`` is empty."""
        self._stop_waiting()
        if self._name:
            self._session.abandon()
        if self._lit:
            self._preview.light_area(None)
            self._say("")
        self._name, self._title = name, title
        if name in self._known:
            self._show(self._known[name])
        elif name:
            self._timer = GLib.timeout_add(DWELL, self._ask)

    def forget(self) -> None:
        """Layer, face or network is another."""
        self.point("", "")
        self._known.clear()

    def close(self) -> None:
        """Ask and show nothing any more."""
        self._stop_waiting()
        self._name = ""
        self._session.close()

    def _stop_waiting(self) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0

    def _ask(self) -> bool:
        """Whether to be called again: until the face is known."""
        work, name = self._make_work(), self._name
        if work is None:
            return True
        self._timer = 0
        small = self._make_small(work, name)
        self._session.find_regions(small, lambda found: self._keep(name, found))
        return False

    def _make_small(self, work: jobs.Work, name: str) -> jobs.Work:
        """The same of a small layer: a mask for the preview needs no more."""
        if self._small is None or self._small[0] is not work.layer:
            self._small = work.layer, shrink_picture(work.layer, SIDE)
        layer, small = self._small
        factors = small.width / layer.width, small.height / layer.height
        corners = [[x * factors[0], y * factors[1]] for x, y in self._preview.chosen_face]
        return replace(
            work, layer=small, mask=None, latent=b"", extra={"corners": corners, "controls": [name]}
        )

    def _keep(self, name: str, found: jobs.Result) -> None:
        self._known[name] = found
        if name == self._name:
            self._show(found)

    def _show(self, found: jobs.Result) -> None:
        if isinstance(found.picture, Picture):
            self._preview.light_area(found.picture)
        names = [translate_sent(str(each), "region") for each in found.report.get("shown") or []]
        self._say(
            _("{title} acts here: {regions}.").format(title=self._title, regions=", ".join(names))
        )

    def _told(self, sentence: str) -> None:
        if self._name:
            self._say(sentence)

    def _say(self, sentence: str) -> None:
        self._lit = bool(sentence)
        self._tell(sentence)

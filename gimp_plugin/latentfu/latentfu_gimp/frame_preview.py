"""The preview of a sweep: a slider over its layers, and Play, from small pictures."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import GLib, Gtk

from .preview import PreviewPane
from .rows import NumberRow
from .sweeps import SweepPlan
from .translate import _
from .wire import Picture

Ask = Callable[[int, Callable[[Picture], None]], None]


class FramePreview:
    """``ask`` gets a step and what to call with its picture; of several only the newest counts."""

    def __init__(self, picture: Picture, ask: Ask) -> None:
        self._ask = ask
        self._plan: SweepPlan | None = None
        self._seen: dict[int, Picture] = {}
        self._version = 0
        self._timer = 0
        self._moment = 0
        self.pane = PreviewPane(picture, self._refresh)
        self._play = Gtk.ToggleButton.new_with_mnemonic(_("_Play"))
        self._play.connect("toggled", lambda _button: self._start_or_stop())
        self.row = NumberRow(_("_Layer"), (1, 2), self._moved, digits=0, neutral=None, value=1)
        line = Gtk.Box(spacing=6)
        line.pack_start(self._play, False, False, 0)
        line.pack_start(self.row.widget, True, True, 0)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.widget.pack_start(self.pane.widget, True, True, 0)
        self.widget.pack_start(line, False, False, 0)

    def show(self, plan: SweepPlan) -> None:
        """Another sweep, of whose pictures none has been seen yet."""
        pace = self._plan.milliseconds if self._plan else 0
        self._plan = plan
        self._moment = min(self._moment, len(plan.order) - 1)
        self.row.set_limits(1, plan.count)
        self._refresh()
        if plan.milliseconds != pace:
            self._start_or_stop()

    def stop(self) -> None:
        """Play no longer."""
        self._play.set_active(False)
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0

    @property
    def _step(self) -> int:
        return int(self.row.value) - 1

    def _refresh(self) -> None:
        """What is shown is no longer what is wanted."""
        self._version += 1
        self._seen = {}
        self._moved()

    def _moved(self) -> None:
        if self._plan is None:
            return
        step, version = self._step, self._version
        if step in self._seen:
            self.pane.show_after(self._seen[step])
            return

        def show(picture: Picture) -> None:
            if version == self._version:
                self._seen[step] = picture
                if step == self._step:
                    self.pane.show_after(picture)

        self._ask(step, show)

    def _start_or_stop(self) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0
        if self._play.get_active() and self._plan:
            self.pane.show_edit()
            self._timer = GLib.timeout_add(self._plan.milliseconds, self._go_on)

    def _go_on(self) -> bool:
        """The next layer, once this one has been seen: the first round waits for its pictures."""
        if self._plan and self._step in self._seen:
            order = self._plan.order
            self._moment = (self._moment + 1) % len(order)
            self.row.set(order[self._moment] + 1)
        return True

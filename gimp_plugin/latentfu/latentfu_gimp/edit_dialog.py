"""The window of ``Edit portrait...``: sliders, a live preview, and the result on Apply."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import format_edits, layer_name, parse_edits
from .errors import CancelledError, PluginError
from .layers import Target, check_layer, chosen_layer, insert_result, show_report, target_again
from .preview import PreviewPane
from .remember import remembered
from .session import Catalog, Document, Session, Watcher
from .sliders import Sliders
from .widgets import Choice, StatusLine, feather_entry, lay_out, new_dialog, on_main
from .wire import Picture

FINISHED = 1
RESET, LAST, AGAIN = 2, 3, 4
READY = "Move a slider; hold the mouse on the picture to compare."


def edit_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user edit; the new layer, or CancelledError."""
    target = target_again(image, chosen_layer(drawables))
    dialog = EditDialog(target, config)
    try:
        work, result = dialog.run()
    finally:
        dialog.close()
    kept = remembered(target, work, result)
    new = insert_result(target, result, layer_name(work.edits), kept)
    if result.report.get("unchanged"):  # the window itself has told how well it fits
        show_report(result, in_window=True)
    return new


AUTOMATIC = {"name": "", "title": "Automatic: the best for this network"}
"""The method that the server chooses."""
ALWAYS_EXACT = 256
"""Networks up to this many pixels are quick enough to show every move of a slider exactly."""


class EditDialog:
    """Everything is in the main thread except what :class:`Session` does."""

    def __init__(self, target: Target, config: Gimp.ProcedureConfig) -> None:
        self._target, self._config = target, config
        self._last = _readable(config.get_property("edits"))
        self._wanted = target.earlier.edits if target.earlier else {}
        self._result: jobs.Result | None = None
        self._resolutions: dict[str, int] = {}
        self._applying = False
        self._warning = ""
        title = "Edit portrait again" if target.earlier else "Edit portrait"
        self._dialog = new_dialog(title, "latentfu-edit")
        self._preview = PreviewPane(target.picture, self._ask_preview)
        self._sliders = Sliders(self._moved)
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._generators = Choice("_Network", names, self._open)
        self._inverters = Choice("_Method", names, self._prepare)
        feather = target.earlier.feather if target.earlier else config.get_property("feather")
        self._feather = feather_entry(feather, self._moved)
        self._status = StatusLine()
        self._session = Session(on_main, Watcher(self._status.busy, self._failed))
        self._lay_out()

    def _lay_out(self) -> None:
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        right.pack_start(self._generators.widget, False, False, 0)
        right.pack_start(self._inverters.widget, False, False, 0)
        right.pack_start(self._sliders.widget, True, True, 0)
        if self._target.mask:
            right.pack_start(self._feather, False, False, 0)
        lay_out(self._dialog, [self._preview.widget, right], self._status)
        self._reset = self._dialog.add_button("_Reset", RESET)
        self._reset.set_tooltip_text("All sliders back to 0")
        self._buttons = [self._reset]
        if self._last and not self._target.earlier:
            again = self._dialog.add_button("_Last values", LAST)
            again.set_tooltip_text(format_edits(self._last))
            self._buttons.append(again)
        for button in self._buttons:
            button.get_parent().set_child_secondary(button, True)
        self._again = self._dialog.add_button("Try a_gain", AGAIN)
        self._again.set_no_show_all(True)
        self._dialog.set_default_size(980, 690)

    def run(self) -> tuple[jobs.Work, jobs.Result]:
        """Show the window until it is done; raises CancelledError."""
        self._dialog.show_all()
        self._set_ready(False)
        self._open()
        while True:
            response = self._dialog.run()
            if response == FINISHED and self._result:
                return self._applied, self._result
            if response == Gtk.ResponseType.OK:
                self._apply()
            elif response == RESET:
                self._set_sliders({})
            elif response == AGAIN:
                self._open()
            elif response == LAST:
                self._set_sliders(self._last)
            else:
                raise CancelledError

    def close(self) -> None:
        """Stop what runs and take the window away."""
        self._session.close()
        self._dialog.destroy()

    def _open(self) -> None:
        self._status.busy(0.0, "Looking for the Latent-Fu server ...")
        self._again.hide()
        self._set_ready(False)
        earlier = self._target.earlier
        first = earlier.generator if earlier else self._config.get_property("generator") or ""
        self._session.open(self._generators.name or first, self._opened)

    def _opened(self, catalog: Catalog) -> None:
        earlier = self._target.earlier
        first = earlier.inverter if earlier else self._config.get_property("inverter") or ""
        self._generators.show(catalog.generators, catalog.generator)
        self._resolutions = {one["name"]: one["resolution"] for one in catalog.generators}
        self._inverters.show([AUTOMATIC, *catalog.inverters], self._inverters.name or first)
        kept = self._sliders.strengths() or self._wanted
        self._sliders.show(catalog.controls)
        self._sliders.set_all(kept)
        self._prepare()
        self._sliders.focus()

    def _prepare(self) -> None:
        self._set_ready(True)
        self._preview.forget_after()
        self._warning = ""
        self._status.busy(0.0, "Learning the portrait; sliders can be moved meanwhile ...")
        self._session.prepare(self._work(), self._prepared)

    def _prepared(self, report: Document) -> None:
        self._preview.set_quad(report.get("quad") or [])
        self._warning = jobs.tell_fit(report)
        self._show_ready()
        self._ask_preview()

    def _moved(self) -> None:
        self._set_ready(True)
        self._ask_preview()

    def _set_sliders(self, edits: dict[str, float]) -> None:
        self._sliders.set_all(edits)
        self._moved()

    def _ask_preview(self) -> None:
        if not self._applying:
            work, side = self._work(), self._preview.side
            quick = self._resolutions.get(work.generator, 0) > ALWAYS_EXACT
            self._session.preview(work, side, self._previewed, quick)

    def _previewed(self, picture: Picture) -> None:
        self._preview.show_after(picture)
        if not self._applying:
            self._again.hide()
            self._show_ready()

    def _show_ready(self) -> None:
        """What the network cannot show of this layer, else what to do next."""
        if self._warning:
            self._status.warn(f"{self._target.note} {self._warning}".strip())
        else:
            self._status.idle(self._target.note or READY)

    def _apply(self) -> None:
        try:
            check_layer(self._target.layer)
        except PluginError as error:
            self._status.error(str(error))
            return
        self._applying = True
        self._applied = self._work()
        self._sync(self._applied)
        self._set_ready(False)
        self._status.busy(0.0, "Editing the layer ...")
        self._session.finish(self._applied, self._finished)

    def _finished(self, result: jobs.Result) -> None:
        self._result = result
        self._dialog.response(FINISHED)

    def _failed(self, sentence: str) -> None:
        self._applying = False
        self._set_ready(True)
        self._again.show()
        self._status.error(sentence)

    def _set_ready(self, ready: bool) -> None:
        self._sliders.widget.set_sensitive(ready)
        for button in self._buttons:
            button.set_sensitive(ready)
        some = bool(self._sliders.strengths())
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, ready and some)

    def _work(self) -> jobs.Work:
        return jobs.Work(
            self._target.picture,
            self._target.mask,
            self._generators.name,
            self._inverters.name,
            self._sliders.strengths(),
            self._feather.get_value(),
        )

    def _sync(self, work: jobs.Work) -> None:
        """Into the procedure's arguments, so that repeating the filter repeats this edit."""
        self._config.set_property("edits", format_edits(work.edits))
        self._config.set_property("generator", work.generator)
        self._config.set_property("inverter", work.inverter)
        self._config.set_property("feather", work.feather)


def _readable(text: str | None) -> dict[str, float]:
    try:
        return parse_edits(text or "")
    except PluginError:
        return {}

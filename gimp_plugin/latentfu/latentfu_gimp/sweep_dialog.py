"""The window of ``Sweep to layers...``: which control, from where to where, at which pace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import AUTO, read_common_arguments, read_regions
from .choices import list_areas
from .errors import PluginError, StoppedError
from .frame_layers import FrameLayers
from .frame_preview import FramePreview
from .layers import Target, chosen_layer, looks_changed, plain_target, refresh
from .rows import ControlFacts, NumberRow
from .sent_texts import translate_sent
from .session import Catalog, Document, Session, Watcher
from .sliders import rank_group
from .sweeps import AS_GROUP, AS_IMAGE, FEWEST, MOST, QUICKEST, SLOWEST, SWEEP_FORMS, SweepPlan
from .translate import _
from .widgets import Choice, NumberChoice, StatusLine, feather_row, lay_out, new_dialog, on_main
from .window_size import keep_size, restore_size
from .wire import Picture

ROLE = "latentfu-sweep"
DONE = 1
READY = _("Play shows it in small; Apply makes a layer of each step.")
CHANGED = _("The layer has changed: look at the new preview, then apply.")


def sweep_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user choose; the group or the topmost layer, or StoppedError."""
    with closing(SweepDialog(plain_target(image, chosen_layer(drawables)), config)) as dialog:
        return dialog.run()


class SweepDialog:
    """Small pictures first; on Apply each step in the layer's own resolution."""

    def __init__(self, target: Target, config: Gimp.ProcedureConfig) -> None:
        self._target, self._config = target, config
        self._common: dict[str, Any] = read_common_arguments(config)
        self._place: dict[str, Any] = {}
        self._limits: dict[str, tuple[float, float]] = {}
        self._learnt = self._applying = False
        self._warning = ""
        self._layers: FrameLayers | None = None
        self._dialog = new_dialog(_("Sweep to layers"), ROLE)
        restore_size(self._dialog, ROLE, 900, 640)
        self._preview = FramePreview(target.picture, self._ask_preview)
        self._status = StatusLine(with_report=True)
        self._session = Session(on_main, Watcher(self._report, self._failed))
        self._right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=10)
        self._right.set_size_request(360, -1)
        self._add_rows(config)
        lay_out(self._dialog, [self._preview.widget, self._right], self._status)

    def _add_rows(self, config: Gimp.ProcedureConfig) -> None:
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        read = config.get_property
        self._control = Choice(_("C_ontrol"), names, self._choose_control)
        self._from = NumberRow(_("F_rom"), (-3, 3), self._changed, value=read("from"))
        self._to = NumberRow(_("_To"), (-3, 3), self._changed, value=read("to"))
        limits = (FEWEST, MOST)
        self._count = NumberChoice(_("_Number of layers"), names, limits, self._changed)
        self._count.set(read("count"))
        self._pace = NumberChoice(
            _("_Milliseconds each"), names, (QUICKEST, SLOWEST), self._changed
        )
        self._pace.set(read("milliseconds"))
        self._back = Gtk.CheckButton.new_with_mnemonic(_("There and bac_k"))
        self._back.set_active(read("back"))
        self._back.connect("toggled", lambda _box: self._changed())
        self._regions = Choice(_("_Where"), names, self._changed)
        self._regions.show(list_areas(read("regions") or AUTO), read("regions") or AUTO)
        self._form = Choice(_("Res_ult"), names, lambda: None)
        self._form.show(SWEEP_FORMS, read("as") or AS_GROUP)
        longest = max(self._target.picture.width, self._target.picture.height)
        self._feather = feather_row(self._common["feather"], longest, self._changed)
        for widget in (
            self._control.widget, self._from.widget, self._to.widget, self._count.widget,
            self._pace.widget, self._back, self._regions.widget, self._form.widget,
        ):  # fmt: skip
            self._right.pack_start(widget, False, False, 0)
        if self._target.mask:
            self._right.pack_start(self._feather.widget, False, False, 0)

    def run(self) -> Gimp.Layer:
        """Show the window until the layers are made; raises StoppedError."""
        self._dialog.show_all()
        self._right.set_sensitive(False)
        self._status.busy(0.0, _("Looking for the Latent-Fu server ..."))
        self._session.open(self._common["generator"], self._opened)
        while True:
            response = self._dialog.run()
            if response == DONE:
                found = self._insert()
                if found is not None:
                    return found
            elif response != Gtk.ResponseType.OK:
                raise StoppedError
            elif not self._applying:
                self._apply()

    def close(self) -> None:
        """Stop what runs and take the window away; what was not put in is forgotten."""
        self._preview.stop()
        self._session.close()
        self._drop()
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _opened(self, catalog: Catalog) -> None:
        controls = sorted(catalog.controls, key=_rank)
        if not controls:
            self._failed(_("This network has no controls yet."))
            return
        self._limits = {str(one["name"]): _read_limits(one) for one in controls}
        titles = [{"name": one["name"], "title": _title(one)} for one in controls]
        self._control.show(titles, self._config.get_property("control") or "")
        self._control.widget.show()
        self._right.set_sensitive(True)
        self._learn()

    def _learn(self) -> None:
        self._place, self._learnt = {}, False
        self._status.busy(0.0, _("Learning the portrait ..."))
        self._session.prepare(self._work(), self._prepared)

    def _prepared(self, report: Document) -> None:
        quad = report.get("quad") or []
        self._place = {"corners": quad} if quad else {}
        self._learnt, self._warning = True, jobs.tell_fit(report)
        self._preview.pane.set_quad(quad)
        self._choose_control()

    def _choose_control(self) -> None:
        """The limits of another control."""
        learnt, self._learnt = self._learnt, False  # One change, not three.
        for row in (self._from, self._to):
            row.set_limits(*self._limits[self._control.name])
        self._learnt = learnt
        self._changed()

    def _changed(self) -> None:
        if not self._learnt or self._applying:
            return
        try:
            plan = self._plan()
        except PluginError as error:
            self._status.error(str(error))
            self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
            return
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, True)
        self._show_ready()
        self._preview.show(plan)

    def _ask_preview(self, step: int, show: Callable[[Picture], None]) -> None:
        if self._learnt and not self._applying:
            work = self._work().with_edits(self._plan().edits(step))
            self._session.preview(work, self._preview.pane.side, show)

    def _apply(self) -> None:
        try:
            again = refresh(self._target)
            if again is not None:
                self._target = again
                self._preview.pane.set_picture(again.picture)
                self._learn()
                raise PluginError(CHANGED)
            self._planned, self._wanted = self._plan(), self._work()
            self._layers = FrameLayers(self._target, self._planned, self._form.name)
        except PluginError as error:
            self._status.error(str(error))
            return
        self._keep()
        self._applying = True
        self._preview.stop()
        self._right.set_sensitive(False)
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        self._make_next()

    def _make_next(self) -> None:
        """Ask for the next layer; its result leads to the one after."""
        assert self._layers
        work = replace(self._wanted, deep=self._target.deep)
        work = work.with_edits(self._planned.edits(self._layers.count))
        self._session.finish([work], lambda results: self._took(work, results[0]))

    def _took(self, work: jobs.Work, result: jobs.Result) -> None:
        assert self._layers
        try:
            self._layers.add(work, result)
        except PluginError as error:
            self._failed(str(error))
            return
        if self._layers.count == self._planned.count:
            self._dialog.response(DONE)
        else:
            self._make_next()

    def _insert(self) -> Gimp.Layer | None:
        """The group or the topmost layer; None when the window has to stay."""
        assert self._layers
        try:
            if looks_changed(self._target):
                raise PluginError(CHANGED)
            found = self._layers.insert()
        except PluginError as error:
            self._failed(str(error))
            return None
        if self._form.name == AS_IMAGE:
            Gimp.Display.new(found.get_image())
        return found

    def _drop(self) -> None:
        if self._layers:
            self._layers.drop()
            self._layers = None

    def _report(self, fraction: float, message: str) -> None:
        if self._applying and self._layers:
            done, count = self._layers.count, self._planned.count
            line = _("Layer {number} of {count}").format(number=done + 1, count=count)
            self._status.busy((done + fraction) / count, f"{line}: {message}" if message else line)
        elif not self._learnt:
            self._status.busy(fraction, message)

    def _failed(self, sentence: str) -> None:
        self._applying = False
        self._drop()
        self._right.set_sensitive(bool(self._limits))
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, self._learnt)
        self._status.error(sentence)

    def _show_ready(self) -> None:
        if self._warning:
            self._status.warn(self._warning)
        else:
            self._status.idle(READY)

    def _plan(self) -> SweepPlan:
        return SweepPlan(
            self._control.name, self._from.value, self._to.value, self._count.value,
            self._pace.value, self._back.get_active(),
        ).check()  # fmt: skip

    def _work(self) -> jobs.Work:
        common = {**self._common, "feather": self._feather.value}
        extra = {**self._place, "regions": read_regions(self._regions.name)}
        return jobs.Work(self._target.picture, self._target.mask, extra=extra, **common)

    def _keep(self) -> None:
        """Into the procedure's arguments, so that repeating the filter repeats this sweep."""
        plan, put = self._planned, self._config.set_property
        put("control", plan.control)
        put("from", plan.first)
        put("to", plan.last)
        put("count", plan.count)
        put("milliseconds", plan.milliseconds)
        put("back", plan.back)
        put("as", self._form.name)
        put("regions", self._regions.name)
        put("feather", self._wanted.feather)


def _rank(control: ControlFacts) -> int:
    return rank_group(str(control.get("group") or "other"))


def _title(control: ControlFacts) -> str:
    title = str(control.get("title") or control["name"])
    return translate_sent(title.replace("_", " "))


def _read_limits(control: ControlFacts) -> tuple[float, float]:
    return min(float(control["minimum"]), 0.0), max(float(control["maximum"]), 0.0)

"""The window of ``Edit portrait...``: sliders, a live preview, and the result on Apply."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from gi.repository import Gimp, Gtk

from . import jobs, questions, unsaved
from .acting_areas import ActingAreas
from .arguments import (
    AS_LAYER,
    AUTO,
    Edits,
    format_edits,
    layer_name,
    read_regions,
    recall_edits,
    recall_options,
)
from .canvas_preview import CanvasPreview
from .choices import list_areas, list_forms, title_networks
from .errors import PluginError, StoppedError
from .exemplars import PictureReader, recall_layers, tell_gone
from .layers import (
    Target,
    chosen_layer,
    comes_apart,
    is_mask_painted,
    looks_changed,
    refresh,
    target_again,
)
from .method_choice import MethodChoice
from .past_edits import keep_past_edit
from .preset_menu import PresetMenu
from .presets import SliderPreset
from .preview import PreviewPane
from .remember import keep_arguments, redo_earlier, remembered
from .results import Placing, insert_result, is_painted_apart
from .session import Catalog, Document, Session, Watcher
from .sliders import Sliders
from .translate import _
from .value_rows import Surroundings
from .widgets import Choice, StatusLine, feather_row, lay_out, new_dialog, on_main
from .window_size import keep_size, restore_size
from .wire import Picture

ROLE = "latentfu-edit"
FINISHED = 1
RESET, LAST, AGAIN = 2, 3, 4
READY = _("Move a slider; hold the mouse on the picture to compare.")


def edit_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user edit; the new layer, or StoppedError."""
    with closing(EditDialog(target_again(image, chosen_layer(drawables)), config)) as dialog:
        return dialog.run()


ALWAYS_EXACT = 256
"""Networks up to this many pixels are quick enough to show every move of a slider exactly."""
NO_FACE = _("No face is found: the selection is taken as one.")
CHANGED = _("The layer has changed: this is what it is now.")


class EditDialog:
    """Everything is in the main thread except what :class:`Session` does."""

    def __init__(self, target: Target, config: Gimp.ProcedureConfig) -> None:
        self._target, self._config = target, config
        self._last = recall_edits(config.get_property("edits"))
        kept = target.earlier.edits if target.earlier else unsaved.read_unsaved(target.layer)
        self._wanted, gone = recall_layers(target.image, kept)
        unapplied = unsaved.NOTE if self._wanted and not target.earlier else ""
        self._note = tell_gone(gone) or target.note or unapplied
        self._place: dict[str, Any] = {}
        self._resolutions: dict[str, int] = {}
        self._applying = self._learnt = False
        self._warning = ""
        title = _("Edit portrait again") if target.earlier else _("Edit portrait")
        self._dialog = new_dialog(f"{title}: {target.layer.get_name()[:40]}", ROLE)
        self._preview = PreviewPane(target.picture, self._ask_preview, self._choose_face)
        self._reader = PictureReader(target.image)
        self._areas = ActingAreas(self._preview, self._placed_work, self._tell_area)
        around = Surroundings(self._reader, self._preview, self._warn)
        self._sliders = Sliders(self._moved, around, self._areas.point)
        self._presets = PresetMenu(
            self._read_sliders, self._take_preset, lambda: self._sliders.limits, self._warn
        )
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._generators = Choice(_("_Network"), names, self._open)
        self._inverters = MethodChoice(_("_Method"), names, self._look, self._warn)
        self._regions = Choice(_("_Where"), names, self._moved)
        earlier = target.earlier
        regions = earlier.regions if earlier else config.get_property("regions") or AUTO
        self._regions.show(list_areas(regions), regions)
        self._form = Choice(_("Res_ult"), names, lambda: None)
        forms = list_forms(target.layer.get_mask() is not None)
        self._form.show(forms, earlier.form if earlier else config.get_property("as") or AS_LAYER)
        kept_options = recall_options(config.get_property("options"))
        self._inverters.options.set(earlier.options if earlier else kept_options)
        feather = target.earlier.feather if target.earlier else config.get_property("feather")
        longest = max(target.picture.width, target.picture.height)
        self._feather = feather_row(feather, longest, self._moved)
        self._canvas = CanvasPreview(target, self._ask_preview)
        self._status = StatusLine(with_report=True)
        self._session = Session(on_main, Watcher(self._status.busy, self._failed))
        self._right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._lay_out()

    def _lay_out(self) -> None:
        right = self._right
        right.pack_start(self._generators.widget, False, False, 0)
        right.pack_start(self._inverters.rows, False, False, 0)
        right.pack_start(self._regions.widget, False, False, 0)
        right.pack_start(self._sliders.widget, True, True, 0)
        right.pack_start(self._feather.widget, False, False, 0)
        right.pack_start(self._form.widget, False, False, 0)
        right.pack_start(self._canvas.widget, False, False, 0)
        lay_out(self._dialog, [self._preview.widget, right], self._status)
        self._reset = self._dialog.add_button(_("_Reset"), RESET)
        self._reset.set_tooltip_text(_("Everything back to what the layer is"))
        self._buttons = [self._reset]
        if self._last and not self._target.earlier:
            again = self._dialog.add_button(_("_Last values"), LAST)
            again.set_tooltip_text(format_edits(self._last))
            self._buttons.append(again)
        self._sliders.add_beside_search(self._presets.widget)
        for button in self._buttons:
            button.get_parent().set_child_secondary(button, True)
        self._again = self._dialog.add_button(_("Try a_gain"), AGAIN)
        self._again.set_no_show_all(True)
        restore_size(self._dialog, ROLE, 1040, 690)
        self._dialog.connect("focus-in-event", lambda *_: self._look_again())
        self._dialog.connect("key-press-event", self._press_key)

    def run(self) -> Gimp.Layer:
        """Show the window until a layer is made; raises StoppedError."""
        self._dialog.show_all()
        self._feather.widget.set_visible(self._target.mask is not None)
        self._set_ready(False)
        self._open()
        while True:
            response = self._dialog.run()
            if response == FINISHED:
                layer = self._insert()
                if layer is not None:
                    return layer
            elif response == Gtk.ResponseType.OK:
                self._apply()
            elif response == RESET:
                self._set_sliders({})
            elif response == AGAIN:
                self._open()
            elif response == LAST:
                self._set_sliders(self._last)
            else:
                unsaved.keep(self._target, self._sliders.strengths())
                raise StoppedError

    def close(self) -> None:
        """Stop what runs and take the window away."""
        self._areas.close()
        self._session.close()
        self._canvas.clear()
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _open(self) -> None:
        self._status.busy(0.0, _("Looking for the Latent-Fu server ..."))
        self._again.hide()
        self._set_ready(False)
        earlier = self._target.earlier
        first = earlier.generator if earlier else self._config.get_property("generator") or ""
        self._session.open(self._generators.name or first, self._opened)

    def _opened(self, catalog: Catalog) -> None:
        earlier = self._target.earlier
        first = earlier.method if earlier else self._config.get_property("inverter") or ""
        self._generators.show(title_networks(catalog.generators), catalog.generator)
        self._resolutions = {one["name"]: one["resolution"] for one in catalog.generators}
        method = self._inverters.name or first
        self._inverters.offer(catalog.inverters, self._generators.name, method)
        kept = self._sliders.strengths() or self._wanted
        self._sliders.show([*catalog.controls, *catalog.valued])
        self._sliders.set_all(kept)
        self._presets.fill()
        self._look()
        self._sliders.focus()

    def _look(self) -> None:
        """Find the faces, unless it is known which one an earlier edit meant."""
        earlier = self._target.earlier
        self._place = {}
        if earlier and self._fitting_latent():
            self._place = {"corners": earlier.quad}
            self._prepare()
            return
        if earlier and earlier.face:
            self._place = {"face": earlier.face}
        self._start_learning(_("Looking for the face ..."))
        self._session.find_faces(self._work(), self._found, self._found_nothing)

    def _fitting_latent(self) -> bytes:
        """The inversion that came with an earlier result, if network and method are still its."""
        earlier = self._target.earlier
        same = earlier and (earlier.generator, earlier.method, earlier.options) == (
            self._generators.name,
            self._inverters.name,
            self._inverters.options.values,
        )
        return self._target.latent if same else b""

    def _found(self, faces: jobs.Faces) -> None:
        self._preview.set_faces(faces.quads, faces.chosen)
        if len(faces.quads) > 1:
            self._place = {"face": faces.chosen}
            self._note = self._note or faces.sentence
        self._prepare()

    def _found_nothing(self) -> None:
        placed = jobs.place_in_selection(self._work())
        if self._target.mask is None:
            self._failed(jobs.NOTHING_FOUND)
            return
        self._place = {"corners": placed.extra["corners"]}
        self._preview.set_faces([placed.extra["corners"]], 1)
        self._note = NO_FACE
        self._prepare()

    def _choose_face(self, number: int) -> None:
        if not self._applying:
            self._preview.set_faces(self._preview.faces, number)
            self._place = {"face": number}
            self._prepare()

    def _start_learning(self, sentence: str) -> None:
        self._set_ready(True)
        self._preview.forget_after()
        self._areas.forget()
        self._learnt, self._warning = False, ""
        self._status.busy(0.0, sentence)

    def _prepare(self) -> None:
        self._start_learning(_("Learning the portrait; sliders can be moved meanwhile ..."))
        self._session.prepare(self._work(), self._prepared)

    def _prepared(self, report: Document) -> None:
        self._learnt = True
        self._preview.set_quad(report.get("quad") or [])
        self._warning = jobs.tell_fit(report)
        self._inverters.note_time(report)
        self._show_ready()
        self._ask_preview()

    def _moved(self) -> None:
        if not self._applying:
            self._preview.show_edit()
            self._set_ready(True)
            if self._status.holds_error:
                self._show_ready()
            self._ask_preview()

    def _set_sliders(self, edits: Edits) -> None:
        self._sliders.set_all(edits)
        self._moved()

    def _read_sliders(self) -> tuple[str, Edits]:
        return self._generators.name, self._sliders.strengths()

    def _take_preset(self, preset: SliderPreset) -> None:
        """Move the sliders as a preset says; what this network has not is said."""
        missing = sorted(set(preset.edits) - set(self._sliders.rows))
        self._set_sliders(preset.edits)
        if missing:
            self._warn(
                _("This network has no {names}: the rest was taken.").format(
                    names=", ".join(missing[:3])
                )
            )

    def _placed_work(self) -> jobs.Work | None:
        return self._work() if self._learnt and not self._applying else None

    def _tell_area(self, sentence: str) -> None:
        if self._applying or self._status.holds_error:
            return
        if sentence:
            self._status.idle(sentence)
        else:
            self._show_ready()

    def _warn(self, sentence: str) -> None:
        self._note = sentence
        self._status.warn(sentence)

    def _ask_preview(self) -> None:
        if self._learnt and not self._applying:
            work, side = self._work(), self._preview.side
            quick = self._resolutions.get(work.generator, 0) > ALWAYS_EXACT
            self._session.preview(work, side, self._previewed, quick)

    def _previewed(self, picture: Picture) -> None:
        if not self._applying:
            self._preview.show_after(picture)
            self._canvas.show(picture, self._preview.chosen_face, bool(self._sliders.strengths()))
            if self._again.get_visible() or not self._status.holds_error:
                self._show_ready()  # What Apply refused stays to be read when a preview is late.
            self._again.hide()

    def _show_ready(self) -> None:
        """What the network cannot show of this layer, else what to do next."""
        if self._applying:
            return
        if self._warning:
            self._status.warn(f"{self._note} {self._warning}".strip())
        else:
            self._status.idle(self._note or READY)

    def _look_again(self) -> bool:
        """The window gets the focus: the layer may have been worked on meanwhile."""
        if not self._applying and self._generators.name and looks_changed(self._target):
            self._read_again()
        return False

    def _read_again(self) -> None:
        """Take the layer as it is now and learn it."""
        try:
            again = refresh(self._target)
        except PluginError as error:
            self._status.error(str(error))
            return
        if again is not None:
            self._take(again)
            self._look()

    def _take(self, again: Target) -> None:
        self._target = again
        self._canvas.take(again)
        self._note = f"{CHANGED} {again.note}".strip()
        self._place = {"face": self._place["face"]} if "face" in self._place else {}
        self._preview.set_picture(again.picture)
        self._feather.widget.set_visible(again.mask is not None)

    def _apply(self) -> None:
        if self._applying:
            return
        try:
            again = refresh(self._target)
        except PluginError as error:
            self._status.error(str(error))
            return
        paint = questions.ask_about_painting(self._dialog, again or self._target)
        if paint is None:
            return
        if again is not None:  # What was done to the layer meanwhile is part of it.
            self._take(again)
        self._applying, self._paint, self._applied = True, paint, self._work()
        keep_arguments(self._config, self._applied, self._form.name)
        self._set_ready(False)
        self._status.busy(0.0, _("Editing the layer ..."))
        works = [replace(self._applied, apart=comes_apart(self._target, self._form.name))]
        earlier = self._target.earlier
        if earlier and (paint is questions.Paint.KEEP or is_mask_painted(self._target)):
            try:  # What it was without the paint.
                works.append(self._reader.give(redo_earlier(works[0], earlier)))
            except PluginError as error:
                self._failed(str(error))
                return
        self._session.finish(works, self._finished)

    def _finished(self, results: list[jobs.Result]) -> None:
        self._results = results
        self._dialog.response(FINISHED)

    def _insert(self) -> Gimp.Layer | None:
        """The new layer; None when the window has to stay."""
        self._canvas.clear()
        target, work, result = self._target, self._applied, self._results[0]
        redone = self._results[1] if len(self._results) > 1 else None
        unpainted = redone if self._paint is questions.Paint.KEEP else None
        try:
            if looks_changed(target):
                self._applying = False
                self._read_again()
                return None
            if unpainted and not is_painted_apart(target, unpainted):
                raise PluginError(questions.NOT_APART)
            beside, form = self._paint is questions.Paint.BESIDE, self._form.name
            placing = Placing(beside, unpainted, form, redone.mask if redone else None)
            kept = remembered(target, work, result, form=form)
            layer = insert_result(target, result, layer_name(work.edits), kept, placing)
        except PluginError as error:
            self._failed(str(error))
            return None
        unsaved.forget(target)
        keep_past_edit(work.generator, work.edits)
        return layer

    def _failed(self, sentence: str) -> None:
        self._applying = False
        self._set_ready(True)
        self._again.show()
        self._status.error(sentence)

    def _set_ready(self, ready: bool) -> None:
        ready = ready and not self._applying
        self._right.set_sensitive(ready)
        for button in self._buttons:
            button.set_sensitive(ready)
        some = bool(self._sliders.strengths())
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, ready and some)

    def _press_key(self, _dialog: Gtk.Widget, event: Any) -> bool:
        """Ctrl+F goes to the search."""
        if event.keyval == ord("f") and event.state & CONTROL:
            self._sliders.search.grab_focus()
            return True
        return False

    def _work(self) -> jobs.Work:
        work = jobs.Work(
            self._target.picture,
            self._target.mask,
            self._generators.name,
            self._inverters.name,
            self._sliders.strengths(),
            self._feather.value,
            latent=self._fitting_latent() if "corners" in self._place else b"",
            deep=self._target.deep,
            options=self._inverters.options.values,
            extra={**self._place, "regions": read_regions(self._regions.name)},
        )
        return self._reader.give(work)


CONTROL = 4
"""Gdk.ModifierType.CONTROL_MASK."""

"""The window of ``Edit several layers...``: which layers, one set of sliders for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import (
    AS_LAYER,
    AUTO,
    Edits,
    format_edits,
    read_common_arguments,
    read_regions,
    recall_edits,
)
from .choices import FORMS, list_areas, title_networks
from .errors import PluginError, StoppedError
from .exemplars import PictureReader
from .layer_batch import OF_IMAGE, SELECTED, WHICH, LayerBatch, list_drawables
from .layers import Target, check_layer, plain_target
from .method_choice import MethodChoice
from .past_edits import keep_past_edit
from .pixels import read_layer
from .preset_menu import PresetMenu
from .presets import SliderPreset
from .preview import PreviewPane
from .remember import keep_arguments
from .session import Catalog, Document, Session, Watcher
from .sliders import Sliders
from .translate import _, ngettext
from .value_rows import Surroundings
from .widgets import Choice, StatusLine, feather_row, lay_out, new_dialog, on_main
from .window_size import keep_size, restore_size
from .wire import Picture

ROLE = "latentfu-several"
DONE, LAST = 1, 2
EMPTY = Picture(1, 1, 3, bytes(3))


def edit_several_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> LayerBatch:
    """Let the user edit; what was done, or StoppedError when nothing was."""
    with closing(SeveralDialog(image, drawables, config)) as dialog:
        return dialog.run()


class SeveralDialog:
    """The preview shows one of the layers, which the user chooses."""

    def __init__(
        self, image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
    ) -> None:
        self._image, self._selected, self._config = image, drawables, config
        self._drawables: list[Gimp.Drawable] = []
        self._target: Target | None = None
        self._place: dict[str, Any] = {}
        self._batch: LayerBatch | None = None
        self._number = 0
        self._opened_once = self._learnt = False
        self._last = recall_edits(config.get_property("edits"))
        self._common = read_common_arguments(config)
        self._dialog = new_dialog(_("Edit several layers"), ROLE)
        restore_size(self._dialog, ROLE, 1040, 690)
        self._status = StatusLine(with_report=True)
        self._session = Session(on_main, Watcher(self._report, self._failed))
        self._preview = PreviewPane(EMPTY, self._ask_preview)
        self._reader = PictureReader(image)
        self._sliders = Sliders(self._moved, Surroundings(self._reader, None, self._status.warn))
        self._presets = PresetMenu(
            self._read_sliders, self._take_preset, lambda: self._sliders.limits, self._status.warn
        )
        self._sliders.add_beside_search(self._presets.widget)
        self._right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._add_rows(config)
        lay_out(self._dialog, [self._preview.widget, self._right], self._status)

    def _first_choice(self, config: Gimp.ProcedureConfig) -> str:
        """What was meant the last time, or with a single layer selected all of the image."""
        which = str(config.get_property("which") or SELECTED)
        return OF_IMAGE if which == SELECTED and len(self._selected) < 2 else which

    def _add_rows(self, config: Gimp.ProcedureConfig) -> None:
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._which = Choice(_("_On"), names, self._list_layers)
        self._which.show(WHICH, self._first_choice(config))
        self._shown = Choice(_("Pre_view of"), names, self._look)
        self._generators = Choice(_("_Network"), names, self._open)
        self._inverters = MethodChoice(_("_Method"), names, self._look, self._status.warn)
        self._regions = Choice(_("_Where"), names, self._moved)
        regions = config.get_property("regions") or AUTO
        self._regions.show(list_areas(regions), regions)
        self._form = Choice(_("Res_ult"), names, lambda: None)
        self._form.show(FORMS, config.get_property("as") or AS_LAYER)
        self._feather = feather_row(self._common["feather"], 2000, self._moved)
        self._inverters.options.set(self._common["options"])
        for widget in (
            self._which.widget, self._shown.widget, self._generators.widget, self._inverters.rows,
            self._regions.widget,
        ):  # fmt: skip
            self._right.pack_start(widget, False, False, 0)
        self._right.pack_start(self._sliders.widget, True, True, 0)
        self._right.pack_start(self._feather.widget, False, False, 0)
        self._right.pack_start(self._form.widget, False, False, 0)
        if self._last:
            button = self._dialog.add_button(_("_Last values"), LAST)
            button.set_tooltip_text(format_edits(self._last))
            button.get_parent().set_child_secondary(button, True)

    def run(self) -> LayerBatch:
        """Show the window until it is done; raises StoppedError when nothing was edited."""
        self._dialog.show_all()
        self._list_layers()
        self._open()
        while True:
            response = self._dialog.run()
            if response == LAST:
                self._sliders.set_all(self._last)
                self._moved()
            elif response == Gtk.ResponseType.OK:
                self._apply()
            else:
                return self._end(response == DONE)

    def close(self) -> None:
        """Stop what runs and take the window away; what was finished stays."""
        self._session.close()
        if self._batch:
            self._batch.end()
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _end(self, finished: bool) -> LayerBatch:
        """What was done, with a word on each layer that was left out."""
        batch = self._batch
        if batch is None:
            raise StoppedError
        self._session.close()
        batch.end()
        if finished and batch.skipped:
            _show_text(self._dialog, batch.tell())
        if not batch.edited:
            raise StoppedError
        return batch

    def _list_layers(self) -> None:
        """Other layers are meant: show the first of them that can be edited."""
        try:
            self._drawables = list_drawables(self._image, self._selected, self._which.name)
        except PluginError as error:
            self._drawables = []
            self._status.error(str(error))
        listed = [one for one in self._drawables if _is_editable(one)]
        named = [{"name": str(one.get_id()), "title": _title(one, self._image)} for one in listed]
        self._shown.show(named, self._shown.name)
        self._look()

    def _open(self) -> None:
        self._status.busy(0.0, _("Looking for the Latent-Fu server ..."))
        self._session.open(self._generators.name or self._common["generator"], self._opened)

    def _opened(self, catalog: Catalog) -> None:
        kept = self._sliders.strengths()
        self._generators.show(title_networks(catalog.generators), catalog.generator)
        method = self._inverters.name or self._common["inverter"]
        self._inverters.offer(catalog.inverters, catalog.generator, method)
        self._sliders.show([*catalog.controls, *catalog.valued])
        self._sliders.set_all(kept)
        self._presets.fill()
        self._opened_once = True
        self._look()
        self._sliders.focus()

    def _look(self) -> None:
        """Read the layer of the preview and learn it."""
        chosen = next((o for o in self._drawables if str(o.get_id()) == self._shown.name), None)
        self._target, self._place, self._learnt = None, {}, False
        self._set_ready()
        if chosen is None:
            self._show_picture(EMPTY)
            return
        try:
            layer = check_layer(chosen)
            self._show_picture(read_layer(layer))
            self._target = plain_target(layer.get_image(), layer)
        except PluginError as error:
            self._status.error(str(error))
            return
        if self._opened_once:
            self._status.busy(0.0, _("Learning the portrait; sliders can be moved meanwhile ..."))
            self._session.prepare(self._work(), self._prepared)

    def _show_picture(self, picture: Picture) -> None:
        self._preview.set_picture(picture)
        self._preview.show_whole()

    def _prepared(self, report: Document) -> None:
        quad = report.get("quad") or []
        self._learnt, self._place = True, {"corners": quad} if quad else {}
        self._preview.set_quad(quad)
        self._show_count(jobs.tell_fit(report))
        self._ask_preview()

    def _show_count(self, warning: str) -> None:
        count = len(self._drawables)
        text = ngettext(
            "Apply edits {count} layer; what cannot be edited is left out.",
            "Apply edits {count} layers; what cannot be edited is left out.",
            count,
        )
        if warning:
            self._status.warn(f"{text.format(count=count)} {warning}")
        else:
            self._status.idle(text.format(count=count))

    def _moved(self) -> None:
        self._set_ready()
        self._preview.show_edit()
        self._ask_preview()

    def _ask_preview(self) -> None:
        if self._learnt and not self._batch:
            self._session.preview(self._work(), self._preview.side, self._preview.show_after)

    def _read_sliders(self) -> tuple[str, Edits]:
        return self._generators.name, self._sliders.strengths()

    def _take_preset(self, preset: SliderPreset) -> None:
        self._sliders.set_all(preset.edits)
        self._moved()

    def _set_ready(self) -> None:
        ready = bool(self._drawables and self._sliders.strengths()) and not self._batch
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, ready)

    def _apply(self) -> None:
        """Begin with the first layer; each result leads to the next."""
        if self._batch:
            return
        plain = jobs.Work(
            EMPTY,
            generator=self._generators.name,
            inverter=self._inverters.name,
            options=self._inverters.options.values,
            edits=self._sliders.strengths(),
            feather=self._feather.value,
            extra={"regions": read_regions(self._regions.name)},
        )
        self._keep(plain)
        keep_past_edit(plain.generator, plain.edits)
        self._session.abandon()
        self._batch, self._number = LayerBatch(self._drawables, plain, self._form.name), 0
        self._right.set_sensitive(False)
        self._set_ready()
        self._edit_next()

    def _edit_next(self) -> None:
        assert self._batch
        while self._number < len(self._batch.drawables):
            self._report(0.0, "")
            started = self._batch.start(self._number)
            if started is not None:
                target, work = started
                self._session.finish([work], partial(self._took, target, work))
                return
            self._number += 1
        self._dialog.response(DONE)

    def _took(self, target: Target, work: jobs.Work, results: list[jobs.Result]) -> None:
        assert self._batch
        self._batch.take(self._number, target, work, results[0])
        self._number += 1
        self._edit_next()

    def _report(self, fraction: float, message: str) -> None:
        if self._batch:
            count = len(self._batch.drawables)
            line = _("{number} of {count}, {layer}").format(
                number=self._number + 1, count=count, layer=self._batch.name(self._number)
            )
            part = (self._number + fraction) / count
            self._status.busy(part, f"{line}: {message}" if message else line)
        elif not self._learnt:
            self._status.busy(fraction, message)

    def _failed(self, sentence: str) -> None:
        """Of one layer among several: the next one; else the window says so."""
        if self._batch:
            self._batch.skip(self._number, sentence)
            self._number += 1
            self._edit_next()
        else:
            self._status.error(sentence)
            self._set_ready()

    def _work(self) -> jobs.Work:
        assert self._target
        work = jobs.Work(
            self._target.picture,
            self._target.mask,
            self._generators.name,
            self._inverters.name,
            self._sliders.strengths(),
            self._feather.value,
            options=self._inverters.options.values,
            extra={**self._place, "regions": read_regions(self._regions.name)},
        )
        return self._reader.give(work)

    def _keep(self, work: jobs.Work) -> None:
        """Into the procedure's arguments, so that repeating the filter repeats this edit."""
        self._config.set_property("which", self._which.name)
        self._config.set_property("preset", "")
        keep_arguments(self._config, work, self._form.name)


def _is_editable(drawable: Gimp.Drawable) -> bool:
    try:
        check_layer(drawable)
    except PluginError:
        return False
    return True


def _title(drawable: Gimp.Drawable, home: Gimp.Image) -> str:
    image, name = drawable.get_image(), str(drawable.get_name())
    return name if image == home else f"{name} ({image.get_name()})"


def _show_text(parent: Gtk.Window, text: str) -> None:
    """What came of it, to be read and closed."""
    first, _line, rest = text.partition("\n")
    dialog = Gtk.MessageDialog(
        transient_for=parent,
        modal=True,
        message_type=Gtk.MessageType.INFO,
        text=first,
        secondary_text=rest,
    )
    dialog.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
    dialog.run()
    dialog.destroy()

"""Several layers: the same edit on the selected layers, on all of an image, on all open images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gi.repository import Gimp, GObject

from .. import finder, jobs
from ..arguments import AS_LAYER, AUTO, parse_edits, read_common_arguments, read_regions
from ..client import ServerClient
from ..errors import PluginError, ServerGoneError, StoppedError
from ..layer_batch import SELECTED, WHICH, LayerBatch, list_drawables
from ..presets import find_preset
from ..results import tell_in_console
from ..translate import _
from ..wire import Picture
from .common import (
    EDITS,
    READWRITE,
    add_choice_argument,
    add_common_arguments,
    add_form_argument,
    add_regions_argument,
    report_progress,
    report_step,
    run_guarded,
)

NAME = "latentfu-several"
ICON = "gimp-layers"
_TEXTS = (
    _("Edit se_veral layers..."),
    _("The same edit on the selected layers, on all layers of the image, or on all open images"),
    _(
        "What cannot be edited (a group, a text, a layer without a face) is left out and named in "
        "the end. One step of undo for each image. The selection of each image is its mask."
    ),
)


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    procedure = Gimp.ImageProcedure.new(plug_in, NAME, Gimp.PDBProcType.PLUGIN, _run, None)
    procedure.set_image_types("*")
    mask = Gimp.ProcedureSensitivityMask
    procedure.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES | mask.NO_DRAWABLES)
    procedure.set_menu_label(_TEXTS[0])
    procedure.set_documentation(_TEXTS[1], _TEXTS[2], NAME)
    add_choice_argument(procedure, "which", (_("_Which"), _("Which layers are edited")), WHICH)
    add = procedure.add_string_argument
    add("edits", _("_Edits"), EDITS, "", READWRITE)
    add("preset", _("_Preset"), _("Name of a preset, in place of edits"), "", READWRITE)
    add_form_argument(procedure)
    add_regions_argument(procedure)
    add_common_arguments(procedure)
    procedure.add_int_return_value(
        "edited", _("Edited"), _("How many layers were edited"), 0, 1 << 20, 0, READWRITE
    )
    procedure.add_string_return_value(
        "report", _("Report"), _("How many, and a line for each that was left out"), "", READWRITE
    )
    return procedure


def _run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    def body() -> tuple[int, str]:
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from ..several_dialog import edit_several_with_dialog  # Gtk only for a window

            batch = edit_several_with_dialog(image, drawables, config)
        else:
            batch = edit_several(image, drawables, config)
        return batch.edited, batch.tell()

    return run_guarded(procedure, body, GObject.TYPE_INT, GObject.TYPE_STRING)


def edit_several(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> LayerBatch:
    """Edit the layers as the arguments say; raises PluginError when none could be edited."""
    edits = parse_edits(config.get_property("edits") or "")
    preset = config.get_property("preset") or ""
    if preset and not edits:
        edits = find_preset(preset).edits
    if not edits:
        raise PluginError(
            _("There is nothing to change: give edits such as smile=2, or a preset's name.")
        )
    which = config.get_property("which") or SELECTED
    work = jobs.Work(
        Picture(0, 0, 3, b""),
        edits=edits,
        extra={"regions": read_regions(config.get_property("regions") or AUTO)},
        **read_common_arguments(config),
    )
    form = config.get_property("as") or AS_LAYER
    batch = LayerBatch(list_drawables(image, drawables, which), work, form)
    Gimp.progress_init(_("Editing the layers ..."))
    try:
        with finder.connect(report_progress) as client:
            _edit_each(batch, client)
    finally:
        batch.end()  # What was finished stays, however it ends.
        Gimp.progress_end()
    if not batch.edited and batch.skipped:
        raise PluginError(batch.skipped[0][1])
    if batch.skipped or batch.notes:
        tell_in_console(batch.tell())
    return batch


def _edit_each(batch: LayerBatch, client: ServerClient) -> None:
    count = len(batch.drawables)
    for number in range(count):
        report = report_step(number, count, _("{number} of {count}"))
        report(0.0, batch.name(number))
        started = batch.start(number)
        if started is None:
            continue
        target, work = started
        try:
            result = jobs.run_anywhere(client, work, report)
        except (ServerGoneError, StoppedError):
            raise
        except PluginError as error:
            batch.skip(number, str(error))
        else:
            batch.take(number, target, work, result)

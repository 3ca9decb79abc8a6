"""Make a direction: a new slider of what leads from some layers to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gi.repository import Gimp, GObject

from .. import finder, jobs
from ..arguments import read_method_arguments
from ..pair_layers import read_side
from ..pairs import PairWork, keep_direction, measure_pairs, tell_measured
from ..translate import _
from ..wire import Picture
from .common import READWRITE, add_method_arguments, report_progress, run_guarded

NAME = "latentfu-direction"
ICON = "gimp-tool-move"
_TEXTS = (
    _("Make a _direction..."),
    _("A new slider of what leads from the layers before to the layers after"),
    _(
        "Before and after are layer groups with as many layers each, in pairs from the top, or "
        "two layers. The direction is measured, and then put among your own, where Edit portrait "
        "shows it."
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
    for side, label, text in (
        ("before", _("_Before"), _("The group or layer from which it leads")),
        ("after", _("_After"), _("The group or layer to which it leads")),
    ):
        procedure.add_layer_argument(side, label, text, True, READWRITE)
    add = procedure.add_string_argument
    add("name", _("_Name"), _("Name of the direction: my-smile"), "my-direction", READWRITE)
    add("plus", _("More _means"), _("What more of it means, for people"), "", READWRITE)
    add_method_arguments(procedure)
    procedure.add_string_return_value(
        "report", _("Report"), _("What was measured, a line each"), "", READWRITE
    )
    return procedure


def _run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    _drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    def body() -> str:
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from ..direction_dialog import make_with_dialog  # Gtk is loaded only for a window

            return make_with_dialog(image, config)
        return make_direction(config)

    return run_guarded(procedure, body, GObject.TYPE_STRING)


def make_direction(config: Gimp.ProcedureConfig) -> str:
    """Make and keep the direction as the arguments say; what was measured, or PluginError."""
    work = jobs.Work(Picture(0, 0, 3, b""), **read_method_arguments(config))
    asked = PairWork(
        read_side(config.get_property("before")),
        read_side(config.get_property("after")),
        work,
        config.get_property("name") or "",
        config.get_property("plus") or "",
    ).check()
    Gimp.progress_init(_("Making the direction ..."))
    try:
        with finder.connect(report_progress) as client:
            measured = measure_pairs(client, asked, report_progress)
            keep_direction(client, measured)
    finally:
        Gimp.progress_end()
    return tell_measured(measured["told"])

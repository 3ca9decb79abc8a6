"""Make a direction: a new slider of what leads from some layers to others, or of an attribute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gi.repository import Gimp, GObject

from .. import finder, jobs
from ..arguments import parse_options, read_method_arguments
from ..attribute_directions import (
    FEWEST_SAMPLES,
    LARGEST_SEED,
    MOST_SAMPLES,
    SAMPLES,
    AttributeWork,
)
from ..client import ServerClient
from ..direction_ways import FoundDirection, find_by_attribute, find_by_pairs
from ..pair_layers import read_side
from ..pairs import PairWork
from ..translate import _
from ..wire import Picture
from .common import READWRITE, add_method_arguments, report_progress, run_guarded

NAME = "latentfu-direction"
ICON = "gimp-tool-move"
_TEXTS = (
    _("Make a _direction..."),
    _("A new slider of what leads from layers before to layers after, or of an attribute"),
    _(
        "Before and after are layer groups with as many layers each, in pairs from the top, or "
        "two layers. With an attribute instead, pictures of the network are drawn and read, and no "
        "layer is needed. The direction is measured, and then put among your own, where Edit "
        "portrait shows it."
    ),
)


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    procedure = Gimp.ImageProcedure.new(plug_in, NAME, Gimp.PDBProcType.PLUGIN, _run, None)
    procedure.set_image_types("*")
    mask = Gimp.ProcedureSensitivityMask
    procedure.set_sensitivity_mask(
        mask.DRAWABLE | mask.DRAWABLES | mask.NO_DRAWABLES | mask.NO_IMAGE
    )
    procedure.set_menu_label(_TEXTS[0])
    procedure.set_documentation(_TEXTS[1], _TEXTS[2], NAME)
    for side, label, text in (
        ("before", _("_Before"), _("The group or layer from which it leads")),
        ("after", _("_After"), _("The group or layer to which it leads")),
    ):
        procedure.add_layer_argument(side, label, text, True, READWRITE)
    add = procedure.add_string_argument
    add(
        "name",
        _("_Name"),
        _("Name of the direction: my-smile; empty: my- and the attribute"),
        "my-direction",
        READWRITE,
    )
    add("plus", _("More _means"), _("What more of it means, for people"), "", READWRITE)
    add_method_arguments(procedure)
    _add_attribute_arguments(procedure)
    procedure.add_string_return_value(
        "report", _("Report"), _("What was measured, a line each"), "", READWRITE
    )
    return procedure


def _add_attribute_arguments(procedure: Gimp.Procedure) -> None:
    """What a direction of an attribute is made by."""
    add, count = procedure.add_string_argument, procedure.add_int_argument
    add(
        "attribute",
        _("Attri_bute"),
        _("Instead of layers: what more of it shall mean, as a scorer calls it, such as smile"),
        "",
        READWRITE,
    )
    add(
        "maker",
        _("Make_r"),
        _("Of a direction of an attribute: the method, empty for the first"),
        "",
        READWRITE,
    )
    add(
        "maker-options",
        _("Options of the maker"),
        _("Options of the maker, such as clean=2; empty for its own"),
        "",
        READWRITE,
    )
    count(
        "samples",
        _("Pict_ures"),
        _("How many pictures of the network are drawn and read for an attribute"),
        FEWEST_SAMPLES,
        MOST_SAMPLES,
        SAMPLES,
        READWRITE,
    )
    count(
        "seed",
        _("Seed"),
        _("Of these pictures: the same gives the same direction"),
        0,
        LARGEST_SEED,
        0,
        READWRITE,
    )


def _run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image | None,
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
    find = _read_attribute(config) if config.get_property("attribute") else _read_pairs(config)
    Gimp.progress_init(_("Making the direction ..."))
    try:
        with finder.connect(report_progress) as client:
            found = find(client, report_progress)
            found.keep(client, report_progress)
    finally:
        Gimp.progress_end()
    return found.text


Find = Callable[[ServerClient, jobs.Report], FoundDirection]


def _read_pairs(config: Gimp.ProcedureConfig) -> Find:
    """What is asked of the layers; raises PluginError."""
    work = jobs.Work(Picture(0, 0, 3, b""), **read_method_arguments(config))
    asked = PairWork(
        read_side(config.get_property("before")),
        read_side(config.get_property("after")),
        work,
        config.get_property("name") or "",
        config.get_property("plus") or "",
    ).check()
    return lambda client, report: find_by_pairs(client, asked, report)


def _read_attribute(config: Gimp.ProcedureConfig) -> Find:
    """What is asked of an attribute; raises PluginError."""
    read = config.get_property
    asked = AttributeWork(
        read("attribute"),
        read("generator") or "",
        read("maker") or "",
        parse_options(read("maker-options") or ""),
        read("samples"),
        read("seed"),
        read("name") or "",
        read("plus") or "",
    ).check()
    return lambda client, report: find_by_attribute(client, asked, report)

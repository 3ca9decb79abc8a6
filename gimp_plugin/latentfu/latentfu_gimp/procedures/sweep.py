"""Sweep to layers: one control moved step by step, a layer for each step."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp

from .. import finder, jobs
from ..arguments import AUTO, LARGEST_STRENGTH, read_common_arguments, read_regions
from ..frame_layers import FrameLayers
from ..layers import Target, chosen_layer, plain_target
from ..results import show_report
from ..sweeps import AS_GROUP, FEWEST, MOST, QUICKEST, SLOWEST, SWEEP_FORMS, SweepPlan
from ..translate import _
from .common import (
    READWRITE,
    add_choice_argument,
    add_common_arguments,
    add_regions_argument,
    create_image_procedure,
    report_progress,
    report_step,
)

NAME = "latentfu-sweep"
ICON = "gimp-group-layer"
_TEXTS = (
    _("S_weep to layers..."),
    _("Move one control of the portrait in a layer step by step, a layer for each step"),
    _(
        "For GIMP's animation playback, and to choose from. The selection is the mask. One step of "
        "undo. The layers' names hold their pace, such as (100ms), and (replace)."
    ),
)


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    procedure = create_image_procedure(plug_in, NAME, _TEXTS, (sweep_layer, _sweep_with_dialog))
    procedure.add_string_argument(
        "control", _("_Control"), _("Name of what is moved: smile"), "smile", READWRITE
    )
    limit = LARGEST_STRENGTH
    for name, label, text, value in (
        ("from", _("_From"), _("Strength in the first layer"), -2.0),
        ("to", _("_To"), _("Strength in the last layer"), 2.0),
    ):
        procedure.add_double_argument(name, label, text, -limit, limit, value, READWRITE)
    procedure.add_int_argument(
        "count", _("La_yers"), _("How many layers from the first to the last"), FEWEST, MOST, 9,
        READWRITE,
    )  # fmt: skip
    procedure.add_int_argument(
        "milliseconds", _("_Pace"), _("How long each layer is shown, in milliseconds"), QUICKEST,
        SLOWEST, 100, READWRITE,
    )  # fmt: skip
    procedure.add_boolean_argument(
        "back", _("There and _back"), _("Also back to the first"), False, READWRITE
    )
    texts = _("_As"), _("What the layers become")
    add_choice_argument(procedure, "as", texts, SWEEP_FORMS)
    add_regions_argument(procedure)
    add_common_arguments(procedure)
    return procedure


def sweep_layer(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Make the layers as the arguments say; the group or the topmost, or PluginError."""
    target = plain_target(image, chosen_layer(drawables))
    plan = SweepPlan(
        control=config.get_property("control") or "",
        first=config.get_property("from"),
        last=config.get_property("to"),
        count=config.get_property("count"),
        milliseconds=config.get_property("milliseconds"),
        back=config.get_property("back"),
    ).check()
    extra = {"regions": read_regions(config.get_property("regions") or AUTO)}
    work = jobs.Work(
        target.picture, target.mask, deep=target.deep, extra=extra, **read_common_arguments(config)
    )
    return _make_layers(target, work, plan, config.get_property("as") or AS_GROUP)


def _make_layers(target: Target, work: jobs.Work, plan: SweepPlan, form: str) -> Gimp.Layer:
    Gimp.progress_init(_("Sweeping ..."))
    layers = FrameLayers(target, plan, form)
    try:
        with finder.connect(report_progress) as client:
            learnt = jobs.prepare(client, work, report_progress)
            placed = jobs.place_at(work, learnt)
            for step in range(plan.count):
                report = report_step(step, plan.count, _("Layer {number} of {count}"))
                one = placed.with_edits(plan.edits(step))
                layers.add(one, result := jobs.run_work(client, one, report))
        found = layers.insert()
    finally:
        layers.drop()
        Gimp.progress_end()
    show_report(result)
    return found


def _sweep_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    from ..sweep_dialog import sweep_with_dialog  # Gtk is loaded only for a window

    return sweep_with_dialog(image, drawables, config)

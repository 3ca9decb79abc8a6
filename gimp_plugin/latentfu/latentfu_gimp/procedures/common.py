"""What the procedures have in common: arguments, the guard around a run, and work with progress."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gi.repository import Gegl, Gimp, GLib, GObject

from .. import finder, jobs
from ..arguments import AS_LAYER, AUTO, LARGEST_FEATHER
from ..choices import FORMS
from ..errors import PluginError, StoppedError
from ..last_source import keep_source, recall_source
from ..layers import Target, comes_apart
from ..remember import remembered
from ..results import Placing, insert_result, show_report
from ..translate import _

MENU = "<Image>/Filters/Latent-F_u"
"""With a key that no other entry there has; GIMP gives submenus no icons."""
READWRITE = GObject.ParamFlags.READWRITE
FEATHER = _("Width of the soft border between edited and untouched pixels, in pixels of the layer")
EDITS = _(
    "What to change and how much: smile=2 yaw=-1. What is no slider takes a value: lenses=on, "
    'hat="top hat", dye=#ff8000, mole=120,80 in pixels of the layer, a file as like=@/path.png, or '
    'a layer as like="@layer:Its name"'
)
OnImage = Callable[[Gimp.Image, Sequence[Gimp.Drawable], Gimp.ProcedureConfig], Gimp.Layer]


def create_image_procedure(
    plug_in: Gimp.PlugIn,
    name: str,
    texts: tuple[str, str, str],
    actions: tuple[OnImage, OnImage],
) -> Gimp.Procedure:
    """A procedure that makes a new layer from a layer.

    Args:
        plug_in: What GIMP made of this plug-in.
        name: Of the procedure.
        texts: Menu label, one line of help, and more.
        actions: What runs without a window, and what opens one.
    """

    def run(
        procedure: Gimp.Procedure,
        run_mode: Gimp.RunMode,
        image: Gimp.Image,
        drawables: Sequence[Gimp.Drawable],
        config: Gimp.ProcedureConfig,
        _data: Any,
    ) -> Gimp.ValueArray:
        def body() -> Gimp.Layer:
            if run_mode == Gimp.RunMode.WITH_LAST_VALS:
                recall_source(name, config)
            layer = actions[run_mode == Gimp.RunMode.INTERACTIVE](image, drawables, config)
            if run_mode == Gimp.RunMode.INTERACTIVE:
                keep_source(name, config)
            return layer

        return run_guarded(procedure, body, Gimp.Layer)

    procedure = Gimp.ImageProcedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run, None)
    procedure.set_image_types("*")
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    procedure.set_menu_label(texts[0])
    procedure.set_documentation(texts[1], texts[2], name)
    procedure.add_layer_return_value("result", _("Result"), _("The new layer"), True, READWRITE)
    return procedure


def create_plain_procedure(
    plug_in: Gimp.PlugIn, name: str, texts: tuple[str, str, str], run: Callable[..., Any]
) -> Gimp.Procedure:
    """A procedure that needs no image, with its run mode.

    Args:
        plug_in: What GIMP made of this plug-in.
        name: Of the procedure.
        texts: Menu label, one line of help, and more.
        run: What GIMP calls.
    """
    procedure = Gimp.Procedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run, None)
    procedure.set_menu_label(texts[0])
    procedure.set_documentation(texts[1], texts[2], name)
    mode = Gimp.RunMode
    procedure.add_enum_argument(
        "run-mode", _("Run mode"), _("The run mode"), mode, mode.NONINTERACTIVE, READWRITE
    )
    return procedure


def add_method_arguments(procedure: Gimp.Procedure) -> None:
    """The network, and the inversion method with its options."""
    add = procedure.add_string_argument
    add(
        "generator", _("_Generator"), _("Name of the network, empty for the default"), "", READWRITE
    )
    add(
        "inverter",
        _("_Inverter"),
        _("Method, or fast or faithful; empty for the default"),
        "",
        READWRITE,
    )
    add(
        "options",
        _("_Options"),
        _("Options of the method, such as steps=200; empty for its own"),
        "",
        READWRITE,
    )


def add_common_arguments(procedure: Gimp.Procedure) -> None:
    """The network, the inversion method and the soft border."""
    add_method_arguments(procedure)
    procedure.add_double_argument(
        "feather", _("_Feather"), FEATHER, 0.0, LARGEST_FEATHER, 12.0, READWRITE
    )


def add_regions_argument(procedure: Gimp.Procedure) -> None:
    """Where a change may show."""
    procedure.add_string_argument(
        "regions",
        _("_Regions"),
        _(
            "Where the edit may show: auto (in a photograph where its controls act), whole, or "
            "names such as hair skin"
        ),
        AUTO,
        READWRITE,
    )


def add_choice_argument(
    procedure: Gimp.Procedure,
    name: str,
    texts: tuple[str, str],
    things: Sequence[Mapping[str, str]],
) -> None:
    """One of ``things`` (name, title), the first unless another is given; label and help."""
    choice = Gimp.Choice.new()
    for number, thing in enumerate(things):
        choice.add(thing["name"], number, thing["title"], "")
    procedure.add_choice_argument(name, *texts, choice, things[0]["name"], READWRITE)


def add_form_argument(procedure: Gimp.Procedure) -> None:
    """What the result becomes."""
    add_choice_argument(procedure, "as", (_("_As"), _("What the result becomes")), FORMS)


def run_with_progress(work: jobs.Work, message: str) -> jobs.Result:
    """Do the work on the server, GIMP's own progress bar showing how far it is."""
    Gimp.progress_init(message)
    try:
        with finder.connect(report_progress) as client:
            return jobs.run_anywhere(client, work, report_progress)
    finally:
        Gimp.progress_end()


def run_and_insert(
    target: Target,
    work: jobs.Work,
    message: str,
    name: str,
    config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Do the work and put what comes of it into the image under a name; raises PluginError.

    What it becomes, and the other layer of a mix or a transfer, are in the arguments.
    """
    form = config.get_property("as") or AS_LAYER
    source = config.get_property("source") if work.source else None
    work = replace(work, apart=comes_apart(target, form))
    result = run_with_progress(work, message)
    kept = remembered(target, work, result, source, form)
    new = insert_result(target, result, name, kept, Placing(form=form))
    show_report(result)
    return new


def report_progress(fraction: float, message: str) -> None:
    """Show a part (0..1) and a line in GIMP's progress bar."""
    Gimp.progress_update(min(max(fraction, 0.0), 1.0))
    if message:
        Gimp.progress_set_text(message)


def report_step(number: int, count: int, text: str) -> jobs.Report:
    """A report of one of several steps: its part of the bar, and which it is.

    ``text`` has places for ``number``, from 1 on, and ``count``.
    """
    line = text.format(number=number + 1, count=count)

    def report(fraction: float, message: str) -> None:
        report_progress((number + fraction) / count, f"{line}: {message}" if message else line)

    return report


def run_guarded(procedure: Gimp.Procedure, body: Callable[[], Any], *kinds: Any) -> Gimp.ValueArray:
    """Run ``body``; whatever it raises ends as one sentence in front of the user.

    ``kinds``: the type of what it gives, or of each where that is several.
    """
    Gegl.init(None)
    try:
        value = body()
    except StoppedError:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    except PluginError as error:
        return _fail(procedure, str(error))
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        text = _("Latent-Fu met an error it does not know ({error}).").format(
            error=f"{type(error).__name__}: {error}"
        )
        return _fail(procedure, text)
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    for number, (kind, one) in enumerate(
        zip(kinds, value if len(kinds) > 1 else [value], strict=True), 1
    ):
        values.remove(number)
        values.insert(number, GObject.Value(kind, one))
    return values


def _fail(procedure: Gimp.Procedure, sentence: str) -> Gimp.ValueArray:
    status = Gimp.PDBStatusType.EXECUTION_ERROR
    return procedure.new_return_values(status, GLib.Error(sentence))

"""The three procedures: their arguments, menu entries and what they run."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from gi.repository import Gegl, Gimp, GLib, GObject

from .arguments import LARGEST_FEATHER
from .errors import CancelledError, PluginError

MENU = "<Image>/Filters/Latent-Fu"
EDIT, MIX, SERVER = "latentfu-edit", "latentfu-mix", "latentfu-server"
NAMES = (EDIT, MIX, SERVER)
READWRITE = GObject.ParamFlags.READWRITE
FEATHER = "Width of the soft border between edited and untouched pixels, in pixels of the layer"


def create(plug_in: Gimp.PlugIn, name: str) -> Gimp.Procedure | None:
    """The procedure called ``name``."""
    makers = {EDIT: _create_edit, MIX: _create_mix, SERVER: _create_server}
    maker = makers.get(name)
    procedure = maker(plug_in) if maker else None
    if procedure:
        procedure.set_attribution("The Latent-Fu authors", "The Latent-Fu authors", "2026")
        procedure.add_menu_path(MENU)
    return procedure


def _create_edit(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    kind = Gimp.PDBProcType.PLUGIN
    procedure = Gimp.ImageProcedure.new(plug_in, EDIT, kind, _run_on_image, None)
    _describe_image_procedure(
        procedure,
        "_Edit portrait...",
        "Change smile, age, pose and more of the portrait in a layer; on a layer made by this, "
        "go on where you left off",
        "The selection is the mask; the result is a new layer above. On an earlier result the "
        "sliders stand as they did, and the new result takes its place. Talks to the Latent-Fu "
        "server on this machine and starts it when none runs.",
    )
    procedure.add_string_argument(
        "edits", "_Edits", "What to change and how much: smile=2 yaw=-1", "", READWRITE
    )
    _add_common(procedure)
    return procedure


def _create_mix(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    kind = Gimp.PDBProcType.PLUGIN
    procedure = Gimp.ImageProcedure.new(plug_in, MIX, kind, _run_on_image, None)
    _describe_image_procedure(
        procedure,
        "_Mix with layer...",
        "Give the portrait in a layer the features of the portrait in another",
        "The selection is the mask; the result is a new layer above. Early network layers carry "
        "pose and shape, late ones colors and light.",
    )
    procedure.add_layer_argument(
        "source", "_Source", "The layer whose features are taken", True, READWRITE
    )
    procedure.add_string_argument(
        "layers", "_Layers", "First and last network layer taken: 4-7", "4-7", READWRITE
    )
    _add_common(procedure)
    return procedure


def _create_server(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    procedure = Gimp.Procedure.new(plug_in, SERVER, Gimp.PDBProcType.PLUGIN, _run_server, None)
    procedure.set_menu_label("_Server...")
    procedure.set_documentation(
        "See, start or stop the Latent-Fu server on this machine",
        "Returns the server's state as one sentence.",
        SERVER,
    )
    procedure.add_enum_argument(
        "run-mode", "Run mode", "The run mode", Gimp.RunMode, Gimp.RunMode.NONINTERACTIVE, READWRITE
    )
    choice = Gimp.Choice.new()
    for number, action in enumerate(("status", "start", "stop")):
        choice.add(action, number, action.capitalize(), "")
    procedure.add_choice_argument(
        "action", "_Action", "What to do: status, start or stop", choice, "status", READWRITE
    )
    procedure.add_string_return_value("status", "Status", "The state of the server", "", READWRITE)
    return procedure


def _describe_image_procedure(procedure: Gimp.Procedure, label: str, blurb: str, more: str) -> None:
    procedure.set_image_types("*")
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    procedure.set_menu_label(label)
    procedure.set_documentation(blurb, more, procedure.get_name())
    procedure.add_layer_return_value("result", "Result", "The new layer", True, READWRITE)


def _add_common(procedure: Gimp.Procedure) -> None:
    add = procedure.add_string_argument
    add("generator", "_Generator", "Name of the network, empty for the default", "", READWRITE)
    add(
        "inverter",
        "_Inverter",
        "Inversion method, empty for the default",
        "",
        READWRITE,
    )
    procedure.add_double_argument(
        "feather", "_Feather", FEATHER, 0.0, LARGEST_FEATHER, 12.0, READWRITE
    )


def _run_on_image(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    def body() -> Gimp.Layer:
        with_window = run_mode == Gimp.RunMode.INTERACTIVE
        return _action(procedure.get_name(), with_window)(image, drawables, config)

    return _guarded(procedure, body, Gimp.Layer)


def _action(name: str, with_window: bool) -> Callable[..., Gimp.Layer]:
    """What a procedure does with a layer; Gtk is loaded only for a window."""
    if not with_window:
        from . import batch

        return batch.edit if name == EDIT else batch.mix
    if name == EDIT:
        from .edit_dialog import edit_with_dialog

        return edit_with_dialog
    from .mix_dialog import mix_with_dialog

    return mix_with_dialog


def _run_server(
    procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any
) -> Gimp.ValueArray:
    def body() -> str:
        if config.get_property("run-mode") == Gimp.RunMode.INTERACTIVE:
            from .server_dialog import show

            return show()
        from .batch import server

        return server(config.get_property("action"))

    return _guarded(procedure, body, GObject.TYPE_STRING)


def _guarded(procedure: Gimp.Procedure, body: Callable[[], Any], kind: Any) -> Gimp.ValueArray:
    """Run ``body``; whatever it raises ends as one sentence in front of the user."""
    Gegl.init(None)
    try:
        value = body()
    except CancelledError:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    except PluginError as error:
        return _failure(procedure, str(error))
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        text = f"Latent-Fu met an error it does not know ({type(error).__name__}: {error})."
        return _failure(procedure, text)
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    values.remove(1)
    values.insert(1, GObject.Value(kind, value))
    return values


def _failure(procedure: Gimp.Procedure, sentence: str) -> Gimp.ValueArray:
    status = Gimp.PDBStatusType.EXECUTION_ERROR
    return procedure.new_return_values(status, GLib.Error(sentence))

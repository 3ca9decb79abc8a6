"""Server: see, start or stop the program that does the work."""

from __future__ import annotations

from typing import Any

from gi.repository import Gimp, GObject

from .. import finder
from ..server_state import describe_server
from ..translate import _
from .common import READWRITE, create_plain_procedure, report_progress, run_guarded

NAME = "latentfu-server"
ICON = "system-run"


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    texts = (
        _("_Server..."),
        _("See, start or stop the Latent-Fu server on this machine"),
        _("Returns the server's state as one sentence."),
    )
    procedure = create_plain_procedure(plug_in, NAME, texts, _run)
    choice = Gimp.Choice.new()
    titles = {
        "status": _("Status"), "start": _("Start"), "stop": _("Stop"), "restart": _("Restart"),
    }  # fmt: skip
    for number, (action, title) in enumerate(titles.items()):
        choice.add(action, number, title, "")
    procedure.add_choice_argument(
        "action",
        _("_Action"),
        _("What to do: status, start, stop or restart"),
        choice,
        "status",
        READWRITE,
    )
    procedure.add_string_return_value(
        "status", _("Status"), _("The state of the server"), "", READWRITE
    )
    return procedure


def _run(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any) -> Gimp.ValueArray:
    def body() -> str:
        if config.get_property("run-mode") == Gimp.RunMode.INTERACTIVE:
            from ..server_dialog import show

            return show()
        return control_server(config.get_property("action"))

    return run_guarded(procedure, body, GObject.TYPE_STRING)


def control_server(action: str) -> str:
    """See, start or stop the server; one sentence on its state."""
    if action == "start":
        Gimp.progress_init(_("Starting the Latent-Fu server ..."))
        finder.connect(report_progress).close()
        Gimp.progress_end()
    elif action == "stop":
        finder.stop()
    elif action == "restart":
        finder.restart()
    return describe_server()

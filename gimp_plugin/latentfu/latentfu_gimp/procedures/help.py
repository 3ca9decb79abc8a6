"""Help: the page on this plug-in, in the user's browser."""

from __future__ import annotations

from typing import Any

from gi.repository import Gimp, GObject

from ..help import PAGE, open_help
from ..translate import _
from .common import READWRITE, create_plain_procedure, run_guarded

NAME = "latentfu-help"
ICON = "gimp-prefs-help-system"


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    texts = (
        _("_Help"),
        _("How to edit portraits with Latent-Fu"),
        _("Opens the page."),
    )
    procedure = create_plain_procedure(plug_in, NAME, texts, _run)
    procedure.add_string_return_value("page", _("Page"), _("Where the page lies"), "", READWRITE)
    return procedure


def _run(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any) -> Gimp.ValueArray:
    def body() -> str:
        if config.get_property("run-mode") == Gimp.RunMode.INTERACTIVE:
            open_help()
        return str(PAGE)

    return run_guarded(procedure, body, GObject.TYPE_STRING)

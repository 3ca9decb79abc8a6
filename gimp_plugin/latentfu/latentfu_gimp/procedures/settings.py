"""Settings of plug-ins: what can be chosen about what is installed."""

from __future__ import annotations

from typing import Any

from gi.repository import Gimp, GObject

from ..plugin_settings import change_setting, describe_settings
from ..translate import _
from .common import READWRITE, create_plain_procedure, run_guarded

NAME = "latentfu-settings"
ICON = "preferences-system"


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    texts = (
        _("Settin_gs of plug-ins..."),
        _("Choose what the installed plug-ins of Latent-Fu can be told"),
        _("Returns a line for each setting, secrets left out."),
    )
    procedure = create_plain_procedure(plug_in, NAME, texts, _run)
    add = procedure.add_string_argument
    add("plug-in", _("_Plug-in"), _("Whose setting to change, empty for none"), "", READWRITE)
    add("name", _("_Name"), _("Name of the setting"), "", READWRITE)
    add("value", _("_Value"), _("What it shall be, empty for its default"), "", READWRITE)
    procedure.add_string_return_value(
        "settings", _("Settings"), _("The settings as they are"), "", READWRITE
    )
    return procedure


def _run(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any) -> Gimp.ValueArray:
    def body() -> str:
        if config.get_property("run-mode") == Gimp.RunMode.INTERACTIVE:
            from ..settings_dialog import show_settings

            show_settings()
        elif config.get_property("plug-in"):
            given = (config.get_property(name) or "" for name in ("plug-in", "name", "value"))
            change_setting(*given)
        return describe_settings()

    return run_guarded(procedure, body, GObject.TYPE_STRING)

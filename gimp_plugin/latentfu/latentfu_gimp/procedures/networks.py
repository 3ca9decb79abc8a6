"""Networks: listed, installed, removed, chosen; plug-ins switched on and off."""

from __future__ import annotations

from typing import Any

from gi.repository import Gimp, GObject

from .. import networks_state
from ..errors import PluginError
from ..translate import _
from .common import READWRITE, create_plain_procedure, report_progress, run_guarded

NAME = "latentfu-networks"
ICON = "document-save"
_ACTIONS = ("list", "install", "remove", "default", "plug-in-on", "plug-in-off")


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    texts = (
        _("_Networks..."),
        _("Install, remove and choose networks, and switch plug-ins"),
        _(
            "Returns what is there now in words. An installation that is cancelled goes on where "
            "it was when it is asked for again."
        ),
    )
    procedure = create_plain_procedure(plug_in, NAME, texts, _run)
    choice = Gimp.Choice.new()
    for number, action in enumerate(_ACTIONS):
        choice.add(action, number, action, "")
    procedure.add_choice_argument(
        "action",
        _("_Action"),
        _("What to do: list, install, remove, default, plug-in-on or plug-in-off"),
        choice,
        "list",
        READWRITE,
    )
    procedure.add_string_argument(
        "name", _("_Name"), _("Of the network or plug-in, as the list has it"), "", READWRITE
    )
    procedure.add_boolean_argument(
        "agreed",
        _("A_greed"),
        _("Whether you agree to the terms of what is installed"),
        False,
        READWRITE,
    )
    procedure.add_string_return_value("status", _("Status"), _("What is there now"), "", READWRITE)
    return procedure


def _run(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any) -> Gimp.ValueArray:
    def body() -> str:
        if config.get_property("run-mode") == Gimp.RunMode.INTERACTIVE:
            from ..networks_dialog import show_networks

            return show_networks()
        name = (config.get_property("name") or "").strip()
        return manage_networks(
            config.get_property("action"), name, bool(config.get_property("agreed"))
        )

    return run_guarded(procedure, body, GObject.TYPE_STRING)


def manage_networks(action: str, name: str, agreed: bool) -> str:
    """Do one of the actions; a sentence, of the list a line for each network."""
    if action == "list":
        return networks_state.describe_all(networks_state.read_networks())
    if not name:
        raise PluginError(_("Give the name of a network or a plug-in, as the list has it."))
    if action == "install":
        Gimp.progress_init(_("Installing {name} ...").format(name=name))
        try:
            return networks_state.install_and_wait(name, agreed, report_progress)
        finally:
            Gimp.progress_end()
    if action == "remove":
        return networks_state.take_away_network(name)
    if action == "default":
        return networks_state.choose_default(name)
    return networks_state.use_plugin(name, action == "plug-in-on")

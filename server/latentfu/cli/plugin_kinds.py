"""Packages to start from, one for each kind of plug-in: ``latentfu plugins new NAME --kind KIND``.

In the templates ``$name`` is the plug-in's name, ``$module`` its import name.
"""

from __future__ import annotations

from latentfu.cli import templates_of_controls as controls
from latentfu.cli import templates_of_methods as methods
from latentfu.cli import templates_of_networks as networks

KINDS: dict[str, tuple[str, str]] = {
    "generator": networks.GENERATOR,
    "format": networks.FORMAT,
    "inverter": methods.INVERTER,
    "encoder": networks.ENCODER,
    "aligner": methods.ALIGNER,
    "loss": methods.LOSS,
    "scorer": networks.SCORER,
    "identity": networks.IDENTITY,
    "deformation": controls.DEFORMATION,
    "choice": controls.CHOICE,
    "maker": methods.MAKER,
    "command": methods.COMMAND,
}
"""Module and test of each kind; "direction" and packs are in plugin_templates."""

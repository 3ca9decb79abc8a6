"""Moves of sliders that were not applied: kept on the layer until GIMP is closed."""

from __future__ import annotations

from gi.repository import Gimp

from .arguments import Edits, format_edits, parse_edits
from .errors import PluginError
from .layers import Target
from .state import UNSAVED_NAME
from .translate import _

NOTE = _("These moves were not applied last time; Reset takes them back.")


def read_unsaved(layer: Gimp.Layer) -> Edits:
    """What was left on ``layer``, empty when nothing was."""
    parasite = layer.get_parasite(UNSAVED_NAME)
    try:
        return parse_edits(bytes(parasite.get_data()).decode("ascii")) if parasite else {}
    except (PluginError, ValueError):
        return {}


def keep(target: Target, edits: Edits) -> None:
    """Leave ``edits`` on the layer; neither saved with it nor a step of undo."""
    if not target.layer.is_valid() or target.earlier:
        return
    forget(target)
    if edits:
        data = format_edits(edits).encode("ascii", "ignore")
        target.layer.attach_parasite(Gimp.Parasite.new(UNSAVED_NAME, 0, data))


def forget(target: Target) -> None:
    """Take away what was left."""
    if target.layer.is_valid() and target.layer.get_parasite(UNSAVED_NAME):
        target.layer.detach_parasite(UNSAVED_NAME)

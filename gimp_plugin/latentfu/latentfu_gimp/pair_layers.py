"""Which layers stand before and after: a group with several, or a layer."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp

from .errors import PluginError
from .layers import check_layer, has_own_pixels
from .pixels import read_layer
from .source_choice import flatten_layers
from .translate import _
from .wire import Picture


def list_sides(layers: Sequence[Gimp.Layer]) -> list[Gimp.Layer]:
    """What can stand before or after: groups first, then layers with pixels."""
    groups = [layer for layer in layers if layer.is_group()]
    plain = [one for one in flatten_layers(layers) if has_own_pixels(one)]
    return [*groups, *plain]


def read_side(side: Gimp.Layer | None) -> list[tuple[str, Picture]]:
    """The names and pixels of a group's layers from the top, or of the one layer.

    Raises PluginError when there is none, or one has no pixels of its own.
    """
    if side is None or not side.is_valid():
        raise PluginError(_("A side is missing: give a layer or a group before, and one after."))
    found = list(flatten_layers([side]))
    if not found:
        text = _("The group {name} is empty: put the layers into it.")
        raise PluginError(text.format(name=side.get_name()))
    return [(one.get_name(), read_layer(check_layer(one))) for one in found]

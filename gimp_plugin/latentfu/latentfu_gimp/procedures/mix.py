"""Mix with layer: the hair of another layer's portrait, or its features in network layers."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp

from .. import jobs
from ..arguments import FIRST_LAYERS, parse_layers, read_common_arguments, read_mixed_regions
from ..errors import PluginError
from ..layers import check_layer, chosen_layer, plain_target
from ..pixels import read_layer
from ..remember import name_taken
from ..translate import _
from .common import (
    READWRITE,
    add_common_arguments,
    add_form_argument,
    create_image_procedure,
    run_and_insert,
)

NAME = "latentfu-mix"
ICON = "gimp-duplicate"
_TEXTS = (
    _("_Mix with layer..."),
    _("Give the portrait in a layer the features of the portrait in another"),
    _(
        "The selection is the mask; the result is a new layer above. Regions such as the hair are "
        "taken as the other layer shows them; of network layers early ones carry pose and shape, "
        "late ones colors and light."
    ),
)


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    procedure = create_image_procedure(plug_in, NAME, _TEXTS, (mix_layers, _mix_with_dialog))
    procedure.add_layer_argument(
        "source", _("_Source"), _("The layer whose features are taken"), True, READWRITE
    )
    procedure.add_string_argument(
        "layers",
        _("_Layers"),
        _("First and last network layer taken: 4-7"),
        FIRST_LAYERS,
        READWRITE,
    )
    procedure.add_string_argument(
        "regions",
        _("_Regions"),
        _("Instead of network layers: names of what is taken, such as hair"),
        "",
        READWRITE,
    )
    add_form_argument(procedure)
    add_common_arguments(procedure)
    return procedure


def mix_layers(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Mix the layer with another; the new layer, or PluginError."""
    layer = chosen_layer(drawables)
    source = config.get_property("source")
    if source is None:
        raise PluginError(_("No second layer is given: choose the one whose features to take."))
    layers = parse_layers(config.get_property("layers") or "")
    regions = read_mixed_regions(config.get_property("regions") or "")
    target = plain_target(image, layer)
    work = jobs.Work(
        target.picture,
        target.mask,
        source=read_layer(check_layer(source)),
        layers=layers,
        extra={"regions": regions} if regions else {},
        deep=target.deep,
        **read_common_arguments(config),
    )
    name = name_taken(source.get_name(), work)
    return run_and_insert(target, work, _("Mixing the portraits ..."), name, config)


def _mix_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    from ..mix_dialog import mix_with_dialog  # Gtk is loaded only for a window

    return mix_with_dialog(image, drawables, config)

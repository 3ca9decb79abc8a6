"""Make it like another layer: the portrait moved to where another one stands along directions."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp

from .. import jobs
from ..arguments import (
    AUTO,
    LARGEST_SCALE,
    read_common_arguments,
    read_names,
    read_regions,
)
from ..errors import PluginError
from ..layers import check_layer, chosen_layer, plain_target
from ..pixels import read_layer
from ..remember import name_taken
from ..translate import _
from .common import (
    READWRITE,
    add_common_arguments,
    add_form_argument,
    add_regions_argument,
    create_image_procedure,
    run_and_insert,
)

NAME = "latentfu-transfer"
ICON = "gimp-linked"
_TEXTS = (
    _("Make it _like another layer..."),
    _("Give the portrait in a layer as much of a smile, age or pose as another portrait has"),
    _(
        "The selection is the mask; the result is a new layer above. What is named is measured in "
        "both portraits, and the layer is moved to where the other stands. Edit portrait opens "
        "the result with its sliders where this has moved them."
    ),
)


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    actions = (transfer_layer, _transfer_with_dialog)
    procedure = create_image_procedure(plug_in, NAME, _TEXTS, actions)
    procedure.add_layer_argument(
        "source", _("_Source"), _("The layer with the portrait to be like"), True, READWRITE
    )
    procedure.add_string_argument(
        "along", _("_Along"), _("Names of what is moved: smile yaw"), "smile", READWRITE
    )
    procedure.add_double_argument(
        "scale",
        _("S_cale"),
        _("How far of the way: 1 is where the other portrait stands, 2 as far again"),
        -LARGEST_SCALE,
        LARGEST_SCALE,
        1.0,
        READWRITE,
    )
    add_form_argument(procedure)
    add_regions_argument(procedure)
    add_common_arguments(procedure)
    return procedure


def transfer_layer(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Move the layer as the arguments say; the new layer, or PluginError."""
    layer = chosen_layer(drawables)
    source = config.get_property("source")
    if source is None:
        raise PluginError(_("No second layer is given: choose the one to be like."))
    along = read_names(config.get_property("along") or "")
    target = plain_target(image, layer)
    work = jobs.Work(
        target.picture,
        target.mask,
        source=read_layer(check_layer(source)),
        along=along,
        scale=config.get_property("scale"),
        deep=target.deep,
        extra={"regions": read_regions(config.get_property("regions") or AUTO)},
        **read_common_arguments(config),
    )
    name = name_taken(source.get_name(), work)
    return run_and_insert(target, work, _("Moving the portrait ..."), name, config)


def _transfer_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    from ..transfer_dialog import transfer_with_dialog  # Gtk is loaded only for a window

    return transfer_with_dialog(image, drawables, config)

"""Edit portrait: controls moved in a layer. All HTTP first, then the image is touched."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp

from .. import jobs
from ..arguments import (
    layer_name,
    parse_edits,
    read_common_arguments,
    read_regions,
)
from ..errors import PluginError
from ..exemplars import PictureReader
from ..layers import chosen_layer, plain_target
from ..translate import _
from .common import (
    EDITS,
    READWRITE,
    add_common_arguments,
    add_form_argument,
    add_regions_argument,
    create_image_procedure,
    run_and_insert,
)

NAME = "latentfu-edit"
ICON = "gimp-portrait"
_TEXTS = (
    _("_Edit portrait..."),
    _(
        "Change smile, age, pose and more of the portrait in a layer; on a layer made by this, "
        "go on where you left off"
    ),
    _(
        "The selection is the mask; the result is a new layer above. On an earlier result the "
        "sliders stand as they did, and the new result takes its place. Talks to the Latent-Fu "
        "server on this machine and starts it when none runs."
    ),
)


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    actions = (edit_layer, _edit_with_dialog)
    procedure = create_image_procedure(plug_in, NAME, _TEXTS, actions)
    procedure.add_string_argument("edits", _("_Edits"), EDITS, "", READWRITE)
    add_regions_argument(procedure)
    add_form_argument(procedure)
    add_common_arguments(procedure)
    return procedure


def edit_layer(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Edit the layer as the arguments say; the new layer, or PluginError."""
    layer = chosen_layer(drawables)
    edits = parse_edits(config.get_property("edits") or "")
    if not edits:
        raise PluginError(_("There is nothing to change: give edits such as smile=2 yaw=-1."))
    target = plain_target(image, layer)
    work = jobs.Work(
        target.picture,
        target.mask,
        edits=edits,
        deep=target.deep,
        extra={"regions": read_regions(config.get_property("regions") or "")},
        **read_common_arguments(config),
    )
    work = PictureReader(image).give(work)
    return run_and_insert(target, work, _("Editing the portrait ..."), layer_name(edits), config)


def _edit_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    from ..edit_dialog import edit_with_dialog  # Gtk is loaded only for a window

    return edit_with_dialog(image, drawables, config)

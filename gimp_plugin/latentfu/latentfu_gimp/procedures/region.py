"""Region to layer mask: hair, skin, mouth of the portrait in a layer as its mask or a selection."""

from __future__ import annotations

from collections.abc import Sequence

from gi.repository import Gimp

from .. import finder, jobs
from ..arguments import read_regions
from ..errors import PluginError
from ..layers import chosen_layer, plain_target
from ..region_masks import GOALS, check_free, put_mask
from ..translate import _
from .common import READWRITE, add_choice_argument, create_image_procedure, report_progress

NAME = "latentfu-region"
ICON = "gimp-layer-mask"
_TEXTS = (
    _("_Region to layer mask..."),
    _("Find hair, skin, mouth and more of the portrait in a layer, as its mask or as a selection"),
    _(
        "Soft at its edges. What is selected says which face is meant and limits the mask. One "
        "step of undo."
    ),
)


def create(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    """The procedure with its arguments."""
    procedure = create_image_procedure(plug_in, NAME, _TEXTS, (mask_regions, _mask_with_dialog))
    procedure.add_string_argument(
        "regions", _("_Regions"), _("Names such as hair, or hair brows"), "hair", READWRITE
    )
    texts = _("_As"), _("Whether it becomes the layer's mask or the selection")
    add_choice_argument(procedure, "as", texts, GOALS)
    return procedure


def mask_regions(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Make the mask or selection as the arguments say; the layer, or PluginError."""
    layer, goal = chosen_layer(drawables), config.get_property("as")
    names = read_regions(config.get_property("regions") or "")
    if isinstance(names, str):
        raise PluginError(_("auto and whole are no regions: give names such as hair."))
    check_free(layer, goal)
    target = plain_target(image, layer)
    work = jobs.Work(target.picture, target.mask, extra={"regions": names})
    Gimp.progress_init(_("Looking for regions ..."))
    try:
        with finder.connect(report_progress) as client:
            found = jobs.ask_regions(client, work, report_progress)
    finally:
        Gimp.progress_end()
    return put_mask(target, found, goal)


def _mask_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    from ..region_dialog import mask_with_dialog  # Gtk is loaded only for a window

    return mask_with_dialog(image, drawables, config)

"""A mask of regions comes into the image: on the layer, or as the selection; one undo step."""

from __future__ import annotations

from gi.repository import Gegl, Gimp

from .errors import PluginError
from .jobs import Result
from .layers import Target, check_layer
from .translate import _
from .wire import Picture

AS_MASK, AS_SELECTION = "mask", "selection"
GOALS = (
    {"name": AS_MASK, "title": _("Layer mask")},
    {"name": AS_SELECTION, "title": _("Selection")},
)
_FORM = "Y u8"


def check_free(layer: Gimp.Layer, goal: str) -> None:
    """Refuse a layer that has a mask already (raises PluginError): it would be lost."""
    if goal == AS_MASK and layer.get_mask():
        raise PluginError(
            _("The layer has a mask already: apply or delete it first, or make a selection.")
        )


def put_mask(target: Target, found: Result, goal: str) -> Gimp.Layer:
    """Put the mask that was found where it is wanted; the layer, or PluginError."""
    layer, mask = check_layer(target.layer), found.picture
    check_free(layer, goal)
    if not isinstance(mask, Picture) or mask.channels != 1:
        raise PluginError(_("The Latent-Fu server answered with no mask: stop it and try again."))
    if (layer.get_width(), layer.get_height()) != (mask.width, mask.height):
        raise PluginError(_("The layer has another size now: open this again."))
    image = target.image
    image.undo_group_start()
    try:
        if goal == AS_MASK:
            layer.add_mask(make_mask(layer, mask))
        else:
            _select(image, layer, mask)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return layer


def make_mask(layer: Gimp.Layer, mask: Picture) -> Gimp.LayerMask:
    """A mask for a layer of its size, not yet added to it."""
    new = layer.create_mask(Gimp.AddMaskType.WHITE)
    _write(new, Gegl.Rectangle.new(0, 0, mask.width, mask.height), mask.pixels)
    return new


def _select(image: Gimp.Image, layer: Gimp.Layer, mask: Picture) -> None:
    """The mask as the selection, by way of a channel that goes again."""
    width, height = image.get_width(), image.get_height()
    _, x, y = layer.get_offsets()
    channel = Gimp.Channel.new(image, "regions", width, height, 100.0, Gegl.Color.new("black"))
    image.insert_channel(channel, None, 0)
    _write(channel, Gegl.Rectangle.new(0, 0, width, height), bytes(width * height))
    _write(channel, Gegl.Rectangle.new(x, y, mask.width, mask.height), mask.pixels)
    image.select_item(Gimp.ChannelOps.REPLACE, channel)
    image.remove_channel(channel)


def _write(drawable: Gimp.Drawable, place: Gegl.Rectangle, pixels: bytes) -> None:
    buffer = drawable.get_buffer()
    buffer.set(place, _FORM, pixels)
    buffer.flush()
    drawable.update(place.x, place.y, place.width, place.height)

"""A mask of regions comes into the image: on the layer, or as the selection; one undo step."""

from __future__ import annotations

from gi.repository import Gegl, Gimp

from .deep_pixels import make_node
from .errors import PluginError
from .jobs import Result
from .layers import Target, check_layer
from .translate import _
from .wire import Picture

AS_MASK, AS_SELECTION = "mask", "selection"
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
            add_mask(layer, mask)
        else:
            _select(image, layer, mask)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return layer


def soften_mask(mask: Picture, feather: float) -> Picture:
    """The mask with its edge blurred over ``feather`` pixels."""
    if feather <= 0:
        return mask
    there = Gegl.Rectangle.new(0, 0, mask.width, mask.height)
    source = Gegl.Buffer.new(_FORM, 0, 0, mask.width, mask.height)
    source.set(there, _FORM, mask.pixels)
    soft = Gegl.Buffer.new(_FORM, 0, 0, mask.width, mask.height)
    graph = Gegl.Node()
    first = make_node(graph, "gegl:buffer-source", buffer=source)
    blur = make_node(graph, "gegl:gaussian-blur", std_dev_x=feather / 3, std_dev_y=feather / 3)
    last = make_node(graph, "gegl:write-buffer", buffer=soft)
    first.link(blur)
    blur.link(last)
    last.process()
    data = bytes(soft.get(there, 1.0, _FORM, Gegl.AbyssPolicy.NONE))
    return Picture(mask.width, mask.height, 1, data)


def add_mask(layer: Gimp.Layer, mask: Picture) -> None:
    """Give a layer that has none a mask of its size."""
    new = layer.create_mask(Gimp.AddMaskType.WHITE)
    _write(new, Gegl.Rectangle.new(0, 0, mask.width, mask.height), mask.pixels)
    layer.add_mask(new)


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

"""Which layer is edited, and how the result comes into the image as one undo step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gi.repository import Gimp

from . import state
from .errors import PluginError
from .jobs import Result, tell_fit
from .pixels import read_layer, read_selection, write_changes
from .wire import Picture


@dataclass(frozen=True)
class Target:
    """The layer that is edited, read once, so that preview and result agree.

    ``replaces``: the earlier result that a new one takes the place of; ``earlier``: its state.
    """

    image: Gimp.Image
    layer: Gimp.Layer
    picture: Picture
    mask: Picture | None
    replaces: Gimp.Layer | None = None
    earlier: state.State | None = None
    note: str = ""


def chosen_layer(drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """The one layer that can be edited; raises PluginError otherwise."""
    if len(drawables) != 1:
        raise PluginError(f"{len(drawables)} layers are chosen: choose the one to edit.")
    return check_layer(drawables[0])


def check_layer(layer: Gimp.Drawable | None) -> Gimp.Layer:
    """``layer`` if it is a layer with pixels of its own; raises PluginError otherwise."""
    if layer is None or not layer.is_valid():
        raise PluginError("The layer is no longer there: choose another.")
    if not isinstance(layer, Gimp.Layer):
        raise PluginError("A mask or channel holds no portrait: choose a layer.")
    if layer.is_group():
        raise PluginError("A layer group has no pixels of its own: choose a layer inside it.")
    if layer.is_floating_sel():
        raise PluginError("Anchor the floating selection or make it a layer first.")
    if type(layer).__name__ != "Layer":
        raise PluginError("This layer has no pixels of its own: rasterize it, then edit it.")
    return layer


def plain_target(image: Gimp.Image, layer: Gimp.Layer) -> Target:
    """``layer`` as it is, inside the selection."""
    mask = read_selection(image, layer)
    return Target(image, layer, read_layer(layer), mask)


def target_again(image: Gimp.Image, layer: Gimp.Layer) -> Target:
    """Like :func:`plain_target`, but the source of ``layer`` when that is an earlier result."""
    earlier = read_state(layer)
    if earlier is None or earlier.mix:
        return plain_target(image, layer)
    source = image.get_layer_by_tattoo(earlier.source_tattoo)
    size = (layer.get_width(), layer.get_height())
    if source is None or (source.get_width(), source.get_height()) != size:
        target = plain_target(image, layer)
        note = "The layer this was made from is gone: editing the result itself."
        return Target(image, layer, target.picture, target.mask, note=note)
    picture = read_layer(source)
    selected = read_selection(image, source)
    mask = selected or state.unpack_mask(earlier.mask, *size)
    note = "Editing the original layer again."
    if picture.sha256 != earlier.source_sha256:
        note = "Editing the original layer again; it has changed since."
    elif earlier.mask == "lost" and selected is None:
        note = "The selection of the last edit was too large to keep: select again to limit it."
    return Target(image, source, picture, mask, layer, earlier, note)


def read_state(layer: Gimp.Layer) -> state.State | None:
    """What an earlier edit left on ``layer``."""
    parasite = layer.get_parasite(state.NAME)
    return state.load(bytes(parasite.get_data())) if parasite else None


def insert_result(target: Target, result: Result, name: str, kept: state.State) -> Gimp.Layer:
    """Put the result above the edited layer, or in the place of the earlier one: one undo step."""
    check_layer(target.layer)
    replaces = target.replaces if target.replaces and target.replaces.is_valid() else None
    new = target.layer.copy()
    write_changes(new, target.picture, result.picture)
    new.set_name(name)
    new.set_visible(True)
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    new.attach_parasite(Gimp.Parasite.new(state.NAME, flags, kept.dump()))
    above = replaces or target.layer
    target.image.undo_group_start()
    try:
        position = target.image.get_item_position(above)
        target.image.insert_layer(new, above.get_parent(), position)
        if replaces:
            target.image.remove_layer(replaces)
    finally:
        target.image.undo_group_end()
    Gimp.displays_flush()
    return new


def show_report(result: Result, *, in_window: bool = False) -> None:
    """Tell what a person must know of the finished work, if anything.

    In GIMP's error console, so that a repeated edit or a script is not stopped by a window; with
    ``in_window`` where GIMP shows its messages.
    """
    sentence = tell_fit(result.report)
    if not sentence:
        return
    before = Gimp.message_get_handler()
    if not in_window:
        Gimp.message_set_handler(Gimp.MessageHandlerType.ERROR_CONSOLE)
    Gimp.message(f"Latent-Fu: {sentence}")
    Gimp.message_set_handler(before)

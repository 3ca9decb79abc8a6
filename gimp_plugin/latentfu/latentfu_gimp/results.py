"""How the result comes into the image: as one undo step, with respect for what is there."""

from __future__ import annotations

from dataclasses import dataclass

from gi.repository import Gimp

from . import state
from .arguments import AS_GROUP, AS_LAYER, layer_name
from .deep_pixels import add_change
from .errors import PluginError
from .jobs import Result, tell_fit
from .layers import Target, check_layer, work_without_mask
from .pixels import copy_pixels, hash_pixels, keep_painting, write_difference
from .region_masks import add_mask, soften_mask
from .sent_texts import translate_sent
from .translate import _
from .wire import Change, Picture


@dataclass(frozen=True)
class Placing:
    """What becomes of an earlier result that somebody painted on.

    ``beside``: it stays, and the new one is a layer of its own. ``unpainted``: how the earlier
    result came about, so that what was painted on it can be taken over. ``form``: what a new
    result becomes; ``feather``: how soft a mask is at its edge, in pixels.
    """

    beside: bool = False
    unpainted: Result | None = None
    form: str = AS_LAYER
    feather: float = 0.0


REPLACE = Placing()


def insert_result(
    target: Target,
    result: Result,
    name: str,
    kept: state.LayerEditState,
    placing: Placing = REPLACE,
) -> Gimp.Layer:
    """Put the result above the edited layer, or in the place of the earlier one: one undo step.

    Raises PluginError when nothing has changed, or the layer is no longer as it was read.
    """
    check_layer(target.layer)
    if not result.changes(target.picture):
        raise PluginError(
            translate_sent(str(result.report.get("unchanged") or "")) or NOTHING_CHANGED
        )
    size = (target.layer.get_width(), target.layer.get_height())
    if size != (target.picture.width, target.picture.height):
        raise PluginError(_("The layer has another size now: open this again."))
    replaces = None
    if target.replaces and target.replaces.is_valid() and not placing.beside:
        replaces = target.replaces
    new, pixels = _make_layer(target, result, replaces, placing)
    masked = work_without_mask(target, placing.form) and new.get_mask() is None
    if masked and target.mask:
        add_mask(new, soften_mask(target.mask, placing.feather))
    _attach(new, kept.dump(pixels), result.latent)
    _insert(target, new, replaces, name, placing.form)
    Gimp.displays_flush()
    return new


NOTHING_CHANGED = _("No pixel changed: ask for more of it, or select another part.")


def is_painted_apart(target: Target, unpainted: Result) -> bool:
    """Whether what was painted on the earlier result can be told from what the edit made."""
    if not target.earlier or not target.replaces or not target.replaces.is_valid():
        return False
    again = _copy_open(target.replaces)
    copy_pixels(target.layer, again)
    _write(again, target.picture, unpainted.picture)
    same = hash_pixels(again) == target.earlier.pixels_sha256
    again.delete()
    return same


def _make_layer(
    target: Target, result: Result, replaces: Gimp.Layer | None, placing: Placing
) -> tuple[Gimp.Layer, str]:
    """The new layer, not yet in the image, and the name of its pixels before any painting."""
    if replaces is None:
        new = _copy_open(target.layer)
        _write(new, target.picture, result.picture)
        new.set_visible(True)
        return new, hash_pixels(new)
    new = _copy_open(replaces)  # Opacity, mode, mask, offsets, tag and effects are the user's.
    copy_pixels(target.layer, new)
    _write(new, target.picture, result.picture)
    pixels = hash_pixels(new)
    if placing.unpainted:
        before = _copy_open(replaces)
        copy_pixels(target.layer, before)
        _write(before, target.picture, placing.unpainted.picture)
        keep_painting(replaces, before, new)
        before.delete()
    return new, pixels


def _copy_open(layer: Gimp.Layer) -> Gimp.Layer:
    """A copy that can be written to: GIMP ends a plug-in that writes to locked pixels."""
    new = layer.copy()
    new.set_lock_content(False)
    new.set_lock_alpha(False)
    new.set_lock_visibility(False)
    return new


def _write(layer: Gimp.Layer, before: Picture, after: Picture | Change) -> None:
    if isinstance(after, Change):
        add_change(layer, after)
    else:
        write_difference(layer, before, after)
    layer.update(0, 0, before.width, before.height)


def _attach(new: Gimp.Layer, kept: bytes, latent: bytes) -> None:
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    new.attach_parasite(Gimp.Parasite.new(state.NAME, flags, kept))
    if latent:
        packed = state.pack_latent(latent)
        new.attach_parasite(Gimp.Parasite.new(state.LATENT_NAME, flags, packed))
    elif new.get_parasite(state.LATENT_NAME):
        new.detach_parasite(state.LATENT_NAME)
    if new.get_parasite(state.UNSAVED_NAME):
        new.detach_parasite(state.UNSAVED_NAME)


def _insert(
    target: Target, new: Gimp.Layer, replaces: Gimp.Layer | None, name: str, form: str
) -> None:
    image, above = target.image, target.layer
    if target.result and target.result.is_valid():
        above = target.result  # Beside an earlier result means above it, where it is seen.
    above_lock = above.get_lock_alpha()
    if replaces and target.earlier and not _is_made_name(replaces, target.earlier):
        name = replaces.get_name()
    image.undo_group_start()
    try:
        parent, position = above.get_parent(), image.get_item_position(above)
        if form == AS_GROUP and replaces is None:
            group = Gimp.GroupLayer.new(image, name)
            image.insert_layer(group, parent, position)
            parent, position = group, 0
        image.insert_layer(new, parent, position)
        if replaces:
            new.set_visible(replaces.get_visible())
            new.set_lock_visibility(replaces.get_lock_visibility())
            image.remove_layer(replaces)
        elif _shows_through(target):
            target.layer.set_visible(False)
        new.set_name(name)
        new.set_lock_alpha(above_lock)
    finally:
        image.undo_group_end()


def _is_made_name(layer: Gimp.Layer, earlier: state.LayerEditState) -> bool:
    """Whether the name is one that we gave; GIMP may have put a number behind it."""
    name = layer.get_name()
    made = (layer_name(earlier.edits), _former_name(earlier), str(earlier.mix.get("name")))
    return any(name == one or name.startswith(f"{one} #") for one in made)


def _former_name(earlier: state.LayerEditState) -> str:
    """What version 0.1 called the layer."""
    parts = [f"{name} {strength:+.1f}" for name, strength in earlier.edits.items() if strength]
    return "Latent-Fu: " + ", ".join(parts[:4]) + (" ..." if len(parts) > 4 else "")


def _shows_through(target: Target) -> bool:
    """Whether the source would be seen through the result, or count a second time below it."""
    layer = target.layer
    if not layer.get_visible() or layer.get_lock_visibility():
        return False
    if layer.get_mode() not in (Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY):
        return True
    if layer.get_opacity() < 100.0 or (layer.get_mask() and layer.get_apply_mask()):
        return True
    picture = target.picture
    opaque = picture.width * picture.height
    return picture.channels == 4 and picture.pixels[3::4].count(255) != opaque


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

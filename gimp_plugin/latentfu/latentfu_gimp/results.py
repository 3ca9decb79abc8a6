"""How the result comes into the image: as one undo step, with respect for what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gi.repository import Gimp

from . import state
from .arguments import AS_GROUP, AS_LAYER, layer_name
from .deep_pixels import add_change
from .errors import PluginError
from .jobs import Result, tell_fit
from .layers import Target, check_layer
from .limits import has_idle_mask, put_limits
from .pixels import copy_pixels, hash_pixels, keep_painting, write_difference
from .sent_texts import translate_sent
from .translate import _
from .wire import Change, Picture


@dataclass(frozen=True)
class Placing:
    """What becomes of an earlier result that somebody painted on.

    ``beside``: it stays, and the new one is a layer of its own. ``unpainted``: how the earlier
    result came about, so that what was painted on it can be taken over. ``form``: what a new
    result becomes; ``earlier_mask``: the mask that the earlier result was made with, so that what
    was painted on it can be taken over.
    """

    beside: bool = False
    unpainted: Result | None = None
    form: str = AS_LAYER
    earlier_mask: Picture | None = None


REPLACE = Placing()


@dataclass(frozen=True)
class PreparedLayer:
    """A result as a layer that is not yet in its image.

    ``replaces``: the earlier result in whose place it comes, None to come above the edited layer.
    ``hides``: whether the edited layer has to go out of sight; ``unmasks``: whether the mask of the
    earlier result goes.
    """

    target: Target
    layer: Gimp.Layer
    name: str
    form: str = AS_LAYER
    replaces: Gimp.Layer | None = None
    hides: bool = False
    unmasks: bool = False


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
    if not result.changes(target.picture):
        raise PluginError(tell_unchanged(result))
    prepared = prepare_result(target, result, name, kept, placing)
    insert_prepared([prepared])
    return prepared.layer


def prepare_result(
    target: Target,
    result: Result,
    name: str,
    kept: state.LayerEditState,
    placing: Placing = REPLACE,
) -> PreparedLayer:
    """The result as a layer, changed or not; raises PluginError as :func:`insert_result` does."""
    check_unresized(target)
    replaces = None
    if target.replaces and target.replaces.is_valid() and not placing.beside:
        replaces = target.replaces
    new, pixels = _make_layer(target, result, replaces, placing)
    earlier = target.earlier if replaces else None
    limits = put_limits(new, result.mask, earlier, placing.earlier_mask)
    _attach(new, kept.dump(pixels, limits), result.latent)
    unmasks = has_idle_mask(new, result.mask, earlier.limits_sha256 if earlier else "")
    hides = shows_through(target)
    return PreparedLayer(target, new, name, placing.form, replaces, hides, unmasks)


def insert_prepared(layers: Sequence[PreparedLayer]) -> None:
    """Put layers of one image into it, the last one topmost where they come above the same layer.

    One undo step.
    """
    if not layers:
        return
    image = layers[0].target.image
    image.undo_group_start()
    try:
        for each in layers:
            _insert(each)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()


def check_unresized(target: Target) -> None:
    """Refuse a layer that is gone or has another size than when it was read (PluginError)."""
    check_layer(target.layer)
    size = (target.layer.get_width(), target.layer.get_height())
    if size != (target.picture.width, target.picture.height):
        raise PluginError(_("The layer has another size now: open this again."))


NOTHING_CHANGED = _("No pixel changed: ask for more of it, or select another part.")


def tell_unchanged(result: Result) -> str:
    """Why no pixel has changed."""
    return translate_sent(str(result.report.get("unchanged") or "")) or NOTHING_CHANGED


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


def _insert(prepared: PreparedLayer) -> None:
    target, new, replaces = prepared.target, prepared.layer, prepared.replaces
    image, above, name = target.image, target.layer, prepared.name
    if target.result and target.result.is_valid():
        above = target.result  # Beside an earlier result means above it, where it is seen.
    above_lock = above.get_lock_alpha()
    if replaces and target.earlier and not _is_made_name(replaces, target.earlier):
        name = replaces.get_name()
    parent, position = above.get_parent(), image.get_item_position(above)
    if prepared.form == AS_GROUP and replaces is None:
        group = Gimp.GroupLayer.new(image, name)
        image.insert_layer(group, parent, position)
        parent, position = group, 0
    image.insert_layer(new, parent, position)
    if replaces:
        new.set_visible(replaces.get_visible())
        new.set_lock_visibility(replaces.get_lock_visibility())
        image.remove_layer(replaces)
    elif prepared.hides:
        target.layer.set_visible(False)
    if prepared.unmasks:
        new.remove_mask(Gimp.MaskApplyMode.DISCARD)
    new.set_name(name)
    new.set_lock_alpha(above_lock)


def _is_made_name(layer: Gimp.Layer, earlier: state.LayerEditState) -> bool:
    """Whether the name is one that we gave; GIMP may have put a number behind it."""
    name = layer.get_name()
    made = (layer_name(earlier.edits), _former_name(earlier), str(earlier.taken.get("name")))
    return any(name == one or name.startswith(f"{one} #") for one in made)


def _former_name(earlier: state.LayerEditState) -> str:
    """What version 0.1 called the layer."""
    numbers = [one for one in earlier.edits.items() if isinstance(one[1], (int, float))]
    parts = [f"{name} {strength:+.1f}" for name, strength in numbers if strength]
    return "Latent-Fu: " + ", ".join(parts[:4]) + (" ..." if len(parts) > 4 else "")


def shows_through(target: Target) -> bool:
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
    if in_window:
        Gimp.message(f"Latent-Fu: {sentence}")
    else:
        tell_in_console(sentence)


def tell_in_console(text: str) -> None:
    """Say something in GIMP's error console."""
    before = Gimp.message_get_handler()
    Gimp.message_set_handler(Gimp.MessageHandlerType.ERROR_CONSOLE)
    Gimp.message(f"Latent-Fu: {text}")
    Gimp.message_set_handler(before)

"""Which layer is edited, read once, and read again when it has changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from gi.repository import Gimp

from . import state
from .arguments import AS_MASKED
from .deep_pixels import needs_change
from .errors import PluginError
from .masks import LOST, flip_mask, flip_picture, scale_mask, unpack_mask
from .pixels import glance, hash_pixels, read_layer, read_selection
from .translate import _, ngettext
from .wire import Picture


@dataclass(frozen=True)
class Target:
    """The layer that is edited, read once, so that preview and result agree.

    ``deep``: whether the change must come in more than 8 bits. ``seen``: what the layer and the
    selection looked like (:func:`pixels.glance`). ``result``: the earlier result that was opened,
    ``replaces``: the same if a new one may take its place; ``earlier``: its state; ``latent``: its
    inversion, empty when there is none that fits; ``painted``: whether somebody painted on it.
    """

    image: Gimp.Image
    layer: Gimp.Layer
    picture: Picture
    mask: Picture | None
    deep: bool
    seen: str
    result: Gimp.Layer | None = None
    replaces: Gimp.Layer | None = None
    earlier: state.LayerEditState | None = None
    latent: bytes = b""
    painted: bool = False
    note: str = ""


def chosen_layer(drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """The one layer that can be edited; raises PluginError otherwise."""
    if len(drawables) != 1:
        raise PluginError(
            ngettext(
                "{count} layer is chosen: choose the one to edit.",
                "{count} layers are chosen: choose the one to edit.",
                len(drawables),
            ).format(count=len(drawables))
        )
    return check_layer(drawables[0])


def check_layer(layer: Gimp.Drawable | None) -> Gimp.Layer:
    """``layer`` if it is a layer with pixels of its own; raises PluginError otherwise."""
    if layer is None or not layer.is_valid():
        raise PluginError(_("The layer is no longer there: choose another."))
    if isinstance(layer, Gimp.LayerMask):  # As after Add Layer Mask: the user means the layer.
        layer = Gimp.Layer.from_mask(layer)
    if not isinstance(layer, Gimp.Layer):
        raise PluginError(_("A channel holds no portrait: choose a layer."))
    if layer.is_group():
        raise PluginError(_("A layer group has no pixels of its own: choose a layer inside it."))
    if layer.is_floating_sel():
        raise PluginError(_("Anchor the floating selection or make it a layer first."))
    if not has_own_pixels(layer):
        raise PluginError(_("This layer has no pixels of its own: rasterize it, then edit it."))
    return layer


def has_own_pixels(layer: Gimp.Layer) -> bool:
    """Whether it is neither a text nor any other layer that GIMP draws anew."""
    return type(layer).__name__ == "Layer"


def plain_target(image: Gimp.Image, layer: Gimp.Layer) -> Target:
    """``layer`` as it is, inside the selection."""
    mask, seen = read_selection(image, layer), glance(image, layer)
    return Target(image, layer, read_layer(layer), mask, needs_change(image, layer), seen)


def target_again(
    image: Gimp.Image, layer: Gimp.Layer, kinds: Collection[str] = ("edit", "transfer")
) -> Target:
    """Like :func:`plain_target`, but the source of ``layer`` when that is an earlier result.

    ``kinds``: what can be opened again; a result of another kind is a layer like any other.
    """
    earlier = read_state(layer)
    if earlier is None or earlier.kind not in kinds:
        return plain_target(image, layer)
    source = image.get_layer_by_tattoo(earlier.source_tattoo)
    size = (layer.get_width(), layer.get_height())
    if source is None or (source.get_width(), source.get_height()) != size:
        note = (
            _("The layer this was made from is gone: editing the result itself.")
            if source is None
            else _("The layer this was made from has another size now: editing the result itself.")
        )
        return replace(plain_target(image, layer), note=note)
    target = replace(plain_target(image, source), result=layer, earlier=earlier)
    return _with_earlier(target, layer, earlier)


def refresh(target: Target) -> Target | None:
    """The target read again if the layer or the selection has changed, else None.

    Raises PluginError when the layer is gone or no longer one that can be edited.
    """
    check_layer(target.layer)
    kept = target.result if target.result and target.result.is_valid() else None
    if kept and target.earlier:
        again = target_again(target.image, kept, (target.earlier.kind,))
    else:
        again = plain_target(target.image, target.layer)
    same = (target.picture.sha256, _name(target.mask)) == (again.picture.sha256, _name(again.mask))
    return None if same and target.painted == again.painted else again


def comes_apart(target: Target, form: str) -> bool:
    """Whether selection and regions become the mask of the result; a mask of the user's stays."""
    if form != AS_MASKED or target.layer.get_mask():
        return False
    there, earlier = target.replaces, target.earlier
    masked = there is not None and there.is_valid() and there.get_mask() is not None
    return not masked or (earlier is not None and bool(earlier.limits_sha256))


def is_mask_painted(target: Target) -> bool:
    """Whether the mask that an earlier result came with is not as it was made."""
    there, earlier = target.replaces, target.earlier
    if there is None or earlier is None or not there.is_valid() or not earlier.limits_sha256:
        return False
    mask = there.get_mask()
    return mask is not None and hash_pixels(mask) != earlier.limits_sha256


def looks_changed(target: Target) -> bool:
    """Whether it is worth reading the layer again."""
    return target.layer.is_valid() and glance(target.image, target.layer) != target.seen


def read_state(layer: Gimp.Layer) -> state.LayerEditState | None:
    """What an earlier edit left on ``layer``."""
    parasite = layer.get_parasite(state.NAME)
    return state.load_state(bytes(parasite.get_data())) if parasite else None


def read_latent(layer: Gimp.Layer, earlier: state.LayerEditState) -> bytes:
    """The inversion that an earlier edit left on ``layer``; empty when there is none."""
    parasite = layer.get_parasite(state.LATENT_NAME)
    if parasite is None or not earlier.latent:
        return b""
    return state.unpack_latent(bytes(parasite.get_data()), earlier.latent)


def _with_earlier(target: Target, layer: Gimp.Layer, earlier: state.LayerEditState) -> Target:
    """``target`` with what the earlier result knows: selection, inversion, painting, locks."""
    notes = [_("Editing the original layer again.")]
    same = target.picture.sha256 == earlier.source_sha256
    mask = target.mask
    if mask is None and earlier.mask:
        mask = _carry_mask(target.picture, earlier)
        if mask is None:
            notes = [_("The selection of the last edit does not fit any more: select again.")]
    if not same and mask is target.mask:
        notes = [_("Editing the original layer again; it has changed since.")]
    elif not same and mask is not None:
        notes = [
            _("Editing the original layer again, which has changed; the selection went along.")
        ]
    locked = layer.get_lock_content()
    if locked:
        notes.append(_("The earlier result is locked: this becomes a layer of its own."))
    return replace(
        target,
        mask=mask,
        replaces=None if locked else layer,
        latent=read_latent(layer, earlier) if same and earlier.quad else b"",
        painted=bool(earlier.pixels_sha256) and hash_pixels(layer) != earlier.pixels_sha256,
        note=" ".join(notes),
    )


def _carry_mask(picture: Picture, earlier: state.LayerEditState) -> Picture | None:
    """The selection of the earlier edit for the layer as it is now: scaled, flipped, or as it was.

    None when it was too large to keep, or the layer was cropped.
    """
    width, height = earlier.size or (picture.width, picture.height)
    mask = unpack_mask(earlier.mask, width, height)
    if mask is None or earlier.mask == LOST:
        return None
    if (width, height) == (picture.width, picture.height):
        if picture.sha256 == earlier.source_sha256:
            return mask
        for turn in ((True, False), (False, True), (True, True)):
            if flip_picture(picture, *turn).sha256 == earlier.source_sha256:
                return flip_mask(mask, *turn)
        return mask
    across, down = picture.width / width, picture.height / height
    if abs(across / down - 1.0) > _SAME_SHAPE:
        return None
    return scale_mask(mask, picture.width, picture.height)


_SAME_SHAPE = 0.02
"""A layer whose sides changed more unequally than this was cropped and not scaled."""


def _name(mask: Picture | None) -> str:
    return mask.sha256 if mask else ""

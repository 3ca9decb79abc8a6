"""The mask that a result comes with: made anew with the edit, what was painted on it kept."""

from __future__ import annotations

from gi.repository import Gimp

from . import state
from .pixels import copy_pixels, hash_pixels, keep_painting
from .region_masks import make_mask
from .wire import Picture


def put_limits(
    layer: Gimp.Layer,
    mask: Picture | None,
    earlier: state.LayerEditState | None,
    earlier_mask: Picture | None,
) -> str:
    """Give ``layer``, not yet in its image, the mask of a new result.

    Args:
        layer: A copy of the edited layer, or of the ``earlier`` result with its mask.
        mask: Where the new result shows; None where its pixels are limited themselves.
        earlier: How the earlier result was made.
        earlier_mask: The mask that it was made with, made again; None where nobody asked for it.

    Returns:
        The name of the mask before any painting, "" for a layer without one of ours.
    """
    there = layer.get_mask()
    made = earlier.limits_sha256 if earlier else ""
    if there is None:
        if mask is None:
            return ""
        new = make_mask(layer, mask)
        name = hash_pixels(new)
        layer.add_mask(new)
        _blend_as_previewed(layer)
        return name
    if not made or mask is None:
        return ""
    return _renew(layer, there, mask, made, earlier_mask)


def has_idle_mask(layer: Gimp.Layer, mask: Picture | None, made: str) -> bool:
    """Whether the mask of an earlier result is still as it was ``made``, and no longer needed.

    GIMP takes a mask only from a layer that is in its image.
    """
    there = layer.get_mask()
    return mask is None and bool(made) and there is not None and hash_pixels(there) == made


def _blend_as_previewed(layer: Gimp.Layer) -> None:
    """A soft edge is a mixture of levels, as the server makes it, and not one of light."""
    if layer.get_mode() == Gimp.LayerMode.NORMAL:
        layer.set_blend_space(Gimp.LayerColorSpace.RGB_PERCEPTUAL)
        layer.set_composite_space(Gimp.LayerColorSpace.RGB_PERCEPTUAL)


def _renew(
    layer: Gimp.Layer,
    there: Gimp.LayerMask,
    mask: Picture,
    made: str,
    earlier_mask: Picture | None,
) -> str:
    """Another mask in place of the one called ``made``; what was painted on that stays."""
    new = make_mask(layer, mask)
    name = hash_pixels(new)
    if hash_pixels(there) == made:
        copy_pixels(new, there)
    elif earlier_mask is not None:
        before = make_mask(layer, earlier_mask)
        if hash_pixels(before) == made:
            keep_painting(there, before, new)
            copy_pixels(new, there)
        before.delete()
    new.delete()
    return name

"""latent -> image: plain, and with another picture's styles inside a mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator
from latentfu.core.latent import Latent
from latentfu.pipeline.codes_edit import CodesEdit
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.feature_warp import mix_codes, warp_features_into_mix
from latentfu.pipeline.plugin_calls import check_picture, draw
from latentfu.plugin_manager.running import call_plugin, describe_item

if TYPE_CHECKING:
    import torch

Rendered = tuple[Floats, Floats, CodesEdit | None]
"""The edited picture, the inverted one, and the edit by the codes alone."""


def render_latent(generator: Generator, latent: Latent) -> Floats:
    """The picture of one latent: float32 ``[3, R, R]`` in -1..1."""
    import torch

    with torch.no_grad():
        return to_picture(draw(generator, latent), generator)


def show_codes(
    before: Latent, after: Latent, ends: tuple[Floats, Floats], show: Callable[[Latent], Floats]
) -> CodesEdit | None:
    """The edit from ``before`` to ``after`` by codes and weights alone, for its motion.

    Feature offsets are left out: they do not turn with a head as codes do. ``ends``: the pictures
    of both latents without them. ``show``: draws what lies between. None where the latents are of
    different kinds, so that nothing lies between them.
    """
    if before.space != after.space or before.codes.shape != after.codes.shape:
        return None

    return CodesEdit(*ends, lambda part: show(_step_between(before, after, part)))


def _step_between(before: Latent, after: Latent, part: float) -> Latent:
    """The latent a ``part`` (0..1) of the way, without feature offsets."""
    codes = before.codes + part * (after.codes - before.codes)
    kept = before.bends
    new = tuple(
        replace(offset, strength=offset.strength * part)
        for offset in after.bends
        if not any(offset is one for one in kept)
    )
    return replace(before, codes=codes, bends=(*kept, *new), details=())


def render_mix(
    generator: Generator, a: Latent, b: Latent, layers: tuple[int, int], mask: Floats | None
) -> Floats:
    """``layers`` first..last of ``b`` in ``a`` where ``mask [R, R]`` is 1 -> ``[3, R, R]``.

    The details of both go along with what moves under them.
    """
    import torch

    first, last = layers
    inside = None
    if mask is not None:
        inside = torch.from_numpy(mask)[None, None].to(generator.device)
    chosen = range(first, last + 1)
    with torch.no_grad():
        a, b = warp_features_into_mix(a, b, chosen, inside, generator)
        mixed = call_plugin(
            generator, "mixed two latents", lambda: generator.mix(a, b, chosen, inside)
        )
        return to_picture(mixed, generator)


def show_mix(
    generator: Generator, a: Latent, b: Latent, layers: tuple[int, int]
) -> CodesEdit | None:
    """The mix of :func:`render_mix` by codes and weights alone, for its motion; None for z."""
    if "z" in {a.space, b.space}:
        return None
    before, mixed = (
        mix_codes(replace(a, details=()), b, taken, generator)
        for taken in (range(0), range(layers[0], layers[1] + 1))
    )
    ends = render_latent(generator, before), render_latent(generator, mixed)
    return show_codes(before, mixed, ends, lambda one: render_latent(generator, one))


def check_mix_layers(generator: Generator, layers: tuple[int, int]) -> None:
    """Refuse a range of layers that the generator does not have (raises BadInputError)."""
    first, last = layers
    if generator.num_ws < 1:
        raise BadInputError(f"The generator {generator.name} has no layers to mix.")
    if not 0 <= first <= last < generator.num_ws:
        raise BadInputError(
            f"The layers {first} to {last} are not in this generator: "
            f"give two numbers from 0 to {generator.num_ws - 1}, the smaller first."
        )


def to_picture(image: torch.Tensor, generator: Generator) -> Floats:
    """What a generator gave, checked and clipped: float32 ``[3, R, R]`` in -1..1."""
    check_picture(generator, image)
    picture: Floats = image[0].detach().to("cpu").float().numpy()
    if not np.isfinite(picture).all():
        raise BadInputError(
            f"{describe_item(generator)} drew pixels that are no numbers: use smaller strengths, "
            f"or import it again if none were given."
        )
    return np.clip(picture, -1.0, 1.0)

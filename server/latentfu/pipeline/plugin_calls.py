"""What plug-ins give while they work, checked where it comes in; each fault names its plug-in."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from latentfu.core.control import Control, ControlEffect
from latentfu.core.crop import Point, Quad
from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator
from latentfu.core.latent import Inversion, Latent
from latentfu.core.value_effect import ControlValue, ValueEffect
from latentfu.plugin_manager import get_registry, pick
from latentfu.plugin_manager.running import call_plugin, describe_item, refuse_result
from latentfu.plugin_objects import (
    Aligner,
    GeneratorSpec,
    Identity,
    InversionRequest,
    Inverter,
    Route,
    RouteRequest,
)

if TYPE_CHECKING:
    import numpy as np
    import torch

MOST_REPLY_BYTES = 512 << 10
"""What a route may answer with; it goes through the pipe of the worker."""


def load_generator(spec: GeneratorSpec, device: str) -> Generator:
    """The network of ``spec``; raises PluginFailedError for anything else."""
    generator = call_plugin(spec, "was loaded", lambda: spec.load(device))
    if not isinstance(generator, Generator):
        raise refuse_result(spec, generator, "a latentfu.Generator")
    if generator.id != spec.id:
        raise refuse_result(
            spec, f"a network with the id {str(generator.id)[:12]}", f"{spec.id[:12]}, its own"
        )
    return generator


def draw(generator: Generator, latent: Latent) -> torch.Tensor:
    """``generator.render(latent)`` as ``[N, 3, R, R]``; raises PluginFailedError."""
    image = call_plugin(generator, "drew", lambda: generator.render(latent))
    check_picture(generator, image, len(latent))
    return image


def check_picture(generator: Generator, image: object, count: int = 1) -> None:
    """Refuse what is no picture of the generator's size (raises PluginFailedError)."""
    import torch

    side = generator.resolution
    wanted = f"pictures [{count}, 3, {side}, {side}]"
    if not isinstance(image, torch.Tensor):
        raise refuse_result(generator, image, wanted)
    if tuple(image.shape) != (count, 3, side, side):
        raise refuse_result(generator, f"{list(image.shape)}", wanted)


def load_identity(model: Identity, device: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function of ``model``, which is checked whenever it is called.

    Args:
        model: an installed :class:`latentfu.Identity`.
        device: where its network is put, such as "cpu".

    Returns:
        Pictures ``[N, 3, R, R]`` in -1..1 to embeddings, float32 ``[N, D]``.

    Raises:
        PluginFailedError: it failed, or gave something else; the function raises it too.
    """
    import torch

    embed = call_plugin(model, "was loaded", lambda: model.load(device))
    if not callable(embed):
        raise refuse_result(model, embed, "a function of pictures")

    def checked(images: torch.Tensor) -> torch.Tensor:
        found = call_plugin(model, "looked at pictures", lambda: embed(images))
        wanted = f"embeddings [{len(images)}, D]"
        if not isinstance(found, torch.Tensor):
            raise refuse_result(model, found, wanted)
        if found.ndim != 2 or len(found) != len(images) or not found.shape[1]:
            raise refuse_result(model, f"{list(found.shape)}", wanted)
        if not bool(found.isfinite().all()):
            raise refuse_result(model, "embeddings that are no numbers", wanted)
        return found.float()

    return checked


def run_inverter(inverter: Inverter, requests: Sequence[InversionRequest]) -> list[Inversion]:
    """What the inverter finds, one for each request; raises PluginFailedError."""
    many = inverter.invert_many
    if many is not None and len(requests) > 1:
        found = call_plugin(inverter, "worked", lambda: many(requests))
    else:
        found = [
            call_plugin(inverter, "worked", lambda each=each: inverter.invert(each))  # type: ignore[misc]
            for each in requests
        ]
    if not isinstance(found, list) or len(found) != len(requests):
        raise refuse_result(inverter, found, f"a list of {len(requests)} inversions")
    for inversion, request in zip(found, requests, strict=True):
        _check_inversion(inverter, inversion, request.generator)
    return found


def _check_inversion(inverter: Inverter, inversion: object, generator: Generator) -> None:
    if not isinstance(inversion, Inversion) or not isinstance(inversion.latent, Latent):
        raise refuse_result(inverter, inversion, "a latentfu.Inversion")
    if len(inversion.latent) != 1:
        raise refuse_result(inverter, f"{len(inversion.latent)} codes", "one")
    if inversion.latent.generator_id != generator.id:
        raise refuse_result(inverter, "another generator's code", f"one of {generator.name}")
    quality = inversion.quality
    if not all(map(_is_number, (quality.psnr, quality.perceptual, quality.seconds))):
        raise refuse_result(inverter, "a quality that holds no numbers", "a measured one")
    if not bool(inversion.latent.codes.isfinite().all()):
        raise refuse_result(inverter, "codes that are no numbers", "a latent")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def load_effect(control: Control, generator: Generator) -> ControlEffect:
    """What the control does; raises PluginFailedError for anything else."""
    effect = call_plugin(control, "was loaded", lambda: control.load_for(generator))
    if not isinstance(effect, ControlEffect):
        raise refuse_result(control, effect, "a latentfu.ControlEffect")
    return effect


def set_value(
    control: Control,
    effect: ControlEffect,
    before: Latent,
    value: ControlValue,
    generator: Generator,
) -> Latent:
    """What a control that is no slider makes of a latent; raises PluginFailedError."""
    if not isinstance(effect, ValueEffect):
        raise refuse_result(control, effect, "a latentfu.ValueEffect")
    return move_latent(control, lambda: effect.apply_value(before, value, generator), before)


def move_latent(
    control: Control, move: Callable[[], Latent], before: Latent, strength: float | None = None
) -> Latent:
    """What an effect makes of a latent; raises PluginFailedError for what is none of its kind."""
    moved = call_plugin(control, "moved a latent", move)
    if not isinstance(moved, Latent):
        raise refuse_result(control, moved, "a latentfu.Latent")
    if moved.generator_id != before.generator_id:
        raise refuse_result(control, "another generator's latent", "a moved one")
    if moved.space != before.space or moved.codes.shape != before.codes.shape:
        wanted = f"{before.space} {list(before.codes.shape)}"
        raise refuse_result(control, f"{moved.space} {list(moved.codes.shape)}", wanted)
    if not bool(moved.codes.isfinite().all()):
        raise BadInputError(
            f"{describe_item(control)} leads to no numbers: set it to something else."
            if strength is None
            else f"{describe_item(control)} leads to no numbers at {strength:g}: use a smaller one."
        )
    return moved


def find_with(
    aligner: Aligner, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> list[Quad]:
    """The quads that the aligner finds in ``pixels [H, W, 3]``; raises PluginFailedError."""
    found = call_plugin(aligner, "looked at the layer", lambda: list(aligner.find(pixels)))
    for quad in found:
        if not isinstance(quad, Quad):
            raise refuse_result(aligner, quad, "a latentfu.Quad")
    return found


def place_with(aligner: Aligner, eyes: tuple[Point, Point], mouth: Point) -> Quad:
    """The aligner's square for points that a person gave; raises PluginFailedError."""
    place = aligner.place
    assert place is not None
    quad = call_plugin(aligner, "placed its square", lambda: place(eyes, mouth))
    if not isinstance(quad, Quad):
        raise refuse_result(aligner, quad, "a latentfu.Quad")
    return quad


def answer_route(key: str, request: RouteRequest) -> Any:
    """What the route ``PLUGIN.NAME`` answers, as JSON can hold it.

    Raises NotInstalledError for no such route, PluginFailedError for what is no JSON.
    """
    route = pick(get_registry().installed(Route), key, "route")
    found = call_plugin(route, "answered", lambda: route.handle(request))
    try:
        text = json.dumps(found, allow_nan=False)
    except (TypeError, ValueError):
        raise refuse_result(route, found, "what JSON can hold") from None
    if len(text) > MOST_REPLY_BYTES:
        raise refuse_result(route, f"{len(text)} bytes", f"at most {MOST_REPLY_BYTES}")
    return json.loads(text)

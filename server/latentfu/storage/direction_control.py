"""A direction as a control: steps along it, moves to a given amount, and the files of a folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu.core.control import Control, ControlEffect
from latentfu.core.errors import BadInputError, LatentFuError, WrongGeneratorError
from latentfu.core.generator import random_latents
from latentfu.core.latent import Latent, WeightOffset
from latentfu.storage.directions import Direction, read_direction, read_direction_metadata

if TYPE_CHECKING:
    import torch

    from latentfu.core.generator import Generator

_log = logging.getLogger(__name__)


class DirectionEffect(ControlEffect):
    """Adds a direction to a latent, in the layers that the direction is for."""

    def __init__(self, direction: Direction) -> None:
        self.direction = direction

    def apply(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """``codes + strength * vector``, in the layers that the direction is for.

        An absolute direction is moved to ``strength`` instead, as published GANSpace edits are.

        Args:
            latent: codes ``[N, w_dim]`` in w or ``[N, num_ws, w_dim]`` in w+.
            strength: in standard deviations of the attribute.
            generator: the one that the direction was made for.

        Returns:
            N codes of the same space; of a channel's direction the same codes and a weight offset.

        Raises:
            WrongGeneratorError: the direction or the latent is another generator's.
            BadInputError: the codes have a shape that the vector does not fit.
        """
        if self.direction.absolute:
            return self.reach(latent, strength, generator)
        self._check_generator(latent, generator)
        if self.direction.parameter:
            return self._offset_weight(latent, strength, generator)
        self._check_fit(latent)
        return latent.with_codes(latent.codes + strength * self._step(latent))

    def reach(self, latent: Latent, amount: float, generator: Generator) -> Latent:
        """The latent moved along the vector until it holds ``amount``, whatever it held before.

        Args:
            latent: N codes in the direction's space.
            amount: in units of strength; 0 is the boundary, or the mean where there is none.
            generator: the one that the direction was made for.

        Returns:
            N codes, each of which holds ``amount``.

        Raises:
            WrongGeneratorError: the direction or the latent is another generator's.
            BadInputError: the direction is a channel of a layer, or the codes do not fit.
        """
        self._check_generator(latent, generator)
        missing = amount - self.amount(latent, generator)  # [N]
        shape = (-1, *([1] * (latent.codes.ndim - 1)))
        return latent.with_codes(latent.codes + missing.reshape(shape) * self._step(latent))

    def amount(self, latent: Latent, generator: Generator) -> torch.Tensor:
        """How much of the direction each code holds, in units of strength.

        The signed distance from the boundary (codes . normal + bias) over the vector's own; of
        w+ codes the layers that it moves count, alike.

        Args:
            latent: N codes in the direction's space.
            generator: the one that the direction was made for.

        Returns:
            float64 ``[N]``.

        Raises:
            WrongGeneratorError: the direction or the latent is another generator's.
            BadInputError: the direction is a channel of a layer, or the codes do not fit.
        """
        import torch

        d = self.direction
        self._check_generator(latent, generator)
        if d.parameter:
            raise BadInputError(
                f"The direction {d.name} is a channel of a layer: it can be moved by a strength, "
                f"not to an amount."
            )
        self._check_fit(latent)
        codes = latent.codes.double()
        vector = torch.from_numpy(d.vector).to(codes)
        normal = vector if d.normal is None else torch.from_numpy(d.normal).to(codes)
        normal = normal / normal.norm()
        if codes.ndim == 3 and vector.ndim == 1:
            first, last = d.layers or (0, codes.shape[1] - 1)
            codes = codes[:, first : last + 1].mean(dim=1)
        elif d.layers is not None and codes.ndim == 3:
            inside = slice(d.layers[0], d.layers[1] + 1)
            codes, vector, normal = codes[:, inside], vector[inside], normal[inside]
        across = (vector * normal).sum().clamp(min=1e-12)
        distance = (codes * normal).flatten(1).sum(dim=1) + d.bias
        found: torch.Tensor = (distance / across).to(latent.codes.dtype)
        return found

    def within(self, layers: tuple[int, int]) -> DirectionEffect:
        """The same direction kept to some layers.

        Args:
            layers: the first and last w+ layer that it may move, both included.

        Returns:
            A new effect; this one stays as it is.

        Raises:
            BadInputError: the direction moves none of these, or is a channel of one layer.
        """
        d = self.direction
        if d.parameter:
            raise BadInputError(f"The direction {d.name} is a channel of one layer already.")
        first, last = d.layers or (0, 999)
        both = max(first, layers[0]), min(last, layers[1])
        if both[0] > both[1]:
            raise BadInputError(
                f"The direction {d.name} moves the layers {first} to {last}: none of them is in "
                f"{layers[0]} to {layers[1]}."
            )
        return DirectionEffect(replace(d, layers=both))

    def _step(self, latent: Latent) -> torch.Tensor:
        """The vector as the codes' own shape, zero in layers that it is not for."""
        import torch

        d, codes = self.direction, latent.codes
        vector = torch.from_numpy(d.vector).to(codes)
        if codes.ndim == 2:
            return vector
        step = vector.expand(codes.shape[1:]).clone()
        if d.layers is not None:
            first, last = d.layers
            step[:first] = 0.0
            step[last + 1 :] = 0.0
        return step

    def _offset_weight(self, latent: Latent, strength: float, generator: Generator) -> Latent:
        """The latent with the vector as one more offset of the parameter."""
        import torch

        d = self.direction
        shape = tuple(generator.parameter(d.parameter).shape)
        if shape != d.vector.shape:
            raise BadInputError(
                f"The direction {d.name} is for {list(d.vector.shape)} numbers; {d.parameter} of "
                f"{generator.name} has {list(shape)}."
            )
        shift = torch.from_numpy(d.vector).to(generator.device)
        return replace(latent, bends=(*latent.bends, WeightOffset(d.parameter, shift, strength)))

    def _check_generator(self, latent: Latent, generator: Generator) -> None:
        """Refuse another generator than the direction's (raises WrongGeneratorError)."""
        d = self.direction
        if d.generator_id != generator.id:
            raise WrongGeneratorError(
                f"The direction {d.name} was made for {d.generator or 'another generator'} "
                f"({d.generator_id[:12]}), not for {generator.name} ({generator.id[:12]}): "
                f"train or import one for this generator."
            )
        latent.check_generator(generator.id)

    def _check_fit(self, latent: Latent) -> None:
        """Refuse a latent that the vector cannot be added to (raises BadInputError)."""
        d, shape = self.direction, tuple(latent.codes.shape[1:])
        same = (d.space == "z") == (latent.space == "z")
        last = d.layers[1] if d.layers is not None and len(shape) == 2 else 0
        if not same or d.vector.shape not in (shape, shape[-1:]) or last >= shape[0]:
            raise BadInputError(
                f"The direction {d.name} is for {d.space} {list(d.vector.shape)}; the latent is "
                f"{latent.space} {list(shape)}: use an inverter that works in {d.space}."
            )


_LINEAR = 2e-3
"""How far, in parts of the step, two codes may be moved apart by a control that is a direction."""


def find_direction(control: Control, effect: ControlEffect, generator: Generator) -> Direction:
    """The direction that a control moves codes along, computed ones too.

    What :class:`DirectionEffect` holds; of any other effect the step that it makes from the mean,
    if it makes the same one from other codes and in proportion to the strength.

    Raises:
        BadInputError: it moves along no straight line, or not the codes alone.
    """
    import torch

    if isinstance(effect, DirectionEffect):
        return effect.direction
    mean = generator.mean_latent()
    with torch.no_grad():
        step = effect.apply(mean, 1.0, generator).codes - mean.codes  # [1, (L,) D]
        other = random_latents(generator, 2, seed=5)
        moved = effect.apply(other, -1.5, generator)
        off = float((moved.codes - other.codes + 1.5 * step).abs().max())
    if not bool(step.any()) or off > _LINEAR * float(step.abs().max()):
        raise BadInputError(
            f"{control.name} moves along no straight line of codes: it has a strength, and nothing "
            f"that a direction file could hold."
        )
    vector = step[0].float().cpu().numpy()
    if vector.ndim == 2 and bool((vector == vector[:1]).all()):
        vector = vector[0]
    return Direction(
        vector=vector,
        space=mean.space if vector.ndim == 2 or mean.space == "z" else "w",
        name=control.name,
        generator_id=generator.id,
        title=control.title,
        plus=control.positive_means,
        group=control.group,
        generator=generator.name,
        method="computed by a plug-in",
        unit=control.unit,
        minimum=control.minimum,
        maximum=control.maximum,
        author=control.author,
        licence=control.licence,
        source=control.source,
    )


def directions_in(folder: Path | str, generator_id: str) -> list[Control]:
    """The directions in a folder that were made for one generator, headers read only.

    A file that is damaged is left out and logged: one bad download must not take the others
    with it.

    Args:
        folder: its direction files (``*.safetensors``); it need not exist.
        generator_id: sha256 (hex) of the generator's weights.

    Returns:
        A control for each, in the order of the files' names; tensors are read on first use.
    """
    controls = []
    for path in sorted(Path(folder).glob("*.safetensors")):
        try:
            facts = read_direction_metadata(path)
            if facts["generator_id"] == generator_id:
                controls.append(_direction_control(path, facts))
        except (LatentFuError, ValueError, TypeError, ArithmeticError) as error:
            _log.warning("Left out: %s (%s)", error, path)
    return controls


def _direction_control(path: Path, facts: Mapping[str, Any]) -> Control:
    """A direction file as a slider, its tensor read when first used."""
    state = path.stat()
    own = (
        "method", "samples", "accuracy", "effect", "leakage", "attribute", "space", "absolute",
    )  # fmt: skip
    return Control(
        name=facts["name"],
        title=facts.get("title") or facts["name"].replace("_", " ").capitalize(),
        positive_means=facts.get("plus", ""),
        generator_id=facts["generator_id"],
        load=lambda: DirectionEffect(read_direction(path)),
        group=facts.get("group", "other"),
        minimum=facts.get("minimum", -3.0),
        maximum=facts.get("maximum", 3.0),
        unit=facts.get("unit", "standard deviations"),
        layers=facts.get("layers"),
        author=facts.get("author", ""),
        licence=facts.get("licence", ""),
        source=facts.get("source", ""),
        facts={
            **{name: facts[name] for name in own if name in facts},
            "file": str(path),
            "version": f"{state.st_mtime_ns}-{state.st_size}",
        },
    )

"""A direction file of this format that somebody gave: taken in as it is, or refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from latentfu import BadInputError, Direction, Generator, WrongGeneratorError, read_direction

from latentfu_builtin.directions.foreign.adopt import Wishes, check_layers
from latentfu_builtin.directions.samples import family_of, made_for


def given(path: Path, generator: Generator, wishes: Wishes) -> Direction:
    """The direction in ``path`` for ``generator``, with what was wished for.

    One for other weights is refused (WrongGeneratorError) unless ``wishes.force``: then it must
    fit in size, and what was measured on the other weights is left out.
    """
    direction = read_direction(path)
    if direction.generator_id != generator.id:
        direction = forced(direction, generator, wishes)
    layers = wishes.layers or direction.layers
    check_layers(layers, generator)
    named = replace(direction, name=wishes.name or direction.name, layers=layers)
    turned = flipped(named) if wishes.flip else named
    return replace(turned, plus=wishes.plus or turned.plus)


def forced(direction: Direction, generator: Generator, wishes: Wishes) -> Direction:
    """A direction of other weights as one of these; raises LatentFuError."""
    theirs = f"{direction.generator or 'another generator'} ({direction.generator_id[:12]})"
    if not wishes.force:
        raise WrongGeneratorError(
            f"It was made for {theirs}, not for {generator.name} ({generator.id[:12]}): import "
            f"it for that one, or give --force."
        )
    if direction.vector.shape not in shapes(direction, generator):
        raise BadInputError(
            f"It was made for {theirs} and has {list(direction.vector.shape)} numbers, which "
            f"fit nothing in {generator.name} ({family_of(generator)})."
        )
    return replace(
        direction,
        **made_for(generator),
        accuracy=None,
        effect=None,
        leakage={},
        source=", ".join(filter(None, (direction.source, f"made for {theirs}"))),
    )


def shapes(direction: Direction, generator: Generator) -> list[tuple[int, ...]]:
    """The shapes that a vector of its space may have here; none for a space that is not there."""
    if direction.parameter:
        return [tuple(generator.parameter(direction.parameter).shape)]
    if direction.space == "z":
        return [(generator.z_dim,)] if "z" in generator.spaces else []
    return [(generator.w_dim,), (generator.num_ws, generator.w_dim)] if generator.w_dim else []


def flipped(direction: Direction) -> Direction:
    """The same turned round, with all that was measured."""
    normal = direction.normal
    return replace(
        direction,
        vector=-direction.vector,
        normal=None if normal is None else -normal,
        bias=-direction.bias,
        plus=f"the opposite of: {direction.plus}" if direction.plus else "",
        minimum=-direction.maximum,
        maximum=-direction.minimum,
        effect=None if direction.effect is None else -direction.effect,
        leakage={name: -amount for name, amount in direction.leakage.items()},
    )

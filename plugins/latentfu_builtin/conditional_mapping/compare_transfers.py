"""Editing by a reference in two ways, by directions and by a conditional mapping, in figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import latentfu
import torch
from latentfu import (
    BadInputError,
    ControlEffect,
    Generator,
    Latent,
    Progress,
    random_latents,
)
from torch import Tensor

from latentfu_builtin.conditional_mapping.drawn_identity import find_build_distance
from latentfu_builtin.conditional_mapping.effect import ReferenceEffect
from latentfu_builtin.conditional_mapping.scored_attributes import ScoredAttributes
from latentfu_builtin.inversion.losses import find_identity_distance

Move = Callable[[Latent, Latent], Latent]
"""One code and the reference's to the code that is edited by it."""


@dataclass(frozen=True)
class TransferFigures:
    """Means over pairs; distances in standard deviations of the scorer's attributes.

    Attributes:
        way: How it was edited.
        distance: How far what is given over is from the reference's.
        moved: How much the other attributes changed.
        likeness: Of the person to before, 1 is the same: by an installed identity network, else
            by the build that the scorer reads; None where neither can tell.
    """

    way: str
    distance: float
    moved: float
    likeness: float | None


@torch.no_grad()
def compare_transfers(
    generator: Generator,
    effect: ReferenceEffect,
    directions: Sequence[ControlEffect],
    pairs: range,
    progress: Progress,
) -> list[TransferFigures]:
    """Nothing, the directions of the same attributes, and the mapping, on the same pairs.

    Args:
        generator: Whose pictures are edited by each other.
        effect: The conditional mapping.
        directions: One for each attribute that is given over.
        pairs: Their numbers; pair k is of the codes with the seeds 2 k and 2 k + 1.
        progress: Told how far it is; may raise to stop.
    """
    attributes = effect.attributes
    ways: dict[str, Move] = {
        "nothing": lambda latent, reference: latent,
        "directions": _move_by_directions(generator, directions),
        "mapping": lambda latent, reference: effect.give(
            latent, attributes.read(_draw(generator, reference)), generator
        ),
    }
    unlike = find_identity_distance(generator) or find_build_distance(attributes)
    rows: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
    for done, number in enumerate(pairs):
        progress(done / len(pairs), f"Pair {done + 1} of {len(pairs)}")
        first, second = (random_latents(generator, 1, 2 * number + k) for k in (0, 1))
        before = _draw(generator, first)
        has, goal = attributes.read(before), attributes.read(_draw(generator, second))
        for way, move in ways.items():
            after = _draw(generator, move(first, second))
            shows = attributes.read(after)
            far = attributes.choose(shows) - attributes.choose(goal)
            rest = (shows - has)[:, attributes.others]
            like = 1.0 - float(unlike(after, before)[0]) if unlike else 0.0
            moved = float(rest.abs().mean()) if rest.numel() else 0.0
            rows[way].append((float(far.abs().mean()), moved, like))
    return [_sum_up_way(way, found, unlike is not None) for way, found in rows.items()]


def _sum_up_way(way: str, rows: list[tuple[float, float, float]], knows: bool) -> TransferFigures:
    distance, moved, like = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    return TransferFigures(
        way, round(distance, 4), round(moved, 4), round(like, 4) if knows else None
    )


def _draw(generator: Generator, latent: Latent) -> Tensor:
    return generator.render(latent).float().clamp(-1, 1)


def find_directions_of(generator: Generator, attributes: ScoredAttributes) -> list[ControlEffect]:
    """The installed direction of each attribute that is given over.

    Raises:
        BadInputError: There is none for one of them.
    """
    controls = latentfu.controls(generator)
    missing = [name for name in attributes.names if name not in controls]
    if missing:
        raise BadInputError(
            f"There is no direction {missing[0]!r} to compare with: train it with latentfu "
            f"directions train {missing[0]}."
        )
    return [controls[name].load_for(generator) for name in attributes.names]


def _move_by_directions(generator: Generator, effects: Sequence[ControlEffect]) -> Move:
    """The linear transfer: each direction moved to where the reference stands."""

    def move(latent: Latent, reference: Latent) -> Latent:
        for effect in effects:
            amount = float(effect.amount(reference, generator)[0])
            latent = effect.reach(latent, amount, generator)
        return latent

    return move

"""What the server answers for clients that make directions: ``/v1/plugins/directions/pairs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import latentfu
import torch
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    RouteRequest,
    between,
    choose_scorer,
    own_directions_dir,
    refuse_taken_name,
    save_direction,
)

from latentfu_builtin.directions.commands.common import open_generator_or_first
from latentfu_builtin.directions.pairs import (
    PairSpread,
    PairWords,
    average_layers,
    direction_from_pairs,
)

MOST_PAIRS = 1000
_TEXT = 200
_last: dict[_Asked, tuple[Direction, PairSpread]] = {}


@dataclass(frozen=True)
class _Asked:
    """What a client wants made; two that are equal give the same direction."""

    generator: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    words: PairWords


def answer_pairs(request: RouteRequest) -> dict[str, Any]:
    """A direction from pairs of latents, measured; with ``keep`` it is put among the user's own.

    The body: ``before`` and ``after`` (lists of the inversion_key of each picture, a pair at each
    place), ``generator`` (null: the first), ``name``, ``attribute`` (what a scorer calls it),
    ``plus`` (what more of it means) and ``keep``. To keep what was measured asks for the same once
    more: it is not measured again.

    The answer: how many ``pairs``, their ``agreement`` (1 is all alike; null of one pair) and how
    much their lengths ``spread``; ``effect`` and ``leakage`` of strength 1 in standard deviations,
    where a scorer read them; ``file`` where it was kept, else null.

    Raises:
        BadInputError: the body, a latent or the name cannot be used.
    """
    asked, keep = _read_body(request.body)
    generator = open_generator_or_first(asked.generator or None)
    refuse_taken_name(asked.words.name, own_directions_dir(), generator)
    if asked not in _last:
        made = _make_direction(asked, generator, request)
        _last.clear()  # One is enough: it is kept next or never.
        _last[asked] = made
    direction, spread = _last[asked]
    path = save_direction(direction) if keep else None
    count = len(asked.before)
    return {
        "name": direction.name,
        "pairs": count,
        "agreement": round(spread.agreement, 4) if count > 1 else None,
        "spread": round(spread.length, 4) if count > 1 else None,
        "attribute": direction.attribute,
        "effect": direction.effect,
        "leakage": dict(direction.leakage),
        "unit": direction.unit,
        "file": str(path) if path else None,
    }


def _make_direction(
    asked: _Asked, generator: Generator, request: RouteRequest
) -> tuple[Direction, PairSpread]:
    pairs = zip(asked.before, asked.after, strict=True)
    codes = [_load_code(name, generator) for pair in pairs for name in pair]
    if any(code.ndim != codes[0].ndim for code in codes):
        codes = [average_layers(code, generator) for code in codes]
    stacked = average_layers(torch.cat(codes), generator)
    scorer = choose_scorer(generator.domain, asked.words.attribute)
    return direction_from_pairs(
        stacked, generator, asked.words, scorer, between(request.progress, 0.1, 1.0)
    )


def _load_code(name: str, generator: Generator) -> torch.Tensor:
    """The codes of a latent, ``[1, ...]``."""
    path = latentfu.find_latent_file(name)
    if path is None:
        raise BadInputError("A latent is no longer here: invert its picture again.")
    return latentfu.load_inversion(path, generator).latent.codes.float().cpu()


def _read_body(body: Mapping[str, Any]) -> tuple[_Asked, bool]:
    """What is asked for; raises BadInputError."""
    known = {"generator", "before", "after", "name", "attribute", "plus", "keep"}
    unknown = sorted(set(body) - known)
    if unknown:
        raise BadInputError(f"{unknown[0]} is no field of this request.")
    before, after = (_read_names(body.get(side), side) for side in ("before", "after"))
    if len(before) != len(after):
        raise BadInputError(
            f"There are {len(before)} pictures before and {len(after)} after: give pairs."
        )
    texts = {}
    for field in ("generator", "name", "attribute", "plus"):
        value = body.get(field) or ""
        if not isinstance(value, str) or len(value) > _TEXT or not value.isprintable():
            raise BadInputError(f"{field} is not a text of at most {_TEXT} characters.")
        texts[field] = value
    if not latentfu.is_name(texts["name"]):
        raise BadInputError(
            f"{texts['name']!r} is no name for a direction: take small letters, digits, - and _."
        )
    words = PairWords(texts["name"], texts["attribute"], texts["plus"])
    keep = body.get("keep", False)
    if not isinstance(keep, bool):
        raise BadInputError("keep is true or false.")
    return _Asked(texts["generator"], before, after, words), keep


def _read_names(value: object, side: str) -> tuple[str, ...]:
    names = value if isinstance(value, list) else []
    if not 1 <= len(names) <= MOST_PAIRS or not all(isinstance(name, str) for name in names):
        raise BadInputError(f"{side} is not a list of 1 to {MOST_PAIRS} latents.")
    return tuple(names)

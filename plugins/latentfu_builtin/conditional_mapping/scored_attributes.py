"""What a scorer reads of a generator's pictures, in standard deviations, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import latentfu
import torch
from latentfu import (
    BadInputError,
    Generator,
    NotInstalledError,
    Scorer,
    call_plugin,
    random_latents,
)
from torch import Tensor

_SAMPLES, _PORTION = 256, 16
FURTHEST = 3.0
"""Attributes further from the mean than this are wanted no further: nothing was seen there."""


@dataclass(frozen=True)
class ScoredAttributes:
    """A scorer's attributes; ``mean [A]`` and ``spread [A]`` over the generator's own pictures.

    ``columns``: which of them are given from one picture to another.
    """

    scorer: Scorer
    score: Callable[[Tensor], Tensor]
    columns: tuple[int, ...]
    mean: Tensor
    spread: Tensor

    def read(self, images: Tensor) -> Tensor:
        """Pictures [N, 3, R, R] in -1..1 -> all attributes in standard deviations, [N, A]."""
        return (self.score(images).float() - self.mean) / self.spread

    def choose(self, scores: Tensor) -> Tensor:
        """Of all attributes [N, A] those that are given over, [N, K]."""
        return scores[:, list(self.columns)]

    def choose_known(self, scores: Tensor) -> Tensor:
        """The same, no further from the mean than what was seen in training."""
        return self.choose(scores).clamp(-FURTHEST, FURTHEST)

    @property
    def others(self) -> list[int]:
        """The columns that stay as they are."""
        return [c for c in range(len(self.mean)) if c not in self.columns]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that are given over."""
        return tuple(self.scorer.attributes[column] for column in self.columns)


def find_scorer_for(generator: Generator, name: str | None) -> Scorer:
    """The scorer of that name, or the first for the generator's domain.

    Raises:
        NotInstalledError: There is none.
    """
    known = latentfu.scorers()
    if name is not None:
        if name not in known:
            raise NotInstalledError(
                f"There is no scorer {name!r}; installed: {', '.join(known) or 'none'}."
            )
        return known[name]
    fitting = (scorer for scorer in known.values() if scorer.domain == generator.domain)
    found = next(fitting, None)
    if found is None:
        raise NotInstalledError(
            f"No scorer reads pictures of {generator.domain}: install a plug-in with one."
        )
    return found


def load_score(scorer: Scorer, generator: Generator) -> Callable[[Tensor], Tensor]:
    """What reads pictures where the generator works; raises PluginFailedError."""
    load = call_plugin(scorer, "was loaded", lambda: scorer.load(str(generator.device)))

    def score(images: Tensor) -> Tensor:
        return call_plugin(scorer, "read pictures", lambda: load(images))

    return score


def list_group_attributes(
    generator: Generator, scorer: Scorer, groups: Sequence[str], names: Sequence[str]
) -> list[str]:
    """The scorer's attributes of these names, and those that the directions of groups are for.

    Raises:
        BadInputError: The scorer reads none of a group, or not one of the names.
    """
    found = list(names)
    for group in groups:
        belonging = [
            control.name
            for control in latentfu.controls(generator).values()
            if control.kind == "direction" and control.group == group
        ]
        read = [name for name in belonging if name in scorer.attributes]
        if not read:
            raise BadInputError(
                f"The scorer {scorer.name} reads nothing of {group!r} here: name attributes of it "
                f"with --attribute; it reads {', '.join(scorer.attributes)}."
            )
        found += read
    for name in found:
        if name not in scorer.attributes:
            raise BadInputError(
                f"The scorer {scorer.name} does not read {name!r}; it reads "
                f"{', '.join(scorer.attributes)}."
            )
    if not found:
        raise BadInputError("Say what is given over: --attributes GROUP or --attribute NAME.")
    return list(dict.fromkeys(found))


@torch.no_grad()
def measure_attributes(
    generator: Generator, scorer: Scorer, names: Sequence[str], seed: int
) -> ScoredAttributes:
    """The scorer's attributes over 256 pictures of the generator.

    Raises:
        BadInputError: The scorer gives numbers that no gradient comes through.
    """
    score = load_score(scorer, generator)
    read = []
    for start in range(0, _SAMPLES, _PORTION):
        images = generator.render(random_latents(generator, _PORTION, seed + 500_000 + start))
        read.append(score(images.float().clamp(-1, 1)).float())
    scores = torch.cat(read)  # [256, A]
    with torch.enable_grad():
        probe = score(images.float().clamp(-1, 1).requires_grad_(True))
    if not probe.requires_grad:
        raise BadInputError(
            f"Nothing can be learned from the scorer {scorer.name}: its numbers have no gradient."
        )
    columns = tuple(scorer.attributes.index(name) for name in names)
    spread = scores.std(dim=0).clamp(min=1e-6)
    return ScoredAttributes(scorer, score, columns, scores.mean(dim=0), spread)

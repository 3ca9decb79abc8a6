"""Random latents, rendered and scored: what directions are learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import torch
from latentfu import BadInputError, Generator, Latent, Progress, Scorer, Space, mixed_precision
from torch import Tensor

BATCH = 32
MOST_SAMPLES = 1_000_000


@dataclass(frozen=True)
class Samples:
    """Codes of random latents, as `shared_codes` gives them, and their ``scores [N, A]``.

    All are float32 on the CPU.

    ``spread [A]``: the standard deviation of each score. ``labels [N, A]``: what is learned
    from; the scores, or the true values where the generator's z is known to mean something.
    """

    generator: Generator
    codes: Tensor
    scores: Tensor
    attributes: tuple[str, ...]
    labels: Tensor
    known: bool = False

    def agreement(self, attribute: str) -> float:
        """Correlation of the scores with the labels: whether the attribute can be seen."""
        column = self.column(attribute)
        both = torch.stack([self.scores[:, column], self.labels[:, column]])
        return float(torch.nan_to_num(torch.corrcoef(both)[0, 1]))

    @property
    def spread(self) -> Tensor:
        return self.scores.std(dim=0).clamp(min=1e-6)

    def column(self, attribute: str) -> int:
        """The column of ``attribute``; raises BadInputError when the scorer has none."""
        if attribute not in self.attributes:
            known = ", ".join(self.attributes)
            raise BadInputError(f"The scorer does not know {attribute!r}; it knows: {known}.")
        return self.attributes.index(attribute)


Score = Callable[[Tensor], Tensor]


Meaning = Callable[[Tensor], Tensor]
"""z ``[N, z_dim]`` -> ``[N, A]``: what a generator was taught to show for it."""


def draw(
    generator: Generator,
    scorer: Scorer,
    count: int,
    *,
    seed: int,
    progress: Progress,
    meaning: Meaning | None = None,
) -> Samples:
    """``count`` random latents of ``seed`` with their scores; raises BadInputError."""
    check_count(count)
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    codes = shared_codes(generator.map(z.to(generator.device)))
    score = scorer.load(str(generator.device))
    scores = rendered_scores(generator, score, codes, progress)
    labels = scores if meaning is None else meaning(z)
    return Samples(
        generator, codes.cpu(), scores, scorer.attributes, labels, known=meaning is not None
    )


def check_count(count: int) -> None:
    """Refuse numbers of samples that nothing can be learned from (raises BadInputError)."""
    if not 100 <= count <= MOST_SAMPLES:
        raise BadInputError(f"{count} samples: give 100 to {MOST_SAMPLES}.")


def shared_codes(latent: Latent) -> Tensor:
    """One code a sample: w ``[N, D]`` of a freshly mapped w+ (its layers are equal), or z.

    Codes in w++ have something of their own in each layer and stay whole, ``[N, L, D]``.
    """
    return latent.codes[:, 0] if latent.space == "w+" else latent.codes


def shared_space(generator: Generator) -> Space:
    """The space of what `shared_codes` gives: w, z or w++."""
    if generator.spaces[-1] == "w++":
        return "w++"
    return "w" if "w" in generator.spaces else "z"


class MadeFor(TypedDict):
    """What a direction says of the weights that it is for."""

    generator_id: str
    generator: str
    family: str


def made_for(generator: Generator) -> MadeFor:
    """The same of ``generator``."""
    return {
        "generator_id": generator.id,
        "generator": generator.name,
        "family": family_of(generator),
    }


def family_of(generator: Generator) -> str:
    """What sort of network it is, for people: a direction of another sort can not fit."""
    space, size = generator.spaces[-1], f"{generator.num_ws} x {generator.w_dim}"
    codes = f"{space} of {size if generator.num_ws else generator.z_dim}"
    return f"{generator.domain}, {generator.resolution} px, {codes}"


def as_latent(generator: Generator, codes: Tensor) -> Latent:
    """codes ``[N, D]`` as the space that they came from; ``[N, L, D]`` as w+ (or w++)."""
    if codes.ndim == 3:
        return Latent(codes, "w++" if generator.spaces[-1] == "w++" else "w+", generator.id)
    return Latent(codes, "w" if "w" in generator.spaces else "z", generator.id)


@torch.no_grad()
def rendered_scores(
    generator: Generator, score: Score, codes: Tensor, progress: Progress
) -> Tensor:
    """The scores ``[N, A]`` of the pictures of codes ``[N, D]``, rendered in batches."""
    parts: Sequence[Tensor] = torch.split(codes, BATCH)
    found = []
    for done, part in enumerate(parts):
        progress(done / len(parts), "Rendering and scoring samples")
        with mixed_precision(generator.device):
            image = generator.render(as_latent(generator, part.to(generator.device)))
            found.append(score(image.float().clamp(-1, 1)).float().cpu())
    return torch.cat(found)

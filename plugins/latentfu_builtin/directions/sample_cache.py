"""Any number of samples, rendered and scored a few at a time; what is done stays done.

Only codes and scores are kept, in shards of a folder, so 100,000 samples of a 1024 px network
need 200 MB of disk and the memory of one batch. A run that was broken off goes on, and may be
divided among processes or machines: the samples are the same bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import latentfu
import numpy as np
import numpy.typing as npt
import torch
from latentfu import (
    BadInputError,
    BatchTask,
    Engine,
    Generator,
    GeneratorRecipe,
    LocalEngine,
    NotInstalledError,
    Progress,
    ShardedRows,
    WorkerPlace,
    choose_render_batch,
    data_dir,
    describe_generator,
    measure_worker,
)
from torch import Tensor

from latentfu_builtin.directions.seeded_samples import compact_codes, draw_latents, draw_z

_BATCH = 32
_ROWS_OF_SHARD = 256
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CachedSamples:
    """``codes [N, D]`` (in w++ ``[N, L, D]``) and ``scores [N, A]``, the codes mapped from the
    disk where they are many."""

    codes: _Floats
    scores: _Floats
    folder: Path


@dataclass(frozen=True)
class SamplePlan:
    """What is drawn: ``space`` z, w or w++; ``reader``: the name of what scores, for resuming;
    ``columns``: how many scores it gives. ``given``: the name or file by which the generator was
    opened. ``scorer``: the installed one that reads, if other processes may ask it."""

    generator: Generator
    count: int
    seed: int
    space: str
    reader: str
    columns: int
    given: str | None = None
    scorer: str | None = None

    def key(self, device: str) -> dict[str, str | int]:
        """What must agree for samples to be the same ones; a graphics card rounds otherwise."""
        return {
            "generator": self.generator.id,
            "seed": self.seed,
            "space": self.space,
            "reader": self.reader,
            "columns": self.columns,
            "device": device,
        }

    def folder(self, device: str) -> Path:
        """Where codes and scores lie; the same for the same plan, whatever the count."""
        words = ":".join(str(word) for word in self.key(device).values())
        return data_dir() / "work" / "samples" / hashlib.sha256(words.encode()).hexdigest()[:20]


def draw_cached_samples(
    plan: SamplePlan,
    score: Callable[[Tensor], Tensor],
    progress: Progress,
    folder: Path | None = None,
    engine: Engine | None = None,
) -> CachedSamples:
    """Draw, render and score what is not there yet; pictures ``[B, 3, R, R]`` -> ``[B, A]``.

    ``engine``: who does it; only this process can where no installed scorer reads. Raises
    BadInputError for a folder of other samples.
    """
    chosen = engine if engine is not None and plan.scorer is not None else LocalEngine(1)
    device = chosen.choose_device(str(plan.generator.device))
    batch = choose_render_batch(plan.generator.resolution, _BATCH)
    store = ShardedRows(
        folder or plan.folder(device), plan.key(device), batch, _ROWS_OF_SHARD // batch
    )
    recipe = describe_generator(plan.generator, plan.given)
    sampler = _Sampler(plan.generator, score, plan.seed, plan.space, plan.reader)
    task = BatchTask(
        partial(_open_sampler, recipe, plan.scorer or "", plan.seed, plan.space),
        _draw_batch, recipe.files, sampler,
    )  # fmt: skip

    def tell(fraction: float, message: str = "") -> None:
        progress(fraction, f"Sample {message}")

    resources = measure_worker(plan.generator, batch, device)
    store.draw(plan.count, task, resources, engine=chosen, progress=tell)
    shape = _code_shape(plan)
    codes = store.read("codes", plan.count, mapped=math.prod(shape) * plan.count > _MOST_IN_MEMORY)
    return CachedSamples(
        codes.reshape(plan.count, *shape), store.read("scores", plan.count), store.folder
    )


_MOST_IN_MEMORY = 1 << 27
"""Numbers of codes: half a gigabyte."""


@dataclass(frozen=True)
class _Sampler:
    """What a worker draws and scores with."""

    generator: Generator
    score: Callable[[Tensor], Tensor]
    seed: int
    space: str
    reader: str


def _open_sampler(
    recipe: GeneratorRecipe, scorer: str, seed: int, space: str, place: WorkerPlace
) -> _Sampler:
    """The same as it is here, in a worker; raises NotInstalledError."""
    found = latentfu.scorers().get(scorer)
    if found is None:
        raise NotInstalledError(
            f"A worker has no scorer {scorer!r}: install the same plug-ins on every machine."
        )
    generator = recipe.open(place)
    score = found.load(str(generator.device))
    return _Sampler(generator, score, seed, space, f"scorer {scorer}")


def _code_shape(plan: SamplePlan) -> tuple[int, ...]:
    """Of one code."""
    generator = plan.generator
    if plan.space == "w++":
        return generator.num_ws, generator.w_dim
    return (generator.z_dim if plan.space == "z" else generator.w_dim,)


@torch.no_grad()
def _draw_batch(sampler: _Sampler, numbers: Sequence[int]) -> dict[str, npt.NDArray[np.generic]]:
    """Codes ``[B, numbers of one]`` and scores ``[B, A]`` of the samples with these numbers."""
    generator = sampler.generator
    latent = draw_latents(generator, sampler.seed, numbers)
    image = generator.render(latent).float().clamp(-1, 1)
    found = sampler.score(image).float().reshape(len(numbers), -1).cpu().numpy()
    if sampler.space == "z":
        codes = draw_z(generator, sampler.seed, numbers)
    else:
        codes = compact_codes(latent).flatten(1)
    if not np.isfinite(found).all():
        raise BadInputError(f"{sampler.reader} gave scores that are no numbers: it cannot be used.")
    return {"codes": codes.float().cpu().numpy(), "scores": found}

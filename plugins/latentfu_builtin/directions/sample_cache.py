"""Any number of samples, rendered and scored a few at a time; what is done stays done.

Only codes and scores are kept, in two files of a folder, so 100,000 samples of a 1024 px network
need 200 MB of disk and the memory of one batch. A run that was broken off goes on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from latentfu import BadInputError, Generator, Progress, StorageError, data_dir, write_whole
from torch import Tensor

from latentfu_builtin.directions.seeded_samples import compact_codes, draw_latents, draw_z

_BATCH = 32
_SAVE_EVERY = 20
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CachedSamples:
    """``codes [N, D]`` (in w++ ``[N, L, D]``) mapped from the disk and ``scores [N, A]``."""

    codes: _Floats
    scores: _Floats
    folder: Path


@dataclass(frozen=True)
class SamplePlan:
    """What is drawn: ``space`` z, w or w++; ``reader``: the name of what scores, for resuming;
    ``columns``: how many scores it gives."""

    generator: Generator
    count: int
    seed: int
    space: str
    reader: str
    columns: int

    def folder(self) -> Path:
        """Where codes and scores lie; the same for the same plan, whatever the count."""
        words = f"{self.generator.id}:{self.seed}:{self.space}:{self.reader}:{self.columns}"
        return data_dir() / "work" / "samples" / hashlib.sha256(words.encode()).hexdigest()[:20]


def draw_cached_samples(
    plan: SamplePlan,
    score: Callable[[Tensor], Tensor],
    progress: Progress,
    folder: Path | None = None,
) -> CachedSamples:
    """Draw, render and score what is not there yet; pictures ``[B, 3, R, R]`` -> ``[B, A]``."""
    place = folder or plan.folder()
    shape = _code_shape(plan)
    codes = _open_table(place / "codes.npy", plan.count, math.prod(shape))
    scores = _open_table(place / "scores.npy", plan.count, plan.columns)
    done = min(_count_done(place, plan), plan.count)
    while done < plan.count:
        progress(done / plan.count, f"Sample {done} of {plan.count}")
        numbers = range(done, min(done + _BATCH, plan.count))
        codes[done : numbers[-1] + 1], scores[done : numbers[-1] + 1] = _draw_batch(
            plan, numbers, score
        )
        done = numbers[-1] + 1
        if done == plan.count or (done // _BATCH) % _SAVE_EVERY == 0:
            codes.flush()
            scores.flush()
            write_whole(
                place / "done.json", json.dumps({"plan": _plan_key(plan), "done": done}).encode()
            )
    return CachedSamples(codes.reshape(plan.count, *shape), scores, place)


def _code_shape(plan: SamplePlan) -> tuple[int, ...]:
    """Of one code."""
    generator = plan.generator
    if plan.space == "w++":
        return generator.num_ws, generator.w_dim
    return (generator.z_dim if plan.space == "z" else generator.w_dim,)


@torch.no_grad()
def _draw_batch(
    plan: SamplePlan, numbers: range, score: Callable[[Tensor], Tensor]
) -> tuple[_Floats, _Floats]:
    """Codes ``[B, numbers of one]`` and scores ``[B, A]`` of the samples with these numbers."""
    generator = plan.generator
    latent = draw_latents(generator, plan.seed, numbers)
    image = generator.render(latent).float().clamp(-1, 1)
    found = score(image).float().reshape(len(numbers), -1).cpu().numpy()
    if plan.space == "z":
        codes = draw_z(generator, plan.seed, numbers)
    else:
        codes = compact_codes(latent).flatten(1)
    if not np.isfinite(found).all():
        raise BadInputError(f"{plan.reader} gave scores that are no numbers: it cannot be used.")
    return codes.float().cpu().numpy(), found


def _plan_key(plan: SamplePlan) -> str:
    """What must agree for samples to be the same ones."""
    return f"{plan.generator.id}:{plan.seed}:{plan.space}:{plan.reader}:{plan.columns}"


def _count_done(place: Path, plan: SamplePlan) -> int:
    """How many samples of this plan are there already."""
    try:
        known = json.loads((place / "done.json").read_text())
        return int(known["done"]) if known["plan"] == _plan_key(plan) else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _open_table(path: Path, rows: int, columns: int) -> Any:
    """A .npy file of float32, mapped, its first ``rows``; longer when more are wanted, never
    shorter: samples that were drawn once stay."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        old = np.load(path, mmap_mode="r+") if path.is_file() else None
        fits = old is not None and old.ndim == 2 and old.shape[1] == columns
        if old is not None and fits and len(old) >= rows and old.dtype == np.float32:
            return old[:rows]
        fresh = path.with_suffix(".new.npy")
        new = np.lib.format.open_memmap(fresh, mode="w+", dtype=np.float32, shape=(rows, columns))
        if old is not None and fits:
            new[: len(old)] = old[:rows]
        new.flush()
        fresh.replace(path)
        return new
    except (OSError, ValueError) as error:
        raise StorageError(f"The samples cannot be kept in {path.parent}: {error}.") from error

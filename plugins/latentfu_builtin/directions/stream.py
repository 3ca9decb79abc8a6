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

from latentfu_builtin.directions.numbered import latents_of, z_of
from latentfu_builtin.directions.samples import shared_codes

BATCH = 32
SAVE_EVERY = 20
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Streamed:
    """``codes [N, D]`` (in w++ ``[N, L, D]``) mapped from the disk and ``scores [N, A]``."""

    codes: Floats
    scores: Floats
    folder: Path


@dataclass(frozen=True)
class Plan:
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


def stream(
    plan: Plan, score: Callable[[Tensor], Tensor], progress: Progress, folder: Path | None = None
) -> Streamed:
    """Draw, render and score what is not there yet; pictures ``[B, 3, R, R]`` -> ``[B, A]``."""
    place = folder or plan.folder()
    shape = shape_of(plan)
    codes = table(place / "codes.npy", plan.count, math.prod(shape))
    scores = table(place / "scores.npy", plan.count, plan.columns)
    done = min(done_in(place, plan), plan.count)
    while done < plan.count:
        progress(done / plan.count, f"Sample {done} of {plan.count}")
        numbers = range(done, min(done + BATCH, plan.count))
        codes[done : numbers[-1] + 1], scores[done : numbers[-1] + 1] = one_batch(
            plan, numbers, score
        )
        done = numbers[-1] + 1
        if done == plan.count or (done // BATCH) % SAVE_EVERY == 0:
            codes.flush()
            scores.flush()
            write_whole(place / "done.json", json.dumps({"plan": key(plan), "done": done}).encode())
    return Streamed(codes.reshape(plan.count, *shape), scores, place)


def shape_of(plan: Plan) -> tuple[int, ...]:
    """Of one code."""
    generator = plan.generator
    if plan.space == "w++":
        return generator.num_ws, generator.w_dim
    return (generator.z_dim if plan.space == "z" else generator.w_dim,)


@torch.no_grad()
def one_batch(
    plan: Plan, numbers: range, score: Callable[[Tensor], Tensor]
) -> tuple[Floats, Floats]:
    """Codes ``[B, numbers of one]`` and scores ``[B, A]`` of the samples with these numbers."""
    generator = plan.generator
    latent = latents_of(generator, plan.seed, numbers)
    image = generator.render(latent).float().clamp(-1, 1)
    found = score(image).float().reshape(len(numbers), -1).cpu().numpy()
    if plan.space == "z":
        codes = z_of(generator, plan.seed, numbers)
    else:
        codes = shared_codes(latent).flatten(1)
    if not np.isfinite(found).all():
        raise BadInputError(f"{plan.reader} gave scores that are no numbers: it can not be used.")
    return codes.float().cpu().numpy(), found


def key(plan: Plan) -> str:
    """What must agree for samples to be the same ones."""
    return f"{plan.generator.id}:{plan.seed}:{plan.space}:{plan.reader}:{plan.columns}"


def done_in(place: Path, plan: Plan) -> int:
    """How many samples of this plan are there already."""
    try:
        known = json.loads((place / "done.json").read_text())
        return int(known["done"]) if known["plan"] == key(plan) else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def table(path: Path, rows: int, columns: int) -> Any:
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
        raise StorageError(f"The samples can not be kept in {path.parent}: {error}.") from error

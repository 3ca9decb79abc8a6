"""Features of many pictures, drawn and looked at by the workers of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from latentfu import (
    BatchTask,
    Engine,
    Generator,
    GeneratorRecipe,
    LocalEngine,
    Progress,
    WorkerPlace,
    describe_generator,
    map_batches,
    measure_worker,
)

from latentfu_builtin.evaluation.evaluate_generator import (
    BATCH,
    EvaluationMethod,
    GeneratedPictures,
    PictureLooks,
    look_at_pictures,
    open_feature_reader,
)
from latentfu_builtin.evaluation.references import FolderReferences, References
from latentfu_builtin.portraits.evaluate.measures import FeatureReader

_Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
_Looker = tuple[References | GeneratedPictures, FeatureReader]
"""What draws, and what looks at it."""


@dataclass(frozen=True)
class FeatureDivision:
    """Who looks: ``inception``: the weights, if its features are meant; ``given``: the name or
    file by which the generator was opened."""

    engine: Engine
    inception: Path | None
    given: str | None

    def look_at_generated(
        self, generator: Generator, method: EvaluationMethod, progress: Progress
    ) -> PictureLooks:
        """The generator's own pictures."""
        recipe = describe_generator(generator, self.given)
        open_worker = partial(_open_generated, recipe, method.seed, method.psi, self.inception)
        here: _Looker = GeneratedPictures(generator, method.seed, method.psi), method.look
        files = (*recipe.files, *self._files())
        task: BatchTask[_Looker, int, _Arrays] = BatchTask(open_worker, _look_at_batch, files, here)
        return self._run(self.engine, task, method.samples, generator, progress)

    def look_at_references(
        self,
        references: References,
        generator: Generator,
        method: EvaluationMethod,
        progress: Progress,
    ) -> PictureLooks:
        """What they are compared with; the pictures of a folder are on this machine alone."""
        is_here = isinstance(references, FolderReferences)
        engine = self.engine if isinstance(self.engine, LocalEngine) or not is_here else None
        open_worker = partial(_open_references, references, self.inception)
        task: BatchTask[_Looker, int, _Arrays] = BatchTask(
            open_worker, _look_at_batch, self._files(), (references, method.look)
        )
        return self._run(engine or LocalEngine(), task, references.count, generator, progress)

    def _files(self) -> tuple[Path, ...]:
        return () if self.inception is None else (self.inception,)

    def _run(
        self,
        engine: Engine,
        task: BatchTask[_Looker, int, _Arrays],
        count: int,
        generator: Generator,
        progress: Progress,
    ) -> PictureLooks:
        resources = measure_worker(generator, BATCH, engine.choose_device(str(generator.device)))
        found = [
            rows
            for _, rows in map_batches(
                task, range(count), resources, engine=engine, progress=progress
            )
        ]
        features, sharpness = (
            torch.from_numpy(np.concatenate(each)) for each in zip(*found, strict=True)
        )
        return PictureLooks(features, sharpness)


def _open_generated(
    recipe: GeneratorRecipe, seed: int, psi: float, inception: Path | None, place: WorkerPlace
) -> _Looker:
    """What a worker draws with, and looks with."""
    return GeneratedPictures(recipe.open(place), seed, psi), _open_reader(inception, place)


def _open_references(references: References, inception: Path | None, place: WorkerPlace) -> _Looker:
    """The same for what pictures are compared with."""
    return references, _open_reader(inception, place)


def _open_reader(inception: Path | None, place: WorkerPlace) -> FeatureReader:
    return open_feature_reader(None if inception is None else place.find(inception))


def _look_at_batch(looker: _Looker, numbers: Sequence[int]) -> _Arrays:
    """Features ``[n, D]`` and sharpness ``[n]`` of the pictures with these numbers."""
    pictures, look = looker
    found = look_at_pictures(pictures.draw(numbers[0], numbers[-1] + 1), look)
    return found.features.numpy(), found.sharpness.numpy()

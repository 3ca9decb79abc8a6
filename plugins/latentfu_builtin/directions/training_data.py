"""Codes with labels to train from: sorted or scored pictures, a classifier, or a scorer."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import numpy.typing as npt
import torch
from latentfu import BadInputError, Engine, Generator, Progress, Scorer, between
from torch import Tensor

from latentfu_builtin.directions.picture_classifier import TrainedClassifier, train_classifier
from latentfu_builtin.directions.sample_cache import SamplePlan, draw_cached_samples
from latentfu_builtin.directions.seeded_samples import (
    SampleNumber,
    as_latent,
    compact_space,
    draw_latents,
    open_picture,
    read_number,
)
from latentfu_builtin.directions.train_direction import TrainingData

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class CodedPictures:
    """``codes [N, num_ws, w_dim]`` (or ``[N, D]`` where there is one code only) on the CPU, and
    what each picture was given: ``labels [N]``, a folder's number or a score. ``numbers [N]``:
    which sample of the generator it is, None for one that was inverted."""

    paths: list[Path]
    codes: Tensor
    labels: npt.NDArray[np.float64]
    numbers: list[SampleNumber | None]

    @property
    def inverted(self) -> int:
        """How many had to be inverted."""
        return self.numbers.count(None)


@dataclass(frozen=True)
class InversionChoice:
    """How pictures that are no samples of the generator are inverted."""

    inverter: str | None = None
    quality: str | None = None


def list_sorted_folders(folders: Sequence[Path]) -> list[tuple[Path, float]]:
    """The pictures of each folder with its number; BadInputError for one that has none."""
    found = []
    for number, folder in enumerate(folders):
        if not folder.is_dir():
            raise BadInputError(f"There is no folder {folder}.")
        paths = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in PICTURE_ENDINGS]
        if not paths:
            raise BadInputError(f"The folder {folder} has no pictures: all would be of one kind.")
        found += [(path, float(number)) for path in paths]
    return found


def _list_scored_pictures(folder: Path, file: Path) -> list[tuple[Path, float]]:
    """The pictures that a .csv file (name, score) gives a score; BadInputError."""
    try:
        with file.open(newline="", encoding="utf-8") as opened_file:
            rows = [row for row in csv.reader(opened_file) if len(row) >= 2]
    except (OSError, ValueError, csv.Error) as error:
        raise BadInputError(f"{file} cannot be read as names and scores: {error}.") from error
    found = []
    for row in rows:
        try:
            score = float(row[-1])
        except ValueError:
            continue
        path = folder / row[0]
        if not path.is_file():
            raise BadInputError(f"{file} names {row[0]}, which is not in {folder}.")
        found.append((path, score))
    if not found:
        raise BadInputError(f"{file} gives no picture a score: write lines like name.png,0.7.")
    return found


def read_picture_codes(
    listed: Sequence[tuple[Path, float]],
    generator: Generator,
    choice: InversionChoice,
    progress: Progress,
) -> CodedPictures:
    """Their codes: drawn again for samples of the generator, found by inversion for others.

    Inversions are kept, so that a run which was broken off goes on where it was.
    """
    codes: list[Tensor] = []
    numbers: list[SampleNumber | None] = []
    for done, (path, _) in enumerate(listed):
        progress(done / len(listed), f"Finding the codes of {path.name}")
        number = read_number(path, generator)
        if number is not None:
            found = draw_latents(generator, number.seed, [number.number]).codes
        else:
            found = _invert_picture(path, generator, choice)
        numbers.append(number)
        codes.append(found.detach().float().cpu())
    labels = np.array([label for _, label in listed])
    return CodedPictures(
        [path for path, _ in listed], torch.cat(_expand_layers(codes, generator)), labels, numbers
    )


def _invert_picture(path: Path, generator: Generator, choice: InversionChoice) -> Tensor:
    """The code of a picture, ``[1, ...]``; BadInputError, naming it, when there is none."""
    try:
        found: Any = latentfu.invert(
            open_picture(path),
            generator=generator,
            inverter=choice.inverter,
            quality=choice.quality,
        )
    except BadInputError as error:
        raise BadInputError(f"{path} cannot be used: {error}") from error
    codes: Tensor = found.latent.codes
    return codes


def _expand_layers(codes: list[Tensor], generator: Generator) -> list[Tensor]:
    """All with an axis of layers where any has one."""
    if all(item.ndim == codes[0].ndim for item in codes):
        return codes
    layers = generator.num_ws
    return [item if item.ndim == 3 else item[:, None].expand(-1, layers, -1) for item in codes]


@dataclass(frozen=True)
class TrainingSource:
    """What a person gave to train from; names are those of the options.

    ``given``: the name or file by which the generator was opened.
    """

    attribute: str
    folders: tuple[Path, ...] = ()
    pictures: Path | None = None
    scores: Path | None = None
    classifier: bool = False
    samples: int | None = None
    space: str = "w"
    seed: int = 0
    work: Path | None = None
    inversion: InversionChoice = field(default_factory=InversionChoice)
    given: str | None = None
    engine: Engine | None = None


def collect_training_data(
    source: TrainingSource, generator: Generator, scorer: Scorer | None, progress: Progress
) -> tuple[TrainingData, list[str]]:
    """Codes with labels, and what there is to tell a person about them; raises BadInputError."""
    if source.folders:
        return _from_folders(source, generator, scorer, progress)
    if source.pictures is not None:
        return _from_pictures(source, source.pictures, generator, scorer, progress)
    return _from_samples(source, generator, scorer, progress)


def _from_folders(
    source: TrainingSource, generator: Generator, scorer: Scorer | None, progress: Progress
) -> tuple[TrainingData, list[str]]:
    """Pictures sorted by hand; with a number of samples a classifier carries it over to those."""
    if len(source.folders) < 2:
        raise BadInputError("One folder is one kind only: give --folder twice, the least first.")
    found = read_picture_codes(
        list_sorted_folders(source.folders),
        generator,
        source.inversion,
        between(progress, 0.0, 0.3),
    )
    last = float(len(source.folders) - 1)
    kinds = np.where(found.labels == last, 1.0, np.where(found.labels == 0.0, 0.0, -1.0))
    notes = [f"{len(found.paths)} pictures, {found.inverted} of them inverted."]
    codes = _in_space(found.codes, source.space).numpy()
    if not source.samples and not source.classifier:
        description = f"{len(found.paths)} pictures sorted by hand"
        return TrainingData(codes, kinds, True, description), notes
    trained = train_on_pictures(found, kinds, generator, scorer, source.seed)
    notes.append(f"The classifier tells apart {trained.accuracy:.1%} of pictures it did not see.")
    ends = kinds[kinds >= 0]
    by_guessing = max(float(ends.mean()), 1.0 - float(ends.mean()))
    if trained.accuracy <= by_guessing:
        notes.append(
            f"That is no better than guessing ({by_guessing:.1%}): the direction will mean "
            f"something else. Sort more pictures, or ones that differ in {source.attribute} alone."
        )
    if not source.samples:
        ends = kinds >= 0
        description = (
            f"{int(ends.sum())} pictures sorted by hand, scored by classifiers that saw others"
        )
        return TrainingData(codes[ends], trained.held_out_scores, False, description), notes
    name = f"classifier of {source.attribute} by {_fingerprint(found)}"
    streamed = draw_cached_samples(
        _plan_samples(source, generator, name, 1),
        trained.score,
        between(progress, 0.3, 0.9),
        source.work,
    )
    description = (
        f"{source.samples} samples scored by a classifier of {len(found.paths)} sorted pictures"
    )
    scores = streamed.scores[:, 0].astype(np.float64)
    put_held_out_scores(scores, found, kinds, trained, source.seed)
    return TrainingData(streamed.codes, scores, False, description), notes


def put_held_out_scores(
    scores: np.ndarray,
    found: CodedPictures,
    kinds: np.ndarray,
    trained: TrainedClassifier,
    seed: int,
) -> None:
    """Put, in ``scores [N]`` of samples of ``seed``, those of fits that left a picture out where
    the sample is one that the classifier learned from."""
    ends = np.flatnonzero(kinds >= 0)
    for place, score in zip(ends, trained.held_out_scores, strict=True):
        number = found.numbers[place]
        if number is not None and number.seed == seed and number.number < len(scores):
            scores[number.number] = score


def train_on_pictures(
    found: CodedPictures,
    kinds: np.ndarray,
    generator: Generator,
    scorer: Scorer | None,
    seed: int,
) -> TrainedClassifier:
    """A classifier of the pictures as the generator draws them, first folder against last."""
    ends = np.flatnonzero(kinds >= 0)

    def image(i: int) -> Tensor:
        code = found.codes[ends[i] : ends[i] + 1].to(generator.device)
        with torch.no_grad():
            drawn: Tensor = generator.render(as_latent(generator, code))
        return drawn[0].float().cpu()

    return train_classifier(image, kinds[ends].astype(np.int64), scorer, seed)


def _fingerprint(found: CodedPictures) -> str:
    """A short name of a sorting, so that its samples are not taken for another's."""
    import hashlib

    words = found.codes.numpy().tobytes() + found.labels.tobytes()
    return hashlib.sha256(words).hexdigest()[:16]


def _from_pictures(
    source: TrainingSource,
    folder: Path,
    generator: Generator,
    scorer: Scorer | None,
    progress: Progress,
) -> tuple[TrainingData, list[str]]:
    """A folder of pictures with a file of scores, or read by the scorer."""
    if not folder.is_dir():
        raise BadInputError(f"There is no folder {folder}.")
    if source.scores is not None:
        listed = _list_scored_pictures(folder, source.scores)
    else:
        paths = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in PICTURE_ENDINGS]
        listed = [(path, 0.0) for path in paths]
    if not listed:
        raise BadInputError(f"The folder {folder} has no pictures.")
    found = read_picture_codes(listed, generator, source.inversion, between(progress, 0.0, 0.9))
    scores = found.labels
    if source.scores is None:
        scores = _score_pictures(
            found.codes, generator, _need_scorer(scorer, source), source.attribute
        )
    codes = _in_space(found.codes, source.space).numpy()
    notes = [f"{len(listed)} pictures, {found.inverted} of them inverted."]
    return TrainingData(codes, scores, False, f"{len(listed)} scored pictures"), notes


def _from_samples(
    source: TrainingSource, generator: Generator, scorer: Scorer | None, progress: Progress
) -> tuple[TrainingData, list[str]]:
    """Samples of the generator, read by the scorer."""
    reader = _need_scorer(scorer, source)
    column = reader.attributes.index(source.attribute)
    score = reader.load(str(generator.device))
    streamed = draw_cached_samples(
        plan_scored_samples(generator, reader, source),
        score, between(progress, 0.0, 0.9), source.work, source.engine,
    )  # fmt: skip
    description = f"{source.samples} samples read by {reader.name}"
    scores = streamed.scores[:, column].astype(np.float64)
    if source.space == "w+":
        raise BadInputError(
            "The layers of a sample's code are all alike: w+ needs inverted pictures (--folder or "
            "--pictures); leave --space out."
        )
    return TrainingData(streamed.codes, scores, False, description), []


def plan_scored_samples(generator: Generator, scorer: Scorer, source: TrainingSource) -> SamplePlan:
    """What is drawn where an installed scorer reads: other processes may do it."""
    plan = _plan_samples(source, generator, f"scorer {scorer.name}", len(scorer.attributes))
    return replace(plan, given=source.given, scorer=scorer.name)


def _plan_samples(
    source: TrainingSource, generator: Generator, reader: str, columns: int
) -> SamplePlan:
    """What is drawn for these wishes."""
    count = source.samples or 4000
    space = "z" if source.space == "z" else compact_space(generator)
    return SamplePlan(generator, count, source.seed, space, reader, columns)


def _need_scorer(scorer: Scorer | None, source: TrainingSource) -> Scorer:
    """The scorer, if it reads the attribute (raises BadInputError)."""
    if scorer is None:
        raise BadInputError("There is no scorer for this generator: sort pictures into --folder.")
    if source.attribute not in scorer.attributes:
        known = ", ".join(scorer.attributes)
        raise BadInputError(
            f"The scorer does not know {source.attribute!r}: sort pictures into --folder, or take "
            f"one of {known}."
        )
    return scorer


@torch.no_grad()
def _score_pictures(
    codes: Tensor, generator: Generator, scorer: Scorer, attribute: str
) -> np.ndarray:
    """What the scorer reads in the pictures of these codes, ``[N]``."""
    from latentfu_builtin.directions.seeded_samples import score_codes

    score: Callable[[Tensor], Tensor] = scorer.load(str(generator.device))
    found = score_codes(generator, score, codes, lambda fraction, message="": None)
    return found[:, scorer.attributes.index(attribute)].double().numpy()


def _in_space(codes: Tensor, space: str) -> Tensor:
    """Codes ``[N, L, D]`` as w (the mean of the layers) or as they are."""
    return codes.mean(dim=1) if space == "w" and codes.ndim == 3 else codes

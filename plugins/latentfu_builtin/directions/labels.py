"""Where the labels of a training come from: folders, a file of scores, a classifier, a scorer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from latentfu import BadInputError, Generator, Progress, Scorer, between
from torch import Tensor

from latentfu_builtin.directions.chain import Labelled
from latentfu_builtin.directions.classifier import Trained, train_classifier
from latentfu_builtin.directions.samples import as_latent, shared_space
from latentfu_builtin.directions.sorted_pictures import (
    ENDINGS,
    How,
    Pictures,
    in_folders,
    read_pictures,
    with_scores,
)
from latentfu_builtin.directions.stream import Plan, stream


@dataclass(frozen=True)
class Wanted:
    """What a person gave to train from; names are those of the options."""

    attribute: str
    folders: tuple[Path, ...] = ()
    pictures: Path | None = None
    scores: Path | None = None
    classifier: bool = False
    samples: int | None = None
    space: str = "w"
    seed: int = 0
    work: Path | None = None
    how: How = field(default_factory=How)


def labelled_codes(
    wanted: Wanted, generator: Generator, scorer: Scorer | None, progress: Progress
) -> tuple[Labelled, list[str]]:
    """Codes with labels, and what there is to tell a person about them; raises BadInputError."""
    if wanted.folders:
        return from_folders(wanted, generator, scorer, progress)
    if wanted.pictures is not None:
        return from_pictures(wanted, wanted.pictures, generator, scorer, progress)
    return from_samples(wanted, generator, scorer, progress)


def from_folders(
    wanted: Wanted, generator: Generator, scorer: Scorer | None, progress: Progress
) -> tuple[Labelled, list[str]]:
    """Pictures sorted by hand; with a number of samples a classifier carries it over to those."""
    if len(wanted.folders) < 2:
        raise BadInputError("One folder is one kind only: give --folder twice, the least first.")
    found = read_pictures(
        in_folders(wanted.folders), generator, wanted.how, between(progress, 0.0, 0.3)
    )
    last = float(len(wanted.folders) - 1)
    kinds = np.where(found.labels == last, 1.0, np.where(found.labels == 0.0, 0.0, -1.0))
    notes = [f"{len(found.paths)} pictures, {found.inverted} of them inverted."]
    codes = in_space(found.codes, wanted.space).numpy()
    if not wanted.samples and not wanted.classifier:
        told = f"{len(found.paths)} pictures sorted by hand"
        return Labelled(codes, kinds, True, told), notes
    trained = classifier_of(found, kinds, generator, scorer, wanted.seed)
    notes.append(f"The classifier tells apart {trained.accuracy:.1%} of pictures it did not see.")
    if not wanted.samples:
        ends = kinds >= 0
        told = f"{int(ends.sum())} pictures sorted by hand, scored by classifiers that saw others"
        return Labelled(codes[ends], trained.own, False, told), notes
    name = f"classifier of {wanted.attribute} by {fingerprint(found)}"
    streamed = stream(
        plan(wanted, generator, name, 1), trained.score, between(progress, 0.3, 0.9), wanted.work
    )
    told = f"{wanted.samples} samples scored by a classifier of {len(found.paths)} sorted pictures"
    scores = streamed.scores[:, 0].astype(np.float64)
    left_out(scores, found, kinds, trained, wanted.seed)
    return Labelled(streamed.codes, scores, False, told), notes


def left_out(
    scores: np.ndarray, found: Pictures, kinds: np.ndarray, trained: Trained, seed: int
) -> None:
    """Put, in ``scores [N]`` of samples of ``seed``, those of fits that left a picture out where
    the sample is one that the classifier learned from."""
    ends = np.flatnonzero(kinds >= 0)
    for place, score in zip(ends, trained.own, strict=True):
        number = found.numbers[place]
        if number is not None and number.seed == seed and number.number < len(scores):
            scores[number.number] = score


def classifier_of(
    found: Pictures,
    kinds: np.ndarray,
    generator: Generator,
    scorer: Scorer | None,
    seed: int,
) -> Trained:
    """A classifier of the pictures as the generator draws them, first folder against last."""
    ends = np.flatnonzero(kinds >= 0)

    def image(i: int) -> Tensor:
        code = found.codes[ends[i] : ends[i] + 1].to(generator.device)
        with torch.no_grad():
            drawn: Tensor = generator.render(as_latent(generator, code))
        return drawn[0].float().cpu()

    return train_classifier(image, kinds[ends].astype(np.int64), scorer, seed)


def fingerprint(found: Pictures) -> str:
    """A short name of a sorting, so that its samples are not taken for another's."""
    import hashlib

    words = found.codes.numpy().tobytes() + found.labels.tobytes()
    return hashlib.sha256(words).hexdigest()[:16]


def from_pictures(
    wanted: Wanted, folder: Path, generator: Generator, scorer: Scorer | None, progress: Progress
) -> tuple[Labelled, list[str]]:
    """A folder of pictures with a file of scores, or read by the scorer."""
    if not folder.is_dir():
        raise BadInputError(f"There is no folder {folder}.")
    if wanted.scores is not None:
        listed = with_scores(folder, wanted.scores)
    else:
        paths = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in ENDINGS]
        listed = [(path, 0.0) for path in paths]
    if not listed:
        raise BadInputError(f"The folder {folder} has no pictures.")
    found = read_pictures(listed, generator, wanted.how, between(progress, 0.0, 0.9))
    scores = found.labels
    if wanted.scores is None:
        scores = scored(found.codes, generator, scorer_needed(scorer, wanted), wanted.attribute)
    codes = in_space(found.codes, wanted.space).numpy()
    notes = [f"{len(listed)} pictures, {found.inverted} of them inverted."]
    return Labelled(codes, scores, False, f"{len(listed)} scored pictures"), notes


def from_samples(
    wanted: Wanted, generator: Generator, scorer: Scorer | None, progress: Progress
) -> tuple[Labelled, list[str]]:
    """Samples of the generator, read by the scorer."""
    reader = scorer_needed(scorer, wanted)
    column = reader.attributes.index(wanted.attribute)
    score = reader.load(str(generator.device))
    streamed = stream(
        plan(wanted, generator, f"scorer {reader.name}", len(reader.attributes)),
        score, between(progress, 0.0, 0.9), wanted.work,
    )  # fmt: skip
    told = f"{wanted.samples} samples read by {reader.name}"
    scores = streamed.scores[:, column].astype(np.float64)
    if wanted.space == "w+":
        raise BadInputError(
            "The layers of a sample's code are all alike: w+ needs inverted pictures (--folder or "
            "--pictures); leave --space out."
        )
    return Labelled(streamed.codes, scores, False, told), []


def plan(wanted: Wanted, generator: Generator, reader: str, columns: int) -> Plan:
    """What is drawn for these wishes."""
    count = wanted.samples or 4000
    space = "z" if wanted.space == "z" else shared_space(generator)
    return Plan(generator, count, wanted.seed, space, reader, columns)


def scorer_needed(scorer: Scorer | None, wanted: Wanted) -> Scorer:
    """The scorer, if it reads the attribute (raises BadInputError)."""
    if scorer is None:
        raise BadInputError("There is no scorer for this generator: sort pictures into --folder.")
    if wanted.attribute not in scorer.attributes:
        known = ", ".join(scorer.attributes)
        raise BadInputError(
            f"The scorer does not know {wanted.attribute!r}: sort pictures into --folder, or take "
            f"one of {known}."
        )
    return scorer


@torch.no_grad()
def scored(codes: Tensor, generator: Generator, scorer: Scorer, attribute: str) -> np.ndarray:
    """What the scorer reads in the pictures of these codes, ``[N]``."""
    from latentfu_builtin.directions.samples import rendered_scores

    score: Callable[[Tensor], Tensor] = scorer.load(str(generator.device))
    found = rendered_scores(generator, score, codes, lambda fraction, message="": None)
    return found[:, scorer.attributes.index(attribute)].double().numpy()


def in_space(codes: Tensor, space: str) -> Tensor:
    """Codes ``[N, L, D]`` as w (the mean of the layers) or as they are."""
    return codes.mean(dim=1) if space == "w" and codes.ndim == 3 else codes

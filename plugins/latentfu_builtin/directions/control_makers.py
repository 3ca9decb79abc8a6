"""The control makers ``svm`` and ``ridge``: the training path on samples that a scorer has read.

Also all directions of a generator from one set of samples: what a package ships.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from latentfu import BadInputError, ControlRequest, Direction, Scorer, between, save_direction

from latentfu_builtin.directions.boundaries import Whitening
from latentfu_builtin.directions.effects import TRIALS, EffectMeasurement
from latentfu_builtin.directions.seeded_samples import ScoredSamples, ZMeaning, draw_scored_samples
from latentfu_builtin.directions.train_direction import (
    REGRESSION,
    TrainingData,
    TrainingSettings,
    train_direction,
)

_Options = Mapping[str, float | int | str | bool]
_SVM_OPTIONS: _Options = {"ends": 0.25, "clean": 0, "trials": TRIALS}
_RIDGE_OPTIONS: _Options = {"strength": 0.01, "clean": -1, "trials": TRIALS}
_FEWEST_AT_AN_END = 20
_WEAKEST_ACCURACY = 0.75
_WEAKEST_AGREEMENT = 0.2
_LONGEST_LEVER = 6.0
"""A direction whose strength 1 is more than this many spreads of w tears the picture."""
_WORDS = ("name", "title", "plus", "group", "author", "licence", "source")


def make_svm(request: ControlRequest, out: Path) -> list[Path]:
    """One direction file by a linear SVM; ``clean``: attributes to leave alone."""
    return [_save(_make_by(request, "svm"), out)]


def make_ridge(request: ControlRequest, out: Path) -> list[Path]:
    """One direction file by ridge regression, leaving all other attributes alone."""
    return [_save(_make_by(request, "ridge"), out)]


def _make_by(request: ControlRequest, maker: str) -> Direction:
    """The direction; its progress goes by pictures: the samples, then each trial four times."""
    trials = 4 * int(request.options.get("trials", TRIALS))
    drawn = request.samples / (request.samples + trials)
    sampling = replace(request, progress=between(request.progress, 0.0, drawn))
    measuring = replace(request, progress=between(request.progress, drawn, 1.0))
    return _AttributeTrainer.of(sampling).train(measuring, maker)


@dataclass(frozen=True)
class _AttributeTrainer:
    """Samples drawn once, from which the directions of any of their attributes are trained."""

    samples: ScoredSamples
    whitening: Whitening
    measurement: EffectMeasurement
    reader: str

    @staticmethod
    def of(request: ControlRequest, meaning: ZMeaning | None = None) -> _AttributeTrainer:
        """Draw what ``request`` asks for; labels from ``meaning`` where that is known."""
        scorer = _need_scorer(request)
        samples = draw_scored_samples(
            request.generator,
            scorer,
            request.samples,
            seed=request.seed,
            progress=request.progress,
            meaning=meaning,
        )
        measurement = EffectMeasurement.on_fresh_samples(
            request.generator,
            scorer,
            request.seed,
            trials=int(request.options.get("trials", TRIALS)),
            spread=samples.spread,
        )
        return _AttributeTrainer(samples, Whitening.of(samples.codes), measurement, scorer.name)

    def train(self, request: ControlRequest, maker: str) -> Direction:
        """The direction of ``request.attribute`` by ``maker``, "svm" or "ridge"."""
        defaults = _SVM_OPTIONS if maker == "svm" else _RIDGE_OPTIONS
        options = {**defaults, **request.options}
        data = self._data_for(request.attribute)
        settings = TrainingSettings(
            method="svm" if maker == "svm" else REGRESSION,
            seed=request.seed,
            clean=int(options["clean"]),
            words=_words_of(request.attribute, options),
        )
        if maker == "svm":
            settings = replace(settings, ends=_check_ends(data, float(options["ends"])))
        else:
            settings = replace(settings, strength=float(options["strength"]))
        trained = train_direction(
            data, settings, request.generator, self.measurement, request.progress
        )
        return trained.direction

    def _data_for(self, attribute: str) -> TrainingData:
        """The samples with the labels of ``attribute``; BadInputError when there are none."""
        labels = self.samples.labels.double().numpy()  # [N, A]
        column = self.samples.column(attribute)
        others = {
            name: labels[:, i] for i, name in enumerate(self.samples.attributes) if i != column
        }
        reader = "known by their z" if self.samples.known else f"read by {self.reader}"
        return TrainingData(
            codes=self.samples.codes,
            scores=labels[:, column],
            description=f"{len(labels)} samples {reader}",
            others=others,
            whitening=self.whitening,
            true_scores=self.samples.known,
        )


def _need_scorer(request: ControlRequest) -> Scorer:
    """The request's scorer; raises BadInputError when there is none."""
    if request.scorer is None:
        raise BadInputError(
            f"There is no scorer for {request.generator.domain}: install one that reads "
            f"{request.attribute}."
        )
    return request.scorer


def _words_of(attribute: str, options: _Options) -> dict[str, str]:
    """What the file says of the direction: the attribute's own words, or those asked for."""
    plain = attribute.replace("_", " ")
    words = {"name": attribute, "title": plain.capitalize(), "plus": f"more {plain}"}
    words |= {word: str(options[word]) for word in _WORDS if word in options}
    return {**words, "attribute": attribute}


def _check_ends(data: TrainingData, ends: float) -> float:
    """``ends``, a part of the samples; BadInputError where both ends cannot be told apart."""
    count = round(len(data.scores) * ends)
    if not 0.0 < ends <= 0.5 or count < _FEWEST_AT_AN_END:
        raise BadInputError(
            f"The ends are {ends} of {len(data.scores)} samples: take a part up to 0.5 that is at "
            f"least {_FEWEST_AT_AN_END} samples."
        )
    order = np.sort(data.scores)
    if order[-count] <= order[count - 1]:
        raise BadInputError("The samples do not differ in this attribute: draw more of them.")
    return ends


def _save(direction: Direction, out: Path) -> Path:
    """``out``/NAME.safetensors."""
    return save_direction(direction, out)


@dataclass(frozen=True)
class Subject:
    """An attribute to make a direction for, with the words that people read.

    ``title``: what its slider is called; empty for the attribute's own name.
    """

    attribute: str
    plus: str
    group: str
    title: str = ""


@dataclass(frozen=True)
class BuiltDirection:
    """What came of a subject: a direction, or why there is none."""

    attribute: str
    direction: Direction | None
    reason: str = ""


def build_directions(
    request: ControlRequest,
    subjects: Iterable[Subject],
    *,
    maker: str = "svm",
    meaning: ZMeaning | None = None,
) -> list[BuiltDirection]:
    """A direction for each subject, by ``maker``, from the samples that ``request`` asks for."""
    trainer = _AttributeTrainer.of(request, meaning)
    built = []
    for subject in subjects:
        words = {**request.options, "plus": shorten_meaning(subject.plus), "group": subject.group}
        if subject.title:
            words["title"] = subject.title
        asked = replace(request, attribute=subject.attribute, options=words)
        try:
            built.append(_judge(trainer.train(asked, maker), trainer.samples))
        except BadInputError as error:
            built.append(BuiltDirection(subject.attribute, None, str(error)))
    return built


def shorten_meaning(plus: str) -> str:
    """The first part of a factor's description, without the numbers of the renderer."""
    return re.sub(r", (\d+ degrees at 1|in years)$", "", plus.split(";", maxsplit=1)[0]).strip()


def _judge(direction: Direction, samples: ScoredSamples) -> BuiltDirection:
    """The direction, or none when nobody would want to move it."""
    name = direction.attribute
    seen = samples.measure_agreement(name)
    if samples.known and seen < _WEAKEST_AGREEMENT:
        reason = f"its pictures show it too little (correlation {seen:.2f})"
        return BuiltDirection(name, None, reason)
    if (direction.accuracy or 0.0) < _WEAKEST_ACCURACY:
        reason = f"only {direction.accuracy:.0%} of held-out samples told apart"
        return BuiltDirection(name, None, reason)
    spread = float(samples.codes.std(dim=0).norm())
    lever = float(np.linalg.norm(direction.vector)) / spread
    if lever > _LONGEST_LEVER:
        return BuiltDirection(name, None, f"one unit is {lever:.1f} times the spread of the codes")
    return BuiltDirection(name, direction)


SLIDER_TITLES: Mapping[str, str] = {
    "yaw": "Turn (yaw)",
    "pitch": "Raise (pitch)",
    "roll": "Tilt (roll)",
    "gaze_x": "Gaze to the side",
    "gaze_y": "Gaze upwards",
    "light_x": "Light from the side",
    "light_y": "Light from above",
}
"""Sliders that are called otherwise than the factor of a renderer that they move."""

SHIPPED_WORDS: Mapping[str, str] = {
    "author": "The Latent-Fu authors",
    "licence": "Apache-2.0",
    "source": "latentfu build portraits",
}
"""What the shipped files say about where they come from."""


def replace_shipped(built: Iterable[BuiltDirection], out: Path) -> None:
    """Write the new directions, then remove the files of attributes that have none now."""
    kept = set()
    for item in built:
        if item.direction is None:
            click.echo(f"{item.attribute:18} left out: {item.reason}")
            continue
        kept.add(_save(item.direction, out).name)
        click.echo(_format_line(item.direction))
    for path in out.glob("*.safetensors"):
        if path.name not in kept:
            path.unlink()


def _format_line(direction: Direction) -> str:
    """One direction in a table."""
    strongest = sorted(direction.leakage.items(), key=lambda item: -abs(item[1]))[:3]
    leaks = "  ".join(f"{name} {amount:+.2f}" for name, amount in strongest)
    return (
        f"{direction.name:18} accuracy {direction.accuracy:.3f}  effect {direction.effect:+.2f}  "
        f"leaks {leaks}"
    )

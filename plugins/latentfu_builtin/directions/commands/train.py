"""``latentfu directions train ATTRIBUTE`` and ``latentfu directions sample``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import (
    BadInputError,
    EngineChoice,
    Generator,
    LatentFuError,
    NamedValue,
    Progress,
    between,
    choose_scorer,
    engine_options,
    json_option,
    own_directions_dir,
    progress_bar,
    read_direction,
    refuse_taken_name,
    save_direction,
)

from latentfu_builtin.directions.commands.common import (
    FOLDER_TYPE,
    describe_held_out,
    describe_leaks,
    open_generator_or_first,
)
from latentfu_builtin.directions.effects import EffectMeasurement
from latentfu_builtin.directions.plane_solvers import SOLVERS
from latentfu_builtin.directions.sample_cache import draw_cached_samples
from latentfu_builtin.directions.seeded_samples import write_samples
from latentfu_builtin.directions.train_direction import (
    TrainedDirection,
    TrainingSettings,
    train_direction,
)
from latentfu_builtin.directions.training_data import (
    InversionChoice,
    TrainingSource,
    collect_training_data,
    plan_scored_samples,
)
from latentfu_builtin.directions.user_library import read_directions

_FILE = click.Path(path_type=Path, dir_okay=False)
_TRAINING_OPTIONS = (
    "folders",
    "pictures",
    "scores",
    "method",
    "per_layer",
    "space",
    "without",
    "work",
)
"""Options that no maker knows: with any of them the training is set up here."""


@click.command("train")
@click.argument("attribute")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option(
    "--folder",
    "folders",
    type=FOLDER_TYPE,
    multiple=True,
    help="Pictures sorted by hand, a folder for each kind: the least first, the most last.",
)
@click.option("--pictures", type=FOLDER_TYPE, help="Pictures to invert, instead of samples.")
@click.option("--scores", type=_FILE, help="A .csv of name,score lines for --pictures.")
@click.option("--classifier", is_flag=True, help="Let a classifier find the surest of --folder.")
@click.option("--samples", type=click.IntRange(min=20), help="How many to draw (default: 4000).")
@click.option("--method", type=click.Choice(list(SOLVERS)), help="What lays the boundary.")
@click.option("--space", type=click.Choice(["z", "w", "w+", "w++"]), help="Where (default: w).")
@click.option("--per-layer", is_flag=True, help="A boundary for each layer of w+ codes.")
@click.option("--ends", type=float, help="Part (or number) of the surest at each end.")
@click.option("--split", default=0.7, show_default=True, help="Part of the ends to train on.")
@click.option("--natural", is_flag=True, help="Move as the codes do, not along the normal.")
@click.option("--without", multiple=True, metavar="NAME", help="A direction to leave alone.")
@click.option("--plus", default="", help="What a positive strength means, for people.")
@click.option("--inverter", metavar="NAME", help="For pictures that are no samples.")
@click.option("--quality", type=click.Choice(["draft", "good", "best"]), help="Instead of one.")
@click.option("--work", type=FOLDER_TYPE, help="Where samples are kept for going on.")
@click.option("--maker", metavar="NAME", help="svm, ridge, or a plug-in's, instead of the chain.")
@click.option("--clean", type=int, help="How many other attributes a maker leaves alone.")
@click.option(
    "--option",
    "options",
    multiple=True,
    type=NamedValue(),
    metavar="NAME=VALUE",
    help="An option of the maker (repeatable).",
)
@click.option("--seed", default=0, show_default=True, help="Of the samples and of their split.")
@click.option("--name", help="Name of the direction; default: my-ATTRIBUTE.")
@click.option("--out", type=FOLDER_TYPE, help="Folder.")
@engine_options
@json_option
def train_direction_command(
    attribute: str, generator: str | None, out: Path | None, as_json: bool, **asked: Any
) -> None:  # fmt: skip
    """Train the direction of ATTRIBUTE and put it among your own, where the editor finds it.

    From random samples that a scorer has read; from pictures sorted into folders (--folder, at
    least twice); from those carried over to --samples by a classifier; or from --pictures with
    --scores. A run that was broken off goes on where it was. --engine and --jobs draw and score
    the samples.
    """
    folder, name = out or own_directions_dir(), asked["name"] or f"my-{attribute}"
    divided = asked["engine"].is_given
    if asked["maker"] and divided:
        raise click.UsageError("A --maker draws its samples itself: leave --engine and --jobs out.")
    if asked["maker"] or not (divided or any(asked[word] for word in _TRAINING_OPTIONS)):
        _train_by_maker(attribute, generator, folder, {**asked, "name": name}, as_json)
        return
    opened = open_generator_or_first(generator)
    refuse_taken_name(name, folder, opened)
    with asked["engine"].open() as engine, progress_bar("Training", quiet=as_json) as progress:
        told = {**asked, "engine": engine, "given": generator}
        made, notes = _train_by_options(attribute, opened, name, told, progress)
    path = save_direction(made.direction, folder)
    _report_trained(path, made, notes, as_json)


def _train_by_maker(
    attribute: str, generator: str | None, folder: Path, asked: dict[str, Any], as_json: bool
) -> None:
    """Let an installed maker of directions do it; raises LatentFuError."""
    given = {word: asked[word] for word in ("clean", "ends") if asked[word] is not None}
    is_file = generator is not None and generator not in latentfu.generators()
    opened = open_generator_or_first(generator) if is_file else generator
    refuse_taken_name(asked["name"], folder, opened)
    with progress_bar("Sampling", quiet=as_json) as progress:
        made = latentfu.make_directions(
            attribute,
            generator=opened,
            maker=asked["maker"],
            options={**given, **dict(asked["options"])},
            samples=asked["samples"] or 4000,
            seed=asked["seed"],
            name=asked["name"],
            plus=asked["plus"],
            progress=progress,
        )
        for direction in made:
            refuse_taken_name(direction.name, folder, opened)
    for direction in made:
        _report_made(save_direction(direction, folder), as_json)


def _report_made(path: Path, as_json: bool) -> None:
    """Say what a maker made and how well it does."""
    direction = read_direction(path)
    if as_json:
        click.echo(json.dumps({"file": str(path), **direction.facts()}))
        return
    click.echo(f"{path}: {describe_held_out(direction)}; {describe_leaks(direction)}.")


def _train_by_options(
    attribute: str, generator: Generator, name: str, asked: dict[str, Any], progress: Progress
) -> tuple[TrainedDirection, list[str]]:
    """Samples, labels, boundary, measurement."""
    scorer = choose_scorer(generator.domain, attribute)
    folders = asked["folders"]
    source = TrainingSource(
        attribute=attribute,
        folders=folders,
        pictures=asked["pictures"],
        scores=asked["scores"],
        classifier=asked["classifier"],
        samples=asked["samples"] or (None if folders else 4000),
        space=_choose_space(asked, generator),
        seed=asked["seed"],
        work=asked["work"],
        inversion=InversionChoice(
            asked["inverter"], asked["quality"] or (None if asked["inverter"] else "draft")
        ),
        given=asked["given"],
        engine=asked["engine"],
    )
    if asked["scores"] and not asked["pictures"]:
        raise BadInputError("--scores are of --pictures: give their folder, or see directions fit.")
    others = read_directions(asked["without"], generator)
    labelled, notes = collect_training_data(source, generator, scorer, between(progress, 0.0, 0.9))
    settings = TrainingSettings(
        method=asked["method"] or "svm",
        ends=asked["ends"] or (0.02 if len(labelled.scores) >= 2000 else 0.25),
        split=asked["split"],
        seed=asked["seed"],
        per_layer=asked["per_layer"],
        natural=asked["natural"],
        without=others,
        words={
            "name": name,
            "attribute": attribute,
            "plus": asked["plus"] or f"more {attribute.replace('_', ' ')}",
            "title": name.removeprefix("my-").replace("_", " ").capitalize(),
            "group": "own",
        },
    )
    after = between(progress, 0.9, 1.0)
    measurement = (
        EffectMeasurement.on_fresh_samples(generator, scorer, asked["seed"], progress=after)
        if scorer
        else None
    )
    try:
        return train_direction(labelled, settings, generator, measurement, after), notes
    except LatentFuError:
        for note in notes:  # they may say why: the classifier found nothing
            click.echo(note, err=True)
        raise


def _choose_space(asked: dict[str, Any], generator: Generator) -> str:
    """The space asked for, if the generator has it (raises BadInputError)."""
    space = asked["space"] or ("w" if "w" in generator.spaces else generator.spaces[0])
    if asked["per_layer"] and asked["space"] is None and space != "w++":
        space = "w+"
    if space not in generator.spaces:
        raise BadInputError(
            f"Pictures are edited in {', '.join(generator.spaces)} with {generator.name}: a "
            f"direction in {space} would move nothing."
        )
    return str(space)


def _report_trained(path: Path, made: TrainedDirection, notes: list[str], as_json: bool) -> None:
    """Say what was made and how well it does."""
    direction, boundary = read_direction(path), made.boundary
    if as_json:
        report = {
            "file": str(path),
            "notes": notes,
            "trained_on": boundary.trained_on,
            "validation": boundary.validation.as_json(),
            "remaining": boundary.remaining.as_json(),
            "layer_accuracy": made.layer_accuracies,
            **direction.facts(),
        }
        click.echo(json.dumps(report))
        return
    for note in notes:
        click.echo(note)
    click.echo(f"Trained on {boundary.trained_on}; held out: {boundary.validation.as_text()}.")
    if boundary.remaining.total:
        click.echo(f"Between the ends: {boundary.remaining.as_text()}.")
    effect = "" if direction.effect is None else f"; 1 moves it by {direction.effect:+.2f}"
    click.echo(f"{path}{effect}; {describe_leaks(direction)}.")


@click.command("sample")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option(
    "--count",
    default=200,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many samples.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**31),
    help="Of the samples and of their split.",
)
@click.option("--out", required=True, type=FOLDER_TYPE, help="Folder for the pictures.")
@click.option(
    "--scores",
    is_flag=True,
    help="Instead of pictures: codes and what the scorer reads, for directions train --work.",
)
@engine_options
@json_option
def sample_command(
    generator: str | None, scores: bool, engine: EngineChoice, as_json: bool, **asked: Any
) -> None:
    """Draw pictures to sort into folders by hand; each knows its own code.

    What is there already stays: a run that was broken off goes on where it was.
    """
    opened = open_generator_or_first(generator)
    out, count, seed = asked["out"], asked["count"], asked["seed"]
    draw = _draw_scores if scores else _draw_pictures
    with engine.open() as workers, progress_bar("Drawing", quiet=as_json) as progress:
        told = draw(opened, TrainingSource("", samples=count, seed=seed, work=out, given=generator,
                    engine=workers), progress)  # fmt: skip
    click.echo(json.dumps({"folder": str(out), "count": count}) if as_json else f"{out}: {told}")


def _draw_pictures(generator: Generator, source: TrainingSource, progress: Progress) -> str:
    """Pictures in the folder; what to do with them."""
    assert source.samples is not None and source.work is not None
    written = write_samples(
        generator, source.samples, source.seed, source.work, progress,
        engine=source.engine, given=source.given,
    )  # fmt: skip
    return f"{len(written)} pictures; sort them into a folder for each kind."


def _draw_scores(generator: Generator, source: TrainingSource, progress: Progress) -> str:
    """Codes and scores in the folder; what to do with them."""
    scorer = choose_scorer(generator.domain)
    if scorer is None:
        raise BadInputError(
            f"There is no scorer for {generator.domain}: leave --scores out and sort pictures."
        )
    plan = plan_scored_samples(generator, scorer, source)
    draw_cached_samples(
        plan, scorer.load(str(generator.device)), progress, source.work, source.engine
    )
    return (
        f"{plan.count} codes with {plan.columns} scores each; directions train ATTRIBUTE --work "
        f"{source.work} --samples {plan.count} --seed {plan.seed} learns from them."
    )

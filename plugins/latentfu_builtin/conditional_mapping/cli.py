"""`latentfu train conditional-mapping` and `latentfu evaluate transfer`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from latentfu import BadInputError, json_option, progress_bar


@click.command("conditional-mapping")
@click.argument("generator")
@click.option(
    "--attributes", default="", metavar="GROUP,...",
    help="Groups of directions, e.g. expression,light; latentfu controls list names them.",
)  # fmt: skip
@click.option(
    "--attribute", "names", multiple=True, metavar="NAME",
    help="One that the scorer reads (repeatable).",
)  # fmt: skip
@click.option("--scorer", help="Who reads them; default: the first for the generator's pictures.")
@click.option("--name", help="Of the control; default: the first group's, as expression_like.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Training option.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@click.option(
    "--licence", default="unknown", show_default=True, help="Licence that is written into the file."
)
@click.option(
    "--checkpoint", type=click.Path(path_type=Path, dir_okay=False),
    help="Where an interrupted run is kept; the same command goes on with it. Default: beside the "
    "file.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file.")
@json_option
def train_conditional_mapping_command(
    generator: str, attributes: str, names: tuple[str, ...], as_json: bool, **asked: Any
) -> None:
    """Learn to give one picture of GENERATOR what another one has.

    A mapping from a picture's code and the attributes of a reference to the code that has them.
    It becomes a control that takes a picture, also in GIMP: latentfu edit a.png --set
    expression_like=@b.png. Needs a scorer whose numbers have gradients.
    """
    import latentfu
    import torch

    from latentfu_builtin.conditional_mapping.checkpoint import (
        restore_mapping_training,
        save_mapping_training,
    )
    from latentfu_builtin.conditional_mapping.options import ConditionalOptions
    from latentfu_builtin.conditional_mapping.scored_attributes import (
        find_scorer_for,
        list_group_attributes,
    )
    from latentfu_builtin.conditional_mapping.train_mapping import (
        ConditionalTrainer,
        train_conditional_mapping,
    )
    from latentfu_builtin.encoders.training.options import parse_training_options

    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    changes = parse_training_options(asked["changes"], asdict(ConditionalOptions()))
    options = ConditionalOptions(**changes)  # type: ignore[arg-type]
    opened = latentfu.open_generator(generator, asked["device"])
    groups = [group.strip() for group in attributes.split(",") if group.strip()]
    scorer = find_scorer_for(opened, asked["scorer"])
    wanted = list_group_attributes(opened, scorer, groups, names)
    name, target = _choose_target(
        asked["name"] or (groups or wanted)[0], asked["output"], opened.id
    )
    kept = asked["checkpoint"] or target.with_suffix(".checkpoint")
    trainer = ConditionalTrainer.begin(opened, scorer, wanted, options)
    if kept.is_file():
        restore_mapping_training(kept, trainer)
        click.echo(f"Going on after {trainer.step} of {options.steps} steps.", err=True)
    with progress_bar("Training", as_json) as progress:
        figures = train_conditional_mapping(
            trainer, progress, lambda: save_mapping_training(kept, trainer)
        )
    notes = {
        "name": name, "group": groups[0] if groups else "other", "licence": asked["licence"],
        "options": options.to_json(), "figures": json.dumps(figures),
    }  # fmt: skip
    trainer.store().save(target, opened, notes)
    kept.unlink(missing_ok=True)
    if as_json:
        click.echo(json.dumps({"file": str(target), "name": name, "attributes": wanted, **figures}))
        return
    click.echo(
        f"{target}: {name} brings {', '.join(wanted)} from {figures['before']:.2f} to "
        f"{figures['after']:.2f} standard deviations near the reference; the others move "
        f"{figures['moved']:.2f}."
    )


def _choose_target(name: str, output: Path | None, generator_id: str) -> tuple[str, Path]:
    """The control's name and its file; raises BadInputError where another control has it."""
    import latentfu

    from latentfu_builtin.conditional_mapping.mapping_file import ENDING, mappings_folder

    name = name if name.endswith(ENDING) else name + ENDING
    if not latentfu.is_name(name):
        raise BadInputError(f"{name!r} cannot be a control's name: give another --name.")
    own = mappings_folder() / f"{name}-{generator_id[:12]}.safetensors"
    specs = (spec for spec in latentfu.generators().values() if spec.id == generator_id)
    taken = {
        control.name
        for spec in specs
        for control in latentfu.controls(spec.name).values()
        if str(control.facts.get("file", "")) != str(own)
    }
    if name in taken:
        raise BadInputError(f"There is a control {name!r} already: give another --name.")
    if output is None:
        own.parent.mkdir(parents=True, exist_ok=True)
    return name, output or own


@click.command("transfer")
@click.argument("generator")
@click.option("--mapping", required=True, metavar="NAME", help="The control, e.g. expression_like.")
@click.option(
    "--pairs", type=click.IntRange(1, 100_000), default=50, show_default=True,
    help="How many pictures are edited by another one.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=35_000, show_default=True, help="Of them.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@json_option
def evaluate_transfer_command(generator: str, mapping: str, as_json: bool, **asked: Any) -> None:
    """Compare editing by a reference: by directions, and by a conditional mapping.

    On pictures of GENERATOR that nothing was trained on: how far the attributes stay from the
    reference's, how much others move, and how much the person stays the same.
    """
    import latentfu

    from latentfu_builtin.conditional_mapping.compare_transfers import (
        compare_transfers,
        find_directions_of,
    )
    from latentfu_builtin.conditional_mapping.effect import ReferenceEffect

    opened = latentfu.open_generator(generator, asked["device"])
    controls = latentfu.controls(opened)
    known = [control.name for control in controls.values() if control.kind == "conditional"]
    if mapping not in known:
        raise BadInputError(
            f"There is no conditional mapping {mapping!r}; there are: {', '.join(known) or 'none'}."
        )
    effect = controls[mapping].load_for(opened)
    assert isinstance(effect, ReferenceEffect)
    directions = find_directions_of(opened, effect.attributes)
    pairs = range(asked["seed"], asked["seed"] + asked["pairs"])
    with progress_bar("Comparing", as_json) as progress:
        ways = compare_transfers(opened, effect, directions, pairs, progress)
    if as_json:
        common = {"pairs": asked["pairs"], "seed": asked["seed"]}
        click.echo(json.dumps({**common, "ways": [asdict(way) for way in ways]}))
        return
    click.echo(f"{'by':12}{'from the reference':>20}{'others moved':>14}{'same person':>13}")
    for way in ways:
        like = "-" if way.likeness is None else f"{way.likeness:.3f}"
        click.echo(f"{way.way:12}{way.distance:20.3f}{way.moved:14.3f}{like:>13}")

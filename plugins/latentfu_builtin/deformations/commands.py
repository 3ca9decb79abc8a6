"""``latentfu deformations discover|train|keep|import|download|list``."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import (
    Deformation,
    EngineChoice,
    Generator,
    SheetRow,
    contact_sheet,
    engine_options,
    json_option,
    read_deformation,
    write_deformation,
    write_image,
    write_whole,
)

from latentfu_builtin.deformations.user_library import (
    give_free_names,
    refuse_taken_deformation,
    save_to_library,
)

_STRENGTHS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("discover")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--layer", required=True, type=int, help="Number of the synthesis layer.")
@click.option("--method", default="hessian", show_default=True, help="hessian or svd.")
@click.option("--count", default=32, show_default=True, type=int, help="How many deformations.")
@click.option(
    "--samples",
    default=16,
    show_default=True,
    type=click.IntRange(min=2),
    help="Latents that the pictures are drawn from.",
)
@click.option("--distance", default="", help="An installed loss; default: the domain's own.")
@click.option("--seed", default=0, show_default=True, help="Of the latents.")
@click.option("--beyond", is_flag=True, help="Measure what no installed direction gives, too.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for the results.",
)
@engine_options
@json_option
def discover_command(
    generator: str | None, out: Path, engine: EngineChoice, as_json: bool, **asked: Any
) -> None:
    """Find deformations of one layer: files, a sheet to look at, and what each one does.

    Keep those worth a name with `latentfu deformations keep`. With --engine or --jobs the
    products with the Hessian are divided by samples; without, all threads of this process work.
    """
    from latentfu_builtin.deformations.convolution import open_generator_to_deform
    from latentfu_builtin.deformations.discover import discover_deformations
    from latentfu_builtin.deformations.search import DeformationSearch

    found_on = open_generator_to_deform(generator)
    with contextlib.ExitStack() as stack:
        workers = stack.enter_context(engine.open()) if engine.is_given else None
        progress = stack.enter_context(latentfu.progress_bar("Looking", as_json))
        search = DeformationSearch(found_on, **asked, engine=workers, given=generator)
        found = discover_deformations(search, progress)
    _write_found(found_on, found, out, as_json)


def _write_found(generator: Generator, found: list[Deformation], out: Path, as_json: bool) -> None:
    """Files, sheet and report of what was found in the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for deformation in found:
        write_deformation(out / f"{deformation.name}.safetensors", deformation)
    _draw_sheet(generator, found, out / "sheet.png")
    report = [_summarize(deformation) for deformation in found]
    write_whole(out / "report.json", (json.dumps(report, indent=1) + "\n").encode())
    click.echo(json.dumps(report) if as_json else "\n".join(map(_format_line, found)))


def _draw_sheet(generator: Generator, found: list[Deformation], path: Path, seed: int = 3) -> None:
    """A row for each deformation, from -1 to 1, on one sample."""
    from latentfu_builtin.deformations.discover import render_strengths

    rows = []
    for deformation in found:
        images = render_strengths(generator, deformation, _STRENGTHS, seed)
        pixels = images.add(1).mul(127.5).clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        says = f"+ is {deformation.plus}" if deformation.plus else ""
        rows.append(SheetRow(deformation.title or deformation.name, says, list(pixels)))
    write_image(path, contact_sheet(rows, [f"{s:+g}" for s in _STRENGTHS]))


def _strongest_effects(deformation: Deformation, count: int = 4) -> list[tuple[str, float]]:
    """The attributes that it changes most."""
    return sorted(deformation.effect.items(), key=lambda item: -abs(item[1]))[:count]


def _summarize(deformation: Deformation) -> dict[str, object]:
    """What a report says of one deformation."""
    return {**deformation.metadata(), "norm": deformation.norm}


def _format_line(deformation: Deformation) -> str:
    """One deformation in a list."""
    does = "  ".join(f"{name} {value:+.2f}" for name, value in _strongest_effects(deformation))
    beyond = f"beyond {deformation.beyond:.2f}  " if deformation.beyond >= 0 else ""
    return f"{deformation.name:20} norm {deformation.norm:8.3f}  {beyond}{does}"


@click.command("keep")
@click.argument("file", type=_FILE)
@click.option("--name", required=True, help="What --set NAME=... takes.")
@click.option("--plus", default="", help='What a positive strength means, e.g. "larger eyes".')
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Another folder.")
@json_option
def keep_deformation_command(
    file: Path, name: str, plus: str, out: Path | None, as_json: bool
) -> None:
    """Put a found deformation among your own, under a name, where the editor finds it."""
    named = read_deformation(file).named(_check_name(name), plus)
    if out is None:
        refuse_taken_deformation(named)
    path = str(save_to_library(named, out))
    click.echo(json.dumps({"file": path}) if as_json else path)


def _check_name(name: str) -> str:
    """``name`` as a file name; click.UsageError where the editor could not take it."""
    if not latentfu.is_name(name):
        raise click.UsageError(f"the name {name!r} is not usable: a-z 0-9 . _ - only")
    return name


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--name", default="", help="Default: the file's own.")
@click.option("--plus", default="", help="What a positive strength means.")
@click.option(
    "--group",
    default="published deformations",
    show_default=True,
    help="Under which heading they are listed.",
)
@click.option("--layer", type=int, help="The paper's layer, if the file's name does not say it.")
@click.option("--basis", type=_FILE, help="Eigenvectors that a checkpoint's coefficients are for.")
@click.option("--direction", "directions", type=int, multiple=True, help="Only this one of many.")
@click.option("--shift", type=float, help="Norm of strength 1; default: measured on samples.")
@click.option("--licence", default="", help="Licence that is written into the files.")
@json_option
def import_deformations_command(
    path: Path, generator: str | None, as_json: bool, **asked: Any
) -> None:
    """Take in published deformations: a .pt file, an archive (.tar, .zip) or a folder of them.

    Read are deformations (layer_ix, shift), files of eigenvectors, and training checkpoints.
    """
    from latentfu_builtin.deformations.convolution import open_generator_to_deform
    from latentfu_builtin.deformations.import_deformations import (
        SINGLE_FILE_ENDINGS,
        DeformationImportOptions,
        import_deformations,
    )

    if asked["name"]:
        _check_name(asked["name"])
    taking = DeformationImportOptions(open_generator_to_deform(generator), **asked)
    left_out: list[str] = []
    with latentfu.progress_bar("Reading", as_json) as progress:
        found = import_deformations(path, taking, progress, left_out)
    if path.is_file() and path.suffix in SINGLE_FILE_ENDINGS:
        for deformation in found:
            refuse_taken_deformation(deformation)
    _save_and_report(found, left_out, as_json)


@click.command("download")
@click.argument("name", required=False)
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--from", "address", default="", help="Another place that has the archive.")
@click.option("--yes", is_flag=True, help="Agree to the terms without being asked.")
@json_option
def download_deformations_command(
    name: str | None, generator: str | None, address: str, yes: bool, as_json: bool
) -> None:
    """Fetch a set that the paper's authors published: ffhq, car, horse or church.

    Without NAME, say what there is.
    """
    from latentfu_builtin.deformations.convolution import open_generator_to_deform
    from latentfu_builtin.deformations.import_deformations import (
        PUBLISHED_SETS,
        PUBLISHED_TERMS,
        DeformationImportOptions,
        fetch_set,
        import_deformations,
    )

    if name is None:
        rows = [vars(known) for known in PUBLISHED_SETS.values()]
        lines = [f"{row['name']:8} {row['title']:9} for {row['network']}" for row in rows]
        click.echo(json.dumps(rows) if as_json else "\n".join([*lines, PUBLISHED_TERMS]))
        return
    if name not in PUBLISHED_SETS:
        raise latentfu.BadInputError(
            f"There is no set {name!r}: choose of {', '.join(PUBLISHED_SETS)}."
        )
    if not yes:
        click.confirm(f"{PUBLISHED_TERMS} Go on?", abort=True, err=True)
    known, bend_on = PUBLISHED_SETS[name], open_generator_to_deform(generator)
    left_out: list[str] = []
    with latentfu.progress_bar(f"Fetching {known.title}", as_json) as progress:
        path, digest = fetch_set(known, address, progress)
        taking = DeformationImportOptions(
            bend_on, group=f"published: {known.title}", licence="none given"
        )
        found = import_deformations(path, taking, progress, left_out)
    if digest and not as_json:
        click.echo(f"sha256 {digest}")
    _save_and_report(found, left_out, as_json)


def _save_and_report(found: list[Deformation], left_out: list[str], as_json: bool) -> None:
    """Write deformations to the user's own, by names that are free, and say where they are.

    ``left_out``: sentences about files that gave none.
    """
    for sentence in left_out:
        click.echo(f"Left out: {sentence}", err=True)
    found = give_free_names(found)
    paths = [save_to_library(item) for item in found]
    if as_json:
        click.echo(json.dumps([str(path) for path in paths]))
        return
    for item, path in zip(found, paths, strict=True):
        click.echo(f"{item.name:24} layer {item.layer:2}  {path}")


@click.command("list")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@json_option
def list_deformations_command(generator: str | None, as_json: bool) -> None:
    """List the deformations that are installed for a generator."""
    from latentfu_builtin.deformations.convolution import open_generator_to_deform

    installed = generator is None or generator in latentfu.generators()
    controls = latentfu.controls(
        generator if installed else open_generator_to_deform(generator, "cpu")
    ).values()
    rows = [
        {"name": c.name, "plus": c.positive_means, "group": c.group, **dict(c.facts)}
        for c in controls
        if c.kind == "deformation"
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for group in dict.fromkeys(str(row["group"]) for row in rows):
        click.echo(f"{group}:")
        for row in rows:
            if row["group"] == group:
                click.echo(f"  {row['name']:24} layer {row['layer']:2}  {row['plus']}")
    if not rows:
        click.echo("None is installed: latentfu deformations discover finds some.")


@click.command("train")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--layer", required=True, type=int, help="Number of the synthesis layer.")
@click.option("--method", default="hessian", show_default=True, help="The basis: hessian or svd.")
@click.option("--count", default=64, show_default=True, help="How many deformations.")
@click.option("--vectors", type=_FILE, help="Published eigenvectors (.pt) as the basis.")
@click.option("--steps", default=100_000, show_default=True, help="Training steps.")
@click.option("--paper", is_flag=True, help="The shifts that the authors give for 512 channels.")
@click.option("--quick", is_flag=True, help="Settings for a processor: half an hour for 8.")
@click.option(
    "--samples",
    default=16,
    show_default=True,
    type=click.IntRange(min=2),
    help="Latents that the pictures are drawn from.",
)
@click.option("--distance", default="", help="An installed loss; default: the domain's own.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Training option.")
@click.option(
    "--sheet-steps",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Steps between two sheets.",
)
@click.option("--minutes", default=2.0, show_default=True, help="Between checkpoints.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for the results.",
)
@json_option
def train_deformations_command(
    generator: str | None, out: Path, changes: tuple[str, ...], as_json: bool, **asked: Any
) -> None:
    """Train deformations of one layer that a small network can tell apart.

    The same command goes on with an interrupted training, and adds steps to a finished one.
    """
    from latentfu_builtin.deformations.convolution import open_generator_to_deform
    from latentfu_builtin.deformations.training.options import (
        PAPER_SETTINGS,
        QUICK_SETTINGS,
        DeformationTrainingOptions,
    )
    from latentfu_builtin.deformations.training.run_training import (
        TrainingOrder,
        train_deformations,
    )

    given = {"count": str(asked.pop("count")), "steps": str(asked.pop("steps"))}
    if asked.pop("quick"):
        given |= {name: str(value) for name, value in QUICK_SETTINGS.items()}
    if asked.pop("paper"):
        given |= {
            name: str(value) for name, value in PAPER_SETTINGS.get(asked["method"], {}).items()
        }
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes NAME=VALUE, not {change!r}")
        given[name] = value
    options = DeformationTrainingOptions.from_settings(given, DeformationTrainingOptions())
    found_on = open_generator_to_deform(generator, asked.pop("device"))
    order = TrainingOrder(found_on, out=out, options=options, **asked)
    with latentfu.progress_bar("Training", as_json) as progress:
        found = train_deformations(
            order,
            progress,
            lambda text: None if as_json else click.echo(text),
            lambda samples, path: _draw_sheet(found_on, samples, path),
        )
    _write_found(found_on, found, out, as_json)

"""``latentfu deformations discover|keep|import|list``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import Generator, SheetRow, contact_sheet, json_option, write_whole

from latentfu_builtin.deformations.deformation import (
    Deformation,
    read_deformation,
    write_deformation,
)
from latentfu_builtin.deformations.keeping import free_names, put_among_own, refuse_taken

STRENGTHS = (-1.0, -0.5, 0.0, 0.5, 1.0)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


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
    help="Latents that the Hessian is averaged over.",
)
@click.option("--distance", default="", help="An installed loss; default: the domain's own.")
@click.option("--seed", default=0, show_default=True, help="Of the latents.")
@click.option("--beyond", is_flag=True, help="Measure what no installed direction gives, too.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for files, sheet and report.",
)
@json_option
def discover_command(generator: str | None, out: Path, as_json: bool, **asked: Any) -> None:
    """Find deformations of one layer: files, a sheet to look at, and what each one does.

    Keep those worth a name with `latentfu deformations keep`.
    """
    from latentfu_builtin.deformations.discover import Search, discover
    from latentfu_builtin.deformations.layer import opened

    found_on = opened(generator)
    search = Search(found_on, **asked)
    with latentfu.progress_bar("Looking", as_json) as progress:
        found = discover(search, progress)
    hand_over(found_on, found, out, as_json)


def hand_over(generator: Generator, found: list[Deformation], out: Path, as_json: bool) -> None:
    """Files, sheet and report of what was found in the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for deformation in found:
        write_deformation(out / f"{deformation.name}.safetensors", deformation)
    draw_sheet(generator, found, out / "sheet.png")
    report = [summary(deformation) for deformation in found]
    write_whole(out / "report.json", (json.dumps(report, indent=1) + "\n").encode())
    click.echo(json.dumps(report) if as_json else "\n".join(map(line, found)))


def draw_sheet(generator: Generator, found: list[Deformation], path: Path, seed: int = 3) -> None:
    """A row for each deformation, from -1 to 1, on one sample."""
    import io

    from latentfu_builtin.deformations.discover import sheet_pictures

    rows = []
    for deformation in found:
        images = sheet_pictures(generator, deformation, STRENGTHS, seed)
        pixels = images.add(1).mul(127.5).clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        says = f"+ is {deformation.plus}" if deformation.plus else ""
        rows.append(SheetRow(deformation.title or deformation.name, says, list(pixels)))
    buffer = io.BytesIO()
    contact_sheet(rows, [f"{s:+g}" for s in STRENGTHS]).save(buffer, "PNG")
    write_whole(path, buffer.getvalue())


def strongest(deformation: Deformation, count: int = 4) -> list[tuple[str, float]]:
    """The attributes that it changes most."""
    return sorted(deformation.effect.items(), key=lambda item: -abs(item[1]))[:count]


def summary(deformation: Deformation) -> dict[str, object]:
    """What a report says of one deformation."""
    return {**deformation.facts(), "norm": deformation.norm}


def line(deformation: Deformation) -> str:
    """One deformation in a list."""
    does = "  ".join(f"{name} {value:+.2f}" for name, value in strongest(deformation))
    beyond = f"beyond {deformation.beyond:.2f}  " if deformation.beyond >= 0 else ""
    return f"{deformation.name:20} norm {deformation.norm:8.3f}  {beyond}{does}"


@click.command("keep")
@click.argument("file", type=FILE)
@click.option("--name", required=True, help="What --set NAME=... takes.")
@click.option("--plus", default="", help='What a positive strength means, e.g. "larger eyes".')
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Another folder.")
@json_option
def keep_command(file: Path, name: str, plus: str, out: Path | None, as_json: bool) -> None:
    """Put a found deformation among your own, under a name, where the editor finds it."""
    named = read_deformation(file).named(safe(name), plus)
    if out is None:
        refuse_taken(named)
    path = str(put_among_own(named, out))
    click.echo(json.dumps({"file": path}) if as_json else path)


def safe(name: str) -> str:
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
@click.option("--basis", type=FILE, help="Eigenvectors that a checkpoint's coefficients are for.")
@click.option("--direction", "directions", type=int, multiple=True, help="Only this one of many.")
@click.option("--shift", type=float, help="Norm of strength 1; default: measured on samples.")
@click.option("--licence", default="", help="Licence that is written into the files.")
@json_option
def import_command(path: Path, generator: str | None, as_json: bool, **asked: Any) -> None:
    """Take in published deformations: a .pt file, an archive (.tar, .zip) or a folder of them.

    Read are deformations (layer_ix, shift), files of eigenvectors, and training checkpoints.
    """
    from latentfu_builtin.deformations.bring_in import ONE_FILE, Taking, take_in
    from latentfu_builtin.deformations.layer import opened

    if asked["name"]:
        safe(asked["name"])
    taking = Taking(opened(generator), **asked)
    left_out: list[str] = []
    with latentfu.progress_bar("Reading", as_json) as progress:
        found = take_in(path, taking, progress, left_out)
    if path.is_file() and path.suffix in ONE_FILE:
        for deformation in found:
            refuse_taken(deformation)
    put_in_place(found, left_out, as_json)


@click.command("download")
@click.argument("name", required=False)
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--from", "address", default="", help="Another place that has the archive.")
@click.option("--yes", is_flag=True, help="Agree to the terms without being asked.")
@json_option
def download_command(
    name: str | None, generator: str | None, address: str, yes: bool, as_json: bool
) -> None:
    """Fetch a set that the paper's authors published: ffhq, car, horse or church.

    Without NAME, say what there is.
    """
    from latentfu_builtin.deformations.bring_in import Taking, take_in
    from latentfu_builtin.deformations.fetch import fetched
    from latentfu_builtin.deformations.layer import opened
    from latentfu_builtin.deformations.sets import SETS, TERMS

    if name is None:
        rows = [vars(known) for known in SETS.values()]
        lines = [f"{row['name']:8} {row['title']:9} for {row['network']}" for row in rows]
        click.echo(json.dumps(rows) if as_json else "\n".join([*lines, TERMS]))
        return
    if name not in SETS:
        raise latentfu.BadInputError(f"There is no set {name!r}: choose of {', '.join(SETS)}.")
    if not yes:
        click.confirm(f"{TERMS} Go on?", abort=True, err=True)
    known, bend_on = SETS[name], opened(generator)
    left_out: list[str] = []
    with latentfu.progress_bar(f"Fetching {known.title}", as_json) as progress:
        path, digest = fetched(known, address, progress)
        taking = Taking(bend_on, group=f"published: {known.title}", licence="none given")
        found = take_in(path, taking, progress, left_out)
    if digest and not as_json:
        click.echo(f"sha256 {digest}")
    put_in_place(found, left_out, as_json)


def put_in_place(found: list[Deformation], left_out: list[str], as_json: bool) -> None:
    """Write deformations to the user's own, by names that are free, and say where they are.

    ``left_out``: sentences about files that gave none.
    """
    for sentence in left_out:
        click.echo(f"Left out: {sentence}", err=True)
    found = free_names(found)
    paths = [put_among_own(item) for item in found]
    if as_json:
        click.echo(json.dumps([str(path) for path in paths]))
        return
    for item, path in zip(found, paths, strict=True):
        click.echo(f"{item.name:24} layer {item.layer:2}  {path}")


@click.command("list")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@json_option
def list_command(generator: str | None, as_json: bool) -> None:
    """List the deformations that are installed for a generator."""
    from latentfu_builtin.deformations.layer import opened

    installed = generator is None or generator in latentfu.generators()
    controls = latentfu.controls(generator if installed else opened(generator, "cpu")).values()
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

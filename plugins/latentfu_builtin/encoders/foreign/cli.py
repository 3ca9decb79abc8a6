"""`latentfu encoders import CHECKPOINT --generator NAME` and `latentfu encoders list`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from latentfu import json_option

from latentfu_builtin.encoders.own import own_folder


@click.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--generator", required=True, help="The generator that it was trained for.")
@click.option("--name", help="Its name; default: the generator's and the kind of encoder.")
@click.option("--architecture", help="Where the file does not say it: psp, e4e, restyle-psp, ...")
@click.option(
    "--licence", default="unknown", show_default=True, help="Licence that is written into the file."
)
@click.option("--force", is_flag=True, help="Also when its mean code is not the generator's.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file.")
@json_option
def import_command(checkpoint: Path, generator: str, as_json: bool, **asked: Any) -> None:
    """Bring in an encoder of pSp, e4e, ReStyle or of the StyleGAN projects on ResNet-50.

    The file is read in a process of its own, and nothing in it is run.
    """
    import latentfu

    from latentfu_builtin.encoders.foreign.files import bring_in, checkpoint_of
    from latentfu_builtin.encoders.foreign.read import tree_of
    from latentfu_builtin.encoders.training.cli import checked_name

    with latentfu.progress_bar(f"Reading {checkpoint.name}", as_json) as progress:
        found = checkpoint_of(tree_of(checkpoint, progress))
    opened = latentfu.open_generator(generator)
    short = checked_name(asked["name"] or f"{opened.name}-{checkpoint.stem}")
    target = asked["output"] or own_folder() / f"{short}.safetensors"
    kind = bring_in(
        found,
        opened,
        target,
        architecture=asked["architecture"],
        force=asked["force"],
        notes={"licence": asked["licence"], "source": checkpoint.name},
    )
    if as_json:
        click.echo(json.dumps({"file": str(target), "architecture": kind.name, "name": short}))
    else:
        click.echo(f"{target}: {kind.name} for {opened.name}; use it with --inverter encoder.")


@click.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the installed encoders and the generators that they are for."""
    import latentfu

    names = {spec.id: spec.name for spec in latentfu.generators().values()}
    rows = [
        {
            "name": encoder.name,
            "title": encoder.title,
            "generator": names.get(encoder.generator_id),
            "generator_id": encoder.generator_id,
            "space": encoder.space,
            "licence": encoder.licence,
        }
        for encoder in latentfu.encoders().values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        unknown = f"{row['generator_id']!s:.12}, which is not installed"
        click.echo(f"{row['name']:24} {row['title']}; for {row['generator'] or unknown}")
    if not rows:
        click.echo("There is no encoder: train one with latentfu train encoder GENERATOR.")

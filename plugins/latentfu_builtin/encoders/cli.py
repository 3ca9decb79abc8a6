"""`latentfu encoders import`, `latentfu encoders list` and `latentfu train encoder`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from latentfu import json_option

from latentfu_builtin.encoders.user_files import refuse_replacing_encoder, user_encoder_folder


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
def import_encoder_command(checkpoint: Path, generator: str, as_json: bool, **asked: Any) -> None:
    """Bring in an encoder of pSp, e4e, ReStyle or of the StyleGAN projects on ResNet-50.

    The file is read in a process of its own, and nothing in it is run.
    """
    import latentfu

    from latentfu_builtin.encoders.import_encoder import (
        find_encoder_in_tree,
        import_encoder,
        read_checkpoint_tree,
    )

    with latentfu.progress_bar(f"Reading {checkpoint.name}", as_json) as progress:
        found = find_encoder_in_tree(read_checkpoint_tree(checkpoint, progress))
    opened = latentfu.open_generator(generator)
    short = _clean_encoder_name(asked["name"] or f"{opened.name}-{checkpoint.stem}")
    target = asked["output"] or user_encoder_folder() / f"{short}.safetensors"
    refuse_replacing_encoder(target, opened)
    kind = import_encoder(
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
def list_encoders_command(as_json: bool) -> None:
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


@click.command("encoder")
@click.argument("generator")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file.")
@click.option("--name", help="Its name among your own encoders; default: the generator's.")
@click.option(
    "--architecture",
    help="pyramid, our own (default), or one that was published: psp, e4e, psp-w, psp-w-plus.",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of aligned pictures that it should show too.",
)
@click.option("--renderer", help="Renderer that the generator learned from, e.g. portraits.")
@click.option(
    "--pairs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Cache of its pictures, by latentfu train pairs.",
)
@click.option(
    "--trunk",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Network to begin with: a scorer, an encoder for earlier weights, pSp's trunk.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that an interrupted run goes on from.",
)
@click.option(
    "--checkpoint-minutes", default=2.0, show_default=True, help="Minutes between two checkpoints."
)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Training option.")
@click.option(
    "--licence", default="unknown", show_default=True, help="Licence that is written into the file."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@json_option
def train_encoder_command(generator: str, as_json: bool, threads: int, **asked: Any) -> None:
    """Train an encoder for GENERATOR on pictures that it makes itself.

    The same command goes on with an interrupted run. Without -o the encoder is put among your
    own, where the inverters encoder and encoder-refined find it.
    """
    import latentfu
    import torch

    from latentfu_builtin.encoders.training.options import (
        EncoderTrainingOptions,
        parse_training_options,
    )
    from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder

    if threads:
        torch.set_num_threads(threads)
    changes = parse_training_options(asked["changes"])
    if asked["architecture"]:
        changes["architecture"] = asked["architecture"]
    options = EncoderTrainingOptions(**changes)  # type: ignore[arg-type]
    opened = latentfu.open_generator(generator, asked["device"])
    name = _clean_encoder_name(asked["name"] or opened.name)
    output = asked["output"] or user_encoder_folder() / f"{name}.safetensors"
    refuse_replacing_encoder(output, opened)
    order = EncoderOrder(
        opened,
        output,
        options,
        pictures=asked["pictures"],
        renderer=asked["renderer"],
        pairs=asked["pairs"],
        trunk=asked["trunk"],
        checkpoint=asked["checkpoint"] or output.with_suffix(".checkpoint"),
        minutes=asked["checkpoint_minutes"],
        notes={"licence": asked["licence"]},
    )
    with click.progressbar(length=1000, label="Training", hidden=as_json) as bar:
        numbers = train_encoder(
            order, lambda done, message="": bar.update(round(1000 * done) - bar.pos)
        )
    _tell(output, numbers, as_json)


def _clean_encoder_name(name: str) -> str:
    """The name of an encoder; raises BadInputError for one that cannot be listed."""
    import re

    from latentfu import BadInputError

    short = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:64]
    if not short:
        raise BadInputError(f"{name!r} cannot be an encoder's name: give another --name.")
    return short


def _tell(output: Path, numbers: dict[str, float], as_json: bool) -> None:
    """Say where the encoder is and how well it does."""
    if as_json:
        click.echo(json.dumps({"file": str(output), "figures": numbers}))
        return
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
    for name, value in numbers.items():
        click.echo(f"  {name:20} {value:9.4f}")

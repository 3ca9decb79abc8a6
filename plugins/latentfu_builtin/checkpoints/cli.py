"""``latentfu generators import``, ``export`` and ``remove``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
from latentfu import json_option, progress_bar, write_whole

from latentfu_builtin.checkpoints.imported import Wish, import_network, path_of


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="What it is called here; the file's name if left out.")
@click.option("--domain", help="What it draws: faces, cars, cats, ...")
@click.option("--licence", help="Under which terms it was published.")
@json_option
def import_command(
    path: Path, name: str | None, domain: str | None, licence: str | None, as_json: bool
) -> None:
    """Read a checkpoint of StyleGAN 1, 2, 3 or W++ as it was published, or our safetensors.

    NVIDIA's .pkl (PyTorch and TensorFlow), rosinality's .pt, genforce's .pth, TransStyleGAN's
    .pt, weights of StyleGAN3 by themselves, PTI's tuned networks, and the generator inside
    pSp's, e4e's or ReStyle's .pt are known.

    The file is read in a process of its own, and nothing in it is run. It is not needed
    afterwards. Say with --domain faces that faces are to be found in pictures.
    """
    plain = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._") or "network"
    wish = Wish(name or plain, domain, licence)
    with progress_bar(f"Reading {path.name}", as_json) as progress:
        written = import_network(path, wish, progress)
    if as_json:
        click.echo(json.dumps({"name": wish.name, "file": str(written)}))
        return
    click.echo(f"{wish.name}: {written.stat().st_size / 1e6:.1f} MB in {written}")
    click.echo(f"Try it: latentfu generators info {wish.name}")


@click.command("export")
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write."
)
@json_option
def export_command(name: str, output: Path, as_json: bool) -> None:
    """Write the imported network NAME to a safetensors file, byte by byte as it lies here."""
    write_whole(output, path_of(name).read_bytes())
    size = output.stat().st_size
    if as_json:
        click.echo(json.dumps({"name": name, "file": str(output), "bytes": size}))
    else:
        click.echo(f"{output}: {size / 1e6:.1f} MB")


@click.command("remove")
@click.argument("name")
@json_option
def remove_command(name: str, as_json: bool) -> None:
    """Remove the imported network NAME. What was found with it can then not be edited again."""
    path_of(name).unlink()
    click.echo(json.dumps({"removed": name}) if as_json else f"Removed {name}.")

"""``latentfu losses list``, ``latentfu backbones download``."""

from __future__ import annotations

import json

import click
from latentfu import json_option


@click.command("download")
@click.argument("name", type=click.Choice(["vgg16"]))
@click.option("--address", metavar="URL", help="Another place to fetch it from.")
@json_option
def download_backbone_command(*, name: str, address: str | None, as_json: bool) -> None:
    """Fetch the network that the losses vgg16 and lpips look through (528 MB)."""
    from latentfu import progress_bar

    from latentfu_builtin.inversion.vgg import VGG16_ADDRESS, download_vgg16

    with progress_bar(f"Fetching {name}", as_json) as progress:
        path = download_vgg16(address or VGG16_ADDRESS, progress)
    click.echo(json.dumps({"name": name, "path": str(path)}) if as_json else f"{path}: {name}.")


@click.command("list")
@json_option
def list_losses_command(*, as_json: bool) -> None:
    """List the losses that an inversion can minimize."""
    import latentfu

    found = [
        {"name": loss.name, "title": loss.title, "domains": list(loss.domains)}
        for loss in latentfu.losses().values()
    ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for loss in found:
        click.echo(f"{loss['name']:18} {loss['title']}")

"""``latentfu setup NAME``, ``setup list`` and ``setup remove``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import latentfu
from latentfu import json_option, progress_bar

from latentfu_builtin.bundles.catalogue import Bundle, find_bundle, list_bundles
from latentfu_builtin.bundles.install_bundle import (
    check_room,
    install_bundle,
    read_installed,
    refuse_strangers,
    remove_bundle,
)
from latentfu_builtin.bundles.installable import describe_installed
from latentfu_builtin.checkpoints.cli import ask_consent, fetch_options
from latentfu_builtin.checkpoints.downloads.catalogue import (
    describe_terms,
)
from latentfu_builtin.checkpoints.downloads.held_hashes import describe_check
from latentfu_builtin.checkpoints.install_network import MIRROR, FetchOptions, refuse_unusable
from latentfu_builtin.checkpoints.library_files import describe_files, list_what_hangs_on


def make_setup_command(name: str) -> click.Command:
    """The command ``latentfu setup NAME``."""

    @click.command(name)
    @fetch_options
    @json_option
    def setup_command(
        yes: bool, mirror: str | None, places: tuple[Path, ...], keep: bool, as_json: bool
    ) -> None:
        """Fetch a network with its encoder and directions, and install all of it.

        Terms are shown first and agreed to once. What breaks off goes on with the next call.
        """
        bundle = find_bundle(name)
        refuse_strangers(bundle)
        if bundle.name not in read_installed():
            refuse_unusable(bundle.public_network())
        if not as_json:
            click.echo(_describe_bundle(bundle), err=True)
        ask_consent(bundle.terms(), yes, as_json)
        check_room(bundle)
        options = FetchOptions(mirror or os.environ.get(MIRROR, ""), places, keep)
        try:
            with progress_bar(f"Setting up {name}", as_json) as progress:
                installed = install_bundle(bundle, options, progress)
        except KeyboardInterrupt:
            click.echo("What has come is kept: the same command goes on from there.", err=True)
            raise
        if as_json:
            files = [str(path) for path in installed.files]
            told = {"bundle": name, "generator": bundle.called, "files": files}
            click.echo(json.dumps({**told, "is_default": installed.is_default}))
            return
        sliders = [path.stem for path in installed.directions]
        for sentence in describe_installed(bundle, installed):
            click.echo(sentence)
        named = (
            ""
            if latentfu.read_default_generator() == bundle.called
            else (f" --generator {bundle.called}")
        )
        example = f" --set {sliders[0]}=2" if sliders else ""
        click.echo(f"Try it: latentfu edit PHOTO -o OUT.png{named}{example}")

    return setup_command


def _describe_bundle(bundle: Bundle) -> str:
    """What a bundle brings, how large its file is, under which terms, and how it is checked."""
    network = bundle.public_network()
    size = f"{network.size / 1e6:.0f} MB" if network.size else "size not stated"
    checks = [bundle.describe_check()]
    checks += [describe_check(one.sha256, one.held_as) for one in bundle.directions]
    files = [f"{network.file} ({size}): {describe_terms(network)}"]
    files += [f"{one.file}: {one.licence}" for one in bundle.directions]
    told = [f"  {file}; {check}" for file, check in zip(files, checks, strict=True)]
    return "\n".join([f"{bundle.title}.", *told])


@click.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the bundles, what they bring, and which are installed."""
    installed = {name for name, one in read_installed().items() if one.is_there}
    if as_json:
        rows = [
            {
                "name": one.name,
                "title": one.title,
                "generator": one.called,
                "encoder": one.encoder,
                "directions": [item.file for item in one.directions],
                "bytes": one.public_network().size,
                "sha256": one.public_network().sha256,
                "checked": one.describe_check(),
                "terms": [describe_terms(item) for item in one.terms()],
                "installed": one.name in installed,
            }
            for one in list_bundles().values()
        ]
        click.echo(json.dumps({"bundles": rows}, indent=2))
        return
    for one in list_bundles().values():
        network = one.public_network()
        size = f"{network.size / 1e6:.0f} MB" if network.size else "? MB"
        here = ", installed" if one.name in installed else ""
        told = f"{one.title}; {describe_terms(network)}; {one.describe_check()}"
        click.echo(f"{one.name:16} {size:>8}  {told}{here}")


@click.command("remove")
@click.argument("name")
@json_option
def remove_bundle_command(name: str, as_json: bool) -> None:
    """Remove what the bundle NAME brought. What you made for its network stays."""
    removed = remove_bundle(name)
    left = list_what_hangs_on(removed.weights)
    if as_json:
        click.echo(json.dumps({"removed": name, "bytes": removed.size, "kept": len(left)}))
        return
    kept = f" Kept what you have for it: {describe_files(left)}." if left else ""
    click.echo(f"Removed {name} ({removed.size / 1e6:.1f} MB).{kept}")
    if removed.default:
        click.echo(removed.default)

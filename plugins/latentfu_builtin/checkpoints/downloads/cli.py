"""``latentfu generators download``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import click
import latentfu
from latentfu import BadInputError, PublicNetwork, json_option, progress_bar

from latentfu_builtin.checkpoints.downloads.agree import agree, agreed, announcement
from latentfu_builtin.checkpoints.downloads.fetch import Fetched, Way, install
from latentfu_builtin.checkpoints.downloads.known import known, offer, pick, terms
from latentfu_builtin.checkpoints.imported import check_name

MIRROR = "LATENTFU_MIRROR"


@click.command("download")
@click.argument("name", required=False)
@click.option("--as", "wanted", metavar="NAME", help="What it is called here (default: NAME).")
@click.option("--yes", is_flag=True, help="Agree to the terms without being asked.")
@click.option(
    "--mirror",
    metavar="URL",
    help=f"Another place: a folder, or an address with {{file}} ({MIRROR}).",
)
@click.option(
    "--from",
    "places",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A file or folder of yours that may have it; known again by its hash. Repeatable.",
)
@click.option("--keep", is_flag=True, help="Keep the file as it was published.")
@json_option
def download_command(
    *,
    name: str | None,
    wanted: str | None,
    yes: bool,
    mirror: str | None,
    places: tuple[Path, ...],
    keep: bool,
    as_json: bool,
) -> None:
    """Fetch a public network and make it a generator here; without NAME list what there is.

    Its terms are shown first and agreed to once. What breaks off goes on with the next call; the
    file is checked by its hash where one is known, read as by latentfu generators import, and not
    kept. Networks of your own can be added in networks.toml in the data folder.
    """
    if name is None:
        show_known(as_json)
        return
    network = pick(name)
    check_name(wanted or name)
    way = Way(mirror or os.environ.get(MIRROR, ""), places, keep)
    if not places:
        offer(network, way.mirror)  # without an address there is nothing to ask
    ask(network, yes, as_json)
    try:
        with progress_bar(f"Fetching {name}", as_json) as progress:
            fetched = install(network, wanted or name, way, progress)
    except KeyboardInterrupt:
        click.echo("What has come is kept: the same command goes on from there.", err=True)
        raise
    tell(network, wanted or name, fetched, as_json)


def ask(network: PublicNetwork, yes: bool, as_json: bool) -> None:
    """Show the terms; click.Abort when the person does not agree, BadInputError for scripts."""
    if not as_json:
        click.echo(f"{announcement(network)}.", err=True)
    if agreed(network):
        return
    if not yes:
        if as_json:
            raise BadInputError(f"{announcement(network)}: agree with --yes.")
        click.confirm("Do you agree to these terms?", abort=True, err=True)
    agree(network)


def tell(network: PublicNetwork, name: str, fetched: Fetched, as_json: bool) -> None:
    """Say what is there now."""
    if as_json:
        content = {
            "name": name,
            "file": str(fetched.network),
            "sha256": fetched.sha256,
            "checked": bool(network.sha256),
            "found": str(fetched.source) if fetched.found else None,
            "licence": network.licence,
            "non_commercial": network.non_commercial,
        }
        click.echo(json.dumps(content))
        return
    if fetched.found:
        click.echo(f"Found as {fetched.source}; nothing was fetched.")
    if not network.sha256:
        click.echo(f"No hash is known to check it by; it is sha256 {fetched.sha256}")
    click.echo(f"{name}: {fetched.network.stat().st_size / 1e6:.1f} MB in {fetched.network}")
    click.echo(f"Try it: latentfu generators info {name}")


def show_known(as_json: bool) -> None:
    """All networks, with the terms below."""
    networks, installed = known(), latentfu.generators()
    if as_json:
        rows = [{**asdict(one), "installed": one.name in installed} for one in networks.values()]
        click.echo(json.dumps({"networks": rows}, indent=2))
        return
    head = f"{'name':27} {'domain':28} {'side':>5} {'MB':>5} {'hash':4} {'terms':5} from"
    click.echo(head)
    numbers = {one.licence: 0 for one in networks.values()}
    numbers = {licence: place for place, licence in enumerate(numbers, 1)}
    for one in networks.values():
        size = f"{one.size / 1e6:.0f}" if one.size else "?"
        click.echo(
            f"{one.name:27} {one.domain:28} {one.resolution:5} {size:>5} "
            f"{'yes' if one.sha256 else 'no':4} [{numbers[one.licence]}]   {one.title}"
            f"{', installed' if one.name in installed else ''}"
            f"{'' if one.address else ' (no address: --from)'}"
        )
    for licence, place in numbers.items():
        one = next(one for one in networks.values() if one.licence == licence)
        click.echo(f"[{place}] {terms(one)}: {one.page or 'no page'}")

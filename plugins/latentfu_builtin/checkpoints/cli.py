"""Networks of one's own: ``latentfu generators import``, ``export``, ``remove``, ``download``.

And ``remove`` and ``rename`` of a person's directions, encoders and deformations.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import click
import latentfu
from latentfu import BadInputError, PublicNetwork, json_option, progress_bar, write_whole

from latentfu_builtin.checkpoints.downloads.catalogue import (
    announce_terms,
    describe_terms,
    find_known,
    has_agreed,
    list_known,
    make_offer,
    remember_agreement,
)
from latentfu_builtin.checkpoints.downloads.held_hashes import with_held_hash
from latentfu_builtin.checkpoints.formats import describe_formats
from latentfu_builtin.checkpoints.import_checkpoint import (
    ImportOptions,
    check_name,
    describe_channels,
    import_checkpoint,
    path_of,
)
from latentfu_builtin.checkpoints.install_network import (
    MIRROR,
    Fetched,
    FetchOptions,
    install_network,
    refuse_unusable,
)
from latentfu_builtin.checkpoints.library_files import (
    KINDS,
    find_in_library,
    rename_file,
)
from latentfu_builtin.checkpoints.remove_network import describe_what_hangs_on, remove_imported

_Command = TypeVar("_Command", bound=Callable[..., None])


class ImportCommand(click.Command):
    """A command whose help ends with the formats that are installed."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the formats below the options."""
        with formatter.section("Formats"):
            formatter.write_dl(describe_formats(latentfu.checkpoint_formats().values()))


@click.command("import", cls=ImportCommand)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="What it is called here; the file's name if left out.")
@click.option("--domain", help="What it draws: faces, cars, cats, ...")
@click.option("--licence", help="Under which terms it was published.")
@json_option
def import_command(
    path: Path, name: str | None, domain: str | None, licence: str | None, as_json: bool
) -> None:
    """Read a checkpoint of another project as it was published, or our own safetensors.

    The file is read in a process of its own, and nothing in it is run. It is not needed
    afterwards. Its content tells the format, not its name. Say with --domain faces that faces are
    to be found in pictures.
    """
    plain = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._") or "network"
    options = ImportOptions(name or plain, domain, licence)
    with progress_bar(f"Reading {path.name}", as_json) as progress:
        written = import_checkpoint(path, options, progress)
    if as_json:
        click.echo(json.dumps({"name": options.name, "file": str(written)}))
        return
    click.echo(f"{options.name}: {written.stat().st_size / 1e6:.1f} MB in {written}")
    note = describe_channels(written)
    if note:
        click.echo(note)
    click.echo(f"Try it: latentfu generators info {options.name}")


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
        click.echo(json.dumps({"file": str(output), "bytes": size}))
    else:
        click.echo(f"{output}: {size / 1e6:.1f} MB")


@click.command("remove")
@click.argument("name")
@click.option(
    "--everything", is_flag=True, help="Also your directions, encoders and deformations for it."
)
@click.option("--yes", is_flag=True, help="Remove it without being asked.")
@json_option
def remove_command(name: str, everything: bool, yes: bool, as_json: bool) -> None:
    """Remove the imported network NAME. What was found with it can then not be edited again.

    Directions, encoders and deformations that you have for it are kept, unless --everything is
    given: they fit again when the same weights come back.
    """
    path_of(name)  # None of that name: said before anybody is asked.
    _confirm_removal(name, describe_what_hangs_on(name) if everything else "", yes, as_json)
    removed = remove_imported(name, everything)
    if as_json:
        rows = [{"kind": file.kind, "name": file.name} for file in removed.for_it]
        click.echo(json.dumps({"removed": name, "everything": everything, "for_it": rows}))
        return
    for sentence in filter(None, (f"Removed {name}.", removed.note, removed.default)):
        click.echo(sentence)


def _confirm_removal(name: str, told: str, yes: bool, as_json: bool) -> None:
    """Ask before a network goes; click.Abort for a no, BadInputError where nobody can be asked."""
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise BadInputError(f"Nobody can be asked here whether {name} may be removed: say --yes.")
    with_it = f" and what you have for it ({told})" if told else ""
    click.confirm(f"Remove {name}{with_it}?", abort=True, err=True)


def fetch_options(command: _Command) -> _Command:
    """The options of a command that fetches networks: ``yes``, ``mirror``, ``places``, ``keep``."""
    options = (
        click.option("--yes", is_flag=True, help="Agree to the terms without being asked."),
        click.option(
            "--mirror",
            metavar="URL",
            help=f"Another place: a folder, or an address with {{file}} ({MIRROR}).",
        ),
        click.option(
            "--from",
            "places",
            multiple=True,
            type=click.Path(exists=True, path_type=Path),
            help="A file or folder of yours that may have it; known again by its hash. Repeatable.",
        ),
        click.option("--keep", is_flag=True, help="Keep the file as it was published."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def ask_consent(networks: Sequence[PublicNetwork], yes: bool, as_json: bool) -> None:
    """Show terms, and ask once for all that are new.

    Raises:
        click.Abort: the person does not agree.
        BadInputError: a script did not say ``--yes``.
    """
    if not as_json:
        for network in networks:
            click.echo(f"{announce_terms(network)}.", err=True)
    new = [network for network in networks if not has_agreed(network)]
    if new and not yes:
        if as_json:
            told = "; ".join(announce_terms(network) for network in new)
            raise BadInputError(f"{told}: agree with --yes.")
        click.confirm("Do you agree to these terms?", abort=True, err=True)
    for network in new:
        remember_agreement(network)


@click.command("download")
@click.argument("name", required=False)
@click.option("--as", "wanted", metavar="NAME", help="What it is called here (default: NAME).")
@fetch_options
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
        _show_known(as_json)
        return
    network = with_held_hash(find_known(name))
    check_name(wanted or name)
    refuse_unusable(network)
    options = FetchOptions(mirror or os.environ.get(MIRROR, ""), places, keep)
    if not places:
        make_offer(network, options.mirror)  # without an address there is nothing to ask
    ask_consent([network], yes, as_json)
    try:
        with progress_bar(f"Fetching {name}", as_json) as progress:
            fetched = install_network(network, wanted or name, options, progress)
    except KeyboardInterrupt:
        click.echo("What has come is kept: the same command goes on from there.", err=True)
        raise
    _show_fetched(network, wanted or name, fetched, as_json)


def _show_fetched(network: PublicNetwork, name: str, fetched: Fetched, as_json: bool) -> None:
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
        click.echo(
            f"No hash is known to check it by; it is sha256 {fetched.sha256}, and held to that "
            "from now on"
        )
    click.echo(f"{name}: {fetched.network.stat().st_size / 1e6:.1f} MB in {fetched.network}")
    click.echo(f"Try it: latentfu generators info {name}")


def _show_known(as_json: bool) -> None:
    """All networks, with the terms below."""
    networks, installed = list_known(), latentfu.generators()
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
        click.echo(f"[{place}] {describe_terms(one)}: {one.page or 'no page'}")


_GENERATOR = click.option(
    "--generator", metavar="NAME", help="For which network, where several have one of that name."
)


def make_remove_command(kind: str) -> click.Command:
    """The command that removes one of ``kind``."""

    @click.command("remove", help=f"Remove the {KINDS[kind]} NAME of your own.")
    @click.argument("name")
    @_GENERATOR
    @json_option
    def remove_command(name: str, generator: str | None, as_json: bool) -> None:
        file = find_in_library(kind, name, generator)
        size = file.megabytes
        file.path.unlink()
        if as_json:
            click.echo(json.dumps({"removed": name, "file": str(file.path)}))
        else:
            click.echo(f"Removed the {KINDS[kind]} {name} ({size:.1f} MB).")

    return remove_command


def make_rename_command(kind: str) -> click.Command:
    """The command that gives one of ``kind`` another name."""

    @click.command("rename", help=f"Give the {KINDS[kind]} NAME of your own the name NEW.")
    @click.argument("name")
    @click.argument("new")
    @_GENERATOR
    @json_option
    def rename_command(name: str, new: str, generator: str | None, as_json: bool) -> None:
        written = rename_file(find_in_library(kind, name, generator), new)
        if as_json:
            click.echo(json.dumps({"name": new, "file": str(written)}))
        else:
            click.echo(f"{name} is now called {new}.")

    return rename_command

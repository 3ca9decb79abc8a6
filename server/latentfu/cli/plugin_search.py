"""``latentfu plugins search``: what there is to install, from the catalog that comes along."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.errors import BadInputError, StorageError
from latentfu.plugin_manager.sources import all_sources

CATALOG = Path(__file__).with_name("catalog.json")


@dataclass(frozen=True)
class CatalogEntry:
    """A package of plug-ins: ``source`` is where it can be had, ``kinds`` what it brings."""

    name: str
    package: str
    summary: str
    kinds: tuple[str, ...] = ()
    licence: str = ""
    source: str = ""

    def has(self, words: tuple[str, ...]) -> bool:
        """Whether all words stand somewhere in it."""
        text = " ".join((self.name, self.package, self.summary, *self.kinds, self.licence)).lower()
        return all(word.lower() in text for word in words)


@click.command("search")
@click.argument("words", nargs=-1)
@click.option(
    "--catalog", type=click.Path(path_type=Path), envvar="LATENTFU_CATALOG",
    help="Another catalog, such as your studio's; also LATENTFU_CATALOG.",
)  # fmt: skip
@json_option
def plugins_search(words: tuple[str, ...], catalog: Path | None, as_json: bool) -> None:
    """Search the catalog of plug-ins for WORDS; without any, all of it.

    Nothing is asked of the network. Install what you find with latentfu plugins install.
    """
    found = [entry for entry in read_entries(catalog or CATALOG) if entry.has(words)]
    installed = {source.origin.removeprefix("package ") for source in all_sources()}
    if as_json:
        rows = [{**asdict(one), "installed": one.package in installed} for one in found]
        print_json({"plugins": rows})
        return
    if not found:
        click.echo("Nothing in the catalog has all of these words.", err=True)
        return
    table = [
        (
            one.name,
            "installed" if one.package in installed else "",
            ", ".join(one.kinds),
            one.licence,
            one.source or one.package,
            one.summary,
        )
        for one in found
    ]
    print_table(("name", "", "brings", "licence", "from", "what it is"), table)


def read_entries(path: Path) -> list[CatalogEntry]:
    """The entries of a catalog file, a JSON list of objects.

    Raises:
        StorageError: the file cannot be read.
        BadInputError: it is no catalog.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [CatalogEntry(**{**row, "kinds": tuple(row.get("kinds", ()))}) for row in rows]
    except OSError as error:
        raise StorageError(f"The catalog {path} cannot be read ({error.strerror}).") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"{path} is no catalog: give a JSON list of objects with name, package and summary."
        ) from error

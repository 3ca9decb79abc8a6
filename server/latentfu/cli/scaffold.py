"""``latentfu plugins new``: a package that works, to start from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import click

from latentfu.cli.output import json_option, print_json
from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.names import is_name

if TYPE_CHECKING:
    from latentfu.storage.directions import Direction


@click.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="Where to put it.")
@click.option(
    "--directions", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Direction files: the package is a pack of these (repeatable).",
)  # fmt: skip
@click.option("--author", default="", help="Of the directions that name none.")
@click.option("--licence", default="", help="Of the directions that name none.")
@json_option
def plugins_new(  # noqa: PLR0917
    name: str,
    folder: Path,
    directions: tuple[Path, ...],
    author: str,
    licence: str,
    as_json: bool,
) -> None:
    """Write the package latentfu-NAME: a plug-in with one control, its test and a README.

    With --directions it is a pack of those, in a dozen lines.
    """
    name = name.removeprefix("latentfu-")
    files = packed(directions, author, licence, name)
    written = write_package(name, folder, files)
    if as_json:
        print_json({"folder": str(written)})
    else:
        click.echo(f"{written} is written; next: pip install -e {written}")


def packed(paths: Sequence[Path], author: str, licence: str, name: str) -> dict[str, Direction]:
    """The directions of the pack ``name`` by file, each with an author and a licence.

    Those that stood among the author's own are grouped under the pack's name: on other people's
    machines they are not their own.
    Raises BadInputError for a file that is no direction or names neither, or a name given twice.
    """
    found: dict[str, Direction] = {}
    if not paths:
        return found
    from latentfu.storage.directions import read_direction

    for path in paths:
        read = read_direction(path)
        whole = replace(read, author=read.author or author, licence=read.licence or licence)
        whole = replace(whole, group=name if whole.group == "own" else whole.group)
        if not whole.author or not whole.licence:
            raise BadInputError(f"{path} names no author or licence: say --author and --licence.")
        if f"{whole.name}.safetensors" in found:
            raise BadInputError(f"Two of the directions are named {whole.name!r}.")
        found[f"{whole.name}.safetensors"] = whole
    return found


def write_package(
    name: str, folder: Path, directions: Mapping[str, Direction] | None = None
) -> Path:
    """Write the template into ``folder``/latentfu-``name``, whole or not at all."""
    from latentfu.cli.template import FILES
    from latentfu.cli.template_pack import PACK

    if not is_name(name) or not name.replace("-", "").isalnum():
        raise BadInputError(f"{name!r} is no name for a plug-in: use a-z, 0-9 and - only.")
    target = folder / f"latentfu-{name}"
    if target.exists():
        raise BadInputError(f"{target} is there already: take another name or remove it.")
    words = {"name": name, "module": f"latentfu_{name.replace('-', '_')}"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".latentfu-new-", dir=folder) as temporary:
            draft = Path(temporary) / "package"
            for path, text in (PACK if directions else FILES).items():
                file = draft / Template(path).substitute(words)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(Template(text).substitute(words), encoding="utf-8")
            if directions:
                write_directions(draft / words["module"] / "directions", directions)
            shutil.move(draft, target)
    except OSError as error:
        raise StorageError(f"Could not write {target}: {error.strerror or error}.") from error
    return target


def write_directions(folder: Path, directions: Mapping[str, Direction]) -> None:
    """The files of a pack."""
    from latentfu.storage.directions import write_direction

    for file, direction in directions.items():
        write_direction(folder / file, direction)

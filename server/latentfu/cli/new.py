"""``latentfu plugins new``: a package that works, to start from."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from string import Template

import click

from latentfu.cli.output import json_option, print_json
from latentfu.errors import BadInputError, StorageError


@click.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="Where to put it.")
@json_option
def plugins_new(name: str, folder: Path, as_json: bool) -> None:
    """Write the package latentfu-NAME: a plug-in with one control, its test and a README."""
    written = write_package(name.removeprefix("latentfu-"), folder)
    if as_json:
        print_json({"folder": str(written)})
    else:
        click.echo(f"{written} is written; next: pip install -e {written}")


def write_package(name: str, folder: Path) -> Path:
    """Write the template into ``folder``/latentfu-``name``, whole or not at all."""
    from latentfu.cli.template import FILES
    from latentfu.registry.validation import NAME

    if not NAME.fullmatch(name) or not name.replace("-", "").isalnum():
        raise BadInputError(f"{name!r} is no name for a plug-in: use a-z, 0-9 and - only.")
    target = folder / f"latentfu-{name}"
    if target.exists():
        raise BadInputError(f"{target} is there already: take another name or remove it.")
    words = {"name": name, "module": f"latentfu_{name.replace('-', '_')}"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".latentfu-new-", dir=folder) as temporary:
            draft = Path(temporary) / "package"
            for path, text in FILES.items():
                file = draft / Template(path).substitute(words)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(Template(text).substitute(words), encoding="utf-8")
            shutil.move(draft, target)
    except OSError as error:
        raise StorageError(f"Could not write {target}: {error.strerror or error}.") from error
    return target

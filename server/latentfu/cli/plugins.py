"""``latentfu plugins``: what is installed, what is broken and why, on and off, and a new one."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import click

from latentfu.cli.output import is_debugging, json_option, print_json, print_table
from latentfu.core.errors import BadInputError, NotInstalledError, StorageError
from latentfu.core.names import is_name

if TYPE_CHECKING:
    from latentfu.storage.deformations import Deformation
    from latentfu.storage.directions import Direction


_KIND_NAMES = (
    "generator", "format", "inverter", "encoder", "aligner", "loss", "scorer", "identity",
    "deformation", "choice", "maker", "command",
)  # fmt: skip
"""Those of plugin_kinds.KINDS, which is read only when a package is written."""


@click.command("list")
@click.option(
    "--static",
    is_flag=True,
    help="Import none: what is installed, where, what it needs, and its hooks by its text.",
)
@json_option
@click.pass_context
def plugins_list(context: click.Context, static: bool, as_json: bool) -> None:
    """List plug-ins with where they come from, their state and what they bring."""
    if static:
        _list_static(as_json)
        return
    from latentfu.plugin_manager import get_registry

    statuses = get_registry().statuses()
    if is_debugging(context):
        for status in statuses:
            if status.traceback:
                click.echo(f"{status.name}: {status.traceback}", err=True)
    if as_json:
        print_json({"plugins": [dataclasses.asdict(status) for status in statuses]})
        return
    rows = []
    for status in statuses:
        brings = "; ".join(map(_say_brought, status.provides.items()))
        if status.state == "ok" and not brings:
            brings = "nothing for the networks that are installed"
        told = "; ".join(filter(None, (status.reason or brings, *status.left_out)))
        rows.append((status.name, status.state, status.version, status.origin, told))
    print_table(("name", "state", "version", "from", "brings, or the reason"), rows)


def _say_brought(brought: tuple[str, Sequence[str]]) -> str:
    """A kind and what a plug-in brings of it: by name, or how many where they are many."""
    kind, names = brought
    return f"{kind}: {', '.join(names) if len(names) <= _MOST_NAMES else len(names)}"


_MOST_NAMES = 20


def _list_static(as_json: bool) -> None:
    """What the packages and the plug-in folder say of themselves."""
    from latentfu.plugin_manager.sources import all_sources, disabled_names
    from latentfu.plugin_manager.static_hooks import read_hooks

    off, sources = disabled_names(), all_sources()
    found = [
        {
            "name": source.name,
            "state": "disabled" if source.name in off else "enabled",
            "version": source.version,
            "origin": source.origin,
            "needs": source.needs,
        }
        for source in sources
    ]
    kinds = [read_hooks(source) for source in sources]
    if as_json:
        rows = [{**each, "hooks": known} for each, known in zip(found, kinds, strict=True)]
        print_json({"plugins": rows})
        return
    table = [(*each.values(), ", ".join(known)) for each, known in zip(found, kinds, strict=True)]
    print_table(("name", "state", "version", "from", "needs latentfu", "hooks"), table)


@click.command("doctor")
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=20.0, show_default=True, help="Limit for each."
)
@json_option
@click.pass_context
def plugins_doctor(context: click.Context, seconds: float, as_json: bool) -> None:
    """Try each plug-in in a process of its own; names those that hang, crash or are slow.

    Exit code 1 when one is not well. No plug-in is imported into this process, so it works when
    one of them hangs everything else.
    """
    from latentfu.plugin_manager.doctor import examine_all

    findings = []
    for finding in examine_all(seconds):
        findings.append(finding)
        if not as_json:
            mark = click.style(f"{finding.state:<6}", fg="green" if finding.well else "red")
            click.echo(f"{mark} {finding.name} ({finding.origin}): {finding.message}")
            if finding.traceback:
                click.echo(textwrap.indent(finding.traceback.rstrip(), "       "))
    if as_json:
        print_json({"plugins": [dataclasses.asdict(finding) for finding in findings]})
    if not all(finding.well for finding in findings):
        context.exit(1)


@click.command("enable")
@click.argument("name")
@json_option
def plugins_enable(name: str, as_json: bool) -> None:
    """Switch plug-in NAME on again."""
    _switch(name, disabled=False, as_json=as_json)


@click.command("prefer")
@click.argument("name")
@click.option("--no-more", is_flag=True, help="Take the preference back.")
@json_option
def plugins_prefer(name: str, no_more: bool, as_json: bool) -> None:
    """Let plug-in NAME have a name that others claim too.

    Of two controls of one name one has it, and the other is listed as PLUGIN.NAME. Without a
    preference the program's own plug-ins come first, then packages and files by name.
    """
    from latentfu.plugin_manager.sources import all_sources, set_preferred

    known = [source.name for source in all_sources()]
    if name not in known and not no_more:
        raise NotInstalledError(f"There is no plug-in {name!r}; installed: {', '.join(known)}.")
    changed = set_preferred(name, not no_more)
    if as_json:
        print_json({"name": name, "preferred": not no_more, "changed": changed})
    else:
        click.echo(f"{name} {'is no more preferred' if no_more else 'comes first now'}.")


@click.command("disable")
@click.argument("name")
@json_option
def plugins_disable(name: str, as_json: bool) -> None:
    """Switch plug-in NAME off: it is not imported any more."""
    _switch(name, disabled=True, as_json=as_json)


def _switch(name: str, disabled: bool, as_json: bool) -> None:
    """Nothing is imported here, so that a plug-in that hangs can be switched off."""
    from latentfu.plugin_manager.switching import switch_plugin

    changed = switch_plugin(name, disabled)
    state = "disabled" if disabled else "enabled"
    if as_json:
        print_json({"name": name, "state": state, "changed": changed})
    elif changed:
        click.echo(f"{name} is {state} now; a running server takes note with its next work.")
    else:
        click.echo(f"{name} was {state} already.")


@click.command("new")
@click.argument("name")
@click.option(
    "--kind", type=click.Choice(["direction", *_KIND_NAMES, "control"]), default="direction",
    show_default=True, help="What it brings (control: the old name of direction).",
)  # fmt: skip
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="Where to put it.")
@click.option(
    "--directions", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Files of directions or deformations: the package is a pack of these (repeatable).",
)  # fmt: skip
@click.option("--author", default="", help="Of the files that name none.")
@click.option("--licence", default="", help="Of the files that name none.")
@json_option
def plugins_new(  # noqa: PLR0917
    name: str,
    kind: str,
    folder: Path,
    directions: tuple[Path, ...],
    author: str,
    licence: str,
    as_json: bool,
) -> None:
    """Write the package latentfu-NAME: a plug-in that works, its test and a README.

    With --directions it is a pack of those, in a dozen lines; else it brings one object of --kind.
    Its README says how to publish it.
    """
    kind = "direction" if kind == "control" else kind
    if directions and kind != "direction":
        raise BadInputError("A pack of directions is no other kind: give --directions or --kind.")
    name = name.removeprefix("latentfu-")
    files = pack_files(directions, author, licence, name)
    written = write_package(name, folder, files, kind)
    if as_json:
        print_json({"folder": str(written)})
    else:
        click.echo(f"{written} is written; next: latentfu plugins install {written}")


Packed = Mapping[str, "Direction | Deformation"]
"""What a pack ships, by the path of its file within the package."""


def pack_files(paths: Sequence[Path], author: str, licence: str, name: str) -> Packed:
    """The directions and deformations of the pack ``name``, each with an author and a licence.

    Those that stood among the author's own are grouped under the pack's name: on other people's
    machines they are not their own.
    Raises BadInputError for a file that is neither or names none of both, or a name given twice.
    """
    found: dict[str, Direction | Deformation] = {}
    for path in paths:
        folder, read = _read_file_of_pack(path)
        group = name if read.group == "own" else read.group
        whole = replace(
            read, author=read.author or author, licence=read.licence or licence, group=group
        )
        if not whole.author or not whole.licence:
            raise BadInputError(f"{path} names no author or licence: say --author and --licence.")
        if whole.name in [known.name for known in found.values()]:
            raise BadInputError(f"Two of the files are named {whole.name!r}.")
        found[f"{folder}/{whole.name}.safetensors"] = whole
    return found


def _read_file_of_pack(path: Path) -> tuple[str, Direction | Deformation]:
    """A file, and the folder of a pack that it belongs into."""
    from latentfu.storage.deformations import is_deformation_file, read_deformation
    from latentfu.storage.directions import read_direction

    if is_deformation_file(path):
        return "deformations", read_deformation(path)
    return "directions", read_direction(path)


def write_package(
    name: str,
    folder: Path,
    packed: Packed | None = None,
    kind: str = "direction",
) -> Path:
    """Write the template into ``folder``/latentfu-``name``, whole or not at all."""
    from latentfu.cli.plugin_kinds import KINDS
    from latentfu.cli.plugin_templates import CONTROL_FILES, PACK_FILES, files_of_kind

    if not is_name(name) or not name.replace("-", "").isalnum():
        raise BadInputError(f"{name!r} is not a name for a plug-in: use a-z, 0-9 and - only.")
    _check_free(name)
    target = folder / f"latentfu-{name}"
    if target.exists():
        raise BadInputError(f"{target} is there already: take another name or remove it.")
    words = {"name": name, "module": f"latentfu_{name.replace('-', '_')}"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".latentfu-new-", dir=folder) as temporary:
            draft = Path(temporary) / "package"
            template = CONTROL_FILES if kind == "direction" else files_of_kind(*KINDS[kind])
            for path, text in (PACK_FILES if packed else template).items():
                file = draft / Template(path).substitute(words)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(Template(text).substitute(words), encoding="utf-8")
            if packed:
                _write_packed(draft / words["module"], packed)
            shutil.move(draft, target)
    except OSError as error:
        raise StorageError(f"Could not write {target}: {error.strerror or error}.") from error
    return target


def _check_free(name: str) -> None:
    """Refuse a name whose package, module or plug-in is taken (raises BadInputError)."""
    module = f"latentfu_{name.replace('-', '_')}"
    if not name[0].isalpha():
        raise BadInputError(f"{name!r} is not a name for a package: begin with a letter.")
    if module == "latentfu_builtin":
        raise BadInputError(f"The module {module} is the program's own: take another name.")
    from latentfu.plugin_manager.sources import all_sources

    for source in all_sources():
        if source.name == name and source.origin != f"package latentfu-{name}":
            raise BadInputError(
                f"There is a plug-in {name} already ({source.origin}): take another name."
            )


def _write_packed(folder: Path, packed: Packed) -> None:
    """The files of a pack."""
    from latentfu.storage.deformations import Deformation, write_deformation
    from latentfu.storage.directions import write_direction

    for file, found in packed.items():
        if isinstance(found, Deformation):
            write_deformation(folder / file, found)
        else:
            write_direction(folder / file, found)

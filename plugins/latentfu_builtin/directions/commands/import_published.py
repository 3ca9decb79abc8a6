"""``latentfu directions import PATH``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import latentfu
import numpy as np
from latentfu import (
    BadInputError,
    Direction,
    Generator,
    LatentFuError,
    WrongGeneratorError,
    choose_direction_file,
    json_option,
    own_directions_dir,
    read_direction,
    refuse_taken_name,
    save_direction,
)

from latentfu_builtin.directions.commands.common import LAYER_RANGE
from latentfu_builtin.directions.published.catalogue import PublishedEntry, look_up_file
from latentfu_builtin.directions.published.files import (
    OWN_ENDING,
    PublishedDirection,
    read_content,
    recognize_directions,
    unpack_files,
)
from latentfu_builtin.directions.published.fit_to_generator import (
    FitOptions,
    ReferenceCodes,
    fit_to_generator,
    import_direction_file,
    is_sure_to_fit,
    make_plain_name,
)
from latentfu_builtin.directions.style_channels import make_channel_direction

_MOST_AT_ONCE = 100


@dataclass(frozen=True)
class _ImportedFile:
    """A file and what came of it: directions, or the reason why there are none."""

    file: str
    directions: list[Direction]
    reason: str = ""
    note: str = ""


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--generator", required=True, metavar="NAME", help="Which weights it is for.")
@click.option("--name", default="", help="What --set NAME= will take (of several: its beginning).")
@click.option("--space", type=click.Choice(["z", "w", "w+", "w++"]), help="Default: by its shape.")
@click.option("--layers", type=LAYER_RANGE, metavar="FIRST-LAST", help="The only layers it moves.")
@click.option("--flip", is_flag=True, help="Turn it round: + becomes -.")
@click.option("--component", "components", type=int, multiple=True, help="Only this one of many.")
@click.option("--channel", metavar="LAYER_CHANNEL", help="A StyleSpace channel instead of a file.")
@click.option("--set-of", metavar="SET", help="The published set the files are from.")
@click.option("--plus", default="", help="What a positive strength means, for people.")
@click.option("--as-published", is_flag=True, help="Keep its length: strengths as published.")
@click.option("--force", is_flag=True, help="Also what was made for other weights or spaces.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@json_option
def import_directions_command(
    path: Path | None, generator: str, out: Path | None, as_json: bool, **asked: Any
) -> None:
    """Take in directions of other projects: a file, a folder, or a zip.

    Direction files of this program (.safetensors) are taken as they are, but for other weights
    only by --force. Of others, .npy, .npz, .pt, .pth and .pkl files of InterFaceGAN,
    encoder4editing, GANSpace, In-Domain inversion and closed-form factorisation are recognized;
    nothing in them is run. They are put among your own directions, where the editor finds them.
    """
    opened = latentfu.open_generator(generator)
    if (path is None) == (asked["channel"] is None):
        raise BadInputError("Give a file, a folder or a zip to import, or a --channel.")
    if path is None:
        imported = [
            _ImportedFile(
                asked["channel"], [make_channel_direction(asked["channel"], opened, asked)]
            )
        ]
    else:
        imported = _import_files(path, opened, asked)
    folder = out or own_directions_dir()
    _agree_to_doubts(imported, as_json)
    written = [file for item in imported for file in _write_imported(item, folder, opened)]
    _report_imported(imported, written, as_json)
    if not written:
        raise SystemExit(1)


def _import_files(path: Path, generator: Generator, asked: dict[str, Any]) -> list[_ImportedFile]:
    """What each file at ``path`` gives; a single file that gives nothing raises BadInputError."""
    if asked["layers"] is not None and generator.num_ws == 0:
        raise BadInputError(f"{generator.name} has no layers: leave --layers out.")
    codes = ReferenceCodes.of(generator)
    with unpack_files(path) as files:
        if len(files) == 1:
            return [_import_file(files[0], codes, asked, alone=True)]
        imported = []
        for file in files:
            try:
                imported.append(_import_file(file, codes, asked, alone=False))
            except LatentFuError as error:
                imported.append(_ImportedFile(file.name, [], str(error)))
        return _make_names_unique(imported, renamed=bool(asked["name"]))


def _make_names_unique(imported: list[_ImportedFile], renamed: bool) -> list[_ImportedFile]:
    """The same, no two directions of one name: those are named after their files.

    Where that does not help (or a name was asked for: ``renamed``), the first one stays.
    """
    counts = Counter(d.name for item in imported for d in item.directions)
    found, seen = [], set[str]()
    for item in imported:
        shared = [d for d in item.directions if counts[d.name] > 1 and not renamed]
        named = [replace(d, name=_name_after_file(d, item.file)) if d in shared else d
                 for d in item.directions]  # fmt: skip
        again = seen & {d.name for d in named}
        if again:
            reason = (
                f"{item.file} was not imported: another file gave {min(again)} too; import it "
                f"alone, with --name."
            )
            found.append(_ImportedFile(item.file, [], reason))
            continue
        seen |= {d.name for d in named}
        found.append(replace(item, directions=named))
    return found


def _name_after_file(direction: Direction, file: str) -> str:
    """The file's own name as a direction's, with its number where it is one of many."""
    stem = make_plain_name(file.rsplit(".", 1)[0].removesuffix("_boundary"))
    number = direction.name.rpartition("-")[2]
    return (f"{stem}-{number}" if number.isdigit() else stem) or direction.name


def _import_file(
    file: Path, codes: ReferenceCodes, asked: dict[str, Any], alone: bool
) -> _ImportedFile:
    """The directions of one file; BadInputError, naming the file, when it holds none."""
    options = _read_options(asked, "" if alone else file.name)
    try:
        if file.suffix.lower() == OWN_ENDING:
            return _ImportedFile(file.name, [import_direction_file(file, codes.generator, options)])
        held = read_content(file)
        known = look_up_file(held.sha256, held.name, asked["set_of"])
        found = _recognize(held.content, known, codes.generator)
        wanted = asked["components"]
        if wanted:
            found = [item for item in found if item.suffix in {str(n) for n in wanted}]
        if not found:
            raise BadInputError(f"It has no component {', '.join(map(str, wanted))}.")
        if len(found) > _MOST_AT_ONCE:
            raise BadInputError(f"It holds {len(found)} directions: choose some by --component.")
        fitted = [fit_to_generator(item, known, options, codes, held.name) for item in found]
        note = "" if options.force else _doubt_weights(held.name, known, codes.generator)
        return _ImportedFile(held.name, fitted, note=note)
    except (BadInputError, WrongGeneratorError) as error:
        raise type(error)(f"{file.name} was not imported: {error}") from error


def _recognize(
    content: Any, known: PublishedEntry, generator: Generator
) -> list[PublishedDirection]:
    """The directions in a file's content; a refusal says for which network they were made."""
    try:
        return recognize_directions(content, generator)
    except BadInputError as error:
        if not known.made_for:
            raise
        raise BadInputError(f"{error} It was made for {known.made_for}.") from error


def _doubt_weights(file: str, known: PublishedEntry, generator: Generator) -> str:
    """A sentence where nothing tells that the generator has the weights that a set is for."""
    if is_sure_to_fit(known, generator):
        return ""
    return (
        f"{file} was made for {known.made_for}; whether {generator.name} has these weights, its "
        "file does not say. For others its direction means something else."
    )


def _agree_to_doubts(imported: list[_ImportedFile], as_json: bool) -> None:
    """Say what is not known, and ask where a person can answer; click.Abort for no."""
    notes = [item.note for item in imported if item.note]
    for note in notes:
        click.echo(note, err=True)
    if notes and sys.stdin.isatty() and not as_json:
        click.confirm("Import it nevertheless?", abort=True, err=True)


def _refuse_replacing(direction: Direction, folder: Path) -> None:
    """BadInputError where another direction of the user's own stands under its name."""
    path = choose_direction_file(folder, direction.name, direction.generator_id)
    if folder != own_directions_dir() or not path.is_file():
        return
    old = read_direction(path)
    if old.source != direction.source and not np.array_equal(old.vector, direction.vector):
        raise BadInputError(
            f"You have a direction {direction.name!r} for this generator already"
            f"{f', from {old.source}' if old.source else ''}: give another --name, or remove it "
            f"with latentfu directions remove {direction.name}."
        )


def _read_options(asked: dict[str, Any], file: str) -> FitOptions:
    """The options as wishes; with several files the name is a beginning."""
    name = asked["name"]
    if file and name:
        name = f"{name}-{file.rsplit('.', 1)[0].removesuffix('_boundary')}"
    return FitOptions(
        name=name,
        space=asked["space"],
        layers=asked["layers"],
        flip=asked["flip"],
        force=asked["force"],
        as_published=asked["as_published"],
        plus=asked["plus"],
    )


def import_set_file(path: Path, generator: Generator) -> list[Path]:
    """Take the directions of one published file in among the user's own; the files written.

    Raises BadInputError and WrongGeneratorError as the command does.
    """
    asked: dict[str, Any] = dict.fromkeys(("flip", "force", "as_published"), False)
    asked |= {"name": "", "plus": "", "space": None, "layers": None, "set_of": None}
    asked["components"] = ()
    item = _import_file(path, ReferenceCodes.of(generator), asked, alone=True)
    return _write_imported(item, own_directions_dir(), generator)


def _write_imported(item: _ImportedFile, folder: Path, generator: Generator) -> list[Path]:
    """Write the directions of one file; a name that another control has is refused."""
    for direction in item.directions:
        refuse_taken_name(direction.name, folder, generator)
        _refuse_replacing(direction, folder)
    return [save_direction(d, folder) for d in item.directions]


def _report_imported(imported: list[_ImportedFile], written: list[Path], as_json: bool) -> None:
    """What was taken in, and what was not and why."""
    if as_json:
        rows = [
            {"file": item.file, "directions": [d.facts() for d in item.directions],
             "reason": item.reason}
            for item in imported
        ]  # fmt: skip
        click.echo(json.dumps({"written": [str(path) for path in written], "files": rows}))
        return
    for item in imported:
        for d in item.directions:
            more = f", layers {d.layers[0]}-{d.layers[1]}" if d.layers else ""
            sort = "goes to an amount" if d.absolute else "moves by a strength"
            click.echo(f"{d.name}: {d.space}{more}, {sort}; + is {d.plus or 'not known'}.")
        if item.reason:
            click.echo(item.reason, err=True)

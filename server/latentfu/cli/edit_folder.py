"""A folder of pictures edited alike: several at once, and from where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import numpy as np

from latentfu.cli.backend import (
    Backend,
    LocalBackend,
    OpenedEditor,
    choose_backend,
    open_editor,
)
from latentfu.cli.edit_picture import (
    EditedPicture,
    EditWish,
    describe_fit,
    edit_picture,
    find_start,
)
from latentfu.cli.options import is_file
from latentfu.cli.output import print_json, print_table, progress_bar
from latentfu.cli.picture_folder import (
    Row,
    describe_failure,
    finish_table,
    list_folder_pictures,
    make_output_folder,
    read_table,
    write_table,
)
from latentfu.cli.pictures import (
    PictureFile,
    check_target,
    read_picture_file,
    write_picture,
)
from latentfu.core.errors import BadInputError, CancelledError, LatentFuError, NotInstalledError
from latentfu.core.progress import Progress, between, silent
from latentfu.storage.edit_history import EditState
from latentfu.storage.safetensors_file import file_sha256

if TYPE_CHECKING:
    from latentfu.engine.batch_task import WorkerPlace
    from latentfu.engine.open_engine import EngineChoice
    from latentfu.pipeline.generator_recipe import GeneratorRecipe

T = TypeVar("T")
TABLE = "edits.json"
_AT_HAND = 64
"""Pictures that are read ahead for an engine's workers, so that a large folder needs little
memory."""


@dataclass(frozen=True)
class FolderOfEdits:
    """Pictures in, pictures of the same names out.

    Attributes:
        pictures: Where they lie.
        out: Where the edited ones go.
        again: Whether those are edited again that are done.
        as_is: Whether pictures are edited themselves that were made from others.
    """

    pictures: Path
    out: Path
    again: bool = False
    as_is: bool = False

    @property
    def table(self) -> Path:
        """Where it is written what became of each."""
        return self.out / TABLE


@dataclass(frozen=True)
class WaitingEdit:
    """A picture that has to be edited: where it begins, and the state that it comes to."""

    picture: Path
    target: Path
    source: EditState

    def read(self) -> PictureFile:
        """The picture that is edited; raises BadInputError."""
        return read_picture_file(Path(self.source.original))

    def describe(self) -> Row:
        """Its row before anything is known of the result."""
        return {
            "picture": self.picture.name,
            "output": self.target.name,
            "original": self.source.original,
            "sha256": self.source.sha256,
            "edits": self.source.edits,
            "how": self.source.how,
        }


@dataclass(frozen=True)
class PictureToEdit:
    """What a worker is sent: the pixels (uint8 [H, W, 1, 3 or 4]) and the strengths."""

    pixels: np.ndarray
    edits: dict[str, float]


def edit_folder(
    folder: FolderOfEdits, wish: EditWish, where: str | None, choice: EngineChoice, as_json: bool
) -> None:
    """Edit what is not there yet; the table is written after every picture.

    Raises BadInputError where the folders cannot be used, or some pictures could not.
    """
    paths = list_folder_pictures(folder.pictures)
    make_output_folder(folder.out, "pictures")
    if folder.out.samefile(folder.pictures):
        raise BadInputError(f"{folder.out} holds the pictures themselves: name another folder.")
    rows: dict[str, Row] = {}

    def keep(row: Row) -> None:
        rows[row["picture"]] = row
        write_table(folder.table, [rows[path.name] for path in paths if path.name in rows])

    with progress_bar("Editing", quiet=as_json) as progress:
        waiting = _look_through(folder, paths, wish, rows)
        if choice.is_given:
            done = _edit_by_engine(waiting, wish, choice, progress)
        else:
            backend = choose_backend(where, wish.fields.get("generator"))
            done = _edit_here(waiting, wish, backend, progress)
        for each, result in done:
            keep(_write_result(each, wish, result))
    table = [rows[path.name] for path in paths]
    write_table(folder.table, table)
    _show_table(folder, wish, table, as_json)


def _look_through(
    folder: FolderOfEdits, paths: Sequence[Path], wish: EditWish, rows: dict[str, Row]
) -> list[WaitingEdit]:
    """The pictures that have to be edited; those that are done go to ``rows``."""
    known = {} if folder.again else read_table(folder.table)
    waiting = []
    for path in paths:
        source, _ = find_start(path, wish, fresh=folder.as_is)
        each = WaitingEdit(path, folder.out / path.name, source)
        row = known.get(path.name, {})
        wanted = each.describe().items()
        if wanted <= row.items() and _holds(each.target, row.get("output_sha256")):
            rows[path.name] = {**row, "state": "there already"}
        else:
            waiting.append(each)
    return waiting


def _holds(file: Path, sha256: object) -> bool:
    """Whether a file is there as it was written."""
    return file.is_file() and file_sha256(file) == sha256


def _edit_here(
    waiting: Sequence[WaitingEdit], wish: EditWish, backend: Backend, progress: Progress
) -> Iterator[tuple[WaitingEdit, EditedPicture | LatentFuError]]:
    """One after the other, by the server or this process."""
    for number, each in enumerate(waiting):
        part = between(progress, number / len(waiting), (number + 1) / len(waiting))
        yield each, _try_edit(each, wish.with_edits(each.source.edits), backend, part)


def _try_edit(
    each: WaitingEdit, wish: EditWish, backend: Backend, progress: Progress
) -> EditedPicture | LatentFuError:
    """The edited picture, or why there is none."""
    return _attempt(lambda: edit_picture(_read_to_edit(each), wish, backend, progress))


def _edit_by_engine(
    waiting: Sequence[WaitingEdit], wish: EditWish, choice: EngineChoice, progress: Progress
) -> Iterator[tuple[WaitingEdit, EditedPicture | LatentFuError]]:
    """By the workers of an engine, which need no disk that they share with this machine."""
    from functools import partial

    from latentfu.engine.batch_task import BatchTask
    from latentfu.engine.map_batches import run_batches
    from latentfu.pipeline.generator_recipe import describe_generator, measure_worker

    if not waiting:
        return
    given = wish.fields.get("generator")
    editor, name = open_editor(given)
    generator = editor.generators.open(editor.generators.find_spec(name))
    recipe = describe_generator(generator, given)
    at_hand = _FolderEditor(wish, (editor, name), given if is_file(given) else None)
    task = BatchTask(
        partial(_open_in_worker, recipe, wish), _edit_in_worker, recipe.files, at_hand
    )  # fmt: skip
    with choice.open() as engine:
        device = engine.choose_device(editor.generators.device)
        with engine.hire(task, measure_worker(generator, 1, device), len(waiting)) as crew:
            for start in range(0, len(waiting), _AT_HAND):
                chunk, batches = [], []
                for each in waiting[start : start + _AT_HAND]:
                    found = _read_for_worker(each)
                    if isinstance(found, LatentFuError):
                        yield each, found
                    else:
                        chunk.append(each)
                        batches.append([found])
                end = min(start + _AT_HAND, len(waiting))
                part = between(progress, start / len(waiting), end / len(waiting))
                for number, result in run_batches(crew, batches, "finished", part):
                    yield chunk[number], result


def _read_for_worker(each: WaitingEdit) -> PictureToEdit | LatentFuError:
    """What a worker is sent, or why the picture cannot be edited."""
    return _attempt(lambda: PictureToEdit(_read_to_edit(each).pixels, each.source.edits))


def _read_to_edit(each: WaitingEdit) -> PictureFile:
    """The picture, where its result can be written; raises BadInputError."""
    picture = each.read()
    check_target(each.target, has_alpha=picture.pixels.shape[2] == 4)
    return picture


def _attempt(work: Callable[[], T]) -> T | LatentFuError:
    """What work on one picture gives, or why it gives nothing; what all would meet is raised."""
    try:
        return work()
    except (NotInstalledError, CancelledError):
        raise
    except LatentFuError as error:
        return error


@dataclass(frozen=True)
class _FolderEditor:
    """What a worker edits with; ``file``: the generator's, where it was given as one."""

    wish: EditWish
    opened: OpenedEditor
    file: str | None = None


def _open_in_worker(recipe: GeneratorRecipe, wish: EditWish, place: WorkerPlace) -> _FolderEditor:
    """Open the networks in a worker."""
    from latentfu.pipeline.editor import Editor

    editor = Editor(place.device)
    name = editor.generators.adopt(recipe.open(place))
    wish = replace(wish, fields={**wish.fields, "generator": name})
    return _FolderEditor(wish, (editor, name))


def _edit_in_worker(
    editor: _FolderEditor, batch: Sequence[PictureToEdit]
) -> EditedPicture | LatentFuError:
    """The one picture of a batch, edited in a worker, or why there is none."""
    (sent,) = batch
    wish = editor.wish.with_edits(sent.edits)
    backend = LocalBackend(editor.file, editor.opened)
    picture = PictureFile(sent.pixels)
    return _attempt(lambda: edit_picture(picture, wish, backend, silent, editor.opened))


def _write_result(each: WaitingEdit, wish: EditWish, result: EditedPicture | LatentFuError) -> Row:
    """Write an edited picture; its row of the table. Raises StorageError."""
    if isinstance(result, LatentFuError):
        return {"picture": each.picture.name, "error": str(result)}
    write_picture(each.target, each.read().edited(result.layer.pixels))
    wish.remember(each.target, each.source)
    return {
        **each.describe(),
        "output_sha256": file_sha256(each.target),
        "reports": [dict(report) for report in result.reports],
        "state": "edited",
    }


def _show_table(folder: FolderOfEdits, wish: EditWish, rows: Sequence[Row], as_json: bool) -> None:
    """The rows for people or machines; a failure when some pictures could not be edited."""
    if as_json:
        print_json({"output": str(folder.out), "pictures": list(rows)})
    else:
        print_table(("picture", "result"), [_describe_row(row) for row in rows])
    finish_table(folder.table, rows, "edited", as_json=as_json)
    if not as_json:
        click.echo(f"{folder.out}: {wish.describe()} for {len(rows)} pictures.")


def _describe_row(row: Row) -> tuple[str, ...]:
    """A row in words."""
    if "error" in row:
        return describe_failure(row, 2)
    fits = ", ".join(describe_fit(report) for report in row["reports"])
    return row["picture"], f"{fits} ({row['state']})"

"""A folder of pictures inverted: several at once, and from where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.cli.output import print_json, print_table, progress_bar
from latentfu.cli.picture_folder import (
    Row,
    describe_failure,
    finish_table,
    list_folder_pictures,
    make_output_folder,
    write_table,
)
from latentfu.core.errors import (
    CancelledError,
    LatentFuError,
    NotInstalledError,
    OutOfMemoryError,
)
from latentfu.core.progress import Progress, between

if TYPE_CHECKING:
    from latentfu.cli.film import Frame
    from latentfu.core.crop import Crop
    from latentfu.core.latent import Latent
    from latentfu.core.layer import Layer
    from latentfu.engine.batch_task import WorkerPlace
    from latentfu.engine.open_engine import EngineChoice
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.generator_recipe import GeneratorRecipe
    from latentfu.pipeline.invert import CachedInversion, InvertOptions
    from latentfu.plugin_objects import GeneratorSpec
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import InvertRequest

TABLE = "qualities.json"
OUTSIDE = "; outside what the network can show"


@dataclass(frozen=True)
class Folder:
    """Pictures in, latents out; ``batch`` at once (None: by size); ``again``: all anew.

    ``images``: a folder for what the latents show, beside what they were found for if ``coupled``.
    """

    pictures: Path
    out: Path
    batch: int | None
    again: bool
    images: Path | None = None
    coupled: bool = False

    def list_targets(self) -> dict[Path, Path]:
        """Each picture and the file of its latent."""
        paths = list_folder_pictures(self.pictures)
        stems = [path.stem for path in paths]
        return {
            path: self.out
            / f"{path.stem if stems.count(path.stem) == 1 else path.name}.safetensors"
            for path in paths
        }

    def open_inverter(self, fields: Mapping[str, Any]) -> FolderInverter:
        """What the pictures are inverted with, in this process."""
        from latentfu.pipeline.invert import InvertOptions

        inverter = open_folder_inverter(fields, InvertOptions(refresh=self.again))
        return replace(inverter, images=self.images, coupled=self.coupled)


@dataclass(frozen=True)
class Waiting:
    """A picture that has to be worked on."""

    picture: Path
    target: Path
    request: InvertRequest
    layer: Layer


@dataclass(frozen=True)
class InvertedPicture:
    """What became of one: its row of the table, and what is to be in its files, if any.

    ``image``: where what it shows goes, and the pixels.
    """

    target: Path
    row: Row
    content: bytes | None = None
    image: tuple[Path, Frame] | None = None

    def write(self) -> None:
        """Put the latent and the picture where they go; raises StorageError."""
        from latentfu.cli.pictures import PictureFile, write_picture
        from latentfu.storage.atomic import write_whole

        if self.image is not None:
            path, pixels = self.image
            write_picture(path, PictureFile(pixels))
        if self.content is not None:
            write_whole(self.target, self.content)


def invert_folder(
    folder: Folder, fields: Mapping[str, Any], choice: EngineChoice, as_json: bool
) -> None:
    """Invert what is not there yet; the table of qualities is written after every batch.

    ``fields``: of the request that all pictures share.
    """
    targets = folder.list_targets()
    make_output_folder(folder.out, "latents")
    if folder.images is not None:
        make_output_folder(folder.images, "pictures")
    inverter = folder.open_inverter(fields)
    rows: dict[str, Row] = {}

    def keep(done: Sequence[InvertedPicture]) -> None:
        for each in done:
            each.write()
            rows[each.row["picture"]] = each.row
        there = [rows[path.name] for path in targets if path.name in rows]
        write_table(folder.out / TABLE, there)

    with progress_bar("Inverting", quiet=as_json) as progress:
        waiting: list[Waiting] = []
        for number, (picture, target) in enumerate(targets.items()):
            progress(0.1 * number / len(targets), f"Looking at {picture.name}")
            row = inverter.look(picture, target, waiting)
            if row is not None:
                rows[picture.name] = row
        whole = between(progress, 0.1, 1.0)
        if choice.is_given:
            for done in _invert_by_engine(inverter, waiting, folder.batch or 1, choice, whole):
                keep(done)
        else:
            _invert_here(inverter, waiting, folder.batch, keep, whole)
    table = [rows[path.name] for path in targets]
    write_table(folder.out / TABLE, table)
    _show_table(folder, table, as_json)


def open_folder_inverter(fields: Mapping[str, Any], options: InvertOptions) -> FolderInverter:
    """What the pictures are inverted with, in this process."""
    from latentfu.cli.backend import open_editor
    from latentfu.cli.options import request_fields

    editor, name = open_editor(fields.get("generator"))
    common = {**request_fields(dict(fields)), "generator": name}
    return FolderInverter(editor, common, options, fields.get("generator"))


def _invert_here(
    inverter: FolderInverter,
    waiting: Sequence[Waiting],
    batch: int | None,
    keep: Callable[[Sequence[InvertedPicture]], None],
    progress: Progress,
) -> None:
    """In this process, with all its threads; batches as large as there is memory for."""
    from latentfu.pipeline.spare_memory import work_in_parts

    def work(part: slice) -> None:
        start, end = (place / len(waiting) for place in (part.start, part.stop))
        keep(inverter.work(waiting[part], between(progress, start, end)))

    size = batch or _choose_batch(inverter.editor, inverter.generator)
    work_in_parts(work, len(waiting), size, progress)


def _invert_by_engine(
    inverter: FolderInverter,
    waiting: Sequence[Waiting],
    batch: int,
    choice: EngineChoice,
    progress: Progress,
) -> Iterator[Sequence[InvertedPicture]]:
    """By the workers of an engine, one picture at a time unless ``batch`` says otherwise."""
    from functools import partial

    from latentfu.engine.batch_task import BatchTask
    from latentfu.engine.map_batches import map_batches
    from latentfu.pipeline.generator_recipe import describe_generator, measure_worker

    editor = inverter.editor
    generator = editor.generators.open(editor.generators.find_spec(inverter.generator))
    recipe = describe_generator(generator, inverter.file)
    given = {name: each for name, each in inverter.fields.items() if name != "generator"}
    shown = (inverter.images, inverter.coupled)
    task = BatchTask(
        partial(_open_in_worker, recipe, given, inverter.options, shown),
        _invert_batch, recipe.files, inverter,
    )  # fmt: skip
    with choice.open() as engine:
        device = engine.choose_device(editor.generators.device)
        resources = measure_worker(generator, batch, device)
        found = map_batches(task, waiting, resources, engine=engine, progress=progress)
        yield from (done for _, done in found)


def _open_in_worker(
    recipe: GeneratorRecipe,
    fields: Mapping[str, Any],
    options: InvertOptions,
    shown: tuple[Path | None, bool],
    place: WorkerPlace,
) -> FolderInverter:
    """What a worker inverts with."""
    from latentfu.pipeline.editor import Editor

    editor = Editor(place.device)
    name = editor.generators.adopt(recipe.open(place))
    return FolderInverter(editor, {**fields, "generator": name}, options, None, *shown)


def _invert_batch(inverter: FolderInverter, batch: Sequence[Waiting]) -> Sequence[InvertedPicture]:
    """Pictures of a folder, in a worker; fewer at a time where memory is short."""
    from latentfu.core.progress import silent
    from latentfu.pipeline.spare_memory import work_in_parts

    known = [
        replace(each, request=each.request.model_copy(update={"generator": inverter.generator}))
        for each in batch
    ]
    parts = work_in_parts(lambda part: inverter.work(known[part], silent), len(known), len(known))
    return [each for part in parts for each in part]


@dataclass(frozen=True)
class FolderInverter:
    """What all pictures of a folder are inverted with; ``fields``: of their requests.

    ``file``: the generator's name or file, as it was given. ``images``, ``coupled``: as `Folder`.
    """

    editor: Editor
    fields: Mapping[str, Any]
    options: InvertOptions
    file: str | None
    images: Path | None = None
    coupled: bool = False

    @property
    def generator(self) -> str | None:
        """The name under which the editor knows the generator."""
        name: str | None = self.fields["generator"]
        return name

    def look(self, picture: Path, target: Path, waiting: list[Waiting]) -> Row | None:
        """The row of a picture that is done or cannot be used; else it joins ``waiting``."""
        from latentfu.cli.pictures import read_picture_file
        from latentfu.core.layer import Layer
        from latentfu.pipeline.metrics import is_beyond
        from latentfu.protocol.pictures import PictureStore
        from latentfu.protocol.requests import InvertRequest, build_request
        from latentfu.storage.inversion_cache import read_inversion_metadata

        try:
            layer, pictures = Layer(read_picture_file(picture).pixels), PictureStore()
            request = build_request(InvertRequest, layer=pictures.add(layer), **self.fields)
            key = self.editor.make_inversion_key(request, pictures)
        except NotInstalledError:
            raise
        except CancelledError:
            raise
        except LatentFuError as error:
            return {"picture": picture.name, "error": str(error)}
        known = None if self.options.refresh else read_inversion_metadata(target)
        image = self.name_image(target)
        if known is None or known["key"] != key or (image is not None and not image.is_file()):
            waiting.append(Waiting(picture, target, request, layer))
            return None
        psnr, perceptual, perceptual_name, seconds = known["quality"]
        beyond = known.get("beyond")
        return {
            "picture": picture.name, "output": target.name, "inverter": known["method"],
            "psnr": psnr, "perceptual": perceptual, "perceptual_name": perceptual_name,
            "identity": known.get("identity"), "beyond": beyond,
            "outside": is_beyond(beyond, self.editor.generators.find_spec(self.generator)),
            "seconds": seconds, "state": "there already",
        }  # fmt: skip

    def name_image(self, target: Path) -> Path | None:
        """Where the picture of a latent's file goes, if one is wanted."""
        return None if self.images is None else self.images / f"{target.stem}.png"

    def draw(self, target: Path, crop: Crop, latent: Latent) -> tuple[Path, Frame] | None:
        """The picture of a latent, beside what it was found for where it is coupled."""
        import numpy as np

        from latentfu.cli.film import make_frame
        from latentfu.pipeline.render import render_latent

        path = self.name_image(target)
        if path is None:
            return None
        generator = self.editor.generators.open(self.editor.generators.find_spec(self.generator))
        frame = make_frame(render_latent(generator, latent))
        return path, np.hstack([make_frame(crop.image), frame]) if self.coupled else frame

    def work(self, chunk: Sequence[Waiting], progress: Progress) -> list[InvertedPicture]:
        """One batch: latents and rows; one at a time where the whole batch fails.

        Raises OutOfMemoryError where there is too little memory for more than one; one alone is
        done by the processor then.
        """
        from latentfu.protocol.pictures import PictureStore
        from latentfu.storage.inversion_cache import serialize_inversion

        pictures = PictureStore()
        requests = [
            each.request.model_copy(update={"layer": pictures.add(each.layer)}) for each in chunk
        ]
        try:
            found = self._find(requests, pictures, progress)
        except CancelledError:
            raise
        except LatentFuError as error:
            if isinstance(error, OutOfMemoryError) and len(chunk) > 1:
                raise
            if len(chunk) == 1:
                failed: Row = {"picture": chunk[0].picture.name, "error": str(error)}
                return [InvertedPicture(chunk[0].target, failed)]
            return [done for each in chunk for done in self.work([each], progress)]
        spec = self.editor.generators.find_spec(self.generator)
        made = []
        for each, (crop, one) in zip(chunk, found, strict=True):
            row: Row = {
                "picture": each.picture.name,
                "output": each.target.name,
                **describe_inversion(one, spec, crop),
                "state": "cached" if one.cached else "found",
            }
            content = serialize_inversion(one.key, one.inversion)
            image = self.draw(each.target, crop, one.inversion.latent)
            made.append(InvertedPicture(each.target, row, content, image))
        return made

    def _find(
        self, requests: Sequence[InvertRequest], pictures: PictureStore, progress: Progress
    ) -> list[tuple[Crop, CachedInversion]]:
        from latentfu.cli.backend import make_reserve

        def work(editor: Editor, told: Progress) -> list[tuple[Crop, CachedInversion]]:
            return editor.find_inversions(requests, pictures, told, self.options)

        if len(requests) > 1:
            return work(self.editor, progress)
        return make_reserve(self.editor, self.file).run(self.editor, work, progress)


def _choose_batch(editor: Editor, name: str | None) -> int:
    """How many pictures fit: about as many pixels as 8 of 128 px."""
    side = editor.generators.open(editor.generators.find_spec(name)).resolution
    return max(1, min(8, (8 * 128 * 128) // (side * side)))


def _show_table(folder: Folder, rows: Sequence[Row], as_json: bool) -> None:
    """The rows for people or machines; a failure when some pictures could not be used."""
    if as_json:
        print_json({"output": str(folder.out), "pictures": list(rows)})
    else:
        print_table(
            ("picture", "dB", "distance", "seconds", "by"), [_describe_row(row) for row in rows]
        )
    finish_table(folder.out / TABLE, rows, "inverted", as_json=as_json)
    if not as_json:
        click.echo(f"{folder.out}: {len(rows)} latents; their qualities are in {TABLE}.")


def _describe_row(row: Row) -> tuple[str, ...]:
    """A row in words."""
    if "error" in row:
        return describe_failure(row, 5)
    return (
        row["picture"], f"{row['psnr']:.1f}", f"{row['perceptual']:.3f}", f"{row['seconds']:.1f}",
        f"{row['inverter']} ({row['state']})" + (OUTSIDE if row["outside"] else ""),
    )  # fmt: skip


def describe_inversion(
    found: CachedInversion, spec: GeneratorSpec, crop: Crop
) -> dict[str, object]:
    """An inversion in figures, for JSON."""
    from latentfu.pipeline.metrics import describe_outside, find_remedy, is_outside, rate_fit

    inversion, quality = found.inversion, found.inversion.quality
    return {
        "space": inversion.latent.space,
        "shape": list(inversion.latent.codes.shape),
        "generator_id": inversion.latent.generator_id,
        "inverter": inversion.method,
        "steps": inversion.steps,
        "psnr": quality.psnr,
        "perceptual": quality.perceptual,
        "perceptual_name": quality.perceptual_name,
        "identity": quality.identity,
        "beyond": quality.out_of_domain,
        "outside": is_outside(quality, spec),
        "warning": describe_outside(quality, spec),
        "fit": rate_fit(quality, spec),
        "advice": find_remedy(quality, spec, crop).advice,
        "seconds": quality.seconds,
        "parts": dict(quality.parts),
    }

"""How good and how fast every installed inverter is on the same pictures."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import latentfu
import numpy as np
import numpy.typing as npt
import torch
from latentfu import (
    PICTURE_FORMATS,
    BadInputError,
    Crop,
    Generator,
    InversionRequest,
    Inverter,
    LatentFuError,
    NotInstalledError,
    Progress,
    Quad,
    between,
    json_option,
    progress_bar,
    random_latents,
    silent,
)

from latentfu_builtin.benchmarks.inversion_edits import EditMetrics
from latentfu_builtin.inversion.losses import build_perceptual_loss, pyramid
from latentfu_builtin.inversion.settings import OptionValues

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class InverterSetting:
    """An inverter with the options it is measured with; ``note`` says what was changed."""

    inverter: Inverter
    options: OptionValues = field(default_factory=dict)
    level: str = ""
    note: str = ""

    @property
    def title(self) -> str:
        """Its name, and the quality it serves."""
        return f"{self.inverter.name} ({self.level})" if self.level else self.inverter.name


def _choose_settings(
    generator: Generator, names: Sequence[str], qualities: Sequence[str] = ()
) -> list[InverterSetting]:
    """Every inverter that fits ``generator``, at each of its qualities.

    Only ``names`` and only ``qualities`` if any are given; raises BadInputError for unknown names.
    """
    installed = latentfu.inverters()
    unknown = [name for name in names if name not in installed]
    if unknown:
        raise BadInputError(
            f"There is no inverter {unknown[0]!r}; installed: {', '.join(installed)}."
        )
    found = []
    for inverter in installed.values():
        if (names and inverter.name not in names) or inverter.name == "optimise":
            continue
        if not _is_fitting(inverter, generator):
            continue
        levels = [
            InverterSetting(inverter, level.options, name)
            for name, level in inverter.levels.items()
        ]
        found += levels or [InverterSetting(inverter)]
    return [method for method in found if not qualities or method.level in qualities]


def _is_fitting(inverter: Inverter, generator: Generator) -> bool:
    """Whether it says that it is for the generator."""
    try:
        return inverter.fits is None or bool(inverter.fits(generator))
    except LatentFuError:
        return False


def _measure_setting(
    method: InverterSetting,
    generator: Generator,
    pictures: Sequence[npt.NDArray[np.float32]],
    progress: Progress = silent,
    judge: EditMetrics | None = None,
) -> dict[str, Any]:
    """One row: means over the pictures, one at a time; ``skipped`` says why there are none.

    ``seconds`` by the clock (median), ``cpu_seconds`` of this process, which other work on the
    machine does not lengthen. With ``judge`` also what edits of the found latents do.

    Losses that need weights which are not on this disk are replaced by the domain's own.
    """
    try:
        return _measure_row(method, generator, pictures, progress, judge)
    except latentfu.NotInstalledError as error:
        losses = str(method.inverter.options.get("losses", ""))
        if "vgg16" not in losses:
            return {"method": method.title, "skipped": str(error)}
    changed = {**method.options, "losses": losses.replace("vgg16", "auto")}
    other = InverterSetting(
        method.inverter, changed, method.level, "the domain's features for VGG16's"
    )
    try:
        return _measure_row(other, generator, pictures, progress, judge)
    except LatentFuError as error:
        return {"method": method.title, "skipped": str(error)}


def _measure_row(
    method: InverterSetting,
    generator: Generator,
    pictures: Sequence[npt.NDArray[np.float32]],
    progress: Progress,
    judge: EditMetrics | None,
) -> dict[str, Any]:
    """What ``_measure_setting`` gives when nothing is missing."""
    name, distance = build_perceptual_loss("auto", generator)
    options = {**method.inverter.options, **method.options}
    rows, latents = [], []
    for number, picture in enumerate(pictures):
        part = between(progress, number / len(pictures), (number + 1) / len(pictures))
        crop = Crop(picture, Quad.square(0, 0, generator.resolution), "whole")
        began, worked = time.perf_counter(), time.process_time()
        latent = method.inverter.invert(InversionRequest(crop, generator, part, options)).latent
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        latents.append(latent)
        target = torch.from_numpy(picture)[None].to(generator.device)
        with torch.no_grad():
            image = generator.render(latent).clamp(-1, 1)
            error = float((image - target).square().mean())
            far = float((distance or pyramid)(image, target)[0])
        rows.append((10 * np.log10(4 / max(error, 1e-10)), far, seconds, worked))
    psnr, far_each, seconds_each, worked_each = zip(*rows, strict=True)
    edits = asdict(judge.followed(latents)) if judge else None
    return {
        "method": method.title,
        "note": method.note,
        "pictures": len(pictures),
        "psnr": statistics.fmean(psnr),
        "psnr_lowest": min(psnr),
        "perceptual": statistics.fmean(far_each),
        "perceptual_name": name if distance else "pixels",
        "seconds": statistics.median(seconds_each),
        "cpu_seconds": statistics.median(worked_each),
        "edits": edits,
    }


def _choose_pictures(
    generator: Generator, folder: Path | None, count: int, own: bool = False, seed: int = 20261
) -> tuple[str, list[npt.NDArray[np.float32]]]:
    """``count`` pictures that the generator never saw, and what they are.

    From ``folder`` if it is given; else the domain's own renderer, else the generator's own
    (also for ``own``), whose codes are sampled at random.
    """
    if folder is not None:
        return f"pictures in {folder}", _read_folder(generator, folder, count)
    if generator.domain == "portraits" and not own:
        return "unseen portraits of the renderer", _render_portraits(generator, count, seed)
    with torch.no_grad():
        images = [
            generator.render(random_latents(generator, 1, seed + number))[0]
            for number in range(count)
        ]
    shown = [image.float().clamp(-1, 1).cpu().numpy() for image in images]
    return "pictures of the generator itself", shown


def _render_portraits(generator: Generator, count: int, seed: int) -> list[npt.NDArray[np.float32]]:
    """Portraits by the renderer that taught the network, with factors it did not see."""
    from latentfu_builtin.portraits.renderer import render, sample

    factors = sample(count, seed=seed)
    parts = [render(part, generator.resolution) for part in torch.split(factors, 8)]
    return [np.asarray(image.numpy(), np.float32) for image in torch.cat(parts)]


def _read_folder(generator: Generator, folder: Path, count: int) -> list[npt.NDArray[np.float32]]:
    """The first ``count`` pictures of a folder, their middle square at the generator's size."""
    from PIL import Image, ImageOps

    if not folder.is_dir():
        raise BadInputError(f"There is no folder {folder}.")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS)[:count]
    if not paths:
        raise BadInputError(f"There is no picture in {folder}.")
    size = (generator.resolution, generator.resolution)
    found = []
    for path in paths:
        try:
            with Image.open(path, formats=PICTURE_FORMATS) as image:
                square = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.BOX)
        except (OSError, Image.DecompressionBombError) as error:
            raise BadInputError(f"{path} is not a picture that can be read.") from error
        values = np.asarray(square, np.float32).transpose(2, 0, 1) / 127.5 - 1.0
        found.append(np.ascontiguousarray(values))
    return found


def _measure_settings(
    generator: Generator,
    pictures: Sequence[npt.NDArray[np.float32]],
    chosen: Sequence[InverterSetting],
    progress: Progress,
    judge: EditMetrics | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows one after the other."""
    for number, method in enumerate(chosen):
        start, end = number / len(chosen), (number + 1) / len(chosen)
        progress(start, f"Measuring {method.title}")
        yield _measure_setting(method, generator, pictures, between(progress, start, end), judge)


@click.command("inversion")
@click.option("--generator", metavar="NAME", help="A name or a file (default: the first).")
@click.option(
    "--images", type=click.Path(path_type=Path), metavar="DIR",
    help="Pictures to measure with (default: unseen ones of the generator's domain).",
)  # fmt: skip
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    default=32,
    show_default=True,
    help="How many pictures.",
)
@click.option(
    "--inverter", "names", multiple=True, metavar="NAME", help="Only this one (repeatable)."
)
@click.option(
    "--quality", "qualities", multiple=True, type=click.Choice(["draft", "good", "best"]),
    help="Only what serves this quality (repeatable).",
)  # fmt: skip
@click.option("--own", is_flag=True, help="Measure with the generator's own random pictures.")
@click.option(
    "--edits", type=click.IntRange(0, 100), default=0, show_default=True, metavar="N",
    help="Also try N controls on what was found, as the domain's scorer sees it.",
)  # fmt: skip
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE.png",
    help="Also draw quality against time.",
)  # fmt: skip
@json_option
def inversion_command(
    *,
    generator: str | None,
    images: Path | None,
    count: int,
    names: tuple[str, ...],
    qualities: tuple[str, ...],
    own: bool,
    edits: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure every method of inversion: quality against time on the same pictures.

    Edits: what strength 1 moves of its attribute, how far each is off, and what it moves of
    every other attribute, in standard deviations among the generator's own pictures.
    """
    from latentfu_builtin.benchmarks.inversion_plot import write_inversion_plot

    if plot is not None and plot.suffix != ".png":
        raise BadInputError(f"{plot} must end in .png.")
    name = generator or next(iter(latentfu.generators()), None)
    if name is None:
        raise NotInstalledError("There is no generator to measure with.")
    network = latentfu.open_generator(name)
    chosen = _choose_settings(network, names, qualities)
    what, pictures = _choose_pictures(network, images, count, own)
    judge = EditMetrics.of(network, edits)
    if edits and judge is None:
        raise BadInputError(f"No scorer reads what the controls of {network.name} move.")
    with progress_bar("Measuring", quiet=as_json) as progress:
        rows = list(_measure_settings(network, pictures, chosen, progress, judge))
    title = f"{network.name}: {len(pictures)} {what}"
    if plot is not None:
        write_inversion_plot(plot, rows, title)
    if as_json:
        content = {"benchmark": "inversion", "generator": network.name, "pictures": what}
        click.echo(json.dumps({**content, "count": len(pictures), "rows": rows}, indent=2))
        return
    _print_rows(rows, title)


def _print_rows(rows: list[dict[str, Any]], title: str) -> None:
    """The rows as a table, what was skipped below it."""
    click.echo(title)
    tried = any(row.get("edits") for row in rows)
    head = f"{'method':36}{'dB':>7}{'lowest':>8}{'distance':>10}{'seconds':>9}{'of CPU':>8}"
    click.echo(head + (f"{'strength':>10}{'off':>6}{'leak':>7}{'for one':>17}" if tried else ""))
    for row in rows:
        if "skipped" in row:
            click.echo(f"{row['method']:36} skipped: {row['skipped']}")
            continue
        line = (
            f"{row['method']:36}{row['psnr']:7.2f}{row['psnr_lowest']:8.2f}"
            f"{row['perceptual']:10.4f}{row['seconds']:9.2f}{row['cpu_seconds']:8.2f}"
        )
        if row["edits"]:
            line += _format_edits(**row["edits"])
        click.echo(line + (f"  ({row['note']})" if row["note"] else ""))


def _format_edits(strength: float, off: float, leak: float, error: float) -> str:
    """The columns of what edits do; the last is the leak of a strength of one."""
    for_one = leak / strength if strength else math.nan
    return f"{strength:10.2f}{off:6.2f}{leak:7.3f}{for_one:9.4f} ± {error:.4f}"
